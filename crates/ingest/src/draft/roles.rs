//! Which column is what.

use crible_core::Currency;

use super::column::{Column, named};
use super::money::{self, Sums};
use super::parties::{Other, Owner, account, counterparty, id};
use super::table::Table;
use super::times::{self, When};
use super::words::{CATEGORY, CHANNEL, CODES, WRITTEN};
use super::{Guess, Sure};
use crate::preset::currency_in;
use crate::value::amount;

/// What a draft makes of a table's columns.
#[derive(Debug)]
pub(super) struct Roles {
    pub(super) columns: Vec<Column>,
    pub(super) time: Option<When>,
    pub(super) amount: Option<Sums>,
    pub(super) currency: Option<Guess<Coin>>,
    pub(super) account: Guess<Owner>,
    pub(super) counterparty: Option<Guess<Other>>,
    pub(super) category: Option<Guess<usize>>,
    pub(super) channel: Option<Guess<usize>>,
    pub(super) country: Option<Guess<usize>>,
    pub(super) position: Option<Guess<(usize, usize)>>,
    /// The column, and whether it is the balance before.
    pub(super) balance: Option<Guess<(usize, bool)>>,
    /// The column, and whether no value comes twice.
    pub(super) id: Option<Guess<(usize, bool)>>,
    pub(super) label: Option<Guess<Judged>>,
    /// Words of rows that came to nothing.
    pub(super) skip: Option<Guess<(usize, Vec<String>)>>,
}

