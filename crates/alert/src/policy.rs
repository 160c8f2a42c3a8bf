//! What turns decisions into alerts.

mod daily;
mod kept;
mod threshold;

use std::fmt;

use crible_core::{Timestamp, TxnId, Window};

use crate::{Alert, Decision, Score, Severity};

pub use daily::DailyBudget;
pub use threshold::Threshold;

/// Decides which scored transactions become alerts, and when.
///
/// A policy reads no clock. It goes by the transactions' time, and by what [`Policy::tick`] is given. What comes late
/// within the lateness is placed in its own day, which stays open for it; what comes after its day was closed counts
/// for the first day that is still open. Nothing that was offered is lost.
///
/// What it holds can be saved and goes on elsewhere, to the bit.
pub trait Policy: fmt::Debug + Send {
    /// Whether an offer could become an alert. Where this is `false`, the offer may be left out, which changes no
    /// alert. It is asked of every transaction, so it is quick.
    fn admits(&self, at: Timestamp, score: Score, severity: Severity) -> bool;

    /// Takes a decision into account, and returns the alerts that it settles.
    ///
    /// # Errors
    /// [`PolicyError::BadScore`]; the policy is then as it was.
    fn offer(&mut self, decision: Decision) -> Result<Vec<Alert>, PolicyError>;

    /// The same of a decision whose time may turn out to be wrong: it counts for its day, but sets no time. Where it was
    /// right, the next transactions set it.
    ///
    /// # Errors
    /// As [`Policy::offer`].
    fn offer_ahead(&mut self, decision: Decision) -> Result<Vec<Alert>, PolicyError>;

    /// Sets the time to `now`, by a transaction or by a clock: closes the days that nothing can be late for any more,
    /// and returns their alerts, day by day. A time before the latest changes nothing.
    fn tick(&mut self, now: Timestamp) -> Vec<Alert>;

    /// Closes every day, and returns the alerts: for the end of a file. The policy goes on with the next day.
    fn finish(&mut self) -> Vec<Alert>;

    /// Calls `visit` for every decision that is held back, so that it can be explained while its model is at hand.
    fn visit_held(&mut self, visit: &mut dyn FnMut(&mut Decision));

    /// How late a transaction may come. Days stay open for as long.
    fn allow_late(&mut self, lateness: Window);

    /// What is held, as bytes for [`Policy::load`].
    fn save(&self) -> Vec<u8>;

    /// Puts what was saved in the place of what is held. Settings, such as a budget, stay as they are.
    ///
    /// # Errors
    /// [`PolicyError::NotSaved`]; the policy is then as it was.
    fn load(&mut self, bytes: &[u8]) -> Result<(), PolicyError>;
}

/// Why a policy cannot do what was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A score that is no number to decide by.
    #[error(
        "transaction {id} scores {raw} with tail probability {tail}: expected a finite score and a probability from 0 \
         to 1"
    )]
    BadScore {
        /// The transaction.
        id: TxnId,
        /// The score.
        raw: f64,
        /// The tail probability.
        tail: f64,
    },
    /// Bytes that no policy of this kind saved.
    #[error("this is no saved {policy}: {what}")]
    NotSaved {
        /// The policy.
        policy: &'static str,
        /// What is wrong with the bytes.
        what: String,
    },
}

fn check(decision: &Decision) -> Result<(), PolicyError> {
    let Decision { txn, score, .. } = decision;
    if score.is_sound() {
        return Ok(());
    }
    Err(PolicyError::BadScore { id: txn.id, raw: score.raw, tail: score.tail })
}
