//! Strings that are compared without regard to case.

/// A string as `equals-ignore-case` compares it: each character in lower or upper case, which may be several characters
/// (`ß` is `SS`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    text: String,
    /// Both cases of each character; empty for ASCII, which needs no table.
    cases: Vec<[String; 2]>,
}

impl Folded {
    /// The string with both cases of its characters.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let cases = |character: char| [character.to_lowercase().to_string(), character.to_uppercase().to_string()];
        let cases = if text.is_ascii() { Vec::new() } else { text.chars().map(cases).collect() };
        Self { text: text.to_owned(), cases }
    }

    /// As it is written in the pattern.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether `text` equals it.
    #[must_use]
    pub fn equals(&self, text: &[u8]) -> bool {
        if self.cases.is_empty() {
            return text.eq_ignore_ascii_case(self.text.as_bytes());
        }
        rests(self.cases.iter(), text, <[u8]>::strip_prefix).iter().any(|rest| rest.is_empty())
    }

    /// Whether `text` starts with it.
    #[must_use]
    pub fn starts(&self, text: &[u8]) -> bool {
        if self.cases.is_empty() {
            return text.get(..self.text.len()).is_some_and(|start| start.eq_ignore_ascii_case(self.text.as_bytes()));
        }
        !rests(self.cases.iter(), text, <[u8]>::strip_prefix).is_empty()
    }

    /// Whether `text` ends with it.
    #[must_use]
    pub fn ends(&self, text: &[u8]) -> bool {
        if self.cases.is_empty() {
            let start = text.len().checked_sub(self.text.len());
            return start.is_some_and(|start| text[start..].eq_ignore_ascii_case(self.text.as_bytes()));
        }
        !rests(self.cases.iter().rev(), text, <[u8]>::strip_suffix).is_empty()
    }
}

/// What can remain of `text` after one case of each character is removed from its start or its end; one entry per
/// length.
fn rests<'a, 't>(
    cases: impl Iterator<Item = &'a [String; 2]>,
    text: &'t [u8],
    strip: impl Fn(&'t [u8], &'a [u8]) -> Option<&'t [u8]>,
) -> Vec<&'t [u8]> {
    cases.fold(vec![text], |rests, cases| {
        let mut next: Vec<_> =
            rests.iter().flat_map(|rest| cases.iter().filter_map(|case| strip(rest, case.as_bytes()))).collect();
        next.sort_unstable_by_key(|rest| rest.len());
        next.dedup_by_key(|rest| rest.len());
        next
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_character_in_either_case() {
        for (folded, text, expected) in [
            ("ab", "AB", true),
            ("ab", "abx", false),
            ("", "", true),
            ("", "a", false),
            ("ÄB", "äb", true),
            ("straße", "STRASSE", true),
            ("STRASSE", "straße", false),
            ("k", "\u{212a}", false),
        ] {
            assert_eq!(Folded::new(folded).equals(text.as_bytes()), expected, "{folded} {text}");
        }
    }

    #[test]
    fn at_the_beginning_and_at_the_end() {
        for folded in ["aß", "ASS"] {
            assert!(Folded::new(folded).starts("aSSx".as_bytes()), "{folded}");
            assert!(Folded::new(folded).ends("xaSS".as_bytes()), "{folded}");
            assert!(!Folded::new(folded).starts("aS".as_bytes()), "{folded}");
            assert!(!Folded::new(folded).ends("SS".as_bytes()), "{folded}");
        }
        assert!(Folded::new("").starts(b"") && Folded::new("").ends(b"x"));
    }

    proptest! {
        #[test]
        fn what_it_starts_and_ends_with(
            folded in "[aBéßk]{0,4}",
            before in "[a-c]{0,3}",
            after in "[a-c]{0,3}",
            upper: bool,
        ) {
            let other = if upper { folded.to_uppercase() } else { folded.to_lowercase() };
            let folded = Folded::new(&folded);
            prop_assert!(folded.equals(other.as_bytes()));
            let (starts, ends) = (format!("{other}{after}"), format!("{before}{other}"));
            prop_assert!(folded.starts(starts.as_bytes()));
            prop_assert!(folded.ends(ends.as_bytes()));
        }
    }
}
