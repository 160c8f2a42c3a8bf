//! Where a store is.

use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Error;

const IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A file of SQLite, or a database of PostgreSQL.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Address {
    File(PathBuf),
    Postgres(String),
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let bad = || Error::Url { url: without_password(url) };
        let file = |path: &str| if path.is_empty() { Err(bad()) } else { Ok(Self::File(PathBuf::from(path))) };
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.contains('?') { Err(bad()) } else { file(path) };
        }
        // A letter before a colon is a drive.
        match url.split_once(':') {
            Some((scheme, rest)) if scheme.len() > 1 && (rest.starts_with("//") || rest == "memory:") => Err(bad()),
            _ => file(url),
        }
    }

    /// For the driver. A file is made unless it is there.
    pub(crate) fn url(&self) -> Result<String, Error> {
        match self {
            Self::Postgres(url) => Ok(url.clone()),
            Self::File(path) => {
                let whole = std::path::absolute(path).map_err(Error::file(path))?;
                let text = whole.to_str().ok_or_else(|| Error::Url { url: self.to_string() })?;
                Ok(format!("sqlite://{}?mode=rwc", utf8_percent_encode(text, IN_PATHS)))
            }
        }
    }

    /// The file, where it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

impl fmt::Display for Address {
    /// Without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// What is between the first colon and the last `@` of the authority, and any parameters, may be secret.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let rest = rest.split('?').next().unwrap_or_default();
    let shown = match rest.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", user.split(':').next().unwrap_or_default()),
        None => rest.to_owned(),
    };
    format!("{scheme}://{shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_files_or_databases() {
        let file = |path: &str| Address::File(PathBuf::from(path));
        let check = |url: &str, expect: Address| assert_eq!(Address::parse(url).unwrap(), expect, "{url}");
        check("alerts.db", file("alerts.db"));
        check("sqlite:alerts.db", file("alerts.db"));
        check("sqlite:///data/alerts.db", file("/data/alerts.db"));
        check("a:b.db", file("a:b.db"));
        check("postgres://u@h/d", Address::Postgres("postgres://u@h/d".to_owned()));
        for bad in ["", "sqlite:", "mysql://u:secret@h/d", "http://x", "sqlite:x?mode=ro"] {
            let error = Address::parse(bad).unwrap_err();
            assert!(error.is_input() && !error.to_string().contains("secret"), "{bad}: {error}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = Address::parse("postgres://ana:s@cr:t@db.example:5432/crible?password=secret").unwrap().to_string();
        assert_eq!(shown, "postgres://ana@db.example:5432/crible");
    }

    #[test]
    fn odd_paths_stay_what_they_are() {
        let url = Address::parse("/data/my alerts?#%41é.db").unwrap().url().unwrap();
        assert_eq!(url, "sqlite:///data/my%20alerts%3F%23%2541%C3%A9.db?mode=rwc");
    }
}
