//! Nothing is committed unfinished or silenced: what is left to do stands in an issue.

use super::{Finding, SourceFile};

/// Where these words stand because they are looked for.
const HERE: &str = "crates/xtask/src/tidy";

const WORDS: &[&str] = &["TODO", "FIXME", "todo!", "unimplemented!"];

pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    if file.path.starts_with(HERE) || ["csv", "json", "lock", "txt"].contains(&file.extension()) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let lines: Vec<&str> = file.text.lines().collect();
    for (i, line) in lines.iter().enumerate() {
        let at = |what: String| Finding::new(&file.path, i + 1, what);
        if let Some(word) = WORDS.iter().find(|word| has_word(line, word)) {
            findings.push(at(format!("{word}: finish it, or open an issue")));
        }
        if file.extension() == "rs" && ignores(&lines[i..]) {
            findings.push(at("an ignored test names the issue that will bring it back, as \"#12: …\"".to_owned()));
        }
    }
    findings
}

/// Whether the first line opens an attribute that ignores a test and names no issue.
fn ignores(lines: &[&str]) -> bool {
    let line = lines[0].trim_start();
    if !line.starts_with("#[ignore") && !line.starts_with("#[cfg_attr(") {
        return false;
    }
    // rustfmt breaks long attributes; the reason is a string, so its brackets are no end.
    let end = lines.iter().position(|line| line.trim_end().ends_with(']')).unwrap_or(0);
    let attribute = lines[..=end].join(" ");
    let issue = |mark: &str| {
        attribute
            .match_indices(mark)
            .any(|(i, _)| attribute[i + mark.len()..].starts_with(|c: char| c.is_ascii_digit()))
    };
    has_word(&attribute, "ignore") && !issue("#") && !issue("/issues/")
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(i, _)| {
        !line[..i].ends_with(is_part) && (word.ends_with('!') || !line[i + word.len()..].starts_with(is_part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&SourceFile::new(path, text)).iter().filter_map(|finding| finding.line).collect()
    }

    #[test]
    fn unfinished() {
        let text = "// TODO later\n// FIXME: now\nfn f() { todo!() }\nfn g() { unimplemented!(\"x\") }\nfn h() {}\n";
        assert_eq!(lines("a.rs", text), [1, 2, 3, 4]);
        assert_eq!(lines(".ci/run", "# TODO"), [1]);
    }

    #[test]
    fn words_that_only_look_unfinished() {
        assert!(lines("a.rs", "// MASTODON, TODOS, todo, not_todo!(), FIXMEs\n").is_empty());
        assert!(lines("names.csv", "TODO\n").is_empty());
        assert!(lines("crates/xtask/src/tidy/marks.rs", "TODO").is_empty());
    }

    #[test]
    fn ignored() {
        assert_eq!(lines("a.rs", "#[test]\n#[ignore]\nfn f() {}"), [2]);
        assert_eq!(lines("a.rs", "    #[ignore = \"slow [today]\"]\n"), [1]);
        assert_eq!(lines("a.rs", "#[cfg_attr(windows, ignore)]"), [1]);
        assert_eq!(lines("a.rs", "#[cfg_attr(\n    windows,\n    ignore = \"slow\"\n)]\nfn f() {} // #12"), [1]);
    }

    #[test]
    fn ignored_for_an_issue() {
        assert!(lines("a.rs", "#[ignore = \"#12: [slow] on one core\"]").is_empty());
        assert!(lines("a.rs", "#[ignore = \"see https://example.org/crible/issues/12\"]").is_empty());
        assert!(lines("a.rs", "#[cfg_attr(\n    windows,\n    ignore = \"#3\"\n)]").is_empty());
        assert!(lines("a.rs", "#[cfg_attr(test, allow(dead_code))]\n// ignore this").is_empty());
    }
}
