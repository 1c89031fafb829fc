//! What can go wrong with a file, and where. Imports nothing else of the crate.

use std::borrow::Cow;
use std::fmt;

/// A failure, or a warning, about one file or one record of it.
///
/// One word wide, so that the hot path pays for a pointer only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    location: Location,
}

/// Where a failure is. Each step adds what it knows: the parser the byte, framing the record, the scan the key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// Key or path of the file.
    pub key: Option<String>,
    /// Offset in the inflated content; for the gzip kinds, in the file as stored, or in the gzip file within it.
    pub byte: Option<u64>,
    /// Index of the record in its file, from 0.
    pub record: Option<u64>,
    /// Whether `byte` is one of the text in UTF-8 that was decoded from UTF-16.
    pub decoded: bool,
}

/// What failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file has no bytes.
    Empty,
    /// The operating system refused to read: its message.
    Unreadable(String),
    /// The operating system refused to write: its message.
    Unwritable(String),
    /// A store did not deliver: how, and its message.
    Store(Refusal, String),
    /// A source that was named holds nothing.
    NotFound,
    /// The first byte starts neither gzip nor JSON.
    Unrecognized(u8),
    /// The file is of another format.
    OtherFormat(Format),
    /// The CSV that the console offers for download, with only some columns of each event.
    EventHistoryCsv,
    /// A table of columns from a query.
    QueryResult,
    /// The file ends inside this gzip member (counted from 1).
    TruncatedGzip(u32),
    /// This gzip member is not valid deflate data.
    CorruptGzip(u32),
    /// The header of this gzip member is not valid.
    GzipHeader(u32),
    /// The CRC-32 of this gzip member does not match its content.
    Checksum(u32),
    /// The length of this gzip member does not match its content.
    Length(u32),
    /// This many zeros follow the last gzip member.
    TrailingBytes(u64),
    /// The bytes after this gzip member, to the end of the file, are not a gzip member.
    NoMember {
        /// The member.
        after: u32,
        /// How many bytes follow it.
        bytes: u64,
    },
    /// The nested gzip file is damaged in this way.
    Within(Box<ErrorKind>),
    /// A gzip file holds a gzip file that holds another one.
    NestedGzip,
    /// The content is larger than the limit on inflated bytes.
    TooLarge(u64),
    /// The content is larger than this many times the file.
    Ratio(u64),
    /// One record, or a document that is not a record, has more than this many bytes.
    DocumentTooLarge(u64),
    /// The file has more records than a 32-bit index can number.
    TooManyRecords,
    /// The content is not UTF-8.
    InvalidUtf8,
    /// The content is not UTF-16, although it begins with the byte order mark of UTF-16.
    InvalidUtf16,
    /// The content is not JSON: what was expected, and the byte that was found.
    InvalidJson {
        /// In words, for the message.
        expected: &'static str,
        /// `None` at the end of the content.
        found: Option<u8>,
    },
    /// A control character stands unescaped in a string.
    ControlCharacter(u8),
    /// Objects and arrays are nested deeper than the limit.
    TooDeep(u32),
    /// JSON, but neither a record of CloudTrail nor a document that holds one.
    NotCloudTrail,
    /// This field of a possible record is not an object, as in a row of a table.
    Flattened(&'static str),
    /// A document with a list has this key as well: another list, or a key of records.
    BesideList(Box<str>),
    /// Documents are nested in each other deeper than this, or a gzip string is inside of another one.
    Embedded(u32),
    /// One embedded document has more records than this.
    EmbeddedRecords(u64),
    /// A string that should be base64 is not.
    NotBase64,
    /// A worker panicked: ctfast is wrong, not the file.
    Bug,
}

/// Formats that are recognised by their first bytes, and not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// An Arrow file, or a stream of it.
    Arrow,
    /// Compressed by another program than gzip: its name.
    Compressed(&'static str),
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, rows) = match self {
            Self::Parquet => ("Parquet", true),
            Self::Arrow => ("Arrow", true),
            Self::Compressed(name) => (*name, false),
        };
        if rows {
            write!(
                f,
                "a file of {name}, not of records: Polars and DuckDB read it; ctfast reads what --as record writes"
            )
        } else {
            write!(f, "compressed by {name}, not by gzip: decompress it first")
        }
    }
}

/// How a store failed to deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The credentials do not allow it.
    AccessDenied,
    /// The object is encrypted with a key that cannot be used.
    Kms,
    /// There are no credentials, or the store does not accept them.
    Credentials,
    /// There is no such object (any more).
    NoSuchKey,
    /// There is no such bucket, or it is in another region.
    NoSuchBucket,
    /// No bucket can have this name.
    Bucket,
    /// The answer redirects to another place, which is not followed.
    Redirect,
    /// The object must be restored from an archive class first.
    Archived,
    /// The store still asked to slow down at the last try.
    Throttled,
    /// No answer, or no progress of one.
    Timeout,
    /// The store cannot be reached, or connections to it break off.
    Network,
    /// The object is not the one that was listed.
    Changed,
    /// The store failed.
    Server,
    /// The answer is not one that S3 gives.
    Protocol,
    /// The key cannot be requested over HTTP.
    Key,
}

