//! Deliveries: none lost, none twice for a receiver that knows keys, none without consent.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{NOW, TestClock, alert, linked, opted_in, person, record};
use crible_core::Timestamp;
use crible_notify::channel::{Channel, Letter};
use crible_notify::consent::{Record, Rules};
use crible_notify::logs::Shelf;
use crible_notify::message::{Notice, Question, Wording};
use crible_notify::outbox::{Delivery, Draft, Failure, Health, Kind, Memory, Rate, Row, Settlement, State};
use crible_notify::{ChannelName, Clock, Courier, Medium, Outbox, Person, Purpose, Route, Settings, Source, Tally};
use proptest::prelude::*;

/// A channel that does what it is told, and remembers.
struct Script<F>(Mutex<Vec<Letter>>, F);

impl<F> fmt::Debug for Script<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl<F: Fn(&Letter) -> Result<(), Failure> + Send + Sync + 'static> Script<F> {
    fn new(act: F) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Vec::new()), act))
    }

    fn letters(&self) -> Vec<Letter> {
        self.0.lock().unwrap().clone()
    }
}

impl<F: Fn(&Letter) -> Result<(), Failure> + Send + Sync + 'static> Channel for Script<F> {
    fn send(&self, letter: &Letter) -> Result<(), Failure> {
        self.0.lock().unwrap().push(letter.clone());
        (self.1)(letter)
    }
}

fn again() -> Failure {
    Failure::new(Kind::Again, "status 500")
}

fn for_the_bank(channel: &str, number: u64) -> Draft {
    let notice = Notice::Alert { alert: Box::new(alert(number)), case: None };
    Draft {
        key: format!("alert/{number:032x}/{channel}/1").parse().unwrap(),
        channel: channel.parse().unwrap(),
        person: None,
        about: format!("{number:032x}").parse().unwrap(),
        body: serde_json::to_string(&notice).unwrap(),
        due: NOW,
    }
}

fn for_a_customer(channel: &str, number: u64, person: Person) -> Draft {
    let notice = Notice::Question(Question::about(&alert(number), None, Some("Café Nord".to_owned())).unwrap());
    Draft { person: Some(person), body: serde_json::to_string(&notice).unwrap(), ..for_the_bank(channel, number) }
}

fn settings() -> Settings {
    Settings { rules: Rules { quiet: None, ..Rules::default() }, ..Settings::default() }
}

fn courier(
    outbox: &Memory,
    shelf: &Shelf,
    clock: &TestClock,
    settings: Settings,
    routes: Vec<Route>,
) -> Courier<Memory, Shelf, TestClock> {
    let wording = Wording::new("Test Bank").unwrap();
    Courier::new(outbox.clone(), shelf.clone(), clock.clone(), wording, settings, routes).unwrap()
}

fn bank_route(name: &str, channel: Arc<dyn Channel>) -> Route {
    Route::for_the_bank(name.parse().unwrap(), channel)
}

fn states(rows: &[Row]) -> BTreeMap<State, usize> {
    rows.iter().fold(BTreeMap::new(), |mut counts, row| {
        *counts.entry(row.state).or_default() += 1;
        counts
    })
}

#[tokio::test]
async fn the_schedule_is_kept_and_ends_in_a_dead_letter() {
    let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), TestClock::new());
    let script =
        Script::new(|letter: &Letter| if letter.at.0 > NOW.0 + 3 * Timestamp::DAY { Ok(()) } else { Err(again()) });
    let courier = courier(&outbox, &shelf, &clock, settings(), vec![bank_route("hook", script.clone())]);
    assert_eq!(outbox.write([for_the_bank("hook", 1), for_the_bank("hook", 1)]), 1);
    for _ in 0..20 {
        courier.deliver().await.unwrap();
        let Some(next) = courier.next_due().await.unwrap() else { break };
        clock.set(next);
    }
    let times: Vec<i64> = script.letters().iter().map(|letter| (letter.at.0 - NOW.0) / Timestamp::SECOND).collect();
    let usual = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
    assert_eq!(times.len(), usual.len());
    for (pause, usual) in times.windows(2).map(|two| two[1] - two[0]).zip(&usual[1..]) {
        assert!((usual * 8 / 10 - 1..=usual * 12 / 10 + 1).contains(&pause), "{times:?}");
    }
    let keys: BTreeSet<_> = script.letters().iter().map(|letter| letter.key.clone()).collect();
    assert_eq!(keys.len(), 1);
    let row = &outbox.rows()[0];
    assert_eq!((row.state, row.attempts, row.why.as_deref()), (State::Dead, 8, Some("status 500")));
    // Somebody looks at it and sends it again.
    clock.advance(4 * 86_400);
    assert!(outbox.send_again(row.id, clock.now()) && !outbox.send_again(row.id, clock.now()));
    assert_eq!(courier.deliver().await.unwrap(), Tally { sent: 1, ..Tally::default() });
    assert_eq!(outbox.rows()[0].state, State::Sent);
}

