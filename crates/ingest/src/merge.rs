//! Rows that were read and wait to be put into order; taken out as batches in order, what is known already counted
//! instead of kept.

use crible_core::{Batch, Clock, Code, Coded, Columns, Currencies, Currency, Source, Timestamp, Truth, TxnId, Window};
use crible_pseudonym::References;
use rayon::prelude::*;

use crate::meaning::{Annotations, PENDING};
use crate::plan::{Money, Plan};
use crate::rows::{Chunk, Stored, Words};

/// What the rows of one file have in common.
#[derive(Debug)]
struct Facts {
    references: References,
    each_row: bool,
    currency: Currency,
    /// Rows that said again what another had said.
    known: u64,
}

/// A chunk of a file, and the time of its first and its last row.
#[derive(Debug)]
struct Part {
    file: u32,
    chunk: Chunk,
    first: i64,
    last: i64,
}

/// Where a row stands. Rows are sorted by time and content, to find those that say the same, and then by time, file and
/// row: no key and no compression changes that order.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: i64,
    /// The row's content first, then its reference.
    id: u128,
    part: u32,
    row: u32,
}

/// Rows of all files. They come chunk by chunk, each file's in its order, and leave in order of time: all before an
/// instant at once. What is one transaction has one time, so nothing has to be remembered of what has left.
#[derive(Debug)]
pub(crate) struct Waiting {
    files: Vec<Facts>,
    parts: Vec<Part>,
    rows: usize,
    /// Rows before this have left.
    from: Option<i64>,
    clock: Clock,
    has_begun: bool,
    astray: Vec<Astray>,
}

/// A row whose time lies so far from the rest that it says nothing of when it was.
#[derive(Debug)]
pub(crate) struct Astray {
    pub(crate) file: usize,
    pub(crate) row: u64,
    /// Line, from 0 in the file.
    pub(crate) line: u64,
    pub(crate) at: Timestamp,
    /// The nearest time of the rest, and whether the row comes after it.
    pub(crate) nearest: Timestamp,
    pub(crate) is_ahead: bool,
}

/// Rows of the first that are taken among which there may be one that lies far before all others.
const FIRST: usize = 1 << 16;

impl Waiting {
    /// Nothing yet. A row is astray that is dated further ahead than this, and than the feed's rhythm allows.
    pub(crate) fn new(ahead: Window) -> Self {
        Self {
            files: Vec::new(),
            parts: Vec::new(),
            rows: 0,
            from: None,
            clock: Clock::new(ahead),
            has_begun: false,
            astray: Vec::new(),
        }
    }

    /// The rows astray that were found since this was last asked.
    pub(crate) fn astray(&mut self) -> Vec<Astray> {
        std::mem::take(&mut self.astray)
    }

    /// A further file; they are numbered through from 0.
    pub(crate) fn add_file(&mut self, plan: &Plan, references: References) {
        let currency = match plan.currency {
            Money::Constant(currency) => currency,
            Money::Column(_) | Money::Written => Currency::NONE,
        };
        self.files.push(Facts { references, each_row: plan.each_row(), currency, known: 0 });
    }

    /// A file's next chunk. Rows before [`Waiting::from`] in it are passed over.
    pub(crate) fn push(&mut self, file: u32, chunk: Chunk) {
        let from = self.from.unwrap_or(i64::MIN);
        let on_time = || chunk.at.iter().copied().filter(|&at| at >= from);
        if let (Some(first), Some(last)) = (on_time().min(), on_time().max()) {
            self.rows += on_time().count();
            self.parts.push(Part { file, first, last, chunk });
        }
    }

    /// Rows held.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The instant before which all have left.
    pub(crate) fn from(&self) -> Option<i64> {
        self.from
    }

    /// Rows of a file that said again what another had said, so far.
    pub(crate) fn known(&self, file: usize) -> u64 {
        self.files[file].known
    }

    /// Times of the rows held, in no order.
    pub(crate) fn times(&self) -> Vec<i64> {
        let from = self.from.unwrap_or(i64::MIN);
        self.parts.iter().flat_map(|part| &part.chunk.at).copied().filter(|&at| at >= from).collect()
    }

