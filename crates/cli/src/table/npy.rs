//! An array in NumPy's format (NEP 1), read as a stream: nothing but the numbers is held.
//!
//! Ours and not `ndarray-npy`'s, which reads an array whole before its columns can be set apart: twice the memory of
//! the numbers.

use std::io::{self, Read};

use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use py_literal::Value;

/// What is wrong with an array; a sentence that begins with it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("is not in NumPy's format: {0}")]
    Head(String),
    #[error("is not one of numbers: its type is {0}")]
    Kind(String),
    #[error("holds the byte {0} where a truth value is expected, 0 or 1")]
    Truth(u8),
    #[error("ends before the last of its {0:?} numbers")]
    Short(Vec<usize>),
    #[error("goes on after the last of its {0:?} numbers")]
    Long(Vec<usize>),
    #[error("is too large for this machine: {0:?} numbers")]
    Large(Vec<usize>),
}

/// An array of which the head is read and the numbers are to come.
pub(super) struct Npy<R> {
    shape: Vec<usize>,
    /// Whether the first axis varies fastest.
    by_column: bool,
    kind: Kind,
    numbers: R,
}

/// How a number is written.
struct Kind {
    bytes: usize,
    number: fn(&[u8]) -> Result<f64, Fault>,
}

/// The longest head that is read. Those of plain numbers have some hundred bytes, and a compressed one of gigabytes is
/// small.
const LONGEST_HEAD: u64 = 1 << 16;

/// Numbers taken out of the file at a time.
const CHUNK: usize = 1 << 13;

impl<R: Read> Npy<R> {
    /// Reads the head of an array that takes `size` bytes.
    pub(super) fn open(mut file: R, size: u64) -> Result<Self, Fault> {
        let head = |what: &str| Fault::Head(what.to_owned());
        let mut start = [0; 8];
        file.read_exact(&mut start).map_err(|_| head("it has no head"))?;
        let long = match start {
            [0x93, b'N', b'U', b'M', b'P', b'Y', 1, 0] => false,
            [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, 0] => true,
            [0x93, b'N', b'U', b'M', b'P', b'Y', major, minor] => {
                return Err(Fault::Head(format!("expected version 1, 2 or 3, got {major}.{minor}")));
            }
            _ => return Err(head("it does not begin as one")),
        };
        let mut length = [0; 4];
        file.read_exact(&mut length[..if long { 4 } else { 2 }]).map_err(|_| head("its head ends early"))?;
        let length = u64::from(u32::from_le_bytes(length));
        if length > LONGEST_HEAD {
            return Err(Fault::Head(format!("its head has {length} bytes, expected at most {LONGEST_HEAD}")));
        }
        let mut text = String::new();
        let read = file.by_ref().take(length).read_to_string(&mut text)? as u64;
        if read < length {
            return Err(head("its head ends early"));
        }
        let fields: Value = text.trim().parse().map_err(|_| head("its head is no dictionary of Python's"))?;
        let field = |name: &str| {
            let mut fields = fields.as_dict()?.iter();
            fields.find_map(|(key, value)| (key.as_string()? == name).then_some(value))
        };
        let kind = field("descr").ok_or_else(|| head("its head has no `descr`"))?;
        let by_column = field("fortran_order").and_then(Value::as_boolean);
        let by_column = by_column.ok_or_else(|| head("its head has no `fortran_order`, True or False"))?;
        let shape = field("shape").and_then(Value::as_tuple).and_then(|axes| {
            let axes = axes.iter().map(|axis| usize::try_from(axis.as_integer()?).ok());
            axes.collect::<Option<Vec<usize>>>()
        });
        let shape = shape.ok_or_else(|| head("its head has no `shape`, a tuple of lengths"))?;
        let name = kind.as_string().map_or("", String::as_str);
        let kind = Kind::of(name).ok_or_else(|| Fault::Kind(kind.to_string()))?;

        let bytes = shape.iter().try_fold(kind.bytes as u64, |bytes, &axis| bytes.checked_mul(axis as u64));
        match bytes {
            Some(bytes) if bytes <= size => Ok(Self { shape, by_column, kind, numbers: file }),
            Some(_) => Err(Fault::Short(shape)),
            None => Err(Fault::Large(shape)),
        }
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers of an array with two axes, column by column.
    pub(super) fn columns(self, n_rows: usize, n_columns: usize) -> Result<Vec<Vec<f64>>, Fault> {
        let mut columns = Vec::new();
        columns.try_reserve_exact(n_columns).map_err(|_| Fault::Large(self.shape.clone()))?;
        for _ in 0..n_columns {
            columns.push(self.room(n_rows)?);
        }
        let mut at = 0;
        if self.by_column {
            self.each(|x| {
                if columns[at].len() == n_rows {
                    at += 1;
                }
                columns[at].push(x);
            })?;
        } else {
            self.each(|x| {
                columns[at].push(x);
                at = if at + 1 == n_columns { 0 } else { at + 1 };
            })?;
        }
        Ok(columns)
    }

    /// The numbers of an array of any shape, those along the last axis next to each other.
    pub(super) fn flat(self) -> Result<Vec<f64>, Fault> {
        let shape = self.shape.clone();
        let by_column = self.by_column && shape.len() > 1;
        let mut numbers = self.room(shape.iter().product())?;
        self.each(|x| numbers.push(x))?;
        if by_column {
            let array = ArrayD::from_shape_vec(IxDyn(&shape).f(), numbers);
            numbers = array.map_err(|_| Fault::Large(shape))?.iter().copied().collect();
        }
        Ok(numbers)
    }

    fn room(&self, len: usize) -> Result<Vec<f64>, Fault> {
        let mut room = Vec::new();
        room.try_reserve_exact(len).map_err(|_| Fault::Large(self.shape.clone()))?;
        Ok(room)
    }

    /// Calls `take` with each number in the order of the file.
    fn each(mut self, mut take: impl FnMut(f64)) -> Result<(), Fault> {
        let Kind { bytes, number } = self.kind;
        let mut buffer = vec![0; CHUNK * bytes];
        // Does not overflow: checked when the head was read.
        let mut left: usize = self.shape.iter().product();
        while left > 0 {
            let chunk = &mut buffer[..left.min(CHUNK) * bytes];
            self.numbers.read_exact(chunk).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => Fault::Short(self.shape.clone()),
                _ => Fault::Io(error),
            })?;
            for bytes in chunk.chunks_exact(bytes) {
                take(number(bytes)?);
            }
            left -= chunk.len() / bytes;
        }
        // An archive checks its sum only where the end is seen.
        let mut more = Vec::new();
        self.numbers.take(1).read_to_end(&mut more)?;
        if more.is_empty() { Ok(()) } else { Err(Fault::Long(self.shape)) }
    }
}

