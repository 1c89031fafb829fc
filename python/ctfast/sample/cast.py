"""Who acts in the sample: people, roles, services and a stranger, and the `userIdentity` of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ctfast.sample.dice import BASE32, Dice

if TYPE_CHECKING:
    from collections.abc import Mapping

PRODUCTION = "111122223333"
SECURITY = "444455556666"
OUTSIDE = "999988887777"

HOME = "eu-west-1"
GLOBAL = "us-east-1"

BUCKET = "amzn-s3-demo-logging-bucket"
TRAILS: Mapping[str, tuple[str, str]] = {
    PRODUCTION: ("management-events", HOME),
    SECURITY: ("audit_trail.v2", GLOBAL),
}
"""Name and home region of the trail of each account."""

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.0.0"
CLI = "aws-cli/2.24.20 md/awscrt#0.23.8 ua/2.0 os/linux#6.8.0-55-generic lang/python#3.12.9 md/command#$cli"
KALI = "aws-cli/2.17.44 md/awscrt#0.21.2 ua/2.0 os/linux#6.11.2-amd64 md/distrib#kali.2024 md/command#$cli"
BOTO = "Boto3/1.37.9 md/Botocore#1.37.9 os/linux#6.1.129 md/arch#aarch64 lang/python#3.12.9"
JAVA = "aws-sdk-java/2.30.36 Linux/6.1.129-138.220.amzn2023 OpenJDK_64-Bit_Server_VM/21.0.6+7-LTS Java/21.0.6 kotlin"
ACTIONS = "aws-sdk-nodejs-v3-#3.758.0 configure-aws-credentials-for-github-actions"
SSM_AGENT = "aws-sdk-go/1.55.5 (go1.22.12; linux; arm64) amazon-ssm-agent/3.3.1957.0"

PROVIDER = f"arn:aws:iam::{PRODUCTION}:oidc-provider/token.actions.githubusercontent.com"
FUNCTION = f"arn:aws:lambda:{HOME}:{PRODUCTION}:function:order-handler"
REPOSITORY = "repo:example-shop/web:ref:refs/heads/main"
SSO_PATH = "aws-reserved/sso.amazonaws.com/eu-west-1/"


@dataclass(frozen=True, slots=True)
class Actor:
    """One source of calls: an identity that acts from one place with one program.

    Attributes
    ----------
    type
        The `userIdentity.type`, or `""` for an event that a service makes by itself.
    name
        User name, role session name or service principal, depending on the type.
    account
        The account that the identity belongs to.
    address, agent
        `sourceIPAddress` and `userAgent`. An agent's `$cli` becomes the command, as the AWS CLI writes it.
    role
        Path and name of the role of an `AssumedRole`.
    console, mfa
        Whether the session is one of the management console, and whether it was opened with a second factor.
    session
        Hours after which the credentials are renewed; 0 for a long-lived access key.
    endpoint
        The VPC endpoint that the calls pass through.
    context
        Further members of `sessionContext` (or of `userIdentity`, with a leading dot).
    """

    type: str
    name: str
    account: str = PRODUCTION
    address: str = "AWS Internal"
    agent: str = "AWS Internal"
    role: str = ""
    console: bool = False
    mfa: bool = False
    session: int = 0
    endpoint: str = ""
    context: Mapping[str, Any] | None = None


def _service(name: str, account: str = PRODUCTION) -> Actor:
    return Actor("AWSService", name, account, name, name)


def _linked(service: str, role: str, session: str, account: str = PRODUCTION) -> Actor:
    """Return a service that acts through its service-linked role."""
    principal = f"{service}.amazonaws.com"
    context = {".invokedBy": principal}
    role = f"aws-service-role/{principal}/{role}"
    return Actor("AssumedRole", session, account, principal, principal, role, session=6, context=context)


ACTORS: Mapping[str, Actor] = {
    # people
    "alice": Actor(
        "AssumedRole",
        "alice@example.com",
        PRODUCTION,
        "192.0.2.44",
        FIREFOX,
        role=SSO_PATH + "AWSReservedSSO_Operations_5f1c7d90ab3e2468",
        console=True,
        mfa=True,
        session=8,
    ),
    "alice-portal": Actor("IdentityCenterUser", "alice@example.com", PRODUCTION, "192.0.2.44", FIREFOX, mfa=True),
    "bruno": Actor("IAMUser", "bruno", PRODUCTION, "2001:db8:40::17", CLI),
    "bruno-mfa": Actor("IAMUser", "bruno", PRODUCTION, "2001:db8:40::17", CLI, mfa=True, session=12),
    "bruno-web": Actor("IAMUser", "bruno", PRODUCTION, "2001:db8:40::17", CHROME, console=True, mfa=True, session=12),
    "chen-idp": Actor("SAMLUser", "chen@example.com", SECURITY, "192.0.2.61", CHROME),
    "chen": Actor(
        "AssumedRole",
        "chen@example.com",
        SECURITY,
        "192.0.2.61",
        CHROME,
        role="analysts/log-analyst",
        session=4,
        context={"sourceIdentity": "chen"},
    ),
    "dana": Actor("IAMUser", "dana", PRODUCTION, "192.0.2.87", CLI),
    "root": Actor("Root", "", PRODUCTION, "192.0.2.5", FIREFOX, console=True, mfa=True, session=12),
    # programs
    "github": Actor("WebIdentityUser", REPOSITORY, PRODUCTION, "198.51.100.140", ACTIONS),
    "deploy": Actor(
        "AssumedRole",
        "GitHubActions",
        PRODUCTION,
        "198.51.100.140",
        CLI,
        role="deploy",
        session=1,
        context={
            "webIdFederationData": {
                "federatedProvider": PROVIDER,
                "attributes": {},
            }
        },
    ),
    "shop-web": Actor(
        "AssumedRole",
        "i-0a1b2c3d4e5f60718",
        PRODUCTION,
        "10.20.4.31",
        JAVA,
        role="shop-web",
        session=6,
        endpoint="vpce-0f1e2d3c4b5a69788",
        context={"ec2RoleDelivery": "2.0"},
    ),
    "shop-ssm": Actor(
        "AssumedRole",
        "i-0a1b2c3d4e5f60718",
        PRODUCTION,
        "198.51.100.20",
        SSM_AGENT,
        role="shop-web",
        session=6,
        context={"ec2RoleDelivery": "2.0"},
    ),
    "order-handler": Actor(
        "AssumedRole",
        "order-handler",
        PRODUCTION,
        "198.51.100.21",
        BOTO,
        role="service-role/order-handler",
        session=12,
        context={
            ".inScopeOf": {
                "sourceArn": FUNCTION,
                "sourceAccount": PRODUCTION,
                "issuerType": "AWS::Lambda::Function",
                "credentialsIssuedTo": FUNCTION,
            }
        },
    ),
    "auditor": Actor(
        "AssumedRole", "nightly-audit", SECURITY, "198.51.100.77", BOTO, role="audit/collector", session=6
    ),
    "reader": Actor(
        "AssumedRole", "nightly-audit", PRODUCTION, "198.51.100.77", BOTO, role="audit/read-only", session=1
    ),
    # services
    "lambda-service": _service("lambda.amazonaws.com"),
    "ec2-service": _service("ec2.amazonaws.com"),
    "cloudtrail-service": _service("cloudtrail.amazonaws.com", SECURITY),
    "events-service": _service("events.amazonaws.com", SECURITY),
    "autoscaling": _linked("autoscaling", "AWSServiceRoleForAutoScaling", "AutoScaling"),
    "config": _linked("config", "AWSServiceRoleForConfig", "AWSConfig-Describe"),
    "config-security": _linked("config", "AWSServiceRoleForConfig", "AWSConfig-Describe", SECURITY),
    "backup": _linked("backup", "AWSServiceRoleForBackup", "AWSBackup-copy"),
    "securityhub": _linked("securityhub", "AWSServiceRoleForSecurityHub", "securityhub", SECURITY),
    "trustedadvisor": _linked("trustedadvisor", "AWSServiceRoleForTrustedAdvisor", "TrustedAdvisor"),
    "internal": Actor("", "AWS Internal"),
    # the incident
    "stranger": Actor("IAMUser", "HIDDEN_DUE_TO_SECURITY_REASONS", PRODUCTION, "203.0.113.66", CHROME),
    "dana-web": Actor("IAMUser", "dana", PRODUCTION, "203.0.113.66", CHROME, console=True, session=12),
    "dana-cli": Actor("IAMUser", "dana", PRODUCTION, "203.0.113.66", KALI),
    "dana-reports": Actor("AssumedRole", "dana", PRODUCTION, "203.0.113.66", KALI, role="finance-reports", session=1),
    "outsider": Actor("AWSAccount", "copy-job", OUTSIDE, "198.51.100.233", BOTO),
}


def unique_id(prefix: str, *labels: object) -> str:
    """Return an identifier such as `AIDA…EXAMPLE`; the ending shows that it is not real."""
    length = 20 if prefix in {"AKIA", "ASIA"} else 21
    return prefix + Dice(prefix, *labels).text(BASE32, length - len(prefix) - 7) + "EXAMPLE"


def access_key(actor: Actor, session: datetime, seed: int) -> str:
    """Return the access key id that the actor signs with in a session."""
    if actor.session:
        return unique_id("ASIA", seed, actor.account, actor.role, actor.name, session)
    return unique_id("AKIA", seed, actor.account, actor.name, actor.address)


def session_start(actor: Actor, moment: datetime) -> datetime:
    """Return when the credentials in use at a moment were issued, by the actor's own rhythm."""
    if not actor.session:
        return moment
    length = timedelta(hours=actor.session)
    offset = timedelta(seconds=Dice(actor.name, actor.role).below(3600))
    midnight = datetime(moment.year, moment.month, moment.day, tzinfo=UTC) + offset
    return midnight + (moment - midnight) // length * length


