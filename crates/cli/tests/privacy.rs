//! Contract 6: no identifier of the inputs is in any byte of any output, over every feed's fixtures and over a file
//! made to leak; and a leak would be found.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use polars_io::{SerReader, SerWriter};
use tempfile::TempDir;

/// Words of columns whose values identify somebody.
const COLUMNS: [&str; 23] = [
    "account",
    "acct",
    "address",
    "bene",
    "card",
    "cc_num",
    "counterparty",
    "customer",
    "description",
    "email",
    "first",
    "iban",
    "last",
    "member",
    "memo",
    "merchant",
    "name",
    "note",
    "orig",
    "owner",
    "payee",
    "ssn",
    "street",
];
/// The same where it is all of the name.
const WHOLE: [&str; 4] = ["From", "To", "Source", "Target"];
/// Tags of statements that hold the same.
const TAGS: [&str; 9] =
    ["<NAME>", "<ACCTID>", "<MEMO>", "<PAYEE>", "<Nm>", "<IBAN>", "<Ustrd>", "<Id>", "<AddtlNtryInf>"];
/// Feeds that cannot be recognised from a file, and have to be named.
const NAMED: [(&str, &str); 4] = [
    ("amex_short_us.csv", "amex"),
    ("scotia.csv", "scotiabank-chequing"),
    ("paypal_uk.csv", "paypal-uk"),
    ("amex_uk.csv", "amex-uk"),
];

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ingest/tests/fixtures");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

/// What is gathered as an identifier and is none: words of statements that outputs have too, and a round amount.
const NONE: &[&str] = &["Payment", "Opening Balance", "\"transactions\": [", "10000000"];

fn is_none(value: &str) -> bool {
    NONE.contains(&value) || value.starts_with("Beginning balance as of ")
}

fn crible(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crible")).current_dir(folder).env_remove("CRIBLE_KEY").args(args).output().unwrap()
}

/// Long enough that finding it means something: a name, or digits that no score or date has.
fn tells(value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let letters = value.chars().filter(|letter| letter.is_alphabetic()).count();
    let date =
        matches!(digits, 8 | 12 | 14) && value.len() == digits && ["19", "20"].iter().any(|c| value.starts_with(c));
    !date && (letters >= 5 || digits >= 7 || (digits >= 5 && letters >= 1)) && !value.contains(['<', '>'])
}

/// Everything in a file that identifies somebody: by columns, by tags and by patterns.
fn identifiers(bytes: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut found = BTreeSet::new();
    let mut add = |value: &str| {
        let value = value.trim().trim_matches('\'');
        if tells(value) && !is_none(value) {
            found.insert(value.to_owned());
        }
    };
    let delimiter = [b'|', b';', b','].into_iter().max_by_key(|&byte| bytes.iter().filter(|&&b| b == byte).count());
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter.unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut columns: Vec<usize> = Vec::new();
    for record in reader.records().filter_map(Result::ok) {
        if columns.is_empty() {
            let says =
                |name: &str| WHOLE.contains(&name) || COLUMNS.iter().any(|word| name.to_lowercase().contains(word));
            // A header's names are many and do not begin with digits.
            let named = record.iter().filter(|name| !name.is_empty()).count();
            if named > 2
                && 2 * named > record.len()
                && !record.iter().any(|name| name.starts_with(|c: char| c.is_ascii_digit()))
            {
                columns = (0..record.len()).filter(|&at| says(&record[at])).collect();
            }
        } else {
            columns.iter().filter_map(|&at| record.get(at)).for_each(&mut add);
        }
    }
    for tag in TAGS {
        for (at, _) in text.match_indices(tag) {
            let rest = &text[at + tag.len()..];
            add(rest[..rest.find(['<', '\r', '\n']).unwrap_or(rest.len())].trim());
        }
    }
    for line in text.lines() {
        // QIF's payees and memos, and the account of MT940.
        for mark in ["P", "M", ":25:"] {
            if let Some(value) = line.strip_prefix(mark).filter(|_| !line.contains(',')) {
                add(value);
            }
        }
    }
    for word in text.split(|letter: char| letter.is_whitespace() || ",;|<>\"'()/?".contains(letter)) {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        if word.contains('@') && word.contains('.') || (digits >= 8 && word.chars().all(|c| c.is_ascii_alphanumeric()))
        {
            add(word);
            // Behind the number of a subfield, as in ?31.
            if word.len() > 10
                && word.bytes().take(2).all(|b| b.is_ascii_digit())
                && word.as_bytes()[2].is_ascii_alphabetic()
            {
                add(&word[2..]);
            }
        }
    }
    found
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for part in bytes.chunks(3) {
        let bits = (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(part.get(at).copied().unwrap_or(0)));
        (0..=part.len()).for_each(|at| out.push(char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize])));
    }
    out
}

