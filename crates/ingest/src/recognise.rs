//! Which feed a file is of, and how its text is cut.

mod fit;
mod header;
mod near;
mod signature;
mod sniff;
mod typed;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crible_core::Currency;
use memchr::{memchr, memchr_iter};

use crate::Options;
use crate::csv::record::{is_blank, trim_line};
use crate::csv::{Dialect, Limits, MAX_LINE, parse};
use crate::error::{Error, shown};
use crate::formats::{self, COLUMNS, Document, Format};
use crate::input::{Compression, Heard, Input, Wrapped, gather, kind};
use crate::json::Objects;
use crate::parquet;
use crate::plan::{Columns, Located, Mapped, Plan};
use crate::preset::{Origin, Preset, Text};
use crate::read::Owner;
use crate::workbook;

use fit::{Candidate, Fit, Kind, columns_of};
use header::Comparer;
pub(crate) use header::{currency_in, first_of};
pub use signature::Signature;
pub(crate) use sniff::ways;
use sniff::{Sample, See, Settled};

/// The delimiters tried where a preset names none, in the order in which a tie goes.
pub(crate) const DELIMITERS: [u8; 4] = *b",;|\t";

/// Lines among which the header of a file of no known feed is looked for.
const LINES: usize = 12;

/// Text looked at: the longest header there may be, and rows enough to sniff from.
const HEAD: usize = MAX_LINE + (1 << 16);

/// The most columns that a table may have; the widest feed that is known has 434.
const MAX_COLUMNS: usize = 4_096;

/// What a file was recognised as.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recognition {
    /// Name of the feed.
    pub feed: String,
    /// What the feed is, in a few words.
    pub title: String,
    /// What that rests on; [`Signature::confidence`] is a number of it.
    pub signature: Signature,
    /// How it was recognised, and what was sniffed.
    pub why: String,
    /// Which column becomes what, and how.
    pub mapping: Vec<Mapped>,
    /// The file's columns, in order; positions for names where it has no header.
    pub columns: Vec<String>,
    /// What parts the fields of a text; nothing for other tables and for statements.
    pub delimiter: Option<char>,
    /// What the file is wrapped in.
    pub compression: Option<Compression>,
}

/// Which feed a file is of, without reading its rows.
///
/// # Errors
/// [`Error`] where the file cannot be read, no preset fits it or more than one does, or the mapping or feed asked for
/// does not fit it.
pub fn recognise(path: &Path, options: &Options) -> Result<Recognition, Error> {
    let mut gathered = gather(&[path.to_owned()]);
    let found = match (gathered.inputs.as_slice(), gathered.errors.pop()) {
        ([input], None) => find(input, options)?,
        (_, Some(error)) => return Err(error),
        (inputs, None) => {
            let reason = format!("it stands for {} files; expected one", inputs.len());
            return Err(Error::Refused { path: path.to_owned(), reason });
        }
    };
    Ok(found.recognition())
}

/// A file ready to be read.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) preset: Preset,
    pub(crate) plan: Plan,
    pub(crate) layout: Layout,
    pub(crate) signature: Signature,
    pub(crate) why: String,
    /// What was read otherwise than the feed says, where that may be wrong.
    pub(crate) warnings: Vec<String>,
    compression: Option<Compression>,
}

impl Found {
    /// The same for people.
    pub(crate) fn recognition(&self) -> Recognition {
        Recognition {
            feed: self.preset.name().to_owned(),
            title: self.preset.title().to_owned(),
            signature: self.signature,
            why: self.why.clone(),
            mapping: self.plan.told(&self.preset),
            columns: self.plan.columns.clone(),
            delimiter: match self.layout {
                Layout::Text { dialect, written: None, .. } => Some(char::from(dialect.delimiter)),
                _ => None,
            },
            compression: self.compression,
        }
    }
}

#[derive(Debug)]
pub(crate) enum Layout {
    Text {
        dialect: Dialect,
        /// Bytes and lines before the first row.
        skip: u64,
        skip_lines: u64,
        /// The encoding of the beginning, where it is not UTF-8.
        encoding: Option<&'static str>,
        /// The text, where it is not the file's own but was written of it.
        written: Option<Input>,
    },
    Objects(Objects),
    Parquet(parquet::Table),
    Document(Document),
}

