//! Versions of objects, as they are named: `s3://bucket/key?versionId=…`.

use std::path::Path;

use crate::source::has_log_ending;

/// What stands between the key and the version of an object.
const VERSION: &str = "?versionId=";

/// The key and the version of an object that is named with one. No log has a name that ends so, and so listings give no
/// such key of themselves.
pub(super) fn versioned(key: &str) -> (&str, Option<&str>) {
    match key.rsplit_once(VERSION) {
        Some((key, version)) if !version.is_empty() && has_log_ending(Path::new(key)) => (key, Some(version)),
        _ => (key, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(versioned("a/b.json.gz?versionId=x.y"), ("a/b.json.gz", Some("x.y")));
        for plain in ["a/b.json.gz", "a/b.json.gz?versionId=", "a?versionId=b", "?versionId=b.json.gz", ""] {
            assert_eq!(versioned(plain), (plain, None));
        }
        let twice = "b.json.gz?versionId=c.gz?versionId=d";
        assert_eq!(versioned(twice), ("b.json.gz?versionId=c.gz", Some("d")));
    }
}
