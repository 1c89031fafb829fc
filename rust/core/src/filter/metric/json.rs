//! Filter patterns on the fields of a JSON record: `{ $.eventName = "DeleteTrail" && $.errorCode NOT EXISTS }`.

use std::fmt;

use super::error::{FilterError, FilterErrorKind};
use super::operand::{Operand, Operator};
use super::reader::{Reader, is_bare, is_name};

/// The most wildcard selectors in one filter pattern.
const MAX_WILDCARDS: usize = 3;

/// The condition between the braces.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Field(Selector, Test),
}

/// Where a condition looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selector(pub(super) Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    AnyMember,
    Element(u32),
    AnyElement,
}

/// The test on the values there.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Compare(Operator, Operand),
    IsNull,
    IsTrue,
    IsFalse,
    NotExists,
}

impl Condition {
    /// Reads from `{` to the end.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, FilterError> {
        reader.expect("{", "'{'")?;
        let mut parser = Parser { reader, wildcards: 0 };
        let condition = parser.any()?;
        reader.expect("}", "'&&', '||' or '}'")?;
        reader.end()?;
        Ok(condition)
    }
}

struct Parser<'r, 'a> {
    reader: &'r mut Reader<'a>,
    wildcards: usize,
}

impl Parser<'_, '_> {
    /// Conditions between `||`, which binds less than `&&`.
    fn any(&mut self) -> Result<Condition, FilterError> {
        let mut parts = Vec::new();
        loop {
            match self.all()? {
                Condition::Any(inner) => parts.extend(inner),
                part => parts.push(part),
            }
            self.reader.skip_space();
            if !self.reader.eat("||") {
                return Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) });
            }
        }
    }

    fn all(&mut self) -> Result<Condition, FilterError> {
        let mut parts = Vec::new();
        loop {
            match self.one()? {
                Condition::All(inner) => parts.extend(inner),
                part => parts.push(part),
            }
            self.reader.skip_space();
            if !self.reader.eat("&&") {
                return Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) });
            }
        }
    }

    /// The length of a pattern bounds this recursion.
    fn one(&mut self) -> Result<Condition, FilterError> {
        self.reader.skip_space();
        if self.reader.eat("(") {
            let inside = self.any()?;
            self.reader.expect(")", "'&&', '||' or ')'")?;
            return Ok(inside);
        }
        let selector = self.selector()?;
        self.reader.skip_space();
        let test = match self.reader.operator() {
            Some(operator) => Test::Compare(operator, self.operand(operator)?),
            None if self.word("IS") => self.kind()?,
            None if self.word("NOT") => {
                self.reader.skip_space();
                if !self.word("EXISTS") {
                    return Err(self.reader.unexpected("EXISTS"));
                }
                Test::NotExists
            }
            None => return Err(self.reader.unexpected("a comparison sign, IS or NOT EXISTS")),
        };
        Ok(Condition::Field(selector, test))
    }

    /// A value, which is never null without quotes.
    fn operand(&mut self, operator: Operator) -> Result<Operand, FilterError> {
        self.reader.skip_space();
        let at = self.reader.rest();
        if at.strip_prefix("null").is_some_and(|rest| !rest.starts_with(is_bare)) {
            return Err(self
                .reader
                .unexpected_at(at, "a value: IS NULL asks for null, and \"null\" in quotes for the text"));
        }
        self.reader.operand(operator)
    }

    /// Passes a word that is not followed by a letter.
    fn word(&mut self, word: &str) -> bool {
        let follows = self.reader.rest().strip_prefix(word).is_some_and(|rest| !rest.starts_with(is_name));
        follows && self.reader.eat(word)
    }

    fn kind(&mut self) -> Result<Test, FilterError> {
        self.reader.skip_space();
        for (word, test) in [("NULL", Test::IsNull), ("TRUE", Test::IsTrue), ("FALSE", Test::IsFalse)] {
            if self.word(word) {
                return Ok(test);
            }
        }
        Err(self.reader.unexpected("NULL, TRUE or FALSE"))
    }

    fn selector(&mut self) -> Result<Selector, FilterError> {
        if !self.reader.eat("$") {
            return Err(self.reader.unexpected("'(' or a selector, which begins with '$'"));
        }
        let mut steps = Vec::new();
        loop {
            let at = self.reader.rest();
            let step = if self.reader.eat(".*") {
                Step::AnyMember
            } else if self.reader.eat(".['") {
                let key = self.reader.take_while(|character| character != '\'');
                if key.is_empty() {
                    return Err(self.reader.unexpected("a key"));
                }
                let key = key.to_owned();
                if !self.reader.eat("']") {
                    return Err(self.reader.unexpected("\"']\""));
                }
                Step::Member(key)
            } else if self.reader.eat(".") {
                Step::Member(self.reader.name("the name of a field, '*', or a key as in .['key']")?.to_owned())
            } else if self.reader.eat("[*]") {
                Step::AnyElement
            } else if self.reader.eat("[") {
                Step::Element(self.index()?)
            } else if steps.is_empty() {
                return Err(self.reader.unexpected("'.' or '['"));
            } else {
                return Ok(Selector(steps));
            };
            if step.is_wildcard() {
                let second = steps.iter().any(Step::is_wildcard);
                self.wildcards += 1;
                if second || self.wildcards > MAX_WILDCARDS {
                    let (of, limit) =
                        if second { ("wildcard in one selector", 1) } else { ("wildcard selectors", MAX_WILDCARDS) };
                    return Err(self.reader.error_at(at, FilterErrorKind::TooMany { of, limit }));
                }
            }
            steps.push(step);
        }
    }

    /// After `[`.
    fn index(&mut self) -> Result<u32, FilterError> {
        let at = self.reader.rest();
        let digits = self.reader.take_while(|character| character.is_ascii_digit());
        let Ok(index) = digits.parse() else {
            let expected = if digits.is_empty() { "an index or '*'" } else { "an index below 4294967296" };
            return Err(self.reader.unexpected_at(at, expected));
        };
        if self.reader.eat("]") { Ok(index) } else { Err(self.reader.unexpected("']'")) }
    }
}

impl Step {
    fn is_wildcard(&self) -> bool {
        matches!(self, Self::AnyMember | Self::AnyElement)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, sign) = match self {
            Self::All(parts) => (parts, " && "),
            Self::Any(parts) => (parts, " || "),
            Self::Field(selector, test) => return write!(f, "{selector} {test}"),
        };
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                f.write_str(sign)?;
            }
            match part {
                Self::Field(..) => write!(f, "{part}")?,
                _ => write!(f, "({part})")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for step in &self.0 {
            match step {
                Step::Member(name) if name.chars().all(is_name) => write!(f, ".{name}")?,
                Step::Member(key) => write!(f, ".['{key}']")?,
                Step::AnyMember => f.write_str(".*")?,
                Step::Element(index) => write!(f, "[{index}]")?,
                Step::AnyElement => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(operator, operand) => write!(f, "{} {operand}", operator.sign()),
            Self::IsNull => f.write_str("IS NULL"),
            Self::IsTrue => f.write_str("IS TRUE"),
            Self::IsFalse => f.write_str("IS FALSE"),
            Self::NotExists => f.write_str("NOT EXISTS"),
        }
    }
}
