//! Charts, as the numbers that the page draws.

use std::collections::{BTreeMap, BTreeSet};

use crible_alert::{Severity, wire};
use crible_core::Timestamp;
use serde::Serialize;

/// Bars with what each stands for.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bars {
    pub(crate) bars: Vec<Bar>,
    pub(crate) width: u32,
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) most: usize,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) count: usize,
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

const BARS_WIDTH: u32 = 600;
const BARS_HEIGHT: u32 = 120;
/// Most bars: of more days several share one.
const MOST_BARS: usize = 60;

fn bars(groups: Vec<(String, usize)>) -> Option<Bars> {
    let most = groups.iter().map(|(_, count)| *count).max().filter(|most| *most > 0)?;
    let (first, last) = (groups.first()?.0.clone(), groups.last()?.0.clone());
    let step = BARS_WIDTH / u32::try_from(groups.len()).ok()?.max(1);
    let bar = |(place, (label, count)): (u32, (String, usize))| {
        let height = (u64::from(BARS_HEIGHT) * count as u64).div_ceil(most as u64) as u32;
        let width = step.saturating_sub(2).clamp(1, 40);
        Bar { label, count, x: place * step, y: BARS_HEIGHT - height, width, height }
    };
    let bars = (0..).zip(groups).map(bar).collect();
    Some(Bars { bars, width: BARS_WIDTH, first, last, most })
}

/// Alerts a day, from the first day to the last, days without any included.
pub(crate) fn by_day(counts: &BTreeMap<&str, usize>) -> Option<Bars> {
    let day = |text: &str| format!("{text}T00:00:00Z").parse::<Timestamp>().ok().map(Timestamp::day);
    let known: BTreeMap<i64, usize> = counts.iter().filter_map(|(text, count)| Some((day(text)?, *count))).collect();
    let (first, last) = (*known.first_key_value()?.0, *known.last_key_value()?.0);
    let days = last - first + 1;
    let at_once = (days + MOST_BARS as i64 - 1) / MOST_BARS as i64;
    let date = |day: i64| {
        let (year, month, day) = Timestamp(day.saturating_mul(Timestamp::DAY)).civil_date();
        format!("{year:04}-{month:02}-{day:02}")
    };
    let group = |start: i64| {
        let end = (start + at_once - 1).min(last);
        let count = known.range(start..=end).map(|(_, count)| count).sum();
        let label = if end > start { format!("{} to {}", date(start), date(end)) } else { date(start) };
        (label, count)
    };
    let starts = (0..(days + at_once - 1) / at_once).map(|place| first + place * at_once);
    bars(starts.map(group).collect())
}

/// How many alerts have which score.
pub(crate) fn scores(scores: impl Iterator<Item = f64>) -> Option<Bars> {
    const GROUPS: usize = 20;
    let scores: Vec<f64> = scores.filter(|score| score.is_finite()).collect();
    let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let step = (most - least) / GROUPS as f64;
    if !step.is_finite() {
        return None;
    }
    let groups = if step > 0.0 { GROUPS } else { 1 };
    let mut counts = vec![0; groups];
    for score in scores {
        // What is not above zero lies in the first; the largest in the last.
        let place = if step > 0.0 { ((score - least) / step) as usize } else { 0 };
        counts[place.min(groups - 1)] += 1;
    }
    let label =
        |place: usize| format!("{:.2} to {:.2}", least + step * place as f64, least + step * (place + 1) as f64);
    bars(counts.into_iter().enumerate().map(|(place, count)| (label(place), count)).collect())
}

/// The payments of a case along time.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Timeline {
    pub(crate) points: Vec<Point>,
    pub(crate) first: String,
    pub(crate) last: String,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Point {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) radius: u32,
    pub(crate) severity: &'static str,
    pub(crate) label: String,
}

const TIMELINE_WIDTH: f64 = 560.0;
const TIMELINE_HEIGHT: f64 = 60.0;
const MARGIN: f64 = 20.0;
/// Most points of one case.
const MOST_POINTS: usize = 400;

/// Alerts along time, larger amounts higher. Amounts of one currency are compared with each other alone.
pub(crate) fn timeline(alerts: &[wire::Alert]) -> Option<Timeline> {
    let time = |alert: &wire::Alert| alert.at.parse::<Timestamp>().ok();
    let amount =
        |alert: &wire::Alert| alert.amount.value.parse::<f64>().ok().filter(|a| a.is_finite()).map_or(0.0, f64::abs);
    let times: Vec<Timestamp> = alerts.iter().filter_map(time).collect();
    let (first, last) = (*times.iter().min()?, *times.iter().max()?);
    let mut largest: BTreeMap<&str, f64> = BTreeMap::new();
    for alert in alerts {
        let largest = largest.entry(&alert.amount.currency).or_default();
        *largest = largest.max(amount(alert));
    }
    let span = (last.0.saturating_sub(first.0)) as f64;
    let point = |alert: &wire::Alert| {
        let at = time(alert)?;
        let along = if span > 0.0 { at.0.saturating_sub(first.0) as f64 / span } else { 0.5 };
        let largest = largest.get(&*alert.amount.currency).copied().unwrap_or_default();
        let up = if largest > 0.0 { amount(alert) / largest } else { 0.0 };
        let radius = match alert.severity {
            Severity::Critical => 7,
            Severity::High => 6,
            Severity::Medium => 5,
            Severity::Low => 4,
        };
        Some(Point {
            x: (MARGIN + along * TIMELINE_WIDTH) as u32,
            y: (MARGIN + (1.0 - up) * TIMELINE_HEIGHT) as u32,
            radius,
            severity: alert.severity.as_str(),
            label: format!("{}: {} {}, {}", at, alert.amount.value, alert.amount.currency, alert.severity),
        })
    };
    let points = alerts.iter().take(MOST_POINTS).filter_map(point).collect();
    let date = |at: Timestamp| at.to_string().get(..16).unwrap_or_default().replace('T', " ");
    Some(Timeline { points, first: date(first), last: date(last) })
}

