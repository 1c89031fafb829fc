//! What a record says, independent of its spelling: two deliveries of one event may differ in the order of members, in
//! white space and in escapes, and say the same.

use ring::digest::{SHA256, digest};

use crate::error::Error;
use crate::json::{Cursor, Value, unescape};

/// Objects and arrays of more bytes than this are replaced by their hash. So little is sorted in an object, however
/// deeply it is nested.
const SMALL: usize = 4096;

/// Writes JSON in one form: members sorted by key, no white space, no escapes; every part begins with its kind and its
/// length, or ends with a mark, so that different values are written differently. Numbers are distinguished by their
/// text, and members of the same key by their order: equal forms mean equal values, but not the other way round.
#[derive(Default)]
pub(super) struct Content {
    written: Vec<u8>,
    /// The members of all objects that are being read.
    members: Vec<Member>,
    sorted: Vec<u8>,
    /// The decoded text of a string with escapes.
    said: Vec<u8>,
}

/// A member as it was written.
struct Member {
    /// The first bytes of its key, which distinguish most keys.
    first: u64,
    /// The start of the key, including the kind and length before its text.
    start: usize,
    text: usize,
    /// Start and end of its value.
    value: usize,
    end: usize,
}

impl Content {
    /// Passes the object at the cursor, and calls `member` with the key and the written form of each of its members.
    pub(super) fn object(
        &mut self,
        cursor: &mut Cursor<'_>,
        mut member: impl FnMut(&[u8], &[u8]),
    ) -> Result<&[u8], Error> {
        self.written.clear();
        self.members.clear();
        self.open(cursor, &mut member)?;
        Ok(&self.written)
    }

