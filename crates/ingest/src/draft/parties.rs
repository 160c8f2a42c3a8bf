//! Whose a transaction is: the columns of accounts, of the other side, and of what names a row.

use super::column::{Column, named};
use super::table::Table;
use super::words::{ACCOUNT, COUNTERPARTY, STAND_INS};
use super::{Guess, Sure};
use crate::preset::first_of;

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

/// Whose account a row is of.
pub(super) fn account(
    table: &Table,
    columns: &[Column],
    taken: &[usize],
    is_labelled: bool,
    is_statement: bool,
) -> Guess<Owner> {
    let before = |column: &Column| column.at.checked_sub(1).and_then(|at| columns.get(at));
    let fits = |column: &Column| {
        !taken.contains(&column.at)
            && column.filled() > 0.9
            && !column.has_any(&["type", "holder", "member", "balance", "dest", "bene", "to"])
            // The ledger's account is what was paid for.
            && !column.holds("g l account") && !column.holds("gl account")
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

/// What names a transaction, and whether no value comes twice.
pub(super) fn id(columns: &[Column], taken: &[usize]) -> Option<Guess<(usize, bool)>> {
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

/// Who is on the other side.
pub(super) fn counterparty(
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
    let kinds =
        ["typ", "tipo", "soort", "rodzaj", "тип", "вид", "category", "kategorie", "kategoria", "категория", "status"];
    let long = |column: &&Column| {
        fits(column) && !column.has_any(&kinds) && column.is_text() && column.share(|value| value.len() > 7) > 0.5
    };
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
