//! Headers by their meaning: which column of a file is which of a preset, whatever its case, order, language or
//! neighbours.

use std::collections::{HashMap, HashSet};

use crible_core::Currency;

use crate::plan::Columns;
use crate::preset::{Origin, Place, Preset, Presets};
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

/// The currency that a name ends in, as `Amount (EUR)` and `Betrag (€)` do, and the name before it.
pub(crate) fn currency_in(name: &str) -> Option<(&str, Currency)> {
    let (before, inner) = name.trim_end().strip_suffix([')', ']'])?.rsplit_once(['(', '['])?;
    let code = match inner.trim() {
        "€" => "EUR",
        "$" => "USD",
        "£" => "GBP",
        "zł" => "PLN",
        code => code,
    };
    let code = code.bytes().all(|byte| byte.is_ascii_uppercase()).then_some(code)?;
    Some((before, Currency::new(code.as_bytes()).filter(|currency| currency.is_assigned())?))
}

/// Whether a name is none: the index that pandas writes, or a column that a spreadsheet left empty.
fn is_nameless(folded: &str) -> bool {
    folded.is_empty()
        || folded == "index"
        || folded.strip_prefix("unnamed").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        || folded.starts_with("indexlevel")
}

/// What a preset calls its columns.
struct Names<'p> {
    preset: &'p Preset,
    /// By the name as it is compared.
    folded: HashMap<String, &'p str>,
    /// Whether a column names its currency, which is then no part of the name.
    named_currency: bool,
    /// Names that a header has more than once.
    repeated: Vec<&'p str>,
}

/// A header of a file, its names as they are compared.
struct Cut<'h> {
    names: &'h [String],
    folded: Vec<String>,
    /// The same without the currency, of those that name one.
    bare: Vec<Option<String>>,
}

impl<'h> Cut<'h> {
    fn new(names: &'h [String]) -> Self {
        let bare = |name: &String| currency_in(name).map(|(name, _)| fold(name) + CURRENCY);
        Self { names, folded: names.iter().map(|name| fold(name)).collect(), bare: names.iter().map(bare).collect() }
    }
}

/// What stands for the currency that a name ends in.
const CURRENCY: &str = "(*)";

impl<'p> Names<'p> {
    fn new(preset: &'p Preset) -> Self {
        let named_currency = preset.currency.as_ref().is_some_and(|text| text.from == Some(Origin::Header));
        let more = |form: &'p Vec<String>| {
            form.iter().enumerate().filter(|(at, name)| form[..*at].contains(name)).map(|(_, name)| name.as_str())
        };
        let repeated = preset.forms().flat_map(more).filter(|name| !name.is_empty()).collect();
        let mut new = Self { preset, folded: HashMap::new(), named_currency, repeated };
        let aliases = &preset.file.aliases;
        // What is another name of a column is none of its own, although a form may have it.
        let others: Vec<(&str, &str)> = aliases
            .iter()
            .flat_map(|(name, others)| others.iter().map(|other| (other.as_str(), name.as_str())))
            .collect();
        let read: Vec<&str> = named(preset).collect();
        for name in read.iter().copied().chain(names(preset)) {
            if read.contains(&name) || !others.iter().any(|(other, _)| *other == name) {
                new.folded.entry(new.key(name)).or_insert(name);
            }
        }
        for (other, name) in others {
            new.folded.entry(new.key(other)).or_insert(name);
        }
        new.folded.remove("");
        new
    }

    /// A name as it is compared with those of this feed.
    fn key(&self, name: &str) -> String {
        match currency_in(name).filter(|_| self.named_currency) {
            Some((name, _)) => fold(name) + CURRENCY,
            None => fold(name),
        }
    }

    /// The preset's name for a column of a file.
    fn of(&self, name: &str) -> Option<&'p str> {
        self.folded.get(&self.key(name)).copied()
    }

    /// The name of a column of a file, as it is compared with those of this feed.
    fn cut<'c>(&self, cut: &'c Cut<'_>, at: usize) -> &'c str {
        cut.bare[at].as_deref().filter(|_| self.named_currency).unwrap_or(&cut.folded[at])
    }

    /// The columns of a header of the feed's own, by the names that the rest of the preset uses.
    fn own(&self, form: &[String]) -> Vec<String> {
        form.iter().map(|name| self.of(name).unwrap_or(name).to_owned()).collect()
    }
}

/// The names of the columns that a preset reads.
fn named(preset: &Preset) -> impl Iterator<Item = &str> {
    preset.places().into_iter().filter_map(|(_, place)| match place {
        Place::Named(name) => Some(name.as_str()),
        Place::At(_) => None,
    })
}

/// The names that a preset's headers have.
fn names(preset: &Preset) -> impl Iterator<Item = &str> {
    preset.forms().chain([&preset.file.has]).flatten().map(String::as_str)
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
    feeds: Vec<Names<'p>>,
    /// Feeds that have a column of a name.
    known: HashMap<String, usize>,
}

impl<'p> Comparer<'p> {
    pub(super) fn new(presets: &'p Presets) -> Self {
        Self::of(presets.iter())
    }

    pub(super) fn of(presets: impl Iterator<Item = &'p Preset>) -> Self {
        let feeds: Vec<_> = presets.filter(|preset| preset.format.is_none()).map(Names::new).collect();
        let mut known: HashMap<String, usize> = HashMap::new();
        for name in feeds.iter().flat_map(|names| names.folded.keys()) {
            *known.entry(name.clone()).or_default() += 1;
        }
        Self { feeds, known }
    }

