//! OFX: the SGML of 1.x, whose fields are not closed, and the XML of 2.x, by one tolerant reader of tags. Banks' files
//! of either kind leave out closing tags and escape nothing, so that neither an SGML nor an XML parser reads them all.

use crible_core::Currency;

use super::sheet::{Column, Entry, Sheet, clip};
use super::{About, Content, Format, Head, MARK, Named, Opened, iso_date, refuse_doctype};
use crate::error::Error;
use crate::value::amount::{self, Separated, Separators};

const ABOUT: About = About {
    name: "ofx",
    feed: "ofx",
    title: "OFX 1.x (SGML) and 2.x (XML), QFX",
    source: "Open Financial Exchange, the Statement Download of a bank or card",
    notes: "The account is BANKID/ACCTID, or ACCTID alone. A FITID is trusted within its account. Amounts keep their \
            sign. A time without a zone is UTC. Pending transactions (STMTTRNP) are rejected: they come again when \
            posted.",
    signature: "`OFXHEADER:`, `<?OFX` or `<OFX>` at its beginning",
    parties_are_accounts: false,
    id: Some(true),
    country: false,
    texts: true,
    corrects: true,
};

/// OFX of either version.
#[derive(Debug)]
pub(super) struct Ofx;

impl Format for Ofx {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn sees(&self, head: &Head<'_>) -> Option<u8> {
        begins(head.text).then_some(MARK)
    }

    fn open(&self, content: Content, file: &Named<'_>) -> Result<Opened, Error> {
        let (text, stem) = (content.text(), file.stem.clone());
        refuse_doctype(&text, file.path)?;
        Ok(Opened::new(move |sheet| read(&text, &stem, sheet)))
    }
}

fn begins(head: &str) -> bool {
    let start: String = head.chars().take(1_024).collect::<String>().to_ascii_uppercase();
    start.starts_with("OFXHEADER:") || start.contains("<?OFX") || start.contains("<OFX>")
}

/// An account as OFX names it.
#[derive(Clone, Debug, Default)]
struct Account {
    bank: String,
    account: String,
}

impl Account {
    fn name(&self) -> String {
        if self.bank.is_empty() { self.account.clone() } else { format!("{}/{}", self.bank, self.account) }
    }
}

/// A transaction being read.
struct Open {
    entry: Entry,
    payee: String,
    memo: String,
    to: Account,
    check: String,
    reference: String,
    correction: String,
    /// Whether no field has come yet.
    is_empty: bool,
    /// The aggregate in the transaction that the present fields belong to.
    inside: &'static str,
}

#[derive(Default)]
struct Reader<'s> {
    /// What stands before the decimals, as far as the amounts of the file tell.
    point: Option<u8>,
    stem: &'s str,
    /// Whether TRNTYPE tells the way of amounts, since none of them has a sign.
    by_type: bool,
    /// Transactions of no account.
    nameless: u64,
    account: Account,
    currency: String,
    in_account: bool,
    open: Option<Open>,
}

/// `stem` names the account of statements that name none.
fn read(text: &str, stem: &str, sheet: &mut Sheet<'_>) {
    let (point, signs) = look(text);
    let mut reader = Reader { point, stem, by_type: signs.are_missing(), ..Reader::default() };
    let mut tags = Tags { text, at: 0, line: 0 };
    while let Some(tag) = tags.next() {
        if tag.close {
            reader.close(&tag.name, sheet);
            continue;
        }
        if tag.value.is_empty() {
            reader.begin(&tag, sheet);
        } else {
            reader.field(&tag.name, &tag.value);
        }
    }
    if let Some(mut open) = reader.open.take() {
        open.entry.reject(None, "", "the file breaks off in this transaction; expected </STMTTRN>");
        sheet.push(open.entry);
    }
    signs.warn(sheet);
    if reader.nameless > 0 {
        sheet.warn(format!(
            "{} transactions are of statements that name no account; it is named after the file",
            reader.nameless
        ));
    }
}

