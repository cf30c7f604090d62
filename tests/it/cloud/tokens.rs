//! Tokens: kept, renewed, refused; of the machine and of a key.

use std::sync::Arc;

use soxauto::adapters::google::endpoints::Endpoints;
use soxauto::adapters::google::http::{Call, Http};
use soxauto::adapters::google::service_account::ServiceAccount;
use soxauto::adapters::google::token::{CachedTokens, Origin, Tokens as _};
use soxauto::app::SystemClock;
use soxauto::ports::{PortError, PortErrorKind, Secret};

use super::fakes::identity::EMAIL;
use super::fakes::server::Fault;
use super::fakes::{Google, quick};

/// Path of the metadata server's tokens.
const MACHINE: &str = "/default/token";

fn account(file: &str, endpoints: &[(String, String)]) -> Result<ServiceAccount, PortError> {
    let endpoints = Endpoints::replaced(endpoints).unwrap();
    let file = Secret::new(file);
    ServiceAccount::read(&file, &["scope-a"], &endpoints, Arc::new(SystemClock))
}

fn of_key(account: ServiceAccount) -> CachedTokens {
    let http = Http::new(quick()).unwrap();
    CachedTokens::new(http, Origin::ServiceAccount(Box::new(account)))
}

#[tokio::test]
async fn a_token_is_used_until_shortly_before_its_end() {
    let google = Google::start().await;
    let session = google.session();
    for _ in 0..3 {
        assert_eq!(
            session.tokens().token().await.unwrap().expose(),
            "ya29.SENTINEL-TOKEN-1"
        );
    }
    let asked = google.fake.seen(MACHINE);
    assert_eq!(asked.len(), 1);
    assert!(
        asked[0]
            .target
            .ends_with("cloud-platform%2Chttps%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdrive.file"),
        "{}",
        asked[0].target
    );
    assert_eq!(asked[0].header("metadata-flavor"), "Google");
    // The same with tokens that have less left than our margin: each is used once.
    google.issuer.lifetime(quick().token_margin.as_secs());
    let session = google.session();
    for number in 2..5 {
        let token = session.tokens().token().await.unwrap();
        assert_eq!(token.expose(), format!("ya29.SENTINEL-TOKEN-{number}"));
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_and_the_call_sent_again() {
    let google = Google::start().await;
    google
        .secrets
        .add("DB", "x", super::fakes::secret_manager::Damage::None);
    let session = google.session();
    let url = format!(
        "{}/v1/projects/test-project/secrets/DB/versions/1:access",
        google.fake.url()
    );
    // Not repeatable, and sent again all the same: what was not let in has done nothing.
    let call = Call::new("x", reqwest::Method::GET, url.parse().unwrap());
    session.send(&call).await.unwrap();
    google.issuer.revoke_all();
    session.send(&call).await.unwrap();
    assert_eq!(google.issuer.issued().len(), 2);
    assert_eq!(google.fake.seen(":access").len(), 3);

    // A service that refuses every token is asked twice, not for ever.
    google
        .fake
        .plan(":access", vec![Fault::Error(401, "UNAUTHENTICATED"); 9]);
    let error = PortError::from(session.send(&call).await.err().unwrap());
    assert_eq!(error.kind, PortErrorKind::Denied);
    assert!(error.hint.unwrap().contains(EMAIL));
    assert_eq!(google.fake.seen(":access").len(), 5);
}

#[tokio::test]
async fn callers_that_meet_the_same_refusal_renew_the_token_once() {
    let google = Google::start().await;
    let tokens = google.session().tokens();
    let first = tokens.token().await.unwrap();
    let (one, other) = tokio::join!(tokens.renewed(&first), tokens.renewed(&first));
    assert_eq!(one.unwrap().expose(), other.unwrap().expose());
    assert_eq!(google.issuer.issued().len(), 2);
}

#[tokio::test]
async fn the_metadata_server_is_waited_for_and_must_say_who_it_is() {
    let google = Google::start().await;
    google
        .fake
        .plan(MACHINE, [Fault::Error(503, "UNAVAILABLE")]);
    google.session().tokens().token().await.unwrap();
    google.issuer.without_flavor();
    let error = google.session().tokens().token().await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied);
    assert!(error.to_string().contains("Metadata-Flavor"), "{error}");

    google.fake.plan(MACHINE, vec![Fault::Cut; 2]);
    let error = google.session().tokens().token().await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    let hint = error.hint.unwrap();
    assert!(hint.contains("--google-credentials file:"), "{hint}");
    assert!(hint.contains("application-default login"), "{hint}");
    google.fake.plan(MACHINE, [Fault::Error(404, "")]);
    let error = google.session().tokens().token().await.unwrap_err();
    assert!(error.hint.unwrap().contains("--service-account"));
}

#[tokio::test]
async fn a_key_is_exchanged_where_it_says_for_a_statement_that_it_signed() {
    let google = Google::start().await;
    let file = google
        .issuer
        .key_file(&format!("{}/token", google.fake.url()));
    let account = account(&file, &[]).unwrap();
    assert_eq!(format!("{account:?}"), format!("ServiceAccount({EMAIL})"));
    let tokens = of_key(account);
    google.fake.plan(
        "POST /token",
        [Fault::Error(503, "UNAVAILABLE"), Fault::LostReply],
    );
    assert_eq!(
        tokens.token().await.unwrap().expose(),
        "ya29.SENTINEL-TOKEN-2"
    );
    assert_eq!(tokens.identity().await, EMAIL);
    google.fake.assert_spent();
    // Each attempt sent the same statement, signed once.
    let sent = google.fake.seen("POST /token");
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|request| request.body == sent[0].body));
}

#[tokio::test]
async fn a_key_is_exchanged_elsewhere_if_that_is_set_and_its_audience_stays() {
    let google = Google::start().await;
    let file = google
        .issuer
        .key_file("https://oauth2.googleapis.com/token");
    let here = ("oauth".to_owned(), format!("{}/token", google.fake.url()));
    let tokens = of_key(account(&file, &[here]).unwrap());
    assert_eq!(
        tokens.token().await.unwrap().expose(),
        "ya29.SENTINEL-TOKEN-1"
    );
}

#[tokio::test]
async fn a_key_that_was_replaced_is_denied_with_what_to_do() {
    let google = Google::start().await;
    let place = format!("{}/token", google.fake.url());
    let old = google.issuer.key_file(&place);
    let _new = google.issuer.key_file(&place);
    let error = of_key(account(&old, &[]).unwrap())
        .token()
        .await
        .unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied);
    let text = error.to_string();
    assert!(
        text.contains("400 invalid_grant: Invalid JWT Signature."),
        "{text}"
    );
    assert!(text.contains("clock"), "{text}");
    assert_eq!(google.fake.seen("POST /token").len(), 1);
}

#[tokio::test]
async fn a_file_that_is_no_key_is_refused_and_not_quoted() {
    let google = Google::start().await;
    let good = google
        .issuer
        .key_file("https://oauth2.googleapis.com/token");
    for (from, to) in [
        ("\"service_account\"", "\"authorized_user\""),
        ("BEGIN", "BEGINN"),
        ("client_email", "client_mail"),
        ("https://", "http://"),
        ("{", "SENTINEL"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        let error = account(&bad, &[]).unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Config, "{to}");
        let said = format!("{error} {error:?}");
        let key = good.split("KEY-----").nth(1).unwrap();
        assert!(
            !said.contains("SENTINEL") && !said.contains(&key[2..30]),
            "{said}"
        );
    }
    assert!(account(&good, &[]).is_ok());
}
