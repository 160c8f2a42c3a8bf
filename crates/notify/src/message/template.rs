use minijinja::{Environment, UndefinedBehavior, Value};

use super::plain::has_link;

/// What a bank may word itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The question to a customer.
    Question,
    /// The alert for an analyst.
    Alert,
}

impl Kind {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Alert => "alert",
        }
    }

    /// The fields that a template may use. A customer's has none for score and reasons.
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Question => &["bank", "amount", "merchant", "when", "digits", "reply"],
            Self::Alert => &[
                "bank",
                "severity",
                "rank",
                "date",
                "amount",
                "time",
                "account",
                "counterparty",
                "looks_like",
                "score",
                "tail",
                "reasons",
                "case",
            ],
        }
    }
}

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template `{name}`: {what}")]
pub struct BadTemplate {
    /// Which.
    pub name: String,
    /// What is wrong with it.
    pub what: String,
}

/// The longest template, in bytes.
const LONGEST: usize = 8_192;
/// What a template may do: some twenty thousand steps, or a megabyte of text.
const FUEL: u64 = 20_000;

/// A template of a bank's own. It has no filters, functions, includes or macros, and a bounded budget.
#[derive(Debug)]
pub(super) struct Template {
    environment: Environment<'static>,
    kind: Kind,
}

const NAME: &str = "text";

impl Template {
    /// Reads one and tries it, so that what fails fails before anything has to be sent.
    pub(super) fn read(kind: Kind, source: String) -> Result<Self, String> {
        if source.len() > LONGEST {
            return Err(format!("{} bytes, expected at most {LONGEST}", source.len()));
        }
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(50);
        environment.add_template_owned(NAME, source).map_err(|error| told(&error))?;
        let template = Self { environment, kind };
        let parsed = template.environment.get_template(NAME).map_err(|error| told(&error))?;
        let mut unknown: Vec<String> =
            parsed.undeclared_variables(false).into_iter().filter(|name| !kind.fields().contains(&&**name)).collect();
        unknown.sort();
        if let Some(name) = unknown.first() {
            return Err(format!("unknown field `{name}`, expected one of {}", kind.fields().join(", ")));
        }
        drop(parsed);
        for there in [true, false] {
            let text = template.render(sample(kind, there))?;
            if text.trim().is_empty() {
                return Err("it says nothing".to_owned());
            }
        }
        Ok(template)
    }

    /// The text for some fields. A customer's that holds a link is refused.
    pub(super) fn render(&self, fields: Vec<(&'static str, Value)>) -> Result<String, String> {
        let template = self.environment.get_template(NAME).map_err(|error| told(&error))?;
        let text = template.render(Value::from_pairs(fields)).map_err(|error| told(&error))?;
        if self.kind == Kind::Question && has_link(&text) {
            return Err("a customer's message must not hold a link".to_owned());
        }
        Ok(text.trim().to_owned())
    }
}

/// What went wrong, without the values that were rendered.
fn told(error: &minijinja::Error) -> String {
    let line = error.line().map_or(String::new(), |line| format!("line {line}: "));
    let detail = error.detail().map_or(String::new(), |detail| format!(": {detail}"));
    format!("{line}{}{detail}", error.kind())
}

/// Invented values for every field, there or empty.
fn sample(kind: Kind, there: bool) -> Vec<(&'static str, Value)> {
    let value = |field: &&'static str| {
        let optional = matches!(*field, "merchant" | "digits" | "counterparty" | "looks_like" | "case");
        let value = match *field {
            "reasons" if there => Value::from(vec!["a reason", "another"]),
            "reasons" => Value::from(Vec::<String>::new()),
            _ if optional && !there => Value::from(""),
            "amount" => Value::from("USD 41.20"),
            _ => Value::from("7"),
        };
        (*field, value)
    };
    kind.fields().iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(source: &str) -> Result<String, String> {
        Template::read(Kind::Question, source.to_owned())?.render(sample(Kind::Question, true))
    }

    #[test]
    fn fields_and_conditions() {
        let text = question("{{ bank }}: {{ amount }}{% if merchant %} at {{ merchant }}{% endif %}? {{ reply }}");
        assert_eq!(text.as_deref(), Ok("7: USD 41.20 at 7? 7"));
        let alert = "{% for reason in reasons %}- {{ reason }}\n{% else %}none{% endfor %}";
        assert!(Template::read(Kind::Alert, alert.to_owned()).is_ok());
    }

    #[test]
    fn what_is_unknown_is_refused_on_load() {
        let error = question("{{ bank }} {{ score }}").unwrap_err();
        assert_eq!(error, "unknown field `score`, expected one of bank, amount, merchant, when, digits, reply");
        for bad in [
            "{{ bank.name }}",
            "{{ bank",
            "{{ bank|upper }}",
            "{{ range(9) }}",
            "{% include 'x' %}",
            "{% macro m() %}{% endmacro %}{{ m() }}",
            "{{ bank.__class__ }}",
            "{{ self }}",
            "",
            "  ",
            "see https://bank.example {{ bank }}",
            "{{ bank }}.example",
        ] {
            assert!(question(bad).is_err(), "{bad}: {:?}", question(bad));
        }
    }

    #[test]
    fn hostile_templates_end() {
        let deep = |n| format!("{}{{{{ bank }}}}{}", "{% if bank %}".repeat(n), "{% endif %}".repeat(n));
        let nested = |n: usize| "(".repeat(n) + "bank" + &")".repeat(n);
        let long = format!("{{{{ bank }}}}{}", "x".repeat(9_000));
        let doubling = "{% set ns = bank * 1000000 %}{% for a in ns %}{% for b in ns %}x{% endfor %}{% endfor %}";
        let numbers =
            "{% for a in [1,2,3,4,5,6,7,8,9] * 9999999 %}{% for b in [1] * 9999999 %}{{ b }}{% endfor %}{% endfor %}";
        for bad in [
            doubling,
            numbers,
            "{{ 'x' * 999999999999 }}",
            "{{ bank * 10000000 * 10000000 }}",
            &deep(2_000),
            &format!("{{{{ {} }}}}", nested(3_000)),
            &long,
        ] {
            assert!(question(bad).is_err(), "{}", &bad[..60.min(bad.len())]);
        }
    }
}
