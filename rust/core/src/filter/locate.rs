//! Finds the values at many paths of one record. Each part of the record is walked at most once.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::derived::Sources;
use super::path::{Derived, Path, Step};
use super::value::Scalar;
use crate::error::Error;
use crate::event::{Name, Record};
use crate::json::{Cursor, Value, decoded};
use crate::schema::{COLUMNS, ColumnId, Kind, find};

/// Index of a path in [`Paths`].
pub(super) type PathId = usize;

/// All paths that some predicates use.
pub(super) struct Paths {
    accesses: Vec<Access>,
    roots: Vec<Root>,
    /// The paths as trees of steps; the first two are their roots.
    nodes: Vec<Node>,
    /// The paths of each tree.
    trees: [Vec<PathId>; 2],
    sources: Sources,
}

/// The roots of the trees: one for paths whose steps name array elements, one for paths that look through arrays.
const EXACT: usize = 0;
const THROUGH_ARRAYS: usize = 1;

/// How the values of a path are reached.
enum Access {
    /// They are the values of a column.
    Column {
        column: ColumnId,
        root: usize,
        through_arrays: bool,
    },
    /// Somewhere below a member of the record.
    Below {
        root: usize,
    },
    /// Anywhere in the record, by the tree of this root.
    Anywhere(usize),
    Derived(Derived),
}

/// A member of the record that paths lead through.
struct Root {
    member: Member,
    node: usize,
    /// The paths that lead through it.
    paths: Vec<PathId>,
}

enum Member {
    Column(ColumnId),
    /// A key without a column.
    Key(Box<[u8]>),
}

#[derive(Default)]
struct Node {
    keys: Vec<(Box<[u8]>, usize)>,
    members: Option<usize>,
    elements: Option<usize>,
    each: Option<usize>,
    indices: Vec<(u32, usize)>,
    through_arrays: bool,
    /// Steps from the record to here.
    depth: u32,
    /// The path that ends here.
    path: Option<PathId>,
}

/// A value found at a path.
pub(super) struct Found {
    pub(super) value: Located,
    /// The innermost array element that contains it; an index into [`Scratch::elements`].
    pub(super) element: u32,
}

pub(super) enum Located {
    Span(Value),
    Text(Cow<'static, [u8]>),
}

/// An array element through which a path looks.
#[derive(Clone, Copy)]
pub(super) struct Element {
    /// The bytes of the array.
    pub(super) array: (u32, u32),
    /// The bytes of the element.
    pub(super) place: (u32, u32),
    /// Steps from the record to the array.
    pub(super) depth: u32,
    /// The element of an outer array that contains the array; `OUTSIDE` if there is none.
    pub(super) parent: u32,
}

/// In no array.
pub(super) const OUTSIDE: u32 = 0;

/// The values found in a record so far. Reused for each record.
#[derive(Default)]
pub(super) struct Scratch {
    found: Vec<Vec<Found>>,
    /// For each path: whether it was looked up.
    looked: Vec<bool>,
    /// For each root: whether it was walked.
    walked: Vec<bool>,
    /// For each tree: whether the whole record was walked by it.
    walked_all: [bool; 2],
    pub(super) elements: Vec<Element>,
    /// Members to descend into after their object ends.
    pending: Vec<(usize, Value)>,
}

/// A record, or another document, that values are looked up in.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a, 'b> {
    /// `None` for a document of any kind.
    pub(super) record: Option<&'a Record>,
    /// The event on a bus that contained the record.
    pub(super) envelope: Option<Value>,
    /// All of the document.
    pub(super) whole: Value,
    pub(super) cursor: &'a Cursor<'b>,
}

impl Paths {
    /// The paths, and a number for each.
    pub(super) fn new() -> (Self, HashMap<Path, PathId>) {
        let nodes = vec![Node::default(), Node { through_arrays: true, ..Node::default() }];
        (
            Self { accesses: Vec::new(), roots: Vec::new(), nodes, trees: Default::default(), sources: Sources::new() },
            HashMap::new(),
        )
    }

