//! From a message's elements to a transaction of the card's account.

use std::borrow::Cow;

use crible_core::{Amount, Currency};
use encoding_rs::WINDOWS_1252;

use super::message::Message;
use super::spec::{self, Spec};
use super::year::Anchor;
use super::{Column, Entry, Version};

/// Why a message is no transaction: the column, what stands there, and what was expected.
type Fault = (Option<Column>, String, String);

fn fault(column: impl Into<Option<Column>>, value: &str, reason: &str) -> Fault {
    (column.into(), value.to_owned(), reason.to_owned())
}

pub(super) fn entry(message: &Message<'_>, version: Version, anchor: Option<Anchor>, line: u64) -> Entry {
    let mut entry = Entry::new(line);
    let reader = Reader { message, version };
    if let Err((column, value, reason)) = reader.fill(&mut entry, anchor) {
        entry.reject(column, &value, reason);
    }
    entry
}

struct Reader<'m, 'b> {
    message: &'m Message<'b>,
    version: Version,
}

impl Reader<'_, '_> {
    /// An element's text, blanks around it taken off.
    fn text(&self, number: usize) -> String {
        self.padded(number).trim().to_owned()
    }

    /// The same with its blanks.
    fn padded(&self, number: usize) -> Cow<'_, str> {
        let bytes = self.message.get(number).unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        }
    }

    fn fill(&self, entry: &mut Entry, anchor: Option<Anchor>) -> Result<(), Fault> {
        let reversal = self.class()?;
        entry.set(Column::Account, self.account()?);
        let (currency, minor) = self.amount(reversal)?;
        let outflow = self.outflow()? != reversal;
        let amount = Amount::new(minor, currency).to_string();
        entry.set(Column::Amount, if outflow { format!("-{amount}") } else { amount });
        entry.set(Column::Currency, currency.as_str());
        entry.set(Column::Time, self.time(anchor)?);
        entry.set(Column::ValueDate, self.text(15));
        self.references(entry, reversal);
        self.merchant(entry);
        entry.set(Column::Channel, self.channel());
        if self.version == Version::V1987
            && let Some(fee) = self.text(28).strip_prefix('D').and_then(|digits| digits.parse().ok())
        {
            entry.set(Column::Fee, Amount::new(fee, currency).to_string());
        }
        Ok(())
    }

    /// Whether it takes an earlier message back. What is neither a request nor an advice of money that moves is none.
    fn class(&self) -> Result<bool, Fault> {
        let kind = self.message.kind;
        let shown: String = kind.iter().map(|&digit| char::from(digit)).collect();
        let reversal = match kind[1] {
            b'1' | b'2' => false,
            b'4' => true,
            _ => {
                let reason = "its class is no transaction; expected an authorisation (1), a financial message (2) or a \
                              reversal (4)";
                return Err(fault(None, &shown, reason));
            }
        };
        if !matches!(kind[2], b'0' | b'2' | b'4') {
            return Err(fault(None, &shown, "it is a response; expected a request, an advice or a notification"));
        }
        let response = self.text(39);
        let declined = !response.is_empty()
            && match self.version {
                Version::V1987 => !matches!(&*response, "00" | "08" | "10" | "11" | "16" | "85"),
                Version::V1993 => !response.starts_with('0'),
            };
        // A reversal says there why the original is taken back.
        if declined && !reversal {
            return Err(fault(None, &format!("{shown} {response}"), "it was declined; expected an approved one"));
        }
        if reversal && self.version == Version::V1993 && self.text(24) == "401" {
            let reason = "it reverses a part, and whether element 4 is that part or what is left, networks differ on; \
                          expected a reversal of the whole";
            return Err(fault(Column::Amount, "", reason));
        }
        Ok(reversal)
    }

    /// The card's number, whichever element has it. It is never shown.
    fn account(&self) -> Result<String, Fault> {
        // Track 2 has the number before a separator; track 1 behind a B and before a circumflex.
        let track2 = || self.text(35).split(['=', 'D']).next().unwrap_or("").to_owned();
        let track1 = || {
            let track = self.text(45);
            track
                .trim_start_matches('%')
                .strip_prefix('B')
                .and_then(|rest| rest.split('^').next())
                .unwrap_or("")
                .to_owned()
        };
        let number = Some(self.text(2)).filter(|number| !number.is_empty());
        let number = number.or_else(|| Some(self.text(34)).filter(|number| !number.is_empty()));
        let number = number.or_else(|| Some(track2()).filter(|number| !number.is_empty()));
        let number = number.or_else(|| Some(track1()).filter(|number| !number.is_empty()));
        let number = number.unwrap_or_else(|| self.text(102));
        if number.is_empty() {
            let reason = "expected a card's number in element 2, 34, 35 or 45, or an account in 102";
            return Err(fault(Column::Account, "", reason));
        }
        Ok(number)
    }

    /// Whether money leaves the card's account, by the first two digits of the processing code.
    fn outflow(&self) -> Result<bool, Fault> {
        let code = self.text(3);
        match code.get(..2).and_then(|code| code.parse::<u8>().ok()) {
            Some(0..=19 | 40..=59) => Ok(true),
            Some(20..=29) => Ok(false),
            Some(30..=39) => Err(fault(Column::Amount, &code, "it asks for a balance; expected money that moves")),
            _ => {
                let reason = "expected a processing code of 00 to 19 (debits), 20 to 29 (credits), 40 to 49 (transfers) \
                              or 50 to 59 (payments)";
                Err(fault(Column::Amount, &code, reason))
            }
        }
    }

    fn amount(&self, reversal: bool) -> Result<(Currency, i64), Fault> {
        let code = self.text(49);
        let letters = if code.bytes().all(|byte| byte.is_ascii_digit()) { spec::currency(&code) } else { Some(&*code) };
        let currency = letters.and_then(|letters| Currency::new(letters.as_bytes())).ok_or_else(|| {
            fault(Column::Currency, &code, "expected a currency of ISO 4217 in element 49, such as 840 or USD")
        })?;
        let digits = self.text(4);
        let minor: i64 = digits
            .parse()
            .map_err(|_| fault(Column::Amount, &digits, "expected twelve digits of minor units in element 4"))?;
        // What a partial reversal leaves of the original.
        let kept = self.text(95);
        if !reversal || self.version != Version::V1987 || kept.is_empty() {
            return Ok((currency, minor));
        }
        let left =
            kept.get(..12).and_then(|digits| digits.parse::<i64>().ok()).and_then(|kept| minor.checked_sub(kept));
        match left.filter(|left| (0..=minor).contains(left)) {
            Some(left) => Ok((currency, left)),
            None => {
                let reason = "expected twelve digits first in element 95, of no more than element 4";
                Err(fault(Column::Amount, kept.get(..12).unwrap_or(""), reason))
            }
        }
    }

    /// Element 7 is in UTC and has no year; elements 12 and 13 are of where the card was, in a zone that is not told,
    /// and have the year in the form of 1993.
    fn time(&self, anchor: Option<Anchor>) -> Result<String, Fault> {
        let (sent, local) = (self.text(7), self.text(12));
        let two = |text: &str, at: usize| text.get(at..at + 2).and_then(|digits| digits.parse::<u32>().ok());
        let clock = |text: &str, at: usize| {
            let (hour, minute, second) = (two(text, at)?, two(text, at + 2)?, two(text, at + 4)?);
            (hour < 24 && minute < 60 && second < 60).then(|| format!("{hour:02}:{minute:02}:{second:02}"))
        };
        let wrong = |value: &str, expected: &str| fault(Column::Time, value, expected);
        let (anchor, day, rest) = if self.version == Version::V1987 {
            let day = self.text(13);
            (
                anchor,
                anchor.zip(two(&day, 0)).zip(two(&day, 2)).and_then(|((of, month), day)| of.day(month, day)),
                &*local,
            )
        } else {
            let year = two(&local, 0).map(|year| if year < 69 { 2_000 + year } else { 1_900 + year }.cast_signed());
            let day = year.zip(two(&local, 2)).zip(two(&local, 4));
            let day = day.and_then(|((year, month), day)| chrono::NaiveDate::from_ymd_opt(year, month, day));
            (day.map(Anchor::Day).or(anchor), day, local.get(6..).unwrap_or(""))
        };
        if sent.is_empty() {
            let expected = match self.version {
                Version::V1987 => "expected element 7, MMDDhhmmss, or 12 and 13, hhmmss and MMDD",
                Version::V1993 => "expected element 7, MMDDhhmmss, or 12, YYMMDDhhmmss",
            };
            let both = format!("{} {}", self.text(13), local);
            return day
                .zip(clock(rest, 0))
                .map(|(day, clock)| format!("{day}T{clock}Z"))
                .ok_or_else(|| wrong(both.trim(), expected));
        }
        let Some(anchor) = anchor else {
            return Err(wrong(&local, "expected element 12, YYMMDDhhmmss, which tells the year"));
        };
        let day = two(&sent, 0).zip(two(&sent, 2)).and_then(|(month, day)| anchor.day(month, day));
        day.zip(clock(&sent, 4))
            .map(|(day, clock)| format!("{day}T{clock}Z"))
            .ok_or_else(|| wrong(&sent, "expected MMDDhhmmss in element 7, of the calendar"))
    }

    /// A message's own reference is its class, retrieval reference, trace number and acquirer; a reversal tells those
    /// of its original.
    fn references(&self, entry: &mut Entry, reversal: bool) {
        let (retrieval, acquirer) = (self.text(37), self.text(32));
        let id = |class: char, trace: &str| format!("{class}/{retrieval}/{trace}/{acquirer}");
        let trace = self.text(11);
        if !retrieval.is_empty() || !trace.is_empty() {
            entry.set(Column::Id, id(char::from(self.message.kind[1]), &trace));
        }
        if reversal {
            entry.set(Column::Reversal, "yes");
            // Type and trace number come first in both forms.
            let original = self.text(if self.version == Version::V1987 { 90 } else { 56 });
            if let (Some(class), Some(trace)) =
                (original.chars().nth(1).filter(|&class| class != '0'), original.get(4..10))
            {
                entry.set(Column::ReversalOf, id(class, trace));
            }
        }
        entry.set(Column::Reference, [self.text(41), self.text(38)].join("\u{1f}"));
    }

    fn merchant(&self, entry: &mut Entry) {
        let place = self.padded(43);
        let name = match self.version {
            // Name, town and country at fixed places: 25, 13 and 2 letters of the 40.
            Version::V1987 => place.chars().take(25).collect::<String>(),
            Version::V1993 => place.split('\\').next().unwrap_or("").to_owned(),
        };
        let named = |text: &String| text.bytes().any(|byte| byte != b'0' && byte != b' ');
        for party in [self.text(42), name, self.text(41)].iter().filter(|text| named(text)) {
            entry.fill(Column::Counterparty, party);
        }
        let category = match self.version {
            Version::V1987 => self.text(18),
            Version::V1993 => {
                [self.text(26), self.text(18)].into_iter().find(|code| !code.is_empty()).unwrap_or_default()
            }
        };
        entry.set(Column::Category, category);
        let last: String = place.chars().skip(38).collect();
        let written = self.version == Version::V1987 && last.len() == 2 && last.bytes().all(|b| b.is_ascii_uppercase());
        let acquirer = self.text(19);
        entry.set(Column::Country, if written { &last } else { spec::country(&acquirer).unwrap_or(&acquirer) });
        entry.set(Column::Description, place.trim());
    }

    /// How the card was read, in a word, or the code there is no word for.
    fn channel(&self) -> String {
        let spec = Spec::of(self.version);
        let point = self.text(22);
        let (entry, presence) = match self.version {
            Version::V1987 => (point.get(..2).unwrap_or("").to_owned(), self.text(25)),
            Version::V1993 => (point.get(6..7).unwrap_or("").to_owned(), point.get(4..5).unwrap_or("").to_owned()),
        };
        spec.presence.get(&presence).or_else(|| spec.entry.get(&entry)).unwrap_or(&entry).clone()
    }
}
