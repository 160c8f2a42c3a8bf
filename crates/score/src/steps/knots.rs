//! Ascending numbers, and how many of them lie below a given one.
//!
//! The range is cut into about as many buckets as there are knots by a monotone map, so a bucket's
//! number bounds the answer to the few knots that share it; a search of a fixed number of halvings,
//! the same for every bucket, ends it. Nothing branches on the data, so lookups of neighbouring rows
//! overlap in the processor. Several maps are tried and the one whose fullest bucket is emptiest wins:
//!
//! * linear over the whole range (evenly spread values),
//! * linear over the middle 31/32 (heavy tails, whose few knots share the first and last bucket),
//! * linear in the bit pattern, close to a logarithm, of the value (amounts over many orders of
//!   magnitude), or of its distance to the first or the last knot (values crowded at one end).
//!
//! Whatever the data, the answer is exact: a map only has to be monotone, and in the worst case all
//! knots share a bucket and the lookup is a binary search.

/// Strictly ascending finite numbers with a lookup table.
#[derive(Debug, Clone)]
pub(crate) struct Knots {
    /// The knots, then +∞ so often that the search may overrun.
    values: Vec<f64>,
    len: usize,
    map: Map,
    /// For each bucket the number of knots in earlier buckets.
    start: Vec<u32>,
    /// Halvings after the bucket is known; the fullest bucket holds fewer than 2^halvings knots.
    halvings: u32,
}

#[derive(Debug, Clone, Copy)]
enum Map {
    Linear { low: f64, per_unit: f64, last: f64 },
    Bits { origin: f64, low: i64, high: i64, shift: u32 },
}

impl Knots {
    /// `None` unless the values are finite, strictly ascending and fewer than 2^31.
    pub(crate) fn new(mut values: Vec<f64>) -> Option<Self> {
        let ascending = values.windows(2).all(|w| w[0] < w[1]);
        let len = values.len();
        if !ascending || !values.iter().all(|x| x.is_finite()) || len >= 1 << 31 {
            return None;
        }
        let mut best: Option<(usize, Map, Vec<u32>)> = None;
        for map in Map::candidates(&values) {
            let (fullest, start) = map.fill(&values);
            if best.as_ref().is_none_or(|(least, ..)| fullest < *least) {
                best = Some((fullest, map, start));
            }
        }
        let (fullest, map, start) = best?;
        let halvings = usize::BITS - fullest.leading_zeros();
        values.resize(len + (1 << halvings.max(1)), f64::INFINITY);
        Some(Self { values, len, map, start, halvings })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether knot `index` is x; false for the index past the last.
    pub(crate) fn is(&self, index: usize, x: f64) -> bool {
        self.values[index] == x
    }

    /// Number of knots strictly below x.
    pub(crate) fn count_below(&self, x: f64) -> usize {
        self.search(self.map.bucket(x), self.halvings, x)
    }

    /// `visit(i, knots below xs[i], whether the next knot is xs[i])` for each i.
    pub(crate) fn each_count_below(&self, xs: &[f64], visit: impl FnMut(usize, usize, bool)) {
        // Decided once for all values: the map, and the usual lengths of the search.
        match self.map {
            Map::Linear { low, per_unit, last } => {
                self.each(xs, visit, |x| linear(low, per_unit, last, x));
            }
            Map::Bits { origin, low, high, shift } => {
                self.each(xs, visit, |x| bits(origin, low, high, shift, x));
            }
        }
    }

    #[inline(always)]
    fn each(&self, xs: &[f64], visit: impl FnMut(usize, usize, bool), bucket: impl Fn(f64) -> usize) {
        match self.halvings {
            0 | 1 => self.all::<1>(xs, visit, bucket),
            2 => self.all::<2>(xs, visit, bucket),
            3 => self.all::<3>(xs, visit, bucket),
            4 => self.all::<4>(xs, visit, bucket),
            5 => self.all::<5>(xs, visit, bucket),
            _ => self.all::<0>(xs, visit, bucket),
        }
    }

    /// With so many halvings that the compiler knows of, or as many as there are for 0.
    #[inline(always)]
    fn all<const HALVINGS: u32>(
        &self,
        xs: &[f64],
        mut visit: impl FnMut(usize, usize, bool),
        bucket: impl Fn(f64) -> usize,
    ) {
        let halvings = if HALVINGS > 0 { HALVINGS } else { self.halvings };
        for (i, &x) in xs.iter().enumerate() {
            let below = self.search(bucket(x), halvings, x);
            visit(i, below, self.values[below] == x);
        }
    }

    #[inline(always)]
    fn search(&self, bucket: usize, halvings: u32, x: f64) -> usize {
        let mut below = self.start[bucket] as usize;
        for halving in (0..halvings).rev() {
            let half = 1_usize << halving;
            below += usize::from(self.values[below + half - 1] < x) << halving;
        }
        below
    }
}

impl Map {
    fn candidates(values: &[f64]) -> Vec<Self> {
        let len = values.len();
        // Few knots are worth two buckets each: even ones then have one of their own.
        const FEW: usize = 256;
        let n_buckets = if len <= FEW { 2 * len.next_power_of_two() } else { len.next_power_of_two() };
        let linear = |low: f64, high: f64| Self::Linear {
            low,
            per_unit: n_buckets as f64 / (high - low),
            last: (n_buckets - 1) as f64,
        };
        let [first, .., last] = *values else {
            let only = values.first().copied().unwrap_or(0.0);
            return vec![linear(only, only)];
        };
        let logarithmic = |origin: f64, first: f64, last: f64| {
            let (low, high) = (order(first - origin), order(last - origin));
            let span = high.wrapping_sub(low) as u64;
            let shift = (64 - span.leading_zeros()).saturating_sub(n_buckets.trailing_zeros());
            Self::Bits { origin, low, high, shift: shift.min(63) }
        };
        vec![
            linear(first, last),
            linear(values[len / 64], values[len - 1 - len / 64]),
            logarithmic(0.0, first, last),
            logarithmic(first, values[1], last),
            logarithmic(last, first, values[len - 2]),
        ]
    }

