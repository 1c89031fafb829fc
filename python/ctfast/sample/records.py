"""From the calls of the story to CloudTrail's records, each with the file kind and the delivery that it belongs to."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ctfast.sample.calls import (
    API_VERSIONS,
    CALLS,
    DEFAULTS,
    ERRORS,
    EVENT_VERSIONS,
    JSON,
    LATEST,
    SOURCES,
    SURROUNDINGS,
)
from ctfast.sample.cast import (
    ACTORS,
    HOME,
    OUTSIDE,
    access_key,
    identity,
    principal_arn,
    unique_id,
)
from ctfast.sample.dice import BASE64, UPPER, Dice
from ctfast.sample.story import Story, blocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctfast.sample.story import Act

Record = dict[str, Any]

PLACEHOLDER = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<braced>\w+)\}|(?P<name>[a-z_]+\d*))")
API_DATE = re.compile(r"20\d{6}(v\d)?$")
"""What some services append to the name of an action."""
RANDOM = re.compile(r"(?P<alphabet>hex|digits)(?P<length>\d+)")

TLS = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A record, and the log file in which it is delivered."""

    account: str
    region: str
    kind: str
    moment: datetime
    """The record's `eventTime`."""
    ready: datetime
    """When it can be delivered; a late event is ready long after its `eventTime`."""
    record: Record


def entries(seed: int) -> list[Entry]:
    """Return every record of the day, in no particular order."""
    found = [entry for act in Story(seed).acts for entry in _deliveries(act, seed)]
    found.extend(_network(seed))
    found.extend(_insights(found, seed))
    return found


def _deliveries(act: Act, seed: int) -> Iterator[Entry]:
    """Return the records of a call: one for the caller's account, and one for the owner's if it is another account."""
    owner = act.values.get("to", act.actor.account)
    ready = act.moment + timedelta(minutes=int(act.values.get("late", 0)))
    for account in dict.fromkeys((act.actor.account, owner)):
        if account in SURROUNDINGS:
            record = _Writer(act, account, seed).record()
            yield Entry(account, act.region, "CloudTrail", act.moment, ready, record)


