//! Random numbers that stay the same: on every platform, and whatever `rand` changes between versions.

use rand::{RngCore, SeedableRng};
use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};

/// The generator of stream `index` under `seed`: tree 7 draws the same on one thread or on many.
pub(crate) fn stream(seed: u64, index: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(mix(seed ^ mix(index)))
}

/// Uniform in 0..n by multiplication (Lemire 2019, without the rejection: its bias is below n / 2^64).
pub(crate) fn below(rng: &mut impl RngCore, n: usize) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// Uniform in [0, 1) with 53 bits.
pub(crate) fn unit(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// Normal with mean 0 and variance 1 (Box and Muller 1958).
pub(crate) fn normal(rng: &mut impl RngCore) -> f64 {
    let radius = (-2.0 * libm::log(1.0 - unit(rng))).sqrt();
    radius * libm::cos(std::f64::consts::TAU * unit(rng))
}

/// `k` distinct indices of 0..n, ascending: Floyd's algorithm over a bit set.
pub(crate) fn sample(rng: &mut impl RngCore, n: usize, k: usize) -> Vec<usize> {
    if k >= n {
        return (0..n).collect();
    }
    let mut taken = vec![0_u64; n.div_ceil(64)];
    for last in n - k..n {
        let pick = below(rng, last + 1);
        let is_taken = taken[pick / 64] >> (pick % 64) & 1 == 1;
        let index = if is_taken { last } else { pick };
        taken[index / 64] |= 1 << (index % 64);
    }
    let mut out = Vec::with_capacity(k);
    for (word, &bits) in taken.iter().enumerate() {
        let mut bits = bits;
        while bits != 0 {
            out.push(word * 64 + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
    }
    out
}

/// A well-mixed number from a counter: the first number of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(x: u64) -> u64 {
    SplitMix64::seed_from_u64(x).next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_distinct_ascending_and_fair() {
        let mut hits = [0_usize; 20];
        for seed in 0..4_000 {
            let drawn = sample(&mut stream(seed, 0), 20, 5);
            assert_eq!(drawn.len(), 5);
            assert!(drawn.windows(2).all(|w| w[0] < w[1]));
            drawn.into_iter().for_each(|i| hits[i] += 1);
        }
        // 1,000 expected, standard deviation 27.
        assert!(hits.iter().all(|&h| (860..1_140).contains(&h)), "{hits:?}");
    }

    #[test]
    fn streams_differ() {
        let first = |seed, index| stream(seed, index).next_u64();
        assert_ne!(first(0, 0), first(0, 1));
        assert_ne!(first(0, 1), first(1, 0));
        assert_eq!(first(7, 3), first(7, 3));
    }
}
