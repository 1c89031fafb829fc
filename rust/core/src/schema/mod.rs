//! THE column table: each column's path in the record, its kind, and what it means. The Arrow schema, the key tables of
//! the parser, the builders, the Python stubs and `docs/columns.md` derive from it.

mod keys;

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};

pub(crate) use keys::{ColumnId, KeyTable, Opening};

/// How a column is read from its JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string; another JSON value as its text.
    Text,
    /// `true` or `false`, also written as a string.
    Flag,
    /// An ISO 8601 time.
    Time,
    /// Any JSON value, byte for byte.
    Json,
    /// An object with known members: the columns whose path continues this one's.
    Object,
    /// A list of such objects.
    List,
    /// Everything that no other column holds.
    Extra,
    /// The whole record.
    Raw,
    /// The file's key or path.
    File,
    /// The record's index in its file.
    Record,
}

/// One line of the table.
#[derive(Debug)]
pub struct Column {
    /// Where the value stands in the record: `userIdentity.arn`, `resources[].ARN`.
    pub path: &'static str,
    /// How its value is read.
    pub kind: Kind,
    /// Its meaning, in one sentence.
    pub doc: &'static str,
}

impl Column {
    /// The last step of its path.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or_default()
    }
}

const fn column(path: &'static str, kind: Kind, doc: &'static str) -> Column {
    Column { path, kind, doc }
}

use Kind::{Extra, File, Flag, Json, List, Object, Raw, Record, Text, Time};

