//! What a filter pattern does that its author may not expect, on the records of `CloudTrail`.

use std::collections::BTreeSet;
use std::fmt;

use super::error::FilterError;
use super::json::{Condition, Selector, Step, Test};
use super::operand::{Number, Operand, Operator};
use super::pattern::{FilterPattern, Language};
use crate::filter::known::Known;
use crate::schema::Kind;

/// Digits of the id of an account.
const ACCOUNT: usize = 12;
/// What holds records elsewhere: events on a bus, and log files. A log event of `CloudTrail` is one record.
const AROUND: [&str; 2] = ["detail", "Records"];

/// Something of a filter pattern that may not do what it seems to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// The selector that it is about.
    pub selector: String,
    /// What it is.
    pub kind: RemarkKind,
}

/// What a [`Remark`] is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RemarkKind {
    /// JSON's true and false are compared with nothing.
    Flag,
    /// The same, where they may stand: the word without quotes.
    BareFlag(&'static str),
    /// A text is neither true nor false.
    TextFlag,
    /// A text has no order.
    TextOrder,
    /// A number without quotes where records have a text.
    BareNumber(String),
    /// The name that records have.
    Spelled(&'static str),
    /// No record has this member, but what records come in.
    Around,
}

impl RemarkKind {
    /// A short, stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Flag | Self::BareFlag(_) | Self::TextFlag => "flag",
            Self::TextOrder | Self::Around => "never-met",
            Self::BareNumber(_) => "number",
            Self::Spelled(_) => "spelling",
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.selector)?;
        match &self.kind {
            RemarkKind::Flag => {
                f.write_str("is JSON's true or false in records, which no '=' and no '!=' is met by: IS TRUE and IS FALSE are")
            }
            RemarkKind::BareFlag(word) => {
                write!(f, "is compared with the text \"{word}\": JSON's {word} meets IS {} only", word.to_ascii_uppercase())
            }
            RemarkKind::TextFlag => f.write_str("is a text in records, which never IS TRUE or IS FALSE: = \"true\" may be meant"),
            RemarkKind::TextOrder => f.write_str("is a text in records, which has no order: the comparison is never met"),
            RemarkKind::BareNumber(number) => {
                write!(f, "is a text in records, and compared with {number} as a text: quotes would say so")
            }
            RemarkKind::Spelled(path) => write!(f, "is not how records have it: $.{path}"),
            RemarkKind::Around => {
                f.write_str("is never there: what CloudTrail sends to CloudWatch Logs is the record itself, such as $.eventName")
            }
        }
    }
}

impl FilterPattern {
    /// What is surprising about a pattern, by selector; or why the text is none.
    pub fn lint(text: &str) -> Result<Vec<Remark>, FilterError> {
        let mut remarks = BTreeSet::new();
        if let Language::Json(condition) = &Self::parse(text)?.0 {
            condition.remarks(&mut remarks);
        }
        Ok(remarks.into_iter().collect())
    }
}

impl Condition {
    fn remarks(&self, remarks: &mut BTreeSet<Remark>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.remarks(remarks)),
            Self::Field(selector, test) => {
                let kind = selector.remark().or_else(|| test.remark(selector.known()));
                remarks.extend(kind.map(|kind| Remark { selector: selector.to_string(), kind }));
            }
        }
    }
}

impl Selector {
    fn remark(&self) -> Option<RemarkKind> {
        match (self.known(), self.0.first()) {
            (Known::Spelled(path), _) => Some(RemarkKind::Spelled(path)),
            (Known::Nothing, Some(Step::Member(name))) if AROUND.contains(&name.as_str()) => Some(RemarkKind::Around),
            _ => None,
        }
    }

    fn known(&self) -> Known {
        let mut path = String::new();
        for step in &self.0 {
            match step {
                Step::Member(name) if path.is_empty() => path.push_str(name),
                Step::Member(name) => path.extend([".", name]),
                Step::Element(_) | Step::AnyElement => path.push_str("[]"),
                Step::AnyMember => return Known::Nothing,
            }
        }
        Known::of(&path)
    }
}

impl Test {
    fn remark(&self, known: Known) -> Option<RemarkKind> {
        let is_text = matches!(known, Known::Column(Kind::Text | Kind::Time));
        match self {
            Self::Compare(..) if known == Known::Column(Kind::Flag) => Some(RemarkKind::Flag),
            Self::Compare(_, Operand::Flag(flag)) if !is_text => Some(RemarkKind::BareFlag(flag.text())),
            Self::Compare(operator, Operand::Number(number)) => number.remark(*operator, is_text),
            Self::IsTrue | Self::IsFalse if is_text => Some(RemarkKind::TextFlag),
            _ => None,
        }
    }
}

impl Number {
    fn remark(&self, operator: Operator, is_text: bool) -> Option<RemarkKind> {
        let is_account = self.literal.len() == ACCOUNT && self.literal.bytes().all(|byte| byte.is_ascii_digit());
        match (is_text, operator.is_order()) {
            (true, true) => Some(RemarkKind::TextOrder),
            (true, false) => Some(RemarkKind::BareNumber(self.literal.clone())),
            (false, false) if is_account => Some(RemarkKind::BareNumber(self.literal.clone())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let remarks = FilterPattern::lint(text).expect("a pattern");
        remarks.iter().map(|remark| format!("{} {}", remark.selector, remark.kind.name())).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn what_surprises() {
        for (text, expected) in [
            ("{ $.readOnly = \"false\" && $.managementEvent != true }", "$.managementEvent flag, $.readOnly flag"),
            ("{ $.readOnly IS TRUE && $.readOnly NOT EXISTS && $.readOnly IS NULL }", ""),
            ("{ $.requestParameters.x = true || $.* = false }", "$.* flag, $.requestParameters.x flag"),
            ("{ $.requestParameters.x = \"true\" }", ""),
            ("{ $.userIdentity.sessionContext.attributes.mfaAuthenticated = true }", ""),
            (
                "{ $.userIdentity.sessionContext.attributes.mfaAuthenticated IS FALSE }",
                "$.userIdentity.sessionContext.attributes.mfaAuthenticated flag",
            ),
            ("{ $.EventName = x || $.useridentity.x = y }", "$.EventName spelling, $.useridentity.x spelling"),
            ("{ $.resources[*].arn = x && $.resources[0].ARN = x }", "$.resources[*].arn spelling"),
            (
                "{ $.detail.eventName = x || $.Records[0].eventName = x }",
                "$.Records[0].eventName never-met, $.detail.eventName never-met",
            ),
            (
                "{ $.recipientAccountId = 111122223333 && $.eventVersion != 1.08 }",
                "$.eventVersion number, $.recipientAccountId number",
            ),
            (
                "{ $.requestParameters.owner = 111122223333 && $.requestParameters.size > 111122223333 }",
                "$.requestParameters.owner number",
            ),
            ("{ $.requestParameters.size = 5 && $.eventTime > 2020 }", "$.eventTime never-met"),
            ("ERROR", ""),
            ("[a = true, b = 111122223333]", ""),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }
}
