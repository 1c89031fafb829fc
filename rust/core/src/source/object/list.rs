//! Pages of listings: `ListObjectsV2`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::StatusCode;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::client::{Ask, Bucket};
use super::failure::{Again, Failure};
use super::transport::within;
use crate::error::{Error, Refusal, excerpt};
use crate::scalar::timestamp;
use crate::source::{Archived, Class, State};

/// The largest page: 1,000 keys of 1,024 bytes, each byte perhaps written as `&quot;`, and 2 KiB of other fields per
/// key.
const LARGEST: usize = 8 << 20;
/// The most keys and folders of a page. S3 sends at most 1,000; some compatible stores can be configured to send more.
const MOST: usize = 10_000;
/// The most bytes of a token, which becomes part of an address.
const TOKEN: usize = 8 << 10;
/// A page must be complete within this time; S3 takes a second.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Range {
    /// The prefix of the keys.
    pub(super) prefix: String,
    /// Whether keys are cut after the first slash that follows the prefix.
    pub(super) folders: bool,
    /// Only keys after this one.
    pub(super) after: Option<String>,
    /// Where the previous page ended: the store's own token.
    pub(super) token: Option<String>,
}

/// A page of a listing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    /// Keys that were cut after a slash.
    pub(super) folders: Vec<String>,
    /// Where the next page begins.
    pub(super) token: Option<String>,
}

/// An object in a page, ordered by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Object {
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) etag: Option<String>,
    /// Microseconds since 1970.
    pub(super) modified: Option<i64>,
    /// Its archive class, if it is in one. Without a request for it, its state is unknown.
    pub(super) archived: Option<Archived>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    is_truncated: bool,
    #[serde(default)]
    contents: Vec<Content>,
    #[serde(default)]
    common_prefixes: Vec<Folder>,
    next_continuation_token: Option<String>,
    encoding_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    key: String,
    size: u64,
    #[serde(rename = "ETag")]
    etag: Option<String>,
    last_modified: Option<String>,
    storage_class: Option<String>,
    restore_status: Option<RestoreStatus>,
}

/// What S3 adds on request to objects that are restored, or are being restored.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RestoreStatus {
    #[serde(default)]
    is_restore_in_progress: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Folder {
    prefix: String,
}

impl Page {
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        let wrong = |words: String| Failure::new(Refusal::Protocol, words, Again::Doubtful);
        // A page that failed half-way still has a status of success.
        let read = quick_xml::de::from_reader::<_, Answer>(body);
        let answer = read.map_err(|error| match Failure::of_answer(StatusCode::OK, body, false) {
            failure if failure.again == Again::Later => failure,
            _ => wrong(format!("not a page of a listing: {error}")),
        })?;
        let token = answer.next_continuation_token.filter(|token| !token.is_empty() && answer.is_truncated);
        if answer.is_truncated && token.is_none() {
            return Err(wrong("a page of a listing that does not tell how it goes on".to_owned()));
        }
        let is_encoded = answer.encoding_type.as_deref() == Some("url");
        let decode = |text: String| {
            if !is_encoded {
                return Ok(text);
            }
            let text = text.replace('+', " ");
            let decoded = percent_decode_str(&text).decode_utf8().map(std::borrow::Cow::into_owned);
            decoded.map_err(|_| wrong(format!("a key that is not UTF-8: {text}")))
        };
        let object = |Content { key, size, etag, last_modified, storage_class, restore_status }| {
            let modified = last_modified.and_then(|time: String| timestamp(time.as_bytes()));
            let state = restore_status.map_or(State::Unknown, |status: RestoreStatus| {
                if status.is_restore_in_progress { State::Restoring } else { State::Restored }
            });
            let class = storage_class.and_then(|name: String| Class::parse(&name));
            let archived = class.map(|class| Archived { class, state });
            Ok(Object { key: decode(key)?, size, etag, modified, archived })
        };
        Ok(Self {
            objects: answer.contents.into_iter().map(object).collect::<Result<_, _>>()?,
            folders: answer.common_prefixes.into_iter().map(|found| decode(found.prefix)).collect::<Result<_, _>>()?,
            token,
        })
    }
}

impl Page {
    /// The same, where objects whose state is not told have to be restored.
    fn with_all_states(mut self) -> Self {
        for archived in self.objects.iter_mut().filter_map(|object| object.archived.as_mut()) {
            if archived.state == State::Unknown {
                archived.state = State::Archived;
            }
        }
        self
    }

