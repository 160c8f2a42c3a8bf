use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crible_core::Timestamp;
use tokio::task::JoinSet;

use super::{CourierError, Inner, Route, Tally, outbox};
use crate::channel::{Content, Letter, Recipient};
use crate::consent::{Entry, Grant, Permit, Profile, Refusal, Request};
use crate::logs::{self, Log, LogError, Page, Subject, TRIES};
use crate::message::{Notice, Reader};
use crate::outbox::{
    Allowed, Breaker, Bucket, Delivery, Draft, Failure, Health, Kind, Outbox, Settled, Settlement, State, next_try,
};
use crate::{About, Clock, Key, Logs, Medium, Person, Purpose};

/// How long a delivery that is finished waits for others, before what came of them is written down.
const GATHER: Duration = Duration::from_millis(20);

/// One channel's deliveries.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) route: Route,
    gates: Mutex<Gates>,
}

#[derive(Debug)]
struct Gates {
    bucket: Bucket,
    breaker: Breaker,
}

impl Lane {
    pub(super) fn new(bucket: Bucket, breaker: Breaker, route: Route) -> Self {
        Self { route, gates: Mutex::new(Gates { bucket, breaker }) }
    }

    fn gates(&self) -> MutexGuard<'_, Gates> {
        // Nobody panics while holding it.
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of one delivery.
enum Done {
    Sent,
    Failed(Failure),
    /// Before anything was sent: the channel is not to blame.
    Unsendable(Failure),
    Later(Timestamp),
    Refused(Refusal),
    /// The logs failed: nothing was sent, and nothing is known.
    Unknown,
}

impl<O: Outbox, L: Logs, C: Clock> Inner<O, L, C> {
    /// Delivers what is due on a channel.
    pub(super) async fn drain(self: &Arc<Self>, lane: &Arc<Lane>) -> Result<Tally, CourierError> {
        let name = &lane.route.name;
        let mut health = self.outbox.health(name).await.map_err(outbox)?;
        let mut tally = Tally::default();
        let mut under_way = JoinSet::new();
        loop {
            let now = self.clock.now();
            let free = lane.route.side_by_side.max(1).saturating_sub(under_way.len());
            if let Some(disabled) = &health.disabled {
                let why = format!("the channel is disabled: {}", disabled.why);
                while self.bury(lane, &why, &mut tally).await? {}
            }
            let enabled = health.disabled.is_none();
            let (allowed, wait) = if enabled { self.allowance(lane, free, now) } else { (0, None) };
            if allowed > 0 {
                let claimed = self.outbox.claim(name, now, self.lease(now), allowed).await;
                let claimed = claimed.inspect_err(|_| give_back(lane, allowed)).map_err(outbox)?;
                give_back(lane, allowed - claimed.len());
                for delivery in claimed {
                    let (inner, lane) = (Arc::clone(self), Arc::clone(lane));
                    under_way.spawn(async move {
                        let done = inner.attempt(&lane, &delivery).await;
                        (delivery, done)
                    });
                }
            }
            if let Some(first) = under_way.join_next().await {
                let mut finished = vec![first.map_err(CourierError::Task)?];
                // A transaction for each would cost more than the sending: what finishes together is written down together.
                let half = lane.route.side_by_side / 2;
                let gathered = async {
                    while finished.len() < half
                        && let Some(next) = under_way.join_next().await
                    {
                        finished.push(next.map_err(CourierError::Task)?);
                    }
                    Ok::<(), CourierError>(())
                };
                // Those that take longer are waited for in the next round.
                if let Ok(gathered) = tokio::time::timeout(GATHER, gathered).await {
                    gathered?;
                }
                while let Some(next) = under_way.try_join_next() {
                    finished.push(next.map_err(CourierError::Task)?);
                }
                self.settle(lane, finished, &mut health, &mut tally).await?;
                continue;
            }
            match wait {
                // The rate allows none just now, and something may be due.
                Some(wait) if self.outbox.next_due(name).await.map_err(outbox)?.is_some_and(|due| due <= now) => {
                    self.clock.pause(wait).await;
                }
                _ => return Ok(tally),
            }
        }
    }

    fn lease(&self, now: Timestamp) -> Timestamp {
        let micros = i64::try_from(self.settings.lease.as_micros()).unwrap_or(i64::MAX);
        Timestamp(now.0.saturating_add(micros))
    }

