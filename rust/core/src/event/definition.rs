//! The one definition of what a JSON document is: a record of CloudTrail, something that holds records, or something
//! else, which is skipped for a reason. Framing, single records and filters all use it, so that a document is the same
//! thing wherever it is found.
//!
//! | a document with | is |
//! |---|---|
//! | `raw` with `file` and `record`, or `eventJson` with strings only, if they agree with its record | a holder |
//! | one of [`RECORD_KEYS`], and no `eventSource` that begins with `aws:` | a record |
//! | such a key, and an `eventSource` that begins with `aws:` | `notification`, such as S3's of an object |
//! | `digestStartTime` and `digestEndTime` | a digest: `digest` |
//! | `detail` and a `detail-type` that ends with `via CloudTrail` | an event on a bus; `detail` is the record |
//! | `detail` and another `detail-type` | another event: `not-cloudtrail`, or `notification` if S3 reports an object |
//! | `messageType` `CONTROL_MESSAGE`, or a string that begins with `CWL CONTROL MESSAGE` | `control-message` |
//! | `Event` `s3:TestEvent`; `s3Bucket` and `s3ObjectKey` | `notification` |
//! | `CloudTrailEvent`, `message`, `@message`, `Body`, `Message`, `awslogs` | a holder |
//! | `raw` or `eventJson` with the text of an object | a holder |
//! | `ResultSet`, or one of [`RECORD_KEYS`] in lower case | rows of a query result: bad, as `query-result` |
//! | none of these | `not-cloudtrail` |
//!
//! A holder counts as the document inside of it: rows of ctfast or CloudTrail Lake, log events, messages. Lists of
//! documents (`Records`, `Events`, …) are left to [`super::framing`].

use crate::error::Error;
use crate::json::{Cursor, Index, Key, PADDING, Value};
use crate::schema::{ColumnId, find};
use crate::source::Skip;

use super::record::{Name, Record, Wanted};

/// An object with one of these keys is a record. Events of all CloudTrail versions have some of them, even if they were
/// cut down.
pub(crate) const RECORD_KEYS: [&str; 8] =
    ["eventVersion", "eventTime", "eventName", "eventSource", "eventID", "eventType", "eventCategory", "userIdentity"];

/// Athena's names for some of these keys.
const RESULT_KEYS: [&str; 6] = ["eventversion", "eventtime", "eventname", "eventsource", "eventid", "useridentity"];

/// Fields that are objects in records, but JSON text in rows of tables.
const OBJECTS: [&str; 4] = ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"];

/// Prefix of `eventSource` in notifications of services to queues and functions; CloudTrail's are host names.
const NOTIFIES: &[u8] = b"aws:";
const CONTROL: &[u8] = b"CWL CONTROL MESSAGE";

/// What a document is, unless it is a list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Record,
    /// An event of CloudTrail on a bus, with its `detail`.
    Event(Value),
    /// It holds this string or object, which decides what the document is.
    Holds(Value),
    /// It holds this string: base64 of gzip.
    HoldsGzip(Value),
    /// Columns of a query result that does not hold the record.
    Columns,
    /// A document that is not read.
    Other(Skip),
}

/// What the members of a document show about it.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one sign, seen or not")]
pub(crate) struct Signs {
    record_key: Option<Key>,
    event_name: Option<Value>,
    event_source: Option<Value>,
    event_id: Option<Value>,
    detail: Option<Value>,
    detail_type: Option<Value>,
    digest_start: bool,
    digest_end: bool,
    is_control: bool,
    is_test: bool,
    names_bucket: bool,
    names_object: bool,
    /// The record as text, in a row of ctfast.
    raw: Option<Value>,
    names_file: bool,
    numbers_record: bool,
    /// The record as text, in a row of Lake.
    event_json: Option<Value>,
    /// Whether a member is neither a string nor null: cells of Lake's rows are strings.
    has_other_than_text: bool,
    /// The log line in a row of Logs Insights, which adds the fields that it found in the line.
    message: Option<Value>,
    is_result: bool,
    flat: Option<&'static str>,
    held: Option<Value>,
    body: Option<Value>,
    gzip: Option<Value>,
}

