//! A preset drafted from a file: every guess with its reason, what nothing in the file decides marked as such.

mod column;
mod money;
mod parties;
mod roles;
mod table;
mod times;
mod toml;
mod words;

use std::path::Path;

use crate::error::Error;
use crate::input::Input;

use table::Table;

/// A drafted preset.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Draft {
    /// The preset, commented. It loads where `undecided` is empty, and else says what is to be decided.
    pub toml: String,
    /// Its name.
    pub name: String,
    /// Canonical fields it fills.
    pub fields: usize,
    /// What nothing in the file decides, each point named by the key it is about.
    pub undecided: Vec<String>,
}

/// How sure a guess is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sure {
    /// The values allow nothing else.
    Certain,
    /// Names and values agree.
    Likely,
    /// Something had to be taken.
    Guess,
    /// Nothing tells, and a wrong choice would go unnoticed.
    Undecided,
}

impl Sure {
    fn described(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Guess => "a guess",
            Self::Undecided => "UNDECIDED",
        }
    }
}

/// Something made out, and why.
#[derive(Clone, Debug)]
struct Guess<T> {
    what: T,
    sure: Sure,
    why: String,
}

impl<T> Guess<T> {
    fn new(what: T, sure: Sure, why: impl Into<String>) -> Self {
        Self { what, sure, why: why.into() }
    }
}

/// Drafts a preset from the first rows of a table of text. The draft holds column names, and words of columns that have
/// few of them; of other values it shows a first time and no more.
///
/// # Errors
/// [`Error`] where the file cannot be read, or is no table with rows.
pub fn draft(path: &Path, name: Option<&str>) -> Result<Draft, Error> {
    let input = Input::file(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    of(&input, name)
}

pub(crate) fn of(input: &Input, name: Option<&str>) -> Result<Draft, Error> {
    let table = Table::of(input)?;
    let name = name.map_or_else(|| slug(&input.path), str::to_owned);
    let roles = roles::find(&table);
    Ok(toml::write(&name, &table, &roles))
}

/// A name for a preset from a file's name. Its digits are left out: they are of one account or one day.
fn slug(path: &Path) -> String {
    let stem = crate::plan::file_stem(path).to_lowercase();
    let words: Vec<&str> = stem.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "draft".to_owned() } else { words.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_number_of_an_account() {
        for (file, expect) in [
            ("in/Chase7788_Activity_20240630.CSV", "chase-activity"),
            ("12345.csv.gz", "draft"),
            ("Ma Banque (2).csv", "ma-banque"),
        ] {
            assert_eq!(slug(Path::new(file)), expect);
        }
    }
}
