use std::cmp::Ordering;
use std::collections::BTreeMap;

use crible_core::{Amount, Currency, EntityId, Source, Timestamp, TxnId, Window};
use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::kept::{KeptDecision, unreadable};
use super::{Policy, PolicyError, check};
use crate::{Alert, Budget, Day, Decision, Payment, Score, Severity};

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
/// **Stories.** An alert lists the account's other payments of the day that are above the bar and belong to it: a spree
/// of ten purchases is one alert. A payment belongs to it that is strange for what it is itself ([`Decision::is_own`]),
/// or that goes where one of these goes. One that is only strange for what the account did around it, such as the
/// groceries after the spree, does not. With [`DailyBudget::stories`] it also stands for what the account does in the
/// days after, as long as that is no graver.
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
    /// How long after its last alert an account's story goes on, in microseconds; 0 where every day is its own.
    gap: i64,
    /// Of accounts that an alert was raised on, the gravest severity and the latest time, as long as the story goes on.
    going: BTreeMap<EntityId, (Severity, i64)>,
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
    /// Payments of accounts held that were above the bar when they came.
    payments: HashMap<EntityId, Vec<Offered>>,
    /// The worst of those held, once the budget is full.
    bar: Option<Standing>,
}

/// A payment that was offered, for the list of a story.
#[derive(Clone, Copy, Debug)]
struct Offered {
    standing: Standing,
    payment: Payment,
    /// Where it goes, and whether it is strange for what it is itself.
    counterparty: Option<EntityId>,
    is_own: bool,
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
            gap: 0,
            going: BTreeMap::new(),
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

    /// The same with one alert a story: within `gap` of an account's last alert or of what would have been one, it
    /// takes a graver severity to raise another.
    #[must_use]
    pub fn stories(mut self, gap: Window) -> Self {
        self.gap = gap.0;
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
        let closed: Vec<OpenDay> = self.open.drain(..over).collect();
        closed.into_iter().flat_map(|open| self.close(open)).collect()
    }

    /// The winners of a day that begin a story or make one graver, best first.
    fn close(&mut self, open: OpenDay) -> Vec<Alert> {
        let OpenDay { day, held, mut payments, bar, .. } = open;
        let gap = self.gap;
        self.going.retain(|_, (_, last)| last.saturating_add(gap) >= day.0.saturating_mul(Timestamp::DAY));
        let mut alerts = Vec::new();
        for decision in held.into_values() {
            let (account, severity, at) = (decision.txn.account, decision.severity, decision.txn.at.0);
            let mut own = payments.remove(&account).unwrap_or_default();
            // Whatever order they came in, these are the ones that were let in.
            own.retain(|offered| bar.is_none_or(|bar| offered.standing <= bar));
            keep_story(&mut own, &decision);
            own.sort_by_key(|offered| (offered.payment.at, offered.payment.source, offered.standing.offered));
            let last = own.iter().map(|offered| offered.payment.at.0).max().unwrap_or(at).max(at);
            if gap > 0 {
                let before = self.going.insert(account, (severity, last));
                if let Some((raised, latest)) = before.filter(|(_, latest)| at <= latest.saturating_add(gap)) {
                    self.going.insert(account, (raised.max(severity), last.max(latest)));
                    if severity <= raised {
                        continue;
                    }
                }
            }
            let rank = alerts.len() as u32 + 1;
            let mut alert = Alert::new(day, rank, decision);
            if own.len() > 1 {
                alert.payments = own.into_iter().map(|offered| offered.payment).collect();
            }
            alerts.push(alert);
        }
        alerts
    }
}

/// Keeps the payments that belong to the story of the one that is decided about.
fn keep_story(payments: &mut Vec<Offered>, decision: &Decision) {
    let lead = decision.txn.id;
    let to: HashSet<EntityId> = payments
        .iter()
        .filter(|offered| offered.is_own || offered.payment.id == lead)
        .filter_map(|offered| offered.counterparty)
        .collect();
    let goes_there = |offered: &Offered| offered.counterparty.is_some_and(|party| to.contains(&party));
    payments.retain(|offered| offered.is_own || offered.payment.id == lead || goes_there(offered));
}

