//! Certificates, and a client that shows and checks them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Answer;

/// Who signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// A connection over TLS, by the protocol that was agreed on.
pub(crate) enum Secure {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = params("Test CA", &[], Vec::new());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("it signs itself"))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate with this subject, for this machine.
    pub(crate) fn sign(&self, name: &str, more: &[(DnType, &str)]) -> Identity {
        let params = params(name, more, vec!["127.0.0.1".to_owned(), "localhost".to_owned()]);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &*self.0).expect("it is signed");
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

fn params(name: &str, more: &[(DnType, &str)], names: Vec<String>) -> CertificateParams {
    let mut params = CertificateParams::new(names).expect("the names are good");
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    more.iter().for_each(|(kind, value)| params.distinguished_name.push(kind.clone(), *value));
    params
}

impl Identity {
    /// Writes it where settings can name it, and says how they do.
    pub(crate) fn save(&self, folder: &Path) -> String {
        let file = |name: &str, text: &str| -> PathBuf {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("it is written");
            path
        };
        let (certificate, key) = (file("server.pem", &self.certificate), file("server.key", &self.key));
        format!("[server]\ntls_cert_file = {certificate:?}\ntls_key_file = {key:?}\n")
    }
}

/// What a client that trusts this authority agrees to.
pub(crate) fn trusting(
    authority: &Authority,
    protocol: &str,
    versions: &[&'static SupportedProtocolVersion],
    identity: Option<&Identity>,
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).expect("it is a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).expect("known ones");
    let builder = builder.with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).expect("PEM");
            let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("PEM");
            builder.with_client_auth_cert(vec![certificate], key).expect("they are a pair")
        }
    };
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    config
}

impl Secure {
    /// Shakes hands.
    pub(crate) async fn stream(address: SocketAddr, config: &ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        let connector = TlsConnector::from(Arc::new(config.clone()));
        connector.connect(ServerName::from(address.ip()), stream).await
    }

    pub(crate) async fn connect(address: SocketAddr, config: &ClientConfig) -> Self {
        let stream = Self::stream(address, config).await.expect("hands are shaken");
        let two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let stream = TokioIo::new(stream);
        if two {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
            drop(super::start(connection));
            Self::Two(sender)
        } else {
            let (sender, connection) = http1::handshake(stream).await.expect("HTTP/1.1");
            drop(super::start(connection));
            Self::One(sender)
        }
    }

    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Answer> {
        let response = match self {
            Self::One(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::Two(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        whole(response).await
    }

    /// A request as pynetbox makes them, with these headers besides.
    pub(crate) fn request(&self, method: &str, address: SocketAddr, target: &str) -> http::request::Builder {
        let request = Request::builder().method(method).header("accept", "application/json");
        match self {
            Self::One(_) => request.uri(target).header("host", address.to_string()),
            Self::Two(_) => request.uri(format!("https://{address}{target}")),
        }
    }

    pub(crate) async fn get(&mut self, address: SocketAddr, target: &str) -> Answer {
        let request = self.request("GET", address, target).body(Full::default()).expect("a request");
        self.send(request).await.expect("an answer")
    }

    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::One(sender) => sender.is_closed(),
            Self::Two(sender) => sender.is_closed(),
        }
    }
}

async fn whole(response: Response<Incoming>) -> hyper::Result<Answer> {
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
}
