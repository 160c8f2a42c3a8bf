//! The types as texts: [`Display`](std::fmt::Display) writes what [`FromStr`] reads.

use std::convert::Infallible;
use std::str::FromStr;

use crate::{Code, Currency, EntityId, Position, Timestamp, TxnId};

/// A text that is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: expected {expected}")]
pub struct BadText {
    /// The text.
    pub text: String,
    /// What it should be.
    pub what: &'static str,
    /// What that looks like.
    pub expected: &'static str,
}

fn bad<T>(text: &str, what: &'static str, expected: &'static str) -> Result<T, BadText> {
    Err(BadText { text: text.chars().take(64).collect(), what, expected })
}

/// Hexadecimal digits, as many as there have to be.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { u128::from_str_radix(text, 16).ok() } else { None }
}

impl FromStr for TxnId {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        hex(text, 32)
            .map_or_else(|| bad(text, "transaction's reference", "32 hexadecimal digits"), |bits| Ok(Self(bits)))
    }
}

impl FromStr for EntityId {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let bits = hex(text, 16).and_then(|bits| Self::new(bits as u64));
        bits.map_or_else(|| bad(text, "pseudonym", "16 hexadecimal digits that are not all zero"), Ok)
    }
}

impl FromStr for Currency {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let currency = Self::new(text.as_bytes());
        currency.map_or_else(|| bad(text, "currency", "three letters, such as USD"), Ok)
    }
}

impl FromStr for Code {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl FromStr for Position {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let degrees = |text: &str| text.trim().parse::<f64>().ok();
        let position =
            text.split_once(',').and_then(|(north, east)| Self::from_degrees(degrees(north)?, degrees(east)?));
        position.map_or_else(|| bad(text, "position", "latitude and longitude in degrees, such as 48.8566,2.3522"), Ok)
    }
}

impl FromStr for Timestamp {
    type Err = BadText;

    /// Reads RFC 3339, up to microseconds: `2024-06-01T12:30:00Z`, `2024-06-01T12:30:00.250+02:00`.
    fn from_str(text: &str) -> Result<Self, BadText> {
        read_time(text).map_or_else(|| bad(text, "time", "RFC 3339, such as 2024-06-01T12:30:00Z"), Ok)
    }
}

fn read_time(text: &str) -> Option<Timestamp> {
    let number = |text: &str| -> Option<u32> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
    };
    let (sign, unsigned) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (date, time) = unsigned.split_once(['T', 't', ' '])?;
    let [year, month, day] = <[&str; 3]>::try_from(date.split('-').collect::<Vec<_>>()).ok()?;
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone_at);
    let (whole, fraction) = clock.split_once('.').map_or((clock, None), |(whole, fraction)| (whole, Some(fraction)));
    let [hour, minute, second] = <[&str; 3]>::try_from(whole.split(':').collect::<Vec<_>>()).ok()?;
    let lengths = [(year, 4), (month, 2), (day, 2), (hour, 2), (minute, 2), (second, 2)];
    if lengths.iter().any(|(field, length)| field.len() != *length) {
        return None;
    }
    let micro = match fraction {
        None => 0,
        Some(digits) if (1..=6).contains(&digits.len()) => number(digits)? * 10u32.pow(6 - digits.len() as u32),
        Some(_) => return None,
    };
    let year = sign * number(year)? as i32;
    let at = Timestamp::from_civil(
        year,
        number(month)?,
        number(day)?,
        number(hour)?,
        number(minute)?,
        number(second)?,
        micro,
    )?;
    let offset = match zone {
        "Z" | "z" => 0,
        zone => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let (hours, minutes) = (number(hours).filter(|h| *h < 24)?, number(minutes).filter(|m| *m < 60)?);
            let seconds = i64::from(hours * 3_600 + minutes * 60);
            if zone.starts_with('-') { -seconds } else { seconds }
        }
    };
    Some(Timestamp(at.0 - offset * Timestamp::SECOND))
}

#[cfg(feature = "serde")]
mod wire {
    //! Texts for people, numbers for machines.

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::*;
    use crate::Window;

