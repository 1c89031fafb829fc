//! Reads the text of a filter pattern.

use super::error::{FilterError, FilterErrorKind};
use super::expression::Expression;
use super::operand::{Flag, Number, Operand, Operator};

/// The most regular expressions in one filter pattern.
const MAX_EXPRESSIONS: usize = 2;

/// A place in a filter pattern.
pub(super) struct Reader<'a> {
    /// From the first significant character to the last.
    text: &'a str,
    rest: &'a str,
    expressions: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let text = text.trim_ascii_end();
        Self { text, rest: text.trim_ascii_start(), expressions: 0 }
    }

    /// The rest to read.
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    pub(super) fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    /// Passes `token`, if it is here.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        self.rest.strip_prefix(token).map(|rest| self.rest = rest).is_some()
    }

    /// Passes `token` and the space before it.
    pub(super) fn expect(&mut self, token: &str, expected: &'static str) -> Result<(), FilterError> {
        self.skip_space();
        if self.eat(token) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// Fails unless this is the end.
    pub(super) fn end(&mut self) -> Result<(), FilterError> {
        self.skip_space();
        if self.rest.is_empty() { Ok(()) } else { Err(self.unexpected("the end")) }
    }

    /// Passes matching characters.
    pub(super) fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|character| !fits(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// "`expected` but found …" at this place.
    pub(super) fn unexpected(&self, expected: &'static str) -> FilterError {
        let word = self.rest.find(|character| !is_name(character)).unwrap_or(self.rest.len());
        let found = match word {
            0 => self.rest.chars().next().map(String::from),
            end => Some(self.rest[..end].chars().take(40).collect()),
        };
        self.error(FilterErrorKind::Unexpected { expected, found })
    }

    /// The same error at an earlier place.
    pub(super) fn unexpected_at(&mut self, rest: &'a str, expected: &'static str) -> FilterError {
        self.rest = rest;
        self.unexpected(expected)
    }

    pub(super) fn error(&self, kind: FilterErrorKind) -> FilterError {
        FilterError::new(kind, self.text, self.rest)
    }

    pub(super) fn error_at(&mut self, rest: &'a str, kind: FilterErrorKind) -> FilterError {
        self.rest = rest;
        self.error(kind)
    }

    /// Passes a name: letters, digits, `-` and `_`.
    pub(super) fn name(&mut self, expected: &'static str) -> Result<&'a str, FilterError> {
        match self.take_while(is_name) {
            "" => Err(self.unexpected(expected)),
            name => Ok(name),
        }
    }

    /// Passes a comparison sign.
    pub(super) fn operator(&mut self) -> Option<Operator> {
        Operator::ALL.into_iter().find(|operator| self.eat(operator.sign()))
    }

    /// Passes the value after a comparison sign.
    pub(super) fn operand(&mut self, operator: Operator) -> Result<Operand, FilterError> {
        self.skip_space();
        let at = self.rest;
        let operand = match at.chars().next() {
            Some('"') => Operand::words(&self.quoted()?),
            Some('%') => Operand::Expression(self.expression()?),
            _ => self.bare()?,
        };
        if operator.is_order() && !matches!(operand, Operand::Number(_)) {
            return Err(self.unexpected_at(at, "a number after '<', '>', '<=' or '>='"));
        }
        Ok(operand)
    }

    fn bare(&mut self) -> Result<Operand, FilterError> {
        let at = self.rest;
        if let Some(number) = Number::parse(self.take_while(|character| is_bare(character) || character == '+')) {
            return Ok(Operand::Number(number));
        }
        self.rest = at;
        let word = self.take_while(is_bare);
        if !word.is_empty()
            && self.rest.starts_with(|next: char| !next.is_ascii_whitespace() && !"&|)},]".contains(next))
        {
            return Err(self.unexpected(
                "the end of the word: text with other than letters, digits and '_-.:*' needs double quotes",
            ));
        }
        match word {
            "" => {
                Err(self
                    .unexpected("a value: a word, a number, '*', a text in double quotes, or a %regular expression%"))
            }
            "true" => Ok(Operand::Flag(Flag(true))),
            "false" => Ok(Operand::Flag(Flag(false))),
            word => Ok(Operand::words(word)),
        }
    }

    /// Passes a string in double quotes. A backslash before a quote or another backslash is an escape; any other is
    /// literal.
    pub(super) fn quoted(&mut self) -> Result<String, FilterError> {
        let at = self.rest;
        let mut text = String::new();
        let mut characters = at[1..].char_indices();
        while let Some((offset, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &at[offset + 2..];
                    return Ok(text);
                }
                '\\' if at[offset + 2..].starts_with(['"', '\\']) => {
                    text.extend(characters.next().map(|(_, escaped)| escaped));
                }
                other => text.push(other),
            }
        }
        Err(self.unexpected_at(&at[at.len()..], "'\"'"))
    }

    /// Passes a regular expression between percent signs.
    pub(super) fn expression(&mut self) -> Result<Expression, FilterError> {
        let at = self.rest;
        if self.expressions == MAX_EXPRESSIONS {
            return Err(self.error(FilterErrorKind::TooMany { of: "regular expressions", limit: MAX_EXPRESSIONS }));
        }
        self.expressions += 1;
        let Some(end) = at[1..].find('%') else {
            return Err(self.unexpected_at(&at[at.len()..], "'%'"));
        };
        let source = &at[1..=end];
        let expression = Expression::parse(source)
            .map_err(|(offset, why)| self.error_at(&at[1 + offset..], FilterErrorKind::Expression(why)))?;
        self.rest = &at[end + 2..];
        Ok(expression)
    }
}

/// Characters of the names of members and fields. Other alphabets need quotes, as in `.['…']`.
pub(super) fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

/// Characters of values without quotes: more than CloudWatch's pages list, since AWS's own examples need them.
pub(super) fn is_bare(character: char) -> bool {
    is_name(character) || matches!(character, '.' | '*' | ':')
}
