//! What usually happens at a counterparty, from everyone's payments there.

use crible_core::{Column, EntityId, Has, Scale, Tail, Topic, Transaction, Unit, Window};

use crate::kind::{kind, per_unit};
use crate::math::{CountLogs, ln, ln1p};
use crate::owner::Owner;
use crate::peers::{Peers, UsualAmount};
use crate::rule::{Columns, Reach, Row, Rule};
use crate::state::{KeptEvents, KeptEventsV1};
use crate::window::{Events, Sums, magnitude, shrunk_log_ratio};
use crate::windows::span;

/// Places of the windows, named after their default lengths.
const DAY: usize = 0;
const MONTH: usize = 2;

/// Whom or what accounts may have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Counterparty,
    Device,
    Address,
}

impl Party {
    fn name(self) -> &'static str {
        match self {
            Self::Counterparty => "counterparty",
            Self::Device => "device",
            Self::Address => "address",
        }
    }

    fn owner(self) -> Owner {
        match self {
            Self::Counterparty => Owner::Counterparty,
            Self::Device => Owner::Device,
            Self::Address => Owner::Address,
        }
    }

    fn of(self, txn: &Transaction) -> Option<EntityId> {
        match self {
            Self::Counterparty => txn.counterparty,
            Self::Device => txn.device,
            Self::Address => txn.address,
        }
    }

    /// Whether a feed that has this names them.
    pub(crate) fn is_in(self, has: Has) -> bool {
        match self {
            Self::Counterparty => has.counterparty,
            Self::Device => has.device,
            Self::Address => has.address,
        }
    }
}

/// Traffic, customers and usual amounts of one merchant, terminal or payee; who pays from one device or network
/// address.
///
/// Each item names the columns, what they hold, and the fraud they show.
///
/// - `counterparty_count_{1d,7d,90d}`: payments there before this one. *Shows:* a place hardly anybody pays at.
/// - `counterparty_accounts_{1d,7d,90d}`: different accounts among them. *Shows:* fan-in to a mule.
/// - `counterparty_mean_{1d,7d,90d}`: their mean, shown beside the next item.
/// - `amount_to_counterparty_mean_90d`: this payment against it, held back while it is young. *Shows:* out of line for
///   the place.
/// - `{device,address}_accounts_{1d,7d,90d}`: different accounts that paid from there before this one. *Shows:* one
///   hand behind many accounts.
/// - `amount_to_usual_at_counterparty_90d`: how many deviations of its logarithm the amount is above the middle of 90
///   days, peers counting for three payments. *Shows:* out of line for the place.
/// - `counterparty_new_to_feed`: ln of the days the feed has been watched over those since the first payment there, one
///   added to each and 90 at most. *Shows:* somebody nobody knows.
/// - `counterparty_count_1d_to_usual`: the last day against the daily mean of 90 days. *Shows:* a sudden run.
///
/// A payment without a counterparty reads zeros and leaves no trace.
#[derive(Clone, Debug)]
pub(crate) struct CounterpartyBehaviour {
    party: Party,
    windows: [Window; 3],
    peers: Peers,
    logs: CountLogs,
}

/// What a counterparty needs of a payment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Visit {
    at: i64,
    minor: i64,
    account: u64,
    per_unit: f32,
    /// Currency and direction.
    kind: u32,
}

impl Rule for CounterpartyBehaviour {
    type Key = (u64, u32);
    type Input = Visit;
    type State = Events<3, 0, 3, false>;
    type Reading<'a> = Reading<'a>;
    type Kept = KeptEvents;
    type V1 = KeptEventsV1;
    type V2 = KeptEvents;

    const FORGETS: bool = false;

    fn owner(&self) -> Owner {
        self.party.owner()
    }

    fn owner_of((party, _): Self::Key) -> u64 {
        party
    }

    fn sort_key((counterparty, kind): Self::Key) -> [u64; 3] {
        [counterparty, u64::from(kind), 0]
    }

    fn columns(&self) -> Columns<Self> {
        match self.party {
            Party::Counterparty => columns(&self.windows),
            Party::Device | Party::Address => shared_columns(self.party.name(), &self.windows),
        }
    }

    fn input(&self, txn: &Transaction) -> Option<(Self::Key, Visit)> {
        let visit = Visit {
            at: txn.at.0,
            minor: magnitude(txn.amount.minor),
            account: txn.account.get(),
            per_unit: per_unit(txn),
            kind: kind(txn),
        };
        Some(((self.party.of(txn)?.get(), kind(txn)), visit))
    }

