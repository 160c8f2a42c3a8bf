//! Invented alerts, and a way to compare desks.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use crible_alert::{AlertId, ModelId, Severity, wire};
use crible_case::{CaseId, Desk, Event, Facts, Order, State, User};
use crible_core::{EntityId, Timestamp, TxnId};

pub const MINUTE: i64 = 60 * Timestamp::SECOND;

pub fn minute(minutes: i64) -> Timestamp {
    Timestamp(1_717_200_000 * Timestamp::SECOND + minutes * MINUTE)
}

/// An alert of an account at a counterparty; `n` tells it from others.
#[derive(Clone, Copy, Debug)]
pub struct Came {
    pub n: u128,
    pub account: u64,
    pub counterparty: u64,
    /// 0 for none.
    pub ring: u64,
    pub at: Timestamp,
    pub dollars: i64,
    pub severity: Severity,
}

impl Came {
    pub fn new(n: u128, account: u64, minutes: i64) -> Self {
        let severity = Severity::High;
        Self { n, account, counterparty: 900 + n as u64, ring: 0, at: minute(minutes), dollars: 100, severity }
    }

    pub fn id(self) -> AlertId {
        AlertId::of(TxnId(self.n))
    }

    pub fn wire(self) -> wire::Alert {
        let amount = wire::Amount { value: format!("-{}.00", self.dollars), currency: "USD".to_owned() };
        wire::Alert {
            schema: wire::SCHEMA.to_owned(),
            id: self.id(),
            transaction: TxnId(self.n).to_string(),
            account: EntityId::new(self.account).unwrap().to_string(),
            counterparty: Some(EntityId::new(self.counterparty).unwrap().to_string()),
            at: self.at.to_string(),
            amount,
            score: 6.25,
            tail: self.severity.most_tail(),
            severity: self.severity,
            rank: 1,
            day: crible_alert::Day::of(self.at).to_string(),
            reasons: Vec::new(),
            looks_like: None,
            ring: None,
            model: ModelId(7),
            source: None,
            payments: Vec::new(),
            note: None,
        }
    }

    /// With another amount of dollars.
    pub fn facts_in(self, value: &str) -> Facts {
        let mut alert = self.wire();
        value.clone_into(&mut alert.amount.value);
        Facts::new(alert, EntityId::new(self.ring)).unwrap()
    }

    pub fn facts(self) -> Facts {
        Facts::new(self.wire(), EntityId::new(self.ring)).unwrap()
    }
}

pub fn user(name: &str) -> User {
    name.parse().unwrap()
}

pub fn order(name: &str, minutes: i64) -> Order {
    Order::new(user(name), minute(minutes))
}

/// What every case is, and which case has every alert.
pub type View = (BTreeMap<CaseId, State>, BTreeMap<AlertId, CaseId>);

pub fn view(desk: &Desk, alerts: impl IntoIterator<Item = AlertId>) -> View {
    let states = desk.cases().filter_map(|case| Some((case.id(), case.state()?.clone()))).collect();
    (states, alerts.into_iter().filter_map(|alert| Some((alert, desk.holder(alert)?))).collect())
}

/// The same desk from what was kept of it, over JSON and back.
pub fn again(desk: &Desk, events: &[Event], alerts: impl IntoIterator<Item = AlertId>) -> Desk {
    let events: Vec<Event> = serde_json::from_str(&serde_json::to_string(events).unwrap()).unwrap();
    let facts: Vec<Facts> = alerts.into_iter().filter_map(|alert| desk.facts(alert).cloned()).collect();
    let facts: Vec<Facts> = serde_json::from_str(&serde_json::to_string(&facts).unwrap()).unwrap();
    let (case, operation) = desk.last_numbers();
    Desk::restore(desk.settings().clone(), facts, &BTreeSet::new(), events, case, operation).unwrap()
}
