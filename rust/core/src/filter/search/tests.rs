use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::filter::Field;
use crate::fuzzing;
use crate::testing::escaped;

fn column(path: &str, test: Test) -> Predicate {
    Predicate::Column(Field::new(path, &test).expect("a column"), test)
}

fn name_is(name: &str) -> Predicate {
    column("eventName", Test::In(vec![name.to_owned()]))
}

fn rules_out(predicate: &Predicate, text: &str) -> bool {
    fuzzing::rules_out(predicate, text.as_bytes())
}

fn has_match(predicate: &Predicate, text: &str) -> bool {
    fuzzing::has_match(predicate, text.as_bytes())
}

#[test]
fn a_text_without_the_constant_is_ruled_out() {
    for text in [
        r#"{"Records":[{"eventName":"PutObject","x":"\u003d\n"}]}"#,
        r#"{"Records":[{"eventName":"PutBucket"},{"eventName":"Delete"}]}"#,
        // In the middle of a longer string, it is not a value of its own.
        r#"{"Records":[{"eventName":"BatchRemove-Queue"}]}"#,
        "",
    ] {
        assert!(rules_out(&name_is("Remove-Queu"), text), "{text}");
    }
    assert!(rules_out(&column("eventName", Test::StartsWith("Move".into())), r#"{"eventName":"ReMove"}"#));
    assert!(rules_out(&column("eventName", Test::EndsWith("Move".into())), r#"{"eventName":"Moved"}"#));
}

#[test]
fn every_spelling_of_the_constant_is_seen() {
    for text in [
        r#"{"eventName":"GetKey"}"#,
        r#"{"eventName":"\u0047etKey"}"#,
        r#"{"eventName":"GetKe\u0079"}"#,
        r#"{"Events":[{"CloudTrailEvent":"{\"eventName\":\"GetKey\"}"}]}"#,
        r#"{"Events":[{"CloudTrailEvent":"{\u0022eventName\u0022:\u0022GetKey\u0022}"}]}"#,
        r#"{"Events":[{"CloudTrailEvent":"{\"eventName\":\"\\u0047etKey\"}"}]}"#,
        r#"{"Events":[{"CloudTrailEvent":"{\"eventName\":\"\u005cu0047etKey\"}"}]}"#,
        r#"{"Events":[{"CloudTrailEvent":"{\"eventName\":\"\\\u00750047etKey\"}"}]}"#,
        r#"{"Events":[{"CloudTrailEvent":"{\"eventName\":\"\\u\u0030047etKey\"}"}]}"#,
    ] {
        assert!(has_match(&name_is("GetKey"), text), "{text}");
        assert!(!rules_out(&name_is("GetKey"), text), "{text}");
    }
}

#[test]
fn values_that_are_no_strings_have_no_quotes() {
    for (value, test) in [
        ("true", Test::In(vec!["true".into()])),
        ("true", Test::EndsWith("rue".into())),
        ("false", Test::EndsWith("alse".into())),
        ("false", Test::StartsWith("fals".into())),
        ("1200", Test::In(vec!["1200".into()])),
        ("-1.25E+300", Test::EndsWith("E+300".into())),
        ("[300]", Test::In(vec!["[300]".into()])),
    ] {
        let text = format!(r#"{{"eventName":{value},"x":1}}"#);
        assert!(has_match(&column("eventName", test.clone()), &text), "{value} {test:?}");
        assert!(!rules_out(&column("eventName", test.clone()), &text), "{value} {test:?}");
    }
}

#[test]
fn only_what_is_needed_is_searched() {
    let contains = |part: &str| column("requestParameters", Test::Contains(part.to_owned()));
    for needless in [
        Predicate::Any(vec![name_is("DeleteBucket"), column("eventName", Test::IsNull)]),
        Predicate::Any(Vec::new()),
        Predicate::Not(Box::new(name_is("DeleteBucket"))),
        column("eventName", Test::NotEqual("DeleteBucket".into())),
        column("eventName", Test::IsNull),
        Predicate::All(Vec::new()),
        contains(""),
    ] {
        assert!(Search::new(&needless).is_none(), "{needless:?}");
    }
    let both = Predicate::All(vec![contains("abc"), Predicate::All(vec![contains("abcde"), contains("abcd")])]);
    assert!(rules_out(&both, "abc abcd"));
    assert!(!rules_out(&both, "abcde"));
}

#[test]
fn what_has_more_than_one_spelling_is_searched_under_its_key() {
    for name in ["ab", "a/b", "é", "a\nb"] {
        let text = format!("{{\"eventName\":{}}}", serde_json::Value::from(name));
        assert!(!rules_out(&name_is(name), &text), "{text}");
        assert!(rules_out(&name_is(name), r#"{"eventName":"other","requestID":"ab"}"#), "{name}");
    }
    // A value that may be anything is not ruled out.
    for value in ["[\"ab\"]", "12", "{}", "\"a\\/b\""] {
        assert!(!rules_out(&name_is("xy"), &format!("{{\"eventName\":{value}}}")), "{value}");
    }
    assert!(rules_out(&name_is("xy"), r#"{"eventName":null,"eventNames":["xy"],"a":"eventName"}"#));
    assert!(rules_out(&name_is("xy"), r#"{"Events":[{"CloudTrailEvent":"{\"eventName\": \"yx\",\"a\":\"xy\"}"}]}"#));
    assert!(!rules_out(&name_is("xy"), r#"{"Events":[{"CloudTrailEvent":"{\"eventName\": \"xy\"}"}]}"#));
    assert!(!rules_out(&name_is("xy"), r#"{"Events":[{"CloudTrailEvent":"{\"eventName\":\n \"yx\"}"}]}"#));
}

#[test]
fn one_of_many_constants_will_do() {
    let names = ["CreatePolicy", "CreatePolicyVersion", "DeletePolicy", "PutPolicy"];
    let of_columns = column("eventName", Test::In(names.map(str::to_owned).to_vec()));
    let of_values = Predicate::Any(
        names
            .iter()
            .map(|name| {
                let test = ValueTest::Text(TextTest::one_of([*name]));
                Predicate::value(Path::keys(["eventName"]), test, "")
            })
            .collect(),
    );
    for predicate in [of_columns, of_values] {
        for name in names {
            assert!(!rules_out(&predicate, &format!(r#"{{"eventName":"{name}"}}"#)), "{name}");
        }
        for other in ["CreatePolicyVersions", "CreatePolic", "XPutPolicy", "PutPolicyX"] {
            assert!(rules_out(&predicate, &format!(r#"{{"eventName":"{other}"}}"#)), "{other}");
        }
    }
    let starts = |start: &str| column("eventName", Test::StartsWith(start.to_owned()));
    let mixed =
        Predicate::Any(vec![starts("Create"), name_is("CreatePolicy"), name_is("DeletePolicy"), name_is("PutPolicy")]);
    assert!(!rules_out(&mixed, r#"{"eventName":"CreatePolicyX"}"#));
    assert!(rules_out(&mixed, r#"{"eventName":"DeletePolicyX"}"#));
}

const PATHS: [&str; 3] = ["eventName", "requestParameters", "userIdentity.arn"];

fn needle() -> impl Strategy<Value = String> {
    let telling = vec!["true", "rue", "alse", "false", "fal", "123", "2.5", "1e5", "{ a", "[0]", "u0041"];
    prop_oneof![3 => "[a-eB0u.-]{3,5}", 1 => "[ab/é]{1,2}", 1 => select(telling).prop_map(str::to_owned)]
}

fn predicate(needle: String) -> impl Strategy<Value = Predicate> {
    let test = select(vec![
        Test::In(vec![needle.clone()]),
        Test::In(vec![needle.clone(), "other".into()]),
        Test::StartsWith(needle.clone()),
        Test::EndsWith(needle.clone()),
        Test::Contains(needle),
    ]);
    let one = (select(PATHS.to_vec()), test).prop_map(|(path, test)| column(path, test));
    let parts = vec(one.clone(), 0..5);
    prop_oneof![3 => one, 1 => parts.clone().prop_map(Predicate::All), 2 => parts.prop_map(Predicate::Any)]
}

/// How to spell the characters of a string: mostly plainly.
fn spelling() -> impl Strategy<Value = Vec<u8>> {
    let mostly_plain = vec(prop_oneof![9 => Just(0u8), 1 => any::<u8>()], 60);
    prop_oneof![2 => Just(Vec::new()), 2 => mostly_plain, 1 => vec(any::<u8>(), 60)]
}

/// A value that contains the needle, in any spelling.
fn value(needle: &str) -> BoxedStrategy<String> {
    let around = || select(vec!["", "", "", "x", " ", "\"", "\\"]);
    let quoted = (around(), around(), spelling()).prop_map({
        let needle = needle.to_owned();
        move |(before, after, spelling)| format!("\"{}\"", escaped(&format!("{before}{needle}{after}"), &spelling))
    });
    let quoted = quoted.boxed();
    let number = if needle.parse::<f64>().is_ok() && needle.as_bytes()[0] != b'0' {
        needle.trim_matches('.').to_owned()
    } else {
        "1230".to_owned()
    };
    prop_oneof![
        5 => quoted.clone(),
        1 => select(vec![number, "true".to_owned(), "false".to_owned()]),
        1 => quoted.prop_map(|inside| format!("{{ \"a\":[{inside}]}}")),
        1 => Just("[0]".to_owned()),
    ]
    .boxed()
}

/// A file of one record that may contain the needle: bare, in `Records` or in a string.
fn file(needle: &str) -> BoxedStrategy<String> {
    let values = [value(needle), value("zzz"), value(needle)];
    let record = values.prop_map(|[one, two, three]| {
        format!("{{\"eventName\":{one},\"requestParameters\":{two},\"userIdentity\":{{\"arn\":{three}}}}}")
    });
    (record, spelling(), 0..3u8)
        .prop_map(|(record, mut spelling, shape)| match shape {
            0 => record,
            1 => format!("{{\"Records\":[{record}]}}"),
            _ => {
                spelling = spelling.into_iter().cycle().take(1000).collect();
                format!("{{\"Events\":[{{\"CloudTrailEvent\":\"{}\"}}]}}", escaped(&record, &spelling))
            }
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn what_is_ruled_out_has_no_match(
        (text, predicate) in needle().prop_flat_map(|needle| (file(&needle), predicate(needle))),
    ) {
        prop_assert!(!rules_out(&predicate, &text) || !has_match(&predicate, &text), "{:?} on {}", predicate, text);
    }
}
