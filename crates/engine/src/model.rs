use std::fmt;

use crible_alert::{ModelId, Reason, Score, Shown, describe, reasons};
use crible_core::{Amount, Batch, Column, Currency, Has, Scale, Timestamp, Transaction, Unit, Usual, Window};
use crible_feature::{FeatureSet, Limits, Rows, Settings, Windows};
use ndarray::{ArrayView1, ArrayView2, ShapeBuilder};

use crate::Error;
use crate::scorer::Scorer;
use crate::standardize::{Standardizer, Typical};

/// What was learned: which columns the feed feeds, what is usual in each, and the fitted ensemble.
///
/// It holds no transaction, no identifier and no state of any account.
#[derive(Debug)]
pub struct Model {
    pub(crate) has: Has,
    pub(crate) settings: Settings,
    /// How long windows had filled before the rows it was fitted on.
    pub(crate) warm_up: Window,
    /// Whether payments in currencies it does not know are refused.
    pub(crate) refuses_others: bool,
    columns: Vec<Column>,
    /// Indices of the columns detectors see.
    inputs: Vec<usize>,
    /// How they see each of them.
    standardizers: Vec<Standardizer>,
    /// What is usual in every column.
    pub(crate) usual: Vec<Typical>,
    pub(crate) scorer: Scorer,
    id: ModelId,
}

impl Model {
    pub(crate) fn new(
        has: Has,
        settings: Settings,
        warm_up: Window,
        columns: Vec<Column>,
        usual: Vec<Typical>,
        scorer: Scorer,
    ) -> Self {
        let inputs = inputs(&columns);
        let standardizer = |&i: &usize| match scorer.sees_plainly() {
            true => Standardizer::PLAIN,
            false => usual[i].standardizer(columns[i].tail),
        };
        let standardizers = inputs.iter().map(standardizer).collect();
        let (id, refuses_others) = (ModelId(0), false);
        let mut model =
            Self { has, settings, warm_up, refuses_others, columns, inputs, standardizers, usual, scorer, id };
        model.id = ModelId(crate::saved::fingerprint(&model));
        model
    }

    /// The same where payments in currencies it does not know are refused.
    pub(crate) fn refusing_others(mut self, refuses: bool) -> Self {
        self.refuses_others = refuses;
        self
    }

    /// That a payment is not in a currency that is refused.
    pub(crate) fn check_currency(&self, txn: &Transaction, watermark: Option<Timestamp>) -> Result<(), Error> {
        if !self.refuses_others || self.knows_currency(txn.amount.currency) {
            return Ok(());
        }
        Err(Error::currency(txn, self.settings.peers.scales().currencies(), watermark))
    }

    /// The same of all payments of a batch.
    pub(crate) fn check_currencies(&self, batch: &Batch, watermark: Option<Timestamp>) -> Result<(), Error> {
        if !self.refuses_others {
            return Ok(());
        }
        (0..batch.len()).try_for_each(|row| self.check_currency(&batch.get(row), watermark))
    }

