//! Chunks of all files into one batch in order, what is known already counted instead of kept.

use crible_core::{Batch, Code, Coded, Columns, Currencies, Currency, EntityId, Source, Timestamp, Truth, TxnId};
use rayon::prelude::*;
use siphasher::sip128::SipHasher24;

use crate::plan::{Money, Plan};
use crate::rows::{Chunk, Words};

/// The rows of one file.
#[derive(Debug)]
pub(crate) struct FileRows {
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) references: SipHasher24,
    pub(crate) each_row: bool,
    pub(crate) currency: Currency,
}

impl FileRows {
    pub(crate) fn new(plan: &Plan, references: SipHasher24, chunks: Vec<Chunk>) -> Self {
        let currency = match plan.currency {
            Money::Constant(currency) => currency,
            Money::Column(_) => Currency::NONE,
        };
        Self { chunks, references, each_row: plan.each_row(), currency }
    }
}

/// Where a row stands, in the order in which rows are sorted: by time and content, then by file and row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    at: i64,
    /// The row's content first, then its reference.
    id: u128,
    chunk: u32,
    row: u32,
}

/// The batch, and for each file how many of its rows were known already.
///
/// Rows of equal content stand together after the sort. Where an id to be trusted is part of it, they are one
/// transaction. Elsewhere a file's equal rows are as many transactions (two coffees), numbered in file order, and a
/// second file's are the same ones again as far as their number goes (an overlapping export). A label that only one of
/// them has is kept.
pub(crate) fn merge(mut files: Vec<FileRows>) -> (Batch, Vec<u64>) {
    let mut known = vec![0; files.len()];
    // Chunk of the run to (file, chunk of the file).
    let table: Vec<(usize, usize)> = files
        .iter()
        .enumerate()
        .flat_map(|(file, rows)| (0..rows.chunks.len()).map(move |chunk| (file, chunk)))
        .collect();
    let rows = files.iter().flat_map(|file| &file.chunks).map(|chunk| chunk.at.len()).sum();
    let mut places = Vec::with_capacity(rows);
    for (number, &(file, chunk)) in table.iter().enumerate() {
        let chunk = &mut files[file].chunks[chunk];
        // From here on a place has both.
        let (at, content) = (std::mem::take(&mut chunk.at), std::mem::take(&mut chunk.content));
        let rows = at.into_iter().zip(content).enumerate();
        places.extend(rows.map(|(row, (at, id))| Place { at, id, chunk: number as u32, row: row as u32 }));
    }
    sort(&mut places);
    let mut renamed = false;
    let mut kept = 0;
    let mut start = 0;
    while start < places.len() {
        let first = places[start];
        let same = places[start..].iter().take_while(|place| place.id == first.id && place.at == first.at).count();
        if same == 1 {
            places[kept] = first;
            kept += 1;
        } else {
            let group = places[start..start + same].to_vec();
            let stay = group_kept(&group, &table, &mut files, &mut known);
            renamed |= stay.len() > 1;
            places[kept..kept + stay.len()].copy_from_slice(&stay);
            kept += stay.len();
        }
        start += same;
    }
    places.truncate(kept);
    if renamed {
        sort(&mut places);
    }
    (fill(&places, &table, &files), known)
}

/// Sorts places, of which no two are equal. Most exports are in order of time already, and then only rows of one instant
/// have to find theirs.
fn sort(places: &mut [Place]) {
    if places.is_sorted_by_key(|place| place.at) {
        for instant in places.chunk_by_mut(|a, b| a.at == b.at) {
            instant.sort_unstable();
        }
    } else {
        places.par_sort();
    }
}

/// The rows of one content that stay, with their references; the others are counted as known.
fn group_kept(group: &[Place], table: &[(usize, usize)], files: &mut [FileRows], known: &mut [u64]) -> Vec<Place> {
    let trusted = group.first().is_some_and(|place| place.id & 1 == 1);
    let mut stay: Vec<Place> = Vec::new();
    let mut file_before = usize::MAX;
    let mut occurrence = 0;
    for place in group {
        let (file, chunk) = table[place.chunk as usize];
        occurrence = if file == file_before && !trusted { occurrence + 1 } else { 0 };
        file_before = file;
        match stay.get(occurrence) {
            None => {
                let mut place = *place;
                if occurrence > 0 {
                    let mut name = [0; 24];
                    name[..16].copy_from_slice(&place.id.to_le_bytes());
                    name[16..].copy_from_slice(&(occurrence as u64).to_le_bytes());
                    place.id = u128::from(files[file].references.hash(&name));
                }
                stay.push(place);
            }
            Some(first) => {
                known[file] += 1;
                let said = truth(&files[file].chunks[chunk], place.row as usize);
                let (file, chunk) = table[first.chunk as usize];
                if let Some(slot) = files[file].chunks[chunk].truth.get_mut(first.row as usize) {
                    *slot = stronger(*slot, said);
                }
            }
        }
    }
    stay
}