/// An identifier in the forms in which it could get out, in lower case.
fn forms(identifier: &str) -> Vec<String> {
    let mut forms = vec![identifier.to_owned()];
    let bare: String = identifier.chars().filter(|letter| letter.is_alphanumeric()).collect();
    let digits: String = identifier.chars().filter(char::is_ascii_digit).collect();
    if bare != identifier {
        forms.push(bare);
    }
    if digits.len() >= 9 {
        forms.push(digits);
    }
    let plain = forms.clone();
    for form in &plain {
        forms.push(form.bytes().map(|byte| format!("{byte:02x}")).collect());
        // Wherever in a longer text it begins; letters that its neighbours have a part in are left out.
        for lead in 0..3 {
            let text = base64(&[&b"\0\0"[..lead], form.as_bytes()].concat());
            let (start, end) = ([0, 2, 3][lead], text.len() - 1);
            forms.push(text[start..end].to_owned());
        }
    }
    forms.iter().map(|form| form.to_lowercase()).filter(|form| form.len() >= 5).collect()
}

/// Identifiers that are in what was put out, with the output they are in.
fn leaks(identifiers: &BTreeSet<String>, outputs: &[(String, Vec<u8>)]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, bytes) in outputs {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        for identifier in identifiers {
            if forms(identifier).iter().any(|form| text.contains(form)) {
                found.push(format!("{identifier} in {name}"));
            }
        }
    }
    found
}

/// Scores a file with every output there is, and gives back every byte of them; Parquet also as the text in it.
fn outputs(folder: &Path, file: &str, more: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for (alerts, scores) in
        [("out/a.jsonl", "out/s.csv"), ("out/b.csv", "out/t.parquet"), ("out/c.parquet", "out/u.csv")]
    {
        let args = [&["score", "--all", file, "--out", alerts, "--scores", scores], more].concat();
        let done = crible(folder, &args);
        assert!(matches!(done.status.code(), Some(0 | 2)), "{file}: {}", String::from_utf8_lossy(&done.stderr));
        all.push((format!("standard output of {alerts}"), done.stdout));
        all.push((format!("standard error of {alerts}"), done.stderr));
    }
    // Alerts on standard output, rejects in their usual place.
    let done = crible(folder, &[&["score", "--all", file], more].concat());
    all.push(("standard output".to_owned(), done.stdout));
    let written = fs::read_dir(folder.join("out")).into_iter().flatten().map(|entry| entry.unwrap().path());
    for path in written.chain([folder.join("crible-rejects.csv")]).filter(|path| path.exists()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = fs::read(&path).unwrap();
        if name.ends_with(".parquet") {
            let mut frame =
                polars_io::parquet::read::ParquetReader::new(fs::File::open(&path).unwrap()).finish().unwrap();
            let mut text = Vec::new();
            polars_io::csv::write::CsvWriter::new(&mut text).finish(&mut frame).unwrap();
            all.push((format!("the text of {name}"), text));
        }
        all.push((name, bytes));
    }
    all
}

