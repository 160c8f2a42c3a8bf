//! One text file: blocks read and unpacked here, parsed by whoever of the pool has time, taken in file order.

use std::collections::BTreeMap;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::{Tally, Watch};
use crate::build::Keys;
use crate::csv::blocks::Blocks;
use crate::csv::{Dialect, parse};
use crate::error::Error;
use crate::input::Input;
use crate::plan::Plan;
use crate::rows::Chunk;
use crate::worker::Worker;

/// What a task hands back: its place in the file, and its chunk or the panic that kept it from one.
type Done = (usize, thread::Result<Chunk>);

pub(super) fn read(
    input: &Input,
    dialect: Dialect,
    skip: u64,
    plan: &Plan,
    keys: &Keys,
    tally: &mut Tally,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    let io = |source| Error::Io { path: input.path.clone(), source };
    let counter = Arc::new(AtomicU64::new(0));
    let mut reader = input.text(counter.clone()).map_err(io)?;
    std::io::copy(&mut reader.by_ref().take(skip), &mut std::io::sink()).map_err(io)?;
    let mut blocks = Blocks::new(reader, dialect, plan);
    let workers: Mutex<Vec<Worker>> = Mutex::new(Vec::new());
    let spare: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
    let (workers, spare, read_so_far) = (&workers, &spare, &counter);
    let blocks = &mut blocks;
    let mut order = Order { next: 0, waiting: BTreeMap::new(), tally, watch };
    rayon::scope(move |scope| {
        let ahead = 2 * rayon::current_num_threads();
        let (sender, receiver) = channel::<Done>();
        let mut sent = 0;
        while let Some(piece) = blocks.next(pop(spare)) {
            let sender = sender.clone();
            let number = sent;
            scope.spawn(move |_| {
                let chunk = catch_unwind(AssertUnwindSafe(|| {
                    let worker = pop(workers);
                    let mut worker = worker.unwrap_or_else(|| Worker::new(plan.counterparty_domain));
                    let chunk = parse::parse(&piece, dialect, plan, keys, &mut worker);
                    push(workers, worker);
                    push(spare, piece.into_bytes());
                    chunk
                }));
                // The receiver lives until all tasks have reported.
                let _ = sender.send((number, chunk));
            });
            sent += 1;
            while sent - order.taken() > ahead {
                order.wait(&receiver);
            }
            while let Ok(done) = receiver.try_recv() {
                order.put(done);
            }
            order.watch.tell(read_so_far.load(Ordering::Relaxed));
        }
        while order.taken() < sent {
            order.wait(&receiver);
        }
        if let Some(reason) = blocks.broke() {
            order.tally.warnings.push(format!("the file breaks off before its end: {reason}"));
        }
    });
    Ok(())
}

/// A panic elsewhere leaves nothing half done in a list of spare things.
fn pop<T>(spare: &Mutex<Vec<T>>) -> Option<T> {
    spare.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn push<T>(spare: &Mutex<Vec<T>>, thing: T) {
    spare.lock().unwrap_or_else(PoisonError::into_inner).push(thing);
}

/// Puts chunks back into file order.
struct Order<'a, 'w> {
    next: usize,
    waiting: BTreeMap<usize, Chunk>,
    tally: &'a mut Tally,
    watch: &'a mut Watch<'w>,
}

impl Order<'_, '_> {
    /// Chunks that have come back.
    fn taken(&self) -> usize {
        self.next + self.waiting.len()
    }

    fn put(&mut self, (number, chunk): Done) {
        match chunk {
            Ok(chunk) => {
                self.waiting.insert(number, chunk);
            }
            Err(panic) => resume_unwind(panic),
        }
        while let Some(chunk) = self.waiting.remove(&self.next) {
            self.tally.take(chunk, self.watch);
            self.next += 1;
        }
    }

    /// Takes one more chunk, lending a hand where a task is still to be had.
    fn wait(&mut self, receiver: &Receiver<Done>) {
        loop {
            if let Ok(done) = receiver.try_recv() {
                return self.put(done);
            }
            if rayon::yield_now() == Some(rayon::Yield::Executed) {
                continue;
            }
            // All tasks are in others' hands. A sender lives in the caller, so this only ends with a chunk.
            if let Ok(done) = receiver.recv() {
                return self.put(done);
            }
        }
    }
}
