//! A store as lines of JSON, which any later version reads into any database.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

use crible_core::Timestamp;
use data_encoding::{BASE64, HEXLOWER};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use sqlx::any::{AnyRow, AnyTypeInfoKind};
use sqlx::{Column, Row, ValueRef};

use crate::address::Address;
use crate::counters::Counters;
use crate::key::StoreKey;
use crate::sql::{self, Value};
use crate::store::{self, Reader, Store};
use crate::{Error, schema};

/// The form of the lines.
const FORM: u32 = 1;
/// Rows that are inserted at once.
const AT_ONCE: usize = 250;

#[derive(Serialize, Deserialize)]
struct Header {
    crible_backup: u32,
    version: i64,
    at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Line {
    table: String,
    row: BTreeMap<String, Json>,
}

#[derive(Serialize, Deserialize)]
struct Footer {
    rows: u64,
    /// Of all bytes before this line.
    sha256: String,
}

/// Counts and hashes what goes through it.
struct Hashed<W> {
    to: W,
    hash: Sha256,
}

impl<W: Write> Hashed<W> {
    fn line(&mut self, line: &impl Serialize) -> std::io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.hash.update(&bytes);
        self.to.write_all(&bytes)
    }
}

impl Reader {
    /// Writes everything as lines of JSON: what is sealed stays sealed, and nothing of it opens without the store's
    /// key. How many rows there are.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn backup(&mut self, to: impl Write) -> Result<u64, Error> {
        let fault = Error::file("the backup");
        let address = self.at.address.clone();
        let version = schema::version(self.db(), &address).await?.unwrap_or(0);
        let tables = schema::tables(self.db(), &address).await?;
        let mut to = Hashed { to, hash: Sha256::new() };
        let mut rows = 0;
        let mut written = to.line(&Header { crible_backup: FORM, version, at: self.now });
        for (table, order) in schema::TABLES.iter().filter(|(table, _)| tables.iter().any(|name| name == table)) {
            let text = format!("SELECT * FROM {table} ORDER BY {order}");
            let mut stream = sql::query(text, []).fetch(self.db());
            while let Some(row) = stream.try_next().await? {
                if written.is_err() {
                    break;
                }
                written = to.line(&Line { table: (*table).to_owned(), row: columns(&row)? });
                rows += 1;
            }
        }
        let sha256 = HEXLOWER.encode(&to.hash.clone().finalize());
        written.and_then(|()| to.line(&Footer { rows, sha256 })).and_then(|()| to.to.flush()).map_err(fault)?;
        Ok(rows)
    }
}

/// What a row has, but for what is null.
fn columns(row: &AnyRow) -> Result<BTreeMap<String, Json>, Error> {
    let mut columns = BTreeMap::new();
    for (place, column) in row.columns().iter().enumerate() {
        let raw = row.try_get_raw(place)?;
        if raw.is_null() {
            continue;
        }
        let value = match raw.type_info().kind() {
            AnyTypeInfoKind::Double | AnyTypeInfoKind::Real => Json::from(row.try_get::<f64, _>(place)?),
            AnyTypeInfoKind::Text => Json::from(row.try_get::<String, _>(place)?),
            AnyTypeInfoKind::Blob => json!({ "base64": BASE64.encode(&row.try_get::<Vec<u8>, _>(place)?) }),
            _ => Json::from(row.try_get::<i64, _>(place)?),
        };
        columns.insert(column.name().to_owned(), value);
    }
    Ok(columns)
}

/// Makes a backup of a store of an earlier version, beside its file, or in the current folder.
pub(crate) async fn before_upgrade(store: &Store, found: i64, now: Timestamp) -> Result<PathBuf, Error> {
    let stem = match &store.address {
        Address::File(path) => path.display().to_string(),
        Address::Postgres(_) => "crible-store".to_owned(),
    };
    let path = PathBuf::from(format!("{stem}.version-{found}.{}.jsonl", now.0 / Timestamp::SECOND));
    let file = create(&path)?;
    let mut reader = store.read(now).await?;
    reader.backup(BufWriter::new(&file)).await?;
    file.sync_all().map_err(Error::file(&path))?;
    Ok(path)
}

/// A new file that only its owner reads.
fn create(path: &Path) -> Result<File, Error> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(Error::file(path))
}

/// Rows that go into one table with the same columns.
#[derive(Default)]
struct Batch {
    table: String,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Batch {
    async fn insert(&mut self, db: &mut sqlx::AnyConnection) -> Result<(), Error> {
        let rows = std::mem::take(&mut self.rows);
        // The version is there by then, and is the same.
        let after = if self.table == "meta" { "ON CONFLICT (name) DO UPDATE SET value = excluded.value" } else { "" };
        let into = format!("{} ({})", self.table, self.columns.join(", "));
        sql::insert(db, &into, rows, after).await?;
        Ok(())
    }
}

impl Store {
    /// Writes a backup into a new file that only its owner reads. How many rows it has.
    ///
    /// # Errors
    /// [`Error::File`] where there is a file, or it cannot be written.
    pub async fn backup_to(&self, path: &Path, now: Timestamp) -> Result<u64, Error> {
        let file = create(path)?;
        let rows = self.read(now).await?.backup(BufWriter::new(&file)).await?;
        file.sync_all().map_err(Error::file(path))?;
        Ok(rows)
    }

