//! What a webhook receives keeps to its schema, and what is broken does not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeSet;

use common::{alert_letter, case_notice, letter};
use crible_notify::Medium;
use crible_notify::channel::{CloudEvents, Content, Letter, Recipient};
use serde_json::Value;

fn events() -> [Value; 4] {
    let to = Some(Recipient { medium: Medium::Sms, address: "+33600000000".parse().unwrap(), wrote: None });
    let letters = [
        alert_letter("alert/7/hook"),
        Letter { to, ..letter("q/1", Content::Message) },
        letter("t/1", Content::Trouble),
        letter("case/12/1/hook", Content::Case(Box::new(case_notice()))),
    ];
    let events = CloudEvents::new("urn:crible:test").unwrap();
    letters.map(|letter| serde_json::from_slice(&events.write(&letter).unwrap()).unwrap())
}

fn schema() -> Value {
    serde_json::from_str(include_str!("../schema/webhook.schema.json")).unwrap()
}

#[test]
fn events_keep_to_the_schema_and_broken_ones_do_not() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    for event in events() {
        assert!(schema.is_valid(&event), "{event}");
        for field in event.as_object().unwrap().keys() {
            let mut broken = event.clone();
            broken[field] = Value::Bool(true);
            assert!(!schema.is_valid(&broken), "{field} of the wrong type passes");
            let mut broken = event.clone();
            broken.as_object_mut().unwrap().remove(field);
            assert!(!schema.is_valid(&broken), "{field} missing passes");
        }
        for field in event["data"].as_object().unwrap().keys() {
            let mut broken = event.clone();
            broken["data"][field] = Value::Array(Vec::new());
            assert!(!schema.is_valid(&broken), "data.{field} of the wrong type passes");
            let mut broken = event.clone();
            broken["data"].as_object_mut().unwrap().remove(field);
            assert!(!schema.is_valid(&broken), "data.{field} missing passes");
        }
        let mut broken = event.clone();
        broken["id"] = "A key".into();
        assert!(!schema.is_valid(&broken));
    }
}

/// No field more, none less.
#[test]
fn the_schema_is_that_of_the_events() {
    let schema = schema();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let names = |list: &Value| {
        list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    for event in events() {
        assert_eq!(keys(&schema["properties"]), keys(&event));
        assert_eq!(names(&schema["required"]), keys(&event));
        let forms = schema["oneOf"].as_array().unwrap();
        let form = forms.iter().find(|form| form["properties"]["type"]["const"] == event["type"]).unwrap();
        let data = &form["properties"]["data"];
        assert_eq!(keys(&data["properties"]), keys(&event["data"]));
        assert_eq!(names(&data["required"]), keys(&event["data"]));
    }
}
