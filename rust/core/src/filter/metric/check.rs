//! Effects of a filter pattern on `CloudTrail` records that its author may not expect.

use std::collections::BTreeSet;
use std::fmt;

use super::json::{Condition, Selector, Step, Test};
use super::operand::{Number, Operand, Operator};
use super::read::{FilterPattern, Tree};
use crate::filter::Finding;
use crate::filter::known::{Known, fields, slips};
use crate::schema::Kind;
use crate::words::quoted;

/// Digits of the id of an account.
const ACCOUNT: usize = 12;
/// Members that hold records in events on a bus and in log files. A log event of `CloudTrail` is one record.
const AROUND: [&str; 2] = ["detail", "Records"];

/// A remark about a selector.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Remark {
    /// JSON's true and false never pass a comparison.
    Flag,
    /// JSON's true or false, compared with the word without quotes.
    BareFlag(&'static str),
    /// A string is neither true nor false.
    TextFlag,
    /// A string has no order.
    TextOrder,
    /// A number without quotes where records have a string.
    BareNumber(String),
    /// The name that records have.
    Spelled(&'static str),
    /// Records do not have this member, but what contains records does.
    Around,
}

impl Remark {
    fn code(&self) -> &'static str {
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
        match self {
            Remark::Flag => f.write_str(
                "is JSON's true or false in records, which no '=' and no '!=' is met by: IS TRUE and IS FALSE are",
            ),
            Remark::BareFlag(word) => {
                write!(
                    f,
                    "is compared with the text \"{word}\": JSON's {word} meets IS {} only",
                    word.to_ascii_uppercase()
                )
            }
            Remark::TextFlag => {
                f.write_str("is a text in records, which never IS TRUE or IS FALSE: = \"true\" may be meant")
            }
            Remark::TextOrder => f.write_str("is a text in records, which has no order: the comparison is never met"),
            Remark::BareNumber(number) => {
                write!(f, "is a text in records, and compared with {number} as a text: quotes would say so")
            }
            Remark::Spelled(path) => write!(f, "is not how records have it: $.{path}"),
            Remark::Around => f.write_str(
                "is never there: what CloudTrail sends to CloudWatch Logs is the record itself, such as $.eventName",
            ),
        }
    }
}

impl FilterPattern {
    /// Surprises in a pattern: by selector, then in the order of the text.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let mut conditions = Vec::new();
        if let Tree::Json(condition) = &self.tree {
            condition.fields(&mut conditions);
        }
        let remarks = conditions.iter().filter_map(|(selector, test)| {
            let remark = selector.remark().or_else(|| test.remark(selector.known()))?;
            Some((selector.to_string(), remark))
        });
        let remarks: BTreeSet<_> = remarks.collect();
        let mut findings: Vec<_> = remarks
            .into_iter()
            .map(|(selector, remark)| Finding::warning("", remark.code(), format!("{selector} {remark}")))
            .collect();
        if self.ignores {
            findings.push(Finding::warning("", "ignored-terms", "terms with ? are ignored where there are others"));
        }
        findings.extend(self.texts(&conditions).filter(|text| star_inside(text)).map(|text| {
            let term = quoted(&text);
            let message = format!("the * within {term} stands for itself: only one at an end is a wildcard");
            Finding::warning("", "wildcard", message)
        }));
        let names = conditions.iter().filter_map(|(Selector(steps), _)| match steps.first() {
            Some(Step::Member(name)) => Some(name.as_str()),
            _ => None,
        });
        findings.extend(slips(names, "$.", &fields()));
        findings
    }

    /// The strings that a selector is compared with, in order.
    fn texts<'a>(&'a self, conditions: &'a [(&Selector, &Test)]) -> Box<dyn Iterator<Item = String> + 'a> {
        let written =
            |operand: &Operand| if let Operand::Words(words) = operand { Some(words.written()) } else { None };
        let compared = conditions.iter().filter_map(move |(_, test)| match test {
            Test::Compare(_, operand) => written(operand),
            _ => None,
        });
        match &self.tree {
            Tree::Fields(fields) => Box::new(fields.operands().filter_map(written)),
            Tree::Terms(terms) => Box::new(terms.all().map(str::to_owned)),
            Tree::Everything | Tree::Expression(_) | Tree::Json(_) => Box::new(compared),
        }
    }
}

/// Whether a string has a star that is neither its first nor its last character.
fn star_inside(text: &str) -> bool {
    let mut inside = text.chars();
    inside.next();
    inside.next_back();
    inside.any(|character| character == '*')
}

impl Condition {
    /// The conditions on single fields.
    fn fields<'a>(&'a self, fields: &mut Vec<(&'a Selector, &'a Test)>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.fields(fields)),
            Self::Field(selector, test) => fields.push((selector, test)),
        }
    }
}

impl Selector {
    fn remark(&self) -> Option<Remark> {
        match (self.known(), self.0.first()) {
            (Known::Spelled(path), _) => Some(Remark::Spelled(path)),
            (Known::Nothing, Some(Step::Member(name))) if AROUND.contains(&name.as_str()) => Some(Remark::Around),
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
    fn remark(&self, known: Known) -> Option<Remark> {
        let is_text = matches!(known, Known::Column(Kind::Text | Kind::Time));
        match self {
            Self::Compare(..) if known == Known::Column(Kind::Flag) => Some(Remark::Flag),
            Self::Compare(_, Operand::Flag(flag)) if !is_text => Some(Remark::BareFlag(flag.text())),
            Self::Compare(operator, Operand::Number(number)) => number.remark(*operator, is_text),
            Self::IsTrue | Self::IsFalse if is_text => Some(Remark::TextFlag),
            _ => None,
        }
    }
}

impl Number {
    fn remark(&self, operator: Operator, is_text: bool) -> Option<Remark> {
        let is_account = self.literal.len() == ACCOUNT && self.literal.bytes().all(|byte| byte.is_ascii_digit());
        match (is_text, operator.is_order()) {
            (true, true) => Some(Remark::TextOrder),
            (true, false) => Some(Remark::BareNumber(self.literal.clone())),
            (false, false) if is_account => Some(Remark::BareNumber(self.literal.clone())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let findings = FilterPattern::read(text).expect("a pattern").check();
        let selector = |finding: &Finding| finding.message.split(' ').next().map(str::to_owned).unwrap_or_default();
        findings.iter().map(|finding| format!("{} {}", selector(finding), finding.code)).collect::<Vec<_>>().join(", ")
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
            ("ERROR ?\"a*b\"", "terms ignored-terms"),
            ("?\"x ?y\" -\"*b\" z", "terms ignored-terms"),
            ("?a ?b", ""),
            ("\"a*b\" -\"*a*\"", "the wildcard"),
            ("{ $.a = Ev*ent || $.b != \"x*\" && $.c = \"***\" }", "the wildcard, the wildcard"),
            ("[a = b*c, ..., d = \"*\"]", "the wildcard"),
            ("{ $.['evnt!Name'] = x }", "records unknown-field"),
            ("{ $.evntName = x && ($.evntName = y || $.x.evntName = z) }", "records unknown-field"),
            ("[a = true, b = 111122223333]", ""),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }
}
