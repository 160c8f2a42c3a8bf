//! What a feed says later of transactions that it has told before: some are put right, some taken back. It is looked up
//! in all files before any row is read, so that it does not matter which file says so, nor how the files are read.

use std::collections::HashMap;
use std::io::Read;

use serde_json::Value;

use super::scan::Elements;
use super::{Shape, begins};
use crate::input::{Heard, Input};
use crate::preset::{Place, Preset};

/// The beginning of a file that shows whether it may have any revision.
const HEAD: u64 = 64 << 10;

/// The arrays that feeds have their objects in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrays {
    /// All of them, by the keys that lead to them.
    pub(crate) all: Vec<String>,
    /// Those whose objects put earlier ones of the same id right, and those whose objects take them back.
    modified: Vec<usize>,
    removed: Vec<usize>,
    /// Names of the ids.
    ids: Vec<String>,
    /// Keys that a file with revisions has.
    marks: Vec<String>,
}

impl Arrays {
    pub(crate) fn of<'p>(presets: impl Iterator<Item = &'p Preset>) -> Self {
        let mut arrays = Self::default();
        for preset in presets {
            let file = &preset.file;
            let places = [(&file.array, 0), (&file.modified, 1), (&file.removed, 2)];
            for (route, rank) in
                places.into_iter().flat_map(|(routes, rank)| routes.iter().map(move |route| (route, rank)))
            {
                let at = arrays.all.iter().position(|known| known == route).unwrap_or_else(|| {
                    arrays.all.push(route.clone());
                    arrays.all.len() - 1
                });
                match rank {
                    1 => arrays.modified.push(at),
                    2 => arrays.removed.push(at),
                    _ => {}
                }
            }
            if file.modified.is_empty() && file.removed.is_empty() {
                continue;
            }
            if let Some(Place::Named(id)) = preset.id.as_ref().map(|id| &id.column) {
                arrays.ids.push(id.clone());
            }
            let routes = file.array.iter().chain(&file.modified).chain(&file.removed);
            arrays.marks.extend(routes.filter_map(|route| Some(format!("\"{}\"", route.rsplit('.').next()?))));
        }
        arrays
    }

    /// Where transactions are, for people.
    pub(crate) fn described(&self) -> String {
        let kept = self.all.iter().enumerate().filter(|(at, _)| !self.removed.contains(at));
        kept.map(|(_, route)| route.as_str()).collect::<Vec<_>>().join(" or ")
    }

    /// Whether the objects of an array take transactions back.
    pub(crate) fn takes_back(&self, route: usize) -> bool {
        self.removed.contains(&route)
    }

    /// Objects of one file count in this order, whatever order its arrays stand in.
    fn rank(&self, route: usize) -> u8 {
        if self.removed.contains(&route) { 2 } else { u8::from(self.modified.contains(&route)) }
    }
}

/// Where an object stands: its file, the rank of its array, its number in the file.
type At = (usize, u8, u64);

/// What becomes of an object, by what is said of it later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Stands,
    /// A later one says it better.
    Modified,
    /// It is none after all.
    Removed,
}

/// The last thing said of every transaction of which anything is said later.
#[derive(Debug, Default)]
pub(crate) struct Revisions {
    last: HashMap<Vec<u8>, (At, Fate)>,
}

impl Revisions {
    /// Takes note of what a file says. One that cannot be read is told of where its rows are read.
    pub(crate) fn read(&mut self, input: &Input, file: usize, arrays: &Arrays) {
        if arrays.ids.is_empty() {
            return;
        }
        let Ok(mut text) = input.utf8(std::sync::Arc::default(), &std::sync::Arc::new(Heard::default())) else {
            return;
        };
        let mut head = Vec::new();
        let _ = text.by_ref().take(HEAD).read_to_end(&mut head);
        let start = String::from_utf8_lossy(&head);
        if !begins(&start) || !arrays.marks.iter().any(|mark| start.contains(mark)) {
            return;
        }
        let shape = Shape::of(&head, &arrays.all);
        if !matches!(shape, Shape::Within(_)) {
            return;
        }
        let mut elements = Elements::new(std::io::Cursor::new(head).chain(text), shape);
        let mut number = 0;
        while let Ok(Some(element)) = elements.next() {
            let rank = arrays.rank(element.route);
            if rank > 0
                && let Some(id) = id(&element.text, &arrays.ids)
            {
                let fate = if rank == 2 { Fate::Removed } else { Fate::Modified };
                let at = (file, rank, number);
                let last = self.last.entry(id).or_insert((at, fate));
                if at >= last.0 {
                    *last = (at, fate);
                }
            }
            number += 1;
        }
    }

    /// What becomes of an object of this id, the so many-th of its file.
    pub(crate) fn fate(&self, id: &[u8], file: usize, arrays: &Arrays, route: usize, number: u64) -> Fate {
        match self.last.get(id) {
            Some((at, fate)) if *at > (file, arrays.rank(route), number) => *fate,
            _ => Fate::Stands,
        }
    }
}

fn id(object: &[u8], names: &[String]) -> Option<Vec<u8>> {
    let object: Value = serde_json::from_slice(object).ok()?;
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.trim().as_bytes().to_vec()),
        Value::Number(number) => Some(number.to_string().into_bytes()),
        _ => None,
    };
    // What is taken back may be named by its id alone.
    text(&object).or_else(|| names.iter().find_map(|name| text(object.get(name)?)))
}
