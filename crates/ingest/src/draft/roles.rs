//! Which column is what.

use crible_core::Currency;

use super::column::Column;
use super::money::{self, Sums};
use super::table::Table;
use super::times::{self, When};
use super::{Guess, Sure};
use crate::recognise::{currency_in, first_of};
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

/// Whose transaction a row is.
#[derive(Debug)]
pub(super) enum Owner {
    Column(usize),
    FileName { cut_at: Vec<String> },
    Preamble { before: String, behind: String },
    EachRow,
}

/// The other side.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) at: usize,
    /// Columns that name it where that one is empty.
    pub(super) or: Vec<usize>,
    /// Where it stands on an inflow, if elsewhere.
    pub(super) inflow: Option<usize>,
    /// Whether it is an account like the feed's.
    pub(super) is_account: bool,
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

/// Currencies that the header of amounts may name.
const CODES: [&str; 17] = [
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "INR", "JPY", "MXN", "NOK", "PLN", "SEK", "USD",
    "ZAR",
];

/// A column that says what was fraud.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) at: usize,
    pub(super) fraud: Vec<String>,
    pub(super) legitimate: Vec<String>,
    pub(super) unknown: Vec<String>,
}

/// Currencies as data sets write them out.
const WRITTEN: [(&str, &str); 18] = [
    ("us dollar", "USD"),
    ("euro", "EUR"),
    ("uk pound", "GBP"),
    ("pound sterling", "GBP"),
    ("yen", "JPY"),
    ("yuan", "CNY"),
    ("rupee", "INR"),
    ("ruble", "RUB"),
    ("swiss franc", "CHF"),
    ("canadian dollar", "CAD"),
    ("australian dollar", "AUD"),
    ("mexican peso", "MXN"),
    ("brazil real", "BRL"),
    ("saudi riyal", "SAR"),
    ("shekel", "ILS"),
    ("krona", "SEK"),
    ("zloty", "PLN"),
    ("lira", "TRY"),
];

const ACCOUNT: [&str; 44] = [
    "auftragskonto",
    "cc num",
    "card id",
    "cardid",
    "source account",
    "account name",
    "numéro de compte",
    "kontonummer",
    "account number",
    "account no",
    "account id",
    "account",
    "acct num",
    "acct",
    "iban",
    "konto",
    "card number",
    "card no",
    "card fingerprint",
    "card",
    "customer id",
    "customer",
    "client id",
    "client",
    "cust id",
    "user id",
    "user",
    "name orig",
    "orig acct",
    "from account",
    "sender",
    "payer",
    "debtor",
    "kunde",
    "card1",
    "nameorig",
    "rekening",
    "rekeningnummer",
    "eigen rekening",
    "compte",
    "cuenta",
    "rachunek",
    "conto",
    "konto nr",
];
const COUNTERPARTY: [&str; 52] = [
    "beguenstigter zahlungspflichtiger",
    "begünstigter zahlungspflichtiger",
    "auftraggeber begünstigter",
    "zahlungsempfänger in",
    "partner name",
    "pos id",
    "posid",
    "merchant name",
    "merchant",
    "counterparty",
    "payee",
    "beneficiary",
    "bene acct",
    "name dest",
    "to account",
    "receiver",
    "recipient",
    "terminal id",
    "terminal",
    "target",
    "creditor",
    "shop",
    "name",
    "transaction description",
    "description",
    "narrative",
    "details",
    "memo",
    "empfänger",
    "bénéficiaire",
    "beneficiario",
    "begunstigde",
    "beschreibung",
    "omschrijving",
    "descripción",
    "opis",
    "libellé",
    "descrizione",
    "descrição",
    "verwendungszweck",
    "tytuł",
    "concepto",
    "tegenrekening",
    "naam omschrijving",
    "naam tegenpartij",
    "contrepartie",
    "contraparte",
    "nazwa odbiorcy",
    "odbiorca",
    "transaction details",
    "to",
    "product cd",
];
/// Columns that may stand in for the other side's own.
const STAND_INS: [&str; 10] = [
    "memo",
    "payee name",
    "payer name",
    "partner name",
    "name",
    "merchant",
    "description",
    "beschreibung",
    "omschrijving",
    "beguenstigter zahlungspflichtiger",
];
const CATEGORY: [&str; 6] =
    ["category", "mcc", "reporting category", "personal finance category primary", "merchant category", "kategorie"];
const CHANNEL: [&str; 15] = [
    "channel",
    "payment channel",
    "type",
    "transaction type",
    "tx type",
    "payment format",
    "payment method",
    "transaktionstyp",
    "buchungstext",
    "umsatztyp",
    "use chip",
    "method",
    "product cd",
    "transaction",
    "payment type",
];

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

