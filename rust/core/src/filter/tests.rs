use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::event::Record;
use crate::scalar::timestamp;
use crate::schema::{COLUMNS, Kind};
use crate::testing::{Model, Window, decoded, record, text_of};

/// The result of the predicate for a record, for which only the necessary values are noted.
fn matches(predicate: &Predicate, text: &str) -> bool {
    let window = Window::new(text);
    let mut cursor = window.cursor();
    let mut record = Record::new();
    let rules = Arc::new(Rules::one(predicate.clone()));
    let whole = record.read(&mut cursor, rules.wanted()).expect("a record");
    Matcher::new(rules).matches(&record, None, whole, &cursor)
}

fn column(path: &str, test: Test) -> Predicate {
    Predicate::Column(Field::new(path, &test).expect("a column that can be tested so"), test)
}

/// The expected result, by `serde_json` and the definition of [`Test`].
fn naive(predicate: &Predicate, json: &str, model: &Model) -> bool {
    let (field, test) = match predicate {
        Predicate::All(parts) => return parts.iter().all(|part| naive(part, json, model)),
        Predicate::Any(parts) => return parts.iter().any(|part| naive(part, json, model)),
        Predicate::Column(field, test) => (field, test),
        _ => unreachable!("no sketch has others"),
    };
    let column = &COLUMNS[field.0 as usize];
    let value = model.get(json, column.path).filter(|value| *value != "null");
    let string = value.filter(|value| value.starts_with('"')).map(decoded);
    let is_null = match column.kind {
        Kind::Time => {
            let time = string.and_then(|(time, _)| timestamp(time.as_bytes()));
            if let Test::Between(from, to) = test {
                return time.is_some_and(|time| *from <= time && time <= *to);
            }
            time.is_none()
        }
        Kind::Flag => {
            let word = string.map(|(word, _)| word.to_lowercase()).or(value.map(str::to_owned));
            let flag = word.and_then(|word| word.parse::<bool>().ok());
            if let Test::Is(wanted) = test {
                return flag == Some(*wanted);
            }
            flag.is_none()
        }
        _ => value.is_none(),
    };
    let words = match column.kind {
        Kind::Text => value.and_then(text_of).map(String::from),
        _ => value.map(str::to_owned),
    };
    match (test, words) {
        (Test::IsNull, _) => is_null,
        (Test::IsNotNull, _) => !is_null,
        (Test::In(constants), Some(words)) => constants.contains(&words),
        (Test::NotEqual(constant), Some(words)) => *constant != words,
        (Test::StartsWith(part), Some(words)) => words.starts_with(part),
        (Test::EndsWith(part), Some(words)) => words.ends_with(part),
        (Test::Contains(part), Some(words)) => words.contains(part),
        (
            Test::Is(_)
            | Test::Between(..)
            | Test::In(_)
            | Test::NotEqual(_)
            | Test::StartsWith(_)
            | Test::EndsWith(_)
            | Test::Contains(_),
            _,
        ) => false,
    }
}

#[test]
fn each_test_on_a_value_on_a_null_and_on_a_value_of_another_type() {
    let text = concat!(
        r#"{"eventName":"Dele\u0074eBucket","errorCode":null,"errorMessage":[1, "x"],"readOnly":"TRUE","#,
        r#""managementEvent":"yes","#,
        "\n        ",
        r#""eventTime":"2023-07-10T11:42:36Z","requestParameters":{"a" : "\u0041"},"#,
        r#""userIdentity":{"sessionContext":{"attributes":{"mfaAuthenticated":"\ud800x"}}}}"#,
    );
    let texts = |texts: &[&str]| Test::In(texts.iter().map(ToString::to_string).collect());
    let noon = 1_688_989_356_000_000;
    for (path, test, expected) in [
        ("eventName", texts(&["x", "DeleteBucket"]), true),
        ("eventName", texts(&[]), false),
        ("eventName", texts(&["Dele\\u0074eBucket"]), false),
        ("eventName", Test::NotEqual("DeleteBucket".into()), false),
        ("eventName", Test::NotEqual("deleteBucket".into()), true),
        ("eventName", Test::StartsWith("Delete".into()), true),
        ("eventName", Test::StartsWith("DeleteBucket!".into()), false),
        ("eventName", Test::EndsWith("teBucket".into()), true),
        ("eventName", Test::EndsWith(String::new()), true),
        ("eventName", Test::Contains("teBu".into()), true),
        ("eventName", Test::Contains("u0074".into()), false),
        ("eventName", Test::IsNull, false),
        ("eventName", Test::IsNotNull, true),
        ("errorCode", Test::IsNull, true),
        ("errorCode", Test::IsNotNull, false),
        ("errorCode", Test::NotEqual("x".into()), false),
        ("errorCode", Test::Contains(String::new()), false),
        ("awsRegion", Test::IsNull, true),
        ("awsRegion", texts(&[""]), false),
        ("errorMessage", texts(&["[1, \"x\"]"]), true),
        ("readOnly", Test::Is(true), true),
        ("readOnly", Test::Is(false), false),
        ("managementEvent", Test::Is(true), false),
        ("managementEvent", Test::Is(false), false),
        ("managementEvent", Test::IsNull, true),
        ("eventTime", Test::Between(noon, noon), true),
        ("eventTime", Test::Between(noon + 1, i64::MAX), false),
        ("eventTime", Test::Between(i64::MIN, noon - 1), false),
        ("eventTime", Test::IsNotNull, true),
        ("requestParameters", texts(&["{\"a\" : \"\\u0041\"}"]), true),
        ("requestParameters", Test::Contains("A".into()), false),
        ("userIdentity.sessionContext.attributes.mfaAuthenticated", texts(&["\u{fffd}x"]), true),
        ("userIdentity.sessionContext.sessionIssuer.arn", Test::IsNull, true),
    ] {
        assert_eq!(matches(&column(path, test.clone()), text), expected, "{path} {test:?}");
    }
}

