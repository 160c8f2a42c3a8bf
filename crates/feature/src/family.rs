//! What all families share: states found by key, and batches worked off one entity after the other.

mod memory;
mod saved;
mod saving;
mod sweep;

use std::ops::Range;

use crible_core::{Batch, Column, Transaction};
use rayon::prelude::*;

use crate::entities::Entities;
use crate::family::saving::{Saving, Staged};
use crate::family::sweep::{Sweep, charge_of};
use crate::feature::{Feature, Finish, Moment};
use crate::ledger::{Change, Ledger};
use crate::owner::{Owner, shard_of};
use crate::rows::{Rows, UNWANTED};
use crate::rule::{Computed, Reach, Row, Rule};
use crate::saved::SavedFamily;
use crate::segments::SEGMENT;
use crate::sessions::Sessions;
use crate::state::{Saved, StateError};

/// All entities of one kind.
///
/// A batch is worked off entity by entity: inputs are sorted by entity (their order in time kept), so that an entity's
/// state is fetched from memory once a batch and not once a transaction, and ranges of entities go to different
/// threads. Entities share nothing, so neither changes a bit.
#[derive(Debug)]
pub(crate) struct Family<R: Rule> {
    rule: R,
    columns: Vec<Column>,
    computed: Computed<R>,
    reach: Reach,
    entities: Entities<R::Key, R::State>,
    /// What was before their states.
    aside: Sessions<R::State>,
    /// Where memory is counted: what has changed since that was last delivered.
    changes: Vec<Change>,
    sweep: Sweep,
    /// A save that is under way.
    saving: Option<Saving>,
    scratch: Scratch<R::Input>,
    staged: Vec<Staged<R>>,
}

/// Inputs of a batch, as read and sorted by entity: kept from batch to batch.
#[derive(Debug)]
struct Scratch<I> {
    read: Vec<(u32, I)>,
    /// Where the rows of each entity end.
    ends: Vec<u32>,
    /// Entity, wanted number and input, sorted by entity.
    sorted: Vec<(u32, u32, I)>,
}

impl<I> Default for Scratch<I> {
    fn default() -> Self {
        Self { read: Vec::new(), ends: Vec::new(), sorted: Vec::new() }
    }
}

/// Lets an entity begin anew that has not paid for so long; its session so far, where something late may still be of
/// it.
fn begin<R: Rule>(rule: &R, state: &mut R::State, input: &R::Input, reach: &Reach) -> Option<R::State> {
    if !R::FORGETS || R::at(input).saturating_sub(rule.last_at(state)?) <= reach.forget {
        return None;
    }
    let session = std::mem::take(state);
    (reach.lateness > 0).then_some(session)
}

const NOBODY: u32 = u32::MAX;

/// A batch's rows are sorted by counting where there are at most this many entities to each of them.
const COUNTED_FROM: usize = 16;

impl<R: Rule> Family<R> {
    /// The family with those of the rule's columns that `keep` accepts.
    pub(crate) fn new(rule: R, reach: Reach, keep: &dyn Fn(&Column) -> bool) -> Self {
        let (columns, computed) = rule.columns().keeping(keep);
        Self::empty(rule, columns, computed, reach)
    }

    fn empty(rule: R, columns: Vec<Column>, computed: Computed<R>, reach: Reach) -> Self {
        Self {
            rule,
            columns,
            computed,
            reach,
            entities: Entities::new(reach.counts),
            aside: Sessions::default(),
            changes: Vec::new(),
            sweep: Sweep::default(),
            saving: None,
            scratch: Scratch::default(),
            staged: Vec::new(),
        }
    }

