//! The table of filter languages, and what each of them provides.

use std::fmt;
use std::sync::Arc;

use super::metric::FilterPattern;
use super::pattern::{Pattern, State};
use super::selector::{Checked, Target, Unknown};
use super::{Filter, Finding, Refused};
use crate::json::{canon, quote};

/// Options of a condition that are not in its text. Each language uses its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Switches {
    /// Of event selectors: a trail, or an event data store.
    pub target: Target,
    /// Of event selectors: how an event without `readOnly` counts.
    pub missing_read_only: Unknown,
    /// Of filter patterns: whether `!=` is met if the field is missing.
    pub missing_differs: bool,
    /// Of event patterns: the state of the rule.
    pub state: Option<State>,
}

/// A filter language.
#[derive(Debug)]
pub struct Language {
    /// Its name.
    pub name: &'static str,
    read: fn(&str, Switches) -> Result<Tree, Refused>,
    read_form: fn(&str) -> Result<Tree, Refused>,
}

type Tree = Arc<dyn Condition>;

/// The tree of a condition. `Display` writes its normal form.
trait Condition: fmt::Display + fmt::Debug + Send + Sync {
    /// The warnings about the condition.
    fn check(&self, switches: Switches) -> Vec<Finding>;

    /// Compiles the tree to a filter.
    fn compile(&self, switches: Switches) -> Filter;

    /// The option that changes its meaning: the name, and the value as JSON.
    fn switch(&self, switches: Switches) -> (&'static str, String);
}

/// A condition in one of the languages, with its options.
#[derive(Debug, Clone)]
pub struct Written {
    /// The language.
    pub language: &'static Language,
    tree: Tree,
    switches: Switches,
}

static LANGUAGES: [Language; 3] = [
    Language {
        name: "event selectors",
        read: |text, switches| Ok(Arc::new(Checked::read(text, switches.target)?)),
        read_form: |text| Ok(Arc::new(Checked::read(text, Target::Either)?)),
    },
    Language {
        name: "filter pattern",
        read: |text, _| Ok(Arc::new(FilterPattern::read(text)?)),
        read_form: |text| Ok(Arc::new(FilterPattern::read_form(text)?)),
    },
    Language {
        name: "event pattern",
        read: |text, _| Ok(Arc::new(Pattern::read(text)?)),
        read_form: |text| Ok(Arc::new(Pattern::read(text)?)),
    },
];

impl Condition for Checked {
    fn check(&self, _: Switches) -> Vec<Finding> {
        self.warnings.clone()
    }

    fn compile(&self, switches: Switches) -> Filter {
        self.selectors.compile(switches.missing_read_only)
    }

    fn switch(&self, switches: Switches) -> (&'static str, String) {
        ("missing_read_only", quote(switches.missing_read_only.name()))
    }
}

impl Condition for FilterPattern {
    fn check(&self, _: Switches) -> Vec<Finding> {
        self.check()
    }

    fn compile(&self, switches: Switches) -> Filter {
        self.compile(switches.missing_differs)
    }

    fn switch(&self, switches: Switches) -> (&'static str, String) {
        ("missing_differs", switches.missing_differs.to_string())
    }
}

impl Condition for Pattern {
    fn check(&self, switches: Switches) -> Vec<Finding> {
        self.check(switches.state)
    }

    fn compile(&self, switches: Switches) -> Filter {
        self.compile(switches.state)
    }

    fn switch(&self, switches: Switches) -> (&'static str, String) {
        ("state", canon::or_null(switches.state, |state| quote(state.name())))
    }
}

impl Language {
    /// The language of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| language.name == name)
    }

    /// Parses a condition from its text.
    pub fn read(&'static self, text: &str, switches: Switches) -> Result<Written, Refused> {
        Ok(Written { language: self, tree: (self.read)(text, switches)?, switches })
    }

    /// Parses a normal form, which may be longer than a text is allowed to be.
    pub(super) fn read_form(&'static self, form: &str, switches: Switches) -> Result<Written, Refused> {
        Ok(Written { language: self, tree: (self.read_form)(form)?, switches })
    }
}

impl Written {
    /// The warnings about the condition.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        self.tree.check(self.switches)
    }

    /// Compiles the condition to a filter.
    #[must_use]
    pub fn compile(&self) -> Filter {
        self.tree.compile(self.switches)
    }

    /// The option that changes its meaning: the name, and the value as JSON.
    pub(super) fn switch(&self) -> (&'static str, String) {
        self.tree.switch(self.switches)
    }
}

/// The normal form.
impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tree.fmt(f)
    }
}
