//! Alerts on the wire: what they look like, that they keep to their schema, and that they come back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use crible_alert::wire::{self, CSV_HEADER, WireError, csv_record};
use crible_alert::{Alert, Day, Decision, ModelId, Note, Payment, Reason, Score, Severity};
use crible_core::{Amount, Currency, EntityId, Timestamp, Transaction, TxnId, Undo, Unit};
use proptest::prelude::*;
use serde_json::Value;

fn reason(text: &str, value: f64, typical: Option<f64>) -> Reason {
    Reason {
        column: "amount_to_account_mean_30d".into(),
        unit: Unit::Money,
        value,
        typical,
        share: 0.625,
        text: text.to_owned(),
    }
}

fn alert() -> Alert {
    let at = Timestamp::from_civil(2024, 6, 1, 3, 4, 5, 0).unwrap();
    let amount = Amount::parse("-412.00", Currency::USD).unwrap();
    let id = TxnId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    let mut txn = Transaction::new(id, at, EntityId::new(0xbeef).unwrap(), amount);
    txn.counterparty = EntityId::new(77);
    let score = Score { raw: 6.25, tail: 0.000_4 };
    let mut decision = Decision::new(&txn, score, Severity::High, &[], ModelId(0xc0ffee));
    decision.reasons = vec![
        reason("412.00 is 9.3 times the account's usual 44.30", 412.0, Some(44.3)),
        reason("a \"new\" merchant, at 03:00", f64::NAN, None),
    ];
    Alert::new(Day::of(at), 3, decision)
}

/// The smallest alert.
fn bare() -> Alert {
    let mut bare = alert();
    bare.decision.txn.counterparty = None;
    bare.decision.reasons = Vec::new();
    bare.decision.score = Score { raw: 1.0, tail: 1e-300 };
    bare
}

/// The most.
fn noted() -> Alert {
    let mut noted = alert();
    noted.decision.note = Some(Note::Undone { how: Undo::Reversal, at: Timestamp(0) });
    noted.decision.view = Some("a card being tested".into());
    noted.payments = vec![Payment::of(&noted.decision), Payment::of(&noted.decision)];
    noted
}

fn source() -> Option<wire::Source> {
    Some(wire::Source { feed: "crible".into(), file: "june, part 1.csv".into(), row: 41 })
}

