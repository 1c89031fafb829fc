//! One bucket, and one request to it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use http::header::{ETAG, HeaderMap, LOCATION};
use http::{Request, StatusCode};
use object_store::client::{HttpRequestBody, HttpResponse};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::access_point::{AccessPoint, is_alias};
use super::bucket_name::{check, fits_host};
use super::config::Config;
use super::failure::{Again, Failure, Tries};
use super::pace::Pace;
use super::region::is_region;
use super::words::{without_secrets, without_those_of};
use super::{SCHEME, sign, transport};
use crate::error::{Error, Refusal};

/// Characters that a URI keeps unescaped, by RFC 3986; in paths the slash as well.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// Seconds: a local clock that differs by more is corrected by the store's.
const SKEW: i64 = 60;
/// The header in which S3 reports the region of a bucket.
const REGION: &str = "x-amz-bucket-region";
/// Years that a store's clock may plausibly show.
const YEARS: std::ops::Range<i32> = 2000..2100;
/// The most bytes of an error's body. S3's have a few kilobytes; the largest are about signatures that do not match.
const SAID: usize = 64 << 10;

/// Requests that were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// Requests for pages of listings.
    pub lists: u64,
    /// Requests for objects, or parts of objects.
    pub gets: u64,
    /// Requests of both kinds that were retries.
    pub retries: u64,
    /// Answers that asked to slow down.
    pub throttled: u64,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) lists: AtomicU64,
    pub(super) gets: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) throttled: AtomicU64,
}

impl Counts {
    pub(super) fn requests(&self) -> Requests {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Requests {
            lists: read(&self.lists),
            gets: read(&self.gets),
            retries: read(&self.retries),
            throttled: read(&self.throttled),
        }
    }
}

/// A bucket, and the connection to it.
pub struct Bucket {
    pub(super) name: String,
    config: Arc<Config>,
    counts: Arc<Counts>,
    pub(super) pace: Pace,
    pub(super) handle: tokio::runtime::Handle,
    region: Mutex<String>,
    /// Seconds by which the store's clock is ahead.
    skew: AtomicI64,
    /// Whether the store has ever answered.
    answers: AtomicBool,
    /// Whether pages of listings are to tell which archived objects are restored.
    pub(super) asks_restored: AtomicBool,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.name)
    }
}

