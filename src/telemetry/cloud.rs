//! Log lines as Cloud Logging reads them: one JSON object a line, with the names that it knows.
//!
//! Of spans it takes only what is named here, so that no library's span brings anything into the log. Every value is
//! what an event says of itself; it computes and hides nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// What an entry is found by, whether a span or the event itself says it.
const LABELS: [&str; 3] = ["run_id", "ipe", "period"];

/// What links an entry to the request that it belongs to: the name in a span, and Cloud Logging's.
const LINKS: [(&str, &str); 2] = [
    ("trace", "logging.googleapis.com/trace"),
    ("span_id", "logging.googleapis.com/spanId"),
];

/// Writes every event to a writer.
pub(super) struct CloudLines<W>(pub(super) W);

/// What a span says of the entries in it.
#[derive(Clone, Default)]
struct Said(BTreeMap<&'static str, Value>);

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), json!(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name(), json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name(), json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name(), json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name(), json!(value));
    }
}

impl Said {
    /// What is taken of a span.
    fn of_span(mut self) -> Self {
        let is_link = |name: &str| LINKS.iter().any(|(link, _)| *link == name);
        self.0
            .retain(|name, _| LABELS.contains(name) || is_link(name));
        self
    }
}

impl<S, W> Layer<S> for CloudLines<W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut said = Said::default();
        attributes.record(&mut said);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(said.of_span());
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut said = Said::default();
        values.record(&mut said);
        if let Some(span) = context.span(id)
            && let Some(before) = span.extensions_mut().get_mut::<Said>()
        {
            before.0.extend(said.of_span().0);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut around = BTreeMap::new();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(said) = span.extensions().get::<Said>() {
                // From the inside out: what is nearer stands.
                for (name, value) in &said.0 {
                    around.entry(*name).or_insert_with(|| value.clone());
                }
            }
        }
        let mut said = Said::default();
        event.record(&mut said);
        let mut line = Value::Object(entry(*event.metadata().level(), said.0, around)).to_string();
        line.push('\n');
        // Nobody is left to tell when the log itself cannot be written.
        drop(self.0.make_writer().write_all(line.as_bytes()));
    }
}

/// The entry for what an event and the spans around it say.
fn entry(
    level: Level,
    mut said: BTreeMap<&'static str, Value>,
    mut around: BTreeMap<&'static str, Value>,
) -> Map<String, Value> {
    let mut labels = Map::new();
    for name in LABELS {
        if let Some(value) = said.remove(name).or_else(|| around.remove(name)) {
            labels.insert(name.to_owned(), json!(text(&value)));
        }
    }
    let message = said.remove("message").unwrap_or_default();
    let mut entry = Map::new();
    entry.extend(
        said.into_iter()
            .map(|(name, value)| (name.to_owned(), structured(value))),
    );
    for (name, theirs) in LINKS {
        if let Some(value) = around.remove(name) {
            entry.insert(theirs.to_owned(), value);
        }
    }
    if !labels.is_empty() {
        entry.insert("logging.googleapis.com/labels".to_owned(), labels.into());
    }
    entry.insert("severity".to_owned(), json!(severity(level)));
    entry.insert("message".to_owned(), json!(text(&message)));
    entry.insert("time".to_owned(), json!(now()));
    entry
}

/// The steps of an item log their counts as one text of JSON, which can be searched only as what it is.
fn structured(value: Value) -> Value {
    let object = value
        .as_str()
        .filter(|text| text.starts_with('{'))
        .and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    object.map_or(value, Value::Object)
}

/// A label is text, whatever it counts.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        _ => "DEBUG",
    }
}

/// RFC 3339, UTC.
fn now() -> String {
    let mut text = String::new();
    // Writing into a text cannot fail.
    SystemTime
        .format_time(&mut Writer::new(&mut text))
        .unwrap_or_default();
    text
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is logged meanwhile, line by line.
    fn lines(log: impl FnOnce()) -> Vec<Value> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&written);
        let layer = CloudLines(move || Shared(Arc::clone(&shared)));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{text}");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn an_entry_has_the_names_that_cloud_logging_knows() {
        let lines = lines(|| {
            let request = tracing::error_span!(
                "request",
                trace = "projects/p/traces/t",
                span_id = "00000000000000a1",
                path = "/secret"
            );
            let _request = request.enter();
            let item =
                tracing::error_span!("item", ipe = %"IPE_07", run_id = "r", period = "2024-04");
            let _item = item.enter();
            tracing::warn!(
                error = "no \"way\"",
                alert = true,
                rows = 7_u64,
                "a line\nand its next"
            );
        });
        let [line] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        let mut line = line.clone();
        let time = line["time"].take();
        let read = chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap()).unwrap();
        assert_eq!(read.offset().local_minus_utc(), 0);
        let expected = json!({
            "severity": "WARNING",
            "message": "a line\nand its next",
            "time": null,
            "error": "no \"way\"",
            "alert": true,
            "rows": 7,
            "logging.googleapis.com/trace": "projects/p/traces/t",
            "logging.googleapis.com/spanId": "00000000000000a1",
            "logging.googleapis.com/labels": {"ipe": "IPE_07", "run_id": "r", "period": "2024-04"},
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn what_the_event_says_stands_and_outside_spans_there_are_no_labels() {
        let lines = lines(|| {
            tracing::error_span!("item", ipe = "CR_03").in_scope(|| {
                tracing::info!(ipe = "CR_04", fields = %json!({"rows": 3}), "staged");
            });
            tracing::debug!(severity = "CRITICAL", open = "{not json", "plain");
        });
        assert_eq!(
            lines[0]["logging.googleapis.com/labels"],
            json!({"ipe": "CR_04"})
        );
        assert_eq!(lines[0]["fields"]["rows"], 3);
        let plain = lines[1].as_object().unwrap();
        assert_eq!(plain["severity"], "DEBUG");
        assert_eq!(plain["open"], "{not json");
        assert!(
            !plain.keys().any(|name| name.contains("googleapis")),
            "{plain:?}"
        );
    }

    #[test]
    fn every_level_has_its_severity() {
        let lines = lines(|| {
            tracing::error!("e");
            tracing::warn!("w");
            tracing::info!("i");
            tracing::debug!("d");
            tracing::trace!("t");
        });
        let severities: Vec<&str> = lines
            .iter()
            .map(|line| line["severity"].as_str().unwrap())
            .collect();
        assert_eq!(severities, ["ERROR", "WARNING", "INFO", "DEBUG", "DEBUG"]);
    }
}
