//! Invented feeds to put the engine through, and its answers as bits.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::hash::Hasher;

use crible::alert::{Reason, Score};
use crible::core::{Amount, Batch, Code, Currency, EntityId, Position, Timestamp, Transaction, TxnId, Window};
use crible::{Builder, Columns, Config, DetectorSpec, Engine, Error, Limits, Model, Scored};
use crible_eval::simulate::{Simulated, Simulation};
use fnv::FnvHasher;
use proptest::prelude::*;
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

/// A pseudonym as ingest would make it: spread over all 64 bits, so that it is found only where it was written.
pub(crate) fn pseudonym(kind: &str, number: u64) -> EntityId {
    let mut start = FnvHasher::with_key(number ^ 0x5bd1_e995);
    start.write(kind.as_bytes());
    EntityId::from_pseudorandom(mixed(start.finish()))
}

/// A well-mixed number from a counter: the first number of SplitMix64.
pub(crate) fn mix(x: u64) -> u64 {
    SplitMix64::seed_from_u64(x).next_u64()
}

/// Saved models and states were made of these numbers: what SplitMix64 adds before it mixes is taken off.
fn mixed(x: u64) -> u64 {
    mix(x.wrapping_sub(0x9e37_79b9_7f4a_7c15))
}

/// What a feed may lack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) counterparty: bool,
    pub(crate) category: bool,
    pub(crate) position: bool,
    pub(crate) balance: bool,
    /// Channel, country, device and address.
    pub(crate) words: bool,
}

pub(crate) const FULL: Shape = Shape { counterparty: true, category: true, position: true, balance: true, words: true };

pub(crate) fn transaction(row: &Simulated, shape: Shape) -> Transaction {
    let account = pseudonym("account", row.account.into());
    let id = u128::from(mixed(row.id)) << 64 | u128::from(mixed(!row.id));
    let mut txn = Transaction::new(TxnId(id), row.at, account, Amount::new(row.amount_minor, Simulated::CURRENCY));
    if shape.counterparty {
        txn.counterparty = Some(pseudonym(&row.counterparty.to_string(), 0));
    }
    if shape.category {
        txn.category = Code::new(row.category);
    }
    if shape.position {
        txn.position = row.position;
    }
    if shape.balance {
        txn.balance_before = Some(row.balance_after - row.amount_minor);
    }
    if shape.words {
        let of = |words: [&str; 4], salt: u64| Code::new(words[mixed(row.id ^ salt) as usize % 4]);
        (txn.channel, txn.country) = (of(["online", "chip", "transfer", ""], 1), of(["DE", "FR", "AT", ""], 2));
        txn.device = Some(pseudonym("device", u64::from(row.account) / 2 + mixed(row.id) % 2));
        txn.address = (!mixed(row.id).is_multiple_of(3)).then(|| pseudonym("address", mixed(row.id) % 40));
    }
    txn
}

/// An invented population's payments, in the order of a batch.
pub(crate) fn population(accounts: u32, days: u32, seed: u64, shape: Shape) -> Vec<Transaction> {
    let simulation = Simulation::builder().accounts(accounts).days(days).seed(seed).fraud_rate(0.01).build().unwrap();
    let mut txns: Vec<_> = simulation.map(|row| transaction(&row, shape)).collect();
    txns.sort_by_key(|txn| (txn.at, txn.id));
    txns
}

/// Feeds of about three to six thousand rows, of every shape, some of their times colliding.
pub(crate) fn feed() -> impl Strategy<Value = Vec<Transaction>> {
    let shape = any::<[bool; 5]>().prop_map(|[counterparty, category, position, balance, words]| Shape {
        counterparty,
        category,
        position,
        balance,
        words,
    });
    (30u32..50, 55u32..66, 0u64..1_000, shape, any::<bool>()).prop_map(|(accounts, days, seed, shape, coarse)| {
        let mut txns = population(accounts, days, seed, shape);
        if coarse {
            // A feed that knows hours alone: most rows share their time with others.
            txns.iter_mut().for_each(|txn| txn.at.0 -= txn.at.0.rem_euclid(3_600 * Timestamp::SECOND));
            txns.sort_by_key(|txn| (txn.at, txn.id));
        }
        txns
    })
}

pub(crate) fn batch(txns: &[Transaction]) -> Batch {
    Batch::from_transactions(txns.iter().copied())
}

/// Detectors of every kind the engine was made for.
pub(crate) const DETECTORS: [&str; 7] =
    ["robust_z", "robust_distance", "ecod", "hbos", "isolation_forest", "kmeans", "sampled_knn"];

pub(crate) fn specs(names: &[&str]) -> Vec<DetectorSpec> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// Settings that fit in a moment,
/// with every detector and a column of categories beside the default ones.
pub(crate) fn quick() -> Builder {
    let mut columns = Columns::default();
    columns.add.push("amount_for_category".to_owned());
    Engine::builder().detectors(&specs(&DETECTORS)).columns(columns).fit_rows(600).seed(11)
}

/// A builder with every column; where it is to be forgetful, with windows of hours, so that accounts and categories
/// begin anew after every quiet night.
pub(crate) fn thorough(forgetful: bool, mut limits: Limits) -> Builder {
    let mut config = Config::default();
    if forgetful {
        config.windows.account = [10, 60, 180, 360].map(|minutes| Window(minutes * Window::HOUR.0 / 60));
        limits.forget_after = config.windows.account[3];
    }
    let mut columns = Columns::default();
    columns.add = config.known_columns();
    quick().windows(config.windows).columns(columns).state(limits)
}

/// An answer to the bit: raw, tail, and each detector's own score.
pub(crate) type Bits = Vec<u64>;