impl Signs {
    /// The signs of all members of an object.
    pub(crate) fn of(cursor: &Cursor<'_>, object: Value) -> Result<Self, Error> {
        let mut signs = Self::default();
        each_member(cursor, object, |cursor, key, value| signs.note(cursor, key, value))?;
        Ok(signs)
    }

    /// Adds a member; of duplicate keys the later one counts.
    pub(crate) fn note(&mut self, cursor: &Cursor<'_>, key: Key, value: Value) {
        let name = cursor.name(key);
        self.has_other_than_text |= !matches!(first(cursor, value), b'"' | b'n');
        match &*name {
            b"eventSource" => (self.record_key, self.event_source) = (Some(key), Some(value)),
            b"eventName" => (self.record_key, self.event_name) = (Some(key), Some(value)),
            b"eventID" => (self.record_key, self.event_id) = (Some(key), Some(value)),
            b"detail" => self.detail = Some(value).filter(|value| first(cursor, *value) == b'{'),
            b"detail-type" => self.detail_type = Some(value),
            b"digestStartTime" => self.digest_start = true,
            b"digestEndTime" => self.digest_end = true,
            b"messageType" => self.is_control = is(cursor, value, b"CONTROL_MESSAGE"),
            b"Event" => self.is_test = is(cursor, value, b"s3:TestEvent"),
            b"s3Bucket" => self.names_bucket = true,
            b"s3ObjectKey" => self.names_object = true,
            b"CloudTrailEvent" | b"message" | b"Body" | b"Message" | b"Sns" => self.note_held(cursor, value),
            b"@message" => {
                self.message = Some(value).filter(|value| may_hold_object(cursor, *value));
                self.note_held(cursor, value);
            }
            b"body" => self.body = Some(value).filter(|value| first(cursor, *value) == b'"'),
            b"awslogs" if first(cursor, value) == b'{' => self.gzip = string_member(cursor, value, b"data"),
            b"raw" => self.raw = Some(value).filter(|value| is_text_of_object(cursor, *value)),
            b"eventJson" => self.event_json = Some(value).filter(|value| is_text_of_object(cursor, *value)),
            b"file" => self.names_file = first(cursor, value) == b'"',
            b"record" => self.numbers_record = first(cursor, value).is_ascii_digit(),
            b"ResultSet" => self.is_result |= first(cursor, value) == b'{',
            name => self.note_field(cursor, key, name, value),
        }
    }

    /// If several members may hold a record, the last one with an object counts, or else the last one.
    fn note_held(&mut self, cursor: &Cursor<'_>, value: Value) {
        if !self.held.is_some_and(|held| may_hold_object(cursor, held)) || may_hold_object(cursor, value) {
            self.held = Some(value).filter(|value| matches!(first(cursor, *value), b'"' | b'{'));
        }
    }

    fn note_field(&mut self, cursor: &Cursor<'_>, key: Key, name: &[u8], value: Value) {
        let is_one_of = |keys: &[&str]| keys.iter().any(|key| key.as_bytes() == name);
        self.record_key = is_one_of(&RECORD_KEYS).then_some(key).or(self.record_key);
        self.is_result |= is_one_of(&RESULT_KEYS);
        if name.starts_with(b"userIdentity.") {
            self.flat = Some("userIdentity");
        } else if matches!(cursor.slice(value), [b'"', b'{' | b'[', ..]) {
            self.flat = OBJECTS.into_iter().find(|key| key.as_bytes() == name).or(self.flat);
        }
    }

