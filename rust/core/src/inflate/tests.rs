use std::io::{self, Read};

use flate2::{Compression, Crc, GzBuilder};
use proptest::collection::vec;
use proptest::prelude::*;

use super::header::{MAGIC, is_gzip};
use super::limits::RATIO_FROM;
use super::*;
use crate::arena::Arena;

/// The result of reading a file: its text, and its error in words, which is empty without one.
type Outcome = (Vec<u8>, String);

/// The result of a stream, in arenas with this much room.
fn streamed_from(file: impl Read, room: usize, limits: Limits) -> Outcome {
    let mut stream = Stream::new(file, limits);
    let mut text = Vec::new();
    loop {
        let mut arena = Arena::new(room);
        let next = stream.fill(&mut arena);
        text.extend_from_slice(arena.text(0));
        match next {
            Next::More => assert!(arena.room() == 0, "a window is full when more is to come"),
            Next::End(warning) => return (text, warning.map_or_else(String::new, |warning| warning.to_string())),
            Next::Damaged(error) => return (text, error.to_string()),
        }
    }
}

fn streamed(file: &[u8]) -> Outcome {
    streamed_from(file, 1 << 16, Limits::default())
}

/// The result of libdeflate.
fn at_once(file: &[u8], room: usize) -> Option<Vec<u8>> {
    let mut arena = Arena::new(room + 3);
    arena.append(|text| text.extend_from_slice(b"abc"));
    let right = Inflater::new().whole(file, &mut arena);
    assert_eq!(&arena.text(0)[..3], b"abc", "what was there stays");
    assert!(right.is_some() || arena.len() == 3, "a failed attempt leaves nothing");
    right.map(|_| arena.text(3).to_vec())
}

/// Checks libdeflate on a valid file: one with a checksum in a header is left to the stream, which checks that.
fn at_once_if_plain(file: &[u8], text: &[u8]) {
    let has_checksum = file.windows(4).any(|header| header.starts_with(b"\x1f\x8b\x08") && header[3] & 2 != 0);
    assert_eq!(at_once(file, text.len()), (!has_checksum).then(|| text.to_vec()));
}

fn member(text: &[u8], level: u32) -> Vec<u8> {
    let mut file = Vec::new();
    GzBuilder::new().read(text, Compression::new(level)).read_to_end(&mut file).expect("gzip");
    file
}

/// A member whose header has every optional field.
fn member_with_all_fields(text: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let builder = GzBuilder::new().filename("name").comment("words").extra(b"ab\x02\x00xy").mtime(7);
    builder.read(text, Compression::fast()).read_to_end(&mut file).expect("gzip");
    let header = 10 + 2 + 6 + "name\0words\0".len();
    file[3] |= 2;
    let mut crc = Crc::new();
    crc.update(&file[..header]);
    file.splice(header..header, (crc.sum() as u16).to_le_bytes());
    file
}

const TEXT: &[u8] = b"{\"Records\":[{\"eventName\":\"A\"},{\"eventName\":\"A\"}]}";

#[test]
fn a_file_of_any_right_members_inflates_to_their_texts() {
    let empty = member(b"", 6);
    for (file, text) in [
        (member(TEXT, 6), TEXT.to_vec()),
        (member(TEXT, 0), TEXT.to_vec()),
        (member_with_all_fields(TEXT), TEXT.to_vec()),
        ([member(TEXT, 1), member(b"\n", 9), member_with_all_fields(TEXT)].concat(), [TEXT, b"\n", TEXT].concat()),
        (empty.clone(), Vec::new()),
        ([&empty[..], &empty, &member(TEXT, 6), &empty].concat(), TEXT.to_vec()),
    ] {
        assert_eq!(streamed(&file), (text.clone(), String::new()));
        at_once_if_plain(&file, &text);
    }
}

