//! The columns of an account's habits: how each is described, and how it is computed.

use crible_core::{Column, Scale, Tail, Topic, Unit};

use super::recurring::Payee;
use super::{HabitBehaviour, KINDS, Payment, Profile, position};
use crate::rule::Columns;

/// What these columns are computed from.
pub(crate) struct Reading<'a> {
    profile: &'a Profile,
    payment: &'a Payment,
    /// The counterparty, where it is known.
    payee: Option<&'a Payee>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(profile: &'a Profile, payment: &'a Payment) -> Self {
        Self { profile, payment, payee: profile.recurring.find(payment.other) }
    }

    fn novelty(&self, kind: usize) -> f64 {
        self.profile.novelty(kind, self.payment.words[kind])
    }

    fn far(&self) -> f64 {
        self.payment.position.and_then(position).map_or(0.0, |at| self.profile.home.far(at))
    }

    fn expected(&self) -> f64 {
        let Payment { minor, at, per_unit, .. } = *self.payment;
        self.payee.map_or(0.0, |payee| payee.expects(minor, at, per_unit))
    }

    fn early(&self) -> f64 {
        let Payment { minor, at, per_unit, .. } = *self.payment;
        self.payee.map_or(0.0, |payee| payee.early(minor, at, per_unit))
    }
}

pub(super) fn columns(has: [bool; KINDS], counterparties: bool, positions: bool) -> Columns<HabitBehaviour> {
    use Scale::{Linear, Ln};
    use Tail::Upper;
    let mut all = Columns::<HabitBehaviour>::new();
    let kinds = [
        ("channel", Topic::Counterparties),
        ("category", Topic::Counterparties),
        ("country", Topic::Place),
        ("device", Topic::Counterparties),
        ("address", Topic::Counterparties),
    ];
    for (kind, (name, topic)) in kinds.into_iter().enumerate().filter(|(kind, _)| has[*kind]) {
        all.add(
            Column::input(format!("{name}_novelty"), Unit::Ratio, Linear, Upper, topic)
                .alone()
                .described(format!("this account had never used this {name} before"))
                .shown_only(),
            move |r| r.novelty(kind),
        );
    }
    if positions {
        all.add(
            Column::input("kilometres_from_home", Unit::Ratio, Ln, Upper, Topic::Place)
                .alone()
                .described("{value} times as far from where this account usually pays as is usual for it")
                .shown_only(),
            |r| r.far(),
        );
    }
    if counterparties {
        all.add(
            Column::input("payment_expected", Unit::Share, Linear, Upper, Topic::Pace)
                .alone()
                .described("payments like this one are usual for this account: {value}")
                .shown_only(),
            |r| r.expected(),
        );
        all.add(
            Column::input("recurring_early", Unit::Ratio, Ln, Upper, Topic::Pace)
                .alone()
                .described("the same amount to the same counterparty came {value} times as soon as it usually does")
                .shown_only(),
            |r| r.early(),
        );
    }
    all
}
