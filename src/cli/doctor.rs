//! `soxauto doctor`.

use clap::{Args, ValueEnum};

use crate::app::doctor::{Check, Outcome, Report, examine};
use crate::domain::job::JobName;
use crate::domain::limits::DoctorLimits;
use crate::settings::DoctorSettings;

use super::output;
use super::work_args::WorkArgs;

const EXAMPLES: &str = "\
Examples:
  soxauto doctor                                        the embedded stand-in and folders below out/
  soxauto doctor --secrets env --staging /data/staging
  soxauto doctor --secrets gcp:my-project --staging gs://b --evidence gs://c \\
      --warehouse 'bigquery://my-project/sox?location=EU'
  gcloud run jobs execute soxauto-pg01-run --args=doctor --wait    where the month is run
  soxauto doctor --format json | jq -r '.checks[].todo // empty'

It takes the places that `soxauto run` takes, and looks at them in the order in which a run needs
them. No row of a source is read, no file is put into Drive, no job is started. It leaves one small
object below soxauto-doctor/ in each root, also in a bucket under retention, and with BigQuery one
small Parquet file in staging. The scratch table is dropped.

Exit codes: 0 all is well · 1 something is wrong · 2 something could not be found out (2 wins)";

/// Look at everything that a run needs, and say what to grant or do
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    work: WorkArgs,
    /// Job of Cloud Run that makes runs for a service, projects/PROJECT/locations/REGION/jobs/JOB: whether it may be started
    /// and looked at; it is not started
    #[arg(long, env = "SOXAUTO_ASYNC_JOB", value_name = "JOB")]
    async_job: Option<JobName>,
    /// Leave out the scratch table of BigQuery, which proves that every type comes back as it was staged
    #[arg(long, env = "SOXAUTO_NO_SCRATCH")]
    no_scratch: bool,
    /// How the checks are printed
    #[arg(
        long,
        env = "SOXAUTO_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each check as it ends, then what to do
    Text,
    /// One document at the end
    Json,
}

/// Makes the checks and prints them.
pub(super) async fn doctor(args: DoctorArgs) -> anyhow::Result<u8> {
    let settings = DoctorSettings {
        run: args.work.try_into()?,
        async_job: args.async_job,
        scratch: !args.no_scratch,
        limits: DoctorLimits::default(),
    };
    let mut unheard = None;
    let mut tell = |check: &Check| {
        if args.format == Format::Text
            && let Err(error) = output::print(&line(check))
        {
            unheard = Some(error);
        }
    };
    let report = examine(&settings, &mut tell).await;
    if let Some(error) = unheard {
        return Err(error.into());
    }
    output::print(&match args.format {
        Format::Text => end(&report),
        Format::Json => serde_json::to_string_pretty(&report)?,
    })?;
    Ok(report.exit_code())
}

fn line(check: &Check) -> String {
    let word = match check.outcome {
        Outcome::Ok => "ok",
        Outcome::Failed => "FAILED",
        Outcome::NoAnswer => "NO ANSWER",
        Outcome::Unknown => "unknown",
        Outcome::Skipped => "skipped",
    };
    let (name, seconds) = (output::harmless(&check.name), check.seconds);
    let said = output::harmless(&check.said);
    format!("{word:<9} {seconds:>6.1} s  {name}: {said}")
}

fn end(report: &Report) -> String {
    let mut lines = vec![match report.is_well {
        true => "all is well".to_owned(),
        false => "NOT WELL".to_owned(),
    }];
    let todo = report.todo();
    if !todo.is_empty() {
        lines.push("to do:".to_owned());
    }
    for (place, what) in todo.into_iter().enumerate() {
        lines.push(format!("  {}. {}", place + 1, output::harmless(what)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_one_line_whatever_was_said() {
        let check = Check {
            name: "source X: login".into(),
            outcome: Outcome::Failed,
            seconds: 1.25,
            said: "refused\nby\u{1b}[31m".into(),
            todo: None,
        };
        let line = line(&check);
        assert_eq!(
            line,
            "FAILED       1.2 s  source X: login: refused\u{fffd}by\u{fffd}[31m"
        );
        let open = Check {
            outcome: Outcome::Unknown,
            said: "not known".into(),
            ..check
        };
        let line = super::line(&open);
        assert_eq!(line, "unknown      1.2 s  source X: login: not known");
    }
}
