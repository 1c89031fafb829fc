//! What to read, and how, as a value.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::{DataType, Schema, SchemaRef};

use super::live::Live;
use crate::filter::{Form, Predicate, Pushed, Stated, Test};
use crate::hash::{hex, unhex};
use crate::inflate::Limits;
use crate::json::canon::{Members, each, flag, items, list, number, object, optional, or_null, text};
use crate::json::document::Node;
use crate::json::quote;
use crate::schema::{self, Profile, RULES};
use crate::source::split::{self, Packed};
use crate::source::{Choice, Keys, Named, Sieve, Storage, path_of, path_text};

/// The format of [`Selection::json`] and of [`Query::json`].
const FORMAT: u64 = 1;

/// What to read, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which files.
    pub selection: Selection,
    /// Which records and columns.
    pub query: Query,
    /// With which resources.
    pub run: Run,
}

/// Which files to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Where they are.
    pub sources: Sources,
    /// Which of them, by their keys, and the time of the records to read.
    pub choice: Choice,
}

/// Where files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sources {
    /// These paths and addresses, or what is below them.
    Below(Vec<PathBuf>),
    /// Named one by one, with what is known about each.
    Named(Vec<Named>),
    /// The files of a split, in the versions that were planned.
    Planned(Packed),
}

/// Which records to read, and which columns of them.
#[derive(Debug, Clone)]
pub struct Query {
    columns: Vec<String>,
    schema: SchemaRef,
    /// The types of strings in batches, one for each column or member that is a string, in order of depth, then one for
    /// the names of the rules: `Utf8`, `LargeUtf8` or `Utf8View`. Without them, strings are views, which need no
    /// conversion.
    pub text: Option<Vec<DataType>>,
    /// What rows must meet.
    pub predicate: Option<Pushed>,
    /// A filter that rows must meet as well.
    pub condition: Option<Arc<Stated>>,
    /// Rules of which a row must meet one; their names become a column after all others.
    pub rules: Option<Vec<(String, Arc<Stated>)>>,
    /// Whether duplicates of earlier records are removed.
    pub dedupe: bool,
}

/// With which resources and limits to read. They decide what a failure ends; without a failure, they do not change what
/// is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Number of workers.
    pub threads: usize,
    /// How large a file may be once inflated.
    pub limits: Limits,
    /// Whether the first bad file or record ends the scan.
    pub fail: bool,
    /// The reader for whom batches are cut by their rows alone; without one, they are handed over as they come.
    pub recut: Option<Profile>,
}

impl Plan {
    /// What a row must meet: the predicate, the bounds of time, and the filter.
    pub(super) fn predicate(&self) -> Option<Predicate> {
        let Query { predicate, condition, .. } = &self.query;
        let pushed = predicate.as_ref().map(Pushed::predicate);
        let filter = condition.as_ref().map(|stated| stated.filter.record.clone());
        let all: Vec<_> = pushed.into_iter().chain(self.selection.time()).chain(filter).collect();
        (!all.is_empty()).then_some(Predicate::All(all))
    }
}

impl Selection {
    /// The files, in the order of their listing.
    #[must_use]
    pub fn keys(&self, live: &Live) -> Keys {
        let Live { remote, files, floors, seen, .. } = live;
        let sieve =
            Sieve { choice: self.choice.clone(), files: files.clone(), floors: floors.clone(), seen: seen.clone() };
        let storage = Storage::new(remote.clone());
        match &self.sources {
            Sources::Below(paths) => storage.list(paths.clone(), sieve),
            Sources::Named(files) => storage.named(files.clone(), sieve),
            Sources::Planned(files) => split::keys(files, remote.clone()),
        }
    }

    fn time(&self) -> Option<Predicate> {
        let Choice { since, until, .. } = self.choice;
        since.or(until)?;
        let last = until.map_or(i64::MAX, |until| until.saturating_sub(1));
        let time = Pushed::column("eventTime", Test::Between(since.unwrap_or(i64::MIN), last))?;
        Some(time.predicate())
    }

    /// The selection as JSON: equal texts for equal selections, in every version of this format.
    #[must_use]
    pub fn json(&self) -> String {
        let Choice { accounts, regions, kinds, since, until, max_delay, digests } = &self.choice;
        let names = |names: &Option<_>| or_null(names.as_ref(), sorted);
        let number = |number: &Option<i64>| or_null(*number, |number| number.to_string());
        let path = |path: &PathBuf| quote(&path_text(path));
        let null = || "null".to_owned();
        let [first, second] = match &self.sources {
            Sources::Below(paths) => [("sources", list(paths.iter().map(path))), ("files", null())],
            Sources::Named(files) => [("sources", null()), ("files", list(files.iter().map(of_file)))],
            Sources::Planned(files) => [("planned", quote(&hex(&files.bytes))), ("files", files.files.to_string())],
        };
        object([
            ("v", FORMAT.to_string()),
            first,
            second,
            ("accounts", names(accounts)),
            ("regions", names(regions)),
            ("kinds", names(kinds)),
            ("since", number(since)),
            ("until", number(until)),
            ("max_delay", number(max_delay)),
            ("digests", digests.to_string()),
        ])
    }

