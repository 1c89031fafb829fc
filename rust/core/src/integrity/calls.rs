//! Calls that show when a trail began: `CreateTrail` and `StartLogging`, from log files.
//!
//! Every log file that is hashed is searched for their names, and only those that contain one are parsed. A call counts
//! if it succeeded, and if its log file has the hash that a valid digest lists.

use std::sync::Arc;

use crate::arena::Arena;
use crate::digest::names_calls;
use crate::error::Error;
use crate::event::{Framing, Origin, Visitor};
use crate::json::{Cursor, Index, Value};
use crate::scalar::timestamp;
use crate::source::Skip;

use super::archive::Place;
use super::node::ChainId;

/// A successful call about a trail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    /// When, in microseconds since 1970.
    pub(crate) time: i64,
    pub(crate) what: What,
    pub(crate) account: Arc<str>,
    /// The region of the call: trails are created and started in their home region.
    pub(crate) region: Arc<str>,
    pub(crate) trail: Arc<str>,
}

/// Which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// `CreateTrail`, and whether it asked for digests.
    Created { is_validated: bool },
    /// `StartLogging`.
    Started,
}

/// The calls in a text, up to where it is damaged.
pub(crate) fn calls(text: &Arena, index: &mut Index) -> Vec<Call> {
    index.build(text.text(0));
    let mut found = Found(Vec::new());
    let mut cursor = Cursor::new(text.padded(0), text.len(), index.tokens());
    // Records before the damage count, since the hash of the whole file matches.
    let _ = Framing::default().run(&mut cursor, &mut found, true);
    found.0
}

struct Found(Vec<Call>);

impl Visitor for Found {
    fn record(&mut self, cursor: &mut Cursor<'_>, _: Origin, _: u64) -> Result<bool, Error> {
        let record = cursor.value()?;
        if names_calls(cursor.slice(record)) {
            self.0.extend(call(&cursor.back_to(record))?);
        }
        Ok(true)
    }

    fn bad_record(&mut self, _: Error) {}

    fn skip(&mut self, _: Skip, _: usize, _: u64) {}
}

/// The needed members of an object; `None` for missing ones.
fn members<const N: usize>(mut cursor: Cursor<'_>, names: [&str; N]) -> Result<[Option<Value>; N], Error> {
    let mut found = [None; N];
    if cursor.byte() != b'{' {
        return Ok(found);
    }
    let mut more = cursor.enter_object()?;
    while more {
        let key = cursor.key()?;
        let value = cursor.value()?;
        let name = &cursor.bytes()[key.start..key.end];
        if let Some(at) = names.iter().position(|wanted| wanted.as_bytes() == name) {
            found[at] = Some(value);
        }
        more = cursor.next_member()?;
    }
    Ok(found)
}

/// The call in a record, if it is a successful one about a trail.
fn call(cursor: &Cursor<'_>) -> Result<Option<Call>, Error> {
    let names =
        ["eventSource", "eventName", "eventTime", "errorCode", "awsRegion", "recipientAccountId", "requestParameters"];
    let start = cursor.back_to(Value { start: cursor.at as u32, end: 0, token: cursor.token() as u32 });
    let [source, name, time, error, region, account, parameters] = members(start, names)?;
    let text = |value: Option<Value>| cursor.string(value?).and_then(|text| String::from_utf8(text.into_owned()).ok());
    let is_null = |value: Option<Value>| value.is_none_or(|value| cursor.slice(value) == b"null");
    let Some(parameters) = parameters else { return Ok(None) };
    let [trail, validated] = members(cursor.back_to(parameters), ["name", "enableLogFileValidation"])?;
    let what = match text(name).as_deref() {
        Some("CreateTrail") => {
            What::Created { is_validated: validated.is_some_and(|value| cursor.slice(value) == b"true") }
        }
        Some("StartLogging") => What::Started,
        _ => return Ok(None),
    };
    let is_ours = text(source).as_deref() == Some("cloudtrail.amazonaws.com") && is_null(error);
    let time = text(time).and_then(|time| timestamp(time.as_bytes()));
    let (Some(time), Some(trail), Some(region), Some(account)) = (time, text(trail), text(region), text(account))
    else {
        return Ok(None);
    };
    // Calls name a trail by its name or its ARN.
    let trail = trail.rsplit_once(":trail/").map_or(&*trail, |(_, name)| name).into();
    Ok(is_ours.then(|| Call { time, what, account: account.into(), region: region.into(), trail }))
}

impl Call {
    /// Whether it is about the trail of a chain. An organisation's trail is created in the management account.
    pub(crate) fn is_about(&self, place: &Place, id: &ChainId) -> bool {
        self.trail == id.trail
            && self.region == id.home_region
            && (self.account == place.account || place.org.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATED: &str = concat!(
        r#"{"eventTime":"2024-03-01T10:00:00Z","eventSource":"cloudtrail.amazonaws.com","#,
        r#""eventName":"CreateTrail","awsRegion":"eu-west-1","recipientAccountId":"111122223333","#,
        r#""requestParameters":{"name":"audit","enableLogFileValidation":true},"errorCode":null}"#
    );

    fn read(records: &str) -> Vec<Call> {
        let text = format!(r#"{{"Records":[{records}]}}"#);
        let mut arena = Arena::new(text.len());
        arena.append(|bytes| bytes.extend_from_slice(text.as_bytes()));
        calls(&arena, &mut Index::default())
    }

    #[test]
    fn calls_that_went_well() {
        let arn = CREATED
            .replace("CreateTrail", "StartLogging")
            .replace("\"audit\"", "\"arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit\"");
        let found = read(&format!("{{\"eventName\":\"GetObject\"}},{CREATED},{arn}"));
        assert_eq!(
            found.iter().map(|call| call.what).collect::<Vec<_>>(),
            [What::Created { is_validated: true }, What::Started]
        );
        assert!(found.iter().all(|call| &*call.trail == "audit" && &*call.region == "eu-west-1"));
    }

    #[test]
    fn what_is_none() {
        for (from, to) in [
            ("null}", "\"AccessDenied\"}"),
            ("cloudtrail.amazonaws", "s3.amazonaws"),
            ("\"CreateTrail\"", "\"DeleteTrail\",\"x\":\"CreateTrail\""),
            ("\"name\"", "\"other\""),
            ("10:00:00Z", "soon"),
        ] {
            assert!(CREATED.contains(from));
            assert_eq!(read(&CREATED.replace(from, to)), [], "{to}");
        }
    }
}
