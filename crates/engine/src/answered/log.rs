//! Verdicts in the order in which they were given.

use std::collections::VecDeque;

/// Verdicts in a chunk.
const ROWS: usize = 64;

/// A queue of verdicts whose memory comes in chunks, so that nothing is copied as it grows. The chunk that empties in
/// front is kept for the back: a queue of steady length allocates nothing.
#[derive(Debug)]
pub(super) struct Log {
    /// Words of a verdict: its tag, its time, and its numbers.
    words: usize,
    chunks: VecDeque<Box<[u64]>>,
    /// Place of the first verdict in the first chunk.
    first: usize,
    len: usize,
}

/// One verdict.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a>(&'a [u64]);

impl<'a> Entry<'a> {
    pub(super) fn tag(&self) -> u64 {
        self.0[0]
    }

    pub(super) fn at(&self) -> i64 {
        self.0[1].cast_signed()
    }

    pub(super) fn numbers(self) -> impl Iterator<Item = f64> + use<'a> {
        self.0[2..].iter().map(|bits| f64::from_bits(*bits))
    }
}

impl Log {
    /// An empty one of verdicts with `width` numbers.
    pub(super) fn new(width: usize) -> Self {
        Self { words: 2 + width, chunks: VecDeque::new(), first: 0, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, place: usize) -> Option<Entry<'_>> {
        if place >= self.len {
            return None;
        }
        let (chunk, row) = ((self.first + place) / ROWS, (self.first + place) % ROWS);
        self.chunks.get(chunk).map(|chunk| Entry(&chunk[row * self.words..(row + 1) * self.words]))
    }

    /// Adds a verdict with as many numbers as all have.
    pub(super) fn push(&mut self, tag: u64, at: i64, numbers: impl Iterator<Item = f64>) {
        let (chunk, row) = ((self.first + self.len) / ROWS, (self.first + self.len) % ROWS);
        if chunk == self.chunks.len() {
            self.chunks.push_back(vec![0; ROWS * self.words].into());
        }
        if let Some(chunk) = self.chunks.get_mut(chunk) {
            let words = &mut chunk[row * self.words..(row + 1) * self.words];
            (words[0], words[1]) = (tag, at.cast_unsigned());
            words[2..].iter_mut().zip(numbers).for_each(|(word, number)| *word = number.to_bits());
            self.len += 1;
        }
    }

    /// Lets go of the first.
    pub(super) fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
        self.first += 1;
        if self.first == ROWS {
            self.first = 0;
            let is_spared = self.chunks.len() * ROWS >= self.len + 2 * ROWS;
            if let Some(emptied) = self.chunks.pop_front()
                && !is_spared
            {
                self.chunks.push_back(emptied);
            }
        }
    }

    /// Bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.chunks.len() * ROWS * self.words * size_of::<u64>() + self.chunks.capacity() * size_of::<Box<[u64]>>()
    }
}
