"""Shapes of events about compute: EC2, containers, databases."""

from __future__ import annotations

from typing import Any

from .record import Scene, shape


def _ec2(s: Scene, name: str, parameters: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    return s.event("ec2", name, requestParameters=parameters, order=fields.pop("order", "usual"), **fields)


def _filters(**wanted: str) -> dict[str, Any]:
    items = [
        {"name": name.replace("_", "-"), "valueSet": {"items": [{"value": value}]}} for name, value in wanted.items()
    ]
    return {"filterSet": {"items": items}}


@shape(46)
def describe_instances(s: Scene) -> dict[str, Any]:
    if s.chance(0.5):
        items = [{"instanceId": s.rng.choice(s.world.instances)} for _ in range(s.rng.randrange(1, 6))]
        return _ec2(s, "DescribeInstances", {"instancesSet": {"items": items}, "filterSet": {}})
    return _ec2(
        s,
        "DescribeInstances",
        {"maxResults": 1000, "instancesSet": {}, **_filters(instance_state_name="running", tag_Name="~{word}")},
    )


@shape(30)
def describe_network(s: Scene) -> dict[str, Any]:
    name, key = s.rng.choice(
        (
            ("DescribeRouteTables", "routeTableIdSet"),
            ("DescribeSubnets", "subnetSet"),
            ("DescribeSecurityGroups", "securityGroupSet"),
        )
    )
    return _ec2(s, name, {key: {}, **_filters(vpc_id=f"vpc-{s.pick('networks')}", tag_env="~{word}")})


@shape(34)
def describe_interfaces(s: Scene) -> dict[str, Any]:
    parameters = {"networkInterfaceIdSet": {}, **_filters(attachment_instance_id=s.pick("instances"), status="in-use")}
    return _ec2(s, "DescribeNetworkInterfaces", parameters)


@shape(20)
def describe_volumes(s: Scene) -> dict[str, Any]:
    return _ec2(
        s,
        "DescribeVolumes",
        {"maxResults": 500, "volumeSet": {}, **_filters(attachment_instance_id=s.pick("instances"))},
    )


@shape(12)
def describe_images(s: Scene) -> dict[str, Any]:
    parameters = {
        "executableBySet": {},
        "imagesSet": {},
        "ownersSet": {"items": [{"owner": "amazon"}, {"owner": "self"}]},
    }
    return _ec2(s, "DescribeImages", {**parameters, **_filters(name="al2023-ami-2023*", architecture="arm64")})


@shape(9)
def describe_throttled(s: Scene) -> dict[str, Any]:
    error = {"errorCode": "Client.RequestLimitExceeded", "errorMessage": "Request limit exceeded."}
    return _ec2(
        s, "DescribeInstanceStatus", {"instancesSet": {}, "filterSet": {}, "includeAllInstances": False}, **error
    )


def _instance(s: Scene, kind: str) -> dict[str, Any]:
    network = s.pick("networks")
    return {
        "instanceId": "i-0~{hex:16@instance}",
        "imageId": f"ami-{network}",
        "currentInstanceBootMode": "uefi",
        "instanceState": {"code": 0, "name": "pending"},
        "privateDnsName": f"ip-10-0-1-~{{int:4:250@octet}}.{s.region}.compute.internal",
        "amiLaunchIndex": 0,
        "productCodes": {},
        "instanceType": kind,
        "launchTime": "~{#millis@now}",
        "placement": {"availabilityZone": f"{s.region}a", "tenancy": "default"},
        "monitoring": {"state": "pending"},
        "subnetId": f"subnet-{network}",
        "vpcId": f"vpc-{network}",
        "privateIpAddress": "10.0.1.~{int:4:250@octet}",
        "stateReason": {"code": "pending", "message": "pending"},
        "architecture": "arm64",
        "rootDeviceType": "ebs",
        "rootDeviceName": "/dev/xvda",
        "blockDeviceMapping": {},
        "virtualizationType": "hvm",
        "hypervisor": "xen",
        "tagSet": {
            "items": [
                {"key": "Name", "value": s.pick("functions")},
                {"key": "aws:autoscaling:groupName", "value": s.pick("tables")},
            ]
        },
        "clientToken": "~{uuid@token}",
        "groupSet": {"items": [{"groupId": f"sg-{network}", "groupName": "default"}]},
        "sourceDestCheck": True,
        "networkInterfaceSet": {
            "items": [
                {
                    "networkInterfaceId": "eni-0~{hex:16}",
                    "subnetId": f"subnet-{network}",
                    "vpcId": f"vpc-{network}",
                    "ownerId": s.account,
                    "status": "in-use",
                    "macAddress": "02:~{hex:2}:~{hex:2}:~{hex:2}:~{hex:2}:~{hex:2}",
                    "privateIpAddress": "10.0.1.~{int:4:250@octet}",
                    "sourceDestCheck": True,
                    "interfaceType": "interface",
                    "groupSet": {"items": [{"groupId": f"sg-{network}", "groupName": "default"}]},
                    "attachment": {
                        "attachmentId": "eni-attach-0~{hex:16}",
                        "deviceIndex": 0,
                        "networkCardIndex": 0,
                        "status": "attaching",
                        "attachTime": "~{#millis@now}",
                        "deleteOnTermination": True,
                    },
                    "privateIpAddressesSet": {
                        "item": [{"privateIpAddress": "10.0.1.~{int:4:250@octet}", "primary": True}]
                    },
                    "ipv6AddressesSet": {},
                    "tagSet": {},
                },
            ],
        },
        "iamInstanceProfile": {
            "arn": f"arn:aws:iam::{s.account}:instance-profile/{s.pick('roles')}",
            "id": "AIPA~{id:17}",
        },
        "ebsOptimized": False,
        "enaSupport": True,
        "cpuOptions": {"coreCount": 2, "threadsPerCore": 1},
        "capacityReservationSpecification": {"capacityReservationPreference": "open"},
        "enclaveOptions": {"enabled": False},
        "metadataOptions": {
            "state": "pending",
            "httpTokens": "required",
            "httpPutResponseHopLimit": 2,
            "httpEndpoint": "enabled",
        },
        "maintenanceOptions": {"autoRecovery": "default"},
        "privateDnsNameOptions": {
            "hostnameType": "ip-name",
            "enableResourceNameDnsARecord": False,
            "enableResourceNameDnsAAAARecord": False,
        },
    }


@shape(3)
def run_instances(s: Scene) -> dict[str, Any]:
    kind = s.rng.choice(("t4g.medium", "m7g.large", "c7g.2xlarge", "r7g.xlarge"))
    parameters = {
        "instancesSet": {"items": [{"imageId": f"ami-{s.pick('networks')}", "minCount": 1, "maxCount": 1}]},
        "userData": "<sensitiveDataRemoved>",
        "instanceType": kind,
        "blockDeviceMapping": {
            "items": [{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 80, "volumeType": "gp3", "encrypted": True}}]
        },
        "monitoring": {"enabled": True},
        "disableApiTermination": False,
        "clientToken": "~{uuid@token}",
        "tagSpecificationSet": {
            "items": [{"resourceType": "instance", "tags": [{"key": "Name", "value": s.pick("functions")}]}]
        },
    }
    response = {
        "requestId": "~{uuid@request}",
        "reservationId": "r-0~{hex:16}",
        "ownerId": s.account,
        "groupSet": {},
        "instancesSet": {"items": [_instance(s, kind)]},
        "requesterId": "AIDAEXAMPLE",
    }
    return _ec2(s, "RunInstances", parameters, responseElements=response, readOnly=False)


