use std::fmt;

use data_encoding::BASE64;

/// A key that messages are signed with: `whsec_` and 24 to 64 bytes in base64, as Standard Webhooks writes it. It shows
/// in no log and in no error.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<[u8]>);

/// A secret that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a secret: expected `whsec_` and 24 to 64 bytes in base64")]
pub struct BadSecret;

impl Secret {
    /// Of bytes.
    ///
    /// # Errors
    /// They are fewer than 24 or more than 64.
    pub fn of(bytes: &[u8]) -> Result<Self, BadSecret> {
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes.into())) } else { Err(BadSecret) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::str::FromStr for Secret {
    type Err = BadSecret;

    fn from_str(text: &str) -> Result<Self, BadSecret> {
        let base64 = text.trim().strip_prefix("whsec_").ok_or(BadSecret)?;
        Self::of(&BASE64.decode(base64.as_bytes()).map_err(|_| BadSecret)?)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_secret_is() {
        let whole = format!("whsec_{}", BASE64.encode(&[7; 24]));
        assert_eq!(whole.parse::<Secret>(), Secret::of(&[7; 24]));
        assert_eq!(format!("{:?}", whole.parse::<Secret>()), "Ok(Secret)");
        let short = format!("whsec_{}", BASE64.encode(&[7; 23]));
        for bad in ["", "whsec_", &*short, &whole[6..], "whsec_!"] {
            assert_eq!(bad.parse::<Secret>(), Err(BadSecret), "{bad}");
        }
    }
}
