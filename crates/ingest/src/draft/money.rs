//! How much: the column or columns, how amounts are written, and which sign an outflow has.

use super::column::{Column, money};
use super::table::Table;
use super::{Guess, Sure};
use crate::preset::{Sign, Style};
use crate::recognise::ways;
use crate::value::amount;
use crate::value::text::counts_minor;
use crible_core::Currency;

/// What moves in a row.
#[derive(Debug)]
pub(super) struct Sums {
    pub(super) columns: Guess<Columns>,
    pub(super) sign: Option<Guess<Sign>>,
    pub(super) style: Guess<Style>,
    /// Whether some amounts are finer than a cent.
    pub(super) round: bool,
    /// The column of few words that tells inflows from outflows, and its words.
    pub(super) way: Option<Guess<Way>>,
}

/// A column whose words tell the way.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) at: usize,
    /// Words of outflows; none where all that are no inflows are outflows.
    pub(super) out: Vec<String>,
    pub(super) into: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Columns {
    Signed(usize),
    Pair { debit: usize, credit: usize },
}

/// Words of rows that money comes in with, and of those it goes out with.
const INFLOW: [&str; 18] = [
    "payroll",
    "salary",
    "wages",
    "thank you",
    "credit",
    "deposit",
    "cash_in",
    "cash in",
    "income",
    "interest paid",
    "top-up",
    "topup",
    "incoming",
    "received",
    "gutschrift",
    "bankgutschrift",
    "gehalt",
    "lohn",
];
const OUTFLOW: [&str; 15] = [
    "debit",
    "purchase",
    "sale",
    "withdrawal",
    "atm",
    "card payment",
    "card_payment",
    "check_paid",
    "direct debit",
    "outgoing",
    "dining",
    "zahlung",
    "lastschrift",
    "folgelastschrift",
    "kartenzahlung",
];

/// Words of columns of amounts that say nothing of the way.
const SIZES: [&str; 26] = [
    "amount",
    "amounts",
    "amt",
    "value",
    "sum",
    "total",
    "money",
    "transaction",
    "txn",
    "betrag",
    "umsatz",
    "montant",
    "importe",
    "importo",
    "valor",
    "kwota",
    "bedrag",
    "belopp",
    "beløb",
    "usd",
    "eur",
    "gbp",
    "inr",
    "rs",
    "account",
    "konto",
];

fn rank(column: &Column) -> i32 {
    let mut rank = 0;
    for (word, points) in [
        ("amount", 6),
        ("amt", 6),
        ("betrag", 6),
        ("montant", 6),
        ("importe", 6),
        ("sum", 4),
        ("value", 2),
        ("total", 3),
        ("bedrag", 6),
        ("kwota", 6),
        ("cantidad", 6),
        ("importo", 6),
        ("valor", 5),
        ("belopp", 6),
        ("beløb", 6),
        ("beløp", 6),
        ("summa", 5),
        ("iznos", 6),
        ("částka", 6),
        ("suma", 6),
        ("összeg", 6),
        ("tutar", 6),
        ("tutarı", 6),
        ("сумма", 6),
        ("ποσό", 6),
        ("金額", 6),
        ("金额", 6),
        ("금액", 6),
        ("net", 7),
        ("netto", 7),
        ("neto", 7),
        ("gross", 3),
        ("brutto", 3),
        ("entgelt", -9),
        ("gebühr", -9),
        ("commission", -9),
        ("exchange", -4),
        ("foreign", -4),
        ("fremdwährung", -4),
        ("transfer", -1),
        ("paid", 1),
        ("base", 1),
        ("transaction", 1),
        ("balance", -9),
        ("fee", -9),
        ("fees", -9),
        ("tax", -6),
        ("tip", -6),
        ("refunded", -6),
        ("local", -3),
        ("original", -3),
        ("limit", -4),
        ("rate", -5),
        ("count", -5),
    ] {
        if column.has(word) {
            rank += points;
        }
    }
    rank
}

