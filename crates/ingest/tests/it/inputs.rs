//! What a user names: folders, patterns, archives.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use crible_ingest::{Error, Import, read_bytes, recognise};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::common::{Folder, bytes, import, options};

const HEADER: &str =
    "id,time,account,counterparty,amount,currency,category,channel,country,latitude,longitude,balance,fraud";

/// A file of one transaction.
pub(crate) fn one(id: &str) -> String {
    format!("{HEADER}\n{id},2024-03-01T09:00:00Z,ada,bakery,-4.20,EUR,,,,,,,\n")
}

/// The archive of members; a name that ends in a slash is a folder.
pub(crate) fn zip(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let how = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in members {
        if name.ends_with('/') {
            zip.add_directory(*name, how).unwrap();
        } else {
            zip.start_file(*name, how).unwrap();
            zip.write_all(bytes).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// The files read, from the folder on.
fn names(import: &Import, folder: &Folder) -> Vec<String> {
    let name = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_owned();
    import.files.iter().map(|file| name(&file.path)).collect()
}

#[test]
fn a_folder_is_its_data_files() {
    let folder = Folder::new();
    for sub in ["b", "b/deep", ".git"] {
        fs::create_dir(folder.path().join(sub)).unwrap();
    }
    folder.file("z.csv", one("z"));
    folder.file("b/a.CSV", one("a"));
    folder.file("b/deep/c.csv.gz", gzip(one("c").as_bytes()));
    for odd in [".git/x.csv", ".hidden.csv", "notes.md", "b/scan.pdf", "b/deep/no-ending"] {
        folder.file(odd, one("never"));
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path(), folder.path().join("b/loop")).unwrap();
    let (read, rejects) = import(&[folder.path().to_owned()], &options()).unwrap();
    assert_eq!((read.batch.len(), rejects.len(), read.errors.len()), (3, 0, 0));
    assert_eq!(names(&read, &folder), ["b/a.CSV", "b/deep/c.csv.gz", "z.csv"]);
    let [note] = &read.notes[..] else { panic!("{:?}", read.notes) };
    assert!(note.starts_with(if cfg!(unix) { "passed over 6 files" } else { "passed over 5 files" }), "{note}");
    assert!(note.contains("notes.md") || note.contains("more"), "{note}");
    // What is named twice is read once, and what is named itself whatever it is called.
    let named = [folder.path().to_owned(), folder.path().join("z.csv"), folder.path().join("notes.md")];
    assert_eq!(import(&named, &options()).unwrap().0.files.len(), 4);
}

#[test]
fn a_folder_without_data_is_an_error() {
    let folder = Folder::new();
    folder.file("notes.md", "nothing");
    let error = import(&[folder.path().to_owned()], &options()).unwrap_err();
    assert!(matches!(&error, Error::Refused { reason, .. } if reason.contains("no data file")), "{error}");
}

#[test]
fn patterns_are_expanded_where_the_shell_did_not() {
    let folder = Folder::new();
    folder.file("june.csv", one("a"));
    folder.file("july.csv", one("b"));
    folder.file("august.txt", one("c"));
    folder.file(".ju.csv", one("d"));
    let (read, _) = import(&[folder.path().join("*.csv")], &options()).unwrap();
    assert_eq!(names(&read, &folder), ["july.csv", "june.csv"]);
    let (read, _) = import(&[folder.path().join("ju[n]e.*")], &options()).unwrap();
    assert_eq!(names(&read, &folder), ["june.csv"]);
    // A file of that very name comes before the pattern that it looks like.
    folder.file("ju[n]e.csv", one("e"));
    let (read, _) = import(&[folder.path().join("ju[n]e.csv")], &options()).unwrap();
    assert_eq!(names(&read, &folder), ["ju[n]e.csv"]);
    let error = import(&[folder.path().join("*.parquet")], &options()).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("*.parquet")), "{error}");
}

#[test]
fn each_member_of_an_archive_is_an_input() {
    let text = one("a");
    let wide: Vec<u8> = one("w").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let packed = gzip(one("b").as_bytes());
    let members: &[(&str, &[u8])] = &[
        ("2024/", b""),
        ("2024/june.csv", text.as_bytes()),
        ("2024/july.csv.gz", &packed),
        ("__MACOSX/2024/._june.csv", b"nothing"),
        ("read me.pdf", b"nothing"),
        ("wide.csv", &wide),
    ];
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let folder = Folder::new();
        let path = folder.file("export.zip", zip(members, method));
        let (read, rejects) = import(std::slice::from_ref(&path), &options()).unwrap();
        assert_eq!((read.batch.len(), rejects.len()), (3, 0));
        let expect = ["export.zip/2024/july.csv.gz", "export.zip/2024/june.csv", "export.zip/wide.csv"];
        assert_eq!(names(&read, &folder), expect);
        assert!(read.notes[0].starts_with("passed over 2 files"), "{:?}", read.notes);
        // Without a key one is made of what the members hold, not of how they are packed.
        let bare = crible_ingest::Options::default();
        let unpacked = Folder::new();
        let plain = [unpacked.file("a.csv", &text), unpacked.file("b.csv.gz", &packed), unpacked.file("c.csv", &wide)];
        // Rows of one time stand in the order of the files' names, which are others here.
        let ids = |paths: &[PathBuf]| {
            let mut ids = import(paths, &bare).unwrap().0.batch.ids().to_vec();
            ids.sort_unstable();
            ids
        };
        assert_eq!(ids(&[path]), ids(&plain));
    }
}

