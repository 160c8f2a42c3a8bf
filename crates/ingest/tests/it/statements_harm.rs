//! Whatever is done to a statement or message, it is read or refused, and its entries are accounted for.

use crate::common::{bytes, fixture, options};
use crible_ingest::Options;
use proptest::prelude::*;
use proptest::sample::Index;

/// Files, and the feed that each is of.
const FIXTURES: &[(&str, &str)] = &[
    ("checking.ofx", "ofx"),
    ("household_two.ofx", "ofx"),
    ("one_line.ofx", "ofx"),
    ("invest.ofx", "ofx"),
    ("card.qfx", "ofx"),
    ("household.qif", "qif-day-first"),
    ("karte.qif", "qif-day-first"),
    ("cards.qif", "qif-month-first"),
    ("cash.qif", "qif-day-first"),
    ("invest.qif", "qif"),
    ("intraday.camt052.xml", "camt"),
    ("intraday_v8.camt052.xml", "camt"),
    ("returned.camt052.xml", "camt"),
    ("statement.camt053.xml", "camt"),
    ("two_accounts.camt053.xml", "camt"),
    ("batch_v8.camt053.xml", "camt"),
    ("notice.camt054.xml", "camt"),
    ("card.camt054.xml", "camt"),
    ("slips.camt054.xml", "camt"),
    ("salaries.pain001.xml", "pain.001"),
    ("urgent.pain001.xml", "pain.001"),
    ("wrong_sums.pain001.xml", "pain.001"),
    ("settled.pacs008.xml", "pacs.008"),
    ("instant.pacs008.xml", "pacs.008"),
    ("faulty.pacs008.xml", "pacs.008"),
    ("statement.sta", "mt940"),
    ("dutch.sta", "mt940"),
    ("messages.mt940", "mt940"),
    ("interim.mt942", "mt940"),
    ("german.mt942", "mt940"),
    ("two_accounts.mt942", "mt940"),
    ("prior_day.bai", "bai2"),
    ("continued.bai", "bai2"),
    ("broken.bai", "bai2"),
    ("authorisations-2024.iso87", "iso8583-1987"),
    ("switch_20240101.iso87", "iso8583-1987"),
    ("remarks.iso87", "iso8583-1987"),
    ("authorisations.iso93", "iso8583-1993"),
    ("switch.iso93", "iso8583-1993"),
    ("faults.iso93", "iso8583-1993"),
];

/// Swaps the two parts, such as lines or fields, that a place falls into or before.
fn swap(text: &mut Vec<u8>, at: usize, mark: u8) {
    let parts: Vec<&[u8]> = text.split(|&byte| byte == mark).collect();
    let mut before = 0;
    let place = parts.iter().position(|part| {
        before += part.len() + 1;
        before > at
    });
    let Some(place) = place.filter(|place| place + 1 < parts.len()) else { return };
    let mut parts = parts;
    parts.swap(place, place + 1);
    *text = parts.join(&mark);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    /// `import` asserts that entries read are those accepted, known and rejected.
    #[test]
    fn harmed_statements_are_accounted_for(
        which in 0..FIXTURES.len(),
        harms in prop::collection::vec((any::<Index>(), any::<u8>(), 0usize..60, 0u8..7), 1..8),
    ) {
        let (file, feed) = FIXTURES[which];
        let mut text = std::fs::read(fixture(file)).unwrap();
        for (at, byte, length, kind) in harms {
            let start = at.index(text.len());
            let end = (start + length).min(text.len());
            match kind {
                0 => text[start] = byte,
                1 => drop(text.drain(start..end)),
                2 => {
                    let copy = text[start..end].to_vec();
                    text.splice(start..start, copy);
                }
                3 => text.insert(start, b"<>&;:,^{}[]\"\n/"[usize::from(byte) % 14]),
                4 => swap(&mut text, start, b'\n'),
                5 => swap(&mut text, start, b",:<|/'"[usize::from(byte) % 6]),
                _ => text.truncate(start.max(1)),
            }
            if text.is_empty() {
                text.push(b' ');
            }
        }
        let named = Options { feed: Some(feed.to_owned()), ..options() };
        let _ = bytes("in-2024.txt", &text, &named);
        let _ = bytes("in-2024.txt", &text, &options());
    }
}

/// Files made to be slow or large: the work and the memory grow with the file, not with its square.
#[test]
fn what_repeats_very_often_is_read_in_time() {
    let many = |head: &str, part: &str, tail: &str| format!("{head}{}{tail}", part.repeat(200_000));
    let camt = "<Document xmlns='camt.053.001.08'><BkToCstmrStmt><Stmt>";
    let pain = "<Document xmlns='pain.001.001.09'><CstmrCdtTrfInitn><PmtInf>";
    for (feed, text) in [
        ("camt", many(&format!("{camt}<Ntry>"), "<X/>", "")),
        ("camt", many(&format!("{camt}<Ntry>"), "<NtryDtls><TxDtls/></NtryDtls>", "</Ntry></Stmt>")),
        ("camt", many(&format!("{camt}<Acct><Id><IBAN>{}</IBAN></Id></Acct>", "1".repeat(1 << 20)), "<Ntry/>", "")),
        ("camt", many(&format!("{camt}<Ntry "), "a='1' ", "></Ntry>")),
        ("pain.001", many(&many(pain, "<Dbtr/>", ""), "<CdtTrfTxInf/>", "")),
        ("ofx", many("<OFX><STMTTRN><NAME>", "&", "")),
        ("ofx", many("<OFX>", "<a", "")),
        ("ofx", many("<OFX>", "<STMTTRN>", "")),
        ("qif-day-first", many("!Type:Bank\n", "D01/02/2024\n", "")),
        ("mt940", many(":20:1\n:25:1\n", ":61:\n", "")),
        ("mt940", many(":20:1\n:25:1\n:61:2401020102D1,NTRFX\n:86:", "/IBAN", "")),
        ("bai2", many("01,A,B,240101,0000,1,,,2/\n", "88,1,2,3\n", "")),
        ("bai2", many("01,A,B,240101,0000,1,,,2/\n03,A,USD", ",", "\n16,475,1/\n")),
        ("bai2", many("01,A,B,240101,0000,1,,,2/\n", "16,475,1,D,9999999999999999999\n", "")),
        ("iso8583-1993", many("", "1200FFFFFFFFFFFFFFFF\n", "")),
        ("iso8583-1993", many("\u{0}\u{1}", "\u{0}\u{c}12007", "")),
    ] {
        let named = Options { feed: Some(feed.to_owned()), ..options() };
        let (import, _) = bytes("in-2024.txt", &text, &named).unwrap();
        assert_eq!(import.files[0].accepted, 0, "{feed}: {}", &text[..60]);
    }
}
