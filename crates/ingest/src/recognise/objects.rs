//! JSON: whose keys its objects have. A date or number in it is one whatever the feed's CSV writes.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::bind::settled;
use super::fit::{nearest, readable, shows};
use super::header::Comparer;
use super::sniff::{self, Sample};
use super::table::bound;
use super::workbook::typed;
use super::{Found, Layout, Signature, near, unknown};
use crate::Options;
use crate::error::{Error, shown};
use crate::input::{Compression, Heard, Input};
use crate::json::{self, Arrays, Objects};
use crate::plan::{Columns, Plan};
use crate::preset::{Place, Preset};

/// Whether a text begins like JSON.
pub(super) fn is_json(input: &Input) -> bool {
    let mut head = Vec::new();
    // A file that cannot be read is told of where its rows are read.
    let text = input.utf8(Arc::new(AtomicU64::new(0)), &Arc::new(Heard::default()));
    let _ = text.and_then(|text| text.take(1 << 10).read_to_end(&mut head));
    json::begins(&String::from_utf8_lossy(&head))
}

/// The feed whose header has the keys of a JSON file's objects.
pub(super) fn find(input: &Input, options: &Options, compression: Option<Compression>) -> Result<Found, Error> {
    let path = input.path.as_path();
    let options = typed(options);
    let arrays = Arrays::of(options.presets.iter().chain(options.map.iter().map(|map| &map.0)));
    let mut objects = Objects::open(input, arrays)?;
    let place = match &objects.route {
        Some(route) => format!("JSON, the objects at {route}"),
        None => "JSON".to_owned(),
    };
    let names = objects.names().to_vec();
    let (mut preset, columns, signature, mut why) = if let Some(mapping) = &options.map {
        let why = format!("{place}; columns mapped by the user");
        (mapping.0.clone(), Columns::from(names), Signature::Named, why)
    } else if let Some(name) = &options.feed {
        let preset = options.presets.get(name).ok_or_else(|| unknown(&options, name))?;
        let columns = bound(preset, &names);
        (preset.clone(), columns, Signature::Named, format!("{place}; feed named by the user"))
    } else {
        let (preset, columns, signature, why) = feed_of(path, &options, &objects)?;
        (preset, columns, signature, format!("{place}; {why}"))
    };
    if let Some(encoding) = objects.encoding {
        why = format!("{why}; {encoding}");
    }
    let more = more_columns(&preset, columns.known());
    let columns = columns.and(&more);
    objects.add(more.into_iter());
    let explicit = options.map.is_some();
    let sample = |_: &Plan| {
        let rows = objects.sample().to_vec();
        let scan = |_: &Plan, see: sniff::See<'_>| objects.scan(input, see);
        Ok(Sample { rows, whole: objects.whole, typed: true, explicit, scan: Box::new(scan) })
    };
    let (plan, why, warnings) = settled(&mut preset, path, &options, columns, why, sample)?;
    Ok(Found { preset, plan, layout: Layout::Objects(objects), signature, why, warnings, compression })
}

fn feed_of(path: &Path, options: &Options, objects: &Objects) -> Result<(Preset, Columns, Signature, String), Error> {
    let names = objects.names();
    let mut fits: Vec<(Fits, &Preset, Plan)> = Vec::new();
    for preset in options.presets.iter().filter(|preset| preset.format.is_none()) {
        if objects.route.as_ref().is_some_and(|route| !preset.file.array.contains(route)) {
            continue;
        }
        // Keys have no order, so that a position says nothing of them.
        if preset.places().iter().any(|(_, place)| matches!(place, Place::At(_))) {
            continue;
        }
        let Some(fit) = fits_names(preset, names) else { continue };
        let columns = [names, &more_columns(preset, names)].concat();
        if let Ok(plan) = Plan::new(preset, path, columns) {
            fits.push((fit, preset, plan));
        }
    }
    let best = fits.iter().map(|(fit, ..)| *fit).min();
    fits.retain(|(fit, ..)| Some(*fit) == best);
    let all: Vec<String> = fits.iter().map(|(_, preset, _)| preset.name().to_owned()).collect();
    let shared = fits.len() > 1;
    fits.retain(|(_, preset, plan)| shows(preset, plan, objects.sample()));
    let rows: Vec<usize> = fits.iter().map(|(.., plan)| readable(plan, objects.sample())).collect();
    let most = rows.iter().copied().max();
    let mut kept = fits.iter().zip(rows).filter(|(_, rows)| Some(*rows) == most).map(|((_, preset, _), _)| *preset);
    match (kept.next(), kept.next(), all.is_empty()) {
        (Some(one), None, _) if best != Some(Fits::ByName) => {
            let signature = match best {
                _ if !one.file.evidence.is_empty() => Signature::Evidence,
                _ if shared => Signature::Readable,
                Some(Fits::All) => Signature::Exact,
                _ => Signature::Columns,
            };
            let why = format!("its {} keys are those of {}", names.len(), one.name());
            Ok((one.clone(), names.to_vec().into(), signature, why))
        }
        (_, _, true) => near_keys(path, options, objects),
        (Some(first), Some(second), _) if best != Some(Fits::ByName) => {
            let feeds = [first, second].into_iter().chain(kept).map(|preset| preset.name().to_owned()).collect();
            Err(Error::Ambiguous { path: path.to_owned(), feeds })
        }
        _ => Err(Error::ByName { path: path.to_owned(), feeds: all }),
    }
}

