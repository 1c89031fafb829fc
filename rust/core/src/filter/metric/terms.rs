//! Filter patterns of words to be found in the text of a record: `ERROR -"access denied"`.

use std::fmt;

use super::error::FilterError;
use super::operand::quote;
use super::reader::Reader;

/// Which words must be in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Terms {
    /// All of `with`, and none of `without`.
    All { with: Vec<String>, without: Vec<String> },
    /// One of these.
    Any(Vec<String>),
}

impl Terms {
    /// Reads to the end. Words marked `?` count only if there are no other words; also returns how many are ignored.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<(Self, usize), FilterError> {
        let (mut with, mut without, mut optional) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            reader.skip_space();
            if reader.rest().is_empty() {
                return Ok(if with.is_empty() && without.is_empty() {
                    (Self::Any(optional), 0)
                } else {
                    (Self::All { with, without }, optional.len())
                });
            }
            let list = if reader.eat("-") {
                &mut without
            } else if reader.eat("?") {
                &mut optional
            } else {
                &mut with
            };
            list.push(term(reader)?);
        }
    }
}

fn term(reader: &mut Reader<'_>) -> Result<String, FilterError> {
    if reader.rest().starts_with('"') {
        let term = reader.quoted()?;
        return if reader.rest().is_empty() || reader.rest().starts_with(is_space) {
            Ok(term)
        } else {
            Err(reader.unexpected("a blank"))
        };
    }
    let term = reader.take_while(is_plain);
    if !reader.rest().is_empty() && !reader.rest().starts_with(is_space) || term.is_empty() {
        return Err(reader.unexpected("a term of letters, digits and '_'; any other text needs double quotes"));
    }
    Ok(term.to_owned())
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn is_space(character: char) -> bool {
    character.is_ascii_whitespace()
}

impl Terms {
    /// All words that count.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        let (first, rest) = match self {
            Self::All { with, without } => (with, &without[..]),
            Self::Any(terms) => (terms, &[][..]),
        };
        first.iter().chain(rest).map(String::as_str)
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms: Vec<_> = match self {
            Self::All { with, without } => {
                with.iter().map(|term| marked("", term)).chain(without.iter().map(|term| marked("-", term))).collect()
            }
            Self::Any(terms) => terms.iter().map(|term| marked("?", term)).collect(),
        };
        f.write_str(&terms.join(" "))
    }
}

/// A term as it is written, after its mark.
pub(super) fn marked(mark: &str, term: &str) -> String {
    if !term.is_empty() && term.chars().all(is_plain) {
        format!("{mark}{term}")
    } else {
        format!("{mark}{}", quote(term))
    }
}
