//! How amounts are written, in which currency, and which of them flow out.

use std::path::Path;

use crible_core::Currency;

use super::{Sample, Settled, list, undecided, ways};
use crate::error::Error;
use crate::plan::{Amounts, Money, Plan};
use crate::preset::{Inflow, Origin, Place, Preset, Sign, Style, Text};
use crate::value::amount::{self, Decided, Separators};
use crate::value::text::counts_minor;

pub(super) fn settle(
    preset: &mut Preset,
    plan: &Plan,
    path: &Path,
    sample: &Sample<'_>,
    found: &mut Settled,
) -> Result<(), Error> {
    let columns = plan.amounts();
    let of = |columns: &[usize]| -> Vec<&str> {
        let cells = sample.rows.iter().flat_map(|row| columns.iter().map(|&at| row[at].trim()));
        cells.filter(|text| !text.is_empty()).collect()
    };
    let texts = of(&columns);
    coin(preset, plan, path, sample, &texts, columns[0], found)?;
    style(preset, plan, path, sample, (&texts, &of(&plan.money()), columns[0]), found)?;
    if let Amounts::Signed { at, .. } = plan.amount
        && preset.amount.sign.is_none()
        && preset.amount.outflow.is_none()
    {
        way(preset, plan, path, sample, (&texts, at), found)?;
    }
    Ok(())
}

/// Which currency amounts are of, where they say so themselves. A feed's own currency that they contradict is another
/// feed's, or another country's.
fn coin(
    preset: &mut Preset,
    plan: &Plan,
    path: &Path,
    sample: &Sample<'_>,
    texts: &[&str],
    column: usize,
    found: &mut Settled,
) -> Result<(), Error> {
    let Money::Constant(currency) = plan.currency else { return Ok(()) };
    if preset.currency.is_none() && currency == Currency::NONE {
        let codes: Vec<Option<Currency>> = texts.iter().map(|text| amount::named(text, false)).collect();
        if let Some(&Some(code)) = codes.first()
            && codes.iter().all(|&other| other == Some(code))
        {
            preset.currency = Some(Text { constant: Some(code.to_string()), ..Text::default() });
            found.changed = true;
            found.described.push(format!("amounts are of {code}, as they say"));
            return Ok(());
        }
        let mut all: Vec<Currency> = texts.iter().filter_map(|text| amount::named(text, true)).collect();
        all.sort_unstable();
        all.dedup();
        if all.len() > 1 {
            preset.currency = Some(Text { from: Some(Origin::Amount), ..Text::default() });
            found.changed = true;
            let all: Vec<String> = all.iter().map(Currency::to_string).collect();
            found.described.push(format!("each amount names its currency: {} ($ taken for USD)", all.join(", ")));
        }
        return Ok(());
    }
    if currency == Currency::NONE {
        return Ok(());
    }
    let other = |text: &&&str| amount::contradicts(text, currency);
    let others: Vec<&&str> = texts.iter().filter(other).collect();
    let Some(first) = others.first() else { return Ok(()) };
    let said = format!("amounts are written as `{}`, and ", crate::error::shown(first.as_bytes()));
    if sample.explicit {
        found.warnings.push(format!("{said}are read as {currency}, as the mapping says"));
        return Ok(());
    }
    if others.len() * 2 <= texts.len() {
        found.warnings.push(format!("{} {said}are read as {currency}, which is the feed's", others.len()));
        return Ok(());
    }
    let what = format!("its currency: {said}the feed {} is of {currency}", preset.name());
    let hint = "name the columns and the currency with --map \"…,currency=@EUR\" and the like".to_owned();
    Err(undecided(path, plan, column, what, hint))
}

/// The currency whose digits amounts have: the file's, or that of all its rows.
fn exponent_of(plan: &Plan, rows: &[Vec<String>]) -> Option<Currency> {
    let at = match plan.currency {
        Money::Constant(currency) => return Some(currency),
        Money::Written => return None,
        Money::Column(at) => at,
    };
    let written = |row: &Vec<String>| {
        let text = row[at].trim();
        let named = plan.currency_names.iter().find(|(name, _)| name == text.as_bytes()).map(|(_, currency)| *currency);
        named.or_else(|| Currency::new(text.to_ascii_uppercase().as_bytes()).filter(|code| code.is_assigned()))
    };
    let mut all = rows.iter().map(written);
    let first = all.next()??;
    all.all(|other| other.is_some_and(|other| other.exponent() == first.exponent())).then_some(first)
}

