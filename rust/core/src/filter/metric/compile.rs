//! Filter patterns as predicates.

use std::ops::Bound;

use super::json::{Condition, Selector, Step, Test};
use super::operand::{Flag, Number, Operand, Operator, Words};
use super::terms::{Terms, marked};
use super::{FilterPattern, Language};
use crate::filter::{Kind, NumberTest, Path, Predicate, Slot, Step as PathStep, TextTest, ValueTest};

impl FilterPattern {
    /// The same as a predicate. AWS's pages leave open whether `!=` is met where there is no such field: `missing_differs` says so.
    #[must_use]
    pub fn predicate(&self, missing_differs: bool) -> Predicate {
        match &self.0 {
            Language::Everything => Predicate::Always(true),
            Language::Json(condition) => condition.predicate(missing_differs),
            Language::Fields(fields) => message(self.to_string(), TextTest::Fields(fields.clone())),
            Language::Expression(expression) => message(self.to_string(), TextTest::Regex(expression.program().clone())),
            Language::Terms(terms) => terms.predicate(),
        }
    }
}

/// A condition on the text of the record.
fn message(words: String, test: TextTest) -> Predicate {
    Predicate::Condition(words, Box::new(Predicate::Message(test)))
}

impl Terms {
    fn predicate(&self) -> Predicate {
        let contains = |term: &String| TextTest::Contains(term.as_bytes().into());
        match self {
            Self::Any(terms) => message(self.to_string(), TextTest::Any(terms.iter().map(contains).collect())),
            Self::All { with, without } => {
                let with = with.iter().map(|term| message(marked("", term), contains(term)));
                let without = without.iter().map(|term| message(marked("-", term), TextTest::Not(Box::new(contains(term)))));
                Predicate::All(with.chain(without).collect())
            }
        }
    }
}

impl Condition {
    fn predicate(&self, missing_differs: bool) -> Predicate {
        let all = |parts: &[Self]| parts.iter().map(|part| part.predicate(missing_differs)).collect();
        match self {
            Self::All(parts) => Predicate::All(all(parts)),
            Self::Any(parts) => Predicate::Any(all(parts)),
            Self::Field(selector, test) => {
                let (path, label) = (selector.path(), self.to_string());
                let kind = |kinds| ValueTest::Kind(kinds);
                let test = match test {
                    Test::Compare(operator, operand) => operator.test(operand),
                    Test::IsNull => kind(&[Kind::Null]),
                    Test::IsTrue => kind(&[Kind::True]),
                    Test::IsFalse => kind(&[Kind::False]),
                    Test::NotExists => return Predicate::absent(path, label),
                };
                let or_absent = missing_differs && matches!(self, Self::Field(_, Test::Compare(Operator::NotEqual, _)));
                Predicate::Values(vec![Slot { or_absent, ..Slot::new(path, test, label) }])
            }
        }
    }
}

impl Selector {
    fn path(&self) -> Path {
        let step = |step: &Step| match step {
            Step::Member(key) => PathStep::Key(key.clone()),
            Step::AnyMember => PathStep::Members,
            Step::Element(index) => PathStep::Index(*index),
            Step::AnyElement => PathStep::Elements,
        };
        Path::Steps { steps: self.0.iter().map(step).collect(), through_arrays: false }
    }
}

impl Operator {
    /// What is asked of a value of JSON. One of another type than the operand is neither equal nor different.
    fn test(self, operand: &Operand) -> ValueTest {
        let (equal, comparable): (_, &'static [Kind]) = match operand {
            Operand::Anything => (ValueTest::Kind(SCALARS), SCALARS),
            Operand::Flag(flag) => (flag.test(), &[Kind::True, Kind::False, Kind::Text]),
            Operand::Number(number) => (ValueTest::Number(self.number_test(number)), &[Kind::Number]),
            Operand::Words(words) => (ValueTest::Text(words.test()), &[Kind::Text]),
            Operand::Expression(expression) => (ValueTest::Text(TextTest::Regex(expression.program().clone())), &[Kind::Text]),
        };
        match self {
            Self::NotEqual => ValueTest::All(vec![ValueTest::Kind(comparable), ValueTest::Not(Box::new(equal))]),
            _ => equal,
        }
    }

    fn number_test(self, Number { literal, value }: &Number) -> NumberTest {
        let (low, high) = match self {
            Self::Equal | Self::NotEqual => return NumberTest::Equal(literal.clone()),
            Self::Less => (Bound::Unbounded, Bound::Excluded(*value)),
            Self::AtMost => (Bound::Unbounded, Bound::Included(*value)),
            Self::Greater => (Bound::Excluded(*value), Bound::Unbounded),
            Self::AtLeast => (Bound::Included(*value), Bound::Unbounded),
        };
        NumberTest::Between(low, high)
    }
}

/// What `*` stands for.
const SCALARS: &[Kind] = &[Kind::Text, Kind::Number, Kind::True, Kind::False];

impl Flag {
    /// The JSON value, or a text that says so: `{ $.readOnly = true }` is used on both.
    fn test(self) -> ValueTest {
        let (kind, text): (&'static [Kind], _) = if self.0 { (&[Kind::True], "true") } else { (&[Kind::False], "false") };
        ValueTest::Any(vec![ValueTest::Kind(kind), ValueTest::Text(TextTest::one_of([text]))])
    }
}

impl Words {
    pub(super) fn test(&self) -> TextTest {
        let text = self.text.as_bytes();
        match (self.any_before, self.any_behind) {
            (false, false) => TextTest::one_of([text]),
            (false, true) => TextTest::Prefix(text.into()),
            (true, false) => TextTest::Suffix(text.into()),
            (true, true) => TextTest::Contains(text.into()),
        }
    }
}

#[cfg(test)]
mod tests;
