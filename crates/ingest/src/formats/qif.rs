//! QIF: a letter a field, a line a field, `^` behind each entry. It says neither the currency nor whether day or month
//! comes first.

use std::path::Path;

use super::sheet::{Column, Entry, Sheet, clip};
use super::{About, Content, Format, Head, MARK, Named, Opened, iso_date};
use crate::error::Error;
use crate::value::amount::{Decided, Separators, Style};

const ABOUT: About = About {
    name: "qif",
    feed: "qif",
    title: "QIF, bank, cash and card accounts",
    source: "Quicken Interchange Format",
    notes: "The account is the name in `!Account`, or the file's name. QIF names no currency: XXX. The order of day \
            and month is made out from all dates of the file, and where none of them tells, it has to be said by \
            naming the feed qif-month-first or qif-day-first.",
    signature: "`!Type:`, `!Account` or `!Option:` at its beginning",
    parties_are_accounts: false,
    id: None,
    country: false,
    texts: true,
    corrects: false,
};
const MONTH_FIRST: About = About {
    name: "qif-month-first",
    feed: "qif",
    title: "QIF, dates with the month first",
    source: "Quicken Interchange Format",
    notes: "As qif; the references are the same.",
    signature: "",
    parties_are_accounts: false,
    id: None,
    country: false,
    texts: true,
    corrects: false,
};
const DAY_FIRST: About = About {
    name: "qif-day-first",
    feed: "qif",
    title: "QIF, dates with the day first",
    source: "Quicken Interchange Format",
    notes: "As qif; the references are the same.",
    signature: "",
    parties_are_accounts: false,
    id: None,
    country: false,
    texts: true,
    corrects: false,
};

/// QIF, with an order of dates that is made out or that the user has named.
#[derive(Debug)]
pub(super) struct Qif(pub(super) Order);

impl Format for Qif {
    fn about(&self) -> &'static About {
        match self.0 {
            Order::Sniffed => &ABOUT,
            Order::MonthFirst => &MONTH_FIRST,
            Order::DayFirst => &DAY_FIRST,
        }
    }

    fn sees(&self, head: &Head<'_>) -> Option<u8> {
        (self.0 == Order::Sniffed && begins(head.text)).then_some(MARK)
    }

    fn open(&self, content: Content, file: &Named<'_>) -> Result<Opened, Error> {
        let (text, stem) = (content.text(), file.stem.clone());
        let (order, style) = settle(&text, self.0, file.path)?;
        let opened = Opened::new(move |sheet| read(&text, order, &stem, sheet));
        Ok(Opened {
            style: Some(style),
            described: order.described().map(str::to_owned).into_iter().collect(),
            ..opened
        })
    }
}

/// Lines of remarks that tools write above the first section.
const REMARKS: usize = 32;

fn begins(head: &str) -> bool {
    let mut lines = lines(head).take(REMARKS).map(str::trim_start).filter(|line| !line.is_empty() && !is_remark(line));
    let start: String = lines.next().unwrap_or("").chars().take(16).collect::<String>().to_ascii_lowercase();
    ["!type:", "!account", "!option:", "!clear:"].iter().any(|mark| start.starts_with(mark))
}

/// No field of QIF begins so.
fn is_remark(line: &str) -> bool {
    line.starts_with(['#', ';']) || line.starts_with("//")
}

/// Which of a date's numbers is the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Not made out yet; once it is, dates that begin with the year are the file's only ones.
    Sniffed,
    MonthFirst,
    DayFirst,
}

impl Order {
    fn described(self) -> Option<&'static str> {
        match self {
            Self::Sniffed => None,
            Self::MonthFirst => Some("dates read with the month first"),
            Self::DayFirst => Some("dates read with the day first"),
        }
    }
}

/// What a section holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Transactions,
    /// Buying and selling, whose signs are the action's.
    Investments,
    Accounts,
    /// Categories, prices and other lists that have no transactions.
    Lists,
    /// Nobody knows what.
    Other,
}

/// Kinds of lists that Quicken writes beside transactions.
const LISTS: [&str; 12] = [
    "cat",
    "class",
    "memorized",
    "security",
    "prices",
    "budget",
    "invitem",
    "template",
    "tag",
    "payee",
    "currency",
    "tax",
];

