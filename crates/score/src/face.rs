//! Two faces for one algorithm.
//!
//! A detector is written once, as an [`Algorithm`]: its parameters, their check and the fit. From
//! that follow, without another line,
//!
//! * [`Detector`], the object-safe trait the engine and the ensemble hold, on [`Checked`] parameters;
//! * linfa's idiom: `Ecod::params()` is [`Params`], a builder with linfa's `ParamGuard`, so that
//!   `.fit(&dataset)` checks and fits to the concrete model, and `.check()?` gives [`Checked`].
//!
//! `predict!` adds linfa's `PredictInplace` to a model. `Detector::fit` and `linfa::traits::Fit::fit`
//! have one name: import the one that is meant, or call [`Checked::fit_rows`], which is neither.

use std::fmt;

use linfa::ParamGuard;
use linfa::dataset::DatasetBase;
use linfa::traits::Fit;
use ndarray::{ArrayBase, ArrayView2, Data, Ix2};

use crate::score::check_fit;
use crate::{Detector, Error, Model};

/// A detector's parameters and its fit; the only thing a new detector has to write besides its model.
pub trait Algorithm: fmt::Debug + Send + Sync {
    /// Stable name, also of the model's snapshots.
    const NAME: &'static str;

    /// The same, where parameters make another detector of it.
    fn name(&self) -> &'static str {
        Self::NAME
    }

    /// What the fit gives.
    type Model: Model + 'static;

    /// Whether every parameter lies in its range. Write checks positively, so that NaN fails.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    fn check(&self) -> Result<(), Error>;

    /// Fits on rows already checked: at least one row and one column, all finite.
    ///
    /// # Errors
    /// What the detector states.
    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Self::Model, Error>;
}

/// Parameters still to be checked: a builder. `check()` comes from linfa's [`ParamGuard`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params<A>(Checked<A>);

/// Parameters that passed their check.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checked<A>(A);

impl<A> Params<A> {
    pub(crate) fn new(algorithm: A) -> Self {
        Self(Checked(algorithm))
    }

    /// The setters of a detector are written with this.
    pub(crate) fn with(mut self, set: impl FnOnce(&mut A)) -> Self {
        set(&mut self.0.0);
        self
    }
}

impl<A> Checked<A> {
    /// The parameters.
    pub fn get(&self) -> &A {
        &self.0
    }
}

impl<A: Algorithm> Checked<A> {
    /// Fits to the concrete model.
    ///
    /// # Errors
    /// As [`Detector::fit`].
    pub fn fit_rows(&self, rows: ArrayView2<'_, f64>) -> Result<A::Model, Error> {
        check_fit(rows)?;
        self.0.fit(rows)
    }
}

impl<A: Algorithm> ParamGuard for Params<A> {
    type Checked = Checked<A>;
    type Error = Error;

    fn check_ref(&self) -> Result<&Checked<A>, Error> {
        self.0.0.check()?;
        Ok(&self.0)
    }

    fn check(self) -> Result<Checked<A>, Error> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl<A: Algorithm, D: Data<Elem = f64>, T> Fit<ArrayBase<D, Ix2>, T, Error> for Checked<A> {
    type Object = A::Model;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<A::Model, Error> {
        self.fit_rows(dataset.records.view())
    }
}

impl<A: Algorithm> Detector for Checked<A> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Box<dyn Model>, Error> {
        Ok(Box::new(self.fit_rows(rows)?))
    }
}

/// linfa's `PredictInplace` for a model, hence `predict` on matrices and datasets.
///
/// linfa's trait returns no error, so `predict` panics where [`score`](crate::score()) would return one.
macro_rules! predict {
    ($model:ty) => {
        impl<D: ::ndarray::Data<Elem = f64>>
            ::linfa::traits::PredictInplace<::ndarray::ArrayBase<D, ::ndarray::Ix2>, ::ndarray::Array1<f64>>
            for $model
        {
            fn predict_inplace(
                &self,
                rows: &::ndarray::ArrayBase<D, ::ndarray::Ix2>,
                scores: &mut ::ndarray::Array1<f64>,
            ) {
                match $crate::score(self, rows.view()) {
                    Ok(found) => scores.assign(&found),
                    Err(error) => panic!("predict: {error}"),
                }
            }

            fn default_target(&self, rows: &::ndarray::ArrayBase<D, ::ndarray::Ix2>) -> ::ndarray::Array1<f64> {
                ::ndarray::Array1::zeros(rows.nrows())
            }
        }
    };
}
pub(crate) use predict;
