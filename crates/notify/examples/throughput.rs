//! How fast deliveries go to a receiver on this machine that fails one in ten, and whether any is lost.
//!
//! `cargo run --release -p crible-notify --example throughput [ALERTS]`
//!
//! The outbox is the one in memory, so this measures the courier, the channel and the receiver, which share the
//! machine. Waits for the next try are skipped, not waited for. People are asked as well, half of whom have not opted
//! in.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crible_alert::wire;
use crible_core::Timestamp;
use crible_notify::channel::{CloudEvents, Http, HttpSettings, Secret, Signer, Webhook};
use crible_notify::consent::{Entry, Record, Rules};
use crible_notify::logs::{Logs, Page, Shelf, Subject};
use crible_notify::message::{Notice, Question, Wording};
use crible_notify::outbox::{Draft, Memory, Rate, State};
use crible_notify::{Clock, Courier, Medium, Person, Purpose, Route, Settings, Source, SystemClock};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The clock of this machine, ahead by what was skipped.
#[derive(Clone, Debug, Default)]
struct Ahead(Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.0.load(Ordering::SeqCst))
    }

    async fn pause(&self, duration: Duration) {
        SystemClock.pause(duration).await;
    }
}

/// What a receiver knows: keys that it took, and how often it was asked.
#[derive(Debug, Default)]
struct Taken {
    keys: Mutex<BTreeSet<String>>,
    requests: AtomicU64,
}

/// Answers 200 to nine requests of ten, and 500 to the tenth.
fn serve(mut stream: TcpStream, taken: &Taken) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut buffer, mut chunk) = (Vec::new(), [0; 65_536]);
    loop {
        let (head_end, length) = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                let length: usize = length.unwrap_or(0);
                if buffer.len() >= end + 4 + length {
                    break (end + 4, length);
                }
            }
            match stream.read(&mut chunk)? {
                0 => return Ok(()),
                read => buffer.extend_from_slice(&chunk[..read]),
            }
        };
        let fails = taken.requests.fetch_add(1, Ordering::SeqCst) % 10 == 9;
        if fails {
            stream.write_all(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n")?;
        } else {
            let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
            let key = head.lines().find_map(|line| line.strip_prefix("webhook-id: ")).unwrap_or_default().to_owned();
            taken.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        }
        buffer.drain(..head_end + length);
    }
}

fn receiver() -> Result<(String, Arc<Taken>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/hook", listener.local_addr()?);
    let taken = Arc::new(Taken::default());
    let known = Arc::clone(&taken);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let known = Arc::clone(&known);
            std::thread::spawn(move || serve(stream, &known));
        }
    });
    Ok((url, taken))
}

fn webhook(url: &str) -> Result<Arc<Webhook>> {
    let settings = HttpSettings { allow: vec!["127.0.0.0/8".parse()?], ..HttpSettings::default() };
    let signer = Signer::new(vec![Secret::of(&[1; 32])?])?;
    Ok(Arc::new(Webhook::new(Http::new(url, &settings)?, signer, CloudEvents::new("urn:crible:measurement")?)))
}

fn alert(number: u64) -> Result<wire::Alert> {
    let reason = |n: u64| {
        format!(
            r#"{{"feature":"column_{n}","text":"$412.00 is {n} times what this account usually pays ($44)","value":{n},"typical":1,"share":0.2}}"#
        )
    };
    let reasons: Vec<String> = (2..7).map(reason).collect();
    let line = format!(
        r#"{{"schema":"crible.alert/1","id":"{number:032x}","transaction":"{number:032x}","account":"000000000000beef","counterparty":"00000000facade00","at":"2026-06-01T03:04:05Z","amount":{{"value":"-412.00","currency":"USD"}},"score":6.25,"tail":0.0004,"severity":"high","rank":3,"day":"2026-06-01","reasons":[{}],"model":"0000000000c0ffee","source":null}}"#,
        reasons.join(",")
    );
    Ok(wire::Alert::from_line(&line)?)
}

