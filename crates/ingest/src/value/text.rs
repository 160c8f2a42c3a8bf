use std::borrow::Cow;

/// `&amp;` and its like, once: what a bank's web export leaves in descriptions. A sign that starts no known entity
/// stays as it is.
pub(crate) fn unescape_html(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'&') {
        return Cow::Borrowed(text);
    }
    const ENTITIES: [(&[u8], &[u8]); 7] = [
        (b"&amp;", b"&"),
        (b"&lt;", b"<"),
        (b"&gt;", b">"),
        (b"&quot;", b"\""),
        (b"&#39;", b"'"),
        (b"&apos;", b"'"),
        (b"&nbsp;", b" "),
    ];
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        match ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity)) {
            Some((entity, plain)) => {
                out.extend_from_slice(plain);
                rest = &rest[entity.len()..];
            }
            None => {
                out.push(first);
                rest = tail;
            }
        }
    }
    Cow::Owned(out)
}

/// Without a character that stands on either side.
pub(crate) fn strip(text: &[u8], letter: Option<u8>) -> &[u8] {
    match (letter, text) {
        (Some(letter), [first, inner @ .., last]) if *first == letter && *last == letter => inner.trim_ascii(),
        _ => text,
    }
}

/// What a word of a label means: a whole number however it is written, a yes as 1, a no as 0.
pub(crate) fn meant(word: &[u8]) -> Option<i64> {
    let is = |words: &[&[u8]]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is(&[b"true", b"yes", b"y", b"t"]) {
        return Some(1);
    }
    if is(&[b"false", b"no", b"n", b"f"]) {
        return Some(0);
    }
    let number: f64 = std::str::from_utf8(word).ok()?.parse().ok()?;
    (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
}

/// A number of degrees.
pub(crate) fn degrees(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok().filter(|degrees: &f64| degrees.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_mean_numbers() {
        for (word, expect) in
            [("1.0", Some(1)), ("0.00", Some(0)), ("1e0", Some(1)), ("True", Some(1)), ("no", Some(0))]
        {
            assert_eq!(meant(word.as_bytes()), expect, "{word}");
        }
        for word in ["NA", "nan", "0.5", "", "inf", "fraud"] {
            assert_eq!(meant(word.as_bytes()), None, "{word}");
        }
    }

    #[test]
    fn entities_are_undone_once() {
        let check = |from: &str, to: &str| assert_eq!(&*unescape_html(from.as_bytes()), to.as_bytes());
        check("plain", "plain");
        check("BARNES &amp; NOBLE", "BARNES & NOBLE");
        check("&amp;lt; AT&T &#39;&quot;", "&lt; AT&T '\"");
        check("&amp", "&amp");
    }
}
