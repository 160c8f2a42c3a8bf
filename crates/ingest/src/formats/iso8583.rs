//! ISO 8583:1987 and 1993, card messages as systems log them: ASCII elements, bitmaps in hexadecimal or in bytes.
//!
//! A file is either of lines, a message each, with the bitmap in hexadecimal (one in bytes could hold a line's end) and
//! with remarks behind a `#`; or of frames, each two bytes of length, the higher first, and a message of that length.
//! Lengths in front of elements count characters, and bytes of binary elements.

mod entry;
mod message;
mod spec;
mod year;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use super::sheet::{Column, Entry, Sheet};
use super::{About, Content, Format, Head, Named, Opened, SHAPE};
use crate::error::Error;
use year::Anchor;

const V1987: About = About {
    name: "iso8583-1987",
    feed: "iso8583-1987",
    title: "ISO 8583:1987, card messages",
    source: "ISO 8583, Financial transaction card originated messages",
    notes: "A message a line, its bitmap in hexadecimal, or frames of two bytes of length (the higher first) and a \
            message, its bitmap in hexadecimal or bytes; elements are ASCII, binary ones as the bitmap is. Requests, \
            advices and notifications of the classes 1 and 2 are transactions and those of class 4 go the other way; \
            responses, declined advices, repeats of what the file has, inquiries and other classes are rejected. The \
            account is the card's number, which is shown nowhere. The time is element 7, UTC, else 12 and 13 as if \
            UTC; the form has no year, so the file's name or a first line such as `# 2024` has to say one year, or a \
            day that times are nearest to. The counterparty is the card acceptor (42), else its name (43), else the \
            terminal (41); the category is the MCC. An authorisation and its later presentment are two messages, and \
            both are read. A partial reversal returns element 4 less the first amount of 95.",
    signature: "a message of that form at its beginning",
    parties_are_accounts: false,
    id: Some(true),
    country: true,
    texts: false,
    corrects: false,
};
const V1993: About = About {
    name: "iso8583-1993",
    feed: "iso8583-1993",
    title: "ISO 8583:1993, card messages",
    source: "ISO 8583, Financial transaction card originated messages",
    notes: "As iso8583-1987. The year is that of element 12; where there is no element 7, the time is element 12 as if \
            UTC. Partial reversals (function code 401) are rejected.",
    signature: "a message of that form at its beginning",
    parties_are_accounts: false,
    id: Some(true),
    country: true,
    texts: false,
    corrects: false,
};

/// Messages of one of the editions.
#[derive(Debug)]
pub(super) struct Messages(pub(super) Version);

impl Format for Messages {
    fn about(&self) -> &'static About {
        match self.0 {
            Version::V1987 => &V1987,
            Version::V1993 => &V1993,
        }
    }

    fn sees(&self, head: &Head<'_>) -> Option<u8> {
        (begins(head.bytes) == Some(self.0)).then_some(SHAPE)
    }

    fn is_bytes(&self) -> bool {
        true
    }

    fn open(&self, content: Content, file: &Named<'_>) -> Result<Opened, Error> {
        let (bytes, version) = (content.bytes(), self.0);
        let (anchor, described) = settle(&bytes, version, file.path)?;
        let opened = Opened::new(move |sheet| read(&bytes, version, anchor, sheet));
        Ok(Opened { described: described.into_iter().collect(), ..opened })
    }
}

/// Which of the standard's editions a file is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1987,
    V1993,
}

impl Version {
    fn digit(self) -> char {
        match self {
            Self::V1987 => '0',
            Self::V1993 => '1',
        }
    }

    fn year(self) -> u16 {
        match self {
            Self::V1987 => 1987,
            Self::V1993 => 1993,
        }
    }
}

/// The version of a file that begins like this: that of the first of a few messages that can be cut.
fn begins(head: &[u8]) -> Option<Version> {
    let of = |bytes: &[u8], binary| {
        [Version::V1987, Version::V1993].into_iter().find(|&version| message::cut(bytes, version, binary).is_ok())
    };
    let lines = lines(head).filter(|(_, line)| !line.starts_with(b"#")).take(4);
    let mut frames = frames(head, |bytes| of(bytes, true).is_some()).take(4);
    lines.map(|(_, line)| of(line, false)).find(Option::is_some).flatten().or_else(|| {
        frames.find_map(|frame| match frame {
            Frame::Whole(bytes) => of(bytes, true),
            _ => None,
        })
    })
}

