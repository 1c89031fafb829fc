//! Digests as CloudTrail writes and signs them: shared by the code that verifies and the code that writes them.
//!
//! `format` (the content of a digest file, and the string that its signature covers), `signature` (public keys, and
//! where signatures are kept), `content` (hash and sizes of a file), `named` (whether a text names a call about
//! trails).

mod content;
mod format;
mod named;
mod signature;

pub(crate) use content::Running;
pub use content::{Content, Hashes};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use format::Previous;
#[cfg(test)]
pub(crate) use format::tests;
pub(crate) use format::{Digest, Listed, Name};
pub(crate) use named::names_calls;
pub(crate) use signature::{ALGORITHM, NoKey};
pub use signature::{Keys, Provenance, PublicKey, Saved, Signatures};