pub(crate) fn bits(score: Score, detectors: &[f64]) -> Bits {
    [score.raw, score.tail].iter().chain(detectors).map(|x| x.to_bits()).collect()
}

/// Each transaction observed alone.
pub(crate) fn observed(engine: &mut Engine, txns: &[Transaction]) -> Vec<Bits> {
    txns.iter()
        .map(|txn| {
            let verdict = engine.observe(txn).unwrap();
            bits(verdict.score(), verdict.detectors())
        })
        .collect()
}

/// A visitor that keeps the bits, and sees to it that every row is there once, in order.
pub(crate) fn keep(into: &mut Vec<Bits>) -> impl FnMut(&Model, &Scored<'_>) -> Result<(), Error> + '_ {
    let first = into.len();
    move |_, scored| {
        for row in scored.rows() {
            assert_eq!(row, into.len() - first, "rows come without a gap");
            into.push(bits(scored.score(row), scored.detectors(row)));
        }
        Ok(())
    }
}

/// All transactions as one batch.
pub(crate) fn replayed(engine: &mut Engine, txns: &[Transaction]) -> Vec<Bits> {
    let mut all = Vec::new();
    engine.replay(&batch(txns), keep(&mut all)).unwrap();
    assert_eq!(all.len(), txns.len(), "no row without a verdict");
    all
}

/// Transactions as batches of the lengths given, over and over.
pub(crate) fn in_chunks(engine: &mut Engine, txns: &[Transaction], lengths: &[usize]) -> Vec<Bits> {
    let (mut all, mut rest) = (Vec::new(), txns);
    for &length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (here, after) = rest.split_at(length.min(rest.len()));
        all.extend(replayed(engine, here));
        rest = after;
    }
    all
}

/// Row and numbers where two runs differ first; a failed comparison of all of them would fill the screen.
pub(crate) fn differ(a: &[Bits], b: &[Bits]) -> Option<(usize, Vec<f64>, Vec<f64>)> {
    let floats = |bits: Option<&Bits>| bits.map_or(vec![], |b| b.iter().map(|b| f64::from_bits(*b)).collect());
    let at = (0..a.len().max(b.len())).find(|&i| a.get(i) != b.get(i))?;
    Some((at, floats(a.get(at)), floats(b.get(at))))
}

pub(crate) fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

/// A reason to the bit.
pub(crate) fn reason_bits(reason: &Reason) -> (String, u64, Option<u64>, u64, String) {
    let typical = reason.typical.map(f64::to_bits);
    (reason.column.to_string(), reason.value.to_bits(), typical, reason.share.to_bits(), reason.text.clone())
}

/// Forty payments by two accounts, made by arithmetic alone so that nothing but the engine can change its answers for
/// them. The last six: an everyday one, a large one, one at night abroad a minute later, one in another currency, money
/// in, and one that empties the account.
pub(crate) fn golden_history() -> Vec<Transaction> {
    let payment = |n: i64, minutes: i64, cents: i64, shop: u64| Transaction {
        counterparty: Some(pseudonym("shop", shop)),
        category: Code::new(["grocery", "fuel", "cafe"][shop as usize % 3]),
        position: Position::from_degrees(48.0 + shop as f64 / 100.0, 2.0),
        balance_before: Some(250_000 - 1_000 * n),
        ..Transaction::new(
            TxnId(n as u128),
            Timestamp::from_seconds(1_735_689_600 + 60 * minutes),
            pseudonym("account", n as u64 % 2),
            Amount::new(-cents, Currency::USD),
        )
    };
    let mut all: Vec<_> =
        (0..34).map(|n| payment(n, 1_440 * n + 37 * n * n % 600, 1_500 + 713 * n % 2_900, n as u64 % 5)).collect();
    let end = 1_440 * 34;
    all.push(payment(34, end + 700, 2_100, 2));
    all.push(payment(36, end + 720, 480_000, 3));
    all.push(Transaction { position: Position::from_degrees(-33.9, 151.2), ..payment(38, end + 721, 9_900, 9) });
    all.push(Transaction { amount: Amount::new(-500_000, Currency::EUR), ..payment(40, end + 1_500, 0, 2) });
    all.push(payment(42, end + 1_600, -300_000, 8));
    all.push(Transaction { balance_before: Some(180_000), ..payment(44, end + 1_620, 180_000, 7) });
    all
}

/// The answers of a saved model for [`golden_history`]: its name, then of each of the last six its reasons' columns
/// and, in hexadecimal, the bits of raw, tail and every detector's score.
pub(crate) fn golden_answers(model: &[u8]) -> String {
    let mut engine = Engine::load(model).unwrap();
    let names: Vec<_> = engine.model().detectors().collect();
    let mut out = format!("model {}: raw tail {}\n", engine.model().id(), names.join(" "));
    let history = golden_history();
    for (i, txn) in history.iter().enumerate() {
        let observed = engine.observe(txn).unwrap();
        if i + 6 >= history.len() {
            let reasons: Vec<_> = observed.explain(3).iter().map(|r| r.column.to_string()).collect();
            out += &format!("{} {}\n", txn.id.0, reasons.join(" "));
            out +=
                &bits(observed.score(), observed.detectors()).iter().map(|b| format!("  {b:016x}")).collect::<String>();
            out += "\n";
        }
    }
    out
}

/// The state that the first half of the golden history leaves.
pub(crate) fn golden_state(model: &[u8]) -> Vec<u8> {
    golden_state_after(model, golden_history().len() / 2)
}

/// The state that so many payments of the golden history leave.
pub(crate) fn golden_state_after(model: &[u8], payments: usize) -> Vec<u8> {
    let mut engine = Engine::load(model).unwrap();
    observed(&mut engine, &golden_history()[..payments]);
    engine.save_state()
}
