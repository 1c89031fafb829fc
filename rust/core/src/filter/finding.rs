//! Findings: errors and surprises in a condition that a user wrote, in any language.

use std::fmt;

/// Something that AWS would refuse, or that does not do what it seems to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether AWS would accept it.
    pub severity: Severity,
    /// A short, stable name.
    pub code: &'static str,
    /// A sentence, without the place.
    pub message: String,
    /// The field, as the language names fields; empty for the whole condition.
    pub path: String,
    /// Line and column in the text, in characters from 1, if the language reports them.
    pub position: Option<(usize, usize)>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// AWS accepts it, but it does not do what it seems to do, or AWS's pages advise against it.
    Warning,
    /// AWS refuses it.
    Error,
}

/// Why a text was refused: all findings, at least one of them an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub Vec<Finding>);

impl Finding {
    /// A warning about a field.
    pub(super) fn warning(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        let (path, message) = (path.into(), message.into());
        Self { severity: Severity::Warning, code, message, path, position: None }
    }
}

impl Severity {
    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        self.position.map_or(Ok(()), |(line, column)| write!(f, " at line {line}, column {column}"))
    }
}

impl Refused {
    /// The first error.
    #[must_use]
    pub fn first(&self) -> Option<&Finding> {
        self.0.iter().find(|finding| finding.severity == Severity::Error)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first().map_or(Ok(()), |finding| finding.fmt(f))
    }
}

impl std::error::Error for Refused {}
