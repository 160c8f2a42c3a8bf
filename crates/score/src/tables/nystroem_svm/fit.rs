//! The shortest mean of features.

use rayon::prelude::*;

use crate::kde::exp;
use crate::linalg::Whitener;
use crate::neighbours::square_distance;

/// Added to the landmarks' kernels with themselves.
const RIDGE: f64 = 1e-3;

/// Steps at most.
const MOST_STEPS: usize = 500;

/// The squared length may be this much, relative, above the least there is.
const PRECISION: f64 = 1e-4;

/// Weights of the landmarks, and the `nu`-quantile ρ of what they give the sample. Both are rows × k.
pub(super) fn weights(landmarks: &[f64], sample: &[f64], k: usize, gamma: f64, nu: f64) -> (Vec<f64>, f64) {
    let m = landmarks.len() / k;
    let kernels = |row: &[f64]| -> Vec<f64> {
        landmarks.chunks_exact(k).map(|landmark| exp(-gamma * square_distance(row, landmark))).collect()
    };
    let among: Vec<f64> = landmarks.par_chunks_exact(k).flat_map_iter(kernels).collect();
    let Some(whitener) = Whitener::new(vec![0.0; m], among, RIDGE) else {
        // Not reached: a matrix of kernels has no negative eigenvalue, and the ridge is far above rounding.
        return (vec![0.0; m], 0.0);
    };
    let features: Vec<f64> = sample.par_chunks_exact(k).flat_map_iter(|row| whitener.whiten(&kernels(row))).collect();
    let (w, rho) = shortest(&features, m, nu);
    (whitener.whiten_transposed(&w), rho)
}

/// The shortest mean of `features` (n × m) in which no row weighs more than 1 / (nu n), and the nu-quantile of
/// the rows' products with it.
fn shortest(features: &[f64], m: usize, nu: f64) -> (Vec<f64>, f64) {
    let n = features.len() / m;
    let row = |i: usize| &features[i * m..][..m];
    let most = 1.0 / (nu * n as f64);
    // Rows with the full weight; the next one has what is left.
    let n_full = ((nu * n as f64) as usize).min(n - 1);
    let mut w = vec![0.0; m];
    (0..n).for_each(|i| add(&mut w, row(i), 1.0 / n as f64));
    let mut order: Vec<usize> = (0..n).collect();
    let mut rho = 0.0;
    for _ in 0..MOST_STEPS {
        let products: Vec<f64> = features.par_chunks_exact(m).map(|row| dot(row, &w)).collect();
        let by_product = |a: &usize, b: &usize| products[*a].total_cmp(&products[*b]).then(a.cmp(b));
        order.select_nth_unstable_by(n_full, by_product);
        rho = products[order[n_full]];
        // In the order of the rows, so that the sum is the same however they were selected.
        order[..n_full].sort_unstable();
        let mut s = vec![0.0; m];
        order[..n_full].iter().for_each(|&i| add(&mut s, row(i), most));
        let rest = 1.0 - n_full as f64 * most;
        add(&mut s, row(order[n_full]), rest);

        let away: Vec<f64> = w.iter().zip(&s).map(|(w, s)| w - s).collect();
        let (gap, square, length) = (dot(&w, &away), dot(&away, &away), dot(&w, &w));
        if !(gap > PRECISION * length && square > 0.0) {
            break;
        }
        let step = gap / square;
        add(&mut w, &away, -if step < 1.0 { step } else { 1.0 });
    }
    (w, rho)
}

fn add(to: &mut [f64], row: &[f64], factor: f64) {
    to.iter_mut().zip(row).for_each(|(to, x)| *to += factor * x);
}

/// A product summed in eight strands.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        a.iter().zip(b).zip(&mut sums).for_each(|((a, b), sum)| *sum += a * b);
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_mean() {
        // The nearest point to 0 of a triangle, of the segment between the middles of its sides, of its middle.
        let features = [1.0, 1.0, 3.0, 1.0, 1.0, 5.0];
        let (w, _) = shortest(&features, 2, 1.0 / 3.0);
        assert!((w[0] - 1.0).abs() < 1e-2 && (w[1] - 1.0).abs() < 1e-2, "{w:?}");
        let (w, rho) = shortest(&features, 2, 2.0 / 3.0);
        assert!((w[0] - 2.0).abs() < 1e-2 && (w[1] - 1.0).abs() < 1e-2, "{w:?}");
        assert!((rho - 7.0).abs() < 0.1, "{rho}");
        let (w, _) = shortest(&features, 2, 0.999_999);
        assert!((w[0] - 5.0 / 3.0).abs() < 1e-2 && (w[1] - 7.0 / 3.0).abs() < 1e-2, "{w:?}");
    }
}
