//! The store that the command works on: where it is, its key, the time.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use crible_case::User;
use crible_core::Timestamp;
use crible_ingest::plain;
use crible_store::{Store, StoreKey};

use crate::args::{ByArgs, StoreArgs};
use crate::unusable::Unsaid;

/// Runs what waits for a database.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot wait for the store")?.block_on(future)
}

#[expect(clippy::disallowed_methods, reason = "what people do about cases happens now; no score depends on it")]
pub(crate) fn now() -> Timestamp {
    // A clock before 1970 is set wrong, and the log's own times never go back.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// A word on what was done, for standard error.
pub(crate) fn say(text: &str) {
    // Nobody is left to tell where even this cannot be written.
    let _ = writeln!(io::stderr(), "{}", plain(text));
}

impl StoreArgs {
    /// Where the store is, where one is named.
    pub(crate) fn url(&self) -> Option<String> {
        self.store.clone().or_else(|| env::var("CRIBLE_STORE").ok()).filter(|url| !url.is_empty())
    }

    fn wanted(&self) -> Result<String> {
        let unsaid = Unsaid("there is no store: expected --store URL, or CRIBLE_STORE in the environment");
        Ok(self.url().ok_or(unsaid)?)
    }

    /// The file of the store's key.
    fn key_file(&self, url: &str) -> Result<PathBuf> {
        let named = self.store_key.clone().or_else(|| env::var_os("CRIBLE_STORE_KEY").map(PathBuf::from));
        if let Some(named) = named {
            return Ok(named);
        }
        if url.starts_with("postgres") {
            let missing =
                "the store's key is missing: expected --store-key FILE, or CRIBLE_STORE_KEY in the environment";
            bail!(Unsaid(missing));
        }
        let file = url.strip_prefix("sqlite:").unwrap_or(url);
        Ok(PathBuf::from(format!("{}.key", file.strip_prefix("//").unwrap_or(file))))
    }

    /// A store that is there.
    pub(crate) async fn open(&self) -> Result<Store> {
        Ok(self.open_with_key().await?.0)
    }

    /// A store that is there, and its key.
    pub(crate) async fn open_with_key(&self) -> Result<(Store, StoreKey)> {
        let url = self.wanted()?;
        let key = self.key_file(&url)?;
        if !key.exists() {
            // The address is looked at first: a missing store has no key either.
            Store::check(&url)?;
        }
        let key = read_key(&key)?;
        Ok((opened(Store::open_existing(&url, &key, now()).await?)?, key))
    }

    /// The store that a run writes to; it is made, and its key with it, unless it is there.
    pub(crate) async fn make(&self) -> Result<Store> {
        Ok(self.make_with_key().await?.0)
    }

    /// The same, and its key.
    pub(crate) async fn make_with_key(&self) -> Result<(Store, StoreKey)> {
        let url = self.wanted()?;
        let file = self.key_file(&url)?;
        let key = key(&url, &file)?;
        Ok((opened(Store::open(&url, &key, now()).await?)?, key))
    }

    /// A new store out of a backup.
    pub(crate) async fn restore(&self, from: &Path) -> Result<Store> {
        let url = self.wanted()?;
        let key = read_key(&self.key_file(&url)?)?;
        let file = std::fs::File::open(from).with_context(|| format!("{}", from.display()))?;
        Ok(Store::restore(&url, &key, io::BufReader::new(file), now()).await?)
    }
}

/// The key of a store that is there, or was.
fn read_key(file: &Path) -> Result<StoreKey> {
    StoreKey::from_file(file).context("the store's key cannot be read: expected the file that its first run wrote")
}

/// The store's key; a new one for a store that is not there yet.
fn key(url: &str, file: &Path) -> Result<StoreKey> {
    if file.exists() || Store::check(url).is_ok() {
        return read_key(file);
    }
    let key = StoreKey::create_file(file).context("the store's key cannot be written")?;
    say(&format!(
        "the store's key is in {}: without it nobody reads the store, so keep a copy elsewhere",
        file.display()
    ));
    Ok(key)
}

fn opened(store: Store) -> Result<Store> {
    if let Some(backup) = store.upgraded() {
        say(&format!("the store was of an earlier version; what it was is in {}", backup.display()));
    }
    Ok(store)
}

impl ByArgs {
    pub(crate) fn user(&self) -> Result<User> {
        if let Some(user) = &self.by {
            return Ok(user.clone());
        }
        let named = ["CRIBLE_USER", "USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| env::var(name).ok());
        named
            .ok_or(Unsaid("who does it? expected --by USER, or CRIBLE_USER in the environment"))?
            .parse()
            .context("CRIBLE_USER")
    }
}
