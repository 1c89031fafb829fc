//! Random patterns on random events, against a matcher that tries everything.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};

use super::*;

/// One alternative, as patterns spell it.
fn alternative() -> impl Strategy<Value = Json> {
    let word = || select(&["x", "xy", "yx", "", "X", "10.0.0.1"][..]).prop_map(Json::from);
    let affix = || select(&["x", "xy", "y"][..]).prop_map(Json::from);
    let number = || {
        select(&["5", "5.0", "7", "-0.5e1", "12345678901234567891"][..])
            .prop_map(|text| serde_json::from_str(text).expect("a number"))
    };
    let comparable = || select(&[5, 7][..]).prop_map(Json::from);
    let wildcard = || select(&["x*", "*y", "*", "x*x", r"x\*"][..]).prop_map(Json::from);
    let operator = |name: &'static str, value: BoxedStrategy<Json>| value.prop_map(move |value| json!({ name: value }));
    let folded = operator("equals-ignore-case", word().boxed()).boxed();
    let but = prop_oneof![
        word(),
        comparable(),
        vec(word(), 1..3).prop_map(Json::from),
        vec(comparable(), 1..3).prop_map(Json::from),
        operator("prefix", prop_oneof![affix(), vec(affix(), 1..3).prop_map(Json::from)].boxed()),
        operator("suffix", affix().boxed()),
        folded.clone(),
        operator("wildcard", vec(wildcard(), 1..3).prop_map(Json::from).boxed()),
    ];
    prop_oneof![
        3 => word(),
        2 => number(),
        2 => select(vec![Json::Null, Json::from(true), Json::from(false)]),
        1 => operator("exactly", word().boxed()),
        1 => operator("prefix", prop_oneof![word(), folded.clone()].boxed()),
        1 => operator("suffix", prop_oneof![word(), folded.clone()].boxed()),
        1 => folded,
        1 => operator("wildcard", wildcard().boxed()),
        2 => select(&[r#"["=",5]"#, r#"[">",5]"#, r#"[">=",5,"<",7]"#, r#"["<",5]"#, r#"["<=",5.0]"#][..])
            .prop_map(|text| json!({"numeric": serde_json::from_str::<Json>(text).expect("a list")})),
        1 => Just(json!({"cidr": "10.0.0.0/8"})),
        2 => any::<bool>().prop_map(|exists| json!({"exists": exists})),
        3 => operator("anything-but", but.boxed()),
    ]
}

/// The object of a pattern; `$or` among its fields or not.
fn object() -> impl Strategy<Value = Json> {
    let list = vec(alternative(), 1..4).prop_map(Json::from).boxed();
    let fields = |value: BoxedStrategy<Json>| {
        vec((select(&["a", "b", "c", "a.b"][..]), value), 1..4)
            .prop_map(|fields| Json::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
    };
    fields(list.clone()).prop_recursive(3, 12, 3, move |object| {
        let nested = fields(prop_oneof![object.clone(), list.clone()].boxed());
        (nested, proptest::option::weighted(0.3, vec(object, 2..4)), list.clone()).prop_map(|(mut nested, or, _)| {
            if let (Some(or), Some(members)) = (or, nested.as_object_mut()) {
                members.insert("$or".to_owned(), Json::from(or));
            }
            nested
        })
    })
}

/// Events of few keys and values, so that patterns often match.
fn event() -> impl Strategy<Value = Json> {
    let strings = select(&["x", "xy", "yx", "", "X", "10.0.0.1", "10.0.0.01", "5"][..]).prop_map(Json::from);
    let numbers = select(&["5", "5.0", "50e-1", "7", "-5", "12345678901234567891"][..]);
    let leaf = prop_oneof![
        strings,
        numbers.prop_map(|text| serde_json::from_str::<Json>(text).expect("a number")),
        select(vec![Json::Null, Json::from(true), Json::from(false)]),
    ];
    let members = |value: BoxedStrategy<Json>| {
        vec((select(&["a", "b", "c", "a.b"][..]), value), 0..4)
            .prop_map(|fields| Json::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
    };
    let value = leaf.prop_recursive(4, 24, 3, move |value| {
        prop_oneof![vec(value.clone(), 0..4).prop_map(Json::from), members(value.boxed())]
    });
    members(value.boxed())
}

/// A value of an event with its joined keys, and of each array around it the place and the element.
type Leaf<'a> = (String, &'a Json, Vec<(String, usize)>);

fn leaves<'a>(value: &'a Json, name: &str, place: &str, arrays: &[(String, usize)], found: &mut Vec<Leaf<'a>>) {
    match value {
        Json::Object(members) => {
            for (key, member) in members {
                let name = if place.is_empty() { key.clone() } else { format!("{name}.{key}") };
                leaves(member, &name, &format!("{place}/{key}"), arrays, found);
            }
        }
        Json::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                let own = (element.is_object() || element.is_array()).then(|| (place.to_owned(), index));
                let arrays: Vec<_> = arrays.iter().cloned().chain(own).collect();
                leaves(element, name, &format!("{place}/{index}"), &arrays, found);
            }
        }
        _ => found.push((name.to_owned(), value, arrays.to_vec())),
    }
}

/// The conditions of a pattern, as lists of fields; one list must be met.
fn spelled_out(object: &Json, prefix: &str, mut lists: Vec<BTreeMap<String, Json>>) -> Vec<BTreeMap<String, Json>> {
    for (key, value) in object.as_object().expect("an object") {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Json::Array(objects) if key == "$or" => {
                lists = objects.iter().flat_map(|object| spelled_out(object, prefix, lists.clone())).collect();
            }
            Json::Array(_) => lists.iter_mut().for_each(|list| drop(list.insert(name.clone(), value.clone()))),
            _ => lists = spelled_out(value, &name, lists),
        }
    }
    lists
}

