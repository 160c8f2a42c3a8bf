//! A list in pieces of one size.

use std::ops::{Index, IndexMut};

/// Elements in a segment.
pub(crate) const SEGMENT: usize = 32;

/// A list whose memory comes in segments of [`SEGMENT`] elements. A million elements in one piece would be copied as a
/// whole when they outgrow it, and whoever pays then waits for that; here one segment is added and nothing is copied.
///
/// Only the first segment grows by doubling, so that a list of few elements takes little.
#[derive(Debug)]
pub(crate) struct Segments<T> {
    segments: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Segments<T> {
    fn default() -> Self {
        Self { segments: Vec::new(), len: 0 }
    }
}

impl<T> Segments<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, element: T) {
        let at = self.len / SEGMENT;
        if at == self.segments.len() {
            let room = if at == 0 { 4 } else { SEGMENT };
            self.segments.push(Vec::with_capacity(room));
        }
        self.segments[at].push(element);
        self.len += 1;
    }

    /// Takes element `at` out and puts the last in its place.
    ///
    /// # Panics
    /// Where there is no such element.
    pub(crate) fn swap_remove(&mut self, at: usize) -> Option<T> {
        assert!(at < self.len, "element {at} of {}", self.len);
        self.len -= 1;
        let last = self.segments.get_mut(self.len / SEGMENT)?.pop()?;
        // One empty segment is kept, so that a list of steady length allocates nothing.
        self.segments.truncate(self.len.div_ceil(SEGMENT) + 1);
        if at == self.len { Some(last) } else { Some(std::mem::replace(&mut self[at], last)) }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.segments.iter().flatten()
    }

    pub(crate) fn into_each(self) -> impl Iterator<Item = T> {
        self.segments.into_iter().flatten()
    }

    /// The segments, all but the last of those that are not empty full: element `i` is number `i % SEGMENT` of segment
    /// `i / SEGMENT`.
    pub(crate) fn segments_mut(&mut self) -> &mut [Vec<T>] {
        &mut self.segments
    }

    /// Bytes on the heap, those of the elements themselves not among them.
    pub(crate) fn bytes(&self) -> usize {
        let own = self.segments.capacity() * size_of::<Vec<T>>();
        own + self.segments.iter().map(|segment| segment.capacity() * size_of::<T>()).sum::<usize>()
    }
}

impl<T> Index<usize> for Segments<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: usize) -> &T {
        &self.segments[at / SEGMENT][at % SEGMENT]
    }
}

impl<T> IndexMut<usize> for Segments<T> {
    #[inline]
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.segments[at / SEGMENT][at % SEGMENT]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// As a plain list, in no more segments than it takes and one to spare.
        #[test]
        fn is_a_list(steps in prop::collection::vec((0usize..200, 0usize..200), 1..20)) {
            let (mut list, mut plain) = (Segments::default(), Vec::new());
            let mut next = 0u32;
            for (pushed, removed) in steps {
                for _ in 0..pushed {
                    list.push(next);
                    plain.push(next);
                    next += 1;
                }
                for i in 0..removed.min(plain.len()) {
                    let at = i * 7_919 % plain.len();
                    prop_assert_eq!(list.swap_remove(at), Some(plain.swap_remove(at)));
                }
                prop_assert_eq!(list.len(), plain.len());
                prop_assert_eq!(list.iter().copied().collect::<Vec<_>>(), plain.clone());
                prop_assert!((0..plain.len()).all(|at| list[at] == plain[at]));
                prop_assert!(list.segments.len() <= plain.len() / SEGMENT + 2);
                prop_assert!(list.segments.iter().skip(1).all(|segment| segment.capacity() == SEGMENT));
            }
        }
    }
}
