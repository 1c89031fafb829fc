//! The tokens of one window of text.

use crate::unchecked::classify;

/// Bytes behind a window that a [`super::Cursor`] may look at; they are zero, which ends every token.
pub(crate) const PADDING: usize = 64;

/// Sentinels behind the tokens, so that looking a few tokens ahead needs no check.
const SENTINELS: usize = 4;

/// The positions of a window's tokens, in a buffer that is reused from window to window.
#[derive(Default)]
pub(crate) struct Index {
    tokens: Vec<u32>,
}

impl Index {
    /// Finds the tokens of `window` and tells whether it is ASCII.
    pub(crate) fn build(&mut self, window: &[u8]) -> bool {
        self.tokens.clear();
        let ascii = classify::tokens(window, &mut self.tokens);
        self.tokens.extend([window.len() as u32; SENTINELS]);
        ascii
    }

    /// The positions, then sentinels that point behind the window.
    pub(crate) fn tokens(&self) -> &[u32] {
        &self.tokens
    }
}
