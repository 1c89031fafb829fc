//! A record as a key: which event it is, and what it says of it.

use ring::digest::{Context, SHA256, digest};

use super::content::{Content, is_text};
use crate::error::Error;
use crate::json::Cursor;

/// Two halves, of 128 bits of a SHA-256 each: that of the event, and that of what the record says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) [u8; KEY]);

/// Bytes of a key, and of half of it.
pub(super) const KEY: usize = 2 * HALF;
const HALF: usize = 16;

impl Key {
    fn new(event: &[u8], content: &[u8]) -> Self {
        Self(std::array::from_fn(|byte| if byte < HALF { event[byte] } else { content[byte - HALF] }))
    }

    /// Which event it is.
    pub(super) fn event(&self) -> &[u8] {
        &self.0[..HALF]
    }

    /// One of the four words.
    pub(super) fn word(&self, number: usize) -> u64 {
        u64::from_be_bytes(std::array::from_fn(|byte| self.0[8 * number + byte]))
    }

    /// The least key of the event.
    pub(super) fn least(&self) -> Self {
        Self::new(self.event(), &[0; HALF])
    }
}

/// The fields that tell which event it is, as they were written; empty where they are not there.
#[derive(Default)]
struct Fields {
    event: Vec<u8>,
    account: Vec<u8>,
    /// Of aggregated events, whose names are others.
    aggregated: Vec<u8>,
    aggregated_account: Vec<u8>,
}

impl Fields {
    fn clear(&mut self) {
        [&mut self.event, &mut self.account, &mut self.aggregated, &mut self.aggregated_account].into_iter().for_each(Vec::clear);
    }

    /// The id and the account, if there is an id that says something.
    fn identity(&self) -> Option<(&[u8], &[u8])> {
        let known = [(&self.event, &self.account), (&self.aggregated, &self.aggregated_account)];
        let known = known.into_iter().find(|(event, _)| is_text(event));
        known.map(|(event, account)| (event.as_slice(), account.as_slice()))
    }
}

/// Makes keys, and holds those of the rows of a batch.
#[derive(Default)]
pub(crate) struct Keys {
    content: Content,
    fields: Fields,
    rows: RowKeys,
}

impl Keys {
    /// That of the record at the cursor: none for a record that does not say which event it is.
    pub(crate) fn of(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<Key>, Error> {
        let Self { content, fields, .. } = self;
        fields.clear();
        let written = content.object(cursor, |key, value| {
            let known = match key {
                b"eventID" => &mut fields.event,
                b"recipientAccountId" => &mut fields.account,
                b"eventId" => &mut fields.aggregated,
                b"accountId" => &mut fields.aggregated_account,
                _ => return,
            };
            known.clear(); // the last of several counts
            known.extend_from_slice(value);
        })?;
        let said = digest(&SHA256, written);
        Ok(self.fields.identity().map(|(event, account)| {
            let mut context = Context::new(&SHA256);
            context.update(event);
            context.update(account);
            Key::new(context.finish().as_ref(), said.as_ref())
        }))
    }

    /// The next row has this key.
    pub(crate) fn push(&mut self, key: Option<Key>) {
        self.rows.0.push(key);
    }

    /// The keys so far, and a fresh start.
    pub(crate) fn take(&mut self) -> RowKeys {
        std::mem::take(&mut self.rows)
    }
}

/// The keys of the rows of one batch, in order.
#[derive(Default)]
pub(crate) struct RowKeys(pub(super) Vec<Option<Key>>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Window;

    fn key(text: &str) -> Option<Key> {
        Keys::default().of(&mut Window::new(text).cursor()).expect("a record")
    }

    #[test]
    fn an_event_is_its_id_and_its_account() {
        let known = key(r#"{"eventID":"a","recipientAccountId":"1","x":1}"#).expect("a key");
        let event = |text: &str| key(text).expect("a key").event().to_owned();
        assert_eq!(Some(known), key(r#"{"x":1,"recipientAccountId":"1","eventID":"\u0061"}"#));
        assert_eq!(known.event(), event(r#"{"eventID":"a","recipientAccountId":"1","x":2}"#));
        for other in [
            r#"{"eventID":"b","recipientAccountId":"1","x":1}"#,
            r#"{"eventID":"a","recipientAccountId":"2","x":1}"#,
            r#"{"eventID":"a","recipientAccountId":null,"x":1}"#,
            r#"{"eventID":"a1","x":1}"#,
            r#"{"eventID":"a","x":1}"#,
            r#"{"eventID":"a","detail":{"eventID":"a","recipientAccountId":"1"}}"#,
        ] {
            assert_ne!(known.event(), event(other), "{other}");
        }
    }

    #[test]
    fn an_aggregated_event_has_names_of_its_own() {
        let one = key(r#"{"eventId":"a","accountId":"1","eventType":"AwsAggregatedEvent"}"#).expect("a key");
        let other = key(r#"{"eventId":"a","accountId":"2","eventType":"AwsAggregatedEvent"}"#).expect("a key");
        assert_ne!(one.event(), other.event());
    }

    #[test]
    fn without_an_id_there_is_no_key() {
        for text in ["{}", r#"{"eventID":null}"#, r#"{"eventID":""}"#, r#"{"eventID":7}"#, r#"{"recipientAccountId":"1"}"#] {
            assert_eq!(key(text), None, "{text}");
        }
    }
}
