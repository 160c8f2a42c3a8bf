use super::{Batch, Optional, OutOfOrder, Source};
use crate::schema::{Field, Kept};
use crate::{Currency, EntityId, Timestamp, Truth, TxnId};

macro_rules! columns {
    ($($(#[$doc:meta])* $column:ident = $name:ident: $type:ty, $fill:ident;)*) => {
        /// The columns of a [`Batch`], for building one whole. Each has one value for each row; an optional column may
        /// be left out.
        #[derive(Clone, Debug)]
        pub struct Columns {
            /// References.
            pub id: Vec<TxnId>,
            /// Times; rows are in this order.
            pub at: Vec<Timestamp>,
            /// Accounts.
            pub account: Vec<EntityId>,
            /// Amounts in minor units.
            pub minor: Vec<i64>,
            /// Where each row was read.
            pub source: Vec<Source>,
            /// Currencies.
            pub currency: Currencies,
            /// The feed's own labels.
            pub truth: Option<Vec<Truth>>,
            /// Pseudonym of the merchant, terminal or payee on the other side.
            pub counterparty: Option<Vec<Option<EntityId>>>,
            $($(#[$doc])* pub $name: Option<<$type as Field>::Whole>,)*
        }

        impl Batch {
            /// A batch of whole columns, equal to the one that pushing their rows one by one would give.
            ///
            /// # Errors
            /// [`BadColumns`] where the rows are out of order or a column has not as many of them as `id` has.
            pub fn from_columns(columns: Columns) -> Result<Self, BadColumns> {
                let rows = columns.id.len();
                let check = |name: &'static str, found: Option<usize>| match found {
                    Some(found) if found != rows => Err(BadColumns::Length { name, found, rows }),
                    _ => Ok(()),
                };
                check("at", Some(columns.at.len()))?;
                check("account", Some(columns.account.len()))?;
                check("minor", Some(columns.minor.len()))?;
                check("source", Some(columns.source.len()))?;
                if let Currencies::Each(each) = &columns.currency {
                    check("currency", Some(each.len()))?;
                }
                check("truth", columns.truth.as_ref().map(Vec::len))?;
                check("counterparty", columns.counterparty.as_ref().map(Vec::len))?;
                $(check(stringify!($name), columns.$name.as_ref().map(<$type as Kept>::rows))?;)*
                if let Some(row) = columns.at.windows(2).position(|pair| pair[0] > pair[1]) {
                    let (id, at, last) = (columns.id[row + 1], columns.at[row + 1], columns.at[row]);
                    return Err(BadColumns::Order(OutOfOrder { id, at, last }));
                }
                let (first_currency, currency) = match columns.currency {
                    Currencies::One(currency) => ((rows > 0).then_some(currency), None),
                    Currencies::Each(each) => (each.first().copied(), Some(each)),
                };
                Ok(Self {
                    id: columns.id,
                    at: columns.at,
                    account: columns.account,
                    minor: columns.minor,
                    source: columns.source,
                    currency: Optional::from_rows(currency, first_currency.unwrap_or(Currency::NONE)),
                    first_currency,
                    truth: Optional::from_rows(columns.truth, Truth::Unknown),
                    counterparty: Optional::from_rows(columns.counterparty, None),
                    $($name: <$type as Kept>::from_whole(columns.$name),)*
                })
            }
        }
    };
}

crate::optional_fields!(columns);

/// The currencies of a batch's rows.
#[derive(Clone, Debug)]
pub enum Currencies {
    /// All rows have this one.
    One(Currency),
    /// Each row has its own.
    Each(Vec<Currency>),
}

/// Why columns make no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadColumns {
    /// A row stands before its predecessor.
    #[error(transparent)]
    Order(#[from] OutOfOrder),
    /// A column has more or fewer rows than there are references.
    #[error("column {name} has {found} rows; expected {rows}, one for each reference")]
    Length {
        /// The column.
        name: &'static str,
        /// The rows it has.
        found: usize,
        /// The number of references.
        rows: usize,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Amount, Code, Coded, Position, Transaction};

    fn txn(id: u128, at: i64) -> Transaction {
        let account = EntityId::new(1 + (id % 3) as u64).unwrap();
        Transaction::new(TxnId(id), Timestamp(at), account, Amount::new(-(id as i64), Currency::USD))
    }

    #[test]
    fn columns_and_rows_make_the_same_batch() {
        let words = ["a", "b", ""].map(Code::new);
        for (mixed, filled) in [(false, false), (true, false), (false, true), (true, true)] {
            let rows: Vec<Transaction> = (0..20)
                .map(|i| {
                    let mut row = txn(i, 10 * i as i64);
                    if mixed && i > 3 {
                        row.amount.currency = Currency::EUR;
                    }
                    if filled {
                        row.balance_before = (i > 5).then_some(i as i64);
                        row.category = words[(i % 3) as usize];
                        row.position = Position::from_degrees(i as f64, 0.0);
                        row.counterparty = EntityId::new(i as u64);
                        row.device = EntityId::new(i as u64 % 2);
                    }
                    row
                })
                .collect();
            let mut pushed = Batch::default();
            for row in &rows {
                pushed.push(row, Source::default(), Truth::Unknown).unwrap();
            }
            let index = |i: usize| if filled { [2, 0, 1][i % 3] } else { 1 };
            let columns = Columns {
                id: rows.iter().map(|row| row.id).collect(),
                at: rows.iter().map(|row| row.at).collect(),
                account: rows.iter().map(|row| row.account).collect(),
                minor: rows.iter().map(|row| row.amount.minor).collect(),
                source: vec![Source::default(); 20],
                currency: match mixed {
                    true => Currencies::Each(rows.iter().map(|row| row.amount.currency).collect()),
                    false => Currencies::One(Currency::USD),
                },
                counterparty: Some(rows.iter().map(|row| row.counterparty).collect()),
                balance_before: Some(rows.iter().map(|row| row.balance_before).collect()),
                channel: None,
                category: Some(Coded::from_parts(&[words[1], words[2], words[0]], (0..20).map(index).collect())),
                country: Some(Coded::from_parts(&[Code::NONE], vec![0; 20])),
                position: Some(rows.iter().map(|row| row.position).collect()),
                device: Some(rows.iter().map(|row| row.device).collect()),
                address: None,
                truth: Some(vec![Truth::Unknown; 20]),
            };
            assert_eq!(Batch::from_columns(columns.clone()), Ok(pushed), "{mixed} {filled}");
            let mut short = columns.clone();
            short.minor.pop();
            let error = Batch::from_columns(short).unwrap_err();
            assert_eq!(error, BadColumns::Length { name: "minor", found: 19, rows: 20 });
            let mut turned = columns;
            turned.at.swap(4, 5);
            assert!(matches!(Batch::from_columns(turned), Err(BadColumns::Order(_))));
        }
    }
}
