//! The JSON Schema of a preset says what the loader takes.

use std::collections::BTreeSet;
use std::path::Path;

use crible_ingest::{Preset, PresetError, feeds};
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../schema/preset.schema.json");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

fn of_toml(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

/// A preset of few words that is right.
const RIGHT: &str = r#"
name = "mine"
title = "Mine"
[file]
headers = [["When", "Who", "Sum", "Shop"]]
[account]
column = "Who"
[time]
column = "When"
formats = ["iso"]
[amount]
column = "Sum"
sign = "outflow-negative"
"#;

#[test]
fn every_built_in_preset_is_valid() {
    let validator = validator();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("presets");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let value = of_toml(&std::fs::read_to_string(&path).unwrap());
        let wrong: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(wrong, [""; 0], "{}", path.display());
        files += 1;
    }
    assert!(files > 30, "{files}");
    // Those of statements and messages are made in code, and presets all the same.
    for preset in feeds() {
        let wrong: Vec<String> =
            validator.iter_errors(&of_toml(preset.toml())).map(|error| error.to_string()).collect();
        assert_eq!(wrong, [""; 0], "{}", preset.name());
    }
}

/// What is wrong by the schema is wrong for the loader too.
#[test]
fn wrong_presets_fail_both() {
    let validator = validator();
    assert!(validator.is_valid(&of_toml(RIGHT)));
    Preset::from_toml(RIGHT, "right").unwrap();
    for (what, from, to) in [
        ("no name", "name = \"mine\"\n", ""),
        ("a name of two words", "\"mine\"", "\"my own\""),
        ("an unknown key", "title", "titel"),
        ("no account", "[account]\ncolumn = \"Who\"\n", ""),
        ("an account from nowhere", "column = \"Who\"", "html = true"),
        ("an account of an unknown origin", "column = \"Who\"", "from = \"weather\""),
        ("no time", "[time]\ncolumn = \"When\"\nformats = [\"iso\"]\n", ""),
        ("a time of no column", "column = \"When\"\n", ""),
        ("a time of two kinds", "column = \"When\"", "column = \"When\"\ncolumns = [\"When\"]"),
        ("an unknown sign", "outflow-negative", "minus"),
        ("a debit alone", "column = \"Sum\"\nsign = \"outflow-negative\"", "debit = \"Sum\""),
        ("a sign beside two columns", "column = \"Sum\"", "debit = \"Sum\"\ncredit = \"Shop\""),
        ("a negative position", "column = \"Sum\"", "column = -1"),
        ("a number for a text", "title = \"Mine\"", "title = 3"),
        ("a header of no column", "[[\"When\", \"Who\", \"Sum\", \"Shop\"]]", "[[]]"),
        (
            "more columns than any table has",
            "headers = [[\"When\", \"Who\", \"Sum\", \"Shop\"]]",
            "columns = 9999999999",
        ),
        ("an unknown currency", "[time]", "[currency]\nconstant = \"\"\n[time]"),
        ("an unknown unit", "formats = [\"iso\"]", "step = { unit = \"week\", base = \"2020-01-01\" }"),
        ("a skip without a test", "[time]", "[[skip]]\ncolumn = \"Shop\"\nreason = \"x\"\n[time]"),
        ("a skip without a reason", "[time]", "[[skip]]\ncolumn = \"Shop\"\nempty = true\n[time]"),
        ("a label without words", "[time]", "[label]\ncolumn = \"Shop\"\nfraud = []\nlegitimate = []\n[time]"),
        ("half a position", "[time]", "[position]\nlatitude = \"Shop\"\n[time]"),
        ("a delimiter of two", "[account]", "delimiter = \"||\"\n[account]"),
    ] {
        let text = RIGHT.replacen(from, to, 1);
        assert_ne!(text, RIGHT, "{what}");
        assert!(!validator.is_valid(&of_toml(&text)), "the schema takes {what}");
        assert!(Preset::from_toml(&text, what).is_err(), "the loader takes {what}");
    }
}

/// The keys or words that the loader takes in one place, as its error for one that it does not take lists them.
fn taken(toml: &str) -> BTreeSet<String> {
    let message = match Preset::from_toml(toml, "in").unwrap_err() {
        PresetError::Toml { message, .. } => message,
        other => panic!("{toml}: {other}"),
    };
    let (_, list) = message.split_once("expected").unwrap_or_else(|| panic!("{toml}: {message}"));
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn keys(schema: &Value, pointer: &str) -> BTreeSet<String> {
    let properties = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).as_object().unwrap();
    properties.keys().cloned().collect()
}

