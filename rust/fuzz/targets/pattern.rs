//! An event pattern is refused, or has a normal form that reads back as the same pattern and gives the same result for
//! every document.
//!
//! Input: the pattern, a line feed, then the document.

#![no_main]

use ctfast_core::filter::pattern::Pattern;
use ctfast_core::filter::{Refused, Single};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &str| -> Corpus {
    let Some((text, document)) = input.split_once('\n') else { return Corpus::Reject };
    let pattern = match Pattern::read(text) {
        Ok(pattern) => pattern,
        Err(error) => {
            let refused = Refused::from(error);
            let (line, column) = refused.first().and_then(|first| first.position).expect("a place");
            assert!(line == 1 && column <= text.chars().count() + 1, "{refused}");
            return Corpus::Keep;
        }
    };
    let normal = pattern.to_string();
    let again = Pattern::read(&normal).expect("the normal form is a pattern");
    assert_eq!(again.combinations(), pattern.combinations(), "{normal}");
    let [one, other] =
        [pattern, again].map(|pattern| Single::new(&pattern.compile(None)).matches(document.as_bytes()).ok());
    assert_eq!(one, other);
    Corpus::Keep
});
