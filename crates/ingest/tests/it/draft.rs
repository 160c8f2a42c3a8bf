//! Presets drafted from files: against the built-in preset of each, row by row.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crible_core::Transaction;
use crible_ingest::{Draft, Error, Import, Options, Preset, PresetError, Presets, draft};

use crate::common::{fixture, import, options};

/// Fixtures that are tables of text, by name.
fn tables() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(fixture("")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_file());
    let ending = |path: &PathBuf| path.extension().unwrap().to_str().unwrap().to_lowercase();
    paths.retain(|path| ["csv", "psv"].contains(&ending(path).as_str()));
    paths.sort();
    paths
}

fn built_in(path: &PathBuf) -> Import {
    match import(std::slice::from_ref(path), &options()) {
        Ok((import, _)) => import,
        Err(Error::ByName { feeds, .. }) => {
            // Of several that have to be named, the one that reads the most.
            let of =
                |feed: &String| import(std::slice::from_ref(path), &Options { feed: Some(feed.clone()), ..options() });
            let read: Vec<_> = feeds.iter().filter_map(|feed| of(feed).ok()).map(|(import, _)| import).collect();
            read.into_iter().reduce(|best, next| if next.batch.len() > best.batch.len() { next } else { best }).unwrap()
        }
        Err(error) => panic!("{error}"),
    }
}

fn rows(import: &Import) -> BTreeMap<u64, Transaction> {
    (0..import.batch.len()).map(|row| (import.batch.source(row).row, import.batch.get(row))).collect()
}

fn by_draft(path: &PathBuf, draft: &Draft) -> Import {
    let preset = Preset::from_toml(&draft.toml, "draft.toml").unwrap_or_else(|error| panic!("{error}\n{}", draft.toml));
    let options = Options { feed: Some(draft.name.clone()), presets: Presets::builtin().with(preset), ..options() };
    import(std::slice::from_ref(path), &options).unwrap_or_else(|error| panic!("{error}\n{}", draft.toml)).0
}

/// What the draft reads otherwise than the built-in preset, in words; nothing where it reads the same.
fn differences(path: &PathBuf, draft: &Draft) -> Vec<String> {
    let (expect, found) = (rows(&built_in(path)), rows(&by_draft(path, draft)));
    let mut told = Vec::new();
    let mut note = |what: &str, differs: usize| {
        if differs > 0 {
            told.push(format!("{what} {differs}/{}", expect.len()));
        }
    };
    note("lost", expect.keys().filter(|row| !found.contains_key(row)).count());
    note("besides", found.keys().filter(|row| !expect.contains_key(row)).count());
    let both: Vec<(&Transaction, &Transaction)> =
        expect.iter().filter_map(|(row, a)| Some((a, found.get(row)?))).collect();
    let count = |same: fn(&Transaction, &Transaction) -> bool| both.iter().filter(|(a, b)| !same(a, b)).count();
    note("time", count(|a, b| a.at == b.at));
    note("account", count(|a, b| a.account == b.account));
    note("amount", count(|a, b| a.amount.minor == b.amount.minor));
    // A currency that the file does not name cannot be made out.
    if draft.toml.contains("\n[currency]") {
        note("currency", count(|a, b| a.amount.currency == b.amount.currency));
    }
    note("counterparty", count(|a, b| a.counterparty == b.counterparty));
    told
}

#[test]
fn a_draft_reads_what_the_built_in_preset_reads() {
    let mut told = Vec::new();
    let (mut same, mut open) = (0, 0);
    for path in tables() {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let draft = draft(&path, Some("drafted")).unwrap();
        if !draft.undecided.is_empty() {
            let error = Preset::from_toml(&draft.toml, "d.toml").unwrap_err();
            assert!(matches!(&error, PresetError::Undecided { points, .. } if *points == draft.undecided), "{error}");
            open += 1;
            told.push(format!(
                "{name}: undecided {}",
                draft.undecided.iter().map(|p| p.split(':').next().unwrap()).collect::<Vec<_>>().join(", ")
            ));
            continue;
        }
        match differences(&path, &draft) {
            none if none.is_empty() => same += 1,
            some => told.push(format!("{name}: {}", some.join(", "))),
        }
    }
    println!("{same} of {} the same, {open} undecided\n{}", tables().len(), told.join("\n"));
    assert!(same >= 27 && same + open >= 40, "{same} the same, {open} undecided:\n{}", told.join("\n"));
}

