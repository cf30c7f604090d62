//! `soxauto reconcile`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::app::alerts::Alerts;
use crate::app::reconcile::{self, Judged, PublishSettings, ReconcileSettings};
use crate::app::rules::{self, RuleChoice};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::period::Period;
use crate::domain::reconcile::statement::Statement;
use crate::pipeline::alert::Alert;
use crate::report::material::Material;
use crate::settings::{BigQueryPlace, WarehouseChoice};

use super::google_args::GoogleArgs;
use super::output;
use super::publication_text;
use super::reconcile_text::{Shown, csv, table};
use super::report_args::ReportArgs;
use super::warehouse_args::WarehouseArgs;

const EXAMPLES: &str = "\
Examples:
  soxauto reconcile --period 2024-04                    from the newest sealed package of each item
  soxauto reconcile --period 2024-04 --from 20240501T090000Z-1a2b3c4d
  soxauto reconcile --period 2024-04 --company EC_NG --line L1
  soxauto reconcile --period 2024-04 --format csv > buckets.csv
  soxauto reconcile --period 2024-04 --format json | jq '.result.findings'
  soxauto reconcile --period 2024-04 --contract own.toml     a comparison of one's own
  soxauto reconcile --write-rules own                   a copy of the built-in rules, to begin from
  soxauto reconcile --period 2024-04 --rules own        by one's own, all of them
  soxauto reconcile --period 2024-04 --threshold-version EG=1    by version 1 of Egypt's thresholds
  soxauto reconcile --period 2024-04 --seal             and seal what it came to; verify it as any package
  soxauto reconcile --period 2024-04 --seal --publish --staging out/staging --warehouse out/warehouse
  soxauto reconcile --period 2024-04 --report april.html --language fr --workbook april.xlsx
  soxauto reconcile --period 2024-04 --tables april          every table as CSV, JSON and Parquet

Actual and target are in ledger sign; variance = actual - target = bridges + unexplained. --line,
--component and --company choose what is printed: the result and the exit code are those of the whole
month. The actual of a line has no components: what is compared is the line.

--contract takes the place of the contract alone. --rules takes that of everything: of each of
DIR/rules/reconciliation, vouchers and collections the newest version, and all of DIR/thresholds, of
which DEFAULT holds where a country has none. A file that is missing in DIR is an error,
never one in the binary. Either way the result says NOT CONTROL EVIDENCE.

Of thresholds the newest version that holds on the month's last day is used. --threshold-version names
another of a country, or of DEFAULT: one that holds on that day. The report calls it pinned, page one
names it, and it is sealed with the judgement. A run that judges its month by itself pins none.

--publish loads what is sealed of the month into two tables: soxauto_validations has every bucket of
the judgement that the month is closed with, else of the newest; soxauto_runs has every sealed
package. A run that judges its month does so by itself. What close, reopen and dispose change is
shown when the month is published again. Publications of a month wait for each other, by leases that
lie where those of the runs do (--leases).

Exit codes: 0 every line is OK and there is nothing to report · 1 something is to be reported, also a
line that could not be concluded, or an input of which a check failed or did not run · 2 something
could not be found out";

/// How the result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, in 100 columns
    Table,
    /// Everything, with its inputs
    Json,
    /// One line a bucket
    Csv,
}

/// Where sums are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// Here, over the staged parts
    Local,
    /// In BigQuery, over the loaded months of --warehouse
    Bigquery,
}

fn engine(engine: Engine, warehouse: &WarehouseChoice) -> anyhow::Result<Option<BigQueryPlace>> {
    match (engine, warehouse) {
        (Engine::Local, _) => Ok(None),
        (Engine::Bigquery, WarehouseChoice::BigQuery(place)) => Ok(Some(place.clone())),
        (Engine::Bigquery, WarehouseChoice::Local(_)) => anyhow::bail!(
            "--engine bigquery needs a dataset\nhint: add --warehouse bigquery://PROJECT/DATASET?location=EU"
        ),
    }
}

