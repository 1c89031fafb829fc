//! Conditions: the one form to which all languages compile.

use super::column::{Field, Test};
use super::path::Path;
use super::value::{TextTest, ValueTest};

/// A condition that a record either meets or not.
#[derive(Debug, Clone)]
pub enum Predicate<P = Path> {
    /// Met by every record, or by none.
    Always(bool),
    /// Every one is met.
    All(Vec<Predicate<P>>),
    /// At least one is met.
    Any(Vec<Predicate<P>>),
    /// It is not met.
    Not(Box<Predicate<P>>),
    /// The value of a column passes a test.
    Column(Field, Test),
    /// There is a value for each slot, and no two values are in different elements of one array.
    ///
    /// Slots are taken in order; each may use what the earlier ones left.
    Values(Vec<Slot<P>>),
    /// The raw text of the whole record passes a test.
    Message(TextTest),
    /// A condition and its original wording. Explanations show the wording, not the parts.
    Condition(String, Box<Predicate<P>>),
}

/// One value of [`Predicate::Values`].
#[derive(Debug, Clone)]
pub struct Slot<P = Path> {
    /// Where it is.
    pub path: P,
    /// The test for a value, if a value is accepted.
    pub test: Option<ValueTest>,
    /// Whether the absence of a value is accepted, too.
    pub or_absent: bool,
    /// The condition as its language spells it, for [`super::Rules::explain`].
    pub label: String,
}

impl Slot {
    /// A value at `path` that passes `test`.
    pub fn new(path: Path, test: ValueTest, label: impl Into<String>) -> Self {
        Self { path, test: Some(test), or_absent: false, label: label.into() }
    }

    /// No value at `path`.
    pub fn absent(path: Path, label: impl Into<String>) -> Self {
        Self { path, test: None, or_absent: true, label: label.into() }
    }
}

impl Predicate {
    /// A value at `path` passes `test`.
    pub fn value(path: Path, test: ValueTest, label: impl Into<String>) -> Self {
        Self::Values(vec![Slot::new(path, test, label)])
    }

    /// No value at `path`.
    pub fn absent(path: Path, label: impl Into<String>) -> Self {
        Self::Values(vec![Slot::absent(path, label)])
    }

    /// At least one is met: `a | b | c`, which is `(a | b) | c`, has three parts.
    #[must_use]
    pub fn any(parts: Vec<Self>) -> Self {
        let inner = |part| if let Self::Any(parts) = part { parts } else { vec![part] };
        Self::Any(parts.into_iter().flat_map(inner).collect())
    }
}

impl<P> Predicate<P> {
    /// The same predicate with other paths.
    pub(super) fn map<Q>(&self, path: &mut impl FnMut(&P) -> Q) -> Predicate<Q> {
        match self {
            Self::Always(met) => Predicate::Always(*met),
            Self::All(parts) => Predicate::All(parts.iter().map(|part| part.map(path)).collect()),
            Self::Any(parts) => Predicate::Any(parts.iter().map(|part| part.map(path)).collect()),
            Self::Not(part) => Predicate::Not(Box::new(part.map(path))),
            Self::Column(field, test) => Predicate::Column(*field, test.clone()),
            Self::Values(slots) => Predicate::Values(slots.iter().map(|slot| slot.map(path)).collect()),
            Self::Message(test) => Predicate::Message(test.clone()),
            Self::Condition(words, part) => Predicate::Condition(words.clone(), Box::new(part.map(path))),
        }
    }
}

impl<P> Slot<P> {
    pub(super) fn map<Q>(&self, path: &mut impl FnMut(&P) -> Q) -> Slot<Q> {
        Slot { path: path(&self.path), test: self.test.clone(), or_absent: self.or_absent, label: self.label.clone() }
    }
}