impl Refusal {
    fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "access-denied",
            Self::Kms => "kms",
            Self::Credentials => "credentials",
            Self::NoSuchKey => "no-such-key",
            Self::NoSuchBucket => "no-such-bucket",
            Self::Bucket => "bad-bucket",
            Self::Redirect => "redirect",
            Self::Archived => "archived",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::Changed => "changed",
            Self::Server => "server",
            Self::Protocol => "protocol",
            Self::Key => "bad-key",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::AccessDenied => "access denied",
            Self::Kms => "cannot be decrypted",
            Self::Credentials => "no valid credentials",
            Self::NoSuchKey => "no such object",
            Self::NoSuchBucket => "no such bucket",
            Self::Bucket => "not the name of a bucket",
            Self::Redirect => "redirected elsewhere",
            Self::Archived => "archived",
            Self::Throttled => "throttled",
            Self::Timeout => "timed out",
            Self::Network => "network",
            Self::Changed => "changed since it was listed",
            Self::Server => "the store failed",
            Self::Protocol => "not an answer of S3",
            Self::Key => "not a key that can be asked for",
        }
    }
}

impl ErrorKind {
    /// A short, stable name: the column `kind` of the report.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Unreadable(_) => "unreadable",
            Self::Unwritable(_) => "unwritable",
            Self::Store(refusal, _) => refusal.name(),
            Self::NotFound => "not-found",
            Self::Unrecognized(_) => "unrecognized",
            Self::OtherFormat(_) => "other-format",
            Self::EventHistoryCsv => "event-history-csv",
            Self::QueryResult => "query-result",
            Self::TruncatedGzip(_) => "truncated-gzip",
            Self::CorruptGzip(_) | Self::GzipHeader(_) => "corrupt-gzip",
            Self::Checksum(_) => "checksum",
            Self::Length(_) => "length",
            Self::TrailingBytes(_) | Self::NoMember { .. } => "trailing-bytes",
            Self::Within(kind) => kind.name(),
            Self::NestedGzip => "nested-gzip",
            Self::TooLarge(_) => "too-large",
            Self::Ratio(_) => "ratio",
            Self::DocumentTooLarge(_) => "document-too-large",
            Self::TooManyRecords => "too-many-records",
            Self::InvalidUtf8 => "invalid-utf8",
            Self::InvalidUtf16 => "invalid-utf16",
            Self::InvalidJson { .. } | Self::ControlCharacter(_) => "invalid-json",
            Self::TooDeep(_) => "too-deep",
            Self::NotCloudTrail => "not-cloudtrail",
            Self::Flattened(_) => "flattened",
            Self::BesideList(_) => "beside-list",
            Self::Embedded(_) | Self::EmbeddedRecords(_) => "embedded",
            Self::NotBase64 => "not-base64",
            Self::Bug => "bug",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty file"),
            Self::Unreadable(why) => write!(f, "cannot read: {why}"),
            Self::Unwritable(why) => write!(f, "cannot write: {why}"),
            Self::Store(refusal, words) => write!(f, "{}: {words}", refusal.words()),
            Self::NotFound => f.write_str("no object has this key, or one below it"),
            Self::Unrecognized(byte) => write!(f, "neither gzip nor JSON: starts with 0x{byte:02x}"),
            Self::OtherFormat(format) => write!(f, "{format}"),
            Self::EventHistoryCsv => f.write_str(
                "Event history as CSV, which lacks most fields of an event: download it as JSON, or use aws \
                 cloudtrail lookup-events",
            ),
            Self::QueryResult => f.write_str(
                "columns that a query gave, not records: read the files that it was asked of, or write records \
                 by --as record",
            ),
            Self::TruncatedGzip(member) => write!(f, "truncated gzip: the file ends inside member {member}"),
            Self::CorruptGzip(member) => write!(f, "corrupt gzip: invalid deflate data in member {member}"),
            Self::GzipHeader(member) => write!(f, "corrupt gzip: invalid header of member {member}"),
            Self::Checksum(member) => write!(f, "gzip checksum does not match in member {member}"),
            Self::Length(member) => write!(f, "gzip length does not match in member {member}"),
            Self::TrailingBytes(1) => f.write_str("1 byte after the last gzip member"),
            Self::TrailingBytes(count) => write!(f, "{count} bytes after the last gzip member"),
            Self::NoMember { after, bytes: 1 } => write!(f, "1 byte after gzip member {after} is no gzip member"),
            Self::NoMember { after, bytes } => write!(f, "{bytes} bytes after gzip member {after} are no gzip member"),
            Self::Within(kind) => write!(f, "in the gzip file within: {kind}"),
            Self::NestedGzip => f.write_str("gzip within gzip within gzip: two layers are read, no more"),
            Self::TooLarge(limit) => write!(f, "inflates to more than {limit} bytes"),
            Self::Ratio(limit) => write!(f, "inflates more than {limit} times"),
            Self::DocumentTooLarge(limit) => write!(f, "one document is larger than {limit} bytes"),
            Self::TooManyRecords => write!(f, "more than {} records", u32::MAX),
            Self::InvalidUtf8 => f.write_str("invalid UTF-8"),
            Self::InvalidUtf16 => f.write_str("invalid UTF-16"),
            Self::InvalidJson { found: None, .. } => f.write_str("invalid JSON: unexpected end"),
            Self::InvalidJson { expected, found: Some(byte) } => {
                write!(f, "invalid JSON: expected {expected} but found ")?;
                match byte {
                    b' '..=b'~' => write!(f, "'{}'", *byte as char),
                    _ => write!(f, "0x{byte:02x}"),
                }
            }
            Self::ControlCharacter(byte) => write!(f, "invalid JSON: control character 0x{byte:02x} in a string"),
            Self::TooDeep(limit) => write!(f, "nested deeper than {limit}"),
            Self::NotCloudTrail => f.write_str("not CloudTrail: no records, no event fields"),
            Self::Flattened(name) => write!(
                f,
                "'{name}' is no object, as in rows of a table: filters do not look into it; write records by \
                 --as record"
            ),
            Self::BesideList(name) => write!(f, "'{name}' stands beside a list of records, and is not read"),
            Self::Embedded(limit) => write!(f, "documents within documents, more than {limit} deep or twice in gzip"),
            Self::EmbeddedRecords(limit) => write!(f, "more than {limit} records in one document within another"),
            Self::NotBase64 => f.write_str("'data' of 'awslogs' is not base64"),
            Self::Bug => f.write_str("a worker of ctfast panicked; please report this with the text above"),
        }
    }
}