    /// The page, if it matches the request: a store that ignores a parameter would be listed twice, or for ever.
    pub(super) fn checked(self, range: &Range) -> Result<Self, Failure> {
        let Range { prefix, folders, after, .. } = range;
        let after = after.as_deref().unwrap_or_default();
        let is_asked = |key: &str| key.starts_with(prefix.as_str()) && (after.is_empty() || key > after);
        let holds = |folder: &str| {
            *folders && folder.starts_with(prefix.as_str()) && (folder > after || after.starts_with(folder))
        };
        let wrong = |words: String| Err(Failure::new(Refusal::Protocol, words, Again::Doubtful));
        if self.objects.len() + self.folders.len() > MOST {
            return wrong(format!("a page of a listing with more than {MOST} entries"));
        }
        if self.token.as_ref().is_some_and(|token| token.len() > TOKEN) {
            return wrong(format!("a page of a listing with a token of more than {TOKEN} bytes"));
        }
        let strange = self.objects.iter().map(|object| &object.key).find(|key| !is_asked(key));
        match strange.or_else(|| self.folders.iter().find(|folder| !holds(folder))) {
            Some(key) => wrong(format!("a page of a listing with a key that was not asked for: {}", excerpt(key))),
            None => Ok(self),
        }
    }
}

impl Bucket {
    /// Requests a page, with retries. Once there is an object in an archive class, it also requests which are restored.
    pub(super) async fn page(&self, range: &Range) -> Result<Page, Error> {
        let mut tries = self.tries();
        loop {
            let asks = self.asks_restored.load(Ordering::Relaxed);
            let turn = self.pace.turn().await;
            match self.page_once(range, asks).await {
                Ok(page) => {
                    turn.answered();
                    if asks || page.objects.iter().all(|object| object.archived.is_none()) {
                        return Ok(page);
                    }
                    self.asks_restored.store(true, Ordering::Relaxed);
                }
                Err(failure) => {
                    turn.failed(failure.refusal == Refusal::Throttled);
                    self.again(&mut tries, failure).await?;
                }
            }
        }
    }

