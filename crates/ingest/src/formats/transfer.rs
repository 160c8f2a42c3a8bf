//! ISO 20022 credit transfers, of any version: pain.001, which a customer sends to a bank, and pacs.008, which a bank
//! sends to another. Each transfer is an outflow of the debtor's account.

use super::sheet::{Column, Entry, Sheet};
use super::xml::{Met, Node, walk};
use super::{About, Content, Format, Head, MARK, Named, Opened, refuse_doctype};
use crate::error::Error;
use crate::input::kind;

const PAIN: About = About {
    name: "pain.001",
    feed: "pain.001",
    title: "ISO 20022 pain.001, customer credit transfers, XML",
    source: "ISO 20022, Payments Initiation",
    notes: "Each transfer is an outflow of the debtor's account (DbtrAcct, its IBAN, else the other identification) at \
            the requested execution date or time. The amount is InstdAmt, else the equivalent amount. The \
            counterparty is the creditor's account, else the name. The first of UETR, TxId, EndToEndId and InstrId is \
            the id and is not trusted. Numbers and sums of headers are checked and differences warned of. These are \
            orders: whether a bank carried them out it does not tell.",
    signature: "an ISO 20022 document of pain.001",
    parties_are_accounts: true,
    id: Some(false),
    country: true,
    texts: false,
    corrects: false,
};
const PACS: About = About {
    name: "pacs.008",
    feed: "pacs.008",
    title: "ISO 20022 pacs.008, credit transfers between banks, XML",
    source: "ISO 20022, Payments Clearing and Settlement",
    notes: "Each transfer is an outflow of the debtor's account, with the creditor's as the counterparty, of the amount \
            settled between the banks (IntrBkSttlmAmt). The time is that of the debit (DbtDtTm), else that of \
            acceptance (AccptncDtTm), else the settlement date. Ids and sums are as in pain.001.",
    signature: "an ISO 20022 document of pacs.008",
    parties_are_accounts: true,
    id: Some(false),
    country: true,
    texts: false,
    corrects: false,
};

/// Transfers of one of the two messages.
#[derive(Debug)]
pub(super) struct Transfers(pub(super) Message);

impl Format for Transfers {
    fn about(&self) -> &'static About {
        match self.0 {
            Message::Pain => &PAIN,
            Message::Pacs => &PACS,
        }
    }

    fn sees(&self, head: &Head<'_>) -> Option<u8> {
        (begins(head.text) == Some(self.0)).then_some(MARK)
    }

    fn open(&self, content: Content, file: &Named<'_>) -> Result<Opened, Error> {
        let (text, message) = (content.text(), self.0);
        refuse_doctype(&text, file.path)?;
        Ok(Opened::new(move |sheet| read(&text, message, sheet)))
    }
}

/// Which of the two messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Pain,
    Pacs,
}

/// The message of a text that begins like this.
fn begins(head: &str) -> Option<Message> {
    let start: String = head.chars().take(4_096).collect();
    // A report of what became of transfers names their message, too.
    if let Some(message) = kind::message(&start) {
        return match message {
            _ if message.starts_with("pain.001") => Some(Message::Pain),
            _ if message.starts_with("pacs.008") => Some(Message::Pacs),
            _ => None,
        };
    }
    let has = |words: [&str; 2]| start.starts_with('<') && words.iter().any(|word| start.contains(word));
    if has(["CstmrCdtTrfInitn", "pain.001.001"]) {
        Some(Message::Pain)
    } else if has(["FIToFICstmrCdtTrf", "pacs.008.001"]) {
        Some(Message::Pacs)
    } else {
        None
    }
}

/// Elements of a batch of pain.001 that hold for each of its transfers.
const BATCH: [&str; 7] = ["PmtInfId", "NbOfTxs", "CtrlSum", "PmtTpInf", "ReqdExctnDt", "Dbtr", "DbtrAcct"];

