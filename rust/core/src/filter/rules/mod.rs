//! Predicates made ready to run: many at once, each part of a record looked at once for all of them.

mod index;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use self::index::{Candidates, Index};
use super::join::Join;
use super::locate::{PathId, Paths, Scratch, Subject};
use super::path::Path;
use super::value::TextTest;
use super::{Field, Predicate, Test};
use crate::event::{Record, Wanted};
use crate::json::{Cursor, Value};

/// Predicates with names, compiled.
pub struct Rules {
    names: Vec<String>,
    predicates: Vec<Compiled>,
    paths: Paths,
    index: Index,
}

/// A predicate with numbers for paths.
enum Compiled {
    Always(bool),
    All(Vec<Compiled>),
    Any(Vec<Compiled>),
    Not(Box<Compiled>),
    Column(Field, Test),
    Values(Join),
    Message(TextTest),
    Condition(String, Box<Compiled>),
}

/// A condition that a record does not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The condition as it was written.
    pub condition: String,
    /// What the record has there instead, as JSON; empty when it has nothing.
    pub found: Vec<String>,
}

/// Runs rules over records, with memory that it keeps.
pub(crate) struct Matcher {
    rules: Arc<Rules>,
    scratch: Scratch,
    candidates: Candidates,
    hits: Vec<u32>,
}

