use crate::schema::Field;
use crate::{Amount, EntityId, Timestamp, TxnId};

macro_rules! transaction {
    ($($(#[$doc:meta])* $column:ident = $name:ident: $type:ty, $fill:ident;)*) => {
        /// One movement of money on one account: a plain `Copy` row, its money exact, without a label.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
        pub struct Transaction {
            /// Stable reference.
            pub id: TxnId,
            /// When it happened.
            pub at: Timestamp,
            /// Pseudonym of the account or card it happened on.
            pub account: EntityId,
            /// Signed amount; an outflow is negative.
            pub amount: Amount,
            /// Pseudonym of the merchant, terminal or payee on the other side.
            #[cfg_attr(feature = "serde", serde(default))]
            pub counterparty: Option<EntityId>,
            $($(#[$doc])* #[cfg_attr(feature = "serde", serde(default))] pub $name: $type,)*
        }

        impl Transaction {
            /// A transaction without any optional field.
            pub const fn new(id: TxnId, at: Timestamp, account: EntityId, amount: Amount) -> Self {
                Self { id, at, account, amount, counterparty: None, $($name: <$type as Field>::ABSENT,)* }
            }

            /// The same with a counterparty.
            #[must_use]
            pub const fn at_counterparty(mut self, counterparty: EntityId) -> Self {
                self.counterparty = Some(counterparty);
                self
            }

            $(
                #[doc = concat!("The same with `", stringify!($name), "` filled.")]
                #[must_use]
                pub fn $fill(mut self, $name: <$type as Field>::Given) -> Self {
                    self.$name = Field::given($name);
                    self
                }
            )*

            /// Whether money left the account. Zero counts as an outflow: an authorisation of nothing is still a use.
            pub const fn is_outflow(&self) -> bool {
                self.amount.minor <= 0
            }
        }
    };
}

crate::optional_fields!(transaction);
