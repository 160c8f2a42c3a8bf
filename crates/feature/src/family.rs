//! What all families share: states found by key, and batches worked off one entity after the other.

use std::ops::Range;

use crible_core::{Batch, Column, Transaction};
use rayon::prelude::*;

use crate::feature::Feature;
use crate::hash::IdMap;
use crate::owner::{Owner, shard_of};
use crate::ring::{more, roomy};
use crate::rows::{Rows, UNWANTED};
use crate::rule::{Computed, Reach, Row, Rule};
use crate::sessions::Sessions;
use crate::state::{Saved, StateError, take};

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
    index: IdMap<R::Key, u32>,
    states: Vec<R::State>,
    /// What was before those.
    aside: Sessions<R::State>,
    scratch: Scratch<R::Input>,
    staged: Vec<(R::Key, Vec<R::State>)>,
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

/// What a saved state has of an entity: its sessions, oldest first.
type Entity<R> = (<R as Rule>::Key, Vec<<R as Rule>::Kept>);

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
    /// The family with those of the rule's columns that `keep` says yes to.
    pub(crate) fn new(rule: R, reach: Reach, keep: &dyn Fn(&Column) -> bool) -> Self {
        let (columns, computed) = rule.columns().keeping(keep);
        Self::empty(rule, columns, computed, reach)
    }

    fn empty(rule: R, columns: Vec<Column>, computed: Computed<R>, reach: Reach) -> Self {
        let (index, states, aside) = (IdMap::default(), Vec::new(), Sessions::default());
        Self { rule, columns, computed, reach, index, states, aside, scratch: Scratch::default(), staged: Vec::new() }
    }

    fn slot(&mut self, key: R::Key) -> u32 {
        let next = self.states.len() as u32;
        let slot = *self.index.entry(key).or_insert(next);
        if slot == next {
            if self.states.len() == self.states.capacity() {
                self.states.reserve_exact(more(self.states.len()));
            }
            self.states.push(R::State::default());
        }
        slot
    }

    /// The keys of all entities by slot.
    fn keys(&self) -> Vec<R::Key> {
        let mut keys: Vec<(u32, R::Key)> = self.index.iter().map(|(&key, &slot)| (slot, key)).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, key)| key).collect()
    }

    /// Forgets entities, by slot, and gives back what they took.
    fn remove(&mut self, mut slots: Vec<u32>) {
        if slots.is_empty() {
            return;
        }
        let mut keys = self.keys();
        slots.sort_unstable_by_key(|slot| std::cmp::Reverse(*slot));
        for slot in slots {
            self.states.swap_remove(slot as usize);
            let moved = self.aside.replace(self.states.len() as u32, Vec::new());
            if slot as usize != self.states.len() {
                self.aside.replace(slot, moved);
            }
            self.index.remove(&keys.swap_remove(slot as usize));
            if let Some(moved) = keys.get(slot as usize) {
                self.index.insert(*moved, slot);
            }
        }
        self.states.shrink_to(roomy(self.states.len()));
        self.index.shrink_to_fit();
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
                Some((key, input)) => (self.slot(key), input),
                None => (NOBODY, R::Input::default()),
            });
        }
        self.scratch.read = scratch;
        let Scratch { read, ends, sorted } = &mut self.scratch;
        let entities = self.states.len();
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

    fn step(&mut self, txn: &Transaction, out: &mut [f32]) {
        match self.rule.input(txn) {
            Some((key, input)) => {
                let slot = self.slot(key);
                let undone = self.undo(slot, &input);
                let Self { rule, computed, states, aside, reach, .. } = self;
                let state = &mut states[slot as usize];
                let mut step = |input: &R::Input, row: Option<Row<'_, R>>| {
                    if let Some(session) = begin(rule, state, input, reach) {
                        aside.push(slot, session);
                    }
                    rule.step(state, input, reach, row);
                };
                step(&input, Some(computed.row(out)));
                undone.iter().for_each(|later| step(later, None));
            }
            None => out.fill(0.0),
        }
    }

    fn step_all(&mut self, batch: &Batch, rows: Range<usize>, wanted: &[u32], out: &mut Rows) {
        self.sort(batch, rows, wanted);
        let Self { rule, columns, computed, reach, states, scratch: Scratch { sorted, .. }, .. } = self;
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

        // Ranges of entities of about equally many rows, a few for every thread.
        let tasks = rayon::current_num_threads() * 8;
        let each = (sorted.len() / tasks).max(256);
        let mut jobs = Vec::with_capacity(tasks + 1);
        let (mut states_left, mut numbers_left) =
            (&mut states[..], &mut out.numbers[first * width..out.filled * width]);
        let of_entities = sorted.partition_point(|&(slot, ..)| slot != NOBODY);
        let (mut first, mut from) = (0usize, 0usize);
        while from < of_entities {
            let to = (from + each).min(of_entities);
            // All rows of an entity are in one job.
            let last = sorted[to - 1].0;
            let to = to + sorted[to..of_entities].iter().take_while(|&&(slot, ..)| slot == last).count();
            let after = last as usize + 1;
            let (mine, rest) = std::mem::take(&mut states_left).split_at_mut(after - first);
            states_left = rest;
            let inputs = &sorted[from..to];
            let read = inputs.iter().filter(|&&(_, number, _)| number != UNWANTED).count();
            let (numbers, rest) = std::mem::take(&mut numbers_left).split_at_mut(read * width);
            numbers_left = rest;
            jobs.push((mine, first, inputs, numbers));
            (first, from) = (after, to);
        }
        numbers_left.fill(0.0);
        let put_aside = jobs.into_par_iter().flat_map_iter(|(states, first, inputs, numbers)| {
            let mut put_aside = Vec::new();
            let mut free = numbers.chunks_exact_mut(width);
            for (slot, number, input) in inputs {
                let out = if *number == UNWANTED { None } else { free.next() };
                let row = out.map(|out| computed.row(out));
                let state = &mut states[*slot as usize - first];
                if let Some(session) = begin(rule, state, input, &reach) {
                    put_aside.push((*slot, session));
                }
                rule.step(state, input, &reach, row);
            }
            put_aside
        });
        let put_aside: Vec<_> = put_aside.collect();
        put_aside.into_iter().for_each(|(slot, session)| self.aside.push(slot, session));
    }

    fn name(&self) -> &'static str {
        self.rule.name()
    }

    fn owner(&self) -> Option<Owner> {
        Some(self.rule.owner())
    }

    fn divide(self: Box<Self>, parts: usize) -> Vec<Box<dyn Feature>> {
        let Self { rule, columns, computed, reach, index, mut states, mut aside, .. } = *self;
        let empty = |_| Self::empty(rule.clone(), columns.clone(), computed.clone(), reach);
        let mut divided: Vec<Self> = (0..parts).map(empty).collect();
        for (key, slot) in index {
            let part = &mut divided[shard_of(R::owner_of(key), parts)];
            let place = part.slot(key);
            part.states[place as usize] = std::mem::take(&mut states[slot as usize]);
            part.aside.replace(place, aside.replace(slot, Vec::new()));
        }
        divided.into_iter().map(|part| Box::new(part) as Box<dyn Feature>).collect()
    }

    fn save_entities(&self, now: i64) -> Vec<([u64; 3], Vec<u8>)> {
        let is_left = |slot: u32| !self.rule.is_over(&self.states[slot as usize], now, &self.reach);
        let entities = self.index.iter().filter(|(_, slot)| is_left(**slot));
        let saved = entities.map(|(&key, &slot)| {
            let kept = self.keep(slot, now, now);
            // Writing plain data to memory has nothing to fail on.
            (R::sort_key(key), postcard::to_allocvec(&(key, kept)).unwrap_or_default())
        });
        saved.collect()
    }

    fn stage(&mut self, mut bytes: &[u8], saved: Saved) -> Result<(), StateError> {
        let mut before: Option<R::Key> = None;
        while !bytes.is_empty() {
            let entity = self.staged.len();
            let impossible = || StateError::Impossible { family: self.rule.name(), entity };
            let (key, mut sessions) = self.read_kept(&mut bytes, saved)?.ok_or_else(impossible)?;
            let are_as_many = sessions.len() == 1 || R::FORGETS;
            if before.replace(key).is_some_and(|before| before >= key) || !are_as_many {
                return Err(impossible());
            }
            if let Some(&slot) = self.index.get(&key) {
                let joined = self.join(slot, sessions, saved);
                sessions = joined.ok_or(StateError::InBoth { family: self.rule.name(), entity })?;
            }
            self.staged.push((key, self.revive(sessions, saved.latest()).ok_or_else(impossible)?));
        }
        Ok(())
    }

    fn commit(&mut self, take: bool) {
        for (key, mut sessions) in std::mem::take(&mut self.staged) {
            if take && let Some(state) = sessions.pop() {
                let slot = self.slot(key);
                self.states[slot as usize] = state;
                self.aside.replace(slot, sessions);
            }
        }
    }

    fn state_bytes(&self) -> usize {
        self.states.capacity() * size_of::<R::State>()
            + self.states.iter().map(|s| self.rule.heap_bytes(s)).sum::<usize>()
            + self.index.allocation_size()
            + self.aside.bytes(|session| self.rule.heap_bytes(session))
    }

    fn entities(&self) -> usize {
        self.states.len()
    }

    fn sweep(&mut self, now: i64) {
        let Self { rule, states, aside, reach, .. } = self;
        aside.retain(|session| {
            rule.trim(session, now, reach);
            !rule.is_over(session, now, reach)
        });
        let mut over = Vec::new();
        for (slot, state) in (0..).zip(states) {
            rule.trim(state, now, reach);
            if rule.is_over(state, now, reach) {
                over.push(slot);
            }
        }
        self.remove(over);
    }

    fn needed_bytes(&self) -> u64 {
        self.states.iter().chain(self.aside.all()).map(|state| self.needed_by(state)).sum()
    }

    fn oldest_first(&self) -> Vec<(i64, u64)> {
        let order = self.in_order();
        let needed = |slot: u32| self.sessions(slot).map(|state| self.needed_by(state)).sum();
        order.into_iter().map(|(at, slot)| (at, needed(slot))).collect()
    }

    fn forget_oldest(&mut self, count: usize) {
        let order = self.in_order();
        self.remove(order.into_iter().take(count).map(|(_, slot)| slot).collect());
    }
}

