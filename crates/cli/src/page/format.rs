//! Numbers and dates as people write them.

use crible_core::{Amount, Timestamp};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `14 September 2025`.
pub(super) fn date(at: Timestamp) -> String {
    let (year, month, day) = at.civil_date();
    format!("{day} {} {year}", MONTHS[month as usize - 1])
}

/// `−1,149.98 USD`.
pub(super) fn money(amount: Amount) -> String {
    let sign = if amount.minor < 0 { "−" } else { "+" };
    format!("{sign}{} {}", digits(amount), amount.currency)
}

/// `1,149.98`.
pub(super) fn digits(amount: Amount) -> String {
    let digits = amount.to_string();
    let digits = digits.trim_start_matches('-');
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    format!("{whole}{rest}")
}

pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The sum of amounts of one currency.
pub(super) fn total(amounts: &[Amount]) -> Option<Amount> {
    let (first, rest) = amounts.split_first()?;
    rest.iter().try_fold(*first, |sum, amount| {
        let minor = sum.minor.checked_add(amount.minor)?;
        (sum.currency == amount.currency).then_some(Amount::new(minor, sum.currency))
    })
}

/// A reason as a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use crible_core::Currency;

    use super::*;

    #[test]
    fn numbers_and_dates_are_as_people_write_them() {
        assert_eq!(money(Amount::new(-114_998, Currency::USD)), "−1,149.98 USD");
        assert_eq!(money(Amount::new(i64::MIN + 1, Currency::EUR)), "−92,233,720,368,547,758.07 EUR");
        assert_eq!(money(Amount::new(5, Currency::new(b"JPY").unwrap_or(Currency::EUR))), "+5 JPY");
        assert_eq!(date(Timestamp::from_seconds(1_757_808_000)), "14 September 2025");
        assert_eq!(sentence("paid nobody before"), "Paid nobody before.");
        let sum =
            |amounts: &[(i64, Currency)]| total(&amounts.iter().map(|&(m, c)| Amount::new(m, c)).collect::<Vec<_>>());
        assert_eq!(sum(&[(-5, Currency::USD), (2, Currency::USD)]), Some(Amount::new(-3, Currency::USD)));
        assert_eq!(sum(&[(-5, Currency::USD), (2, Currency::EUR)]), None);
        assert_eq!(sum(&[(i64::MAX, Currency::USD), (2, Currency::USD)]), None);
    }
}
