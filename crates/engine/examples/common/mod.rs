//! An invented population for the examples: what it did so far, and what it does next.
#![allow(dead_code)]

use std::error::Error;

use crible::Engine;
use crible::core::{Amount, Batch, Code, Timestamp, Transaction};
use crible_eval::simulate::{Simulated, Simulation};
use crible_pseudonym::{Content, Domain, Key, KeyError};

const DAYS: u32 = 75;
/// The day that what comes live begins on.
const TODAY: u32 = 70;

fn payments() -> Result<Vec<Transaction>, Box<dyn Error>> {
    let (key, simulation) = (key()?, Simulation::builder().accounts(300).days(DAYS).seed(1).fraud_rate(0.005));
    Ok(simulation.build()?.map(|row| payment(&row, &key)).collect())
}

/// The tenant's key; a real service reads it from a file that it shares with the command (`--key-file`).
pub(crate) fn key() -> Result<Key, KeyError> {
    Key::from_text("a key for the examples alone")
}

/// A payment with the ids that the command gives under the same key: nobody without the key can go back to the names.
pub(crate) struct Named<'a> {
    pub(crate) id: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) account: &'a str,
    pub(crate) counterparty: &'a str,
    pub(crate) amount: Amount,
}

impl Named<'_> {
    pub(crate) fn transaction(&self, key: &Key) -> Transaction {
        let account = key.pseudonym(Domain::Party, self.account);
        let counterparty = key.pseudonym(Domain::Merchant, self.counterparty);
        let mut buffer = Vec::new();
        let mut content = Content::new(&mut buffer, self.at, self.amount.minor, account, Some(counterparty));
        content.word(self.id.as_bytes());
        let id = key.references("examples").id(&content, true);
        Transaction::new(id, self.at, account, self.amount).at_counterparty(counterparty)
    }
}

fn payment(row: &Simulated, key: &Key) -> Transaction {
    let (id, account) = (row.id.to_string(), format!("card {}", row.account));
    let (counterparty, amount) = (row.counterparty.to_string(), Amount::new(row.amount_minor, Simulated::CURRENCY));
    let named = Named { id: &id, at: row.at, account: &account, counterparty: &counterparty, amount };
    named.transaction(key).in_category(Code::new(row.category))
}

fn is_live(payments: &[Transaction], payment: &Transaction) -> bool {
    let first = payments.first().map_or(0, |first| first.at.day());
    payment.at.day() - first >= i64::from(TODAY)
}

/// What has been until today.
pub(crate) fn history() -> Result<Batch, Box<dyn Error>> {
    let payments = payments()?;
    Ok(Batch::from_transactions(payments.iter().filter(|payment| !is_live(&payments, payment)).copied()))
}

/// What comes from today on, in order of time.
pub(crate) fn live() -> Result<Vec<Transaction>, Box<dyn Error>> {
    let payments = payments()?;
    let mut live: Vec<_> = payments.iter().filter(|payment| is_live(&payments, payment)).copied().collect();
    live.sort_by_key(|payment| payment.at);
    Ok(live)
}

/// The warning of a service that starts without the state that its model needs.
pub(crate) fn warn_if_cold(engine: &Engine) {
    if engine.is_cold() {
        let days = engine.model().warm_up().0 / Timestamp::DAY;
        eprintln!(
            "warning: the engine has observed too little; severities are low for the first {days} days of payments"
        );
    }
}