def principal_arn(actor: Actor) -> str:
    """Return the ARN of the identity, as in `userIdentity.arn`, or an empty string if it has none."""
    match actor.type:
        case "IAMUser":
            return f"arn:aws:iam::{actor.account}:user/{actor.name}"
        case "Root":
            return f"arn:aws:iam::{actor.account}:root"
        case "AssumedRole":
            return f"arn:aws:sts::{actor.account}:assumed-role/{actor.role.rpartition('/')[2]}/{actor.name}"
    return ""


def identity(actor: Actor, session: datetime, seed: int) -> dict[str, Any]:
    """Return the `userIdentity` of a call that the actor makes within a session."""
    account, name = actor.account, actor.name
    found: dict[str, Any] = {"type": actor.type}
    match actor.type:
        case "":
            found = {"accountId": account, "invokedBy": name}
        case "AWSService":
            found["invokedBy"] = name
        case "AWSAccount":
            found |= {"principalId": unique_id("AIDA", account, name), "accountId": account}
        case "IdentityCenterUser":
            store = f"arn:aws:identitystore::{account}:identitystore/d-9367a1b2c3"
            found["accountId"] = account
            found["onBehalfOf"] = {"userId": Dice(name).uuid(), "identityStoreArn": store}
            found["credentialId"] = Dice(name, session.date(), seed).uuid()
        case "SAMLUser":
            found |= {"principalId": f"JYDQJZM3w5FXG0kQ5ZuL9Xq1m0o=:{name}", "userName": name}
            found["identityProvider"] = "https://idp.example.com/saml2/metadata"
        case "WebIdentityUser":
            found |= {"principalId": f"{PROVIDER}:sts.amazonaws.com:{name}", "userName": name}
            found["identityProvider"] = PROVIDER
        case _:
            found |= _signed_identity(actor, session, seed)
    return found


