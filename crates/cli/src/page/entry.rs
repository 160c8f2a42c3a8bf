//! One alert, as a person reads it.

use crible_alert::{Alert, Context, Reader, looks_like, sentences};
use crible_core::{Amount, Column};
use crible_ingest::FileReport;

use super::format::{date, money, sentence, total};
use super::{INDENT, Lines};

/// What a reader is told besides the alert.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) reader: Reader,
    /// Whether payments have days and no hours.
    pub(crate) is_by_day: bool,
}

/// An alert and how its feature row is read.
pub(crate) struct Entry<'a> {
    alert: &'a Alert,
    columns: &'a [Column],
    known: Known,
}

impl<'a> Entry<'a> {
    pub(crate) fn new(alert: &'a Alert, columns: &'a [Column], known: Known) -> Self {
        Self { alert, columns, known }
    }

    /// When, how much, what it looks like and how grave it is: in columns where there is room, else in lines of their
    /// own.
    pub(super) fn head(&self, number: usize, page: &mut Lines) {
        let decision = &self.alert.decision;
        let (date, amount, severity) = (date(decision.txn.at), self.amount(), decision.severity.to_string());
        let looks = decision.view.as_ref().map(|view| format!("looks like {}", looks_like(view, self.known.reader)));
        let looks = looks.unwrap_or_default();
        let columns = format!("{number:>2}  {date:<17} {amount:<30} {looks:<54} {severity}");
        if textwrap::core::display_width(&columns) <= page.width {
            page.wrap("", &columns);
            return;
        }
        let first = format!("{number:>2}  {date}  {amount}");
        let with_severity = format!("{first}  {severity}");
        if textwrap::core::display_width(&with_severity) <= page.width {
            page.wrap("", &with_severity);
        } else {
            page.wrap("", &format!("{number:>2}  {date}  {severity}"));
            page.wrap(INDENT, &amount);
        }
        if !looks.is_empty() {
            page.wrap(INDENT, &looks);
        }
    }

    /// How much it is about, of all payments of the story where these add up.
    fn amount(&self) -> String {
        let payments: Vec<Amount> = self.alert.payments.iter().map(|payment| payment.amount).collect();
        let own = self.alert.decision.txn.amount;
        match payments.len() {
            0 | 1 => money(own),
            n => match total(&payments) {
                Some(total) => format!("{} in {n} payments", money(total)),
                None if n == 2 => format!("{} and 1 more payment", money(own)),
                None => format!("{} and {} more payments", money(own), n - 1),
            },
        }
    }

    /// Why, in sentences.
    pub(super) fn reasons(&self, page: &mut Lines) {
        let decision = &self.alert.decision;
        let look = |name: &str| {
            let at = self.columns.iter().position(|column| column.name == name)?;
            Some(self.columns[at].scale.invert(f64::from(*decision.row.get(at)?)))
        };
        let Known { reader, is_by_day } = self.known;
        for sentence in sentences(decision, &Context { reader, look: &look, is_by_day }) {
            page.wrap(INDENT, &sentence);
        }
        if let Some(note) = decision.note {
            page.wrap(INDENT, &sentence(&note.to_string()));
        }
    }

    /// Where the payments stand: the rows of the file, counted from 1 as a person counts.
    pub(super) fn place(&self, files: &[FileReport]) -> Option<String> {
        let source = self.alert.decision.source?;
        let mut rows: Vec<u64> =
            self.alert.payments.iter().filter_map(|payment| Some(payment.source?.row + 1)).collect();
        if rows.is_empty() {
            rows.push(source.row + 1);
        }
        rows.sort_unstable();
        let shown = match rows[..] {
            [one] => format!("row {one}"),
            [one, other] => format!("rows {one} and {other}"),
            [first, .., last] if last - first + 1 == rows.len() as u64 => format!("rows {first} to {last}"),
            _ => format!("rows {}", rows.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
        };
        let file = files.get(source.file as usize).filter(|_| files.len() > 1);
        Some(file.map_or(shown.clone(), |file| format!("{shown} of {}", file.shown)))
    }

    /// The alert without what names anybody: no account, no payee, no place in a file.
    pub(crate) fn masked(&self, number: usize, width: usize) -> String {
        let mut page = Lines::new(width);
        self.head(number, &mut page);
        self.reasons(&mut page);
        page.text
    }
}
