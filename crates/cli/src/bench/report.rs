use std::fmt::Write as _;

use crible_eval::bench::{Half, Halves, Measured, Ranking};
use serde::Serialize;

/// Everything measured.
#[derive(Debug)]
pub(super) struct Report {
    /// The detectors.
    pub(super) names: Vec<String>,
    /// Runs of each on each table, with as many seeds.
    pub(super) seeds: u64,
    /// Random halves to choose and to judge on.
    pub(super) halves: Option<u32>,
    /// The tables.
    pub(super) shapes: Vec<Shape>,
    /// For each detector, for each table: the figures, or why there are none.
    pub(super) cells: Vec<Vec<Result<Cell, String>>>,
}

/// A table, as far as figures have to do with it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) anomalies: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) measured: Measured,
    pub(super) peak_bytes: Option<u64>,
}

/// A detector over all tables it has figures for.
#[derive(Debug, Serialize)]
pub(super) struct Overall {
    pub(super) detector: String,
    pub(super) tables: usize,
    pub(super) roc_auc: f64,
    pub(super) average_precision: f64,
    pub(super) precision_at_n: f64,
    pub(super) fit_seconds: f64,
    pub(super) score_seconds: f64,
    pub(super) peak_bytes: Option<u64>,
}

type Figure = fn(&Measured) -> f64;

/// The figures detectors are ranked by.
pub(super) const FIGURES: [(&str, Figure); 2] =
    [("average_precision", |m| m.average_precision), ("roc_auc", |m| m.roc_auc)];

impl Report {
    pub(super) fn new(names: Vec<String>, seeds: u64, halves: Option<u32>) -> Self {
        let cells = vec![Vec::new(); names.len()];
        Self { names, seeds, halves, shapes: Vec::new(), cells }
    }

    /// What is chosen on random halves and judged on the others, where that was asked for and there are two tables at
    /// least.
    fn halves(&self) -> Option<Halves> {
        let figures: Vec<[Vec<Option<f64>>; 2]> = self
            .cells
            .iter()
            .map(|cells| {
                let of = |figure: Figure| {
                    cells.iter().map(|cell| cell.as_ref().ok().map(|cell| figure(&cell.measured))).collect()
                };
                [of(FIGURES[0].1), of(FIGURES[1].1)]
            })
            .collect();
        Halves::new(&figures, self.halves?, 0)
    }

    pub(super) fn ranking(&self, figure: Figure) -> Option<Ranking> {
        let of = |cell: &Result<Cell, String>| cell.as_ref().ok().map(|cell| figure(&cell.measured));
        let figures: Vec<Vec<Option<f64>>> = self.cells.iter().map(|cells| cells.iter().map(of).collect()).collect();
        Ranking::new(&figures)
    }

    /// Means over the tables a detector did not fail on; none where it failed on all.
    pub(super) fn overall(&self) -> Vec<Overall> {
        let one = |(name, cells): (&String, &Vec<Result<Cell, String>>)| {
            let cells: Vec<&Cell> = cells.iter().flatten().collect();
            let n = cells.len() as f64;
            let mean = |figure: Figure| cells.iter().map(|cell| figure(&cell.measured)).sum::<f64>() / n;
            (!cells.is_empty()).then(|| Overall {
                detector: name.clone(),
                tables: cells.len(),
                roc_auc: mean(|m| m.roc_auc),
                average_precision: mean(|m| m.average_precision),
                precision_at_n: mean(|m| m.precision_at_n),
                fit_seconds: mean(|m| m.fit.as_secs_f64()),
                score_seconds: mean(|m| m.score.as_secs_f64()),
                peak_bytes: cells.iter().filter_map(|cell| cell.peak_bytes).max(),
            })
        };
        self.names.iter().zip(&self.cells).filter_map(one).collect()
    }

