//! Takes what is due out of the outbox, sends it, and writes down what came of it.

mod lane;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crible_core::Timestamp;
use tokio::task::JoinSet;

use crate::channel::Channel;
use crate::consent::Rules;
use crate::message::{Limit, Wording};
use crate::outbox::{Breaker, BreakerSettings, Bucket, Outbox, Rate, State};
use crate::{ChannelName, Clock, Language, Logs, Medium};
use lane::Lane;

/// A channel and how it is used.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name in the outbox.
    pub name: ChannelName,
    /// How to send.
    pub channel: Arc<dyn Channel>,
    /// For customers: the medium that they agreed to. For the bank's own people there is none.
    pub medium: Option<Medium>,
    /// What it carries.
    pub limit: Limit,
    /// How much it takes.
    pub rate: Rate,
    /// When it is left alone.
    pub breaker: BreakerSettings,
    /// Deliveries that are tried side by side.
    pub side_by_side: usize,
    /// The language of the bank's own people.
    pub language: Language,
}

impl Route {
    /// For the bank's own people, in English: 1,000 a second, 16 side by side.
    pub fn for_the_bank(name: ChannelName, channel: Arc<dyn Channel>) -> Self {
        Self {
            name,
            channel,
            medium: None,
            limit: Limit::EMAIL,
            rate: Rate { a_second: 1_000, burst: 1_000 },
            breaker: BreakerSettings::default(),
            side_by_side: 16,
            language: Language::english(),
        }
    }

    /// For customers: 20 a second, 4 side by side.
    pub fn for_customers(name: ChannelName, channel: Arc<dyn Channel>, medium: Medium) -> Self {
        let limit = match medium {
            Medium::Sms => Limit::SMS,
            Medium::Whatsapp => Limit::WHATSAPP,
            Medium::Messenger => Limit::MESSENGER,
            Medium::Email => Limit::EMAIL,
        };
        let rate = Rate { a_second: 20, burst: 20 };
        Self { medium: Some(medium), limit, rate, side_by_side: 4, ..Self::for_the_bank(name, channel) }
    }
}

/// What holds for all channels.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How people are protected from too many messages.
    pub rules: Rules,
    /// The channel that says when another is disabled.
    pub trouble_to: Option<ChannelName>,
    /// How long a delivery is taken for. Longer than any channel takes, or it is sent twice.
    pub lease: Duration,
    /// How often [`Courier::watch`] looks for what others wrote.
    pub look_every: Duration,
}

impl Default for Settings {
    /// Leases of two minutes, a look every second, nobody told.
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            trouble_to: None,
            lease: Duration::from_secs(120),
            look_every: Duration::from_secs(1),
        }
    }
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Deliveries that the receiver has.
    pub sent: u64,
    /// Tries that failed and come again.
    pub failed: u64,
    /// Deliveries that were given up.
    pub dead: u64,
    /// Deliveries that the person must not get.
    pub withheld: u64,
    /// Deliveries that wait for the end of quiet hours.
    pub postponed: u64,
    /// Deliveries of which nothing came, because the log of the person could not be read or written. Their lease ends,
    /// and they are tried again.
    pub unknown: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.failed += other.failed;
        self.dead += other.dead;
        self.withheld += other.withheld;
        self.postponed += other.postponed;
        self.unknown += other.unknown;
    }

    fn count(&mut self, state: State) {
        match state {
            State::Sent => self.sent += 1,
            State::Dead => self.dead += 1,
            State::Withheld => self.withheld += 1,
            State::Pending => self.failed += 1,
        }
    }
}

/// Why deliveries cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CourierError {
    /// The outbox failed.
    #[error("the outbox failed")]
    Outbox(#[source] Box<dyn Error + Send + Sync>),
    /// Two channels have one name.
    #[error("two channels are called `{0}`")]
    Twice(ChannelName),
    /// A task of ours ended in the middle.
    #[error("a task ended in the middle")]
    Task(#[source] tokio::task::JoinError),
}

/// Delivers. Channels do not wait for each other.
pub struct Courier<O, L, C>(Arc<Inner<O, L, C>>);

struct Inner<O, L, C> {
    outbox: O,
    logs: L,
    clock: C,
    wording: Arc<Wording>,
    settings: Settings,
    lanes: Vec<Arc<Lane>>,
}

impl<O, L, C> fmt::Debug for Courier<O, L, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.lanes.iter().map(|lane| &lane.route)).finish()
    }
}

impl<O: Outbox, L: Logs, C: Clock> Courier<O, L, C> {
    /// A courier for these channels.
    ///
    /// # Errors
    /// Two of them have one name.
    pub fn new(
        outbox: O,
        logs: L,
        clock: C,
        wording: impl Into<Arc<Wording>>,
        settings: Settings,
        routes: Vec<Route>,
    ) -> Result<Self, CourierError> {
        let now = clock.now();
        let mut lanes = BTreeMap::new();
        for route in routes {
            let lane = Lane::new(Bucket::new(route.rate, now), Breaker::new(route.breaker), route);
            if let Some(lane) = lanes.insert(lane.route.name.clone(), Arc::new(lane)) {
                return Err(CourierError::Twice(lane.route.name.clone()));
            }
        }
        let lanes = lanes.into_values().collect();
        Ok(Self(Arc::new(Inner { outbox, logs, clock, wording: wording.into(), settings, lanes })))
    }

    /// Delivers what is due now, until nothing is.
    ///
    /// # Errors
    /// The outbox fails. What was sent and could not be written down is sent again, with the same key.
    pub async fn deliver(&self) -> Result<Tally, CourierError> {
        let mut lanes = JoinSet::new();
        for lane in &self.0.lanes {
            let (inner, lane) = (Arc::clone(&self.0), Arc::clone(lane));
            lanes.spawn(async move { inner.drain(&lane).await });
        }
        let mut tally = Tally::default();
        let mut failed = None;
        while let Some(result) = lanes.join_next().await {
            match result.map_err(CourierError::Task).and_then(|result| result) {
                Ok(done) => tally.add(&done),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(tally), Err)
    }

    /// When the next delivery is due, of those that have a channel here.
    ///
    /// # Errors
    /// The outbox fails.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, CourierError> {
        let mut next: Option<Timestamp> = None;
        for lane in &self.0.lanes {
            let due = self.0.outbox.next_due(&lane.route.name).await.map_err(outbox)?;
            next = [next, due].into_iter().flatten().min();
        }
        Ok(next)
    }

    /// Delivers until `stop` is done: what has been taken by then is finished. An outbox that fails is tried again
    /// after a pause; `report` is told of that, and of everything that was done.
    pub async fn watch(&self, stop: impl Future<Output = ()>, mut report: impl FnMut(Result<Tally, CourierError>)) {
        let mut stop = std::pin::pin!(stop);
        let mut failures = 0u32;
        loop {
            // Deliveries under way are finished before anything else is looked at.
            let result = self.deliver().await;
            failures = if result.is_err() { failures.saturating_add(1) } else { 0 };
            if result.as_ref().map_or(true, |tally| *tally != Tally::default()) {
                report(result);
            }
            let pause = self.0.settings.look_every * 2u32.saturating_pow(failures.min(5));
            tokio::select! {
                () = &mut stop => return,
                () = self.0.clock.pause(pause) => {}
            }
        }
    }
}

fn outbox(error: impl Error + Send + Sync + 'static) -> CourierError {
    CourierError::Outbox(Box::new(error))
}