/// The parts of a draft of a table, a line each.
fn drafted(text: &str) -> Vec<String> {
    let folder = crate::common::Folder::new();
    let draft = draft(&folder.file("statement.csv", text), None).unwrap();
    draft.toml.lines().map(str::to_owned).collect()
}

#[test]
fn statements_of_other_countries_are_drafted() {
    for (text, expect) in [
        (
            "Date,Narration,Chq./Ref.No.,Value Dt,Withdrawal Amt.,Deposit Amt.,Closing Balance\n\
             25/01/24,UPI-ROSE,0000400,25/01/24,450.00,,\"1,23,456.00\"\n\
             26/01/24,SALARY,0000401,26/01/24,,\"1,00,000.00\",\"2,23,456.00\"\n",
            &["debit = \"Withdrawal Amt.\"", "credit = \"Deposit Amt.\"", "column = \"Narration\""][..],
        ),
        (
            "日付,摘要,お引出し,お預入れ,残高\n2024/01/05,店,450,,98550\n2024/01/25,給与,,200000,298550\n",
            &["debit = \"お引出し\"", "credit = \"お預入れ\"", "column = \"残高\"", "column = \"摘要\""],
        ),
        (
            "Дата операции;Описание;Сумма операции;Валюта операции;Номер карты;Категория\n\
             05.01.2024 10:05:00;Пекарня;-450,50;RUB;*1234;Супермаркеты\n\
             25.01.2024 11:00:00;Аптека;-20,00;RUB;*1234;Другое\n",
            &[
                "column = \"Описание\"",
                "column = \"Сумма операции\"",
                "column = \"Валюта операции\"",
                "column = \"Номер карты\"",
            ],
        ),
        (
            "Datum zaúčtování;Částka;Měna;Zůstatek;Název protiúčtu;Protiúčet;Poznámka\n\
             05.01.2024;-120,50;CZK;1879,50;Kniha;123456/0100;nákup\n25.01.2024;-20,00;CZK;1859,50;Pekárna;999/0800;x\n",
            &["column = \"Částka\"", "column = \"Měna\"", "column = \"Zůstatek\"", "column = \"Název protiúčtu\""],
        ),
        (
            "Data operacji,Typ transakcji,Kwota,Waluta,Saldo po transakcji,Opis transakcji\n\
             2024-01-05,Płatność kartą,-12.50,PLN,+987.50,KAWA\n2024-01-25,Płatność kartą,-10.00,PLN,+977.50,SKLEP\n",
            &["column = \"Opis transakcji\"", "column = \"Kwota\"", "column = \"Waluta\""],
        ),
        (
            "Transaction ID,Timestamp (UTC),PAN (masked),Merchant Name,Billing Amount,Is Fraud\n\
             t1,2024-01-05T10:00:00Z,400000******0001,CAFE,4.50,0\nt2,2024-01-25T11:00:00Z,400000******0002,SHOP,12.00,1\n",
            &["column = \"PAN (masked)\"", "column = \"Merchant Name\""],
        ),
    ] {
        let lines = drafted(text);
        for line in expect {
            assert!(lines.iter().any(|found| found == line), "{line} in\n{}", lines.join("\n"));
        }
    }
    // Two columns of which each row has one, named in no language that is known.
    let lines = drafted("Date,Text,Xyz,Uvw\n2024-01-05,a,4.50,\n2024-01-06,b,,9.00\n2024-01-07,c,1.50,\n");
    assert!(
        lines.iter().any(|line| line.contains("amount.debit: each row has a sum in one of `Xyz` and `Uvw`")),
        "{lines:?}"
    );
}
