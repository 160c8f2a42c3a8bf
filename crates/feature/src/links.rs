//! Accounts that hang together by the devices they share.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::BuildHasherDefault;
use std::ops::Range;
use std::sync::Arc;

use crible_core::{Batch, Column, EntityId, Scale, Tail, Timestamp, Topic, Transaction, Unit, Window};
use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use crate::feature::{Feature, Finish, Moment};
use crate::hash::{IdHasher, IdMap};
use crate::ledger::{Change, Charge, Ledger, Period};
use crate::math::ln1p;
use crate::owner::Owner;
use crate::rows::{Rows, UNWANTED};
use crate::rule::Reach;
use crate::saved::SavedFamily;
use crate::state::{Saved, StateError, take};
use crate::windows::span;

/// An account or a device, and whether it is an account.
type Node = (u64, bool);

/// The most accounts that a device links: a large household.
const HUB: u32 = 8;

/// An account, and a device it paid from.
type Link = (u64, u64);

type LinkSet = HashSet<Link, BuildHasherDefault<IdHasher>>;

/// Components of the graph whose edges are accounts' payments from devices.
///
/// Each item names the columns, what they hold, and the fraud they show.
///
/// - `linked_accounts_7d`: accounts in the components of this payment's account and device, by the links of the 7 days
///   before its day (UTC), its account among them. *Shows:* rings: many accounts, each seldom on one device with
///   another.
///
/// A device that more than [`HUB`] accounts have paid from in those days links nobody: by a shop's terminal everybody
/// would hang together. `device_accounts_7d` counts these. Network addresses link nobody, for the same reason.
///
/// A day's payments read what earlier days have linked. Components are made once a day by union-find (Tarjan 1975), and
/// change only where something comes late: a late link joins two components, or makes one fall apart where its device
/// has become a hub, which costs as much as there are nodes in them. A window of part of a day counts as a day. The
/// first payment of a day waits for its components, and allocates; so does the first in a day that is late by more than
/// a day.
#[derive(Debug)]
pub(crate) struct Links {
    columns: Vec<Column>,
    /// How many days back, today not among them.
    window: i64,
    reach: Reach,
    /// Links by day. A save that is under way has them, too.
    days: BTreeMap<i64, Arc<LinkSet>>,
    latest: i64,
    /// Where memory is counted: what has changed since that was last delivered.
    changes: Vec<Change>,
    /// A save that is under way.
    saving: Vec<(i64, Arc<LinkSet>)>,
    /// Components as of the beginning of a day: of the latest day, of the day before, and of those that late payments
    /// asked for today.
    made: Vec<(i64, Components)>,
    staged: BTreeMap<i64, LinkSet>,
}

/// Disjoint sets of nodes, with how many accounts are in each.
#[derive(Debug, Default)]
struct Components {
    index: IdMap<Node, u32>,
    /// Who has paid from each device.
    users: IdMap<u64, Users>,
    nodes: Vec<Place>,
}

/// How many accounts have paid from a device, and which, unless it is a hub.
#[derive(Clone, Copy, Debug, Default)]
struct Users {
    count: u32,
    known: u32,
    nodes: [u32; HUB as usize],
}

/// Where a node is.
#[derive(Clone, Copy, Debug)]
struct Place {
    node: Node,
    /// Where its component continues; itself at the root.
    parent: u32,
    /// The next node of its component, all of which are in a circle.
    next: u32,
    /// Accounts and nodes of the component, at the root.
    accounts: u32,
    size: u32,
}

impl Place {
    /// A node that is alone.
    fn alone(node: Node, at: u32) -> Self {
        Self { node, parent: at, next: at, accounts: u32::from(node.1), size: 1 }
    }
}

impl Components {
    fn of(links: &LinkSet) -> Self {
        let mut made = Self::default();
        links.iter().for_each(|(_, device)| made.users.entry(*device).or_default().count += 1);
        for link in links {
            if made.users[&link.1].count <= HUB {
                made.link(*link);
            }
        }
        made
    }

