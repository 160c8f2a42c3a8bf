//! Signatures after Standard Webhooks: HMAC-SHA-256 over `id.timestamp.body`.

use crible_core::Timestamp;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{BadSecret, Secret};

/// The headers: reference, time in seconds, signatures.
pub const HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// How far the sender's clock may be off.
pub const TOLERANCE_SECONDS: u64 = 300;

/// Signs what is sent. While secrets are changed, it signs with the old and the new.
#[derive(Clone, Debug)]
pub struct Signer(Vec<Secret>);

/// Checks what comes in.
#[derive(Clone, Debug)]
pub struct Verifier(Vec<Secret>);

/// A message that did not come from where it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSignature {
    /// A header is missing, or is not what it should be.
    #[error("header `{0}` is missing or malformed")]
    Header(&'static str),
    /// It was signed too long ago, or will be.
    #[error("signed at another time: expected at most {TOLERANCE_SECONDS} seconds off")]
    Time,
    /// No signature is right.
    #[error("no signature matches")]
    Mismatch,
}

/// Most signatures that a header may hold.
const MOST_SIGNATURES: usize = 16;

fn mac(secret: &Secret, id: &str, seconds: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    // HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.bytes()).ok()?;
    for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(mac)
}

impl Signer {
    /// Signs with all of these.
    ///
    /// # Errors
    /// There is none.
    pub fn new(secrets: Vec<Secret>) -> Result<Self, BadSecret> {
        if secrets.is_empty() { Err(BadSecret) } else { Ok(Self(secrets)) }
    }

    /// The values of [`HEADERS`] for a body.
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> [String; 3] {
        let seconds = at.0.div_euclid(Timestamp::SECOND).to_string();
        let one = |secret| {
            let signature = mac(secret, id, &seconds, body)?.finalize().into_bytes();
            Some(format!("v1,{}", BASE64.encode(&signature)))
        };
        let signatures: Vec<String> = self.0.iter().filter_map(one).collect();
        [id.to_owned(), seconds, signatures.join(" ")]
    }
}

impl Verifier {
    /// Accepts what any of these signed.
    ///
    /// # Errors
    /// There is none.
    pub fn new(secrets: Vec<Secret>) -> Result<Self, BadSecret> {
        if secrets.is_empty() { Err(BadSecret) } else { Ok(Self(secrets)) }
    }

    /// Checks the values of [`HEADERS`] against a body as it came, comparing in constant time.
    ///
    /// # Errors
    /// Why it is not to be trusted.
    pub fn check(&self, headers: [Option<&str>; 3], body: &[u8], now: Timestamp) -> Result<(), BadSignature> {
        let header = |place: usize| headers[place].ok_or(BadSignature::Header(HEADERS[place]));
        let (id, seconds, signatures) = (header(0)?, header(1)?, header(2)?);
        if !(1..=256).contains(&id.len()) {
            return Err(BadSignature::Header(HEADERS[0]));
        }
        let digits = (1..=12).contains(&seconds.len()) && seconds.bytes().all(|byte| byte.is_ascii_digit());
        let signed: i64 = digits.then(|| seconds.parse().ok()).flatten().ok_or(BadSignature::Header(HEADERS[1]))?;
        if signed.abs_diff(now.0.div_euclid(Timestamp::SECOND)) > TOLERANCE_SECONDS {
            return Err(BadSignature::Time);
        }
        let given = signatures.split(' ').take(MOST_SIGNATURES);
        let given: Vec<Vec<u8>> =
            given.filter_map(|one| BASE64.decode(one.strip_prefix("v1,")?.as_bytes()).ok()).collect();
        let matches = |secret: &Secret, signature: &[u8]| {
            mac(secret, id, seconds, body).is_some_and(|mac| mac.verify_slice(signature).is_ok())
        };
        let right = self.0.iter().any(|secret| given.iter().any(|signature| matches(secret, signature)));
        if right { Ok(()) } else { Err(BadSignature::Mismatch) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_614_265_330_000_000);

    fn secret(byte: u8) -> Secret {
        Secret::of(&[byte; 32]).unwrap()
    }

    /// The example that the libraries of Standard Webhooks are tested with.
    #[test]
    fn a_published_example() {
        let secret: Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let signed =
            Signer::new(vec![secret]).unwrap().sign("msg_p5jXN8AQM9LWM0D4loKWxJek", NOW, b"{\"test\": 2432232314}");
        assert_eq!(signed[2], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_rotate() {
        let both = Signer::new(vec![secret(1), secret(2)]).unwrap().sign("m", NOW, b"body");
        let check = |byte: u8, headers: &[String; 3], body: &[u8], now: Timestamp| {
            let [id, at, signature] = headers;
            let headers = [Some(&**id), Some(&**at), Some(&**signature)];
            Verifier::new(vec![secret(byte)]).unwrap().check(headers, body, now)
        };
        assert_eq!((check(1, &both, b"body", NOW), check(2, &both, b"body", NOW)), (Ok(()), Ok(())));
        assert_eq!(check(3, &both, b"body", NOW), Err(BadSignature::Mismatch));
        assert_eq!(check(1, &both, b"bodY", NOW), Err(BadSignature::Mismatch));
        let off = |seconds: i64| check(1, &both, b"body", Timestamp(NOW.0 + seconds * Timestamp::SECOND));
        assert_eq!([off(300), off(-300)], [Ok(()), Ok(())]);
        assert_eq!([off(301), off(-301)], [Err(BadSignature::Time); 2]);
        let other_id = ["n".to_owned(), both[1].clone(), both[2].clone()];
        assert_eq!(check(1, &other_id, b"body", NOW), Err(BadSignature::Mismatch));
    }

    #[test]
    fn headers_that_are_none() {
        let verifier = Verifier::new(vec![secret(1)]).unwrap();
        for (headers, bad) in [
            ([None, Some("1"), Some("v1,")], BadSignature::Header("webhook-id")),
            ([Some("m"), Some("-1"), Some("v1,")], BadSignature::Header("webhook-timestamp")),
            ([Some("m"), Some("99999999999999999999"), Some("v1,")], BadSignature::Header("webhook-timestamp")),
            ([Some("m"), Some("1614265330"), None], BadSignature::Header("webhook-signature")),
            ([Some("m"), Some("1614265330"), Some("")], BadSignature::Mismatch),
            ([Some("m"), Some("1614265330"), Some("v1,AAAA v2,x v1")], BadSignature::Mismatch),
        ] {
            assert_eq!(verifier.check(headers, b"", NOW), Err(bad), "{headers:?}");
        }
        assert!(Verifier::new(Vec::new()).is_err() && Signer::new(Vec::new()).is_err());
    }
}
