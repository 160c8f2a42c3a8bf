//! Statements and messages: formats that are no tables. A reader each turns a file into rows of the same named columns,
//! which then go the way of every other row: through a preset, into a plan, to a transaction or a reject.

mod camt;
mod decode;
mod mt;
mod ofx;
mod qif;
mod sheet;
mod xml;

use std::path::Path;

use crate::error::Error;
use crate::input::Input;
use crate::plan::file_stem;
use crate::preset::{Preset, Style};
pub(crate) use sheet::{COLUMNS, Entry, Sheet};

/// The most text that a statement may hold. It is held whole; a century of one account is a fraction of it.
const MAX_TEXT: usize = 256 << 20;

/// A format read by code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Ofx,
    Qif(qif::Order),
    Camt,
    Mt,
}

/// What is to be said of a format: the part of its preset that the others do not share.
struct About {
    format: Format,
    name: &'static str,
    title: &'static str,
    source: &'static str,
    notes: &'static str,
    signature: &'static str,
    /// Keys that only this one has.
    extra: &'static str,
}

const ABOUT: &[About] = &[
    About {
        format: Format::Ofx,
        name: "ofx",
        title: "OFX 1.x (SGML) and 2.x (XML), QFX",
        source: "Open Financial Exchange, the Statement Download of a bank or card",
        notes: "The account is BANKID/ACCTID, or ACCTID alone. A FITID is trusted within its account. Amounts keep their \
                sign. A time without a zone is UTC. Pending transactions (STMTTRNP) are rejected: they come again when \
                posted.",
        signature: "`OFXHEADER:`, `<?OFX` or `<OFX>` at its beginning",
        extra: "id = { column = 'id', trusted = true }\n",
    },
    About {
        format: Format::Qif(qif::Order::Sniffed),
        name: "qif",
        title: "QIF, bank, cash and card accounts",
        source: "Quicken Interchange Format",
        notes: "The account is the name in `!Account`, or the file's name. QIF names no currency: XXX. The order of day \
                and month is made out from all dates of the file, and where none of them tells, it has to be said by \
                naming the feed qif-month-first or qif-day-first.",
        signature: "`!Type:`, `!Account` or `!Option:` at its beginning",
        extra: "",
    },
    About {
        format: Format::Qif(qif::Order::MonthFirst),
        name: "qif-month-first",
        title: "QIF, dates with the month first",
        source: "Quicken Interchange Format",
        notes: "As qif; the references are the same.",
        signature: "",
        extra: "",
    },
    About {
        format: Format::Qif(qif::Order::DayFirst),
        name: "qif-day-first",
        title: "QIF, dates with the day first",
        source: "Quicken Interchange Format",
        notes: "As qif; the references are the same.",
        signature: "",
        extra: "",
    },
    About {
        format: Format::Camt,
        name: "camt",
        title: "ISO 20022 camt.052, camt.053 and camt.054, XML",
        source: "ISO 20022, Bank-to-Customer Cash Management",
        notes: "The account is the IBAN, else the other identification. The time is that of booking, else the value date. \
                A batch whose details have amounts that make up its sum is as many transactions. The counterparty is \
                the account of the other side, else its name. AcctSvcrRef is trusted. Entries that are not booked \
                are rejected.",
        signature: "an ISO 20022 document of camt.052, camt.053 or camt.054",
        extra: "counterparty = { column = 'counterparty', is-account = true }\nid = { column = 'id', trusted = true }\n",
    },
    About {
        format: Format::Mt,
        name: "mt940",
        title: "SWIFT MT940 and MT942",
        source: "SWIFT, Customer Statement and Interim Transaction Report",
        notes: "The account is :25:, the time the entry date, else the value date, of the years 2000 to 2099. A reversal \
                (RC, RD) goes the other way. The counterparty is the account or name that :86: tells in the German or \
                Dutch form, else all of :86:. Expected entries (EC, ED) are rejected.",
        signature: "`{1:` with a message 940 or 942, or `:20:` and `:25:`",
        extra: "counterparty = { column = 'counterparty', is-account = true }\nid = { column = 'id', trusted = false }\n",
    },
];

/// What all formats have in common.
const SHARED: &str = "
account.column = 'account'
time = { column = 'time', formats = ['iso'], zone = 'UTC' }
amount = { column = 'amount', sign = 'outflow-negative', format = 'plain' }
currency.column = 'currency'
category.column = 'category'
channel.column = 'channel'
";

