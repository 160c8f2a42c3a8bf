#![allow(clippy::unwrap_used)]
use super::*;

fn clock(format: &str, zone: &str) -> Clock {
    let time = Time {
        column: None,
        columns: Vec::new(),
        finer: None,
        formats: vec![format.to_owned()],
        zone: Some(zone.to_owned()),
        zone_column: None,
        zones: [("PDT".to_owned(), "-07:00".to_owned())].into(),
        step: None,
    };
    Clock::new(&time).unwrap()
}

#[track_caller]
fn check(format: &str, zone: &str, text: &str, expect: Option<&str>) {
    let mut memo = Memo::default();
    for _ in 0..2 {
        let read = clock(format, zone).read(text.as_bytes(), &mut memo).map(|at| at.to_string());
        assert_eq!(read.as_deref(), expect, "{text} as {format} in {zone}");
    }
}

#[test]
fn iso_in_its_many_forms() {
    for (text, expect) in [
        ("2018-04-01", "2018-04-01T00:00:00Z"),
        ("2018-04-01 00:00:31", "2018-04-01T00:00:31Z"),
        ("2018-04-01T23:59:59Z", "2018-04-01T23:59:59Z"),
        ("2018-04-01 12:30", "2018-04-01T12:30:00Z"),
        ("2018-04-01T12:30:00.25Z", "2018-04-01T12:30:00.250000Z"),
        ("2018-04-01T12:30:00.123456789", "2018-04-01T12:30:00.123456Z"),
        ("2018-04-01T12:30:00+02:00", "2018-04-01T10:30:00Z"),
        ("2018-04-01T12:30:00-0530", "2018-04-01T18:00:00Z"),
        ("2018-04-01 12:30:00 UTC", "2018-04-01T12:30:00Z"),
        ("2020-02-29", "2020-02-29T00:00:00Z"),
    ] {
        check("iso", "UTC", text, Some(expect));
    }
    for text in [
        "",
        "2018",
        "2018-04-31",
        "2019-02-29",
        "2018-13-01",
        "2018-04-01 24:00:00",
        "2018-04-01 12:60",
        "2018-04-01 12:00:60",
        "2018-04-01T12:30:00.",
        "2018-04-01T12:30:00+25:00",
        "2018-04-01x",
        "01/02/2018",
        "2018-04-01 1:30:00",
        "0018-04-01",
        "2018/04/01",
        "２018-04-01",
    ] {
        check("iso", "UTC", text, None);
    }
}

#[test]
fn the_other_formats() {
    check("epoch-seconds", "UTC", "1717200002", Some("2024-06-01T00:00:02Z"));
    check("epoch-seconds", "UTC", "1717200002.5", Some("2024-06-01T00:00:02.500000Z"));
    check("epoch-seconds", "UTC", "1717200002000", None);
    check("epoch-seconds", "UTC", "", None);
    check("epoch-milliseconds", "UTC", "1717200002123", Some("2024-06-01T00:00:02.123000Z"));
    check("%m/%d/%Y", "UTC", "4/13/2018", Some("2018-04-13T00:00:00Z"));
    check("%m/%d/%Y", "UTC", "04/13/2018", Some("2018-04-13T00:00:00Z"));
    check("%m/%d/%Y", "UTC", "13/04/2018", None);
    check("%m/%d/%Y", "UTC", "02/30/2018", None);
    check("%m/%d/%Y", "UTC", "04/13/18", None);
    check("%d/%m/%Y", "UTC", "13/04/2018", Some("2018-04-13T00:00:00Z"));
    check("%d.%m.%Y %H:%M", "UTC", "13.04.2018 09:05", Some("2018-04-13T09:05:00Z"));
    check("%m/%d/%y", "UTC", "04/13/18", Some("2018-04-13T00:00:00Z"));
    check("%Y-%m-%dT%H:%M:%S%z", "UTC", "2018-04-13T09:05:00+0100", Some("2018-04-13T08:05:00Z"));
}

#[test]
fn wall_clocks_follow_their_zone() {
    let zone = "America/New_York";
    check("iso", zone, "2024-01-15 12:00:00", Some("2024-01-15T17:00:00Z"));
    check("iso", zone, "2024-07-15 12:00:00", Some("2024-07-15T16:00:00Z"));
    check("%m/%d/%Y", zone, "07/15/2024", Some("2024-07-15T04:00:00Z"));
    // A stated offset wins over the zone.
    check("iso", zone, "2024-07-15T12:00:00Z", Some("2024-07-15T12:00:00Z"));
    // 2024-03-10: 02:00 to 03:00 does not exist; counted from the offset before, EST.
    check("iso", zone, "2024-03-10 02:30:00", Some("2024-03-10T07:30:00Z"));
    // 2024-11-03: 01:30 happens twice; the first is EDT.
    check("iso", zone, "2024-11-03 01:30:00", Some("2024-11-03T05:30:00Z"));
    // Samoa left out the 30th of December 2011.
    check("iso", "Pacific/Apia", "2011-12-30 12:00:00", Some("2011-12-30T22:00:00Z"));
}

#[test]
fn steps_count_from_their_base() {
    let time = |unit| Time {
        column: None,
        columns: Vec::new(),
        finer: None,
        formats: Vec::new(),
        zone: None,
        zone_column: None,
        zones: Default::default(),
        step: Some(crate::preset::Step { unit, base: "2017-01-01T00:00:00Z".to_owned() }),
    };
    let read = |unit, text: &str| {
        let at = Clock::new(&time(unit)).unwrap().read(text.as_bytes(), &mut Memo::default());
        at.map(|at| at.to_string())
    };
    assert_eq!(read(StepUnit::Hour, "26").as_deref(), Some("2017-01-02T02:00:00Z"));
    assert_eq!(read(StepUnit::Second, "1e+05").as_deref(), Some("2017-01-02T03:46:40Z"));
    assert_eq!(read(StepUnit::Day, "3.0").as_deref(), Some("2017-01-04T00:00:00Z"));
    assert_eq!(read(StepUnit::Minute, "1.5"), None);
    assert_eq!(read(StepUnit::Month, "13").as_deref(), Some("2018-02-01T00:00:00Z"));
    assert_eq!(read(StepUnit::Month, "-1"), None);
    assert_eq!(read(StepUnit::Hour, "99999999999999999"), None);
}

#[test]
fn a_zone_may_be_named_beside_a_time() {
    let read = |text: &str, zone: &str| {
        let clock = clock("iso", "UTC");
        clock.read_in(text.as_bytes(), zone.as_bytes(), &mut Memo::default()).map(|at| at.to_string())
    };
    assert_eq!(read("2024-06-27 14:00:00", "PDT").as_deref(), Some("2024-06-27T21:00:00Z"));
    assert_eq!(read("2024-06-27 14:00:00", "Europe/Berlin").as_deref(), Some("2024-06-27T12:00:00Z"));
    assert_eq!(read("2024-06-27T14:00:00Z", "PDT").as_deref(), Some("2024-06-27T14:00:00Z"));
    assert_eq!(read("2024-06-27 14:00:00", "PQT"), None);
    assert_eq!(read("2024-06-27 14:00:00", ""), None);
}
