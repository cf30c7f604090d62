use super::*;
use chrono::DateTime;
use serde_json::{Value, json};

fn finding(id: &str) -> Value {
    json!({"id": id, "company": "EC_NG", "what": "SENTINEL-AMOUNT 1.00"})
}

fn uncleared(check: &str) -> Value {
    json!({"check": check, "verdict": "Fail", "what": "SENTINEL-KEY 1", "more": 0})
}

/// A result whose items are as the one that went well, with these fields exchanged.
fn result(items: &[(&str, Value)], control: &str) -> WorkflowResult {
    let at = DateTime::UNIX_EPOCH;
    let all = items.iter().map(|(name, other)| {
        let mut item = json!({"status": "SUCCESS", "start_time": at, "end_time": at, "rows_extracted": 7,
            "validation_summary": {}, "bigquery_table": null, "error_message": null, "digest": null,
            "evidence": null, "manifest_sha256": null});
        for (field, value) in other.as_object().unwrap() {
            item[field] = value.clone();
        }
        ((*name).to_owned(), item)
    });
    let all: serde_json::Map<String, Value> = all.collect();
    let document = json!({"workflow_id": "w", "run_id": RunId::new(at, 1), "start_time": at, "end_time": at,
        "cutoff_date": "2024-05-01", "period": "2024-04", "state": "preliminary", "not_control_evidence": [],
        "ipe_results": all, "overall_status": "SUCCESS", "control_result": control,
        "summary": {"total_ipes": 1, "successful_ipes": 1, "failed_ipes": 0, "total_rows_processed": 7}});
    serde_json::from_value(document).unwrap()
}

#[test]
fn a_run_without_anything_to_report_is_no_alert() {
    let calm = result(
        &[("CR_04", json!({})), ("CR_05", json!({}))],
        "NO_EXCEPTIONS",
    );
    assert_eq!(Alert::of(&calm), None);
}

#[test]
fn findings_failures_and_errors_are_named_without_their_words() {
    let findings = json!({"findings": [finding("scope.new_value"), finding("scope.new_value")]});
    let held = json!({"status": "FAILED", "failures": [uncleared("keys.unique")], "error_message": "SENTINEL-KEY 1"});
    let error = json!({"status": "ERROR", "error_message": "no way"});
    let found = Alert::of(&result(
        &[("CR_04", findings.clone()), ("CR_05", json!({}))],
        "EXCEPTIONS",
    ));
    let found = found.unwrap();
    assert_eq!(
        (found.urgency, found.ipes.as_slice()),
        (Urgency::Findings, &["CR_04".to_owned()][..])
    );
    let text = found.text();
    assert!(text.starts_with("SOXauto PG-01, 2024-04: EXCEPTIONS\n• CR_04 SUCCESS: 2 findings (scope.new_value)\nrun "), "{text}");
    let all = [("CR_04", findings), ("CR_05", error), ("IPE_07", held)];
    let failed = Alert::of(&result(&all, "NOT_CONCLUDED")).unwrap();
    assert_eq!(failed.urgency, Urgency::Failure);
    let text = failed.text();
    for line in [
        "CR_05 ERROR: could not be found out",
        "IPE_07 FAILED: held by keys.unique",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains("SENTINEL"), "{text}");
}

#[test]
fn who_answers_for_a_check_is_told_of_and_who_died_is_a_failure() {
    let accepted = json!({"accepted": [uncleared("contract.nulls")]});
    let found = Alert::of(&result(&[("CR_04", accepted)], "EXCEPTIONS")).unwrap();
    assert_eq!(found.urgency, Urgency::Findings);
    assert!(
        found
            .text()
            .contains("although contract.nulls did not clear")
    );
    let dead = RunId::new(DateTime::UNIX_EPOCH, 9);
    let taken = json!({"abandoned_before": [dead]});
    let found = Alert::of(&result(&[("CR_04", taken)], "NO_EXCEPTIONS")).unwrap();
    assert_eq!(found.urgency, Urgency::Failure);
    assert!(found.text().contains(dead.as_str()));
}

#[test]
fn what_another_run_is_at_work_on_is_that_runs_to_tell() {
    let at = DateTime::UNIX_EPOCH;
    let holder = json!({"run_id": RunId::new(at, 2), "since": at, "host": "h", "expires_at": at});
    let held = json!({"status": "ERROR", "held_by": holder});
    let mut held = result(&[("CR_04", held)], "NOT_CONCLUDED");
    assert_eq!(Alert::of(&held), None);
    // So is what the month came to without it.
    let judged = json!({"control_result": "NOT_CONCLUDED", "lines": {"L1": "NOT_CONCLUDED"}, "evidence": null,
        "manifest_sha256": null});
    held.reconciliation = Some(serde_json::from_value(judged).unwrap());
    assert_eq!(Alert::of(&held), None);
}

fn delivery(error: Option<&str>) -> Value {
    json!({"place": "folder F of Drive", "files": [], "error": error})
}

