use std::path::Path as File;

use serde_json::Value as Json;

use super::*;
use crate::filter::{Refused, Single};

mod random;

fn matches(pattern: &str, event: &str) -> bool {
    let pattern = Pattern::read(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    Single::new(&pattern.compile(None)).matches(event.as_bytes()).unwrap_or_else(|error| panic!("{event}: {error}"))
}

fn refusal(pattern: &str) -> PatternError {
    match Pattern::read(pattern) {
        Ok(_) => panic!("{pattern} is a pattern"),
        Err(error) => error,
    }
}

/// Checks a list of alternatives for `a` against values of `a`.
#[track_caller]
fn leaf(alternatives: &str, meet: &[&str], others: &[&str]) {
    let pattern = format!("{{\"a\":[{alternatives}]}}");
    for (values, expected) in [(meet, true), (others, false)] {
        for value in values {
            assert_eq!(matches(&pattern, &format!("{{\"a\":{value}}}")), expected, "{pattern} on {value}");
        }
    }
}

#[test]
fn strings() {
    leaf(
        r#""text""#,
        &[r#""text""#, r#""t\u0065xt""#, r#"["x","text"]"#],
        &[r#""Text""#, "null", "{}", "[]", r#"{"text":"text"}"#],
    );
    leaf(r#""""#, &[r#""""#], &["null", "0", "false", "[]", "{}"]);
    leaf(r#""true""#, &[r#""true""#], &["true"]);
    leaf(r#""x","y""#, &[r#""x""#, r#""y""#], &[r#""z""#]);
    leaf(r#"{"exactly":"10.0.0.1"}"#, &[r#""10.0.0.1""#], &[r#""10.0.0.01""#]);
    leaf(r#""arn:aws:s3:::b/k""#, &[r#""arn:aws:s3:::b\/k""#], &[r#""arn:aws:s3:::b:k""#]);
}

#[test]
fn strings_that_are_addresses() {
    leaf(
        r#""10.0.0.1""#,
        &[r#""10.0.0.1""#, r#""10.0.0.01""#, r#""010.0.0.1""#],
        &[r#""10.0.0.10""#, r#""10.0.0.1 ""#],
    );
    leaf(r#""2001:db8::1""#, &[r#""2001:0DB8:0:0:0:0:0:1""#], &[r#""2001:db8::10""#]);
    leaf(r#"{"prefix":"10.0."}"#, &[r#""10.0.0.1""#], &[r#""010.0.0.1""#]);
    leaf(r#"{"wildcard":"10.*.1"}"#, &[r#""10.0.0.1""#], &[r#""10.0.0.2""#]);
}

#[test]
fn numbers() {
    leaf("300", &["300", "300.0", "3.0e2", "3e2", "[1,300]"], &[r#""300""#, "300.00000000000001", "301", "true"]);
    leaf("300.0", &["300"], &["-300"]);
    leaf("0", &["-0", "0.0"], &["null", "false", r#""""#]);
    leaf("123456789012345678901", &["123456789012345678901"], &["123456789012345678902", "1.23456789012345678901e20"]);
}

#[test]
fn words() {
    let all = ["true", "false", "null", r#""true""#, r#""null""#, "0", r#""""#, "[]", "{}"];
    for word in ["true", "false", "null"] {
        let others: Vec<_> = all.into_iter().filter(|other| *other != word).collect();
        leaf(word, &[word, &format!("[1,{word}]")], &others);
        assert!(!matches(&format!(r#"{{"a":[{word}]}}"#), r#"{"b":1}"#));
    }
}

#[test]
fn beginnings_and_ends() {
    leaf(r#"{"prefix":"ab"}"#, &[r#""ab""#, r#""abx""#], &[r#""AB""#, r#""xab""#, "5", "null", "true"]);
    leaf(r#"{"prefix":""}"#, &[r#""""#, r#""x""#], &["5", "null", "[]"]);
    leaf(r#"{"suffix":"ab"}"#, &[r#""ab""#, r#""xab""#], &[r#""abx""#, "5"]);
    leaf(r#"{"suffix":""}"#, &[r#""""#, r#""x""#], &["5"]);
    leaf(r#"{"prefix":{"equals-ignore-case":"AB"}}"#, &[r#""abx""#, r#""Ab""#], &[r#""xab""#, "5"]);
    leaf(r#"{"suffix":{"equals-ignore-case":"AB"}}"#, &[r#""xab""#, r#""aB""#], &[r#""abx""#, "5"]);
    leaf(r#"{"equals-ignore-case":"aB"}"#, &[r#""AB""#, r#""ab""#], &[r#""abx""#, r#""""#, "5"]);
    leaf(r#"{"equals-ignore-case":"ÄB"}"#, &[r#""äb""#], &[r#""ab""#]);
    leaf(r#"{"equals-ignore-case":"STRASSE"}"#, &[r#""strasse""#], &[r#""straße""#]);
}

#[test]
fn wildcards() {
    leaf(r#"{"wildcard":"a*b"}"#, &[r#""ab""#, r#""axxb""#], &[r#""axxbc""#, "5"]);
    leaf(r#"{"wildcard":"*"}"#, &[r#""""#, r#""x""#], &["5", "null", "[]"]);
    leaf(r#"{"wildcard":""}"#, &[r#""""#], &[r#""x""#]);
    leaf(r#"{"wildcard":"a\\*b"}"#, &[r#""a*b""#], &[r#""axb""#]);
    leaf(r#"{"wildcard":"a\\\\b"}"#, &[r#""a\\b""#], &[r#""ab""#]);
    leaf(r#"{"wildcard":"?b"}"#, &[r#""?b""#], &[r#""ab""#]);
}

#[test]
fn numeric() {
    leaf(r#"{"numeric":["=",5]}"#, &["5", "5.0", "5e0"], &["4.9999", r#""5""#, "null", "[]", "-5"]);
    leaf(r#"{"numeric":[">",0,"<=",5]}"#, &["5", "0.1", "[100,5]"], &["0", "5.1", "-3", r#""5""#, "[0,6]"]);
    leaf(r#"{"numeric":[">=",5]}"#, &["5", "1e300"], &["4.9999"]);
    leaf(r#"{"numeric":["<",0]}"#, &["-1e300", "-0.1"], &["0", "-0"]);
    leaf(r#"{"numeric":["<=",5]}"#, &["5", "-3"], &["5.0001", "null"]);
    // A number that a double would change cannot be compared.
    leaf(
        r#"{"numeric":[">",0]}"#,
        &["12345678901234567000"],
        &["12345678901234567891", "1e400", "5.00000000000000000001"],
    );
}

#[test]
fn blocks_of_addresses() {
    leaf(
        r#"{"cidr":"10.0.0.0/24"}"#,
        &[r#""10.0.0.255""#, r#""10.0.0.00""#],
        &[r#""10.0.1.0""#, r#""ec2.amazonaws.com""#, "10", r#""""#],
    );
    leaf(r#"{"cidr":"10.0.0.77/24"}"#, &[r#""10.0.0.1""#], &[]);
    leaf(r#"{"cidr":"2001:db8::/32"}"#, &[r#""2001:db8::5""#], &[r#""2001:db9::5""#, r#""AWS Internal""#]);
    leaf(r#"{"cidr":"0.0.0.0/0"}"#, &[r#""1.2.3.4""#, r#""2001:db8::5""#], &[r#""1.2.3""#]);
    leaf(r#"{"cidr":"::/0"}"#, &[r#""1.2.3.4""#, r#""2001:db8::5""#], &[]);
}

#[test]
fn existence() {
    let there = ["null", r#""""#, "0", "false", "[1]", r#"["",{}]"#];
    let absent = ["{}", "[]", "[{}]", r#"{"b":1}"#, r#"[{"b":1}]"#, "[[]]"];
    leaf(r#"{"exists":true}"#, &there, &absent);
    leaf(r#"{"exists":false}"#, &absent, &there);
    assert!(matches(r#"{"a":[{"exists":false}]}"#, "{}"));
    assert!(!matches(r#"{"a":[{"exists":true}]}"#, "{}"));
    leaf(r#"{"exists":false},"x""#, &["{}", r#""x""#], &[r#""y""#, "null"]);
    leaf(r#"{"exists":false},{"exists":true}"#, &["1", "{}"], &[]);
}

#[test]
fn anything_but() {
    let others = ["7", "true", "null", r#""""#, r#"["x","q"]"#];
    for excluded in [
        r#""x""#,
        r#"["x","y"]"#,
        r#"{"prefix":"x"}"#,
        r#"{"prefix":["x","y"]}"#,
        r#"{"suffix":"x"}"#,
        r#"{"equals-ignore-case":"X"}"#,
        r#"{"wildcard":"*x"}"#,
        r#"{"wildcard":["x*","y"]}"#,
    ] {
        let alternative = format!(r#"{{"anything-but":{excluded}}}"#);
        leaf(&alternative, &others, &[r#""x""#, r#"["x"]"#, "[]", "{}"]);
        assert!(!matches(&format!(r#"{{"a":[{alternative}]}}"#), r#"{"b":"z"}"#), "a missing field: {alternative}");
        leaf(&format!(r#"{alternative},{{"exists":false}}"#), &["{}", r#""q""#], &[r#""x""#]);
    }
    leaf(
        r#"{"anything-but":5}"#,
        &["7", r#""5""#, "null", r#"["x"]"#, "5.00000000000000000001"],
        &["5", "5.0", "[5]", "[]"],
    );
    leaf(r#"{"anything-but":[5,6]}"#, &["7"], &["5", "6e0"]);
    leaf(r#"{"anything-but":"x"},{"anything-but":"y"}"#, &[r#""x""#, r#""y""#], &[]);
    leaf(r#"{"anything-but":"10.0.0.1"}"#, &[r#""10.0.0.01""#], &[r#""10.0.0.1""#]);
}

#[test]
fn fields_of_one_object() {
    assert!(matches(r#"{"a":["x"],"b":["y"]}"#, r#"{"a":"x","b":"y","c":1}"#));
    assert!(!matches(r#"{"a":["x"],"b":["y"]}"#, r#"{"a":"x"}"#));
    assert!(matches(r#"{"a":["x"],"a":["y"]}"#, r#"{"a":"y"}"#), "the last of duplicate keys counts");
    assert!(!matches(r#"{"a":["x"],"a":["y"]}"#, r#"{"a":"x"}"#));
    assert!(!matches(r#"{"a":{"b":["x"]},"a":{"c":["y"]}}"#, r#"{"a":{"c":"y"}}"#), "duplicate objects add up");
    assert!(!matches(r#"{"A":["x"]}"#, r#"{"a":"x"}"#));
    assert!(matches(r#"{"\u0061":["x"]}"#, r#"{"a":"x"}"#));
}

#[test]
fn keys_with_dots() {
    let (nested, dotted) = (r#"{"d":{"state.status":["on"]}}"#, r#"{"d":{"state":{"status":["on"]}}}"#);
    for event in
        [r#"{"d":{"state":{"status":"on"}}}"#, r#"{"d":{"state.status":"on"}}"#, r#"{"d.state":{"status":["on"]}}"#]
    {
        assert!(matches(nested, event) && matches(dotted, event), "{event}");
    }
    assert!(!matches(nested, r#"{"d":{"state.":{"status":"on"}}}"#));
}

#[test]
fn arrays_of_objects() {
    for (pattern, event, expected) in [
        (r#"{"d":{"a":["x"],"b":["y"]}}"#, r#"{"d":[{"a":"x","b":"y"}]}"#, true),
        (r#"{"d":{"a":["x"],"b":["y"]}}"#, r#"{"d":[{"a":"x"},{"b":"y"}]}"#, false),
        (r#"{"d":{"a":["x"],"b":["y"]}}"#, r#"{"d":[[{"a":"x"}],[{"b":"y"}]]}"#, false),
        (r#"{"u":{"t":{"k":["color"],"v":["blue"]}}}"#, r#"{"u":[{"t":[{"k":"color"},{"v":"blue"}]}]}"#, false),
        (r#"{"u":{"t":{"k":["color"],"v":["blue"]}}}"#, r#"{"u":[{"t":[{"v":1},{"k":"color","v":"blue"}]}]}"#, true),
        (r#"{"u":{"n":["x"],"t":{"k":["a"]}}}"#, r#"{"u":[{"n":"x"},{"n":"y","t":[{"k":"a"}]}]}"#, false),
        (r#"{"d":{"a":["x"]},"e":{"b":["y"]}}"#, r#"{"d":[{"a":"q"},{"a":"x"}],"e":[{"b":"y"}]}"#, true),
        (r#"{"a":["x"]}"#, r#"{"a":[["x"]]}"#, true),
        (r#"{"a":["x"]}"#, r#"{"a":[[["y"],{"b":"x"}]]}"#, false),
        (r#"{"d":{"a":["x"],"t":["p"]}}"#, r#"{"d":[{"a":"x","t":["o","p"]}]}"#, true),
        (r#"{"d":["s"],"d.a":["x"]}"#, r#"{"d":["s",{"a":"x"}]}"#, true),
    ] {
        assert_eq!(matches(pattern, event), expected, "{pattern} on {event}");
    }
}

#[test]
fn absence_in_arrays_of_objects() {
    let (alone, with_a) =
        (r#"{"d":{"b":[{"exists":false}]}}"#, r#"{"d":{"a":[{"exists":true}],"b":[{"exists":false}]}}"#);
    for (pattern, event, expected) in [
        (alone, r#"{"d":[{"a":1},{"b":2}]}"#, false),
        (alone, r#"{"d":[{"b":1}]}"#, false),
        (alone, r#"{"d":[{"a":1}]}"#, true),
        (alone, "{}", true),
        (with_a, r#"{"d":[{"a":1},{"b":2}]}"#, true),
        (with_a, r#"{"d":[{"a":1,"b":3},{"a":2}]}"#, true),
        (with_a, r#"{"d":[{"a":1,"b":2}]}"#, false),
        (with_a, r#"{"d":[{"b":1}]}"#, false),
        (with_a, r#"{"d":[]}"#, false),
        (with_a, r#"{"d":{}}"#, false),
        (with_a, r#"{"d":{"a":1}}"#, true),
        (with_a, r#"{"d":{"a":1,"b":2}}"#, false),
        // Names are taken in order: `b` before any element is chosen for `c`.
        (r#"{"d":{"b":[{"exists":false}],"c":["x"]}}"#, r#"{"d":[{"c":"x"},{"b":1}]}"#, false),
        (r#"{"d":{"b":[{"exists":false},"y"],"c":["x"]}}"#, r#"{"d":[{"c":"x"},{"b":"y","c":"x"}]}"#, true),
        (r#"{"d":{"c":[{"exists":false}]}}"#, r#"{"d":{"c":{"c1":1}}}"#, true),
    ] {
        assert_eq!(matches(pattern, event), expected, "{pattern} on {event}");
    }
}

#[test]
fn or() {
    for (pattern, event, expected) in [
        (r#"{"$or":[{"a":["x"]},{"b":["y"]}]}"#, r#"{"a":"x"}"#, true),
        (r#"{"$or":[{"a":["x"]},{"b":["y"]}]}"#, r#"{"b":"y"}"#, true),
        (r#"{"$or":[{"a":["x"]},{"b":["y"]}]}"#, r#"{"a":"y","b":"x"}"#, false),
        (r#"{"$or":[{"a":["x"]},{"b":["y"]}],"c":["z"]}"#, r#"{"a":"x","c":"z"}"#, true),
        (r#"{"$or":[{"a":["x"]},{"b":["y"]}],"c":["z"]}"#, r#"{"a":"x"}"#, false),
        (r#"{"c":["z"],"$or":[{"a":["x"]},{"b":["y"]}]}"#, r#"{"b":"y","c":"z"}"#, true),
        (r#"{"$or":[{"a":["q"]},{"$or":[{"b":["y"]},{"c":["n"]}]}]}"#, r#"{"b":"y"}"#, true),
        (r#"{"$or":[{"a":["q"]},{"$or":[{"b":["y"]},{"c":["n"]}]}]}"#, r#"{"a":"x","c":"z"}"#, false),
        (r#"{"d":{"$or":[{"e":["1"]},{"f":[{"exists":false}]}]}}"#, r#"{"d":{"f":"1"}}"#, false),
        (r#"{"d":{"$or":[{"e":["1"]},{"f":[{"exists":false}]}]}}"#, r#"{"a":"x"}"#, true),
        (r#"{"d":{"$or":[{"e":["1"],"g":["2"]},{"f":["3"]}]}}"#, r#"{"d":{"e":"1","g":"2"}}"#, true),
        // Two lists multiply; a field of the list replaces an earlier one, and a field after the list replaces both.
        (r#"{"$or":[{"a":["1"]},{"b":["1"]}],"$or":[{"c":["1"]},{"d":["1"]}]}"#, r#"{"a":"1","d":"1"}"#, true),
        (r#"{"$or":[{"a":["1"]},{"b":["1"]}],"$or":[{"c":["1"]},{"d":["1"]}]}"#, r#"{"a":"1","b":"1"}"#, false),
        (r#"{"a":["x"],"$or":[{"a":["y"]},{"b":["z"]}]}"#, r#"{"a":"y"}"#, true),
        (r#"{"$or":[{"a":["y"]},{"b":["z"]}],"a":["x"]}"#, r#"{"a":"x"}"#, true),
        (r#"{"$or":[{"a":["y"]},{"b":["z"]}],"a":["x"]}"#, r#"{"a":"y"}"#, false),
    ] {
        assert_eq!(matches(pattern, event), expected, "{pattern} on {event}");
    }
    assert!(
        matches(r#"{"prefix":["x"],"exists":["y"]}"#, r#"{"prefix":"x","exists":"y"}"#),
        "names of operators are names elsewhere"
    );
}

/// The event that `EventBridge` makes of a record, and the record itself.
#[test]
fn records_and_their_envelopes() {
    let record = concat!(
        r#"{"eventVersion":"1.08","#,
        r#""userIdentity":{"type":"Root","sessionContext":{"attributes":{"mfaAuthenticated":"false"}}},"#,
        "\n        ",
        r#""eventTime":"2023-07-10T11:42:36Z","eventSource":"kms.amazonaws.com","eventName":"DisableKey","#,
        r#""awsRegion":"eu-west-1","eventType":"AwsApiCall","#,
        "\n        ",
        r#""eventID":"e-1","recipientAccountId":"123456789012","readOnly":false,"#,
        r#""requestParameters":{"keyId":"k","tags":[{"k":"a"},{"v":"b"}]},"#,
        "\n        ",
        r#""resources":[{"ARN":"arn:aws:kms:1","type":"AWS::KMS::Key"},"#,
        r#"{"ARN":"arn:aws:kms:2","type":"AWS::KMS::Alias"}],"eventContext":{"x":1}}"#,
    );
    let example = r#"{"source":["aws.kms"],"detail-type":["AWS API Call via CloudTrail"],
        "detail":{"eventName":[{"prefix":"Disable"},"ScheduleKeyDeletion"],"errorCode":[{"exists":false}]}}"#;
    for (pattern, expected) in [
        (example, true),
        (r#"{"eventName":["DisableKey"]}"#, true),
        (r#"{"detail":{"eventName":["DisableKey"]}}"#, true),
        (r#"{"detail":{"userIdentity":{"sessionContext":{"attributes":{"mfaAuthenticated":["false"]}}}}}"#, true),
        (r#"{"detail":{"readOnly":[false]}}"#, true),
        (r#"{"detail":{"readOnly":["false"]}}"#, false),
        (r#"{"detail":{"resources":{"type":["AWS::KMS::Key"],"ARN":["arn:aws:kms:1"]}}}"#, true),
        (r#"{"detail":{"resources":{"type":["AWS::KMS::Key"],"ARN":["arn:aws:kms:2"]}}}"#, false),
        (r#"{"resources":{"type":["AWS::KMS::Key"],"ARN":["arn:aws:kms:2"]}}"#, false),
        (r#"{"resources":{"type":["AWS::KMS::Key"],"ARN":["arn:aws:kms:1"]}}"#, true),
        (r#"{"detail":{"requestParameters":{"tags":{"k":["a"],"v":["b"]}}}}"#, false),
        (
            concat!(
                r#"{"source":[{"prefix":"aws."}],"account":["123456789012"],"region":["eu-west-1"],"#,
                r#""time":[{"prefix":"2023-"}],"version":["0"]}"#
            ),
            true,
        ),
        (r#"{"version":["1"]}"#, false),
        (r#"{"id":["e-1"]}"#, true),
        (r#"{"account":["210987654321"]}"#, false),
        (r#"{"resources":[{"exists":false}]}"#, true),
        (r#"{"resources":["arn:aws:kms:1"]}"#, false),
        (r#"{"resources":["arn:aws:kms:1"],"$or":[{"source":["aws.kms"]},{"source":["aws.s3"]}]}"#, false),
        (r#"{"detail":[{"exists":false}]}"#, true),
        (r#"{"source":{"x":["y"]}}"#, false),
        (r#"{"detail":{"eventContext":{"x":[1]}}}"#, false),
        (r#"{"detail":{"eventContext":{"x":[{"exists":false}]}}}"#, true),
        (r#"{"eventContext":{"x":[1]}}"#, true),
        (r#"{"eventName":["DisableKey"],"source":["aws.kms"]}"#, false),
    ] {
        assert_eq!(matches(pattern, record), expected, "{pattern}");
    }
    assert!(!matches(example, &record.replacen("\"eventID\"", "\"errorCode\":\"AccessDenied\",\"eventID\"", 1)));
    assert!(!matches(example, &record.replace("DisableKey", "Decrypt")));
    let envelope = format!(
        concat!(
            r#"{{"version":"0","id":"i","detail-type":"AWS API Call via CloudTrail","source":"aws.kms","#,
            r#""account":"1","time":"t","region":"r","#,
            "\n        ",
            r#""resources":[],"detail":{record}}}"#
        ),
        record = record
    );
    assert!(matches(example, &envelope));
    assert!(matches(r#"{"id":["i"],"account":["1"]}"#, &envelope));
    assert!(
        !matches(r#"{"source":["aws.kms"]}"#, &envelope.replace("aws.kms", "aws.other")),
        "what the event says counts"
    );
    assert!(matches(r#"{"eventName":["DisableKey"]}"#, &envelope), "it is the record in it that is seen");
    assert!(
        !matches(r#"{"account":["1"]}"#, &envelope.replace(record, r#"{"state":"running"}"#)),
        "of another service"
    );
}

#[test]
fn both_spellings_of_a_sign_in() {
    let record = concat!(
        r#"{"eventTime":"2023-07-10T11:42:36Z","eventSource":"signin.amazonaws.com","#,
        r#""eventName":"ConsoleLogin","eventType":"AwsConsoleSignIn"}"#
    );
    for spelling in ["AWS Console Sign In via CloudTrail", "AWS Console Signin via CloudTrail"] {
        assert!(matches(&format!(r#"{{"detail-type":["{spelling}"],"source":["aws.signin"]}}"#), record));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn refusals_name_what_and_where() {
    for (pattern, message) in [
        ("", "invalid JSON: expected a value but found the end at line 1, column 1"),
        ("[]", "an event pattern must be an object, not an array at line 1, column 1"),
        ("{}", "empty object: expected a field or an operator at line 1, column 1"),
        ("{\"a\":[1]} x", "invalid JSON: expected the end but found 'x' at line 1, column 11"),
        (
            "{\n \"a\": {\n  \"é\": 5\n}}",
            "a.é: a field must be an object or an array, not a number at line 3, column 8",
        ),
        (r#"{"a":"x"}"#, "a: a field must be an object or an array, not a string at line 1, column 6"),
        (r#"{"a":[]}"#, "a: empty array: expected at least one value at line 1, column 6"),
        (r#"{"a":{}}"#, "a: empty object: expected a field or an operator at line 1, column 6"),
        (r#"{"a":[{}]}"#, "a: empty object: expected a field or an operator at line 1, column 7"),
        (
            r#"{"a":[[1]]}"#,
            "a: a value must be a string, a number, true, false, null or an operator, not an array at line 1, column 7",
        ),
        (r#"{"a":[1,]}"#, "invalid JSON: expected a value but found ']' at line 1, column 9"),
        (r#"{"a":[01]}"#, "invalid JSON: expected ',' or ']' but found '1' at line 1, column 8"),
        (r#"{"a":[nul]}"#, "invalid JSON: expected a value but found ']' at line 1, column 10"),
        (r#"{"a":["x}"#, "invalid JSON: expected '\"' but found the end at line 1, column 10"),
        (r#"{"a":["\x"]}"#, "invalid JSON: expected an escape but found 'x' at line 1, column 9"),
        (
            "{\"a\":[\"\t\"]}",
            "invalid JSON: expected an escape for a control character but found '\\t' at line 1, column 8",
        ),
        (r#"{"a":[{"regex":"x"}]}"#, "a: unknown operator \"regex\" at line 1, column 8"),
        (r#"{"a":[{"prefix":"x","suffix":"y"}]}"#, "a: more than one operator in one object at line 1, column 21"),
        (r#"{"a":[{"prefix":5}]}"#, "a: \"prefix\" must be a string, not a number at line 1, column 17"),
        (r#"{"a":[{"prefix":["x"]}]}"#, "a: \"prefix\" must be a string, not an array at line 1, column 17"),
        (r#"{"a":[{"suffix":{"prefix":"x"}}]}"#, "a: \"suffix\" takes no operator \"prefix\" at line 1, column 18"),
        (
            r#"{"a":[{"wildcard":"a**b"}]}"#,
            "a: two stars in a row in the wildcard, at its character 2 at line 1, column 19",
        ),
        (
            r#"{"a":[{"wildcard":"\\a"}]}"#,
            "a: only \\* and \\\\ are escapes in a wildcard, unlike that at its character 1 at line 1, column 19",
        ),
        (r#"{"a":[{"exists":"true"}]}"#, "a: \"exists\" must be true or false, not a string at line 1, column 17"),
        (r#"{"a":[{"cidr":"10.0.0.1/32"}]}"#, "a: \"cidr\" must have less than 32 bits at line 1, column 15"),
        (r#"{"a":[{"cidr":"::1/128"}]}"#, "a: \"cidr\" must have less than 128 bits at line 1, column 15"),
        (
            r#"{"a":[{"cidr":"10.0.0.1"}]}"#,
            "a: \"cidr\" must be an address, '/' and a number of bits at line 1, column 15",
        ),
        (r#"{"a":[{"cidr":"x/8"}]}"#, "a: \"cidr\" has no IPv4 or IPv6 address before the '/' at line 1, column 15"),
        (r#"{"a":[{"numeric":5}]}"#, "a: \"numeric\" must be an array, not a number at line 1, column 18"),
        (r#"{"a":[{"numeric":[]}]}"#, "a: empty array: expected at least one value at line 1, column 18"),
        (
            r#"{"a":[{"numeric":[5]}]}"#,
            "a: a comparison of \"numeric\" must be a string, not a number at line 1, column 19",
        ),
        (
            r#"{"a":[{"numeric":["!=",5]}]}"#,
            "a: \"numeric\" expected '=', '<', '<=', '>' or '>=' but found \"!=\" at line 1, column 19",
        ),
        (
            r#"{"a":[{"numeric":["=","5"]}]}"#,
            "a: the value of a comparison in \"numeric\" must be a number, not a string at line 1, column 23",
        ),
        (r#"{"a":[{"numeric":["="]}]}"#, "a: \"numeric\" has no number after \"=\" at line 1, column 19"),
        (r#"{"a":[{"numeric":[">",0,"<"]}]}"#, "a: \"numeric\" has no number after \"<\" at line 1, column 25"),
        (
            r#"{"a":[{"numeric":["=",5,"=",6]}]}"#,
            "a: \"numeric\" goes on after its last comparison at line 1, column 25",
        ),
        (
            r#"{"a":[{"numeric":[">",0,">",1]}]}"#,
            "a: \"numeric\" expected '<' or '<=' but found \">\" at line 1, column 25",
        ),
        (
            r#"{"a":[{"numeric":[">",5,"<",1]}]}"#,
            "a: the lower end of the range of \"numeric\" must be below the upper one at line 1, column 25",
        ),
        (
            r#"{"a":[{"numeric":[">=",5,"<=",5]}]}"#,
            "a: the lower end of the range of \"numeric\" must be below the upper one at line 1, column 26",
        ),
        (
            r#"{"a":[{"numeric":["=",12345678901234567890]}]}"#,
            "a: cannot compare the number 12345678901234567890: a double does not hold all of its digits at \
             line 1, column 23",
        ),
        (
            r#"{"a":[{"anything-but":true}]}"#,
            "a: a value of \"anything-but\" must be a string or a number, not a boolean at line 1, column 23",
        ),
        (r#"{"a":[{"anything-but":[]}]}"#, "a: empty array: expected at least one value at line 1, column 23"),
        (
            r#"{"a":[{"anything-but":["x",5]}]}"#,
            "a: the array of \"anything-but\" must be all strings or all numbers at line 1, column 23",
        ),
        (
            r#"{"a":[{"anything-but":{"numeric":["=",1]}}]}"#,
            "a: \"anything-but\" takes no operator \"numeric\" at line 1, column 24",
        ),
        (
            r#"{"a":[{"anything-but":{"prefix":""}}]}"#,
            "a: the prefixes and suffixes of \"anything-but\" must not be empty at line 1, column 33",
        ),
        (r#"{"$or":{"a":["x"]}}"#, "\"$or\" must be an array, not an object at line 1, column 8"),
        (r#"{"d":{"$or":[{"a":["x"]}]}}"#, "d: \"$or\" must have at least two objects at line 1, column 13"),
        (r#"{"$or":[{"a":["x"]},"b"]}"#, "an element of \"$or\" must be an object, not a string at line 1, column 21"),
        (r#"{"$or":[{"a":["x"]},{}]}"#, "empty object: expected a field or an operator at line 1, column 21"),
        (
            r#"{"$or":[{"d":{"prefix":["x"]}},{"b":["y"]}]}"#,
            "d: \"prefix\" is the name of an operator and cannot be a field inside of \"$or\" at line 1, column 15",
        ),
    ] {
        assert_eq!(refusal(pattern).to_string(), message, "{pattern}");
    }
    let long = "x.".repeat(1_000_000);
    for pattern in [
        format!(r#"{{"a":[{{"{long}":1}}]}}"#),
        format!(r#"{{"{long}":1}}"#),
        format!(r#"{{"a":[{{"numeric":["{long}",1]}}]}}"#),
    ] {
        assert!(refusal(&pattern).to_string().len() < 300, "no message has all of a long text");
    }
    let Refused(findings) = refusal("{\n \"a\": {\"b\": 5}}").into();
    let found: Vec<_> = findings.iter().map(|error| (error.code, error.path.as_str(), error.position)).collect();
    assert_eq!(found, [("wrong-type", "a.b", Some((2, 13)))]);
}

#[test]
fn what_costs_too_much_is_refused() {
    let nested = |depth: usize| "{\"a\":".repeat(depth) + "[1]" + &"}".repeat(depth);
    assert!(Pattern::read(&nested(256)).is_ok());
    assert_eq!(*refusal(&nested(257)).kind(), PatternErrorKind::TooDeep(256));
    assert_eq!(*refusal(&nested(100_000)).kind(), PatternErrorKind::TooDeep(256));
    assert_eq!(*refusal(&format!("{{\"{}\":[1]}}", ".".repeat(256))).kind(), PatternErrorKind::TooDeep(256));
    assert_eq!(*refusal(&"{\"$or\":[".repeat(100_000)).kind(), PatternErrorKind::TooDeep(256));
    let or = |count: usize| format!("\"$or\":[{}]", vec!["{\"a\":[1]}"; count].join(","));
    assert!(Pattern::read(&format!("{{{}}}", or(1000))).is_ok());
    assert_eq!(*refusal(&format!("{{{}}}", or(1001))).kind(), PatternErrorKind::TooManyCombinations(1000));
    assert_eq!(
        *refusal(&format!("{{{}}}", vec![or(2); 30].join(","))).kind(),
        PatternErrorKind::TooManyCombinations(1000)
    );
    let fields = |count: usize| {
        format!("{{{}}}", (0..count).map(|name| format!("\"f{name}\":[1]")).collect::<Vec<_>>().join(","))
    };
    assert!(Pattern::read(&fields(256)).is_ok());
    assert_eq!(*refusal(&fields(257)).kind(), PatternErrorKind::TooManyFields(256));
    let long = format!(
        "{{\"a\":[\"{}\"],\"$or\":[{{\"b\":[1]}},{{\"b\":[2]}},{{\"b\":[3]}},{{\"b\":[4]}},{{\"b\":[5]}}]}}",
        "x".repeat(15 << 20)
    );
    assert_eq!(*refusal(&long).kind(), PatternErrorKind::TooManyCombinations(4));
    assert_eq!(*refusal(&" ".repeat((16 << 20) + 1)).kind(), PatternErrorKind::TooLong(16 << 20));
}

#[test]
fn ten_thousand_alternatives() {
    let list: Vec<_> = (0..10_000).map(|number| format!("\"name{number}\"")).collect();
    let pattern = format!("{{\"a\":[{}]}}", list.join(","));
    assert!(matches(&pattern, r#"{"a":"name9999"}"#));
    assert!(!matches(&pattern, r#"{"a":"name10000"}"#));
}

#[test]
fn a_wildcard_of_many_stars() {
    let pattern = format!("{{\"a\":[{{\"wildcard\":\"{}b\"}}]}}", "*a".repeat(1000));
    assert!(!matches(&pattern, &format!("{{\"a\":\"{}\"}}", "a".repeat(100_000))));
    assert!(matches(&pattern, &format!("{{\"a\":\"{}b\"}}", "a".repeat(100_000))));
}

#[test]
fn the_normal_form() {
    for (pattern, normal) in [
        (r#" { "b" : [ 1.0 , "\u0041\n" ] , "a" : { "c" : [ null ] } } "#, r#"{"a":{"c":[null]},"b":[1.0,"A\n"]}"#),
        (r#"{"a.b":["x"],"a":{"c":[true]}}"#, r#"{"a":{"b":["x"],"c":[true]}}"#),
        (r#"{"a":["x"],"a.b":["y"]}"#, r#"{"a":["x"],"a.b":["y"]}"#),
        (r#"{"a":["x"],"a":["y"]}"#, r#"{"a":["y"]}"#),
        (r#"{"c":["z"],"$or":[{"a":["x"]},{"b":["y"]}]}"#, r#"{"$or":[{"a":["x"]},{"b":["y"]}],"c":["z"]}"#),
        (r#"{"a":["x"],"$or":[{"a":["y"]},{"b":["z"]}]}"#, r#"{"$or":[{"a":["y"]},{"a":["x"],"b":["z"]}]}"#),
        (r#"{"d":{"$or":[{"e":["1"]},{"f":["2"]}]}}"#, r#"{"$or":[{"d":{"e":["1"]}},{"d":{"f":["2"]}}]}"#),
        // Inside of $or no key can be an operator: such names stay joined there, or are moved outside.
        (r#"{"$or":[{"a.=.b":["x"]},{"c.=":["y"]}]}"#, r#"{"$or":[{"a":{"=.b":["x"]}},{"c.=":["y"]}]}"#),
        (r#"{"a.=":["x"]}"#, r#"{"a":{"=":["x"]}}"#),
        (
            r#"{"$or":[{"a":["x"]},{"b":["y"]}],"a":["z"],"=":["w"]}"#,
            r#"{"$or":[{"a":["z"]},{"a":["z"],"b":["y"]}],"=":["w"]}"#,
        ),
        (
            concat!(
                r#"{"a":[{"anything-but":["x"]},{"anything-but":{"prefix":["p","q"]}},{"numeric":[">",0,"#,
                r#""<=",5]},{"numeric":["=",5]},{"exists":false}]}"#
            ),
            concat!(
                r#"{"a":[{"anything-but":"x"},{"anything-but":{"prefix":["p","q"]}},{"numeric":[">",0,"#,
                r#""<=",5]},{"numeric":["=",5]},{"exists":false}]}"#
            ),
        ),
        (
            concat!(
                r#"{"a":[{"prefix":{"equals-ignore-case":"P"}},{"suffix":"s"},{"wildcard":"a\\*"},"#,
                r#"{"cidr":"10.0.0.0/8"},"10.0.0.1",{"exactly":"e"}]}"#
            ),
            concat!(
                r#"{"a":[{"prefix":{"equals-ignore-case":"P"}},{"suffix":"s"},{"wildcard":"a\\*"},"#,
                r#"{"cidr":"10.0.0.0/8"},"10.0.0.1",{"exactly":"e"}]}"#
            ),
        ),
    ] {
        assert_eq!(Pattern::read(pattern).expect("a pattern").to_string(), normal, "{pattern}");
    }
}

#[test]
fn what_is_not_met_is_explained() {
    let pattern =
        Pattern::read(r#"{"source":["aws.s3"],"detail":{"eventName":["PutObject"],"errorCode":[{"exists":false}]}}"#)
            .expect("a pattern");
    let record = concat!(
        r#"{"eventTime":"2023-07-10T11:42:36Z","eventSource":"s3.amazonaws.com","#,
        r#""eventName":"PutObject","errorCode":"AccessDenied"}"#,
    );
    let unmet = Single::new(&pattern.compile(None)).explain(record.as_bytes()).expect("a record");
    let unmet: Vec<_> = unmet.into_iter().map(|unmet| (unmet.condition, unmet.found)).collect();
    assert_eq!(unmet, [(r#"detail.errorCode: [{"exists":false}]"#.to_owned(), vec![r#""AccessDenied""#.to_owned()])]);
}

#[test]
fn what_surprises() {
    let long = format!(r#"{{"a":["{}"]}}"#, "x".repeat(4096));
    for (pattern, expected) in [
        (r#"{"source":["aws.s3"],"detail":{"eventName":[{"wildcard":"Put*"}]}}"#, &[][..]),
        (&long, &[("", "too-long"), ("a", "no-envelope")]),
        (r#"{"detail":{"a":["x"],"b":["y"],"a":["z"]}}"#, &[("detail.a", "replaced")]),
        (
            r#"{"detail":{"eventName":["Put*",{"anything-but":"x"},{"anything-but":"y"}]}}"#,
            &[("detail.eventName", "plain-star"), ("detail.eventName", "always-met")],
        ),
        (
            r#"{"version":["1"],"resources":["x",{"exists":true}],"detail":{"eventContext":{"x":[1]}}}"#,
            &[("detail.eventContext.x", "never-met"), ("resources", "never-met"), ("version", "never-met")],
        ),
        (r#"{"version":["0"],"resources":["x",{"exists":false}]}"#, &[]),
        (
            r#"{"source":["s3.amazonaws.com"],"detail":{"eventSource":["aws.s3"]}}"#,
            &[("detail.eventSource", "service"), ("source", "service")],
        ),
        (
            r#"{"detail-type":["AWS API Call via CloudTrail","EC2 Instance State-change Notification"]}"#,
            &[("detail-type", "detail-type")],
        ),
        (r#"{"detail":{"$or":[{"a":["*"]},{"a":["*"]}]}}"#, &[("detail.a", "plain-star")]),
        (
            r#"{"detail":{"a":["x"]},"resources":{"type":["y"]}}"#,
            &[("detail.a", "never-met"), ("resources.type", "no-envelope")],
        ),
        (r#"{"source":["aws.s3"],"eventName":["x"]}"#, &[("eventName", "no-envelope"), ("source", "never-met")]),
        (r#"{"source":[{"exists":false}],"eventName":["x"]}"#, &[("eventName", "no-envelope")]),
    ] {
        let findings = Pattern::read(pattern).expect("a pattern").check(None);
        let found: Vec<_> = findings.iter().map(|finding| (finding.path.as_str(), finding.code)).collect();
        assert_eq!(found, expected, "{pattern}");
        assert!(findings.iter().all(|finding| !finding.message.contains('\n')));
    }
}

/// The verdicts of AWS's own matcher on patterns and events, if they are available.
#[test]
fn as_aws_matches() {
    let Ok(folder) = std::env::var("CTFAST_SPEC_VECTORS") else {
        return; // The verdicts are not part of this project.
    };
    let text =
        std::fs::read_to_string(File::new(&folder).join("event_pattern_cases.json")).expect("a file of verdicts");
    let cases: Json = serde_json::from_str(&text).expect("JSON");
    let cases = cases["cases"].as_array().expect("a list of cases");
    assert!(!cases.is_empty());
    for case in cases {
        let [pattern, event] = ["pattern_text", "event_text"].map(|key| case[key].as_str().expect("a text"));
        match case["match"].as_bool() {
            Some(expected) => assert_eq!(matches(pattern, event), expected, "{pattern} on {event}"),
            None => drop(refusal(pattern)),
        }
    }
}
