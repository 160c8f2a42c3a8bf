//! A consumer's loop, as of a Kafka topic: payments come in over a channel, verdicts go out over another,
//! without a data frame or an async runtime: `cargo run --release -p crible --example channel`.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
mod common;

use std::error::Error;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use common::{history, live};
use crible::core::{Transaction, TxnId};
use crible::{Engine, Verdict};

fn main() -> Result<(), Box<dyn Error>> {
    let history = history()?;
    let mut engine = Engine::builder().fit(&history)?;
    engine.replay(&history, |_, _| Ok::<_, crible::Error>(()))?;

    let (payments, inbox) = channel();
    let (outbox, verdicts) = channel();
    let consumer = thread::spawn(move || consume(engine, &inbox, &outbox));
    // The producer; a real one polls its broker and commits an offset once the verdict is stored.
    let sent = live()?.iter().filter(|payment| payments.send(**payment).is_ok()).count();
    drop(payments);

    let mut strange: Vec<(TxnId, Verdict)> = verdicts.into_iter().collect();
    let got = strange.len();
    strange.sort_by(|(_, a), (_, b)| b.score.raw.total_cmp(&a.score.raw));
    for (id, verdict) in strange.iter().take(5) {
        println!("{id}  raw {:.2}  tail {:.1e}", verdict.score.raw, verdict.score.tail);
    }
    let late = consumer.join().map_err(|_| "the consumer panicked")?;
    println!("{sent} payments, {got} verdicts, {late} too late");
    Ok(())
}

/// Scores until the channel closes; returns how many payments came too late to be scored.
fn consume(mut engine: Engine, inbox: &Receiver<Transaction>, outbox: &Sender<(TxnId, Verdict)>) -> usize {
    let mut late = 0;
    for payment in inbox {
        match engine.observe(&payment) {
            Ok(verdict) if outbox.send((payment.id, verdict)).is_err() => break,
            Ok(_) => {}
            // The state is as it was: the payment goes to whoever reads late ones, and the loop goes on.
            Err(_) => late += 1,
        }
    }
    late
}

#[test]
fn it_runs() {
    main().unwrap();
}
