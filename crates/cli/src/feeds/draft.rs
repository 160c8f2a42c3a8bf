//! `crible feeds new`: a preset drafted from a file.

use std::fs;
use std::io::{self, Write};

use anyhow::{Context, Result};
use crible_ingest::draft;

use crate::args::NewArgs;

pub(super) fn run(args: &NewArgs) -> Result<()> {
    let draft = draft(&args.file, args.name.as_deref())?;
    match &args.out {
        Some(path) => {
            // A preset somebody has worked on is not to be lost to a second draft.
            let mut file = fs::File::create_new(path).with_context(|| format!("cannot write {}", path.display()))?;
            file.write_all(draft.toml.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
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
