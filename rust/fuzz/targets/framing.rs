//! A text that comes in windows shows the same records, at the same places, with the same error, as the text at once;
//! and every record is a JSON object by `serde_json`.
//!
//! Input: two places to cut at, of two bytes each, then the text.

#![no_main]

use ctfast_core::fuzzing::seen_in_windows;
use libfuzzer_sys::{Corpus, fuzz_target};
use serde::de::IgnoredAny;

/// The first window of a streamed file has megabytes: no byte order mark is cut in two.
const FIRST_WINDOW: usize = 4;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((&[one, two, three, four], text)) = input.split_first_chunk() else { return Corpus::Reject };
    let Ok(text) = str::from_utf8(text) else { return Corpus::Reject };
    let whole = seen_in_windows(text.as_bytes(), &[]);
    for line in &whole {
        if let Some((_, record)) =
            line.split_once(' ').filter(|(number, _)| number.trim_end_matches('*').parse::<u64>().is_ok())
        {
            assert!(record.starts_with('{') && serde_json::from_str::<IgnoredAny>(record).is_ok(), "{line}");
        }
    }
    let places = [u16::from_le_bytes([one, two]), u16::from_le_bytes([three, four])];
    let mut cuts: Vec<_> = places.map(|place| FIRST_WINDOW + usize::from(place) % text.len().max(1)).to_vec();
    cuts.retain(|&cut| cut < text.len());
    cuts.sort_unstable();
    assert_eq!(seen_in_windows(text.as_bytes(), &cuts), whole, "cut at {cuts:?}");
    Corpus::Keep
});
