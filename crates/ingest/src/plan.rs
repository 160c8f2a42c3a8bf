//! A preset applied to one file: every canonical field bound to a column number.

mod columns;
mod owner;
mod says;
mod told;

use std::path::Path;

use crible_core::Currency;

use crate::error::Error;
use crate::mask::is_party;
use crate::payee::Cleaner;
use crate::preset::{Inflow, Origin, Place, Preset, Sign, Skip, Style, Text, When};
use crate::value::time::Clock;
use crible_pseudonym::Domain;
pub use owner::Owner;
pub(crate) use owner::{Naming, account_of, file_stem};
pub(crate) use says::Says;

pub(crate) use columns::{Columns, Located};
pub use told::Mapped;

/// A column that tells something, and the words there that say so.
pub(crate) type Told = (usize, Vec<Vec<u8>>);

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
    pub(crate) account: Source,
    /// Whether the account is named after the file, and not in it.
    pub(crate) named_by_file: bool,
    pub(crate) counterparty: Option<Source>,
    /// The column that names the counterparty on an inflow, and the rows that have the two the other way round.
    pub(crate) inflow_from: Option<(usize, Option<Told>)>,
    pub(crate) counterparty_domain: Domain,
    /// Finds the payee in the counterparty's text.
    pub(crate) payee: Option<Cleaner>,
    pub(crate) category: Option<Source>,
    pub(crate) channel: Option<Source>,
    pub(crate) country: Option<Source>,
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
    pub(crate) device: Option<Source>,
    pub(crate) address: Option<Source>,
    pub(crate) balance: Option<(usize, When)>,
    /// The column that tells which balances are below zero, and what it holds there.
    pub(crate) negative_balance: Option<Told>,
    pub(crate) id: Option<(usize, bool)>,
    pub(crate) label: Option<Words>,
    pub(crate) apart: Vec<usize>,
    pub(crate) says: Says,
    /// Rows that are no transactions.
    pub(crate) skips: Vec<(usize, Skip)>,
    /// Columns that say who somebody is, by what is read from them or by their names; those of accounts and
    /// counterparties first.
    pub(crate) parties: Vec<usize>,
    /// How many of them are read as accounts and counterparties.
    pub(crate) entities: usize,
}

/// Where a text comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
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

