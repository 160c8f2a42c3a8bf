use crible_alert::Score;

/// The largest number of detectors one engine runs side by side.
pub const MAX_DETECTORS: usize = 32;

/// What the engine says of one transaction. `Copy` and without a heap, so that saying it allocates nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The combined score and its tail probability.
    pub score: Score,
    detectors: [f64; MAX_DETECTORS],
    n_detectors: usize,
}

impl Verdict {
    /// # Panics
    /// Where there are more than [`MAX_DETECTORS`], which the builder sees to.
    pub(crate) fn new(score: Score, detectors: &[f64]) -> Self {
        let mut all = [0.0; MAX_DETECTORS];
        all[..detectors.len()].copy_from_slice(detectors);
        Self { score, detectors: all, n_detectors: detectors.len() }
    }

    /// Each detector's own score, in the order of [`Model::detectors`](crate::Model::detectors).
    pub fn detectors(&self) -> &[f64] {
        &self.detectors[..self.n_detectors]
    }
}
