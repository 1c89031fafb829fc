use std::path::Path as File;

use proptest::prelude::*;

use super::*;
use crate::filter::{Filter, Single};

/// What a pattern says of a document, or why it is none.
fn verdict(pattern: &str, event: &str) -> Result<bool, String> {
    let filter = Pattern::parse(pattern).map_err(|error| error.to_string())?.filter();
    Single::new(&filter).matches(event.as_bytes()).map_err(|error| error.to_string())
}

/// The verdicts of AWS's own matcher on patterns and events, where they are at hand.
#[test]
fn as_aws_matches() {
    let Ok(folder) = std::env::var("CTFAST_SPEC_VECTORS") else {
        return; // The verdicts are not part of this project.
    };
    let text = std::fs::read_to_string(File::new(&folder).join("event_pattern_cases.json")).expect("a file of verdicts");
    let cases: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut wrong = Vec::new();
    for case in cases["cases"].as_array().expect("cases") {
        let [pattern, event] = ["pattern_text", "event_text"].map(|key| case[key].as_str().expect("a text"));
        let found = verdict(pattern, event);
        if found.as_ref().ok() != case["match"].as_bool().as_ref() {
            wrong.push(format!("{}: {found:?}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
