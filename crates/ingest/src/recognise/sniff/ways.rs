//! Words that tell which way money goes, where amounts have no sign.

use crate::value::text::{unaccented, words_of};

/// Words of outflows in the languages of the feeds, as they are compared.
const OUT: &str = concat!(
    "-|debit|debits|debited|dr|db|dbit|d|withdrawal|withdrawals|withdraw|out|outflow|outgoing|outbound|",
    "expense|expenses|paid out|money out|payment out|sent|send|soll|s|belastung|belastungen|ausgang|",
    "ausgehend|ausgabe|ausgaben|abgang|lastschrift|af|afschrijving|debet|uit|uitgaand|uitgave|uitgaven|",
    "sortie|depense|depenses|cargo|cargos|gasto|gastos|debe|egreso|egresos|debito|adeudo|salida|saida|",
    "saidas|obciazenie|obciazenia|wydatek|wydatki|wn|winien|wychodzacy|wychodzaca|dare|uscita|uscite|",
    "addebito|addebiti|in uscita|uttag|utbetalning|hævning|udbetaling|utbetaling|ud|ut|odchozi|vydaj|vydaje|",
    "odeslana|odoslana|vydavok|terheles|kiadas|kimeno|otto|veloitus|meno|lahteva|borc|gider|giden|cikis|",
    "debitare|debitari|plata|plati|iesire|iesiri|isplata|isplate|duguje|rashod|χρέωση|χρεωση|χρεώσεις|",
    "дебет|расход|расходы|списание|исходящий|исходящая|исходящее|出金|支出|お引出し|引出|转出|轉出|借|출금|지급|",
    "keluar|ghi no|سحب|مدين|חובה|ถอน",
);
/// Words of inflows.
const IN: &str = concat!(
    "+|credit|credits|credited|cr|crdt|c|k|deposit|deposits|in|inflow|incoming|inbound|income|paid in|",
    "money in|payment in|received|receive|haben|h|gutschrift|gutschriften|eingang|eingehend|einnahme|",
    "einnahmen|zugang|bij|bijschrijving|kredit|inkomend|ontvangen|inkomsten|entree|recette|recettes|",
    "abono|abonos|ingreso|ingresos|haber|credito|entrada|entradas|uznanie|uznania|wplyw|wplywy|ma|",
    "przychod|przychody|przychodzacy|przychodzaca|avere|entrata|entrate|accredito|in entrata|refund|accrediti|insattning|",
    "inbetalning|indsættelse|indbetaling|innbetaling|innskudd|ind|inn|prichozi|prijem|prijmy|pripsana|prijata|jovairas|",
    "bevetel|bejovo|pano|hyvitys|tulo|saapuva|alacak|gelir|gelen|giris|creditare|creditari|incasare|incasari|",
    "intrare|intrari|uplata|uplate|potrazuje|prihod|πίστωση|πιστωση|πιστώσεις|кредит|приход|поступление|",
    "поступления|зачисление|доход|входящий|входящая|входящее|入金|収入|收入|お預入れ|預入|转入|轉入|贷|貸|입금|",
    "masuk|ghi co|إيداع|دائن|זכות|ฝาก",
);
/// Words of rows that mostly come in, though no more than that.
const BACK: &str = concat!(
    "return|returns|returned|refunds|refunded|reversal|reversed|chargeback|cashback|rebate|salary|",
    "payroll|interest|top up|topup|payment received|cash in|transfer in|erstattung|ruckerstattung|",
    "rueckzahlung|ruckzahlung|gehalt|remboursement|avoir|salaire|reembolso|devolucion|nomina|",
    "terugbetaling|salaris|zwrot|wynagrodzenie|rimborso|stipendio",
);

/// Whether a word is one of a list.
fn is_in(list: &str, word: &str) -> bool {
    list.split('|').any(|known| known == word)
}

/// Different words that a column of ways may have.
const KINDS: usize = 8;
/// Different words that a column of kinds of transactions may have.
const MANY: usize = 24;

/// A word as it is compared: in lower case, without accents and the point of an abbreviation.
fn bare(word: &str) -> String {
    let word = word.trim().trim_end_matches('.');
    word.chars()
        .flat_map(char::to_lowercase)
        .map(|letter| if letter == '_' { ' ' } else { unaccented(letter) })
        .collect()
}

/// Words in the names of columns that tell the way of an amount.
const WAYS: &str = concat!(
    "type|typ|tipo|soort|rodzaj|details|direction|indicator|way|flow|sign|side|debit|credit|dc|drcr|crdr|",
    "soll|haben|af|bij|richtung|sens|sentido|segno|strona|umsatztyp|kierunek|druh|smer|tyyppi|suunta|irany|tipus|",
    "tip|tur|yon|vrsta|riktning|retning|тип|вид|направление|операция|入出金|区分|类型|收支|借贷|유형|구분",
);
/// Words in the names of columns that say what somebody paid with: a debit card is no debit.
const KINDS_OF_CARDS: &str = concat!(
    "card|account|acct|product|method|funding|instrument|brand|network|payment|tender|karte|konto|carte|",
    "compte|tarjeta|cuenta|kaart|rekening|karta|zahlungsart|carta",
);

