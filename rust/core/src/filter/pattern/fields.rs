//! An event pattern as a value: the fields that it names, and how it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::sync::Arc;

use super::alternative::{Alternative, Quoted};

/// An event pattern.
///
/// `$or` is spelled out: the pattern is met when one of its combinations is.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub(super) combinations: Vec<Combination>,
    /// Fields of which only the last one counts.
    pub(super) replaced: BTreeSet<String>,
}

/// Fields of which each must meet one of its alternatives, by name: keys with dots between them, as AWS's matcher joins them.
pub type Combination = BTreeMap<String, Arc<[Alternative]>>;

impl Pattern {
    /// The combinations of which one has to be met.
    #[must_use]
    pub fn combinations(&self) -> &[Combination] {
        &self.combinations
    }
}

/// The normal form, which reads back as the same pattern: nested objects, names sorted, what all combinations share outside of one `$or`.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, others @ ..] = &self.combinations[..] else { return f.write_str("{}") };
        if others.is_empty() {
            return Nested::of(first.iter()).fmt(f);
        }
        let shared = |(name, alternatives): &(&String, &Arc<[Alternative]>)| {
            others.iter().all(|other| other.get(*name).is_some_and(|other| Arc::ptr_eq(other, alternatives)))
        };
        let mut outside: Combination = first.iter().filter(shared).map(|(name, list)| (name.clone(), Arc::clone(list))).collect();
        if self.combinations.iter().any(|combination| combination.len() == outside.len()) {
            outside.clear();
        }
        f.write_str("{\"$or\":[")?;
        for (at, combination) in self.combinations.iter().enumerate() {
            if at > 0 {
                f.write_char(',')?;
            }
            Nested::of(combination.iter().filter(|(name, _)| !outside.contains_key(*name))).fmt(f)?;
        }
        f.write_char(']')?;
        if !outside.is_empty() {
            f.write_char(',')?;
            Nested::of(outside.iter()).members(f)?;
        }
        f.write_char('}')
    }
}

/// Fields with dots in their names, taken apart into objects again.
#[derive(Default)]
struct Nested<'a> {
    objects: BTreeMap<&'a str, Nested<'a>>,
    lists: BTreeMap<&'a str, &'a [Alternative]>,
}

impl<'a> Nested<'a> {
    fn of(fields: impl Iterator<Item = (&'a String, &'a Arc<[Alternative]>)>) -> Self {
        let mut nested = Self::default();
        for (name, alternatives) in fields {
            let (mut object, mut rest) = (&mut nested, &**name);
            // Where a list stands already, names stay joined: one object cannot have both.
            while let Some((first, others)) = rest.split_once('.').filter(|(first, _)| !object.lists.contains_key(first)) {
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