    async fn page_once(&self, range: &Range, restored: bool) -> Result<Page, Failure> {
        let Range { prefix, folders, after, token } = range;
        let mut parameters = Vec::with_capacity(6);
        parameters.extend(token.as_deref().map(|token| ("continuation-token", token)));
        parameters.extend(folders.then_some(("delimiter", "/")));
        parameters.extend([("encoding-type", "url"), ("list-type", "2"), ("prefix", prefix.as_str())]);
        parameters.extend(after.as_deref().map(|after| ("start-after", after)));
        let answer = self.ask(Ask::List { parameters: &parameters, restored }).await?;
        let body = within(answer.into_body(), LARGEST, PATIENCE).await.map_err(|error| Failure::of_http(&error))?;
        match Page::read(&body).and_then(|page| page.checked(range)) {
            // At S3, an object without a state has to be restored; other stores may ignore the request for it.
            Ok(page) if restored && self.is_aws() => Ok(page.with_all_states()),
            Ok(page) => Ok(page),
            Err(failure) => Err(self.without_secrets(failure).await),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages() {
        let page = Page::read(
            br#"<?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>a%2F</Prefix>
            <Contents><Key>a/x+y%2B%C3%A9.gz</Key><LastModified>2020-01-01T00:00:00.000Z</LastModified>
            <ETag>&quot;ab-2&quot;</ETag><Size>7</Size></Contents>
            <CommonPrefixes><Prefix>a/b/</Prefix></CommonPrefixes><Contents><Key>a/z</Key><Size>0</Size></Contents>
            <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
            <NextContinuationToken>t=</NextContinuationToken>
            </ListBucketResult>"#,
        );
        let object = |key: &str, size| Object { key: key.to_owned(), size, ..Object::default() };
        let first = Object {
            etag: Some("\"ab-2\"".to_owned()),
            modified: Some(1_577_836_800_000_000),
            ..object("a/x y+\u{e9}.gz", 7)
        };
        let objects = vec![first, object("a/z", 0)];
        assert_eq!(
            page.expect("a page"),
            Page { objects, folders: vec!["a/b/".to_owned()], token: Some("t=".to_owned()) }
        );
        let plain = b"<ListBucketResult><IsTruncated>false</IsTruncated>\
                      <Contents><Key>a+b%20</Key><Size>1</Size></Contents></ListBucketResult>";
        assert_eq!(Page::read(plain).expect("a page").objects, [object("a+b%20", 1)]);
        let last = b"<ListBucketResult><NextContinuationToken/><IsTruncated>false</IsTruncated></ListBucketResult>";
        assert_eq!(Page::read(last).expect("a page"), Page::default());
    }

    #[test]
    fn archive_classes() {
        let object = |key: &str, more: &str| format!("<Contents><Key>{key}</Key><Size>1</Size>{more}</Contents>");
        let restored = |is_running| {
            format!(
                "<RestoreStatus><IsRestoreInProgress>{is_running}</IsRestoreInProgress>\
                 <RestoreExpiryDate>2012-12-21T00:00:00.000Z</RestoreExpiryDate></RestoreStatus>"
            )
        };
        let deep = "<StorageClass>DEEP_ARCHIVE</StorageClass>";
        let body = format!(
            "<ListBucketResult><IsTruncated>false</IsTruncated>{}{}{}{}{}</ListBucketResult>",
            object("a", "<StorageClass>STANDARD_IA</StorageClass>"),
            object("b", "<StorageClass>GLACIER</StorageClass>"),
            object("c", &format!("{deep}{}", restored(true))),
            object("d", &format!("{}{deep}", restored(false))),
            object("e", "<StorageClass>GLACIER_IR</StorageClass>"),
        );
        let page = Page::read(body.as_bytes()).expect("a page");
        let told = |page: &Page| page.objects.iter().map(|object| object.archived).collect::<Vec<_>>();
        let archived = |class, state| Some(Archived { class, state });
        let (running, done) =
            (archived(Class::DeepArchive, State::Restoring), archived(Class::DeepArchive, State::Restored));
        assert_eq!(told(&page), [None, archived(Class::Glacier, State::Unknown), running, done, None]);
        assert_eq!(told(&page.with_all_states())[1..4], [archived(Class::Glacier, State::Archived), running, done]);
    }

    #[test]
    fn what_is_no_page_is_never_an_empty_one() {
        for (body, again) in [
            ("", Again::Doubtful),
            ("<html/>", Again::Doubtful),
            ("<ListBucketResult/>", Again::Doubtful),
            ("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", Again::Doubtful),
            (
                "<ListBucketResult><IsTruncated>false</IsTruncated>\
                 <Contents><Key>a</Key></Contents></ListBucketResult>",
                Again::Doubtful,
            ),
            ("<Error><Code>SlowDown</Code><Message>m</Message></Error>", Again::Later),
        ] {
            assert_eq!(Page::read(body.as_bytes()).expect_err(body).again, again, "{body}");
        }
    }

    #[test]
    fn a_page_is_about_what_was_asked_for() {
        let range = Range { prefix: "a/".to_owned(), folders: true, after: Some("a/b/x".to_owned()), token: None };
        let page = |objects: &[&str], folders: &[&str], token: &str| Page {
            objects: objects
                .iter()
                .map(|key| Object { key: (*key).to_owned(), size: 1, ..Object::default() })
                .collect(),
            folders: folders.iter().map(|key| (*key).to_owned()).collect(),
            token: Some(token.to_owned()),
        };
        for right in [page(&["a/b/y", "a/c"], &["a/b/", "a/d/"], "t"), page(&[], &[], &"t".repeat(TOKEN))] {
            right.checked(&range).expect("a page");
        }
        for wrong in [
            page(&["b/c"], &[], "t"),
            page(&["a/b/x"], &[], "t"),
            page(&["a/a"], &[], "t"),
            page(&[], &["a/a/"], "t"),
            page(&[], &["b/"], "t"),
            page(&[], &[], &"t".repeat(TOKEN + 1)),
            page(&vec!["a/c"; MOST + 1], &[], "t"),
        ] {
            assert_eq!(wrong.checked(&range).expect_err("none of ours").refusal, Refusal::Protocol);
        }
        // A folder in a listing of keys would hide the keys in it.
        assert!(page(&[], &["a/c/"], "t").checked(&Range { folders: false, ..range }).is_err());
    }

    #[test]
    fn numbers_and_depths_that_no_page_has() {
        let body = |size: &str| {
            format!(
                "<ListBucketResult><IsTruncated>false</IsTruncated>\
                 <Contents><Key>a</Key><Size>{size}</Size></Contents></ListBucketResult>"
            )
        };
        for size in ["-1", "18446744073709551616", "1e3", "", "0x10"] {
            assert!(Page::read(body(size).as_bytes()).is_err(), "{size}");
        }
        assert_eq!(Page::read(body(&u64::MAX.to_string()).as_bytes()).expect("a page").objects[0].size, u64::MAX);
        let deep = format!("<ListBucketResult>{}", "<a>".repeat(1 << 20));
        assert!(Page::read(deep.as_bytes()).is_err());
        let deep = format!(
            "<ListBucketResult>{}{}<IsTruncated>false</IsTruncated></ListBucketResult>",
            "<a>".repeat(1 << 18),
            "</a>".repeat(1 << 18)
        );
        assert_eq!(Page::read(deep.as_bytes()).expect("a page"), Page::default());
    }
}