/// The first column of the first name on a list; a name that only holds the words comes after all that are the words.
fn named<'c>(columns: &'c [Column], names: &[&str], fits: impl Fn(&Column) -> bool) -> Option<&'c Column> {
    let exact = names.iter().find_map(|name| columns.iter().find(|column| column.is(name) && fits(column)));
    exact.or_else(|| {
        let longer = names.iter().filter(|name| name.len() > 4);
        longer.clone().find_map(|name| columns.iter().find(|column| column.holds(name) && fits(column)))
    })
}

fn is_code(value: &str) -> bool {
    value.len() == 3
        && value.bytes().all(|byte| byte.is_ascii_alphabetic())
        && Currency::new(value.as_bytes()).is_some()
}

fn currency(columns: &[Column], amount: Option<usize>, taken: &[usize]) -> Option<Guess<Coin>> {
    let is_named = |column: &Column| {
        column.has_any(&[
            "currency", "ccy", "cur", "währung", "waehrung", "devise", "moneda", "divisa", "valuta", "waluta",
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
        column.has_any(&["balance", "bal", "saldo", "solde", "guthaben", "kontostand"])
            || column.holds("oldbalance org")
    };
    let fits = |column: &&Column| {
        !taken.contains(&column.at) && says(column) && !column.values.is_empty() && column.is_money()
    };
    let column = columns.iter().find(fits)?;
    let before = column.has_any(&["old", "before", "opening", "beginning", "oldbalance"]);
    let why = if before { "its name says that it comes before" } else { "named like one, and taken for the one after" };
    Some(Guess::new((column.at, before), Sure::Guess, why))
}

fn account(table: &Table, columns: &[Column], taken: &[usize], is_labelled: bool, is_statement: bool) -> Guess<Owner> {
    let before = |column: &Column| column.at.checked_sub(1).and_then(|at| columns.get(at));
    let fits = |column: &Column| {
        !taken.contains(&column.at)
            && column.filled() > 0.9
            && !column.has_any(&["type", "holder", "member", "balance", "dest", "bene", "to"])
            && !column.has_any(&["payee", "partner", "beneficiary", "recipient", "counterparty", "target", "gegenkonto"])
            // What stands beside the payee is the payee's.
            && !before(column).is_some_and(|before| {
                before.has_any(&["payee", "partner", "empfänger", "bénéficiaire", "beneficiario", "zahlungspflichtiger"])
            })
            && (column.is("source account")
                || column.is("account name")
                || (!column.has("name") && column.share(|value| value.contains([' ', '.'])) < 0.5))
    };
    // The two ends of a transfer.
    let source =
        columns.iter().find(|column| column.is("source")).filter(|_| columns.iter().any(|column| column.is("target")));
    // One account's statement says what went out and what came in; its sources and targets are other people.
    let orig = source.filter(|_| !is_statement).or_else(|| {
        columns.iter().find(|column| (column.is("name orig") || column.is("nameorig")) && column.filled() > 0.9)
    });
    if let Some(column) = orig.or_else(|| named(columns, &ACCOUNT, fits)) {
        let owner = Owner::Column(column.at);
        return match column.is_unique() && table.rows.len() > 20 {
            true => Guess::new(owner, Sure::Guess, "named like one, though no value comes twice"),
            false => Guess::new(owner, Sure::Likely, "named like one"),
        };
    }
    // `Account Statement - (@user) ,,,`
    let above = table.above.iter().find_map(|line| {
        let (before, rest) = line.split_once('(')?;
        let ends = rest.contains(')') && before.to_lowercase().contains("account");
        ends.then(|| format!("{before}("))
    });
    if let Some(before) = above {
        let owner = Owner::Preamble { before, behind: ")".to_owned() };
        return Guess::new(owner, Sure::Guess, "a line above the header has it in brackets");
    }
    let has_text = columns.iter().any(|column| !taken.contains(&column.at) && column.is_text() && !column.is_few);
    if is_labelled && !has_text {
        return Guess::new(Owner::EachRow, Sure::Guess, "no column names one, and nothing ties rows to each other");
    }
    let marks = ["_Activity", "_activity", "_Transactions", "_transactions", "_Statement", "_statement", "_export"];
    let mut cut_at: Vec<String> =
        marks.iter().filter(|mark| table.file_name.contains(*mark)).map(|mark| (*mark).to_owned()).collect();
    cut_at.push(" (".to_owned());
    Guess::new(Owner::FileName { cut_at }, Sure::Guess, "no column names one")
}

fn id(columns: &[Column], taken: &[usize]) -> Option<Guess<(usize, bool)>> {
    let names = [
        "transaction id",
        "txn id",
        "tx id",
        "trans num",
        "tran id",
        "balance transaction id",
        "reference",
        "reference number",
        "id",
        "uuid",
        "transactionid",
        "transfer wise id",
        "transaktionscode",
        "numéro de transaction",
        "numer transakcji",
    ];
    // A reference that most rows lack, or that a payer writes, names no transaction.
    let fits =
        |column: &Column| !taken.contains(&column.at) && column.filled() > 0.9 && !column.holds("payment reference");
    let column = named(columns, &names, fits)?;
    let unique = column.is_unique();
    let why =
        if unique { "named like one, and no value comes twice" } else { "named like one, and a value comes twice" };
    Some(Guess::new((column.at, unique), Sure::Likely, why))
}

fn counterparty(
    table: &Table,
    columns: &[Column],
    taken: &[usize],
    account: &Guess<Owner>,
    is_statement: bool,
) -> Option<Guess<Other>> {
    let fits = |column: &Column| {
        !taken.contains(&column.at)
            && column.filled() >= 0.4
            && !column.has("type")
            && !(is_statement && (column.is("source") || column.is("target")))
    };
    let other = |at, is_account| Other { at, or: Vec::new(), inflow: None, is_account };
    let same = match account.what {
        // `Account` comes twice: the second is the other side's.
        Owner::Column(at) => {
            let name = columns[at].name.as_str();
            let again = |column: &&Column| column.name == name || first_of(&column.name) == Some(name);
            columns.iter().find(|column| column.at > at && again(column) && fits(column))
        }
        _ => None,
    };
    if let Some(column) = same {
        return Some(Guess::new(other(column.at, true), Sure::Likely, "the second column of the account's name"));
    }
    let exact = |name: &str| columns.iter().find(|column| column.is(name) && fits(column));
    if let (Some(from), Some(to)) = (exact("from"), exact("to")) {
        let what = Other { inflow: Some(from.at), ..other(to.at, false) };
        return Some(Guess::new(what, Sure::Guess, "who is paid on an outflow, and who pays on an inflow"));
    }
    if let Some(what) = names(table, columns, &fits) {
        return Some(Guess::new(what, Sure::Likely, "columns of names, of which each row has one"));
    }
    if let Some(column) = named(columns, &COUNTERPARTY, fits) {
        let is_account = ["name dest", "bene acct", "to account", "receiver"].iter().any(|name| column.holds(name));
        // Others name it where that one is empty.
        let stand_in = |other: &&Column| {
            other.at != column.at
                && !taken.contains(&other.at)
                && STAND_INS.iter().any(|name| other.is(name))
                && table.rows.iter().any(|row| row[column.at].is_empty() && !row[other.at].is_empty())
        };
        let mut what = other(column.at, is_account);
        if column.strip.is_none() && !column.has_html() {
            what.or = columns.iter().filter(stand_in).map(|other| other.at).collect();
            // Names go before what a bank writes of them.
            what.or.sort_by_key(|&at| columns[at].has_any(&["description", "beschreibung", "omschrijving"]));
        }
        return Some(Guess::new(what, Sure::Likely, "named like the other side"));
    }
    // Names that nobody knows: the longest of texts.
    let long = |column: &&Column| fits(column) && column.is_text() && column.share(|value| value.len() > 7) > 0.5;
    let length = |column: &Column| column.values.iter().map(String::len).sum::<usize>();
    let column = columns.iter().filter(long).max_by_key(|column| length(column))?;
    Some(Guess::new(other(column.at, false), Sure::Guess, "the longest texts of all columns"))
}

/// Names of who is paid and who pays, each in a column of its own that other rows leave empty.
fn names(table: &Table, columns: &[Column], fits: &impl Fn(&Column) -> bool) -> Option<Other> {
    const NAMES: [&str; 6] =
        ["merchant", "merchant name", "payee name", "payer name", "beneficiary name", "sender name"];
    let named: Vec<&Column> = NAMES.iter().filter_map(|name| columns.iter().find(|column| column.is(name))).collect();
    let one = |row: &Vec<String>| named.iter().filter(|column| !row[column.at].is_empty()).count() == 1;
    let [first, others @ ..] = named.as_slice() else { return None };
    if others.is_empty() || table.rows.iter().filter(|row| one(row)).count() * 10 < table.rows.len() * 8 {
        return None;
    }
    // What a bank writes of it goes last.
    let text = columns.iter().find(|column| column.is("description") && fits(column));
    let or = others.iter().copied().chain(text).map(|column| column.at).collect();
    Some(Other { at: first.at, or, inflow: None, is_account: false })
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
