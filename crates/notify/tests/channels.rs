//! Every channel against a real receiver on this machine, which hangs, resets, redirects and answers all sorts of
//! things.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Act, NOW, Receiver, alert, alert_letter, letter, local_http};
use crible_core::Timestamp;
use crible_notify::Medium;
use crible_notify::channel::{
    Channel, CloudEvents, Content, HEADERS, Http, HttpSettings, Letter, Lines, MOST_BYTES, Messenger,
    MessengerTemplate, Recipient, Secret, Signer, Slack, Verifier, Webhook,
};
use crible_notify::outbox::{Failure, Kind};
use proptest::prelude::*;

fn secret(byte: u8) -> Secret {
    Secret::of(&[byte; 32]).unwrap()
}

fn webhook(http: Http) -> Webhook {
    let signer = Signer::new(vec![secret(1), secret(2)]).unwrap();
    Webhook::new(http, signer, CloudEvents::new("urn:crible:test").unwrap())
}

fn to_customer(medium: Medium, address: &str, wrote: Option<Timestamp>) -> Letter {
    let to = Some(Recipient { medium, address: address.parse().unwrap(), wrote });
    Letter { to, ..letter("question/1", Content::Message) }
}

/// What a channel over HTTP makes of what receivers do. Each has to stand this.
fn contract(channel: impl Fn(Http) -> Box<dyn Channel>, letter: &Letter, differs: &[(&str, Kind)]) {
    let expect = |answer: &str, usual: Kind| {
        differs.iter().find(|(known, _)| answer.starts_with(known)).map_or(usual, |(_, kind)| *kind)
    };
    for answer in ["200 OK", "202 Accepted", "204 No Content"] {
        let receiver = Receiver::start(move |_, _| Act::Answer(answer));
        assert_eq!(channel(local_http(&receiver.url())).send(letter), Ok(()), "{answer}");
    }
    for (answer, usual, after) in [
        ("301 Moved Permanently\r\nlocation: /other", Kind::Again, None),
        ("307 Temporary Redirect\r\nlocation: /other", Kind::Again, None),
        ("400 Bad Request", Kind::Again, None),
        ("403 Forbidden", Kind::Again, None),
        ("404 Not Found", Kind::Again, None),
        ("408 Request Timeout", Kind::TimedOut, None),
        ("410 Gone", Kind::Gone, None),
        ("429 Too Many Requests", Kind::TooMany, None),
        ("429 Too Many Requests\r\nretry-after: 120", Kind::TooMany, Some(120)),
        ("500 Internal Server Error", Kind::Again, None),
        ("503 Service Unavailable\r\nretry-after: Mon, 01 Jun 2026 09:48:40 GMT", Kind::Again, Some(120)),
        ("504 Gateway Timeout", Kind::TimedOut, None),
    ] {
        let receiver = Receiver::start(move |_, _| Act::Answer(answer));
        let failure = channel(local_http(&receiver.url())).send(letter).unwrap_err();
        let status = answer.split(' ').next().unwrap();
        let kind = expect(answer, usual);
        let after = (kind == usual).then_some(after).flatten().map(Duration::from_secs);
        assert_eq!(failure, Failure { kind, after, why: format!("status {status}") }, "{answer}");
        assert_eq!(receiver.requests().len(), 1, "{answer}: a redirect was followed");
    }
    for (act, result) in [
        (Act::AnswerAndClose, Ok(())),
        (Act::Hang, Err(Kind::TimedOut)),
        (Act::Reset, Err(Kind::Again)),
        (Act::Babble, Err(Kind::Again)),
    ] {
        let what = act.clone();
        let receiver = Receiver::start(move |_, _| act.clone());
        let sent = channel(local_http(&receiver.url())).send(letter).map_err(|failure| failure.kind);
        assert_eq!(sent, result, "{what:?}");
    }
    // Nobody listens.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failure = channel(local_http(&format!("http://{address}/"))).send(letter).unwrap_err();
    assert_eq!(failure, Failure::new(Kind::Again, "connection: connection refused"));
    // Nobody is asked who must not be.
    let receiver = Receiver::start(|_, _| Act::Answer("200 OK"));
    let failure = channel(Http::new(&receiver.url(), &HttpSettings::default()).unwrap()).send(letter).unwrap_err();
    assert_eq!(failure, Failure::new(Kind::Again, "the address is not public"));
    assert!(receiver.requests().is_empty());
    // A connection that the receiver closed in between does not fail the next.
    let receiver = Receiver::start(|_, _| Act::AnswerAndClose);
    let channel = channel(local_http(&receiver.url()));
    assert_eq!((channel.send(letter), channel.send(letter)), (Ok(()), Ok(())));
}

