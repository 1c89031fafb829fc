//! Signatures of requests: AWS Signature Version 4 of a GET without a body.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use chrono::{DateTime, Utc};
use object_store::aws::AwsCredential;
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};

use crate::hash::hex;

/// The parts of a request that are signed.
pub(super) struct Request<'a> {
    /// Host, with its port if that is not the default.
    pub(super) host: &'a str,
    /// Path and query, percent-encoded; the parameters of the query in order.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) region: &'a str,
    pub(super) asked: Asked,
}

/// What is asked for in headers, which are signed if a request is.
#[derive(Clone, Copy, Default)]
pub(super) struct Asked {
    /// Whether the requester pays.
    pub(super) pays: bool,
    /// Whether a listing tells which objects are restored.
    pub(super) restored: bool,
}

impl Asked {
    /// The headers, in the order of their names.
    pub(super) fn lines(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let restored = self.restored.then_some(("x-amz-optional-object-attributes", "RestoreStatus"));
        restored.into_iter().chain(self.pays.then_some(("x-amz-request-payer", "requester")))
    }
}

/// The headers that make a request an authorised one; `host` is signed, but sent by the client.
pub(super) fn headers(
    request: &Request<'_>,
    credential: &AwsCredential,
    now: DateTime<Utc>,
) -> Vec<(&'static str, String)> {
    let time = now.format("%Y%m%dT%H%M%SZ").to_string();
    let day = &time[..8];
    let nothing = hex(digest(&SHA256, b"").as_ref());
    let mut headers = vec![("x-amz-content-sha256", nothing.clone()), ("x-amz-date", time.clone())];
    headers.extend(request.asked.lines().map(|(name, value)| (name, value.to_owned())));
    if let Some(token) = &credential.token {
        headers.push(("x-amz-security-token", token.clone()));
    }
    let names: Vec<_> = std::iter::once("host").chain(headers.iter().map(|(name, _)| *name)).collect();
    let names = names.join(";");
    let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    let Request { host, path, query, region, .. } = request;
    let lines = lines.join("\n");
    let canonical = format!("GET\n{path}\n{query}\nhost:{host}\n{lines}\n\n{names}\n{nothing}");
    let scope = format!("{day}/{region}/s3/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(digest(&SHA256, canonical.as_bytes()).as_ref()));
    let first = format!("AWS4{}", credential.secret_key).into_bytes();
    let key = [day, region, "s3", "aws4_request"].iter().fold(first, |key, part| mac(&key, part));
    let signature = hex(&mac(&key, &text));
    let id = &credential.key_id;
    let value = format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
    headers.push(("authorization", value));
    headers
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    sign(&Key::new(HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of a listing in AWS's documentation:
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
    #[test]
    fn the_signature_is_that_of_the_example() {
        let request = Request {
            host: "examplebucket.s3.amazonaws.com",
            path: "/",
            query: "max-keys=2&prefix=J",
            region: "us-east-1",
            asked: Asked::default(),
        };
        let credential = AwsCredential {
            key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            token: None,
        };
        let now = DateTime::from_timestamp(1_369_353_600, 0).expect("a time");
        let headers = headers(&request, &credential, now);
        let (name, value) = headers.last().expect("headers");
        assert_eq!(*name, "authorization");
        assert_eq!(
            value,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
             Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn a_token_and_what_is_asked_for_are_signed() {
        let asked = Asked { pays: true, restored: true };
        let request = Request { host: "h", path: "/b/k", query: "", region: "r", asked };
        let credential =
            AwsCredential { key_id: "id".to_owned(), secret_key: "secret".to_owned(), token: Some("t".to_owned()) };
        let headers = headers(&request, &credential, DateTime::UNIX_EPOCH);
        let value = &headers.last().expect("headers").1;
        assert!(value.contains(
            "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-optional-object-attributes;\
                 x-amz-request-payer;x-amz-security-token,"
        ));
        assert!(headers.contains(&("x-amz-request-payer", "requester".to_owned())));
    }
}
