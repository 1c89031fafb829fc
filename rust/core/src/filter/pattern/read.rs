//! The grammar of event patterns, read from JSON text.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::alternative::{Affix, Alternative, AnythingBut, End, Literal, Number, Range};
use super::error::{PatternError, PatternErrorKind};
use super::fields::RESERVED;
use super::wildcard::Wildcard;
use super::{Combination, Pattern};
use crate::error::{Error, ErrorKind};
use crate::filter::{Block, Folded};
use crate::json::document::{Content, Member, Node};

/// Deepest nesting of objects, including those that dots in a key stand for; and of `$or`.
const MAX_DEPTH: usize = 256;
/// Most fields in one combination, as in AWS's matcher.
const MAX_FIELDS: usize = 256;
/// Most combinations that `$or` may make: `EventBridge` refuses a rule with more.
const MAX_COMBINATIONS: usize = 1000;
/// Most bytes of all combinations together, counted as if each had the whole pattern.
const MAX_SPELLED_OUT: usize = 64 << 20;

impl Pattern {
    /// Reads a pattern from its JSON text. It may be longer than the 4,096 characters that `PutRule` accepts, since
    /// generated rules can be.
    pub fn read(text: &str) -> Result<Self, PatternError> {
        let mut parser = Parser { text, names: Vec::new(), or: 0, replaced: BTreeSet::new() };
        let document = Node::parse(text).map_err(|error| parser.json(&error))?;
        let Content::Object(members) = &document.content else {
            return Err(parser.wrong_type(&document, "an event pattern", "an object"));
        };
        let mut combinations = vec![BTreeMap::new()];
        parser.object(document.at, members, &mut combinations)?;
        Ok(Self { combinations, replaced: parser.replaced, characters: text.chars().count() })
    }
}

struct Parser<'a> {
    text: &'a str,
    /// The keys of the objects around this place.
    names: Vec<&'a str>,
    /// How many arrays of `$or` are around this place.
    or: usize,
    /// Fields that came more than once.
    replaced: BTreeSet<String>,
}

type Parsed<T> = Result<T, PatternError>;

impl<'a> Parser<'a> {
    /// Reports an error at a byte of the text.
    fn error(&self, at: usize, kind: PatternErrorKind) -> PatternError {
        PatternError::new(kind, &self.names.join("."), self.text, at)
    }

    /// The text is not JSON.
    fn json(&self, error: &Error) -> PatternError {
        let at = error.location().byte.unwrap_or_default() as usize;
        let found = self.text.get(at..).and_then(|rest| rest.chars().next());
        let kind = match error.kind() {
            ErrorKind::InvalidJson { expected, .. } => PatternErrorKind::InvalidJson(expected, found),
            ErrorKind::TooDeep(_) => PatternErrorKind::TooDeep(MAX_DEPTH),
            ErrorKind::DocumentTooLarge(limit) => PatternErrorKind::TooLong(*limit),
            _ => PatternErrorKind::InvalidJson("an escape for a control character", found),
        };
        self.error(at, kind)
    }

    fn wrong_type(&self, node: &Node, of: &'static str, expected: &'static str) -> PatternError {
        self.error(node.at, PatternErrorKind::WrongType { of, expected, found: node.kind() })
    }

    fn string<'n>(&self, node: &'n Node, of: &'static str) -> Parsed<&'n str> {
        if let Content::Text(text) = &node.content { Ok(text) } else { Err(self.wrong_type(node, of, "a string")) }
    }

    fn array<'n>(&self, node: &'n Node, of: &'static str) -> Parsed<&'n [Node]> {
        if let Content::List(nodes) = &node.content { Ok(nodes) } else { Err(self.wrong_type(node, of, "an array")) }
    }

    /// A number to compare with.
    fn number(&self, node: &Node, of: &'static str) -> Parsed<Number> {
        let Content::Number(text) = &node.content else { return Err(self.wrong_type(node, of, "a number")) };
        let number = Number::new(text);
        match number.value() {
            Some(_) => Ok(number),
            None => Err(self.error(node.at, PatternErrorKind::Incomparable(text.clone()))),
        }
    }