/// What the types of transactions say of the signs of amounts.
#[derive(Clone, Copy, Default)]
struct Signs {
    negative: u64,
    /// Outflows by their type that have no minus, and all of them.
    wrong: u64,
    out: u64,
    /// Inflows by their type.
    into: u64,
}

impl Signs {
    /// Whether amounts have no sign, so that types alone tell the way.
    fn are_missing(self) -> bool {
        self.negative == 0 && self.wrong > 0 && self.into > 0
    }

    fn warn(self, sheet: &mut Sheet<'_>) {
        let Self { wrong, out, .. } = self;
        if self.are_missing() {
            sheet.warn(format!("no amount has a minus, so the {out} whose TRNTYPE is a debit are read as outflows"));
        } else if wrong > 0 {
            sheet.warn(format!(
                "{wrong} of {out} amounts whose TRNTYPE is a debit are not negative; they are read as they stand"
            ));
        }
    }
}

/// Whether a type of transaction flows out, where it is one that can flow one way only.
fn flows_out(kind: &str) -> Option<bool> {
    match kind {
        "DEBIT" | "DIRECTDEBIT" | "CHECK" | "FEE" | "SRVCHG" | "PAYMENT" | "REPEATPMT" | "CASH" => Some(true),
        "CREDIT" | "DEP" | "DIRECTDEP" | "INT" | "DIV" => Some(false),
        _ => None,
    }
}

/// What stands before the decimals of a file's amounts, and what types say of their signs.
fn look(text: &str) -> (Option<u8>, Signs) {
    let mut tags = Tags { text, at: 0, line: 0 };
    let (mut separators, mut signs, mut kind) = (Separators::default(), Signs::default(), String::new());
    while let Some(tag) = tags.next() {
        match tag.name.as_str() {
            "STMTTRN" => kind.clear(),
            "TRNTYPE" if !tag.close => kind = tag.value,
            "TRNAMT" if !tag.close => {
                separators.add(&tag.value);
                let is_negative = tag.value.contains('-');
                let is_zero = !tag.value.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
                signs.negative += u64::from(is_negative);
                match flows_out(&kind).filter(|_| !is_zero) {
                    Some(true) => {
                        signs.out += 1;
                        signs.wrong += u64::from(!is_negative);
                    }
                    Some(false) => signs.into += 1,
                    None => {}
                }
            }
            _ => {}
        }
    }
    (separators.point(), signs)
}

