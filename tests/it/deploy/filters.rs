//! The filters of the metrics over lines as Cloud Logging has them: those that the program writes, and those that Cloud Run
//! writes of a container.

use serde_json::{Value, json};

use super::alerts::json as alert_file;
use super::files;

/// From the least to the worst.
const SEVERITIES: [&str; 6] = ["DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"];

/// Words, signs, parentheses and quoted texts of a filter.
fn tokens(filter: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = filter.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => rest[1..].find('"').unwrap() + 2,
            '(' | ')' | '=' | ':' => 1,
            '>' => 2,
            _ => rest
                .find([' ', '(', ')', '=', ':', '>'])
                .unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(end);
        found.push(token.to_owned());
        rest = after.trim_start();
    }
    found
}

/// A filter while it is read. NOT binds before OR, and OR before AND.
struct Reader<'a> {
    tokens: Vec<String>,
    at: usize,
    entry: &'a Value,
}

impl Reader<'_> {
    fn take(&mut self) -> String {
        self.at += 1;
        self.tokens[self.at - 1].clone()
    }

    /// Goes over a word, if it comes next.
    fn skip(&mut self, word: &str) -> bool {
        let is_next = self.tokens.get(self.at).is_some_and(|next| next == word);
        self.at += usize::from(is_next);
        is_next
    }

    fn all(&mut self) -> bool {
        let mut fits = self.any();
        while self.skip("AND") {
            let more = self.any();
            fits = fits && more;
        }
        fits
    }

    fn any(&mut self) -> bool {
        let mut fits = self.one();
        while self.skip("OR") {
            let more = self.one();
            fits = fits || more;
        }
        fits
    }

    fn one(&mut self) -> bool {
        if self.skip("NOT") {
            return !self.one();
        }
        if self.skip("(") {
            let fits = self.all();
            assert!(self.skip(")"), "{:?} at {}", self.tokens, self.at);
            return fits;
        }
        let path = self.take();
        if self.skip("(") {
            assert_eq!(path, "log_id");
            let id = self.take().trim_matches('"').replace('/', "%2F");
            assert!(self.skip(")"), "{:?} at {}", self.tokens, self.at);
            let name = self.entry["logName"].as_str().unwrap();
            return name.ends_with(&format!("/logs/{id}"));
        }
        let (sign, value) = (self.take(), self.take());
        let value = value.trim_matches('"');
        let said = path.split('.').fold(self.entry, |at, name| &at[name]);
        let text = said
            .as_str()
            .map_or_else(|| said.to_string(), str::to_owned);
        let rank = |severity: &str| SEVERITIES.iter().position(|one| *one == severity).unwrap();
        match sign.as_str() {
            "=" => text == value,
            ":" => said.is_string() && text.contains(value),
            ">=" => rank(&text) >= rank(value),
            other => panic!("{other} in {:?}", self.tokens),
        }
    }
}

fn fits(filter: &str, entry: &Value) -> bool {
    let mut reader = Reader {
        tokens: tokens(filter),
        at: 0,
        entry,
    };
    let fits = reader.all();
    assert_eq!(reader.at, reader.tokens.len(), "{filter}");
    fits
}

/// The metrics that count an entry, without `metric-` and `.json`.
fn counted(entry: &Value) -> Vec<String> {
    let fit = files("alerts", "metric-", ".json").into_iter();
    fit.filter(|name| fits(alert_file(name)["filter"].as_str().unwrap(), entry))
        .map(|name| {
            let name = name.trim_start_matches("metric-");
            name.trim_end_matches(".json").to_owned()
        })
        .collect()
}

const JOB: &str = "cloud_run_job";
const SERVICE: &str = "cloud_run_revision";

fn resource(kind: &str) -> Value {
    match kind {
        JOB => json!({"type": JOB, "labels": {"job_name": "soxauto-pg01-run"}}),
        _ => json!({"type": SERVICE, "labels": {"service_name": "soxauto-pg01"}}),
    }
}

/// A line of the container as the entry that it becomes: what Cloud Logging knows by name is taken out of it.
#[cfg(feature = "sandbox")]
fn of_program(kind: &str, line: &str) -> Value {
    let mut said: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    let fields = said.as_object_mut().unwrap();
    let severity = fields.remove("severity").unwrap();
    fields.remove("time").unwrap();
    json!({"resource": resource(kind), "logName": "projects/p/logs/run.googleapis.com%2Fstderr",
        "severity": severity, "jsonPayload": said})
}

/// What Cloud Run writes of a container.
fn of_cloud_run(kind: &str, severity: &str, text: &str) -> Value {
    json!({"resource": resource(kind), "logName": "projects/p/logs/run.googleapis.com%2Fvarlog%2Fsystem",
        "severity": severity, "textPayload": text})
}

