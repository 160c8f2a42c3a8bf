//! ISO 20022 camt.052, camt.053 and camt.054, of any version: reports, statements and notifications have entries alike.

use crate::input::kind;
use crible_core::{Amount, Currency};

use super::balance::Balance;
use super::sheet::{Column, Entry, Sheet};
use super::xml::{Met, Node, walk};
use super::{About, Content, Format, Head, MARK, Named, Opened, refuse_doctype};
use crate::error::Error;

const ABOUT: About = About {
    name: "camt",
    feed: "camt",
    title: "ISO 20022 camt.052, camt.053 and camt.054, XML",
    source: "ISO 20022, Bank-to-Customer Cash Management",
    notes: "The account is the IBAN, else the other identification. The time is that of booking, else the value date. \
            A batch whose details have amounts that make up its sum is as many transactions. The counterparty is \
            the account of the other side, else its name. AcctSvcrRef is trusted. Entries that are not booked \
            are rejected. A closing balance that the entries do not make is warned of.",
    signature: "an ISO 20022 document of camt.052, camt.053 or camt.054",
    parties_are_accounts: true,
    id: Some(true),
    country: false,
    texts: true,
    corrects: false,
};

/// The three messages, which have entries alike.
#[derive(Debug)]
pub(super) struct Camt;

impl Format for Camt {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn sees(&self, head: &Head<'_>) -> Option<u8> {
        begins(head.text).then_some(MARK)
    }

    fn open(&self, content: Content, file: &Named<'_>) -> Result<Opened, Error> {
        let text = content.text();
        refuse_doctype(&text, file.path)?;
        Ok(Opened::new(move |sheet| read(&text, sheet)))
    }
}

/// Elements by whose presence the messages are known, and the versions' namespaces.
const MESSAGES: [&str; 6] =
    ["BkToCstmrAcctRpt", "BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn", "camt.052.001", "camt.053.001", "camt.054.001"];

fn begins(head: &str) -> bool {
    let start: String = head.chars().take(4_096).collect();
    if let Some(message) = kind::message(&start) {
        return ["camt.052", "camt.053", "camt.054"].iter().any(|known| message.starts_with(known));
    }
    start.starts_with('<') && MESSAGES.iter().any(|message| start.contains(message))
}

fn read(text: &str, sheet: &mut Sheet<'_>) {
    let mut account = String::new();
    let (mut header, mut date) = (String::new(), String::new());
    let (mut balance, mut closing, mut statement) = (Balance::default(), None, 0u64);
    let mut undated = 0u64;
    let held = ["Acct", "Bal", "Ntry", "FrToDt", "CreDtTm"];
    let result = walk(text, &["Stmt", "Rpt", "Ntfctn"], &held, &mut |met| match met {
        Met::Begin(_) => {
            std::mem::take(&mut balance).close(closing.take(), &format!("statement {statement}"), sheet);
            statement += 1;
            account.clear();
            date.clear();
        }
        // For entries that have no date: the end of the statement's period, else when it was made.
        Met::Whole(node) if node.name == "FrToDt" => {
            let end = node.first(&[&["ToDtTm"], &["ToDt"]]);
            if !end.is_empty() {
                end.clone_into(&mut date);
            }
        }
        Met::Whole(node) if node.name == "CreDtTm" => {
            let made = if statement == 0 { &mut header } else { &mut date };
            if made.is_empty() {
                node.text.trim().clone_into(made);
            }
        }
        Met::Whole(node) if node.name == "Acct" => {
            node.first(&[&["Id", "IBAN"], &["Id", "Othr", "Id"]]).clone_into(&mut account);
        }
        Met::Whole(node) if node.name == "Bal" => match node.text(&["Tp", "CdOrPrtry", "Cd"]) {
            "OPBD" | "PRCD" => balance = Balance::new(stated(&node)),
            "CLBD" => closing = stated(&node),
            _ => {}
        },
        Met::Whole(node) => {
            let in_full = entries(
                &node,
                Statement { account: &account, date: if date.is_empty() { &header } else { &date } },
                &mut undated,
                &mut |entry| {
                    balance.add(&entry);
                    sheet.push(entry);
                },
            );
            if !in_full {
                sheet.warn("the details of a batch have no amounts, or not those of its sum: it is read as one entry");
            }
        }
        Met::Broken(node) => {
            // What is missing is no fault of the balances.
            closing = None;
            if node.name == "Ntry" {
                let mut entry = Entry::new(node.line);
                entry.reject(None, "", "the file breaks off or is no XML within this entry; expected </Ntry>");
                sheet.push(entry);
            }
        }
    });
    if undated > 0 {
        sheet.warn(format!(
            "{undated} entries have no date of their own; they are dated by their details, else by the statement"
        ));
    }
    match result {
        Ok(()) => balance.close(closing, &format!("statement {statement}"), sheet),
        Err(reason) => sheet.warn(format!("the file was read in part: {reason}")),
    }
}

