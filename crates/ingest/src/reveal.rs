//! The way back from a pseudonym, which only the source files and the key together are; and from one key to the next.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use crible_core::{EntityId, Source, TxnId};

use crate::error::Error;
use crate::read::{Import, Options, Progress, read, read_seeking};
use crate::seek::Seek;
use crible_pseudonym::Key;

/// What a pseudonym or reference stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// An account, card or person that transactions happened on.
    Account,
    /// The other side of transactions.
    Counterparty,
    /// A transaction.
    Transaction,
}

impl Role {
    /// Its name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Counterparty => "counterparty",
            Self::Transaction => "transaction",
        }
    }
}

/// What a pseudonym stood for in the files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revealed {
    /// The pseudonym or reference, as it was asked for.
    pub pseudonym: String,
    /// What it stands for.
    pub role: Role,
    /// The identifier as the files have it. Nothing for a transaction, whose row is what it is, and for an account that
    /// is one row alone.
    pub identifier: Option<String>,
    /// The first row it stands in: the file, and the row there, from 0.
    pub file: PathBuf,
    /// That row.
    pub row: u64,
    /// Rows it stands in.
    pub rows: u64,
    /// Name of the key it was made under.
    pub key: String,
}

/// Looks up pseudonyms (16 hexadecimal digits) and transaction references (32) by reading the files that they were made
/// of, under each of the key's secrets, newest first. Nothing of it is kept.
///
/// Without a key in the options one is made of the files' contents, as in reading: that finds something only where
/// these are exactly the files of the run that made the pseudonyms.
///
/// # Errors
/// [`Error`] as in [`crate::read()`].
pub fn reveal(
    inputs: &[PathBuf],
    options: &Options,
    pseudonyms: &[String],
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Vec<Revealed>, Error> {
    let wanted: Vec<EntityId> = pseudonyms
        .iter()
        .filter(|text| text.len() == 16)
        .filter_map(|text| EntityId::new(u64::from_str_radix(text, 16).ok()?))
        .collect();
    let references: Vec<TxnId> = pseudonyms
        .iter()
        .filter(|text| text.len() == 32)
        .filter_map(|text| Some(TxnId(u128::from_str_radix(text, 16).ok()?)))
        .collect();
    let seek = Arc::new(Seek::new(wanted.clone()));
    let keys: Vec<Option<Key>> = match &options.key {
        Some(key) => [key.clone()].into_iter().chain(key.older()).map(Some).collect(),
        None => vec![None],
    };
    let mut revealed = Vec::new();
    for key in keys {
        let name = key.as_ref().map_or_else(|| "contents".to_owned(), Key::id);
        let options = Options { key, ..options.clone() };
        let import = read_seeking(inputs, &options, Some(seek.clone()), &mut |_| {}, progress)?;
        let found = seek.take();
        revealed.extend(places(&import, &wanted, &references, &found, &name));
    }
    Ok(revealed)
}

/// Where each pseudonym stands, in the order of pseudonyms, then roles.
fn places(
    import: &Import,
    wanted: &[EntityId],
    references: &[TxnId],
    found: &BTreeMap<EntityId, BTreeSet<String>>,
    key: &str,
) -> Vec<Revealed> {
    // First place and count.
    let mut entities: BTreeMap<(EntityId, Role), (Source, u64)> = BTreeMap::new();
    let mut revealed = Vec::new();
    let file = |source: Source| import.files[source.file as usize].path.clone();
    for row in 0..import.batch.len() {
        let txn = import.batch.get(row);
        let source = import.batch.source(row);
        let parties = [(Some(txn.account), Role::Account), (txn.counterparty, Role::Counterparty)];
        for (entity, role) in parties.into_iter().filter_map(|(entity, role)| Some((entity?, role))) {
            if wanted.contains(&entity) {
                let place = entities.entry((entity, role)).or_insert((source, 0));
                place.0 = place.0.min(source);
                place.1 += 1;
            }
        }
        if references.contains(&txn.id) {
            revealed.push(Revealed {
                pseudonym: txn.id.to_string(),
                role: Role::Transaction,
                identifier: None,
                file: file(source),
                row: source.row,
                rows: 1,
                key: key.to_owned(),
            });
        }
    }
    for ((entity, role), (source, rows)) in entities {
        let identifiers = found.get(&entity).map_or_else(
            // An account of one row has no identifier but the row.
            || vec![None],
            |names| names.iter().cloned().map(Some).collect(),
        );
        for identifier in identifiers {
            let (pseudonym, file, key) = (entity.to_string(), file(source), key.to_owned());
            revealed.push(Revealed { pseudonym, role, identifier, file, row: source.row, rows, key });
        }
    }
    revealed.sort_by(|a, b| (&a.pseudonym, a.role, &a.identifier).cmp(&(&b.pseudonym, b.role, &b.identifier)));
    revealed
}

/// One pseudonym or reference under an older key and under a newer one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Renamed {
    /// What it stands for.
    pub role: Role,
    /// Under the older key.
    pub old: String,
    /// Under the newer one.
    pub new: String,
}

/// The pseudonyms and references of the files under two keys, side by side, sorted: what carries notes and alerts over
/// a change of key. The files are the only way from one to the other. They are read once under each key.
///
/// # Errors
/// [`Error`] as in [`crate::read()`].
pub fn rekey(
    inputs: &[PathBuf],
    options: &Options,
    from: &Key,
    to: &Key,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Vec<Renamed>, Error> {
    let under = |key: &Key| {
        let options = Options { key: Some(key.clone()), ..options.clone() };
        read(inputs, &options, &mut |_| {}, progress)
    };
    let (old, new) = (under(from)?.batch, under(to)?.batch);
    // Which of equal rows is kept depends on files and rows, so both have the same.
    let rows: HashMap<Source, usize> = (0..new.len()).map(|row| (new.source(row), row)).collect();
    let mut names = BTreeSet::new();
    for row in 0..old.len() {
        let Some(&other) = rows.get(&old.source(row)) else { continue };
        let (old, new) = (old.get(row), new.get(other));
        let mut add = |role, old: String, new: String| names.insert(Renamed { role, old, new });
        add(Role::Account, old.account.to_string(), new.account.to_string());
        add(Role::Transaction, old.id.to_string(), new.id.to_string());
        if let (Some(old), Some(new)) = (old.counterparty, new.counterparty) {
            add(Role::Counterparty, old.to_string(), new.to_string());
        }
    }
    Ok(names.into_iter().collect())
}
