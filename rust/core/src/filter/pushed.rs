//! The conditions on columns in a consumer's own query, as far as they are understood here: a value that becomes a
//! predicate.

use super::column::{Field, Test};
use super::predicate::Predicate;
use crate::json::canon::{each, flag, items, list, number, text};
use crate::json::document::Node;
use crate::json::quote;

/// A condition on columns.
#[derive(Debug, Clone)]
pub enum Pushed {
    /// Every one is met.
    All(Vec<Pushed>),
    /// At least one is met.
    Any(Vec<Pushed>),
    /// A column passes a test.
    Column(Field, Test),
}

impl Pushed {
    /// A column with this path passes a test; `None` if it does not support the test.
    #[must_use]
    pub fn column(path: &str, test: Test) -> Option<Self> {
        Field::new(path, &test).map(|field| Self::Column(field, test))
    }

    /// Every one is met.
    #[must_use]
    pub fn all(parts: Vec<Self>) -> Self {
        let inner = |part| if let Self::All(parts) = part { parts } else { vec![part] };
        Self::All(parts.into_iter().flat_map(inner).collect())
    }

    /// At least one is met.
    #[must_use]
    pub fn any(parts: Vec<Self>) -> Self {
        let inner = |part| if let Self::Any(parts) = part { parts } else { vec![part] };
        Self::Any(parts.into_iter().flat_map(inner).collect())
    }

    /// The condition as a predicate.
    #[must_use]
    pub fn predicate(&self) -> Predicate {
        let predicates = |parts: &[Self]| parts.iter().map(Self::predicate).collect();
        match self {
            Self::All(parts) => Predicate::All(predicates(parts)),
            Self::Any(parts) => Predicate::Any(predicates(parts)),
            Self::Column(field, test) => Predicate::Column(*field, test.clone()),
        }
    }

    /// The condition as JSON.
    pub(crate) fn json(&self) -> String {
        let (name, more) = match self {
            Self::All(parts) => ("all", vec![list(parts.iter().map(Self::json))]),
            Self::Any(parts) => ("any", vec![list(parts.iter().map(Self::json))]),
            Self::Column(field, test) => {
                let (name, arguments) = written(test);
                (name, [quote(field.path())].into_iter().chain(arguments).collect())
            }
        };
        list([quote(name)].into_iter().chain(more))
    }

    /// The condition in a text of [`Self::json`].
    pub(crate) fn of(node: &Node) -> Result<Self, String> {
        let (name, path, arguments) = match items(node)? {
            [name, path, arguments @ ..] => (text(name)?, path, arguments),
            _ => return Err("expected a test and a column".to_owned()),
        };
        let test = match (name.as_str(), arguments) {
            ("all", []) => return each(Self::of)(path).map(Self::All),
            ("any", []) => return each(Self::of)(path).map(Self::Any),
            ("in", [values]) => Test::In(each(text)(values)?),
            ("not_equal", [value]) => Test::NotEqual(text(value)?),
            ("starts_with", [value]) => Test::StartsWith(text(value)?),
            ("ends_with", [value]) => Test::EndsWith(text(value)?),
            ("contains", [value]) => Test::Contains(text(value)?),
            ("is", [value]) => Test::Is(flag(value)?),
            ("between", [first, last]) => Test::Between(number(first)?, number(last)?),
            ("is_null", []) => Test::IsNull,
            ("is_not_null", []) => Test::IsNotNull,
            _ => return Err(format!("unknown test: {name}")),
        };
        let path = text(path)?;
        Self::column(&path, test).ok_or_else(|| format!("{path} cannot be tested with {name}"))
    }
}

/// The name of a test, and its arguments. The order of values and repeated values make no difference.
fn written(test: &Test) -> (&'static str, Vec<String>) {
    match test {
        Test::In(values) => {
            let mut values: Vec<_> = values.iter().collect();
            values.sort_unstable();
            values.dedup();
            ("in", vec![list(values.into_iter().map(|value| quote(value)))])
        }
        Test::NotEqual(value) => ("not_equal", vec![quote(value)]),
        Test::StartsWith(value) => ("starts_with", vec![quote(value)]),
        Test::EndsWith(value) => ("ends_with", vec![quote(value)]),
        Test::Contains(value) => ("contains", vec![quote(value)]),
        Test::Is(value) => ("is", vec![value.to_string()]),
        Test::Between(first, last) => ("between", vec![first.to_string(), last.to_string()]),
        Test::IsNull => ("is_null", Vec::new()),
        Test::IsNotNull => ("is_not_null", Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_comes_back_from_its_json() {
        let tests = [
            ("eventName", Test::In(vec!["b".into(), "a".into(), "b".into()])),
            ("eventName", Test::NotEqual("\"".into())),
            ("eventName", Test::StartsWith("a".into())),
            ("requestParameters", Test::EndsWith("a".into())),
            ("requestParameters", Test::Contains("a".into())),
            ("readOnly", Test::Is(false)),
            ("eventTime", Test::Between(i64::MIN, i64::MAX)),
            ("errorCode", Test::IsNull),
            ("errorCode", Test::IsNotNull),
        ];
        let parts = tests.map(|(path, test)| Pushed::column(path, test).expect(path)).to_vec();
        let whole = Pushed::all(vec![Pushed::all(parts.clone()), Pushed::any(parts.clone())]);
        let json = whole.json();
        assert!(json.starts_with(r#"["all",[["in","eventName",["a","b"]],["not_equal","eventName","\""],"#), "{json}");
        let again = Pushed::of(&Node::parse(&json).expect("JSON")).expect("a condition");
        assert_eq!(again.json(), json);
        let Pushed::All(flat) = again else { panic!("{json}") };
        assert_eq!(flat.len(), parts.len() + 1);
    }

    #[test]
    fn what_cannot_be_tested_so_is_refused() {
        for (json, error) in [
            (r#"["is","eventName",true]"#, "eventName cannot be tested with is"),
            (r#"["like","eventName","x"]"#, "unknown test: like"),
            (r#"["in"]"#, "expected a test and a column"),
        ] {
            assert_eq!(Pushed::of(&Node::parse(json).expect("JSON")).expect_err(json), error);
        }
    }
}
