//! What all families share: states found by key, and batches worked off one entity after the other.

use std::fmt;
use std::hash::Hash;
use std::ops::Range;

use crible_core::{Batch, Column, Transaction};
use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::set::{Rows, UNWANTED};
use crate::window::IdMap;
use crate::{Feature, StateError};

/// One kind of entity: whose state a transaction belongs to, what of it matters there, and what is read.
pub(crate) trait Rule: fmt::Debug + Send + Sync {
    type Key: Hash + Ord + Copy + fmt::Debug + Send + Serialize + DeserializeOwned;
    /// What the rule needs of a transaction; small, because a batch's are sorted by entity.
    type Input: Copy + Default + fmt::Debug + Send + Sync;
    type State: Default + fmt::Debug + Send;
    /// A state without what can be computed from the rest.
    type Kept: Serialize + DeserializeOwned;

    /// In saved states.
    const NAME: &'static str;

    /// The columns [`Rule::step`] fills.
    fn columns(&self) -> Vec<Column>;
    /// Whose state it is, and the input; `None` reads zeros and leaves no trace.
    fn input(&self, txn: &Transaction) -> Option<(Self::Key, Self::Input)>;
    /// Reads the state into `out` where asked to, then absorbs.
    fn step(&self, state: &mut Self::State, input: &Self::Input, out: Option<Writer<'_>>);
    /// Bytes a state holds on the heap.
    fn heap_bytes(&self, state: &Self::State) -> usize;
    /// What is kept of a state.
    fn keep(&self, state: &Self::State) -> Self::Kept;
    /// The state that was kept; `None` where no transactions up to `watermark` leave it.
    fn revive(&self, kept: Self::Kept, watermark: i64) -> Option<Self::State>;
    /// What is kept of the state after both sides' transactions, which are of different accounts; `None` where it cannot be told.
    fn join(&self, a: Self::Kept, b: Self::Kept) -> Option<Self::Kept>;
}

/// Fills a row from the left, so that the order of the columns is written down once; what nobody wants is not computed.
pub(crate) struct Writer<'a> {
    out: std::slice::IterMut<'a, f32>,
    /// One bit for each column of the rule, the first lowest: whether it is kept.
    kept: u64,
}

impl Writer<'_> {
    pub(crate) fn put(&mut self, value: impl FnOnce() -> f64) {
        if self.kept & 1 == 1
            && let Some(out) = self.out.next()
        {
            *out = value() as f32;
        }
        self.kept >>= 1;
    }

    pub(crate) fn finish(self) {
        debug_assert!(self.kept == 0 && self.out.len() == 0, "as many numbers as columns");
    }
}

/// All entities of one kind.
///
/// A batch is worked off entity by entity: inputs are sorted by entity (their order in time kept), so that an entity's
/// state is fetched from memory once a batch and not once a transaction, and ranges of entities go to different
/// threads. Entities share nothing, so neither changes a bit.
#[derive(Debug)]
pub(crate) struct Family<R: Rule> {
    rule: R,
    columns: Vec<Column>,
    kept: u64,
    index: IdMap<R::Key, u32>,
    states: Vec<R::State>,
    scratch: Scratch<R::Input>,
    staged: Vec<(R::Key, R::State)>,
}

/// Inputs of a batch, as read and sorted by entity: kept from batch to batch.
#[derive(Debug, Default)]
struct Scratch<I> {
    read: Vec<(u32, I)>,
    /// Where the rows of each entity end.
    ends: Vec<u32>,
    /// Entity, wanted number and input, sorted by entity.
    sorted: Vec<(u32, u32, I)>,
}

const NOBODY: u32 = u32::MAX;

impl<R: Rule> Family<R> {
    /// The family with those of the rule's columns that `keep` says yes to; a rule has at most 64.
    pub(crate) fn new(rule: R, keep: &dyn Fn(&Column) -> bool) -> Self {
        let all = rule.columns();
        debug_assert!(all.len() <= 64, "a bit for each column");
        let kept = all.iter().enumerate().fold(0, |kept, (i, column)| kept | u64::from(keep(column)) << i);
        let columns = all.into_iter().filter(|column| keep(column)).collect();
        let scratch = Scratch { read: Vec::new(), ends: Vec::new(), sorted: Vec::new() };
        Self { rule, columns, kept, index: IdMap::default(), states: Vec::new(), scratch, staged: Vec::new() }
    }

    fn slot(&mut self, key: R::Key) -> u32 {
        let next = self.states.len() as u32;
        let slot = *self.index.entry(key).or_insert(next);
        if slot == next {
            self.states.push(R::State::default());
        }
        slot
    }

