//! Text with `*` for any number of characters, including none.

/// A wildcard of an event pattern. `\*` and `\\` stand for the characters themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wildcard {
    /// As it is written in the pattern.
    text: String,
    /// The pieces before, between and after the stars, in order.
    pieces: Vec<String>,
}

/// Why a string is not a wildcard; the number is that of the character, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WildcardError {
    /// Two stars in a row.
    Consecutive(usize),
    /// A backslash before something other than a star or a backslash.
    Escape(usize),
}

impl Wildcard {
    /// Reads a wildcard.
    pub fn parse(text: &str) -> Result<Self, WildcardError> {
        let mut pieces = vec![String::new()];
        let mut after_star = false;
        let mut characters = text.chars().zip(1..);
        while let Some((character, number)) = characters.next() {
            let star = character == '*';
            if star && after_star {
                return Err(WildcardError::Consecutive(number - 1));
            }
            after_star = star;
            let literal = match character {
                '*' => {
                    pieces.push(String::new());
                    continue;
                }
                '\\' => match characters.next() {
                    Some((escaped @ ('*' | '\\'), _)) => escaped,
                    _ => return Err(WildcardError::Escape(number)),
                },
                character => character,
            };
            if let Some(piece) = pieces.last_mut() {
                piece.push(literal);
            }
        }
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// As it is written in the pattern.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The pieces before, between and after the stars: one more than there are stars.
    #[must_use]
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::filter::{Glob, TextTest};

    fn matches(wildcard: &str, text: &str) -> bool {
        let wildcard = Wildcard::parse(wildcard).expect("a wildcard");
        TextTest::Glob(Glob::new(wildcard.pieces().iter().map(String::as_str))).passes(text.as_bytes())
    }

    #[test]
    fn stars_and_escapes() {
        for (wildcard, text, expected) in [
            ("a*b", "ab", true),
            ("a*b", "axxb", true),
            ("a*b", "axxbc", false),
            ("*", "", true),
            ("*", "anything", true),
            ("", "", true),
            ("", "x", false),
            ("ab", "ab", true),
            ("ab", "abx", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*a*", "bab", true),
            ("*ab*bc*", "abc", false),
            ("*ab*bc*", "abbc", true),
            ("?b", "ab", false),
            ("A*", "ab", false),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            (r"a\\b", r"a\b", true),
            (r"\**", "*x", true),
            ("é*", "éx", true),
        ] {
            assert_eq!(matches(wildcard, text), expected, "{wildcard} {text}");
        }
    }

    #[test]
    fn what_is_no_wildcard() {
        assert_eq!(Wildcard::parse("a**b"), Err(WildcardError::Consecutive(2)));
        assert_eq!(Wildcard::parse("é***"), Err(WildcardError::Consecutive(2)));
        assert_eq!(Wildcard::parse(r"a\b"), Err(WildcardError::Escape(2)));
        assert_eq!(Wildcard::parse(r"ab\"), Err(WildcardError::Escape(3)));
        assert!(Wildcard::parse(r"*\**").is_ok(), "the star between is itself");
    }

    /// The textbook algorithm: a table of the prefixes that match.
    fn by_table(wildcard: &str, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let mut row = vec![false; text.len() + 1];
        row[0] = true;
        for character in wildcard.chars() {
            if character == '*' {
                let first = row.iter().position(|&reached| reached);
                row.iter_mut().enumerate().for_each(|(at, reached)| *reached = first.is_some_and(|first| at >= first));
            } else {
                let shifted = std::iter::once(false).chain((0..text.len()).map(|at| row[at] && text[at] == character));
                row = shifted.collect();
            }
        }
        row[text.len()]
    }

    proptest! {
        #[test]
        fn agrees_with_the_textbook(wildcard in r"\*?([ab]{1,2}\*){0,4}[ab]{0,2}", text in "[ab]{0,12}") {
            prop_assert_eq!(matches(&wildcard, &text), by_table(&wildcard, &text));
        }
    }
}
