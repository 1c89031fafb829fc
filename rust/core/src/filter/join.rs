//! Values that must not stand in different elements of one array.

use super::Slot;
use super::locate::{Element, Found, OUTSIDE, PathId, Paths, Scratch, Subject};

/// Slots, and how far each one's arrays matter to those behind it.
#[derive(Debug, Clone)]
pub(super) struct Join {
    pub(super) slots: Vec<Slot<PathId>>,
    /// Of each slot: the longest part of its path, in steps, that a later slot's path has in common with it.
    shared: Vec<usize>,
}

/// An array element that a value was chosen from, and the slot of that value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    array: u32,
    index: u32,
    depth: u32,
    slot: usize,
}

impl Join {
    /// `common` tells how many steps two paths have in common.
    pub(super) fn new(slots: Vec<Slot<PathId>>, common: impl Fn(usize, usize) -> usize) -> Self {
        let count = slots.len();
        let shared = (0..count).map(|slot| (slot + 1..count).map(|later| common(slot, later)).max().unwrap_or(0)).collect();
        Self { slots, shared }
    }

    pub(super) fn matches(&self, paths: &Paths, subject: Subject<'_, '_>, scratch: &mut Scratch) -> bool {
        let mut in_arrays = false;
        // What is found without a walk comes first: it mostly decides.
        for cheap in [true, false] {
            for slot in self.slots.iter().filter(|slot| paths.is_column(slot.path) == cheap) {
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
            !found.iter().any(|found| slot.passes(found, subject)) && !(slot.or_absent && found.is_empty())
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
                    next.push(self.kept(way.clone()));
                }
                for &element in &passing {
                    if is_open(&way, element, &scratch.elements) {
                        let mut longer = way.clone();
                        longer.extend(chain(element, &scratch.elements).map(|element| Choice {
                            array: element.array,
                            index: element.index,
                            depth: element.depth,
                            slot: number,
                        }));
                        next.push(self.kept(longer));
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

    /// Without the choices that bind no later slot, so that ways which differ only in them become one.
    fn kept(&self, mut way: Vec<Choice>) -> Vec<Choice> {
        way.retain(|choice| choice.depth as usize <= self.shared[choice.slot]);
        way.sort_unstable_by_key(|choice| (choice.array, choice.slot));
        way.dedup_by_key(|choice| choice.array);
        way
    }
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
