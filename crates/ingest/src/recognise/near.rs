use crate::preset::{Preset, Presets};

/// Presets listed at most.
const LISTED: usize = 3;
/// Columns named at most on each side.
const NAMED: usize = 4;

/// The presets nearest to a header, and what differs; `headers` are the ways to cut it.
pub(super) fn nearest(presets: &Presets, headers: &[Vec<String>]) -> Vec<String> {
    let mut near: Vec<(Near<'_>, String)> = presets
        .iter()
        .filter_map(|preset| {
            let has = Some(&preset.file.has).filter(|has| !has.is_empty());
            let forms = preset.forms().chain(has);
            let near = forms.flat_map(|form| headers.iter().map(move |header| Near::new(preset, form, header)));
            near.min_by_key(|near| (std::cmp::Reverse(near.shared), near.differ))
        })
        .filter(|near| near.shared > 0)
        .map(|near| (near, near.preset.name().to_owned()))
        .collect();
    // Nearest by the share of columns in common: few shared among many that differ is not near.
    near.sort_by(|(a, left), (b, right)| {
        (b.shared * (a.shared + a.differ)).cmp(&(a.shared * (b.shared + b.differ))).then(left.cmp(right))
    });
    near.into_iter().take(LISTED).map(|(near, _)| near.told()).collect()
}

/// How near a header is to one of a preset's forms.
#[derive(Clone, Copy)]
struct Near<'a> {
    preset: &'a Preset,
    form: &'a [String],
    header: &'a [String],
    /// Columns that both have, and those that one of them has.
    shared: usize,
    differ: usize,
}

impl<'a> Near<'a> {
    fn new(preset: &'a Preset, form: &'a [String], header: &'a [String]) -> Self {
        let lacks = form.iter().filter(|name| !header.contains(name)).count();
        let extra = header.iter().filter(|name| !form.contains(name)).count();
        Self { preset, form, header, shared: form.len() - lacks, differ: lacks + extra }
    }

    fn told(&self) -> String {
        let Self { preset, form, header, shared, .. } = self;
        let lacks: Vec<&str> = form.iter().filter(|name| !header.contains(name)).map(String::as_str).collect();
        let extra: Vec<&str> = header.iter().filter(|name| !form.contains(name)).map(String::as_str).collect();
        let mut told = format!("{} (shares {shared} of {} columns", preset.name(), form.len());
        if !lacks.is_empty() {
            told.push_str(&format!("; lacks {}", list(&lacks)));
        }
        if !extra.is_empty() {
            told.push_str(&format!("; has besides {}", list(&extra)));
        }
        if lacks.is_empty() && extra.is_empty() {
            told.push_str("; in another order or repeated");
        }
        told.push(')');
        told
    }
}

fn list(names: &[&str]) -> String {
    let named: Vec<String> = names.iter().take(NAMED).map(|name| crate::error::shown(name.as_bytes())).collect();
    match names.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
