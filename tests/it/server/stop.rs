//! The real binary: it serves, checks itself, and ends in order when it is asked to.

use std::io::{BufRead as _, BufReader, Lines};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Silent, ask};
use crate::cli::Shell;

const SERVE: [&str; 5] = ["serve", "--host", "127.0.0.1", "--port", "0"];

/// The binary in a folder of its own; it is killed with this value.
pub(super) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    pub(super) address: SocketAddr,
}

impl Program {
    /// Open to everybody.
    pub(super) fn start(shell: &Shell, further: &[&str]) -> Self {
        Self::behind(shell, &[&["--allow-unauthenticated"], further].concat())
    }

    /// Open to whom the arguments name.
    pub(super) fn behind(shell: &Shell, further: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_soxauto"));
        command
            .current_dir(shell.dir.path())
            .env_clear()
            .args(SERVE)
            .args(further);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = lines
            .find_map(|line| Some(line.unwrap().split_once("serving on http://")?.1.to_owned()));
        let said = said.unwrap();
        // As JSON, the line goes on behind it.
        let address = said.split('"').next().unwrap().parse().unwrap();
        Self {
            child,
            lines,
            address,
        }
    }

    pub(super) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the end; gives the exit code and the rest of what it said.
    pub(super) fn ended(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let rest: Vec<String> = self.lines.by_ref().map(|line| line.unwrap()).collect();
        (code, rest.join("\n"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already where all went well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_seals_the_run_and_ends_within_the_grace_period() {
    let (shell, silent) = (Shell::new(), Silent::new());
    std::fs::create_dir(shell.path("secrets")).unwrap();
    std::fs::write(
        shell.path("secrets/DB_CREDENTIALS_NAV_BI"),
        silent.connection_string(),
    )
    .unwrap();
    let program = Program::start(
        &shell,
        &["--secrets", "file:secrets", "--grace-seconds", "8"],
    );
    let headers = format!("{}Prefer: respond-async\r\n", super::JSON);
    let body = r#"{"cutoff_date": "2024-05-01", "ipes": ["CR_04"]}"#;
    let reply = ask(program.address, "POST /", &headers, body).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    let run_id = reply.json()["run_id"].as_str().unwrap().to_owned();
    let path = format!("GET /runs/{run_id}");
    while ask(program.address, &path, "", "").await.json()["ipes"]["CR_04"]["stage"] != "open" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let asked = Instant::now();
    program.terminate();
    let (code, said) = tokio::task::spawn_blocking(|| program.ended())
        .await
        .unwrap();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        asked.elapsed() < Duration::from_secs(8),
        "{:?}",
        asked.elapsed()
    );
    let package = shell.path(&format!("out/evidence/CR_04/period=2024-04/run={run_id}"));
    assert!(package.join("manifest-sha256.txt").exists(), "{said}");
    let record = std::fs::read_to_string(package.join("data/record.json")).unwrap();
    assert!(record.contains("asked to stop"), "{record}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_checks_itself_and_stops_at_once_when_it_is_idle() {
    let shell = Shell::new();
    let program = Program::start(&shell, &[]);
    let port = program.address.port().to_string();
    let checked = shell.run(&["serve", "--check", "--port", &port]);
    assert_eq!(checked.code, 0, "{}", checked.err);
    let asked = Instant::now();
    program.terminate();
    let (code, said) = tokio::task::spawn_blocking(|| program.ended())
        .await
        .unwrap();
    assert_eq!(code, Some(0), "{said}");
    assert!(asked.elapsed() < Duration::from_secs(5));
    let checked = shell.run(&["serve", "--check", "--port", &port]);
    assert_eq!(checked.code, 2, "{}", checked.err);
}

#[test]
fn tasks_of_a_job_share_the_items() {
    let shell = Shell::new();
    let run = ["run", "--period", "2024-04", "--sandbox-rows", "200"];
    let task = |index: &str, count: &str| {
        let task = [
            ("CLOUD_RUN_TASK_INDEX", index),
            ("CLOUD_RUN_TASK_COUNT", count),
        ];
        shell.run_with(&run, &task)
    };
    let items = |text: &str| -> Vec<String> {
        let known = crate::support::asked().into_iter();
        known
            .filter(|item| text.contains(&format!("\n{item} loaded")))
            .collect()
    };
    let share = |first: usize| -> Vec<String> {
        crate::support::asked()
            .into_iter()
            .skip(first)
            .step_by(3)
            .collect()
    };
    let first = task("0", "3");
    assert_eq!(
        (first.code, items(&first.out)),
        (0, share(0)),
        "{}",
        first.err
    );
    let second = task("1", "3");
    assert_eq!(
        (second.code, items(&second.out)),
        (0, share(1)),
        "{}",
        second.err
    );
    let idle = task("99", "100");
    assert_eq!((idle.code, idle.out.as_str()), (0, ""));
    assert!(
        idle.err.contains("task 99 of 100 has nothing to do"),
        "{}",
        idle.err
    );
    for (index, count) in [("3", "3"), ("0", "0"), ("-1", "2"), ("x", "2")] {
        assert_eq!(task(index, count).code, 2, "{index} of {count}");
    }
}

#[test]
fn it_does_not_begin_without_saying_who_may_call() {
    let shell = Shell::new();
    let said = shell.run(&["serve", "--port", "0"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("--audience"), "{}", said.err);
    // An audience alone is anybody who has an account.
    let alone = ["serve", "--port", "0", "--audience", "https://x.example"];
    let said = shell.run(&alone);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("--allowed-email"), "{}", said.err);
    let both = shell.run(&[
        "serve",
        "--port",
        "0",
        "--allow-unauthenticated",
        "--audience",
        "a",
    ]);
    assert_eq!(both.code, 2, "{}", both.err);
}
