//! Objects in the archive classes of S3, which have to be restored before they can be read.

/// What a listing says about an object in an archive class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Archived {
    /// The class that it is in.
    pub class: Class,
    /// Whether it can be read.
    pub state: State,
}

/// An archive class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// S3 Glacier Flexible Retrieval.
    Glacier,
    /// S3 Glacier Deep Archive.
    DeepArchive,
}

/// Whether an object in an archive class can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Its restoration has not been requested.
    Archived,
    /// It is being restored.
    Restoring,
    /// It has been restored for a while, and can be read.
    Restored,
    /// The store does not say.
    Unknown,
}

impl Class {
    /// The class of this name, if it is one from which objects have to be restored.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "GLACIER" => Some(Self::Glacier),
            "DEEP_ARCHIVE" => Some(Self::DeepArchive),
            _ => None,
        }
    }

    /// Its name at S3.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Glacier => "GLACIER",
            Self::DeepArchive => "DEEP_ARCHIVE",
        }
    }
}

impl State {
    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Archived => "archived",
            Self::Restoring => "restoring",
            Self::Restored => "restored",
            Self::Unknown => "unknown",
        }
    }
}
