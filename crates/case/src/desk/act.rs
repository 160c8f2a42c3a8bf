//! What people do.

use std::collections::BTreeSet;

use crible_alert::AlertId;
use crible_core::Timestamp;

use super::{Case, Deed, Desk};
use crate::{Actor, CaseId, Closing, Disposition, OperationId, Origin, Phase, State, Tag, Text, User, What};

/// What a person wants, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Who.
    pub by: User,
    /// When.
    pub at: Timestamp,
    /// The last operation of the case that they had seen. What came later makes the order be refused; `None` does not
    /// ask.
    pub as_of: Option<OperationId>,
}

impl Order {
    /// An order of `by` at `at`, whatever came meanwhile.
    pub fn new(by: User, at: Timestamp) -> Self {
        Self { by, at, as_of: None }
    }
}

/// What a person does about a case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Gives it to somebody.
    Assign(User),
    /// Gives it to nobody.
    Release,
    /// Puts it aside.
    Wait {
        /// Until when, if that is known.
        until: Option<Timestamp>,
    },
    /// Goes on with what was put aside.
    Resume,
    /// Closes it, or proposes to where that takes two.
    Close {
        /// What it turned out to be.
        disposition: Disposition,
        /// Why.
        note: Option<Text>,
        /// Until when alerts of its accounts join the closed case; `None` for not at all.
        quiet_until: Option<Timestamp>,
    },
    /// Closes it as somebody else proposed.
    Confirm,
    /// Does away with a proposal.
    Reject,
    /// Opens it again.
    Reopen,
    /// Writes something.
    Note(Text),
    /// Says by when it has to be done.
    Due(Option<Timestamp>),
    /// Makes it be found by a word.
    Tag(Tag),
    /// Makes it no longer be found by it.
    Untag(Tag),
    /// Makes a case of its own of some of its alerts.
    Split(BTreeSet<AlertId>),
    /// Moves all its alerts to another case.
    Merge(CaseId),
}

impl Action {
    /// Whoever does it works on the case from then on. What is only said about it leaves it with its owner.
    fn takes(&self) -> bool {
        match self {
            Self::Wait { .. } | Self::Resume | Self::Close { .. } | Self::Reopen | Self::Split(_) | Self::Merge(_) => {
                true
            }
            Self::Assign(_) | Self::Release | Self::Confirm | Self::Reject => false,
            Self::Note(_) | Self::Due(_) | Self::Tag(_) | Self::Untag(_) => false,
        }
    }

    /// Whoever does it works on the case from then on if nobody does.
    fn adopts(&self) -> bool {
        matches!(self, Self::Note(_) | Self::Due(_) | Self::Tag(_) | Self::Untag(_))
    }

    fn in_bulk(&self) -> bool {
        !matches!(self, Self::Confirm | Self::Split(_) | Self::Merge(_))
    }
}

/// Why something cannot be done. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such case.
    #[error("there is no case {0}")]
    UnknownCase(CaseId),
    /// There is no such operation.
    #[error("there is no operation {0}")]
    UnknownOperation(OperationId),
    /// The alert is in another case, or in none.
    #[error("case {case} does not have alert {alert}")]
    UnknownAlert {
        /// The case.
        case: CaseId,
        /// The alert.
        alert: AlertId,
    },
    /// It is closed.
    #[error("case {0} is closed: reopen it first")]
    Closed(CaseId),
    /// It is open.
    #[error("case {0} is not closed")]
    NotClosed(CaseId),
    /// It does not wait.
    #[error("case {0} does not wait")]
    NotWaiting(CaseId),
    /// It was merged.
    #[error("case {case} was merged into case {into}")]
    Merged {
        /// The case.
        case: CaseId,
        /// Where its story goes on.
        into: CaseId,
    },
    /// Closing it would keep back what comes next for too long.
    #[error("case {case} would keep back what comes until {until}: at most until {most}")]
    QuietTooLong {
        /// The case.
        case: CaseId,
        /// Until when.
        until: Timestamp,
        /// Until when it may.
        most: Timestamp,
    },
    /// Somebody proposed to close it.
    #[error("{by} proposed to close case {case}: confirm or reject that first")]
    Proposed {
        /// The case.
        case: CaseId,
        /// Who.
        by: User,
    },
    /// Nobody did.
    #[error("nobody proposed to close case {0}")]
    NothingProposed(CaseId),
    /// Closing takes two people.
    #[error("{by} proposed to close case {case}: somebody else has to confirm it")]
    SamePerson {
        /// The case.
        case: CaseId,
        /// Who.
        by: User,
    },
    /// Alerts came after the closing was proposed.
    #[error("case {case} got {alerts} more alerts since closing it was proposed: reject it and look again")]
    MoreAlerts {
        /// The case.
        case: CaseId,
        /// How many.
        alerts: usize,
    },
    /// A split leaves one side without alerts.
    #[error("case {0}: a split takes some of its alerts, neither none nor all")]
    NoSplit(CaseId),
    /// A case is merged with itself.
    #[error("case {0} cannot be merged into itself")]
    IntoItself(CaseId),
    /// Something happened to the case that the person had not seen.
    #[error("case {case} changed: operation {latest} came after {seen}")]
    Stale {
        /// The case.
        case: CaseId,
        /// The last operation that the person had seen.
        seen: OperationId,
        /// The last operation of the case.
        latest: OperationId,
    },
    /// Not for many cases at once.
    #[error("confirming, splitting and merging is done one case at a time")]
    NotInBulk,
    /// Only what people do is undone.
    #[error("operation {0} was not done by a person")]
    NotUndoable(OperationId),
    /// It was undone.
    #[error("operation {operation} was undone by operation {by}")]
    Undone {
        /// The operation.
        operation: OperationId,
        /// What took it back.
        by: OperationId,
    },
    /// A confirmation that was taken back.
    #[error("operation {operation} takes back what {confirmed} confirmed: only {confirmed} may undo it")]
    Confirmed {
        /// The operation.
        operation: OperationId,
        /// Who had confirmed.
        confirmed: User,
    },
    /// What a person did later builds on it.
    #[error("operation {later} on case {case} came after {operation}: undo it first")]
    Later {
        /// The operation.
        operation: OperationId,
        /// The case.
        case: CaseId,
        /// What came after it.
        later: OperationId,
    },
}

