//! Addresses of objects: `s3://bucket/key`.

use std::path::Path;

/// What the address of an object begins with.
pub(super) const SCHEME: &str = "s3://";
/// Whether a source is an object, or a folder of them.
#[must_use]
pub fn is_address(source: &Path) -> bool {
    source.to_str().is_some_and(|source| source.starts_with(SCHEME))
}

/// The bucket and the key of an address.
pub(super) fn split(address: &str) -> (&str, &str) {
    let rest = address.strip_prefix(SCHEME).unwrap_or(address);
    rest.split_once('/').unwrap_or((rest, ""))
}