#[test]
fn a_plain_file_passes_as_it_is() {
    for text in [TEXT, b"x", b"\x1f", b"\x1f\x8a\x00", b"\n"] {
        assert_eq!(streamed(text), (text.to_vec(), String::new()));
        assert_eq!(at_once(text, 100), None);
    }
}

#[test]
fn an_empty_file_is_told() {
    assert_eq!(streamed(b""), (Vec::new(), "empty file".to_owned()));
}

#[test]
fn a_file_cut_anywhere_keeps_what_came_before_and_names_the_member() {
    let first = member(TEXT, 6);
    let file = [&first[..], &member_with_all_fields(TEXT)].concat();
    let both = [TEXT, TEXT].concat();
    for end in 2..file.len() {
        if end == first.len() {
            continue; // A file of one whole member.
        }
        let (text, error) = streamed(&file[..end]);
        let begun = if end < first.len() { 1 } else { 2 };
        let expected = match end - if begun == 1 { 0 } else { first.len() } {
            1 => format!("1 byte after gzip member 1 is no gzip member at byte {}", first.len()),
            _ => format!("truncated gzip: the file ends inside member {begun} at byte {end}"),
        };
        assert_eq!(error, expected, "cut at {end}");
        assert!(both.starts_with(&text) && text.len() >= TEXT.len() * (begun - 1), "cut at {end}");
        assert_eq!(at_once(&file[..end], 1000), None, "cut at {end}");
    }
    // The whole text is there as soon as its last block has come.
    assert_eq!(streamed(&first[..first.len() - 8]).0, TEXT);
}

#[test]
fn no_flipped_bit_gives_another_text_unnoticed() {
    for file in [member(TEXT, 6), member_with_all_fields(TEXT), [member(b"[", 6), member(b"]", 6)].concat()] {
        let (right, _) = streamed(&file);
        for bit in 16..8 * file.len() {
            let mut file = file.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            let (text, error) = streamed(&file);
            assert!(text == right || !error.is_empty(), "bit {bit}");
            let fast = at_once(&file, 1000);
            assert!(fast.is_none() || fast == Some(right.clone()), "bit {bit}");
        }
    }
}

#[test]
fn what_does_not_match_is_named() {
    let file = [member(b"x", 6), member(TEXT, 6)].concat();
    let size = file.len();
    let with = |at: usize, byte: u8| {
        let mut file = file.clone();
        file[at] ^= byte;
        streamed(&file)
    };
    let both = [b"x", TEXT].concat();
    assert_eq!(
        with(size - 8, 1),
        (both.clone(), format!("gzip checksum does not match in member 2 at byte {}", size - 4))
    );
    assert_eq!(with(size - 4, 1), (both, format!("gzip length does not match in member 2 at byte {size}")));
    assert_eq!(with(2, 1).1, "corrupt gzip: invalid header of member 1 at byte 2");
    assert_eq!(with(3, 0x80).1, "corrupt gzip: invalid header of member 1 at byte 3");
    let first = member(b"x", 6).len();
    assert_eq!(
        with(first + 3, 0x20),
        (b"x".to_vec(), format!("corrupt gzip: invalid header of member 2 at byte {}", first + 3))
    );
    let fields = member_with_all_fields(TEXT);
    let end = 10 + 2 + 6 + "name\0words\0".len() + 2;
    for (at, byte) in [(4, 1), (9, 1), (12, 2), (18, 4), (end - 3 - 2, 1), (end - 2, 8), (end - 1, 1)] {
        let mut file = fields.clone();
        file[at] ^= byte;
        let error = format!("corrupt gzip: invalid header of member 1 at byte {}", end - 1);
        assert_eq!(streamed(&file), (Vec::new(), error), "byte {at}");
    }
    assert_eq!(with(10, 6).1.split(" at byte").next(), Some("corrupt gzip: invalid deflate data in member 1"));
}

