//! The draft, written out.

use std::fmt::Write as _;

use super::money::{Columns, Sums};
use super::parties::{Other, Owner};
use super::roles::{Coin, Roles};
use super::table::Table;
use super::times::{How, When};
use super::{Draft, Guess, Sure};
use crate::preset::{Sign, Style};
use crate::value::time::sniff::turned;

struct Writer<'t> {
    table: &'t Table,
    text: String,
    undecided: Vec<String>,
    fields: usize,
}

pub(super) fn write(name: &str, table: &Table, roles: &Roles) -> Draft {
    let mut out = Writer { table, text: String::new(), undecided: Vec::new(), fields: 0 };
    out.file(roles);
    out.account(&roles.account);
    out.other_texts(roles);
    out.time(roles.time.as_ref());
    out.amount(roles.amount.as_ref());
    out.currency(roles.currency.as_ref());
    out.rest(roles);
    let Writer { text: body, undecided, fields, .. } = out;
    let mut text = format!(
        "# A draft from {} rows. Each guess says what it rests on and how sure it is: certain, likely, a guess, UNDECIDED.\n\
         # Read it, correct it, fill in title and source, and put it into a folder that --presets or CRIBLE_PRESETS names.\n\
         name = {}\ntitle = \"A draft\"\nsource = \"\"\n",
        table.rows.len(),
        quoted(name)
    );
    if !undecided.is_empty() {
        text.push_str("# Nothing in the file decides these. Edit what each names, then delete it here: until then nothing loads.\n");
        let _ = writeln!(text, "undecided = [");
        for point in &undecided {
            let _ = writeln!(text, "    {},", quoted(point));
        }
        text.push_str("]\n");
    }
    text.push_str(&body);
    Draft { toml: text, name: name.to_owned(), fields, undecided }
}

