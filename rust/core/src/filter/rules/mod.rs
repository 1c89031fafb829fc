//! Predicates prepared for evaluation: many at once, with each part of a record read once for all of them.

mod compiled;
mod index;
mod memory;
mod requirement;

use std::collections::HashSet;
use std::sync::Arc;

use self::compiled::{Compiled, Compiler, Group, Rule};
use self::index::Candidates;
use super::Predicate;
use super::locate::{PathId, Paths, Scratch, Subject};
use crate::event::{Record, Wanted};
use crate::json::{Cursor, Value};

/// Predicates with names, compiled.
pub struct Rules {
    names: Vec<String>,
    group: Group,
    paths: Paths,
    /// How many groups there are, with those inside of rules.
    groups: usize,
}

/// A condition that a record fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The condition as its author wrote it.
    pub condition: String,
    /// The value in the record instead, as JSON; empty if there is none.
    pub found: Vec<String>,
}

/// Evaluates rules on records, with buffers that are reused.
pub(crate) struct Matcher {
    rules: Arc<Rules>,
    buffers: Buffers,
    hits: Vec<u32>,
}

struct Buffers {
    scratch: Scratch,
    /// For each group.
    candidates: Vec<Candidates>,
}

impl Rules {
    /// Compiles predicates.
    pub fn new(rules: impl IntoIterator<Item = (String, Predicate)>) -> Self {
        let mut compiler = Compiler::new();
        let (names, numbered): (Vec<_>, Vec<_>) =
            rules.into_iter().map(|(name, predicate)| (name, predicate.map(&mut |path| compiler.number(path)))).unzip();
        let group = compiler.group(numbered);
        Self { names, group, paths: compiler.paths, groups: compiler.groups }
    }

    /// One predicate without a name.
    #[must_use]
    pub fn one(predicate: Predicate) -> Self {
        Self::new([(String::new(), predicate)])
    }

    /// The names of the rules.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What must be noted for a record.
    pub(crate) fn wanted(&self) -> Wanted {
        let (columns, keys) = self.paths.wanted();
        Wanted::columns_and_keys(columns | self.group.columns(), &keys)
    }

    fn met(&self, predicate: &Compiled, subject: Subject<'_, '_>, buffers: &mut Buffers) -> bool {
        match predicate {
            Compiled::Always(met) => *met,
            Compiled::All(parts) => parts.iter().all(|part| self.met(part, subject, buffers)),
            Compiled::Any(parts) => parts.iter().any(|part| self.met(part, subject, buffers)),
            Compiled::Not(part) => !self.met(part, subject, buffers),
            Compiled::Column(field, test) => {
                subject.record.is_some_and(|record| field.passes(test, record, subject.cursor))
            }
            Compiled::OneOf(group) => self.first(group, subject, buffers).is_some(),
            Compiled::Values(join) => join.matches(&self.paths, subject, &mut buffers.scratch),
            Compiled::Message(test) => test.passes(subject.cursor.slice(subject.whole)),
            Compiled::Condition(_, part) => self.met(part, subject, buffers),
        }
    }

    /// The first rule of a group that is met.
    fn first(&self, group: &Group, subject: Subject<'_, '_>, buffers: &mut Buffers) -> Option<usize> {
        let candidates = &mut buffers.candidates[group.number];
        group.index.find(&self.paths, subject, &mut buffers.scratch, candidates);
        self.next(group, 0, subject, buffers)
    }

    /// The first rule of a group that is met from this one on, if the last record looked up was this.
    fn next(&self, group: &Group, from: usize, subject: Subject<'_, '_>, buffers: &mut Buffers) -> Option<usize> {
        let mut from = from;
        while let Some(rule) = buffers.candidates[group.number].from(from) {
            let Rule { whole, rest } = &group.rules[rule];
            let open = rest.as_ref().filter(|_| !buffers.candidates[group.number].in_arrays).unwrap_or(whole);
            if self.met(open, subject, buffers) {
                return Some(rule);
            }
            from = rule + 1;
        }
        None
    }

