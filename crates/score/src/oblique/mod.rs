//! Forests that split along hyperplanes: what the extended isolation forest and SCiForest share.

mod flat;
mod forest;
mod tree;

pub(crate) use forest::{Body, Forest};
pub(crate) use tree::{Plane, grow, sample};
