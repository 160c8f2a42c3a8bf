use crible_core::Currency;

use super::{Origin, Place, Preset, PresetError, Text};
use crate::payee::Cleaner;
use crate::value::time::Clock;

/// The most columns that a file without a header may be said to have.
const MAX_COLUMNS: usize = 4_096;

/// A key whose value makes no sense.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) key: String,
    value: String,
    expected: String,
}

impl Wrong {
    /// The error, with where the key stands.
    pub(super) fn at(&self, origin: String) -> PresetError {
        let Self { key, value, expected } = self;
        PresetError::Value { origin, key: key.clone(), value: value.clone(), expected: expected.clone() }
    }
}

impl Preset {
    /// Whether it can be used at all; what depends on a file is found out there.
    pub(super) fn check(&self) -> Result<(), Wrong> {
        let wrong = |key: &str, value: &str, expected: &str| {
            Err(Wrong { key: key.to_owned(), value: value.to_owned(), expected: expected.to_owned() })
        };
        if self.name.is_empty() || self.name.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return wrong("name", &self.name, "a word without blanks");
        }
        if let Some(delimiter) = self.file.delimiter
            && (!delimiter.is_ascii() || matches!(delimiter, '"' | '\r' | '\n'))
        {
            return wrong("file.delimiter", &delimiter.to_string(), "one ASCII character, no quote or line end");
        }
        if self.file.headers.iter().any(Vec::is_empty) || self.file.columns == Some(0) {
            return wrong("file", "no column", "at least one column");
        }
        if let Some(columns) = self.file.columns.filter(|&columns| columns > MAX_COLUMNS) {
            return wrong("file.columns", &columns.to_string(), &format!("at most {MAX_COLUMNS}"));
        }
        if !self.file.headers.is_empty() && self.file.columns.is_some() {
            return wrong("file", "headers and columns", "one of them");
        }
        for check in &self.file.check {
            if check.like.is_some() == check.equals.is_some()
                || self.file.columns.is_none_or(|columns| check.column >= columns)
            {
                let value = format!("column = {}", check.column);
                return wrong("file.check", &value, "a column of the file, and `like` or `equals`");
            }
        }
        for (key, text) in self.texts() {
            let given = [text.column.is_some(), !text.columns.is_empty(), text.constant.is_some(), text.from.is_some()];
            // An account's column may be one that some forms of the feed lack.
            let fallback = given == [true, false, false, true] && text.from != Some(Origin::EachRow);
            if given.iter().filter(|&&given| given).count() != 1 && !fallback {
                let names = ["column", "columns", "constant", "from"].into_iter().zip(given);
                let names: Vec<&str> = names.filter(|(_, given)| *given).map(|(name, _)| name).collect();
                return wrong(key, &names.join(" and "), "one of column, columns, constant and from");
            }
            if !text.columns.is_empty() && !matches!(key, "account" | "counterparty") {
                return wrong(key, "columns", "one column; only accounts and counterparties are joined of several");
            }
            let above = (text.between.len() == 2 && text.beside.is_empty())
                || (text.between.is_empty() && !text.beside.is_empty());
            if (text.from == Some(Origin::Preamble)) != above {
                return wrong(key, "between", "two texts, or `beside` and words, with from = \"preamble\"");
            }
            if (text.inflow_column.is_some() && (key != "counterparty" || text.column.is_none()))
                || (text.turned.is_some() && text.inflow_column.is_none())
            {
                return wrong(key, "inflow-column", "this beside a counterparty's column alone");
            }
            if !text.or.is_empty()
                && (key == "currency"
                    || text.column.is_none()
                    || text.html
                    || text.strip.is_some()
                    || text.inflow_column.is_some())
            {
                return wrong(key, "or", "this beside a column alone, and on no currency");
            }
            if text.strip.is_some_and(|letter| !letter.is_ascii()) {
                return wrong(key, "strip", "one ASCII character");
            }
            if !text.names.is_empty() && key != "currency" {
                return wrong(key, "names", "this on currencies alone");
            }
            if let Some(code) = text.names.values().find(|code| !is_currency(code)) {
                return wrong("currency.names", code, "three letters that ISO 4217 has");
            }
            match (key, text.from) {
                (_, None) | ("currency", Some(Origin::Header | Origin::Amount)) => {}
                ("account", Some(from)) if !matches!(from, Origin::Header | Origin::Amount) => {}
                ("account", _) => return wrong(key, "from", "file-name, each-row or preamble"),
                ("currency", _) => return wrong(key, "from", "header, amount, a column or a constant"),
                _ => return wrong(key, "from", "a column or a constant; only accounts come from elsewhere"),
            }
            for part in &text.drop {
                if text.from != Some(Origin::FileName) || regex::Regex::new(part).is_err() {
                    return wrong(&format!("{key}.drop"), part, "a regular expression, beside from = \"file-name\"");
                }
            }
            if key != "counterparty" && (!text.payee.is_empty() || !text.payee_rules.is_empty()) {
                return wrong(key, "payee", "this on counterparties alone");
            }
            if let Err((value, expected)) = Cleaner::new(&text.payee, &text.payee_rules) {
                return wrong(&format!("{key}.payee"), &value, &expected);
            }
            if text.is_account && key != "counterparty" {
                return wrong(key, "is-account", "this on counterparties alone");
            }
            if text.constant.is_some() && matches!(key, "device" | "address") {
                return wrong(key, "constant", "a column: what every row shares tells nobody apart");
            }
            if text.constant.as_deref().is_some_and(|word| word.trim().is_empty()) {
                return wrong(key, "", "a constant with something in it");
            }
        }
        if let Some(code) = self.currency.as_ref().and_then(|c| c.constant.as_ref())
            && !is_currency(code)
        {
            return wrong("currency.constant", code, "three letters that ISO 4217 has");
        }
        if self.time.column.is_some() != self.time.columns.is_empty() {
            return wrong("time", "", "one of column and columns");
        }
        if self.time.step.is_some() && (!self.time.formats.is_empty() || !self.time.columns.is_empty()) {
            return wrong("time.step", "", "one column and no formats beside it");
        }
        if let Err((value, expected)) = Clock::new(&self.time) {
            return wrong("time", &value, expected);
        }
        let money = &self.amount;
        let pair = (money.debit.is_some(), money.credit.is_some());
        if !matches!((money.column.is_some(), pair), (true, (false, false)) | (false, (true, true))) {
            return wrong("amount", "", "column, or debit and credit");
        }
        if pair.0 && (money.sign.is_some() || money.inflow.is_some() || money.outflow.is_some()) {
            return wrong("amount", "", "no sign, inflow or outflow beside debit and credit");
        }
        if money.received.is_some() && money.inflow.is_none() {
            return wrong("amount.received", "", "this beside inflow, which names the rows that it is of");
        }
        if let Some(received) = &money.received
            && received.currency.is_some()
            && self.currency.as_ref().is_none_or(|currency| currency.column.is_none())
        {
            return wrong("amount.received", "currency", "a currency that is a column, too");
        }
        if money.outflow.is_some() && money.sign.is_some() {
            return wrong("amount.outflow", "", "it or a sign: words tell the way, whatever the sign");
        }
        for (key, words) in [("amount.outflow", &money.outflow), ("amount.inflow", &money.inflow)] {
            if words.as_ref().is_some_and(|words| words.values.is_empty()) {
                return wrong(key, "", "at least one word");
            }
        }
        let signs = &money.signs;
        if signs.out.iter().chain(&signs.into).any(|known| known.values.is_empty() == known.contains.is_none()) {
            return wrong("amount.signs", "", "values or a text that the field contains");
        }
        if let Some(skip) = self.skip.iter().find(|skip| skip.tests() != 1 || skip.reason.is_empty()) {
            return wrong("skip", &skip.reason, "a reason, and one of values, other-than, starts-with and empty");
        }
        if money.fee.is_some() && money.principal.is_some() {
            return wrong("amount.principal", "", "it or fee: with a fee the amount is the principal");
        }
        if let Some(label) = &self.label
            && label.fraud.is_empty()
        {
            return wrong("label.fraud", "", "the words for fraud");
        }
        self.check_places(&wrong)
    }

    /// Every column a preset uses is one that each of its headers has.
    fn check_places(&self, wrong: &dyn Fn(&str, &str, &str) -> Result<(), Wrong>) -> Result<(), Wrong> {
        for (key, place) in self.places() {
            match place {
                Place::Named(name) => {
                    if self.file.columns.is_some() {
                        return wrong(key, name, "a position: the file has no header");
                    }
                    let count = |header: &Vec<String>| self.count(header, name);
                    if self.forms().any(|header| count(header) > 1) {
                        return wrong(key, name, "a position: the header has the name more than once");
                    }
                    if self.may_lack(place) && !self.is_optional(key) {
                        return wrong(key, name, "a column of every header");
                    }
                    if self.file.has.is_empty()
                        && self.forms().next().is_some()
                        && self.forms().all(|header| count(header) == 0)
                    {
                        return wrong(key, name, "a column of at least one header");
                    }
                }
                Place::At(at) => {
                    let width = self.forms().map(Vec::len).min().or(self.file.columns);
                    if width.is_some_and(|width| *at >= width) {
                        return wrong(key, &at.to_string(), "a position below the number of columns, from 0");
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a form of the feed may lack the column that a key names; the value is then absent.
    pub(crate) fn is_optional(&self, key: &str) -> bool {
        match key {
            "account" => self.account.from.is_some(),
            "counterparty" | "category" | "channel" | "country" | "device" | "address" | "balance" | "id" | "label"
            | "apart" | "skip" | "meaning" | "amount.principal" | "amount.signs" => true,
            "balance.negative" | "position.latitude" | "position.longitude" | "time.finer" => true,
            _ if key.ends_with(".or") => true,
            _ => false,
        }
    }

    fn texts(&self) -> impl Iterator<Item = (&'static str, &Text)> {
        [
            ("account", Some(&self.account)),
            ("currency", self.currency.as_ref()),
            ("counterparty", self.counterparty.as_ref()),
            ("category", self.category.as_ref()),
            ("channel", self.channel.as_ref()),
            ("country", self.country.as_ref()),
            ("device", self.device.as_ref()),
            ("address", self.address.as_ref()),
        ]
        .into_iter()
        .filter_map(|(key, text)| Some((key, text?)))
    }

    /// Every column the preset reads, with the key that reads it.
    pub(crate) fn places(&self) -> Vec<(&'static str, &Place)> {
        let mut places: Vec<(&'static str, &Place)> = Vec::new();
        for (key, text) in self.texts() {
            places.extend(text.column.iter().chain(&text.columns).map(|place| (key, place)));
            places.extend(text.or.iter().map(|place| (or(key), place)));
            places.extend(text.inflow_column.iter().map(|place| ("counterparty.inflow-column", place)));
            places.extend(text.turned.iter().map(|turned| ("counterparty.turned", &turned.column)));
        }
        places.extend(self.time.finer.iter().map(|place| ("time.finer", place)));
        let negative = self.balance.iter().filter_map(|balance| balance.negative.as_ref());
        places.extend(negative.map(|negative| ("balance.negative", &negative.column)));
        places.extend(self.time.zone_column.iter().map(|place| ("time.zone-column", place)));
        places.extend(self.amount.fee.iter().map(|place| ("amount.fee", place)));
        places.extend(self.skip.iter().map(|skip| ("skip", &skip.column)));
        places.extend(self.file.evidence.iter().map(|evidence| ("file.evidence", &evidence.column)));
        places.extend(self.time.column.iter().chain(&self.time.columns).map(|place| ("time", place)));
        let money = &self.amount;
        places.extend(money.column.iter().map(|place| ("amount", place)));
        places.extend(money.debit.iter().map(|place| ("amount.debit", place)));
        places.extend(money.credit.iter().map(|place| ("amount.credit", place)));
        let received = money.received.iter().flat_map(|received| received.currency.iter().chain([&received.column]));
        places.extend(received.map(|place| ("amount.received", place)));
        places.extend(money.signs.out.iter().chain(&money.signs.into).map(|known| ("amount.signs", &known.column)));
        places.extend(money.inflow.iter().map(|inflow| ("amount.inflow", &inflow.column)));
        places.extend(money.outflow.iter().map(|outflow| ("amount.outflow", &outflow.column)));
        if let Some(position) = &self.position {
            places.push(("position.latitude", &position.latitude));
            places.push(("position.longitude", &position.longitude));
        }
        places.extend(self.balance.iter().map(|balance| ("balance", &balance.column)));
        places.extend(self.id.iter().map(|id| ("id", &id.column)));
        places.extend(self.label.iter().map(|label| ("label", &label.column)));
        places.extend(self.amount.principal.iter().map(|place| ("amount.principal", place)));
        places.extend(self.meaning.places().map(|place| ("meaning", place)));
        places.extend(self.apart.iter().map(|place| ("apart", place)));
        places
    }
}

/// The key of the columns that stand in for that of another key.
fn or(key: &str) -> &'static str {
    match key {
        "account" => "account.or",
        "counterparty" => "counterparty.or",
        "category" => "category.or",
        "channel" => "channel.or",
        "device" => "device.or",
        "address" => "address.or",
        _ => "country.or",
    }
}

fn is_currency(code: &str) -> bool {
    Currency::new(code.as_bytes()).is_some_and(Currency::is_assigned)
}
