"""CloudTrail event selectors, evaluated slowly: to be read, and to test the fast matcher against.

Written from the AWS CloudTrail API Reference (EventSelector, DataResource, AdvancedEventSelector,
AdvancedFieldSelector) and the User Guide ("Filtering data events by using advanced event selectors").
What AWS leaves open is decided here as in ``docs/filters.md``:

* Selectors that either a trail or an event data store accepts are accepted, unless one of the two is chosen.
* An event without ``readOnly`` counts as a write.
* ``resources.type`` and ``resources.ARN`` are about the same entry of ``resources``: one entry of the type has to be
  selected, none may be deselected. An entry with ``ARNPrefix`` in place of ``ARN`` is compared by its beginning only.
* A missing field matches no value: operators that select fail, and those that deselect pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from documents import Members, document, members

Test = Callable[[Any], bool]
KINDS = ("EventSelectors", "AdvancedEventSelectors")
MOST_BASIC, MOST_RESOURCES, MOST_VALUES, LONGEST_VALUE, LONGEST_NAME = 5, 250, 500, 2048, 1000


class RefusedError(ValueError):
    """A text that is not valid selectors."""


@dataclass(frozen=True)
class Selectors:
    tests: list[Test]

    def matches(self, record: str | bytes) -> bool:
        """Whether these selectors would log the event."""
        event = document(record)
        return isinstance(event, dict) and any(test(event) for test in self.tests)


def parse(text: str, target: str | None = None) -> Selectors:
    """The selectors of a text; a ValueError if AWS, or this kind of target, would refuse them."""
    found = _once(members(text))
    if isinstance(found, list):
        found = {KINDS[any(isinstance(item, dict) and "FieldSelectors" in item for item in found)]: found}
    elif isinstance(found, dict) and not found.keys() & set(KINDS):
        found = {KINDS["FieldSelectors" in found]: [found]} if found else {}
    if not isinstance(found, dict):
        raise RefusedError("neither an object nor an array")
    given = {kind: found[kind] for kind in KINDS if found.get(kind) is not None}
    if not given or all(given.get(kind) for kind in KINDS):
        raise RefusedError("selectors of one kind are needed")
    if not all(
        isinstance(listed, list) and all(isinstance(item, dict) for item in listed) for listed in given.values()
    ):
        raise RefusedError("selectors are objects in an array")
    if target == "event-data-store" and given.get(KINDS[0]):
        raise RefusedError("advanced selectors are needed")
    return Selectors([*_all_basic(given.get(KINDS[0], [])), *_all_advanced(given.get(KINDS[1], []), target)])


def _once(value: Any) -> Any:
    """Objects as dicts; duplicate keys are refused."""
    if isinstance(value, Members):
        found = {key: _once(inner) for key, inner in value}
        if len(found) < len(value):
            raise RefusedError("a key twice")
        return found
    return [_once(item) for item in value] if isinstance(value, list) else value


def _strings(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RefusedError("an array of strings is needed")
    return value


def _known(value: Any, names: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.keys() <= names:
        raise RefusedError("a member that is not known")
    return value


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
    if event.get("managementEvent") is not None:
        return "Data" if _flag(event["managementEvent"]) is False else "Management"
    # Before version 1.06, the category follows from the call only.
    invokes = event.get("eventName") == "Invoke" and event.get("eventSource") == "lambda.amazonaws.com"
    return "Data" if invokes or any(entry.get("type") == S3_OBJECT for entry in listed(event)) else "Management"


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def is_read(event: dict[str, Any]) -> bool:
    return _flag(event.get("readOnly")) is True


def listed(event: dict[str, Any]) -> list[dict[str, Any]]:
    found = event.get("resources")
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def entries(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of ``resources``, and the object that an older event names only in its request."""
    found = listed(event)
    request = event.get("requestParameters")
    if (
        event.get("eventSource") == "s3.amazonaws.com"
        and all(entry.get("type") != S3_OBJECT for entry in found)
        and isinstance(request, dict)
        and isinstance(bucket := request.get("bucketName"), str)
        and isinstance(key := request.get("key"), str)
    ):
        region = _text(event.get("awsRegion")) or ""
        partition = next((name for start, name in PARTITIONS.items() if region.startswith(start)), "aws")
        found.append({"type": S3_OBJECT, "ARN": f"arn:{partition}:s3:::{bucket}/{key}"})
    return found


