//! From the fields of a record to a row.

use std::borrow::Cow;
use std::sync::Arc;

use crible_core::{Currency, EntityId, Position, Timestamp, Truth};
use crible_pseudonym::{Content, Key, Pseudonyms, References};

use crate::error::{clipped, head, shown};
use crate::mask::{Parties, mask, names_party, shape};
use crate::plan::{Amounts, Money, Plan, Source};
use crate::preset::When;
use crate::rows::{Chunk, Fault, Odd};
use crate::seek::Seek;
use crate::value::{amount, text};
use crate::worker::{Known, Worker};

/// The fields of one record.
pub(crate) trait Fields {
    fn len(&self) -> usize;
    /// Field `at`, which is below `len`.
    fn get(&self, at: usize) -> &[u8];
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
struct Problem {
    column: Option<usize>,
    value: Vec<u8>,
    reason: String,
}

/// The column named where a record is rejected as a whole.
pub(crate) const WHOLE: &str = "(whole row)";

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
    device: Option<EntityId>,
    address: Option<EntityId>,
    currency: Currency,
    balance: Option<i64>,
    position: Option<Position>,
    truth: Truth,
    fee: i64,
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
            self.reject(line, &whole(), format!("the row has {width} fields; expected {expected}"));
            return;
        }
        self.line = line;
        match self.row(fields) {
            Ok(row) => self.store(&row, fields, line),
            Err(problem) => {
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
                    reason: parties.mask(&problem.reason),
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
        let line = self.line;
        let first = || Odd { count: 0, line, value: shown(value) };
        self.chunk.odd.entry(column).or_insert_with(first).count += 1;
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
                entity(source, raw, &mut self.worker.accounts, self.keys)
            }
        };
        let at = self.time(fields)?;
        let currency = match plan.currency {
            Money::Constant(currency) => currency,
            Money::Column(column) => match fields.get(column).trim_ascii() {
                b"" => Currency::NONE,
                code => plan
                    .currency_names
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(code))
                    .map(|(_, currency)| *currency)
                    .or_else(|| Currency::new(code))
                    .filter(|currency| currency.is_assigned())
                    .ok_or_else(|| {
                        let expected = "expected a currency of three letters that ISO 4217 has, such as USD";
                        problem(Some(column), code, expected)
                    })?,
            },
        };
        let minor = self.minor(fields, currency)?;
        let balance = match plan.balance {
            None => None,
            Some((column, when)) => match fields.get(column).trim_ascii() {
                b"" => None,
                text => {
                    let negative = plan.negative_balance.as_ref();
                    let turned = negative.is_some_and(|(column, words)| is_among(fields.get(*column), words));
                    let read = self.money(column, text, currency).ok();
                    let balance = read.map(|balance| if turned { -balance } else { balance });
                    let before = balance.and_then(|balance| match when {
                        When::Before => Some(balance),
                        When::After => balance.checked_sub(minor),
                    });
                    if before.is_none() {
                        self.odd(column, text);
                    }
                    before
                }
            },
        };
        let turned = self.other_side(minor, fields);
        let counterparty = match turned.as_ref().or(plan.counterparty.as_ref()) {
            None => None,
            Some(source) => match source_text(source, fields, &mut self.worker.joined) {
                b"" => None,
                raw => Some(entity(source, raw, &mut self.worker.counterparties, self.keys)),
            },
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
            device,
            address,
            currency,
            balance,
            position,
            truth,
            fee: self.fee(fields, minor, currency)?,
        })
    }

    /// Rows that the feed's statements have and that are no transactions.
    fn skip(&self, fields: &impl Fields) -> Result<(), Box<Problem>> {
        for (column, skip) in &self.plan.skips {
            let text = fields.get(*column).trim_ascii();
            if skip.is(text) {
                return Err(problem(Some(*column), text, &format!("no transaction: {}", skip.reason)));
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

    fn money(&self, column: usize, text: &[u8], currency: Currency) -> Result<i64, Box<Problem>> {
        let read = if self.plan.round { amount::read_rounded } else { amount::read };
        read(text, self.plan.style, currency).map_err(|error| problem(Some(column), text, &error.to_string()))
    }

    /// The signed amount, an outflow negative, and less the fee.
    fn minor(&self, fields: &impl Fields, currency: Currency) -> Result<i64, Box<Problem>> {
        let minor = self.without_fee(fields, currency)?;
        let Some(column) = self.plan.fee else {
            return Ok(minor);
        };
        match fields.get(column).trim_ascii() {
            b"" => Ok(minor),
            text => minor.checked_sub(self.money(column, text, currency)?.abs()).ok_or_else(|| {
                problem(Some(column), text, "expected a fee within 64 bits of minor units of the amount")
            }),
        }
    }

    /// The part of the amount that is a fee, signed as the amount is.
    fn fee(&mut self, fields: &impl Fields, minor: i64, currency: Currency) -> Result<i64, Box<Problem>> {
        if let Some(column) = self.plan.fee {
            return match fields.get(column).trim_ascii() {
                b"" => Ok(0),
                text => Ok(-self.money(column, text, currency)?.abs()),
            };
        }
        let Some(column) = self.plan.principal else { return Ok(0) };
        let text = fields.get(column).trim_ascii();
        if text.is_empty() {
            return Ok(0);
        }
        let negate = matches!(self.plan.amount, Amounts::Signed { negate: true, .. });
        match self.money(column, text, currency) {
            Ok(principal) => Ok(minor.saturating_sub(if negate { -principal } else { principal })),
            // The amount is known without it.
            Err(_) => {
                self.odd(column, text);
                Ok(0)
            }
        }
    }

    fn without_fee(&self, fields: &impl Fields, currency: Currency) -> Result<i64, Box<Problem>> {
        match &self.plan.amount {
            Amounts::Signed { at, negate, inflow } => {
                let minor = self.money(*at, fields.get(*at).trim_ascii(), currency)?;
                let inflow = inflow.as_ref().is_some_and(|(column, words)| is_among(fields.get(*column), words));
                // Amounts are read by magnitude, so the smallest 64-bit number, which has no opposite, is none.
                Ok(if *negate && !inflow { -minor } else { minor })
            }
            Amounts::Pair { debit, credit } => {
                let side = |column: usize| match fields.get(column).trim_ascii() {
                    b"" => Ok(0),
                    text => self.money(column, text, currency).map(i64::abs),
                };
                let (out, into) = (side(*debit)?, side(*credit)?);
                let empty = |column: usize| fields.get(column).trim_ascii().is_empty();
                if (empty(*debit) && empty(*credit)) || (out != 0 && into != 0) {
                    let value = [fields.get(*debit), b" and ", fields.get(*credit)].concat();
                    return Err(problem(Some(*debit), &value, "expected an amount in one of the two columns"));
                }
                Ok(into - out)
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
        let among = |words: &[Vec<u8>]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
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
        if matches!(plan.currency, Money::Column(_)) {
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
            let hash = |column: Option<usize>| match column.map_or(&b""[..], |at| fields.get(at).trim_ascii()) {
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
        let mut content = Content::new(content, Timestamp(row.at), row.minor, row.account, row.counterparty);
        if let Money::Column(_) = plan.currency {
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
            let id = fields.get(column).trim_ascii();
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
        Source::Column { at, strip, .. } => text::strip(fields.get(*at).trim_ascii(), *strip),
        Source::First(columns) => {
            let texts = columns.iter().map(|&column| fields.get(column).trim_ascii());
            texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
        }
        Source::Joined(columns) => {
            joined.clear();
            for (place, &column) in columns.iter().enumerate() {
                let part = fields.get(column).trim_ascii();
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

fn entity(source: &Source, raw: &[u8], known: &mut Known, keys: &Keys) -> EntityId {
    let plain = match source {
        Source::Column { html: true, .. } => text::unescape_html(raw),
        _ => Cow::Borrowed(raw),
    };
    let entity = known.entity(&plain, &keys.pseudonyms);
    if let Some(seek) = &keys.seek {
        seek.see(entity, &plain);
    }
    entity
}

/// Whether a field is one of a preset's words.
fn is_among(field: &[u8], words: &[Vec<u8>]) -> bool {
    let word = field.trim_ascii();
    words.iter().any(|known| known == word)
}

#[cold]
fn problem(column: Option<usize>, value: &[u8], reason: &str) -> Box<Problem> {
    Box::new(Problem { column, value: value.to_vec(), reason: reason.to_owned() })
}