    /// The feeds that a header may be of, the nearest form of each. `ordered` says that columns have an order.
    pub(super) fn near(&self, header: &[String], ordered: bool) -> Vec<Near<'p>> {
        let cut = Cut::new(header);
        let loose = |names: &&Names<'_>| !names.preset.file.exact;
        let forms = |preset: &'p Preset| preset.file.headers.iter().chain(Some(&preset.file.has));
        let feeds = self.feeds.iter().filter(loose);
        feeds
            .filter_map(|names| self.nearest(names, forms(names.preset), &cut, ordered))
            .filter(Near::is_near)
            .collect()
    }

    /// How near a header is to each feed that shares a column with it; for suggestions.
    pub(super) fn all(&self, header: &[String]) -> Vec<Near<'p>> {
        let cut = Cut::new(header);
        let forms = |preset: &'p Preset| preset.forms().chain(Some(&preset.file.has));
        self.feeds.iter().filter_map(|names| self.nearest(names, forms(names.preset), &cut, true)).collect()
    }

    fn nearest(
        &self,
        names: &Names<'p>,
        forms: impl Iterator<Item = &'p Vec<String>>,
        header: &Cut<'_>,
        ordered: bool,
    ) -> Option<Near<'p>> {
        // What no name of the file's is has nothing in common; most feeds are passed over here.
        let known: Vec<Option<&'p str>> = known(names, header);
        if known.iter().all(Option::is_none) {
            return None;
        }
        let forms = forms.filter(|form| !form.is_empty());
        let near = forms.map(|form| self.compare(names, form, header, &known, ordered));
        near.filter(|near| near.differs.shared > 0).max_by(|a, b| a.nearness.total_cmp(&b.nearness))
    }

    fn weight(&self, key: &str) -> f64 {
        let most = if WORDS.contains(&key) { GENERIC } else { 1.0 };
        match self.known.get(key) {
            Some(&feeds) => most.min(1.0 / feeds as f64),
            None => most,
        }
    }

    fn compare(
        &self,
        names: &Names<'p>,
        form: &[String],
        cut: &Cut<'_>,
        known: &[Option<&str>],
        ordered: bool,
    ) -> Near<'p> {
        let preset = names.preset;
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
                    let (key, mine) = (names.cut(cut, *at), names.key(name));
                    let renamed = key != mine;
                    // A word that many feeds have shows little, whatever it stands for here.
                    let weight = self.weight(key).min(self.weight(&mine));
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
                all += if self.known.contains_key(key) { self.weight(key) / 2.0 } else { STRANGE };
            }
        }
        let own = header.iter().zip(known).map(|(name, known)| known.unwrap_or(name).to_owned()).collect();
        let positions = (!chosen).then_some(positions);
        let columns = Columns::matched(header.to_vec(), own, positions);
        Near { preset, columns, differs, nearness: if all > 0.0 { shared / all } else { 0.0 }, weight: shared }
    }
}

/// The name that a column had before a program told it from another of the same: `Account.1` of pandas, `Account_1` of
/// spreadsheets and databases, `Account_duplicated_0` of Polars.
pub(crate) fn first_of(name: &str) -> Option<&str> {
    let bare = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    if bare.len() == name.len() || name.len() - bare.len() > 3 {
        return None;
    }
    let first = ["_duplicated_", "...", ".", "_"].iter().find_map(|mark| bare.strip_suffix(mark))?;
    (!first.is_empty()).then_some(first)
}

/// A preset's name for each column of a file. What has the very name goes before what only means it.
fn known<'p>(names: &Names<'p>, cut: &Cut<'_>) -> Vec<Option<&'p str>> {
    let repeated = |name: &str| names.repeated.contains(&name);
    let doubled = |name: &String| names.of(first_of(name)?).filter(|name| repeated(name));
    let mut found: Vec<(u8, usize, &'p str)> = Vec::new();
    for (at, name) in cut.names.iter().enumerate() {
        let key = names.cut(cut, at);
        if let Some(&own) = names.folded.get(key) {
            let rank = if own == name { 0 } else { 1 + u8::from(names.key(own) != key) };
            found.push((rank, at, own));
        } else if let Some(own) = Some(name).filter(|_| !names.repeated.is_empty()).and_then(doubled) {
            found.push((1, at, own));
        }
    }
    found.sort_unstable();
    let mut known: Vec<Option<&'p str>> = vec![None; cut.names.len()];
    let mut taken: HashSet<&str> = HashSet::new();
    for (rank, at, own) in found {
        if taken.insert(own) || rank == 0 || repeated(own) {
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
    pub(super) fn told(&self) -> String {
        let mut told = vec![format!("shares {} of {} columns", self.shared, self.of)];
        if self.moved {
            told.push("in another order".to_owned());
        }
        if !self.renamed.is_empty() {
            let renamed: Vec<String> = self.renamed.iter().map(|(own, name)| format!("{own} for {name}")).collect();
            told.push(list(&renamed));
        } else if self.spelled {
            told.push("spelled differently".to_owned());
        }
        if !self.lacks.is_empty() {
            told.push(format!("lacks {}", list(&self.lacks)));
        }
        if !self.besides.is_empty() {
            told.push(format!("has besides {}", list(&self.besides)));
        }
        told.join("; ")
    }
}

fn list(names: &[String]) -> String {
    let named: Vec<String> = names.iter().take(NAMED).map(|name| crate::error::shown(name.as_bytes())).collect();
    match names.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_column_has_the_first_ones_name() {
        for name in ["Account.1", "Account_1", "Account_duplicated_0", "Account...5"] {
            assert_eq!(first_of(name), Some("Account"), "{name}");
        }
        for name in ["Account", "V1", "card1", ".1", "Amount 2", "2024.1234"] {
            assert_eq!(first_of(name), None, "{name}");
        }
    }
}
