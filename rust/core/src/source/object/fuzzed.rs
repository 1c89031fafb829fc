//! Runs what a store may send through everything that parses it: for `rust/fuzz`.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, header};

use super::bucket_name::{check, fits_host};
use super::failure::Failure;
use super::get::State;
use super::list::{Page, Range};
use super::region::is_region;
use super::trail::Trail;
use super::words::without_secrets;

/// Parses an answer as a page of a listing, as an error, and as the headers of an object and of a part of it. `text`
/// stands for the request: a prefix, and the names of a bucket and of a region.
pub(crate) fn answer(status: u16, head: &str, body: &[u8], text: &str) {
    let mut headers = HeaderMap::new();
    for (name, value) in head.lines().filter_map(|line| line.split_once(':')) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.trim()), HeaderValue::try_from(value.trim())) {
            headers.append(name, value);
        }
    }
    object(&headers);
    if let Ok(status) = StatusCode::from_u16(status) {
        let failure = Failure::of_answer(status, body, status.as_u16().is_multiple_of(2));
        let words = without_secrets(&failure.words);
        assert!(words.chars().count() <= 300 && !words.contains(char::is_control), "{words:?}");
        assert!(!words.contains("AKIAIOSFODNN7EXAMPLE"), "{words}");
    }
    let after = (!text.is_empty()).then(|| format!("{text}a"));
    let range = Range { prefix: text.to_owned(), folders: status.is_multiple_of(2), after, token: None };
    if let Ok(page) = Page::read(body).and_then(|page| page.checked(&range)) {
        assert!(page.objects.iter().all(|object| {
            object.key.starts_with(text) && range.after.as_ref().is_none_or(|after| object.key > *after)
        }));
        assert!(range.folders || page.folders.is_empty());
        let mut trail = Trail::default();
        let goes_on = trail.follow(&page).is_ok();
        assert!(goes_on && trail.follow(&page).is_err(), "a page that comes again");
    }
    if check(text).is_ok() {
        let url = reqwest::Url::parse(&format!("http://h/{text}/k")).expect("an address");
        assert_eq!((url.host_str(), url.path(), url.query()), (Some("h"), format!("/{text}/k").as_str(), None));
        if fits_host(text) {
            let host = format!("{text}.s3.r.amazonaws.com");
            assert!(reqwest::Url::parse(&format!("https://{host}/")).map_or(true, |url| url.host_str() == Some(&host)));
        }
    }
    if is_region(text) {
        let url = reqwest::Url::parse(&format!("https://s3.{text}.amazonaws.com/")).expect("an address");
        assert_eq!(url.host_str(), Some(format!("s3.{text}.amazonaws.com").as_str()));
    }
}

/// Checks the headers of a whole object, and then of the part from byte 5 on: parts are only joined if their tags are
/// equal.
fn object(headers: &HeaderMap) {
    let mut state = State::default();
    if state.check(headers).is_ok() {
        state.have = 5;
        if state.check(headers).is_ok() {
            let tag = headers.get(header::ETAG).expect("a tag");
            assert!(!tag.as_bytes().starts_with(b"W/") && headers.contains_key(header::CONTENT_RANGE));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAGE: &str = "<ListBucketResult><IsTruncated>true</IsTruncated>\
                        <NextContinuationToken>t</NextContinuationToken>\
                        <Contents><Key>abca</Key><Size>7</Size></Contents>\
                        <CommonPrefixes><Prefix>abcd/</Prefix></CommonPrefixes></ListBucketResult>";
    const ERROR: &str = "<Error><Code>InvalidAccessKeyId</Code><Message>AKIAIOSFODNN7EXAMPLE</Message></Error>";

    proptest! {
        /// The fuzzer goes further; this test keeps its harness working.
        #[test]
        fn no_answer_does_harm(
            status in 100..600u16,
            head in "(ETag: (W/)?\"e\"\n)?(Content-Range: bytes [0-9*]{1,3}-9/[0-9*]{1,20}\n)?\
                     (Content-Length: [0-9]{1,20}\n)?",
            body in prop::sample::select(vec![PAGE, ERROR]),
            asked in "[a-c.A_@/0-9-]{0,6}|abc|",
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            answer(status, &head, body.as_bytes(), &asked);
            let mut changed = body.as_bytes().to_vec();
            let at = at.index(changed.len());
            changed[at] = byte;
            answer(status, &head, &changed, &asked);
        }
    }
}