    /// Sorts a batch's rows by entity, those of one in their order, the rows of nobody at the end.
    ///
    /// Where there are many rows, by counting; where there are few, what they cost must not depend on how many entities
    /// there are.
    fn sort(&mut self, batch: &Batch, rows: Range<usize>, wanted: &[u32]) {
        let mut scratch = std::mem::take(&mut self.scratch.read);
        scratch.clear();
        for row in rows {
            scratch.push(match self.rule.input(&batch.get(row)) {
                Some((key, input)) => (self.entities.place(key), input),
                None => (NOBODY, R::Input::default()),
            });
        }
        self.scratch.read = scratch;
        let Scratch { read, ends, sorted } = &mut self.scratch;
        let entities = self.entities.len();
        sorted.clear();
        if entities / COUNTED_FROM > read.len() {
            sorted.extend(read.iter().zip(wanted).map(|(&(slot, input), &number)| (slot, number, input)));
            sorted.sort_by_key(|&(slot, ..)| slot);
            return;
        }
        let place = |slot: u32| (slot as usize).min(entities);
        ends.clear();
        ends.resize(entities + 2, 0);
        for &(slot, _) in read.iter() {
            ends[place(slot) + 1] += 1;
        }
        for i in 1..ends.len() {
            ends[i] += ends[i - 1];
        }
        sorted.resize(read.len(), (NOBODY, UNWANTED, R::Input::default()));
        for (&(slot, input), &number) in read.iter().zip(wanted) {
            let next = &mut ends[place(slot)];
            sorted[*next as usize] = (slot, number, input);
            *next += 1;
        }
    }
}