#[test]
fn rejects_of_a_member_name_it() {
    let text = format!("{}bad\n", one("a"));
    let folder = Folder::new();
    let path = folder.file("x.zip", zip(&[("in.csv", text.as_bytes())], CompressionMethod::Deflated));
    let (_, rejects) = import(&[path], &options()).unwrap();
    assert!(rejects[0].file.ends_with("x.zip/in.csv") && rejects[0].line == 3, "{rejects:?}");
}

#[test]
fn an_archive_that_is_wrong_is_refused() {
    let refused = |name: &str, packed: Vec<u8>, what: &str| {
        let error = bytes(name, packed, &options()).unwrap_err();
        assert!(matches!(&error, Error::Refused { reason, .. } if reason.contains(what)), "{error}");
    };
    refused("none.zip", zip(&[("a.pdf", b"x")], CompressionMethod::Stored), "no data file");
    let whole = zip(&[("a.csv", one("a").as_bytes())], CompressionMethod::Stored);
    refused("half.zip", whole[..whole.len() / 2].to_vec(), "zip archive");
    // A byte that is not the one that was packed: the checksum tells, once all of it has been read.
    let mut other = whole.clone();
    let at = other.windows(6).position(|window| window == b"bakery").unwrap();
    other[at] = b'c';
    let (read, _) = bytes("other.zip", other, &options()).unwrap();
    assert!(read.files[0].warnings.iter().any(|warning| warning.contains("checksum")), "{:?}", read.files);
}

#[test]
fn a_feed_is_recognised_within_an_archive_of_one() {
    let folder = Folder::new();
    let one_file = folder.file("one.zip", zip(&[("a.csv", one("a").as_bytes())], CompressionMethod::Deflated));
    assert_eq!(recognise(&one_file, &options()).unwrap().feed, "crible");
    let (a, b) = (one("a"), one("b"));
    let members: &[(&str, &[u8])] = &[("a.csv", a.as_bytes()), ("b.csv", b.as_bytes())];
    let two = folder.file("two.zip", zip(members, CompressionMethod::Deflated));
    let error = recognise(&two, &options()).unwrap_err();
    assert!(matches!(&error, Error::Refused { reason, .. } if reason.contains("2 files")), "{error}");
}

/// What would be a file is read from memory as the file is: every fixture, and an archive of two.
#[test]
fn bytes_are_read_as_their_file_is() {
    let folder = Folder::new();
    let (a, b) = (one("a"), one("b"));
    let members = [("a.csv", a.as_bytes()), ("b.csv", b.as_bytes())];
    folder.file("two.zip", zip(&members, CompressionMethod::Deflated));
    let mut files = crible_ingest::files(&[PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"))]);
    files.extend(crible_ingest::files(&[folder.path().to_owned()]));
    assert!(files.len() > 100, "{}", files.len());
    for file in files {
        let mut rejects = Vec::new();
        let (bytes, mut take) = (fs::read(&file).unwrap(), |reject| rejects.push(reject));
        let from_memory = read_bytes(&file, bytes, &options(), &mut take, &|_| {});
        match (import(std::slice::from_ref(&file), &options()), from_memory) {
            (Ok((read, rejected)), Ok(from_memory)) => {
                assert_eq!(read.batch, from_memory.batch, "{}", file.display());
                assert_eq!((read.files, rejected), (from_memory.files, rejects), "{}", file.display());
            }
            (Err(read), Err(from_memory)) => assert_eq!(read.to_string(), from_memory.to_string()),
            (read, from_memory) => panic!("{}: {read:?} and {from_memory:?}", file.display()),
        }
    }
}
