//! Settings in a file: the bank, how people are protected, and the channels.

mod channels;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono_tz::Tz;
use crible_alert::{Severity, wire};
use crible_core::Timestamp;
use serde::Deserialize;

use crate::channel::{Secret, Verifier};
use crate::consent::{Profile, Rules};
use crate::message::{CaseNotice, Kind, LastDigits, Notice, Question, Wording};
use crate::outbox::Draft;
use crate::{About, ChannelName, Key, Language, Medium, Person, Purpose, Route, Settings};

/// Settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct BadConfig {
    /// Where, such as `channel hook`.
    pub place: String,
    /// What is wrong. It shows no secret.
    pub what: String,
}

impl BadConfig {
    fn new(place: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self { place: place.to_string(), what: what.to_string() }
    }
}

/// Where settings find what is not in their file.
pub struct Surroundings<'a> {
    /// A variable of the environment: secrets stand there, not in the file.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// A file that the settings name.
    pub file: &'a dyn Fn(&Path) -> io::Result<String>,
}

impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surroundings")
    }
}

/// Settings that were checked.
#[derive(Debug)]
pub struct Config {
    /// How deliveries are made.
    pub settings: Settings,
    /// How messages are worded.
    pub wording: Arc<Wording>,
    /// The channels.
    pub routes: Vec<Route>,
    /// The door for what people write.
    pub inbound: Option<Inbound>,
    choices: Vec<Choice>,
}

/// The door for what people write.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// Where it is.
    pub listen: SocketAddr,
    /// Who may knock.
    pub verifier: Verifier,
}

/// What goes over a channel.
#[derive(Debug)]
struct Choice {
    name: ChannelName,
    medium: Option<Medium>,
    at_least: Severity,
    tells: Tells,
}

/// What the bank's own people are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tells {
    /// Each alert, for machines.
    Alerts,
    /// Cases, grouped, for people.
    Cases,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    bank: String,
    source: String,
    language: Option<Language>,
    zone: Option<String>,
    quiet: Option<String>,
    notices_an_event: Option<u8>,
    answer_within_hours: Option<u16>,
    trouble_to: Option<ChannelName>,
    #[serde(default)]
    languages: std::collections::BTreeMap<Language, PathBuf>,
    #[serde(default)]
    templates: std::collections::BTreeMap<String, PathBuf>,
    #[serde(default)]
    channel: Vec<toml::Table>,
    inbound: Option<InboundFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InboundFile {
    listen: SocketAddr,
    secrets_env: String,
}

impl Config {
    /// Reads settings in TOML and checks all of them, templates and languages included.
    ///
    /// # Errors
    /// The first thing that cannot be used, and where it is.
    pub fn read(text: &str, around: &Surroundings<'_>) -> Result<Self, BadConfig> {
        // The message of the parser shows the line; a line may hold what should have been in the environment.
        let file: File = toml::from_str(text).map_err(|error| BadConfig::new("settings", error.message()))?;
        let mut wording = Wording::new(&file.bank).map_err(|error| BadConfig::new("bank", error))?;
        let read = |place: &str, path: &Path| {
            (around.file)(path).map_err(|error| BadConfig::new(place, format!("{}: {error}", path.display())))
        };
        for (language, path) in file.languages {
            let place = format!("languages.{language}");
            let source = read(&place, &path)?;
            wording.add_language(language, source).map_err(|error| BadConfig::new(place, error))?;
        }
        for (name, path) in file.templates {
            let place = format!("templates.{name}");
            let (kind, language) = template(&name).ok_or_else(|| {
                BadConfig::new(&place, "expected question or alert, a point and a language, such as \"question.en\"")
            })?;
            let source = read(&place, &path)?;
            wording.add_template(kind, language, source).map_err(|error| BadConfig::new(place, error))?;
        }
        let rules = rules(&file.language, file.zone, file.quiet, file.notices_an_event, file.answer_within_hours)?;
        let mut routes: Vec<Route> = Vec::new();
        let mut choices = Vec::new();
        for table in file.channel {
            let (route, at_least, tells) = channels::read(table, &file.source, &rules.language, around)?;
            if routes.iter().any(|other| other.name == route.name) {
                return Err(BadConfig::new(format!("channel {}", route.name), "there are two of this name"));
            }
            choices.push(Choice { name: route.name.clone(), medium: route.medium, at_least, tells });
            routes.push(route);
        }
        if let Some(to) = &file.trouble_to
            && !choices.iter().any(|choice| choice.name == *to && choice.medium.is_none())
        {
            return Err(BadConfig::new("trouble_to", format!("`{to}` is no channel for the bank's own people")));
        }
        let inbound = file.inbound.map(|inbound| -> Result<Inbound, BadConfig> {
            let secrets = secrets("inbound", &inbound.secrets_env, around)?;
            let verifier = Verifier::new(secrets).map_err(|error| BadConfig::new("inbound", error))?;
            Ok(Inbound { listen: inbound.listen, verifier })
        });
        let settings = Settings { rules, trouble_to: file.trouble_to, ..Settings::default() };
        Ok(Self { settings, wording: Arc::new(wording), routes, inbound: inbound.transpose()?, choices })
    }

    /// Whether a channel is told of cases.
    pub fn tells_cases(&self) -> bool {
        self.choices.iter().any(|choice| choice.medium.is_none() && choice.tells == Tells::Cases)
    }

    /// Whether customers are asked over a channel.
    pub fn asks_customers(&self) -> bool {
        self.choices.iter().any(|choice| choice.medium.is_some())
    }

