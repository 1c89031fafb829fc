use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMicrosecondType, UInt32Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::arena::Arena;
use crate::bounds::BATCH_NAMES;
use crate::event::Record;
use crate::json::{Cursor, Index};
use crate::scalar::timestamp;
use crate::schema::{COLUMNS, Kind, project};
use crate::testing::{Model, Window, decoded, elements, members, record, text_of};

/// Where the records of a test lie while columns are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Home {
    /// In the arena, one after another; the last one ends where the text ends.
    Arena,
    /// In a buffer that is gone when the batch is read.
    Elsewhere,
}

const FILE: &str = "AWSLogs/a file with a long name.json.gz";

/// The batch of some records, and what did not fit its column.
fn build(columns: &[&str], records: &[&str], home: Home) -> (RecordBatch, Vec<(&'static str, u64)>) {
    let mut builders = Builders::new(Arc::new(project(columns).expect("known columns")));
    builders.start_file(FILE);
    let wanted = builders.wanted();
    let mut record = Record::new();
    let mut arena = Arena::new(records.iter().map(|text| text.len() + 3).sum());
    let mut push = |cursor: &mut Cursor<'_>, base, number| {
        let whole = record.read(cursor, wanted).expect("a record");
        builders.push(&record, cursor, whole, Place { base, record: number }).expect("a record");
    };
    for (number, text) in (0..).zip(records) {
        if home == Home::Elsewhere {
            push(&mut Window::new(text).cursor(), None, number);
            continue;
        }
        // Not at the front of the arena, nor of its window.
        arena.append(|memory| memory.extend_from_slice(b"..."));
        let base = arena.len() - 1;
        arena.append(|memory| memory.extend_from_slice(text.as_bytes()));
        let mut index = Index::default();
        index.build(&arena.text(base)[1..]);
        let tokens: Vec<_> = index.tokens().iter().map(|token| token + 1).collect();
        let mut cursor = Cursor::new(arena.padded(base), arena.len() - base, &tokens);
        cursor.jump(1);
        push(&mut cursor, Some(base), number);
    }
    let read = arena.len();
    let batch = builders.finish(&mut arena, read).expect("rows");
    batch.rows.columns().iter().for_each(validate);
    (batch.rows, batch.misfits.into_iter().collect())
}

/// Arrow's own checks, which the builders leave out.
fn validate(array: &ArrayRef) {
    array.to_data().validate_full().expect("a valid array");
}

/// The strings of a column.
fn texts(array: &dyn Array) -> Vec<Option<&str>> {
    array.as_string_view().iter().collect()
}

#[test]
fn text_of_every_length_is_itself_wherever_it_is_kept() {
    for length in 0..40 {
        let plain = &"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[..length];
        let wide = "é".repeat(length);
        let escaped = plain.bytes().fold(String::new(), |text, letter| format!("{text}\\u{letter:04x}"));
        let digits = format!("1{}", "0".repeat(length));
        let record = format!(
            concat!(
                r#"{{"awsRegion":"{plain}","errorCode":"{wide}","eventName":"{escaped}","#,
                r#""requestParameters":{digits},"apiVersion":"{plain}"}}"#
            ),
            plain = plain,
            wide = wide,
            escaped = escaped,
            digits = digits
        );
        let other = r#"{"eventName":null,"awsRegion":""}"#;
        for home in [Home::Arena, Home::Elsewhere] {
            // Views point into the arena when `raw` is asked for, else text is copied.
            for columns in [
                &["awsRegion", "errorCode", "eventName", "requestParameters", "apiVersion", "file", "raw"][..],
                &["awsRegion", "errorCode", "eventName", "requestParameters", "apiVersion", "file"],
            ] {
                let (batch, misfits) = build(columns, &[other, &record, other, &record], home);
                let expected = [plain, &wide, plain, &digits, plain, FILE, &record];
                for ((array, expected), name) in batch.columns().iter().zip(expected).zip(columns) {
                    let empty = match *name {
                        "awsRegion" => Some(""),
                        "file" => Some(FILE),
                        "raw" => Some(other),
                        _ => None,
                    };
                    assert_eq!(
                        texts(array),
                        [empty, Some(expected), empty, Some(expected)],
                        "{name}, {length}, {home:?}"
                    );
                }
                assert_eq!(misfits, []);
            }
        }
    }
}

