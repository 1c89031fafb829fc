//! The grammar of event patterns, read from JSON text.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::alternative::{Affix, Alternative, AnythingBut, End, Literal, Number, Range};
use super::error::{PatternError, PatternErrorKind};
use super::wildcard::Wildcard;
use super::{Combination, Pattern};
use crate::error::{Error, ErrorKind};
use crate::filter::{Block, Folded};
use crate::json::{Cursor, Index, PADDING, unescape};

/// Most bytes of a pattern. `PutRule` takes 4,096 characters; rules that were made by a program may be longer.
const MAX_LENGTH: usize = 16 << 20;
/// Deepest nesting of objects.
const MAX_DEPTH: usize = 256;
/// Most fields that one combination may ask for, as in AWS's matcher.
const MAX_FIELDS: usize = 256;
/// Most combinations that `$or` may make: `EventBridge` refuses a rule with more.
const MAX_COMBINATIONS: usize = 1000;
/// Most bytes of all combinations together, as if each had all of the pattern.
const MAX_SPELLED_OUT: usize = 64 << 20;

/// What cannot be the name of a field inside of `$or`: operators, and words that are kept free for operators to come.
const RESERVED: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// Reads a pattern.
pub(super) fn parse(text: &str) -> Result<Pattern, PatternError> {
    let whole = |kind| PatternError { kind, field: String::new(), line: 1, column: 1 };
    if text.len() > MAX_LENGTH {
        return Err(whole(PatternErrorKind::TooLong(MAX_LENGTH)));
    }
    let mut padded = text.as_bytes().to_vec();
    padded.resize(text.len() + PADDING, 0);
    let mut index = Index::default();
    index.build(text.as_bytes());
    let cursor = Cursor::new(&padded, text.len(), index.tokens());
    let mut parser = Parser { text, cursor, names: Vec::new(), or: 0 };
    parser.cursor.skip_space();
    parser.expect(Kind::Object, "an event pattern")?;
    let mut combinations = vec![BTreeMap::new()];
    parser.object(&mut combinations)?;
    parser.cursor.skip_space();
    if parser.cursor.at < parser.cursor.end() {
        return Err(parser.error(PatternErrorKind::TrailingText));
    }
    Ok(Pattern { combinations })
}

/// The kinds of values that the grammar tells apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    List,
    String,
    Number,
    Flag,
    Null,
    EndOfList,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::List => "a list",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Flag => "true or false",
            Self::Null => "null",
            Self::EndOfList => "the end of the list",
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    cursor: Cursor<'a>,
    /// The keys of the objects around this place.
    names: Vec<String>,
    /// How many lists of `$or` are around this place.
    or: usize,
}

type Parsed<T> = Result<T, PatternError>;

