//! Statements and messages: formats that are no tables. A reader each turns a file into rows of the same named columns,
//! which then go the way of every other row: through a preset, into a plan, to a transaction or a reject.

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
use crate::plan::{Naming, account_of, folder_of};
use crate::read::Owner;
use crate::value::amount::Style;
pub(crate) use sheet::{COLUMNS, Column, Entry, Sheet};

/// The most text that a statement may hold. It is held whole; a century of one account is a fraction of it.
const MAX_TEXT: usize = 256 << 20;

/// A format read by code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Ofx,
    Qif(qif::Order),
    Camt,
    Transfer(transfer::Message),
    Mt,
    Bai,
    Iso8583(iso8583::Version),
}

/// What is to be said of a format: the part of its preset that the others do not share.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) format: Format,
    pub(crate) name: &'static str,
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
}

pub(crate) const ABOUT: &[About] = &[
    About {
        format: Format::Ofx,
        name: "ofx",
        title: "OFX 1.x (SGML) and 2.x (XML), QFX",
        source: "Open Financial Exchange, the Statement Download of a bank or card",
        notes: "The account is BANKID/ACCTID, or ACCTID alone. A FITID is trusted within its account. Amounts keep their \
                sign. A time without a zone is UTC. Pending transactions (STMTTRNP) are rejected: they come again when \
                posted.",
        signature: "`OFXHEADER:`, `<?OFX` or `<OFX>` at its beginning",
        parties_are_accounts: false,
        id: Some(true),
        country: false,
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
        parties_are_accounts: false,
        id: None,
        country: false,
    },
    About {
        format: Format::Qif(qif::Order::MonthFirst),
        name: "qif-month-first",
        title: "QIF, dates with the month first",
        source: "Quicken Interchange Format",
        notes: "As qif; the references are the same.",
        signature: "",
        parties_are_accounts: false,
        id: None,
        country: false,
    },
    About {
        format: Format::Qif(qif::Order::DayFirst),
        name: "qif-day-first",
        title: "QIF, dates with the day first",
        source: "Quicken Interchange Format",
        notes: "As qif; the references are the same.",
        signature: "",
        parties_are_accounts: false,
        id: None,
        country: false,
    },
    About {
        format: Format::Camt,
        name: "camt",
        title: "ISO 20022 camt.052, camt.053 and camt.054, XML",
        source: "ISO 20022, Bank-to-Customer Cash Management",
        notes: "The account is the IBAN, else the other identification. The time is that of booking, else the value date. \
                A batch whose details have amounts that make up its sum is as many transactions. The counterparty is \
                the account of the other side, else its name. AcctSvcrRef is trusted. Entries that are not booked \
                are rejected. A closing balance that the entries do not make is warned of.",
        signature: "an ISO 20022 document of camt.052, camt.053 or camt.054",
        parties_are_accounts: true,
        id: Some(true),
        country: false,
    },
    About {
        format: Format::Mt,
        name: "mt940",
        title: "SWIFT MT940 and MT942",
        source: "SWIFT, Customer Statement and Interim Transaction Report",
        notes: "The account is :25:, the time the entry date, else the value date, of the years 2000 to 2099. A reversal \
                (RC, RD) goes the other way. The counterparty is the account or name that :86: tells in the German or \
                Dutch form, else all of :86:. Expected entries (EC, ED) are rejected. A closing balance that the \
                entries do not make is warned of.",
        signature: "`{1:` with a message 940 or 942, or `:20:` and `:25:`",
        parties_are_accounts: true,
        id: Some(false),
        country: false,
    },
    About {
        format: Format::Transfer(transfer::Message::Pain),
        name: "pain.001",
        title: "ISO 20022 pain.001, customer credit transfers, XML",
        source: "ISO 20022, Payments Initiation",
        notes: "Each transfer is an outflow of the debtor's account (DbtrAcct, its IBAN, else the other identification) at \
                the requested execution date or time. The amount is InstdAmt, else the equivalent amount. The \
                counterparty is the creditor's account, else the name. The first of UETR, TxId, EndToEndId and InstrId is \
                the id and is not trusted. Numbers and sums of headers are checked and differences warned of. These are \
                orders: whether a bank carried them out it does not tell.",
        signature: "an ISO 20022 document of pain.001",
        parties_are_accounts: true,
        id: Some(false),
        country: true,
    },
    About {
        format: Format::Transfer(transfer::Message::Pacs),
        name: "pacs.008",
        title: "ISO 20022 pacs.008, credit transfers between banks, XML",
        source: "ISO 20022, Payments Clearing and Settlement",
        notes: "Each transfer is an outflow of the debtor's account, with the creditor's as the counterparty, of the amount \
                settled between the banks (IntrBkSttlmAmt). The time is that of the debit (DbtDtTm), else that of \
                acceptance (AccptncDtTm), else the settlement date. Ids and sums are as in pain.001.",
        signature: "an ISO 20022 document of pacs.008",
        parties_are_accounts: true,
        id: Some(false),
        country: true,
    },
    About {
        format: Format::Bai,
        name: "bai2",
        title: "BAI2, cash management balance reporting",
        source: "BAI, Cash Management Balance Reporting Specifications, version 2",
        notes: "The account is that of record 03, the currency its own, else its group's, else USD. The time is the date \
                of the group: its hour is that of the report, and the same transaction comes in several. Type codes of \
                100 to 399 are credits, of 400 to 699 debits, others no transactions. The counterparty is the text. Bank \
                references are not trusted. Groups that are tests or deletions are rejected, transaction by transaction. \
                Totals and numbers of records 49, 98 and 99 are checked and differences warned of.",
        signature: "a record 01 of version 2 at its beginning",
        parties_are_accounts: false,
        id: Some(false),
        country: false,
    },
    About {
        format: Format::Iso8583(iso8583::Version::V1987),
        name: "iso8583-1987",
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
    },
    About {
        format: Format::Iso8583(iso8583::Version::V1993),
        name: "iso8583-1993",
        title: "ISO 8583:1993, card messages",
        source: "ISO 8583, Financial transaction card originated messages",
        notes: "As iso8583-1987. The year is that of element 12; where there is no element 7, the time is element 12 as if \
                UTC. Partial reversals (function code 401) are rejected.",
        signature: "a message of that form at its beginning",
        parties_are_accounts: false,
        id: Some(true),
        country: true,
    },
];

