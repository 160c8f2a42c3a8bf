//! What the rows of a file say besides what they are.

use crate::build::Fields;
use crate::meaning::{PENDING, REFUND, REVERSAL, TRANSFER};
use crate::preset::{Inflow, Meaning, Place};
use crate::value::text::is_same;

/// Columns to read that from.
#[derive(Clone, Debug, Default)]
pub(crate) struct AnnotationColumns {
    /// A mark, the column, and the words there that give it.
    marks: Vec<(u8, usize, Vec<Vec<u8>>)>,
    /// Column of the id of the transaction that is taken back.
    pub(crate) original: Option<usize>,
    /// Column of the id of the transaction that this one replaces.
    pub(crate) replaces: Option<usize>,
}

impl AnnotationColumns {
    /// `find` gives the number of a column, or nothing where the file lacks it.
    pub(super) fn new<E>(meaning: &Meaning, find: impl Fn(&Place) -> Result<Option<usize>, E>) -> Result<Self, E> {
        let mut says = Self::default();
        for (mark, words) in [
            (PENDING, &meaning.pending),
            (REVERSAL, &meaning.reversal),
            (REFUND, &meaning.refund),
            (TRANSFER, &meaning.transfer),
        ] {
            if let Some(Inflow { column, values }) = words
                && let Some(at) = find(column)?
            {
                says.marks.push((mark, at, values.iter().map(|value| value.clone().into_bytes()).collect()));
            }
        }
        let place = |place: &Option<Place>| place.as_ref().map_or(Ok(None), &find);
        says.original = place(&meaning.original)?;
        says.replaces = place(&meaning.replaces)?;
        Ok(says)
    }

    /// Whether any row may be marked.
    pub(crate) fn marks(&self) -> bool {
        !self.marks.is_empty()
    }

    /// Whether any row may name another.
    pub(crate) fn links(&self) -> bool {
        self.original.is_some() || self.replaces.is_some()
    }

    /// What a row is said to be.
    pub(crate) fn of(&self, fields: &impl Fields) -> u8 {
        self.marks.iter().fold(0, |marks, (mark, at, words)| {
            let word = fields.get(*at).trim_ascii();
            let is = words.iter().any(|known| is_same(known, word));
            if is { marks | mark } else { marks }
        })
    }

    pub(super) fn used(&self) -> impl Iterator<Item = usize> + '_ {
        self.marks.iter().map(|(_, at, _)| *at).chain(self.original).chain(self.replaces)
    }
}
