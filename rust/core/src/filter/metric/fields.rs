//! Filter patterns on the fields of text separated by blanks: `[ip, user, ..., status = 4*, bytes]`.

use std::collections::HashSet;
use std::fmt;

use super::error::{FilterError, FilterErrorKind};
use super::operand::{Number, Operand, Operator};
use super::reader::Reader;

/// The fields between the square brackets.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields {
    /// Fields from the start of the text.
    first: Vec<Field>,
    /// Fields at the end of the text, after any number of unnamed ones; `None` if no field may be left over.
    last: Option<Vec<Field>>,
}

/// A field by name, and the tests on it.
#[derive(Debug, Clone, PartialEq)]
struct Field {
    /// Empty for an unnamed field at the end.
    name: String,
    /// Met if all comparisons of one of these are met, or if there are none.
    any: Vec<Vec<(Operator, Operand)>>,
}

impl Fields {
    /// Reads from `[` to the end.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, FilterError> {
        reader.expect("[", "'['")?;
        let (mut first, mut last) = (Vec::new(), None::<Vec<Field>>);
        let mut names = HashSet::new();
        reader.skip_space();
        let mut ended = reader.eat("]");
        while !ended {
            reader.skip_space();
            let at = reader.rest();
            if !reader.eat("...") {
                // After a comma at the end comes a field without a name.
                let nameless = at.starts_with(']') && (last.is_some() || !names.is_empty());
                let field =
                    if nameless { Field { name: String::new(), any: Vec::new() } } else { Field::parse(reader)? };
                if !names.insert(field.name.clone()) {
                    return Err(reader.error_at(at, FilterErrorKind::Twice(field.name)));
                }
                last.as_mut().unwrap_or(&mut first).push(field);
            } else if last.replace(Vec::new()).is_some() {
                return Err(reader.error_at(at, FilterErrorKind::TooMany { of: "'...'", limit: 1 }));
            }
            reader.skip_space();
            ended = reader.eat("]");
            if !ended {
                reader.expect(",", "',' or ']'")?;
            }
        }
        reader.end()?;
        Ok(Self { first, last })
    }

    /// The operands that fields are compared with.
    pub(super) fn operands(&self) -> impl Iterator<Item = &Operand> {
        let fields = self.first.iter().chain(self.last.iter().flatten());
        fields.flat_map(|field| &field.any).flatten().map(|(_, operand)| operand)
    }

    /// Whether the text has at least as many fields as are named, and each passes its tests. The last named field takes
    /// the rest of the text, unless `...` does.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let mut fields = split(text);
        let named = self.first.len() + self.last.as_ref().map_or(0, Vec::len);
        let enough = named <= fields.len();
        if self.last.is_none() && enough && named > 0 && named < fields.len() {
            let rest = fields[named - 1].start;
            fields.truncate(named);
            fields[named - 1].text = text[rest..].trim_ascii_end();
        }
        let pairs = self.first.iter().zip(&fields);
        let pairs = pairs.chain(self.last.iter().flatten().rev().zip(fields.iter().rev()));
        enough && { pairs }.all(|(field, found)| field.matches(found.text))
    }
}

/// A field of a text.
struct Found<'t> {
    text: &'t [u8],
    /// Where it starts, marks included.
    start: usize,
}

/// The fields of a text. Quotes and square brackets around blanks make one field of their contents, if a blank or the
/// end follows.
fn split(text: &[u8]) -> Vec<Found<'_>> {
    let mut fields = Vec::new();
    let mut rest = text.trim_ascii_start();
    while let Some(&first) = rest.first() {
        let close = match first {
            b'"' => enclosed(rest, b'"'),
            b'[' => enclosed(rest, b']'),
            _ => None,
        };
        let (field, after) = if let Some(close) = close {
            (&rest[1..close], close + 1)
        } else {
            let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
            (&rest[..end], end)
        };
        fields.push(Found { text: field, start: text.len() - rest.len() });
        rest = rest[after..].trim_ascii_start();
    }
    fields
}

/// Where the field that a quote or bracket opens is closed.
fn enclosed(text: &[u8], mark: u8) -> Option<usize> {
    memchr::memchr_iter(mark, &text[1..])
        .map(|at| at + 1)
        .find(|at| text.get(at + 1).is_none_or(u8::is_ascii_whitespace))
}

impl Field {
    fn parse(reader: &mut Reader<'_>) -> Result<Self, FilterError> {
        let name = reader.name("the name of a field, or '...'")?;
        let mut any = Vec::new();
        reader.skip_space();
        if let Some(operator) = reader.operator() {
            any.push(vec![comparison(reader, operator)?]);
            loop {
                reader.skip_space();
                let and = reader.eat("&&");
                if !and && !reader.eat("||") {
                    break;
                }
                reader.skip_space();
                let at = reader.rest();
                if reader.name("the name of the field")? != name {
                    return Err(reader.unexpected_at(at, "the name of the same field"));
                }
                reader.skip_space();
                let operator = reader.operator().ok_or_else(|| reader.unexpected("a comparison sign"))?;
                let comparison = comparison(reader, operator)?;
                match any.last_mut() {
                    Some(all) if and => all.push(comparison),
                    _ => any.push(vec![comparison]),
                }
            }
        }
        Ok(Self { name: name.to_owned(), any })
    }

    fn matches(&self, text: &[u8]) -> bool {
        let meets = |(operator, operand): &(Operator, Operand)| operator.compares(operand, text);
        self.any.is_empty() || self.any.iter().any(|all| all.iter().all(meets))
    }
}

/// Every value is a string here, even `true`.
fn comparison(reader: &mut Reader<'_>, operator: Operator) -> Result<(Operator, Operand), FilterError> {
    let operand = match reader.operand(operator)? {
        Operand::Flag(flag) => Operand::words(flag.text()),
        operand => operand,
    };
    Ok((operator, operand))
}

impl Operator {
    /// Whether a comparison holds for a field. A field that is not a number has no order, and equals no number.
    fn compares(self, operand: &Operand, text: &[u8]) -> bool {
        let wanted = match operand {
            Operand::Number(number) => number,
            Operand::Words(words) => return words.test().passes(text) == (self == Self::Equal),
            Operand::Expression(expression) => return expression.program().is_match(text) == (self == Self::Equal),
            Operand::Anything | Operand::Flag(_) => return self == Self::Equal,
        };
        let found = str::from_utf8(text).ok().and_then(Number::parse);
        match found.and_then(|found| found.value.partial_cmp(&wanted.value)) {
            Some(order) => self.holds(order),
            None => self == Self::NotEqual,
        }
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.first.iter().map(ToString::to_string);
        let last = self
            .last
            .iter()
            .flat_map(|last| ["...".to_owned()].into_iter().chain(last.iter().map(ToString::to_string)));
        write!(f, "[{}]", first.chain(last).collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.any.is_empty() {
            return f.write_str(&self.name);
        }
        let all = |all: &Vec<(Operator, Operand)>| {
            let parts = all.iter().map(|(operator, operand)| format!("{} {} {operand}", self.name, operator.sign()));
            parts.collect::<Vec<_>>().join(" && ")
        };
        f.write_str(&self.any.iter().map(all).collect::<Vec<_>>().join(" || "))
    }
}