#[tokio::test]
async fn gone_disables_at_once_and_somebody_is_told() {
    let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), TestClock::new());
    let gone = Script::new(|letter: &Letter| match &letter.key.as_str()[..8] {
        "alert/00" if letter.at == NOW => Err(Failure::new(Kind::Gone, "status 410")),
        _ => Ok(()),
    });
    let told = Script::new(|_: &Letter| Ok(()));
    let hook = Route { side_by_side: 1, ..bank_route("hook", gone.clone()) };
    let settings = Settings { trouble_to: Some("ops".parse().unwrap()), ..settings() };
    let routes = vec![hook, bank_route("ops", told.clone())];
    let courier = courier(&outbox, &shelf, &clock, settings, routes);
    outbox.write((1..=5).map(|number| for_the_bank("hook", number)));
    courier.deliver().await.unwrap();
    courier.deliver().await.unwrap();
    assert_eq!(gone.letters().len(), 1);
    let rows = outbox.rows();
    let dead: Vec<_> = rows.iter().filter(|row| row.state == State::Dead).map(|row| row.why.clone().unwrap()).collect();
    assert_eq!(dead[0], "status 410");
    assert_eq!(dead[1..], vec!["the channel is disabled: the receiver is gone: status 410".to_owned(); 4]);
    let letters = told.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].subject, "Channel hook is disabled");
    assert!(letters[0].text.contains("the receiver is gone: status 410"), "{}", letters[0].text);
    // Enabled and sent again, everything arrives.
    clock.advance(60);
    outbox.enable(&"hook".parse().unwrap());
    assert!((1..=5).all(|id| outbox.send_again(id, clock.now())));
    assert_eq!(courier.deliver().await.unwrap().sent, 5);
}

#[tokio::test]
async fn five_days_of_failures_disable_though_the_process_was_restarted() {
    let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), TestClock::new());
    let script = Script::new(|_: &Letter| Err(again()));
    let mut days = 0;
    for day in 0..9 {
        let courier = courier(&outbox, &shelf, &clock, settings(), vec![bank_route("hook", script.clone())]);
        outbox.write([Draft { due: clock.now(), ..for_the_bank("hook", day) }]);
        courier.deliver().await.unwrap();
        let health = outbox.health(&"hook".parse().unwrap()).await.unwrap();
        if health.disabled.is_none() {
            days += 1;
        }
        clock.advance(86_400);
    }
    assert_eq!(days, 5);
}

#[tokio::test]
async fn a_receiver_that_asks_for_rest_gets_it() {
    let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), TestClock::new());
    let script = Script::new(|letter: &Letter| {
        let early = letter.at.0 < NOW.0 + 200 * Timestamp::SECOND;
        let busy = Failure { after: Some(Duration::from_secs(200)), ..Failure::new(Kind::TooMany, "status 429") };
        if early { Err(busy) } else { Ok(()) }
    });
    let route = Route { side_by_side: 1, ..bank_route("hook", script.clone()) };
    let courier = courier(&outbox, &shelf, &clock, settings(), vec![route]);
    outbox.write((0..50).map(|number| for_the_bank("hook", number)));
    for _ in 0..100 {
        courier.deliver().await.unwrap();
        clock.advance(10);
    }
    let early = script.letters().iter().filter(|letter| letter.at.0 < NOW.0 + 200 * Timestamp::SECOND).count();
    assert_eq!((early, states(&outbox.rows())), (1, BTreeMap::from([(State::Sent, 50)])));
}

