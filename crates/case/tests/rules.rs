//! Rules: what they do, and what is refused when they are read.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::{Duration, Instant};

use crible_alert::{Severity, wire};
use crible_case::*;
use proptest::prelude::*;

use common::{Came, minute};

fn rule(when: &str, then: Effect) -> RuleText {
    let tag = (then == Effect::Tag).then(|| "night".parse().unwrap());
    RuleText { name: "one".parse().unwrap(), when: when.to_owned(), then, tag, until: None }
}

fn rules(rules: impl IntoIterator<Item = RuleText>) -> Result<Rules, BadRule> {
    let name = |(n, rule): (usize, RuleText)| RuleText { name: format!("rule-{n}").parse().unwrap(), ..rule };
    Rules::new(&RulesText { rules: rules.into_iter().enumerate().map(name).collect() })
}

fn facts() -> Facts {
    let mut alert = Came { counterparty: 50, ..Came::new(1, 1, 3 * 60) }.wire();
    let reason = |feature: &str| wire::Reason {
        feature: feature.to_owned(),
        text: "a sentence".to_owned(),
        value: Some(9.0),
        typical: None,
        share: 0.5,
    };
    alert.reasons = vec![reason("amount"), reason("hour")];
    alert.looks_like = Some("a card being tested".to_owned());
    Facts::new(alert, None).unwrap()
}

#[test]
fn conditions_read_what_an_alert_says() {
    let check = |when: &str, expect: bool| {
        let rules = rules([rule(when, Effect::Hold)]).unwrap_or_else(|error| panic!("{when}: {error}"));
        assert_eq!(rules.judge(&facts(), minute(0)).hold, expect, "{when}");
    };
    check("amount == -100.0 && currency == 'USD'", true);
    check("amount < -100.0", false);
    check("severity in ['high', 'critical'] && tail < 0.01", true);
    check("'amount' in reasons && !('velocity' in reasons)", true);
    check("reasons.exists(r, r.startsWith('ho'))", true);
    check("reasons.all(r, r == 'amount')", false);
    check("reasons.filter(r, r != 'amount').size() == 1", true);
    check("looks_like.contains('card') && feed == ''", true);
    check("payments == 1 && hour == 3 && weekday == 6", true);
    check("counterparty == '0000000000000032' && !linked", true);
    check("(hour < 6 ? 2 : 1) == 2", true);
    // What fails does not hold.
    check("reasons.size() > 0 && 1 / (payments - 1) > 0", false);
}

#[test]
fn effects_add_up_in_order() {
    let all = [
        rule("true", Effect::Raise),
        rule("hour > 12", Effect::Raise),
        rule("true", Effect::Tag),
        rule("true", Effect::Hold),
    ];
    let verdict = rules(all).unwrap().judge(&facts(), minute(0));
    assert_eq!((verdict.severity, verdict.hold, verdict.tags.len()), (Some(Severity::Critical), true, 1));
    assert_eq!(verdict.hits, [0, 2, 3]);
    let twice = rules([rule("true", Effect::Raise), rule("true", Effect::Lower)]).unwrap();
    assert_eq!(twice.judge(&facts(), minute(0)).severity, None);
    let ended = rules([RuleText { until: Some(minute(5)), ..rule("true", Effect::Hold) }]).unwrap();
    assert!(ended.judge(&facts(), minute(4)).hold && !ended.judge(&facts(), minute(5)).hold);
}

#[test]
fn rules_are_checked_when_they_are_read() {
    let check = |when: &str, expect: &str| {
        let error = rules([rule(when, Effect::Hold)]).unwrap_err().to_string();
        assert!(error.starts_with("rule `rule-0`: ") && error.contains(expect), "{when}: {error}");
    };
    check("amount >", "does not parse");
    check("", "does not parse");
    check("price > 4.0", "`price` is unknown: expected one of account, counterparty, amount");
    check("amount", "expected true or false");
    check("amount + 1.0", "expected true or false");
    check("amount > 'ten'", "fails");
    check("looks_like.matches('(a+)+$')", "`matches` cannot be used");
    check("alert.amount > 4.0", "nothing to select");
    check("timestamp('2024-06-01T00:00:00Z') > timestamp('2024-01-01T00:00:00Z')", "cannot be used");
    check("reasons.exists(a, reasons.exists(b, a == b))", "a loop is within another");
    check(&format!("{}true", "!".repeat(200)), "nests deeper");
    check(&format!("{}true{}", "(".repeat(60), ")".repeat(60)), "nests deeper");
    check(&format!("payments in [{}1]", "1, ".repeat(80)), "at most 64");
    check(&format!("'{}' == feed", "x".repeat(1_000)), "at most 1000 are allowed");
    check("true\0", "control characters");
    let same = [rule("true", Effect::Hold), rule("true", Effect::Hold)];
    let twice = Rules::new(&RulesText { rules: same.to_vec() }).unwrap_err();
    assert!(twice.to_string().contains("another rule has this name"), "{twice}");
    let untagged = RuleText { tag: None, ..rule("true", Effect::Tag) };
    assert!(Rules::new(&RulesText { rules: vec![untagged] }).is_err());
}

fn hostile() -> impl Strategy<Value = String> {
    let tokens = vec![
        "amount",
        "reasons",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        "?",
        ":",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "&&",
        "||",
        "==",
        "<",
        "in",
        "true",
        "1",
        "1.5",
        "'a'",
        "\"b\"",
        "r'\\",
        "x",
        ".exists(x, ",
        ".map(x, ",
        ".all(",
        "has(",
        "size(",
        "9223372036854775807",
        "0x",
        "1e999",
        "\u{feff}",
        "é",
        "\\u",
        "//",
        "null",
        "b'\\xff'",
        "@in",
        "`a`",
    ];
    prop::collection::vec(prop::sample::select(tokens), 0..60).prop_map(|tokens| tokens.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Whatever is written is refused or judged, without a panic and in bounded time.
    #[test]
    fn hostile_rules_are_answered_in_time(when in hostile()) {
        answered(&when)?;
    }

    #[test]
    fn so_is_any_text(when in "\\PC{0,200}") {
        answered(&when)?;
    }
}

#[expect(clippy::disallowed_methods, reason = "the time is what is tested")]
fn answered(when: &str) -> Result<(), TestCaseError> {
    let start = Instant::now();
    if let Ok(rules) = rules([rule(when, Effect::Hold)]) {
        let mut alert = facts().alert().clone();
        alert.looks_like = Some("x".repeat(100_000));
        alert.reasons = vec![alert.reasons[0].clone(); 5_000];
        let verdict = rules.judge(&Facts::new(alert, None).unwrap(), minute(0));
        prop_assert!(verdict.hits.len() <= 1);
    }
    prop_assert!(start.elapsed() < Duration::from_secs(2), "{when} took {:?}", start.elapsed());
    Ok(())
}

#[test]
fn the_worst_that_is_allowed_is_fast() {
    // The longest loop over the longest list, many times.
    let part = "reasons.exists(r, r.contains('zzzzzzzz'))";
    let when = vec![part; 1_000 / (part.len() + 4)].join(" || ");
    answered(&when).unwrap();
    let deep = format!("{}payments{} > 0", "(".repeat(20), ")".repeat(20));
    answered(&deep).unwrap();
    answered(&format!("payments{} > 0", " + 1".repeat(200))).unwrap();
}
