//! Cases for people to read, and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crible_alert::exact;
use crible_case::{Case, CaseId, Change, Desk, Event, Phase, What};
use crible_core::{Amount, Currency, Timestamp};
use crible_ingest::plain;
use crible_store::CaseRow;
use serde_json::{Value, json};

/// Alerts on a page; the JSON has all.
const MOST_ALERTS: usize = 40;

/// A table of cases. `all` is how many there are, of which some were left out.
pub(crate) fn table(rows: &[CaseRow], all: u64, skipped: u32, now: Timestamp) -> String {
    let mut page = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| {
        // Writing to a string has nothing to fail on.
        let _ = writeln!(page, "{}", plain(&text.to_string()));
    };
    line(format_args!(
        "{:>8} {:<9} {:<9} {:<12} {:>6} {:>6} {:<17} {:<18} {}",
        "case", "severity", "status", "owner", "alerts", "unseen", "opened", "account", "at risk"
    ));
    for row in rows {
        let owner = row.owner.as_deref().unwrap_or("-");
        let owner: String = owner.chars().take(12).collect();
        let (account, at_risk) = match &row.shown {
            Some(shown) => {
                let more = if shown.accounts > 1 { format!("+{}", shown.accounts - 1) } else { String::new() };
                let look = shown.looks_like.first().map(|look| format!("  {look}")).unwrap_or_default();
                (format!("{}{more}", shown.account), format!("{}{look}", shown.at_risk.join(", ")))
            }
            None => ("erased".to_owned(), String::new()),
        };
        let due = if row.due.is_some_and(|due| due <= now) { "  due" } else { "" };
        let proposed = if row.proposed { "  to be confirmed" } else { "" };
        let disposition = row.disposition.map(|known| format!("  {known}")).unwrap_or_default();
        line(format_args!(
            "{:>8} {:<9} {:<9} {:<12} {:>6} {:>6} {:<17} {:<18} {at_risk}{disposition}{proposed}{due}",
            row.id.to_string(),
            row.severity.as_str(),
            row.status.as_str(),
            owner,
            row.alerts,
            row.unseen,
            minute(row.opened),
            account,
        ));
    }
    let first = u64::from(skipped) + 1;
    let last = u64::from(skipped) + rows.len() as u64;
    if rows.is_empty() || (skipped == 0 && last == all) {
        line(format_args!("{all} cases"));
    } else {
        line(format_args!("{first} to {last} of {all} cases"));
    }
    page
}

pub(crate) fn row_json(row: &CaseRow) -> Value {
    json!({
        "case": row.id,
        "status": row.status,
        "owner": row.owner,
        "severity": row.severity,
        "tail": row.tail,
        "opened": row.opened,
        "changed": row.changed,
        "due": row.due,
        "alerts": row.alerts,
        "unseen": row.unseen,
        "to_be_confirmed": row.proposed,
        "disposition": row.disposition,
        "account": row.shown.as_ref().map(|shown| shown.account),
        "accounts": row.shown.as_ref().map(|shown| shown.accounts),
        "at_risk": row.shown.as_ref().map(|shown| &shown.at_risk),
        "looks_like": row.shown.as_ref().map(|shown| &shown.looks_like),
    })
}

/// Everything about a case; `None` where it is not there.
pub(crate) fn json(desk: &Desk, id: CaseId) -> Option<Value> {
    let case = desk.case(id)?;
    let state = case.state()?;
    let undone = case.undone();
    let history = case.history().iter().map(|event| {
        let mut event_json = serde_json::to_value(Event::clone(event)).unwrap_or_default();
        if let (Value::Object(fields), Some(by)) = (&mut event_json, undone.get(&event.operation)) {
            fields.insert("undone_by".to_owned(), json!(by));
        }
        event_json
    });
    let notes = state.notes.iter().map(|note| json!({ "at": note.at, "by": note.by.to_string(), "text": note.text }));
    let (closing, confirmed) = match &state.phase {
        Phase::Closed { closing, confirmed } => (Some(closing), confirmed.as_ref()),
        _ => (None, None),
    };
    Some(json!({
        "case": id,
        "status": state.status(),
        "owner": state.owner,
        "opened": state.opened,
        "due": state.due,
        "tags": state.tags,
        "closing": closing,
        "confirmed_by": confirmed,
        "proposal": state.proposal,
        "alerts": desk.facts_of(id).iter().map(|facts| facts.alert()).collect::<Vec<_>>(),
        "unseen": state.unseen,
        "notes": notes.collect::<Vec<_>>(),
        "labels": desk.labels(id),
        "history": history.collect::<Vec<_>>(),
    }))
}

