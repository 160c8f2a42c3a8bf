//! From the opt-in to the label: a customer agrees, links a number, is asked, answers no, and the case has it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crible_alert::{Severity, wire};
use crible_case::{Action, CaseId, Facts, Order, Settings as CaseSettings, Silence};
use crible_core::{Class, Timestamp};
use crible_dispatch::{Post, take_in, tell_cases};
use crible_notify::channel::{Channel, Letter};
use crible_notify::config::{Config, Surroundings};
use crible_notify::message::{Answer, CaseNotice, Notice, Wording};
use crible_notify::outbox::Failure;
use crible_notify::people::{HandleKey, People};
use crible_notify::talk::{Conversation, Incoming};
use crible_notify::{CaseReason, Clock, Courier, Medium, Person, Purpose, Route, Source, Tally};
use crible_store::{Delivery, DeliveryState, Store, StoreKey, kind};

/// A Monday, 09:46:40 UTC.
const NOW: i64 = 1_780_307_200_000_000;

#[derive(Clone, Debug)]
struct TestClock(Arc<AtomicI64>);

impl TestClock {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW)))
    }

    fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * Timestamp::SECOND, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    async fn pause(&self, duration: Duration) {
        self.0.fetch_add(duration.as_micros() as i64, Ordering::SeqCst);
    }
}

/// Takes everything.
#[derive(Clone, Debug, Default)]
struct Gateway(Arc<Mutex<Vec<Letter>>>);

impl Channel for Gateway {
    fn send(&self, letter: &Letter) -> Result<(), Failure> {
        self.0.lock().unwrap().push(letter.clone());
        Ok(())
    }
}

const CONFIG: &str = r#"
bank = "Test Bank"
source = "urn:crible:test"
quiet = "never"

[[channel]]
name = "sms"
kind = "sms"
url = "https://gateway.example/"
secrets_env = "SECRETS"

[[channel]]
name = "file"
kind = "file"
path = "PATH"
min_severity = "medium"

[[channel]]
name = "team"
kind = "file"
path = "PATH.cases"
tells = "cases"
"#;

fn alert(number: u32) -> wire::Alert {
    let line = format!(
        r#"{{"schema":"crible.alert/1","id":"{number:032x}","transaction":"{number:032x}","account":"000000000000beef","counterparty":null,"at":"2026-06-01T03:04:05Z","amount":{{"value":"-412.00","currency":"USD"}},"score":6.25,"tail":0.0004,"severity":"high","rank":3,"day":"2026-06-01","reasons":[],"model":"0000000000c0ffee","source":null}}"#
    );
    wire::Alert::from_line(&line).unwrap()
}

struct World {
    folder: tempfile::TempDir,
    store: Store,
    clock: TestClock,
    config: Config,
    gateway: Gateway,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.db").display().to_string();
        let clock = TestClock::new();
        let store = Store::open(&path, &StoreKey::new([7; 32]), clock.now()).await.unwrap();
        let file = folder.path().join("alerts.jsonl").display().to_string();
        let secret = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".to_owned();
        let missing = |_: &Path| Err(io::ErrorKind::NotFound.into());
        let around = Surroundings { variable: &|_| Some(secret.clone()), file: &missing };
        let config = Config::read(&CONFIG.replace("PATH", &file), &around).unwrap();
        Self { folder, store, clock, config, gateway: Gateway::default() }
    }

    fn post(&self) -> Post<TestClock> {
        Post::new(self.store.clone(), CaseSettings::default(), self.clock.clone())
    }

    fn people(&self) -> People<Post<TestClock>, TestClock> {
        People::new(self.post(), self.clock.clone(), HandleKey::new([5; 32]))
    }

    fn conversation(&self) -> Conversation<Post<TestClock>, TestClock> {
        let wording = Wording::new("Test Bank").unwrap();
        Conversation::new(self.people(), wording, self.config.settings.rules.clone())
    }

    fn courier(&self) -> Courier<Post<TestClock>, Post<TestClock>, TestClock> {
        let file = self.folder.path().join("alerts.jsonl");
        let lines = crible_notify::channel::Lines::file(
            &file,
            crible_notify::channel::CloudEvents::new("urn:crible:test").unwrap(),
        );
        let routes = vec![
            Route::for_customers("sms".parse().unwrap(), Arc::new(self.gateway.clone()), Medium::Sms),
            Route { side_by_side: 1, ..Route::for_the_bank("file".parse().unwrap(), Arc::new(lines.unwrap())) },
        ];
        let settings = self.config.settings.clone();
        let wording = Wording::new("Test Bank").unwrap();
        Courier::new(self.post(), self.post(), self.clock.clone(), wording, settings, routes).unwrap()
    }

    /// Takes alerts in as the command does: alert, case and deliveries in one transaction. How many deliveries that made.
    async fn take_in(&self, alerts: &[wire::Alert]) -> usize {
        let before = self.deliveries().await.len();
        let mut txn = self.store.begin(self.clock.now()).await.unwrap();
        let facts = alerts.iter().map(|alert| Facts::new(alert.clone(), None).unwrap()).collect();
        let merchant = |_: &wire::Alert| Some("Café Nord".to_owned());
        take_in(&mut txn, &self.config, facts, merchant).await.unwrap();
        txn.commit().await.unwrap();
        self.deliveries().await.len() - before
    }

    async fn deliveries(&self) -> Vec<Delivery> {
        self.store.read(self.clock.now()).await.unwrap().deliveries(None, 1_000).await.unwrap()
    }

    /// Writes what is to be told of cases, and reads the notices that came of it.
    async fn told(&self) -> Vec<CaseNotice> {
        let mut txn = self.store.begin(self.clock.now()).await.unwrap();
        let written = tell_cases(&mut txn, &self.config, false).await.unwrap();
        txn.commit().await.unwrap();
        let latest = self.deliveries().await.into_iter().take(usize::try_from(written).unwrap());
        let notice = |delivery: Delivery| match serde_json::from_str(&delivery.body.unwrap()).unwrap() {
            Notice::Case(notice) => notice,
            other => panic!("{other:?}"),
        };
        latest.map(notice).collect()
    }
}

