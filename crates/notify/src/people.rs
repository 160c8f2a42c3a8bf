//! What is known about people: what they agree to, where they are reached, what they hold.
//!
//! Whatever changes it adds entries to logs. Where it takes several logs, all of them change or none.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use chrono_tz::Tz;
use crible_core::{Amount, EntityId, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::consent::{Entry, Profile, Record};
use crate::logs::{self, Log, LogError, Page, Subject, TRIES};
use crate::message::LastDigits;
use crate::talk::{Code, CodeEntry, VALID_SECONDS, live_code};
use crate::{Address, Clock, Language, Logs, Medium, Person, Purpose, Source};

/// The key that addresses and codes are hashed with.
#[derive(Clone)]
pub struct HandleKey([u8; 32]);

impl fmt::Debug for HandleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandleKey")
    }
}

impl HandleKey {
    /// Of 32 random bytes, which are kept: with another key nobody is known any more.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn mac(&self, domain: &str) -> Option<Hmac<Sha256>> {
        // HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(domain.as_bytes());
        mac.update(&[0]);
        Some(mac)
    }

    fn hash(&self, domain: &str, what: &str) -> [u8; 32] {
        self.mac(domain).map_or([0; 32], |mac| mac.chain_update(what).finalize().into_bytes().into())
    }

    /// The log of an address.
    pub fn handle(&self, medium: Medium, address: &Address) -> Subject {
        Subject::Handle(self.hash(medium.as_str(), address.reveal()))
    }

    pub(crate) fn message(&self, id: &str) -> Subject {
        Subject::Message(self.hash("message", id))
    }
}

/// Whose an address is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum HandleEntry {
    /// It belongs to this person, and to nobody else.
    Belongs {
        /// To whom.
        person: Person,
        /// They proved it with a code.
        proved: bool,
    },
    /// It belongs to nobody that is known.
    Released,
    /// A code was tried from there that was not valid.
    Tried {
        /// When.
        at: Timestamp,
    },
}

/// What is known of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountEntry {
    /// What was on it.
    Balance {
        /// How much.
        amount: Amount,
        /// When.
        at: Timestamp,
        /// Its last digits.
        last_digits: Option<LastDigits>,
    },
    /// Somebody holds it.
    HeldBy {
        /// Who.
        person: Person,
        /// Its last digits, as they know it.
        last_digits: Option<LastDigits>,
    },
    /// Somebody no longer holds it.
    GivenUpBy {
        /// Who.
        person: Person,
    },
}

/// Who holds an account, and the last digits that they know it by.
pub fn holders(log: &[AccountEntry]) -> BTreeMap<Person, Option<LastDigits>> {
    let mut holders = BTreeMap::new();
    for entry in log {
        match entry {
            AccountEntry::HeldBy { person, last_digits } => {
                holders.insert(*person, last_digits.clone());
            }
            AccountEntry::GivenUpBy { person } => {
                holders.remove(person);
            }
            AccountEntry::Balance { .. } => {}
        }
    }
    holders
}

