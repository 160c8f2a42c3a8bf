//! A nightly batch: learn from the history, score the day, raise ten alerts, keep the model for the service of
//! tomorrow: `cargo run --release -p crible --example nightly`.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
mod common;

use std::error::Error;

use crible::alert::{Budget, DailyBudget};
use crible::core::Batch;
use crible::{Engine, Pipeline};

fn main() -> Result<(), Box<dyn Error>> {
    let (history, today) = (common::history()?, Batch::from_transactions(common::live()?));
    let mut pipeline = Pipeline::new(Engine::builder().fit(&history)?, DailyBudget::new(Budget::new(10)?));
    pipeline.warm_up(&history)?;
    common::warn_if_cold(pipeline.engine());

    let mut alerts = Vec::new();
    pipeline.replay(&today, None, |_, _, closed| {
        alerts.extend(closed);
        Ok::<_, crible::Error>(())
    })?;
    // The last day is still open: more of it may come.
    alerts.extend(pipeline.finish());
    alerts.iter().for_each(|alert| println!("{alert}"));
    println!("{} alerts, a model of {} bytes", alerts.len(), pipeline.engine().save().len());
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