impl Reader<'_> {
    fn begin(&mut self, tag: &Tag, sheet: &mut Sheet<'_>) {
        match tag.name.as_str() {
            "STMTRS" | "CCSTMTRS" | "INVSTMTRS" => {
                self.end(sheet);
                self.account = Account::default();
                self.currency.clear();
            }
            "BANKACCTFROM" | "CCACCTFROM" | "INVACCTFROM" => {
                self.in_account = self.open.is_none();
                if self.in_account {
                    self.account = Account::default();
                }
            }
            "STMTTRN" | "STMTTRNP" => {
                self.end(sheet);
                let mut entry = Entry::new(tag.line);
                let account = self.account.name();
                self.nameless += u64::from(account.is_empty());
                entry.set(Column::Account, if account.is_empty() { self.stem } else { account.as_str() });
                entry.set(Column::Currency, self.currency.clone());
                if tag.name == "STMTTRN" {
                    entry.set(Column::Status, "booked");
                } else {
                    entry.set(Column::Status, "pending");
                    entry.reject(None, "STMTTRNP", "no transaction: it is pending, and comes again when it is posted");
                }
                self.in_account = false;
                self.open = Some(Open {
                    entry,
                    payee: String::new(),
                    memo: String::new(),
                    to: Account::default(),
                    check: String::new(),
                    reference: String::new(),
                    correction: String::new(),
                    is_empty: true,
                    inside: "",
                });
            }
            "INVTRAN" => {
                let mut entry = Entry::new(tag.line);
                entry.reject(None, "INVTRAN", "no transaction: a trade or income of securities");
                sheet.push(entry);
            }
            name => {
                if let Some(open) = &mut self.open
                    && let Some(inside) =
                        ["PAYEE", "CURRENCY", "ORIGCURRENCY", "BANKACCTTO", "CCACCTTO"].iter().find(|&&a| a == name)
                {
                    open.inside = inside;
                }
            }
        }
    }

    fn close(&mut self, name: &str, sheet: &mut Sheet<'_>) {
        match name {
            "STMTTRN" | "STMTTRNP" | "BANKTRANLIST" | "BANKTRANLISTP" | "STMTRS" | "CCSTMTRS" | "INVSTMTRS" => {
                self.end(sheet);
            }
            "BANKACCTFROM" | "CCACCTFROM" | "INVACCTFROM" => self.in_account = false,
            name => {
                if let Some(open) = &mut self.open
                    && open.inside == name
                {
                    open.inside = "";
                }
            }
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        let Some(open) = &mut self.open else {
            match name {
                "CURDEF" => value.clone_into(&mut self.currency),
                "BANKID" | "BROKERID" if self.in_account => value.clone_into(&mut self.account.bank),
                "ACCTID" if self.in_account => value.clone_into(&mut self.account.account),
                _ => {}
            }
            return;
        };
        open.is_empty = false;
        let entry = &mut open.entry;
        match (open.inside, name) {
            (_, "TRNTYPE") => entry.set(Column::Channel, value),
            (_, "DTPOSTED") => entry.time(time(value), value, "a date such as 20240115 or 20240115120000.000[-5:EST]"),
            (_, "DTAVAIL") => entry.set(Column::ValueDate, value),
            (_, "TRNAMT") => match decimal(value, self.point, &self.currency) {
                Ok(plain) => entry.set(Column::Amount, plain),
                Err(reason) => entry.reject(Some(Column::Amount), value, reason),
            },
            (_, "FITID") => entry.set(Column::Id, value),
            (_, "SIC") => entry.set(Column::Category, value),
            ("", "NAME") | ("PAYEE", "NAME") => value.clone_into(&mut open.payee),
            (_, "MEMO") => value.clone_into(&mut open.memo),
            (_, "CHECKNUM") => value.clone_into(&mut open.check),
            (_, "REFNUM") => value.clone_into(&mut open.reference),
            (_, "CORRECTFITID") => entry.set(Column::ReversalOf, value),
            (_, "CORRECTACTION") => value.clone_into(&mut open.correction),
            // In CURRENCY the amount is of that currency; in ORIGCURRENCY it was converted from it.
            ("CURRENCY", "CURSYM") => entry.set(Column::Currency, value),
            ("BANKACCTTO" | "CCACCTTO", "BANKID") => value.clone_into(&mut open.to.bank),
            ("BANKACCTTO" | "CCACCTTO", "ACCTID") => value.clone_into(&mut open.to.account),
            _ => {}
        }
    }

    fn end(&mut self, sheet: &mut Sheet<'_>) {
        let Some(open) = self.open.take() else { return };
        let Open { mut entry, payee, memo, to, check, reference, correction, is_empty, .. } = open;
        if is_empty {
            entry.reject(None, "STMTTRN", "no transaction: it is empty");
        }
        if self.by_type && flows_out(entry.get(Column::Channel)) == Some(true) {
            let amount = entry.get(Column::Amount);
            if amount.starts_with(|first: char| first.is_ascii_digit()) {
                let negative = format!("-{amount}");
                entry.set(Column::Amount, negative);
            }
        }
        if correction.eq_ignore_ascii_case("DELETE") {
            entry.reject(None, &correction, "it takes an earlier transaction back; expected a transaction");
        }
        entry.fill(Column::Counterparty, &payee);
        entry.fill(Column::Counterparty, &to.name());
        entry.fill(Column::Counterparty, &memo);
        entry.set(Column::Description, memo);
        entry.set(Column::Reference, [check, reference, to.name()].join("\u{1f}"));
        sheet.push(entry);
    }
}

