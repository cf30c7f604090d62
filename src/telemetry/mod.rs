//! The program's own log on stderr: text for people, JSON for Cloud Logging. Libraries that log rows or statements stay
//! off whatever the user asks for.

mod cloud;

use std::io::IsTerminal as _;
use std::str::FromStr;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use cloud::CloudLines;

/// Targets that log row contents or statement texts at some level.
const SILENT: [&str; 5] = ["tiberius", "mssql_tds", "polars", "datafusion", "sqlparser"];

/// Beside JSON there is no plain line: what the command line tells goes through the log, whatever the level. The alert
/// policies look for the lines of `app::alerts`, so those are always written, and so is who was let in (`app::service`):
/// nothing else says who asked for a run.
const ALWAYS_IN_JSON: [&str; 3] = [
    "soxauto::cli::output=info",
    "soxauto::app::alerts=warn",
    "soxauto::app::service=info",
];

/// As text, the command line tells it itself.
const NEVER_IN_TEXT: [&str; 1] = ["soxauto::cli::output=off"];

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// JSON on Cloud Run, text everywhere else and on every terminal.
    Auto,
    /// Text.
    Text,
    /// One JSON object a line, with Cloud Logging's names.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("write auto, text or json".to_owned()),
        }
    }
}

impl LogFormat {
    fn is_json(self, on_cloud_run: bool, on_terminal: bool) -> bool {
        match self {
            Self::Auto => on_cloud_run && !on_terminal,
            Self::Text => false,
            Self::Json => true,
        }
    }
}

/// Installs the log. `filter` is a level or a filter such as `info` or `soxauto=debug`.
///
/// # Errors
/// The message of a filter that cannot be read.
pub fn init(filter: &str, format: LogFormat, on_cloud_run: bool) -> Result<(), String> {
    let on_terminal = std::io::stderr().is_terminal();
    let is_json = format.is_json(on_cloud_run, on_terminal);
    let filter = allowed(filter, is_json)?;
    tracing_subscriber::registry()
        .with(filter)
        .with(lines(is_json, on_terminal))
        .try_init()
        .map_err(|error| error.to_string())?;
    quiet_panics(is_json);
    Ok(())
}

/// What the user asks for, without what must stay off, with what must stay on.
fn allowed(filter: &str, is_json: bool) -> Result<EnvFilter, String> {
    if let Some(target) = filter
        .split(',')
        .filter_map(|part| part.split('=').next())
        .find(|target| names_silent(target))
    {
        return Err(format!(
            "log target `{target}` would write row contents and stays off"
        ));
    }
    let own: &[&str] = if is_json {
        &ALWAYS_IN_JSON
    } else {
        &NEVER_IN_TEXT
    };
    // Later directives of one target win, and a more specific one of the user is refused above.
    let directives = std::iter::once(filter.to_owned())
        .chain(SILENT.iter().map(|target| format!("{target}=off")))
        .chain(own.iter().map(|directive| (*directive).to_owned()));
    EnvFilter::try_new(directives.collect::<Vec<_>>().join(",")).map_err(|error| error.to_string())
}

/// What writes the lines.
fn lines<S>(is_json: bool, on_terminal: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    if is_json {
        return Box::new(CloudLines(std::io::stderr));
    }
    let text = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(on_terminal)
        .with_target(false);
    Box::new(text)
}

/// Polars panics where a sum overflows. The caller catches it and says so; the panic's own words, which may hold
/// values, are not printed. Every other panic is; as JSON only where it was.
fn quiet_panics(is_json: bool) {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        if place.contains("polars-") {
            tracing::debug!(%place, "a library gave up");
        } else if is_json {
            tracing::error!(%place, "the program panicked");
        } else {
            usual(panic);
        }
    }));
}

fn names_silent(target: &str) -> bool {
    let root = target.trim().split("::").next().unwrap_or_default();
    SILENT.contains(&root) || root.starts_with("polars_") || root.starts_with("datafusion_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_that_log_rows_cannot_be_switched_on() {
        for filter in [
            "tiberius=trace",
            "info,tiberius::tds=trace",
            "polars_core=debug",
        ] {
            let refused = allowed(filter, false).unwrap_err();
            assert!(refused.contains("stays off"), "{filter}");
        }
    }

    #[test]
    fn who_was_let_in_and_what_is_told_is_in_every_log_that_is_json() {
        let json = allowed("error", true).unwrap().to_string();
        let text = allowed("error", false).unwrap().to_string();
        for always in ALWAYS_IN_JSON {
            assert!(json.contains(always), "{json}");
            assert!(!text.contains(always), "{text}");
        }
    }

    #[test]
    fn json_is_for_cloud_run_unless_somebody_looks_on_or_says_otherwise() {
        use LogFormat::{Auto, Json, Text};
        for (format, on_cloud_run, on_terminal, is_json) in [
            (Auto, true, false, true),
            (Auto, true, true, false),
            (Auto, false, false, false),
            (Text, true, false, false),
            (Json, false, true, true),
        ] {
            assert_eq!(
                format.is_json(on_cloud_run, on_terminal),
                is_json,
                "{format:?}"
            );
        }
        assert!("xml".parse::<LogFormat>().is_err());
    }
}
