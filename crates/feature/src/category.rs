//! What is usually paid in a merchant category.

use std::collections::{BTreeMap, VecDeque};

use crible_core::{Column, Scale, Tail, Topic, Transaction, Unit};
use serde::{Deserialize, Serialize};

use crate::kind::{kind, per_unit};
use crate::math::ln;
use crate::owner::Owner;
use crate::rule::{Columns, Reach, Row, Rule};
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
/// A category that has not been paid in for as long as accounts are remembered begins anew, as they do.
///
/// Each category keeps an exact integer histogram on a logarithmic grid (4.4 % wide) and reads the tail from it, one
/// virtual payment above everything included, so that a new category finds nothing strange. Within a bucket the tail
/// runs straight, so larger amounts always score higher. A payment without a category is compared with its like.
#[derive(Clone, Debug)]
pub(crate) struct CategoryBehaviour;

#[derive(Debug, Default)]
pub(crate) struct Category {
    /// From the doubling of the least payment to that of the largest.
    doublings: Vec<Doubling>,
    /// Which doubling is the first of them.
    lowest: usize,
    count: u32,
    sum: i128,
    first_at: i64,
    last_at: Option<i64>,
    /// When and how much lately, oldest first: as far back as a late payment may ask, which mostly is not at all.
    recent: VecDeque<(i64, i64)>,
}

/// Payments from an amount to twice that, and how they are spread: a tail is then read from at most 16 + 64 numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Doubling {
    count: u32,
    steps: [u32; STEPS],
}

/// What a category's columns are computed from: its state, and the payment's amount in minor units.
pub(crate) struct Reading<'a> {
    category: &'a Category,
    minor: i64,
    /// Major units in a minor one.
    per_unit: f32,
}

impl Rule for CategoryBehaviour {
    type Key = (u64, u64, u32);
    /// Time, magnitude in minor units, and major units in a minor one.
    type Input = (i64, i64, f32);
    type State = Category;
    type Reading<'a> = Reading<'a>;
    type Kept = KeptCategory;
    type V1 = KeptCategoryV1;
    type V2 = KeptCategoryV2;

    const FORGETS: bool = true;

    fn owner(&self) -> Owner {
        Owner::Category
    }

    fn owner_of((high, low, _): Self::Key) -> u64 {
        high ^ low
    }

    fn sort_key((high, low, kind): Self::Key) -> [u64; 3] {
        [high, low, u64::from(kind)]
    }

    fn columns(&self) -> Columns<Self> {
        let mut all = Columns::<Self>::new();
        all.add(
            Column::input("amount_for_category", Unit::Money, Scale::NegLn, Tail::Upper, Topic::AmountForCategory)
                .shown_as_amount()
                .against("category_mean")
                .described("amount {value} is more than all but {own} of payments in its category (mean {typical})")
                .shown_only(),
            |r| r.category.surprise(r.minor),
        );
        all.add(Column::context("category_mean", Unit::Money, Scale::Linear, Topic::AmountForCategory), |r| {
            float(r.category.sum) / f64::from(r.category.count.max(1)) * f64::from(r.per_unit)
        });
        all
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
        row: Option<Row<'_, Self>>,
    ) {
        if let Some(row) = row {
            row.fill(&Reading { category, minor, per_unit });
        }
        if category.count == 0 {
            category.first_at = at;
        }
        category.last_at = Some(at);
        if category.add(minor) && reach.lateness > 0 {
            let oldest = at.saturating_sub(reach.lateness);
            while category.recent.pop_front_if(|(at, _)| *at <= oldest).is_some() {}
            category.recent.push_back((at, minor));
        }
    }

    fn last_at(&self, category: &Category) -> Option<i64> {
        category.last_at
    }

    fn first_at(&self, category: &Category) -> Option<i64> {
        (category.count > 0).then_some(category.first_at)
    }

    fn rewind(&self, category: &mut Category, &(to, ..): &Self::Input) -> Vec<Self::Input> {
        let mut undone = Vec::new();
        while let Some((at, minor)) = category.recent.pop_back_if(|(at, _)| *at > to) {
            category.take(minor);
            undone.push((at, minor, 0.0));
        }
        undone.reverse();
        // What was before those that are known one by one is of the same session as they.
        category.last_at = category.recent.back().map(|(at, _)| *at);
        if category.count == 0 {
            *category = Category::default();
        }
        undone
    }

    fn trim(&self, category: &mut Category, now: i64, _: &Reach) {
        while category.recent.pop_front_if(|(at, _)| *at <= now).is_some() {}
    }

    fn is_over(&self, category: &Category, now: i64, reach: &Reach) -> bool {
        category.last_at.is_none_or(|last| now.saturating_sub(last) > reach.forget)
    }

    fn heap_bytes(&self, category: &Category) -> usize {
        category.doublings.capacity() * size_of::<Doubling>() + category.recent.capacity() * size_of::<(i64, i64)>()
    }

    fn needed_bytes(&self, category: &Category) -> usize {
        category.doublings.len() * size_of::<Doubling>()
    }