#[test]
fn a_package_that_was_not_delivered_is_told_of_and_its_month_is_no_failure() {
    let none = json!({"delivery": delivery(Some("SENTINEL-WORDS of the service"))});
    let whole = json!({"delivery": delivery(None)});
    let all = [("CR_04", none.clone()), ("CR_05", whole.clone())];
    let found = Alert::of(&result(&all, "NO_EXCEPTIONS")).unwrap();
    assert_eq!(found.urgency, Urgency::Findings);
    assert_eq!(
        found.lines,
        ["CR_04 SUCCESS: its package was not delivered to folder F of Drive"]
    );
    assert!(!found.text().contains("SENTINEL"), "{}", found.text());
    assert_eq!(
        Alert::of(&result(&[("CR_05", whole)], "NO_EXCEPTIONS")),
        None
    );

    // One line for an item, whatever else it came to; that of a month that somebody else holds is our own package.
    let mut both = none.clone();
    both["status"] = json!("ERROR");
    let found = Alert::of(&result(&[("CR_04", both.clone())], "NOT_CONCLUDED")).unwrap();
    assert_eq!(found.urgency, Urgency::Failure);
    assert_eq!(
        found.lines,
        ["CR_04 ERROR: could not be found out; its package was not delivered to folder F of Drive"]
    );
    let at = DateTime::UNIX_EPOCH;
    both["held_by"] =
        json!({"run_id": RunId::new(at, 2), "since": at, "host": "h", "expires_at": at});
    let found = Alert::of(&result(&[("CR_04", both)], "NOT_CONCLUDED")).unwrap();
    assert_eq!(found.urgency, Urgency::Findings);
    assert_eq!(
        found.lines,
        ["CR_04 ERROR: its package was not delivered to folder F of Drive"]
    );
}

#[test]
fn what_the_month_came_to_is_told_by_line_and_without_its_words() {
    let of = |control: &str, lines: Value, error: Option<&str>, publication: Option<&str>| {
        let mut all = result(&[("CR_04", json!({}))], control);
        let judged = json!({"control_result": control, "lines": lines, "evidence": null,
            "manifest_sha256": null, "error_message": error});
        all.reconciliation = Some(serde_json::from_value(judged).unwrap());
        let published = json!({"publication_id": null, "tables": [], "error_message": publication});
        all.publication = Some(serde_json::from_value(published).unwrap());
        Alert::of(&all)
    };
    let lines = |l1: &str| json!({"L1": l1, "L2": "OK"});
    assert_eq!(of("NO_EXCEPTIONS", lines("OK"), None, None), None);

    let found = of("EXCEPTIONS", lines("INVESTIGATE"), None, None).unwrap();
    assert_eq!((found.urgency, found.ipes.len()), (Urgency::Findings, 0));
    assert_eq!(found.lines, ["reconciliation: EXCEPTIONS, L1 INVESTIGATE"]);
    // A rate that another source does not say is an exception of no line.
    let found = of("EXCEPTIONS", lines("OK"), None, None).unwrap();
    assert_eq!(found.lines, ["reconciliation: EXCEPTIONS"]);

    let found = of("NOT_CONCLUDED", lines("NOT_CONCLUDED"), None, None).unwrap();
    assert_eq!(found.urgency, Urgency::Failure);
    assert_eq!(
        found.lines,
        ["reconciliation: NOT_CONCLUDED, L1 NOT_CONCLUDED"]
    );
    let found = of("NOT_CONCLUDED", json!({}), Some("SENTINEL"), None).unwrap();
    assert_eq!(found.urgency, Urgency::Failure);
    assert_eq!(
        found.lines,
        ["reconciliation: the month could not be judged"]
    );

    let found = of("NO_EXCEPTIONS", lines("OK"), None, Some("SENTINEL")).unwrap();
    assert_eq!((found.urgency, found.lines.len()), (Urgency::Findings, 1));
    assert!(found.text().contains("soxauto reconcile --publish"));
    assert!(!found.text().contains("SENTINEL"), "{}", found.text());
}

#[test]
fn a_month_that_was_judged_by_itself_is_told_of_like_that_of_a_run() {
    let of = |control: &str, line: &str, publication: Option<&str>| {
        let judged = json!({"control_result": control, "lines": {"L1": line, "L2": "OK"}, "evidence": null,
            "manifest_sha256": null});
        let judged: ReconciliationResult = serde_json::from_value(judged).unwrap();
        let published = json!({"publication_id": null, "tables": [], "error_message": publication});
        let published: PublicationResult = serde_json::from_value(published).unwrap();
        let run = RunId::new(DateTime::UNIX_EPOCH, 1);
        let alert =
            Alert::of_judgement((run, "2024-04".parse().unwrap()), &judged, Some(&published));
        alert.map(|alert| (alert.urgency, alert.lines))
    };
    assert_eq!(of("NO_EXCEPTIONS", "OK", None), None);
    let (urgency, lines) = of("NOT_CONCLUDED", "NOT_CONCLUDED", None).unwrap();
    assert_eq!(urgency, Urgency::Failure);
    assert_eq!(lines, ["reconciliation: NOT_CONCLUDED, L1 NOT_CONCLUDED"]);
    let (urgency, lines) = of("EXCEPTIONS", "INVESTIGATE", Some("SENTINEL")).unwrap();
    assert_eq!((urgency, lines.len()), (Urgency::Findings, 2));
    assert!(!lines.concat().contains("SENTINEL"));
}
