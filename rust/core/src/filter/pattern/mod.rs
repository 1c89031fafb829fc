//! Event patterns of Amazon EventBridge: the conditions of a rule on events.
//!
//! The grammar and its meaning are those of EventBridge's user guide ("Event pattern operators", "Arrays in event
//! patterns"); where the guide is silent they are those of Event Ruler, AWS's matcher.

mod alternative;
mod check;
mod compile;
mod error;
mod fields;
mod read;
mod state;
mod wildcard;

pub use alternative::{Affix, Alternative, AnythingBut, End, Literal, Number, Range};
pub use error::{PatternError, PatternErrorKind};
pub use fields::{Combination, Pattern};
pub use state::State;
pub use wildcard::{Wildcard, WildcardError};

#[cfg(test)]
mod tests;
