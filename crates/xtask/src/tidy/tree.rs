//! The files of the repository, read once for all rules.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// A file of text.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// From the folder of the workspace, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl SourceFile {
    #[cfg(test)]
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(super) fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// Lines with their numbers, from 1, that are no tests: none of a file of tests, and of others those before a test
    /// module, which by custom closes a file.
    pub(super) fn lines_outside_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let all_tests = self.path.split('/').any(|part| part == "tests" || part == "tests.rs");
        let lines: Vec<&str> = if all_tests { Vec::new() } else { self.text.lines().collect() };
        let is_module = |line: &&str| line.starts_with("mod ") && line.ends_with('{');
        let end = (0..lines.len())
            .find(|&i| {
                lines[i] == "#[cfg(test)]" && lines[i + 1..].iter().find(|l| !l.starts_with('#')).is_some_and(is_module)
            })
            .unwrap_or(lines.len());
        lines.into_iter().take(end).enumerate().map(|(i, line)| (i + 1, line))
    }
}

/// A package's Cargo.toml, or the workspace's.
#[derive(Debug)]
pub(super) struct Manifest {
    /// Path of the Cargo.toml.
    pub(super) path: String,
    /// Folder of the package, from the folder of the workspace; empty for the workspace itself.
    pub(super) folder: String,
    pub(super) table: toml::Table,
}

impl Manifest {
    pub(super) fn package(&self) -> Option<&toml::Table> {
        self.table.get("package")?.as_table()
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.package()?.get("name")?.as_str()
    }
}

/// All files of text below `root`, by path, except in folders that .gitignore names or that hold a cache.
///
/// # Errors
/// A folder or a file cannot be read.
pub(super) fn read(root: &Path) -> Result<Vec<SourceFile>> {
    let ignored = fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    let mut skip: Vec<&str> = ignored.lines().filter_map(|line| line.strip_suffix('/')).collect();
    skip.push(".git");
    let mut files = Vec::new();
    walk(root, "", &skip, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, skip: &[&str], files: &mut Vec<SourceFile>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        let kind = entry.file_type().with_context(|| format!("cannot look at {}", entry.path().display()))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}{name}");
        // Git's own folder is a file where the repository is checked out a second time.
        if skip.contains(&name.as_str()) {
            continue;
        }
        if kind.is_dir() {
            // Cargo marks a target folder, whatever its name, with such a file.
            if !entry.path().join("CACHEDIR.TAG").exists() {
                walk(&entry.path(), &format!("{path}/"), skip, files)?;
            }
        // In a second work tree `.git` is a file.
        } else if kind.is_file() && name != ".git" {
            let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(SourceFile { path, text });
            }
        }
    }
    Ok(())
}

/// The manifests of the workspace and of its packages.
///
/// # Errors
/// A Cargo.toml is no TOML.
pub(super) fn manifests(files: &[SourceFile]) -> Result<Vec<Manifest>> {
    let is_manifest = |file: &&SourceFile| file.path == "Cargo.toml" || file.path.ends_with("/Cargo.toml");
    let parse = |file: &SourceFile| {
        let table = file.text.parse().with_context(|| file.path.clone())?;
        let folder = file.path.strip_suffix("Cargo.toml").unwrap_or_default().trim_end_matches('/').to_owned();
        Ok(Manifest { path: file.path.clone(), folder, table })
    };
    files.iter().filter(is_manifest).map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_tests_are_left_out() {
        let lines = |path, text| SourceFile::new(path, text).lines_outside_tests().count();
        let inline = "one\n\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n    two\n}\n";
        assert_eq!(lines("src/a.rs", inline), 2);
        assert_eq!(lines("src/a.rs", "#[cfg(test)]\nmod tests;\none\n"), 3);
        assert_eq!(lines("src/a.rs", "#[cfg(test)]\nfn helper() {}\none\n"), 3);
        assert_eq!(lines("crates/a/tests/b.rs", "one"), 0);
        assert_eq!(lines("crates/a/src/b/tests.rs", "one"), 0);
        assert_eq!(lines("crates/a/src/contests.rs", "one"), 1);
    }

    #[test]
    fn extensions() {
        let extension = |path| SourceFile::new(path, "").extension().to_owned();
        assert_eq!(["a/b.rs", "a.b/c", ".gitignore"].map(extension), ["rs", "", "gitignore"]);
    }

    #[test]
    fn manifests_know_their_folder() {
        let files = [SourceFile::new("Cargo.toml", ""), SourceFile::new("crates/a/Cargo.toml", "[package]\nname='b'")];
        let found = manifests(&files).unwrap();
        let seen: Vec<_> = found.iter().map(|m| (m.folder.as_str(), m.name())).collect();
        assert_eq!(seen, [("", None), ("crates/a", Some("b"))]);
        assert!(manifests(&[SourceFile::new("Cargo.toml", "=")]).is_err());
    }

    #[test]
    fn reads_what_belongs_to_the_repository() {
        let root = std::env::temp_dir().join(format!("xtask-tree-{}", std::process::id()));
        let write = |path: &str, bytes: &[u8]| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        write(".gitignore", b"ignored/\n*.bak\n");
        write("ignored/a.rs", b"");
        write("elsewhere/CACHEDIR.TAG", b"");
        write("elsewhere/b.rs", b"");
        write(".git/c", b"");
        write("src/.git", b"");
        write("data.gz", &[0xff, 0xfe]);
        write("src/d.rs", b"");
        let paths: Vec<String> = read(&root).unwrap().into_iter().map(|file| file.path).collect();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(paths, [".gitignore", "src/d.rs"]);
    }
}
