//! One text file: blocks read and unpacked by whoever asks for the next chunk, parsed ahead by whoever of the pool has
//! time, handed out in file order.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::build::Keys;
use crate::csv::blocks::Blocks;
use crate::csv::{Dialect, parse};
use crate::input::{Heard, Input};
use crate::plan::Plan;
use crate::rows::Chunk;
use crate::worker::Worker;

/// What a task hands back: its place in the file, and its chunk or the panic that kept it from one.
type Done = (usize, thread::Result<Chunk>);

pub(super) struct Text {
    blocks: Blocks<Box<dyn Read + Send>>,
    heard: Arc<Heard>,
    ended: bool,
    shared: Arc<Shared>,
    sender: Sender<Done>,
    receiver: Receiver<Done>,
    /// Blocks sent to be parsed, and those of them handed out.
    sent: usize,
    taken: usize,
    /// Chunks that have come back before their turn.
    waiting: BTreeMap<usize, Chunk>,
}

/// What the tasks of one file share.
struct Shared {
    dialect: Dialect,
    plan: Arc<Plan>,
    keys: Arc<Keys>,
    workers: Mutex<Vec<Worker>>,
    spare: Mutex<Vec<Vec<u8>>>,
    chunks: Mutex<Vec<Chunk>>,
}

impl Text {
    pub(super) fn open(
        input: &Input,
        dialect: Dialect,
        skip: u64,
        plan: Arc<Plan>,
        keys: Arc<Keys>,
        counter: Arc<AtomicU64>,
    ) -> io::Result<Self> {
        let heard = Arc::new(Heard::default());
        let mut reader = input.utf8(counter, &heard)?;
        io::copy(&mut reader.by_ref().take(skip), &mut io::sink())?;
        let (sender, receiver) = channel();
        let blocks = Blocks::new(reader, dialect, plan.clone());
        let shared = Shared {
            dialect,
            plan,
            keys,
            workers: Mutex::default(),
            spare: Mutex::default(),
            chunks: Mutex::default(),
        };
        let (ended, shared, waiting) = (false, Arc::new(shared), BTreeMap::new());
        Ok(Self { blocks, heard, ended, shared, sender, receiver, sent: 0, taken: 0, waiting })
    }

    /// The next chunk, and as many blocks `ahead` of it sent to be parsed.
    pub(super) fn next(&mut self, ahead: usize) -> Option<Chunk> {
        while !self.ended && self.sent - self.taken <= ahead {
            self.send();
        }
        if self.taken == self.sent {
            return None;
        }
        loop {
            if let Some(chunk) = self.waiting.remove(&self.taken) {
                self.taken += 1;
                return Some(chunk);
            }
            match self.wait() {
                (number, Ok(chunk)) => self.waiting.insert(number, chunk),
                (_, Err(panic)) => resume_unwind(panic),
            };
        }
    }

    /// Takes the memory of a chunk for one to come.
    pub(super) fn reuse(&self, chunk: Chunk) {
        push(&self.shared.chunks, chunk);
    }

    /// Why the file broke off before its end, if it did.
    pub(super) fn broke(&self) -> Option<&str> {
        self.blocks.broke()
    }

    /// What it is encoded in, where that is not UTF-8 and has come to light.
    pub(super) fn encoding(&self) -> Option<&'static str> {
        self.heard.described()
    }

    fn send(&mut self) {
        let Some(piece) = self.blocks.next(pop(&self.shared.spare)) else {
            self.ended = true;
            return;
        };
        let (shared, sender, number) = (self.shared.clone(), self.sender.clone(), self.sent);
        rayon::spawn_fifo(move || {
            let chunk = catch_unwind(AssertUnwindSafe(|| {
                let Shared { dialect, plan, keys, workers, spare, chunks } = &*shared;
                let mut worker = pop(workers).unwrap_or_else(|| Worker::new(plan.counterparty_domain));
                worker.chunk = pop(chunks);
                let chunk = parse::parse(&piece, *dialect, plan, keys, &mut worker);
                push(workers, worker);
                push(spare, piece.into_bytes());
                chunk
            }));
            // Nobody listens any more where the file was given up.
            let _ = sender.send((number, chunk));
        });
        self.sent += 1;
    }

    /// One more chunk that has come back, lending a hand where a task is still to be had.
    fn wait(&self) -> Done {
        loop {
            if let Ok(done) = self.receiver.try_recv() {
                return done;
            }
            if rayon::yield_now() == Some(rayon::Yield::Executed) {
                continue;
            }
            // All tasks are in others' hands. A sender lives in `self`, so this only ends with a chunk.
            if let Ok(done) = self.receiver.recv() {
                return done;
            }
        }
    }
}

/// A panic elsewhere leaves nothing half done in a list of spare things.
fn pop<T>(spare: &Mutex<Vec<T>>) -> Option<T> {
    spare.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn push<T>(spare: &Mutex<Vec<T>>, thing: T) {
    spare.lock().unwrap_or_else(PoisonError::into_inner).push(thing);
}
