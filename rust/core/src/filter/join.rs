//! Values that must not stand in different elements of one array.

use super::Slot;
use super::locate::{Element, Found, OUTSIDE, PathId, Paths, Scratch, Subject};

/// Slots, and how far each one's arrays matter to those behind it.
#[derive(Debug, Clone)]
pub(super) struct Join {
    pub(super) slots: Vec<Slot<PathId>>,
    /// Of each slot: by number of steps, less one, the last slot behind it whose path has so many in common with its own.
    shared: Vec<Vec<usize>>,
}

/// An array element that a value was chosen from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    array: u32,
    index: u32,
    /// The last slot that it binds.
    until: usize,
}

impl Join {
    /// `common` tells how many steps two paths have in common.
    pub(super) fn new(slots: Vec<Slot<PathId>>, common: impl Fn(usize, usize) -> usize) -> Self {
        let count = slots.len();
        let mut shared = vec![Vec::new(); count];
        for (slot, shared) in shared.iter_mut().enumerate() {
            for later in slot + 1..count {
                let steps = common(slot, later);
                shared.resize(shared.len().max(steps), later);
                shared[..steps].fill(later);
            }
        }
        Self { slots, shared }
    }

    pub(super) fn matches(&self, paths: &Paths, subject: Subject<'_, '_>, scratch: &mut Scratch) -> bool {
        let mut in_arrays = false;
        // What is found without a walk comes first: it mostly decides.
        for free in [true, false] {
            for slot in self.slots.iter().filter(|slot| paths.is_free(slot.path) == free) {
                let found = paths.values(slot.path, subject, scratch);
                in_arrays |= found.iter().any(|found| found.element != OUTSIDE);
                let passes = found.iter().any(|found| slot.passes(found, subject));
                if !passes && !(slot.or_absent && (found.is_empty() || in_arrays)) {
                    return false;
                }
            }
        }
        !in_arrays || self.joined(paths, subject, scratch)
    }

    /// The first slot that nothing passes, if there is one.
    pub(super) fn failing(&self, paths: &Paths, subject: Subject<'_, '_>, scratch: &mut Scratch) -> Option<&Slot<PathId>> {
        self.slots.iter().find(|slot| {
            let found = paths.values(slot.path, subject, scratch);
            !(found.iter().any(|found| slot.passes(found, subject)) || slot.or_absent && found.is_empty())
        })
    }

    /// All ways to choose the values of the slots so far, each as the elements that later slots are bound to; slot by slot.
    fn joined(&self, paths: &Paths, subject: Subject<'_, '_>, scratch: &mut Scratch) -> bool {
        let mut ways: Vec<Vec<Choice>> = vec![Vec::new()];
        for (number, slot) in self.slots.iter().enumerate() {
            paths.values(slot.path, subject, scratch);
            let found = scratch.found(slot.path);
            let passing: Vec<_> = found.iter().filter(|found| slot.passes(found, subject)).map(|found| found.element).collect();
            let mut next = Vec::new();
            for way in ways {
                if slot.or_absent && !found.iter().any(|found| is_open(&way, found.element, &scratch.elements)) {
                    next.push(kept(way.clone(), number));
                }
                for &element in &passing {
                    if is_open(&way, element, &scratch.elements) {
                        let mut longer = way.clone();
                        longer.extend(chain(element, &scratch.elements).filter_map(|element| {
                            let until = *self.shared[number].get((element.depth as usize).checked_sub(1)?)?;
                            Some(Choice { array: element.array, index: element.index, until })
                        }));
                        next.push(kept(longer, number));
                    }
                }
            }
            next.sort_unstable();
            next.dedup();
            ways = next;
            if ways.is_empty() {
                return false;
            }
        }
        true
    }
}

/// Without the choices that bind no slot behind this one, so that ways which differ only in them become one.
fn kept(mut way: Vec<Choice>, slot: usize) -> Vec<Choice> {
    way.retain(|choice| choice.until > slot);
    way.sort_unstable_by_key(|choice| (choice.array, std::cmp::Reverse(choice.until)));
    way.dedup_by_key(|choice| choice.array);
    way
}

impl Slot<PathId> {
    fn passes(&self, found: &Found, subject: Subject<'_, '_>) -> bool {
        self.test.as_ref().is_some_and(|test| test.passes(&found.value.scalar(subject.cursor)))
    }
}

/// Whether an element agrees with all that were chosen.
fn is_open(way: &[Choice], element: u32, elements: &[Element]) -> bool {
    chain(element, elements)
        .all(|element| way.iter().all(|choice| choice.array != element.array || choice.index == element.index))
}

/// An element and those that it lies in.
fn chain(element: u32, elements: &[Element]) -> impl Iterator<Item = Element> {
    let mut at = element;
    std::iter::from_fn(move || {
        let element = elements[at as usize];
        (at != OUTSIDE).then(|| {
            at = element.parent;
            element
        })
    })
}
