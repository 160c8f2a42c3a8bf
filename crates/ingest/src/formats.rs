//! Statements and messages: formats that are no tables. A format is one file of this folder that implements [`Format`],
//! and one line in [`ALL`]. It turns a file into rows of the same named columns, which then go the way of every other
//! row: through a preset, into a plan, to a transaction or a reject.

mod bai;
mod balance;
mod camt;
mod decode;
mod iso8583;
mod mt;
mod ofx;
mod qif;
mod sheet;
mod transfer;
mod xml;

use std::fmt;
use std::path::Path;

use crate::error::Error;
use crate::input::Input;
use crate::plan::{Naming, Owner, account_of, folder_of};
use crate::value::amount::Style;
pub(crate) use sheet::{COLUMNS, Column, Entry, Sheet};

/// The most text that a statement may hold. It is held whole; a century of one account is a fraction of it.
const MAX_TEXT: usize = 256 << 20;

/// Every format, in the order in which they are listed.
pub(crate) static ALL: [&dyn Format; 11] = [
    &ofx::Ofx,
    &qif::Qif(qif::Order::Sniffed),
    &qif::Qif(qif::Order::MonthFirst),
    &qif::Qif(qif::Order::DayFirst),
    &camt::Camt,
    &mt::Mt,
    &transfer::Transfers(transfer::Message::Pain),
    &transfer::Transfers(transfer::Message::Pacs),
    &bai::Bai,
    &iso8583::Messages(iso8583::Version::V1987),
    &iso8583::Messages(iso8583::Version::V1993),
];

/// How sure it is, in per cent, that a file which begins with a format's own mark is of the format.
const MARK: u8 = 100;
/// The same of one that has no mark and is known by the shape of its first messages.
const SHAPE: u8 = 80;

/// A format read by code of its own.
pub(crate) trait Format: fmt::Debug + Sync {
    /// What is to be said of it.
    fn about(&self) -> &'static About;

    /// How sure it is, in per cent, that a file which begins like this is of the format; nothing where it is none.
    fn sees(&self, head: &Head<'_>) -> Option<u8>;

    /// Whether it is read as bytes: its files are no text, or a place in them is a number of bytes.
    fn is_bytes(&self) -> bool {
        false
    }

    /// Makes out what only the whole file can tell, and what makes it no file to read at all.
    fn open(&self, content: Content, file: &Named<'_>) -> Result<Opened, Error>;

    /// Name of the preset that is this format's.
    fn name(&self) -> &'static str {
        self.about().name
    }

    /// The name that references are made under: the same transactions, however the file was recognised.
    fn feed(&self) -> &'static str {
        self.about().feed
    }

    /// How files of the format are recognised.
    fn recognised_by(&self) -> &'static str {
        match self.about().signature {
            "" => "name only",
            signature => signature,
        }
    }
}

/// The beginning of a file, as bytes and decoded.
pub(crate) struct Head<'h> {
    bytes: &'h [u8],
    text: &'h str,
}

/// What is to be said of a format: the part of its preset that the others do not share.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    feed: &'static str,
    pub(crate) title: &'static str,
    pub(crate) source: &'static str,
    pub(crate) notes: &'static str,
    signature: &'static str,
    /// Whether counterparties are accounts like the format's own.
    pub(crate) parties_are_accounts: bool,
    /// Whether the format's ids are trusted, where it has any.
    pub(crate) id: Option<bool>,
    /// Whether it tells countries.
    pub(crate) country: bool,
    /// Whether counterparties are found in texts.
    pub(crate) texts: bool,
    /// Whether an entry that names another puts it right, and does not take it back.
    pub(crate) corrects: bool,
}

/// The format of a file that begins like this: the surest.
pub(crate) fn of(bytes: &[u8]) -> Option<&'static dyn Format> {
    let text = decode::head(bytes);
    let head = Head { bytes, text: text.trim_start() };
    let seen = ALL.iter().filter_map(|format| Some((format.sees(&head)?, *format)));
    seen.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, format)| format)
}

/// What a file holds.
pub(crate) enum Content {
    Text(String),
    Bytes(Vec<u8>),
}

impl Content {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// What a file is called.
pub(crate) struct Named<'p> {
    path: &'p Path,
    /// The account of a file that names none.
    stem: String,
}

/// Hands all entries on, in order.
type Read = dyn Fn(&mut Sheet<'_>) + Send + Sync;

/// A file that can be read.
pub(crate) struct Opened {
    read: Box<Read>,
    /// How amounts are written, where that had to be made out.
    style: Option<Style>,
    /// What was made out, in words.
    described: Vec<String>,
}

impl Opened {
    fn new(read: impl Fn(&mut Sheet<'_>) + Send + Sync + 'static) -> Self {
        Self { read: Box::new(read), style: None, described: Vec::new() }
    }
}

/// A file of one of the formats, decoded.
pub(crate) struct Document {
    opened: Opened,
    warnings: Vec<String>,
}

impl fmt::Debug for Document {
    /// Tells what was made out only: what it holds is for nobody's log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("described", &self.opened.described).finish_non_exhaustive()
    }
}

impl Document {
    /// `owner` names the account of a file that names none.
    pub(crate) fn open(input: &Input, format: &dyn Format, owner: Option<&Owner>) -> Result<Self, Error> {
        let path = input.path.as_path();
        let (content, warnings) = if format.is_bytes() {
            let (bytes, warnings) = decode::bytes(input, MAX_TEXT)?;
            (Content::Bytes(bytes), warnings)
        } else {
            let (text, warnings) = decode::text(input, MAX_TEXT)?;
            (Content::Text(text), warnings)
        };
        let blank = match &content {
            Content::Text(text) => text.trim().is_empty(),
            Content::Bytes(bytes) => bytes.trim_ascii().is_empty(),
        };
        if blank {
            return Err(Error::Empty { path: path.to_owned() });
        }
        let stem = match owner {
            Some(Owner::Named(name)) => name.clone(),
            Some(Owner::Folder) => folder_of(path, format.feed()),
            None => account_of(path, Naming { otherwise: format.feed(), ..Naming::default() }),
        };
        Ok(Self { opened: format.open(content, &Named { path, stem })?, warnings })
    }

    /// How amounts are written, where that had to be made out.
    pub(crate) fn style(&self) -> Option<Style> {
        self.opened.style
    }

    /// What was made out, in words.
    pub(crate) fn described(&self) -> &[String] {
        &self.opened.described
    }

    /// All rows, in order, and what else there is to say.
    pub(crate) fn read(&self, take: &mut dyn FnMut(&[Entry])) -> Vec<String> {
        let mut sheet = Sheet::new(take);
        (self.opened.read)(&mut sheet);
        let mut warnings = self.warnings.clone();
        warnings.extend(sheet.finish());
        warnings
    }
}

/// No bank's export defines a document type. What does is refused as a whole: entities can be made to grow without
/// bound.
fn refuse_doctype(text: &str, path: &Path) -> Result<(), Error> {
    let found = memchr::memmem::find_iter(text.as_bytes(), b"<!").map(|at| &text.as_bytes()[at + 2..]);
    let starts = |rest: &[u8], word: &str| {
        rest.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()))
    };
    for rest in found {
        if starts(rest, "DOCTYPE") || starts(rest, "ENTITY") {
            return Err(Error::Refused {
                path: path.to_owned(),
                reason: "it defines a document type or entities; expected a statement without any".to_owned(),
            });
        }
    }
    Ok(())
}

/// A date as ISO 8601 has it, where it is one of the calendar.
fn iso_date(year: u32, month: u32, day: u32) -> Option<String> {
    let date = chrono::NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some(date.format("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests;