/// The beginning of a text.
#[derive(Debug)]
pub(crate) struct Head {
    bytes: Vec<u8>,
    terminator: u8,
    /// What parts fields, where that is known.
    delimiter: Option<u8>,
    /// The first line that is not blank.
    first: Line,
    /// The encoding, where it is not UTF-8.
    encoding: Option<&'static str>,
}

/// A line of the beginning, and how many stand before it.
#[derive(Clone, Copy, Debug)]
struct Line {
    start: usize,
    end: usize,
    before: u64,
}

impl Head {
    /// All of it from the first line on that is not blank.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes[self.first.start..]
    }

    fn text(&self, line: Line) -> &[u8] {
        trim_line(&self.bytes[line.start..line.end], self.terminator)
    }

    pub(crate) fn dialect(&self, delimiter: u8) -> Dialect {
        Dialect { delimiter, terminator: self.terminator, limits: Limits::default() }
    }

    fn fields(&self, line: Line, delimiter: u8) -> Vec<String> {
        parse::fields(self.text(line), self.dialect(delimiter))
    }

    /// The first line that is not blank, from a place in the text on.
    fn line_from(&self, mut start: usize, mut before: u64) -> Option<Line> {
        while start < self.bytes.len() {
            let found = memchr(self.terminator, &self.bytes[start..]);
            let line = Line { start, end: found.map_or(self.bytes.len(), |at| start + at + 1), before };
            if !is_blank(self.text(line), b'\t') {
                return Some(line);
            }
            (start, before) = (line.end, before + 1);
        }
        None
    }

    /// The first line for people.
    fn shown(&self) -> String {
        match self.delimiter {
            Some(delimiter) => shown(self.fields(self.first, delimiter).join(",").as_bytes()),
            None => shown(self.text(self.first)),
        }
    }

    /// Refuses what no feed begins with and what would take long to compare with all of them.
    fn check(&self) -> Result<(), String> {
        let first = self.text(self.first);
        let columns = DELIMITERS.map(|by| memchr_iter(by, first).count() + 1).into_iter().max().unwrap_or(0);
        if columns > MAX_COLUMNS {
            return Err(format!("its first line has {columns} columns; expected at most {MAX_COLUMNS}"));
        }
        if first.len() > MAX_LINE {
            return Err(format!("its first line is longer than {MAX_LINE} bytes; expected a header or a transaction"));
        }
        Ok(())
    }

    /// The first line, and as many below it as a preset allows above its header.
    fn lines(&self, preset: &Preset) -> impl Iterator<Item = Line> {
        self.first_lines(preset.file.preamble + 1)
    }

    fn first_lines(&self, lines: usize) -> impl Iterator<Item = Line> {
        let below = |line: &Line| self.line_from(line.end, line.before + 1);
        std::iter::successors(Some(self.first), below).take(lines)
    }

    /// The first lines, cut in every way: what a header may be. One that is wider than any table is none.
    fn headers(&self) -> Vec<Vec<String>> {
        let delimiters = self.delimiter.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
        let cut = |line| delimiters.iter().map(move |&delimiter| self.fields(line, delimiter));
        self.first_lines(LINES).flat_map(cut).filter(|header| header.len() <= MAX_COLUMNS).collect()
    }
}

