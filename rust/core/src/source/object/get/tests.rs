use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::*;
use crate::source::object::Remote;

const SECRET: &str = "a-secret-that-nobody-sees";
const TOKEN: &str = "a-token-that-nobody-sees";

/// What the store does with one request.
#[derive(Clone)]
enum Act {
    /// Sends this, and closes the connection.
    Send(String),
    /// Sends this, then nothing while the client waits.
    Stall(String),
    /// Sends this only after the next request has come as well.
    Later(String),
}

/// A store that follows a script, one act for each request, and the heads of the requests.
struct Store {
    endpoint: String,
    heads: Arc<Mutex<Vec<String>>>,
    ends: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Store {
    fn new(script: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("a port"));
        let (heads, ends) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (told, ended) = (Arc::clone(&heads), Arc::clone(&ends));
        let thread = thread::spawn(move || {
            let (mut held, mut later) = (Vec::new(), Vec::<(TcpStream, String)>::new());
            for act in script {
                let Ok((mut stream, _)) = listener.accept() else { return };
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                told.lock().expect("no panic").push(head(&stream));
                for (mut earlier, text) in later.drain(..) {
                    let _ = earlier.write_all(text.as_bytes());
                }
                match act {
                    // The client may have closed the connection.
                    Act::Send(text) => drop(stream.write_all(text.as_bytes())),
                    Act::Stall(text) => {
                        let _ = stream.write_all(text.as_bytes());
                        held.push(stream);
                    }
                    Act::Later(text) => later.push((stream, text)),
                }
            }
        });
        Self { endpoint, heads, ends, thread: Some(thread) }
    }

    fn bucket(&self, more: &[(&str, &str)]) -> (Remote, Arc<Bucket>) {
        let options = [
            ("endpoint_url", self.endpoint.as_str()),
            ("access_key_id", "id"),
            ("secret_access_key", SECRET),
            ("session_token", TOKEN),
            ("read_timeout", "1s"),
        ];
        let options: BTreeMap<_, _> =
            options.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let remote = Remote::new(&options, None).expect("a client");
        let bucket = remote.bucket("bkt");
        (remote, bucket)
    }

    /// Gets the object `k` of at most 1 MiB.
    fn get(&self, listed: Option<u64>) -> Result<Got, Error> {
        let (remote, bucket) = self.bucket(&[]);
        let got = remote.handle().block_on(bucket.get("s3://bkt/k", listed, 1 << 20));
        assert!(!format!("{got:?}").contains("nobody-sees"), "{got:?}");
        got
    }

    fn bytes(&self, listed: Option<u64>) -> String {
        match self.get(listed) {
            Ok(Got::Whole(bytes)) => String::from_utf8(bytes).expect("text"),
            other => panic!("{other:?}"),
        }
    }

    fn error(&self, listed: Option<u64>) -> String {
        self.get(listed).expect_err("an error").to_string()
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic").clone()
    }

