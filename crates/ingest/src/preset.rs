//! A feed's format as data. Adding a CSV feed is adding a TOML file to `presets/`; the README lists its keys.

mod builtin;
mod check;
mod error;
mod locate;
mod mapping;
mod meaning;
mod names;
mod presets;
mod rows;
mod statement;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::formats::Format;
use crate::payee::Rules;

pub(crate) use crate::value::amount::Style;
pub use error::PresetError;
pub use mapping::Mapping;
pub(crate) use meaning::Meaning;
pub(crate) use names::{Names, Vocabulary, currency_in, first_of};
pub use presets::{Presets, feeds};
pub(crate) use rows::{Evidence, Known, Signs, Skip};

/// A column: by name, or by position from 0 (for repeated names and files without a header).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Place {
    At(usize),
    Named(String),
}

/// How to read one feed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Preset {
    name: String,
    title: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    licence: String,
    #[serde(default)]
    notes: String,
    /// What a draft leaves to be decided. While there is anything, the preset does not load.
    #[serde(default)]
    undecided: Vec<String>,
    /// Columns that only serve to tell rows apart: they go into the reference and nowhere else.
    #[serde(default)]
    pub(crate) apart: Vec<Place>,
    #[serde(default)]
    pub(crate) file: Shape,
    pub(crate) account: Text,
    pub(crate) time: Time,
    pub(crate) amount: Money,
    pub(crate) currency: Option<Text>,
    pub(crate) counterparty: Option<Text>,
    pub(crate) category: Option<Text>,
    pub(crate) channel: Option<Text>,
    pub(crate) country: Option<Text>,
    pub(crate) position: Option<Coordinates>,
    pub(crate) device: Option<Text>,
    pub(crate) address: Option<Text>,
    pub(crate) balance: Option<Balance>,
    pub(crate) id: Option<Id>,
    pub(crate) label: Option<Labels>,
    #[serde(default)]
    pub(crate) meaning: Meaning,
    /// Rows of the statement that are no transactions.
    #[serde(default)]
    pub(crate) skip: Vec<Skip>,
    /// Set where the files are no tables, so that code of their own reads them.
    #[serde(skip)]
    pub(crate) format: Option<&'static dyn Format>,
    /// What it was parsed from.
    #[serde(skip)]
    toml: Arc<str>,
}

/// What a file of the feed looks like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Shape {
    /// The exact header; several where the feed has several.
    #[serde(default)]
    pub(crate) headers: Vec<Vec<String>>,
    /// Instead of a header: columns that every file has, in any order and among others.
    #[serde(default)]
    pub(crate) has: Vec<String>,
    /// Other names of columns, such as those of other languages, by the name that the rest of the preset uses.
    #[serde(default)]
    pub(crate) aliases: BTreeMap<String, Vec<String>>,
    /// Columns of the headers whose absence says nothing.
    #[serde(default)]
    pub(crate) optional: Vec<String>,
    /// Whether only the header itself is recognised, and none that means the same.
    #[serde(default)]
    pub(crate) exact: bool,
    /// Headers that other feeds have too, so that the feed has to be asked for by name.
    #[serde(default)]
    pub(crate) by_name: Vec<Vec<String>>,
    /// What the rows show of this feed, where other feeds have its header too: any one of these is enough.
    #[serde(default)]
    pub(crate) evidence: Vec<Evidence>,
    /// In JSON: the arrays of transactions within a document, each by the keys that lead to it, joined by points.
    #[serde(default)]
    pub(crate) array: Vec<String>,
    /// In JSON: of those, the arrays whose objects put earlier ones of the same id right …
    #[serde(default)]
    pub(crate) modified: Vec<String>,
    /// … and arrays whose objects name by their id those that are taken back.
    #[serde(default)]
    pub(crate) removed: Vec<String>,
    /// Lines there may be above the header; blank ones do not count.
    #[serde(default)]
    pub(crate) preamble: usize,
    /// Without a header: the number of columns …
    pub(crate) columns: Option<usize>,
    /// … and what the first row must look like.
    #[serde(default)]
    pub(crate) check: Vec<Check>,
    /// Sniffed among `,` `;` `|` and tab where it is not given.
    pub(crate) delimiter: Option<char>,
    /// Cells stand in `="…"`, as the file was found to have them.
    #[serde(skip)]
    pub(crate) formulas: bool,
    /// A row may end in one delimiter too many.
    #[serde(default)]
    pub(crate) trailing_empty: bool,
}