    fn unmet(&self, predicate: &Compiled, subject: Subject<'_, '_>, buffers: &mut Buffers, unmet: &mut Vec<Unmet>) {
        if self.met(predicate, subject, buffers) {
            return;
        }
        match predicate {
            Compiled::All(parts) | Compiled::Any(parts) => {
                for part in parts {
                    self.unmet(part, subject, buffers, unmet);
                }
            }
            Compiled::OneOf(group) => {
                for part in group.wholes() {
                    self.unmet(part, subject, buffers, unmet);
                }
            }
            Compiled::Values(join) => {
                if let Some(slot) = join.failing(&self.paths, subject, &mut buffers.scratch) {
                    let found = self.written(slot.path, subject, buffers);
                    unmet.push(Unmet { condition: slot.label.clone(), found });
                } else {
                    let labels: Vec<_> = join.slots.iter().map(|slot| slot.label.as_str()).collect();
                    let condition = format!("in one element: {}", labels.join(", "));
                    unmet.push(Unmet { condition, found: Vec::new() });
                }
            }
            Compiled::Not(part) => {
                let condition = format!("not ({})", part.words());
                unmet.push(Unmet { condition, found: self.found(part, subject, buffers) });
            }
            Compiled::Condition(words, part) => {
                let mut found = self.found(part, subject, buffers);
                let mut seen = HashSet::new();
                found.retain(|value| seen.insert(value.clone()));
                unmet.push(Unmet { condition: words.clone(), found });
            }
            Compiled::Always(_) => unmet.push(Unmet { condition: "never".to_owned(), found: Vec::new() }),
            Compiled::Column(..) | Compiled::Message(_) => {
                unmet.push(Unmet { condition: predicate.words(), found: Vec::new() });
            }
        }
    }
}

impl Rules {
    /// The value in the record that meets a condition although it should not.
    fn found(&self, predicate: &Compiled, subject: Subject<'_, '_>, buffers: &mut Buffers) -> Vec<String> {
        match predicate {
            Compiled::All(parts) | Compiled::Any(parts) => {
                parts.iter().flat_map(|part| self.found(part, subject, buffers)).collect()
            }
            Compiled::OneOf(group) => group.wholes().flat_map(|part| self.found(part, subject, buffers)).collect(),
            Compiled::Not(part) | Compiled::Condition(_, part) => self.found(part, subject, buffers),
            Compiled::Values(join) => {
                join.slots.iter().flat_map(|slot| self.written(slot.path, subject, buffers)).collect()
            }
            Compiled::Always(_) | Compiled::Column(..) | Compiled::Message(_) => Vec::new(),
        }
    }

    /// The values at a path as the record spells them.
    fn written(&self, path: PathId, subject: Subject<'_, '_>, buffers: &mut Buffers) -> Vec<String> {
        self.paths
            .values(path, subject, &mut buffers.scratch)
            .iter()
            .map(|found| found.value.written(subject.cursor))
            .collect()
    }
}

impl Matcher {
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        let candidates = (0..rules.groups).map(|_| Candidates::new(rules.groups)).collect();
        Self { rules, buffers: Buffers { scratch: Scratch::default(), candidates }, hits: Vec::new() }
    }

    /// Whether the record meets any rule. The record may be part of an event on a bus.
    pub(crate) fn matches(
        &mut self,
        record: &Record,
        envelope: Option<Value>,
        whole: Value,
        cursor: &Cursor<'_>,
    ) -> bool {
        self.any(Subject { record: Some(record), envelope, whole, cursor })
    }

    /// The numbers of the rules that a record meets, in order.
    pub(crate) fn hits(
        &mut self,
        record: &Record,
        envelope: Option<Value>,
        whole: Value,
        cursor: &Cursor<'_>,
    ) -> &[u32] {
        let subject = Subject { record: Some(record), envelope, whole, cursor };
        let Self { rules, buffers, hits } = self;
        rules.paths.reset(&mut buffers.scratch);
        hits.clear();
        let mut next = rules.first(&rules.group, subject, buffers);
        while let Some(rule) = next {
            hits.push(rule as u32);
            next = rules.next(&rules.group, rule + 1, subject, buffers);
        }
        hits
    }

    /// Whether a document of any kind meets any rule. Paths begin at its top, and nothing is derived.
    pub(crate) fn document_matches(&mut self, whole: Value, cursor: &Cursor<'_>) -> bool {
        self.any(Subject { record: None, envelope: None, whole, cursor })
    }

    /// Why the first rule is not met: the conditions that fail; none if it is met.
    pub(crate) fn explain(
        &mut self,
        record: Option<&Record>,
        envelope: Option<Value>,
        whole: Value,
        cursor: &Cursor<'_>,
    ) -> Vec<Unmet> {
        let Self { rules, buffers, .. } = self;
        rules.paths.reset(&mut buffers.scratch);
        let mut unmet = Vec::new();
        if let Some(predicate) = rules.group.wholes().next() {
            rules.unmet(predicate, Subject { record, envelope, whole, cursor }, buffers, &mut unmet);
        }
        unmet
    }

    fn any(&mut self, subject: Subject<'_, '_>) -> bool {
        let Self { rules, buffers, .. } = self;
        rules.paths.reset(&mut buffers.scratch);
        rules.first(&rules.group, subject, buffers).is_some()
    }
}

#[cfg(test)]
mod tests;
