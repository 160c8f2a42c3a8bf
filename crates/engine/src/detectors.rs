use std::fmt;
use std::str::FromStr;

use crible_score::robust_z::Aggregate;
use crible_score::{Detector, Scale, ecod, hbos, isolation_forest, kmeans, robust_z, sampled_knn};
use linfa::ParamGuard;

use crate::Error;

/// A detector the engine can run, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DetectorName {
    /// Largest robust z-score of a column (median and median absolute deviation).
    RobustZ,
    /// Sum of squares of the columns' robust z-scores.
    RobustDistance,
    /// Empirical-cumulative-distribution outlier detection.
    Ecod,
    /// Histogram-based outlier score.
    Hbos,
    /// Isolation forest.
    IsolationForest,
    /// Distance to the nearest of k means.
    KMeans,
    /// Distance to the third nearest of small samples.
    SampledKnn,
}

impl DetectorName {
    /// All there are, in the order of their columns in a scores file.
    pub const ALL: [Self; 7] = [
        Self::RobustZ,
        Self::RobustDistance,
        Self::Ecod,
        Self::Hbos,
        Self::IsolationForest,
        Self::KMeans,
        Self::SampledKnn,
    ];

    /// Those that run unless told: one of the largest column, one of all columns together and one of partitions rank both
    /// transaction sets better than all seven, and in less than half the time. ECOD and HBOS add up how rare columns are, and so
    /// count what is merely rare as much as what is far out.
    pub const DEFAULT: [Self; 3] = [Self::RobustZ, Self::RobustDistance, Self::IsolationForest];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RobustZ => "robust_z",
            Self::RobustDistance => "robust_distance",
            Self::Ecod => "ecod",
            Self::Hbos => "hbos",
            Self::IsolationForest => "isolation_forest",
            Self::KMeans => "kmeans",
            Self::SampledKnn => "sampled_knn",
        }
    }

    /// The detector with its default parameters and a seed.
    pub(crate) fn build(self, seed: u64) -> Result<Box<dyn Detector>, crible_score::Error> {
        Ok(match self {
            // The engine's columns are 0 for the usual half of all rows and pass 1 in one row of a hundred. A normal column
            // that does so has a deviation of 1 / 2.326, and no column is held to be narrower.
            Self::RobustZ => Box::new(robust_z::RobustZ::params().min_unit(0.43).check()?),
            Self::RobustDistance => {
                let params = robust_z::RobustZ::params().min_unit(0.43);
                Box::new(params.aggregate(Aggregate::MeanSquare).check()?)
            }
            Self::Ecod => Box::new(ecod::Ecod::params().check()?),
            // A bin hardly anything falls into has to count for more than the default alpha lets it: a handful of
            // frauds stands among tens of thousands of rows.
            Self::Hbos => Box::new(hbos::Hbos::params().alpha(1e-3).check()?),
            // A third of the time of a score is this forest's; forty-eight trees rank the two transaction sets as a hundred do.
            Self::IsolationForest => {
                Box::new(isolation_forest::IsolationForest::params().n_trees(48).seed(seed).check()?)
            }
            Self::KMeans => Box::new(kmeans::KMeans::params().n_runs(1).min_share(0.02).seed(seed).check()?),
            // The engine's columns are in one unit already. The third nearest of sixty-four: the first is as often chance.
            Self::SampledKnn => {
                let params = sampled_knn::SampledKnn::params().n_neighbors(3).scale(Scale::Raw);
                Box::new(params.seed(seed).check()?)
            }
        })
    }
}

impl fmt::Display for DetectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DetectorName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|d| d.as_str() == name.trim()).ok_or_else(|| Error::UnknownDetector {
            name: name.to_owned(),
            known: Self::ALL.map(Self::as_str).join(", "),
        })
    }
}
