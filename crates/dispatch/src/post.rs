use std::collections::BTreeSet;

use crible_case::Settings as CaseSettings;
use crible_core::{EntityId, Timestamp};
use crible_notify::logs::{Line, Page, Subject};
use crible_notify::message::Notice;
use crible_notify::outbox::{Delivery, Draft, Health, Settlement, State};
use crible_notify::talk::Cases;
use crible_notify::{About, ChannelName, Clock, Logs, Outbox, Person};
use crible_store::{Append, DeliveryState, Error, NewDelivery, Settled, Store, Txn};

/// The store, as what is sent needs it: outbox, logs and cases.
#[derive(Clone, Debug)]
pub struct Post<C> {
    store: Store,
    cases: CaseSettings,
    clock: C,
}

impl<C> Post<C> {
    /// Of a store, whose cases have these settings.
    pub fn new(store: Store, cases: CaseSettings, clock: C) -> Self {
        Self { store, cases, clock }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// A delivery for the store, sealed with the key of whom it goes to, or of whom it is about.
pub(crate) fn new_delivery(draft: Draft, subject: Option<EntityId>) -> NewDelivery {
    NewDelivery {
        key: draft.key.into(),
        channel: draft.channel.into(),
        person: draft.person.map(|person| person.0).or(subject),
        about: draft.about.into(),
        body: draft.body,
        due: draft.due,
    }
}

fn state(state: State) -> DeliveryState {
    match state {
        State::Pending => DeliveryState::Pending,
        State::Sent => DeliveryState::Sent,
        State::Dead => DeliveryState::Dead,
        State::Withheld => DeliveryState::Withheld,
    }
}

fn damaged(error: impl std::fmt::Display) -> Error {
    Error::Damaged(error.to_string())
}

/// What the courier is handed. One whose person was erased after it was written is taken out of the outbox instead.
fn handed(row: crible_store::Delivery) -> Result<Result<Delivery, Settled>, Error> {
    let Some(body) = row.body else {
        let why = Some("the person was erased".to_owned());
        let (state, due) = (DeliveryState::Withheld, row.due);
        return Ok(Err(Settled { id: row.id, claims: row.claims, state, attempts: row.attempts, due, why }));
    };
    // What is sealed with a person's key goes to them where it is a question; the bank's own people read about them.
    let notice: Result<Notice, _> = serde_json::from_str(&body);
    let asked = matches!(notice, Ok(Notice::Question(_)));
    Ok(Ok(Delivery {
        id: row.id.unsigned_abs(),
        claims: row.claims,
        key: row.key.parse().map_err(damaged)?,
        person: row.person.filter(|_| asked).map(Person),
        about: row.about.parse().map_err(damaged)?,
        body,
        attempts: row.attempts,
    }))
}

impl<C: Clock> Outbox for Post<C> {
    type Error = Error;

    async fn claim(
        &self,
        channel: &ChannelName,
        now: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Result<Vec<Delivery>, Error> {
        let mut txn = self.store.begin(now).await?;
        let rows = txn.claim(channel.as_str(), until, u32::try_from(most).unwrap_or(u32::MAX)).await?;
        let (mut deliveries, mut erased) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            match handed(row)? {
                Ok(delivery) => deliveries.push(delivery),
                Err(settled) => erased.push(settled),
            }
        }
        if !erased.is_empty() {
            txn.settle(&erased).await?;
        }
        txn.commit().await?;
        Ok(deliveries)
    }

    async fn settle(&self, settlement: Settlement) -> Result<(), Error> {
        let Settlement { settled, drafts, health } = settlement;
        let at = settled.iter().map(|settled| settled.at).max().unwrap_or_else(|| self.clock.now());
        let settled: Vec<Settled> = settled
            .into_iter()
            .map(|settled| {
                let id = i64::try_from(settled.id).map_err(damaged)?;
                let crible_notify::outbox::Settled { claims, attempts, due, why, .. } = settled;
                Ok(Settled { id, claims, state: state(settled.state), attempts, due, why })
            })
            .collect::<Result<_, Error>>()?;
        let mut txn = self.store.begin(at).await?;
        txn.settle(&settled).await?;
        if !drafts.is_empty() {
            let new: Vec<NewDelivery> = drafts.into_iter().map(|draft| new_delivery(draft, None)).collect();
            txn.enqueue(&new).await?;
        }
        if let Some((channel, health)) = health {
            let health = serde_json::to_string(&health).map_err(damaged)?;
            txn.set_health(channel.as_str(), &health).await?;
        }
        txn.commit().await
    }

    async fn next_due(&self, channel: &ChannelName) -> Result<Option<Timestamp>, Error> {
        self.store.read(self.clock.now()).await?.next_due(channel.as_str()).await
    }

    async fn health(&self, channel: &ChannelName) -> Result<Health, Error> {
        let health = self.store.read(self.clock.now()).await?.health(channel.as_str()).await?;
        health.map_or_else(|| Ok(Health::default()), |health| serde_json::from_str(&health).map_err(damaged))
    }
}

async fn append(txn: &mut Txn, pages: Vec<Page>) -> Result<bool, Error> {
    let appends: Vec<Append> = pages
        .into_iter()
        .map(|page| Append {
            subject: page.subject.to_string(),
            expected: page.expected as u64,
            bodies: page.bodies,
            person: page.person.map(|person| person.0),
        })
        .collect();
    txn.append(&appends).await
}

impl<C: Clock> Logs for Post<C> {
    type Error = Error;

    async fn read(&self, subject: &Subject) -> Result<Vec<Line>, Error> {
        let entries = self.store.read(self.clock.now()).await?.stream(&subject.to_string()).await?;
        Ok(entries.into_iter().map(|entry| Line { at: entry.at, body: entry.body }).collect())
    }

    async fn append(&self, at: Timestamp, pages: Vec<Page>) -> Result<bool, Error> {
        let mut txn = self.store.begin(at).await?;
        let written = append(&mut txn, pages).await?;
        if written {
            txn.commit().await?;
        }
        Ok(written)
    }
}

impl<C: Clock> Cases for Post<C> {
    async fn append_answered(
        &self,
        at: Timestamp,
        pages: Vec<Page>,
        about: &About,
        theirs: bool,
    ) -> Result<bool, Error> {
        let mut txn = self.store.begin(at).await?;
        if !append(&mut txn, pages).await? {
            return Ok(false);
        }
        // What was asked about was an alert; one that retention has removed since is nothing to change.
        if let Ok(alert) = about.as_str().parse() {
            let answered = txn.answer(&self.cases, alert, theirs).await?;
            if let Some((case, _)) = answered.filter(|_| !theirs) {
                txn.wake(&BTreeSet::from([case])).await?;
            }
        }
        txn.commit().await?;
        Ok(true)
    }
}
