//! Signatures of requests: AWS Signature Version 4 of a GET without a body.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use chrono::{DateTime, Utc};
use object_store::aws::AwsCredential;
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};

use crate::integrity::hex;

/// What is signed of a request.
pub(super) struct Request<'a> {
    /// Host, with its port if that is not the usual one.
    pub(super) host: &'a str,
    /// Path and query, percent-encoded; the parameters of the query in order.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) region: &'a str,
    /// Whether the requester pays.
    pub(super) pays: bool,
}

/// The headers that make a request an authorised one; `host` is signed, but sent by the client.
pub(super) fn headers(request: &Request<'_>, credential: &AwsCredential, now: DateTime<Utc>) -> Vec<(&'static str, String)> {
    let time = now.format("%Y%m%dT%H%M%SZ").to_string();
    let day = &time[..8];
    let nothing = hex(digest(&SHA256, b"").as_ref());
    let mut headers = vec![("x-amz-content-sha256", nothing.clone()), ("x-amz-date", time.clone())];
    if request.pays {
        headers.push(("x-amz-request-payer", "requester".to_owned()));
    }
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
