//! SWIFT MT940 and MT942: fields of a tag each, `:61:` an entry and the `:86:` behind it its description.

use chrono::{Datelike, NaiveDate};
use crible_core::{Amount, Currency};

use super::balance::Balance;
use super::sheet::{Column, Entry, Sheet, clip};
use super::{About, Content, Format, Head, MARK, Named, Opened};
use crate::error::Error;
use crate::value::amount::{self, Separated};

const ABOUT: About = About {
    name: "mt940",
    feed: "mt940",
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
    texts: true,
    corrects: false,
};

/// MT940 and MT942.
#[derive(Debug)]
pub(super) struct Mt;

impl Format for Mt {
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
    let start: String = head.chars().take(1_024).collect();
    // Some banks write lines of their own above a message.
    let mut lines = start.lines().take(8).skip_while(|line| !line.starts_with(":20:"));
    (start.starts_with("{1:") && (start.contains("{2:O94") || start.contains("{2:I94")))
        || start.starts_with(":940:")
        || (lines.next().is_some() && lines.any(|line| line.starts_with(":25")))
}

/// A field: its tag, its lines and the line it begins on, from 0.
struct Field<'t> {
    tag: &'t str,
    lines: Vec<&'t str>,
    line: u64,
}

/// The tag and the rest of a line that begins a field.
fn tagged(line: &str) -> Option<(&str, &str)> {
    // The first field of a message may stand behind the message's headers.
    let line = if line.starts_with('{') { line.rsplit('{').next()?.strip_prefix("4:")?.trim_start() } else { line };
    let (tag, rest) = line.strip_prefix(':')?.split_once(':')?;
    let digits = tag.get(..2)?.bytes().all(|byte| byte.is_ascii_digit());
    (digits && tag.len() <= 3).then_some((tag, rest))
}

fn fields(text: &str) -> Vec<Field<'_>> {
    let mut fields: Vec<Field<'_>> = Vec::new();
    let mut open = false;
    for (number, line) in text.split('\n').enumerate() {
        let line = line.trim_end();
        if let Some((tag, rest)) = tagged(line) {
            fields.push(Field { tag, lines: vec![rest], line: number as u64 });
            open = true;
        } else if line == "-" || line.starts_with("-}") || line.starts_with('{') {
            open = false;
        } else if let Some(field) = fields.last_mut().filter(|_| open && !line.is_empty()) {
            field.lines.push(line);
        }
    }
    fields
}

fn read(text: &str, sheet: &mut Sheet<'_>) {
    let (mut account, mut currency) = (String::new(), String::new());
    let mut open: Option<Entry> = None;
    let mut balance = Balance::default();
    let push = |entry: Entry, balance: &mut Balance, sheet: &mut Sheet<'_>| {
        balance.add(&entry);
        sheet.push(entry);
    };
    for field in fields(text) {
        let first = field.lines[0];
        if field.tag == "86" {
            if let Some(mut entry) = open.take() {
                describe(&mut entry, &field.lines);
                push(entry, &mut balance, sheet);
            }
            continue;
        }
        if let Some(entry) = open.take() {
            push(entry, &mut balance, sheet);
        }
        match field.tag {
            "20" => {
                account.clear();
                currency.clear();
                balance = Balance::default();
            }
            "25" | "25P" => clip(first.trim()).clone_into(&mut account),
            // Mark, date and currency of a balance; currency of a floor limit.
            "60F" | "60M" | "34F" => {
                let found = if field.tag == "34F" { first.get(..3) } else { first.get(7..10) };
                found.unwrap_or("").clone_into(&mut currency);
                balance = Balance::new(stated(first));
            }
            "62F" | "62M" => {
                let place = format!("line {}", field.line + 1);
                std::mem::take(&mut balance).close(stated(first), &place, sheet);
            }
            "61" => {
                let mut entry = Entry::new(field.line);
                entry.set(Column::Account, account.clone());
                entry.set(Column::Currency, currency.clone());
                if currency.is_empty() {
                    entry.reject(Some(Column::Currency), "", "expected an opening balance (:60F:) that names it");
                }
                if let Err((column, reason)) = line(&mut entry, first) {
                    entry.reject(column, first, reason);
                }
                if let Some(more) = field.lines.get(1) {
                    entry.set(Column::Description, *more);
                }
                open = Some(entry);
            }
            _ => {}
        }
    }
    if let Some(entry) = open {
        sheet.push(entry);
    }
}

/// A balance: `(C|D)YYMMDD`, currency and amount. A floor limit is none.
fn stated(text: &str) -> Option<Amount> {
    let credit = matches!(text.get(..1)?, "C");
    let digits = text.get(10..)?.trim().replace(',', ".");
    Balance::stated(&digits, text.get(7..10)?, credit).filter(|_| text.starts_with(['C', 'D']))
}

/// The number of an amount, with a point before its decimals. The standard has a comma there and nothing between
/// thousands; some banks write a point for either. Nothing where a point may be the one or the other.
fn decimal(amount: &str, currency: &str) -> Option<String> {
    if !amount.contains('.') {
        return Some(amount.replace(',', "."));
    }
    match amount::separated(amount) {
        Separated::Plain(text) | Separated::Point(text) | Separated::Comma(text) => Some(text),
        Separated::Open { point, .. } => {
            let digits = Currency::new(currency.as_bytes()).map(Currency::exponent);
            (digits == Some(3)).then_some(point)
        }
        Separated::None => Some(amount.to_owned()),
    }
}

type Fault = (Option<Column>, &'static str);

/// A day as banks count them, of which months of thirty days have 29 and 30 February; and whether the calendar has it.
fn day(year: u32, month: u32, day: u32) -> Option<(NaiveDate, bool)> {
    let year = i32::try_from(year).ok()?;
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => Some((date, true)),
        None if month == 2 && matches!(day, 29 | 30) => Some((NaiveDate::from_ymd_opt(year, 3, 1)?.pred_opt()?, false)),
        None => None,
    }
}

