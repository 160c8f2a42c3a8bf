//! The sums of a row: what moved, of that the fee, and the balance.

use std::collections::BTreeMap;

use crible_core::Currency;

use super::{Fields, Problem, Texts, is_among, problem};
use crate::error::shown;
use crate::plan::{Amounts, Money, Plan, Received};
use crate::preset::When;
use crate::rows::Odd;
use crate::value::amount;
use crate::value::text::is_nothing;

/// Reads sums by a plan.
pub(crate) struct Sums<'a> {
    pub(crate) plan: &'a Plan,
    /// The column of what came in with this row, where another than the amount's has it.
    pub(crate) received: Option<usize>,
    /// Those of which digits were rounded that the preset does not say are.
    pub(crate) rounded: u64,
    /// The line of the row, and where what could not be read, and need not be, is counted.
    pub(crate) line: u64,
    pub(crate) odd: &'a mut BTreeMap<usize, Odd>,
}

impl Sums<'_> {
    /// The amount of a row that is only looked at, in minor units, and its currency; none where it has none that can be
    /// read.
    pub(crate) fn looked_at(&mut self, row: &[String]) -> Option<(i64, Currency)> {
        let fields = Texts(row);
        let currency = match self.plan.currency {
            Money::Constant(currency) => currency,
            Money::Written => Self::written(self.plan, &fields),
            Money::Column(at) => Currency::new(row[at].trim().as_bytes()).unwrap_or(Currency::NONE),
        };
        self.received = Self::received_in(self.plan, &fields).map(|received| received.at);
        Some((self.minor(&fields, currency).ok()?, currency))
    }

    /// What came in with a row, where another column than the amount's has it.
    pub(crate) fn received_in<'p>(plan: &'p Plan, fields: &impl Fields) -> Option<&'p Received> {
        plan.received.as_ref().filter(|received| is_among(fields.get(received.rows.0), &received.rows.1))
    }

    /// The currency that a row's amount names.
    pub(crate) fn written(plan: &Plan, fields: &impl Fields) -> Currency {
        let named = |at: usize| amount::named(std::str::from_utf8(fields.get(at).trim_ascii()).ok()?, true);
        let found = match plan.amount {
            Amounts::Signed { at, .. } => named(at),
            Amounts::Pair { debit, credit } => named(debit).or_else(|| named(credit)),
        };
        found.unwrap_or(Currency::NONE)
    }

    fn money(&mut self, column: usize, text: &[u8], currency: Currency) -> Result<i64, Box<Problem>> {
        self.read(column, text, currency).map(|read| read.minor)
    }

    fn read(&mut self, column: usize, text: &[u8], currency: Currency) -> Result<amount::Read, Box<Problem>> {
        match amount::read(text, self.plan.style, currency) {
            Ok(read) => {
                self.rounded += u64::from(read.rounded && !self.plan.round);
                Ok(read)
            }
            Err(error) => Err(problem(Some(column), text, &error.to_string())),
        }
    }

    /// A sum that a row can be without: nothing where it cannot be read.
    fn optional(&mut self, column: usize, text: &[u8], currency: Currency) -> Option<i64> {
        let read = amount::read(text, self.plan.style, currency).ok();
        match read {
            Some(read) => self.rounded += u64::from(read.rounded && !self.plan.round),
            None if !is_nothing(text) => Odd::note(self.odd, column, self.line, text),
            None => {}
        }
        read.map(|read| read.minor)
    }

    /// The signed amount, an outflow negative, and less the fee.
    pub(crate) fn minor(&mut self, fields: &impl Fields, currency: Currency) -> Result<i64, Box<Problem>> {
        if let Some(column) = self.received {
            return self.money(column, fields.get(column).trim_ascii(), currency).map(i64::abs);
        }
        let minor = self.without_fee(fields, currency)?;
        let Some(column) = self.plan.fee else {
            return Ok(minor);
        };
        match fields.get(column).trim_ascii() {
            text if is_nothing(text) => Ok(minor),
            text => minor.checked_sub(self.money(column, text, currency)?.abs()).ok_or_else(|| {
                problem(Some(column), text, "expected a fee within 64 bits of minor units of the amount")
            }),
        }
    }

    /// The part of the amount that is a fee, signed as the amount is.
    pub(crate) fn fee(&mut self, fields: &impl Fields, minor: i64, currency: Currency) -> i64 {
        if self.received.is_some() {
            return 0;
        }
        if let Some(column) = self.plan.fee {
            // The amount is without it already, and it was counted there.
            let fee = amount::read(fields.get(column).trim_ascii(), self.plan.style, currency);
            return fee.map_or(0, |fee| -fee.minor.abs());
        }
        let Some(column) = self.plan.principal else { return 0 };
        let negate = matches!(self.plan.amount, Amounts::Signed { negate: true, .. });
        let principal = self.optional(column, fields.get(column).trim_ascii(), currency);
        let principal = principal.map(|principal| if negate { -principal } else { principal });
        principal.map_or(0, |principal| minor.saturating_sub(principal))
    }

    /// The balance before a transaction of this amount.
    pub(crate) fn balance(&mut self, fields: &impl Fields, minor: i64, currency: Currency) -> Option<i64> {
        let (column, when) = self.plan.balance?;
        let mut balance = self.optional(column, fields.get(column).trim_ascii(), currency)?;
        let negative = self.plan.negative_balance.as_ref();
        if negative.is_some_and(|(column, words)| is_among(fields.get(*column), words)) {
            balance = -balance;
        }
        match when {
            When::Before => Some(balance),
            When::After => {
                let before = balance.checked_sub(minor);
                if before.is_none() {
                    Odd::note(self.odd, column, self.line, fields.get(column).trim_ascii());
                }
                before
            }
        }
    }

    fn without_fee(&mut self, fields: &impl Fields, currency: Currency) -> Result<i64, Box<Problem>> {
        match &self.plan.amount {
            Amounts::Signed { at, outflow: Some((column, words)), inflow, .. } => {
                let size = self.money(*at, fields.get(*at).trim_ascii(), currency)?.abs();
                if is_among(fields.get(*column), words) {
                    return Ok(-size);
                }
                match inflow {
                    Some((into, others)) if !is_among(fields.get(*into), others) => {
                        let described: Vec<_> = words.iter().chain(others).map(|word| shown(word)).collect();
                        let expected =
                            format!("expected one of {}, which tell the way of the amount", described.join(", "));
                        Err(problem(Some(*column), fields.get(*column).trim_ascii(), &expected))
                    }
                    _ => Ok(size),
                }
            }
            Amounts::Signed { at, negate, inflow, plus_in, .. } => {
                let amount::Read { minor, out, .. } = self.read(*at, fields.get(*at).trim_ascii(), currency)?;
                // What says itself which way it flows does so whatever the sign of the others means.
                if out.is_some() || (*plus_in && fields.get(*at).trim_ascii().starts_with(b"+")) {
                    return Ok(minor);
                }
                let inflow = inflow.as_ref().is_some_and(|(column, words)| is_among(fields.get(*column), words));
                // Amounts are read by magnitude, so the smallest 64-bit number, which has no opposite, is none.
                Ok(if *negate && !inflow { -minor } else { minor })
            }
            Amounts::Pair { debit, credit } => {
                let (debit, credit) = (*debit, *credit);
                // Data frames and people write a word where there is nothing.
                let mut side = |column: usize| match fields.get(column).trim_ascii() {
                    b"" => Ok(0),
                    text => match self.money(column, text, currency) {
                        Err(_) if is_nothing(text) => Ok(0),
                        read => read.map(i64::abs),
                    },
                };
                let (out, into) = (side(debit)?, side(credit)?);
                let empty = |column: usize| is_nothing(fields.get(column).trim_ascii());
                if (out == 0 && into == 0 && empty(debit) && empty(credit)) || (out != 0 && into != 0) {
                    let value = [fields.get(debit), b" and ", fields.get(credit)].concat();
                    return Err(problem(Some(debit), &value, "expected an amount in one of the two columns"));
                }
                Ok(into - out)
            }
        }
    }
}
