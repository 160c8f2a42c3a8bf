//! # Mixed tables as matrices
//!
//! Detectors take finite numbers. A [`Table`] also has words and nulls; an [`Encoder`], fitted on a table,
//! makes a matrix of it and of later tables with the same columns, and names which column of the table
//! each column of the matrix came from.
//!
//! | in the table | in the matrix |
//! |---|---|
//! | a column of numbers | the numbers; a null is the median of the fit |
//! | the same, if the fit had nulls in it | a second column: how rare it is to be null, or not to be |
//! | a column of words | how rare the word is; a null is a word of its own |
//!
//! **How rare** a word is, is −ln of the share of the fit's rows whose word is at most as frequent: 0 for
//! the most frequent word, ln 20 for the words that make up the rarest 5 % of rows. It is to words what
//! −ln of a tail probability is to numbers. Unlike −ln of the word's own frequency, it does not call a row
//! strange for a name that nobody else has in a column where every row has a name of its own. A word that
//! was never seen counts as one that was seen once (Good 1953: the share of rows with words seen once
//! estimates the chance of a word not seen before); where there was none of those, as one row in n + 1.
//!
//! What this cannot do: two words of one frequency look alike, so a row whose words are each common but
//! never go together is not found through them.
//!
//! Nothing is dropped silently. A null in a column of numbers where the fit had none is the median too, and is
//! counted in [`Encoded::unforeseen_nulls`]; an infinity is an error. An encoder keeps the words that
//! occurred more than once, and only those: names, accounts and other words of one row are not in its
//! snapshot.
//!
//! [`Encoder::fold`] adds up the contributions of a matrix's columns to those of the table's.
//!
//! Cost: O(n log d) for a column of d words, O(n) for one of numbers. [`Encoder::encode_owned`] takes a table column by
//! column, and holds one column twice, where [`Encoder::encode`] holds the whole table next to its matrix.
//!
//! ```
//! use crible_score::encode::{Column, Encoder, Table};
//! use crible_score::{Model, ecod::Ecod, score};
//! use linfa::ParamGuard;
//!
//! let amounts = (0..100).map(|i| if i == 3 { f64::NAN } else { f64::from(i % 10) }).collect();
//! let shops = (0..100).map(|i| Some(if i == 7 { "casino" } else { "baker" }.to_owned())).collect();
//! let table = Table::new([("amount", Column::Numbers(amounts)), ("shop", Column::Words(shops))])?;
//! let encoder = Encoder::fit(&table)?;
//! assert_eq!(encoder.names(), ["amount", "amount: null", "shop"]);
//!
//! let rows = encoder.encode(&table)?.rows;
//! let model = Ecod::params().check()?.fit_rows(rows.view())?;
//! let mut contributions = [0.0; 3];
//! model.explain_row(rows.row(7), &mut contributions);
//! let mut by_column = [0.0; 2];
//! encoder.fold(&contributions, &mut by_column);
//! assert!(by_column[1] > by_column[0]);
//! # Ok::<(), crible_score::Error>(())
//! ```
//!
//! References: I. J. Good, *The population frequencies of species and the estimation of population
//! parameters*, Biometrika 40, 1953.

mod encoder;
mod rarity;
mod table;

pub use encoder::{Encoded, Encoder};
pub use table::{Column, Table};
