use super::{Conformal, ScoreTail};
use crate::{Error, rng};

/// Rows held out at most: more would only make tail probabilities below 1 in 2,000 surer.
const MOST: usize = 2_000;

/// ScoreTail probabilities that hold on rows of their own, by scores of rows that the scoring model was **not** fitted on.
///
/// Up to the largest of n held-out scores, p is [`Conformal`]'s, so a usual new row has p ≤ t in a share of t at most,
/// for every t from 1 / (n + 1) on, whatever the detector and the rows look like. Beyond the largest it is [`ScoreTail`]'s,
/// at most 1 / (n + 1): that distinguishes strange rows from stranger ones, by an assumption about the tail and without
/// the promise.
///
/// ```
/// use crible_score::calibration::{HeldOut, held_out_rows};
/// use crible_score::score;
/// use ndarray::{Array2, Axis};
///
/// let usual = Array2::from_shape_fn((400, 2), |(i, j)| ((i * (7 + j)) % 101) as f64);
/// let held_out = held_out_rows(usual.nrows(), 0)?;
/// let rows = |wanted| {
///     let places: Vec<usize> = (0..usual.nrows()).filter(|&i| held_out[i] == wanted).collect();
///     usual.select(Axis(0), &places)
/// };
/// let model = crible_score::detector("knn", 0)?.fit(rows(false).view())?;
/// let calibration = HeldOut::fit(&score(model.as_ref(), rows(true).view())?.to_vec())?;
/// assert!(calibration.probability(1e6) < 1.0 / 201.0);
/// # Ok::<(), crible_score::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct HeldOut {
    conformal: Conformal,
    tail: ScoreTail,
}

impl HeldOut {
    /// Keeps the scores of the held-out rows, in any order.
    ///
    /// # Errors
    /// [`Error::TooFew`] without a score, [`Error::NotFinite`] (column 0) naming the first that is NaN or infinite.
    pub fn fit(scores: &[f64]) -> Result<Self, Error> {
        Ok(Self { conformal: Conformal::fit(scores)?, tail: ScoreTail::fit(scores)? })
    }

    /// Probability that a usual row scores at least this high: in \[1e-300, 1\], never rising with the score.
    pub fn probability(&self, score: f64) -> f64 {
        let counted = self.conformal.p_value(score);
        let least = 1.0 / (1.0 + self.conformal.n_reference() as f64);
        // What is above all held-out scores has the least p that counting can give.
        if counted <= least { self.tail.probability(score).min(least) } else { counted }
    }
}

/// Which of n rows to hold out: half of them, 2,000 at most, drawn by the seed.
///
/// # Errors
/// [`Error::TooFew`] for fewer than 2 rows: one to fit and one to hold out.
pub fn held_out_rows(n: usize, seed: u64) -> Result<Vec<bool>, Error> {
    /// A stream of its own, of those that seeds have.
    const STREAM: u64 = 0x4845_4c44;
    if n < 2 {
        return Err(Error::TooFew { what: "rows", got: n, needed: 2 });
    }
    let mut held_out = vec![false; n];
    rng::sample(&mut rng::stream(seed, STREAM), n, (n / 2).min(MOST)).into_iter().for_each(|row| held_out[row] = true);
    Ok(held_out)
}
