//! Our own values as JSON, written in one form only, so that equal values are equal texts; and parsed again.

use std::str::FromStr;

use super::document::{Content, Member, Node};
use super::quote;

/// An object, with its keys sorted.
pub(crate) fn object<const N: usize>(mut members: [(&str, String); N]) -> String {
    members.sort_unstable();
    let members: Vec<_> = members.iter().map(|(key, value)| format!("{}:{value}", quote(key))).collect();
    format!("{{{}}}", members.join(","))
}

/// An array, in the order of its items.
pub(crate) fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}

/// The written value, or null.
pub(crate) fn or_null<T>(value: Option<T>, written: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "null".to_owned(), written)
}

/// The members of a value that [`object`] wrote, with its name in messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Members<'a> {
    what: &'static str,
    members: &'a [Member],
}

impl<'a> Members<'a> {
    pub(crate) fn of(node: &'a Node, what: &'static str) -> Result<Self, String> {
        match &node.content {
            Content::Object(members) => Ok(Self { what, members }),
            _ => Err(format!("{what} is {}, not an object", node.kind())),
        }
    }

    /// Refuses any format but this one.
    pub(crate) fn of_format(self, format: u64) -> Result<Self, String> {
        let what = self.what;
        match self.get("v", number::<u64>)? {
            found if found == format => Ok(self),
            found if found > format => Err(format!(
                "{what} is of format {found}, made by a newer ctfast; this one reads format {format}: upgrade ctfast"
            )),
            found => Err(format!("{what} is of format {found}, which never was")),
        }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.members.iter().any(|member| member.key == key)
    }

    /// A required member, parsed by `read`.
    pub(crate) fn get<T>(&self, key: &str, read: impl FnOnce(&'a Node) -> Result<T, String>) -> Result<T, String> {
        let what = self.what;
        let member = self.members.iter().find(|member| member.key == key);
        let member = member.ok_or_else(|| format!("{what} has no {}", quote(key)))?;
        read(&member.value).map_err(|error| format!("{what}: {key}: {error}"))
    }
}

/// The result of `read`, unless the value is null.
pub(crate) fn optional<'a, T>(
    read: impl FnOnce(&'a Node) -> Result<T, String>,
) -> impl FnOnce(&'a Node) -> Result<Option<T>, String> {
    |node| if node.content == Content::Null { Ok(None) } else { read(node).map(Some) }
}

/// The result of `read` for each item of an array.
pub(crate) fn each<'a, T, C: FromIterator<T>>(
    read: impl Fn(&'a Node) -> Result<T, String>,
) -> impl FnOnce(&'a Node) -> Result<C, String> {
    move |node| items(node)?.iter().map(read).collect()
}

pub(crate) fn items(node: &Node) -> Result<&[Node], String> {
    match &node.content {
        Content::List(items) => Ok(items),
        _ => Err(format!("expected an array, not {}", node.kind())),
    }
}

pub(crate) fn text(node: &Node) -> Result<String, String> {
    match &node.content {
        Content::Text(text) => Ok(text.clone()),
        _ => Err(format!("expected a string, not {}", node.kind())),
    }
}

pub(crate) fn flag(node: &Node) -> Result<bool, String> {
    match &node.content {
        Content::Flag(flag) => Ok(*flag),
        _ => Err(format!("expected a boolean, not {}", node.kind())),
    }
}

pub(crate) fn number<T: FromStr>(node: &Node) -> Result<T, String> {
    match &node.content {
        Content::Number(number) => number.parse().map_err(|_| format!("{number} is out of range")),
        _ => Err(format!("expected a number, not {}", node.kind())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_order_and_values_come_back() {
        let text_of = or_null(Some("\"x\n"), quote);
        let written = object([("b", text_of), ("v", "1".to_owned()), ("a", list(["-7".to_owned()]))]);
        assert_eq!(written, r#"{"a":[-7],"b":"\"x\n","v":1}"#);
        let node = Node::parse(&written).expect("JSON");
        let members = Members::of(&node, "it").and_then(|members| members.of_format(1)).expect("an object");
        assert_eq!(members.get("a", each(number::<i64>)), Ok(vec![-7]));
        assert_eq!(members.get("b", optional(text)), Ok(Some("\"x\n".to_owned())));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_sentence() {
        let node = Node::parse(r#"{"v":2,"a":[1,"x"],"n":1e3}"#).expect("JSON");
        let members = Members::of(&node, "a query").expect("an object");
        let newer = "a query is of format 2, made by a newer ctfast; this one reads format 1: upgrade ctfast";
        assert_eq!(members.of_format(1).expect_err("newer"), newer);
        assert_eq!(members.of_format(3).expect_err("older"), "a query is of format 2, which never was");
        let numbers = members.get("a", each::<_, Vec<_>>(number::<i64>));
        assert_eq!(numbers.expect_err("a string"), "a query: a: expected a number, not a string");
        assert_eq!(members.get("n", number::<u64>).expect_err("no u64"), "a query: n: 1e3 is out of range");
        assert_eq!(members.get("z", text).expect_err("not there"), "a query has no \"z\"");
    }
}
