#![doc = include_str!("../README.md")]

mod answered;
mod builder;
mod config;
mod drift;
mod engine;
mod error;
mod model;
mod observation;
mod pipeline;
mod saved;
mod scored;
mod scorer;
mod shared;
mod standardize;
mod views;

pub use builder::Builder;
pub use config::{Columns, Config, Rates};
pub use drift::{Drift, DriftTail, DriftWeek};
pub use engine::Engine;
pub use error::Error;
pub use model::Model;
pub use observation::{MAX_DETECTORS, Observation, Verdict};
pub use pipeline::{Decider, Pipeline};
pub use scored::Scored;
pub use shared::Shared;

pub use crible_alert as alert;
pub use crible_core as core;
pub use crible_feature::{History, LateCount, Limits, Windows};
pub use crible_score::{DetectorSpec, Value};
