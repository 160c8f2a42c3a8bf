//! Writes a small snapshot of every model that has none yet in `tests/fixtures/snapshots`, with rows and the
//! scores it gives them. The contract suite asserts that they load and score the same for ever: files that are
//! there are never written again.
//!
//! ```text
//! cargo run --release -p crible-score --example snapshots
//! ```

use std::error::Error;
use std::path::Path;

use crible_score::cblof::Cblof;
use crible_score::ensemble::{Combine, Ensemble, FitOn, View};
use crible_score::extended_isolation_forest::ExtendedIsolationForest;
use crible_score::half_space_trees::HalfSpaceTrees;
use crible_score::inne::Inne;
use crible_score::isolation_forest::IsolationForest;
use crible_score::kmeans::KMeans;
use crible_score::loda::Loda;
use crible_score::robust_random_cut_forest::RobustRandomCutForest;
use crible_score::sciforest::SciForest;
use crible_score::{Detector, ParamGuard, detector, model_names, score};
use data_encoding::HEXLOWER;
use ndarray::{Array2, Axis, concatenate};

/// The detector of that name, with its default parameters unless these would make a large file.
fn small(name: &str) -> Result<Box<dyn Detector>, crible_score::Error> {
    Ok(match name {
        "cblof" => Box::new(Cblof::params().n_clusters(3).check()?),
        "ensemble" => Box::new(Ensemble::params().member(detector("ecod", 0)?).member(detector("knn", 0)?).check()?),
        "extended_isolation_forest" => Box::new(ExtendedIsolationForest::params().n_trees(4).check()?),
        "half_space_trees" => Box::new(HalfSpaceTrees::params().n_trees(3).height(5).check()?),
        "inne" => Box::new(Inne::params().n_estimators(8).check()?),
        "isolation_forest" => Box::new(IsolationForest::params().n_trees(8).check()?),
        "kmeans" => Box::new(KMeans::params().n_clusters(3).check()?),
        "loda" => Box::new(Loda::params().n_cuts(8).check()?),
        "robust_random_cut_forest" => Box::new(RobustRandomCutForest::params().n_trees(3).check()?),
        "sciforest" => Box::new(SciForest::params().n_trees(4).check()?),
        _ => detector(name, 0)?,
    })
}

/// An ensemble with a member that sees evened columns.
fn viewed(combine: Combine) -> Result<Box<dyn Detector>, crible_score::Error> {
    let params = Ensemble::params().member_on(detector("ecod", 0)?, View::Even, FitOn::All);
    let params = params.member(detector("knn", 0)?).member_on(detector("robust_z", 0)?, View::Raw, FitOn::Usual);
    Ok(Box::new(params.combine(combine).check()?))
}

/// 48 × 3 from a linear congruential generator: two clusters and a column of few values.
fn rows() -> Array2<f64> {
    let mut state = 12_345_u64;
    Array2::from_shape_fn((48, 3), |(i, j)| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let u = (state >> 40) as f64 / 16_777_216.0;
        match j {
            0 => {
                if i % 3 == 0 {
                    10.0 + u
                } else {
                    u
                }
            }
            1 => 1.0 / (0.02 + u),
            _ => (u * 4.0).floor(),
        }
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/snapshots");
    let fit = rows();
    let strangers = Array2::from_shape_vec((2, 3), vec![4.0, -20.0, 7.0, 1e6, 3.0, 1.5])?;
    let probes = concatenate(Axis(0), &[fit.view(), strangers.view()])?.select(Axis(0), &[0, 1, 2, 17, 30, 48, 49]);
    // Of a model with several formats, one of each.
    let formats = [("ensemble-v2", Combine::UpperHalf), ("ensemble-v3", Combine::UpperMiddle)];
    let formats = formats.into_iter().map(|(file, combine)| Ok((file, viewed(combine)?)));
    let views = std::iter::once(small("views").map(|detector| ("views-v2", detector)));
    let named = model_names().map(|name| Ok((name, small(name)?)));
    for made in named.chain(formats).chain(views) {
        let (name, detector): (&str, Box<dyn Detector>) = made.map_err(|error: crible_score::Error| error)?;
        let path = folder.join(format!("{name}.json"));
        if path.exists() {
            continue;
        }
        let model = detector.fit(fit.view())?;
        let file = serde_json::json!({
            "snapshot": HEXLOWER.encode(&model.snapshot().to_bytes()),
            "rows": probes.outer_iter().map(|row| row.to_vec()).collect::<Vec<_>>(),
            "scores": score(model.as_ref(), probes.view())?.to_vec(),
        });
        std::fs::write(&path, format!("{file}\n"))?;
        println!("{}", path.display());
    }
    Ok(())
}
