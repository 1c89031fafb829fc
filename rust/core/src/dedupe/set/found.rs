//! The result of looking up a key in a part of the set.

/// Either the key itself was found, or this many other keys of its event.
#[derive(Clone, Copy)]
pub(super) enum Found {
    Key,
    Others(usize),
}