    fn name(&self) -> &'static str {
        self.party.name()
    }

    fn at(visit: &Visit) -> i64 {
        visit.at
    }

    fn step(&self, events: &mut Self::State, visit: &Visit, reach: &Reach, row: Option<Row<'_, Self>>) {
        events.expire(visit.at, &self.windows, reach.lateness, |_, _| {});
        if let Some(row) = row {
            let first_at = events.first().map(|event| event.at);
            row.fill(&Reading { rule: self, sums: events.sums(), visit, first_at });
        }
        let (account, _) = events.meet(visit.account);
        events.push(visit.at, visit.minor, account, 0, reach.lateness);
    }

    fn known_before(&self, events: &Self::State) -> u32 {
        events.sums()[MONTH].count.saturating_sub(1)
    }

    fn last_at(&self, events: &Self::State) -> Option<i64> {
        events.iter().next_back().map(|event| event.at)
    }

    fn first_at(&self, events: &Self::State) -> Option<i64> {
        events.iter().next().map(|event| event.at)
    }

    fn rewind(&self, events: &mut Self::State, late: &Visit) -> Vec<Visit> {
        let visit = |(at, minor, account, _)| Visit { at, minor, account, ..Visit::default() };
        events.rewind(late.at, &self.windows, 0, |_, _, _| {}).into_iter().map(visit).collect()
    }

    fn trim(&self, events: &mut Self::State, now: i64, _: &Reach) {
        events.trim(now, &self.windows, |_, _| {});
    }

    fn is_over(&self, events: &Self::State, now: i64, _: &Reach) -> bool {
        self.last_at(events).is_none_or(|last| last <= now.saturating_sub(self.windows[MONTH].0))
    }

    fn span(&self, _: &Reach) -> i64 {
        self.windows[MONTH].0
    }

    fn heap_bytes(&self, events: &Self::State) -> usize {
        events.bytes()
    }

    fn needed_bytes(&self, events: &Self::State) -> usize {
        events.needed()
    }

    fn keep(&self, events: &Self::State, now: i64, _: &Reach) -> KeptEvents {
        KeptEvents::of(events, now.saturating_sub(self.windows[MONTH].0))
    }

    fn upgrade_v1(&self, old: KeptEventsV1) -> Option<KeptEvents> {
        old.marked(|_| 0)
    }

    fn upgrade_v2(&self, old: KeptEvents, _: i64) -> Option<KeptEvents> {
        Some(old)
    }

    fn revive(&self, kept: KeptEvents, watermark: i64, reach: &Reach) -> Option<Self::State> {
        kept.revive(watermark, reach.lateness)
    }

    fn join(&self, mut a: Vec<KeptEvents>, mut b: Vec<KeptEvents>, _: &Reach) -> Option<Vec<KeptEvents>> {
        Some(vec![a.pop()?.join(b.pop()?)?])
    }
}

impl CounterpartyBehaviour {
    pub(crate) fn new(party: Party, windows: [Window; 3], peers: Peers) -> Self {
        Self { party, windows, peers, logs: CountLogs::new() }
    }
}

/// What a counterparty's columns are computed from.
pub(crate) struct Reading<'a> {
    rule: &'a CounterpartyBehaviour,
    sums: &'a [Sums; 3],
    visit: &'a Visit,
    /// When the first payment of the longest window was.
    first_at: Option<i64>,
}

impl Reading<'_> {
    fn count_log(&self, count: u32) -> f64 {
        self.rule.logs.ln1p(count)
    }

    /// Payments of the longest window.
    fn count(&self) -> f64 {
        f64::from(self.sums[MONTH].count)
    }

    /// Payments of the last day, this one among them.
    fn today(&self) -> f64 {
        f64::from(self.sums[DAY].count) + 1.0
    }

    /// How many deviations of its logarithm the amount is above the middle here.
    fn to_usual_amount(&self) -> f64 {
        let (month, per_unit) = (&self.sums[MONTH], f64::from(self.visit.per_unit));
        let (mean, deviation) = (month.mean() * per_unit, month.deviation() * per_unit);
        let peers = self.rule.peers.habits_of(self.visit.kind);
        UsualAmount::of(self.count(), mean, deviation, peers).deviations(self.visit.minor as f64 * per_unit)
    }

    /// ln of the days the feed has been watched over those the counterparty has, one added to each, the longest window
    /// at most.
    fn new_to_feed(&self) -> f64 {
        let at = self.visit.at;
        let known = self.first_at.map_or(0, |first| at.saturating_sub(first));
        let longest = self.rule.windows[MONTH].0;
        let days = |micros: i64| micros.min(longest) as f64 / Window::DAY.0 as f64;
        (ln1p(days(self.rule.peers.watched(at))) - ln1p(days(known))).max(0.0)
    }

    /// Payments a day over the longest window, this one among them.
    fn usual(&self) -> f64 {
        let days = self.rule.windows[MONTH].0 as f64 / self.rule.windows[DAY].0 as f64;
        (self.count() + 1.0) / days
    }
}

