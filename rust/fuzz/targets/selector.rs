//! Event selectors are read or refused; their normal form means the same, and so does the conversion of basic ones.
//!
//! Input: the selectors, a NUL, then the record.

#![no_main]

use ctfast_core::filter::Single;
use ctfast_core::filter::selector::{EventSelectors, Target, Unknown};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &str| -> Corpus {
    let (text, record) = input.split_once('\0').unwrap_or((input, "{}"));
    for target in [Target::Trail, Target::EventDataStore, Target::Either] {
        let Ok(selectors) = EventSelectors::read(text, target) else { continue };
        assert_eq!(EventSelectors::read(&selectors.to_string(), target).as_ref(), Ok(&selectors));
        let verdict = |selectors: &EventSelectors| {
            Single::new(&selectors.compile(Unknown::Write)).matches(record.as_bytes())
        };
        assert_eq!(verdict(&EventSelectors::Advanced(selectors.to_advanced())), verdict(&selectors));
    }
    Corpus::Keep
});
