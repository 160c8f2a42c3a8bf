//! Notebooks are committed without what running them left behind: outputs change with every machine, and may show data.

use super::{Finding, SourceFile};

pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    if file.extension() != "ipynb" {
        return Vec::new();
    }
    let is_left = |line: &str| {
        let line = line.trim().trim_end_matches(',');
        let outputs = line.starts_with("\"outputs\":") && line != "\"outputs\": []";
        let count = line.starts_with("\"execution_count\":") && line != "\"execution_count\": null";
        outputs || count
    };
    let left = file.text.lines().enumerate().filter(|(_, line)| is_left(line));
    left.map(|(i, _)| Finding::new(&file.path, i + 1, "strip the outputs before you commit the notebook")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_found() {
        let lines = |text: &str| {
            let findings = check(&SourceFile::new("notebooks/a.ipynb", text));
            findings.iter().filter_map(|finding| finding.line).collect::<Vec<_>>()
        };
        assert!(lines("{\n \"execution_count\": null,\n \"outputs\": [],\n \"source\": []\n}").is_empty());
        assert_eq!(lines("{\n \"execution_count\": 3,\n \"outputs\": [\n  {}\n ]\n}"), [2, 3]);
        assert!(check(&SourceFile::new("a.json", "\"outputs\": [")).is_empty());
    }
}
