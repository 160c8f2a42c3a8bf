//! How fast deliveries go to a receiver on this machine that fails one in ten, and whether any is lost.
//!
//! `cargo run --release -p crible-dispatch --example throughput [ALERTS]`
//!
//! The store is SQLite in a temporary folder; store, courier, channel and receiver share the machine. Waits for the next
//! try are skipped, not waited for. People are asked as well, half of whom have not opted
//! in.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crible_alert::wire;
use crible_case::{Facts, Settings as CaseSettings};
use crible_core::Timestamp;
use crible_dispatch::Post;
use crible_notify::config::{Config, Surroundings};
use crible_notify::people::{HandleKey, People};
use crible_notify::{Clock, Courier, Medium, Person, Purpose, Source, SystemClock};
use crible_store::{DeliveryState, Store, StoreKey};

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

fn config(hook: &str, sms: &str) -> Result<Config> {
    let secret = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let channel = |kind: &str, url: &str| {
        format!(
            "[[channel]]\nname = \"{kind}\"\nkind = \"{kind}\"\nurl = \"{url}\"\nallow = [\"127.0.0.1\"]\n\
             secrets_env = \"S\"\na_second = 1000000\nside_by_side = 32\n"
        )
    };
    let text = format!(
        "bank = \"Test Bank\"\nsource = \"urn:x\"\nquiet = \"never\"\n{}{}",
        channel("webhook", hook),
        channel("sms", sms)
    );
    let missing = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    Ok(Config::read(&text, &Surroundings { variable: &|_| Some(secret.to_owned()), file: &missing })?)
}

fn account(number: u64) -> String {
    format!("{:016x}", number % 2_000 + 1)
}

fn alert(number: u64) -> Result<wire::Alert> {
    let account = account(number);
    let reason = |n: u64| {
        format!(
            r#"{{"feature":"column_{n}","text":"$412.00 is {n} times what this account usually pays ($44)","value":{n},"typical":1,"share":0.2}}"#
        )
    };
    let reasons: Vec<String> = (2..7).map(reason).collect();
    let line = format!(
        r#"{{"schema":"crible.alert/1","id":"{number:032x}","transaction":"{number:032x}","account":"{account}","counterparty":"00000000facade00","at":"2026-06-01T03:04:05Z","amount":{{"value":"-412.00","currency":"USD"}},"score":6.25,"tail":0.0004,"severity":"high","rank":3,"day":"2026-06-01","reasons":[{}],"model":"0000000000c0ffee","source":null}}"#,
        reasons.join(",")
    );
    Ok(wire::Alert::from_line(&line)?)
}

async fn measure(alerts: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let clock = Ahead::default();
    let now = clock.now();
    let store =
        Store::open(&folder.path().join("alerts.db").display().to_string(), &StoreKey::generate()?, now).await?;
    let post = Post::new(store.clone(), CaseSettings::default(), clock.clone());
    let ((hook_url, hook), (sms_url, sms)) = (receiver()?, receiver()?);
    let config = config(&hook_url, &sms_url)?;
    let people = People::new(post.clone(), clock.clone(), HandleKey::new([5; 32]));
    let mut agreed = BTreeSet::new();
    // One account in ten has a holder who is known, and half of these have agreed to be asked.
    for number in (0..alerts.min(2_000)).step_by(10) {
        let person: Person = format!("{:016x}", number + 1_000_000).parse()?;
        people.holds(person, account(number).parse()?, None).await?;
        people.link(person, Medium::Sms, format!("+336{number:08}").parse()?, Source::Import).await?;
        if number % 20 == 0 {
            people.opt_in(person, Medium::Sms, Purpose::FraudAlert, Source::App).await?;
            agreed.insert(person.to_string());
        }
    }
    let numbers: Vec<u64> = (0..alerts).collect();
    let began = instant();
    for part in numbers.chunks(1_000) {
        let mut txn = store.begin(clock.now()).await?;
        let part: Vec<wire::Alert> = part.iter().map(|number| alert(*number)).collect::<Result<_>>()?;
        let facts = part.iter().map(|alert| Facts::new(alert.clone(), None)).collect::<std::result::Result<_, _>>()?;
        crible_dispatch::take_in(&mut txn, &config, facts, |_| None).await?;
        txn.commit().await?;
    }
    println!("{alerts} alerts into cases, with their deliveries, in {:.2} s", began.elapsed().as_secs_f64());
    let Config { settings, wording, routes, .. } = config;
    let courier = Courier::new(post.clone(), post, clock.clone(), wording, settings, routes)?;
    let began = instant();
    while let Some(next) = courier.next_due().await? {
        clock.0.fetch_add((next.0 - clock.now().0).max(0), Ordering::SeqCst);
        courier.deliver().await?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let rows = store.read(clock.now()).await?.deliveries(None, u32::MAX).await?;
    let count = |state| rows.iter().filter(|row| row.state == state).count();
    let sent = count(DeliveryState::Sent);
    let requests = hook.requests.load(Ordering::SeqCst) + sms.requests.load(Ordering::SeqCst);
    println!(
        "{sent} sent, {} withheld, {} dead, {} pending; {requests} requests in {seconds:.2} s: {:.0} deliveries a second",
        count(DeliveryState::Withheld),
        count(DeliveryState::Dead),
        count(DeliveryState::Pending),
        sent as f64 / seconds
    );
    let keys = |taken: &Taken| taken.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let asked: BTreeSet<String> =
        keys(&sms).iter().filter_map(|key| Some(key.rsplit_once('/')?.1.to_owned())).collect();
    let lost = alerts as usize - keys(&hook).len();
    println!(
        "lost: {lost}; asked: {} of {} who agreed; asked without consent: {}",
        asked.len(),
        agreed.len(),
        asked.difference(&agreed).count()
    );
    if lost > 0 || asked != agreed || count(DeliveryState::Pending) + count(DeliveryState::Dead) > 0 {
        return Err("something was lost, or sent to somebody who had not agreed".into());
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this is a measurement")]
fn instant() -> Instant {
    Instant::now()
}

fn main() -> Result<()> {
    let alerts = std::env::args().nth(1).map_or(Ok(10_000), |number| number.parse())?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(measure(alerts))
}
