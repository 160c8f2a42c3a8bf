use std::io::{self, Write};

use anyhow::Result;

use crate::args::FeedsArgs;
use crate::score::presets;

pub(crate) fn run(args: &FeedsArgs) -> Result<()> {
    let mut out = io::stdout().lock();
    for preset in presets(args.presets.as_deref())?.iter() {
        writeln!(out, "{}\n  {}\n  recognised by {}", preset.name(), preset.title(), preset.recognised_by())?;
        for note in preset.notes().lines().filter(|note| !note.trim().is_empty()) {
            writeln!(out, "  {}", note.trim())?;
        }
    }
    Ok(())
}
