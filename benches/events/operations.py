"""Shapes of events about operations: logs, metrics, parameters, stacks; and the kinds that have files of their own."""

from __future__ import annotations

from typing import Any

from .holes import Gson, text
from .record import ABSENT, Scene, shape


@shape(26)
def create_log_stream(s: Scene) -> dict[str, Any]:
    group = f"/aws/lambda/{s.pick('functions')}"
    parameters = {"logGroupName": group, "logStreamName": "2025/06/12/[$LATEST]~{hex:32}"}
    return s.event("logs", "CreateLogStream", requestParameters=parameters, apiVersion="20140328", readOnly=False)


@shape(10)
def describe_log_groups(s: Scene) -> dict[str, Any]:
    parameters = {"logGroupNamePrefix": f"/aws/lambda/{s.pick('functions')}", "limit": "~{#int:1:50}"}
    return s.event("logs", "DescribeLogGroups", requestParameters=Gson(parameters), apiVersion="20140328")


@shape(4)
def start_query(s: Scene) -> dict[str, Any]:
    query = (
        "fields @timestamp, @message | filter status >= 500 and path != '/health' | sort @timestamp desc | limit 200"
    )
    parameters = {
        "logGroupName": f"/ecs/{s.pick('tables')}",
        "startTime": "~{#epoch}",
        "endTime": "~{#epoch}",
        "queryString": query,
        "limit": "~{#exponent}",
    }
    return s.event(
        "logs",
        "StartQuery",
        requestParameters=Gson(parameters),
        responseElements={"queryId": "~{uuid}"},
        readOnly=False,
    )


@shape(11)
def put_metric_data_error(s: Scene) -> dict[str, Any]:
    namespace = f"Custom/{s.pick('tables')}"
    data = [
        {
            "metricName": "latency",
            "value": "~{#float:900}",
            "unit": "Milliseconds",
            "dimensions": [{"name": "host", "value": s.pick("instances")}],
        },
        {"metricName": "count", "value": "~{#int:1:900}", "unit": "Count", "dimensions": []},
    ]
    error = s.denied("cloudwatch:PutMetricData", "*")
    return s.event(
        "monitoring",
        "PutMetricData",
        requestParameters={"namespace": namespace, "metricData": data},
        readOnly=False,
        **error,
    )


@shape(10)
def describe_alarms(s: Scene) -> dict[str, Any]:
    return s.event(
        "monitoring",
        "DescribeAlarms",
        requestParameters={"alarmNamePrefix": s.pick("tables"), "maxRecords": 100},
        apiVersion="2010-08-01",
    )


@shape(26)
def get_parameter(s: Scene) -> dict[str, Any]:
    name = f"/{s.pick('tables')}/~{{word@first}}/~{{word@second}}"
    resources = [{"accountId": s.account, "ARN": s.arn("ssm", f"parameter{name}")}]
    return s.event(
        "ssm",
        "GetParameter",
        requestParameters={"name": name, "withDecryption": True},
        resources=resources,
        order="usual",
    )


@shape(36)
def update_instance_information(s: Scene) -> dict[str, Any]:
    parameters = {
        "instanceId": s.pick("instances"),
        "agentVersion": "3.3.484.0",
        "agentStatus": "Active",
        "platformType": "Linux",
        "platformName": "Amazon Linux",
        "platformVersion": "2023",
        "iPAddress": f"10.0.{s.rng.randrange(256)}.{s.rng.randrange(256)}",
        "computerName": f"ip-10-0-0-1.{s.region}.compute.internal",
        "agentName": "amazon-ssm-agent",
        "availabilityZone": f"{s.region}a",
        "availabilityZoneId": "use1-az4",
        "sSMConnectionChannel": "ssmmessages",
    }
    agent = "aws-sdk-go/1.55.3 (go1.22.5; linux; arm64) amazon-ssm-agent/3.3.484.0"
    return s.event(
        "ssm", "UpdateInstanceInformation", requestParameters=parameters, userAgent=agent, readOnly=False, order="usual"
    )


@shape(14)
def open_data_channel(s: Scene) -> dict[str, Any]:
    parameters = {"sessionId": "~{word}-0~{hex:16}", "requestId": "~{uuid}"}
    response = {
        "tokenValue": "HIDDEN_DUE_TO_SECURITY_REASONS",
        "streamUrl": f"wss://ssmmessages.{s.region}.amazonaws.com/v1/data-channel/~{{uuid}}",
    }
    return s.event(
        "ssmmessages",
        "OpenDataChannel",
        requestParameters=parameters,
        responseElements=response,
        readOnly=False,
        order="sorted",
    )


@shape(8)
def describe_stacks(s: Scene) -> dict[str, Any]:
    return s.event(
        "cloudformation",
        "DescribeStacks",
        requestParameters={"stackName": s.arn("cloudformation", f"stack/{s.pick('functions')}/~{{uuid}}")},
    )


@shape(9)
def get_resources(s: Scene) -> dict[str, Any]:
    parameters = {
        "paginationToken": "",
        "resourcesPerPage": 100,
        "tagFilters": [{"key": "team", "values": ["~{word}", "~{word}"]}],
    }
    parameters["resourceTypeFilters"] = ["ec2:instance", "rds:db", "s3", "lambda:function"]
    return s.event("tagging", "GetResources", requestParameters=parameters)


