"""Shapes of data services: S3 objects and buckets, DynamoDB, Lambda, queues."""

from __future__ import annotations

from typing import Any

from .holes import dumps
from .record import ABSENT, Scene, shape

DATA: dict[str, Any] = {"managementEvent": False, "eventCategory": "Data"}
TITLES = (
    "Übersicht/Rechnung-№{}.pdf",
    "報告書/{}/売上.xlsx",
    "photos/été {}/café.jpg",
    "отчёт/{}.csv",
    "reports/Q2 😀 {}.docx",
)


def _s3(s: Scene, name: str, parameters: dict[str, Any], *, data: bool = True, **fields: Any) -> dict[str, Any]:
    bucket = s.pick("buckets")
    host = f"{bucket}.s3.{s.region}.amazonaws.com"
    extra: dict[str, Any] = {
        "SignatureVersion": "SigV4",
        "CipherSuite": "TLS_AES_128_GCM_SHA256" if s.chance(0.6) else "ECDHE-RSA-AES128-GCM-SHA256",
        "bytesTransferredIn": fields.pop("received", 0),
        "AuthenticationMethod": "AuthHeader",
        "x-amz-id-2": "~{b64:57}",
        "bytesTransferredOut": fields.pop("sent", 0),
    }
    extra.update(fields.pop("more", {}))
    usual: dict[str, Any] = {
        "host": host,
        "userAgent": f"[{s.session.agent.replace('{service}', 's3').strip('[]')}]",
        "requestParameters": {"bucketName": bucket, "Host": host, **parameters},
        "additionalEventData": extra,
        "requestID": "~{id:16}",
        "resources": [{"accountId": s.account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}],
        "order": "usual",
    }
    if data:
        usual["resources"] = [
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/~{{key@key}}"},
            *usual["resources"],
        ]
        usual.update(DATA)
    usual.update(fields)
    return s.event("s3", name, **usual)


@shape(78)
def get_object(s: Scene) -> dict[str, Any]:
    return _s3(s, "GetObject", {"key": "~{key@key}"}, sent="~{#int:200:90000000}")


@shape(12)
def get_object_range(s: Scene) -> dict[str, Any]:
    sums = {
        "x-amz-checksum-mode": "ENABLED",
        "range": "bytes=~{int:0:9999999}-~{int:10000000:99999999}",
        "key": "~{key@key}",
    }
    return _s3(s, "GetObject", sums, sent="~{#int:200:90000000}", order="sorted")


@shape(42)
def put_object(s: Scene) -> dict[str, Any]:
    parameters = {"x-amz-server-side-encryption": "aws:kms", "key": "~{key@key}", "x-amz-storage-class": "STANDARD"}
    response = {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": s.arn("kms", f"key/{s.pick('keys')}"),
        "x-amz-server-side-encryption-bucket-key-enabled": "true",
        "x-amz-version-id": "~{alnum:32}",
    }
    more = {"SSEApplied": "SSE_KMS"}
    return _s3(
        s, "PutObject", parameters, responseElements=response, received="~{#int:100:9000000}", more=more, readOnly=False
    )


