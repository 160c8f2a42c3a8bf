//! Tables, version by version. A version that was released is never changed: a change is a further version.

use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::Error;
use crate::address::Address;

/// What makes version `n + 1` of version `n`. `BYTES` is the database's type for bytes.
pub(crate) const VERSIONS: &[&str] = &[include_str!("schema/1.sql")];

/// Every table, in the order in which a backup has them, with what its rows are ordered by.
pub(crate) const TABLES: &[(&str, &str)] = &[
    ("meta", "name"),
    ("keys", "id"),
    ("log", "seq"),
    ("alerts", "id"),
    ("cases", "id"),
    ("case_events", "case_id, operation"),
    ("case_keys", "name, case_id"),
    ("labels", "case_id, txn, source, known_at"),
    ("records", "kind, id"),
    ("outbox", "id"),
    ("channels", "name"),
    ("streams", "subject, number"),
];

/// All tables of the database.
pub(crate) async fn tables(db: &mut AnyConnection, address: &Address) -> Result<Vec<String>, Error> {
    let text = match address {
        Address::File(_) => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        Address::Postgres(_) => {
            "SELECT CAST(table_name AS TEXT) AS name FROM information_schema.tables \
             WHERE table_schema = current_schema()"
        }
    };
    let rows = sqlx::query(text).fetch_all(db).await?;
    Ok(rows.iter().map(|row| row.try_get("name")).collect::<Result<_, _>>()?)
}

/// The version of a store; `None` for an empty database.
pub(crate) async fn version(db: &mut AnyConnection, address: &Address) -> Result<Option<i64>, Error> {
    let tables = tables(db, address).await?;
    let Some(first) = tables.first() else { return Ok(None) };
    let other = || Error::NotAStore { url: address.to_string(), table: first.clone() };
    if ["meta", "keys", "log"].iter().any(|table| !tables.iter().any(|name| name == table)) {
        return Err(other());
    }
    let row = sqlx::query("SELECT value FROM meta WHERE name = 'version'").fetch_optional(db).await?;
    let text: String = row.ok_or_else(other)?.try_get("value")?;
    text.parse().map(Some).map_err(|_| Error::damaged(format_args!("its version is `{text}`")))
}

/// Makes the tables of version `from` those of version `to`.
pub(crate) async fn upgrade(
    db: &mut AnyConnection,
    address: &Address,
    versions: &[&str],
    from: usize,
    to: usize,
) -> Result<(), Error> {
    let bytes = match address {
        Address::File(_) => "BLOB",
        Address::Postgres(_) => "BYTEA",
    };
    for version in versions.iter().take(to).skip(from) {
        let statements = version.replace("BYTES", bytes);
        for statement in statements.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            sqlx::query(AssertSqlSafe(statement.to_owned())).persistent(false).execute(&mut *db).await?;
        }
    }
    let keep =
        "INSERT INTO meta (name, value) VALUES ('version', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    sqlx::query(keep).bind(to.to_string()).execute(&mut *db).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::BufReader;

    use crible_core::Timestamp;

    use super::*;
    use crate::{Store, StoreKey};

    /// A later version, which adds a column and fills it.
    const LATER: &[&str] =
        &[VERSIONS[0], "ALTER TABLE channels ADD COLUMN colour TEXT; UPDATE channels SET colour = 'blue'"];
    const BAD: &[&str] = &[VERSIONS[0], "CREATE TABLE half (x BIGINT); ALTER TABLE nowhere ADD COLUMN colour TEXT"];

    async fn colour(store: &Store) -> Option<String> {
        let row = sqlx::query("SELECT colour FROM channels").fetch_one(&store.pool).await.ok()?;
        row.try_get("colour").ok()
    }

    #[tokio::test]
    async fn a_store_of_an_earlier_version_is_backed_up_and_upgraded() {
        let folder = tempfile::tempdir().unwrap();
        let url = |name: &str| folder.path().join(name).display().to_string();
        let (key, now) = (StoreKey::new([7; 32]), Timestamp(5_000_000));
        let store = Store::open(&url("a.db"), &key, now).await.unwrap();
        let mut txn = store.begin(now).await.unwrap();
        txn.set_health("desk", "well").await.unwrap();
        txn.commit().await.unwrap();
        store.close().await;

        // What fails half-way leaves the version that was there, and its backup.
        assert!(Store::open_as(&url("a.db"), &key, now, BAD).await.is_err());
        let store = Store::open(&url("a.db"), &key, now).await.unwrap();
        assert_eq!(tables(&mut store.connection().await.unwrap(), &store.address).await.unwrap().len(), TABLES.len());
        store.close().await;

        let now = Timestamp(9_000_000);
        let store = Store::open_as(&url("a.db"), &key, now, LATER).await.unwrap();
        let backup = store.upgraded().unwrap().to_owned();
        assert_eq!(backup, folder.path().join("a.db.version-1.9.jsonl"));
        assert_eq!(colour(&store).await.as_deref(), Some("blue"));
        store.close().await;
        assert_eq!(Store::open_as(&url("a.db"), &key, now, LATER).await.unwrap().upgraded(), None);
        let error = Store::open(&url("a.db"), &key, now).await.unwrap_err();
        assert!(matches!(error, Error::Newer { found: 2, known: 1, .. }), "{error}");

        // The backup is of the earlier version, and a later one reads it as well.
        let from = || BufReader::new(std::fs::File::open(&backup).unwrap());
        let same = Store::restore(&url("b.db"), &key, from(), now).await.unwrap();
        assert_eq!(same.read(now).await.unwrap().health("desk").await.unwrap().as_deref(), Some("well"));
        let later = Store::restore_as(&url("c.db"), &key, from(), now, LATER).await.unwrap();
        assert_eq!(colour(&later).await.as_deref(), Some("blue"));
    }
}
