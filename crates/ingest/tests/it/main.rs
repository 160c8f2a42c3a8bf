//! Files in, batches out: presets, bad input, identity, mappings, recognition, Parquet.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accounting;
mod bad_input;
mod common;
mod draft;
mod feeds;
mod feeds_banks;
mod feeds_public;
mod identity;
mod keys;
mod mapping;
mod mutated;
mod mutator;
#[cfg(feature = "polars")]
mod parquet;
mod presets;
mod recognition;
mod schema;
mod statements;
mod statements_bai;
mod statements_cards;
mod statements_harm;
mod statements_iso20022;
mod statements_more;
mod stream;
