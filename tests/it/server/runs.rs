//! Runs on request: the guide's document, one at a time over all instances, with and without waiting.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use soxauto::app::SystemClock;
use soxauto::ports::Clock as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::{JSON, Served, Silent, open_settings, stuck_settings};
use crate::journey::Place;

const APRIL: &str = r#"{"cutoff_date": "2024-05-01", "ipes": ["CR_04"]}"#;

/// Defect 2 of the predecessor: the answer to a good run could not be written as JSON, so that it was 500 after the load.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_answers_with_the_guides_document() {
    let place = Place::new();
    let served = Served::start(open_settings(&place)).await;
    let reply = served
        .post(r#"{"cutoff_date": "2024-05-01", "ipes": ["CR_04", "CR_05", "CR_04"]}"#)
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let result = reply.json();
    assert!(
        result["workflow_id"]
            .as_str()
            .unwrap()
            .starts_with("SOXauto_PG01_")
    );
    assert_eq!(result["cutoff_date"], "2024-05-01");
    assert_eq!(result["overall_status"], "SUCCESS");
    assert_eq!(result["control_result"], "NO_EXCEPTIONS");
    assert_eq!(result["summary"]["total_ipes"], 2);
    assert_eq!(result["summary"]["successful_ipes"], 2);
    let item = &result["ipe_results"]["CR_04"];
    assert_eq!(item["status"], "SUCCESS");
    for field in [
        "start_time",
        "end_time",
        "rows_extracted",
        "validation_summary",
        "bigquery_table",
    ] {
        assert!(!item[field].is_null(), "{field}");
    }
    assert!(item["error_message"].is_null());
    let stamps = result["not_control_evidence"].as_array().unwrap();
    assert!(
        stamps.contains(&json!("unauthenticated_service")),
        "{stamps:?}"
    );
    let metrics = served.get("/metrics").await.body;
    for line in [
        "soxauto_runs_total{status=\"SUCCESS\"} 1\n",
        "soxauto_runs_total{status=\"FAILED\"} 0\n",
        "soxauto_items_total{ipe=\"CR_04\",status=\"SUCCESS\"} 1\n",
        "soxauto_last_success_timestamp_seconds{ipe=\"CR_05\"} ",
    ] {
        assert!(metrics.contains(line), "{line} {metrics}");
    }
}

