//! What is known of a place in `CloudTrail`'s records, for remarks about conditions on it.

use crate::schema::{COLUMNS, Kind, find};

/// What is known of a path; elements of lists are written `[]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// A column of this kind.
    Column(Kind),
    /// Records have it, or what it is in, under a name that differs in upper and lower case.
    Spelled(&'static str),
    /// Nothing: it is in an open object, or new.
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