#[test]
fn webhooks_stand_every_receiver() {
    contract(|http| Box::new(webhook(http)), &alert_letter("alert/7/hook/1"), &[]);
}

#[test]
fn slack_stands_every_receiver() {
    let differs = [("400", Kind::Never), ("404", Kind::Gone)];
    contract(|http| Box::new(Slack::new(http)), &alert_letter("alert/7/slack/1"), &differs);
}

#[test]
fn messenger_stands_every_receiver() {
    let letter = to_customer(Medium::Messenger, "2538171", Some(NOW));
    contract(|http| Box::new(Messenger::new(http, "token".to_owned(), None)), &letter, &[]);
}

#[test]
fn what_a_webhook_receives() {
    let receiver = Receiver::start(|_, _| Act::Answer("200 OK"));
    let channel = webhook(local_http(&receiver.url()));
    channel.send(&alert_letter("alert/7/hook/1")).unwrap();
    channel.send(&Letter { at: Timestamp(NOW.0 + 9_000_000), ..alert_letter("alert/7/hook/1") }).unwrap();
    channel.send(&to_customer(Medium::Sms, "+33600000000", None)).unwrap();
    let requests = receiver.requests();
    for request in &requests {
        assert_eq!(request.line, "POST /hook HTTP/1.1");
        assert_eq!(request.header("content-type"), Some("application/cloudevents+json; charset=utf-8"));
        let headers = HEADERS.map(|name| request.header(name));
        for byte in [1, 2] {
            let verifier = Verifier::new(vec![secret(byte)]).unwrap();
            assert_eq!(verifier.check(headers, &request.body, NOW), Ok(()));
        }
        assert!(Verifier::new(vec![secret(3)]).unwrap().check(headers, &request.body, NOW).is_err());
        let event = request.json();
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["source"], "urn:crible:test");
        assert_eq!(request.header("webhook-id"), event["id"].as_str());
    }
    // Another try has the same reference and another time.
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    assert_ne!(requests[0].header("webhook-timestamp"), requests[1].header("webhook-timestamp"));
    let (event, message) = (requests[0].json(), requests[2].json());
    assert_eq!((&event["type"], &event["data"]["case"]), (&"crible.alert".into(), &12.into()));
    assert_eq!(event["time"], "2026-06-01T09:46:40Z");
    assert_eq!(event["data"]["alert"], serde_json::to_value(alert(7)).unwrap());
    assert_eq!(message["type"], "crible.message");
    let text = to_customer(Medium::Sms, "+33600000000", None).text;
    assert_eq!(message["data"], serde_json::json!({ "medium": "sms", "to": "+33600000000", "text": text }));
}

#[test]
fn what_slack_receives() {
    let receiver = Receiver::start(|_, _| Act::Answer("200 OK"));
    Slack::new(local_http(&receiver.url())).send(&alert_letter("k")).unwrap();
    let text = receiver.requests()[0].json()["text"].as_str().unwrap().to_owned();
    assert_eq!(text, "*High alert*\nHigh alert: USD -412.00 &lt;at&gt; a shop &amp; more");
}

