use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::fuzzing::seen_in_windows;
use crate::testing::{array, damaged, escaped, object, record, space, value};

/// What the walk through a whole text reports, its error last.
fn seen(text: impl AsRef<[u8]>) -> Vec<String> {
    seen_in_windows(text.as_ref(), &[])
}

#[test]
fn every_shape_gives_its_records() {
    for (text, expected) in [
        (r#"{"Records":[{"eventID":1},{"eventName":[2]}]}"#, &[r#"0 {"eventID":1}"#, r#"1 {"eventName":[2]}"#][..]),
        (r#"{"x":{"Records":[1]},"Records":[{"eventID":0}],"y":[{"Records":0}]}"#, &[r#"0 {"eventID":0}"#]),
        (r#"{"Records":[]}"#, &[]),
        (r#"{"Records" : [ ] , "x" : 1 }"#, &[]),
        (
            "\u{feff} \r\n{ \"Records\" :\t[ {\"eventID\":0} , { \"eventID\":1 } ] }\n",
            &["0 {\"eventID\":0}", "1 { \"eventID\":1 }"],
        ),
        (r#"{"digestS3Bucket":"b","Records":[{"eventID":0}]}"#, &[r#"0 {"eventID":0}"#]),
        (r#"{"eventName":"A","x":{}}"#, &[r#"0 {"eventName":"A","x":{}}"#]),
        (r#"{"userIdentity":null}"#, &[r#"0 {"userIdentity":null}"#]),
        (
            r#"{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":{"eventID":"e"}}"#,
            &[r#"0 {"eventID":"e"}"#],
        ),
        (r#"{"detail":{"eventID":1},"id":"i","detail-type":"x via CloudTrail"}"#, &[r#"0 {"eventID":1}"#]),
        (
            r#"{"detail":{"x":1},"eventName":"not an envelope"}"#,
            &[r#"0 {"detail":{"x":1},"eventName":"not an envelope"}"#],
        ),
        (
            concat!(
                r#"{"Events":[{"EventId":"1","CloudTrailEvent":"{\"eventID\":\"\\u0041\"}"},"#,
                r#"{"CloudTrailEvent":" {\"eventID\":0} \n"}],"NextToken":"t"}"#
            ),
            &[r#"0* {"eventID":"\u0041"}"#, r#"1* {"eventID":0}"#],
        ),
        (r#"{"Events":[]}"#, &[]),
        (r#"{"Events":[{"CloudTrailEvent":{"eventID":0}}]}"#, &[r#"0 {"eventID":0}"#]),
        (
            r#"[{"CloudTrailEvent":"{\"eventID\":0}"},{"message":"{\"eventID\":1}"}]"#,
            &[r#"0* {"eventID":0}"#, r#"1* {"eventID":1}"#],
        ),
        (
            r#"["{\"eventID\":0}","[{\"eventID\":1},{\"eventID\":2}]"]"#,
            &[r#"0* {"eventID":0}"#, r#"1* {"eventID":1}"#, r#"2* {"eventID":2}"#],
        ),
        ("\"{\\\"eventID\\\":0}\"\n\"{\\\"eventID\\\":1}\"\n", &[r#"0* {"eventID":0}"#, r#"1* {"eventID":1}"#]),
        (r#"{"eventName":"A","events":[{"message":"{}"}]}"#, &[r#"0 {"eventName":"A","events":[{"message":"{}"}]}"#]),
        (
            r#"{"eventName":"A","Events":[{"CloudTrailEvent":"{}"}]}"#,
            &[r#"0 {"eventName":"A","Events":[{"CloudTrailEvent":"{}"}]}"#],
        ),
        (r#"{"events":[{"timestamp":1,"message":"{\"eventID\":0}"}]}"#, &[r#"0* {"eventID":0}"#]),
        (
            r#"{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","message":"{\"eventID\":\"\ud83d\ude00\"}"}]}"#,
            &[r#"0* {"eventID":"😀"}"#],
        ),
        (
            concat!(
                r#"{"results":[[{"field":"@timestamp","value":"t"},{"field":"@message","#,
                r#""value":"{\"eventID\":0}"}],[{"field":"x","value":"{}"}]]}"#
            ),
            &[r#"0* {"eventID":0}"#, "not-cloudtrail at byte 96 (record 1)"],
        ),
        (
            concat!(
                r#"{"Messages":[{"MessageId":"m","#,
                r#""Body":"{\"Type\":\"Notification\",\"Message\":\"{\\\"eventID\\\":0}\"}"}]}"#
            ),
            &[r#"0* {"eventID":0}"#],
        ),
        (
            "2023-07-10T11:42:36.000Z {\"eventName\":\"A\"}\n2023-07-10T11:42:36+01:00\t{\"eventName\":\"B\"}",
            &[r#"0 {"eventName":"A"}"#, r#"1 {"eventName":"B"}"#],
        ),
        (
            concat!(
                r#"[{"eventName":"A"} , {"Records":[{"eventID":1},{"eventID":2}]},"#,
                r#"{"Events":[{"CloudTrailEvent":"{\"eventID\":3}"}]}]"#
            ),
            &[r#"0 {"eventName":"A"}"#, r#"1 {"eventID":1}"#, r#"2 {"eventID":2}"#, r#"3* {"eventID":3}"#],
        ),
        (r#"{"Records":[{"Records":[{"eventID":0}]},[{"eventID":1}]]}"#, &[r#"0 {"eventID":0}"#, r#"1 {"eventID":1}"#]),
        ("[]", &[]),
        ("[ ] \n", &[]),
        ("[{\"eventID\":\"1\"}]\n{\"eventID\":\"2\"}\n", &[r#"0 {"eventID":"1"}"#, r#"1 {"eventID":"2"}"#]),
    ] {
        assert_eq!(seen(text), expected, "{text}");
    }
}

#[test]
fn keys_are_decoded_before_they_are_compared() {
    for (text, expected) in [
        (r#"{"\u0052ecords":[{"event\u0049D":0}]}"#, &[r#"0 {"event\u0049D":0}"#][..]),
        (
            r#"{"Record\u0073":[],"\u0052ecords":[0]}"#,
            &["'Records' stands beside a list of records, and is not read at byte 19 (record 0)"],
        ),
        (r#"{"event\u004eame":"A"}"#, &[r#"0 {"event\u004eame":"A"}"#]),
        (r#"{"detail\u002dtype":"a v\u0069a CloudTrail","deta\u0069l":{"eventID":0}}"#, &[r#"0 {"eventID":0}"#]),
        (r#"{"Even\u0074s":[{"CloudTrail\u0045vent":"{\"eventID\":0}"}]}"#, &[r#"0* {"eventID":0}"#]),
        (r#"{"digest\u0053tartTime":0,"digestEndTime":0}"#, &["digest at byte 0 (record 0)"]),
        (r#"{"Records":[{"eventSource":"\u0061ws:s3"}]}"#, &["notification at byte 12 (record 0)"]),
        (r#"{"\ud800Records":[{}],"eventName":0}"#, &[r#"0 {"\ud800Records":[{}],"eventName":0}"#]),
    ] {
        assert_eq!(seen(text), expected, "{text}");
    }
}

/// Documents that are not CloudTrail's, each with the reason why it is skipped.
const OTHERS: [(&str, &str); 19] = [
    ("{}", "not-cloudtrail"),
    (r#"{"foo":1}"#, "not-cloudtrail"),
    ("null", "not-cloudtrail"),
    ("[17]", "not-cloudtrail"),
    (r#""text""#, "not-cloudtrail"),
    (r#"{"message":"a line of another log"}"#, "not-cloudtrail"),
    (r#"{"message":"[INFO] a line"}"#, "not-cloudtrail"),
    (r#"{"detail":{"x":1},"detail-type":"x via CloudTrail"}"#, "not-cloudtrail"),
    (r#"{"detail":{"eventName":"Ordered"},"detail-type":"Ordered"}"#, "not-cloudtrail"),
    (r#"{"Records":{}}"#, "not-cloudtrail"),
    (r#"{"digestStartTime":"s","x":1,"digestEndTime":"e","logFiles":[{}]}"#, "digest"),
    (r#"{"message":"CWL CONTROL MESSAGE: Checking health"}"#, "control-message"),
    (r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"any"}]}"#, "control-message"),
    (r#"{"messageType":"CONTROL_MESSAGE","logEvents":[]}"#, "control-message"),
    (r#"{"logEvents":[ ],"messageType":"CONTROL_MESSAGE"}"#, "control-message"),
    (r#"{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{}}"#, "notification"),
    (r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#, "notification"),
    (r#"{"s3Bucket":"b","s3ObjectKey":["k"]}"#, "notification"),
    (r#"{"detail-type":"Object Created","source":"aws.s3","detail":{"bucket":{}}}"#, "notification"),
];

#[test]
fn what_is_no_record_is_skipped_for_the_same_reason_wherever_it_stands() {
    let record = r#"{"eventID":"a"}"#;
    for (other, reason) in OTHERS {
        let string = format!("\"{}\"", escaped(other, &[]));
        for (before, other, after) in [
            ("", other, ""),
            ("", &string, ""),
            ("[", other, "]"),
            ("[", &string, "]"),
            (r#"{"Records":["#, other, "]}"),
            (r#"{"Records":["#, &string, "]}"),
            (r#"{"Events":["#, other, "]}"),
            (r#"{"Events":[{"CloudTrailEvent":"#, &string, "}]}"),
            (r#"{"Messages":[{"Body":"#, &string, "}]}"),
        ] {
            let text = format!("{before}{other}{after}");
            let lines = seen(&text);
            assert!(
                lines.len() == 1
                    && lines[0].starts_with(&format!("{reason} at byte "))
                    && lines[0].ends_with("(record 0)"),
                "{text}: {lines:?}"
            );
            // Nothing after it is lost.
            for (glue, end) in [(format!("{before}{other}"), after), (format!("{before}{record},{other}"), after)] {
                let is_list = !after.is_empty() && !after.starts_with('}');
                let text =
                    if is_list { format!("{glue},{record}{end}") } else { format!("{before}{other}{after}\n{record}") };
                let lines = seen(&text);
                assert!(lines.last().is_some_and(|line| line.ends_with(record)), "{text}: {lines:?}");
                assert_eq!(lines.iter().filter(|line| line.contains(reason)).count(), 1, "{text}: {lines:?}");
            }
        }
    }
}

#[test]
fn what_is_broken_within_a_string_is_a_bad_record_and_the_file_goes_on() {
    let text = concat!(
        r#"{"events":[{"message":"{\"a\":1"},{"message":"{} x"},{"message":"{\"a\":tru}"},"#,
        r#"{"message":"{\"eventID\":0}"}]}"#
    );
    assert_eq!(
        seen(text),
        [
            "invalid JSON: unexpected end at byte 22 (record 0)",
            "invalid JSON: expected the end but found 'x' at byte 45 (record 1)",
            "invalid JSON: expected a value but found '}' at byte 64 (record 2)",
            r#"3* {"eventID":0}"#,
        ]
    );
    let deep = (0..8).fold(r#"{"eventID":0}"#.to_owned(), |text, _| format!("{{\"message\":{text}}}"));
    assert_eq!(seen(deep), ["documents within documents, more than 6 deep or twice in gzip at byte 77 (record 0)"]);
    let many = format!("\"[{}]\"", vec![r#"{\"eventID\":0}"#; 10_002].join(","));
    let lines = seen(many);
    assert_eq!(
        lines.last().map(String::as_str),
        Some("more than 10000 records in one document within another at byte 0 (record 10000)")
    );
}

#[test]
fn a_torn_line_costs_that_line() {
    let good = r#"{"eventID":"a"}"#;
    for torn in [
        r#"{"eventID":"b","#,
        r#"{"eventID":"b", "#,
        r#"{"eventID":"b"#,
        r#"{"eventID":"#,
        r#"{"eventID":"b","x":{"y":["#,
        "eventID\":\"b\"}",
        "plain text",
        "{]",
        r#"{"eventID":"b"},"#,
        r#"{"eventID":"b"}]},"x":1}"#,
        r#"{"Records":[{"eventID":"b"}]}]"#,
        r#"[{"eventID":"b"}],"x":1}"#,
        r#""{\"eventID\":\"b\"}","#,
        "\u{1}",
    ] {
        let lines = seen(format!("{good}\n{torn}\n{good}\n{torn}\r\n{torn}\n{good}\n"));
        let records: Vec<_> = lines.iter().filter(|line| line.ends_with(good)).collect();
        assert_eq!(records, [&format!("0 {good}"), &format!("2 {good}"), &format!("5 {good}")], "{torn}: {lines:?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("invalid JSON")).count(), 3, "{torn}: {lines:?}");
    }
    // What follows the beginning of a list is an element of it, and still a record.
    for torn in ["[", "[1,", r#"{"Records":["#, r#"{"x":0,"Records":[ "#] {
        let lines = seen(format!("{good}\n{torn}\n{good}\n{good}\n{torn}\r\n{good}\n"));
        assert_eq!(lines.iter().filter(|line| line.ends_with(good)).count(), 4, "{torn}: {lines:?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("invalid JSON")).count(), 2, "{torn}: {lines:?}");
    }
    // This includes the first line, if the next one begins like a record.
    assert_eq!(seen(format!("{{\"a\":\n{good}"))[1..], [format!("1 {good}")]);
    assert_eq!(seen(format!("{{\"eventID\":\"b\"}}],\n{good}"))[1..], [format!("1 {good}")]);
    // Lists with a line each also make a file of lines.
    let listed = format!("{{\"Records\":[{good}]}}");
    assert_eq!(seen(format!("{listed}\n{{\"Records\":[{{\n{listed}\n"))[2..], [format!("2 {good}")]);
    // Excessive nesting loses only its own line.
    assert_eq!(seen(format!("{good}\n{}\n{good}\n", "[".repeat(2000)))[2..], [format!("2 {good}")]);
}

#[test]
fn what_is_left_of_a_document_does_not_pass_for_one() {
    let good = r#"{"eventID":"a"}"#;
    for torn in [
        "{\n  \"eventID\": \"b\"\n  \"x\": {\n    \"y\": 1\n  }\n}",
        "{\n  \"requestParameters\": {\n{\"eventID\":\"forged\"}\n  }\n}",
        "{\"events\":\n[,\n{\"eventID\":\"forged\"}\n]\n}",
        "{\"policies\":\n[,\n\"{\\\"eventID\\\":\\\"forged\\\"}\"\n]\n}",
        "{\n\"x\":[,\n{\"eventID\":\"forged\"},\n{\"eventID\":\"forged\"}\n]\n}",
    ] {
        let lines = seen(format!("{good}\n{torn}\n{good}\n"));
        assert!(lines.iter().all(|line| !line.contains("forged")), "{torn}: {lines:?}");
        assert!(lines[1].starts_with("invalid JSON"), "{torn}: {lines:?}");
        assert!(lines.last().is_some_and(|line| line.ends_with(good)), "{torn}: {lines:?}");
    }
}

#[test]
fn to_a_record_a_list_is_a_member_like_any_other() {
    for record in [
        r#"{"events":[{"eventName":"inner"}],"eventName":"A"}"#,
        r#"{"eventName":"A","Records":[{"eventName":"inner"}],"Events":[{}]}"#,
        r#"{"Records":[{"eventName":"inner"}],"x":1,"eventID":"A"}"#,
        r#"{"Records":[],"eventID":"A"}"#,
    ] {
        for text in [
            record.to_owned(),
            format!("{record}\n{record}\n"),
            format!("[{record}]"),
            format!("{{\"Records\":[{record}]}}"),
            format!("\"{}\"", escaped(record, &[])),
        ] {
            let lines = seen(&text);
            let is_ordinary = text == record && text.starts_with("{\"Records\"");
            assert!(
                is_ordinary || lines.iter().all(|line| line.ends_with(record)) && !lines.is_empty(),
                "{text}: {lines:?}"
            );
        }
    }
}

#[test]
fn a_list_at_the_beginning_may_be_what_is_left_of_a_document() {
    for torn in [
        r#"{"Records":[{"eventName":"forged"}]}],"s":1},"u":"x"}"#,
        r#"[{"eventName":"forged"},{"Records":[{"eventName":"forged"}]}],"s":1},"u":"x"}"#,
    ] {
        let lines = seen(format!("{torn}\n{{\"eventID\":1}}\n{{\"eventID\":2}}\n"));
        assert_eq!(lines[1..], [r#"1 {"eventID":1}"#, r#"2 {"eventID":2}"#], "{lines:?}");
    }
}

#[test]
fn what_stands_beside_a_list_is_named() {
    for (text, name, records) in [
        (r#"{"Records":[{"eventID":1}],"x":[],"Records":[{"eventID":2}]}"#, "Records", 1),
        (r#"{"events":[{"eventID":1}],"Events":[{"eventID":2}]}"#, "Events", 1),
        (r#"{"logEvents":[{"eventID":1},{"eventID":2}],"logEvents":[{"eventID":2}],"Events":[]}"#, "logEvents", 2),
        // A document over several lines is not searched in advance.
        ("{\n\"Events\":[{\"eventID\":1}],\"eventName\":\"q\",\"eventTime\":\"t\"}", "eventName", 1),
        ("{\"eventName\":\"q\",\n\"Records\":[{\"eventID\":1}]}", "eventName", 1),
        ("{\"eventName\":\"q\",\n\"Records\":[{\"eventID\":1}],\"Events\":[]}", "eventName", 1),
    ] {
        let lines = seen(text);
        let named = format!("'{name}' stands beside a list of records, and is not read");
        assert_eq!(lines.iter().filter(|line| line.starts_with(&named)).count(), 1, "{text}: {lines:?}");
        assert_eq!(lines.len(), records + 1, "{text}: {lines:?}");
    }
}

#[test]
fn a_document_over_many_lines_that_breaks_ends_the_file() {
    for text in [
        "{\n  \"eventID\": \"a\"\n  \"x\": {\n    \"y\": 1\n  }\n}\n",
        "{\"Records\":[\n{\"eventID\":1},\n{\"eventID\":2,},\n{\"eventID\":3},\n{\"eventID\":4}\n]}\n",
        "[\n{\"eventID\":1},\n{\"eventID\":2,},\n{\"eventID\":3}\n]\n",
        "{\"Records\":[{\"eventID\":1},{\"eventID\":2,},{\"eventID\":3}]}",
    ] {
        let lines = seen(text);
        assert_eq!(lines.iter().filter(|line| line.starts_with("invalid JSON")).count(), 1, "{lines:?}");
        assert!(lines.last().is_some_and(|line| line.contains(" before record ")), "{lines:?}");
    }
    let torn = format!("{{\"eventID\":1}}\n{}", "x\n".repeat(2000));
    assert_eq!(seen(torn).len(), 1 + 1000 + 1);
}

#[test]
fn every_error_names_its_byte() {
    for (text, expected) in [
        ("", "empty file at byte 0 before record 0"),
        (" \n", "empty file at byte 2 before record 0"),
        ("\u{feff}", "empty file at byte 3 before record 0"),
        ("hello", "neither gzip nor JSON: starts with 0x68 at byte 0 before record 0"),
        ("\u{feff}\u{feff}{}", "not-cloudtrail at byte 6 (record 0)"),
        ("\u{feff} \u{feff}", "empty file at byte 7 before record 0"),
        ("\u{feff}x", "neither gzip nor JSON: starts with 0x78 at byte 3 before record 0"),
        ("2023-07 {\"eventName\":1}", "invalid JSON: expected an end but found '-' at byte 4 before record 0"),
        (
            "{\"Records\":[],\"Records\":[1]}",
            "'Records' stands beside a list of records, and is not read at byte 14 (record 0)",
        ),
        ("{\"Records\":[{}", "invalid JSON: unexpected end at byte 14 before record 1"),
        ("{\"Records\":[{},]}", "invalid JSON: expected a value but found ']' at byte 15 before record 1"),
        ("{\"Records\":[{} {}]}", "invalid JSON: expected ',' or ']' but found '{' at byte 15 before record 1"),
        ("{\"Records\":[{}]]", "invalid JSON: expected ',' or '}' but found ']' at byte 15 before record 1"),
        (
            "{\"Records\":[{}],\"x\":\"\u{1}\"}",
            "invalid JSON: control character 0x01 in a string at byte 21 before record 1",
        ),
        ("{\"Records\":[{}],x}", "invalid JSON: expected a key but found 'x' at byte 16 before record 1"),
        ("[{\"eventName\":1}", "invalid JSON: unexpected end at byte 16 before record 1"),
        ("[{\"eventName\":1},]", "invalid JSON: expected a value but found ']' at byte 17 before record 1"),
        ("{\"eventName\":1},", "invalid JSON: expected an end but found ',' at byte 15 before record 0"),
        ("{\"eventName\":1", "invalid JSON: unexpected end at byte 14 before record 0"),
        ("{\"eventName\":\"a\\q\"}", "invalid JSON: expected an escape but found 'q' at byte 16 before record 0"),
    ] {
        assert_eq!(seen(text).last().map(String::as_str), Some(expected), "{text}");
    }
    let deep = format!("{{\"Records\":[{{\"a\":{}}}]}}", "[".repeat(2000));
    assert_eq!(seen(deep), ["nested deeper than 1024 at byte 1041 before record 0"]);
}

#[test]
fn a_cut_anywhere_changes_nothing() {
    for text in [
        "[{\"eventName\":\"A\"} , {\"eventName\":\"B\"}]\n",
        "{\"eventID\":1}\n{\"eventID\":\n{\"eventID\":3}\nx\n{\"eventID\":4,\"y\":\"z\n{\"eventID\":5}\n",
        "{\"a\":[1,\n{\"eventID\":3}\n",
        "{\"Records\":[]}\n{\"Records\":[ ]}{\"Records\":[12 ,{\"a\":-1.5e3},\"é\\u00e9\" , {}] , \"x\":[true]}",
        "2023-07-10T11:42:36.000Z {\"eventName\":\"A\"}\n2023-07-10T11:42:36+01:00\t{\"eventName\":\"B\"}\n",
        "2023-07-10T11:42:36.000Z a [1] b {\"eventName\":\"A\"}\n2023-07-10T11:42:36Z x {\"a\":1} \
         y\n2023-07-10T11:42:36Z [{\"eventID\":1}] \n",
        "2023-07-10T11:42:36Z s\n{\n\"eventID\":1}\n2023-07-10T11:42:36Z 5\" {x\n2023-07-10T11:42:36Z a\"b \
         {\"eventID\":1}\n2023-07-10T11:42:36Z  \n",
        "\u{feff}{\"eventID\":1}\n\u{feff}{\"logEvents\":[ ],\"messageType\":\"CONTROL_MESSAGE\"}\u{feff} \
         \u{feff}[{\"eventID\":2}]",
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
        let element =
            prop_oneof![8 => embedded.prop_map(move |text| format!("{{\"x\":0,{name}:{text}}}")), 1 => value()];
        vec(element, 0..3).prop_flat_map(array).prop_map(move |array| format!("{{{list}:{array}}}"))
    };
    let listings =
        [("\"Events\"", "\"CloudTrailEvent\""), ("\"events\"", "\"message\""), ("\"logEvents\"", "\"message\"")];
    let [events, messages, log_events] = listings.map(|(list, name)| listing(list, name, embedded.clone().boxed()));
    let stamped = (select(vec!["2023-07-10T11:42:36Z ", "2023-07-10T11:42:36.123+00:00\t", "2023-07-10 "]), record());
    let members = |key: &str| vec((Just(key.to_owned()), value()), 0..2);
    prop_oneof![
        4 => (members("\"x\""), records, members("\"y\"")).prop_flat_map(|(before, records, after)| {
            object([before, vec![("\"Records\"".to_owned(), records)], after].concat())
        }),
        3 => record(),
        1 => record().prop_map(|record| format!("{{\"detail-type\":\"t via CloudTrail\",\"detail\":{record}}}")),
        1 => events,
        1 => messages,
        1 => log_events,
        2 => stamped.prop_map(|(stamp, record)| format!("{stamp}{record}")),
        1 => Just("{\"digestStartTime\":\"s\",\"digestEndTime\":\"e\"}".to_owned()),
    ]
}

/// A file with some documents.
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
    let sound =
        (space(), prop_oneof![3 => lines, 1 => one_array]).prop_map(|(space, file)| format!("{space}{file}")).boxed();
    prop_oneof![2 => sound.clone(), 1 => sound.prop_flat_map(damaged)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// The first window of a streamed file has megabytes, so that no byte order mark is cut in two.
    #[test]
    fn windows_see_what_the_whole_text_shows(text in file(), cuts in vec(any::<prop::sample::Index>(), 0..6)) {
        let cuts = cuts.into_iter().map(|cut| 4 + cut.index(text.len().max(1)));
        let mut cuts: Vec<_> = cuts.filter(|&cut| cut < text.len()).collect();
        cuts.sort_unstable();
        prop_assert_eq!(seen_in_windows(text.as_bytes(), &cuts), seen(&text), "{:?} cut at {:?}", text, cuts);
    }
}