#[tokio::test]
async fn a_channel_that_fails_is_left_alone_and_then_tried_with_one() {
    let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), TestClock::new());
    let script =
        Script::new(|letter: &Letter| if letter.at.0 < NOW.0 + 60 * Timestamp::SECOND { Err(again()) } else { Ok(()) });
    let route = Route { side_by_side: 1, ..bank_route("hook", script.clone()) };
    let courier = courier(&outbox, &shelf, &clock, settings(), vec![route]);
    outbox.write((0..200).map(|number| for_the_bank("hook", number)));
    let mut tries = Vec::new();
    for _ in 0..4 {
        courier.deliver().await.unwrap();
        tries.push(script.letters().len());
        clock.advance(30);
    }
    // Ten failures, then one try after each half minute, until one gets through.
    assert_eq!(tries[..2], [10, 11]);
    assert!(tries[3] >= 200, "{tries:?}");
}

#[tokio::test]
async fn a_rate_is_kept() {
    let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), TestClock::new());
    let script = Script::new(|_: &Letter| Ok(()));
    let route = Route { rate: Rate { a_second: 10, burst: 5 }, ..bank_route("hook", script.clone()) };
    let courier = courier(&outbox, &shelf, &clock, settings(), vec![route]);
    outbox.write((0..105).map(|number| for_the_bank("hook", number)));
    assert_eq!(courier.deliver().await.unwrap().sent, 105);
    let seconds = (clock.now().0 - NOW.0) as f64 / 1e6;
    assert!((10.0..10.2).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_a_dead_letter_with_its_reason() {
    let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), TestClock::new());
    let script = Script::new(|letter: &Letter| {
        assert!(!letter.key.as_str().contains("0d/"), "the channel panics");
        Ok(())
    });
    let sms = Script::new(|_: &Letter| Ok(()));
    let routes = vec![
        bank_route("hook", script.clone()),
        Route::for_customers("sms".parse().unwrap(), sms.clone(), Medium::Sms),
    ];
    let courier = courier(&outbox, &shelf, &clock, settings(), routes);
    let bad_amount = for_the_bank("hook", 3).body.replace("-412.00", "lots");
    outbox.write([
        Draft { body: "{".to_owned(), ..for_the_bank("hook", 1) },
        Draft { body: r#"{"kind":"riddle"}"#.to_owned(), ..for_the_bank("hook", 2) },
        Draft { body: bad_amount, ..for_the_bank("hook", 3) },
        // A customer's message where analysts read, and an analyst's where customers do.
        for_a_customer("hook", 4, person(1)),
        for_the_bank("sms", 5),
        Draft { person: Some(person(1)), ..for_the_bank("sms", 6) },
        // A channel that fails in the middle is tried again.
        for_the_bank("hook", 13),
    ]);
    courier.deliver().await.unwrap();
    let rows = outbox.rows();
    assert_eq!(states(&rows), BTreeMap::from([(State::Dead, 6), (State::Pending, 1)]));
    let whys: Vec<&str> = rows.iter().map(|row| row.why.as_deref().unwrap()).collect();
    assert!(whys[0].starts_with("no notice") && whys[1].starts_with("no notice"), "{whys:?}");
    assert_eq!(whys[2], "cannot be rendered: the alert has no amount");
    assert_eq!(whys[3..6], ["this channel is not for such a message"; 3]);
    assert_eq!(whys[6], "the channel failed in the middle");
    assert!(sms.letters().is_empty() && script.letters().len() == 1);
}

#[tokio::test]
async fn quiet_hours_postpone_and_count_as_no_try() {
    let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), TestClock::new());
    let sms = Script::new(|_: &Letter| Ok(()));
    let route = Route::for_customers("sms".parse().unwrap(), sms.clone(), Medium::Sms);
    let courier = courier(&outbox, &shelf, &clock, Settings::default(), vec![route]);
    // 09:46 UTC is the middle of the night in Vancouver.
    let records = [
        opted_in(Medium::Sms, Purpose::FraudAlert),
        linked(Medium::Sms, "+1604555"),
        Record::Lives { zone: "America/Vancouver".parse().unwrap() },
    ];
    record(&shelf, person(1), &records).await;
    outbox.write([for_a_customer("sms", 1, person(1))]);
    assert_eq!(courier.deliver().await.unwrap(), Tally { postponed: 1, ..Tally::default() });
    let due = courier.next_due().await.unwrap().unwrap();
    assert_eq!(due.to_string(), "2026-06-01T15:00:00Z");
    clock.set(due);
    assert_eq!(courier.deliver().await.unwrap(), Tally { sent: 1, ..Tally::default() });
    let letter = &sms.letters()[0];
    assert_eq!(
        letter.text,
        "Test Bank: USD 412.00 at Café Nord, 31 May 20:04. Was this you? YES / NO. \
         Questions? Call the number on your card."
    );
    assert_eq!((outbox.rows()[0].attempts, &*letter.subject), (1, "Test Bank: was this you?"));
}

