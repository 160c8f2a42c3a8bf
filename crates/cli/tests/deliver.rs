//! From the export to somebody who answers: the command, a store, receivers on this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crible_core::Timestamp;
use crible_notify::channel::{HEADERS, Signer, Verifier};
use crible_notify::{Clock, SystemClock};
use serde_json::Value;
use tempfile::TempDir;

const SECRET: &str = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const ANA: &str = "00000000000a0a0a";
const NUMBER: &str = "+33600000001";

fn command(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crible"));
    command
        .current_dir(folder)
        .env_remove("CRIBLE_KEY")
        .env_remove("CRIBLE_PRESETS")
        .env_remove("CRIBLE_STORE_KEY")
        .env("CRIBLE_STORE", "alerts.db")
        .env("CRIBLE_NOTIFY", "notify.toml")
        .env("CRIBLE_USER", "ana")
        .env("HOOK", SECRET)
        .args(args);
    command
}

fn crible(folder: &TempDir, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn said(folder: &TempDir, args: &[&str]) -> String {
    let output = crible(folder, args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn refused(folder: &TempDir, args: &[&str], status: i32) -> String {
    let output = crible(folder, args);
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {complaint}");
    complaint
}

fn sample() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/sample/transactions.csv").to_str().unwrap().to_owned()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A request: its path, its headers by name in lower case, its body.
type Request = (String, Vec<(String, String)>, Vec<u8>);

fn read_message(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
    let mut body = vec![0; length.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some((path, headers, body))
}

/// Takes everything.
struct Receiver {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(request) = read_message(&stream) else { continue };
                kept.lock().unwrap().push(request);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
        });
        Self { address, requests }
    }

    /// The events that came to a path, each with a signature that holds.
    fn events(&self, path: &str) -> Vec<Value> {
        let verifier = Verifier::new(vec![SECRET.parse().unwrap()]).unwrap();
        let requests = self.requests.lock().unwrap();
        let events = requests.iter().filter(|(to, ..)| to == path).map(|(_, headers, body)| {
            let header = |name| headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
            verifier.check(HEADERS.map(header), body, now()).unwrap();
            serde_json::from_slice(body).unwrap()
        });
        events.collect()
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn settings(receiver: SocketAddr) -> String {
    format!(
        r#"
bank = "Test Bank"
source = "urn:crible:test"
quiet = "never"

[[channel]]
name = "hook"
kind = "webhook"
url = "http://{receiver}/hook"
allow = ["127.0.0.0/8"]
secrets_env = "HOOK"

[[channel]]
name = "sms"
kind = "sms"
url = "http://{receiver}/sms"
allow = ["127.0.0.0/8"]
secrets_env = "HOOK"

[[channel]]
name = "team"
kind = "file"
path = "team.jsonl"
tells = "cases"
min_severity = "high"

[inbound]
listen = "127.0.0.1:0"
secrets_env = "HOOK"
"#
    )
}

/// Delivers until it is dropped.
struct Watching {
    child: Child,
    door: SocketAddr,
}

impl Watching {
    fn begin(folder: &TempDir) -> Self {
        let mut child = command(folder, &["deliver", "--watch"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let door = lines.find_map(|line| line.unwrap().strip_prefix("listening on ").map(|at| at.parse().unwrap()));
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, door: door.unwrap() }
    }

    /// What a message of the customer is answered: status and body.
    fn write(&self, id: &str, said: &str, signer: &Signer) -> (u16, Value) {
        let body = serde_json::json!({ "medium": "sms", "from": NUMBER, "text": said }).to_string();
        let signature = signer.sign(id, now(), body.as_bytes());
        let mut stream = TcpStream::connect(self.door).unwrap();
        let mut head =
            format!("POST /inbound HTTP/1.1\r\nhost: door\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        head.push_str("content-type: application/json\r\n");
        for (name, value) in HEADERS.iter().zip(signature) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        // The status line stands where a request has its path.
        let (status, _, body) = read_message(&stream).unwrap();
        (status.parse().unwrap(), serde_json::from_slice(&body).unwrap_or_default())
    }

    fn end(mut self) {
        let terminated = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(terminated.success() && self.child.wait().unwrap().success());
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..300 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("half a minute, and nothing");
}

/// A customer opts in, links a number, is asked whether a payment was theirs, says no; the case comes up, and the label is
/// there.
#[test]
fn an_export_becomes_a_question_and_its_answer_a_label() {
    let folder = TempDir::new().unwrap();
    let receiver = Receiver::new();
    fs::write(folder.path().join("notify.toml"), settings(receiver.address)).unwrap();
    let file = sample();
    let score = ["score", "--min-severity", "high", &file];
    // Which accounts have alerts, without a store.
    let mut dry = command(&folder, &[&score[..], &["--out", "alerts.jsonl"]].concat());
    assert!(dry.env_remove("CRIBLE_STORE").output().unwrap().status.success());
    let alerts = lines(&folder.path().join("alerts.jsonl"));
    assert!(alerts.len() > 3, "{}", alerts.len());
    let of = |account: &Value| alerts.iter().filter(|alert| alert["account"] == *account).count();
    let alone = alerts.iter().find(|alert| alert["severity"] == "high" && of(&alert["account"]) == 1).unwrap();
    let account = alone["account"].as_str().unwrap();

    said(&folder, &["consent", "account", ANA, account, "--digits", "4321"]);
    said(&folder, &["consent", "opt-in", ANA, "--medium", "sms", "--purpose", "fraud_alert", "--source", "branch"]);
    let code = said(&folder, &["consent", "code", ANA]);
    let signer = Signer::new(vec![SECRET.parse().unwrap()]).unwrap();
    let watching = Watching::begin(&folder);
    let (status, reply) = watching.write("m1", &format!("LINK {}", code.trim()), &signer);
    assert_eq!((status, reply["reply"].as_str().unwrap().contains("now linked")), (200, true), "{reply}");
    watching.end();
    let shown = said(&folder, &["consent", "show", ANA]);
    assert!(shown.contains("sms, fraud_alert: since") && shown.contains("sms: an address is known"), "{shown}");
    assert!(!shown.contains(NUMBER) && !said(&folder, &["consent", "show", ANA, "--json"]).contains(NUMBER));

    let output = crible(&folder, &[&score[..], &["--out", "again.jsonl"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(receiver.events("/hook").is_empty(), "nothing is sent by the run that scores");
    let sent = crible(&folder, &["deliver"]);
    let tally = text(&sent.stderr);
    assert!(sent.status.success() && tally.contains("0 given up, 0 withheld"), "{tally}");
    let events = receiver.events("/hook");
    assert_eq!(events.len(), alerts.len());
    assert!(events.iter().all(|event| event["type"] == "crible.alert" && event["data"]["case"].is_u64()));
    let questions = receiver.events("/sms");
    assert_eq!(questions.len(), 1);
    let asked = questions[0]["data"]["text"].as_str().unwrap();
    assert!(questions[0]["data"]["to"] == NUMBER && asked.contains("account ending 4321. Was this you?"), "{asked}");
    let cases = lines(&folder.path().join("team.jsonl"));
    assert!(cases.iter().all(|event| event["type"] == "crible.case" && event["data"]["reason"] == "new"));
    let listed = said(&folder, &["cases", "list", "--json", "--limit", "1000"]);
    assert_eq!(cases.len(), listed.lines().count());
    // The same export again tells nobody anything.
    assert!(crible(&folder, &[&score[..], &["--out", "again.jsonl"]].concat()).status.success());
    assert!(text(&crible(&folder, &["deliver"]).stderr).starts_with("0 sent, 0 to be tried again"));
    let list = said(&folder, &["deliver", "--list", "sent", "--limit", "1000"]);
    assert_eq!(list.lines().count(), events.len() + questions.len() + cases.len());

    fs::write(folder.path().join("settings.toml"), "notice_interval = \"1s\"\n").unwrap();
    said(&folder, &["cases", "settings", "settings.toml"]);
    let watching = Watching::begin(&folder);
    let forged = Signer::new(vec![SECRET.replace("AQEB", "AgEB").parse().unwrap()]).unwrap();
    assert_eq!(watching.write("m2", "NO", &forged).0, 401);
    let (status, reply) = watching.write("m2", "NO", &signer);
    assert!(status == 200 && reply["reply"].as_str().unwrap().contains("Our team looks at it now"), "{reply}");
    assert_eq!(watching.write("m2", "NO", &signer).0, 409, "a message that came before");
    let label: Value = serde_json::from_str(said(&folder, &["cases", "labels"]).lines().next().unwrap()).unwrap();
    assert_eq!((&label["class"], &label["source"]), (&"fraud".into(), &"customer".into()));
    let case = |listed: &str| {
        let mut cases = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        cases.find(|case| case["account"] == account).unwrap()
    };
    let (before, after) = (case(&listed), case(&said(&folder, &["cases", "list", "--json", "--limit", "1000"])));
    assert_eq!((&before["severity"], &after["severity"]), (&"high".into(), &"critical".into()), "the case comes up");
    let graver = |event: &Value| event["data"]["case"] == after["case"] && event["data"]["reason"] == "graver";
    until(|| lines(&folder.path().join("team.jsonl")).iter().any(graver).then_some(()));
    let (_, reply) = watching.write("m3", "STOP", &signer);
    assert!(reply["reply"].as_str().unwrap().contains("no more messages"), "{reply}");
    watching.end();
    assert!(said(&folder, &["audit", "verify"]).contains("all as they were written"));

    // What is left about her is in no file of the store, once she is erased.
    said(&folder, &["cases", "erase", ANA]);
    let history = said(&folder, &["consent", "show", ANA]);
    assert!(history.contains("0 entries"), "{history}");
    for file in fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(NUMBER.len()).any(|part| part == NUMBER.as_bytes()), "{}", path.display());
    }
    assert!(said(&folder, &["audit", "verify"]).contains("all as they were written"));
}

#[test]
fn a_receiver_that_is_gone_leaves_dead_letters_that_can_be_sent_again() {
    let folder = TempDir::new().unwrap();
    let receiver = Receiver::new();
    // Nobody listens there.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    fs::write(folder.path().join("notify.toml"), settings(nobody)).unwrap();
    assert!(crible(&folder, &["score", "--min-severity", "critical", &sample()]).status.success());
    let tally = text(&crible(&folder, &["deliver"]).stderr);
    assert!(!tally.contains(" 0 to be tried again"), "{tally}");
    let pending = said(&folder, &["deliver", "--list", "pending"]);
    assert!(pending.lines().count() > 0 && pending.contains("1 tries: "), "{pending}");
    assert!(said(&folder, &["deliver", "--list", "dead"]).is_empty());
    let number = pending.split_whitespace().next().unwrap();
    assert!(refused(&folder, &["deliver", "--again", number], 1).contains("is no dead delivery"));
    // Settings that change are those of the next try.
    fs::write(folder.path().join("notify.toml"), settings(receiver.address)).unwrap();
    let watching = Watching::begin(&folder);
    until(|| {
        (receiver.events("/hook").len() == pending.lines().filter(|l| l.contains(" hook ")).count()).then_some(())
    });
    watching.end();
}

#[test]
fn settings_are_refused_before_anything_is_written() {
    let folder = TempDir::new().unwrap();
    let good = settings("127.0.0.1:1".parse().unwrap());
    let file = sample();
    for (from, to, named) in [
        ("kind = \"sms\"", "kind = \"pigeon\"", "channel sms: kind `pigeon`"),
        ("http://127.0.0.1:1/hook", "no url", "channel hook"),
        ("secrets_env = \"HOOK\"", "secrets_env = \"NOT_SET\"", "the variable NOT_SET is not set"),
        ("quiet = \"never\"", "quiet = \"late\"", "quiet"),
        ("tells = \"cases\"", "tells = \"tales\"", "channel team"),
        ("kind = \"sms\"", "kind = \"sms\"\ntells = \"cases\"", "channel sms: tells"),
        ("source = \"urn:crible:test\"", "templates = 7\nsource = \"x\"", "settings"),
    ] {
        assert!(good.contains(from), "{from}");
        fs::write(folder.path().join("notify.toml"), good.replace(from, to)).unwrap();
        for args in [&["deliver"][..], &["score", &file]] {
            let complaint = refused(&folder, args, 2);
            assert!(complaint.contains("notify.toml") && complaint.contains(named), "{complaint}");
        }
    }
    assert!(!folder.path().join("alerts.db").exists());
    fs::remove_file(folder.path().join("notify.toml")).unwrap();
    assert!(refused(&folder, &["deliver"], 2).contains("notify.toml"));
    for args in [
        &["consent", "opt-in", "ana", "--medium", "sms", "--purpose", "fraud_alert", "--source", "app"][..],
        &["consent", "opt-in", ANA, "--medium", "pigeon", "--purpose", "fraud_alert", "--source", "app"],
        &["consent", "account", ANA, "000000000000beef", "--digits", "4111111111111111"],
        &["consent", "balance", "000000000000beef", "12.345 EUR", "--at", "2026-06-01T06:00:00Z"],
    ] {
        let complaint = refused(&folder, args, 2);
        assert!(!complaint.contains("4111111111111111"), "{complaint}");
    }
}

#[test]
fn cases_become_a_page_that_names_nobody_unless_asked() {
    let folder = TempDir::new().unwrap();
    let file = sample();
    let mut score = command(&folder, &["score", "--min-severity", "high", &file]);
    assert!(
        score
            .env("CRIBLE_KEY", "0123456789abcdef0123456789abcdef")
            .env_remove("CRIBLE_NOTIFY")
            .status()
            .unwrap()
            .success()
    );
    said(&folder, &["cases", "close", "1", "--as", "fraud"]);
    let page = |args: &[&str]| {
        let args = [&["report", "page.html", "--title", "Week <1>"][..], args].concat();
        let output = command(&folder, &args).env("CRIBLE_KEY", "0123456789abcdef0123456789abcdef").output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        fs::read_to_string(folder.path().join("page.html")).unwrap()
    };
    let plain = page(&["--all"]);
    assert!(plain.contains("Week &lt;1&gt;") && plain.contains("closed as fraud") && plain.contains("100 %"));
    assert!(!plain.contains("<script") && !plain.contains("http://") && !plain.contains("https://"));
    assert!(!page(&[]).contains("closed as fraud"));
    let mut rows = csv::Reader::from_path(&file).unwrap();
    let raw: Vec<String> = rows.records().map(|row| row.unwrap()[2].to_owned()).collect();
    assert!(raw.iter().all(|account| !plain.contains(account.as_str())));
    let named = page(&["--all", "--with", &file]);
    assert!(raw.iter().any(|account| named.contains(account.as_str())));
    assert!(refused(&folder, &["report", "alerts.db"], 1).contains("alerts.db"));
    assert!(refused(&folder, &["report", "page.html", "--store", "none.db"], 2).contains("none.db"));
}
