use ndarray::{ArrayView1, ArrayView2, Axis, ShapeBuilder};
use serde::{Deserialize, Serialize};

use super::ViewsConfig;
use super::held::{Held, held};
use super::params::{Side, Together};
use super::quiet::Quiet;
use super::rarity::Rarity;
use super::tile::{Room, TILE};
use crate::face::{Params, predict};
use crate::rows::{slice_rows, with_scratch};
use crate::score::{check_columns, first_not_finite};
use crate::{Error, Model, Snapshot};

/// Views of columns explain a row where they say this much of what joint views say.
const ENOUGH: f64 = 0.25;

/// Views of a fit. See the [module](super) documentation.
#[derive(Debug)]
pub struct Views {
    pub(super) n_columns: usize,
    pub(super) rule: Rule,
    pub(super) held: Vec<Held>,
    pub(super) views: Vec<FittedView>,
    /// Of the score.
    pub(super) tail: Rarity,
}

/// How views become one score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Rule {
    pub(super) counts_from: f64,
    pub(super) rest: f64,
    /// The column that says how much a row was to be expected, and what share of the score that takes away at most.
    pub(super) expected: Option<(u32, f64)>,
}

#[derive(Debug)]
pub(super) struct FittedView {
    pub(super) name: String,
    pub(super) members: Vec<FittedMember>,
    pub(super) together: Together,
    /// Of what the members are together, where there are several.
    pub(super) tail: Option<Rarity>,
    /// What members are together at most where the view says nothing.
    pub(super) quiet_up_to: f64,
}

#[derive(Debug)]
pub(super) struct FittedMember {
    pub(super) input: Input,
    /// Of high values, and of low ones.
    pub(super) high: Option<Rarity>,
    pub(super) low: Option<Rarity>,
    /// Values of which the view says nothing.
    pub(super) quiet: Quiet,
}

#[derive(Debug)]
pub(super) enum Input {
    Column(usize),
    Joint { columns: Vec<usize>, model: Box<dyn Model> },
}

impl Rule {
    /// Whether a view says nothing of rows that it finds no rarer than what counts.
    fn is_silent(&self) -> bool {
        self.rest == 0.0
    }

    /// What a view adds to the score.
    fn excess(&self, neg_ln: f64) -> f64 {
        let beyond = neg_ln - self.counts_from;
        (if beyond > 0.0 { beyond } else { 0.0 }) + self.rest * neg_ln
    }

    /// What is left of the score of a row.
    pub(super) fn left(&self, row: impl Fn(usize) -> f64) -> f64 {
        match self.expected {
            Some((column, share)) => {
                let expected = row(column as usize);
                let expected = if expected > 0.0 { expected } else { 0.0 };
                1.0 - share * if expected < 1.0 { expected } else { 1.0 }
            }
            None => 1.0,
        }
    }

    /// The score of a row from its views.
    pub(super) fn score(&self, views: impl Iterator<Item = f64>, left: f64) -> f64 {
        views.fold(0.0, |sum, neg_ln| sum + self.excess(neg_ln)) * left
    }
}

/// −ln p of many values, by how high or low they are, whichever is rarer; `scratch` has room for two of each.
pub(super) fn neg_ln_all(
    high: &Option<Rarity>,
    low: &Option<Rarity>,
    values: &[f64],
    scratch: &mut [f64],
    out: &mut [f64],
) {
    match high {
        Some(high) => high.neg_ln_all(values, out),
        None => out.fill(0.0),
    }
    if let Some(low) = low {
        let (opposite, logs) = scratch.split_at_mut(values.len());
        opposite.iter_mut().zip(values).for_each(|(to, value)| *to = -value);
        low.neg_ln_all(opposite, logs);
        out.iter_mut().zip(logs).for_each(|(high, low)| *high = if *high > *low { *high } else { *low });
    }
}

impl FittedView {
    /// From members, each with the tails of its high and its low values.
    pub(super) fn new(
        name: String,
        members: impl Iterator<Item = (Input, Option<Rarity>, Option<Rarity>)>,
        together: Together,
        tail: Option<Rarity>,
        rule: &Rule,
    ) -> Self {
        let quiet_up_to = tail.as_ref().map_or(rule.counts_from, |tail| tail.highest(rule.counts_from));
        let member = |(input, high, low): (Input, Option<Rarity>, Option<Rarity>)| {
            let quiet = Quiet::new(high.as_ref(), low.as_ref(), quiet_up_to);
            FittedMember { input, high, low, quiet }
        };
        Self { name, members: members.map(member).collect(), together, tail, quiet_up_to }
    }
}