impl OpenDay {
    fn new(day: Day) -> Self {
        Self { day, held: BTreeMap::new(), best: HashMap::new(), payments: HashMap::new(), bar: None }
    }

    /// Payments by account, in an order that does not depend on hashes.
    fn by_account(&self) -> impl Iterator<Item = (u64, &Vec<Offered>)> {
        let mut all: Vec<(u64, &Vec<Offered>)> =
            self.payments.iter().map(|(account, offered)| (account.get(), offered)).collect();
        all.sort_unstable_by_key(|(account, _)| *account);
        all.into_iter()
    }

    fn push(&mut self, decision: Decision, offered: u64, budget: usize) {
        let standing = Standing::new(&decision, offered);
        if self.bar.is_some_and(|bar| standing >= bar) {
            return;
        }
        let payment = Payment::of(&decision);
        let (counterparty, is_own) = (decision.txn.counterparty, decision.is_own);
        let offered = Offered { standing, payment, counterparty, is_own };
        self.payments.entry(standing.account).or_default().push(offered);
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
            self.payments.remove(&worst.account);
        }
        if self.held.len() == budget {
            self.bar = self.held.last_key_value().map(|(worst, _)| *worst);
        }
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
        self.offer_ahead(decision)?;
        Ok(closed)
    }

    fn offer_ahead(&mut self, decision: Decision) -> Result<Vec<Alert>, PolicyError> {
        check(&decision)?;
        if decision.severity < self.at_least {
            return Ok(Vec::new());
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
        Ok(Vec::new())
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
            let payments =
                open.by_account().map(|(account, offered)| (account, offered.iter().map(KeptOffered::of).collect()));
            KeptDay { day: open.day.0, held: held.collect(), payments: payments.collect() }
        };
        let kept = Kept {
            clock: self.clock.map(|at| at.0),
            first: self.first.0,
            offered: self.offered,
            open: self.open.iter().map(day).collect(),
            going: self.going.iter().map(|(account, (of, last))| (account.get(), *of, *last)).collect(),
        };
        // In the order of what is kept above.
        let about = KeptAbout {
            held: self.open.iter().flat_map(|open| open.held.values().map(|decision| decision.is_own)).collect(),
            payments: self
                .open
                .iter()
                .flat_map(OpenDay::by_account)
                .flat_map(|(_, offered)| offered)
                .map(about)
                .collect(),
        };
        // Writing plain data to memory has nothing to fail on.
        postcard::to_allocvec(&(WITH_ABOUT, kept, about)).unwrap_or_default()
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), PolicyError> {
        const POLICY: &str = "daily budget";
        let (kept, about): (Kept, Option<KeptAbout>) = match bytes.split_first() {
            Some((&WITH_ABOUT, bytes)) => postcard::from_bytes(bytes).map(|(kept, about)| (kept, Some(about))),
            _ => postcard::from_bytes(bytes).map(|kept| (kept, None)),
        }
        .map_err(|error| unreadable(POLICY, error))?;
        let n_held = kept.open.iter().map(|day| day.held.len()).sum::<usize>();
        let n_payments =
            kept.open.iter().flat_map(|day| &day.payments).map(|(_, offered)| offered.len()).sum::<usize>();
        if about.as_ref().is_some_and(|about| (about.held.len(), about.payments.len()) != (n_held, n_payments)) {
            return Err(unreadable(POLICY, "its payments do not match"));
        }
        let (held_own, payments_about) = about.map(|about| (about.held, about.payments)).unzip();
        let mut held_own = held_own.into_iter().flatten();
        let mut payments_about = payments_about.into_iter().flatten();
        let mut open = Vec::with_capacity(kept.open.len());
        let account = |bits| EntityId::new(bits).ok_or_else(|| unreadable(POLICY, "an account makes no sense"));
        for KeptDay { day, held, payments } in kept.open {
            let mut fresh = OpenDay::new(Day(day));
            for (offered, decision) in held {
                let decision = decision.revive().ok_or_else(|| unreadable(POLICY, "a decision makes no sense"))?;
                check(&decision)?;
                let is_own = held_own.next().unwrap_or(true);
                fresh.push(Decision { is_own, ..decision }, offered, self.budget);
            }
            fresh.payments.clear();
            for (of, offered) in payments {
                let of = account(of)?;
                let mut revive = |offered: KeptOffered| {
                    let (counterparty, is_own) = payments_about.next().unwrap_or((None, true));
                    let counterparty = counterparty.map_or(Some(None), |bits| EntityId::new(bits).map(Some))?;
                    offered.revive(of, counterparty, is_own)
                };
                let revived: Option<Vec<Offered>> = offered.into_iter().map(&mut revive).collect();
                let revived = revived.ok_or_else(|| unreadable(POLICY, "a payment makes no sense"))?;
                fresh.payments.insert(of, revived);
            }
            open.push(fresh);
        }
        let going = kept.going.into_iter().map(|(of, severity, last)| Ok((account(of)?, (severity, last))));
        let going = going.collect::<Result<_, PolicyError>>()?;
        if !open.is_sorted_by(|a, b| a.day < b.day) {
            return Err(unreadable(POLICY, "its days are out of order"));
        }
        (self.clock, self.first) = (kept.clock.map(Timestamp), Day(kept.first));
        (self.offered, self.open, self.going) = (kept.offered, open, going);
        Ok(())
    }
}

