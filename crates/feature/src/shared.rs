//! One set for several threads.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crible_core::{Timestamp, Transaction};

use crate::feature::{Feature, Finish, Moment};
use crate::history::History;
use crate::owner::{Owner, shard_of};
use crate::saved::{SavedFamily, Snapshot};
use crate::set::{Admitted, FeatureSet, LateCount, Refused};
use crate::state::Head;
use crate::ticket::{Ticket, TicketLock, Tickets};

/// Shards that entities of one kind are divided into: many more than threads, so that two seldom want the same.
const SHARDS: usize = 64;

/// Entities of one family that are saved before a payment may come in between.
const SAVED_AT_ONCE: usize = 32;

/// A [`FeatureSet`] that several threads step, each transaction by the one that takes it.
///
/// Families are divided by whose entities they are about: accounts, counterparties, devices, addresses and categories
/// have 64 shards each; what is left, the watch over time and links, is behind a lock. A thread takes that lock, takes
/// a transaction, draws a ticket for each shard it belongs to, and lets go of the lock; then it waits for its turn at
/// the shards. So whatever two transactions share, they come to it in the order in which they were taken, and rows are
/// those of one set that was handed them in this order. Nobody waits with the lock in hand or with a turn, and as all
/// tickets of a transaction are drawn at once, whoever was first is first everywhere: no two wait for each other.
///
/// **Memory.** Shards count what their entities need. Where the budget may be passed at a full hour, the transaction
/// that passes it waits with the lock in hand until all before it have left their shards, and adds up what these have
/// counted: who is forgotten is therefore the same as in one set.
///
/// **Saving.** A snapshot is of one moment between two transactions: it waits in the same way, and asks every shard
/// that it has begun. The shards are then saved a few entities at a time while transactions go on; whoever is about to
/// change is saved first.
#[derive(Debug)]
pub struct SharedSet {
    common: Mutex<Common>,
    groups: Vec<Group>,
    /// Of each family in the order of columns: the group it is in, if it is divided, and how many columns it has.
    layout: Vec<(Option<usize>, usize)>,
    /// One save at a time.
    saving: Mutex<()>,
}

/// What is behind one lock, in cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Common {
    set: FeatureSet,
    /// By group, what has been drawn at each shard.
    tickets: Vec<[Tickets; SHARDS]>,
    /// Nothing is taken any more: another set goes on.
    is_closed: bool,
}

/// Families of one owner, in shards.
#[derive(Debug)]
struct Group {
    owner: Owner,
    /// Which of all families these are.
    families: Vec<usize>,
    shards: Vec<TicketLock<Families>>,
}

/// Families of some entities.
type Families = Vec<Box<dyn Feature>>;

/// The tickets of a transaction, by group.
type Drawn<'a> = [Option<Ticket<'a, Families>>; Owner::ALL.len()];

/// What is to be done with a transaction.
#[derive(Clone, Copy)]
struct Reading<'a> {
    txn: &'a Transaction,
    moment: Moment,
    how: How,
}

#[derive(Clone, Copy)]
enum How {
    /// It is read and absorbed.
    Step,
    /// It is read alone.
    Peek,
}

/// A transaction that was taken, and whether it was absorbed.
type Taken = (Transaction, Result<History, Refused>);

impl FeatureSet {
    /// Hands the state over to a set that several threads can step.
    pub fn share(mut self) -> SharedSet {
        let mut layout = Vec::new();
        let mut divided: Vec<(Owner, Vec<usize>, Vec<Families>)> = Vec::new();
        for (family, feature) in std::mem::take(&mut self.features).into_iter().enumerate() {
            let width = feature.columns().len();
            let Some(owner) = feature.owner() else {
                layout.push((None, width));
                self.features.push(feature);
                continue;
            };
            let at = divided.iter().position(|(of, ..)| *of == owner).unwrap_or(divided.len());
            if at == divided.len() {
                divided.push((owner, Vec::new(), (0..SHARDS).map(|_| Families::new()).collect()));
            }
            layout.push((Some(at), width));
            divided[at].1.push(family);
            for (shard, feature) in divided[at].2.iter_mut().zip(feature.divide(SHARDS)) {
                shard.push(feature);
            }
        }
        let groups = divided.into_iter().map(|(owner, families, shards)| {
            let shards = shards.into_iter().map(TicketLock::new).collect();
            Group { owner, families, shards }
        });
        let groups: Vec<Group> = groups.collect();
        let tickets = vec![[Tickets::default(); SHARDS]; groups.len()];
        let common = Mutex::new(Common { set: self, tickets, is_closed: false });
        SharedSet { common, groups, layout, saving: Mutex::new(()) }
    }
}

