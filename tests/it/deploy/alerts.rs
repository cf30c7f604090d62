//! Metrics and policies name what there is, and say what to do.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{between, commands, files, terraform, text};

pub(super) fn json(name: &str) -> Value {
    serde_json::from_str(&text(&format!("alerts/{name}")))
        .unwrap_or_else(|error| panic!("deploy/alerts/{name}: {error}"))
}

/// The user metrics that the filters of a policy name.
fn metrics_of(policy: &Value) -> BTreeSet<String> {
    let conditions = policy["conditions"].as_array().unwrap();
    assert!(
        !conditions.is_empty(),
        "a policy that cannot fire: {policy}"
    );
    let mut found = BTreeSet::new();
    for condition in conditions {
        let threshold = &condition["conditionThreshold"];
        let filter = threshold["filter"].as_str().unwrap();
        assert!(
            filter.contains("metric.type=") && filter.contains("resource.type="),
            "{filter}"
        );
        assert!(threshold["thresholdValue"].is_number(), "{threshold}");
        assert!(!threshold["aggregations"].as_array().unwrap().is_empty());
        found.extend(
            between(filter, "logging.googleapis.com/user/", '"')
                .into_iter()
                .map(str::to_owned),
        );
    }
    found
}

#[test]
fn every_metric_is_watched_and_every_watched_metric_is_there() {
    let made: BTreeSet<_> = files("alerts", "metric-", ".json")
        .iter()
        .map(|name| json(name)["name"].as_str().unwrap().to_owned())
        .collect();
    let watched: BTreeSet<_> = files("alerts", "policy-", ".json")
        .iter()
        .flat_map(|name| metrics_of(&json(name)))
        .collect();
    assert_eq!(made, watched);
    assert_eq!(made.len(), 5);
}

#[test]
#[should_panic(expected = "a policy that cannot fire")]
fn a_policy_without_a_condition_is_refused() {
    let mut policy = json("policy-findings.json");
    policy["conditions"] = Value::Array(Vec::new());
    metrics_of(&policy);
}

#[test]
fn every_policy_says_what_to_do() {
    for name in files("alerts", "policy-", ".json") {
        let policy = json(&name);
        let advice = policy["documentation"]["content"].as_str().unwrap();
        assert!(advice.len() > 80, "{name}: {advice}");
        assert!(
            policy["severity"].is_string() && policy["combiner"] == "OR",
            "{name}"
        );
    }
}

#[test]
fn no_alert_counts_failed_executions_because_findings_are_one() {
    for name in files("alerts", "policy-", ".json") {
        let policy = text(&format!("alerts/{name}"));
        assert!(!policy.contains("completed_execution_count"), "{name}");
    }
}

#[test]
fn what_a_policy_watches_for_stands_in_its_advice() {
    for (name, said) in [
        ("failed-run", ["NOT_CONCLUDED", "ended the program"]),
        ("findings", ["INVESTIGATE", "could not be published"]),
        ("exit-2", ["could not be found out", "no run began"]),
        (
            "deadline",
            ["no FINAL judgement", "soxauto reconcile --publish"],
        ),
    ] {
        let policy = json(&format!("policy-{name}.json"));
        let advice = policy["documentation"]["content"].as_str().unwrap();
        for said in said {
            assert!(advice.contains(said), "{name}: {said}: {advice}");
        }
    }
}

/// The words of the loop around the command that holds `mark`.
fn looped<'a>(lines: &'a [String], mark: &str) -> BTreeSet<&'a str> {
    let at = lines.iter().position(|line| line.contains(mark)).unwrap();
    let head = lines[..at]
        .iter()
        .rfind(|line| line.starts_with("for "))
        .unwrap();
    let list = head.split(" in ").nth(1).unwrap().trim_end_matches("; do");
    list.split(' ').collect()
}

#[test]
fn the_guide_makes_every_metric_and_every_policy() {
    let lines = commands(&text("README.md"));
    for kind in ["metric-", "policy-"] {
        let there = files("alerts", kind, ".json");
        let there: BTreeSet<_> = there
            .iter()
            .map(|name| name.trim_start_matches(kind).trim_end_matches(".json"))
            .collect();
        assert_eq!(looped(&lines, &format!("alerts/{kind}$name.json")), there);
    }
}

#[test]
fn policies_and_metrics_watch_the_job_and_the_service_that_are_deployed() {
    let terraform = terraform();
    let (policies, metrics) = (
        files("alerts", "policy-", ".json"),
        files("alerts", "metric-", ".json"),
    );
    for name in policies.union(&metrics) {
        let policy = text(&format!("alerts/{name}"));
        for resource in ["job_name=\\\"", "service_name=\\\""] {
            for deployed in between(&policy, resource, '\\') {
                assert!(
                    terraform.contains(&format!("= \"{deployed}\"")),
                    "{name}: {deployed}"
                );
            }
        }
    }
}
