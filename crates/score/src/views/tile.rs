//! What one view says of a few rows.

use ndarray::ArrayView2;

use super::held::Held;
use super::model::FittedView;
use super::params::Together;
use super::quiet::Quiet;

/// Rows worked off together.
pub(super) const TILE: usize = 256;

/// Numbers to work with, as many of each kind as there are rows in a tile.
pub(super) struct Room<'a> {
    values: &'a mut [f64],
    picked: &'a mut [f64],
    logs: &'a mut [f64],
    together: &'a mut [f64],
    /// Two for each row.
    tails: &'a mut [f64],
    /// As many for each row as the widest joint view has columns.
    joint: &'a mut [f64],
    loud: [u32; TILE],
}

impl<'a> Room<'a> {
    pub(super) fn new(scratch: &'a mut [f64], rows: usize) -> Self {
        let (values, rest) = scratch.split_at_mut(rows);
        let (picked, rest) = rest.split_at_mut(rows);
        let (logs, rest) = rest.split_at_mut(rows);
        let (together, rest) = rest.split_at_mut(rows);
        let (tails, joint) = rest.split_at_mut(2 * rows);
        Self { values, picked, logs, together, tails, joint, loud: [0; TILE] }
    }
}

impl FittedView {
    /// `visit(row, −ln p)` for rows of a tile: for those of which the view says more than nothing where `quiet_up_to` is
    /// given, else for all.
    pub(super) fn each_part(
        &self,
        quiet_up_to: Option<f64>,
        tile: ArrayView2<'_, f64>,
        held: &[Held],
        room: &mut Room<'_>,
        mut visit: impl FnMut(usize, f64),
    ) {
        let n = tile.nrows();
        let Room { values, picked, logs, together, tails, joint, loud } = room;
        together[..n].fill(0.0);
        let mut is_any = false;
        for member in &self.members {
            // Of the rarest of several a member that is not rare is no part; of a sum each is.
            let quiet = match quiet_up_to.filter(|_| self.together == Together::Rarest) {
                Some(_) => member.quiet,
                None => Quiet::NONE,
            };
            let values = member.input.values(tile.view(), quiet.least(), held, joint, &mut values[..n]);
            let n_loud = quiet.loud(values, loud);
            is_any |= n_loud > 0;
            let (loud, picked, logs) = (&loud[..n_loud], &mut picked[..n_loud], &mut logs[..n_loud]);
            let values = if n_loud == n {
                values
            } else {
                picked.iter_mut().zip(loud).for_each(|(to, row)| *to = values[*row as usize]);
                &*picked
            };
            member.neg_ln_all(values, &mut tails[..2 * n_loud], logs);
            for (row, neg_ln) in loud.iter().zip(&*logs) {
                let all = &mut together[*row as usize];
                *all = self.together.with(*all, *neg_ln);
            }
        }
        if !is_any {
            return;
        }
        let together = &together[..n];
        let n_loud = match quiet_up_to {
            Some(most) => Quiet::up_to(most).loud(together, loud),
            None => Quiet::NONE.loud(together, loud),
        };
        let (loud, picked, logs) = (&loud[..n_loud], &mut picked[..n_loud], &mut logs[..n_loud]);
        picked.iter_mut().zip(loud).for_each(|(to, row)| *to = together[*row as usize]);
        let logs = match &self.tail {
            Some(tail) => {
                tail.neg_ln_all(picked, logs);
                &*logs
            }
            None => &*picked,
        };
        loud.iter().zip(logs).for_each(|(row, neg_ln)| visit(*row as usize, *neg_ln));
    }
}
