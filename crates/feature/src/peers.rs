use std::collections::BTreeMap;
use std::ops::Range;

use crible_core::{Amount, Batch};

use crate::kind::kind_of;
use crate::math::ln1p;
use crate::window::{float, magnitude};

/// What payments are on average in a population, by currency and direction: what an account is judged by until it has a history.
///
/// A mean of n payments of an account is believed n/(n + 2), its peers' 2/(n + 2), on the log scale. So a first payment is judged by
/// the peers alone, a third by both alike, and a hundredth hardly by them. Where nothing is known of peers, a payment without a history is
/// as usual as any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Peers {
    /// Currency and direction, and the mean in minor units; in order.
    means: Vec<(u32, f64)>,
    /// ln(1 + mean) of each.
    logs: Vec<f64>,
}

impl Peers {
    /// The means, by a number for currency and direction.
    pub fn means(&self) -> &[(u32, f64)] {
        &self.means
    }

    /// From what [`Peers::means`] gave; `None` where it did not give that.
    pub fn from_means(means: Vec<(u32, f64)>) -> Option<Self> {
        let is_sound = |&(_, mean): &(u32, f64)| mean.is_finite() && mean >= 0.0;
        let ordered = means.windows(2).all(|pair| pair[0].0 < pair[1].0);
        (ordered && means.iter().all(is_sound)).then(|| Self::new(means))
    }

    /// ln(1 + mean) of one currency and direction, in minor units.
    pub(crate) fn of(&self, kind: u32) -> Option<f64> {
        let at = self.means.binary_search_by_key(&kind, |(kind, _)| *kind).ok()?;
        self.logs.get(at).copied()
    }

    fn new(means: Vec<(u32, f64)>) -> Self {
        Self { logs: means.iter().map(|(_, mean)| ln1p(*mean)).collect(), means }
    }
}

/// Sums of a population's payments, exact, so that their order and grouping change nothing.
#[derive(Clone, Debug, Default)]
pub struct PeerSums(BTreeMap<u32, (u64, i128)>);

impl PeerSums {
    /// Adds rows of a batch.
    ///
    /// # Panics
    /// Where the batch has no such rows.
    pub fn add(&mut self, batch: &Batch, rows: Range<usize>) {
        // Most rows are of the kind of the row before.
        let (mut last, mut count, mut sum) = (None, 0, 0);
        for row in rows {
            let amount = batch.amount(row);
            let is_like =
                |(last, _): (Amount, u32)| last.currency == amount.currency && (last.minor <= 0) == (amount.minor <= 0);
            if !last.is_some_and(is_like) {
                self.take(last, count, sum);
                (last, count, sum) = (Some((amount, kind_of(amount))), 0, 0);
            }
            count += 1;
            sum += i128::from(magnitude(amount.minor));
        }
        self.take(last, count, sum);
    }

    fn take(&mut self, of: Option<(Amount, u32)>, count: u64, sum: i128) {
        if let Some((_, kind)) = of {
            let all = self.0.entry(kind).or_default();
            (all.0, all.1) = (all.0 + count, all.1 + sum);
        }
    }

    /// The means of what was added.
    pub fn means(&self) -> Peers {
        Peers::new(self.0.iter().map(|(&kind, &(count, sum))| (kind, float(sum) / count as f64)).collect())
    }
}
