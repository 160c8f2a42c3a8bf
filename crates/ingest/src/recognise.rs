//! Which feed a file is of, and how its text is cut.

mod near;
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
use crate::input::{Compression, Input};
use crate::parquet;
use crate::plan::Plan;
use crate::preset::{Like, Place, Preset, Style};
use crate::value::amount;
use crate::value::time::{Clock, Memo};

/// The delimiters tried where a preset names none, in the order in which a tie goes.
const DELIMITERS: [u8; 4] = *b",;|\t";

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
    /// How it was recognised, and what was sniffed.
    pub why: String,
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
        why: found.why,
        columns: found.plan.columns,
        delimiter: match found.layout {
            Layout::Text { dialect, .. } => Some(char::from(dialect.delimiter)),
            Layout::Parquet(_) => None,
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
}

/// The beginning of a text.
struct Head {
    bytes: Vec<u8>,
    terminator: u8,
    /// The first line that is not blank.
    start: usize,
    end: usize,
    lines_before: u64,
}

impl Head {
    fn first(&self) -> &[u8] {
        trim_line(&self.bytes[self.start..self.end], self.terminator)
    }

    fn fields(&self, delimiter: u8) -> Vec<String> {
        parse::fields(self.first(), Dialect { delimiter, terminator: self.terminator, limits: Limits::default() })
    }
}

pub(crate) fn find(input: &Input, options: &Options) -> Result<Found, Error> {
    let io = |source| Error::Io { path: input.path.clone(), source };
    let mut magic = Vec::new();
    input.raw().map_err(io)?.take(4).read_to_end(&mut magic).map_err(io)?;
    if magic == *b"PAR1" {
        return find_parquet(input, options);
    }
    let head = head(input)?;
    let (preset, delimiter, header, mut why) = choose(&input.path, options, &head)?;
    let dialect = Dialect { delimiter, terminator: head.terminator, limits: Limits::default() };
    let columns = match header {
        Header::Names(names) => names,
        Header::None(width) => (1..=width).map(|at| format!("#{at}")).collect(),
    };
    let has_header = preset.file.columns.is_none();
    let (skip, skip_lines) =
        if has_header { (head.end, head.lines_before + 1) } else { (head.start, head.lines_before) };
    let mut preset = preset;
    let mut plan = Plan::new(&preset, &input.path, columns.clone())?;
    if sniff::is_open(&preset, &plan) {
        let sample = sniff::sample(&head.bytes[skip..], dialect, &plan);
        let told = sniff::settle(&mut preset, &plan, &input.path, &sample)?;
        plan = Plan::new(&preset, &input.path, columns)?;
        why = format!("{why}; {told}");
    }
    let layout = Layout::Text { dialect, skip: skip as u64, skip_lines };
    Ok(Found { preset, plan, layout, why, compression: Compression::of(&magic) })
}

enum Header {
    Names(Vec<String>),
    None(usize),
}

type Choice = (Preset, u8, Header, String);

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
    let mut start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let terminator = if memchr(b'\n', &bytes).is_none() && memchr(b'\r', &bytes).is_some() { b'\r' } else { b'\n' };
    let mut lines_before = 0;
    loop {
        if start >= bytes.len() {
            return Err(Error::Empty { path: path() });
        }
        let end = memchr(terminator, &bytes[start..]).map_or(bytes.len(), |at| start + at + 1);
        if !is_blank(trim_line(&bytes[start..end], terminator), b'\t') {
            return Ok(Head { bytes, terminator, start, end, lines_before });
        }
        start = end;
        lines_before += 1;
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
    let mut fits: Vec<(&Preset, u8)> = Vec::new();
    for preset in options.presets.iter() {
        // One preset fits once, whatever the delimiter.
        if let Some(delimiter) = delimiters(preset).into_iter().find(|&delimiter| fits_text(preset, head, delimiter)) {
            fits.push((preset, delimiter));
        }
    }
    match fits.as_slice() {
        [] => Err(Error::Unrecognised {
            path: path.to_owned(),
            header: shown(head.first()),
            nearest: near::nearest(&options.presets, &DELIMITERS.map(|delimiter| head.fields(delimiter))),
        }),
        [(preset, delimiter)] => {
            let header = header_of(preset, head, *delimiter);
            let how = match &header {
                Header::Names(names) => format!("its header is that of {} ({} columns)", preset.name(), names.len()),
                Header::None(_) => {
                    format!("no header, and its first row is one of {}", preset.name())
                }
            };
            Ok(((*preset).clone(), *delimiter, header, how))
        }
        several => Err(Error::Ambiguous {
            path: path.to_owned(),
            feeds: several.iter().map(|(preset, _)| preset.name().to_owned()).collect(),
        }),
    }
}

