//! JSON: an object a line, an array of objects, or a document (or several) that has such an array within. An object's
//! keys are columns, those of objects within it joined by points (`location.lat`), and its numbers stay the text that
//! they are. Files of any length are read as streams.

mod object;
mod revisions;
mod scan;

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rayon::prelude::*;

use crate::build::{Builder, Fields, Keys};
use crate::csv::MAX_LINE;
use crate::error::Error;
use crate::input::{Heard, Input};
use crate::plan::Plan;
use crate::preset::Style;
use crate::rows::Chunk;
use crate::worker::Worker;
use object::{Columns, Row};
pub(crate) use revisions::{Arrays, Fate, Revisions};
use scan::{Element, Elements, Stop};

/// Objects looked at to find the columns, and what a mapping leaves unsaid.
const SAMPLE: usize = 2_000;
/// Bytes looked at for the same.
const SAMPLE_BYTES: usize = MAX_LINE;
/// Bytes of objects that become one chunk.
const CHUNK: usize = 1 << 20;

/// Where a file's objects stand.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    /// One on each line.
    Lines,
    /// In an array that is all of the file.
    Array,
    /// In the arrays that these routes of keys lead to, in one document or several.
    Within(Vec<Vec<String>>),
}

/// A file of objects: their columns, and the first of them as rows.
#[derive(Debug)]
pub(crate) struct Objects {
    shape: Shape,
    columns: Columns,
    sample: Vec<Vec<String>>,
    /// Row and column of the texts among these that are no numbers.
    texts: Vec<(usize, usize)>,
    /// Whether that is all of them.
    pub(crate) whole: bool,
    arrays: Arrays,
    /// The route to the array, where it is one within a document.
    pub(crate) route: Option<String>,
    /// The encoding, where it is not UTF-8.
    pub(crate) encoding: Option<&'static str>,
}

/// Whether a text begins like JSON.
pub(crate) fn begins(head: &str) -> bool {
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let Some(rest) = head.strip_prefix(['{', '[']) else { return false };
    let rest = rest.trim_start();
    let inner = if head.starts_with('{') { ['"', '}'] } else { ['{', ']'] };
    rest.is_empty() || rest.starts_with(inner)
}

fn routes(names: &[String]) -> Vec<Vec<String>> {
    names.iter().map(|name| name.split('.').map(str::to_owned).collect()).collect()
}

impl Objects {
    /// Looks at the first objects, in the arrays that feeds are known to have theirs in.
    pub(crate) fn open(input: &Input, arrays: Arrays) -> Result<Self, Error> {
        let io = |source| Error::Io { path: input.path.clone(), source };
        let heard = Arc::new(Heard::default());
        let mut reader = input.utf8(Arc::default(), &heard).map_err(io)?;
        let mut head = Vec::new();
        // A file that breaks off is told of where its rows are read.
        let _ = reader.by_ref().take(SAMPLE_BYTES as u64).read_to_end(&mut head);
        let shape = Shape::of(&head, &arrays.all);
        let mut found = Self {
            shape,
            columns: Columns::growing(),
            sample: Vec::new(),
            texts: Vec::new(),
            whole: false,
            arrays,
            route: None,
            encoding: heard.described(),
        };
        let mut reached: Option<usize> = None;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        let mut wrong = Vec::new();
        let mut elements = Elements::new(io::Cursor::new(head).chain(reader), found.shape.clone());
        let mut stop = None;
        while rows.len() + wrong.len() < SAMPLE && bytes < SAMPLE_BYTES {
            let element = match elements.next() {
                Ok(Some(element)) => element,
                Ok(None) => {
                    found.whole = true;
                    break;
                }
                Err(broken) => {
                    (stop, found.whole) = (Some(broken), true);
                    break;
                }
            };
            if found.arrays.takes_back(element.route) && matches!(found.shape, Shape::Within(_)) {
                continue;
            }
            // The first array that has anything in it says which one the document's rows are in.
            let first = *reached.get_or_insert(element.route);
            bytes += element.text.len();
            if first == element.route && element.wrong.is_none() {
                let mut row = Row::default();
                match found.columns.grow(&element.text, &mut row) {
                    Ok(()) => rows.push(row),
                    Err(reason) => wrong.push(format!("line {}: {reason}", element.line + 1)),
                }
            }
        }
        if rows.is_empty() {
            let reason = match (wrong.first(), stop) {
                (Some(wrong), _) => wrong.clone(),
                (None, Some(stop)) => format!("it cannot be read as JSON: {}", stop.described()),
                (None, None) if matches!(found.shape, Shape::Within(_)) && !elements.reached => format!(
                    "no feed is known to have its transactions where this JSON document has any; expected an object a line, \
                     an array of objects, or such an array at {}",
                    found.arrays.described()
                ),
                (None, None) => "there is no object in it; expected transactions".to_owned(),
            };
            return Err(Error::Refused { path: input.path.clone(), reason });
        }
        if let (Shape::Within(routes), Some(at)) = (&found.shape, reached) {
            found.route = routes.get(at).map(|route| route.join("."));
        }
        let width = found.columns.names().len();
        let texts = |(number, row): (usize, &Row)| row.texts_at().map(|at| (number, at)).collect::<Vec<_>>();
        found.texts = rows.iter().enumerate().flat_map(texts).collect();
        found.sample = rows.iter().map(|row| row.texts(width)).collect();
        Ok(found)
    }

