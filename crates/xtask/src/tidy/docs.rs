//! Every folder describes what is there.

use super::{Finding, Manifest, SourceFile};

const INGEST: &str = "crates/ingest/README.md";
const PRESETS: &str = "crates/ingest/presets/";

/// Every package that is published has a README with more in it than a title.
pub(super) fn readmes(files: &[SourceFile], manifests: &[Manifest]) -> Vec<Finding> {
    let published = manifests.iter().filter(|manifest| {
        let publish = manifest.package().map(|package| package.get("publish").and_then(toml::Value::as_bool));
        publish.is_some_and(|publish| publish != Some(false))
    });
    let wanted = published.map(|manifest| format!("{}/README.md", manifest.folder));
    let says_nothing = |path: &String| !text(files, path).is_some_and(|text| text.lines().any(is_prose));
    wanted
        .filter(says_nothing)
        .map(|path| Finding::new(&path, None, "is missing, or has a title and no more"))
        .collect()
}

fn is_prose(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with('#')
}

/// Every feed preset is named, `like-this`, in the README of ingest.
pub(super) fn presets(files: &[SourceFile]) -> Vec<Finding> {
    let readme = text(files, INGEST).unwrap_or_default();
    let undocumented = files.iter().filter(|file| {
        let name = file.path.strip_prefix(PRESETS).and_then(|name| name.strip_suffix(".toml"));
        name.is_some_and(|name| !readme.contains(&format!("`{name}`")))
    });
    undocumented.map(|file| Finding::new(&file.path, None, format!("is not named in {INGEST}"))).collect()
}

fn text<'a>(files: &'a [SourceFile], path: &str) -> Option<&'a str> {
    files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    fn unread(package: &str, readme: Option<&str>) -> usize {
        let mut files = vec![SourceFile::new("crates/a/Cargo.toml", package), SourceFile::new("Cargo.toml", "")];
        files.extend(readme.map(|text| SourceFile::new("crates/a/README.md", text)));
        readmes(&files, &tree::manifests(&files).unwrap()).len()
    }

    #[test]
    fn a_published_package_says_what_it_is() {
        assert_eq!(unread("[package]\nname = 'a'", None), 1);
        assert_eq!(unread("[package]\nname = 'a'\npublish = true", Some("# a\n\n## b\n")), 1);
        assert_eq!(unread("[package]\nname = 'a'", Some("# a\n\nSifts.\n")), 0);
        assert_eq!(unread("[package]\nname = 'a'\npublish = false", None), 0);
    }

    fn undocumented(readme: &str) -> Vec<String> {
        let files = [
            SourceFile::new(INGEST, readme),
            SourceFile::new("crates/ingest/presets/acme.toml", ""),
            SourceFile::new("crates/ingest/presets/acme-card.toml", ""),
            SourceFile::new("crates/ingest/presets/README.md", ""),
        ];
        presets(&files).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn a_preset_is_documented_by_its_name() {
        assert_eq!(undocumented("`acme-card`: acme's cards"), ["crates/ingest/presets/acme.toml"]);
        assert!(undocumented("| `acme` | `acme-card` |").is_empty());
    }
}
