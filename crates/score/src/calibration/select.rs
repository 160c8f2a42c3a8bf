//! Which of many tests to believe.

use crate::Error;

/// What [`benjamini_hochberg`] selects.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// Places of the selected p-values, the least first, equal ones in order of place.
    pub selected: Vec<usize>,
    /// Every p-value up to this was selected; 0 when none was.
    pub threshold: f64,
}

/// The rows to raise as alerts so that, of those raised, no more than a share of `level` is expected to be
/// false. See the [module](super) documentation for what that assumes.
///
/// With m p-values, sorted, the largest i with p₍ᵢ₎ ≤ i × level / m is found, and all up to p₍ᵢ₎ are selected.
///
/// # Errors
/// [`Error::Parameter`] for a level outside of (0, 1), or a p-value outside of \[0, 1\], the first of which is
/// named with its place.
///
/// ```
/// use crible_score::calibration::benjamini_hochberg;
///
/// let selection = benjamini_hochberg(&[0.9, 0.001, 0.02, 0.4, 0.03], 0.1)?;
/// assert_eq!(selection.selected, [1, 2, 4]);
/// # Ok::<(), crible_score::Error>(())
/// ```
pub fn benjamini_hochberg(p_values: &[f64], level: f64) -> Result<Selection, Error> {
    if !(0.0 < level && level < 1.0) {
        return Err(Error::parameter("benjamini_hochberg", "level", level, "0 < x < 1"));
    }
    let order = ascending(p_values)?;
    let m = order.len() as f64;
    let passes = |(i, &place): (usize, &usize)| p_values[place] * m <= (i + 1) as f64 * level;
    let n_selected = order.iter().enumerate().rposition(passes).map_or(0, |last| last + 1);
    let threshold = order[..n_selected].last().map_or(0.0, |&place| p_values[place]);
    Ok(Selection { selected: order[..n_selected].to_vec(), threshold })
}

/// For each p-value the least level at which [`benjamini_hochberg`] selects it, also called its q-value
/// or adjusted p-value: minimum over j ≥ i of p₍ⱼ₎ m / j, at most 1.
///
/// # Errors
/// [`Error::Parameter`] for a p-value outside of \[0, 1\].
pub fn q_values(p_values: &[f64]) -> Result<Vec<f64>, Error> {
    let order = ascending(p_values)?;
    let m = order.len() as f64;
    let mut out = vec![1.0; p_values.len()];
    let mut least = 1.0_f64;
    for (i, &place) in order.iter().enumerate().rev() {
        least = least.min(p_values[place] * m / (i + 1) as f64);
        out[place] = least;
    }
    Ok(out)
}

fn ascending(p_values: &[f64]) -> Result<Vec<usize>, Error> {
    if let Some(row) = p_values.iter().position(|p| !(0.0..=1.0).contains(p)) {
        let value = format!("{} at {row}", p_values[row]);
        return Err(Error::parameter("benjamini_hochberg", "p_values", value, "0 ≤ p ≤ 1"));
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    Ok(order)
}
