//! Calls that tell when a trail began: `CreateTrail` and `StartLogging`, as the log files hold them.
//!
//! Every log file that is hashed is searched for their names; only those that hold one are taken apart. What is believed are successful
//! calls in log files that a valid digest lists, and that have the listed hash.

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

/// A call about a trail that went well.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    /// When, in microseconds since 1970.
    pub(crate) time: i64,
    pub(crate) what: What,
    pub(crate) account: Arc<str>,
    /// Where it was called: trails are made and started in their home region.
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
    // What is before damage counts: the hash of the whole is right.
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

/// The members of an object that are asked for; `None` for those that are not there.
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

/// What a record says, if it is a call about a trail that went well.
fn call(cursor: &Cursor<'_>) -> Result<Option<Call>, Error> {
    let names = ["eventSource", "eventName", "eventTime", "errorCode", "awsRegion", "recipientAccountId", "requestParameters"];
    let start = cursor.back_to(Value { start: cursor.at as u32, end: 0, token: cursor.token() as u32 });
    let [source, name, time, error, region, account, parameters] = members(start, names)?;
    let text = |value: Option<Value>| cursor.string(value?).and_then(|text| String::from_utf8(text.into_owned()).ok());
    let is_null = |value: Option<Value>| value.is_none_or(|value| cursor.slice(value) == b"null");
    let Some(parameters) = parameters else { return Ok(None) };
    let [trail, validated] = members(cursor.back_to(parameters), ["name", "enableLogFileValidation"])?;
    let what = match text(name).as_deref() {
        Some("CreateTrail") => What::Created { is_validated: validated.is_some_and(|value| cursor.slice(value) == b"true") },
        Some("StartLogging") => What::Started,
        _ => return Ok(None),
    };
    let is_ours = text(source).as_deref() == Some("cloudtrail.amazonaws.com") && is_null(error);
    let time = text(time).and_then(|time| timestamp(time.as_bytes()));
    let (Some(time), Some(trail), Some(region), Some(account)) = (time, text(trail), text(region), text(account)) else {
        return Ok(None);
    };
    // A trail is named by its name or by its ARN.
    let trail = trail.rsplit_once(":trail/").map_or(&*trail, |(_, name)| name).into();
    Ok(is_ours.then(|| Call { time, what, account: account.into(), region: region.into(), trail }))
}

impl Call {
    /// Whether it is about the trail of a chain. That of an organisation is made in its management account.
    pub(crate) fn is_about(&self, place: &Place, id: &ChainId) -> bool {
        self.trail == id.trail && self.region == id.home_region && (self.account == place.account || place.org.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATED: &str = r#"{"eventTime":"2024-03-01T10:00:00Z","eventSource":"cloudtrail.amazonaws.com","eventName":"CreateTrail","awsRegion":"eu-west-1","recipientAccountId":"111122223333","requestParameters":{"name":"audit","enableLogFileValidation":true},"errorCode":null}"#;

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
        assert_eq!(found.iter().map(|call| call.what).collect::<Vec<_>>(), [What::Created { is_validated: true }, What::Started]);
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
