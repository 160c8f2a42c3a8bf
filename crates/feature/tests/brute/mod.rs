//! What every column should hold, worked out from all earlier transactions each time: no state, no expiry, no tables.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashSet};

use crible_core::{Position, Timestamp, Transaction, Window};
use crible_feature::{PeerHabits, Settings};

const DAY: i64 = Timestamp::DAY;

/// Names and lengths of windows.
fn named<const N: usize>(windows: [Window; N]) -> [(String, i64); N] {
    windows.map(|window| (window.tag(), window.0))
}

/// A number and how far from it a column may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    pub(crate) value: f64,
    pub(crate) within: f64,
}

/// Columns by name.
#[derive(Default)]
struct Row(BTreeMap<String, Want>);

impl Row {
    /// A number that needs no more than the rounding to 32 bits.
    fn put(&mut self, name: impl Into<String>, value: f64) {
        self.within(name, value, 1e-6 * value.abs().max(1.0));
    }

    fn within(&mut self, name: impl Into<String>, value: f64, within: f64) {
        let before = self.0.insert(name.into(), Want { value, within });
        assert!(before.is_none(), "one oracle a column");
    }
}

fn device(txn: &Transaction) -> Option<u64> {
    txn.device.map(|id| id.get())
}

fn address(txn: &Transaction) -> Option<u64> {
    txn.address.map(|id| id.get())
}

/// Amount in major units, sign dropped. All currencies of the oracle's streams have two digits.
fn major(txn: &Transaction) -> f64 {
    txn.amount.minor.unsigned_abs() as f64 / 100.0
}

fn mean(of: &[&Transaction]) -> f64 {
    of.iter().map(|e| major(e)).sum::<f64>() / (of.len() as f64).max(1.0)
}

/// The population variance.
fn variance(of: &[&Transaction]) -> f64 {
    let mean = mean(of);
    of.iter().map(|e| (major(e) - mean).powi(2)).sum::<f64>() / (of.len() as f64).max(1.0)
}

/// How much of a log ratio is believed after `n` payments.
fn believed(n: usize) -> f64 {
    n as f64 / (n as f64 + 2.0)
}

fn log_ratio(amount: f64, of: &[&Transaction]) -> f64 {
    ((amount + 0.01) / (mean(of) + 0.01)).ln() * believed(of.len())
}

/// The same, and against what peers pay by as much as the past is too short.
fn against(amount: f64, of: &[&Transaction], peers: Option<f64>) -> f64 {
    let of_peers = |peers: f64| ((amount + 0.01) / (peers + 0.01)).ln() * (1.0 - believed(of.len()));
    log_ratio(amount, of) + peers.map_or(0.0, of_peers)
}

fn within<'a>(now: &Transaction, length: i64, of: &[&'a Transaction]) -> Vec<&'a Transaction> {
    of.iter().copied().filter(|e| e.at.0 > now.at.0 - length).collect()
}

/// What the past of an account or category is to a payment: nothing from before it was forgotten.
fn remembered<'a>(past: Vec<&'a Transaction>, txn: &Transaction, forget: i64) -> Vec<&'a Transaction> {
    let times: Vec<i64> = past.iter().map(|e| e.at.0).chain([txn.at.0]).collect();
    let from = times.windows(2).rposition(|pair| pair[1] - pair[0] > forget).map_or(0, |at| at + 1);
    past[from..].to_vec()
}

