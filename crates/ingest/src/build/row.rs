//! What the fields of a record say, before any of it is stored.

use crible_core::{Currency, EntityId, Position, Truth};

use super::source::{entity, named, plain, source_column, source_text};
use super::{Builder, Fields, Problem, Sums, is_among, problem};
use crate::plan::{Money, TextSource};
use crate::rows::NO_TRANSACTION;
use crate::value::text;
use crate::worker::{Known, Worker};

/// Everything a row says, found before any of it is stored.
pub(super) struct Row {
    pub(super) at: i64,
    pub(super) minor: i64,
    pub(super) account: EntityId,
    pub(super) counterparty: Option<EntityId>,
    /// What the counterparty's text as it stands gives: the reference is made of it.
    pub(super) written: Option<EntityId>,
    pub(super) device: Option<EntityId>,
    pub(super) address: Option<EntityId>,
    pub(super) currency: Currency,
    pub(super) balance: Option<i64>,
    pub(super) position: Option<Position>,
    pub(super) truth: Truth,
    pub(super) fee: i64,
    /// Amounts of the row of which digits were rounded.
    pub(super) rounded: u64,
}

impl Builder<'_> {
    pub(super) fn row(&mut self, fields: &impl Fields) -> Result<Row, Box<Problem>> {
        let plan = self.plan;
        self.skip(fields)?;
        let account = match &plan.account {
            // Stands in until the row has a reference to be named after.
            TextSource::EachRow => EntityId::from_pseudorandom(1),
            source => {
                let raw = source_text(source, fields, &mut self.worker.joined);
                if raw.is_empty() {
                    return Err(problem(source_column(source), raw, "it is empty; expected an account"));
                }
                let cut = text::is_cut(raw);
                let account = entity(source, raw, &mut self.worker.accounts, self.keys);
                if cut {
                    self.cut(source);
                }
                account
            }
        };
        let at = self.time(fields)?;
        let received = Sums::received_in(plan, fields);
        let currency = match plan.currency {
            Money::Constant(currency) => currency,
            Money::Written => Sums::written(plan, fields),
            Money::Column(column) => {
                match fields.get(received.and_then(|received| received.currency).unwrap_or(column)).trim_ascii() {
                    b"" => Currency::NONE,
                    code => plan
                        .currency_names
                        .iter()
                        .find(|(name, _)| text::is_same(name, code))
                        .map(|(_, currency)| *currency)
                        .or_else(|| Currency::new(code))
                        .filter(|currency| currency.is_assigned())
                        .ok_or_else(|| {
                            let expected = "expected a currency of three letters that ISO 4217 has, such as USD";
                            problem(Some(column), code, expected)
                        })?,
                }
            }
        };
        let mut sums = Sums {
            plan,
            received: received.map(|received| received.at),
            rounded: 0,
            line: self.line,
            odd: &mut self.chunk.odd,
        };
        let minor = sums.minor(fields, currency)?;
        let (balance, fee) = (sums.balance(fields, minor, currency), sums.fee(fields, minor, currency));
        let rounded = sums.rounded;
        let turned = self.other_side(minor, fields);
        let counterparty = match turned.as_ref().or(plan.counterparty.as_ref()) {
            None => None,
            Some(source) => match source_text(source, fields, &mut self.worker.joined) {
                b"" => None,
                raw => {
                    let cut = text::is_cut(raw);
                    let other = entity(source, raw, &mut self.worker.counterparties, self.keys);
                    if cut {
                        self.cut(source);
                    }
                    Some(other)
                }
            },
        };
        let written = counterparty;
        let counterparty = match (&plan.payee, turned.as_ref().or(plan.counterparty.as_ref()), written) {
            (Some(cleaner), Some(source), Some(_)) => {
                let Worker { payees, counterparties, joined, .. } = &mut *self.worker;
                let raw = source_text(source, fields, joined);
                let payee = || named(&cleaner.payee(&plain(source, raw)), counterparties, self.keys);
                Some(payees.get(raw, payee))
            }
            _ => written,
        };
        let Worker { devices, addresses, joined, .. } = &mut *self.worker;
        let mut named = |source: &Option<TextSource>, known: &mut Known| {
            let source = source.as_ref()?;
            match source_text(source, fields, joined) {
                b"" => None,
                raw => Some(entity(source, raw, known, self.keys)),
            }
        };
        let (device, address) = (named(&plan.device, devices), named(&plan.address, addresses));
        let (position, truth) = (self.position(fields), self.truth(fields));
        Ok(Row {
            at,
            minor,
            account,
            counterparty,
            written,
            device,
            address,
            currency,
            balance,
            position,
            truth,
            fee,
            rounded,
        })
    }

    /// Notes that a spreadsheet has cut the number of an account in the present row.
    #[cold]
    fn cut(&mut self, source: &TextSource) {
        if let Some(column) = source_column(source) {
            self.chunk.cut.add(column, self.chunk.rows);
        }
    }

    /// Rows that the feed's statements have and that are no transactions.
    fn skip(&self, fields: &impl Fields) -> Result<(), Box<Problem>> {
        for (column, skip) in &self.plan.skips {
            let text = fields.get(*column).trim_ascii();
            if skip.is(text) {
                return Err(problem(Some(*column), text, &format!("{NO_TRANSACTION}{}", skip.reason)));
            }
        }
        Ok(())
    }

    /// Where the counterparty stands in this row, if not where it stands on an outflow.
    fn other_side(&self, minor: i64, fields: &impl Fields) -> Option<TextSource> {
        let (at, turned) = self.plan.inflow_from.as_ref()?;
        let turned = turned.as_ref().is_some_and(|(column, words)| is_among(fields.get(*column), words));
        match self.plan.counterparty {
            Some(TextSource::Column { html, strip, .. }) if (minor > 0) != turned => {
                Some(TextSource::Column { at: *at, html, strip })
            }
            _ => None,
        }
    }

    fn time(&mut self, fields: &impl Fields) -> Result<i64, Box<Problem>> {
        let plan = self.plan;
        let worker = &mut *self.worker;
        let finer = plan.finer.map(|column| fields.get(column).trim_ascii()).filter(|text| !text.is_empty());
        let text = match (finer, plan.time.as_slice()) {
            (Some(finer), _) => finer,
            (None, [column]) => fields.get(*column).trim_ascii(),
            (None, columns) => {
                worker.joined.clear();
                for &column in columns {
                    if !worker.joined.is_empty() {
                        worker.joined.push(b' ');
                    }
                    worker.joined.extend_from_slice(fields.get(column).trim_ascii());
                }
                &worker.joined
            }
        };
        let read = match plan.zone {
            None => plan.clock.read(text, &mut worker.memo),
            Some(column) => {
                let zone = fields.get(column).trim_ascii();
                let read = plan.clock.read_in(text, zone, &mut worker.memo);
                if read.is_none() && plan.clock.read(text, &mut worker.memo).is_some() {
                    let expected = "expected a time zone such as PST or America/Los_Angeles";
                    return Err(problem(Some(column), zone, expected));
                }
                read
            }
        };
        match read {
            Some(at) => Ok(at.0),
            None => {
                let expected = format!("expected {}", plan.clock.expected());
                let column = if finer.is_some() { plan.finer } else { plan.time.first().copied() };
                Err(problem(column, text, &expected))
            }
        }
    }

    /// Where it happened; unknown where the two are no place on Earth.
    fn position(&mut self, fields: &impl Fields) -> Option<Position> {
        let (latitude, longitude) = self.plan.position?;
        let (north, east) = (fields.get(latitude).trim_ascii(), fields.get(longitude).trim_ascii());
        if north.is_empty() && east.is_empty() {
            return None;
        }
        let degrees = (text::degrees(north), text::degrees(east));
        let position = match degrees {
            (Some(north), Some(east)) => Position::from_degrees(north, east),
            _ => None,
        };
        if position.is_none() {
            let wrong = if degrees.0.is_some_and(|north| north.abs() <= 90.0) { longitude } else { latitude };
            self.odd(wrong, fields.get(wrong).trim_ascii());
        }
        position
    }

    /// What the label says; unknown where it is none of the feed's words, nor a number or a yes or no that means one.
    fn truth(&mut self, fields: &impl Fields) -> Truth {
        let plan = self.plan;
        let Some(label) = &plan.label else {
            return Truth::Unknown;
        };
        let word = fields.get(label.at).trim_ascii();
        let among = |words: &[Vec<u8>]| words.iter().any(|known| text::is_same(known, word));
        if among(&label.legitimate) {
            return Truth::Legitimate;
        } else if among(&label.fraud) {
            return Truth::Fraud;
        } else if word.is_empty() || among(&label.unknown) {
            return Truth::Unknown;
        }
        let meant = text::meant(word);
        let means = |words: &[Vec<u8>]| meant.is_some() && words.iter().any(|known| text::meant(known) == meant);
        if means(&label.legitimate) {
            Truth::Legitimate
        } else if means(&label.fraud) {
            Truth::Fraud
        } else {
            if !means(&label.unknown) {
                self.odd(label.at, word);
            }
            Truth::Unknown
        }
    }
}
