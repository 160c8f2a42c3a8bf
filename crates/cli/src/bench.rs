//! `crible bench`: every detector on every labelled table.

mod memory;
mod plots;
mod report;
mod transactions;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use crible_eval::bench::{Measured, mean, measure};
use crible_score::encode::Encoder;
use crible_score::{DetectorSpec, model_names};

use crate::args::BenchArgs;
use crate::output;
use crate::progress::{Stage, Stages};
use crate::setup::use_threads;
use crate::table::Table;
use report::{Cell, Report, Shape};

/// What is taken for a table where a folder is named.
const ENDINGS: [&str; 3] = ["parquet", "csv", "npz"];

pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    use_threads(args.threads)?;
    if args.transactions {
        return transactions::run(args);
    }
    settle();
    let detectors: Vec<DetectorSpec> = match args.detectors.as_slice() {
        [] => model_names().map(DetectorSpec::new).collect::<Result<_, _>>()?,
        chosen => chosen.to_vec(),
    };
    let files = files(&args.tables)?;
    let tables: Vec<(&str, &Path)> = files.iter().map(|file| ("the table", file.as_path())).collect();
    output::check(&[("--json", args.json.as_deref())], &tables)?;
    let mut stages = Stages::default();
    let stage = stages.begin("bench");
    let mut report = Report::new(detectors.iter().map(DetectorSpec::to_string).collect(), args.seeds, args.halves);
    for (nth, file) in files.iter().enumerate() {
        let done = Table::read(file)
            .map_err(Into::into)
            .and_then(|t| measure_all(t, &detectors, &mut report, &stage, (nth, files.len())));
        if let Err(error) = done {
            eprintln!("warning: left out: {error:#}");
        }
    }
    stages.end(stage);
    if report.shapes.is_empty() {
        bail!("none of {} file(s) is a table with a column `label` of both kinds", files.len());
    }
    if let Some(path) = &args.json {
        let cannot = || format!("cannot write {}", path.display());
        output::write(path, &serde_json::to_vec_pretty(&report.json())?).with_context(cannot)?;
    }
    if let Some(folder) = &args.plot {
        plots::draw(&report, folder)?;
    }
    print!("{}", report.text());
    Ok(())
}

/// The files named, and those of the folders named, in order.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let cannot = || format!("cannot read the folder {}", path.display());
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).with_context(cannot)? {
            let file = entry.with_context(cannot)?.path();
            if file.extension().and_then(|e| e.to_str()).is_some_and(|e| ENDINGS.contains(&e)) {
                inside.push(file);
            }
        }
        inside.sort();
        files.extend(inside);
    }
    if files.is_empty() {
        bail!("there is no table ending in .parquet, .csv or .npz");
    }
    Ok(files)
}

/// Threads that have just been started may share a processor until the system moves one, which takes longer than some
/// fits do.
#[expect(
    clippy::disallowed_methods,
    reason = "it is real time that the system moves threads by; nothing is computed from it"
)]
fn settle() {
    const ENOUGH: Duration = Duration::from_millis(20);
    let began = Instant::now();
    rayon::broadcast(|_| {
        while began.elapsed() < ENOUGH {
            std::hint::spin_loop();
        }
    });
}

fn measure_all(
    table: Table,
    detectors: &[DetectorSpec],
    report: &mut Report,
    stage: &Stage,
    (nth, of): (usize, usize),
) -> Result<()> {
    let name = table.name();
    let (inputs, anomalies) = table.labelled()?;
    let rows = Encoder::fit(&inputs)?.encode_owned(inputs)?.rows;
    let count = anomalies.iter().filter(|&&anomaly| anomaly).count();
    report.shapes.push(Shape { name, rows: rows.nrows(), columns: rows.ncols(), anomalies: count });
    let all = (of * detectors.len() * report.seeds as usize) as u64;
    for (d, spec) in detectors.iter().enumerate() {
        let mut runs: Vec<Measured> = Vec::new();
        let mut failure = None;
        let memory = memory::Peak::begin();
        for seed in 0..report.seeds {
            let measured = spec
                .build(seed)
                .map_err(Into::into)
                .and_then(|detector| measure(detector.as_ref(), rows.view(), &anomalies));
            match measured {
                Ok(measured) => runs.push(measured),
                Err(error) => failure = Some(error.to_string()),
            }
            let done = (nth * detectors.len() + d) as u64 * report.seeds + seed + 1;
            stage.reach(done, all);
        }
        let peak_bytes = memory.and_then(|memory| memory.end());
        let cell = match (failure, mean(&runs)) {
            (None, Some(measured)) => Ok(Cell { measured, peak_bytes }),
            (failure, _) => Err(failure.unwrap_or_default()),
        };
        report.cells[d].push(cell);
    }
    Ok(())
}
