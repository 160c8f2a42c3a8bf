//! `kill -9` at named points: what was acknowledged is there, and the rest is there whole or not at all.
//!
//! The test binary starts itself as a child, which works on a store and says what it did once that is committed. At a
//! named point the child stops, and is killed. Whoever comes next finds what it left.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crible_case::{CaseId, Settings};
use crible_store::{Append, DeliveryState, NewDelivery, Settled, Store};

use crate::alerts::{self, Came};
use crate::common::{begin, block_on, entity, key, note, now};
use crate::postgres;

const POINTS: [&str; 7] = [
    "before commit",
    "after commit",
    "between events and alerts",
    "after enqueue",
    "after settle",
    "after append",
    "upgrade",
];

/// A minute later than any before it, so that leases of those who died have run out.
fn minutes(round: u64) -> i64 {
    10 * round as i64
}

fn says(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "crash: {line}").and_then(|()| out.flush()).unwrap();
}

/// Works on a store until it is killed; does nothing unless it was started by the test below.
#[test]
fn child() {
    let Ok(work) = std::env::var("CRIBLE_CRASH") else { return };
    let [url, point, visits, round] = <[&str; 4]>::try_from(work.split('|').collect::<Vec<_>>()).unwrap();
    let (visits, round): (u64, u64) = (visits.parse().unwrap(), round.parse().unwrap());
    let seen = std::sync::atomic::AtomicU64::new(0);
    fail::cfg_callback(point, move || {
        if seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 == visits {
            says("reached");
            loop {
                std::thread::park();
            }
        }
    })
    .unwrap();
    block_on(async {
        let at = minutes(round);
        let store = Store::open(url, &key(), now(at)).await.unwrap();
        says("opened");
        for n in 0..4_u64 {
            let id = u128::from(round * 4 + n);
            // An alert, a note on its case, what is to be sent, and an entry of a stream, together.
            let mut txn = begin(&store, at).await;
            let came = Came::new(id, 1 + (id % 5) as u64, at);
            let received = txn.receive(&Settings::default(), vec![came.facts()]).await.unwrap();
            let (order, note) = (alerts::order("ana", at), note(&format!("note {id}")));
            txn.act(&Settings::default(), &order, received[0].1.case(), &note).await.unwrap().unwrap();
            let (key, channel, body) = (id.to_string(), "desk".to_owned(), "was it you?".to_owned());
            let person = Some(entity(1 + (id % 5) as u64));
            let due = now(at);
            txn.enqueue(&[NewDelivery { key, channel, person, about: "-".to_owned(), body, due }]).await.unwrap();
            let expected = txn.stream("person/1").await.unwrap().len() as u64;
            let bodies = vec![id.to_string()];
            txn.append(&[Append { subject: "person/1".to_owned(), expected, bodies, person }]).await.unwrap();
            txn.commit().await.unwrap();
            says(&format!("kept {id}"));

            let mut txn = begin(&store, at).await;
            let claimed = txn.claim("desk", now(at + 5), 3).await.unwrap();
            txn.commit().await.unwrap();
            for delivery in &claimed {
                says(&format!("sent {}", delivery.key));
            }
            let mut txn = begin(&store, at).await;
            let settled = claimed.iter().map(|delivery| Settled {
                id: delivery.id,
                claims: delivery.claims,
                state: DeliveryState::Sent,
                attempts: delivery.attempts + 1,
                due: delivery.due,
                why: None,
            });
            txn.settle(&settled.collect::<Vec<_>>()).await.unwrap();
            txn.commit().await.unwrap();
        }
    });
}

/// What children said.
#[derive(Default)]
struct Said {
    kept: BTreeSet<u128>,
    sent: BTreeSet<String>,
    kills: u32,
}

impl Said {
    /// Starts a child, and kills it where it stops.
    fn round(&mut self, url: &str, point: &str, visits: u64, round: u64) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child", "--nocapture", "--test-threads=1"])
            .env("CRIBLE_CRASH", format!("{url}|{point}|{visits}|{round}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut killed, mut opened) = (false, false);
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            // The harness may have written the beginning of the line.
            let Some((_, said)) = line.split_once("crash: ") else { continue };
            match said.split_once(' ') {
                Some(("kept", id)) => assert!(self.kept.insert(id.parse().unwrap())),
                Some(("sent", key)) => {
                    self.sent.insert(key.to_owned());
                }
                _ if said == "opened" => opened = true,
                _ => {
                    assert_eq!(said, "reached");
                    // SIGKILL on Unix: nothing of the child runs after it.
                    child.kill().unwrap();
                    killed = true;
                    break;
                }
            }
        }
        let status = child.wait().unwrap();
        assert!(killed || (status.success() && opened), "round {round} at {point}: {status}");
        self.kills += u32::from(killed);
    }

