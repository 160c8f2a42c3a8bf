//! Telling people: who may be written to, and what is sent to whom.

mod args;
mod consent;
mod deliver;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use crible_notify::config::{BadConfig, Config, Surroundings};

pub(crate) use args::{ConsentArgs, DeliverArgs, NotifyArgs};
pub(crate) use consent::run as consent;
pub(crate) use deliver::run as deliver;

impl NotifyArgs {
    fn path(&self) -> Option<PathBuf> {
        let named = self.notify.clone().or_else(|| env::var_os("CRIBLE_NOTIFY").map(PathBuf::from));
        named.filter(|path| !path.as_os_str().is_empty())
    }

    /// The settings, where a file of them is named.
    pub(crate) fn read(&self) -> Result<Option<Config>> {
        self.path().map(|path| read(&path)).transpose()
    }

    /// The settings, which have to be there.
    pub(crate) fn wanted(&self) -> Result<Config> {
        let missing = || BadConfig {
            place: "settings".to_owned(),
            what: "expected --notify FILE, or CRIBLE_NOTIFY in the environment".to_owned(),
        };
        read(&self.path().ok_or_else(missing)?)
    }
}

/// Reads settings. The files that they name are beside them.
fn read(path: &Path) -> Result<Config> {
    let text = fs::read_to_string(path)
        .map_err(|error| BadConfig { place: path.display().to_string(), what: error.to_string() })?;
    let beside = path.parent().unwrap_or(Path::new(""));
    let around =
        Surroundings { variable: &|name| env::var(name).ok(), file: &|name| fs::read_to_string(beside.join(name)) };
    Config::read(&text, &around).with_context(|| format!("{}", path.display()))
}