impl<R: Rule> Feature for Family<R> {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn step(&mut self, txn: &Transaction, moment: Moment, out: &mut [f32]) -> u32 {
        let Some((key, input)) = self.rule.input(txn) else {
            out.fill(0.0);
            return 0;
        };
        let at = self.entities.place(key);
        self.save_before(at);
        self.forget_forgotten(at, moment.from);
        let undone = self.undo(at, &input);
        let Self { rule, computed, entities, aside, reach, .. } = self;
        let state = entities.state_mut(at);
        let mut step = |input: &R::Input, row: Option<Row<'_, R>>| {
            if let Some(session) = begin(rule, state, input, reach) {
                aside.push(at, session);
            }
            rule.step(state, input, reach, row);
            rule.known_before(state)
        };
        let known = step(&input, Some(computed.row(out)));
        for later in &undone {
            step(later, None);
        }
        self.count(at);
        known
    }

    fn peek(&self, txn: &Transaction, moment: Moment, out: &mut [f32]) -> u32 {
        let Some((key, input)) = self.rule.input(txn) else {
            out.fill(0.0);
            return 0;
        };
        let mut state = self.copied(key, moment);
        begin(&self.rule, &mut state, &input, &self.reach);
        self.rule.step(&mut state, &input, &self.reach, Some(self.computed.row(out)));
        self.rule.known_before(&state)
    }

    fn step_all(&mut self, batch: &Batch, rows: Range<usize>, wanted: &[u32], moment: Moment, out: &mut Rows) {
        self.sort(batch, rows, wanted);
        let Self { rule, columns, computed, reach, entities, aside, scratch: Scratch { sorted, .. }, .. } = self;
        let (rule, width, computed, reach) = (&*rule, columns.len(), &*computed, *reach);
        // Numbers stand in the order they are worked off; `place` finds them again.
        let first = out.filled;
        let mut next = first as u32;
        for &(_, number, _) in sorted.iter() {
            if number != UNWANTED {
                out.place[number as usize] = next;
                next += 1;
            }
        }
        out.filled = next as usize;

        // Segments of entities of about equally many rows, a few for every thread.
        let tasks = rayon::current_num_threads() * 8;
        let each = (sorted.len() / tasks).max(256);
        let mut jobs = Vec::with_capacity(tasks + 1);
        let mut numbers_left = &mut out.numbers[first * width..out.filled * width];
        let (mut states_left, mut charges_left) = entities.segments();
        let mut rows_left = &sorted[..sorted.partition_point(|(at, ..)| *at != NOBODY)];
        let mut first_segment = 0;
        while !rows_left.is_empty() {
            let about = each.min(rows_left.len());
            let segment = rows_left[about - 1].0 as usize / SEGMENT;
            let more = rows_left[about..].partition_point(|(at, ..)| *at as usize / SEGMENT <= segment);
            let inputs = rows_left.split_off(..about + more).unwrap_or_default();
            let mine = segment + 1 - first_segment;
            let states = states_left.split_off_mut(..mine).unwrap_or_default();
            let charges = charges_left.split_off_mut(..mine.min(charges_left.len())).unwrap_or_default();
            let read = inputs.iter().filter(|&&(_, number, _)| number != UNWANTED).count();
            let numbers = numbers_left.split_off_mut(..read * width).unwrap_or_default();
            jobs.push((first_segment * SEGMENT, states, charges, inputs, numbers));
            first_segment = segment + 1;
        }
        numbers_left.fill(0.0);
        let aside_before = &*aside;
        let done = jobs.into_par_iter().map(|(first, states, charges, inputs, numbers)| {
            let mut done = Done::default();
            let mut free = numbers.chunks_exact_mut(width);
            for rows in inputs.chunk_by(|a, b| a.0 == b.0) {
                let at = rows[0].0;
                let (segment, place) = ((at as usize - first) / SEGMENT, at as usize % SEGMENT);
                let state = &mut states[segment][place];
                let mut charge = charges.get_mut(segment).map(|charges| &mut charges[place]);
                let is_forgotten = charge.as_ref().is_some_and(|charge| charge.period < moment.from);
                if is_forgotten {
                    *state = R::State::default();
                }
                if is_forgotten && !aside_before.of(at).is_empty() {
                    done.forgotten.push(at);
                }
                for (_, number, input) in rows {
                    let out = if *number == UNWANTED { None } else { free.next() };
                    let row = out.map(|out| computed.row(out));
                    if let Some(session) = begin(rule, state, input, &reach) {
                        done.put_aside.push((at, session));
                    }
                    rule.step(state, input, &reach, row);
                }
                if let Some(charge) = &mut charge {
                    let after = charge_of(rule, state);
                    done.changes.push([std::mem::replace(*charge, after), after]);
                }
            }
            done
        });
        let done: Vec<Done<R::State>> = done.collect();
        for Done { forgotten, put_aside, mut changes } in done {
            forgotten.into_iter().for_each(|at| _ = self.aside.replace(at, Vec::new()));
            put_aside.into_iter().for_each(|(at, session)| self.aside.push(at, session));
            self.changes.append(&mut changes);
        }
    }

    fn name(&self) -> &'static str {
        self.rule.name()
    }

    fn owner(&self) -> Option<Owner> {
        Some(self.rule.owner())
    }

    fn divide(mut self: Box<Self>, shards: usize) -> Vec<Box<dyn Feature>> {
        let empty = |_| Self::empty(self.rule.clone(), self.columns.clone(), self.computed.clone(), self.reach);
        let mut divided: Vec<Self> = (0..shards).map(empty).collect();
        let aside = &mut self.aside;
        for (from, (key, state, charge)) in (0..).zip(self.entities.into_each()) {
            let shard = &mut divided[shard_of(R::owner_of(key), shards)];
            let at = shard.entities.place(key);
            *shard.entities.state_mut(at) = state;
            shard.entities.recharge(at, charge);
            shard.aside.replace(at, aside.replace(from, Vec::new()));
        }
        divided.into_iter().map(|shard| Box::new(shard) as Box<dyn Feature>).collect()
    }

    fn saved(&self, moment: Moment) -> SavedFamily {
        self.save_all(moment)
    }

    fn begin_save(&mut self, moment: Moment) {
        self.saving = Some(Saving::new(moment, self.entities.len()));
    }

    fn save_some(&mut self, entities: usize) -> bool {
        self.save_next(entities)
    }

    fn finish_save(&mut self) -> Finish {
        let saved = self.saving.take().map(|saving| saving.saved).unwrap_or_default();
        Box::new(move || saved)
    }

    fn stage(&mut self, bytes: &[u8], saved: Saved) -> Result<(), StateError> {
        self.stage_all(bytes, saved)
    }

    fn commit(&mut self, take: bool) {
        self.commit_staged(take);
    }

    fn state_bytes(&self) -> usize {
        self.held_bytes()
    }

    fn entities(&self) -> usize {
        self.entities.len()
    }

    fn span(&self) -> i64 {
        self.rule.span(&self.reach)
    }

    fn deliver(&mut self, ledger: &mut Ledger) {
        self.changes.drain(..).for_each(|change| ledger.change(change));
    }

    fn sweep(&mut self, payments: usize, moment: Moment) {
        self.sweep_some(payments, moment);
    }
}

