//! Where the texts of a row come from, and whom they name.

use std::borrow::Cow;

use crible_core::EntityId;

use super::{Fields, Keys};
use crate::mask::names_party;
use crate::plan::{Plan, TextSource};
use crate::value::text;
use crate::worker::Known;

pub(super) fn source_text<'f>(source: &'f TextSource, fields: &'f impl Fields, joined: &'f mut Vec<u8>) -> &'f [u8] {
    match source {
        TextSource::Column { at, strip, .. } => text::whole(text::strip(fields.get(*at).trim_ascii(), *strip)),
        TextSource::First(columns) => {
            let texts = columns.iter().map(|&column| text::whole(fields.get(column).trim_ascii()));
            texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
        }
        TextSource::Joined(columns) => {
            joined.clear();
            for (place, &column) in columns.iter().enumerate() {
                let part = text::whole(fields.get(column).trim_ascii());
                // The first column is the one that names; the others only say which of that name.
                if place == 0 && part.is_empty() {
                    return b"";
                }
                if place > 0 {
                    joined.push(b' ');
                }
                joined.extend_from_slice(part);
            }
            joined
        }
        TextSource::Constant(text) => text,
        TextSource::EachRow => b"",
    }
}

pub(super) fn source_column(source: &TextSource) -> Option<usize> {
    match source {
        TextSource::Column { at, .. } => Some(*at),
        TextSource::First(columns) | TextSource::Joined(columns) => columns.first().copied(),
        _ => None,
    }
}

/// A text with its HTML entities undone, where its column has any.
pub(super) fn plain<'r>(source: &TextSource, raw: &'r [u8]) -> Cow<'r, [u8]> {
    match source {
        TextSource::Column { html: true, .. } => text::unescape_html(raw),
        _ => Cow::Borrowed(raw),
    }
}

pub(super) fn entity(source: &TextSource, raw: &[u8], known: &mut Known, keys: &Keys) -> EntityId {
    named(&plain(source, raw), known, keys)
}

pub(super) fn named(plain: &[u8], known: &mut Known, keys: &Keys) -> EntityId {
    let entity = known.entity(plain, &keys.pseudonyms);
    if let Some(seek) = &keys.seek {
        seek.see(entity, plain);
    }
    entity
}

/// Whether a feed's word has the row's account or counterparty in it.
pub(super) fn names_entity(plan: &Plan, word: &[u8], fields: &impl Fields) -> bool {
    plan.parties[..plan.entities].iter().any(|&at| names_party(word, fields.get(at).trim_ascii()))
}
