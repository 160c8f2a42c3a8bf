use std::collections::BTreeMap;
use std::path::Path;

use super::{
    Balance, Coordinates, Id, Inflow, Labels, Money, Origin, Place, Preset, PresetError, Shape, Sign, Style, Text,
    Time, When,
};

/// A user's own word on which column is what, for files no preset knows.
///
/// Written as `account=Card,amount=Total,time=When`, further keys `clock` (the time of day, where that has a column of its
/// own), `counterparty`, `category`, `channel`, `country`, `currency`, `latitude`, `longitude`, `device`, `address` (of
/// the network), `balance` (after the transaction; `balance-before` for before), `id`, `label`; `debit=Out,credit=In` in
/// place of `amount` where each way has a column of its own; `sign=outflow-positive|outflow-negative`, or
/// `outflow=Type:Debit|Fee` (and `inflow=Type:Credit`) where words in a column tell the way of unsigned amounts;
/// `payee=en|de` finds payees in the counterparties' texts; `time-format=iso|epoch-seconds|excel-serial|written|%d.%m.%Y …`,
/// `zone=Europe/Paris`, `amount-format=plain|money|money-comma|minor`, `delimiter=;`, `columns=5` for a file of five
/// columns that has no header, and `array=data.items` where JSON has its objects at these keys. A column is a name, or
/// `#3` for the third; a comma or backslash in a name is written `\,` or `\\`. `account=@file-name` takes the account from
/// the file's name, `account=@folder` from its folder's, `currency=@EUR` (and `=@` before any other word) a constant.
/// Sign, time format and amount format are sniffed where they are not given.
#[derive(Clone, Debug)]
pub struct Mapping(pub(crate) Preset);

const KEYS: &str = "account, amount, debit, credit, time, clock, counterparty, category, channel, country, currency, \
                    latitude, longitude, device, address, balance, balance-before, id, label, sign, outflow, inflow, \
                    payee, time-format, zone, amount-format, delimiter, array or columns";

impl Mapping {
    /// A mapping from its short form.
    ///
    /// # Errors
    /// [`PresetError`] naming the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, PresetError> {
        let wrong =
            |part: &str, expected: &str| PresetError::Mapping { part: part.to_owned(), expected: expected.to_owned() };
        let mut given = Given::default();
        for part in split(text) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(wrong(&part, "key=column"));
            };
            let (key, value) = (key.trim(), value.trim());
            if value.is_empty() {
                return Err(wrong(&part, "something behind the ="));
            }
            let slot = given.slot(key).ok_or_else(|| wrong(&part, KEYS))?;
            if slot.replace(value.to_owned()).is_some() {
                return Err(wrong(&part, "each key once"));
            }
        }
        let preset = given.preset()?;
        preset.check().map_err(|wrong| wrong.at("mapping".to_owned()))?;
        Ok(Self(preset))
    }

    /// A mapping from a TOML file of a preset's form, in which `headers`, `amount.sign` and `time.formats` may be left
    /// out.
    ///
    /// # Errors
    /// [`PresetError`] where the file cannot be read or is no preset.
    pub fn from_file(path: &Path) -> Result<Self, PresetError> {
        let text = std::fs::read_to_string(path).map_err(|source| PresetError::Io { path: path.to_owned(), source })?;
        Self::from_toml(&text, &path.display().to_string())
    }

    /// The same from the TOML itself; `origin` names it in errors.
    ///
    /// # Errors
    /// [`PresetError`] where it is no preset.
    pub fn from_toml(text: &str, origin: &str) -> Result<Self, PresetError> {
        Preset::from_toml(text, origin).map(Self)
    }

    /// The name that its transactions' references are made under.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The same for a table whose values have types.
    pub(crate) fn typed(&self) -> Self {
        Self(self.0.typed())
    }
}

/// Splits at commas; a backslash takes the character behind it as it is.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ',' => parts.push(String::new()),
            letter => {
                let last = parts.len() - 1;
                let letter = if letter == '\\' { letters.next().unwrap_or('\\') } else { letter };
                parts[last].push(letter);
            }
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

#[derive(Default)]
struct Given {
    slots: [Option<String>; NAMES.len()],
}

const NAMES: [&str; 29] = [
    "account",
    "amount",
    "debit",
    "credit",
    "time",
    "clock",
    "counterparty",
    "category",
    "channel",
    "country",
    "currency",
    "latitude",
    "longitude",
    "device",
    "address",
    "balance",
    "balance-before",
    "id",
    "label",
    "sign",
    "outflow",
    "inflow",
    "payee",
    "time-format",
    "zone",
    "amount-format",
    "delimiter",
    "array",
    "columns",
];

impl Given {
    fn slot(&mut self, key: &str) -> Option<&mut Option<String>> {
        let at = NAMES.iter().position(|&name| name == key)?;
        self.slots.get_mut(at)
    }

    fn take(&mut self, key: &str) -> Option<String> {
        self.slot(key)?.take()
    }

