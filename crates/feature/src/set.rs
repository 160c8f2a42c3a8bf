mod provisional;

use std::fmt;
use std::ops::Range;

use crible_core::{Batch, Clock, Column, Has, KeptTransaction, Timestamp, Transaction, TxnId, Usual, Window};
use rayon::prelude::*;
use serde::Serialize;

use crate::account::AccountBehaviour;
use crate::budget::Budget;
use crate::category::CategoryBehaviour;
use crate::counterparty::{CounterpartyBehaviour, Party};
use crate::family::Family;
use crate::feature::{Feature, Moment};
use crate::habit::HabitBehaviour;
use crate::history::History;
use crate::ledger::Period;
use crate::limits::{Limits, Settings};
use crate::links::Links;
use crate::pattern::PatternBehaviour;
use crate::rows::{Block, Rows, UNWANTED};
use crate::rule::Reach;
use crate::saved::{SavedFamily, Snapshot};
use crate::spans::Spans;
use crate::state::{Head, Kept, Saved, StateError};

use provisional::Provisional;

/// All families of one engine, and the watch over the order of time.
#[derive(Debug)]
pub struct FeatureSet {
    pub(crate) features: Vec<Box<dyn Feature>>,
    columns: Vec<Column>,
    limits: Limits,
    watermark: Option<Timestamp>,
    /// When it has observed.
    observed: Spans,
    /// Which payments are dated ahead.
    clock: Clock,
    /// Payments whose time is to be confirmed.
    provisional: Provisional,
    /// Nothing older can be placed: the state was not kept for it.
    floor: Option<Timestamp>,
    budget: Option<Budget>,
    late: LateCount,
}

/// Transactions that came out of time so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LateCount {
    /// Placed where they belong.
    pub placed: u64,
    /// Refused as [`Late`].
    pub refused: u64,
    /// Refused as [`Early`].
    pub early: u64,
    /// Left out after they were read: the payments after them showed that they were wrongly dated.
    pub contradicted: u64,
}

impl fmt::Display for LateCount {
    /// `3 placed late, 0 refused as late and 1 as early, 0 left out`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { placed, refused, early, contradicted } = self;
        write!(f, "{placed} placed late, {refused} refused as late and {early} as early, {contradicted} left out")
    }
}

/// A transaction older than may still be placed: windows have moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "transaction {txn} at {at} is late: {watermark} has been seen already, and nothing before {oldest} can be placed"
)]
pub struct Late {
    /// The late transaction.
    pub txn: TxnId,
    /// Its time.
    pub at: Timestamp,
    /// The latest time seen.
    pub watermark: Timestamp,
    /// The earliest time that would not have been late.
    pub oldest: Timestamp,
}

/// A transaction dated ahead of the feed's clock: see [`Clock`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("transaction {txn} at {at} is early: the latest seen is of {watermark}, expected nothing after {latest}")]
pub struct Early {
    /// The early transaction.
    pub txn: TxnId,
    /// Its time.
    pub at: Timestamp,
    /// The latest time seen.
    pub watermark: Timestamp,
    /// The latest time that would not have been early.
    pub latest: Timestamp,
}

/// How a transaction is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// It is to be placed.
    Certain,
    /// It is to be read alone: others have to confirm its time.
    Provisional {
        /// Whether it was so before already.
        is_repeat: bool,
    },
}

