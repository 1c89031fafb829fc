"""THE field table: which field of an event each column of CloudTrail becomes.

It is that of OCSF's own mapping of CloudTrail. What takes long to work out and is used twice is worked out first, as
columns of its own, whose names no column of CloudTrail has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ctfast._later import pl
from ctfast._ocsf.classes import (
    ACCOUNT_CHANGE,
    API_ACTIVITY,
    AUTHENTICATION,
    BASE_EVENT,
    VERSION,
    activity,
    activity_name,
    by_class,
    class_uid,
)
from ctfast._ocsf.objects import Object, at, made, member

__all__ = ["event", "steps", "worked_out"]

_PREFIX = "ocsf."
_CAPTIONS = {
    ACCOUNT_CHANGE: "Account Change",
    AUTHENTICATION: "Authentication",
    API_ACTIVITY: "API Activity",
    BASE_EVENT: "Base Event",
}
_CATEGORIES = {ACCOUNT_CHANGE: 3, AUTHENTICATION: 3, API_ACTIVITY: 6, BASE_EVENT: 0}
_CATEGORY_NAMES = {3: "Identity & Access Management", 6: "Application Activity", 0: "Uncategorized"}
#: What the published mapping says of records from before 1.07, which do not tell their category.
_EVERY_CATEGORY = "Management, Data, and Insights"

_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"(?:{_BYTE}\.){{3}}{_BYTE}"
_IPV6 = rf"(?:[0-9A-Fa-f]{{1,4}}:){{7}}[0-9A-Fa-f]{{1,4}}|[0-9A-Fa-f:]{{0,35}}::[0-9A-Fa-f:]{{0,35}}(?:{_IPV4})?"
_ADDRESS = rf"^(?:{_IPV4}|{_IPV6})$"
_HOST = r"^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\.?$"
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})$"
_BASIC = r"^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z$"
#: Sign-ins that say what came of them, in a member with the name of the event.
_SAYING = (
    "CheckMfa",
    "ConsoleLogin",
    "CredentialChallenge",
    "CredentialVerification",
    "ExitRole",
    "RenewRole",
    "SwitchRole",
    "UserAuthentication",
)
_OUTCOME = rf'"(?:{"|".join(_SAYING)})"\s*:\s*"(Success|Failure)"'


def worked_out(name: str) -> pl.Expr:
    """Return a column of :func:`steps`."""
    return pl.col(_PREFIX + name)


def steps() -> Iterator[list[pl.Expr]]:
    """Yield the columns that are worked out first, each list from the columns of those before it."""
    of = worked_out("class")
    yield [class_uid().alias(_PREFIX + "class")]
    yield _named(
        activity=activity(of),
        # What only some events need is taken out of the text of those alone.
        signed_in=_of(AUTHENTICATION, "responseElements"),
        asked=_of(AUTHENTICATION, "requestParameters"),
        changed=_of(ACCOUNT_CHANGE, "responseElements"),
        change=_of(ACCOUNT_CHANGE, "requestParameters"),
        logged=_of(AUTHENTICATION, "additionalEventData"),
        ip=pl.when(pl.col("sourceIPAddress").str.contains(_ADDRESS)).then("sourceIPAddress"),
        user_name=at("userIdentity.userName").fill_null(_user_of_identity_center()),
        created=_created(at("userIdentity.sessionContext.attributes.creationDate")),
        is_mfa=_flag(at("userIdentity.sessionContext.attributes.mfaAuthenticated"), "true", "false"),
    )
    signed_in, asked, changed, change, logged = (
        worked_out(name) for name in ("signed_in", "asked", "changed", "change", "logged")
    )
    role = member(asked, "roleArn")
    name = pl.coalesce(
        member(changed, "user.userName"),
        member(change, "userName"),
        member(changed, "role.roleName"),
        member(change, "roleName"),
    )
    uid = pl.coalesce(member(changed, "user.userId"), member(changed, "role.roleId"))
    itself = (of == ACCOUNT_CHANGE) & name.is_null() & uid.is_null()
    yield _named(
        # The schema requires one of these of a user. A service has none, and is named by `invoked_by`.
        is_named=at("userIdentity.accountId").is_not_null()
        | at("userIdentity.arn").is_not_null()
        | worked_out("user_name").is_not_null(),
        activity_name=activity_name(of, worked_out("activity")),
        domain=pl.when(worked_out("ip").is_null()).then("sourceIPAddress"),
        role=role,
        session_name=member(asked, "roleSessionName"),
        session_key=member(signed_in, "credentials.accessKeyId"),
        session_uid=member(signed_in, "assumedRoleUser.arn"),
        session_uid_alt=member(signed_in, "assumedRoleUser.assumedRoleId"),
        outcome=pl.coalesce(
            signed_in.str.extract(_OUTCOME),
            pl.when(of == AUTHENTICATION).then(pl.col("serviceEventDetails").str.extract(_OUTCOME)),
        ),
        login_to=member(logged, "LoginTo"),
        used_mfa=_flag(member(logged, "MFAUsed").str.to_lowercase(), "yes", "no"),
        # A change that names nobody is one of the caller, such as ChangePassword.
        changed_name=pl.when(itself).then(worked_out("user_name")).otherwise(name),
        changed_uid=pl.when(itself).then(at("userIdentity.principalId")).otherwise(uid),
        policy=member(change, "policyArn"),
    )
    failed = pl.col("errorCode").fill_null("") != ""
    failed_to_sign_in = (of == AUTHENTICATION) & (pl.col("errorMessage").fill_null("") != "")
    yield _named(
        status=pl.coalesce(
            worked_out("outcome"),
            pl.when(failed | failed_to_sign_in).then(pl.lit("Failure")).otherwise(pl.lit("Success")),
        ),
        seen=_seen(),
        touched=_touched(),
    )
    seen, touched = worked_out("seen"), worked_out("touched")
    both = pl.when(touched.is_null()).then(seen).otherwise(seen.list.concat(touched))
    yield _named(observables=both.list.drop_nulls())


def event() -> Object:
    """Return the fields of an event in the order of their names, but for ``unmapped``."""
    of, status = worked_out("class"), worked_out("status")
    is_known = of != BASE_EVENT
    return {
        "activity_id": worked_out("activity"),
        "activity_name": pl.when(is_known & (worked_out("activity_name") == "Other"))
        .then("eventName")
        .otherwise(worked_out("activity_name")),
        "actor": _where(is_known, _actor()),
        "api": _where(is_known, _api()),
        "category_name": by_class(of, {each: _CATEGORY_NAMES[number] for each, number in _CATEGORIES.items()}),
        "category_uid": by_class(of, _CATEGORIES).cast(pl.Int64),
        "class_name": by_class(of, _CAPTIONS),
        "class_uid": of,
        "cloud": {
            "account": {"uid": pl.col("recipientAccountId")},
            "provider": pl.lit("AWS"),
            "region": pl.col("awsRegion"),
        },
        "dst_endpoint": {"svc_name": worked_out("login_to")},
        "http_request": {"user_agent": pl.when(is_known).then("userAgent")},
        "is_mfa": worked_out("used_mfa"),
        "message": _message(),
        "metadata": _metadata(),
        "observables": pl.when(is_known & (worked_out("observables").list.len() > 0)).then(worked_out("observables")),
        "policy": {"uid": worked_out("policy")},
        "resources": pl.when(of == API_ACTIVITY).then(_resources()),
        "service": {"name": pl.when(of == AUTHENTICATION).then("eventSource")},
        "session": {
            "credential_uid": worked_out("session_key"),
            "uid": worked_out("session_uid"),
            "uid_alt": worked_out("session_uid_alt"),
        },
        "severity": pl.lit("Informational"),
        "severity_id": pl.lit(1, pl.Int64),
        "src_endpoint": _where(is_known, _source()),
        "status": pl.when(is_known).then(status),
        "status_id": pl.when(is_known).then(pl.when(status == "Success").then(1).otherwise(2).cast(pl.Int64)),
        "time": pl.col("eventTime").dt.epoch("ms"),
        "time_dt": pl.col("eventTime").dt.to_string("%Y-%m-%dT%H:%M:%S%.f%:z"),
        "type_name": pl.concat_str(by_class(of, _CAPTIONS), pl.lit(": "), worked_out("activity_name")),
        "type_uid": of * 100 + worked_out("activity"),
        "user": _user(),
    }


def _actor() -> Object:
    return {
        "idp": {
            "name": pl.coalesce(
                at("userIdentity.identityProvider"),
                at("userIdentity.sessionContext.webIdFederationData.federatedProvider"),
            ),
            "uid": at("userIdentity.onBehalfOf.identityStoreArn"),
        },
        "invoked_by": at("userIdentity.invokedBy"),
        "session": {
            "created_time_dt": worked_out("created"),
            "is_mfa": worked_out("is_mfa"),
            "issuer": at("userIdentity.sessionContext.sessionIssuer.arn"),
        },
        "user": _where(
            worked_out("is_named"),
            {
                "account": {"uid": at("userIdentity.accountId")},
                "credential_uid": pl.coalesce(at("userIdentity.accessKeyId"), at("userIdentity.credentialId")),
                "name": worked_out("user_name"),
                "type": at("userIdentity.type"),
                "uid": at("userIdentity.arn"),
                "uid_alt": pl.coalesce(at("userIdentity.principalId"), at("userIdentity.onBehalfOf.userId")),
            },
        ),
    }


def _api() -> Object:
    asked = pl.col("requestParameters")
    return {
        "operation": pl.col("eventName"),
        "request": {
            "data": _data(asked),
            # The schema requires the id of a request; the published mapping writes an empty one.
            "uid": pl.col("requestID").fill_null(pl.when(asked.is_not_null()).then(pl.lit(""))),
        },
        "response": {
            "data": _data(pl.col("responseElements")),
            "error": pl.col("errorCode"),
            "message": pl.col("errorMessage"),
        },
        "service": {"name": pl.col("eventSource")},
        "version": pl.col("apiVersion"),
    }


def _metadata() -> Object:
    return {
        "event_code": pl.col("eventType"),
        "log_name": pl.col("file"),
        "product": {
            "feature": {"name": pl.col("eventCategory").fill_null(_EVERY_CATEGORY)},
            "name": pl.lit("CloudTrail"),
            "vendor_name": pl.lit("AWS"),
            "version": pl.col("eventVersion"),
        },
        "profiles": pl.lit(["cloud", "datetime"]),
        "sequence": pl.col("record").cast(pl.Int64),
        "uid": pl.col("eventID"),
        "version": pl.lit(VERSION),
    }


def _source() -> Object:
    return {"domain": worked_out("domain"), "ip": worked_out("ip"), "uid": pl.col("vpcEndpointId")}


def _user() -> Object:
    """Who signs in, or whose account is changed."""
    of, role = worked_out("class"), worked_out("role")
    uid = role.fill_null(at("userIdentity.arn"))
    name = worked_out("session_name").fill_null(pl.when(uid.is_null()).then(worked_out("user_name")))
    unnamed = (of == AUTHENTICATION) & uid.is_null() & name.is_null()
    return {
        "account": {"uid": pl.when(unnamed).then(at("userIdentity.accountId"))},
        "name": by_class(of, {AUTHENTICATION: name, ACCOUNT_CHANGE: worked_out("changed_name")}),
        "uid": by_class(of, {AUTHENTICATION: uid, ACCOUNT_CHANGE: worked_out("changed_uid")}),
        "uid_alt": by_class(of, {AUTHENTICATION: pl.when(role.is_null()).then(at("userIdentity.principalId"))}),
    }


def _resources() -> pl.Expr:
    each = pl.element().struct
    resource: Object = {
        "name": each["ARNPrefix"],
        "owner": {"account": {"uid": each["accountId"]}},
        "type": each["type"],
        "uid": each["ARN"],
    }
    return pl.col("resources").list.eval(made(resource)).list.drop_nulls()


def _seen() -> pl.Expr:
    """Return the user name and the origin of an event, as observables."""
    domain = worked_out("domain")
    host = pl.when(domain.str.contains(_HOST)).then(domain)
    origin = pl.coalesce(
        _observable("src_endpoint.domain", "Hostname", 1, host),
        _observable("src_endpoint.ip", "IP Address", 2, worked_out("ip")),
    )
    return pl.concat_list(_observable("actor.user.name", "User Name", 4, worked_out("user_name")), origin)


def _touched() -> pl.Expr:
    """Return the ARNs of the resources of an event, as observables."""
    resources = pl.when(worked_out("class") == API_ACTIVITY).then("resources")
    return resources.list.eval(_observable("resources[].uid", "Resource UID", 10, pl.element().struct["ARN"]))


def _observable(name: str, kind: str, number: int, value: pl.Expr) -> pl.Expr:
    fields = pl.struct(
        pl.lit(name).alias("name"),
        value.alias("value"),
        pl.lit(kind).alias("type"),
        pl.lit(number, pl.Int64).alias("type_id"),
    )
    return pl.when(value.is_not_null()).then(fields)


def _message() -> pl.Expr:
    """Say what a record lacks that its event would need."""
    return (
        pl.when(worked_out("class") == BASE_EVENT)
        .then(pl.lit("the record has no eventName, by which its class would be chosen"))
        .when(pl.col("eventTime").is_null())
        .then(pl.lit("the record has no eventTime"))
    )


def _user_of_identity_center() -> pl.Expr:
    text = pl.col("additionalEventData")
    return member(pl.when(text.str.contains('"UserName"', literal=True)).then(text), "UserName")


def _of(number: int, column: str) -> pl.Expr:
    return pl.when(worked_out("class") == number).then(column)


def _named(**columns: pl.Expr) -> list[pl.Expr]:
    return [each.alias(_PREFIX + name) for name, each in columns.items()]


def _where(condition: pl.Expr, fields: Object) -> Object:
    """Return the same object, of some events only."""
    return {
        name: _where(condition, each) if isinstance(each, Mapping) else pl.when(condition).then(each)
        for name, each in fields.items()
    }


def _data(text: pl.Expr) -> pl.Expr:
    """Return JSON as it is, and a text without its quotes: some services write one in place of an object."""
    quoted = pl.when(text.str.starts_with('"')).then(text)
    return quoted.str.json_path_match("$").fill_null(text)


def _created(text: pl.Expr) -> pl.Expr:
    """Return a time of either form of ISO 8601 as RFC 3339 has it; null for any other text."""
    extended = text.str.replace(_BASIC, "$1-$2-${3}T$4:$5:${6}Z")
    return pl.when(extended.str.contains(_TIME)).then(extended.str.replace("Z$", "+00:00"))


def _flag(text: pl.Expr, true: str, false: str) -> pl.Expr:
    return pl.when(text == true).then(True).when(text == false).then(False)