    /// Takes all rows before an instant, or all that are left.
    ///
    /// Rows of one instant are sorted by content. Where an id to be trusted is part of it, equal rows are one
    /// transaction. Elsewhere a file's equal rows are as many transactions (two coffees), numbered in file order, and a
    /// second file's are the same ones again as far as their number goes (an overlapping export). A label that only one
    /// of them has is kept.
    pub(crate) fn take(&mut self, until: Option<i64>) -> (Batch, Annotations) {
        // Occurrences are numbered by file and row, however the files' chunks came.
        self.parts.sort_unstable_by_key(|part| (part.file, part.chunk.first_row));
        let mut places = self.places(until);
        self.rows -= places.len();
        let mut kept = 0;
        let mut start = 0;
        while start < places.len() {
            let at = places[start].at;
            let rows = places[start..].iter().take_while(|place| place.at == at).count();
            if rows == 1 {
                places[kept] = places[start];
                kept += 1;
            } else {
                let mut instant = places[start..start + rows].to_vec();
                instant.sort_unstable_by_key(|place| (place.id, place.part, place.row));
                let mut stay: Vec<Place> = Vec::with_capacity(rows);
                for same in instant.chunk_by(|a, b| a.id == b.id) {
                    match same {
                        [one] => stay.push(*one),
                        same => stay.extend(group_kept(same, &mut self.parts, &mut self.files)),
                    }
                }
                stay.sort_unstable_by_key(|place| (place.part, place.row));
                places[kept..kept + stay.len()].copy_from_slice(&stay);
                kept += stay.len();
            }
            start += rows;
        }
        places.truncate(kept);
        let times = self.leave_out_astray(&mut places, until.is_none());
        let (batch, said) = fill(&places, times, &self.parts, &self.files);
        self.parts.retain(|part| until.is_some_and(|until| part.last >= until));
        self.from = self.from.max(until);
        (batch, said)
    }

    /// Leaves out one or two rows that lie far before all others, and one or two that lie far after them.
    /// Returns the times of the others.
    fn leave_out_astray(&mut self, places: &mut Vec<Place>, is_last: bool) -> Vec<Timestamp> {
        let ahead = self.clock.ahead();
        let times = |places: &[Place]| places.iter().map(|place| Timestamp(place.at)).collect::<Vec<_>>();
        if !self.has_begun && !places.is_empty() {
            self.has_begun = true;
            // It looks at the first of them alone.
            let strays = Clock::strays_before(ahead, &times(&places[..places.len().min(FIRST)]));
            // A payment of years before is an old one. What lies decades back is a date that was never read right.
            let is_far = |pair: &[Place]| pair[1].at.saturating_sub(pair[0].at) > Clock::RARE_PAUSE.0;
            let strays = places[..places.len().min(strays + 1)].windows(2).rposition(is_far).map_or(0, |last| last + 1);
            self.set_astray(places.drain(..strays).collect(), places.first(), false);
        }
        let mut all = times(places);
        if !is_last {
            self.clock.note_all(&all);
        } else if let Some(early) = self.clock.note_known(&all) {
            all.truncate(early);
            let rest = places.split_off(early);
            let nearest = all.last().copied().or(self.clock.latest()).map(|at| Place { at: at.0, ..rest[0] });
            self.set_astray(rest, nearest.as_ref(), true);
        }
        all
    }

    fn set_astray(&mut self, places: Vec<Place>, nearest: Option<&Place>, is_ahead: bool) {
        for place in places {
            let Part { file, chunk, .. } = &self.parts[place.part as usize];
            let row = place.row as usize;
            self.astray.push(Astray {
                file: *file as usize,
                row: chunk.first_row + u64::from(chunk.row[row]),
                line: chunk.first_line + chunk.line(row),
                at: Timestamp(place.at),
                nearest: Timestamp(nearest.map_or(place.at, |nearest| nearest.at)),
                is_ahead,
            });
        }
    }

    /// The places of all rows before an instant, sorted.
    fn places(&mut self, until: Option<i64>) -> Vec<Place> {
        let from = self.from.unwrap_or(i64::MIN);
        let before = |at: i64| until.is_none_or(|until| at < until);
        let rows = self.parts.iter().filter(|part| before(part.first)).map(|part| part.chunk.at.len()).sum();
        let mut places = Vec::with_capacity(rows);
        for (number, Part { chunk, first, last, .. }) in self.parts.iter_mut().enumerate() {
            if !before(*first) {
                continue;
            }
            let place = |(row, (at, id))| Place { at, id, part: number as u32, row: row as u32 };
            if before(*last) {
                // From here on a place has both.
                let (at, content) = (std::mem::take(&mut chunk.at), std::mem::take(&mut chunk.content));
                let rows = at.into_iter().zip(content).enumerate().map(place);
                match self.from {
                    None => places.extend(rows),
                    Some(from) => places.extend(rows.filter(|place| place.at >= from)),
                }
            } else {
                let rows = chunk.at.iter().copied().zip(chunk.content.iter().copied()).enumerate();
                places.extend(rows.map(place).filter(|place| place.at >= from && before(place.at)));
            }
        }
        // Most exports are in order of time already. Rows of one instant are put into theirs where they are taken.
        if !places.is_sorted_by_key(|place| place.at) {
            places.par_sort_unstable_by_key(|place| place.at);
        }
        places
    }
}

