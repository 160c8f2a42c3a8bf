use rand::RngCore;
use serde::{Deserialize, Serialize};

use crate::rng;

/// A complete binary tree in heap order: the root is 1, the children of i are 2i and 2i + 1; 0 is unused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    /// 2^height columns and thresholds; a value above goes right.
    columns: Vec<u16>,
    thresholds: Vec<f64>,
    /// 2^(height + 1) shares of the reference window.
    masses: Vec<f64>,
    /// As many counts of the latest window.
    latest: Vec<u32>,
}

impl Tree {
    /// A tree without masses over the unit cube of k columns, which cuts `varying` ones (not empty).
    pub(super) fn grow(height: u32, k: usize, varying: &[u16], rng: &mut impl RngCore) -> Self {
        // A point of the cube, and twice the way from there to the further side in both directions.
        let range = |_| {
            let s = rng::unit(rng);
            let reach = 2.0 * if s > 0.5 { s } else { 1.0 - s };
            (s - reach, s + reach)
        };
        let mut ranges: Vec<(f64, f64)> = (0..k).map(range).collect();
        let size = 1 << height;
        let mut tree = Self {
            columns: vec![0; size],
            thresholds: vec![0.0; size],
            masses: vec![0.0; 2 * size],
            latest: vec![0; 2 * size],
        };
        tree.halve(1, &mut ranges, varying, rng);
        tree
    }

    fn halve(&mut self, at: usize, ranges: &mut [(f64, f64)], varying: &[u16], rng: &mut impl RngCore) {
        if at >= self.columns.len() {
            return;
        }
        let column = varying[rng::below(rng, varying.len())];
        let range = ranges[usize::from(column)];
        let threshold = 0.5 * (range.0 + range.1);
        self.columns[at] = column;
        self.thresholds[at] = threshold;
        ranges[usize::from(column)] = (range.0, threshold);
        self.halve(2 * at, ranges, varying, rng);
        ranges[usize::from(column)] = (threshold, range.1);
        self.halve(2 * at + 1, ranges, varying, rng);
        ranges[usize::from(column)] = range;
    }

    pub(super) fn is_sound(&self, height: u32, k: usize, window: u32) -> bool {
        let size = 1_usize << height;
        self.columns.len() == size
            && self.thresholds.len() == size
            && self.masses.len() == 2 * size
            && self.latest.len() == 2 * size
            && self.columns.iter().all(|&j| usize::from(j) < k)
            && self.thresholds.iter().all(|x| x.is_finite())
            && self.masses.iter().all(|x| (0.0..=1.0).contains(x))
            && self.latest.iter().all(|&c| c < window)
    }

    fn child(&self, at: usize, row: &[f64]) -> usize {
        2 * at + usize::from(row[usize::from(self.columns[at])] > self.thresholds[at])
    }

    /// Counts a row in the latest window.
    pub(super) fn count(&mut self, row: &[f64]) {
        let mut at = 1;
        loop {
            self.latest[at] += 1;
            if at >= self.columns.len() {
                return;
            }
            at = self.child(at, row);
        }
    }

    /// The latest window, of `n` rows, becomes the reference.
    pub(super) fn turn(&mut self, n: u32) {
        for (mass, count) in self.masses.iter_mut().zip(&mut self.latest) {
            *mass = f64::from(*count) / f64::from(n);
            *count = 0;
        }
    }

    /// Mass times 2^depth where the row's walk ends; `visit(column, before, after)` at each split on the way.
    #[inline(always)]
    pub(super) fn density(&self, row: &[f64], size_limit: f64, mut visit: impl FnMut(usize, f64, f64)) -> f64 {
        let (mut at, mut volumes) = (1, 1.0);
        while at < self.columns.len() && self.masses[at] > size_limit {
            let child = self.child(at, row);
            let before = self.masses[at] * volumes;
            volumes *= 2.0;
            visit(usize::from(self.columns[at]), before, self.masses[child] * volumes);
            at = child;
        }
        self.masses[at] * volumes
    }
}
