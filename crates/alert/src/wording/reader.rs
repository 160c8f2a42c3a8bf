//! Reasons as sentences for whoever reads them.

use std::borrow::Cow;
use std::fmt;

use crible_core::Currency;

use super::lookback::{Lookback, stem, window};
use super::number::{at_most_one_decimal, count, duration, money, quantity, share_of_one};
use crate::{Decision, Reason};

/// Who reads an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The owner of the account: sentences say "you".
    Owner,
    /// Somebody who works through the accounts of many: sentences say "this account".
    Analyst,
}

/// Amounts that are less than so many times what is usual are no reason to a person.
const NOTABLE: f64 = 1.2;

/// Fewer payments than these within a window are no number to compare with.
const FEWEST: f64 = 0.5;

/// What can be said of a payment's feature row: a column's number by the column's name.
pub type Look<'a> = &'a dyn Fn(&str) -> Option<f64>;

/// What a reader is told reasons in view of.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Who reads.
    pub reader: Reader,
    /// The numbers of the feature row on the features' own scales, by the columns' names.
    pub look: Look<'a>,
    /// Whether payments have days and no hours: then nothing is said of an hour.
    pub is_by_day: bool,
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reader, is_by_day, .. } = self;
        f.debug_struct("Context").field("reader", reader).field("is_by_day", is_by_day).finish_non_exhaustive()
    }
}

/// The reasons of a decision as sentences, strongest first. Reasons that say the same to this reader are said once,
/// and those that say nothing to a person are left out: an amount that is hardly above its mean, a counterparty that
/// other accounts do not pay where there are no other accounts. Where nothing is left, the first reason is said as it
/// stands.
pub fn sentences(decision: &Decision, context: &Context<'_>) -> Vec<String> {
    let is_received = decision.txn.amount.minor > 0;
    let to = Told { context, is_received, currency: decision.txn.amount.currency };
    let mut said: Vec<(Subject, String)> = Vec::new();
    for reason in &decision.reasons {
        if let Some((subject, sentence)) = to.sentence(reason)
            && said.iter().all(|(other, _)| *other != subject || subject == Subject::Other)
        {
            said.push((subject, sentence));
        }
    }
    match (said.is_empty(), decision.reasons.first()) {
        (true, Some(first)) => vec![to.as_it_stands(&first.text)],
        _ => said.into_iter().map(|(_, sentence)| sentence).collect(),
    }
}

/// What an alert looks like, in words for this reader.
pub fn looks_like(view: &str, reader: Reader) -> Cow<'_, str> {
    match reader {
        Reader::Analyst => Cow::Borrowed(match view {
            "an amount unusual for this counterparty" => "an amount unusual for this payee",
            _ => view,
        }),
        Reader::Owner => Cow::Owned(match view {
            // What others do is not in the file of one account.
            "a payment to somebody hardly anybody pays" => "a payment to somebody new to you".to_owned(),
            "money from somebody who hardly pays anybody" => "money from somebody new to you".to_owned(),
            "an amount unusual for this counterparty" => "an amount unusual for this payee".to_owned(),
            _ => addressed(&view.replacen("an account", "your account", 1)),
        }),
    }
}

/// A sentence about "this account" said to its owner.
fn addressed(text: &str) -> String {
    const WORDS: [(&str, &str); 8] = [
        ("this account's", "your"),
        ("this account usually receives", "you usually receive"),
        ("this account usually pays", "you usually pay"),
        ("this account hardly ever pays", "you hardly ever pay"),
        ("this account has", "you have"),
        ("this account is", "you are"),
        ("this account pays", "you pay"),
        ("this account", "you"),
    ];
    WORDS.iter().fold(text.to_owned(), |text, (account, you)| text.replace(account, you))
}

/// What a sentence is about: of two about the same the first is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Amount,
    Pace,
    Spent,
    Payee,
    AmountAtPayee,
    Hour,
    Distance,
    Other,
}

struct Told<'a> {
    context: &'a Context<'a>,
    is_received: bool,
    currency: Currency,
}