/// Defect 1 of the predecessor: the best answer there was said 206, because a template was run as an item.
#[tokio::test(flavor = "multi_thread")]
async fn a_month_of_every_item_is_200() {
    let place = Place::new();
    let served = Served::start(open_settings(&place)).await;
    let reply = served.post(r#"{"cutoff_date": "2024-05-01"}"#).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let result = reply.json();
    assert_eq!(result["overall_status"], "SUCCESS");
    let items = result["ipe_results"].as_object().unwrap();
    for item in crate::support::asked() {
        assert_eq!(items[&item]["status"], "SUCCESS", "{item}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_body_it_is_the_last_month_that_has_ended() {
    let place = Place::new();
    let mut settings = open_settings(&place);
    settings.run.source.sandbox_rows = Some(200);
    let served = Served::start(settings).await;
    let reply = served.ask("POST /", "", "").await;
    let expected = soxauto::domain::period::Period::last_closed(SystemClock.now()).unwrap();
    assert_eq!(
        reply.json()["cutoff_date"],
        expected.cutoff().to_string(),
        "{reply:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn some_items_are_206_and_none_is_500() {
    let place = Place::new();
    let mut settings = open_settings(&place);
    settings.run.source.sandbox_plant = soxauto::domain::plant::PlantProfile::Hold;
    let served = Served::start(settings).await;
    let some = served.post(r#"{"cutoff_date": "2024-05-01"}"#).await;
    assert_eq!(some.status, 206, "{some:?}");
    assert_eq!(some.json()["overall_status"], "PARTIAL_SUCCESS");
    let result = some.json();
    let items = result["ipe_results"].as_object().unwrap();
    let held: Vec<&String> = items
        .iter()
        .filter(|(_, item)| item["status"] != "SUCCESS")
        .map(|(name, _)| name)
        .collect();
    let only = json!({"cutoff_date": "2024-05-01", "ipes": held}).to_string();
    let none = served.post(&only).await;
    assert_eq!(none.status, 500, "{none:?}");
    assert_eq!(none.json()["overall_status"], "FAILED");
    assert!(none.json()["failure_reason"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_requests_one_runs() {
    let place = Place::new();
    let served = Served::start(open_settings(&place)).await;
    let asking = (0..8).map(|_| served.post(APRIL));
    let replies = futures::future::join_all(asking).await;
    let (ran, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!(ran.len(), 1, "{replies:?}");
    let run_id = &ran[0].json()["run_id"];
    for reply in refused {
        assert_eq!((reply.status, reply.code().as_str()), (409, "at_work"));
        assert_eq!(reply.json()["error"]["run_id"], *run_id);
    }
    let runs = served.get("/runs").await.json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
    // A retry after the end is a run of its own again.
    assert_eq!(served.post(APRIL).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_at_work_in_another_instance_is_409_and_leaves_nothing() {
    let (place, silent) = (Place::new(), Silent::new());
    let first = Served::start(stuck_settings(&place, &silent)).await;
    let second = Served::start(open_settings(&place)).await;
    let run_id = first.begin(APRIL).await;
    first
        .until(&run_id, |run| run["ipes"]["CR_04"]["stage"] == "open")
        .await;
    let reply = second.post(APRIL).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (409, "at_work"),
        "{reply:?}"
    );
    assert_eq!(reply.json()["error"]["run_id"], run_id.as_str());
    assert_eq!(second.get("/runs").await.json(), json!({"runs": []}));
    // One item that is at work is enough: neither run would have all that it wants. Others are nobody's.
    let asked = |items: &str| format!(r#"{{"cutoff_date": "2024-05-01", "ipes": [{items}]}}"#);
    let both = second.post(&asked(r#""CR_05", "CR_04""#)).await;
    assert_eq!(both.status, 409, "{both:?}");
    assert_eq!(both.json()["error"]["run_id"], run_id.as_str());
    assert_eq!(second.get("/runs").await.json(), json!({"runs": []}));
    let other = second.post(&asked(r#""CR_05""#)).await;
    assert_eq!(other.status, 200, "{other:?}");
    // The first itself says the same, and that another month must wait.
    assert_eq!(
        first.post(APRIL).await.json()["error"]["run_id"],
        run_id.as_str()
    );
    let other = first
        .post(r#"{"cutoff_date": "2024-04-01", "ipes": ["CR_05"]}"#)
        .await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (429, "one_at_a_time")
    );
    assert_eq!(other.header("retry-after"), Some("60"));
    // So must items of the same month that the run does not do: nobody is at work on them.
    for body in [
        r#"{"cutoff_date": "2024-05-01", "ipes": ["CR_05"]}"#,
        r#"{"cutoff_date": "2024-05-01"}"#,
    ] {
        let more = first.post(body).await;
        assert_eq!((more.status, more.code().as_str()), (429, "one_at_a_time"));
        assert_eq!(more.json()["error"]["run_id"], run_id.as_str());
        let hint = more.json()["error"]["hint"].to_string();
        assert!(hint.contains("CR_05") && !hint.contains("CR_04"), "{hint}");
    }
    assert!(
        first
            .get("/metrics")
            .await
            .body
            .contains("soxauto_runs_in_flight 1\n")
    );
    assert!(first.stopped().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_wait_can_look() {
    let place = Place::new();
    let served = Served::start(open_settings(&place)).await;
    let first = served.begin(APRIL).await;
    let run = served.until(&first, |run| run["status"] != "RUNNING").await;
    assert_eq!(run["status"], "SUCCESS");
    let item = &run["ipes"]["CR_04"];
    assert_eq!(
        (item["stage"].as_str(), item["status"].as_str()),
        (Some("seal"), Some("SUCCESS"))
    );
    assert_eq!(item["rows"], item["rows_expected"]);
    assert_eq!(run["result"]["run_id"], first.as_str());
    let second = served.begin(APRIL).await;
    let runs = served.get("/runs").await.json();
    let names: Vec<&Value> = runs["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["run_id"])
        .collect();
    assert_eq!(names, [&json!(second), &json!(first)]);
    assert!(runs["runs"][0]["result"].is_null());
    served
        .until(&second, |run| run["status"] == "SUCCESS")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_goes_away_takes_nothing_with_him() {
    let place = Place::new();
    let served = Served::start(open_settings(&place)).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let length = APRIL.len();
    let text =
        format!("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n{JSON}\r\n{APRIL}");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut known = BTreeSet::new();
    while known.is_empty() {
        let runs = served.get("/runs").await.json();
        let runs = runs["runs"].as_array().unwrap();
        known.extend(
            runs.iter()
                .map(|run| run["run_id"].as_str().unwrap().to_owned()),
        );
    }
    drop(stream);
    let run_id = known.pop_first().unwrap();
    served
        .until(&run_id, |run| run["status"] == "SUCCESS")
        .await;
}

/// Leases elsewhere: the one at work is seen there, and nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_asks_the_root_of_the_leases_and_says_where_it_is() {
    let (place, silent) = (Place::new(), Silent::new());
    let own = Place::new();
    let leases = own.settings("").evidence;
    let mut settings = stuck_settings(&place, &silent);
    settings.run.leases = Some(leases.clone());
    let first = Served::start(settings).await;
    let mut settings = open_settings(&place);
    settings.run.leases = Some(leases.clone());
    let second = Served::start(settings).await;
    let blind = Served::start(open_settings(&place)).await;
    let run_id = first.begin(APRIL).await;
    first
        .until(&run_id, |run| run["ipes"]["CR_04"]["stage"] == "open")
        .await;
    let reply = second.post(APRIL).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (409, "at_work"),
        "{reply:?}"
    );
    assert_eq!(reply.json()["error"]["run_id"], run_id.as_str());
    let reply = blind.post(APRIL).await;
    assert!(reply.status >= 500, "{reply:?}");
    assert!(reply.body.contains("--leases"), "{reply:?}");
    assert_eq!(blind.get("/runs").await.json(), json!({"runs": []}));
    let said = second.get("/config").await.json();
    assert_eq!(said["leases"], leases.as_str());
    let ready = second.get("/ready").await;
    assert!(ready.body.contains("\"leases\""), "{ready:?}");
    assert!(!blind.get("/ready").await.body.contains("\"leases\""));
    assert!(first.stopped().await);
}
