//! Rows that could not be read because they are no transactions: what exports have among their rows and below them.

use super::Fields;
use crate::plan::Plan;
use crate::value::text::is_same;
use crate::value::time::Memo;

/// Words that lines of totals and balances begin with.
const TOTALS: [&str; 34] = [
    "total",
    "totals",
    "grand total",
    "subtotal",
    "sub total",
    "sum",
    "balance",
    "opening balance",
    "closing balance",
    "beginning balance",
    "ending balance",
    "starting balance",
    "available balance",
    "current balance",
    "ledger balance",
    "brought forward",
    "carried forward",
    "summe",
    "gesamt",
    "gesamtsumme",
    "zwischensumme",
    "saldo",
    "anfangssaldo",
    "endsaldo",
    "kontostand",
    "solde",
    "totaux",
    "totaal",
    "beginsaldo",
    "eindsaldo",
    "suma",
    "razem",
    "totale",
    "somme",
];

/// What lines of balances say that are dated and have a sum as transactions do.
const BALANCES: [&str; 43] = [
    "opening balance",
    "closing balance",
    "beginning balance",
    "ending balance",
    "starting balance",
    "previous balance",
    "balance b/f",
    "balance c/f",
    "balance brought forward",
    "balance carried forward",
    "brought forward",
    "carried forward",
    "anfangssaldo",
    "anfangsbestand",
    "endsaldo",
    "endbestand",
    "schlusssaldo",
    "saldovortrag",
    "alter kontostand",
    "neuer kontostand",
    "solde initial",
    "solde final",
    "solde précédent",
    "ancien solde",
    "nouveau solde",
    "saldo inicial",
    "saldo final",
    "saldo anterior",
    "beginsaldo",
    "eindsaldo",
    "vorig saldo",
    "nieuw saldo",
    "saldo początkowe",
    "saldo końcowe",
    "saldo iniziale",
    "saldo finale",
    "ingående saldo",
    "utgående saldo",
    "počáteční zůstatek",
    "konečný zůstatek",
    "nyitó egyenleg",
    "záró egyenleg",
    "входящий остаток",
];

/// The three bytes that these begin with, so that most texts cost one look.
const STARTS: [&[u8; 3]; 24] = [
    b"ope", b"clo", b"beg", b"end", b"sta", b"pre", b"bal", b"bro", b"car", b"anf", b"sch", b"sal", b"alt", b"neu",
    b"sol", b"anc", b"nou", b"ein", b"vor", b"nie", b"ing", b"utg", b"kon", b"po\xc4",
];

/// What a row is that could be read, where a text of it says that it is none all the same. Looked at where nobody has
/// said which rows of the feed are none.
pub(super) fn remark(plan: &Plan, fields: &impl Fields) -> Option<usize> {
    plan.remarks.iter().copied().find(|&at| is_balance(fields.get(at).trim_ascii()))
}

/// Whether a cell is a word of balances, behind which a date may stand.
fn is_balance(cell: &[u8]) -> bool {
    let Some((start, _)) = cell.split_first_chunk::<3>() else { return false };
    let start = start.map(|byte| byte.to_ascii_lowercase());
    if cell.len() > 60 || !(STARTS.contains(&&start) || start[..2] == *b"ny" || start[0] >= 0x80 || start[0] == b'z') {
        return false;
    }
    BALANCES.iter().any(|word| {
        let Some((start, rest)) = cell.split_at_checked(word.len()) else { return false };
        let rest = rest.trim_ascii();
        let rest = [&b"as of"[..], b"on", b"per", b"am", b"vom", b"au", b"al", b"na"]
            .iter()
            .find_map(|word| rest.strip_prefix(*word))
            .unwrap_or(rest);
        is_same(start, word.as_bytes()) && rest.iter().all(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic())
    })
}

/// What a row is that was rejected, where it is no transaction; nothing where it may be one.
pub(super) fn reason(plan: &Plan, fields: &impl Fields) -> Option<&'static str> {
    let cells = || (0..fields.len()).map(|at| fields.get(at).trim_ascii()).filter(|cell| !cell.is_empty());
    // Of a row of another width, what stands in it is not known by its columns.
    let is_whole = fields.len() == plan.columns.len();
    let Some(first) = cells().next() else { return is_whole.then_some("an empty row") };
    let is_header = |at: usize| plan.columns.get(at).is_some_and(|name| name.as_bytes() == fields.get(at).trim_ascii());
    if fields.len() > 1 && is_whole && (0..fields.len()).all(is_header) {
        return Some("the header again");
    }
    let dated = || cells().any(|cell| plan.clock.read(cell, &mut Memo::default()).is_some());
    if plan.clock.is_open() || dated() {
        return None;
    }
    if cells().any(is_total) {
        return Some("a line of totals or balances");
    }
    // A heading, or a remark below the rows. A transaction has two values at least.
    let has_letters = first.iter().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    (is_whole && cells().nth(1).is_none() && has_letters && plan.columns.len() > 1).then_some("a line of text alone")
}

/// Whether a cell begins with a word of totals, and not with a longer one.
fn is_total(cell: &[u8]) -> bool {
    TOTALS.iter().any(|word| {
        let Some((start, rest)) = cell.split_at_checked(word.len()) else { return false };
        start.eq_ignore_ascii_case(word.as_bytes())
            && rest.first().is_none_or(|next| next.is_ascii() && !next.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_totals_are_whole_words() {
        for cell in ["Total", "TOTAL:", "Saldo 31.01.", "Opening Balance as of", "Summe"] {
            assert!(is_total(cell.as_bytes()), "{cell}");
        }
        for cell in ["Totalenergies", "Summer camp", "", "My total", "Balance2"] {
            assert!(!is_total(cell.as_bytes()), "{cell}");
        }
        for cell in ["Opening Balance", "SALDO KOŃCOWE", "Balance B/F", "Closing balance as of 01/31/2024", "Endsaldo:"]
        {
            assert!(is_balance(cell.as_bytes()), "{cell}");
        }
        assert!(BALANCES.iter().all(|word| is_balance(word.as_bytes())), "each of them is looked at");
        for cell in ["Balance", "New Balance Store", "New Balance 42 Main St", "Total", "Opening Balance Fund", ""] {
            assert!(!is_balance(cell.as_bytes()), "{cell}");
        }
    }
}
