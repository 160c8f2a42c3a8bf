#![doc = include_str!("../README.md")]

mod learning;
mod reading;
pub mod shown;
mod streamed;

use std::borrow::Cow;
use std::error::Error;

pub use learning::Learning;
pub use reading::{Reading, presets, presets_folder};
pub use shown::{Rule, Seen, Shown};
pub use streamed::{ReadOnce, Streaming, Watch, window};

/// A setting whose value cannot be used. Its source says why; what it displays is the setting's name alone.
#[derive(Debug, thiserror::Error)]
#[error("{setting}")]
pub struct BadSetting {
    /// Name of the setting as fields of this crate are called, or of the environment variable it came from. An edge may
    /// put its own name in its place.
    pub setting: Cow<'static, str>,
    /// What is wrong with it.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

impl BadSetting {
    fn new(setting: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { setting: setting.into(), source: source.into() }
    }
}
