//! Keys of persons and cases.

use std::collections::{BTreeSet, HashMap};

use sqlx::Row;

use crate::counters::next;
use crate::key::{Cipher, Owner};
use crate::sql::{self, Value, row};
use crate::store::{Reader, Txn};
use crate::{Error, sql::select_in};

fn place(id: i64) -> String {
    format!("key/{id}")
}

impl Reader {
    /// Gets these keys, so that [`Reader::unseal`] finds them.
    pub(crate) async fn fetch_keys(&mut self, ids: impl IntoIterator<Item = i64>) -> Result<(), Error> {
        let wanted: BTreeSet<i64> = ids.into_iter().filter(|id| !self.ciphers.contains_key(id)).collect();
        let text = "SELECT id, wrapped FROM keys WHERE id IN ({in})";
        let rows = select_in(self.db(), text, wanted.iter().copied().map(Value::from)).await?;
        self.ciphers.extend(wanted.into_iter().map(|id| (id, None)));
        for row in rows {
            let (id, wrapped): (i64, Option<Vec<u8>>) = (row.try_get("id")?, row.try_get("wrapped")?);
            if let Some(wrapped) = wrapped {
                let cipher = self.kek.unwrap(&place(id), &wrapped);
                let cipher = cipher.ok_or_else(|| Error::damaged(format_args!("key {id} does not open")))?;
                self.ciphers.insert(id, Some(cipher));
            }
        }
        Ok(())
    }

    /// What was sealed; `None` where its key was destroyed. The key has to have been fetched.
    pub(crate) fn unseal(&self, key: i64, place: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Some(Some(cipher)) = self.ciphers.get(&key) else { return Ok(None) };
        let plain = cipher.open(place, sealed);
        plain.map(Some).ok_or_else(|| Error::damaged(format_args!("{place} does not open with key {key}")))
    }
}

impl Txn {
    /// Gets the keys of these owners, and makes those that are not there.
    pub(crate) async fn keys_for(&mut self, owners: impl IntoIterator<Item = Owner>) -> Result<(), Error> {
        let mut wanted: BTreeSet<Owner> = owners.into_iter().filter(|owner| !self.owners.contains_key(owner)).collect();
        if self.counters.key > 0 && !wanted.is_empty() {
            let text = "SELECT id, owner FROM keys WHERE owner IN ({in})";
            let names: HashMap<String, Owner> = wanted.iter().map(|owner| (owner.to_string(), *owner)).collect();
            let rows = select_in(self.db(), text, names.keys().map(|name| Value::from(name.as_str()))).await?;
            let mut found = Vec::new();
            for row in rows {
                let (id, name): (i64, String) = (row.try_get("id")?, row.try_get("owner")?);
                if let Some(&owner) = names.get(&name) {
                    wanted.remove(&owner);
                    self.owners.insert(owner, id);
                    found.push(id);
                }
            }
            self.fetch_keys(found).await?;
        }
        let mut rows = Vec::with_capacity(wanted.len());
        for owner in wanted {
            let id = next(&mut self.counters.key);
            let (cipher, wrapped) = self.kek.under(&place(id))?;
            rows.push(row![id, owner.to_string(), wrapped]);
            self.owners.insert(owner, id);
            self.ciphers.insert(id, Some(cipher));
        }
        sql::insert(self.db(), "keys (id, owner, wrapped)", rows, "").await?;
        Ok(())
    }

    /// Seals with the key of an owner, which [`Txn::keys_for`] got: the key's number and what was sealed.
    pub(crate) fn seal(&self, owner: Owner, place: &str, plain: &[u8]) -> Result<(i64, Vec<u8>), Error> {
        let id = self.owners.get(&owner).copied();
        let cipher = id.and_then(|id| Some((id, self.ciphers.get(&id)?.as_ref()?)));
        let (id, cipher): (i64, &Cipher) = cipher.ok_or_else(|| Error::damaged("a key is missing"))?;
        Ok((id, cipher.seal(place, plain)?))
    }

    /// Destroys the keys of these owners: their numbers.
    pub(crate) async fn destroy_keys(&mut self, owners: &BTreeSet<Owner>) -> Result<Vec<i64>, Error> {
        let names: Vec<Value> = owners.iter().map(|owner| Value::from(owner.to_string())).collect();
        let rows = select_in(self.db(), "SELECT id FROM keys WHERE owner IN ({in})", names).await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
        let now = self.now.0;
        let text = format!("UPDATE keys SET owner = NULL, wrapped = NULL, erased_at = {now} WHERE id IN ({{in}})");
        sql::change_in(self.db(), &text, ids.iter().copied().map(Value::from)).await?;
        for id in &ids {
            self.ciphers.insert(*id, None);
        }
        self.owners.retain(|owner, _| !owners.contains(owner));
        Ok(ids)
    }
}
