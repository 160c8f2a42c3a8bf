//! The optional fields of a transaction, and how a batch keeps a column of each.

use std::fmt::Debug;

use crate::batch::{Coded, Optional};
use crate::{Code, EntityId, Position};

/// Hands the schema of optional fields to the macro named `$then`, one line for each field: its documentation, the name
/// of its column, its name and type in [`Transaction`](crate::Transaction), and the method that fills it.
///
/// [`Transaction`](crate::Transaction), [`Batch`](crate::Batch), [`Columns`](crate::Columns) and [`Has`](crate::Has)
/// are made from this list, and so are the chunks of the readers: a new field is a new line here, at the end of its
/// group. Numbers stand before words, because a row's reference is a hash of its fields in this order.
///
/// ```
/// macro_rules! names {
///     ($($(#[$doc:meta])* $column:ident = $name:ident: $type:ty, $fill:ident;)*) => { [$(stringify!($column)),*] };
/// }
/// assert!(crible_core::optional_fields!(names).contains(&"device"));
/// ```
#[macro_export]
macro_rules! optional_fields {
    ($then:ident) => {
        $then! {
            /// The account's balance just before, in minor units.
            balance = balance_before: Option<i64>, with_balance_before;
            /// Where it happened.
            position = position: Option<$crate::Position>, at_position;
            /// Pseudonym of the device it was made on.
            device = device: Option<$crate::EntityId>, on_device;
            /// Pseudonym of the network address it came from.
            address = address: Option<$crate::EntityId>, from_address;
            /// Merchant category or transaction type, in the feed's words.
            category = category: $crate::Code, in_category;
            /// How it was made (online, chip, transfer, …), in the feed's words.
            channel = channel: $crate::Code, by_channel;
            /// Country of the counterparty, ISO 3166 where the feed uses it.
            country = country: $crate::Code, in_country;
        }
    };
}

mod sealed {
    pub trait Sealed {}
    impl<T> Sealed for Option<T> {}
    impl Sealed for crate::Code {}
}

/// What an optional field of a transaction holds.
pub trait Field: sealed::Sealed + Copy + PartialEq + Debug + Default + Send + Sync + 'static {
    /// What fills it.
    type Given;
    /// A whole column of it, for [`Batch::from_columns`](crate::Batch::from_columns).
    type Whole: Clone + Debug;
    /// The field where the feed has no value.
    const ABSENT: Self;

    /// The field with a value in it.
    fn given(value: Self::Given) -> Self;
}

/// How a batch keeps a column of a field: without memory until a row fills it.
pub(crate) trait Kept: Field {
    type Column: Default;

    fn push(column: &mut Self::Column, value: Self, before: usize);
    fn get(column: &Self::Column, row: usize) -> Self;
    /// Whether any row fills it.
    fn is_filled(column: &Self::Column) -> bool;
    /// Whether any of the first `rows` rows fills it.
    fn is_filled_before(column: &Self::Column, rows: usize) -> bool;
    fn from_whole(whole: Option<Self::Whole>) -> Self::Column;
    fn rows(whole: &Self::Whole) -> usize;
}

impl<T: Copy + PartialEq + Debug + Send + Sync + 'static> Field for Option<T> {
    type Given = T;
    type Whole = Vec<Self>;
    const ABSENT: Self = None;

    fn given(value: T) -> Self {
        Some(value)
    }
}

impl<T: Copy + PartialEq + Debug + Send + Sync + 'static> Kept for Option<T> {
    type Column = Optional<Self>;

    fn push(column: &mut Self::Column, value: Self, before: usize) {
        column.push(value, None, before);
    }

    #[inline]
    fn get(column: &Self::Column, row: usize) -> Self {
        column.get(row, None)
    }

    fn is_filled(column: &Self::Column) -> bool {
        column.is_filled()
    }

    fn is_filled_before(column: &Self::Column, rows: usize) -> bool {
        column.any_before(rows, None)
    }

    fn from_whole(whole: Option<Vec<Self>>) -> Self::Column {
        Optional::from_rows(whole, None)
    }

    fn rows(whole: &Vec<Self>) -> usize {
        whole.len()
    }
}

impl Field for Code {
    type Given = Self;
    type Whole = Coded;
    const ABSENT: Self = Self::NONE;

    fn given(value: Self) -> Self {
        value
    }
}

impl Kept for Code {
    type Column = Option<Coded>;

    fn push(column: &mut Option<Coded>, word: Self, before: usize) {
        if column.is_none() && !word.is_none() {
            *column = Some(Coded::absent(before));
        }
        if let Some(column) = column {
            column.push(word);
        }
    }

    #[inline]
    fn get(column: &Option<Coded>, row: usize) -> Self {
        column.as_ref().map_or(Self::NONE, |column| column.get(row))
    }

    fn is_filled(column: &Option<Coded>) -> bool {
        column.is_some()
    }

    fn is_filled_before(column: &Option<Coded>, rows: usize) -> bool {
        column.as_ref().is_some_and(|column| column.any_before(rows))
    }

    fn from_whole(whole: Option<Coded>) -> Option<Coded> {
        whole.filter(|column| column.words().iter().any(|word| !word.is_none()))
    }

    fn rows(whole: &Coded) -> usize {
        whole.len()
    }
}

// Fields are of these types; another one needs its `Field` and `Kept` above.
const _: fn() = || {
    fn is_field<T: Kept>() {}
    is_field::<Option<EntityId>>();
    is_field::<Option<Position>>();
    is_field::<Option<i64>>();
    is_field::<Code>();
};
