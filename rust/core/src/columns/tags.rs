//! The column `rules`: the names of the rules that each row meets.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StringViewArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Schema};

use crate::bounds::{BATCH_HITS, BATCH_TEXT};
use crate::schema::{Profile, rules};

/// Builds it.
pub(crate) struct Tags {
    names: StringViewArray,
    ends: Vec<i32>,
    rules: Vec<u32>,
    /// Bytes of the rule names, if each were written out.
    text: usize,
}

impl Tags {
    pub(crate) fn new(names: &[String]) -> Self {
        Self { names: StringViewArray::from_iter_values(names), ends: vec![0], rules: Vec::new(), text: 0 }
    }

    /// The next row meets these rules.
    pub(crate) fn push(&mut self, rules: &[u32]) {
        self.rules.extend_from_slice(rules);
        self.text += rules.iter().map(|&rule| self.names.views()[rule as usize] as u32 as usize).sum::<usize>();
        // The last row of a batch adds at most as many as there are rules, whose numbers have 32 bits.
        self.ends.push(i32::try_from(self.rules.len()).expect("a batch is cut after some hundred thousand hits"));
    }

    /// Whether the batch should be handed over.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.rules.len() >= BATCH_HITS || self.text >= BATCH_TEXT
    }

    /// The batch with this column after all others.
    pub(crate) fn finish(&mut self, batch: &RecordBatch) -> RecordBatch {
        let ends = std::mem::replace(&mut self.ends, vec![0]);
        self.text = 0;
        let views = self.names.views();
        let views: ScalarBuffer<u128> = self.rules.drain(..).map(|rule| views[rule as usize]).collect();
        let names = StringViewArray::new(views, Arc::clone(self.names.data_buffers()), None);
        let field = rules(Profile::Views);
        let DataType::List(item) = field.data_type() else { unreachable!("each record may meet several") };
        let lists = ListArray::new(Arc::clone(item), OffsetBuffer::new(ends.into()), Arc::new(names), None);
        debug_assert_eq!(lists.len(), batch.num_rows());
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        columns.push(Arc::new(lists));
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let fields = batch.schema().fields().iter().cloned().chain([Arc::new(field)]).collect::<Vec<_>>();
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .expect("as many lists as rows, and a field for them")
    }
}
