use proptest::prelude::*;

use super::*;
use crate::filter::selector::field::Category;
use crate::filter::{Finding, Refused, Severity};

fn parse(text: &str) -> EventSelectors {
    EventSelectors::read(text, Target::Either).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn findings(text: &str, target: Target) -> Vec<Finding> {
    Checked::read(text, target).map_or_else(|error| Refused::from(error).0, |checked| checked.warnings)
}

/// The findings about selectors: severity, name and place of each.
fn told(text: &str, target: Target) -> Vec<String> {
    findings(text, target)
        .iter()
        .map(|finding| format!("{} {} {}", finding.severity.name(), finding.code, finding.path))
        .collect()
}

fn refused(text: &str) -> String {
    EventSelectors::read(text, Target::Either).expect_err(text).to_string()
}

/// One advanced selector with these field selectors.
fn advanced(fields: &str) -> String {
    format!(r#"{{"AdvancedEventSelectors":[{{"FieldSelectors":[{fields}]}}]}}"#)
}

fn field(name: &str, conditions: &str) -> String {
    format!(r#"{{"Field":"{name}",{conditions}}}"#)
}

const MANAGEMENT: &str = r#"{"Field":"eventCategory","Equals":["Management"]}"#;
const DATA: &str = r#"{"Field":"eventCategory","Equals":["Data"]}"#;
const NETWORK: &str = r#"{"Field":"eventCategory","Equals":["NetworkActivity"]}"#;
const S3: &str = r#"{"Field":"resources.type","Equals":["AWS::S3::Object"]}"#;

#[test]
fn every_shape_is_read() {
    let selector = r#"{"Name":"n","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}"#;
    let normal = format!(r#"{{"AdvancedEventSelectors":[{selector}]}}"#);
    for text in [
        normal.clone(),
        format!(" [{selector}] "),
        selector.to_owned(),
        format!(
            concat!(
                r#"{{"TrailARN":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/t","#,
                r#""AdvancedEventSelectors":[{selector}]}}"#
            ),
            selector = selector
        ),
        format!(r#"{{"EventSelectors":[],"AdvancedEventSelectors":[{selector}]}}"#),
        format!(r#"{{"EventSelectors":null,"AdvancedEventSelectors":[{selector}]}}"#),
    ] {
        assert_eq!(parse(&text).to_string(), normal, "{text}");
        assert!(told(&text, Target::Trail).is_empty(), "{text}");
    }
    let selector = concat!(
        r#"{"ReadWriteType":"WriteOnly","IncludeManagementEvents":false,"#,
        r#""DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3:::b/"]}],"#,
        r#""ExcludeManagementEventSources":["kms.amazonaws.com"]}"#
    );
    let normal = format!(r#"{{"EventSelectors":[{selector}]}}"#);
    for text in [
        normal.clone(),
        format!("[{selector}]"),
        selector.to_owned(),
        format!(r#"{{"EventSelectors":[{selector}],"AdvancedEventSelectors":[]}}"#),
    ] {
        assert_eq!(parse(&text).to_string(), normal, "{text}");
    }
    let normal = concat!(
        r#"{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[],"#,
        r#""ExcludeManagementEventSources":[]}]}"#
    );
    assert_eq!(parse(r#"{"EventSelectors":[{}]}"#).to_string(), normal);
    assert_eq!(parse(r#"{"ReadWriteType":"All"}"#).to_string(), normal);
}

#[test]
fn no_selectors_select_nothing_and_are_told() {
    for text in ["[]", r#"{"EventSelectors":[]}"#, r#"{"AdvancedEventSelectors":[]}"#] {
        assert!(parse(text).to_advanced().is_empty());
        assert_eq!(told(text, Target::Trail).len(), 1, "{text}");
    }
    assert_eq!(told("[]", Target::Trail), ["warning no-selectors "]);
}

#[test]
fn what_is_no_selector_and_where() {
    for (text, message) in [
        ("", "invalid JSON: unexpected end at line 1, column 1"),
        ("{\n  \"x\": ]", "invalid JSON: expected a value but found ']' at line 2, column 8"),
        (
            "3",
            "expected EventSelectors, AdvancedEventSelectors, a list of selectors or one selector but found a number",
        ),
        (
            r#"{"AdvancedEventSelector":[]}"#,
            "expected EventSelectors, AdvancedEventSelectors, a list of selectors or one selector but found an \
             object without them",
        ),
        (r#"{"AdvancedEventSelectors":{}}"#, "AdvancedEventSelectors: expected a list but found an object"),
        (
            r#"{"AdvancedEventSelectors":[3]}"#,
            "AdvancedEventSelectors[0]: expected a selector, which is an object, but found a number",
        ),
        (
            r#"{"EventSelectors":[{}],"AdvancedEventSelectors":[{"FieldSelectors":[]}]}"#,
            "expected EventSelectors or AdvancedEventSelectors, not both: a trail uses one kind",
        ),
        (r#"[{"FieldSelectors":[]},{"ReadWriteType":"All"}]"#, "expected basic or advanced selectors, not both"),
        (r#"{"EventSelectors":[],"EventSelectors":[]}"#, "EventSelectors: this member appears twice"),
        (
            r#"[{"fieldselectors":[],"FieldSelectors":[]}]"#,
            "[0].fieldselectors: a selector has no such member, only Name, FieldSelectors; perhaps \
             \"FieldSelectors\" is meant",
        ),
        (
            r#"[{"FieldSelectors":[{"Field":"eventCategory","equals":["Data"]}]}]"#,
            "[0].FieldSelectors[0].equals: a field selector has no such member, only Field, Equals, StartsWith, \
             EndsWith, NotEquals, NotStartsWith, NotEndsWith; perhaps \"Equals\" is meant",
        ),
        (r#"[{"FieldSelectors":[{"Equals":["Data"]}]}]"#, "[0].FieldSelectors[0]: expected a Field"),
        (
            r#"[{"FieldSelectors":[{"Field":"eventCategory"}]}]"#,
            "[0].FieldSelectors[0]: expected an operator with values, such as Equals",
        ),
        (
            r#"[{"FieldSelectors":[{"Field":"eventCategory","Equals":"Data"}]}]"#,
            "[0].FieldSelectors[0].Equals: expected a list of strings but found a string",
        ),
        (
            r#"[{"FieldSelectors":[{"Field":"eventCategory","Equals":[true]}]}]"#,
            "[0].FieldSelectors[0].Equals[0]: expected a string but found a boolean",
        ),
        (
            r#"[{"FieldSelectors":[{"Field":"eventCategory","Equals":[]}]}]"#,
            "[0].FieldSelectors[0].Equals: expected at least one value",
        ),
        (
            concat!(
                r#"{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","#,
                r#""Equals":["Data"]},{"Field":"resources.arn","Equals":["x"]}]}]}"#
            ),
            "AdvancedEventSelectors[0].FieldSelectors[1].Field: expected one of eventCategory, readOnly, \
             eventSource, eventName, eventType, resources.type, resources.ARN, sessionCredentialFromConsole, \
             userIdentity.arn, errorCode, vpcEndpointId but found \"resources.arn\"; perhaps \"resources.ARN\" \
             is meant",
        ),
        (
            r#"{"ReadWriteType":"all"}"#,
            "ReadWriteType: expected one of All, ReadOnly, WriteOnly but found \"all\"; perhaps \"All\" is meant",
        ),
        (r#"{"IncludeManagementEvents":"true"}"#, "IncludeManagementEvents: expected true or false but found a string"),
        (r#"{"DataResources":[{"Type":"AWS::S3::Object"}]}"#, "DataResources[0]: expected a Type and Values"),
        (
            r#"{"DataResources":[{"Type":"AWS::S3::Bucket","Values":["arn:aws:s3:::b/"]}]}"#,
            "DataResources[0].Type: expected one of AWS::S3::Object, AWS::Lambda::Function, \
             AWS::DynamoDB::Table but found \"AWS::S3::Bucket\"",
        ),
        (
            r#"{"ExcludeManagementEventSources":["s3.amazonaws.com"]}"#,
            "ExcludeManagementEventSources[0]: expected one of kms.amazonaws.com, rdsdata.amazonaws.com but \
             found \"s3.amazonaws.com\"",
        ),
    ] {
        assert_eq!(refused(text), message, "{text}");
    }
}

#[test]
fn messages_stay_short() {
    let long = "x".repeat(100_000);
    for text in [
        format!(r#"[{{"{long}":1}}]"#),
        format!(r#"[{{"{long}":1,"{long}":1}}]"#),
        format!(r#"{{"ReadWriteType":"{long}"}}"#),
        format!(r#"{{"DataResources":[{{"Type":"{long}","Values":["{long}"]}}]}}"#),
        format!(r#"{{"ExcludeManagementEventSources":["{long}"]}}"#),
        advanced(&field(&long, r#""Equals":["x"]"#)),
        advanced(&field("eventCategory", &format!(r#""{long}":["x"],"Equals":["{long}"]"#))),
        advanced(&format!(
            "{DATA},{S3},{}",
            field("resources.ARN", &format!(r#""Equals":["{long}"],"NotStartsWith":["{long}"]"#))
        )),
        advanced(&format!("{DATA},{}", field("resources.type", &format!(r#""Equals":["{long}"]"#)))),
    ] {
        for finding in findings(&text, Target::Either) {
            assert!(finding.to_string().len() < 500, "{finding}");
        }
    }
}

#[test]
fn the_rules_of_categories() {
    let arn = field("resources.ARN", r#""StartsWith":["arn:aws:s3:::b/"]"#);
    for (fields, expected) in [
        (MANAGEMENT.to_owned(), ""),
        (field("eventCategory", r#""NotEquals":["Data"]"#), "operator FieldSelectors[0].NotEquals"),
        (field("eventCategory", r#""Equals":["Data","Management"]"#), "several-values FieldSelectors[0].Equals"),
        (field("eventCategory", r#""Equals":["data"]"#), "value FieldSelectors[0].Equals[0]"),
        (field("readOnly", r#""Equals":["true"]"#), "field-missing "),
        (format!("{MANAGEMENT},{}", field("readOnly", r#""Equals":["false"]"#)), ""),
        (format!("{MANAGEMENT},{}", field("readOnly", r#""Equals":["False"]"#)), "value FieldSelectors[1].Equals[0]"),
        (
            format!("{MANAGEMENT},{}", field("readOnly", r#""NotEquals":["true"]"#)),
            "operator FieldSelectors[1].NotEquals",
        ),
        (format!("{MANAGEMENT},{S3}"), "field FieldSelectors[1].Field"),
        (
            format!("{MANAGEMENT},{}", field("errorCode", r#""Equals":["VpceAccessDenied"]"#)),
            "field FieldSelectors[1].Field",
        ),
        (DATA.to_owned(), "field-missing "),
        (format!("{DATA},{S3},{arn}"), ""),
        (format!("{DATA},{S3},{S3}"), "field-twice FieldSelectors[2].Field"),
        (format!("{DATA},{DATA},{S3}"), "field-twice FieldSelectors[1].Field"),
        (
            format!(
                "{DATA},{S3},{},{}",
                field("eventName", r#""Equals":["x"]"#),
                field("eventName", r#""NotEquals":["y"]"#)
            ),
            "field-twice FieldSelectors[3].Field",
        ),
        (
            format!("{DATA},{}", field("resources.type", r#""NotEquals":["AWS::S3::Object"]"#)),
            "operator FieldSelectors[1].NotEquals",
        ),
        (format!("{DATA},{S3},{}", field("vpcEndpointId", r#""Equals":["vpce-1"]"#)), "field FieldSelectors[2].Field"),
        (format!("{DATA},{S3},{}", field("sessionCredentialFromConsole", r#""NotEquals":["true"]"#)), ""),
        (
            format!("{DATA},{S3},{}", field("sessionCredentialFromConsole", r#""Equals":["false"]"#)),
            "value FieldSelectors[2].Equals[0]",
        ),
        (
            format!("{DATA},{S3},{}", field("sessionCredentialFromConsole", r#""StartsWith":["true"]"#)),
            "operator FieldSelectors[2].StartsWith",
        ),
        (NETWORK.to_owned(), "field-missing "),
        (format!("{NETWORK},{}", field("eventSource", r#""Equals":["kms.amazonaws.com"]"#)), ""),
        (
            format!("{NETWORK},{}", field("eventSource", r#""Equals":["kms.amazonaws.com","s3.amazonaws.com"]"#)),
            "several-values FieldSelectors[1].Equals",
        ),
        (
            format!("{NETWORK},{}", field("eventSource", r#""NotEquals":["kms.amazonaws.com"]"#)),
            "operator FieldSelectors[1].NotEquals",
        ),
        (
            format!(
                "{NETWORK},{},{}",
                field("eventSource", r#""Equals":["kms.amazonaws.com"]"#),
                field("errorCode", r#""Equals":["AccessDenied"]"#)
            ),
            "value FieldSelectors[2].Equals[0]",
        ),
        (
            format!(
                "{NETWORK},{},{}",
                field("eventSource", r#""Equals":["kms.amazonaws.com"]"#),
                field("readOnly", r#""Equals":["true"]"#)
            ),
            "field FieldSelectors[2].Field",
        ),
    ] {
        let findings = findings(&format!(r#"{{"FieldSelectors":[{fields}]}}"#), Target::Trail);
        let errors: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
        let told: Vec<_> = errors.iter().map(|finding| format!("{} {}", finding.code, finding.path)).collect();
        assert_eq!(told.join(", "), expected, "{fields}");
    }
}

#[test]
fn trails_and_event_data_stores_take_different_fields() {
    let source = |conditions: &str| advanced(&format!("{MANAGEMENT},{}", field("eventSource", conditions)));
    let insight = advanced(&field("eventCategory", r#""Equals":["Insight"]"#));
    let more = advanced(&format!(
        "{},{}",
        field("eventCategory", r#""Equals":["Insight"]"#),
        field("eventName", r#""Equals":["x"]"#)
    ));
    let name = advanced(&format!("{MANAGEMENT},{}", field("eventName", r#""StartsWith":["Delete"]"#)));
    let six = format!("[{}]", vec![format!(r#"{{"FieldSelectors":[{MANAGEMENT}]}}"#); 6].join(","));
    for (text, trail, store, either) in [
        (source(r#""NotEquals":["kms.amazonaws.com","rdsdata.amazonaws.com"]"#), true, true, true),
        (source(r#""NotEquals":["s3.amazonaws.com"]"#), false, true, true),
        (source(r#""Equals":["s3.amazonaws.com"]"#), false, true, true),
        (insight, false, true, true),
        (more, false, false, false),
        (name, false, true, true),
        (six, true, false, true),
        (r#"{"EventSelectors":[{}]}"#.to_owned(), true, false, true),
    ] {
        for (target, expected) in [(Target::Trail, trail), (Target::EventDataStore, store), (Target::Either, either)] {
            assert_eq!(EventSelectors::read(&text, target).is_ok(), expected, "{target:?} {text}");
        }
    }
    assert_eq!(Category::of(Target::Trail).len(), 3);
}

#[test]
fn limits() {
    let values = |number: usize| vec![r#""arn:aws:s3:::b/x""#; number].join(",");
    let of = |number: usize| {
        advanced(&format!("{DATA},{S3},{}", field("resources.ARN", &format!(r#""Equals":[{}]"#, values(number)))))
    };
    assert_eq!(told(&of(498), Target::Trail), Vec::<String>::new());
    assert_eq!(told(&of(499), Target::Trail), ["error too-many-values AdvancedEventSelectors"]);

    let basic =
        |number: usize| format!(r#"{{"DataResources":[{{"Type":"AWS::S3::Object","Values":[{}]}}]}}"#, values(number));
    let two = |one: usize, other: usize| format!(r#"{{"EventSelectors":[{},{}]}}"#, basic(one), basic(other));
    assert!(told(&two(125, 125), Target::Trail).is_empty());
    assert_eq!(told(&two(125, 126), Target::Trail), ["error too-many-resources EventSelectors"]);
    let all = two(125, 125).replacen(r#""arn:aws:s3:::b/x""#, r#""arn:aws:s3","arn:aws:s3:::b/x""#, 1);
    assert!(told(&all, Target::Trail).is_empty());
    let six = format!("[{}]", ["{\"ReadWriteType\":\"All\"}"; 6].join(","));
    assert_eq!(told(&six, Target::Trail), ["error too-many-selectors "]);

    let name = |length: usize| format!(r#"{{"Name":"{}","FieldSelectors":[{MANAGEMENT}]}}"#, "é".repeat(length));
    assert!(told(&name(1000), Target::Trail).is_empty());
    assert_eq!(told(&name(1001), Target::Trail), ["error length Name"]);
    let long = |length: usize| {
        advanced(&format!("{DATA},{S3},{}", field("eventName", &format!(r#""Equals":["{}"]"#, "x".repeat(length)))))
    };
    assert!(told(&long(2048), Target::Trail).is_empty());
    for length in [0, 2049] {
        assert_eq!(
            told(&long(length), Target::Trail),
            ["error length AdvancedEventSelectors[0].FieldSelectors[2].Equals[0]"]
        );
    }
}

#[test]
fn what_surprises() {
    let arn = |conditions: &str| advanced(&format!("{DATA},{S3},{}", field("resources.ARN", conditions)));
    let kind =
        |name: &str| advanced(&format!("{DATA},{}", field("resources.type", &format!(r#""Equals":["{name}"]"#))));
    for (text, expected) in [
        (arn(r#""StartsWith":["arn:aws:s3:::b"]"#), "bucket-slash FieldSelectors[2].StartsWith[0]"),
        (arn(r#""NotStartsWith":["arn:aws:s3:::b"]"#), "bucket-slash FieldSelectors[2].NotStartsWith[0]"),
        (arn(r#""StartsWith":["arn:aws:s3:::","arn:aws:s3:::b/","ar"]"#), ""),
        (arn(r#""StartsWith":["b/"]"#), "arn FieldSelectors[2].StartsWith[0]"),
        (arn(r#""Equals":["arn:aws:s3:::b/x"]"#), ""),
        (arn(r#""Equals":["arn:aws:s3:::b"]"#), "arn FieldSelectors[2].Equals[0]"),
        (arn(r#""Equals":["b/x"]"#), "arn FieldSelectors[2].Equals[0]"),
        (arn(r#""Equals":["arn:aws:s3:::b/"]"#), "arn FieldSelectors[2].Equals[0]"),
        (arn(r#""NotEquals":["arn:aws-iso-b:s3:::b/"]"#), "arn FieldSelectors[2].NotEquals[0]"),
        (arn(r#""NotEquals":["arn:aws:s3:::b/folder/"]"#), ""),
        (arn(r#""EndsWith":["*.txt"]"#), "wildcard FieldSelectors[2].EndsWith[0]"),
        (arn(r#""EndsWith":["a?.txt"]"#), "wildcard FieldSelectors[2].EndsWith[0]"),
        (arn(r#""Equals":["arn:aws:s3:::b/x"],"NotEndsWith":["x"]"#), "contradiction FieldSelectors[2].Equals[0]"),
        (kind("AWS::S3::object"), "resource-type FieldSelectors[1].Equals[0]"),
        (kind("AWS::Quicksight::ActionConnector"), ""),
        (
            advanced(&format!(
                "{DATA},{}",
                field("resources.type", r#""Equals":["AWS::S3::Object","AWS::SNS::Topic"]"#)
            )),
            "several-values FieldSelectors[1].Equals",
        ),
        (
            advanced(&format!("{NETWORK},{}", field("eventSource", r#""Equals":["sts.amazonaws.com"]"#))),
            "network-source FieldSelectors[1].Equals[0]",
        ),
    ] {
        let expected: Vec<_> = expected
            .split(", ")
            .filter_map(|expected| expected.split_once(' '))
            .map(|(code, path)| format!("warning {code} AdvancedEventSelectors[0].{path}"))
            .collect();
        assert_eq!(told(&text, Target::Trail), expected, "{text}");
        parse(&text);
    }
    let basic = |kind: &str, value: &str| format!(r#"{{"DataResources":[{{"Type":"{kind}","Values":["{value}"]}}]}}"#);
    for (kind, value, expected) in [
        ("AWS::S3::Object", "arn:aws:s3:::b", "error bucket-slash"),
        ("AWS::S3::Object", "arn:aws:s3:::b/", ""),
        ("AWS::S3::Object", "arn:aws:s3:::b/k", ""),
        ("AWS::S3::Object", "arn:aws:s3:::", ""),
        ("AWS::S3::Object", "arn:aws-cn:s3", ""),
        ("AWS::S3::Object", "arn:aws-new:s3", ""),
        ("AWS::S3::Object", "arn:AWS:s3", "error arn"),
        ("AWS::S3::Object", "b/", "error arn"),
        ("AWS::S3::Object", "b/*", "error arn"),
        ("AWS::S3::Object", "arn:aws:s3:::*", "error arn"),
        ("AWS::S3::Object", "arn:aws:s3:::*/", "error arn"),
        ("AWS::S3::Object", "arn:aws:s3:::*/*", "error arn"),
        ("AWS::S3::Object", "arn:aws:s3:::/", "error arn"),
        ("AWS::S3::Object", "arn:aws:s3:::b*/x", "error arn"),
        ("AWS::S3::Object", "arn:aws:s3:::b/*", "warning wildcard"),
        ("AWS::S3::Object", "arn:aws:lambda", "error arn"),
        ("AWS::Lambda::Function", "arn:aws:lambda", ""),
        ("AWS::Lambda::Function", "arn:aws-eusc:lambda", ""),
        ("AWS::Lambda::Function", "arn:aws:lambda:eu-west-1:111122223333:function:f", ""),
        ("AWS::Lambda::Function", "arn:aws:lambda:eu-west-1", "error arn"),
        ("AWS::Lambda::Function", "arn:aws:lambda:*", "error arn"),
        ("AWS::Lambda::Function", "arn:aws:s3", "error arn"),
        ("AWS::DynamoDB::Table", "arn:aws:dynamodb:eu-west-1:111122223333:table/t", ""),
        ("AWS::DynamoDB::Table", "arn:aws:lambda:eu-west-1:111122223333:function:f", "error arn"),
    ] {
        let expected = match expected {
            "" => Vec::new(),
            expected => vec![format!("{expected} DataResources[0].Values[0]")],
        };
        assert_eq!(told(&basic(kind, value), Target::Trail), expected, "{value}");
    }
}

#[test]
fn a_basic_selector_may_select_nothing() {
    let text = r#"[{"ReadWriteType":"All"},{"IncludeManagementEvents":false,"ReadWriteType":"All"}]"#;
    assert_eq!(told(text, Target::Trail), ["warning nothing [1]"]);
}

#[test]
fn findings_say_what_would_be_right() {
    let message = |text: &str| findings(text, Target::Trail)[0].message.clone();
    assert_eq!(
        message(&advanced(&format!("{DATA},{}", field("resources.type", r#""Equals":["AWS::s3::object"]"#)))),
        "\"AWS::s3::object\" is not among the known resource types; perhaps \"AWS::S3::Object\" is meant"
    );
    assert_eq!(
        message(&advanced(&format!("{DATA},{S3},{}", field("resources.ARN", r#""StartsWith":["arn:aws:s3:::b"]"#)))),
        "\"arn:aws:s3:::b\" is the beginning of other buckets' names, too; \"arn:aws:s3:::b/\" is this bucket alone"
    );
    let basic = |value: &str| format!(r#"{{"DataResources":[{{"Type":"AWS::S3::Object","Values":["{value}"]}}]}}"#);
    assert_eq!(
        message(&basic("arn:aws:s3:::b")),
        "expected a slash after the bucket: \"arn:aws:s3:::b/\" is all of its objects"
    );
    assert_eq!(
        message(&basic("arn:aws-cn:s3:::*")),
        "expected a bucket and a slash, as in \"arn:aws:s3:::bucket/\", or \"arn:aws-cn:s3\" for all objects, \
         but found \"arn:aws-cn:s3:::*\""
    );
    assert_eq!(
        message(&advanced(&format!("{MANAGEMENT},{}", field("eventName", r#""Equals":["x"]"#)))),
        "eventName has no place in a trail's selectors of Management events"
    );
}

#[test]
fn basic_selectors_in_the_words_of_advanced_ones() {
    let converted = |basic: &str| EventSelectors::Advanced(parse(basic).to_advanced()).to_string();
    assert_eq!(converted(r#"{"ReadWriteType":"All"}"#), advanced(MANAGEMENT));
    let (reads, writes) = (field("readOnly", r#""Equals":["true"]"#), field("readOnly", r#""Equals":["false"]"#));
    assert_eq!(converted(r#"{"ReadWriteType":"ReadOnly"}"#), advanced(&format!("{MANAGEMENT},{reads}")));
    let excluded = field("eventSource", r#""NotEquals":["kms.amazonaws.com","rdsdata.amazonaws.com"]"#);
    assert_eq!(
        converted(concat!(
            r#"{"ExcludeManagementEventSources":["kms.amazonaws.com","rdsdata.amazonaws.com"],"#,
            r#""ReadWriteType":"WriteOnly"}"#
        )),
        advanced(&format!("{MANAGEMENT},{writes},{excluded}"))
    );
    let data = |kind: &str, values: &str| {
        converted(&format!(
            r#"{{"IncludeManagementEvents":false,"DataResources":[{{"Type":"{kind}","Values":[{values}]}}]}}"#
        ))
    };
    assert_eq!(data("AWS::S3::Object", r#""arn:aws:s3""#), advanced(&format!("{DATA},{S3}")));
    assert_eq!(data("AWS::S3::Object", r#""arn:aws:s3:::b/","arn:aws:s3:::""#), advanced(&format!("{DATA},{S3}")));
    let arns = field("resources.ARN", r#""StartsWith":["arn:aws:s3:::b/","arn:aws:s3:::c/d"]"#);
    assert_eq!(
        data("AWS::S3::Object", r#""arn:aws:s3:::b/","arn:aws:s3:::c/d""#),
        advanced(&format!("{DATA},{S3},{arns}"))
    );
    let (function, table) =
        ("arn:aws:lambda:eu-west-1:111122223333:function:f", "arn:aws:dynamodb:eu-west-1:111122223333:table/t");
    for (kind, arn) in [("AWS::Lambda::Function", function), ("AWS::DynamoDB::Table", table)] {
        let kinds = field("resources.type", &format!(r#""Equals":["{kind}"]"#));
        let arns = field("resources.ARN", &format!(r#""Equals":["{arn}"]"#));
        assert_eq!(data(kind, &format!("\"{arn}\"")), advanced(&format!("{DATA},{kinds},{arns}")));
    }
    let both = concat!(
        r#"{"DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3:::b/"]},"#,
        r#"{"Type":"AWS::Lambda::Function","Values":["arn:aws:lambda"]},{"Type":"AWS::S3::Object","#,
        r#""Values":["arn:aws:s3:::c/"]}]}"#
    );
    assert_eq!(parse(both).to_advanced().len(), 3);
    for basic in [both, r#"{"ReadWriteType":"ReadOnly"}"#] {
        assert_eq!(told(&converted(basic), Target::Trail), Vec::<String>::new());
    }
}

/// Text that looks like event selectors.
const ALMOST: &str = concat!(
    r#"(\[|\{"(AdvancedE|E)ventSelectors":\[)(\{"(FieldSelectors|DataResources|Field|Equals|Name|x)":"#,
    r#"(\[\{|\[|"[a-z]{0,3}"|null|1|,|\]|\}){0,4}){0,4}(\}|\]){0,4}"#,
);

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ALMOST) {
        let findings = findings(&text, Target::Either);
        let refused = findings.iter().any(|finding| finding.severity == Severity::Error);
        match EventSelectors::read(&text, Target::Either) {
            Ok(selectors) => {
                prop_assert!(!refused);
                prop_assert_eq!(parse(&selectors.to_string()), selectors);
            }
            Err(error) => prop_assert!(refused && !error.to_string().is_empty()),
        }
    }
}
