use std::env::{self, VarError};
use std::path::{Path, PathBuf};

use crible_ingest::{Key, Mapping, Options, Owner, Presets};

use crate::BadSetting;

/// The account of files that name none is the name of each one's folder.
const FOLDER: &str = "@folder";

/// How to read files of transactions, in the words of a user.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Read the files as this feed instead of recognising them.
    pub feed: Option<String>,
    /// Columns of an unknown feed, `account=COL,amount=COL,time=COL,…`, or the path of a TOML file that names them.
    pub map: Option<String>,
    /// The account of files that name none, or `@folder` for the name of each one's folder.
    pub account: Option<String>,
    /// A folder of further presets; that of `CRIBLE_PRESETS` in the environment where there is none.
    pub presets: Option<PathBuf>,
    /// A file with the key of pseudonyms; the key in `CRIBLE_KEY` in the environment where there is none.
    pub key_file: Option<PathBuf>,
}

impl Reading {
    /// The options that say the same.
    ///
    /// # Errors
    /// [`BadSetting`] where a mapping, key or preset cannot be read or makes no sense.
    pub fn options(&self) -> Result<Options, BadSetting> {
        let wrong_map = |error| BadSetting::new("map", error);
        let map = match &self.map {
            Some(map) if map.contains('=') => Some(Mapping::parse(map).map_err(wrong_map)?),
            Some(file) => Some(Mapping::from_file(Path::new(file)).map_err(wrong_map)?),
            None => None,
        };
        let wrong_key = |error| BadSetting::new("CRIBLE_KEY", error);
        let key = match (&self.key_file, env::var("CRIBLE_KEY")) {
            (Some(file), _) => Some(Key::from_file(file).map_err(|error| BadSetting::new("key_file", error))?),
            (None, Ok(text)) => Some(Key::from_text(&text).map_err(wrong_key)?),
            (None, Err(VarError::NotPresent)) => None,
            (None, Err(error)) => return Err(BadSetting::new("CRIBLE_KEY", error)),
        };
        let presets = presets(self.presets.as_deref())?;
        let account = self.account.as_ref().map(|name| match name.as_str() {
            FOLDER => Owner::Folder,
            name => Owner::Named(name.to_owned()),
        });
        Ok(Options { feed: self.feed.clone(), map, key, presets, account, ..Options::default() })
    }
}

/// The presets built in, and the user's own from the folder named here or in the environment.
///
/// # Errors
/// [`BadSetting`] where one of the folder's cannot be read or makes no sense.
pub fn presets(folder: Option<&Path>) -> Result<Presets, BadSetting> {
    let setting = if folder.is_some() { "presets" } else { "CRIBLE_PRESETS" };
    match presets_folder(folder) {
        Some(folder) => Presets::builtin().with_folder(&folder).map_err(|error| BadSetting::new(setting, error)),
        None => Ok(Presets::builtin()),
    }
}

/// The folder of the user's own presets: the one named here, or in `CRIBLE_PRESETS`.
pub fn presets_folder(named: Option<&Path>) -> Option<PathBuf> {
    let from_environment = || env::var_os("CRIBLE_PRESETS").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    named.map(Path::to_owned).or_else(from_environment)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_wrong_setting_is_named_with_its_cause() {
        let wrong = |reading: Reading| {
            let error = reading.options().unwrap_err();
            (error.setting.into_owned(), error.source.to_string())
        };
        let (setting, cause) = wrong(Reading { map: Some("account=".to_owned()), ..Reading::default() });
        assert!(setting == "map" && cause.starts_with("mapping: "), "{setting}: {cause}");
        let (setting, cause) = wrong(Reading { map: Some("absent.toml".to_owned()), ..Reading::default() });
        assert!(setting == "map" && cause.contains("absent.toml"), "{setting}: {cause}");
        let (setting, cause) = wrong(Reading { key_file: Some("absent.key".into()), ..Reading::default() });
        assert!(setting == "key_file" && cause.contains("absent.key"), "{setting}: {cause}");
        let (setting, cause) = wrong(Reading { presets: Some("absent".into()), ..Reading::default() });
        assert!(setting == "presets" && cause.contains("absent"), "{setting}: {cause}");
    }

    #[test]
    fn an_account_is_a_name_or_that_of_the_folder() {
        let account = |name: &str| {
            let reading = Reading { account: Some(name.to_owned()), ..Reading::default() };
            reading.options().unwrap().account
        };
        assert!(matches!(account("@folder"), Some(Owner::Folder)));
        assert!(matches!(account("folder"), Some(Owner::Named(name)) if name == "folder"));
    }
}
