//! Views to a string array without a second validation.

use std::sync::Arc;

use arrow_array::StringViewArray;
use arrow_buffer::{Buffer, NullBuffer, ScalarBuffer};

/// The array of these views over these buffers.
///
/// `columns::text::TextBuilder`, the only caller, upholds what `arrow` would check: each view that is longer than 12 bytes lies
/// inside its buffer and repeats its first four bytes, each shorter one is padded with zeros, and all of them cut text that was
/// validated as UTF-8 at ASCII bytes. Builds with debug assertions check it again.
pub(crate) fn string_array(views: Vec<u128>, buffers: Arc<[Buffer]>, nulls: Option<NullBuffer>) -> StringViewArray {
    let views = ScalarBuffer::from(views);
    debug_assert_eq!(StringViewArray::try_new(views.clone(), buffers.clone(), nulls.clone()).err().map(|e| e.to_string()), None);
    // SAFETY: see above; the twin `try_new` runs in every test.
    unsafe { StringViewArray::new_unchecked(views, buffers, nulls) }
}