@shape(3)
def put_object_unicode(s: Scene) -> dict[str, Any]:
    key = s.rng.choice(TITLES).format("~{int:1:9999@key}")
    bucket = s.pick("buckets")
    resources = [
        {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"},
        {"accountId": s.account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"},
    ]
    parameters = {"x-amz-acl": "bucket-owner-full-control", "key": key, "x-amz-tagging": "titel=Ärger&autor=Łukasz"}
    return _s3(s, "PutObject", parameters, resources=resources, received="~{#int:100:9000000}", readOnly=False)


@shape(36)
def head_object(s: Scene) -> dict[str, Any]:
    return _s3(s, "HeadObject", {"key": "~{key@key}"})


@shape(9)
def head_object_missing(s: Scene) -> dict[str, Any]:
    error: dict[str, Any] = {"errorCode": "NoSuchKey", "errorMessage": "The specified key does not exist."}
    return _s3(s, "HeadObject", {"key": "~{key@key}"}, **error)


@shape(20)
def list_objects(s: Scene) -> dict[str, Any]:
    bucket = s.pick("buckets")
    resources = [
        {"type": "AWS::S3::Object", "ARNPrefix": f"arn:aws:s3:::{bucket}/~{{word@first}}/~{{word@second}}/"},
        {"accountId": s.account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"},
    ]
    parameters = {
        "list-type": "2",
        "prefix": "~{word@first}/~{word@second}/",
        "max-keys": "1000",
        "encoding-type": "url",
        "delimiter": "/",
    }
    return _s3(s, "ListObjects", parameters, resources=resources, sent="~{#int:300:280000}")


@shape(9)
def delete_object(s: Scene) -> dict[str, Any]:
    response = {"x-amz-version-id": "~{alnum:32}", "x-amz-delete-marker": "true"}
    return _s3(s, "DeleteObject", {"key": "~{key@key}"}, responseElements=response, readOnly=False)


@shape(8)
def get_object_denied(s: Scene) -> dict[str, Any]:
    return _s3(s, "GetObject", {"key": "~{key@key}"}, errorCode="AccessDenied", errorMessage="Access Denied", sent=243)


@shape(16)
def get_bucket_acl(s: Scene) -> dict[str, Any]:
    return _s3(s, "GetBucketAcl", {"acl": ""}, data=False, sent="~{#int:480:560}")


@shape(12)
def get_bucket_encryption(s: Scene) -> dict[str, Any]:
    return _s3(s, "GetBucketEncryption", {"encryption": ""}, data=False, sent=414)


@shape(8)
def get_bucket_by_config(s: Scene) -> dict[str, Any]:
    return _s3(s, "GetBucketVersioning", {"versioning": ""}, data=False, sent=138, **s.through("config.amazonaws.com"))


@shape(0.6)
def create_bucket(s: Scene) -> dict[str, Any]:
    body = {
        "CreateBucketConfiguration": {
            "LocationConstraint": s.region,
            "xmlns": "http://s3.amazonaws.com/doc/2006-03-01/",
        }
    }
    return _s3(
        s, "CreateBucket", body, data=False, readOnly=False, more={"x-amz-object-ownership": "BucketOwnerEnforced"}
    )


@shape(0)
def delete_bucket(s: Scene) -> dict[str, Any]:
    if s.chance(0.3):
        error = {"errorCode": "BucketNotEmpty", "errorMessage": "The bucket you tried to delete is not empty"}
        return _s3(s, "DeleteBucket", {}, data=False, readOnly=False, sent=310, **error)
    return _s3(s, "DeleteBucket", {}, data=False, readOnly=False)


@shape(0.1)
def delete_bucket_policy(s: Scene) -> dict[str, Any]:
    # A name that begins like DeleteBucket: a reader that searches for that name must not count it.
    return _s3(s, "DeleteBucketPolicy", {"policy": ""}, data=False, readOnly=False)


@shape(0.7)
def put_bucket_policy(s: Scene) -> dict[str, Any]:
    bucket = s.pick("buckets")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "DenyInsecureTransport",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }
    return _s3(s, "PutBucketPolicy", {"bucketPolicy": policy, "policy": ""}, data=False, readOnly=False)


def _dynamodb(s: Scene, name: str, parameters: dict[str, Any], **fields: Any) -> dict[str, Any]:
    table = s.pick("tables")
    resources = [{"accountId": s.account, "type": "AWS::DynamoDB::Table", "ARN": s.arn("dynamodb", f"table/{table}")}]
    usual = {
        "requestParameters": {"tableName": table, **parameters},
        "requestID": "~{id:52}",
        "apiVersion": "2012-08-10",
        "resources": resources,
    }
    return s.event("dynamodb", name, **{**usual, **fields})


@shape(26)
def get_item(s: Scene) -> dict[str, Any]:
    return _dynamodb(
        s, "GetItem", {"key": {"pk": {"s": "HIDDEN_DUE_TO_SECURITY_REASONS"}}, "consistentRead": False}, **DATA
    )


@shape(14)
def put_item(s: Scene) -> dict[str, Any]:
    parameters = {
        "key": {"pk": "~{uuid}", "sk": "v~{int:1:40}"},
        "items": ["pk", "sk", "updatedAt", "payload", "version"],
    }
    return _dynamodb(s, "PutItem", parameters, readOnly=False, **DATA)


@shape(11)
def describe_table(s: Scene) -> dict[str, Any]:
    return _dynamodb(s, "DescribeTable", {}, **s.through("application-autoscaling.amazonaws.com"))


@shape(34)
def invoke(s: Scene) -> dict[str, Any]:
    function = s.arn("lambda", f"function:{s.pick('functions')}")
    return s.event(
        "lambda",
        "Invoke",
        requestParameters={"functionName": function, "invocationType": "RequestResponse", "qualifier": "live"},
        additionalEventData={"functionVersion": f"{function}:$LATEST"},
        readOnly=False,
        resources=[{"accountId": s.account, "type": "AWS::Lambda::Function", "ARN": function}],
        sharedEventID="~{uuid}",
        **DATA,
    )


@shape(4)
def update_function(s: Scene) -> dict[str, Any]:
    function = s.pick("functions")
    config = {
        "functionName": function,
        "functionArn": s.arn("lambda", f"function:{function}"),
        "runtime": "python3.12",
        "role": s.role(),
        "handler": "app.main.handler",
        "codeSize": "~{#int:20000:60000000}",
        "description": "",
        "timeout": 30,
        "memorySize": 512,
        "lastModified": "~{time}",
        "codeSha256": "~{b64:32}",
        "version": "$LATEST",
        "vpcConfig": {"subnetIds": [], "securityGroupIds": [], "vpcId": "", "ipv6AllowedForDualStack": False},
        "environment": {},
        "tracingConfig": {"mode": "Active"},
        "revisionId": "~{uuid}",
        "layers": [],
        "packageType": "Zip",
        "architectures": ["arm64"],
        "ephemeralStorage": {"size": 512},
    }
    parameters = {
        "functionName": function,
        "s3Bucket": s.pick("buckets"),
        "s3Key": "~{key}",
        "publish": False,
        "dryRun": False,
    }
    return s.event(
        "lambda",
        "UpdateFunctionCode20150331v2",
        requestParameters=parameters,
        responseElements=config,
        readOnly=False,
        order="sorted",
    )


@shape(9)
def sqs_get_attributes(s: Scene) -> dict[str, Any]:
    queue = f"{s.pick('tables').replace('_', '-')}-queue"
    url = f"https://sqs.{s.region}.amazonaws.com/{s.account}/{queue}"
    parameters = {
        "queueUrl": url,
        "attributeNames": ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    }
    resources = [{"accountId": s.account, "type": "AWS::SQS::Queue", "ARN": s.arn("sqs", queue)}]
    return s.event("sqs", "GetQueueAttributes", requestParameters=parameters, resources=resources)


@shape(4)
def sns_publish(s: Scene) -> dict[str, Any]:
    topic = s.arn("sns", f"{s.pick('tables').replace('_', '-')}-events")
    parameters = {
        "topicArn": topic,
        "message": "HIDDEN_DUE_TO_SECURITY_REASONS",
        "subject": "HIDDEN_DUE_TO_SECURITY_REASONS",
        "messageAttributes": "HIDDEN_DUE_TO_SECURITY_REASONS",
    }
    resources = [{"accountId": s.account, "type": "AWS::SNS::Topic", "ARN": topic}]
    response = {"messageId": "~{uuid}"}
    return s.event(
        "sns",
        "Publish",
        requestParameters=parameters,
        responseElements=response,
        resources=resources,
        readOnly=False,
        **DATA,
    )


@shape(3)
def step_functions(s: Scene) -> dict[str, Any]:
    machine = s.arn("states", f"stateMachine:{s.pick('tables')}")
    order = {"orderId": "~{uuid}", "amount": "~{#float:900}", "customer": "Zoë", "note": "a < b && c > d"}
    parameters = {
        "stateMachineArn": machine,
        "input": dumps(order).replace('"~{#float:900}"', "~{float:900}"),
        "name": "~{uuid@name}",
    }
    response = {
        "executionArn": f"{machine.replace('stateMachine', 'execution')}:~{{uuid@name}}",
        "startDate": "~{expiry}",
    }
    return s.event(
        "states", "StartExecution", requestParameters=parameters, responseElements=response, readOnly=False,
        sharedEventID=ABSENT,
    )  # fmt: skip
