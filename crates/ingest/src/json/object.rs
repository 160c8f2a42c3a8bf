//! One object to a row of texts.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::build::Fields;

/// How deep objects within objects are taken apart; what is deeper stays the text that it is.
const MAX_NESTED: usize = 8;
/// The most columns that objects may have.
const MAX_COLUMNS: usize = 4_096;
/// Keys of no column that are told of.
const OTHERS: usize = 10;

/// The columns of a file's objects.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    names: Vec<String>,
    index: HashMap<String, usize>,
    /// Whether a new key becomes a column.
    growing: bool,
    money: Vec<usize>,
    /// Whether amounts are read with a comma before the decimals, as numbers are not written.
    comma: bool,
}

/// One object's texts; nothing where it has none.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    cells: Vec<Vec<u8>>,
    set: Vec<bool>,
    /// The columns in which it has a text that is not empty, of an object that was looked at.
    texts: Vec<usize>,
}

impl Row {
    fn clear(&mut self, width: usize) {
        self.cells.resize(width, Vec::new());
        self.cells.iter_mut().for_each(Vec::clear);
        self.set.clear();
        self.set.resize(width, false);
        self.texts.clear();
    }

    /// The columns in which it has a text, and no number; of an object that was looked at.
    pub(super) fn texts_at(&self) -> impl Iterator<Item = usize> + '_ {
        self.texts.iter().copied()
    }

    /// The texts of so many columns.
    pub(super) fn texts(&self, width: usize) -> Vec<String> {
        let text = |at: usize| self.cells.get(at).map(|text| String::from_utf8_lossy(text).into_owned());
        (0..width).map(|at| text(at).unwrap_or_default()).collect()
    }
}

impl Fields for Row {
    fn len(&self) -> usize {
        self.cells.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        &self.cells[at]
    }
}

