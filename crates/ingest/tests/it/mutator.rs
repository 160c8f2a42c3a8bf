//! Ways to spoil a good file, for the property test and for the example `mutate`.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

/// One change. Places are shares of the input's length, of 65,536.
#[derive(Clone, Debug)]
pub(crate) enum Mutation {
    /// One bit turned.
    Flip { at: u16, bit: u8 },
    /// A byte that means something to one of the parsers put in.
    Insert { at: u16, token: u8 },
    /// A stretch put in the place of another.
    Copy { from: u16, to: u16, length: u8 },
    /// A stretch cut out.
    Cut { at: u16, length: u8 },
    /// A line cut out.
    CutLine { line: u16 },
    /// A line said again.
    RepeatLine { line: u16, times: u8 },
    /// Two fields of a line exchanged.
    SwapFields { line: u16, a: u8, b: u8, delimiter: u8 },
    /// The end cut off.
    Truncate { at: u16 },
    /// A part written in another encoding.
    Encode { from: u16, encoding: u8 },
    /// Digits made longer, for numbers beyond every bound.
    Widen { at: u16, times: u8 },
}

/// What parsers look for: quotes, delimiters, line ends, tags, signs, bytes of no UTF-8, and numbers at the bounds.
const TOKENS: [&[u8]; 40] = [
    b"\"",
    b"\"\"",
    b",",
    b";",
    b"|",
    b"\t",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"<",
    b">",
    b"</",
    b"/>",
    b"<![CDATA[",
    b"]]>",
    b"&#x110000;",
    b"&amp;",
    b"<!--",
    b":61:",
    b":86:",
    b"-}",
    b"^",
    b"!Type:Bank\n",
    b"D",
    b"-",
    b"+",
    b".",
    b"(",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"1e308",
    b"NaN",
    b"99/99/9999",
    b"{",
    b"[",
    b"88,49/",
];

impl Mutation {
    /// One of all, by chance.
    pub(crate) fn random(chance: &mut Chance) -> Self {
        let place = |chance: &mut Chance| chance.next() as u16;
        let small = |chance: &mut Chance| chance.next() as u8;
        match chance.below(16) {
            0..=3 => Self::Flip { at: place(chance), bit: small(chance) },
            4..=6 => Self::Insert { at: place(chance), token: small(chance) },
            7..=8 => Self::Copy { from: place(chance), to: place(chance), length: small(chance) },
            9 => Self::Cut { at: place(chance), length: small(chance) },
            10 => Self::CutLine { line: place(chance) },
            11 => Self::RepeatLine { line: place(chance), times: small(chance) },
            12 => {
                Self::SwapFields { line: place(chance), a: small(chance), b: small(chance), delimiter: small(chance) }
            }
            13 => Self::Truncate { at: place(chance) },
            14 => Self::Encode { from: place(chance), encoding: small(chance) },
            _ => Self::Widen { at: place(chance), times: small(chance) },
        }
    }

    pub(crate) fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let place = |share: u16| length * usize::from(share) / 65_536;
        let span = |at: usize, span: u8| at..(at + usize::from(span)).min(length);
        match *self {
            Self::Flip { at, bit } => {
                if let Some(byte) = bytes.get_mut(place(at)) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Self::Insert { at, token } => {
                let at = place(at);
                bytes.splice(at..at, TOKENS[usize::from(token) % TOKENS.len()].iter().copied());
            }
            Self::Copy { from, to, length } => {
                let stretch = bytes[span(place(from), length)].to_vec();
                bytes.splice(span(place(to), length), stretch);
            }
            Self::Cut { at, length } => {
                bytes.drain(span(place(at), length));
            }
            Self::CutLine { line } => {
                bytes.drain(line_at(bytes, place(line)));
            }
            Self::RepeatLine { line, times } => {
                let range = line_at(bytes, place(line));
                let again = bytes[range.clone()].repeat(usize::from(times % 8));
                bytes.splice(range.end..range.end, again);
            }
            Self::SwapFields { line, a, b, delimiter } => {
                let range = line_at(bytes, place(line));
                let by = b",;|\t"[usize::from(delimiter) % 4];
                let mut fields: Vec<Vec<u8>> =
                    bytes[range.clone()].split(|&byte| byte == by).map(<[u8]>::to_vec).collect();
                let (a, b) = (usize::from(a) % fields.len(), usize::from(b) % fields.len());
                fields.swap(a, b);
                bytes.splice(range, fields.join(&by));
            }
            Self::Truncate { at } => bytes.truncate(place(at)),
            Self::Encode { from, encoding } => {
                let tail = String::from_utf8_lossy(&bytes[place(from)..]).into_owned();
                bytes.truncate(place(from));
                match encoding % 4 {
                    0 => bytes.extend(tail.encode_utf16().flat_map(u16::to_le_bytes)),
                    1 => bytes.extend(tail.encode_utf16().flat_map(u16::to_be_bytes)),
                    // As Latin-1 would have it, and as UTF-8 taken for Latin-1 would.
                    2 => bytes.extend(tail.chars().map(|letter| letter as u8)),
                    _ => bytes.extend(tail.bytes().flat_map(|byte| char::from(byte).to_string().into_bytes())),
                }
            }
            Self::Widen { at, times } => {
                let at = place(at);
                if let Some(found) = bytes[at..].iter().position(u8::is_ascii_digit) {
                    let digit = bytes[at + found];
                    bytes.splice(at + found..at + found, std::iter::repeat_n(digit, usize::from(times)));
                }
            }
        }
    }
}

/// The line that a place is on, with its end.
fn line_at(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let start = bytes[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let end = bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |end| at + end + 1);
    start..end
}

/// SplitMix64: the same numbers from the same seed, everywhere.
pub(crate) struct Chance(SplitMix64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SplitMix64::seed_from_u64(seed))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
