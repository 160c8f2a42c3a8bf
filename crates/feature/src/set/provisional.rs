//! Payments whose time no other has confirmed yet.

use std::ops::Range;

use crible_core::{Batch, Clock, Timestamp, Transaction, Window};

use super::FeatureSet;
use crate::history::History;

/// Payments that were read, but not taken in: of the time of each it is not [certain](Clock::is_certain) that it is
/// right. The next payments decide.
///
/// - A payment that comes after it, or not long before, **confirms** it: it is taken in, as if it had been at once.
/// - A payment that goes on from what was before it **contradicts** it: it is left out, as if it had never come.
///
/// While nothing has been taken in, nothing was before. Two payments that do not fit each other are then both kept, and
/// the third decides. So whichever payment of a feed is wrongly dated, the first included, the others are read as
/// without it.
///
/// There are two at most, in the order in which they came. Whoever knows the time calls [`Clock::advance`], after which
/// none is provisional.
#[derive(Clone, Debug, Default)]
pub(super) struct Provisional(Vec<Transaction>);

/// What the next payment says of provisional ones.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// To be taken in, in this order.
    pub(super) confirmed: Vec<Transaction>,
    /// How many are left out.
    pub(super) contradicted: u64,
}

impl Provisional {
    /// Of those that a state has; `None` where no payments leave so many.
    pub(super) fn from_kept(txns: Vec<Transaction>) -> Option<Self> {
        (txns.len() <= 2).then_some(Self(txns))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Transaction> {
        self.0.iter()
    }

    /// Whether it is this payment that is provisional.
    pub(super) fn contains(&self, txn: &Transaction) -> bool {
        self.0.iter().any(|own| (own.id, own.at) == (txn.id, txn.at))
    }

    pub(super) fn push(&mut self, txn: &Transaction) {
        self.0.push(*txn);
    }

    /// Adds those of another state: the latest two of all stay.
    pub(super) fn merge(&mut self, other: Self) {
        if self.0.is_empty() || other.0.is_empty() {
            self.0.extend(other.0);
            return;
        }
        self.0.extend(other.0);
        self.0.sort_by_key(|txn| txn.at);
        self.0.drain(..self.0.len() - 2);
    }

    /// Leaves out those that `stays` does not accept.
    pub(super) fn retain(&mut self, stays: impl FnMut(&Transaction) -> bool) {
        self.0.retain(stays);
    }

    /// All of them, in order of time.
    pub(super) fn take(&mut self) -> Vec<Transaction> {
        let mut all = std::mem::take(&mut self.0);
        all.sort_by_key(|txn| txn.at);
        all
    }

    /// What a payment at `next`, which is not late, says of them. Called again with the same payment it says nothing
    /// more.
    pub(super) fn settle(&mut self, next: Timestamp, clock: &Clock, lateness: Window) -> Settled {
        let comes_after = |txn: &Transaction| next.0 >= txn.at.0.saturating_sub(lateness.0);
        let confirms = |txn: &Transaction| match comes_after(txn) {
            true => clock.follows(txn.at, next),
            false => clock.is_near(next, txn.at),
        };
        let (confirmed, contradicted) = match self.0[..] {
            [one] if clock.latest().is_some() && !comes_after(&one) => {
                // It goes on from what was before, or both come after a pause: the nearer is then the next.
                let is_confirmed = !clock.is_certain(next) && confirms(&one);
                if is_confirmed { (vec![one], 0) } else { (Vec::new(), 1) }
            }
            [one] if confirms(&one) => (vec![one], 0),
            [one, two] => {
                let distance = |txn: &Transaction| next.0.abs_diff(txn.at.0);
                let is_first = confirms(&one) && (!confirms(&two) || distance(&one) < distance(&two));
                match (is_first, confirms(&two)) {
                    (true, _) => (vec![one], 1),
                    // A pause was between them.
                    (false, true) if one.at <= two.at => (vec![one, two], 0),
                    (false, true) => (vec![two], 1),
                    (false, false) => {
                        self.0.remove(0);
                        return Settled { confirmed: Vec::new(), contradicted: 1 };
                    }
                }
            }
            _ => return Settled::default(),
        };
        self.0.clear();
        Settled { confirmed, contradicted }
    }
}

impl FeatureSet {
    /// Transactions that were read and not taken in yet, because the next ones have to confirm their time, in the order
    /// in which they came; two at most. They move neither the watermark nor any window.
    pub fn provisional(&self) -> impl Iterator<Item = &Transaction> {
        self.provisional.iter()
    }

    /// Whether a transaction is one of those.
    pub fn is_provisional(&self, txn: &Transaction) -> bool {
        self.provisional.contains(txn)
    }

