//! In place of the reader of Parquet and Arrow, where the crate is built without Polars: such files are recognised and
//! refused.

use std::convert::Infallible;
use std::sync::Arc;

use crate::build::Keys;
use crate::error::Error;
use crate::input::Input;
use crate::plan::Plan;
use crate::rows::Chunk;

/// What a file of typed columns is stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Parquet,
    Arrow,
}

impl Kind {
    /// By a file's first bytes.
    pub(crate) fn of(_: &Input, head: &[u8]) -> Result<Option<Self>, Error> {
        Ok(if head.starts_with(b"PAR1") {
            Some(Self::Parquet)
        } else if head.starts_with(b"ARROW1") || head.starts_with(b"\xff\xff\xff\xff") || head.starts_with(b"FEA1") {
            Some(Self::Arrow)
        } else {
            None
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::Arrow => "Arrow",
        }
    }
}

/// The shape of a Parquet or Arrow file, of which there is none here.
#[derive(Clone, Debug)]
pub(crate) struct Table(Infallible);

impl Table {
    pub(crate) fn open(input: &Input, kind: Kind) -> Result<Self, Error> {
        let reason = format!("this build reads no {}; build crible-ingest with its feature `polars`", kind.name());
        let path = input.path.clone();
        Err(match kind {
            Kind::Parquet => Error::Parquet { path, reason },
            Kind::Arrow => Error::Arrow { path, reason },
        })
    }

    pub(crate) fn columns(&self) -> Vec<String> {
        match self.0 {}
    }

    pub(crate) fn texts(&self, _: &[usize], _: &[Vec<String>]) -> Vec<(usize, String)> {
        match self.0 {}
    }

    pub(crate) fn adapt(&self, _: &mut Plan) {
        match self.0 {}
    }

    pub(crate) fn sample(&self, _: &Plan, _: bool) -> Result<(Vec<Vec<String>>, bool), Error> {
        match self.0 {}
    }

    pub(crate) fn scan(&self, _: &Plan, _: &mut dyn FnMut(&[String]) -> bool) -> Result<(), Error> {
        match self.0 {}
    }

    pub(crate) fn rows(self, _: Arc<Plan>, _: Arc<Keys>) -> Result<Rows, Error> {
        match self.0 {}
    }
}

/// The rows of a Parquet file, of which there are none here.
pub(crate) struct Rows(Infallible);

impl Rows {
    pub(crate) fn next(&mut self) -> Result<Option<Chunk>, Error> {
        match self.0 {}
    }
}