pub(crate) fn find(input: &Input, options: &Options) -> Result<Found, Error> {
    let io = |source| Error::Io { path: input.path.clone(), source };
    let magic = input.magic(16).map_err(io)?;
    workbook::refuse_old(&input.path, &magic)?;
    kind::refuse(&input.path, &magic)?;
    if let Some(kind) = parquet::Kind::of(input, &magic)? {
        return find_table(input, options, kind);
    }
    if magic.starts_with(b"PK") && input.seekable()?.is_workbook() {
        return typed::find_workbook(input, options);
    }
    // What stands alone is taken apart before; only a member of an archive comes here.
    if Wrapped::begins(&magic) {
        let reason = "it is a zip archive within another; expected an archive of files that are none".to_owned();
        return Err(Error::Refused { path: input.path.clone(), reason });
    }
    if let Some((format, signature, why)) = format(input, options)? {
        return find_document(input, options, (format, signature, why), Compression::of(&magic));
    }
    if typed::is_json(input) {
        return typed::find_objects(input, options, Compression::of(&magic));
    }
    let head = head(input)?;
    if let Some(what) = kind::of_text(&String::from_utf8_lossy(&head.bytes[..head.bytes.len().min(4_096)])) {
        return Err(Error::Refused { path: input.path.clone(), reason: format!("it is {what}") });
    }
    let Choice { mut preset, fit, signature, why } = choose(&input.path, options, &head)?;
    let dialect = head.dialect(fit.delimiter);
    let columns = fit.columns.clone();
    let (skip, skip_lines) = fit.rows(&preset);
    account_above(&mut preset, &head, &fit);
    let all_read = head.bytes.len() < HEAD;
    let sample = |plan: &Plan| {
        let (rows, ends) = sniff::sample(&head.bytes[skip..], dialect, plan);
        let scan = move |plan: &Plan, see: See<'_>| sniff::scan(input, dialect, skip as u64, plan, see);
        Ok(Sample {
            rows,
            whole: ends && all_read,
            typed: false,
            explicit: options.map.is_some(),
            scan: Box::new(scan),
        })
    };
    let (plan, mut why, warnings) = settled(&mut preset, &input.path, options, columns, why, sample)?;
    if let Some(encoding) = head.encoding {
        why = format!("{why}; {encoding}");
    }
    let layout = Layout::Text { dialect, skip: skip as u64, skip_lines, encoding: head.encoding, written: None };
    Ok(Found { preset, plan, layout, signature, why, warnings, compression: Compression::of(&magic) })
}

/// A format, and what it was known by.
type Seen = (&'static dyn Format, Signature, String);

/// The format of a file that is no table: the one the user named, or the one it begins like.
fn format(input: &Input, options: &Options) -> Result<Option<Seen>, Error> {
    if options.map.is_some() {
        return Ok(None);
    }
    if let Some(name) = &options.feed {
        let format = options.presets.get(name).and_then(|preset| preset.format);
        return Ok(format.map(|format| (format, Signature::Named, "feed named by the user".to_owned())));
    }
    let io = |source| Error::Io { path: input.path.clone(), source };
    let mut bytes = Vec::new();
    let text = input.text(Arc::new(AtomicU64::new(0))).map_err(io)?;
    // A file that breaks off is told of where its rows are read.
    let _ = text.take(1 << 16).read_to_end(&mut bytes);
    // A user may have put a preset of his own in the place of a format's.
    let format = formats::of(&bytes)
        .filter(|format| options.presets.get(format.name()).is_some_and(|preset| preset.format.is_some()));
    Ok(format.map(|format| {
        (format, Signature::Exact, format!("it begins like {}: {}", format.name(), format.recognised_by()))
    }))
}

fn find_document(
    input: &Input,
    options: &Options,
    (format, signature, why): Seen,
    compression: Option<Compression>,
) -> Result<Found, Error> {
    let mut preset = options.presets.get(format.name()).ok_or_else(|| unknown(options, format.name()))?.clone();
    let document = Document::open(input, format, options.account.as_ref())?;
    if let Some(style) = document.style() {
        preset.amount.format = Some(style);
    }
    let mut plan = Plan::new(&preset, &input.path, COLUMNS.map(str::to_owned).to_vec())?;
    format.feed().clone_into(&mut plan.feed);
    let why = [&[why][..], document.told()].concat().join("; ");
    let warnings = Vec::new();
    Ok(Found { preset, plan, layout: Layout::Document(document), signature, why, warnings, compression })
}

/// Binds a preset to columns, and makes out what it leaves open, and what the file has in another way, from its rows. Returns
/// what was made out and what to warn of, too.
fn settled<'a>(
    preset: &mut Preset,
    path: &Path,
    options: &Options,
    columns: Columns,
    why: String,
    sample: impl FnOnce(&Plan) -> Result<Sample<'a>, Error>,
) -> Result<(Plan, String, Vec<String>), Error> {
    name_account(preset, options);
    let mut plan = Plan::new(preset, path, columns.clone())?;
    if preset.currency.as_ref().is_some_and(|text| text.from == Some(Origin::Header)) {
        preset.currency = Some(Text { constant: Some(currency_above(&plan, path)?.to_string()), ..Text::default() });
        plan = Plan::new(preset, path, columns.clone())?;
    }
    let Settled { told, warnings, changed, .. } = sniff::settle(preset, &plan, path, sample(&plan)?)?;
    let plan = if changed { Plan::new(preset, path, columns)? } else { plan };
    Ok((plan, [vec![why], told].concat().join("; "), warnings))
}