    /// The header of this name of each request.
    fn headers(&self, name: &str) -> Vec<Option<String>> {
        let find = |head: &String| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        self.heads().iter().map(find).collect()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // The thread may wait for one more request.
        drop(TcpStream::connect(self.endpoint.trim_start_matches("http://")));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn head(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

fn answer(status: &str, headers: &[&str], body: &str) -> Act {
    let headers: Vec<_> = headers.iter().map(|header| format!("{header}\r\n")).collect();
    Act::Send(format!("HTTP/1.1 {status}\r\nConnection: close\r\n{}\r\n{body}", headers.concat()))
}

fn whole(body: &str) -> Act {
    answer("200 OK", &[&format!("Content-Length: {}", body.len()), "ETag: \"e\""], body)
}

/// A body of "0123456789" from one byte on, which breaks off at another.
fn part(from: usize, until: usize) -> Act {
    let (status, range) = match from {
        0 => ("200 OK", String::new()),
        _ => ("206 Partial Content", format!("Content-Range: bytes {from}-9/10\r\n")),
    };
    let text = &"0123456789"[from..until];
    Act::Send(format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\nETag: \"e\"\r\n{range}\r\n{text}",
        10 - from
    ))
}

fn refusal(status: &str, code: &str) -> Act {
    let body = format!("<Error><Code>{code}</Code><Message>why</Message></Error>");
    answer(status, &[&format!("Content-Length: {}", body.len())], &body)
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|value| Some((*value).to_owned()).filter(|value| !value.is_empty())).collect()
}

#[test]
fn an_object_is_asked_for_by_its_key() {
    let store = Store::new(vec![whole("0123456789")]);
    assert_eq!(store.bytes(Some(10)), "0123456789");
    assert!(store.heads()[0].starts_with("GET /bkt/k HTTP/1.1\n"), "{:?}", store.heads());
    assert_eq!(store.headers("x-amz-security-token"), some(&[TOKEN]));
}

#[test]
fn odd_keys_are_encoded_or_refused() {
    let store = Store::new(vec![whole(""), whole("")]);
    let (remote, bucket) = store.bucket(&[]);
    let get = |key: &str| remote.handle().block_on(bucket.get(&format!("s3://bkt/{key}"), None, 9));
    get("a//b c+d%é~.gz").expect("an object");
    assert!(store.heads()[0].starts_with("GET /bkt/a//b%20c%2Bd%25%C3%A9~.gz HTTP/1.1\n"), "{:?}", store.heads());
    let error = get("a/../b").expect_err("no key");
    assert_eq!(error.kind().name(), "bad-key");
    assert_eq!(store.heads().len(), 1);
}

#[test]
fn what_is_left_of_a_body_is_asked_for() {
    let store = Store::new(vec![part(0, 3), part(3, 3), part(3, 7), part(7, 10)]);
    assert_eq!(store.bytes(Some(10)), "0123456789");
    assert_eq!(store.headers("range"), some(&["", "bytes=3-", "bytes=3-", "bytes=7-"]));
    assert_eq!(store.headers("if-match"), some(&["", "\"e\"", "\"e\"", "\"e\""]));
}

#[test]
fn an_object_that_changes_on_the_way_is_read_anew() {
    let other =
        answer("206 Partial Content", &["Content-Length: 2", "Content-Range: bytes 8-9/10", "ETag: \"e\""], "89");
    let store = Store::new(vec![
        part(0, 3),
        refusal("412 Precondition Failed", "PreconditionFailed"),
        part(0, 3),
        other,
        part(0, 10),
    ]);
    assert_eq!(store.bytes(Some(10)), "0123456789");
    assert_eq!(store.headers("range"), some(&["", "bytes=3-", "", "bytes=3-", ""]));
}

#[test]
fn without_a_tag_a_body_is_read_anew() {
    let store = Store::new(vec![answer("200 OK", &["Content-Length: 10"], "012"), part(0, 10)]);
    assert_eq!(store.bytes(None), "0123456789");
    assert_eq!(store.headers("range"), some(&["", ""]));
}

#[test]
fn a_body_that_stalls_is_asked_for_again() {
    let Act::Send(text) = part(0, 3) else { panic!("an answer") };
    let store = Store::new(vec![Act::Stall(text), Act::Stall(String::new()), part(3, 10)]);
    assert_eq!(store.bytes(Some(10)), "0123456789");
}

#[test]
fn a_length_that_is_not_the_listed_one_is_never_accepted() {
    let store = Store::new(vec![whole("01234"); 3]);
    assert_eq!(store.error(Some(10)), "changed since it was listed: 5 bytes instead of 10 (after 3 tries)");
    let store = Store::new(vec![whole("01234"), whole("0123456789")]);
    assert_eq!(store.bytes(Some(10)), "0123456789");
}

#[test]
fn a_store_that_asks_to_slow_down_is_asked_later() {
    let store =
        Store::new(vec![refusal("503 Slow Down", "SlowDown"), refusal("500 Internal", "InternalError"), part(0, 10)]);
    let (remote, bucket) = store.bucket(&[]);
    let got = remote.handle().block_on(bucket.get("s3://bkt/k", Some(10), 10)).expect("an object");
    assert!(matches!(got, Got::Whole(bytes) if bytes.len() == 10));
    let requests = remote.requests();
    assert_eq!((requests.gets, requests.retries, requests.throttled), (3, 2, 1));
}

#[test]
fn tries_end() {
    let store = Store::new(vec![refusal("503 Slow Down", "SlowDown"); 3]);
    let (remote, bucket) = store.bucket(&[("max_retries", "2")]);
    let error = remote.handle().block_on(bucket.get("s3://bkt/k", Some(10), 10)).expect_err("an error");
    assert_eq!(error.to_string(), "throttled: 503, SlowDown, why (after 3 tries)");
}

#[test]
fn a_refusal_is_told_at_once() {
    for (status, code, words) in [
        ("403 Forbidden", "AccessDenied", "access denied: 403, AccessDenied, why"),
        ("404 Not Found", "NoSuchKey", "no such object: 404, NoSuchKey, why"),
        ("400 Bad Request", "KMS.DisabledException", "cannot be decrypted: 400, KMS.DisabledException, why"),
    ] {
        let store = Store::new(vec![refusal(status, code)]);
        assert_eq!(store.error(Some(10)), words);
    }
}

#[test]
fn the_region_is_learned_from_the_store() {
    let body = "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>";
    let length = format!("Content-Length: {}", body.len());
    let elsewhere = answer("301 Moved Permanently", &[&length, "x-amz-bucket-region: eu-south-2"], body);
    let store = Store::new(vec![elsewhere, part(0, 10)]);
    assert_eq!(store.bytes(Some(10)), "0123456789");
    let regions =
        store.headers("authorization").into_iter().flatten().map(|value| value.split('/').nth(2).map(str::to_owned));
    assert_eq!(regions.collect::<Vec<_>>(), some(&["us-east-1", "eu-south-2"]));
}

#[test]
fn the_clock_is_put_right_by_the_store() {
    let body = "<Error><Code>RequestTimeTooSkewed</Code><Message>late</Message></Error>";
    let length = format!("Content-Length: {}", body.len());
    let skewed = answer("403 Forbidden", &[&length, "Date: Tue, 01 Jan 2030 00:00:00 GMT"], body);
    let store = Store::new(vec![skewed.clone(), part(0, 10)]);
    assert_eq!(store.bytes(Some(10)), "0123456789");
    let times = store.headers("x-amz-date");
    assert!(times[1].as_ref().is_some_and(|time| time.starts_with("20300101T0000")), "{times:?}");
    // Requests that ran at the same time are repeated as well.
    let Act::Send(text) = skewed.clone() else { panic!("an answer") };
    let store = Store::new(vec![Act::Later(text), skewed.clone(), part(0, 10), part(0, 10)]);
    let (remote, bucket) = store.bucket(&[]);
    let get = || bucket.get("s3://bkt/k", Some(10), 10);
    let (one, other) = remote.handle().block_on(async { tokio::join!(get(), get()) });
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    // If the store repeats the error, the cause is another one.
    let store = Store::new(vec![skewed.clone(), skewed]);
    assert_eq!(store.error(Some(10)), "no valid credentials: 403, RequestTimeTooSkewed, late (after 2 tries)");
}

#[test]
fn a_store_that_is_not_there_is_given_up_soon() {
    let endpoint = Store::new(Vec::new()).endpoint.clone();
    let remote = Remote::new(
        &BTreeMap::from([("endpoint".to_owned(), endpoint), ("skip_signature".to_owned(), "true".to_owned())]),
        None,
    );
    let remote = remote.expect("a client");
    let error = remote.handle().block_on(remote.bucket("bkt").get("s3://bkt/k", None, 9)).expect_err("nothing");
    assert_eq!(error.kind().name(), "network");
    assert_eq!(remote.requests().gets, 3);
}

#[test]
fn large_objects_are_left_to_a_stream() {
    let store = Store::new(vec![whole("0123456789"), part(0, 3), part(3, 8), part(8, 10)]);
    let (remote, bucket) = store.bucket(&[]);
    let got = remote.handle().block_on(bucket.get("s3://bkt/k", None, 9)).expect("an answer");
    assert!(matches!(got, Got::Large(Some(10))));
    let mut text = String::new();
    bucket.stream("s3://bkt/k", Some(10)).read_to_string(&mut text).expect("an object");
    assert_eq!(text, "0123456789");
    assert_eq!(store.headers("range"), some(&["", "", "bytes=3-", "bytes=8-"]));
}

#[test]
fn a_stream_that_cannot_go_on_fails_with_the_reason() {
    let store = Store::new(vec![part(0, 3), refusal("403 Forbidden", "AccessDenied")]);
    let (_remote, bucket) = store.bucket(&[]);
    let mut bytes = Vec::new();
    let error = bucket.stream("s3://bkt/k", Some(10)).read_to_end(&mut bytes).expect_err("a refusal");
    assert_eq!(bytes, b"012");
    let error = error.downcast::<Error>().expect("an error of ours");
    assert_eq!(error.to_string(), "access denied: 403, AccessDenied, why (after 2 tries)");
}

#[test]
fn closing_cancels_what_is_under_way() {
    let store = Store::new(vec![Act::Stall(String::new())]);
    let (remote, bucket) = store.bucket(&[("read_timeout", "1h")]);
    let mut download = bucket.stream("s3://bkt/k", Some(10));
    let reader = thread::spawn(move || download.read(&mut [0; 10]).is_err());
    while store.heads().is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    remote.close();
    assert!(reader.join().expect("no panic"));
}

#[test]
fn versions_are_never_mixed_where_the_store_ignores_if_match() {
    let other = |tag: &str| {
        answer("206 Partial Content", &["Content-Length: 7", "Content-Range: bytes 3-9/10", tag], "xxxxxxx")
    };
    for tag in ["ETag: \"f\"", "ETag: W/\"e\"", "X: y"] {
        let store = Store::new(vec![part(0, 3), other(tag), part(0, 10)]);
        assert_eq!(store.bytes(Some(10)), "0123456789", "{tag}");
        // A stream has handed over the beginning already.
        let store = Store::new(vec![part(0, 3), other(tag)]);
        let (_remote, bucket) = store.bucket(&[]);
        let mut bytes = Vec::new();
        let error = bucket.stream("s3://bkt/k", Some(10)).read_to_end(&mut bytes).expect_err("another version");
        assert_eq!(bytes, b"012");
        let error = error.downcast::<Error>().expect("an error of ours");
        assert_eq!(error.kind().name(), "changed", "{error}");
    }
}

#[test]
fn lengths_that_nobody_has_are_not_believed() {
    let huge = "Content-Length: 1099511627776";
    let store = Store::new(vec![answer("403 Forbidden", &[huge], "<Error><Code>AccessDenied</Code></Error>")]);
    assert_eq!(store.error(Some(10)), "access denied: 403, AccessDenied");
    let store = Store::new(vec![answer("200 OK", &[huge], "")]);
    let (remote, bucket) = store.bucket(&[("max_retries", "0")]);
    let range = crate::source::object::list::Range::default();
    let error = remote.handle().block_on(bucket.page(&range)).expect_err("no page");
    assert!(matches!(error.kind().name(), "network" | "not-s3" | "protocol"), "{error}");
    // Without a length, a body might not end.
    let store = Store::new(vec![answer("200 OK", &[], "0123456789")]);
    let (_remote, bucket) = store.bucket(&[]);
    let error = bucket.stream("s3://bkt/k", None).read_to_end(&mut Vec::new()).expect_err("no length");
    assert!(error.to_string().ends_with("an object without a length"), "{error}");
}

#[test]
fn clocks_and_regions_that_no_store_has_are_not_believed() {
    let body = "<Error><Code>RequestTimeTooSkewed</Code><Message>late</Message></Error>";
    let length = format!("Content-Length: {}", body.len());
    for date in ["31 Dec 262142 23:59:59 GMT", "01 Jan 9999 00:00:00 GMT", "01 Jan 0001 00:00:00 GMT", "soon"] {
        let skewed = answer("403 Forbidden", &[&length, &format!("Date: {date}")], body);
        let store = Store::new(vec![skewed]);
        assert_eq!(store.error(Some(10)), "no valid credentials: 403, RequestTimeTooSkewed, late", "{date}");
    }
    for region in ["evil.com/", "x@evil", "a b", "", "EU"] {
        let elsewhere =
            answer("400 Bad Request", &["Content-Length: 0", &format!("x-amz-bucket-region: {region}")], "");
        let store = Store::new(vec![elsewhere]);
        assert_eq!(store.error(Some(10)), "not an answer of S3: 400 Bad Request", "{region}");
    }
    // The region in a refusal is ignored.
    let denied = answer("403 Forbidden", &["Content-Length: 0", "x-amz-bucket-region: eu-west-1"], "");
    assert_eq!(Store::new(vec![denied]).error(Some(10)), "access denied: 403 Forbidden");
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let other = Store::new(vec![whole("0123456789")]);
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let place = format!("Location: {}/bkt/k?X=1", other.endpoint);
        let store = Store::new(vec![answer(status, &["Content-Length: 0", &place], "")]);
        let host = other.endpoint.trim_start_matches("http://");
        let words = format!("redirected elsewhere: {}, to {host}, which is not followed", &status[..3]);
        assert_eq!(store.error(Some(10)), words);
    }
    assert!(other.heads().is_empty());
}

