//! Signs against words. Where a column says debit or credit, or a card's statement says which rows are payments to it,
//! the signs have to say the same.

use std::collections::BTreeMap;

use super::signs::turn;
use super::{Sample, Settled, list, ways};
use crate::build::Sums;
use crate::plan::{Amounts, Located, Plan};
use crate::preset::{Inflow, Known, Place, Preset};
use crate::value::text::{fold, is_same};

/// Rows that have to contradict their signs for all to be turned.
const ENOUGH: usize = 2;

/// What tells the way of rows.
struct Ways {
    /// The column of words that is named to the user.
    column: usize,
    /// For each row of the sample, whether it flows out; nothing where that is not told.
    out: Vec<Option<bool>>,
    /// The words of a column that has no others.
    words: Option<(Vec<String>, Vec<String>)>,
}

/// How many rows of a way have the sign of it, and how many the other.
#[derive(Clone, Copy, Default)]
struct Count {
    agree: usize,
    wrong: usize,
}

/// Compares signs with words. What contradicts is turned or told of, and never read in silence.
pub(super) fn check(preset: &mut Preset, plan: &Plan, sample: &Sample<'_>, found: &mut Settled) {
    let Amounts::Signed { at, inflow: None, outflow: None, .. } = plan.amount else { return };
    let Some(ways) = by_preset(preset, plan, sample).or_else(|| by_column(plan, sample)) else { return };
    let (mut out, mut into, mut rest) = (Count::default(), Count::default(), Count::default());
    let mut first = None;
    for (row, minor) in minors(plan, &sample.rows).into_iter().filter(|&(_, minor)| minor != 0) {
        let wrong = match ways.out[row] {
            Some(true) => minor > 0,
            Some(false) => minor < 0,
            // Of rows that nothing is told of, most are payments.
            None => minor > 0,
        };
        let count = match ways.out[row] {
            Some(true) => &mut out,
            Some(false) => &mut into,
            None => &mut rest,
        };
        *(if wrong { &mut count.wrong } else { &mut count.agree }) += 1;
        if wrong && ways.out[row].is_some() {
            first.get_or_insert(row);
        }
    }
    let (wrong, all) = (out.wrong + into.wrong, out.wrong + out.agree + into.wrong + into.agree);
    let Some(first) = first else { return };
    // What the user has said goes before what words say.
    if sample.explicit && !found.sign {
        return;
    }
    let column = &plan.columns[ways.column];
    let what =
        format!("the words of `{column}` contradict the signs of {wrong} of {all} amounts, the first in row {first}");
    let both_ways = out.wrong > 0 && into.wrong > 0;
    let turns = wrong == all && (both_ways || rest.wrong > rest.agree || (wrong >= ENOUGH && rest.wrong == rest.agree));
    if turns && turn(preset) {
        found.changed = true;
        found.warnings.push(format!("{what}: all signs are turned. Check the first rows with `crible feeds check`"));
        return;
    }
    // Amounts of one sign, and words of both ways.
    let unsigned = (out.agree == 0 && into.wrong == 0) || (into.agree == 0 && out.wrong == 0);
    if let (true, Some((outflow, inflow))) = (unsigned && out.agree + into.agree > 0, &ways.words) {
        found.warnings.push(format!(
            "{what}: amounts have one sign, so rows of {} are read as outflows and those of {} as inflows",
            list(outflow),
            list(inflow)
        ));
        let words = |values: &[String]| Inflow {
            column: Place::Named(plan.binding.known()[ways.column].clone()),
            values: values.to_vec(),
        };
        preset.amount.sign = None;
        (preset.amount.outflow, preset.amount.inflow) = (Some(words(outflow)), Some(words(inflow)));
        found.changed = true;
        return;
    }
    // A card's statement has payments that were taken back.
    if ways.words.is_some() || wrong * 4 >= all {
        let amount = &plan.columns[at];
        found.warnings.push(format!("{what}; they are read as `{amount}` has them"));
    }
}

