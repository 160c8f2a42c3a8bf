//! Statements and messages, which formats have readers of their own for.

use super::shape::Seen;
use super::{Found, Layout, unknown};
use crate::Options;
use crate::error::Error;
use crate::formats::{COLUMNS, Document};
use crate::input::{Compression, Input};
use crate::plan::Plan;

pub(super) fn find(
    input: &Input,
    options: &Options,
    (format, signature, why): Seen,
    compression: Option<Compression>,
) -> Result<Found, Error> {
    let mut preset = options.presets.get(format.name()).ok_or_else(|| unknown(options, format.name()))?.clone();
    let document = Document::open(input, format, options.account.as_ref())?;
    if let Some(style) = document.style() {
        preset.amount.format = Some(style);
    }
    let mut plan = Plan::new(&preset, &input.path, COLUMNS.map(str::to_owned).to_vec())?;
    format.feed().clone_into(&mut plan.feed);
    let why = [&[why][..], document.described()].concat().join("; ");
    let warnings = Vec::new();
    Ok(Found { preset, plan, layout: Layout::Document(document), signature, why, warnings, compression })
}
