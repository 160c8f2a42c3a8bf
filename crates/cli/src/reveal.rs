use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use crible_ingest::{Key, Renamed, Revealed, plain};

use crate::args::{RekeyArgs, RevealArgs};
use crate::output::{self, Output};
use crate::progress::Stages;
use crate::setup::options;
use crate::terminal::{self, cells};

/// Prints what pseudonyms stand for, to standard output and nowhere else.
pub(crate) fn run(args: &RevealArgs) -> Result<()> {
    let pseudonyms: Vec<String> = args.pseudonyms.iter().map(|text| text.to_ascii_lowercase()).collect();
    let fits = |text: &String| matches!(text.len(), 16 | 32) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(at) = pseudonyms.iter().position(|text| !fits(text)) {
        // What is no pseudonym may be an identifier, which must not be said back into a log.
        let expected = "expected the 16 hexadecimal digits of a pseudonym or the 32 of a transaction";
        bail!("number {} of what is to be revealed is no pseudonym: {expected}", at + 1);
    }
    let options = options(&args.source.read)?;
    let stages = Stages::default();
    let stage = stages.begin("reading");
    let reach = |p: crible_ingest::Progress| stage.reach(p.bytes_read, p.bytes_total);
    let revealed = crible_ingest::reveal(&args.source.files, &options, &pseudonyms, &reach)?;
    let mut out = csv::Writer::from_writer(io::stdout().lock());
    out.write_record(["pseudonym", "role", "identifier", "file", "row", "rows", "key"])?;
    for Revealed { pseudonym, role, identifier, file, row, rows, key, .. } in &revealed {
        let (file, row, rows) = (terminal::raw(file), row.to_string(), rows.to_string());
        let identifier = plain(identifier.as_deref().unwrap_or(""));
        out.write_record(cells([pseudonym, role.as_str(), &identifier, &file, &row, &rows, key]))?;
    }
    out.flush()?;
    let found = |pseudonym: &&String| revealed.iter().any(|one| one.pseudonym == **pseudonym);
    let missing: Vec<&str> = pseudonyms.iter().filter(|one| !found(one)).map(String::as_str).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let why = match &options.key {
        Some(_) => "none of the key's accounts, counterparties and transactions in these files",
        None => {
            "not in these files. Without a key, pseudonyms are made of the files' contents: they are found again only in \
             exactly the files, all of them, that the run had which made them"
        }
    };
    bail!("{}: {why}", missing.join(", "))
}

/// Writes pseudonyms under an older and a newer key side by side.
pub(crate) fn rekey(args: &RekeyArgs) -> Result<()> {
    let options = options(&args.source.read)?;
    let Some(key) = &options.key else {
        bail!(
            "there is no key to go from or to: without one, pseudonyms are made of the files' contents and are others with \
             the next file. Give a file of two keys or more with --key-file"
        );
    };
    let named = |name: &str| {
        let known = || [key.id()].into_iter().chain(key.older().map(|key| key.id())).collect::<Vec<_>>().join(", ");
        key.named(name).with_context(|| format!("there is no key `{name}`; the keys are: {}", known()))
    };
    let to = match &args.to {
        Some(name) => named(name)?,
        None => key.clone(),
    };
    let from = match &args.from {
        Some(name) => named(name)?,
        None => to.older().next().context("there is no key before the newest; expected a file of several keys")?,
    };
    let files = crible_ingest::files(&args.source.files);
    let mut inputs: Vec<(&str, &Path)> = files.iter().map(|file| ("the input", file.as_path())).collect();
    inputs.extend(args.source.read.key_file.as_deref().map(|key| ("the key", key)));
    output::check(&[("--out", args.out.as_deref())], &inputs)?;
    let stages = Stages::default();
    let stage = stages.begin("reading");
    let reach = |p: crible_ingest::Progress| stage.reach(p.bytes_read, p.bytes_total);
    let names = crible_ingest::rekey(&args.source.files, &options, &from, &to, &reach)?;
    let Some(path) = &args.out else {
        return write_names(io::stdout().lock(), &names, &from, &to);
    };
    let cannot = || format!("cannot write to {}", path.display());
    let output = Output::create(path).with_context(cannot)?;
    write_names(output.writer().with_context(cannot)?, &names, &from, &to).with_context(cannot)?;
    output.persist().map(drop)
}

fn write_names(out: impl Write, names: &[Renamed], from: &Key, to: &Key) -> Result<()> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(["role", "old", "new", "old_key", "new_key"])?;
    for name in names {
        out.write_record([name.role.as_str(), &name.old, &name.new, &from.id(), &to.id()])?;
    }
    Ok(out.flush()?)
}
