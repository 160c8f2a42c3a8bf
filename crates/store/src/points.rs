//! Places where tests stop the process.

/// A test may stop the process here. Without the feature `failpoints` nothing happens.
pub(crate) fn reach(name: &str) {
    #[cfg(feature = "failpoints")]
    fail::fail_point!(name);
    let _ = name;
}
