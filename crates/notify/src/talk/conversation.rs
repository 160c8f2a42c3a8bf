use std::future::Future;
use std::sync::Arc;

use crible_core::Timestamp;
use serde::Serialize;

use super::code::{self, Code, CodeEntry};
use super::words::{Said, understand};
use crate::consent::{Entry, Profile, Record, Rules};
use crate::logs::{Log, LogError, Page, Subject, TRIES};
use crate::message::{Answer, Balance, Reader, Unrenderable, Wording};
use crate::people::{AccountEntry, HandleEntry, People, PeopleError, failed, owner, write_failed};
use crate::{About, Address, Clock, Logs, Medium, Person, Purpose, Source};

/// A message that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// What it is known by: the same message never comes twice.
    pub id: String,
    /// The way it came.
    pub medium: Medium,
    /// Who wrote it.
    pub from: Address,
    /// What they wrote.
    pub text: String,
}

/// What came of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Who wrote, if they are known.
    pub person: Option<Person>,
    /// What they are answered.
    pub answer: Answer,
    /// The answer in words.
    pub reply: String,
}

/// What is kept of an exchange: no text, no address.
#[derive(Serialize)]
struct Kept<'a> {
    medium: Medium,
    person: Option<Person>,
    said: &'static str,
    answered: &'a str,
}

