//! What a rule requires of single values: the part of it that an index can look up, and the rest.

use crate::filter::locate::{PathId, Paths};
use crate::filter::{Predicate, Slot, ValueTest};

/// A value at a path passes a test, or there is none and that is accepted.
pub(super) struct Requirement {
    pub(super) path: PathId,
    pub(super) test: Option<ValueTest>,
    pub(super) or_absent: bool,
}

/// Adds what the predicate requires at paths that need no walk to `taken`, with one requirement for each path. Returns
/// what remains to be checked, if none of these values is in an element of an array.
pub(super) fn take(
    predicate: &Predicate<PathId>,
    paths: &Paths,
    taken: &mut Vec<Requirement>,
) -> Option<Predicate<PathId>> {
    match predicate {
        Predicate::Always(true) => None,
        Predicate::All(parts) => {
            let rest: Vec<_> = parts.iter().filter_map(|part| take(part, paths, taken)).collect();
            (!rest.is_empty()).then_some(Predicate::All(rest))
        }
        Predicate::Values(slots) => {
            let is_left = |slot: &&Slot<PathId>| !(paths.is_free(slot.path) && add(taken, Requirement::of(slot)));
            let rest: Vec<_> = slots.iter().filter(is_left).cloned().collect();
            (!rest.is_empty()).then_some(Predicate::Values(rest))
        }
        Predicate::Any(parts) => take_common(parts, paths, taken).then(|| predicate.clone()),
        // The rest is not explained to anybody: words are not needed.
        Predicate::Condition(_, part) => take(part, paths, taken),
        Predicate::Always(false) | Predicate::Not(_) | Predicate::Column(..) | Predicate::Message(_) => {
            Some(predicate.clone())
        }
    }
}

/// Adds what all of the alternatives require in one way or another. Returns whether something remains to be checked:
/// nothing does if each of them is a requirement at the same path.
fn take_common(parts: &[Predicate<PathId>], paths: &Paths, taken: &mut Vec<Requirement>) -> bool {
    let mut is_all = true;
    let mut common: Option<Vec<Requirement>> = None;
    for part in parts {
        let mut own = Vec::new();
        is_all &= take(part, paths, &mut own).is_none() && own.len() == 1;
        common = Some(match common {
            None => own,
            Some(common) => common.into_iter().filter_map(|one| one.or(&own)).collect(),
        });
    }
    let common = common.unwrap_or_default();
    is_all &= !common.is_empty();
    common.into_iter().fold(!is_all, |remains, requirement| !add(taken, requirement) || remains)
}

/// Adds a requirement, unless there is one at its path.
fn add(taken: &mut Vec<Requirement>, requirement: Requirement) -> bool {
    let is_new = taken.iter().all(|known| known.path != requirement.path);
    if is_new {
        taken.push(requirement);
    }
    is_new
}

impl Requirement {
    fn of(slot: &Slot<PathId>) -> Self {
        Self { path: slot.path, test: slot.test.clone(), or_absent: slot.or_absent }
    }

    /// Either this or the one of `others` at the same path.
    fn or(self, others: &[Self]) -> Option<Self> {
        let other = others.iter().find(|other| other.path == self.path)?;
        let mut tests = match self.test {
            Some(ValueTest::Any(tests)) => tests,
            test => test.into_iter().collect(),
        };
        tests.extend(other.test.clone());
        let test = (!tests.is_empty()).then_some(ValueTest::Any(tests));
        Some(Self { path: self.path, test, or_absent: self.or_absent || other.or_absent })
    }
}
