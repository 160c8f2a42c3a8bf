//! A text as UTF-8, whatever it is encoded in, as it is read.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use chardetng::EncodingDetector;
use encoding_rs::{
    BIG5, Decoder, DecoderResult, EUC_JP, EUC_KR, Encoding, GBK, IBM866, ISO_8859_2, KOI8_U, SHIFT_JIS, UTF_16BE,
    UTF_16LE, WINDOWS_874, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1255,
    WINDOWS_1256, WINDOWS_1257,
};

/// Bytes that tell UTF-16 without a byte order mark.
const HEAD: usize = 4 << 10;

/// Bytes looked at from the first that is not ASCII on, to tell UTF-8 from encodings of one byte a letter.
const WINDOW: usize = 64 << 10;

/// Bytes decoded at a time.
const CHUNK: usize = 64 << 10;

/// What a text turned out to be encoded in, where that is worth telling.
#[derive(Debug, Default)]
pub(crate) struct Heard(OnceLock<&'static str>);

impl Heard {
    /// In words.
    pub(crate) fn described(&self) -> Option<&'static str> {
        self.0.get().copied()
    }

    fn set(&self, encoding: &'static Encoding) {
        let described = match encoding {
            wide if wide == UTF_16LE => "the text is UTF-16, little-endian",
            wide if wide == UTF_16BE => "the text is UTF-16, big-endian",
            encoding => {
                OLDER.iter().find(|(older, _)| *older == encoding).map_or(OLDER[0].1, |(_, described)| described)
            }
        };
        // Whoever reads the same input a second time hears the same.
        let _ = self.0.set(described);
    }
}

/// Encodings of before UTF-8 that texts are told to be in.
static OLDER: [(&Encoding, &str); 17] = [
    (WINDOWS_1252, "the text is not UTF-8; read as Windows-1252"),
    (WINDOWS_1251, "the text is not UTF-8; read as Windows-1251"),
    (WINDOWS_1250, "the text is not UTF-8; read as Windows-1250"),
    (ISO_8859_2, "the text is not UTF-8; read as ISO 8859-2"),
    (WINDOWS_1253, "the text is not UTF-8; read as Windows-1253"),
    (WINDOWS_1254, "the text is not UTF-8; read as Windows-1254"),
    (WINDOWS_1255, "the text is not UTF-8; read as Windows-1255"),
    (WINDOWS_1256, "the text is not UTF-8; read as Windows-1256"),
    (WINDOWS_1257, "the text is not UTF-8; read as Windows-1257"),
    (WINDOWS_874, "the text is not UTF-8; read as Windows-874"),
    (KOI8_U, "the text is not UTF-8; read as KOI8-U"),
    (IBM866, "the text is not UTF-8; read as IBM 866"),
    (SHIFT_JIS, "the text is not UTF-8; read as Shift JIS"),
    (EUC_JP, "the text is not UTF-8; read as EUC-JP"),
    (EUC_KR, "the text is not UTF-8; read as EUC-KR"),
    (GBK, "the text is not UTF-8; read as GBK"),
    (BIG5, "the text is not UTF-8; read as Big5"),
];

/// The encoding of two bytes a letter that a text is in, and the length of its byte order mark: by that mark, or by the
/// zeros that such letters have where a text is mostly ASCII.
pub(crate) fn wide(head: &[u8]) -> Option<(&'static Encoding, usize)> {
    match head {
        [0xff, 0xfe, 0, 0, ..] => return None,
        [0xff, 0xfe, ..] => return Some((UTF_16LE, 2)),
        [0xfe, 0xff, ..] => return Some((UTF_16BE, 2)),
        _ => {}
    }
    let pairs = &head[..head.len().min(HEAD)];
    let (pairs, _) = pairs.as_chunks::<2>();
    let little = pairs.iter().filter(|pair| pair[0] != 0 && pair[1] == 0).count();
    let big = pairs.iter().filter(|pair| pair[0] == 0 && pair[1] != 0).count();
    if pairs.len() < 4 || pairs.contains(&[0, 0]) {
        None
    } else if little * 2 > pairs.len() && big == 0 {
        Some((UTF_16LE, 0))
    } else if big * 2 > pairs.len() && little == 0 {
        Some((UTF_16BE, 0))
    } else {
        None
    }
}

/// Which encoding a text is in that is no UTF-8: Cyrillic words are made of letters beyond ASCII, which tells them in a
/// few bytes; others are told by how often letters follow one another.
pub(crate) fn older(window: &[u8]) -> &'static Encoding {
    let is_letter = |byte: &u8| *byte >= 0xc0 || matches!(byte, 0xa8 | 0xb8);
    let all = window.iter().filter(|byte| is_letter(byte)).count();
    let in_words: usize = window.split(|byte| !is_letter(byte)).map(<[u8]>::len).filter(|&length| length >= 3).sum();
    let mut detector = EncodingDetector::new();
    detector.feed(window, true);
    let guess = detector.guess(None, false);
    let is_cyrillic = all > 0 && in_words * 3 >= all * 2;
    match guess {
        guess if OLDER.iter().any(|(older, _)| *older == guess) && guess != WINDOWS_1252 => guess,
        _ if is_cyrillic => WINDOWS_1251,
        _ => WINDOWS_1252,
    }
}

