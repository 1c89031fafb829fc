//! Failures that a store reports, and whether to retry.

use std::time::Duration;

use http::StatusCode;
use object_store::client::{HttpError, HttpErrorKind};
use serde::Deserialize;

use super::words::innermost;
use crate::error::{Error, ErrorKind, Refusal};

/// One request that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) refusal: Refusal,
    pub(super) words: String,
    pub(super) again: Again,
}

/// Whether to retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// The answer would be the same.
    Never,
    /// At once: the cause was corrected.
    Now,
    /// After a while.
    Later,
    /// After a while, but fewer times.
    Doubtful,
}

/// Tries of a request whose answer is unlikely to change, and of a request to a store that has never answered.
const DOUBTFUL: u32 = 3;
/// The first wait, at most; each one after that is twice as long, up to the longest.
const WAIT: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(20);

impl Failure {
    pub(super) fn new(refusal: Refusal, words: impl Into<String>, again: Again) -> Self {
        Self { refusal, words: words.into(), again }
    }

    /// The failure of a connection.
    pub(super) fn of_http(error: &HttpError) -> Self {
        let refusal = if error.kind() == HttpErrorKind::Timeout { Refusal::Timeout } else { Refusal::Network };
        Self::new(refusal, innermost(error), Again::Later)
    }

    /// The failure in an unsuccessful answer. `about_key` tells whether the request was for one object.
    pub(super) fn of_answer(status: StatusCode, body: &[u8], about_key: bool) -> Self {
        let Said { code, message } = Said::read(body);
        let kms = code.starts_with("KMS.") || message.contains("kms:");
        let slow =
            matches!(code.as_str(), "SlowDown" | "ServiceUnavailable" | "RequestLimitExceeded" | "ThrottlingException")
                || code.starts_with("Throttl");
        let (refusal, again) = match (code.as_str(), status.as_u16()) {
            _ if slow => (Refusal::Throttled, Again::Later),
            (_, 429 | 503) => (Refusal::Throttled, Again::Later),
            _ if kms => (Refusal::Kms, Again::Never),
            ("InvalidObjectState", _) => (Refusal::Archived, Again::Never),
            ("NoSuchBucket" | "PermanentRedirect" | "TemporaryRedirect" | "InvalidBucketName", _) => {
                (Refusal::NoSuchBucket, Again::Never)
            }
            ("RequestTimeout", _) | (_, 408) => (Refusal::Timeout, Again::Later),
            (
                "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "ExpiredToken"
                | "InvalidToken"
                | "InvalidSecurity"
                | "RequestTimeTooSkewed"
                | "AuthorizationHeaderMalformed"
                | "TokenRefreshRequired",
                _,
            )
            | (_, 401) => (Refusal::Credentials, Again::Never),
            (_, 403) => (Refusal::AccessDenied, Again::Never),
            (_, 404) if about_key => (Refusal::NoSuchKey, Again::Never),
            (_, 404) => (Refusal::NoSuchBucket, Again::Never),
            (_, 412) => (Refusal::Changed, Again::Doubtful),
            (_, 500..) => (Refusal::Server, Again::Later),
            _ => (Refusal::Protocol, Again::Never),
        };
        let said = [code, message].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
        Self::new(
            refusal,
            if said.is_empty() { format!("{status}") } else { format!("{}, {said}", status.as_u16()) },
            again,
        )
    }
}

/// The body of S3's error answers. Its other members repeat the request, or parts of its signature.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Said {
    code: String,
    message: String,
}

impl Said {
    fn read(body: &[u8]) -> Self {
        quick_xml::de::from_reader(body).unwrap_or_default()
    }
}

/// The tries of one request.
pub(super) struct Tries {
    most: u32,
    made: u32,
    doubtful: u32,
}

impl Tries {
    pub(super) fn new(most: u32) -> Self {
        Self { most, made: 0, doubtful: 0 }
    }

