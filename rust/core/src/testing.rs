//! Shared by tests: windows of text, random JSON and records, and what `serde_json` makes of them.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::{Cursor, Index, PADDING};
use crate::schema::{COLUMNS, ColumnId, Kind, TREE};

/// A text with its padding and its tokens.
pub(crate) struct Window {
    padded: Vec<u8>,
    length: usize,
    index: Index,
}

impl Window {
    pub(crate) fn new(text: impl AsRef<[u8]>) -> Self {
        let mut padded = text.as_ref().to_vec();
        let length = padded.len();
        let mut index = Index::default();
        index.build(&padded);
        padded.resize(length + PADDING, 0);
        Self { padded, length, index }
    }

    /// A cursor at its first byte.
    pub(crate) fn cursor(&self) -> Cursor<'_> {
        Cursor::new(&self.padded, self.length, self.index.tokens())
    }
}

/// Whether a string is one JSON value for `serde_json`, which has no depth limit here and accepts lone surrogates.
pub(crate) fn is_json(text: &[u8]) -> bool {
    str::from_utf8(text).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// The members of an object, in order: the inside of each key and the raw text of each value.
pub(crate) fn members(object: &str) -> Vec<(&str, &str)> {
    struct Members<'a>(Vec<(&'a str, &'a str)>);
    impl<'de> Deserialize<'de> for Members<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Collect;
            impl<'de> Visitor<'de> for Collect {
                type Value = Members<'de>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                    let mut members = Vec::new();
                    while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                        let key = key.get();
                        members.push((&key[1..key.len() - 1], value.get()));
                    }
                    Ok(Members(members))
                }
            }
            deserializer.deserialize_map(Collect)
        }
    }
    serde_json::from_str::<Members<'_>>(object).expect("an object").0
}

/// The elements of an array, as raw text.
pub(crate) fn elements(array: &str) -> Vec<&str> {
    serde_json::from_str::<Vec<&RawValue>>(array).expect("an array").into_iter().map(RawValue::get).collect()
}

/// The text of a JSON string by `serde_json`, and whether it had lone surrogates, which become U+FFFD.
pub(crate) fn decoded(string: &str) -> (String, bool) {
    struct Bytes(Vec<u8>);
    impl<'de> Deserialize<'de> for Bytes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Collect;
            impl Visitor<'_> for Collect {
                type Value = Bytes;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a string")
                }
                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                    Ok(Bytes(bytes.to_vec()))
                }
            }
            deserializer.deserialize_bytes(Collect)
        }
    }
    let mut bytes = serde_json::from_str::<Bytes>(string).expect("a string").0;
    // WTF-8 writes a lone surrogate as ED A0..BF xx, which is in no UTF-8 text; U+FFFD has three bytes too.
    let mut lone = false;
    for at in 0..bytes.len() {
        if bytes[at] == 0xed && bytes[at + 1] >= 0xa0 {
            bytes[at..at + 3].copy_from_slice("\u{fffd}".as_bytes());
            lone = true;
        }
    }
    (String::from_utf8(bytes).expect("UTF-8"), lone)
}

/// A record as its columns and the rest, by `serde_json` and the rules alone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    /// Where the value of each column is, in the order of [`COLUMNS`].
    pub(crate) values: Vec<(&'static str, Range<usize>)>,
    /// Where each value without a column is, and its path, in the order of the record. Elements of lists are not
    /// included.
    pub(crate) strays: Vec<(String, Range<usize>)>,
}

impl Model {
    pub(crate) fn of(record: &str) -> Self {
        let mut model = Self::default();
        model.object(record, None, record);
        model.values.sort_by_key(|&(path, _)| COLUMNS.iter().position(|column| column.path == path));
        model.strays.sort_by_key(|(_, place)| place.start);
        model
    }

