//! Folds functions whose instructions are the same, of which generic code leaves many: a wheel is downloaded.

use std::env;

fn main() {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|of_it| of_it == value);
    // Where rustc links with the LLD it comes with, unless somebody has chosen another linker.
    let lld = is("TARGET", "x86_64-unknown-linux-gnu") && is("HOST", "x86_64-unknown-linux-gnu");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if lld && env::var_os("RUSTC_LINKER").is_none() && !flags.contains("link") {
        println!("cargo::rustc-link-arg-cdylib=-Wl,--icf=all");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
