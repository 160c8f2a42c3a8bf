//! Where objects begin and end, without reading what is in them.

use std::io::{self, BufRead, BufReader, Read};

use super::Shape;
use crate::csv::MAX_LINE;

/// How deep a value may be nested.
const MAX_DEPTH: usize = 128;

/// One object's text, or what stands where one should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// The line it starts on, from 0.
    pub(super) line: u64,
    /// Which of several arrays it stands in.
    pub(super) route: usize,
    pub(super) text: Vec<u8>,
    pub(super) wrong: Option<String>,
}

/// Why reading stopped before the end.
#[derive(Debug)]
pub(super) enum Stop {
    Io(io::Error),
    /// What follows cannot be told apart.
    Broken {
        line: u64,
        reason: String,
        text: Vec<u8>,
    },
}

impl Stop {
    pub(super) fn described(&self) -> String {
        match self {
            Self::Io(error) => error.to_string(),
            Self::Broken { line, reason, .. } => format!("line {}: {reason}", line + 1),
        }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Where reading has come to.
struct Scanner<R> {
    input: BufReader<R>,
    line: u64,
}

fn too_long() -> String {
    format!("the object is longer than {MAX_LINE} bytes; expected a transaction")
}

impl<R: Read> Scanner<R> {
    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if let Some(byte) = byte {
            self.input.consume(1);
            self.line += u64::from(byte == b'\n');
        }
        Ok(byte)
    }

    /// The next byte that is no blank; a byte order mark counts as one.
    fn blank(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf) => self.next()?,
                byte => return Ok(byte),
            };
        }
    }

    fn broken(&self, expected: &str, found: Option<u8>) -> Stop {
        let text = found.map_or_else(Vec::new, |byte| vec![byte]);
        let reason = match found {
            None => format!("the file breaks off here; expected {expected}"),
            Some(_) => format!("expected {expected}"),
        };
        Stop::Broken { line: self.line, reason, text }
    }

    fn expect(&mut self, byte: u8, what: &str) -> Result<(), Stop> {
        match self.blank()? {
            Some(found) if found == byte => {
                self.next()?;
                Ok(())
            }
            found => Err(self.broken(what, found)),
        }
    }

    /// The next line that is not blank.
    fn whole_line(&mut self) -> Result<Option<Element>, Stop> {
        loop {
            let line = self.line;
            let mut text = Vec::new();
            let read = self.input.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut text)?;
            if read == 0 {
                return Ok(None);
            }
            let mut wrong = None;
            if text.len() > MAX_LINE {
                wrong = Some(too_long());
                self.input.skip_until(b'\n')?;
            }
            self.line += 1;
            let text = text.trim_ascii();
            let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).to_vec();
            if !text.is_empty() {
                return Ok(Some(Element { line, route: 0, text, wrong }));
            }
        }
    }

    /// Whether there is something more within brackets: goes past the comma before it, or past the bracket that closes.
    fn more(&mut self, first: bool, close: u8, what: &str) -> Result<bool, Stop> {
        match self.blank()? {
            Some(found) if found == close => {
                self.next()?;
                Ok(false)
            }
            Some(b',') if !first => {
                self.next()?;
                self.blank()?;
                Ok(true)
            }
            Some(_) if first => Ok(true),
            found => Err(self.broken(&format!("a comma or the end of the {what}, {}", char::from(close)), found)),
        }
    }

    /// The value of an array that stands here.
    fn element(&mut self, route: usize) -> Result<Element, Stop> {
        let line = self.line;
        let mut text = Vec::new();
        match self.value(Some(&mut text)) {
            Ok(short) => Ok(Element { line, route, text, wrong: (!short).then(too_long) }),
            Err(Stop::Broken { reason, .. }) => Err(Stop::Broken { line, reason, text }),
            Err(stop) => Err(stop),
        }
    }

    fn key(&mut self) -> Result<String, Stop> {
        match self.blank()? {
            Some(b'"') => {}
            found => return Err(self.broken("a key in quotes", found)),
        }
        let mut key = Vec::new();
        self.string(&mut Some(&mut key))?;
        self.expect(b':', "a colon behind the key")?;
        // A key that is no text is none that anybody looks for.
        Ok(serde_json::from_slice(&key).unwrap_or_default())
    }

    /// A string, its quotes included.
    fn string(&mut self, text: &mut Option<&mut Vec<u8>>) -> Result<(), Stop> {
        let mut escaped = true;
        loop {
            let Some(byte) = self.next()? else { return Err(self.broken("a closing quote", None)) };
            keep(text, byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => return Ok(()),
                _ => {}
            }
        }
    }

    /// A value of any kind; whether it is short enough to be kept. Its text is what stands there up to where it is
    /// broken.
    fn value(&mut self, mut text: Option<&mut Vec<u8>>) -> Result<bool, Stop> {
        let mut open = Vec::new();
        loop {
            let Some(byte) = self.peek()? else { return Err(self.broken("the rest of the value", None)) };
            match byte {
                b'"' => self.string(&mut text)?,
                b'{' | b'[' => {
                    if open.len() == MAX_DEPTH {
                        return Err(self.broken("values nested at most 128 deep", Some(byte)));
                    }
                    open.push(byte);
                    keep(&mut text, byte);
                    self.next()?;
                }
                b'}' | b']' => {
                    let opened = open.pop();
                    if opened != Some(if byte == b'}' { b'{' } else { b'[' }) {
                        let expected =
                            if opened.is_none() { "a value" } else { "the brackets to close as they were opened" };
                        return Err(self.broken(expected, Some(byte)));
                    }
                    keep(&mut text, byte);
                    self.next()?;
                }
                b',' if open.is_empty() => {
                    return Err(self.broken("a value", Some(byte)));
                }
                _ => {
                    keep(&mut text, byte);
                    self.next()?;
                    // A number or a word goes on to what ends it.
                    if open.is_empty()
                        && !matches!(self.peek()?, None | Some(b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n'))
                    {
                        continue;
                    }
                }
            }
            if open.is_empty() {
                return Ok(text.is_none_or(|text| text.len() <= MAX_LINE));
            }
        }
    }
}

/// Keeps a byte, and of what is too long only enough to tell that it is.
fn keep(text: &mut Option<&mut Vec<u8>>, byte: u8) {
    if let Some(text) = text.as_mut().filter(|text| text.len() <= MAX_LINE) {
        text.push(byte);
    }
}

/// The objects of a file, one after the other.
pub(super) struct Elements<R> {
    scanner: Scanner<R>,
    shape: Shape,
    /// The objects that are open around the place that reading has come to.
    open: Vec<Level>,
    /// The array that it is in: which of several, and whether nothing of it has been read.
    array: Option<(usize, bool)>,
    started: bool,
    /// Whether documents stand in an array, and not one behind the other.
    listed: bool,
    ended: bool,
    /// Whether there was an array that one of the routes leads to.
    pub(super) reached: bool,
}

/// An object that is open, and the routes that lead on within it, with how many keys of each lead here.
struct Level {
    live: Vec<(usize, usize)>,
    first: bool,
}

impl<R: Read> Elements<R> {
    pub(super) fn new(reader: R, shape: Shape) -> Self {
        let scanner = Scanner { input: BufReader::with_capacity(1 << 17, reader), line: 0 };
        Self {
            scanner,
            shape,
            open: Vec::new(),
            array: None,
            started: false,
            listed: false,
            ended: false,
            reached: false,
        }
    }

    /// The next object; nothing at the end, and nothing behind an error.
    pub(super) fn next(&mut self) -> Result<Option<Element>, Stop> {
        if self.ended {
            return Ok(None);
        }
        let next = if self.shape == Shape::Lines { self.scanner.whole_line() } else { self.advance() };
        self.ended = !matches!(next, Ok(Some(_)));
        next
    }

    fn advance(&mut self) -> Result<Option<Element>, Stop> {
        loop {
            if let Some((route, first)) = self.array {
                if self.scanner.more(first, b']', "array")? {
                    self.array = Some((route, false));
                    return self.scanner.element(route).map(Some);
                }
                self.array = None;
            } else if !self.started {
                self.started = true;
                if !matches!(self.shape, Shape::Within(_)) {
                    self.scanner.expect(b'[', "an array, [")?;
                    self.array = Some((0, true));
                    continue;
                }
                self.listed = self.scanner.blank()? == Some(b'[');
                let is_empty =
                    self.listed && !(self.scanner.next()?.is_some() && self.scanner.more(true, b']', "array")?);
                if is_empty {
                    self.listed = false;
                } else {
                    self.document()?;
                }
            } else if let Some(level) = self.open.last_mut() {
                if self.scanner.more(level.first, b'}', "object")? {
                    level.first = false;
                    self.member()?;
                } else {
                    self.open.pop();
                }
            } else if self.listed {
                self.listed = self.scanner.more(false, b']', "array")?;
                if self.listed {
                    self.document()?;
                }
            } else {
                return match self.scanner.blank()? {
                    None => Ok(None),
                    // One reply of a service behind the other.
                    Some(b'{') if matches!(self.shape, Shape::Within(_)) => {
                        self.document()?;
                        continue;
                    }
                    found => Err(self.scanner.broken("the end of the file", found)),
                };
            }
        }
    }

    /// Goes into a document, in which every route may lead on.
    fn document(&mut self) -> Result<(), Stop> {
        self.scanner.expect(b'{', "an object, {")?;
        let routes = if let Shape::Within(routes) = &self.shape { routes.len() } else { 0 };
        self.open.push(Level { live: (0..routes).map(|route| (route, 0)).collect(), first: true });
        Ok(())
    }

    /// Goes past a key, and into or past its value.
    fn member(&mut self) -> Result<(), Stop> {
        let key = self.scanner.key()?;
        let (Shape::Within(routes), Some(level)) = (&self.shape, self.open.last()) else { return Ok(()) };
        let leads = level.live.iter().filter(|&&(route, depth)| routes[route].get(depth) == Some(&key));
        let live: Vec<(usize, usize)> = leads.map(|&(route, depth)| (route, depth + 1)).collect();
        let here = live.iter().find(|&&(route, depth)| routes[route].len() == depth);
        match (here, self.scanner.blank()?) {
            (Some(&(route, _)), Some(b'[')) => {
                self.scanner.next()?;
                self.array = Some((route, true));
                self.reached = true;
            }
            (None, Some(b'{')) if !live.is_empty() => {
                self.scanner.next()?;
                self.open.push(Level { live, first: true });
            }
            _ => {
                self.scanner.value(None)?;
            }
        }
        Ok(())
    }
}
