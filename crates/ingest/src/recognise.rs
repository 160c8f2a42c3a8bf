//! Which feed a file is of, and how its text is cut.

mod fit;
mod near;
mod signature;
mod sniff;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use memchr::memchr;

use crate::Options;
use crate::csv::record::{is_blank, trim_line};
use crate::csv::{Dialect, Limits, MAX_LINE, parse};
use crate::error::{Error, shown};
use crate::formats::{COLUMNS, Document, Format};
use crate::input::{Compression, Input};
use crate::parquet;
use crate::plan::{Mapped, Plan};
use crate::preset::{Origin, Place, Preset, Text};

use fit::{Fit, Header, Kind};
pub use signature::Signature;

/// The delimiters tried where a preset names none, in the order in which a tie goes.
pub(crate) const DELIMITERS: [u8; 4] = *b",;|\t";

/// Lines among which the header of a file of no known feed is looked for.
const LINES: usize = 12;

/// Text looked at: the longest header there may be, and rows enough to sniff from.
const HEAD: usize = MAX_LINE + (1 << 16);

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
    /// What parts the fields of a text; nothing for Parquet.
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
    let input = Input::new(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let found = find(&input, options)?;
    Ok(Recognition {
        feed: found.preset.name().to_owned(),
        title: found.preset.title().to_owned(),
        signature: found.signature,
        why: found.why,
        mapping: found.plan.told(&found.preset),
        columns: found.plan.columns,
        delimiter: match found.layout {
            Layout::Text { dialect, .. } => Some(char::from(dialect.delimiter)),
            Layout::Parquet(_) | Layout::Document(_) => None,
        },
        compression: found.compression,
    })
}

/// A file ready to be read.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) preset: Preset,
    pub(crate) plan: Plan,
    pub(crate) layout: Layout,
    pub(crate) signature: Signature,
    pub(crate) why: String,
    compression: Option<Compression>,
}

#[derive(Debug)]
pub(crate) enum Layout {
    Text {
        dialect: Dialect,
        /// Bytes and lines before the first row.
        skip: u64,
        skip_lines: u64,
    },
    Parquet(parquet::Table),
    Document(Document),
}

/// The beginning of a text.
#[derive(Debug)]
pub(crate) struct Head {
    bytes: Vec<u8>,
    terminator: u8,
    /// The first line that is not blank.
    first: Line,
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

    /// The first line, and as many below it as a preset allows above its header.
    fn lines(&self, preset: &Preset) -> impl Iterator<Item = Line> {
        self.first_lines(preset.file.preamble + 1)
    }

    fn first_lines(&self, lines: usize) -> impl Iterator<Item = Line> {
        let below = |line: &Line| self.line_from(line.end, line.before + 1);
        std::iter::successors(Some(self.first), below).take(lines)
    }

    /// The first lines, cut in every way: what a header may be.
    fn headers(&self) -> Vec<Vec<String>> {
        let lines = self.first_lines(LINES);
        lines.flat_map(|line| DELIMITERS.map(|delimiter| self.fields(line, delimiter))).collect()
    }
}

pub(crate) fn find(input: &Input, options: &Options) -> Result<Found, Error> {
    let io = |source| Error::Io { path: input.path.clone(), source };
    let mut magic = Vec::new();
    input.raw().map_err(io)?.take(4).read_to_end(&mut magic).map_err(io)?;
    if magic == *b"PAR1" {
        return find_parquet(input, options);
    }
    if let Some((format, signature, why)) = format(input, options)? {
        return find_document(input, options, (format, signature, why), Compression::of(&magic));
    }
    let head = head(input)?;
    let Choice { mut preset, fit, signature, mut why } = choose(&input.path, options, &head)?;
    let dialect = head.dialect(fit.delimiter);
    let columns = fit.header.columns();
    let (skip, skip_lines) = fit.rows(&preset);
    if let Some(account) = preamble_account(&preset, &head.bytes[..fit.line.start]) {
        preset.account = Text { constant: Some(account), ..Text::default() };
    }
    let mut plan = Plan::new(&preset, &input.path, columns.clone())?;
    if sniff::is_open(&preset, &plan) {
        let sample = sniff::sample(&head.bytes[skip..], dialect, &plan);
        let told = sniff::settle(&mut preset, &plan, &input.path, &sample)?;
        plan = Plan::new(&preset, &input.path, columns)?;
        why = format!("{why}; {told}");
    }
    let layout = Layout::Text { dialect, skip: skip as u64, skip_lines };
    Ok(Found { preset, plan, layout, signature, why, compression: Compression::of(&magic) })
}