/// The rows of one content that stay, with their references; the others are counted as known.
fn group_kept(group: &[Place], parts: &mut [Part], files: &mut [Facts]) -> Vec<Place> {
    let trusted = group.first().is_some_and(|place| place.id & 1 == 1);
    let mut stay: Vec<Place> = Vec::new();
    let mut file_before = usize::MAX;
    let mut occurrence = 0;
    for place in group {
        let part = &parts[place.part as usize];
        let file = part.file as usize;
        occurrence = if file == file_before && !trusted { occurrence + 1 } else { 0 };
        file_before = file;
        match stay.get(occurrence) {
            None => {
                let mut place = *place;
                place.id = files[file].references.repeated(TxnId(place.id), occurrence as u64).0;
                stay.push(place);
            }
            Some(first) => {
                files[file].known += 1;
                let said = part.chunk.truth.get(place.row as usize).copied().unwrap_or_default();
                let open = part.chunk.marks.get(place.row as usize).is_some_and(|marks| marks & PENDING != 0);
                let kept = &mut parts[first.part as usize].chunk;
                if let Some(slot) = kept.truth.get_mut(first.row as usize) {
                    *slot = stronger(*slot, said);
                }
                // What is posted in one export is no longer pending in another.
                if let Some(marks) = kept.marks.get_mut(first.row as usize).filter(|_| !open) {
                    *marks &= !PENDING;
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

/// Columns of a batch, each gathered in parallel from the chunks' own.
fn fill(places: &[Place], times: Vec<Timestamp>, parts: &[Part], files: &[Facts]) -> (Batch, Annotations) {
    let gather = Gather { places, parts };
    let account = |place: &Place, part: &Part| {
        let file = &files[part.file as usize];
        if !file.each_row {
            return part.chunk.account[place.row as usize];
        }
        file.references.own_account(TxnId(place.id))
    };
    let source = |place: &Place, Part { file, chunk, .. }: &Part| Source {
        file: *file,
        row: chunk.first_row + u64::from(chunk.row[place.row as usize]),
    };
    let mut currencies: Vec<Currency> = files.iter().map(|file| file.currency).collect();
    currencies.dedup();
    let mixed = parts.iter().any(|part| !part.chunk.currency.is_empty());
    let currency = match currencies.as_slice() {
        [one] if !mixed => Currencies::One(*one),
        _ => Currencies::Each(gather.all(|place, Part { file, chunk, .. }| {
            chunk.currency.get(place.row as usize).copied().unwrap_or(files[*file as usize].currency)
        })),
    };
    macro_rules! columns {
        ($($(#[$doc:meta])* $column:ident = $name:ident: $type:ty, $fill:ident;)*) => {
            Columns {
                id: gather.all(|place, _| TxnId(place.id)),
                at: times,
                account: gather.all(account),
                minor: gather.all(|place, part| part.chunk.minor[place.row as usize]),
                source: gather.all(source),
                currency,
                truth: gather.optional(|chunk| &chunk.truth),
                counterparty: gather.optional(|chunk| &chunk.counterparty),
                $($name: <$type as Stored>::gather(&gather, |chunk| &chunk.$column),)*
            }
        };
    }
    let columns = crible_core::optional_fields!(columns);
    #[expect(clippy::expect_used, reason = "places are in the batch's order, and every column has one value a place")]
    let batch = Batch::from_columns(columns).expect("columns of one length, in order");
    let said = Annotations {
        marks: gather.optional(|chunk| &chunk.marks),
        fee: gather.optional(|chunk| &chunk.fee),
        own: gather.optional(|chunk| &chunk.own),
        original: gather.optional(|chunk| &chunk.original),
        replaces: gather.optional(|chunk| &chunk.replaces),
    };
    (batch, said)
}

/// Rows in their final order, and where each stands.
pub(crate) struct Gather<'a> {
    places: &'a [Place],
    parts: &'a [Part],
}

impl Gather<'_> {
    fn all<T: Send>(&self, value: impl Fn(&Place, &Part) -> T + Sync) -> Vec<T> {
        self.places.par_iter().map(|place| value(place, &self.parts[place.part as usize])).collect()
    }

    /// A column that some chunks do not have.
    pub(crate) fn optional<T: Copy + Default + Send + Sync>(
        &self,
        column: impl Fn(&Chunk) -> &Vec<T> + Sync,
    ) -> Option<Vec<T>> {
        let has = self.parts.iter().any(|part| !column(&part.chunk).is_empty());
        has.then(|| self.all(|place, part| column(&part.chunk).get(place.row as usize).copied().unwrap_or_default()))
    }

    /// A column of words: the chunks' lists one behind the other, behind the word for none.
    pub(crate) fn words(&self, column: impl Fn(&Chunk) -> &Words + Sync) -> Option<Coded> {
        let mut all = vec![Code::NONE];
        let starts: Vec<Option<u32>> = self
            .parts
            .iter()
            .map(|part| {
                let start = all.len() as u32;
                all.extend_from_slice(column(&part.chunk).words());
                (all.len() as u32 > start).then_some(start)
            })
            .collect();
        (all.len() > 1).then(|| {
            let rows = self.all(|place, part| match starts[place.part as usize] {
                Some(start) => start + column(&part.chunk).at(place.row as usize),
                None => 0,
            });
            Coded::from_parts(&all, rows)
        })
    }
}

#[cfg(test)]
mod tests;
