"""Event patterns of the kind that Sigma's rules for CloudTrail are: 87 of them, always the same.

Such a rule names a service and a few of its calls that change something, and often one thing more: a part of a
parameter or of the user agent, an error or that there was none, who called. Most watch for rare calls. Here one in
three, and those about parameters, watch for calls that the corpus has, so that the rest of the rule is evaluated, too.
"""

from __future__ import annotations

import random
from typing import Any

RULES = 87
# Calls that detection rules watch for, and the corpus lacks.
WATCHED = {
    "cloudtrail": ["StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"],
    "config": ["DeleteConfigRule", "DeleteDeliveryChannel", "StopConfigurationRecorder"],
    "ec2": [
        "CreateSnapshot",
        "DisableEbsEncryptionByDefault",
        "ModifySnapshotAttribute",
        "ReplaceRoute",
        "ImportKeyPair",
    ],
    "ecs": ["RegisterTaskDefinition", "RunTask"],
    "eks": ["CreateCluster", "DeleteCluster", "AssociateAccessPolicy"],
    "guardduty": ["CreateIPSet", "DeleteDetector", "DeleteMembers", "UpdateDetector"],
    "iam": [
        "AddUserToGroup",
        "AttachUserPolicy",
        "CreateLoginProfile",
        "DeactivateMFADevice",
        "UpdateAssumeRolePolicy",
    ],
    "kms": ["DisableKey", "ImportKeyMaterial", "PutKeyPolicy", "ScheduleKeyDeletion"],
    "lambda": ["AddPermission20150331v2", "UpdateFunctionCode20150331v2", "UpdateFunctionConfiguration20150331v2"],
    "logs": ["DeleteLogGroup", "DeleteLogStream"],
    "rds": ["DeleteDBCluster", "ModifyDBInstance", "RestoreDBInstanceFromDBSnapshot"],
    "s3": ["PutBucketAcl", "PutBucketLogging", "PutBucketPolicy", "PutBucketReplication"],
    "securityhub": ["BatchUpdateFindings", "DeleteInsight", "UpdateFindings"],
    "sts": ["GetFederationToken", "GetSessionToken"],
}
# Calls of the corpus, with what rules look for in their members.
MEMBERS: dict[str, list[tuple[str, list[str]]]] = {
    "AssumeRole": [("requestParameters.roleArn", ["admin", "Break-Glass", "OrganizationAccount"])],
    "AuthorizeSecurityGroupIngress": [
        ("requestParameters.ipPermissions.items.ipRanges.items.cidrIp", ["0.0.0.0/0"]),
        ("requestParameters.ipPermissions.items.ipProtocol", ["-1", "icmp"]),
    ],
    "CreatePolicyVersion": [("requestParameters.policyDocument", ['"Action":"*"', "iam:PassRole"])],
    "CreateRole": [("requestParameters.assumeRolePolicyDocument", [":root", "sts:TagSession", '"AWS":"*"'])],
    "Decrypt": [("requestParameters.encryptionContext.PARAMETER_ARN", ["parameter/prod", "/password"])],
    "DescribeInstances": [("requestParameters.filterSet.items.name", ["iam-instance-profile", "ip-address"])],
    "GetObject": [("requestParameters.key", [".tfstate", "credentials", ".aws/", ".pem", "backup"])],
    "GetParameter": [("requestParameters.name", ["password", "secret", "/key"])],
    "GetSecretValue": [("requestParameters.secretId", ["rds!", "root", "master"])],
    "ListBuckets": [("requestParameters.Host", ["s3.cn-"])],
    "PutObject": [
        ("requestParameters.key", [".encrypted", "ransom", "README.txt", "HOW-TO"]),
        ("requestParameters.x-amz-server-side-encryption-customer-algorithm", ["AES"]),
    ],
    "PutRolePolicy": [("requestParameters.policyDocument", ["sts:AssumeRole", "s3:*", "iam:*"])],
    "RunInstances": [("requestParameters.instanceType", ["p4d.", "p5.", "metal", "x2"])],
    "StartQuery": [("requestParameters.queryString", ["password", "accessKeyId"])],
    "UpdateInstanceInformation": [("requestParameters.computerName", ["kali", "parrot"])],
}
AGENTS = ["kali", "parrot", "pacu", "ScoutSuite", "prowler", "trufflehog", "CloudFox", "S3 Browser", "rclone"]
READING = ("BatchGet", "Decrypt", "Describe", "GenerateDataKey", "Get", "Head", "List", "Query", "Scan")
ABSENT = [{"exists": False}]
ESCAPED = "\\*"  # a star itself, within a wildcard
ERRORS = ["AccessDenied", "Client.UnauthorizedOperation", "Client.DryRunOperation", "AccessDeniedException"]


