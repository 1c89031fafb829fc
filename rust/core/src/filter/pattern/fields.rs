//! An event pattern as a value: the fields that it names, and its normal form.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::sync::Arc;

use super::alternative::{Alternative, Quoted};

/// Names that a field inside of `$or` cannot have: operators, and names reserved for future operators.
pub(super) const RESERVED: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// An event pattern.
///
/// `$or` is spelled out: the pattern is met when one of its combinations is.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub(super) combinations: Vec<Combination>,
    /// Duplicate fields, of which only the last one counts.
    pub(super) replaced: BTreeSet<String>,
    /// Length of the text that it was read from.
    pub(super) characters: usize,
}

/// Fields, each of which must meet one of its alternatives, by name: keys joined by dots, as in AWS's matcher.
pub type Combination = BTreeMap<String, Arc<[Alternative]>>;

impl Pattern {
    /// The combinations, one of which must be met.
    #[must_use]
    pub fn combinations(&self) -> &[Combination] {
        &self.combinations
    }
}

/// The normal form, which reads back as the same pattern: nested objects, names sorted, fields that all combinations
/// share are outside of a single `$or`.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, others @ ..] = &self.combinations[..] else { return f.write_str("{}") };
        if others.is_empty() {
            return Nested::of(first.iter(), |_| false).fmt(f);
        }
        let shared = |(name, alternatives): &(&String, &Arc<[Alternative]>)| {
            others.iter().all(|other| other.get(*name).is_some_and(|other| Arc::ptr_eq(other, alternatives)))
        };
        let mut outside: Combination =
            first.iter().filter(shared).map(|(name, list)| (name.clone(), Arc::clone(list))).collect();
        if self.combinations.iter().any(|combination| combination.len() == outside.len()) {
            outside.retain(|name, _| is_reserved(name));
        }
        f.write_str("{\"$or\":[")?;
        for (at, combination) in self.combinations.iter().enumerate() {
            if at > 0 {
                f.write_char(',')?;
            }
            Nested::of(combination.iter().filter(|(name, _)| !outside.contains_key(*name)), is_reserved).fmt(f)?;
        }
        f.write_char(']')?;
        if !outside.is_empty() {
            f.write_char(',')?;
            Nested::of(outside.iter(), |_| false).members(f)?;
        }
        f.write_char('}')
    }
}

/// Whether a key could not stand inside of `$or`.
fn is_reserved(key: &str) -> bool {
    RESERVED.contains(&key)
}

/// Splits fields with dots in their names into objects again.
#[derive(Default)]
struct Nested<'a> {
    objects: BTreeMap<&'a str, Nested<'a>>,
    lists: BTreeMap<&'a str, &'a [Alternative]>,
}

impl<'a> Nested<'a> {
    /// Keys for which `is_refused` holds stay joined with their neighbours.
    fn of(
        fields: impl Iterator<Item = (&'a String, &'a Arc<[Alternative]>)>,
        is_refused: impl Fn(&str) -> bool,
    ) -> Self {
        let mut nested = Self::default();
        for (name, alternatives) in fields {
            let (mut object, mut rest) = (&mut nested, &**name);
            // Where there is a list already, names stay joined: one object cannot have both.
            while let Some((first, others)) = rest
                .match_indices('.')
                .map(|(dot, _)| (&rest[..dot], &rest[dot + 1..]))
                .find(|(first, others)| !is_refused(first) && !is_refused(others))
                .filter(|(first, _)| !object.lists.contains_key(first))
            {
                (object, rest) = (object.objects.entry(first).or_default(), others);
            }
            object.lists.insert(rest, alternatives);
        }
        nested
    }

    fn members(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (name, object) in &self.objects {
            write!(f, "{separator}{}:{object}", Quoted(name))?;
            separator = ",";
        }
        for (name, alternatives) in &self.lists {
            write!(f, "{separator}{}:[", Quoted(name))?;
            for (at, alternative) in alternatives.iter().enumerate() {
                write!(f, "{}{alternative}", if at > 0 { "," } else { "" })?;
            }
            f.write_char(']')?;
            separator = ",";
        }
        Ok(())
    }
}

impl fmt::Display for Nested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('{')?;
        self.members(f)?;
        f.write_char('}')
    }
}
