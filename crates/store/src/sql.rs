//! The same statements for SQLite and PostgreSQL: `$1`, 64-bit integers, texts, bytes.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row};

use crate::Error;

/// Most values that one statement inserts. SQLite looks each of their places up among all, so many cost their square.
const MOST_VALUES: usize = 256;
/// Most values of one `IN`.
pub(crate) const MOST_IN: usize = 500;

/// A value to bind. What is null has a type: PostgreSQL asks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

macro_rules! values {
    ($($type:ty => $kind:ident),*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$kind(Some(value.into()))
            }
        }

        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                Self::$kind(value.map(Into::into))
            }
        }
    )*};
}
values!(i64 => Int, u32 => Int, f64 => Real, String => Text, &str => Text, Vec<u8> => Bytes);

/// A row to insert.
macro_rules! row {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Value::from($value)),*] };
}
pub(crate) use row;

/// The text is made of constants and numbers alone: what comes from outside is bound.
pub(crate) fn query(text: String, values: impl IntoIterator<Item = Value>) -> Query<'static, Any, AnyArguments> {
    values.into_iter().fold(sqlx::query(AssertSqlSafe(text)), |query, value| match value {
        Value::Int(value) => query.bind(value),
        Value::Real(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
    })
}

/// `$1, $2, $3` from `first` on.
pub(crate) fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

/// Inserts many rows, in as few statements as there may be. `after` is what follows the values, such as `ON CONFLICT`.
/// The number of rows that were inserted or changed.
pub(crate) async fn insert(
    db: &mut sqlx::AnyConnection,
    into: &str,
    rows: Vec<Vec<Value>>,
    after: &str,
) -> Result<u64, Error> {
    let Some(columns) = rows.first().map(Vec::len).filter(|columns| *columns > 0) else { return Ok(0) };
    let most = (MOST_VALUES / columns).max(1);
    let (mut changed, mut rows) = (0, rows.into_iter().peekable());
    while rows.peek().is_some() {
        let part: Vec<Vec<Value>> = rows.by_ref().take(most).collect();
        let tuples: Vec<String> =
            (0..part.len()).map(|row| format!("({})", places(1 + row * columns, columns))).collect();
        let text = format!("INSERT INTO {into} VALUES {} {after}", tuples.join(", "));
        let last = part.len() < most;
        // Full statements are all the same one, which is prepared once.
        changed += query(text, part.into_iter().flatten()).persistent(!last).execute(&mut *db).await?.rows_affected();
    }
    Ok(changed)
}

/// Rows of `text`, in which `{in}` stands for the places of some of the values, for all of them.
pub(crate) async fn select_in(
    db: &mut sqlx::AnyConnection,
    text: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<AnyRow>, Error> {
    let values: Vec<Value> = values.into_iter().collect();
    let mut rows = Vec::new();
    for part in values.chunks(MOST_IN) {
        let text = text.replace("{in}", &places(1, part.len()));
        rows.extend(query(text, part.iter().cloned()).persistent(part.len() == MOST_IN).fetch_all(&mut *db).await?);
    }
    Ok(rows)
}

/// The same for statements that change something.
pub(crate) async fn change_in(
    db: &mut sqlx::AnyConnection,
    text: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, Error> {
    let values: Vec<Value> = values.into_iter().collect();
    let mut changed = 0;
    for part in values.chunks(MOST_IN) {
        let text = text.replace("{in}", &places(1, part.len()));
        let query = query(text, part.iter().cloned()).persistent(part.len() == MOST_IN);
        changed += query.execute(&mut *db).await?.rows_affected();
    }
    Ok(changed)
}

/// A count, or another whole number that is not negative.
pub(crate) fn count<T: TryFrom<i64>>(row: &AnyRow, column: &str) -> Result<T, Error> {
    let value: i64 = row.try_get(column)?;
    T::try_from(value).map_err(|_| Error::damaged(format_args!("{column} is {value}")))
}

/// A text that has to read.
pub(crate) fn parsed<T: std::str::FromStr>(row: &AnyRow, column: &str) -> Result<T, Error>
where
    T::Err: std::fmt::Display,
{
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|error| Error::damaged(format_args!("{column}: {error}")))
}

/// The same where there may be none.
pub(crate) fn parsed_option<T: std::str::FromStr>(row: &AnyRow, column: &str) -> Result<Option<T>, Error>
where
    T::Err: std::fmt::Display,
{
    let text: Option<&str> = row.try_get(column)?;
    text.map(str::parse).transpose().map_err(|error| Error::damaged(format_args!("{column}: {error}")))
}
