//! A queue in pieces of one size.

use std::collections::VecDeque;

/// Elements in a chunk.
pub(crate) const CHUNK: usize = 16;

/// A queue whose memory comes in chunks of [`CHUNK`] elements. Millions of lists that grow in step leave a hole
/// wherever one has outgrown its place; chunks are all alike, and what one queue gives back fits any other. Nothing is
/// copied as it grows.
///
/// The chunk that empties in front is kept for the back, so that a queue of steady length allocates nothing.
#[derive(Debug)]
pub(crate) struct Chunks<T> {
    chunks: VecDeque<Box<[T; CHUNK]>>,
    /// Place of the first element in the first chunk.
    first: u32,
    len: u32,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: VecDeque::new(), first: 0, len: 0 }
    }
}

impl<T: Copy + Default> Chunks<T> {
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<T> {
        if index >= self.len() {
            return None;
        }
        let at = self.first as usize + index;
        self.chunks.get(at / CHUNK).map(|chunk| chunk[at % CHUNK])
    }

    /// Oldest first, to write to.
    /// The last `n` elements, in slices.
    pub(crate) fn last(&self, n: usize) -> impl Iterator<Item = &[T]> {
        let to = self.first as usize + self.len();
        let from = to - n.min(self.len());
        let chunks = self.chunks.range(from / CHUNK..to.div_ceil(CHUNK));
        chunks.zip(from / CHUNK..).map(move |(chunk, at)| {
            let start = at * CHUNK;
            &chunk[from.saturating_sub(start)..(to - start).min(CHUNK)]
        })
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let (first, len) = (self.first as usize, self.len as usize);
        self.chunks.iter_mut().flat_map(|chunk| chunk.iter_mut()).skip(first).take(len)
    }

    pub(crate) fn push(&mut self, element: T) {
        let at = self.first as usize + self.len as usize;
        if at / CHUNK == self.chunks.len() {
            self.chunks.push_back(Box::new([T::default(); CHUNK]));
        }
        if let Some(chunk) = self.chunks.get_mut(at / CHUNK) {
            chunk[at % CHUNK] = element;
            self.len += 1;
        }
    }

    /// Lets go of the first element.
    pub(crate) fn pop(&mut self) {
        if self.len == 0 {
            return;
        }
        self.len -= 1;
        self.first += 1;
        if self.first as usize == CHUNK {
            self.first = 0;
            let is_spared = self.chunks.len() * CHUNK >= self.len() + 2 * CHUNK;
            if let Some(emptied) = self.chunks.pop_front()
                && !is_spared
            {
                self.chunks.push_back(emptied);
            }
            if self.chunks.len() < self.chunks.capacity() / 4 {
                self.chunks.shrink_to(self.chunks.len() * 2);
            }
        }
    }

    /// Lets go of the last element.
    pub(crate) fn pop_last(&mut self) {
        self.len = self.len.saturating_sub(1);
        // One chunk to spare at the back, as in front.
        while self.chunks.len() * CHUNK >= self.first as usize + self.len() + 2 * CHUNK {
            self.chunks.pop_back();
        }
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.len() * size_of::<[T; CHUNK]>() + self.chunks.capacity() * size_of::<usize>()
    }

    /// Bytes `len` elements need, however they came to be there.
    pub(crate) fn needed(len: usize) -> usize {
        (len / CHUNK + 2) * (size_of::<[T; CHUNK]>() + 2 * size_of::<usize>())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What goes in comes out in order, in no more chunks than it takes and one to spare, and none is made where
        /// the length is steady.
        #[test]
        fn is_a_queue(steps in prop::collection::vec((0usize..40, 0usize..40, 0usize..40), 1..30)) {
            let (mut queue, mut plain, mut next) = (Chunks::default(), VecDeque::new(), 0u32);
            for (pushed, popped, taken_back) in steps {
                for _ in 0..pushed {
                    queue.push(next);
                    plain.push_back(next);
                    next += 1;
                }
                for _ in 0..popped {
                    queue.pop();
                    plain.pop_front();
                }
                for _ in 0..taken_back {
                    queue.pop_last();
                    plain.pop_back();
                }
                let got: Vec<_> = (0..queue.len() + 2).map_while(|i| queue.get(i)).collect();
                prop_assert_eq!(&got, &Vec::from(plain.clone()));
                prop_assert_eq!(queue.iter_mut().map(|n| *n).collect::<Vec<_>>(), got);
                prop_assert!(queue.bytes() <= Chunks::<u32>::needed(queue.len()) + 64 * size_of::<usize>());
                prop_assert!(queue.chunks.len() <= queue.len() / CHUNK + 3);
            }
            let (chunks, room) = (queue.chunks.len(), queue.chunks.capacity());
            for _ in 0..if plain.is_empty() { 0 } else { 100 } {
                queue.push(next);
                queue.pop();
            }
            prop_assert!(queue.chunks.len() <= chunks + 1 && queue.chunks.capacity() <= 2 * room.max(4));
        }
    }
}
