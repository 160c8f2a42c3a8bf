//! Sequential minimal optimisation: the least ½ Σ αᵢ αⱼ Kᵢⱼ with 0 ≤ αᵢ ≤ 1 and Σ αᵢ = ν n.

use fearless_simd::{Level, dispatch};

use super::kernel::{Cache, Real, Rows};

/// Numbers compared side by side.
const LANES: usize = 8;

/// What stands for a curvature that is not above 0, as of two equal rows.
const FLAT: f64 = 1e-12;

/// Steps at most, as in libsvm: this many, or [`MOST_STEPS_A_ROW`] for each row if those are more.
const MOST_STEPS: usize = 10_000_000;
const MOST_STEPS_A_ROW: usize = 100;

/// Weights, and ρ.
pub(super) struct Solution {
    pub(super) alpha: Vec<f64>,
    pub(super) rho: f64,
}

/// Steps until no pair of rows violates the conditions by `tolerance`, with at most `bytes` of kernels kept.
pub(super) fn solve<T: Real>(rows: &Rows<T>, nu: f64, tolerance: f64, bytes: usize) -> Solution {
    let n = rows.len();
    let level = Level::new();
    let mut state = State::new(rows, nu);
    let mut cache = Cache::new(rows, bytes);
    for _ in 0..MOST_STEPS.max(n.saturating_mul(MOST_STEPS_A_ROW)) {
        // The row that gains most by a greater weight, and, of those that may give, the one that lowers the sum most
        // with it.
        let (low, i) = dispatch!(level, _simd => state.least());
        let slot_i = cache.slot(i);
        let (worst, j) = dispatch!(level, _simd => state.partner(low, cache.kernels(slot_i)));
        if worst - low < tolerance || j >= n {
            break;
        }
        let slot_j = cache.slot(j);
        let (row_i, row_j) = (cache.kernels(slot_i), cache.kernels(slot_j));
        let curvature = 2.0 - 2.0 * row_i[j].to_f64();
        let curvature = if curvature > 0.0 { curvature } else { FLAT };
        let step = (state.gradient[j] - low) / curvature;
        let step = step.min(1.0 - state.alpha[i]).min(state.alpha[j]);
        state.set(i, if step < 1.0 - state.alpha[i] { state.alpha[i] + step } else { 1.0 });
        state.set(j, state.alpha[j] - step);
        dispatch!(level, _simd => state.shift(step, row_i, row_j));
    }
    state.solution()
}

struct State {
    alpha: Vec<f64>,
    /// Σ αⱼ Kᵢⱼ: what f is at each row.
    gradient: Vec<f64>,
    /// 0 for a row whose weight may grow, ∞ for others.
    full: Vec<f64>,
    /// 0 for a row whose weight may shrink, −∞ for others.
    empty: Vec<f64>,
}

impl State {
    /// The first rows have all the weight.
    fn new<T: Real>(rows: &Rows<T>, nu: f64) -> Self {
        let n = rows.len();
        let total = nu * n as f64;
        let n_full = (total as usize).min(n);
        let mut state =
            Self { alpha: vec![0.0; n], gradient: Vec::new(), full: vec![0.0; n], empty: vec![f64::NEG_INFINITY; n] };
        (0..n_full).for_each(|i| state.set(i, 1.0));
        if n_full < n {
            state.set(n_full, total - n_full as f64);
        }
        state.gradient = rows.sums(&state.alpha[..(n_full + 1).min(n)]);
        state
    }

    fn set(&mut self, i: usize, alpha: f64) {
        self.alpha[i] = alpha;
        self.full[i] = if alpha < 1.0 { 0.0 } else { f64::INFINITY };
        self.empty[i] = if alpha > 0.0 { 0.0 } else { f64::NEG_INFINITY };
    }

    /// The least gradient among rows whose weight may grow, and the first that has it.
    #[inline(always)]
    fn least(&self) -> (f64, usize) {
        let mut best = Best::new();
        for (gradient, full) in self.gradient.chunks(LANES).zip(self.full.chunks(LANES)) {
            let mut values = [f64::NEG_INFINITY; LANES];
            values.iter_mut().zip(gradient).zip(full).for_each(|((v, g), full)| *v = -(g + full));
            best.offer(&values);
        }
        let (most, i) = best.first();
        (-most, i)
    }