/// Where the years of times come from, and words for it. Only the form of 1987 needs telling.
fn settle(bytes: &[u8], version: Version, path: &Path) -> Result<(Option<Anchor>, Option<String>), Error> {
    let remark = lines(bytes).map_while(|(_, line)| line.strip_prefix(b"#")).find_map(|remark| {
        let remark = String::from_utf8_lossy(remark);
        Anchor::find(&remark)
    });
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let (anchor, source) = match remark {
        Some(anchor) => (Some(anchor), "a remark above the messages"),
        None => (Anchor::find(&name), "the file's name"),
    };
    match (version, anchor) {
        (Version::V1993, anchor) => Ok((anchor, None)),
        (Version::V1987, Some(anchor)) => Ok((Some(anchor), Some(format!("{anchor}, after {source}")))),
        (Version::V1987, None) => Err(Error::Undecided {
            path: path.to_owned(),
            column: "element 7".to_owned(),
            what: "of which year the messages are".to_owned(),
            hint:
                "put one year or date into the file's name, such as messages-2024-01-31.iso, or into a first line such \
                   as `# 2024`"
                    .to_owned(),
        }),
    }
}

fn read(bytes: &[u8], version: Version, anchor: Option<Anchor>, sheet: &mut Sheet<'_>) {
    let mut seen = HashSet::new();
    let mut take = |line: u64, bytes: &[u8], binary: bool, sheet: &mut Sheet<'_>| {
        let mut entry = match message::cut(bytes, version, binary) {
            Ok(message) => entry::entry(&message, version, anchor, line),
            Err(reason) => broken(bytes, line, reason),
        };
        if entry.wrong.is_none() && !entry.get(Column::Id).is_empty() {
            let mut hasher = DefaultHasher::new();
            (entry.get(Column::Id), entry.get(Column::Account)).hash(&mut hasher);
            let repeats = message::kind(bytes).is_some_and(|kind| matches!(kind[3], b'1' | b'3' | b'5'));
            if !seen.insert(hasher.finish()) && repeats {
                entry.reject(
                    None,
                    &shown(bytes),
                    "it repeats an earlier message of the file; expected one not yet there",
                );
            }
        }
        sheet.push(entry);
    };
    if in_lines(bytes) {
        for (number, line) in lines(bytes) {
            if !line.starts_with(b"#") {
                take(number, line, false, sheet);
            }
        }
        return;
    }
    let whole = |bytes: &[u8]| message::cut(bytes, version, true).is_ok();
    let mut number = 0;
    for frame in frames(bytes, whole) {
        match frame {
            Frame::Whole(bytes) => take(number, bytes, true, sheet),
            Frame::Lost(length) => {
                let reason = format!(
                    "a frame's length leads to no message, {length} bytes are passed over; expected two \
                                      bytes of length and a message"
                );
                sheet.push(broken(&[], number, reason));
            }
            Frame::Empty => {
                sheet.warn("frames of no length were passed over");
                continue;
            }
        }
        number += 1;
    }
}

fn broken(bytes: &[u8], line: u64, reason: String) -> Entry {
    let mut entry = Entry::new(line);
    entry.reject(None, &shown(bytes), reason);
    entry
}

/// What of a message may be shown: its type.
fn shown(bytes: &[u8]) -> String {
    message::kind(bytes).map(|kind| kind.iter().map(|&digit| char::from(digit)).collect()).unwrap_or_default()
}

/// A file of lines begins with a message's type or a remark. As a frame's length either would be of more than 8 KiB.
fn in_lines(bytes: &[u8]) -> bool {
    lines(bytes).next().is_none_or(|(_, line)| line.starts_with(b"#") || message::kind(line).is_some())
}

/// Lines that are not blank, with their numbers from 0.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let lines = bytes.split(|&byte| byte == b'\n').enumerate();
    let lines = lines.map(|(number, line)| (number as u64, line.strip_suffix(b"\r").unwrap_or(line)));
    lines.filter(|(_, line)| !line.trim_ascii().is_empty())
}

/// What stands behind a length.
enum Frame<'b> {
    /// A message, or what should be one.
    Whole(&'b [u8]),
    /// Bytes in which no frame could be made out.
    Lost(usize),
    /// A sign of life.
    Empty,
}

/// The frames of a file. A length is believed where a message of that length is behind it, or another frame, or the
/// end; else the next place that looks like a frame is searched.
fn frames<'b>(bytes: &'b [u8], whole: impl Fn(&[u8]) -> bool) -> impl Iterator<Item = Frame<'b>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        if let Some((body, behind)) = framed(rest) {
            if body.is_empty() {
                at += 2;
                return Some(Frame::Empty);
            }
            if whole(body) || behind.is_empty() || looks_framed(behind) {
                at += 2 + body.len();
                return Some(Frame::Whole(body));
            }
        }
        let next = (1..rest.len()).find(|&from| looks_framed(&rest[from..])).unwrap_or(rest.len());
        at += next;
        Some(Frame::Lost(next))
    })
}

/// The body of the frame that bytes begin with, and what is behind it.
fn framed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Whether bytes begin with a length and that many bytes, which begin with a message's type. One sign of life may stand
/// before it.
fn looks_framed(bytes: &[u8]) -> bool {
    framed(bytes.strip_prefix(&[0, 0]).unwrap_or(bytes))
        .is_some_and(|(body, _)| body.len() >= 12 && message::kind(body).is_some())
}
