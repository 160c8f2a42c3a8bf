//! A lock that is held in the order in which its tickets were drawn.

// `crate::sync` is the standard library's here and a model checker's in `tests/ticket.rs`.
use crate::sync::{AtomicU64, Condvar, Mutex, MutexGuard, Ordering, PoisonError, SPINS, spin_loop};

/// Guards a value for whoever has the next ticket.
///
/// Tickets are numbers from 0 on, and whoever hands them out sees to it that each is used, or dropped as a [`Ticket`]
/// is, once. Waiting is short as a rule: so a thread looks a bounded number of times whether it is its turn, and then
/// sleeps until it is called.
///
/// In cache lines of its own, so that who takes one lock takes nothing else from another's.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct TicketLock<T> {
    serving: AtomicU64,
    inner: Mutex<Inner<T>>,
    called: Condvar,
}

#[derive(Debug)]
struct Inner<T> {
    value: T,
    /// Threads that sleep until they are called.
    sleepers: u32,
}

/// Counts the tickets of one lock that have been handed out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tickets(u64);

/// A ticket of a lock. Dropping it unused waits for its turn and passes it on.
#[derive(Debug)]
pub(crate) struct Ticket<'a, T> {
    lock: &'a TicketLock<T>,
    number: u64,
}

impl Tickets {
    /// The next ticket of `lock`, whose tickets these are.
    pub(crate) fn draw<'a, T>(&mut self, lock: &'a TicketLock<T>) -> Ticket<'a, T> {
        self.0 += 1;
        Ticket { lock, number: self.0 - 1 }
    }
}

impl<T> TicketLock<T> {
    pub(crate) fn new(value: T) -> Self {
        let inner = Mutex::new(Inner { value, sleepers: 0 });
        Self { serving: AtomicU64::new(0), inner, called: Condvar::new() }
    }

    /// A panic within a turn poisons the lock; what it guards is then whatever the panic left, and turns go on.
    fn inner(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until ticket `number` is served.
    fn wait_for(&self, number: u64) -> MutexGuard<'_, Inner<T>> {
        for _ in 0..SPINS {
            if self.serving.load(Ordering::Acquire) == number {
                break;
            }
            spin_loop();
        }
        let mut inner = self.inner();
        while self.serving.load(Ordering::Acquire) != number {
            inner.sleepers += 1;
            inner = self.called.wait(inner).unwrap_or_else(PoisonError::into_inner);
            inner.sleepers -= 1;
        }
        inner
    }

    /// Ends the turn of whoever holds the lock.
    fn pass(&self, inner: MutexGuard<'_, Inner<T>>) {
        // The lock is held: nobody else writes, and nobody can fall asleep between this and the look at who sleeps.
        self.serving.store(self.serving.load(Ordering::Relaxed) + 1, Ordering::Release);
        let is_awaited = inner.sleepers > 0;
        drop(inner);
        if is_awaited {
            self.called.notify_all();
        }
    }

    /// Waits until all tickets that have been drawn are used, then looks at the value. Without a ticket, so that
    /// whoever calls it sees to it that none is drawn meanwhile.
    pub(crate) fn settled<R>(&self, tickets: Tickets, look: impl FnOnce(&mut T) -> R) -> R {
        look(&mut self.wait_for(tickets.0).value)
    }

    /// Looks at the value between two turns, whichever these are.
    pub(crate) fn between<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        look(&mut self.inner().value)
    }
}

impl<T> Ticket<'_, T> {
    /// Whether it is this ticket's turn.
    pub(crate) fn is_served(&self) -> bool {
        self.lock.serving.load(Ordering::Acquire) == self.number
    }

    /// Waits for its turn, uses it, and passes it on.
    pub(crate) fn with<R>(self, turn: impl FnOnce(&mut T) -> R) -> R {
        let mut inner = self.lock.wait_for(self.number);
        // Where this panics the lock is let go of first, and then the ticket is dropped, which passes the turn on.
        let result = turn(&mut inner.value);
        self.lock.pass(inner);
        std::mem::forget(self);
        result
    }
}

impl<T> Drop for Ticket<'_, T> {
    fn drop(&mut self) {
        self.lock.pass(self.lock.wait_for(self.number));
    }
}
