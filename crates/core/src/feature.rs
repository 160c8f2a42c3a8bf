use std::borrow::Cow;

/// What a feature's number counts, so that it can be put into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Major units of the transaction's currency.
    Money,
    /// A number of things.
    Count,
    /// A quotient of two like quantities.
    Ratio,
    /// Standard deviations.
    Deviations,
    /// Seconds.
    Seconds,
    /// A share of one, or a probability.
    Share,
    /// Kilometres.
    Kilometres,
    /// Kilometres an hour.
    KilometresPerHour,
    /// Hour of the day, 0 to 23.
    Hour,
    /// Day of the week, Monday 0.
    Weekday,
    /// One or zero.
    Flag,
}

/// How a detector's number maps to the feature's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    /// As it is.
    Linear,
    /// The column holds ln(1 + x).
    Ln1p,
    /// The column holds ln x.
    Ln,
    /// The column holds −ln x.
    NegLn,
}

impl Scale {
    /// From the column's number back to the feature's own.
    pub fn invert(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Ln1p => value.exp_m1(),
            Self::Ln => value.exp(),
            Self::NegLn => (-value).exp(),
        }
    }
}

/// Which side of a column is suspicious. What lies on the other side is held to be usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tail {
    /// High values.
    Upper,
    /// Low values.
    Lower,
    /// Both.
    Both,
}

/// What a feature speaks of. Of the columns of one topic an alert names the strongest alone, so that its three reasons
/// are three different stories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Topic {
    /// The amount by itself.
    Amount,
    /// The amount against the account's own past.
    AmountForAccount,
    /// The amount against the counterparty's past.
    AmountForCounterparty,
    /// The amount against its category.
    AmountForCategory,
    /// How many payments the account makes.
    Velocity,
    /// How much the account spends.
    Spending,
    /// How fast payments follow each other.
    Pace,
    /// Whether the counterparty is new, and how many there are.
    Counterparties,
    /// How busy the counterparty is.
    CounterpartyTraffic,
    /// Hour and weekday.
    Calendar,
    /// Where it happened.
    Place,
    /// What is left on the account.
    Balance,
}

/// Where the number an alert shows for a column, or the number it calls typical, comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Usual {
    /// The column itself, brought back to its own scale.
    Own,
    /// The magnitude of the transaction's amount, to the last digit.
    Amount,
    /// Another column of the same row, by name.
    Column(Cow<'static, str>),
    /// The median of the column over the rows the model was fitted on.
    Median,
    /// Nothing to compare with.
    Nothing,
}

/// One column of the feature matrix: its name, its unit, and how it is described.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Unique name, in snake case, with the window where there is one: `amount_to_account_mean_30d`.
    pub name: Cow<'static, str>,
    /// Unit of the value shown.
    pub unit: Unit,
    /// How the matrix holds it.
    pub scale: Scale,
    /// Which side is suspicious.
    pub tail: Tail,
    /// What it speaks of.
    pub topic: Topic,
    /// Whether detectors see it. A column they do not see is there to be shown beside one they do.
    pub input: bool,
    /// What it counts for beside the others, where detectors see it: how many of their units one of its own is.
    /// Positive; 1 by default.
    pub weight: f64,
    /// Which number an alert shows.
    pub shown: Usual,
    /// Which number it compares that with.
    pub typical: Usual,
    /// The sentence, with `{value}`, `{typical}`, `{times}` (value / typical) and `{own}` (the column on its own
    /// scale).
    pub phrase: Cow<'static, str>,
}

impl Column {
    /// A column detectors see.
    pub fn input(name: impl Into<Cow<'static, str>>, unit: Unit, scale: Scale, tail: Tail, topic: Topic) -> Self {
        Self {
            name: name.into(),
            unit,
            scale,
            tail,
            topic,
            input: true,
            weight: 1.0,
            shown: Usual::Own,
            typical: Usual::Median,
            phrase: Cow::Borrowed(""),
        }
    }

    /// A column that is only shown beside others.
    pub fn context(name: impl Into<Cow<'static, str>>, unit: Unit, scale: Scale, topic: Topic) -> Self {
        Self { input: false, ..Self::input(name, unit, scale, Tail::Both, topic) }
    }

    /// The same, shown through another column of the row.
    #[must_use]
    pub fn shown_as(mut self, column: impl Into<Cow<'static, str>>) -> Self {
        self.shown = Usual::Column(column.into());
        self
    }

    /// The same, kept from the detectors: computed and shown, not weighed.
    #[must_use]
    pub fn shown_only(mut self) -> Self {
        self.input = false;
        self
    }

    /// The same, counting for more or less than the others.
    #[must_use]
    pub fn weighing(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// The same, shown through the transaction's amount.
    #[must_use]
    pub fn shown_as_amount(mut self) -> Self {
        self.shown = Usual::Amount;
        self
    }

    /// The same, compared with another column of the row.
    #[must_use]
    pub fn against(mut self, column: impl Into<Cow<'static, str>>) -> Self {
        self.typical = Usual::Column(column.into());
        self
    }

    /// The same, compared with nothing.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.typical = Usual::Nothing;
        self
    }

    /// The same, described by a sentence.
    #[must_use]
    pub fn described(mut self, phrase: impl Into<Cow<'static, str>>) -> Self {
        self.phrase = phrase.into();
        self
    }
}
