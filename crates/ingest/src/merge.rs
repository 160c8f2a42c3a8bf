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
    /// Whether its rows are in order of time.
    is_sorted: bool,
}

/// Where a row stands. Rows are sorted by time and content, to find those that say the same, and then by time, file and
/// row: no key and no compression changes that order. The row's content becomes its reference where it stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: i64,
    part: u32,
    row: u32,
}

/// Rows of all files. They come chunk by chunk, each file's in its order, and leave in order of time: all before an
/// instant at once. What is one transaction has one time, so nothing has to be remembered of what has left.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Whether all rows leave at once. A file's chunks are then joined as they come, so that the columns of an export
    /// in order are those of the batch.
    at_once: bool,
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
    /// Nothing yet, `at_once` where all rows will be taken together. A row is astray that is dated further ahead than
    /// this, and than the feed's rhythm allows.
    pub(crate) fn new(ahead: Window, at_once: bool) -> Self {
        Self {
            at_once,
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

    /// A file's next chunk. Rows before [`Waiting::from`] in it are passed over. Returns its memory where its rows have
    /// been joined to those before them. About `expected` rows will come of the file in all.
    pub(crate) fn push(&mut self, file: u32, mut chunk: Chunk, expected: usize) -> Option<Chunk> {
        let from = self.from.unwrap_or(i64::MIN);
        let (mut first, mut last, mut rows, mut is_sorted) = (i64::MAX, i64::MIN, 0, true);
        for &at in chunk.at.iter().filter(|&&at| at >= from) {
            is_sorted &= at >= last;
            (first, last, rows) = (first.min(at), last.max(at), rows + 1);
        }
        if rows == 0 {
            return Some(chunk);
        }
        self.rows += rows;
        // Rows out of order are put into theirs anyway, from wherever they are.
        let follows = |part: &&mut Part| part.file == file && part.is_sorted && is_sorted && part.last <= first;
        if let Some(before) = self.parts.last_mut().filter(follows).filter(|_| self.at_once)
            && before.chunk.append(&mut chunk, expected)
        {
            before.last = last;
            return Some(chunk);
        }
        self.parts.push(Part { file, chunk, first, last, is_sorted });
        None
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
        let mut places = if until.is_none() && self.is_ready() { None } else { Some(self.places(until)) };
        self.rows -= places.as_ref().map_or(self.rows, Vec::len);
        if let Some(places) = &mut places {
            self.keep_one_of_each(places);
        }
        let times = self.leave_out_astray(&mut places, until.is_none());
        let is_left = |part: &Part| until.is_some_and(|until| part.last >= until);
        let batch = fill(Gather { places, parts: &mut self.parts, is_left: &is_left }, times, &self.files);
        self.parts.retain(is_left);
        self.from = self.from.max(until);
        batch
    }

    /// Whether the rows held are one part's, in order, and no two of them say the same: then its columns are the
    /// batch's.
    fn is_ready(&self) -> bool {
        let [Part { chunk, is_sorted: true, .. }] = self.parts.as_slice() else { return false };
        let mut contents = Vec::new();
        let mut start = 0;
        self.from.is_none()
            && chunk.at.chunk_by(|a, b| a == b).all(|instant| {
                let same = start..start + instant.len();
                start = same.end;
                if instant.len() == 1 {
                    return true;
                }
                contents.clear();
                contents.extend_from_slice(&chunk.content[same]);
                contents.sort_unstable();
                contents.array_windows().all(|[a, b]| a != b)
            })
    }

    /// Leaves of the rows that say the same those that are transactions of their own.
    fn keep_one_of_each(&mut self, places: &mut Vec<Place>) {
        let mut kept = 0;
        let mut start = 0;
        while start < places.len() {
            let at = places[start].at;
            let rows = places[start..].iter().take_while(|place| place.at == at).count();
            if rows == 1 {
                places[kept] = places[start];
                kept += 1;
            } else {
                let content = |place: &Place| self.parts[place.part as usize].chunk.content[place.row as usize];
                let mut instant: Vec<(u128, Place)> =
                    places[start..start + rows].iter().map(|place| (content(place), *place)).collect();
                instant.sort_unstable_by_key(|(content, place)| (*content, place.part, place.row));
                let mut stay: Vec<Place> = Vec::with_capacity(rows);
                for same in instant.chunk_by(|a, b| a.0 == b.0) {
                    match same {
                        [(_, one)] => stay.push(*one),
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
    }

    /// Leaves out one or two rows that lie far before all others, and one or two that lie far after them.
    /// Returns the times of the others.
    fn leave_out_astray(&mut self, places: &mut Option<Vec<Place>>, is_last: bool) -> Vec<Timestamp> {
        let times: Vec<Timestamp> = match places {
            Some(places) => places.iter().map(|place| Timestamp(place.at)).collect(),
            // In the memory that they are in.
            None => std::mem::take(&mut self.parts[0].chunk.at).into_iter().map(Timestamp).collect(),
        };
        let mut stay = 0..times.len();
        if !self.has_begun && !times.is_empty() {
            self.has_begun = true;
            // It looks at the first of them alone.
            let strays = Clock::strays_before(self.clock.ahead(), &times[..times.len().min(FIRST)]);
            // A payment of years before is an old one. What lies decades back is a date that was never read right.
            let is_far = |pair: &[Timestamp]| pair[1].0.saturating_sub(pair[0].0) > Clock::RARE_PAUSE.0;
            let first = &times[..times.len().min(strays + 1)];
            stay.start = first.windows(2).rposition(is_far).map_or(0, |last| last + 1);
        }
        if !is_last {
            self.clock.note_all(&times[stay.clone()]);
        } else if let Some(early) = self.clock.note_known(&times[stay.clone()]) {
            stay.end = stay.start + early;
        }
        if stay == (0..times.len()) {
            return times;
        }
        let mut all = places.take().unwrap_or_else(|| {
            times.iter().zip(0..).map(|(at, row)| Place { at: at.0, part: 0, row }).collect::<Vec<_>>()
        });
        let last = times[stay.clone()].last().copied().or(self.clock.latest());
        self.set_astray(&all[..stay.start], times.get(stay.start).copied(), false);
        self.set_astray(&all[stay.end..], last, true);
        all.truncate(stay.end);
        all.drain(..stay.start);
        *places = Some(all);
        times[stay].to_vec()
    }

    fn set_astray(&mut self, places: &[Place], nearest: Option<Timestamp>, is_ahead: bool) {
        for place in places {
            let Part { file, chunk, .. } = &self.parts[place.part as usize];
            let row = place.row as usize;
            self.astray.push(Astray {
                file: *file as usize,
                row: chunk.first_row + u64::from(chunk.row[row]),
                line: chunk.first_line + chunk.line(row),
                at: Timestamp(place.at),
                nearest: nearest.unwrap_or(Timestamp(place.at)),
                is_ahead,
            });
        }
    }

    /// The places of all rows before an instant, sorted.
    fn places(&self, until: Option<i64>) -> Vec<Place> {
        let from = self.from.unwrap_or(i64::MIN);
        let is_due = |at: i64| at >= from && until.is_none_or(|until| at < until);
        let parts = || self.parts.iter().zip(0..).filter(|(part, _)| until.is_none_or(|until| part.first < until));
        let mut places = Vec::with_capacity(parts().map(|(part, _)| part.chunk.at.len()).sum());
        for (Part { chunk, .. }, part) in parts() {
            let rows = chunk.at.iter().zip(0..).map(|(&at, row)| Place { at, part, row });
            places.extend(rows.filter(|place| is_due(place.at)));
        }
        // Most exports are in order of time already. Rows of one instant are put into theirs where they are taken.
        if !places.is_sorted_by_key(|place| place.at) {
            places.par_sort_unstable_by_key(|place| place.at);
        }
        places
    }
}

/// The rows of one content that stay, with their references; the others are counted as known.
fn group_kept(group: &[(u128, Place)], parts: &mut [Part], files: &mut [Facts]) -> Vec<Place> {
    let trusted = group.first().is_some_and(|(content, _)| content & 1 == 1);
    let mut stay: Vec<Place> = Vec::new();
    let mut file_before = usize::MAX;
    let mut occurrence = 0;
    for (content, place) in group {
        let part = &mut parts[place.part as usize];
        let file = part.file as usize;
        occurrence = if file == file_before && !trusted { occurrence + 1 } else { 0 };
        file_before = file;
        match stay.get(occurrence) {
            None => {
                let id = files[file].references.repeated(TxnId(*content), occurrence as u64);
                part.chunk.content[place.row as usize] = id.0;
                stay.push(*place);
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

/// Columns of a batch, one after the other, so that the memory of each chunk's own is free for the next.
fn fill(mut gather: Gather<'_>, times: Vec<Timestamp>, files: &[Facts]) -> (Batch, Annotations) {
    let id: Vec<TxnId> = gather.column(|chunk| &mut chunk.content).into_iter().map(TxnId).collect();
    let mut currencies: Vec<Currency> = files.iter().map(|file| file.currency).collect();
    currencies.dedup();
    let mixed = gather.parts.iter().any(|part| !part.chunk.currency.is_empty());
    let currency = match currencies.as_slice() {
        [one] if !mixed => Currencies::One(*one),
        _ => Currencies::Each(gather.all(|Part { file, chunk, .. }, row| {
            chunk.currency.get(row).copied().unwrap_or(files[*file as usize].currency)
        })),
    };
    let source = gather
        .all(|Part { file, chunk, .. }, row| Source { file: *file, row: chunk.first_row + u64::from(chunk.row[row]) });
    let mut account = gather.column(|chunk| &mut chunk.account);
    if files.iter().any(|file| file.each_row) {
        account.par_iter_mut().zip(&id).zip(&source).for_each(|((account, id), source)| {
            let file = &files[source.file as usize];
            if file.each_row {
                *account = file.references.own_account(*id);
            }
        });
    }
    macro_rules! columns {
        ($($(#[$doc:meta])* $column:ident = $name:ident: $type:ty, $fill:ident;)*) => {
            Columns {
                id,
                at: times,
                account,
                minor: gather.column(|chunk| &mut chunk.minor),
                source,
                currency,
                truth: gather.optional(|chunk| &mut chunk.truth),
                counterparty: gather.optional(|chunk| &mut chunk.counterparty),
                $($name: <$type as Stored>::gather(&mut gather, |chunk| &mut chunk.$column),)*
            }
        };
    }
    let columns = crible_core::optional_fields!(columns);
    #[expect(clippy::expect_used, reason = "places are in the batch's order, and every column has one value a place")]
    let batch = Batch::from_columns(columns).expect("columns of one length, in order");
    let said = Annotations {
        marks: gather.optional(|chunk| &mut chunk.marks),
        fee: gather.optional(|chunk| &mut chunk.fee),
        own: gather.optional(|chunk| &mut chunk.own),
        original: gather.optional(|chunk| &mut chunk.original),
        replaces: gather.optional(|chunk| &mut chunk.replaces),
    };
    (batch, said)
}

/// Rows in their final order, where each stands, and which parts have further rows.
pub(crate) struct Gather<'a> {
    /// Nothing where the rows of the only part are in that order.
    places: Option<Vec<Place>>,
    parts: &'a mut [Part],
    is_left: &'a dyn Fn(&Part) -> bool,
}

impl Gather<'_> {
    /// A value made for each row of its part.
    fn all<T: Send>(&self, value: impl Fn(&Part, usize) -> T + Sync) -> Vec<T> {
        match (&self.places, &*self.parts) {
            (Some(places), parts) => {
                places.par_iter().map(|place| value(&parts[place.part as usize], place.row as usize)).collect()
            }
            (None, [part]) => (0..part.chunk.row.len()).map(|row| value(part, row)).collect(),
            (None, _) => Vec::new(),
        }
    }

    /// The column of a batch, of the parts' own and what their rows are mapped to. What is read to its end is freed.
    fn mapped<C: Default + Sync, T: Send>(
        &mut self,
        column: impl Fn(&mut Chunk) -> &mut C,
        whole: impl FnOnce(C) -> Vec<T>,
        at: impl Fn(&[C], usize, usize) -> T + Sync,
    ) -> Vec<T> {
        let mut columns: Vec<C> = self.parts.iter_mut().map(|part| std::mem::take(column(&mut part.chunk))).collect();
        let Some(places) = &self.places else { return columns.pop().map_or_else(Vec::new, whole) };
        let all = places.par_iter().map(|place| at(&columns, place.part as usize, place.row as usize)).collect();
        for (part, own) in self.parts.iter_mut().zip(columns) {
            if (self.is_left)(part) {
                *column(&mut part.chunk) = own;
            }
        }
        all
    }

    /// A column that every chunk has.
    fn column<T: Copy + Send + Sync>(&mut self, column: impl Fn(&mut Chunk) -> &mut Vec<T>) -> Vec<T> {
        self.mapped(column, shrunk, |columns, part, row| columns[part][row])
    }

    /// A column that some chunks do not have.
    pub(crate) fn optional<T: Copy + Default + Send + Sync>(
        &mut self,
        column: impl Fn(&mut Chunk) -> &mut Vec<T>,
    ) -> Option<Vec<T>> {
        let has = self.parts.iter_mut().any(|part| !column(&mut part.chunk).is_empty());
        let at = |columns: &[Vec<T>], part: usize, row| columns[part].get(row).copied().unwrap_or_default();
        has.then(|| self.mapped(column, shrunk, at))
    }

    /// A column of words: the chunks' lists one behind the other, behind the word for none.
    pub(crate) fn words(&mut self, column: impl Fn(&mut Chunk) -> &mut Words) -> Option<Coded> {
        let mut all = vec![Code::NONE];
        let mut start = |part: &mut Part| {
            let start = all.len() as u32;
            all.extend_from_slice(column(&mut part.chunk).words());
            (all.len() as u32 > start).then_some(start)
        };
        let starts: Vec<Option<u32>> = self.parts.iter_mut().map(&mut start).collect();
        (all.len() > 1).then(|| {
            let whole = |own: Words| own.into_rows().into_iter().map(|at| at + 1).collect();
            let rows = self.mapped(column, whole, |columns, part, row| match starts[part] {
                Some(start) => start + columns[part].at(row),
                None => 0,
            });
            Coded::from_parts(&all, rows)
        })
    }
}

/// Without the room that it has for further values.
fn shrunk<T>(mut column: Vec<T>) -> Vec<T> {
    column.shrink_to_fit();
    column
}

#[cfg(test)]
mod tests;
