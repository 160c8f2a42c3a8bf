//! An engine whose state has observed too little.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{FULL, batch, keep, transaction};
use crible::alert::{Budget, DailyBudget, Severity, Threshold};
use crible::core::{Transaction, Window};
use crible::{Builder, Engine, Error, History, Observation, Pipeline};
use crible_eval::simulate::Simulation;

/// Ordinary payments alone: what was until a day, and what comes after.
fn ordinary(until: usize) -> (Vec<Transaction>, Vec<Transaction>) {
    let simulation = Simulation::builder().accounts(120).days(100).seed(5).fraud_rate(0.0).build().unwrap();
    let mut txns: Vec<_> = simulation.map(|row| transaction(&row, FULL)).collect();
    txns.sort_by_key(|txn| (txn.at, txn.id));
    let first = txns[0].at.day();
    let cut = txns.partition_point(|txn| ((txn.at.day() - first) as usize) < until);
    let live = txns.split_off(cut);
    (txns, live)
}

fn history_of(observed: &Observation<'_>) -> History {
    observed.history().unwrap()
}

fn share(severities: &[Severity], at_least: Severity) -> f64 {
    severities.iter().filter(|severity| **severity >= at_least).count() as f64 / severities.len() as f64
}

/// A model without its state calls no ordinary payment anything but low until it has observed what it was learned with,
/// shows it, and judges as it should from then on.
#[test]
fn a_model_without_state_is_cold_and_says_so() {
    let (history, live) = ordinary(50);
    let saved = Builder::default().fit(&batch(&history)).unwrap().save();
    let mut engine = Engine::load(&saved).unwrap();
    let warm_up = engine.model().warm_up();
    assert!((Window(12 * Window::DAY.0)..=Window(13 * Window::DAY.0)).contains(&warm_up), "{warm_up:?}");
    assert!(engine.is_cold() && engine.warm_from().is_none());
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    let mut by_tail = Vec::new();
    for txn in &live {
        let observed = engine.observe(txn).unwrap();
        let verdict = observed.verdict();
        assert_eq!((verdict.severity, verdict.is_cold), (observed.severity(), observed.is_cold()));
        if observed.is_cold() {
            assert!(txn.at.0 - live[0].at.0 < warm_up.0);
            cold.push(observed.severity());
            by_tail.push(Severity::of(observed.score().tail));
        } else {
            warm.push(observed.severity());
        }
        let is_cold = observed.is_cold();
        assert_eq!(engine.is_cold(), is_cold);
    }
    assert!(cold.len() > 1_000 && warm.len() > 1_000);
    assert_eq!(share(&cold, Severity::Medium), 0.0);
    // The tail alone would have cried wolf; that is what coldness is for.
    assert!(share(&by_tail, Severity::Medium) > 0.05, "{}", share(&by_tail, Severity::Medium));
    assert!(share(&warm, Severity::Critical) < 0.001, "{}", share(&warm, Severity::Critical));
    // A batch gives the same answer for every row.
    let mut replayed = Vec::new();
    Engine::load(&saved)
        .unwrap()
        .replay(&batch(&live), |_, scored| {
            replayed.extend(scored.rows().map(|row| (scored.is_cold(row), scored.severity(row))));
            Ok::<_, Error>(())
        })
        .unwrap();
    let (first, rest) = replayed.split_at(cold.len());
    assert!(first.iter().all(|(is_cold, _)| *is_cold) && rest.iter().all(|(is_cold, _)| !is_cold));
    assert!(rest.iter().map(|(_, severity)| severity).eq(&warm));
}

/// With its state an engine is warm at once, after saving and loading, in another process and shared among threads.
#[test]
fn a_state_keeps_an_engine_warm() {
    let (history, live) = ordinary(50);
    let mut engine = Builder::default().fit(&batch(&history)).unwrap();
    engine.replay(&batch(&history), keep(&mut Vec::new())).unwrap();
    assert!(!engine.is_cold());
    let (model, state) = (engine.save(), engine.save_state());
    let loaded = || {
        let mut engine = Engine::load(&model).unwrap();
        engine.load_state(&state).unwrap();
        engine
    };
    assert!(!loaded().is_cold());
    assert_eq!(loaded().warm_from(), engine.warm_from());
    let observed = engine.observe(&live[0]).unwrap();
    let verdict = observed.verdict();
    assert!(
        !verdict.is_cold && history_of(&observed).account > 10 && history_of(&observed).counterparty > 0,
        "{verdict:?}"
    );
    assert_eq!(history_of(&observed).since, history[0].at);
    let said = serde_json::to_value(verdict).unwrap();
    assert_eq!(said["severity"], verdict.severity.as_str());
    assert_eq!(said["detectors"].as_array().unwrap().len(), verdict.detectors().len());
    assert!(verdict.to_string().starts_with(&format!("{}, score ", verdict.severity)), "{verdict}");
    assert_eq!(loaded().observe(&live[0]).unwrap().verdict(), verdict);
    assert_eq!(loaded().share().observe(&live[0]).unwrap().verdict(), verdict);
    // A stranger has no history, however warm the engine is.
    let mut stranger = live[0];
    stranger.account = common::pseudonym("stranger", 1);
    stranger.id.0 ^= 1;
    assert_eq!(history_of(&loaded().observe(&stranger).unwrap()).account, 0);
}

/// Nothing cold is raised by a threshold, and a budget that asks for a severity raises nothing cold either.
#[test]
fn ignorance_raises_no_alert() {
    let (history, live) = ordinary(50);
    let saved = Builder::default().fit(&batch(&history)).unwrap().save();
    let cold: Vec<_> = live.iter().take_while(|txn| txn.at.0 - live[0].at.0 < 10 * Window::DAY.0).copied().collect();
    let mut at_once = Pipeline::new(Engine::load(&saved).unwrap(), Threshold::new(Severity::Medium));
    let policy = DailyBudget::new(Budget::new(10).unwrap()).at_least(Severity::Medium);
    let mut daily = Pipeline::new(Engine::load(&saved).unwrap(), policy);
    for txn in &cold {
        assert!(at_once.observe(txn, None).unwrap().1.is_empty());
        assert!(daily.observe(txn, None).unwrap().1.is_empty());
    }
    assert!(daily.finish().is_empty());
}
