#![doc = include_str!("../README.md")]

mod key;
mod pseudonyms;
mod reference;
mod ring;

pub use key::{Key, KeyError, KeyOrigin};
pub use pseudonyms::{Domain, Pseudonyms};
pub use reference::{Content, References};