#[test]
fn no_identifier_of_any_feed_is_in_any_output() {
    let mut gathered = 0;
    let mut scored = 0;
    let mut leaked = Vec::new();
    for fixture in fixtures() {
        let folder = TempDir::new().unwrap();
        let name = fixture.file_name().unwrap().to_str().unwrap();
        let bytes = fs::read(&fixture).unwrap();
        fs::write(folder.path().join(name), &bytes).unwrap();
        let named = NAMED.iter().find(|(file, _)| *file == name);
        let more: Vec<&str> = named.map(|(_, feed)| vec!["--feed", *feed]).unwrap_or_default();
        let all = outputs(folder.path(), name, &more);
        let identifiers = identifiers(&bytes);
        gathered += identifiers.len();
        scored += usize::from(all.iter().any(|(name, bytes)| name == "a.jsonl" && !bytes.is_empty()));
        leaked.extend(leaks(&identifiers, &all).into_iter().map(|leak| format!("{name}: {leak}")));
    }
    assert_eq!(leaked, [""; 0]);
    assert!(gathered > 150, "{gathered} identifiers are too few to prove anything");
    assert!(scored > 40, "{scored} files were scored");
}

/// Free text with everything in it, fields in the wrong places, rows that are broken in every way.
const HOSTILE: &str = "id,time,account,counterparty,amount,currency,category,channel,country,latitude,longitude,balance,fraud
h1,2024-03-01T09:00:00Z,DE89370400440532013000,Ines Okoro,-4.20,EUR,card 4111 1111 1111 1111,Zelle payment to Ada Quist,FR,,,,0
h2,2024-03-02T09:00:00Z,7700012345,Piet Lund,-5.20,EUR,ines.okoro@example.org,+49 30 901820555,FR,,,,0
h3,2024-03-03T09:00:00Z,7700012345,Piet Lund,-6.20,EUR,Piet Lund,acct 7700012345,FR,,,,0
h4,2024-03-04T09:00:00Z,7700012345,Piet Lund,Überweisung an Jörg Müller,EUR,,,,,,,0
h5,2024-03-05T09:00:00Z,7700012345,Piet Lund,Piet Lund 7700012345,EUR,,,,,,,0
h6,4111-1111-1111-1111,7700012345,Piet Lund,-1.00,EUR,,,,,,,0
h7,2024-03-07T09:00:00Z,7700012345,Piet Lund,-1.00,IBAN DE89 3704 0044 0532 0130 00,,,,,,,0
h8,2024-03-08T09:00:00Z,7700012345,Piet Lund,call (202) 555-0143 or ines.okoro@example.org,EUR,,,,,,,0
h9,2024-03-09T09:00:00Z,7700012345,Piet Lund,Ada Quist
h10,2024-03-10T09:00:00Z,\"7700012345,Piet Lund,-1.00
h11,2024-03-11T09:00:00Z,7700012345,Piet Lund,-1.00,EUR,,,,,,,0,Ada Quist,DE89370400440532013000
";

#[test]
fn a_file_made_to_leak_does_not() {
    let folder = TempDir::new().unwrap();
    let name = "stmt_7700012345.csv";
    fs::write(folder.path().join(name), HOSTILE).unwrap();
    let all = outputs(folder.path(), name, &[]);
    let identifiers: BTreeSet<String> = [
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "Ines Okoro",
        "Okoro",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "Ada Quist",
        "Quist",
        "7700012345",
        "Piet Lund",
        "ines.okoro@example.org",
        "+49 30 901820555",
        "Jörg Müller",
        "(202) 555-0143",
    ]
    .map(str::to_owned)
    .into();
    assert_eq!(leaks(&identifiers, &all), [""; 0]);
    let rejects = all.iter().find(|(name, _)| name == "a.rejects.csv").map(|(_, bytes)| String::from_utf8_lossy(bytes));
    let rejects = rejects.unwrap();
    assert_eq!(rejects.lines().count(), 9, "{rejects}");
    for told in ["[card]", "[iban]", "[e-mail]", "[phone]", "[name]", "stmt_*2345.csv", "Überweisung an [name]"] {
        assert!(rejects.contains(told), "{told}: {rejects}");
    }
}