    /// One value, or those of an array that is not empty.
    fn one_or_more<'n>(&self, node: &'n Node) -> Parsed<&'n [Node]> {
        match &node.content {
            Content::List(nodes) if nodes.is_empty() => Err(self.error(node.at, PatternErrorKind::EmptyArray)),
            Content::List(nodes) => Ok(nodes),
            _ => Ok(std::slice::from_ref(node)),
        }
    }

    /// The only member of an object.
    fn only<'n>(&self, node: &Node, members: &'n [Member]) -> Parsed<&'n Member> {
        match members {
            [member] => Ok(member),
            [] => Err(self.error(node.at, PatternErrorKind::EmptyObject)),
            [_, second, ..] => Err(self.error(second.at, PatternErrorKind::SeveralOperators)),
        }
    }

    /// Adds the conditions of an object to each combination.
    fn object(&mut self, at: usize, members: &'a [Member], combinations: &mut Vec<Combination>) -> Parsed<()> {
        if self.names.len() >= MAX_DEPTH || self.or > MAX_DEPTH {
            return Err(self.error(at, PatternErrorKind::TooDeep(MAX_DEPTH)));
        }
        if members.is_empty() {
            return Err(self.error(at, PatternErrorKind::EmptyObject));
        }
        for Member { at, key, value } in members {
            if key == "$or" {
                self.or(value, combinations)?;
                continue;
            }
            if self.or > 0 && RESERVED.contains(&key.as_str()) {
                return Err(self.error(*at, PatternErrorKind::Reserved(key.clone())));
            }
            self.names.push(key);
            match &value.content {
                Content::Object(members) => self.object(value.at, members, combinations)?,
                Content::List(_) => self.field(value, combinations)?,
                _ => return Err(self.wrong_type(value, "a field", "an object or an array")),
            }
            self.names.pop();
        }
        Ok(())
    }

    /// Reads the array of `$or`: each combination so far continues with each of its objects.
    fn or(&mut self, node: &'a Node, combinations: &mut Vec<Combination>) -> Parsed<()> {
        let Content::List(objects) = &node.content else { return Err(self.wrong_type(node, "\"$or\"", "an array")) };
        self.or += 1;
        let before = std::mem::take(combinations);
        for object in objects {
            let Content::Object(members) = &object.content else {
                return Err(self.wrong_type(object, "an element of \"$or\"", "an object"));
            };
            let mut with = before.clone();
            self.object(object.at, members, &mut with)?;
            combinations.append(&mut with);
            let limit = MAX_COMBINATIONS.min(MAX_SPELLED_OUT / self.text.len());
            if combinations.len() > limit {
                return Err(self.error(node.at, PatternErrorKind::TooManyCombinations(limit)));
            }
        }
        self.or -= 1;
        if objects.len() < 2 { Err(self.error(node.at, PatternErrorKind::OrTooShort)) } else { Ok(()) }
    }

    /// Reads the array of a field. An earlier field of the same name is replaced: names are joined with dots before
    /// they are compared.
    fn field(&mut self, node: &Node, combinations: &mut [Combination]) -> Parsed<()> {
        let alternatives = self.one_or_more(node)?.iter().map(|node| self.alternative(node));
        let alternatives = alternatives.collect::<Parsed<Arc<[Alternative]>>>()?;
        let name = self.names.join(".");
        if name.split('.').count() > MAX_DEPTH {
            return Err(self.error(node.at, PatternErrorKind::TooDeep(MAX_DEPTH)));
        }
        for combination in combinations {
            if combination.insert(name.clone(), Arc::clone(&alternatives)).is_some() {
                self.replaced.insert(name.clone());
            }
            if combination.len() > MAX_FIELDS {
                return Err(self.error(node.at, PatternErrorKind::TooManyFields(MAX_FIELDS)));
            }
        }
        Ok(())
    }

    fn alternative(&self, node: &Node) -> Parsed<Alternative> {
        Ok(match &node.content {
            Content::Object(members) => self.operator(self.only(node, members)?)?,
            Content::Text(text) => {
                Block::single(text).map_or_else(|| Alternative::Text(text.clone()), Alternative::Address)
            }
            Content::Number(text) => Alternative::Number(Number::new(text)),
            Content::Flag(true) => Alternative::Literal(Literal::True),
            Content::Flag(false) => Alternative::Literal(Literal::False),
            Content::Null => Alternative::Literal(Literal::Null),
            Content::List(_) => {
                return Err(self.wrong_type(node, "a value", "a string, a number, true, false, null or an operator"));
            }
        })
    }

    fn operator(&self, Member { at, key, value }: &Member) -> Parsed<Alternative> {
        Ok(match key.as_str() {
            "exactly" => Alternative::Exactly(self.string(value, "\"exactly\"")?.to_owned()),
            "prefix" => Alternative::Prefix(self.affix(value, "prefix", "\"prefix\"")?),
            "suffix" => Alternative::Suffix(self.affix(value, "suffix", "\"suffix\"")?),
            "equals-ignore-case" => Alternative::EqualsIgnoreCase(self.folded(value)?),
            "wildcard" => Alternative::Wildcard(self.wildcard(value)?),
            "numeric" => Alternative::Numeric(self.numeric(value)?),
            "cidr" => {
                let block = Block::parse(self.string(value, "\"cidr\"")?);
                Alternative::Cidr(block.map_err(|error| self.error(value.at, PatternErrorKind::Block(error)))?)
            }
            "exists" => match value.content {
                Content::Flag(exists) => Alternative::Exists(exists),
                _ => return Err(self.wrong_type(value, "\"exists\"", "true or false")),
            },
            "anything-but" => Alternative::AnythingBut(self.anything_but(value)?),
            _ => return Err(self.error(*at, PatternErrorKind::UnknownOperator(key.clone()))),
        })
    }

    /// The value of `prefix` or `suffix`: a string, or an object of `equals-ignore-case`.
    fn affix(&self, node: &Node, operator: &'static str, of: &'static str) -> Parsed<Affix> {
        let Content::Object(members) = &node.content else {
            return Ok(Affix::Exact(self.string(node, of)?.to_owned()));
        };
        let Member { at, key, value } = self.only(node, members)?;
        if key != "equals-ignore-case" {
            return Err(self.error(*at, PatternErrorKind::UnsupportedOperator(operator, key.clone())));
        }
        Ok(Affix::IgnoreCase(self.folded(value)?))
    }

    fn folded(&self, node: &Node) -> Parsed<Folded> {
        Ok(Folded::new(self.string(node, "\"equals-ignore-case\"")?))
    }

    fn wildcard(&self, node: &Node) -> Parsed<Wildcard> {
        let text = self.string(node, "\"wildcard\"")?;
        Wildcard::parse(text).map_err(|error| self.error(node.at, PatternErrorKind::Wildcard(error)))
    }

    /// The array of `numeric`: one comparison, or a lower end and then an upper one.
    fn numeric(&self, node: &Node) -> Parsed<Range> {
        let (first, rest) = match self.array(node, "\"numeric\"")? {
            [] => return Err(self.error(node.at, PatternErrorKind::EmptyArray)),
            [first, rest @ ..] => (first, rest),
        };
        let (mut range, rest) = self.comparison(first, rest, "'=', '<', '<=', '>' or '>='")?;
        let [second, rest @ ..] = rest else { return Ok(range) };
        if range.top.is_some() {
            return Err(self.error(second.at, PatternErrorKind::NumericTooLong));
        }
        let (upper, rest) = self.comparison(second, rest, "'<' or '<='")?;
        if let Some(third) = rest.first() {
            return Err(self.error(third.at, PatternErrorKind::NumericTooLong));
        }
        range.top = upper.top;
        let value = |end: &Option<End>| end.as_ref().and_then(|end| end.number.value());
        if value(&range.bottom) >= value(&range.top) {
            return Err(self.error(second.at, PatternErrorKind::NumericRange));
        }
        Ok(range)
    }

    /// One of the `expected` comparisons and its number.
    fn comparison<'n>(&self, sign: &Node, after: &'n [Node], expected: &'static str) -> Parsed<(Range, &'n [Node])> {
        let text = self.string(sign, "a comparison of \"numeric\"")?;
        if !expected.contains(&format!("'{text}'")) {
            return Err(self.error(sign.at, PatternErrorKind::NumericOperator(text.to_owned(), expected)));
        }
        let [number, rest @ ..] = after else {
            return Err(self.error(sign.at, PatternErrorKind::NumericValue(text.to_owned())));
        };
        let number = self.number(number, "the value of a comparison in \"numeric\"")?;
        let end = Some(End { number, included: text.ends_with('=') });
        let range = match text {
            "=" => Range { bottom: end.clone(), top: end },
            ">" | ">=" => Range { bottom: end, top: None },
            _ => Range { bottom: None, top: end },
        };
        Ok((range, rest))
    }

    /// The value of `anything-but`: strings, numbers, or an object of one operator on strings.
    fn anything_but(&self, node: &Node) -> Parsed<AnythingBut> {
        let Content::Object(members) = &node.content else { return self.anything_but_values(node) };
        let Member { at, key, value } = self.only(node, members)?;
        Ok(match key.as_str() {
            "prefix" => AnythingBut::Prefix(self.affixes(value, "\"prefix\"")?),
            "suffix" => AnythingBut::Suffix(self.affixes(value, "\"suffix\"")?),
            "equals-ignore-case" => AnythingBut::EqualsIgnoreCase(
                self.one_or_more(value)?.iter().map(|node| self.folded(node)).collect::<Parsed<_>>()?,
            ),
            "wildcard" => AnythingBut::Wildcard(
                self.one_or_more(value)?.iter().map(|node| self.wildcard(node)).collect::<Parsed<_>>()?,
            ),
            _ => return Err(self.error(*at, PatternErrorKind::UnsupportedOperator("anything-but", key.clone()))),
        })
    }

    fn anything_but_values(&self, node: &Node) -> Parsed<AnythingBut> {
        let (mut strings, mut numbers) = (Vec::new(), Vec::new());
        for value in self.one_or_more(node)? {
            match &value.content {
                Content::Text(text) => strings.push(text.clone()),
                Content::Number(_) => numbers.push(self.number(value, "a value of \"anything-but\"")?),
                _ => return Err(self.wrong_type(value, "a value of \"anything-but\"", "a string or a number")),
            }
        }
        match (strings.is_empty(), numbers.is_empty()) {
            (_, true) => Ok(AnythingBut::Strings(strings)),
            (true, _) => Ok(AnythingBut::Numbers(numbers)),
            _ => Err(self.error(node.at, PatternErrorKind::MixedList)),
        }
    }

    /// The prefixes or suffixes of `anything-but`.
    fn affixes(&self, node: &Node, of: &'static str) -> Parsed<Vec<String>> {
        let affix = |node: &Node| match self.string(node, of)? {
            "" => Err(self.error(node.at, PatternErrorKind::EmptyAffix)),
            text => Ok(text.to_owned()),
        };
        self.one_or_more(node)?.iter().map(affix).collect()
    }
}
