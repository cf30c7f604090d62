//! Tokens of people: by the login that gcloud keeps, and in the name of an account that they impersonate.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use soxauto::adapters::google::Session;
use soxauto::adapters::google::endpoints::Endpoints;
use soxauto::adapters::google::http::{Call, Http};
use soxauto::adapters::google::token::{CachedTokens, Origin, Tokens};
use soxauto::app::SystemClock;
use soxauto::ports::{PortError, PortErrorKind, Secret};

use super::fakes::identity::{CLOUD, DRIVE, EMAIL, Issuer, REFRESH_TOKEN};
use super::fakes::secret_manager::Damage;
use super::fakes::server::Fault;
use super::fakes::{Google, quick};

const TOKENS: &str = "POST /token";
const IMPERSONATIONS: &str = ":generateAccessToken";

fn endpoints(google: &Google) -> Endpoints {
    Endpoints::replaced(&google.endpoints_of_people()).unwrap()
}

fn read(file: &str, scope: &str, google: &Google) -> Result<Origin, PortError> {
    let file = Secret::new(file);
    Origin::read(&file, &[scope], &endpoints(google), Arc::new(SystemClock))
}

fn tokens(file: &Value, scope: &str, google: &Google) -> CachedTokens {
    let origin = read(&file.to_string(), scope, google).unwrap();
    CachedTokens::new(Http::new(quick()).unwrap(), origin)
}

/// A call of the tests' own, which needs a token.
fn call(google: &Google) -> Call {
    google.secrets.add("DB", "x", Damage::None);
    let path = "v1/projects/test-project/secrets/DB/versions/1:access";
    let url = format!("{}/{path}", google.fake.url());
    Call::new("x", Method::GET, url.parse().unwrap())
}

fn session(file: &Value, google: &Google) -> Session {
    let tokens = Arc::new(tokens(file, CLOUD, google));
    Session::new(Http::new(quick()).unwrap(), tokens, endpoints(google))
}

/// An error says nothing of what a file holds.
fn assert_silent(error: &PortError) {
    let said = format!("{error} {error:?}");
    assert!(!said.contains("SENTINEL"), "{said}");
}

#[tokio::test]
async fn a_login_is_exchanged_for_a_token_that_is_used_until_shortly_before_its_end() {
    let google = Google::start().await;
    let own = tokens(&Issuer::login_file(), CLOUD, &google);
    for _ in 0..3 {
        let token = own.token().await.unwrap();
        assert_eq!(token.expose(), "ya29.SENTINEL-TOKEN-1");
    }
    let asked = google.fake.seen(TOKENS);
    assert_eq!(asked.len(), 1);
    let mut form: Vec<(String, String)> = url::form_urlencoded::parse(&asked[0].body)
        .into_owned()
        .collect();
    form.sort();
    let wanted = [
        ("client_id", "client-1"),
        ("client_secret", "SENTINEL-CLIENT-SECRET"),
        ("grant_type", "refresh_token"),
        ("refresh_token", REFRESH_TOKEN),
        ("scope", CLOUD),
    ];
    let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(form, wanted);
    assert!(google.fake.seen("/default/token").is_empty());

    // Tokens that have no more left than our margin are used once each.
    google.issuer.lifetime(quick().token_margin.as_secs());
    let own = tokens(&Issuer::login_file(), CLOUD, &google);
    google.fake.plan(TOKENS, [Fault::Error(503, "UNAVAILABLE")]);
    for number in 2..5 {
        let token = own.token().await.unwrap();
        assert_eq!(token.expose(), format!("ya29.SENTINEL-TOKEN-{number}"));
    }
    google.fake.assert_spent();
}

#[tokio::test]
async fn a_persons_calls_are_counted_for_their_project_and_a_machines_are_not() {
    let google = Google::start().await;
    let call = call(&google);
    let person = session(&Issuer::login_file(), &google);
    person.send(&call).await.unwrap();
    google.issuer.revoke_all();
    person.send(&call).await.unwrap();
    google.session().send(&call).await.unwrap();
    let mut file = Issuer::login_file();
    file["quota_project_id"] = json!("");
    session(&file, &google).send(&call).await.unwrap();
    let seen = google.fake.seen(":access");
    let payers = seen.iter().map(|seen| seen.header("x-goog-user-project"));
    let own = "test-project";
    assert_eq!(payers.collect::<Vec<_>>(), [own, own, own, "", ""]);
    file["quota_project_id"] = json!("SENTINEL\n");
    let error = read(&file.to_string(), CLOUD, &google).err().unwrap();
    assert!(error.message.contains("quota_project_id"), "{error}");
    assert_silent(&error);
}