/// Names the account as the user does, where the file does not.
fn name_account(preset: &mut Preset, options: &Options) {
    let account = &mut preset.account;
    if let (Some(owner), Some(Origin::FileName | Origin::Folder | Origin::Preamble)) = (&options.account, account.from)
    {
        match owner {
            Owner::Named(name) => account.constant = Some(name.clone()),
            Owner::Folder => account.from = Some(Origin::Folder),
        }
    }
}

/// The currency that the amount's column names.
fn currency_above(plan: &Plan, path: &Path) -> Result<Currency, Error> {
    let columns = plan.money();
    let found = columns.iter().find_map(|&at| header::currency_in(plan.columns.get(at)?));
    found.map(|(_, currency)| currency).ok_or_else(|| Error::Undecided {
        path: path.to_owned(),
        column: columns.first().and_then(|&at| plan.columns.get(at)).cloned().unwrap_or_default(),
        what: "its currency".to_owned(),
        hint: "give it with --map currency=@EUR and the like".to_owned(),
    })
}

/// Takes the account from above the header, where the preset has it there.
fn account_above(preset: &mut Preset, head: &Head, fit: &Fit) {
    let above = &head.bytes[..fit.line.start];
    if let Some(account) = preamble_account(preset, above, head.dialect(fit.delimiter)) {
        preset.account = Text { constant: Some(account), ..Text::default() };
    }
}

/// An account that the lines above the header name.
fn preamble_account(preset: &Preset, above: &[u8], dialect: Dialect) -> Option<String> {
    if preset.account.from != Some(Origin::Preamble) {
        return None;
    }
    let beside: Vec<String> = preset.account.beside.iter().map(|word| header::fold(word)).collect();
    let mut lines = above.split(|&byte| byte == dialect.terminator).map(|line| parse::fields(line, dialect));
    let cell = lines.find_map(|cells| {
        let at = cells.iter().position(|cell| beside.contains(&header::fold(cell)))?;
        cells.get(at + 1).filter(|cell| !cell.is_empty()).cloned()
    });
    if cell.is_some() {
        return cell;
    }
    let [before, behind] = preset.account.between.as_slice() else { return None };
    let above = std::str::from_utf8(above).ok()?;
    let (_, rest) = above.split_once(before.as_str())?;
    let account = rest.lines().next()?.split_once(behind.as_str())?.0.trim();
    (!account.is_empty()).then(|| account.to_owned())
}

/// A preset, and where and how the file is one of it.
struct Choice {
    preset: Preset,
    fit: Fit,
    signature: Signature,
    why: String,
}

fn head(input: &Input) -> Result<Head, Error> {
    let path = || input.path.clone();
    let mut bytes = Vec::new();
    let heard = Arc::new(Heard::default());
    let text = input.utf8(Arc::new(AtomicU64::new(0)), &heard);
    let read = text.and_then(|text| text.take(HEAD as u64).read_to_end(&mut bytes));
    // A file that breaks off later may well begin with good rows.
    if let Err(source) = read
        && bytes.is_empty()
    {
        return Err(Error::Io { path: path(), source });
    }
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let terminator = if memchr(b'\n', &bytes).is_none() && memchr(b'\r', &bytes).is_some() { b'\r' } else { b'\n' };
    let nowhere = Line { start, end: start, before: 0 };
    let mut head = Head { bytes, terminator, delimiter: None, first: nowhere, encoding: heard.told() };
    head.first = head.line_from(start, 0).ok_or_else(|| Error::Empty { path: path() })?;
    // Excel's own first line, which only says what parts the fields.
    if let Some(delimiter) = separator(head.text(head.first)) {
        head.delimiter = Some(delimiter);
        let first = head.first;
        head.first = head.line_from(first.end, first.before + 1).ok_or_else(|| Error::Empty { path: path() })?;
    }
    head.check().map_err(|reason| Error::Refused { path: path(), reason })?;
    Ok(head)
}

