//! How far a column looks back, by its name and in words.

/// How far a column looks back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lookback {
    number: u32,
    /// `h` or `d`.
    unit: char,
}

impl Lookback {
    pub(super) fn tag(self) -> String {
        format!("{}{}", self.number, self.unit)
    }

    pub(super) fn days(self) -> f64 {
        f64::from(self.number) / if self.unit == 'h' { 24.0 } else { 1.0 }
    }

    /// `an hour`, `a day`, `3 days`.
    pub(super) fn one(self) -> String {
        match (self.number, self.unit) {
            (1, 'h') => "an hour".to_owned(),
            (1, _) => "a day".to_owned(),
            (7, 'd') => "a week".to_owned(),
            _ => self.many(),
        }
    }

    /// `hour`, `day`, `week`, `30 days`.
    pub(super) fn many(self) -> String {
        match (self.number, self.unit) {
            (1, 'h') => "hour".to_owned(),
            (1, _) => "day".to_owned(),
            (7, 'd') => "week".to_owned(),
            (n, 'h') => format!("{n} hours"),
            (n, _) => format!("{n} days"),
        }
    }
}

/// How far a column of this name looks back.
pub(super) fn window(column: &str) -> Option<Lookback> {
    column.split('_').find_map(|part| {
        let unit = part.chars().last().filter(|unit| matches!(unit, 'h' | 'd'))?;
        Some(Lookback { number: part.strip_suffix(unit)?.parse().ok()?, unit })
    })
}

/// A column's name without its window.
pub(super) fn stem(column: &str) -> &str {
    // One of few names: no need to make a new text of it.
    const STEMS: [&str; 11] = [
        "account_sum_to_expected",
        "account_count_to_expected",
        "account_sum",
        "account_count",
        "account_counterparties",
        "account_first_counterparties",
        "account_passed_on",
        "account_outsized",
        "account_in_run",
        "counterparty_accounts",
        "counterparty_count",
    ];
    let Some(Lookback { number, unit }) = window(column) else { return column };
    let tag = format!("_{number}{unit}");
    match column.strip_suffix(tag.as_str()) {
        Some(stem) => stem,
        None => {
            let bare = column.replacen(&tag, "", 1);
            STEMS.into_iter().find(|stem| *stem == bare).unwrap_or(column)
        }
    }
}
