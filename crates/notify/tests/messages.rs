//! What people read: the least for customers, in every language, within what every channel carries.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{NOW, alert, case_notice};
use crible_core::{Amount, Currency, Timestamp};
use crible_notify::message::{
    Answer, Balance, CaseNotice, Kind, LastDigits, Limit, Notice, Question, Reader, Wording, has_link,
};
use crible_notify::{CaseReason, Language};
use proptest::prelude::*;

const LIMITS: [Limit; 5] = [Limit::SMS, Limit::WHATSAPP, Limit::MESSENGER, Limit::SLACK, Limit::EMAIL];

fn reader(language: Language, zone: &str) -> Reader {
    Reader { language, zone: zone.parse().unwrap(), number: None }
}

fn question() -> Question {
    Question {
        amount: Amount::new(-41_200, Currency::USD),
        at: "2026-06-01T03:04:05Z".parse().unwrap(),
        last_digits: Some("4321".parse().unwrap()),
        merchant: Some("CAFE NORD 12".to_owned()),
    }
}

fn text(wording: &Wording, question: Question, reader: &Reader, limit: Limit) -> String {
    wording.words(&Notice::Question(question), reader, limit).unwrap().text
}

#[test]
fn what_a_customer_reads() {
    let wording = Wording::new("Test Bank").unwrap();
    let english = reader(Language::english(), "UTC");
    assert_eq!(
        text(&wording, question(), &english, Limit::SMS),
        "Test Bank: USD 412.00 at CAFE NORD 12, 1 Jun 03:04, account ending 4321. Was this you? YES / NO. \
         Questions? Call the number on your card."
    );
    let french = reader(Language::french(), "Europe/Paris");
    assert_eq!(
        text(&wording, question(), &french, Limit::SMS),
        "Test Bank : 412,00 USD chez CAFE NORD 12, le 1/6 à 05:04, compte finissant par 4321. Était-ce vous ? OUI / \
         NON. Une question ? Appelez le numéro de votre carte."
    );
    let least = Question { last_digits: None, merchant: None, ..question() };
    let numbered = Reader { number: Some(2), ..english };
    assert_eq!(
        text(&wording, least, &numbered, Limit::SMS),
        "Test Bank: USD 412.00, 1 Jun 03:04. Was this you? YES 2 / NO 2. Questions? Call the number on your card."
    );
}

#[test]
fn both_languages_take_two_text_messages_at_most() {
    let wording = Wording::new("Test Bank").unwrap();
    for language in [Language::english(), Language::french()] {
        text(&wording, question(), &reader(language, "UTC"), Limit::Sms { parts: 2 });
    }
}

#[test]
fn every_answer_is_there_in_both_languages() {
    let wording = Wording::new("Test Bank").unwrap();
    let amount = Amount::new(123_456, Currency::EUR);
    let balance = |digits: Option<&str>| Balance { amount, at: NOW, last_digits: digits.map(|d| d.parse().unwrap()) };
    let answers = [
        Answer::Theirs,
        Answer::NotTheirs,
        Answer::Which { number: 2 },
        Answer::NoQuestion,
        Answer::Stopped,
        Answer::Linked,
        Answer::NotLinked,
        Answer::Balances(vec![balance(Some("4321")), balance(None)]),
        Answer::NoBalance,
        Answer::Help,
    ];
    for answer in &answers {
        let said = |language| wording.answer(answer, &reader(language, "UTC")).unwrap();
        let (english, french) = (said(Language::english()), said(Language::french()));
        assert_ne!(english, french);
        for text in [english, french] {
            assert!(text.starts_with("Test Bank") && !has_link(&text) && Limit::SMS.fits(&text), "{text}");
        }
    }
    let balances = wording.answer(&answers[7], &reader(Language::english(), "UTC")).unwrap();
    assert_eq!(balances, "Test Bank: account ending 4321: EUR 1234.56 on 1 Jun 09:46; EUR 1234.56 on 1 Jun 09:46.");
}

