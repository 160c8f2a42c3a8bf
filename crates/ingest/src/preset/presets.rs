//! The presets that a run knows.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::{Preset, PresetError, Vocabulary, builtin, statement};

/// The presets a run knows: those built in, and the user's own.
#[derive(Clone, Debug)]
pub struct Presets {
    all: Arc<Vec<Preset>>,
    /// What is made of them where it is needed, once for all that share them.
    made: Arc<Made>,
}

#[derive(Debug, Default)]
struct Made {
    typed: OnceLock<Arc<Vec<Preset>>>,
    vocabulary: OnceLock<Arc<Vocabulary>>,
}

impl From<Vec<Preset>> for Presets {
    fn from(all: Vec<Preset>) -> Self {
        Self { all: Arc::new(all), made: Arc::default() }
    }
}

impl Default for Presets {
    fn default() -> Self {
        static BUILTIN: OnceLock<Presets> = OnceLock::new();
        BUILTIN.get_or_init(|| feeds().cloned().collect::<Vec<_>>().into()).clone()
    }
}

impl Presets {
    /// Those built in.
    pub fn builtin() -> Self {
        Self::default()
    }

    /// The same and every `*.toml` of a folder. A user's preset of a built-in name takes its place.
    ///
    /// # Errors
    /// [`PresetError`] where the folder or a file cannot be read, or a file is no preset.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, PresetError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| PresetError::Io { path, source }
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(io(folder))? {
            let path = entry.map_err(io(folder))?.path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut added: Vec<(String, PathBuf)> = Vec::new();
        for path in paths {
            let text = fs::read_to_string(&path).map_err(io(&path))?;
            let preset = Preset::from_toml(&text, &path.display().to_string())?;
            if let Some((name, before)) = added.iter().find(|(name, _)| *name == preset.name) {
                return Err(PresetError::Twice { path, before: before.clone(), name: name.clone() });
            }
            added.push((preset.name.clone(), path));
            self = self.with(preset);
        }
        Ok(self)
    }

    /// The same for tables whose values have types: a date is then written as ISO 8601 has it, whatever the feed's CSV
    /// does.
    pub(crate) fn typed(&self) -> Self {
        let typed = self.made.typed.get_or_init(|| Arc::new(self.iter().map(Preset::typed).collect()));
        // They call their columns the same.
        let vocabulary = OnceLock::from(self.vocabulary());
        Self { all: typed.clone(), made: Arc::new(Made { typed: OnceLock::new(), vocabulary }) }
    }

    /// What they call their columns.
    pub(crate) fn vocabulary(&self) -> Arc<Vocabulary> {
        self.made.vocabulary.get_or_init(|| Arc::new(Vocabulary::of(self.iter()))).clone()
    }

    /// The same and one more, in the place of one of its name.
    #[must_use]
    pub fn with(self, preset: Preset) -> Self {
        let mut all = Arc::unwrap_or_clone(self.all);
        all.retain(|known| known.name != preset.name);
        all.push(preset);
        all.into()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Preset> {
        self.all.iter()
    }

    /// The one of a name.
    pub fn get(&self, name: &str) -> Option<&Preset> {
        self.all.iter().find(|preset| preset.name == name)
    }
}

/// The built-in presets, in the order of the README's tables.
pub fn feeds() -> impl Iterator<Item = &'static Preset> {
    static FORMATS: OnceLock<Vec<Preset>> = OnceLock::new();
    builtin::presets().iter().chain(FORMATS.get_or_init(|| statement::presets().collect()))
}
