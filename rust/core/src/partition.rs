//! AWS's partitions: parts of AWS with accounts, regions and ARNs of their own.
//!
//! Their names stand only here. New ones are added by AWS: any `aws-…` is accepted as one where its regions are not
//! needed.

/// How the names of a partition's regions begin; those of `aws` are all others.
const BY_REGION: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
];

/// The partition of a region.
#[must_use]
pub fn partition(region: &str) -> &'static str {
    BY_REGION.iter().find(|(start, _)| region.starts_with(start)).map_or("aws", |(_, partition)| partition)
}

/// Whether a string has the shape of a partition's name.
pub(crate) fn is_partition(name: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let mut parts = name.split('-');
    parts.next() == Some("aws") && parts.all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_and_their_partitions() {
        for (region, expected) in [
            ("eu-west-1", "aws"),
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
            ("", "aws"),
        ] {
            assert_eq!(partition(region), expected, "{region}");
            assert!(is_partition(expected));
        }
    }

    #[test]
    fn a_partition_is_told_by_its_shape() {
        assert!(is_partition("aws-new-9"));
        for name in ["", "aws-", "aws--x", "Aws", "amazon", "aws-X", "aws_cn", "*"] {
            assert!(!is_partition(name), "{name}");
        }
    }
}
