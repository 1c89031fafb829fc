//! How buckets are reached: the user's options, under the names of `object_store`, take precedence over the environment
//! variables of the AWS CLI.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as Name};
use object_store::client::{ClientConfigKey, HttpClient};
use object_store::{ClientOptions, RetryConfig};
use reqwest::{Certificate, Url};

use super::credentials::Credentials;
use super::region::is_region;
use super::transport::Connector;
use super::words::innermost;

/// A connection that takes longer is tried again.
const CONNECT: Duration = Duration::from_secs(5);
/// An answer without progress for this long is requested again.
const PROGRESS: Duration = Duration::from_secs(20);
/// The most tries of one request.
const TRIES: u32 = 10;

/// Options that provide credentials without asking the instance.
const INSTEAD: &[Name] = &[
    Name::AccessKeyId,
    Name::WebIdentityTokenFile,
    Name::ContainerCredentialsRelativeUri,
    Name::ContainerCredentialsFullUri,
];
/// Retries when a container or an instance is asked for credentials. Without any, the failure should come soon.
const CREDENTIAL_RETRIES: usize = 2;

/// How the buckets of one scan are reached.
pub(super) struct Config {
    pub(super) http: HttpClient,
    /// `None`: requests are not signed.
    pub(super) credentials: Option<Credentials>,
    /// The endpoint of a store other than AWS, without a slash at its end.
    pub(super) endpoint: Option<String>,
    /// Whether the bucket is a part of the host.
    pub(super) virtual_hosted: bool,
    pub(super) region: String,
    /// Whether the requester pays.
    pub(super) pays: bool,
    pub(super) tries: u32,
}

/// Options of our own, or that `object_store` sets in another way.
const TRIES_OPTION: &str = "max_retries";
const BUNDLE_OPTION: &str = "aws_ca_bundle";

/// Options of `object_store` that a reader can use.
const OPTIONS: &[&str] = &[
    "access_key_id",
    "allow_http",
    "allow_invalid_certificates",
    "connect_timeout",
    "container_authorization_token_file",
    "container_credentials_full_uri",
    "container_credentials_relative_uri",
    "default_region",
    "disable_system_certificates",
    "endpoint",
    "endpoint_url",
    "endpoint_url_s3",
    "endpoint_url_sts",
    "imdsv1_fallback",
    "metadata_endpoint",
    "pool_idle_timeout",
    "pool_max_idle_per_host",
    "proxy_ca_certificate",
    "proxy_excludes",
    "proxy_url",
    "read_timeout",
    "region",
    "request_payer",
    "role_arn",
    "role_session_name",
    "secret_access_key",
    "session_token",
    "skip_signature",
    "timeout",
    "token",
    "user_agent",
    "virtual_hosted_style_request",
    "web_identity_token_file",
];

