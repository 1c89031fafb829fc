//! The format of a file that begins neither as gzip nor as JSON, as far as its first bytes or first line show.

use crate::error::{Error, ErrorKind, Format};

/// The first bytes of other formats.
const MAGIC: &[(&[u8], Format)] = &[
    (b"PAR1", Format::Parquet),
    (b"ARROW1", Format::Arrow),
    (b"\xff\xff\xff\xff", Format::Arrow),
    (b"\x28\xb5\x2f\xfd", Format::Compressed("Zstandard")),
    (b"PK\x03\x04", Format::Compressed("zip")),
    (b"BZh", Format::Compressed("bzip2")),
    (b"\xfd7zXZ\0", Format::Compressed("xz")),
];

/// The byte order mark of UTF-8.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// The most bytes in the first line of a table.
const HEADER: usize = 8 << 10;

/// Column names in the console's downloads of Event history, lower case without blanks; each download has all of these.
const EVENT_HISTORY: &[&str] = &["event name", "event time"];
/// Columns of query results: a table with at least one is about events. From Athena, Lake and ctfast, or Logs Insights.
const COLUMNS: &[&str] = &[
    "eventversion",
    "eventtime",
    "eventname",
    "eventsource",
    "eventid",
    "eventtype",
    "eventcategory",
    "useridentity",
    "@message",
];

/// Why text that begins like this is not read.
pub(crate) fn kind(text: &[u8]) -> ErrorKind {
    if let Some((_, format)) = MAGIC.iter().find(|(magic, _)| text.starts_with(magic)) {
        return ErrorKind::OtherFormat(*format);
    }
    let line = text.iter().take(HEADER).position(|byte| matches!(byte, b'\r' | b'\n')).map(|end| &text[..end]);
    let columns: Vec<String> = line.map(columns).unwrap_or_default();
    if EVENT_HISTORY.iter().all(|wanted| columns.iter().any(|column| column == wanted)) {
        ErrorKind::EventHistoryCsv
    } else if columns.iter().any(|column| COLUMNS.contains(&column.split('.').next().unwrap_or_default())) {
        ErrorKind::QueryResult
    } else {
        ErrorKind::Unrecognized(text.first().copied().unwrap_or_default())
    }
}

/// Refuses a table whose first line begins with a quote, as a string of JSON does.
pub(crate) fn refuse_table(text: &[u8]) -> Result<(), Error> {
    let start = if text.starts_with(BOM) { BOM.len() } else { 0 };
    match text.get(start).filter(|&&byte| byte == b'"').map(|_| kind(&text[start..])) {
        Some(kind @ (ErrorKind::EventHistoryCsv | ErrorKind::QueryResult)) => Err(Error::at(start, kind)),
        _ => Ok(()),
    }
}

/// The names in the first line of a CSV file.
fn columns(line: &[u8]) -> Vec<String> {
    let line = String::from_utf8_lossy(line);
    line.split([',', ';', '\t']).map(|name| name.trim().trim_matches('"').to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_the_first_bytes() {
        assert_eq!(kind(b"PAR1\x15\x04"), ErrorKind::OtherFormat(Format::Parquet));
        assert_eq!(kind(b"ARROW1\0\0"), ErrorKind::OtherFormat(Format::Arrow));
        assert_eq!(kind(b"\x28\xb5\x2f\xfd\x04"), ErrorKind::OtherFormat(Format::Compressed("Zstandard")));
        assert_eq!(kind(b"PAR"), ErrorKind::Unrecognized(b'P'));
        assert_eq!(kind(b"\x01\x02"), ErrorKind::Unrecognized(1));
    }

    #[test]
    fn by_the_first_line() {
        for (line, expected) in [
            ("User name,AWS access key,Event time,Event source,Event name\n", ErrorKind::EventHistoryCsv),
            ("\"Event name\",\"Event time\"\r\n", ErrorKind::EventHistoryCsv),
            ("\"eventversion\",\"useridentity\"\n", ErrorKind::QueryResult),
            ("n,userIdentity.arn\n1,x\n", ErrorKind::QueryResult),
            ("eventName\n", ErrorKind::QueryResult),
            ("eventName", ErrorKind::Unrecognized(b'e')),
            ("the eventName, the eventTime\n", ErrorKind::Unrecognized(b't')),
            ("version account-id interface-id\n", ErrorKind::Unrecognized(b'v')),
        ] {
            assert_eq!(kind(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn a_table_in_quotes_is_no_string() {
        assert!(refuse_table(b"\"eventname\",\"eventtime\"\n").is_err());
        let error = refuse_table(b"\xef\xbb\xbf\"Event name\",\"Event time\"\n").expect_err("a table");
        assert_eq!((error.kind(), error.location().byte), (&ErrorKind::EventHistoryCsv, Some(3)));
        for text in [&b"\"{\\\"eventName\\\":1}\"\n"[..], b"\"a\",\"b\"\n", b"{}", b"", b"eventname\n"] {
            assert_eq!(refuse_table(text), Ok(()));
        }
    }
}
