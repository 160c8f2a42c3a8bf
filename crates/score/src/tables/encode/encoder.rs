use ndarray::{Array2, ShapeBuilder};
use serde::{Deserialize, Serialize};

use super::rarity::Rarity;
use super::table::{Column, Table};
use crate::error::SnapshotError;
use crate::stats::median;
use crate::{Error, Snapshot};

/// What turns tables into matrices. See the [module](super) documentation.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoder {
    columns: Vec<Fitted>,
    names: Vec<String>,
    sources: Vec<usize>,
}

/// A table as a matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// n × [`Encoder::n_columns`], all finite; in which order of memory, the method that made it says.
    pub rows: Array2<f64>,
    /// For each column of the fitted table, its nulls where the fit had none: they are in the matrix as the
    /// column's median and in no other way.
    pub unforeseen_nulls: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Fitted {
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Kind {
    Numbers { median: f64, nulls: Option<Rarity> },
    Words(Rarity),
}

/// A number as one of two words: null, or not.
fn presence(x: f64) -> Option<&'static str> {
    if x.is_nan() { None } else { Some("") }
}

impl Encoder {
    pub(crate) const NAME: &'static str = "encoder";
    const VERSION: u32 = 1;

    /// Learns medians and how rare words are.
    ///
    /// # Errors
    /// [`Error::TooFew`] for a table without rows.
    pub fn fit(table: &Table) -> Result<Self, Error> {
        if table.n_rows() == 0 {
            return Err(Error::TooFew { what: "rows", got: 0, needed: 1 });
        }
        let columns = table.columns().iter().map(|(name, column)| {
            let kind = match column {
                Column::Numbers(values) => {
                    let mut known: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
                    let has_nulls = known.len() < values.len();
                    let nulls = has_nulls.then(|| Rarity::fit(values.iter().map(|x| presence(*x))));
                    Kind::Numbers { median: median(&mut known), nulls }
                }
                Column::Words(words) => Kind::Words(Rarity::fit(words.iter().map(Option::as_deref))),
            };
            Fitted { name: name.clone(), kind }
        });
        Ok(Self::new(columns.collect()))
    }

    fn new(columns: Vec<Fitted>) -> Self {
        let (mut names, mut sources) = (vec![], vec![]);
        for (j, column) in columns.iter().enumerate() {
            names.push(column.name.clone());
            sources.push(j);
            if let Kind::Numbers { nulls: Some(_), .. } = column.kind {
                names.push(format!("{}: null", column.name));
                sources.push(j);
            }
        }
        Self { columns, names, sources }
    }

    /// Width of the matrix.
    pub fn n_columns(&self) -> usize {
        self.names.len()
    }

    /// Names of the matrix's columns: the table's, and `<name>: null` for how rare being null is.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// For each column of the matrix, which column of the fitted table it came from.
    pub fn sources(&self) -> &[usize] {
        &self.sources
    }

    /// Names of the fitted table's columns.
    pub fn table_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Whether the fitted table was numbers alone, without nulls: its matrix is then the table itself.
    pub fn is_plain(&self) -> bool {
        self.columns.iter().all(|column| matches!(column.kind, Kind::Numbers { nulls: None, .. }))
    }

    /// The matrix of a table that has the fitted table's columns, found by their names, in row-major order. Other
    /// columns are left out.
    ///
    /// # Errors
    /// [`Error::Table`] for a column that is missing, or holds words where the fit had numbers or the other
    /// way round. A column of nothing but nulls may be either.
    pub fn encode(&self, table: &Table) -> Result<Encoded, Error> {
        let places = self.places(table)?;
        let mut encoded = self.empty(Array2::zeros((table.n_rows(), self.n_columns())));
        for (j, at) in places.into_iter().enumerate() {
            self.put(j, &table.columns()[at].1, &mut encoded);
        }
        Ok(encoded)
    }

