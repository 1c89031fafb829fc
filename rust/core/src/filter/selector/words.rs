//! Places and values from users, as messages name them.

use crate::error::excerpt;

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

pub(super) fn element(path: &str, at: usize) -> String {
    format!("{path}[{at}]")
}

/// A user's string, as a message repeats it.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", excerpt(text))
}

/// The end of a message, with the name that was probably meant.
pub(super) fn hint(similar: Option<&str>) -> String {
    similar.map_or_else(String::new, |similar| format!("; perhaps {similar:?} is meant"))
}
