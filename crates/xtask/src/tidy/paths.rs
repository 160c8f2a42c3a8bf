//! Nothing leads to a folder that only one machine has.

use super::{Finding, SourceFile};

const ROOTS: &[&str] = &["/home/", "/root/", "/Users/", "/tmp/", "/work/", "/workspace/", "/builds/", "C:\\Users\\"];

pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    let lines = file.lines_outside_tests().filter_map(|(number, line)| Some((number, find(line)?)));
    lines.map(|(number, path)| Finding::new(&file.path, number, format!("{path} is on one machine only"))).collect()
}

/// The first path of a machine in a line. A root alone is a figure of speech, and a part of a longer path or of an
/// address is none.
fn find(line: &str) -> Option<&str> {
    let is_part = |c: char| c.is_alphanumeric() || "._-~/}".contains(c);
    ROOTS.iter().find_map(|root| {
        line.match_indices(root).find_map(|(start, _)| {
            let rest = &line[start + root.len()..];
            let name = rest.find(|c: char| !(c.is_alphanumeric() || "._-".contains(c))).unwrap_or(rest.len());
            (name > 0 && !line[..start].ends_with(is_part)).then(|| &line[start..start + root.len() + name])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_machine() {
        let found =
            ["see /home/ann/x", "\"/root/.cargo\"", "(/tmp/a.csv)", "--out=/tmp/b", "file C:\\Users\\Ann"].map(find);
        let expect = ["/home/ann", "/root/.cargo", "/tmp/a.csv", "/tmp/b", "C:\\Users\\Ann"];
        assert_eq!(found, expect.map(Some));
    }

    #[test]
    fn paths_of_no_machine() {
        for line in
            ["below /home/", "https://example.org/home/ann", "$HOME/x", "crates/work/a.rs", "../tmp/a", "${a}/tmp/b"]
        {
            assert_eq!(find(line), None, "{line}");
        }
    }

    #[test]
    fn tests_may_name_them() {
        let line = "let file = \"/home/ann/x\";";
        assert_eq!(check(&SourceFile::new("a/src/b.rs", line)).len(), 1);
        assert_eq!(check(&SourceFile::new("README.md", line)).len(), 1);
        assert_eq!(check(&SourceFile::new("a/tests/b.rs", line)).len(), 0);
    }
}
