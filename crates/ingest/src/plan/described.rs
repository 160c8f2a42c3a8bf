//! A plan in words: which column each canonical field is made of, and how.

use std::path::Path;

use crate::preset::{Origin, Place, Preset, Sign, Step, StepUnit, Style, When};
use crible_pseudonym::Domain;

use super::{Amounts, ColumnWords, Money, Plan, TextSource};

/// How one canonical field is made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mapped {
    /// The canonical field: `account`, `time`, `amount` and so on; `apart` for columns that only tell rows apart,
    /// `skip` for those that show which rows are no transactions.
    pub field: &'static str,
    /// The file's columns it is read from; none where it comes from elsewhere.
    pub columns: Vec<String>,
    /// Where else it comes from, and how it is converted; empty where a column is taken as it stands.
    pub how: String,
}

impl Preset {
    /// Which column becomes what in a file of the fullest form of the feed that has all its columns by their first
    /// names.
    pub fn mapping(&self) -> Vec<Mapped> {
        let mut forms: Vec<Vec<String>> = self.forms().cloned().collect();
        forms.sort_by_key(|header| std::cmp::Reverse(header.len()));
        if forms.is_empty() {
            forms.push(match self.file.columns {
                Some(width) => (1..=width).map(|at| format!("#{at}")).collect(),
                None => self.named_columns(),
            });
        }
        // What a plan lacks is a column that other forms have: then there is no one mapping.
        let plan = forms.into_iter().find_map(|columns| Plan::new(self, Path::new("FILE"), columns).ok());
        plan.map(|plan| plan.described(self)).unwrap_or_default()
    }

    /// The columns that the preset names, each once, in the order of its fields.
    fn named_columns(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (_, place) in self.places() {
            if let Place::Named(name) = place
                && !names.contains(name)
            {
                names.push(name.clone());
            }
        }
        names
    }
}