    macro_rules! as_text {
        ($($type:ty as $number:ty: $to:expr, $from:expr;)*) => {$(
            impl Serialize for $type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    if serializer.is_human_readable() {
                        serializer.collect_str(self)
                    } else {
                        let to: fn(&$type) -> $number = $to;
                        to(self).serialize(serializer)
                    }
                }
            }

            impl<'de> Deserialize<'de> for $type {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    if deserializer.is_human_readable() {
                        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                        text.parse().map_err(D::Error::custom)
                    } else {
                        let from: fn($number) -> Option<$type> = $from;
                        let number = <$number>::deserialize(deserializer)?;
                        from(number).ok_or_else(|| D::Error::custom(concat!("no ", stringify!($type))))
                    }
                }
            }
        )*};
    }

    as_text! {
        TxnId as u128: |id| id.0, |bits| Some(TxnId(bits));
        EntityId as u64: |id| id.get(), EntityId::new;
        Timestamp as i64: |at| at.0, |at| Some(Timestamp(at));
        Currency as [u8; 3]: |currency| currency.code(), |code| Currency::new(&code);
        Code as String: |code| code.as_str().to_owned(), |word| Some(Code::new(&word));
        Position as (i32, i32): |p| (p.latitude_e7(), p.longitude_e7()), |(north, east)| Position::from_e7(north, east);
    }

    /// As names of columns and settings have it: `30d`.
    impl Serialize for Window {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            if serializer.is_human_readable() { self.tag().serialize(serializer) } else { self.0.serialize(serializer) }
        }
    }

    impl<'de> Deserialize<'de> for Window {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            if deserializer.is_human_readable() {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            } else {
                Ok(Self(i64::deserialize(deserializer)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn round_trip<T: FromStr + ToString + PartialEq + std::fmt::Debug>(value: T)
    where
        T::Err: std::fmt::Debug,
    {
        assert_eq!(value.to_string().parse::<T>().unwrap(), value);
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(
            id in any::<u128>(),
            entity in 1u64..,
            at in -62_000_000_000i64 * 1_000_000..250_000_000_000 * 1_000_000,
            (north, east) in (-900_000_000i32..=900_000_000, -1_800_000_000i32..=1_800_000_000),
            code in "[A-Z]{3}",
        ) {
            round_trip(TxnId(id));
            round_trip(EntityId::new(entity).unwrap());
            round_trip(Timestamp(at));
            round_trip(Position::from_e7(north, east).unwrap());
            round_trip(Currency::new(code.as_bytes()).unwrap());
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,40}") {
            let _ = (text.parse::<TxnId>(), text.parse::<EntityId>(), text.parse::<Timestamp>());
            let _ = (text.parse::<Position>(), text.parse::<Currency>(), text.parse::<Code>());
        }
    }

    #[test]
    fn times_have_zones_and_fractions() {
        let check = |text: &str, expect: &str| assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), expect);
        check("2024-06-01T12:30:00Z", "2024-06-01T12:30:00Z");
        check("2024-06-01t12:30:00.25+02:00", "2024-06-01T10:30:00.250000Z");
        check("2024-06-01 00:10:00-00:30", "2024-06-01T00:40:00Z");
        for no in [
            "",
            "2024-06-01",
            "2024-06-01T12:30:00",
            "2024-02-30T00:00:00Z",
            "2024-06-01T12:30:00.1234567Z",
            "24-06-01T12:30:00Z",
            "2024-06-01T12:30:00+2:0é",
        ] {
            let error = no.parse::<Timestamp>().unwrap_err();
            assert!(error.to_string().contains("RFC 3339"), "{error}");
        }
        assert_eq!("0".repeat(16).parse::<EntityId>().unwrap_err().what, "pseudonym");
        assert!("+0000000000000000000000000000001".parse::<TxnId>().is_err());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_transaction_goes_over_the_wire_and_back() {
        let full = crate::Transaction::new(
            TxnId(7),
            Timestamp::from_seconds(1_700_000_000),
            EntityId::new(9).unwrap(),
            crate::Amount::new(-1_250, Currency::EUR),
        )
        .at_counterparty(EntityId::new(5).unwrap())
        .with_balance_before(3)
        .at_position(Position::from_degrees(48.5, -2.25).unwrap())
        .on_device(EntityId::new(6).unwrap())
        .from_address(EntityId::new(8).unwrap())
        .in_category(Code::new("food"))
        .by_channel(Code::new("chip"))
        .in_country(Code::new("DE"));
        let bare = crate::Transaction::new(full.id, full.at, full.account, full.amount);
        for txn in [full, bare] {
            let json = serde_json::to_string(&txn).unwrap();
            assert_eq!(serde_json::from_str::<crate::Transaction>(&json).unwrap(), txn, "{json}");
            let bytes = postcard::to_allocvec(&txn).unwrap();
            assert_eq!(postcard::from_bytes::<crate::Transaction>(&bytes).unwrap(), txn);
        }
        let json = serde_json::to_string(&full).unwrap();
        assert!(json.contains(r#""at":"2023-11-14T22:13:20Z""#) && json.contains(r#""currency":"EUR""#), "{json}");
        let short = r#"{"id":"00000000000000000000000000000007","at":"2023-11-14T22:13:20Z","account":"0000000000000009","amount":{"minor":-1250,"currency":"EUR"}}"#;
        assert_eq!(serde_json::from_str::<crate::Transaction>(short).unwrap(), bare);
        assert!(serde_json::from_str::<crate::Transaction>(&short.replace("0009", "0000")).is_err());
        assert!(serde_json::from_str::<crate::Transaction>(&short.replace("account", "acount")).is_err());
    }
}