impl Told<'_> {
    /// `you` or `this account`.
    fn who(&self) -> &'static str {
        self.by_reader("you", "this account")
    }

    fn by_reader(&self, owner: &'static str, analyst: &'static str) -> &'static str {
        if self.context.reader == Reader::Owner { owner } else { analyst }
    }

    fn whose(&self) -> &'static str {
        self.by_reader("your", "this account's")
    }

    fn have(&self) -> &'static str {
        self.by_reader("you have", "this account has")
    }

    /// That there was none before in the file: what was before the file nobody knows.
    fn first(&self, what: &str) -> String {
        format!("{} first {what} in this file", self.whose())
    }

    /// `within a day`; where no hours are known, `on one day`.
    fn within(&self, window: Lookback) -> String {
        if self.is_day(window) { "on one day".to_owned() } else { format!("within {}", window.one()) }
    }

    /// Whether a window is a day, or is one to whoever knows no hours.
    fn is_day(&self, window: Lookback) -> bool {
        self.context.is_by_day && window.days() <= 1.0
    }

    fn payee(&self) -> &'static str {
        if self.is_received { "payer" } else { "payee" }
    }

    /// `payment`, or what comes in.
    fn thing(&self) -> &'static str {
        if self.is_received { "receipt" } else { "payment" }
    }

    fn money(&self, value: f64) -> String {
        money(value, self.currency)
    }

    /// How many times the usual, where that is worth a word.
    fn times(&self, value: f64, usual: Option<f64>) -> Option<(String, f64)> {
        let usual = usual.filter(|usual| *usual > 0.0)?;
        let times = value / usual;
        (times >= NOTABLE && times.is_finite()).then(|| (several(times), usual))
    }

    fn as_it_stands(&self, text: &str) -> String {
        match self.context.reader {
            Reader::Owner => finished(&addressed(text)),
            Reader::Analyst => finished(text),
        }
    }

    fn sentence(&self, reason: &Reason) -> Option<(Subject, String)> {
        let (value, typical) = (reason.value, reason.typical);
        let window = window(&reason.column);
        let within = window.map_or_else(|| "lately".to_owned(), |window| self.within(window));
        let before = window.map_or_else(|| "before".to_owned(), |window| format!("in the {} before", window.many()));
        let (who, whose) = (self.who(), self.whose());
        let stem = stem(&reason.column);
        let (subject, text) = match stem {
            "amount_to_account_mean" | "amount_to_usual" => {
                let (times, usual) = self.times(value, typical)?;
                let usual = self.money(usual);
                (Subject::Amount, format!("{times} times {whose} usual {} of {usual}", self.thing()))
            }
            "amount_to_largest" => {
                let (once, days) = (if self.is_received { "received" } else { "paid" }, window?.many());
                (Subject::Amount, format!("more than {} {once} at once in the last {days}", self.have()))
            }
            "amount" => {
                let (times, usual) = self.times(value, typical)?;
                let usual = self.money(usual);
                let middle = self.by_reader("your usual", "the usual");
                (Subject::Amount, format!("{times} times {middle} {} of {usual}", self.thing()))
            }
            "amount_for_category" => {
                let (times, usual) = self.times(value, typical)?;
                (Subject::Amount, format!("{times} times the mean of its category, {}", self.money(usual)))
            }
            "amount_to_usual_at_counterparty" => {
                let payments =
                    window.and_then(|window| (self.context.look)(&format!("counterparty_count_{}", window.tag())));
                if payments.is_some_and(|payments| payments < 0.5) {
                    return None;
                }
                let (times, usual) = self.times(value, typical)?;
                let usual = self.money(usual);
                let told = match self.is_received {
                    true => format!("{times} times what usually comes from this payer, {usual}"),
                    false => format!("{times} times what is usually paid to this payee, {usual}"),
                };
                (Subject::AmountAtPayee, told)
            }
            "account_sum_to_expected" => {
                let (verb, times) = (if self.is_received { "received" } else { "paid" }, several(value));
                (value >= NOTABLE)
                    .then(|| (Subject::Spent, format!("{within}, {who} {verb} {times} times as much as is usual")))?
            }
            "account_count_to_expected" => self.pace(window?)?,
            "account_sum" => {
                let is_more = value > typical.unwrap_or(0.0) && value > 0.0;
                let verb = if self.is_received { "received" } else { "paid" };
                is_more.then(|| (Subject::Spent, format!("{} was already {verb} {before}", self.money(value))))?
            }
            "account_count" => match typical {
                Some(typical) if value < typical => {
                    let (number, usual) = (few(value), count(typical, true));
                    let told = match self.context.reader {
                        Reader::Owner => format!("{number} of your payments {before}, where {usual} are usual"),
                        Reader::Analyst => {
                            format!("{number} payments by this account {before}; half of all have {usual} or more")
                        }
                    };
                    (Subject::Pace, told)
                }
                _ => (Subject::Pace, format!("{} payments by {who} {before}", count(value, false))),
            },
            "account_outsized" | "account_in_run" => {
                let payments = plural(value, "payment");
                (Subject::Other, format!("{payments} of three times {whose} usual amount or more {before}"))
            }
            "account_first_counterparties" => {
                (Subject::Other, format!("{} {within} besides", plural(value, &format!("new {}", self.payee()))))
            }
            "account_counterparties" => (value > typical.unwrap_or(0.0)).then(|| {
                (Subject::Other, format!("{} {before}", plural(value, &format!("different {}", self.payee()))))
            })?,
            "account_passed_on" => {
                (Subject::Other, format!("{} came in and went out again {within}", self.money(value)))
            }
            "first_at_counterparty" => {
                let what = if self.is_received { "receipt from this payer" } else { "payment to this payee" };
                (Subject::Payee, self.first(what))
            }
            "counterparty_new_to_feed" | "counterparty_count" | "counterparty_accounts" => {
                self.traffic(stem, value, typical, window)?
            }
            "hour_surprise" | "hour_surprise_above_mean" | "part_of_day_surprise" if self.context.is_by_day => {
                return None;
            }
            "hour_surprise" | "hour_surprise_above_mean" | "part_of_day_surprise" => {
                let minutes = (value * 60.0).rem_euclid(1_440.0) as u32 % 1_440;
                let hour = format!("{:02}:{:02}", minutes / 60, minutes % 60);
                (Subject::Hour, format!("{hour} UTC is an unusual hour for {who}"))
            }
            "category_novelty" => (Subject::Other, self.first(&format!("{} of this category", self.thing()))),
            "channel_novelty" => (Subject::Other, self.first(&format!("{} made in this way", self.thing()))),
            "country_novelty" => (Subject::Other, self.first(&format!("{} in this country", self.thing()))),
            "device_novelty" => (Subject::Other, self.first(&format!("{} from this device", self.thing()))),
            "address_novelty" => (Subject::Other, self.first(&format!("{} from this network address", self.thing()))),
            "device_accounts" | "address_accounts" => {
                let place = if stem == "device_accounts" { "device" } else { "network address" };
                let accounts = plural(value, "account");
                let verb = if count(value, false) == "1" { "has" } else { "have" };
                (Subject::Other, format!("{accounts} {verb} paid from this {place} {before}"))
            }
            "kilometres_from_home" => {
                let pay = self.by_reader("you mostly pay", "this account mostly pays");
                (Subject::Distance, format!("{} times as far as usual from where {pay}", several(value)))
            }
            "kilometres_from_last" => {
                (Subject::Distance, format!("{} from {whose} last payment", quantity(value, " km")))
            }
            "kilometres_per_hour" => (value >= FAST).then(|| {
                let speed = quantity(value, " km/h");
                (Subject::Distance, format!("{whose} last payment was so far away that {speed} lie between the two"))
            })?,
            "amount_at_new_counterparty" => {
                let first = self.by_reader("you first paid", "this account first paid");
                let told = match self.is_received {
                    true => "this payer first paid within a day before".to_owned(),
                    false => format!("{first} this payee within a day before"),
                };
                (Subject::Other, told)
            }
            "recurring_early" => {
                let times = several(value);
                let told = format!("the same amount to the same payee, {times} times as soon as it usually comes");
                (Subject::Payee, told)
            }
            "balance_share" => (Subject::Other, format!("{} of {whose} balance at once", share_of_one(value))),
            "seconds_since_last" => {
                let usual =
                    typical.map(|typical| format!(", where {} is usual", duration(typical))).unwrap_or_default();
                (Subject::Pace, format!("{} after {whose} last payment{usual}", duration(value)))
            }
            _ => return Some((Subject::Other, self.as_it_stands(&reason.text))),
        };
        Some((subject, finished(&text)))
    }

    /// How many payments there are within a window, this one among them, and how many are usual.
    fn pace(&self, window: Lookback) -> Option<(Subject, String)> {
        let number = (self.context.look)(&format!("account_count_{}", window.tag()))? + 1.0;
        let usual = (self.context.look)("account_count_30d")
            .map(|month| month * if self.is_day(window) { 1.0 } else { window.days() } / 30.0)
            .filter(|usual| *usual >= FEWEST && number >= NOTABLE * usual);
        let (who, within) = (self.who(), self.within(window));
        if number < 1.5 {
            return None;
        }
        let number = count(number, false);
        let told = match usual.map(several) {
            Some(usual) => {
                let make = self.by_reader("you make", "this account makes");
                let them = if usual == "1" { "one" } else { &usual };
                format!("{number} payments {within}, where {make} {them} on average")
            }
            None => format!("{number} payments {within}, more than is usual for {who}"),
        };
        Some((Subject::Pace, told))
    }

    /// Who else pays the payee.
    fn traffic(
        &self,
        stem: &str,
        value: f64,
        typical: Option<f64>,
        window: Option<Lookback>,
    ) -> Option<(Subject, String)> {
        let (verb, party) = if self.is_received { ("sent money as", "payer") } else { ("paid", "payee") };
        let is_new = stem == "counterparty_new_to_feed";
        if self.context.reader == Reader::Owner {
            // What others do is not in the file of one account.
            let days = window.map_or_else(|| "before".to_owned(), |window| format!("in the {} before", window.many()));
            return match self.is_received {
                _ if !is_new && value >= 0.5 => None,
                true if is_new => Some((Subject::Payee, "this payer is new in this file".to_owned())),
                false if is_new => Some((Subject::Payee, "this payee is new in this file".to_owned())),
                // What was before the file nobody knows.
                true => Some((Subject::Payee, format!("nothing from this payer is in this file {days}"))),
                false => Some((Subject::Payee, format!("no payment to this payee is in this file {days}"))),
            };
        }
        if is_new {
            let told = match self.is_received {
                true => "this payer is new to all accounts here",
                false => "this payee is new to all accounts here",
            };
            return Some((Subject::Payee, told.to_owned()));
        }
        let (days, whom) = (window?.many(), format!("this {party}"));
        let of = if stem == "counterparty_count" { "payment" } else { "account" };
        let most = typical.filter(|typical| *typical > value).map(|typical| {
            let all = format!("{} or more", plural(typical, of));
            format!("; half of all payments concern one with {all}")
        });
        let most = most.unwrap_or_default();
        let told = match (value < 0.5, self.is_received, of) {
            (true, true, _) => format!("nothing from {whom} is in this file in the {days} before{most}"),
            (true, false, _) => format!("nobody in this file has {verb} {whom} in the {days} before{most}"),
            (false, true, "payment") => format!("only {} from {whom} in {days}{most}", plural(value, of)),
            (false, false, "payment") => format!("only {} to {whom} in {days}{most}", plural(value, of)),
            (false, true, _) => format!("{whom} has sent money to only {} in {days}{most}", plural(value, of)),
            (false, false, _) => format!("only {} paid {whom} in {days}{most}", plural(value, of)),
        };
        Some((Subject::Payee, told))
    }
}