fn read(text: &str, message: Message, sheet: &mut Sheet<'_>) {
    let mut group = Sum::default();
    let mut batch = Sum::default();
    let mut of_group = Node::default();
    let mut of_batch = Node::default();
    let hold = [&["GrpHdr", "CdtTrfTxInf"][..], &BATCH].concat();
    let result = walk(
        text,
        &["CstmrCdtTrfInitn", "FIToFICstmrCdtTrf", "pain.001.001.02", "PmtInf"],
        &hold,
        &mut |met| match met {
            Met::Begin("PmtInf") => {
                batch.check(&of_batch, &format!("batch `{}`", of_batch.text(&["PmtInfId"])), sheet);
                (batch, of_batch) = (Sum::default(), Node::default());
            }
            Met::Begin(_) => {
                batch.check(&of_batch, &format!("batch `{}`", of_batch.text(&["PmtInfId"])), sheet);
                group.check(&of_group, "the message", sheet);
                (group, of_group) = (Sum::default(), Node::default());
                (batch, of_batch) = (Sum::default(), Node::default());
            }
            Met::Whole(node) if node.name == "GrpHdr" => of_group = node,
            Met::Whole(node) if node.name == "CdtTrfTxInf" => {
                let amount = amount(&node, message).map(|amount| amount.text.trim());
                group.add(amount);
                batch.add(amount);
                sheet.push(entry(&node, message, &of_batch, &of_group));
            }
            Met::Whole(node) if of_batch.children.iter().any(|known| known.name == node.name) => {}
            Met::Whole(node) => of_batch.children.push(node),
            Met::Broken(node) => {
                if node.name == "CdtTrfTxInf" {
                    let mut entry = Entry::new(node.line);
                    entry.reject(
                        None,
                        "",
                        "the file breaks off or is no XML within this transfer; expected </CdtTrfTxInf>",
                    );
                    sheet.push(entry);
                }
            }
        },
    );
    batch.check(&of_batch, &format!("batch `{}`", of_batch.text(&["PmtInfId"])), sheet);
    group.check(&of_group, "the message", sheet);
    if let Err(reason) = result {
        sheet.warn(format!("the file was read in part: {reason}"));
    }
}

/// The amounts of transfers, whatever their currencies, as a control sum adds them up: in units of 10⁻¹⁷.
#[derive(Clone, Copy, Default)]
struct Sum {
    sum: i128,
    /// Whether one of them is no number, or they are too large to add up.
    lost: bool,
    count: u64,
}

const DECIMALS: usize = 17;

fn decimal(text: &str) -> Option<i128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + part.len() == 0 || whole.len() > 18 || part.len() > DECIMALS || !digits(whole) || !digits(part) {
        return None;
    }
    format!("{whole}{part:0<DECIMALS$}").parse().ok()
}

fn written(sum: i128) -> String {
    let digits = format!("{sum:0>width$}", width = DECIMALS + 1);
    let (whole, part) = digits.split_at(digits.len() - DECIMALS);
    format!("{whole}.{part}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Sum {
    fn add(&mut self, amount: Option<&str>) {
        self.count += 1;
        match amount.and_then(decimal).and_then(|amount| self.sum.checked_add(amount)) {
            Some(sum) => self.sum = sum,
            None => self.lost = true,
        }
    }

    /// Warns where a header tells other numbers than there are.
    fn check(&self, header: &Node, label: &str, sheet: &mut Sheet<'_>) {
        let count = header.text(&["NbOfTxs"]);
        if !count.is_empty() && count.parse() != Ok(self.count) {
            sheet.warn(format!("{label} tells {count} transfers (NbOfTxs); the file has {}", self.count));
        }
        for name in ["CtrlSum", "TtlIntrBkSttlmAmt"] {
            let sum = header.text(&[name]);
            if !sum.is_empty() && !self.lost && decimal(sum) != Some(self.sum) {
                sheet.warn(format!("{label} tells a sum of {sum} ({name}); its transfers make {}", written(self.sum)));
            }
        }
    }
}

/// What leaves the debtor's account: as ordered, or as settled between the banks.
fn amount(node: &Node, message: Message) -> Option<&Node> {
    match message {
        Message::Pain => node.find(&["Amt", "InstdAmt"]).or_else(|| node.find(&["Amt", "EqvtAmt", "Amt"])),
        Message::Pacs => node.find(&["IntrBkSttlmAmt"]),
    }
}

/// References that say there is none.
fn reference(text: &str) -> &str {
    if matches!(text, "NOTPROVIDED" | "NONREF" | "NOREF") { "" } else { text }
}

fn account(party: &Node) -> &str {
    party.first(&[&["Id", "IBAN"], &["Id", "Othr", "Id"], &["Prxy", "Id"]])
}

/// A code, or the word of the bank's own that stands for it.
fn code<'n>(node: &'n Node, path: &[&str]) -> &'n str {
    node.find(path).map_or("", |node| node.first(&[&["Cd"], &["Prtry"]]))
}