    /// How many deliveries may be taken now; if none because of the rate, how long to wait.
    fn allowance(&self, lane: &Lane, free: usize, now: Timestamp) -> (usize, Option<Duration>) {
        let gates = &mut *lane.gates();
        let free = match gates.breaker.allowed(now) {
            Allowed::Any => free,
            Allowed::One => free.min(1),
            // What is due stays so: the next round comes after the pause.
            Allowed::NotBefore(_) | Allowed::Probing => 0,
        };
        let taken = gates.bucket.take(now, free);
        if taken > 0 && gates.breaker.allowed(now) == Allowed::One {
            gates.breaker.probe();
        }
        let wait = (free > 0 && taken == 0).then(|| {
            let ready = gates.bucket.ready(now).0.saturating_sub(now.0);
            Duration::from_micros(u64::try_from(ready).unwrap_or(0))
        });
        (taken, wait)
    }

    /// Gives up what was to go over a channel that is disabled. Whether there was anything.
    async fn bury(&self, lane: &Lane, why: &str, tally: &mut Tally) -> Result<bool, CourierError> {
        let now = self.clock.now();
        let claimed = self.outbox.claim(&lane.route.name, now, self.lease(now), 500).await.map_err(outbox)?;
        let buried = |delivery: &Delivery| Settled {
            id: delivery.id,
            claims: delivery.claims,
            state: State::Dead,
            attempts: delivery.attempts,
            due: now,
            why: Some(why.to_owned()),
            at: now,
        };
        let settled: Vec<Settled> = claimed.iter().map(buried).collect();
        tally.dead += settled.len() as u64;
        let found = !settled.is_empty();
        if found {
            self.write_down(Settlement { settled, ..Settlement::default() }).await?;
        }
        Ok(found)
    }

    /// One try of one delivery.
    async fn attempt(self: &Arc<Self>, lane: &Arc<Lane>, delivery: &Delivery) -> Done {
        let never = |why: String| Done::Unsendable(Failure::new(Kind::Never, why));
        let notice: Notice = match serde_json::from_str(&delivery.body) {
            Ok(notice) => notice,
            Err(error) => return never(format!("no notice: {error}")),
        };
        let is_question = matches!(notice, Notice::Question(_));
        let route = &lane.route;
        let grant = match (route.medium, delivery.person, is_question) {
            (Some(medium), Some(person), true) => match self.permit(person, medium, delivery).await {
                Ok(Permit::Granted(grant)) => Some((medium, grant)),
                Ok(Permit::Later(at)) => return Done::Later(at),
                Ok(Permit::Refused(refusal)) => return Done::Refused(refusal),
                Err(LogError::Entry { number, .. }) => {
                    return never(format!("entry {number} of the person's log cannot be read"));
                }
                Err(_) => return Done::Unknown,
            },
            (None, None, false) => None,
            // A customer is never told what is for the bank, nor the other way round.
            _ => return never("this channel is not for such a message".to_owned()),
        };
        let reader = match &grant {
            Some((_, grant)) => Reader { language: grant.language.clone(), zone: grant.zone, number: grant.number },
            None => Reader::at_the_bank(route.language.clone()),
        };
        let words = match self.wording.words(&notice, &reader, route.limit) {
            Ok(words) => words,
            Err(error) => return never(error.to_string()),
        };
        let letter = Letter {
            key: delivery.key.clone(),
            at: self.clock.now(),
            to: grant.map(|(medium, Grant { address, wrote, .. })| Recipient { medium, address, wrote }),
            subject: words.subject,
            text: words.text,
            language: reader.language,
            content: match notice {
                Notice::Alert { alert, case } => Content::Alert { alert, case },
                Notice::Case(case) => Content::Case(Box::new(case)),
                Notice::Question(_) => Content::Message,
                Notice::Trouble { .. } => Content::Trouble,
            },
        };
        let channel = Arc::clone(&route.channel);
        match tokio::task::spawn_blocking(move || channel.send(&letter)).await {
            Ok(Ok(())) => Done::Sent,
            Ok(Err(failure)) => Done::Failed(failure),
            Err(_) => Done::Failed(Failure::new(Kind::Again, "the channel failed in the middle")),
        }
    }