class _Writer:
    """Writes the record of one call as one account receives it."""

    def __init__(self, act: Act, account: str, seed: int) -> None:
        self._act = act
        self._account = account
        self._seed = seed
        self._service, _, name = act.call.partition(":")
        self._name = name.partition("#")[0]
        self._call = CALLS[act.call]
        self._ids = act.dice.branch(account)
        # all that is random in the call itself is equal in the copies of both accounts
        self._detail = act.dice.branch("detail")
        self._bytes = self._detail.between(200, 90_000)
        self._by_service = bool(act.invoker) or act.actor.address == act.actor.agent
        self._values = self._surroundings()

    def record(self) -> Record:
        """Return the record, its keys in the order in which CloudTrail writes them."""
        act, call, service = self._act, self._call, self._service
        code, message = act.error.partition("#")[0], ERRORS.get(act.error, "")
        refused = code.startswith(("Access", "Client."))
        found: Record = {
            "eventVersion": EVENT_VERSIONS.get(service, LATEST),
            "userIdentity": self._identity(),
            "eventTime": timestamp(act.moment),
            "eventSource": SOURCES.get(service, f"{service}.amazonaws.com"),
            "eventName": self._name,
            "awsRegion": act.region,
            "sourceIPAddress": act.invoker or act.actor.address,
            "userAgent": act.invoker or self._agent(),
            "errorCode": code or None,
            "errorMessage": self._fill(message) if act.error else None,
            "requestParameters": None if refused and call.hidden else self._fill(call.request or None),
            "responseElements": None if code else self._fill(call.response or None),
            "additionalEventData": self._additional(),
            "requestID": self._request_id(),
            "eventID": self._ids.uuid(),
            "readOnly": call.read,
            "resources": self._resources(),
            "eventType": call.kind,
            "apiVersion": API_VERSIONS.get(service),
            "managementEvent": not call.data,
            "recipientAccountId": self._account,
            "sharedEventID": self._shared(),
            "serviceEventDetails": self._fill(call.details or None),
            "vpcEndpointId": act.actor.endpoint or None,
            "vpcEndpointAccountId": act.actor.account if act.actor.endpoint else None,
            "eventCategory": "Data" if call.data else "Management",
            "addendum": {"reason": "DELIVERY_DELAY"} if "late" in act.values else None,
            "tlsDetails": self._tls(),
            "sessionCredentialFromConsole": "true" if act.actor.console and call.kind == "AwsApiCall" else None,
        }
        if act.invoker:  # the service calls from inside, not through the endpoint of the caller
            found["vpcEndpointId"] = found["vpcEndpointAccountId"] = None
        kept = {"requestParameters", "responseElements"}
        return {key: value for key, value in found.items() if value is not None or key in kept}

    def _identity(self) -> Record:
        act = self._act
        found = identity(act.actor, act.session, self._seed)
        if act.actor.account != self._account:
            return {key: found[key] for key in ("type", "principalId", "accountId")} | {"type": "AWSAccount"}
        if act.invoker:
            found["invokedBy"] = act.invoker
        if self._service == "signin" and act.actor.type in {"IAMUser", "Root"}:
            # there is no access key before the sign-in
            found.pop("sessionContext", None)
            del found["accessKeyId"]
            if act.error:
                found["accessKeyId"] = ""
                del found["arn"]
            if act.error == "#unknown":
                del found["principalId"]
        return found

    def _agent(self) -> str:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", self._name).lower()
        return self._act.actor.agent.replace("$cli", f"{self._service}.{words}")

    def _additional(self) -> Record | None:
        if self._service != "s3":
            found: Record | None = self._fill(self._call.additional or None)
            return found
        sent = self._name == "PutObject"
        return {
            "SignatureVersion": "SigV4",
            "CipherSuite": TLS["cipherSuite"],
            "bytesTransferredIn": self._bytes if sent else 0,
            "AuthenticationMethod": "AuthHeader",
            "x-amz-id-2": self._detail.text(BASE64, 75) + "=",
            "bytesTransferredOut": 243 if self._act.error else 0 if sent else self._bytes,
        }

    def _request_id(self) -> str | None:
        if self._call.kind == "AwsConsoleSignIn" or not self._act.actor.type:
            return None
        return self._detail.text(UPPER, 16) if self._service == "s3" else self._detail.uuid()

    def _resources(self) -> list[Record] | None:
        refused = self._act.error and self._service == "sts"
        found = []
        for kind, arn in () if refused else self._call.resources.items():
            entry: Record = {}
            if not arn.startswith("arn:aws:s3:::$bucket/"):  # objects show no account, their bucket does
                entry["accountId"] = self._act.heir.account if self._act.heir else self._account
            if kind != "-":
                entry["type"] = kind.removeprefix("prefix:")
            entry["ARNPrefix" if kind.startswith("prefix:") else "ARN"] = self._fill(arn)
            found.append(entry)
        return found or None

    def _shared(self) -> str | None:
        act = self._act
        if "to" in act.values or (act.actor.type == "AWSService" and self._name == "AssumeRole"):
            return Dice(self._seed, "shared", act.call, act.moment).uuid()
        return None

    def _tls(self) -> Record | None:
        proxied = self._act.actor.console and self._service not in {"s3", "signin"}
        if self._by_service or proxied or self._call.kind == "AwsServiceEvent":
            return None
        host = f"{SOURCES.get(self._service, self._service).partition('.')[0]}.{self._act.region}.amazonaws.com"
        if self._service == "signin":
            host = f"{self._act.region}.signin.aws.amazon.com"
        elif self._service in {"iam", "cloudfront"}:
            host = f"{self._service}.amazonaws.com"
        elif self._service == "s3":
            host = self._fill(self._call.request)["Host"]
        exchange = {"keyExchange": "x25519"} if self._service in {"s3", "kms"} else {}
        return TLS | {"clientProvidedHostHeader": host} | exchange

    def _fill(self, template: JSON) -> Any:
        """Return a template with its `$names` replaced."""
        match template:
            case dict():
                return {key: self._fill(value) for key, value in template.items()}
            case list():
                return [self._fill(value) for value in template]
            case str():
                whole = PLACEHOLDER.fullmatch(template)
                if whole:
                    return self._found(whole)
                return PLACEHOLDER.sub(lambda name: str(self._found(name)), template)
        return template

    def _found(self, match: re.Match[str]) -> object:
        if match["dollar"]:
            return "$"
        name = match["braced"] or match["name"]
        random = RANDOM.fullmatch(name)
        if random and name not in self._values:
            alphabet = {"hex": "0123456789abcdef", "digits": "0123456789"}[random["alphabet"]]
            self._values[name] = self._detail.text(alphabet, int(random["length"]))
        return self._values[name]

    def _resource(self) -> str:
        """Return how the message of a refusal names the resource."""
        account, region, values = self._account, self._act.region, {**DEFAULTS, **self._act.values}
        surroundings = SURROUNDINGS[account]
        match self._service:
            case "s3":
                return f"arn:aws:s3:::{values.get('bucket', surroundings['bucket'])}/{values.get('key', '')}".rstrip(
                    "/"
                )
            case "cloudtrail":
                return f"arn:aws:cloudtrail:{region}:{account}:trail/{surroundings['trail']}"
            case "iam" if "roleName" in self._call.request:
                return f"role {values['role']}"
            case "iam" if "userName" in self._call.request:
                return f"user {values['user']}"
        return "*"

    def _surroundings(self) -> dict[str, object]:
        """Return the values of `$names` in this record; values from the story take precedence."""
        act, account = self._act, self._account
        heir = act.heir or act.actor
        role, role_account = heir.role or "finance-reports", heir.account
        short_role = role.rpartition("/")[2]
        values: dict[str, object] = {
            "account": account,
            "outside": OUTSIDE,
            "home": HOME,
            "region": act.region,
            "who": act.actor.name,
            "arn": principal_arn(act.actor) or act.actor.name,
            "action": f"{self._service}:{API_DATE.sub('', self._name)}",
            "resource": self._resource(),
            "role": role,
            "role_account": role_account,
            "session_name": heir.name,
            "assumed_id": f"{unique_id('AROA', role_account, role)}:{heir.name}",
            "assumed_arn": f"arn:aws:sts::{role_account}:assumed-role/{short_role}/{heir.name}",
            "new_key": access_key(heir, act.moment, self._seed),
            "key_id": access_key(ACTORS[act.values.get("of", "dana")], act.moment, self._seed),
            "token": "IQoJb3JpZ2luX2Vj" + self._detail.text(BASE64, 240) + "EXAMPLE=",
            "uuid": self._detail.uuid(),
            "stamp": _american(act.moment),
            "expires": _american(act.moment + timedelta(hours=max(heir.session, 1))),
            "epoch": int(act.moment.timestamp()),
        }
        return {**DEFAULTS, **SURROUNDINGS[account], **values, **act.values}