    /// What computes its columns, without any state.
    pub(crate) fn features(&self) -> FeatureSet {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_ref()).collect();
        FeatureSet::of(self.has, &self.settings, &names)
    }

    /// Whether a transaction comes when too little has been observed since `since`.
    pub(crate) fn is_cold_at(&self, at: Timestamp, since: Timestamp) -> bool {
        at.0 < since.0.saturating_add(self.warm_up.0)
    }

    /// The same of a state that has observed since then until then; of one that has observed nothing, too.
    pub(crate) fn is_cold(&self, since: Option<Timestamp>, until: Option<Timestamp>) -> bool {
        since.zip(until).is_none_or(|(since, until)| self.is_cold_at(until, since))
    }

    /// Identifies the model: a hash of all that was learned.
    pub fn id(&self) -> ModelId {
        self.id
    }

    /// What the feed it was learned from has; columns that need more are not there.
    pub fn has(&self) -> Has {
        self.has
    }

    /// Lengths of the windows its columns look at.
    pub fn windows(&self) -> Windows {
        self.settings.windows
    }

    /// Whether amounts of a currency can be compared with others: where the model was fitted on too few payments in it,
    /// they are no evidence, and only the account's own past in this currency is.
    pub fn knows_currency(&self, currency: Currency) -> bool {
        self.settings.peers.scales().of(currency).is_some()
    }

    /// What an engine with this model holds its state within.
    pub fn state(&self) -> Limits {
        self.settings.limits
    }

    /// How long an engine has to observe before its windows hold as much as those that the model was learned from. What
    /// it says before has [`Severity::Low`](crible_alert::Severity::Low).
    pub fn warm_up(&self) -> Window {
        self.warm_up
    }

    /// All columns of a feature row, those only shown included.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Names of the detectors, in the order of a verdict's scores.
    pub fn detectors(&self) -> impl ExactSizeIterator<Item = &str> {
        self.scorer.names().into_iter()
    }

    /// How many detectors there are.
    pub(crate) fn n_detectors(&self) -> usize {
        self.scorer.n_parts()
    }

    /// What a transaction looks like by its feature row, such as "a card being tested": what the view says that speaks
    /// loudest, a view of one thing before one of many. Amounts at a counterparty that nobody has paid are no evidence:
    /// nothing is usual there. None where no view finds it rarer than one in twenty, or the model has none.
    ///
    /// # Panics
    /// Where `row` is not as long as [`Model::columns`].
    pub fn looks_like(&self, txn: &Transaction, row: &[f32]) -> Option<&'static str> {
        if !self.scorer.sees_plainly() {
            return None;
        }
        let (mut seen, mut parts) = (vec![0.0; self.n_inputs()], vec![0.0; self.n_detectors()]);
        self.score_row(row, &mut seen, &mut parts).ok()?;
        crate::views::looks_like(self.speaking(row, &parts), txn.amount.minor > 0)
    }

    /// Whether a transaction is strange for what it is itself, by what each view says of it, and not only for what its
    /// account did around it. A model without views does not tell them apart.
    pub(crate) fn is_own(&self, row: &[f32], parts: &[f64]) -> bool {
        !self.scorer.sees_plainly() || crate::views::is_own(self.speaking(row, parts))
    }

    /// What each view says of a feature row, by name, but for those that are no evidence.
    fn speaking<'a>(&'a self, row: &[f32], parts: &'a [f64]) -> impl Iterator<Item = (&'a str, f64)> + Clone {
        let silent = self.is_first_at_counterparty(row).then_some(crate::views::AMOUNT_AT_COUNTERPARTY);
        let views = self.scorer.names().into_iter().zip(parts.iter().copied());
        views.filter(move |(name, _)| Some(*name) != silent)
    }

    /// Whether a feature row tells that the counterparty had no payments within the longest of its windows.
    fn is_first_at_counterparty(&self, row: &[f32]) -> bool {
        let count = crate::views::payments_at_counterparty(&self.windows());
        self.columns.iter().zip(row).any(|(column, value)| column.name == count && *value == 0.0)
    }

    /// Detectors that could not be fitted, each with its reason.
    pub fn skipped(&self) -> impl Iterator<Item = (&str, &str)> {
        self.scorer.skipped()
    }

    /// Number of columns detectors see.
    pub(crate) fn n_inputs(&self) -> usize {
        self.inputs.len()
    }

    /// Fills `out` (inputs × rows, one column after the other) from a range of feature rows.
    pub(crate) fn gather(&self, families: &[Rows], first: usize, rows: usize, out: &mut [f64]) {
        /// Rows brought over at a time: what is written of a column is whole lines of memory.
        const SIDE: usize = 8;
        for from in (0..rows).step_by(SIDE) {
            let side = from..(from + SIDE).min(rows);
            let (mut at, mut column) = (0, 0);
            for family in families {
                let last = column + family.width();
                let here = &self.inputs[at..];
                let here = &here[..here.partition_point(|&input| input < last)];
                let values: [&[f32]; SIDE] = std::array::from_fn(|i| family.row(first + (from + i).min(rows - 1)));
                for (i, &input) in here.iter().enumerate() {
                    let to = &mut out[(at + i) * rows..][side.clone()];
                    let square: [f64; SIDE] = values.map(|values| f64::from(values[input - column]));
                    match <&mut [f64; SIDE]>::try_from(&mut *to) {
                        Ok(to) => *to = square,
                        Err(_) => to.iter_mut().zip(square).for_each(|(to, value)| *to = value),
                    }
                }
                at += here.len();
                column = last;
            }
        }
        if !self.scorer.sees_plainly() {
            for (standardizer, column) in self.standardizers.iter().zip(out.chunks_exact_mut(rows.max(1))) {
                standardizer.standardize_all(column);
            }
        }
    }

    /// Scores rows gathered before: `parts` is rows × detectors, `raw` and `tail` as long as there are rows.
    pub(crate) fn score_gathered(
        &self,
        gathered: &[f64],
        parts: &mut [f64],
        raw: &mut [f64],
        tail: &mut [f64],
    ) -> Result<(), Error> {
        let shape = (raw.len(), self.n_inputs()).f();
        let Ok(view) = ArrayView2::from_shape(shape, gathered) else {
            let (got, expected) = (gathered.len(), raw.len() * self.n_inputs());
            return Err(crible_score::Error::Length { what: "gathered", got, expected }.into());
        };
        Ok(self.scorer.score_parts(view, parts, raw, tail)?)
    }

    /// Scores one feature row. `seen` and `parts` are scratch as long as there are inputs and detectors.
    pub(crate) fn score_row(&self, row: &[f32], seen: &mut [f64], parts: &mut [f64]) -> Result<Score, Error> {
        for (seen, (&input, standardizer)) in seen.iter_mut().zip(self.inputs.iter().zip(&self.standardizers)) {
            *seen = standardizer.standardize(row[input]);
        }
        let (mut raw, mut tail) = ([0.0], [0.0]);
        self.score_gathered(seen, parts, &mut raw, &mut tail)?;
        Ok(Score { raw: raw[0], tail: tail[0] })
    }

    /// The `n` strongest reasons for a feature row's score, strongest first; fewer where fewer columns speak against
    /// it.
    ///
    /// A column's share is its part of every detector's score, weighted by how strange that detector finds the row.
    ///
    /// # Panics
    /// Where `row` is not as long as [`Model::columns`].
    pub fn explain(&self, txn: &Transaction, row: &[f32], n: usize) -> Vec<Reason> {
        let seen: Vec<f64> = self
            .inputs
            .iter()
            .zip(&self.standardizers)
            .map(|(&i, standardizer)| standardizer.standardize(row[i]))
            .collect();
        let mut contributions = vec![0.0; seen.len()];
        self.scorer.explain_row(ArrayView1::from(&seen), &mut contributions);
        let mut shares = vec![0.0; row.len()];
        let total: f64 = contributions.iter().filter(|c| **c > 0.0).sum();
        for ((&input, contribution), seen) in self.inputs.iter().zip(contributions).zip(&seen) {
            // A column at its median says nothing against the row, whatever a distance makes of it; nor has one to say
            // anything that is only there to be seen beside others.
            if !self.columns[input].phrase.is_empty() && (*seen != 0.0 || self.scorer.sees_plainly()) && total > 0.0 {
                shares[input] = contribution.max(0.0) / total;
            }
        }
        // Sums of the account's are held in the reference currency, and shown in the payment's own.
        let scale = self.settings.peers.scales().of(txn.amount.currency);
        let own = |column: usize, value: f32| {
            let own = self.own(column, value);
            if is_in_reference(&self.columns[column]) { own / scale.unwrap_or(1.0) } else { own }
        };
        if scale.is_none() {
            // Of a currency that is not known they are no evidence.
            let columns = shares.iter_mut().zip(&self.columns).filter(|(_, column)| is_in_reference(column));
            columns.for_each(|(share, _)| *share = 0.0);
        }
        let paid = Amount::new(txn.amount.minor.saturating_abs(), txn.amount.currency);
        let number = |which: &Usual, column: usize| match which {
            Usual::Own => Some(own(column, row[column])),
            Usual::Amount => Some(paid.major()),
            Usual::Median => Some(own(column, self.usual[column].median)),
            Usual::Column(name) => {
                let at = self.columns.iter().position(|c| c.name == *name)?;
                Some(own(at, row[at]))
            }
            _ => None,
        };
        for (i, (share, Column { shown, typical, .. })) in shares.iter_mut().zip(&self.columns).enumerate() {
            // Where nobody has paid yet, nothing is usual, and an amount is not far above it.
            if matches!((shown, typical), (Usual::Amount, Usual::Column(_))) && number(typical, i) == Some(0.0) {
                *share = 0.0;
            }
        }
        reasons::choose(&self.columns, &shares, n)
            .into_iter()
            .map(|i| {
                let column = &self.columns[i];
                let own = own(i, row[i]);
                let value = match &column.shown {
                    Usual::Amount => Shown::Exact(paid),
                    shown => Shown::Number(number(shown, i).unwrap_or(own)),
                };
                let typical = number(&column.typical, i);
                describe(column, value, typical, own, shares[i], txn.amount.currency)
            })
            .collect()
    }

    fn own(&self, column: usize, value: f32) -> f64 {
        self.columns[column].scale.invert(f64::from(value))
    }
}

impl fmt::Display for Model {
    /// `model 0123456789abcdef: 16 detectors over 84 columns, 50 of them scored`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, columns, .. } = self;
        let (detectors, columns) = (self.n_detectors(), columns.len());
        write!(f, "model {id}: {detectors} detectors over {columns} columns, {} of them scored", self.n_inputs())
    }
}

/// Whether a column holds money in the reference currency of the fit.
fn is_in_reference(column: &Column) -> bool {
    column.unit == Unit::Money
        && column.scale == Scale::Ln1p
        && (column.name == "amount" || column.name.starts_with("account_sum_"))
}

/// Indices of the columns detectors see.
pub(crate) fn inputs(columns: &[Column]) -> Vec<usize> {
    (0..columns.len()).filter(|&i| columns[i].input).collect()
}
