"""The API calls and events of the sample: a text table that `calls` reads.

A line without indentation names a call and its peculiarities: `data` (a data event), an `eventType`, `read` or `write`
if that is not clear from the verb in its name, `hidden` (a refused call shows no parameters). The text after `#` is the
name of a variant and not part of the `eventName`. Below it there are, as `name=value` pairs,

    >  requestParameters          <  responseElements        @  resources: type=ARN, `prefix:type=ARNPrefix`
    +  additionalEventData        =  serviceEventDetails        or -=ARN for one without a type

where a value is JSON or plain text, a dot in a name steps into an object, `%name` inserts a fragment, and `$name`
stands for a value of the story (`bucket=…`), of the event (`$account`, `$uuid`, `$hex32` …) or of the account.
"""

FRAGMENTS = {
    "%host": "bucketName=$bucket Host=$bucket.s3.$region.amazonaws.com",
    "%assume": "roleArn=arn:aws:iam::$role_account:role/$role roleSessionName=$session_name",
    "%assumed": "%credentials assumedRoleUser.assumedRoleId=$assumed_id assumedRoleUser.arn=$assumed_arn",
    "%credentials": "credentials.accessKeyId=$new_key credentials.sessionToken=$token credentials.expiration=$expires",
    "%sign-in": ("LoginTo=https://console.aws.amazon.com/console/home?region=$home MobileVersion=No MFAUsed=$mfa"),
    "%object": "AWS::S3::Object=arn:aws:s3:::$bucket/$key %bucket",
    "%listing": "prefix:AWS::S3::Object=arn:aws:s3:::$bucket/ %bucket",
    "%bucket": "AWS::S3::Bucket=arn:aws:s3:::$bucket",
    "%role": "AWS::IAM::Role=arn:aws:iam::$role_account:role/$role",
    "%key": "AWS::KMS::Key=arn:aws:kms:$region:$account:key/$kms_key",
    "%table": "AWS::DynamoDB::Table=arn:aws:dynamodb:$region:$account:table/$table",
    "%function": "AWS::Lambda::Function=arn:aws:lambda:$region:$account:function:$function",
}

