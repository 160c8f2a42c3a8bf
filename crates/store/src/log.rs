//! The audit log: append-only, each entry with the hash of all before it.
//!
//! An entry is never changed. What it says about persons is sealed by their keys or is a hash, so that a person can be
//! erased and the chain still verifies.

use crible_core::Timestamp;
use data_encoding::HEXLOWER;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use sqlx::Row;

use crate::Error;
use crate::counters::next;
use crate::sql::{self, row};
use crate::store::{Reader, Txn};

/// Entries that are read at once.
const PAGE: i64 = 2_000;

/// What is about to be written to the log.
pub(crate) struct Draft {
    pub(crate) kind: &'static str,
    pub(crate) actor: String,
    pub(crate) operation: Option<i64>,
    pub(crate) body: Json,
}

impl Draft {
    pub(crate) fn new(kind: &'static str, actor: impl ToString, body: Json) -> Self {
        Self { kind, actor: actor.to_string(), operation: None, body }
    }
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// Its place, from 1.
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// What it is of: `case`, `stream`, `rule` and so on.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// The operation on cases, where it is one.
    pub operation: Option<i64>,
    /// What happened.
    pub body: Json,
}

/// What a look through the whole log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Entries, all of them as they were written.
    pub entries: u64,
    /// Hash of the last, hexadecimal: who notes it elsewhere can tell later that nothing before it changed.
    pub head: String,
}

/// Where the log is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {what}")]
pub struct Broken {
    /// The entry.
    pub seq: i64,
    /// What is wrong.
    pub what: String,
}

fn chained(head: &[u8], seq: i64, at: i64, kind: &str, actor: &str, operation: Option<i64>, body: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    // Lengths stand before texts, so that no two entries have the same bytes.
    for bytes in [head, &seq.to_be_bytes(), &at.to_be_bytes(), kind.as_bytes(), actor.as_bytes()] {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
    hash.update(operation.unwrap_or(-1).to_be_bytes());
    hash.update(body.as_bytes());
    hash.finalize().to_vec()
}

impl Txn {
    pub(crate) async fn append_log(&mut self, drafts: Vec<Draft>) -> Result<(), Error> {
        let now = self.now;
        let mut rows = Vec::with_capacity(drafts.len());
        for Draft { kind, actor, operation, body } in drafts {
            let counters = &mut self.counters;
            let (seq, at) = (next(&mut counters.seq), counters.time(now));
            let body = body.to_string();
            counters.head = chained(&counters.head, seq, at, kind, &actor, operation, &body);
            rows.push(row![seq, at, kind, actor, operation, body, counters.head.clone()]);
        }
        sql::insert(self.db(), "log (seq, at, kind, actor, operation, body, hash)", rows, "").await?;
        Ok(())
    }

    /// Writes to the audit log what happened elsewhere, such as that a backup was made. `body` says nothing about a
    /// person.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn log(&mut self, kind: &'static str, actor: &str, body: Json) -> Result<(), Error> {
        self.append_log(vec![Draft::new(kind, actor, body)]).await
    }
}

impl Reader {
    /// Entries of the audit log after `after`, in order, `most` of them.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn log_entries(&mut self, after: i64, most: u32) -> Result<Vec<LogEntry>, Error> {
        let text = "SELECT seq, at, kind, actor, operation, body FROM log WHERE seq > $1 ORDER BY seq LIMIT $2";
        let rows = sqlx::query(text).bind(after).bind(i64::from(most)).fetch_all(self.db()).await?;
        let entry = |row: sqlx::any::AnyRow| {
            let body: &str = row.try_get("body")?;
            Ok(LogEntry {
                seq: row.try_get("seq")?,
                at: Timestamp(row.try_get("at")?),
                kind: row.try_get("kind")?,
                actor: row.try_get("actor")?,
                operation: row.try_get("operation")?,
                body: serde_json::from_str(body).map_err(Error::damaged)?,
            })
        };
        rows.into_iter().map(entry).collect()
    }

    /// Reads the whole log, and says whether every entry is the one that was written, none is missing, and what is
    /// stored elsewhere is what the log says.
    ///
    /// # Errors
    /// [`Error::Database`]. What is wrong with the log is the inner [`Broken`].
    pub async fn verify(&mut self) -> Result<Result<Verified, Broken>, Error> {
        let (mut head, mut last, mut latest) = (Vec::new(), 0_i64, i64::MIN);
        let text = "SELECT seq, at, kind, actor, operation, body, hash FROM log WHERE seq > $1 ORDER BY seq LIMIT $2";
        loop {
            let rows = sqlx::query(text).bind(last).bind(PAGE).fetch_all(self.db()).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let (seq, at): (i64, i64) = (row.try_get("seq")?, row.try_get("at")?);
                let (kind, actor): (&str, &str) = (row.try_get("kind")?, row.try_get("actor")?);
                let (operation, body): (Option<i64>, &str) = (row.try_get("operation")?, row.try_get("body")?);
                let hash: Vec<u8> = row.try_get("hash")?;
                let broken = |seq, what: &str| Ok(Err(Broken { seq, what: what.to_owned() }));
                if seq != last + 1 {
                    return broken(last + 1, "it is missing");
                }
                head = chained(&head, seq, at, kind, actor, operation, body);
                if head != hash {
                    return broken(seq, "it is not what was written");
                }
                if at < latest {
                    return broken(seq, "its time is before that of the entry before it");
                }
                (last, latest) = (seq, at);
            }
        }
        let counters = &self.counters;
        let is_end = last == counters.seq && head == counters.head;
        // A store in which nothing was written yet has no mark.
        let unused = last == 0 && counters.head_mark.is_empty();
        if !is_end || !(unused || counters.head_mark == counters.mark(&self.at.key)) {
            return Ok(Err(Broken {
                seq: last + 1,
                what: "the end of the log was cut off or written anew".to_owned(),
            }));
        }
        if let Some(broken) = self.verify_streams().await? {
            return Ok(Err(broken));
        }
        Ok(Ok(Verified { entries: last.unsigned_abs(), head: HEXLOWER.encode(&head) }))
    }
}