/// Compare the ledger with the source systems, from sealed packages
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReconcileArgs {
    /// Month, as YYYY-MM
    #[arg(
        long,
        env = "SOXAUTO_PERIOD",
        value_name = "YYYY-MM",
        required_unless_present = "write_rules"
    )]
    period: Option<Period>,
    /// Run whose packages are used [default: the newest of each item]
    #[arg(long, env = "SOXAUTO_FROM", value_name = "RUN")]
    from: Option<RunId>,
    /// Print this line only; may be given several times
    #[arg(
        long = "line",
        env = "SOXAUTO_LINE",
        value_name = "LINE",
        value_delimiter = ','
    )]
    lines: Vec<String>,
    /// Print the lines that have this item as a component; may be given several times
    #[arg(
        long = "component",
        env = "SOXAUTO_COMPONENT",
        value_name = "ITEM",
        value_delimiter = ','
    )]
    components: Vec<String>,
    /// Print this company only; may be given several times
    #[arg(
        long = "company",
        env = "SOXAUTO_COMPANY",
        value_name = "CODE",
        value_delimiter = ','
    )]
    companies: Vec<String>,
    /// How the result is printed
    #[arg(long, env = "SOXAUTO_FORMAT", value_enum, default_value = "table")]
    format: Format,
    /// A reconciliation contract of one's own [default: the newest that is built in]
    #[arg(long, env = "SOXAUTO_CONTRACT", value_name = "FILE")]
    contract: Option<PathBuf>,
    /// A folder of rules and thresholds of one's own, used whole [default: those that are built in]
    #[arg(
        long,
        env = "SOXAUTO_RULES",
        value_name = "DIR",
        conflicts_with = "contract"
    )]
    rules: Option<PathBuf>,
    /// Version of a country's thresholds, or of DEFAULT, that is used although a later one is in force; may be given several
    /// times; a run that judges its month takes none [default: the newest that holds on the month's last day]
    #[arg(
        long = "threshold-version",
        env = "SOXAUTO_THRESHOLD_VERSION",
        value_name = "COUNTRY=N",
        value_delimiter = ',',
        value_parser = pin
    )]
    pins: Vec<(String, u32)>,
    /// Write the rules and thresholds that are built in into a new folder, and do nothing else
    #[arg(
        long,
        env = "SOXAUTO_WRITE_RULES",
        value_name = "DIR",
        conflicts_with_all = ["contract", "rules", "seal"]
    )]
    write_rules: Option<PathBuf>,
    /// Where the sums of the lines are computed
    #[arg(long, env = "SOXAUTO_ENGINE", value_enum, default_value = "local")]
    engine: Engine,
    #[command(flatten)]
    warehouse: WarehouseArgs,
    /// Seal the judgement beside the packages, with the rules that it was made by
    #[arg(long, env = "SOXAUTO_SEAL")]
    seal: bool,
    /// Publish what is sealed of the month in --warehouse, staged in --staging; with --seal also what this seals
    #[arg(long, env = "SOXAUTO_PUBLISH", requires = "staging")]
    publish: bool,
    /// Where evidence packages are sealed
    #[arg(
        long,
        env = "SOXAUTO_EVIDENCE",
        default_value = "out/evidence",
        value_name = "URL"
    )]
    evidence: String,
    /// Where the parts are now [default: where their packages say]
    #[arg(long, env = "SOXAUTO_STAGING", value_name = "URL")]
    staging: Option<String>,
    /// Root of the leases, where the runs were given one; publications of a month wait for each other there [default: the
    /// evidence root]
    #[arg(long, env = "SOXAUTO_LEASES", value_name = "URL")]
    leases: Option<String>,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    google: GoogleArgs,
}

impl ReconcileArgs {
    /// Whether this is Cloud Run.
    pub(super) fn is_on_cloud_run(&self) -> bool {
        self.google.is_cloud_run()
    }
}

fn pin(text: &str) -> Result<(String, u32), String> {
    let parts = text.split_once('=');
    let pin =
        parts.and_then(|(country, version)| Some((country.to_owned(), version.parse().ok()?)));
    pin.ok_or_else(|| "write COUNTRY=N, such as EG=1 or DEFAULT=1".to_owned())
}

/// Every country with the one version that was named.
fn pins(asked: Vec<(String, u32)>) -> anyhow::Result<BTreeMap<String, u32>> {
    let mut pins = BTreeMap::new();
    for (country, version) in asked {
        let other = pins.insert(country.clone(), version);
        if let Some(other) = other.filter(|other| *other != version) {
            anyhow::bail!(
                "--threshold-version names versions {other} and {version} of {country}; name one"
            );
        }
    }
    Ok(pins)
}

/// What is asked for must be there.
fn known<'a>(
    flag: &str,
    asked: &[String],
    all: impl Iterator<Item = &'a str>,
) -> anyhow::Result<()> {
    let all: Vec<&str> = all.collect();
    match asked.iter().find(|one| !all.contains(&one.as_str())) {
        Some(one) => anyhow::bail!("{flag} {one}: the contract has {}", all.join(", ")),
        None => Ok(()),
    }
}

