macro_rules! has {
    ($($(#[$doc:meta])* $column:ident = $name:ident: $type:ty, $fill:ident;)*) => {
        /// Which of the optional columns a batch, or a feed, fills.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Has {
            /// Pseudonym of the merchant, terminal or payee on the other side.
            pub counterparty: bool,
            $($(#[$doc])* pub $column: bool,)*
        }

        impl Has {
            /// All of them.
            pub const ALL: Self = Self { counterparty: true, $($column: true,)* };

            /// What either fills.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self {
                    counterparty: self.counterparty || other.counterparty,
                    $($column: self.$column || other.$column,)*
                }
            }

            /// Names of those that are filled.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                [("counterparty", self.counterparty), $((stringify!($column), self.$column),)*]
                    .into_iter()
                    .filter_map(|(name, is_filled)| is_filled.then_some(name))
            }

            /// The one of these names; `None` where one is unknown.
            pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
                let mut has = Self::default();
                for name in names {
                    match name {
                        "counterparty" => has.counterparty = true,
                        $(stringify!($column) => has.$column = true,)*
                        _ => return None,
                    }
                }
                Some(has)
            }
        }
    };
}

crate::optional_fields!(has);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        let two = Has { counterparty: true, device: true, ..Has::default() };
        for has in [Has::default(), Has::ALL, two] {
            assert_eq!(Has::from_names(has.names()), Some(has));
        }
        assert_eq!(two.names().collect::<Vec<_>>(), ["counterparty", "device"]);
        assert_eq!(Has::from_names(["mood"]), None);
        assert_eq!(two.or(Has { country: true, ..Has::default() }).names().count(), 3);
    }
}
