//! Who is told of failures and findings, and that it changes nothing whether he hears of it.

use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use serde_json::Value;
use soxauto::domain::limits::ServerLimits;
use soxauto::domain::plant::PlantProfile;
use soxauto::sandbox::{Planting, Sandbox, SandboxConfig};
use soxauto::settings::{RunSettings, SecretsChoice, ServiceSettings};
use tokio::task::spawn_blocking;

use super::{Served, Silent, open_settings, stuck_settings};
use crate::cli::{Said, Shell};
use crate::cloud::fakes::server::{Fake, Fault};
use crate::journey::Place;

pub(crate) const SECRET: &str = "ALERT_WEBHOOK_URL";
const PATH: &str = "/services/SENTINEL-HOOK";
const APRIL: &str = r#"{"cutoff_date": "2024-05-01"}"#;

/// A chat, and the URL of its webhook.
pub(crate) async fn chat() -> (Fake, String) {
    let fake = Fake::serve(Router::new().route(PATH, post(async || "ok"))).await;
    let url = format!("{}{PATH}", fake.url());
    (fake, url)
}

/// The messages that came.
pub(crate) fn messages(chat: &Fake) -> Vec<String> {
    let posts = chat.seen("POST");
    let text = |seen: &crate::cloud::fakes::server::Seen| {
        assert_eq!(seen.target, PATH);
        assert_eq!(seen.header("content-type"), "application/json");
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
        body["text"].as_str().unwrap().to_owned()
    };
    posts.iter().map(text).collect()
}

/// The lines of a log that the alert policies count.
pub(crate) fn alert_lines(log: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        line
    });
    lines.filter(|line| line["alert"] == true).collect()
}

/// Runs the binary with a webhook, and JSON as its log.
async fn run(shell: Shell, further: &[&str], url: &str) -> (Said, Shell) {
    let own = ["run", "--period", "2024-04", "--sandbox-rows", "300"];
    let told = ["--log-format", "json", "--alert-webhook", SECRET];
    let args = [&own[..], &told, further];
    let args: Vec<String> = args.concat().iter().map(|arg| (*arg).to_owned()).collect();
    let url = url.to_owned();
    let running = move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        (shell.run_with(&args, &[(SECRET, &url)]), shell)
    };
    spawn_blocking(running).await.unwrap()
}

