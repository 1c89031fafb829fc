use std::io::{Cursor, Read};

use flate2::Compression;
use flate2::read::GzEncoder;
use proptest::prelude::*;

use super::*;

/// The text of a file, read in windows with this much room, and its end in words.
fn unwrapped(file: &[u8], room: usize, limits: Limits) -> (String, String) {
    let mut file = Unwrapped::new(Cursor::new(file), limits);
    let mut text = Vec::new();
    loop {
        let mut arena = Arena::new(room);
        let next = file.fill(&mut arena);
        text.extend_from_slice(arena.text(0));
        let words = match next {
            Next::More => {
                assert_eq!(arena.room(), 0, "a window is full when more is to come");
                continue;
            }
            Next::End(warning) => warning.map_or_else(String::new, |warning| warning.to_string()),
            Next::Damaged(error) => error.to_string(),
        };
        return (String::from_utf8_lossy(&text).into_owned(), words);
    }
}

fn read(file: &[u8]) -> (String, String) {
    unwrapped(file, 1 << 16, Limits::default())
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    GzEncoder::new(text, Compression::fast()).read_to_end(&mut file).expect("gzip");
    file
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
}

const TEXT: &str = "{\"a\":\"é 𝄞 €\"}";

fn right(text: &str) -> (String, String) {
    (text.to_owned(), String::new())
}

#[test]
fn each_wrapping_and_none() {
    for text in ["", "{", TEXT] {
        let (little, big) = (utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes));
        for text16 in [&little, &big] {
            assert_eq!(read(text16), right(text));
            assert_eq!(read(&gzip(text16)), right(text));
            assert_eq!(read(&gzip(&gzip(text16))), right(text));
        }
        assert_eq!(read(&gzip(text.as_bytes())), right(text));
        assert_eq!(read(&gzip(&gzip(text.as_bytes()))), right(text));
        let parts = [gzip(text.as_bytes()), gzip(b"\n"), gzip(text.as_bytes())].concat();
        assert_eq!(read(&gzip(&parts)), right(&format!("{text}\n{text}")));
    }
    assert_eq!(read(TEXT.as_bytes()), right(TEXT));
    assert_eq!(read(b""), (String::new(), "empty file".to_owned()));
}

#[test]
fn a_third_layer_is_named() {
    let words = "gzip within gzip within gzip: two layers are read, no more";
    assert_eq!(read(&gzip(&gzip(&gzip(TEXT.as_bytes())))), (String::new(), words.to_owned()));
}

#[test]
fn damage_of_each_layer_is_its_own() {
    let inner = gzip(TEXT.as_bytes());
    let cut = &inner[..inner.len() - 3];
    let words = format!("in the gzip file within: truncated gzip: the file ends inside member 1 at byte {}", cut.len());
    assert_eq!(read(&gzip(cut)), (TEXT.to_owned(), words));
    let outer = gzip(&inner);
    let words = format!("truncated gzip: the file ends inside member 1 at byte {}", outer.len() - 3);
    assert_eq!(read(&outer[..outer.len() - 3]), (TEXT.to_owned(), words));
    let mut wrong = outer.clone();
    let end = wrong.len() - 8;
    wrong[end] ^= 1;
    assert_eq!(
        read(&wrong),
        (TEXT.to_owned(), format!("gzip checksum does not match in member 1 at byte {}", outer.len() - 4))
    );
    let zeros = gzip(&[&inner[..], &[0; 5]].concat());
    let words = format!("in the gzip file within: 5 bytes after the last gzip member at byte {}", inner.len());
    assert_eq!(read(&zeros), (TEXT.to_owned(), words));
}

#[test]
fn units_that_are_no_character_end_the_text() {
    let text = |units: &[u16]| -> Vec<u8> { units.iter().flat_map(|unit| unit.to_le_bytes()).collect() };
    for wrong in [[0xd834, 0x61], [0xdd1e, 0x61]] {
        let file = text(&[0xfeff, 0xe9, wrong[0], wrong[1]]);
        assert_eq!(read(&file), ("é".to_owned(), "invalid UTF-16 at byte 2 of the text in UTF-8".to_owned()));
    }
    for rest in [&[0x61][..], &[0x34, 0xd8], &[0x34, 0xd8, 0x1e]] {
        let file = [&text(&[0xfeff, 0xe9]), rest].concat();
        assert_eq!(read(&file), ("é".to_owned(), "invalid UTF-16 at byte 2 of the text in UTF-8".to_owned()));
    }
}

#[test]
fn both_layers_are_bounded_by_the_size_of_the_file() {
    let limits = Limits { inflated: 1 << 30, ratio: 100 };
    let text = vec![b' '; 8 << 20];
    let (_, words) = unwrapped(&gzip(&gzip(&text)), 1 << 16, limits);
    assert_eq!(words, "inflates more than 100 times");
    let (_, words) = unwrapped(&gzip(&gzip(&text)), 1 << 16, Limits { inflated: 1 << 20, ratio: 1 << 20 });
    assert_eq!(words, "inflates to more than 1048576 bytes");
}

proptest! {
    #[test]
    fn windows_of_any_size_say_the_same(text in "\\PC{0,200}", room in 1_usize..50, big: bool, layers in 0..3) {
        let mut file = utf16(&text, if big { u16::to_be_bytes } else { u16::to_le_bytes });
        for _ in 0..layers {
            file = gzip(&file);
        }
        prop_assert_eq!(unwrapped(&file, room, Limits::default()), right(&text));
    }

    #[test]
    fn damage_anywhere_is_the_same_in_windows_of_any_size(
        text in "\\PC{0,100}", room in 1_usize..50, layers in 0..3, at: prop::sample::Index, bit in 0_u8..9,
    ) {
        let mut file = utf16(&text, u16::to_le_bytes);
        for _ in 0..layers {
            file = gzip(&file);
        }
        let at = at.index(file.len());
        match bit {
            8 => file.truncate(at.max(1)),
            bit => file[at] ^= 1 << bit,
        }
        let bytes = |room| {
            let mut file = Unwrapped::new(Cursor::new(&file), Limits::default());
            let mut text = Vec::new();
            loop {
                let mut arena = Arena::new(room);
                let next = file.fill(&mut arena);
                text.extend_from_slice(arena.text(0));
                if !matches!(next, Next::More) {
                    return (text, format!("{next:?}"));
                }
            }
        };
        prop_assert_eq!(bytes(room), bytes(1 << 16));
    }
}