impl Kind {
    /// By its name in NumPy.
    fn of(name: &str) -> Option<Self> {
        macro_rules! kinds {
            ($($little:literal, $big:literal: $kind:ty, $convert:expr;)*) => {
                match name {
                    $($little => {
                        let number = |bytes: &[u8]| Ok($convert(<$kind>::from_le_bytes(array(bytes))));
                        Some(Self { bytes: size_of::<$kind>(), number })
                    }
                    $big => {
                        let number = |bytes: &[u8]| Ok($convert(<$kind>::from_be_bytes(array(bytes))));
                        Some(Self { bytes: size_of::<$kind>(), number })
                    })*
                    "|i1" | "i1" | "b" => Some(Self { bytes: 1, number: |byte| Ok(f64::from(byte[0] as i8)) }),
                    "|u1" | "u1" | "B" => Some(Self { bytes: 1, number: |byte| Ok(f64::from(byte[0])) }),
                    "|b1" => Some(Self { bytes: 1, number: |byte| match byte[0] {
                        0 | 1 => Ok(f64::from(byte[0])),
                        other => Err(Fault::Truth(other)),
                    } }),
                    _ => None,
                }
            };
        }
        kinds! {
            "<f8", ">f8": f64, |x| x;
            "<f4", ">f4": f32, f64::from;
            "<i8", ">i8": i64, |x| x as f64;
            "<i4", ">i4": i32, f64::from;
            "<i2", ">i2": i16, f64::from;
            "<u8", ">u8": u64, |x| x as f64;
            "<u4", ">u4": u32, f64::from;
            "<u2", ">u2": u16, f64::from;
        }
    }
}

