use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufWriter, Write};

use anyhow::{Context, Result};
use crible::Engine;
use crible_alert::{Alert, Budget, DailyBudget, Decision, Severity};
use crible_core::{Timestamp, Truth, Window};
use crible_eval::metrics;
use crible_eval::simulate::{Scenario, Simulation};
use crible_ingest::{Options, Presets};

use crate::args::DemoArgs;
use crate::held::{read, score};
use crate::progress::Stages;
use crate::shown::{FALSE_SHARE, FreePlaces, Rule, Shown};

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
    let scenarios = if args.scenarios.is_empty() { &Scenario::USUAL[..] } else { &args.scenarios };
    let builder = Simulation::builder().accounts(args.accounts).days(args.days).seed(args.seed);
    let simulation = builder.scenarios(scenarios).build()?;
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
    let (mut raised, seen) = shown.finish();
    let accounts = seen.accounts.len();
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
    writeln!(
        out,
        "\n{} alerts: as many as leave an expected {:.0} % false, and {} besides.",
        raised.len(),
        FALSE_SHARE * 100.0,
        FreePlaces::of(accounts)
    )?;
    write!(out, "{}", Found::new(&raised, &episodes, &by_row).text(scenarios))?;
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
    writeln!(out, "{}", simulation.csv_header())?;
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

/// What the alerts found, and what those that found nothing took for a fraud.
#[derive(Debug, Default)]
struct Found {
    /// By kind of fraud: episodes, those that an alert holds a payment of, and alerts on them.
    kinds: BTreeMap<Scenario, (usize, usize, usize)>,
    /// By what alerts look like: alerts, and those on frauds.
    looks: BTreeMap<String, (usize, usize)>,
    /// The same by severity, the gravest first, and of all.
    severities: BTreeMap<Reverse<Severity>, (usize, usize)>,
    total: (usize, usize),
}

impl Found {
    /// An alert is on a fraud where the payment that it was raised for belongs to one. It has found a fraud where any
    /// payment of its story does.
    fn new(alerts: &[Alert], episodes: &[Episode], by_row: &HashMap<u64, usize>) -> Self {
        let mut found = Self::default();
        let mut is_found = vec![false; episodes.len()];
        let episode = |row: Option<u64>| row.and_then(|row| by_row.get(&row)).copied();
        for alert in alerts {
            let on = episode(alert.decision.source.map(|source| source.row));
            for payment in &alert.payments {
                episode(payment.source.map(|source| source.row)).into_iter().for_each(|at| is_found[at] = true);
            }
            if let Some(at) = on {
                is_found[at] = true;
                found.kinds.entry(episodes[at].kind).or_default().2 += 1;
            }
            let looks = alert.decision.view.as_deref().unwrap_or("nothing in particular");
            let looks = found.looks.entry(looks.to_owned()).or_default();
            let severity = found.severities.entry(Reverse(alert.decision.severity)).or_default();
            for counts in [looks, severity, &mut found.total] {
                counts.0 += 1;
                counts.1 += usize::from(on.is_some());
            }
        }
        for (episode, is_found) in episodes.iter().zip(is_found) {
            let counts = found.kinds.entry(episode.kind).or_default();
            counts.0 += 1;
            counts.1 += usize::from(is_found);
        }
        found
    }

