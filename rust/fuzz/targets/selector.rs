//! Event selectors are read or refused, as lint says; their normal form says the same, and basic ones what their conversion says.
//!
//! Input: the selectors, a NUL, then the record.

#![no_main]

use ctfast_core::filter::selector::{EventSelectors, Severity, Target, Unknown};
use ctfast_core::filter::{Filter, Single};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &str| -> Corpus {
    let (text, record) = input.split_once('\0').unwrap_or((input, "{}"));
    for target in [Target::Trail, Target::EventDataStore, Target::Either] {
        let refused = EventSelectors::lint(text, target).iter().any(|finding| finding.severity == Severity::Error);
        let selectors = EventSelectors::parse(text, target);
        assert_eq!(selectors.is_err(), refused);
        let Ok(selectors) = selectors else { continue };
        assert_eq!(EventSelectors::parse(&selectors.to_string(), target).as_ref(), Ok(&selectors));
        let verdict = |selectors: &EventSelectors| {
            Single::new(&Filter::on_records(selectors.predicate(Unknown::Write))).matches(record.as_bytes())
        };
        assert_eq!(verdict(&EventSelectors::Advanced(selectors.to_advanced())), verdict(&selectors));
    }
    Corpus::Keep
});