#[test]
fn what_an_analyst_reads() {
    let wording = Wording::new("Test Bank").unwrap();
    let notice = Notice::Alert { alert: Box::new(alert(7)), case: Some(12) };
    let words = wording.words(&notice, &Reader::at_the_bank(Language::english()), Limit::SLACK).unwrap();
    assert_eq!(words.subject, "High alert: USD -412.00, account 000000000000beef");
    let lines: Vec<&str> = words.text.lines().collect();
    assert_eq!(
        lines,
        [
            "High alert, rank 3 of 2026-06-01: USD -412.00 at 03:04 UTC, account 000000000000beef, counterparty \
             00000000facade00.",
            "It looks like a card being tested.",
            "- $412.00 is 9 times what this account usually pays ($44)",
            "- this account has never paid at 03:00",
            "Score 6.25; a normal payment scores as high in 0.040 % of cases.",
            "Case 12.",
        ]
    );
    let rare = Notice::Alert { alert: Box::new(crible_alert::wire::Alert { tail: 1e-9, ..alert(7) }), case: None };
    let rare = wording.words(&rare, &Reader::at_the_bank(Language::english()), Limit::SLACK).unwrap().text;
    assert!(rare.ends_with("a normal payment scores as high in < 0.001 % of cases."), "{rare}");
    // In a text message the weakest reasons are left out, and counted.
    let mut long = alert(7);
    long.reasons = vec![long.reasons[0].clone(); 30];
    let notice = Notice::Alert { alert: Box::new(long), case: None };
    let short = wording.words(&notice, &Reader::at_the_bank(Language::english()), Limit::SMS).unwrap().text;
    assert!(short.contains(" more.") && short.contains("- $412.00"), "{short}");
    let nothing = wording.words(&notice, &Reader::at_the_bank(Language::english()), Limit::Characters(40));
    assert_eq!(nothing.unwrap_err().to_string(), "cannot be rendered: longer than the channel carries");
}

#[test]
fn what_an_analyst_reads_of_a_case() {
    let wording = Wording::new("Test Bank").unwrap();
    let read = |notice: CaseNotice, language, limit| {
        wording.words(&Notice::Case(notice), &Reader::at_the_bank(language), limit).unwrap()
    };
    let words = read(case_notice(), Language::english(), Limit::SLACK);
    assert_eq!(words.subject, "Case 12, High: more alerts");
    let (head, alert) = words.text.split_once('\n').unwrap();
    assert_eq!(head, "Case 12: 3 alerts, 1 not looked at, 412.00 USD in all, nobody works on it. The gravest:");
    assert!(alert.starts_with("High alert, rank 3 of 2026-06-01") && !alert.contains("Case"), "{alert}");
    let owned = CaseNotice { owner: Some("ana".to_owned()), alerts: 1, ..case_notice() };
    let words = read(CaseNotice { reason: CaseReason::Repeat, ..owned }, Language::french(), Limit::SLACK);
    assert_eq!(words.subject, "Dossier 12, élevée : personne ne l'a encore regardé");
    assert!(words.text.starts_with("Dossier 12 : 1 alerte, 1 à regarder, 412.00 USD en tout, ana s'en occupe."));
    let mut long = case_notice();
    long.alert.reasons = vec![long.alert.reasons[0].clone(); 60];
    let short = read(long, Language::english(), Limit::Characters(1_000)).text;
    assert!(short.chars().count() <= 1_000 && short.contains(" more.") && short.contains("Case 12"), "{short}");
}

#[test]
fn a_template_takes_the_place_of_the_text() {
    let mut wording = Wording::new("Test Bank").unwrap();
    let french = "{{ bank }} : {{ amount }}{% if merchant %} ({{ merchant }}){% endif %}. {{ reply }} ?".to_owned();
    wording.add_template(Kind::Question, Language::french(), french).unwrap();
    let read = |language| text(&wording, question(), &reader(language, "UTC"), Limit::SMS);
    assert_eq!(read(Language::french()), "Test Bank : 412,00 USD (CAFE NORD 12). OUI / NON ?");
    assert!(read(Language::english()).contains("Was this you?"));
    let mut wording = Wording::new("Test Bank").unwrap();
    let reasons = "{% for reason in reasons %}{{ reason }};{% endfor %}{{ account }}".to_owned();
    wording.add_template(Kind::Alert, Language::english(), reasons).unwrap();
    let notice = Notice::Alert { alert: Box::new(alert(7)), case: None };
    let words = wording.words(&notice, &Reader::at_the_bank(Language::english()), Limit::SLACK).unwrap();
    assert!(words.text.ends_with("03:00;000000000000beef"), "{}", words.text);
    let error = wording.add_template(Kind::Question, Language::english(), "{{ account }}".to_owned()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "template `question.en`: unknown field `account`, expected one of bank, amount, merchant, when, digits, reply"
    );
}

