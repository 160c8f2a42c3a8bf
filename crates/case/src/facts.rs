use crible_alert::{AlertId, Severity, wire};
use crible_core::{Amount, BadText, Currency, EntityId, Timestamp, TxnId};
use serde::{Deserialize, Serialize};

/// An alert as it came, with what cases are made by read out of its texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct Facts {
    alert: wire::Alert,
    account: EntityId,
    counterparty: Option<EntityId>,
    ring: Option<EntityId>,
    at: Timestamp,
    payments: Vec<Payment>,
    /// What rules and lists made of its severity.
    judged: Option<Severity>,
}

/// One payment that an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its reference.
    pub transaction: TxnId,
    /// When it happened.
    pub at: Timestamp,
    /// How much, signed.
    pub amount: Amount,
}

/// What is saved: the rest is read again.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    alert: wire::Alert,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ring: Option<EntityId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    judged: Option<Severity>,
}

/// An alert whose texts are not what its schema says.
#[derive(Debug, thiserror::Error)]
#[error("alert {alert}: {what}")]
pub struct BadAlert {
    /// The alert.
    pub alert: AlertId,
    what: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Facts {
    /// Reads an alert. `ring` is what its account is linked with, such as the accounts that share its device, where
    /// the caller knows of one; otherwise it is what the alert says.
    ///
    /// # Errors
    /// [`BadAlert`] where a reference, a time or an amount does not read.
    pub fn new(alert: wire::Alert, ring: Option<EntityId>) -> Result<Self, BadAlert> {
        let id = alert.id;
        let fault = |field: &str, source: Box<dyn std::error::Error + Send + Sync>| BadAlert {
            alert: id,
            what: format!("{field}: {source}"),
            source,
        };
        let text = |field: &'static str| move |error: BadText| fault(field, error.into());
        let money = |amount: &wire::Amount| -> Result<Amount, BadAlert> {
            let currency: Currency = amount.currency.parse().map_err(text("currency"))?;
            Amount::parse(&amount.value, currency).map_err(|error| fault("amount", error.into()))
        };
        let account = alert.account.parse().map_err(text("account"))?;
        let counterparty = alert.counterparty.as_deref().map(str::parse).transpose().map_err(text("counterparty"))?;
        let linked = alert.ring.as_deref().map(str::parse).transpose().map_err(text("ring"))?;
        let ring = ring.or(linked);
        let at = alert.at.parse().map_err(text("at"))?;
        let own = Payment {
            transaction: alert.transaction.parse().map_err(text("transaction"))?,
            at,
            amount: money(&alert.amount)?,
        };
        let mut payments = vec![own];
        for payment in &alert.payments {
            let transaction = payment.transaction.parse().map_err(text("payments"))?;
            if transaction != own.transaction {
                let at = payment.at.parse().map_err(text("payments"))?;
                payments.push(Payment { transaction, at, amount: money(&payment.amount)? });
            }
        }
        payments.sort_by_key(|payment| (payment.at, payment.transaction));
        Ok(Self { account, counterparty, ring, at, payments, alert, judged: None })
    }

    /// The alert's reference.
    pub fn id(&self) -> AlertId {
        self.alert.id
    }

    /// The alert as it came.
    pub fn alert(&self) -> &wire::Alert {
        &self.alert
    }

    /// The account's pseudonym.
    pub fn account(&self) -> EntityId {
        self.account
    }

    /// The other side's.
    pub fn counterparty(&self) -> Option<EntityId> {
        self.counterparty
    }

    /// What the account is linked with.
    pub fn ring(&self) -> Option<EntityId> {
        self.ring
    }

    /// When the transaction happened.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// How seriously to take it: what rules and lists say, otherwise what the alert says.
    pub fn severity(&self) -> Severity {
        self.judged.unwrap_or(self.alert.severity)
    }

    /// With the severity that rules and lists give it.
    pub fn judged(mut self, severity: Severity) -> Self {
        self.judged = Some(severity).filter(|severity| *severity != self.alert.severity);
        self
    }

    /// The transaction and the other payments of its story, in order of time.
    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }
}

impl TryFrom<Kept> for Facts {
    type Error = BadAlert;

    fn try_from(kept: Kept) -> Result<Self, BadAlert> {
        let facts = Self::new(kept.alert, kept.ring)?;
        Ok(Self { judged: kept.judged, ..facts })
    }
}

impl From<Facts> for Kept {
    fn from(facts: Facts) -> Self {
        Self { alert: facts.alert, ring: facts.ring, judged: facts.judged }
    }
}