/// Between two payments nobody travels faster without a plane.
const FAST: f64 = 200.0;

/// `9`, `32`, `1.7`.
fn several(times: f64) -> String {
    if times > 1_000.0 {
        return "more than 1,000".to_owned();
    }
    if times < 9.5 { at_most_one_decimal(times) } else { count(times, false) }
}

/// `no`, `only 3`.
fn few(number: f64) -> String {
    if number < 0.5 { "none".to_owned() } else { format!("only {}", count(number, false)) }
}

fn plural(number: f64, what: &str) -> String {
    let number = count(number, false);
    if number == "1" { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// A capital at the beginning and a full stop at the end.
fn finished(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crible_core::{Amount, EntityId, Timestamp, Transaction, TxnId, Unit};

    use super::*;
    use crate::{ModelId, Score, Severity};

    fn said(minor: i64, reasons: &[(&'static str, f64, Option<f64>)], reader: Reader) -> Vec<String> {
        let account = EntityId::from_pseudorandom(9);
        let txn = Transaction::new(TxnId(1), Timestamp(0), account, Amount::new(minor, Currency::USD));
        let score = Score { raw: 9.0, tail: 1e-5 };
        let mut decision = Decision::new(&txn, score, Severity::of(score.tail), &[], ModelId(1));
        let reason = |&(column, value, typical): &(&'static str, f64, Option<f64>)| Reason {
            column: column.into(),
            unit: Unit::Count,
            value,
            typical,
            share: 0.2,
            text: "this account is odd here".to_owned(),
        };
        decision.reasons = reasons.iter().map(reason).collect();
        let look = |column: &str| match column {
            "account_count_1d" => Some(2.0),
            "account_count_30d" => Some(45.0),
            "counterparty_count_90d" => Some(if minor == -1 { 0.0 } else { 4.0 }),
            _ => None,
        };
        sentences(&decision, &Context { reader, look: &look, is_by_day: false })
    }

    #[test]
    fn a_reason_is_said_to_the_reader() {
        let reasons = [
            ("amount_to_account_mean", 1_149.98, Some(127.5)),
            ("account_count_1d_to_expected", 2.8, None),
            ("account_sum_1h_to_expected", 22.36, None),
            ("first_at_counterparty", 0.05, None),
            ("hour_surprise", 3.0, None),
            ("device_accounts_7d", 12.0, Some(1.0)),
        ];
        assert_eq!(
            said(-114_998, &reasons, Reader::Owner),
            [
                "9 times your usual payment of 127.50.",
                "3 payments within a day, where you make 1.5 on average.",
                "Within an hour, you paid 22 times as much as is usual.",
                "Your first payment to this payee in this file.",
                "03:00 UTC is an unusual hour for you.",
                "12 accounts have paid from this device in the week before."
            ]
        );
        assert_eq!(
            said(-114_998, &reasons, Reader::Analyst)[..4],
            [
                "9 times this account's usual payment of 127.50.",
                "3 payments within a day, where this account makes 1.5 on average.",
                "Within an hour, this account paid 22 times as much as is usual.",
                "This account's first payment to this payee in this file."
            ]
        );
        assert_eq!(said(50, &reasons[3..4], Reader::Owner), ["Your first receipt from this payer in this file."]);
    }

    #[test]
    fn who_knows_no_hours_reads_of_days() {
        let reason = |column: &'static str, value: f64| (column, value, None);
        let of = |is_by_day: bool| {
            let account = EntityId::from_pseudorandom(9);
            let txn = Transaction::new(TxnId(1), Timestamp(0), account, Amount::new(-900, Currency::USD));
            let score = Score { raw: 9.0, tail: 1e-5 };
            let mut decision = Decision::new(&txn, score, Severity::of(score.tail), &[], ModelId(1));
            let all = [
                reason("account_sum_1h_to_expected", 22.0),
                reason("account_count_1h_to_expected", 3.0),
                reason("hour_surprise", 0.0),
                reason("first_at_counterparty", 0.1),
            ];
            let told = |(column, value, typical): (&'static str, f64, Option<f64>)| Reason {
                column: column.into(),
                unit: Unit::Count,
                value,
                typical,
                share: 0.2,
                text: String::new(),
            };
            decision.reasons = all.into_iter().map(told).collect();
            let look = |column: &str| match column {
                "account_count_1h" => Some(2.0),
                "account_count_30d" => Some(60.0),
                _ => None,
            };
            sentences(&decision, &Context { reader: Reader::Owner, look: &look, is_by_day })
        };
        assert_eq!(
            of(true),
            [
                "On one day, you paid 22 times as much as is usual.",
                "3 payments on one day, where you make 2 on average.",
                "Your first payment to this payee in this file."
            ]
        );
        assert_eq!(
            of(false)[..2],
            [
                "Within an hour, you paid 22 times as much as is usual.",
                "3 payments within an hour, more than is usual for you."
            ]
        );
    }

    #[test]
    fn what_others_do_is_said_to_those_who_see_others() {
        let reasons = [("counterparty_accounts_90d", 1.0, Some(6.0)), ("counterparty_count_90d", 0.0, Some(18.0))];
        assert_eq!(
            said(-5, &reasons[..1], Reader::Analyst),
            ["Only 1 account paid this payee in 90 days; half of all payments concern one with 6 accounts or more."]
        );
        assert_eq!(
            said(-5, &reasons[1..], Reader::Analyst),
            ["Nobody in this file has paid this payee in the 90 days before; half of all payments concern one with \
                 18 payments or more."]
        );
        assert_eq!(
            said(-5, &reasons[1..], Reader::Owner),
            ["No payment to this payee is in this file in the 90 days before."]
        );
        // Both are about the payee: the first is enough.
        assert_eq!(said(-5, &reasons, Reader::Analyst).len(), 1);
    }

    #[test]
    fn a_reason_that_does_not_hold_is_left_out() {
        let below = [("amount_to_usual_30d", 375.39, Some(394.27)), ("first_at_counterparty", 0.5, None)];
        assert_eq!(said(-37_539, &below, Reader::Owner), ["Your first payment to this payee in this file."]);
        // Nobody paid there, so nothing is usual there.
        let nobody = [("amount_to_usual_at_counterparty_90d", 899.0, Some(62.0)), ("hour_surprise", 23.0, None)];
        assert_eq!(said(-1, &nobody, Reader::Analyst), ["23:00 UTC is an unusual hour for this account."]);
        assert_eq!(said(-2, &nobody, Reader::Analyst).len(), 2);
        // Something is always said.
        assert_eq!(said(-37_539, &below[..1], Reader::Owner), ["You are odd here."]);
    }

    #[test]
    fn nobody_reads_of_a_median_or_of_peers() {
        let columns = [
            "amount",
            "first_at_counterparty",
            "account_sum_1h",
            "account_count_7d",
            "account_outsized_7d",
            "account_in_run_7d",
            "balance_share",
            "account_first_counterparties_1d",
            "account_counterparties_7d",
            "account_passed_on_1d",
            "counterparty_new_to_feed",
            "category_novelty",
            "channel_novelty",
            "country_novelty",
            "device_novelty",
            "address_novelty",
            "address_accounts_90d",
            "kilometres_from_home",
            "kilometres_from_last",
            "kilometres_per_hour",
            "recurring_early",
            "seconds_since_last",
            "amount_for_category",
            "amount_to_largest_30d",
            "account_sum_7d_to_expected",
            "counterparty_count_1d",
        ];
        for (column, minor) in columns.iter().flat_map(|column| [(column, -900), (column, 900)]) {
            for reader in [Reader::Owner, Reader::Analyst] {
                let one = said(minor, &[(column, 905.0, Some(3.0))], reader).concat();
                // What was before the file nobody knows.
                let is_plain = !one.contains("median")
                    && !one.contains("never")
                    && !one.contains("its like")
                    && !one.contains('_');
                assert!(is_plain && one.ends_with('.') && !one.contains("  "), "{one}");
                assert!(reader == Reader::Analyst || !one.contains("this account"), "{one}");
            }
        }
    }

    #[test]
    fn what_it_looks_like_is_said_to_the_reader() {
        let check = |view: &str, owner: &str| {
            assert_eq!(looks_like(view, Reader::Owner), owner);
            assert_eq!(looks_like(view, Reader::Analyst), view);
        };
        check("a payment out of proportion for this account", "a payment out of proportion for you");
        check("more money than this account usually receives", "more money than you usually receive");
        check("something new for this account", "something new for you");
        check("a payment to somebody hardly anybody pays", "a payment to somebody new to you");
        check("an account passing money on", "your account passing money on");
        check("a card being tested", "a card being tested");
    }
}
