use ndarray::{ArrayView1, ArrayView2, Axis, ShapeBuilder};
use serde::{Deserialize, Serialize};

use super::view::{Column, Evener};
use super::{Combine, EnsembleConfig, View};
use crate::calibration::{Parts, ScoreTail};
use crate::error::SnapshotError;
use crate::face::{Params, predict};
use crate::rows::{TILE, slice_rows, with_scratch};
use crate::score::{check_columns, first_not_finite};
use crate::{Error, Model, Snapshot, load};

/// Fitted members with their calibrations. See the [module](super) documentation.
#[derive(Debug)]
pub struct Ensemble {
    n_columns: usize,
    combine: Combine,
    evener: Option<Evener>,
    members: Vec<Member>,
    tail: ScoreTail,
    skipped: Vec<Skipped>,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) model: Box<dyn Model>,
    pub(super) view: View,
    pub(super) tail: ScoreTail,
}

/// A member that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Skipped {
    /// Name of the detector.
    pub name: String,
    /// Its error, in words.
    pub reason: String,
}

/// What is stored of an ensemble all of whose members see columns as they are.
#[derive(Serialize, Deserialize)]
struct Plain {
    n_columns: u64,
    combine: Combine,
    members: Vec<(Snapshot, Parts)>,
    tail: Parts,
    skipped: Vec<Skipped>,
}

impl From<Plain> for Body {
    fn from(plain: Plain) -> Self {
        let members = plain.members.into_iter().map(|(snapshot, tail)| (snapshot, View::Raw, tail));
        Self {
            n_columns: plain.n_columns,
            combine: plain.combine,
            columns: vec![],
            members: members.collect(),
            tail: plain.tail,
            skipped: plain.skipped,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Body {
    n_columns: u64,
    combine: Combine,
    columns: Vec<Column>,
    members: Vec<(Snapshot, View, Parts)>,
    tail: Parts,
    skipped: Vec<Skipped>,
}

impl Ensemble {
    pub(crate) const NAME: &'static str = "ensemble";
    /// Of [`Plain`], of [`Body`], and of a [`Body`] that is combined in a way which version 2 did not know.
    const PLAIN: u32 = 1;
    const VERSION: u32 = 2;
    const LATEST: u32 = 3;

    /// Parameters: add members, then check and fit.
    ///
    /// ```
    /// use crible_score::{ecod::Ecod, ensemble::Ensemble, hbos::Hbos};
    /// use linfa::ParamGuard;
    /// use ndarray::Array2;
    ///
    /// let rows = Array2::from_shape_fn((500, 3), |(i, j)| ((i * (j + 7)) % 101) as f64);
    /// let ensemble = Ensemble::params()
    ///     .member(Box::new(Ecod::params().check()?))
    ///     .member(Box::new(Hbos::params().check()?))
    ///     .check()?
    ///     .fit_rows(rows.view())?;
    /// assert_eq!(ensemble.names().collect::<Vec<_>>(), ["ecod", "hbos"]);
    /// # Ok::<(), crible_score::Error>(())
    /// ```
    pub fn params() -> Params<EnsembleConfig> {
        Params::new(EnsembleConfig::default())
    }

    pub(super) fn new(
        n_columns: usize,
        combine: Combine,
        evener: Option<Evener>,
        members: Vec<Member>,
        tail: ScoreTail,
        skipped: Vec<Skipped>,
    ) -> Self {
        Self { n_columns, combine, evener, members, tail, skipped }
    }

    /// Number of members that were fitted.
    pub fn n_members(&self) -> usize {
        self.members.len()
    }

    /// Names of the members that were fitted, in the order they were added.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.members.iter().map(|m| m.model.name())
    }

    /// The members that were fitted, in the order they were added, each with its calibration. One that sees
    /// columns otherwise than they are ([`View`]) scores rows so seen.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&dyn Model, &ScoreTail)> {
        self.members.iter().map(|m| (m.model.as_ref(), &m.tail))
    }

    /// The members that were left out.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Calibration of the combined score.
    pub fn tail(&self) -> &ScoreTail {
        &self.tail
    }

    /// Scores n rows into three slices: `parts` (n × members, row after row: each member's own
    /// score), `raw` (n: the combined score, which is what [`Model::score_block`] gives) and `tail`
    /// (n: the probability that a usual row scores at least `raw`). Runs on the calling thread.
    ///
    /// # Errors
    /// [`Error::Columns`], [`Error::Length`], or [`Error::NotFinite`] naming row and column.
    pub fn score_parts(
        &self,
        rows: ArrayView2<'_, f64>,
        parts: &mut [f64],
        raw: &mut [f64],
        tail: &mut [f64],
    ) -> Result<(), Error> {
        check_columns(rows, self.n_columns)?;
        let n = rows.nrows();
        let lengths = [("parts", parts.len(), n * self.members.len()), ("raw", raw.len(), n), ("tail", tail.len(), n)];
        for (what, got, expected) in lengths {
            if got != expected {
                return Err(Error::Length { what, got, expected });
            }
        }
        if let Some((row, column)) = first_not_finite(rows) {
            return Err(Error::NotFinite { row, column, value: rows[[row, column]] });
        }
        let width = self.members.len();
        self.each_part(rows, raw, |row, member, score| parts[row * width + member] = score);
        tail.iter_mut().zip(raw).for_each(|(p, raw)| *p = self.tail.probability(*raw));
        Ok(())
    }

    /// The combined score of each row; `visit(row, member, score)` sees every member's own.
    fn each_part(&self, rows: ArrayView2<'_, f64>, raw: &mut [f64], mut visit: impl FnMut(usize, usize, f64)) {
        let (most, n_members) = (raw.len().min(TILE), self.members.len());
        let evened = if self.evener.is_some() { self.n_columns } else { 0 };
        with_scratch(most * (1 + n_members + evened), |scratch| {
            let (scores, rest) = scratch.split_at_mut(most);
            let (logs, even) = rest.split_at_mut(most * n_members);
            for (start, raw) in raw.chunks_mut(TILE).enumerate().map(|(i, raw)| (i * TILE, raw)) {
                let tile = slice_rows(rows, start, raw.len());
                let even = self.even(tile.view(), even);
                let scores = &mut scores[..raw.len()];
                for (m, member) in self.members.iter().enumerate() {
                    member.model.score_block(if member.view == View::Even { even.view() } else { tile.view() }, scores);
                    for (i, score) in scores.iter().enumerate() {
                        logs[i * n_members + m] = member.tail.neg_ln(*score);
                        visit(start + i, m, *score);
                    }
                }
                for (raw, logs) in raw.iter_mut().zip(logs.chunks_exact_mut(n_members)) {
                    *raw = self.combine.score(logs);
                }
            }
        });
    }

    /// The rows as [`View::Even`] has them, in `space`; as they are where no member sees them so.
    fn even<'a>(&self, rows: ArrayView2<'a, f64>, space: &'a mut [f64]) -> ArrayView2<'a, f64> {
        let Some(evener) = &self.evener else { return rows };
        let space = &mut space[..rows.len()];
        evener.fill(rows, space);
        // As many numbers as the shape asks for.
        ArrayView2::from_shape(rows.raw_dim().f(), space).unwrap_or(rows)
    }

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let body: Body = match snapshot.version() {
            Self::PLAIN => snapshot.decode::<Plain>(Self::NAME, Self::PLAIN)?.into(),
            Self::VERSION => snapshot.decode(Self::NAME, Self::VERSION)?,
            _ => snapshot.decode(Self::NAME, Self::LATEST)?,
        };
        let invalid = |what: &str| Err(SnapshotError::invalid(Self::NAME, what));
        let mut members = Vec::new();
        let evener = if body.columns.is_empty() { None } else { Some(Evener::from_columns(body.columns)?) };
        if evener.as_ref().is_some_and(|e| e.columns().len() as u64 != body.n_columns) {
            return invalid("a view of another width");
        }
        for (snapshot, view, tail) in body.members {
            // Else bytes could nest deeper than the stack.
            if snapshot.model() == Self::NAME {
                return invalid("an ensemble is no member of an ensemble");
            }
            let model = load(&snapshot)?;
            if model.n_columns() as u64 != body.n_columns {
                return invalid("members of different widths");
            }
            if view == View::Even && evener.is_none() {
                return invalid("a member with a view that is not there");
            }
            members.push(Member { model, view, tail: ScoreTail::from_parts(tail)? });
        }
        let Some(first) = members.first() else {
            return invalid("no member");
        };
        let n_columns = first.model.n_columns();
        let tail = ScoreTail::from_parts(body.tail)?;
        Ok(Self::new(n_columns, body.combine, evener, members, tail, body.skipped))
    }
}