    /// The columns of the first objects, in the order in which they come up.
    pub(crate) fn names(&self) -> &[String] {
        self.columns.names()
    }

    /// Columns that a feed reads and the first objects lack: later ones may have them.
    pub(crate) fn add(&mut self, names: impl Iterator<Item = String>) {
        for name in names {
            self.columns.add(name);
        }
        let width = self.columns.names().len();
        self.sample.iter_mut().for_each(|row| row.resize(width, String::new()));
    }

    /// The texts that the first objects have in some columns, and no numbers.
    pub(crate) fn texts(&self, columns: &[usize]) -> Vec<String> {
        let texts = self.texts.iter().filter(|(_, at)| columns.contains(at));
        texts.map(|&(row, at)| self.sample[row][at].clone()).collect()
    }

    /// The first objects as rows.
    pub(crate) fn sample(&self) -> &[Vec<String>] {
        &self.sample
    }

    /// Hands on all objects as rows until it is told to stop.
    pub(crate) fn scan(&self, input: &Input, see: &mut dyn FnMut(&[String]) -> bool) -> Result<(), Error> {
        let io = |source| Error::Io { path: input.path.clone(), source };
        let mut elements = Elements::new(input.utf8(Arc::default(), &Arc::default()).map_err(io)?, self.shape.clone());
        let (mut row, width) = (Row::default(), self.columns.names().len());
        // What breaks off is told of where the rows are read.
        while let Ok(Some(element)) = elements.next() {
            let read = self.columns.read(&element.text, &mut row, &mut BTreeSet::new());
            if element.wrong.is_none() && read.is_ok() && !see(&row.texts(width)) {
                break;
            }
        }
        Ok(())
    }

    /// All rows, in order; `counter` follows the bytes read.
    pub(crate) fn rows(
        mut self,
        input: &Input,
        plan: Arc<Plan>,
        keys: Arc<Keys>,
        counter: Arc<AtomicU64>,
        (revisions, file): (Arc<Revisions>, usize),
    ) -> Result<Rows, Error> {
        let io = |source| Error::Io { path: input.path.clone(), source };
        let within = matches!(self.shape, Shape::Within(_));
        let elements = Elements::new(input.utf8(counter, &Arc::default()).map_err(io)?, self.shape);
        let later = within.then_some(Later { revisions, arrays: self.arrays, file });
        self.columns.settle(plan.money(), plan.style == Style::MoneyComma);
        let (ready, others) = (VecDeque::new(), BTreeSet::new());
        let columns = self.columns;
        Ok(Rows { elements, columns, plan, keys, later, number: 0, ready, others, stop: None, ended: false })
    }
}

/// What is said later of the objects of a file.
struct Later {
    revisions: Arc<Revisions>,
    arrays: Arrays,
    file: usize,
}

/// The rows of a file of objects, chunk by chunk. As many chunks are held at a time as there are threads.
pub(crate) struct Rows {
    elements: Elements<Box<dyn Read + Send>>,
    columns: Columns,
    plan: Arc<Plan>,
    keys: Arc<Keys>,
    later: Option<Later>,
    /// Objects read so far.
    number: u64,
    ready: VecDeque<Chunk>,
    others: BTreeSet<String>,
    /// What reading stopped at, where that was not the end.
    stop: Option<String>,
    ended: bool,
}