def patterns(calls: list[tuple[str, str]]) -> dict[str, Any]:
    """Return the event patterns for a corpus with these `calls`, sources and names, by the names of the rules."""
    choose = random.Random(20261130)
    known = {name: source for source, name in calls}
    changing = [(source, name) for source, name in calls if not name.startswith(READING)]
    telling = [(known[name], name, *members) for name, found in MEMBERS.items() if name in known for members in found]
    return {f"sigma-{number:02}": {"detail": _rule(choose, number, changing, telling)} for number in range(RULES)}


def _rule(
    choose: random.Random,
    number: int,
    calls: list[tuple[str, str]],
    telling: list[tuple[str, str, str, list[str]]],
) -> dict[str, Any]:
    rule = _call(choose, number, calls)
    match number % 29:
        case 0:  # a tool, whatever it calls
            rule = {"userAgent": _contains(choose.sample(AGENTS, 3))}
        case 1:  # the root user, but not AWS on its behalf
            rule = {"eventType": [{"anything-but": ["AwsServiceEvent"]}]}
            rule["userIdentity"] = {"type": ["Root"], "invokedBy": ABSENT}
        case 2:  # refused, and called from within a role
            rule |= {"errorCode": choose.sample(ERRORS, 3), "userIdentity": {"arn": _contains([":assumed-role/"])}}
        case 3:  # a sign-in
            rule = {"eventSource": ["signin.amazonaws.com"], "eventName": ["ConsoleLogin"]}
            rule |= {"additionalEventData": {"MFAUsed": ["No"]}, "responseElements": {"ConsoleLogin": ["Success"]}}
        case 4 | 5 | 6 | 7 | 8:  # a call that succeeded
            rule |= {"errorCode": ABSENT, "errorMessage": ABSENT}
        case 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16:  # with something in its parameters
            source, name, path, parts = choose.choice(telling)
            wanted: Any = _contains(choose.sample(parts, min(2, len(parts))))
            for key in reversed(path.split(".")):
                wanted = {key: wanted}
            rule = {"eventSource": [source], "eventName": [name], **wanted}
        case 17:  # without something in its parameters
            rule |= {"requestParameters": {"permissionsBoundary": ABSENT}}
        case 18:  # by a user, rather than a role or a service
            without_mfa = {"attributes": {"mfaAuthenticated": ["false"]}}
            rule |= {"userIdentity": {"type": ["IAMUser"], "sessionContext": without_mfa}}
    return rule


def _call(choose: random.Random, number: int, calls: list[tuple[str, str]]) -> dict[str, Any]:
    """Return a service and one to three of its calls."""
    if number % 3 == 0:
        source, _ = choose.choice(calls)
        names = [name for known, name in calls if known == source]
    else:
        service = choose.choice(list(WATCHED))
        source, names = f"{service}.amazonaws.com", WATCHED[service]
    few = choose.sample(names, choose.randint(1, min(3, len(names))))
    return {"eventSource": [source], "eventName": sorted(few)}


def _contains(parts: list[str]) -> list[dict[str, str]]:
    return [{"wildcard": f"*{part.replace('*', ESCAPED)}*"} for part in parts]
