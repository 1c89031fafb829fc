//! A few bytes with each piece repeated many times: whatever is repeated, and wherever, no batch exceeds its bounds,
//! and no record is lost when batches are cut.
//!
//! Input: pieces with line feeds between them; the first byte of each says how often it is repeated, as a power of two.

#![no_main]

use ctfast_core::fuzzing::{Text, all_columns, largest_batch};
use libfuzzer_sys::{Corpus, fuzz_target};

/// As much text as a window has.
const TEXT: usize = 2 << 20;
/// The most bytes of a batch: text that rows point into and text that was copied, cells, lists, and the last record.
const HELD: usize = 48 << 20;

fuzz_target!(|input: &[u8]| -> Corpus {
    let mut text = b"{\"Records\":[".to_vec();
    for piece in input.split(|&byte| byte == b'\n') {
        let Some((&times, piece)) = piece.split_first() else { continue };
        let times = 1usize << (times % 20);
        if text.len() + times * piece.len() > TEXT {
            return Corpus::Reject;
        }
        text.extend(piece.repeat(times));
    }
    let Ok(text) = String::from_utf8(text) else { return Corpus::Reject };
    let columns = all_columns();
    let (held, rows) = largest_batch(text.as_bytes(), &columns);
    assert!(held <= HELD, "{held} bytes");
    if let Ok(walked) = Text::indexed(text.as_bytes()).walk(&columns, None) {
        assert_eq!(rows, walked);
    }
    Corpus::Keep
});
