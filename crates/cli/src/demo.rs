use std::collections::HashMap;
use std::io::{self, BufWriter, Write};

use anyhow::{Context, Result};
use crible::Engine;
use crible_alert::{Alert, Budget, DailyBudget, Decision};
use crible_core::{Timestamp, Truth, Window};
use crible_eval::metrics;
use crible_eval::simulate::{CSV_HEADER, Scenario, Simulation};
use crible_ingest::{Options, Presets};

use crate::args::DemoArgs;
use crate::held::{read, score};
use crate::progress::Stages;
use crate::shown::{FALSE_SHARE, Rule, Shown};

/// A fraud on one account: its kind, and its rows in the file.
#[derive(Debug)]
struct Episode {
    kind: Scenario,
    rows: Vec<u64>,
    last: Timestamp,
}

/// Frauds of one kind on one account that are further apart than this are two.
const APART: Window = Window::WEEK;

/// Simulates, scores and prints: the whole way a real export goes, over a file of its own.
pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    let mut out = io::stdout().lock();
    let simulation = Simulation::builder().accounts(args.accounts).days(args.days).seed(args.seed).build()?;
    let file =
        tempfile::Builder::new().prefix("crible-demo-").suffix(".csv").tempfile().context("cannot make a file")?;
    let (rows, episodes) =
        write(simulation, &mut BufWriter::new(file.as_file())).context("cannot write the population")?;
    let frauds: usize = episodes.iter().map(|episode| episode.rows.len()).sum();
    writeln!(
        out,
        "A simulated population: {} accounts over {} days, {rows} transactions. {frauds} of them belong to {} frauds.\n\
         Nobody tells the detectors which.\n",
        args.accounts,
        args.days,
        episodes.len()
    )?;

    let mut stages = Stages::default();
    let options = Options { presets: Presets::builtin(), ..Options::default() };
    let import = read(&[file.path().to_owned()], &options, &mut stages, &mut |_| {})?;
    let batch = &import.batch;
    let builder = Engine::builder().seed(args.seed);
    let mut shown = Shown::new(Rule::Earned);
    let mut scores = Vec::with_capacity(batch.len());
    let policy = Rule::Earned.policy(DailyBudget::new(Budget::new(100)?));
    score(batch, None, &builder, None, policy, &mut stages, |model, scored, alerts| {
        if let Some(scored) = scored {
            shown.judge(model, scored, batch);
            scores.extend(scored.rows().map(|row| scored.score(row).raw));
        }
        shown.take(alerts);
        Ok(())
    })?;
    let (mut raised, _) = shown.finish();
    let by_row: HashMap<u64, usize> =
        (0..).zip(&episodes).flat_map(|(at, episode)| episode.rows.iter().map(move |row| (*row, at))).collect();
    let episode_of = |alert: &Alert| alert.decision.source.and_then(|source| by_row.get(&source.row)).copied();

    raised.sort_by(|a, b| b.decision.score.raw.total_cmp(&a.decision.score.raw));
    for (i, alert) in raised.iter().take(args.top).enumerate() {
        let Decision { txn, score, severity, reasons, view, .. } = &alert.decision;
        let truth = episode_of(alert).map_or("not fraud".to_owned(), |at| words(episodes[at].kind));
        let looks = view.as_ref().map(|view| format!(", looks like {view}")).unwrap_or_default();
        writeln!(
            out,
            "{:>2}. {}  {} {}  account {}  {severity} (tail {:.1e}){looks}  [{truth}]",
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
    let truth: Vec<bool> = (0..batch.len()).map(|row| batch.truth(row) == Truth::Fraud).collect();
    let caught = raised.iter().filter(|alert| episode_of(alert).is_some()).count();
    let mut found = vec![false; episodes.len()];
    for alert in &raised {
        let rows = alert.payments.iter().filter_map(|payment| payment.source).chain(alert.decision.source);
        rows.filter_map(|source| by_row.get(&source.row)).for_each(|&at| found[at] = true);
    }
    writeln!(
        out,
        "\n{} alerts, as many as leave an expected {:.0} % false, and two a day besides; {caught} of them are on frauds. They found:",
        raised.len(),
        FALSE_SHARE * 100.0
    )?;
    for kind in Scenario::ALL {
        let of_kind = |at: &usize| episodes[*at].kind == kind;
        let all = (0..episodes.len()).filter(of_kind).count();
        let found = (0..episodes.len()).filter(of_kind).filter(|&at| found[at]).count();
        writeln!(out, "  {found:>3} of {all:>3}  {}", words(kind))?;
    }
    writeln!(
        out,
        "Over all transactions: ROC AUC {:.3}, average precision {:.3}.",
        metrics::roc_auc(&scores, &truth)?,
        metrics::average_precision(&scores, &truth)?
    )?;
    let times = stages.done().iter().map(|(name, time)| format!("{name} {:.2} s", time.as_secs_f64()));
    writeln!(out, "{}.", times.collect::<Vec<_>>().join(", "))?;
    writeln!(out, "Score a file of your own: crible score FILE --out alerts.jsonl")?;
    Ok(())
}

/// Writes the population; how many rows it has, and its frauds.
fn write(simulation: Simulation, out: &mut impl Write) -> io::Result<(u64, Vec<Episode>)> {
    let (mut rows, mut episodes, mut line) = (0, Vec::<Episode>::new(), Vec::new());
    let mut latest: HashMap<(u32, Scenario), usize> = HashMap::new();
    writeln!(out, "{CSV_HEADER}")?;
    for row in simulation {
        if let Some(kind) = row.fraud {
            let at = match latest.get(&(row.account, kind)) {
                Some(&at) if row.at.0 - episodes[at].last.0 <= APART.0 => at,
                _ => {
                    episodes.push(Episode { kind, rows: Vec::new(), last: row.at });
                    episodes.len() - 1
                }
            };
            latest.insert((row.account, kind), at);
            episodes[at].rows.push(rows);
            episodes[at].last = row.at;
        }
        line.clear();
        row.write_csv_line(&mut line);
        out.write_all(&line)?;
        rows += 1;
    }
    out.flush()?;
    Ok((rows, episodes))
}

fn words(kind: Scenario) -> String {
    kind.as_str().replace('_', " ")
}