/// What a job of a batch leaves to be done.
#[derive(Debug)]
struct Done<S> {
    /// Entities whose earlier sessions go.
    forgotten: Vec<u32>,
    put_aside: Vec<(u32, S)>,
    changes: Vec<Change>,
}

impl<S> Default for Done<S> {
    fn default() -> Self {
        Self { forgotten: Vec::new(), put_aside: Vec::new(), changes: Vec::new() }
    }
}

impl<R: Rule> Family<R> {
    /// Where `late` is late: goes back to when it should have come, be it in an earlier session. What was undone,
    /// oldest first, is to be replayed.
    fn undo(&mut self, at: u32, late: &R::Input) -> Vec<R::Input> {
        let Self { rule, entities, aside, reach, .. } = self;
        let state = entities.state_mut(at);
        let is_late = |state: &R::State| rule.last_at(state).is_some_and(|last| R::at(late) < last);
        if reach.lateness == 0 || !is_late(state) {
            return Vec::new();
        }
        let mut undone = rule.rewind(state, late);
        while rule.first_at(state).is_none()
            && let Some(session) = aside.pop(at)
        {
            *state = session;
            if is_late(state) {
                undone.splice(..0, rule.rewind(state, late));
            }
        }
        undone
    }

    /// An entity's states, oldest first.
    fn sessions(&self, at: u32) -> impl Iterator<Item = &R::State> {
        self.aside.of(at).iter().chain([self.entities.state(at)])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crible_core::{Amount, Currency, EntityId, Timestamp, TxnId, Window};

    use super::*;
    use crate::account::AccountBehaviour;
    use crate::counterparty::{CounterpartyBehaviour, Party};
    use crate::ledger::Period;
    use crate::pattern::PatternBehaviour;
    use crate::peers::Peers;
    use crate::ring::work;
    use crate::windows::Windows;

    const SECOND: i64 = Timestamp::SECOND;

    /// Events that a payment looks at which is `late` by so much, `count` payments of one entity having been made one a
    /// second, by a thousand accounts or to a thousand counterparties.
    fn looked_at(mut family: Box<dyn Feature>, count: i64, late: i64) -> usize {
        let mut row = vec![0.0; family.columns().len()];
        let party = family.owner() == Some(Owner::Counterparty);
        let payment = |i: i64, at: i64| {
            let [one, other] = [1, 2 + (i % 1_000) as u64].map(|id| EntityId::new(id).unwrap());
            let (account, counterparty) = if party { (other, one) } else { (one, other) };
            let mut txn =
                Transaction::new(TxnId(i as u128), Timestamp(at), account, Amount::new(-500 - i, Currency::EUR));
            txn.counterparty = Some(counterparty);
            txn
        };
        let moment = Moment { oldest: i64::MIN, from: Period::FIRST };
        for i in 0..count {
            family.step(&payment(i, i * SECOND), moment, &mut row);
        }
        work::of(|| {
            family.step(&payment(count, (count - 1) * SECOND - late), moment, &mut row);
        })
    }

    /// A few rows are sorted without anything being done for each entity there is, and to the same bits.
    #[test]
    fn few_rows_do_not_go_through_all_entities() {
        let rule = || AccountBehaviour::new(Windows::default().account, Peers::default(), false, false, false);
        let reach = Reach { lateness: 0, forget: 400 * Window::DAY.0, counts: false };
        let moment = Moment { oldest: i64::MIN, from: Period::FIRST };
        let [mut batched, mut single] = [(); 2].map(|()| Family::new(rule(), reach, &|_| true));
        let width = batched.columns.len();
        let payment = |i: i64, account: u64| {
            let amount = Amount::new(-500 - i, Currency::EUR);
            Transaction::new(TxnId(i as u128), Timestamp(i * SECOND), EntityId::new(account).unwrap(), amount)
        };
        let mut row = vec![0.0; width];
        for i in 0..5_000 {
            batched.step(&payment(i, 1 + i as u64), moment, &mut row);
            single.step(&payment(i, 1 + i as u64), moment, &mut row);
        }
        // Four accounts old and new, several rows each, some of which nobody reads.
        let rows: Vec<Transaction> = (5_000..5_040).map(|i| payment(i, 4_999 + (i * i) as u64 % 4)).collect();
        let batch = Batch::from_transactions(rows.iter().copied());
        let wanted: Vec<u32> = (0..40).map(|i| if i % 3 == 1 { UNWANTED } else { i - (i + 1) / 3 }).collect();
        let mut out = Rows::default();
        out.reset(27, width);
        batched.step_all(&batch, 0..40, &wanted, moment, &mut out);
        assert_eq!(batched.scratch.ends.capacity(), 0, "counted by entity");
        assert_eq!(out.filled, 27);
        for (txn, number) in rows.iter().zip(wanted) {
            single.step(txn, moment, &mut row);
            if number != UNWANTED {
                assert_eq!(out.row(number as usize), row);
            }
        }
        assert_eq!(batched.saved(moment), single.saved(moment));
    }

    /// A late payment costs what came after it, and not what windows hold: ten times the window is no event more.
    #[test]
    fn a_late_payment_costs_what_came_after_it() {
        let Windows { account, counterparty, pattern } = Windows::default();
        let reach = Reach { lateness: 3_600 * SECOND, forget: 400 * Window::DAY.0, counts: false };
        let all = |_: &Column| true;
        let of_counterparty = || -> Box<dyn Feature> {
            Box::new(Family::new(
                CounterpartyBehaviour::new(Party::Counterparty, counterparty, Default::default()),
                reach,
                &all,
            ))
        };
        let of_account = || -> Box<dyn Feature> {
            let rule = AccountBehaviour::new(account, Peers::default(), true, false, false);
            // What is paid to a new counterparty looks back by itself.
            let keep = |column: &Column| !column.name.starts_with("amount_at_new");
            Box::new(Family::new(rule, reach, &keep))
        };
        let of_pattern = || -> Box<dyn Feature> {
            // What follows a test looks at the whole hour by itself.
            let keep = |column: &Column| !column.name.starts_with("amount_after_test");
            Box::new(Family::new(PatternBehaviour::new(pattern, [true; 5]), reach, &keep))
        };
        for family in [&of_counterparty as &dyn Fn() -> Box<dyn Feature>, &of_account, &of_pattern] {
            let (few, many) = (looked_at(family(), 5_000, 10 * SECOND), looked_at(family(), 50_000, 10 * SECOND));
            assert!(many > 10, "{many}: nothing was undone");
            // Ten undone and redone, and as many at the edge of each window.
            assert!(few <= 150 && many <= 150, "{}: {few} {many}", family().name());
            let later = looked_at(family(), 5_000, 100 * SECOND);
            assert!(later > 5 * few / 2, "{}: {few} {later}", family().name());
        }
    }
}