    /// The text of a column's value.
    pub(crate) fn get<'a>(&self, record: &'a str, path: &str) -> Option<&'a str> {
        self.values.iter().find(|(known, _)| *known == path).map(|(_, place)| &record[place.clone()])
    }

    fn object(&mut self, record: &str, parent: Option<&str>, object: &str) {
        let place = |value: &str| {
            let start = value.as_ptr() as usize - record.as_ptr() as usize;
            start..start + value.len()
        };
        let path_of = |name: &str| parent.map_or(name.to_owned(), |parent| format!("{parent}.{name}"));
        let members: Vec<_> =
            members(object).into_iter().map(|(key, value)| (key, decoded(&format!("\"{key}\"")), value)).collect();
        for (number, (key, (name, lone), value)) in members.iter().enumerate() {
            let path = path_of(name);
            let column = COLUMNS.iter().find(|column| column.path == path && !*lone);
            let Some(column) =
                column.filter(|column| !matches!(column.kind, Kind::Extra | Kind::Raw | Kind::File | Kind::Record))
            else {
                self.strays.push((path_of(key), place(value)));
                continue;
            };
            if members[number + 1..].iter().any(|(_, (later, lone), _)| later == name && !*lone) {
                self.strays.push((path, place(value)));
                continue;
            }
            self.values.push((column.path, place(value)));
            if column.kind == Kind::Object && value.starts_with('{') {
                self.object(record, Some(column.path), value);
            }
        }
    }
}

/// Mostly nothing, or white space.
pub(crate) fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just(""), 1 => select(vec![" ", "\n", "\t", "\r\n", "  "])]
}

/// The inside of a JSON string: plain text, every kind of escape, lone surrogates.
pub(crate) fn inside() -> impl Strategy<Value = String> {
    let short = [r#"\""#, r"\\", r"\/", r"\b", r"\f", r"\n", r"\r", r"\t"];
    let numbers = [r"\u0041", r"\u00e9", r"\u0022", r"\uD83D\ude00", r"\ud800", r"\uDFFF", r"\u0000"];
    let escapes = [&short[..], &numbers].concat();
    let part = prop_oneof![
        6 => "[ !#-\\[\\]-~]{0,9}",
        1 => select(escapes).prop_map(str::to_owned),
        1 => "[é€😀\u{7f}]{1,4}",
    ];
    vec(part, 0..4).prop_map(|parts| parts.concat())
}

fn quoted(inside: &str) -> String {
    format!("\"{inside}\"")
}

/// A JSON value that is neither an object nor an array.
pub(crate) fn scalar() -> impl Strategy<Value = String> {
    let words = ["null", "true", "false", "\"true\"", "\"False\""];
    let times = ["\"2023-07-10T11:42:36Z\"", "\"2023-02-30T00:00:00Z\""];
    let telling = [&words[..], &times].concat();
    prop_oneof![
        5 => inside().prop_map(|inside| quoted(&inside)),
        1 => select(telling).prop_map(str::to_owned),
        1 => "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
    ]
}

/// Any JSON value.
pub(crate) fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 12, 3, |value| {
        let member = (inside().prop_map(|key| quoted(&key)), value.clone());
        prop_oneof![vec(value, 0..3).prop_flat_map(array), vec(member, 0..3).prop_flat_map(object)]
    })
}

/// An array of these values, with white space here and there.
pub(crate) fn array(values: Vec<String>) -> impl Strategy<Value = String> {
    vec([space(), space()], values.len() + 1).prop_map(move |spaces| {
        let parts: Vec<_> =
            values.iter().zip(&spaces).map(|(value, [before, after])| format!("{before}{value}{after}")).collect();
        format!("[{}{}]", spaces[values.len()][0], parts.join(","))
    })
}

/// An object of these members, each a key in quotes and a value, with white space here and there.
pub(crate) fn object(members: Vec<(String, String)>) -> impl Strategy<Value = String> {
    vec([space(), space(), space(), space()], members.len() + 1).prop_map(move |spaces| {
        let parts = members
            .iter()
            .zip(&spaces)
            .map(|((key, value), [one, two, three, four])| format!("{one}{key}{two}:{three}{value}{four}"));
        let parts: Vec<_> = parts.collect();
        format!("{{{}{}}}", spaces[members.len()][0], parts.join(","))
    })
}

/// A record: known keys in their places, mostly with values that fit; unknown, repeated and escaped keys; values of
/// other types.
pub(crate) fn record() -> BoxedStrategy<String> {
    vec(member(None), 0..9).prop_flat_map(object).boxed()
}

