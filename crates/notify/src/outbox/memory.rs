use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crible_core::Timestamp;

use super::{Delivery, Draft, Health, Outbox, Settlement, State};
use crate::{About, ChannelName, Key, Person};

/// Deliveries in memory: what a store has to do, in its plainest form. Nothing survives the process.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    rows: Vec<Row>,
    keys: BTreeSet<Key>,
    /// The pending rows, by when they can be taken.
    waiting: BTreeSet<(ChannelName, Timestamp, u64)>,
    health: BTreeMap<ChannelName, Health>,
}

/// A row as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub id: u64,
    /// What receivers know it by.
    pub key: Key,
    /// Where it goes.
    pub channel: ChannelName,
    /// Whom it goes to, where it goes to a customer.
    pub person: Option<Person>,
    /// What it is about.
    pub about: About,
    /// The notice in JSON.
    pub body: String,
    /// When it is tried next.
    pub due: Timestamp,
    /// Finished tries.
    pub attempts: u32,
    /// How often it was taken.
    pub claims: u32,
    /// Until when it is taken.
    pub leased_until: Option<Timestamp>,
    /// What it is.
    pub state: State,
    /// What went wrong last.
    pub why: Option<String>,
}

impl Memory {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nobody panics while holding it half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes deliveries; how many are new.
    pub fn write(&self, drafts: impl IntoIterator<Item = Draft>) -> usize {
        self.inner().write(drafts)
    }

    /// All rows.
    pub fn rows(&self) -> Vec<Row> {
        self.inner().rows.clone()
    }

    /// Sends a dead delivery again; whether it was dead.
    pub fn send_again(&self, id: u64, now: Timestamp) -> bool {
        let dead = |row: &mut Row| {
            let dead = row.state == State::Dead;
            if dead {
                (row.state, row.attempts, row.due) = (State::Pending, 0, now);
            }
            dead
        };
        self.inner().change(id, dead).unwrap_or(false)
    }

    /// Uses a channel again.
    pub fn enable(&self, channel: &ChannelName) {
        self.inner().health.remove(channel);
    }
}

impl Inner {
    fn write(&mut self, drafts: impl IntoIterator<Item = Draft>) -> usize {
        let before = self.rows.len();
        for Draft { key, channel, person, about, body, due } in drafts {
            if !self.keys.insert(key.clone()) {
                continue;
            }
            let id = self.rows.len() as u64 + 1;
            self.waiting.insert((channel.clone(), due, id));
            self.rows.push(Row {
                id,
                key,
                channel,
                person,
                about,
                body,
                due,
                attempts: 0,
                claims: 0,
                leased_until: None,
                state: State::Pending,
                why: None,
            });
        }
        self.rows.len() - before
    }

    /// Changes a row, and keeps it among those that wait if it is pending then.
    fn change<T>(&mut self, id: u64, change: impl FnOnce(&mut Row) -> T) -> Option<T> {
        let place = usize::try_from(id).ok()?.checked_sub(1)?;
        let row = self.rows.get_mut(place)?;
        self.waiting.remove(&(row.channel.clone(), row.can_be_taken(), id));
        let result = change(row);
        if row.state == State::Pending {
            self.waiting.insert((row.channel.clone(), row.can_be_taken(), id));
        }
        Some(result)
    }
}

impl Row {
    /// From when on: it is due, and nobody has taken it.
    fn can_be_taken(&self) -> Timestamp {
        self.leased_until.map_or(self.due, |until| until.max(self.due))
    }
}

impl Outbox for Memory {
    type Error = Infallible;

    async fn claim(
        &self,
        channel: &ChannelName,
        now: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Result<Vec<Delivery>, Infallible> {
        let mut inner = self.inner();
        let all = (channel.clone(), Timestamp(i64::MIN), 0)..=(channel.clone(), now, u64::MAX);
        let ids: Vec<u64> = inner.waiting.range(all).map(|(_, _, id)| *id).take(most).collect();
        let take = |row: &mut Row| {
            row.claims += 1;
            row.leased_until = Some(until);
            Delivery {
                id: row.id,
                claims: row.claims,
                key: row.key.clone(),
                person: row.person,
                about: row.about.clone(),
                body: row.body.clone(),
                attempts: row.attempts,
            }
        };
        Ok(ids.into_iter().filter_map(|id| inner.change(id, take)).collect())
    }

    async fn settle(&self, settlement: Settlement) -> Result<(), Infallible> {
        let mut inner = self.inner();
        for settled in settlement.settled {
            let end = |row: &mut Row| {
                if row.claims == settled.claims {
                    row.state = settled.state;
                    row.attempts = settled.attempts;
                    row.due = settled.due;
                    row.why = settled.why;
                    row.leased_until = None;
                }
            };
            inner.change(settled.id, end);
        }
        inner.write(settlement.drafts);
        inner.health.extend(settlement.health);
        Ok(())
    }

    async fn next_due(&self, channel: &ChannelName) -> Result<Option<Timestamp>, Infallible> {
        let all = (channel.clone(), Timestamp(i64::MIN), 0)..=(channel.clone(), Timestamp(i64::MAX), u64::MAX);
        Ok(self.inner().waiting.range(all).next().map(|(_, at, _)| *at))
    }

    async fn health(&self, channel: &ChannelName) -> Result<Health, Infallible> {
        Ok(self.inner().health.get(channel).cloned().unwrap_or_default())
    }
}