/// Columns of devices and addresses: how many accounts share one.
fn shared_columns(name: &str, windows: &[Window; 3]) -> Columns<CounterpartyBehaviour> {
    let mut all = Columns::<CounterpartyBehaviour>::new();
    for (w, window) in windows.iter().enumerate() {
        let phrase = "different accounts that paid from this";
        all.add(
            Column::input(
                format!("{name}_accounts_{}", window.tag()),
                Unit::Count,
                Scale::Ln1p,
                Tail::Upper,
                Topic::CounterpartyTraffic,
            )
            .described(format!("{phrase} {name} in the {window} window before: {{value}} (median {{typical}})"))
            .shown_only(),
            move |r| r.count_log(r.sums[w].distinct),
        );
    }
    all
}

fn columns(windows: &[Window; 3]) -> Columns<CounterpartyBehaviour> {
    use Scale::{Linear, Ln, Ln1p};
    let traffic = Topic::CounterpartyTraffic;
    let [day, _, month] = windows.map(Window::tag);
    let [.., usual] = windows;
    let mut all = Columns::<CounterpartyBehaviour>::new();
    for (w, window) in windows.iter().enumerate() {
        let (tail, typical) = (Tail::Lower, "half of all payments go to one with {typical} or more");
        let column = Column::input(format!("counterparty_count_{}", window.tag()), Unit::Count, Ln1p, tail, traffic)
            .described(format!("payments to this counterparty in the {window} window before: {{value}}; {typical}"));
        all.add(if w == MONTH { column.weighing(1.5) } else { column.shown_only() }, move |r| {
            r.count_log(r.sums[w].count)
        });
    }
    for (w, window) in windows.iter().enumerate() {
        all.add(
            Column::input(format!("counterparty_accounts_{}", window.tag()), Unit::Count, Ln1p, Tail::Upper, traffic)
                .described(format!(
                    "different accounts that paid this counterparty in the {window} window before: {{value}} \
                     (median {{typical}})"
                ))
                .shown_only(),
            move |r| r.count_log(r.sums[w].distinct),
        );
    }
    all.add(
        Column::input(
            format!("amount_to_counterparty_mean_{month}"),
            Unit::Money,
            Ln,
            Tail::Upper,
            Topic::AmountForCounterparty,
        )
        .shown_as_amount()
        .against(format!("counterparty_mean_{month}"))
        .described(format!("amount {{value}} is {{times}} times this counterparty's {usual} mean of {{typical}}"))
        .shown_only(),
        |r| shrunk_log_ratio(r.visit.minor as f64, r.sums[MONTH].mean(), r.count()),
    );
    all.add(
        Column::input(format!("counterparty_count_{day}_to_usual"), Unit::Count, Ln, Tail::Upper, traffic)
            .shown_as("counterparty_count_today")
            .against("counterparty_count_usual")
            .described(format!(
                "payments at this counterparty within {}: {{value}}, where {{typical}} are usual for it",
                span(windows[DAY])
            ))
            .shown_only(),
        |r| ln(r.today() / (r.usual() + 1.0)) * (r.count() / (r.count() + 2.0)),
    );
    for (w, window) in windows.iter().enumerate() {
        let name = format!("counterparty_mean_{}", window.tag());
        all.add(Column::context(name, Unit::Money, Linear, Topic::AmountForCounterparty), move |r| {
            r.sums[w].mean() * f64::from(r.visit.per_unit)
        });
    }
    all.add(Column::context("counterparty_count_today", Unit::Count, Linear, traffic), |r| r.today());
    all.add(Column::context("counterparty_count_usual", Unit::Count, Linear, traffic), |r| r.usual());
    all.add(
        Column::input(
            format!("amount_to_usual_at_counterparty_{month}"),
            Unit::Deviations,
            Linear,
            Tail::Upper,
            Topic::AmountForCounterparty,
        )
        .shown_as_amount()
        .against(format!("counterparty_mean_{month}"))
        .described("{value} is far above what is usually paid here (mean {typical})")
        .shown_only(),
        |r| r.to_usual_amount(),
    );
    all.add(
        Column::input("counterparty_new_to_feed", Unit::Ratio, Ln, Tail::Upper, traffic)
            .alone()
            .described("nobody had paid this counterparty until lately")
            .shown_only(),
        |r| r.new_to_feed(),
    );
    all
}