/// Whom the accounts of a case paid, and with which devices.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Neighbourhood {
    pub(crate) accounts: Vec<Node>,
    pub(crate) parties: Vec<Node>,
    pub(crate) devices: Vec<Node>,
    pub(crate) lines: Vec<Line>,
    pub(crate) height: u32,
    /// What is not drawn.
    pub(crate) more: usize,
    pub(crate) sentence: String,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) y: u32,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) width: u32,
}

/// Most nodes on either side.
const MOST_NODES: usize = 12;
/// Most devices.
const MOST_DEVICES: usize = 6;
const STEP: u32 = 28;
/// Longest name that fits.
const NAME: usize = 23;

/// A number of things, in English.
fn counted(number: usize, thing: &str) -> String {
    match (number, thing.strip_suffix('y')) {
        (1, _) => format!("1 {thing}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {thing}s"),
    }
}

/// What an account is joined with by a line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Other<'a> {
    Party(&'a str),
    Device(&'a str),
}

/// Accounts on the left, counterparties and devices on the right, and a line for each pair of them.
pub(crate) fn neighbourhood(alerts: &[wire::Alert], called: &impl Fn(&str) -> String) -> Neighbourhood {
    let mut pairs: BTreeMap<(&str, Other<'_>), u32> = BTreeMap::new();
    let mut weight: BTreeMap<Other<'_>, u32> = BTreeMap::new();
    let accounts: BTreeSet<&str> = alerts.iter().map(|alert| &*alert.account).collect();
    for alert in alerts {
        let party = alert.counterparty.as_deref().map(Other::Party);
        for other in party.into_iter().chain(alert.ring.as_deref().map(Other::Device)) {
            *pairs.entry((&alert.account, other)).or_default() += 1;
            *weight.entry(other).or_default() += 1;
        }
    }
    let most = |is_device: bool| {
        let of_kind = weight.iter().filter(|(other, _)| matches!(other, Other::Device(_)) == is_device);
        let mut others: Vec<(Other<'_>, u32)> = of_kind.map(|(other, count)| (*other, *count)).collect();
        others.sort_by_key(|(other, count)| (std::cmp::Reverse(*count), *other));
        others
    };
    let (mut parties, mut devices) = (most(false), most(true));
    let (all_parties, all_devices, all_accounts) = (parties.len(), devices.len(), accounts.len());
    parties.truncate(MOST_NODES);
    devices.truncate(MOST_DEVICES);
    let height_of = |place: usize| STEP + STEP * u32::try_from(place).unwrap_or(0);
    let left: BTreeMap<&str, u32> =
        accounts.into_iter().take(MOST_NODES).enumerate().map(|(place, account)| (account, height_of(place))).collect();
    let others = parties.iter().chain(&devices).enumerate();
    let right: BTreeMap<Other<'_>, u32> = others.map(|(place, (other, _))| (*other, height_of(place))).collect();
    let line = |((account, other), count): (&(&str, Other<'_>), &u32)| {
        Some(Line { from: *left.get(account)?, to: *right.get(other)?, width: (*count).min(6) })
    };
    let lines = pairs.iter().filter_map(line).collect();
    let node = |name: String, y: u32| Node { name: name.chars().take(NAME).collect(), y };
    let mut drawn = (Vec::new(), Vec::new());
    for (other, y) in &right {
        match other {
            Other::Party(name) => drawn.0.push(node(called(name), *y)),
            Other::Device(name) => drawn.1.push(node(format!("device {}", called(name)), *y)),
        }
    }
    let height = STEP + STEP * u32::try_from(left.len().max(right.len())).unwrap_or(0);
    let from = match all_devices {
        0 => String::new(),
        count => format!(", with {}", counted(count, "device")),
    };
    Neighbourhood {
        accounts: left.iter().map(|(name, y)| node(called(name), *y)).collect(),
        parties: drawn.0,
        devices: drawn.1,
        lines,
        height,
        more: all_parties.saturating_sub(MOST_NODES)
            + all_devices.saturating_sub(MOST_DEVICES)
            + all_accounts.saturating_sub(MOST_NODES),
        sentence: format!("{} paid {}{from}", counted(all_accounts, "account"), counted(all_parties, "counterparty")),
    }
}
