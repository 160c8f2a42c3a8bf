use rand::RngCore;
use serde::{Deserialize, Serialize};

use crate::rng;
use crate::units::FURTHEST;

/// No node.
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Node {
    parent: u32,
    /// [`NONE`] twice for a leaf.
    children: [u32; 2],
    column: u16,
    /// A value above goes right.
    cut: f64,
    /// Rows below; for a leaf, how often its row is there.
    count: u32,
}

/// A random cut tree. Places of nodes are kept when rows come and go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// For each place, the least and then the greatest value in each of the k columns.
    boxes: Vec<f64>,
    /// Places without a node.
    free: Vec<u32>,
    root: u32,
}

impl Tree {
    /// Grows a tree on rows, at least one.
    pub(super) fn grow(rows: &[f64], k: usize, rng: &mut impl RngCore) -> Self {
        let mut members: Vec<&[f64]> = rows.chunks_exact(k).collect();
        let mut tree = Self { nodes: vec![], boxes: vec![], free: vec![], root: 0 };
        tree.add(&mut members, NONE, rng);
        tree
    }

    fn add(&mut self, members: &mut [&[f64]], parent: u32, rng: &mut impl RngCore) -> u32 {
        let k = members[0].len();
        let at = self.place(k);
        let around = self.around_mut(at, k);
        around[..k].copy_from_slice(members[0]);
        around[k..].copy_from_slice(members[0]);
        members.iter().for_each(|row| widen(around, row));
        let total: f64 = (0..k).map(|j| around[k + j] - around[j]).sum();
        let count = members.len() as u32;
        self.nodes[at as usize] = Node { parent, children: [NONE; 2], column: 0, cut: 0.0, count };
        if total > 0.0 {
            let (column, cut) = draw(self.around(at, k), total, rng);
            let mut n_left = 0;
            for i in 0..members.len() {
                if members[i][column] <= cut {
                    members.swap(i, n_left);
                    n_left += 1;
                }
            }
            let (left, right) = members.split_at_mut(n_left);
            let children = [self.add(left, at, rng), self.add(right, at, rng)];
            let node = &mut self.nodes[at as usize];
            (node.children, node.column, node.cut) = (children, column as u16, cut);
        }
        at
    }

    /// A place for a node.
    fn place(&mut self, k: usize) -> u32 {
        if let Some(place) = self.free.pop() {
            return place;
        }
        let node = Node { parent: NONE, children: [NONE; 2], column: 0, cut: 0.0, count: 0 };
        self.nodes.push(node);
        self.boxes.resize(self.nodes.len() * 2 * k, 0.0);
        // At most twice as many as there are rows, which are 65,536 at most.
        self.nodes.len() as u32 - 1
    }

    fn around(&self, at: u32, k: usize) -> &[f64] {
        &self.boxes[at as usize * 2 * k..][..2 * k]
    }

    fn around_mut(&mut self, at: u32, k: usize) -> &mut [f64] {
        &mut self.boxes[at as usize * 2 * k..][..2 * k]
    }

    fn is_leaf(&self, at: u32) -> bool {
        self.nodes[at as usize].children[0] == NONE
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.nodes[self.root as usize].count as usize
    }

