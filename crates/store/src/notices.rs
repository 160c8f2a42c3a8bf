//! Of which cases people are to be told, and when.
//!
//! Whatever makes a case worth telling wakes it, in the same transaction. [`Txn::notices`] asks
//! [`Grouping`](crible_case::Grouping) about those that are awake, and lets those sleep that have nothing to be told.

use std::collections::{BTreeMap, BTreeSet};

use crible_alert::wire;
use crible_case::{CaseId, Desk, Grouping, Notice, Settings, Summary, Told};
use crible_core::Timestamp;

use crate::Error;
use crate::intake::kind;
use crate::sql::{self, Value, row};
use crate::store::{Reader, Txn};

/// Cases that are looked at together.
const AT_ONCE: usize = 500;

/// A notice that is due, and what the case is now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DueNotice {
    /// The case.
    pub case: CaseId,
    /// Which notice, and why.
    pub notice: Notice,
    /// Who works on it.
    pub owner: Option<String>,
    /// How many alerts it has, those included that were erased.
    pub alerts: usize,
    /// How many of them nobody has looked at.
    pub unseen: usize,
    /// What it is about.
    pub summary: Summary,
    /// The gravest alert that nobody has looked at.
    pub alert: wire::Alert,
}

impl Reader {
    /// When to look next whether people are to be told of a case.
    ///
    /// # Errors
    /// [`Error::Damaged`] where a record does not read.
    pub async fn next_notice(&mut self) -> Result<Option<Timestamp>, Error> {
        Ok(self.records::<Timestamp>(kind::NOTICE_DUE).await?.into_iter().map(|(_, due)| due).min())
    }
}

impl Txn {
    /// There is something new about these cases: they are looked at by the next [`Txn::notices`].
    ///
    /// # Errors
    /// [`Error`].
    pub async fn wake(&mut self, cases: &BTreeSet<CaseId>) -> Result<(), Error> {
        let now = self.now;
        self.look_at(cases.iter().map(|case| (*case, now)).collect()).await
    }

    async fn look_at(&mut self, due: Vec<(CaseId, Timestamp)>) -> Result<(), Error> {
        let rows = due.into_iter().map(|(case, due)| {
            let body = serde_json::to_string(&due).map_err(Error::damaged)?;
            Ok(row![kind::NOTICE_DUE, case.to_string(), body])
        });
        let rows = rows.collect::<Result<Vec<_>, Error>>()?;
        let after = "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body";
        sql::insert(self.db(), "records (kind, id, body)", rows, after).await?;
        Ok(())
    }

    /// The notices that are due now. They count as told: write what is to be sent before the commit.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn notices(&mut self, settings: &Settings, grouping: &Grouping) -> Result<Vec<DueNotice>, Error> {
        let now = self.now;
        let awake: Vec<(String, Timestamp)> = self.records(kind::NOTICE_DUE).await?;
        let mut cases = Vec::new();
        for (id, _) in awake.iter().filter(|(_, due)| *due <= now) {
            cases.push(CaseId(id.parse().map_err(|_| Error::damaged(format_args!("{} {id}", kind::NOTICE_DUE)))?));
        }
        let mut notices = Vec::new();
        for part in cases.chunks(AT_ONCE) {
            let part: BTreeSet<CaseId> = part.iter().copied().collect();
            let desk = self.desk(settings, &part).await?;
            let mut told = self.told(&part).await?;
            let (mut sleep, mut later, mut changed) = (Vec::new(), Vec::new(), Vec::new());
            for case in part {
                let before = told.remove(&case).unwrap_or_default();
                let Some((due, next)) = look(&desk, case, grouping, before, now) else {
                    sleep.push(case);
                    continue;
                };
                match next {
                    Some(at) => later.push((case, at)),
                    None => sleep.push(case),
                }
                if let Some((notice, after)) = due {
                    changed.push((case, after));
                    notices.push(notice);
                }
            }
            self.look_at(later).await?;
            let ids = sleep.into_iter().map(|case| Value::from(case.to_string()));
            let text = format!("DELETE FROM records WHERE kind = '{}' AND id IN ({{in}})", kind::NOTICE_DUE);
            sql::change_in(self.db(), &text, ids).await?;
            let rows = changed.into_iter().map(|(case, told)| {
                Ok(row![kind::TOLD, case.to_string(), serde_json::to_string(&told).map_err(Error::damaged)?])
            });
            let rows = rows.collect::<Result<Vec<_>, Error>>()?;
            let after = "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body";
            sql::insert(self.db(), "records (kind, id, body)", rows, after).await?;
        }
        Ok(notices)
    }

    async fn told(&mut self, cases: &BTreeSet<CaseId>) -> Result<BTreeMap<CaseId, Told>, Error> {
        let text = format!("SELECT id, body FROM records WHERE kind = '{}' AND id IN ({{in}})", kind::TOLD);
        let ids = cases.iter().map(|case| Value::from(case.to_string()));
        let mut told = BTreeMap::new();
        for row in sql::select_in(self.db(), &text, ids).await? {
            let (case, body): (u64, &str) = (sql::parsed(&row, "id")?, sqlx::Row::try_get(&row, "body")?);
            told.insert(CaseId(case), serde_json::from_str(body).map_err(Error::damaged)?);
        }
        Ok(told)
    }
}

/// The notice of a case that is due, with what was told after it, and when to look again; `None` where there is nothing
/// to tell.
#[expect(clippy::type_complexity, reason = "two things that may be, and both may not")]
fn look(
    desk: &Desk,
    case: CaseId,
    grouping: &Grouping,
    told: Told,
    now: Timestamp,
) -> Option<(Option<(DueNotice, Told)>, Option<Timestamp>)> {
    let state = desk.case(case)?.state()?;
    let summary = desk.summary(case)?;
    let severity = summary.severity;
    let notice = grouping.next(&told, state, severity, now)?;
    if notice.due > now {
        return Some((None, Some(notice.due)));
    }
    // The gravest, and of equals the strangest.
    let unseen = desk.facts_of(case).into_iter().filter(|facts| state.unseen.contains(&facts.id()));
    let gravest = unseen.max_by(|a, b| {
        a.severity().cmp(&b.severity()).then(b.alert().tail.total_cmp(&a.alert().tail)).then(b.id().cmp(&a.id()))
    })?;
    let after = told.after(&notice, state, severity, now);
    let next = grouping.next(&after, state, severity, now).map(|notice| notice.due);
    let (alert, owner) = (gravest.alert().clone(), state.owner.as_ref().map(|owner| owner.as_str().to_owned()));
    let (alerts, unseen) = (state.alerts.len(), state.unseen.len());
    Some((Some((DueNotice { case, notice, owner, alerts, unseen, summary, alert }, after)), next))
}
