use std::collections::BTreeMap;

use chrono::{Datelike, TimeZone, Timelike};
use chrono_tz::Tz;
use crible_alert::wire;
use crible_core::{Amount, Timestamp};

use super::limit::Limit;
use super::notice::{CaseNotice, LastDigits, Notice, Question};
use super::phrases::{BadPhrases, Languages, Phrases, Value};
use super::plain::{has_link, plain};
use super::template::{BadTemplate, Kind, Template};
use crate::talk::Meaning;
use crate::{BadName, Language};

/// Turns notices and answers into text.
#[derive(Debug)]
pub struct Wording {
    bank: String,
    languages: Languages,
    templates: BTreeMap<(Kind, Language), Template>,
}

/// Who reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The language.
    pub language: Language,
    /// The time zone that times are told in.
    pub zone: Tz,
    /// The number to answer with, where several questions are open.
    pub number: Option<u8>,
}

impl Reader {
    /// Somebody at the bank.
    pub fn at_the_bank(language: Language) -> Self {
        Self { language, zone: Tz::UTC, number: None }
    }
}

/// A message in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// In a line, where a channel has room for one.
    pub subject: String,
    /// In full.
    pub text: String,
}

/// A message that cannot be put into words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot be rendered: {0}")]
pub struct Unrenderable(pub(crate) String);

/// What somebody who wrote to the bank is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// They said the payment was theirs.
    Theirs,
    /// They said it was not.
    NotTheirs,
    /// Several questions are open: they have to say which.
    Which {
        /// The number of one of them.
        number: u8,
    },
    /// No question is open.
    NoQuestion,
    /// They get no more messages.
    Stopped,
    /// Their address is known now.
    Linked,
    /// The code is not.
    NotLinked,
    /// What they have.
    Balances(Vec<Balance>),
    /// Nothing is known of what they have.
    NoBalance,
    /// What they can write.
    Help,
}

impl Answer {
    /// Its name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Theirs => "theirs",
            Self::NotTheirs => "not_theirs",
            Self::Which { .. } => "which",
            Self::NoQuestion => "no_question",
            Self::Stopped => "stopped",
            Self::Linked => "linked",
            Self::NotLinked => "not_linked",
            Self::Balances(_) => "balances",
            Self::NoBalance => "no_balance",
            Self::Help => "help",
        }
    }
}

/// What is on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// How much.
    pub amount: Amount,
    /// When it was.
    pub at: Timestamp,
    /// The account's last digits, where they are known.
    pub last_digits: Option<LastDigits>,
}

/// Longest names, in characters.
const BANK: usize = 20;
const MERCHANT: usize = 24;
/// Reasons and what else an alert says about itself.
const SENTENCE: usize = 400;

impl Wording {
    /// English and French, for a bank of this name.
    ///
    /// # Errors
    /// The name has nothing in it that can be read.
    pub fn new(bank: &str) -> Result<Self, BadName> {
        let name = plain(bank, BANK);
        let expected = "a name with letters, of at most 20 characters";
        if name.is_empty() || bank.trim().chars().count() > BANK {
            return Err(BadName::new("bank", bank, expected));
        }
        // The files are part of the program, and a test reads them.
        let languages = Languages::built_in().map_err(|_| BadName::new("bank", bank, expected))?;
        Ok(Self { bank: name, languages, templates: BTreeMap::new() })
    }

    /// Adds a language, or words one of them otherwise, from a Fluent file.
    ///
    /// # Errors
    /// The file is none, lacks a message, or uses a variable that a message is not given.
    pub fn add_language(&mut self, language: Language, source: String) -> Result<(), BadPhrases> {
        self.languages.add(language, source)
    }

    /// Uses a template for one kind of message in one language.
    ///
    /// # Errors
    /// The template does not parse, uses an unknown field, fails on a sample, or puts a link into a customer's message.
    pub fn add_template(&mut self, kind: Kind, language: Language, source: String) -> Result<(), BadTemplate> {
        let bad = |what| BadTemplate { name: format!("{}.{language}", kind.as_str()), what };
        let template = Template::read(kind, source).map_err(bad)?;
        self.templates.insert((kind, language), template);
        Ok(())
    }

