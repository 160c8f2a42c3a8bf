use std::ops::Range;

use crible_core::Position;

use super::Scenario;
use super::account::{Draft, Money};
use super::builder::Config;
use super::category::{CATEGORIES, N};
use super::dice::{Dice, Stream, mix};
use super::row::Party;

/// Country of the population.
pub(super) const HOME: &str = "US";

/// Where people travel: a country and about where one lands.
const ABROAD: [(&str, f64, f64); 8] = [
    ("GB", 51.51, -0.13),
    ("FR", 48.86, 2.35),
    ("MX", 19.43, -99.13),
    ("JP", 35.68, 139.69),
    ("BR", -23.55, -46.63),
    ("ZA", -33.92, 18.42),
    ("AU", -33.87, 151.21),
    ("CA", 45.50, -73.57),
];

/// How many payees an account sends money to, now and then.
const KNOWN_PAYEES: u32 = 4;

#[derive(Debug)]
pub(super) struct Place {
    pub(super) country: &'static str,
    pub(super) latitude: f64,
    pub(super) longitude: f64,
}

#[derive(Debug)]
pub(super) struct Merchant {
    pub(super) category: usize,
    country: &'static str,
    position: Option<Position>,
    price: f64,
}

/// Towns, places abroad, and the merchants in them.
#[derive(Debug)]
pub(super) struct World {
    places: Vec<Place>,
    towns: u32,
    merchants: Vec<Merchant>,
    /// Merchants of a place and category; the place after the last holds those online.
    shops: Vec<Range<u32>>,
    /// People and firms money can be sent to.
    payees: u32,
}

impl World {
    pub(super) fn new(config: &Config) -> Self {
        let mut dice = Dice::new(config.seed, Stream::World, 0, 0);
        let online = config.merchants / 5;
        let abroad = (config.merchants / 10).max(40);
        let local = config.merchants - online - abroad;
        let towns = (local / 20).clamp(2, 200);

        let mut places: Vec<Place> = (0..towns)
            .map(|_| Place {
                country: HOME,
                latitude: dice.between(31.0, 46.0),
                longitude: dice.between(-118.0, -78.0),
            })
            .collect();
        places.extend(ABROAD.map(|(country, latitude, longitude)| Place { country, latitude, longitude }));

        // Which merchants each place has: its share of each kind, the first kinds taking what does not divide.
        let mut world = Self {
            places,
            towns,
            merchants: Vec::with_capacity(config.merchants as usize),
            shops: Vec::new(),
            payees: config.accounts.saturating_mul(3).max(50),
        };
        let kinds = |wanted: fn(usize) -> bool| (0..N).filter(|&c| wanted(c)).collect::<Vec<_>>();
        let at_home = kinds(|c| !CATEGORIES[c].online);
        let for_travellers = kinds(|c| CATEGORIES[c].abroad);
        let on_line = kinds(|c| CATEGORIES[c].online);
        for place in 0..=world.places.len() {
            let (number, of, total, here) = match place as u32 {
                p if p < towns => (p, towns, local, &at_home),
                p if (p as usize) < world.places.len() => (p - towns, ABROAD.len() as u32, abroad, &for_travellers),
                _ => (0, 1, online, &on_line),
            };
            let cells = of * here.len() as u32;
            for category in 0..N {
                let first = world.merchants.len() as u32;
                if let Some(kind) = here.iter().position(|&c| c == category) {
                    // Cells of one kind stand together, so that what does not divide spreads over the places.
                    let cell = kind as u32 * of + number;
                    let count = total / cells + u32::from(cell < total % cells);
                    for _ in 0..count {
                        let merchant = world.open(place, category, &mut dice);
                        world.merchants.push(merchant);
                    }
                }
                world.shops.push(first..world.merchants.len() as u32);
            }
        }
        world
    }

    fn open(&self, place: usize, category: usize, dice: &mut Dice) -> Merchant {
        let price = dice.log_normal(0.25);
        match self.places.get(place) {
            Some(town) => Merchant { category, country: town.country, position: nearby(town, 0.04, dice), price },
            None => {
                let far = dice.chance(0.15).then(|| ABROAD[dice.below(ABROAD.len() as u32) as usize].0);
                Merchant { category, country: far.unwrap_or(HOME), position: None, price }
            }
        }
    }

