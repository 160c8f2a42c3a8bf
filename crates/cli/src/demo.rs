use std::io::{self, BufWriter, Write};

use anyhow::{Context, Result};
use crible::Engine;
use crible_alert::Budget;
use crible_core::{Batch, Truth};
use crible_eval::metrics;
use crible_eval::simulate::Simulation;
use crible_ingest::{Options, Presets};

use crate::args::DemoArgs;
use crate::progress::Stages;
use crate::score::{Raised, read, score};

/// Simulates, scores and prints: the whole way a real export goes, over a file of its own.
pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    let mut out = io::stdout().lock();
    let simulation = Simulation::builder().accounts(args.accounts).days(args.days).seed(args.seed).build()?;
    let file =
        tempfile::Builder::new().prefix("crible-demo-").suffix(".csv").tempfile().context("cannot make a file")?;
    let written = simulation.write_csv(&mut BufWriter::new(file.as_file())).context("cannot write the population")?;
    writeln!(
        out,
        "A simulated population: {} accounts over {} days, {} transactions, {} of them fraud.\n\
         Nobody tells the detectors which.\n",
        args.accounts, args.days, written.rows, written.frauds
    )?;

    let mut stages = Stages::default();
    let options = Options { presets: Presets::builtin(), ..Options::default() };
    let import = read(&[file.path().to_owned()], &options, &mut stages, &mut |_| {})?;
    let batch = &import.batch;
    let builder = Engine::builder().seed(args.seed);
    let mut raised: Vec<Raised> = Vec::new();
    let mut scores = Vec::with_capacity(batch.len());
    score(batch, &builder, None, Budget::new(10)?, &mut stages, |_, scored, closed| {
        raised.extend(closed);
        scores.extend(scored.into_iter().flat_map(|s| s.rows().map(|row| s.score(row).raw)));
        Ok(())
    })?;

    raised.sort_by(|a, b| b.alert.score.raw.total_cmp(&a.alert.score.raw));
    for (i, Raised { row, alert }) in raised.iter().take(args.top).enumerate() {
        let truth = if batch.truth(*row) == Truth::Fraud { "fraud" } else { "not fraud" };
        writeln!(
            out,
            "{:>2}. {}  {} {}  account {}  {} (tail {:.1e})  [{truth}]",
            i + 1,
            alert.at,
            alert.amount,
            alert.amount.currency,
            alert.account,
            alert.severity,
            alert.score.tail
        )?;
        for reason in &alert.reasons {
            writeln!(out, "      {}", reason.text)?;
        }
    }
    close(&mut out, batch, &raised, &scores, &stages)
}

fn close(out: &mut impl Write, batch: &Batch, raised: &[Raised], scores: &[f64], stages: &Stages) -> Result<()> {
    let truth: Vec<bool> = (0..batch.len()).map(|row| batch.truth(row) == Truth::Fraud).collect();
    let caught = raised.iter().filter(|r| truth[r.row]).count();
    writeln!(
        out,
        "\n{} alerts at 10 a day, {caught} of them on frauds. Over all transactions: ROC AUC {:.3}, average precision {:.3}.",
        raised.len(),
        metrics::roc_auc(scores, &truth)?,
        metrics::average_precision(scores, &truth)?
    )?;
    let times = stages.done().iter().map(|(name, time)| format!("{name} {:.2} s", time.as_secs_f64()));
    writeln!(out, "{}.", times.collect::<Vec<_>>().join(", "))?;
    writeln!(out, "Score a file of your own: crible score FILE --out alerts.jsonl")?;
    Ok(())
}