pub(crate) fn row(past: &[Transaction], txn: &Transaction, settings: &Settings) -> BTreeMap<String, Want> {
    let forget = settings.limits.forget_after.0;
    let account = &named(settings.windows.account);
    let alike: Vec<_> = past
        .iter()
        .filter(|e| e.is_outflow() == txn.is_outflow() && e.amount.currency == txn.amount.currency)
        .collect();
    let own: Vec<_> = alike.iter().copied().filter(|e| e.account == txn.account).collect();
    let own = remembered(own, txn, forget);
    let mut row = Row::default();
    let peers = settings.peers.means().first().map(|(_, mean)| mean / 100.0);
    windows(&mut row, txn, &own, account, peers);
    habits(&mut row, txn, &own, account, peers);
    travel(&mut row, txn, &own);
    let there: Vec<_> = match txn.counterparty {
        Some(_) => alike.iter().copied().filter(|e| e.counterparty == txn.counterparty).collect(),
        None => vec![],
    };
    counterparty(&mut row, txn, &there, &named(settings.windows.counterparty));
    expectations(&mut row, txn, &own, account, settings);
    there_usual(&mut row, txn, &there, &named(settings.windows.counterparty), settings);
    profile(&mut row, txn, &own);
    for (name, of) in [("device", device as fn(&Transaction) -> Option<u64>), ("address", address)] {
        let there: Vec<_> = alike.iter().copied().filter(|e| of(txn).is_some() && of(e) == of(txn)).collect();
        for (tag, length) in named(settings.windows.counterparty) {
            let there = within(txn, length, &there);
            let accounts: HashSet<_> = there.iter().map(|e| e.account).collect();
            row.put(format!("{name}_accounts_{tag}"), (accounts.len() as f64).ln_1p());
        }
    }
    let [.., (tag, length)] = named(settings.windows.pattern);
    row.put(format!("linked_accounts_{tag}"), linked(past, txn, length).ln_1p());
    let like: Vec<_> = alike.iter().copied().filter(|e| e.category == txn.category).collect();
    category(&mut row, txn, &remembered(like, txn, forget));
    let moves: Vec<_> =
        past.iter().filter(|e| e.account == txn.account && e.amount.currency == txn.amount.currency).collect();
    patterns(&mut row, txn, &remembered(moves, txn, forget), &named(settings.windows.pattern));
    row.0
}

/// How many accounts can be reached from this payment's account and device by the links of the days before its own. No
/// stream has as many accounts as make a hub.
fn linked(past: &[Transaction], txn: &Transaction, length: i64) -> f64 {
    let day = |txn: &Transaction| txn.at.0.div_euclid(DAY);
    let first = day(txn) - (length + DAY - 1) / DAY;
    let in_window = past.iter().filter(|e| (first..day(txn)).contains(&day(e)));
    let links: Vec<_> = in_window.filter_map(|e| Some((e.account, e.device?))).collect();
    let (mut accounts, mut devices) = (HashSet::from([txn.account]), HashSet::new());
    devices.extend(txn.device);
    loop {
        let before = accounts.len() + devices.len();
        for (account, device) in &links {
            if accounts.contains(account) || devices.contains(device) {
                accounts.insert(*account);
                devices.insert(*device);
            }
        }
        if before == accounts.len() + devices.len() {
            return accounts.len() as f64;
        }
    }
}

