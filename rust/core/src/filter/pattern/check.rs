//! Effects of a pattern that its author may not expect.

use std::collections::BTreeSet;
use std::fmt;

use super::alternative::{Affix, Alternative, AnythingBut, Literal};
use super::compile::{ENVELOPE, Place, in_envelope, is_of_envelope, meets};
use super::state::State;
use super::wildcard::Wildcard;
use super::{Combination, Pattern};
use crate::error::excerpt;
use crate::filter::known::{Known, fields, slips};
use crate::filter::{Derived, Finding, Path, Severity};
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

/// The `detail-type` of sign-ins, in the spelling of events and in the spelling of the guide; and the names of such
/// events.
const SIGN_IN_TYPES: [&str; 2] = ["AWS Console Sign In via CloudTrail", "AWS Console Signin via CloudTrail"];
const SIGN_INS: [&str; 5] = ["ConsoleLogin", "CheckMfa", "SwitchRole", "ExitRole", "RenewRole"];

/// This many single characters between the stars of a wildcard are worth a remark. The limit of `EventBridge` is not
/// known.
const SINGLE_CHARACTERS: usize = 3;

/// A remark about a field or, without a name, about the pattern as a whole.
type Said = (String, Remark);

/// What a rule would refuse, or what may not do what it seems to do.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Remark {
    /// A rule allows fewer characters than this.
    TooLong(usize),
    /// Events on a bus do not have the field, though records may.
    NoEnvelope,
    /// The field is repeated, and its earlier conditions do not count.
    Replaced,
    /// A string with a star in it.
    PlainStar(String),
    /// More than one `anything-but`: what one of them excludes meets another one.
    AnythingButTwice,
    /// No event of `CloudTrail` meets it.
    NeverMet,
    /// Only events on a bus have the field, and the pattern sees bare records, because of another field.
    NotInRecords,
    /// The name of a service where it is written differently: the name, and its prefix or suffix there.
    Service(String, &'static str),
    /// No `detail-type` of `CloudTrail` is this.
    DetailType(String),
    /// Events of this name have another `detail-type` than the pattern requires.
    SignIn(String),
    /// A string where records have JSON's true or false.
    FlagAsText(String),
    /// JSON's true or false where records have a string.
    TextAsFlag(&'static str),
    /// `exists` on an object, which does not count as a value.
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

impl Remark {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "too-long",
            Self::NoEnvelope => "no-envelope",
            Self::Replaced => "replaced",
            Self::PlainStar(_) => "plain-star",
            Self::AnythingButTwice => "always-met",
            Self::NeverMet | Self::NotInRecords => "never-met",
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

impl fmt::Display for Remark {
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
            Self::NotInRecords => f.write_str(
                "events of EventBridge have this, and records do not: the pattern sees bare records, because of a \
                 field that is at the top of records only",
            ),
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
            Self::ExistsOnObject => f.write_str(
                "\"exists\" asks for a value, and an object or a list of objects is none: name a member of it",
            ),
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
    /// Surprises in a pattern, by field; and what a rule would refuse.
    #[must_use]
    pub fn check(&self, state: Option<State>) -> Vec<Finding> {
        let mut said = BTreeSet::new();
        if self.characters > PUT_RULE {
            said.insert((String::new(), Remark::TooLong(self.characters)));
        }
        said.extend(self.replaced.iter().map(|field| (field.clone(), Remark::Replaced)));
        let of_envelope = self.is_of_envelope();
        for (field, alternatives) in self.combinations.iter().flat_map(Combination::iter) {
            said.extend(remarks(field, alternatives, of_envelope).into_iter().map(|remark| (field.clone(), remark)));
        }
        said.extend(self.combinations.iter().flat_map(sign_ins));
        match state {
            Some(State::Disabled) => {
                said.insert((String::new(), Remark::Disabled));
            }
            Some(State::Enabled) => said.extend(self.combinations.iter().flat_map(read_only)),
            _ => {}
        }
        let finding = |(field, remark): Said| {
            let severity = if matches!(remark, Remark::TooLong(_)) { Severity::Error } else { Severity::Warning };
            Finding { severity, ..Finding::warning(field, remark.code(), remark.to_string()) }
        };
        said.into_iter().map(finding).chain(self.slips()).collect()
    }

    /// Names at the top that are similar to those of events or records.
    fn slips(&self) -> Vec<Finding> {
        let names = || self.combinations.iter().flat_map(Combination::keys).map(String::as_str);
        let tops = names().map(top);
        if names().any(marks_envelope) {
            let inside = names().filter_map(|name| name.strip_prefix("detail.")).map(top);
            slips(tops, "", &ENVELOPE).into_iter().chain(slips(inside, "detail.", &fields())).collect()
        } else {
            slips(tops, "", &[&fields()[..], &ENVELOPE].concat())
        }
    }
}

/// Whether a field is of events on a bus and of no record.
fn marks_envelope(name: &str) -> bool {
    ["detail", "detail-type", "source"].contains(&top(name))
}

/// The first of the names that dots join.
fn top(name: &str) -> &str {
    name.split_once('.').map_or(name, |(top, _)| top)
}

/// Sign-ins that the `detail-type` of a combination excludes.
fn sign_ins(combination: &Combination) -> Vec<Said> {
    const NAME: &str = "detail.eventName";
    let (Some(types), Some(names)) = (combination.get("detail-type"), combination.get(NAME)) else { return Vec::new() };
    if SIGN_IN_TYPES.iter().any(|name| meets(types, name)) {
        return Vec::new();
    }
    let texts = names.iter().filter_map(|name| match name {
        Alternative::Text(name) if SIGN_INS.contains(&name.as_str()) => Some(name),
        _ => None,
    });
    texts.map(|name| (NAME.to_owned(), Remark::SignIn(name.clone()))).collect()
}

/// Prefixes of calls that most likely only read.
const READING: [&str; 3] = ["Describe", "Get", "List"];

/// Fields that, judging by their names, only such management events meet as a rule does not see unless its state says
/// so.
fn read_only(combination: &Combination) -> Vec<Said> {
    let reads = |name: &str, alternative: &Alternative| match alternative {
        Alternative::Literal(Literal::True) => name == "detail.readOnly",
        Alternative::Text(text) | Alternative::Prefix(Affix::Exact(text)) => {
            name == "detail.eventName" && READING.iter().any(|start| text.starts_with(start))
        }
        _ => false,
    };
    let all = combination
        .iter()
        .filter(|(name, alternatives)| alternatives.iter().all(|alternative| reads(name, alternative)));
    all.map(|(name, _)| (name.clone(), Remark::ReadOnly)).collect()
}

/// The remark about an alternative on a field of records, given what is known about the field.
fn on_record(known: Known, alternative: &Alternative) -> Option<Remark> {
    match (known, alternative) {
        (Known::Column(Kind::Flag), Alternative::Text(text) | Alternative::Exactly(text)) => {
            Some(Remark::FlagAsText(text.clone()))
        }
        (Known::Column(Kind::Text), Alternative::Literal(literal @ (Literal::True | Literal::False))) => {
            Some(Remark::TextAsFlag(literal.text()))
        }
        (Known::Column(Kind::Object | Kind::List | Kind::Json), Alternative::Exists(_)) => Some(Remark::ExistsOnObject),
        _ => None,
    }
}

/// The wildcards of an alternative that may be too complex.
fn complex(alternative: &Alternative) -> Option<Remark> {
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
    wildcards.iter().find(is_complex).map(|wildcard| Remark::Complex(wildcard.text().to_owned()))
}

fn remarks(field: &str, alternatives: &[Alternative], of_envelope: bool) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if alternatives.iter().filter(|alternative| matches!(alternative, Alternative::AnythingBut(_))).count() > 1 {
        remarks.push(Remark::AnythingButTwice);
    }
    let never = |place| match place {
        // CloudTrail's events have no values there.
        Place::Nowhere | Place::At(Path::Derived(Derived::Resources)) => {
            !alternatives.contains(&Alternative::Exists(false))
        }
        Place::At(_) => false,
        Place::Fixed(text) => !meets(alternatives, text),
    };
    if of_envelope && never(in_envelope(field)) {
        remarks.push(Remark::NeverMet);
    }
    if !is_of_envelope(field) {
        remarks.push(Remark::NoEnvelope);
    } else if !of_envelope && marks_envelope(field) && !alternatives.contains(&Alternative::Exists(false)) {
        remarks.push(Remark::NotInRecords);
    }
    let known =
        if of_envelope { field.strip_prefix("detail.").map_or(Known::Nothing, Known::of) } else { Known::of(field) };
    if let Known::Spelled(path) = known {
        remarks.push(Remark::Spelled(path));
    }
    for alternative in alternatives {
        remarks.extend(on_record(known, alternative).into_iter().chain(complex(alternative)));
        let Alternative::Text(text) = alternative else { continue };
        if text.contains('*') {
            remarks.push(Remark::PlainStar(text.clone()));
        }
        match field {
            "source" if of_envelope && !text.starts_with("aws.") => {
                remarks.push(Remark::Service(text.clone(), "they begin with \"aws.\""));
            }
            "detail-type" if of_envelope && !DETAIL_TYPES.contains(&text.as_str()) => {
                remarks.push(Remark::DetailType(text.clone()));
            }
            "eventSource" | "detail.eventSource" if text.starts_with("aws.") => {
                remarks.push(Remark::Service(text.clone(), "they end with \".amazonaws.com\""));
            }
            _ => {}
        }
    }
    remarks
}