impl Columns {
    /// None yet; every key met becomes one.
    pub(super) fn growing() -> Self {
        Self { names: Vec::new(), index: HashMap::new(), growing: true, money: Vec::new(), comma: false }
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// A column, unless there is one of the name or are too many.
    pub(super) fn add(&mut self, name: String) -> Option<usize> {
        if let Some(&at) = self.index.get(&name) {
            return Some(at);
        }
        if self.names.len() == MAX_COLUMNS {
            return None;
        }
        self.index.insert(name.clone(), self.names.len());
        self.names.push(name);
        Some(self.names.len() - 1)
    }

    /// No further columns; amounts are in these.
    pub(super) fn settle(&mut self, money: Vec<usize>, comma: bool) {
        (self.growing, self.money, self.comma) = (false, money, comma);
    }

    /// An object, new keys becoming columns. One that is wrong adds none.
    pub(super) fn grow(&mut self, text: &[u8], row: &mut Row) -> Result<(), String> {
        let mut cells: Vec<(String, Vec<u8>, bool)> = Vec::new();
        let mut wrong = None;
        take_apart(text, "", 0, &mut |name, value| match written(value, false) {
            Ok(_) if cells.iter().any(|(known, ..)| known == name) => wrong = Some(twice(name)),
            Ok(text) => cells.push((name.to_owned(), text, value.starts_with('"'))),
            Err(reason) => wrong = Some(reason),
        })?;
        if let Some(reason) = wrong {
            return Err(reason);
        }
        row.clear(self.names.len());
        for (name, text, quoted) in cells {
            let Some(at) = self.add(name) else {
                return Err(format!("the objects have more than {MAX_COLUMNS} keys; expected at most that"));
            };
            if row.cells.len() <= at {
                row.cells.resize(at + 1, Vec::new());
            }
            if quoted && !text.is_empty() {
                row.texts.push(at);
            }
            row.cells[at] = text;
        }
        Ok(())
    }

    /// An object, keys that are no column going to `others`.
    pub(super) fn read(&self, text: &[u8], row: &mut Row, others: &mut BTreeSet<String>) -> Result<(), String> {
        row.clear(self.names.len());
        let mut wrong = None;
        take_apart(text, "", 0, &mut |name, value| match self.index.get(name) {
            Some(&at) => wrong = wrong.take().or(self.put(at, value, row).err()),
            None if others.len() < OTHERS => drop(others.insert(crate::error::shown(name.as_bytes()))),
            None => {}
        })?;
        wrong.map_or(Ok(()), Err)
    }

    fn put(&self, at: usize, value: &str, row: &mut Row) -> Result<(), String> {
        if std::mem::replace(&mut row.set[at], true) {
            return Err(twice(&self.names[at]));
        }
        let money = self.money.contains(&at);
        let mut cell = written(value, money)?;
        if self.comma && money && !value.starts_with('"') {
            cell.iter_mut().filter(|byte| **byte == b'.').for_each(|byte| *byte = b',');
        }
        row.cells[at] = cell;
        Ok(())
    }
}

fn twice(name: &str) -> String {
    format!("the object has the key `{}` twice; expected it once", crate::error::shown(name.as_bytes()))
}

/// A value as a CSV has it. `money` is a sum: one that is a truth value is none, and not one.
fn written(value: &str, money: bool) -> Result<Vec<u8>, String> {
    Ok(match value.as_bytes() {
        [b'"', ..] => {
            let described = |error: serde_json::Error| format!("{error}; expected text as JSON has it");
            serde_json::from_str::<String>(value).map_err(described)?.into_bytes()
        }
        b"null" => Vec::new(),
        // As Parquet's truth values are written.
        b"true" if !money => b"1".to_vec(),
        b"false" if !money => b"0".to_vec(),
        number @ [b'-' | b'0'..=b'9', ..] => plain(number).unwrap_or_else(|| number.to_vec()),
        other => other.to_vec(),
    })
}

/// A number with an exponent (`1.25e3`) as it is without (`1250`), digit for digit; nothing where it has none, or one
/// that no amount has.
fn plain(number: &[u8]) -> Option<Vec<u8>> {
    let at = number.iter().position(|byte| matches!(byte, b'e' | b'E'))?;
    let (mantissa, exponent) = (&number[..at], std::str::from_utf8(&number[at + 1..]).ok()?);
    let exponent: i32 = exponent.parse().ok().filter(|exponent| (-40..=40).contains(exponent))?;
    let (sign, digits) = match mantissa {
        [b'-', rest @ ..] => (&b"-"[..], rest),
        rest => (&b""[..], rest),
    };
    let point = digits.iter().position(|&byte| byte == b'.').unwrap_or(digits.len());
    let mut all: Vec<u8> = digits.iter().copied().filter(|byte| byte.is_ascii_digit()).collect();
    let mut place = point as i32 + exponent;
    while place <= 0 {
        all.insert(0, b'0');
        place += 1;
    }
    while all.len() < place as usize {
        all.push(b'0');
    }
    let (whole, fraction) = all.split_at(place as usize);
    let whole = &whole[whole.iter().position(|&byte| byte != b'0').unwrap_or(whole.len() - 1)..];
    let mut plain = [sign, whole].concat();
    if !fraction.is_empty() {
        plain.push(b'.');
        plain.extend(fraction);
    }
    Some(plain)
}

/// Hands on every value of an object as it is written, by its name.
fn take_apart(text: &[u8], prefix: &str, depth: usize, take: &mut dyn FnMut(&str, &str)) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read = deserializer.deserialize_map(Entries { prefix, depth, take }).and_then(|()| deserializer.end());
    read.map_err(|error| {
        // The line is that of the object, of which the reject tells the first.
        let described = error.to_string();
        let described = described.split(" at line ").next().unwrap_or_default();
        format!("it is no JSON object (column {}: {described}); expected an object of names and values", error.column())
    })
}

struct Entries<'a> {
    prefix: &'a str,
    depth: usize,
    take: &'a mut dyn FnMut(&str, &str),
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
            let name = if self.prefix.is_empty() { key } else { format!("{}.{key}", self.prefix) };
            let value = value.get();
            if value.starts_with('{') && self.depth < MAX_NESTED {
                take_apart(value.as_bytes(), &name, self.depth + 1, self.take).map_err(serde::de::Error::custom)?;
            } else {
                (self.take)(&name, value);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_worked_out_digit_for_digit() {
        let check = |number: &str, expect: Option<&str>| {
            assert_eq!(
                plain(number.as_bytes()).map(|text| String::from_utf8_lossy(&text).into_owned()).as_deref(),
                expect
            );
        };
        check("1250", None);
        check("1.25e3", Some("1250"));
        check("-1.25E+1", Some("-12.5"));
        check("1e-2", Some("0.01"));
        check("120e-1", Some("12.0"));
        check("9007199254740993.1e0", Some("9007199254740993.1"));
        check("0e5", Some("0"));
        check("1e400", None);
    }
}
