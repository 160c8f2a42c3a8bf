//! Signs against running balances. What moved is what a balance moved by, so a file's balances tell whether its signs
//! are right, and where a column of words tells which way an amount goes, which words mean which.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use crible_core::Timestamp;

use super::{Sample, Settled, joined, undecided};
use crate::build::{Sums, Texts};
use crate::error::Error;
use crate::plan::{Amounts, Plan, TextSource};
use crate::preset::{Inflow, Place, Preset, Sign, When};
use crate::value::time::Memo;

/// Different words that a column of kinds may have.
const KINDS: usize = 24;

/// Balances that there have to be for the two columns of outflows and inflows to be swapped.
const PAIRED: usize = 3;

/// A row of the sample: what moved as the file has it, and the balance behind it.
struct Line<'s> {
    row: usize,
    account: &'s str,
    at: Option<Timestamp>,
    minor: i64,
    after: i64,
}

/// A row whose balance moves by its amount, or by the opposite of it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Link {
    row: usize,
    /// Whether money came in.
    into: bool,
    agrees: bool,
}

/// Compares signs with balances. A file in which they contradict each other is turned, or refused, and never read in
/// silence. Whether balances tell the signs.
pub(super) fn check(
    preset: &mut Preset,
    plan: &Plan,
    path: &Path,
    sample: &Sample<'_>,
    found: &mut Settled,
) -> Result<bool, Error> {
    let (Some((balance, When::After)), false) = (plan.balance, plan.each_row()) else { return Ok(false) };
    let lines = lines(plan, &sample.rows);
    let Some(links) = links(&lines) else { return Ok(false) };
    let wrong: Vec<&Link> = links.iter().filter(|link| !link.agrees).collect();
    if wrong.is_empty() {
        return Ok(true);
    }
    let amount = match plan.amount {
        Amounts::Signed { at, .. } | Amounts::Pair { debit: at, .. } => at,
    };
    let names = |at: usize| plan.columns[at].clone();
    let rows = format!(
        "the running balances in `{}` contradict the signs of {} of {} amounts, the first in row {}",
        names(balance),
        wrong.len(),
        links.len(),
        wrong[0].row
    );
    // A sign that the user has given is not turned behind his back.
    let free = !sample.explicit || found.sign;
    // Columns that are named for the two ways are not swapped for a payment or two.
    let few = matches!(plan.amount, Amounts::Pair { .. }) && links.len() < PAIRED;
    if wrong.len() == links.len() && free && !few && turn(preset) {
        found.changed = true;
        found.warnings.push(format!("{rows}: all signs are turned. Check the first rows with `crible feeds check`"));
        return Ok(true);
    }
    if few || wrong.len() * 4 < links.len() {
        found.warnings.push(format!("{rows}; they are read as they stand"));
        return Ok(true);
    }
    if matches!(plan.amount, Amounts::Signed { .. })
        && free
        && let Some((at, outflow, inflow)) = kinds(plan, &sample.rows, &links, amount)
    {
        found.warnings.push(format!(
            "{rows}; the words of `{}` agree with the balances, so rows of {} are read as outflows and those of {} as inflows",
            names(at),
            outflow.iter().cloned().collect::<Vec<_>>().join(" or "),
            inflow.iter().cloned().collect::<Vec<_>>().join(" or "),
        ));
        let words = |values: BTreeSet<String>| Inflow {
            column: Place::Named(plan.binding.known()[at].clone()),
            values: values.into_iter().collect(),
        };
        preset.amount.sign = None;
        preset.amount.outflow = Some(words(outflow));
        preset.amount.inflow = Some(words(inflow));
        found.changed = true;
        return Ok(true);
    }
    let hint =
        "name the column that tells the way of an amount, such as --map \"…,outflow=Type:Debit\", or the other sign";
    Err(undecided(path, plan, amount, format!("which way money goes: {rows}"), hint.to_owned()))
}

/// Turns all signs, where the preset has one rule for them.
pub(super) fn turn(preset: &mut Preset) -> bool {
    let money = &mut preset.amount;
    if money.debit.is_some() {
        std::mem::swap(&mut money.debit, &mut money.credit);
        return true;
    }
    match (&mut money.outflow, &mut money.inflow, money.sign) {
        (Some(outflow), Some(inflow), _) => {
            std::mem::swap(outflow, inflow);
            true
        }
        (None, None, sign) => {
            let positive = sign == Some(Sign::OutflowPositive);
            money.sign = Some(if positive { Sign::OutflowNegative } else { Sign::OutflowPositive });
            true
        }
        _ => false,
    }
}