    /// The number of a path, which is added if it is new.
    pub(super) fn number(&mut self, path: &Path, known: &mut HashMap<Path, PathId>) -> PathId {
        if let Some(&id) = known.get(path) {
            return id;
        }
        let id = self.accesses.len();
        let access = match path {
            Path::Derived(derived) => Access::Derived(*derived),
            Path::Steps { steps, through_arrays } => self.add(id, steps, *through_arrays),
        };
        self.accesses.push(access);
        known.insert(path.clone(), id);
        id
    }

    fn add(&mut self, id: PathId, steps: &[Step], through_arrays: bool) -> Access {
        let mut at = if through_arrays { THROUGH_ARRAYS } else { EXACT };
        let mut first = None;
        for step in steps {
            at = self.child(at, step);
            first = first.or(Some(at));
        }
        self.nodes[at].path = Some(id);
        self.trees[usize::from(through_arrays)].push(id);
        let (Some(Step::Key(key)), Some(node)) = (steps.first(), first) else {
            return Access::Anywhere(usize::from(through_arrays));
        };
        let member =
            find(key).filter(|&column| is_member(column)).map_or(Member::Key(key.as_bytes().into()), Member::Column);
        let root = self.roots.iter().position(|root| root.node == node).unwrap_or_else(|| {
            self.roots.push(Root { member, node, paths: Vec::new() });
            self.roots.len() - 1
        });
        self.roots[root].paths.push(id);
        match column(steps) {
            Some(column) => Access::Column { column, root, through_arrays },
            None => Access::Below { root },
        }
    }

    fn child(&mut self, at: usize, step: &Step) -> usize {
        let node = &self.nodes[at];
        let existing = match step {
            Step::Key(key) => node.key(key.as_bytes()),
            Step::Index(index) => node.indices.iter().find(|(known, _)| known == index).map(|&(_, child)| child),
            Step::Elements => node.elements,
            Step::Members => node.members,
            Step::Each => node.each,
        };
        if let Some(child) = existing {
            return child;
        }
        let child = self.nodes.len();
        let new = Node { through_arrays: node.through_arrays, depth: node.depth + 1, ..Node::default() };
        self.nodes.push(new);
        let node = &mut self.nodes[at];
        match step {
            Step::Key(key) => node.keys.push((key.as_bytes().into(), child)),
            Step::Index(index) => node.indices.push((*index, child)),
            Step::Elements => node.elements = Some(child),
            Step::Members => node.members = Some(child),
            Step::Each => node.each = Some(child),
        }
        child
    }

    /// The columns that must be noted for a record, and the keys without a column.
    pub(super) fn wanted(&self) -> (u128, Vec<&[u8]>) {
        let mut columns = 0;
        let mut keys = Vec::new();
        for access in &self.accesses {
            match access {
                Access::Column { column, .. } => columns |= with_parents(*column),
                Access::Derived(derived) => columns |= self.sources.columns(*derived),
                Access::Below { root } => match &self.roots[*root].member {
                    Member::Column(column) => columns |= 1 << column,
                    Member::Key(key) => keys.push(&**key),
                },
                Access::Anywhere(_) => {}
            }
        }
        (columns, keys)
    }

    /// Whether a lookup needs no walk.
    pub(super) fn is_free(&self, path: PathId) -> bool {
        matches!(self.accesses[path], Access::Column { .. } | Access::Derived(_))
    }

    /// Drops what was found in the last record.
    pub(super) fn reset(&self, scratch: &mut Scratch) {
        scratch.found.resize_with(self.accesses.len(), Vec::new);
        scratch.looked.clear();
        scratch.looked.resize(self.accesses.len(), false);
        scratch.walked.clear();
        scratch.walked.resize(self.roots.len(), false);
        scratch.walked_all = [false; 2];
        scratch.elements.clear();
        scratch.elements.push(Element { array: (0, 0), place: (0, 0), depth: 0, parent: OUTSIDE });
    }

