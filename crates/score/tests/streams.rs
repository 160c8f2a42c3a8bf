//! Models that learn: what they hold is decided by the rows and the seed, and is all that a score depends on.

#![allow(clippy::unwrap_used)] // A test that cannot unwrap should fail.

use crible_score::half_space_trees::HalfSpaceTrees;
use crible_score::robust_random_cut_forest::RobustRandomCutForest;
use crible_score::{Error, Model, Snapshot, load, score};
use linfa::ParamGuard;
use ndarray::{Array1, Array2, ArrayView1, Axis, array};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

fn cloud(n: usize, center: f64, seed: u64) -> Array2<f64> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut normal = || center + (0..6).map(|_| rng.gen_range(-1.0..1.0)).sum::<f64>();
    Array2::from_shape_fn((n, 3), |_| normal())
}

/// A model that learns, as both of them are.
trait Learns: Model + Sized + 'static {
    fn make(seed: u64) -> Self;
    fn learn_row(&mut self, row: ArrayView1<'_, f64>) -> Result<(), Error>;
    fn read(snapshot: &Snapshot) -> Self;
}

impl Learns for HalfSpaceTrees {
    fn make(seed: u64) -> Self {
        let params = Self::params().n_trees(25).window(100).seed(seed);
        params.check().unwrap().fit_rows(cloud(400, 0.0, 1).view()).unwrap()
    }

    fn learn_row(&mut self, row: ArrayView1<'_, f64>) -> Result<(), Error> {
        self.learn(row)
    }

    fn read(snapshot: &Snapshot) -> Self {
        Self::from_snapshot(snapshot).unwrap()
    }
}

impl Learns for RobustRandomCutForest {
    fn make(seed: u64) -> Self {
        let params = Self::params().n_trees(20).max_samples(64).window(200).seed(seed);
        params.check().unwrap().fit_rows(cloud(400, 0.0, 1).view()).unwrap()
    }

    fn learn_row(&mut self, row: ArrayView1<'_, f64>) -> Result<(), Error> {
        self.learn(row)
    }

    fn read(snapshot: &Snapshot) -> Self {
        Self::from_snapshot(snapshot).unwrap()
    }
}

fn bits(model: &dyn Model, rows: &Array2<f64>) -> Vec<u64> {
    score(model, rows.view()).unwrap().iter().map(|s| s.to_bits()).collect()
}

fn one(model: &dyn Model, row: ArrayView1<'_, f64>) -> f64 {
    score(model, row.insert_axis(Axis(0))).unwrap()[0]
}

/// On any number of threads, with or without a stop in between.
#[test]
fn the_same_rows_are_the_same_model() {
    fn check<M: Learns>() {
        let (stream, probes) = (cloud(333, 0.5, 2), cloud(200, 1.0, 3));
        let mut model = M::make(7);
        let before = bits(&model, &probes);
        stream.outer_iter().for_each(|row| model.learn_row(row).unwrap());
        let after = bits(&model, &probes);
        assert_ne!(before, after, "nothing was learned");

        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let mut other = M::make(7);
        for row in stream.outer_iter().take(150) {
            one_thread.install(|| other.learn_row(row)).unwrap();
        }
        let bytes = other.snapshot().to_bytes();
        let mut other = M::read(&Snapshot::from_bytes(&bytes).unwrap());
        stream.outer_iter().skip(150).for_each(|row| other.learn_row(row).unwrap());
        assert_eq!(other.snapshot().to_bytes(), model.snapshot().to_bytes());
        assert_eq!(bits(load(&other.snapshot()).unwrap().as_ref(), &probes), after);
        let mut seeded_otherwise = M::make(8);
        stream.outer_iter().for_each(|row| seeded_otherwise.learn_row(row).unwrap());
        assert_ne!(bits(&seeded_otherwise, &probes), after);
    }
    check::<HalfSpaceTrees>();
    check::<RobustRandomCutForest>();
}

/// A crowd somewhere else becomes usual, and where the rows used to be becomes strange.
#[test]
fn what_is_usual_moves() {
    fn check<M: Learns>() {
        let mut model = M::make(1);
        // Within the range of the fit, but far from its middle.
        let (old, new) = (array![0.0, 0.0, 0.0], array![2.4, 2.4, 2.4]);
        assert!(one(&model, old.view()) < one(&model, new.view()));
        for row in cloud(2_000, 0.0, 5).mapv(|x| 2.4 + 0.05 * x).outer_iter() {
            model.learn_row(row).unwrap();
        }
        assert!(one(&model, old.view()) > one(&model, new.view()));
    }
    check::<HalfSpaceTrees>();
    check::<RobustRandomCutForest>();
}

#[test]
fn memory_does_not_grow_with_the_rows() {
    fn check<M: Learns>() {
        let mut model = M::make(1);
        let mut sizes = vec![];
        for (i, row) in cloud(3_000, 0.0, 6).outer_iter().enumerate() {
            model.learn_row(row).unwrap();
            if i % 500 == 499 {
                sizes.push(model.snapshot().to_bytes().len());
            }
        }
        let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
        assert!(*most as f64 <= 1.3 * *least as f64, "{sizes:?}");
    }
    check::<HalfSpaceTrees>();
    check::<RobustRandomCutForest>();
}

/// Rows that cannot be scored cannot be learned either, and change nothing.
#[test]
fn what_is_refused() {
    fn check<M: Learns>() {
        let mut model = M::make(1);
        let before = model.snapshot();
        let width = model.learn_row(Array1::zeros(2).view()).unwrap_err();
        assert!(matches!(width, Error::Columns { got: 2, expected: 3 }), "{width}");
        for bad in [f64::NAN, f64::INFINITY] {
            let found = model.learn_row(array![0.0, bad, 0.0].view()).unwrap_err();
            assert!(matches!(found, Error::NotFinite { row: 0, column: 1, .. }), "{found}");
        }
        assert_eq!(model.snapshot(), before);
        // Any finite row can.
        model.learn_row(array![f64::MAX, f64::MIN, 0.0].view()).unwrap();
        assert!(score(&model, cloud(10, 0.0, 9).view()).unwrap().iter().all(|s| s.is_finite()));
    }
    check::<HalfSpaceTrees>();
    check::<RobustRandomCutForest>();
}

/// Half-space trees score by whole windows: nothing changes until one is full.
#[test]
fn a_window_at_a_time() {
    let (mut model, probes) = (HalfSpaceTrees::make(3), cloud(50, 0.3, 4));
    let before = bits(&model, &probes);
    let stream = cloud(100, 1.0, 8);
    for (i, row) in stream.outer_iter().enumerate() {
        assert_eq!(model.n_latest(), i as u32);
        assert_eq!(bits(&model, &probes), before, "after {i} rows");
        model.learn(row).unwrap();
    }
    assert_eq!(model.n_latest(), 0);
    assert_ne!(bits(&model, &probes), before);
}
