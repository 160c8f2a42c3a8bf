//! `crible bench --transactions`: the command's own scoring over labelled sets of transactions, and over simulated
//! populations with lookalikes.

mod report;
mod set;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use crible::{Builder, Config, DetectorSpec};
use crible_alert::{Alert, Budget, DailyBudget, Reader};
use crible_eval::panel::{Found, ratio_to_mean};

use crate::args::BenchArgs;
use crate::held::score;
use crate::output;
use crate::page::{Entry, Known};
use crate::progress::{Stage, Stages};
use crate::shown::{Rule, Shown};
use report::{Baseline, Line, Report};
use set::{Place, Set};

/// What single detectors are compared with, over the same columns: an engine with each of them, and all together.
const BASELINES: [&str; 4] = ["isolation_forest", "ecod", "hbos", "sampled_knn"];

/// Columns of the alerts that are printed.
const WIDTH: usize = 80;

/// Left out one after the other with `--without each`.
const EACH: &str = "each";

pub(super) fn run(args: &BenchArgs) -> Result<()> {
    let without = without(args)?;
    let places = places(args)?;
    let inputs: Vec<(&str, &Path)> = places.iter().filter_map(|place| Some(("the set", place.path()?))).collect();
    output::check(&[("--json", args.json.as_deref())], &inputs)?;
    let mut stages = Stages::default();
    let stage = stages.begin("bench");
    let mut report = Report::new(args.seeds, &without);
    for (nth, place) in places.iter().enumerate() {
        let progress =
            Progress { stage: &stage, done: nth * (without.len() + 2), all: places.len() * (without.len() + 2) };
        let done = place.load().and_then(|set| measure(&set, place, args, &without, &mut report, progress));
        done.with_context(|| place.name().to_owned())?;
    }
    stages.end(stage);
    if let Some(path) = &args.json {
        let cannot = || format!("cannot write {}", path.display());
        output::write(path, &serde_json::to_vec_pretty(&report.json())?).with_context(cannot)?;
    }
    print!("{}", report.text());
    Ok(())
}

/// Views to do without: one run for each.
fn without(args: &BenchArgs) -> Result<Vec<String>> {
    let known = Config::known_views();
    if args.without.iter().any(|name| name == EACH) {
        return Ok(known.into_iter().map(str::to_owned).collect());
    }
    if let Some(name) = args.without.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("--without {name}: unknown view; expected `{EACH}` or one of {}", known.join(", "));
    }
    Ok(args.without.clone())
}

/// The sets of the folders that are named and the simulated ones, those asked for.
fn places(args: &BenchArgs) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for folder in &args.tables {
        places.extend(set::of_folder(folder)?);
    }
    places.extend(set::simulated());
    if let Some(name) = args.sets.iter().find(|name| places.iter().all(|place| place.name() != **name)) {
        let names: Vec<&str> = places.iter().map(Place::name).collect();
        bail!("--sets {name}: unknown set; expected some of {}", names.join(", "));
    }
    places.retain(|place| args.sets.is_empty() || args.sets.iter().any(|name| name == place.name()));
    Ok(places)
}

/// How far the bench has come.
#[derive(Clone, Copy)]
struct Progress<'a> {
    stage: &'a Stage,
    done: usize,
    all: usize,
}

impl Progress<'_> {
    fn step(&mut self) {
        self.done += 1;
        self.stage.reach(self.done as u64, self.all as u64);
    }
}

fn measure(
    set: &Set,
    place: &Place,
    args: &BenchArgs,
    without: &[String],
    report: &mut Report,
    mut progress: Progress<'_>,
) -> Result<()> {
    let baselines = match place.baselines()? {
        Some(baselines) => baselines,
        None => baselines(set)?,
    };
    progress.step();
    let usual = variant(set, args, None)?;
    progress.step();
    let mut changed = Vec::new();
    for view in without {
        // Where the feed has nothing for the view, nothing changes.
        let found = match usual.views.contains(view) {
            true => variant(set, args, Some(view))?.found,
            false => usual.found,
        };
        changed.push(found);
        progress.step();
    }
    let alerts_a_day = usual.alerts.len() as f64 / set.days / set.n_accounts as f64 * 1_000.0;
    let known = Known { reader: Reader::Analyst, is_by_day: usual.is_by_day };
    let text = |(number, alert)| Entry::new(alert, &usual.columns, known).masked(number, WIDTH);
    let texts = (1..).zip(usual.alerts.iter().take(args.alerts)).map(text).collect();
    let (name, is_simulated) = (place.name().to_owned(), place.path().is_none());
    let (rows, frauds) = (set.batch.len(), set.judged.truth.iter().filter(|fraud| **fraud).count());
    report.push(Line {
        name,
        is_simulated,
        rows,
        judged: set.rows.len(),
        frauds,
        found: usual.found,
        baselines,
        changed,
        alerts: usual.alerts.len(),
        alerts_a_day,
        texts,
    });
    Ok(())
}

