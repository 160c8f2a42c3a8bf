//! A labelled set of transactions: a file of a folder, or a simulated population.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use crible_core::{Batch, Meaning, Timestamp, Truth};
use crible_eval::metrics::MetricError;
use crible_eval::panel::{ACCOUNTS_A_PLACE, Found, Judged, split};
use crible_eval::simulate::{Scenario, Simulation};
use crible_ingest::{Import, Mapping, Options, Presets};
use serde::Deserialize;

use super::file_of;
use super::report::Baseline;
use crate::held::read;
use crate::progress::Stages;

/// What a folder of sets says of them.
pub(super) const MANIFEST: &str = "manifest.json";

/// Figures of other methods on the sets of a folder, where it has them.
const BASELINES: &str = "baselines.json";

/// A simulated population: so many accounts over so many days, of which so large a share is fraud.
const ACCOUNTS: u32 = 1_500;
const DAYS: u32 = 90;
const FRAUD_RATE: f64 = 0.002;

/// What the manifest says of a set.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct About {
    columns: Vec<String>,
    /// Whether counterparties are accounts.
    #[serde(default)]
    cp_is_account: bool,
    /// When the balance is taken, where it means anything: `before` or `after`.
    balance: Option<String>,
}

/// Figures of a method, in the words of the file.
#[derive(Debug, Deserialize)]
struct Figures {
    auc: f64,
    ap: f64,
    recall: f64,
}

/// Where a set comes from.
#[derive(Clone, Debug)]
pub(super) enum Place {
    File { folder: PathBuf, path: PathBuf, name: String, about: Box<About> },
    Simulated(Scenario),
}

/// The sets of a folder, in order of their names.
pub(super) fn of_folder(folder: &Path) -> Result<Vec<Place>> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let all: BTreeMap<String, About> = serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
    if all.is_empty() {
        bail!("{} names no set", path.display());
    }
    let place = |(name, about): (String, About)| Place::File {
        folder: folder.to_owned(),
        path: file_of(folder, &name),
        name,
        about: Box::new(about),
    };
    Ok(all.into_iter().map(place).collect())
}

/// The simulated populations with lookalikes.
pub(super) fn simulated() -> impl Iterator<Item = Place> {
    Scenario::WITH_LOOKALIKES.into_iter().map(Place::Simulated)
}

/// A set in memory, with what is judged of it.
pub(super) struct Set {
    pub(super) batch: Batch,
    pub(super) meaning: Meaning,
    /// Accounts of the rows, numbered as they appear.
    pub(super) numbers: Vec<u32>,
    pub(super) n_accounts: usize,
    /// How many days it spans, one at least.
    pub(super) days: f64,
    /// What is before is learned from.
    pub(super) at: Timestamp,
    /// Rows that are judged.
    pub(super) rows: Vec<usize>,
    pub(super) judged: Judged,
}

impl Place {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::File { name, .. } => name,
            Self::Simulated(scenario) => scenario.as_str(),
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => Some(path),
            Self::Simulated(_) => None,
        }
    }

    /// What other methods found on it, where the folder says so.
    pub(super) fn baselines(&self) -> Result<Option<Vec<Baseline>>> {
        let Self::File { folder, name, .. } = self else { return Ok(None) };
        let path = folder.join(BASELINES);
        if !path.is_file() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut all: BTreeMap<String, BTreeMap<String, Figures>> =
            serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
        let baseline = |(name, of): (String, Figures)| Baseline {
            name,
            found: Found { roc_auc: of.auc, average_precision: of.ap, recall: of.recall },
        };
        Ok(all.remove(name).filter(|all| !all.is_empty()).map(|all| all.into_iter().map(baseline).collect()))
    }

    /// Reads it, or makes it.
    pub(super) fn load(&self) -> Result<Set> {
        let mut options = Options { presets: Presets::builtin(), ..Options::default() };
        let import = match self {
            Self::File { path, about, .. } => {
                let map = tempfile::Builder::new().suffix(".toml").tempfile().context("cannot make a file")?;
                fs::write(map.path(), mapping(about)).context("cannot write a mapping")?;
                options.map = Some(Mapping::from_file(map.path())?);
                whole(path, &options)?
            }
            Self::Simulated(scenario) => {
                let population = Simulation::builder().accounts(ACCOUNTS).days(DAYS).fraud_rate(FRAUD_RATE);
                let population = population.scenarios(&[*scenario]).build()?;
                let file = tempfile::Builder::new().suffix(".csv").tempfile().context("cannot make a file")?;
                let mut out = BufWriter::new(file.as_file());
                population.write_csv(&mut out).and_then(|_| out.flush()).context("cannot write a population")?;
                whole(file.path(), &options)?
            }
        };
        Set::new(import)
    }
}

