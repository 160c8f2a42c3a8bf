//! From the fields of a record to a row.

mod none;
mod sums;

use std::borrow::Cow;
use std::sync::Arc;

use crible_core::{Currency, EntityId, Position, Timestamp, Truth};
use crible_pseudonym::{Content, Key, Pseudonyms, References};

use crate::error::{clipped, head};
use crate::mask::{Parties, mask, names_party, shape};
use crate::plan::{Money, Plan, Source};
use crate::preset::When;
use crate::rows::{Chunk, Fault, NO_TRANSACTION, Odd};
use crate::seek::Seek;
use crate::value::amount::within_formula;
use crate::value::text;
use crate::worker::{Known, Worker};

/// The fields of one record.
pub(crate) trait Fields {
    fn len(&self) -> usize;
    /// Field `at`, which is below `len`.
    fn get(&self, at: usize) -> &[u8];
}

/// The fields of a row that was looked at.
pub(crate) struct Texts<'r>(pub(crate) &'r [String]);

impl Fields for Texts<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        self.0[at].as_bytes()
    }
}

/// Fields freed of the `="…"` around them.
struct Within<'f, F>(&'f F);

impl<F: Fields> Fields for Within<'_, F> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        within_formula(self.0.get(at))
    }
}

/// What the rows of a file are made with.
pub(crate) struct Keys {
    pub(crate) pseudonyms: Pseudonyms,
    pub(crate) references: References,
    seek: Option<Arc<Seek>>,
}

impl Keys {
    pub(crate) fn new(key: &Key, feed: &str, seek: Option<Arc<Seek>>) -> Self {
        Self { pseudonyms: Pseudonyms::new(key), references: key.references(feed), seek }
    }
}

/// Why a record is no row.
pub(crate) struct Problem {
    column: Option<usize>,
    value: Vec<u8>,
    reason: String,
}

/// The column named where a record is rejected as a whole.
pub(crate) const WHOLE: &str = "(whole row)";

pub(crate) use sums::Sums;

/// Fills a chunk.
pub(crate) struct Builder<'a> {
    pub(crate) plan: &'a Plan,
    keys: &'a Keys,
    worker: &'a mut Worker,
    chunk: Chunk,
    /// The line of the row under way.
    line: u64,
}

/// Everything a row says, found before any of it is stored.
struct Row {
    at: i64,
    minor: i64,
    account: EntityId,
    counterparty: Option<EntityId>,
    /// What the counterparty's text as it stands gives: the reference is made of it.
    written: Option<EntityId>,
    device: Option<EntityId>,
    address: Option<EntityId>,
    currency: Currency,
    balance: Option<i64>,
    position: Option<Position>,
    truth: Truth,
    fee: i64,
    /// Amounts of the row of which digits were rounded.
    rounded: u64,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(plan: &'a Plan, keys: &'a Keys, worker: &'a mut Worker) -> Self {
        let chunk = Chunk::with_capacity(plan, worker.rows);
        Self { plan, keys, worker, chunk, line: 0 }
    }

    /// The chunk, complete.
    pub(crate) fn finish(self, lines: u64) -> Chunk {
        let mut chunk = self.chunk;
        chunk.lines = lines;
        chunk.seal();
        self.worker.rows = chunk.at.len();
        chunk
    }

    /// Takes a record, or rejects it. `line` is the line it starts on, from 0 in the block.
    pub(crate) fn push(&mut self, fields: &impl Fields, line: u64, whole: &dyn Fn() -> Vec<u8>) {
        let width = fields.len();
        let last_empty = width > 0 && fields.get(width - 1).is_empty();
        if !self.plan.fits(width, last_empty) {
            let expected = self.plan.columns.len();
            let reason = match none::reason(self.plan, fields) {
                Some(what) => format!("{NO_TRANSACTION}{what}"),
                None => format!("the row has {width} fields; expected {expected}"),
            };
            self.reject(line, &whole(), reason);
            return;
        }
        self.line = line;
        if self.plan.formulas {
            self.take(&Within(fields), line);
        } else {
            self.take(fields, line);
        }
    }

