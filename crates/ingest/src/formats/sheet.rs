//! The table that every format becomes.

use crible_core::{Amount, AmountError, Currency};

use crate::build::Fields;
use crate::mask::shape;

/// Names of the columns, in the order of [`Column`].
pub(crate) const COLUMNS: [&str; 16] = [
    "account",
    "time",
    "amount",
    "currency",
    "counterparty",
    "id",
    "category",
    "channel",
    "description",
    "reference",
    "value-date",
    "country",
    "status",
    "reversal",
    "reversal-of",
    "fee",
];

/// The longest value, in bytes. No format allows a tenth of it; what holds for many entries must not be copied at any
/// length for each.
const MAX_VALUE: usize = 16 << 10;

/// As much of a text as makes it too long, where it is.
pub(crate) fn clip(text: &str) -> &str {
    &text[..text.ceil_char_boundary(MAX_VALUE + 1)]
}

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Account,
    /// ISO 8601.
    Time,
    /// Signed, an outflow negative.
    Amount,
    Currency,
    Counterparty,
    /// The feed's own id.
    Id,
    Category,
    Channel,
    Description,
    /// What else tells transactions apart.
    Reference,
    ValueDate,
    Country,
    /// `booked` or `pending`, where the format says which.
    Status,
    /// `yes` where the entry takes another one back; its amount has the sign that goes with it.
    Reversal,
    /// [`Column::Id`] of the entry that is taken back, in the form in which that entry has it.
    ReversalOf,
    /// A fee that the entry tells, in the entry's currency and without a sign.
    Fee,
}

/// What is wrong with an entry.
#[derive(Clone, Debug)]
pub(crate) struct Wrong {
    /// Nothing for the entry as a whole.
    pub(crate) column: Option<Column>,
    pub(crate) value: String,
    pub(crate) reason: String,
}

/// One transaction as a format tells it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The line it starts on, from 0.
    pub(crate) line: u64,
    fields: [String; COLUMNS.len()],
    pub(crate) wrong: Option<Wrong>,
}

impl Entry {
    pub(crate) fn new(line: u64) -> Self {
        Self { line, fields: Default::default(), wrong: None }
    }

    pub(crate) fn get(&self, column: Column) -> &str {
        &self.fields[column as usize]
    }

    pub(crate) fn set(&mut self, column: Column, value: impl Into<String>) {
        self.fields[column as usize] = value.into();
    }

    /// Sets a column that has nothing yet.
    pub(crate) fn fill(&mut self, column: Column, value: &str) {
        if self.get(column).is_empty() {
            self.set(column, value.trim());
        }
    }

    /// Rejects the entry. What is found first is told.
    pub(crate) fn reject(&mut self, column: Option<Column>, value: &str, reason: impl Into<String>) {
        if self.wrong.is_none() {
            self.wrong = Some(Wrong { column, value: clip(value).to_owned(), reason: reason.into() });
        }
    }

    /// Sets the amount of a format that writes signs elsewhere, or rejects what is none. The currency comes first.
    pub(crate) fn unsigned(&mut self, text: &str, outflow: bool) {
        if text.is_empty() || text.starts_with(['-', '+']) {
            self.reject(Some(Column::Amount), text, "expected an amount without a sign");
        }
        if let Some(currency) = Currency::new(self.get(Column::Currency).as_bytes())
            && let Err(error) = Amount::parse(text, currency)
            // More digits than the currency has are rounded with those of every other feed.
            && !matches!(error, AmountError::TooPrecise { .. })
        {
            self.reject(Some(Column::Amount), text, error.to_string());
        }
        self.set(Column::Amount, if outflow { format!("-{text}") } else { text.to_owned() });
    }

    /// Sets the time, or rejects the value that is none.
    pub(crate) fn time(&mut self, iso: Option<String>, raw: &str, expected: &str) {
        match iso {
            Some(iso) => self.set(Column::Time, iso),
            None => self.reject(Some(Column::Time), raw, format!("expected {expected}")),
        }
    }

    /// What could not be decoded is no part of what a transaction is. Texts beside it may well be damaged: a bank's own
    /// system often did so before.
    fn check(&mut self) {
        const TEXTS: [Column; 3] = [Column::Description, Column::Reference, Column::Counterparty];
        let texts = TEXTS.map(|column| column as usize);
        let read = self.fields.iter().enumerate().filter(|(at, _)| !texts.contains(at));
        let broken = read.map(|(_, field)| field).find(|field| field.contains('\u{fffd}')).cloned();
        if let Some(value) = broken {
            self.reject(
                None,
                &shape(&value),
                "the entry is not in the file's encoding; expected UTF-8 or the encoding it names",
            );
        }
        if let Some(value) = self.fields.iter_mut().find(|field| field.len() > MAX_VALUE).map(std::mem::take) {
            self.reject(None, &value, format!("a value is too long; expected at most {MAX_VALUE} bytes"));
        }
    }
}

impl Fields for Entry {
    fn len(&self) -> usize {
        self.fields.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        self.fields[at].as_bytes()
    }
}

/// Entries handed on at a time.
const FLUSH: usize = 4_096;

/// Where a format's reader puts its entries.
pub(crate) struct Sheet<'a> {
    entries: Vec<Entry>,
    take: &'a mut dyn FnMut(&[Entry]),
    warnings: Vec<String>,
}

impl<'a> Sheet<'a> {
    pub(crate) fn new(take: &'a mut dyn FnMut(&[Entry])) -> Self {
        Self { entries: Vec::new(), take, warnings: Vec::new() }
    }

    pub(crate) fn push(&mut self, mut entry: Entry) {
        entry.check();
        self.entries.push(entry);
        if self.entries.len() == FLUSH {
            self.flush();
        }
    }

    /// Something to say of the file; the same only once, and not without end.
    pub(crate) fn warn(&mut self, text: impl Into<String>) {
        let text = text.into();
        if self.warnings.len() < 100 && !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    fn flush(&mut self) {
        if !self.entries.is_empty() {
            (self.take)(&self.entries);
            self.entries.clear();
        }
    }

    pub(crate) fn finish(mut self) -> Vec<String> {
        self.flush();
        self.warnings
    }
}
