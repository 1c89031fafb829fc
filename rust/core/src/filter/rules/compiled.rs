//! Predicates whose paths are numbers, many of them together behind an index.

use std::collections::HashMap;

use super::index::Index;
use super::requirement::take;
use crate::filter::join::Join;
use crate::filter::locate::{PathId, Paths};
use crate::filter::path::Path;
use crate::filter::value::TextTest;
use crate::filter::{Field, Predicate, Test};

/// As many alternatives as this have an index of their own: fewer are evaluated sooner than looked up.
const MANY: usize = 8;

/// A predicate whose paths are numbers.
pub(super) enum Compiled {
    Always(bool),
    All(Vec<Compiled>),
    Any(Vec<Compiled>),
    /// At least one of many is met.
    OneOf(Group),
    Not(Box<Compiled>),
    Column(Field, Test),
    Values(Join),
    Message(TextTest),
    Condition(String, Box<Compiled>),
}

/// Rules, and an index of what they require.
pub(super) struct Group {
    /// The place of its candidates among those of all groups.
    pub(super) number: usize,
    pub(super) index: Index,
    pub(super) rules: Vec<Rule>,
}

/// A rule of a group.
pub(super) struct Rule {
    pub(super) whole: Compiled,
    /// What remains to be checked of a candidate, if that is less.
    pub(super) rest: Option<Compiled>,
}

impl Compiled {
    pub(super) fn columns(&self) -> u128 {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().fold(0, |set, part| set | part.columns()),
            Self::OneOf(group) => group.columns(),
            Self::Not(part) | Self::Condition(_, part) => part.columns(),
            Self::Column(field, _) => field.columns(),
            Self::Always(_) | Self::Values(_) | Self::Message(_) => 0,
        }
    }

    /// The condition in words, for [`Unmet`].
    pub(super) fn words(&self) -> String {
        let list = |parts: &[Self], between: &str| parts.iter().map(Self::words).collect::<Vec<_>>().join(between);
        match self {
            Self::Always(met) => if *met { "always" } else { "never" }.to_owned(),
            Self::All(parts) => list(parts, " and "),
            Self::Any(parts) => list(parts, " or "),
            Self::OneOf(group) => group.wholes().map(Self::words).collect::<Vec<_>>().join(" or "),
            Self::Not(part) => format!("not ({})", part.words()),
            Self::Column(field, test) => format!("{} {test:?}", field.path()),
            Self::Values(join) => join.slots.iter().map(|slot| slot.label.as_str()).collect::<Vec<_>>().join(" and "),
            Self::Message(_) => "the text of the record".to_owned(),
            Self::Condition(words, _) => words.clone(),
        }
    }
}

impl Group {
    /// The columns that must be noted for a record.
    pub(super) fn columns(&self) -> u128 {
        self.wholes().fold(0, |set, whole| set | whole.columns())
    }

    /// The rules as they were written.
    pub(super) fn wholes(&self) -> impl Iterator<Item = &Compiled> {
        self.rules.iter().map(|rule| &rule.whole)
    }
}

pub(super) struct Compiler {
    pub(super) paths: Paths,
    known: HashMap<Path, PathId>,
    written: Vec<Path>,
    /// How many groups there are.
    pub(super) groups: usize,
}

impl Compiler {
    pub(super) fn new() -> Self {
        let (paths, known) = Paths::new();
        Self { paths, known, written: Vec::new(), groups: 0 }
    }

    pub(super) fn number(&mut self, path: &Path) -> PathId {
        let id = self.paths.number(path, &mut self.known);
        if id == self.written.len() {
            self.written.push(path.clone());
        }
        id
    }

    pub(super) fn group(&mut self, predicates: Vec<Predicate<PathId>>) -> Group {
        let number = self.groups;
        self.groups += 1;
        let mut required = Vec::new();
        let mut rules = Vec::new();
        for predicate in predicates {
            let mut taken = Vec::new();
            let rest = take(&predicate, &self.paths, &mut taken).unwrap_or(Predicate::Always(true));
            let rest = (!taken.is_empty() && !has_group(&rest)).then(|| self.compile(rest));
            rules.push(Rule { whole: self.compile(predicate), rest });
            required.push(taken);
        }
        Group { number, index: Index::new(required), rules }
    }

    fn compile(&mut self, predicate: Predicate<PathId>) -> Compiled {
        match predicate {
            Predicate::Always(met) => Compiled::Always(met),
            Predicate::All(parts) => Compiled::All(self.each(parts)),
            Predicate::Any(parts) => {
                if parts.len() < MANY {
                    Compiled::Any(self.each(parts))
                } else {
                    Compiled::OneOf(self.group(parts))
                }
            }
            Predicate::Not(part) => Compiled::Not(Box::new(self.compile(*part))),
            Predicate::Column(field, test) => Compiled::Column(field, test),
            Predicate::Values(slots) => {
                let paths: Vec<_> = slots.iter().map(|slot| slot.path).collect();
                Compiled::Values(Join::new(slots, |one, other| {
                    self.written[paths[one]].common(&self.written[paths[other]])
                }))
            }
            Predicate::Message(test) => Compiled::Message(test),
            Predicate::Condition(words, part) => Compiled::Condition(words, Box::new(self.compile(*part))),
        }
    }

    fn each(&mut self, parts: Vec<Predicate<PathId>>) -> Vec<Compiled> {
        parts.into_iter().map(|part| self.compile(part)).collect()
    }
}

/// Whether a part of it is compiled to a group. Such a predicate is compiled once only: the groups in it may have
/// groups in turn, and twice at each level is too often.
fn has_group(predicate: &Predicate<PathId>) -> bool {
    match predicate {
        Predicate::Any(parts) => parts.len() >= MANY || parts.iter().any(has_group),
        Predicate::All(parts) => parts.iter().any(has_group),
        Predicate::Not(part) | Predicate::Condition(_, part) => has_group(part),
        Predicate::Always(_) | Predicate::Column(..) | Predicate::Values(_) | Predicate::Message(_) => false,
    }
}
