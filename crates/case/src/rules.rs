//! Rules: conditions in CEL that raise, lower, hold or tag alerts.
//!
//! An expression has no budget of its own. So what may be written is bounded: the text, how deep it nests, no loop in a
//! loop, no function that makes long texts of short ones. What it reads is bounded as well. Each rule is checked when
//! it is read: it parses, knows all its names, and gives true or false for an alert.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Env, Program, Value};
use crible_alert::Severity;
use crible_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Facts, Tag};

/// The longest expression, in bytes.
const MOST_TEXT: usize = 1_000;
/// How deep brackets may nest, and operations in each other.
const MOST_DEPTH: usize = 24;
/// Rules in one file.
const MOST_RULES: usize = 200;
/// Entries of a list that a rule reads.
const MOST_LIST: usize = 64;
/// Characters of a text that a rule reads.
const MOST_CHARS: usize = 200;

/// What a rule does to an alert for which its condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// One severity graver.
    Raise,
    /// One severity less grave.
    Lower,
    /// Nobody is told; it becomes a case all the same.
    Hold,
    /// The case can be found by the rule's tag.
    Tag,
}

impl Effect {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raise => "raise",
            Self::Lower => "lower",
            Self::Hold => "hold",
            Self::Tag => "tag",
        }
    }
}

/// A rule as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleText {
    /// Its name.
    pub name: Tag,
    /// The condition.
    pub when: String,
    /// What it does.
    pub then: Effect,
    /// The tag, where it tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// Until when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A file of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesText {
    /// The rules, which are tried in this order.
    #[serde(default, rename = "rule")]
    pub rules: Vec<RuleText>,
}

/// A rule that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule `{rule}`: {what}")]
pub struct BadRule {
    /// Its name, or its place where it has none.
    pub rule: String,
    /// What is wrong.
    pub what: String,
}

/// What rules make of an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The severity, where it changes.
    pub severity: Option<Severity>,
    /// Nobody is told.
    pub hold: bool,
    /// What its case can be found by.
    pub tags: Vec<Tag>,
    /// The rules whose condition held, by place.
    pub hits: Vec<usize>,
}

struct Rule {
    text: RuleText,
    program: Program,
}

/// Rules that were checked.
pub struct Rules {
    rules: Vec<Rule>,
    env: Arc<Env>,
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.rules.iter().map(|rule| &rule.text)).finish()
    }
}

/// What a condition may call, besides `has`, `all`, `exists`, `exists_one` and `filter`, which are no functions.
const FUNCTIONS: &[&str] = &[
    "_&&_",
    "_||_",
    "!_",
    "_==_",
    "_!=_",
    "_<_",
    "_<=_",
    "_>_",
    "_>=_",
    "_+_",
    "_-_",
    "_*_",
    "_/_",
    "_%_",
    "-_",
    "@in",
    "_?_:_",
    "@not_strictly_false",
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "double",
    "int",
    "_[_]",
];

impl Rules {
    /// Checks rules.
    ///
    /// # Errors
    /// [`BadRule`] names the first that cannot be used, and why.
    pub fn new(text: &RulesText) -> Result<Self, BadRule> {
        let env = Arc::new(Env::stdlib());
        let mut rules: Vec<Rule> = Vec::new();
        if text.rules.len() > MOST_RULES {
            let what = format!("there are {} rules: at most {MOST_RULES} are allowed", text.rules.len());
            return Err(BadRule { rule: "all".to_owned(), what });
        }
        for text in &text.rules {
            let bad = |what: String| BadRule { rule: text.name.as_str().to_owned(), what };
            if rules.iter().any(|rule| rule.text.name == text.name) {
                return Err(bad("another rule has this name".to_owned()));
            }
            if text.tag.is_some() != (text.then == Effect::Tag) {
                return Err(bad("a rule that tags has a tag, and no other has one".to_owned()));
            }
            let program = compile(&env, &text.when).map_err(bad)?;
            rules.push(Rule { text: text.clone(), program });
        }
        let rules = Self { rules, env };
        rules.try_on_examples()?;
        Ok(rules)
    }

