use std::io::Write;

use crible_core::Timestamp;
use polars_core::prelude::{
    BooleanChunked, ChunkedArray, DataType, Float32Chunked, Float64Chunked, Int32Type, Int64Type, Int128Type,
    PolarsResult, Series, StringChunked, TimeUnit,
};

use crate::value::number;

/// One column of a row group, ready to be written out row by row. A null is an empty text.
pub(super) enum Cells {
    Empty,
    Whole(ChunkedArray<Int64Type>),
    Float { values: Float64Chunked, money: bool },
    Short { values: Float32Chunked, money: bool },
    Decimal { values: ChunkedArray<Int128Type>, scale: usize },
    Truth { values: BooleanChunked, money: bool },
    Text(StringChunked),
    Day(ChunkedArray<Int32Type>),
    Instant { values: ChunkedArray<Int64Type>, unit: TimeUnit, zoned: bool },
}

impl Cells {
    pub(super) fn new(series: &Series, money: bool) -> PolarsResult<Self> {
        Ok(match series.dtype() {
            DataType::Null => Self::Empty,
            DataType::Boolean => Self::Truth { values: series.bool()?.clone(), money },
            DataType::Float32 => Self::Short { values: series.f32()?.clone(), money },
            DataType::Float64 => Self::Float { values: series.f64()?.clone(), money },
            DataType::Date => Self::Day(series.date()?.physical().clone()),
            DataType::Datetime(unit, zone) => {
                Self::Instant { values: series.datetime()?.physical().clone(), unit: *unit, zoned: zone.is_some() }
            }
            DataType::Decimal(_, scale) => {
                Self::Decimal { values: series.decimal()?.physical().clone(), scale: *scale }
            }
            dtype if dtype.is_integer() && *dtype != DataType::UInt64 => {
                Self::Whole(series.cast(&DataType::Int64)?.i64()?.clone())
            }
            _ => Self::Text(series.cast(&DataType::String)?.str()?.clone()),
        })
    }

    /// Appends the text of a row's cell.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) {
        // Writing to a vector does not fail.
        let _ = match self {
            Self::Empty => Ok(()),
            Self::Whole(values) => values.get(row).map_or(Ok(()), |value| write!(out, "{value}")),
            Self::Float { values, money } => values.get(row).map_or(Ok(()), |value| number::write(value, *money, out)),
            Self::Short { values, money } => values.get(row).map_or(Ok(()), |value| {
                // The shortest decimal that is this number in 32 bits is what was meant; its 64-bit value is not.
                number::write(value.to_string().parse().unwrap_or(f64::NAN), *money, out)
            }),
            Self::Decimal { values, scale } => values.get(row).map_or(Ok(()), |value| decimal(value, *scale, out)),
            // A sum that is a truth value is none, and not one.
            Self::Truth { values, money: true } => values.get(row).map_or(Ok(()), |value| write!(out, "{value}")),
            Self::Truth { values, .. } => values.get(row).map_or(Ok(()), |value| write!(out, "{}", u8::from(value))),
            Self::Text(values) => values.get(row).map_or(Ok(()), |value| out.write_all(value.as_bytes())),
            Self::Day(values) => values.get(row).map_or(Ok(()), |days| {
                let (year, month, day) = Timestamp(i64::from(days) * Timestamp::DAY).civil_date();
                write!(out, "{year:04}-{month:02}-{day:02}")
            }),
            Self::Instant { values, unit, zoned } => values.get(row).map_or(Ok(()), |value| {
                let micros = match unit {
                    TimeUnit::Nanoseconds => value.div_euclid(1_000),
                    TimeUnit::Microseconds => value,
                    TimeUnit::Milliseconds => value.saturating_mul(1_000),
                };
                let text = Timestamp(micros).to_string();
                let text = if *zoned { text.as_str() } else { text.trim_end_matches('Z') };
                out.write_all(text.as_bytes())
            }),
        };
    }
}

fn decimal(value: i128, scale: usize, out: &mut Vec<u8>) -> std::io::Result<()> {
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if value < 0 { "-" } else { "" };
    let point = if scale > 0 { "." } else { "" };
    write!(out, "{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn decimals_keep_their_scale() {
        let check = |value: i128, scale: usize, expect: &str| {
            let mut out = Vec::new();
            decimal(value, scale, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expect);
        };
        check(5_716, 2, "57.16");
        check(-5, 2, "-0.05");
        check(7, 0, "7");
    }
}