impl<R: Rule> Family<R> {
    /// Where `late` is late: goes back to when it should have come, be it in an earlier session. What was undone,
    /// oldest first, is to be replayed.
    fn undo(&mut self, slot: u32, late: &R::Input) -> Vec<R::Input> {
        let Self { rule, states, aside, reach, .. } = self;
        let state = &mut states[slot as usize];
        let is_late = |state: &R::State| rule.last_at(state).is_some_and(|last| R::at(late) < last);
        if reach.lateness == 0 || !is_late(state) {
            return Vec::new();
        }
        let mut undone = rule.rewind(state, late);
        while rule.first_at(state).is_none()
            && let Some(session) = aside.pop(slot)
        {
            *state = session;
            if is_late(state) {
                undone.splice(..0, rule.rewind(state, late));
            }
        }
        undone
    }

    /// An entity's states, oldest first.
    fn sessions(&self, slot: u32) -> impl Iterator<Item = &R::State> {
        self.aside.of(slot).iter().chain(self.states.get(slot as usize))
    }

    /// What is kept for payments at `now` and later of an entity's sessions that are not over at `over`, the last of
    /// which never is.
    fn keep(&self, slot: u32, over: i64, now: i64) -> Vec<R::Kept> {
        let sessions = self.sessions(slot).filter(|session| !self.rule.is_over(session, over, &self.reach));
        sessions.map(|session| self.rule.keep(session, now, &self.reach)).collect()
    }

