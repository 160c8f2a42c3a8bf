use std::cmp::Ordering;
use std::collections::BTreeMap;

use crible_core::{EntityId, Source, Timestamp, Window};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::kept::{KeptDecision, unreadable};
use super::{Policy, PolicyError, check};
use crate::{Alert, Budget, Day, Decision, Score, Severity};

/// The strangest transactions of each UTC day, exactly, in one pass.
///
/// Transactions come in any order within the lateness. Of every account the highest-scored transaction of the day
/// counts (the earliest of equals), and of the accounts the highest `budget`. The outcome is that of sorting the whole
/// day by score, then time, then the order of the input; what is held at any time is the budget of each open day and no
/// more.
///
/// A transaction that cannot win costs a comparison: the day's bar only rises, so what is below it now stays below.
/// One that can costs a search among those held, O(log budget).
///
/// ```
/// use crible_alert::{Budget, DailyBudget, Decision, ModelId, Policy, Score, Severity};
/// use crible_core::{Amount, Currency, EntityId, Timestamp, Transaction, TxnId};
///
/// let mut policy = DailyBudget::new("1/day".parse::<Budget>()?);
/// for (id, raw) in [(1, 0.2), (2, 0.9), (3, 0.4)] {
///     let account = EntityId::new(id).ok_or("zero is no entity")?;
///     let amount = Amount::parse("-10.00", Currency::USD)?;
///     let txn = Transaction::new(TxnId(id.into()), Timestamp::from_seconds(60), account, amount);
///     policy.offer(Decision::new(&txn, Score { raw, tail: 1.0 - raw }, Severity::Low, &[], ModelId(1)))?;
/// }
/// let day = policy.finish();
/// assert_eq!((day.len(), day[0].rank, day[0].decision.txn.id), (1, 1, TxnId(2)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct DailyBudget {
    budget: usize,
    at_least: Severity,
    lateness: i64,
    /// The latest time there was.
    clock: Option<Timestamp>,
    /// The first day that is not closed.
    first: Day,
    /// Days that something was offered for, in order; mostly one.
    open: Vec<OpenDay>,
    /// Decisions offered so far: breaks ties of what came from no file.
    offered: u64,
}

#[derive(Clone, Debug)]
struct OpenDay {
    day: Day,
    /// Best first.
    held: BTreeMap<Standing, Decision>,
    best: HashMap<EntityId, Standing>,
    /// The worst of those held, once the budget is full.
    bar: Option<Standing>,
}

/// What decides between two transactions of a day: the better one is the lesser.
#[derive(Clone, Copy, Debug)]
struct Standing {
    raw: f64,
    at: Timestamp,
    source: Option<Source>,
    offered: u64,
    account: EntityId,
}

impl Standing {
    fn new(decision: &Decision, offered: u64) -> Self {
        let Decision { txn, score, source, .. } = decision;
        // Adding zero makes zero of minus zero, which total_cmp would otherwise distinguish.
        Self { raw: score.raw + 0.0, at: txn.at, source: *source, offered, account: txn.account }
    }
}

impl Ord for Standing {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = |one: &Self| (one.at, one.source, one.offered);
        other.raw.total_cmp(&self.raw).then_with(|| order(self).cmp(&order(other)))
    }
}

impl PartialOrd for Standing {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Standing {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Standing {}

impl DailyBudget {
    /// A policy that holds nothing yet.
    pub fn new(budget: Budget) -> Self {
        Self {
            budget: budget.per_day() as usize,
            at_least: Severity::Low,
            lateness: 0,
            clock: None,
            first: Day(i64::MIN),
            open: Vec::new(),
            offered: 0,
        }
    }

    /// The same for decisions of this severity or a graver one alone; by default of every severity.
    #[must_use]
    pub fn at_least(mut self, severity: Severity) -> Self {
        self.at_least = severity;
        self
    }

    /// Where the day of `at` stands among the open ones, or where it would stand.
    fn place(&self, at: Timestamp) -> Result<usize, usize> {
        let day = Day::of(at).max(self.first);
        match self.open.last() {
            Some(last) if last.day == day => Ok(self.open.len() - 1),
            Some(last) if last.day > day => self.open.binary_search_by_key(&day, |open| open.day),
            _ => Err(self.open.len()),
        }
    }

    /// Closes the days before `first`.
    fn close_before(&mut self, first: Day) -> Vec<Alert> {
        self.first = self.first.max(first);
        let over = self.open.partition_point(|open| open.day < self.first);
        self.open.drain(..over).flat_map(OpenDay::close).collect()
    }
}

impl OpenDay {
    fn new(day: Day) -> Self {
        Self { day, held: BTreeMap::new(), best: HashMap::new(), bar: None }
    }