/// What parts the fields by a line such as `sep=;`.
fn separator(line: &[u8]) -> Option<u8> {
    let line = line.trim_ascii_start();
    let line = line.strip_prefix(b"\"").map_or(line, |inner| inner.strip_suffix(b"\"").unwrap_or(inner));
    match line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] if DELIMITERS.contains(delimiter) => Some(*delimiter),
        _ => None,
    }
}

/// The beginning of a file that has to be a text and no statement.
pub(crate) fn text_head(input: &Input) -> Result<Head, Error> {
    let head = head(input)?;
    let path = input.path.clone();
    if head.bytes.starts_with(b"PAR1") {
        let reason = "it is Parquet; expected a table of text, such as a CSV export".to_owned();
        return Err(Error::Refused { path, reason });
    }
    match formats::of(&head.bytes) {
        Some(format) => Err(Error::Refused {
            path,
            reason: format!("it is a statement that the feed {} reads; expected a table of text", format.name()),
        }),
        None => Ok(head),
    }
}

fn choose(path: &Path, options: &Options, head: &Head) -> Result<Choice, Error> {
    if let Some(mapping) = &options.map {
        return named(path, &mapping.0, head, "columns mapped by the user");
    }
    if let Some(name) = &options.feed {
        let preset = options.presets.get(name).ok_or_else(|| unknown(options, name))?;
        return named(path, preset, head, "feed named by the user");
    }
    let mut fits = fit::all(path, options, head)?;
    match fits.len() {
        0 => Err(Error::Unrecognised {
            path: path.to_owned(),
            header: head.shown(),
            nearest: near::nearest(&options.presets, &head.headers()),
        }),
        1 => {
            let Candidate { preset, fit, signature, why } = fits.remove(0);
            Ok(Choice { preset: preset.clone(), fit, signature, why })
        }
        _ => Err(Error::Ambiguous {
            path: path.to_owned(),
            feeds: fits.iter().map(|fit| fit.preset.name().to_owned()).collect(),
        }),
    }
}

/// A feed the user named: its columns have to be there, and the header may otherwise differ.
fn named(path: &Path, preset: &Preset, head: &Head, why: &str) -> Result<Choice, Error> {
    let choice = |fit| Ok(Choice { preset: preset.clone(), fit, signature: Signature::Named, why: why.to_owned() });
    let candidates = delimiters(preset, head);
    if let Some(fit) = candidates.iter().find_map(|&delimiter| Fit::new(preset, head, delimiter)) {
        return choice(fit);
    }
    // Then the line and the delimiter that find the most of the columns, and among those the one that parts the most.
    // A mapping names columns as the file has them; a feed's may go by other names.
    let comparer = (!preset.is_mapping()).then(|| Comparer::of(std::iter::once(preset)));
    let columns = |(line, delimiter): (Line, u8)| {
        let names = columns_of(preset, head, line, delimiter);
        let near = comparer.as_ref().and_then(|comparer| comparer.all(&names).pop());
        near.map_or_else(|| names.into(), |near| near.columns)
    };
    let score = |way| {
        let columns: Columns = columns(way);
        let found = preset.places().iter().filter(|(_, place)| columns.find(place) != Located::Nowhere).count();
        (found, columns.names.len())
    };
    // A mapping says nothing of the lines that there may be above the header.
    let lines = head.first_lines(LINES.max(preset.file.preamble + 1));
    let ways = lines.flat_map(|line| candidates.iter().map(move |&delimiter| (line, delimiter)));
    let scored = ways.map(|way| (score(way), way)).reduce(|best, next| if next.0 > best.0 { next } else { best });
    let (line, delimiter) = scored.map_or((head.first, b','), |(_, way)| way);
    if let Some(width) = preset.file.columns
        && head.fields(line, delimiter).len() != width
    {
        return Err(Error::MissingColumn {
            path: path.to_owned(),
            feed: preset.name().to_owned(),
            column: format!("#{width}"),
            found: shown(head.text(line)),
        });
    }
    choice(Fit { delimiter, line, columns: columns((line, delimiter)), kind: Kind::Near })
}

