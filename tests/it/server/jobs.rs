//! Runs that a job makes: started once a month whatever happens to the reply, and never without being asked for.

use std::time::Duration;

use serde_json::json;
use soxauto::domain::limits::{Limits, ServerLimits};
use soxauto::settings::ServiceSettings;

use super::{JSON, Reply, Served, Silent, open_settings, stuck_settings};
use crate::cli::Shell;
use crate::cloud::fakes::cloud_run::JOB;
use crate::cloud::fakes::server::Fault;
use crate::cloud::fakes::{Google, quick};
use crate::journey::Place;

const APRIL: &str = r#"{"cutoff_date": "2024-05-01", "ipes": ["CR_04"]}"#;
const START: &str = "POST /v2/";

pub(super) fn settings(place: &Place, google: &Google) -> ServiceSettings {
    let mut settings = open_settings(place);
    settings.async_job = Some(JOB.parse().unwrap());
    settings.run.google = google.settings();
    settings.run.limits = Limits {
        http: quick(),
        ..settings.run.limits
    };
    settings
}

async fn service() -> (Place, Google, Served) {
    service_within(ServerLimits::default()).await
}

async fn service_within(limits: ServerLimits) -> (Place, Google, Served) {
    let (place, google) = (Place::new(), Google::start().await);
    let mut settings = settings(&place, &google);
    settings.limits = limits;
    let served = Served::start(settings).await;
    (place, google, served)
}

async fn ask(served: &Served, body: &str) -> Reply {
    let headers = format!("{JSON}Prefer: respond-async\r\n");
    served.ask("POST /", &headers, body).await
}

