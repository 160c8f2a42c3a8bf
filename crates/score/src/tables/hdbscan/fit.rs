//! From rows to the tree of their clusters.

use ndarray::ArrayView2;

use super::model::{Body, Hdbscan};
use super::{HdbscanConfig, tree};
use crate::Error;
use crate::neighbours::{Edges, Neighbours, furthest, spanning};
use crate::units::Units;

pub(super) fn fit(config: &HdbscanConfig, rows: ArrayView2<'_, f64>) -> Result<Hdbscan, Error> {
    Neighbours::check(rows)?;
    let units = Units::fit(rows, config.scale);
    let (index, order) = Neighbours::with_order(units.all(rows), rows.ncols());
    let core = furthest(&index, config.min_points - 1);
    let edges = Edges { from: &core, to: &core, limit: f64::INFINITY, by_order: false };
    let mut connections: Vec<tree::Connection> = spanning(&index, &order, edges)
        .into_iter()
        .filter_map(|v| v.from.map(|(from, square)| tree::Connection { square, rows: [from, v.place] }))
        .collect();
    // A stable sort: of equal lengths, the first found is first.
    connections.sort_by(|a, b| a.square.total_cmp(&b.square));
    let merges = tree::merge(index.len(), &connections);
    let (falls, mut clusters) = tree::condense(index.len(), &merges, config.min_cluster_size);
    let labels = tree::select(&falls, &mut clusters, &order);
    Ok(Hdbscan::new(
        Body { units, rows: Vec::new(), min_points: config.min_points as u32, core, falls, clusters, labels },
        index,
    ))
}
