//! A record as a key: which event it reports, and what it says about it.

use ring::digest::{Context, SHA256, digest};

use super::content::{Content, is_text};
use crate::error::Error;
use crate::json::Cursor;

/// Two halves, each 128 bits of a SHA-256: of the event's identity, and of what the record says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) [u8; KEY]);

/// Bytes of a key, and of half of it.
pub(super) const KEY: usize = 2 * HALF;
const HALF: usize = 16;
/// Begins what is hashed of a place. The written form of an id begins with its kind, which is another letter.
const PLACE: &[u8] = b"place";

impl Key {
    fn new(event: &[u8], content: &[u8]) -> Self {
        Self(std::array::from_fn(|byte| if byte < HALF { event[byte] } else { content[byte - HALF] }))
    }

    /// The key of a record whose event has no id: its place stands for that, a file and the number of the record in it.
    fn of_place(file: &str, record: u32, content: &[u8]) -> Self {
        let mut place = Context::new(&SHA256);
        place.update(PLACE);
        place.update(&record.to_be_bytes());
        place.update(file.as_bytes());
        Self::new(place.finish().as_ref(), content)
    }

    /// The half that identifies the event.
    pub(super) fn event(&self) -> &[u8] {
        &self.0[..HALF]
    }

    /// One of the four 64-bit words.
    pub(super) fn word(&self, number: usize) -> u64 {
        u64::from_be_bytes(std::array::from_fn(|byte| self.0[8 * number + byte]))
    }

    /// The least key of the event.
    pub(super) fn least(&self) -> Self {
        Self::new(self.event(), &[0; HALF])
    }
}

/// The fields that identify the event, in written form; empty if absent.
#[derive(Default)]
struct Fields {
    event: Vec<u8>,
    account: Vec<u8>,
    /// The id of an aggregated event, which has a field name of its own.
    aggregated: Vec<u8>,
    aggregated_account: Vec<u8>,
}

impl Fields {
    fn clear(&mut self) {
        [&mut self.event, &mut self.account, &mut self.aggregated, &mut self.aggregated_account]
            .into_iter()
            .for_each(Vec::clear);
    }

    /// The id and the account, if there is an id that is not empty.
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
    /// The key of the record at the cursor, which has this number in this file.
    pub(crate) fn of(&mut self, cursor: &mut Cursor<'_>, file: &str, record: u32) -> Result<RowKey, Error> {
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
            known.clear(); // of duplicate members, the last counts
            known.extend_from_slice(value);
        })?;
        let said = digest(&SHA256, written);
        Ok(match self.fields.identity() {
            Some((event, account)) => {
                let mut context = Context::new(&SHA256);
                context.update(event);
                context.update(account);
                RowKey::Event(Key::new(context.finish().as_ref(), said.as_ref()))
            }
            None => RowKey::Place(Key::of_place(file, record, said.as_ref())),
        })
    }

    /// The next row has this key.
    pub(crate) fn push(&mut self, key: RowKey) {
        self.rows.0.push(key);
    }

    /// Returns the keys so far, and starts anew.
    pub(crate) fn take(&mut self) -> RowKeys {
        std::mem::take(&mut self.rows)
    }
}

/// The key of a row.
#[derive(Clone, Copy)]
pub(crate) enum RowKey {
    /// Of its event.
    Event(Key),
    /// Of its place, since its event has no id.
    Place(Key),
}

/// The keys of the rows of one batch, in order.
#[derive(Default)]
pub(crate) struct RowKeys(pub(super) Vec<RowKey>);

impl RowKeys {
    /// The memory that they hold.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Window;

    fn key(text: &str) -> Option<Key> {
        match Keys::default().of(&mut Window::new(text).cursor(), "file", 7).expect("a record") {
            RowKey::Event(key) => Some(key),
            RowKey::Place(_) => None,
        }
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
        for text in
            ["{}", r#"{"eventID":null}"#, r#"{"eventID":""}"#, r#"{"eventID":7}"#, r#"{"recipientAccountId":"1"}"#]
        {
            assert_eq!(key(text), None, "{text}");
        }
    }

    #[test]
    fn without_an_id_the_place_stands_for_it() {
        let at = |file, record| match Keys::default().of(&mut Window::new("{}").cursor(), file, record) {
            Ok(RowKey::Place(key)) => key,
            _ => panic!("a record without an id"),
        };
        assert_eq!(at("a", 1), at("a", 1));
        assert_ne!(at("a", 1).event(), at("a", 2).event());
        assert_ne!(at("a", 1).event(), at("b", 1).event());
    }
}