/// The columns in their order; members follow the object that they belong to.
pub const COLUMNS: &[Column] = &[
    column(
        "eventVersion",
        Text,
        "Version of the record format, `major.minor`; compare the parts as integers (1.10 is later than 1.9).",
    ),
    column("userIdentity", Object, "Who made the request."),
    column(
        "userIdentity.type",
        Text,
        "`Root`, `IAMUser`, `AssumedRole`, `Role`, `FederatedUser`, `AWSAccount`, `AWSService`, …; some service \
         events have none.",
    ),
    column(
        "userIdentity.userName",
        Text,
        "Name of the IAM user; `HIDDEN_DUE_TO_SECURITY_REASONS` when a sign-in failed on an unknown name.",
    ),
    column("userIdentity.principalId", Text, "Unique id of the principal; `AROA…:session` for an assumed role."),
    column("userIdentity.arn", Text, "ARN of the principal."),
    column("userIdentity.accountId", Text, "Account that the principal belongs to."),
    column("userIdentity.accessKeyId", Text, "Access key that signed the request; may be empty."),
    column("userIdentity.sessionContext", Object, "The session, for temporary credentials."),
    column("userIdentity.sessionContext.attributes", Object, "When and how the session was made."),
    column(
        "userIdentity.sessionContext.attributes.creationDate",
        Text,
        "When the credentials were issued; basic and extended ISO 8601 both occur.",
    ),
    column("userIdentity.sessionContext.attributes.mfaAuthenticated", Text, "`true` or `false`, as a string."),
    column(
        "userIdentity.sessionContext.sessionIssuer",
        Object,
        "Who the session was issued for: the role, or the user.",
    ),
    column("userIdentity.sessionContext.sessionIssuer.type", Text, "`Root`, `IAMUser` or `Role`."),
    column("userIdentity.sessionContext.sessionIssuer.userName", Text, "Name of the role or user."),
    column("userIdentity.sessionContext.sessionIssuer.principalId", Text, "Unique id of the role or user."),
    column("userIdentity.sessionContext.sessionIssuer.arn", Text, "ARN of the role or user, with its path."),
    column("userIdentity.sessionContext.sessionIssuer.accountId", Text, "Account of the role or user."),
    column("userIdentity.sessionContext.webIdFederationData", Object, "The identity provider, for web identities."),
    column("userIdentity.sessionContext.webIdFederationData.federatedProvider", Text, "Name of the identity provider."),
    column(
        "userIdentity.sessionContext.webIdFederationData.attributes",
        Json,
        "Application and user ids as the provider gave them.",
    ),
    column(
        "userIdentity.sessionContext.sourceIdentity",
        Text,
        "The identity that the first role of the chain was assumed with.",
    ),
    column(
        "userIdentity.sessionContext.ec2RoleDelivery",
        Text,
        "Version of the instance metadata service that delivered the credentials: `1.0` or `2.0`.",
    ),
    column("userIdentity.sessionContext.assumedRoot", Flag, "Whether this is a privileged root session."),
    column("userIdentity.sessionContext.ec2IssuedInVpc", Text, "VPC that the instance's credentials were issued in."),
    column("userIdentity.invokedBy", Text, "AWS service that made the request for the principal."),
    column("userIdentity.invokedByDelegate", Object, "Product provider that used delegated access."),
    column("userIdentity.invokedByDelegate.accountId", Text, "Account of the product provider."),
    column("userIdentity.identityProvider", Text, "Name of the external identity provider."),
    column("userIdentity.onBehalfOf", Object, "The IAM Identity Center user after the request."),
    column("userIdentity.onBehalfOf.userId", Text, "Id of the user."),
    column("userIdentity.onBehalfOf.identityStoreArn", Text, "ARN of the identity store."),
    column("userIdentity.inScopeOf", Object, "The resource that the credentials were issued for."),
    column("userIdentity.inScopeOf.sourceArn", Text, "ARN of the resource."),
    column("userIdentity.inScopeOf.sourceAccount", Text, "Account of the resource."),
    column("userIdentity.inScopeOf.issuerType", Text, "Type of the resource, such as `AWS::Lambda::Function`."),
    column("userIdentity.inScopeOf.credentialsIssuedTo", Text, "What the credentials were issued to."),
    column("userIdentity.credentialId", Text, "Id of the bearer token."),
    column("eventTime", Time, "When the request was completed, by the clock of the service; whole seconds."),
    column("eventSource", Text, "Service that was called, such as `s3.amazonaws.com`."),
    column("eventName", Text, "API action, or name of the event; case-sensitive."),
    column("awsRegion", Text, "Region that the request was made to."),
    column("sourceIPAddress", Text, "An IP address, the DNS name of an AWS service, or `AWS Internal`."),
    column("userAgent", Text, "Agent that made the request; cut at 1 KB."),
    column("errorCode", Text, "Error of the service; null when the request succeeded."),
    column("errorMessage", Text, "Description of the error; failed console sign-ins have only this."),
    column(
        "requestParameters",
        Json,
        "Parameters of the request; their form is the service's own. Omitted above 100 KB.",
    ),
    column("responseElements", Json, "What the service answered to a change; null for reads. Omitted above 100 KB."),
    column("additionalEventData", Json, "Data that is part of neither request nor response. Omitted above 28 KB."),
    column("requestID", Text, "Id of the request, made by the service."),
    column("eventID", Text, "Id of the event; duplicates of one event share it in most cases."),
    column(
        "eventType",
        Text,
        "`AwsApiCall`, `AwsServiceEvent`, `AwsConsoleAction`, `AwsConsoleSignIn`, `AwsVpceEvent`, \
         `AwsCloudTrailInsight`, …",
    ),
    column("apiVersion", Text, "API version of the request."),
    column("managementEvent", Flag, "Whether this is a management event."),
    column("readOnly", Flag, "Whether the operation only reads; null when the record does not say."),
    column("resources", List, "Resources that the event touched."),
    column("resources[].ARN", Text, "ARN of the resource."),
    column("resources[].ARNPrefix", Text, "Prefix of the ARNs, for calls on a prefix."),
    column("resources[].accountId", Text, "Owner of the resource; may be blanked to an empty string."),
    column("resources[].type", Text, "Type of the resource, such as `AWS::S3::Object`."),
    column("recipientAccountId", Text, "Account that received this copy of the event."),
    column("serviceEventDetails", Json, "What a service event was about. Omitted above 100 KB."),
    column("sharedEventID", Text, "Id that the copies of one action share when several accounts receive it."),
    column("vpcEndpointId", Text, "VPC endpoint that the request went through."),
    column("vpcEndpointAccountId", Text, "Owner of the VPC endpoint."),
    column("eventCategory", Text, "`Management`, `Data`, `NetworkActivity`, `Insight` or `Aggregated`."),
    column("addendum", Json, "Why the event was late or changed, and what it replaces."),
    column("sessionCredentialFromConsole", Text, "`true` when the credentials came from a console session."),
    column("edgeDeviceDetails", Json, "Device of S3 on Outposts."),
    column("tlsDetails", Object, "TLS connection of the request."),
    column("tlsDetails.tlsVersion", Text, "TLS version."),
    column("tlsDetails.cipherSuite", Text, "Cipher suite."),
    column("tlsDetails.clientProvidedHostHeader", Text, "Host name that the client asked for."),
    column("tlsDetails.keyExchange", Text, "Key exchange, such as `X25519MLKEM768`."),
    column("eventContext", Json, "Condition keys and tags; only in event data stores."),
    column("insightDetails", Json, "What an Insights event found."),
    column("annotation", Text, "Text field of the Lake schema, without a documented meaning."),
    column(
        "extra",
        Extra,
        "Unknown keys, and values that do not fit their column, under their paths; null when there are none.",
    ),
    column("raw", Raw, "The whole record."),
    column("file", File, "Key or path of the file that the record came from."),
    column("record", Record, "Index of the record in its file, from 0."),
];

