//! `crible score` of files too large to be held: they are read once to count, once to learn and once to score, each time
//! as a stream. The model, the scores and the alerts are those that holding them would give.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Error, Result, bail};
use crible::{Builder, Pipeline};
use crible_alert::DailyBudget;
use crible_core::Batch;
use crible_ingest::{Options, Window, stream};

use crate::alerts::Alerts;
use crate::args::ScoreArgs;
use crate::drift::DriftFile;
use crate::intake::CaseStore;
use crate::page;
use crate::places::Places;
use crate::progress::Stages;
use crate::rejects::Rejects;
use crate::scores::Scores;
use crate::shown::Shown;
use crate::summary::Summary;
use crate::unusable::Unusable;

/// More text than this is not held.
const HELD_BYTES: u64 = 512 << 20;

/// What text a stored byte stands for, about: transactions pack well.
const PACKED: u64 = 8;

/// The window to stream the files through, where that is what they are to be.
pub(crate) fn window(args: &ScoreArgs) -> Option<Window> {
    match args.hold {
        Some(rows) => Some(Window { rows: rows as usize }),
        None if pipe(args).is_some() => None,
        None => {
            let bytes = crible_ingest::files(&args.files).iter().map(|file| text(file)).fold(0, u64::saturating_add);
            (bytes > HELD_BYTES).then(Window::default)
        }
    }
}

/// What can be read only once, where there is such a thing among the inputs. A name that leads nowhere may be a pattern.
fn pipe(args: &ScoreArgs) -> Option<&PathBuf> {
    let lasts = |file: &PathBuf| fs::metadata(file).map_or(true, |meta| meta.is_file() || meta.is_dir());
    args.files.iter().find(|file| file.as_os_str() == "-" || !lasts(file))
}

/// The bytes of text in a file, about.
fn text(path: &Path) -> u64 {
    let Ok(meta) = fs::metadata(path) else { return 0 };
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz" | "zst" | "zip" | "parquet" | "xlsx") => meta.len().saturating_mul(PACKED),
        _ => meta.len(),
    }
}

pub(crate) fn run(
    args: &ScoreArgs,
    builder: &Builder,
    mut options: Options,
    window: Window,
    mut stages: Stages,
    places: Places,
) -> Result<()> {
    if let Some(pipe) = pipe(args) {
        bail!("--hold: {} can be read once, and a stream is read three times; expected files", pipe.display());
    }
    let cases = CaseStore::open(&args.store, &args.notify)?;
    let mut scores = args.scores.as_deref().map(Scores::new).transpose()?.map(Scores::run_by_run);
    let drift = args.drift.as_deref().map(DriftFile::new).transpose()?;
    let mut names = ["counting", "learning"].into_iter();
    let mut any = true;
    let engine = builder.fit_passes(
        args.learn.fit_until,
        |visit: &mut dyn FnMut(&Batch) -> Result<ControlFlow<()>, crible::Error>| {
            let stage = stages.begin(names.next().unwrap_or("reading"));
            let (mut ignore, progress) =
                (|_| {}, |p: crible_ingest::Progress| stage.reach(p.bytes_read, p.bytes_total));
            let mut stream = stream(&args.files, &options, window, &mut ignore, &progress)?;
            let key = stream.key().clone();
            any = false;
            for batch in &mut stream {
                any = true;
                if visit(&batch)?.is_break() {
                    break;
                }
            }
            drop(stream);
            // The next pass need not make it again.
            options.key = Some(key);
            stages.end(stage);
            Ok::<_, Error>(())
        },
    );
    // Files that hold no transaction teach nothing. What they do hold is told by reading them once more.
    let engine = match engine {
        Err(_) if !any => None,
        engine => Some(engine?),
    };

    let mut rejects = Rejects::new(places.rejects);
    let stage = stages.begin("scoring");
    let progress = |p: crible_ingest::Progress| stage.reach(p.bytes_read, p.bytes_total);
    let mut reject = |reject| rejects.push(&reject);
    let mut stream = stream(&args.files, &options, window, &mut reject, &progress)?;
    let files = stream.files();
    let Some(engine) = engine else {
        stream.by_ref().for_each(drop);
        let done = stream.finish();
        let rejects = rejects.finish()?.map(|rejects| rejects.persist()).transpose()?;
        return Err(Unusable::new(&done.files, rejects).into());
    };
    let page = page::is_wanted(&places.alerts);
    let mut alerts = Alerts::open(places.alerts)?;
    let rule = args.rule();
    let mut shown = Shown::new(rule);
    let mut pipeline = Pipeline::new(engine, rule.policy(DailyBudget::new(args.budget)));
    for batch in &mut stream {
        pipeline.replay(&batch, None, |model, scored, raised| {
            if let Some(scores) = &mut scores {
                scores.push(model, scored, &batch, &files)?;
            }
            shown.judge(model, scored, &batch);
            shown.take(raised);
            Ok::<_, Error>(())
        })?;
    }
    let done = stream.finish();
    shown.take(pipeline.finish());
    let (raised, seen) = shown.finish();
    match page {
        true => alerts.count(&raised),
        false => alerts.take(&raised, &files)?,
    }
    let (alerts, counts) = alerts.finish()?;
    let scores = scores.map_or(Ok(None), |scores| scores.finish())?;
    let rejects = rejects.finish()?;
    stages.end(stage);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    /// Files too large to be held are streamed however they are named: one by one, by folder, or by a pattern no shell expanded.
    #[test]
    fn large_files_are_streamed_however_they_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let window = |name: &str| {
            let name = folder.path().join(name);
            match Args::try_parse_from([Path::new("crible"), Path::new("score"), &name]).unwrap().command {
                Command::Score(args) => window(&args),
                _ => None,
            }
        };
        fs::write(folder.path().join("small.csv"), "a").unwrap();
        assert!(window("*.csv").is_none() && window("").is_none());
        // It has the length without taking the room.
        fs::File::create(folder.path().join("large.csv")).unwrap().set_len(HELD_BYTES).unwrap();
        for name in ["large.csv", "", "*.csv", "l?rge.csv", "[kl]arge.csv"] {
            assert!(window(name).is_some() == (name != "large.csv" && !name.contains(['?', '['])), "{name}");
        }
        fs::File::options()
            .append(true)
            .open(folder.path().join("large.csv"))
            .unwrap()
            .set_len(HELD_BYTES + 1)
            .unwrap();
        for name in ["large.csv", "", "*.csv", "l?rge.csv", "[kl]arge.csv"] {
            assert!(window(name).is_some(), "{name}");
        }
    }
}