impl Plan {
    /// Every field, in the order of a canonical row. The preset is the one this plan was made of, settled.
    pub(crate) fn described(&self, preset: &Preset) -> Vec<Mapped> {
        let mut all = Vec::new();
        let names = |columns: &[usize]| -> Vec<String> { columns.iter().map(|&at| self.columns[at].clone()).collect() };
        let mut add = |field, columns: &[usize], how: Vec<String>| {
            let how = how.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
            all.push(Mapped { field, columns: names(columns), how });
        };
        let keyed = "keyed pseudonym".to_owned();
        let of = |source: &TextSource| -> (Vec<usize>, String) {
            match source {
                TextSource::Column { at, html, strip } => {
                    let strip = strip.map(|letter| format!("without the {} around it", char::from(letter)));
                    let html = html.then(|| "HTML entities undone".to_owned());
                    (vec![*at], [strip, html].into_iter().flatten().collect::<Vec<_>>().join("; "))
                }
                TextSource::First(columns) => (columns.clone(), "the first that is not empty".to_owned()),
                TextSource::Joined(columns) => (columns.clone(), "joined by a blank".to_owned()),
                TextSource::Constant(_) => (Vec::new(), String::new()),
                TextSource::EachRow => (Vec::new(), "every row is one of its own".to_owned()),
            }
        };
        let (columns, how) = of(&self.account);
        let origin = match (&self.account, preset.account.from) {
            (TextSource::Constant(_), Some(_)) if preset.account.constant.is_some() => "as the user names it",
            (TextSource::Constant(_), Some(Origin::FileName | Origin::Preamble)) => "the file's name",
            (TextSource::Constant(_), Some(Origin::Folder)) => "the folder's name",
            // What the preamble says has been put in its place as a constant.
            (TextSource::Constant(_), _) if preset.file.preamble > 0 => "the lines above the header",
            (TextSource::Constant(_), _) => "the same for every row",
            _ => "",
        };
        add("account", &columns, vec![origin.to_owned(), how, keyed.clone()]);
        let mut time = self.time_told(preset);
        time.extend(self.finer.map(|at| format!("instead `{}` where it holds anything", self.columns[at])));
        add("time", &self.time, time);
        let (columns, how) = self.amount_told();
        add("amount", &columns, how);
        match &self.currency {
            Money::Constant(currency) => add("currency", &[], vec![format!("always {currency}")]),
            Money::Written => add("currency", &[], vec!["named by each amount, $ taken for USD".to_owned()]),
            Money::Column(at) => {
                let written: Vec<_> = self
                    .currency_names
                    .iter()
                    .map(|(name, code)| format!("{} = {code}", String::from_utf8_lossy(name)))
                    .collect();
                add("currency", &[*at], vec!["ISO 4217 code, XXX where it is empty".to_owned(), written.join(", ")]);
            }
        }
        if let Some(source) = &self.counterparty {
            let (columns, how) = of(source);
            let kind = match self.counterparty_domain {
                Domain::Party => "an account like those of the feed",
                _ => "",
            };
            let turned = self.inflow_from.as_ref().map(|(at, _)| format!("on inflows `{}`", self.columns[*at]));
            let payee = self.payee.as_ref().map(|_| "the payee found in the text".to_owned()).unwrap_or_default();
            add("counterparty", &columns, vec![how, payee, turned.unwrap_or_default(), kind.to_owned(), keyed.clone()]);
        }
        for (field, source) in [("device", &self.device), ("address", &self.address)] {
            let Some(source) = source else { continue };
            let (columns, how) = of(source);
            add(field, &columns, vec![how, keyed.clone()]);
        }
        for (field, source) in [("category", &self.category), ("channel", &self.channel), ("country", &self.country)] {
            let Some(source) = source else { continue };
            let (columns, how) = of(source);
            let constant = match source {
                TextSource::Constant(word) => format!("always {}", String::from_utf8_lossy(word)),
                _ => String::new(),
            };
            add(field, &columns, vec![constant, how]);
        }
        if let Some((latitude, longitude)) = self.position {
            add("position", &[latitude, longitude], vec!["latitude and longitude in degrees".to_owned()]);
        }
        if let Some((at, when)) = self.balance {
            let when = match when {
                When::Before => "before the transaction",
                When::After => "after the transaction; kept as the one before it",
            };
            let negative = self.negative_balance.as_ref().map(|(at, words)| {
                let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(word)).collect();
                format!("below zero where `{}` is {}", self.columns[*at], words.join(" or "))
            });
            add("balance", &[at], vec![when.to_owned(), negative.unwrap_or_default()]);
        }
        if let Some((at, trusted)) = self.id {
            let trust = if trusted {
                "trusted: rows that agree in everything and in it are one transaction"
            } else {
                "part of the reference, not trusted to be unique"
            };
            add("id", &[at], vec![trust.to_owned()]);
        }
        if let Some(label) = &self.label {
            let list = |words: &[Vec<u8>]| {
                words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect::<Vec<_>>().join(", ")
            };
            let how = format!("fraud: {}; legitimate: {}", list(&label.fraud), list(&label.legitimate));
            add("label", &[label.at], vec![how]);
        }
        if !self.apart.is_empty() {
            add("apart", &self.apart, vec!["only tells rows apart".to_owned()]);
        }
        for (at, skip) in &self.skips {
            add("skip", &[*at], vec![format!("rows that are {}", skip.reason)]);
        }
        all
    }

    fn time_told(&self, preset: &Preset) -> Vec<String> {
        let time = &preset.time;
        let how = match &time.step {
            Some(Step { unit, base }) => {
                let unit = match unit {
                    StepUnit::Second => "seconds",
                    StepUnit::Minute => "minutes",
                    StepUnit::Hour => "hours",
                    StepUnit::Day => "days",
                    StepUnit::Month => "months",
                };
                format!("{unit} since {base}")
            }
            None => time.formats.join(" or "),
        };
        let zone = time.zone.as_deref().unwrap_or("UTC");
        let zone = match self.zone {
            Some(at) => format!("zone named by `{}`", self.columns[at]),
            None if time.step.is_some() || time.formats.iter().all(|format| format.starts_with("epoch")) => {
                String::new()
            }
            None => format!("{zone} where no zone is named"),
        };
        let joined = if self.time.len() > 1 { "joined by a blank" } else { "" };
        vec![joined.to_owned(), how, zone]
    }

    fn amount_told(&self) -> (Vec<usize>, Vec<String>) {
        let (columns, sign) = match &self.amount {
            Amounts::Signed { at, outflow: Some(outflow), inflow, .. } => {
                let words = |(column, words): &ColumnWords| {
                    let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(word)).collect();
                    format!("where `{}` is {}", self.columns[*column], words.join(" or "))
                };
                let into =
                    inflow.as_ref().map_or_else(|| "in else".to_owned(), |inflow| format!("in {}", words(inflow)));
                (vec![*at], format!("flows out {}, {into}, whatever its sign", words(outflow)))
            }
            Amounts::Signed { at, negate, inflow, plus_in, .. } => {
                let sign = if *negate { Sign::OutflowPositive } else { Sign::OutflowNegative };
                let mut described = match sign {
                    Sign::OutflowNegative => "an outflow is negative".to_owned(),
                    Sign::OutflowPositive => "an outflow is positive: the sign is turned".to_owned(),
                };
                if let Some((column, words)) = inflow {
                    let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(word)).collect();
                    let column = &self.columns[*column];
                    described.push_str(&format!(", but not where `{column}` is {}", words.join(" or ")));
                }
                if *plus_in {
                    described.push_str(", but not where it has a plus");
                }
                (vec![*at], described)
            }
            Amounts::Pair { debit, credit } => {
                (vec![*debit, *credit], "the first flows out, the second in, whatever their signs".to_owned())
            }
        };
        let received =
            self.received.as_ref().map(|received| format!("what came in from `{}`", self.columns[received.at]));
        let fee = self.fee.map(|at| format!("less the fee in `{}`", self.columns[at])).unwrap_or_default();
        let round = if self.round { "rounded to the minor unit, half to even" } else { "" };
        let style = match self.style {
            Style::Plain => "plain numbers",
            Style::Money => "a point before the decimals, commas between thousands, currency signs",
            Style::MoneyComma => "a comma before the decimals, points between thousands, currency signs",
            Style::Minor => "whole minor units",
        };
        (columns, vec![sign, received.unwrap_or_default(), fee, round.to_owned(), style.to_owned()])
    }
}
