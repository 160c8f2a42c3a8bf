//! The last numbers given, and the head of the log.

use crible_core::Timestamp;
use data_encoding::HEXLOWER;
use sqlx::{AnyConnection, Row};

use crate::sql::{self, row};
use crate::{Error, StoreKey};

/// Numbers are never given twice, also after what had them is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) case: i64,
    pub(crate) operation: i64,
    pub(crate) seq: i64,
    pub(crate) key: i64,
    pub(crate) delivery: i64,
    /// Hash of the log's last entry.
    pub(crate) head: Vec<u8>,
    /// The mark of the head, by the store's key: otherwise the end of the log could be cut off.
    pub(crate) head_mark: String,
    /// The latest time in the log: its times never go back.
    pub(crate) latest: i64,
    saved: Vec<(&'static str, String)>,
}

impl Counters {
    pub(crate) async fn load(db: &mut AnyConnection) -> Result<Self, Error> {
        let mut this = Self::default();
        for row in sqlx::query("SELECT name, value FROM meta").fetch_all(db).await? {
            let (name, value): (String, String) = (row.try_get("name")?, row.try_get("value")?);
            let number = || value.parse().map_err(|_| Error::damaged(format_args!("{name} is `{value}`")));
            match name.as_str() {
                "case" => this.case = number()?,
                "operation" => this.operation = number()?,
                "seq" => this.seq = number()?,
                "last_key" => this.key = number()?,
                "delivery" => this.delivery = number()?,
                "latest" => this.latest = number()?,
                "head" => this.head = HEXLOWER.decode(value.as_bytes()).map_err(Error::damaged)?,
                "head_mark" => this.head_mark = value,
                _ => {}
            }
        }
        this.saved = this.rows();
        Ok(this)
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        vec![
            ("case", self.case.to_string()),
            ("operation", self.operation.to_string()),
            ("seq", self.seq.to_string()),
            ("last_key", self.key.to_string()),
            ("delivery", self.delivery.to_string()),
            ("latest", self.latest.to_string()),
            ("head", HEXLOWER.encode(&self.head)),
            ("head_mark", self.head_mark.clone()),
        ]
    }

    /// What says, to whoever has the key, that the log ends here.
    pub(crate) fn mark(&self, key: &StoreKey) -> String {
        HEXLOWER.encode(&key.mark("crible.store/head", &[&self.seq.to_be_bytes()[..], &self.head].concat()))
    }

    pub(crate) async fn save(&mut self, db: &mut AnyConnection, mark: String) -> Result<(), Error> {
        self.head_mark = mark;
        let rows = self.rows();
        let changed = rows.iter().filter(|row| !self.saved.contains(row));
        let changed = changed.map(|(name, value)| row![*name, value.clone()]).collect();
        sql::insert(db, "meta (name, value)", changed, "ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .await?;
        Ok(())
    }

    /// The time of an entry that is written at `now`.
    pub(crate) fn time(&mut self, now: Timestamp) -> i64 {
        self.latest = self.latest.max(now.0);
        self.latest
    }
}

/// The next number.
pub(crate) fn next(counter: &mut i64) -> i64 {
    *counter += 1;
    *counter
}
