//! Addresses of objects: `s3://bucket/key`.

use std::path::Path;

use super::access_point;
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
    // The ARN of an access point has a slash of its own.
    let end = if rest.starts_with(access_point::ARN) { access_point::end(rest) } else { None };
    match end {
        Some(end) => (&rest[..end], rest[end..].strip_prefix('/').unwrap_or_default()),
        None => rest.split_once('/').unwrap_or((rest, "")),
    }
}
