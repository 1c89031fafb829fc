"""What happens in the sample: one day of two accounts, as two tables.

`ROUTINES` is the normal work. A routine has a line `from-to every interval [region]` and, indented, the calls of one
run; `actor>` changes who makes the calls that follow. `MOMENTS` has the sign-ins and the incident. A call reads

    service:Name[#variant] [name=value …] [!Error[%chance]] [<service that calls on behalf] [*times/seconds apart]

where `as=actor` hands the credentials that the call returns to another actor, `to=account` also delivers the event
to the account that owns the resource, `late=minutes` delays the delivery, `in=region` sets the region, and every `#`
in a value is a digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ctfast.sample.calls import GLOBAL_SERVICES
from ctfast.sample.cast import ACTORS, GLOBAL, HOME, Actor, session_start
from ctfast.sample.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DAY = datetime(2025, 3, 12, tzinfo=UTC)

ROUTINES = """
00:30-24:00 every 150m
    ec2-service> sts:AssumeRole#service as=shop-web
    autoscaling> ec2:DescribeInstanceStatus
    elasticloadbalancing:DescribeTargetHealth
06:00-23:00 every 20m
    shop-web> s3:GetObject key=catalogue/item-####.json *3/2
    kms:Decrypt <s3.amazonaws.com
    dynamodb:Query !ThrottlingException%3
    s3:PutObject key=sessions/########.json
00:00-06:00 every 90m
    shop-web> s3:GetObject key=catalogue/item-####.json !NoSuchKey%20
    dynamodb:Query
06:30-22:30 every 40m
    lambda-service> sts:AssumeRole#service as=order-handler
    lambda:Invoke
    order-handler> logs:CreateLogStream
    secretsmanager:GetSecretValue
    kms:Decrypt#secret <secretsmanager.amazonaws.com
    dynamodb:PutItem !ConditionalCheckFailedException%8
00:10-24:00 every 60m
    shop-ssm> ssm:UpdateInstanceInformation
07:30-18:00 every 100m
    github> sts:AssumeRoleWithWebIdentity as=deploy
    deploy> ecr:GetAuthorizationToken
    ecr:BatchCheckLayerAvailability *2/1
    ecr:PutImage
    rds:CreateDBSnapshot
    ecs:RegisterTaskDefinition
    ecs:UpdateService
    lambda:UpdateFunctionCode20150331v2
    ecs:DescribeServices *3/15
    cloudformation:DescribeStacks
    cloudfront:CreateInvalidation
08:10-13:30 every 50m
    alice> cloudwatch:DescribeAlarms
    ec2:DescribeInstances
    ec2:DescribeInstanceStatus
    ec2:DescribeSecurityGroups
    elasticloadbalancing:DescribeTargetHealth
    logs:StartQuery
    health:DescribeEventAggregates
15:10-17:20 every 60m
    alice> cloudwatch:DescribeAlarms
    autoscaling:DescribeAutoScalingGroups
    ec2:DescribeVolumes
    ec2:CreateTags
    route53:ListResourceRecordSets
10:00-17:30 every 150m
    bruno-web> lambda:ListFunctions20150331
    cloudwatch:GetMetricData *2/3
09:20-17:00 every 70m
    bruno-mfa> sts:GetCallerIdentity
    dynamodb:DescribeTable
    logs:DescribeLogGroups
    logs:FilterLogEvents *2/8
    ssm:GetParameter
    kms:Decrypt <ssm.amazonaws.com
    ssm:StartSession !AccessDeniedException%25
09:10-11:30 every 45m
    dana> s3:ListObjects bucket=example-finance
    s3:GetObject bucket=example-finance key=2025/02/invoices-##.csv *3/4
    ce:GetCostAndUsage
01:05-24:00 every 240m
    config> ec2:DescribeVpcs
    ec2:DescribeSecurityGroups
    s3:GetBucketAcl
    s3:GetBucketPolicy !NoSuchBucketPolicy
    config:PutEvaluations