#[test]
fn zeros_after_the_last_member_cost_nothing_and_anything_else_is_damage() {
    let file = member(TEXT, 6);
    let end_of = |trailing: &[u8]| {
        let file = [&file, trailing].concat();
        assert_eq!(at_once(&file, 1000), None);
        let mut arena = Arena::new(1000);
        let next = Stream::new(&file[..], Limits::default()).fill(&mut arena);
        assert_eq!((arena.text(0), next.trailing()), (TEXT, Some(trailing.len() as u64)));
        next
    };
    for (trailing, said) in [(&b"\0"[..], "1 byte"), (&vec![0; 300_000], "300000 bytes")] {
        let Next::End(Some(warning)) = end_of(trailing) else { panic!("padding of {said}") };
        assert_eq!(warning.to_string(), format!("{said} after the last gzip member at byte {}", file.len()));
    }
    let later = [&vec![0; 200_000][..], &file].concat();
    for (trailing, said) in [
        (&b"junk"[..], "4 bytes after gzip member 1 are no gzip member"),
        (b"\x1f", "1 byte after gzip member 1 is no gzip member"),
        (b"\x1f\x8c\x08", "3 bytes after gzip member 1 are no gzip member"),
        (&later, &format!("{} bytes after gzip member 1 are no gzip member", later.len())),
    ] {
        let Next::Damaged(error) = end_of(trailing) else { panic!("{said}") };
        assert_eq!(error.to_string(), format!("{said} at byte {}", file.len()));
        assert!(error.is_damage());
    }
    // What starts like a member counts as one.
    let error = format!("corrupt gzip: invalid header of member 2 at byte {}", file.len() + 2);
    assert_eq!(streamed(&[&file[..], b"\x1f\x8bjunk"].concat()), (TEXT.to_vec(), error));
}

#[test]
fn the_fast_half_wants_room_for_all_of_the_text() {
    let file = [member(TEXT, 6), member(TEXT, 6)].concat();
    assert_eq!(at_once(&file, 2 * TEXT.len()), Some([TEXT, TEXT].concat()));
    for room in 0..2 * TEXT.len() {
        assert_eq!(at_once(&file, room), None, "room for {room}");
    }
}

#[test]
fn a_small_room_only_makes_more_windows() {
    let file = [member(TEXT, 6), member(b"", 6), member_with_all_fields(TEXT)].concat();
    for room in [1, 2, 3, 7, TEXT.len(), TEXT.len() + 1, 1000] {
        assert_eq!(
            streamed_from(&file[..], room, Limits::default()),
            ([TEXT, TEXT].concat(), String::new()),
            "room for {room}"
        );
        assert_eq!(streamed_from(TEXT, room, Limits::default()), (TEXT.to_vec(), String::new()), "room for {room}");
    }
}

/// A reader that returns one byte at a time, is sometimes interrupted, and fails after this many bytes.
struct Slow<'a>(&'a [u8], usize, bool);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.2 = !self.2;
        match (self.0.split_first(), self.1) {
            _ if self.2 => Err(io::ErrorKind::Interrupted.into()),
            (Some(_), 0) => Err(io::Error::other("the disk is gone")),
            (None, _) => Ok(0),
            (Some((&byte, rest)), _) => {
                buffer[0] = byte;
                (self.0, self.1) = (rest, self.1 - 1);
                Ok(1)
            }
        }
    }
}

#[test]
fn a_reader_may_give_one_byte_at_a_time() {
    for file in [
        [member(TEXT, 6), member_with_all_fields(TEXT), b"x".to_vec()].concat(),
        member(b"", 6),
        TEXT.to_vec(),
        b"\x1f".to_vec(),
    ] {
        assert_eq!(streamed_from(Slow(&file, usize::MAX, false), 1000, Limits::default()), streamed(&file));
    }
}

#[test]
fn a_reader_may_give_a_file_in_any_two_parts() {
    let file = [member(TEXT, 6), member_with_all_fields(TEXT), b"x".to_vec()].concat();
    for at in 1..file.len() {
        let (one, two) = file.split_at(at);
        assert_eq!(streamed_from(one.chain(two), 1000, Limits::default()), streamed(&file), "parted at {at}");
    }
}

