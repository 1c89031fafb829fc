//! Values that must not come from different elements of one array.

use std::ops::Range;

use super::Slot;
use super::locate::{Element, Found, OUTSIDE, PathId, Paths, Scratch, Subject};

/// Slots, and which later slots each one's arrays constrain.
#[derive(Debug, Clone)]
pub(super) struct Join {
    pub(super) slots: Vec<Slot<PathId>>,
    /// For each slot, by number of steps less one: the last later slot whose path shares that many steps with it.
    shared: Vec<Vec<usize>>,
}

/// An array element that a value was chosen from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    /// The bytes of the array.
    array: (u32, u32),
    /// The bytes of the element.
    place: (u32, u32),
    /// The last slot that it constrains.
    until: usize,
}

impl Join {
    /// `common` returns how many steps two paths have in common.
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
        if let [slot] = &*self.slots {
            // A single value agrees with itself.
            let found = paths.values(slot.path, subject, scratch);
            return found.iter().any(|found| slot.passes(found, subject)) || slot.or_absent && found.is_empty();
        }
        let mut in_arrays = false;
        // Values that are found without a walk come first, since they usually decide.
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

    /// The first slot without an acceptable value, if there is one.
    pub(super) fn failing(
        &self,
        paths: &Paths,
        subject: Subject<'_, '_>,
        scratch: &mut Scratch,
    ) -> Option<&Slot<PathId>> {
        self.slots.iter().find(|slot| {
            let found = paths.values(slot.path, subject, scratch);
            !(found.iter().any(|found| slot.passes(found, subject)) || slot.or_absent && found.is_empty())
        })
    }

    /// All ways to choose values for the slots, slot by slot; each way is the list of array elements that constrain
    /// later slots.
    fn joined(&self, paths: &Paths, subject: Subject<'_, '_>, scratch: &mut Scratch) -> bool {
        let mut ways: Vec<Vec<Choice>> = vec![Vec::new()];
        for (number, slot) in self.slots.iter().enumerate() {
            paths.values(slot.path, subject, scratch);
            let found = scratch.found(slot.path);
            let passing = in_order(found.iter().filter(|found| slot.passes(found, subject)), &scratch.elements);
            let there = if slot.or_absent { in_order(found.iter(), &scratch.elements) } else { Vec::new() };
            let mut next = Vec::new();
            for way in ways {
                let open = open(&way);
                if slot.or_absent && open.iter().all(|bytes| within(&there, bytes).is_empty()) {
                    next.push(kept(way.clone(), number));
                }
                for &(_, element) in open.iter().flat_map(|bytes| within(&passing, bytes)) {
                    let chosen =
                        chain(element, &scratch.elements).filter_map(|Element { array, place, depth, .. }| {
                            let until = *self.shared[number].get((depth as usize).checked_sub(1)?)?;
                            Some(Choice { array, place, until })
                        });
                    next.push(kept(way.iter().copied().chain(chosen).collect(), number));
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

/// The innermost elements that contain values, each once, in the order of their starts.
fn in_order<'a>(found: impl Iterator<Item = &'a Found>, elements: &[Element]) -> Vec<(u32, u32)> {
    let mut places: Vec<_> = found.map(|found| (elements[found.element as usize].place.0, found.element)).collect();
    places.sort_unstable();
    places.dedup_by_key(|(start, _)| *start);
    places
}

/// The places that start within a range of bytes.
fn within<'a>(places: &'a [(u32, u32)], bytes: &Range<u32>) -> &'a [(u32, u32)] {
    let after = |byte: u32| places.partition_point(|(start, _)| *start < byte);
    &places[after(bytes.start)..after(bytes.end)]
}

/// The ranges in which elements may start that agree with all choices: not in an array of which another element was
/// chosen.
fn open(way: &[Choice]) -> Vec<Range<u32>> {
    let all = Range { start: 0, end: u32::MAX };
    way.iter().fold(vec![all], |open, Choice { array, place, .. }| {
        let parts = |range: Range<u32>| {
            // An element that starts where the array does is the array itself: values directly in it are in none of its
            // elements.
            let before = range.start..range.end.min(array.0 + 1);
            let inside = range.start.max(place.0)..range.end.min(place.1);
            let after = range.start.max(array.1)..range.end;
            [before, inside, after]
        };
        open.into_iter().flat_map(parts).filter(|range| !range.is_empty()).collect()
    })
}

/// Drops the choices that constrain no later slot, so that ways which differ only in them become one.
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

/// An element and the elements around it.
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