    /// Two tables and their sums.
    fn text(&self, scenarios: &[Scenario]) -> String {
        let share = |part: usize, of: usize| match of {
            0 => "–".to_owned(),
            of => format!("{:.2}", part as f64 / of as f64),
        };
        let mut lines = vec![format!(
            "\n{:<44}  {:>6}  {:>5}  {:>5}  {:>6}",
            "kind of fraud", "frauds", "found", "share", "alerts"
        )];
        let mut sums = (0, 0, 0);
        for kind in scenarios {
            let (all, found, alerts) = self.kinds.get(kind).copied().unwrap_or_default();
            sums = (sums.0 + all, sums.1 + found, sums.2 + alerts);
            let share = share(found, all);
            lines.push(format!("{:<44}  {all:>6}  {found:>5}  {share:>5}  {alerts:>6}", words(*kind)));
        }
        let (all, found, alerts) = sums;
        lines.push(format!("{:<44}  {all:>6}  {found:>5}  {:>5}  {alerts:>6}", "all", share(found, all)));
        lines.push(format!(
            "\n{:<44}  {:>6}  {:>9}  {:>9}",
            "alerts that look like", "alerts", "on frauds", "precision"
        ));
        let mut looks: Vec<_> = self.looks.iter().collect();
        looks.sort_by_key(|(_, (all, _))| std::cmp::Reverse(*all));
        let severities = self.severities.iter().map(|(Reverse(severity), counts)| (severity.to_string(), counts));
        let all = severities.chain([("all".to_owned(), &self.total)]);
        let looks = looks.into_iter().map(|(looks, counts)| (looks.clone(), counts));
        for (looks, (alerts, on)) in looks.chain(all) {
            lines.push(format!("{looks:<44}  {alerts:>6}  {on:>9}  {:>9}", share(*on, *alerts)));
        }
        lines.join("\n") + "\n\n"
    }
}

fn words(kind: Scenario) -> String {
    kind.as_str().replace('_', " ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crible_alert::{Day, ModelId, Payment, Score};
    use crible_core::{Amount, Currency, EntityId, Source, Transaction, TxnId};

    use super::*;

    #[test]
    fn what_was_found_is_counted_by_kind_and_by_look() {
        let alert = |rows: &[u64], looks: &'static str| {
            let of = |row: &u64| Some(Source { file: 0, row: *row });
            let amount = Amount::new(-1, Currency::EUR);
            let account = EntityId::from_pseudorandom(9);
            let txn = Transaction::new(TxnId(rows[0].into()), Timestamp(0), account, amount);
            let score = Score { raw: 9.0, tail: 1e-4 };
            let mut decision = Decision::new(&txn, score, Severity::of(score.tail), &[], ModelId(1));
            (decision.source, decision.view) = (of(&rows[0]), Some(looks.into()));
            let mut alert = Alert::new(Day(0), 1, decision);
            alert.payments =
                rows.iter().map(|row| Payment { id: txn.id, at: txn.at, amount, source: of(row) }).collect();
            alert
        };
        let episode = |kind, rows: &[u64]| Episode { kind, rows: rows.to_vec(), last: Timestamp(0) };
        let episodes = [
            episode(Scenario::CardTesting, &[3, 4]),
            episode(Scenario::CardTesting, &[9]),
            episode(Scenario::BustOut, &[5]),
        ];
        let by_row = HashMap::from([(3, 0), (4, 0), (9, 1), (5, 2)]);
        // The second alert is on an ordinary payment, in a story that has a fraud in it.
        let alerts =
            [alert(&[3, 4], "a test"), alert(&[1, 5], "a test"), alert(&[2], "far away"), alert(&[4], "far away")];
        let found = Found::new(&alerts, &episodes, &by_row);
        assert_eq!(found.kinds[&Scenario::CardTesting], (2, 1, 2));
        assert_eq!(found.kinds[&Scenario::BustOut], (1, 1, 0));
        assert_eq!((found.looks["a test"], found.looks["far away"], found.total), ((2, 1), (2, 1), (4, 2)));
        let text = found.text(&[Scenario::CardTesting, Scenario::BustOut, Scenario::RefundAbuse]);
        let line = |start: &str| {
            text.lines().find(|line| line.starts_with(start)).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("card testing"), "card testing 2 1 0.50 2");
        assert_eq!(line("refund abuse"), "refund abuse 0 0 – 0");
        assert_eq!(line("a test"), "a test 2 1 0.50");
        assert!(text.contains("0.67"), "two of three frauds were found: {text}");
    }
}