    /// Puts a row into the tree, as if the tree had been grown with it.
    pub(super) fn insert(&mut self, row: &[f64], rng: &mut impl RngCore) {
        let k = row.len();
        let mut at = self.root;
        loop {
            if self.is_leaf(at) && self.around(at, k)[..k] == *row {
                self.nodes[at as usize].count += 1;
                break;
            }
            let mut around = self.around(at, k).to_vec();
            widen(&mut around, row);
            let total: f64 = (0..k).map(|j| around[k + j] - around[j]).sum();
            let (column, cut) = draw(&around, total, rng);
            let here = self.around(at, k);
            let (low, high) = (here[column], here[k + column]);
            let is_left = row[column] <= cut && cut < low;
            let is_right = high <= cut && cut < row[column];
            if is_left || is_right {
                self.put_beside(at, row, is_left, column, cut, &around);
                at = self.nodes[at as usize].parent;
                break;
            }
            if self.is_leaf(at) {
                // Two rows that differ by less than any cut between them: one place for both.
                self.nodes[at as usize].count += 1;
                break;
            }
            let node = self.nodes[at as usize];
            at = node.children[usize::from(row[usize::from(node.column)] > node.cut)];
        }
        // Upwards from the new node, or from the leaf that grew.
        let mut above = self.nodes[at as usize].parent;
        while above != NONE {
            self.nodes[above as usize].count += 1;
            widen(self.around_mut(above, k), row);
            above = self.nodes[above as usize].parent;
        }
    }

    /// A new leaf for the row, and a new node above it and `at`.
    fn put_beside(&mut self, at: u32, row: &[f64], is_left: bool, column: usize, cut: f64, around: &[f64]) {
        let k = row.len();
        let (leaf, joint) = (self.place(k), self.place(k));
        let Node { parent, count, .. } = self.nodes[at as usize];
        self.nodes[leaf as usize] = Node { parent: joint, children: [NONE; 2], column: 0, cut: 0.0, count: 1 };
        let children = if is_left { [leaf, at] } else { [at, leaf] };
        self.nodes[joint as usize] = Node { parent, children, column: column as u16, cut, count: count + 1 };
        self.nodes[at as usize].parent = joint;
        self.replace(parent, at, joint);
        self.around_mut(joint, k).copy_from_slice(around);
        let leafs = self.around_mut(leaf, k);
        leafs[..k].copy_from_slice(row);
        leafs[k..].copy_from_slice(row);
    }

    /// Puts `new` where `old` was below `parent`, or at the root.
    fn replace(&mut self, parent: u32, old: u32, new: u32) {
        if parent == NONE {
            self.root = new;
            return;
        }
        let children = &mut self.nodes[parent as usize].children;
        children[usize::from(children[0] != old)] = new;
    }

    /// Takes out the i-th row, counted from left to right. The last row stays.
    pub(super) fn remove(&mut self, mut i: usize, k: usize) {
        if self.len() < 2 {
            return;
        }
        let mut at = self.root;
        while !self.is_leaf(at) {
            let [left, right] = self.nodes[at as usize].children;
            let n_left = self.nodes[left as usize].count as usize;
            at = if i < n_left { left } else { right };
            i -= if i < n_left { 0 } else { n_left };
        }
        let mut above = self.nodes[at as usize].parent;
        self.nodes[at as usize].count -= 1;
        if self.nodes[at as usize].count == 0 {
            // The sibling takes the place of its parent; the leaf is not alone.
            let joint = self.nodes[above as usize];
            let sibling = joint.children[usize::from(joint.children[0] == at)];
            self.nodes[sibling as usize].parent = joint.parent;
            self.replace(joint.parent, above, sibling);
            self.free.extend([at, above]);
            above = joint.parent;
        }
        while above != NONE {
            let [left, right] = self.nodes[above as usize].children;
            self.nodes[above as usize].count -= 1;
            let mut around = self.around(left, k).to_vec();
            let other = self.around(right, k);
            widen(&mut around, &other[..k]);
            widen(&mut around, &other[k..]);
            self.around_mut(above, k).copy_from_slice(&around);
            above = self.nodes[above as usize].parent;
        }
    }