#[tokio::test]
async fn a_login_that_has_ended_is_denied_with_the_command_and_not_quoted() {
    let google = Google::start().await;
    google.issuer.log_out();
    let own = tokens(&Issuer::login_file(), CLOUD, &google);
    let error = own.token().await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied);
    assert!(error.message.contains("400 invalid_grant"), "{error}");
    let hint = error.hint.as_deref().unwrap();
    assert!(
        hint.contains("run `gcloud auth application-default login` again"),
        "{hint}"
    );
    assert_silent(&error);
    assert_eq!(google.fake.seen(TOKENS).len(), 1, "it is not asked twice");

    // The same where somebody in between answers with a page, or with nothing.
    google.fake.plan(TOKENS, [Fault::Page(403)]);
    let error = own.token().await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied);
    assert_silent(&error);
    google.fake.plan(TOKENS, vec![Fault::Cut; 4]);
    let error = own.token().await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    assert_silent(&error);
}

#[tokio::test]
async fn a_login_that_does_not_cover_drive_is_told_the_scopes() {
    let google = Google::start().await;
    let own = tokens(&Issuer::login_file(), DRIVE, &google);
    let error = own.token().await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied);
    let hint = error.hint.unwrap();
    assert!(
        hint.contains(&format!("--scopes={CLOUD},{DRIVE}")),
        "{hint}"
    );
}

#[tokio::test]
async fn a_login_and_a_key_impersonate_an_account() {
    let google = Google::start().await;
    let key = google
        .issuer
        .key_file("https://oauth2.googleapis.com/token");
    let key: Value = serde_json::from_str(&key).unwrap();
    for (source, payer) in [(Issuer::login_file(), "test-project"), (key, "")] {
        let before = google.issuer.issued().len();
        let mut file = Issuer::impersonation_file(&source);
        file["delegates"] = json!(["a@b.example", "projects/-/serviceAccounts/c@d.example"]);
        let own = tokens(&file, DRIVE, &google);
        for _ in 0..3 {
            let token = own.token().await.unwrap();
            assert_eq!(
                token.expose(),
                format!("ya29.SENTINEL-TOKEN-{}", before + 2)
            );
        }
        assert_eq!(own.identity().await, EMAIL);
        let seen = google.fake.seen(IMPERSONATIONS);
        let asked = seen.last().unwrap();
        let first = format!("Bearer ya29.SENTINEL-TOKEN-{}", before + 1);
        assert_eq!(asked.header("authorization"), first);
        assert_eq!(asked.header("x-goog-user-project"), payer);
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        let delegates = ["a@b.example", "c@d.example"];
        let delegates = delegates.map(|name| format!("projects/-/serviceAccounts/{name}"));
        let wanted = json!({"delegates": delegates, "scope": [DRIVE], "lifetime": "3600s"});
        assert_eq!(body, wanted);
    }
    assert_eq!(google.fake.seen(IMPERSONATIONS).len(), 2);
    assert_eq!(google.fake.seen(TOKENS).len(), 2);
}

#[tokio::test]
async fn a_token_of_an_impersonated_account_is_renewed_as_others_are() {
    let google = Google::start().await;
    let file = Issuer::impersonation_file(&Issuer::login_file());
    let (session, call) = (session(&file, &google), call(&google));
    session.send(&call).await.unwrap();
    google.issuer.revoke_all();
    session.send(&call).await.unwrap();
    assert_eq!(google.issuer.issued().len(), 4);
    google.issuer.lifetime(quick().token_margin.as_secs());
    let own = tokens(&file, CLOUD, &google);
    for number in [6, 8, 10] {
        let token = own.token().await.unwrap();
        assert_eq!(token.expose(), format!("ya29.SENTINEL-TOKEN-{number}"));
    }
}

#[tokio::test]
async fn who_may_not_impersonate_is_told_the_role_and_the_account() {
    let google = Google::start().await;
    google.issuer.deny_impersonation();
    let mut login = Issuer::login_file();
    login["account"] = json!("auditor@company.example");
    let own = tokens(&Issuer::impersonation_file(&login), CLOUD, &google);
    let error = own.token().await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied);
    let role = "roles/iam.serviceAccountTokenCreator";
    let grant = format!("grant {role} on service account {EMAIL} to auditor@company.example");
    assert_eq!(error.hint.as_deref(), Some(grant.as_str()));
    assert_silent(&error);

    // A login that has ended is said of the person, and the account is not asked for.
    google.issuer.log_out();
    let error = own.token().await.unwrap_err();
    assert!(error.message.contains("auditor@company.example"), "{error}");
    assert!(error.hint.unwrap().contains("login` again"));
    assert_eq!(google.fake.seen(IMPERSONATIONS).len(), 1);
}

