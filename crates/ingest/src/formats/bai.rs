//! BAI2, cash management balance reporting: records 01 and 99 around a file, 02 and 98 around a group, 03 and 49 around
//! an account, 16 a transaction, 88 more of the record before it.

use std::collections::VecDeque;
use std::fmt;

use crible_core::{Amount, Currency};

use super::sheet::{Column, Entry, Sheet, clip};
use super::{About, Content, Format, Head, MARK, Named, Opened, iso_date};
use crate::error::Error;

const ABOUT: About = About {
    name: "bai2",
    feed: "bai2",
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
    texts: true,
    corrects: false,
};

/// BAI, version 2.
#[derive(Debug)]
pub(super) struct Bai;

impl Format for Bai {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn sees(&self, head: &Head<'_>) -> Option<u8> {
        begins(head.text).then_some(MARK)
    }

    fn open(&self, content: Content, _: &Named<'_>) -> Result<Opened, Error> {
        let text = content.text();
        Ok(Opened::new(move |sheet| read(&text, sheet)))
    }
}

fn begins(head: &str) -> bool {
    let line = head.lines().next().unwrap_or("").trim_end();
    // Further records may stand on the line.
    let line = each(line, true)[0].trim_end();
    let fields: Vec<&str> = line.trim_end_matches('/').split(',').collect();
    // Date, and as the last field the version.
    fields.len() == 9 && fields[0] == "01" && digits(fields[3], 6) && fields[8].trim() == "2"
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A record with what continues it: its fields, and the line it begins on.
struct Record<'t> {
    code: &'t str,
    fields: VecDeque<&'t str>,
    line: u64,
    /// Lines it stands on.
    lines: u64,
    text: &'t str,
}

/// The most fields of a record and its continuations. An account has a few for each kind of total.
const MAX_FIELDS: usize = 1 << 16;

const CODES: [&str; 8] = ["01", "02", "03", "16", "49", "88", "98", "99"];

/// The code of a line and what stands behind it.
fn coded(line: &str) -> Option<(&str, &str)> {
    let (code, rest) = line.split_at_checked(2)?;
    let rest = rest.strip_prefix([',', ':']).or_else(|| (rest.is_empty() || rest == "/").then_some(""))?;
    CODES.contains(&code).then_some((code, rest))
}

/// The records on a line: one ends in a slash, and behind it the next begins with its code. Where lines of the file are
/// not known to have `several`, a slash may be a text's, and what follows has to look like all of a record.
fn each(line: &str, several: bool) -> Vec<&str> {
    let mut records = Vec::new();
    let mut start = 0;
    for (at, _) in line.match_indices('/') {
        let rest = line[at + 1..].trim_start();
        let code = CODES.iter().find(|code| rest.strip_prefix(**code).is_some_and(|rest| rest.starts_with(',')));
        if code.is_some_and(|code| several || is_whole(code, rest)) {
            records.push(&line[start..=at]);
            start = line.len() - rest.len();
        }
    }
    records.push(&line[start..]);
    records
}

/// Whether a text looks like a transaction or a trailer, and no text does.
fn is_whole(code: &str, text: &str) -> bool {
    let mut fields = text.split(',').skip(1);
    let mut number = |least: usize, most: usize| {
        let field = fields.next().unwrap_or_default().trim_end_matches('/').trim_start_matches(['-', '+']);
        (least..=most).contains(&field.len()) && field.bytes().all(|byte| byte.is_ascii_digit())
    };
    match code {
        "16" => number(3, 3) && number(0, 30) && text.matches(',').count() >= 3,
        "49" => number(1, 30) && number(1, 9),
        "98" | "99" => number(1, 30) && number(1, 9) && number(1, 9),
        _ => false,
    }
}

