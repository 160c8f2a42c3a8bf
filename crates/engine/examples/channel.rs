//! A consumer's loop, as of a Kafka topic: payments come in over a channel, alerts go out over another, without a data
//! frame or an async runtime: `cargo run --release -p crible --example channel`.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
mod common;

use std::error::Error;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crible::alert::{Alert, Policy, Severity, Threshold};
use crible::core::Transaction;
use crible::{Engine, Pipeline};

fn main() -> Result<(), Box<dyn Error>> {
    let history = common::history()?;
    let mut pipeline = Pipeline::new(Engine::builder().fit(&history)?, Threshold::new(Severity::High));
    pipeline.warm_up(&history)?;
    common::warn_if_cold(pipeline.engine());

    let (payments, inbox) = channel();
    let (outbox, alerts) = channel();
    let consumer = thread::spawn(move || consume(pipeline, &inbox, &outbox));
    // The producer; a real one polls its broker and commits an offset once the state that goes with it is saved.
    let sent = common::live()?.iter().filter(|payment| payments.send(**payment).is_ok()).count();
    drop(payments);

    let alerts: Vec<Alert> = alerts.into_iter().collect();
    alerts.iter().take(5).for_each(|alert| println!("{alert}"));
    let refused = consumer.join().map_err(|_| "the consumer panicked")?;
    println!("{sent} payments, {} alerts, {refused} payments refused", alerts.len());
    Ok(())
}

/// Scores until the channel closes; returns how many payments were refused.
fn consume<P: Policy>(mut pipeline: Pipeline<P>, inbox: &Receiver<Transaction>, outbox: &Sender<Alert>) -> usize {
    let mut refused = 0;
    for payment in inbox {
        // The state is as it was: the payment goes to whoever reads late ones, and the loop goes on.
        let Ok((_, alerts)) = pipeline.observe(&payment, None) else {
            refused += 1;
            continue;
        };
        if !alerts.into_iter().all(|alert| outbox.send(alert).is_ok()) {
            break;
        }
    }
    refused
}

#[test]
fn it_runs() {
    main().unwrap();
}
