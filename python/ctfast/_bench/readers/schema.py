"""The columns that every reader makes, written once; each reader turns them into its own types.

A kind is ``text``, ``json`` (an open object, kept as JSON text), ``flag``, ``time``, a dictionary (a struct) or a list
of one dictionary (a list of structs). ``raw``, ``extra`` and ``record``, which ctfast also makes, are not
required of the others: most of them cannot make them.
"""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["COLUMNS", "COUNTED", "FIVE", "IDENTITY", "NAME", "Kind", "texts"]

Kind: TypeAlias = "str | dict[str, Kind] | list[Kind]"


def texts(names: str) -> dict[str, Kind]:
    """Return a struct of text fields."""
    return dict.fromkeys(names.split(), "text")


IDENTITY: dict[str, Kind] = {
    **texts("type userName principalId arn accountId accessKeyId"),
    "sessionContext": {
        "attributes": texts("creationDate mfaAuthenticated"),
        "sessionIssuer": texts("type userName principalId arn accountId"),
        "webIdFederationData": {"federatedProvider": "text", "attributes": "json"},
        "sourceIdentity": "text",
        "ec2RoleDelivery": "text",
        "assumedRoot": "flag",
        "ec2IssuedInVpc": "text",
    },
    "invokedBy": "text",
    "invokedByDelegate": texts("accountId"),
    "identityProvider": "text",
    "onBehalfOf": texts("userId identityStoreArn"),
    "inScopeOf": texts("sourceArn sourceAccount issuerType credentialsIssuedTo"),
    "credentialId": "text",
}
COLUMNS: dict[str, Kind] = {
    "eventVersion": "text",
    "userIdentity": IDENTITY,
    "eventTime": "time",
    **texts("eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage"),
    **dict.fromkeys(("requestParameters", "responseElements", "additionalEventData"), "json"),
    **texts("requestID eventID eventType apiVersion"),
    "managementEvent": "flag",
    "readOnly": "flag",
    "resources": [texts("ARN ARNPrefix accountId type")],
    "recipientAccountId": "text",
    "serviceEventDetails": "json",
    **texts("sharedEventID vpcEndpointId vpcEndpointAccountId eventCategory"),
    "addendum": "json",
    "sessionCredentialFromConsole": "text",
    "edgeDeviceDetails": "json",
    "tlsDetails": texts("tlsVersion cipherSuite clientProvidedHostHeader keyExchange"),
    "eventContext": "json",
    "insightDetails": "json",
    "annotation": "text",
}
FIVE: dict[str, Kind] = {
    "eventTime": "time",
    "eventName": "text",
    "userIdentity": texts("arn"),
    "sourceIPAddress": "text",
    "eventID": "text",
}
NAME: dict[str, Kind] = {"eventName": "text"}
#: What is compared in the columns: the values that are not null, by column.
COUNTED = tuple(name for name, kind in COLUMNS.items() if isinstance(kind, str))