impl Error {
    /// A failure at a byte of the content.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn at(byte: usize, kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, location: Location { byte: Some(byte as u64), ..Location::default() } }))
    }

    /// A failure of a whole file.
    #[cold]
    #[must_use]
    pub fn whole(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, location: Location::default() }))
    }

    /// Whether the text itself is damaged here, so that a record is cut short.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Within(_)
                | ErrorKind::TruncatedGzip(_)
                | ErrorKind::CorruptGzip(_)
                | ErrorKind::GzipHeader(_)
                | ErrorKind::NoMember { .. }
                | ErrorKind::Checksum(_)
                | ErrorKind::Length(_)
                | ErrorKind::InvalidUtf8
                | ErrorKind::InvalidUtf16
                | ErrorKind::InvalidJson { .. }
                | ErrorKind::ControlCharacter(_)
                | ErrorKind::TooDeep(_)
        )
    }

    /// Whether the end of the file is what is wrong with it: inside a gzip member, or one byte into what may have been
    /// the next.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::TruncatedGzip(_)
                | ErrorKind::NoMember { bytes: 1, .. }
                | ErrorKind::TrailingBytes(_)
                | ErrorKind::Empty
        )
    }

    /// The same failure, in a gzip file within a gzip file. Limits apply to both together, so their errors stay as they
    /// are.
    pub(crate) fn within_gzip(mut self) -> Self {
        if !matches!(self.kind(), ErrorKind::TooLarge(_) | ErrorKind::Ratio(_)) {
            let kind = std::mem::replace(&mut self.0.kind, ErrorKind::Empty);
            self.0.kind = ErrorKind::Within(Box::new(kind));
        }
        self
    }

    /// How many bytes follow a gzip member, if that is the only error.
    pub(crate) fn trailing_bytes(&self) -> Option<u64> {
        match self.kind() {
            ErrorKind::TrailingBytes(bytes) | ErrorKind::NoMember { bytes, .. } => Some(*bytes),
            _ => None,
        }
    }

    /// What failed.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where it failed.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.0.location
    }

    /// The same failure, `by` bytes further on: a window's offset becomes the file's.
    #[must_use]
    pub fn shifted(mut self, by: u64) -> Self {
        if let Some(byte) = &mut self.0.location.byte {
            *byte += by;
        }
        self
    }

    /// The same failure, in text that was decoded from UTF-16.
    #[must_use]
    pub fn decoded(mut self) -> Self {
        self.0.location.decoded = true;
        self
    }

    /// The same failure, in this record.
    #[must_use]
    pub fn in_record(mut self, record: u64) -> Self {
        self.0.location.record = Some(record);
        self
    }

    /// The same failure, in this file.
    #[must_use]
    pub fn in_file(mut self, key: &str) -> Self {
        self.0.location.key = Some(key.to_owned());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Location { key, byte, record, decoded } = self.location();
        let of = if *decoded { " of the text in UTF-8" } else { "" };
        if let Some(key) = key {
            write!(f, "{key}: ")?;
        }
        write!(f, "{}", self.kind())?;
        match (byte, record) {
            (Some(byte), Some(record)) => write!(f, " at byte {byte}{of} (record {record})"),
            (Some(byte), None) => write!(f, " at byte {byte}{of}"),
            (None, Some(record)) => write!(f, " (record {record})"),
            (None, None) => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// The beginning of a user's text, as far as a message should repeat it.
pub(crate) fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(80) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Line and column of a byte, both from 1: for text that users write.
pub(crate) fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or(before);
    (1 + before.matches('\n').count(), 1 + line.chars().count())
}