#[test]
fn text_may_end_where_the_window_ends() {
    for length in 0..20 {
        let text = "x".repeat(length);
        let record = format!("{{\"eventName\":\"{text}\"}}");
        let (batch, _) = build(&["eventName", "raw"], &[&record], Home::Arena);
        assert_eq!(texts(batch.column(0)), [Some(&*text)]);
        assert_eq!(texts(batch.column(1)), [Some(&*record)]);
    }
}

#[test]
fn batches_keep_no_more_memory_than_their_texts_need() {
    let name = "a name of more than twelve bytes";
    let record = format!(
        r#"{{"eventName":"{name}","errorCode":"short","awsRegion":"sh\u006frt","apiVersion":"another long text"}}"#
    );
    let kept = |columns: &[&str]| {
        let (batch, _) = build(columns, &[&record, &record], Home::Arena);
        batch.column(0).as_string_view().data_buffers().iter().map(arrow_buffer::Buffer::len).sum::<usize>()
    };
    assert_eq!(kept(&["eventName", "errorCode", "awsRegion"]), 2 * name.len() + FILE.len());
    // Only `raw` needs the whole text.
    assert!(kept(&["eventName", "raw"]) >= 2 * record.len());
}

#[test]
fn a_value_of_another_type_is_text_or_goes_to_extra_and_is_counted() {
    let records = [
        concat!(
            r#"{"eventName":[1, 2],"readOnly":"perhaps","eventTime":"yesterday","tlsDetails":"x","#,
            r#""resources":{"a":1},"requestParameters":"text"}"#
        ),
        concat!(
            r#"{"eventName":"\ud800","readOnly":"True","eventTime":"2023-07-10T11:42:36Z","tlsDetails":{},"#,
            r#""resources":[],"requestParameters":null}"#
        ),
    ];
    let columns =
        ["eventName", "readOnly", "eventTime", "tlsDetails", "resources", "requestParameters", "extra", "record"];
    let (batch, misfits) = build(&columns, &records, Home::Arena);
    assert_eq!(texts(batch.column(0)), [Some("[1, 2]"), Some("\u{fffd}")]);
    assert_eq!(batch.column(1).as_boolean().iter().collect::<Vec<_>>(), [None, Some(true)]);
    assert_eq!(
        batch.column(2).as_primitive::<TimestampMicrosecondType>().iter().collect::<Vec<_>>(),
        [None, Some(1_688_989_356_000_000)]
    );
    assert_eq!([0, 1].map(|row| batch.column(3).is_null(row)), [true, false]);
    assert_eq!([0, 1].map(|row| batch.column(4).is_null(row)), [true, false]);
    assert_eq!(texts(batch.column(5)), [Some("\"text\""), None]);
    assert_eq!(
        texts(batch.column(6)),
        [Some(r#"{"readOnly":"perhaps","eventTime":"yesterday","tlsDetails":"x","resources":{"a":1}}"#), None]
    );
    assert_eq!(batch.column(7).as_primitive::<UInt32Type>().values(), &[0, 1]);
    let counts = [("eventName", 2), ("eventTime", 1), ("readOnly", 1), ("resources", 1), ("tlsDetails", 1)];
    let counted = |(path, _): &&(&str, u64)| columns.contains(path);
    assert_eq!(misfits.iter().filter(counted).copied().collect::<Vec<_>>(), counts);
}

#[test]
fn lists_keep_their_elements_apart_and_in_order() {
    let records = [
        r#"{"x":1}"#,
        r#"{"resources":[{"ARN":"a","type":"t"},{"arn":"b of more than twelve bytes","accountId":12}]}"#,
        r#"{"resources":[]}"#,
        r#"{"resources":null}"#,
        r#"{"resources":[null,7,{"ARN":null,"q":{}},{"ARN":"c","arn":"d"}]}"#,
        "{}",
    ];
    let (batch, misfits) = build(&["resources", "extra"], &records, Home::Elsewhere);
    let lists = batch.column(0).as_list::<i32>();
    assert_eq!(
        (0..6).map(|row| lists.is_valid(row).then(|| lists.value_length(row))).collect::<Vec<_>>(),
        [None, Some(2), Some(0), None, Some(4), None]
    );
    let elements = lists.values().as_struct();
    assert_eq!(
        (0..6).map(|element| elements.is_valid(element)).collect::<Vec<_>>(),
        [true, true, false, false, true, true]
    );
    let member = |name: &str| texts(elements.column_by_name(name).expect("a member"));
    assert_eq!(member("ARN"), [Some("a"), Some("b of more than twelve bytes"), None, None, None, Some("d")]);
    assert_eq!(member("accountId"), [None, Some("12"), None, None, None, None]);
    assert_eq!(member("type"), [Some("t"), None, None, None, None, None]);
    assert_eq!(
        texts(batch.column(1)),
        [
            Some(r#"{"x":1}"#),
            None,
            None,
            None,
            Some(r#"{"resources[1]":7,"resources[2].q":{},"resources[3].ARN":"c"}"#),
            None
        ]
    );
    assert_eq!(misfits, [("resources", 1), ("resources[].ARN", 1), ("resources[].accountId", 1)]);
}

#[test]
fn extra_holds_the_rest_in_the_order_of_the_record_byte_for_byte() {
    let record = concat!(
        r#"{"z" : { "b":1 ,"a":[]},"userIdentity":{"x\"y":1.50,"arn":{"k":1},"sessionContext":7},"#,
        r#""eventName":"A","eventName":"B","a":"é\u00e9"}"#
    );
    let (batch, _) = build(&["extra"], &[record], Home::Arena);
    let expected = concat!(
        r#"{"z":{ "b":1 ,"a":[]},"userIdentity.x\"y":1.50,"userIdentity.sessionContext":7,"eventName":"A","#,
        r#""a":"é\u00e9"}"#
    );
    assert_eq!(texts(batch.column(0)), [Some(expected)]);
}

#[test]
fn builders_start_afresh_after_each_batch() {
    let mut builders =
        Builders::new(Arc::new(project(&["eventName", "readOnly", "resources", "record"]).expect("known columns")));
    let (mut record, mut arena) = (Record::new(), Arena::new(0));
    assert!(builders.finish(&mut arena, 0).is_none());
    for (text, name, lists) in [
        (r#"{"eventName":"a","readOnly":true,"resources":[{},{}],"x":0}"#, Some("a"), 2),
        (r#"{"resources":[{}]}"#, None, 1),
    ] {
        builders.start_file("f");
        let window = Window::new(text);
        let mut cursor = window.cursor();
        let wanted = builders.wanted();
        let whole = record.read(&mut cursor, wanted).expect("a record");
        builders.push(&record, &cursor, whole, Place { base: None, record: 3 }).expect("a record");
        assert_eq!(builders.rows(), 1);
        let batch = builders.finish(&mut arena, 0).expect("a row");
        assert_eq!(texts(batch.rows.column(0)), [name]);
        assert_eq!(batch.rows.column(1).null_count(), usize::from(name.is_none()));
        assert_eq!(batch.rows.column(2).as_list::<i32>().value_length(0), lists);
        assert_eq!(batch.misfits.len(), 0);
        assert_eq!(builders.rows(), 0);
    }
}

/// The expected `extra` of a record, by the model and the rules.
fn expected_extra(text: &str, model: &Model) -> Option<String> {
    let mut strays: Vec<(usize, String, &str)> =
        model.strays.iter().map(|(path, place)| (place.start, path.clone(), &text[place.clone()])).collect();
    let at = |value: &str| value.as_ptr() as usize - text.as_ptr() as usize;
    for (path, place) in &model.values {
        let value = &text[place.clone()];
        let kind = COLUMNS.iter().find(|column| column.path == *path).expect("a column").kind;
        let inside = || value.starts_with('"').then(|| decoded(value).0);
        let fits = value == "null"
            || match kind {
                Kind::Flag => {
                    matches!(value, "true" | "false")
                        || inside().is_some_and(|word| ["true", "false"].contains(&&*word.to_ascii_lowercase()))
                }
                Kind::Time => inside().is_some_and(|time| timestamp(time.as_bytes()).is_some()),
                Kind::Object => value.starts_with('{'),
                Kind::List => value.starts_with('['),
                _ => true,
            };
        if !fits {
            strays.push((place.start, (*path).to_owned(), value));
        } else if kind == Kind::List && value != "null" {
            for (number, element) in elements(value).into_iter().enumerate().filter(|(_, element)| *element != "null") {
                if !element.starts_with('{') {
                    strays.push((at(element), format!("{path}[{number}]"), element));
                    continue;
                }
                let known = |key: &str| {
                    let (name, lone) = decoded(&format!("\"{key}\""));
                    let name = if name == "arn" { "ARN".to_owned() } else { name };
                    COLUMNS.iter().any(|column| !lone && column.path == format!("{path}[].{name}")).then_some(name)
                };
                let members = members(element);
                for (position, (key, value)) in members.iter().enumerate() {
                    match known(key) {
                        None => strays.push((at(value), format!("{path}[{number}].{key}"), value)),
                        Some(name)
                            if members[position + 1..]
                                .iter()
                                .any(|(later, _)| known(later).as_ref() == Some(&name)) =>
                        {
                            strays.push((at(value), format!("{path}[{number}].{name}"), value));
                        }
                        Some(_) => {}
                    }
                }
            }
        }
    }
    strays.sort();
    let members: Vec<_> = strays.into_iter().map(|(_, path, value)| format!("\"{path}\":{value}")).collect();
    (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")))
}

/// The elements of a list, with the texts of their members.
type List = Vec<Option<Vec<Option<String>>>>;

const MEMBERS: [&str; 4] = ["ARN", "ARNPrefix", "accountId", "type"];

fn expected_list(list: &str) -> List {
    let member = |element: &str, name: &str| {
        let members = members(element).into_iter().rev().map(|(key, value)| (decoded(&format!("\"{key}\"")).0, value));
        let mut values = members.filter(|(key, _)| key == name || name == "ARN" && key == "arn");
        values.next().and_then(|(_, value)| text_of(value)).map(String::from)
    };
    let element = |element: &str| element.starts_with('{').then(|| MEMBERS.map(|name| member(element, name)).to_vec());
    elements(list).into_iter().map(element).collect()
}

fn found_list(list: &dyn Array) -> List {
    let list = list.as_struct();
    let member = |element: usize, name: &str| {
        let texts = list.column_by_name(name).expect("a member").as_string_view();
        texts.is_valid(element).then(|| texts.value(element).to_owned())
    };
    (0..list.len())
        .map(|element| list.is_valid(element).then(|| MEMBERS.map(|name| member(element, name)).to_vec()))
        .collect()
}

/// The array of a column, inside of the structs that it lies in.
fn array_of(batch: &RecordBatch, path: &str) -> ArrayRef {
    let mut names = path.split('.');
    let root = batch.column_by_name(names.next().expect("a name")).expect("a column").clone();
    names.fold(root, |array, name| array.as_struct().column_by_name(name).expect("a member").clone())
}

proptest! {
    /// Everything in a record is in its row, and nothing else.
    #[test]
    fn every_column_holds_what_serde_json_and_the_rules_say(
        records in vec(record(), 1..6),
        elsewhere: bool,
        raw: bool,
    ) {
        let records: Vec<_> = records.iter().map(String::as_str).collect();
        let columns: Vec<_> = crate::schema::names().filter(|name| raw || *name != "raw").collect();
        let (batch, _) = build(&columns, &records, if elsewhere { Home::Elsewhere } else { Home::Arena });
        for (row, text) in records.iter().enumerate() {
            let model = Model::of(text);
            for column in COLUMNS.iter().filter(|column| !column.path.contains("[]")) {
                let value = model.get(text, column.path).filter(|value| *value != "null");
                let inside = || value.filter(|value| value.starts_with('"')).map(|value| decoded(value).0);
                let expected_text = match column.kind {
                    Kind::Text => value.and_then(text_of).map(String::from),
                    Kind::Json => value.map(str::to_owned),
                    Kind::Extra => expected_extra(text, &model),
                    Kind::Raw if raw => Some((*text).to_owned()),
                    Kind::File => Some(FILE.to_owned()),
                    Kind::Raw => continue,
                    kind => {
                        let array = array_of(&batch, column.path);
                        let right = match kind {
                            Kind::Time => {
                                let times = array.as_primitive::<TimestampMicrosecondType>();
                                let time = inside().and_then(|time| timestamp(time.as_bytes()));
                                time == times.is_valid(row).then(|| times.value(row))
                            }
                            Kind::Flag => {
                                let flags = array.as_boolean();
                                let word = inside().map(|word| word.to_lowercase()).or(value.map(str::to_owned));
                                let flag = word.and_then(|word| word.parse::<bool>().ok());
                                flag == flags.is_valid(row).then(|| flags.value(row))
                            }
                            Kind::Object => value.is_some_and(|value| value.starts_with('{')) == array.is_valid(row),
                            Kind::List => {
                                let list = value.filter(|value| value.starts_with('['));
                                let found = array.is_valid(row).then(|| array.as_list::<i32>().value(row));
                                list.map(expected_list) == found.map(|found| found_list(&found))
                            }
                            _ => array.as_primitive::<UInt32Type>().value(row) as usize == row,
                        };
                        prop_assert!(right, "{} of {}", column.path, text);
                        continue;
                    }
                };
                let array = array_of(&batch, column.path);
                let found = array.as_string_view();
                let found = found.is_valid(row).then(|| found.value(row));
                prop_assert_eq!(found, expected_text.as_deref(), "{} of {}", column.path, text);
            }
        }
    }
}

/// The strings of an array and of its members, in order of depth, whatever their type.
fn all_texts(array: &dyn Array) -> Vec<Vec<Option<String>>> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    match array.data_type() {
        DataType::Utf8View => vec![array.as_string_view().iter().map(owned).collect()],
        DataType::Utf8 => vec![array.as_string::<i32>().iter().map(owned).collect()],
        DataType::LargeUtf8 => vec![array.as_string::<i64>().iter().map(owned).collect()],
        DataType::Struct(_) => array.as_struct().columns().iter().flat_map(|member| all_texts(member)).collect(),
        DataType::List(_) => all_texts(array.as_list::<i32>().values()),
        _ => vec![],
    }
}

proptest! {
    #[test]
    fn text_is_the_same_in_each_of_its_types(records in vec(record(), 1..6), elsewhere: bool, seed: u64) {
        let records: Vec<_> = records.iter().map(String::as_str).collect();
        let columns: Vec<_> = crate::schema::names().collect();
        let (batch, _) = build(&columns, &records, if elsewhere { Home::Elsewhere } else { Home::Arena });
        let mut tags = Tags::new(&["a".to_owned(), "a name of more than twelve bytes".to_owned()]);
        (0..records.len()).for_each(|row| tags.push(&[1, 0][row % 3 % 2..]));
        let batch = tags.finish(&batch);
        let found: Vec<_> = batch.columns().iter().flat_map(|array| all_texts(array)).collect();
        let kinds = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View];
        let choice = |leaf: usize| kinds[(seed >> (leaf % 32 * 2)) as usize % 3].clone();
        let types: Vec<_> = (0..found.len()).map(choice).collect();
        let other = retyped(batch.clone(), &types);
        other.columns().iter().for_each(validate);
        prop_assert_eq!(other.columns().iter().flat_map(|array| all_texts(array)).collect::<Vec<_>>(), found);
        // Converted, and back; the way back to views needs no work.
        let views = vec![DataType::Utf8View; types.len()];
        prop_assert_eq!(&retyped(batch.clone(), &views), &batch);
        prop_assert_eq!(batch.schema().fields().len(), other.schema().fields().len());
    }
}

#[test]
fn the_strings_of_arrow_are_what_the_profile_says() {
    let columns: Vec<_> = crate::schema::names().collect();
    let schema = crate::schema::project_as(&columns, crate::schema::Profile::Strings).expect("columns of the table");
    let of = |name: &str| schema.field_with_name(name).expect("a column").data_type().clone();
    for (name, text) in [("eventName", DataType::Utf8), ("file", DataType::Utf8), ("raw", DataType::LargeUtf8)] {
        assert_eq!(of(name), text, "{name}");
    }
    assert_eq!(of("requestParameters"), DataType::LargeUtf8);
    assert_eq!(schema.to_string().matches("Utf8View").count(), 0);
}

#[test]
fn a_batch_ends_when_the_names_of_its_files_would_take_too_much() {
    let mut builders = Builders::new(Arc::new(project(&["file"]).expect("a column")));
    builders.start_file(&"n".repeat(20_000));
    let window = Window::new("{}");
    let wanted = builders.wanted();
    let mut record = Record::new();
    while !builders.is_full() {
        let mut cursor = window.cursor();
        let whole = record.read(&mut cursor, wanted).expect("a record");
        builders.push(&record, &cursor, whole, Place { base: None, record: 0 }).expect("a record");
    }
    assert_eq!(builders.rows(), BATCH_NAMES.div_ceil(20_000));
    let batch = builders.finish(&mut Arena::new(0), 0).expect("rows").rows;
    assert_eq!(retyped(batch, &[DataType::Utf8]).num_rows(), BATCH_NAMES.div_ceil(20_000));
    assert!(!builders.is_full());
}

#[test]
fn a_batch_ends_when_the_names_of_its_rules_would_take_too_much() {
    let mut tags = Tags::new(&["r".repeat(1 << 20)]);
    for _ in 0..8 {
        assert!(!tags.is_full());
        tags.push(&[0]);
    }
    assert!(tags.is_full());
}
