//! Settings: what is wrong is said before anything is written, and no secret is shown.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use common::{NOW, alert, case_notice, opted_in, person};
use crible_alert::Severity;
use crible_notify::config::{BadConfig, Config, Surroundings};
use crible_notify::consent::{Entry, Profile};
use crible_notify::message::{CaseNotice, Notice};
use crible_notify::{Medium, Purpose};

const SECRET: &str = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

const WHOLE: &str = r#"
bank = "Test Bank"
source = "urn:crible:test"
language = "fr"
zone = "Europe/Paris"
quiet = "22:00-07:30"
notices_an_event = 2
answer_within_hours = 48
trouble_to = "ops"

[languages]
de = "de.ftl"

[templates]
"question.en" = "question.txt"

[inbound]
listen = "127.0.0.1:0"
secrets_env = "INBOUND"

[[channel]]
name = "ops"
kind = "stdout"
min_severity = "critical"

[[channel]]
name = "hook"
kind = "webhook"
url = "https://hooks.example/crible"
secrets_env = "HOOK"
a_second = 500
side_by_side = 32

[[channel]]
name = "team"
kind = "slack"
url_env = "SLACK_URL"
language = "en"

[[channel]]
name = "mail"
kind = "email"
host = "mail.example"
user = "crible"
password_env = "MAIL_PASSWORD"
from = "Test Bank <alerts@bank.example>"
to = "analysts@bank.example"

[[channel]]
name = "mail-to-customers"
kind = "email"
host = "localhost"
encryption = "none"
from = "alerts@bank.example"

[[channel]]
name = "sms"
kind = "sms"
url = "http://127.0.0.1:9/sms"
allow = ["127.0.0.0/8"]
timeout_seconds = 5
secrets_env = "HOOK"

[[channel]]
name = "wa"
kind = "whatsapp"
url = "https://gateway.example/"
secrets_env = "HOOK"
min_severity = "critical"

[[channel]]
name = "fb"
kind = "messenger"
url = "https://graph.facebook.com/v25.0/me/messages"
token_env = "FB_TOKEN"
template = "was_this_you"
"#;