/// Bytes of which none are UTF-8 beyond ASCII are an encoding of before it, as desktop programs wrote them. Where some
/// of them are UTF-8, the others are damage.
fn is_older(window: &[u8]) -> bool {
    let mut damage = false;
    for chunk in window.utf8_chunks() {
        if !chunk.valid().is_ascii() {
            return false;
        }
        damage |= !chunk.invalid().is_empty();
    }
    damage
}

/// Hands on UTF-8 as it is, damage included, and transcodes the rest. A letter that its encoding does not have becomes
/// a byte that UTF-8 does not have, so that its row is rejected as any damaged one is.
pub(super) struct Utf8<R> {
    inner: R,
    /// Read from `inner` and not handed on.
    pending: Vec<u8>,
    at: usize,
    /// What `inner` broke off with; told once everything before it has been handed on.
    failed: Option<io::Error>,
    state: State,
    heard: Arc<Heard>,
}

enum State {
    Start,
    /// Nothing but ASCII so far.
    Ascii,
    /// UTF-8, or what is taken for it.
    Plain,
    Decoding(Decoding),
}

struct Decoding {
    decoder: Decoder,
    ready: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Utf8<R> {
    pub(super) fn new(inner: R, heard: Arc<Heard>) -> Self {
        Self { inner, pending: Vec::new(), at: 0, failed: None, state: State::Start, heard }
    }

    fn rest(&self) -> &[u8] {
        &self.pending[self.at..]
    }

    /// Reads until `goal` bytes are pending or the input ends.
    fn fill(&mut self, goal: usize) {
        let wanted = goal.saturating_sub(self.rest().len());
        if self.failed.is_none()
            && let Err(error) = self.inner.by_ref().take(wanted as u64).read_to_end(&mut self.pending)
        {
            self.failed = Some(error);
        }
    }

    fn start(&mut self) -> io::Result<()> {
        self.fill(HEAD);
        if matches!(self.rest(), [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..]) {
            let reason = "the text is UTF-32; expected UTF-8 or UTF-16 (save or export it as UTF-8)";
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        self.state = if let Some((encoding, bom)) = wide(self.rest()) {
            self.at += bom;
            self.decoding(encoding)
        } else if self.rest().starts_with(b"\xef\xbb\xbf") {
            State::Plain
        } else {
            State::Ascii
        };
        Ok(())
    }

    fn decoding(&self, encoding: &'static Encoding) -> State {
        self.heard.set(encoding);
        let decoder = encoding.new_decoder_without_bom_handling();
        State::Decoding(Decoding { decoder, ready: Vec::new(), at: 0, ended: false })
    }

    /// Hands on up to `most` pending bytes.
    fn hand(&mut self, out: &mut [u8], most: usize) -> usize {
        let length = out.len().min(most);
        out[..length].copy_from_slice(&self.pending[self.at..self.at + length]);
        self.at += length;
        length
    }

    /// The next bytes of the input as they are.
    fn through(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.inner.read(out),
        }
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            let rest = self.rest().len();
            match &mut self.state {
                State::Start => self.start()?,
                State::Plain if rest == 0 => return self.through(out),
                State::Plain => return Ok(self.hand(out, rest)),
                State::Ascii if rest == 0 => {
                    let read = self.through(out)?;
                    let ascii = Encoding::ascii_valid_up_to(&out[..read]);
                    if ascii < read {
                        self.pending.clear();
                        self.pending.extend_from_slice(&out[ascii..read]);
                        self.at = 0;
                    }
                    if ascii > 0 || read == 0 {
                        return Ok(ascii);
                    }
                }
                State::Ascii => match Encoding::ascii_valid_up_to(self.rest()) {
                    0 => {
                        self.fill(WINDOW);
                        let window = &self.rest()[..self.rest().len().min(WINDOW)];
                        let encoding = is_older(window).then(|| older(window));
                        self.state = encoding.map_or(State::Plain, |encoding| self.decoding(encoding));
                    }
                    ascii => return Ok(self.hand(out, ascii)),
                },
                State::Decoding(decoding) => {
                    let rest = &decoding.ready[decoding.at..];
                    if !rest.is_empty() {
                        let length = out.len().min(rest.len());
                        out[..length].copy_from_slice(&rest[..length]);
                        decoding.at += length;
                        return Ok(length);
                    }
                    if decoding.ended {
                        return Ok(0);
                    }
                    self.decode()?;
                }
            }
        }
    }
}

