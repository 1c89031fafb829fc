//! Any bytes as a file: windows of any size give the same text, libdeflate and flate2 agree with the stream, and
//! whatever the text is, its records become valid arrays. The same holds if the bytes have another layer of gzip or are
//! UTF-16, and for a file of gzip members, padding and junk that is built from the bytes.
//!
//! Input: one byte for the size of the windows, then the file.

#![no_main]

use std::io::Read;

use ctfast_core::Limits;
use ctfast_core::fuzzing::{Inflate, Text, all_columns, streamed, unwrapped};
use flate2::{Compression, Crc, GzBuilder};
use libfuzzer_sys::{Corpus, fuzz_target};

/// Room for the text of one input; larger ones only take time.
const ROOM: usize = 1 << 20;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((window, file)) = input.split_first() else { return Corpus::Reject };
    check(file, *window);
    check(&members(file), *window);
    Corpus::Keep
});

fn check(file: &[u8], window: u8) {
    let limits = Limits { inflated: ROOM as u64, ..Limits::default() };
    let (text, error) = streamed(file, ROOM, limits);
    let (in_windows, same_error) = streamed(file, 1 + usize::from(window) * 16, limits);
    assert_eq!(text.get(..ROOM).unwrap_or(&text), in_windows.get(..ROOM).unwrap_or(&in_windows));
    assert_eq!(error, same_error);
    for wrapped in
        [file, &member(GzBuilder::new(), file), &[&b"\xff\xfe"[..], file].concat(), &[&b"\xfe\xff"[..], file].concat()]
    {
        let (text, error) = unwrapped(wrapped, ROOM, limits);
        if error.is_none() {
            assert_eq!(unwrapped(wrapped, 1 + usize::from(window) * 16, limits), (text, error));
        }
    }

    if file.starts_with(&[0x1f, 0x8b]) && text.len() < ROOM {
        let mut decoded = Vec::new();
        let right = flate2::read::MultiGzDecoder::new(file).take(ROOM as u64).read_to_end(&mut decoded).is_ok();
        assert_eq!(right, error.is_none(), "{error:?}");
        let mut inflate = Inflate::new(ROOM);
        match (inflate.whole(file), &error) {
            (Some(whole), None) => assert_eq!(whole, text),
            (Some(_), Some(error)) => panic!("libdeflate takes what the stream does not: {error}"),
            // Headers with a checksum are left to the stream.
            (None, error) => assert!(error.is_some() || has_header_checksum(file)),
        }
    }

    if let Ok(text) = str::from_utf8(&text) {
        let (batch, _) = Text::indexed(text.as_bytes()).build(&all_columns());
        for column in batch.iter().flat_map(|batch| batch.columns()) {
            column.to_data().validate_full().expect("a valid array");
        }
    }
}

/// A file built from the plan: members with fields of all kinds in their headers, zeros, junk, and flipped bits.
fn members(mut plan: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    while let [what, length, rest @ ..] = plan {
        let (content, after) = rest.split_at(rest.len().min(usize::from(*length)));
        plan = after;
        match what % 8 {
            0 => file.extend(member(GzBuilder::new(), content)),
            1 => file.extend(member(GzBuilder::new().filename("name").comment("words"), content)),
            2 => file.extend(member(GzBuilder::new().extra(content), content)),
            3 => {
                let mut member = member(GzBuilder::new(), content);
                member[3] = 2;
                let mut crc = Crc::new();
                crc.update(&member[..10]);
                member.splice(10..10, (crc.sum() as u16).to_le_bytes());
                file.extend(member);
            }
            4 => file.extend(member(GzBuilder::new(), b"")),
            5 => file.extend(vec![0; usize::from(*length)]),
            6 => file.extend_from_slice(content),
            _ => {
                let at = content.iter().fold(0, |at, &byte| at * 256 % (1 << 32) + usize::from(byte))
                    % (8 * file.len()).max(1);
                if let Some(byte) = file.get_mut(at / 8) {
                    *byte ^= 1 << (at % 8);
                }
            }
        }
    }
    file
}

fn member(header: GzBuilder, text: &[u8]) -> Vec<u8> {
    let mut member = Vec::new();
    header.read(text, Compression::fast()).read_to_end(&mut member).expect("gzip of a slice");
    member
}

/// Whether a member, at any place, may have the flag of a header with a checksum.
fn has_header_checksum(file: &[u8]) -> bool {
    file.windows(4).any(|header| header.starts_with(&[0x1f, 0x8b, 8]) && header[3] & 2 != 0)
}