/// What an account's windows hold, and the payment against them.
fn windows(row: &mut Row, txn: &Transaction, own: &[&Transaction], lengths: &[(String, i64); 4], peers: Option<f64>) {
    let [(hour, hour_long), (day, day_long), (week, week_long), (month, month_long)] = lengths;
    let days = *month_long as f64 / *day_long as f64;
    let amount = major(txn);
    row.put("amount", amount.ln_1p());
    for (tag, length) in lengths {
        let own = within(txn, *length, own);
        let sum: f64 = own.iter().map(|e| major(e)).sum();
        row.put(format!("account_count_{tag}"), (own.len() as f64).ln_1p());
        row.put(format!("account_sum_{tag}"), sum.ln_1p());
        row.put(format!("account_mean_{tag}"), mean(&own));
        let deviation = variance(&own).sqrt();
        // Equal amounts have no deviation; summed as floating-point numbers they keep a trace of one.
        row.within(format!("account_deviation_{tag}"), deviation, 1e-5 * deviation.max(1.0));
    }
    for (tag, length) in &lengths[2..] {
        row.put(format!("amount_to_account_mean_{tag}"), log_ratio(amount, &within(txn, *length, own)));
    }
    let whole = within(txn, *month_long, own);
    let spread = variance(&whole).sqrt().max(mean(&whole) / 10.0).max(1.0);
    let z = (amount - mean(&whole)) / spread * believed(whole.len());
    row.put(format!("amount_deviations_{month}"), z.abs().ln_1p().copysign(z));

    let outsized = |at: usize| against(major(own[at]), &own[..at], peers) >= 3f64.ln();
    let run = (0..own.len()).filter(|&at| own[at].at.0 > txn.at.0 - week_long && outsized(at)).count() as f64;
    let to_mean = against(amount, own, peers);
    let in_run = |share: f64| if to_mean > 0.0 { to_mean + share * run.ln_1p() } else { 0.0 };
    row.put("amount_to_account_mean_in_run", in_run(0.5));
    row.put("amount_to_account_mean", in_run(0.25));
    row.put(format!("account_in_run_{week}"), run / (run + 1.0));
    row.put(format!("account_outsized_{week}"), run.ln_1p());
    let expected = match peers {
        Some(peers) if own.is_empty() => peers,
        _ => mean(own),
    };
    row.put("account_mean", expected);

    let today = within(txn, *day_long, own);
    let (count, usual_count) = (today.len() as f64 + 1.0, (whole.len() as f64 + 1.0) / days);
    let sum = |of: &[&Transaction]| of.iter().map(|e| major(e)).sum::<f64>();
    let (spent, usual_spent) = (sum(&today) + amount, sum(&whole) / days);
    let in_hour = sum(&within(txn, *hour_long, own)) + amount;
    row.put("account_sum_hour", in_hour);
    row.put(format!("account_sum_{hour}_to_mean"), log_ratio(in_hour, &whole));
    row.put("account_count_today", count);
    row.put("account_count_usual", usual_count);
    row.put("account_sum_today", spent);
    row.put("account_sum_usual", usual_spent);
    row.put(format!("account_count_{day}_to_usual"), (count / (usual_count + 1.0)).ln() * believed(whole.len()));
    let usual = usual_spent + mean(&whole) + 1.0;
    row.put(format!("account_sum_{day}_to_usual"), ((spent + 1.0) / usual).ln() * believed(whole.len()));
}

/// Pace, hours, weekdays, payees and balance.
fn habits(row: &mut Row, txn: &Transaction, own: &[&Transaction], lengths: &[(String, i64); 4], peers: Option<f64>) {
    let [.., (_, month_long)] = lengths;
    let pace = own.last().map_or(*month_long, |e| (txn.at.0 - e.at.0).min(*month_long));
    row.put("seconds_since_last", (pace as f64 / 1e6).ln_1p());

    let month = within(txn, *month_long, own);
    let hour_of = |e: &Transaction| e.at.0.rem_euclid(DAY) / (DAY / 24);
    let weekday_of = |e: &Transaction| (e.at.0.div_euclid(DAY) + 3).rem_euclid(7);
    // Weights 3, 2, 2, 1, 1 for an hour and those one and two beside it, round the clock.
    let near: f64 = month
        .iter()
        .map(|e| {
            let apart = (hour_of(e) - hour_of(txn)).abs();
            (3 - apart.min(24 - apart)).max(0) as f64 / 9.0
        })
        .sum();
    let surprise = |here: f64, places: f64| ((month.len() as f64 + 8.0) / (here + 8.0 / places)).ln();
    let above_mean = log_ratio(major(txn), &month).max(0.0);
    let part_of = |e: &Transaction| hour_of(e) / 6;
    let in_part = month.iter().filter(|e| part_of(e) == part_of(txn)).count();
    row.put("day_part_surprise", surprise(in_part as f64, 4.0));
    row.put("hour_surprise_above_mean", surprise(near, 24.0) * above_mean);
    let same = month.iter().filter(|e| weekday_of(e) == weekday_of(txn)).count();
    row.put("weekday_surprise", surprise(same as f64, 7.0));
    row.put("hour", hour_of(txn) as f64);
    row.put("weekday", weekday_of(txn) as f64);

    for (tag, length) in &lengths[1..3] {
        let payees: HashSet<_> = within(txn, *length, own).iter().map(|e| e.counterparty).collect();
        row.put(format!("account_counterparties_{tag}"), (payees.len() as f64).ln_1p());
    }
    let payees: HashSet<_> = own.iter().map(|e| e.counterparty).collect();
    let firsts = (payees.len() as f64 + 1.0) / (own.len() as f64 + 1.0);
    row.put("first_at_counterparty", if payees.contains(&txn.counterparty) { 0.0 } else { -firsts.ln() });

    let (day, day_long) = &lengths[1];
    let to_it = |of: &[&Transaction]| -> Vec<_> {
        of.iter().filter(|e| e.counterparty == txn.counterparty).map(|e| major(e)).collect()
    };
    let today = within(txn, *day_long, own);
    let lately = to_it(&today[today.len().saturating_sub(64)..]);
    let paid = major(txn) + lately.iter().skip(1).sum::<f64>();
    let is_new = !lately.is_empty() && to_it(own).len() == lately.len();
    let to_mean = against(paid, own, peers).max(0.0);
    row.put(format!("amount_at_new_counterparty_{day}"), if is_new { to_mean } else { 0.0 });

    let share = match txn.balance_before {
        Some(before) if before > 0 && txn.is_outflow() => (major(txn) * 100.0 / before as f64).min(2.0),
        _ => 0.0,
    };
    row.put("balance_share", share);
}

