//! Why files are not read.

/// Why a file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// Its name is not that of a log.
    Name,
    /// It is a digest file.
    Digest,
    /// It belongs to another service.
    Service,
    /// Its name is not a key of CloudTrail, but accounts, regions or kinds are selected.
    NoKey,
    /// Its account is not selected.
    Account,
    /// Its region is not selected.
    Region,
    /// Its kind is not selected.
    Kind,
    /// An earlier scan has read it, by a checkpoint.
    Done,
    /// It was not verified, and only verified files are read.
    Unverified,
    /// It cannot hold events of the selected time.
    Time,
    /// It was reached by a link, but is walked under its own name, or was walked already.
    Linked,
    /// It is not a record of CloudTrail, and holds none.
    NotCloudTrail,
    /// It is a message by which CloudWatch Logs checks whether the destination is reachable.
    ControlMessage,
    /// It is a notification about an object, or of another service.
    Notification,
    /// It is a duplicate of an earlier record, and duplicates are removed.
    Duplicate,
    /// It was inflated, but its text lacks a constant that the predicate needs.
    Constant,
}

impl Skip {
    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Digest => "digest",
            Self::Service => "service",
            Self::NoKey => "no-key",
            Self::Account => "account",
            Self::Region => "region",
            Self::Kind => "kind",
            Self::Done => "done",
            Self::Unverified => "unverified",
            Self::Time => "time",
            Self::Linked => "linked",
            Self::NotCloudTrail => "not-cloudtrail",
            Self::ControlMessage => "control-message",
            Self::Notification => "notification",
            Self::Duplicate => "duplicate",
            Self::Constant => "constant",
        }
    }
}
