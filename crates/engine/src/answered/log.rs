//! Rows of words in the order in which they were added.

use std::collections::VecDeque;

/// Rows in a chunk.
const ROWS: usize = 64;

/// A queue of rows whose memory comes in chunks, so that nothing is copied as it grows. The chunk that empties in
/// front is kept for the back: a queue of steady length allocates nothing.
#[derive(Debug)]
pub(super) struct Log {
    /// Words of a row.
    words: usize,
    chunks: VecDeque<Box<[u32]>>,
    /// Place of the first row in the first chunk.
    first: usize,
    len: usize,
}

impl Log {
    /// An empty one of rows of so many words.
    pub(super) fn new(words: usize) -> Self {
        Self { words, chunks: VecDeque::new(), first: 0, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, place: usize) -> Option<&[u32]> {
        if place >= self.len {
            return None;
        }
        let (chunk, row) = ((self.first + place) / ROWS, (self.first + place) % ROWS);
        self.chunks.get(chunk).map(|chunk| &chunk[row * self.words..(row + 1) * self.words])
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: impl Iterator<Item = u32>) {
        let (chunk, at) = ((self.first + self.len) / ROWS, (self.first + self.len) % ROWS);
        // However far the first chunk is used up: the number of rows alone decides how many chunks there are.
        while self.chunks.len() * ROWS < self.len + 1 + ROWS {
            self.chunks.push_back(vec![0; ROWS * self.words].into());
        }
        if let Some(chunk) = self.chunks.get_mut(chunk) {
            let words = &mut chunk[at * self.words..(at + 1) * self.words];
            words.iter_mut().zip(row).for_each(|(word, new)| *word = new);
            self.len += 1;
        }
    }

    /// Lets go of the first.
    pub(super) fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
        self.first += 1;
        if self.first == ROWS {
            self.first = 0;
            let is_spared = self.chunks.len() * ROWS >= self.len + 3 * ROWS;
            if let Some(emptied) = self.chunks.pop_front()
                && !is_spared
            {
                self.chunks.push_back(emptied);
            }
        }
    }

    /// Bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.chunks.len() * ROWS * self.words * size_of::<u32>() + self.chunks.capacity() * size_of::<Box<[u32]>>()
    }
}

/// The words of a number of 64 bits.
pub(super) fn words(number: u64) -> [u32; 2] {
    [number as u32, (number >> 32) as u32]
}

/// The number of two words.
pub(super) fn number(words: &[u32]) -> u64 {
    words.iter().rev().fold(0, |number, word| number << 32 | u64::from(*word))
}
