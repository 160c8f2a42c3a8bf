//! For a person.

use std::io;

use crible_core::{EntityId, Transaction};
use crible_ingest::{Error, plain};

use super::{Checked, Faults, Plain};
use crate::feeds::{columns, fields};
use crate::summary::no_transaction;
use crate::terminal;

pub(super) fn told(checked: &[Checked], unread: &[Error], plain: &Plain) -> String {
    let mut text = String::new();
    for file in checked {
        if !text.is_empty() {
            text.push('\n');
        }
        one(file, plain, &mut text);
    }
    for error in unread {
        text.push_str(&format!("not read: {}\n", terminal::told(error, &io::stdout())));
    }
    terminal::lines(&text)
}

fn one(file: &Checked, plain: &Plain, text: &mut String) {
    let Checked { found, report, first, faults } = file;
    text.push_str(&format!("{}\n", terminal::name(&report.path, &report.shown, &io::stdout())));
    let confidence = format!("{:.1}: {}", found.signature.confidence(), found.why);
    let mut facts = vec![("feed", format!("{} ({})", found.feed, found.title)), ("confidence", confidence)];
    let wrapped = [
        found.compression.map(|compression| format!("{compression:?}").to_lowercase()),
        found.delimiter.map(|delimiter| format!("fields parted by {delimiter:?}")),
        Some(format!("{} columns", found.columns.len())),
    ];
    facts.push(("file", wrapped.into_iter().flatten().collect::<Vec<_>>().join(", ")));
    if !report.unused_columns.is_empty() {
        facts.push(("not used", report.unused_columns.join(", ")));
    }
    let rows = format!(
        "read {} = accepted {} + already known {} + rejected {}{}",
        report.read,
        report.accepted,
        report.known,
        report.rejected,
        no_transaction(report)
    );
    facts.push(("rows", rows));
    facts.extend(report.warnings.iter().map(|warning| ("warning", warning.clone())));
    let facts: Vec<_> = facts.into_iter().map(|(name, fact)| [name.to_owned(), fact]).collect();
    text.push_str(&columns("  ", &[], &facts));
    text.push_str("  fields\n");
    text.push_str(&fields(&found.mapping));
    if !first.is_empty() {
        text.push_str("  first rows, as they are read\n");
        text.push_str(&rows_told(first, plain));
    }
    if report.rejected > 0 {
        text.push_str("  rejected\n");
        faults_told(faults, text);
    }
}

fn rows_told(first: &[(u64, Transaction)], plain: &Plain) -> String {
    let head = ["row", "time", "account", "counterparty", "amount", "category", "channel"].map(str::to_owned);
    let dash = |word: &str| if word.is_empty() { "-".to_owned() } else { word.to_owned() };
    let party = |id: EntityId| plain.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let rows: Vec<_> = first
        .iter()
        .map(|(row, txn)| {
            [
                row.to_string(),
                txn.at.to_string(),
                party(txn.account),
                txn.counterparty.map_or_else(|| "-".to_owned(), party),
                format!("{} {}", txn.amount, txn.amount.currency),
                dash(txn.category.as_str()),
                dash(txn.channel.as_str()),
            ]
        })
        .collect();
    columns("    ", &[head], &rows)
}

fn faults_told(faults: &Faults, text: &mut String) {
    for fault in faults.ranked() {
        text.push_str(&format!("    {} × {}: {}\n", fault.count, plain(&fault.column), plain(&fault.reason)));
        for example in &fault.examples {
            text.push_str(&format!("      line {}: `{}`\n", example.line, plain(&example.value)));
        }
    }
    if faults.others > 0 {
        text.push_str(&format!("    {} × other reasons\n", faults.others));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn raw_values_stand_in_for_pseudonyms_where_they_are_given() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in.csv");
        std::fs::write(&path, "who,when,much,shop\nada,2024-01-05,-4.50,Corner Cafe\n").unwrap();
        let map = crible_ingest::Mapping::parse("account=who,time=when,amount=much,counterparty=shop").unwrap();
        let options = crible_ingest::Options { map: Some(map), ..Default::default() };
        let import = crible_ingest::read(&[path], &options, &mut |_| {}, &|_| {}).unwrap();
        let first = [(0, import.batch.get(0))];
        let (account, shop) = (first[0].1.account, first[0].1.counterparty.unwrap());
        let shown = rows_told(&first, &Plain::new());
        assert!(shown.contains(&account.to_string()) && shown.contains(&shop.to_string()), "{shown}");
        let named = Plain::from([(account, "ada".to_owned()), (shop, "Corner Cafe".to_owned())]);
        let shown = rows_told(&first, &named);
        assert!(shown.contains("ada") && shown.contains("Corner Cafe") && !shown.contains(&account.to_string()));
    }
}