/// Other spellings of a path.
const ALIASES: &[(&str, &str)] = &[("resources[].arn", "resources[].ARN")];

/// The table as a tree.
pub(crate) struct Tree {
    /// The columns of the result, in order.
    pub(crate) roots: Vec<ColumnId>,
    /// The members of each object or list.
    pub(crate) members: Vec<Vec<ColumnId>>,
    /// The column itself and all below it.
    pub(crate) subtree: Vec<u128>,
    /// The keys of a record.
    pub(crate) record: KeyTable,
    /// The keys of each object, and of each list's elements.
    pub(crate) keys: Vec<KeyTable>,
    /// The beginning of each column's member, by [`ColumnId`], and of none.
    pub(crate) openings: [Opening; 129],
}

/// The tree of [`COLUMNS`].
pub(crate) static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let ids = || 0..COLUMNS.len() as ColumnId;
    let children = |parent: Option<&str>| -> Vec<ColumnId> {
        ids().filter(|&id| split(COLUMNS[id as usize].path).0 == parent).collect()
    };
    let keys = |parent: Option<&str>| {
        let own = children(parent)
            .into_iter()
            .filter(|&id| !matches!(COLUMNS[id as usize].kind, Extra | Raw | File | Record));
        let own = own.map(|id| (split(COLUMNS[id as usize].path).1, id));
        let aliases = ALIASES.iter().filter(|(alias, _)| split(alias).0 == parent && parent.is_some());
        let aliases = aliases.filter_map(|(alias, path)| Some((split(alias).1, find(path)?)));
        KeyTable::new(own.chain(aliases))
    };
    let members: Vec<_> = COLUMNS.iter().map(|column| children(Some(column.path))).collect();
    let mut subtree = vec![0; COLUMNS.len()];
    for id in ids().rev() {
        subtree[id as usize] = members[id as usize].iter().fold(1 << id, |set, &member| set | subtree[member as usize]);
    }
    Tree {
        roots: children(None),
        members,
        subtree,
        record: keys(None),
        keys: COLUMNS.iter().map(|column| keys(Some(column.path))).collect(),
        openings: std::array::from_fn(|id| COLUMNS.get(id).map_or(Opening::NONE, |column| Opening::of(column.name()))),
    }
});

/// The path of the parent, and the name within it.
fn split(path: &str) -> (Option<&str>, &str) {
    match path.rsplit_once('.') {
        Some((parent, name)) => (Some(parent.trim_end_matches("[]")), name),
        None => (None, path),
    }
}

/// The column with this path.
pub(crate) fn find(path: &str) -> Option<ColumnId> {
    COLUMNS.iter().position(|column| column.path == path).map(|id| id as ColumnId)
}

/// The Arrow types in which strings are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// As built: views, which Polars uses as well.
    Views,
    /// With offsets, which every reader of Arrow can compute with. JSON and other long strings have 64-bit offsets: a
    /// batch would fit in 32 bits, but the table of an archive has more than 2 GiB of such text, and pyarrow cannot
    /// take rows of that.
    Strings,
    /// What Spark and the writers of lakes accept: neither views, nor 64-bit offsets, nor unsigned numbers, nor columns
    /// that cannot be null. Lists hold an `element`, which is its name in Parquet.
    Spark,
}

impl Profile {
    fn text(self, kind: Kind) -> DataType {
        match (self, kind) {
            (Self::Views, _) => DataType::Utf8View,
            (Self::Strings, Json | Extra | Raw) => DataType::LargeUtf8,
            (Self::Strings | Self::Spark, _) => DataType::Utf8,
        }
    }

