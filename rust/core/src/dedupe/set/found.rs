//! What a part of the set answers.

/// What is found of a key among some: the key itself, or how many others of its event.
#[derive(Clone, Copy)]
pub(super) enum Found {
    Key,
    Others(usize),
}