    /// Adds a link that is not there yet.
    fn add(&mut self, link: Link) {
        let users = self.users.entry(link.1).or_default();
        users.count += 1;
        match users.count {
            ..=HUB => self.link(link),
            users if users == HUB + 1 => self.part(link.1),
            _ => {}
        }
    }

    fn node(&mut self, node: Node) -> u32 {
        let next = self.nodes.len() as u32;
        let found = *self.index.entry(node).or_insert(next);
        if found == next {
            self.nodes.push(Place::alone(node, next));
        }
        found
    }

    fn root(&mut self, mut node: u32) -> u32 {
        while self.nodes[node as usize].parent != node {
            let parent = self.nodes[node as usize].parent;
            self.nodes[node as usize].parent = self.nodes[parent as usize].parent;
            node = parent;
        }
        node
    }

    fn link(&mut self, (account, device): Link) {
        let account = self.node((account, true));
        let users = self.users.entry(device).or_default();
        if let Some(place) = users.nodes.get_mut(users.known as usize) {
            *place = account;
            users.known += 1;
        }
        let device = self.node((device, false));
        self.join(account, device);
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let size = |root: u32| self.nodes[root as usize].size;
        let (large, small) = if size(a) < size(b) { (b, a) } else { (a, b) };
        let joined = self.nodes[small as usize];
        let root = &mut self.nodes[large as usize];
        root.accounts += joined.accounts;
        root.size += joined.size;
        // Two circles become one where each goes on in the other.
        let next = std::mem::replace(&mut root.next, joined.next);
        self.nodes[small as usize].next = next;
        self.nodes[small as usize].parent = large;
    }

    /// Takes a device that has become a hub out of its component, which falls apart into what its other devices link.
    fn part(&mut self, hub: u64) {
        let Some(&first) = self.index.get(&(hub, false)) else { return };
        let mut devices = Vec::new();
        let mut at = first;
        loop {
            let Place { node, next, .. } = self.nodes[at as usize];
            self.nodes[at as usize] = Place::alone(node, at);
            if !node.1 && at != first {
                devices.push((at, self.users.get(&node.0).copied().unwrap_or_default()));
            }
            at = next;
            if at == first {
                break;
            }
        }
        for (device, users) in devices {
            for &account in users.nodes.iter().take(users.known as usize) {
                self.join(account, device);
            }
        }
    }

    /// Accounts in the components of an account and of the device it pays from, itself among them.
    fn accounts(&mut self, account: u64, device: Option<u64>) -> u32 {
        let own = self.index.get(&(account, true)).copied();
        let device = device.and_then(|device| self.index.get(&(device, false)).copied());
        let [own, device] = [own, device].map(|node| node.map(|node| self.root(node)));
        let of = |root: Option<u32>| root.map_or(0, |root| self.nodes[root as usize].accounts);
        let beside = if own == device { 0 } else { of(device) };
        of(own).max(1) + beside
    }

    fn bytes(&self) -> usize {
        self.index.allocation_size() + self.users.allocation_size() + self.nodes.capacity() * size_of::<Place>()
    }
}

fn device(txn: &Transaction) -> Option<u64> {
    txn.device.map(EntityId::get)
}

fn day(at: i64) -> i64 {
    Timestamp(at).day()
}

/// Bytes of a link that stays: its place in a table that is half to seven eighths full.
const LINK: usize = (size_of::<Link>() + 1) * 16 / 7;

/// A day's links as they are kept, in order.
#[derive(Serialize, Deserialize)]
struct Day {
    day: i64,
    links: Vec<Link>,
}