fn refused(reply: &Reply) -> (u16, String, String) {
    let error = reply.json()["error"].clone();
    let text = format!("{} {}", error["message"], error["hint"]);
    (reply.status, reply.code(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_wait_starts_the_job_and_follows_its_execution() {
    let (_place, google, served) = service().await;
    let reply = ask(&served, APRIL).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    let path = reply.header("location").unwrap().to_owned();
    assert_eq!(path, "/runs/soxauto-pg01-run-x1");
    let said = reply.json();
    assert_eq!(said["execution"], "soxauto-pg01-run-x1");
    assert_eq!(
        (&said["status"], &said["cutoff_date"]),
        (&json!("PENDING"), &json!("2024-05-01"))
    );
    assert_eq!(
        google.executions.arguments(),
        [["run", "--cutoff-date=2024-05-01", "--ipe=CR_04"]]
    );
    for (counts, status) in [
        (json!({"runningCount": 1}), "RUNNING"),
        (
            json!({"runningCount": 0, "failedCount": 1, "completionTime": "2024-05-01T10:00:00Z"}),
            "FAILED",
        ),
    ] {
        google.executions.stands("x1", counts);
        let run = served.get(&path).await.json();
        assert_eq!(run["status"], status, "{run}");
        assert_eq!(run["log_uri"], "https://console.example/logs");
    }
    assert_eq!(
        served.get("/runs").await.json(),
        json!({"runs": []}),
        "nothing runs here"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_header_no_job_is_started() {
    let (_place, google, served) = service().await;
    let reply = served.post(APRIL).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(google.fake.seen("/v2/").is_empty());
    let month = r#"{"cutoff_date": "2024-05-02"}"#;
    assert_eq!(ask(&served, month).await.status, 400);
    let open = r#"{"cutoff_date": "2999-01-01"}"#;
    assert_eq!(refused(&ask(&served, open).await).1, "month_not_ended");
    assert!(google.fake.seen("/v2/").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_whose_books_are_open_is_started_if_that_is_said() {
    let (_place, google, served) = service().await;
    let body = r#"{"cutoff_date": "2999-01-01", "preliminary": true}"#;
    assert_eq!(ask(&served, body).await.status, 202);
    assert_eq!(
        google.executions.arguments(),
        [["run", "--cutoff-date=2999-01-01", "--preliminary"]]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_of_the_month_is_409_and_of_another_429_whoever_started_it() {
    let (_place, google, served) = service().await;
    let other = google.executions.left(&["doctor"]);
    let by_hand = google.executions.left(&["run", "--period=2024-04"]);
    for _ in 0..3 {
        google.executions.left(&["clean"]);
    }
    let reply = ask(&served, APRIL).await;
    let (status, code, _) = refused(&reply);
    assert_eq!((status, code.as_str()), (409, "at_work"), "{reply:?}");
    assert_eq!(reply.json()["error"]["run_id"], by_hand.as_str());
    let march = r#"{"cutoff_date": "2024-04-01"}"#;
    let (status, code, _) = refused(&ask(&served, march).await);
    assert_eq!((status, code.as_str()), (429, "one_at_a_time"));
    let done = json!({"succeededCount": 1, "completionTime": "2024-05-01T10:00:00Z"});
    google.executions.stands(&by_hand, done.clone());
    // The same month without the item that is asked for: nobody is at work on that.
    let others = ["run", "--period=2024-04", "--ipe", "CR_05,IPE_07"];
    let others = google.executions.left(&others);
    let (status, code, text) = refused(&ask(&served, APRIL).await);
    assert_eq!((status, code.as_str()), (429, "one_at_a_time"));
    assert!(text.contains("CR_04"), "{text}");
    let among = r#"{"cutoff_date": "2024-05-01", "ipes": ["CR_05"]}"#;
    let (status, code, _) = refused(&ask(&served, among).await);
    assert_eq!((status, code.as_str()), (409, "at_work"));
    assert_eq!(google.fake.seen(START).len(), 0);
    google.executions.stands(&others, done);
    assert_eq!(
        ask(&served, APRIL).await.status,
        202,
        "{other} runs no month"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_repeated_requests_one_starts_though_nothing_is_listed_yet() {
    let (_place, google, served) = service().await;
    google.executions.list_nothing();
    let asking = (0..6).map(|_| ask(&served, APRIL));
    let replies = futures::future::join_all(asking).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409, 409, 409, 409, 409]);
    assert_eq!(google.executions.arguments().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_that_somebody_holds_is_409_and_no_job_is_started() {
    let (place, silent, google) = (Place::new(), Silent::new(), Google::start().await);
    let first = Served::start(stuck_settings(&place, &silent)).await;
    let second = Served::start(settings(&place, &google)).await;
    let run_id = first.begin(APRIL).await;
    first
        .until(&run_id, |run| run["ipes"]["CR_04"]["stage"] == "open")
        .await;
    let reply = ask(&second, APRIL).await;
    assert_eq!(reply.status, 409, "{reply:?}");
    assert_eq!(reply.json()["error"]["run_id"], run_id.as_str());
    assert!(google.fake.seen("/v2/").is_empty());
    // The instance that is at work here says so before it asks anybody.
    assert!(first.stopped().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_is_found_among_the_executions_and_not_sent_again() {
    for fault in [Fault::LostReply, Fault::Slow(Duration::from_secs(60))] {
        let (_place, google, served) = service().await;
        google.fake.plan(START, [fault.clone()]);
        let reply = ask(&served, APRIL).await;
        let is_served = matches!(fault, Fault::LostReply);
        let started = google.executions.arguments().len();
        assert_eq!(started, usize::from(is_served), "{fault:?}");
        assert_eq!(google.fake.seen(START).len(), 1, "{fault:?}");
        if is_served {
            assert_eq!(reply.status, 202, "{reply:?}");
            assert_eq!(reply.json()["execution"], "soxauto-pg01-run-x1");
        } else {
            let (status, code, text) = refused(&reply);
            assert_eq!((status, code.as_str()), (503, "start_not_known"));
            assert!(text.contains("not known whether"), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_an_execution_is_open_and_none_is_started_beside_it_for_a_while() {
    for fault in [
        Fault::Cut,
        Fault::Error(503, "UNAVAILABLE"),
        Fault::Page(502),
        Fault::HalfReply,
    ] {
        let (_place, google, served) = service_within(ServerLimits {
            job_unlisted_max: Duration::from_secs(1),
            ..ServerLimits::default()
        })
        .await;
        google.executions.left(&["doctor"]);
        google.fake.plan(START, [fault.clone()]);
        for _ in 0..2 {
            let reply = ask(&served, APRIL).await;
            let (status, code, text) = refused(&reply);
            assert_eq!((status, code.as_str()), (503, "start_not_known"), "{text}");
            assert_eq!(reply.header("retry-after"), Some("60"));
            assert!(text.contains("not known whether"), "{fault:?}: {text}");
            assert!(!text.contains("SENTINEL"), "{text}");
            assert_eq!(google.fake.seen(START).len(), 1, "{fault:?}");
        }
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        assert_eq!(ask(&served, APRIL).await.status, 202, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_shows_itself_late_is_named_and_not_started_again() {
    let (_place, google, served) = service().await;
    google.executions.list_nothing();
    google.fake.plan(START, [Fault::LostReply]);
    for _ in 0..2 {
        let (status, code, _) = refused(&ask(&served, APRIL).await);
        assert_eq!((status, code.as_str()), (503, "start_not_known"));
    }
    google.executions.list_again();
    let reply = ask(&served, APRIL).await;
    let (status, code, _) = refused(&reply);
    assert_eq!((status, code.as_str()), (409, "at_work"));
    assert_eq!(reply.json()["error"]["run_id"], "soxauto-pg01-run-x1");
    assert_eq!(google.executions.arguments().len(), 1);
    // The twin: what was refused was not started, and can be asked for at once.
    let (_place, google, served) = service().await;
    google
        .fake
        .plan(START, [Fault::Error(403, "PERMISSION_DENIED")]);
    let (status, code, _) = refused(&ask(&served, APRIL).await);
    assert_eq!((status, code.as_str()), (500, "not_started"));
    assert_eq!(ask(&served, APRIL).await.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_job_to_be_started_waits_within_limits() {
    let (_place, google, served) = service_within(ServerLimits {
        request_timeout: Duration::from_millis(400),
        starts_waiting_max: 2,
        ..ServerLimits::default()
    })
    .await;
    let list = "GET /v2/";
    google
        .fake
        .plan(list, [Fault::Slow(Duration::from_secs(2))]);
    let others = async {
        while google.fake.seen(list).is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let asking = (0..6).map(|_| ask(&served, APRIL));
        futures::future::join_all(asking).await
    };
    let (first, others) = tokio::join!(ask(&served, APRIL), others);
    assert_eq!(first.status, 202, "{first:?}");
    for reply in &others {
        let (status, code, _) = refused(reply);
        assert_eq!((status, code.as_str()), (503, "busy"), "{reply:?}");
    }
    assert_eq!(google.executions.arguments().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_start_or_look_is_told_the_role_and_nothing_is_started() {
    let (_place, google, served) = service().await;
    google.executions.deny_running();
    let (status, _, text) = refused(&ask(&served, APRIL).await);
    assert_eq!(status, 500, "{text}");
    assert!(
        text.contains("roles/run.jobsExecutorWithOverrides on job soxauto-pg01-run"),
        "{text}"
    );
    google.executions.deny_looking();
    let (_, _, text) = refused(&ask(&served, APRIL).await);
    assert!(
        text.contains("roles/run.viewer on job soxauto-pg01-run"),
        "{text}"
    );
    let path = "/runs/soxauto-pg01-run-x1";
    let (status, code, text) = refused(&served.get(path).await);
    assert_eq!((status, code.as_str()), (500, "not_shown"));
    assert!(text.contains("roles/run.viewer"), "{text}");
    let look = "/executions/soxauto-pg01-run-x1";
    google
        .fake
        .plan(look, vec![Fault::Error(503, "UNAVAILABLE"); 9]);
    let (status, code, _) = refused(&served.get(path).await);
    assert_eq!((status, code.as_str()), (503, "not_shown"));
    assert!(google.executions.arguments().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_not_there_is_named_with_its_flag() {
    let (place, google) = (Place::new(), Google::start().await);
    let mut settings = settings(&place, &google);
    settings.async_job = Some(JOB.replace("pg01", "pg02").parse().unwrap());
    let served = Served::start(settings).await;
    let (status, _, text) = refused(&ask(&served, APRIL).await);
    assert_eq!(status, 500, "{text}");
    assert!(
        text.contains("check --async-job") && text.contains("soxauto-pg02-run"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_no_execution_has_is_404_and_one_that_none_can_have_is_not_asked_for() {
    let (_place, google, served) = service().await;
    let unknown = served.get("/runs/soxauto-pg01-run-zzz").await;
    assert_eq!(
        (unknown.status, unknown.code().as_str()),
        (404, "unknown_run")
    );
    assert_eq!(google.fake.seen("/executions/").len(), 1);
    for name in [
        "20240501T090000Z-1a2b3c4d",
        "soxauto-pg01-run-",
        "soxauto-pg01-run-a%2Fb",
    ] {
        let reply = served.get(&format!("/runs/{name}")).await;
        assert_eq!(reply.status, 404, "{name}");
    }
    assert_eq!(google.fake.seen("/executions/").len(), 1);
}

#[test]
fn a_service_that_asks_nobody_starts_no_job() {
    let shell = Shell::new();
    let said = shell.run(&["serve", "--allow-unauthenticated", "--async-job", JOB]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("cannot be used with"), "{}", said.err);
    let said = shell.run(&[
        "serve",
        "--audience",
        "https://x",
        "--async-job",
        "soxauto-pg01-run",
    ]);
    assert!(
        said.err
            .contains("projects/PROJECT/locations/REGION/jobs/JOB"),
        "{}",
        said.err
    );
}
