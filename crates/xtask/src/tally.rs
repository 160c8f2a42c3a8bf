//! What cargo's test runs report, counted line by line.

use std::collections::BTreeSet;

/// Sums over the test binaries of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
    /// Names of the tests that failed.
    pub(crate) failures: Vec<String>,
    /// Why tests did not run, each reason once.
    pub(crate) skipped: BTreeSet<String>,
    within_successes: bool,
}

impl Tally {
    /// Takes in a line of output; whether a person wants to see it. What passing tests print is of no interest but for
    /// lines that begin with `skipped:`.
    pub(crate) fn line(&mut self, line: &str) -> bool {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.within_successes = false;
            self.passed += count(counts, "passed");
            self.failed += count(counts, "failed");
            self.ignored += count(counts, "ignored");
        } else if line == "failures:" {
            self.within_successes = false;
        } else if line == "successes:" {
            self.within_successes = true;
        } else if let Some(name) = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED")) {
            self.failures.push(name.to_owned());
        } else if let Some(reason) = line.strip_prefix("skipped: ") {
            self.skipped.insert(reason.to_owned());
        }
        !self.within_successes
    }
}

/// The number before `what` in `ok. 3 passed; 0 failed; 1 ignored; …`.
fn count(counts: &str, what: &str) -> u64 {
    let words: Vec<&str> = counts.split([' ', ';']).collect();
    words.windows(2).find(|pair| pair[1] == what).and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, seen: &[&str]) -> Tally {
        let mut tally = Tally::default();
        let shown: Vec<&str> = output.lines().filter(|line| tally.line(line)).collect();
        assert_eq!(shown, seen);
        tally
    }

    #[test]
    fn sums_the_result_lines() {
        let lines = [
            "test result: ok. 41 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.03s",
            "test result: FAILED. 7 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ];
        let tally = check(&lines.join("\n"), &lines);
        assert_eq!((tally.passed, tally.failed, tally.ignored), (48, 3, 1));
    }

    #[test]
    fn takes_nothing_else_for_a_result() {
        let tally = check("test passed ... ok\n12 passed", &["test passed ... ok", "12 passed"]);
        assert_eq!(tally, Tally::default());
    }

    #[test]
    fn hides_what_passing_tests_print_and_keeps_why_they_skipped() {
        let output = "\
test a ... ok
successes:

---- a stdout ----
chatter
skipped: no folder
skipped: no folder

successes:
    a

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
after";
        let result = "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let tally = check(output, &["test a ... ok", result, "after"]);
        assert_eq!(tally.skipped.into_iter().collect::<Vec<_>>(), ["no folder"]);
    }

    #[test]
    fn shows_what_failing_tests_print() {
        let output = "test b::c ... FAILED\nsuccesses:\n    a\n\nfailures:\n\n---- b stdout ----\nleft: 1";
        let tally = check(output, &["test b::c ... FAILED", "failures:", "", "---- b stdout ----", "left: 1"]);
        assert_eq!(tally.failures, ["b::c"]);
    }
}