/// Reads a file of which no row may be missing.
fn whole(path: &Path, options: &Options) -> Result<Import> {
    let import = read(&[path.to_owned()], options, &mut Stages::default(), &mut |_| {})?;
    if let Some(file) = import.files.iter().find(|file| file.rejected > 0) {
        bail!("{} of its {} rows cannot be read", file.rejected, file.read);
    }
    Ok(import)
}

impl Set {
    fn new(import: Import) -> Result<Self> {
        let Import { batch, meaning, .. } = import;
        let mut known = HashMap::new();
        let number = |account| {
            let next = known.len() as u32;
            *known.entry(account).or_insert(next)
        };
        let numbers: Vec<u32> = batch.accounts().iter().copied().map(number).collect();
        let n_accounts = known.len();
        let truth: Vec<Truth> = (0..batch.len()).map(|row| batch.truth(row)).collect();
        let frauds: Vec<bool> = truth.iter().map(|truth| *truth == Truth::Fraud).collect();
        let at = split(batch.times(), &frauds).context("it has no rows")?;
        let rows: Vec<usize> =
            (0..batch.len()).filter(|row| batch.times()[*row] >= at && truth[*row] != Truth::Unknown).collect();
        let places = (n_accounts as f64 / ACCOUNTS_A_PLACE as f64).round_ties_even().max(1.0) as usize;
        let judged = Judged {
            days: rows.iter().map(|row| batch.times()[*row].day()).collect(),
            accounts: rows.iter().map(|row| numbers[*row]).collect(),
            truth: rows.iter().map(|row| frauds[*row]).collect(),
            places,
        };
        let span = batch.times().last().map_or(0, |last| last.0 - batch.times()[0].0);
        let days = (span as f64 / Timestamp::DAY as f64).max(1.0);
        Ok(Self { batch, meaning, numbers, n_accounts, days, at, rows, judged })
    }

    /// What scores of all rows found among those that are judged.
    pub(super) fn found(&self, scores: &[f64]) -> Result<Found, MetricError> {
        let judged: Vec<f64> = self.rows.iter().map(|row| scores[*row]).collect();
        self.judged.found(&judged)
    }
}

/// How the file of a set is read.
fn mapping(about: &About) -> String {
    let mut text = "name = \"set\"\ntitle = \"set\"\nsource = \"set\"\n[file]\ndelimiter = \",\"\n".to_owned();
    // Writing to a string has nothing to fail on.
    let mut add = |line: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{line}");
    };
    let has = |column: &str| about.columns.iter().any(|name| name == column);
    add(format_args!("[account]\ncolumn = \"account\""));
    add(format_args!("[time]\ncolumn = \"time\"\nformats = [\"iso\"]\nzone = \"UTC\""));
    add(format_args!("[amount]\ncolumn = \"amount\"\nsign = \"outflow-negative\""));
    match has("currency") {
        true => add(format_args!("[currency]\ncolumn = \"currency\"")),
        false => add(format_args!("[currency]\nconstant = \"USD\"")),
    }
    if has("counterparty") {
        let is_account = about.cp_is_account;
        add(format_args!("[counterparty]\ncolumn = \"counterparty\"\nis-account = {is_account}"));
    }
    for (column, field) in [
        ("category", "category"),
        ("channel", "channel"),
        ("country", "country"),
        ("device", "device"),
        ("ip", "address"),
    ] {
        if has(column) {
            add(format_args!("[{field}]\ncolumn = \"{column}\""));
        }
    }
    if has("lat") {
        add(format_args!("[position]\nlatitude = \"lat\"\nlongitude = \"lon\""));
    }
    if let Some(when) = about.balance.as_ref().filter(|_| has("balance")) {
        add(format_args!("[balance]\ncolumn = \"balance\"\nwhen = {when:?}"));
    }
    add(format_args!("[label]\ncolumn = \"label\"\nfraud = [\"1\"]\nlegitimate = [\"0\"]"));
    text
}
