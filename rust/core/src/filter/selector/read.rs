//! Parses event selectors from JSON, in all shapes that the AWS CLI and its users write.

use std::fmt;

use super::catalog::similar;
use super::check;
use super::error::{Code, Findings, SelectorError};
use super::field::{Field, Operator, Target};
use super::words::{element, hint, join, quoted};
use super::{AdvancedSelector, BasicSelector, DataResource, EventSelectors, FieldSelector, ReadWrite};
use crate::error::{excerpt, line_and_column};
use crate::filter::Finding;
use crate::json::document::{Content, Member, Node};

const ADVANCED: &str = "AdvancedEventSelectors";
const BASIC: &str = "EventSelectors";
const FIELDS: &str = "FieldSelectors";
/// The members of a basic selector.
const BASIC_MEMBERS: [&str; 4] =
    ["ReadWriteType", "IncludeManagementEvents", "DataResources", "ExcludeManagementEventSources"];

/// Event selectors and the warnings about them.
///
/// They are read and checked in one walk: an error in one selector must not hide those in the next, and only the walk
/// knows the path of a value.
#[derive(Debug)]
pub struct Checked {
    /// The selectors.
    pub selectors: EventSelectors,
    /// In the order of the text.
    pub warnings: Vec<Finding>,
}

impl Checked {
    /// Reads selectors that `target` accepts: the input of `put-event-selectors`, the output of `get-event-selectors`,
    /// a list of selectors, or one selector.
    pub fn read(text: &str, target: Target) -> Result<Self, SelectorError> {
        let mut reader = Reader { target, findings: Findings::default() };
        let selectors = match Node::parse(text) {
            Ok(document) => reader.document(&document),
            Err(error) => {
                let byte = error.location().byte.map_or(0, |byte| byte as usize);
                reader.findings.no_json(error.kind().to_string(), line_and_column(text, byte));
                None
            }
        };
        let warnings = reader.findings.warnings()?;
        // Without an error, there are no selectors only if the lists are null.
        Ok(Self { selectors: selectors.unwrap_or(EventSelectors::Advanced(Vec::new())), warnings })
    }
}

impl EventSelectors {
    /// As [`Checked::read`], without the warnings.
    pub fn read(text: &str, target: Target) -> Result<Self, SelectorError> {
        Checked::read(text, target).map(|checked| checked.selectors)
    }
}

/// The normal form of the selectors.
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.selectors.fmt(f)
    }
}

struct Reader {
    target: Target,
    findings: Findings,
}

impl Reader {
    fn document(&mut self, document: &Node) -> Option<EventSelectors> {
        match &document.content {
            Content::List(items) => {
                let advanced = items.iter().filter(|item| has(item, FIELDS)).count();
                if advanced != 0 && advanced != items.len() {
                    self.findings.error("", Code::BothKinds, "expected basic or advanced selectors, not both");
                    return None;
                }
                // An empty list may be of either kind.
                Some(if advanced == 0 && !items.is_empty() { self.basic("", items) } else { self.advanced("", items) })
            }
            Content::Object(_) if has(document, ADVANCED) || has(document, BASIC) => self.lists(document),
            Content::Object(_) if has(document, FIELDS) => {
                let selector = self.advanced_selector("", document);
                Some(EventSelectors::Advanced(selector.into_iter().collect()))
            }
            Content::Object(_) if BASIC_MEMBERS.iter().any(|name| has(document, name)) => {
                let selector = self.basic_selector("", document);
                Some(EventSelectors::Basic(selector.into_iter().collect()))
            }
            _ => {
                let expected = format!("expected {BASIC}, {ADVANCED}, a list of selectors or one selector");
                let found = if matches!(document.content, Content::Object(_)) {
                    "an object without them"
                } else {
                    document.kind()
                };
                self.findings.error("", Code::Type, format!("{expected} but found {found}"));
                None
            }
        }
    }

