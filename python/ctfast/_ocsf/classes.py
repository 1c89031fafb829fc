"""The class of an event and its activity: by ``eventSource`` and ``eventName``, as OCSF's own mapping of CloudTrail."""

from __future__ import annotations

from collections.abc import Mapping

from ctfast._later import pl

__all__ = [
    "ACCOUNT_CHANGE",
    "API_ACTIVITY",
    "AUTHENTICATION",
    "BASE_EVENT",
    "VERSION",
    "activity",
    "activity_name",
    "by_class",
    "class_uid",
]

#: The version of OCSF.
VERSION = "1.5.0"

ACCOUNT_CHANGE, AUTHENTICATION, API_ACTIVITY = 3001, 3002, 6003
#: What has no name of an event, such as an Insights event: OCSF's class for what is in none of the others.
BASE_EVENT = 0

_UNKNOWN, _OTHER = 0, 99
_CREATE, _READ, _UPDATE, _DELETE = 1, 2, 3, 4
_LOGON, _LOGOFF = 1, 2

#: The first word of the name of an API call, behind ``Batch``: what it does.
_VERBS = {
    **dict.fromkeys(("Allocate", "Copy", "Create", "Import", "Launch", "Register", "Run"), _CREATE),
    **dict.fromkeys(("Describe", "Get", "Head", "List", "Lookup"), _READ),
    **dict.fromkeys(("Change", "Modify", "Put", "Replace", "Set", "Update"), _UPDATE),
    **dict.fromkeys(("Delete", "Deregister", "Release", "Remove", "Terminate"), _DELETE),
}

_SIGN_IN, _IDENTITY_CENTER, _STS, _IAM = (f"{name}.amazonaws.com" for name in ("signin", "sso", "sts", "iam"))
_ROLES = (
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "GetFederationToken",
    "GetSessionToken",
)
#: Calls of Identity Center that are sign-ins; those of the sign-in service all are.
_CENTRAL = ("Authenticate", "Federate", "Logout")
_LOGS = {
    **dict.fromkeys((*_ROLES, "Authenticate", "ConsoleLogin", "Federate", "SwitchRole", "UserAuthentication"), _LOGON),
    **dict.fromkeys(("ExitRole", "Logout"), _LOGOFF),
}

#: Calls of IAM that change a user or a role: activities of Account Change.
_CHANGES = {
    **dict.fromkeys(("CreateUser", "CreateRole", "CreateServiceLinkedRole"), 1),
    "ChangePassword": 3,
    "UpdateLoginProfile": 4,  # the password of somebody else
    **dict.fromkeys(("DeleteUser", "DeleteRole", "DeleteServiceLinkedRole"), 6),
    **dict.fromkeys(("AttachUserPolicy", "AttachRolePolicy", "PutUserPolicy", "PutRolePolicy"), 7),
    **dict.fromkeys(("DetachUserPolicy", "DetachRolePolicy", "DeleteUserPolicy", "DeleteRolePolicy"), 8),
    "EnableMFADevice": 10,
    "DeactivateMFADevice": 11,
    **dict.fromkeys(
        (
            "CreateAccessKey",
            "CreateLoginProfile",
            "DeleteAccessKey",
            "DeleteLoginProfile",
            "DeleteRolePermissionsBoundary",
            "DeleteUserPermissionsBoundary",
            "PutRolePermissionsBoundary",
            "PutUserPermissionsBoundary",
            "UpdateAccessKey",
            "UpdateAssumeRolePolicy",
            "UpdateRole",
            "UpdateRoleDescription",
            "UpdateUser",
        ),
        _OTHER,
    ),
}

#: The names of activities, as the schema has them.
_ACTIVITIES: Mapping[int, Mapping[int, str]] = {
    BASE_EVENT: {},
    ACCOUNT_CHANGE: {
        1: "Create",
        3: "Password Change",
        4: "Password Reset",
        6: "Delete",
        7: "Attach Policy",
        8: "Detach Policy",
        10: "MFA Factor Enable",
        11: "MFA Factor Disable",
    },
    AUTHENTICATION: {_LOGON: "Logon", _LOGOFF: "Logoff"},
    API_ACTIVITY: {_CREATE: "Create", _READ: "Read", _UPDATE: "Update", _DELETE: "Delete"},
}


def class_uid() -> pl.Expr:
    """Return the class of each event."""
    source, name = pl.col("eventSource"), pl.col("eventName")
    signs_in = (
        (source == _SIGN_IN)
        | (pl.col("eventType") == "AwsConsoleSignIn")
        | ((source == _STS) & name.is_in(list(_ROLES)))
        | ((source == _IDENTITY_CENTER) & name.is_in(list(_CENTRAL)))
    )
    changes = (source == _IAM) & name.is_in(list(_CHANGES))
    found = (
        pl.when(name.is_null())
        .then(BASE_EVENT)
        .when(signs_in)
        .then(AUTHENTICATION)
        .when(changes)
        .then(ACCOUNT_CHANGE)
        .otherwise(API_ACTIVITY)
    )
    return found.cast(pl.Int64)


def activity(of: pl.Expr) -> pl.Expr:
    """Return the number of the activity of each event, whose class is known."""
    name = pl.col("eventName")
    verb = name.str.extract(r"^(?:Batch)?([A-Z][a-z]+)")
    does = _numbers(verb, _VERBS).fill_null(pl.when("readOnly").then(_READ))
    found = by_class(
        of,
        {ACCOUNT_CHANGE: _numbers(name, _CHANGES), AUTHENTICATION: _numbers(name, _LOGS), API_ACTIVITY: does},
    )
    return pl.when(of == BASE_EVENT).then(_UNKNOWN).otherwise(found.fill_null(_OTHER)).cast(pl.Int64)


def activity_name(of: pl.Expr, number: pl.Expr) -> pl.Expr:
    """Return the name of each activity as the schema has it: ``Unknown`` and ``Other`` as well."""
    names = {each: _names(number, known) for each, known in _ACTIVITIES.items()}
    return by_class(of, names).fill_null(pl.when(number == _UNKNOWN).then(pl.lit("Unknown")).otherwise(pl.lit("Other")))


def by_class(of: pl.Expr, values: Mapping[int, pl.Expr | str | int]) -> pl.Expr:
    """Return the value of each event's class; null for those that have none."""
    chain: pl.Expr = pl.lit(None)
    for number, value in values.items():
        given = pl.lit(value) if isinstance(value, str | int) else value
        chain = pl.when(of == number).then(given).otherwise(chain)
    return chain


def _numbers(key: pl.Expr, table: Mapping[str, int]) -> pl.Expr:
    return key.replace_strict(table, default=None, return_dtype=pl.Int64)


def _names(key: pl.Expr, table: Mapping[int, str]) -> pl.Expr:
    return key.replace_strict(table, default=None, return_dtype=pl.String) if table else pl.lit(None, pl.String)
