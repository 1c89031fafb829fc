"""What the records of each API call or event have in common, read from the table of templates."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ctfast.sample.cast import BUCKET, PRODUCTION, SECURITY
from ctfast.sample.templates import FRAGMENTS, TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

JSON = Any
"""A JSON value; in a template, its texts may contain `$name`."""


@dataclass(slots=True)
class Call:
    """One template. The comment after a field is the sign of its lines in the table."""

    request: dict[str, JSON] = field(default_factory=dict)  # >
    response: dict[str, JSON] = field(default_factory=dict)  # <
    additional: dict[str, JSON] = field(default_factory=dict)  # +
    details: dict[str, JSON] = field(default_factory=dict)  # =
    resources: dict[str, JSON] = field(default_factory=dict)  # @
    kind: str = "AwsApiCall"
    data: bool = False
    read: bool = False
    hidden: bool = False


FIELDS = {">": "request", "<": "response", "+": "additional", "=": "details", "@": "resources"}

READING = (
    "AssumeRole", "Batch", "Decrypt", "Describe", "Filter", "GenerateDataKey", "Get", "List", "Lookup", "Query",
)  # fmt: skip
"""How the names of calls begin that are recorded as read-only."""

SOURCES: Mapping[str, str] = {"cloudwatch": "monitoring.amazonaws.com"}
"""Event sources that are not named after their service."""

GLOBAL_SERVICES = frozenset(
    {"iam", "signin", "cloudfront", "route53", "organizations", "ce", "trustedadvisor", "health"}
)
"""Services whose events are recorded in us-east-1, wherever the caller is."""

EVENT_VERSIONS: Mapping[str, str] = {
    "ec2": "1.10",
    "sts": "1.08",
    "kms": "1.11",
    "logs": "1.09",
    "signin": "1.08",
    "sso": "1.08",
    "lambda": "1.10",
    "config": "1.08",
}
"""Services still write different versions of the format; the others write `LATEST`."""

LATEST = "1.11"

API_VERSIONS: Mapping[str, str] = {
    "dynamodb": "2012-08-10",
    "logs": "20140328",
    "elasticloadbalancing": "2015-12-01",
    "cloudfront": "2020-05-31",
}

FRAGMENT = re.compile(r"%[a-z-]+")
PAIR = re.compile(r"(?P<name>[^\s=]+)=")

UNAUTHORIZED = "User: $arn is not authorized to perform: $action on resource: $resource"
NO_POLICY = f"{UNAUTHORIZED} because no identity-based policy allows the $action action"
ERRORS: Mapping[str, str] = {
    "AccessDenied": NO_POLICY,
    "AccessDenied#revoked": f"{UNAUTHORIZED} with an explicit deny in an identity-based policy",
    "AccessDeniedException": NO_POLICY,
    "Client.UnauthorizedOperation": f"You are not authorized to perform this operation. {NO_POLICY}",
    "BucketNotEmpty": "The bucket you tried to delete is not empty",
    "NoSuchKey": "The specified key does not exist.",
    "NoSuchBucketPolicy": "The bucket policy does not exist",
    "ConditionalCheckFailedException": "The conditional request failed",
    "ThrottlingException": "Rate exceeded",
    "#signin": "Failed authentication",
    "#unknown": "No username found in supplied account",
}
"""Messages by error code. A code that starts with `#` leaves `errorCode` out, as sign-in failures do."""

SURROUNDINGS: Mapping[str, Mapping[str, str]] = {
    PRODUCTION: {
        "bucket": "example-shop-assets",
        "kms_key": "0b7c1d42-5e8f-4a3b-9c6d-7e1f20314253",
        "trail": "management-events",
        "detector": "6ab1c2d3e4f5061728394a5b6c7d8e9f",
        "instance": "i-0a1b2c3d4e5f60718",
    },
    SECURITY: {
        "bucket": BUCKET,
        "kms_key": "9d8c7b6a-1234-4f5e-8a9b-0c1d2e3f4a5b",
        "trail": "audit_trail.v2",
        "detector": "1f2e3d4c5b6a79880796a5b4c3d2e1f0",
        "instance": "i-0f9e8d7c6b5a41302",
    },
}
"""What lies around in each account: the value of a name that the story does not give."""

DEFAULTS: Mapping[str, str] = {
    "table": "orders",
    "secret": "prod/orders/database-Ab3dEf",
    "function": "order-handler",
    "database": "shop-orders",
    "parameter": "/shop/web/feature-flags",
    "artifacts": "example-shop-artifacts",
    "user": "dana",
    "mfa": "Yes",
}


def _calls() -> dict[str, Call]:
    """Read the table of templates."""
    calls: dict[str, Call] = {}
    call = Call()
    for line in TEMPLATES.strip().split("\n"):
        if line.startswith(" "):
            target = getattr(call, FIELDS[line.lstrip()[0]])
            for name, value in _pairs(line.lstrip()[2:]):
                *path, last = [name] if target is call.resources else name.split(".")
                place = target
                for step in path:
                    place = place.setdefault(step, {})
                place[last] = value
        elif not line.startswith("#"):
            name, *words = line.split()
            reading = name.partition(":")[2].startswith(READING)
            call = calls[name] = Call(data="data" in words, hidden="hidden" in words)
            call.read = "read" in words or (reading and "write" not in words)
            call.kind = next((word for word in words if word.startswith("Aws")), call.kind)
    return calls


def _pairs(text: str) -> Iterator[tuple[str, JSON]]:
    """Return the `name=value` pairs of a line."""
    while fragment := FRAGMENT.search(text):
        text = text.replace(fragment[0], FRAGMENTS[fragment[0]])
    decoder = json.JSONDecoder()
    end = 0
    while pair := PAIR.search(text, end):
        end = pair.end()
        if text[end] in '{["':
            value, end = decoder.raw_decode(text, end)
        else:
            word = text[end:].split(" ", 1)[0]
            end += len(word)
            try:
                value = json.loads(word)
            except json.JSONDecodeError:
                value = word
        yield pair["name"], value


CALLS: Mapping[str, Call] = _calls()
