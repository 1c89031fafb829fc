//! A small JSON text as a tree with the positions of its parts: for conditions that users write, not for records.

use super::{Cursor, Index, PADDING, unescape};
use crate::error::{Error, ErrorKind};

/// The longest text, in bytes. Positions have 32 bits; no real condition is nearly as long.
const MAX_LENGTH: usize = 1 << 24;

/// A value, and the byte of the text at which it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: usize,
    pub(crate) content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Null,
    Flag(bool),
    /// The number as written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// In the order of the text; keys may be repeated.
    Object(Vec<Member>),
}

/// A member of an object, and the byte of the text at which its key begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) at: usize,
    pub(crate) key: String,
    pub(crate) value: Node,
}

impl Node {
    /// Parses a text that is one JSON value; the cursor limits its nesting.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_LENGTH {
            return Err(Error::at(MAX_LENGTH, ErrorKind::DocumentTooLarge(MAX_LENGTH as u64)));
        }
        let mut padded = text.as_bytes().to_vec();
        let mut index = Index::default();
        index.build(&padded);
        padded.resize(text.len() + PADDING, 0);
        let mut cursor = Cursor::new(&padded, text.len(), index.tokens());
        cursor.skip_space();
        let value = cursor.value()?;
        cursor.skip_space();
        if cursor.at < cursor.end() {
            return Err(cursor.unexpected("the end"));
        }
        build(&mut cursor.back_to(value))
    }

    /// The kind of value, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match self.content {
            Content::Null => "null",
            Content::Flag(_) => "a boolean",
            Content::Number(_) => "a number",
            Content::Text(_) => "a string",
            Content::List(_) => "an array",
            Content::Object(_) => "an object",
        }
    }
}

fn build(cursor: &mut Cursor<'_>) -> Result<Node, Error> {
    let at = cursor.at;
    let content = match cursor.byte() {
        b'{' => {
            let mut members = Vec::new();
            let mut more = cursor.enter_object()?;
            while more {
                let at = cursor.at;
                let key = cursor.key()?;
                let key = text(&cursor.bytes()[key.start..key.end]);
                members.push(Member { at, key, value: build(cursor)? });
                more = cursor.next_member()?;
            }
            Content::Object(members)
        }
        b'[' => {
            let mut items = Vec::new();
            let mut more = cursor.enter_array()?;
            while more {
                items.push(build(cursor)?);
                more = cursor.next_element()?;
            }
            Content::List(items)
        }
        _ => {
            let value = cursor.value()?;
            match cursor.slice(value) {
                b"null" => Content::Null,
                b"true" => Content::Flag(true),
                b"false" => Content::Flag(false),
                [b'"', inside @ .., b'"'] => Content::Text(text(inside)),
                number => Content::Number(String::from_utf8_lossy(number).into_owned()),
            }
        }
    };
    Ok(Node { at, content })
}

fn text(inside: &[u8]) -> String {
    let mut text = Vec::new();
    unescape(inside, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_with_its_place() {
        let document = Node::parse(" {\"a\": [1.0, \"\\u0041\\n\", true, null], \"a\":{}} ").expect("JSON");
        let Content::Object(members) = &document.content else { panic!("{document:?}") };
        let [first, second] = &members[..] else { panic!("{members:?}") };
        assert_eq!((document.at, first.at, first.value.at, second.at), (1, 2, 7, 38));
        assert_eq!((first.key.as_str(), second.key.as_str(), second.value.kind()), ("a", "a", "an object"));
        let Content::List(items) = &first.value.content else { panic!("{first:?}") };
        let contents: Vec<_> = items.iter().map(|item| item.content.clone()).collect();
        let (number, string) = (Content::Number("1.0".into()), Content::Text("A\n".into()));
        assert_eq!(contents, [number, string, Content::Flag(true), Content::Null]);
    }

    #[test]
    fn what_is_no_json_and_where() {
        for (text, message) in [
            ("", "invalid JSON: unexpected end at byte 0"),
            ("{\"a\":1} x", "invalid JSON: expected the end but found 'x' at byte 8"),
            ("[1,]", "invalid JSON: expected a value but found ']' at byte 3"),
            ("\"a\nb\"", "invalid JSON: control character 0x0a in a string at byte 2"),
        ] {
            assert_eq!(Node::parse(text).expect_err(text).to_string(), message);
        }
        assert!(
            Node::parse(&"[".repeat(100_000)).expect_err("too deep").to_string().starts_with("nested deeper than 1024")
        );
    }
}
