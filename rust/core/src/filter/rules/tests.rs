mod indexed;
mod together;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value as Json;

use super::*;
use crate::filter::{Derived, Filter, Kind, Path, Single, Slot, Step, TextTest, ValueTest};

/// The result for a document of a filter whose paths begin at its top.
fn document_matches(predicate: &Predicate, text: &str) -> bool {
    let filter = Filter { record: Predicate::Always(false), document: Some(predicate.clone()), text: None };
    Single::new(&filter).matches(text.as_bytes()).expect("an object")
}

/// A filter that treats any object as a record.
fn on_any(predicate: Predicate) -> Filter {
    Filter { text: Some(predicate.clone()), ..Filter::on_records(predicate) }
}

/// The result for a record.
fn record_matches(predicate: &Predicate, text: &str) -> bool {
    Single::new(&on_any(predicate.clone())).matches(text.as_bytes()).expect("an object")
}

fn is_text(text: &str) -> ValueTest {
    ValueTest::Text(TextTest::one_of([text]))
}

/// A leaf of a document: its keys, its value, and for each array around it the array's place in the document and the
/// element.
type Leaf = (Vec<String>, Json, Vec<(String, usize)>);

fn flatten(value: &Json, keys: &[String], arrays: &[(String, usize)], place: &str, leaves: &mut Vec<Leaf>) {
    match value {
        Json::Object(members) => {
            for (key, member) in members {
                let keys = [keys, std::slice::from_ref(key)].concat();
                flatten(member, &keys, arrays, &format!("{place}/{key}"), leaves);
            }
        }
        Json::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                let own = (element.is_object() || element.is_array()).then(|| (place.to_owned(), index));
                let arrays: Vec<_> = arrays.iter().cloned().chain(own).collect();
                flatten(element, keys, &arrays, &format!("{place}/{index}"), leaves);
            }
        }
        _ => leaves.push((keys.to_vec(), value.clone(), arrays.to_vec())),
    }
}

/// Every way to choose, one after another.
fn naive(slots: &[(Vec<String>, Option<String>, bool)], leaves: &[Leaf], chosen: &[(String, usize)]) -> bool {
    let Some(((keys, wanted, or_absent), rest)) = slots.split_first() else { return true };
    let agrees = |arrays: &[(String, usize)]| {
        arrays.iter().all(|(array, index)| chosen.iter().all(|(other, chosen)| other != array || chosen == index))
    };
    let mut there = leaves.iter().filter(|(path, _, arrays)| path == keys && agrees(arrays)).peekable();
    if *or_absent && there.peek().is_none() && naive(rest, leaves, chosen) {
        return true;
    }
    there.any(|(_, value, arrays)| {
        wanted.as_ref().is_some_and(|wanted| value.as_str() == Some(wanted))
            && naive(rest, leaves, &[chosen, arrays].concat())
    })
}

