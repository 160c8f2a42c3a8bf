//! XML as far as bank messages need it: elements by their local names, since every bank and version has namespaces of
//! its own. Nothing is looked up, included or defined; what nests too deep is no message.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::sheet::clip;

/// The deepest that elements may stand in one another.
const MAX_DEPTH: usize = 64;

/// The most elements that one to be held may have: more than any batch, and still held.
const MAX_ELEMENTS: usize = 4 << 20;

/// An element, small enough to hold: an entry, an account, a balance.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    /// The currency of an amount, the one attribute that matters.
    pub(super) currency: String,
    pub(super) text: String,
    pub(super) children: Vec<Node>,
    /// The line it begins on, from 0.
    pub(super) line: u64,
    depth: usize,
}

impl Node {
    /// The first element down a path of names.
    pub(super) fn find(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, name| node.children.iter().find(|child| child.name == *name))
    }

    /// Its text, or nothing.
    pub(super) fn text(&self, path: &[&str]) -> &str {
        self.find(path).map_or("", |node| node.text.trim())
    }

    /// The first text that is there.
    pub(super) fn first(&self, paths: &[&[&str]]) -> &str {
        paths.iter().map(|path| self.text(path)).find(|text| !text.is_empty()).unwrap_or("")
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// What is met on the way.
pub(super) enum Met<'n> {
    /// An element of a name asked for begins.
    Begin(&'n str),
    /// One to be held is complete.
    Whole(Node),
    /// One to be held was being read when the text broke off.
    Broken(Node),
}

/// Tells of the elements named in `begin` when they begin, and hands those named in `hold` over whole. What is no XML
/// any more ends the reading; the reason is returned.
pub(super) fn walk(text: &str, begin: &[&str], hold: &[&str], met: &mut dyn FnMut(Met<'_>)) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    let mut held: Vec<Node> = Vec::new();
    let mut depth = 0usize;
    let mut elements = 0usize;
    let (mut at, mut line) = (0usize, 0u64);
    let result = loop {
        let position = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX).min(text.len());
        line += memchr::memchr_iter(b'\n', &text.as_bytes()[at.min(position)..position]).count() as u64;
        at = position;
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => break Err(format!("line {}: {error}", line + 1)),
        };
        if matches!(event, Event::Start(_) | Event::Empty(_)) {
            elements = if held.is_empty() { 0 } else { elements + 1 };
            if elements > MAX_ELEMENTS {
                break Err(format!("line {}: an entry has more than {MAX_ELEMENTS} elements", line + 1));
            }
        }
        match event {
            Event::Start(tag) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    break Err(format!("line {}: elements stand more than {MAX_DEPTH} deep in one another", line + 1));
                }
                start(&tag, depth, line, &mut held, begin, hold, met);
            }
            Event::Empty(tag) => {
                start(&tag, depth + 1, line, &mut held, begin, hold, met);
                end(depth + 1, &mut held, met);
            }
            Event::End(_) => {
                end(depth, &mut held, met);
                depth = depth.saturating_sub(1);
            }
            Event::Text(part) => add(&mut held, &part.xml10_content()),
            Event::CData(part) => add(&mut held, &part.xml10_content()),
            Event::GeneralRef(name) => {
                let letter = match &*name {
                    "amp" => Some('&'),
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => name.resolve_char_ref().ok().flatten(),
                };
                match letter {
                    Some(letter) => add(&mut held, letter.encode_utf8(&mut [0; 4])),
                    None => break Err(format!("line {}: the entity &{}; is not defined", line + 1, &*name)),
                }
            }
            Event::Eof if depth > 0 => break Err("the end of the text comes before that of its elements".to_owned()),
            Event::Eof => break Ok(()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
        }
    };
    if !held.is_empty() {
        met(Met::Broken(held.swap_remove(0)));
    }
    result
}

/// Adds to the text of the innermost element held, until it is too long anyway.
fn add(held: &mut [Node], part: &str) {
    if let Some(node) = held.last_mut()
        && clip(&node.text).len() == node.text.len()
    {
        node.text.push_str(clip(part));
    }
}

fn start(
    tag: &BytesStart<'_>,
    depth: usize,
    line: u64,
    held: &mut Vec<Node>,
    begin: &[&str],
    hold: &[&str],
    met: &mut dyn FnMut(Met<'_>),
) {
    let local = tag.local_name();
    let name: &str = local.as_ref();
    if held.is_empty() {
        if begin.contains(&name) {
            met(Met::Begin(name));
        }
        if !hold.contains(&name) {
            return;
        }
    }
    let mut attributes = tag.attributes();
    // Whether one comes twice does not matter here, and finding out takes the square of their number.
    attributes.with_checks(false);
    let currency = attributes.flatten().find(|attribute| attribute.key.local_name().as_ref() == "Ccy");
    let currency = currency.map(|attribute| clip(attribute.value.trim()).to_owned()).unwrap_or_default();
    held.push(Node { name: name.to_owned(), currency, line, depth, ..Node::default() });
}

fn end(depth: usize, held: &mut Vec<Node>, met: &mut dyn FnMut(Met<'_>)) {
    if held.last().is_none_or(|node| node.depth != depth) {
        return;
    }
    if let Some(node) = held.pop() {
        match held.last_mut() {
            Some(parent) => parent.children.push(node),
            None => met(Met::Whole(node)),
        }
    }
}
