//! Names that AWS's pages list for event selectors. The lists grow, so an unknown name is only worth a warning.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Values of `resources.type` for data events, without `AWS::`: the service, and its types.
///
/// From "CloudTrail events" in the CloudTrail User Guide, as of 2026.
const RESOURCE_TYPES: &[(&str, &str)] = &[
    ("AgentAccessMCP", "Tools"),
    ("AgentRegistry", "Registry"),
    ("AIDevOps", "AgentSpace Association OperatorAppTeam PipelineMetadata Service"),
    ("AIOps", "InvestigationGroup"),
    ("AOSS", "Collection"),
    ("AppConfig", "Configuration"),
    ("ApplicationSignals", "InstrumentationConfig"),
    ("AppSync", "GraphQLApi"),
    ("AWSExternalAnthropic", "Workspace"),
    ("B2BI", "Transformer"),
    ("Backup", "BackupAccessPoint SearchJob"),
    (
        "Bedrock",
        "AdvancedOptimizePromptJob AgentAlias AsyncInvoke AutomatedReasoningPolicy AutomatedReasoningPolicyVersion \
         Blueprint DataAutomationInvocation DataAutomationProfile DataAutomationProject FlowAlias FlowExecution \
         Guardrail InlineAgent KnowledgeBase Model PromptVersion Session Tool",
    ),
    (
        "BedrockAgentCore",
        "ABTest APIKeyCredentialProvider BatchEvaluate Browser BrowserCustom BrowserProfile CapacityProvider \
         CodeInterpreter CodeInterpreterCustom Evaluator Gateway Memory OAuth2CredentialProvider Payments Policy \
         PolicyEngine Recommendation Registry Runtime RuntimeEndpoint TokenVault WorkloadIdentity \
         WorkloadIdentityDirectory",
    ),
    ("BedrockMantle", "Project"),
    ("BedrockWebSearch", "Tool"),
    ("Cassandra", "Stream Table"),
    ("CertificateManager", "AcmeEndpoint"),
    ("ClinicalTrialsTech", "Codelist Dataset Execution Instance Mapping Schedule Study"),
    ("CloudFront", "KeyValueStore"),
    ("CloudOptimization", "Profile Recommendation"),
    ("CloudTrail", "Channel"),
    ("CloudWatch", "Dataset IngestionEndpoint Metric"),
    ("CodeGuruProfiler", "ProfilingGroup"),
    ("CodeWhisperer", "Customization Profile"),
    ("Cognito", "IdentityPool"),
    ("DataExchange", "Asset"),
    ("Deadline", "Fleet Job Queue Worker"),
    ("DiodeAlerting", "LinkedAlert"),
    ("DSQL", "Cluster"),
    ("DynamoDB", "Stream Table"),
    ("EC2", "InstanceConnectEndpoint Snapshot"),
    ("ECS", "ContainerInstance"),
    ("EKS", "Dashboard"),
    ("EMRWAL", "Workspace"),
    ("Events", "Endpoint EventBus EventSource Rule"),
    ("FinSpace", "Environment"),
    ("FSx", "Volume"),
    ("GameLiftStreams", "Application StreamGroup"),
    ("GeoMaps", "Provider"),
    ("GeoPlaces", "Provider"),
    ("GeoRoutes", "Provider"),
    ("Glue", "Table"),
    ("GreengrassV2", "ComponentVersion Deployment"),
    ("GuardDuty", "Detector MalwareScan"),
    ("HealthAgent", "Domain Integration PatientInsightsJob Session Subscription"),
    ("HealthLake", "DataTransformationProfile"),
    ("IoT", "Certificate Thing Tunnel"),
    ("IoTSiteWise", "Asset Dataset Pipeline TimeSeries Workspace"),
    ("IoTTwinMaker", "Entity Workspace"),
    ("KendraRanking", "ExecutionPlan"),
    ("Kinesis", "Stream StreamConsumer"),
    ("KinesisFirehose", "DeliveryStream"),
    ("KinesisVideo", "SignalingChannel Stream"),
    ("Lambda", "Function MicrovmImage"),
    ("Lex", "Bot BotAlias"),
    ("Logs", "LogGroupAuthorization ScheduledQuery"),
    ("MachineLearning", "MlModel"),
    ("ManagedBlockchain", "Network Node"),
    ("ManagedBlockchainQuery", "QueryAPI"),
    ("MedicalImaging", "Datastore Imageset"),
    ("MWAA", "Environment"),
    ("NeptuneGraph", "Graph"),
    ("NetworkFlowMonitor", "Monitor Scope"),
    ("NovaAct", "WorkflowDefinition WorkflowRun"),
    ("One", "UKey User"),
    ("PaymentCryptography", "Alias Key"),
    ("PCAConnectorAD", "Connector"),
    ("PCAConnectorSCEP", "Connector"),
    ("Pinpoint", "App"),
    ("QApps", "QApp QAppSession"),
    ("QBusiness", "Application DataSource Index Integration WebExperience"),
    ("QDeveloper", "Integration"),
    ("QuickSight", "App Automation AutomationJob Extension ExtensionAccess Flow FlowSession Page Task"),
    ("Quicksight", "ActionConnector"),
    ("RDS", "DBCluster"),
    ("Redshift", "Cluster"),
    ("ResourceExplorer2", "ManagedView View"),
    ("RUM", "AppMonitor"),
    ("S3", "AccessPoint Object"),
    ("S3Express", "AccessPoint Object"),
    ("S3ObjectLambda", "AccessPoint"),
    ("S3Outposts", "Object"),
    ("S3Tables", "Table TableBucket"),
    ("S3Vectors", "Index VectorBucket"),
    (
        "SageMaker",
        "Endpoint ExperimentTrialComponent FeatureGroup Hub Job MlflowApp MlflowTrackingServer TrainingSession",
    ),
    (
        "SCN",
        "BusinessRule DataLakeException ExceptionInvestigation ExceptionRule Instance Metric MetricEvaluation Outcome \
         OutcomeTemplate",
    ),
    ("SDB", "Domain"),
    ("ServiceDiscovery", "Namespace Service"),
    ("SES", "ConfigurationSet EmailIdentity Template"),
    ("Signer", "SigningJob SigningProfile"),
    ("SitewiseAssistant", "Conversation"),
    ("SMSVoice", "CarrierLookup ConfigurationSet Message NotifyConfiguration OriginationIdentity"),
    ("SNS", "PlatformEndpoint Topic"),
    ("SocialMessaging", "PhoneNumberId WabaId"),
    ("SQS", "Queue"),
    ("SSM", "ExecutionPreview ManagedNode"),
    ("SSMMessages", "ControlChannel"),
    ("StepFunctions", "Activity StateMachine"),
    ("SupportAccess", "Tenant TrustingAccount TrustingRole"),
    ("SWF", "Domain"),
    ("ThinClient", "Device Environment"),
    ("Timestream", "Database RegionalEndpoint Table"),
    ("Transform", "AgentInstance Profile"),
    ("TransformCustom", "Campaign Conversation KnowledgeItem Package"),
    ("UXC", "AccountCustomization"),
    ("VerifiedPermissions", "PolicyStore"),
    ("WellArchitected", "AgentRecommendation"),
    ("XRay", "Trace"),
];

