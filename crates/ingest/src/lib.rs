#![doc = include_str!("../README.md")]

mod build;
mod csv;
mod draft;
#[cfg(feature = "drive")]
#[doc(hidden)]
pub mod drive;
mod error;
mod formats;
mod input;
mod json;
mod mask;
mod meaning;
mod merge;
#[cfg(feature = "polars")]
mod parquet;
#[cfg(not(feature = "polars"))]
#[path = "parquet/absent.rs"]
mod parquet;
mod payee;
mod plan;
mod preset;
mod read;
mod recognise;
mod reveal;
mod rows;
mod seek;
mod value;
mod workbook;
mod worker;

pub use crible_pseudonym::{Domain, Key, KeyError, KeyOrigin};
pub use draft::{Draft, draft};
pub use error::Error;
pub use input::{Compression, files};
pub use mask::{cell, mask, plain, shown_path};
pub use meaning::Gap;
pub use plan::{Mapped, Owner};
pub use preset::{Mapping, Preset, PresetError, Presets, feeds};
pub use read::{FileReport, Import, Options, Progress, Reject, Stream, Streamed, Window, read, read_bytes, stream};
pub use recognise::{Recognition, Signature, recognise};
pub use reveal::{Renamed, Revealed, Role, rekey, reveal};