/// Why a transaction is not taken in. The state is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is older than may still be placed.
    #[error(transparent)]
    Late(#[from] Late),
    /// It is dated ahead.
    #[error(transparent)]
    Early(#[from] Early),
}

impl FeatureSet {
    /// All columns a feed can feed: what it lacks is left out, never filled in.
    pub fn new(has: Has) -> Self {
        Self::all(has, &Settings::default())
    }

    /// The same with windows and limits of one's own.
    pub fn all(has: Has, settings: &Settings) -> Self {
        Self::keeping(has, settings, &|_| true)
    }

    /// Of those, the columns detectors see and the ones they are shown with: what scoring and explaining takes.
    pub fn to_score(has: Has) -> Self {
        Self::scoring(has, &Settings::default(), |column| column.input)
    }

    /// The same where detectors see the columns that `seen` accepts.
    pub fn scoring(has: Has, settings: &Settings, seen: impl Fn(&Column) -> bool) -> Self {
        let all = Self::all(has, settings).columns;
        let shown = |name: &str| {
            all.iter().filter(|c| seen(c)).flat_map(|c| [&c.shown, &c.typical]).any(|usual| match usual {
                Usual::Column(other) => other == name,
                _ => false,
            })
        };
        let mut set = Self::keeping(has, settings, &|column| seen(column) || shown(&column.name));
        set.columns.iter_mut().for_each(|column| column.input = seen(column));
        set
    }

    /// Columns of these names alone, those that the feed cannot feed left out: what a model was learned from.
    pub fn of(has: Has, settings: &Settings, names: &[&str]) -> Self {
        Self::keeping(has, settings, &|column| names.contains(&column.name.as_ref()))
    }

    fn keeping(has: Has, settings: &Settings, keep: &dyn Fn(&Column) -> bool) -> Self {
        let Settings { windows, limits, ref peers } = *settings;
        let reach =
            Reach { lateness: limits.lateness.0, forget: limits.forget_after.0, counts: limits.memory.is_some() };
        let account =
            AccountBehaviour::new(windows.account, peers.clone(), has.counterparty, has.position, has.balance);
        let mut features: Vec<Box<dyn Feature>> = vec![Box::new(Family::new(account, reach, keep))];
        if has.counterparty {
            features.push(Box::new(Family::new(
                CounterpartyBehaviour::new(Party::Counterparty, windows.counterparty, peers.clone()),
                reach,
                keep,
            )));
        }
        if has.category {
            features.push(Box::new(Family::new(CategoryBehaviour, reach, keep)));
        }
        for party in [Party::Device, Party::Address].into_iter().filter(|party| party.is_in(has)) {
            let shared = CounterpartyBehaviour::new(party, windows.counterparty, peers.clone());
            features.push(Box::new(Family::new(shared, reach, keep)));
        }
        if has.device {
            let [.., week] = windows.pattern;
            features.push(Box::new(Links::new(week, reach, keep)));
        }
        let words = [has.channel, has.category, has.country, has.device, has.address];
        features.push(Box::new(Family::new(PatternBehaviour::new(windows.pattern, words), reach, keep)));
        features.push(Box::new(Family::new(HabitBehaviour::new(words, has.counterparty, has.position), reach, keep)));
        features.retain(|feature| !feature.columns().is_empty());
        let columns = features.iter().flat_map(|f| f.columns().to_vec()).collect();
        let budget = limits.memory.map(|most| Budget::new(most, features.iter().map(|feature| feature.span())));
        let clock = Clock::new(limits.ahead);
        let clock = match peers.first() {
            Some(first) => clock.known_at(first),
            None => clock,
        };
        Self {
            features,
            columns,
            limits,
            watermark: None,
            observed: Spans::default(),
            clock,
            provisional: Provisional::default(),
            floor: None,
            budget,
            late: LateCount::default(),
        }
    }

    /// What a set over a feed without this would leave out, in words.
    pub fn left_out(has: Has) -> Vec<&'static str> {
        [
            (has.counterparty, "counterparties: new and many payees, traffic and usual amounts at a counterparty"),
            (has.category, "categories: the amount against its category"),
            (has.position, "positions: distance and speed from the last payment"),
            (has.balance, "balances: the share of the balance a payment takes"),
            (has.device, "devices: new ones, how many an account uses and who shares them"),
            (has.address, "addresses: new ones, how many an account uses and who shares them"),
        ]
        .into_iter()
        .filter_map(|(there, what)| (!there).then_some(what))
        .collect()
    }

    /// All columns, family after family.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The latest time taken in.
    pub fn watermark(&self) -> Option<Timestamp> {
        self.watermark
    }

    /// Since when the state has observed without a silence in which its windows ran empty. Of a state that an earlier
    /// format saved, which lacks it, the beginning of time.
    pub fn since(&self) -> Option<Timestamp> {
        self.observed.since()
    }

    /// Of which of the transactions with these times, which are still to be taken in, the set will have observed for
    /// less than `warm_up`.
    pub fn cold_rows(&self, times: &[Timestamp], warm_up: Window) -> Vec<bool> {
        let mut observed = self.observed.clone();
        let is_cold = |at: &Timestamp| {
            observed.note(*at, self.limits.lateness);
            at.0 < observed.since_at(*at).0.saturating_add(warm_up.0)
        };
        times.iter().map(is_cold).collect()
    }

    /// What is known before any family was asked, of a transaction at this time that was let in.
    pub(crate) fn history(&self, at: Timestamp) -> History {
        History { since: self.observed.since_at(at), ..History::default() }
    }

    /// Bytes all states hold on to.
    pub fn state_bytes(&self) -> usize {
        let budget = self.budget.as_ref().map_or(0, Budget::bytes);
        budget + self.features.iter().map(|f| f.state_bytes()).sum::<usize>()
    }

    /// Accounts, counterparties, devices, addresses and categories there is a state of, by currency and direction, and
    /// days of links; those that are forgotten but whose memory has not been given back yet included.
    pub fn entities(&self) -> usize {
        self.features.iter().map(|f| f.entities()).sum()
    }

    /// Sets the time to this at least: what is dated up to [`Limits::ahead`] beyond is not early then,
    /// however long nobody paid. It moves no window.
    pub fn advance(&mut self, now: Timestamp) {
        self.clock.advance(now);
    }

    /// Transactions that came late so far.
    pub fn late(&self) -> LateCount {
        self.late
    }

    /// The state as bytes: the same for the same transactions, however they were handed in.
    pub fn save(&self) -> Vec<u8> {
        self.snapshot().to_vec()
    }

    /// The same, to be written piece by piece.
    pub fn snapshot(&self) -> Snapshot {
        let moment = self.moment();
        self.snapshot_of(self.features.iter().map(|feature| feature.saved(moment)).collect())
    }

    /// What is left of the past.
    pub(crate) fn moment(&self) -> Moment {
        let oldest = self.watermark.map_or(i64::MIN, |at| at.0.saturating_sub(self.limits.lateness.0));
        Moment { oldest, from: self.budget.as_ref().map_or(Period::FIRST, Budget::from) }
    }

    /// The budget, which has to be [put back](FeatureSet::put_budget).
    pub(crate) fn take_budget(&mut self) -> Option<Budget> {
        self.budget.take()
    }

    pub(crate) fn put_budget(&mut self, budget: Budget) {
        self.budget = Some(budget);
    }

    /// A snapshot with these families in order.
    pub(crate) fn snapshot_of(&self, families: Vec<SavedFamily>) -> Snapshot {
        Snapshot::new(&self.head(), families)
    }

    pub(crate) fn head(&self) -> Head {
        let [watermark, floor] = [self.watermark, self.floor].map(|at| at.map(|at| at.0));
        let from = Some(self.moment().from).filter(|from| *from > Period::FIRST).map(i64::from);
        let (_, advanced, hours) = self.clock.parts();
        let (lateness, hours, observed) = (self.limits.lateness.0, hours.to_vec(), self.observed.clone());
        let provisional = self.provisional.iter().map(KeptTransaction::of).collect();
        Head { watermark, floor, lateness, from, advanced, hours, observed, provisional }
    }

    /// The format [`FeatureSet::save`] writes; [`FeatureSet::merge`] reads those before it, too.
    pub const FORMAT: u8 = 7;

    /// Takes in what [`FeatureSet::save`] gave in `format`, from 1 to [`FeatureSet::FORMAT`], of transactions of other
    /// accounts: afterwards every window, those of counterparties and categories included, is what it would be had one
    /// set seen them all; but what one side had forgotten of a category before stays forgotten. A set that has seen
    /// nothing becomes the one that was saved. Formats 1 and 2 lack when a category was last paid in: it is then
    /// taken for the latest payment of the state. Nor do they know of pay older than the events they hold.
    ///
    /// What is provisional on either side stays so: see [`FeatureSet::confirm_until`]. Where both sides have such, the
    /// latest two are kept.
    ///
    /// # Errors
    /// [`StateError`]; the state is then as it was.
    pub fn merge(&mut self, saved: &[u8], format: u8) -> Result<(), StateError> {
        let Kept { head, families } = Kept::read(saved, format)?;
        let names = |names: &mut dyn Iterator<Item = &str>| names.collect::<Vec<_>>().join(", ");
        let got = names(&mut families.iter().map(|(name, _)| name.as_str()));
        let expected = names(&mut self.features.iter().map(|f| f.name()));
        if got != expected {
            return Err(StateError::Families { got, expected });
        }
        let Some(clock) = Clock::from_parts(self.limits.ahead, head.watermark, head.advanced, head.hours) else {
            return Err(StateError::Clock);
        };
        let kept: Option<Vec<Transaction>> = head.provisional.into_iter().map(KeptTransaction::revive).collect();
        let Some(provisional) = kept.and_then(Provisional::from_kept) else {
            return Err(StateError::Provisional);
        };
        let watermark = self.watermark.max(head.watermark.map(Timestamp));
        let mut floor = self.floor.max(head.floor.map(Timestamp));
        if head.lateness < self.limits.lateness.0 {
            // Its events were let go of sooner than this set would have.
            floor = floor.max(head.watermark.map(|at| Timestamp(at.saturating_sub(head.lateness))));
        }
        let [of_saved, here] = [head.watermark, self.watermark.map(|at| at.0)].map(|at| at.unwrap_or(i64::MIN));
        let about = Saved { format, watermark: of_saved, here, from: self.moment().from.into() };
        let pairs = self.features.iter_mut().zip(&families);
        let staged: Result<Vec<()>, StateError> =
            pairs.map(|(feature, (_, bytes))| feature.stage(bytes, about)).collect();
        self.features.iter_mut().for_each(|feature| feature.commit(staged.is_ok()));
        staged?;
        self.observed.merge(&head.observed, self.limits.lateness);
        (self.watermark, self.floor) = (watermark, floor);
        self.clock.merge(&clock);
        self.provisional.merge(provisional);
        self.count();
        if let Some(budget) = &mut self.budget {
            budget.forget_before(head.from.map_or(Period::FIRST, Period::from));
        }
        Ok(())
    }

    /// Reads one transaction's row into `out`, then absorbs it; returns how much was known before it. One whose time is
    /// to be confirmed is read and not absorbed yet: see [`FeatureSet::provisional`].
    ///
    /// # Errors
    /// [`Refused`] where it is late or early; the state is then as it was.
    ///
    /// # Panics
    /// Where `out` is not as long as [`FeatureSet::columns`].
    pub fn step(&mut self, txn: &Transaction, out: &mut [f32]) -> Result<History, Refused> {
        self.settle(txn, |_, _, _| {});
        match self.admit(txn)? {
            Admitted::Certain => Ok(self.take_in(txn, out)),
            Admitted::Provisional { is_repeat } => Ok(self.peek(txn, is_repeat, out)),
        }
    }

    /// Reads a transaction that can be placed, and absorbs it.
    fn take_in(&mut self, txn: &Transaction, out: &mut [f32]) -> History {
        self.place(txn);
        let mut history = self.history(txn.at);
        let moment = self.moment();
        let mut rest = out;
        for feature in &mut self.features {
            let (here, after) = rest.split_at_mut(feature.columns().len());
            history.add(feature.owner(), feature.step(txn, moment, here));
            feature.sweep(1, moment);
            rest = after;
        }
        self.count();
        history
    }

    /// The same for rows of a batch: reads those that `wanted` accepts into `block`, absorbs all. Runs in the caller's
    /// rayon pool. Larger runs are faster: an entity's state is fetched once a run.
    ///
    /// # Errors
    /// [`Refused`] where the first is too late to be placed, or the last are early; nothing is then taken in. A batch
    /// is known whole: a silence is none of the feed's clock that three payments or more of the batch come after. Only
    /// its last row can be [provisional](FeatureSet::provisional).
    ///
    /// # Panics
    /// Where the batch has no such rows.
    pub fn step_all(
        &mut self,
        batch: &Batch,
        rows: Range<usize>,
        mut wanted: impl FnMut(usize) -> bool,
        block: &mut Block,
    ) -> Result<(), Refused> {
        self.settle_all(batch, rows.clone(), |_, _, _| {});
        self.check_all(batch, rows.clone())?;
        block.wanted.clear();
        block.rows = 0;
        for row in rows.clone() {
            let number = if wanted(row) { block.rows as u32 } else { UNWANTED };
            block.rows += usize::from(number != UNWANTED);
            block.wanted.push(number);
        }
        block.families.resize_with(self.features.len(), Rows::default);
        let count = block.rows;
        for (feature, out) in self.features.iter().zip(&mut block.families) {
            out.reset(count, feature.columns().len());
        }
        let watermark = self.watermark.unwrap_or(Timestamp(i64::MIN));
        // The last of all may be one whose time nothing has confirmed.
        let last = rows.end.checked_sub(1).filter(|last| rows.contains(last) && rows.end == batch.len());
        let provisional = last.filter(|_| self.ends_uncertain(&batch.times()[rows.clone()]));
        let (mut row, end) = (rows.start, provisional.unwrap_or(rows.end));
        // Late rows one by one, as they would have come.
        while row < end && batch.times()[row] < watermark {
            self.place(&batch.get(row));
            let number = block.wanted[row - rows.start];
            let (txn, moment) = (batch.get(row), self.moment());
            self.features.par_iter_mut().zip(&mut block.families).for_each(|(feature, out)| {
                out.add(number, |row| {
                    feature.step(&txn, moment, row);
                });
                feature.sweep(1, moment);
            });
            self.count();
            row += 1;
        }
        while row < end {
            let to = self.next_cut(&batch.times()[row..end]).map_or(end, |rows| row + rows);
            self.place(&batch.get(row));
            for at in &batch.times()[row + 1..to] {
                self.observed.note(*at, self.limits.lateness);
            }
            self.watermark = Some(batch.times()[to - 1]);
            self.clock.note_all(&batch.times()[row..to]);
            let moment = self.moment();
            let wanted = &block.wanted[row - rows.start..to - rows.start];
            self.features.par_iter_mut().zip(&mut block.families).for_each(|(feature, out)| {
                feature.step_all(batch, row..to, wanted, moment, out);
                feature.sweep(to - row, moment);
            });
            self.count();
            row = to;
        }
        if let Some(row) = provisional {
            let (txn, moment) = (batch.get(row), self.moment());
            self.provisional.push(&txn);
            for (feature, out) in self.features.iter().zip(&mut block.families) {
                out.add(block.wanted[row - rows.start], |row| {
                    feature.peek(&txn, moment, row);
                });
            }
        }
        Ok(())
    }

    fn count(&mut self) {
        if let Some(budget) = &mut self.budget {
            (0..).zip(&mut self.features).for_each(|(family, feature)| budget.count(family, &mut **feature));
            budget.counted();
        }
    }

    /// How many of these times can be worked off before memory has to be looked at: those of one hour, and of as many
    /// as there is room for whatever they bring; `None` where all can.
    fn next_cut(&self, times: &[Timestamp]) -> Option<usize> {
        let room = usize::try_from(self.budget.as_ref()?.room()).unwrap_or(usize::MAX);
        let last = times.get(room.saturating_sub(1)).filter(|_| room > 0);
        let until = match last {
            // The hour that there may be no room for is left for the next time.
            Some(last) => times.partition_point(|at| hour(*at) < hour(*last)),
            None if room > 0 => return None,
            None => 0,
        };
        let first = hour(*times.first()?);
        Some(until.max(times.partition_point(|at| hour(*at) == first)))
    }

    fn in_time(&self, txn: &Transaction) -> Result<(), Late> {
        let Some(watermark) = self.watermark else { return Ok(()) };
        let allowed = Timestamp(watermark.0.saturating_sub(self.limits.lateness.0));
        let oldest = self.floor.map_or(allowed, |floor| floor.max(allowed));
        if txn.at < oldest { Err(Late { txn: txn.id, at: txn.at, watermark, oldest }) } else { Ok(()) }
    }

    /// Makes a block so many rows of zeros: of what is not read.
    pub fn blank(&self, rows: usize, block: &mut Block) {
        block.blank(rows, self.features.iter().map(|feature| feature.columns().len()));
    }

    /// That the first of a batch's rows can be placed and none is early; those that cannot are counted.
    ///
    /// # Errors
    /// [`Refused`]; nothing has been taken in then.
    pub fn check_all(&mut self, batch: &Batch, rows: Range<usize>) -> Result<(), Refused> {
        let Some(first) = rows.clone().next() else { return Ok(()) };
        // A batch is in order within: where its first can be placed, all can.
        if let Err(late) = self.in_time(&batch.get(first)) {
            self.late.refused += batch.times()[rows].partition_point(|at| *at < late.oldest) as u64;
            return Err(late.into());
        }
        // What confirms a row may come after the last of `rows`.
        let times = &batch.times()[first..];
        match self.clock.first_early(times).map(|row| first + row).filter(|row| rows.contains(row)) {
            Some(row) => {
                let before = row.checked_sub(1).filter(|before| rows.contains(before));
                let mut clock = self.clock.clone();
                before.iter().for_each(|before| clock.note_all(&batch.times()[first..=*before]));
                let early = self.early(&clock, &batch.get(row));
                self.late.early += (rows.end - row) as u64;
                self.clock.refuse(early.at);
                Err(early.into())
            }
            None => Ok(()),
        }
    }

    fn early(&self, clock: &Clock, txn: &Transaction) -> Early {
        let latest = clock.limit();
        let watermark = clock.latest().or(self.watermark).unwrap_or(latest);
        Early { txn: txn.id, at: txn.at, watermark, latest }
    }

    /// Lets a transaction in where it can be placed; one whose time is to be confirmed is kept until it is.
    pub(crate) fn admit(&mut self, txn: &Transaction) -> Result<Admitted, Refused> {
        if let Err(late) = self.in_time(txn) {
            self.late.refused += 1;
            return Err(late.into());
        }
        if !self.clock.allows(txn.at) {
            let early = self.early(&self.clock, txn);
            self.late.early += 1;
            self.clock.refuse(txn.at);
            return Err(early.into());
        }
        if self.clock.is_certain(txn.at) {
            return Ok(Admitted::Certain);
        }
        let is_repeat = self.provisional.contains(txn);
        if !is_repeat {
            self.provisional.push(txn);
        }
        Ok(Admitted::Provisional { is_repeat })
    }

    /// Takes note of a transaction that can be placed, and looks after memory.
    pub(crate) fn place(&mut self, txn: &Transaction) {
        let before = self.watermark.unwrap_or(txn.at);
        self.late.placed += u64::from(txn.at < before);
        self.observed.note(txn.at, self.limits.lateness);
        self.watermark = Some(before.max(txn.at));
        self.clock.note(txn.at);
        if let Some(budget) = &mut self.budget
            && hour(txn.at) > hour(before)
        {
            budget.hold(before.0.saturating_sub(self.limits.lateness.0));
        }
        self.budget.iter_mut().for_each(|budget| budget.paid(1));
    }

    /// Whether what families need has to be counted before a transaction of this time is let in.
    pub(crate) fn is_to_be_counted(&self, at: Timestamp) -> bool {
        /// What was not counted is kept: it may not become much.
        const MOST_UNCOUNTED: u64 = 1 << 13;
        self.budget.as_ref().is_some_and(|budget| {
            let is_full_hour = self.watermark.is_some_and(|watermark| hour(at) > hour(watermark));
            budget.uncounted() >= MOST_UNCOUNTED || is_full_hour && budget.room() == 0
        })
    }
}

fn hour(at: Timestamp) -> i64 {
    at.0.div_euclid(Window::HOUR.0)
}
