//! Eigenvalues and eigenvectors of a symmetric matrix.

use fearless_simd::{Level, dispatch};
use rayon::prelude::*;

/// Eigenvalues in descending order, and their vectors one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Eigen {
    pub(crate) values: Vec<f64>,
    /// k × k: row c belongs to value c.
    pub(crate) vectors: Vec<f64>,
}

/// Householder reflections to a tridiagonal matrix, then the QL algorithm with implicit shifts
/// (Bowdler, Martin, Reinsch and Wilkinson, *The QR and QL algorithms for symmetric matrices*,
/// Numer. Math. 11, 1968). O(k³).
///
/// A vector's sign is chosen so that its largest component, the first of equals, is positive.
pub(crate) fn eigen(matrix: Vec<f64>, k: usize) -> Eigen {
    let level = Level::new();
    let (mut diagonal, mut beside, reflections) = dispatch!(level, _simd => tridiagonal(matrix, k));
    let mut vectors = vec![0.0; k * k];
    (0..k).for_each(|i| vectors[i * k + i] = 1.0);
    dispatch!(level, _simd => ql(&mut diagonal, &mut beside, &mut vectors, k));

    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&a, &b| diagonal[b].total_cmp(&diagonal[a]));
    let sorted = order.par_iter().flat_map_iter(|&c| {
        let mut vector = vectors[c * k..][..k].to_vec();
        for (s, v) in reflections.iter().enumerate().rev() {
            reflect(v, &mut vector[s + 1..]);
        }
        let largest = vector.iter().fold(0.0_f64, |m, x| if x.abs() > m.abs() { *x } else { m });
        if largest < 0.0 {
            vector.iter_mut().for_each(|x| *x = -*x);
        }
        vector
    });
    Eigen { vectors: sorted.collect(), values: order.iter().map(|&c| diagonal[c]).collect() }
}

/// x less twice its part along the unit vector v.
#[inline(always)]
fn reflect(v: &[f64], x: &mut [f64]) {
    let along = 2.0 * dot(v, x);
    x.iter_mut().zip(v).for_each(|(x, v)| *x -= along * v);
}

/// A product summed in eight strands.
#[inline(always)]
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    for (a, b) in a8.iter().zip(b8) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// The diagonal, what stands beside it (then a 0), and the unit vectors that reflected the matrix to it.
#[inline(always)]
fn tridiagonal(mut a: Vec<f64>, k: usize) -> (Vec<f64>, Vec<f64>, Vec<Vec<f64>>) {
    let mut beside = vec![0.0; k];
    let mut reflections = Vec::with_capacity(k.saturating_sub(2));
    for s in 0..k.saturating_sub(2) {
        let mut v = a[s * k + s + 1..][..k - s - 1].to_vec();
        let scale = v.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        if scale > 0.0 {
            v.iter_mut().for_each(|x| *x /= scale);
            let length = dot(&v, &v).sqrt();
            let to = if v[0] > 0.0 { -length } else { length };
            v[0] -= to;
            let length = dot(&v, &v).sqrt();
            v.iter_mut().for_each(|x| *x /= length);
            beside[s] = to * scale;
        }
        let from = s + 1;
        let mut w: Vec<f64> = (from..k).map(|i| dot(&a[i * k + from..][..k - from], &v)).collect();
        let along = dot(&w, &v);
        w.iter_mut().zip(&v).for_each(|(w, v)| *w = 2.0 * (*w - along * v));
        for (i, (vi, wi)) in v.iter().zip(&w).enumerate() {
            let row = &mut a[(from + i) * k + from..][..k - from];
            for ((x, vj), wj) in row.iter_mut().zip(&v).zip(&w) {
                *x -= vi * wj + wi * vj;
            }
        }
        reflections.push(v);
    }
    if k >= 2 {
        beside[k - 2] = a[(k - 2) * k + k - 1];
    }
    ((0..k).map(|i| a[i * k + i]).collect(), beside, reflections)
}

