#![doc = include_str!("../README.md")]

mod charts;
mod page;

pub use page::{BadPage, Case, Label, Page, write};
