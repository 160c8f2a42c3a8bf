use std::collections::BTreeMap;
use std::ops::Range;

use crible_core::{Amount, Batch, Currency, Timestamp};
use hashbrown::HashSet;

use crate::calendar::hour;
use crate::hash::IdHasher;
use crate::kind::kind_of;
use crate::math::{ln, ln1p};
use crate::window::{float, magnitude};

/// What payments are on average in a population, by currency and direction: what an account is judged by until it has a
/// history.
///
/// A mean of n payments of an account is believed n/(n + 2), its peers' 2/(n + 2), on the log scale. So a first payment
/// is judged by the peers alone, a third by both alike, and a hundredth hardly by them. Where nothing is known of
/// peers, a payment without a history is as usual as any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Peers {
    /// Currency and direction, and the mean in minor units; in order.
    means: Vec<(u32, f64)>,
    /// ln(1 + mean) of each.
    logs: Vec<f64>,
    scales: Scales,
    /// How amounts of each are spread and how often they come, in the same order; none where a model is older than
    /// that.
    habits: Vec<PeerHabits>,
    /// Payments by hour of the day, UTC; all 0 where a model is older than that.
    hours: [u64; 24],
    /// The first payment that was learned from, in microseconds.
    since: i64,
}

/// What amounts of different currencies are to each other.
///
/// Amounts are never compared across currencies as numbers: a column that holds an amount holds it in the currency most
/// payments are in, and an ordinary payment in any other is an ordinary amount there. What a currency is worth is
/// learned from its mean payment, where there are a hundred or more, or is what a table of rates says. Of any other
/// currency amounts are no evidence: each counts as a mean payment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scales {
    /// By the numbers of currencies, in their order: how many major units of the reference one of its own is. Empty
    /// where all amounts are taken as they are.
    of: Vec<(u32, f64)>,
    /// The mean payment of the reference, in major units.
    usual: f64,
}

impl Scales {
    /// Fewest payments out that show what a currency is worth.
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

    /// Currencies whose worth is known, in the order of their codes; empty where all amounts are taken as they are.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.of.iter().filter_map(|(bits, _)| Currency::from_bits(*bits))
    }

    /// From sums of payments, and what a major unit of each currency is worth where a table of rates says so: then of
    /// no other currency is it known.
    fn fit(kinds: &BTreeMap<u32, (u64, i128)>, rates: &BTreeMap<Currency, f64>) -> Self {
        let out = |bits: u32| kinds.get(&(bits << 1 | 1)).copied().unwrap_or_default();
        let all = |bits: u32| out(bits).0 + kinds.get(&(bits << 1)).map_or(0, |(count, _)| *count);
        let mut currencies: Vec<u32> = kinds.keys().map(|kind| kind >> 1).collect();
        currencies.dedup();
        if !rates.is_empty() {
            currencies.retain(|bits| Currency::from_bits(*bits).is_some_and(|currency| rates.contains_key(&currency)));
        }
        // Of two with as many, the first.
        let reference = currencies.iter().rev().max_by_key(|bits| all(**bits)).copied();
        let mean = |bits: u32| {
            let (count, sum) = out(bits);
            let exponent = Currency::from_bits(bits).map_or(2, Currency::exponent);
            float(sum) / count.max(1) as f64 / 10f64.powi(exponent as i32)
        };
        // A mean of integers is a number.
        let usual = reference.map_or(0.0, mean);
        if let Some((first, _)) = rates.first_key_value() {
            // Nothing may have been paid in any currency of the table.
            let reference = reference.and_then(Currency::from_bits).unwrap_or(*first);
            let one = rates.get(&reference).copied().unwrap_or(1.0);
            let mut of: Vec<(u32, f64)> = rates.iter().map(|(of, rate)| (of.bits(), rate / one)).collect();
            of.sort_unstable_by_key(|(bits, _)| *bits);
            return Self { of, usual: if usual > 0.0 { usual } else { 1.0 } };
        }
        let Some(reference) = reference.filter(|_| usual > 0.0) else { return Self::default() };
        let is_known = |bits: u32| bits == reference || (out(bits).0 >= Self::ENOUGH && mean(bits) > 0.0);
        let scale = |bits: u32| (bits, if bits == reference { 1.0 } else { usual / mean(bits) });
        Self { of: currencies.into_iter().filter(|bits| is_known(*bits)).map(scale).collect(), usual }
    }
}

