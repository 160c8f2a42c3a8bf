//! From a field's bytes to a value.

pub(crate) mod amount;
pub(crate) mod number;
pub(crate) mod text;
pub(crate) mod time;