fn section(line: &str) -> Option<Section> {
    let line = line.strip_prefix('!')?.trim().to_ascii_lowercase();
    if line == "account" {
        return Some(Section::Accounts);
    }
    let Some(kind) = line.strip_prefix("type:") else {
        // An option changes nothing of what follows.
        return (!line.starts_with("option") && !line.starts_with("clear")).then_some(Section::Other);
    };
    Some(match kind.trim() {
        "bank" | "cash" | "ccard" | "oth a" | "oth l" => Section::Transactions,
        "invst" => Section::Investments,
        kind if LISTS.contains(&kind) => Section::Lists,
        _ => Section::Other,
    })
}

/// Lines of entries, each with its section. A remark is none; where a line of transactions begins like one, nothing
/// else of QIF does.
fn fields(text: &str) -> impl Iterator<Item = (usize, Section, &str)> {
    let mut now = Section::Other;
    lines(text).enumerate().filter_map(move |(number, line)| {
        let line = line.trim_end();
        if line.starts_with('!') {
            now = section(line).unwrap_or(now);
            return None;
        }
        (!line.trim().is_empty() && !is_remark(line)).then_some((number, now, line))
    })
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let end = if text.contains('\n') { '\n' } else { '\r' };
    text.split(end)
}

/// The order of the dates and the way amounts are written, from all of them.
fn settle(text: &str, asked: Order, path: &Path) -> Result<(Order, Style), Error> {
    let (mut month_first, mut day_first, mut open) = (0u64, 0u64, None);
    let mut separators = Separators::default();
    for (_, _, line) in fields(text).filter(|(_, section, _)| *section == Section::Transactions) {
        if let Some(date) = line.strip_prefix('D') {
            match parts(date) {
                Some((Parts::Short(first, second), _)) if first > 12 && second <= 12 => day_first += 1,
                Some((Parts::Short(first, second), _)) if second > 12 && first <= 12 => month_first += 1,
                // No country writes the month first and parts it with points.
                Some((Parts::Short(..), _)) if date.contains('.') => day_first += 1,
                Some((Parts::Short(first, second), _)) if first != second => open = open.or(Some(date.trim())),
                _ => {}
            }
        } else if let Some(sum) = line.strip_prefix(['T', 'U']) {
            separators.add(sum.trim());
        }
    }
    let style = match separators.decide(None) {
        Decided::Point(b',') => Style::MoneyComma,
        Decided::Point(_) | Decided::Neither => Style::Money,
        // Quicken parts thousands by commas and writes two decimals behind a point.
        Decided::Open { value, point, comma } => {
            return Err(Error::Undecided {
                path: path.to_owned(),
                column: "T".to_owned(),
                what: format!("whether `{value}` is {point} or {comma}"),
                hint: "no amount of the file tells; write its amounts with two decimals".to_owned(),
            });
        }
    };
    let order = match (asked, month_first > day_first) {
        (Order::MonthFirst | Order::DayFirst, _) => asked,
        _ if month_first == day_first => match open.filter(|_| month_first == 0) {
            // The dates say one thing and the other as often, or nothing at all.
            None if month_first == 0 => Order::MonthFirst,
            open => {
                return Err(Error::Undecided {
                    path: path.to_owned(),
                    column: "D".to_owned(),
                    what: format!("which of its numbers is the month{}", open.map(like).unwrap_or_default()),
                    hint: "name the feed: qif-month-first or qif-day-first".to_owned(),
                });
            }
        },
        (_, true) => Order::MonthFirst,
        (_, false) => Order::DayFirst,
    };
    Ok((order, style))
}

fn like(date: &str) -> String {
    format!(" (`{}`)", crate::error::shown(date.as_bytes()))
}

enum Parts {
    /// Day and month in either order, the year behind them.
    Short(u32, u32),
    /// Month and day, the year before them.
    Long(u32, u32),
}

