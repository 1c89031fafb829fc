//! The tokens of 64 bytes of JSON: pure bit arithmetic, shared by every variant of `unchecked::classify`.

/// One bit per byte of a block.
pub(crate) struct Masks {
    pub(crate) quote: u64,
    pub(crate) backslash: u64,
    /// `{`, `}`, `[` and `]`.
    pub(crate) bracket: u64,
    /// Below 0x20.
    pub(crate) control: u64,
    /// Above 0x7f.
    pub(crate) high: u64,
}

impl Masks {
    /// Byte by byte, for processors without a variant of their own.
    pub(crate) fn scalar(block: &[u8; 64]) -> Self {
        let mask = |test: fn(u8) -> bool| block.iter().rev().fold(0, |mask, &byte| mask << 1 | u64::from(test(byte)));
        Self {
            quote: mask(|byte| byte == b'"'),
            backslash: mask(|byte| byte == b'\\'),
            bracket: mask(|byte| matches!(byte, b'{' | b'}' | b'[' | b']')),
            control: mask(|byte| byte < 0x20),
            high: mask(|byte| byte > 0x7f),
        }
    }
}

/// Each bit is the parity of itself and all bits below.
pub(crate) fn prefix_xor(mut mask: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        mask ^= mask << shift;
    }
    mask
}

/// The state that one block passes to the next.
#[derive(Default)]
pub(crate) struct State {
    /// 1 when the first byte of the next block is escaped.
    escaped: u64,
    /// All ones inside a string.
    in_string: u64,
}

impl State {
    /// The tokens of the block: quotes that open or close a string, brackets outside of strings, and special characters
    /// inside of strings (the backslash of an escape, a control character).
    #[inline(always)]
    pub(crate) fn tokens(&mut self, masks: &Masks, prefix_xor: impl Fn(u64) -> u64) -> u64 {
        const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
        let (escape, escaped);
        if masks.backslash == 0 {
            (escape, escaped) = (0, self.escaped);
            self.escaped = 0;
        } else {
            // In each run of backslashes, every second one is escaped by the one before it. Subtracting the run's
            // starts from the odd bits carries through each run and so marks every other bit, whichever parity it
            // starts at.
            let starts = masks.backslash & !self.escaped;
            let alternating = (starts << 1 | ODD).wrapping_sub(starts) ^ ODD;
            escaped = alternating ^ (masks.backslash | self.escaped);
            escape = alternating & masks.backslash;
            self.escaped = escape >> 63;
        }
        let quote = masks.quote & !escaped;
        let in_string = prefix_xor(quote) ^ self.in_string;
        self.in_string = (in_string.cast_signed() >> 63).cast_unsigned();
        quote | masks.bracket & !in_string | (escape | masks.control) & in_string
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> String {
        let mut state = State::default();
        let mut marks = String::new();
        for chunk in text.as_bytes().chunks(64) {
            let mut block = [b' '; 64];
            block[..chunk.len()].copy_from_slice(chunk);
            let mask = state.tokens(&Masks::scalar(&block), prefix_xor);
            marks.extend((0..chunk.len()).map(|bit| if mask >> bit & 1 == 1 { '^' } else { ' ' }));
        }
        marks
    }

    #[test]
    fn quotes_brackets_escapes_and_controls_are_tokens() {
        assert_eq!(tokens(r#"{"a":[1,"b{"]}"#), "^^ ^ ^  ^  ^^^");
        assert_eq!(tokens(r#""a\"b\\""#), "^ ^  ^ ^");
        assert_eq!(tokens("\"a\nb\""), "^ ^ ^");
    }

    #[test]
    fn escapes_cross_blocks() {
        for before in 55..70 {
            let text = format!("\"{}\\\\\\\"x\"{{}}", "a".repeat(before));
            let marks = format!("^{}^ ^  ^^^", " ".repeat(before));
            assert_eq!(tokens(&text), marks);
        }
    }
}
