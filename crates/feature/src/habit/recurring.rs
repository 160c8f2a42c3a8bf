//! Whom an account pays again and again, how much and how often.

use serde::{Deserialize, Serialize};

use crate::math::{exp, ln};

/// Counterparties of which an account's recurring payments are known, at most: those paid once are let go of first,
/// then those paid longest ago.
const MOST: usize = 32;

/// How far apart the logarithms of two amounts of one habit are: e⁻¹ is left of a payment's likeness at this distance.
/// A bill varies more than a price, and is believed to be one where it comes when it should.
const OF_PRICES: f64 = 0.05;
const OF_BILLS: f64 = 0.25;

/// The same of two intervals.
const OF_INTERVALS: f64 = 0.2;

/// How much sooner than usual a payment has to come to be early.
const EARLY: f64 = 3.0;

/// One counterparty: the last payment, how long after the one before it and those before came, and how many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Payee {
    /// The two halves of its id.
    id: [u32; 2],
    /// Minor units; larger amounts are all alike.
    minor: u32,
    /// Minutes since 1970.
    minute: u32,
    /// Hours from one payment to the next, the latest counting for as much as all before.
    hours: u16,
    /// Payments, up to 255.
    times: u8,
}

/// Counterparties in no order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Recurring(Vec<Payee>);

fn minute(at: i64) -> u32 {
    at.div_euclid(60_000_000).clamp(0, u32::MAX.into()) as u32
}

fn capped(minor: i64) -> u32 {
    minor.clamp(0, u32::MAX.into()) as u32
}

/// e to the minus distance, in units of `scale`.
fn likeness(distance: f64, scale: f64) -> f64 {
    exp(-distance.abs() / scale)
}

impl Payee {
    fn id(&self) -> u64 {
        u64::from(self.id[0]) | u64::from(self.id[1]) << 32
    }

    /// How far the logarithm of an amount is from that of the last payment, one unit added to both.
    fn apart(&self, minor: i64, per_unit: f32) -> f64 {
        let of = |minor: u32| ln(1.0 + f64::from(minor) * f64::from(per_unit));
        of(capped(minor)) - of(self.minor)
    }

    /// ln of the usual interval over the one since the last payment; none where only one payment was made.
    fn sooner(&self, at: i64) -> Option<f64> {
        let hours = f64::from(minute(at).saturating_sub(self.minute)) / 60.0;
        (self.times > 1).then(|| ln((f64::from(self.hours) + 1.0) / (hours + 1.0)))
    }

    /// What share of a day has passed since the first payment, 0 to 1, from the usual interval: what is paid again at
    /// once is no habit.
    fn known(&self, at: i64) -> f64 {
        let before = f64::from(self.hours) * f64::from(self.times - 1);
        let hours = before + f64::from(minute(at).saturating_sub(self.minute)) / 60.0;
        (hours / 24.0).min(1.0)
    }

    /// How much a payment is like those before it, 0 to 1.
    pub(super) fn expects(&self, minor: i64, at: i64, per_unit: f32) -> f64 {
        let apart = self.apart(minor, per_unit);
        let in_time = self.sooner(at).map_or(0.0, |sooner| likeness(sooner, OF_INTERVALS));
        let alike = likeness(apart, OF_PRICES).max(in_time * likeness(apart, OF_BILLS));
        alike * (ln(1.0 + f64::from(self.times)) / ln(4.0)).min(1.0) * self.known(at)
    }

    /// ln of how many times as soon as usual the last amount comes again, past [`EARLY`] times; 0 else.
    pub(super) fn early(&self, minor: i64, at: i64, per_unit: f32) -> f64 {
        let sooner = self.sooner(at).filter(|_| self.times > 2).unwrap_or(0.0) - ln(EARLY);
        if sooner > 0.0 { sooner * likeness(self.apart(minor, per_unit), OF_PRICES) } else { 0.0 }
    }
}

impl Recurring {
    pub(super) fn find(&self, id: u64) -> Option<&Payee> {
        self.0.iter().find(|payee| payee.id() == id)
    }

    pub(super) fn absorb(&mut self, id: u64, minor: i64, at: i64) {
        let (minor, minute) = (capped(minor), minute(at));
        if let Some(payee) = self.0.iter_mut().find(|payee| payee.id() == id) {
            let hours = (minute.saturating_sub(payee.minute) / 60).min(u16::MAX.into()) as u16;
            payee.hours = if payee.times > 1 { payee.hours / 2 + hours / 2 + (payee.hours & hours & 1) } else { hours };
            payee.times = payee.times.saturating_add(1);
            (payee.minor, payee.minute) = (minor, minute);
            return;
        }
        let new = Payee { id: [id as u32, (id >> 32) as u32], minor, minute, hours: 0, times: 1 };
        if self.0.len() < MOST {
            if self.0.len() == self.0.capacity() {
                self.0.reserve_exact(4);
            }
            self.0.push(new);
            return;
        }
        let least = self.0.iter_mut().min_by_key(|payee| (payee.times > 1, payee.minute));
        if let Some(least) = least {
            *least = new;
        }
    }

    /// Whether so many payments may leave it.
    pub(super) fn is_sound(&self, payments: u32) -> bool {
        let mut ids: Vec<u64> = self.0.iter().map(Payee::id).collect();
        ids.sort_unstable();
        let times: u32 = self.0.iter().map(|payee| u32::from(payee.times)).sum();
        ids.len() <= MOST
            && ids.windows(2).all(|pair| pair[0] < pair[1])
            && ids.first() != Some(&0)
            && self.0.iter().all(|payee| payee.times > 0)
            && times <= payments
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<Payee>()
    }

    pub(super) fn needed(&self) -> usize {
        (self.0.len() + 4) * size_of::<Payee>()
    }
}