/// Documents with few keys and values, so that paths often find something.
fn document() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![select(&["x", "y"][..]).prop_map(Json::from), Just(Json::Null), Just(Json::from(1))];
    let value = leaf.prop_recursive(4, 24, 3, |value| {
        prop_oneof![
            vec(value.clone(), 0..4).prop_map(Json::from),
            vec((select(&["a", "b", "eventName"][..]), value), 0..4)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    });
    vec((select(&["a", "b", "userIdentity", "eventName"][..]), value), 0..5)
        .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

type Sketch = (Vec<&'static str>, Option<&'static str>, bool);

fn slots() -> impl Strategy<Value = Vec<Sketch>> {
    let path = vec(select(&["a", "b", "userIdentity", "eventName"][..]), 1..4);
    let slot = (path, proptest::option::weighted(0.8, select(&["x", "y"][..])), proptest::bool::weighted(0.3));
    vec(slot.prop_filter("a slot asks for something", |(_, wanted, or_absent)| wanted.is_some() || *or_absent), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn values_of_one_element_by_brute_force(document in document(), sketch in slots()) {
        let text = document.to_string();
        let mut leaves = Vec::new();
        flatten(&document, &[], &[], "", &mut leaves);
        let owned: Vec<_> = sketch
            .iter()
            .map(|(keys, wanted, or_absent)| {
                (keys.iter().map(ToString::to_string).collect::<Vec<_>>(), wanted.map(str::to_owned), *or_absent)
            })
            .collect();
        let expected = naive(&owned, &leaves, &[]);
        let slots = sketch.into_iter().map(|(keys, wanted, or_absent)| Slot {
            path: Path::keys_through_arrays(keys),
            test: wanted.map(is_text),
            or_absent,
            label: String::new(),
        });
        let predicate = Predicate::Values(slots.collect());
        prop_assert_eq!(record_matches(&predicate, &text), expected, "as a record: {:?} on {}", predicate, text);
        let rule = Filter { record: Predicate::Always(false), document: Some(predicate.clone()), text: None };
        if document.get("userIdentity").is_none() && document.get("eventName").is_none() {
            let found = Single::new(&rule).matches(text.as_bytes()).expect("an object");
            prop_assert_eq!(found, expected, "{:?} on {}", predicate, text);
        }
    }

    #[test]
    fn many_rules_say_what_each_says_alone(document in document(), sketches in vec(slots(), 1..12)) {
        let text = document.to_string();
        let predicates: Vec<_> = sketches
            .into_iter()
            .map(|sketch| {
                let parts = sketch.into_iter().map(|(keys, wanted, _)| {
                    let test = wanted.map_or(ValueTest::Kind(Kind::LEAVES), is_text);
                    Predicate::value(Path::keys_through_arrays(keys), test, "")
                });
                Predicate::All(parts.collect())
            })
            .collect();
        let met = (0..predicates.len()).filter(|&rule| record_matches(&predicates[rule], &text));
        let expected: Vec<_> = met.map(|rule| rule as u32).collect();
        let rules = Arc::new(Rules::new(predicates.into_iter().map(|predicate| (String::new(), predicate))));
        let window = crate::testing::Window::new(&text);
        let mut record = Record::new();
        let mut cursor = window.cursor();
        let whole = record.read(&mut cursor, rules.wanted()).expect("an object");
        let mut matcher = Matcher::new(rules);
        prop_assert_eq!(matcher.hits(&record, None, whole, &cursor), expected, "{}", text);
    }
}

#[test]
fn steps_name_elements_and_members() {
    let text =
        r#"{"users":[{"id":1,"tags":["a","b"]},{"id":2}],"grid":[[1,2],[3,4]],"o":{"k":"v","k2":"w"},"c.d":"e"}"#;
    let key = |name: &str| Step::Key(name.to_owned());
    let at = |steps: Vec<Step>, test: ValueTest| {
        let predicate = Predicate::value(Path::Steps { steps, through_arrays: false }, test, "");
        (document_matches(&predicate, text), record_matches(&predicate, text))
    };
    let equal = |number: &str| ValueTest::Number(super::super::NumberTest::Written(number.to_owned()));
    assert_eq!(at(vec![key("users"), Step::Index(1), key("id")], equal("2")), (true, true));
    assert_eq!(at(vec![key("users"), Step::Index(0), key("id")], equal("2")), (false, false));
    assert_eq!(at(vec![key("users"), Step::Index(2), key("id")], equal("2")), (false, false));
    assert_eq!(at(vec![key("users"), key("id")], equal("2")), (false, false));
    assert_eq!(at(vec![key("users"), Step::Elements, key("tags"), Step::Elements], is_text("b")), (true, true));
    assert_eq!(at(vec![key("grid"), Step::Index(1), Step::Index(0)], equal("3")), (true, true));
    assert_eq!(at(vec![key("o"), Step::Members], is_text("w")), (true, true));
    assert_eq!(at(vec![Step::Members], is_text("e")), (true, true));
    assert_eq!(at(vec![Step::Members, key("k")], is_text("v")), (true, true));
    assert_eq!(at(vec![key("c.d")], is_text("e")), (true, true));
    assert_eq!(at(vec![key("users")], ValueTest::Kind(&[Kind::Array])), (true, true));
    assert_eq!(at(vec![key("o")], ValueTest::Kind(&[Kind::Object])), (true, true));
}

#[test]
fn the_last_of_duplicate_keys_counts() {
    let text = r#"{"eventName":"x","requestParameters":{"a":"x","\u0061":"y"},"z":"x","z":["y"],"eventName":"y"}"#;
    for keys in [vec!["eventName"], vec!["requestParameters", "a"], vec!["z"]] {
        let path = Path::keys_through_arrays(keys);
        assert!(record_matches(&Predicate::value(path.clone(), is_text("y"), ""), text), "{path:?}");
        assert!(!record_matches(&Predicate::value(path.clone(), is_text("x"), ""), text), "{path:?}");
    }
}

#[test]
fn what_follows_from_other_fields() {
    let category = |text: &str, expected: &str| {
        assert!(
            record_matches(&Predicate::value(Path::Derived(Derived::Category), is_text(expected), ""), text),
            "{text}"
        );
    };
    category(r#"{"eventCategory":"Data","managementEvent":true}"#, "Data");
    category(r#"{"managementEvent":"False"}"#, "Data");
    category(r#"{"managementEvent":"f\u0061lse"}"#, "Data");
    category(r#"{"managementEvent":true}"#, "Management");
    category(r#"{"eventName":"RunInstances"}"#, "Management");
    category(r#"{"eventType":"AwsCloudTrailInsight"}"#, "Insight");
    category(r#"{"insightDetails":{}}"#, "Insight");
    category(r#"{"eventType":"AwsVpceEvent","managementEvent":true}"#, "NetworkActivity");
    category(r#"{"resources":[{"type":"AWS::S3::Object"}]}"#, "Data");
    category(r#"{"resources":[null,{"t\u0079pe":"AWS::S3::Obj\u0065ct"}],"managementEvent":null}"#, "Data");
    category(r#"{"resources":[{"type":"AWS::S3::Object","type":"AWS::S3::Bucket"}]}"#, "Management");
    category(r#"{"resources":[{"ARN":"AWS::S3::Object"}],"eventName":"Invoke"}"#, "Management");
    category(r#"{"resources":{"type":"AWS::S3::Object"}}"#, "Management");
    category(r#"{"eventSource":"lambda.amazonaws.com","eventName":"Invoke"}"#, "Data");
    let derived = |derived, text: &str, expected: &str| {
        assert!(record_matches(&Predicate::value(Path::Derived(derived), is_text(expected), ""), text), "{text}");
    };
    derived(Derived::Source, r#"{"eventSource":"ec2.amazonaws.com"}"#, "aws.ec2");
    derived(Derived::Source, r#"{"eventSource":"s3.amazonaws.com.cn"}"#, "aws.s3");
    derived(Derived::DetailType, r#"{"eventType":"AwsConsoleSignIn"}"#, "AWS Console Signin via CloudTrail");
    derived(Derived::DetailType, r#"{"eventType":"AwsConsoleSignIn"}"#, "AWS Console Sign In via CloudTrail");
    derived(
        Derived::DetailType,
        r#"{"eventType":"AwsApiCall","eventSource":"signin.amazonaws.com"}"#,
        "AWS Console Sign In via CloudTrail",
    );
    derived(Derived::DetailType, "{}", "AWS API Call via CloudTrail");
}

#[test]
fn what_is_derived_stands_beside_what_may_stand_anywhere() {
    let any_member =
        Predicate::value(Path::Steps { steps: vec![Step::Members], through_arrays: false }, is_text("x"), "");
    let management = Predicate::value(Path::Derived(Derived::Category), is_text("Management"), "");
    let either = Predicate::Any(vec![any_member, management]);
    let mut single = Single::new(&on_any(either));
    let mut says = |text: &str| single.matches(text.as_bytes()).expect("an object");
    assert!(says(r#"{"eventName":"y"}"#));
    // Nothing is left from the previous record.
    assert!(!says(r#"{"eventName":"y","managementEvent":false}"#));
    assert!(says(r#"{"eventName":"x","managementEvent":false}"#));
}

#[test]
fn ways_to_choose_do_not_multiply() {
    // Ten arrays of a hundred elements each: 100^10 ways, none of which matches.
    let keys: Vec<String> = (0..10).map(|key| format!("k{key}")).collect();
    let members: Vec<_> =
        keys.iter().map(|key| format!(r#""{key}":[{}]"#, vec![r#"{"a":"x"}"#; 100].join(","))).collect();
    let text = format!("{{{},\"last\":[{{\"a\":\"x\",\"b\":\"n\"}},{{\"a\":\"n\",\"b\":\"y\"}}]}}", members.join(","));
    let mut slots: Vec<_> =
        keys.iter().map(|key| Slot::new(Path::keys_through_arrays([key.as_str(), "a"]), is_text("x"), "")).collect();
    for (key, value) in [("a", "x"), ("b", "y")] {
        slots.push(Slot::new(Path::keys_through_arrays(["last", key]), is_text(value), ""));
    }
    assert!(!document_matches(&Predicate::Values(slots), &text));
    // The same with two values that bind an element of each array before the next array.
    let pairs = keys
        .iter()
        .flat_map(|key| ["a", "a"].map(|member| [key.as_str(), member]))
        .chain([["last", "a"], ["last", "b"]]);
    let slots = pairs.map(|[key, member]| {
        let value = if member == "b" { "y" } else { "x" };
        Slot::new(Path::keys_through_arrays([key, member]), is_text(value), "")
    });
    assert!(!document_matches(&Predicate::Values(slots.collect()), &text));
}

#[test]
fn many_elements_are_not_compared_with_each_other() {
    // Each of 200,000 elements has one of two values that are required in the same element.
    let text = format!(r#"{{"d":[{}]}}"#, vec![r#"{"a":"x"},{"b":"y"}"#; 100_000].join(","));
    let slots = ["a", "b"]
        .map(|key| Slot::new(Path::keys_through_arrays(["d", key]), is_text(if key == "a" { "x" } else { "y" }), ""));
    assert!(!document_matches(&Predicate::Values(slots.to_vec()), &text));
    assert!(document_matches(&Predicate::Values(slots.to_vec()), &text.replacen("\"x\"", "\"x\",\"b\":\"y\"", 1)));
}

#[test]
fn a_failure_is_explained() {
    let slot =
        |keys: &[&str], text: &str, label: &str| Slot::new(Path::keys(keys.iter().copied()), is_text(text), label);
    let predicate = Predicate::All(vec![
        Predicate::Values(vec![slot(&["eventName"], "DeleteTrail", "eventName = DeleteTrail")]),
        Predicate::Values(vec![slot(&["eventSource"], "s3", "eventSource = s3")]),
        Predicate::Not(Box::new(Predicate::Values(vec![slot(&["awsRegion"], "us-east-1", "awsRegion = us-east-1")]))),
    ]);
    let unmet = Single::new(&on_any(predicate))
        .explain(br#"{"eventName":"DeleteBucket","eventSource":"s3","awsRegion":"us-east-1"}"#)
        .expect("an object");
    let unmet: Vec<_> = unmet.into_iter().map(|unmet| (unmet.condition, unmet.found)).collect();
    assert_eq!(
        unmet,
        [
            ("eventName = DeleteTrail".to_owned(), vec!["\"DeleteBucket\"".to_owned()]),
            ("not (awsRegion = us-east-1)".to_owned(), vec!["\"us-east-1\"".to_owned()]),
        ]
    );
}

#[test]
fn what_stands_in_an_array_of_an_array_is_in_no_element_of_it() {
    let text = r#"{"a":[[{"a":"x"},"x"],["y"]]}"#;
    let slot =
        |keys: &[&str], text: &str| Slot::new(Path::keys_through_arrays(keys.iter().copied()), is_text(text), "");
    assert!(document_matches(&Predicate::Values(vec![slot(&["a", "a"], "x"), slot(&["a"], "x")]), text));
    assert!(!document_matches(&Predicate::Values(vec![slot(&["a", "a"], "x"), slot(&["a"], "y")]), text));
}

#[test]
fn what_stands_beside_a_path_changes_nothing() {
    // At the top of a record, keys with dots are not joined; a path through all members still walks there.
    let text = r#"{"eventVersion":"1.08","userIdentity.arn":"y"}"#;
    let joined = Predicate::value(Path::keys_through_arrays(["userIdentity", "arn"]), is_text("y"), "");
    let any = Path::Steps { steps: vec![Step::Members], through_arrays: false };
    for neighbour in ["x", "y"] {
        let both = Predicate::All(vec![Predicate::value(any.clone(), is_text(neighbour), ""), joined.clone()]);
        assert!(!record_matches(&both, text), "{neighbour}");
        let either = Predicate::Any(vec![Predicate::value(any.clone(), is_text(neighbour), ""), joined.clone()]);
        assert_eq!(record_matches(&either, text), neighbour == "y");
    }
    assert!(!record_matches(&joined, text));
}

#[test]
fn nothing_is_left_of_the_record_before() {
    let any = Path::Steps { steps: vec![Step::Members], through_arrays: false };
    // Without a string to be filed under, the rule is evaluated for each record.
    let category =
        Predicate::value(Path::Derived(Derived::Category), ValueTest::Text(TextTest::Prefix((*b"Data").into())), "");
    let parts = vec![Predicate::value(any, is_text("x"), ""), category];
    let mut single = Single::new(&on_any(Predicate::All(parts)));
    let (data, management) = (br#"{"a":"x","eventCategory":"Data"}"#, br#"{"a":"x","eventCategory":"Management"}"#);
    for _ in 0..2 {
        assert_eq!(single.matches(data), Ok(true));
        assert_eq!(single.matches(management), Ok(false));
    }
}
