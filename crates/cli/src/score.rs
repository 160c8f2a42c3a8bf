use std::path::Path;

use anyhow::Result;
use crible_ingest::Options;

use crate::args::ScoreArgs;
use crate::places::Places;
use crate::progress::Stages;
use crate::setup::{options, use_threads};
use crate::{held, output, streamed};

/// `crible score`: reads, learns, scores and decides, over files that are held or streamed.
pub(crate) fn run(args: &ScoreArgs) -> Result<()> {
    use_threads(args.learn.threads)?;
    // Before anything is read or written: a long run should not end in a misspelt name.
    let builder = args.learn.builder()?;
    let places = Places::of(args.out.as_deref(), args.rejects.as_deref())?;
    check(args, &places)?;
    let options = Options { ahead: builder.config().state.ahead, ..options(&args.read)? };
    let stages = Stages::default();
    match streamed::window(args) {
        Some(window) => streamed::run(args, &builder, options, window, stages, places),
        None => held::run(args, &builder, &options, stages, places),
    }
}

/// That nothing this run reads is overwritten, and no output by another.
fn check(args: &ScoreArgs, places: &Places) -> Result<()> {
    let files = crible_ingest::files(&args.files);
    let presets = crate::setup::presets_folder(args.read.presets.as_deref());
    let presets = crible_ingest::files(presets.as_slice());
    let map = args.read.map.as_deref().filter(|map| !map.contains('=')).map(Path::new);
    let named = [
        ("the key", args.read.key_file.as_deref()),
        ("the configuration", args.learn.config.as_deref()),
        ("the mapping", map),
    ];
    let mut inputs: Vec<(&str, &Path)> = named.iter().filter_map(|(what, path)| Some((*what, (*path)?))).collect();
    inputs.extend(files.iter().map(|file| ("the input", file.as_path())));
    inputs.extend(presets.iter().map(|preset| ("the preset", preset.as_path())));
    let outputs = [
        ("--out", places.alerts.as_deref()),
        ("--scores", args.scores.as_deref()),
        ("--drift", args.drift.as_deref()),
        ("the file of rejected rows", Some(places.rejects.as_path())),
    ];
    output::check(&outputs, &inputs)
}
