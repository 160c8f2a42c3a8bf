//! # OPTICS: reachability
//!
//! A row's core distance is the radius in which it sees `min_points` rows of the fit, itself included;
//! the reachability of x from o is max(core distance of o, |x − o|). The score is the least reachability of
//! the row from any row of the fit: the radius at which a cluster, grown over dense rows, would take it
//! in. It is the noise of DBSCAN for every radius at once: a new row scores above eps when DBSCAN with that radius
//! leaves it out.
//!
//! **A row of the fit, scored later,** is left out, as in [`knn`](crate::knn).
//!
//! [`Optics::plot`] gives the ordering the method is known for: from the first row of the fit on, always
//! the row that is most reachable from those before it. Reachability there is from rows *before* only, so
//! that a valley in it is a cluster; it is never below the score.
//!
//! A column's contribution is its share of the squared distance to the row it is reached from, scaled to
//! the score: additive.
//!
//! Cost: the fit finds every row's neighbours, a row to score is one search (see [`knn`](crate::knn)). The
//! plot is Prim's algorithm over blocks of rows: at most n² k / 2 multiplications of 32 bits on one
//! thread, a small part of that among clusters, in memory for the rows and a few numbers for each.
//!
//! Reference: M. Ankerst, M. Breunig, H.-P. Kriegel and J. Sander, *OPTICS: ordering points to identify the
//! clustering structure*, SIGMOD 1999.
//!
//! Deviations: the paper has no score; reachability rather than OPTICS-OF (Breunig and others, PKDD 1999), which is
//! [`lof`](crate::lof) but for its name. No largest radius. With fewer rows than `min_points`, all others
//! count. Columns are standardised unless [`ColumnScale::Raw`](crate::ColumnScale) is asked for. Ours instead of linfa's,
//! whose time grows with the square of the rows and which scores nothing.

mod model;
mod params;

pub use model::{Optics, Reached};
pub use params::OpticsConfig;
