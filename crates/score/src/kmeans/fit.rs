//! Lloyd's algorithm on standardised rows, eight of them side by side.

use fearless_simd::{Level, dispatch};
use ndarray::ArrayView2;
use rayon::prelude::*;

use super::model::{Column, nearest_of_lanes};
use super::{KMeans, KMeansConfig};
use crate::rows::LANES;
use crate::{Error, rng, stats};

/// Groups of rows that are summed as one piece, so that no sum depends on the number of threads.
const PIECE: usize = 64;

pub(super) fn fit(config: &KMeansConfig, rows: ArrayView2<'_, f64>) -> Result<KMeans, Error> {
    let columns: Vec<Column> =
        stats::spreads(rows).into_iter().map(|(mean, deviation)| Column { mean, deviation }).collect();
    let mut rng = rng::stream(config.seed, 0);
    let drawn = rng::sample(&mut rng, rows.nrows(), config.max_samples);
    let sample = Sample::new(rows, &columns, &drawn);

    let n_clusters = config.n_clusters.min(drawn.len());
    let run = |index: usize| {
        let mut rng = rng::stream(config.seed, 1 + index as u64);
        let seeded = sample.seed(n_clusters, &mut rng);
        sample.lloyd(seeded, config.max_iterations, config.tolerance)
    };
    let (mut centroids, mut inertia) = run(0);
    for index in 1..config.n_runs {
        let other = run(index);
        if other.1 < inertia {
            (centroids, inertia) = other;
        }
    }
    while let Some(fewer) = sample.without_small(&centroids, config.min_share) {
        centroids = sample.lloyd(fewer, config.max_iterations, config.tolerance).0;
    }
    KMeans::new(columns, centroids)
}

/// Rows in groups of [`LANES`], each group k × LANES; the last is filled up with copies of the last row.
struct Sample {
    groups: Vec<[f64; LANES]>,
    k: usize,
    n: usize,
}

impl Sample {
    fn new(rows: ArrayView2<'_, f64>, columns: &[Column], drawn: &[usize]) -> Self {
        let k = columns.len();
        let mut groups = vec![[0.0; LANES]; drawn.len().div_ceil(LANES) * k];
        groups.par_chunks_mut(k).zip(drawn.par_chunks(LANES)).for_each(|(group, drawn)| {
            for lane in 0..LANES {
                let row = rows.row(drawn[lane.min(drawn.len() - 1)]);
                for ((to, column), &x) in group.iter_mut().zip(columns).zip(row) {
                    to[lane] = column.standardise(x);
                }
            }
        });
        Self { groups, k, n: drawn.len() }
    }

    fn row(&self, i: usize) -> Vec<f64> {
        self.groups[i / LANES * self.k..][..self.k].iter().map(|x| x[i % LANES]).collect()
    }

    /// Which lanes of a group are rows.
    fn lanes(&self, group: usize) -> usize {
        LANES.min(self.n - group * LANES)
    }

    /// k-means++: every further centre is drawn by its squared distance to the nearest so far, the best of 2 +
    /// ln(clusters) draws. Fewer when the rows have fewer distinct places.
    fn seed(&self, n_clusters: usize, rng: &mut impl rand::RngCore) -> Vec<f64> {
        let draws = 2 + libm::log(n_clusters as f64) as usize;
        let mut centroids = self.row(rng::below(rng, self.n));
        let mut nearest = self.squares_to(&centroids);
        while centroids.len() < n_clusters * self.k {
            let total: f64 = nearest.iter().sum();
            if total <= 0.0 {
                break;
            }
            let candidates = (0..draws).map(|_| {
                let mut left = rng::unit(rng) * total;
                let drawn = nearest.iter().position(|&square| {
                    left -= square;
                    left < 0.0 && square > 0.0
                });
                // Rounding may leave a little of the total.
                let drawn = drawn.or_else(|| nearest.iter().rposition(|&square| square > 0.0)).unwrap_or(0);
                let center = self.row(drawn);
                let mut squares = self.squares_to(&center);
                squares.iter_mut().zip(&nearest).for_each(|(new, &old)| *new = new.min(old));
                (squares.iter().sum::<f64>(), center, squares)
            });
            let best = candidates.reduce(|best, other| if other.0 < best.0 { other } else { best });
            let Some((_, center, squares)) = best else { break };
            centroids.extend(center);
            nearest = squares;
        }
        centroids
    }

    fn squares_to(&self, center: &[f64]) -> Vec<f64> {
        let level = Level::new();
        let mut out = vec![0.0; self.groups.len() / self.k * LANES];
        out.par_chunks_mut(PIECE * LANES).zip(self.groups.par_chunks(PIECE * self.k)).for_each(|(out, groups)| {
            for (out, group) in out.chunks_exact_mut(LANES).zip(groups.chunks_exact(self.k)) {
                let nearest = dispatch!(level, _simd => nearest_of_lanes(group, center));
                out.copy_from_slice(&nearest.1);
            }
        });
        out.truncate(self.n);
        out
    }

    /// Steps until the centres move no further than the tolerance; the centres, and the sum of squared distances to
    /// them. A centre that no row is nearest to is dropped.
    fn lloyd(&self, mut centroids: Vec<f64>, max_iterations: u64, tolerance: f64) -> (Vec<f64>, f64) {
        let mut inertia = f64::INFINITY;
        for _ in 0..max_iterations {
            let found = self.assign(&centroids);
            inertia = found.inertia;
            let moved: f64 = found.means.iter().zip(&centroids).map(|(a, b)| (a - b) * (a - b)).sum();
            let is_smaller = found.means.len() < centroids.len();
            centroids = found.means;
            if !is_smaller && moved <= tolerance * tolerance {
                break;
            }
        }
        (centroids, inertia)
    }

