//! What is wrong, or surprising, about event selectors.

use std::fmt;

/// Something that CloudTrail would refuse, or that does something else than it seems to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether CloudTrail would take it.
    pub severity: Severity,
    /// Where: `AdvancedEventSelectors[0].FieldSelectors[2].Field`; empty for the whole.
    pub path: String,
    /// What.
    pub code: Code,
    /// The same in words.
    pub message: String,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is taken, but does something else than it seems to, or AWS's pages advise against it.
    Warning,
    /// It is refused.
    Error,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Code {
    /// It is not JSON.
    Json,
    /// A value is of another type than it must be.
    Type,
    /// An object has a member that means nothing, or one member twice.
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
    /// There is no field of this name, or not in selectors of this category.
    Field,
    /// A field comes twice in one selector.
    FieldTwice,
    /// A field that is needed is missing.
    FieldMissing,
    /// The field does not take this operator.
    Operator,
    /// There are no values.
    NoValues,
    /// There is more than one value.
    SeveralValues,
    /// The value is none of those that there are.
    Value,
    /// A text is empty or too long.
    Length,
    /// The resource type is not known.
    ResourceType,
    /// The source of network activity events is not known.
    NetworkSource,
    /// `*` or `?` stands for itself.
    Wildcard,
    /// The name of a bucket is the beginning of others.
    BucketSlash,
    /// No ARN looks so.
    Arn,
    /// What one condition selects, another takes away.
    Contradiction,
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

impl Code {
    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
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

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Event selectors that CloudTrail would refuse: the first reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectorError(Finding);

impl SelectorError {
    pub(super) fn new(finding: Finding) -> Self {
        Self(finding)
    }

    /// What is refused, and where.
    #[must_use]
    pub fn finding(&self) -> &Finding {
        &self.0
    }
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::error::Error for SelectorError {}

/// Findings, in the order of the text.
#[derive(Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    pub(super) fn error(&mut self, path: &str, code: Code, message: impl Into<String>) {
        self.push(Severity::Error, path, code, message.into());
    }

    pub(super) fn warning(&mut self, path: &str, code: Code, message: impl Into<String>) {
        self.push(Severity::Warning, path, code, message.into());
    }

    fn push(&mut self, severity: Severity, path: &str, code: Code, message: String) {
        self.0.push(Finding { severity, path: path.to_owned(), code, message });
    }
}