/// As many bytes as the kind takes.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn npy(head: &str, numbers: &[u8]) -> Vec<u8> {
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend(u16::try_from(head.len() + 1).unwrap().to_le_bytes());
        file.extend(head.as_bytes());
        file.push(b'\n');
        file.extend(numbers);
        file
    }

    fn head(descr: &str, by_column: bool, shape: &str) -> String {
        let by_column = if by_column { "True" } else { "False" };
        format!("{{'descr': {descr}, 'fortran_order': {by_column}, 'shape': {shape}, }}   ")
    }

    fn columns(file: &[u8]) -> Result<Vec<Vec<f64>>, Fault> {
        let array = Npy::open(file, file.len() as u64)?;
        let shape = array.shape().to_vec();
        array.columns(shape[0], shape[1])
    }

    #[test]
    fn any_kind_of_number_in_either_order() {
        let check = |descr: &str, by_column: bool, numbers: &[u8], expect: [&[f64]; 2]| {
            let file = npy(&head(&format!("'{descr}'"), by_column, "(3, 2)"), numbers);
            assert_eq!(columns(&file).unwrap(), expect, "{descr}");
        };
        let bytes = [1, 2, 3, 4, 5, 255];
        check("|u1", false, &bytes, [&[1.0, 3.0, 5.0], &[2.0, 4.0, 255.0]]);
        check("|u1", true, &bytes, [&[1.0, 2.0, 3.0], &[4.0, 5.0, 255.0]]);
        check("|i1", false, &bytes, [&[1.0, 3.0, 5.0], &[2.0, 4.0, -1.0]]);
        check("|b1", false, &[0, 1, 1, 0, 0, 1], [&[0.0, 1.0, 0.0], &[1.0, 0.0, 1.0]]);
        macro_rules! both {
            ($($name:literal: $kind:ty;)*) => {$(
                let numbers: [$kind; 6] = [1, 2, 3, 4, 5, 120].map(|x: u8| <$kind>::from(x));
                let expect: [&[f64]; 2] = [&[1.0, 3.0, 5.0], &[2.0, 4.0, 120.0]];
                check(concat!("<", $name), false, numbers.map(<$kind>::to_le_bytes).as_flattened(), expect);
                check(concat!(">", $name), false, numbers.map(<$kind>::to_be_bytes).as_flattened(), expect);
            )*};
        }
        both! { "f8": f64; "f4": f32; "i8": i64; "i4": i32; "i2": i16; "u8": u64; "u4": u32; "u2": u16; }
    }

    #[test]
    fn more_than_a_chunk() {
        let numbers: Vec<u8> = (0..3 * CHUNK as u32 + 6).flat_map(u32::to_le_bytes).collect();
        let n = CHUNK + 2;
        let found = columns(&npy(&head("'<u4'", false, &format!("({n}, 3)")), &numbers)).unwrap();
        for (j, column) in found.iter().enumerate() {
            assert_eq!(column.len(), n);
            assert!(column.iter().enumerate().all(|(i, x)| *x == (3 * i + j) as f64));
        }
        let found = columns(&npy(&head("'<u4'", true, &format!("({n}, 3)")), &numbers)).unwrap();
        assert!(found.concat().iter().enumerate().all(|(i, x)| *x == i as f64));
    }

    #[test]
    fn labels_of_any_shape_are_read_row_by_row() {
        let check = |by_column: bool, shape: &str, expect: &[f64]| {
            let file = npy(&head("'|u1'", by_column, shape), &[1, 2, 3, 4][..expect.len()]);
            assert_eq!(Npy::open(&file[..], file.len() as u64).unwrap().flat().unwrap(), expect, "{shape}");
        };
        check(false, "(4,)", &[1.0, 2.0, 3.0, 4.0]);
        check(true, "(4, 1)", &[1.0, 2.0, 3.0, 4.0]);
        check(false, "(2, 2)", &[1.0, 2.0, 3.0, 4.0]);
        check(true, "(2, 2)", &[1.0, 3.0, 2.0, 4.0]);
        check(false, "()", &[1.0]);
        check(false, "(0,)", &[]);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let check = |file: &[u8], expect: &str| {
            let fault = columns(file).unwrap_err().to_string();
            assert!(fault.contains(expect), "{fault}, expected {expect}");
        };
        let fine = npy(&head("'|b1'", false, "(2, 2)"), &[0, 1, 1, 0]);
        assert!(columns(&fine).is_ok());
        for end in 0..fine.len() {
            assert!(columns(&fine[..end]).is_err(), "{end}");
        }
        check(&fine[..fine.len() - 1], "ends before the last of its [2, 2] numbers");
        check(&[&fine[..], b"\0"].concat(), "goes on after the last of its [2, 2] numbers");
        check(&npy(&head("'|b1'", false, "(2, 2)"), &[0, 1, 2, 0]), "holds the byte 2");
        check(&npy(&head("'<U3'", false, "(2, 2)"), &[0; 48]), "is not one of numbers: its type is '<U3'");
        check(&npy(&head("[('a', '<f8')]", false, "(2, 2)"), &[0; 32]), "is not one of numbers: its type is [('a'");
        check(&npy(&head("'<f8'", false, "(2, -2)"), &[]), "no `shape`");
        check(&npy(&head("'<f8'", false, "(4294967296, 4294967296)"), &[]), "is too large");
        check(&npy(&head("'<f8'", false, "(268435456, 1024)"), &[]), "ends before");
        check(&npy("{'descr': '<f8', 'shape': (1, 1)}", &[0; 8]), "no `fortran_order`");
        check(&npy("(", &[]), "no dictionary");
        check(b"PK\x03\x04 and so on", "does not begin as one");
        check(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", "its head has 4294967295 bytes, expected at most 65536");
        check(b"\x93NUMPY\x07\x00and so on", "version 1, 2 or 3, got 7.0");
    }
}
