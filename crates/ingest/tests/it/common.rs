use std::fs;
use std::path::{Path, PathBuf};

use crible_core::{Batch, EntityId, Source};
use crible_ingest::{Domain, Error, FileReport, Import, Key, Options, Reject, read};
use tempfile::TempDir;

pub(crate) fn key() -> Key {
    Key::from_text("invented for the tests and used nowhere else").unwrap()
}

pub(crate) fn options() -> Options {
    Options { key: Some(key()), ..Options::default() }
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Files of a test, gone when it ends.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

pub(crate) fn import(inputs: &[PathBuf], options: &Options) -> Result<(Import, Vec<Reject>), Error> {
    let mut rejects = Vec::new();
    let import = read(inputs, options, &mut |reject| rejects.push(reject), &|_| {})?;
    check_accounts(&import, &rejects);
    Ok((import, rejects))
}

/// Reads one file from bytes, and asserts what holds for any file that can be read at all.
pub(crate) fn bytes(name: &str, bytes: impl AsRef<[u8]>, options: &Options) -> Result<(Import, Vec<Reject>), Error> {
    let folder = Folder::new();
    import(&[folder.file(name, bytes)], options)
}

/// Nothing is lost, nothing is invented, and the batch is in order.
pub(crate) fn check_accounts(import: &Import, rejects: &[Reject]) {
    let sources: Vec<Source> = (0..import.batch.len()).map(|row| import.batch.source(row)).collect();
    check_reports(&import.files, &sources, rejects);
    let order: Vec<_> = import.batch.times().iter().zip(&sources).collect();
    assert!(order.windows(2).all(|pair| pair[0] < pair[1]), "in order of time, then file and row");
    let ids: std::collections::HashSet<_> = import.batch.ids().iter().collect();
    assert_eq!(ids.len(), order.len(), "no reference twice");
}

/// Every row read is accounted for once; `sources` are those of the accepted.
pub(crate) fn check_reports(files: &[FileReport], sources: &[Source], rejects: &[Reject]) {
    let mut accepted = vec![0; files.len()];
    for source in sources {
        accepted[source.file as usize] += 1;
    }
    for (file, accepted) in files.iter().zip(accepted) {
        assert_eq!(file.read, file.accepted + file.known + file.rejected, "{file:?}");
        assert_eq!(file.accepted, accepted, "{file:?}");
    }
    assert_eq!(files.iter().map(|file| file.rejected).sum::<u64>(), rejects.len() as u64);
    let mut rows: Vec<_> = rejects.iter().map(|reject| (reject.file.clone(), reject.row)).collect();
    rows.extend(sources.iter().map(|source| (files[source.file as usize].path.as_path().into(), source.row)));
    let all = rows.len();
    rows.sort();
    rows.dedup();
    assert_eq!(rows.len(), all, "no row is both accepted and rejected");
}

/// A batch row by row, pseudonyms given back the names they were made from:
/// `time account amount currency counterparty category channel country position balance-before truth row`.
pub(crate) fn told(batch: &Batch, names: &[&str]) -> Vec<String> {
    let key = key();
    let name = |entity: Option<EntityId>, domains: &[Domain]| {
        let Some(entity) = entity else { return "-".to_owned() };
        // A payee that was found in a text is written in capitals.
        let is = |name: &str| domains.iter().any(|&domain| key.pseudonym(domain, name) == entity);
        let found = names.iter().find(|name| is(name) || is(&name.to_uppercase()));
        found.map_or_else(|| "?".to_owned(), |name| (*name).to_owned())
    };
    let word = |word: &str| if word.is_empty() { "-".to_owned() } else { word.to_owned() };
    (0..batch.len())
        .map(|row| {
            let txn = batch.get(row);
            let position = txn.position.map(|p| format!("{},{}", p.latitude_e7(), p.longitude_e7()));
            let balance = txn.balance_before.map(|balance| balance.to_string());
            format!(
                "{} | {} | {} {} | {} | {} {} {} | {} | {} | {:?} | {}",
                txn.at,
                name(Some(txn.account), &[Domain::Party]),
                txn.amount,
                txn.amount.currency,
                name(txn.counterparty, &[Domain::Merchant, Domain::Party]),
                word(txn.category.as_str()),
                word(txn.channel.as_str()),
                word(txn.country.as_str()),
                position.as_deref().unwrap_or("-"),
                balance.as_deref().unwrap_or("-"),
                batch.truth(row),
                batch.source(row).row,
            )
        })
        .collect()
}
