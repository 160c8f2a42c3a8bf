//! Invented cases.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use crible_alert::{Severity, wire};
use crible_report::{Case, Label, Page};

pub fn alert(number: u32, severity: &str, at: &str, amount: &str, party: &str) -> wire::Alert {
    let line = format!(
        r#"{{"schema":"crible.alert/1","id":"{number:032x}","transaction":"{number:032x}","account":"000000000000beef",
        "counterparty":"{party}","at":"{at}","amount":{{"value":"{amount}","currency":"USD"}},"score":{number}.5,
        "tail":0.0004,"severity":"{severity}","rank":1,"day":"{day}","reasons":[{{"feature":"amount",
        "text":"$412.00 is 9 times what this account usually pays ($44)","value":4.1,"typical":1.2,"share":0.7}}],
        "looks_like":"a card being tested","model":"0000000000c0ffee","source":null}}"#,
        day = &at[..10]
    );
    wire::Alert::from_line(&line.replace('\n', " ")).unwrap()
}

pub fn page() -> Page {
    let alerts = vec![
        alert(1, "medium", "2026-06-01T03:04:05Z", "-12.00", "00000000facade00"),
        alert(2, "critical", "2026-06-03T10:00:00Z", "-412.00", "00000000facade01"),
        alert(3, "low", "2026-06-03T10:05:00Z", "-40.00", "00000000facade00"),
    ];
    let label = |severity, fraud| Label { severity, fraud };
    let labels = vec![label(Severity::Critical, true), label(Severity::Medium, false), label(Severity::Medium, true)];
    let case = |number, alerts| Case {
        number,
        status: "open".to_owned(),
        owner: Some("ana".to_owned()),
        at_risk: vec!["464.00 USD".to_owned()],
        alerts,
        labels: labels.clone(),
    };
    let later = vec![alert(9, "high", "2026-06-09T23:59:59Z", "-7.00", "00000000facade02")];
    let cases = vec![case(12, alerts), Case { labels: Vec::new(), owner: None, ..case(13, later) }];
    Page { title: "Week 23".to_owned(), made: "2026-06-10T06:00:00Z".to_owned(), cases, left_out: 4 }
}