fn member(parent: Option<ColumnId>) -> BoxedStrategy<(String, String)> {
    let children = parent.map_or(&TREE.roots, |parent| &TREE.members[parent as usize]);
    let known = select(children.clone()).prop_flat_map(|id| (key(id), fitting(id)));
    let unknown = (inside().prop_map(|key| quoted(&key)), value());
    if children.is_empty() { unknown.boxed() } else { prop_oneof![8 => known, 1 => unknown].boxed() }
}

/// The key of a column.
fn key(id: ColumnId) -> impl Strategy<Value = String> {
    let name = COLUMNS[id as usize].path.rsplit('.').next().expect("a name");
    (0..12 * name.len()).prop_map(move |at| spelled(name, at))
}

/// A plain string in quotes, with the character at this index, if there is one, as an escape.
fn spelled(text: &str, at: usize) -> String {
    let Some(byte) = text.as_bytes().get(at) else { return quoted(text) };
    format!("\"{}\\u{byte:04x}{}\"", &text[..at], &text[at + 1..])
}

/// A value for a column: mostly one that fits.
fn fitting(id: ColumnId) -> BoxedStrategy<String> {
    let fitting = match COLUMNS[id as usize].kind {
        Kind::Object => vec(member(Some(id)), 0..5).prop_flat_map(object).boxed(),
        Kind::List => {
            let element = prop_oneof![6 => vec(member(Some(id)), 0..4).prop_flat_map(object), 1 => value()];
            vec(element, 0..3).prop_flat_map(array).boxed()
        }
        Kind::Flag => {
            let word = (select(vec!["true", "False"]), 0..20usize).prop_map(|(word, at)| spelled(word, at));
            prop_oneof![select(vec!["true", "false"]).prop_map(str::to_owned), word].boxed()
        }
        Kind::Time => {
            let time =
                "20[0-2][0-9]-0[1-9]-[0-2][0-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]0[0-9]:30)";
            (time, 0..99usize).prop_map(|(time, at)| spelled(&time, at)).boxed()
        }
        _ => scalar().boxed(),
    };
    prop_oneof![6 => fitting, 1 => value(), 1 => Just("null".to_owned())].boxed()
}

/// Text with some characters replaced, removed or added: usually not JSON any more.
pub(crate) fn damaged(text: String) -> impl Strategy<Value = String> {
    let character = select(vec![
        '"', '\\', '{', '}', '[', ']', ',', ':', 'u', '0', '1', 'e', '-', '.', ' ', '\n', '\0', '\u{1f}', 'é', 'n', 't',
    ]);
    vec((any::<prop::sample::Index>(), 0..3u8, character), 1..3).prop_map(move |changes| {
        let mut characters: Vec<char> = text.chars().collect();
        for (at, change, character) in changes {
            let at = at.index(characters.len() + 1);
            match change {
                0 => characters.insert(at, character),
                1 if at < characters.len() => drop(characters.remove(at)),
                2 if at < characters.len() => characters[at] = character,
                _ => {}
            }
        }
        characters.into_iter().collect()
    })
}

/// The inside of a JSON string for `text`, spelled according to `choices`.
pub(crate) fn escaped(text: &str, choices: &[u8]) -> String {
    let mut inside = String::new();
    for (character, choice) in text.chars().zip(choices.iter().chain(std::iter::repeat(&0))) {
        let must = matches!(character, '"' | '\\') || character < ' ';
        match (character, choice % 8) {
            ('"' | '\\', 0..=5) => inside.extend(['\\', character]),
            (_, 0..=6) if !must => inside.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let digits = format!("{unit:04x}");
                    inside += "\\u";
                    inside += &if choice % 2 == 0 { digits } else { digits.to_uppercase() };
                }
            }
        }
    }
    inside
}

/// What a predicate or a column sees of the value of a text column.
pub(crate) fn text_of(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes()[0] {
        b'n' => None,
        b'"' => Some(Cow::Owned(decoded(value).0)),
        _ => Some(Cow::Borrowed(value)),
    }
}