/// How amounts of one currency and direction are spread, and how often they come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeerHabits {
    /// Mean of ln(1 + amount), in major units.
    pub log_mean: f64,
    /// Variance of the same.
    pub log_variance: f64,
    /// Payments of an account in a second.
    pub per_second: f64,
}

impl PeerHabits {
    fn is_sound(&self) -> bool {
        let Self { log_mean, log_variance, per_second } = *self;
        [log_mean, log_variance, per_second].iter().all(|x| x.is_finite() && (0.0..=1e12).contains(x))
    }
}

impl Peers {
    /// The means, by a number for currency and direction.
    pub fn means(&self) -> &[(u32, f64)] {
        &self.means
    }

    /// How amounts are spread and how often they come, in the order of [`Peers::means`]; empty in models older than
    /// that.
    pub fn habits(&self) -> &[PeerHabits] {
        &self.habits
    }

    /// Payments by hour of the day, UTC.
    pub fn hours(&self) -> &[u64; 24] {
        &self.hours
    }

    /// The first payment that was learned from, in microseconds since 1970.
    pub fn since(&self) -> i64 {
        self.since
    }

    /// The same; none where nothing was learned of the feed's times.
    pub(crate) fn first(&self) -> Option<Timestamp> {
        (!self.habits.is_empty()).then_some(Timestamp(self.since))
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

    /// The same with what [`Peers::habits`], [`Peers::hours`] and [`Peers::since`] gave; `None` where they did not give
    /// that.
    pub fn with_habits(mut self, habits: Vec<PeerHabits>, hours: [u64; 24], since: i64) -> Option<Self> {
        let is_sound = habits.len() == self.means.len() && habits.iter().all(PeerHabits::is_sound);
        (self.habits, self.hours, self.since) = (habits, hours, since);
        is_sound.then_some(self)
    }

    /// ln(1 + mean) of one currency and direction, in minor units.
    pub(crate) fn of(&self, kind: u32) -> Option<f64> {
        let at = self.means.binary_search_by_key(&kind, |(kind, _)| *kind).ok()?;
        self.logs.get(at).copied()
    }

    /// How amounts of one currency and direction are spread, and how often they come.
    pub(crate) fn habits_of(&self, kind: u32) -> Option<PeerHabits> {
        let at = self.means.binary_search_by_key(&kind, |(kind, _)| *kind).ok()?;
        self.habits.get(at).copied()
    }

    /// How long the feed had been watched at `at`, in microseconds.
    pub(crate) fn watched(&self, at: i64) -> i64 {
        if self.habits.is_empty() { 0 } else { at.saturating_sub(self.since).max(0) }
    }

    fn new(means: Vec<(u32, f64)>) -> Self {
        Self { logs: means.iter().map(|(_, mean)| ln1p(*mean)).collect(), means, ..Self::default() }
    }
}

/// Sums of a population's payments, exact, so that their order and grouping change nothing.
#[derive(Clone, Debug, Default)]
pub struct PeerSums {
    kinds: BTreeMap<u32, KindSums>,
    hours: [u64; 24],
    /// The first and the last payment.
    span: Option<(i64, i64)>,
}

#[derive(Clone, Debug, Default)]
struct KindSums {
    count: u64,
    sum: i128,
    /// Sums of ln(1 + amount) and its square, in units of 2⁻²⁴ each.
    logs: i128,
    squares: i128,
    accounts: HashSet<u64, std::hash::BuildHasherDefault<IdHasher>>,
}

const UNIT: f64 = (1 << 24) as f64;

impl PeerSums {
    /// Adds rows of a batch.
    ///
    /// # Panics
    /// Where the batch has no such rows.
    pub fn add(&mut self, batch: &Batch, rows: Range<usize>) {
        let (times, accounts) = (batch.times(), batch.accounts());
        if let (Some(first), Some(last)) = (rows.clone().next(), rows.clone().next_back()) {
            let (first, last) = (times[first].0, times[last].0);
            let (from, to) = self.span.unwrap_or((first, last));
            self.span = Some((from.min(first), to.max(last)));
        }
        // Most rows are of the kind of the row before.
        let mut start = rows.start;
        while start < rows.end {
            let first = batch.amount(start);
            let is_like =
                |amount: Amount| first.currency == amount.currency && (first.minor <= 0) == (amount.minor <= 0);
            let end = (start + 1..rows.end).find(|&row| !is_like(batch.amount(row))).unwrap_or(rows.end);
            let kind = self.kinds.entry(kind_of(first)).or_default();
            let per_unit = 1.0 / 10f64.powi(first.currency.exponent() as i32);
            for row in start..end {
                let minor = magnitude(batch.amount(row).minor);
                let log = ln1p(minor as f64 * per_unit);
                kind.count += 1;
                kind.sum += i128::from(minor);
                kind.logs += (log * UNIT).round() as i128;
                kind.squares += (log * log * UNIT).round() as i128;
                kind.accounts.insert(accounts[row].get());
                self.hours[hour(times[row].0)] += 1;
            }
            start = end;
        }
    }

