//! The cases of a store as a desk, and back: only those that are concerned.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crible_alert::{AlertId, Severity};
use crible_case::{Case, CaseId, Desk, Event, Facts, Key, Personal, Settings, State, Status, What};
use crible_core::EntityId;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use crate::cases::{self, Shown};
use crate::key::Owner;
use crate::log::Draft;
use crate::sql::{self, Value, row, select_in};
use crate::store::{Reader, Txn};
use crate::{Error, points};

/// An event as the log has it: what it says about persons is apart, and sealed.
#[derive(Serialize, Deserialize)]
struct Logged {
    event: Event,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sealed: Vec<Sealed>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    /// Its place among the changes.
    change: usize,
    key: i64,
    bytes: String,
}

fn event_place(event: &Event, change: usize) -> String {
    format!("event/{}/{change}", event.operation)
}

pub(crate) fn alert_place(alert: AlertId) -> String {
    format!("alert/{alert}")
}

pub(crate) fn key_name(key: Key) -> String {
    match key {
        Key::Account(entity) => format!("account/{entity}"),
        Key::Ring(entity) => format!("ring/{entity}"),
        Key::Counterparty(entity) => format!("counterparty/{entity}"),
    }
}

pub(crate) fn id(case: CaseId) -> i64 {
    // Numbers are counted up from 1.
    i64::try_from(case.0).unwrap_or(i64::MAX)
}

impl Reader {
    /// The desk with these cases, and with those they share their history with. It does not know of others.
    ///
    /// # Errors
    /// [`Error`] where what is stored does not read.
    pub async fn desk(&mut self, settings: &Settings, cases: &BTreeSet<CaseId>) -> Result<Desk, Error> {
        let events = self.histories(cases).await?;
        let alerts: BTreeSet<AlertId> = events.iter().flat_map(alerts_of).collect();
        let facts = self.facts(&alerts).await?;
        let erased = alerts.into_iter().filter(|alert| !facts.contains_key(alert)).collect();
        let (case, operation) = (self.counters.case.unsigned_abs(), self.counters.operation.unsigned_abs());
        Ok(Desk::restore(settings.clone(), facts.into_values(), &erased, events, case, operation)?)
    }

    /// Everything that happened to these cases and to those that an event names together with one of them, in order.
    async fn histories(&mut self, cases: &BTreeSet<CaseId>) -> Result<Vec<Event>, Error> {
        let mut known = cases.clone();
        let mut next: Vec<CaseId> = cases.iter().copied().collect();
        let mut logged: BTreeMap<i64, Logged> = BTreeMap::new();
        while !next.is_empty() {
            let text = "SELECT operation FROM case_events WHERE case_id IN ({in})";
            let rows = select_in(self.db(), text, next.drain(..).map(|case| Value::from(id(case)))).await?;
            let mut operations = BTreeSet::new();
            for row in rows {
                operations.insert(row.try_get::<i64, _>("operation")?);
            }
            operations.retain(|operation| !logged.contains_key(operation));
            let text = "SELECT operation, body FROM log WHERE operation IN ({in})";
            for row in select_in(self.db(), text, operations.into_iter().map(Value::from)).await? {
                let (operation, body): (i64, &str) = (row.try_get("operation")?, row.try_get("body")?);
                let entry: Logged = serde_json::from_str(body).map_err(Error::damaged)?;
                next.extend(entry.event.cases.iter().filter(|case| known.insert(**case)));
                logged.insert(operation, entry);
            }
        }
        let keys: Vec<i64> = logged.values().flat_map(|entry| entry.sealed.iter().map(|sealed| sealed.key)).collect();
        self.fetch_keys(keys).await?;
        logged.into_values().map(|entry| self.unsealed(entry)).collect()
    }

    fn unsealed(&self, Logged { mut event, sealed }: Logged) -> Result<Event, Error> {
        for Sealed { change, key, bytes } in sealed {
            let bytes = BASE64.decode(bytes.as_bytes()).map_err(Error::damaged)?;
            if let Some(plain) = self.unseal(key, &event_place(&event, change), &bytes)? {
                let personal: Personal = serde_json::from_slice(&plain).map_err(Error::damaged)?;
                event.put_personal(change, personal);
            }
        }
        Ok(event)
    }

