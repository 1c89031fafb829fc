//! The header of a gzip member (RFC 1952), read in pieces of any size.

use flate2::Crc;

/// Flags of a header: the fields that follow its first ten bytes, and bits that have no meaning yet.
const CHECKSUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;
/// Deflate, the only defined method.
const DEFLATE: u8 = 8;

/// The two bytes that a gzip member starts with.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Whether a file is gzip, by its first bytes.
pub(super) fn is_gzip(file: &[u8]) -> bool {
    file.starts_with(&MAGIC)
}

/// Whether the header at the front of a file ends in a checksum of itself, which libdeflate ignores.
pub(super) fn has_checksum(file: &[u8]) -> bool {
    file.get(3).is_some_and(|flags| flags & CHECKSUM != 0)
}

/// A partially read header.
pub(super) struct Header {
    field: Field,
    /// The flags of fields that are still to come.
    flags: u8,
    /// The checksum of the header so far.
    crc: Crc,
}

/// What the next byte belongs to.
#[derive(Clone, Copy)]
enum Field {
    /// Magic number, method, flags, time, hints and system: ten bytes, and how many of them were read.
    Fixed(usize),
    /// The lower byte of the length, once it has been read.
    ExtraLength(Option<u8>),
    /// Bytes of the extra field that are still to come.
    Extra(u16),
    /// Up to a zero.
    Name,
    /// Up to a zero.
    Comment,
    /// The lower byte of the checksum, once it has been read.
    Checksum(Option<u8>),
    End,
}

impl Header {
    pub(super) fn new() -> Self {
        Self { field: Field::Fixed(0), flags: 0, crc: Crc::new() }
    }

    /// Reads on. `Some` tells how many of these bytes belong to the header, if it ends in them; the error, which of
    /// them is wrong.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Option<usize>, usize> {
        let mut hashed = bytes.len();
        for (at, &byte) in bytes.iter().enumerate() {
            let is_valid = match self.field {
                Field::Fixed(0) => byte == MAGIC[0],
                Field::Fixed(1) => byte == MAGIC[1],
                Field::Fixed(2) => byte == DEFLATE,
                Field::Fixed(3) => {
                    self.flags = byte;
                    byte & RESERVED == 0
                }
                Field::Checksum(Some(low)) => u16::from_le_bytes([low, byte]) == self.crc.sum() as u16,
                _ => true,
            };
            if !is_valid {
                return Err(at);
            }
            self.field = match self.field {
                Field::Fixed(read @ 0..9) => Field::Fixed(read + 1),
                Field::ExtraLength(None) => Field::ExtraLength(Some(byte)),
                Field::ExtraLength(Some(low)) => match u16::from_le_bytes([low, byte]) {
                    0 => self.next_field(),
                    length => Field::Extra(length),
                },
                Field::Extra(left @ 2..) => Field::Extra(left - 1),
                field @ (Field::Name | Field::Comment) if byte != 0 => field,
                Field::Checksum(None) => Field::Checksum(Some(byte)),
                _ => self.next_field(),
            };
            match self.field {
                Field::End => return Ok(Some(at + 1)),
                Field::Checksum(None) => {
                    hashed = 0;
                    self.crc.update(&bytes[..=at]);
                }
                Field::Checksum(Some(_)) => hashed = 0,
                _ => {}
            }
        }
        self.crc.update(&bytes[..hashed]);
        Ok(None)
    }

    /// The field that follows one that has ended.
    fn next_field(&mut self) -> Field {
        const FIELDS: [(u8, Field); 4] = [
            (EXTRA, Field::ExtraLength(None)),
            (NAME, Field::Name),
            (COMMENT, Field::Comment),
            (CHECKSUM, Field::Checksum(None)),
        ];
        let next = FIELDS.into_iter().find(|(flag, _)| self.flags & flag != 0);
        next.map_or(Field::End, |(flag, field)| {
            self.flags &= !flag;
            field
        })
    }
}