/// What a run of the command found.
struct Run {
    found: Found,
    /// Of the first seed, strangest first.
    alerts: Vec<Alert>,
    columns: Vec<crible_core::Column>,
    views: Vec<String>,
    is_by_day: bool,
}

/// Scores the set as `crible score --fit-until` does, once for each seed.
fn variant(set: &Set, args: &BenchArgs, without: Option<&str>) -> Result<Run> {
    let mut first = None;
    let mut all = Vec::new();
    for seed in 0..args.seeds {
        let builder = Builder::default().seed(seed).without_views(without.as_slice());
        let mut scores = vec![f64::NAN; set.batch.len()];
        let mut shown = Shown::new(Rule::Earned);
        let policy = Rule::Earned.policy(DailyBudget::new(Budget::new(100)?));
        let mut stages = Stages::default();
        let (batch, meaning) = (&set.batch, Some(&set.meaning));
        let engine = score(batch, meaning, &builder, Some(set.at), policy, &mut stages, |model, scored, alerts| {
            if let Some(scored) = scored {
                shown.judge(model, scored, batch);
                scored.rows().for_each(|row| scores[row] = scored.score(row).raw);
            }
            shown.take(alerts);
            Ok(())
        })?;
        all.push(set.found(&scores)?);
        if first.is_none() {
            let (mut alerts, seen) = shown.finish();
            alerts.sort_by(|a, b| b.decision.score.raw.total_cmp(&a.decision.score.raw));
            let model = engine.model();
            let views = model.detectors().map(str::to_owned).collect();
            first = Some((alerts, model.columns().to_vec(), views, seen.is_by_day()));
        }
    }
    let found = Found::mean(&all).context("no seed")?;
    let (alerts, columns, views, is_by_day) = first.context("no seed")?;
    Ok(Run { found, alerts, columns, views, is_by_day })
}

/// The size of a payment, its ratio to what the account paid on average in 30 days, and detectors that see the engine's
/// columns, each alone and as an ensemble.
fn baselines(set: &Set) -> Result<Vec<Baseline>> {
    let batch = &set.batch;
    let amounts: Vec<_> = (0..batch.len()).map(|row| batch.amount(row)).collect();
    let sizes: Vec<f64> = amounts.iter().map(|amount| amount.minor.unsigned_abs() as f64).collect();
    let ratios = ratio_to_mean(batch.times(), &set.numbers, &amounts);
    let mut all = vec![
        Baseline { name: "amount".to_owned(), found: set.found(&sizes)? },
        Baseline { name: "ratio".to_owned(), found: set.found(&ratios)? },
    ];
    let detectors: Vec<DetectorSpec> = BASELINES.into_iter().map(DetectorSpec::new).collect::<Result<_, _>>()?;
    let mut scores = vec![vec![f64::NAN; batch.len()]; detectors.len() + 1];
    let builder = Builder::default().detectors(&detectors);
    let policy = DailyBudget::new(Budget::new(1)?);
    let mut stages = Stages::default();
    let engine = score(batch, None, &builder, Some(set.at), policy, &mut stages, |_, scored, _| {
        let Some(scored) = scored else { return Ok(()) };
        for row in scored.rows() {
            for (scores, own) in scores.iter_mut().zip(scored.detectors(row)) {
                scores[row] = *own;
            }
            if let Some(together) = scores.last_mut() {
                together[row] = scored.score(row).raw;
            }
        }
        Ok(())
    })?;
    let names = engine.model().detectors().map(str::to_owned).chain(["ensemble".to_owned()]);
    for (name, scores) in names.zip(&scores) {
        all.push(Baseline { name, found: set.found(scores)? });
    }
    Ok(all)
}

/// The file of a set in a folder.
fn file_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.csv.gz"))
}
