#![doc = include_str!("../README.md")]

mod answered;
mod builder;
mod config;
mod engine;
mod error;
mod model;
mod saved;
mod scorer;
mod scores;
mod shared;
mod standardize;
mod views;

pub use builder::Builder;
pub use config::{Columns, Config};
pub use engine::{Engine, Scored};
pub use error::Error;
pub use model::Model;
pub use scores::{MAX_DETECTORS, Verdict};
pub use shared::Shared;

pub use crible_alert as alert;
pub use crible_core as core;
pub use crible_feature::{LateCount, Limits, Windows};
pub use crible_score::{DetectorSpec, Value};
