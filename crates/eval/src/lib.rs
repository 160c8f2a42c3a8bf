#![doc = include_str!("../README.md")]

pub mod bench;
pub mod metrics;
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
        check::<simulate::Simulation>();
        check::<simulate::Builder>();
        check::<simulate::BuildError>();
        check::<simulate::Simulated>();
        check::<simulate::UnknownScenario>();
    }
}
