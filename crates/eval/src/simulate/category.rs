//! What people pay for, and when.

/// A kind of merchant. Amounts in cents.
#[derive(Debug)]
pub(super) struct Category {
    pub(super) name: &'static str,
    pub(super) channel: &'static str,
    /// How often, against the others.
    pub(super) weight: f64,
    pub(super) median_minor: f64,
    pub(super) sigma: f64,
    /// Which of [`PROFILES`].
    pub(super) profile: usize,
    pub(super) online: bool,
    /// Whether travellers find it abroad.
    pub(super) abroad: bool,
    /// How much busier it is on Saturday and Sunday.
    pub(super) weekend: f64,
}

const DAYTIME: usize = 0;
const MEALS: usize = 1;
const COMMUTE: usize = 2;
const EVENING: usize = 3;
const ONLINE: usize = 4;

pub(super) const N: usize = 13;
pub(super) const CLOTHING: usize = 5;
pub(super) const ELECTRONICS: usize = 6;
pub(super) const CASH: usize = 9;
pub(super) const ONLINE_RETAIL: usize = 10;
pub(super) const DIGITAL: usize = 11;
pub(super) const TRAVEL: usize = 12;

/// Local categories first, then those without a place.
pub(super) const CATEGORIES: [Category; N] = [
    local("grocery", "chip", 24.0, 3_800.0, 0.60, DAYTIME, false, 1.3),
    local("restaurant", "contactless", 16.0, 2_300.0, 0.55, MEALS, true, 1.5),
    local("cafe", "contactless", 13.0, 560.0, 0.35, COMMUTE, true, 0.8),
    local("fuel", "chip", 9.0, 4_400.0, 0.30, COMMUTE, false, 1.0),
    local("transport", "contactless", 11.0, 390.0, 0.50, COMMUTE, true, 0.5),
    local("clothing", "chip", 4.0, 5_600.0, 0.70, DAYTIME, true, 1.8),
    local("electronics", "chip", 1.5, 14_000.0, 0.85, DAYTIME, true, 1.4),
    local("entertainment", "chip", 5.0, 2_700.0, 0.60, EVENING, true, 1.8),
    local("health", "chip", 4.0, 3_100.0, 0.70, DAYTIME, false, 0.4),
    local("cash", "atm", 3.0, 6_000.0, 0.60, DAYTIME, true, 1.1),
    remote("online_retail", 14.0, 3_500.0, 0.85),
    remote("digital", 4.0, 1_100.0, 0.40),
    remote("travel", 0.8, 31_000.0, 0.70),
];

#[expect(clippy::too_many_arguments, reason = "a row of the table above")]
const fn local(
    name: &'static str,
    channel: &'static str,
    weight: f64,
    median_minor: f64,
    sigma: f64,
    profile: usize,
    abroad: bool,
    weekend: f64,
) -> Category {
    Category { name, channel, weight, median_minor, sigma, profile, online: false, abroad, weekend }
}

const fn remote(name: &'static str, weight: f64, median_minor: f64, sigma: f64) -> Category {
    Category {
        name,
        channel: "online",
        weight,
        median_minor,
        sigma,
        profile: ONLINE,
        online: true,
        abroad: false,
        weekend: 1.1,
    }
}

/// How likely each hour of the day is, in 256ths, for the kinds of business named above.
const WEIGHTS: [[u8; 24]; 5] = [
    [0, 0, 0, 0, 0, 0, 1, 3, 9, 16, 21, 24, 24, 20, 18, 19, 23, 28, 24, 15, 8, 3, 0, 0],
    [1, 0, 0, 0, 0, 0, 1, 4, 8, 6, 5, 14, 40, 38, 14, 6, 7, 14, 32, 34, 19, 9, 3, 1],
    [0, 0, 0, 0, 0, 2, 14, 40, 46, 22, 12, 10, 12, 10, 8, 10, 16, 26, 16, 6, 3, 2, 1, 0],
    [4, 2, 0, 0, 0, 0, 0, 0, 0, 2, 5, 7, 9, 12, 14, 15, 17, 22, 30, 39, 36, 24, 12, 6],
    [8, 4, 2, 1, 1, 1, 2, 5, 8, 10, 11, 12, 14, 13, 11, 11, 12, 13, 15, 19, 25, 27, 19, 12],
];

/// For each kind of business, the hour a random byte stands for.
pub(super) const PROFILES: [[u8; 256]; 5] = {
    let mut tables = [[0u8; 256]; 5];
    let mut profile = 0;
    while profile < 5 {
        let (mut hour, mut at) = (0, 0);
        while hour < 24 {
            let mut n = 0;
            while n < WEIGHTS[profile][hour] {
                // Evaluated when compiling: weights that do not add up to 256 do not build.
                tables[profile][at] = hour as u8;
                at += 1;
                n += 1;
            }
            hour += 1;
        }
        assert!(at == 256);
        profile += 1;
    }
    tables
};
