//! Fixtures spoilt in every way go through the whole reader: no panic, no row lost, no end that does not come.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::common::{bytes, fixture, options};
use crate::mutator::{Chance, Mutation};

/// Far beyond what any of these small files takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(20);

fn fixtures() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(fixture("")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    paths
}

fn mutation() -> impl Strategy<Value = Mutation> {
    any::<u64>().prop_map(|seed| Mutation::random(&mut Chance::new(seed)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 16, ..ProptestConfig::default() })]

    /// The accounts are checked by [`bytes`], for every file that can be read at all.
    #[test]
    fn a_spoilt_file_is_read_or_refused(mutations in prop::collection::vec(mutation(), 1..6)) {
        for path in fixtures() {
            let mut text = std::fs::read(&path).unwrap();
            for mutation in &mutations {
                mutation.apply(&mut text);
            }
            let name = path.file_name().unwrap().to_str().unwrap();
            #[expect(clippy::disallowed_methods, reason = "a time that an input may not take, and no result")]
            let start = Instant::now();
            // What is refused says why.
            if let Err(error) = bytes(name, &text, &options()) {
                prop_assert!(!error.to_string().is_empty());
            }
            prop_assert!(start.elapsed() < PATIENCE, "{name}: {:?}", start.elapsed());
        }
    }

    /// The same for what is drafted from it: a draft without an open point loads.
    #[test]
    fn a_spoilt_file_has_a_draft_that_loads(mutations in prop::collection::vec(mutation(), 1..4)) {
        for path in fixtures() {
            let mut text = std::fs::read(&path).unwrap();
            for mutation in &mutations {
                mutation.apply(&mut text);
            }
            let folder = crate::common::Folder::new();
            let file = folder.file(path.file_name().unwrap().to_str().unwrap(), &text);
            let Ok(draft) = crible_ingest::draft(&file, Some("spoilt")) else { continue };
            match crible_ingest::Preset::from_toml(&draft.toml, "draft") {
                Ok(_) => prop_assert!(draft.undecided.is_empty()),
                Err(crible_ingest::PresetError::Undecided { points, .. }) => prop_assert_eq!(points, draft.undecided),
                Err(error) => prop_assert!(false, "{}: {error}\n{}", path.display(), draft.toml),
            }
        }
    }
}

/// `fuzz/targets.sh` and `fuzz/corpus.sh` write them.
#[test]
fn every_parser_has_a_fuzz_target_and_a_corpus() {
    let fuzz = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for parser in crible_ingest::drive::parsers() {
        let target = parser.replace('.', "-");
        let text = std::fs::read_to_string(fuzz.join(format!("fuzz_targets/{target}.rs"))).unwrap();
        assert!(text.contains(&format!("drive(\"{parser}\"")), "{target}");
        let corpus = std::fs::read_dir(fuzz.join("corpus").join(parser)).unwrap();
        let inputs: Vec<Vec<u8>> = corpus.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect();
        assert!(!inputs.is_empty(), "{parser}: no corpus");
        for input in inputs {
            crible_ingest::drive::drive(parser, &input);
        }
    }
}
