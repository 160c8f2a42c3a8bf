//! What completes the plan that a file's rows are read by.

use std::path::Path;

use crible_core::Currency;

use super::sniff::{self, Sample, Settled};
use crate::Options;
use crate::error::Error;
use crate::plan::{Owner, Plan};
use crate::preset::{Origin, Preset, Text, currency_in};

/// Completes the plan of the preset that a file was found to be of: by what the user says of the account, and by what
/// the rows say of what the preset leaves open and of what the file has in another way. Returns what was made out and
/// what to warn of, too.
pub(super) fn settled<'a>(
    preset: &mut Preset,
    mut plan: Plan,
    path: &Path,
    options: &Options,
    why: String,
    sample: impl FnOnce(&Plan) -> Result<Sample<'a>, Error>,
) -> Result<(Plan, String, Vec<String>), Error> {
    name_account(preset, options);
    if preset.currency.as_ref().is_some_and(|text| text.from == Some(Origin::Header)) {
        preset.currency = Some(Text { constant: Some(currency_above(&plan, path)?.to_string()), ..Text::default() });
    }
    plan.settle(preset, path)?;
    let sample = sample(&plan)?;
    let Settled { described, warnings, .. } = sniff::settle(preset, &mut plan, path, sample)?;
    if options.map.is_some() && preset.skip.is_empty() {
        plan.look_for_remarks();
    }
    Ok((plan, [vec![why], described].concat().join("; "), warnings))
}

/// Names the account as the user does, where the file does not.
fn name_account(preset: &mut Preset, options: &Options) {
    let account = &mut preset.account;
    if let (Some(owner), Some(Origin::FileName | Origin::Folder | Origin::Preamble)) = (&options.account, account.from)
    {
        match owner {
            Owner::Named(name) => account.constant = Some(name.clone()),
            Owner::Folder => account.from = Some(Origin::Folder),
        }
    }
}

/// The currency that the amount's column names.
fn currency_above(plan: &Plan, path: &Path) -> Result<Currency, Error> {
    let columns = plan.money();
    let found = columns.iter().find_map(|&at| currency_in(plan.columns.get(at)?));
    found.map(|(_, currency)| currency).ok_or_else(|| Error::Undecided {
        path: path.to_owned(),
        column: columns.first().and_then(|&at| plan.columns.get(at)).cloned().unwrap_or_default(),
        what: "its currency".to_owned(),
        hint: "give it with --map currency=@EUR and the like".to_owned(),
    })
}
