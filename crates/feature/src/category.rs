//! What is usually paid in a merchant category.

use std::collections::{BTreeMap, VecDeque};

use crible_core::{Column, Scale, Tail, Topic, Transaction, Unit};
use serde::{Deserialize, Serialize};

use crate::account::{kind, per_unit};
use crate::family::{Reach, Rule, Writer};
use crate::math::ln;
use crate::shared::Owner;
use crate::window::{float, magnitude};

/// Buckets of the amount's histogram: sixteen to a doubling, from one minor unit to the largest amount there is.
const BUCKETS: usize = 64 * STEPS;
const STEPS: usize = 16;

/// The amount against all earlier amounts of its category (or transaction type), of its currency and direction.
///
/// | columns | what they hold |
/// |---|---|
/// | `amount_for_category` | −ln of the share of earlier payments in the category that were at least as large |
/// | `category_mean` | their mean, shown beside it |
///
/// Each category keeps an exact integer histogram on a logarithmic grid (4.4 % wide) and reads the tail from it, one
/// virtual payment above everything included, so that a new category finds nothing strange. Within a bucket the tail
/// runs straight, so larger amounts always score higher. A payment without a category is compared with its like.
#[derive(Clone, Debug)]
pub(crate) struct CategoryBehaviour;

#[derive(Debug)]
pub(crate) struct Category {
    buckets: Vec<u32>,
    /// Sums over each run of `STEPS` buckets: a tail is then read from at most 16 + 64 numbers.
    doublings: Vec<u32>,
    count: u32,
    sum: i128,
    /// When and how much lately, oldest first: as far back as a late payment may ask, which mostly is not at all.
    recent: VecDeque<(i64, i64)>,
}

impl Default for Category {
    fn default() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            doublings: vec![0; BUCKETS / STEPS],
            count: 0,
            sum: 0,
            recent: VecDeque::new(),
        }
    }
}

impl Rule for CategoryBehaviour {
    type Key = (u64, u64, u32);
    /// Time, magnitude in minor units, and major units in a minor one.
    type Input = (i64, i64, f32);
    type State = Category;
    type Kept = KeptCategory;
    type V1 = KeptCategoryV1;
    type V2 = KeptCategory;

    const STAYS: bool = true;

    fn owner(&self) -> Owner {
        Owner::Category
    }

    fn owner_of((high, low, _): Self::Key) -> u64 {
        high ^ low
    }

    fn sort_key((high, low, kind): Self::Key) -> [u64; 3] {
        [high, low, u64::from(kind)]
    }

    fn columns(&self) -> Vec<Column> {
        vec![
            Column::input("amount_for_category", Unit::Money, Scale::NegLn, Tail::Upper, Topic::AmountForCategory)
                .shown_as_amount()
                .against("category_mean")
                .told("amount {value} is more than all but {own} of payments in its category (mean {typical})")
                .shown_only(),
            Column::context("category_mean", Unit::Money, Scale::Linear, Topic::AmountForCategory),
        ]
    }

    fn input(&self, txn: &Transaction) -> Option<(Self::Key, Self::Input)> {
        let bits = txn.category.bits();
        let key = ((bits >> 64) as u64, bits as u64, kind(txn));
        Some((key, (txn.at.0, magnitude(txn.amount.minor), per_unit(txn))))
    }