/// The day of booking. It has no year, which is the one that brings it nearest to the value date.
fn booked(value: NaiveDate, month: u32, of_month: u32) -> Option<NaiveDate> {
    let year = u32::try_from(value.year()).ok()?;
    let days = (year.saturating_sub(1)..=year + 1).filter_map(|year| day(year, month, of_month));
    days.map(|(date, _)| date).min_by_key(|date| date.signed_duration_since(value).num_days().abs())
}

/// Days from an end of February that only banks have to the day of booking that a calendar makes of it.
const OVERFLOW: i64 = 3;

/// `YYMMDD[MMDD](C|D|RC|RD|EC|ED)[letter]amount,Nxxxreference[//reference]`; some banks fill the date of booking with
/// blanks.
fn line(entry: &mut Entry, text: &str) -> Result<(), Fault> {
    let date = (Some(Column::Time), "expected a date of six digits, such as 240131, and of the calendar");
    let two = |from: usize| -> Option<u32> {
        let digits = text.get(from..from + 2)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (two(0), two(2), two(4)) else { return Err(date) };
    let (value, real) = self::day(2_000 + year, month, day).ok_or(date)?;
    let (booked, rest) = match (two(6), two(8)) {
        (Some(month), Some(day)) => (booked(value, month, day).ok_or(date)?, &text[10..]),
        _ => (value, text.get(6..).unwrap_or("").trim_start()),
    };
    // 30 February is the end of the month, whatever day of March a calendar has made of it.
    let overflows = !real && (0..=OVERFLOW).contains(&booked.signed_duration_since(value).num_days());
    let written = |date: NaiveDate| date.format("%Y-%m-%d").to_string();
    entry.set(Column::Time, written(if overflows { value } else { booked }));
    entry.set(Column::ValueDate, written(value));
    let digit = rest.find(|letter: char| letter.is_ascii_digit());
    let mark = (None, "expected C, D, RC or RD before the amount");
    let (letters, rest) = rest.split_at(digit.ok_or(mark)?);
    // A reversal goes the other way; a letter of the currency may stand behind the mark.
    let credit = match letters {
        "C" | "RD" => true,
        "D" | "RC" => false,
        "EC" | "ED" => {
            entry.set(Column::Status, "pending");
            return Err((None, "the entry is expected and not booked; expected a booked one"));
        }
        letters => match (letters.len(), letters.strip_suffix(|letter: char| letter.is_ascii_uppercase())) {
            (2 | 3, Some("C" | "RD")) => true,
            (2 | 3, Some("D" | "RC")) => false,
            _ => return Err(mark),
        },
    };
    entry.set(Column::Status, "booked");
    if letters.starts_with('R') {
        entry.set(Column::Reversal, "yes");
    }
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ',' | '.')).unwrap_or(rest.len());
    let (amount, rest) = rest.split_at(end);
    match decimal(amount, entry.get(Column::Currency)) {
        Some(plain) => entry.unsigned(&plain, !credit),
        None => return Err((Some(Column::Amount), "its point may stand before decimals or part thousands")),
    }
    let (kind, references) = rest.split_at_checked(4).unwrap_or((rest, ""));
    entry.set(Column::Channel, kind.trim());
    let (own, bank) = references.split_once("//").unwrap_or((references, ""));
    entry.set(Column::Id, bank.trim());
    entry.set(Column::Reference, own.trim());
    Ok(())
}

/// The transaction code and the mark of a description of numbered fields.
fn coded(text: &str) -> Option<(&str, char)> {
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (code, rest) = text.split_at(digits);
    let mark = rest.chars().next().filter(|mark| matches!(mark, '?' | '~' | '^' | '<' | '>' | '@'))?;
    let numbered = |part: &str| part.get(..2).is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let fields = rest.split(mark).skip(1).filter(|part| numbered(part)).count();
    (matches!(digits, 0 | 3) && fields > usize::from(code.is_empty())).then_some((code, mark))
}

/// The description: who it was with, from the forms that banks agree on, else all of it.
fn describe(entry: &mut Entry, lines: &[&str]) {
    let text = lines.concat();
    let (mut name, mut account) = (String::new(), String::new());
    // Three digits of a transaction code, then `?20…?32…` as in Germany, `~20…~32…` or `^20…^32…` as in Poland.
    if let Some((code, mark)) = coded(&text) {
        if !code.is_empty() {
            entry.set(Column::Category, code);
        }
        for part in text.split(mark).skip(1) {
            match part.split_at_checked(2) {
                Some(("31" | "38", value)) if !value.trim().is_empty() => value.trim().clone_into(&mut account),
                Some(("32" | "33", value)) => name.push_str(value),
                _ => {}
            }
        }
    } else {
        // `/NAME/…/IBAN/…/` as in the Netherlands, or `/CNTP/account/bank/name/`.
        let words: Vec<&str> = text.split('/').collect();
        let behind = |word: &str, by: usize| {
            let at = words.iter().position(|found| *found == word)?;
            words.get(at + by).map(|found| found.trim().to_owned())
        };
        account = behind("IBAN", 1).or_else(|| behind("CNTP", 1)).unwrap_or_default();
        name = behind("NAME", 1).or_else(|| behind("CNTP", 3)).unwrap_or_default();
    }
    for party in [account.as_str(), name.as_str(), text.as_str()] {
        entry.fill(Column::Counterparty, party);
    }
    let whole = [entry.get(Column::Description), text.as_str()].join("\u{1f}");
    entry.set(Column::Description, whole);
}
