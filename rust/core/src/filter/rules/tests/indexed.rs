//! Rules by the index, against each of them alone and without one.

use proptest::option::weighted;

use super::*;
use crate::filter::address::Block;
use crate::filter::{Glob, NumberTest};

const PLACES: [&[&str]; 5] =
    [&["eventName"], &["errorCode"], &["userIdentity", "type"], &["userIdentity", "a"], &["requestParameters", "a"]];

fn test() -> impl Strategy<Value = ValueTest> {
    let string = |test| Just(ValueTest::Text(test));
    let texts = || vec(select(&["x", "y", "1", "10.0.0.1"][..]), 1..3).prop_map(TextTest::one_of);
    let test = prop_oneof![
        4 => texts().prop_map(ValueTest::Text),
        1 => texts().prop_map(ValueTest::Written),
        1 => string(TextTest::Prefix((*b"10").into())),
        1 => string(TextTest::containing(b"0.0")),
        1 => string(TextTest::Glob(Glob::new(["", "0", "1"]))),
        1 => string(TextTest::Addresses(Block::parse("10.0.0.0/24").expect("a block"))),
        1 => Just(ValueTest::Number(NumberTest::Written("1".to_owned()))),
        1 => Just(ValueTest::Kind(Kind::LEAVES)),
        1 => Just(ValueTest::Kind(&[Kind::Null, Kind::Object])),
    ];
    test.prop_recursive(1, 4, 3, |test| {
        prop_oneof![
            vec(test.clone(), 1..3).prop_map(ValueTest::Any),
            vec(test.clone(), 1..3).prop_map(ValueTest::All),
            test.prop_map(|test| ValueTest::Not(Box::new(test))),
        ]
    })
}

fn rule() -> impl Strategy<Value = Predicate> {
    let path = prop_oneof![
        6 => (select(&PLACES[..]), proptest::bool::ANY).prop_map(|(keys, through_arrays)| {
            let steps = keys.iter().map(|key| Step::Key((*key).to_owned())).collect();
            Path::Steps { steps, through_arrays }
        }),
        1 => Just(Path::Derived(Derived::Source)),
    ];
    let slot = (path, weighted(0.8, test()), proptest::bool::weighted(0.3));
    let slot = slot.prop_map(|(path, test, or_absent)| {
        let or_absent = or_absent || test.is_none();
        Slot { path, test, or_absent, label: String::new() }
    });
    let values = vec(slot, 1..4).prop_map(Predicate::Values);
    values.prop_recursive(2, 24, 10, |part| {
        prop_oneof![
            vec(part.clone(), 1..4).prop_map(Predicate::All),
            vec(part.clone(), 1..12).prop_map(Predicate::any),
            part.clone().prop_map(|part| Predicate::Not(Box::new(part))),
            part.prop_map(|part| Predicate::Condition(String::new(), Box::new(part))),
        ]
    })
}

fn record() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        4 => select(&["x", "y", "1", "10.0.0.1", "10.0.0.77"][..]).prop_map(Json::from),
        1 => Just(Json::from(1)),
        1 => Just(Json::Null),
    ];
    let value = leaf.prop_recursive(2, 8, 3, |value| {
        let keys = select(&["a", "type"][..]).prop_map(str::to_owned);
        prop_oneof![
            vec(value.clone(), 0..3).prop_map(Json::from),
            vec((keys, value), 0..3).prop_map(|members| members.into_iter().collect()),
        ]
    });
    let keys = select(&["eventName", "errorCode", "userIdentity", "requestParameters", "eventSource"][..]);
    vec((keys.prop_map(str::to_owned), value), 0..5).prop_map(|members| members.into_iter().collect())
}

/// The same, without what is compiled to an index.
fn plain(predicate: &Predicate) -> Predicate {
    match predicate {
        Predicate::All(parts) => Predicate::All(parts.iter().map(plain).collect()),
        Predicate::Any(parts) => {
            let none = Predicate::Always(false);
            parts.iter().map(plain).fold(none, |before, part| Predicate::Any(vec![before, part]))
        }
        Predicate::Not(part) => Predicate::Not(Box::new(plain(part))),
        Predicate::Condition(words, part) => Predicate::Condition(words.clone(), Box::new(plain(part))),
        other => other.clone(),
    }
}

/// What each matcher says of a record.
fn said(matchers: &mut [Matcher], wanted: Wanted, text: &str) -> Vec<Vec<u32>> {
    let window = crate::testing::Window::new(text);
    let mut record = Record::new();
    let mut cursor = window.cursor();
    let whole = record.read(&mut cursor, wanted).expect("an object");
    matchers.iter_mut().map(|matcher| matcher.hits(&record, None, whole, &cursor).to_vec()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_index_says_what_each_rule_says_without_it(records in vec(record(), 1..6), predicates in vec(rule(), 1..40)) {
        let named = predicates.iter().map(|predicate| (String::new(), predicate.clone()));
        let indexed = Arc::new(Rules::new(named));
        let wanted = indexed.wanted();
        // The second has room for one value of each path.
        let mut indexed = [Matcher::new(Arc::clone(&indexed)), Matcher::new(indexed)];
        let candidates = &mut indexed[1].buffers.candidates;
        *candidates = candidates.iter().map(|_| Candidates::new(1 << 20)).collect();
        // A negation has no requirements: its part is evaluated as a whole.
        let negated = predicates.iter().map(|predicate| Predicate::Not(Box::new(plain(predicate))));
        let mut alone: Vec<_> = negated.map(|rule| Matcher::new(Arc::new(Rules::one(rule)))).collect();
        // Twice, so that values are known.
        for text in records.iter().chain(&records).map(Json::to_string) {
            let alone = said(&mut alone, wanted, &text);
            let rules = (0u32..).zip(alone).filter(|(_, says)| says.is_empty());
            let expected: Vec<_> = rules.map(|(rule, _)| rule).collect();
            prop_assert_eq!(&said(&mut indexed, wanted, &text), &vec![expected; 2], "{}", text);
        }
    }
}

#[test]
fn groups_in_groups_are_compiled_once() {
    let is = |text: &str| Predicate::value(Path::keys(["eventName"]), is_text(text), "");
    let deep = (0..60).fold(is("x"), |part, _| {
        let both = Predicate::All(vec![is("x"), part]);
        Predicate::Any((0..9).map(|number| is(&number.to_string())).chain([both]).collect())
    });
    assert!(record_matches(&deep, r#"{"eventName":"x"}"#));
    assert!(!record_matches(&deep, r#"{"eventName":"y"}"#));
}
