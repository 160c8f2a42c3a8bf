use std::io;
use std::path::PathBuf;

use crible_case::{BadAlert, BadHistory};

/// Why a store cannot be opened, read or written. Nothing of the transaction was written then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address of no database that is known.
    #[error("`{url}` is no address of a store: expected a file, sqlite:FILE or postgres://USER@HOST/DATABASE")]
    Url {
        /// The address, without a password.
        url: String,
    },
    /// The database cannot be reached, or refuses.
    #[error("{what}")]
    Database {
        /// What was tried.
        what: String,
        /// The database's error.
        #[source]
        source: sqlx::Error,
    },
    /// A later version of Crible wrote it.
    #[error("{url} is a store of version {found}, and this program knows version {known}: use a later release")]
    Newer {
        /// The store.
        url: String,
        /// Its version.
        found: i64,
        /// The latest version that is known here.
        known: i64,
    },
    /// A database of something else.
    #[error("{url} has tables that are not of a store (one is `{table}`): give it a database of its own")]
    NotAStore {
        /// The database.
        url: String,
        /// A table of it.
        table: String,
    },
    /// There is no store where one has to be.
    #[error("there is no store at {url}: `crible score … --store` makes one")]
    Missing {
        /// The address.
        url: String,
    },
    /// It was made with another key.
    #[error("{url} was made with another key than the one given")]
    WrongKey {
        /// The store.
        url: String,
    },
    /// A text that is no key.
    #[error("the store's key: {0}")]
    Key(String),
    /// A restore needs an empty database.
    #[error("{url} is not empty: a backup is restored into a new store")]
    NotEmpty {
        /// The store.
        url: String,
    },
    /// A backup that is damaged, cut short or of something else.
    #[error("the backup, line {line}: {what}")]
    Backup {
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// What is stored contradicts itself.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The same for the history of cases.
    #[error("the store is damaged")]
    History(#[from] BadHistory),
    /// The same for an alert.
    #[error("the store is damaged")]
    Alert(#[from] BadAlert),
    /// Something that people set and that cannot be used.
    #[error("{0}")]
    Rule(String),
    /// A file cannot be read or written.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    pub(crate) fn damaged(what: impl std::fmt::Display) -> Self {
        Self::Damaged(what.to_string())
    }

    /// Whether it is about what was given: an address, a key, a file, a version.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Url { .. } | Self::Newer { .. } | Self::NotAStore { .. } | Self::Missing { .. } => true,
            Self::WrongKey { .. } | Self::Key(_) | Self::NotEmpty { .. } | Self::Backup { .. } => true,
            Self::File { .. } | Self::Rule(_) => true,
            Self::Database { .. } | Self::Damaged(_) | Self::History(_) | Self::Alert(_) => false,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        let what = match &source {
            sqlx::Error::PoolTimedOut => "another program holds the store: it was not free within the time allowed",
            sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                "the connection to the store is lost"
            }
            _ => "the store refused",
        };
        Self::Database { what: what.to_owned(), source }
    }
}
