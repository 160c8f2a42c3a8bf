use crible_core::{Column, Has};
use crible_feature::FeatureSet;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Which columns detectors see: those they see unless told, and these, without those.
///
/// In TOML, for a file a team reviews:
///
/// ```
/// # use crible::Columns;
/// let columns = Columns::from_toml(
///     r#"
///     add = ["account_equal_amounts_7d", "account_passed_on_1d"]
///     drop = ["balance_share"]
///     "#,
/// )?;
/// # assert_eq!(columns.drop, ["balance_share"]);
/// # Ok::<(), crible::Error>(())
/// ```
///
/// What a feed cannot feed is left out, named or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Columns {
    /// Names of columns to see beside the usual ones.
    pub add: Vec<String>,
    /// Names of columns not to see.
    pub drop: Vec<String>,
}

impl Columns {
    /// Reads TOML with `add` and `drop`, both lists of names and both optional.
    ///
    /// # Errors
    /// [`Error::Columns`] where it is no such TOML or a name is no column's; it says where.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let columns: Self =
            toml::from_str(text).map_err(|error| Error::Columns(error.to_string().trim_end().to_owned()))?;
        columns.check()?;
        Ok(columns)
    }

    /// Names of all columns detectors could see, of a feed that lacks nothing.
    pub fn known() -> Vec<String> {
        let everything =
            Has { counterparty: true, category: true, channel: true, country: true, position: true, balance: true };
        // What is only there to be shown beside others has nothing to tell on its own.
        let set = FeatureSet::new(everything);
        let weighable = set.columns().iter().filter(|column| !column.phrase.is_empty());
        weighable.map(|column| column.name.to_string()).collect()
    }

    /// That all names are of columns there are.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let known = Self::known();
        let unknown = self.add.iter().chain(&self.drop).find(|name| !known.contains(name));
        if let Some(name) = unknown {
            return Err(Error::Columns(format!(
                "`{name}` is no column to weigh: expected one of {}",
                known.join(", ")
            )));
        }
        if let Some(name) = self.add.iter().find(|name| self.drop.contains(name)) {
            return Err(Error::Columns(format!("`{name}` is both added and dropped")));
        }
        Ok(())
    }

    /// What computes the columns over a feed that has this.
    pub(crate) fn features(&self, has: Has) -> FeatureSet {
        let named = |names: &[String], column: &Column| names.iter().any(|name| *name == column.name);
        FeatureSet::scoring(has, |column| (column.input || named(&self.add, column)) && !named(&self.drop, column))
    }
}
