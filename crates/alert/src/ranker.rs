use std::cmp::Ordering;
use std::collections::BTreeMap;

use crible_core::{EntityId, Timestamp, Transaction, TxnId};
use hashbrown::HashMap;

use crate::{Alert, AlertId, Budget, ModelId, Purpose, Reason, Score};

/// The strangest transactions of each UTC day, exactly, in one pass.
///
/// Transactions come day after day, in any order within a day. Of every account the highest-scored transaction of the
/// day counts (the earliest of equals), and of the accounts the highest `budget`. The outcome is that of sorting the
/// whole day by score, then time, then reference; what is kept at any time is the budget and no more.
///
/// A transaction that cannot win costs a comparison: the day's bar only rises, so what is below it now stays below.
/// One that does costs a search among the kept, O(log budget).
///
/// ```
/// use crible_alert::{Budget, Ranker, Score};
/// use crible_core::{Amount, Currency, EntityId, Timestamp, Transaction, TxnId};
///
/// let mut ranker = Ranker::new("1/day".parse::<Budget>()?);
/// for (id, raw) in [(1, 0.2), (2, 0.9), (3, 0.4)] {
///     let account = EntityId::new(id).ok_or("zero is no entity")?;
///     let amount = Amount::parse("-10.00", Currency::USD)?;
///     let txn = Transaction::new(TxnId(id.into()), Timestamp::from_seconds(60), account, amount);
///     ranker.offer(&txn, Score { raw, tail: 1.0 - raw }, || "what the winner needs")?;
/// }
/// let day = ranker.finish();
/// assert_eq!((day.len(), day[0].rank, day[0].txn.id), (1, 1, TxnId(2)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Ranker<P> {
    budget: usize,
    open: Option<Day>,
    /// Best first.
    kept: BTreeMap<Standing, Held<P>>,
    best: HashMap<EntityId, Standing>,
    /// The worst of the kept, once the budget is full.
    bar: Option<Standing>,
}

/// A winner of its day.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked<P> {
    /// Place in its UTC day, from 1.
    pub rank: u32,
    /// The transaction.
    pub txn: Transaction,
    /// How strange it is.
    pub score: Score,
    /// What the caller wanted kept.
    pub payload: P,
}

impl<P> Ranked<P> {
    /// The alert to review it.
    pub fn alert(&self, reasons: Vec<Reason>, model: ModelId) -> Alert {
        Alert {
            id: AlertId::of(self.txn.id, Purpose::Review),
            txn: self.txn.id,
            account: self.txn.account,
            counterparty: self.txn.counterparty,
            at: self.txn.at,
            amount: self.txn.amount,
            score: self.score,
            severity: self.score.severity(),
            rank: self.rank,
            reasons,
            model,
        }
    }
}

/// Why a transaction cannot be ranked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RankError {
    /// Its day is closed already.
    #[error("transaction {id} at {at} comes too late: its day is closed, expected one at or after {open}")]
    Late {
        /// The transaction.
        id: TxnId,
        /// Its time.
        at: Timestamp,
        /// Start of the earliest day still open.
        open: Timestamp,
    },
    /// Its score is no number to rank by.
    #[error(
        "transaction {id} scores {raw} with tail probability {tail}: expected a finite score and a probability from 0 to 1"
    )]
    BadScore {
        /// The transaction.
        id: TxnId,
        /// The score.
        raw: f64,
        /// The tail probability.
        tail: f64,
    },
}

/// A UTC day by its first and last microsecond; a half-open range could not hold the end of time.
#[derive(Clone, Copy, Debug)]
struct Day {
    first: Timestamp,
    last: Timestamp,
}

impl Day {
    fn of(at: Timestamp) -> Self {
        let first = at.day().saturating_mul(Timestamp::DAY);
        Self { first: Timestamp(first), last: Timestamp(first.saturating_add(Timestamp::DAY - 1)) }
    }
}

#[derive(Debug)]
struct Held<P> {
    txn: Transaction,
    score: Score,
    payload: P,
}

/// What decides between two transactions of a day: the better one is the lesser.
#[derive(Clone, Copy, Debug)]
struct Standing {
    raw: f64,
    at: Timestamp,
    id: TxnId,
    account: EntityId,
}

impl Standing {
    fn new(txn: &Transaction, score: Score) -> Self {
        // Adding zero makes zero of minus zero, which total_cmp would otherwise tell apart.
        Self { raw: score.raw + 0.0, at: txn.at, id: txn.id, account: txn.account }
    }
}

