//! SHA-256, and the hexadecimal digits that hashes and signatures are written in.

use std::io::{self, Read};

use ring::digest::{Context, SHA256, digest};

/// A SHA-256.
pub(crate) type Sha256 = [u8; 32];

/// The hash of some bytes.
pub(crate) fn sha256(text: &[u8]) -> Sha256 {
    as_array(digest(&SHA256, text).as_ref())
}

/// The hash of bytes that come in pieces.
pub(crate) struct Pieces(Context);

impl Pieces {
    pub(crate) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Adds the next piece.
    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of all pieces.
    pub(crate) fn finish(self) -> Sha256 {
        as_array(self.0.finish().as_ref())
    }
}

/// A file whose bytes are hashed as they are read.
pub(crate) struct Hashed<R> {
    file: R,
    hash: Pieces,
    /// Whether some of it could not be read.
    has_failed: bool,
}

/// Bytes that are read at once when only the hash of the rest is needed.
const REST: usize = 64 << 10;

impl<R: Read> Hashed<R> {
    pub(crate) fn new(file: R) -> Self {
        Self { file, hash: Pieces::new(), has_failed: false }
    }

    /// The hash of the whole file, including the part that was not read yet; `None` if that cannot be read.
    pub(crate) fn finish(mut self) -> Option<Sha256> {
        let mut rest = vec![0; REST];
        while !self.has_failed && self.read(&mut rest).is_ok_and(|read| read > 0) {}
        (!self.has_failed).then(|| self.hash.finish())
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read(into) {
                Ok(read) => {
                    self.hash.update(&into[..read]);
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.has_failed = true;
                    return Err(error);
                }
            }
        }
    }
}

fn as_array(hash: &[u8]) -> Sha256 {
    hash.try_into().expect("32 bytes")
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS[usize::from(value)] as char;
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Hexadecimal digits of any case as bytes.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|value| value as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect();
    if rest.is_empty() { bytes } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal() {
        assert_eq!(hex(&[0, 0x9f, 0xff]), "009fff");
        assert_eq!(
            (unhex("009fFF"), unhex("0"), unhex("0g"), unhex("é")),
            (Some(vec![0, 0x9f, 0xff]), None, None, None)
        );
    }
}
