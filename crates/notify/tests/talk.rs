//! The conversation, by itself and over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use common::{NOW, TestClock, opted_in, person, record};
use crible_core::{Amount, Currency, EntityId, Timestamp};
use crible_notify::channel::{HEADERS, Secret, Signer, Verifier};
use crible_notify::consent::{Permit, Profile, Record, Refusal, Request, Rules};
use crible_notify::logs::{self, Line, Page, Shelf, Subject};
use crible_notify::message::{Answer, Wording};
use crible_notify::people::{HandleKey, People};
use crible_notify::talk::{
    Cases, Code, Conversation, Exchange, Incoming, MOST_TRIES, TalkError, VALID_SECONDS, router, serve,
};
use crible_notify::{About, Clock, Logs, Medium, Person, Purpose, Source};
use proptest::prelude::*;

/// Logs, and the answers that came with them; or a store that is away.
#[derive(Clone, Debug, Default)]
struct Desk {
    shelf: Shelf,
    answers: Arc<Mutex<Vec<(String, bool)>>>,
    is_away: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the store is away")]
struct Away;

impl Logs for Desk {
    type Error = Away;

    async fn read(&self, subject: &Subject) -> Result<Vec<Line>, Away> {
        self.shelf.read(subject).await.map_err(|_| Away)
    }

    async fn append(&self, at: Timestamp, pages: Vec<Page>) -> Result<bool, Away> {
        if self.is_away { Err(Away) } else { self.shelf.append(at, pages).await.map_err(|_| Away) }
    }
}

impl Cases for Desk {
    async fn append_answered(
        &self,
        at: Timestamp,
        pages: Vec<Page>,
        about: &About,
        theirs: bool,
    ) -> Result<bool, Away> {
        let written = self.append(at, pages).await?;
        if written {
            self.answers.lock().unwrap().push((about.to_string(), theirs));
        }
        Ok(written)
    }
}

struct World {
    shelf: Shelf,
    desk: Desk,
    clock: TestClock,
    people: People<Desk, TestClock>,
    conversation: Arc<Conversation<Desk, TestClock>>,
    messages: Mutex<u32>,
}

const KEY: [u8; 32] = [5; 32];

impl World {
    fn new() -> Self {
        Self::with(Desk::default(), TestClock::new())
    }

    fn with(desk: Desk, clock: TestClock) -> Self {
        let shelf = desk.shelf.clone();
        let wording = Wording::new("Test Bank").unwrap();
        let rules = Rules { quiet: None, ..Rules::default() };
        let people = People::new(desk.clone(), clock.clone(), HandleKey::new(KEY));
        let conversation = Conversation::new(people.clone(), wording, rules);
        Self { shelf, desk, clock, people, conversation: Arc::new(conversation), messages: Mutex::new(0) }
    }

    async fn write(&self, from: &str, text: &str) -> Exchange {
        let id = {
            let mut messages = self.messages.lock().unwrap();
            *messages += 1;
            format!("message-{messages}")
        };
        self.conversation.receive(&incoming(&id, from, text)).await.unwrap()
    }

    async fn answer(&self, from: &str, text: &str) -> Answer {
        self.write(from, text).await.answer
    }

    async fn code(&self, person: Person, byte: u8) -> Code {
        self.people.issue(person, || [byte; 16]).await.unwrap()
    }

    async fn profile(&self, person: Person) -> Profile {
        Profile::of(&logs::read(&self.shelf, &Subject::Person(person)).await.unwrap().entries)
    }

    /// Asks about an event, as the courier does.
    async fn ask(&self, person: Person, about: &str) -> Option<u8> {
        let (about, key) = (about.parse().unwrap(), format!("alert/{about}").parse().unwrap());
        let request = Request { medium: Medium::Sms, purpose: Purpose::FraudAlert, about: &about, key: &key };
        let rules = Rules { quiet: None, ..Rules::default() };
        match self.profile(person).await.permit(&request, self.clock.now(), &rules) {
            Permit::Granted(grant) => {
                record(&self.shelf, person, &[grant.record.unwrap()]).await;
                grant.number
            }
            other => panic!("{other:?}"),
        }
    }

