//! Where a text's delimiters and line ends stand.

/// Places of two bytes in a text, in order. They stand a few bytes apart, where a search that starts anew behind every
/// find spends its time on starting; here eight bytes are compared at a time, and what was found is kept as bits.
pub(super) struct Cuts<'b> {
    eights: std::slice::Iter<'b, [u8; 8]>,
    rest: &'b [u8],
    patterns: [u64; 2],
    /// The highest bit of every byte found in the present eight.
    found: u64,
    /// Behind the present eight.
    end: usize,
}

const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;

impl<'b> Cuts<'b> {
    pub(super) fn new(a: u8, b: u8, text: &'b [u8]) -> Self {
        let (eights, rest) = text.as_chunks::<8>();
        let patterns = [a, b].map(|byte| u64::from_ne_bytes([byte; 8]));
        Self { eights: eights.iter(), rest, patterns, found: 0, end: 0 }
    }

    fn matches(&self, eight: [u8; 8]) -> u64 {
        let text = u64::from_le_bytes(eight);
        // A byte is zero if neither its highest bit nor, with the others carried up into it, any other is set.
        let zero = |x: u64| !(((x & LOW) + LOW) | x | LOW);
        zero(text ^ self.patterns[0]) | zero(text ^ self.patterns[1])
    }
}

impl Iterator for Cuts<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            let (eight, length) = match self.eights.next() {
                Some(eight) => (*eight, 8),
                None if self.rest.is_empty() => return None,
                None => {
                    let mut eight = [0; 8];
                    eight[..self.rest.len()].copy_from_slice(self.rest);
                    (eight, std::mem::take(&mut self.rest).len())
                }
            };
            self.found = self.matches(eight);
            if length < 8 {
                // What pads the last bytes is no text.
                self.found &= (1 << (8 * length)) - 1;
            }
            self.end += 8;
        }
        let at = self.end - 8 + (self.found.trailing_zeros() / 8) as usize;
        self.found &= self.found - 1;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_place_is_found_and_no_other(
            text in prop::collection::vec(prop_oneof![Just(b','), Just(b'\n'), Just(0), Just(0x80), any::<u8>()], 0..80),
            pair in prop_oneof![Just((b',', b'\n')), Just((b'\t', b'\r')), Just((0, 0xff)), Just((0x80, b','))],
        ) {
            let expect: Vec<usize> = (0..text.len()).filter(|&at| text[at] == pair.0 || text[at] == pair.1).collect();
            prop_assert_eq!(Cuts::new(pair.0, pair.1, &text).collect::<Vec<_>>(), expect);
        }
    }
}