pub(super) fn find(table: &Table, columns: &[Column], taken: &[usize]) -> Option<Sums> {
    let free = || columns.iter().filter(|column| !taken.contains(&column.at));
    let side = |words: &[&str]| {
        free()
            .find(|column| words.iter().any(|word| column.is(word)) && (column.values.is_empty() || column.is_money()))
    };
    // What words of ways a column may have, it may be called, too. One letter is a code of many things.
    let says = |column: &Column| {
        let name = column.name.trim();
        let way = ways::is_outflow(name).or_else(|| ways::is_outflow(&column.without(&SIZES)));
        way.filter(|_| name.chars().count() > 1)
    };
    let called =
        |out: bool| free().find(|column| says(column) == Some(out) && (column.values.is_empty() || column.is_money()));
    let debit = side(&["debit amount", "amount debit", "importe cargo"]).or_else(|| called(true));
    let credit = side(&["credit amount", "amount credit", "importe abono"]).or_else(|| called(false));
    // Two columns of which each row has one say more than any name of a third.
    let share = |a: &Column, b: &Column| {
        let one = |row: &&Vec<String>| row[a.at].is_empty() != row[b.at].is_empty();
        !table.rows.is_empty() && table.rows.iter().filter(one).count() * 10 >= table.rows.len() * 9
    };
    if let (Some(debit), Some(credit)) = (debit, credit)
        && share(debit, credit)
    {
        return Some(pair(table, debit, credit));
    }
    // So they do where one of the names is not known, and where neither is.
    let sums = || free().filter(|column| !column.values.is_empty() && column.filled() < 1.0 && column.is_money());
    let shared = sums().find_map(|a| sums().find(|b| b.at > a.at && share(a, b)).map(|b| (a, b)));
    if let Some((a, b)) = shared {
        let turned = debit.is_some_and(|debit| debit.at == b.at) || credit.is_some_and(|credit| credit.at == a.at);
        let known = turned || debit.or(credit).is_some_and(|side| [a.at, b.at].contains(&side.at));
        let (out, into) = if turned { (b, a) } else { (a, b) };
        let mut sums = pair(table, out, into);
        if !known {
            let why = format!(
                "each row has a sum in one of `{}` and `{}`: keep the first for what went out, or turn them",
                a.name, b.name
            );
            sums.columns = Guess::new(sums.columns.what, Sure::Undecided, why);
        }
        return Some(sums);
    }
    let best = free()
        .filter(|column| column.filled() > 0.3 && column.is_money())
        .reduce(|best, next| if rank(next) > rank(best) { next } else { best });
    let named = best.filter(|column| rank(column) > 0);
    if let (None, Some(debit), Some(credit)) = (named, debit, credit) {
        return Some(pair(table, debit, credit));
    }
    let column = named.or_else(|| best.filter(|column| column.share(|value| value.contains(['.', ','])) > 0.5))?;
    let style = if counts_minor(&column.name) && column.values.iter().all(|value| money(value, Style::Minor)) {
        Guess::new(Style::Minor, Sure::Likely, "called after minor units, and whole")
    } else {
        style(&column.values)
    };
    let round = column
        .values
        .iter()
        .any(|value| amount::read(value.as_bytes(), style.what, Currency::NONE).is_ok_and(|read| read.rounded));
    let way = way(columns, column, style.what);
    // Words that tell the way need no sign.
    let is_given = way.as_ref().is_some_and(|way| !way.what.out.is_empty());
    let sign = (!is_given).then(|| sign(table, columns, column, style.what));
    let why = match rank(column) {
        ..=0 => Guess::new(Columns::Signed(column.at), Sure::Guess, "the only numbers with decimals"),
        _ => Guess::new(Columns::Signed(column.at), Sure::Likely, "named and written like one"),
    };
    Some(Sums { columns: why, sign, style, round, way })
}

fn pair(table: &Table, debit: &Column, credit: &Column) -> Sums {
    let both = table.rows.iter().any(|row| !row[debit.at].is_empty() && !row[credit.at].is_empty());
    let columns = Columns::Pair { debit: debit.at, credit: credit.at };
    let why = if both {
        Guess::new(columns, Sure::Guess, "named for the two ways of money, though a row has both")
    } else {
        Guess::new(columns, Sure::Likely, "named for the two ways of money, and no row has both")
    };
    let values: Vec<String> = debit.values.iter().chain(&credit.values).cloned().collect();
    Sums { columns: why, sign: None, style: style(&values), round: false, way: None }
}

fn style(values: &[String]) -> Guess<Style> {
    let reads = |style| values.iter().filter(|value| money(value, style)).count();
    let (plain, point, comma) = (reads(Style::Plain), reads(Style::Money), reads(Style::MoneyComma));
    // `1.234` alone: a thousand and more, or three decimals?
    let open = |value: &String| {
        let tail = value.rsplit(['.', ',']).next().unwrap_or_default();
        value.contains(['.', ',']) && tail.len() == 3 && money(value, Style::Money) && money(value, Style::MoneyComma)
    };
    if point.max(plain) == comma && values.iter().any(open) {
        let why = "every separator stands before three digits: of thousands, or of decimals?";
        return Guess::new(Style::Money, Sure::Undecided, why);
    }
    if plain >= point && plain >= comma {
        // What was seen is plain, and the wider form reads it alike.
        Guess::new(Style::Money, Sure::Likely, "plain numbers; separators of thousands are read should they come")
    } else if point >= comma {
        Guess::new(Style::Money, Sure::Certain, "read with a point before the decimals only")
    } else {
        Guess::new(Style::MoneyComma, Sure::Certain, "read with a comma before the decimals only")
    }
}

