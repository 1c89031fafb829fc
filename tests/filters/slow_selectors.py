"""CloudTrail event selectors, evaluated slowly: to be read, and to test the fast matcher against.

Written from the AWS CloudTrail API Reference (EventSelector, DataResource, AdvancedEventSelector,
AdvancedFieldSelector) and the User Guide ("Filtering data events by using advanced event selectors").
What AWS leaves open is decided here as ``docs/filters.md`` says:

* An event without ``readOnly`` is a write.
* ``resources.type`` and ``resources.ARN`` have to hold for the same entry of ``resources``. An entry with
  ``ARNPrefix`` in place of ``ARN`` is compared by its beginning only.
* A field that is missing is hit by no value: what selects fails, what deselects passes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from documents import document

Test = Callable[[Any], bool]
KINDS = ("EventSelectors", "AdvancedEventSelectors")
MOST_BASIC, MOST_RESOURCES, MOST_VALUES, LONGEST_VALUE, LONGEST_NAME = 5, 250, 500, 2048, 1000


class RefusedError(ValueError):
    """Selectors that are none."""


@dataclass(frozen=True)
class Selectors:
    tests: list[Test]

    def matches(self, record: str | bytes) -> bool:
        """Whether a trail with these selectors would log the event."""
        event = document(record)
        return isinstance(event, dict) and any(test(event) for test in self.tests)


def parse(text: str) -> Selectors:
    """The selectors of a text, of a trail; a ValueError if AWS would refuse them."""
    found = document(text)
    if isinstance(found, list):
        found = {KINDS[any(isinstance(item, dict) and "FieldSelectors" in item for item in found)]: found}
    elif isinstance(found, dict) and not found.keys() & set(KINDS):
        found = {KINDS["FieldSelectors" in found]: [found] if found else []}
    if not isinstance(found, dict):
        raise RefusedError("neither an object nor an array")
    given = [kind for kind in KINDS if found.get(kind)]
    if len(given) != 1:
        raise RefusedError("selectors of one kind are needed")
    selectors = found[given[0]]
    if not isinstance(selectors, list) or not all(isinstance(item, dict) for item in selectors):
        raise RefusedError("selectors are objects in an array")
    return Selectors(_all_basic(selectors) if given == ["EventSelectors"] else _all_advanced(selectors))


# -- events


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def category(event: dict[str, Any]) -> str:
    if isinstance(given := event.get("eventCategory"), str):
        return given
    kind = _text(event.get("eventType")) or ""
    if event.get("insightDetails") is not None or kind == "AwsCloudTrailInsight":
        return "Insight"
    if kind.startswith("AwsVpceEvent"):
        return "NetworkActivity"
    return "Data" if _flag(event.get("managementEvent")) is False else "Management"


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def is_read(event: dict[str, Any]) -> bool:
    return _flag(event.get("readOnly")) is True


def entries(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    found = event.get("resources")
    yield from (entry for entry in found if isinstance(entry, dict)) if isinstance(found, list) else ()


# -- basic selectors


EVERYTHING = {
    "AWS::S3::Object": r"arn:aws[a-z-]*:s3(:::)?",
    "AWS::Lambda::Function": r"arn:aws[a-z-]*:lambda",
    "AWS::DynamoDB::Table": r"arn:aws[a-z-]*:dynamodb",
}
EXCLUDABLE = {"kms.amazonaws.com", "rdsdata.amazonaws.com"}


def _all_basic(selectors: list[dict[str, Any]]) -> list[Test]:
    if len(selectors) > MOST_BASIC:
        raise RefusedError("more than five basic selectors")
    resources = [
        value for selector in selectors for item in selector.get("DataResources", []) for value in item.get("Values", [])
    ]
    if sum(not any(re.fullmatch(all_of, value) for all_of in EVERYTHING.values()) for value in resources) > MOST_RESOURCES:
        raise RefusedError("more than 250 data resources")
    return [_basic(selector) for selector in selectors]


def _basic(selector: dict[str, Any]) -> Test:
    reading = selector.get("ReadWriteType", "All")
    management = selector.get("IncludeManagementEvents", True)
    excluded = selector.get("ExcludeManagementEventSources", [])
    resources = selector.get("DataResources", [])
    if reading not in ("All", "ReadOnly", "WriteOnly"):
        raise RefusedError("no ReadWriteType")
    if not isinstance(management, bool) or not set(excluded) <= EXCLUDABLE:
        raise RefusedError("no way to include management events")
    if any(item.get("Type") not in EVERYTHING for item in resources):
        raise RefusedError("no type of a data resource")

    def test(event: dict[str, Any]) -> bool:
        if reading != "All" and is_read(event) != (reading == "ReadOnly"):
            return False
        match category(event):
            case "Management":
                return bool(management) and event.get("eventSource") not in excluded
            case "Data":
                return any(_is_resource(item, event) for item in resources)
        return False

    return test


def _is_resource(item: dict[str, Any], event: dict[str, Any]) -> bool:
    kind, values = item["Type"], item.get("Values", [])
    found = [entry for entry in entries(event) if entry.get("type") == kind]
    if kind == "AWS::S3::Object" and not found:
        found = _object_of_request(event)
    if any(re.fullmatch(EVERYTHING[kind], value) for value in values):
        return bool(found)
    operator = "StartsWith" if kind == "AWS::S3::Object" else "Equals"
    return any(hits(arn(entry), operator, value) for entry in found for value in values)


def _object_of_request(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The object of an older event, which names its bucket among the resources only."""
    request = event.get("requestParameters")
    if event.get("eventSource") != "s3.amazonaws.com" or not isinstance(request, dict):
        return []
    bucket, key = request.get("bucketName"), request.get("key")
    if not isinstance(bucket, str) or not isinstance(key, str):
        return []
    parts = [match[1] for entry in entries(event) if (match := re.match("arn:([^:]*):s3:", str(entry.get("ARN"))))]
    return [{"ARN": f"arn:{parts[0] if parts else 'aws'}:s3:::{bucket}/{key}"}]