impl Links {
    /// The family, with its column where `keep` accepts it.
    pub(crate) fn new(window: Window, reach: Reach, keep: &dyn Fn(&Column) -> bool) -> Self {
        let days = (window.0.saturating_add(Timestamp::DAY - 1) / Timestamp::DAY).max(1);
        let name = Cow::from(format!("linked_accounts_{}", window.tag()));
        let phrase = format!(
            "accounts linked to this one by devices within {} before today: {{value}} (median {{typical}})",
            span(window)
        );
        let column = Column::input(name, Unit::Count, Scale::Ln1p, Tail::Upper, Topic::CounterpartyTraffic);
        let columns = vec![column.described(phrase).shown_only()].into_iter().filter(|column| keep(column)).collect();
        Self {
            columns,
            window: days,
            reach,
            days: BTreeMap::new(),
            latest: i64::MIN,
            changes: Vec::new(),
            saving: Vec::new(),
            made: Vec::new(),
            staged: BTreeMap::new(),
        }
    }

    /// The components a payment of `day` reads.
    fn components(&mut self, day: i64) -> &mut Components {
        let at = match self.made.iter().position(|(of, _)| *of == day) {
            Some(at) => at,
            None => {
                let made = self.make(day, Period::FIRST);
                self.made.push((day, made));
                self.made.len() - 1
            }
        };
        &mut self.made[at].1
    }

    /// Makes the components a payment of `day` reads, of days that are not forgotten.
    fn make(&self, day: i64, from: Period) -> Components {
        let days = self.days.range(day.saturating_sub(self.window)..day);
        let links = days.filter(|(day, _)| period(**day) >= from).flat_map(|(_, links)| links.iter()).copied();
        Components::of(&links.collect())
    }

    fn read_and_absorb(&mut self, txn: &Transaction, from: Period, wanted: bool) -> f64 {
        let (account, today) = (txn.account.get(), day(txn.at.0));
        self.expire(txn.at.0);
        self.forget(from);
        let value = if wanted { self.components(today).accounts(account, device(txn)) } else { 0 };
        if let Some(device) = device(txn) {
            let link = (account, device);
            let links = self.days.entry(today).or_default();
            if !links.contains(&link) {
                let before = charge(today, links);
                Arc::make_mut(links).insert(link);
                let after = charge(today, links);
                self.recharge([before, after]);
                self.link_late(today, link);
            }
        }
        ln1p(f64::from(value))
    }

    fn recharge(&mut self, change: Change) {
        if self.reach.counts {
            self.changes.push(change);
        }
    }

    /// Forgets days that the budget has forgotten.
    fn forget(&mut self, from: Period) {
        while let Some((&day, _)) = self.days.first_key_value()
            && period(day) < from
        {
            self.days.pop_first();
            self.made.clear();
        }
    }

    /// Adds a link of `today` to the components of later days, where these have been asked for already.
    fn link_late(&mut self, today: i64, link: Link) {
        let Self { made, days, window, .. } = self;
        for (of, made) in made {
            let reads = *of - *window..*of;
            let is_new = || days.range(reads.clone()).filter(|(_, links)| links.contains(&link)).count() == 1;
            if reads.contains(&today) && is_new() {
                made.add(link);
            }
        }
    }

    /// Lets go of days that no payment can read any more.
    fn expire(&mut self, at: i64) {
        if at <= self.latest {
            return;
        }
        let is_new_day =
            day(at.saturating_sub(self.reach.lateness)) > day(self.latest.saturating_sub(self.reach.lateness));
        if day(at) > day(self.latest) {
            self.made.retain(|(of, _)| *of >= day(at) - 1);
        }
        self.latest = at;
        if is_new_day {
            self.forget_before(day(at.saturating_sub(self.reach.lateness)).saturating_sub(self.window));
        }
    }

    fn forget_before(&mut self, first: i64) {
        while let Some((&day, _)) = self.days.first_key_value()
            && day < first
            && let Some((_, links)) = self.days.pop_first()
        {
            self.recharge([charge(day, &links), Charge::NOTHING]);
        }
        self.made.retain(|(of, _)| *of >= first);
    }

    /// Days that payments which are still to come may read.
    fn left(&self, moment: Moment) -> impl Iterator<Item = (i64, &Arc<LinkSet>)> {
        let first = day(moment.oldest).saturating_sub(self.window);
        let days = self.days.range(first..).map(|(day, links)| (*day, links));
        days.filter(move |(day, links)| !links.is_empty() && period(*day) >= moment.from)
    }
}