    /// The values at a path.
    pub(super) fn values<'s>(&self, path: PathId, subject: Subject<'_, '_>, scratch: &'s mut Scratch) -> &'s [Found] {
        if !std::mem::replace(&mut scratch.looked[path], true) {
            self.look(path, subject, scratch);
        }
        &scratch.found[path]
    }

    #[inline]
    fn look(&self, path: PathId, subject: Subject<'_, '_>, scratch: &mut Scratch) {
        let access = &self.accesses[path];
        let Some(record) = subject.record else {
            scratch.found[path].clear();
            return self.look_anywhere(self.tree(access), subject, scratch);
        };
        match access {
            Access::Column { column, root, through_arrays } => {
                scratch.found[path].clear();
                match record.get(*column) {
                    Some(value) => self.leaf(subject.cursor, value, *through_arrays, path, scratch),
                    None if *through_arrays && in_array(*column, record, subject.cursor) => {
                        self.look_below(*root, subject, scratch);
                    }
                    None => {}
                }
            }
            Access::Below { root } => self.look_below(*root, subject, scratch),
            Access::Anywhere(tree) => self.look_anywhere(*tree, subject, scratch),
            Access::Derived(derived) => {
                scratch.found[path].clear();
                if let (Some(event), Some(name)) = (subject.envelope, derived.in_event()) {
                    // An event on a bus has the values that EventBridge set: they need not be derived.
                    if let Some(value) = member(event, name.as_bytes(), subject.cursor) {
                        self.leaf(subject.cursor, value, true, path, scratch);
                    }
                    return;
                }
                let texts = self.sources.texts(*derived, record, subject.cursor);
                let found = |text| Found { value: Located::Text(text), element: OUTSIDE };
                scratch.found[path].extend(texts.into_iter().flatten().map(found));
            }
        }
    }

    fn look_below(&self, root: usize, subject: Subject<'_, '_>, scratch: &mut Scratch) {
        if std::mem::replace(&mut scratch.walked[root], true) {
            return;
        }
        let Root { member, node, paths } = &self.roots[root];
        scratch.begin(paths);
        let value = match (subject.record, member) {
            (Some(record), Member::Column(column)) => record.get(*column),
            (Some(record), Member::Key(key)) => stray(record, subject.cursor, key),
            (None, _) => None,
        };
        if let Some(value) = value {
            self.walk(*node, value, subject.cursor, OUTSIDE, scratch);
        }
    }

    /// The tree that a path of a document belongs to.
    fn tree(&self, access: &Access) -> usize {
        match access {
            Access::Column { through_arrays, .. } => usize::from(*through_arrays),
            Access::Below { root } => usize::from(self.nodes[self.roots[*root].node].through_arrays),
            Access::Anywhere(tree) => *tree,
            Access::Derived(_) => EXACT,
        }
    }

    fn look_anywhere(&self, tree: usize, subject: Subject<'_, '_>, scratch: &mut Scratch) {
        if !std::mem::replace(&mut scratch.walked_all[tree], true) {
            scratch.begin(&self.trees[tree]);
            self.walk(tree, subject.whole, subject.cursor, OUTSIDE, scratch);
        }
    }

    /// Notes a value, or the elements of arrays in it.
    fn leaf(&self, cursor: &Cursor<'_>, value: Value, through_arrays: bool, path: PathId, scratch: &mut Scratch) {
        let first = cursor.bytes()[value.start as usize];
        if through_arrays && first == b'[' {
            let node =
                Node { through_arrays, path: Some(path), depth: depth_of(&self.accesses[path]), ..Node::default() };
            self.elements(&node, None, value, cursor, OUTSIDE, scratch);
        } else if !(through_arrays && first == b'{') {
            scratch.found[path].push(Found { value: Located::Span(value), element: OUTSIDE });
        }
    }

    /// Notes the values at the paths that lead from `node` into `value`. Values that the scan has passed are valid
    /// JSON.
    fn walk(&self, node: usize, value: Value, cursor: &Cursor<'_>, element: u32, scratch: &mut Scratch) {
        let this = &self.nodes[node];
        match cursor.bytes()[value.start as usize] {
            b'[' if this.through_arrays => return self.elements(this, Some(node), value, cursor, element, scratch),
            b'{' if this.through_arrays => {}
            _ => {
                if let Some(path) = this.path {
                    scratch.found[path].push(Found { value: Located::Span(value), element });
                }
            }
        }
        let walked = match cursor.bytes()[value.start as usize] {
            b'{' if !this.keys.is_empty() || this.members.is_some() || this.each.is_some() => {
                self.members(this, value, cursor, element, scratch)
            }
            b'[' if !this.indices.is_empty() || this.elements.is_some() || this.each.is_some() => {
                self.exact_elements(this, value, cursor, element, scratch)
            }
            _ => Ok(()),
        };
        debug_assert!(walked.is_ok(), "the value was passed before");
    }

    /// The last of duplicate keys counts: members are noted first, and entered after the object's end.
    fn members(
        &self,
        node: &Node,
        value: Value,
        cursor: &Cursor<'_>,
        element: u32,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let from = scratch.pending.len();
        let mut all = BTreeMap::new();
        let mut inside = cursor.back_to(value);
        let mut more = inside.enter_object()?;
        while more {
            let key = inside.key()?;
            let name = inside.name(key);
            let child = node.key(&name).or_else(|| self.dotted(node, &name));
            let member = inside.value()?;
            if let Some(child) = child {
                match scratch.pending[from..].iter_mut().find(|(known, _)| *known == child) {
                    Some((_, earlier)) => *earlier = member,
                    None => scratch.pending.push((child, member)),
                }
            }
            if node.members.is_some() || node.each.is_some() {
                all.insert(name, member);
            }
            more = inside.next_member()?;
        }
        for (child, member) in
            node.members.iter().chain(&node.each).flat_map(|&child| all.values().map(move |&member| (child, member)))
        {
            self.walk(child, member, cursor, element, scratch);
        }
        for at in from..scratch.pending.len() {
            let (child, member) = scratch.pending[at];
            self.walk(child, member, cursor, element, scratch);
        }
        scratch.pending.truncate(from);
        Ok(())
    }

    /// The node of a key that contains dots: for a path through arrays, `{"a.b": …}` and `{"a": {"b": …}}` are the
    /// same.
    fn dotted(&self, node: &Node, name: &[u8]) -> Option<usize> {
        if !node.through_arrays || memchr::memchr(b'.', name).is_none() {
            return None;
        }
        let mut keys = name.split(|&byte| byte == b'.');
        let first = node.key(keys.next()?)?;
        keys.try_fold(first, |at, key| self.nodes[at].key(key))
    }

    /// Walks each element as if it replaced the array: by `number`, or else at `node`.
    fn elements(
        &self,
        node: &Node,
        number: Option<usize>,
        value: Value,
        cursor: &Cursor<'_>,
        element: u32,
        scratch: &mut Scratch,
    ) {
        let mut pass = || -> Result<(), Error> {
            let mut inside = cursor.back_to(value);
            let mut more = inside.enter_array()?;
            while more {
                let item = inside.value()?;
                let first = cursor.bytes()[item.start as usize];
                // Values directly in an array are compatible with any other element of it.
                let mut within = element;
                if matches!(first, b'{' | b'[') {
                    within = scratch.elements.len() as u32;
                    let (array, place) = ((value.start, value.end), (item.start, item.end));
                    scratch.elements.push(Element { array, place, depth: node.depth, parent: element });
                }
                match (number, node.path, first) {
                    (Some(number), ..) => self.walk(number, item, cursor, within, scratch),
                    (None, _, b'[') => self.elements(node, None, item, cursor, within, scratch),
                    (None, Some(path), byte) if byte != b'{' => {
                        scratch.found[path].push(Found { value: Located::Span(item), element: within });
                    }
                    _ => {}
                }
                more = inside.next_element()?;
            }
            Ok(())
        };
        let passed = pass();
        debug_assert!(passed.is_ok(), "the value was passed before");
    }

    fn exact_elements(
        &self,
        node: &Node,
        value: Value,
        cursor: &Cursor<'_>,
        element: u32,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let mut inside = cursor.back_to(value);
        let mut more = inside.enter_array()?;
        let mut index = 0;
        while more {
            let item = inside.value()?;
            let children = node.indices.iter().filter(|(wanted, _)| *wanted == index).map(|(_, child)| child);
            for &child in children.chain(&node.elements).chain(&node.each) {
                self.walk(child, item, cursor, element, scratch);
            }
            index += 1;
            more = inside.next_element()?;
        }
        Ok(())
    }
}