fn stated(balance: &Node) -> Option<Amount> {
    let amount = balance.find(&["Amt"])?;
    Balance::stated(amount.text.trim(), &amount.currency, direction(balance) == "CRDT")
}

/// An entry is one transaction, or the batch of those in its details where these have amounts that make up its own:
/// tells whether all that it has was read.
fn entries(node: &Node, statement: Statement<'_>, undated: &mut u64, push: &mut dyn FnMut(Entry)) -> bool {
    let details: Vec<&Node> = node.all("NtryDtls").flat_map(|group| group.all("TxDtls")).collect();
    let mut whole = Whole::of(node);
    if whole.time.is_empty() {
        *undated += u64::from(!statement.date.is_empty() || details.iter().any(|part| !related(part).is_empty()));
        whole.otherwise = statement.date;
    }
    let account = statement.account;
    match details[..] {
        [] => push(entry(&whole, None, account, None)),
        [one] => push(entry(&whole, Some(one), account, None)),
        _ if adds_up(&whole, &details) => {
            for (place, part) in details.iter().enumerate() {
                push(entry(&whole, Some(part), account, Some(place)));
            }
        }
        _ => {
            push(entry(&whole, None, account, None));
            return false;
        }
    }
    true
}

/// What a statement says of all its entries.
#[derive(Clone, Copy)]
struct Statement<'s> {
    account: &'s str,
    /// When it was made, or ends.
    date: &'s str,
}

/// When a part of an entry happened, by the dates that are its own, the nearest to a booking first.
fn related(part: &Node) -> &str {
    const DATES: [&str; 6] = ["IntrBkSttlmDt", "TxDtTm", "AccptncDtTm", "TradDt", "StartDt", "EndDt"];
    let dates = part.find(&["RltdDts"]);
    let found = dates.and_then(|dates| DATES.iter().map(|name| dates.text(&[name])).find(|date| !date.is_empty()));
    found.unwrap_or("")
}

/// What an entry says of all its parts, looked up once: an entry may have very many parts, and elements besides.
struct Whole<'n> {
    node: &'n Node,
    status: &'n str,
    time: &'n str,
    value_date: &'n str,
    /// The time of an entry of which neither it nor its details tell one.
    otherwise: &'n str,
    direction: &'n str,
    reversal: bool,
    reference: &'n str,
    code: Option<&'n Node>,
    remarks: &'n str,
}

impl<'n> Whole<'n> {
    fn of(node: &'n Node) -> Self {
        let dates: [&[&str]; 4] = [&["BookgDt", "DtTm"], &["BookgDt", "Dt"], &["ValDt", "DtTm"], &["ValDt", "Dt"]];
        Self {
            node,
            status: node.first(&[&["Sts", "Cd"], &["Sts", "Prtry"], &["Sts"]]),
            time: node.first(&dates),
            value_date: node.first(&dates[2..]),
            otherwise: "",
            direction: direction(node),
            reversal: matches!(node.text(&["RvslInd"]), "true" | "1"),
            reference: reference(node.text(&["AcctSvcrRef"])),
            code: node.find(&["BkTxCd"]),
            remarks: node.text(&["AddtlNtryInf"]),
        }
    }
}

fn amount_of(part: &Node) -> Option<&Node> {
    let paths: [&[&str]; 3] = [&["Amt"], &["AmtDtls", "TxAmt", "Amt"], &["AmtDtls", "InstdAmt", "Amt"]];
    paths.iter().find_map(|path| part.find(path))
}

fn direction(part: &Node) -> &str {
    part.text(&["CdtDbtInd"])
}

fn minor(part: &Node, inherited: &str) -> Option<(Currency, i64)> {
    let amount = amount_of(part)?;
    let currency = Currency::new(amount.currency.as_bytes())?;
    let minor = Amount::parse(amount.text.trim(), currency).ok()?.minor;
    let own = direction(part);
    match if own.is_empty() { inherited } else { own } {
        "CRDT" => Some((currency, minor)),
        "DBIT" => Some((currency, minor.checked_neg()?)),
        _ => None,
    }
}

fn adds_up(whole: &Whole<'_>, details: &[&Node]) -> bool {
    let Some((currency, sum)) = minor(whole.node, "") else { return false };
    let parts = details.iter().try_fold(0i64, |sum, part| match minor(part, whole.direction) {
        Some((of, part)) if of == currency => sum.checked_add(part),
        _ => None,
    });
    parts == Some(sum)
}