/// The format of a file that is no table: the one the user named, or the one it begins like.
fn format(input: &Input, options: &Options) -> Result<Option<(Format, Signature, String)>, Error> {
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
    let format = Format::of(&bytes)
        .filter(|format| options.presets.get(format.name()).is_some_and(|preset| preset.format == Some(*format)));
    Ok(format.map(|format| {
        (format, Signature::Exact, format!("it begins like {}: {}", format.name(), format.recognised_by()))
    }))
}

fn find_document(
    input: &Input,
    options: &Options,
    (format, signature, why): (Format, Signature, String),
    compression: Option<Compression>,
) -> Result<Found, Error> {
    let mut preset = options.presets.get(format.name()).ok_or_else(|| unknown(options, format.name()))?.clone();
    let document = Document::open(input, format)?;
    if let Some(style) = document.style {
        preset.amount.format = Some(style);
    }
    let mut plan = Plan::new(&preset, &input.path, COLUMNS.map(str::to_owned).to_vec())?;
    format.feed().clone_into(&mut plan.feed);
    let why = [&[why][..], &document.told].concat().join("; ");
    Ok(Found { preset, plan, layout: Layout::Document(document), signature, why, compression })
}

/// An account that the lines above the header name.
fn preamble_account(preset: &Preset, above: &[u8]) -> Option<String> {
    let (Some(Origin::Preamble), [before, behind]) = (preset.account.from, preset.account.between.as_slice()) else {
        return None;
    };
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
    let text = input.text(Arc::new(AtomicU64::new(0)));
    let read = text.and_then(|text| text.take(HEAD as u64).read_to_end(&mut bytes));
    // A file that breaks off later may well begin with good rows.
    if let Err(source) = read
        && bytes.is_empty()
    {
        return Err(Error::Io { path: path(), source });
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Error::Encoding { path: path(), found: "UTF-16" });
    }
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let terminator = if memchr(b'\n', &bytes).is_none() && memchr(b'\r', &bytes).is_some() { b'\r' } else { b'\n' };
    let nowhere = Line { start, end: start, before: 0 };
    let mut head = Head { bytes, terminator, first: nowhere };
    head.first = head.line_from(start, 0).ok_or_else(|| Error::Empty { path: path() })?;
    Ok(head)
}

/// The beginning of a file that has to be a text and no statement.
pub(crate) fn text_head(input: &Input) -> Result<Head, Error> {
    let head = head(input)?;
    let path = input.path.clone();
    if head.bytes.starts_with(b"PAR1") {
        let reason = "it is Parquet; expected a table of text, such as a CSV export".to_owned();
        return Err(Error::Refused { path, reason });
    }
    match Format::of(&head.bytes) {
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
            header: shown(head.text(head.first)),
            nearest: near::nearest(&options.presets, &head.headers()),
        }),
        1 => {
            let (preset, fit, signature) = fits.remove(0);
            let name = preset.name();
            let mut why = match &fit.header {
                Header::Names(names) if fit.kind == Kind::Among => {
                    format!("among its {} columns are those of {name}", names.len())
                }
                Header::Names(names) => format!("its header is that of {name} ({} columns)", names.len()),
                Header::None(_) => format!("no header, and its first row is one of {name}"),
            };
            match signature {
                Signature::Evidence => why.push_str(", and so are its rows"),
                Signature::Readable => {
                    why.push_str(", and it reads more of its rows than any other feed that has them")
                }
                _ => {}
            }
            Ok(Choice { preset: preset.clone(), fit, signature, why })
        }
        _ => Err(Error::Ambiguous {
            path: path.to_owned(),
            feeds: fits.iter().map(|(preset, ..)| preset.name().to_owned()).collect(),
        }),
    }
}

