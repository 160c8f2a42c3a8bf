//! What others make of what we send: the Standard Webhooks library and a mail server, both from PyPI.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use common::{Act, NOW, Receiver, alert_letter, letter, local_http};
use crible_notify::Medium;
use crible_notify::channel::{
    Channel, CloudEvents, Content, Email, EmailSettings, Encryption, HEADERS, Letter, Recipient, Secret, Signer,
    Verifier, Webhook,
};
use crible_notify::outbox::Kind;

const PACKAGES: &str = include_str!("requirements.txt");

/// The Python of an environment that the tests make; `None`, and a line that says so, where it cannot be made.
fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = PYTHON.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("notify-venv");
        let python = folder.join("bin/python");
        let stamp = folder.join("installed.txt");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == PACKAGES) {
            return Some(python);
        }
        let done = |command: &mut Command| {
            command.stdin(Stdio::null()).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        let list = folder.join("requirements.txt");
        let made = done(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))
            && std::fs::write(&list, PACKAGES).is_ok()
            && done(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&list))
            && std::fs::write(&stamp, PACKAGES).is_ok();
        made.then_some(python)
    });
    if made.is_none() {
        eprintln!("skipped: no Python environment with {}", PACKAGES.trim().replace('\n', ", "));
    }
    made.as_deref()
}

