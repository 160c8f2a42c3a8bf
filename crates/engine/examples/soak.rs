//! A year of a service in minutes: `cargo run --release -p crible --example soak -- [PAYMENTS]`, a million by default.
//!
//! One engine is treated as the world treats a service. Payments come late, up to six hours; some are dated days ahead,
//! from the first on; some are handed in again; and every now and then the service stops at any moment and goes on from
//! what it saved last, with all that came since handed in once more. An oracle is spared all this: it has every payment
//! once, in order, and as one batch a segment. After every segment both must hold the same state to the byte, and at its
//! end, when nothing late is outstanding, they must give the same verdicts to the bit.
//!
//! One detector scores: what the world does is done to the state, and every verdict shows it.
#![allow(missing_docs)]

use std::error::Error as StdError;

use crible::core::{Amount, Batch, Code, Currency, EntityId, Timestamp, Transaction, TxnId, Window};
use crible::{Engine, Error, Limits};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

const ACCOUNTS: u64 = 5_000;
const SEGMENT: u64 = 200_000;
const LATENESS: Window = Window(6 * Window::HOUR.0);
/// Longer than a payment is late and handed in again, shorter than a segment's end in which nothing is late.
const REPEATS: Window = Window(10 * Window::HOUR.0);
/// Payments from one saved state to the next, and from one stop of the service to the next, on average. A stop costs the
/// payments since the last state once more, and each state some tenths of a second.
const SAVED_EVERY: u64 = 20_000;
const STOPPED_EVERY: u64 = 60_000;
/// Seconds between payments: about forty payments of an account in 30 days.
const STEP: i64 = 13 * Timestamp::SECOND;

type Fault = Box<dyn StdError>;

fn main() -> Result<(), Fault> {
    let payments = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    println!("{}", soak(payments, SEGMENT, SAVED_EVERY)?);
    Ok(())
}

/// What was done to the engine.
#[derive(Debug, Default)]
struct Counts {
    /// Those that an oracle has, once each.
    payments: u64,
    /// Payments handed to the engine, but for those that repeat or are early.
    steps: u64,
    late: u64,
    early: u64,
    repeated: u64,
    restarts: u64,
    replayed: u64,
    verdicts_compared: u64,
    states_compared: u64,
}

fn mix(x: u64) -> u64 {
    SplitMix64::seed_from_u64(x).next_u64()
}

/// A number from 0 to below `below`, another for each purpose.
fn dice(n: u64, purpose: u64, below: u64) -> u64 {
    mix(mix(n) ^ purpose) % below
}

/// The `n`th payment in order of time.
fn payment(n: u64) -> Transaction {
    let account = dice(n, 1, ACCOUNTS);
    let cents = 500 + dice(n, 2, 8_000) as i64 + if dice(n, 3, 500) == 0 { 300_000 } else { 0 };
    let amount = Amount::new(if dice(n, 4, 25) == 0 { 40 * cents } else { -cents }, Currency::EUR);
    let shop = if dice(n, 5, 4) > 0 { account % 250 } else { dice(n, 6, 2_000) };
    let id = TxnId(u128::from(mix(n)) << 64 | u128::from(n));
    let mut payment =
        Transaction::new(id, Timestamp(1_700_000_000_000_000 + n as i64 * STEP), pseudonym(1, account), amount)
            .at_counterparty(pseudonym(2, shop))
            .in_category(Code::new(["grocery", "fuel", "cafe", "books"][shop as usize % 4]));
    payment.device = Some(pseudonym(3, account / 2));
    payment
}

fn pseudonym(kind: u64, number: u64) -> EntityId {
    EntityId::from_pseudorandom(mix(kind << 40 | number))
}

type Bits = [u64; 2];

fn observed(engine: &mut Engine, payment: &Transaction) -> Result<Bits, Error> {
    let score = engine.observe(payment)?.score();
    Ok([score.raw.to_bits(), score.tail.to_bits()])
}

