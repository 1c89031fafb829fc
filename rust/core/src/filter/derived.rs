//! Values that other AWS services derive from a record, under names of their own.

use std::borrow::Cow;

use super::path::Derived;
use crate::error::Error;
use crate::event::Record;
use crate::json::Cursor;
use crate::partition::partition;
use crate::scalar::flag;
use crate::schema::{ColumnId, find};

/// The columns from which values are derived.
pub(super) struct Sources {
    category: ColumnId,
    event_type: ColumnId,
    event_source: ColumnId,
    event_name: ColumnId,
    management: ColumnId,
    insight: ColumnId,
    resources: ColumnId,
    region: ColumnId,
    parameters: ColumnId,
    account: ColumnId,
    time: ColumnId,
    id: ColumnId,
}

/// Two if AWS's own pages disagree, none if nothing can be derived.
type Texts = [Option<Cow<'static, [u8]>>; 2];

const NONE: Texts = [None, None];

impl Sources {
    pub(super) fn new() -> Self {
        let column = |path| find(path).expect("a column of the table");
        Self {
            category: column("eventCategory"),
            event_type: column("eventType"),
            event_source: column("eventSource"),
            event_name: column("eventName"),
            management: column("managementEvent"),
            insight: column("insightDetails"),
            resources: column("resources"),
            region: column("awsRegion"),
            parameters: column("requestParameters"),
            account: column("recipientAccountId"),
            time: column("eventTime"),
            id: column("eventID"),
        }
    }

    /// The columns that must be noted for a record.
    pub(super) fn columns(&self, derived: Derived) -> u128 {
        match derived {
            Derived::Category => {
                1 << self.category
                    | 1 << self.event_type
                    | 1 << self.event_source
                    | 1 << self.event_name
                    | 1 << self.management
                    | 1 << self.insight
                    | 1 << self.resources
            }
            Derived::DetailType => 1 << self.event_type | 1 << self.event_source,
            Derived::Source => 1 << self.event_source | 1 << self.event_type | 1 << self.insight,
            Derived::Account => 1 << self.account,
            Derived::Time => 1 << self.time,
            Derived::Region => 1 << self.region,
            Derived::Id => 1 << self.id,
            Derived::Resources => 0,
            Derived::ObjectArn => {
                1 << self.event_source | 1 << self.resources | 1 << self.region | 1 << self.parameters
            }
        }
    }

    /// The derived strings.
    pub(super) fn texts(&self, derived: Derived, record: &Record, cursor: &Cursor<'_>) -> Texts {
        let text = |column: ColumnId| record.get(column).and_then(|value| cursor.string(value));
        let event_type = text(self.event_type);
        let one = |text: Option<Cow<'_, [u8]>>| [text.map(|text| Cow::Owned(text.into_owned())), None];
        let fixed = |text: &'static str| [Some(Cow::Borrowed(text.as_bytes())), None];
        match derived {
            Derived::Category => match text(self.category) {
                Some(category) => one(Some(category)),
                None => fixed(self.category(event_type.as_deref(), record, cursor)),
            },
            Derived::DetailType => match event_type.as_deref() {
                // Early records call a sign-in an API call, and those before version 1.02 have no type at all.
                None | Some(b"AwsApiCall") if text(self.event_source).as_deref() == Some(b"signin.amazonaws.com") => {
                    sign_in()
                }
                None | Some(b"AwsApiCall") => fixed("AWS API Call via CloudTrail"),
                Some(b"AwsServiceEvent") => fixed("AWS Service Event via CloudTrail"),
                Some(b"AwsConsoleAction") => fixed("AWS Console Action via CloudTrail"),
                Some(b"AwsConsoleSignIn") => sign_in(),
                Some(b"AwsCloudTrailInsight") => fixed("AWS Insight via CloudTrail"),
                Some(other) if other.starts_with(b"AwsVpceEvent") => fixed("AWS Network Activity Event via CloudTrail"),
                Some(_) => NONE,
            },
            Derived::Source => match text(self.event_source) {
                Some(source) => {
                    let end = memchr::memmem::find(&source, b".amazonaws.com").unwrap_or(source.len());
                    one(Some(Cow::Owned([b"aws.", &source[..end]].concat())))
                }
                // Insights have no source of their own: CloudTrail itself sends them.
                None if self.is_insight(event_type.as_deref(), record, cursor) => fixed("aws.cloudtrail"),
                None => NONE,
            },
            Derived::Account => one(text(self.account)),
            Derived::Time => one(text(self.time)),
            Derived::Region => one(text(self.region)),
            Derived::Id => one(text(self.id)),
            Derived::Resources => NONE,
            Derived::ObjectArn => one(self.object_arn(record, cursor).map(Cow::Owned)),
        }
    }

    /// `arn:aws:s3:::bucket/key` for an S3 call that lists no object among its resources.
    fn object_arn(&self, record: &Record, cursor: &Cursor<'_>) -> Option<Vec<u8>> {
        let text = |column: ColumnId| record.get(column).and_then(|value| cursor.string(value));
        if self.has_object(record, cursor) || text(self.event_source).as_deref() != Some(b"s3.amazonaws.com") {
            return None;
        }
        let parameters = record.get(self.parameters).filter(|value| cursor.slice(*value).starts_with(b"{"))?;
        let [mut bucket, mut key] = [None, None];
        let mut inside = cursor.back_to(parameters);
        let mut more = inside.enter_object().ok()?;
        while more {
            let key_here = inside.key().ok()?;
            let value = inside.value().ok()?;
            match &*inside.name(key_here) {
                b"bucketName" => bucket = inside.string(value),
                b"key" => key = inside.string(value),
                _ => {}
            }
            more = inside.next_member().ok()?;
        }
        let region = text(self.region);
        let partition = partition(region.as_deref().and_then(|region| str::from_utf8(region).ok()).unwrap_or_default());
        let parts: [&[u8]; 6] = [b"arn:", partition.as_bytes(), b":s3:::", &bucket?, b"/", &key?];
        Some(parts.concat())
    }

    /// The category of a record without one: records have it since version 1.07.
    fn category(&self, event_type: Option<&[u8]>, record: &Record, cursor: &Cursor<'_>) -> &'static str {
        if self.is_insight(event_type, record, cursor) {
            return "Insight";
        }
        if event_type.is_some_and(|name| name.starts_with(b"AwsVpceEvent")) {
            return "NetworkActivity";
        }
        let management = record.get(self.management).filter(|&value| cursor.slice(value) != b"null");
        let is_data = match management {
            Some(value) => flag(cursor.slice(value), cursor.string(value).as_deref()) == Some(false),
            None => self.is_early_data_event(record, cursor),
        };
        if is_data { "Data" } else { "Management" }
    }

    fn is_insight(&self, event_type: Option<&[u8]>, record: &Record, cursor: &Cursor<'_>) -> bool {
        let details = record.get(self.insight).is_some_and(|details| cursor.slice(details) != b"null");
        event_type == Some(b"AwsCloudTrailInsight") || details
    }

    /// Before version 1.06, only the call itself identifies a data event: a call on S3 objects, or an invocation of a
    /// Lambda function.
    fn is_early_data_event(&self, record: &Record, cursor: &Cursor<'_>) -> bool {
        let is = |column: ColumnId, text: &[u8]| {
            record.get(column).and_then(|value| cursor.string(value)).is_some_and(|found| *found == *text)
        };
        self.has_object(record, cursor)
            || is(self.event_name, b"Invoke") && is(self.event_source, b"lambda.amazonaws.com")
    }

    /// Whether an object in S3 is among the resources.
    fn has_object(&self, record: &Record, cursor: &Cursor<'_>) -> bool {
        record.get(self.resources).is_some_and(|resources| {
            let text = cursor.slice(resources);
            // Few records contain the string at all, and hardly any has escapes.
            let may = memchr::memmem::find(text, OBJECT).is_some() || memchr::memchr(b'\\', text).is_some();
            may && text.starts_with(b"[") && names_object(cursor.back_to(resources)).unwrap_or(false)
        })
    }
}

const OBJECT: &[u8] = b"AWS::S3::Object";

/// Whether an element of the array here is of the type of objects in S3.
fn names_object(mut inside: Cursor<'_>) -> Result<bool, Error> {
    let mut more_elements = inside.enter_array()?;
    while more_elements {
        let mut is_object = false;
        if inside.byte() == b'{' {
            let mut more_members = inside.enter_object()?;
            while more_members {
                let key = inside.key()?;
                let value = inside.value()?;
                if *inside.name(key) == *b"type" {
                    is_object = inside.string(value).as_deref() == Some(OBJECT);
                }
                more_members = inside.next_member()?;
            }
        } else {
            inside.value()?;
        }
        if is_object {
            return Ok(true);
        }
        more_elements = inside.next_element()?;
    }
    Ok(false)
}

/// AWS's pages spell the detail type of sign-ins in two ways.
fn sign_in() -> Texts {
    [&b"AWS Console Sign In via CloudTrail"[..], b"AWS Console Signin via CloudTrail"].map(|text| Some(text.into()))
}
