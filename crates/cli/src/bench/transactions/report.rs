use std::fmt::Write as _;

use crible_eval::panel::Found;
use serde::Serialize;

/// What was measured on a set.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) is_simulated: bool,
    /// Rows, those that are judged, and the frauds among these.
    pub(super) rows: usize,
    pub(super) judged: usize,
    pub(super) frauds: usize,
    pub(super) found: Found,
    pub(super) baselines: Vec<Baseline>,
    /// Without each of the views that were named.
    pub(super) changed: Vec<Found>,
    pub(super) alerts: usize,
    /// For each day and 1,000 accounts.
    pub(super) alerts_a_day: f64,
    /// The first alerts as a person reads them.
    pub(super) texts: Vec<String>,
}

/// Another way to rank the same rows.
#[derive(Clone, Debug)]
pub(super) struct Baseline {
    pub(super) name: String,
    pub(super) found: Found,
}

/// Everything measured.
#[derive(Debug)]
pub(super) struct Report {
    seeds: u64,
    without: Vec<String>,
    lines: Vec<Line>,
}

impl Line {
    /// Of the baselines the one with the highest average precision.
    fn best(&self) -> Option<&Baseline> {
        self.baselines.iter().max_by(|a, b| a.found.average_precision.total_cmp(&b.found.average_precision))
    }

    fn ratio(&self, found: Found) -> Option<f64> {
        Some(found.average_precision / self.best()?.found.average_precision)
    }
}

/// Means over some sets, and the ratios to each one's best baseline.
#[derive(Clone, Copy, Debug)]
struct Overall {
    found: Found,
    worst: f64,
    geometric: f64,
}

impl Overall {
    fn of<'a>(lines: impl Iterator<Item = (&'a Line, Found)> + Clone) -> Option<Self> {
        let found: Vec<Found> = lines.clone().map(|(_, found)| found).collect();
        let ratios: Vec<f64> = lines.filter_map(|(line, found)| line.ratio(found)).collect();
        let worst = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let geometric = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
        Found::mean(&found).map(|found| Self { found, worst, geometric })
    }

    fn text(&self) -> String {
        format!("{}  worst ratio {:.3}  geometric {:.3}", figures(self.found), self.worst, self.geometric)
    }
}

fn figures(found: Found) -> String {
    format!("{:>7.4} {:>7.4} {:>7.4}", found.roc_auc, found.average_precision, found.recall)
}

impl Report {
    pub(super) fn new(seeds: u64, without: &[String]) -> Self {
        Self { seeds, without: without.to_vec(), lines: Vec::new() }
    }

    pub(super) fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// The sets of one kind with what was found on them, where there are any.
    fn overall(&self, is_simulated: bool, found: impl Fn(&Line) -> Found + Clone) -> Option<Overall> {
        let lines = self.lines.iter().filter(move |line| line.is_simulated == is_simulated);
        Overall::of(lines.map(move |line| (line, found(line))))
    }

