//! No listing, error or header that a store sends, and no name that becomes part of an address, does harm: nothing
//! panics, no key outside of the request is accepted, no secret is repeated, and no name leads to another host.
//!
//! Input: two bytes for the status, a line with the request, the header lines, an empty line, then the body.

#![no_main]

use ctfast_core::fuzzing::answered;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((status, rest)) = input.split_first_chunk() else { return Corpus::Reject };
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { return Corpus::Reject };
    let Ok(asked) = str::from_utf8(&rest[..end]) else { return Corpus::Reject };
    let rest = &rest[end + 1..];
    let end = rest.windows(2).position(|pair| pair == b"\n\n").unwrap_or(rest.len());
    let Ok(head) = str::from_utf8(&rest[..end]) else { return Corpus::Reject };
    let body = rest.get(end + 2..).unwrap_or_default();
    answered(100 + u16::from_le_bytes(*status) % 500, head, body, asked);
    Corpus::Keep
});