    /// Makes a store of a backup, in an empty database. One of an earlier version is upgraded. The audit log is
    /// verified before anything is there.
    ///
    /// # Errors
    /// [`Error`] where the database is not empty, the backup is damaged, cut short or of a later version, or another
    /// key made it. Nothing is there then.
    pub async fn restore(url: &str, key: &StoreKey, from: impl BufRead, now: Timestamp) -> Result<Self, Error> {
        Self::restore_as(url, key, from, now, schema::VERSIONS).await
    }

    pub(crate) async fn restore_as(
        url: &str,
        key: &StoreKey,
        from: impl BufRead,
        now: Timestamp,
        versions: &[&str],
    ) -> Result<Self, Error> {
        let mut lines = Lines::new(from);
        let bad = |line: u64, what: String| Error::Backup { line, what };
        let header = lines.next()?.ok_or_else(|| bad(1, "it is empty".to_owned()))?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| bad(1, "this is no backup".to_owned()))?;
        let known = versions.len() as i64;
        if header.crible_backup != FORM || !(1..=known).contains(&header.version) {
            let what = format!("it is of version {}, and this program knows version {known}", header.version);
            return Err(bad(1, what));
        }
        let store = Self::connected(url, key).await?;
        let mut db = store.write().await?;
        if !schema::tables(&mut db, &store.address).await?.is_empty() {
            return Err(Error::NotEmpty { url: store.address() });
        }
        schema::upgrade(&mut db, &store.address, versions, 0, header.version as usize).await?;

        let (mut batch, mut rows) = (Batch::default(), 0_u64);
        loop {
            let hash = HEXLOWER.encode(&lines.hash.clone().finalize());
            let Some(line) = lines.next()? else { return Err(bad(lines.number, "it is cut short".to_owned())) };
            if let Ok(footer) = serde_json::from_slice::<Footer>(&line) {
                if footer.rows != rows || footer.sha256 != hash {
                    return Err(bad(lines.number, "what was read is not what was written".to_owned()));
                }
                break;
            }
            let number = lines.number;
            let Line { table, row } = serde_json::from_slice(&line).map_err(|error| bad(number, error.to_string()))?;
            let is_name = |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            if !schema::TABLES.iter().any(|(known, _)| *known == table) || !row.keys().all(is_name) {
                return Err(bad(number, format!("`{}` is no table of a store", table.escape_default())));
            }
            let columns: Vec<String> = row.keys().cloned().collect();
            if batch.table != table || batch.columns != columns || batch.rows.len() >= AT_ONCE {
                batch.insert(&mut db).await?;
                batch = Batch { table, columns, rows: Vec::new() };
            }
            let values = row.into_values().map(value).collect::<Option<Vec<_>>>();
            batch.rows.push(values.ok_or_else(|| bad(number, "a value is of no kind that is known".to_owned()))?);
            rows += 1;
        }
        batch.insert(&mut db).await?;

        let mark = sqlx::query("SELECT value FROM meta WHERE name = 'key'").fetch_optional(&mut *db).await?;
        let mark: Option<String> = mark.map(|row| row.try_get("value")).transpose()?;
        if mark != Some(store::key_mark(key)) {
            return Err(Error::WrongKey { url: "the backup".to_owned() });
        }
        schema::upgrade(&mut db, &store.address, versions, header.version as usize, versions.len()).await?;
        let counters = Counters::load(&mut db).await?;
        let mut reader = store.reader(db, now, counters);
        if let Err(broken) = reader.verify().await? {
            return Err(Error::damaged(format_args!("the audit log of the backup: {broken}")));
        }
        reader.db.commit().await?;
        Ok(store)
    }
}

fn value(json: Json) -> Option<Value> {
    match json {
        Json::Number(number) if number.is_i64() => Some(number.as_i64().into()),
        Json::Number(number) => Some(number.as_f64().into()),
        Json::String(text) => Some(text.into()),
        Json::Object(object) => {
            let text = object.get("base64")?.as_str()?;
            Some(BASE64.decode(text.as_bytes()).ok()?.into())
        }
        _ => None,
    }
}

struct Lines<R> {
    from: R,
    number: u64,
    hash: Sha256,
}

impl<R: BufRead> Lines<R> {
    fn new(from: R) -> Self {
        Self { from, number: 0, hash: Sha256::new() }
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut line = Vec::new();
        self.from.read_until(b'\n', &mut line).map_err(Error::file("the backup"))?;
        self.number += 1;
        self.hash.update(&line);
        Ok(Some(line).filter(|line| !line.is_empty()))
    }
}