# -- advanced selectors


SELECTS = ("Equals", "StartsWith", "EndsWith")
DESELECTS = ("NotEquals", "NotStartsWith", "NotEndsWith")
OPERATORS = (*SELECTS, *DESELECTS)
ANY = (OPERATORS, None)
TRUE_OR_FALSE = (("Equals",), {"true", "false"})

# Category -> field -> operators and values; of a trail.
FIELDS: dict[str, dict[str, tuple[tuple[str, ...], set[str] | None]]] = {
    "Management": {"readOnly": TRUE_OR_FALSE, "eventSource": (("NotEquals",), EXCLUDABLE)},
    "Data": {
        "readOnly": TRUE_OR_FALSE,
        "eventSource": ANY,
        "eventName": ANY,
        "eventType": ANY,
        "resources.type": (("Equals",), None),
        "resources.ARN": ANY,
        "sessionCredentialFromConsole": (("Equals", "NotEquals"), {"true"}),
        "userIdentity.arn": ANY,
    },
    "NetworkActivity": {
        "eventSource": (("Equals",), None),
        "eventName": ANY,
        "errorCode": (("Equals",), {"VpceAccessDenied"}),
        "vpcEndpointId": ANY,
    },
}
REQUIRED = {"Data": "resources.type", "NetworkActivity": "eventSource"}


@dataclass(frozen=True)
class Field:
    name: str
    values: list[tuple[str, str]]

    def passes(self, found: tuple[str, bool] | None) -> bool:
        """Some value selects, if any does at all, and none deselects."""
        selecting = [hits(found, operator, value) for operator, value in self.values if operator in SELECTS]
        deselecting = [
            hits(found, operator.removeprefix("Not"), value) for operator, value in self.values if operator in DESELECTS
        ]
        return (not selecting or any(selecting)) and not any(deselecting)


