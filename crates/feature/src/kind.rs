//! What payments have to have in common to be compared.

use crible_core::{Amount, Transaction};

/// What must agree for two payments to be of one kind: direction and currency.
pub(crate) fn kind(txn: &Transaction) -> u32 {
    kind_of(txn.amount)
}

/// The same of an amount alone.
pub(crate) fn kind_of(amount: Amount) -> u32 {
    letters(amount) << 1 | u32::from(amount.minor <= 0)
}

/// The currency's three letters as a number.
pub(crate) fn currency(txn: &Transaction) -> u32 {
    letters(txn.amount)
}

fn letters(amount: Amount) -> u32 {
    amount.currency.bits()
}

/// Major units in a minor one.
pub(crate) fn per_unit(txn: &Transaction) -> f32 {
    const PER_UNIT: [f32; 5] = [1.0, 1e-1, 1e-2, 1e-3, 1e-4];
    PER_UNIT[txn.amount.currency.exponent() as usize]
}