/// OFX lets an amount have a comma for its point and nothing between thousands; banks write those all the same. `point`
/// is what stands before the decimals in the file's other amounts.
fn decimal(value: &str, point: Option<u8>, currency: &str) -> Result<String, String> {
    match amount::separated(value) {
        Separated::Plain(text) | Separated::Point(text) | Separated::Comma(text) => Ok(text),
        Separated::Open { point: as_point, comma: as_comma } => {
            let digits =
                Currency::new(currency.as_bytes()).filter(|&code| code != Currency::NONE).map(Currency::exponent);
            match (point, digits) {
                (Some(b','), _) => Ok(as_comma),
                (Some(_), _) => Ok(as_point),
                (None, Some(3)) => Ok(if as_point.contains('.') { as_point } else { as_comma }),
                // A point is the standard's own, and nobody writes it between thousands without decimals behind.
                (None, _) if as_point.contains('.') => Ok(as_point),
                _ => Err(format!(
                    "it reads as {as_point} and as {as_comma}, and no other amount of the file tells which"
                )),
            }
        }
        Separated::None => Err("expected an amount such as -1234.50".to_owned()),
    }
}

/// `YYYYMMDD[HHMM[SS[.XXX]]]` and a zone such as `[-5:EST]` or `[+5.5]`, as ISO 8601. Without a zone it is GMT.
fn time(value: &str) -> Option<String> {
    let (clock, zone) = match value.split_once('[') {
        Some((clock, zone)) => (clock.trim(), zone.trim_end_matches(']')),
        None => (value.trim(), ""),
    };
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    // What others wrote than a bank may have the date as people do.
    let plain = match whole.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _] => whole.replace('-', ""),
        _ => whole.to_owned(),
    };
    let whole = plain.as_str();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || !matches!(whole.len(), 8 | 10 | 12 | 14) {
        return None;
    }
    let number = |from: usize, to: usize| whole.get(from..to).map_or(Some(0), |text| text.parse::<u32>().ok());
    let date = iso_date(number(0, 4)?, number(4, 6)?, number(6, 8)?)?;
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset = zone.split(':').next().unwrap_or("").trim();
    let (sign, offset) = match offset.strip_prefix('-') {
        Some(offset) => ('-', offset),
        None => ('+', offset.strip_prefix('+').unwrap_or(offset)),
    };
    let (hours, part) = offset.split_once('.').unwrap_or((offset, "0"));
    if !(offset.is_empty() || (digits(hours) && digits(part))) {
        return None;
    }
    let hours = if offset.is_empty() { 0 } else { hours.parse::<u32>().ok().filter(|&hours| hours < 24)? };
    // Parts of an hour as a decimal, whatever their digits: 5.5 and 5.50 are half past five. Zones differ by quarters
    // of an hour, so what is none of them as a decimal is written in minutes: 5.30, 5.45.
    let decimal = (format!("0.{part}").parse::<f64>().ok()? * 60.0).round() as u32 % 60;
    let written = part.parse().ok().filter(|minutes| matches!(minutes, 15 | 30 | 45) && part.len() == 2);
    let minutes = written.filter(|_| !decimal.is_multiple_of(15)).unwrap_or(decimal);
    let fraction = &fraction[..fraction.len().min(6)];
    Some(format!("{date}T{hour:02}:{minute:02}:{second:02}.{fraction}{sign}{hours:02}:{minutes:02}"))
}

/// A tag and the text behind it.
struct Tag {
    name: String,
    close: bool,
    value: String,
    /// The line it stands on, from 0.
    line: u64,
}

struct Tags<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

const CDATA: &str = "<![CDATA[";

