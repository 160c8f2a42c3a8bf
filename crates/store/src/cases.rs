//! Lists of cases and alerts, and what people do about them.

use std::collections::{BTreeMap, BTreeSet};

use crible_alert::{AlertId, Severity};
use crible_case::{
    Action, Bulk, CaseId, Desk, Disposition, Facts, OperationId, Order, Received, Refusal, Settings, Status, Summary,
    Tag, User,
};
use crible_core::{Amount, Class, EntityId, LabelEvent, LabelSource, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::Error;
use crate::desk::id;
use crate::sql::{self, Value, query};
use crate::store::{Reader, Txn};

/// Alerts that are taken in at once: memory is bounded by it.
pub(crate) const AT_ONCE: usize = 4_096;

pub(crate) const COLUMNS: &str = "id, status, is_open, owner, rank, tail, opened, changed, due, alerts, unseen, \
                                  proposed, disposition, tags, key_id, sealed";

/// What a list shows of a case that is about a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The account of its first alert.
    pub account: EntityId,
    /// How many accounts it has.
    pub accounts: usize,
    /// What its payments move, in or out, by currency.
    pub at_risk: Vec<String>,
    /// What it looks like, such as `a card being tested`.
    pub looks_like: Vec<String>,
}

impl Shown {
    pub(crate) fn new(account: EntityId, summary: &Summary) -> Self {
        let money = |(currency, minor): (&crible_core::Currency, &i128)| {
            let minor = i64::try_from(*minor).unwrap_or(i64::MAX);
            format!("{} {currency}", Amount::new(minor, *currency))
        };
        let looks_like = summary.views.iter().map(|view| view.looks_like.clone()).filter(|look| !look.is_empty());
        let at_risk = summary.at_risk.iter().map(money).collect();
        Self { account, accounts: summary.accounts, at_risk, looks_like: looks_like.collect() }
    }
}

/// A case in a list.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CaseRow {
    /// Its number.
    pub id: CaseId,
    /// How far it is.
    pub status: Status,
    /// Who works on it.
    pub owner: Option<String>,
    /// The gravest of its alerts'.
    pub severity: Severity,
    /// The lowest tail probability among its alerts.
    pub tail: f64,
    /// When it was opened.
    pub opened: Timestamp,
    /// When something last happened to it.
    pub changed: Timestamp,
    /// When it has to be done.
    pub due: Option<Timestamp>,
    /// How many alerts it has.
    pub alerts: u64,
    /// How many of them nobody has looked at.
    pub unseen: u64,
    /// Whether its closing waits for a second person.
    pub proposed: bool,
    /// What it turned out to be.
    pub disposition: Option<Disposition>,
    /// What is about a person; `None` once that was erased.
    pub shown: Option<Shown>,
}

/// Which cases to list.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CaseFilter {
    /// Only of this status. Unless given, those that are neither closed nor merged.
    pub status: Option<Status>,
    /// Closed and merged ones as well.
    pub all: bool,
    /// Only of this owner.
    pub owner: Option<User>,
    /// Only of this severity and graver.
    pub severity: Option<Severity>,
    /// Only with this word.
    pub tag: Option<Tag>,
    /// Only those that are due by now.
    pub overdue: bool,
}

impl CaseFilter {
    /// Only cases of one status.
    pub fn of(status: Status) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// The condition, and what it binds. What comes from outside is bound.
    fn condition(&self, now: Timestamp) -> (String, Vec<Value>) {
        let (mut parts, mut values) = (Vec::new(), Vec::new());
        let mut add = |part: &str, value: Value| {
            values.push(value);
            parts.push(part.replace('?', &format!("${}", values.len())));
        };
        match self.status {
            Some(status) => {
                add("is_open = ?", i64::from(!matches!(status, Status::Closed | Status::Merged)).into());
                add("status = ?", status.as_str().into());
            }
            None if self.all => {}
            None => add("is_open = ?", 1_i64.into()),
        }
        if let Some(owner) = &self.owner {
            add("owner = ?", owner.as_str().into());
        }
        if let Some(severity) = self.severity {
            add("rank >= ?", rank(severity).into());
        }
        if let Some(tag) = &self.tag {
            add("tags LIKE ? ESCAPE '\\'", format!("% {} %", tag.as_str().replace('_', "\\_")).into());
        }
        if self.overdue {
            add("due <= ?", now.0.into());
        }
        let parts = if parts.is_empty() { "1 = 1".to_owned() } else { parts.join(" AND ") };
        (parts, values)
    }
}

