//! Every fixture of a feed, row by row, and that each feed has enough of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crible_ingest::{Options, feeds};

use crate::common::{fixture, import, options, told};

/// Fixtures that a feed has at least.
const AT_LEAST: usize = 3;

/// What a fixture holds, as `expected.txt` has it: its name, the feed that it has to be asked for by where its header
/// alone does not tell, transactions, `!` rejects and `#` warnings.
struct Section {
    file: String,
    feed: String,
    named: bool,
    rows: Vec<String>,
    rejects: Vec<String>,
    warnings: Vec<String>,
}

fn sections() -> Vec<Section> {
    let text = fs::read_to_string(fixture("expected.txt")).unwrap();
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(head) = line.strip_prefix("== ") {
            let (file, feed) = head.rsplit_once(" as ").unwrap();
            let (feed, named) = feed.strip_suffix(", by name").map_or((feed, false), |feed| (feed, true));
            let (file, feed) = (file.to_owned(), feed.to_owned());
            sections.push(Section { file, feed, named, rows: vec![], rejects: vec![], warnings: vec![] });
            continue;
        }
        let last = sections.last_mut().unwrap();
        let (list, line) = match line.split_at(2) {
            ("! ", line) => (&mut last.rejects, line),
            ("# ", line) => (&mut last.warnings, line),
            _ => (&mut last.rows, line),
        };
        list.push(line.to_owned());
    }
    sections
}

/// Reads a fixture and tells what it holds in the words of its section.
fn read(section: &Section, names: &[&str]) -> (String, Vec<String>, Vec<String>, Vec<String>) {
    let feed = section.named.then(|| section.feed.clone());
    let (import, rejects) = import(&[fixture(&section.file)], &Options { feed, ..options() }).unwrap();
    let mut rows: Vec<(u64, String)> = told(&import.batch, names)
        .into_iter()
        .map(|row| (row.rsplit(' ').next().unwrap().parse().unwrap(), row))
        .collect();
    rows.sort();
    let reject = |r: &crible_ingest::Reject| {
        format!("{} line {} {} `{}`: {}", r.row, r.line, r.column, r.value.escape_debug(), r.reason)
    };
    let file = &import.files[0];
    let rows = rows.into_iter().map(|(_, row)| row.replace('\n', "\\n")).collect();
    (file.feed.clone(), rows, rejects.iter().map(reject).collect(), file.warnings.clone())
}

#[test]
fn every_row_of_every_fixture_is_as_expected() {
    let sections = sections();
    assert!(sections.len() > 60, "{}", sections.len());
    let mut wrong = String::new();
    for section in sections {
        // Accounts and counterparties are pseudonyms: they are those of the names that the rows are expected to have.
        let parts =
            section.rows.iter().flat_map(|row| row.split(" | ").skip(1).step_by(2).take(2)).collect::<BTreeSet<_>>();
        let names: Vec<&str> = parts.into_iter().collect();
        let (feed, rows, rejects, warnings) = read(&section, &names);
        let same_rejects = rejects.len() == section.rejects.len()
            && rejects.iter().zip(&section.rejects).all(|(found, expect)| found.starts_with(expect));
        if feed != section.feed || rows != section.rows || !same_rejects || warnings != section.warnings {
            let by_name = if section.named { ", by name" } else { "" };
            wrong.push_str(&format!("== {} as {feed}{by_name}\n", section.file));
            rows.iter().for_each(|row| wrong.push_str(&format!("{row}\n")));
            rejects.iter().for_each(|reject| wrong.push_str(&format!("! {reject}\n")));
            warnings.iter().for_each(|warning| wrong.push_str(&format!("# {warning}\n")));
            wrong.push('\n');
        }
    }
    assert!(wrong.is_empty(), "these are read otherwise than expected:\n{wrong}");
}

/// The fixtures of each feed, as the README's tables list them in their last column.
fn listed() -> BTreeMap<String, (String, Vec<String>)> {
    let readme = fs::read_to_string(fixture("../../README.md")).unwrap();
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let files = cells.last()?.split(", ").map(|file| file.trim_matches('`').to_owned()).collect();
        Some((cells.first()?.trim_matches('`').to_owned(), (line.to_owned(), files)))
    })
    .collect()
}

#[test]
fn every_feed_has_three_fixtures_and_a_source_in_the_readme() {
    let listed = listed();
    let mut known = BTreeSet::new();
    for preset in feeds() {
        // Statements have a table and fixtures of their own.
        if !fixture(&format!("../../presets/{}.toml", preset.name())).exists() {
            continue;
        }
        let (row, files) = listed.get(preset.name()).unwrap_or_else(|| panic!("no row for {}", preset.name()));
        assert!(
            row.contains(preset.source()),
            "{}: the README does not have its source, {}",
            preset.name(),
            preset.source()
        );
        let files: BTreeSet<&String> = files.iter().collect();
        assert!(
            files.len() >= AT_LEAST,
            "{} has {} fixtures; expected at least {AT_LEAST}",
            preset.name(),
            files.len()
        );
        for file in files {
            assert!(known.insert(file.clone()), "{file} is listed twice");
            let (import, _) = import(&[fixture(file)], &options())
                .or_else(|_| import(&[fixture(file)], &Options { feed: Some(preset.name().to_owned()), ..options() }))
                .unwrap();
            assert_eq!(import.files[0].feed, preset.name(), "{file}");
        }
    }
    let expected: BTreeSet<String> = sections().into_iter().map(|section| section.file).collect();
    let missing: Vec<_> = expected.difference(&known).collect();
    assert!(missing.is_empty(), "in no row of the README: {missing:?}");
}