02:10-02:50 every 20m us-east-1
    backup> backup:StartCopyJob
    rds:DescribeDBSnapshots
    kms:GenerateDataKey <rds.amazonaws.com
03:10-03:30 every 20m
    backup> rds:DescribeDBInstances
    rds:DescribeDBSnapshots
04:00-04:05 every 5m
    internal> kms:RotateKey
05:40-22:00 every 320m us-east-1
    trustedadvisor> trustedadvisor:DescribeChecks
    ec2:DescribeVolumes
    iam:GetAccountSummary
    iam:GenerateCredentialReport
    iam:GetCredentialReport
00:40-24:00 every 180m
    auditor> organizations:ListAccounts
    sts:AssumeRole to=111122223333 as=reader
    reader> cloudtrail:GetTrailStatus
    cloudtrail:GetEventSelectors
    iam:ListRoles
    access-analyzer:ListFindings
08:30-16:30 every 130m
    chen-idp> sts:AssumeRoleWithSAML as=chen
    chen> glue:GetTable
    glue:GetPartitions
    athena:StartQueryExecution
    athena:GetQueryExecution *3/4
    athena:GetQueryResults
    s3:PutObject key=athena-results/########.csv <athena.amazonaws.com
    securityhub:GetFindings
01:20-24:00 every 270m
    cloudtrail-service> s3:GetBucketAcl
    kms:GenerateDataKey
    config-security> config:BatchGetResourceConfig
    securityhub> securityhub:BatchImportFindings
06:15-19:00 every 300m us-east-1
    config-security> s3:GetBucketAcl
    securityhub> securityhub:BatchImportFindings
    events-service> sns:Publish
