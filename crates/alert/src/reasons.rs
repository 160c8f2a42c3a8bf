//! Which columns of a feature row to name in an alert.

use crible_core::Column;

/// The columns to name, strongest first: of each topic the column with the largest share, and of the topics the `n`
/// strongest. `shares` holds the contribution of each column, in the order of `columns`, at least 0; a column without
/// any, one that is not finite, and one detectors do not see are no reasons. Of equals the column that stands first.
///
/// The two slices are of one length; what one has beyond the other is left out.
pub fn choose(columns: &[Column], shares: &[f64], n: usize) -> Vec<usize> {
    // There are about a dozen topics: a list is searched faster than a map, and has no order of its own to leak.
    let mut strongest: Vec<usize> = Vec::new();
    for (i, (column, &share)) in columns.iter().zip(shares).enumerate() {
        if !(column.input && share > 0.0 && share.is_finite()) {
            continue;
        }
        match strongest.iter_mut().find(|best| columns[**best].topic == column.topic) {
            Some(best) if shares[*best] < share => *best = i,
            Some(_) => {}
            None => strongest.push(i),
        }
    }
    strongest.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]).then(a.cmp(&b)));
    strongest.truncate(n);
    strongest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crible_core::{Scale, Tail, Topic, Unit};

    fn column(name: &'static str, topic: Topic) -> Column {
        Column::input(name, Unit::Ratio, Scale::Linear, Tail::Upper, topic)
    }

    #[test]
    fn one_story_a_topic_strongest_first() {
        let columns = [
            column("count_1d", Topic::Velocity),
            column("count_7d", Topic::Velocity),
            column("amount", Topic::Amount),
            column("hour", Topic::Calendar),
            column("distance", Topic::Place),
            Column::context("mean", Unit::Money, Scale::Linear, Topic::Spending),
        ];
        let check = |shares: &[f64], n: usize, expect: &[usize]| {
            assert_eq!(choose(&columns, shares, n), expect, "{shares:?}");
        };
        check(&[0.3, 0.4, 0.2, 0.1, 0.0, 0.0], 3, &[1, 2, 3]);
        check(&[0.3, 0.4, 0.2, 0.1, 0.0, 0.0], 9, &[1, 2, 3]);
        check(&[0.3, 0.4, 0.2, 0.1, 0.0, 0.0], 0, &[]);
        // Equals: the first column of the topic, and topics in column order.
        check(&[0.2, 0.2, 0.2, 0.2, 0.2, 0.0], 3, &[0, 2, 3]);
        // A column only shown beside others, NaN, infinity and negative shares are no reasons.
        check(&[f64::NAN, 0.1, f64::INFINITY, -1.0, 0.3, 0.9], 3, &[4, 1]);
        check(&[0.0; 6], 3, &[]);
        check(&[], 3, &[]);
    }
}
