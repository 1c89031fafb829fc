//! IP addresses in the text of events, and blocks of them.

/// An IPv4 or IPv6 address: 4 or 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    bytes: [u8; 16],
    length: usize,
}

impl Address {
    /// Reads an address in any of its spellings: IPv4 may have leading zeros, which are decimal; `::` stands once for
    /// any number of zero groups; an IPv6 address that maps an IPv4 address is that address. Host names, zones and
    /// dotted IPv6 are not accepted.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.contains(&b':') { Self::parse_v6(text) } else { Self::parse_v4(text) }
    }

    fn parse_v4(text: &[u8]) -> Option<Self> {
        // No longer than the longest usual spelling.
        if text.len() > "255.255.255.255".len() {
            return None;
        }
        let mut bytes = [0; 16];
        let mut parts = text.split(|&byte| byte == b'.');
        for byte in &mut bytes[..4] {
            let part = parts.next().filter(|part| !part.is_empty())?;
            let value = part.iter().try_fold(0u64, |value, digit| Some(value * 10 + u64::from(decimal(*digit)?)))?;
            *byte = u8::try_from(value).ok()?;
        }
        parts.next().is_none().then_some(Self { bytes, length: 4 })
    }

    fn parse_v6(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        let (head, tail) = text.split_once("::").map_or((text, None), |(head, tail)| (head, Some(tail)));
        let groups = |text: &str| -> Option<Vec<u16>> {
            let groups = text.split(':').filter(|_| !text.is_empty());
            groups.map(group).collect()
        };
        let (head, tail) = (groups(head)?, tail.map(groups));
        let mut all = [0u16; 8];
        all.get_mut(..head.len())?.copy_from_slice(&head);
        match tail {
            Some(tail) => {
                let tail = tail?;
                let start = 8usize.checked_sub(tail.len()).filter(|&start| start > head.len())?;
                all[start..].copy_from_slice(&tail);
            }
            None if head.len() != 8 => return None,
            None => {}
        }
        let mut bytes = [0; 16];
        for (pair, group) in bytes.chunks_exact_mut(2).zip(all) {
            pair.copy_from_slice(&group.to_be_bytes());
        }
        if all[..6] == [0, 0, 0, 0, 0, 0xffff] {
            let mut mapped = [0; 16];
            mapped[..4].copy_from_slice(&bytes[12..]);
            return Some(Self { bytes: mapped, length: 4 });
        }
        Some(Self { bytes, length: 16 })
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

fn decimal(digit: u8) -> Option<u8> {
    digit.is_ascii_digit().then(|| digit - b'0')
}

/// A group of an IPv6 address; leading zeros do not count.
fn group(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u16::from_str_radix(text, 16).ok()).flatten()
}

/// All addresses in a range.
///
/// An address of the other family is compared byte by byte as far as both go, as in AWS's matcher: `0.0.0.0/0` contains
/// every IPv6 address, and `::/0` the IPv4 ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    text: String,
    bottom: Address,
    top: Address,
}

/// Why a string is not a block of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockError {
    /// It is not an address, a `/` and a number.
    Form,
    /// There is no address before the `/`.
    Address,
    /// The number after the `/` is not below this one.
    Mask(u8),
}

impl Block {
    /// Reads `address/bits`; the address need not be the first of the block. A block of a single address, `/32` or
    /// `/128`, is refused as AWS refuses it.
    pub fn parse(text: &str) -> Result<Self, BlockError> {
        // Slashes at the end are ignored, as by AWS's matcher.
        let (address, bits) = text.trim_end_matches('/').split_once('/').ok_or(BlockError::Form)?;
        let bits: i32 = bits.parse().map_err(|_| BlockError::Form)?;
        let bits = u32::try_from(bits).map_err(|_| BlockError::Form)?;
        let base = Address::parse(address.as_bytes()).ok_or(BlockError::Address)?;
        let width = base.length as u32 * 8;
        if bits >= width {
            return Err(BlockError::Mask(width as u8));
        }
        let (mut bottom, mut top) = (base, base);
        for at in 0..base.length {
            let fixed = bits.saturating_sub(at as u32 * 8).min(8);
            let free = u8::try_from(0xff_u32 >> fixed).unwrap_or(u8::MAX);
            bottom.bytes[at] &= !free;
            top.bytes[at] |= free;
        }
        Ok(Self { text: text.to_owned(), bottom, top })
    }

