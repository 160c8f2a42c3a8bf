#!/usr/bin/env bash
# Writes the manifest, and a target for each corpus: all of them say the same, but for the parser.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p fuzz_targets
cat > Cargo.toml <<'EOF'
# A workspace of its own: libFuzzer wants flags that nothing else here is built with.
[workspace]

[package]
name = "crible-ingest-fuzz"
version = "0.0.0"
edition = "2024"
publish = false
license = "MIT OR Apache-2.0"

[package.metadata]
cargo-fuzz = true

[dependencies]
libfuzzer-sys = "0.4"
# Without Polars: its Parquet reader is not ours, and takes minutes to build.
crible-ingest = { path = "..", default-features = false, features = ["drive"] }

[profile.release]
debug = 1
overflow-checks = true
debug-assertions = true
EOF
for folder in corpus/*/; do
    parser=$(basename "$folder")
    target=${parser//./-}
    printf '//! See ../README.md.\n#![no_main]\n\nlibfuzzer_sys::fuzz_target!(|bytes: &[u8]| crible_ingest::drive::drive("%s", bytes));\n' "$parser" > "fuzz_targets/$target.rs"
    printf '\n[[bin]]\nname = "%s"\npath = "fuzz_targets/%s.rs"\ntest = false\ndoc = false\nbench = false\n' "$target" "$target" >> Cargo.toml
done
