//! What people set: silences, lists, rules, settings. Each change is in the audit log.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use sqlx::Row;

use crate::Error;
use crate::sql::{self, row};
use crate::store::{Reader, Txn};

impl Reader {
    /// All records of a kind with their names, in the order of these.
    ///
    /// # Errors
    /// [`Error::Damaged`] where one does not read.
    pub async fn records<T: DeserializeOwned>(&mut self, kind: &str) -> Result<Vec<(String, T)>, Error> {
        let text = "SELECT id, body FROM records WHERE kind = $1 ORDER BY id";
        let rows = sqlx::query(text).bind(kind.to_owned()).fetch_all(self.db()).await?;
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let (id, body): (String, &str) = (row.try_get("id")?, row.try_get("body")?);
            let read = serde_json::from_str(body);
            records.push((id.clone(), read.map_err(|error| Error::damaged(format_args!("{kind} {id}: {error}")))?));
        }
        Ok(records)
    }

    /// One record.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it does not read.
    pub async fn record<T: DeserializeOwned>(&mut self, kind: &str, id: &str) -> Result<Option<T>, Error> {
        let text = "SELECT body FROM records WHERE kind = $1 AND id = $2";
        let row = sqlx::query(text).bind(kind.to_owned()).bind(id.to_owned()).fetch_optional(self.db()).await?;
        let Some(row) = row else { return Ok(None) };
        let read = serde_json::from_str(row.try_get("body")?);
        read.map(Some).map_err(|error| Error::damaged(format_args!("{kind} {id}: {error}")))
    }
}

impl Txn {
    /// Keeps a record, in place of the one that has its name.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn put<T: Serialize>(&mut self, kind: &str, id: &str, record: &T, by: &str) -> Result<(), Error> {
        self.keep(kind, id, record).await?;
        self.log("record", by, json!({ "kind": kind, "id": id, "put": true })).await
    }

    /// The same without an entry in the audit log, for what counts and does not decide.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn keep<T: Serialize>(&mut self, kind: &str, id: &str, record: &T) -> Result<(), Error> {
        let body = serde_json::to_string(record).map_err(Error::damaged)?;
        let after = "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body";
        sql::insert(self.db(), "records (kind, id, body)", vec![row![kind, id, body]], after).await?;
        Ok(())
    }

    /// Removes a record. Whether there was one.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn remove(&mut self, kind: &str, id: &str, by: &str) -> Result<bool, Error> {
        let text = "DELETE FROM records WHERE kind = $1 AND id = $2".to_owned();
        let removed = sql::query(text, row![kind, id]).execute(self.db()).await?.rows_affected() == 1;
        if removed {
            self.log("record", by, json!({ "kind": kind, "id": id, "put": false })).await?;
        }
        Ok(removed)
    }
}
