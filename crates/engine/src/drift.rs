use std::collections::BTreeMap;
use std::fmt;

use crible_alert::ModelId;
use crible_core::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The tail probabilities that are counted: one in ten, and where severities begin.
const NOMINAL: [f64; 4] = [0.1, 1e-2, 1e-3, 1e-4];
const WEEK: i64 = 7 * Timestamp::DAY;
/// 1970-01-01 was a Thursday: weeks begin on Mondays.
const MONDAY: i64 = -3 * Timestamp::DAY;
/// Weeks that are kept, the latest ones: ten years.
const MOST_WEEKS: usize = 520;

/// How often transactions scored as high as ordinary ones do once in 10, 100, 1,000 and 10,000, week by week, since an
/// engine has its model.
///
/// A tail probability promises that a share `p` of ordinary transactions has at most `p`. Where the share of all comes
/// to differ much from that, and stays different, the feed is no longer what the model was fitted on: it is time to
/// look at it, and perhaps to fit again. Weeks are those of the transactions' own times, from Monday on, in UTC. Frauds
/// count, too; they are too few to matter above 1 in 1,000.
///
/// ```
/// # fn main() -> Result<(), crible::Error> {
/// # use crible::core::{Amount, Batch, Currency, EntityId, Timestamp, Transaction, TxnId};
/// # let history = Batch::from_transactions((0..900).map(|n: i64| {
/// #     let account = EntityId::from_pseudorandom(1 + n as u64 % 9);
/// #     let amount = Amount::new(-900 - n * n % 371, Currency::EUR);
/// #     Transaction::new(TxnId(n as u128), Timestamp(n * 3_600_000_000), account, amount)
/// # }));
/// let mut engine = crible::Engine::builder().fit(&history)?;
/// engine.replay(&history, |_model, _scored| Ok::<_, crible::Error>(()))?;
/// for week in engine.drift().weeks() {
///     println!("{}: {} of {} at 1 in 100", week.begins, week.tails[1].realised, week.scored);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    model: ModelId,
    /// By week, transactions scored and those of each nominal tail probability at most.
    weeks: BTreeMap<i64, Counts>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    scored: u64,
    realised: [u64; NOMINAL.len()],
}

/// One week of [`Drift`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct DriftWeek {
    /// Its Monday, 0:00 UTC.
    pub begins: Timestamp,
    /// Transactions scored.
    pub scored: u64,
    /// From the most frequent to the rarest.
    pub tails: [DriftTail; NOMINAL.len()],
}

/// Transactions of one week whose tail probability was at most so much.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct DriftTail {
    /// The tail probability.
    pub nominal: f64,
    /// How many there were.
    pub realised: u64,
    /// How many there would be, were all ordinary: nominal × scored.
    pub expected: f64,
}

impl DriftTail {
    /// Realised against expected; 1 where nothing has been scored.
    pub fn ratio(&self) -> f64 {
        if self.expected > 0.0 { self.realised as f64 / self.expected } else { 1.0 }
    }
}

/// The number of the week of a time; what lies before the year 1 or after 9999, which no date can be written for, is of
/// the first or last week of these.
fn week_of(at: Timestamp) -> i64 {
    const FIRST: i64 = -719_162 * Timestamp::DAY;
    const LAST: i64 = 2_932_890 * Timestamp::DAY;
    at.0.clamp(FIRST, LAST).saturating_sub(MONDAY).div_euclid(WEEK)
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.scored = self.scored.saturating_add(other.scored);
        let both = self.realised.iter_mut().zip(other.realised);
        both.for_each(|(here, there)| *here = here.saturating_add(there));
    }

    fn week(&self, week: i64) -> DriftWeek {
        let mut tails = [DriftTail { nominal: 0.0, realised: 0, expected: 0.0 }; NOMINAL.len()];
        for ((tail, nominal), realised) in tails.iter_mut().zip(NOMINAL).zip(self.realised) {
            *tail = DriftTail { nominal, realised, expected: nominal * self.scored as f64 };
        }
        DriftWeek { begins: Timestamp(week.saturating_mul(WEEK).saturating_add(MONDAY)), scored: self.scored, tails }
    }
}

impl Drift {
    pub(crate) fn new(model: ModelId) -> Self {
        Self { model, weeks: BTreeMap::new() }
    }

    /// The model whose scores were counted.
    pub fn model(&self) -> ModelId {
        self.model
    }

    /// The weeks in which anything was scored, oldest first: the latest 520 at most.
    pub fn weeks(&self) -> impl DoubleEndedIterator<Item = DriftWeek> {
        self.weeks.iter().map(|(week, counts)| counts.week(*week))
    }

    /// All weeks as one, which begins with the first; `None` where nothing was scored.
    pub fn total(&self) -> Option<DriftWeek> {
        let (first, _) = self.weeks.first_key_value()?;
        let mut all = Counts::default();
        self.weeks.values().for_each(|counts| all.add(counts));
        Some(all.week(*first))
    }

    /// Counts one transaction.
    pub(crate) fn count(&mut self, at: Timestamp, tail: f64) {
        let counts = self.weeks.entry(week_of(at)).or_default();
        counts.scored += 1;
        for (realised, nominal) in counts.realised.iter_mut().zip(NOMINAL) {
            *realised += u64::from(tail <= nominal);
        }
        self.forget_oldest();
    }

