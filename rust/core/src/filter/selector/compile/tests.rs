use std::slice::from_ref;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::super::{BasicSelector, DataResource, ReadWrite, Target};
use super::*;
use crate::filter::{Filter, Single};

fn single(selectors: &EventSelectors, unknown: Unknown) -> Single {
    Single::new(&Filter::on_records(selectors.predicate(unknown)))
}

fn selects(selectors: &str, record: &Value) -> bool {
    let selectors =
        EventSelectors::read(selectors, Target::Either).unwrap_or_else(|error| panic!("{selectors}: {error}"));
    single(&selectors, Unknown::Write).matches(record.to_string().as_bytes()).expect("a record")
}

/// An advanced selector with these fields, each `{"Field": …, operators}`.
fn advanced(fields: &[Value]) -> String {
    json!({ "AdvancedEventSelectors": [{ "FieldSelectors": fields }] }).to_string()
}

fn equals(field: &str, value: &str) -> Value {
    json!({ "Field": field, "Equals": [value] })
}

fn object(arn: &str) -> Value {
    json!({"eventCategory": "Data", "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "readOnly": true,
        "resources": [{"type": "AWS::S3::Object", "ARN": arn}, {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::b"}]})
}

/// "Filtering data events" in the User Guide shows a selector with every operator on the ARN.
#[test]
fn every_operator_on_an_arn() {
    let selector = advanced(&[
        equals("eventCategory", "Data"),
        equals("resources.type", "AWS::S3::Object"),
        json!({"Field": "resources.ARN", "Equals": ["arn:aws:s3:::b/object1"], "StartsWith": ["arn:aws:s3:::b/"],
            "EndsWith": ["object3"], "NotStartsWith": ["arn:aws:s3:::b/deselect"], "NotEndsWith": ["object5"],
            "NotEquals": ["arn:aws:s3:::b/object6"]}),
    ]);
    for (key, expected) in [
        ("b/object1", true),
        ("b/object2", true),
        ("b1/object3", true),
        ("b/deselectObject4", false),
        ("b/object5", false),
        ("b/object6", false),
        ("c/x", false),
    ] {
        assert_eq!(selects(&selector, &object(&format!("arn:aws:s3:::{key}"))), expected, "{key}");
    }
}

#[test]
fn management_events() {
    let decrypt = json!({"eventSource": "kms.amazonaws.com", "eventName": "Decrypt", "readOnly": true,
        "managementEvent": true, "eventCategory": "Management"});
    let describe = json!({"eventSource": "ec2.amazonaws.com", "eventName": "DescribeInstances", "readOnly": true,
        "managementEvent": true, "eventCategory": "Management"});
    let management = equals("eventCategory", "Management");
    let without_kms = json!({"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]});
    assert!(selects(&advanced(from_ref(&management)), &decrypt));
    assert!(!selects(&advanced(&[management.clone(), equals("readOnly", "false")]), &decrypt));
    assert!(!selects(&advanced(&[management.clone(), without_kms.clone()]), &decrypt));
    assert!(selects(&advanced(&[management.clone(), without_kms]), &describe));
    assert!(!selects(&advanced(from_ref(&management)), &object("arn:aws:s3:::b/x")));
    // Records of early versions do not state their category.
    assert!(selects(&advanced(from_ref(&management)), &json!({"eventName": "CreateTrail"})));
    assert!(!selects(&advanced(from_ref(&management)), &json!({"eventName": "GetObject", "managementEvent": false})));
    assert!(!selects(&advanced(from_ref(&management)), &json!({"insightDetails": {}})));
    assert!(selects(&advanced(from_ref(&management)), &json!({"eventCategory": null, "managementEvent": true})));
    assert!(!selects(&advanced(from_ref(&management)), &json!({"eventCategory": null, "managementEvent": false})));
    assert!(!selects(&advanced(from_ref(&management)), &json!({"eventCategory": "Data", "managementEvent": true})));
    assert!(!selects(&advanced(from_ref(&management)), &json!({"eventType": "AwsVpceEvents"})));
}

#[test]
fn names_of_data_events() {
    let data =
        |name: Value| advanced(&[equals("eventCategory", "Data"), equals("resources.type", "AWS::S3::Object"), name]);
    let named = |name: &str| {
        let mut record = object("arn:aws:s3:::b/x");
        record["eventName"] = json!(name);
        record
    };
    let two = data(json!({"Field": "eventName", "Equals": ["GetObject", "PutObject"]}));
    assert!(
        !selects(&two, &named("DeleteObject"))
            && selects(&two, &named("PutObject"))
            && !selects(&two, &named("getObject"))
    );
    let others = data(json!({"Field": "eventName", "NotEquals": ["GetObject"], "NotStartsWith": ["List"]}));
    assert!(!selects(&others, &named("ListObjects")) && !selects(&others, &named("GetObject")));
    assert!(selects(&others, &named("PutObject")));
    let deletions = data(json!({"Field": "eventType", "NotEquals": ["AwsServiceEvent"]}));
    let mut deletion = named("DeleteObject");
    assert!(selects(&deletions, &deletion));
    deletion["eventType"] = json!("AwsServiceEvent");
    assert!(!selects(&deletions, &deletion));
}

#[test]
fn network_activity_events() {
    let denied = advanced(&[
        equals("eventCategory", "NetworkActivity"),
        equals("eventSource", "kms.amazonaws.com"),
        equals("errorCode", "VpceAccessDenied"),
    ]);
    let list = json!({"eventCategory": "NetworkActivity", "eventSource": "kms.amazonaws.com", "eventName": "ListKeys"});
    assert!(!selects(&denied, &list));
    let mut refused = list;
    refused["errorCode"] = json!("VpceAccessDenied");
    assert!(selects(&denied, &refused));
}

#[test]
fn one_of_several_selectors_is_enough() {
    let data =
        |kind: &str| json!({"FieldSelectors": [equals("eventCategory", "Data"), equals("resources.type", kind)]});
    let both = json!({"AdvancedEventSelectors": [data("AWS::S3::Object"), data("AWS::Lambda::Function")]}).to_string();
    let invoke = json!({"eventCategory": "Data", "eventName": "Invoke",
        "resources": [{"type": "AWS::Lambda::Function", "ARN": "arn:aws:lambda:eu-west-1:111122223333:function:f"}]});
    assert!(selects(&both, &invoke) && selects(&both, &object("arn:aws:s3:::b/x")));
    assert!(!selects(&json!([data("AWS::S3::Object")]).to_string(), &invoke));
}

#[test]
fn type_and_arn_are_those_of_one_resource() {
    let on = |conditions: Value| {
        let mut arn = json!({"Field": "resources.ARN"});
        for (operator, values) in conditions.as_object().expect("operators") {
            arn[operator] = values.clone();
        }
        advanced(&[equals("eventCategory", "Data"), equals("resources.type", "AWS::S3::Object"), arn])
    };
    let event = |resources: Value| json!({"eventCategory": "Data", "resources": resources});
    let of = |kind: &str, member: &str, arn: &str| json!({"type": format!("AWS::S3::{kind}"), member: arn});
    let bucket = on(json!({"StartsWith": ["arn:aws:s3:::b"]}));
    assert!(!selects(
        &bucket,
        &event(json!([of("Object", "ARN", "arn:aws:s3:::c/x"), of("Bucket", "ARN", "arn:aws:s3:::b")]))
    ));
    assert!(selects(
        &bucket,
        &event(json!([of("Bucket", "ARN", "arn:aws:s3:::c"), of("Object", "ARN", "arn:aws:s3:::b/x")]))
    ));
    assert!(selects(&bucket, &event(json!([of("Object", "arn", "arn:aws:s3:::b/x")]))));
    // An excluded ARN excludes the event, unless it is of another type.
    let kept = on(json!({"StartsWith": ["arn:aws:s3:::b/"], "NotEndsWith": ["/y"]}));
    assert!(!selects(
        &kept,
        &event(json!([of("Object", "ARN", "arn:aws:s3:::b/x"), of("Object", "ARN", "arn:aws:s3:::b/y")]))
    ));
    assert!(selects(
        &kept,
        &event(json!([of("Object", "ARN", "arn:aws:s3:::b/x"), of("Bucket", "ARN", "arn:aws:s3:::b/y")]))
    ));
    // Without an ARN, a resource is not excluded, but a resource of the type is still required.
    let others = on(json!({"NotEndsWith": ["/y"]}));
    assert!(selects(&others, &event(json!([{"type": "AWS::S3::Object"}]))));
    assert!(!selects(&others, &event(json!([{"type": "AWS::S3::Bucket"}]))));
    assert!(!selects(&others, &event(json!(null))));
    // An event on all objects with a prefix.
    let prefix = event(json!([of("Object", "ARNPrefix", "arn:aws:s3:::b/")]));
    assert!(selects(&on(json!({"StartsWith": ["arn:aws:s3:::b/"]})), &prefix));
    assert!(!selects(&on(json!({"NotStartsWith": ["arn:aws:s3:::b/"]})), &prefix));
    assert!(!selects(&on(json!({"Equals": ["arn:aws:s3:::b/"]})), &prefix));
    assert!(!selects(&on(json!({"EndsWith": ["/"]})), &prefix));
    assert!(selects(&on(json!({"NotEquals": ["arn:aws:s3:::b/"]})), &prefix));
}

#[test]
fn what_a_record_does_not_say() {
    let management = equals("eventCategory", "Management");
    let event = json!({"eventCategory": "Management", "eventName": "x"});
    let with = |field: &str, value: Value| {
        let mut event = event.clone();
        event[field] = value;
        event
    };
    let named = |conditions: Value| advanced(&[management.clone(), conditions]);
    let arn =
        |operator: &str| named(json!({"Field": "userIdentity.arn", operator: ["arn:aws:iam::111122223333:user/u"]}));
    assert!(!selects(&arn("Equals"), &event) && selects(&arn("NotEquals"), &event));
    let by = with("userIdentity", json!({"arn": "arn:aws:iam::111122223333:user/u"}));
    assert!(selects(&arn("Equals"), &by) && !selects(&arn("NotEquals"), &by));
    let console = |operator: &str| named(json!({"Field": "sessionCredentialFromConsole", operator: ["true"]}));
    assert!(!selects(&console("Equals"), &event) && selects(&console("NotEquals"), &event));
    for says in [json!("true"), json!(true)] {
        let event = with("sessionCredentialFromConsole", says);
        assert!(selects(&console("Equals"), &event) && !selects(&console("NotEquals"), &event));
    }
    for (says, writes) in [
        (json!(null), [true, false, false]),
        (json!("maybe"), [true, false, false]),
        (json!(false), [true; 3]),
        (json!("FALSE"), [true; 3]),
        (json!(true), [false; 3]),
        (json!("True"), [false; 3]),
    ] {
        let event = with("readOnly", says.clone()).to_string();
        let says_nothing = matches!(says.as_str(), Some("maybe")) || says.is_null();
        for (unknown, writes) in [Unknown::Write, Unknown::Read, Unknown::Neither].into_iter().zip(writes) {
            let selected = |value: &str| {
                let selectors =
                    EventSelectors::read(&named(equals("readOnly", value)), Target::Trail).expect("selectors");
                single(&selectors, unknown).matches(event.as_bytes()).expect("a record")
            };
            let reads = if says_nothing { unknown == Unknown::Read } else { !writes };
            assert_eq!([selected("false"), selected("true")], [writes, reads], "{says} {unknown:?}");
        }
    }
}

#[test]
fn early_records_of_objects() {
    let all =
        r#"{"IncludeManagementEvents":false,"DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3"]}]}"#;
    let in_b = all.replace("arn:aws:s3", "arn:aws:s3:::b/");
    let mut early = json!({"eventSource": "s3.amazonaws.com", "eventName": "GetObject", "managementEvent": false,
        "awsRegion": "eu-west-1", "requestParameters": {"key": "a/x", "bucketName": "b"},
        "resources": [{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::b"}]});
    assert!(selects(all, &early) && selects(&in_b, &early) && !selects(&in_b.replace("b/", "c/"), &early));
    early["awsRegion"] = json!("cn-north-1");
    assert!(!selects(&in_b, &early) && selects(&in_b.replace("aws:s3", "aws-cn:s3"), &early));
    early["awsRegion"] = json!("us-gov-west-1");
    assert!(selects(&in_b.replace("aws:s3", "aws-us-gov:s3"), &early));
    // If an object is named as a resource, the parameters do not matter.
    early["resources"] = json!([{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::c/x"}]);
    assert!(!selects(&in_b, &early));
    early["resources"] = json!(null);
    early["requestParameters"] = json!({"bucketName": "b"});
    assert!(!selects(all, &early));
    early["requestParameters"] = json!({"bucketName": "b", "key": "k"});
    early["eventSource"] = json!("s3express.amazonaws.com");
    assert!(!selects(all, &early));
}

#[test]
fn values_of_basic_selectors() {
    let on = |kind: &str, value: &str| {
        json!({"IncludeManagementEvents": false, "DataResources": [{"Type": kind, "Values": [value]}]}).to_string()
    };
    let s3 = |value: &str| on("AWS::S3::Object", value);
    assert!(selects(&s3("arn:aws:s3:::"), &object("arn:aws:s3:::any/x")));
    assert!(selects(&s3("arn:aws:s3:::b/"), &object("arn:aws:s3:::b/x")));
    assert!(!selects(&s3("arn:aws:s3:::b/"), &object("arn:aws:s3:::b2/x")));
    assert!(selects(&s3("arn:aws-eusc:s3"), &object("arn:aws-eusc:s3:::b2/x")));
    assert!(selects(&s3("arn:aws:s3:::b/pre"), &object("arn:aws:s3:::b/prefix")));
    let event = |kind: &str, arn: &str| json!({"eventCategory": "Data", "resources": [{"type": kind, "ARN": arn}]});
    let function = |name: &str| format!("arn:aws:lambda:eu-west-1:111122223333:function:{name}");
    let hello = on("AWS::Lambda::Function", &function("helloworld"));
    assert!(selects(&hello, &event("AWS::Lambda::Function", &function("helloworld"))));
    assert!(!selects(&hello, &event("AWS::Lambda::Function", &function("helloworld2"))));
    for partition in ["aws", "aws-cn", "aws-iso-b", "aws-eusc", "aws-yet-to-come"] {
        let function = format!("arn:{partition}:lambda:eu-west-1:111122223333:function:f");
        let all = on("AWS::Lambda::Function", &format!("arn:{partition}:lambda"));
        assert!(selects(&all, &event("AWS::Lambda::Function", &function)), "{partition}");
    }
    let table = |name: &str| format!("arn:aws:dynamodb:eu-west-1:111122223333:table/{name}");
    assert!(!selects(&on("AWS::DynamoDB::Table", &table("t")), &event("AWS::DynamoDB::Table", &table("t2"))));
    assert!(selects(&on("AWS::DynamoDB::Table", "arn:aws:dynamodb"), &event("AWS::DynamoDB::Table", &table("t"))));
}

#[test]
fn why_an_event_is_not_selected() {
    let selectors = advanced(&[
        equals("eventCategory", "Management"),
        equals("readOnly", "false"),
        json!({"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}),
    ]);
    let selectors = EventSelectors::read(&selectors, Target::Trail).expect("selectors");
    let event =
        json!({"eventCategory": "Management", "readOnly": true, "eventSource": "kms.amazonaws.com"}).to_string();
    let unmet = single(&selectors, Unknown::Write).explain(event.as_bytes()).expect("a record");
    let told: Vec<_> = unmet.iter().map(|unmet| (unmet.condition.as_str(), unmet.found.join(" "))).collect();
    assert_eq!(
        told,
        [
            (r#"readOnly Equals ["false"]"#, "true".to_owned()),
            (r#"eventSource NotEquals ["kms.amazonaws.com"]"#, "\"kms.amazonaws.com\"".to_owned()),
        ]
    );
}

#[test]
fn why_a_resource_is_not_selected() {
    let selector = advanced(&[
        equals("eventCategory", "Data"),
        equals("resources.type", "AWS::S3::Object"),
        json!({"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::c/"], "NotEndsWith": ["x"]}),
    ]);
    let selectors = EventSelectors::read(&selector, Target::Trail).expect("selectors");
    let mut event = object("arn:aws:s3:::b/x");
    let why = |event: &Value| {
        let unmet = single(&selectors, Unknown::Write).explain(event.to_string().as_bytes()).expect("a record");
        unmet.into_iter().map(|unmet| (unmet.condition, unmet.found.join(" "))).collect::<Vec<_>>()
    };
    let told = why(&event);
    let conditions: Vec<_> = told.iter().map(|(condition, _)| condition.as_str()).collect();
    assert_eq!(conditions, [r#"resources.ARN StartsWith ["arn:aws:s3:::c/"]"#, r#"resources.ARN NotEndsWith ["x"]"#]);
    assert!(told[0].1.starts_with(r#""arn:aws:s3:::b/x" "arn:aws:s3:::b""#), "{told:?}");
    event["resources"] = json!([]);
    let conditions: Vec<_> = why(&event).into_iter().map(|(condition, _)| condition).collect();
    assert_eq!(
        conditions,
        [r#"resources.type Equals ["AWS::S3::Object"]"#, r#"resources.ARN StartsWith ["arn:aws:s3:::c/"]"#]
    );
}

/// Whether the conditions on one field are met: by the sentences of the User Guide.
fn passes(conditions: &[(Operator, Vec<String>)], text: Option<&str>) -> bool {
    let hit = |(operator, values): &(Operator, Vec<String>)| {
        text.is_some_and(|text| values.iter().any(|value| operator.hits(text, value)))
    };
    let mut selecting = conditions.iter().filter(|(operator, _)| operator.selects()).peekable();
    let selected = selecting.peek().is_none() || selecting.any(hit);
    selected && !conditions.iter().filter(|(operator, _)| !operator.selects()).any(hit)
}

fn conditions(values: &'static str) -> impl Strategy<Value = Vec<(Operator, Vec<String>)>> {
    vec((select(&Operator::ALL[..]), vec(values, 1..3)), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn conditions_on_names_say_what_the_guide_says(
        source in conditions("[ab]{1,2}"), name in conditions("[ab]{1,2}"),
        event_source in prop::option::of("[ab]{0,3}"), event_name in "[ab]{0,3}",
    ) {
        let fields = vec![
            FieldSelector { field: Field::EventSource, conditions: source.clone() },
            FieldSelector { field: Field::EventName, conditions: name.clone() },
        ];
        let selectors = EventSelectors::Advanced(vec![AdvancedSelector { name: None, fields }]);
        let record = json!({"eventSource": event_source, "eventName": event_name}).to_string();
        let expected = passes(&source, event_source.as_deref()) && passes(&name, Some(&event_name));
        let found = single(&selectors, Unknown::Write).matches(record.as_bytes());
        prop_assert_eq!(found, Ok(expected), "{} on {}", selectors, record);
    }

    #[test]
    fn basic_selectors_say_what_the_interface_says(
        read_write in select(&ReadWrite::ALL[..]), management: bool,
        excluded in vec(select(vec!["kms.amazonaws.com", "rdsdata.amazonaws.com"]), 0..2),
        resources in vec((
            select(vec!["AWS::S3::Object", "AWS::Lambda::Function"]),
            vec(select(vec!["arn:aws:s3", "arn:aws:s3:::b/", "arn:aws:s3:::b", "f"]), 1..3),
        ), 0..3),
        category in select(vec!["Management", "Data", "NetworkActivity", "Insight"]), read_only: bool,
        source in select(vec!["kms.amazonaws.com", "ec2.amazonaws.com"]),
        entries in vec((
            select(vec!["AWS::S3::Object", "AWS::Lambda::Function", "AWS::S3::Bucket"]),
            select(vec!["arn:aws:s3:::b/x", "arn:aws:s3:::bb/x", "f", "ff"]),
        ), 0..3),
    ) {
        let selector = BasicSelector {
            read_write,
            management,
            excluded: excluded.iter().map(ToString::to_string).collect(),
            resources: resources
                .iter()
                .map(|(kind, values)| DataResource {
                    kind: (*kind).to_owned(),
                    values: values.iter().map(ToString::to_string).collect(),
                })
                .collect(),
        };
        let entries_json: Vec<_> = entries.iter().map(|(kind, arn)| json!({"type": kind, "ARN": arn})).collect();
        let record = json!({
            "eventCategory": category, "readOnly": read_only, "eventSource": source, "resources": entries_json
        });
        let record = record.to_string();
        let right_way = match read_write {
            ReadWrite::All => true,
            ReadWrite::ReadOnly => read_only,
            ReadWrite::WriteOnly => !read_only,
        };
        let hit = |kind: &str, value: &str, arn: &str| match kind {
            // A value without a bucket means all objects, whatever their ARNs.
            "AWS::S3::Object" => value == "arn:aws:s3" || arn.starts_with(value),
            _ => arn == value,
        };
        let expected = right_way && match category {
            "Management" => management && !excluded.contains(&source),
            "Data" => resources.iter().any(|(kind, values)| entries.iter().any(|(found, arn)| {
                kind == found && values.iter().any(|value| hit(kind, value, arn))
            })),
            _ => false,
        };
        let selectors = EventSelectors::Basic(vec![selector]);
        let found = single(&selectors, Unknown::Write).matches(record.as_bytes());
        prop_assert_eq!(found, Ok(expected), "{} on {}", selectors, record);
    }
}