    /// Expected collusive displacement of a row. `share(what, part)` is given what each part of it is due to.
    #[inline(always)]
    pub(super) fn displacement(&self, row: &[f64], mut share: impl FnMut(Cause<'_>, f64)) -> f64 {
        let k = row.len();
        // Largest displacement among the branches above, with the row counted in, and as it is in the tree.
        let (mut with, mut within) = ((0.0, 0_u16), (0.0, 0_u16));
        let (mut total, mut reach) = (0.0, 1.0);
        let mut at = self.root;
        loop {
            let node = &self.nodes[at as usize];
            let around = self.around(at, k);
            let (mut outside, mut wide) = (0.0, 0.0);
            for j in 0..k {
                let (low, high, x) = (around[j], around[k + j], row[j]);
                let below = if x < low { low - x } else { 0.0 };
                let above = if x > high { x - high } else { 0.0 };
                outside += below + above;
                wide += high - low;
            }
            let is_leaf = node.children[0] == NONE;
            if outside > 0.0 {
                let chance = if is_leaf { 1.0 } else { outside / (outside + wide) };
                let alone = f64::from(node.count);
                if alone >= with.0 {
                    total += reach * chance * alone;
                    share(Cause::Outside { row, around, outside }, reach * chance * alone);
                } else {
                    total += reach * chance * with.0;
                    share(Cause::Column(with.1), reach * chance * with.0);
                }
                reach *= 1.0 - chance;
            } else if is_leaf {
                total += reach * within.0;
                share(Cause::Column(within.1), reach * within.0);
                return total;
            }
            if is_leaf || reach <= 0.0 {
                return total;
            }
            let side = usize::from(row[usize::from(node.column)] > node.cut);
            let (child, sibling) = (node.children[side], node.children[1 - side]);
            let (own, other) = (self.nodes[child as usize].count, f64::from(self.nodes[sibling as usize].count));
            let larger = |best: (f64, u16), ratio: f64| if ratio > best.0 { (ratio, node.column) } else { best };
            with = larger(with, other / (f64::from(own) + 1.0));
            within = larger(within, other / f64::from(own));
            at = child;
        }
    }

    /// Whether this is a tree of 1 to `most` rows of k columns.
    pub(super) fn is_sound(&self, k: usize, most: usize) -> bool {
        let n = self.nodes.len();
        if self.boxes.len() != n * 2 * k || self.root as usize >= n || !self.boxes.iter().all(|x| x.abs() <= FURTHEST) {
            return false;
        }
        // Every place is free or reached from the root, once.
        let mut reached = vec![false; n];
        let mut fine =
            self.free.iter().all(|&at| !std::mem::replace(reached.get_mut(at as usize).unwrap_or(&mut true), true));
        let mut open = vec![(self.root, NONE)];
        while let Some((at, parent)) = open.pop() {
            let Some(node) = self.nodes.get(at as usize) else { return false };
            if std::mem::replace(&mut reached[at as usize], true) || node.parent != parent || node.count == 0 {
                return false;
            }
            if node.children == [NONE; 2] {
                continue;
            }
            let count = |at: u32| self.nodes.get(at as usize).map_or(0, |node| u64::from(node.count));
            let together = node.children.map(count).iter().sum::<u64>();
            fine = fine && together == u64::from(node.count) && usize::from(node.column) < k && node.cut.is_finite();
            open.extend(node.children.map(|child| (child, at)));
        }
        fine && reached.into_iter().all(|is| is) && self.len() <= most
    }
}

/// What a part of a displacement is due to.
pub(super) enum Cause<'a> {
    /// The row lies outside of a box, by `outside` in all columns together.
    Outside { row: &'a [f64], around: &'a [f64], outside: f64 },
    /// A cut of the tree's, in this column.
    Column(u16),
}

/// The box that has the row in it, too.
fn widen(around: &mut [f64], row: &[f64]) {
    let (low, high) = around.split_at_mut(row.len());
    for ((low, high), &x) in low.iter_mut().zip(high).zip(row) {
        *low = if x < *low { x } else { *low };
        *high = if x > *high { x } else { *high };
    }
}

