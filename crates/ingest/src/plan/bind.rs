//! From the places that a preset names to the columns of a file.

use std::path::Path;

use crible_core::Currency;

use super::{Amounts, ColumnWords, Columns, Located, Money, Naming, Received, TextSource, account_of, folder_of};
use crate::error::Error;
use crate::preset::{Inflow, Origin, Place, Preset, PresetError, Sign, Text};
use crate::value::time::Clock;

/// Binds parts of a preset to columns.
pub(super) struct Binder<'a> {
    preset: &'a Preset,
    path: &'a Path,
    columns: &'a Columns,
}

impl<'a> Binder<'a> {
    pub(super) fn new(preset: &'a Preset, path: &'a Path, columns: &'a Columns) -> Self {
        Self { preset, path, columns }
    }

    /// The column of a place.
    pub(super) fn find(&self, place: &Place) -> Result<usize, Error> {
        let name = match place {
            Place::At(at) => format!("#{}", at + 1),
            Place::Named(name) => name.clone(),
        };
        match self.columns.find(place) {
            Located::At(at) => Ok(at),
            Located::Nowhere => Err(self.missing(&name)),
            Located::Twice(first, second) => Err(Error::Undecided {
                path: self.path.to_owned(),
                column: name,
                what: "which of two columns of that name it is".to_owned(),
                hint: format!("name it by its position, #{} or #{}", first + 1, second + 1),
            }),
        }
    }

    /// The same of a column that some forms of the feed do without.
    pub(super) fn optional_place(&self, place: &Place) -> Result<Option<usize>, Error> {
        match self.find(place) {
            Err(Error::MissingColumn { .. }) if self.columns.lenient || self.preset.may_lack(place) => Ok(None),
            found => found.map(Some),
        }
    }

    pub(super) fn all<'p>(&self, places: impl Iterator<Item = &'p Place>) -> Result<Vec<usize>, Error> {
        places.map(|place| self.find(place)).collect()
    }

    pub(super) fn text(&self, text: &Text) -> Result<TextSource, Error> {
        let column = match &text.column {
            Some(place) if text.from.is_some() || !text.or.is_empty() => self.optional_place(place)?,
            Some(place) => Some(self.find(place)?),
            None => None,
        };
        if !text.or.is_empty() {
            let others = text.or.iter().filter_map(|place| self.optional_place(place).transpose());
            let all = column.map(Ok).into_iter().chain(others).collect::<Result<Vec<_>, Error>>()?;
            if !all.is_empty() || text.from.is_none() {
                return Ok(TextSource::First(all));
            }
        }
        if !text.columns.is_empty() {
            return Ok(TextSource::Joined(self.all(text.columns.iter())?));
        }
        let name = self.preset.name();
        Ok(match (column, &text.constant, text.from) {
            (Some(at), ..) => TextSource::Column { at, html: text.html, strip: text.strip.map(|letter| letter as u8) },
            (_, Some(constant), _) => TextSource::Constant(constant.trim().as_bytes().to_vec()),
            (.., Some(Origin::EachRow)) => TextSource::EachRow,
            // What the header says has been put in its place before any row is read.
            (.., Some(Origin::Header | Origin::Amount)) => {
                TextSource::Constant(Currency::NONE.as_str().as_bytes().to_vec())
            }
            (.., Some(Origin::Folder)) => TextSource::Constant(folder_of(self.path, name).into_bytes()),
            // What the preamble says has been put in its place where it says anything.
            (.., Some(Origin::FileName | Origin::Preamble) | None) => {
                let naming = Naming { cut_at: &text.cut_at, drop: &text.drop, otherwise: name };
                TextSource::Constant(account_of(self.path, naming).into_bytes())
            }
        })
    }

    pub(super) fn optional(&self, field: Option<&Text>) -> Result<Option<TextSource>, Error> {
        match field {
            Some(Text { column: Some(place), or, .. }) if or.is_empty() && self.optional_place(place)?.is_none() => {
                Ok(None)
            }
            field => field.map(|text| self.text(text)).transpose(),
        }
    }

    /// A column, and the words there.
    pub(super) fn words(&self, inflow: &Inflow) -> Result<ColumnWords, Error> {
        let values = inflow.values.iter().map(|value| value.clone().into_bytes()).collect();
        Ok((self.find(&inflow.column)?, values))
    }

    /// Whether the account is named after the file, and not in it.
    pub(super) fn is_named_by_file(&self, account: &TextSource) -> bool {
        self.preset.account.from.is_some_and(|from| from != Origin::EachRow)
            && matches!(account, TextSource::Constant(_))
    }

    pub(super) fn clock(&self) -> Result<Clock, Error> {
        let clock = Clock::new(&self.preset.time).map_err(|(value, expected)| PresetError::Value {
            origin: format!("preset `{}`", self.preset.name()),
            key: "time".to_owned(),
            value,
            expected: expected.to_owned(),
        })?;
        Ok(clock)
    }

    pub(super) fn amount(&self) -> Result<Amounts, Error> {
        let money = &self.preset.amount;
        if let (None, Some(debit), Some(credit)) = (&money.column, &money.debit, &money.credit) {
            return Ok(Amounts::Pair { debit: self.find(debit)?, credit: self.find(credit)? });
        }
        let column = money.column.as_ref().ok_or_else(|| self.missing("amount"))?;
        Ok(Amounts::Signed {
            at: self.find(column)?,
            negate: money.sign == Some(Sign::OutflowPositive),
            plus_in: money.plus_in,
            inflow: money.inflow.as_ref().map(|inflow| self.words(inflow)).transpose()?,
            outflow: money.outflow.as_ref().map(|outflow| self.words(outflow)).transpose()?,
        })
    }

    pub(super) fn received(&self) -> Result<Option<Received>, Error> {
        let money = &self.preset.amount;
        let (Some(received), Some(rows)) = (&money.received, &money.inflow) else { return Ok(None) };
        Ok(Some(Received {
            at: self.find(&received.column)?,
            currency: received.currency.as_ref().map(|place| self.find(place)).transpose()?,
            rows: self.words(rows)?,
        }))
    }

    pub(super) fn currency(&self) -> Result<Money, Error> {
        let currency = self.preset.currency.as_ref();
        if currency.is_some_and(|text| text.from == Some(Origin::Amount)) {
            return Ok(Money::Written);
        }
        Ok(match currency.map(|text| self.text(text)).transpose()? {
            None | Some(TextSource::EachRow | TextSource::Joined(_) | TextSource::First(_)) => {
                Money::Constant(Currency::NONE)
            }
            // Checked with the preset to be three letters.
            Some(TextSource::Constant(code)) => Money::Constant(Currency::new(&code).unwrap_or(Currency::NONE)),
            Some(TextSource::Column { at, .. }) => Money::Column(at),
        })
    }

    fn missing(&self, column: &str) -> Error {
        Error::MissingColumn {
            path: self.path.to_owned(),
            feed: self.preset.name().to_owned(),
            column: column.to_owned(),
            found: self.columns.names.join(", "),
        }
    }
}
