use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::Views;
use super::held::Held;
use super::model::{FittedView, Input, Rule, neg_ln_all};
use super::params::{Member, Side, Together, ViewsConfig};
use super::rarity::{Curve, Rarity};
use crate::score::score;
use crate::{Error, Model};

/// Between which shares of the rows it is seen how the tail of the score falls. Of rows that are scored themselves a
/// twentieth may be frauds, as in a person's statement, and none of those may say how rare frauds are; views that were
/// fitted on other rows score the rarest of ordinary rows higher than such a body lets expect.
const AT_ONCE: [f64; 2] = [0.7, 0.95];
const HELD_OUT: [f64; 2] = [0.9, 0.995];

fn ascending(mut scores: Vec<f64>) -> Vec<f64> {
    scores.sort_unstable_by(f64::total_cmp);
    scores
}

/// A member over all rows of the fit.
struct Seen {
    input: Input,
    side: Side,
    /// Of each row.
    values: Vec<f64>,
    /// Rows by value, ascending.
    order: Vec<u32>,
}

/// A column, or a detector that was fitted on several.
fn see(input: Input, side: Side, values: Vec<f64>) -> Seen {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]).then(a.cmp(&b)));
    Seen { input, side, values, order }
}

/// The upper tail, the lower tail, and −ln p of every row.
type FittedEnds = (Option<Rarity>, Option<Rarity>, Vec<f64>);

/// Which rows tails are made of, and how much rarer than among all rows a value may be.
struct Kept<'a> {
    rows: &'a [bool],
    most_rarer: Option<f64>,
}

impl Kept<'_> {
    /// The tail of rows in ascending order of their values.
    fn tail(&self, order: impl Iterator<Item = usize> + Clone, value: impl Fn(usize) -> f64) -> Result<Rarity, Error> {
        let kept: Vec<f64> = order.clone().filter(|&row| self.rows[row]).map(&value).collect();
        match self.most_rarer {
            Some(more) => Rarity::fit(&kept, Some((&order.map(value).collect::<Vec<_>>(), more))),
            None => Rarity::fit(&kept, None),
        }
    }

    /// The tail of numbers in any order.
    fn tail_of(&self, numbers: &[f64]) -> Result<Rarity, Error> {
        let mut order: Vec<usize> = (0..numbers.len()).collect();
        order.sort_unstable_by(|&a, &b| numbers[a].total_cmp(&numbers[b]).then(a.cmp(&b)));
        self.tail(order.into_iter(), |row| numbers[row])
    }
}

impl Seen {
    /// The tails of the rows that are kept, and −ln p of all.
    fn fit(&self, kept: &Kept<'_>) -> Result<FittedEnds, Error> {
        let ascending = || self.order.iter().map(|&row| row as usize);
        let (is_high, is_low) = self.side.ends();
        // −0 and 0 are one value.
        let high = is_high.then(|| kept.tail(ascending(), |row| self.values[row] + 0.0)).transpose()?;
        let low = is_low.then(|| kept.tail(ascending().rev(), |row| 0.0 - self.values[row])).transpose()?;
        let mut logs = vec![0.0; self.values.len()];
        neg_ln_all(&high, &low, &self.values, &mut vec![0.0; 2 * self.values.len()], &mut logs);
        Ok((high, low, logs))
    }
}

pub(super) fn fit(config: &ViewsConfig, rows: ArrayView2<'_, f64>) -> Result<Views, Error> {
    let mut views = fit_all(config, rows)?;
    let held_out = (rows.nrows() as f64 * config.held_out) as usize;
    if held_out > 0 {
        let (earlier, held_out) = rows.split_at(Axis(0), rows.nrows() - held_out);
        let scores = score(&fit_all(config, earlier)?, held_out)?.to_vec();
        views.tail = Rarity::new(Curve::straight(&ascending(scores), HELD_OUT))?;
    }
    Ok(views)
}

