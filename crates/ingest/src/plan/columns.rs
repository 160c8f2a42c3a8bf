//! The columns of a file, as the file calls them and as a preset does.

use crate::preset::Place;
use crate::value::text::fold;

/// Which column of a file is which of a preset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    /// As the file calls them, for messages.
    pub(crate) names: Vec<String>,
    /// As the preset calls them, where the two differ.
    known: Option<Vec<String>>,
    /// Where each position of the preset's header stands in the file, where they differ.
    positions: Option<Vec<Option<usize>>>,
    /// Whether columns may be missing that no transaction needs, although every known form of the feed has them.
    pub(crate) lenient: bool,
}

/// Where a place is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Located {
    At(usize),
    Nowhere,
    /// Two columns have the name.
    Twice(usize, usize),
}

impl From<Vec<String>> for Columns {
    /// The columns of a file that has the preset's own names.
    fn from(names: Vec<String>) -> Self {
        Self { names, ..Self::default() }
    }
}

impl Columns {
    /// Columns that a preset knows by other names and at other positions.
    pub(crate) fn matched(names: Vec<String>, known: Vec<String>, positions: Option<Vec<Option<usize>>>) -> Self {
        Self { names, known: Some(known), positions, lenient: true }
    }

    /// As the preset calls them.
    pub(crate) fn known(&self) -> &[String] {
        self.known.as_ref().unwrap_or(&self.names)
    }

    /// The same with more columns behind them, by the preset's names.
    pub(crate) fn and(mut self, more: &[String]) -> Self {
        self.names.extend_from_slice(more);
        if let Some(known) = &mut self.known {
            known.extend_from_slice(more);
        }
        self
    }

    /// The column of a name that is spelled otherwise: case, blanks and accents say nothing.
    fn spelled(&self, name: &str) -> Located {
        let folded = fold(name);
        let mut found = self.known().iter().enumerate().filter(|(_, column)| fold(column) == folded);
        match (found.next().filter(|_| !folded.is_empty()), found.next()) {
            (Some((at, _)), None) => Located::At(at),
            (None, _) => Located::Nowhere,
            (Some((first, _)), Some((second, _))) => Located::Twice(first, second),
        }
    }

    pub(crate) fn find(&self, place: &Place) -> Located {
        match place {
            Place::At(at) => match &self.positions {
                Some(positions) => positions.get(*at).copied().flatten().map_or(Located::Nowhere, Located::At),
                None if *at < self.names.len() => Located::At(*at),
                None => Located::Nowhere,
            },
            Place::Named(name) => {
                let mut found = self.known().iter().enumerate().filter(|(_, column)| *column == name);
                match (found.next(), found.next()) {
                    (Some((at, _)), None) => Located::At(at),
                    (None, _) => self.spelled(name),
                    (Some((first, _)), Some((second, _))) => Located::Twice(first, second),
                }
            }
        }
    }
}