#[tokio::test]
async fn nothing_secret_goes_to_a_place_that_is_not_googles() {
    let google = Google::start().await;
    let field = "service_account_impersonation_url";
    let good = Issuer::impersonation_file(&Issuer::login_file());
    let (url, here) = (good[field].as_str().unwrap(), google.fake.url());
    assert!(read(&good.to_string(), CLOUD, &google).is_ok());
    for (from, to) in [
        ("googleapis.com", "SENTINEL.example"),
        ("googleapis.com", "googleapis.com.SENTINEL.example"),
        ("https://", "http://"),
        ("https://", "https://SENTINEL.example/"),
        ("https://", "https://u:SENTINEL@"),
        ("https://iamcredentials.googleapis.com", here.as_str()),
        ("generateAccessToken", "signBlob"),
        ("generateAccessToken", "generateAccessToken?to=SENTINEL"),
        ("/v1/", "/v1/SENTINEL/"),
        (EMAIL, ""),
        (EMAIL, "a%2Fb"),
    ] {
        let mut file = good.clone();
        let bad = url.replacen(from, to, 1);
        assert_ne!(bad, url);
        file[field] = json!(bad);
        let error = read(&file.to_string(), CLOUD, &google).err().unwrap();
        assert_eq!(error.kind, PortErrorKind::Config, "{bad}");
        assert!(error.message.contains(field), "{bad}: {error}");
        assert_silent(&error);
    }
    for bad in ["https://SENTINEL.example/token", here.as_str()] {
        let mut login = Issuer::login_file();
        login["token_uri"] = json!(bad);
        for file in [login.clone(), Issuer::impersonation_file(&login)] {
            let error = read(&file.to_string(), CLOUD, &google).err().unwrap();
            assert!(error.message.contains("`token_uri`"), "{error}");
            assert_silent(&error);
        }
    }
    assert!(google.fake.seen("").is_empty(), "nobody was asked");
}

#[tokio::test]
async fn credentials_of_another_kind_are_refused_with_what_is_supported() {
    let google = Google::start().await;
    let login = Issuer::login_file();
    for kind in ["external_account", "gdch_service_account", "SENTINEL", ""] {
        let mut file = login.clone();
        file["type"] = json!(kind);
        for file in [file.clone(), Issuer::impersonation_file(&file)] {
            let error = read(&file.to_string(), CLOUD, &google).err().unwrap();
            assert_eq!(error.kind, PortErrorKind::Config);
            let hint = error.hint.as_deref().unwrap();
            for supported in [
                "authorized_user",
                "impersonated_service_account",
                "service_account, a key",
                "(external_account) is not",
            ] {
                assert!(hint.contains(supported), "{supported}: {hint}");
            }
            assert_silent(&error);
        }
    }
    // An impersonation begins with a person or a key, not with another one.
    let twice = Issuer::impersonation_file(&Issuer::impersonation_file(&login));
    let error = read(&twice.to_string(), CLOUD, &google).err().unwrap();
    assert!(error.message.contains("`source_credentials`"), "{error}");
    assert_silent(&error);
    let whole = login.to_string();
    for (from, to) in [
        ("refresh_token", "refresh"),
        ("client_secret", "secret"),
        ("client_id", "client"),
        ("\"type\"", "\"kind\""),
        ("{", "SENTINEL"),
    ] {
        let bad = whole.replacen(from, to, 1);
        assert_ne!(bad, whole);
        let error = read(&bad, CLOUD, &google).err().unwrap();
        assert_eq!(error.kind, PortErrorKind::Config, "{to}");
        assert_silent(&error);
    }
}

#[tokio::test]
async fn a_debug_print_of_credentials_names_who_calls_and_no_secret() {
    let google = Google::start().await;
    let login = Issuer::login_file();
    let shown = |file: &Value| match read(&file.to_string(), CLOUD, &google).unwrap() {
        Origin::AuthorizedUser(user) => format!("{user:?}"),
        Origin::Impersonated(account) => format!("{account:?}"),
        Origin::Metadata(_) | Origin::ServiceAccount(_) => panic!("neither a person nor theirs"),
    };
    let person = "the person who logged in with gcloud";
    assert_eq!(shown(&login), format!("AuthorizedUser({person})"));
    let file = Issuer::impersonation_file(&login);
    assert_eq!(shown(&file), format!("Impersonated({EMAIL} by {person})"));
    let own = tokens(&login, CLOUD, &google);
    own.token().await.unwrap();
    assert_eq!(own.identity().await, person);
    assert!(!format!("{own:?}").contains("SENTINEL"));
}
