//! −ln of Student's two-sided tail, from a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::distributions::ln_student_two_sided;

const PER_UNIT: f64 = 32.0;

/// Up to here the table goes; beyond it the function is computed.
const END: f64 = 64.0;

#[derive(Debug)]
pub(super) struct Table {
    freedom: f64,
    values: Vec<f64>,
}

impl Table {
    fn new(freedom: usize) -> Self {
        let freedom = freedom as f64;
        let at = |i: usize| 0.0 - ln_student_two_sided(i as f64 / PER_UNIT, freedom);
        Self { freedom, values: (0..=(END * PER_UNIT) as usize + 1).map(at).collect() }
    }

    /// For t ≥ 0.
    pub(super) fn neg_ln(&self, t: f64) -> f64 {
        if t < END {
            let place = t * PER_UNIT;
            let below = place as usize;
            let (from, to) = (self.values[below], self.values[below + 1]);
            return from + (place - below as f64) * (to - from);
        }
        -ln_student_two_sided(if t < 1e150 { t } else { 1e150 }, self.freedom)
    }
}

/// One table for each number of degrees of freedom asked for.
pub(super) fn tables(freedoms: impl Iterator<Item = usize>) -> Vec<Arc<Table>> {
    let mut known: BTreeMap<usize, Arc<Table>> = BTreeMap::new();
    freedoms.map(|f| known.entry(f).or_insert_with(|| Arc::new(Table::new(f))).clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_the_function_and_ascending() {
        for table in tables([1, 2, 9, 250, 1_000_000].into_iter()) {
            let mut before = -1.0;
            for i in 0..20_000 {
                let t = f64::from(i) * 0.004;
                let (found, expect) = (table.neg_ln(t), -ln_student_two_sided(t, table.freedom));
                assert!((found - expect).abs() < 2e-4, "{t}: {found}, expected {expect}");
                assert!(found > before, "{t}: {found} after {before}");
                before = found;
            }
            assert!(table.neg_ln(f64::MAX).is_finite());
        }
    }
}