    /// A condition that gives no truth for an alert like those that come is found before any comes.
    fn try_on_examples(&self) -> Result<(), BadRule> {
        for full in [false, true] {
            let context = self.context(example(full));
            for rule in &self.rules {
                let bad = |what: String| BadRule { rule: rule.text.name.as_str().to_owned(), what };
                match rule.program.execute(&context) {
                    Ok(Value::Bool(_)) => {}
                    Ok(other) => {
                        return Err(bad(format!("its condition gives {:?}: expected true or false", other.type_of())));
                    }
                    Err(error) => return Err(bad(format!("its condition fails: {error}"))),
                }
            }
        }
        Ok(())
    }

    /// What the rules are.
    pub fn texts(&self) -> impl Iterator<Item = &RuleText> {
        self.rules.iter().map(|rule| &rule.text)
    }

    /// Whether the rule at this place keeps alerts from being told.
    pub fn holds(&self, place: usize) -> bool {
        self.rules.get(place).is_some_and(|rule| rule.text.then == Effect::Hold)
    }

    /// What they make of an alert at a time. A condition that fails does not hold.
    pub fn judge(&self, facts: &Facts, now: Timestamp) -> Verdict {
        let mut verdict = Verdict::default();
        if self.rules.is_empty() {
            return verdict;
        }
        let context = self.context(variables(facts));
        let before = facts.severity();
        let mut severity = before;
        for (place, Rule { text, program }) in self.rules.iter().enumerate() {
            let holds = text.until.is_none_or(|until| now < until)
                && matches!(program.execute(&context), Ok(Value::Bool(true)));
            if !holds {
                continue;
            }
            verdict.hits.push(place);
            match text.then {
                Effect::Raise => severity = graver(severity),
                Effect::Lower => severity = lesser(severity),
                Effect::Hold => verdict.hold = true,
                Effect::Tag => verdict.tags.extend(text.tag.clone()),
            }
        }
        verdict.severity = Some(severity).filter(|severity| *severity != before);
        verdict
    }

    fn context(&self, variables: Vec<(&'static str, Value)>) -> Context<'static, 'static> {
        let mut context = Context::with_env(Arc::clone(&self.env));
        for (name, value) in variables {
            context.add_variable_from_value(name, value);
        }
        context
    }
}

const fn graver(severity: Severity) -> Severity {
    match severity {
        Severity::Low => Severity::Medium,
        Severity::Medium => Severity::High,
        Severity::High | Severity::Critical => Severity::Critical,
    }
}

const fn lesser(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        Severity::Medium | Severity::Low => Severity::Low,
    }
}

/// What a condition may name.
fn variables(facts: &Facts) -> Vec<(&'static str, Value)> {
    let alert = facts.alert();
    let text = |text: &str| Value::from(text.chars().take(MOST_CHARS).collect::<String>());
    let amounts = facts.payments().iter().filter(|paid| paid.transaction.to_string() == alert.transaction);
    let amount = amounts.map(|paid| paid.amount).next();
    let reasons = alert.reasons.iter().take(MOST_LIST).map(|reason| text(&reason.feature)).collect::<Vec<_>>();
    vec![
        ("account", text(&alert.account)),
        ("counterparty", text(alert.counterparty.as_deref().unwrap_or_default())),
        ("amount", Value::Float(amount.map_or(f64::NAN, |amount| amount.major()))),
        ("currency", text(&alert.amount.currency)),
        ("severity", text(facts.severity().as_str())),
        ("score", Value::Float(alert.score)),
        ("tail", Value::Float(alert.tail)),
        ("hour", Value::Int(facts.at().hour() as i64)),
        ("weekday", Value::Int(facts.at().weekday() as i64 + 1)),
        ("payments", Value::Int(facts.payments().len() as i64)),
        ("looks_like", text(alert.looks_like.as_deref().unwrap_or_default())),
        ("reasons", Value::from(reasons)),
        ("feed", text(alert.source.as_ref().map(|source| source.feed.as_str()).unwrap_or_default())),
        ("linked", Value::Bool(facts.ring().is_some())),
    ]
}

/// The same for an invented alert, with everything or with as little as may be.
fn example(full: bool) -> Vec<(&'static str, Value)> {
    let text = |text: &str| Value::from(if full { text } else { "" });
    let reasons: Vec<Value> = if full { vec![Value::from("amount")] } else { Vec::new() };
    vec![
        ("account", Value::from("000000000000beef")),
        ("counterparty", text("000000000000cafe")),
        ("amount", Value::Float(-412.5)),
        ("currency", Value::from("USD")),
        ("severity", Value::from("high")),
        ("score", Value::Float(6.25)),
        ("tail", Value::Float(0.0004)),
        ("hour", Value::Int(3)),
        ("weekday", Value::Int(6)),
        ("payments", Value::Int(if full { 4 } else { 1 })),
        ("looks_like", text("a card being tested")),
        ("reasons", Value::from(reasons)),
        ("feed", text("sparkov")),
        ("linked", Value::Bool(full)),
    ]
}