    /// The deliveries of a case to the bank's own people.
    ///
    /// # Errors
    /// The notice holds a number that JSON has no word for.
    pub fn for_the_bank_of_a_case(&self, notice: &CaseNotice, now: Timestamp) -> Result<Vec<Draft>, serde_json::Error> {
        let body = serde_json::to_string(&Notice::Case(notice.clone()))?;
        let chosen = self.choices.iter().filter(|choice| {
            choice.medium.is_none() && choice.tells == Tells::Cases && notice.severity >= choice.at_least
        });
        let draft = |choice: &Choice| {
            // Numbers and names are made of what keys may hold.
            let key: Key = format!("case/{}/{}/{}", notice.case, notice.notice, choice.name).parse().ok()?;
            let about: About = format!("case:{}", notice.case).parse().ok()?;
            let (channel, body) = (choice.name.clone(), body.clone());
            Some(Draft { key, channel, person: None, about, body, due: now })
        };
        Ok(chosen.filter_map(draft).collect())
    }

    /// The deliveries of an alert to the bank's own people, on channels that are told of each alert.
    ///
    /// # Errors
    /// The alert holds a number that JSON has no word for.
    pub fn for_the_bank(
        &self,
        alert: &wire::Alert,
        case: Option<u64>,
        now: Timestamp,
    ) -> Result<Vec<Draft>, serde_json::Error> {
        let notice = Notice::Alert { alert: Box::new(alert.clone()), case };
        let body = serde_json::to_string(&notice)?;
        let chosen = self.choices.iter().filter(|choice| {
            choice.medium.is_none() && choice.tells == Tells::Alerts && alert.severity >= choice.at_least
        });
        Ok(chosen.filter_map(|choice| draft(alert, &choice.name, None, body.clone(), now)).collect())
    }

    /// The questions about an alert to a customer, over every channel that they agreed to.
    ///
    /// # Errors
    /// The alert has no amount or time that can be told.
    pub fn for_a_customer(
        &self,
        alert: &wire::Alert,
        person: Person,
        profile: &Profile,
        last_digits: Option<LastDigits>,
        merchant: Option<String>,
        now: Timestamp,
    ) -> Result<Vec<Draft>, Box<dyn std::error::Error + Send + Sync>> {
        let agreed = |choice: &&Choice| {
            let medium = choice.medium.filter(|medium| profile.consent(*medium, Purpose::FraudAlert).is_some());
            medium.is_some() && alert.severity >= choice.at_least
        };
        let question = Question::about(alert, last_digits, merchant)?;
        let body = serde_json::to_string(&Notice::Question(question))?;
        let chosen = self.choices.iter().filter(agreed);
        Ok(chosen.filter_map(|choice| draft(alert, &choice.name, Some(person), body.clone(), now)).collect())
    }
}

/// The same alert for the same receiver is the same delivery, whenever it is written.
fn draft(
    alert: &wire::Alert,
    channel: &ChannelName,
    person: Option<Person>,
    body: String,
    now: Timestamp,
) -> Option<Draft> {
    let whom = person.map_or(String::new(), |person| format!("/{person}"));
    // Names and references are made of what keys may hold.
    let key: Key = format!("alert/{}/{channel}{whom}", alert.id).parse().ok()?;
    let about: About = alert.id.to_string().parse().ok()?;
    Some(Draft { key, channel: channel.clone(), person, about, body, due: now })
}

fn template(name: &str) -> Option<(Kind, Language)> {
    let (kind, language) = name.split_once('.')?;
    let kind = [Kind::Question, Kind::Alert].into_iter().find(|known| known.as_str() == kind)?;
    Some((kind, language.parse().ok()?))
}

fn rules(
    language: &Option<Language>,
    zone: Option<String>,
    quiet: Option<String>,
    notices_an_event: Option<u8>,
    answer_within_hours: Option<u16>,
) -> Result<Rules, BadConfig> {
    let mut rules = Rules::default();
    if let Some(language) = language {
        rules.language = language.clone();
    }
    if let Some(zone) = zone {
        let bad = |_| BadConfig::new("zone", format!("`{}` is no time zone of IANA", zone.escape_default()));
        rules.zone = zone.parse::<Tz>().map_err(bad)?;
    }
    if let Some(quiet) = quiet {
        let never = quiet == "never";
        rules.quiet = if never { None } else { Some(quiet.parse().map_err(|error| BadConfig::new("quiet", error))?) };
    }
    if let Some(most) = notices_an_event {
        if !(1..=Rules::MOST_NOTICES).contains(&most) {
            return Err(BadConfig::new("notices_an_event", format!("{most}: expected 1 to {}", Rules::MOST_NOTICES)));
        }
        rules.notices_an_event = most;
    }
    if let Some(hours) = answer_within_hours {
        if hours == 0 {
            return Err(BadConfig::new("answer_within_hours", "0: expected at least 1"));
        }
        rules.answer_within_hours = hours;
    }
    Ok(rules)
}

/// A variable of the environment that has to be there.
fn variable(place: &str, name: &str, around: &Surroundings<'_>) -> Result<String, BadConfig> {
    (around.variable)(name).ok_or_else(|| BadConfig::new(place, format!("the variable {name} is not set")))
}

/// Secrets, separated by blanks, the newest first.
fn secrets(place: &str, name: &str, around: &Surroundings<'_>) -> Result<Vec<Secret>, BadConfig> {
    let text = variable(place, name, around)?;
    let secrets = text.split_whitespace().map(str::parse).collect::<Result<Vec<Secret>, _>>();
    let secrets = secrets.map_err(|error| BadConfig::new(place, format!("the variable {name}: {error}")))?;
    if secrets.is_empty() {
        return Err(BadConfig::new(place, format!("the variable {name} is empty")));
    }
    Ok(secrets)
}
