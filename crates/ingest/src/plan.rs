//! A preset applied to one file: every canonical field bound to a column number.

mod annotations;
mod bind;
mod columns;
mod described;
mod owner;

use std::path::Path;

use crible_core::Currency;

use crate::error::Error;
use crate::mask::is_party;
use crate::payee::Cleaner;
use crate::preset::{Place, Preset, Skip, Style, Text, When};
use crate::value::time::Clock;
pub(crate) use annotations::AnnotationColumns;
use bind::Binder;
use crible_pseudonym::Domain;
pub use owner::Owner;
pub(crate) use owner::{Naming, account_of, file_stem};

pub(crate) use columns::{Columns, Located};
pub use described::Mapped;

/// A column that tells something, and the words there that say so.
pub(crate) type ColumnWords = (usize, Vec<Vec<u8>>);

/// How to read the rows of one file.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) feed: String,
    /// Names of the file's columns, for messages.
    pub(crate) columns: Vec<String>,
    /// The same as the preset knows them.
    pub(crate) binding: Columns,
    pub(crate) trailing_empty: bool,
    /// Whether cells may stand in `="…"`.
    pub(crate) formulas: bool,
    pub(crate) account: TextSource,
    /// Whether the account is named after the file, and not in it.
    pub(crate) named_by_file: bool,
    pub(crate) counterparty: Option<TextSource>,
    /// The column that names the counterparty on an inflow, and the rows that have the two the other way round.
    pub(crate) inflow_from: Option<(usize, Option<ColumnWords>)>,
    pub(crate) counterparty_domain: Domain,
    /// Finds the payee in the counterparty's text.
    pub(crate) payee: Option<Cleaner>,
    pub(crate) category: Option<TextSource>,
    pub(crate) channel: Option<TextSource>,
    pub(crate) country: Option<TextSource>,
    pub(crate) time: Vec<usize>,
    /// Where it holds anything, it is the time.
    pub(crate) finer: Option<usize>,
    pub(crate) zone: Option<usize>,
    pub(crate) clock: Clock,
    pub(crate) amount: Amounts,
    /// What came in, of the rows where another column than that of the amount has it.
    pub(crate) received: Option<Received>,
    pub(crate) fee: Option<usize>,
    pub(crate) principal: Option<usize>,
    pub(crate) style: Style,
    pub(crate) round: bool,
    pub(crate) currency: Money,
    /// Currencies that the feed writes out.
    pub(crate) currency_names: Vec<(Vec<u8>, Currency)>,
    pub(crate) position: Option<(usize, usize)>,
    pub(crate) device: Option<TextSource>,
    pub(crate) address: Option<TextSource>,
    pub(crate) balance: Option<(usize, When)>,
    /// The column that tells which balances are below zero, and what it holds there.
    pub(crate) negative_balance: Option<ColumnWords>,
    pub(crate) id: Option<(usize, bool)>,
    pub(crate) label: Option<Words>,
    pub(crate) apart: Vec<usize>,
    pub(crate) annotations: AnnotationColumns,
    /// Rows that are no transactions.
    pub(crate) skips: Vec<(usize, Skip)>,
    /// Columns of texts that may say that a row is a balance, where the feed's own rules do not.
    pub(crate) remarks: Vec<usize>,
    /// Columns that say who somebody is, by what is read from them or by their names; those of accounts and
    /// counterparties first.
    pub(crate) parties: Vec<usize>,
    /// How many of them are read as accounts and counterparties.
    pub(crate) entities: usize,
}

/// Where a text comes from.
#[derive(Clone, Debug)]
pub(crate) enum TextSource {
    Column {
        at: usize,
        html: bool,
        /// Stands around every value and is no part of it.
        strip: Option<u8>,
    },
    /// The first of several columns that is not empty.
    First(Vec<usize>),
    /// Only for accounts and counterparties: several columns.
    Joined(Vec<usize>),
    Constant(Vec<u8>),
    /// Only for accounts: every row its own.
    EachRow,
}