/// Of two labels of one transaction, fraud outweighs legitimate, and either outweighs nothing: in any order.
fn stronger(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Truth::Fraud, _) | (_, Truth::Fraud) => Truth::Fraud,
        (Truth::Legitimate, _) | (_, Truth::Legitimate) => Truth::Legitimate,
        _ => Truth::Unknown,
    }
}

fn truth(chunk: &Chunk, row: usize) -> Truth {
    chunk.truth.get(row).copied().unwrap_or_default()
}

/// Columns of a batch, each gathered in parallel from the chunks' own.
fn fill(places: &[Place], table: &[(usize, usize)], files: &[FileRows]) -> Batch {
    let chunks: Vec<(usize, &Chunk)> = table.iter().map(|&(file, chunk)| (file, &files[file].chunks[chunk])).collect();
    let gather = Gather { places, chunks: &chunks };
    let account = |place: &Place, (file, chunk): (usize, &Chunk)| {
        let file = &files[file];
        if !file.each_row {
            return chunk.account[place.row as usize];
        }
        let name = [&place.id.to_le_bytes()[..], b"account"].concat();
        EntityId::from_pseudorandom(u128::from(file.references.hash(&name)) as u64)
    };
    let source = |place: &Place, (file, chunk): (usize, &Chunk)| Source {
        file: file as u32,
        row: chunk.first_row + u64::from(chunk.row[place.row as usize]),
    };
    let mut currencies: Vec<Currency> = files.iter().map(|file| file.currency).collect();
    currencies.dedup();
    let mixed = chunks.iter().any(|(_, chunk)| !chunk.currency.is_empty());
    let currency = match currencies.as_slice() {
        [one] if !mixed => Currencies::One(*one),
        _ => Currencies::Each(gather.all(|place, (file, chunk)| {
            chunk.currency.get(place.row as usize).copied().unwrap_or(files[file].currency)
        })),
    };
    let columns = Columns {
        id: gather.all(|place, _| TxnId(place.id)),
        at: gather.all(|place, _| Timestamp(place.at)),
        account: gather.all(account),
        minor: gather.all(|place, (_, chunk)| chunk.minor[place.row as usize]),
        source: gather.all(source),
        currency,
        counterparty: gather.optional(|chunk| &chunk.counterparty),
        balance_before: gather.optional(|chunk| &chunk.balance),
        channel: gather.words(|chunk| &chunk.channel),
        category: gather.words(|chunk| &chunk.category),
        country: gather.words(|chunk| &chunk.country),
        position: gather.optional(|chunk| &chunk.position),
        truth: gather.optional(|chunk| &chunk.truth),
    };
    #[expect(clippy::expect_used, reason = "places are in the batch's order, and every column has one value a place")]
    Batch::from_columns(columns).expect("columns of one length, in order")
}

/// Rows in their final order, and where each stands.
struct Gather<'a> {
    places: &'a [Place],
    /// Chunks of the run, each with the number of its file.
    chunks: &'a [(usize, &'a Chunk)],
}

impl Gather<'_> {
    fn all<T: Send>(&self, value: impl Fn(&Place, (usize, &Chunk)) -> T + Sync) -> Vec<T> {
        self.places.par_iter().map(|place| value(place, self.chunks[place.chunk as usize])).collect()
    }

    /// A column that some chunks do not have.
    fn optional<T: Copy + Default + Send + Sync>(&self, column: impl Fn(&Chunk) -> &Vec<T> + Sync) -> Option<Vec<T>> {
        let has = self.chunks.iter().any(|(_, chunk)| !column(chunk).is_empty());
        has.then(|| self.all(|place, (_, chunk)| column(chunk).get(place.row as usize).copied().unwrap_or_default()))
    }

    /// A column of words: the chunks' lists one behind the other, behind the word for none.
    fn words(&self, column: impl Fn(&Chunk) -> &Words + Sync) -> Option<Coded> {
        let mut all = vec![Code::NONE];
        let starts: Vec<Option<u32>> = self
            .chunks
            .iter()
            .map(|(_, chunk)| {
                let start = all.len() as u32;
                all.extend_from_slice(column(chunk).words());
                (all.len() as u32 > start).then_some(start)
            })
            .collect();
        (all.len() > 1).then(|| {
            let rows = self.all(|place, (_, chunk)| match starts[place.chunk as usize] {
                Some(start) => start + column(chunk).at(place.row as usize),
                None => 0,
            });
            Coded::from_parts(&all, rows)
        })
    }
}
