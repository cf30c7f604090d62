//! The binary as people and programs use it: exit codes, what goes where, and help that teaches.

use assert_cmd::Command;
use serde_json::Value;
use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::pipeline::check::CHECKS;
use soxauto::ports::{Cell, Warehouse};
use tempfile::TempDir;

/// The binary in an empty folder of its own.
pub(crate) struct Shell {
    pub(crate) dir: TempDir,
}

/// What it said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// Runs in an empty folder with an empty environment.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        self.run_with(args, &[])
    }

    /// A place in that folder.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn run_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_soxauto"));
        command.current_dir(self.dir.path()).env_clear().args(args);
        command.envs(environment.iter().copied());
        let output = command.output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

const RUN: [&str; 5] = ["run", "--period", "2024-04", "--sandbox-rows", "300"];

/// Defect 5 of the predecessor: evidence was looked for where it had never been written, and none was ever found.
#[test]
fn a_run_prints_a_table_and_its_packages_verify() {
    let shell = Shell::new();
    let said = shell.run(&RUN);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(
        said.out.starts_with("item           status   rows"),
        "{}",
        said.out
    );
    let all = crate::support::items().len();
    assert!(
        said.out
            .contains(&format!("SUCCESS, NO_EXCEPTIONS: {all} of {all} items")),
        "{}",
        said.out
    );
    assert!(
        said.err.contains("everything dated before 2024-05-01"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("NOT CONTROL EVIDENCE: ") && said.err.contains("embedded sandbox"),
        "{}",
        said.err
    );
    assert!(
        said.err
            .contains("\nIPE_07: keys of 300 rows unique, 1 pass, 0."),
        "{}",
        said.err
    );
    let packages: Vec<&str> = said
        .out
        .lines()
        .filter_map(|line| line.split(" evidence  ").nth(1))
        .collect();
    assert_eq!(packages.len(), all + 1, "and the reconciliation");
    for package in packages {
        let verified = shell.run(&["verify", package]);
        assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
        assert!(verified.out.contains("\nVALID"), "{}", verified.out);
    }
}

#[test]
fn json_goes_to_stdout_alone_with_the_guides_names() {
    let shell = Shell::new();
    let said = shell.run(&[
        "run",
        "--cutoff-date",
        "2024-05-01",
        "--ipe",
        "CR_04",
        "--sandbox-rows",
        "300",
        "--json",
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    let result: Value = serde_json::from_str(&said.out).unwrap();
    assert!(
        result["workflow_id"]
            .as_str()
            .unwrap()
            .starts_with("SOXauto_PG01_")
    );
    assert_eq!(result["overall_status"], "SUCCESS");
    assert_eq!(result["control_result"], "NO_EXCEPTIONS");
    assert_eq!(result["cutoff_date"], "2024-05-01");
    assert_eq!(result["summary"]["total_ipes"], 1);
    let item = &result["ipe_results"]["CR_04"];
    for name in [
        "status",
        "start_time",
        "end_time",
        "rows_extracted",
        "validation_summary",
        "bigquery_table",
    ] {
        assert!(!item[name].is_null(), "{name}");
    }
    let mut listed = CHECKS.map(|(id, _)| id);
    listed.sort_unstable();
    let made = item["validation_summary"].as_object().unwrap();
    // The checks of the predicates are named by the item.
    let mut made: Vec<&String> = made
        .keys()
        .filter(|id| !id.starts_with("accuracy.negative"))
        .collect();
    made.sort();
    assert_eq!(
        made, listed,
        "`catalog show` lists the checks that a run makes"
    );
    assert_eq!(
        result["ipe_results"].as_object().unwrap().len(),
        1,
        "only the item that was asked for"
    );
}

#[test]
fn a_changed_package_is_found_and_a_missing_part_is_not_concluded() {
    let shell = Shell::new();
    let said = shell.run(&[
        "run",
        "--period",
        "2024-04",
        "--ipe",
        "CR_04",
        "--sandbox-rows",
        "300",
        "--json",
    ]);
    let result: Value = serde_json::from_str(&said.out).unwrap();
    let package = result["ipe_results"]["CR_04"]["evidence"]
        .as_str()
        .unwrap()
        .to_owned();
    let folder = std::path::PathBuf::from(package.trim_start_matches("file://"));
    let summary = folder.join("data/summary.md");
    let honest = std::fs::read(&summary).unwrap();
    let noted = result["ipe_results"]["CR_04"]["manifest_sha256"]
        .as_str()
        .unwrap();
    let with_noted = shell.run(&["verify", &package, "--manifest-sha256", noted]);
    assert_eq!(with_noted.code, 0, "{}", with_noted.out);
    let other = "0".repeat(64);
    assert_eq!(
        shell
            .run(&["verify", &package, "--manifest-sha256", &other])
            .code,
        1
    );
    std::fs::write(&summary, [honest.as_slice(), b"all is well\n"].concat()).unwrap();
    let tampered = shell.run(&["verify", &package]);
    assert_eq!(tampered.code, 1, "{}", tampered.out);
    assert!(
        tampered.out.contains("FINDING  data/summary.md"),
        "{}",
        tampered.out
    );
    std::fs::write(&summary, honest).unwrap();
    std::fs::remove_dir_all(shell.dir.path().join("out/staging")).unwrap();
    let without = shell.run(&["verify", &package]);
    assert_eq!(without.code, 2, "{}", without.out);
    assert!(
        without.out.contains("NOT RUN") && !without.out.contains("\nVALID"),
        "{}",
        without.out
    );
}

#[test]
fn bad_input_is_one_error_with_its_remedy_and_exit_code_2() {
    let shell = Shell::new();
    for (args, part) in [
        (
            &["run", "--cutoff-date", "2025-09-30"][..],
            "--period 2025-09 (cutoff 2025-10-01)",
        ),
        (
            &["run", "--cutoff-date", "2025-09-30"],
            "--period 2025-08 (cutoff 2025-09-01)",
        ),
        (&["run", "--period", "2024-13"], "write it as YYYY-MM"),
        (
            &["run", "--ipe", "IPE_99"],
            &format!(
                "there is no item `IPE_99`; items are {}",
                crate::support::items().join(", ")
            ),
        ),
        (
            &["run", "--secrets", "vault"],
            "write sandbox, env, file:DIR or gcp:PROJECT",
        ),
        (
            &["run", "--secrets", "gcp:p,DB=latest"],
            "`DB=latest` pins no version: write NAME=VERSION",
        ),
        (
            &["run", "--warehouse", "bigquery://p/d"],
            "write bigquery://PROJECT/DATASET?location=EU",
        ),
        (
            &[
                "run",
                "--secrets",
                "gcp:p",
                "--google-endpoint",
                "drive=http://example.com",
            ],
            "endpoint `drive`: tokens travel over https: only",
        ),
        (
            &["run", "--catalog", "nowhere"],
            "catalog nowhere: cannot be read",
        ),
        (&["run", "--staging", "s3://bucket"], "s3"),
        (
            &["run", "--log", "tiberius=trace"],
            "would write row contents",
        ),
        (&["verify", "nowhere"], "nowhere"),
    ] {
        let said = shell.run(args);
        assert_eq!(said.code, 2, "{args:?}: {}{}", said.out, said.err);
        assert!(said.err.contains(part), "{args:?}: {}", said.err);
        assert_eq!(said.out, "", "{args:?}");
    }
    assert!(!shell.dir.path().join("out/evidence/IPE_99").exists());
}

#[test]
fn a_missing_secret_is_an_error_of_the_item_and_the_run_is_sealed() {
    let shell = Shell::new();
    let said = shell.run(&[
        "run",
        "--period",
        "2024-04",
        "--ipe",
        "CR_04",
        "--secrets",
        "env",
    ]);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(
        said.out
            .contains("environment variable DB_CREDENTIALS_NAV_BI is not set"),
        "{}",
        said.out
    );
    let package = said
        .out
        .lines()
        .find_map(|line| line.split(" evidence  ").nth(1))
        .unwrap();
    assert_eq!(
        shell.run(&["verify", package]).code,
        0,
        "the package of a failed run is whole"
    );
}

#[test]
fn the_environment_sets_every_flag_and_secrets_stay_out_of_every_output() {
    let shell = Shell::new();
    let string = "DRIVER={x};SERVER=tcp:127.0.0.1,1;UID=u;PWD=SENTINEL";
    let environment = [
        ("SOXAUTO_PERIOD", "2024-04"),
        ("SOXAUTO_IPE", "CR_04"),
        ("SOXAUTO_SECRETS", "env"),
        ("DB_CREDENTIALS_NAV_BI", string),
    ];
    let said = shell.run_with(&["run", "--log", "trace"], &environment);
    assert_eq!(said.code, 2);
    assert!(
        said.out.contains("the server cannot be reached"),
        "{}",
        said.out
    );
    assert!(!said.out.contains("SENTINEL") && !said.err.contains("SENTINEL"));
}

#[test]
fn a_month_that_has_not_ended_is_refused_unless_it_is_called_preliminary() {
    let shell = Shell::new();
    let early = [
        "run",
        "--period",
        "9000-01",
        "--ipe",
        "CR_05",
        "--sandbox-rows",
        "300",
    ];
    let refused = shell.run(&early);
    assert_eq!(refused.code, 2);
    let err = &refused.err;
    assert!(
        err.contains("9000-01 has not ended in Europe/Paris") && err.contains("--preliminary"),
        "{err}"
    );
    assert!(!shell.path("out").exists(), "nothing was written");
    let mut said = early.to_vec();
    said.push("--preliminary");
    let run = shell.run(&said);
    assert!(
        run.out.contains("state PRELIMINARY"),
        "{}{}",
        run.out,
        run.err
    );
}

#[test]
fn help_teaches_with_examples() {
    let shell = Shell::new();
    insta::assert_snapshot!("help", shell.run(&["--help"]).out);
    insta::assert_snapshot!("help_run", shell.run(&["run", "--help"]).out);
    for command in ["", "list", "show", "lint", "new", "plan"] {
        let args = ["catalog", command, "--help"];
        let args: Vec<&str> = args.into_iter().filter(|arg| !arg.is_empty()).collect();
        let name = format!("help_catalog_{command}");
        insta::assert_snapshot!(name.trim_end_matches('_').to_owned(), shell.run(&args).out);
    }
    insta::assert_snapshot!("help_doctor", shell.run(&["doctor", "--help"]).out);
    insta::assert_snapshot!("help_clean", shell.run(&["clean", "--help"]).out);
    insta::assert_snapshot!("help_serve", shell.run(&["serve", "--help"]).out);
    insta::assert_snapshot!("help_upload", shell.run(&["upload", "--help"]).out);
    insta::assert_snapshot!("help_verify", shell.run(&["verify", "--help"]).out);
    insta::assert_snapshot!("help_inspect", shell.run(&["inspect", "--help"]).out);
    insta::assert_snapshot!("help_sql", shell.run(&["sql", "--help"]).out);
    #[cfg(feature = "sandbox")]
    insta::assert_snapshot!("help_sandbox", shell.run(&["sandbox", "--help"]).out);
}

/// Rows never reach a log, however loud: customers that really are among the loaded rows stand nowhere in it.
#[tokio::test(flavor = "multi_thread")]
async fn no_row_reaches_the_log_at_trace() {
    let shell = Shell::new();
    let args = [&RUN[..], &["--ipe", "CR_04", "--ipe", "IPE_07"]].concat();
    let said = shell.run_with(&args, &[("SOXAUTO_LOG", "trace"), ("RUST_LOG", "trace")]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.lines().count() > 10, "the log is on");
    let root = |name: &str| {
        store::open(shell.dir.path().join("out").join(name).to_str().unwrap()).unwrap()
    };
    let warehouse = LocalWarehouse::new(&root("warehouse"), root("staging")).unwrap();
    let customers = "SELECT DISTINCT customer_no FROM pg01_validated_ipe_ipe_07";
    let rows = warehouse.rows(customers, 1_000).await.unwrap().rows;
    assert!(rows.len() > 5, "{} customers", rows.len());
    for row in rows {
        let Cell::Text(customer) = &row[0] else {
            panic!("a customer number is text")
        };
        assert!(
            customer.len() > 5 && !said.err.contains(customer.as_str()),
            "{customer} in the log"
        );
    }
}
