//! Detects a listing whose pages repeat instead of continuing.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::list::Page;
use crate::error::{Error, ErrorKind, Refusal};

/// The most consecutive pages without a key. S3 sends some where it passes over many deleted versions.
const EMPTY: u32 = 1_000;

/// The previous pages, 16 bytes each: hashes with a random key, so that no store can choose them.
#[derive(Debug, Clone, Default)]
pub(super) struct Trail {
    seen: HashSet<u64>,
    keys: RandomState,
    empty: u32,
}

impl Trail {
    /// Continues after this page; fails if pages repeat, or too many bring no key.
    pub(super) fn follow(&mut self, page: &Page) -> Result<(), Error> {
        let circle = |words: &str| Err(Error::whole(ErrorKind::Store(Refusal::Protocol, words.to_owned())));
        if !self.seen.insert(self.keys.hash_one((0, &page.token))) {
            return circle("a page of the listing leads back to one before it");
        }
        let first = page.objects.first().map(|object| &object.key).or(page.folders.first());
        self.empty = if first.is_some() { 0 } else { self.empty + 1 };
        if first.is_some() && !self.seen.insert(self.keys.hash_one((1, first))) {
            return circle("a page of the listing came before");
        }
        if self.empty == EMPTY { circle("1,000 pages of the listing, one after another, have no key") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::object::list::Object;

    fn page(first: Option<&str>, token: &str) -> Page {
        Page {
            objects: first
                .map(|key| Object { key: key.to_owned(), size: 1, ..Object::default() })
                .into_iter()
                .collect(),
            folders: Vec::new(),
            token: Some(token.to_owned()),
        }
    }

    #[test]
    fn pages_that_come_again_are_told() {
        let mut trail = Trail::default();
        for number in 0..2_000 {
            trail.follow(&page(Some(&format!("k{number}")), &format!("t{number}"))).expect("another page");
        }
        let circle = trail.follow(&page(Some("new"), "t7")).expect_err("a circle of tokens");
        assert_eq!(circle.to_string(), "not an answer of S3: a page of the listing leads back to one before it");
        assert!(trail.follow(&page(Some("k7"), "other")).is_err());
    }

    #[test]
    fn some_empty_pages_are_passed_and_endless_ones_are_not() {
        let mut trail = Trail::default();
        for number in 1..EMPTY {
            trail.follow(&page(None, &number.to_string())).expect("another page");
        }
        trail.follow(&page(Some("k"), "a")).expect("a key at last");
        for number in 1..EMPTY {
            trail.follow(&page(None, &format!("b{number}"))).expect("another page");
        }
        assert!(trail.follow(&page(None, "c")).is_err());
    }
}