/// A case on a page; `None` where it is not there.
pub(crate) fn text(desk: &Desk, id: CaseId, now: Timestamp) -> Option<String> {
    let case = desk.case(id)?;
    let state = case.state()?;
    let mut page = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| {
        // Writing to a string has nothing to fail on.
        let _ = writeln!(page, "{}", plain(&text.to_string()));
    };
    let owner = state.owner.as_ref().map_or("nobody", |owner| owner.as_str());
    line(format_args!("case {id}: {}, {owner} works on it", state.status()));
    if let Some(due) = state.due {
        line(format_args!("due {due}{}", if due <= now { ": that is over" } else { "" }));
    }
    match &state.phase {
        Phase::Closed { closing, confirmed } => {
            let confirmed = confirmed.as_ref().map(|user| format!(", confirmed by {user}")).unwrap_or_default();
            line(format_args!(
                "closed as {} by {} at {}{confirmed}",
                closing.disposition,
                closing.by,
                second(closing.at)
            ));
        }
        Phase::Waiting { until: Some(until) } => line(format_args!("waits until {until}")),
        Phase::Merged { into } => line(format_args!("goes on in case {into}")),
        Phase::Waiting { until: None } | Phase::Live => {}
    }
    if let Some(closing) = &state.proposal {
        line(format_args!(
            "{} proposed to close it as {}: somebody else has to confirm",
            closing.by, closing.disposition
        ));
    }
    if !state.tags.is_empty() {
        let tags: Vec<&str> = state.tags.iter().map(|tag| tag.as_str()).collect();
        line(format_args!("tags: {}", tags.join(", ")));
    }
    if let Some(about) = desk.summary(id) {
        line(format_args!(
            "{}, {} at risk in {} of {}",
            about.severity,
            money(&about.at_risk).join(", "),
            counted(about.payments.len(), "payment"),
            counted(about.accounts, "account")
        ));
    }
    let erased = state.alerts.len() - desk.facts_of(id).len();
    if erased > 0 {
        line(format_args!("{erased} of its alerts are erased"));
    }
    for facts in desk.facts_of(id).into_iter().take(MOST_ALERTS) {
        let alert = facts.alert();
        let new = if state.unseen.contains(&alert.id) { "  new" } else { "" };
        let looks_like = alert.looks_like.as_deref().map(|look| format!("  {look}")).unwrap_or_default();
        let own = facts.payments().iter().find(|payment| payment.transaction.to_string() == alert.transaction);
        let amount = own.map_or_else(|| alert.amount.value.clone(), |own| exact(own.amount));
        line(format_args!("\n{} {amount} {}{looks_like}{new}", alert.at, alert.amount.currency));
        line(format_args!("  {} {}, account {}", facts.severity(), alert.id, alert.account));
        for reason in &alert.reasons {
            line(format_args!("  - {}", reason.text));
        }
    }
    line(format_args!("\nhistory"));
    let undone = case.undone();
    for event in case.history() {
        let taken = undone.get(&event.operation).map(|by| format!("  (taken back by {by})")).unwrap_or_default();
        line(format_args!(
            "{:>6} {} {}: {}{taken}",
            event.operation.to_string(),
            second(event.at),
            event.actor,
            told(event, case)
        ));
    }
    Some(page)
}

/// Sums of money as people write them, one for each currency.
pub(crate) fn money(sums: &BTreeMap<Currency, i128>) -> Vec<String> {
    let one = |(currency, minor): (&Currency, &i128)| {
        let minor = i64::try_from(*minor).unwrap_or(i64::MAX);
        format!("{} {currency}", exact(Amount::new(minor, *currency)))
    };
    sums.iter().map(one).collect()
}

fn counted(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// A time to the minute, UTC.
fn minute(at: Timestamp) -> String {
    at.to_string().get(..16).unwrap_or_default().replace('T', " ")
}

/// A time to the second.
fn second(at: Timestamp) -> String {
    format!("{}Z", at.to_string().get(..19).unwrap_or_default())
}

/// What an event did to a case, in words.
fn told(event: &Event, case: &Case) -> String {
    let undoes = event.undoes.map(|target| format!("takes back operation {target}"));
    let changes = event.changes.iter().filter(|change| change.case == case.id()).map(change);
    undoes.into_iter().chain(changes).collect::<Vec<_>>().join("; ")
}

fn change(Change { what, .. }: &Change) -> String {
    let alerts = |alerts: &[crible_alert::AlertId]| match alerts.len() {
        1 => "an alert".to_owned(),
        n => format!("{n} alerts"),
    };
    match what {
        What::Opened { alerts: held, .. } => format!("opened with {}", alerts(held)),
        What::Joined { alerts: held } => format!("{} came", alerts(held)),
        What::Left { alerts: held } => format!("{} left", alerts(held)),
        What::Updated { graver: true, .. } => "an alert became graver".to_owned(),
        What::Updated { graver: false, .. } => "an alert changed".to_owned(),
        What::Owned { by: Some(by) } => format!("{by} works on it"),
        What::Owned { by: None } => "nobody works on it".to_owned(),
        What::Waiting { until: Some(until) } => format!("waits until {until}"),
        What::Waiting { until: None } => "waits".to_owned(),
        What::Resumed => "goes on".to_owned(),
        What::Proposed { closing } => format!("proposed to close it as {}", closing.disposition),
        What::Rejected => "rejected the proposal".to_owned(),
        What::Closed { closing, .. } => format!("closed as {}", closing.disposition),
        What::Reopened => "opened again".to_owned(),
        What::Noted { text: Some(text) } => format!("wrote: {}", text.as_str()),
        What::Noted { text: None } => "wrote something that is erased".to_owned(),
        What::Due { at: Some(at) } => format!("due {at}"),
        What::Due { at: None } => "due at no date".to_owned(),
        What::Tagged { tag } => format!("tagged {}", tag.as_str()),
        What::Untagged { tag } => format!("no longer tagged {}", tag.as_str()),
        What::Merged { into } => format!("merged into case {into}"),
        What::MustConfirm => "takes a second person to close".to_owned(),
        What::Answered { theirs: true, .. } => "the customer says the payment was theirs".to_owned(),
        What::Answered { theirs: false, .. } => "the customer says the payment was not theirs".to_owned(),
        _ => "changed".to_owned(),
    }
}
