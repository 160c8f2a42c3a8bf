//! The lock with tickets, under a model checker that tries orders in which threads may run: thousands at random, and
//! thousands in which one thread overtakes another at up to three places (probabilistic concurrency testing, Burckhardt
//! et al. 2010).
#![allow(missing_docs, clippy::unwrap_used)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::sync::{Arc, Mutex as Common};
use shuttle::{Config, Runner, thread};

/// What `src/ticket.rs` is made of here.
mod sync {
    pub(crate) use shuttle::hint::spin_loop;
    pub(crate) use shuttle::sync::atomic::{AtomicU64, Ordering};
    pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use std::sync::PoisonError;

    /// One look, and then sleep: both ways are tried.
    pub(crate) const SPINS: u32 = 1;
}

#[path = "../src/ticket.rs"]
#[allow(dead_code, reason = "the set uses what this does not")]
mod ticket;

use ticket::{TicketLock, Tickets};

/// Two locks, each of which writes down who had it, and the tickets of both with the order in which transactions took
/// theirs.
struct Model {
    locks: [TicketLock<Vec<u32>>; 2],
    common: Common<([Tickets; 2], Vec<u32>)>,
}

impl Model {
    fn new() -> Arc<Self> {
        let locks = [(); 2].map(|()| TicketLock::new(Vec::new()));
        Arc::new(Self { locks, common: Common::new(([Tickets::default(); 2], Vec::new())) })
    }

    /// A transaction takes its tickets at once and then its turns, the ones that are ready first. Its first may stay
    /// unused.
    fn step(&self, number: u32, drops: bool) {
        let mut common = self.common.lock().unwrap();
        common.1.push(number);
        let [a, b] = &mut common.0;
        let first = a.draw(&self.locks[0]);
        let second = b.draw(&self.locks[1]);
        drop(common);
        let (first, second) = if second.is_served() { (second, first) } else { (first, second) };
        if drops {
            drop(first);
        } else {
            first.with(|order| order.push(number));
        }
        second.with(|order| order.push(number));
    }

    /// What each lock wrote down between two transactions is what had been drawn by then.
    fn look(&self) {
        let common = self.common.lock().unwrap();
        for (lock, tickets) in self.locks.iter().zip(common.0) {
            lock.settled(tickets, |order| assert_eq!(*order, common.1));
        }
    }

    fn run(model: &Arc<Self>, turns: [fn(&Self); 2]) {
        let threads = turns.map(|turn| {
            let model = Arc::clone(model);
            thread::spawn(move || turn(&model))
        });
        model.step(0, false);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

const SEED: u64 = 17;

fn check(schedules: usize, model: impl Fn() + Send + Sync + Copy + 'static) {
    Runner::new(RandomScheduler::new_from_seed(SEED, schedules), Config::new()).run(model);
    Runner::new(PctScheduler::new_from_seed(SEED, 3, schedules), Config::new()).run(model);
}

/// Every lock serves transactions in the order in which they drew, and nobody sleeps for ever.
#[test]
fn turns_come_in_the_order_of_tickets() {
    check(4_000, || {
        let model = Model::new();
        Model::run(&model, [|model| model.step(1, false), |model| model.step(2, false)]);
        model.look();
    });
}

/// Who settles sees what had been drawn, whole.
#[test]
fn settling_waits_for_what_is_under_way() {
    check(4_000, || {
        let model = Model::new();
        Model::run(&model, [|model| model.step(1, false), Model::look]);
        model.look();
    });
}

/// A ticket that is dropped passes its turn on.
#[test]
fn a_dropped_ticket_stops_nobody() {
    check(4_000, || {
        let model = Model::new();
        Model::run(&model, [|model| model.step(1, true), |model| model.step(2, false)]);
        let orders = model.locks.each_ref().map(|lock| lock.between(|order| order.len()));
        assert_eq!(orders.iter().sum::<usize>(), 5);
    });
}

/// The model can fail: a lock that is entered without waiting for its turn does not keep the order.
#[test]
fn the_model_finds_a_broken_order() {
    let broken = catch_unwind(AssertUnwindSafe(|| {
        check(400, || {
            let model = Model::new();
            let other = Arc::clone(&model);
            let enter = |model: &Model, number| {
                model.common.lock().unwrap().1.push(number);
                model.locks[0].between(|order| order.push(number));
            };
            let thread = thread::spawn(move || enter(&other, 1));
            enter(&model, 0);
            thread.join().unwrap();
            let want = model.common.lock().unwrap().1.clone();
            model.locks[0].between(|order| assert_eq!(*order, want));
        });
    }));
    assert!(broken.is_err());
}
