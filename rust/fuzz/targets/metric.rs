//! A filter pattern of CloudWatch Logs is read or refused, its normal form means the same, and no record makes it fail.
//!
//! Input: the pattern, a NUL, then the record.

#![no_main]

use ctfast_core::filter::metric::FilterPattern;
use ctfast_core::filter::{Filter, Single};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &str| -> Corpus {
    let (text, record) = input.split_once('\0').unwrap_or((input, "{}"));
    let Ok(pattern) = FilterPattern::read(text) else { return Corpus::Keep };
    let verdict = |pattern: &FilterPattern| {
        [false, true]
            .map(|missing| Single::new(&Filter::on_records(pattern.predicate(missing))).matches(record.as_bytes()))
    };
    let normal = pattern.to_string();
    // Quotes and blanks make a normal form longer than its pattern.
    if normal.chars().count() <= 1024 {
        let again = FilterPattern::read(&normal).expect("a normal form is a pattern");
        assert_eq!(again.to_string(), normal);
        assert_eq!(verdict(&again), verdict(&pattern), "{normal}");
    }
    Corpus::Keep
});
