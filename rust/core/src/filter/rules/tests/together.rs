//! Rules of all three languages in one matcher, over consecutive records, give the same results as each rule alone.

use super::*;
use crate::filter::metric::FilterPattern;
use crate::filter::pattern::Pattern;
use crate::filter::selector::{EventSelectors, Target, Unknown};
use crate::testing::Window;

const PATTERNS: [&str; 14] = [
    r#"{ $.eventName = "GetObject" }"#,
    "{ $.eventName = Get* || $.errorCode NOT EXISTS }",
    "{ $.* = %^s3% }",
    "{ $.*.bucketName = b && $.readOnly IS TRUE }",
    r#"{ $.resources[*].ARN = "*b/x" }"#,
    "{ $.resources[0].type != AWS::S3::Bucket }",
    "{ $.requestParameters.list[1] IS NULL || $.awsRegion = %^$% }",
    "{ $.requestParameters.items[*].k >= 2 }",
    "{ $.userIdentity.* = x && $.unknown.deep[*] = 1 }",
    "Object -Bucket",
    "?kms ?x",
    r"%\d{3}%",
    "[..., last = *Bucket*]",
    "",
];

const SELECTORS: [&str; 6] = [
    r#"[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}]"#,
    concat!(
        r#"[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","#,
        r#""Equals":["AWS::S3::Object"]},{"Field":"resources.ARN","NotEndsWith":["y"]}]}]"#
    ),
    concat!(
        r#"[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","#,
        r#""Equals":["AWS::S3::Object"]},{"Field":"resources.ARN","StartsWith":["arn:aws:s3:::b/"]},"#,
        r#"{"Field":"readOnly","Equals":["true"]}]}]"#
    ),
    concat!(
        r#"[{"FieldSelectors":[{"Field":"eventCategory","Equals":["NetworkActivity"]},"#,
        r#"{"Field":"eventSource","Equals":["kms.amazonaws.com"]}]}]"#
    ),
    concat!(
        r#"[{"ReadWriteType":"WriteOnly","IncludeManagementEvents":true,"#,
        r#""ExcludeManagementEventSources":["kms.amazonaws.com"]}]"#
    ),
    r#"[{"IncludeManagementEvents":false,"DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3"]}]}]"#,
];

const EVENT_PATTERNS: [&str; 6] = [
    r#"{"detail":{"eventName":["GetObject","Decrypt"]}}"#,
    r#"{"source":["aws.s3"],"detail-type":[{"prefix":"AWS API"}]}"#,
    r#"{"detail":{"resources":{"type":["AWS::S3::Object"],"ARN":[{"suffix":"/x"}]},"errorCode":[{"exists":false}]}}"#,
    r#"{"eventName":[{"anything-but":"Decrypt"}]}"#,
    r#"{"detail":{"requestParameters":{"items":{"k":[{"numeric":[">",1]}]}}}}"#,
    r#"{"$or":[{"account":["1"]},{"region":[{"wildcard":"eu-*"}]}]}"#,
];

const RECORDS: [&str; 9] = [
    concat!(
        r#"{"eventName":"GetObject","eventSource":"s3.amazonaws.com","readOnly":true,"#,
        r#""eventCategory":"Data","requestParameters":{"bucketName":"b","key":"x"},"#,
        r#""resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/x"},{"type":"AWS::S3::Bucket","#,
        r#""ARN":"arn:aws:s3:::b"}]}"#
    ),
    concat!(
        r#"{"eventName":"PutObject","eventSource":"s3.amazonaws.com","readOnly":false,"#,
        r#""managementEvent":false,"requestParameters":{"bucketName":"b","key":"y","items":[{"k":1},"#,
        r#"{"k":3}]},"resources":[{"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"}]}"#
    ),
    concat!(
        r#"{"eventName":"GetObject","eventSource":"s3.amazonaws.com","managementEvent":false,"#,
        r#""awsRegion":"eu-west-1","requestParameters":{"bucketName":"b","key":"x"}}"#
    ),
    concat!(
        r#"{"eventName":"Decrypt","eventSource":"kms.amazonaws.com","readOnly":"true","#,
        r#""managementEvent":true,"errorCode":"AccessDenied"}"#
    ),
    concat!(
        r#"{"eventName":"Decrypt","eventSource":"kms.amazonaws.com","eventType":"AwsVpceEvents","#,
        r#""recipientAccountId":"1","errorCode":null}"#
    ),
    concat!(
        r#"{"eventName":"RunInstances","eventSource":"ec2.amazonaws.com","readOnly":false,"#,
        r#""eventCategory":"Management","awsRegion":"","userIdentity":{"type":"x"},"#,
        r#""unknown":{"deep":[0,1]}}"#
    ),
    concat!(
        r#"{"eventName":"RunInstances","readOnly":true,"readOnly":false,"eventVersion":"1.08","#,
        r#""requestParameters":{"list":[1,null]},"a":"s3"}"#
    ),
    r#"{"insightDetails":{"x":123},"eventName":"x"}"#,
    "{}",
];

/// Each of the conditions above as a predicate on records.
fn conditions() -> Vec<(&'static str, Predicate)> {
    let patterns = PATTERNS.map(|text| (text, FilterPattern::read(text).expect(text).predicate(true)));
    let selectors =
        SELECTORS.map(|text| (text, EventSelectors::read(text, Target::Either).expect(text).predicate(Unknown::Write)));
    let events = EVENT_PATTERNS.map(|text| (text, Pattern::read(text).expect(text).compile(None).record));
    patterns.into_iter().chain(selectors).chain(events).collect()
}

fn hits(matcher: &mut Matcher, wanted: Wanted, text: &str) -> Vec<u32> {
    let window = Window::new(text);
    let mut cursor = window.cursor();
    let mut record = Record::new();
    let whole = record.read(&mut cursor, wanted).expect("an object");
    matcher.hits(&record, None, whole, &cursor).to_vec()
}

#[test]
fn the_conditions_tell_the_records_apart() {
    for (text, predicate) in conditions().into_iter().filter(|(text, _)| !text.is_empty()) {
        let met = RECORDS.iter().filter(|record| record_matches(&predicate, record)).count();
        assert!((1..RECORDS.len()).contains(&met), "{text} is met by {met}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn rules_of_all_languages_say_what_each_says_alone(
        chosen in vec(0..26usize, 1..8),
        order in vec(0..RECORDS.len(), 1..12),
    ) {
        let all = conditions();
        let rules = Arc::new(Rules::new(chosen.iter().map(|&rule| (String::new(), all[rule].1.clone()))));
        let mut matcher = Matcher::new(Arc::clone(&rules));
        for text in order.into_iter().map(|record| RECORDS[record]) {
            let expected: Vec<_> =
                (0..chosen.len()).filter(|&at| record_matches(&all[chosen[at]].1, text)).map(|at| at as u32).collect();
            prop_assert_eq!(hits(&mut matcher, rules.wanted(), text), expected, "{:?} on {}", chosen, text);
        }
    }
}