/// The logs cannot be read or written, or others write to them all the time.
#[derive(Debug, thiserror::Error)]
#[error("the logs failed")]
pub struct PeopleError(#[source] Box<dyn Error + Send + Sync>);

/// Every code that was drawn is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no code is free")]
struct NoCode;

fn no_code() -> PeopleError {
    PeopleError(Box::new(NoCode))
}

/// What is known about people.
#[derive(Clone, Debug)]
pub struct People<L, C> {
    logs: L,
    clock: C,
    key: HandleKey,
}

impl<L: Logs, C: Clock> People<L, C> {
    /// In these logs.
    pub fn new(logs: L, clock: C, key: HandleKey) -> Self {
        Self { logs, clock, key }
    }

    pub(crate) fn logs(&self) -> &L {
        &self.logs
    }

    pub(crate) fn key(&self) -> &HandleKey {
        &self.key
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The log of a person.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn history(&self, person: Person) -> Result<Vec<Entry>, PeopleError> {
        Ok(self.read(&Subject::Person(person)).await?.entries)
    }

    /// The person agrees to be reached this way for this purpose.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn opt_in(
        &self,
        person: Person,
        medium: Medium,
        purpose: Purpose,
        source: Source,
    ) -> Result<(), PeopleError> {
        self.record(person, Record::OptedIn { medium, purpose, source }).await
    }

    /// The person no longer agrees; to every medium, and for every purpose, where there is none.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn withdraw(
        &self,
        person: Person,
        medium: Option<Medium>,
        purpose: Option<Purpose>,
        source: Source,
    ) -> Result<(), PeopleError> {
        self.record(person, Record::Withdrawn { medium, purpose, source }).await
    }

    /// The person reads this language.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn speaks(&self, person: Person, language: Language) -> Result<(), PeopleError> {
        self.record(person, Record::Speaks { language }).await
    }

    /// The person lives in this time zone.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn lives(&self, person: Person, zone: Tz) -> Result<(), PeopleError> {
        self.record(person, Record::Lives { zone }).await
    }

    /// The person holds an account, of which they know these digits.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn holds(
        &self,
        person: Person,
        account: EntityId,
        last_digits: Option<LastDigits>,
    ) -> Result<(), PeopleError> {
        let held = AccountEntry::HeldBy { person, last_digits };
        self.account(person, account, Record::Holds { account }, held).await
    }

    /// The person no longer holds an account.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn gave_up(&self, person: Person, account: EntityId) -> Result<(), PeopleError> {
        self.account(person, account, Record::GaveUp { account }, AccountEntry::GivenUpBy { person }).await
    }

    /// What is on an account, as far as is known.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn balance(
        &self,
        account: EntityId,
        amount: Amount,
        at: Timestamp,
        last_digits: Option<LastDigits>,
    ) -> Result<(), PeopleError> {
        let subject = Subject::Account(account);
        let entry = [AccountEntry::Balance { amount, at, last_digits }];
        for _ in 0..TRIES {
            let length = self.read::<AccountEntry>(&subject).await?.length;
            let page = Page::new(subject.clone(), length, None, &entry).map_err(write_failed::<L::Error>)?;
            if self.append(self.now(), vec![page]).await? {
                return Ok(());
            }
        }
        Err(failed(LogError::<L::Error>::Busy(subject.to_string())))
    }

    async fn record(&self, person: Person, record: Record) -> Result<(), PeopleError> {
        let subject = Subject::Person(person);
        for _ in 0..TRIES {
            let at = self.now();
            let length = self.read::<Entry>(&subject).await?.length;
            let entry = [Entry { at, record: record.clone() }];
            let page = Page::new(subject.clone(), length, Some(person), &entry).map_err(write_failed::<L::Error>)?;
            if self.append(at, vec![page]).await? {
                return Ok(());
            }
        }
        Err(failed(LogError::<L::Error>::Busy(subject.to_string())))
    }

    async fn account(
        &self,
        person: Person,
        account: EntityId,
        record: Record,
        entry: AccountEntry,
    ) -> Result<(), PeopleError> {
        let subjects = (Subject::Person(person), Subject::Account(account));
        for _ in 0..TRIES {
            let at = self.now();
            let of_person = self.read::<Entry>(&subjects.0).await?.length;
            let of_account = self.read::<AccountEntry>(&subjects.1).await?.length;
            let recorded = [Entry { at, record: record.clone() }];
            let entries = std::slice::from_ref(&entry);
            let pages = [
                Page::new(subjects.0.clone(), of_person, Some(person), &recorded),
                Page::new(subjects.1.clone(), of_account, Some(person), entries),
            ];
            let pages = pages.into_iter().collect::<Result<Vec<_>, _>>().map_err(write_failed::<L::Error>)?;
            if self.append(at, pages).await? {
                return Ok(());
            }
        }
        Err(failed(LogError::<L::Error>::Busy(subjects.0.to_string())))
    }

    /// The pages that make an address a person's: it leaves whoever had it, and the person's earlier one is released.
    pub(crate) async fn moved(
        &self,
        (medium, from): (Medium, &Address),
        person: Person,
        (handle, handle_log): (Subject, Log<HandleEntry>),
        proved: bool,
        source: Source,
        now: Timestamp,
    ) -> Result<Vec<Page>, PeopleError> {
        let mut pages = Vec::new();
        let page = |subject, expected, of, entries: &[Entry]| {
            Page::new(subject, expected, Some(of), entries).map_err(write_failed::<L::Error>)
        };
        if let Some((before, _)) = owner(&handle_log.entries).filter(|(before, _)| *before != person) {
            let subject = Subject::Person(before);
            let log: Log<Entry> = self.read(&subject).await?;
            pages.push(page(subject, log.length, before, &[Entry { at: now, record: Record::Unlinked { medium } }])?);
        }
        let subject = Subject::Person(person);
        let log: Log<Entry> = self.read(&subject).await?;
        if let Some(earlier) = Profile::of(&log.entries).address(medium).filter(|earlier| *earlier != from) {
            let earlier = self.key.handle(medium, earlier);
            let entries: Log<HandleEntry> = self.read(&earlier).await?;
            let released = [HandleEntry::Released];
            pages.push(Page::new(earlier, entries.length, None, &released).map_err(write_failed::<L::Error>)?);
        }
        let linked = Record::Linked { medium, address: from.clone(), source };
        let mut entries = vec![Entry { at: now, record: linked }];
        if source == Source::Reply {
            entries.push(Entry { at: now, record: Record::Wrote { medium } });
        }
        pages.push(page(subject, log.length, person, &entries)?);
        let belongs = [HandleEntry::Belongs { person, proved }];
        pages.push(Page::new(handle, handle_log.length, Some(person), &belongs).map_err(write_failed::<L::Error>)?);
        Ok(pages)
    }

    /// Links an address that the bank knows from elsewhere. It can be asked questions; a balance it is told only after
    /// it was linked with a code.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub async fn link(
        &self,
        person: Person,
        medium: Medium,
        address: Address,
        source: Source,
    ) -> Result<(), PeopleError> {
        for _ in 0..TRIES {
            let now = self.now();
            let handle = self.key.handle(medium, &address);
            let log: Log<HandleEntry> = self.read(&handle).await?;
            let proved = owner(&log.entries).is_some_and(|(owner, proved)| owner == person && proved);
            let pages = self.moved((medium, &address), person, (handle, log), proved, source, now).await?;
            if self.append(now, pages).await? {
                return Ok(());
            }
        }
        Err(failed(LogError::<L::Error>::Busy(Subject::Person(person).to_string())))
    }

    /// Makes a code for a person, who writes it from the address that is to be linked. `random` draws bytes from the
    /// system's source of randomness.
    ///
    /// # Errors
    /// Something cannot be read or written, or no code is free.
    pub async fn issue(
        &self,
        person: Person,
        mut random: impl FnMut() -> [u8; 16] + Send,
    ) -> Result<Code, PeopleError> {
        for _ in 0..TRIES {
            let now = self.now();
            let code = Code::of(random());
            let subject = Subject::Code(code.public());
            let log: Log<CodeEntry> = self.read(&subject).await?;
            if live_code(&log.entries, now).is_some() {
                continue;
            }
            let Some(hash) = code.hash(&self.key) else { return Err(no_code()) };
            let until = Timestamp(now.0.saturating_add(VALID_SECONDS * Timestamp::SECOND));
            let issued = [CodeEntry::Issued { person, hash, until }];
            let page = Page::new(subject, log.length, Some(person), &issued).map_err(write_failed::<L::Error>)?;
            if self.append(now, vec![page]).await? {
                return Ok(code);
            }
        }
        Err(no_code())
    }

    pub(crate) async fn read<T: DeserializeOwned>(&self, subject: &Subject) -> Result<Log<T>, PeopleError> {
        logs::read(&self.logs, subject).await.map_err(failed)
    }

    pub(crate) async fn append(&self, at: Timestamp, pages: Vec<Page>) -> Result<bool, PeopleError> {
        self.logs.append(at, pages).await.map_err(|error| failed::<L::Error>(error.into()))
    }
}

/// Whose an address is now, and whether they proved it.
pub(crate) fn owner(log: &[HandleEntry]) -> Option<(Person, bool)> {
    log.iter().rev().find_map(|entry| match entry {
        HandleEntry::Belongs { person, proved } => Some(Some((*person, *proved))),
        HandleEntry::Released => Some(None),
        HandleEntry::Tried { .. } => None,
    })?
}

pub(crate) fn failed<E: Error + Send + Sync + 'static>(error: LogError<E>) -> PeopleError {
    PeopleError(Box::new(error))
}

pub(crate) fn write_failed<E: Error + Send + Sync + 'static>(error: serde_json::Error) -> PeopleError {
    failed(LogError::<E>::Write(error))
}