/// A column of few words that tell the way, beside amounts without a sign.
fn way(columns: &[Column], amount: &Column, style: Style) -> Option<Guess<Way>> {
    let is_negative =
        |value: &str| amount::read(value.as_bytes(), style, Currency::NONE).is_ok_and(|read| read.minor < 0);
    if amount.values.iter().any(|value| is_negative(value)) {
        return None;
    }
    let few = || {
        let is_told = |column: &&Column| column.is_few && column.filled() > 0.9 && !ways::is_kind(&column.name);
        columns.iter().filter(|column| column.at != amount.at).filter(is_told)
    };
    let found = few().find_map(|column| {
        let ways = ways::of(column.distinct.iter().map(String::as_str)).filter(|ways| ways.others == 0)?;
        Some(Way { at: column.at, out: ways.out, into: ways.into })
    });
    if let Some(way) = found {
        return Some(Guess::new(
            way,
            Sure::Likely,
            "no amount has a sign, and each of these words says which way it goes",
        ));
    }
    let column = few().find(|column| {
        column.has_any(&["type", "direction", "indicator", "kind", "typ", "tipo", "soort"]) && column.is_text()
    })?;
    let says = |word: &String| INFLOW.iter().any(|inflow| word.to_lowercase().contains(inflow));
    let into: Vec<String> = column.distinct.iter().filter(|word| says(word)).cloned().collect();
    (!into.is_empty() && into.len() < column.distinct.len()).then(|| {
        let way = Way { at: column.at, out: Vec::new(), into };
        Guess::new(way, Sure::Guess, "no amount has a sign, and these words say that money comes in")
    })
}

fn sign(table: &Table, columns: &[Column], amount: &Column, style: Style) -> Guess<Sign> {
    let read = |value: &str| amount::read(value.as_bytes(), style, Currency::NONE).ok().map(|read| read.minor);
    // What an account is called says nothing of the way: `Mercury Credit` is a card.
    let says = |column: &&Column| column.is_text() && !column.has_any(&["account", "card", "bank", "konto", "note"]);
    let texts: Vec<usize> = columns.iter().filter(says).map(|column| column.at).collect();
    let (mut negative, mut positive) = (0, 0);
    // Rows whose words and sign say that an outflow is negative, and that it is positive.
    let (mut as_negative, mut as_positive) = (0, 0);
    for row in &table.rows {
        let Some(minor) = read(&row[amount.at]).filter(|minor| *minor != 0) else { continue };
        *(if minor < 0 { &mut negative } else { &mut positive }) += 1;
        let said = texts.iter().map(|&at| row[at].to_lowercase()).collect::<Vec<_>>();
        let among = |words: &[&str]| said.iter().any(|text| words.iter().any(|word| holds(text, word)));
        match (among(&INFLOW), among(&OUTFLOW)) {
            (true, false) => *(if minor > 0 { &mut as_negative } else { &mut as_positive }) += 1,
            (false, true) => *(if minor < 0 { &mut as_negative } else { &mut as_positive }) += 1,
            _ => {}
        }
    }
    if negative == 0 {
        return Guess::new(Sign::OutflowPositive, Sure::Guess, "no amount is negative, so all are taken for outflows");
    }
    if as_negative != as_positive {
        let sign = if as_negative > as_positive { Sign::OutflowNegative } else { Sign::OutflowPositive };
        let (most, few) = (as_negative.max(as_positive), as_negative.min(as_positive));
        let why =
            format!("the words of {most} rows (payroll, thank you, debit, …) agree with it, of {few} with the other");
        return Guess::new(sign, Sure::Likely, why);
    }
    if negative == positive {
        let why =
            format!("{negative} amounts are negative and as many positive, and no words tell which of them flow out");
        return Guess::new(Sign::OutflowNegative, Sure::Undecided, why);
    }
    let sign = if negative > positive { Sign::OutflowNegative } else { Sign::OutflowPositive };
    Guess::new(
        sign,
        Sure::Guess,
        format!("{negative} amounts are negative and {positive} positive, and most rows pay out"),
    )
}

/// Whether a text has a word or words, and not within another word.
fn holds(text: &str, words: &str) -> bool {
    let letter = |found: Option<char>| found.is_some_and(char::is_alphanumeric);
    text.match_indices(words)
        .any(|(at, _)| !letter(text[..at].chars().next_back()) && !letter(text[at + words.len()..].chars().next()))
}
