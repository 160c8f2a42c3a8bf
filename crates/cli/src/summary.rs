use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;

use crible::Engine;
use crible_alert::{Day, Severity};
use crible_core::{Amount, Meaning, Undo};
use crible_feature::FeatureSet;
use crible_ingest::{Error, FileReport, Gap, KeyOrigin, plain};

use crate::progress::Stages;
use crate::shown::{FALSE_SHARE, Rule, Seen};
use crate::terminal;

/// What a run did, for standard error.
pub(crate) struct Summary<'a> {
    pub(crate) files: &'a [FileReport],
    pub(crate) errors: &'a [Error],
    pub(crate) notes: &'a [String],
    /// What the transactions mean besides; a stream does not tell.
    pub(crate) meaning: Option<&'a Meaning>,
    pub(crate) key_origin: &'a KeyOrigin,
    pub(crate) engine: &'a Engine,
    pub(crate) stages: &'a Stages,
    pub(crate) seen: &'a Seen,
    pub(crate) rule: Rule,
    /// Alerts by severity.
    pub(crate) counts: [u64; 4],
    pub(crate) alerts: Option<PathBuf>,
    pub(crate) rejects: Option<PathBuf>,
}

impl Summary<'_> {
    pub(crate) fn print(&self) {
        // A summary nobody can be shown is no reason to fail a run that is done.
        let _ = io::stderr().write_all(self.text().as_bytes());
    }

    fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a string has nothing to fail on.
        let mut line = |text: std::fmt::Arguments<'_>| {
            let _ = writeln!(out, "{}", plain(&text.to_string()));
        };
        for file in self.files {
            let name = terminal::name(&file.path, &file.shown, &io::stderr());
            line(format_args!("{name}: {} ({})", file.feed, file.why));
            if name != file.shown {
                line(format_args!("  in what is written it is called {}", file.shown));
            }
            line(format_args!(
                "  rows read {} = accepted {} + already known {} + rejected {}{}",
                file.read,
                file.accepted,
                file.known,
                file.rejected,
                no_transaction(file)
            ));
            if !file.unused_columns.is_empty() {
                line(format_args!("  columns not used: {}", file.unused_columns.join(", ")));
            }
            if let Some(gaps) = gaps(&file.gaps) {
                line(format_args!("  warning: {gaps}"));
            }
            for warning in &file.warnings {
                line(format_args!("  warning: {warning}"));
            }
        }
        if let Some(meaning) = self.meaning.and_then(meaning) {
            line(format_args!("meaning: {meaning}"));
        }
        for error in self.errors {
            line(format_args!("warning: not read: {}", terminal::told(error, &io::stderr())));
        }
        for note in self.notes {
            line(format_args!("note: {note}"));
        }
        if let Some(rejects) = &self.rejects {
            line(format_args!("warning: rejected rows are in {}", rejects.display()));
        }
        line(format_args!("pseudonyms: keyed with {}", self.key_origin));
        for what in FeatureSet::left_out(self.engine.model().has()) {
            line(format_args!("left out, since the feed has no {what}"));
        }
        let model = self.engine.model();
        line(format_args!("model {}: {}", model.id(), model.detectors().collect::<Vec<_>>().join(", ")));
        for (name, reason) in model.skipped() {
            line(format_args!("warning: the detector {name} was left out: {reason}"));
        }
        if let Some(warm_from) = self.engine.warm_from().filter(|_| self.engine.model().warm_up().0 > 0) {
            let day = Day::of(warm_from);
            line(format_args!("learning: what is before {day} has severity low, since too little was known by then"));
        }
        for (currency, payments) in &self.seen.unknown {
            line(format_args!(
                "warning: {payments} payments in {currency}: too few to learn from, so only the account's own past in it counts"
            ));
        }
        let counts = Severity::ALL.map(|s| format!("{} {s}", self.counts[s as usize]));
        let total: u64 = self.counts.iter().sum();
        let place = self.alerts.as_ref().map(|p| format!(" in {}", p.display())).unwrap_or_default();
        line(format_args!("alerts: {total}{place} ({})", counts.join(", ")));
        if self.rule == Rule::Earned {
            let share = FALSE_SHARE * 100.0;
            line(format_args!(
                "  as many as leave an expected {share:.0} % false; more with --min-severity medium or --all"
            ));
        }
        let times = self.stages.done().iter().map(|(name, time)| format!("{name} {:.2} s", time.as_secs_f64()));
        line(format_args!("time: {}", times.collect::<Vec<_>>().join(", ")));
        out
    }
}

/// How many of the rejected rows are no transactions, where any is.
pub(crate) fn no_transaction(file: &FileReport) -> String {
    match file.no_transaction {
        0 => String::new(),
        rows => format!(", {rows} of them no transactions"),
    }
}

/// Gaps that are told one by one.
const TOLD: usize = 3;

/// Where running balances do not follow from one another.
fn gaps(gaps: &[Gap]) -> Option<String> {
    let told = gaps.iter().take(TOLD).map(|gap| {
        let missing = Amount::new(gap.missing_minor, gap.currency);
        format!("between rows {} and {} {missing} {}", gap.after, gap.before, gap.currency)
    });
    let told = told.collect::<Vec<_>>().join(", ");
    let more = gaps.len().saturating_sub(TOLD);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!gaps.is_empty()).then(|| {
        format!("{} of its balances do not follow: rows are missing or out of order ({told}{more})", gaps.len())
    })
}

/// What was found out about the transactions, where anything was.
fn meaning(meaning: &Meaning) -> Option<String> {
    let reversals = meaning.all_undone().iter().filter(|undone| undone.how == Undo::Reversal).count();
    let refunds = meaning.all_undone().len() - reversals;
    let counts = [
        (reversals, "reversals linked"),
        (refunds, "refunds linked"),
        (meaning.n_transfers(), "transfers between accounts paired"),
        (meaning.pending().len(), "pending"),
        (meaning.fees().len(), "with a fee"),
    ];
    let told: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    (!told.is_empty()).then(|| told.join(", "))
}
