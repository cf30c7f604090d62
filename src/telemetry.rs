//! The program's own log: text on stderr. Libraries that log rows or statements stay off whatever the user asks for.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Targets that log row contents or statement texts at some level.
const SILENT: [&str; 5] = ["tiberius", "mssql_tds", "polars", "datafusion", "sqlparser"];

/// Installs the log. `filter` is a level or a filter such as `info` or `soxauto=debug`.
///
/// # Errors
/// The message of a filter that cannot be read.
pub fn init(filter: &str) -> Result<(), String> {
    let directives = std::iter::once(filter.to_owned())
        .chain(SILENT.iter().map(|target| format!("{target}=off")));
    // Later directives of one target win, and a more specific target of the user is refused below.
    if let Some(target) = filter
        .split(',')
        .filter_map(|part| part.split('=').next())
        .find(|target| names_silent(target))
    {
        return Err(format!(
            "log target `{target}` would write row contents and stays off"
        ));
    }
    let filter = EnvFilter::try_new(directives.collect::<Vec<_>>().join(","))
        .map_err(|error| error.to_string())?;
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .try_init()
        .map_err(|error| error.to_string())?;
    quiet_panics();
    Ok(())
}

/// Polars panics where a sum overflows. The caller catches it and says so; the panic's own words, which may hold
/// values, are not printed. Every other panic is.
fn quiet_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        if place.contains("polars-") {
            tracing::debug!(%place, "a library gave up");
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
            assert!(init(filter).unwrap_err().contains("stays off"), "{filter}");
        }
    }
}