    fn place(&mut self, key: &str) -> Result<Option<Place>, PresetError> {
        self.take(key).map(|value| place(key, value)).transpose()
    }

    fn text(&mut self, key: &str) -> Result<Option<Text>, PresetError> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let mut text = Text::default();
        match value.strip_prefix('@') {
            Some("file-name") if key == "account" => text.from = Some(Origin::FileName),
            Some("folder") if key == "account" => text.from = Some(Origin::Folder),
            Some("each-row") if key == "account" => text.from = Some(Origin::EachRow),
            Some(word) => text.constant = Some(word.to_owned()),
            None => text.column = Some(place(key, value)?),
        }
        Ok(Some(text))
    }

    /// A column and words in it: `Type:Debit|Fee`.
    fn words(&mut self, key: &str) -> Result<Option<Inflow>, PresetError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let wrong = || PresetError::Mapping {
            part: format!("{key}={value}"),
            expected: "a column, a colon and the words in it, such as Type:Debit|Fee".to_owned(),
        };
        let (column, words) = value.rsplit_once(':').ok_or_else(wrong)?;
        let values: Vec<String> =
            words.split('|').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect();
        if values.is_empty() || column.trim().is_empty() {
            return Err(wrong());
        }
        Ok(Some(Inflow { column: place(key, column.trim().to_owned())?, values }))
    }

    fn preset(mut self) -> Result<Preset, PresetError> {
        let missing = |key: &str| PresetError::Mapping {
            part: format!("no {key}"),
            expected: "at least account=…, amount=… and time=…".to_owned(),
        };
        let choice = |key: &str, value: String, expected: &str| PresetError::Mapping {
            part: format!("{key}={value}"),
            expected: expected.to_owned(),
        };
        let sign = match self.take("sign") {
            None => None,
            Some(word) => Some(match word.as_str() {
                "outflow-positive" => Sign::OutflowPositive,
                "outflow-negative" => Sign::OutflowNegative,
                _ => return Err(choice("sign", word, "outflow-positive or outflow-negative")),
            }),
        };
        let format = match self.take("amount-format") {
            None => None,
            Some(word) => Some(match word.as_str() {
                "plain" => Style::Plain,
                "money" => Style::Money,
                "money-comma" => Style::MoneyComma,
                "minor" => Style::Minor,
                _ => return Err(choice("amount-format", word, "plain, money, money-comma or minor")),
            }),
        };
        let delimiter = match self.take("delimiter") {
            None => None,
            Some(word) if word == "tab" => Some('\t'),
            Some(word) => {
                let mut letters = word.chars();
                match (letters.next(), letters.next()) {
                    (Some(letter), None) => Some(letter),
                    _ => return Err(choice("delimiter", word, "one character, or tab")),
                }
            }
        };
        let columns = match self.take("columns") {
            None => None,
            Some(word) => match word.parse() {
                Ok(number) => Some(number),
                Err(_) => return Err(choice("columns", word, "the number of columns of a file without a header")),
            },
        };
        let position = match (self.place("latitude")?, self.place("longitude")?) {
            (Some(latitude), Some(longitude)) => Some(Coordinates { latitude, longitude }),
            (None, None) => None,
            _ => return Err(missing("latitude or longitude beside the other one")),
        };
        let balance = match (self.place("balance")?, self.place("balance-before")?) {
            (None, None) => None,
            (Some(column), None) => Some(Balance { column, negative: None, when: When::After }),
            (None, Some(column)) => Some(Balance { column, negative: None, when: When::Before }),
            _ => {
                return Err(choice("balance", "and balance-before".to_owned(), "one of them"));
            }
        };
        let mut counterparty = self.text("counterparty")?;
        if let Some(sets) = self.take("payee") {
            let Some(counterparty) = &mut counterparty else { return Err(missing("counterparty beside payee")) };
            counterparty.payee = sets.split('|').map(|set| set.trim().to_owned()).collect();
        }
        let time = self.place("time")?.ok_or_else(|| missing("time"))?;
        let (time, times) = match self.place("clock")? {
            None => (Some(time), Vec::new()),
            Some(clock) => (None, vec![time, clock]),
        };
        let (outflow, inflow) = (self.words("outflow")?, self.words("inflow")?);
        let (column, debit, credit) = match (self.place("amount")?, self.place("debit")?, self.place("credit")?) {
            (Some(column), None, None) => (Some(column), None, None),
            (None, Some(debit), Some(credit)) if sign.is_none() && outflow.is_none() && inflow.is_none() => {
                (None, Some(debit), Some(credit))
            }
            (None, None, None) => return Err(missing("amount")),
            _ => return Err(missing("amount alone, or debit and credit without sign, outflow and inflow")),
        };
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        Ok(Preset {
            name: "mapping".to_owned(),
            title: "Columns named by the user".to_owned(),
            source: String::new(),
            licence: String::new(),
            notes: String::new(),
            undecided: Vec::new(),
            apart: Vec::new(),
            file: Shape { delimiter, columns, array: self.take("array").into_iter().collect(), ..Shape::default() },
            account: self.text("account")?.ok_or_else(|| missing("account"))?,
            time: Time {
                column: time,
                columns: times,
                finer: None,
                formats: self.take("time-format").into_iter().collect(),
                zone: self.take("zone"),
                zone_column: None,
                zones: BTreeMap::new(),
                step: None,
            },
            amount: Money { column, debit, credit, sign, format, inflow, outflow, ..Money::default() },
            currency: self.text("currency")?,
            counterparty,
            category: self.text("category")?,
            channel: self.text("channel")?,
            country: self.text("country")?,
            device: self.text("device")?,
            address: self.text("address")?,
            position,
            balance,
            // Whether a stranger's ids can be trusted is not known, and keeping a row too many loses nothing.
            id: self.place("id")?.map(|column| Id { column, trusted: false }),
            label: self.place("label")?.map(|column| Labels {
                column,
                fraud: words(&["1", "true", "yes", "y", "fraud"]),
                legitimate: words(&["0", "false", "no", "n", "legitimate", "genuine"]),
                unknown: Vec::new(),
            }),
            meaning: super::Meaning::default(),
            skip: Vec::new(),
            format: None,
            toml: "".into(),
        })
    }
}

