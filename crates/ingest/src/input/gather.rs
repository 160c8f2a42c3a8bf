//! What a user names, and the inputs that it means: files, folders, patterns, standard input, archives.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::archive::{self, Wrapped};
use super::{Input, MAX_HELD, STDIN};
use crate::error::Error;
use crate::mask::shown_paths;

/// Endings of files that are read from folders and archives without being named.
const ENDINGS: &[&str] = &[
    "csv", "tsv", "psv", "txt", "dat", "json", "jsonl", "ndjson", "xlsx", "parquet", "arrow", "arrows", "ipc",
    "feather", "ofx", "qfx", "qif", "xml", "sta", "mt940", "mt942", "940", "942", "bai", "bai2", "iso87", "iso93",
    "iso8583", "zip", "gz", "zst",
];

/// Names in a note at most.
const LISTED: usize = 5;

/// What was found.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// In the order of their names.
    pub(crate) inputs: Vec<Input>,
    /// What was passed over.
    pub(crate) notes: Vec<String>,
    pub(crate) errors: Vec<Error>,
    /// Bytes of archives within archives that may still be held.
    left: u64,
}

impl Default for Gathered {
    fn default() -> Self {
        Self { inputs: Vec::new(), notes: Vec::new(), errors: Vec::new(), left: MAX_HELD }
    }
}

/// The inputs that names stand for. A file that is named and found in a folder as well is one input.
pub(crate) fn gather(named: &[PathBuf]) -> Gathered {
    let mut gathered = Gathered::default();
    let (mut files, mut found) = (Vec::new(), BTreeSet::new());
    for name in named {
        gathered.expand(name, &mut files, &mut found);
    }
    found.retain(|path| !files.contains(path));
    files.extend(found);
    for path in files {
        let from = if path == Path::new("-") { Input::pipe(Path::new(STDIN), io::stdin()) } else { Input::file(&path) };
        match from {
            Ok(input) => gathered.take(input),
            Err(source) => gathered.errors.push(Error::Io { path, source }),
        }
    }
    gathered.named()
}

/// The inputs of what would be one file and is in memory.
pub(crate) fn gather_bytes(name: &Path, bytes: Vec<u8>) -> Gathered {
    let mut gathered = Gathered::default();
    gathered.take(Input::made(name, bytes));
    gathered.named()
}

/// The files on disk that names stand for: those named, those within folders, and those that patterns fit. What cannot
/// be found is left out; it is an error when it is read.
pub fn files(named: &[PathBuf]) -> Vec<PathBuf> {
    let mut gathered = Gathered::default();
    let (mut files, mut found) = (Vec::new(), BTreeSet::new());
    for name in named {
        gathered.expand(name, &mut files, &mut found);
    }
    found.extend(files);
    found.into_iter().filter(|path| path != Path::new("-")).collect()
}

/// A path without the ending of a compression, so that a compressed copy stands where its original does.
fn plain(path: &Path) -> PathBuf {
    let is_packed = |ending: &std::ffi::OsStr| ending.eq_ignore_ascii_case("gz") || ending.eq_ignore_ascii_case("zst");
    if path.extension().is_some_and(is_packed) { path.with_extension("") } else { path.to_owned() }
}

impl Gathered {
    /// The same in order, each input shown as no other is.
    fn named(mut self) -> Self {
        self.inputs.sort_by(|a, b| (plain(&a.path), &a.path).cmp(&(plain(&b.path), &b.path)));
        let shown = shown_paths(self.inputs.iter().map(|input| input.path.as_path()));
        for (input, shown) in self.inputs.iter_mut().zip(shown) {
            input.shown = shown.into();
        }
        self
    }

    /// The file that a name is, or those found where it leads.
    fn expand(&mut self, name: &Path, files: &mut Vec<PathBuf>, found: &mut BTreeSet<PathBuf>) {
        if name == Path::new("-") {
            // There is one, however often it is named.
            found.insert(name.to_owned());
            return;
        }
        match std::fs::metadata(name) {
            Ok(meta) if meta.is_dir() => {
                let (mut data, mut odd) = (Vec::new(), Vec::new());
                self.walk(name, &mut data, &mut odd);
                note(&mut odd, &mut self.notes);
                if data.is_empty() {
                    let reason = "there is no data file in the folder".to_owned();
                    self.errors.push(Error::Refused { path: name.to_owned(), reason });
                }
                found.extend(data);
            }
            Ok(_) => files.push(name.to_owned()),
            Err(source) => match self.pattern(name) {
                Some(fits) => found.extend(fits),
                None => self.errors.push(Error::Io { path: name.to_owned(), source }),
            },
        }
    }

