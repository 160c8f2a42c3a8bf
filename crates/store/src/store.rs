//! Opening a store, and one transaction on it.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::{Arc, Once};
use std::time::Duration;

use crible_core::Timestamp;
use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor, Row, Transaction};

use crate::address::Address;
use crate::counters::Counters;
use crate::key::{Cipher, Owner, StoreKey};
use crate::{Error, backup, points, schema};

/// Whoever wants to write waits so long for whoever writes.
const PATIENCE: Duration = Duration::from_secs(30);
/// What PostgreSQL's writers lock, so that there is one at a time.
const WRITER: i64 = 0x6372_6962_6c65_0001;

/// A database of alerts, cases, what people did about them, and what is to be sent.
///
/// There is one writer at a time, in all programs that use the store. Readers see what was committed when they began.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pool: AnyPool,
    pub(crate) address: Address,
    pub(crate) key: Arc<StoreKey>,
    /// The backup that was made because the store was of an earlier version.
    upgraded: Option<PathBuf>,
}

impl Store {
    /// Opens a store, and makes it unless it is there. One of an earlier version is upgraded, after a backup.
    ///
    /// # Errors
    /// [`Error`] where the address is none, the database cannot be reached, a later version or another key made it, or
    /// it is something else. Nothing was written then.
    pub async fn open(url: &str, key: &StoreKey, now: Timestamp) -> Result<Self, Error> {
        Self::open_as(url, key, now, schema::VERSIONS).await
    }

    /// Opens a store that has to be there.
    ///
    /// # Errors
    /// The same, and [`Error::Missing`].
    pub async fn open_existing(url: &str, key: &StoreKey, now: Timestamp) -> Result<Self, Error> {
        Self::check(url)?;
        Self::open(url, key, now).await
    }

    /// Whether there may be a store at an address: of a database on a server, only opening it tells.
    ///
    /// # Errors
    /// [`Error::Url`] where the address is none, [`Error::Missing`] where there is no such file.
    pub fn check(url: &str) -> Result<(), Error> {
        let address = Address::parse(url)?;
        match address.file() {
            Some(path) if !path.exists() => Err(Error::Missing { url: address.to_string() }),
            _ => Ok(()),
        }
    }

    pub(crate) async fn open_as(url: &str, key: &StoreKey, now: Timestamp, versions: &[&str]) -> Result<Self, Error> {
        let mut store = Self::connected(url, key).await?;
        let known = versions.len() as i64;
        let mut db = store.connection().await?;
        let found = schema::version(&mut db, &store.address).await?;
        let url = || store.address.to_string();
        if let Some(found) = found.filter(|found| *found > known) {
            return Err(Error::Newer { url: url(), found, known });
        }
        if found.is_some() {
            let row = sqlx::query("SELECT value FROM meta WHERE name = 'key'").fetch_optional(&mut *db).await?;
            let mark: Option<String> = row.map(|row| row.try_get("value")).transpose()?;
            if mark != Some(key_mark(key)) {
                return Err(Error::WrongKey { url: url() });
            }
        }
        if store.address.file().is_some() {
            // Readers then see the store as it was while somebody writes.
            db.execute("PRAGMA journal_mode = WAL").await?;
        }
        drop(db);
        if let Some(found) = found.filter(|found| *found < known) {
            store.upgraded = Some(backup::before_upgrade(&store, found, now).await?);
        }
        if found != Some(known) {
            store.upgrade(versions).await?;
        }
        Ok(store)
    }

    /// A store about whose database nothing is known yet.
    pub(crate) async fn connected(url: &str, key: &StoreKey) -> Result<Self, Error> {
        let address = Address::parse(url)?;
        let pool = connect(&address).await?;
        Ok(Self { pool, address, key: Arc::new(key.clone()), upgraded: None })
    }

    pub(crate) fn reader(&self, db: Transaction<'static, Any>, now: Timestamp, counters: Counters) -> Reader {
        Reader { db, kek: self.key.cipher(), now, counters, ciphers: HashMap::new(), at: self.clone() }
    }

    /// Brings the tables to the latest version, all at once, whoever else tries the same.
    async fn upgrade(&self, versions: &[&str]) -> Result<(), Error> {
        let mut db = self.write().await?;
        let found = schema::version(&mut db, &self.address).await?;
        if found.is_some_and(|found| found >= versions.len() as i64) {
            return Ok(());
        }
        points::reach("upgrade");
        schema::upgrade(&mut db, &self.address, versions, found.unwrap_or(0) as usize, versions.len()).await?;
        if found.is_none() {
            let keep = "INSERT INTO meta (name, value) VALUES ('key', $1)";
            sqlx::query(keep).bind(key_mark(&self.key)).execute(&mut *db).await?;
        }
        Ok(db.commit().await?)
    }

    /// The backup that opening the store made, because it was of an earlier version.
    pub fn upgraded(&self) -> Option<&std::path::Path> {
        self.upgraded.as_deref()
    }

