//! Comparison signs, and the values after them.

use std::cmp::Ordering;
use std::fmt;

use super::expression::Expression;

/// A comparison sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    AtMost,
    AtLeast,
    Less,
    Greater,
}

impl Operator {
    /// In an order in which no sign is a prefix of a later one.
    pub(super) const ALL: [Self; 6] =
        [Self::NotEqual, Self::AtMost, Self::AtLeast, Self::Equal, Self::Less, Self::Greater];

    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::Less => "<",
            Self::Greater => ">",
        }
    }

    pub(super) fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// Whether it holds between a value and its operand.
    pub(super) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::AtMost => order.is_le(),
            Self::AtLeast => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::Greater => order.is_gt(),
        }
    }
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    /// `*`: any string or number.
    Anything,
    Words(Words),
    Number(Number),
    Flag(Flag),
    Expression(Expression),
}

/// Text, and whether more may be before and after it. A `*` in the middle matches itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) any_before: bool,
    pub(super) text: String,
    pub(super) any_after: bool,
}

/// A number as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    pub(super) literal: String,
    pub(super) value: f64,
}

/// `true` or `false` without quotes: the string, and never the JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

impl Operand {
    pub(super) fn words(text: &str) -> Self {
        if text == "*" { Self::Anything } else { Self::Words(Words::new(text)) }
    }
}

impl Flag {
    pub(super) fn text(self) -> &'static str {
        if self.0 { "true" } else { "false" }
    }
}

impl Words {
    /// Text whose first and last character may be a wildcard.
    fn new(text: &str) -> Self {
        let (any_before, text) = text.strip_prefix('*').map_or((false, text), |text| (true, text));
        let (any_after, text) = text.strip_suffix('*').map_or((false, text), |text| (true, text));
        Self { any_before, text: text.to_owned(), any_after }
    }

    /// The text with its wildcards.
    pub(super) fn written(&self) -> String {
        let star = |any| if any { "*" } else { "" };
        format!("{}{}{}", star(self.any_before), self.text, star(self.any_after))
    }
}

impl Number {
    /// `[+-]? digits [. digits] [(e|E) [+-]? digits]`
    pub(super) fn parse(literal: &str) -> Option<Self> {
        let unsigned = literal.strip_prefix(['+', '-']).unwrap_or(literal);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if ![whole, fraction, exponent].into_iter().all(are_digits) {
            return None;
        }
        Some(Self { literal: literal.to_owned(), value: literal.parse().ok()? })
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anything => f.write_str("*"),
            Self::Words(words) => f.write_str(&quote(&words.written())),
            Self::Number(number) => f.write_str(&number.literal),
            Self::Flag(flag) => f.write_str(flag.text()),
            Self::Expression(expression) => write!(f, "%{}%", expression.source()),
        }
    }
}

/// A string in quotes, as patterns spell it.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