    /// The files that a pattern fits, where it is one and fits any. Folders among them are walked.
    fn pattern(&mut self, name: &Path) -> Option<BTreeSet<PathBuf>> {
        let text = name.to_str().filter(|text| text.contains(['*', '?', '[']))?;
        let (mut files, mut found) = (Vec::new(), BTreeSet::new());
        let hidden = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
        for path in glob::glob_with(text, hidden).ok()? {
            match path {
                Ok(path) => self.expand(&path, &mut files, &mut found),
                Err(error) => {
                    let path = error.path().to_owned();
                    self.errors.push(Error::Io { path, source: error.into() });
                }
            }
        }
        found.extend(files);
        (!found.is_empty()).then_some(found)
    }

    /// The data files of a folder and of the folders in it, in the order of their names. A link to a folder is not
    /// followed: it may lead back.
    fn walk(&mut self, folder: &Path, found: &mut Vec<PathBuf>, odd: &mut Vec<PathBuf>) {
        let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(source) => return self.errors.push(Error::Io { path: folder.to_owned(), source }),
        };
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_hidden(&path) || (!is_folder && (path.is_dir() || !is_data(&path))) {
                odd.push(path);
            } else if is_folder {
                self.walk(&path, found, odd);
            } else {
                found.push(path);
            }
        }
    }

    /// Takes an input, or the members of one that is an archive.
    fn take(&mut self, input: Input) {
        match input.magic(4) {
            Ok(head) if Wrapped::begins(&head) => match archive::members(input, &mut self.notes) {
                Ok(members) => members.into_iter().for_each(|member| self.take_member(member)),
                Err(error) => self.errors.push(error),
            },
            // What cannot be read is told of where it is read.
            _ => self.inputs.push(input),
        }
    }
}

impl Gathered {
    /// Takes a member of an archive, or the members of one that is an archive itself. Further in there is none.
    fn take_member(&mut self, member: Input) {
        let is_archive = member.is_member() && member.magic(4).is_ok_and(|head| Wrapped::begins(&head));
        if !is_archive {
            return self.inputs.push(member);
        }
        match member.unwrapped(self.left).and_then(|inner| archive::members(inner, &mut self.notes)) {
            Ok(members) => {
                // All of them share what is held.
                self.left = self.left.saturating_sub(members.first().map_or(0, Input::held));
                self.inputs.extend(members);
            }
            Err(error) => self.errors.push(error),
        }
    }
}

/// Says in one note which files were passed over.
pub(super) fn note(odd: &mut [PathBuf], notes: &mut Vec<String>) {
    if odd.is_empty() {
        return;
    }
    odd.sort();
    let named: Vec<String> = odd.iter().take(LISTED).map(|path| crate::mask::shown_path(path)).collect();
    let more = match odd.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let files = if odd.len() == 1 { "1 file".to_owned() } else { format!("{} files", odd.len()) };
    notes.push(format!(
        "passed over {files}, hidden or of no known data format by the name: {}{more}",
        named.join(", ")
    ));
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Whether a file that nobody named is one of data, by its name.
fn is_data(path: &Path) -> bool {
    let ending = |path: &Path| path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let known = |ending: &String| ENDINGS.contains(&ending.as_str());
    match ending(path) {
        _ if is_hidden(path) => false,
        Some(packed) if packed == "gz" || packed == "zst" => {
            path.file_stem().and_then(|stem| ending(Path::new(stem))).is_none_or(|inner| known(&inner))
        }
        Some(plain) => known(&plain),
        None => false,
    }
}

/// The same of a member of an archive, of which the folders that it lies in tell too.
pub(super) fn is_member(name: &Path) -> bool {
    let hidden = name.components().any(|part| {
        let part = part.as_os_str().to_string_lossy();
        part == "__MACOSX" || (part.starts_with('.') && part != "." && part != "..")
    });
    !hidden && is_data(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_files_are_known_by_their_endings() {
        let check = |path: &str, expect: bool| assert_eq!(is_member(Path::new(path)), expect, "{path}");
        for name in
            ["a.csv", "a.CSV", "a.csv.gz", "a.jsonl.zst", "a.gz", "b/a.xlsx", "../a.csv", "./a.csv", "a.sta", "a.zip"]
        {
            check(name, true);
        }
        for name in
            ["a", "a.pdf", "a.tar.gz", ".a.csv", ".git/a.csv", "__MACOSX/a.csv", "a.exe.zst", "README.md", ".gz"]
        {
            check(name, false);
        }
        assert!(is_data(Path::new("/home/.cache/a.csv")), "where the user's own folder lies tells nothing");
    }
}
