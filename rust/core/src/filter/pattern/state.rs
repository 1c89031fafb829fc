//! The state of a rule: which events EventBridge passes to it.

use crate::filter::{Derived, Folded, Kind, Path, Predicate, TextTest, ValueTest};

/// `State` of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The rule sees no events.
    Disabled,
    /// The rule sees all events except management events that only read.
    Enabled,
    /// The rule sees all events.
    EnabledWithAllManagementEvents,
}

impl State {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Disabled, Self::Enabled, Self::EnabledWithAllManagementEvents];

    /// The name in the `EventBridge` API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "DISABLED",
            Self::Enabled => "ENABLED",
            Self::EnabledWithAllManagementEvents => "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The records that a rule in this state sees, among those that match its pattern.
    pub(super) fn sees(self, pattern: Predicate) -> Predicate {
        match self {
            Self::Disabled => never(),
            Self::Enabled => Predicate::All(vec![pattern, not_read_only()]),
            Self::EnabledWithAllManagementEvents => pattern,
        }
    }
}

/// What a disabled rule sees.
pub(super) fn never() -> Predicate {
    Predicate::Condition("the rule is DISABLED".to_owned(), Box::new(Predicate::Always(false)))
}

fn not_read_only() -> Predicate {
    let reads = ValueTest::Any(vec![
        ValueTest::Kind(&[Kind::True]),
        ValueTest::Text(TextTest::EqualIgnoreCase(Folded::new("true"))),
    ]);
    let management = ValueTest::Text(TextTest::one_of(["Management"]));
    let read_only = Predicate::All(vec![
        Predicate::value(Path::keys(["readOnly"]), reads, "readOnly"),
        Predicate::value(Path::Derived(Derived::Category), management, "Management"),
    ]);
    let words = "the rule is ENABLED: it sees no management event that only reads";
    Predicate::Condition(words.to_owned(), Box::new(Predicate::Not(Box::new(read_only))))
}
