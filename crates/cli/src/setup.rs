//! What the command line says, made ready: threads, keys, presets.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};
use crible_ingest::{Key, Mapping, Options, Owner, Presets};

use crate::args::ReadArgs;

/// Lets the pool that everything runs in have so many threads, or one for each processor. The one that asks is one of them: were
/// there another beside them, they would get in each other's way whenever work is handed over.
pub(crate) fn use_threads(threads: Option<u16>) -> Result<()> {
    let threads = threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread();
    pool.build_global().context("cannot start threads")
}

pub(crate) fn options(args: &ReadArgs) -> Result<Options> {
    let map = match &args.map {
        Some(map) if map.contains('=') => Some(Mapping::parse(map).context("--map")?),
        Some(file) => Some(Mapping::from_file(Path::new(file)).context("--map")?),
        None => None,
    };
    let key = match (&args.key_file, env::var("CRIBLE_KEY")) {
        (Some(file), _) => Some(Key::from_file(file).context("--key-file")?),
        (None, Ok(text)) => Some(Key::from_text(&text).context("CRIBLE_KEY")?),
        (None, Err(env::VarError::NotPresent)) => None,
        (None, Err(error)) => return Err(Error::new(error).context("CRIBLE_KEY")),
    };
    let presets = presets(args.presets.as_deref())?;
    let account = args.account.as_ref().map(|name| match name.as_str() {
        "@folder" => Owner::Folder,
        name => Owner::Named(name.to_owned()),
    });
    Ok(Options { feed: args.feed.clone(), map, key, presets, account, ..Options::default() })
}

/// Those built in, and the user's own from the folder named here or in the environment.
pub(crate) fn presets(folder: Option<&Path>) -> Result<Presets> {
    match (folder, presets_folder(folder)) {
        (Some(folder), _) => Presets::builtin().with_folder(folder).context("--presets"),
        (None, Some(folder)) => Presets::builtin().with_folder(&folder).context("CRIBLE_PRESETS"),
        (None, None) => Ok(Presets::builtin()),
    }
}

/// The folder of the user's own presets.
pub(crate) fn presets_folder(named: Option<&Path>) -> Option<PathBuf> {
    let from_environment = || env::var_os("CRIBLE_PRESETS").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    named.map(Path::to_owned).or_else(from_environment)
}