    /// Takes a record of as many fields as the feed has.
    fn take(&mut self, fields: &impl Fields, line: u64) {
        match self.row(fields) {
            Ok(row) => self.store(&row, fields, line),
            Err(problem) => {
                let reason = match none::reason(self.plan, fields) {
                    Some(what) if !problem.reason.starts_with(NO_TRANSACTION) => format!("{NO_TRANSACTION}{what}"),
                    _ => problem.reason,
                };
                let column = problem.column.and_then(|at| self.plan.columns.get(at));
                let mut parties = Parties::default();
                for &at in &self.plan.parties {
                    // What is wrong with a party's own column is to be seen there.
                    if Some(at) != problem.column {
                        parties.add(fields.get(at).trim_ascii());
                    }
                }
                let fault = Fault {
                    row: self.chunk.rows,
                    line,
                    column: column.map_or_else(|| WHOLE.to_owned(), Clone::clone),
                    value: parties.shown(&head(&problem.value)),
                    reason: parties.mask(&reason),
                };
                self.chunk.rejects.push(fault);
            }
        }
        self.chunk.rows += 1;
    }

    /// Rejects a record as a whole. What its fields mean is not known, so its shape is all that is shown.
    pub(crate) fn reject(&mut self, line: u64, value: &[u8], reason: String) {
        let value = clipped(&shape(&head(value)));
        self.fault(WHOLE, line, value, mask(&reason).into_owned());
    }

    /// Rejects a record for what stands in a column; `parties` are those it names.
    pub(crate) fn reject_at(&mut self, column: &str, line: u64, value: &[u8], reason: &str, mut parties: Parties<'_>) {
        let (value, reason) = (parties.shown(&head(value)), parties.mask(reason));
        self.fault(column, line, value, reason);
    }

    /// Counts a value that could not be read, of a column that no transaction needs.
    #[cold]
    fn odd(&mut self, column: usize, value: &[u8]) {
        Odd::note(&mut self.chunk.odd, column, self.line, value);
    }

    /// Takes a record that another one says better.
    pub(crate) fn known(&mut self) {
        self.chunk.known += 1;
        self.chunk.rows += 1;
    }

    fn fault(&mut self, column: &str, line: u64, value: String, reason: String) {
        let (row, column) = (self.chunk.rows, column.to_owned());
        self.chunk.rejects.push(Fault { row, line, column, value, reason });
        self.chunk.rows += 1;
    }

    fn row(&mut self, fields: &impl Fields) -> Result<Row, Box<Problem>> {
        let plan = self.plan;
        self.skip(fields)?;
        let account = match &plan.account {
            // Stands in until the row has a reference to be named after.
            Source::EachRow => EntityId::from_pseudorandom(1),
            source => {
                let raw = source_text(source, fields, &mut self.worker.joined);
                if raw.is_empty() {
                    return Err(problem(source_column(source), raw, "it is empty; expected an account"));
                }
                let cut = text::is_cut(raw);
                let account = entity(source, raw, &mut self.worker.accounts, self.keys);
                if cut {
                    self.cut(source);
                }
                account
            }
        };
        let at = self.time(fields)?;
        let received = Sums::received_in(plan, fields);
        let currency = match plan.currency {
            Money::Constant(currency) => currency,
            Money::Written => Sums::written(plan, fields),
            Money::Column(column) => {
                match fields.get(received.and_then(|received| received.currency).unwrap_or(column)).trim_ascii() {
                    b"" => Currency::NONE,
                    code => plan
                        .currency_names
                        .iter()
                        .find(|(name, _)| text::is_same(name, code))
                        .map(|(_, currency)| *currency)
                        .or_else(|| Currency::new(code))
                        .filter(|currency| currency.is_assigned())
                        .ok_or_else(|| {
                            let expected = "expected a currency of three letters that ISO 4217 has, such as USD";
                            problem(Some(column), code, expected)
                        })?,
                }
            }
        };
        let mut sums = Sums {
            plan,
            received: received.map(|received| received.at),
            rounded: 0,
            line: self.line,
            odd: &mut self.chunk.odd,
        };
        let minor = sums.minor(fields, currency)?;
        let (balance, fee) = (sums.balance(fields, minor, currency), sums.fee(fields, minor, currency));
        let rounded = sums.rounded;
        let turned = self.other_side(minor, fields);
        let counterparty = match turned.as_ref().or(plan.counterparty.as_ref()) {
            None => None,
            Some(source) => match source_text(source, fields, &mut self.worker.joined) {
                b"" => None,
                raw => {
                    let cut = text::is_cut(raw);
                    let other = entity(source, raw, &mut self.worker.counterparties, self.keys);
                    if cut {
                        self.cut(source);
                    }
                    Some(other)
                }
            },
        };
        let written = counterparty;
        let counterparty = match (&plan.payee, turned.as_ref().or(plan.counterparty.as_ref()), written) {
            (Some(cleaner), Some(source), Some(_)) => {
                let Worker { payees, counterparties, joined, .. } = &mut *self.worker;
                let raw = source_text(source, fields, joined);
                let payee = || named(&cleaner.payee(&plain(source, raw)), counterparties, self.keys);
                Some(payees.get(raw, payee))
            }
            _ => written,
        };
        let Worker { devices, addresses, joined, .. } = &mut *self.worker;
        let mut named = |source: &Option<Source>, known: &mut Known| {
            let source = source.as_ref()?;
            match source_text(source, fields, joined) {
                b"" => None,
                raw => Some(entity(source, raw, known, self.keys)),
            }
        };
        let (device, address) = (named(&plan.device, devices), named(&plan.address, addresses));
        let (position, truth) = (self.position(fields), self.truth(fields));
        Ok(Row {
            at,
            minor,
            account,
            counterparty,
            written,
            device,
            address,
            currency,
            balance,
            position,
            truth,
            fee,
            rounded,
        })
    }

