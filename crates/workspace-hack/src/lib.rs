//! Nothing but a manifest. Criterion and other dependencies of tests turn on features of crates that Polars and linfa
//! also depend on. The command depends on this package, and so on the same features: it and the tests then share one
//! build of Polars instead of compiling it twice.
