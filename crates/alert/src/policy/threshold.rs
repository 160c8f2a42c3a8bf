use crible_core::{EntityId, Timestamp, Window};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::kept::unreadable;
use super::{Policy, PolicyError, check};
use crate::{Alert, Day, Decision, Score, Severity};

/// An alert at once for every decision of a severity or a graver one.
///
/// An account is raised once a UTC day, since somebody who looks at it sees its other payments anyway, and once more
/// for each graver severity. Ranks count alerts within their day, in the order in which they were raised.
///
/// ```
/// use crible_alert::{Decision, ModelId, Policy, Score, Severity, Threshold};
/// use crible_core::{Amount, Currency, EntityId, Timestamp, Transaction, TxnId};
///
/// let mut policy = Threshold::new(Severity::High);
/// let account = EntityId::new(41).ok_or("zero is no entity")?;
/// let txn = Transaction::new(TxnId(7), Timestamp::from_seconds(60), account, Amount::parse("-10.00", Currency::USD)?);
/// let decision = |severity| Decision::new(&txn, Score { raw: 6.0, tail: 1e-4 }, severity, &[], ModelId(1));
/// assert!(policy.offer(decision(Severity::Medium))?.is_empty());
/// assert_eq!(policy.offer(decision(Severity::High))?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Threshold {
    at_least: Severity,
    lateness: i64,
    clock: Option<Timestamp>,
    /// The first day that is not closed.
    first: Day,
    /// Days that something was raised on, in order.
    open: Vec<OpenDay>,
}

#[derive(Clone, Debug)]
struct OpenDay {
    day: Day,
    raised: u32,
    accounts: HashMap<EntityId, Severity>,
}

impl Threshold {
    /// A policy that has raised nothing yet.
    pub fn new(at_least: Severity) -> Self {
        Self { at_least, lateness: 0, clock: None, first: Day(i64::MIN), open: Vec::new() }
    }
}

impl Policy for Threshold {
    fn admits(&self, _: Timestamp, score: Score, severity: Severity) -> bool {
        severity >= self.at_least || !score.is_sound()
    }

    fn offer(&mut self, decision: Decision) -> Result<Vec<Alert>, PolicyError> {
        check(&decision)?;
        self.tick(decision.txn.at);
        self.offer_ahead(decision)
    }

    fn offer_ahead(&mut self, decision: Decision) -> Result<Vec<Alert>, PolicyError> {
        check(&decision)?;
        if decision.severity < self.at_least {
            return Ok(Vec::new());
        }
        let day = Day::of(decision.txn.at).max(self.first);
        let place = self.open.binary_search_by_key(&day, |open| open.day).unwrap_or_else(|place| {
            self.open.insert(place, OpenDay { day, raised: 0, accounts: HashMap::new() });
            place
        });
        let open = &mut self.open[place];
        let before = open.accounts.insert(decision.txn.account, decision.severity);
        if let Some(before) = before.filter(|before| *before >= decision.severity) {
            open.accounts.insert(decision.txn.account, before);
            return Ok(Vec::new());
        }
        open.raised += 1;
        Ok(vec![Alert::new(day, open.raised, decision)])
    }

    /// Forgets the days that nothing can be late for any more; there is never anything left to raise.
    fn tick(&mut self, now: Timestamp) -> Vec<Alert> {
        if self.clock.is_none_or(|clock| now > clock) {
            self.clock = Some(now);
            self.first = self.first.max(Day::of(Timestamp(now.0.saturating_sub(self.lateness))));
            self.open.retain(|open| open.day >= self.first);
        }
        Vec::new()
    }

    fn finish(&mut self) -> Vec<Alert> {
        if let Some(clock) = self.clock {
            self.first = self.first.max(Day::of(clock).next());
            self.open.retain(|open| open.day >= self.first);
        }
        Vec::new()
    }

    fn visit_held(&mut self, _: &mut dyn FnMut(&mut Decision)) {}

    fn allow_late(&mut self, lateness: Window) {
        self.lateness = lateness.0;
    }

    fn save(&self) -> Vec<u8> {
        let day = |open: &OpenDay| {
            let mut accounts: Vec<_> = open.accounts.iter().map(|(account, of)| (account.get(), *of)).collect();
            accounts.sort_unstable_by_key(|(account, _)| *account);
            (open.day.0, open.raised, accounts)
        };
        let open = self.open.iter().map(day).collect();
        let kept = Kept { clock: self.clock.map(|at| at.0), first: self.first.0, open };
        // Writing plain data to memory has nothing to fail on.
        postcard::to_allocvec(&kept).unwrap_or_default()
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), PolicyError> {
        const POLICY: &str = "threshold";
        let kept: Kept = postcard::from_bytes(bytes).map_err(|error| unreadable(POLICY, error))?;
        let mut open = Vec::with_capacity(kept.open.len());
        for (day, raised, accounts) in kept.open {
            let account = |(account, of)| EntityId::new(account).map(|account| (account, of));
            let accounts = accounts.into_iter().map(account).collect::<Option<_>>();
            let accounts = accounts.ok_or_else(|| unreadable(POLICY, "an account makes no sense"))?;
            open.push(OpenDay { day: Day(day), raised, accounts });
        }
        if !open.is_sorted_by(|a: &OpenDay, b| a.day < b.day) {
            return Err(unreadable(POLICY, "its days are out of order"));
        }
        (self.clock, self.first, self.open) = (kept.clock.map(Timestamp), Day(kept.first), open);
        Ok(())
    }
}

/// A saved threshold: for each open day the alerts so far, and the gravest severity of each account raised.
#[derive(Serialize, Deserialize)]
struct Kept {
    clock: Option<i64>,
    first: i64,
    open: Vec<(i64, u32, Raised)>,
}

/// Accounts, each with the gravest severity that was raised.
type Raised = Vec<(u64, Severity)>;