    /// A field that is not an object, as in a row of a table; or the text of the whole record, as in some columns of
    /// ctfast.
    pub(crate) fn flat(&self, cursor: &Cursor<'_>) -> Option<&'static str> {
        self.flat.or_else(|| self.raw.filter(|text| self.is_said_by(cursor, *text)).map(|_| "raw"))
    }

    /// The key that makes the document a record.
    pub(crate) fn record_key(&self) -> Option<Key> {
        self.record_key
    }

    /// Whether a list of documents may follow: a record may also have such a key.
    pub(crate) fn allow_list(&self) -> bool {
        self.record_key.is_none() && self.detail_type.is_none()
    }

    /// Whether the document lists control messages only.
    pub(crate) fn is_control(&self) -> bool {
        self.is_control
    }

    /// Whether this is an event on a bus, of any service.
    pub(crate) fn is_event(&self) -> bool {
        self.record_key.is_none() && self.detail_type.is_some() && self.detail.is_some()
    }

    /// The record, or its text, in what looks like a row of ctfast, Lake or Logs Insights.
    fn row(&self) -> Option<Value> {
        let raw = self.raw.filter(|_| self.names_file && self.numbers_record);
        raw.or_else(|| self.event_json.filter(|_| !self.has_other_than_text)).or(self.message)
    }

    /// Whether a string holds the record that this row was made from, that is, the same event. Any record may have a
    /// key of this name, and then the record itself counts.
    #[cold]
    fn is_said_by(&self, cursor: &Cursor<'_>, text: Value) -> bool {
        if first(cursor, text) == b'{' {
            return Self::of(cursor, text).is_ok_and(|signs| self.agrees(cursor, &signs, cursor));
        }
        let mut held = cursor.string(text).unwrap_or_default().into_owned();
        let length = held.len();
        held.resize(length + PADDING, 0);
        let mut index = Index::default();
        index.build(&held[..length]);
        let mut inside = Cursor::new(&held, length, index.tokens());
        let Ok(whole) = inside.value() else { return false };
        inside.skip_space();
        inside.at >= length && Self::of(&inside, whole).is_ok_and(|signs| self.agrees(cursor, &signs, &inside))
    }

    /// Whether another document is a record that agrees with this one in what both contain.
    fn agrees(&self, cursor: &Cursor<'_>, other: &Self, inside: &Cursor<'_>) -> bool {
        let says = |signs: &Self, cursor: &Cursor<'_>| {
            let values = [signs.event_name, signs.event_source, signs.event_id];
            values.map(|value| value.and_then(|value| cursor.string(value)).map(std::borrow::Cow::into_owned))
        };
        let agree = says(self, cursor).into_iter().zip(says(other, inside)).all(|said| match said {
            (Some(here), Some(there)) => here == there,
            _ => true,
        });
        agree && other.record_key.is_some() && !other.event_source.is_some_and(|source| notifies(inside, source))
    }

    /// What a document with these members is.
    pub(crate) fn what(&self, cursor: &Cursor<'_>) -> What {
        if let Some(text) = self.row().filter(|text| self.is_said_by(cursor, *text)) {
            return What::Holds(text);
        }
        if self.record_key.is_some() {
            return match self.body {
                _ if !self.event_source.is_some_and(|source| notifies(cursor, source)) => What::Record,
                Some(body) => What::Holds(body),
                None => What::Other(Skip::Notification),
            };
        }
        let other = match (self.detail, self.detail_type) {
            _ if self.digest_start && self.digest_end => Skip::Digest,
            (Some(detail), Some(kind)) => match cursor.string(kind) {
                Some(kind) if kind.ends_with(b" via CloudTrail") => return What::Event(detail),
                Some(kind) if kind.starts_with(b"Object ") => Skip::Notification,
                _ => Skip::NotCloudTrail,
            },
            _ if self.is_control => Skip::ControlMessage,
            _ if self.is_test || self.names_bucket && self.names_object => Skip::Notification,
            _ => match (self.gzip, self.held.or(self.raw).or(self.event_json)) {
                (Some(data), _) => return What::HoldsGzip(data),
                (None, Some(held)) => return What::Holds(held),
                (None, None) if self.is_result => return What::Columns,
                (None, None) => Skip::NotCloudTrail,
            },
        };
        What::Other(other)
    }
}

/// The keys under which a row holds a record.
const ROW_KEYS: [&[u8]; 3] = [b"raw", b"eventJson", b"@message"];

