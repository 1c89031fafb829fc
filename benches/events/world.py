"""The worlds that events happen in: accounts with their own names, and the sessions that act in them.

Nothing here is real: account numbers, addresses and host names are those reserved for documentation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any
from zlib import crc32

from .holes import text, words

ACCOUNTS = (
    "111122223333",
    "123456789012",
    "210987654321",
    "444455556666",
    "555566667777",
    "666677778888",
    "777788889999",
    "987654321098",
)
REGIONS = ("us-east-1", "eu-central-1", "us-west-2", "ap-southeast-2", "sa-east-1")
# How the events spread: one busy account and one busy region, as in most organisations.
ACCOUNT_WEIGHTS = (30, 18, 14, 12, 10, 8, 5, 3)
REGION_WEIGHTS = (48, 26, 14, 8, 4)

TEAMS = words(
    "payments platform search data-lake mobile billing security observability checkout identity ml-serving shipping"
)
ROLES = words("deploy worker api batch etl reader writer scheduler crawler migrator autoscaler exporter")
PEOPLE = words(
    "alice.keller bob.okafor chloe.martin diego.nunez emma.larsen farid.haddad grace.lin hana.sato ivan.petrov"
    " jurgen.gross",
)

AGENTS = (
    (
        "aws-cli/2.17.22 md/awscrt#0.20.11 ua/2.0 os/linux#6.1.97-104.177.amzn2023.x86_64 md/arch#x86_64"
        " lang/python#3.11.9"
        " md/pyimpl#CPython cfg/retry-mode#standard md/prompt#off md/command#s3.cp"
    ),
    (
        "Boto3/1.34.153 md/Botocore#1.34.153 ua/2.0 os/linux#5.10.219-229.866.amzn2.x86_64 md/arch#x86_64"
        " lang/python#3.12.4"
        " md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.34.153"
    ),
    (
        "Boto3/1.28.62 md/Botocore#1.31.62 ua/2.0 os/linux#6.1.66 md/arch#aarch64 lang/python#3.9.18 md/pyimpl#CPython"
        " exec-env/AWS_Lambda_python3.9 cfg/retry-mode#adaptive Botocore/1.31.62 Resource"
    ),
    (
        "APN/1.0 HashiCorp/1.0 Terraform/1.9.3 (+https://www.terraform.io) terraform-provider-aws/5.60.0"
        " (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5"
        " md/GOARCH#amd64"
        " md/GOOS#linux api/{service}#1.158.0"
    ),
    (
        "aws-sdk-java/2.26.22 Linux/6.1.94-99.176.amzn2023.x86_64 OpenJDK_64-Bit_Server_VM/17.0.11+9-LTS Java/17.0.11"
        " vendor/Amazon.com_Inc. io/async http/NettyNio cfg/retry-mode/standard cfg/auth-source#stat"
    ),
    "aws-sdk-go/1.55.3 (go1.22.5; linux; arm64) amazon-ssm-agent/3.3.484.0",
    (
        "aws-sdk-go-v2/1.30.1 os/linux lang/go#1.22.4 md/GOOS#linux md/GOARCH#amd64 exec-env/AWS_ECS_FARGATE"
        " api/{service}#1.32.1 m/E"
    ),
    (
        "aws-sdk-js/3.616.0 ua/2.1 os/linux#5.10.219 lang/js md/nodejs#20.14.0 md/crt-avail api/{service}#3.616.0"
        " exec-env/AWS_Lambda_nodejs20.x m/E"
    ),
    "karpenter.sh-0.37.0 aws-sdk-go/1.54.18 (go1.22.5; linux; arm64)",
    (
        "[Hadoop 3.3.6-amzn-4, aws-internal/3 aws-sdk-java/1.12.746 Linux/5.10.217-205.860.amzn2.x86_64"
        " OpenJDK_64-Bit_Server_VM/17.0.11+9-LTS java/17.0.11 scala/2.12.17 vendor/Amazon.com_Inc."
        " cfg/retry-mode/standard]"
    ),
)
BROWSERS = (
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"
        " Safari/537.36"
    ),
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"
        " Safari/537.36"
        " Edg/126.0.0.0"
    ),
)


@dataclass(slots=True)
class World:
    """One account in one region, with the names of its resources."""

    account: str
    region: str
    roles: list[tuple[str, str]] = field(default_factory=list)
    buckets: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)
    users: list[tuple[str, str]] = field(default_factory=list)


@cache
def world(seed: int, account: str, region: str) -> World:
    """Return the world of `account` and `region`; the same for every file of one seed."""
    made = World(account, region)
    rng = Random(f"world {seed} {account}")
    for team in rng.sample(TEAMS, 7):
        made.roles += [
            (f"{team}-{role}-{rng.choice(('prod', 'staging', 'dev'))}", "AROA" + text(rng, 17))
            for role in rng.sample(ROLES, 4)
        ]
    made.users = [(person, "AIDA" + text(rng, 17)) for person in rng.sample(PEOPLE, 6)]
    made.buckets = [f"{rng.choice(TEAMS)}-{rng.choice(ROLES)}-{account}-{rng.getrandbits(24):06x}" for _ in range(14)]
    rng = Random(f"world {seed} {account} {region}")
    made.keys = [
        f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-4a11-b0{rng.getrandbits(8):02x}-{rng.getrandbits(48):012x}"
        for _ in range(9)
    ]
    made.functions = [f"{rng.choice(TEAMS)}-{rng.choice(ROLES)}-fn" for _ in range(12)]
    made.tables = [f"{rng.choice(TEAMS)}_{rng.choice(ROLES)}" for _ in range(8)]
    made.instances = [f"i-0{rng.getrandbits(64):016x}" for _ in range(40)]
    made.networks = [f"0{rng.getrandbits(64):016x}" for _ in range(6)]
    return made


def address(rng: Random) -> str:
    """Return a source address: private, public (of the documentation ranges) or IPv6."""
    kind = rng.random()
    last = rng.randrange(1, 255)
    if kind < 0.45:
        return f"10.{rng.randrange(64)}.{rng.randrange(256)}.{last}"
    if kind < 0.95:
        return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{last}"
    return f"2001:db8:{rng.getrandbits(16):x}:{rng.getrandbits(16):x}::{last:x}"


@dataclass(slots=True)
class Session:
    """A session that acts: an identity, an address, a user agent."""

    identity: dict[str, Any]
    address: str
    agent: str
    console: bool = False
    endpoint: str | None = None


def sessions(here: World, rng: Random, count: int) -> list[Session]:
    """Return the `count` sessions that act in one file."""
    makers = (_instance, _workload, _person, _pod, _user, _federated, _lambda)
    return [rng.choices(makers, (24, 20, 13, 10, 22, 2, 9))[0](here, rng) for _ in range(count)]


def assumed(
    here: World, role: str, role_id: str, name: str, key: str, *, path: str = "", **more: object
) -> dict[str, Any]:
    """Return the identity of a session of `role`; `more` goes into its `sessionContext`."""
    created = more.pop("created", "~{ago:3000}")
    context: dict[str, Any] = {
        "sessionIssuer": {
            "type": "Role",
            "principalId": role_id,
            "arn": f"arn:aws:iam::{here.account}:role/{path}{role}",
            "accountId": here.account,
            "userName": role,
        },
        "webIdFederationData": {},
        "attributes": {"creationDate": created, "mfaAuthenticated": more.pop("mfa", "false")},
    }
    context.update(more)
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{name}",
        "arn": f"arn:aws:sts::{here.account}:assumed-role/{role}/{name}",
        "accountId": here.account,
        "accessKeyId": key,
        "sessionContext": context,
    }


def _created(rng: Random) -> str:
    # The creation time of a session is a fixed text here, not a hole.
    return (
        f"2025-06-{rng.randrange(9, 13):02d}T{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}Z"
    )


def _temporary(rng: Random) -> str:
    return "ASIA" + text(rng, 16)


def _instance(here: World, rng: Random) -> Session:
    role, role_id = rng.choice(here.roles)
    name = rng.choice(here.instances)
    identity = assumed(here, role, role_id, name, _temporary(rng), created=_created(rng), ec2RoleDelivery="2.0")
    endpoint = f"vpce-{here.networks[0]}" if rng.random() < 0.3 else None
    return Session(identity, address(rng), rng.choice(AGENTS), endpoint=endpoint)


def _workload(here: World, rng: Random) -> Session:
    role, role_id = rng.choice(here.roles)
    name = f"{rng.choice(TEAMS)}-{rng.getrandbits(32):08x}"
    identity = assumed(here, role, role_id, name, _temporary(rng), created=_created(rng), path="service/")
    if rng.random() < 0.2:
        identity["sessionContext"]["sourceIdentity"] = rng.choice(PEOPLE)
    return Session(identity, address(rng), rng.choice(AGENTS))


def _person(here: World, rng: Random) -> Session:
    access = rng.choice(("AdministratorAccess", "ReadOnlyAccess", "PowerUserAccess"))
    role = f"AWSReservedSSO_{access}_{crc32(here.account.encode()):016x}"
    name = f"{rng.choice(PEOPLE)}@example.com"
    path = f"aws-reserved/sso.amazonaws.com/{here.region}/"
    identity = assumed(
        here, role, f"AROA{text(Random(role), 17)}", name, _temporary(rng), created=_created(rng), path=path
    )
    return Session(identity, address(rng), rng.choice(BROWSERS), console=True)


def _pod(here: World, rng: Random) -> Session:
    role, role_id = rng.choice(here.roles)
    issuer = f"oidc.eks.{here.region}.amazonaws.com/id/{here.keys[0].replace('-', '').upper()}"
    identity = assumed(
        here, role, role_id, f"botocore-session-{rng.randrange(10**9, 2 * 10**9)}", _temporary(rng),
        created=_created(rng),
    )  # fmt: skip
    identity["sessionContext"]["webIdFederationData"] = {
        "federatedProvider": f"arn:aws:iam::{here.account}:oidc-provider/{issuer}",
        "attributes": {},
    }
    return Session(identity, address(rng), rng.choice(AGENTS))


def _lambda(here: World, rng: Random) -> Session:
    role, role_id = rng.choice(here.roles)
    function = rng.choice(here.functions)
    identity = assumed(here, role, role_id, function, _temporary(rng), created=_created(rng))
    arn = f"arn:aws:lambda:{here.region}:{here.account}:function:{function}"
    identity["inScopeOf"] = {
        "sourceArn": arn,
        "sourceAccount": here.account,
        "issuerType": "AWS::Lambda::Function",
        "credentialsIssuedTo": arn,
    }
    return Session(identity, address(rng), rng.choice(AGENTS))


def _user(here: World, rng: Random) -> Session:
    name, user_id = rng.choice(here.users)
    identity: dict[str, Any] = {
        "type": "IAMUser",
        "principalId": user_id,
        "arn": f"arn:aws:iam::{here.account}:user/{name}",
        "accountId": here.account,
        "accessKeyId": "AKIA" + text(rng, 16),
        "userName": name,
    }
    console = rng.random() < 0.4
    if console:
        identity["accessKeyId"] = _temporary(rng)
        identity["sessionContext"] = {
            "sessionIssuer": {},
            "webIdFederationData": {},
            "attributes": {"creationDate": _created(rng), "mfaAuthenticated": "true"},
        }
    return Session(identity, address(rng), rng.choice(BROWSERS if console else AGENTS), console=console)


def _federated(here: World, rng: Random) -> Session:
    name, user_id = rng.choice(here.users)
    identity = {
        "type": "FederatedUser",
        "principalId": f"{here.account}:{name}",
        "arn": f"arn:aws:sts::{here.account}:federated-user/{name}",
        "accountId": here.account,
        "accessKeyId": _temporary(rng),
        "sessionContext": {
            "attributes": {"creationDate": _created(rng), "mfaAuthenticated": "false"},
            "sessionIssuer": {
                "type": "IAMUser",
                "principalId": user_id,
                "arn": f"arn:aws:iam::{here.account}:user/{name}",
                "accountId": here.account,
                "userName": name,
            },
        },
    }
    return Session(identity, address(rng), rng.choice(AGENTS))
