//! Numbers: of cards, phones, accounts and persons; and the dates among them, which stay.

use super::{Kind, Span};

/// Digits in one piece.
#[derive(Clone, Copy, Debug)]
struct Group {
    start: usize,
    end: usize,
}

impl Group {
    fn len(self) -> usize {
        self.end - self.start
    }
}

/// The most characters there may be between two groups of one number, as in `+49 (0) 30`.
const BETWEEN: usize = 3;

/// Length of the character at the start of a text that may stand between the groups of a number; 0 for any other.
fn separator(bytes: &[u8]) -> usize {
    match bytes {
        [b' ' | b'-' | b'.' | b'/' | b'(' | b')', ..] => 1,
        // The blank that does not break, and its like; hyphens and dashes.
        [0xc2, 0xa0, ..] => 2,
        [0xe2, 0x80, 0x87 | 0x89 | 0xaf | 0x90..=0x94, ..] => 3,
        _ => 0,
    }
}

/// Finds numbers; of those in one piece, with `run` digits and more.
pub(super) fn find(text: &str, run: usize, spans: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let mut groups: Vec<Group> = Vec::new();
    let mut at = 0;
    // Where the last date ended, in names of files alone.
    let mut dated: Option<usize> = None;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        // A sequence: groups with little between them.
        groups.clear();
        loop {
            let length = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            groups.push(Group { start: at, end: at + length });
            at += length;
            let mut next = at;
            for _ in 0..BETWEEN {
                next += separator(&bytes[next..]);
            }
            if next > at && bytes.get(next).is_some_and(u8::is_ascii_digit) {
                at = next;
            } else {
                break;
            }
        }
        let sequence = Sequence { bytes, groups: &groups, run };
        // A time behind a date, as in `20240131_120000`.
        let between = dated.take().map_or(&b""[..], |end| &bytes[end..groups[0].start]);
        let from = usize::from(matches!(between, b"_" | b"T" | b"t") && sequence.clock(0));
        dated = sequence.spans(from, spans).filter(|_| run <= 6);
    }
}

struct Sequence<'t> {
    bytes: &'t [u8],
    groups: &'t [Group],
    run: usize,
}

