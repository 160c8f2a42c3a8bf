//! Splitting, fitting, calibrating.

use ndarray::{Array2, ArrayView2, Axis, ShapeBuilder};
use rayon::prelude::*;

use super::model::{Member, Skipped};
use super::params::Entry;
use super::view::{Evener, HEAVY};
use super::{Combine, Ensemble, EnsembleConfig, FitOn, View, defaults};
use crate::calibration::ScoreTail;
use crate::rows::{TILE, slice_rows};
use crate::{Error, Model, rng};

pub(super) fn fit(config: &EnsembleConfig, rows: ArrayView2<'_, f64>) -> Result<Ensemble, Error> {
    let (fit_rows, reference) = split(config, rows.nrows());
    let defaults = match config.members.is_empty() {
        true => defaults::members(fit_rows.len(), rows.ncols(), config.seed)?,
        false => vec![],
    };
    let entries = if config.members.is_empty() { &defaults } else { &config.members };
    let part = gather(rows, &fit_rows);
    let evener = match entries.iter().any(|e| e.view == View::Even) {
        true => Some(Evener::fit(part.view(), HEAVY)?),
        false => None,
    };
    let seen = Seen { even: evener.as_ref().map(|e| even(e, part.view())), raw: part };

    let mut models: Vec<Option<Result<Box<dyn Model>, Error>>> = entries.iter().map(|_| None).collect();
    fit_some(&mut models, entries, FitOn::All, &seen);
    if entries.iter().any(|e| e.on == FitOn::Usual) {
        let usual = usual(config, &models, entries, &seen).map(|usual| Seen {
            raw: gather(seen.raw.view(), &usual),
            even: seen.even.as_ref().map(|e| gather(e.view(), &usual)),
        });
        fit_some(&mut models, entries, FitOn::Usual, usual.as_ref().unwrap_or(&seen));
    }
    drop(seen);

    let part = gather(rows, &reference);
    let seen = Seen { even: evener.as_ref().map(|e| even(e, part.view())), raw: part };
    let fitted: Vec<Result<(Member, Vec<f64>), Error>> = models
        .into_par_iter()
        .zip(entries)
        .filter_map(|(model, entry)| Some((model?, entry)))
        .map(|(model, entry)| {
            let model = model?;
            let scores = score_all(model.as_ref(), seen.by(entry.view));
            let tail = ScoreTail::fit(&scores)?;
            Ok((Member { model, view: entry.view, tail }, scores))
        })
        .collect();

    let (mut members, mut scores, mut failed) = (vec![], vec![], vec![]);
    for (entry, result) in entries.iter().zip(fitted) {
        match result {
            Ok((member, member_scores)) => {
                members.push(member);
                scores.push(member_scores);
            }
            Err(error) => failed.push((entry.detector.name().to_owned(), error)),
        }
    }
    if members.is_empty() {
        return Err(Error::NoMember(failed));
    }
    let combine =
        config.combine.unwrap_or(if config.members.is_empty() { Combine::UpperMiddle } else { Combine::Mean });
    let combined: Vec<f64> = (0..reference.len())
        .into_par_iter()
        .map_init(Vec::new, |logs, i| {
            logs.clear();
            logs.extend(members.iter().zip(&scores).map(|(member, scores)| member.tail.neg_ln(scores[i])));
            combine.score(logs)
        })
        .collect();
    let skipped = failed.into_iter().map(|(name, error)| Skipped { name, reason: error.to_string() }).collect();
    Ok(Ensemble::new(rows.ncols(), combine, evener, members, ScoreTail::fit(&combined)?, skipped))
}

/// Rows as members see them.
struct Seen {
    raw: Array2<f64>,
    even: Option<Array2<f64>>,
}

impl Seen {
    fn by(&self, view: View) -> ArrayView2<'_, f64> {
        match (view, &self.even) {
            (View::Even, Some(even)) => even.view(),
            _ => self.raw.view(),
        }
    }
}

