//! RSA signatures, their public keys, and where signatures are kept.

use std::collections::HashMap;

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use crate::clock::HOUR;
use crate::scalar::timestamp;

/// The only algorithm that CloudTrail signs with: PKCS#1 v1.5 over SHA-256.
pub(crate) const ALGORITHM: &str = "SHA256withRSA";

/// Where the signature of a digest comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// A file of signatures saved from object metadata.
    File,
    /// The metadata of the object itself.
    Metadata,
    /// The digest that follows it.
    Successor,
    /// Nowhere.
    None,
}

impl Provenance {
    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Metadata => "metadata",
            Self::Successor => "successor",
            Self::None => "none",
        }
    }
}

/// A public key of CloudTrail.
#[derive(Debug, Clone, Default)]
pub struct PublicKey {
    /// DER of an `RSAPublicKey` (PKCS#1); empty if the key could not be read.
    pub der: Vec<u8>,
    /// The region whose digests it signs, if that is known.
    pub region: Option<String>,
    /// The time in which it signs, in microseconds since 1970, if that is known.
    pub valid: Option<(i64, i64)>,
}

/// Public keys by their fingerprints.
#[derive(Debug, Clone, Default)]
pub struct Keys(HashMap<String, Vec<PublicKey>>);

/// How much later than its end a digest may be signed; AWS's own tool also asks for keys this much later.
const SIGNED_LATE: i64 = 2 * HOUR;

/// Why there is no key for a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoKey {
    Unknown,
    OtherRegion,
    OtherTime,
    Unusable,
}

impl Keys {
    /// Adds a key.
    pub fn add(&mut self, fingerprint: String, key: PublicKey) {
        self.0.entry(fingerprint).or_default().push(key);
    }

    /// The keys that may have signed a digest of this region, around this time if it is known.
    pub(crate) fn find(&self, fingerprint: &str, region: &str, end: Option<i64>) -> Result<Vec<&PublicKey>, NoKey> {
        let all = self.0.get(fingerprint).ok_or(NoKey::Unknown)?;
        let of_region: Vec<_> = all.iter().filter(|key| key.region.as_ref().is_none_or(|of| of == region)).collect();
        if of_region.is_empty() {
            return Err(NoKey::OtherRegion);
        }
        let in_time = |key: &&PublicKey| {
            key.valid.zip(end).is_none_or(|((first, last), end)| first <= end + SIGNED_LATE && end - HOUR <= last)
        };
        let of_time: Vec<_> = of_region.into_iter().filter(in_time).collect();
        if of_time.is_empty() {
            return Err(NoKey::OtherTime);
        }
        let usable: Vec<_> = of_time.into_iter().filter(|key| !key.der.is_empty()).collect();
        if usable.is_empty() { Err(NoKey::Unusable) } else { Ok(usable) }
    }
}

impl PublicKey {
    /// Whether the signature is this key's over this text.
    pub(crate) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.der).verify(text.as_bytes(), signature).is_ok()
    }
}

/// The metadata of a digest object in S3.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saved {
    /// Hexadecimal digits.
    pub signature: Option<String>,
    /// `SHA256withRSA`.
    pub algorithm: Option<String>,
    /// Whether the metadata says when a backfill digest was made, and when, in microseconds since 1970.
    pub backfill: Option<Option<i64>>,
}

impl Saved {
    /// Reads the metadata of an object; `None` if a copy lost it.
    pub(crate) fn of_object(metadata: &[(String, String)]) -> Option<Self> {
        let named = |name: &str| metadata.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
        let signature = Some(named("signature")?);
        let backfill = named("backfill-generation-timestamp").map(|time| timestamp(time.as_bytes()));
        Some(Self { signature, algorithm: named("signature-algorithm"), backfill })
    }
}

/// Saved metadata by `bucket/key`.
#[derive(Debug, Clone, Default)]
pub struct Signatures(HashMap<String, Saved>);

impl Signatures {
    /// Adds the saved metadata of an object.
    pub fn add(&mut self, name: String, saved: Saved) {
        self.0.insert(name, saved);
    }

    /// `bucket/key` of all objects.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn get(&self, bucket: &str, key: &str) -> Option<&Saved> {
        if self.0.is_empty() { None } else { self.0.get(&format!("{bucket}/{key}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::tests::parse;
    use crate::hash::{hex, sha256, unhex};

    /// A chain that AWS's own validator accepts.
    #[test]
    fn a_chain_with_a_known_key() {
        let vector: serde_json::Value =
            serde_json::from_str(include_str!("../../../../tests/data/digest_chain.json")).expect("JSON");
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let der = unhex(&text(&vector["public_key"]["der_hex"])).expect("hexadecimal");
        let key = PublicKey { der, ..PublicKey::default() };
        for digest in vector["digests_oldest_first"].as_array().expect("digests") {
            let body = text(&digest["body"]);
            let hash = sha256(body.as_bytes());
            let signed = parse(&body).expect("a digest").string_to_sign(&hash);
            assert_eq!((hex(&hash), &signed), (text(&digest["sha256"]), &text(&digest["string_to_sign"])));
            let mut signature = unhex(&text(&digest["signature"])).expect("hexadecimal");
            assert!(key.verifies(&signed, &signature));
            assert!(!key.verifies(&signed[1..], &signature));
            signature[9] ^= 1;
            assert!(!key.verifies(&signed, &signature) && !key.verifies(&signed, &[]));
        }
    }

    #[test]
    fn keys_are_found_by_fingerprint_region_and_time() {
        let key = |region: Option<&str>, valid| PublicKey { der: vec![0x30], region: region.map(str::to_owned), valid };
        let mut keys = Keys::default();
        keys.add("f".into(), key(Some("eu-west-1"), Some((10 * HOUR, 20 * HOUR))));
        assert_eq!(keys.find("g", "eu-west-1", None).err(), Some(NoKey::Unknown));
        assert_eq!(keys.find("f", "us-east-1", None).err(), Some(NoKey::OtherRegion));
        for (hour, found) in [(7, false), (8, true), (10, true), (21, true), (22, false)] {
            assert_eq!(keys.find("f", "eu-west-1", Some(hour * HOUR)).is_ok(), found, "{hour}");
        }
        assert!(keys.find("f", "eu-west-1", None).is_ok());
        keys.add("x".into(), PublicKey::default());
        assert_eq!(keys.find("x", "eu-west-1", None).err(), Some(NoKey::Unusable));
    }
}
