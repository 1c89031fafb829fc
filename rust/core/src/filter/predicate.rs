//! Conditions: the one form that those of all languages have.

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
    /// There is a value for each slot, and no two of them stand in different elements of one array.
    ///
    /// The slots are taken in order; each may use what the ones before it have left.
    Values(Vec<Slot<P>>),
    /// The text of the whole record, as it stands in the file, passes a test.
    Message(TextTest),
    /// What one condition comes to, in the words in which it was written: an explanation gives these, not the parts.
    Condition(String, Box<Predicate<P>>),
}

/// One value of [`Predicate::Values`].
#[derive(Debug, Clone)]
pub struct Slot<P = Path> {
    /// Where it stands.
    pub path: P,
    /// What it must pass, if a value will do.
    pub test: Option<ValueTest>,
    /// Whether it will do, too, that nothing stands there.
    pub or_absent: bool,
    /// The condition in the words of the language that it was written in, for [`super::Rules::explain`].
    pub label: String,
}

impl Slot {
    /// A value at `path` that passes `test`.
    pub fn new(path: Path, test: ValueTest, label: impl Into<String>) -> Self {
        Self { path, test: Some(test), or_absent: false, label: label.into() }
    }

    /// Nothing at `path`.
    pub fn absent(path: Path, label: impl Into<String>) -> Self {
        Self { path, test: None, or_absent: true, label: label.into() }
    }
}

impl Predicate {
    /// A value at `path` passes `test`.
    pub fn value(path: Path, test: ValueTest, label: impl Into<String>) -> Self {
        Self::Values(vec![Slot::new(path, test, label)])
    }

    /// Nothing stands at `path`.
    pub fn absent(path: Path, label: impl Into<String>) -> Self {
        Self::Values(vec![Slot::absent(path, label)])
    }
}

impl<P> Predicate<P> {
    /// The same with other paths.
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