    pub(super) fn merchants(&self) -> usize {
        self.merchants.len()
    }

    pub(super) fn merchant(&self, merchant: u32) -> &Merchant {
        &self.merchants[merchant as usize]
    }

    pub(super) fn towns(&self) -> u32 {
        self.towns
    }

    pub(super) fn any_town(&self, dice: &mut Dice) -> u32 {
        dice.below(self.towns)
    }

    pub(super) fn another_town(&self, than: u32, dice: &mut Dice) -> u32 {
        // There are two towns at least.
        (than + 1 + dice.below(self.towns - 1)) % self.towns
    }

    pub(super) fn any_abroad(&self, dice: &mut Dice) -> u32 {
        self.towns + dice.below(ABROAD.len() as u32)
    }

    /// One of the few payees an account knows.
    pub(super) fn known_payee(&self, account: u32, dice: &mut Dice) -> Party {
        self.knows(account, dice.below(KNOWN_PAYEES))
    }

    /// A payee an account does not know.
    pub(super) fn strange_payee(&self, account: u32, dice: &mut Dice) -> Party {
        // There are far more payees than an account knows, so this ends soon.
        loop {
            let payee = Party::new('P', dice.below(self.payees));
            if (0..KNOWN_PAYEES).all(|which| self.knows(account, which) != payee) {
                return payee;
            }
        }
    }

    fn knows(&self, account: u32, which: u32) -> Party {
        let hash = mix(u64::from(account) << 8 | u64::from(which));
        Party::new('P', (hash % u64::from(self.payees)) as u32)
    }

    fn shops(&self, place: u32, category: usize) -> Range<u32> {
        let place = if CATEGORIES[category].online { self.places.len() } else { place as usize };
        self.shops[place * N + category].clone()
    }

    /// A merchant of a category in a place, the popular ones more often; `None` where the place has none.
    pub(super) fn any_shop(&self, place: u32, category: usize, dice: &mut Dice) -> Option<u32> {
        let shops = self.shops(place, category);
        let popular = dice.unit();
        let at = (popular * popular * shops.len() as f64) as u32;
        (!shops.is_empty()).then(|| shops.start + at.min(shops.len() as u32 - 1))
    }

    /// One of the two merchants of a category in a place that an account likes.
    pub(super) fn favourite(&self, account: u32, place: u32, category: usize, dice: &mut Dice) -> Option<u32> {
        let shops = self.shops(place, category);
        let second = u64::from(dice.chance(0.3));
        let liked = mix(u64::from(account) << 16 | (category as u64) << 8 | second);
        // Of two numbers the lower: popular merchants stand first in their range.
        let n = shops.len() as u64;
        (n > 0).then(|| shops.start + ((liked >> 32) % n).min(liked as u32 as u64 % n) as u32)
    }

    /// An amount as the merchant would ask it of somebody who spends at `level`, in cents.
    pub(super) fn price(&self, merchant: u32, level: f64, dice: &mut Dice) -> i64 {
        let shop = self.merchant(merchant);
        let category = &CATEGORIES[shop.category];
        let minor = category.median_minor * shop.price * level * dice.log_normal(category.sigma);
        if shop.category == super::category::CASH {
            // Machines give twenties.
            return ((minor / 2_000.0).round() as i64).clamp(1, 30) * 2_000;
        }
        (minor.round() as i64).max(50)
    }

    /// A payment of `minor` cents to a merchant.
    pub(super) fn purchase(&self, merchant: u32, second: u32, minor: i64, fraud: Option<Scenario>) -> Draft {
        let shop = self.merchant(merchant);
        let category = &CATEGORIES[shop.category];
        Draft {
            second,
            party: Party::new('M', merchant),
            money: Money::Minor(-minor),
            category: category.name,
            channel: category.channel,
            country: shop.country,
            position: shop.position,
            device: None,
            fraud,
        }
    }
}

/// A position some way from a place's middle, on a grid of 0.0001 degrees (about 11 m).
fn nearby(place: &Place, spread: f64, dice: &mut Dice) -> Option<Position> {
    let mut off = |centre: f64| ((centre + spread * dice.normal()) * 1e4).round() as i32 * 1_000;
    Position::from_e7(off(place.latitude), off(place.longitude))
}
