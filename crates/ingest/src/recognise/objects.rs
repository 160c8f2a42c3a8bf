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
    let width = names.len();
    let (mut preset, plan, signature, why) = if let Some(mapping) = &options.map {
        let why = "columns mapped by the user".to_owned();
        (mapping.0.clone(), plan_of(&mapping.0, path, names.into())?, Signature::Named, why)
    } else if let Some(name) = &options.feed {
        let preset = options.presets.get(name).ok_or_else(|| unknown(&options, name))?;
        let plan = plan_of(preset, path, bound(preset, &names))?;
        (preset.clone(), plan, Signature::Named, "feed named by the user".to_owned())
    } else {
        feed_of(path, &options, &objects)?
    };
    let why = [Some(place), Some(why), objects.encoding.map(str::to_owned)];
    let why = why.into_iter().flatten().collect::<Vec<_>>().join("; ");
    objects.add(plan.columns.iter().skip(width).cloned());
    let explicit = options.map.is_some();
    let sample = |_: &Plan| {
        let rows = objects.sample().to_vec();
        let scan = |_: &Plan, see: sniff::See<'_>| objects.scan(input, see);
        let texts = Box::new(|columns: &[usize]| Ok(Some(objects.texts(columns))));
        Ok(Sample { rows, whole: objects.whole, texts, explicit, scan: Box::new(scan) })
    };
    let (plan, why, warnings) = settled(&mut preset, plan, path, &options, why, sample)?;
    Ok(Found { preset, plan, layout: Layout::Objects(objects), signature, why, warnings, compression })
}

/// The plan of a preset's objects: of their columns, and of those that later ones may have.
fn plan_of(preset: &Preset, path: &Path, columns: Columns) -> Result<Plan, Error> {
    let more = more_columns(preset, columns.known());
    Plan::new(preset, path, columns.and(&more))
}

/// A feed's preset, the plan of its rows, and what that rests on.
type Choice = (Preset, Plan, Signature, String);

fn feed_of(path: &Path, options: &Options, objects: &Objects) -> Result<Choice, Error> {
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
        if let Ok(plan) = plan_of(preset, path, names.to_vec().into()) {
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
    let kept = fits.into_iter().zip(rows).filter(|(_, rows)| Some(*rows) == most);
    let mut kept = kept.map(|((_, preset, plan), _)| (preset, plan));
    match (kept.next(), kept.next(), all.is_empty()) {
        (Some((one, plan)), None, _) if best != Some(Fits::ByName) => {
            let signature = match best {
                _ if !one.file.evidence.is_empty() => Signature::Evidence,
                _ if shared => Signature::Readable,
                Some(Fits::All) => Signature::Exact,
                _ => Signature::Columns,
            };
            let why = format!("its {} keys are those of {}", names.len(), one.name());
            Ok((one.clone(), plan, signature, why))
        }
        (_, _, true) => near_keys(path, options, objects),
        (Some(first), Some(second), _) if best != Some(Fits::ByName) => {
            let feeds = [first, second].into_iter().chain(kept).map(|(preset, _)| preset.name().to_owned()).collect();
            Err(Error::Ambiguous { path: path.to_owned(), feeds })
        }
        _ => Err(Error::ByName { path: path.to_owned(), feeds: all }),
    }
}

/// The feed whose columns the keys mean.
fn near_keys(path: &Path, options: &Options, objects: &Objects) -> Result<Choice, Error> {
    let names = objects.names();
    let near = Comparer::new(&options.presets).near(names, false);
    let fits = near.into_iter().filter_map(|near| {
        let positions = near.preset.places().iter().any(|(_, place)| matches!(place, Place::At(_)));
        let elsewhere = objects.route.as_ref().is_some_and(|route| !near.preset.file.array.contains(route));
        let plan = plan_of(near.preset, path, near.columns.clone()).ok()?;
        let fits = !positions && !elsewhere && shows(near.preset, &plan, objects.sample());
        fits.then(|| (near.clone(), (plan, near)))
    });
    let near = nearest(fits.collect());
    match near.as_slice() {
        [] => Err(Error::Unrecognised {
            path: path.to_owned(),
            header: shown(names.join(",").as_bytes()),
            nearest: near::nearest(&options.presets, &[names.to_vec()]),
        }),
        [(plan, near)] => {
            let signature = Signature::Near(near.differs.confidence(near.nearness));
            let why = format!("its keys mean the columns of {}: {}", near.preset.name(), near.differs.described());
            Ok((near.preset.clone(), plan.clone(), signature, why))
        }
        several => {
            let feeds = several.iter().map(|(_, near)| near.preset.name().to_owned()).collect();
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