#[test]
fn names_of_no_bucket_are_never_asked_for() {
    let store = Store::new(vec![whole("")]);
    let (remote, _) = store.bucket(&[]);
    for name in ["x@host", "host:80#", "..", "a?b", "a b", "a%2fb"] {
        let address = format!("s3://{name}/k");
        let error = remote.handle().block_on(remote.bucket(name).get(&address, None, 9)).expect_err("no bucket");
        assert_eq!(error.kind().name(), "bad-bucket", "{name}");
    }
    assert_eq!((remote.requests().gets, store.heads().len()), (0, 0));
    // A name that fits a path need not fit a host.
    let (remote, _) = store.bucket(&[("virtual_hosted_style_request", "true")]);
    let error = remote.handle().block_on(remote.bucket("My_Logs").get("s3://My_Logs/k", None, 9)).expect_err("no host");
    assert_eq!(error.kind().name(), "bad-bucket");
}

#[test]
fn secrets_that_a_store_repeats_are_cut() {
    let body = format!(
        "<Error><Code>InvalidToken</Code><Message>no token {TOKEN}, key {SECRET}, \
         AKIAIOSFODNN7EXAMPLE</Message></Error>"
    );
    let store = Store::new(vec![answer("400 Bad Request", &[&format!("Content-Length: {}", body.len())], &body)]);
    assert_eq!(store.error(Some(10)), "no valid credentials: 400, InvalidToken, no token …, key …, …");
}