/// What amounts are usual, of so many with peers that count for three: the middle of their logarithms, and the deviation.
fn usual(of: &[&Transaction], peers: Option<&PeerHabits>) -> (f64, f64, f64) {
    let relative = if mean(of) > 0.0 { variance(of).sqrt() / mean(of) } else { 0.0 };
    let own = (relative * relative).ln_1p();
    let middle = (mean(of).ln_1p() - own / 2.0).max(0.0);
    let count = of.len() as f64;
    let both = |own: f64, peers: f64| (count * own + 3.0 * peers) / (count + 3.0);
    let (middle, spread) = match peers {
        Some(peers) => (both(middle, peers.log_mean), both(own, peers.log_variance)),
        None => (middle, own),
    };
    (middle, spread.max(0.04).sqrt(), peers.map_or(count / (count + 3.0), |_| 1.0))
}

/// The payment and its windows against what was to be expected of the account by now.
fn expectations(
    row: &mut Row,
    txn: &Transaction,
    own: &[&Transaction],
    lengths: &[(String, i64); 4],
    settings: &Settings,
) {
    let [_, (day, day_long), _, (month, month_long)] = lengths;
    let peers = settings.peers.habits().first();
    let month_of = within(txn, *month_long, own);
    let (count, amount) = (month_of.len() as f64, major(txn));
    let (middle, deviation, known) = usual(&month_of, peers);
    // Where amounts are equal, floating-point sums leave a trace of a deviation.
    row.within(format!("amount_to_usual_{month}"), (amount.ln_1p() - middle) / deviation * known, 1e-3);
    let lately = &month_of[month_of.len().saturating_sub(64)..];
    let largest = lately.iter().map(|e| major(e)).fold(0.0, f64::max);
    let above = (amount.ln_1p() - largest.ln_1p()) * (count / (count + 3.0));
    let above_peers = |p: &PeerHabits| amount.ln_1p() - p.log_mean - 2.0 * p.log_variance.sqrt();
    row.put(format!("amount_to_largest_{month}"), above + peers.map_or(0.0, |p| above_peers(p) * 3.0 / (count + 3.0)));

    let first = month_of.first().map_or(txn.at.0, |e| e.at.0);
    let watched = if month_of.len() < own.len() { *month_long } else { txn.at.0 - first } as f64 / 1e6;
    let pace = peers.map_or(1.0 / 86_400.0, |p| p.per_second.max(1e-9));
    let rate = (count + 1.0) / (watched + 1.0 / pace);
    let each = peers.map_or(mean(&month_of), |p| (count * mean(&month_of) + 3.0 * p.log_mean.exp()) / (count + 3.0));
    for (tag, length) in &lengths[..3] {
        let here = within(txn, *length, own);
        let expected = 1.0 + rate * (*length as f64 / 1e6).min(watched);
        let spent = here.iter().map(|e| major(e)).sum::<f64>() + amount;
        row.put(format!("account_sum_{tag}_to_expected"), known * ((spent + 1.0) / (each * expected + 1.0)).ln());
        let counted = here.len() as f64 + 1.0;
        row.put(format!("account_count_{tag}_to_expected"), 2.0 * (counted.sqrt() - expected.sqrt()));
    }
    let is_first = |at: usize| own[..at].iter().all(|e| e.counterparty != own[at].counterparty);
    let firsts = (0..own.len()).filter(|&at| own[at].at.0 > txn.at.0 - day_long && is_first(at)).count();
    row.put(format!("account_first_counterparties_{day}"), (firsts as f64).ln_1p());

    let hours = settings.peers.hours();
    let (all, most) = (hours.iter().sum::<u64>() as f64, hours.iter().max().copied().unwrap_or(0) as f64);
    let hour_of = |e: &Transaction| e.at.0.rem_euclid(DAY) / (DAY / 24);
    let near = |hour: i64| {
        let apart = (hour - hour_of(txn)).abs();
        (3 - apart.min(24 - apart)).max(0) as f64 / 9.0
    };
    let mine: f64 = month_of.iter().map(|e| near(hour_of(e))).sum();
    let theirs: f64 = (0..).zip(hours).map(|(hour, count)| near(hour) * *count as f64 / all).sum();
    let says_nothing = all < 100.0 || most >= 0.9 * all;
    let surprise = ((count + 12.0) / (mine + 12.0 * theirs + 1e-9)).ln();
    row.put("hour_surprise", if says_nothing { 0.0 } else { surprise });
}

