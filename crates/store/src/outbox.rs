//! What is to be sent: written in the transaction that gives the reason for it, sent by whoever holds its lease.

use std::collections::{BTreeMap, BTreeSet};

use crible_core::{EntityId, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::counters::next;
use crate::key::Owner;
use crate::sql::{self, Value, query, row, select_in};
use crate::store::{Reader, Txn};
use crate::{Error, points};

const COLUMNS: &str = "id, name, channel, person, about, key_id, body, created, due, attempts, claims, leased_until, \
                       state, why, settled";

/// Something to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its name: the same for the same message, however often it is written. A receiver removes duplicates by it.
    pub key: String,
    /// Where it goes: the name of a channel in the configuration.
    pub channel: String,
    /// Whom it is about; their key seals the body.
    pub person: Option<EntityId>,
    /// What it is about, such as an alert's reference, for people to look at.
    pub about: String,
    /// What to send.
    pub body: String,
    /// Not before this time.
    pub due: Timestamp,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DeliveryState {
    /// To be sent.
    Pending,
    /// Sent.
    Sent,
    /// Given up.
    Dead,
    /// Not to be sent any more, such as after consent was withdrawn.
    Withheld,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Sent, Self::Dead, Self::Withheld];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Withheld => "withheld",
        }
    }
}

impl std::fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something to send, or that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// Its number.
    pub id: i64,
    /// Its name, see [`NewDelivery::key`].
    pub key: String,
    /// Where it goes.
    pub channel: String,
    /// Whom it is about.
    pub person: Option<EntityId>,
    /// What it is about.
    pub about: String,
    /// What to send; `None` once the person was erased.
    pub body: Option<String>,
    /// When it was written.
    pub created: Timestamp,
    /// When the next try is due.
    pub due: Timestamp,
    /// Tries that ended.
    pub attempts: u32,
    /// How often it was claimed: whoever settles it says which claim was theirs.
    pub claims: u32,
    /// Until when somebody has it.
    pub leased_until: Option<Timestamp>,
    /// How far it is.
    pub state: DeliveryState,
    /// What the last try failed of.
    pub why: Option<String>,
    /// When it was settled.
    pub settled: Option<Timestamp>,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The delivery.
    pub id: i64,
    /// The claim that it was tried under. Under another one nothing changes: somebody else has it by now.
    pub claims: u32,
    /// How far it is now.
    pub state: DeliveryState,
    /// Tries that ended.
    pub attempts: u32,
    /// When the next try is due, where it is pending.
    pub due: Timestamp,
    /// What the try failed of, without anything about a person.
    pub why: Option<String>,
}

fn place(key: &str) -> String {
    format!("delivery/{key}")
}

impl Txn {
    /// Writes deliveries. One whose key is there already is left as it is. How many are new.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn enqueue(&mut self, new: &[NewDelivery]) -> Result<u64, Error> {
        self.keys_for(new.iter().filter_map(|delivery| delivery.person.map(Owner::Entity))).await?;
        let (mut rows, now) = (Vec::with_capacity(new.len()), self.now.0);
        let mut seen = BTreeSet::new();
        for delivery in new.iter().filter(|delivery| seen.insert(&delivery.key)) {
            let NewDelivery { key, channel, person, about, body, due } = delivery;
            let (key_id, body) = match person {
                Some(person) => {
                    let (id, sealed) = self.seal(Owner::Entity(*person), &place(key), body.as_bytes())?;
                    (Some(id), sealed)
                }
                None => (None, body.clone().into_bytes()),
            };
            let id = next(&mut self.counters.delivery);
            let person = person.map(|person| person.to_string());
            let (channel, about, pending) = (channel.as_str(), about.as_str(), DeliveryState::Pending.as_str());
            rows.push(row![id, key.as_str(), channel, person, about, key_id, body, now, due.0, 0_i64, 0_i64, pending]);
        }
        let into = "outbox (id, name, channel, person, about, key_id, body, created, due, attempts, claims, state)";
        let new = sql::insert(self.db(), into, rows, "ON CONFLICT (name) DO NOTHING").await?;
        points::reach("after enqueue");
        Ok(new)
    }

    /// Takes deliveries of a channel that are due and that nobody has, `most` of them, the longest due first. They are
    /// the caller's until `leased_until`; those not settled by then can be claimed again.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn claim(&mut self, channel: &str, leased_until: Timestamp, most: u32) -> Result<Vec<Delivery>, Error> {
        let now = self.now.0;
        let text = format!(
            "SELECT {COLUMNS} FROM outbox WHERE state = 'pending' AND channel = $1 AND due <= $2 \
             AND (leased_until IS NULL OR leased_until <= $2) ORDER BY due, id LIMIT $3"
        );
        let values = row![channel, now, i64::from(most)];
        let rows = query(text, values).fetch_all(self.db()).await?;
        let mut claimed = self.deliveries_of(&rows).await?;
        let until = leased_until.0;
        let text = format!("UPDATE outbox SET claims = claims + 1, leased_until = {until} WHERE id IN ({{in}})");
        sql::change_in(self.db(), &text, claimed.iter().map(|delivery| Value::from(delivery.id))).await?;
        for delivery in &mut claimed {
            delivery.claims += 1;
            delivery.leased_until = Some(leased_until);
        }
        Ok(claimed)
    }

    /// Writes how tries ended, and says how many of these counted: not those that somebody else claimed since.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn settle(&mut self, settled: &[Settled]) -> Result<u64, Error> {
        let (now, mut counted) = (self.now.0, 0);
        // Most of what is settled together ended alike, and one statement says so.
        let mut alike: BTreeMap<_, Vec<(i64, u32)>> = BTreeMap::new();
        for Settled { id, claims, state, attempts, due, why } in settled {
            alike.entry((*state, *attempts, *due, why)).or_default().push((*id, *claims));
        }
        for ((state, attempts, due, why), claimed) in alike {
            let at = (state != DeliveryState::Pending).then_some(now);
            for part in claimed.chunks(sql::MOST_IN) {
                let ids: Vec<String> = part.iter().map(|(id, _)| id.to_string()).collect();
                let part: Vec<String> = part.iter().map(|(id, claims)| format!("({id}, {claims})")).collect();
                // The rows are found by their numbers, which have an index; pairs have none.
                let text = format!(
                    "UPDATE outbox SET state = $1, attempts = $2, due = $3, why = $4, settled = $5, \
                     leased_until = NULL WHERE id IN ({}) AND state = 'pending' AND (id, claims) IN (VALUES {})",
                    ids.join(", "),
                    part.join(", ")
                );
                let values = row![state.as_str(), attempts, due.0, why.clone(), at];
                counted += query(text, values).persistent(false).execute(self.db()).await?.rows_affected();
            }
        }
        points::reach("after settle");
        Ok(counted)
    }

    /// Makes a delivery that was given up be tried again from now on. Whether it was one.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn resend(&mut self, id: i64) -> Result<bool, Error> {
        let text = "UPDATE outbox SET state = 'pending', attempts = 0, due = $1, settled = NULL, leased_until = NULL \
                    WHERE id = $2 AND state = 'dead' AND body IS NOT NULL";
        let values = row![self.now.0, id];
        Ok(query(text.to_owned(), values).execute(self.db()).await?.rows_affected() == 1)
    }

    /// Keeps what is known of the health of a channel.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set_health(&mut self, channel: &str, health: &str) -> Result<(), Error> {
        let after = "ON CONFLICT (name) DO UPDATE SET health = excluded.health";
        sql::insert(self.db(), "channels (name, health)", vec![row![channel, health]], after).await?;
        Ok(())
    }
}

