#![doc = include_str!("../README.md")]

pub mod bench;
pub mod metrics;
pub mod panel;
pub mod simulate;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_cross_threads() {
        fn check<T: Send + Sync>() {}
        check::<bench::BenchError>();
        check::<bench::Ranking>();
        check::<metrics::MetricError>();
        check::<metrics::CardPrecision>();
        check::<panel::Judged>();
        check::<panel::Found>();
        check::<simulate::Simulation>();
        check::<simulate::UnknownScenario>();
        check::<simulate::Builder>();
        check::<simulate::BuildError>();
        check::<simulate::Simulated>();
    }
}