fn lines<'s>(plan: &Plan, rows: &'s [Vec<String>]) -> Vec<Line<'s>> {
    let mut memo = Memo::default();
    let mut odd = BTreeMap::new();
    let mut sums = Sums { plan, received: None, rounded: 0, line: 0, odd: &mut odd };
    let account = match &plan.account {
        TextSource::Column { at, .. } => Some(*at),
        TextSource::First(columns) | TextSource::Joined(columns) => columns.first().copied(),
        TextSource::Constant(_) | TextSource::EachRow => None,
    };
    let line = |(number, row): (usize, &'s Vec<String>)| {
        let (minor, currency) = sums.looked_at(row)?;
        let before = sums.balance(&Texts(row), minor, currency)?;
        let at = plan.clock.read(joined(plan, row).as_bytes(), &mut memo);
        let account = account.map_or("", |at| row[at].as_str());
        Some(Line { row: number, account, at, minor, after: before.checked_add(minor)? })
    };
    rows.iter().enumerate().filter_map(line).collect()
}

/// The rows that a balance is known before, in the direction in which more of them move it by their amounts; nothing
/// where half of them do not, since these are no running balances.
fn links(lines: &[Line<'_>]) -> Option<Vec<Link>> {
    let mut last: HashMap<&str, &Line<'_>> = HashMap::new();
    let (mut up, mut down, mut pairs) = (Vec::new(), Vec::new(), 0usize);
    let (mut later, mut earlier) = (0usize, 0usize);
    for line in lines {
        if let Some(before) = last.insert(line.account, line) {
            pairs += 1;
            later += usize::from(before.at < line.at);
            earlier += usize::from(before.at > line.at);
            let moved = line.after.saturating_sub(before.after);
            up.extend(link(line, moved));
            down.extend(link(before, moved.saturating_neg()));
        }
    }
    let agreeing = |links: &[Link]| links.iter().filter(|link| link.agrees).count();
    let upwards = match later.cmp(&earlier) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => (up.len(), agreeing(&up)) >= (down.len(), agreeing(&down)),
    };
    let links = if upwards { up } else { down };
    (!links.is_empty() && links.len() * 2 >= pairs).then_some(links)
}

fn link(line: &Line<'_>, moved: i64) -> Option<Link> {
    (moved != 0 && moved.unsigned_abs() == line.minor.unsigned_abs()).then_some(Link {
        row: line.row,
        into: moved > 0,
        agrees: moved == line.minor,
    })
}

/// A column of few words each of which goes one way, as balances tell, and the words of both ways.
fn kinds(
    plan: &Plan,
    rows: &[Vec<String>],
    links: &[Link],
    amount: usize,
) -> Option<(usize, BTreeSet<String>, BTreeSet<String>)> {
    let taken: Vec<usize> = plan.money().into_iter().chain(plan.time.iter().copied()).chain([amount]).collect();
    (0..plan.columns.len()).filter(|at| !taken.contains(at)).find_map(|at| {
        let mut ways: BTreeMap<String, bool> = BTreeMap::new();
        for link in links {
            let word = rows[link.row][at].trim();
            if word.is_empty() || *ways.entry(word.to_owned()).or_insert(link.into) != link.into || ways.len() > KINDS {
                return None;
            }
        }
        // A word that is there once a row is no kind.
        let all: BTreeSet<&str> = rows.iter().map(|row| row[at].trim()).collect();
        let known = all.iter().all(|word| ways.contains_key(*word));
        let (into, out): (Vec<_>, Vec<_>) = ways.into_iter().partition(|(_, into)| *into);
        let words = |ways: Vec<(String, bool)>| ways.into_iter().map(|(word, _)| word).collect::<BTreeSet<_>>();
        let repeats = links.len() >= all.len() && (all.len() * 2 <= rows.len() || all.len() == 2);
        (known && repeats && !into.is_empty() && !out.is_empty()).then(|| (at, words(out), words(into)))
    })
}