/// A column in proportion to its range in the box, whose ranges have the sum `total` above 0, and a cut in it.
fn draw(around: &[f64], total: f64, rng: &mut impl RngCore) -> (usize, f64) {
    let k = around.len() / 2;
    let mut rest = rng::unit(rng) * total;
    let mut last = (0, 0.0);
    for j in 0..k {
        let (low, high) = (around[j], around[k + j]);
        if low < high {
            let cut = low + rest;
            // Rounding may reach the end; both sides must keep something.
            last = (j, if cut < high { cut } else { low });
            if rest < high - low {
                return last;
            }
            rest -= high - low;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, k: usize, rng: &mut impl RngCore) -> Vec<f64> {
        (0..n * k).map(|i| if i % 7 == 0 { 1.0 } else { rng::normal(rng) }).collect()
    }

    #[test]
    fn rows_come_and_go() {
        let (k, mut rng) = (3, rng::stream(1, 0));
        let mut tree = Tree::grow(&rows(40, k, &mut rng), k, &mut rng);
        assert!(tree.is_sound(k, 40));
        for step in 0..2_000 {
            if rng::below(&mut rng, 2) == 0 {
                tree.insert(&rows(1, k, &mut rng), &mut rng);
            } else {
                tree.remove(rng::below(&mut rng, tree.len()), k);
            }
            assert!(tree.is_sound(k, 200), "step {step}");
            assert!((1..200).contains(&tree.len()));
        }
        while tree.len() > 1 {
            tree.remove(0, k);
        }
        assert_eq!(tree.nodes.len(), tree.free.len() + 1);
        // What is left is a box around one row.
        let around = tree.around(tree.root, k);
        assert_eq!(around[..k], around[k..]);
    }

    /// Trees into which the last row was inserted are alike those grown with it.
    #[test]
    fn insertion_keeps_the_distribution() {
        let points = [0.0, 1.0, 3.0, 10.0];
        let depths = |grown: bool| {
            let mut counts = [0_usize; 4];
            for seed in 0..20_000 {
                let mut rng = rng::stream(seed, u64::from(grown));
                let tree = if grown {
                    Tree::grow(&points, 1, &mut rng)
                } else {
                    let mut tree = Tree::grow(&points[..3], 1, &mut rng);
                    tree.insert(&points[3..], &mut rng);
                    tree
                };
                let (mut at, mut depth) = (tree.root, 0);
                while !tree.is_leaf(at) {
                    let node = tree.nodes[at as usize];
                    at = node.children[usize::from(10.0 > node.cut)];
                    depth += 1;
                }
                counts[depth] += 1;
            }
            counts
        };
        let (grown, inserted) = (depths(true), depths(false));
        for (a, b) in grown.iter().zip(&inserted) {
            // Five deviations of a difference of counts.
            assert!(a.abs_diff(*b) as f64 <= 5.0 * ((a + b) as f64).sqrt(), "{grown:?}, {inserted:?}");
        }
        assert!(grown[1] > 13_000 && grown[3] > 0);
    }

    /// The expected displacement is the mean of those after insertions at random.
    #[test]
    fn expectation_is_the_mean_of_insertions() {
        let mut rng = rng::stream(3, 0);
        let tree = Tree::grow(&rows(30, 2, &mut rng), 2, &mut rng);
        for x in [[0.3, -0.2], [4.0, 0.0], [1.0, 6.0], [-2.0, 1.1]] {
            let expected = tree.displacement(&x, |_, _| {});
            let n = 20_000;
            let drawn: Vec<f64> = (0..n)
                .map(|seed| {
                    let mut with = tree.clone();
                    with.insert(&x, &mut rng::stream(4, seed));
                    with.displacement(&x, |_, _| {})
                })
                .collect();
            let mean = drawn.iter().sum::<f64>() / n as f64;
            let deviation = (drawn.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / n as f64).sqrt();
            assert!((mean - expected).abs() <= 4.5 * deviation / (n as f64).sqrt(), "{x:?}: {expected}, mean {mean}");
        }
    }
}
