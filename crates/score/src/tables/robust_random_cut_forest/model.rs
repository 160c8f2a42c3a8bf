use ndarray::{ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::RobustRandomCutForestConfig;
use super::tree::{Cause, Tree};
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::PACK;
use crate::score::{check_columns, first_not_finite};
use crate::units::Units;
use crate::{Error, Model, Snapshot, rng};

/// Trees and the rows in them. See the [module](super) documentation.
#[derive(Debug, Clone)]
pub struct RobustRandomCutForest {
    body: Body,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) units: Units,
    pub(super) max_samples: u32,
    pub(super) window: u64,
    pub(super) seed: u64,
    pub(super) n_learned: u64,
    pub(super) trees: Vec<Tree>,
}

impl RobustRandomCutForest {
    pub(crate) const NAME: &'static str = "robust_random_cut_forest";
    const VERSION: u32 = 1;

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<RobustRandomCutForestConfig> {
        Params::new(RobustRandomCutForestConfig::default())
    }

    pub(super) fn new(body: Body) -> Result<Self, Error> {
        let (k, most) = (body.units.n_columns(), body.max_samples as usize);
        let in_range = (2..=65_536).contains(&most) && body.window > 0 && !body.trees.is_empty();
        if !body.units.is_sound() || !in_range || !body.trees.iter().all(|tree| tree.is_sound(k, most)) {
            return Err(SnapshotError::invalid(Self::NAME, "units, parameters or trees out of range"));
        }
        Ok(Self { body })
    }

    /// The model in a snapshot, with all it has learned.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        Self::new(snapshot.decode(Self::NAME, Self::VERSION)?)
    }

    /// Number of trees.
    pub fn n_trees(&self) -> usize {
        self.body.trees.len()
    }

    /// Rows learned since the fit.
    pub fn n_learned(&self) -> u64 {
        self.body.n_learned
    }

    /// Takes in a row (k values), into some of the trees.
    ///
    /// # Errors
    /// [`Error::Columns`] or [`Error::NotFinite`] (row 0); the model is then as it was.
    pub fn learn(&mut self, row: ArrayView1<'_, f64>) -> Result<(), Error> {
        let row = row.insert_axis(Axis(0));
        check_columns(row, self.n_columns())?;
        if let Some((_, column)) = first_not_finite(row) {
            return Err(Error::NotFinite { row: 0, column, value: row[[0, column]] });
        }
        let values: Vec<f64> = row.iter().enumerate().map(|(j, &x)| self.body.units.value(j, x)).collect();
        let Body { max_samples, window, seed, n_learned, trees, .. } = &mut self.body;
        *n_learned += 1;
        let chance = f64::from(*max_samples) / *window as f64;
        trees.par_iter_mut().enumerate().for_each(|(i, tree)| {
            // Streams of the fit have the tree's number; these begin behind them.
            let mut rng = rng::stream(*seed ^ n_learned.rotate_left(32), i as u64);
            let is_full = tree.len() >= *max_samples as usize;
            if is_full && rng::unit(&mut rng) >= chance {
                return;
            }
            if is_full {
                tree.remove(rng::below(&mut rng, tree.len()), values.len());
            }
            tree.insert(&values, &mut rng);
        });
        Ok(())
    }
}

impl Model for RobustRandomCutForest {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.body.units.n_columns()
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        let k = self.n_columns();
        let mut pack = vec![0.0; PACK.min(out.len()) * k];
        for (i, out) in out.chunks_mut(PACK).enumerate() {
            self.body.units.fill(rows, i * PACK, out.len(), &mut pack);
            out.fill(0.0);
            for tree in &self.body.trees {
                for (row, sum) in pack.chunks_exact(k).zip(&mut *out) {
                    *sum += tree.displacement(row, |_, _| {});
                }
            }
            out.iter_mut().for_each(|x| *x /= self.n_trees() as f64);
        }
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        let row: Vec<f64> = row.iter().enumerate().map(|(j, &x)| self.body.units.value(j, x)).collect();
        out.fill(0.0);
        for tree in &self.body.trees {
            tree.displacement(&row, |cause, part| match cause {
                Cause::Column(column) => out[usize::from(column)] += part,
                Cause::Outside { row, around, outside } => {
                    let k = row.len();
                    for (j, &x) in row.iter().enumerate() {
                        let below = if x < around[j] { around[j] - x } else { 0.0 };
                        let above = if x > around[k + j] { x - around[k + j] } else { 0.0 };
                        out[j] += part * ((below + above) / outside);
                    }
                }
            });
        }
        out.iter_mut().for_each(|x| *x /= self.n_trees() as f64);
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, &self.body)
    }
}

predict!(RobustRandomCutForest);
