use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};
use crible::{Builder, Engine, Model};
use crible_alert::{Alert, Budget, Ranked, Ranker, Severity, wire};
use crible_core::{Batch, Source, Timestamp, Undo};
use crible_ingest::{FileReport, Import, Key, Mapping, Options, Owner, Presets};

use crate::alerts::{Alerts, Places};
use crate::args::{ReadArgs, ScoreArgs};
use crate::progress::{Stage, Stages};
use crate::rejects::Rejects;
use crate::scores::Scores;
use crate::streamed;
use crate::summary::Summary;

/// Reasons an alert gives.
pub(crate) const REASONS: usize = 3;

/// The files were read, and held nothing to score.
#[derive(Debug, thiserror::Error)]
#[error("no transaction could be read from {files} file(s): {rejected} of {read} rows were rejected{}", Where(.rejects))]
pub(crate) struct Unusable {
    files: usize,
    read: u64,
    rejected: u64,
    rejects: Option<PathBuf>,
}

impl Unusable {
    pub(crate) fn new(files: &[FileReport], rejects: Option<PathBuf>) -> Self {
        let sum = |count: fn(&FileReport) -> u64| files.iter().map(count).sum();
        Self { files: files.len(), read: sum(|f| f.read), rejected: sum(|f| f.rejected), rejects }
    }
}

struct Where<'a>(&'a Option<PathBuf>);

impl std::fmt::Display for Where<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(path) => write!(f, ", see {}", path.display()),
            None => Ok(()),
        }
    }
}

pub(crate) fn run(args: &ScoreArgs) -> Result<()> {
    use_threads(args.learn.threads)?;
    // Before anything is read or written: a long run should not end in a misspelt name.
    let builder = args.learn.builder()?;
    let places = Places::of(args.out.as_deref())?;
    let options = Options { ahead: builder.config().state.ahead, ..options(&args.read)? };
    let mut stages = Stages::default();
    if let Some(window) = streamed::window(args) {
        return streamed::run(args, &builder, options, window, stages, places);
    }
    let mut scores = args.scores.as_deref().map(Scores::new).transpose()?;

    let mut rejects = Rejects::new(args.rejects.clone().unwrap_or(places.rejects));
    let import = read(&args.files, &options, &mut stages, &mut |reject| rejects.push(&reject))?;
    let rejects = rejects.finish()?;
    if import.batch.is_empty() {
        return Err(Unusable::new(&import.files, rejects).into());
    }

    let mut alerts = Alerts::open(places.alerts)?;
    let mut counts = [0u64; 4];
    let engine =
        score(&import.batch, &builder, args.learn.fit_until, args.budget, &mut stages, |model, scored, closed| {
            if let (Some(scores), Some(scored)) = (&mut scores, scored) {
                scores.push(model, scored);
            }
            for alert in closed {
                counts[alert.alert.severity as usize] += 1;
                let source = place(&import.files, import.batch.source(alert.row));
                let alert =
                    wire::Alert { note: later(&import, alert.row), ..wire::Alert::new(&alert.alert, Some(source)) };
                alerts.push(alert)?;
            }
            Ok(())
        })?;
    let alerts = alerts.finish()?;
    if let Some(scores) = scores {
        let stage = stages.begin("scores");
        scores.write(engine.model(), &import.batch, &import.files)?;
        stages.end(stage);
    }
    let Import { files, errors, notes, meaning, key_origin, .. } = &import;
    let meaning = Some(meaning);
    Summary { files, errors, notes, meaning, key_origin, engine: &engine, stages: &stages, counts, alerts, rejects }
        .print();
    // The process ends here, and the system takes memory back faster than it is handed back piece by piece.
    std::mem::forget((import, engine));
    Ok(())
}

/// Where a transaction was read, for an alert.
pub(crate) fn place(files: &[FileReport], source: Source) -> wire::Source {
    let report = &files[source.file as usize];
    wire::Source { feed: report.feed.clone(), file: report.shown.clone(), row: source.row }
}

/// What became of a transaction later.
fn later(import: &Import, row: usize) -> Option<String> {
    let undone = import.meaning.undone(row)?;
    let how = match undone.how {
        Undo::Reversal => "reversed",
        Undo::Refund => "refunded",
    };
    let (year, month, day) = import.batch.times()[undone.by as usize].civil_date();
    Some(format!("{how} on {year:04}-{month:02}-{day:02}"))
}

