mod iso4217;

use std::fmt;

/// An ISO 4217 currency, by its alphabetic code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollar.
    pub const USD: Self = Self(*b"USD");
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");
    /// ISO 4217's code for "no currency": for feeds that name none.
    pub const NONE: Self = Self(*b"XXX");

    /// From three ASCII letters in either case; `None` for anything else. Whether ISO 4217 has the code,
    /// [`Currency::is_assigned`] distinguishes them.
    pub const fn new(code: &[u8]) -> Option<Self> {
        if code.len() != 3 {
            return None;
        }
        let mut upper = [0; 3];
        let mut i = 0;
        while i < 3 {
            if !code[i].is_ascii_alphabetic() {
                return None;
            }
            upper[i] = code[i].to_ascii_uppercase();
            i += 1;
        }
        Some(Self(upper))
    }

    /// Whether ISO 4217 has the code, or had it since the euro came. Of any other the minor unit is not known.
    pub fn is_assigned(self) -> bool {
        iso4217::has(self.0)
    }

    /// Decimal digits of the minor unit, after ISO 4217 list one: 0 for the yen, 3 for the Kuwaiti dinar, 2 for most.
    pub const fn exponent(self) -> u32 {
        match &self.0 {
            b"ADP" | b"BEF" | b"BYB" | b"BYR" | b"ESP" | b"GRD" | b"ITL" | b"LUF" | b"MGF" | b"PTE" | b"TPE"
            | b"TRL" => 0,
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }

    /// The code's three letters as a number, in their order.
    #[inline]
    pub const fn bits(self) -> u32 {
        let [a, b, c] = self.0;
        (a as u32) << 16 | (b as u32) << 8 | c as u32
    }

    /// The currency of [`Currency::bits`]; `None` where there is none.
    pub const fn from_bits(bits: u32) -> Option<Self> {
        let [zero, a, b, c] = bits.to_be_bytes();
        if zero != 0 { None } else { Self::new(&[a, b, c]) }
    }

    #[cfg(feature = "serde")]
    pub(crate) const fn code(self) -> [u8; 3] {
        self.0
    }

    /// The alphabetic code.
    pub fn as_str(&self) -> &str {
        // Only ASCII letters get in, so the bytes are UTF-8 and the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Exact money: a whole number of the currency's minor units. An outflow is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Amount {
    /// Minor units (cents for the dollar, whole yen for the yen).
    pub minor: i64,
    /// The currency they are units of.
    pub currency: Currency,
}

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// Not a plain decimal number.
    #[error("`{0}` is not an amount: expected digits with at most one decimal point, such as -1234.50")]
    NotANumber(String),
    /// More digits behind the point than the currency has.
    #[error("`{value}` has more than the {digits} decimal digits of {currency}")]
    TooPrecise {
        /// The text.
        value: String,
        /// The digits the currency has.
        digits: u32,
        /// The currency.
        currency: Currency,
    },
    /// More than fits 64 bits of minor units.
    #[error("`{0}` does not fit 64-bit minor units")]
    TooLarge(String),
}

impl Amount {
    /// An amount of minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads a plain decimal number exactly: optional sign, digits, optionally a point and digits. Digits past the
    /// currency's exponent are accepted only where they are zero, since rounding would invent money, or where they are
    /// the trace of a binary floating-point number (`85.64999999999999`: six or more nines or zeros behind the
    /// exponent's digits), which stands for the decimal next to it.
    ///
    /// # Errors
    /// [`AmountError`] names the text and what was expected.
    ///
    /// ```
    /// use crible_core::{Amount, Currency};
    /// assert_eq!(Amount::parse("1234.5", Currency::USD)?.minor, 123_450);
    /// assert!(Amount::parse("0.005", Currency::USD).is_err());
    /// # Ok::<(), crible_core::AmountError>(())
    /// ```
    pub fn parse(text: &str, currency: Currency) -> Result<Self, AmountError> {
        Self::parse_bytes(text.as_bytes(), currency)
    }

    /// The same from bytes; what is no UTF-8 is no number either.
    ///
    /// # Errors
    /// As [`Amount::parse`].
    pub fn parse_bytes(text: &[u8], currency: Currency) -> Result<Self, AmountError> {
        let shown = || String::from_utf8_lossy(text).into_owned();
        match parse_minor(text, currency.exponent()) {
            Ok(minor) => Ok(Self { minor, currency }),
            Err(Fault::NotANumber) => Err(AmountError::NotANumber(shown())),
            Err(Fault::TooLarge) => Err(AmountError::TooLarge(shown())),
            Err(Fault::TooPrecise) => {
                Err(AmountError::TooPrecise { value: shown(), digits: currency.exponent(), currency })
            }
        }
    }