/// One thing that the first row of a headerless file shows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Check {
    pub(crate) column: usize,
    pub(crate) like: Option<Like>,
    pub(crate) equals: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Like {
    Time,
    Amount,
}

/// A text: a column, a constant, or something the file says otherwise.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Text {
    pub(crate) column: Option<Place>,
    /// For an account or counterparty: several columns, joined by one blank.
    #[serde(default)]
    pub(crate) columns: Vec<Place>,
    /// Beside a column: those that stand in for it where it is empty, the first that is not.
    #[serde(default)]
    pub(crate) or: Vec<Place>,
    pub(crate) constant: Option<String>,
    /// Beside a column, what holds for the forms of the feed that lack it.
    pub(crate) from: Option<Origin>,
    /// For `from = "preamble"`: the texts before and behind it. Without them there, the account is the file's name.
    #[serde(default)]
    pub(crate) between: Vec<String>,
    /// For `from = "preamble"`, instead: what the cell says that the account stands beside.
    #[serde(default)]
    pub(crate) beside: Vec<String>,
    /// For a counterparty: the column that names it on an inflow.
    pub(crate) inflow_column: Option<Place>,
    /// For a counterparty: rows of these words have the two columns the other way round.
    pub(crate) turned: Option<Inflow>,
    /// A character that stands around every value and is no part of it.
    pub(crate) strip: Option<char>,
    /// For a currency: codes of those the feed writes out.
    #[serde(default)]
    pub(crate) names: BTreeMap<String, String>,
    /// A file's name ends, for `from = "file-name"`, before the first of these.
    #[serde(default)]
    pub(crate) cut_at: Vec<String>,
    /// Regular expressions of what else in a file's name is no part of the account. Dates, periods, numbers of copies
    /// and random tails never are.
    #[serde(default)]
    pub(crate) drop: Vec<String>,
    /// For a counterparty: the rules that find the payee in a text, by the names of their sets.
    #[serde(default)]
    pub(crate) payee: Vec<String>,
    /// Rules of the preset's own, which go before those of the sets.
    #[serde(default)]
    pub(crate) payee_rules: Rules,
    /// `&amp;` and its like stand for characters.
    #[serde(default)]
    pub(crate) html: bool,
    /// For a counterparty: an account of the same kind as the feed's accounts.
    #[serde(default)]
    pub(crate) is_account: bool,
}

/// Where an account, or a currency, comes from when no column has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Origin {
    /// The file's name without folder and endings, dates, periods and numbers of copies.
    FileName,
    /// The name of the folder that the file is in.
    Folder,
    /// Every row is an account of its own.
    EachRow,
    /// The lines above the header.
    Preamble,
    /// For a currency: the amount's column, which names it as in `Amount (EUR)`.
    Header,
    /// For a currency: each amount, which names its own, as in `12.50 USD`.
    Amount,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Time {
    pub(crate) column: Option<Place>,
    /// Several columns, joined by one blank.
    #[serde(default)]
    pub(crate) columns: Vec<Place>,
    /// A column that, where it holds anything, tells the time more finely.
    pub(crate) finer: Option<Place>,
    /// `iso`, `epoch-seconds`, `epoch-milliseconds`, `excel-serial` or a strftime pattern; the first that fits a value
    /// reads it.
    #[serde(default)]
    pub(crate) formats: Vec<String>,
    /// IANA zone of times that name none; UTC where it is not given.
    pub(crate) zone: Option<String>,
    /// A column that names each row's zone: one of `zones`, or an IANA zone.
    pub(crate) zone_column: Option<Place>,
    /// Abbreviations of zones and the offsets they stand for, such as `PST = "-08:00"`.
    #[serde(default)]
    pub(crate) zones: BTreeMap<String, String>,
    pub(crate) step: Option<Step>,
}