fn read(text: &str) -> Result<Config, BadConfig> {
    let variables = BTreeMap::from([
        ("HOOK", format!("{SECRET} {SECRET}")),
        ("INBOUND", SECRET.to_owned()),
        ("SLACK_URL", "https://hooks.slack.example/hush/hush".to_owned()),
        ("MAIL_PASSWORD", "hush".to_owned()),
        ("FB_TOKEN", "hush".to_owned()),
        ("EMPTY", " ".to_owned()),
    ]);
    let file = |path: &Path| match path.to_str().unwrap() {
        "de.ftl" => Ok(include_str!("../i18n/en.ftl").to_owned()),
        "question.txt" => Ok("{{ bank }}: {{ amount }}? {{ reply }}".to_owned()),
        "score.txt" => Ok("{{ score }}".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    Config::read(text, &Surroundings { variable: &|name| variables.get(name).cloned(), file: &file })
}

#[test]
fn everything_at_once() {
    let config = read(WHOLE).unwrap();
    let names: Vec<_> = config.routes.iter().map(|route| (route.name.as_str(), route.medium)).collect();
    let expect = [
        ("ops", None),
        ("hook", None),
        ("team", None),
        ("mail", None),
        ("mail-to-customers", Some(Medium::Email)),
        ("sms", Some(Medium::Sms)),
        ("wa", Some(Medium::Whatsapp)),
        ("fb", Some(Medium::Messenger)),
    ];
    assert_eq!(names, expect);
    let rules = &config.settings.rules;
    assert_eq!((rules.notices_an_event, rules.answer_within_hours, rules.language.as_str()), (2, 48, "fr"));
    assert_eq!((rules.quiet, rules.zone.name()), ("22:00-07:30".parse().ok(), "Europe/Paris"));
    let hook = &config.routes[1];
    assert_eq!((hook.rate.a_second, hook.side_by_side, hook.language.as_str()), (500, 32, "fr"));
    assert_eq!(config.routes[2].language.as_str(), "en");
    assert!(config.inbound.is_some());
    assert!(!format!("{config:?}").contains("hush"), "{config:?}");
}

#[test]
fn who_gets_what() {
    let config = read(WHOLE).unwrap();
    let mut high = alert(1);
    let channels = |drafts: Vec<crible_notify::outbox::Draft>| {
        drafts.into_iter().map(|draft| draft.channel.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(channels(config.for_the_bank(&high, Some(1), NOW).unwrap()), ["hook"], "people read cases");
    assert!(config.tells_cases());
    let of_a_case = |severity| {
        let notice = CaseNotice { severity, ..case_notice() };
        let drafts = config.for_the_bank_of_a_case(&notice, NOW).unwrap();
        assert!(drafts.iter().all(|draft| draft.key.as_str().starts_with("case/12/2/") && draft.person.is_none()));
        channels(drafts)
    };
    assert_eq!(of_a_case(Severity::High), ["team", "mail"]);
    let agreed =
        [Medium::Sms, Medium::Whatsapp].map(|medium| Entry { at: NOW, record: opted_in(medium, Purpose::FraudAlert) });
    let balance = Entry { at: NOW, record: opted_in(Medium::Email, Purpose::Balance) };
    let profile = Profile::of(agreed.iter().chain([&balance]));
    let for_ana =
        |alert: &_| config.for_a_customer(alert, person(1), &profile, None, Some("Café Nord".to_owned()), NOW).unwrap();
    let drafts = for_ana(&high);
    assert_eq!(channels(drafts.clone()), ["sms"]);
    assert_eq!(drafts[0].key.as_str(), format!("alert/{:032x}/sms/{}", 1, person(1)));
    let notice: Notice = serde_json::from_str(&drafts[0].body).unwrap();
    assert!(matches!(notice, Notice::Question(question) if question.merchant.as_deref() == Some("Café Nord")));
    high.severity = Severity::Critical;
    assert_eq!(channels(config.for_the_bank(&high, None, NOW).unwrap()), ["ops", "hook"]);
    assert_eq!(channels(for_ana(&high)), ["sms", "wa"]);
    high.severity = Severity::Medium;
    assert!(for_ana(&high).is_empty());
    let nobody = config.for_a_customer(&alert(1), person(2), &Profile::default(), None, None, NOW).unwrap();
    assert!(nobody.is_empty());
}

#[test]
fn what_is_wrong_is_said() {
    let base = "bank = \"Test Bank\"\nsource = \"urn:x\"\n";
    let channel = |rest: &str| format!("{base}[[channel]]\nname = \"a\"\n{rest}");
    for (text, expect) in [
        (String::new(), "settings: missing field `bank`"),
        (format!("{base}bnak = 1"), "settings: unknown field `bnak`"),
        ("bank = \"...\"\nsource = \"urn:x\"".to_owned(), "bank: bank `...`: expected a name with letters"),
        (format!("{base}zone = \"Paris\""), "zone: `Paris` is no time zone of IANA"),
        (format!("{base}quiet = \"9-8\""), "quiet: quiet hours `9-8`"),
        (format!("{base}notices_an_event = 4"), "notices_an_event: 4: expected 1 to 3"),
        (format!("{base}answer_within_hours = 0"), "answer_within_hours: 0"),
        (format!("{base}trouble_to = \"ops\""), "trouble_to: `ops` is no channel for the bank's own people"),
        (format!("{base}[languages]\nit = \"it.ftl\""), "languages.it: it.ftl: "),
        (format!("{base}[templates]\n\"poem.en\" = \"x\""), "templates.poem.en: expected question or alert"),
        (
            format!("{base}[templates]\n\"question.en\" = \"score.txt\""),
            "templates.question.en: template `question.en`: unknown field `score`",
        ),
        (
            format!("{base}[inbound]\nlisten = \"127.0.0.1:1\"\nsecrets_env = \"NONE\""),
            "inbound: the variable NONE is not set",
        ),
        (channel("kind = \"fax\""), "channel a: kind `fax`: expected file, stdout,"),
        (channel(""), "channel a: missing field `kind`"),
        (channel("kind = \"stdout\"\nurl = \"https://x/\""), "channel a: unknown field `url`"),
        (channel("kind = \"stdout\"\na_second = 0"), "channel a: a_second 0"),
        (channel("kind = \"stdout\"\nside_by_side = 999"), "channel a: side_by_side 999"),
        (channel("kind = \"slack\""), "channel a: expected either url or url_env"),
        (channel("kind = \"slack\"\nurl = \"hush\""), "channel a: not a URL to post to"),
        (channel("kind = \"slack\"\nurl = \"https://x/\"\nallow = [\"ten\"]"), "channel a: network `ten`"),
        (channel("kind = \"slack\"\nurl = \"https://x/\"\ntimeout_seconds = 600"), "channel a: timeout_seconds 600"),
        (channel("kind = \"webhook\"\nurl = \"https://x/\""), "channel a: missing field `secrets_env`"),
        (
            channel("kind = \"webhook\"\nurl = \"https://x/\"\nsecrets_env = \"EMPTY\""),
            "channel a: the variable EMPTY is empty",
        ),
        (
            channel("kind = \"webhook\"\nurl = \"https://x/\"\nsecrets_env = \"MAIL_PASSWORD\""),
            "channel a: the variable MAIL_PASSWORD: not a secret",
        ),
        (channel("kind = \"email\"\nhost = \"x\"\nfrom = \"nobody\""), "channel a: the sender is no mail address"),
        (
            channel("kind = \"email\"\nhost = \"x\"\nfrom = \"a@b.c\"\nuser = \"u\""),
            "channel a: expected both user and password_env",
        ),
        (
            channel("kind = \"email\"\nhost = \"x\"\nfrom = \"a@b.c\"\nencryption = \"some\""),
            "channel a: encryption `some`",
        ),
        (channel("kind = \"file\"\npath = \"/no/such/folder/x\""), "channel a: /no/such/folder/x: "),
        (
            format!("{}\n[[channel]]\nname = \"a\"\nkind = \"stdout\"", channel("kind = \"stdout\"")),
            "channel a: there are two of this name",
        ),
    ] {
        let error = read(&text).map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{error}\nfor\n{text}");
        assert!(!error.contains("hush"), "{error}");
    }
}