impl Tags<'_> {
    /// Goes on to `to`, counting lines.
    fn go(&mut self, to: usize) {
        let to = to.min(self.text.len()).max(self.at);
        let passed = &self.text.as_bytes()[self.at..to];
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at = to;
    }

    fn next(&mut self) -> Option<Tag> {
        loop {
            let rest = &self.text[self.at..];
            let start = next_tag(rest)?;
            self.go(self.at + start);
            let line = self.line;
            let rest = &self.text[self.at..];
            if rest.starts_with(CDATA) || rest.starts_with("<!") || rest.starts_with("<?") {
                let mark = if rest.starts_with("<!--") { "-->" } else { ">" };
                self.go(rest.find(mark).map_or(self.text.len(), |end| self.at + end + mark.len()));
                continue;
            }
            // A name that does not end on its line is none.
            let end = rest.find(['>', '\n', '\r']).unwrap_or(rest.len());
            let ended = rest[end..].starts_with('>');
            let inner = &rest[1..end];
            self.go(self.at + end + usize::from(ended));
            if !ended || inner.len() > 64 {
                continue;
            }
            let close = inner.starts_with('/');
            let empty = inner.ends_with('/');
            let name = inner.trim_matches('/').split_ascii_whitespace().next().unwrap_or("").to_ascii_uppercase();
            let value = if close || empty { String::new() } else { self.value() };
            return Some(Tag { name, close, value, line });
        }
    }

    /// The text up to the next tag, entities undone.
    fn value(&mut self) -> String {
        let rest = &self.text[self.at..];
        let lead = rest.len() - rest.trim_start().len();
        if let Some(inner) = rest[lead..].strip_prefix(CDATA) {
            let end = inner.find("]]>").unwrap_or(inner.len());
            let value = clip(inner[..end].trim()).to_owned();
            self.go(self.at + lead + CDATA.len() + end + 3);
            return value;
        }
        let end = next_tag(rest).unwrap_or(rest.len());
        let value = unescape(clip(rest[..end].trim()));
        self.go(self.at + end);
        value
    }
}

/// Where the next tag begins. A `<` that no name follows is a text's.
fn next_tag(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'<', bytes)
        .find(|&at| bytes.get(at + 1).is_some_and(|next| next.is_ascii_alphabetic() || b"/!?".contains(next)))
}

/// The entities of XML, numbered ones and the blank, once. What is none stays: many banks write a bare `&`.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let name = rest.bytes().skip(1).take(9).position(|byte| byte == b';').map(|length| &rest[1..=length]);
        let letter = name.and_then(|name| match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "nbsp" => Some(' '),
            name => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)
            }
        });
        match (letter, name) {
            (Some(letter), Some(name)) => {
                out.push(letter);
                rest = &rest[name.len() + 2..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_length() {
        let check = |text: &str, expect: Option<&str>| assert_eq!(time(text).as_deref(), expect, "{text}");
        check("20240115", Some("2024-01-15T00:00:00.0+00:00"));
        check("202401151230", Some("2024-01-15T12:30:00.0+00:00"));
        check("20240115123001.250[-5:EST]", Some("2024-01-15T12:30:01.250-05:00"));
        check("20240115120000[+5.5:IST]", Some("2024-01-15T12:00:00.0+05:30"));
        check("20240115120000[-3.30:NST]", Some("2024-01-15T12:00:00.0-03:30"));
        check("20240115120000[0:GMT]", Some("2024-01-15T12:00:00.0+00:00"));
        check("2024-01-15", Some("2024-01-15T00:00:00.0+00:00"));
        for text in ["", "20240230", "2024-1-15", "20240115250000", "20240115[EST]", "2024011é", "20240115120000[99]"]
        {
            check(text, None);
        }
    }

    #[test]
    fn entities_and_bare_signs() {
        assert_eq!(unescape("A &amp;amp; B AT&T &#65;&#x42; &unknown; &"), "A &amp; B AT&T AB &unknown; &");
    }
}
