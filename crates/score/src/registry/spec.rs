use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::value::{FromValue, Value};
use super::{Entry, entry};
use crate::{Detector, Error};

/// A detector by its name, with the parameters that are not the default ones.
///
/// A name has the same settings wherever it stands: [`detector`](crate::detector) makes the same of it. Parameters are
/// called as the detector's setters are; the seed is none of them, since whoever builds several detectors gives each
/// its own. A spec always builds: names and values are checked when it is made.
///
/// As text, `name` or `name:parameter=value:parameter=value`. In TOML or JSON, a string with the name, or a table with
/// `name` and the parameters beside it:
///
/// ```
/// use crible_score::DetectorSpec;
///
/// let forest: DetectorSpec = "isolation_forest:n_trees=200".parse()?;
/// assert_eq!(forest.name(), "isolation_forest");
/// assert_eq!(forest, DetectorSpec::new("isolation_forest")?.with("n_trees", 200)?);
///
/// let error = "isolation_forest:trees=200".parse::<DetectorSpec>().unwrap_err();
/// assert_eq!(error.to_string(), "isolation_forest has no parameter `trees`: expected one of n_trees, max_samples");
/// # Ok::<(), crible_score::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectorSpec {
    name: &'static str,
    parameters: BTreeMap<&'static str, Value>,
}

impl DetectorSpec {
    /// The detector of a name, with its default parameters.
    ///
    /// # Errors
    /// [`Error::UnknownDetector`] lists the names there are.
    pub fn new(name: &str) -> Result<Self, Error> {
        Ok(Self { name: entry(name)?.name, parameters: BTreeMap::new() })
    }

    /// The same with a parameter set.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`] lists the parameters there are; [`Error::Parameter`] names what a value has to be.
    pub fn with(self, parameter: &str, value: impl Into<Value>) -> Result<Self, Error> {
        self.with_all([(parameter, value.into())])
    }

    /// Sets several parameters, then tries them together.
    fn with_all<N: AsRef<str>>(mut self, parameters: impl IntoIterator<Item = (N, Value)>) -> Result<Self, Error> {
        for (parameter, value) in parameters {
            self.set(parameter.as_ref(), value)?;
        }
        self.build(0)?;
        Ok(self)
    }

    fn set(&mut self, parameter: &str, value: Value) -> Result<(), Error> {
        let Entry { parameters: known, .. } = entry(self.name)?;
        let Some(parameter) = known.iter().find(|known| **known == parameter) else {
            let (name, known) = (parameter.to_owned(), known.join(", "));
            return Err(Error::UnknownParameter { detector: self.name, name, known });
        };
        self.parameters.insert(parameter, value);
        Ok(())
    }

    /// The detector's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The parameters that were set, by name.
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = (&'static str, &Value)> {
        self.parameters.iter().map(|(name, value)| (*name, value))
    }

    /// The detector; `seed` is for those that draw anything by chance.
    ///
    /// # Errors
    /// None for a spec that was made by this type's functions, which try it.
    pub fn build(&self, seed: u64) -> Result<Box<dyn Detector>, Error> {
        (entry(self.name)?.make)(seed, &Given { detector: self.name, parameters: &self.parameters })
    }
}

/// What an entry of the registry reads its parameters from.
pub(super) struct Given<'a> {
    detector: &'static str,
    parameters: &'a BTreeMap<&'static str, Value>,
}

impl Given<'_> {
    /// A parameter, where it was set, as what its setter takes.
    pub(super) fn get<T: FromValue>(&self, name: &'static str) -> Result<Option<T>, Error> {
        let Some(value) = self.parameters.get(name) else { return Ok(None) };
        match T::from_value(value) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::parameter(self.detector, name, value, T::EXPECTED)),
        }
    }
}

impl fmt::Display for DetectorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.parameters.iter().try_for_each(|(name, value)| write!(f, ":{name}={value}"))
    }
}

impl FromStr for DetectorSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.trim().split(':');
        let spec = Self::new(parts.next().unwrap_or_default())?;
        let parameters = parts.map(|part| match part.split_once('=') {
            Some((name, value)) => (name.trim().to_owned(), Value::parse(value.trim())),
            None => (part.trim().to_owned(), Value::Word(String::new())),
        });
        spec.with_all(parameters.collect::<Vec<_>>())
    }
}

impl Serialize for DetectorSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.parameters.is_empty() {
            return serializer.serialize_str(self.name);
        }
        let mut map = serializer.serialize_map(Some(1 + self.parameters.len()))?;
        map.serialize_entry("name", self.name)?;
        self.parameters.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for DetectorSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = DetectorSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a detector's name, or a table of its `name` and parameters")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<DetectorSpec, E> {
                name.parse().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DetectorSpec, A::Error> {
                let (mut name, mut parameters) = (None::<String>, vec![]);
                while let Some(key) = map.next_key::<String>()? {
                    if key == "name" {
                        name = Some(map.next_value()?);
                    } else {
                        parameters.push((key, map.next_value()?));
                    }
                }
                let name = name.ok_or_else(|| de::Error::missing_field("name"))?;
                DetectorSpec::new(&name).and_then(|spec| spec.with_all(parameters)).map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_any(Read)
    }
}
