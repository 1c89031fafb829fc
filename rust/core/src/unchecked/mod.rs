//! The one module with `unsafe`: three small doors to what safe Rust cannot express, each with a safe twin that tests
//! compare it with.
//!
//! | door | why | twin |
//! |---|---|---|
//! | [`classify`] | SIMD loads and stores | `classify::scalar` |
//! | [`deflate`] | only libdeflate's C interface reports the input it read and fills uninitialised memory | `flate2` |
//! | [`view`] | `arrow` would validate each string again, which the parser has done | `StringViewArray::try_new` |

#![expect(unsafe_code, reason = "this is the room")]

pub(crate) mod classify;
pub(crate) mod deflate;
pub(crate) mod view;