def _signed_identity(actor: Actor, session: datetime, seed: int) -> dict[str, Any]:
    """Return what identifies a root user, an IAM user or an assumed role, which all sign with an access key."""
    account, name = actor.account, actor.name
    role = actor.role.rpartition("/")[2]
    role_id = unique_id("AROA", account, actor.role)
    found: dict[str, Any] = {
        "principalId": {
            "Root": account,
            "IAMUser": unique_id("AIDA", account, name),
            "AssumedRole": f"{role_id}:{name}",
        }[actor.type],
        "arn": principal_arn(actor),
        "accountId": account,
        "accessKeyId": access_key(actor, session, seed),
    }
    if actor.type == "IAMUser":
        found["userName"] = name
    if actor.session:
        context: dict[str, Any] = {}
        if actor.type == "AssumedRole":
            context["sessionIssuer"] = {
                "type": "Role",
                "principalId": role_id,
                "arn": f"arn:aws:iam::{account}:role/{actor.role}",
                "accountId": account,
                "userName": role,
            }
        extra = actor.context or {}
        context |= {key: value for key, value in extra.items() if not key.startswith(".")}
        mfa = "true" if actor.mfa else "false"
        context["attributes"] = {"creationDate": f"{session:%Y-%m-%dT%H:%M:%SZ}", "mfaAuthenticated": mfa}
        found["sessionContext"] = context
        found |= {key[1:]: value for key, value in extra.items() if key.startswith(".")}
    if "invokedBy" in found:
        del found["accessKeyId"]  # a service that acts through its linked role shows no key
    return found
