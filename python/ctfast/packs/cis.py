"""The metric filters of the CIS AWS Foundations Benchmark, section "Monitoring", as AWS Security Hub expects them.

The patterns are those of the AWS Security Hub User Guide, "CloudWatch controls", CloudWatch.1 to CloudWatch.14;
Security Hub has none for 4.15. The numbers of 4.1, 4.2 and 4.15 and the calls of 4.15 are not on AWS's pages.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CONTROLS", "Control"]


class Control(NamedTuple):
    """One control of the benchmark.

    Attributes
    ----------
    name, title : str
        A short name for rules, and what the control looks for.
    pattern : str
        Its CloudWatch Logs filter pattern.
    cis_1_2, cis_1_4 : tuple of str
        Its numbers in versions 1.2.0 and 1.4.0 of the benchmark; empty if it is not in that version.
    security_hub : str or None
        Its id in Security Hub.
    """

    name: str
    title: str
    pattern: str
    cis_1_2: tuple[str, ...] = ()
    cis_1_4: tuple[str, ...] = ()
    security_hub: str | None = None


def _calls(names: str, source: str | None = None) -> str:
    """Return the pattern for some calls; of one service, if their names alone do not identify it."""
    calls = " || ".join(f"($.eventName={name})" for name in names.split())
    return f"{{{calls}}}" if source is None else f"{{($.eventSource={source}) && ({calls})}}"


CONTROLS = (
    Control(
        "root-use",
        "Use of the root user",
        '{$.userIdentity.type="Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType !="AwsServiceEvent"}',
        ("3.3", "1.1"),
        ("4.3", "1.7"),
        "CloudWatch.1",
    ),
    Control(
        "unauthorized-calls",
        "Calls that were not authorized",
        '{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*")}',
        ("3.1",),
        ("4.1",),
        "CloudWatch.2",
    ),
    Control(
        "console-without-mfa",
        "Console sign-in without MFA",
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes")'
        ' && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }',
        ("3.2",),
        ("4.2",),
        "CloudWatch.3",
    ),
    Control(
        "iam-policies",
        "Changes to IAM policies",
        _calls(
            "DeleteGroupPolicy DeleteRolePolicy DeleteUserPolicy PutGroupPolicy PutRolePolicy PutUserPolicy"
            " CreatePolicy "
            "DeletePolicy CreatePolicyVersion DeletePolicyVersion AttachRolePolicy DetachRolePolicy AttachUserPolicy "
            "DetachUserPolicy AttachGroupPolicy DetachGroupPolicy"
        ),
        ("3.4",),
        ("4.4",),
        "CloudWatch.4",
    ),
    Control(
        "cloudtrail",
        "Changes to the configuration of CloudTrail",
        _calls("CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging"),
        ("3.5",),
        ("4.5",),
        "CloudWatch.5",
    ),
    Control(
        "console-failures",
        "Console sign-in that failed",
        '{($.eventName=ConsoleLogin) && ($.errorMessage="Failed authentication")}',
        ("3.6",),
        ("4.6",),
        "CloudWatch.6",
    ),
    Control(
        "kms-keys",
        "Customer managed keys disabled, or scheduled for deletion",
        _calls("DisableKey ScheduleKeyDeletion", "kms.amazonaws.com"),
        ("3.7",),
        ("4.7",),
        "CloudWatch.7",
    ),
    Control(
        "s3-bucket-policies",
        "Changes to the policies of S3 buckets",
        _calls(
            "PutBucketAcl PutBucketPolicy PutBucketCors PutBucketLifecycle PutBucketReplication DeleteBucketPolicy "
            "DeleteBucketCors DeleteBucketLifecycle DeleteBucketReplication",
            "s3.amazonaws.com",
        ),
        ("3.8",),
        ("4.8",),
        "CloudWatch.8",
    ),
    Control(
        "config",
        "Changes to the configuration of AWS Config",
        _calls(
            "StopConfigurationRecorder DeleteDeliveryChannel PutDeliveryChannel PutConfigurationRecorder",
            "config.amazonaws.com",
        ),
        ("3.9",),
        ("4.9",),
        "CloudWatch.9",
    ),
    Control(
        "security-groups",
        "Changes to security groups",
        _calls(
            "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress"
            " RevokeSecurityGroupEgress "
            "CreateSecurityGroup DeleteSecurityGroup"
        ),
        ("3.10",),
        ("4.10",),
        "CloudWatch.10",
    ),
    Control(
        "network-acls",
        "Changes to network access control lists",
        _calls(
            "CreateNetworkAcl CreateNetworkAclEntry DeleteNetworkAcl DeleteNetworkAclEntry ReplaceNetworkAclEntry "
            "ReplaceNetworkAclAssociation"
        ),
        ("3.11",),
        ("4.11",),
        "CloudWatch.11",
    ),
    Control(
        "gateways",
        "Changes to network gateways",
        _calls(
            "CreateCustomerGateway DeleteCustomerGateway AttachInternetGateway CreateInternetGateway "
            "DeleteInternetGateway DetachInternetGateway"
        ),
        ("3.12",),
        ("4.12",),
        "CloudWatch.12",
    ),
    Control(
        "route-tables",
        "Changes to route tables",
        _calls(
            "CreateRoute CreateRouteTable ReplaceRoute ReplaceRouteTableAssociation DeleteRouteTable DeleteRoute "
            "DisassociateRouteTable"
        ),
        ("3.13",),
        ("4.13",),
        "CloudWatch.13",
    ),
    Control(
        "vpcs",
        "Changes to VPCs",
        _calls(
            "CreateVpc DeleteVpc ModifyVpcAttribute AcceptVpcPeeringConnection CreateVpcPeeringConnection "
            "DeleteVpcPeeringConnection RejectVpcPeeringConnection AttachClassicLinkVpc DetachClassicLinkVpc "
            "DisableVpcClassicLink EnableVpcClassicLink"
        ),
        ("3.14",),
        ("4.14",),
        "CloudWatch.14",
    ),
    Control(
        "organizations",
        "Changes to the organization",
        _calls(
            "AcceptHandshake AttachPolicy CreateAccount CreateOrganizationalUnit CreatePolicy DeclineHandshake "
            "DeleteOrganization DeleteOrganizationalUnit DeletePolicy DetachPolicy DisablePolicyType EnablePolicyType "
            "InviteAccountToOrganization LeaveOrganization MoveAccount RemoveAccountFromOrganization UpdatePolicy "
            "UpdateOrganizationalUnit",
            "organizations.amazonaws.com",
        ),
        (),
        ("4.15",),
    ),
)
