//! Words by which feeds say what a transaction is.

/// The transaction is not final.
pub(crate) const PENDING: u8 = 1;
/// It takes back an earlier one, as if that had not been.
pub(crate) const REVERSAL: u8 = 2;
/// It gives back money of an earlier one.
pub(crate) const REFUND: u8 = 4;
/// It moves money between accounts.
pub(crate) const TRANSFER: u8 = 8;

const REVERSALS: &[&str] = &[
    "chargeback",
    "reversal",
    "reversed",
    "reverse",
    "rvsl",
    "storno",
    "stornierung",
    "ruecklastschrift",
    "rücklastschrift",
    "returned",
    "nrti",
];
const REFUNDS: &[&str] = &["refund", "refunded", "refunds", "return", "returns", "erstattung", "rückerstattung"];
const TRANSFERS: &[&str] =
    &["transfer", "transfers", "xfer", "tfr", "trf", "trnsfr", "ntrf", "umbuchung", "übertrag", "virement"];

/// What a feed's category or channel says: by its words, whatever stands between them.
pub(super) fn marks(text: &str) -> u8 {
    let text = text.to_lowercase();
    let mut marks = 0;
    for word in text.split(|letter: char| !letter.is_alphanumeric()) {
        for (list, mark) in [(REVERSALS, REVERSAL), (REFUNDS, REFUND), (TRANSFERS, TRANSFER)] {
            if list.contains(&word) {
                marks |= mark;
            }
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_words_are_understood() {
        for (text, expect) in [
            ("Return", REFUND),
            ("Payment Refund", REFUND),
            ("CARD_REFUND", REFUND),
            ("Payment Reversal", REVERSAL),
            ("NRTI", REVERSAL),
            ("ACCT_XFER", TRANSFER),
            ("TRANSFER_IN", TRANSFER),
            ("Sale", 0),
            ("transferable", 0),
            ("", 0),
        ] {
            assert_eq!(marks(text), expect, "{text}");
        }
    }
}