impl TextSource {
    fn columns(&self) -> &[usize] {
        match self {
            Self::Column { at, .. } => std::slice::from_ref(at),
            Self::First(columns) | Self::Joined(columns) => columns,
            Self::Constant(_) | Self::EachRow => &[],
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Amounts {
    Signed {
        at: usize,
        negate: bool,
        /// Amounts with a plus come in, whatever the sign of others means.
        plus_in: bool,
        inflow: Option<ColumnWords>,
        outflow: Option<ColumnWords>,
    },
    Pair {
        debit: usize,
        credit: usize,
    },
}

/// What came in, beside what the other side sent.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) at: usize,
    pub(crate) currency: Option<usize>,
    /// The rows that it is of.
    pub(crate) rows: ColumnWords,
}

#[derive(Clone, Debug)]
pub(crate) enum Money {
    Constant(Currency),
    Column(usize),
    /// Each amount names its own.
    Written,
}

/// A label column and its words, in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) at: usize,
    pub(crate) fraud: Vec<Vec<u8>>,
    pub(crate) legitimate: Vec<Vec<u8>>,
    pub(crate) unknown: Vec<Vec<u8>>,
}

impl Plan {
    /// Binds a preset to a file of these columns.
    pub(crate) fn new(preset: &Preset, path: &Path, columns: impl Into<Columns>) -> Result<Self, Error> {
        let columns = columns.into();
        let binder = Binder::new(preset, path, &columns);
        let optional_place = |place: &Place| binder.optional_place(place);
        let words = |words: &[String]| -> Vec<Vec<u8>> {
            words.iter().map(|word| word.trim().to_ascii_lowercase().into_bytes()).collect()
        };
        let money = &preset.amount;
        let account = binder.text(&preset.account)?;
        let mut plan = Self {
            feed: preset.name().to_owned(),
            trailing_empty: preset.file.trailing_empty,
            formulas: preset.file.formulas,
            named_by_file: binder.is_named_by_file(&account),
            account,
            counterparty: binder.optional(preset.counterparty.as_ref())?,
            inflow_from: match &preset.counterparty {
                Some(Text { inflow_column: Some(column), turned, .. }) => {
                    let turned = match turned {
                        Some(turned) if optional_place(&turned.column)?.is_some() => Some(binder.words(turned)?),
                        _ => None,
                    };
                    optional_place(column)?.map(|at| (at, turned))
                }
                _ => None,
            },
            counterparty_domain: match &preset.counterparty {
                Some(counterparty) if counterparty.is_account => Domain::Party,
                _ => Domain::Merchant,
            },
            payee: match &preset.counterparty {
                // Checked with the preset.
                Some(other) => Cleaner::new(&other.payee, &other.payee_rules).ok().flatten(),
                None => None,
            },
            category: binder.optional(preset.category.as_ref())?,
            channel: binder.optional(preset.channel.as_ref())?,
            country: binder.optional(preset.country.as_ref())?,
            device: binder.optional(preset.device.as_ref())?,
            address: binder.optional(preset.address.as_ref())?,
            time: binder.all(preset.time.column.iter().chain(&preset.time.columns))?,
            finer: preset.time.finer.as_ref().map(optional_place).transpose()?.flatten(),
            zone: preset.time.zone_column.as_ref().map(|place| binder.find(place)).transpose()?,
            clock: binder.clock()?,
            amount: binder.amount()?,
            received: binder.received()?,
            fee: money.fee.as_ref().map(|place| binder.find(place)).transpose()?,
            principal: money.principal.as_ref().map_or(Ok(None), optional_place)?,
            annotations: AnnotationColumns::new(&preset.meaning, optional_place)?,
            style: money.format.unwrap_or_default(),
            round: money.round,
            currency: binder.currency()?,
            currency_names: match &preset.currency {
                Some(currency) => currency
                    .names
                    .iter()
                    // Checked with the preset to be three letters.
                    .filter_map(|(name, code)| Some((name.clone().into_bytes(), Currency::new(code.as_bytes())?)))
                    .collect(),
                None => Vec::new(),
            },
            position: match &preset.position {
                Some(place) => optional_place(&place.latitude)?.zip(optional_place(&place.longitude)?),
                None => None,
            },
            balance: match &preset.balance {
                Some(balance) => optional_place(&balance.column)?.map(|at| (at, balance.when)),
                None => None,
            },
            negative_balance: match preset.balance.as_ref().and_then(|balance| balance.negative.as_ref()) {
                Some(negative) if optional_place(&negative.column)?.is_some() => Some(binder.words(negative)?),
                _ => None,
            },
            id: match &preset.id {
                Some(id) => optional_place(&id.column)?.map(|at| (at, id.trusted)),
                None => None,
            },
            label: match &preset.label {
                Some(label) => optional_place(&label.column)?.map(|at| Words {
                    at,
                    fraud: words(&label.fraud),
                    legitimate: words(&label.legitimate),
                    unknown: words(&label.unknown),
                }),
                None => None,
            },
            apart: preset
                .apart
                .iter()
                .filter_map(|place| optional_place(place).transpose())
                .collect::<Result<_, _>>()?,
            skips: preset
                .skip
                .iter()
                .filter_map(|skip| Some(optional_place(&skip.column).transpose()?.map(|at| (at, skip.clone()))))
                .collect::<Result<_, _>>()?,
            remarks: Vec::new(),
            parties: Vec::new(),
            entities: 0,
            columns: columns.names.clone(),
            binding: columns,
        };
        plan.find_parties();
        Ok(plan)
    }

