//! Filter patterns as predicates.

use std::ops::Bound;

use super::json::{Condition, Selector, Step, Test};
use super::operand::{Number, Operand, Operator, Words};
use super::read::{FilterPattern, Tree};
use super::terms::{Terms, marked};
use crate::filter::{Filter, Kind, NumberTest, Path, Predicate, Slot, Step as PathStep, TextTest, ValueTest};

impl FilterPattern {
    /// The pattern as a filter on records and on any other text. Text that is not JSON never meets a pattern on JSON.
    #[must_use]
    pub fn compile(&self, missing_differs: bool) -> Filter {
        let record = self.predicate(missing_differs);
        let text = if matches!(self.tree, Tree::Json(_)) { Predicate::Always(false) } else { record.clone() };
        Filter { text: Some(text), ..Filter::on_records(record) }
    }

    /// The pattern as a predicate on records. In CloudWatch, `!=` is not met if the field is missing; with
    /// `missing_differs` it is.
    #[must_use]
    pub fn predicate(&self, missing_differs: bool) -> Predicate {
        match &self.tree {
            Tree::Everything => Predicate::Always(true),
            Tree::Json(condition) => condition.predicate(missing_differs),
            Tree::Fields(fields) => message(self.to_string(), TextTest::Fields(fields.clone())),
            Tree::Expression(expression) => message(self.to_string(), TextTest::Regex(expression.program().clone())),
            Tree::Terms(terms) => terms.predicate(),
        }
    }
}

/// A condition on the text of the record.
fn message(words: String, test: TextTest) -> Predicate {
    Predicate::Condition(words, Box::new(Predicate::Message(test)))
}

impl Terms {
    fn predicate(&self) -> Predicate {
        let contains = |term: &String| TextTest::containing(term.as_bytes());
        match self {
            Self::Any(terms) => message(self.to_string(), TextTest::Any(terms.iter().map(contains).collect())),
            Self::All { with, without } => {
                let with = with.iter().map(|term| message(marked("", term), contains(term)));
                let without =
                    without.iter().map(|term| message(marked("-", term), TextTest::Not(Box::new(contains(term)))));
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
                    Test::IsNull => return is_null(path, label),
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

/// Null, or an array that contains it: CloudWatch accepts both.
fn is_null(path: Path, label: String) -> Predicate {
    let Path::Steps { mut steps, through_arrays } = path.clone() else { return Predicate::Always(false) };
    steps.push(PathStep::Elements);
    let null = |path| Predicate::value(path, ValueTest::Kind(&[Kind::Null]), "");
    let either = Predicate::Any(vec![null(path), null(Path::Steps { steps, through_arrays })]);
    Predicate::Condition(label, Box::new(either))
}

impl Selector {
    fn path(&self) -> Path {
        let step = |step: &Step| match step {
            Step::Member(key) => PathStep::Key(key.clone()),
            Step::AnyMember => PathStep::Members,
            Step::Element(index) => PathStep::Index(*index),
            Step::AnyElement => PathStep::Each,
        };
        Path::Steps { steps: self.0.iter().map(step).collect(), through_arrays: false }
    }
}

impl Operator {
    /// The test on a JSON value. Strings and numbers are compared, as strings if their types differ; flags, null,
    /// arrays and objects are neither equal to anything nor different from it.
    fn test(self, operand: &Operand) -> ValueTest {
        let equal = match operand {
            Operand::Anything => ValueTest::Kind(COMPARABLE),
            Operand::Flag(flag) => ValueTest::Text(TextTest::one_of([flag.text()])),
            Operand::Number(number) => {
                let by_value = ValueTest::Number(self.number_test(number));
                if self.is_order() {
                    return by_value;
                }
                ValueTest::Any(vec![by_value, ValueTest::Text(TextTest::one_of([number.literal.as_str()]))])
            }
            Operand::Words(words) => ValueTest::Written(words.test()),
            Operand::Expression(expression) => ValueTest::Written(TextTest::Regex(expression.program().clone())),
        };
        match self {
            Self::NotEqual => ValueTest::All(vec![ValueTest::Kind(COMPARABLE), ValueTest::Not(Box::new(equal))]),
            _ => equal,
        }
    }

    /// Numbers are compared with numbers as doubles, by all operators.
    fn number_test(self, Number { value, .. }: &Number) -> NumberTest {
        let (low, high) = match self {
            Self::Equal | Self::NotEqual => (Bound::Included(*value), Bound::Included(*value)),
            Self::Less => (Bound::Unbounded, Bound::Excluded(*value)),
            Self::AtMost => (Bound::Unbounded, Bound::Included(*value)),
            Self::Greater => (Bound::Excluded(*value), Bound::Unbounded),
            Self::AtLeast => (Bound::Included(*value), Bound::Unbounded),
        };
        NumberTest::Between(low, high)
    }
}

/// The kinds that `*` matches, and to which `=` and `!=` apply.
const COMPARABLE: &[Kind] = &[Kind::Text, Kind::Number];

impl Words {
    pub(super) fn test(&self) -> TextTest {
        let text = self.text.as_bytes();
        match (self.any_before, self.any_after) {
            (false, false) => TextTest::one_of([text]),
            (false, true) => TextTest::Prefix(text.into()),
            (true, false) => TextTest::Suffix(text.into()),
            (true, true) => TextTest::containing(text),
        }
    }
}

#[cfg(test)]
mod tests;