    /// A notice in words that fit.
    ///
    /// # Errors
    /// A template fails, or the words do not fit however short they are made.
    pub fn words(&self, notice: &Notice, reader: &Reader, limit: Limit) -> Result<Words, Unrenderable> {
        let (language, phrases) = self.phrases(reader)?;
        match notice {
            Notice::Question(question) => self.question(question, reader, limit, language, phrases),
            Notice::Alert { alert, case } => self.alert(None, alert, *case, limit, language, phrases),
            Notice::Case(notice) => self.case(notice, limit, language, phrases),
            Notice::Trouble { channel, why } => {
                let channel = ("channel", Value::Text(channel.as_str()));
                let text = say(phrases, "trouble", &[channel.clone(), ("why", Value::Text(why))])?;
                let subject = say(phrases, "trouble-subject", &[channel])?;
                fitting(Words { subject, text }, limit)
            }
        }
    }

    /// An answer in words.
    ///
    /// # Errors
    /// The language's file fails on it.
    pub fn answer(&self, answer: &Answer, reader: &Reader) -> Result<String, Unrenderable> {
        let (_, phrases) = self.phrases(reader)?;
        let bank = ("bank", Value::Text(&self.bank));
        let id = match answer {
            Answer::Theirs => "answer-theirs",
            Answer::NotTheirs => "answer-not-theirs",
            Answer::NoQuestion => "answer-none",
            Answer::Stopped => "answer-stopped",
            Answer::Linked => "answer-linked",
            Answer::NotLinked => "answer-not-linked",
            Answer::NoBalance => "answer-no-balance",
            Answer::Help => "answer-help",
            Answer::Which { number } => {
                let number = ("number", Value::Number(i64::from(*number)));
                return say(phrases, "answer-which", &[bank, number]);
            }
            Answer::Balances(balances) => {
                let one = |balance: &Balance| {
                    let amount = money(phrases, balance.amount)?;
                    let when = when(phrases, balance.at, reader.zone)?;
                    let digits = balance.last_digits.as_ref().map_or("none", LastDigits::as_str);
                    let args = [
                        ("digits", Value::Text(digits)),
                        ("amount", Value::Text(&amount)),
                        ("when", Value::Text(&when)),
                    ];
                    say(phrases, "answer-balance-one", &args)
                };
                let all: Vec<String> = balances.iter().map(one).collect::<Result<_, _>>()?;
                return say(phrases, "answer-balance", &[bank, ("accounts", Value::Text(&all.join("; ")))]);
            }
        };
        say(phrases, id, &[bank])
    }

    /// What a word means, in any language that there is.
    pub fn meaning(&self, word: &str) -> Option<Meaning> {
        let word = word.to_lowercase();
        let listed = |phrases: &Phrases, id: &str| {
            let words = phrases.format(id, &[]).unwrap_or_default();
            words.split_whitespace().any(|listed| listed == word)
        };
        let ids = [
            ("words-stop", Meaning::Stop),
            ("words-no", Meaning::No),
            ("words-yes", Meaning::Yes),
            ("words-balance", Meaning::Balance),
            ("words-link", Meaning::Link),
            ("words-help", Meaning::Help),
        ];
        ids.into_iter()
            .find_map(|(id, meaning)| self.languages.all().any(|phrases| listed(phrases, id)).then_some(meaning))
    }

    fn phrases(&self, reader: &Reader) -> Result<(&Language, &Phrases), Unrenderable> {
        self.languages.nearest(&reader.language).ok_or_else(|| Unrenderable("there is no language".to_owned()))
    }

    fn template(&self, kind: Kind, language: &Language) -> Option<&Template> {
        self.templates.get(&(kind, language.clone()))
    }

