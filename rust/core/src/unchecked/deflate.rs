//! libdeflate, whole buffers: the fast half of [`crate::inflate`].

use std::ptr::NonNull;

use libdeflate_sys as sys;

/// How one gzip member came out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// Whole and right: so many bytes read, so many written.
    Done {
        /// Bytes of the input that the member takes.
        read: usize,
        /// Bytes that it inflates to.
        written: usize,
    },
    /// The output is too small.
    NeedsSpace,
    /// Not a whole and right gzip member; the streaming inflater tells why.
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

    /// Inflates the first gzip member of `input`.
    pub(crate) fn gzip(&mut self, input: &[u8], output: &mut [u8]) -> Member {
        let (mut read, mut written) = (0, 0);
        // SAFETY: pointers and lengths are those of live slices, the output is not aliased, the object is alive.
        let result = unsafe {
            sys::libdeflate_gzip_decompress_ex(
                self.0.as_ptr(),
                input.as_ptr().cast(),
                input.len(),
                output.as_mut_ptr().cast(),
                output.len(),
                &raw mut read,
                &raw mut written,
            )
        };
        match result {
            sys::libdeflate_result_LIBDEFLATE_SUCCESS => Member::Done { read, written },
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
