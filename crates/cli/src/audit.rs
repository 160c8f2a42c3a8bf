//! `crible audit`, `crible backup` and `crible restore`.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use crate::args::{AuditArgs, AuditCommand, BackupArgs, RestoreArgs};
use crate::store::{block_on, now, say};

/// The log is not what was written.
const BROKEN: u8 = 1;

pub(crate) fn run(args: &AuditArgs) -> Result<ExitCode> {
    block_on(async {
        let store = args.store.open().await?;
        let mut reader = store.read(now()).await?;
        let mut out = io::stdout().lock();
        match &args.command {
            AuditCommand::Verify => match reader.verify().await? {
                Ok(verified) => {
                    writeln!(
                        out,
                        "{} entries, all as they were written; the last has the hash {}",
                        verified.entries, verified.head
                    )?;
                    Ok(ExitCode::SUCCESS)
                }
                Err(broken) => {
                    say(&format!("crible: the audit log was changed: {broken}"));
                    Ok(ExitCode::from(BROKEN))
                }
            },
            AuditCommand::List { after, limit } => {
                for entry in reader.log_entries(*after, *limit).await? {
                    let line = json!({
                        "seq": entry.seq,
                        "at": entry.at,
                        "kind": entry.kind,
                        "actor": entry.actor,
                        "operation": entry.operation,
                        "body": entry.body,
                    });
                    writeln!(out, "{}", crate::terminal::json(&line.to_string()))?;
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    })
}

pub(crate) fn backup(args: &BackupArgs) -> Result<ExitCode> {
    block_on(async {
        let store = args.store.open().await?;
        let rows = store.backup_to(&args.file, now()).await?;
        say(&format!("{rows} rows are in {}; they open with the store's key alone", args.file.display()));
        Ok(ExitCode::SUCCESS)
    })
}

pub(crate) fn restore(args: &RestoreArgs) -> Result<ExitCode> {
    block_on(async {
        let store = args.store.restore(&args.file).await?;
        let verified = store.read(now()).await?.verify().await?;
        store.close().await;
        let entries = verified.map(|verified| verified.entries).unwrap_or_default();
        say(&format!("restored; the audit log has {entries} entries, all as they were written"));
        Ok(ExitCode::SUCCESS)
    })
}