impl FittedMember {
    pub(super) fn neg_ln_all(&self, values: &[f64], scratch: &mut [f64], out: &mut [f64]) {
        neg_ln_all(&self.high, &self.low, values, scratch, out);
    }

    pub(super) fn neg_ln(&self, value: f64) -> f64 {
        let mut logs = [0.0];
        self.neg_ln_all(&[value], &mut [0.0; 2], &mut logs);
        logs[0]
    }
}

/// Copies a column of rows, held where it is to be.
fn copy(rows: ArrayView2<'_, f64>, all: &[Held], at: usize, to: &mut [f64]) {
    to.iter_mut().zip(rows.index_axis(Axis(1), at)).for_each(|(to, x)| *to = *x);
    if let Some(held) = all.iter().find(|held| held.column as usize == at) {
        to.iter_mut().for_each(|to| *to = held.hold(*to));
    }
}

impl Input {
    /// The values of rows, in `room` unless they can be read where they are; `scratch` has room for the columns of a
    /// joint view. What is at most `least` may be any number that is, if it is no column.
    pub(super) fn values<'a>(
        &self,
        rows: ArrayView2<'a, f64>,
        least: f64,
        all: &[Held],
        scratch: &mut [f64],
        room: &'a mut [f64],
    ) -> &'a [f64] {
        match self {
            Self::Column(at) => match rows.index_axis_move(Axis(1), *at).to_slice() {
                Some(values) if all.iter().all(|held| held.column as usize != *at) => values,
                _ => {
                    copy(rows, all, *at, room);
                    room
                }
            },
            Self::Joint { columns, model } => {
                let n = rows.nrows();
                let scratch = &mut scratch[..n * columns.len()];
                for (&at, to) in columns.iter().zip(scratch.chunks_exact_mut(n.max(1))) {
                    copy(rows, all, at, to);
                }
                if let Ok(part) = ArrayView2::from_shape((n, columns.len()).f(), &*scratch) {
                    model.score_block_above(least, part, room);
                }
                room
            }
        }
    }
}

impl Input {
    /// Adds a part of a row's score to the columns it comes from.
    fn blame(&self, row: ArrayView1<'_, f64>, all: &[Held], excess: f64, out: &mut [f64]) {
        match self {
            Self::Column(column) => out[*column] += excess,
            Self::Joint { columns, model } => {
                let part: Vec<f64> = columns.iter().map(|&column| held(all, column, row[column])).collect();
                let mut parts = vec![0.0; columns.len()];
                model.explain_row(ArrayView1::from(&part), &mut parts);
                parts.iter_mut().for_each(|part| *part = if *part > 0.0 { *part } else { 0.0 });
                let total: f64 = parts.iter().sum();
                let even = 1.0 / columns.len() as f64;
                for (&column, part) in columns.iter().zip(parts) {
                    out[column] += excess * if total > 0.0 { part / total } else { even };
                }
            }
        }
    }
}

impl Views {
    pub(crate) const NAME: &'static str = "views";

    /// Parameters, to be set, checked and fitted.
    pub fn params() -> Params<ViewsConfig> {
        Params::new(ViewsConfig::default())
    }