/// The records of a file. What is none has no code.
fn records<'t>(text: &'t str) -> impl Iterator<Item = Record<'t>> {
    // Where the first line has a second record, lines of the file have several.
    let several = text.lines().next().is_some_and(|line| each(line, true).len() > 1);
    let lines = text.split('\n').enumerate().flat_map(move |(number, line)| {
        let line = line.trim_end();
        each(line, several).into_iter().map(move |line| (number as u64, line))
    });
    let mut lines = lines.filter(|(_, line)| !line.is_empty()).peekable();
    std::iter::from_fn(move || {
        let (number, line) = lines.next()?;
        let Some((code, rest)) = coded(line) else {
            return Some(Record { code: "", fields: VecDeque::new(), line: number, lines: 1, text: line });
        };
        // A slash ends a record; elsewhere it is a text's.
        let split = |rest: &'t str| rest.strip_suffix('/').unwrap_or(rest).split(',').take(MAX_FIELDS + 1);
        let mut record = Record { code, fields: split(rest).collect(), line: number, lines: 1, text: line };
        while let Some((_, more)) = lines.peek().and_then(|(_, line)| coded(line)).filter(|(code, _)| *code == "88") {
            if record.fields.len() <= MAX_FIELDS {
                record.fields.extend(split(more));
            }
            record.lines += 1;
            lines.next();
        }
        if record.fields.len() > MAX_FIELDS {
            record.code = "";
        }
        Some(record)
    })
}

/// A sum that a trailer tells again. What is no number, or too much of it, cannot be checked.
#[derive(Clone, Copy, Default)]
struct Total {
    sum: Option<i128>,
    records: u64,
    parts: u64,
}

impl Total {
    fn new() -> Self {
        Self { sum: Some(0), ..Self::default() }
    }

    fn add(&mut self, sum: Option<i128>) {
        self.sum = self.sum.zip(sum).and_then(|(sum, more)| sum.checked_add(more));
    }
}

#[derive(Default)]
struct Group {
    date: Option<String>,
    told_date: String,
    currency: String,
    refused: Option<&'static str>,
    total: Total,
}

#[derive(Default)]
struct Account {
    number: String,
    currency: String,
    total: Total,
}

#[derive(Default)]
struct Reader {
    file: Total,
    group: Option<Group>,
    account: Option<Account>,
}

fn read(text: &str, sheet: &mut Sheet<'_>) {
    let mut reader = Reader { file: Total::new(), ..Reader::default() };
    for record in records(text) {
        reader.record(record, sheet);
    }
    if reader.file.records > 0 {
        sheet.warn("the file breaks off: there is no record 99 behind its last group");
    }
}

fn number(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if magnitude.is_empty() || magnitude.len() > 30 || !magnitude.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    magnitude.parse::<i128>().ok().map(|sum| if negative { -sum } else { sum })
}

