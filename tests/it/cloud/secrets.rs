//! Secret Manager: the right version, whole, once; and nothing of it anywhere else.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use soxauto::adapters::google::secrets::GcpSecrets;
use soxauto::ports::{PortErrorKind, Secrets as _};
use tracing_subscriber::fmt::MakeWriter;

use super::fakes::Google;
use super::fakes::identity::EMAIL;
use super::fakes::secret_manager::Damage;
use super::fakes::server::Fault;

const NAME: &str = "DB_CREDENTIALS_NAV_BI";
const VALUE: &str = "SERVER=x;PWD=SENTINEL-VALUE;";

fn of(google: &Google, pins: &[(&str, u64)]) -> GcpSecrets {
    let pins: BTreeMap<String, u64> = pins
        .iter()
        .map(|(name, version)| ((*name).to_owned(), *version))
        .collect();
    GcpSecrets::new(google.session(), "test-project".to_owned(), pins)
}

#[tokio::test]
async fn the_latest_version_is_read_once_and_named() {
    let google = Google::start().await;
    google.secrets.add(NAME, "old", Damage::None);
    // As `gcloud secrets create --data-file` stores a file that an editor wrote.
    google
        .secrets
        .add(NAME, &format!("{VALUE}\r\n"), Damage::None);
    let secrets = of(&google, &[]);
    assert_eq!(secrets.origin_of(NAME).await, "gcp:test-project");
    for _ in 0..3 {
        assert_eq!(secrets.get(NAME).await.unwrap().expose(), VALUE);
        // A version that is added during the run is for the next run.
        google.secrets.add(NAME, "new", Damage::None);
    }
    assert_eq!(google.fake.seen(":access").len(), 1);
    assert_eq!(
        secrets.origin_of(NAME).await,
        format!("gcp:test-project/secrets/{NAME}/versions/2")
    );
    assert_eq!(secrets.origin_of("OTHER").await, "gcp:test-project");
}

#[tokio::test]
async fn a_pinned_version_is_read_whatever_is_newer() {
    let google = Google::start().await;
    google.secrets.add(NAME, "first", Damage::None);
    google.secrets.add(NAME, "second", Damage::None);
    google.secrets.add("OTHER", "other", Damage::None);
    google
        .fake
        .plan(":access", [Fault::Served, Fault::Error(503, "UNAVAILABLE")]);
    let secrets = of(&google, &[(NAME, 1)]);
    assert_eq!(secrets.get(NAME).await.unwrap().expose(), "first");
    assert_eq!(secrets.get("OTHER").await.unwrap().expose(), "other");
    assert!(secrets.origin_of(NAME).await.ends_with("/versions/1"));
    let error = of(&google, &[(NAME, 3)]).get(NAME).await.unwrap_err();
    assert!(error.to_string().contains("no version 3"), "{error}");
}

#[tokio::test]
async fn a_payload_is_believed_only_with_its_checksum_and_its_name() {
    for (damage, word) in [
        (Damage::Bit, "CRC32C"),
        (Damage::NoChecksum, "without a checksum"),
        (Damage::OtherName, "another secret"),
    ] {
        let google = Google::start().await;
        google.secrets.add(NAME, VALUE, damage);
        let secrets = of(&google, &[]);
        let error = secrets.get(NAME).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Corrupt, "{damage:?}");
        let text = format!("{error} {error:?}");
        assert!(
            text.contains(word) && text.contains(NAME) && !text.contains("SENTINEL"),
            "{text}"
        );
        assert_eq!(
            secrets.origin_of(NAME).await,
            "gcp:test-project",
            "nothing was read"
        );
    }
}

#[tokio::test]
async fn a_missing_right_names_the_role_the_secret_and_the_account() {
    let google = Google::start().await;
    google.secrets.add(NAME, VALUE, Damage::None);
    google.secrets.deny();
    let error = of(&google, &[]).get(NAME).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied);
    assert_eq!(
        error.hint.unwrap(),
        format!("grant roles/secretmanager.secretAccessor on secret {NAME} to {EMAIL}")
    );
}

#[tokio::test]
async fn a_secret_that_is_not_there_or_disabled_is_named_with_the_command() {
    let google = Google::start().await;
    let error = of(&google, &[]).get(NAME).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Config);
    let text = error.to_string();
    assert!(
        text.contains(&format!("no secret {NAME} in project test-project")),
        "{text}"
    );
    assert!(text.contains("gcloud secrets create"), "{text}");

    google.secrets.add(NAME, VALUE, Damage::Disabled);
    let error = of(&google, &[]).get(NAME).await.unwrap_err();
    assert!(
        error.to_string().contains("is destroyed or disabled"),
        "{error}"
    );
    assert!(error.hint.unwrap().contains("versions add"));
}

#[tokio::test]
async fn a_bad_moment_is_waited_out_and_a_token_that_ends_is_renewed() {
    let google = Google::start().await;
    for name in ["A", "B"] {
        google.secrets.add(name, VALUE, Damage::None);
    }
    let secrets = of(&google, &[]);
    google.fake.plan(
        ":access",
        [
            Fault::Error(503, "UNAVAILABLE"),
            Fault::Cut,
            Fault::Page(502),
        ],
    );
    assert_eq!(secrets.get("A").await.unwrap().expose(), VALUE);
    google.issuer.revoke_all();
    assert_eq!(secrets.get("B").await.unwrap().expose(), VALUE);
    assert_eq!(google.issuer.issued().len(), 2);
    google.fake.assert_spent();
}

/// A log that a test reads.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Both ends run on this thread, so the log has what every library says of either, at the loudest.
#[tokio::test]
async fn neither_secret_nor_token_nor_key_reaches_a_log() {
    let log = Log::default();
    let loud = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(loud);
    let google = Google::start().await;
    google.secrets.add(NAME, VALUE, Damage::None);
    google.fake.plan(
        ":access",
        [Fault::Error(503, "UNAVAILABLE"), Fault::HalfReply],
    );
    let secrets = of(&google, &[]);
    let secret = secrets.get(NAME).await.unwrap();
    tracing::info!(?secret, "read");
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("the call is repeated") && log.contains("Secret(…)"),
        "the log was read: {log}"
    );
    assert!(
        !log.contains("SENTINEL") && !log.contains(&STANDARD.encode(VALUE)[..24]),
        "{log}"
    );
}