impl Parser<'_> {
    /// Something is wrong at the byte where the cursor stands.
    fn error(&self, kind: PatternErrorKind) -> PatternError {
        self.error_at(self.cursor.at, kind)
    }

    fn error_at(&self, byte: usize, kind: PatternErrorKind) -> PatternError {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        PatternError {
            kind,
            field: self.names.join("."),
            line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
            column: line.chars().count() + 1,
        }
    }

    /// What the cursor has found to be no JSON.
    fn json<T>(&self, result: Result<T, Error>) -> Parsed<T> {
        result.map_err(|error| {
            let byte = error.location().byte.unwrap_or_default() as usize;
            let found = self.text.get(byte..).and_then(|rest| rest.chars().next());
            let expected = match error.kind() {
                ErrorKind::InvalidJson { expected, .. } => expected,
                ErrorKind::TooDeep(_) => "a value that is nested less deep",
                _ => "an escape for a control character",
            };
            self.error_at(byte, PatternErrorKind::InvalidJson(expected, found))
        })
    }

    /// The kind of value that starts here.
    fn kind(&self) -> Parsed<Kind> {
        Ok(match self.cursor.byte() {
            b'{' => Kind::Object,
            b'[' => Kind::List,
            b'"' => Kind::String,
            b'-' | b'0'..=b'9' => Kind::Number,
            b't' | b'f' => Kind::Flag,
            b'n' => Kind::Null,
            b']' => Kind::EndOfList,
            _ => return self.json(Err(self.cursor.unexpected("a value"))),
        })
    }

    /// Refuses a value of another kind.
    fn expect(&self, kind: Kind, of: &'static str) -> Parsed<()> {
        if self.kind()? == kind { Ok(()) } else { Err(self.wrong_type(of, kind.words())) }
    }

    /// The refusal of the value that starts here.
    fn wrong_type(&self, of: &'static str, expected: &'static str) -> PatternError {
        match self.kind() {
            Ok(found) => self.error(PatternErrorKind::WrongType { of, expected, found: found.words() }),
            Err(error) => error,
        }
    }

    /// Passes the `{` here and the key behind it, or the `,` and the next key; `None` behind the `}`.
    fn key(&mut self, first: bool) -> Parsed<Option<String>> {
        let more = if first { self.cursor.enter_object() } else { self.cursor.next_member() };
        if !self.json(more)? {
            return Ok(None);
        }
        let key = self.cursor.key();
        let key = self.json(key)?;
        Ok(Some(unescaped(&self.text[key.start..key.end])))
    }

    /// Passes a value that is neither an object nor a list; as it stands.
    fn scalar(&mut self) -> Parsed<&str> {
        let value = self.cursor.value();
        let value = self.json(value)?;
        Ok(&self.text[value.start as usize..value.end as usize])
    }

    /// Passes a string.
    fn string(&mut self, of: &'static str) -> Parsed<String> {
        self.expect(Kind::String, of)?;
        let string = self.scalar()?;
        Ok(unescaped(&string[1..string.len() - 1]))
    }

    /// Passes an object, and adds what it asks for to each combination.
    fn object(&mut self, combinations: &mut Vec<Combination>) -> Parsed<()> {
        let start = self.cursor.at;
        if self.names.len() + self.or >= MAX_DEPTH {
            return Err(self.error(PatternErrorKind::TooDeep(MAX_DEPTH)));
        }
        let mut empty = true;
        while let Some(name) = self.key(empty)? {
            empty = false;
            if name == "$or" {
                self.or(combinations)?;
                continue;
            }
            if self.or > 0 && RESERVED.contains(&&*name) {
                return Err(self.error(PatternErrorKind::Reserved(name)));
            }
            self.names.push(name);
            match self.cursor.byte() {
                b'{' => self.object(combinations)?,
                b'[' => self.field(combinations)?,
                _ => return Err(self.wrong_type("a field", "an object or a list")),
            }
            self.names.pop();
        }
        if empty { Err(self.error_at(start, PatternErrorKind::EmptyObject)) } else { Ok(()) }
    }

    /// Passes the list of `$or`: each combination so far goes on with each of its objects.
    fn or(&mut self, combinations: &mut Vec<Combination>) -> Parsed<()> {
        let start = self.cursor.at;
        self.expect(Kind::List, "\"$or\"")?;
        self.or += 1;
        let before = std::mem::take(combinations);
        let mut objects = 0;
        let mut more = self.cursor.enter_array();
        while self.json(more)? {
            self.expect(Kind::Object, "an element of \"$or\"")?;
            let mut with = before.clone();
            self.object(&mut with)?;
            combinations.append(&mut with);
            let limit = MAX_COMBINATIONS.min(MAX_SPELLED_OUT / self.text.len());
            if combinations.len() > limit {
                return Err(self.error_at(start, PatternErrorKind::TooManyCombinations(limit)));
            }
            objects += 1;
            more = self.cursor.next_element();
        }
        self.or -= 1;
        if objects < 2 { Err(self.error_at(start, PatternErrorKind::OrTooShort)) } else { Ok(()) }
    }

    /// Passes the list of a field. A field that was there before is replaced: names are joined with dots before they are compared.
    fn field(&mut self, combinations: &mut [Combination]) -> Parsed<()> {
        let start = self.cursor.at;
        let mut alternatives = Vec::new();
        let mut more = self.cursor.enter_array();
        while self.json(more)? {
            alternatives.push(self.alternative()?);
            more = self.cursor.next_element();
        }
        if alternatives.is_empty() {
            return Err(self.error_at(start, PatternErrorKind::EmptyArray));
        }
        let alternatives: Arc<[Alternative]> = alternatives.into();
        let name = self.names.join(".");
        for combination in combinations {
            combination.insert(name.clone(), Arc::clone(&alternatives));
            if combination.len() > MAX_FIELDS {
                return Err(self.error_at(start, PatternErrorKind::TooManyFields(MAX_FIELDS)));
            }
        }
        Ok(())
    }

    fn alternative(&mut self) -> Parsed<Alternative> {
        Ok(match self.kind()? {
            Kind::Object => self.operator()?,
            Kind::String => {
                let text = self.string("a value")?;
                Block::single(&text).map_or(Alternative::Text(text), Alternative::Address)
            }
            Kind::Number => Alternative::Number(Number::new(self.scalar()?)),
            Kind::Flag if self.scalar()? == "true" => Alternative::Literal(Literal::True),
            Kind::Flag => Alternative::Literal(Literal::False),
            Kind::Null => {
                self.scalar()?;
                Alternative::Literal(Literal::Null)
            }
            Kind::List | Kind::EndOfList => {
                return Err(self.wrong_type("a value", "a string, a number, true, false, null or an operator"));
            }
        })
    }

    /// Passes an object of one operator.
    fn operator(&mut self) -> Parsed<Alternative> {
        let start = self.cursor.at;
        let Some(name) = self.key(true)? else { return Err(self.error_at(start, PatternErrorKind::EmptyObject)) };
        let alternative = match &*name {
            "exactly" => Alternative::Exactly(self.string("\"exactly\"")?),
            "prefix" => Alternative::Prefix(self.affix("prefix", "\"prefix\"")?),
            "suffix" => Alternative::Suffix(self.affix("suffix", "\"suffix\"")?),
            "equals-ignore-case" => Alternative::EqualsIgnoreCase(Folded::new(&self.string("\"equals-ignore-case\"")?)),
            "wildcard" => Alternative::Wildcard(self.wildcard()?),
            "numeric" => Alternative::Numeric(self.numeric()?),
            "cidr" => {
                let at = self.cursor.at;
                let block = Block::parse(&self.string("\"cidr\"")?);
                Alternative::Cidr(block.map_err(|error| self.error_at(at, PatternErrorKind::Block(error)))?)
            }
            "exists" => {
                self.expect(Kind::Flag, "\"exists\"")?;
                Alternative::Exists(self.scalar()? == "true")
            }
            "anything-but" => Alternative::AnythingBut(self.anything_but()?),
            _ => return Err(self.error_at(start, PatternErrorKind::UnknownOperator(name))),
        };
        self.end_of_operator()?;
        Ok(alternative)
    }

    /// Passes the `}` behind the only member of an operator's object.
    fn end_of_operator(&mut self) -> Parsed<()> {
        let at = self.cursor.at;
        let more = self.cursor.next_member();
        if self.json(more)? { Err(self.error_at(at, PatternErrorKind::SeveralOperators)) } else { Ok(()) }
    }

    /// Passes the value of `prefix` or `suffix`: a string, or an object of `equals-ignore-case`.
    fn affix(&mut self, operator: &'static str, of: &'static str) -> Parsed<Affix> {
        if self.cursor.byte() != b'{' {
            return Ok(Affix::Exact(self.string(of)?));
        }
        let name = self.inner_operator()?;
        if name != "equals-ignore-case" {
            return Err(self.error(PatternErrorKind::UnsupportedOperator(operator, name)));
        }
        let folded = Folded::new(&self.string("\"equals-ignore-case\"")?);
        self.end_of_operator()?;
        Ok(Affix::IgnoreCase(folded))
    }

    /// Passes the `{` and the key of an operator's object inside of another.
    fn inner_operator(&mut self) -> Parsed<String> {
        let start = self.cursor.at;
        self.key(true)?.ok_or_else(|| self.error_at(start, PatternErrorKind::EmptyObject))
    }

    fn wildcard(&mut self) -> Parsed<Wildcard> {
        let at = self.cursor.at;
        let text = self.string("\"wildcard\"")?;
        Wildcard::parse(&text).map_err(|error| self.error_at(at, PatternErrorKind::Wildcard(error)))
    }

    /// Passes a number that is to be compared.
    fn number(&mut self, of: &'static str) -> Parsed<Number> {
        let at = self.cursor.at;
        self.expect(Kind::Number, of)?;
        let number = Number::new(self.scalar()?);
        if number.value().is_none() {
            return Err(self.error_at(at, PatternErrorKind::Incomparable(number.text().to_owned())));
        }
        Ok(number)
    }
}