/// The feed whose columns the keys mean.
fn near_keys(path: &Path, options: &Options, objects: &Objects) -> Result<(Preset, Columns, Signature, String), Error> {
    let names = objects.names();
    let near = Comparer::new(&options.presets).near(names, false);
    let fits = near.into_iter().filter(|near| {
        let positions = near.preset.places().iter().any(|(_, place)| matches!(place, Place::At(_)));
        let elsewhere = objects.route.as_ref().is_some_and(|route| !near.preset.file.array.contains(route));
        let plan = Plan::new(near.preset, path, near.columns.clone());
        !positions && !elsewhere && plan.is_ok_and(|plan| shows(near.preset, &plan, objects.sample()))
    });
    let near = nearest(fits.map(|near| (near.clone(), near)).collect());
    match near.as_slice() {
        [] => Err(Error::Unrecognised {
            path: path.to_owned(),
            header: shown(names.join(",").as_bytes()),
            nearest: near::nearest(&options.presets, &[names.to_vec()]),
        }),
        [near] => {
            let signature = Signature::Near(near.differs.confidence(near.nearness));
            let why = format!("its keys mean the columns of {}: {}", near.preset.name(), near.differs.told());
            Ok((near.preset.clone(), near.columns.clone(), signature, why))
        }
        several => {
            let feeds = several.iter().map(|near| near.preset.name().to_owned()).collect();
            Err(Error::Ambiguous { path: path.to_owned(), feeds })
        }
    }
}

/// How an object's keys fit a feed, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fits {
    /// They are those of its header.
    All,
    /// They have those that every file of it has.
    Among,
    /// They are some of its header's, and all that a transaction needs.
    Some,
    /// They are those of a header that others have too.
    ByName,
}

/// Columns that objects may have and the first of them lack: those of the header that they have the rest of, so that
/// references are the same as from the CSV. Where JSON is what the feed writes, all that a transaction can be without.
fn more_columns(preset: &Preset, names: &[String]) -> Vec<String> {
    let lacks = |name: &&String| !name.is_empty() && !names.contains(name);
    let form = preset.file.headers.iter().filter(|form| names.iter().all(|name| form.contains(name)));
    if let Some(form) = form.min_by_key(|form| form.len()) {
        let needed = |name: &String| {
            let reads =
                |(key, place): &(&str, &Place)| *place == &Place::Named(name.clone()) && !preset.is_optional(key);
            preset.places().iter().any(reads)
        };
        // Without these there is no transaction, so their absence is told of.
        return form.iter().filter(lacks).filter(|name| !needed(name)).cloned().collect();
    }
    if preset.file.array.is_empty() {
        return Vec::new();
    }
    let mut more = Vec::new();
    for (_, place) in preset.places().into_iter().filter(|(key, _)| preset.is_optional(key)) {
        if let Place::Named(name) = place
            && lacks(&name)
            && !more.contains(name)
        {
            more.push(name.clone());
        }
    }
    more
}

fn fits_names(preset: &Preset, names: &[String]) -> Option<Fits> {
    let file = &preset.file;
    let has = |header: &[String]| header.iter().filter(|name| !name.is_empty()).all(|name| names.contains(name));
    let within = |header: &[String]| names.iter().all(|name| header.contains(name));
    if file.headers.iter().any(|header| has(header) && within(header)) {
        Some(Fits::All)
    } else if !file.has.is_empty() && has(&file.has) {
        Some(Fits::Among)
    } else if file.headers.iter().any(|header| within(header)) {
        Some(Fits::Some)
    } else if file.by_name.iter().any(|header| has(header) && within(header)) {
        Some(Fits::ByName)
    } else {
        None
    }
}
