//! Whether a text names one of the calls that show when a trail began: `CreateTrail` and `StartLogging`.
//!
//! Every log file that is hashed is searched, so that a verification parses only those that may hold one.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// The longest of the names, in its quotes.
const LONGEST: usize = START.len();
const CREATE: &str = "\"CreateTrail\"";
const START: &str = "\"StartLogging\"";
/// Both names, without escapes, as CloudTrail writes them.
static NAMES: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| [Finder::new(CREATE), Finder::new(START)]);

/// Whether a text names one of the calls.
pub(crate) fn names_calls(text: &[u8]) -> bool {
    NAMES.iter().any(|name| name.find(text).is_some())
}

/// The search through a text that comes in pieces.
#[derive(Default)]
pub(crate) struct Search {
    is_found: bool,
    /// The end of the last piece.
    tail: Vec<u8>,
}

impl Search {
    pub(crate) fn update(&mut self, piece: &[u8]) {
        if self.is_found {
            return;
        }
        self.tail.extend_from_slice(&piece[..piece.len().min(LONGEST)]);
        self.is_found = names_calls(piece) || names_calls(&self.tail);
        let end = if piece.len() > LONGEST { piece } else { &self.tail };
        self.tail = end[end.len().saturating_sub(LONGEST - 1)..].to_vec();
    }

    pub(crate) fn is_found(&self) -> bool {
        self.is_found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_wherever_a_text_is_cut() {
        for name in [CREATE, START] {
            let text = format!("{}{name}{}", "a".repeat(30), "b".repeat(30));
            for size in 1..text.len() {
                let mut search = Search::default();
                text.as_bytes().chunks(size).for_each(|piece| search.update(piece));
                assert!(search.is_found(), "{name} {size}");
            }
        }
        let mut search = Search::default();
        search.update(b"\"CreateTrai");
        search.update(b"x\"StartLogging");
        assert!(!search.is_found());
    }
}
