//! Alerts for a person at a terminal: a page in words.

mod expected;
mod payees;

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::path::PathBuf;

use anyhow::{Context, Result};
use crible::Model;
use crible_alert::{Alert, Reader, looks_like, sentences};
use crible_core::{Amount, Timestamp};
use crible_ingest::{FileReport, plain};

use crate::shown::Seen;
pub(crate) use payees::Payees;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Alerts on a page; those of more are in the files.
const MOST: usize = 40;

/// Whether alerts are for a person: they go to a terminal.
pub(crate) fn is_wanted(alerts: &Option<PathBuf>) -> bool {
    alerts.is_none() && io::stdout().is_terminal()
}

/// Shows the page.
pub(crate) fn print(page: &str) -> Result<()> {
    io::stdout().write_all(page.as_bytes()).context("cannot write alerts")
}

/// The page: what was looked at, the alerts from the strangest on, and where there is more.
pub(crate) fn text(
    alerts: &[Alert],
    seen: &Seen,
    model: &Model,
    warm_from: Option<Timestamp>,
    files: &[FileReport],
    payees: &Payees,
) -> String {
    let mut page = String::new();
    // Writing to a string has nothing to fail on.
    let mut line = |text: std::fmt::Arguments<'_>| {
        let _ = writeln!(page, "{}", plain(&text.to_string()));
    };
    let accounts = match seen.accounts.len() {
        1 => "one account".to_owned(),
        n => format!("{} accounts", grouped(n as u64)),
    };
    let span = seen.span.map(|(first, last)| format!(", {} to {}", date(first), date(last))).unwrap_or_default();
    let learned = warm_from
        .zip(seen.span)
        .map(|(warm, (first, _))| (warm.0 - first.0) / Timestamp::DAY)
        .filter(|days| *days > 0 && model.warm_up().0 > 0)
        .map(|days| format!(" (the first {days} days were learned from)"))
        .unwrap_or_default();
    let number = match alerts.len() {
        0 => "No alerts".to_owned(),
        1 => "1 alert".to_owned(),
        n => format!("{} alerts", grouped(n as u64)),
    };
    line(format_args!("{number} in {} payments of {accounts}{span}{learned}", grouped(seen.payments)));
    if alerts.is_empty() {
        line(format_args!("Nothing differs from what is usual by more than chance explains."));
    }
    let mut order: Vec<&Alert> = alerts.iter().collect();
    order.sort_by(|a, b| b.decision.score.raw.total_cmp(&a.decision.score.raw));
    let one_account = seen.accounts.len() == 1;
    let reader = if one_account { Reader::Owner } else { Reader::Analyst };
    for (number, alert) in (1..).zip(order.iter().take(MOST)) {
        let decision = &alert.decision;
        let payments: Vec<Amount> = alert.payments.iter().map(|payment| payment.amount).collect();
        let amount = match payments.len() {
            0 | 1 => money(decision.txn.amount),
            n => match total(&payments) {
                Some(total) => format!("{} in {n} payments", money(total)),
                None => format!("{} and {} more payments", money(decision.txn.amount), n - 1),
            },
        };
        let looks = decision.view.as_ref().map(|view| format!("looks like {}", looks_like(view, reader)));
        let looks = looks.unwrap_or_default();
        line(format_args!(""));
        line(format_args!("{number:>2}  {:<17} {amount:<32} {looks:<48} {}", date(decision.txn.at), decision.severity));
        if !one_account {
            line(format_args!("    account {}", decision.txn.account));
        }
        if let Some(payees) = payees.line(alert) {
            line(format_args!("    {payees}"));
        }
        let columns = model.columns();
        let look = |name: &str| {
            let at = columns.iter().position(|column| column.name == name)?;
            Some(columns[at].scale.invert(f64::from(*decision.row.get(at)?)))
        };
        for sentence in sentences(decision, &look, reader) {
            line(format_args!("    {sentence}"));
        }
        if let Some(note) = decision.note {
            line(format_args!("    {}", sentence(&note.to_string())));
        }
        if let Some(place) = place(alert, files) {
            line(format_args!("    {place}"));
        }
    }
    line(format_args!(""));
    if alerts.len() > MOST {
        line(format_args!(
            "{} more are not shown here: --out alerts.jsonl has all.",
            grouped((alerts.len() - MOST) as u64)
        ));
    }
    if let Some(sentence) = expected::sentence(&payees.recurring, |one| payees.text(one.party), digits, date) {
        line(format_args!("{sentence}"));
    }
    line(format_args!(
        "All scores: --scores FILE. More alerts: --min-severity medium, or --all. For programs: --out alerts.jsonl"
    ));
    page
}

/// Where the payments stand: the rows of the file, counted from 1 as a person counts.
fn place(alert: &Alert, files: &[FileReport]) -> Option<String> {
    let source = alert.decision.source?;
    let mut rows: Vec<u64> = alert.payments.iter().filter_map(|payment| Some(payment.source?.row + 1)).collect();
    if rows.is_empty() {
        rows.push(source.row + 1);
    }
    rows.sort_unstable();
    let shown = match rows[..] {
        [one] => format!("row {one}"),
        [first, .., last] if last - first + 1 == rows.len() as u64 => format!("rows {first} to {last}"),
        _ => format!("rows {}", rows.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    };
    let file = files.get(source.file as usize).filter(|_| files.len() > 1);
    Some(file.map_or(shown.clone(), |file| format!("{shown} of {}", file.shown)))
}

fn total(amounts: &[Amount]) -> Option<Amount> {
    let (first, rest) = amounts.split_first()?;
    rest.iter().try_fold(*first, |sum, amount| {
        let minor = sum.minor.checked_add(amount.minor)?;
        (sum.currency == amount.currency).then_some(Amount::new(minor, sum.currency))
    })
}

/// `14 September 2025`.
fn date(at: Timestamp) -> String {
    let (year, month, day) = at.civil_date();
    format!("{day} {} {year}", MONTHS[month as usize - 1])
}

/// `−1,149.98 USD`.
fn money(amount: Amount) -> String {
    let sign = if amount.minor < 0 { "−" } else { "+" };
    format!("{sign}{} {}", digits(amount), amount.currency)
}

/// `1,149.98`.
fn digits(amount: Amount) -> String {
    let digits = amount.to_string();
    let digits = digits.trim_start_matches('-');
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    format!("{whole}{rest}")
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A reason as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use crible_core::Currency;

    use super::*;

    #[test]
    fn numbers_and_dates_are_as_people_write_them() {
        assert_eq!(money(Amount::new(-114_998, Currency::USD)), "−1,149.98 USD");
        assert_eq!(money(Amount::new(i64::MIN + 1, Currency::EUR)), "−92,233,720,368,547,758.07 EUR");
        assert_eq!(money(Amount::new(5, Currency::new(b"JPY").unwrap_or(Currency::EUR))), "+5 JPY");
        assert_eq!(date(Timestamp::from_seconds(1_757_808_000)), "14 September 2025");
        assert_eq!(sentence("paid nobody before"), "Paid nobody before.");
        let sum =
            |amounts: &[(i64, Currency)]| total(&amounts.iter().map(|&(m, c)| Amount::new(m, c)).collect::<Vec<_>>());
        assert_eq!(sum(&[(-5, Currency::USD), (2, Currency::USD)]), Some(Amount::new(-3, Currency::USD)));
        assert_eq!(sum(&[(-5, Currency::USD), (2, Currency::EUR)]), None);
        assert_eq!(sum(&[(i64::MAX, Currency::USD), (2, Currency::USD)]), None);
    }
}