#[test]
fn the_schema_has_the_keys_of_the_loader_and_no_others() {
    let schema = schema();
    let check = |toml: &str, pointer: &str| assert_eq!(taken(toml), keys(&schema, pointer), "{toml}");
    check("no-such-key = 1", "/properties");
    check("file.no-such-key = 1", "/$defs/file/properties");
    check("[[file.check]]\nno-such-key = 1", "/$defs/file/properties/check/items/properties");
    check("[[file.evidence]]\nno-such-key = 1", "/$defs/file/properties/evidence/items/properties");
    check("time.no-such-key = 1", "/$defs/time/properties");
    check("time.step.no-such-key = 1", "/$defs/time/properties/step/properties");
    check("amount.no-such-key = 1", "/$defs/amount/properties");
    check("amount.inflow.no-such-key = 1", "/$defs/amount/properties/inflow/properties");
    check("counterparty.turned.no-such-key = 1", "/properties/counterparty/properties/turned/properties");
    for table in ["position", "balance", "id", "label", "meaning"] {
        check(&format!("{table}.no-such-key = 1"), &format!("/properties/{table}/properties"));
    }
    check("[[skip]]\nno-such-key = 1", "/properties/skip/items/properties");
    // The loader has one form for all texts, and refuses on each what only another has.
    let mut texts = BTreeSet::new();
    for field in ["account", "counterparty", "category", "channel", "country", "currency"] {
        let of_field = keys(&schema, &format!("/properties/{field}/properties"));
        let of_loader = taken(&format!("{field}.no-such-key = 1"));
        assert!(of_field.is_subset(&of_loader), "{field}");
        texts.extend(of_field);
    }
    assert_eq!(texts, taken("account.no-such-key = 1"));
}

#[test]
fn the_schema_has_the_words_of_the_loader_and_no_others() {
    let schema = schema();
    for (toml, pointer) in [
        ("time.step.unit = \"no-such-word\"", "/$defs/time/properties/step/properties/unit/enum"),
        ("amount.sign = \"no-such-word\"", "/$defs/amount/properties/sign/enum"),
        ("amount.format = \"no-such-word\"", "/$defs/amount/properties/format/enum"),
        ("balance.when = \"no-such-word\"", "/properties/balance/properties/when/enum"),
        ("[[file.check]]\nlike = \"no-such-word\"", "/$defs/file/properties/check/items/properties/like/enum"),
    ] {
        let words: BTreeSet<String> = schema
            .pointer(pointer)
            .unwrap()
            .as_array()
            .unwrap()
            .iter()
            .map(|w| w.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(taken(toml), words, "{toml}");
    }
}

/// The loader has one list of origins; the schema says which of them each text may have.
#[test]
fn accounts_and_currencies_have_the_origins_of_the_loader() {
    let schema = schema();
    let words = |field: &str| schema.pointer(&format!("/properties/{field}/properties/from/enum")).unwrap().clone();
    let both = [words("account"), words("currency")];
    let both: BTreeSet<String> =
        both.iter().flat_map(|words| words.as_array().unwrap()).map(|word| word.as_str().unwrap().to_owned()).collect();
    assert_eq!(taken("account.from = \"no-such-word\""), both);
    let wrong = RIGHT.replacen("column = \"Who\"", "from = \"header\"", 1);
    assert!(!validator().is_valid(&of_toml(&wrong)) && Preset::from_toml(&wrong, "wrong").is_err());
}

/// Every key says what it is for, and an object's keys are all it may have.
#[test]
fn every_key_is_documented() {
    fn walk(at: &str, value: &Value) {
        if let Some(properties) = value.get("properties").filter(|_| value.get("type") == Some(&json!("object"))) {
            assert_eq!(value["additionalProperties"], false, "{at}");
            for (key, property) in properties.as_object().unwrap() {
                let described = property["description"].as_str().or_else(|| property["$ref"].as_str());
                assert!(described.is_some_and(|text| text.len() > 8), "{at}.{key}");
                walk(&format!("{at}.{key}"), property);
            }
        }
        for inner in ["items", "$defs"] {
            if let Some(inner) = value.get(inner) {
                walk(at, inner);
            }
        }
    }
    let schema = schema();
    walk("", &schema);
    for (name, value) in schema["$defs"].as_object().unwrap() {
        assert!(value["description"].as_str().is_some_and(|text| text.len() > 8), "{name}");
        walk(name, value);
    }
}

#[test]
fn an_error_names_file_line_and_key() {
    let check = |from: &str, to: &str, expect: &str| {
        let error = Preset::from_toml(&RIGHT.replacen(from, to, 1), "mine.toml").unwrap_err().to_string();
        assert!(error.starts_with(expect), "{error}");
    };
    check("title = \"Mine\"", "titel = \"Mine\"", "mine.toml:3: titel: unknown field `titel`");
    check("[\"iso\"]", "[\"iso\"]\nzone = \"Mars/Olympus\"", "mine.toml:8: time: `Mars/Olympus`; expected a time zone");
    check("column = \"Sum\"", "column = \"Total\"", "mine.toml:11: amount: `Total`; expected a column of every header");
    check("[\"iso\"]", "3", "mine.toml:10: time.formats: invalid type: integer");
    check("\"outflow-negative\"", "\"minus\"", "mine.toml:13: amount.sign: unknown variant `minus`");
    check("[time]", "[time", "mine.toml:8: ");
    check(
        "title",
        "undecided = [\"time.formats: 03/04\"]\ntitle",
        "mine.toml:3: the preset `mine` is a draft with one point undecided: time.formats",
    );
}
