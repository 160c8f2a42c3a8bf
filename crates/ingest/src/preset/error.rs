use std::path::PathBuf;

/// A preset or mapping that is wrong in itself, whatever the files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PresetError {
    /// No valid TOML, or keys a preset does not have.
    #[error("{origin}:{line}: {}{message}", Key(key))]
    Toml {
        /// The file, or what the text was given as.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// The key, dotted, where it is known.
        key: String,
        /// What is wrong with it, and what was expected.
        message: String,
    },
    /// A key's value makes no sense.
    #[error("{origin}: {key}: `{value}`; expected {expected}")]
    Value {
        /// The file and the line of the key, or what the text was given as.
        origin: String,
        /// The key, dotted.
        key: String,
        /// Its value.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// A draft with points that somebody has to decide.
    #[error(
        "{origin}: the preset `{preset}` is a draft with {} undecided: {}; edit what each names, delete it from `undecided`, \
         and load again", Points(points.len()), points.join("; ")
    )]
    Undecided {
        /// The file and the line of the key `undecided`.
        origin: String,
        /// The preset.
        preset: String,
        /// What is to be decided.
        points: Vec<String>,
    },
    /// A mapping on the command line that cannot be read.
    #[error("mapping: `{part}`; expected {expected}")]
    Mapping {
        /// The part that is wrong.
        part: String,
        /// What it may be.
        expected: String,
    },
    /// Two presets of one name.
    #[error("{}: a preset named `{name}` is in {} already", path.display(), before.display())]
    Twice {
        /// The file that comes second.
        path: PathBuf,
        /// The file that has the name already.
        before: PathBuf,
        /// The name.
        name: String,
    },
    /// A preset file or folder that the system would not hand out.
    #[error("{}: cannot be read", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

struct Key<'a>(&'a str);

impl std::fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}

struct Points(usize);

impl std::fmt::Display for Points {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => f.write_str("one point"),
            more => write!(f, "{more} points"),
        }
    }
}
