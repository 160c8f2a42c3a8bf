use crate::{Score, Severity};

/// Bounds the expected share of false alerts among those raised, over transactions that are all known.
///
/// It is the procedure of Benjamini and Hochberg (1995) on tail probabilities: of `m` transactions that were judged, those are raised whose
/// tail is at most the largest `p` that itself, as the `k`th smallest, is at most `share · k / m`. Where tails are those of ordinary
/// transactions, at most that share of what is raised is ordinary, on average. This holds where tails are independent or depend on
/// each other positively, as those of one account do; where the tails themselves are off, it is off with them.
///
/// ```
/// use crible_alert::{FalseShare, Score};
///
/// let mut judged = FalseShare::new(0.1);
/// for tail in [0.5, 1e-6, 0.9, 0.009, 0.3] {
///     judged.count(Score { raw: 1.0 - tail, tail });
/// }
/// assert_eq!(judged.most_tail(), Some(0.009));
/// ```
#[derive(Clone, Debug)]
pub struct FalseShare {
    share: f64,
    judged: u64,
    /// Tails that could be raised: those of severity medium and graver.
    tails: Vec<f64>,
}

impl FalseShare {
    /// A bound of this share, from 0 to 1; nothing was judged yet.
    pub fn new(share: f64) -> Self {
        Self { share, judged: 0, tails: Vec::new() }
    }

    /// Takes note of a transaction that was judged.
    pub fn count(&mut self, score: Score) {
        self.judged += 1;
        if score.tail <= Severity::Medium.most_tail() {
            self.tails.push(score.tail);
        }
    }

    /// The largest tail probability that is raised, which is that of [`Severity::Medium`] at most; none where none is.
    pub fn most_tail(&self) -> Option<f64> {
        let mut tails = self.tails.clone();
        tails.sort_unstable_by(f64::total_cmp);
        let step = self.share / self.judged as f64;
        tails
            .iter()
            .enumerate()
            .rev()
            .find(|(before, tail)| **tail <= step * (before + 1) as f64)
            .map(|(_, tail)| *tail)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is raised is what the definition says, tried one by one.
        #[test]
        fn is_the_definition(tails in prop::collection::vec(0.0f64..0.02, 0..60), ordinary in 0u64..2_000, share in 0.01f64..0.9) {
            let mut judged = FalseShare::new(share);
            tails.iter().for_each(|&tail| judged.count(Score { raw: 0.0, tail }));
            (0..ordinary).for_each(|_| judged.count(Score { raw: 0.0, tail: 0.5 }));
            let all = tails.len() as f64 + ordinary as f64;
            let holds = |tail: f64| {
                let as_small = tails.iter().filter(|other| **other <= tail).count() as f64;
                tail <= 0.01 && tail <= share / all * as_small
            };
            let want = tails.iter().copied().filter(|tail| holds(*tail)).max_by(f64::total_cmp);
            prop_assert_eq!(judged.most_tail(), want);
        }
    }
}
