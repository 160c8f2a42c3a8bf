#![doc = include_str!("../README.md")]

mod alert;
mod budget;
mod day;
mod decision;
mod false_share;
mod id;
mod policy;
pub mod reasons;
pub mod recurring;
mod score;
pub mod wire;
mod wording;

pub use alert::{Alert, Payment, Reason};
pub use budget::{Budget, BudgetError};
pub use day::Day;
pub use decision::{Decision, Note};
pub use false_share::FalseShare;
pub use id::{AlertId, BadId, ModelId};
pub use policy::{DailyBudget, Policy, PolicyError, Threshold};
pub use score::{BadSeverity, Score, Severity};
pub use wording::{Context, Look, Reader, Shown, describe, exact, looks_like, sentences};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_cross_threads() {
        fn check<T: Send + Sync>() {}
        check::<Alert>();
        check::<Decision>();
        check::<Reason>();
        check::<Budget>();
        check::<BudgetError>();
        check::<Payment>();
        check::<FalseShare>();
        check::<DailyBudget>();
        check::<Threshold>();
        check::<PolicyError>();
        check::<Severity>();
        check::<wire::Alert>();
        check::<wire::WireError>();
    }
}
