use std::collections::BTreeMap;
use std::ops::Range;

use crible_core::{Amount, Batch, Currency};

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
    scales: Scales,
}

/// What amounts of different currencies are to each other.
///
/// Amounts are never compared across currencies as numbers: a column that holds an amount holds it in the currency most payments
/// are in, and an ordinary payment in any other is an ordinary amount there. What a currency is worth is learned from its mean
/// payment, where there are a hundred or more. Of any other currency amounts are no evidence: each counts as a mean payment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scales {
    /// By the numbers of currencies, in their order: how many major units of the reference one of its own is. Empty where all
    /// amounts are taken as they are.
    of: Vec<(u32, f64)>,
    /// The mean payment of the reference, in major units.
    usual: f64,
}

impl Scales {
    /// Fewest payments out that tell what a currency is worth.
    const ENOUGH: u64 = 100;

    /// Currencies and what one of their major units is worth, and the mean payment of the reference.
    pub fn parts(&self) -> (&[(u32, f64)], f64) {
        (&self.of, self.usual)
    }

    /// From what [`Scales::parts`] gave; `None` where it did not give that.
    pub fn from_parts(of: Vec<(u32, f64)>, usual: f64) -> Option<Self> {
        let is_positive = |x: f64| x.is_finite() && x > 0.0;
        let is_sound =
            of.windows(2).all(|pair| pair[0].0 < pair[1].0) && of.iter().all(|(_, scale)| is_positive(*scale));
        (is_sound && (of.is_empty() || is_positive(usual))).then_some(Self { of, usual })
    }

    /// How many major units of the reference one of a currency is; `None` where that is not known.
    pub fn of(&self, currency: Currency) -> Option<f64> {
        if self.of.is_empty() {
            return Some(1.0);
        }
        let at = self.of.binary_search_by_key(&currency.bits(), |(bits, _)| *bits).ok()?;
        self.of.get(at).map(|(_, scale)| *scale)
    }

    /// Payments of a currency in major units of the reference, `minor` being their sum.
    pub(crate) fn in_reference(&self, scale: f64, minor: f64, per_unit: f64, payments: f64) -> f64 {
        if scale > 0.0 { minor * per_unit * scale } else { payments * self.usual }
    }

    fn fit(kinds: &BTreeMap<u32, (u64, i128)>) -> Self {
        let out = |bits: u32| kinds.get(&(bits << 1 | 1)).copied().unwrap_or_default();
        let all = |bits: u32| out(bits).0 + kinds.get(&(bits << 1)).map_or(0, |(count, _)| *count);
        let mut currencies: Vec<u32> = kinds.keys().map(|kind| kind >> 1).collect();
        currencies.dedup();
        // Of two with as many, the first.
        let Some(&reference) = currencies.iter().rev().max_by_key(|bits| all(**bits)) else { return Self::default() };
        let mean = |bits: u32| {
            let (count, sum) = out(bits);
            let exponent = Currency::from_bits(bits).map_or(2, Currency::exponent);
            float(sum) / count.max(1) as f64 / 10f64.powi(exponent as i32)
        };
        let usual = mean(reference);
        if !(usual > 0.0) {
            return Self::default();
        }
        let is_known = |bits: u32| bits == reference || (out(bits).0 >= Self::ENOUGH && mean(bits) > 0.0);
        let scale = |bits: u32| (bits, if bits == reference { 1.0 } else { usual / mean(bits) });
        Self { of: currencies.into_iter().filter(|bits| is_known(*bits)).map(scale).collect(), usual }
    }
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

    /// What amounts of different currencies are to each other.
    pub fn scales(&self) -> &Scales {
        &self.scales
    }

    /// The same with other scales.
    #[must_use]
    pub fn scaled(mut self, scales: Scales) -> Self {
        self.scales = scales;
        self
    }

    /// ln(1 + mean) of one currency and direction, in minor units.
    pub(crate) fn of(&self, kind: u32) -> Option<f64> {
        let at = self.means.binary_search_by_key(&kind, |(kind, _)| *kind).ok()?;
        self.logs.get(at).copied()
    }

    fn new(means: Vec<(u32, f64)>) -> Self {
        Self { logs: means.iter().map(|(_, mean)| ln1p(*mean)).collect(), means, scales: Scales::default() }
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
        let means = self.0.iter().map(|(&kind, &(count, sum))| (kind, float(sum) / count as f64)).collect();
        Peers::new(means).scaled(Scales::fit(&self.0))
    }
}
