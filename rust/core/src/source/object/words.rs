//! Messages of stores and services that are shown to users: short, on one line, and without the secrets that some
//! repeat.

use std::sync::LazyLock;

use object_store::aws::AwsCredential;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;

/// The most characters that are shown.
const WORDS: usize = 300;
/// Marks where text was cut.
const CUT: &str = "…";
/// Shorter secrets are not cut, since they would match ordinary words.
const SHORTEST: usize = 8;

/// What looks like a secret: identifiers of access keys, what follows the name of a secret, signatures and hashes in
/// hexadecimal, and long runs of base64, such as session tokens.
static SECRETS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:AKIA|ASIA)[A-Z0-9]{12,}",
        r"|(?i-u:(?:signature|credential|security[-_ ]?token|session[-_ ]?token",
        r"|secret[-_ ]?access[-_ ]?key|authorization))",
        r#"["']?\s*[=:]\s*["']?[^\s,;&<>"']+"#,
        r"|[0-9A-Fa-f]{64,}",
        r"|[A-Za-z0-9+/=_-]{100,}",
    ))
    .expect("a regular expression")
});

/// The message without what looks like a secret, without control characters, and cut to 300 characters.
#[must_use]
pub fn without_secrets(words: &str) -> String {
    let line: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    SECRETS.replace_all(&line, CUT).chars().take(WORDS).collect()
}

/// The message without these credentials.
pub(super) fn without_those_of(words: &str, credential: &AwsCredential) -> String {
    let AwsCredential { key_id, secret_key, token } = credential;
    let mut words = words.to_owned();
    for secret in
        [Some(key_id), Some(secret_key), token.as_ref()].into_iter().flatten().filter(|text| text.len() >= SHORTEST)
    {
        let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        words = words.replace(secret.as_str(), CUT).replace(&encoded, CUT);
    }
    without_secrets(&words)
}

/// The innermost message of an error.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_cut_and_words_are_not() {
        let token = "IQoJb3JpZ2luX2VjE".repeat(10);
        for words in [
            "the key AKIAIOSFODNN7EXAMPLE is not known".to_owned(),
            format!("the token {token}== is not valid"),
            format!("x-amz-security-token: {token}"),
            "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7".to_owned(),
            "Credential=ASIAIOSFODNN7EXAMPLE/20130524/us-east-1".to_owned(),
            "got 34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7".to_owned(),
            r#"{"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}"#.to_owned(),
        ] {
            let cut = without_secrets(&words);
            assert!(cut.contains(CUT), "{cut}");
            assert!(!["IOSFODNN", "IQoJ", "34b4", "wJalr"].iter().any(|secret| cut.contains(secret)), "{cut}");
        }
        for words in [
            "User: \
             arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/al@example.com \
             is not authorized to perform: kms:Decrypt on resource: \
             arn:aws:kms:eu-west-1:111122223333:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            "The request signature we calculated does not match the signature you provided. Check your key and \
             signing method.",
            "The provided token has expired.",
        ] {
            assert_eq!(without_secrets(words), words);
        }
    }

    #[test]
    fn the_secrets_of_the_request_are_cut_whatever_they_look_like() {
        let credential = AwsCredential {
            key_id: "minio-user-1".to_owned(),
            secret_key: "a secret/of words".to_owned(),
            token: Some("tok+en/9".to_owned()),
        };
        let words = "minio-user-1 with a secret/of words and tok+en/9 or tok%2Ben%2F9";
        assert_eq!(without_those_of(words, &credential), "… with … and … or …");
        assert_eq!(without_those_of("line\nbreak", &credential), "line break");
    }
}
