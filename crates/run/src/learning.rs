use crible::{Builder, Config, DetectorSpec, Error};
use crible_core::Window;

/// How to learn a model, in the words of a user. What is absent is as the configuration has it, and without one as
/// [`Config::default`] has it.
#[derive(Clone, Debug, Default)]
pub struct Learning {
    /// A configuration as TOML: see [`Config`].
    pub config: Option<String>,
    /// The detectors that score.
    pub detectors: Option<Vec<DetectorSpec>>,
    /// How long is only learned from, at most.
    pub warm_up: Option<Window>,
    /// The seed of everything drawn by chance.
    pub seed: Option<u64>,
}

impl Learning {
    /// What learns so.
    ///
    /// # Errors
    /// [`Error::Config`] where the configuration makes no sense.
    pub fn builder(&self) -> Result<Builder, Error> {
        let mut builder = match &self.config {
            Some(toml) => Config::from_toml(toml)?.into(),
            None => Builder::default(),
        };
        if let Some(detectors) = &self.detectors {
            builder = builder.detectors(detectors);
        }
        if let Some(most) = self.warm_up {
            builder = builder.warm_up(most);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        Ok(builder)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_said_beside_a_configuration_wins() {
        let config = Some("seed = 3\nwarm_up = \"7d\"\ndetectors = [\"ecod\"]".to_owned());
        let built = |learning: Learning| learning.builder().unwrap().config().clone();
        let alone = built(Learning { config: config.clone(), ..Learning::default() });
        assert_eq!((alone.seed, alone.warm_up, alone.detectors[0].name()), (3, Window::WEEK, "ecod"));
        let detectors = Some(vec![DetectorSpec::new("hbos").unwrap()]);
        let beside = built(Learning { config, detectors, warm_up: Some(Window::DAY), seed: Some(5) });
        assert_eq!((beside.seed, beside.warm_up, beside.detectors[0].name()), (5, Window::DAY, "hbos"));
        assert_eq!(built(Learning::default()), Config::default());
        let wrong = Learning { config: Some("sed = 3".to_owned()), ..Learning::default() };
        assert!(wrong.builder().unwrap_err().to_string().contains("sed"));
    }
}
