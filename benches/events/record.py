"""How a record is put together: its identity, the order of its keys, and the register of shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from zlib import crc32

from .holes import text, words
from .world import Session, World

# Services write the keys in different orders; optional keys make many more of these.
ORDERS = {
    "usual": words(
        "eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode"
        " errorMessage"
        " requestParameters responseElements additionalEventData requestID eventID readOnly resources eventType"
        " apiVersion"
        " managementEvent recipientAccountId sharedEventID serviceEventDetails vpcEndpointId"
        " vpcEndpointAccountId eventCategory"
        " addendum tlsDetails sessionCredentialFromConsole",
    ),
    "old": words(
        "eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode"
        " errorMessage"
        " requestParameters responseElements additionalEventData requestID eventID readOnly resources eventType"
        " recipientAccountId sharedEventID vpcEndpointId apiVersion serviceEventDetails managementEvent eventCategory"
        " vpcEndpointAccountId addendum tlsDetails sessionCredentialFromConsole",
    ),
    "late": words(
        "eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent"
        " requestParameters"
        " responseElements errorCode errorMessage requestID eventID eventType apiVersion managementEvent"
        " readOnly resources"
        " recipientAccountId eventCategory additionalEventData serviceEventDetails sharedEventID vpcEndpointId"
        " vpcEndpointAccountId tlsDetails sessionCredentialFromConsole addendum",
    ),
}
ORDERS["sorted"] = sorted(ORDERS["usual"])
VERSIONS = ("1.08", "1.08", "1.09", "1.09", "1.10", "1.11", "1.11")
CIPHERS = (
    {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"},
    {"tlsVersion": "TLSv1.2", "cipherSuite": "ECDHE-RSA-AES128-GCM-SHA256"},
)
ABSENT: Any = object()


@dataclass(slots=True)
class Scene:
    """The place and the session of one event; shapes build their record from it."""

    world: World
    session: Session
    rng: Random
    _pools: dict[str, str] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The account."""
        return self.world.account

    @property
    def region(self) -> str:
        """The region."""
        return self.world.region

    def pick(self, pool: str) -> str:
        """Return a name of `pool` (`buckets`, `keys`, ...); the same one throughout the scene."""
        if pool not in self._pools:
            chosen = self.rng.choice(getattr(self.world, pool))
            self._pools[pool] = chosen if isinstance(chosen, str) else chosen[0]
        return self._pools[pool]

    def arn(self, service: str, name: str) -> str:
        """Return the ARN of `name` in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{name}"

    def role(self) -> str:
        """Return the ARN of a role of this account."""
        return f"arn:aws:iam::{self.account}:role/service/{self.pick('roles')}"

    def chance(self, share: float) -> bool:
        """Return true in `share` of the scenes."""
        return self.rng.random() < share

    def event(self, service: str, name: str, *, order: str | None = None, **fields: Any) -> dict[str, Any]:
        """Return a record of an API call by the session of the scene.

        `fields` replace or remove (``ABSENT``) the usual fields.
        """
        stable = crc32(service.encode())
        version = fields.pop("eventVersion", VERSIONS[stable % len(VERSIONS)])
        session = self.session
        host = fields.pop("host", f"{service}.{self.region}.amazonaws.com")
        agent = session.agent.replace("{service}", service)
        record: dict[str, Any] = {
            "eventVersion": version,
            "userIdentity": session.identity,
            "eventTime": "~{time}",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": self.region,
            "sourceIPAddress": session.address,
            "userAgent": agent,
            "requestParameters": None,
            "responseElements": None,
            "requestID": "~{uuid@request}",
            "eventID": "~{uuid}",
            "readOnly": True,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": self.account,
            "eventCategory": "Management",
        }
        if session.console:
            record["sessionCredentialFromConsole"] = "true"
        else:
            record["tlsDetails"] = self.tls(stable, host, version)
        if session.endpoint and stable % 3 == 0:
            record["vpcEndpointId"] = session.endpoint
            if version in {"1.09", "1.10", "1.11"}:
                record["vpcEndpointAccountId"] = self.account
        record.update(fields)
        known = ORDERS[order or ("usual", "usual", "old", "late")[stable % 4]]
        return {key: record[key] for key in known if record.get(key, ABSENT) is not ABSENT}

    def tls(self, stable: int, host: str, version: str) -> dict[str, str]:
        """Return `tlsDetails` of a call to `host`."""
        details = {**CIPHERS[stable % 2], "clientProvidedHostHeader": host}
        if version == "1.11" and details["tlsVersion"] == "TLSv1.3":
            details["keyExchange"] = ("x25519", "X25519MLKEM768")[stable % 3 == 0]
        return details

    def by_service(self, service: str, **more: Any) -> dict[str, Any]:
        """Return the fields of a call that an AWS service makes on its own behalf."""
        return {
            "userIdentity": {"type": "AWSService", "invokedBy": service, **more},
            "sourceIPAddress": service,
            "userAgent": service,
            "tlsDetails": ABSENT,
            "sessionCredentialFromConsole": ABSENT,
            "vpcEndpointId": ABSENT,
            "vpcEndpointAccountId": ABSENT,
        }

    def through(self, service: str) -> dict[str, Any]:
        """Return the fields of a call that an AWS service makes for the session."""
        return {**self.by_service(service), "userIdentity": {**self.session.identity, "invokedBy": service}}

    def denied(self, action: str, resource: str) -> dict[str, Any]:
        """Return the fields of a call that was refused."""
        who = self.session.identity.get("arn", "anonymous")
        return {
            "errorCode": "AccessDenied",
            "errorMessage": f"User: {who} is not authorized to perform: {action} on resource: {resource} because no"
            f" identity-based policy allows the {action} action",
        }

    def other_account(self) -> str:
        """Return another account of the organisation."""
        return "999988887777" if self.chance(0.5) else "888877776666"

    def key_id(self) -> str:
        """Return an access key id, fixed for the scene."""
        return "ASIA" + text(self.rng, 16)


Shape = Callable[[Scene], dict[str, Any]]


@dataclass(slots=True)
class Register:
    """The shapes, and how often each occurs in log files of the usual kind."""

    shapes: list[Shape] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    special: dict[str, Shape] = field(default_factory=dict)

    def __call__(self, weight: float) -> Callable[[Shape], Shape]:
        """Add a shape that makes `weight` thousandths of the events; 0 for one that is placed by name."""

        def add(shape: Shape) -> Shape:
            if weight:
                self.shapes.append(shape)
                self.weights.append(weight)
            else:
                self.special[shape.__name__] = shape
            return shape

        return add


shape = Register()
