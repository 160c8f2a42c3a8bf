//! Core rows, their clusters, and the rows at the border.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::model::NOISE;
use super::{Dbscan, DbscanConfig};
use crate::Error;
use crate::neighbours::{Edges, Nearest, Neighbours, furthest, spanning};
use crate::units::Units;

pub(super) fn fit(config: &DbscanConfig, rows: ArrayView2<'_, f64>) -> Result<Dbscan, Error> {
    Neighbours::check(rows)?;
    let units = Units::fit(rows, config.scale);
    let k = rows.ncols();
    let (all, order) = Neighbours::with_order(units.all(rows), k);
    let others = config.min_points - 1;
    let squares = furthest(&all, others);
    let eps = match config.eps {
        Some(eps) => (eps / units.distance(1.0)).clamp(1e-290, 1e290),
        None => knee(&squares),
    };

    let mut cores: Vec<u32> = (0..all.len() as u32).filter(|&p| squares[p as usize].sqrt() <= eps).collect();
    if cores.is_empty() {
        let least = squares.iter().fold(f64::INFINITY, |m, s| if *s < m { *s } else { m });
        cores.extend((0..all.len() as u32).filter(|&p| squares[p as usize] == least));
        let core_rows = cores.iter().flat_map(|&p| all.row(p).iter().copied()).collect();
        let labels = vec![NOISE; all.len()];
        return Ok(Dbscan::new(units, Neighbours::arranged(core_rows, k), eps, labels));
    }
    let core_rows = cores.iter().flat_map(|&p| all.row(p).iter().copied()).collect();
    let index = Neighbours::arranged(core_rows, k);
    let by_place = clusters(&index, &cores.iter().map(|&p| order[p as usize]).collect::<Vec<_>>(), eps);

    // The cluster of every core row, then of every other, by place in all rows.
    let mut of = vec![NOISE; all.len()];
    cores.iter().zip(&by_place).for_each(|(&p, &cluster)| of[p as usize] = cluster);
    let outside: Vec<u32> = (0..all.len() as u32).filter(|&p| of[p as usize] == NOISE).collect();
    let border: Vec<Vec<u32>> = outside
        .par_chunks(Nearest::BATCH)
        .map_init(|| Nearest::new(&all, others), |nearest, places| first_within(nearest, &all, places, eps, &of))
        .collect();
    outside.iter().zip(border.iter().flatten()).for_each(|(&p, &cluster)| of[p as usize] = cluster);
    let mut labels = vec![NOISE; all.len()];
    order.iter().zip(&of).for_each(|(&i, &cluster)| labels[i as usize] = cluster);
    Ok(Dbscan::new(units, index, eps, labels))
}

/// The cluster of every core row, by place: numbered in the order of their first rows of the fit.
fn clusters(index: &Neighbours, order: &[u32], eps: f64) -> Vec<u32> {
    // The largest square whose root is at most eps.
    let mut limit = eps * eps;
    while limit.sqrt() > eps {
        limit = limit.next_down();
    }
    while limit.next_up().sqrt() <= eps {
        limit = limit.next_up();
    }
    // Within eps, all are equally near: whoever was reached need not be compared again.
    let from = vec![limit; index.len()];
    let mut of = vec![NOISE; index.len()];
    let mut n = 0;
    for visit in spanning(index, order, Edges { from: &from, to: &[], limit, by_order: false }) {
        n += u32::from(visit.from.is_none());
        of[visit.place as usize] = n - 1;
    }
    of
}

/// For each of the places, none of them core: the first cluster with a core row within eps.
fn first_within(nearest: &mut Nearest<'_>, all: &Neighbours, places: &[u32], eps: f64, of: &[u32]) -> Vec<u32> {
    let queries: Vec<f64> = places.iter().flat_map(|&p| all.row(p).iter().copied()).collect();
    let mut out = vec![NOISE; places.len()];
    // A row that is not core has fewer than `min_points` − 1 others within eps: all are among its nearest.
    nearest.search(&queries, |i, found| {
        let within = found.iter().take_while(|f| f.square.sqrt() <= eps);
        out[i] = within.map(|f| of[f.place as usize]).min().unwrap_or(NOISE);
    });
    out
}

/// The distance at the knee of the sorted curve without its last twentieth; above 0.
fn knee(squares: &[f64]) -> f64 {
    let mut curve: Vec<f64> = squares.iter().map(|s| s.sqrt()).collect();
    curve.par_sort_unstable_by(f64::total_cmp);
    curve.truncate((0.95 * curve.len() as f64).ceil() as usize);
    let (first, last) = (curve[0], curve[curve.len() - 1]);
    let across = (curve.len() - 1) as f64;
    let mut best = (0.0, last);
    if last > first {
        for (i, &x) in curve.iter().enumerate() {
            let below = i as f64 / across - (x - first) / (last - first);
            if x > 0.0 && below > best.0 {
                best = (below, x);
            }
        }
    }
    if best.1 > 0.0 { best.1 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knees() {
        fn check(distances: &[f64], expect: f64) {
            let squares: Vec<f64> = distances.iter().map(|d| d * d).collect();
            assert_eq!(knee(&squares), expect, "{distances:?}");
        }
        check(&[1.0, 1.0, 1.25, 1.5, 8.0, 16.0], 1.5);
        check(&[8.0, 1.0, 16.0, 1.5, 1.0, 1.25], 1.5);
        check(&[0.0, 0.0, 0.0, 2.0], 2.0);
        // Few far out, however far, move nothing.
        let mut long: Vec<f64> = (0..95).map(|i| if i < 90 { 1.0 } else { f64::from(i - 89) }).collect();
        long.extend([1e3, 1e6, 1e9, 1e9, 1e9]);
        check(&long, 1.0);
        check(&[3.0, 3.0], 3.0);
        check(&[0.0, 0.0], 1.0);
    }
}