    /// The sessions of an entity in a saved state, together with those it has here already; `None` where that cannot be
    /// known.
    fn join(&self, slot: u32, sessions: Vec<R::Kept>, saved: Saved) -> Option<Vec<R::Kept>> {
        let [here, now] = [saved.here, saved.latest()].map(|at| at.saturating_sub(self.reach.lateness));
        let is_over = |at: i64| self.rule.is_over(&self.states[slot as usize], at, &self.reach);
        match self.rule.owner() {
            // Each is of one side alone.
            Owner::Account => is_over(now).then_some(sessions),
            // What was forgotten here is, whether or not its memory has been given back.
            _ if is_over(here) => Some(sessions),
            _ => self.rule.join(self.keep(slot, here, now), sessions, &self.reach),
        }
    }

    /// The sessions that were kept; `None` where no transactions leave them.
    fn revive(&self, sessions: Vec<R::Kept>, watermark: i64) -> Option<Vec<R::State>> {
        let revive = |kept| self.rule.revive(kept, watermark, &self.reach);
        let sessions: Vec<R::State> = sessions.into_iter().map(revive).collect::<Option<_>>()?;
        let are_in_order = |pair: &[R::State]| self.rule.last_at(&pair[0]) < self.rule.first_at(&pair[1]);
        (!sessions.is_empty() && sessions.windows(2).all(are_in_order)).then_some(sessions)
    }