impl Parser<'_> {
    /// Passes the list of `numeric`: one comparison, or a lower end and then an upper one.
    fn numeric(&mut self) -> Parsed<Range> {
        let start = self.cursor.at;
        self.expect(Kind::List, "\"numeric\"")?;
        let more = self.cursor.enter_array();
        if !self.json(more)? {
            return Err(self.error_at(start, PatternErrorKind::EmptyArray));
        }
        let (mut range, more) = self.comparison("'=', '<', '<=', '>' or '>='")?;
        if !more {
            return Ok(range);
        }
        if range.top.is_some() {
            return Err(self.error(PatternErrorKind::NumericTooLong));
        }
        let at = self.cursor.at;
        let (upper, more) = self.comparison("'<' or '<='")?;
        if more {
            return Err(self.error(PatternErrorKind::NumericTooLong));
        }
        range.top = upper.top;
        let value = |end: &Option<End>| end.as_ref().and_then(|end| end.number.value());
        if value(&range.bottom) >= value(&range.top) {
            return Err(self.error_at(at, PatternErrorKind::NumericRange));
        }
        Ok(range)
    }

    /// Passes one of the `expected` comparisons and its number, and the `,` or `]` behind; whether it was a `,`.
    fn comparison(&mut self, expected: &'static str) -> Parsed<(Range, bool)> {
        let at = self.cursor.at;
        let sign = self.string("a comparison of \"numeric\"")?;
        if !expected.contains(&format!("'{sign}'")) {
            return Err(self.error_at(at, PatternErrorKind::NumericOperator(sign, expected)));
        }
        let more = self.cursor.next_element();
        if !self.json(more)? {
            return Err(self.error_at(at, PatternErrorKind::NumericValue(sign)));
        }
        let end = End { number: self.number("the value of a comparison in \"numeric\"")?, included: sign.ends_with('=') };
        let range = match sign.as_bytes()[0] {
            b'=' => Range { bottom: Some(end.clone()), top: Some(end) },
            b'>' => Range { bottom: Some(end), top: None },
            _ => Range { bottom: None, top: Some(end) },
        };
        let more = self.cursor.next_element();
        Ok((range, self.json(more)?))
    }
}