    /// The same matrix, but in column-major order, of a table that is no longer wanted: each column is freed as
    /// soon as it is in the matrix, so that a large table is never held twice.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_owned(&self, table: Table) -> Result<Encoded, Error> {
        let places = self.places(&table)?;
        let mut encoded = self.empty(Array2::zeros((table.n_rows(), self.n_columns()).f()));
        let mut columns = table.into_columns();
        while let Some((_, column)) = columns.pop() {
            let here = places.iter().enumerate().filter(|(_, at)| **at == columns.len());
            here.for_each(|(j, _)| self.put(j, &column, &mut encoded));
        }
        Ok(encoded)
    }

    /// Where in a table the fit's columns are, each of the kind that it was.
    fn places(&self, table: &Table) -> Result<Vec<usize>, Error> {
        let place = |Fitted { name, kind }: &Fitted| {
            let at = table.columns().iter().position(|(known, _)| known == name);
            let at = at.ok_or_else(|| Error::table(name, "the column, as in the fit", "none"))?;
            let given = &table.columns()[at].1;
            let expected = match (kind, given) {
                (Kind::Numbers { .. }, Column::Words(words)) if words.iter().any(Option::is_some) => "numbers",
                (Kind::Words(_), Column::Numbers(values)) if values.iter().any(|x| !x.is_nan()) => "words",
                _ => return Ok(at),
            };
            Err(Error::table(name, format!("{expected}, as in the fit"), given.kind()))
        };
        self.columns.iter().map(place).collect()
    }

    fn empty(&self, rows: Array2<f64>) -> Encoded {
        Encoded { rows, unforeseen_nulls: vec![0; self.columns.len()] }
    }

    /// Puts what is given for the fit's column `j` into its place, or its two places. What is of the other kind than
    /// the fit's is nothing but nulls.
    fn put(&self, j: usize, given: &Column, encoded: &mut Encoded) {
        let at = self.sources.partition_point(|&source| source < j);
        let mut column = encoded.rows.column_mut(at);
        match (&self.columns[j].kind, given) {
            (Kind::Numbers { median, .. }, Column::Numbers(values)) => {
                column.iter_mut().zip(values).for_each(|(to, x)| *to = if x.is_nan() { *median } else { *x });
            }
            (Kind::Numbers { median, .. }, Column::Words(_)) => column.fill(*median),
            (Kind::Words(rarity), Column::Words(words)) => {
                column.iter_mut().zip(words).for_each(|(to, word)| *to = rarity.of(word.as_deref()));
            }
            (Kind::Words(rarity), Column::Numbers(_)) => column.fill(rarity.of(None)),
        }
        let Kind::Numbers { nulls, .. } = &self.columns[j].kind else { return };
        let is_null = |row: usize| match given {
            Column::Numbers(values) => values[row].is_nan(),
            Column::Words(_) => true,
        };
        match nulls {
            Some(rarity) => {
                let (null, present) = (rarity.of(None), rarity.of(Some("")));
                let places = encoded.rows.column_mut(at + 1);
                places.into_iter().enumerate().for_each(|(row, to)| *to = if is_null(row) { null } else { present });
            }
            None => encoded.unforeseen_nulls[j] = (0..given.len()).filter(|&row| is_null(row)).count(),
        }
    }

    /// Adds up contributions of the matrix's columns ([`Model::explain_row`](crate::Model::explain_row)) to
    /// those of the fitted table's, into `out`. Places beyond the shorter of the two are left alone.
    pub fn fold(&self, contributions: &[f64], out: &mut [f64]) {
        out.iter_mut().take(self.columns.len()).for_each(|x| *x = 0.0);
        for (&source, x) in self.sources.iter().zip(contributions) {
            if let Some(to) = out.get_mut(source) {
                *to += x;
            }
        }
    }

    /// The encoder as versioned bytes.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(Self::NAME, Self::VERSION, &self.columns)
    }

    /// The encoder in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        let columns: Vec<Fitted> = snapshot.decode(Self::NAME, Self::VERSION)?;
        let fine = |column: &Fitted| match &column.kind {
            Kind::Numbers { median, nulls } => median.is_finite() && nulls.as_ref().is_none_or(Rarity::is_sound),
            Kind::Words(rarity) => rarity.is_sound(),
        };
        if columns.is_empty() || !columns.iter().all(fine) {
            return Err(SnapshotError::invalid(Self::NAME, "no columns, or medians or words out of range"));
        }
        Ok(Self::new(columns))
    }
}