/// Graver ones are higher.
pub(crate) fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Low => 0,
        Severity::Medium => 1,
        Severity::High => 2,
        Severity::Critical => 3,
    }
}

pub(crate) fn place(case: CaseId) -> String {
    format!("case/{case}")
}

/// The account that a case is listed under: that of its first alert of which something is left.
pub(crate) fn account(desk: &Desk, case: CaseId) -> Option<EntityId> {
    desk.facts_of(case).first().map(|facts| facts.account())
}

pub(crate) const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Legitimate => "legitimate",
        Class::Fraud => "fraud",
    }
}

/// Only people and customers label here.
pub(crate) const fn source_name(source: LabelSource) -> &'static str {
    match source {
        LabelSource::Customer => "customer",
        _ => "analyst",
    }
}

impl Reader {
    /// Cases in the order in which to look at them, the gravest first, `most` of them after the first `skip`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn cases(&mut self, filter: &CaseFilter, skip: u32, most: u32) -> Result<Vec<CaseRow>, Error> {
        let (condition, mut values) = filter.condition(self.now);
        values.extend([i64::from(most).into(), i64::from(skip).into()]);
        let (limit, offset) = (values.len() - 1, values.len());
        let text = format!(
            "SELECT {COLUMNS} FROM cases WHERE {condition} ORDER BY is_open DESC, rank DESC, tail, id \
             LIMIT ${limit} OFFSET ${offset}"
        );
        let rows = query(text, values).fetch_all(self.db()).await?;
        let keys = rows.iter().map(|row| row.try_get::<Option<i64>, _>("key_id")).collect::<Result<Vec<_>, _>>()?;
        self.fetch_keys(keys.into_iter().flatten()).await?;
        rows.iter().map(|row| self.case_of_row(row)).collect()
    }

    /// How many cases there are of these.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn count_cases(&mut self, filter: &CaseFilter) -> Result<u64, Error> {
        let (condition, values) = filter.condition(self.now);
        let text = format!("SELECT COUNT(*) AS n FROM cases WHERE {condition}");
        sql::count(&query(text, values).fetch_one(self.db()).await?, "n")
    }

    fn case_of_row(&self, row: &AnyRow) -> Result<CaseRow, Error> {
        let case = CaseId(sql::count(row, "id")?);
        let word = |what: &str| Error::damaged(format_args!("case {case}: {what}"));
        let status: &str = row.try_get("status")?;
        let all = [Status::Open, Status::Assigned, Status::Waiting, Status::Closed, Status::Merged];
        let status = all.into_iter().find(|known| known.as_str() == status).ok_or_else(|| word("status"))?;
        let disposition: Option<&str> = row.try_get("disposition")?;
        let disposition = Disposition::ALL.into_iter().find(|known| Some(known.as_str()) == disposition);
        let place_in_rank: i64 = row.try_get("rank")?;
        let severity = Severity::ALL.into_iter().find(|known| rank(*known) == place_in_rank);
        let key: Option<i64> = row.try_get("key_id")?;
        let sealed: Option<Vec<u8>> = row.try_get("sealed")?;
        let shown = match key.zip(sealed) {
            Some((key, sealed)) => self.unseal(key, &place(case), &sealed)?,
            None => None,
        };
        Ok(CaseRow {
            id: case,
            status,
            owner: row.try_get("owner")?,
            severity: severity.ok_or_else(|| word("severity"))?,
            tail: row.try_get("tail")?,
            opened: Timestamp(row.try_get("opened")?),
            changed: Timestamp(row.try_get("changed")?),
            due: row.try_get::<Option<i64>, _>("due")?.map(Timestamp),
            alerts: sql::count(row, "alerts")?,
            unseen: sql::count(row, "unseen")?,
            proposed: row.try_get::<i64, _>("proposed")? != 0,
            disposition,
            shown: shown.map(|plain| serde_json::from_slice(&plain)).transpose().map_err(Error::damaged)?,
        })
    }

    /// An alert; `None` where there is none, or it was erased.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn alert(&mut self, alert: AlertId) -> Result<Option<Facts>, Error> {
        Ok(self.facts(&BTreeSet::from([alert])).await?.remove(&alert))
    }

    /// The case that has an alert.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn case_of(&mut self, alert: AlertId) -> Result<Option<CaseId>, Error> {
        let text = "SELECT case_id FROM alerts WHERE id = $1";
        let row = sqlx::query(text).bind(alert.to_string()).fetch_optional(self.db()).await?;
        row.map(|row| Ok(CaseId(sql::count(&row, "case_id")?))).transpose()
    }

    /// Alerts with the case that has each, the latest first, `most` of them after the first `skip`; without those that
    /// were erased.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn alerts(&mut self, skip: u32, most: u32) -> Result<Vec<(CaseId, Facts)>, Error> {
        let text = "SELECT id, case_id FROM alerts WHERE sealed IS NOT NULL ORDER BY at DESC, id LIMIT $1 OFFSET $2";
        let rows = sqlx::query(text).bind(i64::from(most)).bind(i64::from(skip)).fetch_all(self.db()).await?;
        let mut places = Vec::with_capacity(rows.len());
        for row in &rows {
            places.push((sql::parsed::<AlertId>(row, "id")?, CaseId(sql::count(row, "case_id")?)));
        }
        let mut facts: BTreeMap<AlertId, Facts> = self.facts(&places.iter().map(|(alert, _)| *alert).collect()).await?;
        Ok(places.into_iter().filter_map(|(alert, case)| Some((case, facts.remove(&alert)?))).collect())
    }

    /// Every alert, in order of time, a page at a time: those after `after`, which is the time and reference of the
    /// last one seen.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn alerts_after(&mut self, after: Option<(Timestamp, AlertId)>, most: u32) -> Result<Vec<Facts>, Error> {
        let (at, last) = after.map_or((i64::MIN, String::new()), |(at, alert)| (at.0, alert.to_string()));
        let text = "SELECT id, at FROM alerts WHERE (at > $1 OR (at = $1 AND id > $2)) AND sealed IS NOT NULL \
                    ORDER BY at, id LIMIT $3";
        let rows = sqlx::query(text).bind(at).bind(last).bind(i64::from(most)).fetch_all(self.db()).await?;
        let alerts: BTreeSet<AlertId> = rows.iter().map(|row| sql::parsed(row, "id")).collect::<Result<_, _>>()?;
        let mut facts: Vec<Facts> = self.facts(&alerts).await?.into_values().collect();
        facts.sort_by_key(|facts| (facts.at(), facts.id()));
        Ok(facts)
    }

    /// All labels that follow from cases, in order of transaction and time.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn labels(&mut self) -> Result<Vec<LabelEvent>, Error> {
        let text = "SELECT txn, source, known_at, class FROM labels ORDER BY txn, known_at, source, case_id";
        let rows = sqlx::query(text).fetch_all(self.db()).await?;
        let label = |row: &AnyRow| {
            let (class, source): (&str, &str) = (row.try_get("class")?, row.try_get("source")?);
            let class = if class == class_name(Class::Fraud) { Class::Fraud } else { Class::Legitimate };
            let is_customer = source == source_name(LabelSource::Customer);
            let source = if is_customer { LabelSource::Customer } else { LabelSource::Analyst };
            let known_at = Timestamp(row.try_get("known_at")?);
            Ok(LabelEvent { transaction: sql::parsed(row, "txn")?, class, known_at, source })
        };
        rows.iter().map(label).collect()
    }

    /// A case and everything it is made of; the desk has no other than it and those it shares its history with.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn desk_of(&mut self, settings: &Settings, case: CaseId) -> Result<Desk, Error> {
        self.desk(settings, &BTreeSet::from([case])).await
    }
}

