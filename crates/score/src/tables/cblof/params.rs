use linfa::ParamGuard;
use ndarray::ArrayView2;

use super::Cblof;
use crate::Error;
use crate::face::{Algorithm, Params};
use crate::kmeans::KMeans;

/// Rows k-means is run on at most.
const MOST_ROWS: usize = 4_096;

/// Parameters of [`Cblof`].
#[derive(Debug, Clone, PartialEq)]
pub struct CblofConfig {
    n_clusters: usize,
    alpha: f64,
    beta: f64,
    seed: u64,
}

impl Default for CblofConfig {
    fn default() -> Self {
        Self { n_clusters: 8, alpha: 0.9, beta: 5.0, seed: 0 }
    }
}

impl Params<CblofConfig> {
    /// Number of clusters, 1 to 4,096; 8 by default. Fewer when there are fewer rows.
    pub fn n_clusters(self, n_clusters: usize) -> Self {
        self.with(|c| c.n_clusters = n_clusters)
    }

    /// Share of the rows that large clusters hold, in (0, 1); 0.9 by default.
    pub fn alpha(self, alpha: f64) -> Self {
        self.with(|c| c.alpha = alpha)
    }

    /// How many times larger the smallest of the large clusters is than the largest of the small, above
    /// 1; 5 by default.
    pub fn beta(self, beta: f64) -> Self {
        self.with(|c| c.beta = beta)
    }

    /// Seed; 0 by default.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|c| c.seed = seed)
    }
}

impl Algorithm for CblofConfig {
    const NAME: &'static str = Cblof::NAME;
    type Model = Cblof;

    fn check(&self) -> Result<(), Error> {
        if !(1..=4_096).contains(&self.n_clusters) {
            return Err(Error::parameter(Self::NAME, "n_clusters", self.n_clusters, "1 to 4,096"));
        }
        if !(0.0 < self.alpha && self.alpha < 1.0) {
            return Err(Error::parameter(Self::NAME, "alpha", self.alpha, "0 < x < 1"));
        }
        if !(1.0 < self.beta && self.beta < f64::INFINITY) {
            return Err(Error::parameter(Self::NAME, "beta", self.beta, "1 < x < ∞"));
        }
        Ok(())
    }

    fn fit(&self, rows: ArrayView2<'_, f64>) -> Result<Cblof, Error> {
        let clusters = KMeans::params()
            .n_clusters(self.n_clusters)
            .n_runs(1)
            .max_samples(MOST_ROWS)
            .seed(self.seed)
            .check()?
            .fit_rows(rows)?;
        let mut sizes = vec![0; clusters.centroids().nrows()];
        clusters.nearest_to(rows).into_iter().for_each(|c| sizes[c] += 1);
        Ok(Cblof::new(clusters.with_centers(&large(&sizes, self.alpha, self.beta))?, sizes.len()))
    }
}

/// The large clusters, by number, ascending.
fn large(sizes: &[usize], alpha: f64, beta: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&c| (std::cmp::Reverse(sizes[c]), c));
    let n: usize = sizes.iter().sum();
    let holds = |i: usize| order[..i].iter().map(|&c| sizes[c]).sum::<usize>() as f64 >= alpha * n as f64;
    let falls = |i: usize| sizes[order[i - 1]] as f64 >= beta * sizes[order[i]] as f64;
    let mut cuts = 1..order.len();
    let cut = cuts
        .clone()
        .find(|&i| holds(i) && falls(i))
        .or_else(|| cuts.clone().find(|&i| holds(i)))
        .or_else(|| cuts.find(|&i| falls(i)))
        .unwrap_or(order.len());
    order.truncate(cut);
    order.sort_unstable();
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts() {
        fn check(sizes: &[usize], expect: &[usize]) {
            assert_eq!(large(sizes, 0.9, 5.0), expect, "{sizes:?}");
        }
        check(&[6, 100, 60], &[1, 2]);
        check(&[95, 5], &[0]);
        // Only alpha, at the first that reaches it.
        check(&[30, 30, 30, 10], &[0, 1, 2]);
        // Neither.
        check(&[50, 50, 50], &[0, 1, 2]);
        check(&[7], &[0]);
        // An empty cluster is small.
        check(&[50, 0, 50], &[0, 2]);
    }
}
