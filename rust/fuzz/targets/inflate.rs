//! Any bytes as a file: windows of any size give the same text, libdeflate and flate2 agree with the stream, and whatever the text is,
//! its records become valid arrays.
//!
//! Input: one byte for the size of the windows, then the file.

#![no_main]

use std::io::Read;

use ctfast_core::Limits;
use ctfast_core::fuzzing::{Inflate, Text, all_columns, streamed};
use libfuzzer_sys::{Corpus, fuzz_target};

/// No more text than that of one input; larger ones only take time.
const ROOM: usize = 1 << 20;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((window, file)) = input.split_first() else { return Corpus::Reject };
    let limits = Limits { inflated: ROOM as u64, ..Limits::default() };
    let (text, error) = streamed(file, ROOM, limits);
    let (in_windows, same_error) = streamed(file, 1 + usize::from(*window) * 16, limits);
    assert_eq!(text.get(..ROOM).unwrap_or(&text), in_windows.get(..ROOM).unwrap_or(&in_windows));
    assert_eq!(error, same_error);

    if file.starts_with(&[0x1f, 0x8b]) && text.len() < ROOM {
        let mut decoded = Vec::new();
        let right = flate2::read::MultiGzDecoder::new(file).take(ROOM as u64).read_to_end(&mut decoded).is_ok();
        assert_eq!(right, error.is_none(), "{error:?}");
        let mut inflate = Inflate::new(ROOM);
        match (inflate.whole(file), &error) {
            (Some(whole), None) => assert_eq!(whole, text),
            // libdeflate passes over the checksum of a header.
            (Some(whole), Some(_)) => assert!(has_header_checksum(file) && whole.starts_with(&text)),
            (None, error) => assert!(error.is_some()),
        }
    }

    if let Ok(text) = str::from_utf8(&text) {
        let (batch, _) = Text::indexed(text.as_bytes()).build(&all_columns());
        for column in batch.iter().flat_map(|batch| batch.columns()) {
            column.to_data().validate_full().expect("a valid array");
        }
    }
    Corpus::Keep
});

/// Whether a member, at any place, may have the flag of a header with a checksum.
fn has_header_checksum(file: &[u8]) -> bool {
    file.windows(4).any(|header| header.starts_with(&[0x1f, 0x8b, 8]) && header[3] & 2 != 0)
}