/// What became of a bulk action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bulk {
    /// Where it was done, and the operation. [`Desk::undo_bulk`] takes the first of these.
    pub done: Vec<(CaseId, OperationId)>,
    /// Where it was not, and why.
    pub skipped: Vec<(CaseId, Skipped)>,
}

/// Why a bulk action left a case alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skipped {
    /// Somebody else works on it.
    #[error("{0} works on it")]
    Owner(User),
    /// It cannot be done there.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Desk {
    /// Does something about one case.
    ///
    /// # Errors
    /// [`Refusal`] says why not; nothing changed then.
    pub fn act(&mut self, order: &Order, case: CaseId, action: &Action) -> Result<OperationId, Refusal> {
        let deed = self.plan(order, case, action)?;
        Ok(self.commit(order.at, Actor::Person(order.by.clone()), deed))
    }

    /// Does the same about many cases. A case that somebody else works on is left alone, and so is one where it cannot
    /// be done.
    ///
    /// # Errors
    /// [`Refusal::NotInBulk`] for what is done one at a time.
    pub fn act_on_all(
        &mut self,
        order: &Order,
        cases: impl IntoIterator<Item = CaseId>,
        action: &Action,
    ) -> Result<Bulk, Refusal> {
        if !action.in_bulk() {
            return Err(Refusal::NotInBulk);
        }
        let mut bulk = Bulk::default();
        for case in cases.into_iter().collect::<BTreeSet<_>>() {
            let owner = self.case(case).and_then(Case::state).and_then(|state| state.owner.as_ref());
            if let Some(owner) = owner.filter(|owner| **owner != order.by) {
                bulk.skipped.push((case, Skipped::Owner(owner.clone())));
                continue;
            }
            match self.plan(order, case, action) {
                Ok(deed) => {
                    let first = bulk.done.first().map(|(_, operation)| *operation);
                    let first = first.unwrap_or(OperationId(self.last_operation + 1));
                    let deed = Deed { bulk: Some(first), ..deed };
                    bulk.done.push((case, self.commit(order.at, Actor::Person(order.by.clone()), deed)));
                }
                Err(refusal) => bulk.skipped.push((case, refusal.into())),
            }
        }
        Ok(bulk)
    }

    pub(super) fn live(&self, case: CaseId) -> Result<(&Case, &State), Refusal> {
        let found = self.cases.get(&case).and_then(|found| Some((found, found.state()?)));
        found.ok_or(Refusal::UnknownCase(case))
    }

    /// A case that is neither closed nor merged.
    fn open(&self, case: CaseId) -> Result<&State, Refusal> {
        let (_, state) = self.live(case)?;
        match state.phase {
            Phase::Live | Phase::Waiting { .. } => Ok(state),
            Phase::Closed { .. } => Err(Refusal::Closed(case)),
            Phase::Merged { into } => Err(Refusal::Merged { case, into }),
        }
    }

    /// What an action would change.
    fn plan(&self, order: &Order, case: CaseId, action: &Action) -> Result<Deed, Refusal> {
        let (found, state) = self.live(case)?;
        if let Phase::Merged { into } = state.phase {
            return Err(Refusal::Merged { case, into });
        }
        if let Some((seen, latest)) = order.as_of.zip(found.last_operation()).filter(|(seen, latest)| latest > seen) {
            return Err(Refusal::Stale { case, seen, latest });
        }
        let me = Some(order.by.clone());
        let mut deed = Deed::default();
        match action {
            Action::Split(_) | Action::Merge(_) => {}
            // The owner of a case that is merged away is nobody's concern, and a split has two.
            _ if action.takes() && state.owner != me => deed = deed.with(case, What::Owned { by: me.clone() }),
            _ if action.adopts() && state.owner.is_none() => deed = deed.with(case, What::Owned { by: me.clone() }),
            _ => {}
        }
        Ok(match action {
            Action::Assign(user) => {
                self.open(case)?;
                deed.with(case, What::Owned { by: Some(user.clone()) })
            }
            Action::Release => {
                self.open(case)?;
                deed.with(case, What::Owned { by: None })
            }
            Action::Wait { until } => {
                self.open(case)?;
                deed.with(case, What::Waiting { until: *until })
            }
            Action::Resume => {
                let Phase::Waiting { .. } = self.open(case)?.phase else { return Err(Refusal::NotWaiting(case)) };
                deed.with(case, What::Resumed)
            }
            Action::Close { disposition, note, quiet_until } => {
                self.unproposed(case)?;
                let most = Timestamp(order.at.0.saturating_add(self.settings.quiet.0));
                if let Some(until) = quiet_until.filter(|until| *until > most) {
                    return Err(Refusal::QuietTooLong { case, until, most });
                }
                if let Some(text) = note {
                    deed = deed.with(case, What::Noted { text: Some(text.clone()) });
                }
                let closing = Closing {
                    disposition: *disposition,
                    by: order.by.clone(),
                    at: order.at,
                    quiet_until: *quiet_until,
                };
                deed.with(
                    case,
                    if self.takes_two(case, state) {
                        What::Proposed { closing }
                    } else {
                        What::Closed { closing, confirmed: None }
                    },
                )
            }
            Action::Confirm => {
                let state = self.open(case)?;
                let closing = state.proposal.clone().ok_or(Refusal::NothingProposed(case))?;
                if closing.by == order.by {
                    return Err(Refusal::SamePerson { case, by: closing.by });
                }
                if !state.unseen.is_empty() {
                    return Err(Refusal::MoreAlerts { case, alerts: state.unseen.len() });
                }
                deed.with(case, What::Closed { closing, confirmed: me })
            }
            Action::Reject => {
                self.open(case)?.proposal.as_ref().ok_or(Refusal::NothingProposed(case))?;
                deed.with(case, What::Rejected)
            }
            Action::Reopen => {
                let Phase::Closed { .. } = state.phase else { return Err(Refusal::NotClosed(case)) };
                deed.with(case, What::Reopened)
            }
            Action::Note(text) => deed.with(case, What::Noted { text: Some(text.clone()) }),
            Action::Due(at) => deed.with(case, What::Due { at: *at }),
            Action::Tag(tag) => deed.with(case, What::Tagged { tag: tag.clone() }),
            Action::Untag(tag) => deed.with(case, What::Untagged { tag: tag.clone() }),
            Action::Split(alerts) => self.split(order, case, alerts)?,
            Action::Merge(into) => self.merge(order, case, *into)?,
        })
    }

    /// An open case that nobody proposed to close.
    fn unproposed(&self, case: CaseId) -> Result<&State, Refusal> {
        let state = self.open(case)?;
        match &state.proposal {
            Some(Closing { by, .. }) => Err(Refusal::Proposed { case, by: by.clone() }),
            None => Ok(state),
        }
    }

    fn takes_two(&self, case: CaseId, state: &State) -> bool {
        let covers = |rule: &crate::FourEyes| state.must_confirm || rule.covers(&self.at_risk(case));
        self.settings.four_eyes.as_ref().is_some_and(covers)
    }

    fn split(&self, order: &Order, case: CaseId, alerts: &BTreeSet<AlertId>) -> Result<Deed, Refusal> {
        let state = self.unproposed(case)?;
        if let Some(&alert) = alerts.difference(&state.alerts).next() {
            return Err(Refusal::UnknownAlert { case, alert });
        }
        if alerts.is_empty() || alerts.len() == state.alerts.len() {
            return Err(Refusal::NoSplit(case));
        }
        let new = self.next_case();
        let part: Vec<AlertId> = alerts.iter().copied().collect();
        // Otherwise two halves would be closed by one person, of which the whole takes two.
        let must_confirm = self.takes_two(case, state);
        let subject = self.subject(&part);
        let (origin, due) = (Origin::SplitFrom(case), state.due);
        let opened = What::Opened { subject, origin, alerts: part.clone(), due, must_confirm };
        let owned = || What::Owned { by: Some(order.by.clone()) };
        let mut deed = Deed::default().with(case, What::Left { alerts: part }).with(case, owned());
        if must_confirm {
            deed = deed.with(case, What::MustConfirm);
        }
        Ok(deed.with(new, opened).with(new, owned()))
    }

    fn merge(&self, order: &Order, case: CaseId, into: CaseId) -> Result<Deed, Refusal> {
        if case == into {
            return Err(Refusal::IntoItself(case));
        }
        let from = self.unproposed(case)?;
        self.unproposed(into)?;
        let alerts: Vec<AlertId> = from.alerts.iter().copied().collect();
        let mut deed = Deed::default()
            .with(case, What::Left { alerts: alerts.clone() })
            .with(case, What::Merged { into })
            .with(into, What::Joined { alerts })
            .with(into, What::Owned { by: Some(order.by.clone()) });
        if from.must_confirm {
            deed = deed.with(into, What::MustConfirm);
        }
        Ok(deed)
    }
}