    /// Names of the views, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.views.iter().map(|view| view.name.as_str())
    }

    /// Number of views.
    pub fn n_views(&self) -> usize {
        self.views.len()
    }

    /// What a view of a row adds to its score before it is damped, from its −ln p.
    pub fn excess(&self, neg_ln: f64) -> f64 {
        self.rule.excess(neg_ln)
    }

    /// Columns of the widest joint view.
    fn widest(&self) -> usize {
        let width = |member: &FittedMember| match &member.input {
            Input::Column(_) => 0,
            Input::Joint { columns, .. } => columns.len(),
        };
        self.views.iter().flat_map(|view| &view.members).map(width).max().unwrap_or(0)
    }

    /// Scores rows into `raw`, the probabilities that a usual row scores as high into `tail`, and each view's −ln p
    /// into `parts` (rows × views).
    ///
    /// # Errors
    /// As [`score_into`](crate::score_into).
    pub fn score_parts(
        &self,
        rows: ArrayView2<'_, f64>,
        parts: &mut [f64],
        raw: &mut [f64],
        tail: &mut [f64],
    ) -> Result<(), Error> {
        check_columns(rows, self.n_columns)?;
        let n = rows.nrows();
        let lengths = [("parts", parts.len(), n * self.views.len()), ("raw", raw.len(), n), ("tail", tail.len(), n)];
        for (what, got, expected) in lengths {
            if got != expected {
                return Err(Error::Length { what, got, expected });
            }
        }
        if let Some((row, column)) = first_not_finite(rows) {
            return Err(Error::NotFinite { row, column, value: rows[[row, column]] });
        }
        let width = self.views.len();
        parts.fill(0.0);
        self.each_part(rows, raw, |row, view, neg_ln| parts[row * width + view] = neg_ln);
        self.tail.neg_ln_all(raw, tail);
        tail.iter_mut().for_each(|tail| *tail = libm::exp(-*tail));
        Ok(())
    }

    /// The score of each row; `visit(row, view, −ln p)` sees whatever views say, and not where they say nothing.
    fn each_part(&self, rows: ArrayView2<'_, f64>, raw: &mut [f64], mut visit: impl FnMut(usize, usize, f64)) {
        let most = raw.len().min(TILE);
        with_scratch(most * (6 + self.widest()), |scratch| {
            let mut room = Room::new(scratch, most);
            for (start, raw) in raw.chunks_mut(TILE).enumerate().map(|(i, raw)| (i * TILE, raw)) {
                let tile = slice_rows(rows, start, raw.len());
                raw.fill(0.0);
                for (v, view) in self.views.iter().enumerate() {
                    let least = if self.rule.is_silent() { Some(view.quiet_up_to) } else { None };
                    view.each_part(least, tile, &self.held, &mut room, |row, neg_ln| {
                        raw[row] += self.rule.excess(neg_ln);
                        visit(start + row, v, neg_ln);
                    });
                }
                for (i, raw) in raw.iter_mut().enumerate() {
                    *raw *= self.rule.left(|column| tile[[i, column]]);
                }
            }
        });
    }
}

impl Model for Views {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.n_columns
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        self.each_part(rows, out, |_, _, _| {});
    }

    /// What a view adds goes to the rarest of its columns. What joint views add goes to the same columns where views of
    /// columns say enough by themselves: that is more easily believed than a share of a distance. Else their detectors
    /// divide it.
    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        out.fill(0.0);
        let left = self.rule.left(|column| row[column]);
        let mut scratch = vec![0.0; self.widest()];
        let mut joint: Vec<(&Input, f64)> = Vec::new();
        for view in &self.views {
            let mut logs: Vec<f64> = Vec::with_capacity(view.members.len());
            for member in &view.members {
                let (row, mut room) = (row.view().insert_axis(Axis(0)), [0.0]);
                let value = member.input.values(row, f64::NEG_INFINITY, &self.held, &mut scratch, &mut room);
                logs.push(member.neg_ln(value[0]));
            }
            let all = logs.iter().fold(0.0, |all, neg_ln| view.together.with(all, *neg_ln));
            let excess = self.rule.excess(view.tail.as_ref().map_or(all, |tail| tail.neg_ln(all))) * left;
            let mut share = |member: usize, excess: f64| match &view.members[member].input {
                Input::Column(column) => out[*column] += excess,
                input => joint.push((input, excess)),
            };
            if view.together == Together::Sum && all > 0.0 {
                logs.iter().enumerate().for_each(|(member, neg_ln)| share(member, excess * (neg_ln / all)));
            } else if let Some(rarest) = (0..logs.len()).rev().max_by(|&a, &b| logs[a].total_cmp(&logs[b])) {
                share(rarest, excess);
            }
        }
        let (alone, together): (f64, f64) = (out.iter().sum(), joint.iter().map(|(_, excess)| excess).sum());
        if alone > ENOUGH * together {
            out.iter_mut().for_each(|out| *out *= 1.0 + together / alone);
        } else {
            joint.into_iter().for_each(|(input, excess)| input.blame(row, &self.held, excess, out));
        }
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        self.to_snapshot()
    }
}

impl Together {
    /// What members are together with one more.
    pub(super) fn with(self, before: f64, neg_ln: f64) -> f64 {
        match self {
            Self::Rarest => {
                if neg_ln > before {
                    neg_ln
                } else {
                    before
                }
            }
            Self::Sum => before + neg_ln,
        }
    }
}

impl Side {
    /// Whether high values are strange, and low ones.
    pub(super) fn ends(self) -> (bool, bool) {
        (self != Self::Lower, self != Self::Upper)
    }
}

predict!(Views);
