//! # Benford's law
//!
//! In amounts that arise by multiplication and span several orders of magnitude, the first digit d has the
//! probability log10(1 + 1 / d): 30 % begin with a 1, under 5 % with a 9. Amounts that people make up, cap or split to
//! stay below a limit do not follow it. [`Benford`] compares a **group** of amounts (an account's, a clerk's, a
//! shop's) with the law, by their first digit or by the first two.
//!
//! What it can do, and what not:
//! * It describes a group, from some hundreds of amounts on, and next to nothing of a single row: so it is no
//!   [`Detector`](crate::Detector). [`Benford::surprise`] is by how much the digits of one amount are too frequent in
//!   its group: where to look, once a group stands out.
//! * Amounts that never followed the law (prices with 9s, fixed fees, limits, wages, a single order of magnitude)
//!   deviate without fraud. Compare like groups with each other, rather than each with the law.
//! * Chi-square tests whether the law holds exactly, which with many amounts it never does:
//!   [`Benford::chi_square_p`] nears 0 for any large group. [`Benford::mean_absolute_deviation`] does not grow with the
//!   number of amounts and has Nigrini's limits ([`Conformity`]); in small groups it is large by chance, about
//!   0.08 / √(n / 10) for one digit.
//!
//! ```
//! use crible_score::benford::{Benford, Conformity, Digits};
//!
//! // Powers follow the law; amounts just below 5,000 do not.
//! let powers: Vec<f64> = (0..500).map(|i| 1.07_f64.powi(i)).collect();
//! let group = Benford::of(&powers, Digits::First)?;
//! assert_eq!(group.conformity(), Conformity::Close);
//! let split: Vec<f64> = (0..500).map(|i| 4_500.0 + f64::from(i % 50) * 9.7).collect();
//! let group = Benford::of(&split, Digits::First)?;
//! assert_eq!(group.conformity(), Conformity::None);
//! assert!(group.chi_square_p() < 1e-12);
//! # Ok::<(), crible_score::Error>(())
//! ```
//!
//! Cost: O(1) for each amount.
//!
//! References: F. Benford, *The law of anomalous numbers*, Proc. American Philosophical Society 78(4), 1938.
//! M. J. Nigrini, *Benford's Law*, Wiley, 2012: the limits.

use crate::Error;
use crate::distributions::chi_square_tail;

/// Which digits are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Digits {
    /// The first: 1 to 9.
    #[default]
    First,
    /// The first two: 10 to 99.
    FirstTwo,
}

/// How near a group comes to the law, by its mean absolute deviation (Nigrini 2012, table 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conformity {
    /// Up to 0.006, or 0.0012 for two digits.
    Close,
    /// Up to 0.012, or 0.0018.
    Acceptable,
    /// Up to 0.015, or 0.0022.
    Marginal,
    /// Above.
    None,
}

/// The leading digits of a group of amounts.
#[derive(Debug, Clone, PartialEq)]
pub struct Benford {
    digits: Digits,
    /// From the least digits on: 9 or 90 counts.
    counts: Vec<u64>,
    n: u64,
}

impl Digits {
    fn least(self) -> usize {
        if self == Self::First { 1 } else { 10 }
    }

    /// How many there are.
    fn count(self) -> usize {
        9 * self.least()
    }

    /// The leading digits of an amount; `None` for 0, NaN and infinities. A sign does not count.
    pub fn of(self, amount: f64) -> Option<usize> {
        if !amount.is_finite() || amount == 0.0 {
            return None;
        }
        // The shortest decimal that is this number: what a person has written. 0.1 × 3 is 0.30000000000000004, and
        // still a 3.
        let text = format!("{:e}", amount.abs());
        let mut found =
            text.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).map(|b| usize::from(b - b'0'));
        let first = found.next()?;
        Some(if self == Self::First { first } else { 10 * first + found.next().unwrap_or(0) })
    }

    /// The law's probability of leading digits; 0 for what are none.
    pub fn probability(self, digits: usize) -> f64 {
        let last = 10 * self.least();
        if (self.least()..last).contains(&digits) { libm::log10(1.0 + 1.0 / digits as f64) } else { 0.0 }
    }
}

impl Benford {
    /// Counts the leading digits of amounts. Zeros and nulls (NaN) have none and are left out, signs are ignored.
    ///
    /// # Errors
    /// [`Error::NotFinite`] (column 0) for an infinity, [`Error::TooFew`] when no amount has digits.
    pub fn of(amounts: &[f64], digits: Digits) -> Result<Self, Error> {
        if let Some(row) = amounts.iter().position(|x| x.is_infinite()) {
            return Err(Error::NotFinite { row, column: 0, value: amounts[row] });
        }
        let mut counts = vec![0; digits.count()];
        for found in amounts.iter().filter_map(|&x| digits.of(x)) {
            counts[found - digits.least()] += 1;
        }
        let n = counts.iter().sum();
        if n == 0 {
            return Err(Error::TooFew { what: "amounts other than 0", got: 0, needed: 1 });
        }
        Ok(Self { digits, counts, n })
    }