impl Parser<'_> {
    /// Passes the value of `anything-but`: a string, a number, a list of either, or an object of one operator on strings.
    fn anything_but(&mut self) -> Parsed<AnythingBut> {
        if self.cursor.byte() != b'{' {
            return self.anything_but_values();
        }
        let name = self.inner_operator()?;
        let excluded = match &*name {
            "prefix" => AnythingBut::Prefix(self.affixes("\"prefix\"")?),
            "suffix" => AnythingBut::Suffix(self.affixes("\"suffix\"")?),
            "equals-ignore-case" => {
                let each = |parser: &mut Self| Ok(Folded::new(&parser.string("\"equals-ignore-case\"")?));
                AnythingBut::EqualsIgnoreCase(self.one_or_more(each)?)
            }
            "wildcard" => AnythingBut::Wildcard(self.one_or_more(Self::wildcard)?),
            _ => return Err(self.error(PatternErrorKind::UnsupportedOperator("anything-but", name))),
        };
        self.end_of_operator()?;
        Ok(excluded)
    }

    fn anything_but_values(&mut self) -> Parsed<AnythingBut> {
        let start = self.cursor.at;
        let (mut strings, mut numbers) = (Vec::new(), Vec::new());
        self.one_or_more(|parser| {
            match parser.kind()? {
                Kind::String => strings.push(parser.string("\"anything-but\"")?),
                Kind::Number => numbers.push(parser.number("\"anything-but\"")?),
                _ => return Err(parser.wrong_type("a value of \"anything-but\"", "a string or a number")),
            }
            Ok(())
        })?;
        match (strings.is_empty(), numbers.is_empty()) {
            (_, true) => Ok(AnythingBut::Strings(strings)),
            (true, _) => Ok(AnythingBut::Numbers(numbers)),
            _ => Err(self.error_at(start, PatternErrorKind::MixedList)),
        }
    }

    fn affixes(&mut self, of: &'static str) -> Parsed<Vec<String>> {
        self.one_or_more(|parser| {
            let at = parser.cursor.at;
            let text = parser.string(of)?;
            if text.is_empty() { Err(parser.error_at(at, PatternErrorKind::EmptyAffix)) } else { Ok(text) }
        })
    }

    /// Passes one value, or a list of values.
    fn one_or_more<T>(&mut self, mut each: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        if self.cursor.byte() != b'[' {
            return Ok(vec![each(self)?]);
        }
        let start = self.cursor.at;
        let mut values = Vec::new();
        let mut more = self.cursor.enter_array();
        while self.json(more)? {
            values.push(each(self)?);
            more = self.cursor.next_element();
        }
        if values.is_empty() { Err(self.error_at(start, PatternErrorKind::EmptyArray)) } else { Ok(values) }
    }
}

/// What the inside of a JSON string says.
fn unescaped(inside: &str) -> String {
    if !inside.contains('\\') {
        return inside.to_owned();
    }
    let mut text = Vec::new();
    unescape(inside.as_bytes(), &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