    fn push(&mut self, decision: Decision, offered: u64, budget: usize) {
        let standing = Standing::new(&decision, offered);
        if self.bar.is_some_and(|bar| standing >= bar) {
            return;
        }
        match self.best.get_mut(&standing.account) {
            Some(own) if *own <= standing => return,
            Some(own) => {
                self.held.remove(own);
                *own = standing;
            }
            None => {
                self.best.insert(standing.account, standing);
            }
        }
        self.held.insert(standing, decision);
        if self.held.len() > budget
            && let Some((worst, _)) = self.held.pop_last()
        {
            self.best.remove(&worst.account);
        }
        if self.held.len() == budget {
            self.bar = self.held.last_key_value().map(|(worst, _)| *worst);
        }
    }

    /// The winners, best first.
    fn close(self) -> impl Iterator<Item = Alert> {
        (1..).zip(self.held.into_values()).map(move |(rank, decision)| Alert::new(self.day, rank, decision))
    }
}

impl Policy for DailyBudget {
    fn admits(&self, at: Timestamp, score: Score, severity: Severity) -> bool {
        if severity < self.at_least {
            // What cannot be ranked is an error, and is not to be skipped.
            return !score.is_sound();
        }
        match self.place(at) {
            Ok(open) => !self.open[open].bar.is_some_and(|bar| score.raw < bar.raw) || !score.is_sound(),
            Err(_) => true,
        }
    }

    fn offer(&mut self, decision: Decision) -> Result<Vec<Alert>, PolicyError> {
        check(&decision)?;
        let closed = self.tick(decision.txn.at);
        if decision.severity < self.at_least {
            return Ok(closed);
        }
        let open = match self.place(decision.txn.at) {
            Ok(open) => open,
            Err(open) => {
                self.open.insert(open, OpenDay::new(Day::of(decision.txn.at).max(self.first)));
                open
            }
        };
        self.offered += 1;
        self.open[open].push(decision, self.offered, self.budget);
        Ok(closed)
    }

    fn tick(&mut self, now: Timestamp) -> Vec<Alert> {
        if self.clock.is_some_and(|clock| now <= clock) {
            return Vec::new();
        }
        self.clock = Some(now);
        let first = Day::of(Timestamp(now.0.saturating_sub(self.lateness)));
        if first <= self.first { Vec::new() } else { self.close_before(first) }
    }

    fn finish(&mut self) -> Vec<Alert> {
        match self.clock {
            Some(clock) => self.close_before(Day::of(clock).next()),
            None => Vec::new(),
        }
    }

    fn visit_held(&mut self, visit: &mut dyn FnMut(&mut Decision)) {
        self.open.iter_mut().flat_map(|open| open.held.values_mut()).for_each(visit);
    }

    fn allow_late(&mut self, lateness: Window) {
        self.lateness = lateness.0;
    }

    fn save(&self) -> Vec<u8> {
        let day = |open: &OpenDay| {
            let held = open.held.iter().map(|(standing, decision)| (standing.offered, KeptDecision::of(decision)));
            (open.day.0, held.collect())
        };
        let kept = Kept {
            clock: self.clock.map(|at| at.0),
            first: self.first.0,
            offered: self.offered,
            open: self.open.iter().map(day).collect(),
        };
        // Writing plain data to memory has nothing to fail on.
        postcard::to_allocvec(&kept).unwrap_or_default()
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), PolicyError> {
        const POLICY: &str = "daily budget";
        let kept: Kept = postcard::from_bytes(bytes).map_err(|error| unreadable(POLICY, error))?;
        let mut open = Vec::with_capacity(kept.open.len());
        for (day, held) in kept.open {
            let mut fresh = OpenDay::new(Day(day));
            for (offered, decision) in held {
                let decision = decision.revive().ok_or_else(|| unreadable(POLICY, "a decision makes no sense"))?;
                check(&decision)?;
                fresh.push(decision, offered, self.budget);
            }
            open.push(fresh);
        }
        if !open.is_sorted_by(|a, b| a.day < b.day) {
            return Err(unreadable(POLICY, "its days are out of order"));
        }
        (self.clock, self.first) = (kept.clock.map(Timestamp), Day(kept.first));
        (self.offered, self.open) = (kept.offered, open);
        Ok(())
    }
}

/// A saved budget: for each open day its decisions, best first, each with its number among all.
#[derive(Serialize, Deserialize)]
struct Kept {
    clock: Option<i64>,
    first: i64,
    offered: u64,
    open: Vec<(i64, Vec<(u64, KeptDecision)>)>,
}
