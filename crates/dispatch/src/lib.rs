#![doc = include_str!("../README.md")]

mod plan;
mod post;

pub use plan::{PlanError, take_in, tell_cases};
pub use post::Post;