/// What a request asks for.
#[derive(Clone, Copy)]
pub(super) enum Ask<'a> {
    /// A page of a listing: the parameters of its query, in order, and whether it tells which objects are restored.
    List { parameters: &'a [(&'a str, &'a str)], restored: bool },
    /// An object, or this version of it, from this byte on, if it still has this tag.
    Get { key: &'a str, version: Option<&'a str>, from: u64, tag: Option<&'a str> },
}

impl Bucket {
    pub(super) fn new(name: String, config: Arc<Config>, counts: Arc<Counts>, handle: tokio::runtime::Handle) -> Self {
        // An access point is in the region that its ARN has.
        let region = AccessPoint::parse(&name).map_or_else(|_| config.region.clone(), |point| point.region.to_owned());
        let region = Mutex::new(region);
        let (skew, answers, asks_restored) = (AtomicI64::new(0), AtomicBool::new(false), AtomicBool::new(false));
        Self { name, config, counts, pace: Pace::new(), handle, region, skew, answers, asks_restored }
    }

    /// Whether this is S3 itself, and not a store with its interface.
    pub(super) fn is_aws(&self) -> bool {
        self.config.endpoint.is_none()
    }

    /// The address of an object of this bucket.
    pub(super) fn address(&self, key: &str) -> String {
        format!("{SCHEME}{}/{key}", self.name)
    }

    pub(super) fn tries(&self) -> Tries {
        Tries::new(self.config.tries)
    }

    /// Waits for the next try of a request that failed.
    pub(super) async fn again(&self, tries: &mut Tries, failure: Failure) -> Result<(), Error> {
        let is_doubtful = !self.answers.load(Ordering::Relaxed);
        tries.again(failure, is_doubtful).await?;
        self.counts.retries.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Makes one request.
    pub(super) async fn ask(&self, ask: Ask<'_>) -> Result<HttpResponse, Failure> {
        check(&self.name).map_err(|why| Failure::new(Refusal::Bucket, why, Again::Never))?;
        let count = match ask {
            Ask::List { .. } => &self.counts.lists,
            Ask::Get { .. } => &self.counts.gets,
        };
        count.fetch_add(1, Ordering::Relaxed);
        let region = self.region.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let skew = self.skew.load(Ordering::Relaxed);
        let request = self.request(ask, &region, skew).await?;
        let response = self.config.http.execute(request).await.map_err(|error| Failure::of_http(&error))?;
        self.answers.store(true, Ordering::Relaxed);
        let status = response.status();
        let expected = match ask {
            Ask::Get { from, .. } if from > 0 => StatusCode::PARTIAL_CONTENT,
            _ => StatusCode::OK,
        };
        if status == expected {
            return Ok(response);
        }
        if status == StatusCode::OK {
            return Err(Failure::new(
                Refusal::Protocol,
                "all of the object instead of what is left of it",
                Again::Doubtful,
            ));
        }
        let (head, body) = response.into_parts();
        let body = transport::beginning(body, SAID).await;
        let mut failure = self.failure(status, &head.headers, &body, matches!(ask, Ask::Get { .. })).await;
        if failure.refusal == Refusal::Throttled {
            self.counts.throttled.fetch_add(1, Ordering::Relaxed);
        }
        let corrects_region =
            matches!(status.as_u16(), 301 | 307 | 400) && self.corrects_region(&region, &head.headers);
        let is_skewed = failure.words.contains("RequestTimeTooSkewed");
        if corrects_region || (is_skewed && self.corrects_clock(skew, &head.headers)) {
            failure.again = Again::Now;
        }
        Err(failure)
    }

    /// The failure that an unsuccessful answer reports.
    async fn failure(&self, status: StatusCode, headers: &HeaderMap, body: &[u8], about_key: bool) -> Failure {
        let failure = match headers.get(LOCATION).filter(|_| status.is_redirection()) {
            // S3's own redirects name the region as well, and have a telling code.
            Some(place) if !headers.contains_key(REGION) => {
                let place = String::from_utf8_lossy(place.as_bytes());
                let host = place
                    .split_once("://")
                    .map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
                let host = host.rsplit('@').next().unwrap_or_default();
                let whither = if host.is_empty() { "another address of this host" } else { host };
                let words = format!("{}, to {}, which is not followed", status.as_u16(), without_secrets(whither));
                Failure::new(Refusal::Redirect, words, Again::Never)
            }
            _ => Failure::of_answer(status, body, about_key),
        };
        self.without_secrets(failure).await
    }

    /// Removes secrets that the store may have repeated in the message of a failure.
    pub(super) async fn without_secrets(&self, failure: Failure) -> Failure {
        let credential = match &self.config.credentials {
            Some(credentials) => credentials.get().await.ok(),
            None => None,
        };
        let words = match credential {
            Some(credential) => without_those_of(&failure.words, &credential),
            None => without_secrets(&failure.words),
        };
        Failure { words, ..failure }
    }

    /// Takes the region from an answer that names another one, if the address or the signature depends on it.
    fn corrects_region(&self, asked: &str, headers: &HeaderMap) -> bool {
        let told = headers.get(REGION).and_then(|region| region.to_str().ok());
        // Checked, since it becomes part of the address.
        let Some(told) = told.filter(|told| *told != asked && is_region(told)) else { return false };
        told.clone_into(&mut self.region.lock().unwrap_or_else(PoisonError::into_inner));
        true
    }

    /// Takes the time from an answer. If the clock of the request was right already, the failure has another cause.
    fn corrects_clock(&self, asked: i64, headers: &HeaderMap) -> bool {
        let date =
            headers.get(http::header::DATE).and_then(|date| DateTime::parse_from_rfc2822(date.to_str().ok()?).ok());
        let Some(date) = date.filter(|date| YEARS.contains(&date.year())) else { return false };
        let skew = date.timestamp() - Utc::now().timestamp();
        self.skew.store(skew, Ordering::Relaxed);
        (skew - asked).abs() > SKEW
    }

    async fn request(&self, ask: Ask<'_>, region: &str, skew: i64) -> Result<Request<HttpRequestBody>, Failure> {
        let Config { endpoint, virtual_hosted, pays, .. } = &*self.config;
        let point = AccessPoint::parse(&self.name).ok();
        // At AWS, an alias has a host as well; another store may have a bucket of that name.
        let in_host = *virtual_hosted || (endpoint.is_none() && is_alias(&self.name));
        if point.is_none() && in_host && !fits_host(&self.name) {
            let words = "as a part of a host it has 3 to 63 lower-case letters, digits, dots and hyphens";
            return Err(Failure::new(Refusal::Bucket, words, Again::Never));
        }
        let (base, in_path) = match (endpoint, in_host, point) {
            (endpoint, _, Some(point)) => (point.base(endpoint.as_deref(), domain(region)), false),
            (Some(endpoint), true, None) => (endpoint.clone(), false),
            (Some(endpoint), false, None) => (endpoint.clone(), true),
            (None, true, None) => (format!("https://{}.s3.{region}.{}", self.name, domain(region)), false),
            (None, false, None) => (format!("https://s3.{region}.{}", domain(region)), true),
        };
        let (scheme, rest) = base.split_once("://").unwrap_or(("https", &base));
        let (host, start) =
            rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, format!("/{path}")));
        let usual = if scheme == "https" { ":443" } else { ":80" };
        let host = host.strip_suffix(usual).unwrap_or(host);
        let bucket = if in_path { format!("/{}", self.name) } else { String::new() };
        let encode = |text| utf8_percent_encode(text, QUERY);
        let (key, query) = match ask {
            Ask::Get { key, version, .. } => {
                (key, version.map_or_else(String::new, |version| format!("versionId={}", encode(version))))
            }
            Ask::List { parameters, .. } => {
                let parameters = parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
                ("", parameters.collect::<Vec<_>>().join("&"))
            }
        };
        if matches!(ask, Ask::Get { .. }) && key.is_empty() {
            return Err(Failure::new(Refusal::Key, "it is empty", Again::Never));
        }
        if key.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(Failure::new(Refusal::Key, "a part of it is '.' or '..'", Again::Never));
        }
        let path = format!("{start}{bucket}/{}", utf8_percent_encode(key, PATH));
        let mark = if query.is_empty() { "" } else { "?" };
        let headers = sign::Asked { pays: *pays, restored: matches!(ask, Ask::List { restored: true, .. }) };
        let mut request = Request::get(format!("{scheme}://{host}{path}{mark}{query}"));
        if let Some(credentials) = &self.config.credentials {
            let credential = credentials.get().await;
            let credential = credential
                .map_err(|words| Failure::new(Refusal::Credentials, without_secrets(&words), Again::Never))?;
            let now = Utc::now();
            let now = TimeDelta::try_seconds(skew).and_then(|skew| now.checked_add_signed(skew)).unwrap_or(now);
            let signed = sign::Request { host, path: &path, query: &query, region, asked: headers };
            for (name, value) in sign::headers(&signed, &credential, now) {
                request = request.header(name, value);
            }
        } else {
            for (name, value) in headers.lines() {
                request = request.header(name, value);
            }
        }
        if let Ask::Get { from, tag, .. } = ask
            && from > 0
        {
            request = request.header(http::header::RANGE, format!("bytes={from}-"));
            if let Some(tag) = tag {
                request = request.header(http::header::IF_MATCH, tag);
            }
        }
        let refused = || Failure::new(Refusal::Key, "it makes no valid address", Again::Never);
        let request = request.body(HttpRequestBody::from(Vec::new())).map_err(|_| refused())?;
        // The client assumes that the URI can be parsed as a URL.
        reqwest::Url::parse(&request.uri().to_string()).map_err(|_| refused())?;
        Ok(request)
    }
}

/// The domain of an AWS region.
fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// The tag of the object in an answer, if it is a strong one.
pub(super) fn tag(headers: &HeaderMap) -> Option<String> {
    let tag = headers.get(ETAG)?.to_str().ok()?;
    (!tag.starts_with("W/")).then(|| tag.to_owned())
}
