use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};

/// What a choice is worth on tables that had no say in it: random halves of the tables, a detector chosen on one and
/// judged on the other.
///
/// The detector with the best mean average precision on the first half is chosen. Means are over the tables of a half.
/// Detectors that fail anywhere do not take part. With an odd number of tables the half that judges has one more.
#[derive(Clone, Debug, PartialEq)]
pub struct Halves {
    /// How many splits there were.
    pub splits: u32,
    /// How many tables were split.
    pub tables: usize,
    /// What was chosen, on the other half: the mean over the splits.
    pub chosen: Figures,
    /// Each detector on the same halves; none where it failed on a table.
    pub detectors: Vec<Option<Half>>,
}

/// A detector on the halves that judge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Half {
    /// How often it was what was chosen.
    pub times_chosen: u32,
    /// The mean over the splits.
    pub mean: Figures,
    /// On how many halves what was chosen is ahead of it: in ROC AUC, and in average precision.
    pub behind: (u32, u32),
}

/// What is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// The area under the ROC curve.
    pub roc_auc: f64,
    /// Average precision.
    pub average_precision: f64,
}

impl Halves {
    /// Splits the tables `splits` times. `figures[detector]` has average precision and ROC AUC by table, `None` where
    /// the detector failed. `None` where fewer than two tables or no detector is left.
    pub fn new(figures: &[[Vec<Option<f64>>; 2]], splits: u32, seed: u64) -> Option<Self> {
        let whole = |of: &[Vec<Option<f64>>; 2]| -> Option<[Vec<f64>; 2]> {
            let [precision, auc] = of;
            Some([precision.iter().copied().collect::<Option<_>>()?, auc.iter().copied().collect::<Option<_>>()?])
        };
        let figures: Vec<Option<[Vec<f64>; 2]>> = figures.iter().map(whole).collect();
        let tables = figures.iter().flatten().map(|[precision, _]| precision.len()).next().filter(|n| *n >= 2)?;
        let mean = |of: &[Vec<f64>; 2], half: &[usize]| {
            let mean = |figure: &[f64]| half.iter().map(|table| figure[*table]).sum::<f64>() / half.len() as f64;
            Figures { average_precision: mean(&of[0]), roc_auc: mean(&of[1]) }
        };
        let n = f64::from(splits);
        let add = |sum: &mut Figures, one: Figures| {
            sum.roc_auc += one.roc_auc / n;
            sum.average_precision += one.average_precision / n;
        };
        let mut bits = Xoshiro256PlusPlus::seed_from_u64(SplitMix64::seed_from_u64(seed).next_u64());
        let mut order: Vec<usize> = (0..tables).collect();
        let mut chosen = Figures::default();
        let none = Half { times_chosen: 0, mean: Figures::default(), behind: (0, 0) };
        let mut detectors: Vec<Option<Half>> = figures.iter().map(|of| of.as_ref().map(|_| none)).collect();
        for _ in 0..splits {
            for i in (1..tables).rev() {
                order.swap(i, (bits.next_u64() % (i as u64 + 1)) as usize);
            }
            let (first, other) = order.split_at(tables / 2);
            let known = || figures.iter().enumerate().filter_map(|(at, of)| Some((at, of.as_ref()?)));
            let precision = |of: &[Vec<f64>; 2]| mean(of, first).average_precision;
            // Of equals the one named first.
            let (best, of) = known().rev().max_by(|a, b| precision(a.1).total_cmp(&precision(b.1)))?;
            let judged = mean(of, other);
            add(&mut chosen, judged);
            for (half, of) in detectors.iter_mut().zip(&figures) {
                let (Some(half), Some(of)) = (half, of) else { continue };
                let own = mean(of, other);
                add(&mut half.mean, own);
                half.behind.0 += u32::from(judged.roc_auc > own.roc_auc);
                half.behind.1 += u32::from(judged.average_precision > own.average_precision);
            }
            if let Some(half) = &mut detectors[best] {
                half.times_chosen += 1;
            }
        }
        Some(Self { splits, tables, chosen, detectors })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn of(precision: &[f64], auc: &[f64]) -> [Vec<Option<f64>>; 2] {
        [precision, auc].map(|all| all.iter().copied().map(Some).collect())
    }

    #[test]
    fn what_is_best_everywhere_is_chosen_always() {
        let good = of(&[0.9, 0.8, 0.7, 0.6], &[0.9; 4]);
        let bad = of(&[0.5, 0.4, 0.3, 0.2], &[0.95; 4]);
        let mut failed = good.clone();
        failed[0][2] = None;
        let halves = Halves::new(&[bad, failed, good], 100, 0).unwrap();
        assert_eq!((halves.splits, halves.tables, halves.detectors[1]), (100, 4, None));
        let [bad, good] = [halves.detectors[0].unwrap(), halves.detectors[2].unwrap()];
        assert_eq!((bad.times_chosen, good.times_chosen), (0, 100));
        assert_eq!((bad.behind, good.behind), ((0, 100), (0, 0)));
        assert!((halves.chosen.average_precision - good.mean.average_precision).abs() < 1e-12);
        assert!((0.7..0.8).contains(&halves.chosen.average_precision));
    }

    /// A detector that is best on the half it is chosen on is not so on the other: that is what the other half shows.
    #[test]
    fn a_choice_is_judged_where_it_was_not_made() {
        let lucky = of(&[1.0, 0.0], &[1.0, 0.0]);
        let unlucky = of(&[0.0, 1.0], &[0.0, 1.0]);
        let halves = Halves::new(&[lucky, unlucky], 50, 3).unwrap();
        assert_eq!(halves.chosen, Figures { roc_auc: 0.0, average_precision: 0.0 });
        let times: Vec<u32> = halves.detectors.iter().flatten().map(|half| half.times_chosen).collect();
        assert!(times.iter().sum::<u32>() == 50 && times.iter().all(|times| *times > 10), "{times:?}");
        assert_eq!(Halves::new(&[of(&[1.0], &[1.0])], 5, 0), None);
        assert_eq!(Halves::new(&[], 5, 0), None);
    }
}