/// Times counted from a stated instant.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Step {
    pub(crate) unit: StepUnit,
    /// The instant of step 0, ISO 8601.
    pub(crate) base: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StepUnit {
    Second,
    Minute,
    Hour,
    Day,
    Month,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Money {
    pub(crate) column: Option<Place>,
    /// Instead of one signed column: what went out …
    pub(crate) debit: Option<Place>,
    /// … and what came in, each by absolute value.
    pub(crate) credit: Option<Place>,
    pub(crate) sign: Option<Sign>,
    pub(crate) format: Option<Style>,
    pub(crate) inflow: Option<Inflow>,
    /// Rows of these words are outflows and all others inflows, whatever their signs. With `inflow` beside it, each row
    /// has to have one of the words.
    pub(crate) outflow: Option<Inflow>,
    /// What comes in, where a file that names the sums of both sides has it: of the rows that `inflow` names.
    pub(crate) received: Option<Received>,
    /// A fee that is not part of the amount and leaves the account with it, by absolute value.
    pub(crate) fee: Option<Place>,
    /// What was paid without the fee, where the amount is with it: the difference is the fee.
    pub(crate) principal: Option<Place>,
    /// Rows whose way is known, by which signs are checked.
    #[serde(default)]
    pub(crate) signs: Signs,
    /// Amounts with a plus come in, as the file was found to have them.
    #[serde(skip)]
    pub(crate) plus_in: bool,
    /// Digits behind the currency's last are rounded, half to even: for simulated and converted amounts.
    #[serde(default)]
    pub(crate) round: bool,
}

/// What came in, beside what the other side sent: another column, and another currency.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Received {
    pub(crate) column: Place,
    pub(crate) currency: Option<Place>,
}

/// What a positive amount is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sign {
    OutflowNegative,
    OutflowPositive,
}

