//! Dependencies run one way, and data frames stay where tables are read and written.

use super::{Finding, Manifest};

/// What a room of the house may build on. ARCHITECTURE.md draws the same.
struct Room {
    folder: &'static str,
    below: &'static [&'static str],
    /// Whoever embeds the engine compiles no data-frame library.
    polars: bool,
}

const ROOMS: &[Room] = &[
    Room { folder: "crates/core", below: &[], polars: false },
    Room { folder: "crates/score", below: &[], polars: false },
    Room { folder: "crates/pseudonym", below: &["core"], polars: false },
    Room { folder: "crates/ingest", below: &["core", "pseudonym"], polars: true },
    Room { folder: "crates/ingest/fuzz", below: &["ingest"], polars: false },
    Room { folder: "crates/engine/fuzz", below: &["engine"], polars: false },
    Room { folder: "crates/feature", below: &["core"], polars: false },
    Room { folder: "crates/alert", below: &["core"], polars: false },
    Room { folder: "crates/case", below: &["core", "alert"], polars: false },
    Room { folder: "crates/notify", below: &["core", "alert"], polars: false },
    Room { folder: "crates/report", below: &["core", "alert"], polars: false },
    Room { folder: "crates/store", below: &["core", "alert", "case"], polars: false },
    Room { folder: "crates/dispatch", below: &["core", "alert", "case", "store", "notify"], polars: false },
    Room { folder: "crates/eval", below: &["core", "score"], polars: true },
    Room { folder: "crates/engine", below: &["core", "feature", "score", "alert"], polars: false },
    Room { folder: "crates/run", below: &["core", "alert", "engine", "ingest"], polars: false },
    Room {
        folder: "crates/cli",
        below: &[
            "core",
            "pseudonym",
            "feature",
            "score",
            "alert",
            "case",
            "store",
            "notify",
            "dispatch",
            "report",
            "engine",
            "ingest",
            "eval",
            "run",
            "workspace-hack",
        ],
        polars: true,
    },
    Room {
        folder: "crates/py",
        below: &["core", "score", "alert", "engine", "ingest", "eval", "run", "workspace-hack"],
        polars: false,
    },
    Room { folder: "benches", below: &["core", "feature", "score", "alert", "engine", "eval"], polars: false },
    Room { folder: "crates/xtask", below: &[], polars: false },
    Room { folder: "crates/workspace-hack", below: &[], polars: false },
];

/// Dependencies and build dependencies of every package; what only tests and benches use is free.
pub(super) fn check(manifests: &[Manifest]) -> Vec<Finding> {
    let workspace = manifests.iter().find(|manifest| manifest.folder.is_empty());
    let shared = workspace.and_then(|manifest| manifest.table.get("workspace")?.get("dependencies")?.as_table());
    let mut findings = Vec::new();
    for manifest in manifests.iter().filter(|manifest| manifest.package().is_some()) {
        let Some(room) = ROOMS.iter().find(|room| room.folder == manifest.folder) else {
            let what = "is in no layer: say in crates/xtask/src/tidy/layers.rs what it may depend on";
            findings.push(Finding::new(&manifest.path, None, what));
            continue;
        };
        for dependency in dependencies(&manifest.table, shared) {
            let ours = manifests.iter().find(|other| other.name() == Some(dependency));
            let allowed = match ours {
                Some(other) => room.below.iter().any(|below| other.folder == format!("crates/{below}")),
                None => room.polars || !dependency.starts_with("polars"),
            };
            if !allowed {
                findings.push(Finding::new(&manifest.path, None, format!("must not depend on {dependency}")));
            }
        }
    }
    findings
}

/// Names of the packages a manifest depends on, for every platform, without dev-dependencies.
fn dependencies<'a>(manifest: &'a toml::Table, shared: Option<&'a toml::Table>) -> Vec<&'a str> {
    let platforms = manifest.get("target").and_then(toml::Value::as_table);
    let platforms = platforms.into_iter().flat_map(toml::Table::values).filter_map(toml::Value::as_table);
    std::iter::once(manifest)
        .chain(platforms)
        .flat_map(|table| ["dependencies", "build-dependencies"].map(|section| table.get(section)))
        .filter_map(|section| section?.as_table())
        .flatten()
        .map(|(key, value)| {
            let inherited = value.get("workspace").and_then(|_| shared?.get(key));
            let renamed = |value: &'a toml::Value| value.get("package")?.as_str();
            renamed(value).or_else(|| renamed(inherited?)).unwrap_or(key)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, tree};
    use super::*;

    const WORKSPACE: &str = "[workspace.dependencies]\nframes = { package = \"polars-core\", version = \"1\" }\n";

    /// Findings on a manifest in `folder` that goes on as `rest`, in a house of core, engine and score.
    fn check_one(folder: &str, rest: &str) -> Vec<String> {
        let package = |folder: &str, name: &str, rest: &str| {
            SourceFile::new(&format!("{folder}/Cargo.toml"), &format!("[package]\nname = \"{name}\"\n{rest}"))
        };
        let files = [
            SourceFile::new("Cargo.toml", WORKSPACE),
            package("crates/core", "crible-core", ""),
            package("crates/engine", "crible", ""),
            package("crates/score", "crible-score", ""),
            package(folder, "subject", rest),
        ];
        check(&tree::manifests(&files).unwrap()).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn upwards_is_refused() {
        let rest = "[dependencies]\ncrible-core.workspace = true\ncrible.workspace = true\nserde = \"1\"\n";
        assert_eq!(check_one("crates/feature", rest), ["must not depend on crible"]);
        assert!(check_one("crates/cli", rest).is_empty());
    }

    #[test]
    fn score_depends_on_no_crate_of_ours() {
        let files = [
            SourceFile::new("crates/core/Cargo.toml", "[package]\nname = \"crible-core\"\n"),
            SourceFile::new(
                "crates/score/Cargo.toml",
                "[package]\nname = \"s\"\n[dependencies]\ncrible-core = \"1\"\n",
            ),
        ];
        assert_eq!(
            check(&tree::manifests(&files).unwrap()),
            [Finding::new("crates/score/Cargo.toml", None, "must not depend on crible-core")]
        );
    }

    #[test]
    fn tests_may_use_anything() {
        assert!(check_one("crates/feature", "[dev-dependencies]\ncrible = \"1\"\npolars-io = \"1\"\n").is_empty());
    }

    #[test]
    fn no_section_hides_a_dependency() {
        let what = ["must not depend on crible-score"];
        assert_eq!(check_one("crates/alert", "[build-dependencies]\ncrible-score = \"1\"\n"), what);
        assert_eq!(check_one("crates/alert", "[target.'cfg(unix)'.dependencies]\ncrible-score = \"1\"\n"), what);
        assert_eq!(check_one("crates/alert", "[dependencies.nick]\npackage = \"crible-score\"\n"), what);
    }

    #[test]
    fn polars_has_its_places() {
        let rest = "[dependencies]\nframes.workspace = true\npolars-io.workspace = true\n";
        let refused = ["must not depend on polars-core", "must not depend on polars-io"];
        assert_eq!(check_one("crates/feature", rest), refused);
        assert!(check_one("crates/ingest", rest).is_empty());
    }

    #[test]
    fn a_new_room_needs_a_layer() {
        let [finding] = &check_one("crates/attic", "")[..] else { panic!("one finding") };
        assert!(finding.contains("in no layer"), "{finding}");
    }
}
