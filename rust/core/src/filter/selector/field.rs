//! The fields of advanced event selectors and their operators: the table of "Filtering data events" and of the pages on
//! management and network activity events in the CloudTrail User Guide.

/// What event selectors belong to. Trails and event data stores accept different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Target {
    /// A trail.
    Trail,
    /// An event data store of CloudTrail Lake.
    EventDataStore,
    /// Either of the two.
    #[default]
    Either,
}

/// The category of an event, by `eventCategory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Events of the control plane.
    Management,
    /// Operations on a resource, or in it.
    Data,
    /// Calls through a VPC endpoint.
    NetworkActivity,
    /// Unusual activity.
    Insight,
    /// Events from AWS Config.
    ConfigurationItem,
    /// Events from Audit Manager.
    Evidence,
    /// Events from outside of AWS.
    ActivityAuditLog,
}

/// A field that an advanced event selector can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// `eventCategory`
    EventCategory,
    /// `readOnly`
    ReadOnly,
    /// `eventSource`
    EventSource,
    /// `eventName`
    EventName,
    /// `eventType`
    EventType,
    /// `resources.type`
    ResourcesType,
    /// `resources.ARN`
    ResourcesArn,
    /// `sessionCredentialFromConsole`
    SessionCredentialFromConsole,
    /// `userIdentity.arn`
    UserIdentityArn,
    /// `errorCode`
    ErrorCode,
    /// `vpcEndpointId`
    VpcEndpointId,
}

/// How a field is compared with its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Includes what equals one of them.
    Equals,
    /// Includes what begins with one of them.
    StartsWith,
    /// Includes what ends with one of them.
    EndsWith,
    /// Excludes what equals one of them.
    NotEquals,
    /// Excludes what begins with one of them.
    NotStartsWith,
    /// Excludes what ends with one of them.
    NotEndsWith,
}

impl Category {
    pub(super) const ALL: [Self; 7] = [
        Self::Management,
        Self::Data,
        Self::NetworkActivity,
        Self::Insight,
        Self::ConfigurationItem,
        Self::Evidence,
        Self::ActivityAuditLog,
    ];

    /// As selectors and records spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Management => "Management",
            Self::Data => "Data",
            Self::NetworkActivity => "NetworkActivity",
            Self::Insight => "Insight",
            Self::ConfigurationItem => "ConfigurationItem",
            Self::Evidence => "Evidence",
            Self::ActivityAuditLog => "ActivityAuditLog",
        }
    }

    /// The fields that `target` accepts.
    pub(super) fn of(target: Target) -> &'static [Self] {
        const ALL: &[Category] = &Category::ALL;
        if target == Target::Trail { &ALL[..3] } else { ALL }
    }

    /// The fields that a selector must have, besides the category.
    pub(super) fn required(self) -> Option<Field> {
        match self {
            Self::Data => Some(Field::ResourcesType),
            Self::NetworkActivity => Some(Field::EventSource),
            _ => None,
        }
    }
}

impl Operator {
    pub(super) const ALL: [Self; 6] =
        [Self::Equals, Self::StartsWith, Self::EndsWith, Self::NotEquals, Self::NotStartsWith, Self::NotEndsWith];

    /// As selectors spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Equals => "Equals",
            Self::StartsWith => "StartsWith",
            Self::EndsWith => "EndsWith",
            Self::NotEquals => "NotEquals",
            Self::NotStartsWith => "NotStartsWith",
            Self::NotEndsWith => "NotEndsWith",
        }
    }

    /// Whether it includes, rather than excludes.
    #[must_use]
    pub fn selects(self) -> bool {
        matches!(self, Self::Equals | Self::StartsWith | Self::EndsWith)
    }

    /// The including operator with the same comparison.
    pub(super) fn positive(self) -> Self {
        match self {
            Self::Equals | Self::NotEquals => Self::Equals,
            Self::StartsWith | Self::NotStartsWith => Self::StartsWith,
            Self::EndsWith | Self::NotEndsWith => Self::EndsWith,
        }
    }

    /// Whether a string matches a value, to include or to exclude it.
    pub(super) fn hits(self, text: &str, value: &str) -> bool {
        match self.positive() {
            Self::StartsWith => text.starts_with(value),
            Self::EndsWith => text.ends_with(value),
            _ => text == value,
        }
    }
}

impl Field {
    pub(super) const ALL: [Self; 11] = [
        Self::EventCategory,
        Self::ReadOnly,
        Self::EventSource,
        Self::EventName,
        Self::EventType,
        Self::ResourcesType,
        Self::ResourcesArn,
        Self::SessionCredentialFromConsole,
        Self::UserIdentityArn,
        Self::ErrorCode,
        Self::VpcEndpointId,
    ];

    /// As selectors spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EventCategory => "eventCategory",
            Self::ReadOnly => "readOnly",
            Self::EventSource => "eventSource",
            Self::EventName => "eventName",
            Self::EventType => "eventType",
            Self::ResourcesType => "resources.type",
            Self::ResourcesArn => "resources.ARN",
            Self::SessionCredentialFromConsole => "sessionCredentialFromConsole",
            Self::UserIdentityArn => "userIdentity.arn",
            Self::ErrorCode => "errorCode",
            Self::VpcEndpointId => "vpcEndpointId",
        }
    }

    /// The operators that the field accepts in selectors of a category; none if the category does not have the field.
    pub(super) fn operators(self, category: Category, target: Target) -> &'static [Operator] {
        const EQUALS: &[Operator] = &[Operator::Equals];
        const EQUAL_OR_NOT: &[Operator] = &[Operator::Equals, Operator::NotEquals];
        let store = target != Target::Trail;
        match (category, self) {
            (_, Self::EventCategory)
            | (Category::Management | Category::Data, Self::ReadOnly)
            | (Category::Data, Self::ResourcesType)
            | (Category::NetworkActivity, Self::EventSource | Self::ErrorCode) => EQUALS,
            (Category::Management, Self::EventSource) if !store => &[Operator::NotEquals],
            (Category::Management, Self::SessionCredentialFromConsole) if store => EQUAL_OR_NOT,
            (Category::Data, Self::SessionCredentialFromConsole) => EQUAL_OR_NOT,
            (Category::Management, Self::EventSource | Self::EventName | Self::EventType | Self::UserIdentityArn)
                if store =>
            {
                &Operator::ALL
            }
            (
                Category::Data,
                Self::EventSource | Self::EventName | Self::EventType | Self::UserIdentityArn | Self::ResourcesArn,
            )
            | (Category::NetworkActivity, Self::EventName | Self::VpcEndpointId) => &Operator::ALL,
            _ => &[],
        }
    }

    /// The only values that the field accepts in selectors of a category; `None` if it accepts any.
    pub(super) fn values(self, category: Category, target: Target) -> Option<&'static [&'static str]> {
        match self {
            Self::ReadOnly => Some(&["true", "false"]),
            Self::SessionCredentialFromConsole => Some(&["true"]),
            Self::ErrorCode => Some(&["VpceAccessDenied"]),
            Self::EventSource if category == Category::Management && target == Target::Trail => Some(&EXCLUDABLE),
            _ => None,
        }
    }
}

/// The sources whose management events a trail can leave out.
pub(super) const EXCLUDABLE: [&str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];
