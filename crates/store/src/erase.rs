//! What goes for good: a person who asked for it, and what is too old to be kept.

use std::collections::BTreeSet;

use crible_case::{Case, CaseId, Facts, Settings, User};
use crible_core::{EntityId, Timestamp, TxnId};
use serde_json::json;

use crate::address::Address;
use crate::desk::{alerts_of, is_of};
use crate::key::Owner;
use crate::sql::{self, Value, row, select_in};
use crate::store::{Store, Txn};
use crate::{Error, cases};

/// Cases that retention removes in one transaction.
const AT_ONCE: i64 = 500;

/// What became of a person's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erased {
    /// Keys that were destroyed.
    pub keys: u64,
    /// Alerts of which only the reference is left.
    pub alerts: u64,
    /// Cases that had one of these. What was written about them is gone as well.
    pub cases: u64,
    /// Deliveries of which nothing is left to send.
    pub deliveries: u64,
}

impl Txn {
    /// Erases a person, or an account: destroys their key, and with it what it sealed, wherever there is a copy. What
    /// people wrote about their cases goes as well. The history of the cases stays, without what it was about, and the
    /// audit log still verifies.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn erase(&mut self, settings: &Settings, person: EntityId, by: &User) -> Result<Erased, Error> {
        // Every case that has or had an alert of theirs shares its history with one that has one.
        let text = "SELECT case_id FROM case_keys WHERE name IN ({in})";
        let name = crate::desk::key_name(crible_case::Key::Account(person));
        let mut found = BTreeSet::new();
        for row in select_in(self.db(), text, [Value::from(name)]).await? {
            found.insert(CaseId(sql::count(&row, "case_id")?));
        }
        let desk = self.desk(settings, &found).await?;
        let events = || desk.cases().flat_map(|case| case.history());
        let theirs = |alert: &crible_alert::AlertId| desk.facts(*alert).is_some_and(|facts| is_of(facts, person));
        let alerts: BTreeSet<_> = events().flat_map(|event| alerts_of(event)).filter(theirs).collect();
        let touching = desk
            .cases()
            .filter(|case| case.history().iter().any(|event| alerts_of(event).any(|alert| alerts.contains(&alert))));
        let touching: BTreeSet<CaseId> = touching.map(Case::id).collect();
        let payments = alerts.iter().filter_map(|alert| desk.facts(*alert)).flat_map(Facts::payments);
        let payments: BTreeSet<TxnId> = payments.map(|payment| payment.transaction).collect();
        drop(desk);

        let mut owners = BTreeSet::from([Owner::Entity(person)]);
        owners.extend(touching.iter().copied().map(Owner::Case));
        let keys = self.destroy_keys(&owners).await?;
        let ids = || alerts.iter().map(|alert| Value::from(alert.to_string()));
        let text =
            "UPDATE alerts SET at = 0, severity = 'low', tail = 1.0, key_id = NULL, sealed = NULL WHERE id IN ({in})";
        sql::change_in(self.db(), text, ids()).await?;
        let payments = payments.iter().map(|payment| Value::from(payment.to_string()));
        sql::change_in(self.db(), "DELETE FROM labels WHERE txn IN ({in})", payments).await?;
        let person = || [Value::from(person.to_string())];
        let text = "UPDATE outbox SET state = 'withheld', why = 'the person was erased', \
                    settled = COALESCE(settled, due) WHERE state IN ('pending', 'dead') AND person IN ({in})";
        sql::change_in(self.db(), text, person()).await?;
        let text = "UPDATE outbox SET person = NULL, key_id = NULL, body = NULL, about = '-' WHERE person IN ({in})";
        let deliveries = sql::change_in(self.db(), text, person()).await?;
        sql::change_in(self.db(), "DELETE FROM streams WHERE person IN ({in})", person()).await?;

