//! E-mail addresses and the handles of wallets.

use super::{Kind, Span};

fn local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._%+-".contains(&byte) || byte >= 0x80
}

fn domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-".contains(&byte) || byte >= 0x80
}

/// Around every `@`: what stands between two of them is looked at twice.
pub(super) fn find(text: &str, spans: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let mut gone = None;
    for at in memchr::memchr_iter(b'@', bytes) {
        let before = bytes[..at].iter().rev().take_while(|&&byte| local(byte)).count();
        let behind = bytes[at + 1..].iter().take_while(|&&byte| domain(byte)).count();
        let name = &text[at + 1..at + 1 + behind];
        let name = name.trim_end_matches(['.', '-']);
        let end = at + 1 + name.len();
        let dotted = name.split('.').filter(|label| !label.is_empty()).count() > 1;
        // Behind one that goes there is nothing left that could be its local part.
        let bare = before == 0 || gone == Some(at);
        if before > 0 && dotted {
            spans.push(Span { start: at - before, end, kind: Kind::Email });
            gone = Some(end);
        } else if bare && name.chars().filter(|letter| letter.is_alphabetic()).count() > 2 {
            spans.push(Span { start: at, end, kind: Kind::Handle });
            gone = Some(end);
        }
    }
}