    /// The merchant's name is shortened, and left out at last, until the question fits.
    fn question(
        &self,
        question: &Question,
        reader: &Reader,
        limit: Limit,
        language: &Language,
        phrases: &Phrases,
    ) -> Result<Words, Unrenderable> {
        let amount = Amount { minor: question.amount.minor.checked_abs().unwrap_or(i64::MAX), ..question.amount };
        let amount = money(phrases, amount)?;
        let when = when(phrases, question.at, reader.zone)?;
        let reply = match reader.number {
            Some(number) => say(phrases, "reply-number", &[("number", Value::Number(i64::from(number)))])?,
            None => say(phrases, "reply", &[])?,
        };
        let digits = question.last_digits.as_ref().map(LastDigits::as_str);
        let subject = say(phrases, "question-subject", &[("bank", Value::Text(&self.bank))])?;
        for room in [MERCHANT, MERCHANT / 2, 0] {
            let merchant = plain(question.merchant.as_deref().unwrap_or_default(), room);
            let text = match self.template(Kind::Question, language) {
                Some(template) => template.render(vec![
                    ("bank", minijinja::Value::from(&*self.bank)),
                    ("amount", minijinja::Value::from(&*amount)),
                    ("merchant", minijinja::Value::from(&*merchant)),
                    ("when", minijinja::Value::from(&*when)),
                    ("digits", minijinja::Value::from(digits.unwrap_or_default())),
                    ("reply", minijinja::Value::from(&*reply)),
                ]),
                None => phrases.format(
                    "question",
                    &[
                        ("bank", Value::Text(&self.bank)),
                        ("amount", Value::Text(&amount)),
                        ("known", Value::Text(if merchant.is_empty() { "no" } else { "yes" })),
                        ("merchant", Value::Text(&merchant)),
                        ("when", Value::Text(&when)),
                        ("digits", Value::Text(digits.unwrap_or("none"))),
                        ("reply", Value::Text(&reply)),
                    ],
                ),
            };
            let words = Words { subject: subject.clone(), text: text.map_err(Unrenderable)? };
            if has_link(&words.text) || has_link(&words.subject) {
                return Err(Unrenderable("a customer's message must not hold a link".to_owned()));
            }
            if limit.fits(&words.text) {
                return Ok(words);
            }
        }
        Err(Unrenderable("longer than the channel carries".to_owned()))
    }

    /// What the case is, and its gravest alert.
    fn case(
        &self,
        notice: &CaseNotice,
        limit: Limit,
        language: &Language,
        phrases: &Phrases,
    ) -> Result<Words, Unrenderable> {
        let severity = say(phrases, &format!("severity-{}", notice.severity), &[])?;
        let number = notice.case.to_string();
        let count = |count: u64| Value::Number(i64::try_from(count).unwrap_or(i64::MAX));
        let subject_args = [
            ("case", Value::Text(&number)),
            ("severity", Value::Text(&severity)),
            ("reason", Value::Text(notice.reason.as_str())),
        ];
        let subject = say(phrases, "case-subject", &subject_args)?;
        let owner = notice.owner.as_deref().map(sentence);
        let at_risk = notice.at_risk.join(", ");
        let head = [
            ("case", Value::Text(&number)),
            ("alerts", count(notice.alerts)),
            ("unseen", count(notice.unseen)),
            ("amount", Value::Text(&at_risk)),
            ("owner", Value::Text(owner.as_deref().unwrap_or("none"))),
        ];
        let head = say(phrases, "case-head", &head)?;
        let Words { text, .. } = self.alert(Some(&head), &notice.alert, None, limit, language, phrases)?;
        Ok(Words { subject, text })
    }

