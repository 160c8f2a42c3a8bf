//! The feeds that an unknown header comes nearest to.

use super::header::{Comparer, Near};
use crate::preset::Presets;

/// Feeds listed at most.
const LISTED: usize = 3;

/// The presets nearest to a header, and what differs; `headers` are the ways to cut it.
pub(super) fn nearest(presets: &Presets, headers: &[Vec<String>]) -> Vec<String> {
    let comparer = Comparer::new(presets);
    let mut best: Vec<Near<'_>> = Vec::new();
    for near in headers.iter().flat_map(|header| comparer.all(header)) {
        match best.iter_mut().find(|known| known.preset.name() == near.preset.name()) {
            Some(known) if known.nearness < near.nearness => *known = near,
            Some(_) => {}
            None => best.push(near),
        }
    }
    best.sort_by(|a, b| b.nearness.total_cmp(&a.nearness).then_with(|| a.preset.name().cmp(b.preset.name())));
    let described = |near: Near<'_>| format!("{} ({})", near.preset.name(), near.differs.described());
    best.into_iter().take(LISTED).map(described).collect()
}
