//! Headers by their meaning: which column of a file is which of a preset, whatever its case, order, language or
//! neighbours.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use crate::plan::Columns;
use crate::preset::{Names, Preset, Presets, Vocabulary};
use crate::value::text::fold;

/// The least that the columns in common have to weigh, of those that either side has, for a header to be one of a feed.
const NEAR: f64 = 0.6;
/// The least that they have to weigh in all: columns that every bank has show no feed.
const WEIGHT: f64 = 0.5;
/// What one of two feeds has to be nearer by than the other.
pub(super) const MARGIN: f64 = 0.15;
/// What a column counts for that goes by another name.
const RENAMED: f64 = 0.97;
/// What a column that no feed has takes from the nearness.
const STRANGE: f64 = 0.05;

/// Columns whose presence lets a header be one of a feed whatever they weigh, where of this many more than one is never
/// missing.
const COMPLETE: usize = 5;
const LACKS: usize = 6;
/// What a word that every bank uses counts for at most.
const GENERIC: f64 = 0.1;
/// Words that every bank uses, as they are compared.
const WORDS: [&str; 34] = [
    "account",
    "amount",
    "balance",
    "bank",
    "category",
    "credit",
    "currency",
    "date",
    "debit",
    "description",
    "details",
    "fee",
    "id",
    "location",
    "memo",
    "merchant",
    "name",
    "note",
    "notes",
    "number",
    "payee",
    "postdate",
    "postingdate",
    "reference",
    "status",
    "time",
    "timestamp",
    "total",
    "transaction",
    "transactiondate",
    "transactionid",
    "transactiontype",
    "type",
    "valuedate",
];

/// Whether a name is none: the index that pandas writes, or a column that a spreadsheet left empty.
fn is_nameless(folded: &str) -> bool {
    folded.is_empty()
        || folded == "index"
        || folded.strip_prefix("unnamed").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        || folded.starts_with("indexlevel")
}

/// Whether names are those of a query, which have the table's before them: `Query1[Amount]`, `[Amount]`.
fn of_table(names: &[String]) -> bool {
    let table = |name: &'_ String| name.find('[').filter(|_| name.ends_with(']')).map(|at| name[..at].to_owned());
    let first = names.first().and_then(table);
    first.is_some() && names.iter().all(|name| table(name) == first)
}

/// A column's name without the table's before it.
fn column(name: &str) -> &str {
    name.split_once('[').and_then(|(_, inner)| inner.strip_suffix(']')).unwrap_or(name)
}

/// A header of a file, its names as they are compared.
struct Cut<'h> {
    names: &'h [String],
    folded: Vec<String>,
}

impl<'h> Cut<'h> {
    fn new(names: &'h [String]) -> Self {
        let of_table = of_table(names);
        Self { names, folded: names.iter().map(|name| fold(if of_table { column(name) } else { name })).collect() }
    }

    /// The name of a column, as it is compared with those of a feed.
    fn key(&self, names: &Names, at: usize) -> Cow<'_, str> {
        let folded = self.folded[at].as_str();
        names.without_currency(&self.names[at], folded).map_or(folded.into(), Cow::Owned)
    }
}

/// The columns of a file that has one of the feed's own headers.
pub(super) fn own(preset: &Preset, header: Vec<String>) -> Columns {
    if preset.file.aliases.is_empty() {
        return header.into();
    }
    let names = Names::new(preset);
    let own = known(&names, &Cut::new(&header)).into_iter().zip(&header);
    let own = own.map(|(known, name)| known.unwrap_or(name).to_owned()).collect();
    Columns::matched(header, own, None)
}

/// What a header differs in from a feed's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Differs {
    /// Columns that it shares with the feed's header, and how many that has.
    shared: usize,
    of: usize,
    lacks: Vec<String>,
    besides: Vec<String>,
    /// The file's name and the feed's, where they differ in more than case and punctuation.
    renamed: Vec<(String, String)>,
    /// Whether some are spelled in another way.
    spelled: bool,
    moved: bool,
}

/// How near a header is to one of a feed.
#[derive(Clone, Debug)]
pub(super) struct Near<'p> {
    pub(super) preset: &'p Preset,
    pub(super) columns: Columns,
    pub(super) differs: Differs,
    /// Share of the columns in common, weighed by how few feeds have them: from 0 to 1.
    pub(super) nearness: f64,
    /// What the columns in common weigh.
    weight: f64,
}