/// The charges of an entry, where one amount of its own currency tells them.
fn charges<'n>(part: &'n Node, currency: &str) -> &'n str {
    let [charges] = part.all("Chrgs").collect::<Vec<_>>()[..] else { return "" };
    let records: Vec<&Node> = charges.all("Rcrd").collect();
    let amount = match (charges.find(&["TtlChrgsAndTaxAmt"]), &records[..]) {
        (Some(total), _) => Some(total),
        (None, []) => charges.find(&["Amt"]),
        (None, [record]) => record.find(&["Amt"]),
        _ => None,
    };
    amount.filter(|amount| amount.currency == currency).map_or("", |amount| amount.text.trim())
}

/// References that say there is none.
fn reference(text: &str) -> &str {
    if matches!(text, "NOTPROVIDED" | "NONREF" | "NOREF") { "" } else { text }
}

/// One transaction: an entry, and what its details tell. `place` is given where the entry is a batch.
fn entry(whole: &Whole<'_>, part: Option<&Node>, account: &str, place: Option<usize>) -> Entry {
    let source = part.filter(|_| place.is_some()).unwrap_or(whole.node);
    let mut entry = Entry::new(source.line);
    if matches!(whole.status, "BOOK" | "") {
        entry.set(Column::Status, "booked");
    } else {
        entry.set(Column::Status, "pending");
        entry.reject(None, whole.status, "no transaction: the entry is not booked");
    }
    entry.set(Column::Account, account);
    // A date may have a zone, which makes it no other day.
    let dates = [whole.time, part.map_or("", related), whole.otherwise];
    let time = dates.into_iter().find(|date| !date.is_empty()).unwrap_or("");
    let day = time.get(..10).filter(|_| !time.contains('T'));
    entry.set(Column::Time, day.unwrap_or(time));
    entry.set(Column::ValueDate, whole.value_date);
    let amount = amount_of(source).map_or(("", ""), |amount| (amount.text.trim(), amount.currency.as_str()));
    entry.set(Column::Currency, amount.1);
    if amount.1.is_empty() {
        entry.reject(Some(Column::Currency), "", "expected the amount's currency in Ccy");
    }
    let own = direction(source);
    let credit = match if own.is_empty() { whole.direction } else { own } {
        "CRDT" => true,
        "DBIT" => false,
        other => {
            entry.reject(Some(Column::Amount), other, "expected CRDT or DBIT in CdtDbtInd");
            true
        }
    };
    entry.unsigned(amount.0, !credit);
    if whole.reversal {
        entry.set(Column::Reversal, "yes");
    }
    entry.set(Column::Fee, charges(source, amount.1));
    let own = part.map_or("", |part| reference(part.text(&["Refs", "AcctSvcrRef"])));
    entry.set(
        Column::Id,
        match place {
            // Parts of a batch may share its reference, and equal parts are still as many payments.
            Some(place) if !whole.reference.is_empty() || !own.is_empty() => {
                format!("{}/{own}#{place}", whole.reference)
            }
            Some(_) => String::new(),
            None if whole.reference.is_empty() => own.to_owned(),
            None => whole.reference.to_owned(),
        },
    );
    let code = part.and_then(|part| part.find(&["BkTxCd"])).or(whole.code);
    if let Some(code) = code {
        let family =
            [code.text(&["Domn", "Cd"]), code.text(&["Domn", "Fmly", "Cd"]), code.text(&["Domn", "Fmly", "SubFmlyCd"])];
        let family: Vec<&str> = family.into_iter().filter(|word| !word.is_empty()).collect();
        entry.set(Column::Category, family.join("-"));
        entry.set(Column::Channel, code.text(&["Prtry", "Cd"]));
    }
    let mut remarks = whole.remarks.to_owned();
    if let Some(part) = part {
        // A reversal keeps the parties of what it takes back.
        let (party, party_account) = if credit != whole.reversal { ("Dbtr", "DbtrAcct") } else { ("Cdtr", "CdtrAcct") };
        let other = |path: &[&str]| part.text(&[&["RltdPties"], path].concat()).to_owned();
        for path in [
            &[party_account, "Id", "IBAN"][..],
            &[party_account, "Id", "Othr", "Id"],
            &[party, "Nm"],
            &[party, "Pty", "Nm"],
        ] {
            entry.fill(Column::Counterparty, &other(path));
        }
        let remittance: Vec<&str> =
            part.find(&["RmtInf"]).iter().flat_map(|info| info.all("Ustrd")).map(|line| line.text.trim()).collect();
        if !remittance.is_empty() {
            remarks = remittance.join(" ");
        }
        let ids = ["EndToEndId", "TxId", "InstrId", "MndtId"].map(|name| reference(part.text(&["Refs", name])));
        entry.set(Column::Reference, ids.join("\u{1f}"));
    }
    entry.fill(Column::Counterparty, &remarks);
    entry.set(Column::Description, remarks);
    entry
}
