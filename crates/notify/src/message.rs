//! What people read.
//!
//! A customer reads the least: bank, last digits, amount, merchant, when, and the question. An analyst reads the
//! reasons. Texts come from Fluent files, one a language; a bank may put templates of its own in their place.

mod limit;
mod notice;
mod phrases;
mod plain;
mod template;
mod wording;

pub use limit::Limit;
pub use notice::{CaseNotice, LastDigits, Notice, Question};
pub use phrases::BadPhrases;
pub use plain::has_link;
pub use template::{BadTemplate, Kind};
pub use wording::{Answer, Balance, Reader, Unrenderable, Wording, Words};