    fn bucket(self, x: f64) -> usize {
        match self {
            Self::Linear { low, per_unit, last } => linear(low, per_unit, last, x),
            Self::Bits { origin, low, high, shift } => bits(origin, low, high, shift, x),
        }
    }

    fn n_buckets(self) -> usize {
        match self {
            Self::Linear { last, .. } => last as usize + 1,
            Self::Bits { low, high, shift, .. } => (high.wrapping_sub(low) as u64 >> shift) as usize + 1,
        }
    }

    /// Knots in the fullest bucket, and the knots before each.
    fn fill(self, values: &[f64]) -> (usize, Vec<u32>) {
        let mut counts = vec![0_u32; self.n_buckets()];
        values.iter().for_each(|&x| counts[self.bucket(x)] += 1);
        let fullest = counts.iter().copied().max().unwrap_or(0);
        let mut before = 0;
        for count in &mut counts {
            before += std::mem::replace(count, before);
        }
        (fullest as usize, counts)
    }
}

/// Monotone in x, as subtraction, multiplication by a positive number, clamping and rounding are; a
/// range too wide or too narrow for `per_unit` gives NaN or the ends, which is monotone as well.
#[inline(always)]
pub(crate) fn linear(low: f64, per_unit: f64, last: f64, x: f64) -> usize {
    let y = (x - low) * per_unit;
    let y = if y > 0.0 { y } else { 0.0 };
    let y = if y < last { y } else { last };
    // Adding 2^52 leaves the integer in the low bits: the conversion a processor vectorises.
    (y + 4_503_599_627_370_496.0).to_bits() as u32 as usize
}

#[inline(always)]
fn bits(origin: f64, low: i64, high: i64, shift: u32, x: f64) -> usize {
    let key = order(x - origin);
    let key = if key > low { key } else { low };
    let key = if key < high { key } else { high };
    (key.wrapping_sub(low) as u64 >> shift) as usize
}

/// Integers in the order of the numbers; −0 and 0 are one.
#[inline(always)]
pub(crate) fn order(x: f64) -> i64 {
    let bits = (x + 0.0).to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

/// The number at a place of that order.
pub(crate) fn in_order(place: i64) -> f64 {
    f64::from_bits((place ^ ((place >> 63) as u64 >> 1) as i64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(mut values: Vec<f64>, probes: &[f64]) {
        values.iter_mut().for_each(|x| *x += 0.0);
        values.sort_by(f64::total_cmp);
        values.dedup();
        let knots = Knots::new(values.clone()).unwrap();
        let around = values.iter().flat_map(|x| [x.next_down(), *x, x.next_up()]);
        let probes: Vec<f64> = probes.iter().copied().chain(around).filter(|x| x.is_finite()).collect();
        for &x in &probes {
            let expect = values.iter().filter(|v| **v < x).count();
            assert_eq!(knots.count_below(x), expect, "{x} in {values:?}");
        }
        knots.each_count_below(&probes, |i, below, is| {
            assert_eq!(below, knots.count_below(probes[i]));
            assert_eq!(is, values.get(below) == Some(&probes[i]));
        });
    }

    #[test]
    fn edges() {
        let probes = [0.0, -0.0, 1.0, -1.0, f64::MAX, f64::MIN, 5e-324, 1e300];
        check(vec![], &probes);
        check(vec![0.0], &probes);
        check(vec![f64::MIN, f64::MAX], &probes);
        check(vec![f64::MIN, -1.0, 0.0, 5e-324, 1e-323, f64::MAX], &probes);
        check((0..1000).map(|i| f64::from(i).exp2().min(1e300)).collect(), &probes);
        check((0..1000).map(|i| 1e15 + f64::from(i)).collect(), &probes);
    }

    #[test]
    fn skewed_data_still_gets_short_searches() {
        let values: Vec<f64> = (0..4096).map(|i| (f64::from(i) / 200.0).exp()).collect();
        assert!(Knots::new(values).unwrap().halvings <= 4);
    }

    #[test]
    fn so_do_values_crowded_at_an_end() {
        for sign in [1.0, -1.0] {
            let mut values: Vec<f64> = (1..4096).map(|i| 5.0 + sign * (f64::from(i) / 150.0 - 12.0).exp()).collect();
            values.sort_by(f64::total_cmp);
            assert!(Knots::new(values).unwrap().halvings <= 4);
        }
    }

    #[test]
    fn what_is_not_ascending_is_refused() {
        assert!(Knots::new(vec![1.0, 1.0]).is_none());
        assert!(Knots::new(vec![2.0, 1.0]).is_none());
        assert!(Knots::new(vec![f64::NAN]).is_none());
        assert!(Knots::new(vec![0.0, f64::INFINITY]).is_none());
    }

    proptest! {
        #[test]
        fn any_numbers(
            values in prop::collection::vec(
                prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
                0..200,
            ),
            probes in prop::collection::vec(prop::num::f64::NORMAL, 1..50),
        ) {
            check(values, &probes);
        }
    }
}