impl<R: Read> Utf8<R> {
    /// Decodes the next chunk.
    fn decode(&mut self) -> io::Result<()> {
        if self.rest().is_empty() {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            self.pending.clear();
            self.at = 0;
            self.fill(CHUNK);
        }
        let State::Decoding(decoding) = &mut self.state else { return Ok(()) };
        let Decoding { decoder, ready, at, ended } = decoding;
        let source = &self.pending[self.at..];
        *ended = source.is_empty() && self.failed.is_none();
        ready.clear();
        *at = 0;
        let mut read = 0;
        loop {
            let filled = ready.len();
            ready.resize(filled + (source.len() - read) * 3 + 16, 0);
            let (result, more, written) =
                decoder.decode_to_utf8_without_replacement(&source[read..], &mut ready[filled..], *ended);
            ready.truncate(filled + written);
            read += more;
            match result {
                DecoderResult::Malformed(..) => ready.push(0xff),
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
            }
        }
        self.at += read;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Hands out a few bytes at a time, then breaks off where it should.
    struct Trickle<'a> {
        rest: &'a [u8],
        step: usize,
        breaks: bool,
    }

    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.rest.is_empty() && self.breaks {
                return Err(io::Error::other("broken off"));
            }
            let length = self.step.min(out.len()).min(self.rest.len());
            let (head, tail) = self.rest.split_at(length);
            out[..length].copy_from_slice(head);
            self.rest = tail;
            Ok(length)
        }
    }

    fn read(bytes: &[u8], step: usize, room: usize, breaks: bool) -> (Vec<u8>, Option<&'static str>, bool) {
        let heard = Arc::new(Heard::default());
        let mut reader = Utf8::new(Trickle { rest: bytes, step, breaks }, heard.clone());
        let (mut text, mut buffer) = (Vec::new(), vec![0; room]);
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return (text, heard.described(), false),
                Ok(read) => text.extend_from_slice(&buffer[..read]),
                Err(_) => return (text, heard.described(), true),
            }
        }
    }

    /// The same text, however it trickles in and whether it breaks off.
    #[track_caller]
    fn check(bytes: &[u8], expect: &[u8], described: Option<&str>) {
        for (step, room) in [(1, 1), (7, 3), (1 << 20, 1 << 20), (3, 1 << 16), (1 << 16, 5)] {
            for breaks in [false, true] {
                let (text, heard, broke) = read(bytes, step, room, breaks);
                assert!(text == expect, "{step} {room}: {} bytes for {}", text.len(), expect.len());
                assert_eq!(heard.map(|described| described.rsplit(' ').next().unwrap()), described, "{step} {room}");
                assert_eq!(broke, breaks);
            }
        }
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    #[test]
    fn utf8_is_handed_on_as_it_is() {
        check(b"", b"", None);
        check(b"plain", b"plain", None);
        check("\u{feff}a,é\n".as_bytes(), "\u{feff}a,é\n".as_bytes(), None);
        check("naïve ☕".as_bytes(), "naïve ☕".as_bytes(), None);
        let damaged = ["ok é ".as_bytes(), b"\xff bad"].concat();
        check(&damaged, &damaged, None);
        // Damage first, then what only UTF-8 has: it is damage.
        let damaged = [b"bad \xe9 then ", "é".as_bytes()].concat();
        check(&damaged, &damaged, None);
    }

    #[test]
    fn windows_1252_is_what_has_no_utf8_in_it() {
        check(b"caf\xe9 \x80", "café €".as_bytes(), Some("Windows-1252"));
        let mut long = vec![b'x'; 100_000];
        long.extend(b"\xe9");
        let mut expect = vec![b'x'; 100_000];
        expect.extend("é".bytes());
        check(&long, &expect, Some("Windows-1252"));
    }

    #[test]
    fn utf16_with_a_mark_and_without() {
        let text = "date,name\n2024-01-01,Zoë 🎈\n";
        for (little, mark, described) in [(true, &[0xff, 0xfe], "little-endian"), (false, &[0xfe, 0xff], "big-endian")]
        {
            check(&utf16(text, little), text.as_bytes(), Some(described));
            check(&[&mark[..], &utf16(text, little)].concat(), text.as_bytes(), Some(described));
        }
        // Half a pair is no letter, and neither is half a unit.
        let mut bytes = [&[0xff, 0xfe][..], &utf16("a", true), &[0x00, 0xd8], &utf16("b", true)].concat();
        bytes.push(b'c');
        let (text, ..) = read(&bytes, 3, 4, false);
        assert_eq!(text, b"a\xffb\xff");
    }

    #[test]
    fn zeros_alone_are_no_utf16() {
        check(&[0; 5_000], &[0; 5_000], None);
        check(b"a\0\0\0", b"a\0\0\0", None);
    }

    #[test]
    fn utf32_is_refused() {
        let (text, _, broke) = read(b"\xff\xfe\0\0a\0\0\0", 64, 64, false);
        assert!(text.is_empty() && broke);
    }
}