impl Format {
    /// The format of a text that begins like this.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        let head = decode::head(head);
        let head = head.trim_start();
        if ofx::begins(head) {
            Some(Self::Ofx)
        } else if qif::begins(head) {
            Some(Self::Qif(qif::Order::Sniffed))
        } else if camt::begins(head) {
            Some(Self::Camt)
        } else if mt::begins(head) {
            Some(Self::Mt)
        } else {
            None
        }
    }

    fn about(self) -> &'static About {
        ABOUT.iter().find(|about| about.format == self).unwrap_or(&ABOUT[0])
    }

    /// Name of the preset that is this format's.
    pub(crate) fn name(self) -> &'static str {
        self.about().name
    }

    /// The name that references are made under: the same transactions, however the file was recognised.
    pub(crate) fn feed(self) -> &'static str {
        match self {
            Self::Qif(_) => "qif",
            other => other.name(),
        }
    }

    /// How files of the format are recognised.
    pub(crate) fn recognised_by(self) -> &'static str {
        match self.about().signature {
            "" => "name only",
            signature => signature,
        }
    }
}

/// The presets of all formats.
pub(crate) fn presets() -> impl Iterator<Item = Preset> {
    // One that does not parse is left out here and caught by a test, before it can ship.
    ABOUT.iter().filter_map(|about| preset(about).ok())
}

fn preset(about: &About) -> Result<Preset, crate::PresetError> {
    let counterparty = if about.extra.contains("counterparty") { "" } else { "counterparty.column = 'counterparty'\n" };
    let text = format!(
        "name = '{}'\ntitle = '{}'\nsource = '{}'\nnotes = '''{}'''\napart = ['description', 'reference', \
         'value-date']\n{SHARED}{counterparty}{}",
        about.name, about.title, about.source, about.notes, about.extra
    );
    let mut preset = Preset::from_toml(&text, about.name)?;
    preset.format = Some(about.format);
    Ok(preset)
}

/// A file of one of the formats, decoded.
#[derive(Debug)]
pub(crate) struct Document {
    format: Format,
    text: String,
    /// The file's name without its endings, for formats that may name no account.
    stem: String,
    /// How amounts are written, where that had to be made out.
    pub(crate) style: Option<Style>,
    /// What was made out, in words.
    pub(crate) told: Vec<String>,
    warnings: Vec<String>,
}

impl Document {
    pub(crate) fn open(input: &Input, format: Format) -> Result<Self, Error> {
        let path = input.path.as_path();
        let (text, warnings) = decode::text(input, MAX_TEXT)?;
        if text.trim().is_empty() {
            return Err(Error::Empty { path: path.to_owned() });
        }
        let stem = String::from_utf8_lossy(&file_stem(path, &[])).into_owned();
        let mut document = Self { format, text, stem, style: None, told: Vec::new(), warnings };
        document.settle(path)?;
        Ok(document)
    }

    /// What only the whole file can tell, and what makes it no file to read at all.
    fn settle(&mut self, path: &Path) -> Result<(), Error> {
        match self.format {
            Format::Ofx | Format::Camt => refuse_doctype(&self.text, path),
            Format::Mt => Ok(()),
            Format::Qif(order) => {
                let (order, style) = qif::settle(&self.text, order, path)?;
                self.told.extend(order.told().map(str::to_owned));
                self.format = Format::Qif(order);
                self.style = Some(style);
                Ok(())
            }
        }
    }

    /// All rows, in order, and what else there is to say.
    pub(crate) fn read(&self, take: &mut dyn FnMut(&[Entry])) -> Vec<String> {
        let mut sheet = Sheet::new(take);
        match self.format {
            Format::Camt => camt::read(&self.text, &mut sheet),
            Format::Mt => mt::read(&self.text, &mut sheet),
            Format::Ofx => ofx::read(&self.text, &mut sheet),
            Format::Qif(order) => qif::read(&self.text, order, &self.stem, &mut sheet),
        }
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_format_has_a_preset_and_a_row_in_the_readme() {
        let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
        for about in ABOUT {
            let preset = preset(about).unwrap();
            assert_eq!((preset.name(), preset.format), (about.name, Some(about.format)));
            assert!(readme.contains(&format!("`{}`", about.name)), "{} is not in the README", about.name);
        }
        assert_eq!(presets().count(), ABOUT.len());
    }
}