    /// Records were walked before, so their depth is bounded by [`crate::json::MAX_DEPTH`].
    fn value(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Error> {
        let start = self.written.len();
        match cursor.byte() {
            b'{' => self.open(cursor, &mut |_, _| ())?,
            b'[' => {
                self.written.push(b'[');
                let mut more = cursor.enter_array()?;
                while more {
                    self.value(cursor)?;
                    more = cursor.next_element()?;
                }
                self.written.push(b']');
            }
            b'"' => {
                let value = cursor.value()?;
                self.string(cursor, value);
                return Ok(());
            }
            _ => {
                let value = cursor.value()?;
                self.part(b'n', cursor.slice(value));
                return Ok(());
            }
        }
        if self.written.len() - start > SMALL {
            let hash = digest(&SHA256, &self.written[start..]);
            self.written.truncate(start);
            self.written.push(b'h');
            self.written.extend_from_slice(hash.as_ref());
        }
        Ok(())
    }

    fn open(&mut self, cursor: &mut Cursor<'_>, member: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), Error> {
        let first = self.members.len();
        self.written.push(b'{');
        let mut more = cursor.enter_object()?;
        while more {
            let plain = cursor.plain_member();
            let key = plain.map_or_else(|| cursor.key(), |(key, _)| Ok(key))?;
            let start = self.written.len();
            let text = self.text(&cursor.bytes()[key.start..key.end], key.escaped);
            let value = self.written.len();
            match plain {
                Some((_, value)) => self.string(cursor, value),
                None => self.value(cursor)?,
            }
            member(&self.written[text..value], &self.written[value..]);
            let first = first_bytes(&self.written[text..value]);
            self.members.push(Member { first, start, text, value, end: self.written.len() });
            more = cursor.next_member()?;
        }
        self.sort(first);
        self.members.truncate(first);
        self.written.push(b'}');
        Ok(())
    }

    /// Sorts the members from `first` on by key; members of the same key keep their order.
    fn sort(&mut self, first: usize) {
        let Self { written, members, sorted, .. } = self;
        let members = &mut members[first..];
        let key = |member: &Member| &written[member.text..member.value];
        let compare = |one: &Member, other: &Member| one.first.cmp(&other.first).then_with(|| key(one).cmp(key(other)));
        if members.is_sorted_by(|one, other| compare(one, other).is_le()) {
            return;
        }
        let start = members[0].start;
        members.sort_by(compare);
        sorted.clear();
        for member in members.iter() {
            sorted.extend_from_slice(&written[member.start..member.end]);
        }
        written[start..].copy_from_slice(sorted);
    }

    fn string(&mut self, cursor: &Cursor<'_>, value: Value) {
        self.text(&cursor.bytes()[value.start as usize + 1..value.end as usize - 1], cursor.is_escaped(value));
    }

    /// Writes the decoded text of a string, and returns where it begins. With a lone surrogate, which stands for no
    /// text, the string is written as spelled.
    fn text(&mut self, inside: &[u8], escaped: bool) -> usize {
        if !escaped {
            return self.part(b's', inside);
        }
        let mut said = std::mem::take(&mut self.said);
        said.clear();
        let replaced = unescape(inside, &mut said);
        let text = if replaced { self.part(b'r', inside) } else { self.part(b's', &said) };
        self.said = said;
        text
    }

    /// Writes the kind, the length in groups of seven bits, and the bytes, and returns where the bytes begin.
    fn part(&mut self, kind: u8, bytes: &[u8]) -> usize {
        self.written.reserve(LONGEST_HEAD + bytes.len());
        self.written.push(kind);
        let mut length = bytes.len();
        while length >= 0x80 {
            self.written.push(length as u8 | 0x80);
            length >>= 7;
        }
        self.written.push(length as u8);
        self.written.extend_from_slice(bytes);
        self.written.len() - bytes.len()
    }
}

/// Whether a written value is a string, and not an empty one.
pub(super) fn is_text(written: &[u8]) -> bool {
    matches!(written, [b's' | b'r', length, ..] if *length > 0)
}

/// The most bytes before a text: its kind, and a length of 32 bits.
const LONGEST_HEAD: usize = 6;

/// The first bytes of a key as a number, so that numbers sort as keys do; a short key is padded with zeros.
fn first_bytes(key: &[u8]) -> u64 {
    let mut first = [0; size_of::<u64>()];
    let length = key.len().min(first.len());
    first[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::*;
    use crate::testing::Window;

    fn written(text: &str) -> Vec<u8> {
        let window = Window::new(text);
        Content::default().object(&mut window.cursor(), |_, _| ()).expect("an object").to_owned()
    }

    #[test]
    fn order_space_and_escapes_do_not_count() {
        let one = r#"{"a":{"x":1,"y":[true,null,"=\n"]},"b":"é"}"#;
        for other in [
            r#"{"b":"é","a":{"y":[true,null,"=\n"],"x":1}}"#,
            "{ \"a\" : {\"x\":1 , \"y\":[ true,null,\"\\u003d\\u000a\" ]},\r\n\"b\":\"\\u00e9\" }",
            r#"{"\u0062":"é","\u0061":{"\u0079":[true,null,"=\n"],"x":1}}"#,
        ] {
            assert_eq!(written(one), written(other), "{other}");
        }
    }

    #[test]
    fn everything_else_counts() {
        let all = [
            r#"{"a":1}"#,
            r#"{"a":1.0}"#,
            r#"{"a":"1"}"#,
            r#"{"a":[1]}"#,
            r#"{"a":[[],1]}"#,
            r#"{"a":[1,[]]}"#,
            r#"{"a":null}"#,
            "{}",
            r#"{"a":{}}"#,
            r#"{"":1}"#,
            r#"{"":{"":1}}"#,
            r#"{"a":"","b":""}"#,
            r#"{"a":"b"}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":2,"a":1}"#,
            r#"{"a":"\ud83d"}"#,
            r#"{"a":"\ude00"}"#,
            r#"{"a":"\ufffd"}"#,
        ];
        for (number, one) in all.iter().enumerate() {
            for other in &all[..number] {
                assert_ne!(written(one), written(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn what_is_large_is_hashed_and_differs_where_it_differs() {
        let long = "x".repeat(3 * SMALL);
        let (one, other) = (format!(r#"{{"a":["{long}",1],"b":0}}"#), format!(r#"{{"b":0,"a":["{long}",2]}}"#));
        assert!(written(&one).len() < SMALL);
        assert_eq!(written(&one), written(&format!(r#"{{"b":0,"a":["{long}",1]}}"#)));
        assert_ne!(written(&one), written(&other));
    }

    fn objects() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (0..9u8).prop_map(Json::from),
            "[a-c\"\\n=]{0,3}".prop_map(Json::from)
        ];
        let value = leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                proptest::collection::hash_map("[a-c]{0,2}", inner, 0..4).prop_map(Json::from_iter),
            ]
        });
        proptest::collection::hash_map("[a-c]{0,2}", value, 0..4).prop_map(Json::from_iter)
    }

    /// Members in another order.
    fn turned(value: &Json) -> String {
        match value {
            Json::Object(map) => {
                let members =
                    map.iter().rev().map(|(key, value)| format!("{} : {}", Json::from(key.as_str()), turned(value)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(" ,"))
            }
            Json::Array(list) => format!("[{}]", list.iter().map(turned).collect::<Vec<_>>().join(",")),
            other => other.to_string(),
        }
    }

    proptest! {
        #[test]
        fn alike_if_and_only_if_equal(one in objects(), other in objects()) {
            prop_assert_eq!(written(&one.to_string()), written(&turned(&one)));
            prop_assert_eq!(written(&one.to_string()) == written(&other.to_string()), one == other);
        }
    }
}
