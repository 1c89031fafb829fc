//! A text is one JSON value exactly when `serde_json` says so; and every variant of the index finds the same tokens.

#![no_main]

use ctfast_core::fuzzing::{Text, variants};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;

fuzz_target!(|text: &[u8]| {
    let mut indexed = Text::new(text);
    let is_utf8 = indexed.index();
    assert_eq!(is_utf8, str::from_utf8(text).is_ok());
    // Cut off where it stops being UTF-8, as in a scan.
    if let Ok(text) = str::from_utf8(text)
        && let Some(is_json) = indexed.is_json()
    {
        assert_eq!(is_json, serde_json::from_str::<IgnoredAny>(text).is_ok());
    }
    let mut results = variants().into_iter().map(|(name, variant)| {
        let (mut tokens, mut wide) = (Vec::new(), Vec::new());
        variant(text, &mut tokens, &mut wide);
        (name, tokens, wide)
    });
    let (_, tokens, wide) = results.next().expect("the scalar one");
    for (name, found_tokens, found_wide) in results {
        assert!(found_tokens == tokens && found_wide == wide, "{name}");
    }
});