/// Whatever a file below this folder says.
fn everything(dir: &std::path::Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&everything(&path));
        } else {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_are_told_once_and_nobody_prints_the_url() {
    let (chat, url) = chat().await;
    let loud = ["--sandbox-plant", "recon", "--log", "trace"];
    let (said, shell) = run(Shell::new(), &loud, &url).await;
    assert_eq!(said.code, 1, "{}", said.err);
    let [message] = messages(&chat).try_into().unwrap();
    assert!(
        message.starts_with("SOXauto PG-01, 2024-04: EXCEPTIONS\n"),
        "{message}"
    );
    assert!(
        message.contains("IPE_07 SUCCESS: 1 findings (scope.new_value)"),
        "{message}"
    );
    let [line] = alert_lines(&said.err).try_into().unwrap();
    assert_eq!(line["severity"], "WARNING");
    assert_eq!(line["control_result"], "EXCEPTIONS");
    let labels = &line["logging.googleapis.com/labels"];
    assert_eq!(labels["period"], "2024-04");
    assert!(labels["ipe"].as_str().unwrap().contains("IPE_07"), "{line}");
    assert!(
        message.contains(labels["run_id"].as_str().unwrap()),
        "{message} {line}"
    );
    let kept = everything(shell.dir.path());
    assert!(kept.contains("2024-04"), "the evidence is there");
    for text in [&said.out, &said.err, &kept] {
        assert!(!text.contains("SENTINEL-HOOK"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_told_as_an_error_however_quiet_the_log() {
    let (chat, url) = chat().await;
    let quiet = ["--ipe", "CR_04", "--secrets", "env", "--log", "off"];
    let (said, _) = run(Shell::new(), &quiet, &url).await;
    assert_eq!(said.code, 2, "{}", said.err);
    let [message] = messages(&chat).try_into().unwrap();
    assert!(
        message.contains("NOT_CONCLUDED\n• CR_04 ERROR: could not be found out\n"),
        "{message}"
    );
    let [line] = alert_lines(&said.err).try_into().unwrap();
    assert_eq!(
        (&line["severity"], &line["control_result"]),
        (&"ERROR".into(), &"NOT_CONCLUDED".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_nothing_to_report_tells_nobody() {
    let (chat, url) = chat().await;
    let (said, _) = run(Shell::new(), &["--ipe", "CR_04", "--log", "trace"], &url).await;
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(messages(&chat), Vec::<String>::new());
    assert_eq!(alert_lines(&said.err), Vec::<Value>::new());
}

/// Whoever cannot be told is missed in the log, and the exit code is that of the run.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_gone_changes_no_exit_code() {
    let (chat, url) = chat().await;
    let errors = [(); 9].map(|()| Fault::Error(500, "/services/SENTINEL-HOOK"));
    chat.plan("POST", errors);
    let elsewhere = "http://127.0.0.1:1/services/SENTINEL-HOOK";
    for (url, why) in [
        (url.as_str(), "127.0.0.1 answered 500 after 3 attempts"),
        (elsewhere, "no reply of 127.0.0.1 after 3 attempts"),
        (
            "http://chat.example/services/SENTINEL-HOOK",
            "no URL that begins with https:",
        ),
        ("SENTINEL-HOOK", "no URL that begins with https:"),
    ] {
        let (said, _) = run(Shell::new(), &["--ipe", "CR_04", "--secrets", "env"], url).await;
        assert_eq!(said.code, 2, "{}", said.err);
        assert_eq!(alert_lines(&said.err).len(), 1, "{}", said.err);
        let missed =
            said.err.contains("the alert could not be delivered") && said.err.contains(why);
        assert!(missed, "{url}: {}", said.err);
        assert!(!said.err.contains("SENTINEL-HOOK"), "{}", said.err);
    }
    assert_eq!(chat.seen("POST").len(), 3);
}

#[test]
fn a_url_in_place_of_a_name_is_refused_and_not_repeated() {
    let shell = Shell::new();
    for command in [
        &["run"][..],
        &["serve", "--allow-unauthenticated", "--port", "0"],
    ] {
        let said = shell.run(
            &[
                command,
                &["--alert-webhook", "https://chat.example/SENTINEL-HOOK"],
            ]
            .concat(),
        );
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(
            said.err.contains("wants the name of the secret"),
            "{}",
            said.err
        );
        assert!(
            !said.err.contains("SENTINEL-HOOK") && !shell.path("out").exists(),
            "{}",
            said.err
        );
    }
}

/// A service over a stand-in of its own, whose secrets are files; the webhook's is one of them.
async fn served(
    place: &Place,
    plant: PlantProfile,
    url: &str,
    limits: ServerLimits,
) -> (Served, Sandbox) {
    let planting = Planting {
        profile: plant,
        without: Vec::new(),
    };
    let config = SandboxConfig {
        planting,
        ..SandboxConfig::of(Some(300), None)
    };
    let sandbox = Sandbox::start(config).await.unwrap();
    place.secret(&sandbox.odbc_connection_string());
    place.secret_named(SECRET, url);
    let open = open_settings(place);
    let settings = ServiceSettings {
        run: RunSettings {
            alert_webhook: Some(SECRET.to_owned()),
            source: place.settings("").source,
            ..open.run
        },
        limits,
        grace: Duration::from_millis(500),
        ..open
    };
    assert!(matches!(
        settings.run.source.secrets,
        SecretsChoice::File(_)
    ));
    (Served::start(settings).await, sandbox)
}

pub(crate) async fn until_told(chat: &Fake) -> Vec<String> {
    for _ in 0..200 {
        let told = messages(chat);
        if !told.is_empty() {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Vec::new()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_tells_of_held_items_and_of_nothing_else() {
    let (chat, url) = chat().await;
    let place = Place::new();
    let (served, sandbox) = served(&place, PlantProfile::Hold, &url, ServerLimits::default()).await;
    assert_eq!(
        served
            .post(r#"{"cutoff_date": "2024-04-01", "ipes": ["CR_05"]}"#)
            .await
            .status,
        200
    );
    // Wrong requests are their callers' business.
    assert_eq!(
        served.post(r#"{"cutoff_date": "2999-01-01"}"#).await.status,
        400
    );
    let reply = served.post(APRIL).await;
    assert_eq!(reply.status, 206, "{reply:?}");
    let told = until_told(&chat).await;
    let [message] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(
        message.contains(reply.json()["run_id"].as_str().unwrap()),
        "{message}"
    );
    assert!(message.contains(" FAILED: held by "), "{message}");
    let ready = served.get("/ready").await.json();
    let last = ready["dependencies"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(
        (&last["name"], &last["is_ready"]),
        (&"alerts".into(), &true.into())
    );
    assert!(!served.get("/config").await.body.contains("SENTINEL"));
    assert!(served.stopped().await);
    assert_eq!(messages(&chat).len(), 1);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_webhook_delays_neither_the_answer_nor_the_end() {
    let (chat, url) = chat().await;
    chat.plan("POST", [Fault::Slow(Duration::from_secs(600))]);
    let place = Place::new();
    // So long that no busy machine takes as long for the run itself.
    let limits = ServerLimits {
        alert_timeout: Duration::from_secs(600),
        ..ServerLimits::default()
    };
    let (served, sandbox) = served(&place, PlantProfile::Hold, &url, limits.clone()).await;
    let asked = Instant::now();
    let reply = served.post(APRIL).await;
    assert_eq!(reply.status, 206, "{reply:?}");
    // An attempt alone would take longer.
    assert!(
        asked.elapsed() < limits.alert_timeout / 2,
        "{:?}",
        asked.elapsed()
    );
    while chat.seen("POST").is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let asked = Instant::now();
    assert!(served.stopped().await, "all but the message had ended");
    assert!(
        asked.elapsed() < limits.alert_timeout / 2,
        "{:?}",
        asked.elapsed()
    );
    sandbox.stop().await;
}

/// Something that keeps a run from beginning is said in time, and nothing begins afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_begin_is_refused_in_time_and_told() {
    let (chat, url) = chat().await;
    let (place, silent) = (Place::new(), Silent::new());
    let mut settings = stuck_settings(&place, &silent);
    place.secret_named(SECRET, &url);
    settings.run.alert_webhook = Some(SECRET.to_owned());
    settings.run.evidence = "gs://nobody/evidence".to_owned();
    let nowhere = format!("http://{}", silent.address());
    settings.run.google.endpoints = ["metadata", "storage"]
        .map(|name| (name.to_owned(), nowhere.clone()))
        .into();
    settings.limits.start_timeout = Duration::from_millis(400);
    let served = Served::start(settings).await;
    let asked = Instant::now();
    let replies = futures::future::join_all((0..4).map(|_| served.post(APRIL))).await;
    for reply in replies {
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (503, "start_too_slow"),
            "{reply:?}"
        );
        assert_eq!(reply.header("retry-after"), Some("60"));
    }
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    let told = until_told(&chat).await;
    assert!(
        told[0].contains("the run could not begin in 0 s"),
        "{told:?}"
    );
    assert_eq!(
        served.get("/runs").await.json()["runs"],
        serde_json::json!([])
    );
    assert_eq!(served.get("/health").await.status, 200);
}

const CUT_OFF: &str = "the service was stopped while the run was at work";

/// Until the next run of the month seals it, nobody else would say so.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_outlives_the_grace_period_is_told_of() {
    for grace in [Duration::ZERO, Duration::from_secs(60)] {
        let (chat, url) = chat().await;
        let (place, silent) = (Place::new(), Silent::new());
        let mut settings = stuck_settings(&place, &silent);
        place.secret_named(SECRET, &url);
        settings.run.alert_webhook = Some(SECRET.to_owned());
        settings.grace = grace;
        let served = Served::start(settings).await;
        let run_id = served.begin(APRIL).await;
        let is_open = |run: &Value| {
            let items = run["ipes"].as_object();
            items.is_some_and(|items| items.values().any(|item| item["stage"] == "open"))
        };
        served.until(&run_id, is_open).await;
        let has_ended = served.stopped().await;
        // All that it came to is told by the run itself, where there is time.
        assert_eq!(has_ended, !grace.is_zero());
        let told = until_told(&chat).await;
        let cut_off = told.iter().find(|message| message.contains(CUT_OFF));
        assert_eq!(cut_off.is_some(), grace.is_zero(), "{told:?}");
        assert!(told[0].contains(&run_id), "{told:?}");
        assert!(told[0].contains("2024-04: NOT_CONCLUDED"), "{told:?}");
    }
}
