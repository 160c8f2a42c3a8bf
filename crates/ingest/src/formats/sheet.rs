//! The table that every format becomes.

use crate::build::Fields;

/// Names of the columns, in the order of [`Column`].
pub(crate) const COLUMNS: [&str; 11] = [
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
];

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
            self.wrong = Some(Wrong { column, value: value.to_owned(), reason: reason.into() });
        }
    }

    /// Sets the time, or rejects the value that is none.
    pub(crate) fn time(&mut self, iso: Option<String>, raw: &str, expected: &str) {
        match iso {
            Some(iso) => self.set(Column::Time, iso),
            None => self.reject(Some(Column::Time), raw, format!("expected {expected}")),
        }
    }

    /// What could not be decoded makes no part of a transaction.
    fn check(&mut self) {
        let broken = self.fields.iter().find(|field| field.contains('\u{fffd}')).cloned();
        if let Some(value) = broken {
            self.reject(
                None,
                &value,
                "the entry is not in the file's encoding; expected UTF-8 or the encoding it names",
            );
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