/// The amount against what is usual at a counterparty, and how new that is.
fn there_usual(
    row: &mut Row,
    txn: &Transaction,
    there: &[&Transaction],
    lengths: &[(String, i64); 3],
    settings: &Settings,
) {
    let [.., (month, month_long)] = lengths;
    let whole = within(txn, *month_long, there);
    let (middle, deviation, known) = usual(&whole, settings.peers.habits().first());
    let is_named = txn.counterparty.is_some();
    let amount = if is_named { (major(txn).ln_1p() - middle) / deviation * known } else { 0.0 };
    row.within(format!("amount_to_usual_at_counterparty_{month}"), amount, 1e-3);
    let days = |micros: i64| micros.clamp(0, *month_long) as f64 / DAY as f64;
    let known = whole.first().map_or(0, |e| txn.at.0 - e.at.0);
    let watched = if settings.peers.habits().is_empty() { 0 } else { txn.at.0 - settings.peers.since() };
    let new = (days(watched).ln_1p() - days(known).ln_1p()).max(0.0);
    row.put("counterparty_new_to_feed", if is_named { new } else { 0.0 });
}

/// Words, home and recurring payments of an account.
fn profile(row: &mut Row, txn: &Transaction, own: &[&Transaction]) {
    type Word = fn(&Transaction) -> String;
    let id = |id: Option<u64>| id.map_or(String::new(), |id| id.to_string());
    let words: [(&str, Word); 3] = [
        ("channel", |e| e.channel.as_str().to_owned()),
        ("category", |e| e.category.as_str().to_owned()),
        ("country", |e| e.country.as_str().to_owned()),
    ];
    let mut novelty = |name: &str, of: &dyn Fn(&Transaction) -> String| {
        let known: HashSet<String> = own.iter().map(|e| of(e)).filter(|word| !word.is_empty()).collect();
        let (count, word) = (own.len() as f64, of(txn));
        let share = ((known.len() as f64 + 1.0) / (count + 1.0)).min(1.0);
        let is_new = !word.is_empty() && !own.is_empty() && !known.contains(&word);
        row.put(format!("{name}_novelty"), if is_new { -share.ln() * count / (count + 1.0) } else { 0.0 });
    };
    words.iter().for_each(|(name, of)| novelty(name, of));
    novelty("device", &|e| id(device(e)));
    novelty("address", &|e| id(address(e)));

    let placed: Vec<Position> = own.iter().filter_map(|e| e.position).collect();
    let from_home = |at: Position, before: &[Position]| {
        let mean = |of: fn(&Position) -> i32| {
            (before.iter().map(|p| i64::from(of(p))).sum::<i64>() / before.len() as i64) as i32
        };
        let home = Position::from_e7(mean(|p| p.latitude_e7()), mean(|p| p.longitude_e7())).unwrap();
        haversine(home, at)
    };
    let far = match txn.position {
        Some(at) if !placed.is_empty() => {
            let usual: f64 = (1..placed.len()).map(|i| from_home(placed[i], &placed[..i])).sum();
            let usual = (usual + 3.0 * 20.0) / (placed.len() as f64 - 1.0 + 3.0);
            from_home(at, &placed).ln_1p() - usual.ln_1p()
        }
        _ => 0.0,
    };
    row.within("kilometres_from_home", far, 5e-3);

    let paid: Vec<_> = own.iter().filter(|e| e.counterparty == txn.counterparty).collect();
    let minute = |e: &Transaction| e.at.0.div_euclid(60_000_000);
    let (mut expected, mut early) = (0.0, 0.0);
    if let (Some(last), true) = (paid.last(), txn.counterparty.is_some()) {
        // The latest interval counts for as much as all before it, in whole hours.
        let gaps = paid.windows(2).map(|pair| (minute(pair[1]) - minute(pair[0])) / 60);
        let usual = gaps.reduce(|all, gap| all / 2 + gap / 2 + (all & gap & 1));
        let hours = (minute(txn) - minute(last)) as f64 / 60.0;
        let sooner = usual.map(|usual| ((usual as f64 + 1.0) / (hours + 1.0)).ln());
        let apart = (major(txn).ln_1p() - major(last).ln_1p()).abs();
        let in_time = sooner.map_or(0.0, |sooner| (-sooner.abs() / 0.2).exp());
        let alike = (-apart / 0.05).exp().max(in_time * (-apart / 0.25).exp());
        let known = usual.unwrap_or(0) as f64 * (paid.len() - 1) as f64 + hours;
        expected = alike * ((1.0 + paid.len() as f64).ln() / 4f64.ln()).min(1.0) * (known / 24.0).min(1.0);
        if paid.len() > 2 {
            early = (sooner.unwrap_or(0.0) - 3f64.ln()).max(0.0) * (-apart / 0.05).exp();
        }
    }
    row.put("payment_expected", expected);
    row.put("recurring_early", early);
}