    /// These alerts, but for those that were erased.
    pub(crate) async fn facts(&mut self, alerts: &BTreeSet<AlertId>) -> Result<BTreeMap<AlertId, Facts>, Error> {
        let text = "SELECT id, key_id, sealed FROM alerts WHERE id IN ({in}) AND sealed IS NOT NULL";
        let rows = select_in(self.db(), text, alerts.iter().map(|alert| Value::from(alert.to_string()))).await?;
        let keys: Vec<i64> = rows.iter().map(|row| row.try_get("key_id")).collect::<Result<_, _>>()?;
        self.fetch_keys(keys.iter().copied()).await?;
        let mut facts = BTreeMap::new();
        for (row, key) in rows.iter().zip(keys) {
            let (alert, sealed): (AlertId, Vec<u8>) = (sql::parsed(row, "id")?, row.try_get("sealed")?);
            if let Some(plain) = self.unseal(key, &alert_place(alert), &sealed)? {
                facts.insert(alert, serde_json::from_slice(&plain).map_err(Error::damaged)?);
            }
        }
        Ok(facts)
    }

    /// The cases that these alerts may join or follow, or that have them.
    pub(crate) async fn concerned(&mut self, alerts: &[Facts]) -> Result<BTreeSet<CaseId>, Error> {
        let mut cases = BTreeSet::new();
        if self.counters.case == 0 {
            return Ok(cases);
        }
        let text = "SELECT case_id FROM alerts WHERE id IN ({in})";
        for row in select_in(self.db(), text, alerts.iter().map(|facts| Value::from(facts.id().to_string()))).await? {
            cases.insert(CaseId(sql::count(&row, "case_id")?));
        }
        let names: BTreeSet<String> = alerts.iter().flat_map(Key::of).map(key_name).collect();
        let text = "SELECT case_keys.name AS name, case_keys.case_id AS case_id, cases.is_open AS is_open \
                    FROM case_keys JOIN cases ON cases.id = case_keys.case_id WHERE case_keys.name IN ({in})";
        // Of the closed cases of an account only the last one counts.
        let mut closed: HashMap<String, CaseId> = HashMap::new();
        for row in select_in(self.db(), text, names.into_iter().map(Value::from)).await? {
            let (name, case): (String, CaseId) = (row.try_get("name")?, CaseId(sql::count(&row, "case_id")?));
            if row.try_get::<i64, _>("is_open")? != 0 {
                cases.insert(case);
            } else if name.starts_with("account/") {
                let last = closed.entry(name).or_insert(case);
                *last = case.max(*last);
            }
        }
        cases.extend(closed.into_values());
        Ok(cases)
    }

    /// The event of an operation, if there is one.
    pub(crate) async fn cases_of_operation(&mut self, operation: u64) -> Result<BTreeSet<CaseId>, Error> {
        let text = "SELECT case_id FROM case_events WHERE operation = $1";
        let operation = i64::try_from(operation).unwrap_or(i64::MAX);
        let rows = sqlx::query(text).bind(operation).fetch_all(self.db()).await?;
        rows.iter().map(|row| Ok(CaseId(sql::count(row, "case_id")?))).collect()
    }

    pub(crate) async fn cases_of_bulk(&mut self, first: u64) -> Result<BTreeSet<CaseId>, Error> {
        let text = "SELECT case_id FROM case_events WHERE bulk = $1";
        let rows = sqlx::query(text).bind(i64::try_from(first).unwrap_or(i64::MAX)).fetch_all(self.db()).await?;
        rows.iter().map(|row| Ok(CaseId(sql::count(row, "case_id")?))).collect()
    }
}

pub(crate) fn alerts_of(event: &Event) -> impl Iterator<Item = AlertId> {
    event.changes.iter().flat_map(|change| change.what.alerts()).copied()
}