/// Runs a script; what it prints.
fn run(python: &Path, script: &str, input: &[u8]) -> String {
    let mut child =
        Command::new(python).args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

const VERIFY: &str = r#"
import base64, datetime, json, sys
import standardwebhooks.webhooks as library

class Then(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(NOW, tz)

case = json.load(sys.stdin)
NOW = case["now"]
library.datetime = Then
hook = library.Webhook("whsec_" + base64.b64encode(bytes(case["secret"])).decode())
try:
    hook.verify(bytes(case["body"]), case["headers"])
    print("right")
except library.WebhookVerificationError as error:
    print("wrong")
"#;

const SIGN: &str = r#"
import base64, datetime, json, sys
from standardwebhooks import Webhook

case = json.load(sys.stdin)
hook = Webhook("whsec_" + base64.b64encode(bytes(case["secret"])).decode())
at = datetime.datetime.fromtimestamp(case["now"], datetime.timezone.utc)
print(hook.sign(case["id"], at, case["body"]))
"#;

#[test]
fn another_library_verifies_what_we_sign() {
    let Some(python) = python() else { return };
    let receiver = Receiver::start(|_, _| Act::Answer("200 OK"));
    let secrets = [[1; 32], [2; 32]].map(|bytes| Secret::of(&bytes).unwrap());
    let signer = Signer::new(secrets.into()).unwrap();
    let channel = Webhook::new(local_http(&receiver.url()), signer, CloudEvents::new("urn:crible:test").unwrap());
    channel.send(&alert_letter("alert/7/hook/1")).unwrap();
    let request = &receiver.requests()[0];
    let headers: serde_json::Map<_, _> =
        HEADERS.iter().map(|name| ((*name).to_owned(), request.header(name).unwrap().into())).collect();
    let verdict = |byte: u8, body: &[u8]| {
        let case = serde_json::json!({
            "now": NOW.0 / 1_000_000, "secret": vec![byte; 32], "body": body, "headers": headers,
        });
        run(python, VERIFY, case.to_string().as_bytes()).trim().to_owned()
    };
    assert_eq!((&*verdict(1, &request.body), &*verdict(2, &request.body)), ("right", "right"));
    let mut other = request.body.clone();
    other[20] ^= 1;
    assert_eq!((&*verdict(3, &request.body), &*verdict(1, &other)), ("wrong", "wrong"));
}

#[test]
fn we_verify_what_another_library_signs() {
    let Some(python) = python() else { return };
    let body = "{\"medium\": \"sms\", \"text\": \"arrêt\"}";
    let seconds = NOW.0 / 1_000_000;
    let case = serde_json::json!({ "now": seconds, "secret": vec![9; 32], "id": "msg_1", "body": body });
    let signature = run(python, SIGN, case.to_string().as_bytes());
    let seconds = seconds.to_string();
    let headers = [Some("msg_1"), Some(&*seconds), Some(signature.trim())];
    let verifier = |byte| Verifier::new(vec![Secret::of(&[byte; 32]).unwrap()]).unwrap();
    assert_eq!(verifier(9).check(headers, body.as_bytes(), NOW), Ok(()));
    assert!(verifier(8).check(headers, body.as_bytes(), NOW).is_err());
}

/// A mail server that refuses the mailbox `nobody`, is busy for `later`, hangs for `slow`, and prints what it gets.
const MAIL_SERVER: &str = r#"
import asyncio, json, sys
from email import message_from_bytes, policy
from aiosmtpd.smtp import SMTP

class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "nobody":
            return "550 no such mailbox"
        if name == "later":
            return "451 come back"
        if name == "slow":
            await asyncio.sleep(10)
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        message = message_from_bytes(envelope.content, policy=policy.default)
        print(json.dumps({
            "to": envelope.rcpt_tos, "from": envelope.mail_from, "headers": dict(message.items()),
            "text": message.get_content(), "type": message.get_content_type(),
        }), flush=True)
        return "250 taken"

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler()), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"#;

struct MailServer {
    child: Child,
    lines: Mutex<BufReader<std::process::ChildStdout>>,
    port: u16,
}

impl MailServer {
    fn start(python: &Path) -> Self {
        let mut child = Command::new(python)
            .args(["-c", MAIL_SERVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        lines.read_line(&mut port).unwrap();
        Self { child, lines: Mutex::new(lines), port: port.trim().parse().unwrap() }
    }

    fn next(&self) -> serde_json::Value {
        let mut line = String::new();
        self.lines.lock().unwrap().read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // It ends when its input does.
        self.child.stdin.take();
        self.child.wait().ok();
    }
}

fn mail(port: u16) -> Email {
    let settings = EmailSettings {
        host: "127.0.0.1".to_owned(),
        port,
        encryption: Encryption::None,
        login: None,
        from: "Test Bank <alerts@bank.example>".to_owned(),
        to: Some("analysts@bank.example".to_owned()),
        timeout: Duration::from_secs(2),
    };
    Email::new(&settings).unwrap()
}

fn mail_to(name: &str) -> Letter {
    let address = format!("{name}@example.com").parse().unwrap();
    let to = Some(Recipient { medium: Medium::Email, address, wrote: None });
    let text = "Test Bank : 412,00 USD chez Café Nord. Était-ce vous ?\n.\nFin".to_owned();
    let subject = "Était-ce vous ?\r\nBcc: spy@example.com".to_owned();
    Letter { to, text, subject, ..letter("question/1", Content::Message) }
}

#[test]
fn a_real_mail_server_takes_our_mail() {
    let Some(python) = python() else { return };
    let server = MailServer::start(python);
    let email = mail(server.port);
    email.send(&alert_letter("alert/7/mail/1")).unwrap();
    let to_analysts = server.next();
    assert_eq!(to_analysts["to"], serde_json::json!(["analysts@bank.example"]));
    assert_eq!(to_analysts["headers"]["Subject"], "High alert");
    email.send(&mail_to("ana")).unwrap();
    email.send(&Letter { at: crible_core::Timestamp(NOW.0 + 5_000_000), ..mail_to("ana") }).unwrap();
    let (first, second) = (server.next(), server.next());
    assert_eq!(first["to"], serde_json::json!(["ana@example.com"]));
    assert_eq!(first["from"], "alerts@bank.example");
    assert_eq!(first["type"], "text/plain");
    let text = first["text"].as_str().unwrap().replace("\r\n", "\n");
    assert_eq!(text.trim_end(), mail_to("ana").text);
    let headers = first["headers"].as_object().unwrap();
    assert!(!headers.contains_key("Bcc"), "{headers:?}");
    assert_eq!(headers["From"], "Test Bank <alerts@bank.example>");
    assert_eq!(headers["Auto-Submitted"], "auto-generated");
    // Both tries are one message.
    assert_eq!(headers["Message-ID"], second["headers"]["Message-ID"]);
    assert_ne!(first["headers"]["Date"], second["headers"]["Date"]);
    assert_ne!(headers["Message-ID"], to_analysts["headers"]["Message-ID"]);
}

#[test]
fn what_a_mail_server_refuses() {
    let Some(python) = python() else { return };
    let server = MailServer::start(python);
    for (name, kind, why) in [
        ("nobody", Kind::Never, "the server said 550"),
        ("later", Kind::Again, "the server said 451"),
        ("slow", Kind::TimedOut, "no answer in time"),
    ] {
        let failure = mail(server.port).send(&mail_to(name)).unwrap_err();
        assert_eq!((failure.kind, &*failure.why), (kind, why), "{name}");
    }
    let not_mail =
        Letter { to: mail_to("x").to.map(|to| Recipient { address: "x".parse().unwrap(), ..to }), ..mail_to("x") };
    assert_eq!(mail(server.port).send(&not_mail).unwrap_err().kind, Kind::Never);
}

#[test]
fn where_there_is_no_mail_server() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let failure = mail(port).send(&mail_to("ana")).unwrap_err();
    assert_eq!((failure.kind, &*failure.why), (Kind::Again, "no connection"));
    // A web server is no mail server.
    let receiver = Receiver::start(|_, _| Act::Babble);
    assert_ne!(mail(receiver.address.port()).send(&mail_to("ana")).unwrap_err().kind, Kind::Never);
}
