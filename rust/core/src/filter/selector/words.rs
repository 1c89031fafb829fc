//! Places and texts of users, as messages name them.

use crate::error::excerpt;

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

pub(super) fn element(path: &str, at: usize) -> String {
    format!("{path}[{at}]")
}

/// A text of the user's, as a message repeats it.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", excerpt(text))
}

/// What is probably meant, as the end of a message.
pub(super) fn hint(similar: Option<&str>) -> String {
    similar.map_or_else(String::new, |similar| format!("; perhaps {similar:?} is meant"))
}
