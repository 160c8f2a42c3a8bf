//! Views as bytes.

use serde::{Deserialize, Serialize};

use super::Views;
use super::held::Held;
use super::model::{FittedMember, FittedView, Input, Rule};
use super::params::Together;
use super::rarity::{Curve, Rarity, RarityBody};
use crate::error::SnapshotError;
use crate::registry::load;
use crate::{Error, Snapshot};

/// In the first version tails were curves that nothing held.
#[derive(Serialize, Deserialize)]
struct Body<T> {
    n_columns: u64,
    rule: Rule,
    views: Vec<ViewBody<T>>,
    tail: T,
}

#[derive(Serialize, Deserialize)]
struct ViewBody<T> {
    name: String,
    members: Vec<MemberBody<T>>,
    together: Together,
    tail: Option<T>,
}

#[derive(Serialize, Deserialize)]
struct MemberBody<T> {
    columns: Vec<u32>,
    /// None for a column by itself.
    model: Option<Snapshot>,
    high: Option<T>,
    low: Option<T>,
}

impl Views {
    const VERSION: u32 = 2;

    /// The model in a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_snapshot(snapshot: &Snapshot) -> Result<Self, Error> {
        match snapshot.version() {
            1 => Self::from_body(snapshot.decode::<Body<Curve>>(Self::NAME, 1)?),
            _ => {
                let (body, held): (Body<RarityBody>, Vec<Held>) = snapshot.decode(Self::NAME, Self::VERSION)?;
                let views = Self::from_body(body)?;
                match held.iter().all(|held| held.is_sound(views.n_columns)) {
                    true => Ok(Self { held, ..views }),
                    false => Err(SnapshotError::invalid(Self::NAME, "columns that are held to no range")),
                }
            }
        }
    }

    fn from_body<T: Into<RarityBody>>(body: Body<T>) -> Result<Self, Error> {
        let invalid = |what: &str| Err(SnapshotError::invalid(Self::NAME, what));
        let n_columns = usize::try_from(body.n_columns).unwrap_or(0);
        let Rule { counts_from, rest, expected } = body.rule;
        let is_expected =
            expected.is_none_or(|(column, share)| (column as usize) < n_columns && (0.0..=1.0).contains(&share));
        if n_columns == 0 || !(0.0..=20.0).contains(&counts_from) || !(0.0..=1.0).contains(&rest) || !is_expected {
            return invalid("no columns, or a rule out of range");
        }
        let tail = |body: Option<T>| body.map(|body| Rarity::try_from(body.into())).transpose();
        let mut views = Vec::with_capacity(body.views.len());
        for ViewBody { name, members: bodies, together, tail: curve } in body.views {
            let mut members = Vec::with_capacity(bodies.len());
            for MemberBody { columns, model, high, low } in bodies {
                let columns: Vec<usize> = columns.into_iter().map(|column| column as usize).collect();
                if columns.is_empty() || columns.iter().any(|&column| column >= n_columns) {
                    return invalid("a member of columns that are not there");
                }
                let input = match model {
                    None => match columns[..] {
                        [column] => Input::Column(column),
                        _ => return invalid("a member of several columns and no detector"),
                    },
                    Some(snapshot) => {
                        // Else bytes could nest deeper than the stack.
                        if [Self::NAME, crate::ensemble::Ensemble::NAME].contains(&snapshot.model()) {
                            return invalid("a member that has members");
                        }
                        let model = load(&snapshot)?;
                        if model.n_columns() != columns.len() {
                            return invalid("a detector of another width");
                        }
                        Input::Joint { columns, model }
                    }
                };
                members.push((input, tail(high)?, tail(low)?));
            }
            if members.is_empty() {
                return invalid("a view without members");
            }
            views.push(FittedView::new(name, members.into_iter(), together, tail(curve)?, &body.rule));
        }
        if views.is_empty() {
            return invalid("no view");
        }
        Ok(Self { n_columns, rule: body.rule, held: Vec::new(), views, tail: Rarity::try_from(body.tail.into())? })
    }

    pub(super) fn to_snapshot(&self) -> Snapshot {
        // What the first version can hold is of the first version still.
        let members = self.views.iter().flat_map(|view| &view.members);
        let mut tails =
            members.flat_map(|member| [&member.high, &member.low]).chain(self.views.iter().map(|view| &view.tail));
        if !self.held.is_empty() || tails.any(|tail| tail.as_ref().is_some_and(Rarity::is_held)) {
            Snapshot::new(Self::NAME, Self::VERSION, &(self.body(Rarity::body), &self.held))
        } else {
            Snapshot::new(Self::NAME, 1, &self.body(|tail| tail.curve().clone()))
        }
    }

    fn body<T>(&self, of: impl Fn(&Rarity) -> T) -> Body<T> {
        let some = |tail: &Option<Rarity>| tail.as_ref().map(&of);
        let member = |member: &FittedMember| {
            let (columns, model) = match &member.input {
                Input::Column(column) => (vec![*column as u32], None),
                Input::Joint { columns, model } => {
                    (columns.iter().map(|&column| column as u32).collect(), Some(model.snapshot()))
                }
            };
            MemberBody { columns, model, high: some(&member.high), low: some(&member.low) }
        };
        let views = self.views.iter().map(|view| ViewBody {
            name: view.name.clone(),
            members: view.members.iter().map(member).collect(),
            together: view.together,
            tail: some(&view.tail),
        });
        Body { n_columns: self.n_columns as u64, rule: self.rule, views: views.collect(), tail: of(&self.tail) }
    }
}