/// When the last payment of a day may have been.
fn period(day: i64) -> Period {
    Period::of(day.saturating_add(1).saturating_mul(Timestamp::DAY) - 1)
}

fn charge(day: i64, links: &LinkSet) -> Charge {
    Charge { period: period(day), bytes: (links.len() * LINK) as u64 }
}

fn saved<'a>(days: impl Iterator<Item = (i64, &'a Arc<LinkSet>)>) -> SavedFamily {
    let mut saved = SavedFamily::new("links");
    for (day, links) in days {
        let mut links: Vec<Link> = links.iter().copied().collect();
        links.sort_unstable();
        // In the order of signed days.
        saved.push([day.wrapping_sub(i64::MIN) as u64, 0, 0], &Day { day, links });
    }
    saved
}

impl Feature for Links {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn step(&mut self, txn: &Transaction, moment: Moment, out: &mut [f32]) -> u32 {
        let value = self.read_and_absorb(txn, moment.from, true);
        out.fill(value as f32);
        0
    }

    fn peek(&self, txn: &Transaction, moment: Moment, out: &mut [f32]) -> u32 {
        let mut components = self.make(day(txn.at.0), moment.from);
        let value = components.accounts(txn.account.get(), device(txn));
        out.fill(ln1p(f64::from(value)) as f32);
        0
    }

    fn step_all(&mut self, batch: &Batch, rows: Range<usize>, wanted: &[u32], moment: Moment, out: &mut Rows) {
        for (row, &number) in rows.zip(wanted) {
            let value = self.read_and_absorb(&batch.get(row), moment.from, number != UNWANTED);
            if number != UNWANTED {
                out.place[number as usize] = out.filled as u32;
                out.numbers[out.filled * out.width] = value as f32;
                out.filled += 1;
            }
        }
    }

