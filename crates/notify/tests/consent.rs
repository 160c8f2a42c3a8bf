//! No opt-in, no message: over random histories, against a check that reads the whole log each time.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chrono_tz::Tz;
use crible_core::Timestamp;
use crible_notify::consent::{Entry, Permit, Profile, Quiet, Record, Refusal, Request, Rules};
use crible_notify::{About, Key, Medium, Purpose, Source};
use proptest::prelude::*;

fn at(minute: u32) -> Timestamp {
    Timestamp(1_780_000_000_000_000 + i64::from(minute) * 60 * Timestamp::SECOND)
}

fn medium() -> impl Strategy<Value = Medium> {
    prop::sample::select(Medium::ALL)
}

fn purpose() -> impl Strategy<Value = Purpose> {
    prop::sample::select(Purpose::ALL)
}

fn source() -> impl Strategy<Value = Source> {
    prop::sample::select(Source::ALL)
}

#[derive(Clone, Debug)]
enum Step {
    Record(Record),
    /// Somebody wants to send: medium, purpose, event, delivery.
    Send(Medium, Purpose, u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let linked = |(medium, source)| {
        let address = "+33600000000".parse().expect("an address");
        Record::Linked { medium, address, source }
    };
    let zone = prop::sample::select(&[Tz::UTC, Tz::Europe__Paris, Tz::Asia__Kolkata, Tz::America__Los_Angeles]);
    prop_oneof![
        4 => (medium(), purpose(), source())
            .prop_map(|(medium, purpose, source)| Step::Record(Record::OptedIn { medium, purpose, source })),
        2 => (prop::option::of(medium()), prop::option::of(purpose()), source())
            .prop_map(|(medium, purpose, source)| Step::Record(Record::Withdrawn { medium, purpose, source })),
        1 => medium().prop_map(|medium| Step::Record(Record::Stopped { medium })),
        3 => (medium(), source()).prop_map(move |pair| Step::Record(linked(pair))),
        1 => medium().prop_map(|medium| Step::Record(Record::Unlinked { medium })),
        1 => zone.prop_map(|zone| Step::Record(Record::Lives { zone })),
        1 => (0..4u8, any::<bool>())
            .prop_map(|(about, theirs)| Step::Record(Record::Answered { about: event(about), theirs })),
        12 => (medium(), purpose(), 0..4u8, 0..8u8).prop_map(|(m, p, about, key)| Step::Send(m, p, about, key)),
    ]
}

fn event(number: u8) -> About {
    format!("event-{number}").parse().expect("an event")
}

/// Whether somebody agrees, by the definition: walk back to what was said last about the pair.
fn agrees(log: &[Entry], medium: Medium, purpose: Purpose) -> bool {
    for (place, entry) in log.iter().enumerate().rev() {
        match &entry.record {
            Record::OptedIn { medium: m, purpose: p, source } if (*m, *p) == (medium, purpose) => {
                let earlier = log[..place].iter().rev();
                let since_stop = earlier.take_while(|entry| !matches!(entry.record, Record::Stopped { .. }));
                let stopped = log[..place].iter().any(|entry| matches!(entry.record, Record::Stopped { .. }));
                let anew = since_stop.clone().any(|entry| {
                    matches!(&entry.record, Record::OptedIn { medium: m, purpose: p, source }
                        if (*m, *p) == (medium, purpose) && *source != Source::Reply)
                });
                if *source != Source::Reply || !stopped || anew {
                    return true;
                }
            }
            Record::Withdrawn { medium: m, purpose: p, .. }
                if m.is_none_or(|m| m == medium) && p.is_none_or(|p| p == purpose) =>
            {
                return false;
            }
            Record::Stopped { .. } => return false,
            _ => {}
        }
    }
    false
}

fn has_address(log: &[Entry], medium: Medium) -> bool {
    let last = log.iter().rev().find_map(|entry| match &entry.record {
        Record::Linked { medium: m, .. } if *m == medium => Some(true),
        Record::Unlinked { medium: m } if *m == medium => Some(false),
        _ => None,
    });
    last.unwrap_or(false)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_message_without_consent(
        steps in prop::collection::vec((step(), 0..240u32), 1..60),
        quiet in any::<bool>(),
        most in 1..=9u8,
    ) {
        let rules = Rules { notices_an_event: most, quiet: quiet.then_some(Quiet::NIGHT), ..Rules::default() };
        let mut log: Vec<Entry> = Vec::new();
        let mut sent: Vec<(u8, u8)> = Vec::new();
        let mut minute = 0;
        for (step, pause) in steps {
            minute += pause;
            let now = at(minute);
            let (medium, purpose, about, key) = match step {
                Step::Record(record) => {
                    log.push(Entry { at: now, record });
                    continue;
                }
                Step::Send(medium, purpose, about, key) => (medium, purpose, about, key),
            };
            let profile = Profile::of(&log);
            let (event, delivery) = (event(about), format!("{about}/{key}").parse::<Key>().unwrap());
            let request = Request { medium, purpose, about: &event, key: &delivery };
            let permit = profile.permit(&request, now, &rules);
            let agreed = agrees(&log, medium, purpose);
            let known = sent.contains(&(about, key));
            match permit {
                Permit::Granted(grant) => {
                    prop_assert!(agreed);
                    prop_assert!(has_address(&log, medium));
                    prop_assert_eq!(grant.record.is_some(), !known);
                    if let Some(record) = grant.record {
                        log.push(Entry { at: now, record });
                        sent.push((about, key));
                    }
                    let notices = sent.iter().filter(|(of, _)| *of == about).count();
                    prop_assert!(notices <= usize::from(most.min(3)), "{notices}");
                    if let Some(quiet) = rules.quiet {
                        prop_assert_eq!(quiet.until(now, grant.zone), None);
                    }
                }
                Permit::Later(then) => {
                    prop_assert!(agreed && quiet && then > now);
                    prop_assert!(then.0 - now.0 <= Timestamp::DAY);
                }
                Permit::Refused(Refusal::NotOptedIn | Refusal::Stopped) => prop_assert!(!agreed),
                Permit::Refused(Refusal::NoAddress) => prop_assert!(agreed && !has_address(&log, medium)),
                Permit::Refused(Refusal::Enough) => {
                    let notices = sent.iter().filter(|(of, _)| *of == about).count();
                    prop_assert!(agreed && !known && notices >= usize::from(most.min(3)));
                }
                Permit::Refused(Refusal::Answered) => {
                    let about_it = |entry: &Entry| match &entry.record {
                        Record::Answered { about, .. } => *about == event,
                        _ => false,
                    };
                    prop_assert!(log.iter().any(about_it));
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    /// A log reads back as it was written, and the profile does not depend on where the reading was interrupted.
    #[test]
    fn a_log_survives_being_stored(steps in prop::collection::vec(step(), 0..40)) {
        let log: Vec<Entry> = steps
            .into_iter()
            .zip(0..)
            .filter_map(|(step, minute)| match step {
                Step::Record(record) => Some(Entry { at: at(minute), record }),
                Step::Send(..) => None,
            })
            .collect();
        let stored: Vec<String> = log.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
        let read: Vec<Entry> = stored.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(&read, &log);
        let (before, after) = log.split_at(log.len() / 2);
        let mut profile = Profile::of(before);
        after.iter().for_each(|entry| profile.apply(entry));
        prop_assert_eq!(profile, Profile::of(&log));
    }
}

#[test]
fn stop_is_for_good_until_another_consent() {
    let about = event(1);
    let key: Key = "a".parse().unwrap();
    let request = Request { medium: Medium::Sms, purpose: Purpose::FraudAlert, about: &about, key: &key };
    let opted = |source| Record::OptedIn { medium: Medium::Sms, purpose: Purpose::FraudAlert, source };
    let address = "+33600000000".parse().unwrap();
    let linked = Record::Linked { medium: Medium::Sms, address, source: Source::Import };
    let rules = Rules { quiet: None, ..Rules::default() };
    let permit = |records: &[Record]| {
        let log: Vec<_> = records.iter().map(|record| Entry { at: at(0), record: record.clone() }).collect();
        Profile::of(&log).permit(&request, at(1), &rules)
    };
    let stopped = Record::Stopped { medium: Medium::Whatsapp };
    let history = [linked, opted(Source::App), stopped, opted(Source::Reply), opted(Source::App)];
    assert_eq!(permit(&history[..1]), Permit::Refused(Refusal::NotOptedIn));
    assert!(matches!(permit(&history[..2]), Permit::Granted(_)));
    assert_eq!(permit(&history[..3]), Permit::Refused(Refusal::Stopped));
    assert_eq!(permit(&history[..4]), Permit::Refused(Refusal::Stopped));
    assert!(matches!(permit(&history), Permit::Granted(_)));
}

#[test]
fn several_open_questions_have_numbers() {
    let rules = Rules { quiet: None, ..Rules::default() };
    let address = "+33600000000".parse().unwrap();
    let mut log = vec![
        Entry { at: at(0), record: Record::Linked { medium: Medium::Sms, address, source: Source::Import } },
        Entry {
            at: at(0),
            record: Record::OptedIn { medium: Medium::Sms, purpose: Purpose::FraudAlert, source: Source::App },
        },
    ];
    let mut ask = |about: u8, minute| {
        let (about, key) = (event(about), format!("k{about}").parse().unwrap());
        let request = Request { medium: Medium::Sms, purpose: Purpose::FraudAlert, about: &about, key: &key };
        let Permit::Granted(grant) = Profile::of(&log).permit(&request, at(minute), &rules) else { panic!("granted") };
        log.extend(grant.record.map(|record| Entry { at: at(minute), record }));
        if about == event(2) {
            log.push(Entry { at: at(minute), record: Record::Answered { about, theirs: true } });
        }
        grant.number
    };
    assert_eq!([ask(1, 1), ask(2, 2), ask(3, 3), ask(1, 4)], [None, Some(2), Some(2), Some(1)]);
    // Three days later nothing is open.
    assert_eq!(ask(4, 5 + 72 * 60), None);
}