#[test]
fn messenger_has_its_day() {
    let receiver = Receiver::start(|_, _| Act::Answer("200 OK"));
    let template = MessengerTemplate { name: "was_this_you".to_owned() };
    let channel = |template| Messenger::new(local_http(&receiver.url()), "secret-token".to_owned(), template);
    let wrote = |hours: i64| Some(Timestamp(NOW.0 - hours * 3_600 * Timestamp::SECOND));
    let send = |template, wrote| channel(template).send(&to_customer(Medium::Messenger, "2538171", wrote));
    send(Some(template.clone()), wrote(23)).unwrap();
    send(Some(template.clone()), wrote(24)).unwrap();
    send(Some(template.clone()), None).unwrap();
    assert_eq!(send(None, wrote(24)).unwrap_err().kind, Kind::Never);
    let requests = receiver.requests();
    assert_eq!(requests.len(), 3);
    let text = to_customer(Medium::Messenger, "1", None).text;
    let recipient = serde_json::json!({ "id": "2538171" });
    let response =
        serde_json::json!({ "recipient": recipient, "messaging_type": "RESPONSE", "message": { "text": text } });
    assert_eq!(requests[0].json(), response);
    assert_eq!(requests[0].header("authorization"), Some("Bearer secret-token"));
    let body = serde_json::json!([{ "type": "body", "parameters": [{ "type": "text", "text": text }] }]);
    let template = serde_json::json!({ "name": "was_this_you", "language": { "code": "en" }, "components": body });
    let utility = serde_json::json!({
        "recipient": recipient, "messaging_type": "UTILITY", "message": { "template": template },
    });
    assert_eq!([requests[1].json(), requests[2].json()], [utility.clone(), utility]);
    assert!(!format!("{:?}", channel(None)).contains("secret-token"));
    assert_eq!(channel(None).send(&alert_letter("k")).unwrap_err().kind, Kind::Never);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// An event is under 20 kB, or is not sent; what was left out is said.
    #[test]
    fn events_are_short(
        reasons in prop::collection::vec(0..3_000usize, 0..40),
        payments in 0..400usize,
        note in 0..30_000usize,
    ) {
        let mut big = alert(1);
        big.reasons = reasons
            .iter()
            .map(|length| crible_alert::wire::Reason { text: "é".repeat(*length), ..big.reasons[0].clone() })
            .collect();
        let payment = crible_alert::wire::Payment {
            transaction: "0123456789abcdef0123456789abcdef".to_owned(),
            at: big.at.clone(),
            amount: big.amount.clone(),
            row: Some(1),
        };
        big.payments = vec![payment; payments];
        big.note = Some("n".repeat(note));
        let sent = letter("k", Content::Alert { alert: Box::new(big.clone()), case: None });
        match CloudEvents::new("urn:x").unwrap().write(&sent) {
            Ok(event) => {
                prop_assert!(event.len() < MOST_BYTES);
                let event: serde_json::Value = serde_json::from_slice(&event).unwrap();
                let data = &event["data"];
                let read: crible_alert::wire::Alert = serde_json::from_value(data["alert"].clone()).unwrap();
                let whole = read == big;
                prop_assert_eq!(data["shortened"].as_bool(), Some(!whole));
                prop_assert_eq!(&read.reasons[..], &big.reasons[..read.reasons.len()]);
            }
            Err(failure) => {
                prop_assert_eq!(failure.kind, Kind::Never);
                prop_assert!(note > 18_000);
            }
        }
    }
}

#[test]
fn numbers_that_json_has_no_word_for_are_not_sent() {
    let mut bad = alert(1);
    bad.score = f64::NAN;
    let sent = letter("k", Content::Alert { alert: Box::new(bad), case: None });
    assert_eq!(CloudEvents::new("urn:x").unwrap().write(&sent).unwrap_err().kind, Kind::Never);
    assert!(CloudEvents::new("").is_err() && CloudEvents::new("a b").is_err() && CloudEvents::new("\"").is_err());
}

#[test]
fn files_have_a_line_for_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.jsonl");
    let events = || CloudEvents::new("urn:x").unwrap();
    for key in ["a", "b"] {
        // Opened anew, as after a restart.
        Lines::file(&path, events()).unwrap().send(&alert_letter(key)).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let ids: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["a", "b"]);
    assert!(Lines::file(folder.path(), events()).is_err());
}

/// A stream with room for so many bytes, and more after each failure: a disk that somebody tidies.
struct Narrow(Arc<Mutex<Vec<u8>>>, usize);

impl Write for Narrow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1 == 0 {
            self.1 = 100_000;
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(self.1);
        self.1 -= taken;
        self.0.lock().unwrap().extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_breaks_no_later_line() {
    let written = Arc::new(Mutex::new(Vec::new()));
    let channel = Lines::stream(Narrow(Arc::clone(&written), 100), CloudEvents::new("urn:x").unwrap());
    let failure = channel.send(&alert_letter("a")).unwrap_err();
    assert_eq!(failure, Failure::new(Kind::Again, "cannot write: no storage space"));
    channel.send(&alert_letter("a")).unwrap();
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    let whole: Vec<&str> =
        text.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).collect();
    assert_eq!((text.lines().count(), whole.len()), (2, 1));
}
