//! What an account's columns are called, and how they are told.

use crible_core::{Column, Scale, Tail, Topic, Unit, Window};

use super::{DAY, HOUR, WEEK};
use crate::windows::span;

pub(super) fn columns(windows: &[Window; 4], counterparties: bool, positions: bool, balances: bool) -> Vec<Column> {
    use Scale::{Linear, Ln, Ln1p, NegLn};
    use Tail::{Lower, Upper};
    let tags = windows.map(Window::tag);
    let [hour, day, week, month] = &tags;
    let [.., usual] = windows;
    let spans = windows.map(span);
    let to_mean = |name: &'static str| {
        Column::input(name, Unit::Money, Linear, Upper, Topic::AmountForAccount)
            .shown_as_amount()
            .against("account_mean")
            .told("amount {value} is {times} times the {typical} usual for this account or, while it is new, its like")
    };
    let mut all = vec![
        Column::input("amount", Unit::Money, Ln1p, Upper, Topic::Amount)
            .told("amount {value}, where half of all payments are below {typical}")
            .weighing(1.2),
    ];
    for (tag, window) in tags.iter().zip(windows).skip(WEEK) {
        let column =
            Column::input(format!("amount_to_account_mean_{tag}"), Unit::Money, Ln, Upper, Topic::AmountForAccount)
                .shown_as_amount()
                .against(format!("account_mean_{tag}"))
                .told(format!("amount {{value}} is {{times}} times this account's {window} mean of {{typical}}"));
        all.push(column.shown_only());
    }
    all.push(
        Column::input(format!("amount_deviations_{month}"), Unit::Money, Linear, Upper, Topic::AmountForAccount)
            .shown_as_amount()
            .against(format!("account_mean_{month}"))
            .told(format!("amount {{value}} is far outside of this account's {usual} range around {{typical}}"))
            .shown_only(),
    );
    all.extend([
        to_mean("amount_to_account_mean_in_run").shown_only(),
        to_mean("amount_to_account_mean"),
        Column::input(format!("account_outsized_{week}"), Unit::Count, Ln1p, Upper, Topic::AmountForAccount)
            .told(format!(
                "payments of three times this account's mean within {} before: {{value}} (median {{typical}})",
                spans[WEEK]
            ))
            .shown_only(),
        Column::input(format!("account_in_run_{week}"), Unit::Count, Linear, Upper, Topic::AmountForAccount)
            .shown_as(format!("account_outsized_{week}"))
            .alone()
            .told(format!("payments of three times this account's mean within {} before: {{value}}", spans[WEEK])),
    ]);
    for (tag, window) in tags.iter().zip(windows) {
        let column = Column::input(format!("account_count_{tag}"), Unit::Count, Ln1p, Upper, Topic::Velocity).told(
            format!("payments by this account in the {window} window before this one: {{value}} (median {{typical}})"),
        );
        all.push(column.shown_only());
    }
    for (tag, window) in tags.iter().zip(windows) {
        let column = Column::input(format!("account_sum_{tag}"), Unit::Money, Ln1p, Upper, Topic::Spending).told(
            format!("{{value}} already spent by this account in the {window} window before this payment (median {{typical}})"),
        );
        all.push(if tag == hour { column.weighing(0.7) } else { column.shown_only() });
    }
    all.extend([
        Column::input(format!("account_sum_{hour}_to_mean"), Unit::Money, Ln, Upper, Topic::Spending)
            .shown_as("account_sum_hour")
            .against(format!("account_mean_{month}"))
            .told(format!(
                "{{value}} spent by this account within {}, where one payment is {{typical}} on average",
                spans[HOUR]
            ))
            .shown_only(),
        Column::input(format!("account_count_{day}_to_usual"), Unit::Count, Ln, Upper, Topic::Velocity)
            .shown_as("account_count_today")
            .against("account_count_usual")
            .told(format!(
                "payments by this account within {}: {{value}}, where {{typical}} are usual for it",
                spans[DAY]
            ))
            .shown_only(),
        Column::input(format!("account_sum_{day}_to_usual"), Unit::Money, Ln, Upper, Topic::Spending)
            .shown_as("account_sum_today")
            .against("account_sum_usual")
            .told(format!("{{value}} spent by this account within {}, where {{typical}} is usual for it", spans[DAY]))
            .shown_only(),
        Column::input("seconds_since_last", Unit::Seconds, Ln1p, Lower, Topic::Pace)
            .told("{value} after this account's last payment (median {typical})")
            .shown_only(),
        Column::input("hour_surprise_above_mean", Unit::Hour, Linear, Upper, Topic::Calendar)
            .shown_as("hour")
            .alone()
            .told("{value} UTC is an unusual hour for this account to pay more than its mean")
            .weighing(0.7),
        Column::input("day_part_surprise", Unit::Hour, NegLn, Upper, Topic::Calendar)
            .shown_as("hour")
            .alone()
            .told("{value} UTC is in a part of the day in which this account hardly ever pays")
            .shown_only(),
        Column::input("weekday_surprise", Unit::Weekday, NegLn, Upper, Topic::Calendar)
            .shown_as("weekday")
            .alone()
            .told("{value} is a day on which this account hardly ever pays")
            .shown_only(),
    ]);
    if counterparties {
        all.push(
            Column::input("first_at_counterparty", Unit::Share, NegLn, Upper, Topic::Counterparties)
                .alone()
                .told("first payment to this counterparty, by an account of whose payments {value} are firsts")
                .shown_only(),
        );
        all.push(
            Column::input(format!("amount_at_new_counterparty_{day}"), Unit::Money, Linear, Upper, Topic::Counterparties)
                .shown_as_amount()
                .against("account_mean")
                .told(format!(
                    "amount {{value}} to a counterparty this account first paid within {} before: with what followed that payment, far above its mean of {{typical}}",
                    spans[DAY]
                ))
                .shown_only(),
        );
        for (tag, window) in tags.iter().zip(&spans).skip(DAY).take(2) {
            all.push(
                Column::input(format!("account_counterparties_{tag}"), Unit::Count, Ln1p, Upper, Topic::Counterparties)
                    .told(format!("different counterparties within {window} before: {{value}} (median {{typical}})"))
                    .shown_only(),
            );
        }
    }
    if positions {
        all.extend([
            Column::input("kilometres_from_last", Unit::Kilometres, Ln1p, Upper, Topic::Place)
                .told("{value} from where this account last paid (median {typical})")
                .shown_only(),
            Column::input("kilometres_per_hour", Unit::KilometresPerHour, Ln1p, Upper, Topic::Place)
                .told("{value} from this account's last payment to this one (median {typical})"),
        ]);
    }
    if balances {
        all.push(
            Column::input("balance_share", Unit::Share, Linear, Upper, Topic::Balance)
                .told("takes {value} of the account's balance (median {typical})"),
        );
    }
    all.push(Column::context("account_mean", Unit::Money, Linear, Topic::AmountForAccount));
    for (name, topic) in [("mean", Topic::AmountForAccount), ("deviation", Topic::AmountForAccount)] {
        for tag in &tags {
            all.push(Column::context(format!("account_{name}_{tag}"), Unit::Money, Linear, topic));
        }
    }
    all.extend([
        Column::context("account_sum_hour", Unit::Money, Linear, Topic::Spending),
        Column::context("account_count_today", Unit::Count, Linear, Topic::Velocity),
        Column::context("account_count_usual", Unit::Count, Linear, Topic::Velocity),
        Column::context("account_sum_today", Unit::Money, Linear, Topic::Spending),
        Column::context("account_sum_usual", Unit::Money, Linear, Topic::Spending),
        Column::context("hour", Unit::Hour, Linear, Topic::Calendar),
        Column::context("weekday", Unit::Weekday, Linear, Topic::Calendar),
    ]);
    all
}