/// Where answers go: into the case and into the logs, together.
pub trait Cases: Logs {
    /// Adds the pages as [`Logs::append`] does, and in the same transaction takes in that a person answered whether the
    /// payment of an alert was theirs: a disposition and a label event.
    fn append_answered(
        &self,
        at: Timestamp,
        pages: Vec<Page>,
        about: &About,
        theirs: bool,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TalkError {
    /// It came before.
    #[error("this message came before")]
    Replayed,
    /// The logs failed.
    #[error(transparent)]
    Logs(#[from] PeopleError),
    /// The answer cannot be put into words.
    #[error(transparent)]
    Wording(#[from] Unrenderable),
}

/// Codes that may be tried from one address in a day, right or wrong.
const TRIES_A_DAY: usize = 10;

/// Answers people.
#[derive(Debug)]
pub struct Conversation<L, C> {
    people: People<L, C>,
    wording: Arc<Wording>,
    rules: Rules,
}

/// What follows from a message.
struct Decision {
    answer: Answer,
    records: Vec<Record>,
    answered: Option<(About, bool)>,
}

impl Decision {
    fn just(answer: Answer) -> Self {
        Self { answer, records: Vec::new(), answered: None }
    }
}

impl<L: Cases, C: Clock> Conversation<L, C> {
    /// A conversation with everybody.
    pub fn new(people: People<L, C>, wording: impl Into<Arc<Wording>>, rules: Rules) -> Self {
        Self { people, wording: wording.into(), rules }
    }

    /// What time it is for this conversation.
    pub(super) fn now(&self) -> Timestamp {
        self.people.now()
    }

    /// Takes a message whose origin was checked. Whatever is answered is in the logs first.
    ///
    /// # Errors
    /// The message came before, or something cannot be read or written.
    pub async fn receive(&self, incoming: &Incoming) -> Result<Exchange, TalkError> {
        let said = understand(&incoming.text, |word| self.wording.meaning(word));
        for _ in 0..TRIES {
            if let Some(exchange) = self.try_once(incoming, &said).await? {
                return Ok(exchange);
            }
        }
        Err(failed(LogError::<L::Error>::Busy("conversation".to_owned())).into())
    }

    /// `None` where somebody else wrote to the same logs meanwhile.
    async fn try_once(&self, incoming: &Incoming, said: &Said) -> Result<Option<Exchange>, TalkError> {
        let message = self.people.key().message(&incoming.id);
        if !self.people.logs().read(&message).await.map_err(|error| failed::<L::Error>(error.into()))?.is_empty() {
            return Err(TalkError::Replayed);
        }
        let now = self.people.now();
        let handle = self.people.key().handle(incoming.medium, &incoming.from);
        let handle_log: Log<HandleEntry> = self.people.read(&handle).await?;
        let owner = owner(&handle_log.entries);
        if let Said::Link(code) = said {
            return self.link(incoming, *code, (handle, handle_log), message, now).await;
        }
        let Some((person, proved)) = owner else {
            let answer = if *said == Said::Stop { Answer::Stopped } else { Answer::Help };
            let kept = self.kept(incoming, message, None, said, &answer)?;
            let reply = self.wording.answer(&answer, &self.reader(None))?;
            let written = self.people.append(now, vec![kept]).await?;
            return Ok(written.then_some(Exchange { person: None, answer, reply }));
        };
        let subject = Subject::Person(person);
        let log: Log<Entry> = self.people.read(&subject).await?;
        let profile = Profile::of(&log.entries);
        let decision = self.decide(incoming.medium, said, &profile, proved, now).await?;
        let reply = self.wording.answer(&decision.answer, &self.reader(Some(&profile)))?;
        let records = std::iter::once(Record::Wrote { medium: incoming.medium }).chain(decision.records);
        let entries: Vec<Entry> = records.map(|record| Entry { at: now, record }).collect();
        let page = Page::new(subject, log.length, Some(person), &entries).map_err(write_failed::<L::Error>)?;
        let kept = self.kept(incoming, message, Some(person), said, &decision.answer)?;
        let pages = vec![page, kept];
        let written = match &decision.answered {
            None => self.people.append(now, pages).await?,
            Some((about, theirs)) => {
                let written = self.people.logs().append_answered(now, pages, about, *theirs).await;
                written.map_err(|error| failed::<L::Error>(error.into()))?
            }
        };
        Ok(written.then_some(Exchange { person: Some(person), answer: decision.answer, reply }))
    }

    async fn decide(
        &self,
        medium: Medium,
        said: &Said,
        profile: &Profile,
        proved: bool,
        now: Timestamp,
    ) -> Result<Decision, TalkError> {
        let (number, theirs) = match said {
            Said::Yes(number) => (*number, true),
            Said::No(number) => (*number, false),
            Said::Stop => {
                let records = vec![Record::Stopped { medium }];
                return Ok(Decision { records, ..Decision::just(Answer::Stopped) });
            }
            Said::Balance => {
                let agreed = proved && profile.consent(medium, Purpose::Balance).is_some();
                let answer = if agreed { self.balances(profile).await? } else { Answer::Help };
                return Ok(Decision::just(answer));
            }
            Said::Link(_) | Said::Other => return Ok(Decision::just(Answer::Help)),
        };
        let open = profile.open_questions(now, &self.rules);
        let meant = match number {
            None if open.len() > 1 => return Ok(Decision::just(Answer::Which { number: open[0].number })),
            None => open.first(),
            Some(number) => open.iter().find(|question| question.number == number),
        };
        let Some(question) = meant else {
            let answer = open.first().map_or(Answer::NoQuestion, |open| Answer::Which { number: open.number });
            return Ok(Decision::just(answer));
        };
        Ok(Decision {
            answer: if theirs { Answer::Theirs } else { Answer::NotTheirs },
            records: vec![Record::Answered { about: question.about.clone(), theirs }],
            answered: Some((question.about.clone(), theirs)),
        })
    }

    async fn balances(&self, profile: &Profile) -> Result<Answer, TalkError> {
        let mut balances = Vec::new();
        for account in profile.accounts() {
            let log: Log<AccountEntry> = self.people.read(&Subject::Account(account)).await?;
            let latest = log.entries.into_iter().filter_map(|entry| match entry {
                AccountEntry::Balance { amount, at, last_digits } => Some(Balance { amount, at, last_digits }),
                _ => None,
            });
            // Of two of one time, the later entry.
            balances.extend(latest.max_by_key(|balance| balance.at));
        }
        Ok(if balances.is_empty() { Answer::NoBalance } else { Answer::Balances(balances) })
    }

    async fn link(
        &self,
        incoming: &Incoming,
        code: Code,
        (handle, handle_log): (Subject, Log<HandleEntry>),
        message: Subject,
        now: Timestamp,
    ) -> Result<Option<Exchange>, TalkError> {
        let since = now.0.saturating_sub(Timestamp::DAY);
        let tries =
            handle_log.entries.iter().filter(|entry| matches!(entry, HandleEntry::Tried { at } if at.0 > since));
        let spent = tries.count() >= TRIES_A_DAY;
        let code_subject = Subject::Code(code.public());
        let code_log: Log<CodeEntry> = self.people.read(&code_subject).await?;
        let live = code::live(&code_log.entries, now).filter(|_| !spent);
        let right = live.filter(|(_, hash)| code::matches(code, hash, self.people.key())).map(|(person, _)| person);
        let said = Said::Link(code);
        let Some(person) = right else {
            let answer = Answer::NotLinked;
            let person = owner(&handle_log.entries).map(|(person, _)| person);
            let mut pages = vec![self.kept(incoming, message, person, &said, &answer)?];
            if !spent {
                let tried = [HandleEntry::Tried { at: now }];
                pages.push(Page::new(handle, handle_log.length, None, &tried).map_err(write_failed::<L::Error>)?);
            }
            if live.is_some() {
                let tried = [CodeEntry::Tried];
                pages.push(Page::new(code_subject, code_log.length, None, &tried).map_err(write_failed::<L::Error>)?);
            }
            let reply = self.wording.answer(&answer, &self.reader(None))?;
            let written = self.people.append(now, pages).await?;
            return Ok(written.then_some(Exchange { person, answer, reply }));
        };
        let mut pages = self
            .people
            .moved((incoming.medium, &incoming.from), person, (handle, handle_log), true, Source::Reply, now)
            .await?;
        let used = [CodeEntry::Used];
        pages.push(Page::new(code_subject, code_log.length, None, &used).map_err(write_failed::<L::Error>)?);
        let answer = Answer::Linked;
        pages.push(self.kept(incoming, message, Some(person), &said, &answer)?);
        let log: Log<Entry> = self.people.read(&Subject::Person(person)).await?;
        let reply = self.wording.answer(&answer, &self.reader(Some(&Profile::of(&log.entries))))?;
        let written = self.people.append(now, pages).await?;
        Ok(written.then_some(Exchange { person: Some(person), answer, reply }))
    }

    fn reader(&self, profile: Option<&Profile>) -> Reader {
        let language = profile.and_then(Profile::language).unwrap_or(&self.rules.language).clone();
        let zone = profile.and_then(Profile::zone).unwrap_or(self.rules.zone);
        Reader { language, zone, number: None }
    }

    fn kept(
        &self,
        incoming: &Incoming,
        message: Subject,
        person: Option<Person>,
        said: &Said,
        answer: &Answer,
    ) -> Result<Page, TalkError> {
        let said = match said {
            Said::Yes(_) => "yes",
            Said::No(_) => "no",
            Said::Stop => "stop",
            Said::Balance => "balance",
            Said::Link(_) => "link",
            Said::Other => "other",
        };
        let kept = [Kept { medium: incoming.medium, person, said, answered: answer.as_str() }];
        Page::new(message, 0, person, &kept).map_err(|error| write_failed::<L::Error>(error).into())
    }
}
