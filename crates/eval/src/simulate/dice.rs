//! Chance, the same on every machine.

use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};

/// What a stream of random numbers is for, so that no two uses share one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    World = 1,
    Account = 2,
    AccountDay = 3,
    Fraud = 4,
    /// What people do beside the usual, in a population that has it.
    Customs = 5,
    Settle = 6,
}

#[derive(Debug)]
pub(super) struct Dice {
    bits: Xoshiro256PlusPlus,
    spare: Option<f64>,
}

impl Dice {
    /// The stream of a purpose, a subject and a day.
    pub(super) fn new(seed: u64, stream: Stream, subject: u32, day: u32) -> Self {
        let place = mix(u64::from(subject) << 32 | u64::from(day));
        let seed = mix(seed ^ mix(place ^ stream as u64));
        Self { bits: Xoshiro256PlusPlus::seed_from_u64(seed), spare: None }
    }

    /// Uniform in [0, 1), 53 bits.
    pub(super) fn unit(&mut self) -> f64 {
        (self.bits.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in [from, to).
    pub(super) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.unit()
    }

    /// Uniform in 0..n, and 0 for n = 0. The bias of the short multiplication, below n / 2³², does no harm here.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        (((self.bits.next_u64() >> 32) * u64::from(n)) >> 32) as u32
    }

    pub(super) fn byte(&mut self) -> u8 {
        (self.bits.next_u64() >> 56) as u8
    }

    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Standard normal, by Box and Muller (1958).
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // One minus a number in [0, 1) is never zero.
        let radius = (-2.0 * libm::log(1.0 - self.unit())).sqrt();
        let (sin, cos) = libm::sincos(std::f64::consts::TAU * self.unit());
        self.spare = Some(radius * sin);
        radius * cos
    }

    /// Log-normal with median 1.
    pub(super) fn log_normal(&mut self, sigma: f64) -> f64 {
        libm::exp(sigma * self.normal())
    }

    /// Poisson of mean `mean`, by counting how many uniform factors it takes to fall below exp(−mean) (Knuth).
    /// For means of a few dozen at most.
    pub(super) fn poisson(&mut self, mean: f64) -> u32 {
        let floor = libm::exp(-mean);
        let (mut count, mut product) = (0, self.unit());
        while product > floor {
            count += 1;
            product *= self.unit();
        }
        count
    }
}

/// The first number of SplitMix64 (Steele, Lea, Flood 2014): neighbours come out unrelated.
pub(super) fn mix(x: u64) -> u64 {
    SplitMix64::seed_from_u64(x).next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut dice = Dice::new(1, Stream::World, 0, 0);
        let n = 200_000;
        let moments = |draws: Vec<f64>| {
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            (mean, draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / draws.len() as f64)
        };
        let check = |(mean, variance): (f64, f64), expect: (f64, f64)| {
            assert!((mean - expect.0).abs() < 0.02 && (variance - expect.1).abs() < 0.04, "{mean} {variance}");
        };
        check(moments((0..n).map(|_| dice.unit()).collect()), (0.5, 1.0 / 12.0));
        check(moments((0..n).map(|_| dice.normal()).collect()), (0.0, 1.0));
        check(moments((0..n).map(|_| dice.poisson(1.6).into()).collect()), (1.6, 1.6));
        assert!((0..10_000).all(|_| dice.below(7) < 7));
        assert_eq!(dice.below(0), 0);
    }

    #[test]
    fn streams_do_not_meet() {
        let first = |stream, subject, day| Dice::new(9, stream, subject, day).unit().to_bits();
        let all = [
            first(Stream::World, 0, 0),
            first(Stream::Account, 0, 0),
            first(Stream::AccountDay, 0, 0),
            first(Stream::AccountDay, 0, 1),
            first(Stream::AccountDay, 1, 0),
            first(Stream::Fraud, 0, 0),
            first(Stream::Customs, 0, 0),
            first(Stream::Settle, 0, 0),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(!all[..i].contains(a));
        }
    }
}
