//! One message cut into its elements. Nothing is copied, and nothing of it is shown before the whole fits: a length
//! that is wrong would put digits of a card's number into any element behind it.

use super::Version;
use super::spec::{ELEMENTS, Element, Kind, Spec};

/// A message whose elements all fit.
#[derive(Debug)]
pub(super) struct Message<'b> {
    pub(super) kind: [u8; 4],
    elements: [Option<&'b [u8]>; ELEMENTS + 1],
}

impl<'b> Message<'b> {
    pub(super) fn get(&self, number: usize) -> Option<&'b [u8]> {
        self.elements.get(number).copied().flatten()
    }
}

/// The message type at the beginning of a text: version, class, function and origin, as digits.
pub(super) fn kind(bytes: &[u8]) -> Option<[u8; 4]> {
    let kind: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    let digits = kind.iter().all(u8::is_ascii_digit);
    (digits && matches!(kind[0], b'0' | b'1' | b'2' | b'8' | b'9') && kind[1] != b'0').then_some(kind)
}

/// What is left of a message.
struct Rest<'b> {
    bytes: &'b [u8],
    /// Whether bitmaps and binary elements are written as hexadecimal digits.
    hexadecimal: bool,
}

impl<'b> Rest<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    fn bitmap(&mut self) -> Option<u64> {
        if self.hexadecimal {
            let digits = std::str::from_utf8(self.take(16)?).ok()?;
            let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            return plain.then(|| u64::from_str_radix(digits, 16).ok()).flatten();
        }
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    fn element(&mut self, element: Element) -> Result<&'b [u8], String> {
        let ends = || "the message ends within it".to_owned();
        let mut length = element.length;
        if element.length_digits > 0 {
            let digits = self.take(element.length_digits).ok_or_else(ends)?;
            let stated = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
            length =
                stated.and_then(|digits| digits.parse().ok()).filter(|&stated| stated <= element.length).ok_or_else(
                    || format!("expected {} digits of a length of at most {}", element.length_digits, element.length),
                )?;
        }
        if element.kind == Kind::Binary && self.hexadecimal {
            length *= 2;
        }
        let value = self.take(length).ok_or_else(ends)?;
        let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
        match element.kind {
            Kind::Digits if !digits(value) => Err(format!("expected {length} digits")),
            Kind::Signed if !matches!(value, [b'C' | b'D', rest @ ..] if digits(rest)) => {
                Err(format!("expected C or D and {} digits", length.saturating_sub(1)))
            }
            Kind::Binary if self.hexadecimal && !value.iter().all(u8::is_ascii_hexdigit) => {
                Err(format!("expected {length} hexadecimal digits"))
            }
            _ => Ok(value),
        }
    }
}

/// Cuts a message, or says what is wrong with it. `binary` tells whether its bitmap may be bytes.
pub(super) fn cut(bytes: &[u8], version: Version, binary: bool) -> Result<Message<'_>, String> {
    let kind = kind(bytes).ok_or("expected a message type of four digits, such as 0200")?;
    let stated = match kind[0] {
        b'0' => Some(Version::V1987),
        b'1' => Some(Version::V1993),
        _ => None,
    };
    if stated != Some(version) {
        let letters = char::from(kind[0]);
        return Err(format!(
            "its type begins with {letters}; expected {} of ISO 8583:{}",
            version.digit(),
            version.year()
        ));
    }
    let rest = &bytes[4..];
    let hexadecimal = rest.len() >= 16 && rest[..16].iter().all(u8::is_ascii_hexdigit);
    if !hexadecimal && !binary {
        return Err(
            "expected a bitmap of 16 hexadecimal digits; a binary one needs messages of a stated length".to_owned()
        );
    }
    let mut rest = Rest { bytes: rest, hexadecimal };
    let short = || "the message ends within its bitmap".to_owned();
    let mut present = u128::from(rest.bitmap().ok_or_else(short)?) << 64;
    if present >> 127 == 1 {
        present |= u128::from(rest.bitmap().ok_or("expected a second bitmap, as the first bit tells")?);
    }
    let spec = Spec::of(version);
    let mut elements = [None; ELEMENTS + 1];
    for (number, read) in elements.iter_mut().enumerate().skip(2) {
        if present >> (ELEMENTS - number) & 1 == 0 {
            continue;
        }
        let element = spec.elements[number]
            .ok_or_else(|| format!("element {number}: it is none that ISO 8583:{} defines here", version.year()))?;
        *read = Some(rest.element(element).map_err(|reason| format!("element {number}: {reason}"))?);
    }
    match rest.bytes.len() {
        0 => Ok(Message { kind, elements }),
        left => Err(format!("behind its last element {left} more bytes; expected none")),
    }
}
