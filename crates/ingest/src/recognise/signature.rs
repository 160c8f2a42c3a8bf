/// What a recognition rests on, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Signature {
    /// Nothing was recognised: the user named the feed or the columns.
    Named,
    /// The exact header, or the exact beginning, that one feed alone is known to have.
    Exact,
    /// A header that several feeds have, and rows that show what those of one feed alone do.
    Evidence,
    /// The columns that every file of the feed has, in any order and among others.
    Columns,
    /// A header that means what the feed's does: in another order, case or language, with columns more or fewer. The
    /// number is the confidence in hundredths.
    Near(u8),
    /// A header that several feeds have, and rows that one feed's dates and amounts read best.
    Readable,
    /// No header: the number of columns, and what the first row looks like.
    Shape,
}

impl Signature {
    /// How much it says, from 0 to 1. These are ranks and no probabilities: 1 is certain by what is known of all feeds,
    /// at 0.9 a row has to have said so, at 0.8 other columns may mean another feed, at 0.7 the feeds differ in nothing
    /// but the way they write values, and at 0.6 nothing in the file has a name. What a near header differs in takes
    /// from 0.95.
    pub fn confidence(self) -> f64 {
        match self {
            Self::Named | Self::Exact => 1.0,
            Self::Evidence => 0.9,
            Self::Columns => 0.8,
            Self::Near(hundredths) => f64::from(hundredths) / 100.0,
            Self::Readable => 0.7,
            Self::Shape => 0.6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surer_a_signature_the_more_it_says() {
        use Signature::{Columns, Evidence, Exact, Named, Near, Readable, Shape};
        let all = [Named, Exact, Evidence, Columns, Readable, Shape];
        assert!(all.windows(2).all(|pair| pair[0] < pair[1] && pair[0].confidence() >= pair[1].confidence()));
        let all = [&all[..], &[Near(50), Near(95)]].concat();
        assert!(all.iter().all(|signature| signature.confidence() > 0.0 && signature.confidence() <= 1.0));
    }
}