impl Writer<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn head(&mut self, name: &str) {
        self.fields += usize::from(name != "file");
        let _ = write!(self.text, "\n[{name}]\n");
    }

    /// A comment: how sure something is, and why.
    fn why<T>(&mut self, guess: &Guess<T>) {
        let why = plain(&guess.why);
        let _ = writeln!(self.text, "# {}: {why}", guess.sure.described());
    }

    fn open(&mut self, key: &str, what: &str) {
        self.undecided.push(format!("{key}: {}", plain(what)));
    }

    /// A column: its name, or its position where that is no name of one column alone.
    fn place(&self, at: usize) -> String {
        let name = &self.table.names[at];
        if self.table.has_header && self.table.names.iter().filter(|known| *known == name).count() == 1 {
            quoted(name)
        } else {
            at.to_string()
        }
    }

    fn places(&self, columns: &[usize]) -> String {
        columns.iter().map(|&at| self.place(at)).collect::<Vec<_>>().join(", ")
    }

    fn column(&mut self, at: usize) {
        let line = format!("column = {}", self.place(at));
        self.line(&line);
    }

    fn file(&mut self, roles: &Roles) {
        self.head("file");
        let table = self.table;
        if table.has_header {
            let names: Vec<String> = table.names.iter().map(|name| quoted(name)).collect();
            self.line(&format!("headers = [[{}]]", names.join(", ")));
            if !table.above.is_empty() {
                self.line(&format!("# {} lines stand above the header; some more are allowed for.", table.above.len()));
                self.line(&format!("preamble = {}", table.above.len() + 4));
            }
        } else {
            self.line("# No line of names: the first row is data. It is recognised by how its first row looks.");
            self.line(&format!("columns = {}", table.names.len()));
            let mut checks = Vec::new();
            if let Some(When { columns: Guess { what, .. }, how: How::Formats(_), .. }) = &roles.time
                && let [at] = what[..]
            {
                checks.push(format!("{{ column = {at}, like = \"time\" }}"));
            }
            if let Some(Sums { columns: Guess { what: Columns::Signed(at), .. }, .. }) = &roles.amount {
                checks.push(format!("{{ column = {at}, like = \"amount\" }}"));
            }
            if !checks.is_empty() {
                self.line(&format!("check = [{}]", checks.join(", ")));
            }
        }
        if table.delimiter != b',' {
            self.line(&format!("delimiter = {}", quoted(&char::from(table.delimiter).to_string())));
        }
        if table.trailing_empty {
            self.line("# Rows end in one delimiter too many.");
            self.line("trailing-empty = true");
        }
    }

    fn account(&mut self, account: &Guess<Owner>) {
        self.head("account");
        self.why(account);
        match &account.what {
            Owner::Column(at) => self.column(*at),
            Owner::EachRow => self.line("from = \"each-row\""),
            Owner::FileName { cut_at } => {
                self.line("# One file is taken for one account, named like it.");
                self.line("from = \"file-name\"");
                let marks: Vec<String> = cut_at.iter().map(|mark| quoted(mark)).collect();
                self.line(&format!("cut-at = [{}]", marks.join(", ")));
            }
            Owner::Preamble { before, behind } => {
                self.line("from = \"preamble\"");
                self.line(&format!("between = [{}, {}]", quoted(before), quoted(behind)));
            }
        }
    }

    fn other_texts(&mut self, roles: &Roles) {
        if let Some(guess) = &roles.counterparty {
            let Other { at, or, inflow, is_account } = &guess.what;
            let (at, inflow, is_account) = (*at, *inflow, *is_account);
            self.head("counterparty");
            self.why(guess);
            self.column(at);
            if !or.is_empty() {
                let line = format!("or = [{}]", self.places(or));
                self.line(&line);
            }
            self.frame(&roles.columns[at]);
            if let Some(inflow) = inflow {
                let line = format!("inflow-column = {}", self.place(inflow));
                self.line(&line);
            }
            if is_account {
                self.line("is-account = true");
            }
        }
        for (field, guess) in [("category", &roles.category), ("channel", &roles.channel), ("country", &roles.country)]
        {
            if let Some(guess) = guess {
                self.head(field);
                self.why(guess);
                self.column(guess.what);
                self.frame(&roles.columns[guess.what]);
            }
        }
    }

    /// What stands in or around the values of a text.
    fn frame(&mut self, column: &super::column::Column) {
        if let Some(letter) = column.strip {
            self.line(&format!("strip = {}", quoted(&letter.to_string())));
        }
        if column.has_html() {
            self.line("html = true");
        }
    }

    fn time(&mut self, when: Option<&When>) {
        self.head("time");
        let Some(when) = when else {
            self.open("time", "no column holds times; name the one that does, and its formats");
            self.line("# UNDECIDED: no column holds times.");
            self.column(0);
            return;
        };
        self.why(&when.columns);
        match when.columns.what.as_slice() {
            [at] => self.column(*at),
            several => {
                let line = format!("columns = [{}]", self.places(several));
                self.line(&line);
            }
        }
        match &when.how {
            How::Formats(formats) => {
                self.why(formats);
                let names: Vec<String> = formats.what.iter().map(|name| quoted(name)).collect();
                if formats.sure == Sure::Undecided {
                    let turned: Vec<String> = formats.what.iter().map(|name| turned(name)).collect();
                    let other = turned.join(" and ");
                    self.line(&format!("# With the day first it is {other}."));
                    let which = formats.what.join(" and ");
                    self.open("time.formats", &format!("{}: keep {which}, or take {other}", formats.why));
                }
                self.line(&format!("formats = [{}]", names.join(", ")));
            }
            How::Steps(steps) => {
                self.why(steps);
                self.line("step = { unit = \"hour\", base = \"2000-01-01T00:00:00Z\" }");
                self.open("time.step", &format!("{}: say which unit, and since when", steps.why));
            }
        }
        match &when.zone {
            Some((at, offsets)) => {
                let line = format!("zone-column = {}", self.place(*at));
                self.line(&line);
                let zones: Vec<String> =
                    offsets.iter().map(|(name, offset)| format!("{} = \"{offset}\"", quoted(name))).collect();
                self.line(&format!("zones = {{ {} }}", zones.join(", ")));
            }
            None if matches!(when.how, How::Formats(_)) => {
                self.line("# a guess: times that name no zone are taken for UTC.");
                self.line("zone = \"UTC\"");
            }
            None => {}
        }
    }

    fn amount(&mut self, sums: Option<&Sums>) {
        self.head("amount");
        let Some(sums) = sums else {
            self.open("amount", "no column holds amounts; name the one that does, its sign and its format");
            self.line("# UNDECIDED: no column holds amounts.");
            self.column(0);
            return;
        };
        self.why(&sums.columns);
        match sums.columns.what {
            Columns::Signed(at) => self.column(at),
            Columns::Pair { debit, credit } => {
                if sums.columns.sure == Sure::Undecided {
                    self.open("amount.debit", &sums.columns.why);
                }
                let lines = format!("debit = {}\ncredit = {}", self.place(debit), self.place(credit));
                self.line(&lines);
            }
        }
        if let Some(sign) = &sums.sign {
            self.why(sign);
            if sign.sure == Sure::Undecided {
                self.open("amount.sign", &format!("{}: keep outflow-negative, or take outflow-positive", sign.why));
            }
            self.line(match sign.what {
                Sign::OutflowNegative => "sign = \"outflow-negative\"",
                Sign::OutflowPositive => "sign = \"outflow-positive\"",
            });
        }
        self.why(&sums.style);
        if sums.style.sure == Sure::Undecided {
            self.open("amount.format", &format!("{}: keep money, or take money-comma", sums.style.why));
        }
        self.line(match sums.style.what {
            Style::Plain => "format = \"plain\"",
            Style::Money => "format = \"money\"",
            Style::MoneyComma => "format = \"money-comma\"",
            Style::Minor => "format = \"minor\"",
        });
        if sums.round {
            self.line("# Some amounts are finer than a hundredth: they are rounded, half to even.");
            self.line("round = true");
        }
        if let Some(way) = &sums.way {
            self.why(way);
            for (key, words) in [("outflow", &way.what.out), ("inflow", &way.what.into)] {
                if !words.is_empty() {
                    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                    let column = self.place(way.what.at);
                    self.line(&format!("{key} = {{ column = {column}, values = [{}] }}", words.join(", ")));
                }
            }
        }
    }

    fn currency(&mut self, coin: Option<&Guess<Coin>>) {
        let Some(coin) = coin else {
            self.line(
                "\n# No currency is named, so amounts are of XXX. If you know it:\n# [currency]\n# constant = \"EUR\"",
            );
            return;
        };
        self.head("currency");
        self.why(coin);
        match &coin.what {
            Coin::Constant(code) => self.line(&format!("constant = \"{code}\"")),
            Coin::Written => self.line("from = \"amount\""),
            Coin::Column { at, names } => {
                self.column(*at);
                if !names.is_empty() {
                    let names: Vec<String> =
                        names.iter().map(|(name, code)| format!("{} = \"{code}\"", quoted(name))).collect();
                    self.line(&format!("names = {{ {} }}", names.join(", ")));
                }
            }
        }
    }

    fn rest(&mut self, roles: &Roles) {
        if let Some(guess) = &roles.position {
            self.head("position");
            self.why(guess);
            let lines = format!("latitude = {}\nlongitude = {}", self.place(guess.what.0), self.place(guess.what.1));
            self.line(&lines);
        }
        if let Some(guess) = &roles.balance {
            self.head("balance");
            self.why(guess);
            self.column(guess.what.0);
            self.line(if guess.what.1 { "when = \"before\"" } else { "when = \"after\"" });
        }
        if let Some(guess) = &roles.id {
            self.head("id");
            self.why(guess);
            self.column(guess.what.0);
            self.line(&format!("trusted = {}", guess.what.1));
        }
        if let Some(guess) = &roles.label {
            self.head("label");
            self.why(guess);
            self.column(guess.what.at);
            let list = |words: &[String]| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ");
            let judged = &guess.what;
            self.line(&format!("fraud = [{}]\nlegitimate = [{}]", list(&judged.fraud), list(&judged.legitimate)));
            if !judged.unknown.is_empty() {
                self.line(&format!("unknown = [{}]", list(&judged.unknown)));
            }
        }
        if let Some(guess) = &roles.skip {
            self.text.push_str("\n[[skip]]\n");
            self.why(guess);
            self.column(guess.what.0);
            let words: Vec<String> = guess.what.1.iter().map(|word| quoted(word)).collect();
            self.line(&format!("values = [{}]", words.join(", ")));
            self.line("reason = \"a transaction that did not come about\"");
        }
    }
}

/// A TOML string of one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// A text for a comment: of one line, not without end.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(300).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn whatever_a_name_is_it_is_one_toml_string() {
        for name in ["plain", "a \"b\" \\c", "line\nend\r\t\0", "é☕\u{7f}\u{85}", ""] {
            let table: ::toml::Table = ::toml::from_str(&format!("a = {}", quoted(name))).unwrap();
            assert_eq!(table["a"].as_str(), Some(name));
        }
        assert!(!plain("a\nb").contains('\n'));
    }
}