#[test]
fn a_reader_that_fails_leaves_the_text_before_it() {
    let file = [member(TEXT, 6), member(TEXT, 6)].concat();
    let first = member(TEXT, 6).len();
    for (good, kept) in [(0, 0), (1, 0), (first, TEXT.len()), (first + 1, TEXT.len()), (file.len() - 1, 2 * TEXT.len())]
    {
        let (text, error) = streamed_from(Slow(&file, good, false), 1000, Limits::default());
        assert_eq!(text.len(), kept, "after {good}");
        assert!(error.starts_with("cannot read: the disk is gone at byte "), "{error}");
    }
}

#[test]
fn the_limit_of_bytes_holds_for_all_members_together() {
    let limits = Limits { inflated: 2 * TEXT.len() as u64, ratio: 250 };
    let two = [member(TEXT, 6), member(TEXT, 6)].concat();
    assert_eq!(streamed_from(&two[..], 1000, limits).1, "");
    let three = [&two[..], &member(b"x", 6)].concat();
    assert_eq!(streamed_from(&three[..], 1000, limits).1, format!("inflates to more than {} bytes", 2 * TEXT.len()));
    let plain = [TEXT, TEXT, b" "].concat();
    assert_eq!(streamed_from(&plain[..], 1000, limits).1, format!("inflates to more than {} bytes", 2 * TEXT.len()));
}

#[test]
fn the_limit_of_the_ratio_holds_for_large_texts_only() {
    let part = vec![b' '; RATIO_FROM as usize / 64];
    let large = member(&part, 9).repeat(64);
    let larger = [&large[..], &member(b" ", 9)].concat();
    let ratio = |file: &[u8], ratio| streamed_from(file, 64 << 20, Limits { inflated: 1 << 30, ratio }).1;
    assert_eq!(ratio(&large, 250), "");
    assert_eq!(ratio(&larger, 250), "inflates more than 250 times");
    assert_eq!(ratio(&larger, 2000), "");
    assert_eq!(ratio(&larger, 0), "inflates more than 0 times");
}

/// Bytes that are typical of logs, and others that are not.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..400), "(\"[a-f]{1,3}\":|,){0,300}".prop_map(String::into_bytes)]
}

/// A part of a file: nearly always a member.
fn part() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (text(), 0..10u32).prop_map(|(text, level)| member(&text, level)),
        3 => text().prop_map(|text| member_with_all_fields(&text)),
        1 => (1..40usize).prop_map(|zeros| vec![0; zeros]),
        1 => vec(any::<u8>(), 1..4),
    ]
}

/// The end of a file, as [`one_by_one`] finds it.
enum End {
    Whole,
    Padded(usize),
    NoMember(usize),
    /// In this member.
    Damaged(usize),
}

/// The texts of all members before the first other bytes: flate2 is given one member at a time.
fn one_by_one(file: &[u8]) -> (Vec<u8>, End) {
    let mut texts = Vec::new();
    let mut rest = file;
    for member in 1.. {
        let at = file.len() - rest.len();
        if rest.is_empty() {
            return (texts, End::Whole);
        }
        if rest.iter().all(|&byte| byte == 0) {
            return (texts, End::Padded(at));
        }
        if !rest.starts_with(&MAGIC) {
            return (texts, End::NoMember(at));
        }
        let mut decoder = flate2::bufread::GzDecoder::new(rest);
        let mut text = Vec::new();
        if decoder.read_to_end(&mut text).is_err() {
            return (texts, End::Damaged(member));
        }
        texts.extend(text);
        rest = decoder.into_inner();
    }
    unreachable!("members end")
}

