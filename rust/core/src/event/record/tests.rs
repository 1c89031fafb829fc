use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::testing::{Model, Window, damaged, is_json, record};

/// What [`Record`] finds in a text, in the terms of the model; `None` when the text is not a record.
fn read(text: &str, wanted: Wanted) -> Option<Model> {
    read_next(&mut Record::new(), text, wanted).ok().flatten()
}

/// The same after other records; `None` when more follows.
fn read_next(record: &mut Record, text: &str, wanted: Wanted) -> Result<Option<Model>, Error> {
    let window = Window::new(text);
    let mut cursor = window.cursor();
    let whole = record.read(&mut cursor, wanted)?;
    assert_eq!(whole.start, 0);
    cursor.skip_space();
    if cursor.at < cursor.end() {
        return Ok(None);
    }
    let place = |value: Value| value.start as usize..value.end as usize;
    let columns = (0..COLUMNS.len() as ColumnId)
        .filter_map(|id| record.get(id).map(|value| (COLUMNS[id as usize].path, place(value))));
    let path = |stray: &Stray| {
        let parent = stray.parent.map_or("", |parent| COLUMNS[parent as usize].path);
        match stray.name {
            Name::Parent => parent.to_owned(),
            Name::Key(start, end) => {
                [parent, &text[start as usize..end as usize]].join(if parent.is_empty() { "" } else { "." })
            }
            Name::Member(_) => unreachable!("lists are not taken apart here"),
        }
    };
    let mut strays: Vec<_> = record.strays.iter().map(|stray| (path(stray), place(stray.value))).collect();
    strays.sort_by_key(|(_, place)| place.start);
    Ok(Some(Model { values: columns.collect(), strays }))
}

