//! A source file is a room: one purpose.

use super::{Finding, SourceFile};

const WARN: usize = 600;
const MOST: usize = 900;

pub(super) fn check(file: &SourceFile) -> Option<Finding> {
    if !["rs", "py"].contains(&file.extension()) {
        return None;
    }
    let lines = file.text.lines().count();
    let finding =
        Finding::new(&file.path, None, format!("{lines} lines, and {MOST} are the most: divide it by purpose"));
    match lines {
        ..=WARN => None,
        _ if lines <= MOST => Some(finding.warning()),
        _ => Some(finding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a file of so many lines gives a warning (`Some(true)`) or an error (`Some(false)`).
    fn warns(path: &str, lines: usize) -> Option<bool> {
        check(&SourceFile::new(path, &"\n".repeat(lines))).map(|finding| finding.warning)
    }

    #[test]
    fn lengths() {
        assert_eq!([600, 601, 900, 901].map(|n| warns("a.rs", n)), [None, Some(true), Some(true), Some(false)]);
        assert_eq!(warns("a.py", 901), Some(false));
        assert_eq!(warns("a.csv", 9_000), None);
    }
}
