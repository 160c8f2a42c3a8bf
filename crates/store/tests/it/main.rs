//! One suite over every database: SQLite always, PostgreSQL where it is to be had.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../case/tests/common/mod.rs"]
mod alerts;
mod audit;
mod backup;
mod common;
mod crash;
mod erase;
mod histories;
mod intake;
mod opening;
mod outbox;
mod postgres;
mod retention;
mod sharing;
mod streams;
