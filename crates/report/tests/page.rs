//! The page: everything is on it, nothing is loaded, nothing runs, and no text becomes markup.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeSet;

use common::{alert, page};
use crible_alert::wire;
use crible_report::{Case, Page, write};
use proptest::prelude::*;

#[test]
fn everything_is_there() {
    let html = write(&page(), |_| None).unwrap();
    for text in [
        "<title>Week 23</title>",
        "2 cases with 4 alerts; 4 cases are not shown.",
        "Case 12: <span class=\"tag critical\">critical</span>, 464.00 USD at risk",
        "open, ana. Account <code>000000000000beef</code>",
        "$412.00 is 9 times what this account usually pays ($44)",
        "It looks like a card being tested.",
        "Alerts a day, from 2026-06-01 to 2026-06-09, at most 2",
        "1 account paid 2 counterparties",
        "Payments from 2026-06-01 03:04 to 2026-06-03 10:05, larger ones higher",
        "<th scope=\"row\" class=\"medium\">medium</th><td>2</td><td>1</td><td>50 %</td>",
        "<td class=\"amount\">-412.00 USD</td>",
    ] {
        assert!(html.contains(text), "{text}\n{html}");
    }
    // Nine days, one bar each, those without an alert too.
    let first_chart = &html[..html.find("Alerts a day, at most").unwrap()];
    assert_eq!(first_chart.matches("<rect").count(), 9);
    assert_eq!(html.matches("<circle").count(), 4 + 1 + 2 + 1 + 1);
}

#[test]
fn nothing_is_loaded_and_nothing_runs() {
    let html = write(&page(), |_| None).unwrap();
    let lower = html.to_lowercase();
    for bad in ["<script", "javascript:", "http://", "https://", "<link", "<img", "@import", "url(", " on"] {
        let found = lower.match_indices(bad).map(|(at, _)| html[at..].chars().take(20).collect());
        let found: Vec<String> = found.filter(|text: &String| bad != " on" || text.contains('=')).collect();
        assert_eq!(found, Vec::<String>::new(), "{bad}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn names_take_the_place_of_pseudonyms() {
    let name = |pseudonym: &str| match pseudonym {
        "00000000facade00" => Some("Café Nord".to_owned()),
        _ => None,
    };
    let html = write(&page(), name).unwrap();
    assert!(html.contains("<code>Café Nord</code>") && !html.contains("facade00"));
    assert!(html.contains("00000000facade01"));
}

#[test]
fn every_id_is_there_once_and_every_reference_has_one() {
    let html = write(&page(), |_| None).unwrap();
    let values = |attribute: &str| -> Vec<String> {
        let begins = format!(" {attribute}=\"");
        let parts = html.split(&begins).skip(1);
        parts.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let ids = values("id");
    let distinct: BTreeSet<_> = ids.iter().cloned().collect();
    assert_eq!(distinct.len(), ids.len());
    for reference in values("aria-labelledby") {
        assert!(distinct.contains(&reference), "{reference}");
    }
    for chart in html.split("<svg").skip(1) {
        assert!(chart.contains("role=\"img\"") && chart.contains("<title id="), "{chart}");
    }
}

#[test]
fn an_empty_page_is_a_page() {
    let empty =
        Page { title: "Nothing".to_owned(), made: "2026-06-10T06:00:00Z".to_owned(), cases: Vec::new(), left_out: 0 };
    let html = write(&empty, |_| None).unwrap();
    assert!(html.contains("There are no cases.") && !html.contains("<svg"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Texts of others, odd numbers and odd times: a page, and no markup of theirs.
    #[test]
    fn no_text_becomes_markup(
        text in "[<>&\"'a-z/!=\\-]{0,40}",
        at in prop_oneof![Just("2026-06-01T03:04:05Z"), Just("-0001-01-01T00:00:00Z"), Just("soon")],
        amount in prop_oneof![Just("-1.00"), Just("NaN"), Just("1e400"), Just("lots"), Just("0")],
        score in prop::num::f64::ANY,
        count in 1..40usize,
    ) {
        let hostile = format!("<script>alert(1)</script>{text}");
        let mut odd = alert(1, "high", "2026-06-01T03:04:05Z", "-1.00", "00000000facade00");
        odd.reasons[0].text = hostile.clone();
        odd.looks_like = Some(hostile.clone());
        odd.note = Some(hostile.clone());
        odd.at = at.to_owned();
        odd.amount.value = amount.to_owned();
        odd.amount.currency = hostile.clone();
        odd.score = score;
        odd.day = hostile.clone();
        let alerts: Vec<_> = (0..count)
            .map(|n| wire::Alert { counterparty: Some(format!("{hostile}{n}")), account: format!("{n}"), ..odd.clone() })
            .collect();
        let case = Case {
            number: 1,
            status: hostile.clone(),
            owner: Some(hostile.clone()),
            at_risk: vec![hostile.clone()],
            alerts,
            labels: Vec::new(),
        };
        let page = Page { title: hostile.clone(), made: hostile.clone(), cases: vec![case], left_out: 0 };
        let html = write(&page, |name| Some(format!("{hostile}{name}"))).unwrap();
        prop_assert!(!html.contains("<script"), "{html}");
        let tags = |html: &str| html.matches('<').count();
        let plain = Page { title: String::new(), made: String::new(), ..page };
        prop_assert_eq!(tags(&html), tags(&write(&plain, |_| None).unwrap()));
    }
}

#[test]
fn devices_are_drawn_beside_those_who_were_paid() {
    let mut page = page();
    page.cases.truncate(1);
    page.cases[0].alerts.iter_mut().for_each(|alert| alert.ring = Some("00000000000de71c".to_owned()));
    page.cases[0].alerts[0].account = "000000000000cafe".to_owned();
    let html = write(&page, |_| None).unwrap();
    assert!(
        html.contains("2 accounts paid 2 counterparties, with 1 device") && html.contains("device 00000000000de71c")
    );
    assert_eq!(html.matches("<rect class=\"device\"").count(), 1);
}