def _american(moment: datetime) -> str:
    """Return a time as some services write it: `Mar 12, 2025, 1:44:02 PM`."""
    half_day = 12
    months = "JanFebMarAprMayJunJulAugSepOctNovDec"  # %b is in the locale's words
    month = months[3 * moment.month - 3 : 3 * moment.month]
    suffix = "AM" if moment.hour < half_day else "PM"
    hour = moment.hour % half_day or half_day
    return f"{month} {moment.day}, {moment.year}, {hour}:{moment:%M:%S} {suffix}"


def timestamp(moment: datetime) -> str:
    """Return a time as CloudTrail writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _network(seed: int) -> Iterator[Entry]:
    """Return records of the calls that the policy of a VPC endpoint denied; such a record has few fields."""
    caller = ACTORS["shop-web"]
    for moment, service, name in blocked():
        dice = Dice(seed, "network", moment)
        record = {
            "eventVersion": "1.09",
            "userIdentity": {
                "type": "AWSAccount",
                "principalId": f"{unique_id('AROA', caller.account, caller.role)}:{caller.name}",
                "accountId": caller.account,
            },
            "eventTime": timestamp(moment),
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": HOME,
            "sourceIPAddress": caller.address,
            "errorCode": "VpceAccessDenied",
            "errorMessage": "The request was denied due to a VPC endpoint policy",
            "requestID": dice.uuid(),
            "eventID": dice.uuid(),
            "eventType": "AwsVpceEvent",
            "recipientAccountId": caller.account,
            "sharedEventID": dice.uuid(),
            "vpcEndpointId": caller.endpoint,
            "vpcEndpointAccountId": caller.account,
            "eventCategory": "NetworkActivity",
        }
        yield Entry(caller.account, HOME, "CloudTrail-NetworkActivity", moment, moment, record)


def _insights(found: list[Entry], seed: int) -> Iterator[Entry]:
    """Return the Insights events for the API that was refused most: the start and the end of the unusual activity."""
    refused = Counter(
        (entry.account, entry.region, entry.record["eventSource"], entry.record["eventName"])
        for entry in found
        if entry.record.get("errorCode") == "AccessDenied" and entry.record["managementEvent"]
    )
    (account, region, source, name), _ = refused.most_common(1)[0]
    storm = [
        entry
        for entry in found
        if (entry.account, entry.region) == (account, region)
        and entry.record["eventName"] == name
        and entry.record.get("errorCode") == "AccessDenied"
    ]
    start = min(entry.moment for entry in storm).replace(second=0)
    end = max(entry.moment for entry in storm).replace(second=0) + timedelta(minutes=1)
    # the start tells the rate of the first five minutes, the end that of the whole time; the baseline is the time
    # since the midnight seven days before
    early = sum(entry.moment < start + timedelta(minutes=5) for entry in storm)
    whole = int((end - start).total_seconds()) // 60
    baseline = int((start - start.replace(hour=0, minute=0)).total_seconds()) // 60 + 7 * 24 * 60
    dice = Dice(seed, "insight")
    shared = dice.uuid()
    attributions = {
        "userIdentityArn": storm[0].record["userIdentity"]["arn"],
        "userAgent": storm[0].record["userAgent"],
    }
    for state, moment, count, minutes in (("Start", start, early, 5), ("End", end, len(storm), whole)):
        rate = round(count / minutes, 10)
        record = {
            "eventVersion": "1.09",
            "eventTime": timestamp(moment),
            "awsRegion": region,
            "eventID": dice.uuid(),
            "eventType": "AwsCloudTrailInsight",
            "recipientAccountId": account,
            "sharedEventID": shared,
            "insightDetails": {
                "state": state,
                "eventSource": source,
                "eventName": name,
                "insightType": "ApiErrorRateInsight",
                "errorCode": "AccessDenied",
                "insightContext": {
                    "statistics": {
                        "baseline": {"average": 0},
                        "insight": {"average": rate},
                        "insightDuration": minutes,
                        "baselineDuration": baseline,
                    },
                    "attributions": [
                        {"attribute": attribute, "insight": [{"value": value, "average": rate}], "baseline": []}
                        for attribute, value in attributions.items()
                    ],
                },
                "sourceEventCategory": "Management",
            },
            "eventCategory": "Insight",
        }
        yield Entry(account, region, "CloudTrail-Insight", moment, moment + timedelta(minutes=22), record)
