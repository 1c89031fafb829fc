//! What a pattern does that its author may not expect.

use std::collections::BTreeSet;
use std::fmt;

use super::alternative::Alternative;
use super::compile::{Place, in_envelope, is_of_envelope, meets};
use super::error::PatternError;
use super::{Combination, Pattern};
use crate::filter::selector::Severity;

/// Most characters of the pattern of a rule, by the API reference of `PutRule`.
const PUT_RULE: usize = 4096;

/// The kinds of events that `CloudTrail` puts on a bus.
const DETAIL_TYPES: [&str; 7] = [
    "AWS API Call via CloudTrail",
    "AWS Console Action via CloudTrail",
    "AWS Console Sign In via CloudTrail",
    "AWS Console Signin via CloudTrail",
    "AWS Insight via CloudTrail",
    "AWS Network Activity Event via CloudTrail",
    "AWS Service Event via CloudTrail",
];

/// Something of a pattern that a rule would not take, or that may not do what it seems to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// The field that it is about, as names with dots between them; empty for the pattern as a whole.
    pub field: String,
    /// What it is.
    pub kind: RemarkKind,
}

/// What a [`Remark`] is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RemarkKind {
    /// A rule takes fewer characters than these.
    TooLong(usize),
    /// No event on a bus has the field, which a record may have.
    NoEnvelope,
    /// The field came before, and what it said then does not count.
    Replaced,
    /// A string with a star in it.
    PlainStar(String),
    /// More than one `anything-but`: what one of them excludes meets another.
    AnythingButTwice,
    /// No event of `CloudTrail` meets it.
    NeverMet,
    /// The name of a service where it is written otherwise: the name, how it begins or ends there.
    Service(String, &'static str),
    /// No `detail-type` of `CloudTrail` is this.
    DetailType(String),
}

impl RemarkKind {
    /// A short, stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "too-long",
            Self::NoEnvelope => "no-envelope",
            Self::Replaced => "replaced",
            Self::PlainStar(_) => "plain-star",
            Self::AnythingButTwice => "always-met",
            Self::NeverMet => "never-met",
            Self::Service(..) => "service",
            Self::DetailType(_) => "detail-type",
        }
    }
}

impl Remark {
    /// Whether a rule would take the pattern.
    #[must_use]
    pub fn severity(&self) -> Severity {
        if matches!(self.kind, RemarkKind::TooLong(_)) { Severity::Error } else { Severity::Warning }
    }
}

impl fmt::Display for RemarkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(characters) => {
                write!(f, "a rule takes an event pattern of at most {PUT_RULE} characters, not {characters}")
            }
            Self::NoEnvelope => {
                f.write_str("no event of EventBridge has this field at its top: the pattern sees bare records only")
            }
            Self::Replaced => f.write_str("the field comes more than once, and only the last one counts"),
            Self::PlainStar(text) => {
                write!(f, "the '*' in {text:?} stands for itself; {{\"wildcard\": …}} would have it stand for anything")
            }
            Self::AnythingButTwice => {
                f.write_str("what one \"anything-but\" excludes meets the other; one with an array would exclude both")
            }
            Self::NeverMet => f.write_str("no event of CloudTrail meets this"),
            Self::Service(name, form) => write!(f, "{name:?} is not how services are named here: {form}"),
            Self::DetailType(name) => write!(f, "{name:?} is no detail-type of CloudTrail's events"),
        }
    }
}

impl Pattern {
    /// What is surprising about a pattern, by field; or why the text is none.
    pub fn lint(text: &str) -> Result<Vec<Remark>, PatternError> {
        let pattern = Self::parse(text)?;
        let mut remarks = BTreeSet::new();
        let characters = text.chars().count();
        if characters > PUT_RULE {
            remarks.insert(Remark { field: String::new(), kind: RemarkKind::TooLong(characters) });
        }
        remarks.extend(pattern.replaced.iter().map(|field| Remark { field: field.clone(), kind: RemarkKind::Replaced }));
        let of_envelope = pattern.is_of_envelope();
        for (field, alternatives) in pattern.combinations.iter().flat_map(Combination::iter) {
            let kinds = kinds(field, alternatives, of_envelope);
            remarks.extend(kinds.into_iter().map(|kind| Remark { field: field.clone(), kind }));
        }
        Ok(remarks.into_iter().collect())
    }
}

fn kinds(field: &str, alternatives: &[Alternative], of_envelope: bool) -> Vec<RemarkKind> {
    let mut kinds = Vec::new();
    if alternatives.iter().filter(|alternative| matches!(alternative, Alternative::AnythingBut(_))).count() > 1 {
        kinds.push(RemarkKind::AnythingButTwice);
    }
    let never = |place| match place {
        Place::At(_) => false,
        Place::Fixed(text) => !meets(alternatives, text),
        Place::Nowhere => !alternatives.contains(&Alternative::Exists(false)),
    };
    if of_envelope && never(in_envelope(field)) {
        kinds.push(RemarkKind::NeverMet);
    }
    if !is_of_envelope(field) {
        kinds.push(RemarkKind::NoEnvelope);
    }
    for alternative in alternatives {
        let Alternative::Text(text) = alternative else { continue };
        if text.contains('*') {
            kinds.push(RemarkKind::PlainStar(text.clone()));
        }
        match field {
            "source" if of_envelope && !text.starts_with("aws.") => {
                kinds.push(RemarkKind::Service(text.clone(), "they begin with \"aws.\""));
            }
            "detail-type" if of_envelope && !DETAIL_TYPES.contains(&text.as_str()) => {
                kinds.push(RemarkKind::DetailType(text.clone()));
            }
            "eventSource" | "detail.eventSource" if text.starts_with("aws.") => {
                kinds.push(RemarkKind::Service(text.clone(), "they end with \".amazonaws.com\""));
            }
            _ => {}
        }
    }
    kinds
}
