//! Who was paid, in the words of the file: for the owner's own terminal, and masked.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use crible_alert::Alert;
use crible_alert::recurring::{Paid, Recurring, recurring};
use crible_core::{Batch, EntityId, TxnId};
use crible_ingest::{Options, Role, mask, reveal};

/// So many payees of an alert are named.
const MOST: usize = 4;

/// What stands for a payee whose text is left out.
const LEFT_OUT: &str = "(a name that is left out here)";

/// Bytes of files that are read once more to name payees.
const LARGEST: u64 = 64 << 20;

/// Payees of what is on the page.
#[derive(Debug, Default)]
pub(crate) struct Payees {
    /// Their texts, masked. One that is an account, or reads like a number, has none.
    texts: HashMap<EntityId, String>,
    of: HashMap<TxnId, EntityId>,
    /// Those whose texts are left out, since they read like somebody's name.
    left_out: BTreeSet<EntityId>,
    /// What comes again and again, where the file is of one account.
    pub(crate) recurring: Vec<Recurring>,
}

impl Payees {
    /// Looks them up by reading the files once more; none where they can be read only once.
    pub(crate) fn look_up(alerts: &[Alert], batch: &Batch, files: &[PathBuf], options: &Options) -> Self {
        let mut payees = Self::default();
        let ids: BTreeSet<TxnId> = alerts
            .iter()
            .flat_map(|alert| alert.payments.iter().map(|payment| payment.id).chain([alert.decision.txn.id]))
            .collect();
        for row in 0..batch.len() {
            let id = batch.ids()[row];
            if ids.contains(&id)
                && let Some(party) = batch.get(row).counterparty
            {
                payees.of.insert(id, party);
            }
        }
        let is_one = batch.accounts().windows(2).all(|pair| pair[0] == pair[1]);
        if let Some(until) = batch.times().last().filter(|_| is_one) {
            let paid = |row: usize| {
                let txn = batch.get(row);
                Some(Paid { party: txn.counterparty?, at: txn.at, amount: txn.amount })
            };
            payees.recurring = recurring(&(0..batch.len()).filter_map(paid).collect::<Vec<_>>(), *until);
        }
        let wanted: BTreeSet<EntityId> =
            payees.of.values().copied().chain(payees.recurring.iter().map(|one| one.party)).collect();
        let sizes: Option<Vec<u64>> = files
            .iter()
            .map(|file| fs::metadata(file).ok().filter(fs::Metadata::is_file).map(|file| file.len()))
            .collect();
        if wanted.is_empty() || sizes.is_none_or(|sizes| sizes.iter().sum::<u64>() > LARGEST) {
            return payees;
        }
        let names: Vec<String> = wanted.iter().map(EntityId::to_string).collect();
        // Without their texts the page shows pseudonyms.
        let revealed = reveal(files, options, &names, &|_| {}).unwrap_or_default();
        let accounts: BTreeSet<&str> =
            revealed.iter().filter(|one| one.role == Role::Account).map(|one| one.pseudonym.as_str()).collect();
        let mut texts: HashMap<EntityId, String> = HashMap::new();
        let mut found = BTreeSet::new();
        for party in wanted {
            let name = party.to_string();
            let text = revealed.iter().find(|one| one.pseudonym == name && one.role == Role::Counterparty);
            if let Some(text) = text.and_then(|one| one.identifier.as_deref())
                && !accounts.contains(name.as_str())
                && reads_like_a_name(text)
            {
                found.insert(party);
                texts.insert(party, text.to_uppercase());
            }
        }
        keep_unmasked(&mut texts, files);
        payees.left_out = found.into_iter().filter(|party| !texts.contains_key(party)).collect();
        payees.texts = texts.into_iter().map(|(party, text)| (party, mask(&text).into_owned())).collect();
        payees
    }

    /// The payee's text, where it has one.
    pub(crate) fn text(&self, party: EntityId) -> Option<String> {
        self.texts.get(&party).cloned()
    }

    /// The payee's text, that it is left out, or its pseudonym.
    fn name(&self, party: EntityId) -> String {
        match self.text(party) {
            Some(text) => text,
            None if self.left_out.contains(&party) => LEFT_OUT.to_owned(),
            None => party.to_string(),
        }
    }

    /// The payees of an alert's payments, each once, with how many of the payments went there; none where no file was
    /// looked into.
    pub(crate) fn line(&self, alert: &Alert) -> Option<String> {
        let mut counts: Vec<(String, usize)> = Vec::new();
        let mut has_text = false;
        let one = [alert.decision.txn.id];
        let ids: Vec<TxnId> = match alert.payments.is_empty() {
            true => one.to_vec(),
            false => alert.payments.iter().map(|payment| payment.id).collect(),
        };
        for party in ids.iter().filter_map(|id| self.of.get(id)) {
            has_text |= self.texts.contains_key(party) || self.left_out.contains(party);
            let name = self.name(*party);
            match counts.iter_mut().find(|(other, _)| *other == name) {
                Some((_, count)) => *count += 1,
                None => counts.push((name, 1)),
            }
        }
        if !has_text {
            return None;
        }
        let more = counts.len().saturating_sub(MOST);
        let told = counts.into_iter().take(MOST).map(|(name, count)| match count {
            1 => name,
            count => format!("{name} ({count})"),
        });
        let mut told = told.collect::<Vec<_>>().join(", ");
        if more > 0 {
            told.push_str(&format!(" and {more} more"));
        }
        Some(told)
    }
}

/// Keeps the texts, in capitals, that stand in rows of the files and that no row loses when it is masked as a whole:
/// what a person is called is known by the words before it, which the identifier does not have.
fn keep_unmasked(texts: &mut HashMap<EntityId, String>, files: &[PathBuf]) {
    let mut stands: BTreeSet<EntityId> = BTreeSet::new();
    for file in files.iter().filter_map(|file| File::open(file).ok()) {
        for line in BufReader::new(file).split(b'\n') {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line);
            let raw = line.to_uppercase();
            let mut masked = None;
            texts.retain(|party, text| {
                if !raw.contains(text.as_str()) {
                    return true;
                }
                stands.insert(*party);
                // Numbers in it are masked anyway.
                let masked = masked.get_or_insert_with(|| mask(&line).to_uppercase());
                masked.contains(text.as_str()) || masked.contains(&mask(text).to_uppercase())
            });
        }
    }
    texts.retain(|party, _| stands.contains(party));
}

/// Three letters in a row: what has fewer is an account's number or a terminal's.
fn reads_like_a_name(text: &str) -> bool {
    let letters: Vec<bool> = text.chars().map(char::is_alphabetic).collect();
    letters.windows(3).any(|three| three.iter().all(|is_letter| *is_letter))
}
