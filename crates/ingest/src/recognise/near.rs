use crate::preset::{Preset, Presets};

/// Presets listed at most.
const LISTED: usize = 3;
/// Columns named at most on each side.
const NAMED: usize = 4;

/// The presets nearest to a header, and what differs; `headers` are the ways to cut it.
pub(super) fn nearest(presets: &Presets, headers: &[Vec<String>]) -> Vec<String> {
    let mut near: Vec<(usize, usize, String)> = presets
        .iter()
        .filter_map(|preset| {
            let has = Some(&preset.file.has).filter(|has| !has.is_empty());
            let forms = preset.forms().chain(has);
            forms
                .flat_map(|form| headers.iter().map(move |header| compare(preset, form, header)))
                .min_by_key(|(shared, differ, _)| (std::cmp::Reverse(*shared), *differ))
        })
        .filter(|(shared, ..)| *shared > 0)
        .collect();
    // Nearest by the share of columns in common: few shared among many that differ is not near.
    near.sort_by(|(a, x, left), (b, y, right)| ((b * (a + x)).cmp(&(a * (b + y)))).then(left.cmp(right)));
    near.into_iter().take(LISTED).map(|(.., told)| told).collect()
}

fn compare(preset: &Preset, form: &[String], header: &[String]) -> (usize, usize, String) {
    let lacks: Vec<&str> = form.iter().filter(|name| !header.contains(name)).map(String::as_str).collect();
    let extra: Vec<&str> = header.iter().filter(|name| !form.contains(name)).map(String::as_str).collect();
    let shared = form.len() - lacks.len();
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
    (shared, lacks.len() + extra.len(), told)
}

fn list(names: &[&str]) -> String {
    let named: Vec<String> = names.iter().take(NAMED).map(|name| crate::error::shown(name.as_bytes())).collect();
    match names.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