    /// The selection in a text of [`Self::json`]. An error is one sentence.
    pub fn from_json(json: &str) -> Result<Self, String> {
        let node = Node::parse(json).map_err(|error| format!("a selection: {error}"))?;
        let members = Members::of(&node, "a selection")?.of_format(FORMAT)?;
        let names = || optional(each(text));
        let path = |node| text(node).map(|text| to_path(&text));
        let sources = match members.get("planned", optional(text)) {
            Ok(Some(planned)) => Sources::Planned(to_packed(&planned, members.get("files", number)?)?),
            _ => match members.get("files", optional(each(to_file)))? {
                Some(files) => Sources::Named(files),
                None => Sources::Below(members.get("sources", each(path))?),
            },
        };
        let choice = Choice {
            accounts: members.get("accounts", names())?,
            regions: members.get("regions", names())?,
            kinds: members.get("kinds", names())?,
            since: members.get("since", optional(number))?,
            until: members.get("until", optional(number))?,
            max_delay: members.get("max_delay", optional(number))?,
            digests: members.get("digests", flag)?,
        };
        Ok(Self { sources, choice })
    }
}

impl Query {
    /// Every record with these columns, which may be members of objects, as `userIdentity.arn`; `None` if there is no
    /// such column. The scan returns the columns that hold them, each once.
    #[must_use]
    pub fn new(columns: Vec<String>) -> Option<Self> {
        let mut roots: Vec<&str> = Vec::new();
        for column in &columns {
            let root = column.split('.').next().unwrap_or_default();
            if root != RULES && !roots.contains(&root) {
                roots.push(root);
            }
        }
        let schema = Arc::new(schema::project(&roots)?);
        Some(Self { columns, schema, text: None, predicate: None, condition: None, rules: None, dedupe: false })
    }

    /// The columns as they were named.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The columns of a batch, except that of rules.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// All columns of a batch, in the types of this reader.
    pub(super) fn schema_for(&self, profile: Profile) -> SchemaRef {
        let names: Vec<_> = self.schema.fields().iter().map(|field| field.name()).collect();
        let schema = schema::project_as(&names, profile).expect("the columns of a query");
        let rules = self.rules.is_some().then(|| Arc::new(schema::rules(profile)));
        Arc::new(Schema::new(schema.fields().iter().cloned().chain(rules).collect::<Vec<_>>()))
    }

    /// The query as JSON: equal texts for queries that ask the same in the same form, in every version of this format.
    #[must_use]
    pub fn json(&self) -> String {
        let Self { columns, schema: _, text, predicate, condition, rules, dedupe } = self;
        let rule = |(name, rule): &(String, Arc<Stated>)| list([quote(name), rule.form.json()]);
        object([
            ("v", FORMAT.to_string()),
            ("columns", list(columns.iter().map(|column| quote(column)))),
            ("text", or_null(text.as_ref(), |types| list(types.iter().map(|kind| quote(name_of(kind)))))),
            ("predicate", or_null(predicate.as_ref(), Pushed::json)),
            ("where", or_null(condition.as_ref(), |stated| stated.form.json())),
            ("rules", or_null(rules.as_ref(), |rules| list(rules.iter().map(rule)))),
            ("dedupe", dedupe.to_string()),
        ])
    }

    /// The query in a text of [`Self::json`]. An error is one sentence.
    pub fn from_json(json: &str) -> Result<Self, String> {
        let node = Node::parse(json).map_err(|error| format!("a query: {error}"))?;
        let members = Members::of(&node, "a query")?.of_format(FORMAT)?;
        let stated = |node| Form::of(node).map(|form| Arc::new(Stated::from(form)));
        let rule = |node| match items(node)? {
            [name, rule] => Ok((text(name)?, stated(rule)?)),
            _ => Err("expected a name and a filter".to_owned()),
        };
        let kind =
            |node| text(node).and_then(|name| text_type(&name).ok_or_else(|| format!("{name} is no type of text")));
        let columns: Vec<String> = members.get("columns", each(text))?;
        let unknown = format!("a query: unknown column among {}", columns.join(", "));
        Ok(Self {
            text: members.get("text", optional(each(kind)))?,
            predicate: members.get("predicate", optional(Pushed::of))?,
            condition: members.get("where", optional(stated))?,
            rules: members.get("rules", optional(each(rule)))?,
            dedupe: members.get("dedupe", flag)?,
            ..Self::new(columns).ok_or(unknown)?
        })
    }
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

impl Eq for Query {}

/// The string type of this name.
#[must_use]
pub fn text_type(name: &str) -> Option<DataType> {
    [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View].into_iter().find(|kind| name_of(kind) == name)
}

fn name_of(kind: &DataType) -> &'static str {
    match kind {
        DataType::LargeUtf8 => "large_string",
        DataType::Utf8View => "string_view",
        _ => "string",
    }
}

fn sorted(names: &HashSet<String>) -> String {
    let mut names: Vec<_> = names.iter().collect();
    names.sort_unstable();
    list(names.into_iter().map(|name| quote(name)))
}

/// `[path, size, etag, first]`.
fn of_file(file: &Named) -> String {
    let Named { source, size, etag, first } = file;
    let size = or_null(*size, |size| size.to_string());
    list([quote(&path_text(source)), size, or_null(etag.as_deref(), quote), first.to_string()])
}

fn to_file(node: &Node) -> Result<Named, String> {
    let [source, size, etag, first] = items(node)? else {
        return Err("expected a path, a size, an ETag and a number".to_owned());
    };
    let source = to_path(&text(source)?);
    Ok(Named { source, size: optional(number)(size)?, etag: optional(text)(etag)?, first: number(first)? })
}

fn to_packed(digits: &str, files: u64) -> Result<Packed, String> {
    let packed = unhex(digits).map(|bytes| Packed { bytes, files }).filter(Packed::is_whole);
    packed.ok_or_else(|| "the files of a split are damaged".to_owned())
}

/// The path that [`path_text`] turned into this text.
fn to_path(text: &str) -> PathBuf {
    path_of(Path::new(text)).into_owned()
}