# -- basic selectors


S3_OBJECT = "AWS::S3::Object"
PARTITION = r"aws(?:-[a-z0-9]+)*"
# Type -> the value for all resources of this type, and the form of a value for one of them.
NAMED = {
    kind: (re.compile(f"arn:{PARTITION}:{service}:*"), re.compile(f"arn:{PARTITION}:{service}:{one}", re.DOTALL))
    for kind, service, one in (
        (S3_OBJECT, "s3", r"::[A-Za-z0-9._-]+/.*"),
        ("AWS::Lambda::Function", "lambda", r"[^:]*:[^:]*:.+"),
        ("AWS::DynamoDB::Table", "dynamodb", r"[^:]*:[^:]*:.+"),
    )
}
PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
EXCLUDABLE = {"kms.amazonaws.com", "rdsdata.amazonaws.com"}


def _all_basic(selectors: list[dict[str, Any]]) -> list[Test]:
    if len(selectors) > MOST_BASIC:
        raise RefusedError("more than five basic selectors")
    made = [_basic(selector) for selector in selectors]
    items = [item for selector in selectors for item in selector.get("DataResources", [])]
    values = [(item["Type"], value) for item in items for value in item.get("Values", [])]
    if sum(not _is_all(*value) for value in values) > MOST_RESOURCES:
        raise RefusedError("more than 250 data resources")
    return made


def _basic(selector: dict[str, Any]) -> Test:
    _known(selector, {"ReadWriteType", "IncludeManagementEvents", "DataResources", "ExcludeManagementEventSources"})
    reading = selector.get("ReadWriteType", "All")
    management = selector.get("IncludeManagementEvents", True)
    excluded = _strings(selector.get("ExcludeManagementEventSources", []))
    resources = selector.get("DataResources", [])
    if reading not in ("All", "ReadOnly", "WriteOnly"):
        raise RefusedError("no ReadWriteType")
    if not isinstance(management, bool) or not set(excluded) <= EXCLUDABLE:
        raise RefusedError("no way to include management events")
    if not isinstance(resources, list) or any(
        _known(item, {"Type", "Values"}).get("Type") not in NAMED for item in resources
    ):
        raise RefusedError("no type of a data resource")
    resources = [(item["Type"], _strings(item.get("Values", []))) for item in resources]
    for kind, values in resources:
        if any(not _is_all(kind, value) and not NAMED[kind][1].fullmatch(value) for value in values):
            raise RefusedError("a value that names no resource of its type")

    def test(event: dict[str, Any]) -> bool:
        if reading != "All" and is_read(event) != (reading == "ReadOnly"):
            return False
        match category(event):
            case "Management":
                return bool(management) and event.get("eventSource") not in excluded
            case "Data":
                return any(_is_resource(kind, values, event) for kind, values in resources)
        return False

    return test


def _is_all(kind: str, value: str) -> bool:
    return bool(NAMED[kind][0].fullmatch(value))


def _is_resource(kind: str, values: list[str], event: dict[str, Any]) -> bool:
    found = [arn(entry) for entry in entries(event) if entry.get("type") == kind]
    operator = "StartsWith" if kind == S3_OBJECT else "Equals"
    return any(_is_all(kind, value) or hits(one, operator, value) for one in found for value in values)


# -- advanced selectors


SELECTS = ("Equals", "StartsWith", "EndsWith")
DESELECTS = ("NotEquals", "NotStartsWith", "NotEndsWith")
OPERATORS = (*SELECTS, *DESELECTS)
ANY = (OPERATORS, None)
TRUE_OR_FALSE = (("Equals",), {"true", "false"})

COMMON = {
    "readOnly": TRUE_OR_FALSE,
    "eventSource": ANY,
    "eventName": ANY,
    "eventType": ANY,
    "sessionCredentialFromConsole": (("Equals", "NotEquals"), {"true"}),
    "userIdentity.arn": ANY,
}

