//! Event selectors as values.

use super::field::{Field, Operator};

/// The event selectors of one trail or event data store. An event is logged when one of them selects it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSelectors {
    /// Basic ones, as trails had them first.
    Basic(Vec<BasicSelector>),
    /// Advanced ones.
    Advanced(Vec<AdvancedSelector>),
}

/// A basic event selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicSelector {
    /// Whether events that read, events that write or both are meant, be they management or data events.
    pub read_write: ReadWrite,
    /// Whether management events are selected.
    pub management: bool,
    /// Whose data events are selected.
    pub resources: Vec<DataResource>,
    /// Sources whose management events are not.
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
    /// ARNs, or their beginnings.
    pub values: Vec<String>,
}

/// An advanced event selector: all of its fields have to pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvancedSelector {
    /// What its owner calls it.
    pub name: Option<String>,
    /// Its conditions.
    pub fields: Vec<FieldSelector>,
}

/// The conditions on one field. One of the values that select must be hit, if there are any, and none of those that take away.
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