/// What stands before decimals.
fn style(
    preset: &mut Preset,
    plan: &Plan,
    path: &Path,
    sample: &Sample<'_>,
    (texts, sums, column): (&[&str], &[&str], usize),
    found: &mut Settled,
) -> Result<(), Error> {
    let read = |texts: &[&str], style: Style| {
        texts.iter().filter(|text| amount::read(text.as_bytes(), style, Currency::NONE).is_ok()).count()
    };
    let declared = preset.amount.format;
    let fits = declared.is_some_and(|style| sample.explicit || read(texts, style) == texts.len());
    if fits || (declared.is_some() && texts.is_empty()) {
        return Ok(());
    }
    // Numbers say nothing of how texts beside them are written.
    let (typed, typed_sums) = ((sample.texts)(&plan.amounts())?, (sample.texts)(&plan.money())?);
    let are_numbers = typed.as_ref().is_some_and(Vec::is_empty);
    let are_texts = typed.as_ref().is_none_or(|typed| typed.len() == texts.len());
    let or = |typed: Option<&'_ Vec<String>>, all: &[&str]| -> Vec<String> {
        typed
            .filter(|texts| !texts.is_empty())
            .cloned()
            .unwrap_or_else(|| all.iter().map(|&text| text.into()).collect())
    };
    let (texts, sums) = (or(typed.as_ref(), texts), or(typed_sums.as_ref(), sums));
    let (texts, sums): (Vec<&str>, Vec<&str>) =
        (texts.iter().map(String::as_str).collect(), sums.iter().map(String::as_str).collect());
    let reads = |style| read(&texts, style);
    let mut separators = Separators::of(texts.iter().copied());
    if separators.is_open() {
        // Who writes one sum so writes the others of the row so, too.
        separators.weigh(&Separators::of(sums.iter().copied()));
    }
    if separators.is_open() && !sample.whole && are_texts {
        let money = plan.money();
        (sample.scan)(plan, &mut |row| {
            money.iter().for_each(|&at| separators.add(row[at].trim()));
            separators.is_open()
        })?;
    }
    let all_plain = || reads(Style::Plain) == texts.len();
    let style = match (separators.decide(exponent_of(plan, &sample.rows)), declared) {
        (Decided::Point(b','), _) => Style::MoneyComma,
        (Decided::Neither, None) if counts_minor(&plan.columns[column]) && reads(Style::Minor) == texts.len() => {
            Style::Minor
        }
        (Decided::Point(_) | Decided::Neither, None) if all_plain() => Style::Plain,
        (Decided::Point(_), _) | (Decided::Neither, None | Some(Style::Plain)) => Style::Money,
        (Decided::Neither, Some(style)) => style,
        (Decided::Open { value, .. }, None) if are_numbers && value.contains('.') => Style::Plain,
        (Decided::Open { .. }, Some(style)) => style,
        (Decided::Open { value, point, comma }, None) => {
            let what = format!("whether `{value}` is {point} or {comma}");
            let hint = format!(
                "give amount-format=money for {point}, with a point before the decimals, or amount-format=money-comma \
                 for {comma}, with a comma"
            );
            return Err(undecided(path, plan, column, what, hint));
        }
    };
    if declared.is_none_or(|declared| declared != style && reads(style) > reads(declared)) {
        preset.amount.format = Some(style);
        found.changed = true;
        let point = if style == Style::MoneyComma { "a comma" } else { "a point" };
        match declared {
            None if style == Style::Plain => {}
            None if style == Style::Minor => {
                found.described.push(format!("amounts read as minor units, as `{}` is called", plan.columns[column]));
            }
            None => found.described.push(format!("amounts read with {point} before the decimals")),
            Some(_) => {
                found.described.push(format!("amounts read with {point} before the decimals, unlike the feed's own"))
            }
        }
    }
    Ok(())
}

