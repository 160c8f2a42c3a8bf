//! Splitting, fitting, calibrating.

use ndarray::{Array2, ArrayView2, Axis, ShapeBuilder};
use rayon::prelude::*;

use super::model::{Member, Skipped};
use super::{Combine, Ensemble, EnsembleConfig};
use crate::calibration::Tail;
use crate::rows::TILE;
use crate::{Error, Model, rng};

pub(super) fn fit(config: &EnsembleConfig, rows: ArrayView2<'_, f64>) -> Result<Ensemble, Error> {
    let (fit_rows, reference) = split(config, rows.nrows());
    let fit_part = gather(rows, &fit_rows);
    let fitted: Vec<Result<(Member, Vec<f64>), Error>> = config
        .members
        .par_iter()
        .map(|detector| {
            let model = detector.fit(fit_part.view())?;
            let scores = score_some(model.as_ref(), rows, &reference);
            let tail = Tail::fit(&scores)?;
            Ok((Member { model, tail }, scores))
        })
        .collect();

    let (mut members, mut scores, mut failed) = (vec![], vec![], vec![]);
    for (detector, result) in config.members.iter().zip(fitted) {
        match result {
            Ok((member, member_scores)) => {
                members.push(member);
                scores.push(member_scores);
            }
            Err(error) => failed.push((detector.name().to_owned(), error)),
        }
    }
    if members.is_empty() {
        return Err(Error::NoMember(failed));
    }
    let combined: Vec<f64> = (0..reference.len())
        .into_par_iter()
        .map(|i| {
            let fold = members.iter().zip(&scores).fold(Combine::START, |so_far, (member, scores)| {
                config.combine.step(so_far, member.tail.neg_ln(scores[i]))
            });
            config.combine.end(fold, members.len())
        })
        .collect();
    let skipped = failed.into_iter().map(|(name, error)| Skipped { name, reason: error.to_string() }).collect();
    Ok(Ensemble::new(rows.ncols(), config.combine, members, Tail::fit(&combined)?, skipped))
}

/// Rows to fit on and rows to calibrate on, each ascending, so that memory is read in order.
fn split(config: &EnsembleConfig, n: usize) -> (Vec<usize>, Vec<usize>) {
    if n < config.split_from {
        return ((0..n).collect(), (0..n).collect());
    }
    let n_reference = ((n as f64 * config.held_out).round() as usize).clamp(1, n - 1);
    let mut order: Vec<usize> = (0..n).collect();
    let mut rng = rng::stream(config.seed, 0);
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

fn score_some(model: &dyn Model, rows: ArrayView2<'_, f64>, wanted: &[usize]) -> Vec<f64> {
    let mut scores = vec![0.0; wanted.len()];
    scores.par_chunks_mut(TILE).zip(wanted.par_chunks(TILE)).for_each(|(out, wanted)| {
        model.score_block(gather(rows, wanted).view(), out);
    });
    scores
}
