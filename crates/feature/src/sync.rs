//! What the lock with tickets is made of. Its test puts a model checker's in the place of these.

pub(crate) use std::hint::spin_loop;
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Looks at whose turn it is before a thread sleeps: a turn takes about a microsecond, and being woken takes several.
pub(crate) const SPINS: u32 = 256;