impl Sequence<'_> {
    /// Whether a group is a time of day: hours and minutes, perhaps with seconds.
    fn clock(&self, at: usize) -> bool {
        let n = |from: usize, to: usize| self.number(at, from, to);
        match self.groups[at].len() {
            4 => n(0, 2) < 24 && n(2, 4) < 60,
            6 => n(0, 2) < 24 && n(2, 4) < 60 && n(4, 6) < 61,
            _ => false,
        }
    }

    /// Finds numbers from a group on. Returns where the last group ends, if a date is what it ends.
    fn spans(&self, mut at: usize, spans: &mut Vec<Span>) -> Option<usize> {
        let mut dated = None;
        while at < self.groups.len() {
            dated = None;
            if let Some(groups) = self.date(at) {
                at += groups;
                dated = Some(self.groups[at - 1].end);
                if self.run <= 6 && at < self.groups.len() && self.clock(at) {
                    at += 1;
                }
                continue;
            }
            let found = (self.card(at).map(|last| (last, Kind::Card)))
                .or_else(|| self.phone(at).map(|last| (last, Kind::Phone)))
                .or_else(|| self.account(at).map(|last| (last, Kind::Digits(self.digits(at, last)))));
            let Some((last, kind)) = found else {
                at += 1;
                continue;
            };
            let mut start = self.groups[at].start;
            // The plus and the parenthesis belong to the number.
            while kind == Kind::Phone && start > 0 && matches!(self.bytes[start - 1], b'+' | b'(') {
                start -= 1;
            }
            spans.push(Span { start, end: self.groups[last].end, kind });
            at = last + 1;
        }
        dated
    }

    fn text(&self, at: usize) -> &[u8] {
        let Group { start, end } = self.groups[at];
        &self.bytes[start..end]
    }

    /// What stands before group `at`, between it and the one before.
    fn before(&self, at: usize) -> &[u8] {
        &self.bytes[self.groups[at - 1].end..self.groups[at].start]
    }

    fn digits(&self, first: usize, last: usize) -> usize {
        self.groups[first..=last].iter().map(|group| group.len()).sum()
    }

    fn lengths<const N: usize>(&self, at: usize) -> Option<[usize; N]> {
        let groups = self.groups.get(at..at + N)?;
        Some(std::array::from_fn(|place| groups[place].len()))
    }

    fn number(&self, at: usize, from: usize, to: usize) -> u32 {
        self.text(at)[from..to].iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
    }

    /// How many groups from `at` on are a date, or date and time in one piece.
    fn date(&self, at: usize) -> Option<usize> {
        let length = self.groups[at].len();
        let n = |from: usize, to: usize| self.number(at, from, to);
        let year = |year: u32| (1900..2100).contains(&year);
        let (month, day) = (|month: u32| (1..=12).contains(&month), |day: u32| (1..=31).contains(&day));
        let either = |a: u32, b: u32| (month(a) && day(b)) || (day(a) && month(b));
        let whole = match length {
            // A year and month, or a day without a century, in names of files alone.
            6 if self.run <= 6 => {
                (year(n(0, 4)) && month(n(4, 6))) || either(n(2, 4), n(4, 6)) || either(n(0, 2), n(2, 4))
            }
            8 => (year(n(0, 4)) && either(n(4, 6), n(6, 8))) || (year(n(4, 8)) && either(n(0, 2), n(2, 4))),
            12 | 14 => {
                let clock = n(8, 10) < 24 && n(10, 12) < 60 && (length == 12 || n(12, 14) < 61);
                year(n(0, 4)) && month(n(4, 6)) && day(n(6, 8)) && clock
            }
            _ => false,
        };
        if whole {
            return Some(1);
        }
        let lengths: [usize; 3] = self.lengths(at)?;
        let same = matches!(self.before(at + 1), b"-" | b"." | b"/") && self.before(at + 1) == self.before(at + 2);
        // A fourth group behind the same mark makes it a number of another kind, unless it is the time in a file's
        // name.
        let more = at + 3 < self.groups.len()
            && self.before(at + 3) == self.before(at + 1)
            && !(self.run <= 6 && self.clock(at + 3) && at + 4 == self.groups.len());
        let all = |place: usize| self.number(at + place, 0, lengths[place]);
        let fits = match lengths {
            [4, 1 | 2, 1 | 2] => year(all(0)) && either(all(1), all(2)),
            [1 | 2, 1 | 2, 4] => year(all(2)) && either(all(0), all(1)),
            [1 | 2, 1 | 2, 2] => either(all(0), all(1)),
            _ => false,
        };
        (same && fits && !more).then_some(3)
    }

    /// The last group of a card number that begins with group `at`: the longest that has the right last digit.
    fn card(&self, at: usize) -> Option<usize> {
        let mut digits: Vec<u8> = Vec::with_capacity(19);
        let mut found = None;
        for group in at..self.groups.len() {
            if group > at && self.before(group).iter().any(|byte| b"/()".contains(byte)) {
                break;
            }
            if digits.len() + self.groups[group].len() > 19 {
                break;
            }
            digits.extend_from_slice(self.text(group));
            if digits.len() >= 13 && luhn(&digits) {
                found = Some(group);
            }
        }
        found
    }

    /// The last group of a phone number that begins with group `at`.
    fn phone(&self, at: usize) -> Option<usize> {
        let start = self.groups[at].start;
        let plus = matches!(&self.bytes[..start], [.., b'+'] | [.., b'+', b'(']);
        let trunk = self.text(at)[0] == b'0' && self.groups[at].len() > 1;
        if let Some([1, 3, 3, 4]) = self.lengths(at)
            && self.text(at) == b"1"
        {
            return Some(at + 3);
        }
        if let Some([3, 3, 4]) = self.lengths(at)
            && self.text(at)[0] >= b'2'
        {
            return Some(at + 2);
        }
        let (fewest, several) = match (plus, trunk) {
            (true, _) => (7, false),
            (false, true) => (9, true),
            _ => return None,
        };
        let mut found = None;
        let mut digits = 0;
        for group in at..self.groups.len() {
            digits += self.groups[group].len();
            if digits > 15 {
                break;
            }
            if digits >= fewest && (group > at || !several) {
                found = Some(group);
            }
        }
        found
    }

    /// The last group of a number that may be an account's or a person's.
    fn account(&self, at: usize) -> Option<usize> {
        if let Some([3, 2, 4]) = self.lengths(at) {
            return Some(at + 2);
        }
        let fours = self.groups[at..].iter().take_while(|group| group.len() == 4).count();
        if fours >= 2 {
            let rest = self.groups.get(at + fours).is_some_and(|group| group.len() < 4);
            let last = at + fours - usize::from(!rest);
            if self.digits(at, last) > 8 {
                return Some(last);
            }
        }
        let joined = |group: usize| {
            let lengths: Option<[usize; 2]> = self.lengths(group);
            lengths.is_some_and(|[a, b]| a >= 6 && b >= 4) && matches!(self.before(group + 1), b"/" | b"-")
        };
        if joined(at) {
            return Some(at + 1);
        }
        (self.groups[at].len() >= self.run).then_some(at)
    }
}

/// ISO/IEC 7812: every second digit from the right doubled, the sum a multiple of ten. All zeros are no card.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            let double = 2 * digit;
            if place % 2 == 0 { digit } else { double / 10 + double % 10 }
        })
        .sum();
    sum > 0 && sum.is_multiple_of(10)
}
