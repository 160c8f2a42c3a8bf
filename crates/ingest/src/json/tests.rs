#![allow(clippy::unwrap_used)]

use std::io::Read;

use super::*;

/// Hands out a byte at a time.
struct Bytes<'a>(&'a [u8]);

impl Read for Bytes<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some((first, rest)) = self.0.split_first().filter(|_| !out.is_empty()) else { return Ok(0) };
        (out[0], self.0) = (*first, rest);
        Ok(1)
    }
}

/// Elements as `line route: text`, a wrong one with `!`, then what it stopped at.
#[track_caller]
fn check(shape: &Shape, text: &str, expect: &[&str], stop: Option<&str>) {
    let mut found = Vec::new();
    let mut elements = Elements::new(Bytes(text.as_bytes()), shape.clone());
    let stopped = loop {
        match elements.next() {
            Ok(Some(Element { line, route, text, wrong })) => {
                let sign = if wrong.is_some() { "!" } else { "" };
                found.push(format!("{line} {route}: {sign}{}", String::from_utf8_lossy(&text)));
            }
            Ok(None) => break None,
            Err(stop) => break Some(stop),
        }
    };
    assert!(matches!(elements.next(), Ok(None)), "nothing behind the end");
    assert_eq!(found, expect, "{text}");
    assert_eq!(stopped.map(|stop| stop.described()).as_deref(), stop, "{text}");
}

#[test]
fn an_object_a_line() {
    let text = "\u{feff}{\"a\":1}\r\n\n  {\"b\":{\"c\":[1,2]}}  \nno object\n{\"d\":";
    check(
        &Shape::Lines,
        text,
        &["0 0: {\"a\":1}", "2 0: {\"b\":{\"c\":[1,2]}}", "3 0: no object", "4 0: {\"d\":"],
        None,
    );
    let long = format!("{{\"a\":\"{}\"}}\n{{}}", "x".repeat(2 << 20));
    let mut elements = Elements::new(long.as_bytes(), Shape::Lines);
    let next = |_| elements.next().unwrap().map(|element| (element.line, element.text.len(), element.wrong.is_some()));
    let lines: Vec<_> = (0..3).filter_map(next).collect();
    assert_eq!(lines, [(0, MAX_LINE + 1, true), (1, 2, false)]);
}

#[test]
fn an_array() {
    let check = |text: &str, expect: &[&str], stop: Option<&str>| check(&Shape::Array, text, expect, stop);
    check(" [ ] ", &[], None);
    check("[{}]\n[{}]", &["0 0: {}"], Some("line 2: expected the end of the file"));
    check(
        "[{\"a\":\"]}\\\"\"},\n\n {\"b\":[{}]} ,3]",
        &["0 0: {\"a\":\"]}\\\"\"}", "2 0: {\"b\":[{}]}", "2 0: 3"],
        None,
    );
    check("[{\"a\":},{\"b\":1}]", &["0 0: {\"a\":}", "0 0: {\"b\":1}"], None);
    check("[{\"a\":1}\n{\"b\":1}]", &["0 0: {\"a\":1}"], Some("line 2: expected a comma or the end of the array, ]"));
    check(
        "[{\"a\":1},\n{\"b\":",
        &["0 0: {\"a\":1}"],
        Some("line 2: the file breaks off here; expected the rest of the value"),
    );
    check(
        "[{\"a\":1},{\"b\":[}]",
        &["0 0: {\"a\":1}"],
        Some("line 1: expected the brackets to close as they were opened"),
    );
    let deep = format!("[{}", "[".repeat(1_000));
    check(&deep, &[], Some("line 1: expected values nested at most 128 deep"));
}

#[test]
fn arrays_within_a_document() {
    let shape = Shape::Within(routes(&["t".to_owned(), "Data.T".to_owned(), "Data.U".to_owned()]));
    let text = "{\"x\":{\"t\":[1]},\"Data\":{\"T\":[{\"a\":1}],\"V\":[3],\"U\":[4]},\n\"t\":[{}],\"Data.T\":[9]}";
    check(&shape, text, &["0 1: {\"a\":1}", "0 2: 4", "1 0: {}"], None);
    check(&shape, "{\"t\":{\"a\":1},\"Data\":[1]}", &[], None);
    check(
        &shape,
        "{\"t\":[{}",
        &["0 0: {}"],
        Some("line 1: the file breaks off here; expected a comma or the end of the array, ]"),
    );
    check(&shape, "{\"a\" 1}", &[], Some("line 1: expected a colon behind the key"));
    check(&shape, "{}", &[], None);
}

#[test]
fn the_shape_is_told_by_the_beginning() {
    let arrays = ["transactions".to_owned()];
    let check = |text: &str, lines: bool, array: bool| {
        let shape = Shape::of(text.as_bytes(), &arrays);
        assert_eq!((shape == Shape::Lines, shape == Shape::Array), (lines, array), "{text}");
    };
    check("[{}]", false, true);
    check("{\"a\":1}\n{\"a\":2}", true, false);
    check("{\"a\":1}", true, false);
    check("{\"a\":\n{\"a\":2}", true, false);
    check("{\"transactions\":[{}]}", false, false);
    check("{\"transactions\":[\n{\"a\":1},", false, false);
    check("{\"transactions\":[]}", false, false);
    check("{\n\"transactions\":[{}]}", false, false);
}

#[test]
fn what_begins_like_json() {
    for text in ["[{}]", " [ ]", "{\"a\":1}", "{\n  \"a\": 1", "\u{feff}[{"] {
        assert!(begins(text), "{text}");
    }
    for text in ["{1:F01BANK}{2:", "[Checking]", "a,b", "", "{}x"] {
        assert_eq!(begins(text), text == "{}x", "{text}");
    }
}