impl Reader {
    fn record(&mut self, mut record: Record<'_>, sheet: &mut Sheet<'_>) {
        let line = record.line + 1;
        if !matches!(record.code, "01" | "") {
            let totals = [Some(&mut self.file), self.group.as_mut().map(|group| &mut group.total)];
            let account = self.account.as_mut().map(|account| &mut account.total);
            for total in totals.into_iter().chain([account]).flatten() {
                total.records += record.lines;
            }
        }
        let mut next = || record.fields.pop_front().unwrap_or("").trim();
        match record.code {
            "01" => {
                self.file = Total { records: record.lines, ..Total::new() };
                self.group = None;
                self.account = None;
            }
            "02" => {
                self.account = None;
                self.file.parts += 1;
                let [_, _, status, date, _, currency] = [(); 6].map(|()| next());
                let refused = match status {
                    "2" => Some("its group takes back an earlier one; expected the status 1 (update) in record 02"),
                    "4" => Some("its group is a test; expected the status 1 (update) in record 02"),
                    _ => None,
                };
                self.group = Some(Group {
                    date: day(date),
                    told_date: clip(date).to_owned(),
                    currency: clip(currency).to_owned(),
                    refused,
                    total: Total { records: record.lines, ..Total::new() },
                });
            }
            "03" => {
                let [number, currency] = [(); 2].map(|()| clip(next()).to_owned());
                let group = self.group.get_or_insert_with(Group::default);
                group.total.parts += 1;
                let currency = [currency, group.currency.clone()].into_iter().find(|code| !code.is_empty());
                let mut total = Total { records: record.lines, ..Total::new() };
                while !record.fields.is_empty() {
                    total.add(summary(&mut record.fields));
                }
                // The standard's currency where neither record names one.
                let currency = currency.unwrap_or_else(|| "USD".to_owned());
                self.account = Some(Account { number, currency, total });
            }
            "16" => self.transaction(record, sheet),
            "49" => match self.account.take() {
                Some(account) => {
                    let stated = [number(next()), number(next())];
                    check(&account.total, stated, None, &format!("line {line}: the account's trailer"), sheet);
                    if let Some(group) = &mut self.group {
                        // Totals of totals, as they are told.
                        group.total.add(stated[0]);
                    }
                }
                None => sheet.warn(format!("line {line}: a record 49 without an account's record 03 before it")),
            },
            "98" => match self.group.take() {
                Some(group) => {
                    self.account = None;
                    let stated = [number(next()), number(next()), number(next())];
                    let label = format!("line {line}: the group's trailer");
                    check(&group.total, [stated[0], stated[2]], Some((stated[1], "accounts")), &label, sheet);
                    self.file.add(stated[0]);
                }
                None => sheet.warn(format!("line {line}: a record 98 without a group's record 02 before it")),
            },
            "99" => {
                let stated = [number(next()), number(next()), number(next())];
                let label = format!("line {line}: the file's trailer");
                check(&self.file, [stated[0], stated[2]], Some((stated[1], "groups")), &label, sheet);
                self.file = Total::new();
                self.group = None;
                self.account = None;
            }
            "88" => {
                let mut entry = Entry::new(record.line);
                entry.reject(None, record.text, "it continues no record; expected one before it");
                sheet.push(entry);
            }
            _ => {
                let mut entry = Entry::new(record.line);
                let reason =
                    format!("expected a record of the codes {} and at most {MAX_FIELDS} fields", CODES.join(", "));
                entry.reject(None, record.text, reason);
                sheet.push(entry);
            }
        }
    }

    fn transaction(&mut self, mut record: Record<'_>, sheet: &mut Sheet<'_>) {
        let mut entry = Entry::new(record.line);
        let line = record.text;
        let fields = &mut record.fields;
        let [code, stated] = [(); 2].map(|()| fields.pop_front().unwrap_or("").trim());
        let sum = if stated.is_empty() { Some(0) } else { number(stated) };
        let group = self.group.as_ref();
        match &mut self.account {
            Some(account) => {
                account.total.add(sum);
                entry.set(Column::Account, account.number.as_str());
                entry.set(Column::Currency, account.currency.as_str());
            }
            None => entry.reject(None, line, "expected an account's record 03 before it"),
        }
        if let Some(reason) = group.and_then(|group| group.refused) {
            entry.reject(None, line, reason);
        }
        let date = group.map_or("", |group| &group.told_date);
        entry.time(group.and_then(|group| group.date.clone()), date, "the group's date as YYMMDD in record 02");
        let outflow = match code.parse::<u16>() {
            Ok(100..=399) if code.len() == 3 => false,
            Ok(400..=699) if code.len() == 3 => true,
            _ => {
                let reason = "expected a type code of 100 to 399 (credits) or 400 to 699 (debits)";
                entry.reject(Some(Column::Category), code, reason);
                false
            }
        };
        entry.set(Column::Category, code);
        if REVERSALS.contains(&code) {
            entry.set(Column::Reversal, "yes");
        }
        entry.set(Column::Status, "booked");
        let currency = Currency::new(entry.get(Column::Currency).as_bytes());
        if currency.is_none() {
            let stated = entry.get(Column::Currency).to_owned();
            entry.reject(Some(Column::Currency), &stated, "expected a currency of three letters in record 03 or 02");
        }
        match (number(stated), currency) {
            (Some(minor), Some(currency)) if minor >= 0 && !stated.starts_with('-') => match i64::try_from(minor) {
                Ok(minor) => {
                    let amount = Amount::new(if outflow { -minor } else { minor }, currency);
                    entry.set(Column::Amount, amount.to_string());
                }
                Err(_) => {
                    entry.reject(Some(Column::Amount), stated, "expected an amount within 64 bits of minor units")
                }
            },
            _ => {
                entry.reject(Some(Column::Amount), stated, "expected digits of minor units, without a sign or a point")
            }
        }
        match funds(fields) {
            Some(value) => entry.set(Column::ValueDate, value),
            None => {
                let reason = "expected a funds type of Z, 0, 1, 2, V with date and time, S with three amounts, or D with a \
                              count and as many pairs";
                entry.reject(None, line, reason);
            }
        }
        let [bank, customer] = [(); 2].map(|()| fields.pop_front().unwrap_or("").trim());
        entry.set(Column::Id, bank);
        entry.set(Column::Reference, customer);
        let text = fields.make_contiguous().join(",");
        // Where a text begins with a continuation, a field of nothing is before it.
        let text = text.trim_start_matches(',').trim();
        entry.set(Column::Counterparty, text);
        entry.set(Column::Description, text);
        sheet.push(entry);
    }
}

