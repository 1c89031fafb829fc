//! The names of regions, checked before they become parts of addresses.

/// The most characters in a label of a host.
const LONGEST: usize = 63;

/// Whether this may be a region: one label of a host. New regions come every year, so they are not listed here.
pub(super) fn is_region(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let ends = [text.bytes().next(), text.bytes().last()];
    // A label with this prefix must be valid IDNA, else the address is not.
    let is_idna = text.starts_with("xn--");
    !is_idna
        && text.len() <= LONGEST
        && text.bytes().all(is_inner)
        && ends.into_iter().all(|byte| byte.is_some_and(|byte| byte != b'-'))
}

/// Whether AWS may have a region of this name: words and, last, a number, as in us-east-1 and us-gov-west-1. Other
/// stores have other names.
pub(super) fn is_region_of_aws(text: &str) -> bool {
    let mut parts: Vec<_> = text.split('-').collect();
    let number = parts.pop().unwrap_or_default();
    is_region(text)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && parts.len() >= 2
        && parts.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_labels() {
        assert!(["us-east-1", "eu-isoe-west-1", "auto", "default", "r"].into_iter().all(is_region));
        for text in [
            "",
            "-a",
            "a-",
            "evil.com/",
            "evil.com",
            "a/b",
            "a b",
            "A",
            "a@b",
            "a:1",
            "a\r\nb",
            "a\tb",
            "xn--us-east-1",
        ] {
            assert!(!is_region(text), "{text:?}");
        }
    }

    #[test]
    fn regions_of_aws_end_in_a_number() {
        assert!(["us-east-1", "us-gov-west-1", "eu-isoe-west-1", "eusc-de-east-1"].into_iter().all(is_region_of_aws));
        for text in [
            "",
            "eu-west1",
            "euwest-1",
            "eu-west",
            "eu-west-",
            "eu--west-1",
            "eu-west-123",
            "eu-west-1a",
            "1-west-1",
            "auto",
        ] {
            assert!(!is_region_of_aws(text), "{text:?}");
        }
    }
}
