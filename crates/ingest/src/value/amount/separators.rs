//! What stands before decimals, and what between thousands: made out from many amounts together.

use crible_core::{Amount, AmountError, Currency};

use super::{ending, plain};

/// What an amount's separators tell, and the plain number that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Separated {
    /// It has none, or none that matters.
    Plain(String),
    /// A point stands before its decimals.
    Point(String),
    /// A comma does.
    Comma(String),
    /// Either could: `84.125` is 84.125 or 84125.
    Open { point: String, comma: String },
    /// It is no amount.
    None,
}

/// Looks at one amount alone.
pub(crate) fn separated(text: &str) -> Separated {
    let as_written = |point: u8| {
        let (digits, _) = plain(ending(text.as_bytes()).0, point)?;
        Amount::parse_bytes(&digits, Currency::NONE)
            .err()
            .is_none_or(|error| matches!(error, AmountError::TooPrecise { .. }))
            .then(|| String::from_utf8_lossy(&digits).into_owned())
    };
    match (as_written(b'.'), as_written(b',')) {
        (Some(point), Some(comma)) if point == comma => Separated::Plain(point),
        (Some(point), Some(comma)) => Separated::Open { point, comma },
        (Some(point), None) => Separated::Point(point),
        (None, Some(comma)) => Separated::Comma(comma),
        (None, None) => Separated::None,
    }
}

/// What the separators of many amounts tell together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Separators {
    /// Amounts that only read with a point before the decimals, and only with a comma.
    point: u64,
    comma: u64,
    /// An amount that reads either way, and both readings.
    open: Option<(String, String, String)>,
    /// Amounts that read either way whose separator is a point, and a comma.
    open_point: u64,
    open_comma: u64,
    /// Digits before the separators of those, and digits of whole numbers without separators, in all.
    open_digits: u64,
    whole: u64,
    whole_digits: u64,
    /// Whole numbers of four digits and more without a separator: thousands are not parted.
    unparted: u64,
}

/// Whole numbers that there have to be for their size to tell anything.
const NEIGHBOURS: u64 = 3;

/// What was made out of separators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decided {
    /// This stands before the decimals.
    Point(u8),
    /// No amount has a separator that matters.
    Neither,
    /// Nothing tells; an amount and its readings with a point and with a comma before the decimals.
    Open { value: String, point: String, comma: String },
}

impl Separators {
    pub(crate) fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut all = Self::default();
        texts.for_each(|text| all.add(text));
        all
    }

    pub(crate) fn add(&mut self, text: &str) {
        match separated(text) {
            Separated::Point(_) => self.point += 1,
            Separated::Comma(_) => self.comma += 1,
            Separated::Open { point, comma } => {
                let decimals = point.contains('.');
                *(if decimals { &mut self.open_point } else { &mut self.open_comma }) += 1;
                let decimal = if decimals { &point } else { &comma };
                self.open_digits +=
                    decimal.bytes().take_while(|&byte| byte != b'.').filter(u8::is_ascii_digit).count() as u64;
                self.open.get_or_insert_with(|| (text.trim().to_owned(), point, comma));
            }
            Separated::Plain(text) => {
                let digits = text.bytes().filter(u8::is_ascii_digit).count() as u64;
                if !text.contains('.') && text.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
                    self.whole += 1;
                    self.whole_digits += digits;
                    self.unparted += u64::from(digits > 3);
                }
            }
            Separated::None => {}
        }
    }

    /// Whether amounts tell what stands before decimals: more of them one thing than the other.
    pub(crate) fn point(&self) -> Option<u8> {
        match self.point.cmp(&self.comma) {
            std::cmp::Ordering::Greater => Some(b'.'),
            std::cmp::Ordering::Less => Some(b','),
            std::cmp::Ordering::Equal => None,
        }
    }

    /// What stands before the decimals: by amounts that read one way alone, else by the digits that the currency has,
    /// by thousands that are written without a separator, and by the size of whole numbers beside.
    pub(crate) fn decide(&self, currency: Option<Currency>) -> Decided {
        if let Some(point) = self.point() {
            return Decided::Point(point);
        }
        let Some((value, point, comma)) = &self.open else { return Decided::Neither };
        let open = || Decided::Open { value: value.clone(), point: point.clone(), comma: comma.clone() };
        if (self.open_point > 0) == (self.open_comma > 0) || (self.point > 0 && self.comma > 0) {
            return open();
        }
        let (before_decimals, other) = if self.open_point > 0 { (b'.', b',') } else { (b',', b'.') };
        let exponent = currency.filter(|&currency| currency != Currency::NONE).map(Currency::exponent);
        if exponent == Some(3) || self.unparted > 0 {
            return Decided::Point(before_decimals);
        }
        if exponent == Some(0) {
            return Decided::Point(other);
        }
        if self.whole >= NEIGHBOURS {
            // Digits of the mean, times both counts: whole numbers, and so no rounding.
            let opens = self.open_point + self.open_comma;
            let whole = self.whole_digits * opens;
            let far = |digits: u64| whole.abs_diff(digits * self.whole);
            let (decimals, thousands) = (far(self.open_digits), far(self.open_digits + 3 * opens));
            let clear = opens * self.whole;
            if decimals + clear <= thousands {
                return Decided::Point(before_decimals);
            }
            if thousands + clear <= decimals {
                return Decided::Point(other);
            }
        }
        open()
    }

    /// Takes what other sums tell of what stands before decimals.
    pub(crate) fn weigh(&mut self, others: &Self) {
        self.point += others.point;
        self.comma += others.comma;
    }

    /// Whether there is an amount that reads either way, and none that tells.
    pub(crate) fn is_open(&self) -> bool {
        self.point().is_none() && self.open.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_decided_over_the_whole_column() {
        let usd = Some(Currency::USD);
        let check = |texts: &[&str], currency, expect: Decided| {
            assert_eq!(Separators::of(texts.iter().copied()).decide(currency), expect, "{texts:?}");
        };
        let (point, comma) = (Decided::Point(b'.'), Decided::Point(b','));
        check(&["84.9049", "588.047"], usd, point.clone());
        check(&["1.234", "-4,50"], usd, comma.clone());
        check(&["1,234", "1,234.50"], usd, point.clone());
        check(&["1.234", "1.234.567"], usd, comma.clone());
        check(&["0.125"], usd, point.clone());
        check(&["1234.125"], usd, point.clone());
        check(&["12", "950"], usd, Decided::Neither);
        let open = |value: &str, point: &str, comma: &str| Decided::Open {
            value: value.to_owned(),
            point: point.to_owned(),
            comma: comma.to_owned(),
        };
        check(&["84.125", "588.045"], usd, open("84.125", "84.125", "84125"));
        check(&["84,125"], None, open("84,125", "84125", "84.125"));
        // Digits of the currency.
        check(&["84.125", "588.045"], Currency::new(b"KWD"), point.clone());
        check(&["84.125", "588.045"], Currency::new(b"JPY"), comma.clone());
        // Thousands that nothing parts, and the size of the others.
        check(&["84.125", "588.045", "1250"], usd, point.clone());
        check(&["84.125", "588.045", "12", "95", "120"], usd, point);
        check(&["1.234", "5.600", "950", "120", "800"], usd, comma);
        check(&["1.234", "7"], usd, open("1.234", "1.234", "1234"));
    }
}
