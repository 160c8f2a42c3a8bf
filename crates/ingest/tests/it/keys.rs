//! Where the key comes from, and that it stays there.

use crible_ingest::{
    Error, FileReport, Import, Key, KeyError, KeyOrigin, Mapping, Options, Preset, Presets, Progress, Recognition,
    Reject,
};

use crate::common::{Folder, fixture, import, options};

#[test]
fn without_a_key_the_contents_make_one() {
    let none = Options::default();
    let files = [fixture("handbook.csv"), fixture("paysim.csv")];
    let turned = [files[1].clone(), files[0].clone()];
    let (first, _) = import(&files, &none).unwrap();
    let (again, _) = import(&turned, &none).unwrap();
    assert_eq!(first.key_origin, KeyOrigin::Contents);
    assert_eq!(first.batch, again.batch);
    let (alone, _) = import(&files[..1], &none).unwrap();
    assert!(alone.batch.accounts().iter().all(|account| !first.batch.accounts().contains(account)));
}

#[test]
fn a_key_file_is_a_key_anywhere() {
    let folder = Folder::new();
    let secret = "f00dfeed".repeat(8);
    let path = folder.file("tenant.key", format!("{secret}\n"));
    let from = |key| import(&[fixture("handbook.csv")], &Options { key: Some(key), ..Options::default() }).unwrap().0;
    let file = from(Key::from_file(&path).unwrap());
    let text = from(Key::from_text(&secret).unwrap());
    assert_eq!(file.batch, text.batch);
    assert_eq!(file.key_origin, KeyOrigin::File(path));
    let short = Key::from_file(&folder.file("short.key", "secret")).unwrap_err();
    assert!(matches!(short, KeyError::Short { bytes: 6 }), "{short}");
}

#[test]
fn no_raw_identifier_is_in_what_comes_out() {
    let (import, _) = import(&[fixture("sparkov.csv")], &options()).unwrap();
    let shown = format!("{import:?}");
    for raw in ["4000123412341234", "Tully", "aa01"] {
        assert!(!shown.contains(raw), "{raw}");
    }
}

#[test]
fn everything_public_can_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<(Error, FileReport, Import, Key, KeyError, KeyOrigin, Mapping)>();
    crosses::<(Options, Preset, Presets, Progress, Recognition, Reject)>();
}