/// Which currency amounts are of.
#[derive(Debug)]
pub(super) enum Coin {
    Column {
        at: usize,
        names: Vec<(String, &'static str)>,
    },
    Constant(&'static str),
    /// Each amount names its own.
    Written,
}

/// A column that says what was fraud.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) at: usize,
    pub(super) fraud: Vec<String>,
    pub(super) legitimate: Vec<String>,
    pub(super) unknown: Vec<String>,
}

pub(super) fn find(table: &Table) -> Roles {
    let columns: Vec<Column> = (0..table.names.len()).map(|at| Column::of(table, at)).collect();
    let mut taken: Vec<usize> = Vec::new();
    let time = times::find(table, &columns);
    if let Some(time) = &time {
        taken.extend(&time.columns.what);
        taken.extend(time.zone.iter().map(|(at, _)| at));
    }
    let label = label(&columns, &taken);
    taken.extend(label.iter().map(|label| label.what.at));
    let position = position(&columns);
    taken.extend(position.iter().flat_map(|position| [position.what.0, position.what.1]));
    let balance = balance(&columns, &taken);
    taken.extend(balance.iter().map(|balance| balance.what.0));
    let amount = money::find(table, &columns, &taken);
    let beside = match &amount {
        Some(Sums { columns: Guess { what: money::Columns::Signed(at), .. }, .. }) => Some(*at),
        _ => None,
    };
    match &amount {
        Some(Sums { columns: Guess { what: money::Columns::Signed(at), .. }, .. }) => taken.push(*at),
        Some(Sums { columns: Guess { what: money::Columns::Pair { debit, credit }, .. }, .. }) => {
            taken.extend([debit, credit])
        }
        None => {}
    }
    let currency = currency(&columns, beside, &taken);
    if let Some(Guess { what: Coin::Column { at, .. }, .. }) = &currency {
        taken.push(*at);
    }
    let is_statement = matches!(&amount, Some(Sums { columns: Guess { what: money::Columns::Pair { .. }, .. }, .. }));
    let account = account(table, &columns, &taken, label.is_some(), is_statement);
    if let Owner::Column(at) = account.what {
        taken.push(at);
    }
    let id = id(&columns, &taken);
    taken.extend(id.iter().map(|id| id.what.0));
    let counterparty = counterparty(table, &columns, &taken, &account, is_statement);
    taken.extend(counterparty.iter().flat_map(|other| other.what.or.iter().copied().chain([other.what.at])));
    let category = word(&columns, &CATEGORY, &taken);
    taken.extend(category.iter().map(|guess| guess.what));
    let channel = word(&columns, &CHANNEL, &taken);
    taken.extend(channel.iter().map(|guess| guess.what));
    let country = word(&columns, &["country", "merchant country", "country code"], &taken);
    let skip = skip(&columns);
    Roles {
        time,
        amount,
        currency,
        account,
        counterparty,
        category,
        channel,
        country,
        position,
        balance,
        id,
        label,
        skip,
        columns,
    }
}

fn is_code(value: &str) -> bool {
    value.len() == 3
        && value.bytes().all(|byte| byte.is_ascii_alphabetic())
        && Currency::new(value.as_bytes()).is_some()
}

fn currency(columns: &[Column], amount: Option<usize>, taken: &[usize]) -> Option<Guess<Coin>> {
    let is_named = |column: &Column| {
        column.has_any(&[
            "currency",
            "ccy",
            "cur",
            "währung",
            "waehrung",
            "devise",
            "moneda",
            "divisa",
            "valuta",
            "waluta",
            "moeda",
            "měna",
            "devizanem",
            "валюта",
            "döviz",
            "νόμισμα",
            "通貨",
            "币种",
            "통화",
        ])
    };
    let written = |value: &str| WRITTEN.iter().find(|(name, _)| value.eq_ignore_ascii_case(name));
    let fits = |column: &&Column| {
        let known = |value: &str| is_code(value) || written(value).is_some();
        let foreign =
            column.has_any(&["original", "orig", "foreign", "local", "source", "target", "fremdwährung", "exchange"]);
        !taken.contains(&column.at)
            && is_named(column)
            && !foreign
            && column.filled() > 0.5
            && column.share(known) >= 0.5
    };
    // What stands beside the amount is the amount's; else the shortest name.
    let far = |column: &Column| amount.map_or(0, |at| if column.at == at + 1 { 0 } else { 1 });
    let best = columns.iter().filter(fits).min_by_key(|column| (far(column), column.name.len()));
    if let Some(column) = best {
        let names = column.distinct.iter().filter_map(|value| written(value).map(|(_, code)| (value.clone(), *code)));
        let coin = Coin::Column { at: column.at, names: names.collect() };
        return Some(Guess::new(coin, Sure::Likely, "named and written like one"));
    }
    let amount = &columns[amount?];
    let mut named: Vec<Currency> = amount.values.iter().filter_map(|value| amount::named(value, true)).collect();
    named.sort_unstable();
    named.dedup();
    if named.len() > 1 {
        return Some(Guess::new(Coin::Written, Sure::Likely, "amounts name several currencies"));
    }
    let shows = |symbol: char| amount.values.iter().any(|value| value.contains(symbol));
    for (symbol, code, sure) in
        [('€', "EUR", Sure::Likely), ('£', "GBP", Sure::Likely), ('₹', "INR", Sure::Likely), ('$', "USD", Sure::Guess)]
    {
        if shows(symbol) {
            let why = format!("amounts are written with {symbol}");
            return Some(Guess::new(Coin::Constant(code), sure, why));
        }
    }
    if let Some((_, currency)) = currency_in(&amount.name)
        && let Some(code) = CODES.iter().find(|code| **code == currency.as_str())
    {
        return Some(Guess::new(Coin::Constant(code), Sure::Likely, "the column of amounts is named so"));
    }
    for code in ["USD", "EUR", "GBP", "CHF", "CAD", "AUD", "JPY", "INR"] {
        if amount.has(&code.to_lowercase()) {
            return Some(Guess::new(Coin::Constant(code), Sure::Likely, "the column of amounts is named so"));
        }
    }
    None
}

fn label(columns: &[Column], taken: &[usize]) -> Option<Guess<Judged>> {
    let names = [
        "is fraud",
        "fraud",
        "tx fraud",
        "fraud bool",
        "is laundering",
        "is sar",
        "label",
        "labels",
        "class",
        "isfraud",
    ];
    let fits = |column: &Column| {
        !taken.contains(&column.at) && column.is_few && column.distinct.len() <= 4 && !column.values.is_empty()
    };
    // A column whose words are these and no others, whatever it is called.
    let words = ["fraud", "genuine", "legitimate", "legit", "non-fraud"];
    let judges = |column: &&Column| {
        fits(column)
            && column.distinct.iter().any(|value| value.eq_ignore_ascii_case("fraud"))
            && column.distinct.iter().all(|value| words.iter().any(|word| value.eq_ignore_ascii_case(word)))
    };
    let column = named(columns, &names, fits).or_else(|| columns.iter().find(judges))?;
    let among = |words: &[&str]| -> Vec<String> {
        let is = |value: &&String| words.iter().any(|word| value.eq_ignore_ascii_case(word));
        column.distinct.iter().filter(is).cloned().collect()
    };
    // A file may well have rows of one kind alone; the other kind's word is then its usual opposite.
    let pairs = [
        ("1", "0"),
        ("1.0", "0.0"),
        ("true", "false"),
        ("yes", "no"),
        ("y", "n"),
        ("fraud", "genuine"),
        ("fraud", "legitimate"),
    ];
    let found = |all: bool| pairs.into_iter().find(|(yes, no)| among(&[yes, no]).len() >= if all { 2 } else { 1 });
    let (yes, no) = found(true).or_else(|| found(false))?;
    let of = |word: &str| among(&[word]).first().cloned().unwrap_or_else(|| word.to_owned());
    let (fraud, legitimate) = (vec![of(yes)], vec![of(no)]);
    let unknown =
        column.distinct.iter().filter(|value| !fraud.contains(value) && !legitimate.contains(value)).cloned().collect();
    let judged = Judged { at: column.at, fraud, legitimate, unknown };
    Some(Guess::new(judged, Sure::Likely, "named like a label and of few words"))
}

fn position(columns: &[Column]) -> Option<Guess<(usize, usize)>> {
    let within = |column: &Column, most: f64| {
        column.filled() > 0.3
            && column.share(|value| value.parse::<f64>().is_ok_and(|degrees| degrees.abs() <= most)) > 0.95
    };
    let pick = |names: &[&str], most: f64| {
        let fits = |column: &Column| within(column, most);
        named(columns, names, fits).map(|column| column.at)
    };
    let latitude = pick(&["merch lat", "merchant latitude", "latitude", "lat"], 90.0)?;
    let longitude = pick(&["merch long", "merch lon", "merchant longitude", "longitude", "long", "lon", "lng"], 180.0)?;
    Some(Guess::new((latitude, longitude), Sure::Likely, "named like degrees, and within their bounds"))
}

fn balance(columns: &[Column], taken: &[usize]) -> Option<Guess<(usize, bool)>> {
    let says = |column: &Column| {
        let words = [
            "balance",
            "bal",
            "saldo",
            "solde",
            "guthaben",
            "kontostand",
            "disponible",
            "zůstatek",
            "egyenleg",
            "bakiye",
            "sold",
            "stanje",
            "υπόλοιπο",
            "остаток",
            "баланс",
            "残高",
            "余额",
            "잔액",
        ];
        column.has_any(&words) || column.holds("oldbalance org")
    };
    let fits = |column: &&Column| {
        !taken.contains(&column.at) && says(column) && !column.values.is_empty() && column.is_money()
    };
    let column = columns.iter().find(fits)?;
    let before = column.has_any(&["old", "before", "opening", "beginning", "oldbalance"]);
    let why = if before { "its name says that it comes before" } else { "named like one, and taken for the one after" };
    Some(Guess::new((column.at, before), Sure::Guess, why))
}

fn word(columns: &[Column], names: &[&str], taken: &[usize]) -> Option<Guess<usize>> {
    let fits = |column: &Column| !taken.contains(&column.at) && !column.values.is_empty();
    named(columns, names, fits).map(|column| Guess::new(column.at, Sure::Likely, "named so"))
}

/// Rows that came to nothing, by the words of a column that says how they stand.
fn skip(columns: &[Column]) -> Option<Guess<(usize, Vec<String>)>> {
    let bad = ["fail", "denied", "cancel", "declin", "void", "reject", "reverted", "expired"];
    let column =
        columns.iter().find(|column| column.has_any(&["status", "state"]) && column.is_few && column.is_text())?;
    let says = |word: &&String| bad.iter().any(|part| word.to_lowercase().contains(part));
    let words: Vec<String> = column.distinct.iter().filter(says).cloned().collect();
    (!words.is_empty()).then(|| Guess::new((column.at, words), Sure::Likely, "these words say that nothing came of it"))
}
