//! Digests of any times: the number of findings is bounded by the number of digests, whatever they say, and each moment
//! is either found or uncovered.
//!
//! Input: since and until, then start, end and a byte for each digest; eight bytes for each time, the first of which is
//! its scale.

#![no_main]

use ctfast_core::fuzzing::walk_of_times;
use libfuzzer_sys::{Corpus, fuzz_target};

const HOUR: i64 = 3_600_000_000;
/// 2026-02-05T09:01:31Z
const NOW: i64 = 1_770_282_091_000_000;
/// From the year 1 to the end of 9999: the times that a digest or a user can state.
const TIMES: (i64, i64) = (-62_135_596_800_000_000, 253_402_300_799_000_000);

fn time(bytes: &[u8; 8]) -> i64 {
    let number = i64::from_le_bytes([bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], 0]);
    let time = match bytes[0] % 4 {
        0 => NOW - (number % 1000) * HOUR,
        1 => NOW - (number % 200_000) * HOUR / 2,
        2 => NOW - number % (1000 * HOUR),
        _ => i64::from_le_bytes(*bytes),
    };
    time.clamp(TIMES.0, TIMES.1)
}

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((asked, digests)) = input.split_first_chunk::<17>() else { return Corpus::Reject };
    let (first, last) =
        (time(asked[1..9].first_chunk().expect("eight")), time(asked[9..].first_chunk().expect("eight")));
    let since = (asked[0] & 1 != 0).then_some(first.min(last));
    let until = (asked[0] & 2 != 0).then_some(first.max(last));
    let digests: Vec<_> = digests
        .as_chunks::<17>()
        .0
        .iter()
        .map(|bytes| {
            let end = time(bytes[1..9].first_chunk().expect("eight"));
            let start = if bytes[0] & 2 == 0 { end - HOUR } else { time(bytes[9..].first_chunk().expect("eight")) };
            (start, end, bytes[0] & 1 != 0)
        })
        .collect();
    let _ = walk_of_times(&digests, (since, until), NOW);
    Corpus::Keep
});