/// Lets the pool that everything runs in have so many threads, or one for each processor. The one that asks is one of them: were
/// there another beside them, they would get in each other's way whenever work is handed over.
pub(crate) fn use_threads(threads: Option<u16>) -> Result<()> {
    let threads = threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread();
    pool.build_global().context("cannot start threads")
}

pub(crate) fn options(args: &ReadArgs) -> Result<Options> {
    let map = match &args.map {
        Some(map) if map.contains('=') => Some(Mapping::parse(map).context("--map")?),
        Some(file) => Some(Mapping::from_file(Path::new(file)).context("--map")?),
        None => None,
    };
    let key = match (&args.key_file, env::var("CRIBLE_KEY")) {
        (Some(file), _) => Some(Key::from_file(file).context("--key-file")?),
        (None, Ok(text)) => Some(Key::from_text(&text).context("CRIBLE_KEY")?),
        (None, Err(env::VarError::NotPresent)) => None,
        (None, Err(error)) => return Err(Error::new(error).context("CRIBLE_KEY")),
    };
    let presets = presets(args.presets.as_deref())?;
    let account = args.account.as_ref().map(|name| match name.as_str() {
        "@folder" => Owner::Folder,
        name => Owner::Named(name.to_owned()),
    });
    Ok(Options { feed: args.feed.clone(), map, key, presets, account, ..Options::default() })
}

/// Those built in, and the user's own from the folder named here or in the environment.
pub(crate) fn presets(folder: Option<&Path>) -> Result<Presets> {
    let named = env::var_os("CRIBLE_PRESETS").filter(|folder| !folder.is_empty());
    match (folder, named) {
        (Some(folder), _) => Presets::builtin().with_folder(folder).context("--presets"),
        (None, Some(folder)) => Presets::builtin().with_folder(Path::new(&folder)).context("CRIBLE_PRESETS"),
        (None, None) => Ok(Presets::builtin()),
    }
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

/// An alert, and the row of the batch it is about.
pub(crate) struct Raised {
    pub(crate) row: usize,
    pub(crate) alert: Alert,
}

/// Learns, scores, ranks and explains. `take` is handed each run of scored transactions with the alerts of the days that
/// closed with it, and at the end, without a run, those of the last day.
pub(crate) fn score(
    batch: &Batch,
    builder: &Builder,
    fit_until: Option<Timestamp>,
    budget: Budget,
    stages: &mut Stages,
    mut take: impl FnMut(&Model, Option<&crible::Scored<'_>>, Vec<Raised>) -> Result<()>,
) -> Result<Engine> {
    let mut ranker = Ranker::new(budget);
    let mut fitting: Option<Stage> = Some(stages.begin("learning"));
    let mut scoring: Option<Stage> = None;
    let engine = builder.fit_replay(batch, fit_until, |model, scored| {
        if let Some(stage) = fitting.take() {
            stages.end(stage);
            scoring = Some(stages.begin("scoring"));
        }
        let closed = scored.rank(&mut ranker)?;
        if let Some(stage) = &scoring {
            stage.reach(scored.rows().end as u64, batch.len() as u64);
        }
        take(model, Some(scored), raise(batch, model, closed))
    });
    let engine = engine?;
    take(engine.model(), None, raise(batch, engine.model(), ranker.finish()))?;
    if let Some(stage) = scoring {
        stages.end(stage);
    }
    Ok(engine)
}

fn raise(batch: &Batch, model: &Model, closed: Vec<Ranked<Box<[f32]>>>) -> Vec<Raised> {
    use rayon::prelude::*;
    closed
        .into_par_iter()
        .map(|ranked| {
            let reasons = model.explain(&ranked.txn, &ranked.payload, REASONS);
            Raised { row: row_of(batch, &ranked.txn), alert: ranked.alert(reasons, model.id()) }
        })
        .collect()
}

/// The row of a batch a transaction stands in.
fn row_of(batch: &Batch, txn: &crible_core::Transaction) -> usize {
    let first = batch.rows_before(txn.at);
    let same = batch.times()[first..].partition_point(|&at: &Timestamp| at == txn.at);
    first + batch.ids()[first..first + same].iter().position(|id| *id == txn.id).unwrap_or(0)
}

/// Severities from the gravest down, with the place each is counted at.
pub(crate) const SEVERITIES: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];
