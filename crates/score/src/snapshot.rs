//! A fitted model as bytes.
//!
//! ```text
//! magic "CRIBLEM1" | format u16 | payload length u64 | payload | CRC-32 of all before it
//! payload = postcard of (model name, model version, body)
//! ```
//! Integers are little-endian. The length is compared with the bytes at hand before anything is
//! read, so memory is bounded by the input; the checksum finds damage, not malice, which is why each
//! model checks what it decoded before it trusts an index.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::SnapshotError;

const MAGIC: [u8; 8] = *b"CRIBLEM1";
const FORMAT: u16 = 1;
const HEADER: usize = 8 + 2 + 8;
const CHECKSUM: usize = 4;

/// A model's name, the version of its layout, and its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    model: String,
    version: u32,
    body: Vec<u8>,
}

impl Snapshot {
    /// Encodes `body` as version `version` of the model called `model`.
    pub fn new<T: Serialize>(model: &'static str, version: u32, body: &T) -> Self {
        // Encoding into a growing vector fails only for types that serialise to no fixed shape
        // (maps or sequences of unknown length); the bodies of this crate have none.
        let body = postcard::to_stdvec(body).unwrap_or_default();
        Self { model: model.to_owned(), version, body }
    }

    /// Name of the model.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Version of the model's layout.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Decodes the body.
    ///
    /// # Errors
    /// [`SnapshotError`] when it is another model, another version, or cannot be decoded.
    pub fn decode<T: DeserializeOwned>(&self, model: &'static str, version: u32) -> Result<T, Error> {
        if self.model != model {
            let got = self.model.clone();
            return Err(SnapshotError::Model { got, expected: model }.into());
        }
        if self.version != version {
            let got = self.version;
            return Err(SnapshotError::Version { model, got, expected: version }.into());
        }
        let decode = |source| SnapshotError::Decode { model, source };
        let (body, rest) = postcard::take_from_bytes(&self.body).map_err(decode)?;
        if !rest.is_empty() {
            return Err(SnapshotError::invalid(model, format!("{} bytes after the end of the body", rest.len())));
        }
        Ok(body)
    }

    /// The bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        // As in `new`: a string, an integer and a byte vector always encode.
        let payload = postcard::to_stdvec(self).unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEADER + payload.len() + CHECKSUM);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&payload);
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`SnapshotError`], saying what differs from what was expected.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let magic = bytes.get(..8).unwrap_or(bytes);
        if magic != MAGIC {
            return Err(SnapshotError::Magic { got: magic.to_vec(), expected: MAGIC }.into());
        }
        let total = bytes.len() as u64;
        let (Some(format), Some(length)) = (array::<2>(bytes, 8), array::<8>(bytes, 10)) else {
            let expected = (HEADER + CHECKSUM) as u64;
            return Err(SnapshotError::Length { got: total, expected }.into());
        };
        let format = u16::from_le_bytes(format);
        if format != FORMAT {
            return Err(SnapshotError::Format { got: format, expected: FORMAT }.into());
        }
        let expected = u64::from_le_bytes(length).saturating_add((HEADER + CHECKSUM) as u64);
        if expected != total {
            return Err(SnapshotError::Length { got: total, expected }.into());
        }
        let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
        let stored = array::<4>(checksum, 0).map_or(0, u32::from_le_bytes);
        let found = crc32fast::hash(content);
        if found != stored {
            return Err(SnapshotError::Checksum { got: found, expected: stored }.into());
        }
        postcard::from_bytes(&content[HEADER..])
            .map_err(|source| SnapshotError::Decode { model: "snapshot", source }.into())
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}
