//! The command `crible`: transaction exports in, ranked and explained fraud alerts out.

mod alerts;
mod args;
mod audit;
mod bench;
mod case_page;
mod cases;
mod demo;
mod detect;
mod drift;
mod feeds;
mod held;
mod intake;
mod notify;
mod output;
mod page;
mod places;
mod progress;
mod rejects;
mod report;
mod reveal;
mod rules;
mod score;
mod scores;
mod setup;
mod simulate;
mod store;
mod streamed;
mod summary;
mod table;
mod terminal;
mod unusable;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Error;
use clap::Parser;
use crible_run::shown;

use crate::args::{Args, Command};

/// Nothing could be read, or the command line makes no sense; clap leaves with the same.
const NOTHING_READ: u8 = 2;

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Score(args) => score::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Demo(args) => demo::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Simulate(args) => simulate::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Detect(args) => detect::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Bench(args) => bench::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Feeds(args) => feeds::run(&args),
        Command::Reveal(args) => reveal::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Rekey(args) => reveal::rekey(&args).map(|()| ExitCode::SUCCESS),
        Command::Cases(args) => cases::run(&args),
        Command::Alerts(args) => intake::run(&args),
        Command::Silence(args) => rules::silence(&args),
        Command::Inhibit(args) => rules::inhibit(&args),
        Command::Lists(args) => rules::lists(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Consent(args) => notify::consent(&args),
        Command::Deliver(args) => notify::deliver(&args),
        Command::Report(args) => report::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Backup(args) => audit::backup(&args),
        Command::Restore(args) => audit::restore(&args),
    };
    match done {
        Ok(status) => status,
        Err(error) => fail(&error),
    }
}

/// An error and its causes.
fn told(error: &Error) -> String {
    let causes = error.chain().map(|cause| match cause.downcast_ref::<crible_ingest::Error>() {
        Some(crible_ingest::Error::Nothing(each)) => {
            let each: Vec<String> = each.iter().map(|error| terminal::told(error, &io::stderr())).collect();
            format!("none of the {} files could be read: {}", each.len(), each.join("; "))
        }
        Some(error) => terminal::told(error, &io::stderr()),
        None => crible_ingest::plain(&cause.to_string()).into_owned(),
    });
    causes.collect::<Vec<_>>().join(": ")
}

fn fail(error: &Error) -> ExitCode {
    // A reader that has seen enough, such as `head`, is no failure.
    let closed = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    if closed.map(io::Error::kind).any(|kind| kind == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    // There is nobody left to tell where even this cannot be written.
    let _ = writeln!(io::stderr(), "crible: {}", told(error));
    let is_input = |cause: &(dyn std::error::Error + 'static)| {
        let stored = cause.downcast_ref::<crible_store::Error>().is_some_and(crible_store::Error::is_input);
        let notify = cause.is::<crible_notify::config::BadConfig>() || cause.is::<crible_notify::BadName>();
        stored
            || notify
            || cause.is::<unusable::Unsaid>()
            || cause.is::<crible_ingest::Error>()
            || cause.is::<crible_ingest::PresetError>()
    };
    let unread = error.is::<unusable::Unusable>() || error.chain().any(is_input);
    ExitCode::from(if unread { NOTHING_READ } else { 1 })
}