    /// Notes that a spreadsheet has cut the number of an account in the present row.
    #[cold]
    fn cut(&mut self, source: &Source) {
        if let Some(column) = source_column(source) {
            self.chunk.cut.add(column, self.chunk.rows);
        }
    }

    /// Rows that the feed's statements have and that are no transactions.
    fn skip(&self, fields: &impl Fields) -> Result<(), Box<Problem>> {
        for (column, skip) in &self.plan.skips {
            let text = fields.get(*column).trim_ascii();
            if skip.is(text) {
                return Err(problem(Some(*column), text, &format!("{NO_TRANSACTION}{}", skip.reason)));
            }
        }
        Ok(())
    }

    /// Where the counterparty stands in this row, if not where it stands on an outflow.
    fn other_side(&self, minor: i64, fields: &impl Fields) -> Option<Source> {
        let (at, turned) = self.plan.inflow_from.as_ref()?;
        let turned = turned.as_ref().is_some_and(|(column, words)| is_among(fields.get(*column), words));
        match self.plan.counterparty {
            Some(Source::Column { html, strip, .. }) if (minor > 0) != turned => {
                Some(Source::Column { at: *at, html, strip })
            }
            _ => None,
        }
    }

    fn time(&mut self, fields: &impl Fields) -> Result<i64, Box<Problem>> {
        let plan = self.plan;
        let worker = &mut *self.worker;
        let finer = plan.finer.map(|column| fields.get(column).trim_ascii()).filter(|text| !text.is_empty());
        let text = match (finer, plan.time.as_slice()) {
            (Some(finer), _) => finer,
            (None, [column]) => fields.get(*column).trim_ascii(),
            (None, columns) => {
                worker.joined.clear();
                for &column in columns {
                    if !worker.joined.is_empty() {
                        worker.joined.push(b' ');
                    }
                    worker.joined.extend_from_slice(fields.get(column).trim_ascii());
                }
                &worker.joined
            }
        };
        let read = match plan.zone {
            None => plan.clock.read(text, &mut worker.memo),
            Some(column) => {
                let zone = fields.get(column).trim_ascii();
                let read = plan.clock.read_in(text, zone, &mut worker.memo);
                if read.is_none() && plan.clock.read(text, &mut worker.memo).is_some() {
                    let expected = "expected a time zone such as PST or America/Los_Angeles";
                    return Err(problem(Some(column), zone, expected));
                }
                read
            }
        };
        match read {
            Some(at) => Ok(at.0),
            None => {
                let expected = format!("expected {}", plan.clock.expected());
                let column = if finer.is_some() { plan.finer } else { plan.time.first().copied() };
                Err(problem(column, text, &expected))
            }
        }
    }

    /// Where it happened; unknown where the two are no place on Earth.
    fn position(&mut self, fields: &impl Fields) -> Option<Position> {
        let (latitude, longitude) = self.plan.position?;
        let (north, east) = (fields.get(latitude).trim_ascii(), fields.get(longitude).trim_ascii());
        if north.is_empty() && east.is_empty() {
            return None;
        }
        let degrees = (text::degrees(north), text::degrees(east));
        let position = match degrees {
            (Some(north), Some(east)) => Position::from_degrees(north, east),
            _ => None,
        };
        if position.is_none() {
            let wrong = if degrees.0.is_some_and(|north| north.abs() <= 90.0) { longitude } else { latitude };
            self.odd(wrong, fields.get(wrong).trim_ascii());
        }
        position
    }