fn soak(payments: u64, segment: u64, saved_every: u64) -> Result<String, Fault> {
    let mut limits = Limits::default();
    limits.lateness = LATENESS;
    limits.repeats = REPEATS;
    let history = Batch::from_transactions((0..20_000).map(payment));
    let builder = Engine::builder().detectors(&["robust_z".parse()?]).fit_rows(10_000).state(limits);
    let model = builder.fit(&history)?.save();
    let (mut oracle, mut engine) = (Engine::load(&model)?, Engine::load(&model)?);
    let mut counts = Counts::default();
    for begin in (0..payments).step_by(segment as usize) {
        let end = (begin + segment).min(payments);
        let calm = end - (end - begin) / 4;
        let mut want = Vec::with_capacity((end - begin) as usize);
        let whole = Batch::from_transactions((begin..end).map(payment));
        oracle.replay(&whole, |_, scored| {
            want.extend(
                scored.rows().map(|row| scored.score(row)).map(|score| [score.raw, score.tail].map(f64::to_bits)),
            );
            Ok::<_, Error>(())
        })?;
        // A tenth of what comes before the last quarter is late.
        let lateness = (LATENESS.0 / STEP) as u64 - 1;
        // From here on nothing is outstanding.
        let quiet = calm + lateness;
        let delay = |n: u64| if n < calm && dice(n, 7, 10) == 0 { dice(n, 8, lateness.min(end - calm)) } else { 0 };
        let mut order: Vec<u64> = (begin..end).collect();
        order.sort_by_key(|&n| (n + delay(n), n));
        counts.late += order.windows(2).filter(|pair| pair[0] > pair[1]).count() as u64;

        let mut saved = (engine.save_state(), 0);
        let mut given: Vec<Option<Bits>> = vec![None; order.len()];
        let mut at = 0;
        while at < order.len() {
            let n = order[at];
            let bits = observed(&mut engine, &payment(n))?;
            let before = given[(n - begin) as usize].replace(bits);
            if before.is_some_and(|before| before != bits) {
                return Err(format!("payment {n} was given another verdict after a restart").into());
            }
            if n >= quiet {
                counts.verdicts_compared += 1;
                if bits != want[(n - begin) as usize] {
                    return Err(format!("payment {n}: {bits:?}, expected {:?}", want[(n - begin) as usize]).into());
                }
            }
            let moment = counts.steps;
            if at + 1 < order.len() && (counts.early == 0 || dice(moment, 9, 200) == 0) {
                // Days ahead of the feed: refused, or left out as soon as the next goes on; and nothing else.
                let early = Transaction {
                    id: TxnId(u128::from(moment) << 64 | 7),
                    at: Timestamp(payment(n).at.0 + (2 + dice(moment, 10, 300) as i64) * Timestamp::DAY),
                    ..payment(n)
                };
                match engine.observe(&early) {
                    Err(Error::Early { .. }) => counts.early += 1,
                    Ok(seen) if seen.is_provisional() => counts.early += 1,
                    other => return Err(format!("{} ahead: {:?}", early.at, other.map(|seen| seen.score())).into()),
                }
            }
            if dice(moment, 11, 50) == 0 {
                // Handed in again, up to a thousand payments later.
                let again = order[at - dice(moment, 12, 1_000.min(at as u64 + 1)) as usize];
                counts.repeated += 1;
                if Some(observed(&mut engine, &payment(again))?) != given[(again - begin) as usize] {
                    return Err(format!("payment {again} was given another verdict the second time").into());
                }
            }
            if dice(moment, 13, saved_every) == 0 {
                saved = (engine.save_state(), at + 1);
            }
            at += 1;
            if dice(moment, 14, saved_every * STOPPED_EVERY / SAVED_EVERY) == 0 {
                // It stops, and goes on from what it saved last; all that came since is handed in again.
                engine = Engine::load(&model)?;
                engine.load_state(&saved.0)?;
                counts.replayed += (at - saved.1) as u64;
                counts.restarts += 1;
                at = saved.1;
            }
            counts.steps += 1;
        }
        counts.payments += end - begin;
        counts.states_compared += 1;
        if engine.save_state() != oracle.save_state() {
            return Err(format!("the states differ after {end} payments").into());
        }
    }
    Ok(format!("{counts:?}"))
}

#[test]
fn it_runs() {
    let counts = soak(60_000, 20_000, 2_000).unwrap();
    assert!(counts.contains("states_compared: 3"), "{counts}");
}