/// Rows of these words are inflows, whatever the sign convention.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Inflow {
    pub(crate) column: Place,
    pub(crate) values: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Coordinates {
    pub(crate) latitude: Place,
    pub(crate) longitude: Place,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Balance {
    pub(crate) column: Place,
    /// Rows of these words have a balance below zero, written without a sign.
    pub(crate) negative: Option<Inflow>,
    pub(crate) when: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum When {
    Before,
    After,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Id {
    pub(crate) column: Place,
    /// Whether two rows that agree in everything, the id included, are one transaction written twice.
    pub(crate) trusted: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Labels {
    pub(crate) column: Place,
    pub(crate) fraud: Vec<String>,
    pub(crate) legitimate: Vec<String>,
    /// Words that say nothing; an empty field never does.
    #[serde(default)]
    pub(crate) unknown: Vec<String>,
}

impl Preset {
    /// A preset from TOML; `origin` names it in errors.
    ///
    /// # Errors
    /// [`PresetError`] where the TOML is no preset, or one that contradicts itself.
    pub fn from_toml(text: &str, origin: &str) -> Result<Self, PresetError> {
        let mut preset: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            PresetError::Toml {
                origin: origin.to_owned(),
                line: locate::line_at(text, at),
                key: locate::key_at(text, at),
                message: error.message().trim_end().to_owned(),
            }
        })?;
        let place = |key: &str| format!("{origin}:{}", locate::line_of(text, key));
        if !preset.undecided.is_empty() {
            let (preset, points) = (preset.name, preset.undecided);
            return Err(PresetError::Undecided { origin: place("undecided"), preset, points });
        }
        preset.check().map_err(|wrong| wrong.at(place(&wrong.key)))?;
        preset.toml = text.into();
        Ok(preset)
    }

    /// The TOML it was made of; nothing for a mapping from the command line.
    pub fn toml(&self) -> &str {
        &self.toml
    }

    /// The feed's name, as `--feed` takes it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, in a few words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Where the format is described or exported.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The licence of the data, where it is a public data set.
    pub fn licence(&self) -> &str {
        &self.licence
    }

    /// What the preset decides that the feed leaves open.
    pub fn notes(&self) -> &str {
        &self.notes
    }

    /// How its files are recognised, in a sentence.
    pub fn recognised_by(&self) -> String {
        if let Some(format) = self.format {
            return format.recognised_by().to_owned();
        }
        match (self.file.headers.as_slice(), self.file.columns) {
            ([], Some(columns)) => {
                let checks: Vec<_> = self.file.check.iter().map(Check::described).collect();
                format!("no header, {columns} columns: {}", checks.join(", "))
            }
            ([], None) if !self.file.array.is_empty() => {
                let (arrays, has) = (self.file.array.join(" or "), self.file.has.join(","));
                format!("JSON objects at {arrays}, among whose keys are: {has}")
            }
            ([], None) if !self.file.has.is_empty() => {
                format!("columns among its header's: {}", self.file.has.join(","))
            }
            ([], None) => "by name only".to_owned(),
            (headers, _) => {
                let columns: Vec<_> = headers.iter().map(|header| header.join(",")).collect();
                format!("its header: {}", columns.join(" or "))
            }
        }
    }

    /// What its files are: `table` for CSV of any delimiter and what else has columns, else the format's name.
    pub fn kind(&self) -> &'static str {
        self.format.map_or("table", |format| format.feed())
    }

    /// The same for a table whose values have types.
    pub(crate) fn typed(&self) -> Self {
        let mut typed = self.clone();
        let formats = &mut typed.time.formats;
        if !formats.is_empty() && !formats.iter().any(|format| format == "iso") {
            formats.push("iso".to_owned());
        }
        typed
    }

    /// Whether it was made of columns that the user named.
    pub(crate) fn is_mapping(&self) -> bool {
        self.forms().next().is_none() && self.file.has.is_empty() && self.format.is_none()
    }

    /// Every header the feed is known to have.
    pub(crate) fn forms(&self) -> impl Iterator<Item = &Vec<String>> {
        self.file.headers.iter().chain(&self.file.by_name)
    }

    /// Whether some form of the feed does without a column.
    pub(crate) fn may_lack(&self, place: &Place) -> bool {
        let Place::Named(name) = place else { return false };
        let lacks = |header: &Vec<String>| self.count(header, name) == 0;
        self.forms().any(lacks) || (!self.file.has.is_empty() && lacks(&self.file.has))
    }

    /// How many columns of a header have a name, or one that stands for it. What has the name itself goes before
    /// others.
    pub(crate) fn count(&self, header: &[String], name: &str) -> usize {
        let named = header.iter().filter(|column| *column == name).count();
        let others = self.file.aliases.get(name).map_or(&[][..], Vec::as_slice);
        let other = || header.iter().any(|column| others.contains(column));
        if named == 0 { usize::from(other()) } else { named }
    }

    #[cfg(test)]
    fn has_signature(&self) -> bool {
        let file = &self.file;
        !(file.headers.is_empty() && file.has.is_empty() && file.by_name.is_empty()) || file.columns.is_some()
    }
}

impl Check {
    fn described(&self) -> String {
        let what = match (&self.equals, self.like) {
            (Some(text), _) => format!("`{text}`"),
            (None, Some(Like::Amount)) => "an amount".to_owned(),
            (None, _) => "a date".to_owned(),
        };
        format!("column {} is {what}", self.column + 1)
    }
}