/// Which amounts flow out: by their signs, else by the words of a column, else all of them.
fn way(
    preset: &mut Preset,
    plan: &Plan,
    path: &Path,
    sample: &Sample<'_>,
    (texts, at): (&[&str], usize),
    found: &mut Settled,
) -> Result<(), Error> {
    let style = preset.amount.format.unwrap_or_default();
    // Numbers are written plainly, whatever texts beside them are.
    let styles = if (sample.texts)(&[at])?.is_some() { vec![style, Style::Plain] } else { vec![style] };
    let read = |text: &str| {
        let read = |style: &Style| amount::read(text.as_bytes(), *style, Currency::NONE).ok();
        styles.iter().find_map(read)
    };
    let is_negative = |text: &str| read(text).is_some_and(|read| read.minor < 0);
    let mut negative = texts.iter().any(|text| is_negative(text));
    if !negative && !sample.whole {
        (sample.scan)(plan, &mut |row| {
            negative = is_negative(row[at].trim());
            !negative
        })?;
    }
    found.changed = true;
    let plus = texts.iter().filter(|text| text.starts_with('+')).count();
    if !negative && plus > 0 && plus < texts.len() {
        preset.amount.plus_in = true;
        preset.amount.sign = Some(Sign::OutflowPositive);
        found.sign = true;
        found.described.push("amounts with a plus come in, and those without a sign flow out".to_owned());
        return Ok(());
    }
    let said = |text: &&str| amount::ending(text.as_bytes()).1;
    let (out, into) = (texts.iter().filter_map(said).any(|out| out), texts.iter().filter_map(said).any(|out| !out));
    let silent = texts.iter().any(|text| said(text).is_none());
    if out || into {
        // Where only one of the two is written, amounts without it flow the other way.
        let turned = into && !out && silent && !texts.iter().any(|text| said(text).is_none() && is_negative(text));
        preset.amount.sign = Some(if turned { Sign::OutflowPositive } else { Sign::OutflowNegative });
        found.sign = true;
        found.described.push("the words beside amounts tell which of them flow out".to_owned());
        return Ok(());
    }
    if negative {
        preset.amount.sign = Some(Sign::OutflowNegative);
        found.sign = true;
        found.described.push("negative amounts taken for outflows".to_owned());
        return Ok(());
    }
    let taken = plan.money();
    // What was paid with says nothing of the way: a debit card is no debit.
    let is_free = |at: &usize| !taken.contains(at) && !plan.time.contains(at) && !ways::is_kind(&plan.columns[*at]);
    let free = (0..plan.columns.len()).filter(is_free);
    let described =
        free.clone().filter_map(|at| ways::of(sample.rows.iter().map(|row| row[at].as_str())).map(|ways| (at, ways)));
    let described: Vec<(usize, ways::Ways)> = described.collect();
    if preset.amount.inflow.is_none()
        && let Some((at, ways)) = described.iter().find(|(_, ways)| ways.others == 0)
    {
        let column = || Place::Named(plan.binding.known()[*at].clone());
        found.described.push(format!(
            "no amount is negative, and the words of {} tell the way: {} flows out, {} comes in",
            plan.columns[*at],
            list(&ways.out),
            list(&ways.into)
        ));
        preset.amount.outflow = Some(Inflow { column: column(), values: ways.out.clone() });
        preset.amount.inflow = Some(Inflow { column: column(), values: ways.into.clone() });
        found.sign = true;
        return Ok(());
    }
    // A minus of a kind that is not known would make an outflow of everything else.
    let is_unread = |text: &&&str| text.contains(|letter: char| letter.is_numeric()) && read(text).is_none();
    let unread = texts.iter().filter(is_unread).count();
    if let Some(first) = texts.iter().find(is_unread).filter(|_| unread * 4 >= texts.len()) {
        let first = crate::error::shown(first.as_bytes());
        let what = format!(
            "which way money goes: no amount is negative, but {unread} of {} cannot be read, the first of them `{first}`",
            texts.len()
        );
        let hint = "give sign=outflow-positive or sign=outflow-negative, or the amounts as plain numbers".to_owned();
        return Err(undecided(path, plan, at, what, hint));
    }
    preset.amount.sign = Some(Sign::OutflowPositive);
    found.sign = true;
    found.described.push("no amount is negative, so all are taken for outflows".to_owned());
    if preset.amount.inflow.is_none()
        && let Some((at, ways)) = described.first()
    {
        found.warnings.push(format!(
            "no amount is negative, so all are taken for outflows, though `{}` has {} and {}: if it tells the way, give \
             outflow={}:{} and inflow={0}:{}",
            plan.columns[*at],
            list(&ways.out),
            list(&ways.into),
            plan.columns[*at],
            ways.out.join("|"),
            ways.into.join("|"),
        ));
    } else if preset.amount.inflow.is_none()
        && let Some((at, back)) = free.clone().find_map(|at| {
            let back = ways::back(sample.rows.iter().map(|row| row[at].as_str()));
            (!back.is_empty()).then_some((at, back))
        })
    {
        found.warnings.push(format!(
            "no amount is negative, so all are taken for outflows, though `{}` has {}: if these come in, give \
             inflow={0}:{}",
            plan.columns[at],
            list(&back),
            back.join("|"),
        ));
    }
    Ok(())
}
