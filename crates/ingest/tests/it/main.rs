//! Files in, batches out: presets, bad input, identity, mappings, recognition, Parquet.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod abuse;
mod accounting;
#[cfg(feature = "polars")]
mod arrow;
mod bad_input;
mod cases;

mod common;
mod currency;
mod draft;
mod encodings;
mod feeds;
mod feeds_banks;
mod feeds_public;
mod fixtures;
mod identity;
mod inputs;
mod json;
mod keys;
mod kinds;
mod mapping;
mod meaning;
mod mutated;
mod mutator;
#[cfg(feature = "polars")]
mod parquet;
mod presets;
mod recognition;
mod saved;
mod schema;
mod statements;
mod statements_bai;
mod statements_cards;
mod statements_harm;
mod statements_iso20022;
mod statements_more;
mod stream;
mod values;
mod wild;
mod wild_more;
mod wild_typed;
mod workbooks;