#[test]
fn only_columns_with_a_value_of_their_own_can_be_tested() {
    for path in ["userIdentity", "resources", "resources[].ARN", "extra", "raw", "file", "record", "nothing"] {
        assert!(Field::new(path, &Test::IsNull).is_none(), "{path}");
    }
    assert!(Field::new("eventName", &Test::Is(true)).is_none());
    assert!(Field::new("eventName", &Test::Between(0, 1)).is_none());
    assert!(Field::new("eventTime", &Test::In(Vec::new())).is_none());
    assert!(Field::new("readOnly", &Test::Contains(String::new())).is_none());
}

/// A predicate whose constants are still to be chosen among the values of a record.
#[derive(Debug, Clone)]
enum Sketch {
    All(Vec<Sketch>),
    Any(Vec<Sketch>),
    Column { column: Index, test: u8, constant: Index, from: Index, to: Index },
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let column = any::<(Index, u8, Index, Index, Index)>()
        .prop_map(|(column, test, constant, from, to)| Sketch::Column { column, test, constant, from, to });
    column.prop_recursive(2, 6, 3, |part| {
        prop_oneof![vec(part.clone(), 0..3).prop_map(Sketch::All), vec(part, 0..3).prop_map(Sketch::Any)]
    })
}

impl Sketch {
    fn predicate(&self, json: &str, model: &Model) -> Predicate {
        let (column, test, constant, from, to) = match self {
            Self::All(parts) => return Predicate::All(parts.iter().map(|part| part.predicate(json, model)).collect()),
            Self::Any(parts) => return Predicate::Any(parts.iter().map(|part| part.predicate(json, model)).collect()),
            Self::Column { column, test, constant, from, to } => (column, test, constant, from, to),
        };
        // Mostly a column that the record has.
        let present: Vec<_> = model
            .values
            .iter()
            .map(|(path, _)| *path)
            .chain(["eventName", "readOnly", "eventTime", "userIdentity.arn"])
            .collect();
        let path = *column.get(&present);
        let values: Vec<_> = model
            .values
            .iter()
            .map(|(_, place)| &json[place.clone()])
            .filter_map(text_of)
            .chain(["".into(), "é".into()])
            .collect();
        let own = model.get(json, path).and_then(text_of).map_or_else(String::new, String::from);
        let words = if test % 4 == 0 { constant.get(&values).clone().into_owned() } else { own };
        let mut ends = [from, to].map(|end| {
            words
                .char_indices()
                .map(|(at, _)| at)
                .chain([words.len()])
                .nth(end.index(words.chars().count() + 1))
                .expect("a place")
        });
        ends.sort_unstable();
        let part = words[ends[0]..ends[1]].to_owned();
        let time = timestamp(words.as_bytes()).unwrap_or(0);
        let tests = [
            Test::In(vec!["x".into(), words.clone()]),
            Test::NotEqual(words.clone()),
            Test::StartsWith(words[..ends[1]].to_owned()),
            Test::EndsWith(words[ends[0]..].to_owned()),
            Test::Contains(part),
            Test::Is(constant.index(2) == 0),
            Test::Between(time - from.index(2) as i64, time + to.index(3) as i64 - 1),
            Test::IsNull,
            Test::IsNotNull,
        ];
        let fitting = tests
            .into_iter()
            .cycle()
            .skip(usize::from(test / 4) % 9)
            .take(9)
            .find_map(|test| Some((Field::new(path, &test)?, test)));
        fitting.map_or_else(|| Predicate::All(Vec::new()), |(field, test)| Predicate::Column(field, test))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn predicates_say_what_serde_json_and_their_words_say(text in record(), sketch in sketch()) {
        let model = Model::of(&text);
        let predicate = sketch.predicate(&text, &model);
        prop_assert_eq!(matches(&predicate, &text), naive(&predicate, &text, &model), "{:?} on {}", predicate, text);
    }
}
