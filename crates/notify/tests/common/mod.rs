//! What the tests share: a clock that stands still, an alert, and a receiver that does as it is told.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses some of it")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crible_alert::{Severity, wire};
use crible_core::Timestamp;
use crible_notify::channel::{Content, Http, HttpSettings, Letter};
use crible_notify::consent::{Entry, Record};
use crible_notify::logs::{Logs, Page, Shelf, Subject};
use crible_notify::message::CaseNotice;
use crible_notify::{CaseReason, Clock, Language, Medium, Person, Purpose, Source};

/// A Monday, 09:46:40 UTC.
pub(crate) const NOW: Timestamp = Timestamp(1_780_307_200_000_000);

/// Stands still; whoever waits moves it.
#[derive(Clone, Debug)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW.0)))
    }

    pub(crate) fn set(&self, at: Timestamp) {
        self.0.store(at.0, Ordering::SeqCst);
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * Timestamp::SECOND, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    async fn pause(&self, duration: Duration) {
        self.0.fetch_add(i64::try_from(duration.as_micros()).unwrap(), Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}

pub(crate) fn person(number: u64) -> Person {
    format!("{:016x}", 0xabc0_0000_0000_0000 + number).parse().unwrap()
}

pub(crate) fn alert(number: u64) -> wire::Alert {
    let line = format!(
        r#"{{"schema":"crible.alert/1","id":"{number:032x}","transaction":"0123456789abcdef0123456789abcdef",
        "account":"000000000000beef","counterparty":"00000000facade00","at":"2026-06-01T03:04:05Z",
        "amount":{{"value":"-412.00","currency":"USD"}},"score":6.25,"tail":0.0004,"severity":"high","rank":3,
        "day":"2026-06-01","reasons":[
        {{"feature":"amount","text":"$412.00 is 9 times what this account usually pays ($44)",
        "value":4.1,"typical":1.2,"share":0.7}},
        {{"feature":"hour","text":"this account has never paid at 03:00","value":3.0,"typical":14.0,"share":0.3}}],
        "looks_like":"a card being tested","model":"0000000000c0ffee","source":null}}"#
    );
    wire::Alert::from_line(&line.replace('\n', " ")).unwrap()
}

pub(crate) fn case_notice() -> CaseNotice {
    CaseNotice {
        case: 12,
        notice: 2,
        reason: CaseReason::More,
        severity: Severity::High,
        owner: None,
        alerts: 3,
        unseen: 1,
        at_risk: vec!["412.00 USD".to_owned()],
        alert: Box::new(alert(7)),
    }
}

pub(crate) fn letter(key: &str, content: Content) -> Letter {
    Letter {
        key: key.parse().unwrap(),
        at: NOW,
        to: None,
        subject: "High alert".to_owned(),
        text: "High alert: USD -412.00 <at> a shop & more".to_owned(),
        language: Language::english(),
        content,
    }
}

pub(crate) fn alert_letter(key: &str) -> Letter {
    letter(key, Content::Alert { alert: Box::new(alert(7)), case: Some(12) })
}

/// Adds records to a person's log.
pub(crate) async fn record(shelf: &Shelf, person: Person, records: &[Record]) {
    let subject = Subject::Person(person);
    let expected = shelf.read(&subject).await.unwrap().len();
    let entries: Vec<Entry> = records.iter().map(|record| Entry { at: NOW, record: record.clone() }).collect();
    let page = Page::new(subject, expected, Some(person), &entries).unwrap();
    assert!(shelf.append(NOW, vec![page]).await.unwrap());
}

pub(crate) fn opted_in(medium: Medium, purpose: Purpose) -> Record {
    Record::OptedIn { medium, purpose, source: Source::App }
}

pub(crate) fn linked(medium: Medium, address: &str) -> Record {
    Record::Linked { medium, address: address.parse().unwrap(), source: Source::Import }
}

/// Loopback is allowed, and nothing waits long.
pub(crate) fn local_http(url: &str) -> Http {
    let settings = HttpSettings { timeout: Duration::from_millis(1_500), allow: vec!["127.0.0.0/8".parse().unwrap()] };
    Http::new(url, &settings).unwrap()
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What a receiver does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Answers with this head after `HTTP/1.1 `, and an empty body.
    Answer(&'static str),
    /// Answers 200, promises a body, and closes.
    AnswerAndClose,
    /// Never answers.
    Hang,
    /// Resets the connection.
    Reset,
    /// Says something that is no HTTP.
    Babble,
}

/// A receiver on a free port of this machine.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    /// Does to each request what `act` says, by its number and itself.
    pub(crate) fn start(act: impl Fn(usize, &Request) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (known, act, count) = (Arc::clone(&requests), Arc::new(act), Arc::new(AtomicUsize::new(0)));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (known, act, count) = (Arc::clone(&known), Arc::clone(&act), Arc::clone(&count));
                std::thread::spawn(move || {
                    serve(stream, &|request| {
                        known.lock().unwrap().push(request.clone());
                        act(count.fetch_add(1, Ordering::SeqCst), request)
                    })
                });
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, act: &dyn Fn(&Request) -> Act) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut buffer = Vec::new();
    loop {
        let request = read_request(&mut stream, &mut buffer)?;
        match act(&request) {
            Act::Answer(head) => {
                write!(stream, "HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n").ok()?;
            }
            Act::AnswerAndClose => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort").ok()?;
                stream.shutdown(Shutdown::Both).ok()?;
                return None;
            }
            Act::Hang => std::thread::sleep(Duration::from_secs(20)),
            Act::Reset => {
                // A socket that is closed with bytes it has not read, and others still coming, is reset.
                drop(stream);
                return None;
            }
            Act::Babble => {
                stream.write_all(b"EHLO there\r\n\r\n").ok()?;
                return None;
            }
        }
    }
}

fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let mut chunk = [0; 65_536];
    let head_end = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        buffer.extend_from_slice(&chunk[..read]);
    };
    let head = String::from_utf8(buffer[..head_end].to_vec()).ok()?;
    let mut lines = head.lines();
    let line = lines.next()?.to_owned();
    let split = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: Vec<(String, String)> = lines.filter_map(split).collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    while buffer.len() < head_end + 4 + length {
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        buffer.extend_from_slice(&chunk[..read]);
    }
    let body = buffer[head_end + 4..head_end + 4 + length].to_vec();
    buffer.drain(..head_end + 4 + length);
    Some(Request { line, headers, body })
}
