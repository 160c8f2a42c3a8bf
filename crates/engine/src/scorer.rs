//! What a model scores by.

use crible_score::ensemble::Ensemble;
use crible_score::views::Views;
use crible_score::{Error, Model, Snapshot};
use ndarray::{ArrayView1, ArrayView2};

/// Detectors whose opinions are averaged, or views whose rare ones are added up.
#[derive(Debug)]
pub(crate) enum Scorer {
    Ensemble(Ensemble),
    Views(Views),
}

impl Scorer {
    pub(crate) fn n_columns(&self) -> usize {
        self.model().n_columns()
    }

    /// Names of what has a score of its own.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Self::Ensemble(ensemble) => ensemble.names().collect(),
            Self::Views(views) => views.names().collect(),
        }
    }

    pub(crate) fn n_parts(&self) -> usize {
        match self {
            Self::Ensemble(ensemble) => ensemble.n_members(),
            Self::Views(views) => views.n_views(),
        }
    }

    /// Whether it looks at columns as they are, both sides of them.
    pub(crate) fn sees_plainly(&self) -> bool {
        matches!(self, Self::Views(_))
    }

    /// Name and reason of what could not be fitted.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = (&str, &str)> {
        let skipped = match self {
            Self::Ensemble(ensemble) => ensemble.skipped(),
            Self::Views(_) => &[],
        };
        skipped.iter().map(|skipped| (skipped.name.as_str(), skipped.reason.as_str()))
    }

    pub(crate) fn score_parts(
        &self,
        rows: ArrayView2<'_, f64>,
        parts: &mut [f64],
        raw: &mut [f64],
        tail: &mut [f64],
    ) -> Result<(), Error> {
        match self {
            Self::Ensemble(ensemble) => ensemble.score_parts(rows, parts, raw, tail),
            Self::Views(views) => views.score_parts(rows, parts, raw, tail),
        }
    }

    pub(crate) fn explain_row(&self, row: ArrayView1<'_, f64>, out: &mut [f64]) {
        self.model().explain_row(row, out);
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.model().snapshot()
    }

    pub(crate) fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        if snapshot.model() == "views" {
            return Views::from_snapshot(snapshot).map(Self::Views);
        }
        Ensemble::from_snapshot(snapshot).map(Self::Ensemble)
    }

    fn model(&self) -> &dyn Model {
        match self {
            Self::Ensemble(ensemble) => ensemble,
            Self::Views(views) => views,
        }
    }
}
