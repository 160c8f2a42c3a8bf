use std::fmt;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::{Views, fit};
use crate::face::{Algorithm, Params};
use crate::{Detector, Error};

/// Which values of a column are strange.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Side {
    /// High ones.
    Upper,
    /// Low ones.
    Lower,
    /// Both.
    #[default]
    Both,
}

/// What a view is made of.
#[non_exhaustive]
pub enum Member {
    /// A column.
    Column {
        /// Its index.
        column: usize,
        /// Which of its values are strange.
        side: Side,
    },
    /// A detector on some columns.
    Joint {
        /// Their indices.
        columns: Vec<usize>,
        /// The detector; higher scores are stranger.
        detector: Box<dyn Detector>,
    },
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column { column, side } => write!(f, "Column({column}, {side:?})"),
            Self::Joint { columns, detector } => write!(f, "Joint({columns:?}, {})", detector.name()),
        }
    }
}

/// How the members of a view become one number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Together {
    /// The rarest counts.
    #[default]
    Rarest,
    /// Their −ln p are added up: what is somewhat rare in many members counts.
    Sum,
}

/// One view: a name and what it is made of, one member at least.
#[derive(Debug)]
pub struct View {
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub members: Vec<Member>,
    /// How its members become one number, which is made a tail probability once more.
    pub together: Together,
}

/// Parameters of [`Views`].
#[derive(Debug)]
pub struct ViewsConfig {
    pub(super) views: Vec<View>,
    pub(super) counts_from: f64,
    pub(super) rest: f64,
    pub(super) trim: f64,
    pub(super) rounds: usize,
    pub(super) most_rarer: f64,
    pub(super) held_out: f64,
    pub(super) expected: Option<(usize, f64)>,
    pub(super) ends: Vec<(usize, Side, f64)>,
}

impl Default for ViewsConfig {
    fn default() -> Self {
        Self {
            views: Vec::new(),
            counts_from: 2.0,
            rest: 0.02,
            trim: 0.02,
            rounds: 2,
            most_rarer: 3.0,
            held_out: 0.0,
            expected: None,
            ends: Vec::new(),
        }
    }
}

impl Params<ViewsConfig> {
    /// Adds a view. By default each column is one, both its sides strange.
    pub fn view(self, view: View) -> Self {
        self.with(|c| c.views.push(view))
    }

    /// From which −ln p on a view counts in full, 0 to 20; 2 by default.
    pub fn counts_from(self, neg_ln: f64) -> Self {
        self.with(|c| c.counts_from = neg_ln)
    }

    /// What of a view's −ln p counts in any case, 0 to 1; 0.02 by default. With 0 a view that is no rarer than what counts
    /// says nothing, and its part is 0: rows are then scored much faster.
    pub fn rest(self, rest: f64) -> Self {
        self.with(|c| c.rest = rest)
    }

    /// The share of rows that is left out before tails are fitted anew, 0 up to ½; 0.02 by default.
    pub fn trim(self, share: f64) -> Self {
        self.with(|c| c.trim = share)
    }

    /// How often that is done, 0 to 10; twice by default.
    pub fn rounds(self, rounds: usize) -> Self {
        self.with(|c| c.rounds = rounds)
    }

    /// How much rarer a value may be for what was left out, as a logarithm, 0 to 40; 3 by default, which is twenty
    /// times.
    pub fn most_rarer(self, more: f64) -> Self {
        self.with(|c| c.most_rarer = more)
    }

    /// The share of rows, the last ones, 0 up to ½, that the score's tail is made of, as views score them that are
    /// fitted on the rows before: what is fitted scores its own rows lower than others. None by default, and the tail
    /// is then that of all rows of the fit.
    pub fn held_out(self, share: f64) -> Self {
        self.with(|c| c.held_out = share)
    }

    /// A column that says how much a row was to be expected, 0 to 1, and what share of the score of one that was
    /// entirely so goes, 0 to
    /// 1. None by default.
    pub fn expected(self, column: usize, share: f64) -> Self {
        self.with(|c| c.expected = Some((column, share)))
    }
}

impl Params<ViewsConfig> {
    /// Where a column can end on one side. If that is more than three times as far from its middle as any row of the
    /// fit, nothing was learned of what lies between: values there are as strange as the one row in a hundred that is
    /// furthest out, in every view.
    pub fn end(self, column: usize, side: Side, end: f64) -> Self {
        self.with(|c| c.ends.push((column, side, end)))
    }
}

impl Algorithm for ViewsConfig {
    const NAME: &'static str = Views::NAME;
    type Model = Views;

    fn check(&self) -> Result<(), Error> {
        let range = |name, value: f64, is_in: bool, range| {
            if is_in { Ok(()) } else { Err(Error::parameter(Self::NAME, name, value, range)) }
        };
        range("counts_from", self.counts_from, (0.0..=20.0).contains(&self.counts_from), "0 to 20")?;
        range("rest", self.rest, self.rest >= 0.0 && self.rest <= 1.0, "0 <= x <= 1")?;
        range("trim", self.trim, (0.0..0.5).contains(&self.trim), "0 <= x < 0.5")?;
        range("rounds", self.rounds as f64, self.rounds <= 10, "0 to 10")?;
        range("most_rarer", self.most_rarer, (0.0..=40.0).contains(&self.most_rarer), "0 to 40")?;
        range("held_out", self.held_out, (0.0..=0.5).contains(&self.held_out), "0 to 0.5")?;
        let share = self.expected.map_or(0.0, |(_, share)| share);
        range("expected", share, (0.0..=1.0).contains(&share), "0 to 1")?;
        let empty = self.views.iter().filter(|view| {
            let is_empty = |member: &Member| matches!(member, Member::Joint { columns, .. } if columns.is_empty());
            view.members.is_empty() || view.members.iter().any(is_empty)
        });
        match empty.count() {
            0 => Ok(()),
            n => Err(Error::parameter(Self::NAME, "view", n, "no view without members or columns")),
        }
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Views, Error> {
        fit::fit(self, rows)
    }
}