"""

MOMENTS = """
07:58:20 alice-portal signin:UserAuthentication
07:58:27 alice-portal sso:Federate
07:58:31 alice        signin:ConsoleLogin mfa=No
09:00:12 bruno        sts:GetSessionToken as=bruno-mfa
09:41:03 bruno-web    signin:ConsoleLogin mfa=Yes
13:38:41 dana-web     signin:ConsoleLogin#failed mfa=No !#signin *2/24
13:39:30 stranger     signin:ConsoleLogin#failed mfa=No !#unknown
13:41:12 dana-web     signin:ConsoleLogin mfa=No
13:41:39 dana-web     iam:GetAccountSummary !AccessDenied
13:41:40 dana-web     iam:ListAccountAliases !AccessDenied
13:41:52 dana-web     s3:ListBuckets
13:42:08 dana-web     ec2:DescribeInstances !Client.UnauthorizedOperation
13:43:10 dana-web     iam:ListAccessKeys
13:43:26 dana-web     iam:CreateAccessKey as=dana-cli
13:45:02 dana-cli     sts:GetCallerIdentity
13:45:09 dana-cli     iam:GetUser
13:45:14 dana-cli     iam:ListAttachedUserPolicies !AccessDenied
13:45:31 dana-cli     iam:ListUsers !AccessDenied
13:45:38 dana-cli     iam:ListRoles !AccessDenied
13:45:44 dana-cli     iam:GetAccountAuthorizationDetails !AccessDenied
13:46:03 dana-cli     ec2:DescribeRegions !Client.UnauthorizedOperation
13:46:08 dana-cli     ec2:DescribeInstances !Client.UnauthorizedOperation *3/2
13:46:15 dana-cli     ec2:DescribeInstances in=us-east-1 !Client.UnauthorizedOperation *2/2
13:46:21 dana-cli     rds:DescribeDBInstances !AccessDenied
13:46:27 dana-cli     secretsmanager:ListSecrets !AccessDeniedException *2/3
13:46:36 dana-cli     lambda:ListFunctions20150331 !AccessDeniedException
13:46:41 dana-cli     organizations:DescribeOrganization !AccessDeniedException
13:47:00 dana-cli     iam:GetRolePolicy role=deploy !AccessDenied *36/10
13:58:13 dana-cli     iam:CreateUser user=support-svc !AccessDenied
13:58:40 dana-cli     iam:AttachUserPolicy user=dana !AccessDenied
14:02:48 dana-cli     sts:AssumeRole as=dana-reports
14:04:15 dana-reports s3:GetBucketPolicy bucket=example-finance !NoSuchBucketPolicy
14:04:50 dana-reports s3:DeleteBucketPublicAccessBlock bucket=example-finance
14:05:31 dana-reports s3:PutBucketPolicy bucket=example-finance
14:06:10 dana-reports s3:ListObjects bucket=example-finance *2/3
14:06:40 dana-reports s3:GetObject bucket=example-finance key=2025/02/clients-###.csv *38/5
14:10:02 outsider     s3:ListObjects bucket=example-finance to=111122223333
14:10:20 outsider     s3:GetObject bucket=example-finance key=2025/02/clients-###.csv to=111122223333 *14/7
14:14:02 dana-reports s3:DeleteObject bucket=example-finance key=2025/02/clients-###.csv *6/3
14:15:20 dana-reports s3:DeleteBucket bucket=example-finance !BucketNotEmpty
14:15:58 dana-reports s3:DeleteBucket bucket=example-staging late=95
14:18:30 dana-cli     cloudtrail:DescribeTrails
14:18:41 dana-cli     cloudtrail:GetTrailStatus
14:19:05 dana-cli     cloudtrail:StopLogging !AccessDenied
14:19:33 dana-cli     cloudtrail:DeleteTrail !AccessDenied
14:20:02 dana-cli     cloudtrail:PutEventSelectors !AccessDenied
14:20:40 dana-cli     guardduty:ListDetectors !AccessDeniedException
14:20:52 dana-cli     guardduty:DeleteDetector !AccessDeniedException
14:22:37 dana-cli     ec2:RunInstances in=us-east-1 !Client.UnauthorizedOperation *2/6
14:31:20 alice        guardduty:GetFindings
14:32:04 alice        cloudtrail:LookupEvents *4/35
14:36:10 alice        iam:UpdateAccessKey of=dana-cli
14:36:41 alice        iam:DeleteLoginProfile
14:37:30 alice        iam:PutRolePolicy role=finance-reports
14:38:55 alice        s3:DeleteBucketPolicy bucket=example-finance
14:39:20 alice        s3:PutBucketPublicAccessBlock bucket=example-finance
14:40:12 dana-reports s3:GetObject bucket=example-finance key=2025/02/clients.csv !AccessDenied#revoked *4/11
15:02:18 root         signin:ConsoleLogin mfa=Yes
15:02:44 root         iam:GetAccountSummary
15:03:29 root         iam:ListAccessKeys user=dana
"""

BLOCKED = """
11:04:19 kms ListKeys
11:04:20 secretsmanager ListSecrets
14:24:51 ec2 DescribeInstances
14:24:53 cloudtrail DescribeTrails
"""
"""Calls that the policy of a VPC endpoint turned away: the network activity events."""


@dataclass(frozen=True, slots=True)
class Act:
    """One call of the story at its moment.

    Attributes
    ----------
    session
        When the credentials of the actor were issued.
    call, values, error
        The name of the call in `CALLS`, its values, and the name of its error in `ERRORS` or an empty string.
    invoker
        The service that makes the call on the actor's behalf.
    heir
        Who uses the credentials that the call returns.
    dice
        The source of randomness for all other details of the call.
    """

    moment: datetime
    actor: Actor
    session: datetime
    region: str
    call: str
    values: Mapping[str, str]
    error: str
    invoker: str
    heir: Actor | None
    dice: Dice


class Story:
    """The calls of the day, made from the tables.

    Parameters
    ----------
    seed
        Shifts the routine work and changes keys, request ids and event ids; the incident keeps its times.
    """

    def __init__(self, seed: int) -> None:
        """Make the calls of the day that belongs to a seed."""
        self._seed = seed
        self._sessions: dict[str, list[datetime]] = {}
        # the sign-ins come first, for routines use the sessions that they open
        self.acts = [*self._moments(), *self._routines()]

    def _moments(self) -> Iterator[Act]:
        for number, line in enumerate(_lines(MOMENTS)):
            clock, actor, call = line.split(maxsplit=2)
            yield from self._calls(actor, call, at(clock), HOME, Dice(self._seed, "moment", number))

    def _routines(self) -> Iterator[Act]:
        for number, (head, *calls) in enumerate(_paragraphs(ROUTINES)):
            span, _, interval, *region = head.split()
            start, end = map(at, span.split("-"))
            step = 60 * int(interval.removesuffix("m"))
            for run in range(int((end - start).total_seconds()) // step):
                dice = Dice(self._seed, "routine", number, run)
                # jitter of a third of the interval: regular work, but not to the second
                moment = start + timedelta(seconds=run * step + dice.below(step // 3))
                yield from self._run(calls, moment, "".join(region) or HOME, dice)

    def _run(self, calls: list[str], moment: datetime, region: str, dice: Dice) -> Iterator[Act]:
        """Make the calls of one run of a routine, some seconds after each other."""
        actor = ""
        for line in calls:
            who, mark, call = line.strip().rpartition("> ")
            actor = who if mark else actor
            for act in self._calls(actor, call, moment, region, dice):
                moment = act.moment + timedelta(seconds=dice.between(1, 9))
                yield act

    def _calls(self, actor: str, text: str, moment: datetime, region: str, dice: Dice) -> Iterator[Act]:
        """Make one call of the tables, as many times as its line says."""
        call, *words = text.split()
        values: dict[str, str] = {}
        error = invoker = ""
        times, apart = 1, 0
        for word in words:
            match word[0]:
                case "!":
                    code, _, chance = word[1:].partition("%")
                    error = code if dice.below(100) < int(chance or 100) else ""
                case "<":
                    invoker = word[1:]
                case "*":
                    times, apart = map(int, word[1:].split("/"))
                case _:
                    name, _, values[name] = word.partition("=")
        region = values.pop("in", GLOBAL if call.partition(":")[0] in GLOBAL_SERVICES else region)
        heir = values.pop("as", "")
        for turn in range(times):
            if heir:
                self._sessions.setdefault(heir, []).append(moment)
            if call == "signin:ConsoleLogin":
                self._sessions.setdefault(actor, []).append(moment)
            yield Act(
                moment,
                ACTORS[actor],
                self._session(actor, moment),
                region,
                call,
                {name: _digits(value, dice) for name, value in values.items()},
                error,
                invoker,
                ACTORS[heir] if heir else None,
                Dice(self._seed, actor, call, moment, turn),
            )
            moment += timedelta(seconds=dice.between(max(apart - 2, 0), apart + 2))

    def _session(self, actor: str, moment: datetime) -> datetime:
        """Return when the credentials of an actor were issued: handed over by a call, or by its own rhythm."""
        opened = (start for start in self._sessions.get(actor, ()) if start <= moment)
        return max(opened, default=None) or session_start(ACTORS[actor], moment)


def blocked() -> list[tuple[datetime, str, str]]:
    """Return time, service and name of each call that an endpoint policy denied."""
    words = (line.split() for line in _lines(BLOCKED))
    return [(at(clock), service, name) for clock, service, name in words]


def at(clock: str) -> datetime:
    """Return the datetime for a time of the day such as `13:41` or `13:41:12`."""
    hours, minutes, seconds = (*map(int, clock.split(":")), 0)[:3]
    return DAY + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _lines(table: str) -> list[str]:
    return table.strip("\n").split("\n")


def _paragraphs(table: str) -> Iterator[list[str]]:
    """Split a table where a line is not indented."""
    paragraph: list[str] = []
    for line in _lines(table):
        if paragraph and not line.startswith(" "):
            yield paragraph
            paragraph = []
        paragraph.append(line)
    yield paragraph


def _digits(value: str, dice: Dice) -> str:
    return "".join(str(dice.below(10)) if letter == "#" else letter for letter in value)
