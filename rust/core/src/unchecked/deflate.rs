//! libdeflate, whole buffers: the fast half of [`crate::inflate`].

use std::ptr::NonNull;

use libdeflate_sys as sys;

/// The result of inflating one gzip member.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// Whole and valid.
    Done {
        /// Bytes of the input that the member occupies.
        read: usize,
    },
    /// The output is too small.
    NeedsSpace,
    /// Not a whole, valid gzip member; the streaming inflater tells why.
    Bad,
}

/// A libdeflate decompressor, reused from file to file.
pub(crate) struct Decompressor(NonNull<sys::libdeflate_decompressor>);

// SAFETY: the C object is plain memory without ties to the thread that made it, and `&mut` keeps its uses apart.
unsafe impl Send for Decompressor {}

impl Decompressor {
    pub(crate) fn new() -> Self {
        // SAFETY: the call has no preconditions; null means that no memory was left.
        let object = unsafe { sys::libdeflate_alloc_decompressor() };
        Self(NonNull::new(object).expect("memory for a decompressor"))
    }

    /// Inflates the first gzip member of `input` and appends it to `text`, whose capacity must hold it and `reserved`
    /// bytes.
    ///
    /// Writing into spare capacity saves zeroing it first.
    pub(crate) fn gzip(&mut self, input: &[u8], text: &mut Vec<u8>, reserved: usize) -> Member {
        let (mut read, mut written) = (0, 0);
        let spare = text.spare_capacity_mut();
        let room = spare.len().saturating_sub(reserved);
        // SAFETY: pointers and lengths are those of live slices, the output is not aliased, the object is alive;
        // libdeflate writes `room` bytes at most and reads none of them before it has written them.
        let result = unsafe {
            sys::libdeflate_gzip_decompress_ex(
                self.0.as_ptr(),
                input.as_ptr().cast(),
                input.len(),
                spare.as_mut_ptr().cast(),
                room,
                &raw mut read,
                &raw mut written,
            )
        };
        match result {
            sys::libdeflate_result_LIBDEFLATE_SUCCESS => {
                // SAFETY: libdeflate has written this many bytes after the length; it reports the number only on
                // success.
                unsafe { text.set_len(text.len() + written) };
                Member::Done { read }
            }
            sys::libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE => Member::NeedsSpace,
            _ => Member::Bad,
        }
    }
}

impl Drop for Decompressor {
    fn drop(&mut self) {
        // SAFETY: allocated by `new`, freed once.
        unsafe { sys::libdeflate_free_decompressor(self.0.as_ptr()) }
    }
}