impl Reader {
    /// When the next delivery of a channel is due, or the lease of one runs out; `None` where none is pending.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn next_due(&mut self, channel: &str) -> Result<Option<Timestamp>, Error> {
        let text = "SELECT MIN(CASE WHEN leased_until > due THEN leased_until ELSE due END) AS next FROM outbox \
                    WHERE state = 'pending' AND channel = $1";
        let row = sqlx::query(text).bind(channel.to_owned()).fetch_one(self.db()).await?;
        Ok(row.try_get::<Option<i64>, _>("next")?.map(Timestamp))
    }

    /// What is known of the health of a channel.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn health(&mut self, channel: &str) -> Result<Option<String>, Error> {
        let text = "SELECT health FROM channels WHERE name = $1";
        let row = sqlx::query(text).bind(channel.to_owned()).fetch_optional(self.db()).await?;
        Ok(row.map(|row| row.try_get("health")).transpose()?)
    }

    /// Deliveries, the latest first, `most` of them.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn deliveries(&mut self, state: Option<DeliveryState>, most: u32) -> Result<Vec<Delivery>, Error> {
        let condition = if state.is_some() { "state = $2" } else { "1 = 1" };
        let text = format!("SELECT {COLUMNS} FROM outbox WHERE {condition} ORDER BY id DESC LIMIT $1");
        let mut values = row![i64::from(most)];
        values.extend(state.map(|state| Value::from(state.as_str())));
        let rows = query(text, values).fetch_all(self.db()).await?;
        self.deliveries_of(&rows).await
    }

    /// A delivery by its key.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn delivery(&mut self, key: &str) -> Result<Option<Delivery>, Error> {
        let text = format!("SELECT {COLUMNS} FROM outbox WHERE name IN ({{in}})");
        let rows = select_in(self.db(), &text, [Value::from(key)]).await?;
        Ok(self.deliveries_of(&rows).await?.pop())
    }

    async fn deliveries_of(&mut self, rows: &[AnyRow]) -> Result<Vec<Delivery>, Error> {
        let keys = rows.iter().map(|row| row.try_get::<Option<i64>, _>("key_id")).collect::<Result<Vec<_>, _>>()?;
        self.fetch_keys(keys.into_iter().flatten()).await?;
        rows.iter().map(|row| self.delivery_of(row)).collect()
    }

    fn delivery_of(&self, row: &AnyRow) -> Result<Delivery, Error> {
        let (id, key): (i64, String) = (row.try_get("id")?, row.try_get("name")?);
        let body: Option<Vec<u8>> = row.try_get("body")?;
        let body = match (row.try_get::<Option<i64>, _>("key_id")?, body) {
            (Some(seal), Some(body)) => self.unseal(seal, &place(&key), &body)?,
            (_, body) => body,
        };
        let state: &str = row.try_get("state")?;
        let known = DeliveryState::ALL.into_iter().find(|known| known.as_str() == state);
        Ok(Delivery {
            id,
            channel: row.try_get("channel")?,
            person: sql::parsed_option(row, "person")?,
            about: row.try_get("about")?,
            body: body.map(String::from_utf8).transpose().map_err(Error::damaged)?,
            created: Timestamp(row.try_get("created")?),
            due: Timestamp(row.try_get("due")?),
            attempts: sql::count(row, "attempts")?,
            claims: sql::count(row, "claims")?,
            leased_until: row.try_get::<Option<i64>, _>("leased_until")?.map(Timestamp),
            state: known.ok_or_else(|| Error::damaged(format_args!("delivery {id} is `{state}`")))?,
            why: row.try_get("why")?,
            settled: row.try_get::<Option<i64>, _>("settled")?.map(Timestamp),
            key,
        })
    }
}