fn travel(row: &mut Row, txn: &Transaction, own: &[&Transaction]) {
    let last = own.iter().rev().find_map(|e| Some((e.at, e.position?)));
    let (km, speed) = match (last, txn.position) {
        (Some((at, from)), Some(to)) => {
            let km = haversine(from, to);
            (km, km / ((txn.at.0 - at.0) as f64 / 3.6e9 + 0.5))
        }
        _ => (0.0, 0.0),
    };
    // The distance is within 1 m plus 1e-6 of the haversine formula for points this near.
    let off = |x: f64| 1e-3 / (x + 1.0) + 3e-6 * (1.0 + x.ln_1p());
    row.within("kilometres_from_last", km.ln_1p(), off(km));
    row.within("kilometres_per_hour", speed.ln_1p(), 2.0 * off(speed));
}

fn haversine(a: Position, b: Position) -> f64 {
    let radians = |e7: i32| (f64::from(e7) / 1e7).to_radians();
    let (lat_a, lat_b) = (radians(a.latitude_e7()), radians(b.latitude_e7()));
    let half = |a: f64, b: f64| ((b - a) / 2.0).sin().powi(2);
    let h = half(lat_a, lat_b) + lat_a.cos() * lat_b.cos() * half(radians(a.longitude_e7()), radians(b.longitude_e7()));
    2.0 * 6_371.008_8 * h.sqrt().asin()
}

