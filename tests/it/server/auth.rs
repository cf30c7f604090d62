//! Identity tokens: the one that is right is let in, and every other is not, with no word why.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use soxauto::app::SystemClock;
use soxauto::ports::Clock as _;
use soxauto::settings::{Access, ServiceSettings, TokenRules};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{Reply, Served, open_settings};
use crate::journey::Place;

pub(super) const AUDIENCE: &str = "https://soxauto.example";
pub(super) const EMAIL: &str = "scheduler@test-project.iam.gserviceaccount.com";

/// A key pair, its public half in the form in which it is published.
pub(super) struct Signer {
    key: EncodingKey,
    pub(super) published: Value,
    modulus: Vec<u8>,
}

impl Signer {
    pub(super) fn new(kid: &str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let pem = base64::engine::general_purpose::STANDARD.encode(pkcs8.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n");
        let public = aws_lc_rs::signature::KeyPair::public_key(&pair);
        let modulus = public.modulus().big_endian_without_leading_zero().to_vec();
        let exponent = public.exponent().big_endian_without_leading_zero().to_vec();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Self {
            key: EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
            published: json!({"kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid, "n": text(&modulus), "e": text(&exponent)}),
            modulus,
        }
    }

    pub(super) fn sign(&self, kid: &str, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(kid.to_owned());
        encode(&header, claims, &self.key).unwrap()
    }
}

/// Publishes keys, and counts who asks.
pub(super) struct Publisher {
    pub(super) url: String,
    says: Arc<Mutex<Says>>,
    asked: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

/// What whoever asks is told.
#[derive(Clone)]
pub(super) struct Says {
    pub(super) keys: Vec<Value>,
    pub(super) max_age: u64,
    pub(super) status: u16,
    pub(super) after: Duration,
}

impl Publisher {
    pub(super) async fn start(keys: Vec<Value>) -> Self {
        let says = Says {
            keys,
            max_age: 600,
            status: 200,
            after: Duration::ZERO,
        };
        let (says, asked) = (Arc::new(Mutex::new(says)), Arc::new(AtomicUsize::new(0)));
        let (shared, count) = (Arc::clone(&says), Arc::clone(&asked));
        let answer = move || {
            count.fetch_add(1, Ordering::SeqCst);
            let said = shared.lock().unwrap().clone();
            async move {
                tokio::time::sleep(said.after).await;
                (
                    StatusCode::from_u16(said.status).unwrap(),
                    [(CACHE_CONTROL, format!("public, max-age={}", said.max_age))],
                    axum::Json(json!({"keys": said.keys})),
                )
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/certs", listener.local_addr().unwrap());
        let mut serving = JoinSet::new();
        let router = Router::new().route("/certs", get(answer));
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            says,
            asked,
            _serving: serving,
        }
    }

    /// Changes what it says from now on.
    pub(super) fn change(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().unwrap());
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

pub(super) fn claims() -> Value {
    let now = SystemClock.now().timestamp();
    json!({"iss": "https://accounts.google.com", "aud": AUDIENCE, "sub": "1", "email": EMAIL, "email_verified": true, "iat": now - 5, "exp": now + 3_600})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

/// Settings of a service that lets in whom these keys prove to be one of these.
pub(super) fn guarded(place: &Place, publisher: &Publisher, emails: &[&str]) -> ServiceSettings {
    let mut settings = open_settings(place);
    settings.access = Access::Tokens(TokenRules {
        audiences: vec![AUDIENCE.to_owned()],
        emails: emails.iter().map(|email| (*email).to_owned()).collect(),
        keys_url: publisher.url.clone(),
    });
    settings
}

async fn served(place: &Place, publisher: &Publisher, emails: &[&str]) -> Served {
    Served::start(guarded(place, publisher, emails)).await
}

pub(super) async fn with_token(served: &Served, path: &str, token: &str) -> Reply {
    served
        .ask(
            &format!("GET {path}"),
            &format!("Authorization: Bearer {token}\r\n"),
            "",
        )
        .await
}

pub(super) fn assert_refused(reply: &Reply, what: &str) {
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (401, "unauthorized"),
        "{what} {reply:?}"
    );
    assert_eq!(reply.header("www-authenticate"), Some("bearer"), "{what}");
    for word in ["expired", "audience", "issuer", "signature", "key"] {
        assert!(
            !reply.body.contains(word),
            "{what} says {word}: {}",
            reply.body
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_token_is_let_in_and_every_other_is_not() {
    let (place, signer, stranger) = (Place::new(), Signer::new("k1"), Signer::new("k1"));
    let publisher = Publisher::start(vec![
        json!({"kty": "EC", "kid": "ec"}),
        signer.published.clone(),
    ])
    .await;
    let served = served(&place, &publisher, &[EMAIL]).await;
    for issuer in ["https://accounts.google.com", "accounts.google.com"] {
        let token = signer.sign("k1", &with("iss", json!(issuer)));
        assert_eq!(
            with_token(&served, "/config", &token).await.status,
            200,
            "{issuer}"
        );
    }
    let now = SystemClock.now().timestamp();
    let barely = signer.sign("k1", &with("exp", json!(now - 30)));
    assert_eq!(
        with_token(&served, "/config", &barely).await.status,
        200,
        "within the skew"
    );
    for (what, wrong) in [
        ("expired", with("exp", json!(now - 120))),
        ("future", with("iat", json!(now + 120))),
        ("audience", with("aud", json!("https://other.example"))),
        ("audiences", with("aud", json!([AUDIENCE]))),
        ("issuer", with("iss", json!("https://accounts.example.com"))),
        (
            "email",
            with("email", json!("other@test-project.iam.gserviceaccount.com")),
        ),
        ("unverified", with("email_verified", json!(false))),
        ("no email", with("email", Value::Null)),
        (
            "no times",
            json!({"iss": "accounts.google.com", "aud": AUDIENCE, "email": EMAIL, "email_verified": true}),
        ),
    ] {
        let reply = with_token(&served, "/config", &signer.sign("k1", &wrong)).await;
        assert_refused(&reply, what);
    }
    assert_refused(
        &with_token(&served, "/config", &stranger.sign("k1", &claims())).await,
        "another key",
    );
    assert_eq!(served.get("/health").await.status, 200);
    for path in [
        "/config",
        "/ready",
        "/runs",
        "/metrics",
        "/openapi.json",
        "/nothing",
    ] {
        assert_refused(&served.get(path).await, path);
    }
    assert_refused(&served.post("{}").await, "a run");
    let basic = served
        .ask("GET /config", "Authorization: Basic dTpw\r\n", "")
        .await;
    assert_refused(&basic, "basic");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_choose_their_own_algorithm_are_refused() {
    let (place, signer) = (Place::new(), Signer::new("k1"));
    let publisher = Publisher::start(vec![signer.published.clone()]).await;
    let served = served(&place, &publisher, &[EMAIL]).await;
    let good = signer.sign("k1", &claims());
    assert_eq!(with_token(&served, "/config", &good).await.status, 200);
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let none = format!(
        "{}.{}.",
        text(&json!({"alg": "none", "kid": "k1"})),
        text(&claims())
    );
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("k1".to_owned());
    let hs = encode(
        &header,
        &claims(),
        &EncodingKey::from_secret(&signer.modulus),
    )
    .unwrap();
    let pieces: Vec<&str> = good.split('.').collect();
    let forged = format!(
        "{}.{}.{}",
        pieces[0],
        text(&with("sub", json!("2"))),
        pieces[2]
    );
    let stripped = format!("{}.{}.", pieces[0], pieces[1]);
    let long = "x".repeat(9_000);
    for (what, token) in [
        ("none", none),
        ("hs256", hs),
        ("forged", forged),
        ("stripped", stripped),
        ("long", long),
        ("empty", String::new()),
    ] {
        assert_refused(&with_token(&served, "/config", &token).await, what);
    }
}

/// Anybody who has an account can have a token made for the address of a service.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_list_of_callers_nobody_is_let_in() {
    let (place, signer) = (Place::new(), Signer::new("k1"));
    let publisher = Publisher::start(vec![signer.published.clone()]).await;
    let token = signer.sign("k1", &claims());
    let nobody = served(&place, &publisher, &[]).await;
    assert_refused(&with_token(&nobody, "/config", &token).await, "no list");
    let listed = served(&place, &publisher, &["other@x.example", EMAIL]).await;
    assert_eq!(with_token(&listed, "/config", &token).await.status, 200);
}