impl Format {
    /// The format of a file that begins like this.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let head = decode::head(bytes);
        let head = head.trim_start();
        if ofx::begins(head) {
            Some(Self::Ofx)
        } else if qif::begins(head) {
            Some(Self::Qif(qif::Order::Sniffed))
        } else if camt::begins(head) {
            Some(Self::Camt)
        } else if let Some(message) = transfer::begins(head) {
            Some(Self::Transfer(message))
        } else if mt::begins(head) {
            Some(Self::Mt)
        } else if bai::begins(head) {
            Some(Self::Bai)
        } else {
            iso8583::begins(bytes).map(Self::Iso8583)
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

/// A file of one of the formats, decoded.
#[derive(Debug)]
pub(crate) struct Document {
    format: Format,
    content: Content,
    /// The file's name without its endings, for formats that may name no account.
    stem: String,
    /// Where times without a year are from.
    anchor: Option<iso8583::Anchor>,
    /// How amounts are written, where that had to be made out.
    pub(crate) style: Option<Style>,
    /// What was made out, in words.
    pub(crate) told: Vec<String>,
    warnings: Vec<String>,
}

/// What a file holds.
enum Content {
    Text(String),
    /// No text, or one in which a place is a number of bytes.
    Bytes(Vec<u8>),
}

impl fmt::Debug for Content {
    /// Tells its length only: what it holds is for nobody's log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
        }
    }
}

impl Document {
    /// `owner` names the account of a file that names none.
    pub(crate) fn open(input: &Input, format: Format, owner: Option<&Owner>) -> Result<Self, Error> {
        let path = input.path.as_path();
        let (content, warnings) = if let Format::Iso8583(_) = format {
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
        let mut document = Self { format, content, stem, anchor: None, style: None, told: Vec::new(), warnings };
        document.settle(path)?;
        Ok(document)
    }

    /// What only the whole file can tell, and what makes it no file to read at all.
    fn settle(&mut self, path: &Path) -> Result<(), Error> {
        match (self.format, &self.content) {
            (Format::Ofx | Format::Camt | Format::Transfer(_), Content::Text(text)) => refuse_doctype(text, path),
            (Format::Qif(order), Content::Text(text)) => {
                let (order, style) = qif::settle(text, order, path)?;
                self.told.extend(order.told().map(str::to_owned));
                self.format = Format::Qif(order);
                self.style = Some(style);
                Ok(())
            }
            (Format::Iso8583(version), Content::Bytes(bytes)) => {
                let (anchor, told) = iso8583::settle(bytes, version, path)?;
                self.anchor = anchor;
                self.told.extend(told);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// All rows, in order, and what else there is to say.
    pub(crate) fn read(&self, take: &mut dyn FnMut(&[Entry])) -> Vec<String> {
        let mut sheet = Sheet::new(take);
        match &self.content {
            Content::Text(text) => match self.format {
                Format::Camt => camt::read(text, &mut sheet),
                Format::Transfer(message) => transfer::read(text, message, &mut sheet),
                Format::Mt => mt::read(text, &mut sheet),
                Format::Bai => bai::read(text, &mut sheet),
                Format::Ofx => ofx::read(text, &self.stem, &mut sheet),
                Format::Qif(order) => qif::read(text, order, &self.stem, &mut sheet),
                // Its content is bytes.
                Format::Iso8583(_) => {}
            },
            Content::Bytes(bytes) => {
                if let Format::Iso8583(version) = self.format {
                    iso8583::read(bytes, version, self.anchor, &mut sheet);
                }
            }
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
mod tests;
