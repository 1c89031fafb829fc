//! The names of buckets, checked before they become parts of addresses.
//!
//! Names come from users, and from messages, inventories and digests that anyone may have written. The rules are those
//! of "General purpose bucket naming rules" in AWS's S3 user guide.
//!
//! Two kinds of names that no new bucket can have are accepted. Buckets created in us-east-1 before March 2018 may have
//! upper-case letters, underscores and 255 characters, which fit a path but not a host. And the alias of an access
//! point can be used like the name of a bucket.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>

use super::access_point::{self, AccessPoint};

/// The least characters of a name.
const SHORTEST: usize = 3;
const LONGEST: usize = 63;
const LONGEST_OF_OLD: usize = 255;
/// Reserved prefixes and suffixes, which never name a readable bucket. `amzn-s3-demo-` is not among them, since AWS's
/// own examples use it.
const RESERVED_BEGINNINGS: &[&str] = &["xn--", "sthree-"];
const RESERVED_ENDS: &[&str] = &[".mrap", "--x-s3", "--table-s3"];

/// Says why no bucket and no access point can have this name.
pub fn check(name: &str) -> Result<(), &'static str> {
    if name.starts_with(access_point::ARN) {
        return AccessPoint::parse(name).map(|_| ());
    }
    let ends = name.bytes().next().zip(name.bytes().last());
    let is_old = name.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) {
        Err("it has letters, digits, dots and hyphens only")
    } else if name.len() < SHORTEST || name.len() > if is_old { LONGEST_OF_OLD } else { LONGEST } {
        Err("it has 3 to 63 characters")
    } else if !ends.is_some_and(|(first, last)| first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric()) {
        Err("it begins and ends with a letter or a digit")
    } else if name.contains("..") {
        Err("no two dots stand side by side in it")
    } else if is_address(name) {
        Err("it is no IP address")
    } else if RESERVED_BEGINNINGS.iter().any(|start| name.starts_with(start)) {
        Err("xn-- and sthree- are reserved beginnings")
    } else if RESERVED_ENDS.iter().any(|end| name.ends_with(end)) {
        Err(".mrap, --x-s3 and --table-s3 are the ends of other things than general purpose buckets")
    } else {
        Ok(())
    }
}

/// Four numbers with dots between them, whatever their values.
fn is_address(name: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    name.split('.').count() == 4 && name.split('.').all(is_number)
}

/// Whether this valid bucket name can be part of a host.
pub(super) fn fits_host(name: &str) -> bool {
    name.len() <= LONGEST && !name.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_buckets_have() {
        let (long, old) = ("x".repeat(63), "x".repeat(254) + "X");
        for name in [
            "abc",
            "my-trail-bucket",
            "logs.example.com",
            "1.2.3.4.5",
            "192.168.5",
            "a1-s3alias",
            "amzn-s3-demo-bucket",
            "My_Old_Logs",
            &long,
            &old,
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        assert!(fits_host("logs.example.com") && !fits_host("My-Logs") && !fits_host("my_logs"));
    }

    #[test]
    fn names_that_no_bucket_has() {
        let (long, old) = ("x".repeat(64), "X".repeat(256));
        for name in [
            "",
            "ab",
            ".",
            "..",
            "...",
            "a..b",
            ".abc",
            "abc.",
            "-abc",
            "abc-",
            "_abc",
            "x@host",
            "host:8080",
            "host:80#",
            "a?b",
            "a b",
            "a%2fb",
            "a/b",
            "a\\b",
            "a\nb",
            "a\0b",
            "bücher",
            "127.0.0.1",
            "999.0.0.1",
            "xn--abc",
            "sthree-abc",
            "abc--x-s3",
            "abc.mrap",
            &long,
            &old,
        ] {
            assert!(check(name).is_err(), "{name:?}");
        }
    }
}
