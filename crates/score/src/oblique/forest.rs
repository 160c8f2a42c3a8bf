//! Many trees, and the score they make.

use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::flat::{self, Step};
use super::tree::Tree;
use crate::error::SnapshotError;
use crate::isolation_forest::expected_depth;
use crate::rows::PACK;
use crate::units::Units;
use crate::{Error, Snapshot};

/// Fitted trees.
#[derive(Debug, Clone)]
pub(crate) struct Forest {
    units: Units,
    n_samples: usize,
    trees: Vec<Tree>,
    /// For each tree, its [`Tree::means`].
    means: Vec<Vec<f64>>,
    /// The trees once more, for a fast walk; none if a plane takes many columns.
    flat: Vec<Vec<Step>>,
}

/// What is stored; the rest follows from it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) units: Units,
    pub(crate) n_samples: u64,
    pub(crate) trees: Vec<Tree>,
}

impl Forest {
    pub(crate) fn new(name: &'static str, body: Body) -> Result<Self, Error> {
        let Body { units, n_samples, trees } = body;
        let n_samples = usize::try_from(n_samples).unwrap_or(0);
        let k = units.n_columns();
        let in_range = (1..=65_536).contains(&n_samples) && !trees.is_empty();
        if !units.is_sound() || !in_range || !trees.iter().all(|tree| tree.is_sound(n_samples, k)) {
            return Err(SnapshotError::invalid(name, "units, rows or a tree out of range"));
        }
        let means: Vec<Vec<f64>> = trees.iter().map(Tree::means).collect();
        let flat: Option<Vec<_>> = trees.iter().zip(&means).map(|(tree, means)| Step::of(tree, means)).collect();
        Ok(Self { units, n_samples, trees, means, flat: flat.unwrap_or_default() })
    }

    pub(crate) fn from_snapshot(snapshot: &Snapshot, name: &'static str, version: u32) -> Result<Self, Error> {
        Self::new(name, snapshot.decode(name, version)?)
    }

    pub(crate) fn snapshot(&self, name: &'static str, version: u32) -> Snapshot {
        Snapshot::new(name, version, &(&self.units, self.n_samples as u64, &self.trees))
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.units.n_columns()
    }

    pub(crate) fn n_trees(&self) -> usize {
        self.trees.len()
    }

    pub(crate) fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let k = self.n_columns();
        let mut pack = vec![0.0; PACK.min(out.len()) * k];
        for (i, out) in out.chunks_mut(PACK).enumerate() {
            self.units.fill(rows, i * PACK, out.len(), &mut pack);
            out.fill(0.0);
            // Tree by tree, so that a tree is read from far once for 64 rows.
            for tree in &self.flat {
                flat::add(tree, &pack[..out.len() * k], k, out);
            }
            let walked = self.flat.len();
            for (tree, means) in self.trees.iter().zip(&self.means).skip(walked) {
                for (row, sum) in pack.chunks_exact(k).zip(&mut *out) {
                    let mut depth = 0_u32;
                    let leaf = tree.walk(row, |_, _, _, is_in_range| depth += u32::from(is_in_range));
                    *sum += f64::from(depth) + means[leaf];
                }
            }
            out.iter_mut().for_each(|sum| *sum = self.to_score(*sum));
        }
    }

    /// As the isolation forest's: the score, shared by what each column shortens the path by.
    pub(crate) fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let row: Vec<f64> = row.iter().enumerate().map(|(j, &x)| self.units.value(j, x)).collect();
        out.fill(0.0);
        let mut sum = 0.0;
        for (tree, means) in self.trees.iter().zip(&self.means) {
            let mut depth = 0_u32;
            let leaf = tree.walk(&row, |plane, node, child, is_in_range| {
                depth += u32::from(is_in_range);
                let effect = means[child] - means[node] + f64::from(u8::from(is_in_range));
                let size = |(&j, w): (&u16, &f64)| (w * row[usize::from(j)]).abs();
                let total: f64 = plane.columns.iter().zip(&plane.weights).map(size).sum();
                let even = 1.0 / plane.columns.len() as f64;
                for (j, w) in plane.columns.iter().zip(&plane.weights) {
                    out[usize::from(*j)] += effect * if total > 0.0 { size((j, w)) / total } else { even };
                }
            });
            sum += f64::from(depth) + means[leaf];
        }
        let score = self.to_score(sum);
        // What lengthened the path makes the row no stranger.
        out.iter_mut().for_each(|x| *x = if *x < 0.0 { -*x } else { 0.0 });
        let total: f64 = out.iter().sum();
        let even = score / out.len() as f64;
        out.iter_mut().for_each(|x| *x = if total > 0.0 { *x / total * score } else { even });
    }

    /// From the sum of a row's depths over the trees to its score.
    fn to_score(&self, sum: f64) -> f64 {
        let normal = expected_depth(self.n_samples as u64);
        if normal > 0.0 { libm::exp2(-sum / (self.trees.len() as f64 * normal)) } else { 0.5 }
    }
}