    /// The weakest reasons are left out, and counted, until the alert fits. `head` stands before it.
    fn alert(
        &self,
        head: Option<&str>,
        alert: &wire::Alert,
        case: Option<u64>,
        limit: Limit,
        language: &Language,
        phrases: &Phrases,
    ) -> Result<Words, Unrenderable> {
        let severity = say(phrases, &format!("severity-{}", alert.severity), &[])?;
        let read =
            alert.amount.currency.parse().ok().and_then(|currency| Amount::parse(&alert.amount.value, currency).ok());
        let amount = money(phrases, read.ok_or_else(|| Unrenderable("the alert has no amount".to_owned()))?)?;
        let score = format!("{:.2}", alert.score);
        let percent = alert.tail * 100.0;
        let tail = if percent < 0.001 { "< 0.001 %".to_owned() } else { format!("{percent:.3} %") };
        let time = alert.at.get(11..16).unwrap_or_default();
        let rank = alert.rank.to_string();
        let case = case.map(|case| case.to_string());
        let counterparty = alert.counterparty.as_deref();
        let subject_args = [
            ("severity", Value::Text(&severity)),
            ("amount", Value::Text(&amount)),
            ("account", Value::Text(&alert.account)),
        ];
        let subject = say(phrases, "alert-subject", &subject_args)?;
        let reasons: Vec<String> = alert.reasons.iter().map(|reason| sentence(&reason.text)).collect();
        let looks_like = alert.looks_like.as_deref().map(sentence);
        for shown in (0..=reasons.len()).rev() {
            let text = match self.template(Kind::Alert, language) {
                Some(template) => template
                    .render(vec![
                        ("bank", minijinja::Value::from(&*self.bank)),
                        ("severity", minijinja::Value::from(&*severity)),
                        ("rank", minijinja::Value::from(&*rank)),
                        ("date", minijinja::Value::from(&*alert.day)),
                        ("amount", minijinja::Value::from(&*amount)),
                        ("time", minijinja::Value::from(time)),
                        ("account", minijinja::Value::from(&*alert.account)),
                        ("counterparty", minijinja::Value::from(counterparty.unwrap_or_default())),
                        ("looks_like", minijinja::Value::from(looks_like.as_deref().unwrap_or_default())),
                        ("score", minijinja::Value::from(&*score)),
                        ("tail", minijinja::Value::from(&*tail)),
                        ("reasons", minijinja::Value::from(reasons[..shown].to_vec())),
                        ("case", minijinja::Value::from(case.as_deref().unwrap_or_default())),
                    ])
                    .map_err(Unrenderable)?,
                None => {
                    let head = [
                        ("severity", Value::Text(&severity)),
                        ("rank", Value::Text(&rank)),
                        ("date", Value::Text(&alert.day)),
                        ("amount", Value::Text(&amount)),
                        ("time", Value::Text(time)),
                        ("account", Value::Text(&alert.account)),
                        ("counterparty", Value::Text(counterparty.unwrap_or("none"))),
                    ];
                    let mut lines = vec![say(phrases, "alert-head", &head)?];
                    if let Some(what) = &looks_like {
                        lines.push(say(phrases, "alert-looks-like", &[("what", Value::Text(what))])?);
                    }
                    lines.extend(reasons[..shown].iter().map(|reason| format!("- {reason}")));
                    if shown < reasons.len() {
                        let count = (reasons.len() - shown).to_string();
                        lines.push(say(phrases, "alert-more", &[("count", Value::Text(&count))])?);
                    }
                    let numbers = [("score", Value::Text(&score)), ("tail", Value::Text(&tail))];
                    lines.push(say(phrases, "alert-score", &numbers)?);
                    if let Some(case) = &case {
                        lines.push(say(phrases, "alert-case", &[("case", Value::Text(case))])?);
                    }
                    lines.join("\n")
                }
            };
            let text = match head {
                Some(head) => format!("{head}\n{text}"),
                None => text,
            };
            if limit.fits(&text) {
                return Ok(Words { subject, text });
            }
        }
        Err(Unrenderable("longer than the channel carries".to_owned()))
    }
}

fn fitting(words: Words, limit: Limit) -> Result<Words, Unrenderable> {
    if limit.fits(&words.text) { Ok(words) } else { Err(Unrenderable("longer than the channel carries".to_owned())) }
}

fn say(phrases: &Phrases, id: &str, args: &[(&str, Value<'_>)]) -> Result<String, Unrenderable> {
    phrases.format(id, args).map_err(Unrenderable)
}

/// One line of what the engine wrote.
fn sentence(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SENTENCE).collect()
}

fn money(phrases: &Phrases, amount: Amount) -> Result<String, Unrenderable> {
    let decimal = say(phrases, "decimal", &[])?;
    let number = amount.to_string().replace('.', &decimal);
    say(phrases, "amount", &[("currency", Value::Text(amount.currency.as_str())), ("number", Value::Text(&number))])
}

fn when(phrases: &Phrases, at: Timestamp, zone: Tz) -> Result<String, Unrenderable> {
    let local = zone.timestamp_micros(at.0).single();
    let local = local.ok_or_else(|| Unrenderable(format!("no such time: {at}")))?.naive_local();
    let clock = format!("{:02}:{:02}", local.hour(), local.minute());
    let args = [
        ("day", Value::Number(i64::from(local.day()))),
        ("month", Value::Number(i64::from(local.month()))),
        ("clock", Value::Text(&clock)),
    ];
    say(phrases, "when", &args)
}