@shape(7)
def put_evaluations(s: Scene) -> dict[str, Any]:
    evaluation = {
        "complianceResourceType": "AWS::S3::Bucket",
        "complianceResourceId": s.pick("buckets"),
        "complianceType": "COMPLIANT",
    }
    evaluation["orderingTimestamp"] = "~{time}"
    parameters = {"resultToken": "~{b64:90}", "evaluations": [evaluation], "testMode": False}
    response: dict[str, Any] = {"failedEvaluations": []}
    fields = s.through("config.amazonaws.com")
    return s.event(
        "config", "PutEvaluations", requestParameters=parameters, responseElements=response, readOnly=False, **fields
    )


@shape(8)
def describe_health(s: Scene) -> dict[str, Any]:
    parameters = {
        "filter": {"eventStatusCodes": ["open", "upcoming"], "startTimes": [{"from": "~{expiry}"}]},
        "aggregateField": "eventTypeCategory",
    }
    return s.event(
        "health",
        "DescribeEventAggregates",
        requestParameters=parameters,
        eventVersion="1.05",
        managementEvent=ABSENT,
        eventCategory=ABSENT,
    )


@shape(5)
def cost_and_usage(s: Scene) -> dict[str, Any]:
    parameters = {
        "TimePeriod": {"Start": "2025-06-01", "End": "2025-06-12"},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost"],
        "NextPageToken": "~{b64:60}",
    }
    return s.event("ce", "GetCostAndUsage", requestParameters=Gson(parameters), awsRegion="us-east-1", order="old")


@shape(5)
def start_build(s: Scene) -> dict[str, Any]:
    project = s.pick("functions")
    build = {
        "arn": s.arn("codebuild", f"build/{project}:~{{uuid@build}}"),
        "buildNumber": "~{#int:1:9000}",
        "buildStatus": "IN_PROGRESS",
        "phases": [
            {"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED", "durationInSeconds": 0},
            {"phaseType": "QUEUED"},
        ],
        "cache": {"type": "NO_CACHE"},
        "timeoutInMinutes": 60,
        "initiator": "codepipeline/release",
        "logs": {
            "cloudWatchLogs": {"status": "ENABLED"},
            "s3Logs": {"status": "DISABLED", "encryptionDisabled": False},
        },
        "id": f"{project}:~{{uuid@build}}",
    }
    parameters = {"projectName": project, "sourceVersion": "~{hex:40}"}
    fields = s.through("codepipeline.amazonaws.com")
    return s.event(
        "codebuild",
        "StartBuild",
        requestParameters=parameters,
        responseElements={"build": build},
        readOnly=False,
        **fields,
    )


@shape(0)
def delivered_late(s: Scene) -> dict[str, Any]:
    addendum = {"reason": "DELIVERY_DELAY", "updatedFields": "", "originalRequestID": "", "originalEventID": ""}
    return {**get_parameter(s), "eventTime": "~{ago:40000}", "addendum": addendum}


@shape(0)
def network_activity(s: Scene) -> dict[str, Any]:
    # It has files of its own kind, and lacks many of the usual keys.
    return {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AWSAccount",
            "principalId": f"AROA{text(s.rng, 17)}:{s.pick('functions')}",
            "accountId": s.other_account(),
        },
        "eventTime": "~{time}",
        "eventSource": "kms.amazonaws.com",
        "eventName": s.rng.choice(("ListKeys", "Decrypt", "DescribeKey")),
        "awsRegion": s.region,
        "sourceIPAddress": "~{private}",
        "errorCode": "VpceAccessDenied",
        "errorMessage": "The request was denied due to a VPC endpoint policy",
        "requestID": "~{uuid}",
        "eventID": "~{uuid}",
        "eventType": "AwsVpceEvent",
        "recipientAccountId": s.account,
        "sharedEventID": "~{uuid}",
        "vpcEndpointId": f"vpce-{s.pick('networks')}",
        "vpcEndpointAccountId": s.account,
        "eventCategory": "NetworkActivity",
    }


@shape(0)
def insight(s: Scene) -> dict[str, Any]:
    statistics = {
        "baseline": {"average": "~{#float:2}"},
        "insight": {"average": "~{#float:90}"},
        "insightDuration": "~{#int:1:30}",
        "baselineDuration": "~{#int:10080:11400}",
    }
    who = f"arn:aws:sts::{s.account}:assumed-role/{s.pick('roles')}"
    attributions = [
        {
            "attribute": "userIdentityArn",
            "insight": [{"value": who, "average": "~{#float:90}"}],
            "baseline": [{"value": who, "average": "~{#float:2}"}],
        },
        {
            "attribute": "userAgent",
            "insight": [{"value": s.session.agent, "average": "~{#float:90}"}],
            "baseline": [{"value": s.session.agent, "average": "~{#float:2}"}],
        },
        {
            "attribute": "errorCode",
            "insight": [{"value": "null", "average": "~{#float:90}"}],
            "baseline": [{"value": "null", "average": "~{#float:2}"}],
        },
    ]
    return {
        "eventVersion": "1.08",
        "eventTime": "~{time}",
        "awsRegion": s.region,
        "eventID": "~{uuid}",
        "eventType": "AwsCloudTrailInsight",
        "recipientAccountId": s.account,
        "sharedEventID": "~{uuid}",
        "insightDetails": {
            "state": s.rng.choice(("Start", "End")),
            "eventSource": "ec2.amazonaws.com",
            "eventName": "RunInstances",
            "insightType": "ApiCallRateInsight",
            "insightContext": {"statistics": statistics, "attributions": attributions},
        },
        "eventCategory": "Insight",
    }
