//! Decisions in saved policies. The layout is written down here, apart from the types that are worked with: these may
//! change.

use std::borrow::Cow;
use std::fmt::Display;

use crible_core::{KeptTransaction, Source, Timestamp, Undo, Unit};
use serde::{Deserialize, Serialize};

use super::PolicyError;
use crate::{Decision, ModelId, Note, Reason, Score, Severity};

pub(super) fn unreadable(policy: &'static str, what: impl Display) -> PolicyError {
    PolicyError::NotSaved { policy, what: what.to_string() }
}

#[derive(Serialize, Deserialize)]
pub(super) struct KeptDecision {
    txn: KeptTransaction,
    raw: f64,
    tail: f64,
    severity: Severity,
    reasons: Vec<KeptReason>,
    row: Vec<f32>,
    model: u64,
    /// File and row.
    source: Option<(u32, u64)>,
    /// What it looks like.
    view: Option<String>,
    /// Whether it is a refund and no reversal, and when that was.
    undone: Option<(bool, i64)>,
}

#[derive(Serialize, Deserialize)]
struct KeptReason {
    column: String,
    unit: u8,
    value: f64,
    typical: Option<f64>,
    share: f64,
    text: String,
}

/// Units by the number they are saved as: places that may never change.
const UNITS: [Unit; 11] = [
    Unit::Money,
    Unit::Count,
    Unit::Ratio,
    Unit::Deviations,
    Unit::Seconds,
    Unit::Share,
    Unit::Kilometres,
    Unit::KilometresPerHour,
    Unit::Hour,
    Unit::Weekday,
    Unit::Flag,
];

impl KeptDecision {
    pub(super) fn of(decision: &Decision) -> Self {
        let Decision { txn, score, severity, reasons, row, model, source, note, view, .. } = decision;
        let reason = |reason: &Reason| KeptReason {
            column: reason.column.to_string(),
            unit: UNITS.iter().position(|unit| *unit == reason.unit).map_or(u8::MAX, |at| at as u8),
            value: reason.value,
            typical: reason.typical,
            share: reason.share,
            text: reason.text.clone(),
        };
        Self {
            txn: KeptTransaction::of(txn),
            raw: score.raw,
            tail: score.tail,
            severity: *severity,
            reasons: reasons.iter().map(reason).collect(),
            row: row.to_vec(),
            model: model.0,
            source: source.map(|source| (source.file, source.row)),
            view: view.as_deref().map(str::to_owned),
            undone: note.map(|Note::Undone { how, at }| (how == Undo::Refund, at.0)),
        }
    }

    /// `None` where no decision leaves this.
    pub(super) fn revive(self) -> Option<Decision> {
        let reason = |kept: KeptReason| {
            // A unit of a later version: its number is shown as a ratio.
            let unit = UNITS.get(usize::from(kept.unit)).copied().unwrap_or(Unit::Ratio);
            let KeptReason { column, value, typical, share, text, .. } = kept;
            Reason { column: Cow::Owned(column), unit, value, typical, share, text }
        };
        let note = self.undone.map(|(is_refund, at)| Note::Undone {
            how: if is_refund { Undo::Refund } else { Undo::Reversal },
            at: Timestamp(at),
        });
        Some(Decision {
            txn: self.txn.revive()?,
            score: Score { raw: self.raw, tail: self.tail },
            severity: self.severity,
            reasons: self.reasons.into_iter().map(reason).collect(),
            row: self.row.into(),
            model: ModelId(self.model),
            source: self.source.map(|(file, row)| Source { file, row }),
            view: self.view.map(Cow::Owned),
            note,
            is_own: true,
        })
    }
}
