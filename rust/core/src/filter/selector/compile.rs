//! Event selectors as predicates.

use super::check::S3_OBJECT;
use super::{AdvancedSelector, EventSelectors, Field, FieldSelector, Operator};
use crate::filter::{Derived, Filter, Folded, Kind, Path, Predicate, Slot, TextTest, ValueTest};

/// How to treat an event without `readOnly`. AWS's pages leave this open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unknown {
    /// As an event that writes, so that nothing important is missed.
    #[default]
    Write,
    /// As an event that reads.
    Read,
    /// As neither of the two.
    Neither,
}

impl Unknown {
    const ALL: [Self; 3] = [Self::Write, Self::Read, Self::Neither];

    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::Neither => "neither",
        }
    }

    /// The variant with this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unknown| unknown.name() == name)
    }
}

impl EventSelectors {
    /// The selectors as a filter on records.
    #[must_use]
    pub fn compile(&self, unknown: Unknown) -> Filter {
        Filter::on_records(self.predicate(unknown))
    }

    /// The selectors as a predicate.
    #[must_use]
    pub fn predicate(&self, unknown: Unknown) -> Predicate {
        Predicate::Any(self.to_advanced().iter().map(|selector| selector.predicate(unknown)).collect())
    }
}

impl AdvancedSelector {
    fn predicate(&self, unknown: Unknown) -> Predicate {
        let mut parts = Vec::new();
        let mut resources = Resources::default();
        for selector in &self.fields {
            match selector.field {
                Field::ResourcesType => resources.kind = Some(selector),
                Field::ResourcesArn => resources.arn = Some(selector),
                Field::EventCategory => parts.extend(selector.category()),
                Field::ReadOnly => parts.push(selector.read_only(unknown)),
                _ => parts.push(selector.on_one_value()),
            }
        }
        parts.extend(resources.predicate());
        Predicate::All(parts)
    }
}

impl FieldSelector {
    /// The values that include, or those that exclude, as a test that one match passes; `None` if there are none.
    fn hits(&self, selects: bool) -> Option<TextTest> {
        self.hits_of(|operator| operator.selects() == selects)
    }

    fn hits_of(&self, counts: impl Fn(Operator) -> bool) -> Option<TextTest> {
        let counting: Vec<_> = self.conditions.iter().filter(|(operator, _)| counts(*operator)).collect();
        let tests = counting.iter().flat_map(|(operator, values)| {
            let bytes = |value: &String| value.as_bytes().into();
            match operator.positive() {
                Operator::StartsWith => values.iter().map(|value| TextTest::Prefix(bytes(value))).collect(),
                Operator::EndsWith => values.iter().map(|value| TextTest::Suffix(bytes(value))).collect(),
                _ => vec![TextTest::one_of(values.iter().map(String::as_str))],
            }
        });
        let mut tests: Vec<_> = tests.collect();
        match tests.len() {
            0 if counting.is_empty() => None,
            1 => tests.pop(),
            _ => Some(TextTest::Any(tests)),
        }
    }

    /// The conditions that include, or those that exclude, in words.
    fn label(&self, selects: bool) -> String {
        let conditions = self.conditions.iter().filter(|(operator, _)| operator.selects() == selects);
        let words: Vec<_> = conditions
            .map(|(operator, values)| format!("{} {} {values:?}", self.field.name(), operator.name()))
            .collect();
        words.join(" or ")
    }

    /// The conditions on a field that a record has once. If it is missing, nothing is included or excluded.
    fn on_one_value(&self) -> Predicate {
        let path = Path::keys(self.field.name().split('.'));
        let test = |hits: TextTest| match self.field {
            Field::SessionCredentialFromConsole => {
                ValueTest::Any(vec![ValueTest::Text(hits), ValueTest::Kind(&[Kind::True])])
            }
            _ => ValueTest::Text(hits),
        };
        let selected = self.hits(true).map(|hits| Predicate::value(path.clone(), test(hits), self.label(true)));
        let kept = self.hits(false).map(|hits| {
            let slot = Slot::new(path.clone(), ValueTest::Not(Box::new(test(hits))), self.label(false));
            Predicate::Values(vec![Slot { or_absent: true, ..slot }])
        });
        Predicate::All(selected.into_iter().chain(kept).collect())
    }

    /// Most records state their category; deriving it takes longer than the rest of a selector.
    fn category(&self) -> Option<Predicate> {
        let hits = ValueTest::Text(self.hits(true)?);
        let path = || Path::keys(["eventCategory"]);
        let said = Predicate::value(path(), hits.clone(), "");
        let unsaid = Slot::new(path(), ValueTest::Not(Box::new(ValueTest::Kind(&[Kind::Text]))), "");
        let unsaid = Predicate::Values(vec![Slot { or_absent: true, ..unsaid }]);
        let derived = Predicate::value(Path::Derived(Derived::Category), hits, "");
        let condition = Predicate::Any(vec![said, Predicate::All(vec![unsaid, derived])]);
        Some(Predicate::Condition(self.label(true), Box::new(condition)))
    }