fn compile(env: &Env, when: &str) -> Result<Program, String> {
    if when.len() > MOST_TEXT {
        return Err(format!("its condition has {} bytes: at most {MOST_TEXT} are allowed", when.len()));
    }
    if when.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
        return Err("its condition has control characters".to_owned());
    }
    // Before the parser, which goes down into them.
    let too_deep = || format!("its condition nests deeper than {MOST_DEPTH}");
    let (mut depth, mut operators) = (0_usize, 0_usize);
    for c in when.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '!' | '-' | '?' => operators += 1,
            _ => {}
        }
        if depth > MOST_DEPTH || operators > 4 * MOST_DEPTH {
            return Err(too_deep());
        }
    }
    // The parser is generated code of others: what it trips over is a rule that does not parse.
    let parsed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| env.compile(when)));
    let parsed = parsed.map_err(|_| "its condition does not parse".to_owned())?;
    let program = parsed.map_err(|errors| {
        let text = errors.to_string();
        let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it does not parse");
        format!("its condition does not parse: {}", first.chars().take(200).collect::<String>())
    })?;
    let mut known: Vec<&str> = example(true).into_iter().map(|(name, _)| name).collect();
    check(program.expression(), MOST_DEPTH, false, &mut known).map_err(|found| found.unwrap_or_else(too_deep))?;
    Ok(program)
}

/// What is wrong with an expression; `None` where it is too deep.
fn check<'a>(expr: &'a IdedExpr, depth: usize, in_loop: bool, known: &mut Vec<&'a str>) -> Result<(), Option<String>> {
    let depth = depth.checked_sub(1).ok_or(None)?;
    match &expr.expr {
        Expr::Unspecified => Err(Some("its condition does not parse: it is empty".to_owned())),
        Expr::Literal(_) => Ok(()),
        Expr::Ident(name) if known.contains(&name.as_str()) => Ok(()),
        Expr::Ident(name) => {
            let names: Vec<&str> = known.iter().copied().filter(|name| !name.starts_with('@')).collect();
            Err(Some(format!("`{name}` is unknown: expected one of {}", names.join(", "))))
        }
        Expr::Call(call) => {
            if !FUNCTIONS.contains(&call.func_name.as_str()) {
                return Err(Some(format!("`{}` cannot be used here", call.func_name)));
            }
            let mut exprs = call.target.iter().map(Box::as_ref).chain(&call.args);
            exprs.try_for_each(|expr| check(expr, depth, in_loop, known))
        }
        Expr::List(list) if list.elements.len() > MOST_LIST => {
            Err(Some(format!("a list has {} entries: at most {MOST_LIST} are allowed", list.elements.len())))
        }
        Expr::List(list) => list.elements.iter().try_for_each(|expr| check(expr, depth, in_loop, known)),
        Expr::Map(map) => {
            let mut entries = map.entries.iter().flat_map(|entry| match &entry.expr {
                EntryExpr::StructField(field) => vec![&field.value],
                EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
            });
            entries.try_for_each(|expr| check(expr, depth, in_loop, known))
        }
        Expr::Select(_) | Expr::Struct(_) => Err(Some("there is nothing to select from: names stand alone".to_owned())),
        Expr::Comprehension(_) if in_loop => Err(Some("a loop is within another".to_owned())),
        Expr::Comprehension(comp) => {
            check(&comp.iter_range, depth, true, known)?;
            check(&comp.accu_init, depth, true, known)?;
            let before = known.len();
            known.extend([comp.iter_var.as_str(), comp.accu_var.as_str()]);
            known.extend(comp.iter_var2.as_deref());
            let steps = [&comp.loop_cond, &comp.loop_step, &comp.result];
            let done = steps.into_iter().try_for_each(|step| check(step, depth, true, known));
            known.truncate(before);
            done
        }
    }
}

/// How often each rule held, by name.
pub type Hits = BTreeMap<String, u64>;
