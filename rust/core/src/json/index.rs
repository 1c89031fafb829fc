//! The tokens of one window of text.

use crate::unchecked::classify;

/// Bytes after a window that a [`super::Cursor`] may read; they are zero, which ends every token.
pub(crate) const PADDING: usize = 64;

/// The largest window: positions in it and its padding have 32 bits. [`Index::build`] and [`super::Cursor::new`] check
/// it; real windows are much smaller (see [`crate::bounds::WINDOW`]).
pub(crate) const MAX_WINDOW: usize = u32::MAX as usize - PADDING;

/// Sentinels after the tokens, so that looking a few tokens ahead needs no check.
const SENTINELS: usize = 4;

/// Bytes of a block, the unit in which text is classified.
const BLOCK: usize = 64;

/// The positions of a window's tokens, in a buffer that is reused from window to window.
#[derive(Default)]
pub(crate) struct Index {
    tokens: Vec<u32>,
    /// Numbers of the blocks that are not all ASCII.
    wide: Vec<u32>,
}

impl Index {
    /// Finds the tokens of `window`.
    ///
    /// # Panics
    ///
    /// When it is larger than [`MAX_WINDOW`].
    pub(crate) fn build(&mut self, window: &[u8]) {
        assert!(window.len() <= MAX_WINDOW, "positions have 32 bits");
        self.tokens.clear();
        self.wide.clear();
        classify::tokens(window, &mut self.tokens, &mut self.wide);
        self.tokens.extend([window.len() as u32; SENTINELS]);
    }

    /// The positions, then sentinels that point after the window.
    pub(crate) fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// How much of `window`, from which the index was built, is valid UTF-8, and whether the next bytes are invalid
    /// rather than cut off.
    ///
    /// Only runs of blocks that are not all ASCII are looked at: a character never crosses into a block that is.
    pub(crate) fn valid_up_to(&self, window: &[u8]) -> (usize, bool) {
        for run in self.wide.chunk_by(|one, next| one + 1 == *next) {
            let start = run[0] as usize * BLOCK;
            let end = (start + run.len() * BLOCK).min(window.len());
            if let Err(error) = str::from_utf8(&window[start..end]) {
                let wrong = error.error_len().is_some() || end < window.len();
                return (start + error.valid_up_to(), wrong);
            }
        }
        (window.len(), false)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn validity_is_that_of_the_whole(
            mut bytes in r"[a-zé€😀]{0,300}".prop_map(String::into_bytes),
            at: prop::sample::Index,
            byte: u8,
            cut: usize,
        ) {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
                bytes.truncate(bytes.len() - cut % 4 % bytes.len());
            }
            let mut index = Index::default();
            index.build(&bytes);
            let expected = match str::from_utf8(&bytes) {
                Ok(_) => (bytes.len(), false),
                Err(error) => (error.valid_up_to(), error.error_len().is_some()),
            };
            prop_assert_eq!(index.valid_up_to(&bytes), expected);
        }
    }
}