    fn keep(&self, category: &Category, now: i64, _: &Reach) -> KeptCategory {
        let steps = category.doublings.iter().flat_map(|doubling| doubling.steps);
        let buckets = (category.lowest * STEPS..).zip(steps).filter(|(_, count)| *count > 0);
        let buckets = buckets.map(|(at, count)| (at as u16, count)).collect();
        let recent = category.recent.iter().copied().filter(|(at, _)| *at > now).collect();
        let Category { first_at, last_at, sum, .. } = *category;
        KeptCategory { first_at, last_at, buckets, sum, recent }
    }

    fn upgrade_v1(&self, KeptCategoryV1 { buckets, sum }: KeptCategoryV1) -> Option<KeptCategoryV2> {
        Some(KeptCategoryV2 { buckets, sum, recent: Vec::new() })
    }

    /// The times of the payments were not saved: they are taken to reach from as long ago as may be up to the state's
    /// latest payment. So a category is remembered longer than it need be once, and never forgotten that should be
    /// known.
    fn upgrade_v2(&self, old: KeptCategoryV2, watermark: i64) -> Option<KeptCategory> {
        let KeptCategoryV2 { buckets, sum, recent } = old;
        let last_at = Some(recent.last().map_or(watermark, |(at, _)| *at));
        Some(KeptCategory { first_at: i64::MIN, last_at, buckets, sum, recent })
    }

    fn revive(&self, kept: KeptCategory, watermark: i64, _: &Reach) -> Option<Category> {
        let KeptCategory { first_at, last_at, buckets, sum, recent } = kept;
        let mut category = Category { sum, first_at, last_at, ..Category::default() };
        let last = last_at.filter(|last| (first_at..=watermark).contains(last))?;
        for (at, count) in buckets {
            let at = usize::from(at);
            let bucket = (at < BUCKETS).then(|| category.bucket_mut(at))?;
            if bucket.steps[at % STEPS] > 0 || count == 0 {
                return None;
            }
            bucket.steps[at % STEPS] = count;
            category.count = category.count.checked_add(count)?;
            category.bucket_mut(at).count += count;
        }
        let mut counted = BTreeMap::<usize, u32>::new();
        recent.iter().for_each(|&(_, minor)| *counted.entry(bucket(minor).0).or_default() += 1);
        let are_counted = counted.iter().all(|(&at, &count)| category.counted(at) >= count);
        let are_in_order = recent.is_sorted_by_key(|(at, _)| *at);
        let are_sound = recent.iter().all(|(at, minor)| (first_at..=last).contains(at) && *minor >= 0);
        category.recent = recent.into();
        (category.count > 0 && sum >= 0 && are_counted && are_in_order && are_sound).then_some(category)
    }

    /// Payments of both sides were within reach of each other or were not: as sessions, so are these. What one side had
    /// forgotten before stays forgotten.
    fn join(&self, mut a: Vec<KeptCategory>, b: Vec<KeptCategory>, reach: &Reach) -> Option<Vec<KeptCategory>> {
        a.extend(b);
        a.sort_by_key(|session| session.first_at);
        let mut joined: Vec<KeptCategory> = Vec::with_capacity(a.len());
        for session in a {
            match joined.last_mut() {
                Some(before) if session.first_at.saturating_sub(before.last_at?) <= reach.forget => {
                    before.add(session)?
                }
                _ => joined.push(session),
            }
        }
        Some(joined)
    }
}

/// What is kept of a category.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptCategory {
    first_at: i64,
    last_at: Option<i64>,
    /// The buckets that are not empty, by number.
    buckets: Vec<(u16, u32)>,
    sum: i128,
    recent: Vec<(i64, i64)>,
}

impl KeptCategory {
    /// Adds payments of other accounts.
    fn add(&mut self, other: Self) -> Option<()> {
        let mut buckets: BTreeMap<u16, u32> = self.buckets.drain(..).collect();
        for (at, count) in other.buckets {
            let here = buckets.entry(at).or_default();
            *here = here.checked_add(count)?;
        }
        self.buckets = buckets.into_iter().collect();
        self.sum = self.sum.checked_add(other.sum)?;
        self.recent.extend(other.recent);
        self.recent.sort_by_key(|(at, _)| *at);
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
        Some(())
    }
}

/// The same in format 2, when no category was forgotten.
#[derive(Debug, Deserialize)]
pub(crate) struct KeptCategoryV2 {
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
    /// The doubling that a bucket is in.
    fn bucket_mut(&mut self, at: usize) -> &mut Doubling {
        let doubling = at / STEPS;
        if doubling.wrapping_sub(self.lowest) >= self.doublings.len() {
            self.widen(doubling);
        }
        &mut self.doublings[doubling - self.lowest]
    }

