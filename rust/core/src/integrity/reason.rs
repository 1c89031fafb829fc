//! What can be wrong with an archive, and how severe it is.

/// What is wrong, or worth knowing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Not gzip, damaged, or not a digest.
    Format,
    /// The operating system refused to read it.
    Unreadable,
    /// It is not where it says it was written.
    Moved,
    /// No public key has the fingerprint that it names.
    UnknownKey,
    /// The key is one of another region.
    KeyRegion,
    /// The key was not in use at that time.
    KeyTime,
    /// The key cannot be used.
    BadKey,
    /// Another signature algorithm than SHA-256 with RSA.
    SignatureAlgorithm,
    /// The signature does not match.
    Signature,
    /// There is no signature for it.
    NoSignature,
    /// Another hash algorithm than SHA-256.
    HashAlgorithm,
    /// The next digest holds another hash for it.
    PreviousHash,
    /// The next digest holds another signature for it.
    PreviousSignature,
    /// It does not start where the digest before it ends.
    Discontinuity,
    /// It points past the digest before it.
    Fork,
    /// It points to a later digest.
    Order,
    /// It ends at another time than its name says.
    NameTime,
    /// A time that no CloudTrail digest can have, or a span of more than a day.
    ImplausibleTime,
    /// It names another account than its folder.
    ForeignDigest,
    /// A digest is missing.
    MissingDigest,
    /// No digest covers the time between two: the later one starts the chain again.
    Gap,
    /// No digest covers a time that should be covered.
    Uncovered,
    /// There are log files, but no digests.
    NoDigests,
    /// A log file is missing.
    MissingLog,
    /// The hash does not match.
    Hash,
    /// More than one gzip member.
    Members,
    /// Bytes after the gzip data.
    TrailingBytes,
    /// A name that leads out of the archive; not read.
    UnsafeName,
    /// A log file of another account or region.
    ForeignLog,
    /// The digest that lists it is invalid.
    DigestInvalid,
    /// Listed more than once.
    ListedTwice,
    /// No digest lists it.
    Unlisted,
    /// No digest lists it yet, but the next one may.
    Pending,
    /// A file named like CloudTrail's in a place where none belongs.
    Stray,
}

/// Whether a [`super::Finding`] counts against the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It is only worth knowing.
    Note,
}

impl Severity {
    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Note => "note",
        }
    }
}

impl Reason {
    /// A short, stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Unreadable => "unreadable",
            Self::Moved => "moved",
            Self::UnknownKey => "unknown-key",
            Self::KeyRegion => "key-region",
            Self::KeyTime => "key-time",
            Self::BadKey => "bad-key",
            Self::SignatureAlgorithm => "signature-algorithm",
            Self::Signature => "signature",
            Self::NoSignature => "no-signature",
            Self::HashAlgorithm => "hash-algorithm",
            Self::PreviousHash => "previous-hash",
            Self::PreviousSignature => "previous-signature",
            Self::Discontinuity => "discontinuity",
            Self::Fork => "fork",
            Self::Order => "order",
            Self::NameTime => "name-time",
            Self::ImplausibleTime => "implausible-time",
            Self::ForeignDigest => "foreign-digest",
            Self::MissingDigest => "missing-digest",
            Self::Gap => "gap",
            Self::Uncovered => "uncovered",
            Self::NoDigests => "no-digests",
            Self::MissingLog => "missing-log",
            Self::Hash => "hash",
            Self::Members => "members",
            Self::TrailingBytes => "trailing-bytes",
            Self::UnsafeName => "unsafe-name",
            Self::ForeignLog => "foreign-log",
            Self::DigestInvalid => "digest-invalid",
            Self::ListedTwice => "listed-twice",
            Self::Unlisted => "unlisted",
            Self::Pending => "pending",
            Self::Stray => "stray",
        }
    }

    /// Whether it counts against the archive.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Gap | Self::Pending | Self::ForeignLog | Self::ListedTwice => Severity::Note,
            _ => Severity::Error,
        }
    }

    /// Whether it concerns the digest's place in the chain, and leaves the digest itself proven.
    pub(crate) fn is_of_the_chain(self) -> bool {
        matches!(self, Self::Discontinuity | Self::Fork | Self::Order | Self::NameTime | Self::ForeignDigest)
            || self.severity() == Severity::Note
    }
}