    /// Whether the person may get it now. A permission is in their log before it is used.
    async fn permit(&self, person: Person, medium: Medium, delivery: &Delivery) -> Result<Permit, LogError<L::Error>> {
        let subject = Subject::Person(person);
        for _ in 0..TRIES {
            let log: Log<Entry> = logs::read(&self.logs, &subject).await?;
            let now = self.clock.now();
            let request = Request { medium, purpose: Purpose::FraudAlert, about: &delivery.about, key: &delivery.key };
            let permit = Profile::of(&log.entries).permit(&request, now, &self.settings.rules);
            let Permit::Granted(Grant { record: Some(record), .. }) = &permit else { return Ok(permit) };
            let entry = Entry { at: now, record: record.clone() };
            let page = Page::new(subject.clone(), log.length, Some(person), &[entry]).map_err(LogError::Write)?;
            if self.logs.append(now, vec![page]).await? {
                return Ok(permit);
            }
        }
        Err(LogError::Busy(subject.to_string()))
    }

    /// Writes down what came of deliveries.
    async fn settle(
        &self,
        lane: &Lane,
        finished: Vec<(Delivery, Done)>,
        health: &mut Health,
        tally: &mut Tally,
    ) -> Result<(), CourierError> {
        let now = self.clock.now();
        let before = health.clone();
        let mut settlement = Settlement::default();
        for (delivery, done) in finished {
            let was = |state, why| Settled {
                id: delivery.id,
                claims: delivery.claims,
                state,
                attempts: delivery.attempts + 1,
                due: now,
                why,
                at: now,
            };
            let gates = &mut *lane.gates();
            let settled = match done {
                Done::Sent => {
                    gates.breaker.note(true, None, now);
                    health.note(Ok(()), now);
                    was(State::Sent, None)
                }
                Done::Failed(failure) => {
                    if failure.kind == Kind::Never {
                        gates.breaker.no_probe();
                    } else {
                        gates.breaker.note(false, failure.after, now);
                    }
                    health.note(Err(&failure), now);
                    match next_try(&delivery.key, delivery.attempts + 1, &failure, now) {
                        Some(due) => Settled { due, ..was(State::Pending, Some(failure.why)) },
                        None => was(State::Dead, Some(failure.why)),
                    }
                }
                Done::Unsendable(failure) => {
                    gates.breaker.no_probe();
                    was(State::Dead, Some(failure.why))
                }
                Done::Refused(refusal) => {
                    gates.breaker.no_probe();
                    let attempts = delivery.attempts;
                    Settled { attempts, ..was(State::Withheld, Some(refusal.to_string())) }
                }
                Done::Later(due) => {
                    gates.breaker.no_probe();
                    tally.postponed += 1;
                    settlement.settled.push(Settled {
                        due,
                        attempts: delivery.attempts,
                        ..was(State::Pending, Some("quiet hours".to_owned()))
                    });
                    continue;
                }
                // Its lease ends, and it is tried again.
                Done::Unknown => {
                    gates.breaker.no_probe();
                    tally.unknown += 1;
                    continue;
                }
            };
            tally.count(settled.state);
            settlement.settled.push(settled);
        }
        if *health != before {
            settlement.health = Some((lane.route.name.clone(), health.clone()));
            if before.disabled.is_none() {
                settlement.drafts.extend(self.trouble(lane, health, now));
            }
        }
        self.write_down(settlement).await
    }

    /// The notice that a channel was disabled.
    fn trouble(&self, lane: &Lane, health: &Health, now: Timestamp) -> Option<Draft> {
        let disabled = health.disabled.as_ref()?;
        let to = self.settings.trouble_to.clone().filter(|to| *to != lane.route.name)?;
        let name = &lane.route.name;
        let key: Key = format!("trouble/{name}/{}", disabled.at.0).parse().ok()?;
        let about: About = format!("channel:{name}").parse().ok()?;
        let notice = Notice::Trouble { channel: name.clone(), why: disabled.why.clone() };
        let body = serde_json::to_string(&notice).ok()?;
        Some(Draft { key, channel: to, person: None, about, body, due: now })
    }

    /// What was sent must not be forgotten because the store was away for a moment.
    async fn write_down(&self, settlement: Settlement) -> Result<(), CourierError> {
        let mut pause = Duration::from_millis(100);
        loop {
            match self.outbox.settle(settlement.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) if pause > Duration::from_secs(2) => return Err(outbox(error)),
                Err(_) => self.clock.pause(pause).await,
            }
            pause *= 2;
        }
    }
}

fn give_back(lane: &Lane, unused: usize) {
    let gates = &mut *lane.gates();
    gates.bucket.give_back(unused);
    if unused > 0 {
        gates.breaker.no_probe();
    }
}