impl SharedSet {
    /// A panic of a caller's own closure poisons the lock before anything is touched, which is then as sound as ever.
    fn common(&self) -> MutexGuard<'_, Common> {
        self.common.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a transaction from `next`, which no other thread does meanwhile, reads its row into `out` and absorbs it;
    /// `None` where there is none. `taken` is called for what it confirms, as by [`FeatureSet::settle`].
    ///
    /// # Errors
    /// `next`, unused, where the set is closed.
    ///
    /// # Panics
    /// Where `out` is not as long as the set has columns.
    pub fn step<N: FnOnce() -> Option<Transaction>>(
        &self,
        next: N,
        out: &mut [f32],
        mut taken: impl FnMut(&Transaction, &[f32], History),
    ) -> Result<Option<Taken>, N> {
        let mut guard = self.common();
        let common = &mut *guard;
        if common.is_closed {
            return Err(next);
        }
        let Some(txn) = next() else { return Ok(None) };
        for confirmed in common.set.confirmed_by(&txn) {
            // With the lock in hand: what comes after reads it.
            let mut row = vec![0.0; out.len()];
            let mut history = self.place(common, &confirmed);
            let tickets = self.draw(common, &confirmed);
            let read = Reading { txn: &confirmed, moment: common.set.moment(), how: How::Step };
            self.read(None, &mut common.set.features, read, &mut row, &mut history);
            self.read_groups(tickets, read, &mut row, &mut history);
            taken(&confirmed, &row, history);
        }
        let admitted = match common.set.admit(&txn) {
            Ok(admitted) => admitted,
            Err(refused) => return Ok(Some((txn, Err(refused)))),
        };
        if let Admitted::Provisional { is_repeat } = admitted {
            let mut history = common.set.history_provisional(txn.at, is_repeat);
            let tickets = self.draw(common, &txn);
            let read = Reading { txn: &txn, moment: common.set.moment(), how: How::Peek };
            self.read(None, &mut common.set.features, read, out, &mut history);
            self.read_groups(tickets, read, out, &mut history);
            return Ok(Some((txn, Ok(history))));
        }
        let mut history = self.place(common, &txn);
        let tickets = self.draw(common, &txn);
        let read = Reading { txn: &txn, moment: common.set.moment(), how: How::Step };
        self.read(None, &mut common.set.features, read, out, &mut history);
        drop(guard);
        self.read_groups(tickets, read, out, &mut history);
        Ok(Some((txn, Ok(history))))
    }

    /// Takes note of a transaction that was admitted, where need be after memory has been counted.
    fn place(&self, common: &mut Common, txn: &Transaction) -> History {
        if common.set.is_to_be_counted(txn.at) {
            self.count(common);
        }
        common.set.place(txn);
        common.set.history(txn.at)
    }