TEMPLATES = r"""
# sign-in and identity
signin:ConsoleLogin AwsConsoleSignIn write
    < ConsoleLogin=Success
    + %sign-in
signin:ConsoleLogin#failed AwsConsoleSignIn write
    < ConsoleLogin=Failure
    + %sign-in
signin:UserAuthentication AwsServiceEvent write
    + AuthWorkflowID=$uuid LoginTo=https://example.awsapps.com/start CredentialType=PASSWORD,TOTP UserName=$who
    = UserAuthentication=Success
sso:Federate AwsServiceEvent write
    = role_name=Operations account_id=$account relayId=$uuid
sts:AssumeRole
    > %assume durationSeconds=3600
    < %assumed
    @ %role
sts:AssumeRole#service
    > %assume
    < %assumed
    @ %role
sts:AssumeRoleWithSAML
    > %assume principalArn=arn:aws:iam::$account:saml-provider/example-idp sAMLAssertionID=_$hex32
    > durationSeconds=14400
    < %assumed issuer=https://idp.example.com/saml2/metadata audience=https://signin.aws.amazon.com/saml
    < subject=$who subjectType=persistent
    @ %role AWS::IAM::SAMLProvider=arn:aws:iam::$account:saml-provider/example-idp
sts:AssumeRoleWithWebIdentity
    > %assume durationSeconds=3600
    < %assumed subjectFromWebIdentityToken=$who
    < provider=arn:aws:iam::$account:oidc-provider/token.actions.githubusercontent.com audience=sts.amazonaws.com
    @ %role
sts:GetSessionToken
    > serialNumber=arn:aws:iam::$account:mfa/$who durationSeconds=43200
    < %credentials
sts:GetCallerIdentity
iam:ListUsers hidden
iam:ListRoles hidden
iam:ListAccessKeys
    > userName=$user
iam:ListAccountAliases
iam:ListAttachedUserPolicies hidden
    > userName=$user
iam:GetAccountSummary hidden
iam:GetAccountAuthorizationDetails hidden
iam:GetUser
    > userName=$user
iam:GetRolePolicy hidden
    > roleName=$role policyName=inline
iam:GenerateCredentialReport read
    < state=STARTED description="No report exists. Starting a new report generation task"
iam:GetCredentialReport
iam:CreateAccessKey
    < accessKey.accessKeyId=$new_key accessKey.status=Active accessKey.userName=$user accessKey.createDate=$stamp
iam:CreateUser hidden
    > userName=$user
iam:AttachUserPolicy hidden
    > userName=$user policyArn=arn:aws:iam::aws:policy/AdministratorAccess
iam:UpdateAccessKey
    > userName=$user accessKeyId=$key_id status=Inactive
iam:DeleteLoginProfile
    > userName=$user
iam:PutRolePolicy
    > roleName=$role policyName=deny-all
    > policyDocument="{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}}"
organizations:DescribeOrganization
organizations:ListAccounts
# storage, databases and secrets
s3:ListBuckets
    > Host=s3.$region.amazonaws.com
s3:GetBucketLocation
    > %host location=""
    @ %bucket
s3:GetBucketAcl
    > %host acl=""
    @ %bucket
s3:GetBucketPolicy
    > %host policy=""
    @ %bucket
s3:PutBucketPolicy
    > %host policy="" bucketPolicy.Version=2012-10-17
    > bucketPolicy.Statement.Effect=Allow bucketPolicy.Statement.Principal.AWS=arn:aws:iam::$outside:root
    > bucketPolicy.Statement.Action=["s3:GetObject","s3:ListBucket"]
    > bucketPolicy.Statement.Resource=["arn:aws:s3:::$bucket","arn:aws:s3:::$bucket/*"]
    @ %bucket
s3:DeleteBucketPolicy
    > %host policy=""
    @ %bucket
s3:DeleteBucketPublicAccessBlock
    > %host publicAccessBlock=""
    @ %bucket
s3:PutBucketPublicAccessBlock
    > %host publicAccessBlock="" PublicAccessBlockConfiguration.xmlns=http://s3.amazonaws.com/doc/2006-03-01/
    > PublicAccessBlockConfiguration.BlockPublicAcls=true PublicAccessBlockConfiguration.IgnorePublicAcls=true
    > PublicAccessBlockConfiguration.BlockPublicPolicy=true
    > PublicAccessBlockConfiguration.RestrictPublicBuckets=true
    @ %bucket
s3:DeleteBucket
    > %host
    @ %bucket
s3:ListObjects data
    > %host list-type="2" prefix="" encoding-type=url
    @ %listing
s3:GetObject data
    > %host key=$key
    @ %object
s3:PutObject data
    > %host key=$key
    < x-amz-server-side-encryption=aws:kms x-amz-version-id=$hex32
    @ %object
s3:DeleteObject data
    > %host key=$key
    @ %object
dynamodb:Query data
    > tableName=$table indexName=by-customer keyConditionExpression="customer = :c"
    @ %table
dynamodb:PutItem data
    > tableName=$table key={"orderId":"o-$digits8"}
    @ %table
dynamodb:DescribeTable
    > tableName=$table
    @ %table
rds:DescribeDBInstances
    > dBInstanceIdentifier=$database
rds:DescribeDBSnapshots
    > dBInstanceIdentifier=$database includeShared=false
rds:CreateDBSnapshot
    > dBInstanceIdentifier=$database dBSnapshotIdentifier=$database-before-deploy
    < dBSnapshotIdentifier=$database-before-deploy allocatedStorage=200 engine=postgres status=creating
    < percentProgress=0
backup:StartCopyJob
    > recoveryPointArn=arn:aws:rds:$region:$account:snapshot:awsbackup:job-$uuid sourceBackupVaultName=nightly
    < copyJobId=$uuid isParent=false
kms:Decrypt
    > encryptionContext={"aws:s3:arn":"arn:aws:s3:::$bucket"} encryptionAlgorithm=SYMMETRIC_DEFAULT
    @ %key
kms:Decrypt#secret
    > encryptionContext.SecretARN=arn:aws:secretsmanager:$region:$account:secret:$secret
    > encryptionContext.SecretVersionId=$uuid encryptionAlgorithm=SYMMETRIC_DEFAULT
    @ %key
kms:GenerateDataKey
    > keyId=arn:aws:kms:$region:$account:key/$kms_key
    > encryptionContext.aws:cloudtrail:arn=arn:aws:cloudtrail:$region:$account:trail/$trail keySpec=AES_256
    @ %key
kms:RotateKey AwsServiceEvent write
    = keyId=$kms_key rotationType=AUTOMATIC
    @ %key
secretsmanager:GetSecretValue
    > secretId=arn:aws:secretsmanager:$region:$account:secret:$secret versionStage=AWSCURRENT
secretsmanager:ListSecrets
    > maxResults=100
ssm:GetParameter
    > name=$parameter withDecryption=true
    @ -=arn:aws:ssm:$region:$account:parameter$parameter
ssm:StartSession
    > target=$instance
    < sessionId=$who-0$hex17 tokenValue="Value hidden due to security reasons."
    < streamUrl=wss://ssmmessages.$region.amazonaws.com/v1/data-channel/$who-0$hex17?role=publish_subscribe
ssm:UpdateInstanceInformation
    > instanceId=$instance agentVersion=3.3.1957.0 agentStatus=Active platformType=Linux
    > platformName="Amazon Linux" availabilityZone=${region}b
# computing and delivery
ec2:DescribeInstances
    > instancesSet={} filterSet.items=[{"name":"instance-state-name","valueSet":{"items":[{"value":"running"}]}}]
ec2:DescribeInstanceStatus
    > maxResults=1000 instancesSet={"items":[{"instanceId":"$instance"}]} filterSet={} includeAllInstances=false
ec2:DescribeSecurityGroups
    > maxResults=1000 securityGroupSet={} securityGroupIdSet={} filterSet={}
ec2:DescribeVolumes
    > volumeSet={}
    > filterSet.items=[{"name":"attachment.instance-id","valueSet":{"items":[{"value":"$instance"}]}}]
ec2:DescribeVpcs
    > vpcSet={} filterSet={}
ec2:DescribeRegions
    > regionSet={} allRegions=false
ec2:CreateTags
    > resourcesSet={"items":[{"resourceId":"$instance"}]}
    > tagSet.items=[{"key":"office","value":"Zürich, Büro 3"}]
    < requestId=$uuid _return=true
ec2:RunInstances
    > instancesSet.items=[{"imageId":"ami-0$hex16","minCount":4,"maxCount":4}] instanceType=p3.16xlarge
    > blockDeviceMapping={} monitoring={"enabled":false} disableApiTermination=false
autoscaling:DescribeAutoScalingGroups
    > autoScalingGroupNames=["shop-web"] maxRecords=100
elasticloadbalancing:DescribeTargetHealth
    > targetGroupArn=arn:aws:elasticloadbalancing:$region:$account:targetgroup/shop-web/73e2d6bc24d8a067
lambda:Invoke data
    > functionName=arn:aws:lambda:$region:$account:function:$function invocationType=Event
    @ %function
lambda:ListFunctions20150331
lambda:UpdateFunctionCode20150331v2
    > functionName=$function publish=true dryRun=false s3Bucket=$artifacts s3Key=order-handler/$hex40.zip
    < functionName=$function functionArn=arn:aws:lambda:$region:$account:function:$function runtime=python3.12
    < codeSize=5242917 timeout=30 memorySize=512 version=$digits2 architectures=["arm64"] state=Active
    < lastUpdateStatus=InProgress
ecr:GetAuthorizationToken
ecr:BatchCheckLayerAvailability
    > registryId=$account repositoryName=shop/web layerDigests=["sha256:$hex64"]
    @ -=arn:aws:ecr:$region:$account:repository/shop/web
ecr:PutImage
    > registryId=$account repositoryName=shop/web imageTag=$hex7
    < image.registryId=$account image.repositoryName=shop/web image.imageId.imageDigest=sha256:$hex64
    < image.imageId.imageTag=$hex7
    @ -=arn:aws:ecr:$region:$account:repository/shop/web
ecs:RegisterTaskDefinition
    > family=shop-web networkMode=awsvpc cpu="512" memory="1024"
    > containerDefinitions=[{"name":"web","image":"$account.dkr.ecr.$region.amazonaws.com/shop/web:$hex7"}]
    < taskDefinition.taskDefinitionArn=arn:aws:ecs:$region:$account:task-definition/shop-web:$digits3
    < taskDefinition.family=shop-web taskDefinition.status=ACTIVE taskDefinition.revision=118
ecs:UpdateService
    > cluster=shop service=web desiredCount=3 forceNewDeployment=false
    < service.serviceName=web service.status=ACTIVE service.desiredCount=3 service.runningCount=3
    < service.pendingCount=0
ecs:DescribeServices
    > cluster=shop services=["web"]
cloudformation:DescribeStacks
    > stackName=shop-web
cloudfront:CreateInvalidation
    > distributionId=E2EXAMPLE1SHOP invalidationBatch.paths={"quantity":1,"items":["/*"]}
    > invalidationBatch.callerReference=$hex16
    < location=https://cloudfront.amazonaws.com/2020-05-31/distribution/E2EXAMPLE1SHOP/invalidation/I$digits8
    < invalidation={"id":"I$digits8","status":"InProgress"}
route53:ListResourceRecordSets
    > hostedZoneId=Z0EXAMPLE7SHOP maxItems=300
# watching
cloudwatch:DescribeAlarms
    > maxRecords=100 stateValue=ALARM
cloudwatch:GetMetricData data
logs:CreateLogStream
    > logGroupName=/aws/lambda/$function logStreamName=2025/03/12/[$$LATEST]$hex32
logs:DescribeLogGroups
    > logGroupNamePrefix=/aws/lambda/
logs:FilterLogEvents
    > logGroupName=/aws/lambda/$function filterPattern="?ERROR ?\"Task timed out\"" limit=50
logs:StartQuery read
    > logGroupName=/shop/web startTime=$epoch endTime=$epoch
    > queryString="fields @timestamp, @message | filter status >= 500"
    < queryId=$uuid
config:PutEvaluations
    > evaluations=[{"complianceResourceId":"$instance","complianceType":"COMPLIANT","orderingTimestamp":"$stamp"}]
    > resultToken=$hex32
    < failedEvaluations=[]
config:BatchGetResourceConfig
    > resourceKeys=[{"resourceType":"AWS::S3::Bucket","resourceId":"$bucket"}]
cloudtrail:LookupEvents
    > lookupAttributes=[{"attributeKey":"Username","attributeValue":"$user"}] maxResults=50
cloudtrail:DescribeTrails
    > trailNameList=[] includeShadowTrails=true
cloudtrail:GetTrailStatus
    > name=arn:aws:cloudtrail:$region:$account:trail/$trail
cloudtrail:GetEventSelectors
    > trailName=$trail
cloudtrail:PutEventSelectors
    > trailName=$trail eventSelectors=[{"readWriteType":"ReadOnly","includeManagementEvents":false}]
cloudtrail:StopLogging
    > name=arn:aws:cloudtrail:$region:$account:trail/$trail
cloudtrail:DeleteTrail
    > name=arn:aws:cloudtrail:$region:$account:trail/$trail
guardduty:ListDetectors
guardduty:GetFindings
    > detectorId=$detector findingIds=["$hex32"]
guardduty:DeleteDetector
    > detectorId=$detector
securityhub:BatchImportFindings write
    > findings=HIDDEN_DUE_TO_SECURITY_REASONS
    < failedCount=0 successCount=3 failedFindings=[]
securityhub:GetFindings
    > maxResults=100 sortCriteria=[{"field":"LastObservedAt","sortOrder":"desc"}]
athena:StartQueryExecution
    > queryString=***OMITTED*** clientRequestToken=$uuid workGroup=audit
    < queryExecutionId=$uuid
athena:GetQueryExecution
    > queryExecutionId=$uuid
athena:GetQueryResults
    > queryExecutionId=$uuid maxResults=1000
glue:GetTable
    > databaseName=audit name=cloudtrail_logs catalogId=$account
glue:GetPartitions
    > databaseName=audit tableName=cloudtrail_logs expression="day >= '2025-03-01'"
sns:Publish data
    > topicArn=arn:aws:sns:$region:$account:operations message=HIDDEN_DUE_TO_SECURITY_REASONS
    > subject=HIDDEN_DUE_TO_SECURITY_REASONS
    < messageId=$uuid
ce:GetCostAndUsage
    > timePeriod={"Start":"2025-03-01","End":"2025-03-12"} granularity=DAILY metrics=["UnblendedCost"]
health:DescribeEventAggregates
    > filter={"eventStatusCodes":["open","upcoming"]} aggregateField=eventTypeCategory
trustedadvisor:DescribeChecks
    > language=en
access-analyzer:ListFindings
    > analyzerArn=arn:aws:access-analyzer:$region:$account:analyzer/account maxResults=100
"""