impl Node {
    /// The node below a key.
    fn key(&self, name: &[u8]) -> Option<usize> {
        self.keys.iter().find(|(known, _)| **known == *name).map(|&(_, child)| child)
    }
}

impl Scratch {
    /// All values at these paths are about to be found, in one walk.
    fn begin(&mut self, paths: &[PathId]) {
        for &path in paths {
            self.found[path].clear();
            self.looked[path] = true;
        }
    }

    /// What [`Paths::values`] found at a path.
    pub(super) fn found(&self, path: PathId) -> &[Found] {
        &self.found[path]
    }
}

impl Located {
    /// The value as written in the record, or as JSON would write it.
    pub(super) fn written(&self, cursor: &Cursor<'_>) -> String {
        match self {
            Self::Span(value) => String::from_utf8_lossy(cursor.slice(*value)).into_owned(),
            Self::Text(text) => format!("\"{}\"", String::from_utf8_lossy(text)),
        }
    }

    /// The value as tests see it.
    #[inline]
    pub(super) fn scalar<'b>(&'b self, cursor: &Cursor<'b>) -> Scalar<'b> {
        let value = match self {
            Self::Span(value) => *value,
            Self::Text(text) => return Scalar::Text(Cow::Borrowed(text)),
        };
        match cursor.bytes()[value.start as usize] {
            b'"' => cursor.string(value).map_or(Scalar::Null, Scalar::Text),
            b't' => Scalar::True,
            b'f' => Scalar::False,
            b'n' => Scalar::Null,
            b'{' => Scalar::Object,
            b'[' => Scalar::Array,
            _ => Scalar::Number(cursor.slice(value)),
        }
    }
}

