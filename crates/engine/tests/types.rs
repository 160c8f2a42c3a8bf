//! What a service does with the engine's types besides calling them: reads them from text, writes them, prints them.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::*;
use crible::core::{Currency, Window};
use crible::{Columns, Config, Engine, LateCount, Limits, Rates, Windows};
use serde_json::{Value, to_value};

#[test]
fn a_configuration_is_read_from_text_and_built_field_by_field() {
    let text = r#"
        [columns]
        add = ["account_equal_amounts_7d"]
        drop = ["balance_share"]
        [state]
        lateness = "6h"
        ahead = "2d"
        repeats = "3d"
        forget_after = "90d"
        memory_mib = 64
        [currencies]
        rates = { EUR = 1.0, USD = 0.92 }
        refuse_others = true
    "#;
    let read: Config = text.parse().unwrap();
    let mut built = Config::default();
    built.columns = Columns::default().with("account_equal_amounts_7d").without("balance_share");
    built.state = Limits::default()
        .late_by(Window(6 * Window::HOUR.0))
        .ahead_by(Window(2 * Window::DAY.0))
        .repeats_for(Window(3 * Window::DAY.0))
        .forget_after(Window(90 * Window::DAY.0))
        .within(64 << 20);
    built.rates = Rates::default().with(Currency::EUR, 1.0).with(Currency::USD, 0.92).refusing_others();
    assert_eq!(read, built);
    assert_eq!(read.to_toml().unwrap().parse::<Config>().unwrap(), built);
    assert!("seed = 'x'".parse::<Config>().is_err());
}

#[test]
fn what_is_written_and_printed() {
    let txns = population(20, 30, 3, FULL);
    let mut engine = quick().fit_rows(60).fit(&batch(&txns)).unwrap();
    let id = engine.model().id().to_string();
    let columns = engine.model().columns().len();
    let text = engine.model().to_string();
    assert!(text.starts_with(&format!("model {id}: 7 detectors over {columns} columns, ")), "{text}");
    replayed(&mut engine, &txns[..txns.len() - 1]);
    let last = txns.last().unwrap();
    let observed = engine.observe(last).unwrap();
    let json = to_value(observed).unwrap();
    assert_eq!(json["transaction"]["id"], Value::String(last.id.to_string()));
    assert_eq!(
        (&json["model"], &json["is_provisional"], &json["is_repeat"]),
        (&id.into(), &false.into(), &false.into())
    );
    assert_eq!(json["verdict"]["score"], observed.score().raw);
    let known = observed.history().unwrap();
    assert_eq!(json["history"]["account"], known.account);
    assert_eq!(observed.to_string(), format!("{}: {}", last.id, observed.verdict()));
    let text = known.to_string();
    assert!(
        text.starts_with(&format!("{} payments of the account and {} at", known.account, known.counterparty)),
        "{text}"
    );
    let again = to_value(engine.observe(last).unwrap()).unwrap();
    assert_eq!((&again["history"], &again["is_repeat"]), (&Value::Null, &true.into()));
    assert_eq!(to_value(engine.late()).unwrap()["contradicted"], 0);
    assert_eq!(LateCount::default().to_string(), "0 placed late, 0 refused as late and 0 as early, 0 left out");
    assert_eq!(to_value(Windows::default()).unwrap()["account"], to_value(Windows::default().account).unwrap());
    assert_eq!(to_value(Limits::default()).unwrap()["memory"], Value::Null);
    let first = Engine::load(&engine.save()).unwrap().observe(&txns[0]).unwrap().history().unwrap().to_string();
    assert!(first.ends_with(", its time to be confirmed"), "{first}");
}
