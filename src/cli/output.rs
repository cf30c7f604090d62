//! Everything that is printed: results on stdout, all else on stderr.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::domain::amount::Amount;
use crate::domain::check::Verdict;
use crate::domain::ids::IpeId;
use crate::domain::run::{ItemStatus, RunContext};
use crate::pipeline::progress::{KeysExamined, Progress, Stage};
use crate::pipeline::workflow::{IpeResult, ReconciliationResult, Uncleared, WorkflowResult};
use crate::report::words::Language;

use super::{publication_text, upload};

/// An amount with its side, with blanks that a search in a terminal or pipe finds.
pub(super) fn dr_cr(amount: Amount) -> String {
    Language::English.dr_cr(amount).replace('\u{a0}', " ")
}

/// Rows between two plain progress lines.
const PLAIN_EVERY_ROWS: u64 = 1_000_000;

/// Prints a result. A reader that has gone away is not an error.
pub(super) fn print(text: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(gone) if gone.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Whether the log is JSON: no plain line may stand beside its lines, so that what is told goes through it.
fn is_told_in_log() -> bool {
    tracing::enabled!(tracing::Level::INFO)
}

/// Says something beside the result.
pub(super) fn tell(text: &str) {
    if is_told_in_log() {
        tracing::info!("{text}");
    } else {
        plain(text);
    }
}

/// Says what went wrong.
pub(super) fn complain(text: &str) {
    if is_told_in_log() {
        tracing::error!("{text}");
    } else {
        plain(text);
    }
}

fn plain(text: &str) {
    // Nobody is left to tell when stderr itself fails.
    let _unheard = writeln!(io::stderr().lock(), "{text}");
}

/// The first lines of a run.
pub(super) fn opening(context: &RunContext) -> String {
    let period = context.period;
    let mut text = format!(
        "run {}: month {period}, everything dated before {}",
        context.run_id,
        period.cutoff()
    );
    if !context.stamps.is_empty() {
        let reasons: Vec<&str> = context.stamps.iter().map(|stamp| stamp.reason()).collect();
        text.push_str(&format!("\nNOT CONTROL EVIDENCE: {}", reasons.join("; ")));
    }
    text
}

/// Progress of all items: bars on a terminal, plain lines otherwise.
pub(super) struct ProgressLines {
    bars: Option<MultiProgress>,
    items: Mutex<BTreeMap<IpeId, Item>>,
}

struct Item {
    bar: ProgressBar,
    said: u64,
}

impl ProgressLines {
    pub(super) fn new() -> Self {
        let is_drawn = io::stderr().is_terminal() && !is_told_in_log();
        let bars = is_drawn.then(MultiProgress::new);
        Self {
            bars,
            items: Mutex::default(),
        }
    }

    /// Leaves the terminal clean.
    pub(super) fn close(&self) {
        if let Some(bars) = &self.bars {
            // A terminal that cannot be cleared has closed.
            bars.clear().ok();
        }
    }

    fn with(&self, ipe: &IpeId, act: impl FnOnce(&mut Item, bool)) {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        let item = items.entry(ipe.clone()).or_insert_with(|| Item {
            bar: self.bar(ipe),
            said: 0,
        });
        act(item, self.bars.is_none());
    }

    fn bar(&self, ipe: &IpeId) -> ProgressBar {
        let Some(bars) = &self.bars else {
            return ProgressBar::hidden();
        };
        let template =
            "{prefix:<10} {msg:<8} {wide_bar} {human_pos}/{human_len} rows {per_sec} ETA {eta}";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = bars.add(
            ProgressBar::new(0)
                .with_style(style)
                .with_prefix(ipe.to_string()),
        );
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

impl Progress for ProgressLines {
    fn stage(&self, ipe: &IpeId, stage: Stage) {
        self.with(ipe, |item, plain| {
            item.bar.set_message(stage.word());
            if plain {
                tell(&format!("{ipe}: {}", stage.word()));
            }
        });
    }

    fn expected(&self, ipe: &IpeId, rows: u64) {
        self.with(ipe, |item, plain| {
            item.bar.set_length(rows);
            if plain {
                tell(&format!("{ipe}: the source announces {rows} rows"));
            }
        });
    }

    fn rows(&self, ipe: &IpeId, rows: u64) {
        self.with(ipe, |item, plain| {
            item.bar.set_position(rows);
            if plain && rows >= item.said + PLAIN_EVERY_ROWS {
                item.said = rows;
                let expected = item.bar.length().unwrap_or_default();
                tell(&format!(
                    "{ipe}: {rows} of {expected} rows, {:.0} rows/s",
                    item.bar.per_sec()
                ));
            }
        });
    }

    fn keys(&self, ipe: &IpeId, found: KeysExamined) {
        let line = format!("{ipe}: {}", keys_line(found));
        match &self.bars {
            // A terminal that cannot be written to has closed.
            Some(bars) => bars.println(line).unwrap_or_default(),
            None => tell(&line),
        }
    }

    fn finished(&self, ipe: &IpeId, status: ItemStatus) {
        self.with(ipe, |item, plain| {
            item.bar.finish_with_message(status.word());
            if plain {
                tell(&format!("{ipe}: {}", status.word()));
            }
        });
    }
}

/// What the keys of an item are, and what it took to know.
fn keys_line(found: KeysExamined) -> String {
    let KeysExamined {
        rows,
        passes,
        repeated,
        unread,
        elapsed,
    } = found;
    let word = match (repeated, unread) {
        (0, 0) => "unique".to_owned(),
        (0, unread) => format!("not proven unique, {unread} rows with equal hashes unread"),
        (repeated, _) => format!("not unique, {repeated} repeated"),
    };
    let plural = if passes == 1 { "" } else { "es" };
    let seconds = elapsed.as_secs_f64();
    format!("keys of {rows} rows {word}, {passes} pass{plural}, {seconds:.1} s")
}

/// The result of a run as a table.
pub(super) fn run_table(result: &WorkflowResult) -> String {
    let header = ["item", "status", "rows", "seconds", "checks", "digest"];
    let mut rows = vec![header.map(str::to_owned)];
    for (name, item) in &result.ipe_results {
        rows.push(table_row(name, item));
    }
    let mut text = columns(&rows, &[]);
    for (name, item) in &result.ipe_results {
        text.push_str(&went_wrong(name, item));
    }
    for (name, item) in &result.ipe_results {
        for finding in &item.findings {
            let what = harmless(&finding.what);
            text.push_str(&format!("\n{name}: finding {}: {what}", finding.id));
        }
    }
    text.push('\n');
    for (name, item) in &result.ipe_results {
        if let Some(table) = &item.bigquery_table {
            text.push_str(&format!("\n{name} loaded    {table}"));
        }
        if let Some(evidence) = &item.evidence {
            text.push_str(&format!("\n{name} evidence  {evidence}"));
        }
        if let Some(manifest) = &item.manifest_sha256 {
            text.push_str(&format!("\n{name} manifest  {manifest}"));
        }
        if let Some(delivery) = &item.delivery {
            text.push_str(&format!("\n{name} delivery{}", upload::text(delivery)));
        }
    }
    if let Some(judged) = &result.reconciliation {
        text.push_str(&reconciliation_lines(judged));
    }
    if let Some(publication) = &result.publication {
        text.push_str(&publication_text::text(publication));
    }
    let overall = json_word(&result.overall_status);
    let control = json_word(&result.control_result);
    let summary = &result.summary;
    text.push_str(&format!(
        "\n\n{overall}, {control}: {} of {} items, {} rows, state {}",
        summary.successful_ipes,
        summary.total_ipes,
        summary.total_rows_processed,
        json_word(&result.state).to_uppercase(),
    ));
    text
}

/// What the lines came to, and where the judgement lies.
fn reconciliation_lines(judged: &ReconciliationResult) -> String {
    let mut text = String::new();
    if let Some(error) = &judged.error_message {
        let error = harmless(error);
        text.push_str(&format!("\n\nthe month could not be reconciled: {error}"));
    }
    if !judged.lines.is_empty() {
        let lines = judged.lines.iter();
        let words: Vec<String> = lines
            .map(|(line, status)| format!("{line} {}", status.word()))
            .collect();
        text.push_str(&format!("\n\nlines: {}", words.join(", ")));
    }
    if let Some(evidence) = &judged.evidence {
        text.push_str(&format!("\nreconciliation evidence  {evidence}"));
    }
    if let Some(manifest) = &judged.manifest_sha256 {
        text.push_str(&format!("\nreconciliation manifest  {manifest}"));
    }
    text
}

/// The error, every check that did not clear, and in one line those that were not made for it.
fn went_wrong(name: &str, item: &IpeResult) -> String {
    let mut text = String::new();
    let first = item.failures.first().map(ToString::to_string);
    if let Some(error) = &item.error_message
        && first.as_ref() != Some(error)
    {
        text.push_str(&format!("\n{name}: {}", error.replace('\n', "\n  ")));
    }
    let line = |what: &str, check: &Uncleared| {
        let more = match check.more {
            0 => String::new(),
            more => format!(" (and {more} more, see the package)"),
        };
        format!("\n{name}: {what}{}{more}", harmless(&check.to_string()))
    };
    for check in &item.failures {
        text.push_str(&line("", check));
    }
    if !item.not_reached.is_empty() {
        let checks = item.not_reached.join(", ");
        text.push_str(&format!("\n{name}: not reached: {checks}"));
    }
    for check in &item.accepted {
        text.push_str(&line("accepted, no failure: ", check));
    }
    text
}

/// The word that the JSON form uses, so that both say the same.
fn json_word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn table_row(name: &str, item: &IpeResult) -> [String; 6] {
    let elapsed = (item.end_time - item.start_time).num_milliseconds();
    let count = |verdict| {
        let verdicts = item.validation_summary.values();
        verdicts.filter(|found| **found == verdict).count()
    };
    let (passed, idle) = (count(Verdict::Pass), count(Verdict::NotApplicable));
    let total = item.validation_summary.len() - idle;
    let mut checks = format!("{passed}/{total} pass");
    if idle > 0 {
        checks.push_str(&format!(", {idle} n/a"));
    }
    let digest: Option<crate::domain::digest::TableDigest> =
        item.digest.as_ref().and_then(|text| text.parse().ok());
    [
        name.to_owned(),
        item.status.word().to_owned(),
        item.rows_extracted.to_string(),
        format!("{}.{}", elapsed / 1_000, elapsed % 1_000 / 100),
        checks,
        digest.map_or_else(
            || "-".to_owned(),
            |digest| digest.fingerprint().chars().take(16).collect(),
        ),
    ]
}

/// Cells under each other; the columns at `right` stand to the right.
pub(super) fn columns<R: AsRef<[String]>>(rows: &[R], right: &[usize]) -> String {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.as_ref().get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows.first().map_or(0, |row| row.as_ref().len()))
        .map(width)
        .collect();
    let lines = rows.iter().map(|row| {
        let cells = row.as_ref().iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| {
            if right.contains(&column) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A value for a terminal: no control characters, which could move the cursor or colour it.
pub(super) fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_were_all_proved_are_called_unique() {
        let of = |passes, repeated, unread| {
            keys_line(KeysExamined {
                rows: 10_000_000,
                passes,
                repeated,
                unread,
                elapsed: Duration::from_millis(4_100),
            })
        };
        let unique = "keys of 10000000 rows unique, 2 passes, 4.1 s";
        assert_eq!(of(2, 0, 0), unique);
        let twice = "keys of 10000000 rows not unique, 7 repeated, 1 pass, 4.1 s";
        assert_eq!((of(1, 7, 0), of(1, 7, 3)), (twice.into(), twice.into()));
        let unread = "keys of 10000000 rows not proven unique, 3 rows with equal hashes unread, 1 pass, 4.1 s";
        assert_eq!(of(1, 0, 3), unread);
    }
}
