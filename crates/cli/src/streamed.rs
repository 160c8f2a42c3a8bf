//! `crible score` of files too large to be held: they are read once to count, once to learn and once to score, each time
//! as a stream. The model, the scores and the alerts are those that holding them would give.

use std::sync::{Mutex, PoisonError};

use anyhow::{Error, Result, anyhow};
use crible::{Builder, Pipeline};
use crible_alert::DailyBudget;
use crible_ingest::{Options, Progress, Window};
use crible_run::{Streaming, Watch};

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

/// The window to stream the files through, where that is what they are to be.
pub(crate) fn window(args: &ScoreArgs) -> Option<Window> {
    crible_run::window(&args.files, args.hold)
}

/// The stages of a stream, of which one is under way.
struct Watched<'a>(Mutex<(&'a mut Stages, Option<Stage>)>);

impl Watched<'_> {
    fn end(&self) {
        let mut stages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stage) = stages.1.take() {
            stages.0.end(stage);
        }
    }
}

impl Watch for Watched<'_> {
    fn begin(&self, stage: &'static str) {
        self.end();
        let mut stages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stages.1 = Some(stages.0.begin(stage));
    }

    fn reach(&self, progress: Progress) {
        if let Some(stage) = &self.0.lock().unwrap_or_else(PoisonError::into_inner).1 {
            stage.reach(progress.bytes_read, progress.bytes_total);
        }
    }
}

pub(crate) fn run(
    args: &ScoreArgs,
    builder: &Builder,
    options: Options,
    window: Window,
    mut stages: Stages,
    places: Places,
) -> Result<()> {
    let mut streaming = Streaming::new(&args.files, options, window).map_err(|error| anyhow!("--hold: {error}"))?;
    let cases = CaseStore::open(&args.store, &args.notify)?;
    let mut scores = args.scores.as_deref().map(Scores::new).transpose()?.map(Scores::run_by_run);
    let drift = args.drift.as_deref().map(DriftFile::new).transpose()?;
    let watched = Watched(Mutex::new((&mut stages, None)));
    let engine = streaming.learn::<Error>(builder, args.learn.fit_until, &watched)?;

    let mut rejects = Rejects::new(places.rejects);
    let mut reject = |reject| rejects.push(&reject);
    let rule = args.rule();
    let mut shown = Shown::new(rule);
    let mut pipeline = engine.map(|engine| Pipeline::new(engine, rule.policy(DailyBudget::new(args.budget))));
    let page = page::is_wanted(&places.alerts);
    let alerts = pipeline.is_some().then(|| Alerts::open(places.alerts)).transpose()?;
    let done = streaming.score(pipeline.as_mut(), &watched, &mut reject, |batch, files, model, scored, raised| {
        if let Some(scores) = &mut scores {
            scores.push(model, scored, batch, files)?;
        }
        shown.judge(model, scored, batch);
        shown.take(raised);
        Ok::<_, Error>(())
    })?;
    let (Some(mut pipeline), Some(mut alerts)) = (pipeline, alerts) else {
        let rejects = rejects.finish()?.map(|rejects| rejects.persist()).transpose()?;
        return Err(Unusable::new(&done.files, rejects).into());
    };
    shown.take(pipeline.finish());
    let (raised, seen) = shown.finish();
    match page {
        true => alerts.count(&raised),
        false => alerts.take(&raised, &done.files)?,
    }
    let (alerts, counts) = alerts.finish()?;
    let scores = scores.map_or(Ok(None), |scores| scores.finish())?;
    let rejects = rejects.finish()?;
    watched.end();
    drop(watched);
    let engine = pipeline.into_engine();
    let drift = drift.map(|drift| drift.write(engine.drift())).transpose()?;
    if let Some(cases) = cases {
        let stage = stages.begin("cases");
        // What is streamed is not read once more for the names in it.
        cases.take(&raised, &done.files, |_| None)?;
        stages.end(stage);
    }
    // All are written: now they take their names.
    let rejects = rejects.map(|rejects| rejects.persist()).transpose()?;
    let alerts = alerts.map(|alerts| alerts.persist()).transpose()?;
    scores.map(|scores| scores.persist()).transpose()?;
    drift.map(|drift| drift.persist()).transpose()?;
    if page {
        // To look payees up, all files would have to be held.
        let payees = page::Payees::default();
        let (model, warm_from) = (engine.model(), engine.warm_from());
        let page = page::Page { alerts: &raised, seen: &seen, model, warm_from, files: &done.files, payees: &payees };
        page::print(&page.text(page::width()))?;
    }
    let (files, errors, notes, key_origin) = (&done.files, &done.errors, &done.notes, &done.key_origin);
    Summary {
        files,
        errors,
        notes,
        meaning: None,
        key_origin,
        engine: &engine,
        stages: &stages,
        seen: &seen,
        rule,
        counts,
        alerts,
        rejects,
    }
    .print();
    // As in the run that holds everything.
    std::mem::forget(engine);
    Ok(())
}
