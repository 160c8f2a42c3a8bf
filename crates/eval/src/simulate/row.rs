use std::fmt;

use crible_core::{Currency, Position, Timestamp};

use super::Scenario;
use super::dice::mix;

/// Names of the columns [`Simulated::write_csv_line`] writes, of a population without devices.
pub const CSV_HEADER: &str =
    "id,time,account,counterparty,amount,currency,category,channel,country,latitude,longitude,balance,fraud";

/// The same of a population that has devices.
pub const CSV_HEADER_WITH_DEVICE: &str =
    "id,time,account,counterparty,amount,currency,category,channel,country,latitude,longitude,device,balance,fraud";

/// Who stands on the other side, shown as a letter and a number: `M00042`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Party {
    kind: u8,
    number: u32,
}

impl Party {
    /// Of an ASCII letter and a number.
    pub(super) const fn new(kind: char, number: u32) -> Self {
        Self { kind: kind as u8, number }
    }

    /// The number of a merchant; `None` for anybody else.
    pub(super) const fn merchant(self) -> Option<u32> {
        if self.kind == b'M' { Some(self.number) } else { None }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:05}", self.kind as char, self.number)
    }
}

/// What a payment was made with: a telephone, a tablet, a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Device(pub(super) u32);

impl fmt::Display for Device {
    /// A text that says nothing of whose it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "D{:012x}", mix(self.0.into()) >> 16)
    }
}

/// An invented transaction, with its label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Simulated {
    /// Place in the whole run, from 1.
    pub id: u64,
    /// When, to the second.
    pub at: Timestamp,
    /// Number of the account; [`Simulated::account_name`] is what a bank would call it.
    pub account: u32,
    /// The other side: a merchant (`M`), employer (`E`), landlord (`L`), utility (`U`), payee (`P`), car dealer (`D`),
    /// notary (`N`) or the account's own savings (`S`).
    pub counterparty: Party,
    /// Signed cents; an outflow is negative. The currency is [`Simulated::CURRENCY`].
    pub amount_minor: i64,
    /// Kind of merchant or of transfer.
    pub category: &'static str,
    /// How it was made.
    pub channel: &'static str,
    /// Country of the other side, ISO 3166 alpha-2.
    pub country: &'static str,
    /// Where it happened; `None` online and for transfers.
    pub position: Option<Position>,
    /// What it was made with, where the population has devices; `Some(None)` of what needs none.
    pub device: Option<Option<Device>>,
    /// The account's balance after it, in cents.
    pub balance_after: i64,
    /// Which fraud it belongs to; `None` for the rest.
    pub fraud: Option<Scenario>,
}

impl Simulated {
    /// The currency of all amounts.
    pub const CURRENCY: Currency = Currency::USD;

    /// The account's identifier as a bank would write it: `A000123`.
    pub fn account_name(&self) -> String {
        format!("A{:06}", self.account)
    }

    /// Appends the row as a line of CSV under [`CSV_HEADER`], or [`CSV_HEADER_WITH_DEVICE`], with its line feed.
    /// Nothing in it needs quotes.
    pub fn write_csv_line(&self, out: &mut Vec<u8>) {
        out.push(b'T');
        digits(out, self.id, 9);
        out.push(b',');
        time(out, self.at);
        out.extend_from_slice(b",A");
        digits(out, self.account.into(), 6);
        out.extend_from_slice(&[b',', self.counterparty.kind]);
        digits(out, self.counterparty.number.into(), 5);
        out.push(b',');
        cents(out, self.amount_minor);
        for word in [Self::CURRENCY.as_str(), self.category, self.channel, self.country] {
            out.push(b',');
            out.extend_from_slice(word.as_bytes());
        }
        match self.position {
            Some(position) => {
                out.push(b',');
                degrees(out, position.latitude_e7());
                out.push(b',');
                degrees(out, position.longitude_e7());
            }
            None => out.extend_from_slice(b",,"),
        }
        if let Some(device) = self.device {
            out.push(b',');
            out.extend_from_slice(device.map(|device| device.to_string()).unwrap_or_default().as_bytes());
        }
        out.push(b',');
        cents(out, self.balance_after);
        out.extend_from_slice(if self.fraud.is_some() { b",1\n" } else { b",0\n" });
    }
}

/// A number with at least `width` digits. The standard formatter would take most of the time of a run.
fn digits(out: &mut Vec<u8>, mut number: u64, width: usize) {
    let mut text = [b'0'; 20];
    let mut at = text.len();
    while number > 0 {
        at -= 1;
        text[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&text[at.min(text.len() - width)..]);
}

fn cents(out: &mut Vec<u8>, minor: i64) {
    if minor < 0 {
        out.push(b'-');
    }
    digits(out, minor.unsigned_abs() / 100, 1);
    out.push(b'.');
    digits(out, minor.unsigned_abs() % 100, 2);
}

/// Four decimals: positions lie on that grid.
fn degrees(out: &mut Vec<u8>, e7: i32) {
    if e7 < 0 {
        out.push(b'-');
    }
    let e4 = u64::from(e7.unsigned_abs()) / 1_000;
    digits(out, e4 / 10_000, 1);
    out.push(b'.');
    digits(out, e4 % 10_000, 4);
}

fn time(out: &mut Vec<u8>, at: Timestamp) {
    let (year, month, day) = at.civil_date();
    let seconds = (at.micros_of_day() / Timestamp::SECOND) as u64;
    // The builder allows the years 1 to 9999 alone.
    digits(out, year.unsigned_abs(), 4);
    for (mark, number) in [
        (b'-', u64::from(month)),
        (b'-', u64::from(day)),
        (b'T', seconds / 3_600),
        (b':', seconds / 60 % 60),
        (b':', seconds % 60),
    ] {
        out.push(mark);
        digits(out, number, 2);
    }
    out.push(b'Z');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_line_has_exactly_these_columns() {
        let mut row = Simulated {
            id: 42,
            at: Timestamp::from_civil(2025, 3, 1, 4, 5, 6, 0).unwrap(),
            account: 123,
            counterparty: Party::new('M', 42),
            amount_minor: -41_205,
            category: "grocery",
            channel: "chip",
            country: "US",
            position: Position::from_degrees(-0.0123, -104.5),
            device: None,
            balance_after: -7,
            fraud: None,
        };
        let line = |row: &Simulated| {
            let mut out = Vec::new();
            row.write_csv_line(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            line(&row),
            "T000000042,2025-03-01T04:05:06Z,A000123,M00042,-412.05,USD,grocery,chip,US,-0.0123,-104.5000,-0.07,0\n"
        );
        row.position = None;
        row.fraud = Some(Scenario::CardTesting);
        row.amount_minor = 5;
        row.account = 12_345_678;
        assert_eq!(line(&row), "T000000042,2025-03-01T04:05:06Z,A12345678,M00042,0.05,USD,grocery,chip,US,,,-0.07,1\n");
        row.device = Some(None);
        assert!(line(&row).contains(",,,,-0.07,1"));
        row.device = Some(Some(Device(7)));
        assert!(line(&row).contains(&format!(",,,{},-0.07,1", Device(7))));
        assert_eq!(line(&row).matches(',').count(), CSV_HEADER_WITH_DEVICE.matches(',').count());
        row.device = None;
        assert_eq!(row.at.to_string(), "2025-03-01T04:05:06Z");
        assert_eq!((row.account_name(), row.counterparty.to_string()), ("A12345678".into(), "M00042".into()));
        assert_eq!(line(&row).matches(',').count(), CSV_HEADER.matches(',').count());
    }
}