impl Txn {
    /// Keeps what happened on the desk since it was made, and the content of these alerts.
    pub(crate) async fn save(&mut self, desk: &mut Desk, changed: &BTreeSet<AlertId>) -> Result<(), Error> {
        let events: Vec<Event> = desk.take_events().iter().map(|event| Event::clone(event)).collect();
        if events.is_empty() {
            return Ok(());
        }
        let touched: BTreeSet<CaseId> = events.iter().flat_map(|event| event.cases.iter().copied()).collect();
        let mut owners: BTreeSet<Owner> = events.iter().flat_map(owners_of).collect();
        owners.extend(changed.iter().filter_map(|alert| Some(Owner::Entity(desk.facts(*alert)?.account()))));
        owners.extend(touched.iter().filter_map(|case| cases::account(desk, *case).map(Owner::Entity)));
        self.keys_for(owners).await?;
        let moved = events.iter().any(|event| event.actor.person().is_some());
        self.save_events(events).await?;
        points::reach("between events and alerts");
        self.save_alerts(desk, changed).await?;
        if moved {
            self.save_places(desk, &touched).await?;
        }
        self.save_cases(desk, &touched).await?;
        let (case, operation) = desk.last_numbers();
        self.counters.case = i64::try_from(case).unwrap_or(i64::MAX);
        self.counters.operation = i64::try_from(operation).unwrap_or(i64::MAX);
        Ok(())
    }

    async fn save_events(&mut self, events: Vec<Event>) -> Result<(), Error> {
        let (mut drafts, mut places) = (Vec::with_capacity(events.len()), Vec::with_capacity(events.len()));
        for mut event in events {
            let operation = i64::try_from(event.operation.0).unwrap_or(i64::MAX);
            let bulk = event.bulk.map(|bulk| i64::try_from(bulk.0).unwrap_or(i64::MAX));
            places.extend(event.cases.iter().map(|case| row![id(*case), operation, bulk]));
            let mut sealed = Vec::new();
            for (change, personal) in event.take_personal() {
                let owner = owner_of(&personal, event.changes[change].case);
                let plain = serde_json::to_vec(&personal).map_err(Error::damaged)?;
                let (key, bytes) = self.seal(owner, &event_place(&event, change), &plain)?;
                sealed.push(Sealed { change, key, bytes: BASE64.encode(&bytes) });
            }
            let actor = event.actor.to_string();
            let body = serde_json::to_value(Logged { event, sealed }).map_err(Error::damaged)?;
            drafts.push(Draft { kind: "case", actor, operation: Some(operation), body });
        }
        self.append_log(drafts).await?;
        sql::insert(self.db(), "case_events (case_id, operation, bulk)", places, "").await?;
        Ok(())
    }

    async fn save_alerts(&mut self, desk: &Desk, changed: &BTreeSet<AlertId>) -> Result<(), Error> {
        let mut rows = Vec::with_capacity(changed.len());
        for alert in changed {
            let (Some(facts), Some(case)) = (desk.facts(*alert), desk.holder(*alert)) else { continue };
            let plain = serde_json::to_vec(facts).map_err(Error::damaged)?;
            let (key, sealed) = self.seal(Owner::Entity(facts.account()), &alert_place(*alert), &plain)?;
            let severity = facts.severity().as_str();
            rows.push(row![alert.to_string(), id(case), facts.at().0, severity, facts.alert().tail, key, sealed]);
        }
        let after = "ON CONFLICT (id) DO UPDATE SET case_id = excluded.case_id, at = excluded.at, \
                     severity = excluded.severity, tail = excluded.tail, key_id = excluded.key_id, \
                     sealed = excluded.sealed";
        sql::insert(self.db(), "alerts (id, case_id, at, severity, tail, key_id, sealed)", rows, after).await?;
        Ok(())
    }

    /// Which case has which alert, after people moved some.
    async fn save_places(&mut self, desk: &Desk, touched: &BTreeSet<CaseId>) -> Result<(), Error> {
        for &case in touched {
            let Some(state) = desk.case(case).and_then(Case::state) else { continue };
            let alerts: Vec<Value> = state.alerts.iter().map(|alert| Value::from(alert.to_string())).collect();
            let text = format!("UPDATE alerts SET case_id = {} WHERE id IN ({{in}})", id(case));
            sql::change_in(self.db(), &text, alerts).await?;
        }
        Ok(())
    }