        // Lists and look-ups are made again from what is left.
        let desk = self.desk(settings, &touching).await?;
        let owners: Vec<Owner> =
            touching.iter().filter_map(|case| cases::account(&desk, *case)).map(Owner::Entity).collect();
        self.keys_for(owners).await?;
        self.save_cases(&desk, &touching).await?;
        let erased =
            Erased { keys: keys.len() as u64, alerts: alerts.len() as u64, cases: touching.len() as u64, deliveries };
        let body = json!({ "keys": keys, "alerts": erased.alerts, "cases": touching, "deliveries": deliveries });
        self.log("erased", by.as_str(), body).await?;
        Ok(erased)
    }

    /// Removes cases that are done since before a time, with their alerts, and deliveries that were settled before it.
    /// Cases that share their history with one that is not done, or was done later, stay. The audit log stays. Looks at
    /// cases with numbers above `after`: how many went, and the last number looked at, `None` where none was left.
    async fn retain(
        &mut self,
        settings: &Settings,
        before: Timestamp,
        by: &User,
        after: i64,
    ) -> Result<(u64, Option<i64>), Error> {
        let text = "SELECT id FROM cases WHERE is_open = 0 AND changed < $1 AND id > $2 ORDER BY id LIMIT $3";
        let rows = sqlx::query(text).bind(before.0).bind(after).bind(AT_ONCE).fetch_all(self.db()).await?;
        let mut done = BTreeSet::new();
        for row in &rows {
            done.insert(CaseId(sql::count(row, "id")?));
        }
        let last = done.last().map(|case| crate::desk::id(*case));
        let desk = self.desk(settings, &done).await?;
        let is_old = |case: &Case| {
            let latest = case.history().last().is_some_and(|event| event.at < before);
            latest && case.state().is_none_or(|state| !state.is_open())
        };
        let mut kept: BTreeSet<CaseId> = desk.cases().filter(|case| !is_old(case)).map(Case::id).collect();
        // Whoever shares an event with a case that stays, stays.
        loop {
            let joined = desk
                .cases()
                .filter(|case| !kept.contains(&case.id()))
                .filter(|case| case.history().iter().any(|event| event.cases.iter().any(|other| kept.contains(other))));
            let joined: Vec<CaseId> = joined.map(Case::id).collect();
            if joined.is_empty() {
                break;
            }
            kept.extend(joined);
        }
        let gone: BTreeSet<CaseId> = desk.cases().map(Case::id).filter(|case| !kept.contains(case)).collect();
        drop(desk);
        let ids = || gone.iter().copied().map(cases::bound);
        self.destroy_keys(&gone.iter().copied().map(Owner::Case).collect()).await?;
        for (table, column) in [
            ("alerts", "case_id"),
            ("labels", "case_id"),
            ("case_keys", "case_id"),
            ("case_events", "case_id"),
            ("cases", "id"),
        ] {
            sql::change_in(self.db(), &format!("DELETE FROM {table} WHERE {column} IN ({{in}})"), ids()).await?;
        }
        let told = gone.iter().map(|case| Value::from(case.to_string()));
        sql::change_in(self.db(), "DELETE FROM records WHERE kind IN ('told', 'notice_due') AND id IN ({in})", told)
            .await?;
        let text = "DELETE FROM outbox WHERE state <> 'pending' AND settled < $1".to_owned();
        let deliveries = sql::query(text, row![before.0]).execute(self.db()).await?.rows_affected();
        if !gone.is_empty() || deliveries > 0 {
            let body = json!({ "cases": gone.len(), "deliveries": deliveries, "before": before });
            self.log("retention", by.as_str(), body).await?;
        }
        Ok((gone.len() as u64, last))
    }
}

impl Store {
    /// Removes what is done since before a time; see the crate's documentation for what stays. How many cases went.
    ///
    /// # Errors
    /// [`Error`]; what was removed before stays removed.
    pub async fn remove_before(
        &self,
        settings: &Settings,
        before: Timestamp,
        by: &User,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let (mut all, mut after) = (0, Some(0));
        while let Some(last) = after {
            let mut txn = self.begin(now).await?;
            let gone;
            (gone, after) = txn.retain(settings, before, by, last).await?;
            txn.commit().await?;
            all += gone;
        }
        Ok(all)
    }

    /// Removes from SQLite's journal what an erasure or retention removed from the database.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn scrub(&self) -> Result<(), Error> {
        if let Address::File(_) = self.address {
            let mut db = self.connection().await?;
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(&mut *db).await?;
        }
        Ok(())
    }
}