    /// What the label says; unknown where it is none of the feed's words, nor a number or a yes or no that means one.
    fn truth(&mut self, fields: &impl Fields) -> Truth {
        let plan = self.plan;
        let Some(label) = &plan.label else {
            return Truth::Unknown;
        };
        let word = fields.get(label.at).trim_ascii();
        let among = |words: &[Vec<u8>]| words.iter().any(|known| text::is_same(known, word));
        if among(&label.legitimate) {
            return Truth::Legitimate;
        } else if among(&label.fraud) {
            return Truth::Fraud;
        } else if word.is_empty() || among(&label.unknown) {
            return Truth::Unknown;
        }
        let meant = text::meant(word);
        let means = |words: &[Vec<u8>]| meant.is_some() && words.iter().any(|known| text::meant(known) == meant);
        if means(&label.legitimate) {
            Truth::Legitimate
        } else if means(&label.fraud) {
            Truth::Fraud
        } else {
            if !means(&label.unknown) {
                self.odd(label.at, word);
            }
            Truth::Unknown
        }
    }

    fn store(&mut self, row: &Row, fields: &impl Fields, line: u64) {
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
        if plan.says.marks() {
            chunk.marks.push(plan.says.of(fields));
        }
        if plan.fee.is_some() || plan.principal.is_some() {
            chunk.fee.push(row.fee);
        }
        if plan.says.links() {
            let hash =
                |column: Option<usize>| match column.map_or(&b""[..], |at| text::whole(fields.get(at).trim_ascii())) {
                    b"" => 0,
                    id => self.keys.references.link(row.account, id),
                };
            chunk.own.push(hash(plan.id.map(|(at, _)| at)));
            chunk.original.push(hash(plan.says.original));
            chunk.replaces.push(hash(plan.says.replaces));
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
                    Source::Column { html: true, .. } => words.push(&text::unescape_html(word)),
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
            if let Source::Column { .. } | Source::First(_) = source {
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

/// Whether a feed's word has the row's account or counterparty in it.
fn names_entity(plan: &Plan, word: &[u8], fields: &impl Fields) -> bool {
    plan.parties[..plan.entities].iter().any(|&at| names_party(word, fields.get(at).trim_ascii()))
}

fn source_text<'f>(source: &'f Source, fields: &'f impl Fields, joined: &'f mut Vec<u8>) -> &'f [u8] {
    match source {
        Source::Column { at, strip, .. } => text::whole(text::strip(fields.get(*at).trim_ascii(), *strip)),
        Source::First(columns) => {
            let texts = columns.iter().map(|&column| text::whole(fields.get(column).trim_ascii()));
            texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
        }
        Source::Joined(columns) => {
            joined.clear();
            for (place, &column) in columns.iter().enumerate() {
                let part = text::whole(fields.get(column).trim_ascii());
                // The first column is the one that names; the others only say which of that name.
                if place == 0 && part.is_empty() {
                    return b"";
                }
                if place > 0 {
                    joined.push(b' ');
                }
                joined.extend_from_slice(part);
            }
            joined
        }
        Source::Constant(text) => text,
        Source::EachRow => b"",
    }
}

fn source_column(source: &Source) -> Option<usize> {
    match source {
        Source::Column { at, .. } => Some(*at),
        Source::First(columns) | Source::Joined(columns) => columns.first().copied(),
        _ => None,
    }
}

/// A text with its HTML entities undone, where its column has any.
fn plain<'r>(source: &Source, raw: &'r [u8]) -> Cow<'r, [u8]> {
    match source {
        Source::Column { html: true, .. } => text::unescape_html(raw),
        _ => Cow::Borrowed(raw),
    }
}

fn entity(source: &Source, raw: &[u8], known: &mut Known, keys: &Keys) -> EntityId {
    named(&plain(source, raw), known, keys)
}

fn named(plain: &[u8], known: &mut Known, keys: &Keys) -> EntityId {
    let entity = known.entity(plain, &keys.pseudonyms);
    if let Some(seek) = &keys.seek {
        seek.see(entity, plain);
    }
    entity
}

/// Whether a field is one of a preset's words, whatever the case.
fn is_among(field: &[u8], words: &[Vec<u8>]) -> bool {
    let word = field.trim_ascii();
    words.iter().any(|known| text::is_same(known, word))
}

#[cold]
fn problem(column: Option<usize>, value: &[u8], reason: &str) -> Box<Problem> {
    Box::new(Problem { column, value: value.to_vec(), reason: reason.to_owned() })
}
