//! Errors and surprises in event selectors.

use std::fmt;

use crate::filter::{Finding, Refused, Severity};

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Code {
    /// It is not JSON.
    Json,
    /// A value has the wrong type.
    Type,
    /// An object has an unknown member, or a repeated one.
    Member,
    /// There are basic and advanced selectors.
    BothKinds,
    /// There is no selector: nothing is logged.
    NoSelectors,
    /// A selector selects nothing.
    Nothing,
    /// There are too many selectors.
    TooManySelectors,
    /// There are too many data resources in basic selectors.
    TooManyResources,
    /// There are too many values in advanced selectors.
    TooManyValues,
    /// There is no field of this name in selectors of this category, or at all.
    Field,
    /// A field is repeated in one selector.
    FieldTwice,
    /// A required field is missing.
    FieldMissing,
    /// The field does not accept this operator.
    Operator,
    /// There are no values.
    NoValues,
    /// There is more than one value.
    SeveralValues,
    /// The value is not one of the allowed values.
    Value,
    /// A string is empty or too long.
    Length,
    /// The resource type is not known.
    ResourceType,
    /// The source of network activity events is not known.
    NetworkSource,
    /// `*` or `?` stands for itself.
    Wildcard,
    /// The name of a bucket is a prefix of other names.
    BucketSlash,
    /// The value does not have the form of an ARN.
    Arn,
    /// What one condition selects, another one excludes.
    Contradiction,
}

impl Code {
    /// A short, stable name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Type => "type",
            Self::Member => "member",
            Self::BothKinds => "both-kinds",
            Self::NoSelectors => "no-selectors",
            Self::Nothing => "nothing",
            Self::TooManySelectors => "too-many-selectors",
            Self::TooManyResources => "too-many-resources",
            Self::TooManyValues => "too-many-values",
            Self::Field => "field",
            Self::FieldTwice => "field-twice",
            Self::FieldMissing => "field-missing",
            Self::Operator => "operator",
            Self::NoValues => "no-values",
            Self::SeveralValues => "several-values",
            Self::Value => "value",
            Self::Length => "length",
            Self::ResourceType => "resource-type",
            Self::NetworkSource => "network-source",
            Self::Wildcard => "wildcard",
            Self::BucketSlash => "bucket-slash",
            Self::Arn => "arn",
            Self::Contradiction => "contradiction",
        }
    }
}

/// Event selectors that CloudTrail would refuse: all findings, at least one of them an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectorError(Refused);

impl From<SelectorError> for Refused {
    fn from(SelectorError(refused): SelectorError) -> Self {
        refused
    }
}

/// The first error.
impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SelectorError {}

/// Findings, in the order of the text.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn error(&mut self, path: &str, code: Code, message: impl Into<String>) {
        self.0.push(Finding { severity: Severity::Error, ..Finding::warning(path, code.name(), message) });
    }

    pub(super) fn warning(&mut self, path: &str, code: Code, message: impl Into<String>) {
        self.0.push(Finding::warning(path, code.name(), message));
    }

    /// The text is not JSON, from this line and column on.
    pub(super) fn no_json(&mut self, message: impl Into<String>, position: (usize, usize)) {
        self.error("", Code::Json, message);
        self.0.iter_mut().for_each(|finding| finding.position = Some(position));
    }

    /// The warnings, unless there are errors.
    pub(super) fn warnings(self) -> Result<Vec<Finding>, SelectorError> {
        let refused = Refused(self.0);
        if refused.first().is_some() { Err(SelectorError(refused)) } else { Ok(refused.0) }
    }
}