/// A feed the user named: its columns have to be there, and the header may otherwise differ.
fn named(path: &Path, preset: &Preset, head: &Head, why: &str) -> Result<Choice, Error> {
    let choice = |fit| Ok(Choice { preset: preset.clone(), fit, signature: Signature::Named, why: why.to_owned() });
    let candidates = delimiters(preset);
    if let Some(fit) = candidates.iter().find_map(|&delimiter| Fit::new(preset, head, delimiter)) {
        return choice(fit);
    }
    // Then the line and the delimiter that find the most of the columns, and among those the one that parts the most.
    let score = |(line, delimiter): (Line, u8)| {
        let fields = head.fields(line, delimiter);
        let places = preset.places();
        let found = places.iter().filter(|(_, place)| match place {
            Place::Named(name) => fields.contains(name),
            Place::At(at) => *at < fields.len(),
        });
        (found.count(), fields.len())
    };
    let ways = head.lines(preset).flat_map(|line| candidates.iter().map(move |&delimiter| (line, delimiter)));
    let best = ways.reduce(|best, next| if score(next) > score(best) { next } else { best });
    let (line, delimiter) = best.unwrap_or((head.first, b','));
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
    choice(Fit { delimiter, line, header: Header::of(preset, head, line, delimiter), kind: Kind::Among })
}

fn unknown(options: &Options, name: &str) -> Error {
    Error::UnknownFeed {
        name: name.to_owned(),
        known: options.presets.iter().map(|preset| preset.name().to_owned()).collect(),
    }
}

fn delimiters(preset: &Preset) -> Vec<u8> {
    match preset.file.delimiter {
        Some(delimiter) => vec![delimiter as u8],
        None => DELIMITERS.to_vec(),
    }
}

fn find_parquet(input: &Input, options: &Options) -> Result<Found, Error> {
    let table = parquet::Table::open(input)?;
    let names = table.columns();
    // What pandas adds on writing is no column of the feed.
    let has: Vec<&String> = names.iter().filter(|name| !name.starts_with("__index_level_")).collect();
    let fits = |preset: &Preset| {
        preset.file.headers.iter().any(|header| {
            let header: Vec<&String> = header.iter().filter(|name| !name.is_empty()).collect();
            header.iter().all(|name| has.contains(name))
                && has.iter().all(|name| header.contains(name) || name.is_empty())
        }) || (!preset.file.has.is_empty() && preset.file.has.iter().all(|name| has.contains(&name)))
    };
    let (mut preset, signature, mut why) = if let Some(mapping) = &options.map {
        (mapping.0.clone(), Signature::Named, "Parquet; columns mapped by the user".to_owned())
    } else if let Some(name) = &options.feed {
        let preset = options.presets.get(name).ok_or_else(|| unknown(options, name))?;
        (preset.clone(), Signature::Named, "Parquet; feed named by the user".to_owned())
    } else {
        let found: Vec<&Preset> = options.presets.iter().filter(|preset| fits(preset)).collect();
        match found.as_slice() {
            [] => {
                return Err(Error::Unrecognised {
                    path: input.path.clone(),
                    header: shown(names.join(",").as_bytes()),
                    nearest: near::nearest(&options.presets, &[names]),
                });
            }
            [preset] => {
                let why = format!("Parquet; its columns are those of {}", preset.name());
                // Parquet writers add and reorder columns, so names are compared and their order is not.
                let signature = if preset.file.has.is_empty() { Signature::Exact } else { Signature::Columns };
                ((*preset).clone(), signature, why)
            }
            several => {
                return Err(Error::Ambiguous {
                    path: input.path.clone(),
                    feeds: several.iter().map(|preset| preset.name().to_owned()).collect(),
                });
            }
        }
    };
    let mut plan = Plan::new(&preset, &input.path, names.clone())?;
    if sniff::is_open(&preset, &plan) {
        let sample = table.sample(&plan)?;
        let told = sniff::settle(&mut preset, &plan, &input.path, &sample)?;
        plan = Plan::new(&preset, &input.path, names)?;
        why = format!("{why}; {told}");
    }
    table.adapt(&mut plan);
    Ok(Found { preset, plan, layout: Layout::Parquet(table), signature, why, compression: None })
}