#[test]
fn another_language_is_another_file() {
    let mut wording = Wording::new("Test Bank").unwrap();
    let german = include_str!("../i18n/en.ftl")
        .replace("Was this you?", "Waren Sie das?")
        .replace("words-yes = yes y", "words-yes = ja j");
    wording.add_language("de".parse().unwrap(), german).unwrap();
    let read = |code: &str| text(&wording, question(), &reader(code.parse().unwrap(), "UTC"), Limit::SMS);
    assert!(read("de").contains("Waren Sie das?") && read("de-at").contains("Waren Sie das?"));
    assert!(read("it").contains("Was this you?"));
    let meaning = |word: &str| wording.meaning(word).map(|meaning| format!("{meaning:?}"));
    assert_eq!((meaning("JA"), meaning("yes"), meaning("si")), (Some("Yes".to_owned()), Some("Yes".to_owned()), None));
}

#[test]
fn a_bank_has_a_name() {
    for bad in ["", "   ", "...", "A Bank Whose Name Is Much Too Long"] {
        assert!(Wording::new(bad).is_err(), "{bad}");
    }
    assert!(!format!("{:?}", Wording::new("bank.example")).contains("bank.example"));
}

fn merchant() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,80}",
        "[A-Z0-9 .*/#@:-]{0,60}",
        Just("http://evil.example/win?call=08001234567".to_owned()),
        Just("Žluťoučký kůň 😀😀😀😀😀😀😀😀😀😀😀😀".to_owned()),
        Just("\u{202e}gnp.tnuocca\u{0007}\n\nBcc: x".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// Whatever is known of an alert, a customer's message holds nothing of it but what a customer is told.
    #[test]
    fn the_least(
        account in 1..u64::MAX,
        score in 1e3..1e9f64,
        tail in 1e-9..1e-3f64,
        reason in "[a-z]{12,30}",
        minor in prop::num::i64::ANY,
        seconds in -2_000_000_000i64..4_000_000_000,
        digits in prop::option::of("[0-9]{2,4}"),
        merchant in prop::option::of(merchant()),
        french in any::<bool>(),
        number in prop::option::of(1..=255u8),
    ) {
        let mut whole = alert(3);
        whole.account = format!("{account:016x}");
        whole.score = score;
        whole.tail = tail;
        whole.reasons[0].text = reason.clone();
        whole.reasons[0].feature = format!("feature_{reason}");
        whole.looks_like = Some(format!("looks{reason}"));
        let amount = Amount::new(minor, Currency::EUR);
        whole.amount.value = amount.to_string();
        whole.amount.currency = "EUR".to_owned();
        whole.at = Timestamp::from_seconds(seconds).to_string();
        let digits: Option<LastDigits> = digits.map(|digits| digits.parse().unwrap());
        let question = Question::about(&whole, digits.clone(), merchant.clone()).unwrap();
        // What the outbox holds.
        let stored = serde_json::to_string(&Notice::Question(question.clone())).unwrap();
        let language = if french { Language::french() } else { Language::english() };
        let wording = Wording::new("Test Bank").unwrap();
        let reader = Reader { number, ..reader(language, "America/Toronto") };
        for limit in LIMITS {
            let words = wording.words(&Notice::Question(question.clone()), &reader, limit).unwrap();
            prop_assert!(limit.fits(&words.text), "{limit:?} {}", words.text);
            prop_assert!(!has_link(&words.text) && !has_link(&words.subject), "{}", words.text);
            prop_assert!(!words.text.chars().any(char::is_control), "{:?}", words.text);
            let score = format!("{score:.2}");
            let id = whole.id.to_string();
            for secret in [&*whole.account, &id, &whole.transaction, &reason, &score, "high", "beef"] {
                let public = merchant.as_deref().is_some_and(|merchant| merchant.contains(secret));
                prop_assert!(public || !words.text.contains(secret), "{secret} in {}", words.text);
                prop_assert!(public || !stored.contains(secret), "{secret} in {stored}");
            }
            // Runs of digits: the amount, its decimals, the time, the last digits, the number, the merchant's four.
            let number_end = if french { "NON" } else { "NO" };
            prop_assert!(words.text.contains(number_end));
            if let Some(digits) = &digits {
                prop_assert!(words.text.contains(digits.as_str()));
            }
        }
        prop_assert_eq!(serde_json::from_str::<Notice>(&stored).unwrap(), Notice::Question(question));
    }
}

#[test]
fn a_card_number_is_no_last_digits() {
    for bad in ["4111111111111111", "1", "12345", "12a", ""] {
        let error = bad.parse::<LastDigits>().unwrap_err().to_string();
        assert!(bad.len() < 2 || !error.contains(bad), "{error}");
    }
    let forged = r#"{"kind":"question","amount":{"minor":1,"currency":"EUR"},"at":"2026-06-01T00:00:00Z",
        "last_digits":null,"merchant":null,"score":9.0}"#;
    assert!(serde_json::from_str::<Notice>(forged).is_err());
}
