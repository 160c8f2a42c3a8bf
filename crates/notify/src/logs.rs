//! The logs that everything known about people is made of.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crible_core::{EntityId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Person;

/// What a log is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// A person: consent, addresses, what they were told and answered.
    Person(Person),
    /// An address that somebody writes from, by its keyed hash: whose it is.
    Handle([u8; 32]),
    /// A one-time code, by its public half.
    Code(u32),
    /// An account: what is on it.
    Account(EntityId),
    /// A message that came in, by the hash of its reference.
    Message([u8; 32]),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |bytes: &[u8; 32]| data_encoding::HEXLOWER.encode(bytes);
        match self {
            Self::Person(person) => write!(f, "person/{person}"),
            Self::Handle(hash) => write!(f, "handle/{}", hex(hash)),
            Self::Code(code) => write!(f, "code/{code:06}"),
            Self::Account(account) => write!(f, "account/{account}"),
            Self::Message(hash) => write!(f, "message/{}", hex(hash)),
        }
    }
}

/// One entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was written.
    pub at: Timestamp,
    /// JSON; `None` where whoever it was about was erased.
    pub body: Option<String>,
}

/// A log as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log<T> {
    /// What can be read of it.
    pub entries: Vec<T>,
    /// How many entries it has, those of erased people included.
    pub length: usize,
}

/// Entries to be added to a log, if nobody has added any since it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// To which.
    pub subject: Subject,
    /// How many entries it had.
    pub expected: usize,
    /// JSON, one an entry.
    pub bodies: Vec<String>,
    /// Whose they are: they go when this person's data is erased.
    pub person: Option<Person>,
}

impl Page {
    /// A page of entries.
    ///
    /// # Errors
    /// An entry cannot be written in JSON.
    pub fn new<T: Serialize>(
        subject: Subject,
        expected: usize,
        person: Option<Person>,
        entries: &[T],
    ) -> Result<Self, serde_json::Error> {
        let bodies = entries.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        Ok(Self { subject, expected, bodies, person })
    }
}

/// Where logs are kept. The store implements it; [`Shelf`] serves tests.
pub trait Logs: Send + Sync + 'static {
    /// What can go wrong.
    type Error: Error + Send + Sync + 'static;

    /// All entries of a log, the first first.
    fn read(&self, subject: &Subject) -> impl Future<Output = Result<Vec<Line>, Self::Error>> + Send;

    /// Adds all of the pages, or nothing. `false`, and nothing, where a log has other than the expected number of
    /// entries by now.
    fn append(&self, at: Timestamp, pages: Vec<Page>) -> impl Future<Output = Result<bool, Self::Error>> + Send;
}

/// Why something about a person cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError<E: Error + 'static> {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] E),
    /// An entry is not what it should be.
    #[error("{subject}: entry {number} cannot be read")]
    Entry {
        /// The log.
        subject: String,
        /// Its place, from 1.
        number: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An entry cannot be written.
    #[error("an entry cannot be written")]
    Write(#[source] serde_json::Error),
    /// Others added entries again and again meanwhile.
    #[error("{0}: others write to it all the time")]
    Busy(String),
}

/// Reads a log.
///
/// # Errors
/// The store fails, or an entry is not what it should be.
pub async fn read<T: DeserializeOwned, L: Logs>(logs: &L, subject: &Subject) -> Result<Log<T>, LogError<L::Error>> {
    let lines = logs.read(subject).await?;
    let entry = |(number, line): (usize, &Line)| {
        let body = line.body.as_deref()?;
        let bad = |source| LogError::Entry { subject: subject.to_string(), number, source };
        Some(serde_json::from_str(body).map_err(bad))
    };
    let entries = (1..).zip(&lines).filter_map(entry).collect::<Result<_, _>>()?;
    Ok(Log { entries, length: lines.len() })
}

/// How often a change is worked out anew because somebody else was faster.
pub(crate) const TRIES: usize = 16;

/// Logs in memory: what a store has to do, in its plainest form. Nothing survives the process.
#[derive(Clone, Debug, Default)]
pub struct Shelf(Arc<Mutex<Lines>>);

/// Lines, and whose they are.
type Lines = BTreeMap<Subject, Vec<(Line, Option<Person>)>>;

impl Shelf {
    fn inner(&self) -> MutexGuard<'_, Lines> {
        // Nobody panics while holding it half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what is about a person: the entries stay, and say nothing.
    pub fn erase(&self, person: Person) {
        let mut inner = self.inner();
        for (line, of) in inner.values_mut().flatten() {
            if *of == Some(person) {
                line.body = None;
            }
        }
    }

    /// Everything, for tests that look for what must not be there.
    pub fn dump(&self) -> Vec<(Subject, Vec<Line>)> {
        let inner = self.inner();
        inner
            .iter()
            .map(|(subject, lines)| (subject.clone(), lines.iter().map(|(line, _)| line.clone()).collect()))
            .collect()
    }
}

impl Logs for Shelf {
    type Error = Infallible;

    async fn read(&self, subject: &Subject) -> Result<Vec<Line>, Infallible> {
        Ok(self.inner().get(subject).into_iter().flatten().map(|(line, _)| line.clone()).collect())
    }

    async fn append(&self, at: Timestamp, pages: Vec<Page>) -> Result<bool, Infallible> {
        let mut inner = self.inner();
        let fits = |page: &Page| inner.get(&page.subject).map_or(0, Vec::len) == page.expected;
        if !pages.iter().all(fits) {
            return Ok(false);
        }
        for page in pages {
            let lines = page.bodies.into_iter().map(|body| (Line { at, body: Some(body) }, page.person));
            inner.entry(page.subject).or_default().extend(lines);
        }
        Ok(true)
    }
}
