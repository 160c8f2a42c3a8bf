//! The columns of patterns: how each is described, and how it is computed.

use crible_core::{Column, Scale, Tail, Topic, Unit, Window};

use super::{
    ATTRIBUTES, COUNTRY, DAY, DEVICE, HOUR, IS_OUT, Pattern, PatternBehaviour, Payment, UNIT, WEEK, amount_key,
};
use crate::math::{ln, ln1p};
use crate::pattern::attributes::Tally;
use crate::pattern::pay::AfterPay;
use crate::rule::Columns;
use crate::window::float;
use crate::windows::span;

/// ln 10: a payment has to be ten times the least of the hour to count as following a test.
const TEST: f64 = 10.0;

/// What the columns of patterns are computed from.
pub(crate) struct Reading<'a> {
    pub(super) rule: &'a PatternBehaviour,
    pub(super) pattern: &'a Pattern,
    pub(super) payment: &'a Payment,
    /// Slots of the payment's values, by attribute.
    pub(super) slots: [u32; ATTRIBUTES],
}

impl Reading<'_> {
    fn count_log(&self, count: u32) -> f64 {
        self.rule.logs.ln1p(count)
    }

    /// 1 for money out.
    fn side(&self) -> usize {
        usize::from(self.payment.is_out)
    }

    /// How often the payment's value of an attribute occurs.
    fn tally(&self, attribute: usize) -> Tally {
        self.pattern.attributes.tallies[self.slots[attribute] as usize]
    }

    /// Payments of the last day with the same value, this one among them.
    fn today(&self, attribute: usize) -> f64 {
        f64::from(self.tally(attribute).day) + 1.0
    }

    /// Payments a day with the same value, in the week but for its last day.
    fn usual(&self, attribute: usize) -> f64 {
        let tally = self.tally(attribute);
        let [_, day, week] = self.rule.windows.map(|window| window.0 as f64);
        f64::from(tally.week.saturating_sub(tally.day)) * (day / (week - day).max(1.0))
    }

    /// How much the week is believed: 0 without payments, nearly 1 with many.
    fn belief(&self) -> f64 {
        let week = f64::from(self.pattern.week[self.side()]);
        week / (week + 2.0)
    }

    fn is_new(&self, attribute: usize) -> bool {
        let tally = self.tally(attribute);
        tally.low != 0 && tally.week == 0 && self.pattern.week[self.side()] > 0
    }

    fn equal_amounts(&self) -> u32 {
        let key = amount_key(self.payment.minor, self.payment.is_out);
        self.pattern.amounts.get(&key).copied().unwrap_or(0)
    }

    /// The least payment of the shortest window in this direction.
    fn least(&self) -> Option<i64> {
        let ago = self.payment.at.saturating_sub(self.rule.windows[HOUR].0);
        let recent = self.pattern.ring.iter().rev().take_while(|past| past.at > ago);
        recent.filter(|past| (past.marks & IS_OUT == IS_OUT) == self.payment.is_out).map(|past| past.minor).min()
    }

    fn after_test(&self) -> f64 {
        let over = |least: i64| ln((self.payment.minor as f64 + 1.0) / (least as f64 + 1.0) / TEST).max(0.0);
        self.least().map_or(0.0, over)
    }

    /// The lesser of what came in and went out within the day, this payment among them, in major units.
    fn passed_on(&self) -> f64 {
        let mut sums = self.pattern.sums;
        sums[self.side()] += i128::from(self.payment.minor);
        float(sums[0].min(sums[1])) * f64::from(self.payment.per_unit)
    }

    fn pause(&self) -> f64 {
        let Pattern { payments, first_at, last_at, .. } = *self.pattern;
        let gaps = f64::from(payments.saturating_sub(1));
        if gaps == 0.0 {
            return 0.0;
        }
        let seconds = |from: i64, to: i64| to.saturating_sub(from) as f64 / 1e6;
        let usual = seconds(first_at, last_at) / gaps;
        (ln((seconds(last_at, self.payment.at) + 1.0) / (usual + 1.0)) * (gaps / (gaps + 2.0))).max(0.0)
    }

    fn after_pay(&self) -> AfterPay {
        match self.payment.is_out {
            true => self.pattern.pays.after(self.payment.at, self.rule.windows[DAY].0),
            false => AfterPay::default(),
        }
    }
}

/// The columns, those of each attribute only where the feed has it.
pub(super) fn columns(windows: &[Window; 3], has: [bool; ATTRIBUTES]) -> Columns<PatternBehaviour> {
    let mut all = Columns::new();
    let names = [
        ("channel", "channels"),
        ("category", "categories"),
        ("country", "countries"),
        ("device", "devices"),
        ("address", "addresses"),
    ];
    for (attribute, (one, many)) in names.into_iter().enumerate().filter(|(attribute, _)| has[*attribute]) {
        of_attribute(&mut all, windows, attribute, one, many);
    }
    of_amounts(&mut all, windows);
    of_pace(&mut all, windows);
    all
}