fn counterparty(row: &mut Row, txn: &Transaction, there: &[&Transaction], lengths: &[(String, i64); 3]) {
    let [(day, day_long), _, (month, month_long)] = lengths;
    for (tag, length) in lengths {
        let there = within(txn, *length, there);
        let accounts: HashSet<_> = there.iter().map(|e| e.account).collect();
        row.put(format!("counterparty_count_{tag}"), (there.len() as f64).ln_1p());
        row.put(format!("counterparty_accounts_{tag}"), (accounts.len() as f64).ln_1p());
        row.put(format!("counterparty_mean_{tag}"), mean(&there));
    }
    // Nobody's traffic is no traffic, this payment not counted either.
    let named = f64::from(u8::from(txn.counterparty.is_some()));
    let (recent, whole) = (within(txn, *day_long, there), within(txn, *month_long, there));
    let days = *month_long as f64 / *day_long as f64;
    let (today, usual) = (recent.len() as f64 + named, (whole.len() as f64 + named) / days);
    row.put("counterparty_count_today", today);
    row.put("counterparty_count_usual", usual);
    let ratio = if whole.is_empty() { 0.0 } else { (today / (usual + 1.0)).ln() * believed(whole.len()) };
    row.put(format!("counterparty_count_{day}_to_usual"), ratio);
    row.put(format!("amount_to_counterparty_mean_{month}"), log_ratio(major(txn), &whole));
}

/// Sixteen buckets to a doubling, in whole numbers, and how far into its bucket an amount stands.
fn bucket(txn: &Transaction) -> (u32, f64) {
    let value = u128::from(txn.amount.minor.unsigned_abs().max(1));
    let doubling = value.ilog2();
    let sixteenths = (value - (1 << doubling)) * 16;
    let step = (sixteenths >> doubling) as u32;
    let into = (sixteenths - (u128::from(step) << doubling)) as f64 / (1u128 << doubling) as f64;
    (16 * doubling + step, into)
}

fn category(row: &mut Row, txn: &Transaction, like: &[&Transaction]) {
    let (at, into) = bucket(txn);
    let above = like.iter().filter(|e| bucket(e).0 > at).count() as f64;
    let here = like.iter().filter(|e| bucket(e).0 == at).count() as f64;
    let tail = (above + here * (1.0 - into) + 1.0) / (like.len() as f64 + 1.0);
    row.put("amount_for_category", -tail.ln());
    row.put("category_mean", mean(like));
}

