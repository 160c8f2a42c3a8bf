use crate::Error;

/// A column of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Numbers; NaN is a null.
    Numbers(Vec<f64>),
    /// Words, or codes that are no quantities; `None` is a null.
    Words(Vec<Option<String>>),
}

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Words(words) => words.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Numbers(_) => "numbers",
            Self::Words(_) => "words",
        }
    }
}

/// Named columns of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: Vec<(String, Column)>,
}

impl Table {
    /// A table of at least one column, each with a name of its own.
    ///
    /// # Errors
    /// [`Error::TooFew`] without columns; [`Error::Table`] for a name given twice, or a column that is not
    /// as long as the first; [`Error::NotFinite`] with row and column for an infinity.
    pub fn new(columns: impl IntoIterator<Item = (impl Into<String>, Column)>) -> Result<Self, Error> {
        let columns: Vec<(String, Column)> = columns.into_iter().map(|(name, c)| (name.into(), c)).collect();
        let Some((_, first)) = columns.first() else {
            return Err(Error::TooFew { what: "columns", got: 0, needed: 1 });
        };
        let n = first.len();
        for (j, (name, column)) in columns.iter().enumerate() {
            if columns[..j].iter().any(|(other, _)| other == name) {
                return Err(Error::table(name, "a name of its own", "one that another column has"));
            }
            if column.len() != n {
                return Err(Error::table(name, format!("{n} rows, as in the first column"), column.len()));
            }
            if let Column::Numbers(values) = column
                && let Some(row) = values.iter().position(|x| x.is_infinite())
            {
                return Err(Error::NotFinite { row, column: j, value: values[row] });
            }
        }
        Ok(Self { columns })
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// Names and columns, in order.
    pub fn columns(&self) -> &[(String, Column)] {
        &self.columns
    }

    /// The rows that are not chosen and those that are, in order; `chosen` has one place for each row. A column is
    /// split and let go before the next, so that no more than one is there twice.
    ///
    /// # Errors
    /// [`Error::Length`] when `chosen` is not as long as there are rows.
    pub fn split(self, chosen: &[bool]) -> Result<(Self, Self), Error> {
        if chosen.len() != self.n_rows() {
            return Err(Error::Length { what: "chosen", got: chosen.len(), expected: self.n_rows() });
        }
        fn halves<T>(values: Vec<T>, chosen: &[bool]) -> (Vec<T>, Vec<T>) {
            let (mut rest, mut taken) = (vec![], vec![]);
            values.into_iter().zip(chosen).for_each(|(x, &chosen)| if chosen { &mut taken } else { &mut rest }.push(x));
            (rest, taken)
        }
        let (mut rest, mut taken) = (vec![], vec![]);
        for (name, column) in self.columns {
            let (left, right) = match column {
                Column::Numbers(values) => {
                    let (left, right) = halves(values, chosen);
                    (Column::Numbers(left), Column::Numbers(right))
                }
                Column::Words(words) => {
                    let (left, right) = halves(words, chosen);
                    (Column::Words(left), Column::Words(right))
                }
            };
            rest.push((name.clone(), left));
            taken.push((name, right));
        }
        Ok((Self { columns: rest }, Self { columns: taken }))
    }

    pub(super) fn into_columns(self) -> Vec<(String, Column)> {
        self.columns
    }
}