fn entry(node: &Node, message: Message, batch: &Node, group: &Node) -> Entry {
    let mut entry = Entry::new(node.line);
    let debtor = node.find(&["DbtrAcct"]).or_else(|| batch.find(&["DbtrAcct"]));
    entry.set(Column::Account, debtor.map_or("", account));
    let settled: [&[&str]; 2] = [&["IntrBkSttlmDt"], &["SttlmTmIndctn", "DbtDtTm"]];
    let time = match message {
        Message::Pain => batch.first(&[&["ReqdExctnDt", "DtTm"], &["ReqdExctnDt", "Dt"], &["ReqdExctnDt"]]),
        Message::Pacs => match node.first(&[&["SttlmTmIndctn", "DbtDtTm"], &["AccptncDtTm"], &["IntrBkSttlmDt"]]) {
            "" => group.text(&["IntrBkSttlmDt"]),
            time => time,
        },
    };
    // A date may have a zone, which makes it no other day.
    let day = time.get(..10).filter(|_| !time.contains('T'));
    entry.set(Column::Time, day.unwrap_or(time));
    if message == Message::Pacs {
        let own = node.first(&settled);
        entry.set(Column::ValueDate, if own.is_empty() { group.text(&["IntrBkSttlmDt"]) } else { own });
    }
    let found = amount(node, message).map_or(("", ""), |amount| (amount.text.trim(), amount.currency.as_str()));
    entry.set(Column::Currency, found.1);
    if found.1.is_empty() {
        entry.reject(Some(Column::Currency), "", "expected the amount's currency in Ccy");
    }
    entry.unsigned(found.0, true);
    let creditor = node.find(&["CdtrAcct"]).map_or("", account);
    for party in [creditor, node.text(&["Cdtr", "Nm"]), node.text(&["Cdtr", "Pty", "Nm"])] {
        entry.fill(Column::Counterparty, party);
    }
    let ids = ["UETR", "TxId", "EndToEndId", "InstrId"].map(|name| reference(node.text(&["PmtId", name])));
    entry.set(Column::Id, ids.into_iter().find(|id| !id.is_empty()).unwrap_or(""));
    entry.set(Column::Reference, ids.join("\u{1f}"));
    // The kind of payment is the transfer's own, else its batch's or message's.
    let kind = |path: &[&str]| {
        let known = [node, batch, group].map(|node| code(node, path));
        known.into_iter().find(|word| !word.is_empty()).unwrap_or("")
    };
    for word in [code(node, &["Purp"]), kind(&["PmtTpInf", "CtgyPurp"])] {
        entry.fill(Column::Category, word);
    }
    for word in [kind(&["PmtTpInf", "LclInstrm"]), kind(&["PmtTpInf", "SvcLvl"])] {
        entry.fill(Column::Channel, word);
    }
    entry.set(Column::Country, node.text(&["Cdtr", "PstlAdr", "Ctry"]));
    if let [charges] = node.all("ChrgsInf").collect::<Vec<_>>()[..]
        && let Some(fee) = charges.find(&["Amt"]).filter(|fee| fee.currency == found.1)
    {
        entry.set(Column::Fee, fee.text.trim());
    }
    let remittance: Vec<&str> =
        node.find(&["RmtInf"]).iter().flat_map(|info| info.all("Ustrd")).map(|line| line.text.trim()).collect();
    entry.set(Column::Description, remittance.join(" "));
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        let check =
            |text: &str, expect: Option<&str>| assert_eq!(decimal(text).map(written).as_deref(), expect, "{text}");
        check("12.30", Some("12.3"));
        check("1000", Some("1000"));
        check(".5", Some("0.5"));
        check("0.00", Some("0"));
        check("999999999999999999.99999999999999999", Some("999999999999999999.99999999999999999"));
        for text in ["", ".", "-1", "1e3", "1,5", "1234567890123456789", "0.123456789012345678"] {
            check(text, None);
        }
    }
}
