//! # HDBSCAN with GLOSH
//!
//! Clusters of any density, and how far a row lies outside of its own. Two rows are connected from the
//! radius on that is the largest of their distance and both their core distances (in which a row sees
//! `min_points` rows, itself included). As the radius shrinks, the fit falls apart: a part of at least
//! `min_cluster_size` rows is a cluster, smaller parts fall out of theirs. The global-local outlier score
//! from hierarchies compares the radius at which a row falls out with the least at which any row of its
//! cluster, or of clusters within, still holds:
//!
//! score = 1 − least radius of the cluster / radius of the row, in 0 to 1.
//!
//! So a row between two dense clusters and one at the rim of a thin cluster are each measured by their
//! surroundings. **A new row** joins the tree where its shortest connection leads: it falls out at that
//! connection's radius, or with the row it is connected to where that falls out sooner, and belongs to the
//! cluster there is at that radius. A row of the fit has its score from the tree.
//!
//! [`Hdbscan::labels`] are the most stable clusters that do not overlap (excess of mass), the whole fit not
//! among them.
//!
//! A column's contribution is its share of the squared distances to the `min_points` − 1 nearest
//! neighbours, scaled to the score: additive.
//!
//! Cost: the neighbours of every row (see [`knn`](crate::knn)), and Prim's algorithm over blocks of rows: at most n² k
//! / 2 multiplications of 32 bits on one thread, a small part of that among clusters, in memory for the rows and a few
//! numbers for each. A row to score is two searches. The model holds the rows of the fit.
//!
//! References: R. Campello, D. Moulavi, A. Zimek and J. Sander, *Hierarchical density estimates for data
//! clustering, visualization, and outlier detection*, ACM TKDD 10, 2015. L. McInnes and J. Healy,
//! *Accelerated hierarchical density based clustering*, ICDM workshops 2017.
//!
//! Deviations: the paper scores rows of the fit only. What comes apart at one radius comes apart at once,
//! so that ties (which core distances make frequent) leave nothing to the order of rows; `hdbscan` and
//! scikit-learn split it in two, and in two again. Radii below 1e-10, in units of the fit, count as
//! that, so that duplicates leave the others a score. With fewer rows than `min_points`, all others count.
//! Columns are standardised unless [`ColumnScale::Raw`](crate::ColumnScale) is asked for. Python's `hdbscan` does not
//! count the row itself in `min_samples`: its 4 is our 5, as it is scikit-learn's; its
//! `approximate_predict_scores` looks among a few neighbours only, ours among all rows.

mod fit;
mod model;
mod params;
mod tree;

pub use model::Hdbscan;
pub use params::HdbscanConfig;