/// What the account's payments in and out in this currency have in common with this one.
fn patterns(row: &mut Row, txn: &Transaction, moves: &[&Transaction], lengths: &[(String, i64); 3]) {
    let [(hour, hour_long), (day, day_long), (week, week_long)] = lengths;
    let alike: Vec<_> = moves.iter().copied().filter(|e| e.is_outflow() == txn.is_outflow()).collect();
    let of_hour = within(txn, *hour_long, &alike);
    let (of_day, of_week) = (within(txn, *day_long, &alike), within(txn, *week_long, &alike));
    type Word = fn(&Transaction) -> &str;
    let words: [(&str, &str, Word); 3] = [
        ("channel", "channels", |e| e.channel.as_str()),
        ("category", "categories", |e| e.category.as_str()),
        ("country", "countries", |e| e.country.as_str()),
    ];
    for (one, many, of) in words {
        let same = of_day.iter().filter(|e| of(e) == of(txn)).count() as f64;
        if one != "country" {
            row.put(format!("account_{one}_count_{day}"), same.ln_1p());
        }
        let different: HashSet<_> = of_week.iter().map(|e| of(e)).collect();
        row.put(format!("account_{many}_{week}"), (different.len() as f64).ln_1p());
    }
    let here = |of: &[&Transaction]| of.iter().filter(|e| e.country == txn.country).count() as f64;
    let today = here(&of_day) + 1.0;
    let usual = (here(&of_week) - here(&of_day)) / ((week_long - day_long) as f64 / *day_long as f64);
    row.put("account_country_count_today", today);
    row.put("account_country_count_usual", usual);
    row.put(format!("account_country_count_{day}_to_usual"), (today / (usual + 1.0)).ln() * believed(of_week.len()));
    type Id = fn(&Transaction) -> Option<u64>;
    for (one, many, of) in [("device", "devices", device as Id), ("address", "addresses", address)] {
        let different: HashSet<_> = of_week.iter().map(|e| of(e)).collect();
        row.put(format!("account_{many}_{week}"), (different.len() as f64).ln_1p());
        let is_new = of(txn).is_some() && !of_week.is_empty() && !different.contains(&of(txn));
        row.put(format!("account_{one}_new_{week}"), f64::from(u8::from(is_new)));
    }
    let amount = |e: &Transaction| e.amount.minor.unsigned_abs();
    let equal = of_week.iter().filter(|e| amount(e) == amount(txn)).count() as f64;
    row.put(format!("account_equal_amounts_{week}"), equal.ln_1p());
    let entropy: f64 = of_week
        .iter()
        .map(|e| {
            let share = of_week.iter().filter(|o| amount(o) == amount(e)).count() as f64 / of_week.len() as f64;
            -share.ln() / of_week.len() as f64
        })
        .sum();
    let repeats = if of_week.is_empty() { 0.0 } else { (of_week.len() as f64).ln() - entropy };
    row.put(format!("account_amount_repeats_{week}"), repeats);
    let is_below =
        |e: &Transaction| [1_000, 3_000, 5_000, 10_000, 15_000].iter().any(|t| (t * 90..t * 100).contains(&amount(e)));
    let below = of_week.iter().filter(|e| is_below(e)).count() as f64 + 1.0;
    row.put(format!("account_below_thresholds_{week}"), if is_below(txn) { below.ln_1p() } else { 0.0 });
    let text = amount(txn).to_string();
    let zeros = text.len() - text.trim_end_matches('0').len();
    row.put("amount_round", if amount(txn) == 0 { 0.0 } else { zeros.saturating_sub(2) as f64 });
    let least = of_hour.iter().map(|e| major(e)).reduce(f64::min);
    let after = least.map_or(0.0, |least| ((major(txn) + 0.01) / (least + 0.01) / 10.0).ln().max(0.0));
    row.put(format!("amount_after_test_{hour}"), after);
    let sum = |is_out: bool| {
        let recent = within(txn, *day_long, moves);
        let before: f64 = recent.iter().filter(|e| e.is_outflow() == is_out).map(|e| major(e)).sum();
        before + if txn.is_outflow() == is_out { major(txn) } else { 0.0 }
    };
    row.put(format!("account_passed_on_{day}"), sum(true).min(sum(false)).ln_1p());
    let gaps: Vec<f64> = moves.windows(2).map(|pair| (pair[1].at.0 - pair[0].at.0) as f64 / 1e6).collect();
    let pause = match moves.last() {
        Some(last) if !gaps.is_empty() => {
            let usual = gaps.iter().sum::<f64>() / gaps.len() as f64;
            let pause = (txn.at.0 - last.at.0) as f64 / 1e6;
            (((pause + 1.0) / (usual + 1.0)).ln() * believed(gaps.len())).max(0.0)
        }
        _ => 0.0,
    };
    row.put("account_pause_to_usual", pause);
    after_pay(row, txn, moves, day, *day_long);
}

/// How many payments follow pay: money in of half the mean before it, a day or more after the pay before.
fn after_pay(row: &mut Row, txn: &Transaction, moves: &[&Transaction], day: &str, day_long: i64) {
    let mut pays: Vec<usize> = Vec::new();
    for at in (0..moves.len()).filter(|&at| !moves[at].is_outflow()) {
        let before: Vec<_> = moves[..at].iter().filter(|e| !e.is_outflow()).map(|e| e.amount.minor).collect();
        let is_large = moves[at].amount.minor * 2 * before.len() as i64 >= before.iter().sum();
        if is_large && pays.last().is_none_or(|&last| moves[at].at.0 - moves[last].at.0 >= day_long) {
            pays.push(at);
        }
    }
    let is_within = |pay: usize, e: &Transaction| e.at.0 - moves[pay].at.0 < day_long;
    let followed = |pay: usize| moves[pay..].iter().filter(|e| e.is_outflow() && is_within(pay, e)).count() as f64;
    let (mut now, mut usual, mut ratio) = (0.0, 0.0, 0.0);
    if let Some((&last, before)) = pays.split_last()
        && txn.is_outflow()
        && is_within(last, txn)
    {
        now = followed(last) + 1.0;
        usual = before.iter().map(|&pay| followed(pay)).sum::<f64>() / (before.len() as f64).max(1.0);
        ratio = (now / (usual + 1.0)).ln() * believed(before.len());
    }
    row.put("account_count_after_pay", now);
    row.put("account_count_after_pay_usual", usual);
    row.put(format!("account_count_{day}_after_pay_to_usual"), ratio);
}