    /// The sessions of the next entity of a saved state, in today's terms where transactions leave them.
    fn read_kept(&self, bytes: &mut &[u8], saved: Saved) -> Result<Option<Entity<R>>, StateError> {
        let upgrade = |old: R::V2| self.rule.upgrade_v2(old, saved.watermark);
        Ok(match saved.format {
            1 => {
                let (key, old) = take(bytes)?;
                self.rule.upgrade_v1(old).and_then(upgrade).map(|kept| (key, vec![kept]))
            }
            2 => {
                let (key, old) = take(bytes)?;
                upgrade(old).map(|kept| (key, vec![kept]))
            }
            _ => Some(take(bytes)?),
        })
    }

    /// Times of last payments and slots, the one that paid least recently first, equal ones in the order of their keys.
    fn in_order(&self) -> Vec<(i64, u32)> {
        let keys = self.keys();
        let mut order: Vec<u32> = (0..keys.len() as u32).collect();
        let last = |slot: u32| self.rule.last_at(&self.states[slot as usize]).unwrap_or(i64::MIN);
        order.sort_unstable_by_key(|&slot| (last(slot), keys[slot as usize]));
        order.into_iter().map(|slot| (last(slot), slot)).collect()
    }

    /// Bytes an entity needs, its place in the list and the index included.
    fn needed_by(&self, state: &R::State) -> u64 {
        let entry = size_of::<(R::Key, u32)>() + 1;
        ((size_of::<R::State>() * 9 / 8 + entry * 16 / 7) + self.rule.needed_bytes(state)) as u64
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crible_core::{Amount, Currency, EntityId, Timestamp, TxnId, Window};

    use super::*;
    use crate::account::AccountBehaviour;
    use crate::counterparty::{CounterpartyBehaviour, Party};
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
        for i in 0..count {
            family.step(&payment(i, i * SECOND), &mut row);
        }
        work::of(|| family.step(&payment(count, (count - 1) * SECOND - late), &mut row))
    }

    /// A few rows are sorted without anything being done for each entity there is, and to the same bits.
    #[test]
    fn few_rows_do_not_go_through_all_entities() {
        let rule = || AccountBehaviour::new(Windows::default().account, Peers::default(), false, false, false);
        let reach = Reach { lateness: 0, forget: 400 * Window::DAY.0 };
        let [mut batched, mut single] = [(); 2].map(|()| Family::new(rule(), reach, &|_| true));
        let width = batched.columns.len();
        let payment = |i: i64, account: u64| {
            let amount = Amount::new(-500 - i, Currency::EUR);
            Transaction::new(TxnId(i as u128), Timestamp(i * SECOND), EntityId::new(account).unwrap(), amount)
        };
        let mut row = vec![0.0; width];
        for i in 0..5_000 {
            batched.step(&payment(i, 1 + i as u64), &mut row);
            single.step(&payment(i, 1 + i as u64), &mut row);
        }
        // Four accounts old and new, several rows each, some of which nobody reads.
        let rows: Vec<Transaction> = (5_000..5_040).map(|i| payment(i, 4_999 + (i * i) as u64 % 4)).collect();
        let batch = Batch::from_transactions(rows.iter().copied());
        let wanted: Vec<u32> = (0..40).map(|i| if i % 3 == 1 { UNWANTED } else { i - (i + 1) / 3 }).collect();
        let mut out = Rows::default();
        out.reset(27, width);
        batched.step_all(&batch, 0..40, &wanted, &mut out);
        assert_eq!(batched.scratch.ends.capacity(), 0, "counted by entity");
        assert_eq!(out.filled, 27);
        for (txn, number) in rows.iter().zip(wanted) {
            single.step(txn, &mut row);
            if number != UNWANTED {
                assert_eq!(out.row(number as usize), row);
            }
        }
        assert_eq!(batched.save_entities(0), single.save_entities(0));
    }

    /// A late payment costs what came after it, and not what windows hold: ten times the window is no event more.
    #[test]
    fn a_late_payment_costs_what_came_after_it() {
        let Windows { account, counterparty, pattern } = Windows::default();
        let reach = Reach { lateness: 3_600 * SECOND, forget: 400 * Window::DAY.0 };
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