async fn measure(alerts: u64) -> Result<()> {
    let (outbox, shelf, clock) = (Memory::default(), Shelf::default(), Ahead::default());
    let ((hook_url, hook), (sms_url, sms)) = (receiver()?, receiver()?);
    let rate = Rate { a_second: 1_000_000, burst: 1_000_000 };
    let fast = |route: Route| Route { rate, side_by_side: 32, ..route };
    let routes = vec![
        fast(Route::for_the_bank("hook".parse()?, webhook(&hook_url)?)),
        fast(Route::for_customers("sms".parse()?, webhook(&sms_url)?, Medium::Sms)),
    ];
    let settings = Settings { rules: Rules { quiet: None, ..Rules::default() }, ..Settings::default() };
    let now = clock.now();
    let mut agreed = BTreeSet::new();
    for number in 0..alerts {
        let alert = alert(number)?;
        let about = alert.id.to_string().parse()?;
        let draft = |channel: &str, person: Option<Person>, notice: &Notice| -> Result<Draft> {
            let key = format!("alert/{}/{channel}", alert.id).parse()?;
            Ok(Draft {
                key,
                channel: channel.parse()?,
                person,
                about: Clone::clone(&about),
                body: serde_json::to_string(notice)?,
                due: now,
            })
        };
        if number % 10 == 0 {
            let person: Person = format!("{:016x}", number + 1).parse()?;
            let question = draft("sms", Some(person), &Notice::Question(Question::about(&alert, None, None)?))?;
            if number % 20 == 0 {
                let records = [
                    Record::OptedIn { medium: Medium::Sms, purpose: Purpose::FraudAlert, source: Source::App },
                    Record::Linked { medium: Medium::Sms, address: "+33600000000".parse()?, source: Source::Import },
                ];
                let entries = records.map(|record| Entry { at: now, record });
                let page = Page::new(Subject::Person(person), 0, Some(person), &entries)?;
                shelf.append(now, vec![page]).await?;
                agreed.insert(question.key.to_string());
            }
            outbox.write([question]);
        }
        outbox.write([draft("hook", None, &Notice::Alert { alert: Box::new(alert.clone()), case: Some(number) })?]);
    }
    let courier = Courier::new(outbox.clone(), shelf, clock.clone(), Wording::new("Test Bank")?, settings, routes)?;
    #[expect(clippy::disallowed_methods, reason = "this is a measurement")]
    let began = Instant::now();
    while let Some(next) = courier.next_due().await? {
        clock.0.fetch_add((next.0 - clock.now().0).max(0), Ordering::SeqCst);
        courier.deliver().await?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let rows = outbox.rows();
    let count = |state| rows.iter().filter(|row| row.state == state).count();
    let requests = hook.requests.load(Ordering::SeqCst) + sms.requests.load(Ordering::SeqCst);
    let keys = |taken: &Taken| taken.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let sent = count(State::Sent);
    println!(
        "{} deliveries: {sent} sent, {} withheld, {} dead, {} pending",
        rows.len(),
        count(State::Withheld),
        count(State::Dead),
        count(State::Pending)
    );
    println!("{requests} requests in {seconds:.2} s: {:.0} deliveries a second", sent as f64 / seconds);
    let lost = alerts as usize - keys(&hook).len();
    let unwanted = keys(&sms).difference(&agreed).count();
    println!("lost: {lost}; without consent: {unwanted}; agreed and not sent: {}", agreed.len() - keys(&sms).len());
    if lost > 0 || keys(&sms) != agreed {
        return Err("something was lost, or sent to somebody who had not agreed".into());
    }
    Ok(())
}

fn main() -> Result<()> {
    let alerts = std::env::args().nth(1).map_or(Ok(10_000), |number| number.parse())?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(measure(alerts))
}