#[cfg(feature = "sandbox")]
#[test]
fn a_run_is_counted_once_as_what_it_came_to_and_a_calm_one_never() {
    for (further, code, metric) in [
        (
            &["--ipe", "IPE_07", "--sandbox-plant", "recon"][..],
            1,
            Some("findings"),
        ),
        (
            &["--ipe", "CR_04", "--secrets", "env", "--log", "off"],
            2,
            Some("run-failed"),
        ),
        (&["--ipe", "CR_04", "--log", "debug"], 0, None),
    ] {
        let run = ["run", "--period", "2024-04", "--sandbox-rows", "300"];
        let args = [&run[..], &["--log-format", "json"], further].concat();
        let said = crate::cli::Shell::new().run(&args);
        assert_eq!(said.code, code, "{}", said.err);
        for kind in [JOB, SERVICE] {
            let lines = said.err.lines();
            let counted: Vec<_> = lines
                .flat_map(|line| counted(&of_program(kind, line)))
                .collect();
            let expected: Vec<_> = metric.into_iter().collect();
            assert_eq!(counted, expected, "{kind}: {}", said.err);
        }
    }
}

#[test]
fn what_cloud_run_ended_is_counted_and_the_programs_own_codes_are_not() {
    for (kind, severity, text, metric) in [
        (JOB, "ERROR", "memory is used up", Some("run-died")),
        (JOB, "ERROR", "the task took too long", Some("run-died")),
        (JOB, "WARNING", "killed by a signal", Some("run-died")),
        (
            JOB,
            "WARNING",
            "Container called exit(137).",
            Some("run-died"),
        ),
        (
            JOB,
            "ERROR",
            "Task t0 failed with exit code: 12 and more",
            Some("run-died"),
        ),
        (JOB, "INFO", "Container called exit(0).", None),
        (JOB, "WARNING", "Container called exit(1).", None),
        (
            JOB,
            "ERROR",
            "Task t0 failed with exit code: 1 and more",
            None,
        ),
        (JOB, "WARNING", "Container called exit(2).", Some("exit-2")),
        (
            JOB,
            "ERROR",
            "Task t0 failed with exit code: 2 and more",
            None,
        ),
        (SERVICE, "ERROR", "memory is used up", Some("run-died")),
        (SERVICE, "ERROR", "it does not listen", Some("run-died")),
        (SERVICE, "INFO", "a new instance", None),
    ] {
        let entry = of_cloud_run(kind, severity, text);
        let expected: Vec<_> = metric.into_iter().collect();
        assert_eq!(counted(&entry), expected, "{entry}");
        let mut of_another = entry.clone();
        let labels = &mut of_another["resource"]["labels"];
        *labels = json!({"job_name": "another", "service_name": "another"});
        assert_eq!(counted(&of_another), Vec::<String>::new(), "{of_another}");
        let mut of_container = entry;
        of_container["logName"] = json!("projects/p/logs/run.googleapis.com%2Fstderr");
        assert_eq!(counted(&of_container), Vec::<String>::new());
    }
}

#[test]
fn an_alert_of_another_kind_of_resource_or_without_its_mark_is_not_counted() {
    let entry = |kind: &str, alert: Value, severity: &str| {
        json!({"resource": {"type": kind}, "logName": "projects/p/logs/x",
        "severity": severity, "jsonPayload": {"alert": alert}})
    };
    assert_eq!(counted(&entry(JOB, json!(true), "ERROR")), ["run-failed"]);
    assert_eq!(
        counted(&entry(SERVICE, json!(true), "WARNING")),
        ["findings"]
    );
    for other in [
        entry("gce_instance", json!(true), "ERROR"),
        entry(JOB, json!(false), "ERROR"),
        entry(JOB, Value::Null, "ERROR"),
        entry(JOB, json!(true), "INFO"),
    ] {
        assert_eq!(counted(&other), Vec::<String>::new(), "{other}");
    }
    let config = entry("bigquery_dts_config", Value::Null, "ERROR");
    assert_eq!(counted(&config), ["deadline"]);
}

#[test]
fn a_filter_is_read_as_cloud_logging_reads_it() {
    let entry = json!({"a": "1", "b": {"c": "xyz"}, "severity": "ERROR", "logName": "projects/p/logs/d%2Fe"});
    for (filter, expected) in [
        ("a=\"1\" AND b.c:\"y\"", true),
        ("a=\"2\" OR b.c=\"xyz\"", true),
        ("b.c=\"y\" OR missing:\"y\"", false),
        // OR binds before AND, NOT before both.
        ("a=\"1\" OR a=\"2\" AND a=\"3\"", false),
        ("(a=\"1\") OR (a=\"2\" AND a=\"3\")", true),
        ("NOT a=\"2\" AND NOT (a=\"1\" AND a=\"2\")", true),
        ("log_id(\"d/e\") AND severity>=\"WARNING\"", true),
        ("log_id(\"e\") OR severity>=\"CRITICAL\"", false),
    ] {
        assert_eq!(fits(filter, &entry), expected, "{filter}");
    }
}
