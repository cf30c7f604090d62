//! Certificates: the CAs of the machine are trusted, and nobody else.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::fakes::Google;
use super::fakes::secret_manager::{SecretStore, router};
use super::fakes::server::Fake;
use crate::cli::{Said, Shell};

/// A CA in PEM, and a server for `localhost` that it vouches for.
fn authority() -> (String, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &ca).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (ca.pem(), TlsAcceptor::from(std::sync::Arc::new(config)))
}

async fn plan(google: &Google, secrets: &Fake, ca: Option<String>) -> Said {
    let endpoints = format!(
        "metadata={},secretmanager={}",
        google.fake.url(),
        secrets.url()
    );
    let run = move || {
        let shell = Shell::new();
        let file = shell.path("ca.pem");
        std::fs::write(&file, ca.as_deref().unwrap_or_default()).unwrap();
        let trusted = [("SSL_CERT_FILE", file.to_str().unwrap())];
        let trusted = if ca.is_some() { &trusted[..] } else { &[] };
        let place = ["catalog", "plan", "CR_04", "--secrets", "gcp:test-project"];
        shell.run_with(
            &[&place[..], &["--google-endpoint", &endpoints]].concat(),
            trusted,
        )
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_of_the_machine_is_trusted_and_another_is_denied_with_what_to_do() {
    let google = Google::start().await;
    let (ca, tls) = authority();
    let secrets = Fake::serve_tls(router(SecretStore::new(google.issuer.clone())), tls).await;

    let said = plan(&google, &secrets, Some(ca)).await;
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(
        said.err
            .contains("there is no secret DB_CREDENTIALS_NAV_BI"),
        "{}",
        said.err
    );
    assert_eq!(secrets.seen(":access").len(), 1);

    let said = plan(&google, &secrets, None).await;
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(
        said.err.contains("invalid peer certificate"),
        "{}",
        said.err
    );
    assert!(said.err.contains("SSL_CERT_FILE"), "{}", said.err);
    assert_eq!(secrets.seen(":access").len(), 1, "it was not even asked");
}