    /// The centres without those that fewer than a share of the rows are nearest to; never without the largest. `None`
    /// when there is none to drop.
    fn without_small(&self, centroids: &[f64], min_share: f64) -> Option<Vec<f64>> {
        let counts = self.assign(centroids).counts;
        let largest = counts.iter().copied().fold(1.0, f64::max);
        // One row is a cluster of its own wherever it stands.
        let least = if min_share > 0.0 { (min_share * self.n as f64).max(3.0).min(largest) } else { 0.0 };
        if counts.iter().all(|&count| count >= least) {
            return None;
        }
        let kept = centroids.chunks_exact(self.k).zip(&counts).filter(|(_, count)| **count >= least);
        Some(kept.flat_map(|(center, _)| center.iter().copied()).collect())
    }

    fn assign(&self, centroids: &[f64]) -> Step {
        let (k, n_centers) = (self.k, centroids.len() / self.k);
        let level = Level::new();
        let pieces: Vec<(Vec<f64>, Vec<f64>, f64)> = self
            .groups
            .par_chunks(PIECE * k)
            .enumerate()
            .map(|(piece, groups)| {
                let (mut sums, mut counts, mut inertia) = (vec![0.0; centroids.len()], vec![0.0; n_centers], 0.0);
                for (i, group) in groups.chunks_exact(k).enumerate() {
                    let (which, squares) = dispatch!(level, _simd => nearest_of_lanes(group, centroids));
                    for lane in 0..self.lanes(piece * PIECE + i) {
                        let center = which[lane];
                        counts[center] += 1.0;
                        inertia += squares[lane];
                        sums[center * k..][..k].iter_mut().zip(group).for_each(|(sum, x)| *sum += x[lane]);
                    }
                }
                (sums, counts, inertia)
            })
            .collect();
        let mut step = Step { means: vec![0.0; centroids.len()], counts: vec![0.0; n_centers], inertia: 0.0 };
        for (sums, counts, inertia) in pieces {
            step.means.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
            step.counts.iter_mut().zip(counts).for_each(|(to, count)| *to += count);
            step.inertia += inertia;
        }
        for (means, &count) in step.means.chunks_exact_mut(k).zip(&step.counts) {
            means.iter_mut().for_each(|x| *x /= count);
        }
        if step.counts.contains(&0.0) {
            let kept = step.means.chunks_exact(k).zip(&step.counts).filter(|(_, count)| **count > 0.0);
            step.means = kept.flat_map(|(mean, _)| mean.iter().copied()).collect();
            step.counts.retain(|&count| count > 0.0);
        }
        step
    }
}

/// What a step of Lloyd's finds: of the centres that have rows, the rows' mean and number.
struct Step {
    means: Vec<f64>,
    counts: Vec<f64>,
    inertia: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmeans::model::nearest;

    fn sample(rows: &[[f64; 2]]) -> Sample {
        let rows = ndarray::arr2(rows);
        let columns = [Column { mean: 0.0, deviation: 1.0 }; 2];
        Sample::new(rows.view(), &columns, &(0..rows.nrows()).collect::<Vec<_>>())
    }

    #[test]
    fn the_last_group_counts_its_rows_once() {
        let rows: Vec<[f64; 2]> = (0..11).map(|i| [f64::from(i / 10 * 9), 1.0]).collect();
        let step = sample(&rows).assign(&[0.0, 1.0, 9.0, 1.0, 50.0, 50.0]);
        assert_eq!((step.means, step.counts, step.inertia), (vec![0.0, 1.0, 9.0, 1.0], vec![10.0, 1.0], 0.0));
    }

    #[test]
    fn seeds_are_as_many_as_there_are_places() {
        let sample = sample(&[[1.0, 1.0], [1.0, 1.0], [2.0, 2.0], [1.0, 1.0]]);
        let mut seeds: Vec<f64> = sample.seed(3, &mut rng::stream(0, 0));
        seeds.sort_by(f64::total_cmp);
        assert_eq!(seeds, [1.0, 1.0, 2.0, 2.0]);
    }

    #[test]
    fn the_largest_always_stays() {
        let few = sample(&[[0.0, 0.0], [0.0, 0.0], [9.0, 9.0]]);
        for share in [0.01, 0.5, 0.99] {
            assert_eq!(few.without_small(&[0.0, 0.0, 9.0, 9.0], share), Some(vec![0.0, 0.0]));
        }
        assert_eq!(few.without_small(&[0.0, 0.0, 9.0, 9.0], 0.0), None);
        let rows: Vec<[f64; 2]> = (0..12).map(|i| if i < 9 { [0.0, 0.0] } else { [9.0, 9.0] }).collect();
        assert_eq!(sample(&rows).without_small(&[0.0, 0.0, 9.0, 9.0], 0.2), None);
        assert_eq!(sample(&rows).without_small(&[0.0, 0.0, 9.0, 9.0], 0.3), Some(vec![0.0, 0.0]));
    }

    #[test]
    fn blocks_and_the_rest_agree_with_one_by_one() {
        let group: Vec<[f64; LANES]> = (0..3).map(|j| std::array::from_fn(|i| ((i * 7 + j * 5) % 11) as f64)).collect();
        let centroids: Vec<f64> = (0..6 * 3).map(|i| f64::from((i * 13) % 17) * 0.6).collect();
        let (which, least) = nearest_of_lanes(&group, &centroids);
        for lane in 0..LANES {
            let of = nearest(&centroids, 3, |j| group[j][lane]);
            assert_eq!((which[lane], least[lane]), of);
        }
    }
}