/// How often the payment's value of an attribute occurs, and how many different ones there are.
fn of_attribute(
    all: &mut Columns<PatternBehaviour>,
    windows: &[Window; 3],
    attribute: usize,
    one: &'static str,
    many: &'static str,
) {
    use Scale::{Linear, Ln, Ln1p};
    use Tail::Upper;
    let [_, day, week] = windows.map(Window::tag);
    let [_, in_day, in_week] = windows.map(span);
    if attribute < COUNTRY {
        all.add(
            Column::input(format!("account_{one}_count_{day}"), Unit::Count, Ln1p, Upper, Topic::Velocity)
                .described(format!(
                    "payments by this account of this {one} within {in_day} before: {{value}} (median {{typical}})"
                ))
                .shown_only(),
            move |r| r.count_log(r.tally(attribute).day),
        );
    }
    if attribute == COUNTRY {
        let [today, usual] = ["today", "usual"].map(|when| format!("account_{one}_count_{when}"));
        all.add(
            Column::input(format!("account_{one}_count_{day}_to_usual"), Unit::Count, Ln, Upper, Topic::Velocity)
                .shown_as(today.clone())
                .against(usual.clone())
                .described(format!(
                    "payments by this account in this {one} within {in_day}: {{value}}, where {{typical}} are usual \
                     for it"
                ))
                .shown_only(),
            move |r| ln(r.today(attribute) / (r.usual(attribute) + 1.0)) * r.belief(),
        );
        all.add(Column::context(today, Unit::Count, Linear, Topic::Velocity), move |r| r.today(attribute));
        all.add(Column::context(usual, Unit::Count, Linear, Topic::Velocity), move |r| r.usual(attribute));
    }
    all.add(
        Column::input(format!("account_{many}_{week}"), Unit::Count, Ln1p, Upper, Topic::Velocity)
            .described(format!(
                "different {many} of this account within {in_week} before: {{value}} (median {{typical}})"
            ))
            .shown_only(),
        move |r| r.count_log(r.pattern.distinct[attribute][r.side()]),
    );
    if attribute >= DEVICE {
        all.add(
            Column::input(format!("account_{one}_new_{week}"), Unit::Flag, Linear, Upper, Topic::Counterparties)
                .alone()
                .described(format!("this account has not paid from this {one} within {in_week} before"))
                .shown_only(),
            move |r| f64::from(u8::from(r.is_new(attribute))),
        );
    }
}

/// Equal, structured and round amounts.
fn of_amounts(all: &mut Columns<PatternBehaviour>, windows: &[Window; 3]) {
    use Scale::{Linear, Ln, Ln1p};
    use Tail::Upper;
    let (week, in_week) = (windows[WEEK].tag(), span(windows[WEEK]));
    all.add(
        Column::input(format!("account_equal_amounts_{week}"), Unit::Count, Ln1p, Upper, Topic::Velocity)
            .described(format!(
                "payments of exactly this amount by this account within {in_week} before: {{value}} \
                 (median {{typical}})"
            ))
            .shown_only(),
        |r| r.count_log(r.equal_amounts()),
    );
    all.add(
        Column::input(format!("account_amount_repeats_{week}"), Unit::Ratio, Ln, Upper, Topic::Velocity)
            .described(format!(
                "payments for each different amount of this account within {in_week} before: {{value}} \
                 (median {{typical}})"
            ))
            .shown_only(),
        |r| match r.pattern.week[r.side()] {
            0 => 0.0,
            n => r.pattern.repeats[r.side()] as f64 / UNIT / f64::from(n),
        },
    );
    all.add(
        Column::input(format!("account_below_thresholds_{week}"), Unit::Count, Ln1p, Upper, Topic::Amount)
            .described(format!(
                "payments just below a round threshold within {in_week}, this among them: {{value}} \
                 (median {{typical}})"
            ))
            .shown_only(),
        |r| match r.payment.is_below {
            true => r.count_log(r.pattern.below[r.side()].saturating_add(1)),
            false => 0.0,
        },
    );
    all.add(
        Column::input("amount_round", Unit::Count, Linear, Upper, Topic::Amount)
            .described("a round amount: it ends in {value} zeros (median {typical})")
            .shown_only(),
        |r| f64::from(r.payment.zeros),
    );
}

/// Tests, passing on, waking, and what follows pay.
fn of_pace(all: &mut Columns<PatternBehaviour>, windows: &[Window; 3]) {
    use Scale::{Linear, Ln, Ln1p};
    use Tail::Upper;
    let [hour, day, _] = windows.map(Window::tag);
    let [in_hour, in_day, _] = windows.map(span);
    all.add(
        Column::input(format!("amount_after_test_{hour}"), Unit::Ratio, Ln, Upper, Topic::AmountForAccount)
            .alone()
            .described(format!("follows a much smaller payment within {in_hour}, as after a test"))
            .shown_only(),
        |r| r.after_test(),
    );
    all.add(
        Column::input(format!("account_passed_on_{day}"), Unit::Money, Ln1p, Upper, Topic::Spending)
            .described(format!("{{value}} came in and went out again within {in_day} (median {{typical}})"))
            .shown_only(),
        |r| ln1p(r.passed_on()),
    );
    all.add(
        Column::input("account_pause_to_usual", Unit::Ratio, Ln, Upper, Topic::Pace)
            .alone()
            .described("this account had been quiet for {value} times as long as it usually is")
            .shown_only(),
        |r| r.pause(),
    );
    all.add(
        Column::input(format!("account_count_{day}_after_pay_to_usual"), Unit::Count, Ln, Upper, Topic::Velocity)
            .shown_as("account_count_after_pay")
            .against("account_count_after_pay_usual")
            .described(format!(
                "payments by this account within {in_day} of its pay: {{value}}, where {{typical}} are usual for it"
            ))
            .shown_only(),
        |r| r.after_pay().to_usual,
    );
    let context = |name: &'static str| Column::context(name, Unit::Count, Linear, Topic::Velocity);
    all.add(context("account_count_after_pay"), |r| r.after_pay().now);
    all.add(context("account_count_after_pay_usual"), |r| r.after_pay().usual);
}
