//! The rules that event selectors must follow, and surprises in valid ones.

use std::collections::HashSet;

use super::catalog::{is_network_source, is_resource_type, similar, similar_resource_type};
use super::error::{Code, Findings};
use super::field::{Category, EXCLUDABLE, Field, Operator, Target};
use super::words::{element, hint, join, quoted};
use super::{AdvancedSelector, BasicSelector, DataResource, FieldSelector};
use crate::partition::is_partition;

/// Basic selectors of a trail, and advanced selectors of an event data store.
const MAX_SELECTORS: usize = 5;
/// Data resources of all basic selectors of a trail.
const MAX_RESOURCES: usize = 250;
/// Values of all advanced selectors of a trail or event data store.
const MAX_VALUES: usize = 500;
/// Characters of a selector's name.
const MAX_NAME: usize = 1000;
/// Characters of a value.
const MAX_TEXT: usize = 2048;

pub(super) const S3_OBJECT: &str = "AWS::S3::Object";

pub(super) fn number_of_advanced(
    target: Target,
    path: &str,
    number: usize,
    selectors: &[AdvancedSelector],
    findings: &mut Findings,
) {
    none_at_all(path, number, findings);
    if target == Target::EventDataStore && number > MAX_SELECTORS {
        let message = format!("expected at most {MAX_SELECTORS} selectors for an event data store but found {number}");
        findings.error(path, Code::TooManySelectors, message);
    }
    let conditions = selectors.iter().flat_map(|selector| &selector.fields).flat_map(|field| &field.conditions);
    let values: usize = conditions.map(|(_, values)| values.len()).sum();
    if values > MAX_VALUES {
        let message = format!("expected at most {MAX_VALUES} values in all selectors together but found {values}");
        findings.error(path, Code::TooManyValues, message);
    }
}

pub(super) fn number_of_basic(
    target: Target,
    path: &str,
    number: usize,
    selectors: &[BasicSelector],
    findings: &mut Findings,
) {
    none_at_all(path, number, findings);
    if target == Target::EventDataStore {
        findings.error(path, Code::Type, "expected advanced selectors: an event data store takes no others");
    }
    if number > MAX_SELECTORS {
        let message = format!("expected at most {MAX_SELECTORS} selectors but found {number}");
        findings.error(path, Code::TooManySelectors, message);
    }
    // A value that means all resources of a type does not count.
    let resources = selectors.iter().flat_map(|selector| &selector.resources);
    let counted: usize =
        resources.map(|resource| resource.values.iter().filter(|value| !is_all(&resource.kind, value)).count()).sum();
    if counted > MAX_RESOURCES {
        let message =
            format!("expected at most {MAX_RESOURCES} data resources in all selectors together but found {counted}");
        findings.error(path, Code::TooManyResources, message);
    }
}

fn none_at_all(path: &str, number: usize, findings: &mut Findings) {
    if number == 0 {
        findings.warning(path, Code::NoSelectors, "there is no selector: no event is selected");
    }
}

/// One advanced selector, whose field selectors come with their paths.
pub(super) fn advanced(
    target: Target,
    path: &str,
    name: Option<&str>,
    fields: &[(String, FieldSelector)],
    findings: &mut Findings,
) {
    if name.is_some_and(|name| name.chars().count() > MAX_NAME) {
        findings.error(&join(path, "Name"), Code::Length, format!("expected at most {MAX_NAME} characters"));
    }
    twins(fields, findings);
    let Some(category) = category(target, path, fields, findings) else { return };
    if let Some(required) = category.required()
        && !fields.iter().any(|(_, selector)| selector.field == required)
    {
        let message =
            format!("expected the field {}, which selectors of {} events need", required.name(), category.name());
        findings.error(path, Code::FieldMissing, message);
    }
    let objects = fields.iter().any(|(_, selector)| {
        selector.field == Field::ResourcesType
            && selector.conditions.iter().any(|(_, values)| values.iter().any(|value| value == S3_OBJECT))
    });
    for (path, selector) in fields.iter().filter(|(_, selector)| selector.field != Field::EventCategory) {
        field(target, category, path, selector, findings);
        if selector.field == Field::ResourcesArn {
            arns(path, selector, objects, findings);
        }
    }
}

