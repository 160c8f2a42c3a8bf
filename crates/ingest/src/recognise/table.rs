//! Parquet and Arrow files: tables whose columns have names, types and no order.

use super::bind::settled;
use super::header::{Comparer, Near};
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
    let path = input.path.as_path();
    let (mut preset, plan, signature, why) = if let Some(mapping) = &options.map {
        let why = "columns mapped by the user".to_owned();
        (mapping.0.clone(), Plan::new(&mapping.0, path, names)?, Signature::Named, why)
    } else if let Some(name) = &options.feed {
        let preset = options.presets.get(name).ok_or_else(|| unknown(options, name))?;
        let plan = Plan::new(preset, path, bound(preset, &names))?;
        (preset.clone(), plan, Signature::Named, "feed named by the user".to_owned())
    } else {
        find_columns(input, options, &names)?
    };
    let why = format!("{kind}; {why}");
    let explicit = options.map.is_some();
    // Words of a column that nobody reads may tell which way money goes.
    let all = preset.amount.sign.is_none() && preset.amount.column.is_some();
    let sample = |plan: &Plan| {
        let (rows, whole) = table.sample(plan, all)?;
        let texts = table.texts(&plan.money(), &rows);
        let texts = Box::new(move |columns: &[usize]| {
            let of = texts.iter().filter(|(at, _)| columns.contains(at));
            Ok(Some(of.map(|(_, text)| text.clone()).collect()))
        });
        Ok(Sample { rows, whole, texts, explicit, scan: Box::new(|plan, see| table.scan(plan, see)) })
    };
    let (mut plan, why, warnings) = settled(&mut preset, plan, path, options, why, sample)?;
    table.adapt(&mut plan);
    Ok(Found { preset, plan, layout: Layout::Parquet(table), signature, why, warnings, compression: None })
}

/// The feed of a table whose columns have names and no order.
fn find_columns(
    input: &Input,
    options: &Options,
    names: &[String],
) -> Result<(Preset, Plan, Signature, String), Error> {
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
            let plan = Plan::new(preset, &input.path, names.to_vec())?;
            return Ok(((*preset).clone(), plan, signature, why));
        }
        several => return Err(ambiguous(several.iter().map(|preset| preset.name().to_owned()).collect())),
    }
    let near = Comparer::new(&options.presets).near(names, false);
    let plan = |near: &Near<'_>| Plan::new(near.preset, &input.path, near.columns.clone()).ok();
    let near = near.into_iter().filter_map(|near| Some((near.clone(), (plan(&near)?, near))));
    let near = fit::nearest(near.collect());
    match near.as_slice() {
        [] => Err(Error::Unrecognised {
            path: input.path.clone(),
            header: shown(names.join(",").as_bytes()),
            nearest: near::nearest(&options.presets, &[names.to_vec()]),
        }),
        [(plan, near)] => {
            let signature = Signature::Near(near.differs.confidence(near.nearness));
            let why = format!("its columns mean those of {}: {}", near.preset.name(), near.differs.described());
            Ok((near.preset.clone(), plan.clone(), signature, why))
        }
        several => Err(ambiguous(several.iter().map(|(_, near)| near.preset.name().to_owned()).collect())),
    }
}

/// The columns of a file of a feed that the user named, by the feed's names.
pub(super) fn bound(preset: &Preset, names: &[String]) -> Columns {
    let near = Comparer::of(preset).all(names).pop();
    near.map_or_else(|| names.to_vec().into(), |near| near.columns)
}