    /// Takes in, or leaves out, provisional transactions as `next`, which is about to be stepped, says; hands each that
    /// is taken in to `taken`, with its row and how much was known before it. [`FeatureSet::step`] does the same.
    pub fn settle(&mut self, next: &Transaction, taken: impl FnMut(&Transaction, &[f32], History)) {
        if !self.provisional.is_empty() {
            let confirmed = self.confirmed_by(next);
            self.take_in_all(&confirmed, taken);
        }
    }

    /// The same before rows of a batch are stepped, as [`FeatureSet::step_all`] does.
    pub fn settle_all(
        &mut self,
        batch: &Batch,
        rows: Range<usize>,
        mut taken: impl FnMut(&Transaction, &[f32], History),
    ) {
        if self.provisional.is_empty() || rows.is_empty() {
            return;
        }
        // What is handed in again comes as a row.
        let times = &batch.times()[rows.clone()];
        self.provisional.retain(|txn| {
            let same = times.partition_point(|at| *at < txn.at)..times.partition_point(|at| *at <= txn.at);
            !same.into_iter().any(|row| batch.ids()[rows.start + row] == txn.id)
        });
        let first = batch.get(rows.start);
        self.settle(&first, &mut taken);
        if self.provisional.is_empty() || rows.len() == 1 {
            return;
        }
        // One at a time, the first would now be provisional, too, and the second decide.
        let mut both = self.provisional.clone();
        both.push(&first);
        let Settled { confirmed, contradicted } =
            both.settle(batch.times()[rows.start + 1], &self.clock, self.limits.lateness);
        if confirmed.iter().any(|txn| txn.id == first.id) {
            self.late.contradicted += contradicted;
            self.provisional.take();
        }
        let before: Vec<Transaction> = confirmed.into_iter().filter(|txn| txn.id != first.id).collect();
        self.provisional.retain(|txn| !before.contains(txn));
        self.take_in_all(&before, taken);
    }

    fn take_in_all(&mut self, txns: &[Transaction], mut taken: impl FnMut(&Transaction, &[f32], History)) {
        let mut row = vec![0.0; self.columns.len()];
        for txn in txns {
            let history = self.take_in(txn, &mut row);
            taken(txn, &row, history);
        }
    }

    /// Provisional transactions that are to be taken in before `next` is, in this order.
    pub(crate) fn confirmed_by(&mut self, next: &Transaction) -> Vec<Transaction> {
        if self.provisional.is_empty() || self.provisional.contains(next) || self.in_time(next).is_err() {
            return Vec::new();
        }
        let Settled { mut confirmed, contradicted } =
            self.provisional.settle(next.at, &self.clock, self.limits.lateness);
        let all = confirmed.len();
        confirmed.retain(|txn| self.in_time(txn).is_ok());
        self.late.contradicted += contradicted + (all - confirmed.len()) as u64;
        confirmed
    }

    /// Takes in what is provisional and not after `at`: what another set has seen by then confirms it.
    pub fn confirm_until(&mut self, at: Timestamp, taken: impl FnMut(&Transaction, &[f32], History)) {
        let (mut confirmed, later): (Vec<_>, Vec<_>) =
            self.provisional.take().into_iter().partition(|txn| txn.at <= at);
        later.iter().for_each(|txn| self.provisional.push(txn));
        confirmed.retain(|txn| self.in_time(txn).is_ok());
        self.take_in_all(&confirmed, taken);
    }

    /// What is known before any family was asked of a transaction that is provisional, and may have been before.
    pub(crate) fn history_provisional(&self, at: Timestamp, is_repeat: bool) -> History {
        let mut observed = self.observed.clone();
        observed.note(at, self.limits.lateness);
        History { since: observed.since_at(at), is_provisional: true, is_repeat, ..History::default() }
    }

    /// Reads a transaction, and absorbs nothing.
    pub(super) fn peek(&self, txn: &Transaction, is_repeat: bool, out: &mut [f32]) -> History {
        let mut history = self.history_provisional(txn.at, is_repeat);
        let moment = self.moment();
        let mut rest = out;
        for feature in &self.features {
            let (here, after) = rest.split_at_mut(feature.columns().len());
            history.add(feature.owner(), feature.peek(txn, moment, here));
            rest = after;
        }
        history
    }

    /// Whether the last of a batch with these times will be provisional.
    pub fn ends_uncertain(&self, times: &[Timestamp]) -> bool {
        let Some((last, before)) = times.split_last() else { return false };
        // Nearly every batch.
        if self.clock.is_certain(*last) || before.last().is_some_and(|before| self.clock.is_near(*before, *last)) {
            return false;
        }
        let mut clock = self.clock.clone();
        clock.note_all(before);
        !clock.is_certain(*last)
    }
}
