//! `crible score` of files that are held in memory.

use std::path::PathBuf;

use anyhow::Result;
use crible::{Builder, Decider, Engine, Model, Pipeline, Scored};
use crible_alert::{Alert, DailyBudget};
use crible_core::{Batch, Meaning, Timestamp};
use crible_ingest::{Import, Options};

use crate::alerts::Alerts;
use crate::args::ScoreArgs;
use crate::drift::DriftFile;
use crate::intake::CaseStore;
use crate::page;
use crate::places::Places;
use crate::progress::{Stage, Stages};
use crate::rejects::Rejects;
use crate::scores::Scores;
use crate::shown::Shown;
use crate::summary::Summary;
use crate::unusable::Unusable;

pub(crate) fn run(
    args: &ScoreArgs,
    builder: &Builder,
    options: &Options,
    mut stages: Stages,
    places: Places,
) -> Result<()> {
    let cases = CaseStore::open(&args.store, &args.notify)?;
    let mut scores = args.scores.as_deref().map(Scores::new).transpose()?;
    let drift = args.drift.as_deref().map(DriftFile::new).transpose()?;
    let mut rejects = Rejects::new(places.rejects);
    let import = read(&args.files, options, &mut stages, &mut |reject| rejects.push(&reject))?;
    let rejects = rejects.finish()?;
    if import.batch.is_empty() {
        let rejects = rejects.map(|rejects| rejects.persist()).transpose()?;
        return Err(Unusable::new(&import.files, rejects).into());
    }

    let page = page::is_wanted(&places.alerts);
    let mut alerts = Alerts::open(places.alerts)?;
    let until = args.learn.fit_until;
    let rule = args.rule();
    let mut shown = Shown::new(rule);
    let policy = rule.policy(DailyBudget::new(args.budget));
    let engine =
        score(&import.batch, Some(&import.meaning), builder, until, policy, &mut stages, |model, scored, raised| {
            if let Some(scored) = scored {
                shown.judge(model, scored, &import.batch);
                if let Some(scores) = &mut scores {
                    scores.push(model, scored);
                }
            }
            shown.take(raised);
            Ok(())
        })?;
    let (raised, seen) = shown.finish();
    match page {
        true => alerts.count(&raised),
        false => alerts.take(&raised, &import.files)?,
    }
    let (alerts, counts) = alerts.finish()?;
    let scores = match scores {
        Some(scores) => {
            let stage = stages.begin("scores");
            let written = scores.write(engine.model(), &import.batch, &import.files)?;
            stages.end(stage);
            Some(written)
        }
        None => None,
    };
    let drift = drift.map(|drift| drift.write(engine.drift())).transpose()?;
    let named = page || cases.as_ref().is_some_and(CaseStore::asks_customers);
    let payees = named.then(|| page::Payees::look_up(&raised, &import.batch, &args.files, options));
    if let Some(cases) = cases {
        let stage = stages.begin("cases");
        cases.take(&raised, &import.files, |party| payees.as_ref()?.text(party))?;
        stages.end(stage);
    }
    // All are written: now they take their names.
    let rejects = rejects.map(|rejects| rejects.persist()).transpose()?;
    let alerts = alerts.map(|alerts| alerts.persist()).transpose()?;
    scores.map(|scores| scores.persist()).transpose()?;
    drift.map(|drift| drift.persist()).transpose()?;
    let Import { files, errors, notes, meaning, key_origin, .. } = &import;
    let meaning = Some(meaning);
    if page && let Some(payees) = &payees {
        let (model, warm_from) = (engine.model(), engine.warm_from());
        let page = page::Page { alerts: &raised, seen: &seen, model, warm_from, files, payees };
        page::print(&page.text(page::width()))?;
    }
    let (engine, stages) = (&engine, &stages);
    Summary { files, errors, notes, meaning, key_origin, engine, stages, seen: &seen, rule, counts, alerts, rejects }
        .print();
    // The process ends here, and the system takes memory back faster than it is handed back piece by piece.
    std::mem::forget(import);
    Ok(())
}

pub(crate) fn read(
    files: &[PathBuf],
    options: &Options,
    stages: &mut Stages,
    rejects: &mut (dyn FnMut(crible_ingest::Reject) + Send),
) -> Result<Import> {
    let stage = stages.begin("reading");
    let import = crible_ingest::read(files, options, rejects, &|p| stage.reach(p.bytes_read, p.bytes_total))?;
    stages.end(stage);
    Ok(import)
}

/// Learns, scores and decides. `take` is handed each run of scored transactions with the alerts that it settles, and at the end,
/// without a run, those of the days still open.
pub(crate) fn score(
    batch: &Batch,
    meaning: Option<&Meaning>,
    builder: &Builder,
    until: Option<Timestamp>,
    policy: DailyBudget,
    stages: &mut Stages,
    mut take: impl FnMut(&Model, Option<&Scored<'_>>, Vec<Alert>) -> Result<()>,
) -> Result<Engine> {
    let mut fitting: Option<Stage> = Some(stages.begin("learning"));
    let mut scoring: Option<Stage> = None;
    let scored = |model: &Model, scored: &Scored<'_>, raised: Vec<Alert>| {
        if let Some(stage) = fitting.take() {
            stages.end(stage);
            scoring = Some(stages.begin("scoring"));
        }
        if let Some(stage) = &scoring {
            stage.reach(scored.rows().end as u64, batch.len() as u64);
        }
        take(model, Some(scored), raised)
    };
    let mut pipeline = Pipeline::fit_replay(builder, Decider::new(policy), batch, meaning, until, scored)?;
    let raised = pipeline.finish();
    let engine = pipeline.into_engine();
    take(engine.model(), None, raised)?;
    if let Some(stage) = scoring {
        stages.end(stage);
    }
    Ok(engine)
}
