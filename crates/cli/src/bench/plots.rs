//! The report as pictures (SVG): who is how good, whether the difference is luck, and what it costs.

use std::fmt;
use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::report::{FIGURES, Overall, Report};
use crate::output;

const INK: RGBColor = RGBColor(33, 37, 41);
const FAINT: RGBColor = RGBColor(206, 212, 218);
const MARK: RGBColor = RGBColor(25, 113, 194);
const SECOND: RGBColor = RGBColor(232, 89, 12);
const FONT: &str = "sans-serif";

/// Draws all pictures into a folder.
pub(super) fn draw(report: &Report, folder: &Path) -> Result<()> {
    let write = |name: &str, draw: &dyn Fn(&mut String) -> Result<()>| {
        let mut svg = String::new();
        draw(&mut svg)?;
        // Of what cannot be compared there is no picture.
        if svg.is_empty() { Ok(()) } else { output::write(&folder.join(name), svg.as_bytes()) }
    };
    write("quality.svg", &|svg| quality(report, svg))?;
    write("cost.svg", &|svg| cost(report, svg))?;
    for (by, figure) in FIGURES {
        if let Some(ranking) = report.ranking(figure) {
            let names: Vec<(&str, f64)> =
                ranking.ranked.iter().map(|r| (report.names[r.detector].as_str(), r.mean_rank)).collect();
            let title = format!("Mean rank by {} over {} tables", by.replace('_', " "), ranking.tables);
            write(&format!("rank-{by}.svg"), &|svg| ranks(&title, &names, ranking.critical_difference, svg))?;
        }
    }
    Ok(())
}

/// A drawing that failed, as an error that may cross threads.
fn failed(error: impl fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}

fn text(size: u32) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK)
}

/// ROC AUC and average precision of each detector, a bar each, best first.
fn quality(report: &Report, svg: &mut String) -> Result<()> {
    let mut overall = report.overall();
    overall.sort_by(|a, b| b.average_precision.total_cmp(&a.average_precision));
    let (left, top, step) = (180, 60, 30);
    let height = top + step * overall.len() as i32 + 30;
    let area = SVGBackend::with_string(svg, (820, height as u32)).into_drawing_area();
    area.fill(&WHITE).map_err(failed)?;
    let label = |at: (i32, i32), what: &str, size| area.draw(&Text::new(what.to_owned(), at, text(size)));
    label((left, 14), "Mean ROC AUC", 15).map_err(failed)?;
    area.draw(&Rectangle::new([(left - 18, 15), (left - 6, 27)], MARK.filled())).map_err(failed)?;
    label((left + 170, 14), "Mean average precision", 15).map_err(failed)?;
    area.draw(&Rectangle::new([(left + 152, 15), (left + 164, 27)], SECOND.filled())).map_err(failed)?;
    let across = |share: f64| left + (share * 560.0) as i32;
    for tenth in 0..=10 {
        let x = across(f64::from(tenth) / 10.0);
        area.draw(&PathElement::new([(x, top - 8), (x, height - 24)], FAINT)).map_err(failed)?;
        label((x - 8, height - 20), &format!("{:.1}", f64::from(tenth) / 10.0), 12).map_err(failed)?;
    }
    for (i, one) in overall.iter().enumerate() {
        let y = top + step * i as i32;
        label((12, y + 4), &one.detector, 14).map_err(failed)?;
        for (figure, color, y) in [(one.roc_auc, MARK, y), (one.average_precision, SECOND, y + 12)] {
            area.draw(&Rectangle::new([(left, y), (across(figure), y + 10)], color.filled())).map_err(failed)?;
            label((across(figure) + 5, y - 1), &format!("{figure:.3}"), 11).map_err(failed)?;
        }
    }
    area.present().map_err(failed)
}

