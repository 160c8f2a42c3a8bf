//! A shared engine whose model and state are replaced, and whose state is written, while threads go on with it.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::*;
use crible::core::Transaction;
use crible::{Columns, Config, Engine, Error};

fn txns() -> Vec<Transaction> {
    population(40, 60, 9, FULL)
}

/// The state that a writer is given is the one that is saved, on one thread and shared, and is the same as bytes.
#[test]
fn a_written_state_is_the_saved_one() {
    let txns = txns();
    let mut engine = quick().fit(&batch(&txns)).unwrap();
    observed(&mut engine, &txns);
    let saved = engine.save_state();
    let mut written = Vec::new();
    engine.write_state(&mut written).unwrap();
    assert!(written == saved);
    let shared = engine.share();
    let mut written = Vec::new();
    shared.write_state(&mut written).unwrap();
    assert!(written == saved && shared.save_state() == saved);
    // The error of a writer is returned.
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert_eq!(shared.write_state(Full).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
}

/// Handles go on with a state that is loaded and with a model that takes the place of theirs, be its columns the same
/// or others; one that does not fit changes nothing.
#[test]
fn model_and_state_are_replaced() {
    let txns = txns();
    let (past, rest) = txns.split_at(txns.len() / 2);
    let first = quick().fit(&batch(&txns)).unwrap().save();
    let other_seed = quick().seed(99).fit(&batch(&txns)).unwrap().save();
    let mut columns = Columns::default();
    columns.add = Config::default().known_columns();
    let wide = quick().columns(columns).fit(&batch(&txns)).unwrap().save();
    let bare = quick().fit(&batch(&population(20, 30, 3, Shape { category: false, ..FULL }))).unwrap().save();
    for model in [&other_seed, &wide] {
        // What one engine does.
        let mut one = Engine::load(&first).unwrap();
        observed(&mut one, past);
        let state = one.save_state();
        let (id, kept) = (one.model().id(), one.save_state());
        if one.replace_model(model).is_err() {
            // Families that the first model has no columns of have no state to go on from.
            assert_eq!(one.model().id(), id);
            assert!(one.save_state() == kept);
            continue;
        }
        let want = observed(&mut one, rest);

        let mut shared = Engine::load(&first).unwrap().share();
        let mut handle = shared.clone();
        shared.load_state(&state).unwrap();
        assert!(matches!(shared.load_state(&state[..40]), Err(Error::NotAState(_))));
        assert!(matches!(shared.replace_model(&model[..40]), Err(Error::NotAModel(_))));
        assert!(shared.replace_model(&bare).is_err());
        assert!(shared.save_state() == state);
        shared.replace_model(model).unwrap();
        let mut got = Vec::new();
        for (i, txn) in rest.iter().enumerate() {
            let verdict = if i % 2 == 0 { shared.observe(txn) } else { handle.observe(txn) }.unwrap();
            got.push(bits(verdict.score(), verdict.detectors()));
        }
        assert_eq!(differ(&want, &got), None);
        assert!(shared.save_state() == one.save_state());
        assert_eq!(handle.model().id(), one.model().id());
    }
}

/// Nobody is lost or taken twice while models are replaced and states saved under the threads' feet.
#[test]
fn replacing_under_load_loses_nothing() {
    let txns = txns();
    let models = [1, 2].map(|seed| quick().seed(seed).fit(&batch(&txns)).unwrap().save());
    let mut one = Engine::load(&models[0]).unwrap();
    let (txns, rest) = txns.split_at(txns.len() - 400);
    observed(&mut one, txns);
    let shared = Engine::load(&models[0]).unwrap().share();
    let (next, seen) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let (mut handle, next, seen) = (shared.clone(), &next, &seen);
            scope.spawn(move || {
                while let Some((_, verdict)) =
                    handle.observe_next(|| txns.get(next.fetch_add(1, Ordering::Relaxed)).copied())
                {
                    verdict.unwrap();
                    seen.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut round = 0;
        while seen.load(Ordering::Relaxed) < txns.len() {
            shared.replace_model(&models[round % 2]).unwrap();
            assert!(Engine::load(&models[0]).unwrap().load_state(&shared.save_state()).is_ok());
            round += 1;
        }
    });
    assert_eq!(seen.load(Ordering::Relaxed), txns.len());
    // Whatever model was there meanwhile, the state is that of the payments.
    shared.replace_model(&models[0]).unwrap();
    let mut shared = shared;
    let want = observed(&mut one, rest);
    let got: Vec<_> = rest
        .iter()
        .map(|txn| {
            let seen = shared.observe(txn).unwrap();
            bits(seen.score(), seen.detectors())
        })
        .collect();
    assert_eq!(differ(&want, &got), None);
}

/// Whoever stops a replay in the middle hands the same batch in again: nothing is taken in twice, and nothing is refused.
#[test]
fn a_replay_that_was_stopped_goes_on() {
    let txns = txns();
    let (past, rest) = txns.split_at(txns.len() / 2);
    // Rows that repeat divide the batch into runs.
    let mut rest = rest.to_vec();
    for place in [rest.len() / 3, rest.len() / 2] {
        rest.insert(place, rest[place]);
    }
    let model = quick().fit(&batch(past)).unwrap().save();
    let scores = |engine: &mut Engine, stop_at: usize| {
        let (mut all, mut runs) = (Vec::new(), 0);
        let done = engine.replay::<Error>(&batch(&rest), |_, scored| {
            runs += 1;
            if runs == stop_at {
                return Err(Error::Config("stopped".to_owned()));
            }
            all.extend(scored.rows().map(|row| (row, scored.score(row).raw.to_bits())));
            Ok(())
        });
        assert_eq!(done.is_err(), runs >= stop_at);
        all.sort_unstable();
        (all, runs)
    };
    let mut whole = Engine::load(&model).unwrap();
    let (expect, runs) = scores(&mut whole, usize::MAX);
    assert!(expect.len() == rest.len() && runs > 4, "{} rows in {runs} runs", expect.len());
    for stop_at in 1..=runs {
        let mut engine = Engine::load(&model).unwrap();
        let (before, _) = scores(&mut engine, stop_at);
        assert!(before.len() < expect.len() && before.iter().all(|row| expect.contains(row)));
        assert_eq!(scores(&mut engine, usize::MAX).0, expect);
        assert!(engine.save_state() == whole.save_state());
    }
}