/// A saved budget. `going` has the accounts whose stories go on.
#[derive(Serialize, Deserialize)]
struct Kept {
    clock: Option<i64>,
    first: i64,
    offered: u64,
    open: Vec<KeptDay>,
    going: Vec<(u64, Severity, i64)>,
}

/// What saved budgets begin with that have a [`KeptAbout`]. Those from before there was one begin with whether there is
/// a clock: 0 or 1.
const WITH_ABOUT: u8 = 2;

/// What was not kept at first, of all decisions held and all payments in the order of [`Kept`]: whether they are
/// strange for what they are themselves, and where payments go.
#[derive(Serialize, Deserialize)]
struct KeptAbout {
    held: Vec<bool>,
    payments: Vec<(Option<u64>, bool)>,
}

fn about(offered: &Offered) -> (Option<u64>, bool) {
    (offered.counterparty.map(EntityId::get), offered.is_own)
}

/// An open day: its decisions, best first, each with its number among all, and the payments that were above the bar.
#[derive(Serialize, Deserialize)]
struct KeptDay {
    day: i64,
    held: Vec<(u64, KeptDecision)>,
    payments: Vec<(u64, Vec<KeptOffered>)>,
}

#[derive(Serialize, Deserialize)]
struct KeptOffered {
    raw: f64,
    id: u128,
    at: i64,
    minor: i64,
    currency: String,
    source: Option<(u32, u64)>,
    offered: u64,
}

impl KeptOffered {
    fn of(offered: &Offered) -> Self {
        let Offered { standing: Standing { raw, offered, .. }, payment: Payment { id, at, amount, source }, .. } =
            *offered;
        let (currency, source) = (amount.currency.to_string(), source.map(|source| (source.file, source.row)));
        Self { raw, id: id.0, at: at.0, minor: amount.minor, currency, source, offered }
    }

    fn revive(self, account: EntityId, counterparty: Option<EntityId>, is_own: bool) -> Option<Offered> {
        let amount = Amount::new(self.minor, Currency::new(self.currency.as_bytes())?);
        let source = self.source.map(|(file, row)| Source { file, row });
        let (at, offered) = (Timestamp(self.at), self.offered);
        let standing = Standing { raw: self.raw, at, source, offered, account };
        let payment = Payment { id: TxnId(self.id), at, amount, source };
        Some(Offered { standing, payment, counterparty, is_own })
    }
}
