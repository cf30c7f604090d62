//! The service under requests that are made from its own description: it keeps to it, and never runs twice at once.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};
use soxauto::server::document;

use super::ask;
use crate::cli::Shell;
use crate::cloud::fakes::server::Fake;
use crate::support::client;

/// Most cases for one operation: enough for each kind of wrong value, and seconds in all.
const CASES: &str = "150";
/// Longest time of one round, in seconds.
const LIMIT: &str = "400";

/// The binary on the stand-in with its log in a file; it is killed with this value.
struct Logged {
    child: Child,
    log: PathBuf,
    url: String,
}

impl Logged {
    fn start(shell: &Shell) -> Self {
        let log = shell.path("log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_soxauto"));
        command.current_dir(shell.dir.path()).env_clear();
        command.args([
            "serve",
            "--allow-unauthenticated",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
        ]);
        command.args([
            "--sandbox-rows",
            "100",
            "--log",
            "info",
            "--log-format",
            "json",
        ]);
        command.stderr(Stdio::from(File::create(&log).unwrap()));
        let mut logged = Self {
            child: command.spawn().unwrap(),
            log,
            url: String::new(),
        };
        while logged.url.is_empty() {
            assert!(
                logged.child.try_wait().unwrap().is_none(),
                "{}",
                logged.text()
            );
            std::thread::sleep(Duration::from_millis(20));
            let text = logged.text();
            let said = text
                .split_once("serving on ")
                .and_then(|(_, rest)| rest.split_once('"'));
            logged.url = said.map(|(url, _)| url.to_owned()).unwrap_or_default();
        }
        logged
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The lines that are whole.
    fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs that the log saw begin; an error where one began beside another.
fn runs_one_by_one(lines: &[Value]) -> Result<usize, String> {
    let mut at_work: BTreeSet<(String, String)> = BTreeSet::new();
    let mut begun = BTreeSet::new();
    for line in lines {
        let label = |name: &str| {
            let value = &line["logging.googleapis.com/labels"][name];
            value.as_str().unwrap_or_default().to_owned()
        };
        let key = (label("run_id"), label("ipe"));
        match line["message"].as_str() {
            Some("run started") => {
                if let Some((other, _)) = at_work.iter().find(|(run, _)| *run != key.0) {
                    return Err(format!("run {} began beside run {other}", key.0));
                }
                begun.insert(key.0.clone());
                at_work.insert(key);
            }
            Some("run ended") if !at_work.remove(&key) => {
                return Err(format!("{key:?} ended before it began"));
            }
            _ => {}
        }
    }
    Ok(begun.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_from_the_description_find_nothing_and_no_run_begins_beside_another() {
    let shell = Shell::new();
    let served = Logged::start(&shell);
    let url = served.url.clone();
    let fuzz = move || client("fuzz_service.py", vec![url, CASES.into(), LIMIT.into()]);
    let found = tokio::task::spawn_blocking(fuzz).await.unwrap();
    assert_eq!(found["exit"], 0, "{}", found["said"].as_str().unwrap());
    let address = served.url.trim_start_matches("http://").parse().unwrap();
    let metrics = ask(address, "GET /metrics", "", "").await.body;
    for status in ["400", "404", "405"] {
        let met = format!("soxauto_http_refusals_total{{status=\"{status}\"}} ");
        assert!(metrics.contains(&met), "no request met {status}: {metrics}");
    }
    assert!(
        !metrics.contains("status=\"500\"") && metrics.contains("{status=\"LOST\"} 0\n"),
        "{metrics}"
    );
    let runs = runs_one_by_one(&served.lines()).unwrap();
    assert!(runs > 0, "no request began a run: {}", served.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_does_not_keep_to_its_description_is_found() {
    let router = Router::new()
        .route("/openapi.json", get(async || axum::Json(document())))
        .fallback(async || (StatusCode::INTERNAL_SERVER_ERROR, "no JSON"));
    let fake = Fake::serve(router).await;
    let url = fake.url();
    let fuzz = move || client("fuzz_service.py", vec![url, "1".into(), LIMIT.into()]);
    let found = tokio::task::spawn_blocking(fuzz).await.unwrap();
    assert_eq!(found["exit"], 1, "{found}");
    assert!(
        found["said"].as_str().unwrap().contains("Server error"),
        "{found}"
    );
}

#[test]
fn two_runs_at_once_are_seen_in_the_log() {
    let line = |message: &str, run: &str, ipe: &str| {
        let labels = json!({"run_id": run, "ipe": ipe});
        json!({"message": message, "logging.googleapis.com/labels": labels})
    };
    let one = [
        line("run started", "a", "CR_04"),
        line("run started", "a", "CR_05"),
        line("run ended", "a", "CR_04"),
        line("run ended", "a", "CR_05"),
        line("run started", "b", "CR_04"),
    ];
    assert_eq!(runs_one_by_one(&one), Ok(2));
    let mut both = one.to_vec();
    both.push(line("run started", "c", "CR_05"));
    assert!(runs_one_by_one(&both).unwrap_err().contains("beside run b"));
}
