//! What a record says, independent of its spelling: two deliveries of one event may differ in the order of members, in
//! white space and in escapes, and say the same.

use std::cmp::Ordering;

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
    written: Written,
    /// The members of all objects that are being read.
    members: Vec<Member>,
    orders: Orders,
    sorted: Written,
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
    pub(super) fn object(&mut self, cursor: &mut Cursor<'_>, member: impl FnMut(&[u8], &[u8])) -> Result<&[u8], Error> {
        self.written.truncate(0);
        self.members.clear();
        self.open(cursor, member)?;
        Ok(self.written.since(0))
    }

    /// Records were walked before, so their depth is bounded by [`crate::json::MAX_DEPTH`].
    fn value(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Error> {
        let start = self.written.end;
        match cursor.byte() {
            b'{' => self.open(cursor, |_, _| ())?,
            b'[' => {
                self.written.mark(b'[');
                let mut more = cursor.enter_array()?;
                while more {
                    self.value(cursor)?;
                    more = cursor.next_element()?;
                }
                self.written.mark(b']');
            }
            b'"' => {
                let value = cursor.value()?;
                self.string(cursor, value);
                return Ok(());
            }
            _ => {
                let value = cursor.value()?;
                self.written.part(b'n', cursor.bytes(), value.start as usize, value.end as usize);
                return Ok(());
            }
        }
        if self.written.end - start > SMALL {
            let hash = digest(&SHA256, self.written.since(start));
            self.written.truncate(start);
            self.written.mark(b'h');
            self.written.copy(hash.as_ref(), 0, hash.as_ref().len());
        }
        Ok(())
    }

    fn open(&mut self, cursor: &mut Cursor<'_>, mut member: impl FnMut(&[u8], &[u8])) -> Result<(), Error> {
        let first_member = self.members.len();
        self.written.mark(b'{');
        let mut keys = 0;
        let mut more = cursor.enter_object()?;
        while more {
            let plain = cursor.plain_member();
            let key = plain.map_or_else(|| cursor.key(), |(key, _)| Ok(key))?;
            let start = self.written.end;
            let text = self.text(cursor.bytes(), key.start, key.end, key.escaped);
            let value = self.written.end;
            match plain {
                // Neither has escapes.
                Some((_, value)) => {
                    self.written.part(b's', cursor.bytes(), value.start as usize + 1, value.end as usize - 1);
                }
                None => self.value(cursor)?,
            }
            let end = self.written.end;
            member(self.written.between(text, value), self.written.between(value, end));
            let first = self.written.first_bytes(text, value);
            keys = Orders::mixed(keys, first);
            self.members.push(Member { first, start, text, value, end });
            more = cursor.next_member()?;
        }
        self.sort(first_member, keys);
        self.members.truncate(first_member);
        self.written.mark(b'}');
        Ok(())
    }

    /// Sorts the members from `first` on by key; members of the same key keep their order. `keys` distinguishes most
    /// sequences of keys.
    fn sort(&mut self, first: usize, keys: u64) {
        let Self { written, members, orders, sorted, .. } = self;
        let members = &members[first..];
        let key = |member: &Member| written.between(member.text, member.value);
        let compare = |one: &Member, other: &Member| one.first.cmp(&other.first).then_with(|| key(one).cmp(key(other)));
        if members.is_sorted_by(|one, other| compare(one, other).is_le()) {
            return;
        }
        let order =
            orders.of(keys, members.len(), |one, other| compare(&members[one], &members[other]).then(one.cmp(&other)));
        sorted.truncate(0);
        for &number in order {
            let Member { start, end, .. } = members[number as usize];
            sorted.copy(&written.bytes, start, end);
        }
        written.truncate(members[0].start);
        written.copy(&sorted.bytes, 0, sorted.end);
    }

    fn string(&mut self, cursor: &Cursor<'_>, value: Value) {
        self.text(cursor.bytes(), value.start as usize + 1, value.end as usize - 1, cursor.is_escaped(value));
    }

    /// Writes the decoded text of a string, and returns where it begins. With a lone surrogate, which stands for no
    /// text, the string is written as spelled.
    #[inline(always)]
    fn text(&mut self, bytes: &[u8], start: usize, end: usize, escaped: bool) -> usize {
        if escaped { self.escaped_text(bytes, start, end) } else { self.written.part(b's', bytes, start, end) }
    }

    fn escaped_text(&mut self, bytes: &[u8], start: usize, end: usize) -> usize {
        self.said.clear();
        let replaced = unescape(&bytes[start..end], &mut self.said);
        if replaced {
            self.written.part(b'r', bytes, start, end)
        } else {
            self.written.part(b's', &self.said, 0, self.said.len())
        }
    }
}

/// Bytes one after another, with room after them.
#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    end: usize,
}

/// Texts of up to this many bytes are copied with a fixed size, in fewer steps: most are short.
const SHORT: usize = 64;

impl Written {
    fn truncate(&mut self, end: usize) {
        self.end = end;
    }

    fn since(&self, start: usize) -> &[u8] {
        self.between(start, self.end)
    }

    fn between(&self, start: usize, end: usize) -> &[u8] {
        &self.bytes[start..end]
    }