    /// Adds what another engine with the same model has counted; of another model nothing.
    pub(crate) fn add(&mut self, other: &Self) {
        if self.model == other.model {
            other.weeks.iter().for_each(|(week, counts)| self.weeks.entry(*week).or_default().add(counts));
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        while self.weeks.len() > MOST_WEEKS {
            self.weeks.pop_first();
        }
    }
}

/// A line a week: its Monday, transactions scored, and realised against expected at 1 in 10, 100, 1,000 and 10,000.
impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<10} {:>10}", "week", "scored")?;
        for nominal in NOMINAL {
            write!(f, " {:>16}", format!("1 in {:.0}", 1.0 / nominal))?;
        }
        writeln!(f)?;
        for week in self.weeks() {
            writeln!(f, "{week}")?;
        }
        Ok(())
    }
}

impl fmt::Display for DriftWeek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.begins.to_string();
        write!(f, "{:<10} {:>10}", day.get(..10).unwrap_or(&day), self.scored)?;
        for tail in self.tails {
            write!(f, " {:>16}", format!("{} / {:.1}", tail.realised, tail.expected))?;
        }
        Ok(())
    }
}

/// As it is written: the model, and a week by its Monday with its counts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    model: ModelId,
    /// Tail probabilities, from the most frequent to the rarest.
    nominal: [f64; NOMINAL.len()],
    weeks: Vec<WrittenWeek>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWeek {
    begins: Timestamp,
    scored: u64,
    realised: [u64; NOMINAL.len()],
}

impl Serialize for Drift {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let week = |(week, counts): (&i64, &Counts)| WrittenWeek {
            begins: counts.week(*week).begins,
            scored: counts.scored,
            realised: counts.realised,
        };
        Written { model: self.model, nominal: NOMINAL, weeks: self.weeks.iter().map(week).collect() }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Drift {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { model, nominal, weeks } = Written::deserialize(deserializer)?;
        if nominal != NOMINAL {
            return Err(D::Error::custom(format_args!("nominal tail probabilities {nominal:?}, expected {NOMINAL:?}")));
        }
        if weeks.len() > MOST_WEEKS || !weeks.is_sorted_by(|a, b| a.begins < b.begins) {
            return Err(D::Error::custom(format_args!(
                "{} weeks, expected at most {MOST_WEEKS}, in order",
                weeks.len()
            )));
        }
        let mut drift = Self::new(model);
        for WrittenWeek { begins, scored, realised } in weeks {
            let counts = Counts { scored, realised };
            let week = week_of(begins);
            if counts.week(week).begins != begins || scored < realised[0] || !realised.is_sorted_by(|a, b| a >= b) {
                return Err(D::Error::custom(format_args!(
                    "week of {begins}: {realised:?} of {scored}, expected a Monday and counts that fall from {scored} \
                     on"
                )));
            }
            drift.weeks.insert(week, counts);
        }
        Ok(drift)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const MONDAY_NOON: Timestamp = Timestamp(1_736_164_800_000_000);

    #[test]
    fn weeks_are_counted_shown_and_kept() {
        let mut drift = Drift::new(ModelId(7));
        for n in 0..1_000 {
            let tail = f64::from(n) / 1_000.0;
            drift.count(Timestamp(MONDAY_NOON.0 + WEEK * i64::from(n % 2)), tail);
            // A day before: the week before.
            drift.count(Timestamp(MONDAY_NOON.0 - Timestamp::DAY), tail / 10.0);
        }
        let weeks: Vec<_> = drift.weeks().collect();
        assert_eq!(weeks.iter().map(|week| week.scored).collect::<Vec<_>>(), [1_000, 500, 500]);
        assert_eq!(weeks[0].tails.map(|tail| tail.realised), [1_000, 101, 11, 2]);
        assert_eq!(weeks[1].tails.map(|tail| tail.realised), [51, 6, 1, 1]);
        assert!((weeks[0].tails[1].ratio() - 10.1).abs() < 1e-9);
        assert_eq!(drift.total().unwrap().scored, 2_000);
        let shown = drift.to_string();
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>().join(" "),
            "week scored 1 in 10 1 in 100 1 in 1000 1 in 10000"
        );
        let line = lines[1].split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(line, "2024-12-30 1000 1000 / 100.0 101 / 10.0 11 / 1.0 2 / 0.1");
        let json = serde_json::to_value(&drift).unwrap();
        assert_eq!(json["weeks"][1]["realised"][1], 6);
        assert_eq!(serde_json::from_value::<Drift>(json).unwrap(), drift);
        let mut twice = drift.clone();
        twice.add(&drift);
        twice.add(&Drift { model: ModelId(8), ..drift.clone() });
        assert_eq!(twice.total().unwrap().scored, 4_000);
    }

    /// The times of a hostile feed make no more weeks than are kept, and forged counts are refused.
    #[test]
    fn weeks_are_bounded() {
        let mut drift = Drift::new(ModelId(7));
        for n in (0..2_000).rev() {
            drift.count(Timestamp(MONDAY_NOON.0 + WEEK * n), 0.5);
        }
        [i64::MIN, i64::MAX].into_iter().for_each(|at| drift.count(Timestamp(at), 0.5));
        assert_eq!(drift.weeks().count(), MOST_WEEKS);
        assert_eq!(drift.weeks().next_back().unwrap().scored, 1);
        let refused = |forge: fn(&mut serde_json::Value)| {
            let mut json = serde_json::to_value(&drift).unwrap();
            forge(&mut json);
            serde_json::from_value::<Drift>(json).unwrap_err().to_string()
        };
        assert!(refused(|json| json["weeks"].as_array_mut().unwrap().swap(0, 1)).contains("in order"));
        assert!(refused(|json| json["weeks"][3]["realised"][2] = 1.into()).contains("expected a Monday and counts"));
        assert!(refused(|json| json["nominal"][0] = 0.5.into()).contains("expected [0.1, 0.01"));
    }
}
