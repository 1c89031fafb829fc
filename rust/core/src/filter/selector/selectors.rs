//! Event selectors as values.

use super::field::{Field, Operator};

/// The event selectors of one trail or event data store. An event is logged when one of them selects it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSelectors {
    /// Basic selectors, the older kind of trails.
    Basic(Vec<BasicSelector>),
    /// Advanced selectors.
    Advanced(Vec<AdvancedSelector>),
}

/// A basic event selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicSelector {
    /// Whether it means events that read, that write, or both, for management and data events alike.
    pub read_write: ReadWrite,
    /// Whether management events are selected.
    pub management: bool,
    /// The resources whose data events are selected.
    pub resources: Vec<DataResource>,
    /// Sources whose management events are excluded.
    pub excluded: Vec<String>,
}

/// `ReadWriteType` of a basic selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadWrite {
    /// Both.
    #[default]
    All,
    /// Events that read.
    ReadOnly,
    /// Events that write.
    WriteOnly,
}

/// Resources of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataResource {
    /// `AWS::S3::Object`, `AWS::Lambda::Function` or `AWS::DynamoDB::Table`.
    pub kind: String,
    /// ARNs, or prefixes of them.
    pub values: Vec<String>,
}

/// An advanced event selector: all of its fields must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvancedSelector {
    /// The name that its owner gave it.
    pub name: Option<String>,
    /// Its conditions.
    pub fields: Vec<FieldSelector>,
}

/// The conditions on one field. If there are values that include, one must match; none of the values that exclude may
/// match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSelector {
    /// The field.
    pub field: Field,
    /// Operators and their values.
    pub conditions: Vec<(Operator, Vec<String>)>,
}

impl Default for BasicSelector {
    fn default() -> Self {
        Self { read_write: ReadWrite::All, management: true, resources: Vec::new(), excluded: Vec::new() }
    }
}

impl ReadWrite {
    pub(super) const ALL: [Self; 3] = [Self::All, Self::ReadOnly, Self::WriteOnly];

    /// As selectors spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::ReadOnly => "ReadOnly",
            Self::WriteOnly => "WriteOnly",
        }
    }
}
