//! What is known about a path in `CloudTrail`'s records, for remarks about conditions on it.

use std::collections::HashSet;

use super::Finding;
use crate::schema::{COLUMNS, Kind, find};
use crate::words::{nearest, quoted};

/// How similar an unknown name must be to a known one to count as a typo: AWS also adds fields.
const ALIKE: f64 = 0.8;

/// What is known about a path; elements of lists are written `[]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// A column of this kind.
    Column(Kind),
    /// Records have it, or a parent of it, under a name that differs in case.
    Spelled(&'static str),
    /// Nothing: it is inside of an open object, or new.
    Nothing,
}

impl Known {
    /// Looks a path up, from its first name on.
    pub(super) fn of(path: &str) -> Self {
        let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
        for end in ends {
            let part = &path[..end];
            let part = if end < path.len() { part.trim_end_matches("[]") } else { part };
            match find(part).map(|column| COLUMNS[column as usize].kind) {
                Some(Kind::Extra | Kind::Raw | Kind::File | Kind::Record) => return Self::Nothing,
                Some(kind) if end == path.len() => return Self::Column(kind),
                Some(_) => {}
                None => {
                    let alike = COLUMNS.iter().find(|column| column.path.eq_ignore_ascii_case(part));
                    return alike.map_or(Self::Nothing, |column| Self::Spelled(column.path));
                }
            }
        }
        Self::Nothing
    }
}

/// The fields that records have at their top.
pub(super) fn fields() -> Vec<&'static str> {
    let own = |kind| !matches!(kind, Kind::Extra | Kind::Raw | Kind::File | Kind::Record);
    COLUMNS.iter().filter(|column| own(column.kind) && !column.path.contains('.')).map(|column| column.path).collect()
}

/// Unknown names that are similar to a known one: each once, with the prefix of its path in the finding.
pub(super) fn slips<'n>(names: impl IntoIterator<Item = &'n str>, before: &str, known: &[&str]) -> Vec<Finding> {
    let mut seen = HashSet::new();
    let new = names.into_iter().filter(|name| !known.contains(name) && seen.insert(*name));
    new.filter_map(|name| {
        let close = known[nearest(name, known, ALIKE)?];
        // A name that differs only in case is reported elsewhere.
        let message = (close.to_lowercase() != name.to_lowercase()).then(|| {
            let [name, close] = [name, close].map(quoted);
            format!("records are not known to have a field {name}; did you mean {close}?")
        });
        Some(Finding::warning(format!("{before}{name}"), "unknown-field", message?))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_records() {
        for (path, expected) in [
            ("readOnly", Known::Column(Kind::Flag)),
            ("userIdentity.arn", Known::Column(Kind::Text)),
            ("resources[].ARN", Known::Column(Kind::Text)),
            ("resources", Known::Column(Kind::List)),
            ("EventName", Known::Spelled("eventName")),
            ("useridentity.arn", Known::Spelled("userIdentity")),
            ("userIdentity.ARN", Known::Spelled("userIdentity.arn")),
            ("resources[].arn", Known::Spelled("resources[].ARN")),
            ("requestParameters.BucketName", Known::Nothing),
            ("new", Known::Nothing),
            ("raw", Known::Nothing),
            ("", Known::Nothing),
        ] {
            assert_eq!(Known::of(path), expected, "{path}");
        }
    }
}
