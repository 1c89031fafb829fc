use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::super::json::{Condition, Selector, Step, Test};
use super::*;
use crate::filter::{Filter, Single};

fn single(pattern: &str, missing_differs: bool) -> Single {
    let pattern = FilterPattern::read(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    Single::new(&pattern.compile(missing_differs))
}

fn meets(pattern: &str, record: &str) -> bool {
    single(pattern, false).matches(record.as_bytes()).expect("a record")
}

fn check(record: &str, cases: &[(&str, bool)]) {
    for (pattern, expected) in cases {
        assert_eq!(meets(pattern, record), *expected, "{pattern} on {record}");
    }
}

/// An event with a value of every kind, as in the examples of "Filter pattern syntax".
const ONE: &str = concat!(
    r#"{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],"#,
    "\n    ",
    r#""objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"ThisFlag":true,"Off":false,"#,
    r#""cluster.name":"c","#,
    "\n    ",
    r#""count":404,"small":1e-2,"zero":0,"large":9.999999999999999e22,"text":"404","flag":"true","#,
    r#""nested":{"a":{"b":"c"}},"list":[1,null],"empty":{},"none":[]}"#,
);

#[test]
fn strings_and_wildcards() {
    check(
        ONE,
        &[
            (r#"{ $.eventType = "UpdateTrail" }"#, true),
            ("{ $.eventType = UpdateTrail }", true),
            ("{ $.eventType = updateTrail }", false),
            (r#"{ $.eventType != "UpdateTrail" }"#, false),
            (r#"{ $.eventType != "CreateTrail" }"#, true),
            ("{ $.eventType = Update* }", true),
            ("{ $.eventType = *Trail }", true),
            ("{ $.eventType = *date* }", true),
            ("{ $.eventType != Update* }", false),
            (r#"{ $.eventType = "Up*Trail" }"#, false),
            (r#"{ $.eventType = "" }"#, false),
            (r#"{ $.eventType = "**" }"#, true),
            ("{ $.sourceIPAddress != 123.123.* }", true),
            ("{ $.sourceIPAddress = 111.111.* }", true),
            ("{ $.eventType = * }", true),
            (r#"{ $.eventType = "*" }"#, true),
            ("{ $.eventType != * }", false),
            ("{ $.['cluster.name'] = \"c\" }", true),
            ("{ $.cluster.name = \"c\" }", false),
            ("{ $.eventType = %Trail% }", true),
            ("{ $.eventType != %Trail% }", false),
            ("{ $.eventType = %^Trail% }", false),
        ],
    );
    check(
        r#"{"a":"Ev*ent","b":"Dele\u0074e\"\\","c\u0041":1}"#,
        &[
            ("{ $.a = Ev*ent }", true),
            (r#"{ $.b = "Delete\"\\" }"#, true),
            (r"{ $.b = %Delete\x22% }", true),
            ("{ $.cA = 1 }", true),
        ],
    );
}

#[test]
fn arrays_and_objects_are_neither_equal_nor_different() {
    check(
        ONE,
        &[
            (r#"{ $.arrayKey[0] = "value" }"#, true),
            (r#"{ $.arrayKey = "value" }"#, false),
            (r#"{ $.arrayKey != "value" }"#, false),
            ("{ $.arrayKey = * }", false),
            ("{ $.nested != 1 }", false),
            (r#"{ $.nested.a != "x" }"#, false),
            ("{ $.arrayKey[*] = %val.{2}% }", true),
            (r#"{ $.arrayKey[*] = "another value" }"#, true),
            (r#"{ $.arrayKey[*] != "value" }"#, true),
            (r#"{ $.arrayKey[*] = "x" }"#, false),
            (r#"{ $.arrayKey[2] = "value" }"#, false),
            (r#"{ $.arrayKey[2] != "value" }"#, false),
            ("{ $.eventType[0] = * }", false),
            (r#"{ $.arrayKey.* = "value" }"#, false),
            (r#"{ $.nested.a[*] = "c" }"#, true),
            ("{ $.empty[*] NOT EXISTS }", true),
            (r#"{ $[0] = "value" }"#, false),
            ("{ $.* = %111\\.111\\.111\\.1[0-9]{1,2}% }", true),
            ("{ $.* = %222% }", false),
            ("{ $.nested.* = * }", false),
            (r#"{ $.nested.*.b = "c" }"#, true),
            ("{ $.objectList[1].id = 2 }", true),
            ("{ $.objectList[0].id = 2 }", false),
            ("{ $.objectList[*].id = 2 }", true),
            ("{ $.objectList[*].id > 2 }", false),
        ],
    );
}

#[test]
fn null_flags_and_what_is_missing() {
    check(
        ONE,
        &[
            ("{ $.SomeObject IS NULL }", true),
            ("{ $.Other IS NULL }", false),
            ("{ $.eventType IS NULL }", false),
            ("{ $.Other NOT EXISTS }", true),
            ("{ $.SomeObject NOT EXISTS }", false),
            ("{ $.nested.a.b NOT EXISTS }", false),
            ("{ $.nested.x.b NOT EXISTS }", true),
            ("{ $.eventType.x NOT EXISTS }", true),
            ("{ $.objectList[5] NOT EXISTS }", true),
            ("{ $.objectList[*].x NOT EXISTS }", true),
            ("{ $.objectList[*].id NOT EXISTS }", false),
            ("{ $.none[*] NOT EXISTS }", true),
            ("{ $.SomeObject = x }", false),
            ("{ $.SomeObject != x }", false),
            ("{ $.SomeObject = * }", false),
            ("{ $.Other = x }", false),
            ("{ $.Other != x }", false),
            ("{ $.ThisFlag IS TRUE }", true),
            ("{ $.ThisFlag IS FALSE }", false),
            ("{ $.Off IS FALSE }", true),
            ("{ $.Off IS TRUE }", false),
            ("{ $.flag IS TRUE }", false),
            ("{ $.Other IS FALSE }", false),
            // Flags never pass a comparison.
            ("{ $.ThisFlag = true }", false),
            ("{ $.ThisFlag != true }", false),
            ("{ $.ThisFlag != false }", false),
            ("{ $.flag = true }", true),
            ("{ $.flag != false }", true),
            ("{ $.count != true }", true),
            (r#"{ $.ThisFlag = "true" }"#, false),
            (r#"{ $.ThisFlag != "x" }"#, false),
            (r#"{ $.flag = "true" }"#, true),
            ("{ $.ThisFlag = * }", false),
            ("{ $.ThisFlag != * }", false),
            ("{ $.list IS NULL }", true),
            ("{ $.list[*] IS NULL }", true),
            ("{ $.arrayKey IS NULL }", false),
            ("{ $.nested IS NULL }", false),
        ],
    );
}

#[test]
fn lines_that_are_no_json() {
    for (pattern, text, expected) in [
        ("{ $.a = 1 }", "not JSON", false),
        ("{ $.a NOT EXISTS }", "{broken", false),
        ("{ $.a = 1 }", r#"[{"a":1}]"#, false),
        ("ERROR", "an ERROR", true),
        ("-ERROR", "", true),
        ("", "", true),
        ("%^a+$%", "aaa", true),
        ("[w1 = ERROR, w2]", "ERROR x y", true),
        ("[w1 = ERROR, w2]", r#"{"a": 1}"#, false),
    ] {
        assert_eq!(single(pattern, false).matches(text.as_bytes()), Ok(expected), "{pattern} on {text}");
    }
    let all = |patterns: [&str; 2]| {
        let filters = patterns.map(|text| FilterPattern::read(text).expect("a pattern").compile(false));
        Filter::all(&filters)
    };
    assert_eq!(Single::new(&all(["a", "b"])).matches(b"a b"), Ok(true));
    assert_eq!(Single::new(&all(["a", "{ $.x NOT EXISTS }"]).negated()).matches(b"a b"), Ok(true));
    let unmet = single("a -b c", false).explain(b"a b").expect("a text");
    assert_eq!(unmet.iter().map(|unmet| unmet.condition.as_str()).collect::<Vec<_>>(), ["c", "-b"]);
    assert!(single("a", false).matches(b"a \xff").is_err());
}

#[test]
fn the_switch_for_what_is_missing() {
    for (pattern, expected) in [
        ("{ $.Other != x }", true),
        ("{ $.Other != * }", true),
        ("{ $.nested.x != 1 }", true),
        ("{ $.objectList[*].x != 1 }", true),
        ("{ $.eventType != UpdateTrail }", false),
        ("{ $.SomeObject != x }", false),
        ("{ $.arrayKey != x }", false),
        ("{ $.Other = x }", false),
        ("{ $.Other < 1 }", false),
        ("{ $.Other IS NULL }", false),
    ] {
        assert_eq!(single(pattern, true).matches(ONE.as_bytes()), Ok(expected), "{pattern}");
    }
}

#[test]
fn numbers() {
    check(
        ONE,
        &[
            ("{ $.count = 404 }", true),
            ("{ $.count = 404.0 }", true),
            ("{ $.count = 4.04e2 }", true),
            ("{ $.count = +404 }", true),
            ("{ $.count != 404 }", false),
            ("{ $.count != 405 }", true),
            // A string and a number are compared as strings.
            (r#"{ $.count = "404" }"#, true),
            (r#"{ $.count = "404.0" }"#, false),
            (r#"{ $.count != "404" }"#, false),
            (r#"{ $.count != "404.0" }"#, true),
            (r#"{ $.small = "1e-2" }"#, true),
            (r#"{ $.small = "0.01" }"#, false),
            ("{ $.text = 404 }", true),
            ("{ $.text = 404.0 }", false),
            ("{ $.text != 404 }", false),
            ("{ $.text != 404.0 }", true),
            ("{ $.eventType != 404 }", true),
            ("{ $.text > 1 }", false),
            (r#"{ $.text = "404" }"#, true),
            ("{ $.count = 4* }", true),
            ("{ $.count != 5* }", true),
            ("{ $.count = %^4.4$% }", true),
            ("{ $.text = 4* }", true),
            ("{ $.count = * }", true),
            ("{ $.count > 403 && $.count >= 404 && $.count < 404.5 && $.count <= 404 }", true),
            ("{ $.count > 404 }", false),
            ("{ $.count < 404 }", false),
            ("{ $.small = 10e-3 }", true),
            ("{ $.count > -1e+3 }", true),
            ("{ $.zero = -0 && $.zero >= 0 && $.zero <= 0.0 }", true),
            // Both spell the same double.
            ("{ $.large = 1e23 && $.large >= 1e23 }", true),
            ("{ $.large != 1e23 }", false),
        ],
    );
}

#[test]
fn and_binds_before_or() {
    let user = concat!(
        r#"{"user":{"id":1,"email":"John.Stiles@example.com"},"users":[{"id":2,"email":"John.Doe@example.com"},"#,
        "\n        ",
        r#"{"id":3,"email":"Jane.Doe@example.com"}],"actions":["GET","PUT","DELETE"],"#,
        r#""coordinates":[[0,1,2],[4,5,6],[7,8,9]]}"#,
    );
    check(
        user,
        &[
            (r#"{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }"#, true),
            (
                concat!(
                    r#"{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && "#,
                    r#"$.actions[2] = "nonmatch" }"#
                ),
                true,
            ),
            (
                concat!(
                    r#"{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && "#,
                    r#"$.actions[2] = "nonmatch" }"#
                ),
                false,
            ),
            (r#"{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }"#, false),
            ("{ $.coordinates[0][1] = 1 }", true),
            ("{ $.coordinates[1][*] = 6 }", true),
        ],
    );
}

/// The first three filters of the CIS AWS Foundations Benchmark.
#[test]
fn benchmark_filters() {
    let root =
        r#"{$.userIdentity.type="Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType !="AwsServiceEvent"}"#;
    let denied = r#"{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*")}"#;
    let without_mfa = concat!(
        r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && "#,
        r#"($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }"#
    );
    let login = |who: &str, mfa: &str| {
        format!(
            concat!(
                r#"{{"eventName":"ConsoleLogin","eventType":"AwsConsoleSignIn","userIdentity":{who},"#,
                r#""additionalEventData":{{"MFAUsed":"{mfa}"}},"#,
                r#""responseElements":{{"ConsoleLogin":"Success"}}}}"#
            ),
            who = who,
            mfa = mfa
        )
    };
    let (by_root, by_user) = (r#"{"type":"Root"}"#, r#"{"type":"IAMUser"}"#);
    assert!(meets(root, &login(by_root, "No")));
    assert!(!meets(root, &login(r#"{"type":"Root","invokedBy":"x.amazonaws.com"}"#, "No")));
    assert!(!meets(root, r#"{"userIdentity":{"type":"Root"},"eventType":"AwsServiceEvent"}"#));
    assert!(!meets(root, r#"{"userIdentity":{"type":"Root"}}"#));
    assert!(meets(denied, r#"{"errorCode":"Client.UnauthorizedOperation"}"#));
    assert!(meets(denied, r#"{"errorCode":"AccessDeniedException"}"#));
    assert!(!meets(denied, r#"{"eventName":"x"}"#));
    assert!(meets(without_mfa, &login(by_user, "No")));
    assert!(!meets(without_mfa, &login(by_user, "Yes")));
    assert!(!meets(without_mfa, &login(by_root, "No")));
}

#[test]
fn words_in_the_text() {
    let text = r#"{"message":"ERRORCODE 5 access denied","b":"x\u0041"}"#;
    check(
        text,
        &[
            ("", true),
            ("ERROR", true),
            ("error", false),
            ("ERROR denied", true),
            ("ERROR missing", false),
            ("\"access denied\"", true),
            ("\"denied access\"", false),
            ("?missing ?ERROR", true),
            ("?missing ?nowhere", false),
            ("ERROR ?missing", true),
            ("ERROR -denied", false),
            ("ERROR -missing", true),
            ("-missing", true),
            ("-ERROR", false),
            (r#""\"b\":""#, true),
            (r#""x\u0041""#, true),
            ("xA", false),
            ("%code%", false),
            (r"%CODE\s[0-9]%", true),
        ],
    );
}

#[test]
fn fields_of_a_record() {
    check(
        r#"{"a": "b c", "d": [1, 2]}"#,
        &[
            ("[name, ..., last]", true),
            ("[name, text, key, list]", true),
            ("[name, text = *b, ...]", true),
            ("[name, text = *b]", false),
            ("[name, text, more, key, list, last]", true),
            ("[name, text, more, key, list, last, none]", false),
            ("[]", true),
        ],
    );
}

#[test]
fn why_a_record_does_not_meet_a_pattern() {
    let mut single = single("{ $.eventType = Create* && $.count > 500 && $.Other = 1 && $.ThisFlag IS TRUE }", false);
    let unmet = single.explain(ONE.as_bytes()).expect("a record");
    let told: Vec<_> = unmet.iter().map(|unmet| (unmet.condition.as_str(), unmet.found.join(" "))).collect();
    assert_eq!(
        told,
        [
            (r#"$.eventType = "Create*""#, r#""UpdateTrail""#.to_owned()),
            ("$.count > 500", "404".to_owned()),
            ("$.Other = 1", String::new()),
        ]
    );
}

#[test]
fn why_a_text_does_not_meet_a_pattern() {
    for (pattern, expected) in [
        ("UpdateTrail \"no such\" -value -absent", vec!["\"no such\"", "-value"]),
        ("?absent ?\"no such\"", vec!["?absent ?\"no such\""]),
        ("%absent%", vec!["%absent%"]),
        ("[one = x]", vec!["[one = \"x\"]"]),
    ] {
        let unmet = single(pattern, false).explain(ONE.as_bytes()).expect("a record");
        assert_eq!(unmet.iter().map(|unmet| unmet.condition.as_str()).collect::<Vec<_>>(), expected, "{pattern}");
    }
}

/// The rules again, on `serde_json`'s values. Wildcards and regular expressions have tests of their own.
fn naive(condition: &Condition, record: &Value, missing_differs: bool) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| naive(part, record, missing_differs)),
        Condition::Any(parts) => parts.iter().any(|part| naive(part, record, missing_differs)),
        Condition::Field(Selector(steps), test) => {
            let mut found = vec![record];
            for step in steps {
                found = found
                    .into_iter()
                    .flat_map(|value| match step {
                        Step::Member(key) => value.get(key).into_iter().collect::<Vec<_>>(),
                        Step::Element(index) => value.get(*index as usize).into_iter().collect(),
                        Step::AnyMember => {
                            value.as_object().map_or_else(Vec::new, |members| members.values().collect())
                        }
                        Step::AnyElement => match value {
                            Value::Array(items) => items.iter().collect(),
                            Value::Object(members) => members.values().collect(),
                            _ => Vec::new(),
                        },
                    })
                    .collect();
            }
            let compare = |value: &Value, operator: Operator, operand: &Operand| match (operand, value) {
                (Operand::Words(words), Value::String(found)) => {
                    (words.text == *found) == (operator == Operator::Equal)
                }
                (Operand::Words(words), Value::Number(found)) => {
                    (words.text == found.to_string()) == (operator == Operator::Equal)
                }
                (Operand::Number(wanted), Value::String(found)) if !operator.is_order() => {
                    (wanted.literal == *found) == (operator == Operator::Equal)
                }
                (Operand::Number(wanted), Value::Number(found)) => {
                    let found: f64 = found.to_string().parse().expect("a number");
                    let order = found.partial_cmp(&wanted.value).expect("an order");
                    match operator {
                        Operator::Equal => order.is_eq(),
                        Operator::NotEqual => order.is_ne(),
                        Operator::Less => order.is_lt(),
                        Operator::AtMost => order.is_le(),
                        Operator::Greater => order.is_gt(),
                        Operator::AtLeast => order.is_ge(),
                    }
                }
                _ => false,
            };
            match test {
                Test::NotExists => found.is_empty(),
                Test::IsNull => found.iter().any(|value| {
                    value.is_null() || value.as_array().is_some_and(|items| items.iter().any(Value::is_null))
                }),
                Test::IsTrue => found.iter().any(|value| value.as_bool() == Some(true)),
                Test::IsFalse => found.iter().any(|value| value.as_bool() == Some(false)),
                Test::Compare(Operator::NotEqual, _) if found.is_empty() => missing_differs,
                Test::Compare(operator, operand) => found.iter().any(|value| compare(value, *operator, operand)),
            }
        }
    }
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        (-2..3i32).prop_map(|number| number.to_string()),
        Just("1.0".to_owned()),
        "\"[ab0-2]{0,1}\"",
    ];
    leaf.prop_recursive(3, 12, 3, |value| {
        prop_oneof![
            vec(value.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::btree_map("[ab]", value, 0..3).prop_map(|members| {
                let members: Vec<_> = members.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn conditions_say_what_the_rules_say(
        conditions in vec((
            r"\.[ab](\.[ab]|\[[01]\]){0,2}(|\[\*\]|\.\*)(|\.[ab])",
            prop_oneof!["(=|!=) (\"[ab0-2]{0,1}\"|a|-?[0-2])", "(<|>|<=|>=) -?[0-2]", Just("IS NULL".to_owned()),
                Just("IS TRUE".to_owned()), Just("IS FALSE".to_owned()), Just("NOT EXISTS".to_owned())],
            any::<bool>(),
        ), 1..4),
        a in json(), b in json(), missing_differs: bool,
    ) {
        let mut text = String::new();
        let mut wildcards = 0;
        for (selector, test, and) in conditions {
            wildcards += selector.matches('*').count();
            text.push_str(if text.is_empty() { "" } else if and { " && " } else { " || " });
            text.extend(["$", &selector, " ", &test]);
        }
        prop_assume!(wildcards < 4);
        let pattern = FilterPattern::read(&format!("{{{text}}}")).expect("a pattern");
        let Tree::Json(condition) = &pattern.tree else { panic!("{pattern}") };
        let record = format!("{{\"a\":{a},\"b\" : {b}}}");
        let expected = naive(condition, &serde_json::from_str(&record).expect("JSON"), missing_differs);
        let mut single = Single::new(&pattern.compile(missing_differs));
        prop_assert_eq!(single.matches(record.as_bytes()), Ok(expected), "{} on {}", pattern, record);
    }
}
