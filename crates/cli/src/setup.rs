//! What the command line says, made ready: threads, keys, presets.

use std::path::Path;

use anyhow::{Context, Error, Result};
use crible_ingest::{Options, Presets};
pub(crate) use crible_run::presets_folder;
use crible_run::{BadSetting, Reading};

use crate::args::ReadArgs;

/// Lets the pool that everything runs in have so many threads, or one for each processor. The one that asks is one of them: were
/// there another beside them, they would get in each other's way whenever work is handed over.
pub(crate) fn use_threads(threads: Option<u16>) -> Result<()> {
    let threads = threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread();
    pool.build_global().context("cannot start threads")
}

pub(crate) fn options(args: &ReadArgs) -> Result<Options> {
    let ReadArgs { feed, map, account, presets, key_file } = args.clone();
    Reading { feed, map, account, presets, key_file }.options().map_err(flagged)
}

/// Those built in, and the user's own from the folder named here or in the environment.
pub(crate) fn presets(folder: Option<&Path>) -> Result<Presets> {
    crible_run::presets(folder).map_err(flagged)
}

/// A wrong setting, named as the command line has it.
fn flagged(mut wrong: BadSetting) -> Error {
    let is_variable = wrong.setting.starts_with(|first: char| first.is_ascii_uppercase());
    if !is_variable {
        wrong.setting = format!("--{}", wrong.setting.replace('_', "-")).into();
    }
    wrong.into()
}