/// Whether a column is a member of the record, rather than a fact about it.
fn is_member(column: ColumnId) -> bool {
    !matches!(COLUMNS[column as usize].kind, Kind::Extra | Kind::Raw | Kind::File | Kind::Record)
}

/// The column that a path of keys leads to.
fn column(steps: &[Step]) -> Option<ColumnId> {
    let keys: Option<Vec<_>> = steps
        .iter()
        .map(|step| match step {
            Step::Key(key) if !key.contains(['.', '[']) => Some(key.as_str()),
            _ => None,
        })
        .collect();
    find(&keys?.join(".")).filter(|&column| is_member(column))
}

fn depth_of(access: &Access) -> u32 {
    match access {
        Access::Column { column, .. } => COLUMNS[*column as usize].path.split('.').count() as u32,
        _ => 0,
    }
}

/// The column and the objects that contain it.
pub(super) fn with_parents(column: ColumnId) -> u128 {
    let path = COLUMNS[column as usize].path;
    path.match_indices('.').filter_map(|(at, _)| find(&path[..at])).fold(1 << column, |set, parent| set | 1 << parent)
}

/// Whether there is a list where the record should have an object on the path to the column.
#[cold]
fn in_array(column: ColumnId, record: &Record, cursor: &Cursor<'_>) -> bool {
    let path = COLUMNS[column as usize].path;
    let mut parents = path.match_indices('.').filter_map(|(at, _)| find(&path[..at]));
    parents.any(|parent| record.get(parent).is_some_and(|value| cursor.bytes()[value.start as usize] == b'['))
}

/// The last value of a key without a column.
fn stray(record: &Record, cursor: &Cursor<'_>, key: &[u8]) -> Option<Value> {
    let own = record.strays.iter().filter(|stray| stray.parent.is_none());
    let named = own.filter(|stray| match stray.name {
        Name::Key(start, end) => *decoded(&cursor.bytes()[start as usize..end as usize]) == *key,
        _ => false,
    });
    named.map(|stray| stray.value).max_by_key(|value| value.start)
}

/// The last value of a key in an object that was passed before.
pub(super) fn member(object: Value, name: &[u8], cursor: &Cursor<'_>) -> Option<Value> {
    let mut found = None;
    let mut inside = cursor.back_to(object);
    let mut more = inside.enter_object().ok()?;
    while more {
        let key = inside.key().ok()?;
        let value = inside.value().ok()?;
        if *inside.name(key) == *name {
            found = Some(value);
        }
        more = inside.next_member().ok()?;
    }
    found
}
