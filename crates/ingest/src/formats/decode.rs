//! From bytes to text, whatever a bank's system writes.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::error::Error;
use crate::input::{Input, older, wide};

/// The beginning of a file, well enough decoded to tell the format.
pub(super) fn head(bytes: &[u8]) -> String {
    lines(match marked(bytes) {
        Some((encoding, bom)) => encoding.decode_without_bom_handling(&bytes[bom..]).0.into_owned(),
        None => String::from_utf8_lossy(bytes).into_owned(),
    })
}

/// A text whose lines end as they do today, where they end as on an old Mac.
fn lines(text: String) -> String {
    if !text.contains('\n') && text.contains('\r') { text.replace('\r', "\n") } else { text }
}

/// The whole file, and what there is to say of it. A compressed file that breaks off keeps what comes before.
pub(super) fn bytes(input: &Input, most: usize) -> Result<(Vec<u8>, Vec<String>), Error> {
    let io = |source| Error::Io { path: input.path.clone(), source };
    let mut warnings = Vec::new();
    let mut bytes = Vec::new();
    let reader = input.text(Arc::new(AtomicU64::new(0))).map_err(io)?;
    if let Err(error) = reader.take(most as u64 + 1).read_to_end(&mut bytes) {
        if bytes.is_empty() {
            return Err(io(error));
        }
        warnings.push(format!("the file breaks off before its end: {error}"));
    }
    if bytes.len() > most {
        let reason = format!("it holds more than {} MiB of text; expected a statement of at most that", most >> 20);
        return Err(Error::Refused { path: input.path.clone(), reason });
    }
    Ok((bytes, warnings))
}

/// The whole text, and what there is to say of its encoding.
pub(super) fn text(input: &Input, most: usize) -> Result<(String, Vec<String>), Error> {
    let (bytes, mut warnings) = bytes(input, most)?;
    let (encoding, skip) = match marked(&bytes) {
        Some((encoding, bom)) => (encoding, bom),
        None => (named(&bytes).unwrap_or_else(|| guessed(&bytes, &mut warnings)), 0),
    };
    let text = if skip == 0 && encoding == UTF_8 {
        // What is valid already needs no second copy.
        String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    } else {
        encoding.decode_without_bom_handling(&bytes[skip..]).0.into_owned()
    };
    Ok((lines(text), warnings))
}

/// The encoding that a byte order mark or the zeros of UTF-16 tell, and the length of the mark.
fn marked(bytes: &[u8]) -> Option<(&'static Encoding, usize)> {
    wide(bytes).or_else(|| bytes.starts_with(b"\xef\xbb\xbf").then_some((UTF_8, 3)))
}

/// The encoding that the text says it is in: an XML declaration, or an OFX header. UTF-8 that names another encoding is
/// taken for what it is: converting a file seldom changes its header.
fn named(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1_024)]).to_ascii_lowercase();
    let label = if let Some((_, rest)) = head.split_once("encoding=").filter(|_| head.contains("<?xml")) {
        rest.trim_start_matches(['"', '\'']).split(['"', '\'', '?']).next()?.trim().to_owned()
    } else {
        let (_, rest) = head.split_once("charset:")?;
        let word = rest.split(['\r', '\n', ' ', '<']).next()?.trim();
        if word.bytes().all(|byte| byte.is_ascii_digit()) { format!("windows-{word}") } else { word.to_owned() }
    };
    let encoding = Encoding::for_label(label.as_bytes())?;
    // These would have been seen by their zero bytes.
    let wide = encoding == UTF_16LE || encoding == UTF_16BE;
    (encoding != UTF_8 && !wide && std::str::from_utf8(bytes).is_err()).then_some(encoding)
}

/// Bytes that are no UTF-8 anywhere are Windows-1252 or, where whole words are beyond ASCII, Windows-1251, as desktop
/// programs of before wrote it. Where some of them are UTF-8, the others are damage.
fn guessed(bytes: &[u8], warnings: &mut Vec<String>) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() || String::from_utf8_lossy(bytes).chars().any(is_beyond_ascii) {
        return UTF_8;
    }
    let encoding = older(bytes);
    let name = if encoding == WINDOWS_1252 { "Windows-1252" } else { "Windows-1251" };
    warnings.push(format!("the text is not UTF-8; read as {name}"));
    encoding
}

fn is_beyond_ascii(letter: char) -> bool {
    !letter.is_ascii() && letter != '\u{fffd}'
}
