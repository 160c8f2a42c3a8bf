//! A row that was read, in the columns of a chunk.

use crible_core::{EntityId, Timestamp};
use crible_pseudonym::Content;

use super::row::Row;
use super::source::{names_entity, source_text};
use super::{Builder, Fields};
use crate::plan::{Money, TextSource};
use crate::preset::When;
use crate::value::text;
use crate::worker::Worker;

impl Builder<'_> {
    pub(super) fn store(&mut self, row: &Row, fields: &impl Fields, line: u64) {
        self.chunk.rounded += row.rounded;
        if let (Some((_, When::After)), Some(before)) = (self.plan.balance, row.balance) {
            self.chunk.links.add(row.account, before, row.minor);
        }
        let content = self.content(row, fields);
        let plan = self.plan;
        let chunk = &mut self.chunk;
        chunk.content.push(content);
        chunk.at.push(row.at);
        chunk.minor.push(row.minor);
        chunk.account.push(row.account);
        chunk.place(line);
        if plan.counterparty.is_some() {
            chunk.counterparty.push(row.counterparty);
        }
        if !matches!(plan.currency, Money::Constant(_)) {
            chunk.currency.push(row.currency);
        }
        if plan.balance.is_some() {
            chunk.balance.push(row.balance);
        }
        if plan.position.is_some() {
            chunk.position.push(row.position);
        }
        if plan.device.is_some() {
            chunk.device.push(row.device);
        }
        if plan.address.is_some() {
            chunk.address.push(row.address);
        }
        if plan.label.is_some() {
            chunk.truth.push(row.truth);
        }
        if plan.annotations.marks() {
            chunk.marks.push(plan.annotations.of(fields));
        }
        if plan.fee.is_some() || plan.principal.is_some() {
            chunk.fee.push(row.fee);
        }
        if plan.annotations.links() {
            let hash =
                |column: Option<usize>| match column.map_or(&b""[..], |at| text::whole(fields.get(at).trim_ascii())) {
                    b"" => 0,
                    id => self.keys.references.link(row.account, id),
                };
            chunk.own.push(hash(plan.id.map(|(at, _)| at)));
            chunk.original.push(hash(plan.annotations.original));
            chunk.replaces.push(hash(plan.annotations.replaces));
        }
        for (words, source) in [
            (&mut chunk.category, &plan.category),
            (&mut chunk.channel, &plan.channel),
            (&mut chunk.country, &plan.country),
        ] {
            if let Some(source) = source {
                let word = source_text(source, fields, &mut self.worker.joined);
                match source {
                    _ if names_entity(plan, word, fields) => words.push(b"[name]"),
                    TextSource::Column { html: true, .. } => words.push(&text::unescape_html(word)),
                    _ => words.push(word),
                }
            }
        }
    }

    /// The hash of everything the row says of the transaction: not its label, which may be found out later.
    fn content(&mut self, row: &Row, fields: &impl Fields) -> u128 {
        let plan = self.plan;
        let Worker { content, joined, .. } = &mut *self.worker;
        // An id that can be trusted says which transaction it is, whatever the file is called.
        let is_named = plan.named_by_file
            && plan.id.is_some_and(|(column, trusted)| trusted && !fields.get(column).trim_ascii().is_empty());
        let account = if is_named { EntityId::from_pseudorandom(1) } else { row.account };
        let mut content = Content::new(content, Timestamp(row.at), row.minor, account, row.written);
        if !matches!(plan.currency, Money::Constant(_)) {
            content.currency(row.currency);
        }
        if plan.balance.is_some() {
            content.balance(row.balance);
        }
        if plan.position.is_some() {
            content.position(row.position);
        }
        for (source, entity) in [(&plan.device, row.device), (&plan.address, row.address)] {
            if source.is_some() {
                content.entity(entity);
            }
        }
        let mut trusted = false;
        if let Some((column, trust)) = plan.id {
            let id = text::whole(fields.get(column).trim_ascii());
            trusted = trust && !id.is_empty();
            content.word(id);
        }
        for source in [&plan.category, &plan.channel, &plan.country].into_iter().flatten() {
            if let TextSource::Column { .. } | TextSource::First(_) = source {
                content.word(source_text(source, fields, joined));
            }
        }
        for &column in &plan.apart {
            content.word(fields.get(column).trim_ascii());
        }
        if plan.each_row() {
            let label = plan.label.as_ref().map(|label| label.at);
            for column in (0..plan.columns.len()).filter(|&column| Some(column) != label) {
                content.word(fields.get(column).trim_ascii());
            }
        }
        self.keys.references.id(&content, trusted).0
    }
}