    /// The amount in major units, for features and display; exact up to 2⁵³ minor units.
    pub fn major(self) -> f64 {
        self.minor as f64 / POWERS[self.currency.exponent() as usize] as f64
    }
}

const POWERS: [u32; 5] = [1, 10, 100, 1_000, 10_000];

enum Fault {
    NotANumber,
    TooPrecise,
    TooLarge,
}

/// One pass over the bytes, no allocation: this runs once for every row of every feed.
fn parse_minor(text: &[u8], exponent: u32) -> Result<i64, Fault> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut minor: i64 = 0;
    let mut seen = 0usize;
    let mut point = None;
    for (at, &byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => seen += 1,
            b'.' if point.is_none() => {
                point = Some(at);
                continue;
            }
            _ => return Err(Fault::NotANumber),
        }
        if point.is_none_or(|point| at - point <= exponent as usize) {
            minor = minor.checked_mul(10).and_then(|m| m.checked_add(i64::from(byte - b'0'))).ok_or(Fault::TooLarge)?;
        }
    }
    if seen == 0 {
        return Err(Fault::NotANumber);
    }
    let decimals = point.map_or(&[][..], |point| &digits[point + 1..]);
    for _ in decimals.len()..exponent as usize {
        minor = minor.checked_mul(10).ok_or(Fault::TooLarge)?;
    }
    if let Some(excess) = decimals.get(exponent as usize..)
        && excess.iter().any(|&d| d != b'0')
    {
        match excess.get(..6) {
            Some(b"000000") => {}
            Some(b"999999") => minor = minor.checked_add(1).ok_or(Fault::TooLarge)?,
            _ => return Err(Fault::TooPrecise),
        }
    }
    Ok(if negative { -minor } else { minor })
}

impl fmt::Display for Amount {
    /// The number alone, with the currency's decimals and without separators: `-1234.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.currency.exponent() as usize;
        let unit = u64::from(POWERS[exponent]);
        let magnitude = self.minor.unsigned_abs();
        if self.minor < 0 {
            f.write_str("-")?;
        }
        write!(f, "{}", magnitude / unit)?;
        if exponent > 0 {
            write!(f, ".{:0exponent$}", magnitude % unit)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_exactly_or_says_why_not() {
        let usd = |text: &str| Amount::parse(text, Currency::USD).map(|a| a.minor);
        assert_eq!(usd("57.16"), Ok(5_716));
        assert_eq!(usd("146.0"), Ok(14_600));
        assert_eq!(usd("-0.01"), Ok(-1));
        assert_eq!(usd("+3"), Ok(300));
        assert_eq!(usd(".5"), Ok(50));
        assert_eq!(usd("1.500"), Ok(150));
        assert_eq!(usd("85.64999999999999"), Ok(8_565));
        assert_eq!(usd("-0.30000000000000004"), Ok(-30));
        assert_eq!(usd("9.99999999999"), Ok(1_000));
        assert!(matches!(usd("1.00999"), Err(AmountError::TooPrecise { .. })));
        for bad in ["", "-", ".", "1.2.3", "1,000", "12e3", "abc", "1 2", "NaN", "--1"] {
            assert_eq!(usd(bad), Err(AmountError::NotANumber(bad.to_owned())), "{bad:?}");
        }
        assert!(matches!(usd("1.501"), Err(AmountError::TooPrecise { .. })));
        assert!(matches!(usd("99999999999999999999"), Err(AmountError::TooLarge(_))));
    }

    #[test]
    fn exponents_follow_iso_4217() {
        let jpy = Currency::new(b"jpy").unwrap();
        let kwd = Currency::new(b"KWD").unwrap();
        assert_eq!(Amount::parse("1500", jpy).unwrap().minor, 1_500);
        assert_eq!(Amount::parse("1.234", kwd).unwrap().minor, 1_234);
        assert_eq!(Amount::new(-5, kwd).to_string(), "-0.005");
        assert_eq!(Currency::new(b"U5D"), None);
        assert_eq!(Currency::new(b"US"), None);
    }

    proptest! {
        #[test]
        fn text_round_trips(minor in -(1i64 << 62)..(1i64 << 62)) {
            for code in [b"USD", b"JPY", b"KWD"] {
                let amount = Amount::new(minor, Currency::new(code).unwrap());
                prop_assert_eq!(Amount::parse(&amount.to_string(), amount.currency), Ok(amount));
            }
        }
    }
}
