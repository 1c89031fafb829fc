//! What a pattern does that its author may not expect.

use std::collections::BTreeSet;
use std::fmt;

use super::alternative::{Affix, Alternative, AnythingBut, Literal};
use super::compile::{Place, in_envelope, is_of_envelope, meets};
use super::error::PatternError;
use super::state::State;
use super::wildcard::Wildcard;
use super::{Combination, Pattern};
use crate::error::excerpt;
use crate::filter::known::Known;
use crate::filter::selector::Severity;
use crate::filter::{Derived, Path};
use crate::schema::Kind;

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

/// Those of sign-ins, in the spelling of events and in that of the guide; and the names of such events.
const SIGN_IN_TYPES: [&str; 2] = ["AWS Console Sign In via CloudTrail", "AWS Console Signin via CloudTrail"];
const SIGN_INS: [&str; 5] = ["ConsoleLogin", "CheckMfa", "SwitchRole", "ExitRole", "RenewRole"];

/// So many single characters between the stars of a wildcard are worth a remark. Where `EventBridge` has its limit is not known.
const SINGLE_CHARACTERS: usize = 3;

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
    /// Events of this name have another `detail-type` than those that are asked for.
    SignIn(String),
    /// A text where records have JSON's true or false.
    FlagAsText(String),
    /// JSON's true or false where records have a text.
    TextAsFlag(&'static str),
    /// `exists` on an object, which is no value.
    ExistsOnObject,
    /// The name that records have.
    Spelled(&'static str),
    /// A wildcard of many stars with one character between them.
    Complex(String),
    /// The rule sees nothing.
    Disabled,
    /// The rule does not see management events that only read.
    ReadOnly,
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
            Self::DetailType(_) | Self::SignIn(_) => "detail-type",
            Self::FlagAsText(_) | Self::TextAsFlag(_) => "flag",
            Self::ExistsOnObject => "exists-object",
            Self::Spelled(_) => "spelling",
            Self::Complex(_) => "too-complex",
            Self::Disabled => "disabled",
            Self::ReadOnly => "read-only",
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
                write!(
                    f,
                    "the '*' in {:?} stands for itself; {{\"wildcard\": …}} would have it stand for anything",
                    excerpt(text)
                )
            }
            Self::AnythingButTwice => {
                f.write_str("what one \"anything-but\" excludes meets the other; one with an array would exclude both")
            }
            Self::NeverMet => f.write_str("no event of CloudTrail meets this"),
            Self::Service(name, form) => write!(f, "{:?} is not how services are named here: {form}", excerpt(name)),
            Self::DetailType(name) => write!(f, "{:?} is no detail-type of CloudTrail's events", excerpt(name)),
            Self::SignIn(name) => {
                write!(f, "{name} comes with the detail-type \"{}\", which the pattern does not take", SIGN_IN_TYPES[0])
            }
            Self::Disabled => f.write_str("the rule is DISABLED and sees no event"),
            Self::ReadOnly => write!(
                f,
                "a rule in the state {} sees no management events that only read: {} does",
                State::Enabled.name(),
                State::EnabledWithAllManagementEvents.name()
            ),
            Self::FlagAsText(text) => {
                write!(f, "records have JSON's true or false here, which the text {:?} never is", excerpt(text))
            }
            Self::TextAsFlag(word) => {
                write!(f, "records have a text here, which JSON's {word} never is: \"{word}\" may be meant")
            }
            Self::ExistsOnObject => {
                f.write_str("\"exists\" asks for a value, and an object or a list of objects is none: name a member of it")
            }
            Self::Spelled(path) => write!(f, "records spell this otherwise: {path}"),
            Self::Complex(text) => {
                write!(
                    f,
                    "EventBridge may refuse the wildcard {:?} as too complex: many stars around single characters",
                    excerpt(text)
                )
            }
        }
    }
}

impl Pattern {
    /// What is surprising about a pattern, by field; or why the text is none.
    pub fn lint(text: &str, state: Option<State>) -> Result<Vec<Remark>, PatternError> {
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
        remarks.extend(pattern.combinations.iter().flat_map(sign_ins));
        match state {
            Some(State::Disabled) => {
                remarks.insert(Remark { field: String::new(), kind: RemarkKind::Disabled });
            }
            Some(State::Enabled) => remarks.extend(pattern.combinations.iter().flat_map(read_only)),
            _ => {}
        }
        Ok(remarks.into_iter().collect())
    }
}

