use std::collections::BTreeMap;
use std::fmt;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use crate::Language;

/// A language file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("language `{language}`: {what}")]
pub struct BadPhrases {
    /// The language.
    pub language: String,
    /// What is wrong with its file.
    pub what: String,
}

/// The messages of one language.
pub(super) struct Phrases(FluentBundle<FluentResource>);

impl fmt::Debug for Phrases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0.locales).finish()
    }
}

/// What a message can be given. A number chooses among forms by its value.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Number(i64),
}

/// Every message that a language has, with something to try it with.
const MESSAGES: &[(&str, &[&str])] = &[
    ("question", &["bank", "amount", "known", "merchant", "when", "digits", "reply"]),
    ("question-subject", &["bank"]),
    ("reply", &[]),
    ("reply-number", &["number"]),
    ("amount", &["currency", "number"]),
    ("decimal", &[]),
    ("when", &["day", "month", "clock"]),
    ("answer-theirs", &["bank"]),
    ("answer-not-theirs", &["bank"]),
    ("answer-which", &["bank", "number"]),
    ("answer-none", &["bank"]),
    ("answer-stopped", &["bank"]),
    ("answer-linked", &["bank"]),
    ("answer-not-linked", &["bank"]),
    ("answer-balance", &["bank", "accounts"]),
    ("answer-balance-one", &["digits", "amount", "when"]),
    ("answer-no-balance", &["bank"]),
    ("answer-help", &["bank"]),
    ("alert-subject", &["severity", "amount", "account"]),
    ("alert-head", &["severity", "rank", "date", "amount", "time", "account", "counterparty"]),
    ("alert-looks-like", &["what"]),
    ("alert-score", &["score", "tail"]),
    ("alert-case", &["case"]),
    ("alert-more", &["count"]),
    ("case-subject", &["case", "severity", "reason"]),
    ("case-head", &["case", "alerts", "unseen", "amount", "owner"]),
    ("severity-low", &[]),
    ("severity-medium", &[]),
    ("severity-high", &[]),
    ("severity-critical", &[]),
    ("trouble-subject", &["channel"]),
    ("trouble", &["channel", "why"]),
    ("words-yes", &[]),
    ("words-no", &[]),
    ("words-stop", &[]),
    ("words-balance", &[]),
    ("words-link", &[]),
    ("words-help", &[]),
];

impl Phrases {
    /// Reads a Fluent file. Every message has to be there, and may use the variables that it is given and no other.
    pub(super) fn read(language: &Language, source: String) -> Result<Self, BadPhrases> {
        let bad = |what: String| BadPhrases { language: language.to_string(), what };
        let locale = language.as_str().parse().map_err(|_| bad("no language code".to_owned()))?;
        let resource = FluentResource::try_new(source)
            .map_err(|(_, errors)| bad(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // Telephones show the marks that would isolate values; names are plain text already.
        bundle.set_use_isolating(false);
        let twice = |errors: Vec<_>| format!("{} messages stand there twice", errors.len());
        bundle.add_resource(resource).map_err(|errors| bad(twice(errors)))?;
        let phrases = Self(bundle);
        for (id, variables) in MESSAGES {
            for known in ["yes", "no"] {
                let value = |name: &&str| match *name {
                    "known" => Value::Text(known),
                    "month" | "day" | "alerts" | "unseen" => Value::Number(6),
                    "digits" | "counterparty" | "owner" if known == "no" => Value::Text("none"),
                    _ => Value::Text("7"),
                };
                let args: Vec<_> = variables.iter().map(|name| (*name, value(name))).collect();
                phrases.format(id, &args).map_err(&bad)?;
            }
        }
        Ok(phrases)
    }

    /// One message.
    pub(super) fn format(&self, id: &str, args: &[(&str, Value<'_>)]) -> Result<String, String> {
        let pattern = self.0.get_message(id).and_then(|message| message.value());
        let pattern = pattern.ok_or_else(|| format!("message `{id}` is missing"))?;
        let mut values = FluentArgs::new();
        for (name, value) in args {
            match value {
                Value::Text(text) => values.set(*name, FluentValue::from(*text)),
                Value::Number(number) => values.set(*name, FluentValue::from(*number)),
            }
        }
        let mut errors = Vec::new();
        let text = self.0.format_pattern(pattern, Some(&values), &mut errors);
        match errors.first() {
            None => Ok(text.trim().to_owned()),
            Some(error) => Err(format!("message `{id}`: {error}")),
        }
    }
}

/// The languages there are.
#[derive(Debug)]
pub(super) struct Languages {
    all: BTreeMap<Language, Phrases>,
    main: Language,
}

impl Languages {
    /// English and French, and which of them speaks to whoever reads neither.
    pub(super) fn built_in() -> Result<Self, BadPhrases> {
        let files = [
            (Language::english(), include_str!("../../i18n/en.ftl")),
            (Language::french(), include_str!("../../i18n/fr.ftl")),
        ];
        let mut languages = Self { all: BTreeMap::new(), main: Language::english() };
        for (language, source) in files {
            languages.add(language, source.to_owned())?;
        }
        Ok(languages)
    }

    pub(super) fn add(&mut self, language: Language, source: String) -> Result<(), BadPhrases> {
        let phrases = Phrases::read(&language, source)?;
        self.all.insert(language, phrases);
        Ok(())
    }

    /// The nearest that there is.
    pub(super) fn nearest(&self, language: &Language) -> Option<(&Language, &Phrases)> {
        let exact = self.all.get_key_value(language);
        exact
            .or_else(|| self.all.get_key_value(&language.without_region()))
            .or_else(|| self.all.get_key_value(&self.main))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Phrases> {
        self.all.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Result<Phrases, String> {
        Phrases::read(&Language::english(), source.to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_that_lacks_something_is_refused() {
        let whole = include_str!("../../i18n/en.ftl");
        assert!(read(whole).is_ok());
        let without = whole.replace("answer-help =", "answer-halp =");
        assert_eq!(read(&without).unwrap_err(), "language `en`: message `answer-help` is missing");
        let error = read(&whole.replace("{ $why }", "{ $score }")).unwrap_err();
        assert!(error.contains("`trouble`") && error.contains("score"), "{error}");
        assert!(read(&format!("{whole}\n= broken")).is_err());
        assert!(read(&format!("{whole}\nreply = again\n")).unwrap_err().contains("twice"));
    }

    #[test]
    fn a_region_falls_back_to_its_language() {
        let languages = Languages::built_in().unwrap();
        let nearest = |code: &str| languages.nearest(&code.parse().unwrap()).unwrap().0.to_string();
        assert_eq!([nearest("fr-ca"), nearest("fr"), nearest("de")], ["fr", "fr", "en"]);
    }
}