fn ana() -> Person {
    "00000000000a0a0a".parse().unwrap()
}

fn incoming(id: &str, text: &str) -> Incoming {
    Incoming { id: id.to_owned(), medium: Medium::Sms, from: "+33600000001".parse().unwrap(), text: text.to_owned() }
}

#[tokio::test]
async fn from_the_opt_in_to_the_label() {
    let world = World::new().await;
    let people = world.people();
    // Nobody has agreed: the bank is told, the customer is not.
    people.holds(ana(), "000000000000beef".parse().unwrap(), Some("4321".parse().unwrap())).await.unwrap();
    assert_eq!(world.take_in(&[alert(1)]).await, 1);
    people.opt_in(ana(), Medium::Sms, Purpose::FraudAlert, Source::Branch).await.unwrap();
    let code = people.issue(ana(), || [3; 16]).await.unwrap();
    let conversation = world.conversation();
    let linked = conversation.receive(&incoming("m1", &format!("LINK {code}"))).await.unwrap();
    assert_eq!(linked.answer, Answer::Linked);
    assert_eq!(world.take_in(&[alert(2)]).await, 2);
    assert_eq!(world.take_in(&[alert(2)]).await, 0, "the same alert again");
    let courier = world.courier();
    assert_eq!(courier.deliver().await.unwrap(), Tally { sent: 3, ..Tally::default() });
    let letters = world.gateway.0.lock().unwrap().clone();
    assert_eq!(letters.len(), 1);
    assert_eq!(
        letters[0].text,
        "Test Bank: USD 412.00 at Café Nord, 1 Jun 03:04, account ending 4321. Was this you? YES / NO. \
         Questions? Call the number on your card."
    );
    let lines = std::fs::read_to_string(world.folder.path().join("alerts.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 2);

    let answered = conversation.receive(&incoming("m2", "NO")).await.unwrap();
    assert_eq!(answered.answer, Answer::NotTheirs);
    // The case comes up: it is critical now, whatever the alert was.
    world.clock.advance(30);
    let told = world.told().await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].severity, told[0].case, told[0].unseen), (Severity::Critical, 1, 2));
    let mut reader = world.store.read(world.clock.now()).await.unwrap();
    let labels = reader.labels().await.unwrap();
    assert_eq!(labels.iter().map(|label| (label.transaction.0, label.class)).collect::<Vec<_>>(), [(2, Class::Fraud)]);
    assert!(reader.verify().await.unwrap().is_ok());
    let deliveries = reader.deliveries(None, 10).await.unwrap();
    let others = deliveries.iter().filter(|delivery| delivery.channel != "team");
    assert!(others.clone().count() == 3 && others.clone().all(|delivery| delivery.state == DeliveryState::Sent));
}