impl Config {
    /// Reads the options and the environment. An error is one sentence without the value of any secret.
    #[expect(clippy::too_many_lines, reason = "each option is read where its member is made")]
    pub(super) fn new(
        options: &BTreeMap<String, String>,
        environment: impl Iterator<Item = (String, String)>,
        credentials: Option<Credentials>,
    ) -> Result<Self, String> {
        let mut settings = BTreeMap::new();
        let mut asks_instance = true;
        for (name, value) in environment {
            let name = name.to_ascii_lowercase();
            if name == "aws_ec2_metadata_disabled" {
                asks_instance = !value.eq_ignore_ascii_case("true");
            }
            if name.starts_with("aws_") && (parse(&name).is_some() || name == BUNDLE_OPTION) {
                settings.insert(name, value);
            }
        }
        let lower: BTreeMap<_, _> = options.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        if lower.keys().any(|name| parse(name) == Some(Name::AccessKeyId)) {
            // A session token of the environment does not belong to a key given as an option.
            settings.retain(|name, _| {
                !matches!(parse(name), Some(Name::AccessKeyId | Name::SecretAccessKey | Name::Token))
            });
        }
        let mut tries = TRIES;
        let mut bundle = settings.remove(BUNDLE_OPTION);
        let mut builder = AmazonS3Builder::new().with_bucket_name("any");
        let mut client =
            ClientOptions::new().with_timeout_disabled().with_connect_timeout(CONNECT).with_read_timeout(PROGRESS);
        let mut allow_http = None;
        let settings = settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in settings.chain(lower.iter().map(|(name, value)| (name.as_str(), value.as_str()))) {
            match (name, parse(name)) {
                (TRIES_OPTION, _) => {
                    let retries: u32 =
                        value.parse().map_err(|_| format!("{TRIES_OPTION} must be a number, not {value:?}"))?;
                    tries = retries.saturating_add(1);
                }
                (BUNDLE_OPTION, _) => bundle = Some(value.to_owned()),
                (_, Some(Name::Client(ClientConfigKey::AllowHttp))) => allow_http = Some(value),
                (_, Some(Name::Client(name))) => client = client.with_config(name, value),
                (_, Some(name)) => builder = builder.with_config(name, value),
                (_, None) => return Err(unknown(name)),
            }
        }
        let value = |name| builder.get_config_value(&name).filter(|value| !value.is_empty());
        let endpoint = value(Name::S3Endpoint).or_else(|| value(Name::Endpoint));
        let endpoint = endpoint.map(|endpoint| endpoint.trim_end_matches('/').to_owned());
        if let Some(endpoint) = &endpoint
            && !(endpoint.starts_with("http://") || endpoint.starts_with("https://"))
        {
            return Err(format!("the endpoint must begin with https:// or http://, but is {endpoint:?}"));
        }
        // Bucket and key are appended to the endpoint: it may have a path, but no query or fragment.
        if let Some(endpoint) = &endpoint
            && Url::parse(endpoint).map_or(true, |url| {
                url.host_str().is_none()
                    || url.query().is_some()
                    || url.fragment().is_some()
                    || !url.username().is_empty()
            })
        {
            return Err(
                "the endpoint is no address of a host: https://host[:port][/path], without user, query or fragment"
                    .to_owned(),
            );
        }
        // An explicit http:// endpoint is allowed.
        let plain = endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
        client =
            client.with_config(ClientConfigKey::AllowHttp, allow_http.unwrap_or(if plain { "true" } else { "false" }));
        let mut connector = Connector::default();
        if let Some(path) = bundle {
            let pem =
                std::fs::read(&path).map_err(|error| format!("cannot read the certificates of {path}: {error}"))?;
            let found = Certificate::from_pem_bundle(&pem)
                .map_err(|_| format!("{path} is not a bundle of PEM certificates"))?;
            connector.certificates = found;
        }
        // A process has one crypto provider for TLS; whichever was installed first will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let wrong = |error: object_store::Error| format!("the storage options cannot be used: {}", innermost(&error));
        let flag = |name| {
            let value = value(name).unwrap_or_default();
            match value.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" | "y" => Ok(true),
                "false" | "0" | "no" | "off" | "n" | "" => Ok(false),
                _ => Err(format!("{} must be true or false, not {value:?}", name.as_ref())),
            }
        };
        let unsigned = flag(Name::SkipSignature)?;
        let (virtual_hosted, pays) = (flag(Name::VirtualHostedStyleRequest)?, flag(Name::RequestPayer)?);
        let region = value(Name::Region).unwrap_or_else(|| "us-east-1".to_owned());
        if endpoint.is_none() && !is_region(&region) {
            return Err(format!("the region must be the name of one, such as eu-west-1, but is {region:?}"));
        }
        let http = HttpClient::new(connector.client(&client).map_err(wrong)?);
        let credentials = match credentials {
            _ if unsigned => None,
            Some(credentials) => Some(credentials),
            None if !asks_instance && !INSTEAD.iter().any(|name| value(*name).is_some()) => {
                return Err(
                    "no credentials: none in the options or the environment, and instances are not to be asked"
                        .to_owned(),
                );
            }
            None => {
                let retry =
                    RetryConfig { max_retries: CREDENTIAL_RETRIES, retry_timeout: PROGRESS, ..RetryConfig::default() };
                let store = builder
                    .with_client_options(client)
                    .with_retry(retry)
                    .with_http_connector(connector)
                    .build()
                    .map_err(wrong)?;
                Some(Credentials::Found(store.credentials().clone()))
            }
        };
        Ok(Self { http, credentials, endpoint, virtual_hosted, region, pays, tries })
    }
}

