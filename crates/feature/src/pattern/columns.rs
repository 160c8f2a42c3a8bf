//! What the columns of patterns are called, and how they are told.

use crible_core::{Column, Scale, Tail, Topic, Unit, Window};

use super::{COUNTRY, DEVICE, KINDS};
use crate::windows::span;

pub(super) fn columns(windows: &[Window; 3], has: [bool; KINDS]) -> Vec<Column> {
    use Scale::{Linear, Ln, Ln1p};
    use Tail::Upper;
    let [hour, day, week] = windows.map(Window::tag);
    let [in_hour, in_day, in_week] = windows.map(span);
    let mut all = Vec::new();
    let names = [
        ("channel", "channels"),
        ("category", "categories"),
        ("country", "countries"),
        ("device", "devices"),
        ("address", "addresses"),
    ];
    for (kind, (one, many)) in names.into_iter().enumerate().filter(|(kind, _)| has[*kind]) {
        if kind < COUNTRY {
            all.push(
                Column::input(format!("account_{one}_count_{day}"), Unit::Count, Ln1p, Upper, Topic::Velocity).told(
                    format!(
                        "payments by this account of this {one} within {in_day} before: {{value}} (median {{typical}})"
                    ),
                ),
            );
        }
        if kind == COUNTRY {
            let [today, usual] = ["today", "usual"].map(|when| format!("account_{one}_count_{when}"));
            all.extend([
                Column::input(format!("account_{one}_count_{day}_to_usual"), Unit::Count, Ln, Upper, Topic::Velocity)
                    .shown_as(today.clone())
                    .against(usual.clone())
                    .told(format!(
                        "payments by this account in this {one} within {in_day}: {{value}}, where {{typical}} are usual for it"
                    )),
                Column::context(today, Unit::Count, Linear, Topic::Velocity),
                Column::context(usual, Unit::Count, Linear, Topic::Velocity),
            ]);
        }
        all.push(
            Column::input(format!("account_{many}_{week}"), Unit::Count, Ln1p, Upper, Topic::Velocity).told(format!(
                "different {many} of this account within {in_week} before: {{value}} (median {{typical}})"
            )),
        );
        if kind >= DEVICE {
            all.push(
                Column::input(format!("account_{one}_new_{week}"), Unit::Flag, Linear, Upper, Topic::Counterparties)
                    .alone()
                    .told(format!("this account has not paid from this {one} within {in_week} before")),
            );
        }
    }
    all.extend([
        Column::input(format!("account_equal_amounts_{week}"), Unit::Count, Ln1p, Upper, Topic::Velocity)
            .told(format!(
                "payments of exactly this amount by this account within {in_week} before: {{value}} (median {{typical}})"
            )),
        Column::input(format!("account_amount_repeats_{week}"), Unit::Ratio, Ln, Upper, Topic::Velocity).told(format!(
            "payments for each different amount of this account within {in_week} before: {{value}} (median {{typical}})"
        )),
        Column::input(format!("account_below_thresholds_{week}"), Unit::Count, Ln1p, Upper, Topic::Amount)
            .told(format!(
                "payments just below a round threshold within {in_week}, this among them: {{value}} (median {{typical}})"
            )),
        Column::input("amount_round", Unit::Count, Linear, Upper, Topic::Amount)
            .told("a round amount: it ends in {value} zeros (median {typical})"),
        Column::input(format!("amount_after_test_{hour}"), Unit::Ratio, Ln, Upper, Topic::AmountForAccount)
            .alone()
            .told(format!("follows a much smaller payment within {in_hour}, as after a test")),
        Column::input(format!("account_passed_on_{day}"), Unit::Money, Ln1p, Upper, Topic::Spending)
            .told(format!("{{value}} came in and went out again within {in_day} (median {{typical}})")),
        Column::input("account_pause_to_usual", Unit::Ratio, Ln, Upper, Topic::Pace)
            .alone()
            .told("this account had been quiet for {value} times as long as it usually is"),
        Column::input(format!("account_count_{day}_after_pay_to_usual"), Unit::Count, Ln, Upper, Topic::Velocity)
            .shown_as("account_count_after_pay")
            .against("account_count_after_pay_usual")
            .told(format!(
                "payments by this account within {in_day} of its pay: {{value}}, where {{typical}} are usual for it"
            )),
        Column::context("account_count_after_pay", Unit::Count, Linear, Topic::Velocity),
        Column::context("account_count_after_pay_usual", Unit::Count, Linear, Topic::Velocity),
    ]);
    all.into_iter().map(Column::shown_only).collect()
}