/// Time against average precision, time on a scale of powers of ten.
fn cost(report: &Report, svg: &mut String) -> Result<()> {
    let overall = report.overall();
    // A clock resolves no less than a microsecond here.
    let seconds = |o: &Overall| (o.fit_seconds + o.score_seconds).max(1e-6);
    let least = overall.iter().map(seconds).fold(f64::INFINITY, f64::min) / 2.0;
    let most = overall.iter().map(seconds).fold(0.0, f64::max) * 3.0;
    let best = overall.iter().map(|o| o.average_precision).fold(0.0, f64::max) * 1.15;
    if !(least < most && best > 0.0) {
        return Ok(());
    }
    let area = SVGBackend::with_string(svg, (820, 560)).into_drawing_area();
    area.fill(&WHITE).map_err(failed)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Average precision against time", text(18))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(54)
        .build_cartesian_2d((least..most).log_scale(), 0.0..best)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(FAINT)
        .x_desc("fit and score, seconds a table (mean)")
        .y_desc("average precision (mean)")
        .label_style(text(12))
        .axis_desc_style(text(13))
        .draw()
        .map_err(failed)?;
    for one in &overall {
        let at = (seconds(one), one.average_precision);
        chart.draw_series([Circle::new(at, 4, MARK.filled())]).map_err(failed)?;
        let name = EmptyElement::at(at) + Text::new(one.detector.clone(), (7, -6), text(12));
        chart.draw_series([name]).map_err(failed)?;
    }
    area.present().map_err(failed)
}

/// Demšar's diagram: mean ranks on a line, and bars over groups within the critical difference.
fn ranks(title: &str, ranked: &[(&str, f64)], critical: f64, svg: &mut String) -> Result<()> {
    let groups = groups(ranked, critical);
    let half = ranked.len().div_ceil(2);
    let (left, right, axis) = (190, 710, 96);
    let below = axis + 16 + 8 * groups.len() as i32;
    let height = below + 24 + 20 * half as i32;
    let area = SVGBackend::with_string(svg, (900, height as u32)).into_drawing_area();
    area.fill(&WHITE).map_err(failed)?;
    let most = ranked.len() as f64;
    let x = |rank: f64| left + ((rank - 1.0) / (most - 1.0) * f64::from(right - left)) as i32;
    let line = |from: (i32, i32), to: (i32, i32), width| {
        area.draw(&PathElement::new([from, to], INK.stroke_width(width))).map_err(failed)
    };
    let label =
        |at: (i32, i32), what: &str, size| area.draw(&Text::new(what.to_owned(), at, text(size))).map_err(failed);
    label((left, 12), title, 16)?;
    // The critical difference as a measure beside the title.
    line((left, 50), (x(1.0 + critical), 50), 2)?;
    label((x(1.0 + critical) + 8, 43), &format!("critical difference {critical:.2}"), 12)?;
    line((left, axis), (right, axis), 1)?;
    for rank in 1..=ranked.len() {
        let at = x(rank as f64);
        line((at, axis - 5), (at, axis), 1)?;
        if rank == 1 || rank == ranked.len() || rank % 5 == 0 {
            label((at - 4, axis - 22), &rank.to_string(), 12)?;
        }
    }
    for (i, &(from, to)) in groups.iter().enumerate() {
        let y = axis + 12 + 8 * i as i32;
        line((x(ranked[from].1) - 3, y), (x(ranked[to].1) + 3, y), 4)?;
    }
    for (i, &(name, rank)) in ranked.iter().enumerate() {
        let first = i < half;
        let y = below + 14 + 20 * (if first { i } else { ranked.len() - 1 - i }) as i32;
        let end = if first { left - 10 } else { right + 10 };
        line((x(rank), axis), (x(rank), y), 1)?;
        line((x(rank), y), (end, y), 1)?;
        let what = format!("{name} {rank:.1}");
        // Letters of this size are about six and a half wide.
        let start = if first { (end - 6 - what.chars().count() as i32 * 13 / 2).max(2) } else { end + 6 };
        label((start, y - 7), &what, 12)?;
    }
    area.present().map_err(failed)
}

/// Largest runs of detectors, best first, whose mean ranks lie within the critical difference; of two or more.
fn groups(ranked: &[(&str, f64)], critical: f64) -> Vec<(usize, usize)> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    for from in 0..ranked.len() {
        let within = |other: &&(&str, f64)| other.1 - ranked[from].1 <= critical;
        let to = from + ranked[from..].iter().take_while(within).count() - 1;
        if to > from && groups.last().is_none_or(|last| to > last.1) {
            groups.push((from, to));
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_as_large_as_can_be() {
        let ranked = [("a", 1.0), ("b", 1.5), ("c", 2.4), ("d", 4.0)];
        assert_eq!(groups(&ranked, 1.0), [(0, 1), (1, 2)]);
        assert_eq!(groups(&ranked, 2.0), [(0, 2), (2, 3)]);
        assert_eq!(groups(&ranked, 0.1), []);
    }
}