/// A date's numbers: `6/ 1/94`, `6/1'2006`, `01.06.2006`, `2006-06-01`.
fn parts(date: &str) -> Option<(Parts, u32)> {
    let date = date.trim();
    if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) {
        // 20240115; nobody writes eight digits with the year last.
        let number = |from: usize, to: usize| date.get(from..to)?.parse::<u32>().ok();
        return Some((Parts::Long(number(4, 6)?, number(6, 8)?), number(0, 4)?));
    }
    let texts: Vec<&str> = date.split(['/', '-', '.', '\'']).map(str::trim).collect();
    let [first, second, third] = texts[..] else { return None };
    let number = |text: &str| {
        let digits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse::<u32>().ok() } else { None }
    };
    let (a, b, c) = (number(first)?, number(second)?, number(third)?);
    if first.len() == 4 {
        return Some((Parts::Long(b, c), a));
    }
    let year = match third.len() {
        4 => c,
        1 | 2 if date.contains('\'') => 2_000 + c,
        // As strftime's %y has it.
        1 | 2 if c < 69 => 2_000 + c,
        1 | 2 => 1_900 + c,
        _ => return None,
    };
    Some((Parts::Short(a, b), year))
}

fn time(date: &str, order: Order) -> Option<String> {
    let (parts, year) = parts(date)?;
    let (month, day) = match parts {
        Parts::Long(month, day) => (month, day),
        Parts::Short(day, month) if order == Order::DayFirst => (month, day),
        Parts::Short(month, day) => (month, day),
    };
    iso_date(year, month, day)
}

fn read(text: &str, order: Order, stem: &str, sheet: &mut Sheet<'_>) {
    let expected = match order {
        Order::DayFirst => "a date such as 31/01/2024 (day/month/year)",
        _ => "a date such as 01/31/2024 (month/day/year)",
    };
    let mut account = stem.to_owned();
    let mut open: Option<Entry> = None;
    let mut before = Section::Other;
    let mut lists = 0u64;
    for (number, section, line) in fields(text) {
        if section != before
            && let Some(entry) = open.take()
        {
            cut(entry, sheet);
        }
        before = section;
        if line.starts_with('^') && section != Section::Lists {
            if let Some(entry) = open.take() {
                end(entry, &account, sheet);
            }
            continue;
        }
        let mut letters = line.chars();
        let letter = letters.next().unwrap_or(' ');
        let value = letters.as_str().trim();
        match section {
            Section::Lists => {
                lists += u64::from(letter == '^');
                continue;
            }
            Section::Accounts => {
                if letter == 'N' {
                    clip(value).clone_into(&mut account);
                }
                continue;
            }
            Section::Transactions | Section::Investments | Section::Other => {}
        }
        if letter == 'D'
            && let Some(entry) = open.take_if(|entry| entry.wrong.is_some() || !entry.get(Column::Time).is_empty())
        {
            // A second date is another entry's.
            cut(entry, sheet);
        }
        let entry = open.get_or_insert_with(|| {
            let mut entry = Entry::new(number as u64);
            entry.set(Column::Account, account.clone());
            entry
        });
        if section == Section::Other {
            entry.reject(
                None,
                line,
                "its section is of no known kind; expected !Type:Bank, Cash, CCard, Oth A or Oth L",
            );
        } else if section == Section::Investments {
            entry.reject(None, line, "it is of an investment account; expected one of a bank, cash or card account");
        }
        match letter {
            'D' => entry.time(time(value, order), value, expected),
            // U says again what T says.
            'T' => entry.set(Column::Amount, value),
            'U' => entry.fill(Column::Amount, value),
            'P' => entry.set(Column::Counterparty, value),
            'M' => entry.set(Column::Description, value),
            'N' => entry.set(Column::Reference, value),
            'L' => entry.set(Column::Category, value),
            _ => {}
        }
    }
    if let Some(entry) = open {
        cut(entry, sheet);
    }
    if lists > 0 {
        sheet.warn(format!(
            "{lists} entries are of lists such as categories and prices; they are no transactions and not read"
        ));
    }
}

fn cut(mut entry: Entry, sheet: &mut Sheet<'_>) {
    entry.reject(None, "", "the entry breaks off; expected a line of ^ behind it");
    sheet.push(entry);
}

fn end(mut entry: Entry, account: &str, sheet: &mut Sheet<'_>) {
    let transfer = entry.get(Column::Category).strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    if let Some(other) = transfer.map(str::to_owned) {
        if other == account && entry.get(Column::Counterparty).eq_ignore_ascii_case("opening balance") {
            entry.reject(None, "Opening Balance", "it is the opening balance; expected a transaction");
        }
        entry.fill(Column::Counterparty, &other);
        // An account's name is no word to keep.
        entry.set(Column::Category, "transfer");
    }
    let memo = entry.get(Column::Description).to_owned();
    entry.fill(Column::Counterparty, &memo);
    sheet.push(entry);
}