fn place(key: &str, value: String) -> Result<Place, PresetError> {
    let Some(number) = value.strip_prefix('#') else {
        return Ok(Place::Named(value));
    };
    match number.parse::<usize>() {
        Ok(number) if number > 0 => Ok(Place::At(number - 1)),
        // A column may well be called `#` or `#tags`.
        _ if number.parse::<usize>().is_err() => Ok(Place::Named(value)),
        _ => Err(PresetError::Mapping {
            part: format!("{key}={value}"),
            expected: "a position counted from #1".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_short_form_says_what_the_long_one_does() {
        let mapping = Mapping::parse(
            r"account=Card\, last four,amount=#3,time=When,currency=@EUR,sign=outflow-positive,delimiter=tab",
        )
        .unwrap();
        let preset = mapping.0;
        assert_eq!(preset.account.column, Some(Place::Named("Card, last four".to_owned())));
        assert_eq!(preset.amount.column, Some(Place::At(2)));
        assert_eq!(preset.currency.unwrap().constant.as_deref(), Some("EUR"));
        assert_eq!(preset.amount.sign, Some(Sign::OutflowPositive));
        assert_eq!(preset.file.delimiter, Some('\t'));
        let way =
            Mapping::parse("account=a,amount=b,time=t,outflow=When: which:Debit | Fee,inflow=#4:Credit").unwrap().0;
        let (outflow, inflow) = (way.amount.outflow.unwrap(), way.amount.inflow.unwrap());
        assert_eq!(
            (outflow.column, outflow.values),
            (Place::Named("When: which".to_owned()), vec!["Debit".to_owned(), "Fee".to_owned()])
        );
        assert_eq!((inflow.column, inflow.values), (Place::At(3), vec!["Credit".to_owned()]));
        let pair = Mapping::parse("account=a,debit=Out,credit=In,time=t").unwrap().0.amount;
        let named = |name: &str| Some(Place::Named(name.to_owned()));
        assert_eq!((pair.column, pair.debit, pair.credit), (None, named("Out"), named("In")));
        let file = Mapping::parse("account=@file-name,amount=a,time=t").unwrap().0;
        assert_eq!(file.account.from, Some(Origin::FileName));
        let apart = Mapping::parse("account=a,amount=b,time=Day,clock=#4").unwrap().0.time;
        assert_eq!((apart.column, apart.columns), (None, vec![Place::Named("Day".to_owned()), Place::At(3)]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |text: &str, expect: &str| {
            let message = Mapping::parse(text).unwrap_err().to_string();
            assert!(message.contains(expect), "{text}: {message}");
        };
        check("account=a,time=t", "no amount");
        check("account=a,time=t,debit=d", "debit and credit");
        check("account=a,time=t,amount=b,debit=d,credit=c", "amount alone");
        check("account=a,time=t,debit=d,credit=c,sign=outflow-positive", "without sign");
        check("account=a,amount=b", "no time");
        check("account", "`account`");
        check("acount=a", "acount=a");
        check("account=", "account=");
        check("account=a,account=b", "each key once");
        check("account=#0,amount=b,time=t", "#1");
        check("account=a,amount=b,time=t,sign=minus", "sign=minus");
        check("account=a,amount=b,time=t,zone=Mars/Olympus", "Mars/Olympus");
        check("account=a,amount=b,time=t,time-format=%Q", "%Q");
        check("account=a,amount=b,time=t,latitude=x", "longitude");
        check("account=a,amount=b,time=t,outflow=Type", "outflow=Type");
        check("account=a,amount=b,time=t,outflow=Type:|", "outflow=Type:|");
        check("account=a,amount=b,time=t,payee=en", "counterparty");
        check("account=a,amount=b,time=t,counterparty=c,payee=xx", "xx");
        check("account=a,amount=b,time=t,currency=@EURO", "EURO");
    }
}