proptest! {
    #[test]
    fn members_inflate_as_flate2_does_it_in_any_windows(
        texts in vec((text(), 0..10u32, any::<bool>()), 1..4),
        room in 1..700usize,
    ) {
        let members = texts.iter().map(|(text, level, fields)| {
            if *fields { member_with_all_fields(text) } else { member(text, *level) }
        });
        let file = members.collect::<Vec<_>>().concat();
        let text = texts.iter().map(|(text, ..)| &text[..]).collect::<Vec<_>>().concat();
        let mut expected = Vec::new();
        flate2::read::MultiGzDecoder::new(&file[..]).read_to_end(&mut expected).expect("gzip");
        prop_assert_eq!(&expected, &text);
        prop_assert_eq!(streamed_from(&file[..], room, Limits::default()), (text.clone(), String::new()));
        at_once_if_plain(&file, &text);
    }

    /// One flipped bit anywhere in members, padding and junk in any order: the stream, in windows of any size, ends as
    /// flate2 does when it is given one member after another, and libdeflate accepts nothing that the stream refuses.
    #[test]
    fn one_bit_in_members_of_any_layout(
        parts in vec(part(), 1..6),
        bit in prop::option::of(any::<prop::sample::Index>()),
        room in 1..700usize,
    ) {
        let mut file = [member(b"[", 6), parts.concat()].concat();
        if let Some(bit) = bit {
            let bit = bit.index(8 * file.len());
            file[bit / 8] ^= 1 << (bit % 8);
        }
        prop_assume!(is_gzip(&file));
        let (texts, end) = one_by_one(&file);
        let (text, error) = streamed_from(&file[..], room, Limits::default());
        let expected = match end {
            End::Whole => String::new(),
            End::Padded(at) => format!("after the last gzip member at byte {at}"),
            End::NoMember(at) => format!("no gzip member at byte {at}"),
            End::Damaged(member) => format!("member {member} at byte "),
        };
        prop_assert!(error.contains(&expected) && error.is_empty() == expected.is_empty(), "{}: {}", error, expected);
        prop_assert!(text.starts_with(&texts) && (matches!(end, End::Damaged(_)) || text == texts));
        prop_assert_eq!(&streamed(&file), &(text, error));
        if let Some(whole) = at_once(&file, 4000) {
            prop_assert!(matches!(end, End::Whole) && whole == texts);
        } else {
            let has_checked_header = file.windows(4).any(|start| start.starts_with(&MAGIC) && start[3] & 2 != 0);
            prop_assert!(!matches!(end, End::Whole) || has_checked_header);
        }
    }

    /// Both inflaters and flate2 agree on whether a file is valid, and on the text of a valid file.
    #[test]
    fn a_damaged_file_is_damaged_for_both_halves(
        texts in vec(text(), 1..3),
        at: prop::sample::Index,
        byte: u8,
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut file = texts.iter().map(|text| member(text, 6)).collect::<Vec<_>>().concat();
        let at = at.index(file.len());
        file[at] = byte;
        file.truncate(cut.map_or(file.len(), |cut| cut.index(file.len() + 1)));
        prop_assume!(is_gzip(&file));
        let (text, error) = streamed(&file);
        let fast = at_once(&file, 2000);
        prop_assert_eq!(fast.is_some(), error.is_empty(), "{}", error);
        let mut decoded = Vec::new();
        let right = flate2::read::MultiGzDecoder::new(&file[..]).read_to_end(&mut decoded).is_ok();
        prop_assert_eq!(right, error.is_empty(), "{}", error);
        if right {
            prop_assert_eq!(&fast.expect("right"), &text);
            prop_assert_eq!(decoded, text);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(file in vec(any::<u8>(), 0..300), magic: bool) {
        let file = if magic { [&b"\x1f\x8b\x08\0"[..], &file].concat() } else { file };
        let (text, error) = streamed(&file);
        if !is_gzip(&file) && !file.is_empty() {
            prop_assert_eq!((text, error), (file, String::new()));
        }
    }
}