fn has_word(name: &str, words: &str) -> bool {
    words_of(name).any(|word| is_in(words, &word))
}

/// Whether a column is called after the way of amounts.
pub(super) fn is_way(name: &str) -> bool {
    has_word(name, WAYS) && !is_kind(name)
}

/// Whether a column is called after what was paid with.
pub(crate) fn is_kind(name: &str) -> bool {
    has_word(name, KINDS_OF_CARDS)
}

/// Whether rows of this word mostly come in.
fn comes_back(word: &str) -> bool {
    is_in(BACK, &bare(word)) || is_outflow(word) == Some(false)
}

/// The words of a column of few that mostly come in, where it has others, too.
pub(super) fn back<'v>(values: impl Iterator<Item = &'v str>) -> Vec<String> {
    let mut seen: Vec<&str> = Vec::new();
    for value in values.map(str::trim).filter(|value| !value.is_empty()) {
        if !seen.contains(&value) {
            if seen.len() == MANY {
                return Vec::new();
            }
            seen.push(value);
        }
    }
    let back: Vec<String> = seen.iter().filter(|word| comes_back(word)).map(|&word| word.to_owned()).collect();
    if back.len() == seen.len() { Vec::new() } else { back }
}

/// Whether a word says that money flows out, or that it comes in; nothing where it says neither.
pub(crate) fn is_outflow(word: &str) -> Option<bool> {
    let word = bare(word);
    match (is_in(OUT, &word), is_in(IN, &word)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// The words of a column, as they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ways {
    pub(crate) out: Vec<String>,
    pub(crate) into: Vec<String>,
    /// Words that say neither.
    pub(crate) others: usize,
}

/// The words of a column that has few, some of which say that money flows out and some that it comes in.
pub(crate) fn of<'v>(values: impl Iterator<Item = &'v str>) -> Option<Ways> {
    let mut seen: Vec<&str> = Vec::new();
    for value in values.map(str::trim) {
        if !seen.contains(&value) {
            if seen.len() == KINDS {
                return None;
            }
            seen.push(value);
        }
    }
    let mut ways = Ways::default();
    for word in seen {
        match is_outflow(word) {
            Some(true) => ways.out.push(word.to_owned()),
            Some(false) => ways.into.push(word.to_owned()),
            None => ways.others += 1,
        }
    }
    (!ways.out.is_empty() && !ways.into.is_empty()).then_some(ways)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_tell_the_way() {
        let ways = of(["Debit", "CR.", "Debit", " Credit "].into_iter()).unwrap();
        assert_eq!(
            (ways.out, ways.into, ways.others),
            (vec!["Debit".to_owned()], vec!["CR.".to_owned(), "Credit".to_owned()], 0)
        );
        assert_eq!(of(["Af", "Bij"].into_iter()).unwrap().others, 0);
        assert_eq!(of(["Debit", "Credit", "Fee", ""].into_iter()).unwrap().others, 2);
        assert_eq!(of(["Debit", "Debit"].into_iter()), None, "one way alone tells nothing");
        assert_eq!(of(["a", "b", "c", "d", "e", "f", "g", "debit", "credit"].into_iter()), None, "too many words");
    }

    #[test]
    fn no_word_says_both() {
        let all = || [OUT, IN, BACK].into_iter().flat_map(|list| list.split('|'));
        assert!(all().all(|word| bare(word) == word), "words are written as they are compared");
        let mut words: Vec<&str> = all().collect();
        words.sort_unstable();
        assert!(words.windows(2).all(|pair| pair[0] != pair[1]), "no word is in two lists, or twice in one");
    }

    #[test]
    fn words_of_many_languages() {
        for (out, into) in [
            ("OBCIĄŻENIE", "Uznanie"),
            ("Wn", "Ma"),
            ("Débit", "CRÉDIT"),
            ("Dare", "Avere"),
            ("USCITA", "ENTRATA"),
            ("D", "K"),
            ("Debe", "Haber"),
            ("Sent", "RECEIVED"),
            ("money_out", "money_in"),
            ("-", "+"),
            ("Uttag", "Insättning"),
            ("Hævning", "Indsættelse"),
            ("Výdaj", "Příjem"),
            ("Terhelés", "Jóváírás"),
            ("OTTO", "Pano"),
            ("Borç", "Alacak"),
            ("Списание", "Зачисление"),
            ("Debitare", "Încasare"),
            ("Isplata", "Uplata"),
            ("Χρέωση", "Πίστωση"),
            ("出金", "入金"),
            ("支出", "收入"),
        ] {
            assert_eq!((is_outflow(out), is_outflow(into)), (Some(true), Some(false)), "{out}, {into}");
        }
        assert!(is_way("Transaction Type") && is_way("Debit/Credit") && is_way("Umsatztyp") && !is_way("ProductCD"));
        assert!(["card_type", "Payment Method", "cardType", "Account"].iter().all(|name| is_kind(name)));
        assert_eq!(back(["Purchase", "Refunded", "Purchase"].into_iter()), ["Refunded"]);
        assert!(back(["Salary", "Salary"].into_iter()).is_empty(), "one word alone tells nothing");
    }
}
