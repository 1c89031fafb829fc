//! Where a condition looks: paths into a record, or into any JSON document, and values derived from a record.

/// A place in a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Path {
    /// Down from the record itself.
    Steps {
        /// The steps, from the record on.
        steps: Vec<Step>,
        /// Whether arrays on the way, and at the end, are entered as if each element stood in their place: then only
        /// values that are neither objects nor arrays are found. Otherwise, a step through an array names the element.
        through_arrays: bool,
    },
    /// What `EventBridge` or an event selector sees, but the record spells differently.
    Derived(Derived),
}

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// Into the member of an object.
    Key(String),
    /// Into one element of an array.
    Index(u32),
    /// Into each element of an array.
    Elements,
    /// Into each member of an object.
    Members,
    /// Into each element of an array, or each member of an object.
    Each,
}

/// A value that is derived from other ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Derived {
    /// `Management`, `Data`, `NetworkActivity`, `Insight`, …: `eventCategory`, or for older records the category that
    /// follows from other fields.
    Category,
    /// `detail-type` of the event that `EventBridge` makes of the record; both spellings of sign-in events.
    DetailType,
    /// `source` of that event: `aws.ec2`.
    Source,
    /// `account` of that event.
    Account,
    /// `time` of that event.
    Time,
    /// `region` of that event.
    Region,
    /// `id` of that event; the record's id takes its place.
    Id,
    /// `resources` of that event; nothing follows from the record.
    Resources,
    /// The ARN of an object in S3 that only the parameters of a call name, as in early records.
    ObjectArn,
}

impl Derived {
    /// Members of an event on a bus.
    const OF_EVENT: [(&'static str, Self); 7] = [
        ("detail-type", Self::DetailType),
        ("source", Self::Source),
        ("account", Self::Account),
        ("time", Self::Time),
        ("region", Self::Region),
        ("id", Self::Id),
        ("resources", Self::Resources),
    ];

    /// The member of an event on a bus with this name.
    pub(super) fn of_event(name: &str) -> Option<Self> {
        Self::OF_EVENT.iter().find(|(known, _)| *known == name).map(|(_, derived)| *derived)
    }

    /// The member of an event on a bus, which is used if there is such an event.
    pub(super) fn in_event(self) -> Option<&'static str> {
        Self::OF_EVENT.iter().find(|(_, derived)| *derived == self).map(|(name, _)| *name)
    }
}

impl Path {
    /// Down the keys of objects only.
    pub fn keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Steps { steps: keys.into_iter().map(|key| Step::Key(key.to_owned())).collect(), through_arrays: false }
    }

    /// Down these keys, and through all arrays on the way.
    pub fn keys_through_arrays<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Steps { steps: keys.into_iter().map(|key| Step::Key(key.to_owned())).collect(), through_arrays: true }
    }

    /// How many steps two paths have in common.
    pub(super) fn common(&self, other: &Self) -> usize {
        match (self, other) {
            (Self::Steps { steps, .. }, Self::Steps { steps: others, .. }) => {
                steps.iter().zip(others).take_while(|(step, other)| step == other).count()
            }
            _ => 0,
        }
    }
}