/// Sign-ins that the `detail-type` of a combination leaves out.
fn sign_ins(combination: &Combination) -> Vec<Remark> {
    const NAME: &str = "detail.eventName";
    let (Some(types), Some(names)) = (combination.get("detail-type"), combination.get(NAME)) else { return Vec::new() };
    if SIGN_IN_TYPES.iter().any(|name| meets(types, name)) {
        return Vec::new();
    }
    let texts = names.iter().filter_map(|name| match name {
        Alternative::Text(name) if SIGN_INS.contains(&name.as_str()) => Some(name),
        _ => None,
    });
    texts.map(|name| Remark { field: NAME.to_owned(), kind: RemarkKind::SignIn(name.clone()) }).collect()
}

/// Names of calls that only read, most likely.
const READING: [&str; 3] = ["Describe", "Get", "List"];

/// Fields that only management events meet which a rule does not see unless its state says so, as far as names tell.
fn read_only(combination: &Combination) -> Vec<Remark> {
    let reads = |name: &str, alternative: &Alternative| match alternative {
        Alternative::Literal(Literal::True) => name == "detail.readOnly",
        Alternative::Text(text) | Alternative::Prefix(Affix::Exact(text)) => {
            name == "detail.eventName" && READING.iter().any(|start| text.starts_with(start))
        }
        _ => false,
    };
    let all = combination.iter().filter(|(name, alternatives)| alternatives.iter().all(|alternative| reads(name, alternative)));
    all.map(|(name, _)| Remark { field: name.clone(), kind: RemarkKind::ReadOnly }).collect()
}

/// What is to be said of an alternative where records have what is known.
fn on_record(known: Known, alternative: &Alternative) -> Option<RemarkKind> {
    match (known, alternative) {
        (Known::Column(Kind::Flag), Alternative::Text(text) | Alternative::Exactly(text)) => {
            Some(RemarkKind::FlagAsText(text.clone()))
        }
        (Known::Column(Kind::Text), Alternative::Literal(literal @ (Literal::True | Literal::False))) => {
            Some(RemarkKind::TextAsFlag(literal.text()))
        }
        (Known::Column(Kind::Object | Kind::List | Kind::Json), Alternative::Exists(_)) => Some(RemarkKind::ExistsOnObject),
        _ => None,
    }
}

/// The wildcards of an alternative that may be too complex.
fn complex(alternative: &Alternative) -> Option<RemarkKind> {
    let wildcards = match alternative {
        Alternative::Wildcard(wildcard) => std::slice::from_ref(wildcard),
        Alternative::AnythingBut(AnythingBut::Wildcard(wildcards)) => wildcards,
        _ => &[],
    };
    let is_complex = |wildcard: &&Wildcard| {
        let between = wildcard.pieces().len().saturating_sub(2);
        let single = wildcard.pieces().iter().skip(1).take(between).filter(|piece| piece.chars().count() == 1);
        single.count() >= SINGLE_CHARACTERS
    };
    wildcards.iter().find(is_complex).map(|wildcard| RemarkKind::Complex(wildcard.text().to_owned()))
}

fn kinds(field: &str, alternatives: &[Alternative], of_envelope: bool) -> Vec<RemarkKind> {
    let mut kinds = Vec::new();
    if alternatives.iter().filter(|alternative| matches!(alternative, Alternative::AnythingBut(_))).count() > 1 {
        kinds.push(RemarkKind::AnythingButTwice);
    }
    let never = |place| match place {
        // CloudTrail's events come without them.
        Place::Nowhere | Place::At(Path::Derived(Derived::Resources)) => !alternatives.contains(&Alternative::Exists(false)),
        Place::At(_) => false,
        Place::Fixed(text) => !meets(alternatives, text),
    };
    if of_envelope && never(in_envelope(field)) {
        kinds.push(RemarkKind::NeverMet);
    }
    if !is_of_envelope(field) {
        kinds.push(RemarkKind::NoEnvelope);
    }
    let known = if of_envelope { field.strip_prefix("detail.").map_or(Known::Nothing, Known::of) } else { Known::of(field) };
    if let Known::Spelled(path) = known {
        kinds.push(RemarkKind::Spelled(path));
    }
    for alternative in alternatives {
        kinds.extend(on_record(known, alternative).into_iter().chain(complex(alternative)));
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