    fn name(&self) -> &'static str {
        "category"
    }

    fn at(&(at, ..): &Self::Input) -> i64 {
        at
    }

    fn step(
        &self,
        category: &mut Category,
        &(at, minor, per_unit): &Self::Input,
        reach: &Reach,
        out: Option<Writer<'_>>,
    ) {
        if let Some(mut out) = out {
            out.put(|| category.surprise(minor));
            out.put(|| float(category.sum) / f64::from(category.count.max(1)) * f64::from(per_unit));
            out.finish();
        }
        if category.add(minor) && reach.lateness > 0 {
            let oldest = at.saturating_sub(reach.lateness);
            while category.recent.pop_front_if(|(at, _)| *at <= oldest).is_some() {}
            category.recent.push_back((at, minor));
        }
    }

    fn last_at(&self, category: &Category) -> i64 {
        category.recent.back().map_or(i64::MIN, |(at, _)| *at)
    }

    fn rewind(&self, category: &mut Category, &(to, ..): &Self::Input) -> Vec<Self::Input> {
        let mut undone = Vec::new();
        while let Some((at, minor)) = category.recent.pop_back_if(|(at, _)| *at > to) {
            category.take(minor);
            undone.push((at, minor, 0.0));
        }
        undone.reverse();
        undone
    }

    fn trim(&self, category: &mut Category, now: i64, _: &Reach) {
        while category.recent.pop_front_if(|(at, _)| *at <= now).is_some() {}
    }

    fn is_over(&self, _: &Category, _: i64, _: &Reach) -> bool {
        false
    }

    fn heap_bytes(&self, category: &Category) -> usize {
        (BUCKETS + BUCKETS / STEPS) * size_of::<u32>() + category.recent.capacity() * size_of::<(i64, i64)>()
    }

    fn needed_bytes(&self, category: &Category) -> usize {
        (BUCKETS + BUCKETS / STEPS) * size_of::<u32>() + category.recent.len() * 2 * size_of::<(i64, i64)>()
    }

    fn keep(&self, category: &Category, now: i64, _: &Reach) -> KeptCategory {
        let buckets = (0..).zip(&category.buckets).filter(|(_, count)| **count > 0);
        let buckets = buckets.map(|(at, &count)| (at, count)).collect();
        let recent = category.recent.iter().copied().filter(|(at, _)| *at > now);
        KeptCategory { buckets, sum: category.sum, recent: recent.collect() }
    }

    fn upgrade_v1(&self, KeptCategoryV1 { buckets, sum }: KeptCategoryV1) -> Option<KeptCategory> {
        Some(KeptCategory { buckets, sum, recent: Vec::new() })
    }

    fn upgrade_v2(&self, old: KeptCategory, _: i64) -> Option<KeptCategory> {
        Some(old)
    }

    fn revive(&self, kept: KeptCategory, watermark: i64) -> Option<Category> {
        let mut category = Category { sum: kept.sum, ..Category::default() };
        for (at, count) in kept.buckets {
            let bucket = category.buckets.get_mut(usize::from(at)).filter(|bucket| **bucket == 0)?;
            *bucket = count;
            category.count = category.count.checked_add(count)?;
            category.doublings[usize::from(at) / STEPS] += count;
        }
        let mut recent = BTreeMap::<usize, u32>::new();
        kept.recent.iter().for_each(|&(_, minor)| *recent.entry(bucket(minor).0).or_default() += 1);
        let are_counted = recent.iter().all(|(&at, &count)| category.buckets[at] >= count);
        let in_order =
            kept.recent.is_sorted_by_key(|(at, _)| *at) && kept.recent.last().is_none_or(|r| r.0 <= watermark);
        let is_positive = kept.recent.iter().all(|(_, minor)| *minor >= 0);
        category.recent = kept.recent.into();
        (category.count > 0 && category.sum >= 0 && are_counted && in_order && is_positive).then_some(category)
    }

    fn join(&self, a: KeptCategory, b: KeptCategory) -> Option<KeptCategory> {
        let mut buckets: BTreeMap<u16, u32> = a.buckets.into_iter().collect();
        for (at, count) in b.buckets {
            let here = buckets.entry(at).or_default();
            *here = here.checked_add(count)?;
        }
        let mut recent = [a.recent, b.recent].concat();
        recent.sort_by_key(|(at, _)| *at);
        Some(KeptCategory { buckets: buckets.into_iter().collect(), sum: a.sum.checked_add(b.sum)?, recent })
    }
}

/// The buckets that are not empty, by number, and the sum.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptCategory {
    buckets: Vec<(u16, u32)>,
    sum: i128,
    recent: Vec<(i64, i64)>,
}

/// The same in format 1.
#[derive(Debug, Deserialize)]
pub(crate) struct KeptCategoryV1 {
    buckets: Vec<(u16, u32)>,
    sum: i128,
}

/// The bucket of a magnitude, and how far into it the magnitude stands, 0 to 1.
fn bucket(minor: i64) -> (usize, f64) {
    let value = (magnitude(minor) as u64).max(1);
    let doubling = 63 - value.leading_zeros() as usize;
    // 2^doubling ≤ value < 2^(doubling+1): the fraction lies in [0, 1).
    let fraction = value as f64 / (1u64 << doubling) as f64 - 1.0;
    let steps = fraction * STEPS as f64;
    let step = (steps as usize).min(STEPS - 1);
    (doubling * STEPS + step, (steps - step as f64).min(1.0))
}

impl Category {
    /// Counts a payment, unless there have been four thousand million: the shares then stand still.
    fn add(&mut self, minor: i64) -> bool {
        if self.count == u32::MAX {
            return false;
        }
        let (at, _) = bucket(minor);
        self.buckets[at] += 1;
        self.doublings[at / STEPS] += 1;
        self.count += 1;
        self.sum = self.sum.saturating_add(i128::from(magnitude(minor)));
        true
    }

    /// Takes back what [`Category::add`] added.
    fn take(&mut self, minor: i64) {
        let (at, _) = bucket(minor);
        self.buckets[at] -= 1;
        self.doublings[at / STEPS] -= 1;
        self.count -= 1;
        self.sum = self.sum.saturating_sub(i128::from(magnitude(minor)));
    }

    /// −ln of the share of payments at least as large.
    fn surprise(&self, minor: i64) -> f64 {
        let (at, into) = bucket(minor);
        let doubling = at / STEPS;
        let above: u32 = self.doublings[doubling + 1..].iter().sum::<u32>()
            + self.buckets[at + 1..(doubling + 1) * STEPS].iter().sum::<u32>();
        let here = f64::from(self.buckets[at]);
        let all = f64::from(self.count);
        ln((all + 1.0) / (f64::from(above) + here * (1.0 - into) + 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn larger_amounts_are_never_less_strange(mut seen in prop::collection::vec(0i64..1_000_000, 1..80), a in 0i64..1_000_000, b in 0i64..1_000_000) {
            let mut category = Category::default();
            for &minor in &seen {
                category.add(minor);
            }
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(category.surprise(low) <= category.surprise(high));
            // At the upper end it is the exact empirical tail with one payment added.
            seen.sort_unstable();
            prop_assert!((category.surprise(i64::MAX) - (seen.len() as f64 + 1.0).ln()).abs() < 1e-12);
        }
    }
}
