//! The month in the warehouse: its buckets and its runs.

use std::fs;

use serde_json::Value;

use super::{Amounts, Month, found, short, text};
use crate::support::items;

const VALIDATIONS: &str = "SELECT line, company, gl, difference, status, validation_status, is_memo FROM soxauto_validations";
const REGISTRY: &str = "SELECT item, run_id, status, state, is_newest, row_count, manifest_sha256 FROM soxauto_runs ORDER BY item, run_id";

/// The validations show every difference of the result and no other, and the registry each item once.
pub(super) fn shows_the_month(month: &Month) {
    let rows = month.sql(VALIDATIONS);
    let mut differences = Amounts::new();
    for row in rows.iter().filter(|row| !row["difference"].is_null()) {
        let (measure, at) = match row["gl"].as_str() {
            Some(account) => ("variance", account.to_owned()),
            None => ("line", text(&row["line"])),
        };
        let place = [measure.to_owned(), text(&row["company"]), at];
        assert_eq!(differences.insert(place, short(&row["difference"])), None);
    }
    differences.retain(|_, amount| amount != "0");
    let mut wanted = found(&month.result);
    wanted.retain(|[measure, ..], _| measure != "bridge");
    assert_eq!(differences, wanted);
    for row in &rows {
        let wanted = match (
            row["is_memo"].as_bool().unwrap(),
            text(&row["status"]).as_str(),
        ) {
            (true, _) => Value::Null,
            (false, "OK") => Value::from("success"),
            (false, _) => Value::from("fail"),
        };
        assert_eq!(row["validation_status"], wanted, "{row}");
    }
    let registry = month.sql(REGISTRY);
    let names: Vec<String> = registry.iter().map(|row| text(&row["item"])).collect();
    let mut all = items();
    all.push("reconciliation".to_owned());
    assert_eq!(names, all, "each item once, and one judgement");
    for row in &registry {
        assert_eq!(
            (&row["is_newest"], &row["state"]),
            (&Value::from(true), &Value::from("PRELIMINARY"))
        );
        assert_eq!(row["run_id"], registry[0]["run_id"]);
        assert_eq!(row["manifest_sha256"].as_str().unwrap().len(), 64);
        let is_judgement = row["item"] == "reconciliation";
        assert_eq!(row["row_count"].is_null(), is_judgement, "{row}");
    }
}

/// Publishing again gives the same single copy, a judgement more is one row more, and a warehouse that cannot be loaded is
/// said without unmaking anything.
pub(super) fn publishes_again(month: &Month) {
    let (rows, registry) = (month.sql(VALIDATIONS), month.sql(REGISTRY));
    let first = month.publication();
    let again = month.publish(&[]);
    assert_eq!(again.code, 1, "{}{}", again.out, again.err);
    let told = "published soxauto_validations$202404";
    assert!(again.err.contains(told), "{}", again.err);
    assert_eq!(month.sql(REGISTRY), registry);
    assert_eq!(month.sql(VALIDATIONS).len(), rows.len());
    assert_ne!(month.publication(), first);

    let sealed = month.publish(&["--seal"]);
    assert_eq!(sealed.code, 1, "{}{}", sealed.out, sealed.err);
    assert_eq!(month.sql(REGISTRY).len(), registry.len() + 1);
    assert_eq!(month.sql(VALIDATIONS).len(), rows.len());

    // The negative twin: where the tables should be is a file.
    fs::create_dir(month.shell.path("blocked")).unwrap();
    fs::write(month.shell.path("blocked/soxauto_validations"), "x").unwrap();
    let blocked = month.publish(&["--warehouse", "blocked"]);
    assert_eq!(blocked.code, 2, "{}{}", blocked.out, blocked.err);
    assert!(blocked.out.contains("result: "), "{}", blocked.out);
    let why = "the month could not be published: ";
    assert!(blocked.err.contains(why), "{}", blocked.err);
    assert_eq!(month.sql(REGISTRY).len(), registry.len() + 1);
}