    fn name(&self) -> &'static str {
        "links"
    }

    fn owner(&self) -> Option<Owner> {
        None
    }

    fn divide(self: Box<Self>, _: usize) -> Vec<Box<dyn Feature>> {
        vec![self]
    }

    fn saved(&self, moment: Moment) -> SavedFamily {
        saved(self.left(moment))
    }

    fn begin_save(&mut self, moment: Moment) {
        self.saving = self.left(moment).map(|(day, links)| (day, Arc::clone(links))).collect();
    }

    fn save_some(&mut self, _: usize) -> bool {
        true
    }

    fn finish_save(&mut self) -> Finish {
        let days = std::mem::take(&mut self.saving);
        Box::new(move || saved(days.iter().map(|(day, links)| (*day, links))))
    }

    fn stage(&mut self, mut bytes: &[u8], saved: Saved) -> Result<(), StateError> {
        let last = day(saved.latest());
        let mut before = None;
        while !bytes.is_empty() {
            let impossible = StateError::Impossible { family: "links", entity: self.staged.len() };
            let Day { day, links } = take(&mut bytes)?;
            let are_links = links.is_sorted_by(|a, b| a < b);
            if day > last || before.replace(day).is_some_and(|before| before >= day) || links.is_empty() || !are_links {
                return Err(impossible);
            }
            self.staged.insert(day, links.into_iter().collect());
        }
        Ok(())
    }

    fn commit(&mut self, take: bool) {
        for (day, links) in std::mem::take(&mut self.staged) {
            if take {
                let here = self.days.entry(day).or_default();
                let before = charge(day, here);
                Arc::make_mut(here).extend(links);
                let after = charge(day, here);
                self.recharge([before, after]);
                self.made.clear();
            }
        }
    }

    fn state_bytes(&self) -> usize {
        self.days.values().map(|links| size_of::<(i64, LinkSet)>() + links.allocation_size()).sum::<usize>()
            + self.made.iter().map(|(_, made)| size_of_val(made) + made.bytes()).sum::<usize>()
    }

    fn entities(&self) -> usize {
        self.days.len()
    }

    /// A payment of the window's last day is of nobody the day after.
    fn span(&self) -> i64 {
        self.window.saturating_add(1).saturating_mul(Timestamp::DAY)
    }

    fn deliver(&mut self, ledger: &mut Ledger) {
        self.changes.drain(..).for_each(|change| ledger.change(change));
    }

    /// Days go as payments come.
    fn sweep(&mut self, _: usize, _: Moment) {}
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use crible_core::{Amount, Currency, TxnId};
    use proptest::prelude::*;

    use super::*;

    /// Accounts reachable from these nodes, what too many share left aside.
    fn reachable(links: &BTreeSet<Link>, from: &[Node]) -> usize {
        let users = |device: u64| links.iter().filter(|(_, other)| *other == device).count();
        let links: Vec<_> = links.iter().filter(|(_, device)| users(*device) <= HUB as usize).collect();
        let mut reached: BTreeSet<Node> = from.iter().copied().collect();
        loop {
            let before = reached.len();
            for &&(account, device) in &links {
                if reached.contains(&(device, false)) || reached.contains(&(account, true)) {
                    reached.extend([(device, false), (account, true)]);
                }
            }
            if reached.len() == before {
                return reached.iter().filter(|(_, is_account)| *is_account).count();
            }
        }
    }

    /// Late payments of several days, by turns, do not make components anew each time, and what late payments asked for
    /// goes with the day.
    #[test]
    fn components_of_late_days_are_kept_for_a_day() {
        let reach = Reach { lateness: 4 * Timestamp::DAY, forget: 400 * Timestamp::DAY, counts: false };
        let mut links = Links::new(Window(3 * Timestamp::DAY), reach, &|_| true);
        let mut pay = |day: i64, second: i64| {
            let at = Timestamp(day * Timestamp::DAY + second * Timestamp::SECOND);
            let account = EntityId::new(1 + second as u64).unwrap();
            let mut txn = Transaction::new(TxnId(second as u128), at, account, Amount::new(-1, Currency::EUR));
            txn.device = EntityId::new(77);
            links.step(&txn, Moment { oldest: i64::MIN, from: Period::FIRST }, &mut [0.0]);
            links.made.iter().map(|(of, _)| *of).collect::<Vec<_>>()
        };
        assert_eq!(pay(10, 0), [10]);
        for second in 1..20 {
            let made = pay(10 - second % 3, second);
            assert!(made.starts_with(&[10, 9, 8][..made.len()]), "{made:?}");
        }
        assert_eq!(pay(11, 20), [10, 11]);
    }

    proptest! {
        /// In whatever order payments come, one reads the links of the days before its own, hubs left aside.
        #[test]
        fn components_are_what_can_be_reached(
            rows in prop::collection::vec((0i64..14, 0i64..4, 1u64..14, 0u64..5), 1..150),
        ) {
            let reach = Reach { lateness: 4 * Timestamp::DAY, forget: 400 * Timestamp::DAY, counts: false };
            let mut links = Links::new(Window(3 * Timestamp::DAY), reach, &|_| true);
            let (mut seen, mut latest) = (Vec::new(), 0);
            for (i, (step, back, account, device)) in rows.into_iter().enumerate() {
                latest += i64::from(step == 0);
                let day = (latest - back).max(0);
                let at = Timestamp(day * Timestamp::DAY + i as i64);
                let id = |of| EntityId::new(of);
                let amount = Amount::new(-1, Currency::EUR);
                let mut txn = Transaction::new(TxnId(i as u128), at, id(account).unwrap(), amount);
                txn.device = id(device);
                let before: BTreeSet<Link> =
                    seen.iter().filter(|(of, _)| (day - 3..day).contains(of)).map(|(_, link)| *link).collect();
                let from = [(account, true), (device, false)];
                let mut out = [0.0];
                let moment = Moment { oldest: i64::MIN, from: Period::FIRST };
                links.step(&txn, moment, &mut out);
                prop_assert_eq!(out[0].exp().round() as usize - 1, reachable(&before, &from), "{}", i);
                seen.extend(self::device(&txn).map(|device| (day, (account, device))));
            }
        }
    }
}