impl Ord for Standing {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.raw.total_cmp(&self.raw))
            .then_with(|| (self.at, self.id, self.account).cmp(&(other.at, other.id, other.account)))
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

impl<P> Ranker<P> {
    /// A ranker that has seen nothing.
    pub fn new(budget: Budget) -> Self {
        Self { budget: budget.per_day() as usize, open: None, kept: BTreeMap::new(), best: HashMap::new(), bar: None }
    }

    /// Whether offering this could change anything: where it is `false`, the offer may be left out. It is `true` for
    /// what [`Ranker::offer`] would refuse, so that errors are not lost, and may be `true` for what will not win.
    pub fn admits(&self, txn: &Transaction, score: Score) -> bool {
        match (&self.open, &self.bar) {
            (Some(day), Some(bar)) if txn.at >= day.first && txn.at <= day.last => {
                score.raw.is_nan() || score.raw == f64::INFINITY || Standing::new(txn, score) < *bar
            }
            _ => true,
        }
    }

    /// [`Ranker::admits`] for a caller who has no transaction at hand yet: `false` only where a score of `raw` at `at` lies
    /// below the bar of the day that is open, whatever the transaction is.
    pub fn may_admit(&self, at: Timestamp, raw: f64) -> bool {
        match (&self.open, &self.bar) {
            (Some(day), Some(bar)) if at >= day.first && at <= day.last => raw.is_nan() || raw >= bar.raw,
            _ => true,
        }
    }

    /// Takes a transaction into account. Where it is the first of a later UTC day, returns the winners of the day
    /// before, best first; otherwise nothing. `payload` is called only where the transaction is among the best so far.
    ///
    /// # Errors
    /// [`RankError::Late`] for a transaction of an earlier day, [`RankError::BadScore`] for a score that is not finite
    /// or a tail probability outside of 0 to 1. The ranker then stands as before.
    pub fn offer(
        &mut self,
        txn: &Transaction,
        score: Score,
        payload: impl FnOnce() -> P,
    ) -> Result<Vec<Ranked<P>>, RankError> {
        if !(score.raw.is_finite() && (0.0..=1.0).contains(&score.tail)) {
            return Err(RankError::BadScore { id: txn.id, raw: score.raw, tail: score.tail });
        }
        let closed = match self.open {
            Some(day) if txn.at < day.first => {
                return Err(RankError::Late { id: txn.id, at: txn.at, open: day.first });
            }
            Some(day) if txn.at <= day.last => Vec::new(),
            _ => self.turn_to(txn.at),
        };
        let standing = Standing::new(txn, score);
        if self.bar.is_some_and(|bar| standing >= bar) {
            return Ok(closed);
        }
        match self.best.get_mut(&txn.account) {
            Some(own) if *own <= standing => return Ok(closed),
            Some(own) => {
                self.kept.remove(own);
                *own = standing;
            }
            None => {
                self.best.insert(txn.account, standing);
            }
        }
        self.kept.insert(standing, Held { txn: *txn, score, payload: payload() });
        if self.kept.len() > self.budget
            && let Some((worst, _)) = self.kept.pop_last()
        {
            self.best.remove(&worst.account);
        }
        if self.kept.len() == self.budget {
            self.bar = self.kept.last_key_value().map(|(worst, _)| *worst);
        }
        Ok(closed)
    }

    /// Closes all days before the one of `now` and returns the winners, best first: for a clock that says that a day
    /// is over before a transaction does. A `now` of the open day or earlier changes nothing.
    pub fn advance(&mut self, now: Timestamp) -> Vec<Ranked<P>> {
        match self.open {
            Some(day) if now <= day.last => Vec::new(),
            _ => self.turn_to(now),
        }
    }

    /// Closes the last day and returns its winners, best first.
    pub fn finish(mut self) -> Vec<Ranked<P>> {
        self.close()
    }

    fn turn_to(&mut self, at: Timestamp) -> Vec<Ranked<P>> {
        self.open = Some(Day::of(at));
        self.close()
    }

    fn close(&mut self) -> Vec<Ranked<P>> {
        self.best.clear();
        self.bar = None;
        let kept = std::mem::take(&mut self.kept);
        (1..)
            .zip(kept.into_values())
            .map(|(rank, Held { txn, score, payload })| Ranked { rank, txn, score, payload })
            .collect()
    }
}
