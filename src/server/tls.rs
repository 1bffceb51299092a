//! TLS in front, by rustls: 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN. Certificates are read anew without ending a
//! connection: who has shaken hands keeps what was agreed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ServerConfig, VerifierBuilderError, WebPkiClientVerifier};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::proxy::auth::Subject;
use crate::settings::ServerTls;

mod subject;

/// HTTP/2's name in ALPN (RFC 9113, section 3.1).
const H2: &[u8] = b"h2";

/// What handshakes are made with.
#[derive(Debug)]
pub(super) struct Tls {
    files: ServerTls,
    config: ArcSwap<ServerConfig>,
}

/// What a handshake has agreed on.
#[derive(Debug)]
pub(super) struct Agreed {
    /// Whether HTTP/2 is spoken.
    pub(super) http2: bool,
    /// The subject of the certificate that the client has shown, and that was verified.
    pub(super) certificate: Option<Arc<Subject>>,
}

/// Why TLS cannot be spoken with these files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file is not there, or no PEM, or holds nothing of that kind.
    #[error("{} holds no {what} that can be read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// Certificate and key are no pair, or of a kind that is not supported.
    #[error("the certificate of {} cannot be used with the key of {}", certificate.display(), key.display())]
    Identity {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// No client's certificate can be verified by these.
    #[error("the certificates of {} cannot sign clients' certificates", file.display())]
    ClientCa {
        /// The file.
        file: PathBuf,
        /// Why.
        source: VerifierBuilderError,
    },
}

impl Tls {
    /// Reads these files.
    ///
    /// # Errors
    /// [`TlsError`] names the file that cannot be used.
    pub(super) fn read(files: ServerTls) -> Result<Self, TlsError> {
        let config = ArcSwap::from(config(&files)?);
        Ok(Self { files, config })
    }

    /// Reads the files again, for the handshakes that are still to come.
    ///
    /// # Errors
    /// [`TlsError`] names the file that cannot be used; what was in force stays in force.
    pub(super) fn reload(&self) -> Result<(), TlsError> {
        self.config.store(config(&self.files)?);
        Ok(())
    }

    /// Shakes hands.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<(TlsStream<TcpStream>, Agreed)> {
        let stream = TlsAcceptor::from(self.config.load_full()).accept(stream).await?;
        let (_, session) = stream.get_ref();
        let shown = session.peer_certificates().and_then(<[_]>::first);
        let certificate = shown.and_then(|leaf| subject::of(leaf)).map(Arc::new);
        let agreed = Agreed { http2: session.alpn_protocol() == Some(H2), certificate };
        Ok((stream, agreed))
    }
}

fn config(files: &ServerTls) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key);
    let key = key.map_err(|source| TlsError::Unreadable { file: files.key.clone(), what: "private key", source })?;
    let unusable =
        |source| TlsError::Identity { certificate: files.certificate.clone(), key: files.key.clone(), source };
    let verifier = files.client_ca.as_deref().map(|file| verifier(file, &provider)).transpose()?;
    let verifies = verifier.is_some();
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder
        .map_err(unusable)?
        .with_client_cert_verifier(verifier.unwrap_or_else(WebPkiClientVerifier::no_client_auth))
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![H2.to_vec(), b"http/1.1".to_vec()];
    if verifies {
        // A session that is taken up again brings its certificate along unseen, even one that has expired meanwhile.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Arc::new(config))
}

/// Clients may show a certificate; one that was not signed by these ends the handshake.
fn verifier(file: &Path, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let unusable = |source| TlsError::ClientCa { file: file.to_owned(), source };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|_| unusable(VerifierBuilderError::NoRootAnchors))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    builder.allow_unauthenticated().build().map_err(unusable)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { file: file.to_owned(), what: "certificate", source };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).map_err(unreadable)?.collect();
    let found = found.map_err(unreadable)?;
    if found.is_empty() { Err(unreadable(pem::Error::NoItemsFound)) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
    use rustls::ClientConfig;
    use rustls::pki_types::ServerName;
    use tempfile::TempDir;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::client::TlsStream as ClientStream;

    use super::*;

    type Ends = (ClientStream<TcpStream>, TlsStream<TcpStream>);

    fn certificate() -> CertifiedKey<KeyPair> {
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap()
    }

    fn files(folder: &TempDir) -> ServerTls {
        let path = |name: &str| folder.path().join(name);
        ServerTls { certificate: path("cert.pem"), key: path("key.pem"), client_ca: None }
    }

    fn write(files: &ServerTls, identity: &CertifiedKey<KeyPair>) {
        std::fs::write(&files.certificate, identity.cert.pem()).unwrap();
        std::fs::write(&files.key, identity.signing_key.serialize_pem()).unwrap();
    }

    /// Both ends of a connection whose client trusts this certificate and no other.
    async fn connect(tls: &Tls, trusted: &CertifiedKey<KeyPair>) -> io::Result<Ends> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.cert.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (other, _) = listener.accept().await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let (client, server) = tokio::join!(connector.connect(name, stream), tls.accept(other));
        Ok((client?, server?.0))
    }

    async fn talk((client, server): &mut Ends) {
        client.write_all(b"x").await.unwrap();
        client.flush().await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'x');
    }

    #[tokio::test]
    async fn a_new_certificate_is_for_new_connections_and_a_bad_one_for_none() {
        let folder = tempfile::tempdir().unwrap();
        let (files, old, new) = (files(&folder), certificate(), certificate());
        write(&files, &old);
        let tls = Tls::read(files.clone()).unwrap();
        let mut before = connect(&tls, &old).await.unwrap();
        write(&files, &new);
        assert!(connect(&tls, &new).await.is_err(), "it was not read yet");
        tls.reload().unwrap();
        talk(&mut before).await;
        assert!(connect(&tls, &old).await.is_err());
        talk(&mut connect(&tls, &new).await.unwrap()).await;

        let other_key = certificate().signing_key.serialize_pem();
        for (file, text, told) in [
            (&files.certificate, "no PEM", "cert.pem holds no certificate"),
            (
                &files.certificate,
                "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
                "cert.pem cannot be used",
            ),
            (&files.key, "", "key.pem holds no private key"),
            (&files.key, &other_key, "cannot be used with the key of"),
        ] {
            write(&files, &new);
            std::fs::write(file, text).unwrap();
            let error = tls.reload().unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
            assert!(Tls::read(files.clone()).is_err(), "and nobody begins with it");
            talk(&mut connect(&tls, &new).await.unwrap()).await;
        }
        std::fs::remove_file(&files.key).unwrap();
        assert!(tls.reload().is_err());
        talk(&mut connect(&tls, &new).await.unwrap()).await;
        talk(&mut before).await;
    }
}