/// Writes the built-in rules, and prints where.
fn write_rules(folder: &Path) -> anyhow::Result<u8> {
    for file in rules::write(folder)? {
        output::print(&file.display().to_string())?;
    }
    let folder = folder.display();
    output::tell(&format!(
        "change them, then `soxauto reconcile --period YYYY-MM --rules {folder}`"
    ));
    Ok(0)
}

/// Reconciles a month and prints it.
pub(super) async fn reconcile(args: ReconcileArgs) -> anyhow::Result<u8> {
    if let Some(folder) = &args.write_rules {
        return write_rules(folder);
    }
    let is_logged = args.is_on_cloud_run();
    let Some(period) = args.period else {
        anyhow::bail!("--period is missing; write the month as YYYY-MM");
    };
    let warehouse = WarehouseChoice::try_from(args.warehouse)?;
    let staging = args.staging.clone().filter(|_| args.publish);
    let settings = ReconcileSettings {
        period,
        run: args.from,
        evidence: args.evidence,
        staging: args.staging,
        rules: match (args.rules, args.contract) {
            (Some(folder), _) => RuleChoice::Folder(folder),
            (None, Some(contract)) => RuleChoice::Contract(contract),
            (None, None) => RuleChoice::BuiltIn,
        },
        pins: pins(args.pins)?,
        seal: args.seal,
        engine: engine(args.engine, &warehouse)?,
        publish: staging.map(|staging| PublishSettings {
            warehouse,
            staging,
            leases: args.leases,
        }),
        google: args.google.into(),
    };
    let judged = reconcile::run(&settings).await?;
    let reconciled = &judged.judgement.reconciled;
    let result = &reconciled.result;
    let lines = || result.lines.iter();
    known("--line", &args.lines, lines().map(|line| line.id.as_str()))?;
    let items = lines().flat_map(|line| &line.items).map(IpeId::as_str);
    known("--component", &args.components, items)?;
    let statement = judged.statement()?;
    if args.report.is_asked() {
        let judgement = &judged.judgement;
        let (matches, months) = (judgement.matches(), judgement.months());
        args.report.write(Material {
            statement: &statement,
            matches: &matches,
            months: &months,
            explained: judgement.explained(),
        })?;
    }
    if is_logged {
        return logged(&judged, &statement);
    }
    let shown = Shown {
        lines: args.lines,
        components: args.components,
        companies: args.companies,
    };
    let text = match args.format {
        Format::Table => table(reconciled, &statement, &shown),
        Format::Json => serde_json::to_string_pretty(reconciled)?,
        Format::Csv => csv(result, &shown)?,
    };
    output::print(text.trim_end())?;
    Ok(told(&judged).unwrap_or(statement.exit_code()))
}

/// On Cloud Run what is printed is a log, and rows and amounts belong into no log: lines, findings and the word by name and
/// number, whatever the format. What somebody must hear of is told as that of a run.
fn logged(judged: &Judged, statement: &Statement) -> anyhow::Result<u8> {
    let summary = judged.summary()?;
    let mut findings: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &statement.result.findings {
        *findings.entry(finding.code.word()).or_default() += 1;
    }
    let lines = summary.lines.iter();
    let lines = lines.map(|(line, status)| format!("{line} {}", status.word()));
    let findings = findings.iter().map(|(code, n)| format!("{n} {code}"));
    let findings = findings.collect::<Vec<_>>().join(", ");
    output::print(&format!(
        "lines: {}\nfindings: {}\nresult: {}",
        lines.collect::<Vec<_>>().join(", "),
        if findings.is_empty() {
            "none"
        } else {
            &findings
        },
        summary.control_result.word()
    ))?;
    let judgement = &judged.judgement;
    let run = (judgement.run_id.clone(), judgement.period());
    if judged.package.is_some()
        && let Some(alert) = Alert::of_judgement(run, &summary, judged.publication.as_ref())
    {
        Alerts::note(&alert);
    }
    Ok(told(judged).unwrap_or(statement.exit_code()))
}

/// Says what was sealed and published; gives the exit code where something could not be published.
fn told(judged: &Judged) -> Option<u8> {
    if let Some(package) = &judged.package {
        output::tell(&format!(
            "sealed {}\nmanifest SHA-256 {}",
            package.uri, package.manifest_sha256
        ));
    }
    let stamps = judged.judgement.stamps.iter();
    let reasons: Vec<&str> = stamps.map(|stamp| stamp.reason()).collect();
    if !reasons.is_empty() {
        output::tell(&format!("NOT CONTROL EVIDENCE: {}", reasons.join("; ")));
    }
    let publication = judged.publication.as_ref()?;
    output::tell(publication_text::text(publication).trim_start());
    publication
        .error_message
        .as_ref()
        .map(|_| super::NOT_FOUND_OUT)
}
