use std::collections::BTreeMap;
use std::ops::Range;

use crible_core::{Batch, Transaction};

use crate::account::kind;
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
        (ordered && means.iter().all(is_sound)).then_some(Self { means })
    }

    /// The mean of the transaction's like.
    pub(crate) fn of(&self, txn: &Transaction) -> Option<f64> {
        let at = self.means.binary_search_by_key(&kind(txn), |(kind, _)| *kind).ok()?;
        self.means.get(at).map(|(_, mean)| *mean)
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
        for row in rows {
            let txn = batch.get(row);
            let (count, sum) = self.0.entry(kind(&txn)).or_default();
            *count += 1;
            *sum += i128::from(magnitude(txn.amount.minor));
        }
    }

    /// The means of what was added.
    pub fn means(&self) -> Peers {
        Peers { means: self.0.iter().map(|(&kind, &(count, sum))| (kind, float(sum) / count as f64)).collect() }
    }
}
