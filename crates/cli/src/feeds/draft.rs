//! `crible feeds new`: a preset drafted from a file.

use std::fs;
use std::io::{self, Write};

use anyhow::{Result, bail};
use crible_ingest::draft;

use crate::args::NewArgs;
use crate::output;

pub(super) fn run(args: &NewArgs) -> Result<()> {
    let draft = draft(&args.file, args.name.as_deref())?;
    match &args.out {
        Some(path) => {
            // A preset somebody has worked on is not to be lost to a second draft.
            if fs::symlink_metadata(path).is_ok() {
                bail!("cannot write {}: there is such a file; expected a new name", path.display());
            }
            output::write(path, draft.toml.as_bytes())?;
        }
        None => io::stdout().lock().write_all(draft.toml.as_bytes())?,
    }
    let mut err = io::stderr().lock();
    // What a reader has closed is no failure of a draft that is written.
    let _ = writeln!(err, "{} fields drafted, {} to be decided", draft.fields, draft.undecided.len());
    for point in &draft.undecided {
        let _ = writeln!(err, "  {point}");
    }
    Ok(())
}
