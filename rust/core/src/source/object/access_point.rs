//! Access points: names that stand for a bucket and have a host of their own.
//!
//! `arn:aws:s3:us-east-1:111122223333:accesspoint/name` names one, and an alias that ends in `-s3alias` does. AWS
//! reaches them by hosts that hold their names, and not by paths.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html>

use std::net::IpAddr;

use super::region::is_region_of_aws;
use crate::partition::is_partition;

/// What an ARN begins with.
pub(super) const ARN: &str = "arn:";
/// What an access point is called within its ARN.
const KIND: &str = "accesspoint";
const ALIAS: &str = "-s3alias";
/// Allowed lengths of a name.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=50;

/// An access point of one region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AccessPoint<'a> {
    pub(super) region: &'a str,
    account: &'a str,
    name: &'a str,
}

impl<'a> AccessPoint<'a> {
    /// Parses an ARN; on failure, says what is wrong with it.
    pub(super) fn parse(arn: &'a str) -> Result<Self, &'static str> {
        let mut parts = arn.splitn(6, ':');
        let mut next = || parts.next().unwrap_or_default();
        let (start, partition, service, region, account, resource) = (next(), next(), next(), next(), next(), next());
        let name =
            resource.strip_prefix(KIND).and_then(|rest| rest.strip_prefix('/').or_else(|| rest.strip_prefix(':')));
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        match name {
            _ if start != "arn" || !is_partition(partition) => Err("it is no ARN: they begin with arn:aws:"),
            _ if service != "s3" => Err(
                "of ARNs, only those of S3's own access points are read: arn:aws:s3:region:account:accesspoint/name",
            ),
            None => Err("the ARN is not that of an access point: arn:aws:s3:region:account:accesspoint/name"),
            Some(_) if region.is_empty() => {
                Err("access points of several regions are not read: name the one of a region")
            }
            Some(_) if !is_region_of_aws(region) => Err("the region in the ARN is none: they are such as us-east-1"),
            Some(_) if !is_account => Err("the account in the ARN has 12 digits"),
            Some(name) if !is_name(name) => {
                Err("an access point has 3 to 50 lower-case letters, digits and hyphens, and none at an end")
            }
            Some(name) => Ok(Self { region, account, name }),
        }
    }

    /// The part of the host that names it: name and account in one label, as AWS joins them.
    fn label(&self) -> String {
        format!("{}-{}", self.name, self.account)
    }

    /// Its base URL, at S3 or an endpoint. A numeric endpoint cannot have subdomains; there the name is part of the
    /// path.
    pub(super) fn base(&self, endpoint: Option<&str>, domain: &str) -> String {
        let Some(endpoint) = endpoint else {
            return format!("https://{}.s3-accesspoint.{}.{domain}", self.label(), self.region);
        };
        let (scheme, rest) = endpoint.split_once("://").unwrap_or(("https", endpoint));
        let host = rest.split('/').next().unwrap_or_default();
        if is_number(host) {
            format!("{endpoint}/{}", self.label())
        } else {
            format!("{scheme}://{}.{rest}", self.label())
        }
    }
}

/// Whether this is the alias of an access point, which is spelled like the name of a bucket.
pub(super) fn is_alias(bucket: &str) -> bool {
    bucket.ends_with(ALIAS)
}

/// The length of the ARN at the start of a string; after it come a slash and the key.
pub(super) fn end(text: &str) -> Option<usize> {
    let start = text.find(KIND)? + KIND.len() + 1;
    Some(text.get(start..)?.find('/').map_or(text.len(), |slash| start + slash))
}

fn is_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    LENGTHS.contains(&name.len())
        && name.bytes().all(is_inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !is_alias(name)
}

/// Whether a host, perhaps with a port, is an IP address.
fn is_number(host: &str) -> bool {
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    name.starts_with('[') || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "arn:aws:s3:eu-west-1:111122223333:accesspoint/audit-logs";

    #[test]
    fn where_an_access_point_is() {
        let point = AccessPoint::parse(OURS).expect("an ARN");
        assert_eq!((point.region, point.account, point.name), ("eu-west-1", "111122223333", "audit-logs"));
        assert_eq!(AccessPoint::parse(&OURS.replace("accesspoint/", "accesspoint:")), Ok(point));
        let base = |endpoint| point.base(endpoint, "amazonaws.com");
        assert_eq!(base(None), "https://audit-logs-111122223333.s3-accesspoint.eu-west-1.amazonaws.com");
        let below = "https://accesspoint.vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com";
        assert_eq!(
            base(Some(below)),
            "https://audit-logs-111122223333.accesspoint.vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com"
        );
        assert_eq!(base(Some("http://store.example:9000/s3")), "http://audit-logs-111122223333.store.example:9000/s3");
        assert_eq!(base(Some("http://127.0.0.1:9000")), "http://127.0.0.1:9000/audit-logs-111122223333");
        assert_eq!(base(Some("http://[::1]:9000")), "http://[::1]:9000/audit-logs-111122223333");
    }

    #[test]
    fn what_is_no_access_point() {
        for (from, to) in [
            ("arn:aws:", "arn:"),
            ("arn:aws:", "arn:Aws:"),
            (":s3:", ":s3-outposts:"),
            (":s3:", ":s3-object-lambda:"),
            ("eu-west-1", ""),
            ("eu-west-1", "evil.com/"),
            ("eu-west-1", "eu-west1"),
            ("eu-west-1", "auto"),
            ("111122223333", "11112222333"),
            ("111122223333", ""),
            ("accesspoint/", "bucket/"),
            ("audit-logs", "x"),
            ("audit-logs", "-xyz"),
            ("audit-logs", "xyz-"),
            ("audit-logs", "Audit"),
            ("audit-logs", "a.b.c"),
            ("audit-logs", "a-s3alias"),
            ("audit-logs", "audit/logs"),
        ] {
            assert!(AccessPoint::parse(&OURS.replace(from, to)).is_err(), "{to}");
        }
    }

    #[test]
    fn where_the_arn_ends() {
        assert_eq!(end(OURS), Some(OURS.len()));
        assert_eq!(end(&format!("{OURS}/AWSLogs/1")), Some(OURS.len()));
        assert_eq!((end("arn:aws:s3:::bucket"), end("arn:x:accesspoint")), (None, None));
    }
}
