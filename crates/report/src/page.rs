use std::collections::BTreeMap;

use crible_alert::{Severity, exact, wire};
use crible_core::{Amount, Timestamp};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::charts::{self, Bars, Neighbourhood, Timeline};

/// What the page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Its heading.
    pub title: String,
    /// When it was made, RFC 3339.
    pub made: String,
    /// The cases, the gravest first.
    pub cases: Vec<Case>,
    /// Cases that are not among them.
    pub left_out: u64,
}

/// A case.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its number.
    pub number: u64,
    /// Such as open, or closed as fraud.
    pub status: String,
    /// Who works on it.
    pub owner: Option<String>,
    /// What is at risk, one amount for each currency.
    pub at_risk: Vec<String>,
    /// Its alerts, in order of time.
    pub alerts: Vec<wire::Alert>,
    /// What its alerts turned out to be, where that is known.
    pub labels: Vec<Label>,
}

/// What an alert turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Of which severity it was.
    pub severity: Severity,
    /// Whether it was fraud.
    pub fraud: bool,
}

/// A page that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the page cannot be written")]
pub struct BadPage(#[from] minijinja::Error);

#[derive(Serialize)]
struct Shown<'a> {
    title: &'a str,
    made: &'a str,
    made_at: String,
    shown: usize,
    alerts: usize,
    left_out: u64,
    by_day: Option<Bars>,
    scores: Option<Bars>,
    precision: Vec<Band>,
    cases: Vec<ShownCase<'a>>,
}

#[derive(Serialize)]
struct Band {
    severity: &'static str,
    known: usize,
    fraud: usize,
    share: String,
}

#[derive(Serialize)]
struct ShownCase<'a> {
    number: u64,
    severity: &'static str,
    status: &'a str,
    owner: &'a str,
    at_risk: String,
    accounts: Vec<String>,
    single: bool,
    count: usize,
    timeline: Option<Timeline>,
    neighbourhood: Neighbourhood,
    alerts: Vec<ShownAlert<'a>>,
}

#[derive(Serialize)]
struct ShownAlert<'a> {
    at: String,
    datetime: &'a str,
    amount: String,
    severity: &'static str,
    score: String,
    counterparty: String,
    looks_like: &'a str,
    reasons: Vec<&'a str>,
    note: &'a str,
}

const TEMPLATE: &str = include_str!("../templates/page.html");
const NAME: &str = "page.html";

/// Writes the page. `name` says whom a pseudonym stands for, where that is known here.
///
/// # Errors
/// The page's template fails, which a test makes sure of.
pub fn write(page: &Page, name: impl Fn(&str) -> Option<String>) -> Result<String, BadPage> {
    let mut environment = Environment::empty();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template(NAME, TEMPLATE)?;
    let called = |pseudonym: &str| name(pseudonym).unwrap_or_else(|| pseudonym.to_owned());
    let all = || page.cases.iter().flat_map(|case| &case.alerts);
    let mut days: BTreeMap<&str, usize> = BTreeMap::new();
    for alert in all() {
        *days.entry(&alert.day).or_default() += 1;
    }
    let shown = Shown {
        title: &page.title,
        made: &page.made,
        made_at: minute(&page.made),
        shown: page.cases.len(),
        alerts: all().count(),
        left_out: page.left_out,
        by_day: charts::by_day(&days),
        scores: charts::scores(all().map(|alert| alert.score)),
        precision: precision(page.cases.iter().flat_map(|case| &case.labels)),
        cases: page.cases.iter().map(|case| shown(case, &called)).collect(),
    };
    Ok(environment.get_template(NAME)?.render(minijinja::value::Serde(shown))?)
}

fn precision<'a>(labels: impl Iterator<Item = &'a Label>) -> Vec<Band> {
    let mut counts: BTreeMap<Severity, (usize, usize)> = BTreeMap::new();
    for label in labels {
        let (known, fraud) = counts.entry(label.severity).or_default();
        *known += 1;
        *fraud += usize::from(label.fraud);
    }
    let band = |(severity, (known, fraud)): (Severity, (usize, usize))| Band {
        severity: severity.as_str(),
        known,
        fraud,
        share: format!("{:.0} %", fraud as f64 / known as f64 * 100.0),
    };
    counts.into_iter().rev().map(band).collect()
}

fn shown<'a>(case: &'a Case, called: &impl Fn(&str) -> String) -> ShownCase<'a> {
    let gravest = case.alerts.iter().map(|alert| alert.severity).max().unwrap_or(Severity::Low);
    let mut accounts: Vec<String> = case.alerts.iter().map(|alert| called(&alert.account)).collect();
    accounts.sort();
    accounts.dedup();
    ShownCase {
        number: case.number,
        severity: gravest.as_str(),
        status: &case.status,
        owner: case.owner.as_deref().unwrap_or_default(),
        at_risk: case.at_risk.join(", "),
        single: accounts.len() == 1,
        count: case.alerts.len(),
        accounts,
        timeline: charts::timeline(&case.alerts),
        neighbourhood: charts::neighbourhood(&case.alerts, called),
        alerts: case.alerts.iter().map(|alert| shown_alert(alert, called)).collect(),
    }
}

fn shown_alert<'a>(alert: &'a wire::Alert, called: &impl Fn(&str) -> String) -> ShownAlert<'a> {
    ShownAlert {
        at: minute(&alert.at),
        datetime: &alert.at,
        amount: format!("{} {}", amount(alert), alert.amount.currency),
        severity: alert.severity.as_str(),
        score: format!("{:.2}", alert.score),
        counterparty: alert.counterparty.as_deref().map(called).unwrap_or_default(),
        looks_like: alert.looks_like.as_deref().unwrap_or_default(),
        reasons: alert.reasons.iter().map(|reason| &*reason.text).collect(),
        note: alert.note.as_deref().unwrap_or_default(),
    }
}

/// An alert's amount as a person writes it.
fn amount(alert: &wire::Alert) -> String {
    let wire::Amount { value, currency } = &alert.amount;
    let read = currency.parse().ok().and_then(|currency| Amount::parse(value, currency).ok());
    read.map_or_else(|| value.clone(), exact)
}

/// A time to the minute.
fn minute(at: &str) -> String {
    let whole = at.parse::<Timestamp>().map_or_else(|_| at.to_owned(), |at| at.to_string());
    whole.get(..16).unwrap_or(&whole).replace('T', " ")
}