    fn answers(&self) -> Vec<(String, bool)> {
        self.desk.answers.lock().unwrap().clone()
    }
}

fn incoming(id: &str, from: &str, text: &str) -> Incoming {
    Incoming { id: id.to_owned(), medium: Medium::Sms, from: from.parse().unwrap(), text: text.to_owned() }
}

const ANA: &str = "+33600000001";
const BOB: &str = "+33600000002";

async fn linked_and_agreed(world: &World, who: Person, address: &str) {
    record(&world.shelf, who, &[opted_in(Medium::Sms, Purpose::FraudAlert)]).await;
    world.people.link(who, Medium::Sms, address.parse().unwrap(), Source::Import).await.unwrap();
}

#[tokio::test]
async fn from_the_question_to_the_answer() {
    let world = World::new();
    linked_and_agreed(&world, person(1), ANA).await;
    assert_eq!(world.answer(ANA, "yes").await, Answer::NoQuestion);
    assert_eq!(world.ask(person(1), "a1").await, None);
    let exchange = world.write(ANA, "No.").await;
    assert_eq!((exchange.person, exchange.answer), (Some(person(1)), Answer::NotTheirs));
    assert_eq!(exchange.reply, "Test Bank: thank you. Our team looks at it now. Please call the number on your card.");
    assert_eq!(world.answers(), [("a1".to_owned(), false)]);
    // Answered once; it is not asked again.
    assert_eq!(world.answer(ANA, "yes").await, Answer::NoQuestion);
    let (about, key) = ("a1".parse().unwrap(), "again".parse().unwrap());
    let request = Request { medium: Medium::Sms, purpose: Purpose::FraudAlert, about: &about, key: &key };
    let permit = world.profile(person(1)).await.permit(&request, NOW, &Rules { quiet: None, ..Rules::default() });
    assert_eq!(permit, Permit::Refused(Refusal::Answered));
    // Another person's word is no answer to it.
    assert_eq!(world.ask(person(1), "a2").await, None);
    assert_eq!((world.answer(BOB, "no").await, world.answers().len()), (Answer::Help, 1));
}

#[tokio::test]
async fn of_several_questions_the_number_says_which() {
    let world = World::new();
    linked_and_agreed(&world, person(1), ANA).await;
    assert_eq!([world.ask(person(1), "a1").await, world.ask(person(1), "a2").await], [None, Some(2)]);
    assert_eq!(world.answer(ANA, "no").await, Answer::Which { number: 1 });
    assert_eq!(world.answer(ANA, "no 7").await, Answer::Which { number: 1 });
    assert_eq!(world.answer(ANA, "OUI 2").await, Answer::Theirs);
    assert_eq!(world.answer(ANA, "no").await, Answer::NotTheirs);
    assert_eq!(world.answers(), [("a2".to_owned(), true), ("a1".to_owned(), false)]);
    // After three days nobody's yes is about it any more.
    world.ask(person(1), "a3").await;
    world.clock.advance(73 * 3_600);
    assert_eq!(world.answer(ANA, "yes").await, Answer::NoQuestion);
}

#[tokio::test]
async fn stop_ends_everything_at_once() {
    for word in ["STOP", "arrêt", "no, stop"] {
        let world = World::new();
        linked_and_agreed(&world, person(1), ANA).await;
        record(&world.shelf, person(1), &[opted_in(Medium::Email, Purpose::Balance)]).await;
        assert_eq!(world.answer(ANA, word).await, Answer::Stopped);
        let profile = world.profile(person(1)).await;
        for medium in Medium::ALL {
            for purpose in Purpose::ALL {
                assert_eq!(profile.consent(*medium, *purpose), None, "{word}");
            }
        }
    }
    assert_eq!(World::new().answer(BOB, "stop").await, Answer::Stopped);
}

#[tokio::test]
async fn a_balance_takes_a_code_and_consent() {
    let world = World::new();
    linked_and_agreed(&world, person(1), ANA).await;
    let account = EntityId::new(77).unwrap();
    world.people.holds(person(1), account, None).await.unwrap();
    world.people.opt_in(person(1), Medium::Sms, Purpose::Balance, Source::Branch).await.unwrap();
    // The bank knew the number from elsewhere: whoever holds the telephone has proved nothing.
    assert_eq!(world.answer(ANA, "solde").await, Answer::Help);
    let code = world.code(person(1), 9).await;
    assert_eq!(world.answer(ANA, &format!("link {code}")).await, Answer::Linked);
    assert_eq!(world.answer(ANA, "solde").await, Answer::NoBalance);
    let balances = [("2026-05-02T00:00:00Z", 100), ("2026-06-01T00:00:00Z", 250), ("2026-05-01T00:00:00Z", 300)];
    for (at, minor) in balances {
        let (amount, digits) = (Amount::new(minor, Currency::EUR), "4321".parse().unwrap());
        world.people.balance(account, amount, at.parse().unwrap(), Some(digits)).await.unwrap();
    }
    let exchange = world.write(ANA, "Solde?").await;
    assert_eq!(exchange.reply, "Test Bank: account ending 4321: EUR 2.50 on 1 Jun 00:00.");
    // Consent for alerts is none for balances.
    world.people.withdraw(person(1), None, Some(Purpose::Balance), Source::App).await.unwrap();
    assert_eq!(world.answer(ANA, "balance").await, Answer::Help);
    assert!(world.profile(person(1)).await.consent(Medium::Sms, Purpose::FraudAlert).is_some());
    assert_eq!(world.answer(BOB, "balance").await, Answer::Help);
    // An account that was given up is told of no more.
    world.people.opt_in(person(1), Medium::Sms, Purpose::Balance, Source::Branch).await.unwrap();
    world.people.gave_up(person(1), account).await.unwrap();
    assert_eq!(world.answer(ANA, "solde").await, Answer::NoBalance);
}

#[tokio::test]
async fn codes_work_once_for_ten_minutes_and_five_tries() {
    let world = World::new();
    let code = world.code(person(1), 1).await;
    let wrong: Code = format!("{:06}-000001", code.public()).parse().unwrap();
    for _ in 1..MOST_TRIES {
        assert_eq!(world.answer(BOB, &format!("link {wrong}")).await, Answer::NotLinked);
    }
    assert_eq!(world.answer(ANA, &format!("link {code}")).await, Answer::Linked);
    assert_eq!(
        world.profile(person(1)).await.address(Medium::Sms).map(|address| address.reveal().to_owned()),
        Some(ANA.to_owned())
    );
    assert_eq!(world.answer(BOB, &format!("link {code}")).await, Answer::NotLinked, "used");
    // One try too many.
    let code = world.code(person(2), 2).await;
    let wrong: Code = format!("{:06}-000001", code.public()).parse().unwrap();
    for from in ["+1", "+2", "+3", "+4", "+5"] {
        assert_eq!(world.answer(from, &format!("link {wrong}")).await, Answer::NotLinked);
    }
    assert_eq!(world.answer(BOB, &format!("link {code}")).await, Answer::NotLinked, "tried too often");
    // Too late.
    let code = world.code(person(2), 3).await;
    world.clock.advance(VALID_SECONDS);
    assert_eq!(world.answer(BOB, &format!("link {code}")).await, Answer::NotLinked, "too late");
    // Ten tries a day from one address, then none, right or wrong.
    for number in 0..10 {
        assert_eq!(world.answer("+9", &format!("link 99999{number}-123456")).await, Answer::NotLinked);
    }
    let code = world.code(person(3), 4).await;
    assert_eq!(world.answer("+9", &format!("link {code}")).await, Answer::NotLinked);
    world.clock.advance(86_401);
    let code = world.code(person(3), 4).await;
    assert_eq!(world.answer("+9", &format!("link {code}")).await, Answer::Linked);
}

#[tokio::test]
async fn an_address_is_one_persons() {
    let world = World::new();
    linked_and_agreed(&world, person(1), ANA).await;
    world.ask(person(1), "a1").await;
    // The number was given to somebody else.
    let code = world.code(person(2), 8).await;
    assert_eq!(world.answer(ANA, &format!("LIER {code}")).await, Answer::Linked);
    assert_eq!(world.profile(person(1)).await.address(Medium::Sms), None);
    assert_eq!(world.answer(ANA, "no").await, Answer::NoQuestion);
    assert!(world.answers().is_empty());
    // And the first person has another number now; the one before that is nobody's.
    world.people.link(person(1), Medium::Sms, BOB.parse().unwrap(), Source::Branch).await.unwrap();
    world.people.link(person(1), Medium::Sms, "+3".parse().unwrap(), Source::Branch).await.unwrap();
    assert_eq!(world.answer(BOB, "no").await, Answer::Help);
    assert_eq!(world.answer("+3", "no").await, Answer::NotTheirs);
}

#[tokio::test]
async fn a_message_counts_once() {
    let world = World::new();
    linked_and_agreed(&world, person(1), ANA).await;
    world.ask(person(1), "a1").await;
    let message = incoming("same", ANA, "no");
    world.conversation.receive(&message).await.unwrap();
    assert!(matches!(world.conversation.receive(&message).await, Err(TalkError::Replayed)));
    assert_eq!(world.answers().len(), 1);
}

#[tokio::test]
async fn what_could_not_be_written_is_not_taken() {
    let world = World::new();
    linked_and_agreed(&world, person(1), ANA).await;
    world.ask(person(1), "a1").await;
    let away = World::with(Desk { is_away: true, ..world.desk.clone() }, world.clock.clone());
    let message = incoming("m", ANA, "no");
    assert!(matches!(away.conversation.receive(&message).await, Err(TalkError::Logs(_))));
    assert!(world.answers().is_empty());
    // The gateway tries again, and the store is back.
    assert_eq!(world.conversation.receive(&message).await.unwrap().answer, Answer::NotTheirs);
    assert_eq!(world.answers(), [("a1".to_owned(), false)]);
}

/// Addresses stand in the logs of people alone, which are sealed with their keys; codes and texts nowhere.
#[tokio::test]
async fn what_is_kept_of_an_exchange() {
    let world = World::new();
    let code = world.code(person(1), 7).await;
    world.answer(ANA, &format!("link {code}")).await;
    world.answer(ANA, "my secret is xyzzy").await;
    world.answer(BOB, "my secret is xyzzy").await;
    let secret = code.to_string()[7..].to_owned();
    for (subject, lines) in world.shelf.dump() {
        for line in lines {
            let about_a_person = matches!(subject, Subject::Person(_));
            let body = line.body.unwrap();
            assert!(about_a_person || !body.contains("3360000"), "{subject} {body}");
            assert!(!body.contains("xyzzy") && !body.contains(&secret), "{subject} {body}");
        }
        assert!(!subject.to_string().contains("3360000"));
    }
    let messages: Vec<String> = world
        .shelf
        .dump()
        .into_iter()
        .filter(|(subject, _)| matches!(subject, Subject::Message(_)))
        .flat_map(|(_, lines)| lines)
        .filter_map(|line| line.body)
        .collect();
    assert_eq!(messages.len(), 3);
    let known = format!(r#"{{"medium":"sms","person":"{}","said":"other","answered":"help"}}"#, person(1));
    assert!(messages.contains(&known), "{messages:?}");
}

#[tokio::test]
async fn whoever_was_erased_is_nobody() {
    let world = World::new();
    linked_and_agreed(&world, person(1), ANA).await;
    world.ask(person(1), "a1").await;
    world.shelf.erase(person(1));
    let exchange = world.write(ANA, "no").await;
    assert_eq!((exchange.person, exchange.answer, world.answers().len()), (None, Answer::Help, 0));
    // And can come back, with consent of their own.
    linked_and_agreed(&world, person(1), ANA).await;
    assert_eq!(world.answer(ANA, "no").await, Answer::NoQuestion);
    assert_eq!(world.ask(person(1), "a2").await, None);
    assert_eq!(world.answer(ANA, "no").await, Answer::NotTheirs);
}

/// One request over a real socket: status and body.
fn post(address: std::net::SocketAddr, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut request =
        format!("POST /inbound HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    stream.write_all(request.as_bytes()).unwrap();
    stream.write_all(b"\r\n").unwrap();
    // Who is refused early may not read the whole body.
    stream.write_all(body).ok();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_socket() {
    let world = World::new();
    linked_and_agreed(&world, person(1), ANA).await;
    world.ask(person(1), "a1").await;
    let secret = |byte| Secret::of(&[byte; 32]).unwrap();
    let verifier = Verifier::new(vec![secret(1), secret(2)]).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = router(Arc::clone(&world.conversation), verifier);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serve(listener, app, async {
        stopped.await.ok();
    }));
    let body = format!(r#"{{"medium":"sms","from":"{ANA}","text":"NON"}}"#).into_bytes();
    let signed = |byte: u8, id: &str, at: Timestamp, body: &[u8]| {
        let values = Signer::new(vec![secret(byte)]).unwrap().sign(id, at, body);
        HEADERS.into_iter().zip(values).collect::<Vec<_>>()
    };
    let send = |headers: Vec<(&'static str, String)>, body: Vec<u8>| {
        tokio::task::spawn_blocking(move || {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
            post(address, &headers, &body)
        })
    };
    // Nothing, another secret, another body, another time.
    let altered = String::from_utf8(body.clone()).unwrap().replace("NON", "OUI").into_bytes();
    let later = Timestamp(NOW.0 + 301 * Timestamp::SECOND);
    for (headers, body) in [
        (Vec::new(), body.clone()),
        (signed(3, "m1", NOW, &body), body.clone()),
        (signed(1, "m1", NOW, &body), altered),
        (signed(1, "m1", later, &body), body.clone()),
        (signed(1, "m1", NOW, &body).into_iter().chain(signed(1, "m2", NOW, &body)).collect(), body.clone()),
    ] {
        assert_eq!(send(headers, body).await.unwrap().0, 401);
    }
    assert!(world.answers().is_empty());
    let (status, reply) = send(signed(2, "m1", NOW, &body), body.clone()).await.unwrap();
    let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
    let expect = "Test Bank: thank you. Our team looks at it now. Please call the number on your card.";
    assert_eq!((status, &reply["reply"]), (200, &expect.into()));
    assert_eq!(send(signed(2, "m1", NOW, &body), body.clone()).await.unwrap().0, 409);
    assert_eq!(world.answers(), [("a1".to_owned(), false)]);
    for bad in [
        &b"{}"[..],
        b"not json",
        br#"{"medium":"fax","from":"x","text":"y"}"#,
        br#"{"medium":"sms","from":"a b","text":"y"}"#,
    ] {
        assert_eq!(send(signed(1, "m3", NOW, bad), bad.to_vec()).await.unwrap().0, 400);
    }
    let long = vec![b'x'; 20_000];
    assert_eq!(send(signed(1, "m4", NOW, &long), long).await.unwrap().0, 413);
    drop(stop);
    served.await.unwrap().unwrap();
}

/// Nobody's any more.
fn release(owners: &mut [Option<(u64, bool)>], who: u64) {
    for owner in owners {
        if owner.is_some_and(|(of, _)| of == who) {
            *owner = None;
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Write(usize, String),
    Link(usize, u64),
    Known(u64, usize),
    Agree(u64),
    Ask(u64, u8),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    const WORDS: &[&str] = &["yes", "no", "OUI 1", "non 2", "stop", "solde", "hello", "link 123456-123456", ""];
    let text = prop_oneof![8 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => "\\PC{0,40}"];
    prop_oneof![
        8 => (0..4usize, text).prop_map(|(from, text)| Step::Write(from, text)),
        2 => (0..4usize, 0..3u64).prop_map(|(from, person)| Step::Link(from, person)),
        1 => (0..3u64, 0..4usize).prop_map(|(person, to)| Step::Known(person, to)),
        2 => (0..3u64).prop_map(Step::Agree),
        4 => (0..3u64, 0..6u8).prop_map(|(person, about)| Step::Ask(person, about)),
        1 => (1..200_000i64).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Nobody answers for another, no answer counts twice, and a balance goes to whoever proved their address.
    #[test]
    fn random_conversations(steps in prop::collection::vec(step(), 1..50)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let addresses = ["+1", "+2", "+3", "+4"];
            let rules = Rules { quiet: None, ..Rules::default() };
            let mut asked: Vec<(u64, String)> = Vec::new();
            let mut owners: [Option<(u64, bool)>; 4] = [None; 4];
            let mut codes = 0u8;
            for step in steps {
                match step {
                    Step::Write(from, text) => {
                        let before = world.answers();
                        let exchange = world.write(addresses[from], &text).await;
                        prop_assert_eq!(exchange.person, owners[from].map(|(who, _)| person(who)));
                        let after = world.answers();
                        prop_assert!(after.len() <= before.len() + 1);
                        if after.len() > before.len() {
                            let about = &after[after.len() - 1].0;
                            prop_assert!(before.iter().all(|(known, _)| known != about), "answered twice");
                            let who = owners[from].unwrap().0;
                            prop_assert!(asked.contains(&(who, about.clone())), "{who} answered {about}");
                        }
                        if matches!(exchange.answer, Answer::Balances(_) | Answer::NoBalance) {
                            prop_assert!(owners[from].is_some_and(|(_, proved)| proved));
                        }
                    }
                    Step::Link(from, who) => {
                        codes += 1;
                        let code = world.code(person(who), codes).await;
                        if world.answer(addresses[from], &format!("link {code}")).await == Answer::Linked {
                            release(&mut owners, who);
                            owners[from] = Some((who, true));
                        }
                    }
                    Step::Known(who, to) => {
                        let address = addresses[to].parse().unwrap();
                        world.people.link(person(who), Medium::Sms, address, Source::Import).await.unwrap();
                        let proved = owners[to].is_some_and(|(of, proved)| of == who && proved);
                        release(&mut owners, who);
                        owners[to] = Some((who, proved));
                    }
                    Step::Agree(who) => {
                        let both = [Purpose::FraudAlert, Purpose::Balance].map(|what| opted_in(Medium::Sms, what));
                        record(&world.shelf, person(who), &both).await;
                    }
                    Step::Ask(who, about) => {
                        let about = format!("{who}-{about}");
                        let (event, key) = (about.parse().unwrap(), format!("k/{about}").parse().unwrap());
                        let request =
                            Request { medium: Medium::Sms, purpose: Purpose::FraudAlert, about: &event, key: &key };
                        let permit = world.profile(person(who)).await.permit(&request, world.clock.now(), &rules);
                        if let Permit::Granted(grant) = permit {
                            if let Some(Record::Noticed { about, key, number }) = grant.record {
                                let at = world.clock.now();
                                let noticed = Record::Noticed { about, key, number };
                                let entry = crible_notify::consent::Entry { at, record: noticed };
                                let subject = Subject::Person(person(who));
                                let expected = world.shelf.read(&subject).await.unwrap().len();
                                let page = Page::new(subject, expected, Some(person(who)), &[entry]).unwrap();
                                prop_assert!(world.shelf.append(at, vec![page]).await.unwrap());
                            }
                            asked.push((who, about));
                        }
                    }
                    Step::Wait(seconds) => world.clock.advance(seconds),
                }
            }
            Ok(())
        })?;
    }
}