    /// The block of a single address, in all its spellings; `None` for a string that is not an address.
    #[must_use]
    pub fn single(text: &str) -> Option<Self> {
        let address = Address::parse(text.as_bytes())?;
        Some(Self { text: text.to_owned(), bottom: address, top: address })
    }

    /// As it is written in the pattern.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the block contains this address.
    #[must_use]
    pub fn contains(&self, address: &Address) -> bool {
        let (bottom, top, bytes) = (self.bottom.bytes(), self.top.bytes(), address.bytes());
        let length = bytes.len().min(bottom.len());
        let (bottom, top) = (&bottom[..length], &top[..length]);
        if bytes.len() < self.bottom.length {
            bottom < bytes && bytes < top
        } else {
            bottom <= &bytes[..length] && &bytes[..length] <= top
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn has(block: &str, address: &str) -> bool {
        let block = Block::parse(block).expect("a block");
        Address::parse(address.as_bytes()).is_some_and(|address| block.contains(&address))
    }

    #[test]
    fn spellings_of_one_address() {
        let same = |one: &str, other: &str| {
            let [one, other] = [one, other].map(|text| Address::parse(text.as_bytes()).expect("an address"));
            one == other
        };
        assert!(same("10.0.0.1", "010.0.0.01"));
        assert!(same("2001:db8::1", "2001:0DB8:0:0:0:0:0:1"));
        assert!(same("::", "0:0:0:0:0:0:0:0"));
        assert!(same("1::", "1:0::0"));
        assert!(same("::ffff:a00:1", "10.0.0.1"));
        assert!(!same("::a00:1", "10.0.0.1"));
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            "1",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "1.2.3.",
            "1..2.3",
            "1.2.3.4 ",
            "a.b.c.d",
            "0000000001.2.3.4",
            ":",
            ":::",
            "1:2",
            "1:2:3:4:5:6:7:8:9",
            "1::2::3",
            "12345::",
            "g::",
            "1:2:3:4:5:6:7:8::",
            ":1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7:",
            "::1.2.3.4",
            "fe80::1%eth0",
            "+1::",
            "ec2.amazonaws.com",
        ] {
            assert_eq!(Address::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn blocks() {
        assert!(
            has("10.0.0.0/24", "10.0.0.255") && !has("10.0.0.0/24", "10.0.1.0") && !has("10.0.0.0/24", "9.255.255.255")
        );
        assert!(has("10.0.0.77/24", "10.0.0.1"), "the address may be any of the block");
        assert!(has("10.0.0.128/25", "10.0.0.128") && !has("10.0.0.128/25", "10.0.0.127"));
        assert!(has("2001:db8::/32", "2001:db8::5") && !has("2001:db8::/32", "2001:db9::"));
        assert!(has("0.0.0.0/0", "2001:db8::5") && has("::/0", "1.2.3.4"), "families are compared byte by byte");
        assert!(!has("10.0.0.0/8", "ec2.amazonaws.com"));
        for (text, error) in [
            ("10.0.0.0", BlockError::Form),
            ("10.0.0.0/", BlockError::Form),
            ("10.0.0.0/8/8", BlockError::Form),
            ("10.0.0.0/x", BlockError::Form),
            ("10.0.0.0/-1", BlockError::Form),
            ("", BlockError::Form),
            ("/8", BlockError::Address),
            ("10.0.0/8", BlockError::Address),
            ("host/8", BlockError::Address),
            ("10.0.0.1/32", BlockError::Mask(32)),
            ("::1/128", BlockError::Mask(128)),
        ] {
            assert_eq!(Block::parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn addresses_as_the_standard_library_reads_them(v4: [u8; 4], v6: [u16; 8], bits in 0u32..32) {
            let v4 = Ipv4Addr::from(v4);
            let block = Block::parse(&format!("{v4}/{bits}")).expect("a block");
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            let first = u32::from(v4) & mask;
            let last = first | !mask;
            for (address, expected) in
                [(first, true), (last, true), (first.wrapping_sub(1), bits == 0), (last.wrapping_add(1), bits == 0)]
            {
                let address = Address::parse(Ipv4Addr::from(address).to_string().as_bytes()).expect("an address");
                prop_assert_eq!(block.contains(&address), expected);
            }
            let v6 = Ipv6Addr::from(v6);
            let parsed = Address::parse(v6.to_string().as_bytes()).expect("an address");
            prop_assert_eq!(parsed.bytes(), v6.octets());
        }
    }
}