/// Repeated fields.
fn twins(fields: &[(String, FieldSelector)], findings: &mut Findings) {
    let mut seen = HashSet::new();
    for (path, selector) in fields {
        if seen.insert(selector.field) {
            continue;
        }
        let message = format!(
            "{} appears twice in one selector: one field selector can have all of its operators",
            selector.field.name()
        );
        findings.error(&format!("{path}.Field"), Code::FieldTwice, message);
    }
}

/// The category that a selector is for.
fn category(
    target: Target,
    path: &str,
    fields: &[(String, FieldSelector)],
    findings: &mut Findings,
) -> Option<Category> {
    let Some((path, selector)) = fields.iter().find(|(_, selector)| selector.field == Field::EventCategory) else {
        findings.error(path, Code::FieldMissing, "expected the field eventCategory, which every selector needs");
        return None;
    };
    operators(path, selector, &[Operator::Equals], "eventCategory", findings);
    let (_, values) = selector.conditions.iter().find(|(operator, _)| *operator == Operator::Equals)?;
    let path = format!("{path}.Equals");
    let [value] = &values[..] else {
        if !values.is_empty() {
            findings.error(
                &path,
                Code::SeveralValues,
                format!("expected one category but found {} values", values.len()),
            );
        }
        return None;
    };
    let categories = Category::of(target);
    let found = categories.iter().copied().find(|category| category.name() == value);
    if found.is_none() {
        let names: Vec<_> = categories.iter().map(|category| category.name()).collect();
        none_of(&element(&path, 0), &names, value, findings);
    }
    found
}

/// One field selector of a selector of this category.
fn field(target: Target, category: Category, path: &str, selector: &FieldSelector, findings: &mut Findings) {
    let FieldSelector { field, conditions } = selector;
    let taken = field.operators(category, target);
    if taken.is_empty() {
        let whose = match target {
            Target::Trail => "a trail's selectors",
            Target::EventDataStore | Target::Either => "selectors",
        };
        let message = format!("{} has no place in {whose} of {} events", field.name(), category.name());
        findings.error(&format!("{path}.Field"), Code::Field, message);
        return;
    }
    operators(path, selector, taken, field.name(), findings);
    for (operator, values) in conditions {
        let path = format!("{path}.{}", operator.name());
        for (at, value) in values.iter().enumerate() {
            let path = element(&path, at);
            match field.values(category, target) {
                Some(names) if !names.contains(&value.as_str()) => none_of(&path, names, value, findings),
                Some(_) => {}
                None => wildcard(&path, value, findings),
            }
            if *field == Field::ResourcesType {
                resource_type(&path, value, findings);
            }
            if *field == Field::EventSource && category == Category::NetworkActivity && !is_network_source(value) {
                let message = format!("{} is not among the known sources of network activity events", quoted(value));
                findings.warning(&path, Code::NetworkSource, message);
            }
        }
        if values.len() > 1 && *field == Field::EventSource && category == Category::NetworkActivity {
            findings.error(&path, Code::SeveralValues, "expected one source: each has a selector of its own");
        }
        if values.len() > 1 && *field == Field::ResourcesType {
            findings.warning(&path, Code::SeveralValues, "AWS's pages give each resource type a selector of its own");
        }
    }
    contradictions(path, conditions, findings);
}

/// Checks that the field accepts the operators.
fn operators(path: &str, selector: &FieldSelector, taken: &[Operator], name: &str, findings: &mut Findings) {
    for (operator, _) in selector.conditions.iter().filter(|(operator, _)| !taken.contains(operator)) {
        let names: Vec<_> = taken.iter().map(|operator| operator.name()).collect();
        let message = format!("{name} takes only {} here", names.join(", "));
        findings.error(&format!("{path}.{}", operator.name()), Code::Operator, message);
    }
}

