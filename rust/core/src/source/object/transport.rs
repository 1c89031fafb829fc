//! HTTP as S3 needs it: redirects are not followed, and bodies are bounded.
//!
//! A client that follows a redirect by itself sends `x-amz-security-token` along, wherever it leads. S3 redirects only
//! to another region, which [`super::client`] handles by asking the known endpoint again.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use object_store::client::{
    ClientConfigKey as Name, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use object_store::{ClientOptions, Error};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy};

/// The most bytes of an answer of a credential service: these have a few kilobytes.
const CREDENTIALS: usize = 256 << 10;
/// A body that must be small has to be complete within this time, so that a dripping one does not last for ever.
const SOON: Duration = Duration::from_secs(20);

/// Creates the clients for S3 and for credentials, with the options of `object_store` that a reader can use.
#[derive(Debug, Clone, Default)]
pub(super) struct Connector {
    /// Certificates in addition to those of the system.
    pub(super) certificates: Vec<Certificate>,
}

impl Connector {
    /// A client that returns bodies as they arrive.
    pub(super) fn client(&self, options: &ClientOptions) -> Result<Client, Error> {
        let value = |name| options.get_config_value(&name).filter(|value| !value.is_empty());
        let mut builder = ClientBuilder::new()
            .redirect(Policy::none())
            .referer(false)
            .http1_only()
            // A body is compared with its `Content-Length` without decoding.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .user_agent(
                value(Name::UserAgent).unwrap_or_else(|| concat!("ctfast/", env!("CARGO_PKG_VERSION")).to_owned()),
            )
            .https_only(!flag(value(Name::AllowHttp))?)
            .tls_danger_accept_invalid_certs(flag(value(Name::AllowInvalidCertificates))?);
        if let Some(proxy) = value(Name::ProxyUrl) {
            let excluded = value(Name::ProxyExcludes).and_then(|hosts| NoProxy::from_string(&hosts));
            builder = builder.proxy(Proxy::all(proxy).map_err(wrong)?.no_proxy(excluded));
        }
        let mut certificates = self.certificates.clone();
        if let Some(pem) = value(Name::ProxyCaCertificate) {
            certificates.push(Certificate::from_pem(pem.as_bytes()).map_err(wrong)?);
        }
        builder = if flag(value(Name::NoSystemCertificates))? {
            builder.tls_certs_only(certificates)
        } else {
            builder.tls_certs_merge(certificates)
        };
        if let Some(time) = duration(value(Name::Timeout))? {
            builder = builder.timeout(time);
        }
        if let Some(time) = duration(value(Name::ConnectTimeout))? {
            builder = builder.connect_timeout(time);
        }
        if let Some(time) = duration(value(Name::ReadTimeout))? {
            builder = builder.read_timeout(time);
        }
        if let Some(time) = duration(value(Name::PoolIdleTimeout))? {
            builder = builder.pool_idle_timeout(time);
        }
        if let Some(most) = value(Name::PoolMaxIdlePerHost) {
            let most = usize::from_str(&most).map_err(|_| generic(format!("{most:?} is not a number")))?;
            builder = builder.pool_max_idle_per_host(most);
        }
        builder.build().map_err(wrong)
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient, Error> {
        Ok(HttpClient::new(Small(self.client(options)?)))
    }
}

fn generic(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: "HTTP", source: source.into() }
}

fn wrong(error: reqwest::Error) -> Error {
    generic(error)
}

fn flag(value: Option<String>) -> Result<bool, Error> {
    let value = value.unwrap_or_default();
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "y" => Ok(true),
        "false" | "0" | "no" | "off" | "n" | "" => Ok(false),
        _ => Err(generic(format!("{value:?} is neither true nor false"))),
    }
}

fn duration(value: Option<String>) -> Result<Option<Duration>, Error> {
    let parsed = value
        .map(|value| humantime::parse_duration(&value).map_err(|_| generic(format!("{value:?} is not a duration"))));
    parsed.transpose()
}

/// A client for credential services, whose callers read whole bodies and trust `Content-Length`.
#[derive(Debug)]
struct Small(Client);

impl HttpService for Small {
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            // The client assumes a valid URI.
            request
                .uri()
                .to_string()
                .parse::<reqwest::Url>()
                .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
            let (head, body) = self.0.call(request).await?.into_parts();
            let body = within(body, CREDENTIALS, SOON).await?;
            Ok(HttpResponse::from_parts(head, HttpResponseBody::from(body)))
        })
    }
}

/// A body of at most this many bytes that takes at most this long, whatever length was announced.
pub(super) async fn within(body: HttpResponseBody, most: usize, time: Duration) -> Result<Bytes, HttpError> {
    let failure = |kind, words: String| HttpError::new(kind, io::Error::other(words));
    let mut parts = body.bytes_stream();
    let mut bytes = Vec::new();
    let read = async {
        while let Some(part) = parts.next().await {
            let part = part?;
            if part.len() > most - bytes.len() {
                return Err(failure(HttpErrorKind::Decode, format!("an answer of more than {most} bytes")));
            }
            bytes.extend_from_slice(&part);
        }
        Ok(())
    };
    let slow = |_| Err(failure(HttpErrorKind::Timeout, format!("an answer that takes more than {} s", time.as_secs())));
    tokio::time::timeout(time, read).await.unwrap_or_else(slow)?;
    Ok(bytes.into())
}

/// The beginning of a body, as far as it arrives.
pub(super) async fn beginning(body: HttpResponseBody, most: usize) -> Bytes {
    let mut parts = body.bytes_stream();
    let mut bytes = Vec::new();
    let read = async {
        while bytes.len() < most
            && let Some(Ok(part)) = parts.next().await
        {
            let room = most - bytes.len();
            bytes.extend_from_slice(&part[..part.len().min(room)]);
        }
    };
    // What has arrived by then is enough for a message.
    let _ = tokio::time::timeout(SOON, read).await;
    bytes.into()
}