#[test]
fn known_keys_become_columns_and_all_others_strays() {
    let text = concat!(
        r#"{"eventName":"A","userIdentity":{"arn":"r","x":1,"sessionContext":{"attributes":{"y\n":[]}}},"#,
        r#""z":{"eventName":"B"},"resources":[{"q":1}],"extra":0}"#
    );
    let model = read(text, Wanted::everything()).expect("a record");
    let values: Vec<_> = model.values.iter().map(|(path, place)| (*path, &text[place.clone()])).collect();
    let strays: Vec<_> = model.strays.iter().map(|(path, place)| (path.as_str(), &text[place.clone()])).collect();
    assert_eq!(
        values,
        [
            ("userIdentity", r#"{"arn":"r","x":1,"sessionContext":{"attributes":{"y\n":[]}}}"#),
            ("userIdentity.arn", "\"r\""),
            ("userIdentity.sessionContext", r#"{"attributes":{"y\n":[]}}"#),
            ("userIdentity.sessionContext.attributes", r#"{"y\n":[]}"#),
            ("eventName", "\"A\""),
            ("resources", r#"[{"q":1}]"#),
        ]
    );
    assert_eq!(
        strays,
        [
            ("userIdentity.x", "1"),
            (r"userIdentity.sessionContext.attributes.y\n", "[]"),
            ("z", r#"{"eventName":"B"}"#),
            ("extra", "0")
        ]
    );
}

#[test]
fn the_last_of_equal_keys_counts_and_the_earlier_ones_are_strays() {
    let text =
        r#"{"userIdentity":{"arn":1,"x":2},"eventName":"A","event\u004eame":"B","userIdentity":{"type":3,"type":4}}"#;
    let model = read(text, Wanted::everything()).expect("a record");
    let values: Vec<_> = model.values.iter().map(|(path, place)| (*path, &text[place.clone()])).collect();
    let strays: Vec<_> = model.strays.iter().map(|(path, place)| (path.as_str(), &text[place.clone()])).collect();
    assert_eq!(
        values,
        [("userIdentity", r#"{"type":3,"type":4}"#), ("userIdentity.type", "4"), ("eventName", "\"B\"")]
    );
    assert_eq!(strays, [("userIdentity", r#"{"arn":1,"x":2}"#), ("eventName", "\"A\""), ("userIdentity.type", "3")]);
}

#[test]
fn a_later_value_of_another_type_takes_the_members_of_the_earlier_one_away() {
    let text = r#"{"userIdentity":{"sessionContext":{"attributes":{"mfaAuthenticated":"true"}}},"userIdentity":null}"#;
    let model = read(text, Wanted::everything()).expect("a record");
    assert_eq!(model.values, [("userIdentity", 93..97)]);
    assert_eq!(model.strays.len(), 1);
}

#[test]
fn any_single_byte_put_for_another_is_refused_exactly_when_serde_json_refuses_it() {
    let text = concat!(
        r#"{"eventName":"A","eventSource":"s3","x":["y",{"a":"b","c":"d"}] ,"#,
        r#" "userIdentity" : {"type":"Root","arn":"a\u00e9\n","z":-1.5e3},"readOnly":true,"awsRegion":"r"}"#
    );
    let replacements = b"\"\\{}[],: \n\x01/uaefnrtx019-+.E\0";
    for at in 1..text.len() {
        for &byte in replacements {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = byte;
            let text = String::from_utf8(bytes).expect("ASCII");
            for wanted in [Wanted::everything(), Wanted::columns(0)] {
                assert_eq!(read(&text, wanted).is_some(), is_json(text.as_bytes()), "{text}");
            }
        }
    }
}

#[test]
fn a_record_cut_anywhere_is_refused_at_its_end() {
    let text = concat!(
        r#"{"eventName":"A","eventSource":"s3","x":["y",{"a":"b","c":"d"}] ,"userIdentity":{"type":"Root","#,
        r#""arn":"\u00e9\n","z":-1.5e3},"readOnly":true}"#
    );
    for end in 1..text.len() {
        for wanted in [Wanted::everything(), Wanted::columns(0)] {
            let window = Window::new(&text[..end]);
            let error = Record::new().read(&mut window.cursor(), wanted).expect_err("cut");
            assert_eq!(error.to_string(), format!("invalid JSON: unexpected end at byte {end}"), "{}", &text[..end]);
        }
    }
}

/// Some columns, as a set.
fn columns() -> impl Strategy<Value = u128> {
    vec(0..COLUMNS.len(), 0..4).prop_map(|ids| ids.into_iter().fold(0, |set, id| set | 1 << id))
}

#[test]
fn a_key_that_comes_a_hundred_thousand_times_is_read_in_one_pass() {
    let text = format!("{{{}\"userIdentity\":{{}}}}", "\"userIdentity\":{\"other\":1},".repeat(100_000));
    let found = read(&text, Wanted::everything()).expect("a record");
    assert_eq!(found.get(&text, "userIdentity"), Some("{}"));
    assert_eq!(found, Model::of(&text));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_value_of_a_record_is_where_serde_json_finds_it(text in record()) {
        prop_assert_eq!(read(&text, Wanted::everything()), Some(Model::of(&text)), "{}", text);
    }

    /// Selected columns include the objects that contain them.
    #[test]
    fn a_choice_of_columns_is_found_as_among_all(text in record(), chosen in columns()) {
        let model = Model::of(&text);
        let with_parents = (0..COLUMNS.len()).filter(|id| chosen >> id & 1 == 1).fold(0, |set, id| {
            let path = COLUMNS[id].path;
            let is_inside = |column: &str| path.strip_prefix(column).is_some_and(|rest| rest.starts_with('.'));
            let parents = COLUMNS.iter().enumerate().filter(|(_, column)| is_inside(column.path));
            parents.fold(set | 1 << id, |set, (parent, _)| set | 1 << parent)
        });
        let found = read(&text, Wanted::columns(with_parents)).expect("a record");
        for (id, column) in COLUMNS.iter().enumerate().filter(|(id, _)| with_parents >> id & 1 == 1) {
            let path = COLUMNS[id].path;
            prop_assert_eq!(found.get(&text, column.path), model.get(&text, column.path), "{} of {}", path, text);
        }
    }

    /// Keys are expected in the order of the record before; what is found, or wrong, does not depend on that.
    #[test]
    fn a_record_is_the_same_whatever_was_read_before(
        (before, text) in record().prop_flat_map(|text| (Just(text.clone()), prop_oneof![damaged(text), record()])),
        written_without_space: bool,
    ) {
        let texts = [before, text].map(|text| if written_without_space { text.replace("\" :", "\":") } else { text });
        let mut used = Record::new();
        for text in [&texts[0], &texts[0], &texts[1], &texts[0]] {
            if text.starts_with('{') {
                let expected = read_next(&mut Record::new(), text, Wanted::everything());
                prop_assert_eq!(read_next(&mut used, text, Wanted::everything()), expected, "{}", text);
            }
        }
    }

    #[test]
    fn a_damaged_record_is_refused_exactly_when_serde_json_refuses_it(
        text in record().prop_flat_map(damaged),
        chosen in columns(),
    ) {
        if text.starts_with('{') {
            let found = read(&text, Wanted::everything());
            prop_assert_eq!(found.is_some(), is_json(text.as_bytes()), "{}", text);
            prop_assert_eq!(read(&text, Wanted::columns(chosen)).is_some(), found.is_some(), "{}", text);
            if found.is_some() {
                prop_assert_eq!(found, Some(Model::of(text.trim_end())), "{}", text);
            }
        }
    }
}