    /// Waits until the request is to be made again; returns the failure if it is not.
    pub(super) async fn again(&mut self, failure: Failure, is_doubtful: bool) -> Result<(), Error> {
        self.made += 1;
        self.doubtful += u32::from(is_doubtful || failure.again == Again::Doubtful);
        if failure.again == Again::Never || self.made >= self.most || self.doubtful >= DOUBTFUL {
            let words = match self.made {
                1 => failure.words,
                made => format!("{} (after {made} tries)", failure.words),
            };
            return Err(Error::whole(ErrorKind::Store(failure.refusal, words)));
        }
        if failure.again != Again::Now {
            let longest = WAIT.saturating_mul(1 << (self.made - 1).min(16)).min(LONGEST);
            tokio::time::sleep(longest.mul_f64(rand::random())).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> (Refusal, Again) {
        let failure = Failure::of_answer(StatusCode::from_u16(status).expect("a status"), body.as_bytes(), true);
        (failure.refusal, failure.again)
    }

    fn error(code: &str, message: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message>\
             <AWSAccessKeyId>AK</AWSAccessKeyId></Error>"
        )
    }

    #[test]
    fn answers_have_kinds() {
        let denied = "User: arn:aws:iam::111122223333:user/a is not authorized to perform: kms:Decrypt on resource: r";
        for (status, body, expected) in [
            (403, error("AccessDenied", "Access Denied"), (Refusal::AccessDenied, Again::Never)),
            (403, error("AccessDenied", denied), (Refusal::Kms, Again::Never)),
            (400, error("KMS.DisabledException", "arn:aws:kms:… is disabled."), (Refusal::Kms, Again::Never)),
            (403, error("InvalidObjectState", "The operation is not valid"), (Refusal::Archived, Again::Never)),
            (403, error("SignatureDoesNotMatch", "…"), (Refusal::Credentials, Again::Never)),
            (404, error("NoSuchKey", "…"), (Refusal::NoSuchKey, Again::Never)),
            (404, error("NoSuchBucket", "…"), (Refusal::NoSuchBucket, Again::Never)),
            (404, "<html>".to_owned(), (Refusal::NoSuchKey, Again::Never)),
            (503, error("SlowDown", "Please reduce your request rate."), (Refusal::Throttled, Again::Later)),
            (200, error("SlowDown", "…"), (Refusal::Throttled, Again::Later)),
            (429, String::new(), (Refusal::Throttled, Again::Later)),
            (500, error("InternalError", "…"), (Refusal::Server, Again::Later)),
            (400, error("RequestTimeout", "…"), (Refusal::Timeout, Again::Later)),
            (200, error("Strange", "…"), (Refusal::Protocol, Again::Never)),
        ] {
            assert_eq!(refusal(status, &body), expected, "{status} {body}");
        }
    }

    #[test]
    fn only_code_and_message_are_passed_on() {
        let body = error("SignatureDoesNotMatch", "why");
        let failure = Failure::of_answer(StatusCode::FORBIDDEN, body.as_bytes(), true);
        assert_eq!(failure.words, "403, SignatureDoesNotMatch, why");
    }

    #[tokio::test(start_paused = true)]
    async fn tries_are_counted() {
        let failure = |again| Failure::new(Refusal::Server, "500", again);
        let mut tries = Tries::new(10);
        for _ in 0..9 {
            tries.again(failure(Again::Later), false).await.expect("another try");
        }
        let error = tries.again(failure(Again::Later), false).await.expect_err("the last");
        assert_eq!(error.to_string(), "the store failed: 500 (after 10 tries)");
        let error = Tries::new(10).again(failure(Again::Never), false).await.expect_err("at once");
        assert_eq!(error.to_string(), "the store failed: 500");
        let mut tries = Tries::new(10);
        for _ in 0..2 {
            tries.again(failure(Again::Doubtful), false).await.expect("another try");
        }
        tries.again(failure(Again::Later), false).await.expect("another try");
        assert!(tries.again(failure(Again::Later), true).await.is_err());
    }
}