def hits(found: tuple[str, bool] | None, operator: str, value: str) -> bool:
    """Whether a text, or the beginning of one, is what a value asks for."""
    if found is None:
        return False
    text, whole = found
    if operator == "StartsWith":
        return text.startswith(value)
    return whole and (text == value if operator == "Equals" else text.endswith(value))


def _all_advanced(selectors: list[dict[str, Any]]) -> list[Test]:
    fields = [_fields(selector) for selector in selectors]
    if sum(len(field.values) for listed in fields for field in listed) > MOST_VALUES:
        raise RefusedError("more than 500 values")
    return [_advanced(listed) for listed in fields]


def _fields(selector: dict[str, Any]) -> list[Field]:
    listed = selector.get("FieldSelectors")
    name = selector.get("Name") or ""
    if not isinstance(listed, list) or not listed or not isinstance(name, str) or len(name) > LONGEST_NAME:
        raise RefusedError("no field selectors")
    return [_field(item) for item in listed]


def _field(item: Any) -> Field:
    if not isinstance(item, dict) or not isinstance(item.get("Field"), str):
        raise RefusedError("no field")
    values = []
    for operator, given in item.items():
        if operator == "Field":
            continue
        if operator not in OPERATORS or not isinstance(given, list) or not given:
            raise RefusedError("no condition")
        if not all(isinstance(value, str) and 0 < len(value) <= LONGEST_VALUE for value in given):
            raise RefusedError("no value")
        values += [(operator, value) for value in given]
    if not values:
        raise RefusedError("a field without a condition")
    return Field(item["Field"], values)


def _advanced(fields: list[Field]) -> Test:
    categories = [field.values for field in fields if field.name == "eventCategory"]
    if len(categories) != 1 or len(categories[0]) != 1 or categories[0][0][0] != "Equals":
        raise RefusedError("one category is needed")
    wanted = categories[0][0][1]
    if wanted not in FIELDS:
        raise RefusedError("no category of a trail")
    rest = [field for field in fields if field.name != "eventCategory"]
    for field in rest:
        operators, values = FIELDS[wanted].get(field.name, ((), None))
        if any(operator not in operators or (values and value not in values) for operator, value in field.values):
            raise RefusedError(f"{field.name} of {wanted}")
    if wanted in REQUIRED:
        required = [field for field in rest if field.name == REQUIRED[wanted]]
        if len(required) != 1 or len(required[0].values) != 1:
            raise RefusedError(f"one {REQUIRED[wanted]} is needed")
    of_resource = [field for field in rest if field.name.startswith("resources.")]
    others = [field for field in rest if not field.name.startswith("resources.")]

    def test(event: dict[str, Any]) -> bool:
        return (
            category(event) == wanted
            and all(field.passes(_found(event, field.name)) for field in others)
            and (not of_resource or any(_is_entry(entry, of_resource) for entry in entries(event)))
        )

    return test


def _is_entry(entry: dict[str, Any], fields: list[Field]) -> bool:
    found = {"resources.type": _whole(entry.get("type")), "resources.ARN": arn(entry)}
    return all(field.passes(found[field.name]) for field in fields)


def arn(entry: dict[str, Any]) -> tuple[str, bool] | None:
    for name in ("ARN", "arn"):
        if isinstance(entry.get(name), str):
            return entry[name], True
    prefix = entry.get("ARNPrefix")
    return (prefix, False) if isinstance(prefix, str) else None


def _found(event: dict[str, Any], name: str) -> tuple[str, bool] | None:
    match name:
        case "readOnly":
            return ("true" if is_read(event) else "false"), True
        case "sessionCredentialFromConsole":
            flag = _flag(event.get(name))
            return None if flag is None else (str(flag).lower(), True)
        case "userIdentity.arn":
            identity = event.get("userIdentity")
            return _whole(identity.get("arn")) if isinstance(identity, dict) else None
    return _whole(event.get(name))


def _whole(value: Any) -> tuple[str, bool] | None:
    return (value, True) if isinstance(value, str) else None