/// Values that are selected by `Equals`, but excluded again.
fn contradictions(path: &str, conditions: &[(Operator, Vec<String>)], findings: &mut Findings) {
    let number: usize = conditions.iter().map(|(_, values)| values.len()).sum();
    let Some((_, selected)) = conditions.iter().find(|(operator, _)| *operator == Operator::Equals) else { return };
    if number > MAX_VALUES {
        return; // Refused already.
    }
    for (at, value) in selected.iter().enumerate() {
        let taken_away = conditions
            .iter()
            .filter(|(operator, _)| !operator.selects())
            .find(|(operator, values)| values.iter().any(|taken| operator.hits(value, taken)));
        if let Some((operator, _)) = taken_away {
            let message = format!("{} takes {} away again", operator.name(), quoted(value));
            findings.warning(&element(&format!("{path}.Equals"), at), Code::Contradiction, message);
        }
    }
}

/// Values that are compared with the ARNs of resources, which may be objects in S3.
fn arns(path: &str, selector: &FieldSelector, objects: bool, findings: &mut Findings) {
    for (operator, values) in &selector.conditions {
        for (at, value) in values.iter().enumerate() {
            let path = element(&format!("{path}.{}", operator.name()), at);
            match operator.positive() {
                Operator::Equals if !is_arn(value) || objects && object_path(value).is_some_and(str::is_empty) => {
                    let what = if objects { "ARN of an object" } else { "ARN" };
                    let hint = match operator {
                        _ if !objects => "",
                        Operator::Equals => "; StartsWith has all objects of a bucket",
                        _ => "; NotStartsWith takes all objects of a bucket away",
                    };
                    let message = format!("{} is no whole {what}, and is equal to none{hint}", quoted(value));
                    findings.warning(&path, Code::Arn, message);
                }
                Operator::StartsWith
                    if !value.bytes().zip("arn:".bytes()).all(|(found, expected)| found == expected) =>
                {
                    findings.warning(&path, Code::Arn, format!("no ARN starts with {}", quoted(value)));
                }
                Operator::StartsWith if objects => slash(&path, value, findings),
                _ => {}
            }
        }
    }
}

/// `arn:partition:service:region:account:resource`
fn is_arn(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let [first, partition, service] = [parts.next(), parts.next(), parts.next()];
    first == Some("arn")
        && partition.is_some_and(is_partition)
        && service.is_some_and(|part| !part.is_empty())
        && parts.nth(2).is_some_and(|resource| !resource.is_empty())
}

/// The name of a bucket must end in a slash, else it is a prefix of other names.
fn slash(path: &str, value: &str, findings: &mut Findings) {
    if bucket_without_slash(value) {
        let message = format!(
            "{} is the beginning of other buckets' names, too; {} is this bucket alone",
            quoted(value),
            quoted(&format!("{value}/"))
        );
        findings.warning(path, Code::BucketSlash, message);
    }
}

fn bucket_without_slash(arn: &str) -> bool {
    arn.split_once(":s3:::").is_some_and(|(_, name)| !name.is_empty() && !name.contains('/'))
}

/// The part after the name of a bucket and its slash; `None` without a slash.
fn object_path(arn: &str) -> Option<&str> {
    arn.split_once(":s3:::").map(|(_, name)| name.split_once('/').map_or("", |(_, path)| path))
}

fn resource_type(path: &str, value: &str, findings: &mut Findings) {
    if !is_resource_type(value) {
        let hint = hint(similar_resource_type(value));
        let message = format!("{} is not among the known resource types{hint}", quoted(value));
        findings.warning(path, Code::ResourceType, message);
    }
}

/// A value of any list.
pub(super) fn text(path: &str, text: &str, findings: &mut Findings) {
    let length = text.chars().count();
    if length == 0 || length > MAX_TEXT {
        findings.error(path, Code::Length, format!("expected 1 to {MAX_TEXT} characters but found {length}"));
    }
}

fn wildcard(path: &str, value: &str, findings: &mut Findings) {
    if let Some(character) = value.chars().find(|character| "*?".contains(*character)) {
        findings.warning(path, Code::Wildcard, format!("'{character}' stands for itself, there are no wildcards"));
    }
}