/// Alertmanager's meaning: the first notice waits for what comes with it, later ones keep an interval, and what nobody
/// looks at is told again. Each says why.
#[tokio::test]
async fn a_case_is_told_in_groups_and_with_the_reason() {
    let world = World::new().await;
    let by = |reason, alerts| (reason, alerts);
    let told = async || {
        let notices = world.told().await;
        notices.iter().map(|notice| by(notice.reason, notice.alerts)).collect::<Vec<_>>()
    };
    world.take_in(&[alert(1)]).await;
    assert_eq!(told().await, [], "it waits for what comes with it");
    world.clock.advance(29);
    world.take_in(&[alert(2)]).await;
    assert_eq!(told().await, []);
    world.clock.advance(1);
    assert_eq!(told().await, [by(CaseReason::New, 2)]);
    world.clock.advance(10);
    world.take_in(&[alert(3)]).await;
    assert_eq!(told().await, [], "one in five minutes");
    world.clock.advance(290);
    assert_eq!(told().await, [by(CaseReason::More, 3)]);
    world.clock.advance(4 * 3_600 - 1);
    assert_eq!(told().await, []);
    world.clock.advance(1);
    assert_eq!(told().await, [by(CaseReason::Repeat, 3)]);
    let next = world.store.read(world.clock.now()).await.unwrap().next_notice().await.unwrap();
    assert_eq!(next, Some(Timestamp(world.clock.now().0 + 4 * 3_600 * Timestamp::SECOND)));

    // Whoever looks at it ends that.
    let order = Order::new("ana".parse().unwrap(), world.clock.now());
    let mut txn = world.store.begin(world.clock.now()).await.unwrap();
    let note = Action::Note("called".parse().unwrap());
    txn.act(&CaseSettings::default(), &order, CaseId(1), &note).await.unwrap().unwrap();
    txn.commit().await.unwrap();
    world.clock.advance(4 * 3_600);
    assert_eq!(told().await, []);
    assert_eq!(world.store.read(world.clock.now()).await.unwrap().next_notice().await.unwrap(), None);

    let mut graver = alert(4);
    graver.severity = Severity::Critical;
    world.take_in(&[graver]).await;
    assert_eq!(told().await, [by(CaseReason::Graver, 4)]);
}

/// What is written for a case that is silenced is a case, and no notice.
#[tokio::test]
async fn nobody_is_told_of_what_is_silenced() {
    let world = World::new().await;
    let mut txn = world.store.begin(world.clock.now()).await.unwrap();
    let until = Timestamp(world.clock.now().0 + 3_600 * Timestamp::SECOND);
    let silence = Silence {
        matcher: "account=000000000000beef".parse().unwrap(),
        from: world.clock.now(),
        until,
        by: "ana".parse().unwrap(),
        why: "travels".parse().unwrap(),
    };
    txn.put(kind::SILENCE, "1", &silence, "ana").await.unwrap();
    txn.commit().await.unwrap();
    assert_eq!(world.take_in(&[alert(1)]).await, 0);
    world.clock.advance(60);
    assert_eq!(world.told().await, []);
    world.clock.advance(3_600);
    assert_eq!(world.take_in(&[alert(2)]).await, 1);
    world.clock.advance(60);
    assert_eq!(world.told().await.len(), 1);
}

#[tokio::test]
async fn a_delivery_that_nobody_settled_is_sent_again_with_its_key() {
    let world = World::new().await;
    world.take_in(&[alert(1)]).await;
    let mut txn = world.store.begin(world.clock.now()).await.unwrap();
    let until = Timestamp(world.clock.now().0 + 120 * Timestamp::SECOND);
    assert_eq!(txn.claim("file", until, 9).await.unwrap().len(), 1);
    txn.commit().await.unwrap();
    let courier = world.courier();
    assert_eq!(courier.deliver().await.unwrap(), Tally::default());
    assert_eq!(courier.next_due().await.unwrap(), Some(until));
    world.clock.advance(120);
    assert_eq!(courier.deliver().await.unwrap().sent, 1);
}

#[tokio::test]
async fn whoever_is_erased_gets_nothing_and_is_nobody() {
    let world = World::new().await;
    let people = world.people();
    people.holds(ana(), "000000000000beef".parse().unwrap(), None).await.unwrap();
    people.opt_in(ana(), Medium::Sms, Purpose::FraudAlert, Source::Branch).await.unwrap();
    people.link(ana(), Medium::Sms, "+33600000001".parse().unwrap(), Source::Import).await.unwrap();
    world.take_in(&[alert(1)]).await;
    let mut txn = world.store.begin(world.clock.now()).await.unwrap();
    txn.erase(&CaseSettings::default(), ana().0, &"dpo".parse().unwrap()).await.unwrap();
    txn.commit().await.unwrap();
    let tally = world.courier().deliver().await.unwrap();
    assert_eq!((tally.sent, world.gateway.0.lock().unwrap().len()), (1, 0));
    let exchange = world.conversation().receive(&incoming("m1", "no")).await.unwrap();
    assert_eq!((exchange.person, exchange.answer), (None, Answer::Help));
    let mut reader = world.store.read(world.clock.now()).await.unwrap();
    assert!(reader.verify().await.unwrap().is_ok());
    let file = std::fs::read(world.folder.path().join("alerts.db")).unwrap();
    assert!(!file.windows(12).any(|bytes| bytes == b"+33600000001"));
}
