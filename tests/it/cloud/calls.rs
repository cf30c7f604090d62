//! Calls: what is repeated, what is not, and what an error says.

use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::any;
use reqwest::Method;
use soxauto::adapters::google::failure::Failure;
use soxauto::adapters::google::http::{Call, Http, Reply};
use soxauto::domain::limits::HttpLimits;
use soxauto::ports::{PortError, PortErrorKind};
use url::Url;

use super::fakes::quick;
use super::fakes::server::{Fake, Fault};

async fn service() -> Fake {
    Fake::serve(Router::new().fallback(any(|| async { "{\"good\": true}" }))).await
}

fn url(fake: &Fake) -> Url {
    Url::parse(&fake.url()).unwrap().join("thing").unwrap()
}

async fn get(fake: &Fake, limits: HttpLimits) -> Result<Reply, Failure> {
    let call = Call::get("reading the thing", url(fake));
    Http::new(limits).unwrap().send(&call, None).await
}

async fn post(fake: &Fake) -> Result<Reply, Failure> {
    let call = Call::new("changing the thing", Method::POST, url(fake));
    Http::new(quick()).unwrap().send(&call, None).await
}

fn said(outcome: Result<Reply, Failure>) -> PortError {
    PortError::from(outcome.err().expect("the call fails"))
}

#[tokio::test]
async fn what_passes_is_waited_for() {
    for fault in [
        Fault::Error(503, "UNAVAILABLE"),
        Fault::Error(500, "INTERNAL"),
        Fault::Error(429, "RESOURCE_EXHAUSTED"),
        Fault::Error(403, "rateLimitExceeded"),
        Fault::Later(429, 0),
        Fault::Page(502),
        Fault::Cut,
        Fault::LostReply,
        Fault::HalfReply,
        Fault::Slow(Duration::from_millis(900)),
    ] {
        let fake = service().await;
        fake.plan("GET /thing", [fault.clone(), fault.clone()]);
        let reply = get(&fake, quick())
            .await
            .unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        assert_eq!(&reply.body[..], b"{\"good\": true}");
        assert_eq!(fake.seen("GET /thing").len(), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn a_service_that_stays_down_is_named_with_the_attempts() {
    let fake = service().await;
    fake.plan("GET", vec![Fault::Error(503, "UNAVAILABLE"); 9]);
    let error = said(get(&fake, quick()).await);
    assert_eq!(fake.seen("GET").len(), 4);
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    let text = error.to_string();
    assert!(text.starts_with("reading the thing: 127.0.0.1 answered 503 UNAVAILABLE after 4 attempts: planned\nhint: "), "{text}");
}

#[tokio::test]
async fn what_does_not_pass_is_not_repeated() {
    for (status, kind) in [
        (400, PortErrorKind::Query),
        (403, PortErrorKind::Denied),
        (404, PortErrorKind::Config),
        (409, PortErrorKind::Query),
        (412, PortErrorKind::Query),
        (302, PortErrorKind::Query),
        (308, PortErrorKind::Query),
    ] {
        let fake = service().await;
        fake.plan("GET", vec![Fault::Error(status, "REASON"); 2]);
        let error = said(get(&fake, quick()).await);
        assert_eq!(error.kind, kind, "{status}");
        assert!(
            error
                .to_string()
                .contains(&format!("answered {status} REASON")),
            "{error}"
        );
        assert_eq!(fake.seen("GET").len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_call_that_is_not_declared_repeatable_is_sent_once() {
    for fault in [
        Fault::Error(503, "UNAVAILABLE"),
        Fault::Later(429, 0),
        Fault::Cut,
        Fault::LostReply,
        Fault::HalfReply,
    ] {
        let fake = service().await;
        fake.plan("POST", [fault.clone()]);
        assert!(post(&fake).await.is_err(), "{fault:?}");
        assert_eq!(fake.seen("POST").len(), 1, "{fault:?}");
        assert!(post(&fake).await.is_ok());
    }
}

/// 308 is a redirect to everything but an upload in pieces, which declares that it means something to it.
#[tokio::test]
async fn a_redirect_is_good_only_to_a_call_that_declares_it() {
    let fake = service().await;
    for status in [301, 302, 303, 307, 308] {
        fake.plan("PUT", [Fault::Page(status), Fault::Page(status)]);
        let plain = Call::new("sending the thing", Method::PUT, url(&fake));
        let http = Http::new(quick()).unwrap();
        let error = said(http.send(&plain, None).await);
        assert!(error.hint.unwrap().contains("proxy"), "{status}");
        let in_pieces = http.send(&plain.resumable(), None).await;
        let is_good = in_pieces.is_ok_and(|reply| reply.status == 308);
        assert_eq!(is_good, status == 308, "{status}");
    }
    fake.assert_spent();
}

#[tokio::test]
async fn a_page_for_people_keeps_its_status_and_is_not_printed() {
    let fake = service().await;
    fake.plan("POST", [Fault::Page(502)]);
    let failure = post(&fake).await.err().unwrap();
    assert!(failure.is(502));
    let debugged = format!("{failure:?}");
    let text = format!("{debugged} {}", PortError::from(failure));
    assert!(
        text.contains("answered 502") && !text.contains("SENTINEL"),
        "{text}"
    );
}

#[tokio::test]
async fn the_pause_that_is_asked_for_is_kept() {
    let fake = service().await;
    fake.plan("GET", [Fault::Later(429, 1)]);
    let begun = Instant::now();
    get(&fake, quick()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    // Longer than we wait: given up at once, rather than asked again too early.
    fake.plan("GET", [Fault::Later(503, 60)]);
    assert!(get(&fake, quick()).await.err().unwrap().is(503));
    fake.assert_spent();
}

#[tokio::test]
async fn a_silent_service_is_a_timeout_and_a_closed_port_unreachable() {
    let fake = service().await;
    fake.plan("POST", [Fault::Slow(Duration::from_secs(60))]);
    let error = said(post(&fake).await);
    assert_eq!(error.kind, PortErrorKind::Timeout);
    assert!(
        error.is_retryable,
        "the caller judges whether the whole may be tried again"
    );

    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let call = Call::get(
        "reading the thing",
        Url::parse(&format!("http://{closed}")).unwrap(),
    );
    let error = said(Http::new(quick()).unwrap().send(&call, None).await);
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    assert!(
        error
            .to_string()
            .contains("after 4 attempts: Connection refused"),
        "{error}"
    );
    assert!(error.hint.unwrap().contains("VPC egress"));
}

#[tokio::test]
async fn a_reply_is_held_only_to_its_limit() {
    let fake = service().await;
    let bytes = b"{\"good\": true}".len();
    let limits = |reply_bytes_max| HttpLimits {
        reply_bytes_max,
        ..quick()
    };
    assert!(get(&fake, limits(bytes)).await.is_ok());
    let error = said(get(&fake, limits(bytes - 1)).await);
    assert_eq!(error.kind, PortErrorKind::Limit);
    assert_eq!(fake.seen("GET").len(), 2, "a long reply stays long");
}

#[tokio::test]
async fn a_reply_that_is_another_document_is_corrupt_and_says_nothing_of_it() {
    let fake = service().await;
    let call = Call::get("reading the thing", url(&fake));
    let reply = Http::new(quick()).unwrap().send(&call, None).await.unwrap();
    let good: serde_json::Value = reply.document(&call).unwrap();
    assert_eq!(good["good"], true);
    let error = reply.document::<Vec<u8>>(&call).unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    assert!(!error.to_string().contains("good"), "{error}");
}