fn parse(name: &str) -> Option<Name> {
    let plain = name.strip_prefix("aws_").unwrap_or(name);
    OPTIONS.contains(&plain).then(|| Name::from_str(&format!("aws_{plain}")).ok()).flatten()
}

/// The names of the options, in all their forms.
pub fn names() -> impl Iterator<Item = String> {
    let both = OPTIONS.iter().flat_map(|name| [(*name).to_owned(), format!("aws_{name}")]);
    both.chain([TRIES_OPTION, BUNDLE_OPTION].map(str::to_owned))
}

fn unknown(name: &str) -> String {
    let known: Vec<_> = OPTIONS.iter().copied().chain([TRIES_OPTION, BUNDLE_OPTION]).collect();
    format!("unknown storage option {name:?}; known, with or without aws_ before them, are {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a-secret-that-nobody-sees";

    fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn config(options: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Config, String> {
        Config::new(&pairs(options), pairs(environment).into_iter(), None)
    }

    fn wrong(options: &[(&str, &str)], environment: &[(&str, &str)]) -> String {
        let words = config(options, environment).err().expect("something wrong");
        assert!(!words.contains(SECRET), "{words}");
        words
    }

    fn key(config: &Config) -> (String, String, Option<String>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let credentials = config.credentials.as_ref().expect("credentials");
        let credential = runtime.block_on(credentials.get()).expect("credentials");
        (credential.key_id.clone(), credential.secret_key.clone(), credential.token.clone())
    }

    #[test]
    fn options_come_before_the_environment() {
        let environment = [
            ("AWS_ACCESS_KEY_ID", "theirs"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_SESSION_TOKEN", "token"),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", "https://all.example"),
            ("AWS_ENDPOINT_URL_S3", "https://s3.example/"),
            ("AWS_PAGER", "less"),
            ("PATH", "/bin"),
        ];
        let found = config(&[], &environment).expect("a configuration");
        assert_eq!(key(&found), ("theirs".to_owned(), SECRET.to_owned(), Some("token".to_owned())));
        assert_eq!((found.region.as_str(), found.endpoint.as_deref()), ("eu-west-1", Some("https://s3.example")));
        assert_eq!((found.tries, found.pays, found.virtual_hosted), (TRIES, false, false));
        let options = [
            ("aws_access_key_id", "ours"),
            ("SECRET_ACCESS_KEY", "other"),
            ("region", "us-west-2"),
            ("max_retries", "0"),
            ("request_payer", "true"),
        ];
        let found = config(&options, &environment).expect("a configuration");
        assert_eq!(key(&found), ("ours".to_owned(), "other".to_owned(), None));
        assert_eq!((found.region.as_str(), found.tries, found.pays), ("us-west-2", 1, true));
    }

    #[test]
    fn without_a_signature_no_credentials_are_looked_for() {
        assert!(
            config(&[("skip_signature", "True")], &[("AWS_ACCESS_KEY_ID", "x")])
                .expect("a configuration")
                .credentials
                .is_none()
        );
    }

    #[test]
    fn what_is_wrong_is_told_without_secrets() {
        assert!(wrong(&[("secret", SECRET)], &[]).starts_with("unknown storage option \"secret\"; known, "));
        assert_eq!(
            wrong(&[("skip_signature", "perhaps")], &[]),
            "aws_skip_signature must be true or false, not \"perhaps\""
        );
        assert_eq!(wrong(&[("max_retries", "many")], &[]), "max_retries must be a number, not \"many\"");
        assert!(
            wrong(&[("endpoint", "localhost:9000")], &[])
                .starts_with("the endpoint must begin with https:// or http://")
        );
        assert!(
            wrong(&[("aws_ca_bundle", "/no/such.pem")], &[])
                .starts_with("cannot read the certificates of /no/such.pem: ")
        );
        assert!(wrong(&[("read_timeout", "soon")], &[]).starts_with("the storage options cannot be used: "));
        assert!(wrong(&[("secret_access_key", SECRET)], &[]).starts_with("the storage options cannot be used: "));
        let nowhere = wrong(&[], &[("AWS_EC2_METADATA_DISABLED", "true")]);
        assert!(nowhere.starts_with("no credentials: "), "{nowhere}");
    }
}