impl Model for Ensemble {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn n_columns(&self) -> usize {
        self.n_columns
    }

    fn score_block(&self, rows: ArrayView2<'_, f64>, out: &mut [f64]) {
        self.each_part(rows, out, |_, _, _| {});
    }

    fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        out.fill(0.0);
        let mut part = vec![0.0; out.len()];
        let mut space = vec![0.0; out.len()];
        let even = self.even(row.view().insert_axis(Axis(0)), &mut space);
        let seen = |member: &Member| if member.view == View::Even { even.row(0) } else { row.view() };
        let neg_ln = |member: &Member| {
            let mut score = [0.0];
            member.model.score_block(seen(member).insert_axis(Axis(0)), &mut score);
            member.tail.neg_ln(score[0])
        };
        let logs: Vec<f64> = self.members.iter().map(neg_ln).collect();
        for (member, weight) in self.members.iter().zip(self.combine.parts(&logs)) {
            if weight == 0.0 {
                continue;
            }
            member.model.explain_row(seen(member), &mut part);
            part.iter_mut().for_each(|x| *x = if *x > 0.0 { *x } else { 0.0 });
            // Scaled by the largest first, so that the total of huge contributions stays finite.
            let most = part.iter().fold(0.0, |m, x| if *x > m { *x } else { m });
            let total: f64 = part.iter().map(|x| x / most).sum();
            let even = 1.0 / out.len() as f64;
            for (to, x) in out.iter_mut().zip(&part) {
                *to += weight * if most > 0.0 { x / most / total } else { even };
            }
        }
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Snapshot {
        let (n_columns, combine) = (self.n_columns as u64, self.combine);
        let (tail, skipped) = (self.tail.parts().clone(), self.skipped.clone());
        let parts = |m: &Member| (m.model.snapshot(), m.tail.parts().clone());
        let version = if combine == Combine::UpperMiddle { Self::LATEST } else { Self::VERSION };
        if version == Self::VERSION && self.evener.is_none() {
            let members = self.members.iter().map(parts).collect();
            return Snapshot::new(Self::NAME, Self::PLAIN, &Plain { n_columns, combine, members, tail, skipped });
        }
        let member = |m: &Member| (m.model.snapshot(), m.view, m.tail.parts().clone());
        let members = self.members.iter().map(member).collect();
        let columns = self.evener.as_ref().map_or_else(Vec::new, |evener| evener.columns().to_vec());
        Snapshot::new(Self::NAME, version, &Body { n_columns, combine, columns, members, tail, skipped })
    }
}

predict!(Ensemble);