    /// Counting sort of a batch's rows by entity, the rows of nobody at the end.
    fn sort(&mut self, batch: &Batch, rows: Range<usize>, wanted: &[u32]) {
        let mut scratch = std::mem::take(&mut self.scratch.read);
        scratch.clear();
        for row in rows {
            scratch.push(match self.rule.input(&batch.get(row)) {
                Some((key, input)) => (self.slot(key), input),
                None => (NOBODY, R::Input::default()),
            });
        }
        self.scratch.read = scratch;
        let Scratch { read, ends, sorted } = &mut self.scratch;
        let entities = self.states.len();
        let place = |slot: u32| (slot as usize).min(entities);
        ends.clear();
        ends.resize(entities + 2, 0);
        for &(slot, _) in read.iter() {
            ends[place(slot) + 1] += 1;
        }
        for i in 1..ends.len() {
            ends[i] += ends[i - 1];
        }
        sorted.clear();
        sorted.resize(read.len(), (NOBODY, UNWANTED, R::Input::default()));
        for (&(slot, input), &number) in read.iter().zip(wanted) {
            let next = &mut ends[place(slot)];
            sorted[*next as usize] = (slot, number, input);
            *next += 1;
        }
    }
}

impl<R: Rule> Feature for Family<R> {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn step(&mut self, txn: &Transaction, out: &mut [f32]) {
        match self.rule.input(txn) {
            Some((key, input)) => {
                let slot = self.slot(key) as usize;
                let out = Writer { out: out.iter_mut(), kept: self.kept };
                self.rule.step(&mut self.states[slot], &input, Some(out));
            }
            None => out.fill(0.0),
        }
    }

    fn step_all(&mut self, batch: &Batch, rows: Range<usize>, wanted: &[u32], out: &mut Rows) {
        self.sort(batch, rows, wanted);
        let Self { rule, columns, kept, states, scratch: Scratch { ends, sorted, .. }, .. } = self;
        let (rule, width, kept) = (&*rule, columns.len(), *kept);
        // Numbers stand in the order they are worked off; `place` finds them again.
        let mut next = 0;
        for &(_, number, _) in sorted.iter() {
            if number != UNWANTED {
                out.place[number as usize] = next;
                next += 1;
            }
        }

        // Ranges of entities of about equally many rows, a few for every thread.
        let tasks = rayon::current_num_threads() * 8;
        let each = (sorted.len() / tasks).max(256);
        let mut jobs = Vec::with_capacity(tasks + 1);
        let (mut states_left, mut numbers_left) = (&mut states[..], &mut out.numbers[..]);
        let (mut entity, mut row) = (0usize, 0usize);
        while !states_left.is_empty() {
            let (first, from) = (entity, row);
            while entity - first < states_left.len() && row - from < each {
                row = ends[entity] as usize;
                entity += 1;
            }
            let (mine, rest) = std::mem::take(&mut states_left).split_at_mut(entity - first);
            states_left = rest;
            let inputs = &sorted[from..row];
            let read = inputs.iter().filter(|&&(_, number, _)| number != UNWANTED).count();
            let (numbers, rest) = std::mem::take(&mut numbers_left).split_at_mut(read * width);
            numbers_left = rest;
            jobs.push((mine, first, inputs, numbers));
        }
        numbers_left.fill(0.0);
        jobs.into_par_iter().for_each(|(states, first, inputs, numbers)| {
            let mut free = numbers.chunks_exact_mut(width);
            for (slot, number, input) in inputs {
                let out = if *number == UNWANTED { None } else { free.next() };
                let out = out.map(|out| Writer { out: out.iter_mut(), kept });
                rule.step(&mut states[*slot as usize - first], input, out);
            }
        });
    }

    fn name(&self) -> &'static str {
        R::NAME
    }

    fn save(&self) -> Vec<u8> {
        let mut entities: Vec<(R::Key, u32)> = self.index.iter().map(|(&key, &slot)| (key, slot)).collect();
        entities.sort_unstable();
        let mut out = Vec::new();
        for (key, slot) in entities {
            // Writing plain data to memory has nothing to fail on.
            out = postcard::to_extend(&(key, self.rule.keep(&self.states[slot as usize])), out).unwrap_or_default();
        }
        out
    }

    fn stage(&mut self, mut bytes: &[u8], watermark: Option<i64>) -> Result<(), StateError> {
        let watermark = watermark.unwrap_or(i64::MIN);
        let mut before: Option<R::Key> = None;
        while !bytes.is_empty() {
            let entity = self.staged.len();
            let impossible = StateError::Impossible { family: R::NAME, entity };
            let ((key, mut kept), rest): ((R::Key, R::Kept), _) =
                postcard::take_from_bytes(bytes).map_err(|error| StateError::Encoding(error.to_string()))?;
            bytes = rest;
            if before.replace(key).is_some_and(|before| before >= key) {
                return Err(impossible);
            }
            if let Some(&slot) = self.index.get(&key) {
                let here = self.rule.keep(&self.states[slot as usize]);
                kept = self.rule.join(here, kept).ok_or(StateError::InBoth { family: R::NAME, entity })?;
            }
            self.staged.push((key, self.rule.revive(kept, watermark).ok_or(impossible)?));
        }
        Ok(())
    }

    fn commit(&mut self, take: bool) {
        for (key, state) in std::mem::take(&mut self.staged) {
            if take {
                let slot = self.slot(key) as usize;
                self.states[slot] = state;
            }
        }
    }

    fn state_bytes(&self) -> usize {
        self.states.capacity() * size_of::<R::State>()
            + self.states.iter().map(|s| self.rule.heap_bytes(s)).sum::<usize>()
            + self.index.allocation_size()
    }
}