#[derive(Clone, Debug)]
pub(crate) enum Amounts {
    Signed {
        at: usize,
        negate: bool,
        /// Amounts with a plus come in, whatever the sign of others means.
        plus_in: bool,
        inflow: Option<Told>,
        outflow: Option<Told>,
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
    pub(crate) rows: Told,
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
        let find = |place: &Place| find(preset, path, &columns, place);
        // A column that some forms of the feed do without.
        let optional_place = |place: &Place| match find(place) {
            Err(Error::MissingColumn { .. }) if columns.lenient || preset.may_lack(place) => Ok(None),
            found => found.map(Some),
        };
        let text = |text: &Text| -> Result<Source, Error> {
            let column = match &text.column {
                Some(place) if text.from.is_some() || !text.or.is_empty() => optional_place(place)?,
                Some(place) => Some(find(place)?),
                None => None,
            };
            if !text.or.is_empty() {
                let others = text.or.iter().filter_map(|place| optional_place(place).transpose());
                let all = column.map(Ok).into_iter().chain(others).collect::<Result<Vec<_>, Error>>()?;
                if !all.is_empty() || text.from.is_none() {
                    return Ok(Source::First(all));
                }
            }
            if !text.columns.is_empty() {
                return Ok(Source::Joined(text.columns.iter().map(find).collect::<Result<_, _>>()?));
            }
            Ok(match (column, &text.constant, text.from) {
                (Some(at), ..) => Source::Column { at, html: text.html, strip: text.strip.map(|letter| letter as u8) },
                (_, Some(constant), _) => Source::Constant(constant.trim().as_bytes().to_vec()),
                (.., Some(Origin::EachRow)) => Source::EachRow,
                // What the header says has been put in its place before any row is read.
                (.., Some(Origin::Header | Origin::Amount)) => {
                    Source::Constant(Currency::NONE.as_str().as_bytes().to_vec())
                }
                (.., Some(Origin::Folder)) => Source::Constant(folder_of(path, preset.name()).into_bytes()),
                // What the preamble says has been put in its place where it says anything.
                (.., Some(Origin::FileName | Origin::Preamble) | None) => {
                    let naming = Naming { cut_at: &text.cut_at, drop: &text.drop, otherwise: preset.name() };
                    Source::Constant(account_of(path, naming).into_bytes())
                }
            })
        };
        let optional = |field: &Option<Text>| match field {
            Some(Text { column: Some(place), or, .. }) if or.is_empty() && optional_place(place)?.is_none() => Ok(None),
            field => field.as_ref().map(text).transpose(),
        };
        let inflow = |inflow: &Inflow| -> Result<_, Error> {
            let values = inflow.values.iter().map(|value| value.clone().into_bytes()).collect::<Vec<_>>();
            Ok((find(&inflow.column)?, values))
        };
        let money = &preset.amount;
        let amount = match (&money.column, &money.debit, &money.credit) {
            (None, Some(debit), Some(credit)) => Amounts::Pair { debit: find(debit)?, credit: find(credit)? },
            (column, ..) => {
                let Some(column) = column else {
                    return Err(missing(preset, path, &columns.names, "amount"));
                };
                let (at, negate) = (find(column)?, money.sign == Some(Sign::OutflowPositive));
                let outflow = money.outflow.as_ref().map(inflow).transpose()?;
                let plus_in = money.plus_in;
                Amounts::Signed { at, negate, plus_in, inflow: money.inflow.as_ref().map(inflow).transpose()?, outflow }
            }
        };
        let currency = match preset.currency.as_ref().map(text).transpose()? {
            _ if preset.currency.as_ref().is_some_and(|text| text.from == Some(Origin::Amount)) => Money::Written,
            None | Some(Source::EachRow | Source::Joined(_) | Source::First(_)) => Money::Constant(Currency::NONE),
            // Checked with the preset to be three letters.
            Some(Source::Constant(code)) => Money::Constant(Currency::new(&code).unwrap_or(Currency::NONE)),
            Some(Source::Column { at, .. }) => Money::Column(at),
        };
        let clock = Clock::new(&preset.time).map_err(|(value, expected)| crate::preset::PresetError::Value {
            origin: format!("preset `{}`", preset.name()),
            key: "time".to_owned(),
            value,
            expected: expected.to_owned(),
        })?;
        let words = |words: &[String]| -> Vec<Vec<u8>> {
            words.iter().map(|word| word.trim().to_ascii_lowercase().into_bytes()).collect()
        };
        let mut plan = Self {
            feed: preset.name().to_owned(),
            trailing_empty: preset.file.trailing_empty,
            formulas: preset.file.formulas,
            named_by_file: preset.account.from.is_some_and(|from| from != Origin::EachRow)
                && matches!(text(&preset.account)?, Source::Constant(_)),
            account: text(&preset.account)?,
            counterparty: optional(&preset.counterparty)?,
            inflow_from: match &preset.counterparty {
                Some(Text { inflow_column: Some(column), turned, .. }) => {
                    let turned = match turned {
                        Some(turned) if optional_place(&turned.column)?.is_some() => Some(inflow(turned)?),
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
            category: optional(&preset.category)?,
            channel: optional(&preset.channel)?,
            country: optional(&preset.country)?,
            device: optional(&preset.device)?,
            address: optional(&preset.address)?,
            time: preset.time.column.iter().chain(&preset.time.columns).map(find).collect::<Result<_, _>>()?,
            finer: preset.time.finer.as_ref().map(optional_place).transpose()?.flatten(),
            zone: preset.time.zone_column.as_ref().map(find).transpose()?,
            clock,
            amount,
            received: match (&money.received, &money.inflow) {
                (Some(received), Some(rows)) => Some(Received {
                    at: find(&received.column)?,
                    currency: received.currency.as_ref().map(find).transpose()?,
                    rows: inflow(rows)?,
                }),
                _ => None,
            },
            fee: money.fee.as_ref().map(find).transpose()?,
            principal: money.principal.as_ref().map_or(Ok(None), optional_place)?,
            says: Says::new(&preset.meaning, optional_place)?,
            style: money.format.unwrap_or_default(),
            round: money.round,
            currency,
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
                Some(negative) if optional_place(&negative.column)?.is_some() => Some(inflow(negative)?),
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
            parties: Vec::new(),
            entities: 0,
            columns: columns.names.clone(),
            binding: columns,
        };
        plan.find_parties();
        Ok(plan)
    }

    fn find_parties(&mut self) {
        let columns = |source: &Source| match source {
            Source::Column { at, .. } => vec![*at],
            Source::Joined(columns) => columns.clone(),
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
        matches!(self.account, Source::EachRow)
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
        let mut all: Vec<usize> = texts
            .flat_map(|source| match source {
                Source::Column { at, .. } => std::slice::from_ref(at),
                Source::First(columns) | Source::Joined(columns) => columns,
                _ => &[],
            })
            .copied()
            .collect();
        all.extend(self.inflow_from.iter().flat_map(|(at, turned)| turned.iter().map(|(at, _)| at).chain([at])));
        all.extend(&self.time);
        all.extend(self.zone.iter().chain(&self.finer).chain(&self.fee).chain(&self.principal));
        all.extend(self.negative_balance.iter().map(|(at, _)| at));
        all.extend(self.received.iter().flat_map(|received| received.currency.iter().chain([&received.at])));
        all.extend(self.says.used());
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

fn find(preset: &Preset, path: &Path, columns: &Columns, place: &Place) -> Result<usize, Error> {
    let name = match place {
        Place::At(at) => format!("#{}", at + 1),
        Place::Named(name) => name.clone(),
    };
    match columns.find(place) {
        Located::At(at) => Ok(at),
        Located::Nowhere => Err(missing(preset, path, &columns.names, &name)),
        Located::Twice(first, second) => Err(Error::Undecided {
            path: path.to_owned(),
            column: name,
            what: "which of two columns of that name it is".to_owned(),
            hint: format!("name it by its position, #{} or #{}", first + 1, second + 1),
        }),
    }
}

/// The name of the folder that a file is in.
pub(crate) fn folder_of(path: &Path, otherwise: &str) -> String {
    let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().trim().to_owned());
    folder.filter(|name| !name.is_empty()).unwrap_or_else(|| otherwise.to_owned())
}

fn missing(preset: &Preset, path: &Path, columns: &[String], column: &str) -> Error {
    Error::MissingColumn {
        path: path.to_owned(),
        feed: preset.name().to_owned(),
        column: column.to_owned(),
        found: columns.join(", "),
    }
}