/// Devices and network addresses, looked at by detectors and named in reasons, are in no output either.
#[test]
fn no_device_or_address_is_in_any_output() {
    let folder = TempDir::new().unwrap();
    let mut text = "when,card,sum,shop,phone,net\n".to_owned();
    let mut identifiers = BTreeSet::new();
    for n in 0..400 {
        let (day, hour, card) = (1 + n / 20 % 28, n % 24, 7_700_000 + n % 9);
        // The last few come from elsewhere, all from one device, and are large.
        let (phone, net, sum) = match n {
            390.. => ("Pixel-0042-of-Quist".to_owned(), "203.0.113.77".to_owned(), 90_000),
            _ => (format!("Handset-{:04}-x", card % 100), format!("198.51.100.{}", n % 9), 1_000 + n * 7 % 500),
        };
        identifiers.extend([phone.clone(), net.clone(), card.to_string()]);
        let month = 1 + n / 200;
        text += &format!("2024-{month:02}-{day:02}T{hour:02}:00:00Z,{card},-{sum}.00,shop {},{phone},{net}\n", n % 5);
    }
    text += "2024-03-01T00:00:00Z,7700001,Pixel-0042-of-Quist,shop,Pixel-0042-of-Quist,203.0.113.77\n";
    fs::write(folder.path().join("in.csv"), text).unwrap();
    let config = "[columns]\nadd = ['account_device_new_7d', 'account_address_new_7d', 'device_accounts_1d', 'address_accounts_1d']\n";
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let map = "account=card,amount=sum,time=when,counterparty=shop,device=phone,address=net,currency=@EUR";
    let all = outputs(folder.path(), "in.csv", &["--map", map, "--config", "config.toml"]);
    assert_eq!(leaks(&identifiers, &all), [""; 0]);
    let alerts = all.iter().find(|(name, _)| name == "a.jsonl").unwrap();
    let told = String::from_utf8_lossy(&alerts.1);
    assert!(told.contains("this device") || told.contains("this address"), "{told}");
}

#[test]
fn a_leak_would_be_found() {
    let known: BTreeSet<String> =
        ["4000123412341234", "DE89 3704 0044 0532 0130 00", "Piet Lund"].map(str::to_owned).into();
    let hex: String = b"piet lund".iter().map(|byte| format!("{byte:02x}")).collect();
    let planted = [
        ("plain", "x,4000123412341234,y".to_owned(), 1),
        ("other case, no blanks", "de89370400440532013000".to_owned(), 1),
        ("the digits alone", "89370400440532013000".to_owned(), 1),
        ("hexadecimal", format!("0{hex}0").replace("706965", "506965").replace("6c756e", "4c756e"), 1),
        ("base64", base64(b"Piet Lund"), 1),
        ("base64, one letter in", base64(b"-Piet Lund-"), 1),
        ("base64, two letters in", base64(b"--Piet Lund--"), 1),
        ("none", "[name] 8f3e 4000 1234".to_owned(), 0),
    ];
    for (what, text, expect) in planted {
        let found = leaks(&known, &[("out".to_owned(), text.clone().into_bytes())]);
        assert_eq!(found.len(), expect, "{what}: {text}");
    }
    // What is gathered of fixtures, by column, by tag and by pattern.
    let of = |name: &str| {
        let found = fixtures().into_iter().find(|path| path.ends_with(name)).unwrap();
        identifiers(&fs::read(found).unwrap())
    };
    let check = |name: &str, expect: &[&str]| {
        let found = of(name);
        expect.iter().for_each(|identifier| assert!(found.contains(*identifier), "{identifier} in {name}: {found:?}"));
    };
    check("sparkov.csv", &["4000123412341234", "fraud_Heller PLC", "9 Elm Row"]);
    check("paypal_uk.csv", &["Thistle Prints", "x@example.org"]);
    check("statement.camt053.xml", &["FR0099990000000000000000002", "Lune &amp; Fils"]);
    check("venmo_statement.csv", &["Piet Lund", "Ada Quist"]);
    check("statement.sta", &["99990000/0000001", "DE00999900000000000002"]);
    check("karte.qif", &["Tischlerei Birnbaum"]);
}
