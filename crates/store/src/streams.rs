//! Streams: entries about one subject, in order, that are only ever added. Consent, contacts and conversations are kept
//! so. The audit log has a hash of each entry.

use std::collections::{BTreeMap, BTreeSet};

use crible_core::{EntityId, Timestamp};
use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::Row;

use crate::key::Owner;
use crate::log::{Broken, Draft};
use crate::sql::{self, Value, row, select_in};
use crate::store::{Reader, Txn};
use crate::{Error, points};

/// Entries that are checked at once.
const PAGE: i64 = 1_000;

/// Entries to add to a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Which stream.
    pub subject: String,
    /// How many entries it had when it was read.
    pub expected: u64,
    /// The entries.
    pub bodies: Vec<String>,
    /// Whom they are about: that person's key seals them.
    pub person: Option<EntityId>,
}

/// An entry of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place, from 1.
    pub number: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What it says; `None` where the person was erased.
    pub body: Option<String>,
}

fn place(subject: &str, number: i64) -> String {
    format!("stream/{subject}/{number}")
}

/// The log has this instead of the entry: what it says and whom it is about stay out of it.
fn hash(subject: &str, number: i64, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(place(subject, number).as_bytes());
    hash.update([0]);
    hash.update(body);
    HEXLOWER.encode(&hash.finalize())
}

impl Txn {
    /// Adds entries to streams: to all of them, or to none where one has other than the expected number of entries by
    /// now. Whether they were added.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn append(&mut self, appends: &[Append]) -> Result<bool, Error> {
        let subjects: BTreeSet<&str> = appends.iter().map(|append| append.subject.as_str()).collect();
        let text = "SELECT subject, MAX(number) AS last FROM streams WHERE subject IN ({in}) GROUP BY subject";
        let mut last: BTreeMap<String, i64> = BTreeMap::new();
        for row in select_in(self.db(), text, subjects.into_iter().map(Value::from)).await? {
            last.insert(row.try_get("subject")?, row.try_get("last")?);
        }
        self.keys_for(appends.iter().filter_map(|append| append.person.map(Owner::Entity))).await?;
        let (mut rows, mut drafts, now) = (Vec::new(), Vec::new(), self.now.0);
        for Append { subject, expected, bodies, person } in appends {
            let last = last.entry(subject.clone()).or_insert(0);
            if last.unsigned_abs() != *expected {
                return Ok(false);
            }
            for body in bodies {
                *last += 1;
                let (key, body) = match person {
                    Some(person) => {
                        let (key, sealed) =
                            self.seal(Owner::Entity(*person), &place(subject, *last), body.as_bytes())?;
                        (Some(key), sealed)
                    }
                    None => (None, body.clone().into_bytes()),
                };
                drafts.push(Draft::new("stream", "engine", json!({ "hash": hash(subject, *last, &body) })));
                let seq = self.counters.seq + drafts.len() as i64;
                let person = person.map(|person| person.to_string());
                rows.push(row![subject.as_str(), *last, now, person, key, body, seq]);
            }
        }
        self.append_log(drafts).await?;
        sql::insert(self.db(), "streams (subject, number, at, person, key_id, body, seq)", rows, "").await?;
        points::reach("after append");
        Ok(true)
    }
}

impl Reader {
    /// The entries of a stream, in order.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn stream(&mut self, subject: &str) -> Result<Vec<Entry>, Error> {
        let text = "SELECT number, at, key_id, body FROM streams WHERE subject = $1 ORDER BY number";
        let rows = sqlx::query(text).bind(subject.to_owned()).fetch_all(self.db()).await?;
        let keys = rows.iter().map(|row| row.try_get::<Option<i64>, _>("key_id")).collect::<Result<Vec<_>, _>>()?;
        self.fetch_keys(keys.iter().copied().flatten()).await?;
        let mut entries = Vec::with_capacity(rows.len());
        for (row, key) in rows.iter().zip(keys) {
            let number: i64 = row.try_get("number")?;
            let body: Option<Vec<u8>> = row.try_get("body")?;
            let body = match (key, body) {
                (Some(key), Some(body)) => self.unseal(key, &place(subject, number), &body)?,
                (_, body) => body,
            };
            let body = body.map(String::from_utf8).transpose().map_err(Error::damaged)?;
            entries.push(Entry { number: number.unsigned_abs(), at: Timestamp(row.try_get("at")?), body });
        }
        Ok(entries)
    }

    /// The first entry of a stream that is not the one the log has the hash of.
    pub(crate) async fn verify_streams(&mut self) -> Result<Option<Broken>, Error> {
        let text = "SELECT streams.subject AS subject, streams.number AS number, streams.body AS body, \
                    streams.seq AS seq, log.body AS logged FROM streams LEFT JOIN log ON log.seq = streams.seq \
                    WHERE streams.subject > $1 OR (streams.subject = $1 AND streams.number > $2) \
                    ORDER BY streams.subject, streams.number LIMIT $3";
        let (mut subject, mut number) = (String::new(), 0_i64);
        loop {
            let query = sqlx::query(text).bind(subject.clone()).bind(number).bind(PAGE);
            let rows = query.fetch_all(self.db()).await?;
            if rows.is_empty() {
                return Ok(None);
            }
            for row in rows {
                (subject, number) = (row.try_get("subject")?, row.try_get("number")?);
                let (body, logged): (Option<Vec<u8>>, Option<String>) = (row.try_get("body")?, row.try_get("logged")?);
                let Some(body) = body else { continue };
                let logged = logged.and_then(|logged| serde_json::from_str::<serde_json::Value>(&logged).ok());
                let logged = logged.as_ref().and_then(|logged| logged.get("hash")?.as_str());
                if logged != Some(&hash(&subject, number, &body)) {
                    let what = "an entry of a stream is not what was written";
                    return Ok(Some(Broken { seq: row.try_get("seq")?, what: what.to_owned() }));
                }
            }
        }
    }
}