#[inline(always)]
fn ql(d: &mut [f64], e: &mut [f64], vectors: &mut [f64], k: usize) {
    /// Far more than it ever takes; a bound nonetheless.
    const STEPS: usize = 100;
    let mut shift = 0.0;
    let mut size = 0.0_f64;
    for l in 0..k {
        size = size.max(d[l].abs() + e[l].abs());
        let negligible = f64::EPSILON * size;
        for _ in 0..STEPS {
            let m = (l..k - 1).find(|&i| e[i].abs() <= negligible).unwrap_or(k - 1);
            if m == l {
                break;
            }
            let g = d[l];
            let p = (d[l + 1] - g) / (2.0 * e[l]);
            let r = if p < 0.0 { -length(p, 1.0) } else { length(p, 1.0) };
            d[l] = e[l] / (p + r);
            d[l + 1] = e[l] * (p + r);
            let next = d[l + 1];
            let h = g - d[l];
            d[l + 2..].iter_mut().for_each(|x| *x -= h);
            shift += h;

            let mut p = d[m];
            let (mut c, mut c2, mut c3) = (1.0, 1.0, 1.0);
            let (mut s, mut s2) = (0.0, 0.0);
            let after = e[l + 1];
            for i in (l..m).rev() {
                (c3, c2, s2) = (c2, c, s);
                let g = c * e[i];
                let h = c * p;
                let r = length(p, e[i]);
                e[i + 1] = s * r;
                (s, c) = if r > 0.0 { (e[i] / r, p / r) } else { (0.0, 1.0) };
                p = c * d[i] - s * g;
                d[i + 1] = h + s * (c * g + s * d[i]);
                let (low, high) = vectors[i * k..][..2 * k].split_at_mut(k);
                for (a, b) in low.iter_mut().zip(high) {
                    let h = *b;
                    *b = s * *a + c * h;
                    *a = c * *a - s * h;
                }
            }
            p = if next == 0.0 { 0.0 } else { -s * s2 * c3 * after * e[l] / next };
            e[l] = s * p;
            d[l] = c * p;
        }
        d[l] += shift;
        e[l] = 0.0;
    }
}

#[inline(always)]
fn length(a: f64, b: f64) -> f64 {
    let (a, b) = (a.abs(), b.abs());
    let (large, small) = if a > b { (a, b) } else { (b, a) };
    if large == 0.0 {
        return 0.0;
    }
    let q = small / large;
    large * (1.0 + q * q).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng;

    fn check(matrix: &[f64], k: usize) -> Eigen {
        let found = eigen(matrix.to_vec(), k);
        let size = matrix.iter().fold(1e-300_f64, |m, x| m.max(x.abs()));
        assert!(found.values.windows(2).all(|w| w[0] >= w[1]));
        for c in 0..k {
            let v = &found.vectors[c * k..][..k];
            for i in 0..k {
                let product = dot(&matrix[i * k..][..k], v);
                let off = (product - found.values[c] * v[i]).abs();
                assert!(off <= 1e-12 * size * k as f64, "value {c}, place {i}: off by {off}");
            }
            for other in 0..k {
                let expect = f64::from(u8::from(c == other));
                assert!((dot(v, &found.vectors[other * k..][..k]) - expect).abs() < 1e-12);
            }
        }
        found
    }

    #[test]
    fn small_ones() {
        assert_eq!(check(&[3.0], 1).values, [3.0]);
        let found = check(&[2.0, 1.0, 1.0, 2.0], 2);
        assert!((found.values[0] - 3.0).abs() < 1e-15 && (found.values[1] - 1.0).abs() < 1e-15);
        check(&[0.0; 16], 4);
        check(&[1.0; 25], 5);
        check(&[4.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 9.0], 3);
    }

    #[test]
    fn random_ones() {
        for (k, rank) in [(3, 3), (10, 4), (40, 40), (90, 20)] {
            let mut rng = rng::stream(5, k as u64);
            let factors: Vec<f64> = (0..k * rank).map(|_| rng::unit(&mut rng) - 0.5).collect();
            let row = |i: usize| &factors[i * rank..][..rank];
            let matrix: Vec<f64> = (0..k * k).map(|at| dot(row(at / k), row(at % k))).collect();
            let found = check(&matrix, k);
            assert!(found.values[rank.min(k - 1)..].iter().skip(usize::from(rank == k)).all(|x| x.abs() < 1e-12));
        }
    }
}