    /// What a store holds after that.
    async fn check(&self, store: &Store, rounds: u64) {
        let at = minutes(rounds + 1);
        let mut reader = store.read(now(at)).await.unwrap();
        assert_eq!(reader.verify().await.unwrap().err(), None);
        let entries = reader.stream("person/1").await.unwrap();
        let entries: BTreeSet<u128> = entries.iter().map(|e| e.body.as_ref().unwrap().parse().unwrap()).collect();
        let mut notes = BTreeSet::new();
        let cases: BTreeSet<CaseId> = (1..=99).map(CaseId).collect();
        let desk = reader.desk(&Settings::default(), &cases).await.unwrap();
        for state in desk.cases().filter_map(|case| case.state()) {
            notes.extend(state.notes.iter().map(|note| note.text.as_ref().unwrap().as_str().to_owned()));
        }
        for id in 0..u128::from(rounds * 4 + 4) {
            let alert = reader.alert(Came::new(id, 1, 0).id()).await.unwrap().is_some();
            let delivery = reader.delivery(&id.to_string()).await.unwrap().is_some();
            let together = [alert, delivery, entries.contains(&id), notes.contains(&format!("note {id}"))];
            assert!(together.iter().all(|there| *there == alert), "{id} is there in part: {together:?}");
            assert!(alert || !self.kept.contains(&id), "{id} was acknowledged and is lost");
        }
        for key in &self.sent {
            assert!(reader.delivery(key).await.unwrap().is_some(), "{key} was sent and is not in the outbox");
        }
    }

    /// Whoever delivers next gets everything that is left.
    async fn deliver(&self, store: &Store, rounds: u64) {
        let at = minutes(rounds + 1);
        loop {
            let mut txn = begin(store, at).await;
            let claimed = txn.claim("desk", now(at + 1), 100).await.unwrap();
            let settled = claimed.iter().map(|delivery| Settled {
                id: delivery.id,
                claims: delivery.claims,
                state: DeliveryState::Sent,
                attempts: delivery.attempts + 1,
                due: delivery.due,
                why: None,
            });
            let counted = txn.settle(&settled.collect::<Vec<_>>()).await.unwrap();
            assert_eq!(counted, claimed.len() as u64);
            txn.commit().await.unwrap();
            if claimed.is_empty() {
                break;
            }
        }
        let mut reader = store.read(now(at)).await.unwrap();
        assert_eq!(reader.deliveries(Some(DeliveryState::Pending), 9).await.unwrap(), [], "left in the outbox");
        for id in &self.kept {
            let delivery = reader.delivery(&id.to_string()).await.unwrap().unwrap();
            assert_eq!(delivery.state, DeliveryState::Sent);
        }
    }
}

fn kill_often(address: impl Fn() -> String, kills: u32) {
    let mut all = 0;
    // Some stores are killed while they are made, most while they are used.
    while all < kills {
        let (url, mut said) = (address(), Said::default());
        let rounds = 35;
        for round in 0..rounds {
            let point = POINTS[(round as usize + 6) % POINTS.len()];
            said.round(&url, point, 1 + round / 7 % 5, round);
            if all + said.kills >= kills {
                break;
            }
        }
        assert!(said.kills > 0);
        all += said.kills;
        block_on(async {
            let store = Store::open(&url, &key(), now(minutes(rounds))).await.unwrap();
            said.check(&store, rounds).await;
            said.deliver(&store, rounds).await;
            store.close().await;
        });
    }
    assert!(all >= kills);
    println!("killed {all} times");
}

#[test]
fn sqlite_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicU32::new(0);
    let next = || number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    kill_often(|| folder.path().join(format!("alerts-{}.db", next())).display().to_string(), 200);
}

#[test]
fn postgres_keeps_what_it_acknowledged() {
    if postgres::database().is_none() {
        return;
    }
    kill_often(|| postgres::database().unwrap(), 50);
}
