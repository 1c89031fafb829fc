//! Digests named by saved signatures: each existed when its signature was saved.

use std::collections::{BTreeMap, HashSet};

use crate::clock::HOUR;
use crate::digest::{Name, Signatures};
use crate::source::key::Key;

use super::archive::{Archive, Place};
use super::missing::Missing;
use super::node::ChainId;

/// The digests of a place that saved signatures name, by chain and by the time in their names.
pub(crate) type Named = BTreeMap<ChainId, BTreeMap<i64, Name>>;

/// All digests that saved signatures name, by place, without those in places that are not searched.
pub(crate) fn named(signatures: &Signatures, archive: &Archive) -> BTreeMap<Place, Named> {
    let mut places: BTreeMap<Place, Named> = BTreeMap::new();
    for name in signatures.names() {
        let Some((bucket, key)) = name.split_once('/') else { continue };
        let Some(parsed) = Key::parse(key) else { continue };
        let Some(id) = ChainId::of(&parsed) else { continue };
        let place =
            Place { org: parsed.org.map(Into::into), account: parsed.account.into(), region: parsed.region.into() };
        let name = Name { bucket: bucket.to_owned(), key: key.to_owned() };
        if archive.may_hold(&name) {
            places.entry(place).or_default().entry(id).or_default().insert(parsed.time, name);
        }
    }
    places
}

/// The missing ones, as ranges. Buckets of which nothing is present are not searched.
pub(crate) fn missing(left: BTreeMap<i64, Name>, buckets: &HashSet<String>, archive: &Archive) -> Vec<Missing> {
    let mut found: Vec<Missing> = Vec::new();
    for (time, at) in left {
        if !buckets.is_empty() && !buckets.contains(&at.bucket) && !archive.has_bucket(&at.bucket) {
            continue;
        }
        let path = archive.find(&at);
        let why = "the saved signatures name it".to_owned();
        match found.last_mut().filter(|before| time - before.last < HOUR + HOUR / 2) {
            Some(before) => {
                let (first, count) = (before.first, before.count + 1);
                let why = "the saved signatures name them".to_owned();
                *before = Missing { first, last: time, count, at: Some(at), path, why };
            }
            None => found.push(Missing { first: time, last: time, count: 1, at: Some(at), path, why }),
        }
    }
    found
}
