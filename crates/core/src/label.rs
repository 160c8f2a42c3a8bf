//! Labels: what is found out about transactions, when, and from whom.

use std::collections::BTreeMap;

use crate::{Timestamp, TxnId};

/// What a transaction turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Class {
    /// Legitimate.
    Legitimate,
    /// Fraud.
    Fraud,
}

/// The source of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum LabelSource {
    /// The feed's own label column.
    Feed,
    /// A rule.
    Rule,
    /// The customer, asked or on their own account.
    Customer,
    /// A chargeback.
    Chargeback,
    /// An analyst who closed a case.
    Analyst,
}

/// A label, as an event: it did not hold before it was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LabelEvent {
    /// The transaction it is about.
    pub transaction: TxnId,
    /// What it turned out to be.
    pub class: Class,
    /// When this became known: a chargeback arrives weeks after the payment.
    pub known_at: Timestamp,
    /// The source.
    pub source: LabelSource,
}

impl LabelEvent {
    /// What orders the labels of one transaction: the later one counts, and of two of one instant that of the better
    /// source.
    fn order(&self) -> (Timestamp, LabelSource, Class) {
        (self.known_at, self.source, self.class)
    }
}

/// All labels there are, each visible from the time on at which it became known.
///
/// ```
/// use crible_core::{Class, LabelEvent, LabelSource, Labels, Timestamp, TxnId};
///
/// let mut labels = Labels::default();
/// let [paid, charged_back] = [0, 30].map(|day| Timestamp(day * Timestamp::DAY));
/// let (transaction, source) = (TxnId(7), LabelSource::Chargeback);
/// labels.record(LabelEvent { transaction, class: Class::Fraud, known_at: charged_back, source });
/// assert_eq!(labels.as_of(transaction, paid), None);
/// assert_eq!(labels.as_of(transaction, charged_back).map(|label| label.class), Some(Class::Fraud));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Each transaction's in their order.
    of: BTreeMap<TxnId, Vec<LabelEvent>>,
}

impl Labels {
    /// Takes a label in, in any order. Whether it is new: the same event twice is one.
    pub fn record(&mut self, event: LabelEvent) -> bool {
        let events = self.of.entry(event.transaction).or_default();
        match events.binary_search_by_key(&event.order(), LabelEvent::order) {
            Ok(_) => false,
            Err(at) => {
                events.insert(at, event);
                true
            }
        }
    }

    /// The label of a transaction that counts at `now`: the latest that is known by then.
    pub fn as_of(&self, transaction: TxnId, now: Timestamp) -> Option<LabelEvent> {
        Self::latest(self.of.get(&transaction)?, now)
    }

    /// All labels that count at `now`, one for each transaction, in the order of their references.
    pub fn all_as_of(&self, now: Timestamp) -> impl Iterator<Item = LabelEvent> {
        self.of.values().filter_map(move |events| Self::latest(events, now))
    }

    fn latest(events: &[LabelEvent], now: Timestamp) -> Option<LabelEvent> {
        let known = events.partition_point(|event| event.known_at <= now);
        events[..known].last().copied()
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.of.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}

impl Extend<LabelEvent> for Labels {
    fn extend<I: IntoIterator<Item = LabelEvent>>(&mut self, events: I) {
        events.into_iter().for_each(|event| {
            self.record(event);
        });
    }
}

/// A feed's own label column, kept beside the transactions and never inside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Truth {
    /// The feed has no label.
    #[default]
    Unknown,
    /// Legitimate.
    Legitimate,
    /// Fraud.
    Fraud,
}

impl Truth {
    /// The feed's own label, if it has one.
    pub fn class(self) -> Option<Class> {
        match self {
            Self::Unknown => None,
            Self::Legitimate => Some(Class::Legitimate),
            Self::Fraud => Some(Class::Fraud),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events() -> impl Strategy<Value = Vec<LabelEvent>> {
        let source = prop::sample::select(vec![LabelSource::Feed, LabelSource::Customer, LabelSource::Analyst]);
        let event = (0u128..6, any::<bool>(), 0i64..20, source).prop_map(|(id, fraud, at, source)| LabelEvent {
            transaction: TxnId(id),
            class: if fraud { Class::Fraud } else { Class::Legitimate },
            known_at: Timestamp(at),
            source,
        });
        prop::collection::vec(event, 0..40)
    }

    proptest! {
        /// Nothing known after T is visible as of T: the store is then what it would be had it never been recorded.
        #[test]
        fn nothing_is_known_before_its_time(events in events(), now in -1i64..21) {
            let (mut all, mut known) = (Labels::default(), Labels::default());
            let now = Timestamp(now);
            all.extend(events.iter().copied());
            known.extend(events.iter().copied().filter(|event| event.known_at <= now));
            for id in 0..6 {
                let label = all.as_of(TxnId(id), now);
                prop_assert!(label.is_none_or(|label| label.known_at <= now && label.transaction == TxnId(id)));
                prop_assert_eq!(label, known.as_of(TxnId(id), now));
            }
            prop_assert_eq!(all.all_as_of(now).collect::<Vec<_>>(), known.all_as_of(now).collect::<Vec<_>>());
        }

        /// The order in which labels arrive, and how often, changes nothing.
        #[test]
        fn order_does_not_matter(events in events()) {
            let (mut there, mut back) = (Labels::default(), Labels::default());
            there.extend(events.iter().copied());
            back.extend(events.iter().rev().chain(&events).copied());
            prop_assert!(there.len() <= events.len());
            prop_assert_eq!(there, back);
        }
    }
}