/// What must be noted about each record so that [`is_record`] is cheap: one column, and the keys of rows.
pub(crate) fn wanted() -> Wanted {
    Wanted::columns_and_keys(event_source().map_or(0, |column| 1 << column), &ROW_KEYS)
}

fn event_source() -> Option<ColumnId> {
    static COLUMN: std::sync::LazyLock<Option<ColumnId>> = std::sync::LazyLock::new(|| find("eventSource"));
    *COLUMN
}

/// Whether something read as a record is one. `eventSource`, which is noted anyway, decides in most cases.
#[inline]
pub(crate) fn is_record(record: &Record, whole: Value, cursor: &Cursor<'_>, event_source: Option<ColumnId>) -> bool {
    if record.strays.iter().any(|stray| stray.parent.is_none() && may_be_of_row(cursor, stray.name)) {
        return is_record_at(cursor, whole);
    }
    match event_source.and_then(|column| record.get(column)) {
        // `"aws:…`, perhaps with escapes.
        Some(source) => !matches!(cursor.slice(source), [b'"', b'a' | b'\\', ..]) || !notifies(cursor, source),
        None => has_record_key(cursor, whole),
    }
}

/// Whether the object at a place is a record.
pub(crate) fn is_record_at(cursor: &Cursor<'_>, object: Value) -> bool {
    Signs::of(cursor, object).is_ok_and(|signs| matches!(signs.what(cursor), What::Record))
}

/// Whether an unknown key is one that rows have, perhaps written with escapes.
#[inline]
fn may_be_of_row(cursor: &Cursor<'_>, name: Name) -> bool {
    let Name::Key(start, end) = name else { return false };
    let key = &cursor.bytes()[start as usize..end as usize];
    ROW_KEYS.contains(&key) || key.contains(&b'\\')
}

/// The column that [`is_record`] needs.
pub(crate) fn telling_column() -> Option<ColumnId> {
    event_source()
}

#[cold]
fn has_record_key(cursor: &Cursor<'_>, whole: Value) -> bool {
    let mut found = false;
    let walked = each_member(cursor, whole, |cursor, key, _| {
        found |= RECORD_KEYS.iter().any(|name| *name.as_bytes() == *cursor.name(key));
    });
    walked.is_ok() && found
}

#[cold]
fn notifies(cursor: &Cursor<'_>, source: Value) -> bool {
    cursor.string(source).is_some_and(|source| source.starts_with(NOTIFIES))
}

/// Why a string that is not JSON is skipped.
pub(crate) fn of_text(text: &[u8]) -> Skip {
    if text.starts_with(CONTROL) { Skip::ControlMessage } else { Skip::NotCloudTrail }
}

/// The string under a key of an object; the last one if the key is repeated.
pub(crate) fn string_member(cursor: &Cursor<'_>, object: Value, wanted: &[u8]) -> Option<Value> {
    let mut found = None;
    let walked = each_member(cursor, object, |cursor, key, value| {
        if *cursor.name(key) == *wanted && first(cursor, value) == b'"' {
            found = Some(value);
        }
    });
    walked.ok().and(found)
}

fn each_member(cursor: &Cursor<'_>, object: Value, mut tell: impl FnMut(&Cursor<'_>, Key, Value)) -> Result<(), Error> {
    let mut inside = cursor.back_to(object);
    let mut more = inside.enter_object()?;
    while more {
        let key = inside.key()?;
        let value = inside.value()?;
        tell(cursor, key, value);
        more = inside.next_member()?;
    }
    Ok(())
}

/// Whether a value is an object, or the text of one.
fn may_hold_object(cursor: &Cursor<'_>, value: Value) -> bool {
    first(cursor, value) == b'{' || is_text_of_object(cursor, value)
}

fn is_text_of_object(cursor: &Cursor<'_>, value: Value) -> bool {
    cursor.slice(value).starts_with(b"\"{")
}

fn first(cursor: &Cursor<'_>, value: Value) -> u8 {
    cursor.bytes()[value.start as usize]
}

fn is(cursor: &Cursor<'_>, value: Value, text: &[u8]) -> bool {
    cursor.string(value).is_some_and(|string| *string == *text)
}
