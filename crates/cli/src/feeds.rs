//! `crible feeds`: which feeds are read, what a file is taken for, and presets of one's own.

mod check;
mod draft;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use crible_ingest::{Mapped, Presets};

use crate::args::{FeedsArgs, FeedsCommand};
use crate::setup::presets;

pub(crate) fn run(args: &FeedsArgs) -> Result<ExitCode> {
    match &args.command {
        Some(FeedsCommand::Check(args)) => return check::run(args),
        Some(FeedsCommand::New(args)) => draft::run(args)?,
        None => {
            let presets = presets(args.presets.as_deref())?;
            let text = match &args.name {
                Some(name) => one(&presets, name, args.toml)?,
                None => list(&presets),
            };
            io::stdout().lock().write_all(text.as_bytes())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(presets: &Presets) -> String {
    let rows = presets.iter().map(|preset| [preset.name(), preset.kind(), preset.title(), preset.source()]);
    let rows: Vec<_> = rows.map(|row| row.map(str::to_owned)).collect();
    let mut text = columns("", &[["feed", "format", "title", "source"].map(str::to_owned)], &rows);
    text.push_str("\ncrible feeds NAME shows one in full.\n");
    text
}

fn one(presets: &Presets, name: &str, toml: bool) -> Result<String> {
    let known = || presets.iter().map(|preset| preset.name().to_owned()).collect();
    let preset =
        presets.get(name).ok_or_else(|| crible_ingest::Error::UnknownFeed { name: name.to_owned(), known: known() })?;
    if toml {
        return Ok(format!("{}\n", preset.toml().trim_end()));
    }
    let mut text = format!("{}\n", preset.name());
    let facts = [
        ("title", preset.title().to_owned()),
        ("format", preset.kind().to_owned()),
        ("source", preset.source().to_owned()),
        ("licence", preset.licence().to_owned()),
        ("recognised by", preset.recognised_by()),
    ];
    let facts: Vec<_> =
        facts.into_iter().filter(|(_, fact)| !fact.is_empty()).map(|(name, fact)| [name.to_owned(), fact]).collect();
    text.push_str(&columns("  ", &[], &facts));
    text.push_str("  fields\n");
    text.push_str(&fields(&preset.mapping()));
    for note in preset.notes().lines().filter(|note| !note.trim().is_empty()) {
        text.push_str(&format!("  {}\n", note.trim()));
    }
    Ok(text)
}

/// Canonical fields, each with the columns it is made of.
fn fields(mapping: &[Mapped]) -> String {
    let rows: Vec<_> = mapping
        .iter()
        .map(|mapped| {
            let from =
                if mapped.columns.is_empty() { String::new() } else { format!("← {}", mapped.columns.join(", ")) };
            [mapped.field.to_owned(), from, mapped.how.clone()]
        })
        .collect();
    columns("    ", &[], &rows)
}

/// Rows in columns as wide as they have to be.
fn columns<const N: usize>(indent: &str, head: &[[String; N]], rows: &[[String; N]]) -> String {
    // A line break within a cell would begin another row.
    let plain = |row: &[String; N]| row.each_ref().map(|cell| crible_ingest::plain(cell).into_owned());
    let (head, rows): (Vec<_>, Vec<_>) = (head.iter().map(plain).collect(), rows.iter().map(plain).collect());
    let rows = || head.iter().chain(&rows);
    let width = |at: usize| rows().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows() {
        let mut line = indent.to_owned();
        for (cell, &width) in row.iter().zip(&widths).filter(|(_, width)| **width > 0) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crible_ingest::Preset;

    #[test]
    fn columns_line_up_and_empty_ones_take_no_room() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        let text = columns(" ", &[row(["a", "", "c"])], &[row(["ä€x", "", "1"]), row(["", "", "2"])]);
        assert_eq!(text, " a    c\n ä€x  1\n      2\n");
    }

    #[test]
    fn every_feed_is_listed_and_can_be_shown() {
        let presets = Presets::builtin();
        let all = list(&presets);
        for preset in presets.iter() {
            assert!(all.lines().any(|line| line.split_whitespace().next() == Some(preset.name())), "{}", preset.name());
            let shown = one(&presets, preset.name(), false).unwrap();
            for field in ["account", "time", "amount", "currency"] {
                assert!(shown.lines().any(|line| line.trim_start().starts_with(field)), "{field}: {shown}");
            }
            let toml = one(&presets, preset.name(), true).unwrap();
            assert_eq!(Preset::from_toml(&toml, "shown").unwrap().name(), preset.name());
        }
        assert!(one(&presets, "no-such-feed", false).is_err());
    }
}
