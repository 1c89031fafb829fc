//! The one room with `unsafe`: three small doors to what safe Rust cannot say, each with a safe twin that tests compare.
//!
//! | door | why | twin |
//! |---|---|---|
//! | [`classify`] | SIMD loads and stores | `classify::scalar` |
//! | [`deflate`] | libdeflate's C interface alone tells how much input it read, and writes to memory that was never zeroed | `flate2`, in `inflate::stream` |
//! | [`view`] | `arrow` would validate again, string by string, what the parser has proven; views are made there too | `StringViewArray::try_new` |

#![expect(unsafe_code, reason = "this is the room")]

pub(crate) mod classify;
pub(crate) mod deflate;
pub(crate) mod view;