impl Txn {
    /// Takes alerts in, in this order, and says what became of each.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn receive(
        &mut self,
        settings: &Settings,
        alerts: Vec<Facts>,
    ) -> Result<Vec<(AlertId, Received)>, Error> {
        let mut received = Vec::with_capacity(alerts.len());
        let mut alerts = alerts.into_iter().peekable();
        while alerts.peek().is_some() {
            let part: Vec<Facts> = alerts.by_ref().take(AT_ONCE).collect();
            let cases = self.concerned(&part).await?;
            let mut desk = self.desk(settings, &cases).await?;
            let (mut changed, now) = (BTreeSet::new(), self.now);
            for facts in part {
                let alert = facts.id();
                let became = desk.receive(facts, now);
                if !matches!(became, Received::Known(_)) {
                    changed.insert(alert);
                }
                received.push((alert, became));
            }
            self.save(&mut desk, &changed).await?;
        }
        Ok(received)
    }

    /// Takes in what a customer answered when asked about an alert; `None` where there is no such alert.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn answer(
        &mut self,
        settings: &Settings,
        alert: AlertId,
        theirs: bool,
    ) -> Result<Option<(CaseId, OperationId)>, Error> {
        let Some(case) = self.case_of(alert).await? else { return Ok(None) };
        let mut desk = self.desk_of(settings, case).await?;
        let operation = desk.answer(alert, theirs, self.now);
        self.save(&mut desk, &BTreeSet::new()).await?;
        Ok(operation.map(|operation| (case, operation)))
    }

    /// Does something about one case. The inner [`Refusal`] says why not; nothing changed then.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn act(
        &mut self,
        settings: &Settings,
        order: &Order,
        case: CaseId,
        action: &Action,
    ) -> Result<Result<OperationId, Refusal>, Error> {
        let mut cases = BTreeSet::from([case]);
        if let Action::Merge(into) = action {
            cases.insert(*into);
        }
        let mut desk = self.desk(settings, &cases).await?;
        let done = desk.act(order, case, action);
        self.save(&mut desk, &BTreeSet::new()).await?;
        Ok(done)
    }

    /// Does the same about many cases.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn act_on_all(
        &mut self,
        settings: &Settings,
        order: &Order,
        cases: &BTreeSet<CaseId>,
        action: &Action,
    ) -> Result<Result<Bulk, Refusal>, Error> {
        let mut desk = self.desk(settings, cases).await?;
        let done = desk.act_on_all(order, cases.iter().copied(), action);
        self.save(&mut desk, &BTreeSet::new()).await?;
        Ok(done)
    }

    /// Takes back what a person did.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn undo(
        &mut self,
        settings: &Settings,
        order: &Order,
        operation: OperationId,
    ) -> Result<Result<OperationId, Refusal>, Error> {
        let cases = self.cases_of_operation(operation.0).await?;
        let mut desk = self.desk(settings, &cases).await?;
        let done = desk.undo(order, operation);
        self.save(&mut desk, &BTreeSet::new()).await?;
        Ok(done)
    }

    /// Takes back a bulk action, by its first operation.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn undo_bulk(
        &mut self,
        settings: &Settings,
        order: &Order,
        first: OperationId,
    ) -> Result<Result<Bulk, Refusal>, Error> {
        let cases = self.cases_of_bulk(first.0).await?;
        let mut desk = self.desk(settings, &cases).await?;
        let done = desk.undo_bulk(order, first);
        self.save(&mut desk, &BTreeSet::new()).await?;
        Ok(done)
    }
}

/// What a case is stored under.
pub(crate) fn bound(case: CaseId) -> Value {
    id(case).into()
}