/// Type codes of what comes back: reversals, returns and rejections.
const REVERSALS: [&str; 12] = ["252", "255", "257", "258", "261", "266", "552", "555", "557", "558", "561", "566"];

fn day(date: &str) -> Option<String> {
    let part = |from: usize| date.get(from..from + 2).and_then(|part| part.parse::<u32>().ok());
    digits(date, 6).then(|| iso_date(2_000 + part(0)?, part(2)?, part(4)?)).flatten()
}

/// Takes a funds type and what belongs to it off the fields; the value date where it has one.
fn funds(fields: &mut VecDeque<&str>) -> Option<String> {
    let kind = fields.pop_front().unwrap_or("").trim();
    let mut skip = |count: usize| {
        (0..count).all(|_| fields.pop_front().is_none_or(|part| part.trim().is_empty() || number(part).is_some()))
    };
    match kind {
        "" | "Z" | "0" | "1" | "2" => Some(String::new()),
        "S" => skip(3).then(String::new),
        "V" => {
            let [date, time] = [(); 2].map(|()| fields.pop_front().unwrap_or("").trim());
            let fits = (date.is_empty() || day(date).is_some()) && (time.is_empty() || digits(time, 4));
            fits.then(|| [date, time].join(" ").trim().to_owned())
        }
        "D" => {
            let count = fields.pop_front().and_then(|count| count.trim().parse::<usize>().ok())?;
            // Days and an amount each; more than there are fields are none.
            let count = count.checked_mul(2).filter(|&count| count <= fields.len())?;
            (0..count).all(|_| fields.pop_front().is_some_and(|part| number(part).is_some())).then(String::new)
        }
        _ => None,
    }
}

/// Takes a type code with amount, count and funds type off an account's fields. Its amount is part of the account's
/// total.
fn summary(fields: &mut VecDeque<&str>) -> Option<i128> {
    fields.pop_front();
    let amount = fields.pop_front().unwrap_or("").trim();
    fields.pop_front();
    let known = funds(fields).is_some();
    let amount = if amount.is_empty() { Some(0) } else { number(amount) };
    amount.filter(|_| known)
}

/// Warns where a trailer tells other sums than there are.
fn check(
    total: &Total,
    [sum, records]: [Option<i128>; 2],
    parts: Option<(Option<i128>, &str)>,
    label: &str,
    sheet: &mut Sheet<'_>,
) {
    let shown = |stated: Option<i128>| stated.map_or_else(|| "nothing".to_owned(), |stated| stated.to_string());
    let mut tell = |what: &str, stated: Option<i128>, found: &dyn fmt::Display| {
        sheet.warn(format!("{label} tells {what} {}; the file has {found}", shown(stated)));
    };
    if let Some(found) = total.sum
        && sum != Some(found)
    {
        tell("a control total of", sum, &found);
    }
    if records != Some(i128::from(total.records)) {
        tell("a number of records of", records, &total.records);
    }
    if let Some((stated, what)) = parts
        && stated != Some(i128::from(total.parts))
    {
        tell(&format!("a number of {what} of"), stated, &total.parts);
    }
}
