//! Names in free text: what follows words that say money is sent or received.

use super::{Kind, Span};

/// Services and words after which, within three more words, a direction introduces a name.
const TRANSFER: &[&str] = &[
    "ach",
    "betaling",
    "bizum",
    "blik",
    "bonifico",
    "cash",
    "cashapp",
    "cashout",
    "credit",
    "dauerauftrag",
    "debit",
    "deposit",
    "e-transfer",
    "etransfer",
    "gutschrift",
    "interac",
    "lastschrift",
    "mobilepay",
    "money",
    "overboeking",
    "pago",
    "pagamento",
    "paiement",
    "payment",
    "payments",
    "paypal",
    "pix",
    "pmt",
    "quickpay",
    "received",
    "remittance",
    "revolut",
    "sent",
    "sepa-lastschrift",
    "sepa-gutschrift",
    "sepa-überweisung",
    "swish",
    "tfr",
    "transfer",
    "transferencia",
    "transferência",
    "trnsfr",
    "trsf",
    "twint",
    "ueberweisung",
    "upi",
    "venmo",
    "vipps",
    "vir",
    "virement",
    "wire",
    "wise",
    "xfer",
    "zahlung",
    "zelle",
    "überweisung",
    "überweisungsauftrag",
    "echtzeitüberweisung",
];

/// Services that write a name behind an asterisk.
const STARRED: &[&str] = &["app", "cashapp", "paypal", "pp", "venmo", "zelle"];

const DIRECTIONS: &[&str] = &[
    "a", "aan", "an", "by", "da", "de", "di", "du", "from", "fr", "naar", "para", "por", "pour", "to", "van", "vers",
    "von", "à",
];

/// Directions that introduce a name where a text begins with them.
const FIRST: &[&str] = &["an", "from", "to", "von"];

/// Words that end a name, or tell at once that there is none.
const STOPS: &[&str] = &[
    "acc",
    "account",
    "acct",
    "am",
    "apple",
    "balance",
    "bank",
    "brokerage",
    "card",
    "cash",
    "checking",
    "chk",
    "compte",
    "conf",
    "confirmation",
    "conto",
    "credit",
    "cuenta",
    "date",
    "debit",
    "deposit",
    "external",
    "for",
    "house",
    "iban",
    "id",
    "internal",
    "konto",
    "kto",
    "le",
    "loan",
    "memo",
    "mortgage",
    "my",
    "note",
    "on",
    "online",
    "own",
    "pp",
    "ppd",
    "ref",
    "reference",
    "rekening",
    "sav",
    "savings",
    "sparkonto",
    "the",
    "via",
    "vom",
    "wallet",
    "web",
    "with",
    "your",
];

/// The most words of a name.
const WORDS: usize = 5;
/// How many words there may be between the transfer and its direction.
const BETWEEN: usize = 3;

#[derive(Clone, Copy)]
struct Word<'t> {
    start: usize,
    text: &'t str,
}

fn in_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '\'' | '’' | '-' | '.' | '&')
}

/// Words in order, each met once.
fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let start = at + rest.find(|letter: char| letter.is_alphanumeric())?;
        let length = text[start..].find(|letter: char| !in_word(letter)).unwrap_or(text.len() - start);
        at = start + length;
        Some(Word { start, text: &text[start..at] })
    })
}

fn among(list: &[&str], word: &str) -> bool {
    // The longest of the lists has twenty letters; what has more is none of them and is not lowered for nothing.
    word.len() <= 24 && list.contains(&word.trim_end_matches('.').to_lowercase().as_str())
}

pub(super) fn find(text: &str, spans: &mut Vec<Span>) {
    // Words since the last that speaks of a transfer.
    let mut since = usize::MAX;
    // The name under way: its start, its end and its words.
    let mut name: Option<(usize, usize, usize)> = None;
    // A name begins with the next word, if only blanks are between.
    let mut begins = false;
    let mut before = 0;
    for (place, word) in words(text).enumerate() {
        let gap = &text[before..word.start];
        let end = word.start + word.text.trim_end_matches(['.', '-', '&', '\'', '’']).len();
        before = word.start + word.text.len();
        let like = !word.text.contains(|letter: char| letter.is_numeric()) && !among(STOPS, word.text);
        if let Some((start, till, count)) = name {
            // Between the parts of a name: blanks, or the comma of `Smith, John`.
            if like && count < WORDS && matches!(gap.trim(), "" | ",") {
                name = Some((start, end, count + 1));
                continue;
            }
            spans.push(Span { start, end: till, kind: Kind::Name });
            name = None;
        }
        if begins && like && matches!(gap.trim(), "" | "*" | ":") {
            begins = false;
            name = Some((word.start, end, 1));
            continue;
        }
        let direction = (since <= BETWEEN && among(DIRECTIONS, word.text)) || (place == 0 && among(FIRST, word.text));
        let starred = among(STARRED, word.text) && text[before..].trim_start().starts_with('*');
        begins = direction || starred;
        since = if among(TRANSFER, word.text) { 0 } else { since.saturating_add(1) };
    }
    if let Some((start, end, _)) = name {
        spans.push(Span { start, end, kind: Kind::Name });
    }
}
