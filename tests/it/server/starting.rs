//! Runs that are being started: whoever waits for that waits within limits, and a stop meets them too.

use std::time::{Duration, Instant};

use serde_json::json;
use soxauto::settings::ServiceSettings;

use super::{JSON, Reply, Served, Silent, open_settings, stuck_settings};
use crate::cloud::fakes::Google;
use crate::cloud::fakes::server::Fault;
use crate::journey::Place;

const APRIL: &str = r#"{"cutoff_date": "2024-05-01", "ipes": ["CR_04"]}"#;

/// The leases are asked for in this list, before a run begins.
const LEASES: &str = "GET /storage/v1/b/evidence/o";

fn in_buckets(mut settings: ServiceSettings, google: &Google) -> ServiceSettings {
    settings.run.staging = "gs://staging/x".to_owned();
    settings.run.evidence = "gs://evidence/x".to_owned();
    settings.run.google = google.settings();
    settings
}

async fn post(served: &Served) -> Reply {
    let headers = format!("{JSON}Prefer: respond-async\r\n");
    served.ask("POST /", &headers, APRIL).await
}

/// Waits until the start of a run is held up.
async fn until_asked(google: &Google) {
    while google.fake.seen(LEASES).is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_being_started_when_the_service_stops_is_stopped_too() {
    let (place, silent, google) = (Place::new(), Silent::new(), Google::start().await);
    let served = Served::start(in_buckets(stuck_settings(&place, &silent), &google)).await;
    let held_up = Duration::from_millis(1_500);
    google.fake.plan(LEASES, [Fault::Slow(held_up)]);
    let asked = Instant::now();
    let stop = served.stop.clone();
    let stopping = async {
        until_asked(&google).await;
        stop.cancel();
    };
    let (reply, ()) = tokio::join!(post(&served), stopping);
    assert_eq!(reply.status, 202, "{reply:?}");
    assert!(asked.elapsed() >= held_up, "it was met while it started");
    // The source never says a word: the run ends because it is told to, and has its package.
    assert!(served.stopped().await);
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(7), "{took:?}");
    let sealed = google.buckets.objects("evidence").into_keys();
    let sealed = sealed.filter(|name| name.ends_with("manifest-sha256.txt"));
    assert_eq!(sealed.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_start_is_told_to_come_again_and_the_first_runs() {
    let (place, google) = (Place::new(), Google::start().await);
    let mut settings = in_buckets(open_settings(&place), &google);
    settings.limits.request_timeout = Duration::from_millis(400);
    settings.limits.starts_waiting_max = 2;
    let served = Served::start(settings).await;
    let held_up = Duration::from_millis(2_500);
    google.fake.plan(LEASES, [Fault::Slow(held_up)]);
    let begun = Instant::now();
    let others = async {
        until_asked(&google).await;
        let asked = Instant::now();
        let replies = futures::future::join_all((0..6).map(|_| post(&served))).await;
        assert_eq!(served.get("/health").await.status, 200);
        (replies, asked.elapsed())
    };
    let (first, (replies, took)) = tokio::join!(post(&served), others);
    for reply in &replies {
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (503, "busy"),
            "{reply:?}"
        );
        assert_eq!(reply.header("retry-after"), Some("10"));
    }
    let full = replies
        .iter()
        .filter(|reply| reply.body.contains("too many"));
    assert_eq!(full.count(), 4, "two wait, the others are told at once");
    assert!(took < Duration::from_millis(1_500), "{took:?}");
    assert!(
        begun.elapsed() >= held_up,
        "the first was held up all the while"
    );
    assert_eq!(first.status, 202, "{first:?}");
    let run_id = first.json()["run_id"].as_str().unwrap().to_owned();
    served
        .until(&run_id, |run| run["status"] == "SUCCESS")
        .await;
}

/// Any page can make its reader's browser send a request to a service on his machine; it cannot hide where it is from.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_web_starts_nothing() {
    let place = Place::new();
    let served = Served::start(open_settings(&place)).await;
    let page = "Origin: https://page.example\r\n";
    for (headers, body) in [
        (page, ""),
        (page, " "),
        ("Origin: null\r\n", ""),
        ("Origin: http://127.0.0.1:8080\r\n", ""),
        ("Sec-Fetch-Site: cross-site\r\n", ""),
        ("Sec-Fetch-Site: same-site\r\n", ""),
        ("Sec-Fetch-Site: same-origin\r\n", ""),
        (
            "Origin: https://page.example\r\nContent-Type: application/json\r\n",
            APRIL,
        ),
    ] {
        let reply = served.ask("POST /", headers, body).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (403, "of_a_page"),
            "{headers}"
        );
    }
    assert_eq!(served.get("/runs").await.json(), json!({"runs": []}));
    // Programs send neither, and what a person's own browser sends for him alone is from no page: the body is read.
    for headers in [JSON.to_owned(), format!("{JSON}Sec-Fetch-Site: none\r\n")] {
        let reply = served.ask("POST /", &headers, "[]").await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "malformed"));
    }
}
