use std::collections::HashSet;
use std::io::{self, BufWriter, Write};

use anyhow::{Context, Result};
use crible::Engine;
use crible_alert::{Alert, Budget, DailyBudget, Decision};
use crible_core::{Source, Truth};
use crible_eval::metrics;
use crible_eval::simulate::Simulation;
use crible_ingest::{Options, Presets};

use crate::args::DemoArgs;
use crate::held::{read, score};
use crate::progress::Stages;

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
    let mut raised: Vec<Alert> = Vec::new();
    let mut scores = Vec::with_capacity(batch.len());
    let policy = DailyBudget::new(Budget::new(10)?);
    score(batch, None, &builder, None, policy, &mut stages, |_, scored, alerts| {
        raised.extend(alerts);
        scores.extend(scored.into_iter().flat_map(|s| s.rows().map(|row| s.score(row).raw)));
        Ok(())
    })?;
    // The population is one file: what is known of a row is found by its place there.
    let truth: Vec<bool> = (0..batch.len()).map(|row| batch.truth(row) == Truth::Fraud).collect();
    let frauds: HashSet<Source> = (0..batch.len()).filter(|&row| truth[row]).map(|row| batch.source(row)).collect();
    let is_fraud = |alert: &Alert| alert.decision.source.is_some_and(|source| frauds.contains(&source));

    // What was said before enough was observed is of low severity and comes last, whatever its score.
    raised.sort_by(|a, b| {
        let (a, b) = (&a.decision, &b.decision);
        b.severity.cmp(&a.severity).then(b.score.raw.total_cmp(&a.score.raw))
    });
    for (i, alert) in raised.iter().take(args.top).enumerate() {
        let Decision { txn, score, severity, reasons, .. } = &alert.decision;
        let truth = if is_fraud(alert) { "fraud" } else { "not fraud" };
        writeln!(
            out,
            "{:>2}. {}  {} {}  account {}  {severity} (tail {:.1e})  [{truth}]",
            i + 1,
            txn.at,
            txn.amount,
            txn.amount.currency,
            txn.account,
            score.tail
        )?;
        for reason in reasons {
            writeln!(out, "      {reason}")?;
        }
    }
    let caught = raised.iter().filter(|alert| is_fraud(alert)).count();
    close(&mut out, raised.len(), caught, &scores, &truth, &stages)
}

fn close(
    out: &mut impl Write,
    raised: usize,
    caught: usize,
    scores: &[f64],
    truth: &[bool],
    stages: &Stages,
) -> Result<()> {
    writeln!(
        out,
        "\n{raised} alerts at 10 a day, {caught} of them on frauds. Over all transactions: ROC AUC {:.3}, average precision {:.3}.",
        metrics::roc_auc(scores, truth)?,
        metrics::average_precision(scores, truth)?
    )?;
    let times = stages.done().iter().map(|(name, time)| format!("{name} {:.2} s", time.as_secs_f64()));
    writeln!(out, "{}.", times.collect::<Vec<_>>().join(", "))?;
    writeln!(out, "Score a file of your own: crible score FILE --out alerts.jsonl")?;
    Ok(())
}