    fn list(self, item: DataType, nullable: bool) -> DataType {
        let is_spark = self == Self::Spark;
        let name = if is_spark { "element" } else { Field::LIST_FIELD_DEFAULT_NAME };
        DataType::List(Arc::new(Field::new(name, item, nullable || is_spark)))
    }
}

/// The Arrow field of a column.
fn field(id: ColumnId, profile: Profile) -> Field {
    let column = &COLUMNS[id as usize];
    let fields = || TREE.members[id as usize].iter().map(|&member| field(member, profile)).collect::<Fields>();
    let data_type = match column.kind {
        Text | Json | Extra | Raw | File => profile.text(column.kind),
        Flag => DataType::Boolean,
        Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Object => DataType::Struct(fields()),
        List => profile.list(DataType::Struct(fields()), true),
        Record if profile == Profile::Spark => DataType::Int64,
        Record => DataType::UInt32,
    };
    let always = matches!(column.kind, Raw | File | Record) && profile != Profile::Spark;
    Field::new(split(column.path).1, data_type, !always)
}

/// The Arrow schema of these result columns, in this order; `None` when one is unknown.
pub fn project(names: &[impl AsRef<str>]) -> Option<Schema> {
    project_as(names, Profile::Views)
}

/// The Arrow schema of these result columns, with strings in the types of `profile`.
pub fn project_as(names: &[impl AsRef<str>], profile: Profile) -> Option<Schema> {
    let root = |name: &str| find(name).filter(|id| TREE.roots.contains(id)).map(|id| field(id, profile));
    names.iter().map(|name| root(name.as_ref())).collect::<Option<Vec<_>>>().map(Schema::new)
}

/// The last column: the rules that each record meets.
pub(crate) const RULES: &str = "rules";

/// The field of the column `rules`.
#[must_use]
pub fn rules(profile: Profile) -> Field {
    Field::new(RULES, profile.list(profile.text(Text), false), profile == Profile::Spark)
}

/// Identifies this table: another one, with other columns or kinds, has another fingerprint.
pub(crate) fn fingerprint() -> &'static str {
    static FINGERPRINT: LazyLock<String> = LazyLock::new(|| {
        COLUMNS.iter().fold(String::new(), |table, column| format!("{table}{} {:?}\n", column.path, column.kind))
    });
    &FINGERPRINT
}

/// The names of all columns of the result.
pub fn names() -> impl Iterator<Item = &'static str> {
    TREE.roots.iter().map(|&id| COLUMNS[id as usize].path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_columns_fits_in_128_bits() {
        assert!(COLUMNS.len() <= 128);
    }

    #[test]
    fn paths_are_unique_and_follow_their_parent() {
        for (id, column) in COLUMNS.iter().enumerate() {
            assert_eq!(find(column.path), Some(id as ColumnId), "{}", column.path);
            if let Some(parent) = split(column.path).0 {
                assert!(find(parent).is_some_and(|parent| usize::from(parent) < id), "{}", column.path);
            }
        }
    }

    #[test]
    fn spark_gets_types_that_it_takes() {
        fn check(field: &Field) {
            assert!(field.is_nullable(), "{field}");
            match field.data_type() {
                DataType::Utf8 | DataType::Boolean | DataType::Int64 => {}
                DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => assert_eq!(&**zone, "UTC"),
                DataType::Struct(members) => members.iter().for_each(|member| check(member)),
                DataType::List(element) => check(element),
                other => panic!("{}: {other}", field.name()),
            }
        }
        let all: Vec<_> = names().collect();
        let schema = project_as(&all, Profile::Spark).expect("columns of the table");
        assert!(schema.fields().iter().map(|field| field.name()).eq(&all));
        schema.fields().iter().for_each(|field| check(field));
        check(&rules(Profile::Spark));
    }

    #[test]
    fn the_tree_knows_members_and_aliases() {
        let resources = find("resources").expect("a column");
        assert_eq!(TREE.members[resources as usize].len(), 4);
        let table = &TREE.keys[resources as usize];
        let lookup = |name: &str| {
            let mut padded = name.as_bytes().to_vec();
            padded.resize(name.len() + 64, 0);
            table.find(&padded, 0, name.len()).map(|id| COLUMNS[id as usize].path)
        };
        assert_eq!(lookup("arn"), Some("resources[].ARN"));
        assert_eq!(lookup("ARN"), Some("resources[].ARN"));
        assert_eq!(lookup("Arn"), None);
    }
}
