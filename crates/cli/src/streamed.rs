//! `crible score` of files too large to be held: they are read once to count, once to learn and once to score, each time
//! as a stream. The model, the scores and the alerts are those that holding them would give.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Error, Result, bail};
use crible::{Builder, Model};
use crible_alert::{Ranked, Ranker, wire};
use crible_core::{Batch, Source};
use crible_ingest::{Options, Window, stream};
use rayon::prelude::*;

use crate::alerts::{Alerts, Places};
use crate::args::ScoreArgs;
use crate::progress::Stages;
use crate::rejects::Rejects;
use crate::score::{REASONS, Unusable, place};
use crate::scores::Scores;
use crate::summary::Summary;

/// More text than this is not held.
const HELD_BYTES: u64 = 512 << 20;

/// What text a stored byte stands for, about: transactions pack well.
const PACKED: u64 = 8;

/// What an alert needs of its transaction once the day is over.
struct Kept {
    features: Box<[f32]>,
    source: Source,
}

/// The window to stream the files through, where that is what they are to be.
pub(crate) fn window(args: &ScoreArgs) -> Option<Window> {
    match args.hold {
        Some(rows) => Some(Window { rows: rows as usize }),
        None if pipe(args).is_some() => None,
        None => {
            let bytes = args.files.iter().map(|file| text(file)).fold(0, u64::saturating_add);
            (bytes > HELD_BYTES).then(Window::default)
        }
    }
}

/// What can be read only once, where there is such a thing among the inputs.
fn pipe(args: &ScoreArgs) -> Option<&PathBuf> {
    let lasts = |file: &PathBuf| fs::metadata(file).map_or(true, |meta| meta.is_file() || meta.is_dir());
    args.files.iter().find(|file| file.as_os_str() == "-" || !lasts(file))
}

/// The bytes of text in a file, about, or in all files of a folder.
fn text(path: &Path) -> u64 {
    let Ok(meta) = fs::metadata(path) else { return 0 };
    if meta.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let own = entries.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink()));
        return own.map(|entry| text(&entry.path())).fold(0, u64::saturating_add);
    }
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
    let mut scores = args.scores.as_deref().map(Scores::new).transpose()?.map(Scores::run_by_run);
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

    let mut rejects = Rejects::new(args.rejects.clone().unwrap_or(places.rejects));
    let mut counts = [0u64; 4];
    let stage = stages.begin("scoring");
    let progress = |p: crible_ingest::Progress| stage.reach(p.bytes_read, p.bytes_total);
    let mut reject = |reject| rejects.push(&reject);
    let mut stream = stream(&args.files, &options, window, &mut reject, &progress)?;
    let files = stream.files();
    let Some(mut engine) = engine else {
        stream.by_ref().for_each(drop);
        let done = stream.finish();
        return Err(Unusable::new(&done.files, rejects.finish()?).into());
    };
    let mut alerts = Alerts::open(places.alerts)?;
    let mut raise = |model: &Model, closed: Vec<Ranked<Kept>>| {
        for (alert, source) in explain(model, closed) {
            counts[alert.severity as usize] += 1;
            alerts.push(wire::Alert::new(&alert, Some(place(&files, source))))?;
        }
        Ok::<_, Error>(())
    };
    let mut ranker = Ranker::new(args.budget);
    for batch in &mut stream {
        engine.replay(&batch, |model, scored| {
            let kept = |row| Kept { features: scored.features(row), source: batch.source(row) };
            let closed = scored.rank_with(&mut ranker, kept)?;
            if let Some(scores) = &mut scores {
                scores.push(model, scored, &batch, &files)?;
            }
            raise(model, closed)
        })?;
    }
    let done = stream.finish();
    raise(engine.model(), ranker.finish())?;
    let alerts = alerts.finish()?;
    scores.map_or(Ok(()), |scores| scores.finish())?;
    stages.end(stage);
    let rejects = rejects.finish()?;
    let (files, errors, notes, key_origin) = (&done.files, &done.errors, &done.notes, &done.key_origin);
    Summary {
        files,
        errors,
        notes,
        meaning: None,
        key_origin,
        engine: &engine,
        stages: &stages,
        counts,
        alerts,
        rejects,
    }
    .print();
    // As in the run that holds everything.
    std::mem::forget(engine);
    Ok(())
}

fn explain(model: &Model, closed: Vec<Ranked<Kept>>) -> Vec<(crible_alert::Alert, Source)> {
    closed
        .into_par_iter()
        .map(|ranked| {
            let reasons = model.explain(&ranked.txn, &ranked.payload.features, REASONS);
            (ranked.alert(reasons, model.id()), ranked.payload.source)
        })
        .collect()
}
