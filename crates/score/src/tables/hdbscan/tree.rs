//! The hierarchy of connected parts, without the parts that are too small, and the clusters in it.

use serde::{Deserialize, Serialize};

use super::model::NO_RADIUS;

/// In no cluster.
pub(super) const NOISE: u32 = u32::MAX;

/// An edge of the minimum spanning tree, by places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connection {
    pub(super) square: f64,
    pub(super) rows: [u32; 2],
}

/// Two parts becoming one. Parts 0 to n − 1 are the rows, part n + i is what merge i makes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Merge {
    square: f64,
    parts: [u32; 2],
    size: u32,
}

/// Where a row falls out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Fall {
    pub(super) cluster: u32,
    /// Squared radius.
    pub(super) square: f64,
}

/// A cluster of the condensed tree; the first is the whole fit, and every other comes after its parent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Cluster {
    pub(super) parent: u32,
    /// Squared radius below which it is a cluster; that of the whole fit is ∞.
    pub(super) birth: f64,
    /// The least squared radius at which a row falls out of it or of a cluster within.
    pub(super) least: f64,
    size: u32,
}

/// Joins n rows by connections in ascending order: single linkage.
pub(super) fn merge(n: usize, connections: &[Connection]) -> Vec<Merge> {
    // The part every part is in, with paths halved on the way.
    let mut within: Vec<u32> = (0..(2 * n) as u32).collect();
    let mut merges: Vec<Merge> = Vec::with_capacity(connections.len());
    for connection in connections {
        let parts = connection.rows.map(|row| find(&mut within, row));
        let made = (n + merges.len()) as u32;
        let size = |part: u32| (part as usize).checked_sub(n).map_or(1, |i| merges[i].size);
        let size = size(parts[0]) + size(parts[1]);
        parts.iter().for_each(|&part| within[part as usize] = made);
        merges.push(Merge { square: connection.square, parts, size });
    }
    merges
}

fn find(within: &mut [u32], mut part: u32) -> u32 {
    while within[part as usize] != part {
        within[part as usize] = within[within[part as usize] as usize];
        part = within[part as usize];
    }
    part
}

/// Where every row falls out, and of which cluster.
pub(super) fn condense(n: usize, merges: &[Merge], min_cluster_size: usize) -> (Vec<Fall>, Vec<Cluster>) {
    let mut falls = vec![Fall { cluster: 0, square: 0.0 }; n];
    let new = |parent, birth, size| Cluster { parent, birth, least: f64::INFINITY, size };
    let mut clusters = vec![new(0, f64::INFINITY, n as u32)];
    let merge = |part: u32| (part as usize).checked_sub(n).map(|i| merges[i]);
    // Parts, each with the cluster it is or is left of.
    let mut open = vec![((n + merges.len() - 1) as u32, 0_u32)];
    let mut fallen = Vec::new();
    let (mut together, mut parts) = (Vec::new(), Vec::new());
    while let Some((part, cluster)) = open.pop() {
        let Some(Merge { square, .. }) = merge(part) else { continue };
        // All that is joined at this radius is joined at once, whatever the order of its merges.
        together.push(part);
        parts.clear();
        while let Some(part) = together.pop() {
            match merge(part) {
                Some(merge) if merge.square == square => together.extend(merge.parts),
                _ => parts.push(part),
            }
        }
        let size = |part: u32| merge(part).map_or(1, |m| m.size);
        let n_large = parts.iter().filter(|&&part| size(part) as usize >= min_cluster_size).count();
        for &part in &parts {
            if (size(part) as usize) < min_cluster_size {
                fallen.push(part);
            } else if n_large > 1 {
                open.push((part, clusters.len() as u32));
                clusters.push(new(cluster, square, size(part)));
            } else {
                open.push((part, cluster));
            }
        }
        while let Some(part) = fallen.pop() {
            match merge(part) {
                Some(merge) => fallen.extend(merge.parts),
                None => falls[part as usize] = Fall { cluster, square },
            }
        }
    }
    for fall in &falls {
        let least = &mut clusters[fall.cluster as usize].least;
        *least = if fall.square < *least { fall.square } else { *least };
    }
    for c in (1..clusters.len()).rev() {
        let Cluster { parent, least, .. } = clusters[c];
        let of_parent = &mut clusters[parent as usize].least;
        *of_parent = if least < *of_parent { least } else { *of_parent };
    }
    (falls, clusters)
}

/// Density at a squared radius.
fn density(square: f64) -> f64 {
    let radius = square.sqrt();
    1.0 / if radius > NO_RADIUS { radius } else { NO_RADIUS }
}

/// The most stable clusters that do not overlap: the label of every row of the fit, in its order.
pub(super) fn select(falls: &[Fall], clusters: &mut [Cluster], order: &[u32]) -> Vec<u32> {
    let birth = |c: &Cluster| if c.birth < f64::INFINITY { density(c.birth) } else { 0.0 };
    let mut stability = vec![0.0; clusters.len()];
    for fall in falls {
        stability[fall.cluster as usize] += density(fall.square) - birth(&clusters[fall.cluster as usize]);
    }
    for cluster in &clusters[1..] {
        let parent = &clusters[cluster.parent as usize];
        stability[cluster.parent as usize] += (birth(cluster) - birth(parent)) * f64::from(cluster.size);
    }
    let mut within = vec![0.0; clusters.len()];
    let mut is_selected = vec![false; clusters.len()];
    for c in (1..clusters.len()).rev() {
        is_selected[c] = stability[c] >= within[c];
        let best = if is_selected[c] { stability[c] } else { within[c] };
        within[clusters[c].parent as usize] += best;
    }
    // The outermost of those selected, which every cluster within belongs to.
    let mut outermost = vec![NOISE; clusters.len()];
    for c in 1..clusters.len() {
        let of_parent = outermost[clusters[c].parent as usize];
        outermost[c] = if of_parent == NOISE && is_selected[c] { c as u32 } else { of_parent };
    }
    let mut labels = vec![NOISE; falls.len()];
    for (fall, &row) in falls.iter().zip(order) {
        labels[row as usize] = outermost[fall.cluster as usize];
    }
    // Numbered in the order of their first rows.
    let mut numbers = vec![NOISE; clusters.len()];
    let mut n = 0;
    for label in labels.iter_mut().filter(|label| **label != NOISE) {
        let number = &mut numbers[*label as usize];
        if *number == NOISE {
            *number = n;
            n += 1;
        }
        *label = *number;
    }
    labels
}