pub(super) fn none_of(path: &str, names: &[&str], found: &str, findings: &mut Findings) {
    let hint = hint(similar(found, names));
    let names = names.join(", ");
    findings.error(path, Code::Value, format!("expected one of {names} but found {}{hint}", quoted(found)));
}

pub(super) fn basic(path: &str, selector: &BasicSelector, findings: &mut Findings) {
    if !selector.management && selector.resources.is_empty() {
        findings.warning(path, Code::Nothing, "neither management events nor data resources are selected");
    }
}

pub(super) fn excluded(path: &str, sources: &[String], findings: &mut Findings) {
    for (at, source) in sources.iter().enumerate().filter(|(_, source)| !EXCLUDABLE.contains(&source.as_str())) {
        none_of(&element(path, at), &EXCLUDABLE, source, findings);
    }
}

/// The resource types that basic selectors know, and their services as ARNs name them.
const BASIC_SERVICES: [(&str, &str); 3] =
    [(S3_OBJECT, "s3"), ("AWS::Lambda::Function", "lambda"), ("AWS::DynamoDB::Table", "dynamodb")];
const BASIC_TYPES: [&str; 3] = [BASIC_SERVICES[0].0, BASIC_SERVICES[1].0, BASIC_SERVICES[2].0];

pub(super) fn data_resource(path: &str, resource: &DataResource, findings: &mut Findings) {
    if !BASIC_TYPES.contains(&resource.kind.as_str()) {
        none_of(&format!("{path}.Type"), &BASIC_TYPES, &resource.kind, findings);
    }
    for (at, value) in resource.values.iter().enumerate() {
        let path = element(&format!("{path}.Values"), at);
        if is_all(&resource.kind, value) || !BASIC_TYPES.contains(&resource.kind.as_str()) {
            continue;
        }
        if resource.kind == S3_OBJECT {
            objects(&path, value, findings);
        } else if !is_arn(value) || value.split(':').nth(2) != service(&resource.kind) {
            let all = all(&resource.kind, value);
            let message =
                format!("expected the ARN of one resource, or {all} for all of them, but found {}", quoted(value));
            findings.error(&path, Code::Arn, message);
        } else {
            wildcard(&path, value, findings);
        }
    }
}

/// A value of a basic selector for objects: a bucket, a slash, and a prefix of keys.
fn objects(path: &str, value: &str, findings: &mut Findings) {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    let bucket = value.split_once(":s3:::").filter(|_| is_arn(value)).map(|(_, name)| name);
    let message = match bucket.map(|name| name.split_once('/').ok_or(name)) {
        Some(Ok((bucket, keys))) if is_name(bucket) => return wildcard(path, keys, findings),
        Some(Err(bucket)) if is_name(bucket) => {
            let whole = quoted(&format!("{value}/"));
            findings.error(
                path,
                Code::BucketSlash,
                format!("expected a slash after the bucket: {whole} is all of its objects"),
            );
            return;
        }
        _ => {
            format!(
                "expected a bucket and a slash, as in \"arn:aws:s3:::bucket/\", or {} for all objects",
                all(S3_OBJECT, value)
            )
        }
    };
    findings.error(path, Code::Arn, format!("{message}, but found {}", quoted(value)));
}

/// The service that the ARNs of a resource type name.
fn service(kind: &str) -> Option<&'static str> {
    BASIC_SERVICES.iter().find(|(known, _)| *known == kind).map(|(_, service)| *service)
}

/// The value that means every resource of a type, in the partition of another value.
fn all(kind: &str, value: &str) -> String {
    let partition = value.split(':').nth(1).filter(|name| is_partition(name)).unwrap_or("aws");
    quoted(&format!("arn:{partition}:{}", service(kind).unwrap_or_default()))
}

/// Whether a value of a basic selector means every resource of its type: an ARN that ends with the service.
pub(super) fn is_all(kind: &str, value: &str) -> bool {
    let mut parts = value.split(':');
    let [arn, partition, found] = [parts.next(), parts.next(), parts.next()];
    arn == Some("arn")
        && partition.is_some_and(is_partition)
        && found.is_some()
        && found == service(kind)
        && parts.all(str::is_empty)
}