@shape(4)
def terminate_instances(s: Scene) -> dict[str, Any]:
    parameters = {"instancesSet": {"items": [{"instanceId": "i-0~{hex:16@instance}"}]}}
    change = {"instanceId": "i-0~{hex:16@instance}", "currentState": {"code": 32, "name": "shutting-down"}}
    change["previousState"] = {"code": 16, "name": "running"}
    response = {"requestId": "~{uuid@request}", "instancesSet": {"items": [change]}}
    return _ec2(
        s,
        "TerminateInstances",
        parameters,
        responseElements=response,
        readOnly=False,
        **s.through("autoscaling.amazonaws.com"),
    )


@shape(11)
def create_tags(s: Scene) -> dict[str, Any]:
    tags = [
        {"key": "Name", "value": "~{word}-~{int:1:99}"},
        {"key": "Größe", "value": "klein – für Tests"},  # noqa: RUF001 — as people write
        {"key": "owner", "value": "platform"},
    ]
    parameters = {"resourcesSet": {"items": [{"resourceId": "vol-0~{hex:16}"}]}, "tagSet": {"items": tags}}
    return _ec2(
        s, "CreateTags", parameters, responseElements={"requestId": "~{uuid@request}", "_return": True}, readOnly=False
    )


@shape(18)
def create_interface(s: Scene) -> dict[str, Any]:
    subnet = f"subnet-{s.pick('networks')}"
    parameters = {
        "subnetId": subnet,
        "description": f"AWS Lambda VPC ENI-{s.pick('functions')}-~{{uuid@description}}",
        "groupSet": {"items": []},
    }
    face = {
        "networkInterfaceId": "eni-0~{hex:16}",
        "subnetId": subnet,
        "ownerId": s.account,
        "status": "pending",
        "requesterManaged": False,
    }
    face.update(
        macAddress="02:~{hex:2}:~{hex:2}:~{hex:2}:~{hex:2}:~{hex:2}",
        privateIpAddress="~{private}",
        availabilityZone=f"{s.region}b",
    )
    response = {"requestId": "~{uuid@request}", "networkInterface": face}
    return _ec2(
        s,
        "CreateNetworkInterface",
        parameters,
        responseElements=response,
        readOnly=False,
        **s.through("lambda.amazonaws.com"),
    )