fn fit_all(config: &ViewsConfig, rows: ArrayView2<'_, f64>) -> Result<Views, Error> {
    let (n, n_columns) = rows.dim();
    if n > u32::MAX as usize {
        return Err(Error::TooMany { what: "rows", got: n, limit: u32::MAX as usize });
    }
    let is_there = |column: usize| {
        if column < n_columns { Ok(()) } else { Err(Error::Columns { got: n_columns, expected: column + 1 }) }
    };
    config
        .expected
        .iter()
        .map(|(column, _)| column)
        .chain(config.ends.iter().map(|(column, ..)| column))
        .try_for_each(|&at| is_there(at))?;
    let held: Vec<Held> =
        config.ends.iter().filter_map(|&(column, side, end)| Held::fit(rows, column, side, end)).collect();
    let mut rows = rows.to_owned();
    for held in &held {
        rows.column_mut(held.column as usize).mapv_inplace(|value| held.hold(value));
    }
    let rows = rows.view();
    let column = |column: usize, side: Side| {
        let values = rows.index_axis(Axis(1), column).to_vec();
        see(Input::Column(column), side, values)
    };
    let member = |member: &Member| match member {
        Member::Column { column: at, side } => {
            is_there(*at)?;
            Ok(column(*at, *side))
        }
        Member::Joint { columns, detector } => {
            columns.iter().try_for_each(|&column| is_there(column))?;
            let part = rows.select(Axis(1), columns);
            let model: Box<dyn Model> = detector.fit(part.view())?;
            let values = score(model.as_ref(), part.view())?.to_vec();
            Ok(see(Input::Joint { columns: columns.clone(), model }, Side::Upper, values))
        }
    };
    let views: Vec<(String, Together, Vec<Seen>)> = if config.views.is_empty() {
        (0..n_columns).map(|at| (format!("column_{at}"), Together::Rarest, vec![column(at, Side::Both)])).collect()
    } else {
        let view = |view: &super::View| {
            let members = view.members.par_iter().map(member).collect::<Result<_, Error>>()?;
            Ok((view.name.clone(), view.together, members))
        };
        config.views.iter().map(view).collect::<Result<_, Error>>()?
    };
    let rule = Rule {
        counts_from: config.counts_from,
        rest: config.rest,
        expected: config.expected.map(|(column, share)| (column as u32, share)),
    };

    let mut kept = vec![true; n];
    let mut round = 0;
    loop {
        let most_rarer = (round > 0).then_some(config.most_rarer);
        let kept_rows = Kept { rows: &kept, most_rarer };
        let fit = |(_, together, members): &(String, Together, Vec<Seen>)| fit_view(members, *together, &kept_rows);
        let fitted: Vec<_> = views.par_iter().map(fit).collect::<Result<_, _>>()?;
        let all = |row: usize| fitted.iter().map(move |(_, _, logs): &Fitted| logs[row]);
        let sums: Vec<f64> = (0..n).map(|row| rule.score(all(row), 1.0)).collect();
        if round == config.rounds || config.trim == 0.0 {
            let scores = (0..n).map(|row| sums[row] * rule.left(|column| rows[[row, column]])).collect();
            let tail = Rarity::new(Curve::straight(&ascending(scores), AT_ONCE))?;
            let views = views.into_iter().zip(fitted).map(|((name, together, members), (tails, tail, _))| {
                let members = members.into_iter().zip(tails).map(|(seen, (high, low))| (seen.input, high, low));
                FittedView::new(name, members, together, tail, &rule)
            });
            return Ok(Views { n_columns, rule, held, views: views.collect(), tail });
        }
        let mut sorted = sums.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let bound = sorted[((n - 1) as f64 * (1.0 - config.trim)) as usize];
        kept.iter_mut().zip(&sums).for_each(|(kept, sum)| *kept = *sum <= bound);
        round += 1;
    }
}

/// Tails of the members, that of what they are together where there are several, and −ln p of each row.
type Fitted = (Vec<(Option<Rarity>, Option<Rarity>)>, Option<Rarity>, Vec<f64>);

fn fit_view(members: &[Seen], together: Together, kept: &Kept<'_>) -> Result<Fitted, Error> {
    let mut tails = Vec::with_capacity(members.len());
    let mut rarest = vec![0.0_f64; kept.rows.len()];
    for seen in members {
        let (high, low, logs) = seen.fit(kept)?;
        rarest.iter_mut().zip(&logs).for_each(|(most, y)| *most = together.with(*most, *y));
        tails.push((high, low));
    }
    if members.len() == 1 {
        return Ok((tails, None, rarest));
    }
    let tail = kept.tail_of(&rarest)?;
    let mut logs = vec![0.0; rarest.len()];
    tail.neg_ln_all(&rarest, &mut logs);
    Ok((tails, Some(tail), logs))
}
