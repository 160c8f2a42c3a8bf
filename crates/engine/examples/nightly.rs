//! A nightly batch: learn from the history, score the day, raise ten alerts, keep the model for the service of tomorrow:
//! `cargo run --release -p crible --example nightly`.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
mod common;

use std::error::Error;

use crible::alert::{Budget, Ranker};
use crible::core::Batch;
use crible::{Engine, Error as EngineError};

fn main() -> Result<(), Box<dyn Error>> {
    let (history, today) = (common::history()?, Batch::from_transactions(common::live()?));
    let mut engine = Engine::builder().fit(&history)?;
    engine.replay(&history, |_, _| Ok::<_, EngineError>(()))?;

    let mut ranker = Ranker::new(Budget::new(10)?);
    let mut ranked = Vec::new();
    engine.replay(&today, |_, scored| {
        ranked.extend(scored.rank(&mut ranker)?);
        Ok::<_, Box<dyn Error>>(())
    })?;
    // The last day is still open: nothing tells that no more of it comes.
    ranked.extend(ranker.finish());

    for winner in &ranked {
        let reasons = engine.model().explain(&winner.txn, &winner.payload, 3);
        let alert = winner.alert(reasons, engine.model().id());
        let told: Vec<&str> = alert.reasons.iter().map(|reason| reason.text.as_str()).collect();
        println!("{}  {}  {}", alert.at, alert.id, told.join("; "));
    }
    let model = engine.save();
    println!("{} alerts, a model of {} bytes", ranked.len(), model.len());
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