    /// `true` and `false` may be JSON values, or strings in any case.
    fn read_only(&self, unknown: Unknown) -> Predicate {
        let says = |kind: &'static [Kind], text: &str| {
            ValueTest::Any(vec![ValueTest::Kind(kind), ValueTest::Text(TextTest::EqualIgnoreCase(Folded::new(text)))])
        };
        let (reads, writes) = (says(&[Kind::True], "true"), says(&[Kind::False], "false"));
        let slot = |test: &ValueTest, other: &ValueTest, too: bool| {
            let test = if too { ValueTest::Not(Box::new(other.clone())) } else { test.clone() };
            Predicate::Values(vec![Slot {
                or_absent: too,
                ..Slot::new(Path::keys(["readOnly"]), test, self.label(true))
            }])
        };
        let values = self.conditions.iter().filter(|(operator, _)| operator.selects()).flat_map(|(_, values)| values);
        let parts = values.map(|value| match value.as_str() {
            "true" => slot(&reads, &writes, unknown == Unknown::Read),
            _ => slot(&writes, &reads, unknown == Unknown::Write),
        });
        Predicate::Any(parts.collect())
    }
}

/// The conditions on the resources of an event.
#[derive(Default)]
struct Resources<'a> {
    kind: Option<&'a FieldSelector>,
    arn: Option<&'a FieldSelector>,
}

impl Resources<'_> {
    /// Type and ARN belong to one resource. An excluded ARN excludes the event.
    fn predicate(&self) -> Vec<Predicate> {
        let mut parts: Vec<_> = self.kind.map(|kind| self.of_type(kind.label(true))).into_iter().collect();
        if let Some(arn) = self.arn {
            parts.extend(self.with_arn(arn, true));
            parts.extend(self.with_arn(arn, false));
        }
        parts
    }

    /// There is a resource of the type.
    fn of_type(&self, label: String) -> Predicate {
        let objects = self.has_objects().then(|| object(ValueTest::Kind(&[Kind::Text])));
        let parts = [Predicate::Values(self.slots())].into_iter().chain(objects).collect();
        Predicate::Condition(label, Box::new(Predicate::Any(parts)))
    }

    /// There is a resource of the type whose ARN matches or, if matches exclude, no such resource.
    fn with_arn(&self, arn: &FieldSelector, selects: bool) -> Option<Predicate> {
        let hits = arn.hits(selects)?;
        let mut parts = Vec::new();
        for (at, (name, whole)) in ARN_MEMBERS.into_iter().enumerate() {
            let counts = |operator: Operator| whole || operator.positive() == Operator::StartsWith;
            let Some(hits) = arn.hits_of(|operator| operator.selects() == selects && counts(operator)) else {
                continue;
            };
            let mut slots = vec![slot(Path::keys_through_arrays(["resources", name]), hits)];
            slots.extend(self.slots());
            slots.extend(ARN_MEMBERS[..at].iter().map(|(earlier, _)| without_text(earlier)));
            parts.push(Predicate::Values(slots));
        }
        if self.has_objects() {
            parts.push(object(ValueTest::Text(hits)));
        }
        let hit = Predicate::Any(parts);
        let condition = if selects { hit } else { Predicate::Not(Box::new(hit)) };
        Some(Predicate::Condition(arn.label(selects), Box::new(condition)))
    }

    /// A resource of the type.
    fn slots(&self) -> Vec<Slot> {
        let hits = self.kind.and_then(|kind| kind.hits(true));
        hits.into_iter().map(|hits| slot(Path::keys_through_arrays(["resources", "type"]), hits)).collect()
    }

    fn has_objects(&self) -> bool {
        let conditions = self.kind.iter().flat_map(|selector| &selector.conditions);
        conditions.flat_map(|(_, values)| values).any(|value| value == S3_OBJECT)
    }
}

/// The members of a resource that hold its ARN, and whether they hold all of it; the first that is a string counts. An
/// event on all objects with a prefix has that prefix in place of the ARN: it can start with a value, but neither equal
/// one nor end with one.
const ARN_MEMBERS: [(&str, bool); 3] = [("ARN", true), ("arn", true), ("ARNPrefix", false)];

/// The part of a condition with its own wording.
fn slot(path: Path, hits: TextTest) -> Slot {
    Slot::new(path, ValueTest::Text(hits), "")
}

/// A resource has no string under this name.
fn without_text(name: &str) -> Slot {
    let test = ValueTest::Not(Box::new(ValueTest::Kind(&[Kind::Text])));
    Slot { or_absent: true, ..Slot::new(Path::keys_through_arrays(["resources", name]), test, "") }
}

/// Early data events of S3 name the object only in their parameters.
fn object(test: ValueTest) -> Predicate {
    Predicate::value(Path::Derived(Derived::ObjectArn), test, "")
}

#[cfg(test)]
mod tests;