impl Rows {
    pub(crate) fn next(&mut self) -> Option<Chunk> {
        if self.ready.is_empty() && !self.ended {
            let batches: Vec<(u64, Vec<Element>)> = (0..rayon::current_num_threads().max(1))
                .map(|_| {
                    let (first, batch) = (self.number, self.batch());
                    self.number += batch.len() as u64;
                    (first, batch)
                })
                .filter(|(_, batch)| !batch.is_empty())
                .collect();
            let (columns, plan, keys, later) = (&self.columns, &*self.plan, &*self.keys, self.later.as_ref());
            let built: Vec<_> =
                batches.par_iter().map(|(first, batch)| build(batch, *first, columns, plan, keys, later)).collect();
            for (chunk, others) in built {
                self.ready.push_back(chunk);
                self.others.extend(others);
            }
        }
        self.ready.pop_front()
    }

    /// Objects enough for a chunk, as far as there are any.
    fn batch(&mut self) -> Vec<Element> {
        let (mut batch, mut size) = (Vec::new(), 0);
        while !self.ended && size < CHUNK {
            match self.elements.next() {
                Ok(Some(element)) => {
                    size += element.text.len() + 64;
                    batch.push(element);
                }
                Ok(None) => self.ended = true,
                Err(stop) => {
                    self.ended = true;
                    self.stop = Some(match stop {
                        Stop::Io(error) => format!("the file breaks off before its end: {error}"),
                        Stop::Broken { line, reason, text } => {
                            batch.push(Element { line, route: 0, text, wrong: Some(reason) });
                            format!("the file was read up to line {}: what follows is no JSON", line + 1)
                        }
                    });
                }
            }
        }
        batch
    }

    /// What else there is to say, once all rows are read.
    pub(crate) fn described(&self) -> Vec<String> {
        let mut described: Vec<String> = self.stop.iter().cloned().collect();
        if !self.others.is_empty() {
            let named: Vec<&str> = self.others.iter().take(10).map(String::as_str).collect();
            described.push(format!("keys that the first objects lack were not read: {}", named.join(", ")));
        }
        described
    }
}

impl Shape {
    fn of(head: &[u8], arrays: &[String]) -> Self {
        let head = String::from_utf8_lossy(head);
        let text = head.trim_start_matches('\u{feff}').trim_start();
        let within = Self::Within(routes(arrays));
        let mut elements = Elements::new(text.as_bytes(), within.clone());
        let _ = elements.next();
        if elements.reached {
            return within;
        }
        if text.starts_with('[') {
            return Self::Array;
        }
        // An object a line has whole lines, but for one that is broken or long.
        let mut lines = text.lines();
        let whole = |line: &str| serde_json::from_str::<&serde_json::value::RawValue>(line).is_ok();
        match (lines.next().is_some_and(whole), lines.next()) {
            (true, _) => Self::Lines,
            (false, Some(second)) if second.trim_start().starts_with('{') => Self::Lines,
            _ => within,
        }
    }
}

/// A run of objects to a chunk, and the keys that no column has.
fn build(
    elements: &[Element],
    first: u64,
    columns: &Columns,
    plan: &Plan,
    keys: &Keys,
    later: Option<&Later>,
) -> (Chunk, BTreeSet<String>) {
    let mut worker = Worker::new(plan.counterparty_domain);
    let mut builder = Builder::new(plan, keys, &mut worker);
    let mut row = Row::default();
    let mut others = BTreeSet::new();
    for (number, Element { line, route, text, wrong }) in (first..).zip(elements) {
        if later.is_some_and(|later| later.arrays.takes_back(*route)) {
            builder.reject(*line, text, "no transaction: it takes one back that was told of before".to_owned());
            continue;
        }
        let wrong = wrong.clone().or_else(|| columns.read(text, &mut row, &mut others).err());
        match wrong {
            Some(reason) => builder.reject(*line, text, reason),
            None => {
                let id = plan.id.map_or(&b""[..], |(at, _)| row.get(at).trim_ascii());
                let fate = later.map(|later| later.revisions.fate(id, later.file, &later.arrays, *route, number));
                match fate {
                    Some(Fate::Removed) => {
                        builder.reject(
                            *line,
                            text,
                            "no transaction: a later reply of the feed takes it back".to_owned(),
                        );
                    }
                    Some(Fate::Modified) => builder.known(),
                    Some(Fate::Stands) | None => builder.push(&row, *line, &|| text.clone()),
                }
            }
        }
    }
    // Objects know their lines in the file, so the chunks count none.
    (builder.finish(0), others)
}

#[cfg(test)]
mod tests;