    /// The means of what was added; what currencies are worth is learned from them.
    pub fn means(&self) -> Peers {
        self.means_at(&BTreeMap::new())
    }

    /// The same where a table says what a major unit of each currency is worth; an empty one says nothing.
    pub fn means_at(&self, rates: &BTreeMap<Currency, f64>) -> Peers {
        let (first, last) = self.span.unwrap_or_default();
        let span = last.saturating_sub(first).max(Timestamp::DAY) as f64 / 1e6;
        let means = self.kinds.iter().map(|(&kind, sums)| (kind, float(sums.sum) / sums.count as f64)).collect();
        let habits = self.kinds.values().map(|sums| {
            let count = sums.count as f64;
            let (log_mean, square) = (float(sums.logs) / UNIT / count, float(sums.squares) / UNIT / count);
            let per_second = count / (sums.accounts.len().max(1) as f64 * span);
            PeerHabits { log_mean, log_variance: (square - log_mean * log_mean).max(0.0), per_second }
        });
        let totals = self.kinds.iter().map(|(&kind, sums)| (kind, (sums.count, sums.sum))).collect();
        let peers = Peers::new(means).scaled(Scales::fit(&totals, rates));
        Peers { habits: habits.collect(), hours: self.hours, since: first, ..peers }
    }
}

/// The least spread of amounts, as a variance of logarithms.
const LEAST_VARIANCE: f64 = 0.04;

/// How many payments of an account or a counterparty weigh as much as all of its peers.
pub(crate) const PRIOR: f64 = 3.0;

/// What amounts are usual: the logarithm of the middle one, and how far they are spread, of an entity and its peers
/// together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UsualAmount {
    log: f64,
    deviation: f64,
    /// How much of it is known, up to 1: of a currency that peers tell nothing of, what was paid in it.
    known: f64,
}

impl UsualAmount {
    /// From the mean and the deviation of `count` amounts, in major units, taken for those of a log-normal
    /// distribution.
    pub(crate) fn of(count: f64, mean: f64, deviation: f64, peers: Option<PeerHabits>) -> Self {
        let relative = if mean > 0.0 { deviation / mean } else { 0.0 };
        let variance = ln1p(relative * relative);
        let log = (ln1p(mean) - variance / 2.0).max(0.0);
        let (log, variance) = match peers {
            Some(peers) => {
                let all = count + PRIOR;
                let own = |own: f64, peers: f64| (count * own + PRIOR * peers) / all;
                (own(log, peers.log_mean), own(variance, peers.log_variance))
            }
            None => (log, variance),
        };
        let known = peers.map_or(count / (count + PRIOR), |_| 1.0);
        Self { log, deviation: variance.max(LEAST_VARIANCE).sqrt(), known }
    }

    /// How many deviations an amount in major units is above the middle.
    pub(crate) fn deviations(self, amount: f64) -> f64 {
        (ln(1.0 + amount) - self.log) / self.deviation * self.known
    }
}
