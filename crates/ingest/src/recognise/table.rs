//! Parquet and Arrow files: tables whose columns have names, types and no order.

use super::bind::settled;
use super::header::Comparer;
use super::sniff::Sample;
use super::{Found, Layout, Signature, fit, near, unknown};
use crate::Options;
use crate::error::{Error, shown};
use crate::input::Input;
use crate::parquet;
use crate::plan::{Columns, Plan};
use crate::preset::Preset;

pub(super) fn find(input: &Input, options: &Options, kind: parquet::Kind) -> Result<Found, Error> {
    let table = parquet::Table::open(input, kind)?;
    let kind = kind.name();
    let names = table.columns();
    let (mut preset, columns, signature, why) = if let Some(mapping) = &options.map {
        let why = format!("{kind}; columns mapped by the user");
        (mapping.0.clone(), Columns::from(names), Signature::Named, why)
    } else if let Some(name) = &options.feed {
        let preset = options.presets.get(name).ok_or_else(|| unknown(options, name))?;
        let columns = bound(preset, &names);
        (preset.clone(), columns, Signature::Named, format!("{kind}; feed named by the user"))
    } else {
        let (preset, columns, signature, why) = find_columns(input, options, &names)?;
        (preset, columns, signature, format!("{kind}; {why}"))
    };
    let explicit = options.map.is_some();
    // Words of a column that nobody reads may tell which way money goes.
    let all = preset.amount.sign.is_none() && preset.amount.column.is_some();
    let sample = |plan: &Plan| {
        let (rows, whole) = table.sample(plan, all)?;
        let typed = table.are_numbers(&plan.amounts());
        Ok(Sample { rows, whole, typed, explicit, scan: Box::new(|plan, see| table.scan(plan, see)) })
    };
    let (mut plan, why, warnings) = settled(&mut preset, &input.path, options, columns, why, sample)?;
    table.adapt(&mut plan);
    Ok(Found { preset, plan, layout: Layout::Parquet(table), signature, why, warnings, compression: None })
}

/// The feed of a table whose columns have names and no order.
fn find_columns(
    input: &Input,
    options: &Options,
    names: &[String],
) -> Result<(Preset, Columns, Signature, String), Error> {
    // What pandas adds on writing is no column of the feed.
    let has: Vec<&String> = names.iter().filter(|name| !name.starts_with("__index_level_")).collect();
    let fits = |preset: &&Preset| {
        preset.file.headers.iter().any(|header| {
            let header: Vec<&String> = header.iter().filter(|name| !name.is_empty()).collect();
            header.iter().all(|name| has.contains(name))
                && has.iter().all(|name| header.contains(name) || name.is_empty())
        }) || (!preset.file.has.is_empty() && preset.file.has.iter().all(|name| has.contains(&name)))
    };
    let ambiguous = |feeds| Error::Ambiguous { path: input.path.clone(), feeds };
    let found: Vec<&Preset> = options.presets.iter().filter(fits).collect();
    match found.as_slice() {
        [] => {}
        [preset] => {
            let why = format!("its columns are those of {}", preset.name());
            // Writers add and reorder columns, so names are compared and their order is not.
            let signature = if preset.file.has.is_empty() { Signature::Exact } else { Signature::Columns };
            return Ok(((*preset).clone(), names.to_vec().into(), signature, why));
        }
        several => return Err(ambiguous(several.iter().map(|preset| preset.name().to_owned()).collect())),
    }
    let near = Comparer::new(&options.presets).near(names, false);
    let near = near.into_iter().filter(|near| Plan::new(near.preset, &input.path, near.columns.clone()).is_ok());
    let near = fit::nearest(near.map(|near| (near.clone(), near)).collect());
    match near.as_slice() {
        [] => Err(Error::Unrecognised {
            path: input.path.clone(),
            header: shown(names.join(",").as_bytes()),
            nearest: near::nearest(&options.presets, &[names.to_vec()]),
        }),
        [near] => {
            let signature = Signature::Near(near.differs.confidence(near.nearness));
            let why = format!("its columns mean those of {}: {}", near.preset.name(), near.differs.told());
            Ok((near.preset.clone(), near.columns.clone(), signature, why))
        }
        several => Err(ambiguous(several.iter().map(|near| near.preset.name().to_owned()).collect())),
    }
}

/// The columns of a file of a feed that the user named, by the feed's names.
pub(super) fn bound(preset: &Preset, names: &[String]) -> Columns {
    let near = Comparer::of(std::iter::once(preset)).all(names).pop();
    near.map_or_else(|| names.to_vec().into(), |near| near.columns)
}