    /// Where it is, without a password.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Begins to write: waits for whoever writes. What is done is there for others once it is committed, and not at all
    /// if it is dropped before.
    ///
    /// # Errors
    /// [`Error::Database`] where the store is not free or cannot be reached.
    pub async fn begin(&self, now: Timestamp) -> Result<Txn, Error> {
        let mut db = self.write().await?;
        let counters = Counters::load(&mut db).await?;
        Ok(Txn { reader: self.reader(db, now, counters), owners: HashMap::new() })
    }

    /// Begins to read, beside whoever writes.
    ///
    /// # Errors
    /// [`Error::Database`] where the store cannot be reached.
    pub async fn read(&self, now: Timestamp) -> Result<Reader, Error> {
        let begin = match self.address {
            Address::File(_) => "BEGIN DEFERRED",
            Address::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let mut db = self.pool.begin_with(begin).await?;
        let counters = Counters::load(&mut db).await?;
        Ok(self.reader(db, now, counters))
    }

    /// Closes all connections. Dropping does the same, a little later.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) async fn connection(&self) -> Result<PoolConnection<Any>, Error> {
        Ok(self.pool.acquire().await?)
    }

    pub(crate) async fn write(&self) -> Result<Transaction<'static, Any>, Error> {
        match self.address {
            Address::File(_) => Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?),
            Address::Postgres(_) => {
                let mut db = self.pool.begin_with("BEGIN").await?;
                sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(WRITER).execute(&mut *db).await?;
                Ok(db)
            }
        }
    }
}

async fn connect(address: &Address) -> Result<AnyPool, Error> {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(|| {
        sqlx::any::install_drivers(&[sqlx::sqlite::any::DRIVER, sqlx::postgres::any::DRIVER]).unwrap_or(())
    });
    let is_file = address.file().is_some();
    let options = AnyPoolOptions::new().max_connections(4).acquire_timeout(PATIENCE);
    let options = options.after_connect(move |db, _| {
        Box::pin(async move {
            if is_file {
                // What was erased leaves no copy on a page that is free, and what was committed outlives a power cut.
                db.execute("PRAGMA busy_timeout = 30000").await?;
                db.execute("PRAGMA synchronous = FULL").await?;
                db.execute("PRAGMA secure_delete = ON").await?;
            }
            Ok(())
        })
    });
    let url = address.url()?;
    // A pool would try again and again for as long as it may wait.
    let cannot = |source| Error::Database { what: format!("the store at {address} cannot be opened"), source };
    let mut first = AnyConnection::connect(&url).await.map_err(cannot)?;
    if is_file {
        // Connecting reads nothing: this reads the file's tables.
        first.execute("SELECT 1 FROM sqlite_master LIMIT 1").await.map_err(cannot)?;
    }
    first.close().await?;
    Ok(options.connect_lazy(&url)?)
}

/// Says which key a store was made with, and gives nothing of it away.
pub(crate) fn key_mark(key: &StoreKey) -> String {
    data_encoding::HEXLOWER.encode(&key.mark("crible.store/key", b""))
}

/// Reads a store as it was at one moment.
#[derive(Debug)]
pub struct Reader {
    pub(crate) db: Transaction<'static, Any>,
    pub(crate) kek: Cipher,
    pub(crate) now: Timestamp,
    pub(crate) counters: Counters,
    /// Keys of persons and cases by their numbers; `None` for those that were destroyed.
    pub(crate) ciphers: HashMap<i64, Option<Cipher>>,
    pub(crate) at: Store,
}

impl Reader {
    /// The time that was handed in.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn db(&mut self) -> &mut AnyConnection {
        &mut self.db
    }
}

/// Changes a store: everything done through it happens together or not at all.
#[derive(Debug)]
pub struct Txn {
    reader: Reader,
    /// Numbers of keys.
    pub(crate) owners: HashMap<Owner, i64>,
}

impl Deref for Txn {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl DerefMut for Txn {
    fn deref_mut(&mut self) -> &mut Reader {
        &mut self.reader
    }
}

impl Txn {
    /// Makes it so. What was acknowledged outlives a crash.
    ///
    /// # Errors
    /// [`Error::Database`] where the database refuses; nothing happened then.
    pub async fn commit(self) -> Result<(), Error> {
        let mark = self.reader.counters.mark(&self.reader.at.key);
        let Reader { mut db, mut counters, .. } = self.reader;
        counters.save(&mut db, mark).await?;
        points::reach("before commit");
        db.commit().await?;
        points::reach("after commit");
        Ok(())
    }

    /// Does nothing of it, and waits until that is so. Dropping does the same, a little later.
    ///
    /// # Errors
    /// [`Error::Database`] where the connection is lost.
    pub async fn abandon(self) -> Result<(), Error> {
        Ok(self.reader.db.rollback().await?)
    }
}