impl Rules {
    /// Compiles predicates.
    pub fn new(rules: impl IntoIterator<Item = (String, Predicate)>) -> Self {
        let (paths, known) = Paths::new();
        let mut compiler = Compiler { paths, known, written: Vec::new() };
        let (names, numbered): (Vec<_>, Vec<_>) =
            rules.into_iter().map(|(name, predicate)| (name, predicate.map(&mut |path| compiler.number(path)))).unzip();
        let index = Index::new(&numbered, &compiler.paths);
        let predicates = numbered.into_iter().map(|predicate| compiler.compile(predicate)).collect();
        Self { names, predicates, paths: compiler.paths, index }
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

    /// What must be noted of a record.
    pub(crate) fn wanted(&self) -> Wanted {
        let (columns, keys) = self.paths.wanted();
        Wanted::columns_and_keys(self.predicates.iter().fold(columns, |set, predicate| set | predicate.columns()), &keys)
    }

    fn met(&self, predicate: &Compiled, subject: Subject<'_, '_>, scratch: &mut Scratch) -> bool {
        match predicate {
            Compiled::Always(met) => *met,
            Compiled::All(parts) => parts.iter().all(|part| self.met(part, subject, scratch)),
            Compiled::Any(parts) => parts.iter().any(|part| self.met(part, subject, scratch)),
            Compiled::Not(part) => !self.met(part, subject, scratch),
            Compiled::Column(field, test) => subject.record.is_some_and(|record| field.passes(test, record, subject.cursor)),
            Compiled::Values(join) => join.matches(&self.paths, subject, scratch),
            Compiled::Message(test) => test.passes(subject.cursor.slice(subject.whole)),
            Compiled::Condition(_, part) => self.met(part, subject, scratch),
        }
    }

    fn unmet(&self, predicate: &Compiled, subject: Subject<'_, '_>, scratch: &mut Scratch, unmet: &mut Vec<Unmet>) {
        if self.met(predicate, subject, scratch) {
            return;
        }
        match predicate {
            Compiled::All(parts) | Compiled::Any(parts) => {
                for part in parts {
                    self.unmet(part, subject, scratch, unmet);
                }
            }
            Compiled::Values(join) => {
                if let Some(slot) = join.failing(&self.paths, subject, scratch) {
                    let found = self.written(slot.path, subject, scratch);
                    unmet.push(Unmet { condition: slot.label.clone(), found });
                } else {
                    let labels: Vec<_> = join.slots.iter().map(|slot| slot.label.as_str()).collect();
                    let condition = format!("in one element: {}", labels.join(", "));
                    unmet.push(Unmet { condition, found: Vec::new() });
                }
            }
            Compiled::Not(part) => {
                let condition = format!("not ({})", part.words());
                unmet.push(Unmet { condition, found: self.found(part, subject, scratch) });
            }
            Compiled::Condition(words, part) => {
                let mut found = self.found(part, subject, scratch);
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
    /// What a condition, which is met though it should not be, finds in the record.
    fn found(&self, predicate: &Compiled, subject: Subject<'_, '_>, scratch: &mut Scratch) -> Vec<String> {
        match predicate {
            Compiled::All(parts) | Compiled::Any(parts) => {
                parts.iter().flat_map(|part| self.found(part, subject, scratch)).collect()
            }
            Compiled::Not(part) | Compiled::Condition(_, part) => self.found(part, subject, scratch),
            Compiled::Values(join) => join.slots.iter().flat_map(|slot| self.written(slot.path, subject, scratch)).collect(),
            Compiled::Always(_) | Compiled::Column(..) | Compiled::Message(_) => Vec::new(),
        }
    }

    /// The values at a path as they stand in the record.
    fn written(&self, path: PathId, subject: Subject<'_, '_>, scratch: &mut Scratch) -> Vec<String> {
        self.paths.values(path, subject, scratch).iter().map(|found| found.value.written(subject.cursor)).collect()
    }
}

impl Compiled {
    fn columns(&self) -> u128 {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().fold(0, |set, part| set | part.columns()),
            Self::Not(part) | Self::Condition(_, part) => part.columns(),
            Self::Column(field, _) => field.columns(),
            Self::Always(_) | Self::Values(_) | Self::Message(_) => 0,
        }
    }

    /// The condition in words, for [`Unmet`].
    fn words(&self) -> String {
        let list = |parts: &[Self], between: &str| parts.iter().map(Self::words).collect::<Vec<_>>().join(between);
        match self {
            Self::Always(met) => if *met { "always" } else { "never" }.to_owned(),
            Self::All(parts) => list(parts, " and "),
            Self::Any(parts) => list(parts, " or "),
            Self::Not(part) => format!("not ({})", part.words()),
            Self::Column(field, test) => format!("{} {test:?}", field.path()),
            Self::Values(join) => join.slots.iter().map(|slot| slot.label.as_str()).collect::<Vec<_>>().join(" and "),
            Self::Message(_) => "the text of the record".to_owned(),
            Self::Condition(words, _) => words.clone(),
        }
    }
}

struct Compiler {
    paths: Paths,
    known: HashMap<Path, PathId>,
    written: Vec<Path>,
}

impl Compiler {
    fn number(&mut self, path: &Path) -> PathId {
        let id = self.paths.number(path, &mut self.known);
        if id == self.written.len() {
            self.written.push(path.clone());
        }
        id
    }

    fn compile(&self, predicate: Predicate<PathId>) -> Compiled {
        let all = |parts: Vec<_>| parts.into_iter().map(|part| self.compile(part)).collect();
        match predicate {
            Predicate::Always(met) => Compiled::Always(met),
            Predicate::All(parts) => Compiled::All(all(parts)),
            Predicate::Any(parts) => Compiled::Any(all(parts)),
            Predicate::Not(part) => Compiled::Not(Box::new(self.compile(*part))),
            Predicate::Column(field, test) => Compiled::Column(field, test),
            Predicate::Values(slots) => {
                let paths: Vec<_> = slots.iter().map(|slot| slot.path).collect();
                Compiled::Values(Join::new(slots, |one, other| self.written[paths[one]].common(&self.written[paths[other]])))
            }
            Predicate::Message(test) => Compiled::Message(test),
            Predicate::Condition(words, part) => Compiled::Condition(words, Box::new(self.compile(*part))),
        }
    }
}

impl Matcher {
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        Self { rules, scratch: Scratch::default(), candidates: Candidates::default(), hits: Vec::new() }
    }

    /// Whether the record meets any rule. It may have come in an event on a bus.
    pub(crate) fn matches(&mut self, record: &Record, envelope: Option<Value>, whole: Value, cursor: &Cursor<'_>) -> bool {
        !self.hits(record, envelope, whole, cursor).is_empty()
    }

    /// The numbers of the rules that a record meets, in order.
    pub(crate) fn hits(&mut self, record: &Record, envelope: Option<Value>, whole: Value, cursor: &Cursor<'_>) -> &[u32] {
        self.run(Subject { record: Some(record), envelope, whole, cursor })
    }

    /// Whether a document of any kind meets any rule. Paths begin at its top; nothing can be derived from it.
    pub(crate) fn document_matches(&mut self, whole: Value, cursor: &Cursor<'_>) -> bool {
        !self.run(Subject { record: None, envelope: None, whole, cursor }).is_empty()
    }

    /// Why the first rule is not met: the conditions that fail; none when it is met.
    pub(crate) fn explain(
        &mut self,
        record: Option<&Record>,
        envelope: Option<Value>,
        whole: Value,
        cursor: &Cursor<'_>,
    ) -> Vec<Unmet> {
        let Self { rules, scratch, .. } = self;
        rules.paths.reset(scratch);
        let mut unmet = Vec::new();
        if let Some(predicate) = rules.predicates.first() {
            rules.unmet(predicate, Subject { record, envelope, whole, cursor }, scratch, &mut unmet);
        }
        unmet
    }

    fn run(&mut self, subject: Subject<'_, '_>) -> &[u32] {
        let Self { rules, scratch, candidates, hits } = self;
        rules.paths.reset(scratch);
        rules.index.find(&rules.paths, subject, scratch, candidates);
        hits.clear();
        hits.extend(candidates.rules.iter().filter(|&&rule| rules.met(&rules.predicates[rule as usize], subject, scratch)));
        hits
    }
}

#[cfg(test)]
mod tests;
