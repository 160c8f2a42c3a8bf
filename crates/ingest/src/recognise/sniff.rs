//! What a mapping leaves unsaid, made out from the first rows.

use std::path::Path;

use crible_core::Currency;

use crate::csv::record::{self, Next};
use crate::csv::{Dialect, parse};
use crate::error::Error;
use crate::plan::{Amounts, Plan};
use crate::preset::{Preset, Sign, Style};
use crate::value::amount;
use crate::value::time::{self, Sniffed};

/// Rows looked at.
const ROWS: usize = 2_000;

/// Whether there is anything to make out.
pub(super) fn is_open(preset: &Preset, plan: &Plan) -> bool {
    plan.clock.is_open() || (preset.amount.sign.is_none() && preset.amount.debit.is_none())
}

/// The first rows that have as many fields as they should.
pub(super) fn sample(mut text: &[u8], dialect: Dialect, plan: &Plan) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    while rows.len() < ROWS && !text.is_empty() {
        let found = record::next(text, dialect, plan, false);
        let (Next::Line { end } | Next::Quoted { end } | Next::Broken { end, .. }) = found else {
            // The last line of a short file has no line end.
            rows.push(parse::fields(text, dialect));
            break;
        };
        if !matches!(found, Next::Broken { .. }) {
            rows.push(parse::fields(&text[..end], dialect));
        }
        text = &text[end..];
    }
    rows.retain(|row| row.len() == plan.columns.len());
    rows
}

/// Fills in what the preset leaves open, and says what that was.
pub(super) fn settle(preset: &mut Preset, plan: &Plan, path: &Path, sample: &[Vec<String>]) -> Result<String, Error> {
    let mut told = Vec::new();
    let undecided = |column: usize, what: &str, hint: String| Error::Undecided {
        path: path.to_owned(),
        column: plan.columns[column].clone(),
        what: what.to_owned(),
        hint,
    };
    if plan.clock.is_open() {
        let column = plan.time.first().copied().unwrap_or(0);
        let joined: Vec<String> = sample
            .iter()
            .map(|row| plan.time.iter().map(|&at| row[at].as_str()).collect::<Vec<_>>().join(" "))
            .filter(|text| !text.trim().is_empty())
            .collect();
        let texts: Vec<&[u8]> = joined.iter().map(|text| text.trim().as_bytes()).collect();
        let name = match time::sniff(&texts) {
            Sniffed::Format(name) => name,
            // Without a row there is nothing to read, so any format will do.
            _ if texts.is_empty() => "iso",
            Sniffed::Either(first, second) => {
                let hint = format!("give time-format={first} or time-format={second}");
                return Err(undecided(column, "which of its numbers is the month", hint));
            }
            Sniffed::Nothing => {
                let first = crate::error::shown(joined.first().map_or("", String::as_str).as_bytes());
                let hint = format!("give its time-format as a strftime pattern (its first value is `{first}`)");
                return Err(undecided(column, "its format", hint));
            }
        };
        preset.time.formats = vec![name.to_owned()];
        told.push(format!("times read as {name}"));
    }
    if let Amounts::Signed { at, .. } = plan.amount {
        let texts: Vec<&[u8]> = sample.iter().map(|row| row[at].as_bytes()).filter(|text| !text.is_empty()).collect();
        if preset.amount.format.is_none() {
            let reads = |style| texts.iter().filter(|text| amount::read(text, style, Currency::NONE).is_ok()).count();
            let styles = [Style::Plain, Style::Money, Style::MoneyComma];
            let mut best = Style::Plain;
            for style in styles {
                if reads(style) > reads(best) {
                    best = style;
                }
            }
            preset.amount.format = Some(best);
            if best != Style::Plain {
                let point = if best == Style::Money { "a point" } else { "a comma" };
                told.push(format!("amounts read with {point} before the decimals"));
            }
        }
        if preset.amount.sign.is_none() {
            let style = preset.amount.format.unwrap_or_default();
            let negative =
                texts.iter().filter_map(|text| amount::read(text, style, Currency::NONE).ok()).any(|minor| minor < 0);
            let (sign, why) = if negative {
                (Sign::OutflowNegative, "negative amounts taken for outflows")
            } else {
                (Sign::OutflowPositive, "no amount is negative, so all are taken for outflows")
            };
            preset.amount.sign = Some(sign);
            told.push(why.to_owned());
        }
    }
    Ok(told.join("; "))
}