impl Near<'_> {
    /// Whether the file can be taken for one of the feed.
    fn is_near(&self) -> bool {
        let (shared, lacks) = (self.differs.shared, self.differs.lacks.len());
        let is_whole = shared >= COMPLETE && lacks * LACKS <= shared;
        // Of a feed whose columns users choose, any number may stand besides.
        let mostly = self.preset.file.headers.is_empty() || self.differs.besides.len() <= self.differs.shared;
        mostly && self.nearness >= NEAR && (self.weight >= WEIGHT || is_whole)
    }
}

/// Compares headers with those of all feeds.
pub(super) struct Comparer<'p> {
    presets: Vec<&'p Preset>,
    vocabulary: Arc<Vocabulary>,
}

impl<'p> Comparer<'p> {
    pub(super) fn new(presets: &'p Presets) -> Self {
        Self { presets: presets.iter().collect(), vocabulary: presets.vocabulary() }
    }

    /// Compares with one feed alone.
    pub(super) fn of(preset: &'p Preset) -> Self {
        Self { presets: vec![preset], vocabulary: Arc::new(Vocabulary::of(std::iter::once(preset))) }
    }

    /// Presets of tables, and what they call their columns.
    fn feeds(&self) -> impl Iterator<Item = (&'p Preset, &Names)> {
        self.presets.iter().zip(self.vocabulary.feeds()).filter_map(|(preset, names)| Some((*preset, names?)))
    }

    /// The feeds that a header may be of, the nearest form of each. `ordered` says that columns have an order.
    pub(super) fn near(&self, header: &[String], ordered: bool) -> Vec<Near<'p>> {
        let cut = Cut::new(header);
        let forms = |preset: &'p Preset| preset.file.headers.iter().chain(Some(&preset.file.has));
        let feeds = self.feeds().filter(|(preset, _)| !preset.file.exact);
        feeds
            .filter_map(|(preset, names)| self.nearest(preset, names, forms(preset), &cut, ordered))
            .filter(Near::is_near)
            .collect()
    }

    /// How near a header is to each feed that shares a column with it; for suggestions.
    pub(super) fn all(&self, header: &[String]) -> Vec<Near<'p>> {
        let cut = Cut::new(header);
        let forms = |preset: &'p Preset| preset.forms().chain(Some(&preset.file.has));
        let near = |(preset, names)| self.nearest(preset, names, forms(preset), &cut, true);
        self.feeds().filter_map(near).collect()
    }

    fn nearest(
        &self,
        preset: &'p Preset,
        names: &Names,
        forms: impl Iterator<Item = &'p Vec<String>>,
        header: &Cut<'_>,
        ordered: bool,
    ) -> Option<Near<'p>> {
        // What no name of the file's is has nothing in common; most feeds are passed over here.
        let known: Vec<Option<&str>> = known(names, header);
        if known.iter().all(Option::is_none) {
            return None;
        }
        let forms = forms.filter(|form| !form.is_empty());
        let near = forms.map(|form| self.compare((preset, names), form, header, &known, ordered));
        near.filter(|near| near.differs.shared > 0).max_by(|a, b| a.nearness.total_cmp(&b.nearness))
    }

    fn weight(&self, key: &str) -> f64 {
        let most = if WORDS.contains(&key) { GENERIC } else { 1.0 };
        match self.vocabulary.count(key) {
            0 => most,
            feeds => most.min(1.0 / feeds as f64),
        }
    }

    fn compare(
        &self,
        (preset, names): (&'p Preset, &Names),
        form: &[String],
        cut: &Cut<'_>,
        known: &[Option<&str>],
        ordered: bool,
    ) -> Near<'p> {
        let form = &names.own(form);
        let header = cut.names;
        let mut taken = vec![false; header.len()];
        let positions: Vec<Option<usize>> = form
            .iter()
            .map(|name| {
                let at = (0..header.len()).find(|&at| !taken[at] && known[at] == Some(name.as_str()))?;
                taken[at] = true;
                Some(at)
            })
            .collect();
        let (mut all, mut shared) = (0.0, 0.0);
        let mut differs = Differs { of: form.iter().filter(|name| !name.is_empty()).count(), ..Differs::default() };
        for (name, at) in form.iter().zip(&positions).filter(|(name, _)| !name.is_empty()) {
            match at {
                Some(at) => {
                    let own = &header[*at];
                    let (key, mine) = (cut.key(names, *at), names.key(name));
                    let renamed = key != mine;
                    // A word that many feeds have shows little, whatever it stands for here.
                    let weight = self.weight(&key).min(self.weight(&mine));
                    if renamed {
                        differs.renamed.push((own.clone(), name.clone()));
                    }
                    differs.spelled |= own != name;
                    differs.shared += 1;
                    all += weight;
                    shared += if renamed { weight * RENAMED } else { weight };
                }
                None if preset.file.optional.contains(name) => {}
                None => {
                    all += self.weight(&names.key(name));
                    differs.lacks.push(name.clone());
                }
            }
        }
        let found: Vec<usize> = positions.iter().flatten().copied().collect();
        differs.moved = ordered && !found.is_sorted();
        // Users choose the columns of a feed that is known by those that it always has.
        let chosen = preset.file.headers.is_empty();
        for (at, name) in header.iter().enumerate().filter(|&(at, _)| !taken[at]) {
            let key = cut.folded[at].as_str();
            if is_nameless(key) || known[at].is_some() {
                continue;
            }
            differs.besides.push(name.clone());
            if !chosen {
                all += if self.vocabulary.count(key) > 0 { self.weight(key) / 2.0 } else { STRANGE };
            }
        }
        let own = header.iter().zip(known).map(|(name, known)| known.unwrap_or(name).to_owned()).collect();
        let positions = (!chosen).then_some(positions);
        let columns = Columns::matched(header.to_vec(), own, positions);
        Near { preset, columns, differs, nearness: if all > 0.0 { shared / all } else { 0.0 }, weight: shared }
    }
}