    /// For a terminal: detectors, best mean rank first, and what failed.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a string has nothing to fail on.
        let mut line = |text: std::fmt::Arguments<'_>| {
            let _ = writeln!(out, "{text}");
        };
        let width = self.names.iter().map(String::len).max().unwrap_or(0).max("detector".len());
        let ranking = self.ranking(FIGURES[0].1);
        let rank = |name: &str| {
            let ranked = ranking.iter().flat_map(|r| &r.ranked).find(|r| self.names[r.detector] == name);
            ranked.map(|r| r.mean_rank)
        };
        let mut overall = self.overall();
        overall.sort_by(|a, b| {
            let key = |o: &Overall| rank(&o.detector).unwrap_or(f64::INFINITY);
            key(a).total_cmp(&key(b)).then(b.average_precision.total_cmp(&a.average_precision))
        });
        line(format_args!(
            "{:<width$}  {:>6}  {:>7}  {:>7}  {:>7}  {:>9}  {:>9}  {:>8}  {:>6}",
            "detector", "rank", "ROC AUC", "AP", "P@n", "fit s", "score s", "peak MiB", "tables"
        ));
        for o in &overall {
            let rank = rank(&o.detector).map_or("–".to_owned(), |rank| format!("{rank:.2}"));
            let peak = o.peak_bytes.map_or("–".to_owned(), |bytes| format!("{:.0}", bytes as f64 / 1_048_576.0));
            line(format_args!(
                "{:<width$}  {rank:>6}  {:>7.4}  {:>7.4}  {:>7.4}  {:>9.4}  {:>9.4}  {peak:>8}  {:>6}",
                o.detector, o.roc_auc, o.average_precision, o.precision_at_n, o.fit_seconds, o.score_seconds, o.tables
            ));
        }
        if let Some(ranking) = &ranking {
            line(format_args!(
                "\nRanks are means over {} tables, by average precision. Friedman's χ² is {:.2} (p = {:.2e}); mean ranks more \
                 than {:.2} apart differ at the 5 % level (Nemenyi).",
                ranking.tables, ranking.chi_squared, ranking.p_value, ranking.critical_difference
            ));
        }
        if let Some(halves) = self.halves() {
            line(format_args!(
                "\n{} random halves of {} tables. On one half the detector with the best AP is chosen, the other half \
                 judges:",
                halves.splits, halves.tables
            ));
            line(format_args!(
                "{:<width$}  {:>7}  {:>7}  {:>18}",
                "on the other half", "ROC AUC", "AP", "chosen ahead in"
            ));
            let chosen = format!("{:>7.4}  {:>7.4}", halves.chosen.roc_auc, halves.chosen.average_precision);
            line(format_args!("{:<width$}  {chosen}", "what was chosen"));
            for (name, other) in self.names.iter().zip(&halves.detectors) {
                let Some(other) = other else { continue };
                let mean = format!("{:>7.4}  {:>7.4}", other.mean.roc_auc, other.mean.average_precision);
                line(format_args!(
                    "{name:<width$}  {mean}  {:>3} AUC, {:>3} AP; chosen {} times",
                    other.behind.0, other.behind.1, other.times_chosen
                ));
            }
        }
        for (name, cells) in self.names.iter().zip(&self.cells) {
            for (shape, cell) in self.shapes.iter().zip(cells) {
                if let Err(reason) = cell {
                    line(format_args!("failed: {name} on {}: {reason}", shape.name));
                }
            }
        }
        out
    }

    /// For machines.
    pub(super) fn json(&self) -> Json<'_> {
        let mut results = Vec::new();
        for (name, cells) in self.names.iter().zip(&self.cells) {
            for (shape, cell) in self.shapes.iter().zip(cells) {
                let measured = cell.as_ref().ok().map(|cell| cell.measured);
                results.push(JsonCell {
                    detector: name,
                    table: &shape.name,
                    roc_auc: measured.map(|m| m.roc_auc),
                    average_precision: measured.map(|m| m.average_precision),
                    precision_at_n: measured.map(|m| m.precision_at_n),
                    fit_seconds: measured.map(|m| m.fit.as_secs_f64()),
                    score_seconds: measured.map(|m| m.score.as_secs_f64()),
                    peak_bytes: cell.as_ref().ok().and_then(|cell| cell.peak_bytes),
                    error: cell.as_ref().err().map(String::as_str),
                });
            }
        }
        let rankings = FIGURES.into_iter().filter_map(|(by, figure)| {
            let ranking = self.ranking(figure)?;
            let ranks = ranking.ranked.iter().map(|r| JsonRank {
                detector: &self.names[r.detector],
                mean_rank: r.mean_rank,
                mean: r.mean,
            });
            Some(JsonRanking {
                by,
                tables: ranking.tables,
                chi_squared: ranking.chi_squared,
                p_value: ranking.p_value,
                critical_difference: ranking.critical_difference,
                ranks: ranks.collect(),
            })
        });
        Json {
            version: 1,
            crible: env!("CARGO_PKG_VERSION"),
            threads: rayon::current_num_threads(),
            seeds: self.seeds,
            tables: &self.shapes,
            results,
            overall: self.overall(),
            rankings: rankings.collect(),
            halves: self.halves().map(|halves| JsonHalves::new(&halves, &self.names)),
        }
    }
}

/// The report's wire form. Its version changes with the meaning of a field.
#[derive(Debug, Serialize)]
pub(super) struct Json<'a> {
    version: u32,
    crible: &'static str,
    threads: usize,
    seeds: u64,
    tables: &'a [Shape],
    results: Vec<JsonCell<'a>>,
    overall: Vec<Overall>,
    rankings: Vec<JsonRanking<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    halves: Option<JsonHalves<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonHalves<'a> {
    splits: u32,
    tables: usize,
    /// On the half that was not chosen on.
    chosen_roc_auc: f64,
    chosen_average_precision: f64,
    detectors: Vec<JsonHalf<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonHalf<'a> {
    detector: &'a str,
    times_chosen: u32,
    roc_auc: f64,
    average_precision: f64,
    /// On how many other halves what was chosen is ahead of it.
    behind_in_roc_auc: u32,
    behind_in_average_precision: u32,
}

impl<'a> JsonHalves<'a> {
    fn new(halves: &Halves, names: &'a [String]) -> Self {
        let half = |(name, half): (&'a String, &Option<Half>)| {
            half.map(|half| JsonHalf {
                detector: name,
                times_chosen: half.times_chosen,
                roc_auc: half.mean.roc_auc,
                average_precision: half.mean.average_precision,
                behind_in_roc_auc: half.behind.0,
                behind_in_average_precision: half.behind.1,
            })
        };
        Self {
            splits: halves.splits,
            tables: halves.tables,
            chosen_roc_auc: halves.chosen.roc_auc,
            chosen_average_precision: halves.chosen.average_precision,
            detectors: names.iter().zip(&halves.detectors).filter_map(half).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct JsonCell<'a> {
    detector: &'a str,
    table: &'a str,
    roc_auc: Option<f64>,
    average_precision: Option<f64>,
    precision_at_n: Option<f64>,
    fit_seconds: Option<f64>,
    score_seconds: Option<f64>,
    peak_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct JsonRanking<'a> {
    by: &'static str,
    tables: usize,
    chi_squared: f64,
    p_value: f64,
    critical_difference: f64,
    ranks: Vec<JsonRank<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonRank<'a> {
    detector: &'a str,
    mean_rank: f64,
    mean: f64,
}