# Category -> field -> operators and values. A trail takes fewer fields of management events.
Fields: TypeAlias = dict[str, Any]
FIELDS: Fields = {
    "Management": COMMON,
    "Data": COMMON | {"resources.type": (("Equals",), None), "resources.ARN": ANY},
    "NetworkActivity": {
        "eventSource": (("Equals",), None),
        "eventName": ANY,
        "errorCode": (("Equals",), {"VpceAccessDenied"}),
        "vpcEndpointId": ANY,
    },
    "Insight": {},
    "ConfigurationItem": {},
    "Evidence": {},
    "ActivityAuditLog": {},
}
# Differences for trails.
OF_TRAILS: Fields = {
    "Management": {"readOnly": TRUE_OR_FALSE, "eventSource": (("NotEquals",), EXCLUDABLE)},
    "Insight": None,
    "ConfigurationItem": None,
    "Evidence": None,
    "ActivityAuditLog": None,
}
REQUIRED = {"Data": "resources.type", "NetworkActivity": "eventSource"}


@dataclass(frozen=True)
class Field:
    name: str
    values: list[tuple[str, str]]

    def passes(self, *found: tuple[str, bool] | None) -> bool:
        """Whether some value selects one of the texts, if any value selects, and no value deselects one."""
        selecting = [(operator, value) for operator, value in self.values if operator in SELECTS]
        deselecting = [
            (operator.removeprefix("Not"), value) for operator, value in self.values if operator in DESELECTS
        ]
        selected = not selecting or any(hits(one, *test) for one in found for test in selecting)
        return selected and not any(hits(one, *test) for one in found for test in deselecting)


def hits(found: tuple[str, bool] | None, operator: str, value: str) -> bool:
    """Whether a text, or the known beginning of one, matches a value."""
    if found is None:
        return False
    text, whole = found
    if operator == "StartsWith":
        return text.startswith(value)
    return whole and (text == value if operator == "Equals" else text.endswith(value))


def _all_advanced(selectors: list[dict[str, Any]], target: str | None) -> list[Test]:
    if target == "event-data-store" and len(selectors) > MOST_BASIC:
        raise RefusedError("more than five selectors")
    fields = [_fields(selector) for selector in selectors]
    if sum(len(field.values) for listed in fields for field in listed) > MOST_VALUES:
        raise RefusedError("more than 500 values")
    return [_advanced(listed, FIELDS | OF_TRAILS if target == "trail" else FIELDS) for listed in fields]


def _fields(selector: dict[str, Any]) -> list[Field]:
    listed = _known(selector, {"Name", "FieldSelectors"}).get("FieldSelectors")
    name = selector.get("Name", "")
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
        if operator not in OPERATORS or not given:
            raise RefusedError("no condition")
        if not all(0 < len(value) <= LONGEST_VALUE for value in _strings(given)):
            raise RefusedError("no value")
        values += [(operator, value) for value in given]
    if not values:
        raise RefusedError("a field without a condition")
    return Field(item["Field"], values)


def _advanced(fields: list[Field], known: Fields) -> Test:
    if len({field.name for field in fields}) < len(fields):
        raise RefusedError("a field twice")
    categories = [field.values for field in fields if field.name == "eventCategory"]
    if len(categories) != 1 or len(categories[0]) != 1 or categories[0][0][0] != "Equals":
        raise RefusedError("one category is needed")
    wanted = categories[0][0][1]
    if known.get(wanted) is None:
        raise RefusedError("no category")
    rest = [field for field in fields if field.name != "eventCategory"]
    for field in rest:
        operators, values = known[wanted].get(field.name, ((), None))
        if any(operator not in operators or (values and value not in values) for operator, value in field.values):
            raise RefusedError(f"{field.name} of {wanted}")
    if wanted in REQUIRED:
        required = [field for field in rest if field.name == REQUIRED[wanted]]
        if len(required) != 1 or (wanted == "NetworkActivity" and len(required[0].values) != 1):
            raise RefusedError(f"one {REQUIRED[wanted]} is needed")
    others = [field for field in rest if field.name != "resources.type"]
    kinds = [value for field in rest if field.name == "resources.type" for _, value in field.values]

    def test(event: dict[str, Any]) -> bool:
        of_kind = [arn(entry) for entry in entries(event) if entry.get("type") in kinds]
        return (
            category(event) == wanted
            and (not kinds or bool(of_kind))
            and all(
                field.passes(*(of_kind if field.name == "resources.ARN" else [_found(event, field.name)]))
                for field in others
            )
        )

    return test


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