@shape(0.7)
def authorize_ingress(s: Scene) -> dict[str, Any]:
    ranges = {
        "items": [{"cidrIp": "203.0.113.0/24", "description": "office <-> vpn & partners"}, {"cidrIp": "0.0.0.0/0"}]
    }
    permission = {
        "ipProtocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
        "groups": {},
        "ipRanges": ranges,
        "ipv6Ranges": {},
        "prefixListIds": {},
    }
    group = f"sg-{s.pick('networks')}"
    rule = {
        "groupOwnerId": s.account,
        "groupId": group,
        "securityGroupRuleId": "sgr-0~{hex:16}",
        "isEgress": False,
        "ipProtocol": "tcp",
    }
    response = {"requestId": "~{uuid@request}", "_return": True, "securityGroupRuleSet": {"items": [rule]}}
    return _ec2(
        s,
        "AuthorizeSecurityGroupIngress",
        {"groupId": group, "ipPermissions": {"items": [permission]}},
        responseElements=response,
        readOnly=False,
    )


@shape(4)
def delete_denied(s: Scene) -> dict[str, Any]:
    volume = "vol-0~{hex:16@volume}"
    error = {
        "errorCode": "Client.UnauthorizedOperation",
        "errorMessage": "You are not authorized to perform this operation."
        f" User: {s.session.identity['arn']} is not authorized"
        f" to perform: ec2:DeleteVolume on resource: {s.arn('ec2', f'volume/{volume}')} because no identity-based"
        " policy allows"
        " the ec2:DeleteVolume action. Encoded authorization failure message: ~{b64:240}",
    }
    return _ec2(s, "DeleteVolume", {"volumeId": volume}, readOnly=False, **error)


@shape(13)
def ecr_get_image(s: Scene) -> dict[str, Any]:
    repository = s.pick("functions")
    parameters = {
        "registryId": s.account,
        "repositoryName": repository,
        "imageIds": [{"imageDigest": "sha256:~{hex:64}"}],
        "acceptedMediaTypes": [
            "application/vnd.docker.distribution.manifest.v2+json",
            "application/vnd.oci.image.manifest.v1+json",
        ],
    }
    resources = [{"accountId": s.account, "ARN": s.arn("ecr", f"repository/{repository}")}]
    return s.event("ecr", "BatchGetImage", requestParameters=parameters, resources=resources, order="late")


@shape(10)
def ecr_token(s: Scene) -> dict[str, Any]:
    return s.event("ecr", "GetAuthorizationToken", requestParameters={"registryIds": [s.account]})


@shape(10)
def ecs_describe_tasks(s: Scene) -> dict[str, Any]:
    cluster = s.arn("ecs", f"cluster/{s.pick('tables')}")
    parameters = {
        "cluster": cluster,
        "tasks": [
            f"{cluster.replace('cluster', 'task')}/~{{hex:32}}",
            f"{cluster.replace('cluster', 'task')}/~{{hex:32}}",
        ],
    }
    return s.event("ecs", "DescribeTasks", requestParameters=parameters)


@shape(5)
def ecs_submit_state(s: Scene) -> dict[str, Any]:
    parameters = {
        "cluster": s.pick("tables"),
        "attachments": [{"attachmentArn": s.arn("ecs", "attachment/~{uuid}"), "status": "ATTACHED"}],
    }
    return s.event(
        "ecs",
        "SubmitAttachmentStateChanges",
        requestParameters=parameters,
        responseElements={"acknowledgment": "ACCEPT"},
        readOnly=False,
    )


@shape(10)
def rds_describe(s: Scene) -> dict[str, Any]:
    parameters = {"dBInstanceIdentifier": f"{s.pick('tables').replace('_', '-')}-~{{int:1:9}}", "maxRecords": 100}
    return s.event("rds", "DescribeDBInstances", requestParameters=parameters)


@shape(6)
def eks_describe(s: Scene) -> dict[str, Any]:
    return s.event("eks", "DescribeCluster", requestParameters={"name": s.pick("tables")})


@shape(9)
def elb_register(s: Scene) -> dict[str, Any]:
    group = s.arn("elasticloadbalancing", f"targetgroup/{s.pick('functions')}/~{{hex:16}}")
    return s.event(
        "elasticloadbalancing",
        "DescribeTargetHealth",
        requestParameters={"targetGroupArn": group},
        apiVersion="2015-12-01",
    )
