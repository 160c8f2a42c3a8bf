//! `kill -9`, again and again, of a process that takes alerts in and delivers them: no alert that was acknowledged is lost,
//! nothing is sent that is not in the outbox, and in the end nothing is left in it.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(unix)]

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crible_alert::wire;
use crible_case::{Facts, Settings as CaseSettings};
use crible_core::Timestamp;
use crible_dispatch::Post;
use crible_notify::config::{Config, Surroundings};
use crible_notify::{Clock, Courier, SystemClock};
use crible_store::{DeliveryState, Store, StoreKey};

/// How often the process is killed.
const KILLS: u64 = 200;
/// What a process is told by its environment.
const URL: &str = "CRIBLE_KILL_URL";
const STORE: &str = "CRIBLE_KILL_STORE";
const FROM: &str = "CRIBLE_KILL_FROM";
const AHEAD: &str = "CRIBLE_KILL_AHEAD";

const SECRET: &str = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// The clock of this machine, ahead: the leases of those who died before are over.
#[derive(Clone, Copy, Debug)]
struct Ahead(i64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.0 * Timestamp::SECOND)
    }

    async fn pause(&self, duration: Duration) {
        SystemClock.pause(duration).await;
    }
}

fn alert(number: u64) -> wire::Alert {
    let account = number % 17 + 1;
    let line = format!(
        r#"{{"schema":"crible.alert/1","id":"{number:032x}","transaction":"{number:032x}","account":"{account:016x}","counterparty":null,"at":"2026-06-01T03:04:05Z","amount":{{"value":"-412.00","currency":"USD"}},"score":6.25,"tail":0.0004,"severity":"high","rank":3,"day":"2026-06-01","reasons":[],"model":"0000000000c0ffee","source":null}}"#
    );
    wire::Alert::from_line(&line).unwrap()
}

fn config(url: &str) -> Config {
    let text = format!(
        "bank = \"Test Bank\"\nsource = \"urn:x\"\nquiet = \"never\"\n[[channel]]\nname = \"hook\"\nkind = \"webhook\"\n\
         url = \"{url}\"\nallow = [\"127.0.0.1\"]\nsecrets_env = \"S\"\n"
    );
    let missing = |_: &Path| Err(io::ErrorKind::NotFound.into());
    Config::read(&text, &Surroundings { variable: &|_| Some(SECRET.to_owned()), file: &missing }).unwrap()
}

async fn store(path: &str, now: Timestamp) -> Store {
    Store::open(path, &StoreKey::new([7; 32]), now).await.unwrap()
}

async fn take_in(store: &Store, config: &Config, number: u64, now: Timestamp) {
    let mut txn = store.begin(now).await.unwrap();
    let facts = Facts::new(alert(number), None).unwrap();
    crible_dispatch::take_in(&mut txn, config, vec![facts], |_| None).await.unwrap();
    txn.commit().await.unwrap();
}

async fn deliver(store: &Store, url: &str, clock: Ahead) {
    let post = || Post::new(store.clone(), CaseSettings::default(), clock);
    let Config { settings, wording, routes, .. } = config(url);
    let courier = Courier::new(post(), post(), clock, wording, settings, routes).unwrap();
    while courier.next_due().await.unwrap().is_some_and(|due| due <= clock.now()) {
        courier.deliver().await.unwrap();
    }
}

/// The process that is killed: another start of this test, which does nothing where it was not started for that.
#[test]
fn victim() {
    let variable = |name| std::env::var(name).ok();
    let (Some(url), Some(path)) = (variable(URL), variable(STORE)) else { return };
    let from: u64 = variable(FROM).unwrap().parse().unwrap();
    let clock = Ahead(variable(AHEAD).unwrap().parse().unwrap());
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(async {
        let store = store(&path, clock.now()).await;
        println!("ready");
        let sending = tokio::spawn({
            let (store, url) = (store.clone(), url.clone());
            async move {
                loop {
                    deliver(&store, &url, clock).await;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        });
        let config = config(&url);
        for number in from..from + 1_000 {
            take_in(&store, &config, number, clock.now()).await;
            println!("taken in {number}");
        }
        sending.abort();
    });
}

/// Takes everything, and fails one in seven.
fn receiver() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let taken: Arc<Mutex<Vec<String>>> = Arc::default();
    let known = Arc::clone(&taken);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let known = Arc::clone(&known);
            std::thread::spawn(move || serve(stream, &known));
        }
    });
    (url, taken)
}

fn serve(mut stream: TcpStream, taken: &Mutex<Vec<String>>) -> Option<()> {
    let (mut buffer, mut chunk) = (Vec::new(), [0; 65_536]);
    for count in 1.. {
        let (head, end) = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
                let length =
                    head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
                let length: usize = length?;
                if buffer.len() >= end + 4 + length {
                    break (head, end + 4 + length);
                }
            }
            let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
            buffer.extend_from_slice(&chunk[..read]);
        };
        buffer.drain(..end);
        let status = if count % 7 == 0 {
            "500 Internal Server Error"
        } else {
            let key = head.lines().find_map(|line| line.strip_prefix("webhook-id: "))?;
            taken.lock().unwrap().push(key.to_owned());
            "200 OK"
        };
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").ok()?;
    }
    None
}

#[test]
fn nothing_is_lost_over_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.db").display().to_string();
    let (url, taken) = receiver();
    let mut acknowledged: BTreeSet<u64> = BTreeSet::new();
    let mut killed_in_the_middle = 0;
    for run in 0..KILLS {
        let from = acknowledged.last().map_or(0, |last| last + 1);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["victim", "--exact", "--nocapture"])
            .env(URL, &url)
            .env(STORE, &path)
            .env(FROM, from.to_string())
            .env(AHEAD, (run * 130).to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().ends_with("ready")), "run {run} could not open the store");
        // At another moment each time, some before anything was taken in.
        std::thread::sleep(Duration::from_micros(run * 7_919 % 40_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let before = acknowledged.len();
        for line in lines.map_while(Result::ok) {
            acknowledged.extend(line.strip_prefix("taken in ").and_then(|number| number.parse::<u64>().ok()));
        }
        killed_in_the_middle += usize::from(acknowledged.len() > before);
    }
    // In the end a process goes on to the end, and time passes.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows = runtime.block_on(async {
        let store = store(&path, SystemClock.now()).await;
        for step in 0..12 {
            deliver(&store, &url, Ahead(KILLS as i64 * 130 + step * 40_000)).await;
        }
        let mut reader = store.read(SystemClock.now()).await.unwrap();
        assert!(reader.verify().await.unwrap().is_ok());
        reader.deliveries(None, u32::MAX).await.unwrap()
    });
    let keys: BTreeSet<String> = rows.iter().map(|row| row.key.clone()).collect();
    let taken = taken.lock().unwrap().clone();
    let received: BTreeSet<String> = taken.iter().cloned().collect();
    println!(
        "{KILLS} kills, {killed_in_the_middle} of them while alerts were taken in; {} acknowledged, {} in the outbox, {} \
         requests taken, {} of them again",
        acknowledged.len(),
        rows.len(),
        taken.len(),
        taken.len() - received.len()
    );
    for number in &acknowledged {
        let key = format!("alert/{number:032x}/hook");
        assert!(keys.contains(&key), "{number} was acknowledged and is lost");
    }
    assert!(rows.iter().all(|row| row.state == DeliveryState::Sent), "something is left in the outbox");
    assert_eq!(received, keys);
    assert!(killed_in_the_middle > KILLS as usize / 4, "{killed_in_the_middle}");
}