/// Event sources of network activity events, without `.amazonaws.com`.
///
/// From "Logging network activity events" in the CloudTrail User Guide, as of 2026.
const NETWORK_SOURCES: &str = "\
    aco-automation appconfig application-signals appmesh athena b2bi backup-gateway bcm-data-exports \
    bcm-pricing-calculator bedrock-agentcore bedrock billing cassandra ce cloudcontrolapi cloudformation cloudhsm \
    cloudoptimization cloudtrail codedeploy comprehend comprehendmedical config ds dynamodb ec2 ecs \
    elasticfilesystem elasticloadbalancing events firehose frauddetector freetier fsx glue healthlake invoicing iot \
    iotfleetwise iotsecuredtunneling kms lakeformation lambda license-manager lookoutequipment lookoutvision \
    monitoring nova-act personalize qbusiness rds rekognition rolesanywhere s3 sagemaker scheduler secretsmanager \
    servicediscovery sns sqs ssm-contacts ssm storagegateway swf textract transcribe transcribestreaming \
    transform-agents transform-custom transform translate user-subscriptions verifiedpermissions voiceid workmail \
    workmailmessageflow";

/// All resource types in full, by their letters and digits.
static RESOURCE_TYPES_BY_LETTERS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let names = RESOURCE_TYPES
        .iter()
        .flat_map(|(service, names)| names.split(' ').map(move |name| format!("AWS::{service}::{name}")));
    names.map(|name| (letters(&name), name)).collect()
});

/// Whether this is a known resource type.
pub(super) fn is_resource_type(name: &str) -> bool {
    RESOURCE_TYPES_BY_LETTERS.get(&letters(name)).is_some_and(|known| known == name)
}

/// The known resource type that is probably meant: it has the same letters and digits in any case, except for `AWS`.
pub(super) fn similar_resource_type(name: &str) -> Option<&'static str> {
    let wanted = letters(name);
    let known =
        RESOURCE_TYPES_BY_LETTERS.get(&wanted).or_else(|| RESOURCE_TYPES_BY_LETTERS.get(&format!("aws{wanted}")));
    known.map(String::as_str)
}

/// Whether this is a known source of network activity events.
pub(super) fn is_network_source(name: &str) -> bool {
    name.strip_suffix(".amazonaws.com").is_some_and(|name| NETWORK_SOURCES.split(' ').any(|known| known == name))
}

/// The known name that is probably meant: it has the same letters and digits in any case, except for an `s` at its end.
pub(super) fn similar<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let wanted = letters(name);
    let like = |known: &&str| letters(known).strip_prefix(&wanted).is_some_and(|rest| matches!(rest, "" | "s"));
    known.iter().copied().find(like)
}

fn letters(text: &str) -> String {
    text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_whole() {
        assert_eq!((RESOURCE_TYPES_BY_LETTERS.len(), NETWORK_SOURCES.split(' ').count()), (250, 76));
        assert!(
            is_resource_type("AWS::S3::Object")
                && is_resource_type("AWS::XRay::Trace")
                && !is_resource_type("AWS::s3::Object")
        );
        assert!(
            is_network_source("kms.amazonaws.com")
                && !is_network_source("kms")
                && !is_network_source("KMS.amazonaws.com")
        );
    }

    #[test]
    fn what_is_probably_meant() {
        for (name, expected) in [
            ("AWS::s3::object", Some("AWS::S3::Object")),
            ("S3::Object", Some("AWS::S3::Object")),
            ("AWS::QApps:QApp", Some("AWS::QApps::QApp")),
            ("AWS::S3::Bucket", None),
        ] {
            assert_eq!(similar_resource_type(name), expected, "{name}");
        }
        assert_eq!(similar("fieldselector", &["Name", "FieldSelectors"]), Some("FieldSelectors"));
        assert_eq!(similar("nam", &["Name"]), None);
    }
}