/// A feed the user named: its columns have to be there, and the header may otherwise differ.
fn named(path: &Path, preset: &Preset, head: &Head, why: &str) -> Result<Choice, Error> {
    let choice = |delimiter| Ok((preset.clone(), delimiter, header_of(preset, head, delimiter), why.to_owned()));
    let candidates = delimiters(preset);
    if let Some(&delimiter) = candidates.iter().find(|&&delimiter| fits_text(preset, head, delimiter)) {
        return choice(delimiter);
    }
    // Then the delimiter that finds the most of the columns, and among those the one that parts the most.
    let score = |delimiter: u8| {
        let fields = head.fields(delimiter);
        let places = preset.places();
        let found = places.iter().filter(|(_, place)| match place {
            Place::Named(name) => fields.contains(name),
            Place::At(at) => *at < fields.len(),
        });
        (found.count(), fields.len())
    };
    let best = candidates.iter().copied().reduce(|best, next| if score(next) > score(best) { next } else { best });
    let delimiter = best.unwrap_or(b',');
    if let Some(width) = preset.file.columns
        && head.fields(delimiter).len() != width
    {
        return Err(Error::MissingColumn {
            path: path.to_owned(),
            feed: preset.name().to_owned(),
            column: format!("#{width}"),
            found: shown(head.first()),
        });
    }
    choice(delimiter)
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

fn header_of(preset: &Preset, head: &Head, delimiter: u8) -> Header {
    if let Some(width) = preset.file.columns {
        return Header::None(width);
    }
    let mut names = head.fields(delimiter);
    if preset.file.trailing_empty
        && names.last().is_some_and(String::is_empty)
        && preset.file.headers.iter().all(|header| header.len() < names.len())
    {
        names.pop();
    }
    Header::Names(names)
}

/// Whether the first line is what the preset says.
fn fits_text(preset: &Preset, head: &Head, delimiter: u8) -> bool {
    match header_of(preset, head, delimiter) {
        Header::Names(names) => preset.file.headers.contains(&names),
        Header::None(width) => fits_shape(preset, &head.fields(delimiter), width),
    }
}

fn fits_shape(preset: &Preset, fields: &[String], width: usize) -> bool {
    if preset.file.check.is_empty() || fields.len() != width {
        return false;
    }
    let Ok(clock) = Clock::new(&preset.time) else {
        return false;
    };
    preset.file.check.iter().all(|check| {
        let field = &fields[check.column];
        match (&check.equals, check.like) {
            (Some(text), _) => field == text,
            (None, Some(Like::Time)) => clock.read(field.as_bytes(), &mut Memo::default()).is_some(),
            (None, _) => {
                let style = preset.amount.format.unwrap_or(Style::Plain);
                amount::read(field.as_bytes(), style, crible_core::Currency::NONE).is_ok()
            }
        }
    })
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
        })
    };
    let (mut preset, mut why) = if let Some(mapping) = &options.map {
        (mapping.0.clone(), "Parquet; columns mapped by the user".to_owned())
    } else if let Some(name) = &options.feed {
        let preset = options.presets.get(name).ok_or_else(|| unknown(options, name))?;
        (preset.clone(), "Parquet; feed named by the user".to_owned())
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
                ((*preset).clone(), why)
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
    Ok(Found { preset, plan, layout: Layout::Parquet(table), why, compression: None })
}