    /// Takes over what the file itself was found to say, or the user: whose account it is, how times and sums are
    /// written, which of them flow out, and in which currency. Which column is which stays.
    pub(crate) fn settle(&mut self, preset: &Preset, path: &Path) -> Result<(), Error> {
        let binder = Binder::new(preset, path, &self.binding);
        let (account, clock) = (binder.text(&preset.account)?, binder.clock()?);
        let (amount, received, currency) = (binder.amount()?, binder.received()?, binder.currency()?);
        self.named_by_file = binder.is_named_by_file(&account);
        (self.account, self.clock, self.amount, self.received) = (account, clock, amount, received);
        self.currency = currency;
        self.style = preset.amount.format.unwrap_or_default();
        self.formulas = preset.file.formulas;
        Ok(())
    }

    /// Looks for balances in the texts of rows: in what names the other side, and in what nothing is read from.
    pub(crate) fn look_for_remarks(&mut self) {
        const MOST: usize = 8;
        let mut others = self.counterparty.iter().flat_map(TextSource::columns).copied().collect::<Vec<_>>();
        let unused = self.used().into_iter().enumerate().filter(|(_, used)| !used).map(|(at, _)| at);
        others.extend(unused);
        others.truncate(MOST);
        self.remarks = others;
    }

    fn find_parties(&mut self) {
        let columns = |source: &TextSource| match source {
            TextSource::Column { at, .. } => vec![*at],
            TextSource::Joined(columns) => columns.clone(),
            _ => Vec::new(),
        };
        let mut parties = columns(&self.account);
        parties.extend(self.counterparty.iter().flat_map(columns));
        parties.extend(self.inflow_from.iter().map(|(at, _)| *at));
        parties.extend(self.device.iter().chain(&self.address).flat_map(columns));
        self.entities = parties.len();
        let named = self.columns.iter().enumerate().filter(|(_, name)| is_party(name)).map(|(at, _)| at);
        let named: Vec<usize> = named.filter(|at| !parties.contains(at)).collect();
        parties.extend(named);
        self.parties = parties;
    }

    /// Whether a row may have this many fields. `last_empty` tells whether the last is empty.
    pub(crate) fn fits(&self, fields: usize, last_empty: bool) -> bool {
        let width = self.columns.len();
        fields == width || (self.trailing_empty && fields == width + 1 && last_empty)
    }

    pub(crate) fn each_row(&self) -> bool {
        matches!(self.account, TextSource::EachRow)
    }

    /// The columns that hold amounts.
    pub(crate) fn amounts(&self) -> Vec<usize> {
        match self.amount {
            Amounts::Signed { at, .. } => vec![at],
            Amounts::Pair { debit, credit } => vec![debit, credit],
        }
    }

    /// The columns that hold money.
    pub(crate) fn money(&self) -> Vec<usize> {
        let mut money = self.amounts();
        money.extend(self.received.iter().map(|received| received.at));
        money.extend(self.balance.iter().map(|&(at, _)| at));
        money.extend(self.fee.iter().chain(&self.principal));
        money
    }

    /// The columns anything is read from.
    pub(crate) fn used(&self) -> Vec<bool> {
        let mut used = vec![false; self.columns.len()];
        let texts = [Some(&self.account), self.counterparty.as_ref(), self.category.as_ref()];
        let more = [&self.channel, &self.country, &self.device, &self.address].map(Option::as_ref);
        let texts = texts.into_iter().chain(more).flatten();
        let mut all: Vec<usize> = texts.flat_map(TextSource::columns).copied().collect();
        all.extend(self.inflow_from.iter().flat_map(|(at, turned)| turned.iter().map(|(at, _)| at).chain([at])));
        all.extend(&self.time);
        all.extend(self.zone.iter().chain(&self.finer).chain(&self.fee).chain(&self.principal));
        all.extend(self.negative_balance.iter().map(|(at, _)| at));
        all.extend(self.received.iter().flat_map(|received| received.currency.iter().chain([&received.at])));
        all.extend(self.annotations.used());
        all.extend(self.skips.iter().map(|(at, _)| at));
        match &self.amount {
            Amounts::Signed { at, inflow, outflow, .. } => {
                all.extend(inflow.iter().chain(outflow).map(|(at, _)| at).chain([at]));
            }
            Amounts::Pair { debit, credit } => all.extend([debit, credit]),
        }
        if let Money::Column(at) = self.currency {
            all.push(at);
        }
        all.extend(self.position.iter().flat_map(|&(latitude, longitude)| [latitude, longitude]));
        all.extend(self.balance.iter().map(|&(at, _)| at));
        all.extend(self.id.iter().map(|&(at, _)| at));
        all.extend(self.label.iter().map(|label| label.at));
        all.extend(&self.apart);
        for at in all {
            used[at] = true;
        }
        used
    }
}

/// The name of the folder that a file is in.
pub(crate) fn folder_of(path: &Path, otherwise: &str) -> String {
    let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().trim().to_owned());
    folder.filter(|name| !name.is_empty()).unwrap_or_else(|| otherwise.to_owned())
}
