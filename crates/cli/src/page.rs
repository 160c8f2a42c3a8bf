//! Alerts for a person at a terminal: a page in words.

mod entry;
mod expected;
mod format;
mod payees;

use std::io::{self, IsTerminal, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use crible::Model;
use crible_alert::{Alert, Reader};
use crible_core::Timestamp;
use crible_ingest::{FileReport, plain};

use crate::shown::Seen;
pub(crate) use entry::{Entry, Known};
use format::{date, digits, grouped};
pub(crate) use payees::Payees;

/// Alerts on a page; those of more are in the files.
const MOST: usize = 40;

/// However narrow a terminal says it is, lines are so wide.
const NARROWEST: usize = 40;

/// However wide a terminal is, sentences go no further.
const WIDEST: usize = 120;

/// Whether alerts are for a person: they go to a terminal.
pub(crate) fn is_wanted(alerts: &Option<PathBuf>) -> bool {
    alerts.is_none() && io::stdout().is_terminal()
}

/// Columns of the terminal, as far as they are used.
pub(crate) fn width() -> usize {
    textwrap::termwidth().clamp(NARROWEST, WIDEST)
}

/// Shows the page.
pub(crate) fn print(page: &str) -> Result<()> {
    io::stdout().write_all(page.as_bytes()).context("cannot write alerts")
}

/// The page: what was looked at, the alerts from the strangest on, and where there is more.
pub(crate) struct Page<'a> {
    pub(crate) alerts: &'a [Alert],
    pub(crate) seen: &'a Seen,
    pub(crate) model: &'a Model,
    pub(crate) warm_from: Option<Timestamp>,
    pub(crate) files: &'a [FileReport],
    pub(crate) payees: &'a Payees,
}

impl Page<'_> {
    /// Its lines, as wide as `width` columns at most.
    pub(crate) fn text(&self, width: usize) -> String {
        let Self { alerts, seen, model, files, payees, .. } = *self;
        let mut page = Lines::new(width);
        page.wrap("", &self.heading());
        if alerts.is_empty() {
            page.wrap("", "Nothing differs from what is usual by more than chance explains.");
        }
        let mut order: Vec<&Alert> = alerts.iter().collect();
        order.sort_by(|a, b| b.decision.score.raw.total_cmp(&a.decision.score.raw));
        let reader = if seen.accounts.len() == 1 { Reader::Owner } else { Reader::Analyst };
        let known = Known { reader, is_by_day: seen.is_by_day() };
        for (number, alert) in (1..).zip(order.iter().take(MOST)) {
            page.end();
            let entry = Entry::new(alert, model.columns(), known);
            entry.head(number, &mut page);
            if reader == Reader::Analyst {
                page.wrap(INDENT, &format!("account {}", alert.decision.txn.account));
            }
            if let Some(payees) = payees.line(alert) {
                page.wrap(INDENT, &payees);
            }
            entry.reasons(&mut page);
            if let Some(place) = entry.place(files) {
                page.wrap(INDENT, &place);
            }
        }
        page.end();
        if alerts.len() > MOST {
            let more = grouped((alerts.len() - MOST) as u64);
            page.wrap("", &format!("{more} more are not shown here: --out alerts.jsonl has all."));
        }
        let name = |one: &crible_alert::recurring::Recurring| payees.text(one.party);
        if let Some(sentence) = expected::sentence(&payees.recurring, name, digits, date) {
            page.wrap("", &sentence);
        }
        let more =
            "All scores: --scores FILE. More alerts: --min-severity medium, or --all. For programs: --out alerts.jsonl";
        page.wrap("", more);
        page.text
    }

    /// What was looked at.
    fn heading(&self) -> String {
        let seen = self.seen;
        let accounts = match seen.accounts.len() {
            1 => "one account".to_owned(),
            n => format!("{} accounts", grouped(n as u64)),
        };
        let span = seen.span.map(|(first, last)| format!(", {} to {}", date(first), date(last))).unwrap_or_default();
        let learned = self
            .warm_from
            .zip(seen.span)
            .map(|(warm, (first, _))| (warm.0 - first.0) / Timestamp::DAY)
            .filter(|days| *days > 0 && self.model.warm_up().0 > 0)
            .map(|days| format!(" (the first {days} days were learned from)"))
            .unwrap_or_default();
        let number = match self.alerts.len() {
            0 => "No alerts".to_owned(),
            1 => "1 alert".to_owned(),
            n => format!("{} alerts", grouped(n as u64)),
        };
        format!("{number} in {} payments of {accounts}{span}{learned}", grouped(seen.payments))
    }
}

/// What stands under the first line of an alert is moved in so far.
const INDENT: &str = "    ";

/// Lines of a page, none wider than it is.
struct Lines {
    width: usize,
    text: String,
}

impl Lines {
    fn new(width: usize) -> Self {
        Self { width, text: String::new() }
    }

    /// Ends a line, or leaves one empty.
    fn end(&mut self) {
        self.text.push('\n');
    }

    /// A text, broken between words where it is too wide; what no line holds is broken within. Nothing in it acts on a
    /// terminal.
    fn wrap(&mut self, indent: &str, text: &str) {
        let text = plain(text);
        let options = textwrap::Options::new(self.width).initial_indent(indent).subsequent_indent(indent);
        for line in textwrap::wrap(&text, options) {
            self.text.push_str(&line);
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_page() {
        let mut lines = Lines::new(40);
        lines.wrap(INDENT, "Your first payment to this payee in this file, of 𝔄\u{1b}[2J");
        lines.wrap("", &"x".repeat(90));
        assert!(lines.text.lines().all(|line| textwrap::core::display_width(line) <= 40), "{}", lines.text);
        assert!(lines.text.starts_with("    Your first payment to this payee in\n    this file"), "{}", lines.text);
        assert!(!lines.text.contains('\u{1b}'));
    }
}