    /// Makes room for so many bytes, a head, and what a copy of fixed size writes beyond.
    #[inline(always)]
    fn reserve(&mut self, bytes: usize) {
        let needed = self.end + bytes + LONGEST_HEAD + SHORT;
        if needed > self.bytes.len() {
            self.grow(needed);
        }
    }

    #[cold]
    fn grow(&mut self, needed: usize) {
        self.bytes.resize(needed.next_power_of_two(), 0);
    }

    /// Writes one byte, which is no text.
    fn mark(&mut self, mark: u8) {
        self.reserve(1);
        self.bytes[self.end] = mark;
        self.end += 1;
    }

    /// Writes the kind, the length in groups of seven bits, and the bytes, and returns where the bytes begin.
    #[inline(always)]
    fn part(&mut self, kind: u8, from: &[u8], start: usize, end: usize) -> usize {
        self.reserve(end - start);
        self.bytes[self.end] = kind;
        let mut length = end - start;
        while length >= 0x80 {
            self.end += 1;
            self.bytes[self.end] = length as u8 | 0x80;
            length >>= 7;
        }
        self.bytes[self.end + 1] = length as u8;
        self.end += 2;
        let text = self.end;
        self.copy(from, start, end);
        text
    }

    /// Writes `from[start..end]`.
    #[inline(always)]
    fn copy(&mut self, from: &[u8], start: usize, end: usize) {
        let length = end - start;
        self.reserve(length);
        match (from[start..].first_chunk::<SHORT>(), self.bytes[self.end..].first_chunk_mut()) {
            (Some(from), Some(to)) if length <= SHORT => *to = *from,
            _ => self.bytes[self.end..self.end + length].copy_from_slice(&from[start..end]),
        }
        self.end += length;
    }

    /// The first bytes of a key as a number, so that numbers sort as keys do; a short key is padded with zeros.
    fn first_bytes(&self, start: usize, end: usize) -> u64 {
        let first = self.bytes[start..].first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
        let bits = 8 * (end - start);
        if bits < 64 { first & !(u64::MAX >> bits) } else { first }
    }
}

/// Whether a written value is a string, and not an empty one.
pub(super) fn is_text(written: &[u8]) -> bool {
    matches!(written, [b's' | b'r', length, ..] if *length > 0)
}

/// The most bytes before a text: its kind, and a length of 32 bits.
const LONGEST_HEAD: usize = 6;

/// In which order members are sorted, by their keys: objects of one kind have theirs in the same order again and again.
struct Orders(Vec<Order>);

/// An order that was found before.
#[derive(Clone, Default)]
struct Order {
    keys: u64,
    numbers: Vec<u32>,
}

/// Orders that are kept, and the most members of an object for that.
const KEPT: usize = 256;
const MEMBERS: usize = 64;

impl Default for Orders {
    fn default() -> Self {
        // The last one is for larger objects.
        Self(vec![Order::default(); KEPT + 1])
    }
}

impl Orders {
    /// A number for a sequence of keys and one more.
    fn mixed(keys: u64, next: u64) -> u64 {
        (keys.rotate_left(5) ^ next).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// The order in which `members` things are sorted.
    fn of(&mut self, keys: u64, members: usize, compare: impl Fn(usize, usize) -> Ordering) -> &[u32] {
        let place = if members > MEMBERS { KEPT } else { (keys >> (u64::BITS - KEPT.ilog2())) as usize };
        let order = &mut self.0[place];
        let is_before = |one: &u32, other: &u32| compare(*one as usize, *other as usize).is_lt();
        // Other keys may have the same number, so the order is checked.
        let is_right = order.keys == keys && order.numbers.len() == members && order.numbers.is_sorted_by(is_before);
        if !is_right {
            order.keys = keys;
            order.numbers.clear();
            order.numbers.extend(0..members as u32);
            order.numbers.sort_unstable_by(|one, other| compare(*one as usize, *other as usize));
        }
        &order.numbers
    }
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

    #[test]
    fn an_order_that_was_found_for_other_keys_is_not_used() {
        let mut orders = Orders::default();
        for values in [&[3, 1, 2][..], &[1, 3, 2], &[3, 1, 2], &[2, 1], &[0; 3], &[5; 2 * MEMBERS]] {
            let compare = |one: usize, other: usize| values[one].cmp(&values[other]).then(one.cmp(&other));
            let sorted: Vec<_> = orders.of(7, values.len(), compare).iter().map(|&place| place as usize).collect();
            let mut expected: Vec<_> = (0..values.len()).collect();
            expected.sort_by_key(|&place| values[place]);
            assert_eq!(sorted, expected);
        }
    }

    #[test]
    fn what_was_written_before_makes_no_difference() {
        let texts =
            [r#"{"b":1,"a":"x"}"#, r#"{"b":1,"aa":"xy"}"#, r#"{"b":2,"a":"y"}"#, r#"{"b":{"d":1,"c":2},"a":"\n"}"#];
        let mut content = Content::default();
        for text in texts.iter().chain(texts.iter().rev()) {
            let window = Window::new(text);
            let again = content.object(&mut window.cursor(), |_, _| ()).expect("an object").to_owned();
            assert_eq!(again, written(text), "{text}");
        }
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