fn accepts(alternative: &Json, value: &Json) -> bool {
    let number =
        |json: &Json| json.is_number().then(|| json.to_string()).and_then(|text| crate::filter::number::exact(&text));
    let same = |one: &Json, other: &Json| one == other || number(one).is_some_and(|value| Some(value) == number(other));
    let each = |operand: &Json, test: &dyn Fn(&str) -> bool| match operand {
        Json::Array(list) => list.iter().any(|text| test(text.as_str().expect("a string"))),
        text => test(text.as_str().expect("a string")),
    };
    let Json::Object(operator) = alternative else {
        let is_address = alternative == "10.0.0.1" && value == "10.0.0.01";
        return is_address || same(alternative, value);
    };
    let (name, operand) = operator.iter().next().expect("an operator");
    let text = value.as_str();
    match name.as_str() {
        "exists" => operand == true,
        "exactly" => operand == value,
        "cidr" => text.is_some_and(|text| text.starts_with("10.")),
        "numeric" => number(value).is_some_and(|value| {
            operand.as_array().expect("a list").chunks(2).all(|pair| {
                let end = pair[1].as_f64().expect("a number");
                match pair[0].as_str() {
                    Some("=") => value.total_cmp(&end).is_eq(),
                    Some("<") => value < end,
                    Some("<=") => value <= end,
                    Some(">") => value > end,
                    _ => value >= end,
                }
            })
        }),
        "anything-but" => match operand {
            Json::Object(_) => !accepts(operand, value),
            Json::Array(list) => !list.iter().any(|excluded| same(excluded, value)),
            excluded => !same(excluded, value),
        },
        _ => text.is_some_and(|text| {
            let lower = text.to_lowercase();
            match (name.as_str(), operand) {
                ("prefix", Json::Object(folded)) => {
                    lower.starts_with(&folded["equals-ignore-case"].as_str().expect("a string").to_lowercase())
                }
                ("suffix", Json::Object(folded)) => {
                    lower.ends_with(&folded["equals-ignore-case"].as_str().expect("a string").to_lowercase())
                }
                ("prefix", operand) => each(operand, &|start| text.starts_with(start)),
                ("suffix", operand) => each(operand, &|end| text.ends_with(end)),
                ("equals-ignore-case", operand) => each(operand, &|word| lower == word.to_lowercase()),
                (_, operand) => each(operand, &|wildcard| match wildcard {
                    "*" => true,
                    "x*" => text.starts_with('x'),
                    "*y" => text.ends_with('y'),
                    "x*x" => text.len() > 1 && text.starts_with('x') && text.ends_with('x'),
                    _ => text == "x*",
                }),
            }
        }),
    }
}

/// Every way to choose a value for each field, one after another, as AWS's matcher describes it.
fn meets(fields: &[(&String, &Json)], leaves: &[Leaf<'_>], chosen: &[(String, usize)]) -> bool {
    let Some(((name, alternatives), rest)) = fields.split_first() else { return true };
    let alternatives = alternatives.as_array().expect("a list");
    let agrees = |arrays: &[(String, usize)]| {
        arrays.iter().all(|(array, index)| chosen.iter().all(|(other, chosen)| other != array || chosen == index))
    };
    let there: Vec<_> = leaves.iter().filter(|(found, _, arrays)| found == *name && agrees(arrays)).collect();
    let absent = alternatives.contains(&json!({"exists": false}));
    there.is_empty() && absent && meets(rest, leaves, chosen)
        || there.iter().any(|(_, value, arrays)| {
            alternatives.iter().any(|alternative| accepts(alternative, value))
                && meets(rest, leaves, &[chosen, arrays].concat())
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn patterns_by_brute_force(object in object(), event in event()) {
        let mut found = Vec::new();
        leaves(&event, "", "", &[], &mut found);
        let lists = spelled_out(&object, "", vec![BTreeMap::new()]);
        let expected = lists.iter().any(|list| meets(&list.iter().collect::<Vec<_>>(), &found, &[]));
        let (pattern, event) = (object.to_string(), event.to_string());
        prop_assert_eq!(matches(&pattern, &event), expected, "{} on {}", pattern, event);
        for member in ["requestParameters", "userIdentity", "unknown"] {
            let envelope = format!(r#"{{"detail":{{"{member}":{pattern}}}}}"#);
            let record = format!(r#"{{"eventName":"e","{member}":{event}}}"#);
            prop_assert_eq!(matches(&envelope, &record), expected, "{} on {}", envelope, record);
        }
    }

    #[test]
    fn the_normal_form_reads_back(object in object()) {
        let pattern = Pattern::read(&object.to_string()).expect("a pattern");
        let normal = pattern.to_string();
        let again = Pattern::read(&normal).expect("a pattern");
        prop_assert_eq!(again.combinations(), pattern.combinations(), "{}", &normal);
        prop_assert_eq!(again.to_string(), normal);
    }

    #[test]
    fn any_text_is_a_pattern_or_refused_in_one_sentence(
        text in concat!(
            r#"([\[\]{}",:]|"[ab]"|"\$or":|"a":"#,
            r#"|"(prefix|suffix|numeric|cidr|exists|wildcard|anything-but|equals-ignore-case)":"#,
            r#"|"[<>=]{1,2}"|[0-9.]{1,3}|true|null|\{"a":\[|\]\}){0,24}"#,
        ),
    ) {
        if let Err(error) = Pattern::read(&text) {
            let error = Refused::from(error);
            let (line, column) = error.0[0].position.expect("a place");
            prop_assert!(line == 1 && column <= text.chars().count() + 1);
            prop_assert!(!error.to_string().contains('\n'));
        }
    }
}
