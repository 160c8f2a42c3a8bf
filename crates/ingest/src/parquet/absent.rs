//! In place of the Parquet reader, where the crate is built without Polars: such files are recognised and refused.

use std::convert::Infallible;
use std::sync::Arc;

use crate::build::Keys;
use crate::error::Error;
use crate::input::Input;
use crate::plan::Plan;
use crate::rows::Chunk;

/// A Parquet file's shape, of which there is none here.
#[derive(Clone, Debug)]
pub(crate) struct Table(Infallible);

impl Table {
    pub(crate) fn open(input: &Input) -> Result<Self, Error> {
        let reason = "this build reads no Parquet; build crible-ingest with its feature `polars`".to_owned();
        Err(Error::Parquet { path: input.path.clone(), reason })
    }

    pub(crate) fn columns(&self) -> Vec<String> {
        match self.0 {}
    }

    pub(crate) fn adapt(&self, _: &mut Plan) {
        match self.0 {}
    }

    pub(crate) fn sample(&self, _: &Plan) -> Result<Vec<Vec<String>>, Error> {
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