    /// Draws a ticket of each shard that a transaction belongs to.
    fn draw(&self, common: &mut Common, txn: &Transaction) -> Drawn<'_> {
        let mut tickets = Drawn::default();
        for ((ticket, group), drawn) in tickets.iter_mut().zip(&self.groups).zip(&mut common.tickets) {
            *ticket = group.owner.of(txn).map(|of| {
                let shard = shard_of(of, SHARDS);
                drawn[shard].draw(&group.shards[shard])
            });
        }
        tickets
    }

    /// Reads what is in shards, each when it is this transaction's turn there.
    fn read_groups(&self, mut tickets: Drawn<'_>, read: Reading<'_>, out: &mut [f32], history: &mut History) {
        for (group, ticket) in tickets.iter().enumerate().take(self.groups.len()) {
            if ticket.is_none() {
                // Of nobody there is nothing to read.
                self.read(Some(group), &mut [], read, out, history);
            }
        }
        // Shards where it is this transaction's turn come first; where there is none, it waits for one.
        let is_served = |ticket: &Option<Ticket<'_, _>>| ticket.as_ref().is_some_and(Ticket::is_served);
        while let Some(group) = tickets.iter().position(is_served).or(tickets.iter().position(Option::is_some)) {
            if let Some(ticket) = tickets[group].take() {
                ticket.with(|families| self.read(Some(group), families, read, out, history));
            }
        }
    }

    /// Steps or peeks at families, which are those of a group or those not divided, in the order of columns; zeros where
    /// there are none.
    fn read(
        &self,
        group: Option<usize>,
        families: &mut [Box<dyn Feature>],
        Reading { txn, moment, how }: Reading<'_>,
        out: &mut [f32],
        history: &mut History,
    ) {
        let (mut families, mut rest) = (families.iter_mut(), out);
        for &(of, width) in &self.layout {
            let (here, after) = rest.split_at_mut(width);
            rest = after;
            if of == group {
                match (families.next(), how) {
                    (Some(feature), How::Step) => {
                        history.add(feature.owner(), feature.step(txn, moment, here));
                        feature.sweep(1, moment);
                    }
                    (Some(feature), How::Peek) => history.add(feature.owner(), feature.peek(txn, moment, here)),
                    (None, _) => here.fill(0.0),
                }
            }
        }
    }

    /// As [`FeatureSet::advance`].
    pub fn advance(&self, now: Timestamp) {
        self.common().set.advance(now);
    }

    /// Looks at every shard when all tickets that have been drawn are used; the lock is held, so that none is drawn
    /// meanwhile.
    fn settled(&self, tickets: &[[Tickets; SHARDS]], mut look: impl FnMut(&Group, &mut Families)) {
        for (group, tickets) in self.groups.iter().zip(tickets) {
            for (shard, tickets) in group.shards.iter().zip(tickets) {
                shard.settled(*tickets, |families| look(group, families));
            }
        }
    }

    /// Adds up what all shards have counted.
    fn count(&self, common: &mut Common) {
        let Common { set, tickets, .. } = common;
        let Some(mut budget) = set.take_budget() else { return };
        self.settled(tickets, |group, families| {
            for (feature, family) in families.iter_mut().zip(&group.families) {
                budget.count(*family, &mut **feature);
            }
        });
        let undivided = (0..).zip(&self.layout).filter(|(_, (group, _))| group.is_none());
        undivided.zip(&mut set.features).for_each(|((family, _), feature)| budget.count(family, &mut **feature));
        budget.counted();
        set.put_budget(budget);
    }

    /// As [`FeatureSet::since`].
    pub fn since(&self) -> Option<Timestamp> {
        self.common().set.since()
    }

    /// As [`FeatureSet::watermark`].
    pub fn watermark(&self) -> Option<Timestamp> {
        self.common().set.watermark()
    }

    /// As [`FeatureSet::late`].
    pub fn late(&self) -> LateCount {
        self.common().set.late()
    }

    /// As [`FeatureSet::state_bytes`].
    pub fn state_bytes(&self) -> usize {
        let shards = self.groups.iter().flat_map(|group| &group.shards);
        let bytes = |families: &mut Families| families.iter().map(|feature| feature.state_bytes()).sum::<usize>();
        let divided: usize = shards.map(|shard| shard.between(bytes)).sum();
        self.common().set.state_bytes() + divided
    }

    /// Takes no transactions any more; those under way are finished.
    pub fn close(&self) {
        let mut guard = self.common();
        guard.is_closed = true;
        self.settled(&guard.tickets, |_, _| {});
    }

    /// Takes transactions again.
    pub fn open(&self) {
        self.common().is_closed = false;
    }

    /// As [`FeatureSet::save`], of a moment between two transactions.
    pub fn save(&self) -> Vec<u8> {
        self.begin_save().finish().to_vec()
    }

    /// Begins to save the set as it is between two transactions. Transactions wait until those under way are finished
    /// and all shards know of it, which takes some microseconds; then they go on.
    pub fn begin_save(&self) -> SharedSave<'_> {
        let one_at_a_time = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let mut guard = self.common();
        let common = &mut *guard;
        let (moment, head) = (common.set.moment(), common.set.head());
        self.settled(&common.tickets, |_, families| {
            families.iter_mut().for_each(|feature| feature.begin_save(moment));
        });
        let finish = |feature: &mut Box<dyn Feature>| -> Finish {
            feature.begin_save(moment);
            feature.finish_save()
        };
        let undivided = common.set.features.iter_mut().map(finish).collect();
        SharedSave { set: self, head, undivided, _one_at_a_time: one_at_a_time }
    }
}

/// A save that has begun. Dropped unfinished it holds memory until the next begins.
pub struct SharedSave<'a> {
    set: &'a SharedSet,
    head: Head,
    undivided: Vec<Finish>,
    _one_at_a_time: MutexGuard<'a, ()>,
}

impl fmt::Debug for SharedSave<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSave").field("head", &self.head).finish_non_exhaustive()
    }
}

impl SharedSave<'_> {
    /// Saves shard after shard while transactions go on; one that needs a shard waits for some dozens of its entities
    /// at most.
    pub fn finish(self) -> Snapshot {
        let Self { set, head, undivided, _one_at_a_time } = self;
        let mut saved = vec![SavedFamily::default(); set.layout.len()];
        for group in &set.groups {
            for shard in &group.shards {
                let save_some =
                    |families: &mut Families| families.iter_mut().all(|feature| feature.save_some(SAVED_AT_ONCE));
                while !shard.between(save_some) {
                    std::thread::yield_now();
                }
                let finished: Vec<Finish> =
                    shard.between(|families| families.iter_mut().map(|feature| feature.finish_save()).collect());
                finished.into_iter().zip(&group.families).for_each(|(finish, family)| saved[*family].append(finish()));
            }
        }
        let places = (0..).zip(&set.layout).filter(|(_, (group, _))| group.is_none());
        places.zip(undivided).for_each(|((family, _), finish): ((usize, _), Finish)| saved[family] = finish());
        Snapshot::new(&head, saved)
    }
}