    /// What lists show of these cases, what they are found by, and the labels that follow from them.
    pub(crate) async fn save_cases(&mut self, desk: &Desk, touched: &BTreeSet<CaseId>) -> Result<(), Error> {
        let ids = || touched.iter().map(|case| Value::from(id(*case)));
        sql::change_in(self.db(), "DELETE FROM case_keys WHERE case_id IN ({in})", ids()).await?;
        sql::change_in(self.db(), "DELETE FROM labels WHERE case_id IN ({in})", ids()).await?;
        let gone = touched.iter().filter(|case| desk.case(**case).and_then(Case::state).is_none());
        let gone: Vec<Value> = gone.map(|case| Value::from(id(*case))).collect();
        sql::change_in(self.db(), "DELETE FROM cases WHERE id IN ({in})", gone).await?;

        let (mut rows, mut names, mut labels) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (found, state) in touched.iter().filter_map(|case| {
            let found = desk.case(*case)?;
            Some((found, found.state()?))
        }) {
            let case = found.id();
            names.extend(found.keys().iter().map(|key| row![key_name(*key), id(case)]));
            for label in desk.labels(case) {
                let (class, source) = (cases::class_name(label.class), cases::source_name(label.source));
                let row = row![id(case), label.transaction.to_string(), source, label.known_at.0, class];
                labels.insert((case, label.transaction, label.source, label.known_at), row);
            }
            rows.push(self.case_row(desk, found, state)?);
        }
        let after: Vec<String> =
            cases::COLUMNS.split(", ").skip(1).map(|column| format!("{column} = excluded.{column}")).collect();
        let after = format!("ON CONFLICT (id) DO UPDATE SET {}", after.join(", "));
        sql::insert(self.db(), &format!("cases ({})", cases::COLUMNS), rows, &after).await?;
        sql::insert(self.db(), "case_keys (name, case_id)", names, "").await?;
        let labels = labels.into_values().collect();
        sql::insert(self.db(), "labels (case_id, txn, source, known_at, class)", labels, "").await?;
        Ok(())
    }

    fn case_row(&self, desk: &Desk, case: &Case, state: &State) -> Result<Vec<Value>, Error> {
        let summary = desk.summary(case.id());
        let (severity, tail) = summary.as_ref().map_or((Severity::Low, 1.0), |about| (about.severity, about.tail));
        let (key, sealed) = match (cases::account(desk, case.id()), &summary) {
            (Some(account), Some(summary)) => {
                let shown = Shown::new(account, summary);
                let plain = serde_json::to_vec(&shown).map_err(Error::damaged)?;
                let (key, sealed) = self.seal(Owner::Entity(account), &cases::place(case.id()), &plain)?;
                (Some(key), Some(sealed))
            }
            _ => (None, None),
        };
        let disposition = match &state.phase {
            crible_case::Phase::Closed { closing, .. } => Some(closing.disposition.as_str()),
            _ => None,
        };
        let changed = case.history().last().map_or(state.opened, |event| event.at);
        let tags: Vec<&str> = state.tags.iter().map(crible_case::Tag::as_str).collect();
        let status: Status = state.status();
        Ok(row![
            id(case.id()),
            status.as_str(),
            i64::from(state.is_open()),
            state.owner.as_ref().map(|owner| owner.as_str()),
            cases::rank(severity),
            tail,
            state.opened.0,
            changed.0,
            state.due.map(|due| due.0),
            state.alerts.len() as i64,
            state.unseen.len() as i64,
            i64::from(state.proposal.is_some()),
            disposition,
            format!(" {} ", tags.join(" ")),
            key,
            sealed,
        ])
    }
}

/// Whose keys seal what an event says.
fn owners_of(event: &Event) -> Vec<Owner> {
    let owners = event.changes.iter().filter_map(|change| match &change.what {
        What::Opened { subject: Some(subject), .. } => Some(Owner::Entity(subject.account)),
        What::Noted { text: Some(_) } => Some(Owner::Case(change.case)),
        _ => None,
    });
    owners.collect()
}

fn owner_of(personal: &Personal, case: CaseId) -> Owner {
    match personal {
        Personal::Subject(subject) => Owner::Entity(subject.account),
        Personal::Text(_) => Owner::Case(case),
    }
}

/// Whose alerts these are.
pub(crate) fn is_of(facts: &Facts, entity: EntityId) -> bool {
    facts.account() == entity
}
