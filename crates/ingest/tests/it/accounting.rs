//! Whatever is done to a file: nothing is lost, nothing invented, and the answer does not depend on the threads.

use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::common::{Folder, fixture, import, options};

/// Files, and the lines that they are recognised by.
const FIXTURES: [(&str, usize); 17] = [
    ("crible.csv", 1),
    ("handbook.csv", 1),
    ("sparkov.csv", 1),
    ("sparkov-generator.psv", 1),
    ("ulb-creditcard.csv", 1),
    ("paysim.csv", 1),
    ("Chase7788_Activity_20240630.CSV", 1),
    ("Chase0909_Activity_20240630.csv", 1),
    ("Checking1.csv", 1),
    ("Citi_4411.CSV", 1),
    ("venmo_statement.csv", 3),
    ("stmt.csv", 7),
    ("revolut_eur.csv", 1),
    ("monzo.csv", 1),
    ("stripe_charges.csv", 1),
    ("tabformer.csv", 1),
    ("ibm_aml.csv", 1),
];

#[derive(Clone, Debug)]
enum Harm {
    Set(Index, u8),
    Drop(Index, usize),
    Repeat(Index, Index),
    SwapFields(Index, Index),
    CutLine(Index),
    Break(Index, &'static str),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        (any::<Index>(), prop_oneof![any::<u8>(), Just(b'"'), Just(b'\n'), Just(b'\r'), Just(0), Just(b',')])
            .prop_map(|(at, byte)| Harm::Set(at, byte)),
        (any::<Index>(), 1usize..40).prop_map(|(at, length)| Harm::Drop(at, length)),
        (any::<Index>(), any::<Index>()).prop_map(|(line, to)| Harm::Repeat(line, to)),
        (any::<Index>(), any::<Index>()).prop_map(|(line, field)| Harm::SwapFields(line, field)),
        any::<Index>().prop_map(Harm::CutLine),
        (any::<Index>(), prop_oneof![Just("\""), Just("\"\""), Just("\n"), Just("\r\n"), Just(","), Just("\u{e9}")])
            .prop_map(|(at, text)| Harm::Break(at, text)),
    ]
}

/// Does it behind the header, so that the file stays recognisable.
fn apply(mut bytes: Vec<u8>, header: usize, harm: &Harm) -> Vec<u8> {
    if bytes.len() <= header {
        return bytes;
    }
    let body = bytes.len() - header;
    let lines =
        |bytes: &[u8]| bytes[header..].split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    match harm {
        Harm::Set(at, byte) => bytes[header + at.index(body)] = *byte,
        Harm::Drop(at, length) => {
            let start = header + at.index(body);
            bytes.drain(start..(start + length).min(header + body));
        }
        Harm::Break(at, text) => {
            let start = header + at.index(body);
            bytes.splice(start..start, text.bytes());
        }
        Harm::Repeat(line, to) => {
            let mut all = lines(&bytes);
            let copy = all[line.index(all.len())].clone();
            all.insert(to.index(all.len()), copy);
            bytes.splice(header.., all.concat());
        }
        Harm::SwapFields(line, field) => {
            let mut all = lines(&bytes);
            let at = line.index(all.len());
            let mut fields: Vec<Vec<u8>> = all[at].split(|byte| b",|".contains(byte)).map(<[u8]>::to_vec).collect();
            let (a, b) = (field.index(fields.len()), (field.index(fields.len()) + 1) % fields.len());
            fields.swap(a, b);
            all[at] = fields.join(&b","[..]);
            bytes.splice(header.., all.concat());
        }
        Harm::CutLine(line) => {
            let mut all = lines(&bytes);
            let at = line.index(all.len());
            let half = all[at].len() / 2;
            all[at].truncate(half);
            bytes.splice(header.., all.concat());
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn read_is_accepted_and_known_and_rejected(
        which in 0..FIXTURES.len(),
        harms in prop::collection::vec(harm(), 1..8),
        also_unharmed in any::<bool>(),
    ) {
        let (name, head) = FIXTURES[which];
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        // Without a header, the first row is what the file is recognised by.
        let header = bytes.split_inclusive(|&byte| byte == b'\n').take(head).map(<[u8]>::len).sum();
        for harm in &harms {
            bytes = apply(bytes, header, harm);
        }
        let folder = Folder::new();
        let mut files: Vec<PathBuf> = vec![folder.file(name, &bytes)];
        if also_unharmed {
            files.push(fixture(name));
        }
        let (first, rejects) = import(&files, &options()).unwrap();
        let rows: u64 = first.files.iter().map(|file| file.read).sum();
        prop_assert_eq!(rows, first.batch.len() as u64 + first.files.iter().map(|file| file.known + file.rejected).sum::<u64>());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        files.reverse();
        let (again, same) = pool.install(|| import(&files, &options()).unwrap());
        prop_assert_eq!(again.batch, first.batch);
        prop_assert_eq!(same, rejects);
    }

    /// Records of any fields, quoted as the csv crate quotes them, come back whole: as many rows as were written.
    #[test]
    fn quoted_fields_come_back(
        texts in prop::collection::vec("[a-z\",\n\r é]{0,12}", 1..40),
    ) {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        writer.write_record(["t", "a", "b", "c"]).unwrap();
        for text in &texts {
            writer.write_record(["2024-01-01", "ada", text, "-1"]).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let mapping = crible_ingest::Mapping::parse("account=a,amount=c,time=t,counterparty=b,sign=outflow-negative").unwrap();
        let options = crible_ingest::Options { map: Some(mapping), ..options() };
        let folder = Folder::new();
        let (read, rejects) = import(&[folder.file("in.csv", &bytes)], &options).unwrap();
        prop_assert_eq!(&rejects, &[]);
        prop_assert_eq!(read.batch.len(), texts.len());
        let names: Vec<&str> = texts.iter().map(|text| text.trim_ascii()).collect();
        let told = crate::common::told(&read.batch, &names);
        for (row, told) in told.iter().enumerate() {
            let written = &names[read.batch.source(row).row as usize];
            let expect = if written.is_empty() { "-" } else { written };
            prop_assert!(told.contains(&format!(" XXX | {expect} | ")), "{:?}: {}", written, told);
        }
    }
}
