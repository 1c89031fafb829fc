use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::fuzzing::seen_in_windows;
use crate::testing::{array, damaged, escaped, object, record, space, value};

/// What the walk through a whole text tells, its error last.
fn seen(text: impl AsRef<[u8]>) -> Vec<String> {
    seen_in_windows(text.as_ref(), &[])
}

#[test]
fn every_shape_gives_its_records() {
    for (text, expected) in [
        (r#"{"Records":[{"a":1},{"b":[2]}]}"#, &[r#"0 {"a":1}"#, r#"1 {"b":[2]}"#][..]),
        (r#"{"x":{"Records":[1]},"Records":[{}],"y":[{"Records":0}]}"#, &["0 {}"]),
        (r#"{"Records":[]}"#, &[]),
        (r#"{"Records" : [ ] , "x" : 1 }"#, &[]),
        ("\u{feff} \r\n{ \"Records\" :\t[ {} , { } ] }\n", &["0 {}", "1 { }"]),
        (r#"{"digestS3Bucket":"b","Records":[{}]}"#, &["0 {}"]),
        (r#"{"eventName":"A","x":{}}"#, &[r#"0 {"eventName":"A","x":{}}"#]),
        (r#"{"userIdentity":null}"#, &[r#"0 {"userIdentity":null}"#]),
        (r#"{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":{"eventID":"e"}}"#, &[r#"0 {"eventID":"e"}"#]),
        (r#"{"detail":{"x":1},"id":"i","detail-type":"t"}"#, &[r#"0 {"x":1}"#]),
        (r#"{"detail":{"x":1},"eventName":"not an envelope"}"#, &[r#"0 {"detail":{"x":1},"eventName":"not an envelope"}"#]),
        (
            r#"{"Events":[{"EventId":"1","CloudTrailEvent":"{\"a\":\"\\u0041\"}"},{"CloudTrailEvent":" {} \n"}],"NextToken":"t"}"#,
            &[r#"0* {"a":"\u0041"}"#, "1* {}"],
        ),
        (r#"{"Events":[]}"#, &[]),
        (r#"{"eventName":"A","events":[{"message":"{}"}]}"#, &[r#"0 {"eventName":"A","events":[{"message":"{}"}]}"#]),
        (
            r#"{"eventName":"A","Events":[{"CloudTrailEvent":"{}"}]}"#,
            &[r#"0 {"eventName":"A","Events":[{"CloudTrailEvent":"{}"}]}"#],
        ),
        (r#"{"events":[{"timestamp":1,"message":"{}"}]}"#, &["0* {}"]),
        (
            r#"{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","message":"{\"a\":\"\ud83d\ude00\"}"}]}"#,
            &[r#"0* {"a":"😀"}"#],
        ),
        (
            "2023-07-10T11:42:36.000Z {\"eventName\":\"A\"}\n2023-07-10T11:42:36+01:00\t{\"eventName\":\"B\"}",
            &[r#"0 {"eventName":"A"}"#, r#"1 {"eventName":"B"}"#],
        ),
        (
            r#"[{"eventName":"A"} , {"Records":[{},{}]},{"Events":[{"CloudTrailEvent":"{}"}]}]"#,
            &[r#"0 {"eventName":"A"}"#, "1 {}", "2 {}", "3* {}"],
        ),
        ("[]", &[]),
        ("[ ] \n", &[]),
        (
            "{\"eventID\":\"1\"}\n{\"Records\":[{}]}{\"detail-type\":0,\"detail\":{}}\r\n\r\n{\"events\":[{\"message\":\"{}\"}]}\n",
            &[r#"0 {"eventID":"1"}"#, "1 {}", "2 {}", "3* {}"],
        ),
        ("[{\"eventID\":\"1\"}]\n{\"eventID\":\"2\"}\n", &[r#"0 {"eventID":"1"}"#, r#"1 {"eventID":"2"}"#]),
        (r#"{"digestStartTime":"s","x":1,"digestEndTime":"e","logFiles":[{}]}"#, &["digest"]),
    ] {
        assert_eq!(seen(text), expected, "{text}");
    }
}

#[test]
fn keys_are_decoded_before_they_are_compared() {
    for (text, expected) in [
        (r#"{"\u0052ecords":[{}]}"#, &["0 {}"][..]),
        (r#"{"Record\u0073":[],"\u0052ecords":[]}"#, &["'Records' appears twice at byte 19 before record 0"]),
        (r#"{"event\u004eame":"A"}"#, &[r#"0 {"event\u004eame":"A"}"#]),
        (r#"{"detail\u002dtype":0,"deta\u0069l":{}}"#, &["0 {}"]),
        (r#"{"Even\u0074s":[{"CloudTrail\u0045vent":"{}"}]}"#, &["0* {}"]),
        (r#"{"digest\u0053tartTime":0,"digestEndTime":0}"#, &["digest"]),
        (r#"{"\ud800Records":[{}],"eventName":0}"#, &[r#"0 {"\ud800Records":[{}],"eventName":0}"#]),
    ] {
        assert_eq!(seen(text), expected, "{text}");
    }
}

#[test]
fn an_element_that_is_no_record_is_told_and_the_file_goes_on() {
    for (text, expected) in [
        (
            r#"[1, {"eventName":"A"},[{}]]"#,
            &[
                "record is not an object at byte 1 (record 0)",
                r#"1 {"eventName":"A"}"#,
                "record is not an object at byte 22 (record 2)",
            ][..],
        ),
        (
            r#"{"Records":[1,{"a":1}, "x" ,null,[{}]]}"#,
            &[
                "record is not an object at byte 12 (record 0)",
                r#"1 {"a":1}"#,
                "record is not an object at byte 23 (record 2)",
                "record is not an object at byte 28 (record 3)",
                "record is not an object at byte 33 (record 4)",
            ],
        ),
        (
            r#"{"Events":[{"x":1},{"CloudTrailEvent":"[]"},7,{"CloudTrailEvent":{}},{"CloudTrailEvent":"{}"}]}"#,
            &[
                "record is not an object at byte 11 (record 0)",
                "record is not an object at byte 19 (record 1)",
                "record is not an object at byte 44 (record 2)",
                "record is not an object at byte 46 (record 3)",
                "4* {}",
            ],
        ),
        (
            r#"{"events":[{"message":"{\"a\":1"},{"message":"{} x"},{"message":"{\"a\":tru}"},{"message":"plain text"},{"message":""}]}"#,
            &[
                "invalid JSON: unexpected end at byte 11 (record 0)",
                "invalid JSON: expected the end but found 'x' at byte 34 (record 1)",
                "invalid JSON: expected a value but found '}' at byte 53 (record 2)",
                "record is not an object at byte 79 (record 3)",
                "record is not an object at byte 104 (record 4)",
            ],
        ),
    ] {
        assert_eq!(seen(text), expected, "{text}");
    }
}

#[test]
fn every_error_names_its_byte() {
    for (text, expected) in [
        ("", "empty file at byte 0 before record 0"),
        (" \n", "empty file at byte 2 before record 0"),
        ("\u{feff}", "empty file at byte 3 before record 0"),
        ("hello", "neither gzip nor JSON: starts with 0x68 at byte 0 before record 0"),
        (" \"x\"", "neither gzip nor JSON: starts with 0x22 at byte 1 before record 0"),
        ("\u{feff}\u{feff}{}", "neither gzip nor JSON: starts with 0xef at byte 3 before record 0"),
        ("{}", "not CloudTrail: no records, no event fields at byte 0 before record 0"),
        ("[{\"eventName\":1},{\"x\":2}]", "not CloudTrail: no records, no event fields at byte 17 before record 1"),
        ("{\"eventName\":1} \"x\" ", "not CloudTrail: no records, no event fields at byte 16 before record 1"),
        ("2023 {\"eventName\":1}", "not CloudTrail: no records, no event fields at byte 0 before record 0"),
        ("12", "not CloudTrail: no records, no event fields at byte 2 before record 0"),
        ("{\"digestStartTime\":1}", "not CloudTrail: no records, no event fields at byte 0 before record 0"),
        ("{\"detail-type\":1,\"detail\":[]}", "not CloudTrail: no records, no event fields at byte 0 before record 0"),
        ("{\"Events\":{}}", "not CloudTrail: no records, no event fields at byte 0 before record 0"),
        ("{\"Records\":{}}", "'Records' is not an array at byte 11 before record 0"),
        ("{\"Records\":[],\"Records\":[]}", "'Records' appears twice at byte 14 before record 0"),
        ("{\"Records\":[{}", "invalid JSON: unexpected end at byte 14 before record 1"),
        ("{\"Records\":[{},]}", "invalid JSON: expected a value but found ']' at byte 15 before record 1"),
        ("{\"Records\":[{} {}]}", "invalid JSON: expected ',' or ']' but found '{' at byte 15 before record 1"),
        ("{\"Records\":[{}]]", "invalid JSON: expected ',' or '}' but found ']' at byte 15 before record 1"),
        ("{\"Records\":[{}],\"x\":\"\u{1}\"}", "invalid JSON: control character 0x01 in a string at byte 21 before record 1"),
        ("{\"Records\":[{}],x}", "invalid JSON: expected a key but found 'x' at byte 16 before record 1"),
        ("[{\"eventName\":1}", "invalid JSON: unexpected end at byte 16 before record 1"),
        ("[{\"eventName\":1},]", "invalid JSON: expected a value but found ']' at byte 17 before record 1"),
        ("{\"eventName\":1},", "invalid JSON: expected a value but found ',' at byte 15 before record 1"),
        ("{\"eventName\":1", "invalid JSON: unexpected end at byte 14 before record 0"),
        ("{\"eventName\":\"a\\q\"}", "invalid JSON: expected an escape but found 'q' at byte 16 before record 0"),
    ] {
        assert_eq!(seen(text).last().map(String::as_str), Some(expected), "{text}");
    }
    let deep = format!("{{\"Records\":[{{\"a\":{}}}]}}", "[".repeat(2000));
    assert_eq!(seen(deep), ["nested deeper than 1024 at byte 1040 before record 0"]);
}

#[test]
fn a_cut_anywhere_changes_nothing() {
    for text in [
        "[{\"eventName\":\"A\"} , {\"eventName\":\"B\"}]\n",
        "{\"Records\":[]}\n{\"Records\":[ ]}{\"Records\":[12 ,{\"a\":-1.5e3},\"é\\u00e9\" , {}] , \"x\":[true]}",
        "2023-07-10T11:42:36.000Z {\"eventName\":\"A\"}\n2023-07-10T11:42:36+01:00\t{\"eventName\":\"B\"}\n",
        "[17, {\"eventName\":1} ,-1.5,\"x\"]",
        "{\"Events\":[{\"CloudTrailEvent\":\"{\\\"a\\\":1}\"},5]}[{\"events\":[{\"message\":\"{}\"}]} ]",
        "{\"digestStartTime\":1,\"digestEndTime\":2}\n{\"eventID\":null}\n 17",
        "{\"Records\":[],\"y\":-12.5e3 ,\"z\":[1]}",
        "                              {\"eventID\":null} 1234-5",
        "{\"eventID\":null}\n1234567890123456789012345678901234567890123456789E+x",
    ] {
        let whole = seen(text);
        for one in 4..text.len() {
            assert_eq!(seen_in_windows(text.as_bytes(), &[one]), whole, "{text} cut at {one}");
        }
    }
}

/// A document of any shape, or of none.
fn document() -> impl Strategy<Value = String> {
    let element = prop_oneof![8 => record(), 1 => value()];
    let records = vec(element, 0..4).prop_flat_map(array).boxed();
    let embedded =
        (record(), vec(any::<u8>(), 0..40)).prop_map(|(record, choices)| format!("\"{}\"", escaped(&record, &choices)));
    let listing = |list: &'static str, name: &'static str, embedded: BoxedStrategy<String>| {
        let element = prop_oneof![8 => embedded.prop_map(move |text| format!("{{\"x\":0,{name}:{text}}}")), 1 => value()];
        vec(element, 0..3).prop_flat_map(array).prop_map(move |array| format!("{{{list}:{array}}}"))
    };
    let listings = [("\"Events\"", "\"CloudTrailEvent\""), ("\"events\"", "\"message\""), ("\"logEvents\"", "\"message\"")];
    let [events, messages, log_events] = listings.map(|(list, name)| listing(list, name, embedded.clone().boxed()));
    let stamped = (select(vec!["2023-07-10T11:42:36Z ", "2023-07-10T11:42:36.123+00:00\t", "2023-07-10 "]), record());
    prop_oneof![
        4 => (vec((Just("\"x\"".to_owned()), value()), 0..2), records, vec((Just("\"y\"".to_owned()), value()), 0..2)).prop_flat_map(|(before, records, behind)| {
            object([before, vec![("\"Records\"".to_owned(), records)], behind].concat())
        }),
        3 => record(),
        1 => record().prop_map(|record| format!("{{\"detail-type\":\"t\",\"detail\":{record}}}")),
        1 => events,
        1 => messages,
        1 => log_events,
        2 => stamped.prop_map(|(stamp, record)| format!("{stamp}{record}")),
        1 => Just("{\"digestStartTime\":\"s\",\"digestEndTime\":\"e\"}".to_owned()),
    ]
}

/// A file of some documents.
fn file() -> impl Strategy<Value = String> {
    let separators = vec(select(vec!["", "\n", " ", "\r\n"]), 4);
    let lines = (vec(document(), 0..4), separators).prop_map(|(documents, separators)| {
        documents
            .iter()
            .map(String::as_str)
            .zip(separators)
            .flat_map(|(document, separator)| [document, separator])
            .collect::<String>()
    });
    let one_array = vec(document(), 0..4).prop_flat_map(array);
    let sound = (space(), prop_oneof![3 => lines, 1 => one_array]).prop_map(|(space, file)| format!("{space}{file}")).boxed();
    prop_oneof![2 => sound.clone(), 1 => sound.prop_flat_map(damaged)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// The first window of a streamed file has megabytes, so that no cut parts a byte order mark.
    #[test]
    fn windows_see_what_the_whole_text_shows(text in file(), cuts in vec(any::<prop::sample::Index>(), 0..6)) {
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| 4 + cut.index(text.len().max(1))).filter(|&cut| cut < text.len()).collect();
        cuts.sort_unstable();
        prop_assert_eq!(seen_in_windows(text.as_bytes(), &cuts), seen(&text), "{:?} cut at {:?}", text, cuts);
    }
}
