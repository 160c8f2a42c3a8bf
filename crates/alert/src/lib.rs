#![doc = include_str!("../README.md")]

mod alert;
mod budget;
mod id;
mod ranker;
pub mod reasons;
mod score;
pub mod wire;
mod wording;

pub use alert::{Alert, Reason};
pub use budget::{Budget, BudgetError};
pub use id::{AlertId, ModelId, Purpose};
pub use ranker::{RankError, Ranked, Ranker};
pub use score::{Score, Severity};
pub use wording::tell;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_cross_threads() {
        fn check<T: Send + Sync>() {}
        check::<Alert>();
        check::<Reason>();
        check::<Budget>();
        check::<BudgetError>();
        check::<Ranker<Vec<f64>>>();
        check::<Ranked<Vec<f64>>>();
        check::<RankError>();
        check::<Severity>();
        check::<wire::Alert>();
        check::<wire::WireError>();
    }
}