    /// Makes room for a doubling there has been no payment of.
    #[cold]
    fn widen(&mut self, doubling: usize) {
        if self.doublings.is_empty() {
            self.lowest = doubling;
        }
        let below = self.lowest.saturating_sub(doubling);
        self.lowest -= below;
        let needed = (doubling - self.lowest + 1).max(self.doublings.len() + below);
        self.doublings.reserve_exact(needed - self.doublings.len());
        self.doublings.resize(needed, Doubling::default());
        self.doublings.rotate_right(below);
    }

    /// Payments in a bucket.
    fn counted(&self, at: usize) -> u32 {
        let doubling = (at / STEPS).checked_sub(self.lowest).and_then(|row| self.doublings.get(row));
        doubling.map_or(0, |doubling| doubling.steps[at % STEPS])
    }

    /// Counts a payment, unless there have been four thousand million: the shares then stand still.
    fn add(&mut self, minor: i64) -> bool {
        if self.count == u32::MAX {
            return false;
        }
        let (at, _) = bucket(minor);
        let doubling = self.bucket_mut(at);
        doubling.steps[at % STEPS] += 1;
        doubling.count += 1;
        self.count += 1;
        self.sum = self.sum.saturating_add(i128::from(magnitude(minor)));
        true
    }

    /// Takes back what [`Category::add`] added.
    fn take(&mut self, minor: i64) {
        let (at, _) = bucket(minor);
        let doubling = self.bucket_mut(at);
        doubling.steps[at % STEPS] -= 1;
        doubling.count -= 1;
        self.count -= 1;
        self.sum = self.sum.saturating_sub(i128::from(magnitude(minor)));
    }

    /// −ln of the share of payments at least as large.
    fn surprise(&self, minor: i64) -> f64 {
        let (at, into) = bucket(minor);
        let (mut above, mut here) = (self.count, 0);
        if let Some(row) = (at / STEPS).checked_sub(self.lowest) {
            let mut from = self.doublings.iter().skip(row);
            let steps = from.next().map_or(&[][..], |doubling| &doubling.steps[at % STEPS..]);
            here = steps.first().copied().unwrap_or(0);
            above = steps.iter().sum::<u32>() - here + from.map(|doubling| doubling.count).sum::<u32>();
        }
        let (above, here, all) = (f64::from(above), f64::from(here), f64::from(self.count));
        ln((all + 1.0) / (above + here * (1.0 - into) + 1.0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::family::Family;
    use crate::feature::Feature as _;
    use crate::state::Saved;
    use proptest::prelude::*;

    /// A session of one payment, or what pretends to be.
    fn session(first_at: i64, last_at: i64, change: impl Fn(&mut KeptCategory)) -> KeptCategory {
        let mut session =
            KeptCategory { first_at, last_at: Some(last_at), buckets: vec![(7, 1)], sum: 1, recent: Vec::new() };
        change(&mut session);
        session
    }

    /// What cannot have come about is refused: no sessions, sessions that are not one after the other, and numbers that
    /// contradict each other.
    #[test]
    fn impossible_sessions_are_refused() {
        let as_is = |_: &mut KeptCategory| {};
        let check = |sessions: Vec<KeptCategory>| {
            let reach = Reach { lateness: 50, forget: 10, counts: false };
            let mut family = Family::new(CategoryBehaviour, reach, &|_| true);
            let key: <CategoryBehaviour as Rule>::Key = (1, 2, 3);
            let saved = Saved { format: 3, watermark: 100, here: i64::MIN, from: i64::MIN };
            let bytes = postcard::to_allocvec(&(key, sessions)).unwrap();
            assert!((0..bytes.len()).skip(1).all(|length| family.stage(&bytes[..length], saved).is_err()), "cut short");
            family.commit(false);
            let staged = family.stage(&bytes, saved);
            family.commit(staged.is_ok());
            assert_eq!(family.entities(), usize::from(staged.is_ok()));
            staged.is_ok()
        };
        assert!(check(vec![session(60, 70, as_is), session(90, 100, as_is)]));
        assert!(!check(vec![]));
        assert!(!check(vec![session(90, 100, as_is), session(60, 70, as_is)]));
        assert!(!check(vec![session(60, 90, as_is), session(90, 100, as_is)]));
        assert!(!check(vec![session(60, 101, as_is)]), "after the latest payment");
        assert!(!check(vec![session(70, 60, as_is)]));
        let forged: [fn(&mut KeptCategory); 8] = [
            |session| session.last_at = None,
            |session| session.buckets.clear(),
            |session| session.buckets.push((7, 1)),
            |session| session.buckets.push((BUCKETS as u16, 1)),
            |session| session.buckets.push((8, u32::MAX)),
            |session| session.sum = -1,
            |session| session.recent.push((71, 1)),
            |session| session.recent.extend([(65, 1); 2]),
        ];
        for (n, forge) in forged.into_iter().enumerate() {
            assert!(!check(vec![session(60, 70, forge)]), "{n}");
        }
    }

    proptest! {
        #[test]
        fn larger_amounts_are_never_less_strange(
            mut seen in prop::collection::vec(0i64..1_000_000, 1..80),
            a in 0i64..1_000_000,
            b in 0i64..1_000_000,
        ) {
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
