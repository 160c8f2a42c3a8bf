use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use crible_core::{EntityId, Timestamp};

use super::{Entry, Grant, Permit, Record, Refusal, Request, Rules};
use crate::{About, Address, Key, Language, Medium, Purpose, Source};

/// What a person's log comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    granted: BTreeMap<(Medium, Purpose), (Timestamp, Source)>,
    /// What STOP ended and no new consent began again.
    stopped: BTreeSet<(Medium, Purpose)>,
    addresses: BTreeMap<Medium, Address>,
    wrote: BTreeMap<Medium, Timestamp>,
    accounts: BTreeSet<EntityId>,
    language: Option<Language>,
    zone: Option<Tz>,
    events: BTreeMap<About, Asked>,
}

/// The notices of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    keys: BTreeSet<Key>,
    at: Timestamp,
    number: u8,
    answered: bool,
}

/// A question that the person has not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenQuestion {
    /// The event it is about.
    pub about: About,
    /// The number to answer with.
    pub number: u8,
}

impl Profile {
    /// The profile of a log.
    pub fn of<'a>(log: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut profile = Self::default();
        for entry in log {
            profile.apply(entry);
        }
        profile
    }

    /// Goes on by one entry.
    pub fn apply(&mut self, entry: &Entry) {
        match &entry.record {
            Record::OptedIn { medium, purpose, source } => {
                let pair = (*medium, *purpose);
                // A reply to a message is not a new consent of somebody who wrote STOP.
                if *source == Source::Reply && self.stopped.contains(&pair) {
                    return;
                }
                self.stopped.remove(&pair);
                self.granted.insert(pair, (entry.at, *source));
            }
            Record::Withdrawn { medium, purpose, .. } => self.granted.retain(|(of, what), _| {
                let meant = medium.is_none_or(|medium| medium == *of) && purpose.is_none_or(|purpose| purpose == *what);
                !meant
            }),
            Record::Stopped { .. } => {
                self.granted.clear();
                let pairs = Medium::ALL.iter().flat_map(|medium| Purpose::ALL.iter().map(|what| (*medium, *what)));
                self.stopped.extend(pairs);
            }
            Record::Linked { medium, address, .. } => {
                self.addresses.insert(*medium, address.clone());
                // The window of a conversation is that of an address.
                self.wrote.remove(medium);
            }
            Record::Unlinked { medium } => {
                self.addresses.remove(medium);
                self.wrote.remove(medium);
            }
            Record::Speaks { language } => self.language = Some(language.clone()),
            Record::Lives { zone } => self.zone = Some(*zone),
            Record::Holds { account } => {
                self.accounts.insert(*account);
            }
            Record::GaveUp { account } => {
                self.accounts.remove(account);
            }
            Record::Noticed { about, key, number } => {
                let fresh = Asked { keys: BTreeSet::new(), at: entry.at, number: *number, answered: false };
                let asked = self.events.entry(about.clone()).or_insert(fresh);
                asked.keys.insert(key.clone());
                asked.at = asked.at.max(entry.at);
            }
            Record::Wrote { medium } => {
                self.wrote.insert(*medium, entry.at);
            }
            Record::Answered { about, .. } => {
                if let Some(asked) = self.events.get_mut(about) {
                    asked.answered = true;
                }
            }
        }
    }

    /// Since when, and from where, the person agrees to be reached this way for this purpose.
    pub fn consent(&self, medium: Medium, purpose: Purpose) -> Option<(Timestamp, Source)> {
        self.granted.get(&(medium, purpose)).copied()
    }

    /// Their address on a medium.
    pub fn address(&self, medium: Medium) -> Option<&Address> {
        self.addresses.get(&medium)
    }

    /// Their accounts.
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = EntityId> {
        self.accounts.iter().copied()
    }

    /// The language they read, where it is known.
    pub fn language(&self) -> Option<&Language> {
        self.language.as_ref()
    }

    /// Their time zone, where it is known.
    pub fn zone(&self) -> Option<Tz> {
        self.zone
    }

    /// What they were asked and have not answered in the time there is, in order of its numbers.
    pub fn open_questions(&self, now: Timestamp, rules: &Rules) -> Vec<OpenQuestion> {
        let since = now.0.saturating_sub(i64::from(rules.answer_within_hours) * 3_600 * Timestamp::SECOND);
        let mut open: Vec<_> = self
            .events
            .iter()
            .filter(|(_, asked)| !asked.answered && asked.at.0 >= since)
            .map(|(about, asked)| OpenQuestion { about: about.clone(), number: asked.number })
            .collect();
        open.sort_by_key(|question| question.number);
        open
    }

    /// Whether a message may be sent now. A granted one has to be in the log before it goes out.
    pub fn permit(&self, request: &Request<'_>, now: Timestamp, rules: &Rules) -> Permit {
        let pair = (request.medium, request.purpose);
        if !self.granted.contains_key(&pair) {
            let stopped = self.stopped.contains(&pair);
            return Permit::Refused(if stopped { Refusal::Stopped } else { Refusal::NotOptedIn });
        }
        let Some(address) = self.addresses.get(&request.medium) else { return Permit::Refused(Refusal::NoAddress) };
        let asked = self.events.get(request.about);
        let again = asked.is_some_and(|asked| asked.keys.contains(request.key));
        if asked.is_some_and(|asked| asked.answered) {
            return Permit::Refused(Refusal::Answered);
        }
        let most = usize::from(rules.notices_an_event.min(Rules::MOST_NOTICES));
        if !again && asked.map_or(0, |asked| asked.keys.len()) >= most {
            return Permit::Refused(Refusal::Enough);
        }
        let zone = self.zone.unwrap_or(rules.zone);
        if let Some(end) = rules.quiet.and_then(|quiet| quiet.until(now, zone)) {
            return Permit::Later(end);
        }
        let open = self.open_questions(now, rules);
        let number = match asked {
            Some(asked) => asked.number,
            // The smallest that is free; 255 questions are never open, and one more would share a number.
            None => (1..u8::MAX).find(|number| open.iter().all(|other| other.number != *number)).unwrap_or(u8::MAX),
        };
        let alone = open.iter().all(|other| other.about == *request.about);
        Permit::Granted(Grant {
            address: address.clone(),
            language: self.language.as_ref().unwrap_or(&rules.language).clone(),
            zone,
            number: (number > 1 || !alone).then_some(number),
            wrote: self.wrote.get(&request.medium).copied(),
            record: (!again).then(|| Record::Noticed {
                about: request.about.clone(),
                key: request.key.clone(),
                number,
            }),
        })
    }
}
