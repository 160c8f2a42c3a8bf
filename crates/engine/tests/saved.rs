//! Saved models: damaged ones are refused, old ones still answer.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::*;
use crible::{Engine, Error};
use proptest::prelude::*;

/// Magic, version, length of the body, its CRC-32.
const HEADER: usize = 7 + 1 + 8 + 4;

/// A small model: damage is tried all over it.
fn small() -> Vec<u8> {
    let txns = population(20, 30, 3, FULL);
    quick().fit_rows(60).fit(&batch(&txns)).unwrap().save()
}

fn refused(bytes: &[u8]) -> String {
    match Engine::load(bytes) {
        Ok(_) => panic!("a damaged model was loaded"),
        Err(error @ (Error::NotAModel(_) | Error::Score(_))) => error.to_string(),
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn a_model_comes_back_as_it_was() {
    let bytes = small();
    let engine = Engine::load(&bytes).unwrap();
    assert!(engine.save() == bytes);
    assert_eq!(engine.model().detectors().collect::<Vec<_>>(), DETECTORS);
}

#[test]
fn a_model_cut_short_is_refused_at_every_length() {
    let bytes = small();
    for length in 0..bytes.len() {
        refused(&bytes[..length]);
    }
    refused(&[&bytes[..], &[0]].concat());
    assert_eq!(refused(&bytes[..5]), "this is no saved model: 5 bytes, expected at least 20");
    let message = refused(&bytes[..bytes.len() - 1]);
    let body = bytes.len() - HEADER;
    assert_eq!(message, format!("this is no saved model: {} bytes of body, expected {body}", body - 1));
}

#[test]
fn a_changed_byte_is_found_wherever_it_is() {
    let mut bytes = small();
    // The whole header, then a sample with a stride that is no multiple of any field.
    let places: Vec<_> = (0..HEADER).chain((HEADER..bytes.len()).step_by(13)).collect();
    for at in places {
        for bit in [0x01, 0x80] {
            bytes[at] ^= bit;
            refused(&bytes);
            bytes[at] ^= bit;
        }
    }
    bytes[7] = 10;
    assert_eq!(refused(&bytes), "this is no saved model: format version 10, expected 1 to 9");
    assert_eq!(
        refused(b"PK\x03\x04 is how an archive begins"),
        "this is no saved model: it does not begin with CRIBLEM"
    );
}

/// Columns that are gone, or changed places or meaning since a model was fitted: the error names the column.
#[test]
fn a_model_of_other_columns_is_refused() {
    let bytes = small();
    // The first column's name, and after it its suspicious side.
    let name = Engine::load(&bytes).unwrap().model().columns()[0].name.to_string();
    let end = name.len() + bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
    let mut renamed = bytes.clone();
    renamed[end - 1] = b'_';
    let message = refused(&sealed(renamed));
    let other = format!("{}_", &name[..name.len() - 1]);
    assert!(message.contains(&format!("column 0 is `{other}` in the model and ")), "{message}");
    let mut turned = bytes;
    turned[end] ^= 1;
    let message = refused(&sealed(turned));
    assert!(
        message.contains(&format!("column 0 is `{name}` in the model and of another scale, side or use here")),
        "{message}"
    );
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// A model that an earlier version saved loads, and gives the same answers to the bit.
#[test]
fn an_old_model_still_answers() {
    let saved_again = |bytes: &[u8]| Engine::load(bytes).unwrap().save();
    let names = (1..=9).map(|format| format!("v{format}")).chain(["quiet".to_owned()]);
    for name in names {
        // Formats 1 and 2 are of one model.
        let answers = if name == "v2" { "v1" } else { name.as_str() };
        let (name, answers) = (format!("model-{name}.crible"), format!("model-{answers}.txt"));
        let bytes = fixture(&name);
        let answers = String::from_utf8(fixture(&answers)).unwrap();
        assert_eq!(golden_answers(&bytes), answers, "{name}");
        assert_eq!(golden_answers(&saved_again(&bytes)), answers, "{name}");
    }
    assert!(saved_again(&fixture("model-v1.crible")) == saved_again(&fixture("model-v2.crible")));
    for name in ["model-v9.crible", "model-quiet.crible"] {
        assert!(saved_again(&fixture(name)) == fixture(name), "{name}");
    }
}

/// So does a state, and goes on.
#[test]
fn an_old_state_goes_on() {
    let model = fixture("model-v1.crible");
    let history = golden_history();
    let (past, rest) = history.split_at(history.len() / 2);
    let mut whole = Engine::load(&model).unwrap();
    observed(&mut whole, past);
    let want = observed(&mut whole, rest);
    for name in [
        "state-v1.crible",
        "state-v2.crible",
        "state-v3.crible",
        "state-v4.crible",
        "state-v5.crible",
        "state-v6.crible",
        "state-v7.crible",
    ] {
        let mut engine = Engine::load(&model).unwrap();
        engine.load_state(&fixture(name)).unwrap();
        assert_eq!(differ(&want, &observed(&mut engine, rest)), None, "{name}");
    }
    // Of format 8, after three payments, of which the third is yet to be confirmed.
    let model = fixture("model-v5.crible");
    assert!(golden_state_after(&model, 3) == fixture("state-v8.crible"));
    let mut engine = Engine::load(&model).unwrap();
    engine.load_state(&fixture("state-v8.crible")).unwrap();
    assert_eq!(engine.provisional().map(|txn| txn.id).collect::<Vec<_>>(), [history[2].id]);
    let mut whole = Engine::load(&model).unwrap();
    let want = observed(&mut whole, &history);
    assert_eq!(differ(&want[3..], &observed(&mut engine, &history[3..])), None);
    assert!(engine.save_state() == whole.save_state());
}

/// A state cut short, changed, of another kind or of other families is refused, and leaves the engine as it was.
#[test]
fn a_damaged_state_is_refused() {
    let txns = population(5, 10, 3, FULL);
    let fresh = || Engine::load(small_once()).unwrap();
    let mut engine = fresh();
    for txn in &txns {
        engine.observe(txn).unwrap();
    }
    let bytes = engine.save_state();
    let refused = |bytes: &[u8]| {
        let mut engine = fresh();
        let error = engine.load_state(bytes).unwrap_err();
        assert!(matches!(error, Error::NotAState(_) | Error::State(_)), "{error:?}");
        assert!(engine.save_state() == fresh().save_state());
        error.to_string()
    };
    for length in (0..bytes.len()).step_by(7) {
        refused(&bytes[..length]);
    }
    for at in (0..bytes.len()).step_by(11) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        refused(&changed);
    }
    assert_eq!(refused(small_once()), "this is no saved state: it does not begin with CRIBLES");
    let message = engine.merge(&bytes).unwrap_err().to_string();
    assert!(message.contains("is in both states"), "{message}");
    assert!(engine.save_state() == bytes);
    // A feed without categories has other families.
    let shape = Shape { category: false, ..FULL };
    let other = quick().fit_rows(60).fit(&batch(&population(20, 30, 3, shape))).unwrap();
    assert!(refused(&other.save_state()).starts_with("the state is about account, counterparty, expected"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Checksums find damage, not malice: bytes changed under valid checksums are refused or make a model that scores,
    /// and never a panic.
    #[test]
    fn a_forged_model_does_no_harm(changes in prop::collection::vec((0.0f64..1.0, any::<u8>()), 1..4)) {
        let mut bytes = small_once().to_vec();
        for (share, to) in changes {
            let at = HEADER + ((bytes.len() - HEADER) as f64 * share) as usize;
            bytes[at] = to;
        }
        if let Ok(mut engine) = Engine::load(&sealed(bytes)) {
            for txn in population(2, 3, 1, FULL) {
                if let Ok(observed) = engine.observe(&txn) {
                    observed.explain(3);
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        refused(&bytes);
        let mut begun = b"CRIBLEM\x01".to_vec();
        begun.extend((bytes.len() as u64).to_le_bytes());
        begun.extend(crc32fast::hash(&bytes).to_le_bytes());
        begun.extend(bytes);
        refused(&begun);
    }
}

fn small_once() -> &'static [u8] {
    static SMALL: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    SMALL.get_or_init(small)
}

/// The bytes with the checksums they should have: that of the ensemble within, which ends the body, and that of the
/// body.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 4;
    if let Some(start) = bytes.windows(8).position(|window| window == b"CRIBLEM1") {
        let inner = crc32fast::hash(&bytes[start..end]);
        bytes[end..].copy_from_slice(&inner.to_le_bytes());
    }
    let body = crc32fast::hash(&bytes[HEADER..]);
    bytes[HEADER - 4..HEADER].copy_from_slice(&body.to_le_bytes());
    bytes
}