#[test]
fn a_line_of_json() {
    let line = wire::Alert::new(&alert(), source()).to_line().unwrap();
    insta::assert_snapshot!(line, @r#"{"schema":"crible.alert/1","id":"d6991a0346ebd1a363916a44e40fbdf2","transaction":"0123456789abcdef0123456789abcdef","account":"000000000000beef","counterparty":"000000000000004d","at":"2024-06-01T03:04:05Z","amount":{"value":"-412.00","currency":"USD"},"score":6.25,"tail":0.0004,"severity":"high","rank":3,"day":"2024-06-01","reasons":[{"feature":"amount_to_account_mean_30d","text":"412.00 is 9.3 times the account's usual 44.30","value":412.0,"typical":44.3,"share":0.625},{"feature":"amount_to_account_mean_30d","text":"a \"new\" merchant, at 03:00","value":null,"typical":null,"share":0.625}],"model":"0000000000c0ffee","source":{"feed":"crible","file":"june, part 1.csv","row":41}}"#);
}

#[test]
fn a_record_of_csv() {
    let record = csv_record(&wire::Alert::new(&alert(), source()));
    let listed: Vec<String> = CSV_HEADER
        .iter()
        .zip(&record)
        .map(|(name, text)| format!("{name}: {}", if text.is_empty() { "(empty)" } else { text }))
        .collect();
    insta::assert_snapshot!(listed.join("\n"), @r#"
    id: d6991a0346ebd1a363916a44e40fbdf2
    day: 2024-06-01
    rank: 3
    severity: high
    score: 6.25
    tail: 0.0004
    transaction: 0123456789abcdef0123456789abcdef
    account: 000000000000beef
    counterparty: 000000000000004d
    at: 2024-06-01T03:04:05Z
    amount: -412.00
    currency: USD
    reason_1: 412.00 is 9.3 times the account's usual 44.30
    reason_2: a "new" merchant, at 03:00
    reason_3: (empty)
    looks_like: (empty)
    model: 0000000000c0ffee
    feed: crible
    file: june, part 1.csv
    row: 41
    payments: 1
    note: (empty)
    "#);
    let record = csv_record(&wire::Alert::new(&bare(), None));
    assert_eq!(record[5], "1e-300");
    for empty in [8, 12, 13, 14, 15, 17, 18, 19, 21] {
        assert_eq!(record[empty], "", "{}", CSV_HEADER[empty]);
    }
    assert_eq!(csv_record(&wire::Alert::new(&noted(), None))[21], "reversed on 1970-01-01");
}

#[test]
fn a_line_comes_back() {
    for (alert, source) in [(alert(), source()), (bare(), None), (noted(), source())] {
        let sent = wire::Alert::new(&alert, source);
        let line = sent.to_line().unwrap();
        assert!(!line.contains('\n'));
        let received = wire::Alert::from_line(&line).unwrap();
        assert_eq!(received, sent);
        assert_eq!(received.to_line().unwrap(), line);
    }
}

#[test]
fn other_formats_are_told_apart_from_broken_lines() {
    let line = wire::Alert::new(&alert(), None).to_line().unwrap();
    let later = line.replace("crible.alert/1", "crible.alert/2");
    assert!(matches!(wire::Alert::from_line(&later), Err(WireError::Schema { found }) if found == "crible.alert/2"));
    assert!(matches!(wire::Alert::from_line(&line[..40]), Err(WireError::Json(_))));
    assert!(matches!(wire::Alert::from_line("{}"), Err(WireError::Json(_))));
    // A field a later release adds is skipped.
    let more = line.replacen('{', "{\"case\":\"4711\",", 1);
    assert!(wire::Alert::from_line(&more).is_ok());
}

#[test]
fn a_score_json_has_no_word_for_is_an_error() {
    let mut bad = alert();
    bad.decision.score.raw = f64::INFINITY;
    let error = wire::Alert::new(&bad, None).to_line().unwrap_err();
    assert!(matches!(error, WireError::NotFinite { field: "score", .. }), "{error}");
    let mut bad = alert();
    bad.decision.reasons[1].share = f64::NAN;
    assert!(wire::Alert::new(&bad, None).to_line().is_err());
}

#[test]
fn a_line_keeps_to_the_schema_and_a_broken_one_does_not() {
    let schema: Value = serde_json::from_str(include_str!("../schema/alert.schema.json")).unwrap();
    let valid = |value: &Value| schema::check(&schema, value);
    let line =
        |alert: &Alert, source| serde_json::from_str(&wire::Alert::new(alert, source).to_line().unwrap()).unwrap();
    let full: Value = line(&alert(), source());
    let mut old = bare();
    (old.decision.txn.at, old.decision.txn.amount) = (Timestamp(-1), Amount::new(-5, Currency::NONE));
    for good in [&full, &line(&bare(), None), &line(&old, None), &line(&noted(), source())] {
        valid(good).unwrap();
    }
    let written: Vec<&String> = full.as_object().unwrap().keys().collect();
    for field in written {
        let mut broken = full.clone();
        broken[field] = Value::Bool(true);
        assert!(valid(&broken).is_err(), "{field} of the wrong type passes");
        let mut broken = full.clone();
        broken.as_object_mut().unwrap().remove(field);
        assert!(valid(&broken).is_err(), "{field} missing passes");
    }
    for (pointer, bad) in [
        ("/schema", Value::from("crible.alert/2")),
        ("/id", Value::from("0123")),
        ("/account", Value::from("A000123")),
        ("/at", Value::from("2024-06-01 03:04:05")),
        ("/amount/value", Value::from("1,000.00")),
        ("/amount/currency", Value::from("usd")),
        ("/tail", Value::from(1.5)),
        ("/severity", Value::from("High")),
        ("/rank", Value::from(0)),
        ("/rank", Value::from(1.5)),
        ("/day", Value::from("1 June")),
        ("/reasons/0/share", Value::from(-0.1)),
        ("/reasons/0/text", Value::Null),
        ("/source/row", Value::from(-1)),
    ] {
        let mut broken = full.clone();
        *broken.pointer_mut(pointer).unwrap() = bad.clone();
        assert!(valid(&broken).is_err(), "{pointer} = {bad} passes");
    }
}

/// The schema describes every field as the types have it: no field more, none less, and those that may be absent.
#[test]
fn the_schema_is_that_of_the_types() {
    let schema: Value = serde_json::from_str(include_str!("../schema/alert.schema.json")).unwrap();
    let line = |alert: &Alert, ring: Option<&str>| -> Value {
        let alert = wire::Alert { ring: ring.map(str::to_owned), ..wire::Alert::new(alert, source()) };
        serde_json::from_str(&alert.to_line().unwrap()).unwrap()
    };
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let names = |list: &Value| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let agree = |schema: &Value, most: &Value, least: &Value| {
        assert_eq!(keys(&schema["properties"]), keys(most));
        assert_eq!(names(&schema["required"]), keys(least));
    };
    let (most, least) = (line(&noted(), Some("00000000000000aa")), line(&alert(), None));
    agree(&schema, &most, &least);
    let properties = &schema["properties"];
    for nested in ["amount", "source"] {
        agree(&properties[nested], &most[nested], &least[nested]);
    }
    agree(&properties["reasons"]["items"], &most["reasons"][0], &least["reasons"][1]);
    assert_eq!(properties["schema"]["const"], wire::SCHEMA);
}

/// The thresholds of severity are those of the code, in the words of the schema too.
#[test]
fn the_schema_says_where_severities_begin() {
    let schema: Value = serde_json::from_str(include_str!("../schema/alert.schema.json")).unwrap();
    let severity = &schema["properties"]["severity"];
    let names: BTreeSet<&str> =
        severity["enum"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(names, Severity::ALL.map(Severity::as_str).into());
    let [critical, high, medium, low] = Severity::ALL;
    assert_eq!((low, low.most_tail()), (Severity::Low, 1.0));
    let upto = [critical, high, medium].map(|one| format!("{one} up to {}", one.most_tail()));
    let said = format!("By tail: {}, low above; low, too, before the engine has observed enough.", upto.join(", "));
    assert_eq!(severity["description"], said);
}

proptest! {
    #[test]
    fn floats_are_printed_so_that_they_read_back(bits: u64) {
        let raw = f64::from_bits(bits);
        prop_assume!(raw.is_finite());
        let mut alert = alert();
        alert.decision.score.raw = raw;
        let line = wire::Alert::new(&alert, None).to_line().unwrap();
        let text = line.split("\"score\":").nth(1).unwrap().split(',').next().unwrap();
        prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
    }
}

/// As much of JSON Schema (draft 2020-12) as the alert's schema uses; a keyword or pattern it does not know fails.
mod schema {
    use serde_json::Value;

    pub(super) fn check(schema: &Value, value: &Value) -> Result<(), String> {
        for (keyword, want) in schema.as_object().expect("a schema is an object") {
            let fine = match keyword.as_str() {
                "$schema" | "$id" | "title" | "description" | "format" => true,
                "type" => match want {
                    Value::Array(any) => any.iter().any(|name| is(name, value)),
                    name => is(name, value),
                },
                "const" => want == value,
                "enum" => want.as_array().expect("enum").contains(value),
                "minimum" => value.as_f64().is_none_or(|v| v >= want.as_f64().expect("minimum")),
                "maximum" => value.as_f64().is_none_or(|v| v <= want.as_f64().expect("maximum")),
                "pattern" => value.as_str().is_none_or(|text| matches(want.as_str().expect("pattern"), text)),
                "required" => value.as_object().is_none_or(|object| {
                    want.as_array().expect("required").iter().all(|f| object.contains_key(f.as_str().expect("name")))
                }),
                "properties" => {
                    for (field, schema) in want.as_object().expect("properties") {
                        if let Some(inner) = value.get(field) {
                            check(schema, inner).map_err(|error| format!("{field}: {error}"))?;
                        }
                    }
                    true
                }
                "items" => {
                    for item in value.as_array().into_iter().flatten() {
                        check(want, item)?;
                    }
                    true
                }
                other => panic!("the schema uses `{other}`, which this test does not know"),
            };
            if !fine {
                return Err(format!("{value} is against {keyword} {want}"));
            }
        }
        Ok(())
    }

    fn is(name: &Value, value: &Value) -> bool {
        match name.as_str().expect("type") {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "number" => value.is_number(),
            "integer" => value.is_i64() || value.is_u64(),
            "null" => value.is_null(),
            other => panic!("the schema uses type `{other}`, which this test does not know"),
        }
    }

    /// The patterns of the schema, each by hand.
    fn matches(pattern: &str, text: &str) -> bool {
        let hex = |n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let date = |text: &str| {
            let parts: Vec<&str> = text.split('-').collect();
            parts.len() == 3
                && parts.iter().all(|p| digits(p))
                && parts[0].len() >= 4
                && parts[1].len() == 2
                && parts[2].len() == 2
        };
        match pattern {
            "^[0-9a-f]{32}$" => hex(32),
            "^[0-9a-f]{16}$" => hex(16),
            "^[A-Z]{3}$" => text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()),
            "^-?[0-9]+([.][0-9]+)?$" => match unsigned.split_once('.') {
                Some((whole, rest)) => digits(whole) && digits(rest),
                None => digits(unsigned),
            },
            "^[0-9]{4,}-[0-9]{2}-[0-9]{2}$" => date(text),
            "^[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{6})?Z$" => {
                let Some((day, time)) = text.strip_suffix('Z').and_then(|t| t.split_once('T')) else {
                    return false;
                };
                let (clock, micros) = time.split_once('.').map_or((time, None), |(c, m)| (c, Some(m)));
                let parts: Vec<&str> = clock.split(':').collect();
                date(day)
                    && parts.len() == 3
                    && parts.iter().all(|p| p.len() == 2 && digits(p))
                    && micros.is_none_or(|m| m.len() == 6 && digits(m))
            }
            other => panic!("the schema has the pattern `{other}`, which this test does not know"),
        }
    }
}
