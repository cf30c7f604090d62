//! The log as Cloud Logging reads it: JSON alone, linked with the request, labelled with run, item and month.

use serde_json::Value;

use super::alerts::alert_lines;
use super::ask;
use super::stop::Program;
use crate::cli::Shell;

const TRACE: &str = "0123456789abcdef0123456789abcdef";
const RUN: [&str; 7] = [
    "run",
    "--period",
    "2024-04",
    "--ipe",
    "CR_04",
    "--sandbox-rows",
    "300",
];

/// Every line, each of which must be an object of its own.
fn objects(log: &str) -> Vec<Value> {
    let object = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        for name in ["severity", "message", "time"] {
            assert!(value[name].is_string(), "{name} {line}");
        }
        value
    };
    log.lines().map(object).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_found_by_the_trace_of_its_request() {
    let shell = Shell::new();
    let json = [
        "--log-format",
        "json",
        "--log",
        "info",
        "--project",
        "p-1",
        "--sandbox-rows",
        "300",
    ];
    let program = Program::start(&shell, &json);
    let address = program.address;
    let traced = format!("{}X-Cloud-Trace-Context: {TRACE}/161;o=1\r\n", super::JSON);
    let body = r#"{"cutoff_date": "2024-05-01", "ipes": ["CR_04"]}"#;
    let reply = ask(address, "POST /", &traced, body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let run_id = reply.json()["run_id"].clone();
    // A header that cannot be read is none.
    let bad = format!(
        "X-Cloud-Trace-Context: {}\r\ntraceparent: 00-x\r\n",
        "z".repeat(500)
    );
    assert_eq!(ask(address, "GET /config", &bad, "").await.status, 200);
    program.terminate();
    let (code, log) = tokio::task::spawn_blocking(|| program.ended())
        .await
        .unwrap();
    assert_eq!(code, Some(0), "{log}");
    let lines = objects(&log);
    let of_run = |line: &&Value| line["logging.googleapis.com/labels"]["run_id"] == run_id;
    let of_run: Vec<&Value> = lines.iter().filter(of_run).collect();
    assert!(of_run.len() > 5, "{log}");
    for line in of_run {
        assert_eq!(
            line["logging.googleapis.com/trace"],
            format!("projects/p-1/traces/{TRACE}"),
            "{line}"
        );
        assert_eq!(
            line["logging.googleapis.com/spanId"], "00000000000000a1",
            "{line}"
        );
        let labels = &line["logging.googleapis.com/labels"];
        assert_eq!(
            (&labels["ipe"], &labels["period"]),
            (&"CR_04".into(), &"2024-04".into()),
            "{line}"
        );
    }
    let stopping = lines
        .iter()
        .find(|line| line["message"].as_str().unwrap().starts_with("stopping"));
    assert!(
        stopping.unwrap()["logging.googleapis.com/trace"].is_null(),
        "{log}"
    );
}

#[test]
fn on_cloud_run_the_log_is_json_and_elsewhere_it_is_not() {
    for (variable, value) in [
        ("K_SERVICE", "soxauto-pg01"),
        ("CLOUD_RUN_JOB", "soxauto-pg01-run"),
    ] {
        let shell = Shell::new();
        let forced = [&RUN[..], &["--force-local-disk"]].concat();
        let said = shell.run_with(&forced, &[(variable, value)]);
        assert_eq!(said.code, 0, "{}", said.err);
        let lines = objects(&said.err);
        let opening = lines[0]["message"].as_str().unwrap();
        assert!(
            opening.contains("everything dated before 2024-05-01\nNOT CONTROL EVIDENCE"),
            "{opening}"
        );
        // What ends the program is an error there too.
        let said = shell.run_with(&RUN, &[(variable, value)]);
        assert_eq!(said.code, 2, "{}", said.err);
        let last = objects(&said.err).pop().unwrap();
        assert_eq!(last["severity"], "ERROR");
        assert!(
            last["message"]
                .as_str()
                .unwrap()
                .contains("--force-local-disk"),
            "{last}"
        );
        let text = shell.run_with(
            &[&forced[..], &["--log-format", "text"]].concat(),
            &[(variable, value)],
        );
        assert!(text.err.starts_with("run 2"), "{}", text.err);
    }
    let shell = Shell::new();
    assert!(shell.run(&RUN).err.starts_with("run 2"));
    let wrong = shell.run(&[&RUN[..], &["--log-format", "xml"]].concat());
    assert!(
        wrong.code == 2 && wrong.err.contains("write auto, text or json"),
        "{}",
        wrong.err
    );
}

/// What Cloud Run keeps of stdout is a log too: it names checks and findings, and quotes no key and no amount.
#[test]
fn on_cloud_run_the_result_quotes_no_row() {
    for (item, plant) in [("IPE_12", "hold"), ("IPE_07", "recon")] {
        let run = [
            "run",
            "--period",
            "2024-04",
            "--ipe",
            item,
            "--sandbox-plant",
            plant,
            "--sandbox-rows",
            "300",
            "--force-local-disk",
        ];
        let shell = Shell::new();
        let plain = shell.run(&[&run[..], &["--json"]].concat());
        let result: Value = serde_json::from_str(&plain.out).unwrap();
        let result = &result["ipe_results"][item];
        let all = ["failures", "findings"].map(|kind| result[kind].as_array().unwrap());
        let all: Vec<&Value> = all.into_iter().flatten().collect();
        assert!(!all.is_empty(), "{result:#}");
        for more in [&[][..], &["--json"]] {
            let args = [&run[..], more].concat();
            let logged = shell.run_with(&args, &[("CLOUD_RUN_JOB", "soxauto-pg01-run")]);
            assert_eq!(logged.code, plain.code, "{}", logged.err);
            for found in &all {
                let name = found["check"].as_str().or(found["id"].as_str()).unwrap();
                assert!(logged.out.contains(name), "{name} in {}", logged.out);
                let what = found["what"].as_str().unwrap();
                for log in [&logged.out, &logged.err] {
                    assert!(!log.contains(what), "{what} in {log}");
                }
            }
            assert!(logged.out.contains("its package says what"));
        }
    }
}

/// So does a judgement that a job makes, whatever the format; what somebody must hear of is told as that of a run.
#[test]
fn on_cloud_run_a_judgement_names_lines_and_quotes_no_amount() {
    let shell = Shell::new();
    let run =
        "run --period 2024-04 --ipe CR_04,CR_05,IPE_07 --sandbox-plant recon --sandbox-rows 2000";
    let ran = shell.run(&run.split(' ').collect::<Vec<_>>());
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let reconcile = ["reconcile", "--period", "2024-04", "--seal"];
    let plain = shell.run(&[&reconcile[..], &["--format", "json"]].concat());
    let result: Value = serde_json::from_str(&plain.out).unwrap();
    let findings = result["result"]["findings"].as_array().unwrap();
    assert!(findings.len() > 3, "{findings:?}");
    let on_cloud_run =
        |args: &[&str]| shell.run_with(args, &[("CLOUD_RUN_JOB", "soxauto-pg01-run")]);
    for more in [&[][..], &["--format", "csv"]] {
        let said = on_cloud_run(&[&reconcile[..], more].concat());
        assert_eq!(said.code, plain.code, "{}", said.err);
        for finding in findings {
            let (code, what) = (&finding["code"], finding["what"].as_str().unwrap());
            assert!(
                said.out.contains(code.as_str().unwrap()),
                "{code} in {}",
                said.out
            );
            assert!(
                !said.out.contains(what) && !said.err.contains(what),
                "{what}"
            );
        }
        assert!(
            said.out
                .starts_with("lines: L1 INVESTIGATE, L2 NOT_CONCLUDED"),
            "{}",
            said.out
        );
        assert!(!said.out.contains("1650000") && !said.out.contains("1,650,000"));
        let told = alert_lines(&said.err);
        assert_eq!(told.len(), 1, "{}", said.err);
        let what = told[0]["what"].as_str().unwrap();
        assert!(
            what.starts_with("reconciliation: NOT_CONCLUDED, L1 INVESTIGATE"),
            "{what}"
        );
    }
    // Who only looks is told by what is printed.
    let looked = on_cloud_run(&reconcile[..3]);
    assert_eq!(alert_lines(&looked.err).len(), 0, "{}", looked.err);
}
