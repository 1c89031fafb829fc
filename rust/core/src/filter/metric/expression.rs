//! Regular expressions of filter patterns, translated for the `regex` crate, which matches in linear time.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::CharIndices;

use regex::bytes::{Regex, RegexBuilder};

/// The largest compiled expression, in bytes: in the worst case, the time per byte of text is proportional to it.
const MAX_SIZE: usize = 1 << 19;

/// A regular expression that is searched for.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    source: String,
    program: Regex,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Expression {
    /// The expression between the percent signs; on failure, what is wrong and at which byte.
    pub(super) fn parse(source: &str) -> Result<Self, (usize, &'static str)> {
        let mut translated = String::new();
        Translator { source, characters: source.char_indices().peekable(), translated: &mut translated }.run()?;
        let program = RegexBuilder::new(&translated).size_limit(MAX_SIZE).build();
        let program = program.map_err(|_| (0, "it is too large when its repetitions are written out"))?;
        Ok(Self { source: source.to_owned(), program })
    }

    /// As it was written.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn program(&self) -> &Regex {
        &self.program
    }
}

/// Symbols that match themselves, besides letters and digits. The blank is not on CloudWatch's list, but in its
/// examples.
const SYMBOLS: &str = " :_#=@/;,-";
/// Symbols with a meaning, which match themselves after a backslash.
const OPERATORS: &str = "^$?[]{}|\\*+.";

type Step<T> = Result<T, (usize, &'static str)>;

struct Translator<'a> {
    source: &'a str,
    characters: Peekable<CharIndices<'a>>,
    translated: &'a mut String,
}

/// One item of a class, or one escape.
enum Item {
    Character(char),
    /// The inside of a class, and whether it is negated.
    Class(&'static str, bool),
}

impl Translator<'_> {
    fn run(mut self) -> Step<()> {
        if self.source.is_empty() {
            return Err((0, "it is empty"));
        }
        // Whether the last item can be repeated.
        let mut atom = false;
        while let Some((at, character)) = self.characters.next() {
            match character {
                '*' | '+' | '?' | '{' => {
                    if !atom {
                        return Err((at, "nothing stands before the repetition"));
                    }
                    if character == '{' {
                        self.times(at)?;
                    } else {
                        self.translated.push(character);
                    }
                    // A lazy repetition, which makes no difference to a search.
                    self.characters.next_if(|&(_, next)| next == '?');
                    atom = false;
                    continue;
                }
                '^' | '$' | '|' => {
                    self.translated.push(character);
                    atom = false;
                    continue;
                }
                '.' => self.translated.push('.'),
                '[' => self.class(at)?,
                '\\' => match self.escape(at)? {
                    Item::Character(character) => self.literal(character),
                    Item::Class(inside, negated) => {
                        let _ = write!(self.translated, "[{}{inside}]", if negated { "^" } else { "" });
                    }
                },
                ']' | '}' => return Err((at, "a bracket that nothing opens needs a backslash")),
                other => self.literal(plain(at, other)?),
            }
            atom = true;
        }
        Ok(())
    }

    fn literal(&mut self, character: char) {
        let _ = write!(self.translated, "\\x{{{:x}}}", u32::from(character));
    }

    /// After a backslash.
    fn escape(&mut self, at: usize) -> Step<Item> {
        let (at, character) = self.characters.next().ok_or((at, "nothing stands after the backslash"))?;
        Ok(match character {
            'd' | 'D' => Item::Class("0-9", character == 'D'),
            's' | 'S' => Item::Class(" \\t\\n\\r\\x{b}\\x{c}", character == 'S'),
            'w' | 'W' => Item::Class("0-9A-Z_a-z", character == 'W'),
            'x' => {
                let digits = self
                    .source
                    .get(at + 1..at + 3)
                    .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                let code = code.ok_or((at, "two hexadecimal digits are expected after \\x"))?;
                self.characters.nth(1);
                Item::Character(char::from(code))
            }
            symbol if SYMBOLS.contains(symbol) || OPERATORS.contains(symbol) => Item::Character(symbol),
            _ => {
                return Err((at, "this escape is not known; other symbols are written \\x and two hexadecimal digits"));
            }
        })
    }

    /// After `[`.
    fn class(&mut self, start: usize) -> Step<()> {
        self.translated.push('[');
        if self.characters.next_if(|&(_, next)| next == '^').is_some() {
            self.translated.push('^');
        }
        let mut empty = true;
        loop {
            let (at, character) = self.characters.next().ok_or((start, "the class is not closed"))?;
            let item = match character {
                ']' if empty => return Err((at, "the class is empty")),
                ']' => break,
                '\\' => self.escape(at)?,
                other if OPERATORS.contains(other) => Item::Character(other),
                other => Item::Character(plain(at, other)?),
            };
            empty = false;
            match item {
                Item::Character(first) => {
                    self.literal(first);
                    self.range(first)?;
                }
                Item::Class(inside, negated) => {
                    let _ = write!(self.translated, "[{}{inside}]", if negated { "^" } else { "" });
                }
            }
        }
        self.translated.push(']');
        Ok(())
    }

    /// The rest of `a-z`, after the `a`. A hyphen at the end of the class matches itself.
    fn range(&mut self, first: char) -> Step<()> {
        let Some(&(hyphen, '-')) = self.characters.peek() else { return Ok(()) };
        if self.source[hyphen + 1..].starts_with(']') {
            return Ok(());
        }
        self.characters.next();
        let (at, character) = self.characters.next().ok_or((hyphen, "the class is not closed"))?;
        let item = if character == '\\' { self.escape(at)? } else { Item::Character(character) };
        let Item::Character(last) = item else { return Err((at, "a range ends with one character")) };
        if !OPERATORS.contains(last) && character != '\\' {
            plain(at, last)?;
        }
        if last < first {
            return Err((at, "the range ends before it begins"));
        }
        self.translated.push('-');
        self.literal(last);
        Ok(())
    }

    /// After `{`: `m}`, `m,}`, `,n}` or `m,n}`.
    fn times(&mut self, start: usize) -> Step<()> {
        let expected = (start, "a repetition is {m}, {m,}, {,n} or {m,n}");
        let inside = self.source[start + 1..].split_once('}').ok_or(expected)?.0;
        let (low, high) = inside.split_once(',').map_or((inside, None), |(low, high)| (low, Some(high)));
        let number = |text: &str| {
            if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse::<u32>().ok() } else { None }
        };
        let at_least = if low.is_empty() && high.is_some() { 0 } else { number(low).ok_or(expected)? };
        let _ = write!(self.translated, "{{{at_least}");
        match high {
            None => {}
            Some("") => self.translated.push(','),
            Some(high) => {
                let at_most = number(high).ok_or(expected)?;
                if at_most < at_least {
                    return Err((start, "the repetition ends before it begins"));
                }
                let _ = write!(self.translated, ",{at_most}");
            }
        }
        self.translated.push('}');
        self.characters.nth(inside.chars().count());
        Ok(())
    }
}

/// A character that matches itself.
fn plain(at: usize, character: char) -> Step<char> {
    if character.is_ascii_alphanumeric() || SYMBOLS.contains(character) {
        Ok(character)
    } else {
        Err((at, "this character is not allowed; write \\x and two hexadecimal digits"))
    }
}
