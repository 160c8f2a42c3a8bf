use super::studentized;

/// Detectors by their mean rank over tables, and how far apart two have to be for it to be more than luck.
///
/// The test is Friedman's, in the form of Iman and Davenport; the critical difference is Nemenyi's. J. Demšar,
/// *Statistical Comparisons of Classifiers over Multiple Data Sets*, JMLR 7 (2006).
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// The detectors, best first; of equals the one named first.
    pub ranked: Vec<Ranked>,
    /// Tables that count: those every ranked detector has a figure for.
    pub tables: usize,
    /// Friedman's statistic, distributed as χ² with one degree of freedom less than there are detectors.
    pub chi_squared: f64,
    /// The chance of differences this large if all were alike, by that distribution.
    pub p_value: f64,
    /// Mean ranks further apart than this differ at the 5 % level.
    pub critical_difference: f64,
}

/// A detector's place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Its number, as given.
    pub detector: usize,
    /// The mean of its ranks; 1 is best, and equals share the mean of their places.
    pub mean_rank: f64,
    /// The mean of its figure.
    pub mean: f64,
}

impl Ranking {
    /// Ranks detectors by a figure of which more is better: `figures[detector][table]`, `None` where it failed. A
    /// detector that failed everywhere is left out; tables on which one of the others failed do not count. `None`
    /// where fewer than two detectors or no table is left.
    ///
    /// ```
    /// use crible_eval::bench::Ranking;
    ///
    /// let figures = [vec![Some(0.9), Some(0.8)], vec![Some(0.7), Some(0.8)]];
    /// let ranking = Ranking::new(&figures).ok_or("nothing to compare")?;
    /// assert_eq!(ranking.ranked[0].mean_rank, 1.25);
    /// # Ok::<(), &str>(())
    /// ```
    pub fn new(figures: &[Vec<Option<f64>>]) -> Option<Self> {
        let there: Vec<usize> = (0..figures.len()).filter(|&d| figures[d].iter().any(Option::is_some)).collect();
        let tables: Vec<Vec<f64>> = (0..figures.first()?.len())
            .filter_map(|t| there.iter().map(|&d| figures[d].get(t).copied().flatten()).collect())
            .collect();
        let (k, n) = (there.len(), tables.len());
        if k < 2 || n == 0 {
            return None;
        }
        let mut ranks = vec![0.0; k];
        let mut ties = 0.0;
        for table in &tables {
            for (rank, &figure) in ranks.iter_mut().zip(table) {
                let better = table.iter().filter(|&&other| other > figure).count() as f64;
                let equal = table.iter().filter(|&&other| other == figure).count() as f64;
                *rank += better + (equal + 1.0) / 2.0;
                // Summed over the members of a tie of t, t³ − t.
                ties += equal * equal - 1.0;
            }
        }
        let (kf, nf) = (k as f64, n as f64);
        ranks.iter_mut().for_each(|rank| *rank /= nf);
        let spread: f64 = ranks.iter().map(|rank| (rank - (kf + 1.0) / 2.0).powi(2)).sum();
        // Friedman's statistic, corrected for ties; where everything is tied there is no difference.
        let unlike = 1.0 - ties / (nf * kf * (kf * kf - 1.0));
        let chi_squared = if unlike > 0.0 { 12.0 * nf * spread / (kf * (kf + 1.0)) / unlike } else { 0.0 };
        let mut ranked: Vec<Ranked> = (0..k)
            .map(|i| Ranked {
                detector: there[i],
                mean_rank: ranks[i],
                mean: tables.iter().map(|table| table[i]).sum::<f64>() / nf,
            })
            .collect();
        ranked.sort_by(|a, b| a.mean_rank.total_cmp(&b.mean_rank));
        Some(Self {
            ranked,
            tables: n,
            chi_squared,
            p_value: studentized::chi_squared_above(chi_squared, k - 1),
            critical_difference: studentized::nemenyi(k) * (kf * (kf + 1.0) / (6.0 * nf)).sqrt(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// What SciPy 1.17's `friedmanchisquare` gives for the same figures.
    #[test]
    fn friedman() {
        let rows = [
            [0.76, 0.77, 0.78, 0.79],
            [0.60, 0.59, 0.59, 0.66],
            [0.95, 0.96, 0.94, 0.95],
            [0.63, 0.62, 0.66, 0.67],
            [0.58, 0.58, 0.58, 0.60],
            [0.78, 0.79, 0.81, 0.81],
        ];
        let figures: Vec<Vec<Option<f64>>> = (0..4).map(|d| rows.iter().map(|r| Some(r[d])).collect()).collect();
        let ranking = Ranking::new(&figures).unwrap();
        assert_eq!(ranking.ranked.iter().map(|r| r.detector).collect::<Vec<_>>(), [3, 2, 1, 0]);
        let ranks: Vec<f64> = ranking.ranked.iter().map(|r| r.mean_rank * 6.0).collect();
        assert_eq!(ranks, [8.0, 16.0, 17.5, 18.5]);
        assert!((ranking.chi_squared - 7.754_716_981_132_08).abs() < 1e-9, "{}", ranking.chi_squared);
        assert!((ranking.p_value - 0.051_362_5).abs() < 1e-6, "{}", ranking.p_value);
        assert!((ranking.critical_difference - 2.569 * (20.0f64 / 36.0).sqrt()).abs() < 1e-3);
    }

    #[test]
    fn failures_leave_the_comparison_fair() {
        let figures = [vec![Some(0.9), None, Some(0.5)], vec![Some(0.8), Some(0.1), Some(0.6)], vec![None, None, None]];
        let ranking = Ranking::new(&figures).unwrap();
        assert_eq!((ranking.tables, ranking.ranked.len()), (2, 2));
        assert_eq!(ranking.ranked[0].mean_rank, 1.5);
        assert_eq!(Ranking::new(&figures[2..]), None);
        assert_eq!(Ranking::new(&[vec![Some(1.0)], vec![]]).map(|r| r.tables), None);
        let same = Ranking::new(&[vec![Some(0.5)], vec![Some(0.5)]]).unwrap();
        assert_eq!((same.chi_squared, same.p_value), (0.0, 1.0));
    }
}
