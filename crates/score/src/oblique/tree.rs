//! One tree of hyperplanes.

use rand::RngCore;
use serde::{Deserialize, Serialize};

use crate::isolation_forest::expected_depth;
use crate::rng;
use crate::units::Units;
use ndarray::ArrayView2;

/// Largest weight of a hyperplane: with values up to 1e100, sums stay finite.
pub(super) const MOST_WEIGHT: f64 = 1e100;

/// Σ weight × value; a row for which it is above `threshold` goes right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plane {
    pub(crate) columns: Vec<u16>,
    pub(crate) weights: Vec<f64>,
    pub(crate) threshold: f64,
    /// A row whose sum lies beyond these was not split from the rows here, and goes on for nothing.
    pub(crate) range: (f64, f64),
}

impl Plane {
    pub(crate) fn project(&self, row: &[f64]) -> f64 {
        self.columns.iter().zip(&self.weights).fold(0.0, |sum, (&j, w)| sum + w * row[usize::from(j)])
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Node {
    /// Rows of the fit.
    count: u32,
    split: Option<Split>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Split {
    plane: Plane,
    /// Places of the children, above the node's own.
    children: [u32; 2],
}

/// Nodes, the root first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

/// Rows drawn for a tree, row after row, in units.
pub(crate) fn sample(rows: ArrayView2<'_, f64>, units: &Units, n_samples: usize, rng: &mut impl RngCore) -> Vec<f64> {
    let drawn = rng::sample(rng, rows.nrows(), n_samples);
    let value = |row: usize| rows.row(row).into_iter().enumerate().map(|(j, &x)| units.value(j, x));
    drawn.into_iter().flat_map(value).collect()
}

/// Grows a tree on `sample` (rows × k). `split` is given the rows of a node, and its depth, and finds a plane
/// or ends the branch.
pub(crate) fn grow(sample: &[f64], k: usize, mut split: impl FnMut(&[&[f64]], u32) -> Option<Plane>) -> Tree {
    let mut members: Vec<&[f64]> = sample.chunks_exact(k).collect();
    let mut tree = Tree { nodes: vec![] };
    tree.add(&mut members, 0, &mut split);
    tree
}

impl Tree {
    fn add(
        &mut self,
        members: &mut [&[f64]],
        depth: u32,
        split: &mut impl FnMut(&[&[f64]], u32) -> Option<Plane>,
    ) -> u32 {
        let at = self.nodes.len();
        // At most 65,536 rows make fewer than 2^32 nodes.
        self.nodes.push(Node { count: members.len() as u32, split: None });
        if members.len() > 1
            && let Some(plane) = split(members, depth)
        {
            let mut n_left = 0;
            for i in 0..members.len() {
                if plane.project(members[i]) <= plane.threshold {
                    members.swap(i, n_left);
                    n_left += 1;
                }
            }
            let (left, right) = members.split_at_mut(n_left);
            let children = [self.add(left, depth + 1, split), self.add(right, depth + 1, split)];
            self.nodes[at].split = Some(Split { plane, children });
        }
        at as u32
    }

    /// Whether this is what a fit on `n_samples` rows of `k` columns produces.
    pub(super) fn is_sound(&self, n_samples: usize, k: usize) -> bool {
        let count = |place: u32| self.nodes.get(place as usize).map(|node| u64::from(node.count));
        let fine = |(at, node): (usize, &Node)| {
            let Some(Split { plane, children }) = &node.split else { return true };
            let (low, high) = plane.range;
            let below = children.iter().all(|&child| child as usize > at);
            let counts = children.map(count);
            let together = if let [Some(a), Some(b)] = counts { a + b == u64::from(node.count) } else { false };
            below
                && together
                && node.count > 0
                && !plane.threshold.is_nan()
                && low <= high
                && plane.columns.len() == plane.weights.len()
                && plane.columns.iter().all(|&j| usize::from(j) < k)
                && plane.weights.iter().all(|w| w.abs() <= MOST_WEIGHT)
        };
        count(0) == Some(n_samples as u64) && self.nodes.iter().enumerate().all(fine)
    }

    /// For each node the mean expected depth of the fit's rows in it, without the depth of the node itself.
    pub(super) fn means(&self) -> Vec<f64> {
        let mut means: Vec<f64> = vec![0.0; self.nodes.len()];
        // Children stand behind their parents.
        for at in (0..self.nodes.len()).rev() {
            let node = &self.nodes[at];
            means[at] = match &node.split {
                None => expected_depth(u64::from(node.count)),
                Some(Split { children, .. }) => {
                    let part = |child: u32| f64::from(self.nodes[child as usize].count) * means[child as usize];
                    1.0 + (part(children[0]) + part(children[1])) / f64::from(node.count)
                }
            };
        }
        means
    }

    /// The plane and the children of a node that is no leaf.
    pub(super) fn split(&self, at: usize) -> Option<(&Plane, [u32; 2])> {
        self.nodes[at].split.as_ref().map(|split| (&split.plane, split.children))
    }

    /// From the root to the row's leaf: `visit(plane, node, child, is_in_range)` at each split. Returns the leaf.
    #[inline(always)]
    pub(super) fn walk(&self, row: &[f64], mut visit: impl FnMut(&Plane, usize, usize, bool)) -> usize {
        let mut at = 0;
        while let Some(Split { plane, children }) = &self.nodes[at].split {
            let y = plane.project(row);
            let child = children[usize::from(y > plane.threshold)] as usize;
            visit(plane, at, child, plane.range.0 <= y && y <= plane.range.1);
            at = child;
        }
        at
    }
}
