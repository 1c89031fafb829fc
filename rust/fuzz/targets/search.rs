//! A text that the search for a predicate's constant rules out has no record that meets the predicate.
//!
//! Input: one byte for column and test, the constant, a line feed, then the text.

#![no_main]

use ctfast_core::filter::{Field, Predicate, Test};
use ctfast_core::fuzzing::{has_match, rules_out};
use libfuzzer_sys::{Corpus, fuzz_target};

const PATHS: [&str; 4] = ["eventName", "requestParameters", "userIdentity.arn", "errorMessage"];

fuzz_target!(|input: &str| -> Corpus {
    let Some(((choice, constant), text)) =
        input.split_once('\n').and_then(|(head, text)| Some((head.split_at_checked(1)?, text)))
    else {
        return Corpus::Reject;
    };
    let choice = usize::from(choice.as_bytes()[0]);
    let constant = constant.to_owned();
    let test = match choice / PATHS.len() % 4 {
        0 => Test::In(vec![constant]),
        1 => Test::StartsWith(constant),
        2 => Test::EndsWith(constant),
        _ => Test::Contains(constant),
    };
    let field = Field::new(PATHS[choice % PATHS.len()], &test).expect("a column of text");
    let predicate = Predicate::Column(field, test);
    assert!(!rules_out(&predicate, text.as_bytes()) || !has_match(&predicate, text.as_bytes()), "{predicate:?}");
    Corpus::Keep
});
