use crible_core::Window;
use serde::Serialize;

/// How late a transaction may come, how long an account is remembered, and how much memory the state may need.
///
/// **Lateness.** A transaction up to this much older than the latest one seen is placed where it belongs. It is judged
/// by what came before it, and all that comes after it is judged as if it had come in time. Zero by default. Events are
/// kept that much longer than the longest window needs them.
///
/// **Ahead.** A payment dated further beyond the feed's own clock than this is early, and refused: see
/// [`crible_core::Clock`] for what a feed that goes on after a silence does. One day by default.
///
/// **Repeats.** A transaction that is handed in again within this long of its own time, by full hours, is given the
/// verdict it was given, and taken in once. 30 days by default, as long as the longest window of accounts; a verdict
/// takes some 40 bytes. Each detector's own score is remembered for two days of these.
///
/// **Forgetting.** An account that has not paid for `forget_after`, and a category that has not been paid in for so
/// long, start anew with the next payment. 400 days by default. What comes late finds what was known at its own time,
/// and where it lies between two payments that were too far apart, nothing was forgotten: the session before is put
/// aside until nothing so late can come any more.
///
/// **Memory.** Unlimited by default. What an entity (an account, counterparty, category, device or address by currency
/// and direction, an account's pattern, a day of links) needs is counted with each of its payments. Whenever the clock
/// of the transactions passes a full hour and all together need more than `memory` bytes, entities are forgotten until
/// they need seven eighths of that, the one whose last payment is longest ago first; those whose last payments fall in
/// the same sixteenth of an hour (225 seconds) go together. A forgotten entity begins anew with its next payment. What
/// one hour's transactions need comes on top.
///
/// Counted is what windows hold as of an entity's last payment, so that restarts, threads and what has been given back
/// change nothing. What is kept for late payments alone is not. Memory is given back as payments come: after every
/// sixteen, a family looks at sixteen entities of which nothing may be left, and while it has forgotten ones at the
/// counts of 128 more.
///
/// ```
/// # use crible_core::Window;
/// # use crible_feature::Limits;
/// let limits = Limits::default().late_by(Window::HOUR).within(256 << 20);
/// assert_eq!((limits.lateness, limits.memory), (Window::HOUR, Some(256 << 20)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Limits {
    /// The most a transaction may be older than the latest seen.
    pub lateness: Window,
    /// The most a transaction may lie beyond the feed's clock, where its rhythm does not allow more.
    pub ahead: Window,
    /// How long verdicts are remembered, by the transactions' clock.
    pub repeats: Window,
    /// How long an account or a category is remembered.
    pub forget_after: Window,
    /// Bytes the state may need.
    pub memory: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lateness: Window(0),
            ahead: Window::DAY,
            repeats: Window(30 * Window::DAY.0),
            forget_after: Window(400 * Window::DAY.0),
            memory: None,
        }
    }
}

impl Limits {
    /// The same where a transaction may be so late.
    #[must_use]
    pub fn late_by(mut self, lateness: Window) -> Self {
        self.lateness = lateness;
        self
    }

    /// The same where a transaction may be dated so far ahead.
    #[must_use]
    pub fn ahead_by(mut self, ahead: Window) -> Self {
        self.ahead = ahead;
        self
    }

    /// The same where verdicts are remembered for so long.
    #[must_use]
    pub fn repeats_for(mut self, repeats: Window) -> Self {
        self.repeats = repeats;
        self
    }

    /// The same where who has not paid for so long is forgotten.
    #[must_use]
    pub fn forget_after(mut self, idle: Window) -> Self {
        self.forget_after = idle;
        self
    }

    /// The same within so many bytes of memory.
    #[must_use]
    pub fn within(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// That no time is negative and accounts are remembered for as long as the longest of `windows`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self, windows: &crate::Windows) -> Result<(), String> {
        let Self { lateness, ahead, repeats, forget_after, memory: _ } = self;
        if lateness.0 < 0 {
            return Err(format!("a lateness of {}, expected none or more", lateness.tag()));
        }
        if ahead.0 < 0 {
            return Err(format!("payments {} ahead, expected none or more", ahead.tag()));
        }
        if repeats.0 < 0 {
            return Err(format!("verdicts remembered for {}, expected none or more", repeats.tag()));
        }
        let [.., longest] = windows.account;
        if *forget_after < longest {
            return Err(format!(
                "accounts forgotten after {}, expected {} at least",
                forget_after.tag(),
                longest.tag()
            ));
        }
        windows.check(*lateness)
    }
}

/// What a set is made with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Lengths of windows.
    pub windows: crate::Windows,
    /// What the state is held within.
    pub limits: Limits,
    /// What accounts without a history are judged by.
    pub peers: crate::Peers,
}
