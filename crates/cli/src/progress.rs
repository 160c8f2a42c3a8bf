use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Bars come up for what takes longer than this.
const PATIENCE: Duration = Duration::from_secs(1);

/// The stages of a run: a bar on standard error for each that takes a while, and the time each took. Where standard
/// error is no terminal, nothing is drawn.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    done: Vec<(&'static str, Duration)>,
}

/// A stage under way.
#[derive(Debug)]
pub(crate) struct Stage {
    name: &'static str,
    began: Instant,
    bar: Mutex<Option<ProgressBar>>,
}

#[expect(clippy::disallowed_methods, reason = "times are shown to a person; no result depends on them")]
fn now() -> Instant {
    Instant::now()
}

impl Stages {
    pub(crate) fn begin(&self, name: &'static str) -> Stage {
        Stage { name, began: now(), bar: Mutex::new(None) }
    }

    pub(crate) fn end(&mut self, stage: Stage) {
        if let Ok(Some(bar)) = stage.bar.into_inner() {
            bar.finish_and_clear();
        }
        self.done.push((stage.name, now().duration_since(stage.began)));
    }

    /// What has been done so far, with the time it took.
    pub(crate) fn done(&self) -> &[(&'static str, Duration)] {
        &self.done
    }
}

impl Stage {
    /// Says how far the stage has come, `done` of `all` in units of its own. Any thread may.
    pub(crate) fn reach(&self, done: u64, all: u64) {
        if now().duration_since(self.began) < PATIENCE {
            return;
        }
        // A bar that a panicking thread held is not worth another panic.
        let Ok(mut bar) = self.bar.lock() else { return };
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{msg:>10} {wide_bar} {percent:>3} % {eta:>4}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.set_message(self.name);
            bar
        });
        bar.set_length(all);
        bar.set_position(done);
    }
}