fn even(evener: &Evener, rows: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut flat = vec![0.0; rows.len()];
    evener.fill(rows, &mut flat);
    // As many numbers as the shape asks for.
    Array2::from_shape_vec(rows.raw_dim().f(), flat).unwrap_or_else(|_| rows.to_owned())
}

/// Fits those entries that are fitted on these rows.
fn fit_some(models: &mut [Option<Result<Box<dyn Model>, Error>>], entries: &[Entry], on: FitOn, seen: &Seen) {
    models.par_iter_mut().zip(entries).filter(|(_, entry)| entry.on == on).for_each(|(model, entry)| {
        *model = Some(entry.detector.fit(seen.by(entry.view)));
    });
}

/// The rows of the fit without those that the models found so far find strangest together, ascending; `None` where
/// no model tells, or none is to be left out.
fn usual(
    config: &EnsembleConfig,
    models: &[Option<Result<Box<dyn Model>, Error>>],
    entries: &[Entry],
    seen: &Seen,
) -> Option<Vec<usize>> {
    let n = seen.raw.nrows();
    let n_strange = (n as f64 * config.trim) as usize;
    let voters: Vec<Vec<f64>> = models
        .par_iter()
        .zip(entries)
        .filter_map(|(model, entry)| {
            let model = model.as_ref()?.as_ref().ok()?;
            let scores = score_all(model.as_ref(), seen.by(entry.view));
            let tail = ScoreTail::fit(&scores).ok()?;
            Some(scores.into_iter().map(|s| tail.neg_ln(s)).collect())
        })
        .collect();
    if voters.is_empty() || n_strange == 0 {
        return None;
    }
    let together: Vec<f64> = (0..n).map(|i| voters.iter().map(|v| v[i]).sum()).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.select_nth_unstable_by(n - n_strange, |&a, &b| together[a].total_cmp(&together[b]).then(a.cmp(&b)));
    order.truncate(n - n_strange);
    order.sort_unstable();
    Some(order)
}

/// Rows to fit on and rows to calibrate on, each ascending, so that memory is read in order.
fn split(config: &EnsembleConfig, n: usize) -> (Vec<usize>, Vec<usize>) {
    let mut rng = rng::stream(config.seed, 0);
    let mut order = if n > config.max_rows {
        rng::sample(&mut rng::stream(config.seed, 1), n, config.max_rows)
    } else {
        (0..n).collect()
    };
    let n = order.len();
    if n < config.split_from {
        return (order.clone(), order);
    }
    let n_reference = ((n as f64 * config.held_out).round() as usize).clamp(1, n - 1);
    for i in (1..n).rev() {
        order.swap(i, rng::below(&mut rng, i + 1));
    }
    let (reference, fit) = order.split_at_mut(n_reference);
    reference.sort_unstable();
    fit.sort_unstable();
    (fit.to_vec(), reference.to_vec())
}

/// The rows named, a column after the other in memory: the order in which most fits read them.
fn gather(rows: ArrayView2<'_, f64>, wanted: &[usize]) -> Array2<f64> {
    let mut out = Array2::zeros((wanted.len(), rows.ncols()).f());
    // In tiles, so that a row's cache lines are still there for its next column.
    for (start, wanted) in wanted.chunks(TILE).enumerate().map(|(i, w)| (i * TILE, w)) {
        for (column, mut to) in rows.axis_iter(Axis(1)).zip(out.axis_iter_mut(Axis(1))) {
            for (i, &row) in wanted.iter().enumerate() {
                to[start + i] = column[row];
            }
        }
    }
    out
}

fn score_all(model: &dyn Model, rows: ArrayView2<'_, f64>) -> Vec<f64> {
    let mut scores = vec![0.0; rows.nrows()];
    scores.par_chunks_mut(TILE).enumerate().for_each(|(i, out)| {
        model.score_block(slice_rows(rows, i * TILE, out.len()), out);
    });
    scores
}
