use crate::feature::Feature;

/// What is saved of one family, from one or several of its shards.
#[derive(Debug, Clone, Default)]
pub(crate) struct SavedFamily {
    name: &'static str,
    /// Each entity as bytes, by the key it is sorted by.
    entities: Vec<([u64; 3], Vec<u8>)>,
}

impl SavedFamily {
    /// A whole family, as payments at `oldest` and later may read it.
    pub(crate) fn of(feature: &dyn Feature, oldest: i64) -> Self {
        let mut saved = Self::default();
        saved.add(feature, oldest);
        saved
    }

    /// Adds a shard of the family.
    pub(crate) fn add(&mut self, feature: &dyn Feature, oldest: i64) {
        self.name = feature.name();
        self.entities.append(&mut feature.save_entities(oldest));
    }

    /// The family's name, and its entities in the order of their keys.
    pub(crate) fn into_bytes(mut self) -> (String, Vec<u8>) {
        self.entities.sort_unstable_by_key(|(key, _)| *key);
        (self.name.to_owned(), self.entities.into_iter().flat_map(|(_, bytes)| bytes).collect())
    }
}
