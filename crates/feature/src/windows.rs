use crible_core::Window;
use serde::Serialize;

/// Lengths of the windows columns look at, each list shortest first.
///
/// Names of columns carry them: with a counterparty's longest at 60 days there is a `counterparty_count_60d` and no
/// `counterparty_count_90d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Windows {
    /// Of an account, by default 1 h, 1 d, 7 d and 30 d. The first shows bursts, the second days, the second and third
    /// different counterparties, the fourth what is usual.
    pub account: [Window; 4],
    /// Of a counterparty, by default 1 d, 7 d and 90 d. The first shows runs, the third what is usual. It is long
    /// because it takes long to distinguish a place that hardly anybody pays at from one where nobody happened to pay
    /// lately.
    pub counterparty: [Window; 3],
    /// Of an account's patterns, by default 1 h, 1 d and 7 d. The first shows tests, the second velocity by attribute
    /// and passing on, the third variety and repetition.
    pub pattern: [Window; 3],
}

impl Default for Windows {
    fn default() -> Self {
        const fn days(days: i64) -> Window {
            Window(days * Window::DAY.0)
        }
        Self {
            account: [Window::HOUR, days(1), days(7), days(30)],
            counterparty: [days(1), days(7), days(90)],
            pattern: [Window::HOUR, days(1), days(7)],
        }
    }
}

/// Shortest window there can be.
const MIN: Window = Window(1_000_000);
/// Longest window there can be, lateness included; events are kept with less than a bit to spare.
pub(crate) const MAX: Window = Window(800 * Window::DAY.0);

impl Windows {
    /// That each list grows and lies within a second and 800 days, the lateness included.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self, lateness: Window) -> Result<(), String> {
        let Self { account, counterparty, pattern } = self;
        for (what, list) in [("account", &account[..]), ("counterparty", counterparty), ("pattern", pattern)] {
            if let Some(pair) = list.windows(2).find(|pair| pair[0] >= pair[1]) {
                return Err(format!(
                    "windows of `{what}`: {} after {}, expected longer ones",
                    pair[1].tag(),
                    pair[0].tag()
                ));
            }
            let all = |window: &Window| Window(window.0.saturating_add(lateness.0));
            if let Some(window) = list.iter().find(|window| **window < MIN || all(window) > MAX) {
                let (got, least, most) = (window.tag(), MIN.tag(), MAX.tag());
                return Err(format!("windows of `{what}`: {got}, expected {least} to {most}, the lateness included"));
            }
        }
        Ok(())
    }
}

/// A window's length in a sentence: `an hour`, `7 days`.
pub(crate) fn span(window: Window) -> String {
    let units =
        [("day", "a day", Window::DAY.0), ("hour", "an hour", Window::HOUR.0), ("minute", "a minute", 60_000_000)];
    let whole = units.into_iter().find(|(.., unit)| window.0 % unit == 0);
    match whole {
        Some((_, one, unit)) if window.0 == unit => one.to_owned(),
        Some((name, _, unit)) => format!("{} {name}s", window.0 / unit),
        None => format!("{} seconds", window.0 as f64 / 1e6),
    }
}
