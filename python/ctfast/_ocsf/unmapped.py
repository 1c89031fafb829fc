"""What OCSF has no field for: ``unmapped``, one object under the paths of CloudTrail."""

from __future__ import annotations

from collections.abc import Iterator

from ctfast import _ctfast
from ctfast._later import pl
from ctfast._ocsf.classes import API_ACTIVITY, BASE_EVENT
from ctfast._ocsf.fields import worked_out
from ctfast._ocsf.objects import at, without_nulls

__all__ = ["unmapped"]

#: Paths that have a field in events of all classes, the base class too.
_IN_ALL = (
    "awsRegion",
    "eventCategory",
    "eventID",
    "eventTime",
    "eventType",
    "eventVersion",
    "recipientAccountId",
)
#: Paths that have a field in events of the other classes.
_IN_MOST = (
    "apiVersion",
    "errorCode",
    "errorMessage",
    "eventName",
    "eventSource",
    "requestID",
    "requestParameters",
    "responseElements",
    "sourceIPAddress",
    "userAgent",
    "userIdentity.accountId",
    "userIdentity.arn",
    "userIdentity.identityProvider",
    "userIdentity.invokedBy",
    "userIdentity.onBehalfOf.identityStoreArn",
    "userIdentity.sessionContext.sessionIssuer.arn",
    "userIdentity.userName",
    "vpcEndpointId",
)
#: Kinds of columns that hold JSON, and those that are no value of the record, or are made of their fields.
_OPEN, _NO_VALUE = ("json", "list"), ("extra", "file", "object", "raw", "record")
#: Line breaks of a record are outside its strings: within a string of JSON, they are written as escapes.
_BROKEN = r"[ \t]*[\r\n][ \t\r\n]*"


def unmapped() -> pl.Expr:
    """Return what has no field, as an object in JSON; null if that is nothing.

    Texts and flags stand as texts under their paths; open objects stand whole, as the record has them.
    """
    is_base = worked_out("class") == BASE_EVENT
    left = _left_over()
    texts, whole = [], []
    for path, kind in _values():
        if path in _IN_ALL:
            continue
        value = at(path)
        if path in left:
            value = pl.when(left[path] | is_base).then(value)
        elif path in _IN_MOST:
            value = pl.when(is_base).then(value)
        if kind in _OPEN:
            whole.append(pl.concat_str(pl.lit(f'"{path}":'), _json(value, kind)))
        else:
            texts.append(value.cast(pl.String).alias(path))
    members = pl.concat_str(
        _members(without_nulls(pl.struct(texts).struct.json_encode())),
        *whole,
        _members(_on_one_line(pl.col("extra"))),
        separator=",",
        ignore_nulls=True,
    )
    return pl.concat_str(pl.lit("{"), members.replace("", None), pl.lit("}"))


def _values() -> Iterator[tuple[str, str]]:
    """Yield the paths of the values of a record, with their kinds."""
    for path, kind, _ in _ctfast.columns():
        if kind not in _NO_VALUE and "[]" not in path:
            yield path, kind


def _left_over() -> dict[str, pl.Expr]:
    """Return when a path has no field: another one has it, its value does not fit, or its object lacks a name."""
    unnamed, principal = worked_out("is_named").not_(), at("userIdentity.principalId")
    session = "userIdentity.sessionContext"
    return {
        "resources": worked_out("class") != API_ACTIVITY,
        **dict.fromkeys((f"userIdentity.{name}" for name in ("accessKeyId", "principalId", "type")), unnamed),
        "userIdentity.credentialId": unnamed | at("userIdentity.accessKeyId").is_not_null(),
        "userIdentity.onBehalfOf.userId": unnamed | principal.is_not_null(),
        f"{session}.attributes.creationDate": worked_out("created").is_null(),
        f"{session}.attributes.mfaAuthenticated": worked_out("is_mfa").is_null(),
        f"{session}.webIdFederationData.federatedProvider": at("userIdentity.identityProvider").is_not_null(),
    }


def _json(value: pl.Expr, kind: str) -> pl.Expr:
    if kind == "list":
        # Polars encodes only structs as JSON: {"resources":[…]}
        text = without_nulls(pl.struct(value.alias("")).struct.json_encode().str.slice(len('{"":')).str.head(-1))
        return pl.when(value.is_not_null()).then(text)
    # In a frame of other origin, a text might be no JSON.
    is_json = value.str.json_path_match("$").is_not_null() | (value.str.strip_chars() == "null")
    return pl.when(is_json).then(_on_one_line(value)).otherwise(_quoted(value))


def _quoted(text: pl.Expr) -> pl.Expr:
    encoded = pl.struct(text.alias("")).struct.json_encode().str.slice(len('{"":')).str.head(-1)
    return pl.when(text.is_not_null()).then(encoded)


def _on_one_line(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(_BROKEN, "")


def _members(text: pl.Expr) -> pl.Expr:
    """Return what stands between the braces of an object; null if that is nothing."""
    return text.str.strip_prefix("{").str.strip_suffix("}").str.strip_chars().replace("", None)