    /// How many amounts were counted.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Share of the amounts with these leading digits.
    pub fn share(&self, digits: usize) -> f64 {
        let place = digits.checked_sub(self.digits.least());
        place.and_then(|place| self.counts.get(place)).map_or(0.0, |&c| c as f64 / self.n as f64)
    }

    fn each(&self) -> impl Iterator<Item = (f64, f64)> {
        let least = self.digits.least();
        (least..10 * least).map(|d| (self.share(d), self.digits.probability(d)))
    }

    /// Mean over the digits of |share − probability|.
    pub fn mean_absolute_deviation(&self) -> f64 {
        self.each().map(|(share, p)| (share - p).abs()).sum::<f64>() / self.digits.count() as f64
    }

    /// How near that is.
    pub fn conformity(&self) -> Conformity {
        let limits = match self.digits {
            Digits::First => [0.006, 0.012, 0.015],
            Digits::FirstTwo => [0.0012, 0.0018, 0.0022],
        };
        let deviation = self.mean_absolute_deviation();
        match limits.iter().position(|limit| deviation <= *limit) {
            Some(0) => Conformity::Close,
            Some(1) => Conformity::Acceptable,
            Some(_) => Conformity::Marginal,
            None => Conformity::None,
        }
    }

    /// Σ (count − expected)² / expected.
    pub fn chi_square(&self) -> f64 {
        self.each().map(|(share, p)| (share - p) * (share - p) / p).sum::<f64>() * self.n as f64
    }

    /// Probability of a chi-square as large under the law, with 8 or 89 degrees of freedom. The approximation is fair
    /// once every digit is expected five times: from about 110 amounts for one digit, 1,150 for two.
    pub fn chi_square_p(&self) -> f64 {
        chi_square_tail(self.chi_square(), (self.digits.count() - 1) as f64)
    }

    /// By how much an amount's leading digits are too frequent in the group: ln (share / probability) where
    /// that is above 0 and more than chance gives (two deviations of a share under the law), else 0; 0 for an amount
    /// without digits.
    pub fn surprise(&self, amount: f64) -> f64 {
        let Some(digits) = self.digits.of(amount) else { return 0.0 };
        let (share, p) = (self.share(digits), self.digits.probability(digits));
        let by_chance = 2.0 * (p * (1.0 - p) / self.n as f64).sqrt();
        if share - p > by_chance { libm::log(share / p) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_digits() {
        fn check(amount: f64, first: usize, two: usize) {
            assert_eq!(Digits::First.of(amount), Some(first), "{amount}");
            assert_eq!(Digits::FirstTwo.of(amount), Some(two), "{amount}");
        }
        check(1.0, 1, 10);
        check(-0.057, 5, 57);
        check(9_999.99, 9, 99);
        check(0.1 * 3.0, 3, 30);
        check(100.0, 1, 10);
        check(5e-324, 5, 50);
        check(f64::MAX, 1, 17);
        for none in [0.0, -0.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Digits::First.of(none), None);
        }
    }

    #[test]
    fn probabilities_add_up() {
        for (digits, all) in [(Digits::First, 0..=10), (Digits::FirstTwo, 0..=100)] {
            let sum: f64 = all.map(|d| digits.probability(d)).sum();
            assert!((sum - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_group_and_its_rows() {
        let mut amounts: Vec<f64> = (0..2_000).map(|i| 1.013_f64.powi(i)).collect();
        let group = Benford::of(&amounts, Digits::FirstTwo).unwrap();
        assert!(group.conformity() <= Conformity::Acceptable, "{}", group.mean_absolute_deviation());
        assert!(group.chi_square_p() > 0.5);
        amounts.extend([4_900.0; 150]);
        amounts.extend([0.0, f64::NAN]);
        let group = Benford::of(&amounts, Digits::FirstTwo).unwrap();
        assert_eq!(group.n(), 2_150);
        assert!(group.chi_square_p() < 1e-9);
        assert!(group.surprise(49.5) > 1.5);
        assert_eq!(group.surprise(51.0), 0.0);
        assert_eq!(group.surprise(0.0), 0.0);
        assert!(matches!(Benford::of(&[0.0], Digits::First), Err(Error::TooFew { .. })));
        assert!(matches!(Benford::of(&[1.0, f64::INFINITY], Digits::First), Err(Error::NotFinite { row: 1, .. })));
    }
}
