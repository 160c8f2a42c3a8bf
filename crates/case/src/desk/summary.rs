//! What a case is about, in figures and in words.

use std::collections::{BTreeMap, BTreeSet};

use crible_alert::{AlertId, Severity};
use crible_core::{Class, Currency, LabelEvent, LabelSource, Timestamp, TxnId};

use super::Desk;
use crate::facts::{Facts, Payment};
use crate::{CaseId, Disposition, Phase};

/// What a case is about.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Its accounts.
    pub accounts: usize,
    /// The payments of all its alerts, each once, in order of time.
    pub payments: Vec<Payment>,
    /// What these move, in or out: minor units by currency.
    pub at_risk: BTreeMap<Currency, i128>,
    /// The gravest of its alerts'; critical where a customer said that a payment was not theirs.
    pub severity: Severity,
    /// The lowest tail probability among its alerts: cases are ranked by severity, then by it.
    pub tail: f64,
    /// What speaks against it.
    pub views: Vec<View>,
}

/// What one view of the model says about a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// What it looks like to it, such as `a card being tested`; empty where the model has no words for it.
    pub looks_like: String,
    /// The alerts that say so, in order of time.
    pub alerts: Vec<AlertId>,
    /// Their reasons, each sentence once, in order of time.
    pub reasons: Vec<String>,
}

impl Desk {
    /// What a case is about; `None` where it is not there or holds no alert.
    pub fn summary(&self, case: CaseId) -> Option<Summary> {
        let facts = self.facts_of(case);
        let first = facts.first()?;
        let mut summary = Summary {
            accounts: facts.iter().map(|facts| facts.account()).collect::<BTreeSet<_>>().len(),
            payments: Vec::new(),
            at_risk: self.at_risk(case),
            severity: first.severity(),
            tail: 1.0,
            views: Vec::new(),
        };
        let mut seen = BTreeSet::new();
        for facts in facts {
            let alert = facts.alert();
            summary.severity = summary.severity.max(facts.severity());
            summary.tail = summary.tail.min(alert.tail);
            summary.payments.extend(facts.payments().iter().filter(|payment| seen.insert(payment.transaction)));
            let looks_like = alert.looks_like.as_deref().unwrap_or_default();
            let place = summary.views.iter().position(|view| view.looks_like == looks_like);
            let place = place.unwrap_or_else(|| {
                let looks_like = looks_like.to_owned();
                summary.views.push(View { looks_like, alerts: Vec::new(), reasons: Vec::new() });
                summary.views.len() - 1
            });
            let view = &mut summary.views[place];
            view.alerts.push(alert.id);
            for reason in &alert.reasons {
                if !view.reasons.contains(&reason.text) {
                    view.reasons.push(reason.text.clone());
                }
            }
        }
        let state = self.case(case).and_then(|case| case.state());
        if state.is_some_and(|state| state.answers.iter().any(|answer| !answer.theirs)) {
            summary.severity = Severity::Critical;
        }
        summary.payments.sort_by_key(|payment| (payment.at, payment.transaction));
        Some(summary)
    }

    /// What the payments of a case move, in or out: minor units by currency. A payment of several alerts counts once.
    pub fn at_risk(&self, case: CaseId) -> BTreeMap<Currency, i128> {
        let payments: BTreeMap<TxnId, Payment> = self
            .facts_of(case)
            .into_iter()
            .flat_map(Facts::payments)
            .map(|payment| (payment.transaction, *payment))
            .collect();
        let mut sums = BTreeMap::new();
        for Payment { amount, .. } in payments.values() {
            *sums.entry(amount.currency).or_insert(0) += i128::from(amount.minor).abs();
        }
        sums
    }

    /// What a case says about its transactions: the customer's answers, and the analyst's disposition where it says
    /// fraud or legitimate.
    pub fn labels(&self, case: CaseId) -> Vec<LabelEvent> {
        let Some(state) = self.case(case).and_then(|case| case.state()) else { return Vec::new() };
        let mut labels = Vec::new();
        for answer in &state.answers {
            let class = if answer.theirs { Class::Legitimate } else { Class::Fraud };
            let own = self.facts(answer.alert).and_then(|facts| facts.alert().transaction.parse().ok());
            labels.extend(own.map(|transaction| label(transaction, class, answer.at, LabelSource::Customer)));
        }
        if let Phase::Closed { closing, .. } = &state.phase {
            let class = match closing.disposition {
                Disposition::Fraud => Some(Class::Fraud),
                Disposition::Legitimate => Some(Class::Legitimate),
                Disposition::Inconclusive | Disposition::Duplicate => None,
            };
            let judged = state.judged.iter().filter_map(|alert| self.facts(*alert));
            let payments: BTreeSet<TxnId> = judged.flat_map(Facts::payments).map(|paid| paid.transaction).collect();
            labels.extend(
                class.into_iter().flat_map(|class| {
                    payments.iter().map(move |&id| label(id, class, closing.at, LabelSource::Analyst))
                }),
            );
        }
        labels
    }

    /// The alerts of a case, in order of time.
    pub fn facts_of(&self, case: CaseId) -> Vec<&Facts> {
        let state = self.case(case).and_then(|case| case.state());
        let held = state.into_iter().flat_map(|state| &state.alerts).filter_map(|alert| self.facts(*alert));
        let mut facts: Vec<&Facts> = held.collect();
        facts.sort_by_key(|facts| (facts.at(), facts.id()));
        facts
    }
}

fn label(transaction: TxnId, class: Class, known_at: Timestamp, source: LabelSource) -> LabelEvent {
    LabelEvent { transaction, class, known_at, source }
}