#[tokio::test]
async fn stop_holds_for_what_is_already_in_the_outbox() {
    let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), TestClock::new());
    let sms = Script::new(|_: &Letter| Err(again()));
    let route = Route::for_customers("sms".parse().unwrap(), sms.clone(), Medium::Sms);
    let courier = courier(&outbox, &shelf, &clock, settings(), vec![route]);
    record(&shelf, person(1), &[opted_in(Medium::Sms, Purpose::FraudAlert), linked(Medium::Sms, "+33600")]).await;
    outbox.write([for_a_customer("sms", 1, person(1)), for_a_customer("sms", 2, person(2))]);
    assert_eq!(courier.deliver().await.unwrap(), Tally { failed: 1, withheld: 1, ..Tally::default() });
    record(&shelf, person(1), &[Record::Stopped { medium: Medium::Sms }]).await;
    clock.advance(10);
    assert_eq!(courier.deliver().await.unwrap(), Tally { withheld: 1, ..Tally::default() });
    let whys: Vec<_> = outbox.rows().into_iter().map(|row| row.why.unwrap()).collect();
    assert_eq!(whys, ["stopped by the person", "not opted in"]);
    assert_eq!(sms.letters().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_than_three_notices_though_channels_race() {
    for _ in 0..20 {
        let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), TestClock::new());
        let script = Script::new(|_: &Letter| Ok(()));
        let route = |(name, medium): (&str, Medium)| {
            let rate = Rate { a_second: 1_000, burst: 1_000 };
            Route { side_by_side: 16, rate, ..Route::for_customers(name.parse().unwrap(), script.clone(), medium) }
        };
        let media =
            [("sms", Medium::Sms), ("wa", Medium::Whatsapp), ("mail", Medium::Email), ("fb", Medium::Messenger)];
        let couriers = [0, 1].map(|_| courier(&outbox, &shelf, &clock, settings(), media.map(route).into()));
        for (_, medium) in media {
            let records = [opted_in(medium, Purpose::FraudAlert), linked(medium, "somebody@example.com")];
            record(&shelf, person(1), &records).await;
        }
        for copy in 0..3 {
            outbox.write(media.map(|(name, _)| Draft {
                key: format!("alert/1/{name}/{copy}").parse().unwrap(),
                ..for_a_customer(name, 1, person(1))
            }));
        }
        let (one, two) = tokio::join!(couriers[0].deliver(), couriers[1].deliver());
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!((one.sent + two.sent, one.withheld + two.withheld, script.letters().len()), (3, 9, 3));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_couriers_send_nothing_twice() {
    let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), TestClock::new());
    let script = Script::new(|_: &Letter| Ok(()));
    let couriers =
        [0, 1].map(|_| courier(&outbox, &shelf, &clock, settings(), vec![bank_route("hook", script.clone())]));
    outbox.write((0..500).map(|number| for_the_bank("hook", number)));
    let (one, two) = tokio::join!(couriers[0].deliver(), couriers[1].deliver());
    assert_eq!(one.unwrap().sent + two.unwrap().sent, 500);
    let keys: BTreeSet<_> = script.letters().into_iter().map(|letter| letter.key).collect();
    assert_eq!((keys.len(), script.letters().len()), (500, 500));
}

#[tokio::test]
async fn what_a_dead_process_had_taken_is_sent_after_its_lease() {
    let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), TestClock::new());
    let script = Script::new(|_: &Letter| Ok(()));
    let courier = courier(&outbox, &shelf, &clock, settings(), vec![bank_route("hook", script.clone())]);
    outbox.write([for_the_bank("hook", 1)]);
    let until = Timestamp(NOW.0 + 120 * Timestamp::SECOND);
    let taken = outbox.claim(&"hook".parse().unwrap(), NOW, until, 9).await.unwrap();
    assert_eq!(courier.deliver().await.unwrap(), Tally::default());
    assert_eq!(courier.next_due().await.unwrap(), Some(until));
    clock.set(until);
    assert_eq!(courier.deliver().await.unwrap().sent, 1);
    // The process was not dead, only slow: what it says of its taking is not heard.
    let late = crible_notify::outbox::Settled {
        id: taken[0].id,
        claims: taken[0].claims,
        state: State::Dead,
        attempts: 1,
        due: until,
        why: None,
        at: until,
    };
    outbox.settle(Settlement { settled: vec![late], ..Settlement::default() }).await.unwrap();
    assert_eq!(outbox.rows()[0].state, State::Sent);
}

