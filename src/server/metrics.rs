//! Counters of the service in the text form of Prometheus. Names and numbers only.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use crate::domain::run::{ItemStatus, OverallStatus};
use crate::pipeline::workflow::WorkflowResult;

/// What has happened since the start.
#[derive(Default)]
pub(super) struct Metrics(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    runs: BTreeMap<&'static str, u64>,
    items: BTreeMap<(String, &'static str), u64>,
    rows: BTreeMap<String, u64>,
    milliseconds: u64,
    refused: BTreeMap<u16, u64>,
    last_success: BTreeMap<String, i64>,
}

impl Metrics {
    /// Counts a run that ended.
    pub(super) fn ended(&self, result: &WorkflowResult) {
        self.change(|counts| {
            *counts.runs.entry(result.overall_status.word()).or_default() += 1;
            let elapsed = (result.end_time - result.start_time).num_milliseconds();
            counts.milliseconds += u64::try_from(elapsed).unwrap_or_default();
            for (name, item) in &result.ipe_results {
                let status = (name.clone(), item.status.word());
                *counts.items.entry(status).or_default() += 1;
                *counts.rows.entry(name.clone()).or_default() += item.rows_extracted;
                if item.status == ItemStatus::Success {
                    let at = item.end_time.timestamp();
                    counts.last_success.insert(name.clone(), at);
                }
            }
        });
    }

    /// Counts a run that ended without a result.
    pub(super) fn lost(&self) {
        self.change(|counts| *counts.runs.entry("LOST").or_default() += 1);
    }

    /// Counts a request that was answered with an error.
    pub(super) fn refused(&self, status: u16) {
        self.change(|counts| *counts.refused.entry(status).or_default() += 1);
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The text, with whether a run is in flight.
    pub(super) fn text(&self, in_flight: bool) -> String {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut page = Page::default();
        page.head(
            "soxauto_runs_total",
            "counter",
            "Runs that ended, by outcome",
        );
        for status in [
            OverallStatus::Success.word(),
            OverallStatus::PartialSuccess.word(),
            OverallStatus::Failed.word(),
            "LOST",
        ] {
            let runs = counts.runs.get(status).copied().unwrap_or_default();
            page.line(&format!("soxauto_runs_total{{status=\"{status}\"}}"), runs);
        }
        page.head(
            "soxauto_runs_in_flight",
            "gauge",
            "Runs that have not ended",
        );
        page.line("soxauto_runs_in_flight", u8::from(in_flight));
        page.head(
            "soxauto_run_seconds_total",
            "counter",
            "Time that runs took, together",
        );
        let (seconds, rest) = (counts.milliseconds / 1_000, counts.milliseconds % 1_000);
        page.line("soxauto_run_seconds_total", format!("{seconds}.{rest:03}"));
        page.head(
            "soxauto_items_total",
            "counter",
            "Items that ended, by outcome",
        );
        for ((ipe, status), items) in &counts.items {
            let series = format!("soxauto_items_total{{ipe=\"{ipe}\",status=\"{status}\"}}");
            page.line(&series, items);
        }
        page.head("soxauto_rows_total", "counter", "Rows that were read");
        for (ipe, rows) in &counts.rows {
            page.line(&format!("soxauto_rows_total{{ipe=\"{ipe}\"}}"), rows);
        }
        let name = "soxauto_last_success_timestamp_seconds";
        page.head(name, "gauge", "When an item was last loaded and proven");
        for (ipe, at) in &counts.last_success {
            page.line(&format!("{name}{{ipe=\"{ipe}\"}}"), at);
        }
        page.head(
            "soxauto_http_refusals_total",
            "counter",
            "Requests answered with an error",
        );
        for (status, times) in &counts.refused {
            let series = format!("soxauto_http_refusals_total{{status=\"{status}\"}}");
            page.line(&series, times);
        }
        if let Some(bytes) = resident_bytes() {
            let name = "process_resident_memory_bytes";
            page.head(name, "gauge", "Memory that the process holds");
            page.line(name, bytes);
        }
        page.0
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let head = format!("# HELP {name} {help}.\n# TYPE {name} {kind}\n");
        self.0.push_str(&head);
    }

    fn line(&mut self, series: &str, value: impl std::fmt::Display) {
        // Writing into a text cannot fail.
        writeln!(self.0, "{series} {value}").unwrap_or_default();
    }
}

/// Resident memory as Linux says it; `None` where it does not.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kib.checked_mul(1_024)
}
