//! Step functions with many steps and a cheap lookup: what ECOD, HBOS and the calibration are made of.

mod knots;

pub(crate) use knots::{Knots, in_order, linear, order};

/// A function of one number, constant between knots and with a value of its own at each knot.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    knots: Knots,
    table: Table,
}

#[derive(Debug, Clone)]
enum Table {
    /// `[below knot 0, at knot 0, between 0 and 1, at knot 1, …, above the last]`
    Each(Vec<f64>),
    /// `[up to knot 0, up to knot 1, …, above the last]`: at a knot as below it.
    UpTo(Vec<f64>),
}

impl Steps {
    /// `table` holds one value more than twice the knots.
    pub(crate) fn new(knots: Knots, table: Vec<f64>) -> Self {
        debug_assert_eq!(table.len(), 2 * knots.len() + 1);
        Self { knots, table: Table::Each(table) }
    }

    /// A function that is at a knot what it is below it; `table` holds one value more than the knots.
    pub(crate) fn up_to(knots: Knots, table: Vec<f64>) -> Self {
        debug_assert_eq!(table.len(), knots.len() + 1);
        Self { knots, table: Table::UpTo(table) }
    }

    pub(crate) fn at(&self, x: f64) -> f64 {
        let below = self.knots.count_below(x);
        match &self.table {
            Table::Each(table) => table[2 * below + usize::from(self.knots.is(below, x))],
            Table::UpTo(table) => table[below],
        }
    }

    /// Adds the value at each x to its sum.
    pub(crate) fn add(&self, xs: &[f64], sums: &mut [f64]) {
        let sums = &mut sums[..xs.len()];
        match &self.table {
            Table::Each(table) => self.knots.each_count_below(xs, |i, below, is| {
                sums[i] += table[2 * below + usize::from(is)];
            }),
            Table::UpTo(table) => self.knots.each_count_below(xs, |i, below, _| sums[i] += table[below]),
        }
    }
}