fn unknown(options: &Options, name: &str) -> Error {
    Error::UnknownFeed {
        name: name.to_owned(),
        known: options.presets.iter().map(|preset| preset.name().to_owned()).collect(),
    }
}

fn delimiters(preset: &Preset, head: &Head) -> Vec<u8> {
    match (head.delimiter, preset.file.delimiter) {
        (Some(delimiter), _) => vec![delimiter],
        (None, Some(delimiter)) => vec![delimiter as u8],
        (None, None) => DELIMITERS.to_vec(),
    }
}

fn find_table(input: &Input, options: &Options, kind: parquet::Kind) -> Result<Found, Error> {
    let table = parquet::Table::open(input, kind)?;
    let kind = kind.name();
    let names = table.columns();
    let (mut preset, columns, signature, why) = if let Some(mapping) = &options.map {
        let why = format!("{kind}; columns mapped by the user");
        (mapping.0.clone(), Columns::from(names), Signature::Named, why)
    } else if let Some(name) = &options.feed {
        let preset = options.presets.get(name).ok_or_else(|| unknown(options, name))?;
        let columns = typed::bound(preset, &names);
        (preset.clone(), columns, Signature::Named, format!("{kind}; feed named by the user"))
    } else {
        let (preset, columns, signature, why) = find_columns(input, options, &names)?;
        (preset, columns, signature, format!("{kind}; {why}"))
    };
    let explicit = options.map.is_some();
    // Words of a column that nobody reads may tell which way money goes.
    let all = preset.amount.sign.is_none() && preset.amount.column.is_some();
    let sample = |plan: &Plan| {
        let (rows, whole) = table.sample(plan, all)?;
        Ok(Sample { rows, whole, typed: true, explicit, scan: Box::new(|plan, see| table.scan(plan, see)) })
    };
    let (mut plan, why, warnings) = settled(&mut preset, &input.path, options, columns, why, sample)?;
    table.adapt(&mut plan);
    Ok(Found { preset, plan, layout: Layout::Parquet(table), signature, why, warnings, compression: None })
}

/// The feed of a table whose columns have names and no order.
fn find_columns(
    input: &Input,
    options: &Options,
    names: &[String],
) -> Result<(Preset, Columns, Signature, String), Error> {
    // What pandas adds on writing is no column of the feed.
    let has: Vec<&String> = names.iter().filter(|name| !name.starts_with("__index_level_")).collect();
    let fits = |preset: &&Preset| {
        preset.file.headers.iter().any(|header| {
            let header: Vec<&String> = header.iter().filter(|name| !name.is_empty()).collect();
            header.iter().all(|name| has.contains(name))
                && has.iter().all(|name| header.contains(name) || name.is_empty())
        }) || (!preset.file.has.is_empty() && preset.file.has.iter().all(|name| has.contains(&name)))
    };
    let ambiguous = |feeds| Error::Ambiguous { path: input.path.clone(), feeds };
    let found: Vec<&Preset> = options.presets.iter().filter(fits).collect();
    match found.as_slice() {
        [] => {}
        [preset] => {
            let why = format!("its columns are those of {}", preset.name());
            // Writers add and reorder columns, so names are compared and their order is not.
            let signature = if preset.file.has.is_empty() { Signature::Exact } else { Signature::Columns };
            return Ok(((*preset).clone(), names.to_vec().into(), signature, why));
        }
        several => return Err(ambiguous(several.iter().map(|preset| preset.name().to_owned()).collect())),
    }
    let near = Comparer::new(&options.presets).near(names, false);
    let near = near.into_iter().filter(|near| Plan::new(near.preset, &input.path, near.columns.clone()).is_ok());
    let near = fit::nearest(near.map(|near| (near.clone(), near)).collect());
    match near.as_slice() {
        [] => Err(Error::Unrecognised {
            path: input.path.clone(),
            header: shown(names.join(",").as_bytes()),
            nearest: near::nearest(&options.presets, &[names.to_vec()]),
        }),
        [near] => {
            let signature = Signature::Near(near.differs.confidence(near.nearness));
            let why = format!("its columns mean those of {}: {}", near.preset.name(), near.differs.told());
            Ok((near.preset.clone(), near.columns.clone(), signature, why))
        }
        several => Err(ambiguous(several.iter().map(|near| near.preset.name().to_owned()).collect())),
    }
}
