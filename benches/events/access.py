"""Shapes of events about access: STS, KMS, IAM, secrets, sign-in."""

from __future__ import annotations

import json
from typing import Any

from .holes import Gson, text
from .record import ABSENT, Scene, shape
from .world import PEOPLE


def _kms(s: Scene, name: str, parameters: dict[str, Any], **fields: Any) -> dict[str, Any]:
    key = s.arn("kms", f"key/{s.pick('keys')}")
    resources = [{"accountId": s.account, "type": "AWS::KMS::Key", "ARN": key}]
    usual: dict[str, Any] = {"requestParameters": parameters, "resources": resources, "order": "usual"}
    return s.event("kms", name, **{**usual, **fields})


@shape(70)
def decrypt_for_s3(s: Scene) -> dict[str, Any]:
    context = {"aws:s3:arn": f"arn:aws:s3:::{s.pick('buckets')}"}
    parameters = {"encryptionContext": context, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    return _kms(
        s,
        "Decrypt",
        parameters,
        additionalEventData={"keyMaterialId": f"{s.rng.getrandbits(256):064x}"},
        **s.through("AWS Internal"),
    )


@shape(36)
def decrypt(s: Scene) -> dict[str, Any]:
    context = {"PARAMETER_ARN": s.arn("ssm", f"parameter/{s.pick('tables')}/~{{word}}/password")}
    return _kms(s, "Decrypt", {"encryptionContext": context, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"})


@shape(32)
def generate_data_key(s: Scene) -> dict[str, Any]:
    parameters = {
        "keySpec": "AES_256",
        "encryptionContext": {"aws:s3:arn": f"arn:aws:s3:::{s.pick('buckets')}/~{{key}}"},
        "keyId": s.arn("kms", f"key/{s.pick('keys')}"),
    }
    return _kms(s, "GenerateDataKey", parameters, **s.by_service("s3.amazonaws.com"))


@shape(9)
def decrypt_other_account(s: Scene) -> dict[str, Any]:
    other = s.other_account()
    identity = {
        "type": "AWSAccount",
        "principalId": f"AROA{text(s.rng, 17)}:{s.rng.choice(PEOPLE)}",
        "accountId": other,
    }
    parameters = {"encryptionContext": {"tenant": "~{uuid}"}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    return _kms(s, "Decrypt", parameters, userIdentity=identity, sharedEventID="~{uuid}", responseElements=None)


@shape(0.4)
def rotate_key(s: Scene) -> dict[str, Any]:
    # A service event has no caller, and its identity has no type.
    service = s.by_service("AWS Internal")
    return _kms(
        s,
        "RotateKey",
        {},
        **{
            **service,
            "userIdentity": {"accountId": s.account, "invokedBy": "AWS Internal"},
            "requestParameters": None,
            "requestID": "~{uuid}",
            "eventType": "AwsServiceEvent",
            "readOnly": False,
            "serviceEventDetails": {
                "rotationType": "AUTOMATIC",
                "keyOrigin": "AWS_KMS",
                "keyId": s.arn("kms", f"key/{s.pick('keys')}"),
            },
        },
    )


def _credentials(size: int = 270) -> dict[str, Any]:
    return {
        "accessKeyId": "ASIA~{id:16}",
        "sessionToken": f"IQoJb3JpZ2luX2VjE~{{b64:{size}}}",
        "expiration": "~{expiry}",
    }


def _assume(s: Scene, name: str, parameters: dict[str, Any], session: str, **fields: Any) -> dict[str, Any]:
    role = s.pick("roles")
    arn = f"arn:aws:iam::{s.account}:role/service/{role}"
    usual: dict[str, Any] = {
        "requestParameters": {"roleArn": arn, "roleSessionName": session, **parameters},
        "responseElements": {
            "credentials": _credentials(),
            "assumedRoleUser": {
                "assumedRoleId": f"AROA{text(s.rng, 17)}:{session}",
                "arn": f"arn:aws:sts::{s.account}:assumed-role/{role}/{session}",
            },
        },
        "resources": [{"accountId": s.account, "type": "AWS::IAM::Role", "ARN": arn}],
        "order": "usual",
    }
    return s.event("sts", name, **{**usual, **fields})


@shape(66)
def assume_role_by_service(s: Scene) -> dict[str, Any]:
    service = s.rng.choice(
        ("ec2", "lambda", "ecs-tasks", "eks", "autoscaling", "config", "guardduty", "states", "glue")
    )
    fields = {**s.by_service(f"{service}.amazonaws.com"), "sharedEventID": "~{uuid}"}
    parameters = {"durationSeconds": 3600} if s.chance(0.5) else {}
    return _assume(
        s, "AssumeRole", parameters, s.pick("functions") if service == "lambda" else s.pick("instances"), **fields
    )


@shape(22)
def assume_role(s: Scene) -> dict[str, Any]:
    tags = [{"key": "team", "value": "~{word}"}, {"key": "ticket", "value": "OPS-~{int:1000:9999}"}]
    parameters = {"durationSeconds": 900, "externalId": "~{uuid}", "sourceIdentity": s.rng.choice(PEOPLE), "tags": tags}
    return _assume(s, "AssumeRole", parameters, f"{s.rng.choice(PEOPLE)}-~{{int:100000:999999@session}}")


@shape(6)
def assume_role_web(s: Scene) -> dict[str, Any]:
    issuer = f"oidc.eks.{s.region}.amazonaws.com/id/{s.pick('keys').replace('-', '').upper()}"
    user = f"system:serviceaccount:{s.rng.choice(('default', 'kube-system', 'apps'))}:{s.pick('functions')}"
    provider = f"arn:aws:iam::{s.account}:oidc-provider/{issuer}"
    event = _assume(
        s,
        "AssumeRoleWithWebIdentity",
        {},
        "botocore-session-~{int:1700000000:1799999999@session}",
        userIdentity={
            "type": "WebIdentityUser",
            "principalId": f"{provider}:sts.amazonaws.com:{user}",
            "userName": user,
            "identityProvider": provider,
        },
        additionalEventData={"identityProviderConnectionVerificationMethod": "IAMTrustStore"},
    )
    event["responseElements"].update(subjectFromWebIdentityToken=user, provider=provider, audience="sts.amazonaws.com")
    return event


@shape(1.5)
def assume_role_saml(s: Scene) -> dict[str, Any]:
    person = f"{s.rng.choice(PEOPLE)}@example.com"
    name = text(s.rng, 22)
    identity = {
        "type": "SAMLUser",
        "principalId": f"{name}=:{person}",
        "userName": person,
        "identityProvider": f"{name}=",
    }
    parameters = {
        "sAMLAssertionID": "_~{uuid}",
        "principalArn": f"arn:aws:iam::{s.account}:saml-provider/corp",
        "durationSeconds": 3600,
    }
    event = _assume(
        s, "AssumeRoleWithSAML", parameters, person, userIdentity=identity, sourceIPAddress=s.session.address
    )
    saml = {
        "issuer": "https://idp.example.com/saml2",
        "audience": "https://signin.aws.amazon.com/saml",
        "nameQualifier": f"{name}=",
    }
    event["responseElements"].update(saml, subjectType="persistent", subject=person)
    return event


@shape(0.8)
def assume_role_denied(s: Scene) -> dict[str, Any]:
    return _assume(
        s, "AssumeRole", {}, "probe", responseElements=None, resources=ABSENT, **s.denied("sts:AssumeRole", s.role())
    )


@shape(14)
def get_caller_identity(s: Scene) -> dict[str, Any]:
    return s.event("sts", "GetCallerIdentity", order="usual")


@shape(24)
def get_secret(s: Scene) -> dict[str, Any]:
    secret = s.arn("secretsmanager", f"secret:{s.pick('tables')}/credentials-a1B2c3")
    return s.event(
        "secretsmanager", "GetSecretValue", requestParameters={"secretId": secret, "versionStage": "AWSCURRENT"}
    )


@shape(0.4)
def end_secret_delete(s: Scene) -> dict[str, Any]:
    secret = s.arn("secretsmanager", f"secret:{s.pick('tables')}/credentials-a1B2c3")
    fields = s.by_service("secretsmanager.amazonaws.com")
    fields["userIdentity"] = {"accountId": s.account, "invokedBy": "secretsmanager.amazonaws.com"}
    name = {"ARN": secret, "Name": f"{s.pick('tables')}/credentials"}
    return s.event(
        "secretsmanager",
        "EndSecretVersionDelete",
        additionalEventData=name,
        requestID=f"SecretDeleteMessage:{secret}:~{{time}}:Forced",
        readOnly=False,
        eventType="AwsServiceEvent",
        **fields,
    )


def _iam(s: Scene, name: str, parameters: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "requestParameters": parameters,
        "awsRegion": "us-east-1",
        "host": "iam.amazonaws.com",
        "order": "usual",
    }
    return s.event("iam", name, **{**usual, **fields})


def policy(s: Scene, *actions: str) -> str:
    """Return a policy as people write it: indented JSON, which a record holds as an escaped string."""
    statement = {
        "Sid": s.pick("functions").replace("-", ""),
        "Effect": "Allow",
        "Action": actions,
        "Resource": [f"arn:aws:s3:::{s.pick('buckets')}/*"],
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2) + "\n"


@shape(22)
def get_role(s: Scene) -> dict[str, Any]:
    return _iam(
        s, s.rng.choice(("GetRole", "ListAttachedRolePolicies", "ListRolePolicies")), {"roleName": s.pick("roles")}
    )


@shape(6)
def get_user(s: Scene) -> dict[str, Any]:
    return _iam(s, "GetUser", {"userName": s.pick("users")})


@shape(1.2)
def create_role(s: Scene) -> dict[str, Any]:
    trust = policy(s, "sts:AssumeRole", "sts:TagSession")
    name = f"{s.pick('roles')}-~{{hex:6@suffix}}"
    role = {
        "path": "/",
        "roleName": name,
        "roleId": "AROA~{id:17}",
        "arn": f"arn:aws:iam::{s.account}:role/{name}",
        "createDate": "~{expiry}",
        "assumeRolePolicyDocument": trust.replace("%", "%25")
        .replace("\n", "%0A")
        .replace(" ", "%20")
        .replace('"', "%22")
        .replace("{", "%7B"),
        "tags": [{"key": "Team", "value": "Zahlungen für Übersee"}, {"key": "cost", "value": "~{int:100:999}"}],
    }
    parameters = {
        "path": "/",
        "roleName": name,
        "description": "Für den Export",
        "assumeRolePolicyDocument": trust,
        "maxSessionDuration": 3600,
    }
    return _iam(s, "CreateRole", parameters, responseElements={"role": role}, readOnly=False)


@shape(1.6)
def put_role_policy(s: Scene) -> dict[str, Any]:
    actions = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "dynamodb:GetItem",
        "dynamodb:Query",
    ]
    document = policy(s, *s.rng.sample(actions, 4))
    return _iam(
        s,
        "PutRolePolicy",
        {"roleName": s.pick("roles"), "policyName": "inline-~{hex:6}", "policyDocument": document},
        readOnly=False,
    )


@shape(0.8)
def create_policy_version(s: Scene) -> dict[str, Any]:
    arn = f"arn:aws:iam::{s.account}:policy/{s.pick('functions')}"
    version = {"versionId": "v~{int:2:5}", "isDefaultVersion": True, "createDate": "~{expiry}"}
    parameters = {
        "policyArn": arn,
        "policyDocument": policy(s, "logs:CreateLogStream", "logs:PutLogEvents"),
        "setAsDefault": True,
    }
    return _iam(s, "CreatePolicyVersion", Gson(parameters), responseElements={"policyVersion": version}, readOnly=False)


@shape(0.5)
def create_access_key(s: Scene) -> dict[str, Any]:
    name = s.pick("users")
    key = {"userName": name, "accessKeyId": "AKIA~{id:16}", "status": "Active", "createDate": "~{expiry}"}
    return _iam(s, "CreateAccessKey", {"userName": name}, responseElements={"accessKey": key}, readOnly=False)


def _sign_in(
    s: Scene, identity: dict[str, Any], response: dict[str, Any] | None, extra: dict[str, Any], **fields: Any
) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "userIdentity": identity,
        "eventVersion": "1.08",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "responseElements": response,
        "additionalEventData": extra,
        "requestID": ABSENT,
        "readOnly": False,
        "eventType": "AwsConsoleSignIn",
        "sessionCredentialFromConsole": ABSENT,
        "host": f"{s.region}.signin.aws.amazon.com",
    }
    return s.event("signin", "ConsoleLogin", order="usual", **{**usual, **fields})


@shape(0.8)
def console_login(s: Scene) -> dict[str, Any]:
    name, user_id = s.rng.choice(s.world.users)
    identity = {
        "type": "IAMUser",
        "principalId": user_id,
        "arn": f"arn:aws:iam::{s.account}:user/{name}",
        "accountId": s.account,
        "userName": name,
    }
    extra = {
        "LoginTo": f"https://{s.region}.console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true&state=hashArgsFromTB_{s.region}_~{{hex:16}}",
        "MobileVersion": "No",
        "MFAIdentifier": f"arn:aws:iam::{s.account}:mfa/{name}",
        "MFAUsed": "Yes",
    }
    return _sign_in(s, identity, {"ConsoleLogin": "Success"}, extra)


@shape(0.3)
def console_login_failed(s: Scene) -> dict[str, Any]:
    identity = {
        "type": "IAMUser",
        "accountId": s.account,
        "accessKeyId": "",
        "userName": "HIDDEN_DUE_TO_SECURITY_REASONS",
    }
    extra = {"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "No"}
    return _sign_in(s, identity, {"ConsoleLogin": "Failure"}, extra, errorMessage="Failed authentication")


@shape(0.1)
def console_login_root(s: Scene) -> dict[str, Any]:
    identity = {
        "type": "Root",
        "principalId": s.account,
        "arn": f"arn:aws:iam::{s.account}:root",
        "accountId": s.account,
        "accessKeyId": "",
    }
    extra = {"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "YES"}
    return _sign_in(s, identity, {"ConsoleLogin": "Success"}, extra)


@shape(0.8)
def identity_center(s: Scene) -> dict[str, Any]:
    store = "arn:aws:identitystore::111122223333:identitystore/d-9067example"
    identity = {
        "type": "IdentityCenterUser",
        "accountId": s.account,
        "onBehalfOf": {"userId": "~{uuid}", "identityStoreArn": store},
        "credentialId": "~{hex:64}",
    }
    parameters = {"maxResults": 100, "nextToken": "~{b64:48}"}
    return s.event("sso", "ListAccountRoles", userIdentity=identity, requestParameters=Gson(parameters), order="late")