    /// For a terminal.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a string has nothing to fail on.
        let mut line = |text: std::fmt::Arguments<'_>| {
            let _ = writeln!(out, "{text}");
        };
        let names = self.lines.iter().map(|line| line.name.len()).chain(self.without.iter().map(|name| name.len() + 2));
        let width = names.max().unwrap_or(0).max("mean, simulated".len());
        line(format_args!(
            "{:<width$} {:>7} {:>7} {:>7}  {:>6}  {:<28} {:>9}",
            "set", "ROC AUC", "AP", "recall", "ratio", "best baseline: AP", "alerts"
        ));
        for set in &self.lines {
            let best = set.best().map(|best| format!("{} {:.4}", best.name, best.found.average_precision));
            let ratio = set.ratio(set.found).map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
            line(format_args!(
                "{:<width$} {}  {ratio:>6}  {:<28} {:>9.2}",
                set.name,
                figures(set.found),
                best.unwrap_or_default(),
                set.alerts_a_day
            ));
        }
        for (name, is_simulated) in [("mean", false), ("mean, simulated", true)] {
            if let Some(overall) = self.overall(is_simulated, |line| line.found) {
                line(format_args!("{name:<width$} {}", overall.text()));
            }
        }
        line(format_args!(
            "\nLearned before a day near 70 % of each set, judged after it. Recall: accounts with frauds found by looking \
             at one account a day for every 200. Ratio: AP over that of the best baseline. Alerts: for each day and 1,000 \
             accounts."
        ));
        if !self.without.is_empty() {
            line(format_args!("\n{:<width$} {:>7} {:>7} {:>7}", "without", "ROC AUC", "AP", "recall"));
            for is_simulated in [false, true] {
                for (at, view) in self.without.iter().enumerate() {
                    if let Some(overall) = self.overall(is_simulated, |line| line.changed[at]) {
                        let kind = if is_simulated { ", simulated" } else { "" };
                        line(format_args!("{:<width$} {}{kind}", format!("− {view}"), overall.text()));
                        let sets = self.lines.iter().filter(|line| line.is_simulated == is_simulated);
                        let each = sets.map(|line| format!("{:.4}", line.changed[at].average_precision));
                        line(format_args!("{:<width$}   AP {}", "", each.collect::<Vec<_>>().join(" ")));
                    }
                }
            }
        }
        for set in self.lines.iter().filter(|set| !set.texts.is_empty()) {
            line(format_args!("\n{}: {} alerts, the first of them", set.name, set.alerts));
            set.texts.iter().for_each(|text| line(format_args!("\n{}", text.trim_end())));
        }
        out
    }

    /// For machines.
    pub(super) fn json(&self) -> Json<'_> {
        let overall = |is_simulated, at: Option<usize>| {
            let found = move |line: &Line| at.map_or(line.found, |at| line.changed[at]);
            self.overall(is_simulated, found).map(|overall| JsonOverall {
                found: overall.found.into(),
                worst_ratio: overall.worst,
                geometric_ratio: overall.geometric,
            })
        };
        let without = |at: usize| JsonWithout {
            view: &self.without[at],
            overall: overall(false, Some(at)),
            simulated: overall(true, Some(at)),
        };
        let set = |line: &'_ Line| JsonSet {
            name: line.name.clone(),
            simulated: line.is_simulated,
            rows: line.rows,
            judged: line.judged,
            frauds: line.frauds,
            found: line.found.into(),
            ratio: line.ratio(line.found),
            baselines: line.baselines.iter().map(JsonBaseline::of).collect(),
            without: line.changed.iter().map(|found| (*found).into()).collect(),
            alerts: line.alerts,
            alerts_per_day_and_1000_accounts: line.alerts_a_day,
        };
        Json {
            version: 1,
            crible: env!("CARGO_PKG_VERSION"),
            seeds: self.seeds,
            sets: self.lines.iter().map(set).collect(),
            overall: overall(false, None),
            simulated: overall(true, None),
            without: (0..self.without.len()).map(without).collect(),
        }
    }
}

/// The report's wire form. Its version changes with the meaning of a field.
#[derive(Debug, Serialize)]
pub(super) struct Json<'a> {
    version: u32,
    crible: &'static str,
    seeds: u64,
    sets: Vec<JsonSet>,
    overall: Option<JsonOverall>,
    simulated: Option<JsonOverall>,
    without: Vec<JsonWithout<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonFound {
    roc_auc: f64,
    average_precision: f64,
    recall: f64,
}

impl From<Found> for JsonFound {
    fn from(Found { roc_auc, average_precision, recall }: Found) -> Self {
        Self { roc_auc, average_precision, recall }
    }
}

#[derive(Debug, Serialize)]
struct JsonBaseline {
    name: String,
    #[serde(flatten)]
    found: JsonFound,
}

impl JsonBaseline {
    fn of(baseline: &Baseline) -> Self {
        Self { name: baseline.name.clone(), found: baseline.found.into() }
    }
}

#[derive(Debug, Serialize)]
struct JsonSet {
    name: String,
    simulated: bool,
    rows: usize,
    judged: usize,
    frauds: usize,
    #[serde(flatten)]
    found: JsonFound,
    ratio: Option<f64>,
    baselines: Vec<JsonBaseline>,
    /// In the order of the views of `without`.
    without: Vec<JsonFound>,
    alerts: usize,
    alerts_per_day_and_1000_accounts: f64,
}

#[derive(Debug, Serialize)]
struct JsonOverall {
    #[serde(flatten)]
    found: JsonFound,
    worst_ratio: f64,
    geometric_ratio: f64,
}

#[derive(Debug, Serialize)]
struct JsonWithout<'a> {
    view: &'a str,
    overall: Option<JsonOverall>,
    simulated: Option<JsonOverall>,
}