/// An outbox that is away now and then.
#[derive(Clone)]
struct Flaky(Memory, Arc<AtomicUsize>);

#[derive(Debug, thiserror::Error)]
#[error("the database is away")]
struct Away;

impl Flaky {
    /// It is away for seven calls, and there for seven.
    fn call(&self) -> Result<(), Away> {
        if self.1.fetch_add(1, Ordering::SeqCst) / 7 % 2 == 1 { Ok(()) } else { Err(Away) }
    }
}

impl Outbox for Flaky {
    type Error = Away;

    async fn claim(
        &self,
        channel: &ChannelName,
        now: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Result<Vec<Delivery>, Away> {
        self.call()?;
        Ok(self.0.claim(channel, now, until, most).await.unwrap_or_default())
    }

    async fn settle(&self, settlement: Settlement) -> Result<(), Away> {
        self.call()?;
        self.0.settle(settlement).await.map_err(|_| Away)
    }

    async fn next_due(&self, channel: &ChannelName) -> Result<Option<Timestamp>, Away> {
        self.call()?;
        self.0.next_due(channel).await.map_err(|_| Away)
    }

    async fn health(&self, channel: &ChannelName) -> Result<Health, Away> {
        self.call()?;
        self.0.health(channel).await.map_err(|_| Away)
    }
}

#[tokio::test]
async fn a_store_that_goes_and_comes_back_loses_nothing() {
    let (memory, clock) = (Memory::default(), TestClock::new());
    let script = Script::new(|_: &Letter| Ok(()));
    let outbox = Flaky(memory.clone(), Arc::default());
    let wording = Wording::new("Test Bank").unwrap();
    let routes = vec![bank_route("hook", script.clone())];
    let courier = Courier::new(outbox, Shelf::default(), clock, wording, settings(), routes).unwrap();
    memory.write((0..100).map(|number| for_the_bank("hook", number)));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut stop = Some(stop);
    let mut sent = 0;
    let mut failures = 0;
    let watched = courier.watch(
        async {
            stopped.await.ok();
        },
        |result| match result {
            Ok(tally) => {
                sent += tally.sent;
                if sent == 100 {
                    stop.take();
                }
            }
            Err(error) => {
                assert_eq!(error.to_string(), "the outbox failed");
                assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the database is away");
                failures += 1;
                // What was settled before the failure is not in any tally.
                if memory.rows().iter().all(|row| row.state == State::Sent) {
                    stop.take();
                }
            }
        },
    );
    tokio::time::timeout(Duration::from_secs(60), watched).await.unwrap();
    assert!(failures > 0);
    assert_eq!(states(&memory.rows()), BTreeMap::from([(State::Sent, 100)]));
    let keys: BTreeSet<_> = script.letters().into_iter().map(|letter| letter.key).collect();
    assert_eq!(keys.len(), 100);
}

/// What a random day does to the deliveries of four people.
#[derive(Clone, Debug)]
enum Step {
    Write {
        number: u64,
        person: u64,
        channel: usize,
    },
    OptIn(u64, usize),
    Withdraw(u64),
    Stop(u64, usize),
    Wait(i64),
    /// A courier takes deliveries and dies.
    Die(usize),
    Deliver,
}

const CHANNELS: [(&str, Medium); 3] = [("sms", Medium::Sms), ("wa", Medium::Whatsapp), ("mail", Medium::Email)];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6u64, 0..4u64, 0..3usize)
            .prop_map(|(number, person, channel)| Step::Write { number, person, channel }),
        3 => (0..4u64, 0..3usize).prop_map(|(person, channel)| Step::OptIn(person, channel)),
        1 => (0..4u64).prop_map(Step::Withdraw),
        1 => (0..4u64, 0..3usize).prop_map(|(person, channel)| Step::Stop(person, channel)),
        2 => prop::sample::select(&[1i64, 7, 70, 400, 4_000, 40_000]).prop_map(Step::Wait),
        1 => (0..3usize).prop_map(Step::Die),
        4 => Just(Step::Deliver),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_is_lost_and_nobody_is_written_to_without_consent(
        steps in prop::collection::vec(step(), 1..60),
        fate in any::<u64>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), TestClock::new());
            // Whether somebody agrees now, by person and medium, as the test keeps it.
            let agreed: Arc<Mutex<BTreeSet<(u64, Medium)>>> = Arc::default();
            let unwanted: Arc<AtomicUsize> = Arc::default();
            let (now_agreed, counted, tries) = (Arc::clone(&agreed), Arc::clone(&unwanted), AtomicUsize::new(0));
            let script = Script::new(move |letter: &Letter| {
                let to = letter.to.as_ref().unwrap();
                let number: u64 = to.address.reveal().parse().unwrap();
                if !now_agreed.lock().unwrap().contains(&(number, to.medium)) {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                match (fate >> (tries.fetch_add(1, Ordering::SeqCst) % 64)) & 1 {
                    0 => Ok(()),
                    _ => Err(again()),
                }
            });
            let routes = || CHANNELS
                .map(|(name, medium)| Route::for_customers(name.parse().unwrap(), script.clone(), medium))
                .into();
            let courier = courier(&outbox, &shelf, &clock, settings(), routes());
            let mut written = BTreeSet::new();
            for step in steps {
                match step {
                    Step::Write { number, person: who, channel } => {
                        let name = CHANNELS[channel].0;
                        let key = format!("alert/{number}/{who}/{name}").parse().unwrap();
                        let draft = Draft { key, due: clock.now(), ..for_a_customer(name, number, person(who)) };
                        written.insert(draft.key.clone());
                        outbox.write([draft]);
                    }
                    Step::OptIn(who, channel) => {
                        let medium = CHANNELS[channel].1;
                        let consent =
                            Record::OptedIn { medium, purpose: Purpose::FraudAlert, source: Source::Branch };
                        record(&shelf, person(who), &[consent, linked(medium, &who.to_string())]).await;
                        agreed.lock().unwrap().insert((who, medium));
                    }
                    Step::Withdraw(who) => {
                        let all = Record::Withdrawn { medium: None, purpose: None, source: Source::App };
                        record(&shelf, person(who), &[all]).await;
                        agreed.lock().unwrap().retain(|(of, _)| *of != who);
                    }
                    Step::Stop(who, channel) => {
                        record(&shelf, person(who), &[Record::Stopped { medium: CHANNELS[channel].1 }]).await;
                        agreed.lock().unwrap().retain(|(of, _)| *of != who);
                    }
                    Step::Wait(seconds) => clock.advance(seconds),
                    Step::Die(channel) => {
                        let name: ChannelName = CHANNELS[channel].0.parse().unwrap();
                        let until = Timestamp(clock.now().0 + 120 * Timestamp::SECOND);
                        outbox.claim(&name, clock.now(), until, 2).await.unwrap();
                    }
                    Step::Deliver => {
                        courier.deliver().await.unwrap();
                    }
                }
            }
            // In the end nothing is left in the outbox.
            for _ in 0..200 {
                courier.deliver().await.unwrap();
                let Some(next) = courier.next_due().await.unwrap() else { break };
                clock.set(next.max(Timestamp(clock.now().0 + 31 * Timestamp::SECOND)));
            }
            prop_assert_eq!(unwanted.load(Ordering::SeqCst), 0);
            let rows = outbox.rows();
            prop_assert_eq!(rows.iter().map(|row| row.key.clone()).collect::<BTreeSet<_>>(), written);
            prop_assert!(rows.iter().all(|row| row.state != State::Pending), "{rows:?}");
            let letters = script.letters();
            let mut notices: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
            for letter in &letters {
                let row = rows.iter().find(|row| row.key == letter.key);
                let row = row.ok_or_else(|| TestCaseError::fail("sent without a row"))?;
                let of = (row.person.unwrap().to_string(), row.about.to_string());
                notices.entry(of).or_default().insert(letter.key.to_string());
            }
            prop_assert!(notices.values().all(|keys| keys.len() <= 3));
            // Whoever agreed to nothing was written nothing, and what was withheld was for a reason.
            for row in rows.iter().filter(|row| row.state == State::Withheld) {
                prop_assert!(row.why.is_some());
            }
            Ok(())
        })?;
    }
}
