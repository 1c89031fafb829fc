//! The conditions of a pattern on one value.

use std::fmt::{self, Write};

use super::wildcard::Wildcard;
use crate::filter::number::exact;
use crate::filter::{Block, Folded};

/// One element of the list of a field. A value other than an object or an array meets it or not.
#[derive(Debug, Clone, PartialEq)]
pub enum Alternative {
    /// `"x"`: this string.
    Text(String),
    /// `"10.0.0.1"`: a string that is this IP address, in any spelling.
    Address(Block),
    /// `{"exactly": "x"}`: this string.
    Exactly(String),
    /// `300`: a number with this text or this value.
    Number(Number),
    /// `true`, `false`, `null`.
    Literal(Literal),
    /// `{"prefix": "x"}`: a string that starts with this.
    Prefix(Affix),
    /// `{"suffix": "x"}`: a string that ends with this.
    Suffix(Affix),
    /// `{"equals-ignore-case": "x"}`: this string in lower or upper case.
    EqualsIgnoreCase(Folded),
    /// `{"wildcard": "a*b"}`: a string of this form.
    Wildcard(Wildcard),
    /// `{"numeric": [">", 0, "<=", 5]}`: a number in this range.
    Numeric(Range),
    /// `{"cidr": "10.0.0.0/24"}`: a string that is an IP address of this block.
    Cidr(Block),
    /// `{"exists": true}`: any value; `{"exists": false}`: no value.
    Exists(bool),
    /// `{"anything-but": …}`: any value other than these.
    AnythingBut(AnythingBut),
}

/// What `anything-but` excludes. Values of another type are never excluded.
#[derive(Debug, Clone, PartialEq)]
pub enum AnythingBut {
    /// These strings.
    Strings(Vec<String>),
    /// These numbers.
    Numbers(Vec<Number>),
    /// Strings that start with one of these.
    Prefix(Vec<String>),
    /// Strings that end with one of these.
    Suffix(Vec<String>),
    /// These strings in lower or upper case.
    EqualsIgnoreCase(Vec<Folded>),
    /// Strings of one of these forms.
    Wildcard(Vec<Wildcard>),
}

/// The beginning or end of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Affix {
    /// The string itself.
    Exact(String),
    /// In lower or upper case.
    IgnoreCase(Folded),
}

/// A number of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// As it is written in the pattern.
    text: String,
    /// Its value, if it can be compared.
    value: Option<f64>,
}

/// A value that is neither a string nor a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literal {
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

/// The condition of `numeric`; at least one bound, or two equal ones for `=`.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// The least value.
    pub bottom: Option<End>,
    /// The greatest value.
    pub top: Option<End>,
}

/// One bound of a [`Range`].
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// The value of the bound.
    pub number: Number,
    /// Whether the number itself is in the range.
    pub included: bool,
}

impl Number {
    /// A number as JSON writes it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), value: exact(text) }
    }

    /// As it is written in the pattern.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its value; `None` if a double would change it.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.value
    }
}

impl Literal {
    /// As JSON writes it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Null => "null",
        }
    }
}

impl Affix {
    /// As it is written in the pattern.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Exact(text) => text,
            Self::IgnoreCase(folded) => folded.text(),
        }
    }
}

/// A string as JSON, with no more escapes than it needs.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                control if control < ' ' => write!(f, "\\u{:04x}", control as u32)?,
                plain => f.write_char(plain)?,
            }
        }
        f.write_char('"')
    }
}

/// One value by itself, several as a list.
fn one_or_list<T>(
    f: &mut fmt::Formatter<'_>,
    values: &[T],
    mut each: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    if let [value] = values {
        return each(f, value);
    }
    f.write_char('[')?;
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            f.write_char(',')?;
        }
        each(f, value)?;
    }
    f.write_char(']')
}

impl fmt::Display for AnythingBut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |f: &mut fmt::Formatter<'_>, text: &String| write!(f, "{}", Quoted(text));
        match self {
            Self::Strings(strings) => return one_or_list(f, strings, quoted),
            Self::Numbers(numbers) => return one_or_list(f, numbers, |f, number| f.write_str(&number.text)),
            Self::Prefix(starts) => {
                f.write_str("{\"prefix\":")?;
                one_or_list(f, starts, quoted)?;
            }
            Self::Suffix(ends) => {
                f.write_str("{\"suffix\":")?;
                one_or_list(f, ends, quoted)?;
            }
            Self::EqualsIgnoreCase(folded) => {
                f.write_str("{\"equals-ignore-case\":")?;
                one_or_list(f, folded, |f, folded| write!(f, "{}", Quoted(folded.text())))?;
            }
            Self::Wildcard(wildcards) => {
                f.write_str("{\"wildcard\":")?;
                one_or_list(f, wildcards, |f, wildcard| write!(f, "{}", Quoted(wildcard.text())))?;
            }
        }
        f.write_char('}')
    }
}

impl fmt::Display for Affix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => write!(f, "{}", Quoted(text)),
            Self::IgnoreCase(folded) => write!(f, "{{\"equals-ignore-case\":{}}}", Quoted(folded.text())),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(bottom), Some(top)) = (&self.bottom, &self.top) {
            if bottom == top {
                return write!(f, "[\"=\",{}]", bottom.number.text);
            }
            let [above, below] = [if bottom.included { ">=" } else { ">" }, if top.included { "<=" } else { "<" }];
            return write!(f, "[\"{above}\",{},\"{below}\",{}]", bottom.number.text, top.number.text);
        }
        let (sign, end) = match (&self.bottom, &self.top) {
            (Some(end), _) => ('>', end),
            (None, Some(end)) => ('<', end),
            (None, None) => return f.write_str("[]"),
        };
        write!(f, "[\"{sign}{}\",{}]", if end.included { "=" } else { "" }, end.number.text)
    }
}

/// As JSON.
impl fmt::Display for Alternative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{}", Quoted(text)),
            Self::Address(block) => write!(f, "{}", Quoted(block.text())),
            Self::Exactly(text) => write!(f, "{{\"exactly\":{}}}", Quoted(text)),
            Self::Number(number) => f.write_str(&number.text),
            Self::Literal(literal) => f.write_str(literal.text()),
            Self::Prefix(affix) => write!(f, "{{\"prefix\":{affix}}}"),
            Self::Suffix(affix) => write!(f, "{{\"suffix\":{affix}}}"),
            Self::EqualsIgnoreCase(folded) => write!(f, "{{\"equals-ignore-case\":{}}}", Quoted(folded.text())),
            Self::Wildcard(wildcard) => write!(f, "{{\"wildcard\":{}}}", Quoted(wildcard.text())),
            Self::Numeric(range) => write!(f, "{{\"numeric\":{range}}}"),
            Self::Cidr(block) => write!(f, "{{\"cidr\":{}}}", Quoted(block.text())),
            Self::Exists(exists) => write!(f, "{{\"exists\":{exists}}}"),
            Self::AnythingBut(excluded) => write!(f, "{{\"anything-but\":{excluded}}}"),
        }
    }
}