/// Warns of states that the feed's preset does not name, where the file has its column by another name: of another
/// language, a word for what was declined looks like any other.
pub(super) fn states(preset: &Preset, plan: &Plan, sample: &Sample<'_>, found: &mut Settled) {
    let Some(pending) = &preset.meaning.pending else { return };
    let Located::At(at) = plan.binding.find(&pending.column) else { return };
    let known = &plan.binding.known()[at];
    if sample.explicit || fold(known) == fold(&plan.columns[at]) {
        return;
    }
    let skips = || plan.skips.iter().filter(|(column, _)| *column == at);
    let named = |word: &str| {
        pending.values.iter().any(|value| is_same(value.as_bytes(), word.as_bytes()))
            || skips().any(|(_, skip)| skip.is(word.as_bytes()))
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in sample.rows.iter().map(|row| row[at].trim()).filter(|word| !named(word)) {
        *counts.entry(word).or_default() += 1;
    }
    // What most rows have is what came about.
    let Some(most) = counts.iter().max_by_key(|(_, count)| **count).map(|(word, _)| *word) else { return };
    let others: Vec<String> = counts.keys().filter(|word| **word != most).map(|word| (*word).to_owned()).collect();
    if !others.is_empty() {
        found.warnings.push(format!(
            "`{}` has {}, which the feed does not name: these rows are taken for transactions like those of {most}",
            plan.columns[at],
            list(&others)
        ));
    }
}

/// Takes words of the feed's column for its own, where the feed does not name them and everybody knows what they say.
pub(super) fn extend(preset: &mut Preset, plan: &Plan, sample: &Sample<'_>, found: &mut Settled) {
    let Amounts::Signed { outflow: Some((at, out)), inflow: Some((into_at, into)), .. } = &plan.amount else { return };
    if at != into_at || sample.explicit {
        return;
    }
    let named = |word: &str| out.iter().chain(into).any(|known| known.eq_ignore_ascii_case(word.as_bytes()));
    let mut more: (Vec<String>, Vec<String>) = Default::default();
    for row in &sample.rows {
        let word = row[*at].trim();
        if named(word) || more.0.iter().chain(&more.1).any(|known| known == word) {
            continue;
        }
        match ways::is_outflow(word) {
            Some(true) => more.0.push(word.to_owned()),
            Some(false) => more.1.push(word.to_owned()),
            None => {}
        }
    }
    for (words, more, way) in
        [(&mut preset.amount.outflow, more.0, "flows out"), (&mut preset.amount.inflow, more.1, "comes in")]
    {
        if let (Some(words), false) = (words, more.is_empty()) {
            found.described.push(format!("{} in {} {way}", list(&more), plan.columns[*at]));
            words.values.extend(more);
            found.changed = true;
        }
    }
}

/// What the preset knows of its feed's rows.
fn by_preset(preset: &Preset, plan: &Plan, sample: &Sample<'_>) -> Option<Ways> {
    let signs = &preset.amount.signs;
    let located = |known: &Known| match plan.binding.find(&known.column) {
        Located::At(at) => Some((at, known.clone())),
        Located::Nowhere | Located::Twice(..) => None,
    };
    let bound = |all: &[Known]| -> Vec<(usize, Known)> { all.iter().filter_map(located).collect() };
    let (out, into) = (bound(&signs.out), bound(&signs.into));
    let is = |row: &[String], all: &[(usize, Known)]| all.iter().any(|(at, known)| known.is(&row[*at]));
    let way = |row: &Vec<String>| match (is(row, &out), is(row, &into)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    };
    let ways: Vec<Option<bool>> = sample.rows.iter().map(way).collect();
    let column = out.first().or(into.first())?.0;
    ways.iter().any(Option::is_some).then(|| {
        // Words of one column that every row has are all that is needed.
        let whole = ways.iter().all(Option::is_some)
            && out.iter().chain(&into).all(|(at, known)| *at == column && known.contains.is_none());
        let words = |all: &[(usize, Known)]| all.iter().flat_map(|(_, known)| known.values.clone()).collect();
        Ways { column, out: ways, words: whole.then(|| (words(&out), words(&into))) }
    })
}

/// What a column of words tells that everybody knows.
fn by_column(plan: &Plan, sample: &Sample<'_>) -> Option<Ways> {
    let taken = plan.money();
    let label = plan.label.as_ref().map(|label| label.at);
    let free = |at: &usize| {
        let name = &plan.columns[*at];
        let is_way = if sample.explicit { !ways::is_kind(name) } else { ways::is_way(name) };
        !taken.contains(at) && !plan.time.contains(at) && Some(*at) != label && is_way
    };
    // Letters are codes of many things.
    let says = |words: &ways::Ways| words.out.iter().chain(&words.into).all(|word| word.chars().count() > 1);
    let (column, words) = (0..plan.columns.len()).filter(free).find_map(|at| {
        let words = ways::of(sample.rows.iter().map(|row| row[at].as_str())).filter(says)?;
        Some((at, words))
    })?;
    let out = sample.rows.iter().map(|row| ways::is_outflow(&row[column])).collect();
    Some(Ways { column, out, words: (words.others == 0).then_some((words.out, words.into)) })
}

/// The amounts of the rows that have one, as they would be read.
fn minors(plan: &Plan, rows: &[Vec<String>]) -> Vec<(usize, i64)> {
    let mut odd = BTreeMap::new();
    let mut sums = Sums { plan, received: None, rounded: 0, line: 0, odd: &mut odd };
    let minor = |(number, row): (usize, &Vec<String>)| Some((number, sums.looked_at(row)?.0));
    rows.iter().enumerate().filter_map(minor).collect()
}
