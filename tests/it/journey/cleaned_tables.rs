//! What `soxauto clean` does with what publications leave that were cut off.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use soxauto::adapters::process::ProcProcesses;
use soxauto::adapters::store;
use soxauto::app::SystemClock;
use soxauto::domain::ids::IpeId;
use soxauto::domain::limits::Limits;
use soxauto::domain::run::ItemStatus;
use soxauto::pipeline::lease::{LeaseTools, Leases, Taker, take_tables};
use soxauto::ports::{Clock, Processes};
use tempfile::TempDir;

use super::cleaned::{DEAD, good_run, report, tree, write};
use super::killed::{soxauto, text};

/// Puts the month into the tables of the warehouse; gives what was said.
fn publish(folder: &Path, more: &[&str]) -> String {
    let args = "reconcile --period 2024-04 --publish --staging out/staging";
    let args: Vec<&str> = args.split(' ').collect();
    let output = soxauto(folder, &[&args[..], more].concat())
        .output()
        .unwrap();
    let said = text(&output);
    assert!(output.status.code().is_some_and(|code| code < 2), "{said}");
    said
}

/// What a publication leaves in the warehouse that is cut off in its load.
fn plant(folder: &Path) -> [PathBuf; 2] {
    let month = folder.join("out/warehouse/soxauto_runs/period=2024-04");
    [
        write(month.join(DEAD).join("part-00000.parquet"), "half"),
        write(month.join("CURRENT.tmp"), "half"),
    ]
}

fn count(report: &Value, what: &str) -> usize {
    report[what].as_array().unwrap().len()
}

#[test]
fn what_a_publication_left_that_was_cut_off_goes_once_it_is_old() {
    let folder = TempDir::new().unwrap();
    good_run(folder.path());
    publish(folder.path(), &[]);
    let shown = tree(folder.path());
    let (code, said) = report(folder.path(), &["--remove"]);
    assert_eq!((code, count(&said, "orphans")), (0, 0), "{said:#}");
    assert_eq!(tree(folder.path()), shown, "what is shown stays");

    // The leases know no publication of that name: it may be at work, for it was there a moment ago.
    let [part, temporary] = plant(folder.path());
    let planted = tree(folder.path());
    let (code, said) = report(folder.path(), &[]);
    assert_eq!((code, count(&said, "at_work")), (1, 1), "{said:#}");
    assert_eq!(tree(folder.path()), planted);

    let long_ago = SystemTime::now() - Duration::from_secs(3 * 86_400);
    for path in [part, temporary] {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    let (code, said) = report(folder.path(), &["--remove"]);
    assert_eq!((code, count(&said, "at_work")), (0, 0), "{said:#}");
    let orphans = said["orphans"].as_array().unwrap();
    let mut kinds: Vec<&str> = orphans
        .iter()
        .map(|orphan| {
            let why = orphan["why"].as_str().unwrap();
            assert!(why.contains("a publication that was cut off"), "{why}");
            orphan["kind"].as_str().unwrap()
        })
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["never_shown", "temporary"]);
    assert_eq!(tree(folder.path()), shown, "nothing else went");
    publish(folder.path(), &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_that_holds_the_lease_keeps_what_it_wrote_and_one_that_ended_does_not() {
    let folder = TempDir::new().unwrap();
    good_run(folder.path());
    publish(folder.path(), &[]);
    let shown = tree(&folder.path().join("out/warehouse"));
    let evidence = store::open(folder.path().join("out/evidence").to_str().unwrap()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let processes: Arc<dyn Processes> = Arc::new(ProcProcesses);
    let tools = LeaseTools {
        leases: &Leases::within(&evidence),
        clock: &clock,
        processes: &processes,
        limits: &Limits::default(),
    };
    let taker = Taker {
        run_id: DEAD.parse().unwrap(),
        ipe: IpeId::of_published(),
        period: "2024-04".parse().unwrap(),
        host: "here".to_owned(),
    };
    let lease = take_tables(tools, &taker).await.unwrap();
    plant(folder.path());
    let (code, said) = report(folder.path(), &["--remove"]);
    assert_eq!((code, count(&said, "at_work")), (0, 2), "{said:#}");
    assert_ne!(tree(&folder.path().join("out/warehouse")), shown);

    // The negative twin: however young, it is over.
    lease.end(&clock, ItemStatus::Error).await.unwrap();
    let (code, said) = report(folder.path(), &["--remove"]);
    assert_eq!((code, count(&said, "orphans")), (0, 2), "{said:#}");
    assert_eq!(tree(&folder.path().join("out/warehouse")), shown);
    assert_eq!(count(&said, "not_found_out"), 0, "{said:#}");
}

#[test]
fn what_is_logged_of_a_publication_is_found_by_run_and_month() {
    let folder = TempDir::new().unwrap();
    good_run(folder.path());
    let said = publish(folder.path(), &["--log-format", "json", "--log", "info"]);
    let logged = said.lines().find(|line| line.contains("was published"));
    let logged = logged.unwrap_or_else(|| panic!("{said}"));
    let line: Value = serde_json::from_str(logged).unwrap();
    let labels = &line["logging.googleapis.com/labels"];
    assert_eq!(labels["period"], "2024-04", "{line}");
    assert_eq!(labels["run_id"].as_str().map(str::len), Some(25), "{line}");
    assert_ne!(labels["run_id"], line["publication"], "{line}");
    // It says how many tables, and nothing of their rows.
    let names = line.as_object().unwrap().keys();
    let mut names: Vec<&str> = names.map(String::as_str).collect();
    names.sort_unstable();
    let wanted = [
        "logging.googleapis.com/labels",
        "message",
        "publication",
        "severity",
        "tables",
        "time",
    ];
    assert_eq!(names, wanted);
}