/// A preset's name for each column of a file. What has the very name goes before what only means it.
fn known<'n>(names: &'n Names, cut: &Cut<'_>) -> Vec<Option<&'n str>> {
    let mut found: Vec<(u8, usize, &'n str)> = Vec::new();
    for (at, name) in cut.names.iter().enumerate() {
        let key = cut.key(names, at);
        if let Some(own) = names.at(&key) {
            let rank = if own == name { 0 } else { 1 + u8::from(names.key(own) != key) };
            found.push((rank, at, own));
        } else if let Some(own) = names.first_of(name) {
            found.push((1, at, own));
        }
    }
    found.sort_unstable();
    let mut known: Vec<Option<&str>> = vec![None; cut.names.len()];
    let mut taken: HashSet<&str> = HashSet::new();
    for (rank, at, own) in found {
        if taken.insert(own) || rank == 0 || names.is_repeated(own) {
            known[at] = Some(own);
        }
    }
    known
}

/// Names listed at most.
const NAMED: usize = 4;

impl Differs {
    /// A number of how much a recognition by this header says.
    pub(super) fn confidence(&self, nearness: f64) -> u8 {
        let lower = f64::from(u8::from(self.moved)) + f64::from(u8::from(self.spelled));
        let besides = self.besides.len().min(5) as f64;
        (nearness * 95.0 - lower - besides).round().clamp(50.0, 95.0) as u8
    }

    /// Whether nothing is missing and nothing added.
    pub(super) fn is_complete(&self) -> bool {
        self.lacks.is_empty() && self.besides.is_empty()
    }

    /// What differs, in words.
    pub(super) fn described(&self) -> String {
        let mut described = vec![format!("shares {} of {} columns", self.shared, self.of)];
        if self.moved {
            described.push("in another order".to_owned());
        }
        if !self.renamed.is_empty() {
            let renamed: Vec<String> = self.renamed.iter().map(|(own, name)| format!("{own} for {name}")).collect();
            described.push(list(&renamed));
        } else if self.spelled {
            described.push("spelled differently".to_owned());
        }
        if !self.lacks.is_empty() {
            described.push(format!("lacks {}", list(&self.lacks)));
        }
        if !self.besides.is_empty() {
            described.push(format!("has besides {}", list(&self.besides)));
        }
        described.join("; ")
    }
}

fn list(names: &[String]) -> String {
    let named: Vec<String> = names.iter().take(NAMED).map(|name| crate::error::shown(name.as_bytes())).collect();
    match names.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