    /// Both lists of one object, one of which may be null or empty. Other members of `get-event-selectors`,
    /// `get-event-data-store` and the like are ignored.
    fn lists(&mut self, document: &Node) -> Option<EventSelectors> {
        let [mut advanced, mut basic] = [None, None];
        let Content::Object(members) = &document.content else { return None };
        self.no_twins("", members);
        for member in members {
            match member.key.as_str() {
                ADVANCED => advanced = self.list(ADVANCED, &member.value),
                BASIC => basic = self.list(BASIC, &member.value),
                _ => {}
            }
        }
        match (advanced, basic) {
            (Some([_, ..]), Some([_, ..])) => {
                let message = format!("expected {BASIC} or {ADVANCED}, not both: a trail uses one kind");
                self.findings.error("", Code::BothKinds, message);
                None
            }
            (Some(items @ [_, ..]), _) | (Some(items), None) => Some(self.advanced(ADVANCED, items)),
            (_, Some(items)) => Some(self.basic(BASIC, items)),
            (None, None) => None,
        }
    }

    fn advanced(&mut self, path: &str, items: &[Node]) -> EventSelectors {
        let selectors =
            items.iter().enumerate().filter_map(|(at, item)| self.advanced_selector(&element(path, at), item));
        let selectors: Vec<_> = selectors.collect();
        check::number_of_advanced(self.target, path, items.len(), &selectors, &mut self.findings);
        EventSelectors::Advanced(selectors)
    }

    fn basic(&mut self, path: &str, items: &[Node]) -> EventSelectors {
        let selectors: Vec<_> =
            items.iter().enumerate().filter_map(|(at, item)| self.basic_selector(&element(path, at), item)).collect();
        check::number_of_basic(self.target, path, items.len(), &selectors, &mut self.findings);
        EventSelectors::Basic(selectors)
    }

    fn advanced_selector(&mut self, path: &str, item: &Node) -> Option<AdvancedSelector> {
        let members = self.object(path, item, "a selector", &["Name", FIELDS])?;
        let mut name = None;
        let mut fields = Vec::new();
        for member in members {
            let path = join(path, &member.key);
            match member.key.as_str() {
                "Name" => name = self.text(&path, &member.value),
                FIELDS => {
                    let items = self.list(&path, &member.value).unwrap_or_default();
                    for (at, item) in items.iter().enumerate() {
                        let path = element(&path, at);
                        if let Some(field) = self.field_selector(&path, item) {
                            fields.push((path, field));
                        }
                    }
                }
                _ => {}
            }
        }
        check::advanced(self.target, path, name.as_deref(), &fields, &mut self.findings);
        Some(AdvancedSelector { name, fields: fields.into_iter().map(|(_, field)| field).collect() })
    }

    fn field_selector(&mut self, path: &str, item: &Node) -> Option<FieldSelector> {
        let names: Vec<_> = ["Field"].into_iter().chain(Operator::ALL.map(Operator::name)).collect();
        let members = self.object(path, item, "a field selector", &names)?;
        let mut field = None;
        let mut conditions = Vec::new();
        for member in members {
            let path = join(path, &member.key);
            if member.key == "Field" {
                field = Some(self.field(&path, &member.value));
            } else if let Some(operator) = Operator::ALL.into_iter().find(|operator| operator.name() == member.key)
                && member.value.content != Content::Null
            {
                conditions.push((operator, self.texts(&path, &member.value)));
            }
        }
        if field.is_none() {
            self.findings.error(path, Code::Member, "expected a Field");
        }
        if conditions.is_empty() {
            self.findings.error(path, Code::NoValues, "expected an operator with values, such as Equals");
        }
        Some(FieldSelector { field: field??, conditions })
    }

    fn field(&mut self, path: &str, value: &Node) -> Option<Field> {
        let name = self.text(path, value)?;
        let found = Field::ALL.into_iter().find(|field| field.name() == name);
        if found.is_none() {
            let hint = hint(similar(&name, &Field::ALL.map(Field::name)));
            let names = Field::ALL.map(Field::name).join(", ");
            self.findings.error(
                path,
                Code::Field,
                format!("expected one of {names} but found {}{hint}", quoted(&name)),
            );
        }
        found
    }

