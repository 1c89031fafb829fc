use arrow_array::types::UInt32Type;
use arrow_schema::Schema;
use proptest::prelude::*;

use super::*;
use crate::schema::{Profile, project_as};

/// Rows with these strings, in columns of several kinds.
fn batch(texts: &[Option<String>]) -> RecordBatch {
    let views: ArrayRef = Arc::new(texts.iter().map(Option::as_ref).collect::<StringViewArray>());
    let lists = texts.iter().map(|text| text.as_ref().map(|text| text.bytes().map(|byte| Some(u32::from(byte)))));
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<UInt32Type, _, _>(lists));
    let numbers: ArrayRef = Arc::new((0..texts.len() as u32).map(Some).collect::<UInt32Array>());
    let field = |name: &str, array: &ArrayRef| Field::new(name, array.data_type().clone(), true);
    let object: ArrayRef =
        Arc::new(StructArray::new(vec![field("text", &views)].into(), vec![Arc::clone(&views)], None));
    let columns = vec![views, lists, numbers, object];
    let fields = columns.iter().zip(["text", "lists", "number", "object"]).map(|(array, name)| field(name, array));
    RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns).expect("rows")
}

fn recut(parts: &[RecordBatch], schema: &SchemaRef) -> Vec<RecordBatch> {
    let mut recut = Recut::new(Arc::clone(schema));
    for part in parts {
        recut.push(part);
    }
    recut.finish();
    std::iter::from_fn(|| recut.next()).collect()
}

/// All that an array consists of, except its addresses in memory.
fn bytes(array: &dyn Array) -> String {
    let address = regex::Regex::new("0x[0-9a-f]+").expect("an expression");
    address.replace_all(&format!("{:?}", array.to_data()), "").into_owned()
}

proptest! {
    #[test]
    fn how_rows_came_makes_no_difference(
        texts in prop::collection::vec(prop::option::of("[a-z]{0,20}"), 1..40),
        cuts in prop::collection::vec(0usize..40, 0..6),
    ) {
        let whole = batch(&texts);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(texts.len())).collect();
        cuts.extend([0, texts.len()]);
        cuts.sort_unstable();
        let parts: Vec<_> = cuts.windows(2).map(|cut| whole.slice(cut[0], cut[1] - cut[0])).collect();
        let mut fields: Vec<_> = whole.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
        fields[0] = Field::new("text", DataType::Utf8, true);
        fields[2] = Field::new("number", DataType::Int64, true);
        let schema = Arc::new(Schema::new(fields));
        let (one, other) = (recut(std::slice::from_ref(&whole), &schema), recut(&parts, &schema));
        prop_assert_eq!(&one, &other);
        for (one, other) in one.iter().zip(&other) {
            for (one, other) in one.columns()[..3].iter().zip(other.columns()) {
                prop_assert_eq!(bytes(one), bytes(other));
            }
        }
        let texts_of = |batch: &RecordBatch| {
            let column = batch.column(0).as_any().downcast_ref::<arrow_array::StringArray>().expect("strings").clone();
            column.iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
        };
        prop_assert_eq!(other.iter().flat_map(texts_of).collect::<Vec<_>>(), texts);
    }
}

#[test]
fn a_batch_has_so_many_rows_and_bytes_at_most() {
    let rows = |texts: &[Option<String>]| {
        let whole = batch(texts);
        recut(std::slice::from_ref(&whole), &whole.schema()).iter().map(RecordBatch::num_rows).collect::<Vec<_>>()
    };
    assert_eq!(rows(&vec![None; 2 * RECUT_ROWS + 5]), [RECUT_ROWS, RECUT_ROWS, 5]);
    assert_eq!(rows(&[]), [0; 0]);
    // The string counts in two columns, and with more than four bytes per byte in the list.
    let text = Some("x".repeat(1 << 20));
    let counts = rows(&vec![text; 7]);
    assert_eq!(counts.iter().sum::<usize>(), 7);
    assert!(counts.iter().all(|&rows| rows == 1), "{counts:?}");
}

#[test]
fn the_profile_of_spark_is_met() {
    let columns: Vec<_> = crate::schema::names().collect();
    let schema = |profile| Arc::new(project_as(&columns, profile).expect("columns of the table"));
    let empty = RecordBatch::new_empty(schema(Profile::Views));
    let spark = schema(Profile::Spark);
    for (array, field) in empty.columns().iter().zip(spark.fields()) {
        assert_eq!(as_field(Arc::clone(array), field).data_type(), field.data_type());
    }
}