    /// The greatest gradient among rows whose weight may shrink; and of those with one above `low` the row by which
    /// an unhindered step gets furthest.
    #[inline(always)]
    fn partner<T: Real>(&self, low: f64, kernels: &[T]) -> (f64, usize) {
        let mut best = Best::new();
        let mut worst = [f64::NEG_INFINITY; LANES];
        let chunks = self.gradient.chunks(LANES).zip(self.empty.chunks(LANES)).zip(kernels.chunks(LANES));
        for ((gradient, empty), kernels) in chunks {
            let mut values = [f64::NEG_INFINITY; LANES];
            let each = values.iter_mut().zip(&mut worst).zip(gradient).zip(empty).zip(kernels);
            for ((((value, worst), gradient), empty), kernel) in each {
                let own = gradient + empty;
                *worst = if own > *worst { own } else { *worst };
                let gap = own - low;
                let curvature = 2.0 - 2.0 * kernel.to_f64();
                let curvature = if curvature > 0.0 { curvature } else { FLAT };
                let gain = gap * gap / curvature;
                *value = if gap > 0.0 { gain } else { f64::NEG_INFINITY };
            }
            best.offer(&values);
        }
        let (_, j) = best.first();
        (worst.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b)), j)
    }

    #[inline(always)]
    fn shift<T: Real>(&mut self, step: f64, row_i: &[T], row_j: &[T]) {
        for ((g, i), j) in self.gradient.iter_mut().zip(row_i).zip(row_j) {
            *g += step * (i.to_f64() - j.to_f64());
        }
    }

    /// ρ is what f is at the edge: the mean over rows with a part of the weight, or the middle between the others.
    fn solution(self) -> Solution {
        let (mut sum, mut count) = (0.0, 0.0);
        let (mut above, mut below) = (f64::INFINITY, f64::NEG_INFINITY);
        for (&alpha, &g) in self.alpha.iter().zip(&self.gradient) {
            if alpha >= 1.0 {
                below = below.max(g);
            } else if alpha <= 0.0 {
                above = above.min(g);
            } else {
                sum += g;
                count += 1.0;
            }
        }
        let rho = if count > 0.0 { sum / count } else { 0.5 * (above + below) };
        Solution { alpha: self.alpha, rho }
    }
}

/// The largest of many numbers, lane by lane.
struct Best {
    values: [f64; LANES],
    /// Whole numbers below 2⁵³.
    chunks: [f64; LANES],
    chunk: f64,
}

impl Best {
    fn new() -> Self {
        Self { values: [f64::NEG_INFINITY; LANES], chunks: [f64::INFINITY; LANES], chunk: 0.0 }
    }

    #[inline(always)]
    fn offer(&mut self, values: &[f64; LANES]) {
        for ((value, best), chunk) in values.iter().zip(&mut self.values).zip(&mut self.chunks) {
            let is_better = value > best;
            *best = if is_better { *value } else { *best };
            *chunk = if is_better { self.chunk } else { *chunk };
        }
        self.chunk += 1.0;
    }

    /// The largest and the first place it has; a place beyond all where there was none.
    fn first(&self) -> (f64, usize) {
        let mut best = (f64::NEG_INFINITY, usize::MAX);
        for lane in 0..LANES {
            let place = (self.chunks[lane] as usize).saturating_mul(LANES).saturating_add(lane);
            if self.values[lane] > best.0 || (self.values[lane] == best.0 && place < best.1) {
                best = (self.values[lane], place);
            }
        }
        best
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // A test that cannot unwrap should fail.
mod tests {
    use super::*;
    use crate::neighbours::square_distance;

    fn values(n: usize, k: usize) -> Vec<f64> {
        let mut rng = crate::rng::stream(3, 0);
        let mut value = |i: usize| crate::rng::unit(&mut rng) * if i.is_multiple_of(17) { 3.0 } else { 1.0 };
        (0..n * k).map(|i| value(i / k)).collect()
    }

    /// What the conditions demand of the weights, with kernels computed anew: f is at most ρ where the weight is 1,
    /// at least ρ where it is 0, and ρ in between.
    fn check<T: Real>(n: usize, k: usize, nu: f64, tolerance: f64, rounding: f64) {
        let values = values(n, k);
        let found = solve(&Rows::<T>::new(&values, k, 1.0), nu, tolerance, 1 << 20);
        let total: f64 = found.alpha.iter().sum();
        assert!((total - nu * n as f64).abs() < 1e-9 * n as f64, "{total}");
        for (row, &alpha) in values.chunks(k).zip(&found.alpha) {
            assert!((0.0..=1.0).contains(&alpha), "{alpha}");
            let kernels = values.chunks(k).map(|other| libm::exp(-square_distance(row, other)));
            let f: f64 = kernels.zip(&found.alpha).map(|(kernel, alpha)| kernel * alpha).sum();
            let off = f - found.rho;
            let within = tolerance + rounding;
            assert!(alpha >= 1.0 || off > -within, "{off} at {alpha}");
            assert!(alpha <= 0.0 || off < within, "{off} at {alpha}");
        }
    }

    #[test]
    fn conditions_hold() {
        for nu in [1e-6, 0.01, 0.1, 0.5, 0.9, 0.999_999] {
            for (n, k) in [(1, 1), (2, 3), (9, 1), (100, 2), (501, 7)] {
                check::<f64>(n, k, nu, 1e-6, 1e-9);
                check::<f32>(n, k, nu, 1e-3, 1e-4);
            }
        }
    }

    #[test]
    fn equal_rows_share_any_weights() {
        let found = solve(&Rows::<f64>::new(&[2.0; 30], 3, 1.0), 0.25, 1e-3, 0);
        assert_eq!((found.alpha.iter().sum::<f64>(), found.rho), (2.5, 2.5));
    }

    #[test]
    fn neither_threads_nor_room_change_a_bit() {
        let (n, k) = (1_500, 100);
        let values = values(n, k);
        let rows = Rows::<f32>::new(&values, k, 0.2);
        let run = |threads: usize, bytes: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| solve(&rows, 0.3, 1e-3, bytes));
            (found.alpha, found.rho)
        };
        let one = run(1, 1 << 24);
        assert!(one == run(2, 1 << 24) && one == run(3, 0) && one == run(1, 50_000));
    }
}