    fn basic_selector(&mut self, path: &str, item: &Node) -> Option<BasicSelector> {
        let members = self.object(path, item, "a selector", &BASIC_MEMBERS)?;
        let mut selector = BasicSelector::default();
        for member in members {
            let (path, value) = (join(path, &member.key), &member.value);
            match member.key.as_str() {
                "ReadWriteType" => {
                    let names = ReadWrite::ALL.map(ReadWrite::name);
                    let Some(name) = self.text(&path, value) else { continue };
                    match ReadWrite::ALL.into_iter().find(|kind| kind.name() == name) {
                        Some(kind) => selector.read_write = kind,
                        None => check::none_of(&path, &names, &name, &mut self.findings),
                    }
                }
                "IncludeManagementEvents" => match value.content {
                    Content::Flag(flag) => selector.management = flag,
                    _ => self.wrong_type(&path, "true or false", value),
                },
                "DataResources" => {
                    let items = self.list(&path, value).unwrap_or_default();
                    let resources =
                        items.iter().enumerate().filter_map(|(at, item)| self.data_resource(&element(&path, at), item));
                    selector.resources = resources.collect();
                }
                "ExcludeManagementEventSources" if value.content != Content::Null => {
                    selector.excluded =
                        self.list(&path, value).map_or_else(Vec::new, |items| self.all_texts(&path, items));
                    check::excluded(&path, &selector.excluded, &mut self.findings);
                }
                _ => {}
            }
        }
        check::basic(path, &selector, &mut self.findings);
        Some(selector)
    }

    fn data_resource(&mut self, path: &str, item: &Node) -> Option<DataResource> {
        let members = self.object(path, item, "a data resource", &["Type", "Values"])?;
        let (mut kind, mut values) = (None, None);
        for member in members {
            let path = join(path, &member.key);
            match member.key.as_str() {
                "Type" => kind = self.text(&path, &member.value),
                "Values" => values = Some(self.texts(&path, &member.value)),
                _ => {}
            }
        }
        let (Some(kind), Some(values)) = (kind, values) else {
            self.findings.error(path, Code::Member, "expected a Type and Values");
            return None;
        };
        let resource = DataResource { kind, values };
        check::data_resource(path, &resource, &mut self.findings);
        Some(resource)
    }

    /// The members of an object, which may only have these names.
    fn object<'n>(&mut self, path: &str, node: &'n Node, what: &str, names: &[&str]) -> Option<&'n [Member]> {
        let Content::Object(members) = &node.content else {
            self.wrong_type(path, &format!("{what}, which is an object,"), node);
            return None;
        };
        self.no_twins(path, members);
        for member in members.iter().filter(|member| !names.contains(&member.key.as_str())) {
            let hint = hint(similar(&member.key, names));
            let message = format!("{what} has no such member, only {}{hint}", names.join(", "));
            self.findings.error(&join(path, &excerpt(&member.key)), Code::Member, message);
        }
        Some(members)
    }

    /// Checks that no key is repeated.
    fn no_twins(&mut self, path: &str, members: &[Member]) {
        let mut keys: Vec<_> = members.iter().map(|member| &member.key).collect();
        keys.sort_unstable();
        for pair in keys.windows(2).filter(|pair| pair[0] == pair[1]) {
            self.findings.error(&join(path, &excerpt(pair[0])), Code::Member, "this member appears twice");
        }
    }

    fn list<'n>(&mut self, path: &str, node: &'n Node) -> Option<&'n [Node]> {
        match &node.content {
            Content::List(items) => return Some(items),
            Content::Null => {}
            _ => self.wrong_type(path, "a list", node),
        }
        None
    }

    fn text(&mut self, path: &str, node: &Node) -> Option<String> {
        match &node.content {
            Content::Text(text) => return Some(text.clone()),
            Content::Null => {}
            _ => self.wrong_type(path, "a string", node),
        }
        None
    }

    /// A list of strings that is not empty.
    fn texts(&mut self, path: &str, node: &Node) -> Vec<String> {
        match &node.content {
            Content::List(items) if items.is_empty() => {
                self.findings.error(path, Code::NoValues, "expected at least one value");
            }
            Content::List(items) => return self.all_texts(path, items),
            _ => self.wrong_type(path, "a list of strings", node),
        }
        Vec::new()
    }

    fn all_texts(&mut self, path: &str, items: &[Node]) -> Vec<String> {
        let mut texts = Vec::new();
        for (at, item) in items.iter().enumerate() {
            match &item.content {
                Content::Text(text) => {
                    check::text(&element(path, at), text, &mut self.findings);
                    texts.push(text.clone());
                }
                _ => self.wrong_type(&element(path, at), "a string", item),
            }
        }
        texts
    }

    fn wrong_type(&mut self, path: &str, expected: &str, found: &Node) {
        self.findings.error(path, Code::Type, format!("expected {expected} but found {}", found.kind()));
    }
}

fn has(node: &Node, key: &str) -> bool {
    matches!(&node.content, Content::Object(members) if members.iter().any(|member| member.key == key))
}
