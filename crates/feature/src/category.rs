//! What is usually paid in a merchant category.

use std::collections::BTreeMap;

use crible_core::{Column, Scale, Tail, Topic, Transaction, Unit};
use serde::{Deserialize, Serialize};

use crate::account::{kind, per_unit};
use crate::family::{Rule, Writer};
use crate::math::ln;
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
#[derive(Debug)]
pub(crate) struct CategoryBehaviour;

#[derive(Debug)]
pub(crate) struct Category {
    buckets: Vec<u32>,
    /// Sums over each run of `STEPS` buckets: a tail is then read from at most 16 + 64 numbers.
    doublings: Vec<u32>,
    count: u32,
    sum: i128,
}

impl Default for Category {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], doublings: vec![0; BUCKETS / STEPS], count: 0, sum: 0 }
    }
}

impl Rule for CategoryBehaviour {
    type Key = (u64, u64, u32);
    /// Magnitude in minor units, and major units in a minor one.
    type Input = (i64, f32);
    type State = Category;
    type Kept = KeptCategory;

    const NAME: &'static str = "category";

    fn columns(&self) -> Vec<Column> {
        vec![
            Column::input("amount_for_category", Unit::Money, Scale::NegLn, Tail::Upper, Topic::AmountForCategory)
                .shown_as_amount()
                .against("category_mean")
                .told("amount {value} is more than all but {own} of payments in its category (mean {typical})"),
            Column::context("category_mean", Unit::Money, Scale::Linear, Topic::AmountForCategory),
        ]
    }

    fn input(&self, txn: &Transaction) -> Option<(Self::Key, Self::Input)> {
        let bits = txn.category.bits();
        let key = ((bits >> 64) as u64, bits as u64, kind(txn));
        Some((key, (magnitude(txn.amount.minor), per_unit(txn))))
    }

    fn step(&self, category: &mut Category, &(minor, per_unit): &Self::Input, out: Option<Writer<'_>>) {
        if let Some(mut out) = out {
            out.put(|| category.surprise(minor));
            out.put(|| float(category.sum) / f64::from(category.count.max(1)) * f64::from(per_unit));
            out.finish();
        }
        category.add(minor);
    }

    fn heap_bytes(&self, _: &Category) -> usize {
        (BUCKETS + BUCKETS / STEPS) * size_of::<u32>()
    }

    fn keep(&self, category: &Category) -> KeptCategory {
        let buckets = (0..).zip(&category.buckets).filter(|(_, count)| **count > 0);
        KeptCategory { buckets: buckets.map(|(at, &count)| (at, count)).collect(), sum: category.sum }
    }

    fn revive(&self, kept: KeptCategory, _: i64) -> Option<Category> {
        let mut category = Category { sum: kept.sum, ..Category::default() };
        for (at, count) in kept.buckets {
            let bucket = category.buckets.get_mut(usize::from(at)).filter(|bucket| **bucket == 0)?;
            *bucket = count;
            category.count = category.count.checked_add(count)?;
            category.doublings[usize::from(at) / STEPS] += count;
        }
        (category.count > 0 && category.sum >= 0).then_some(category)
    }

    fn join(&self, a: KeptCategory, b: KeptCategory) -> Option<KeptCategory> {
        let mut buckets: BTreeMap<u16, u32> = a.buckets.into_iter().collect();
        for (at, count) in b.buckets {
            let here = buckets.entry(at).or_default();
            *here = here.checked_add(count)?;
        }
        Some(KeptCategory { buckets: buckets.into_iter().collect(), sum: a.sum.checked_add(b.sum)? })
    }
}

/// The buckets that are not empty, by number, and the sum.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptCategory {
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
    fn add(&mut self, minor: i64) {
        let (at, _) = bucket(minor);
        // Past four thousand million payments the shares stand still.
        if self.count < u32::MAX {
            self.buckets[at] += 1;
            self.doublings[at / STEPS] += 1;
            self.count += 1;
            self.sum = self.sum.saturating_add(i128::from(magnitude(minor)));
        }
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
