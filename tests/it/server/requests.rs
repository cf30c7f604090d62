//! Single requests: the guide's endpoints, and every way to ask wrongly.

use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use serde_json::json;
use soxauto::domain::limits::ServerLimits;
use soxauto::server::{ROUTES, Service, document};
use soxauto::settings::ServiceSettings;

use super::{JSON, Served, Silent, open_settings, raw, stuck_settings};
use crate::journey::Place;

async fn open() -> (Place, Served) {
    let place = Place::new();
    let served = Served::start(open_settings(&place)).await;
    (place, served)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_questions_have_the_guides_answers() {
    let (_place, served) = open().await;
    let health = served.get("/health").await;
    assert_eq!(health.status, 200);
    assert_eq!(health.json()["status"], "healthy");
    assert_eq!(health.json()["service"], "SOXauto-PG01");
    let config = served.get("/config").await.json();
    assert_eq!(config["project_id"], "test-project");
    assert_eq!(config["total_ipes"], crate::support::asked().len());
    assert_eq!(config["configured_ipes"][1]["id"], "CR_04");
    assert!(config["configured_ipes"][1]["description"].is_string());
    assert!(config["bigquery_dataset"].is_null());
    assert_eq!(config["catalog_sha256"].as_str().unwrap().len(), 64);
    let ready = served.get("/ready").await;
    assert_eq!(
        (ready.status, ready.json()["status"].as_str()),
        (200, Some("ready"))
    );
    let metrics = served.get("/metrics").await;
    assert!(
        metrics.body.contains("soxauto_runs_in_flight 0\n"),
        "{metrics:?}"
    );
    assert!(
        metrics.body.contains("process_resident_memory_bytes "),
        "{metrics:?}"
    );
    assert_eq!(served.get("/runs").await.json(), json!({"runs": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_refused_and_starts_nothing() {
    let (_place, served) = open().await;
    for (body, code, part) in [
        (
            r#"{"cutoff_date": "2025-09-30"}"#,
            "cutoff",
            "2025-08 (cutoff 2025-09-01)",
        ),
        (
            r#"{"cutoff_date": "2025-09-30"}"#,
            "cutoff",
            "2025-09 (cutoff 2025-10-01)",
        ),
        (r#"{"cutoff_date": "yesterday"}"#, "cutoff", "yesterday"),
        (
            r#"{"cutoff_date": "2999-01-01"}"#,
            "month_not_ended",
            "2998-12",
        ),
        (
            r#"{"cutoff_date": 20240501}"#,
            "unknown_field_or_type",
            "invalid type",
        ),
        (
            r#"{"cutoff": "2024-05-01"}"#,
            "unknown_field_or_type",
            "unknown field `cutoff`",
        ),
        (
            r#"{"ipes": "IPE_07"}"#,
            "unknown_field_or_type",
            "invalid type",
        ),
        (r#"{"ipes": []}"#, "no_items", "empty"),
        (r#"{"ipes": ["IPE_99"]}"#, "unknown_item", "IPE_99"),
        (
            r#"{"preliminary": 1}"#,
            "unknown_field_or_type",
            "invalid type",
        ),
        (r#"{"cutoff_date": null"#, "malformed", "EOF"),
        ("[null, null, null]", "malformed", "no JSON object"),
        ("\u{0}", "malformed", "no JSON object"),
    ] {
        let reply = served.post(body).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, code),
            "{body} {reply:?}"
        );
        assert!(reply.body.contains(part), "{body} {reply:?}");
    }
    for headers in ["", "Content-Type: application/x-www-form-urlencoded\r\n"] {
        let reply = served
            .ask("POST /", headers, r#"{"cutoff_date": "2024-05-01"}"#)
            .await;
        assert_eq!((reply.status, reply.code().as_str()), (415, "content_type"));
    }
    assert_eq!(served.get("/runs").await.json(), json!({"runs": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_paths_and_methods_are_json_errors_too() {
    let (_place, served) = open().await;
    for (line, status, code) in [
        ("GET /nothing", 404, "not_found"),
        ("GET /runs/20240501T090000Z-1a2b3c4d", 404, "unknown_run"),
        ("GET /", 405, "method_not_allowed"),
        ("DELETE /health", 405, "method_not_allowed"),
        ("BREW /runs", 405, "method_not_allowed"),
    ] {
        let reply = served.ask(line, "", "").await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{line}"
        );
    }
    assert!(served.ask("GET /", "", "").await.header("allow").is_some());
    assert!(
        served
            .get("/metrics")
            .await
            .body
            .contains("soxauto_http_refusals_total{status=\"404\"} 2\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn long_and_slow_requests_end_within_their_limits() {
    let place = Place::new();
    let limits = ServerLimits {
        head_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        body_bytes_max: 1_000,
        ..ServerLimits::default()
    };
    let served = Served::start(ServiceSettings {
        limits,
        ..open_settings(&place)
    })
    .await;
    let long = format!(r#"{{"cutoff_date": "{}"}}"#, "2".repeat(1_000));
    let reply = served.post(&long).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (413, "body_too_long")
    );
    let begun = Instant::now();
    let slow = format!(
        "POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 9\r\n{JSON}\r\n{{"
    );
    let reply = raw(served.address, slow.as_bytes()).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (408, "body_too_slow")
    );
    let reply = raw(
        served.address,
        b"GET /health HTTP/1.1\r\nHost: t\r\nX-Slow: ",
    )
    .await;
    assert_ne!(reply.status, 200, "{reply:?}");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    let many = format!(
        "GET /health HTTP/1.1\r\nHost: t\r\nX: {}\r\n\r\n",
        "y".repeat(64 << 10)
    );
    let reply = raw(served.address, many.as_bytes()).await;
    assert!(
        (400..500).contains(&reply.status) || reply.status == 0,
        "{reply:?}"
    );
    for garbage in [
        "\r\n\r\n\r\n",
        "GET",
        "\u{16}\u{3}\u{1}hello",
        "GET / HTTP/9.9\r\n\r\n",
    ] {
        let reply = raw(served.address, garbage.as_bytes()).await;
        assert!(reply.status < 500, "{garbage:?} {reply:?}");
    }
    assert_eq!(served.get("/health").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_json_error_and_the_service_goes_on() {
    async fn broken() -> &'static str {
        panic!("planned")
    }
    let place = Place::new();
    let service = Service::new(open_settings(&place)).unwrap();
    let router = Router::new()
        .route("/broken", get(broken))
        .route("/fine", get(|| async { "fine" }));
    let served = Served::over(router, service).await;
    for _ in 0..2 {
        let reply = served.get("/broken").await;
        assert_eq!((reply.status, reply.code().as_str()), (500, "internal"));
        assert!(!reply.body.contains("planned"), "{reply:?}");
    }
    assert_eq!(served.get("/fine").await.body, "fine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_does_not_end_is_given_up() {
    let place = Place::new();
    let limits = ServerLimits {
        request_timeout: Duration::from_millis(200),
        ..ServerLimits::default()
    };
    let service = Service::new(ServiceSettings {
        limits,
        ..open_settings(&place)
    })
    .unwrap();
    let router = Router::new().route("/never", get(std::future::pending::<&'static str>));
    let served = Served::over(router, service).await;
    let reply = served.get("/never").await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "too_slow"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_shows_no_secret() {
    let (place, silent) = (Place::new(), Silent::new());
    let mut settings = stuck_settings(&place, &silent);
    settings.run.staging =
        "https://user:SENTINEL-PASSWORD@host/staging?sig=SENTINEL-PASSWORD".into();
    let served = Served::start(settings).await;
    for path in ["/config", "/ready", "/runs", "/metrics", "/openapi.json"] {
        let reply = served.get(path).await;
        assert!(!reply.body.contains("SENTINEL"), "{path} {reply:?}");
    }
    let config = served.get("/config").await.json();
    assert_eq!(config["staging"], "https://host/staging");
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_the_server_and_is_asked_once_for_a_while() {
    let (place, silent) = (Place::new(), Silent::new());
    let served = Served::start(stuck_settings(&place, &silent)).await;
    assert_eq!(served.get("/ready").await.status, 200);
    let port = silent.connection_string();
    drop(silent);
    // The answer is kept.
    assert_eq!(served.get("/ready").await.status, 200);
    let again = Place::new();
    again.secret(&port);
    let mut settings = open_settings(&again);
    settings.run.source = again.settings("").source;
    settings.limits.ready_timeout = Duration::from_secs(1);
    let served = Served::start(settings).await;
    let reply = served.get("/ready").await;
    assert_eq!(
        (reply.status, reply.json()["status"].as_str()),
        (503, Some("not ready"))
    );
    let source = &reply.json()["dependencies"][0];
    assert_eq!(
        (source["name"].as_str(), source["is_ready"].as_bool()),
        (Some("source"), Some(false))
    );
    assert!(!reply.body.contains("SENTINEL"), "{reply:?}");
    assert_eq!(served.get("/health").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_names_every_route_and_no_other() {
    let (_place, served) = open().await;
    let served = served.get("/openapi.json").await.json();
    assert_eq!(served, document());
    assert_eq!(served["openapi"], "3.1.0");
    let paths = served["paths"].as_object().unwrap().iter();
    let mut described: Vec<(String, String)> = paths
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| (method.clone(), path.clone()))
        })
        .collect();
    let mut routes: Vec<(String, String)> = ROUTES
        .iter()
        .map(|(method, path)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    described.sort();
    routes.sort();
    assert_eq!(described, routes);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_named_route_is_answered() {
    let (_place, served) = open().await;
    for (method, path) in ROUTES {
        let line = format!("{} {}", method.to_uppercase(), path);
        // A body that cannot be meant, so that nothing starts.
        let reply = served.ask(&line, JSON, "[]").await;
        let is_there =
            reply.status != 405 && (reply.status != 404 || reply.code() == "unknown_run");
        assert!(is_there, "{line} {reply:?}");
    }
}
