//! What `soxauto clean` does with what publications leave that were cut off.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use super::cleaned::{DEAD, good_run, report, tree, write};
use super::killed::{soxauto, text};

/// Puts the month into the tables of the warehouse.
fn publish(folder: &Path) {
    let args = "reconcile --period 2024-04 --publish --staging out/staging";
    let args: Vec<&str> = args.split(' ').collect();
    let output = soxauto(folder, &args).output().unwrap();
    assert!(
        output.status.code().is_some_and(|code| code < 2),
        "{}",
        text(&output)
    );
}

fn count(report: &Value, what: &str) -> usize {
    report[what].as_array().unwrap().len()
}

#[test]
fn what_a_publication_left_that_was_cut_off_goes_once_it_is_old() {
    let folder = TempDir::new().unwrap();
    good_run(folder.path());
    publish(folder.path());
    let shown = tree(folder.path());
    let (code, said) = report(folder.path(), &["--remove"]);
    assert_eq!((code, count(&said, "orphans")), (0, 0), "{said:#}");
    assert_eq!(tree(folder.path()), shown, "what is shown stays");

    let month = "out/warehouse/soxauto_runs/period=2024-04";
    let month = folder.path().join(month);
    let half = [
        write(month.join(DEAD).join("part-00000.parquet"), "half"),
        write(month.join("CURRENT.tmp"), "half"),
    ];
    let planted = tree(folder.path());
    // It may be at work: a publication takes no lease, and was there a moment ago.
    let (code, said) = report(folder.path(), &["--remove"]);
    assert_eq!((code, count(&said, "orphans")), (0, 0), "{said:#}");
    assert_eq!(count(&said, "at_work"), 2, "{said:#}");
    assert_eq!(tree(folder.path()), planted);

    let long_ago = SystemTime::now() - Duration::from_secs(3 * 86_400);
    for path in half {
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
    publish(folder.path());
}
